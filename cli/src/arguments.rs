//! What stands on the command line.

use clap::{Parser, Subcommand};

use crate::commands::{check, completions, explain, issuer, jwks, man, migrate, mint, schema};

/// The operator's program of jwt-warden, the JWT filter for Envoy and Istio.
///
/// It is built from the filter's own core: what it says about a configuration or a token is what the filter does.
#[derive(Parser)]
#[command(name = "jwt-warden", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check configurations: every mistake with file, line and path, and what is doubtful.
    Check(check::Check),
    Explain(Box<explain::Explain>),
    /// Serve keys and tokens on this machine: an issuer to try a proxy with.
    Issuer(issuer::Issuer),
    /// Make private keys, or show the public half of some.
    Jwks(jwks::Jwks),
    /// Sign a token, good or bad, or a proof of possession (DPoP).
    Mint(Box<mint::Mint>),
    /// Migrate `jwt_authn`'s, Istio's or Envoy Gateway's configuration to the filter's, with comments.
    Migrate(migrate::Migrate),
    /// Print what a shell needs to complete the program's arguments.
    Completions(completions::Completions),
    /// Print the manual page, or write all of them.
    Man(man::Man),
    /// Print the JSON Schema of the configuration, for editors.
    Schema(schema::Schema),
}
