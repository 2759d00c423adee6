//! `jwt-warden mint`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jwt_warden::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::minting::algorithm::Algorithm;
use crate::minting::bad::Bad;
use crate::minting::key::PrivateKey;
use crate::minting::proof::{Target, prove};
use crate::minting::token::{Order, mint};
use crate::minting::{certificate, key_file, lifetime};
use crate::{Stop, clock, input, output, pasted, yaml};

const EXAMPLES: &str = "\
Examples:
  jwt-warden jwks --out key.json
  jwt-warden mint --key key.json --issuer https://issuer.example/ --audience api
  jwt-warden mint --key key.json --claim scope='orders:read' --claim 'groups=[\"staff\"]'
  jwt-warden mint --key key.json --bad expired

A token that is bound to a key (DPoP), and the proof for one request with it:
  TOKEN=$(jwt-warden mint --key key.json --dpop-key mine.json)
  URL=https://api.example/orders
  PROOF=$(jwt-warden mint --dpop-proof --key mine.json --method GET --url $URL --token $TOKEN)
  curl $URL -H \"Authorization: DPoP $TOKEN\" -H \"DPoP: $PROOF\"

Exit codes: 0 done, 2 it could not be done.";

/// Sign a token, good or bad, or a proof of possession (DPoP).
///
/// A token has iss, sub, aud, iat, nbf, exp and a random jti; --claim adds to them, or replaces them. It is printed whole: who
/// reads it can use it.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Mint {
    /// The private key: a JWKS or a JWK, such as `jwt-warden jwks` makes; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Which key of the file. Default: the first that signs by --algorithm.
    #[arg(long, value_name = "ID")]
    kid: Option<String>,
    /// What to sign with. Default: the key's own `alg`.
    #[arg(long, ignore_case = true)]
    algorithm: Option<Algorithm>,
    /// iss.
    #[arg(long, value_name = "URL", default_value = "https://issuer.example/")]
    issuer: String,
    /// aud; may be given several times. Default: api.
    #[arg(long, value_name = "NAME")]
    audience: Vec<String>,
    /// sub.
    #[arg(long, value_name = "NAME", default_value = "alice")]
    subject: String,
    /// How long it is good: 90s, 5m, 1h, 7d.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = lifetime::parse)]
    expires_in: Duration,
    /// typ.
    #[arg(long, value_name = "TYPE", default_value = "JWT")]
    typ: String,
    /// A claim. The value is JSON, or else a text.
    #[arg(long, value_name = "NAME=VALUE", value_parser = member)]
    claim: Vec<(String, Value)>,
    /// Claims in a file: one object, in JSON or YAML.
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// A claim to leave out.
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// A member of the header. The value is JSON, or else a text.
    #[arg(long, value_name = "NAME=VALUE", value_parser = member)]
    header: Vec<(String, Value)>,
    /// Do something wrong, for which the filter refuses the token: see below which for what.
    #[arg(long, value_name = "WHAT")]
    bad: Option<Bad>,
    /// Bind the token to this key (RFC 9449): it counts with a proof of it only.
    #[arg(long, value_name = "FILE")]
    dpop_key: Option<PathBuf>,
    /// Bind the token to this client certificate in PEM (RFC 8705).
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// When the token is made, in seconds since 1970. Default: now.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u32>,
    /// Make a proof of possession of --key instead, for one request.
    #[arg(
        long,
        requires = "url",
        conflicts_with_all = ["issuer", "audience", "subject", "expires_in", "typ", "without", "bad", "dpop_key", "certificate"]
    )]
    dpop_proof: bool,
    /// The request's method.
    #[arg(long, requires = "dpop_proof", default_value = "GET")]
    method: String,
    /// The request's URL.
    #[arg(long, requires = "dpop_proof")]
    url: Option<String>,
    /// The token that goes with the proof: the filter asks for it.
    #[arg(long, value_name = "TOKEN|@FILE|-", requires = "dpop_proof")]
    token: Option<String>,
    /// The nonce that the filter has sent in `DPoP-Nonce`.
    #[arg(long, requires = "dpop_proof")]
    nonce: Option<String>,
}

