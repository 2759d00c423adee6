//! `jwt-warden migrate`: others' configurations as the filter's.

mod duration;
mod fields;
mod gateway;
mod istio;
mod istio_claim;
mod istio_operation;
mod istio_provider;
mod istio_rule;
mod native;
mod native_provider;
mod native_rule;
mod note;
mod output;
mod permit;
mod policy;
mod proof;
mod region;
mod source;
#[cfg(test)]
mod tests;
mod verify;
mod yaml_text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::Stop;
use note::{Draft, Kind, Note};
use source::Origin;

/// What to migrate.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Migrate {
    /// Configurations in YAML or JSON; `-` is the standard input. Istio's manifests are taken together.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where they come from; by default what they look like. Everything else in the files is passed over.
    #[arg(long, value_enum)]
    from: Option<Origin>,
    /// What to write around the configuration.
    #[arg(long = "as", value_enum, default_value = "bare")]
    shape: Shape,
    /// How to write it: JSON has no comments, so that they are on the standard error alone.
    #[arg(long, value_enum, default_value = "yaml")]
    format: Format,
    #[command(flatten)]
    verify: verify::Verify,
}

const EXAMPLES: &str = "\
Examples:
  jwt-warden migrate envoy.yaml > jwt-warden.yaml
  jwt-warden migrate --as envoy envoy.yaml        the entry for http_filters
  jwt-warden migrate --as wasmplugin request-authentication.yaml authorization-policy.yaml
  kubectl get requestauthentication,authorizationpolicy -n shop -o yaml | jwt-warden migrate -
  jwt-warden migrate --verify --envoy \"$(func-e which)\" --token @token.txt envoy.yaml > jwt-warden.yaml

The result is never silently more open than what it comes from: what cannot be expressed is refused or left out, with
a comment at its place. `open` marks what is as open as before and need not be.

Exit code: 0 if all is carried over, 1 if somebody has to look at what is not (the summary says at what; if nothing
is written, what to change first; with --verify, at which requests), 2 if there is nothing that could be migrated, or
verified.";

/// What is written around the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// The configuration alone.
    Bare,
    /// The entry in Envoy's `http_filters`.
    Envoy,
    /// Istio's `WasmPlugin`.
    #[value(name = "wasmplugin")]
    WasmPlugin,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With comments.
    Yaml,
    /// Without.
    Json,
}

impl Migrate {
    /// Migrates the files.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        let mut drafts = source::migrate(&self.files, self.from)?;
        drafts.iter_mut().for_each(proof::hold);
        let notes: Vec<&Note> = drafts.iter().flat_map(|draft| &draft.notes).collect();
        let is_blocked = notes.iter().any(|note| note.kind == Kind::Blocked);
        if !is_blocked {
            crate::output::print(&written(&drafts, self.shape, self.format)?)?;
        }
        output::summarise(&notes);
        let differs = self.verify.is_wanted() && !is_blocked && !self.verify.run(&drafts)?;
        Ok(ExitCode::from(u8::from(differs || notes.iter().any(|note| note.kind.is_serious()))))
    }
}

fn written(drafts: &[Draft], shape: Shape, format: Format) -> Result<String, Stop> {
    match format {
        Format::Yaml => Ok(drafts.iter().map(|draft| output::yaml(draft, shape)).collect::<Vec<_>>().join("---\n")),
        Format::Json => match drafts {
            [draft] => Ok(output::json(draft, shape)),
            _ => Err("there are several configurations in this: give one at a time, or write them as YAML".to_owned()),
        },
    }
}
