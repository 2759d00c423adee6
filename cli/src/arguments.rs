//! What stands on the command line.

use clap::{Parser, Subcommand};

use crate::commands::{check, completions, explain, man, schema};

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
    /// Print what a shell needs to complete the program's arguments.
    Completions(completions::Completions),
    /// Print the manual page, or write all of them.
    Man(man::Man),
    /// Print the JSON Schema of the configuration, for editors.
    Schema(schema::Schema),
}
