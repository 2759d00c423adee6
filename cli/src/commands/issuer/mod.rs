//! `jwt-warden issuer`.

mod answer;
mod parameters;
mod ring;
mod server;
mod service;
#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jwt_warden::crypto::SignatureAlgorithm;

use self::ring::Ring;
use self::service::{Service, Settings};
use crate::minting::algorithm::Algorithm;
use crate::minting::key::PrivateKey;
use crate::minting::{key_file, lifetime};
use crate::{Stop, output};

const EXAMPLES: &str = "\
What it serves:
  GET  /.well-known/openid-configuration   where everything is
  GET  /jwks.json                          the public keys
  POST /token                              a token, to whoever asks
  POST /rotate                             new keys, as SIGHUP makes; the old ones stay published until
                                           the next rotation
  POST /revoke                             puts a token (`jti` or `token`) on the denylist
  GET  /denylist.json                      the denylist, for the filter's revocation.denylists

/token takes a form or a JSON object with any of: issuer, audience, subject, expires_in, typ,
algorithm, kid, bad, scope, without, and the objects claims and header.

Examples:
  jwt-warden issuer
  curl -d subject=bob -d expires_in=1h http://127.0.0.1:10001/token
  curl --json '{\"claims\": {\"groups\": [\"staff\"]}}' http://127.0.0.1:10001/token
  curl -d bad=expired http://127.0.0.1:10001/token
  curl -X POST http://127.0.0.1:10001/rotate
  curl -d jti=abc http://127.0.0.1:10001/revoke

Exit codes: 0 ended by a signal, 2 it could not serve.";

/// Serve keys and tokens on this machine: an issuer to try a proxy with.
///
/// It hands a token with any claims to everybody who asks: it is for trials, never for production. So it listens on the loopback
/// interface only, and does not heed web pages that ask from a browser.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
#[allow(clippy::struct_field_names, reason = "`issuer` is the name of the option")]
pub(crate) struct Issuer {
    /// Where to listen; port 0 is any that is free.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:10001")]
    listen: SocketAddr,
    /// iss. Default: the URL at which it listens.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The private keys: a JWKS such as `jwt-warden jwks` makes. Default: new ones, for --algorithm.
    #[arg(long, value_name = "FILE", conflicts_with = "algorithm")]
    key: Option<PathBuf>,
    /// What to make keys for; may be given several times. Tokens are signed with the first unless they ask for another.
    /// Default: ES256.
    #[arg(long, ignore_case = true)]
    algorithm: Vec<Algorithm>,
    /// aud, where none is asked for; may be given several times. Default: api.
    #[arg(long, value_name = "NAME")]
    audience: Vec<String>,
    /// How long tokens are good, where nothing is asked for.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = lifetime::parse)]
    expires_in: Duration,
    /// How long others may keep the keys (Cache-Control).
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = lifetime::parse)]
    max_age: Duration,
    /// Listen on other interfaces too: everybody who reaches it gets tokens with any claims.
    #[arg(long)]
    anywhere: bool,
}

impl Issuer {
    /// Serves until a signal ends it.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        if !self.listen.ip().is_loopback() {
            if !self.anywhere {
                return Err(format!(
                    "--listen {}: others could reach it, and it hands tokens with any claims to everybody: listen on 127.0.0.1, or \
                     give --anywhere if that is wanted",
                    self.listen
                ));
            }
            output::note(&format!("warning: {} hands tokens with any claims to everybody who reaches it", self.listen));
        }
        let ring = Ring::new(self.keys()?)?;
        let unusable = |error| format!("--listen {}: {error}", self.listen);
        let listener = TcpListener::bind(self.listen).map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let settings = Settings {
            issuer: self.issuer.unwrap_or_else(|| format!("http://{address}")),
            audiences: if self.audience.is_empty() { vec!["api".to_owned()] } else { self.audience },
            lifetime: self.expires_in,
            max_age: self.max_age,
            address: address.to_string(),
            anywhere: self.anywhere,
        };
        let greeting = format!("listening on http://{address} iss={:?} keys={}", settings.issuer, ring.names());
        server::serve(listener, Service::new(settings, ring), &greeting)?;
        Ok(ExitCode::SUCCESS)
    }

    fn keys(&self) -> Result<Vec<PrivateKey>, Stop> {
        if let Some(file) = &self.key {
            return key_file::read(file);
        }
        let algorithms = match self.algorithm.as_slice() {
            [] => &[Algorithm(SignatureAlgorithm::Es256)],
            given => given,
        };
        algorithms.iter().map(|algorithm| PrivateKey::generate(algorithm.0, None, 2048)).collect()
    }
}
