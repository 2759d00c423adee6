//! `jwt-warden schema`.

mod build;
mod cell;
mod reference;

use std::process::ExitCode;

use clap::Args;

use crate::Stop;
use crate::output::print;

const EXAMPLES: &str = "\
The schema is made from the types that the filter reads a configuration into, and its texts
are those of the reference. It knows shapes, words and units; `jwt-warden check` knows
everything that the filter does, and more.

The filter takes every field in snake_case and in lowerCamelCase. The schema has one of the
two, so that editors do not offer each field twice.

Examples:
  jwt-warden schema > jwt-warden.schema.json
  jwt-warden schema --camel-case

In VS Code, with the YAML extension, as the first line of a bare configuration:
  # yaml-language-server: $schema=jwt-warden.schema.json";

/// How the schema spells the fields.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Schema {
    /// Spell the fields in lowerCamelCase.
    #[arg(long)]
    camel_case: bool,
}

impl Schema {
    /// Prints the schema.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        print(&format!("{:#}\n", build::schema(self.camel_case))).map(|()| ExitCode::SUCCESS)
    }
}
