//! `jwt-warden check`.

mod catalogue;
mod environment;
mod file;
mod lints;
mod report;
mod walk;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::Stop;
use crate::finding::{Finding, Severity};
use crate::output::print;
use environment::Variables;

const EXAMPLES: &str = "\
What can be checked:
  a bare configuration, an Envoy bootstrap, Istio's WasmPlugin, EnvoyFilter and
  TrafficExtension, and Envoy Gateway's EnvoyExtensionPolicy, in YAML or JSON, several
  documents in one file too. In a directory, all *.yaml, *.yml and *.json below it.

Exit codes:
  0  nothing is wrong; there may be warnings
  1  mistakes, or warnings that are denied
  2  a file cannot be read, or nothing to check was found

Examples:
  jwt-warden check envoy.yaml
  jwt-warden check --deny-warnings --allow default-max-stale manifests/
  jwt-warden check --env JWKS=\"$(cat jwks.json)\" bare.yaml
  kubectl get wasmplugin -A -o yaml | jwt-warden check -
  jwt-warden check --format sarif manifests/ > jwt-warden.sarif
  jwt-warden check --list-lints";

/// The files to check, and how to tell.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Check {
    /// Configurations in JSON or YAML, or directories of them; `-` is the standard input.
    #[arg(required_unless_present = "list_lints")]
    files: Vec<PathBuf>,
    /// How to tell what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Fail on warnings too.
    #[arg(long)]
    deny_warnings: bool,
    /// Say nothing of this kind of warning; may be repeated.
    #[arg(long, value_name = "ID", value_parser = identifiers(), hide_possible_values = true)]
    allow: Vec<String>,
    /// Take this kind of warning for an error; may be repeated.
    #[arg(long, value_name = "ID", value_parser = identifiers(), hide_possible_values = true)]
    deny: Vec<String>,
    /// A variable of the VM's environment, which `environment_variable` may name; without a value, it is taken from this
    /// program's own environment. Its value is never shown.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// List what can be found, and leave.
    #[arg(long)]
    list_lints: bool,
}

/// How to tell what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: file, line, column, and the line itself.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, which annotate the lines.
    Github,
}

/// What was found in all files.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    findings: Vec<Finding>,
    /// The texts of the files in which something was found.
    texts: Vec<(String, String)>,
    files: usize,
    configurations: usize,
    /// Why files could not be looked at.
    troubles: Vec<String>,
}

fn identifiers() -> PossibleValuesParser {
    PossibleValuesParser::new(catalogue::warnings().into_iter().map(|lint| lint.id))
}

impl Check {
    /// Checks the files.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        if self.list_lints {
            let lints = catalogue::everything();
            let told: Vec<_> = lints.iter().map(|lint| format!("{:26} {}", lint.id, lint.about)).collect();
            return print(&(told.join("\n") + "\n")).map(|()| ExitCode::SUCCESS);
        }
        let variables = Variables::of_arguments(&self.env)?;
        let mut outcome = Outcome::default();
        let mut seen = BTreeSet::new();
        for path in &self.files {
            for file in walk::files(path, &mut outcome.troubles) {
                if seen.insert(file.path.clone()) {
                    file::check(&file, &variables, &mut outcome);
                }
            }
        }
        self.judge(&mut outcome.findings);
        print(&report::told(self.format, &outcome))?;
        outcome.troubles.iter().for_each(|trouble| anstream::eprintln!("jwt-warden: {trouble}"));
        Ok(self.exit_code(&outcome))
    }

    /// Leaves out what is allowed, and makes errors of what is denied.
    fn judge(&self, findings: &mut Vec<Finding>) {
        let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
        let (allowed, denied) = (set(&self.allow), set(&self.deny));
        findings.retain(|finding| finding.severity == Severity::Error || !allowed.contains(finding.rule));
        for finding in findings {
            if denied.contains(finding.rule) {
                finding.severity = Severity::Error;
            }
        }
    }

    fn exit_code(&self, outcome: &Outcome) -> ExitCode {
        let has = |severity| outcome.findings.iter().any(|finding| finding.severity == severity);
        if !outcome.troubles.is_empty() {
            ExitCode::from(2)
        } else if has(Severity::Error) {
            ExitCode::from(1)
        } else if outcome.configurations == 0 {
            ExitCode::from(2)
        } else if has(Severity::Warning) && self.deny_warnings {
            ExitCode::from(1)
        } else {
            ExitCode::SUCCESS
        }
    }
}
