//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod issuer;
pub(crate) mod jwks;
pub(crate) mod mint;

use std::process::ExitCode;

use crate::Stop;
use crate::arguments::{Arguments, Command};

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Stop> {
    match arguments.command {
        Command::Check(check) => check.run(),
        Command::Issuer(issuer) => issuer.run(),
        Command::Jwks(jwks) => jwks.run(),
        Command::Mint(mint) => mint.run(),
    }
}
