//! `jwt-warden jwks`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use jwt_warden::crypto::SignatureAlgorithm;

use crate::minting::algorithm::Algorithm;
use crate::minting::key::PrivateKey;
use crate::minting::{key_file, public};
use crate::{Stop, output};

const EXAMPLES: &str = "\
Examples:
  jwt-warden jwks                                        an ES256 key, in private.jwks.json
  jwt-warden jwks --algorithm RS256 --algorithm EdDSA    a set with two keys
  jwt-warden jwks --public private.jwks.json > jwks.json what a proxy may have

Exit codes: 0 done, 1 --public has left something out, 2 it could not be done.";

/// Make private keys, or show the public half of some.
///
/// Private keys go into a file that only its owner can read, as a JWKS (RFC 7517). `mint` and `issuer` sign with them.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Jwks {
    /// What a key is for; once for each key. Default: one key for ES256.
    #[arg(long, value_name = "ALGORITHM", ignore_case = true)]
    algorithm: Vec<Algorithm>,
    /// The name of a key, in the order of the algorithms. Default: the key's thumbprint (RFC 7638); of secrets, a random name.
    #[arg(long, value_name = "ID")]
    kid: Vec<String>,
    /// The length of RSA keys, in bits.
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u16).range(2048..=8192))]
    bits: u16,
    /// Where the private keys go.
    #[arg(long, value_name = "FILE", default_value = "private.jwks.json")]
    out: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
    /// Show the public half of the keys in this file instead. Secrets (HS256 and its like) have none, and are left out.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["algorithm", "kid", "bits", "out", "force"])]
    public: Option<PathBuf>,
}

impl Jwks {
    /// Makes keys, or shows public halves.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        match &self.public {
            Some(file) => show(file),
            None => self.make(),
        }
    }

    fn make(&self) -> Result<ExitCode, Stop> {
        let algorithms = match self.algorithm.as_slice() {
            [] => &[Algorithm(SignatureAlgorithm::Es256)],
            given => given,
        };
        if self.kid.len() > algorithms.len() {
            return Err("there are more names (--kid) than keys (--algorithm)".to_owned());
        }
        let mut sorted: Vec<_> = self.kid.iter().collect();
        sorted.sort();
        sorted.dedup();
        if sorted.len() < self.kid.len() {
            return Err("two keys cannot have the same name (--kid)".to_owned());
        }
        // Before the time is spent: RSA keys take some.
        if !self.force && self.out.exists() {
            let name = self.out.display();
            return Err(format!("{name}: is there already: choose another name, or give --force to replace it"));
        }
        let mut names = self.kid.iter().cloned();
        let make = |algorithm: &Algorithm| PrivateKey::generate(algorithm.0, names.next(), self.bits);
        let keys = algorithms.iter().map(make).collect::<Result<Vec<_>, _>>()?;
        key_file::write(&self.out, &keys, self.force)?;
        for (key, algorithm) in keys.iter().zip(algorithms) {
            let kid = key.kid.as_deref().unwrap_or_default();
            output::line(&format!("{}: {} kid={kid:?}", self.out.display(), algorithm.0.name()));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(file: &Path) -> Result<ExitCode, Stop> {
    let (set, sentences) = public::halves(&key_file::members(file)?);
    output::line(&serde_json::to_string_pretty(&set).map_err(|error| error.to_string())?);
    for sentence in &sentences {
        output::note(&format!("{}: {sentence}", file.display()));
    }
    Ok(ExitCode::from(u8::from(!sentences.is_empty())))
}
