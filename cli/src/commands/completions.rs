//! `jwt-warden completions`.

use std::io;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Stop;
use crate::arguments::Arguments;

const EXAMPLES: &str = "\
Examples:
  jwt-warden completions bash > ~/.local/share/bash-completion/completions/jwt-warden
  jwt-warden completions zsh > \"${fpath[1]}/_jwt-warden\"
  jwt-warden completions fish > ~/.config/fish/completions/jwt-warden.fish";

/// The shell.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell that completes.
    shell: Shell,
}

impl Completions {
    /// Prints the completions.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "jwt-warden", &mut text);
        io::Write::write_all(&mut io::stdout(), &text).map_err(|error| format!("the standard output: {error}"))?;
        Ok(ExitCode::SUCCESS)
    }
}
