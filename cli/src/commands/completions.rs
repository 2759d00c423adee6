//! `jwt-warden completions`.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Stop;
use crate::arguments::Arguments;
use crate::output::print;

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
        print(&String::from_utf8_lossy(&text)).map(|()| ExitCode::SUCCESS)
    }
}
