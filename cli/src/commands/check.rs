//! `jwt-warden check`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::Stop;

/// The files to check.
#[derive(Args)]
pub(crate) struct Check {
    /// Configurations in JSON or YAML; `-` is the standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Check {
    /// Checks the files.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        for file in self.files {
            let text = crate::input::read(&file)?;
            let tree = crate::yaml::parse(&text).map_err(|error| format!("{error:?}"))?;
            for plugin in crate::plugin::find(&tree.documents) {
                let text = plugin.text.clone().unwrap_or_default();
                match jwt_warden::config::parse(text.as_bytes(), &|_| None) {
                    Ok(_) => println!("ok"),
                    Err(error) => {
                        for (path, sentence) in error.mistakes() {
                            let at = plugin.position(path);
                            println!("{}:{}:{}: {path}: {sentence}", file.display(), at.line, at.column);
                        }
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
