//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod issuer;
pub(crate) mod jwks;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod mint;
pub(crate) mod schema;

use std::process::ExitCode;

use crate::Stop;
use crate::arguments::{Arguments, Command};

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Stop> {
    match arguments.command {
        Command::Check(check) => check.run(),
        Command::Explain(explain) => explain.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Schema(schema) => schema.run(),
        Command::Issuer(issuer) => issuer.run(),
        Command::Jwks(jwks) => jwks.run(),
        Command::Mint(mint) => mint.run(),
        Command::Migrate(migrate) => migrate.run(),
    }
}
