//! `jwt-warden man`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use crate::Stop;
use crate::arguments::Arguments;
use crate::output::print;

const EXAMPLES: &str = "\
Examples:
  jwt-warden man | man -l -
  jwt-warden man --out ~/.local/share/man/man1";

/// Where the pages go.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Man {
    /// The directory for the pages, one for the program and one for each command; without it, the program's page is
    /// printed.
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

impl Man {
    /// Prints the program's page, or writes all pages.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        let mut program = Arguments::command();
        program.build();
        let Some(out) = self.out else {
            let page = page(&program).map_err(|error| error.to_string())?;
            return print(&String::from_utf8_lossy(&page)).map(|()| ExitCode::SUCCESS);
        };
        fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        let commands = program.get_subcommands().filter(|command| command.get_name() != "help");
        for command in std::iter::once(&program).chain(commands) {
            write(&out, command).map_err(|error| format!("{}: {error}", out.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write(out: &Path, command: &clap::Command) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(out.join(format!("{name}.1")), page(command)?)
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).manual("jwt-warden").render(&mut page)?;
    Ok(page)
}
