//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod migrate;

use std::process::ExitCode;

use crate::Stop;
use crate::arguments::{Arguments, Command};

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Stop> {
    match arguments.command {
        Command::Check(check) => check.run(),
        Command::Migrate(migrate) => migrate.run(),
    }
}
