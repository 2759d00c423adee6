//! What stands on the command line.

use clap::{Parser, Subcommand};

use crate::commands::{check, issuer, jwks, mint};

/// The operator's program of jwt-warden, the JWT filter for Envoy and Istio.
///
/// It is built from the filter's own core: what it says about a configuration or a token is what the filter does.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check configurations: every mistake with file, line and path, and what is doubtful.
    Check(check::Check),
    /// Serve keys and tokens on this machine: an issuer to try a proxy with.
    Issuer(issuer::Issuer),
    /// Make private keys, or show the public half of some.
    Jwks(jwks::Jwks),
    /// Sign a token, good or bad, or a proof of possession (DPoP).
    Mint(Box<mint::Mint>),
}