impl Mint {
    /// Prints a token or a proof.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        let asked = self.algorithm.map(|algorithm| algorithm.0);
        let key = key_file::choose(key_file::read(&self.key)?, self.kid.as_deref(), asked)?;
        let algorithm = key.algorithm(asked)?;
        let now = self.now.map_or_else(clock::now, |seconds| Timestamp::from_secs(seconds.into()));
        if self.dpop_proof {
            output::line(&self.proof(&key, algorithm, now)?);
            return Ok(ExitCode::SUCCESS);
        }
        let order = self.order()?;
        output::line(&mint(&order, &key, algorithm, now)?);
        if let Some(bad) = self.bad {
            output::note(&format!("{}: the filter refuses it with {}", bad.row().2, bad.reason().code()));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn order(&self) -> Result<Order, Stop> {
        let audiences = if self.audience.is_empty() { vec!["api".to_owned()] } else { self.audience.clone() };
        let mut claims = self.more_claims()?;
        if let Some(confirmation) = self.confirmation()? {
            claims.insert("cnf".to_owned(), confirmation);
        }
        Ok(Order {
            issuer: self.issuer.clone(),
            audiences,
            subject: self.subject.clone(),
            lifetime: self.expires_in,
            token_type: Some(self.typ.clone()),
            claims,
            without: self.without.clone(),
            header: self.header.iter().cloned().collect(),
            bad: self.bad,
        })
    }

    fn more_claims(&self) -> Result<Map<String, Value>, Stop> {
        let mut claims = self.claims.as_deref().map(read_claims).transpose()?.unwrap_or_default();
        claims.extend(self.claim.iter().cloned());
        Ok(claims)
    }

    /// What the token is bound to (RFC 7800).
    fn confirmation(&self) -> Result<Option<Value>, Stop> {
        let mut members = Map::new();
        if let Some(file) = &self.dpop_key {
            let key = key_file::choose(key_file::read(file)?, None, None)?;
            let thumbprint = key.thumbprint();
            let thumbprint =
                thumbprint.ok_or_else(|| format!("{}: is a shared secret, which proves nothing", file.display()))?;
            members.insert("jkt".to_owned(), json!(thumbprint));
        }
        if let Some(file) = &self.certificate {
            members.insert("x5t#S256".to_owned(), json!(certificate::thumbprint(file)?));
        }
        Ok((!members.is_empty()).then_some(Value::Object(members)))
    }

    fn proof(
        &self,
        key: &PrivateKey,
        algorithm: jwt_warden::crypto::SignatureAlgorithm,
        now: Timestamp,
    ) -> Result<String, Stop> {
        let token = self.token.as_deref().map(signed_token).transpose()?;
        let target = Target {
            method: &self.method,
            url: self.url.as_deref().unwrap_or_default(),
            token: token.as_deref(),
            nonce: self.nonce.as_deref(),
        };
        let header = self.header.iter().cloned().collect();
        prove(&target, key, algorithm, (header, self.more_claims()?), now)
    }
}

/// `NAME=VALUE`, where the value is JSON, or else a text.
fn member(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("is not NAME=VALUE")?;
    if name.is_empty() {
        return Err("has no name in front of `=`".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

fn read_claims(path: &Path) -> Result<Map<String, Value>, Stop> {
    let name = path.display();
    let tree = yaml::parse(&input::read(path)?).map_err(|unreadable| {
        format!("{name}:{}:{}: {}", unreadable.at.line, unreadable.at.column, unreadable.sentence)
    })?;
    match tree.documents.as_slice() {
        [document] => match document.value() {
            Value::Object(claims) => Ok(claims),
            _ => Err(format!("{name}: claims are one object, and this is none")),
        },
        _ => Err(format!("{name}: claims are one object, and there are {}", tree.documents.len())),
    }
}

/// The token of the option, which a proof goes with: one that is signed.
fn signed_token(text: &str) -> Result<String, Stop> {
    let token = pasted::read("--token", text)?.token;
    let is_token = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if token.split('.').count() != 3 || !token.chars().all(is_token) {
        return Err("--token: is no token: it should be three segments of base64url with dots in between".to_owned());
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_or_else_text() {
        for (text, name, value) in [
            ("a=1", "a", json!(1)),
            ("a=[1]", "a", json!([1])),
            ("a=\"1\"", "a", json!("1")),
            ("a=orders:read", "a", json!("orders:read")),
            ("a==", "a", json!("=")),
            ("a=", "a", json!("")),
            ("https://x/y=null", "https://x/y", Value::Null),
        ] {
            assert_eq!(member(text), Ok((name.to_owned(), value)));
        }
        assert!(member("a").is_err() && member("=1").is_err());
    }

    #[test]
    fn tokens_are_taken_as_they_are_pasted() {
        for text in ["a.b.c", " a.b.c\n", "\"a.b.c\"", "Bearer a.b.c", "'DPoP a.b.\nc'", "bearer  a.b.c"] {
            assert_eq!(signed_token(text).as_deref(), Ok("a.b.c"), "{text}");
        }
        for text in ["", "Bearer ", "a b{c", "\u{e9}"] {
            assert!(signed_token(text).is_err(), "{text}");
        }
    }
}
