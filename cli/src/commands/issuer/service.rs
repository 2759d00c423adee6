//! What the issuer does: each request to its answer, without a socket and a clock.

use std::time::Duration;

use clap::ValueEnum as _;
use jwt_warden::crypto::SignatureAlgorithm;
use jwt_warden::time::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Asked};
use super::parameters;
use super::ring::Ring;
use crate::Stop;
use crate::minting::bad::Bad;
use crate::minting::token::{Order, mint};
use crate::minting::{decoded, key_file, lifetime};

/// As many revoked tokens as a trial needs.
const MAX_REVOKED: usize = 10_000;
/// The longest `jti`.
const MAX_ID_BYTES: usize = 256;

/// What does not change.
pub(super) struct Settings {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) lifetime: Duration,
    pub(super) max_age: Duration,
    /// Where it listens.
    pub(super) address: String,
    /// Whether others than this machine may ask for tokens.
    pub(super) anywhere: bool,
}

/// The issuer.
pub(super) struct Service {
    settings: Settings,
    ring: Ring,
    revoked: Vec<String>,
}

impl Service {
    /// An issuer with these keys.
    pub(super) const fn new(settings: Settings, ring: Ring) -> Self {
        Self { settings, ring, revoked: Vec::new() }
    }

    /// New keys. Says what to tell about it.
    pub(super) fn rotate(&mut self) -> Result<String, Stop> {
        self.ring.rotate()?;
        Ok(format!("rotated keys={}", self.ring.names()))
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, asked: &Asked<'_>, now: Timestamp) -> Answer {
        match (asked.path, asked.method) {
            ("/jwks.json", "GET" | "HEAD") => self.keys(),
            ("/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server", "GET" | "HEAD") => {
                Answer::good(self.metadata(asked.host)).kept(self.max_age())
            }
            ("/denylist.json", "GET" | "HEAD") => {
                Answer::good(json!({"jti": self.revoked})).kept("no-cache".to_owned())
            }
            ("/token" | "/rotate" | "/revoke", "POST") => self.change(asked, now),
            ("/token" | "/rotate" | "/revoke", _) => not_allowed("POST"),
            (
                "/jwks.json"
                | "/denylist.json"
                | "/.well-known/openid-configuration"
                | "/.well-known/oauth-authorization-server",
                _,
            ) => not_allowed("GET, HEAD"),
            _ => Answer::refusal(404, "there is nothing here: `jwt-warden issuer --help` says what there is"),
        }
    }

    fn change(&mut self, asked: &Asked<'_>, now: Timestamp) -> Answer {
        // A page in a browser on this machine reaches the loopback interface too, by a name of its own (DNS rebinding) or as it is.
        if asked.is_from_page || !self.is_known(asked.host) {
            return Answer::refusal(403, "pages and requests for other hosts are not heeded");
        }
        let result = parameters::read(asked).and_then(|members| match asked.path {
            "/token" => self.token(members, now),
            "/revoke" => self.revoke(members),
            _ => self.rotate().map(|line| Answer::good(self.ring.published()).noted("did", &line)),
        });
        result.unwrap_or_else(|sentence| Answer::refusal(400, &sentence))
    }

    fn keys(&self) -> Answer {
        Answer::good(self.ring.published()).kept(self.max_age())
    }

    fn max_age(&self) -> String {
        format!("public, max-age={}", self.settings.max_age.as_secs())
    }

    /// OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2. It is at the host that was asked: that one can be reached.
    fn metadata(&self, host: Option<&str>) -> Value {
        let host = host.filter(|host| is_authority(host)).unwrap_or(&self.settings.address);
        let is_issuers = authority(&self.settings.issuer) == Some(host);
        let scheme = if is_issuers && self.settings.issuer.starts_with("https://") { "https" } else { "http" };
        let at = |path: &str| format!("{scheme}://{host}{path}");
        json!({
            "issuer": self.settings.issuer,
            "jwks_uri": at("/jwks.json"),
            "token_endpoint": at("/token"),
            "revocation_endpoint": at("/revoke"),
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": self.ring.algorithms(),
            "token_endpoint_auth_methods_supported": ["none"],
        })
    }

    fn token(&self, members: Map<String, Value>, now: Timestamp) -> Result<Answer, String> {
        let mut order = Order {
            issuer: self.settings.issuer.clone(),
            audiences: self.settings.audiences.clone(),
            subject: "alice".to_owned(),
            lifetime: self.settings.lifetime,
            token_type: Some("JWT".to_owned()),
            ..Order::default()
        };
        let (mut kid, mut algorithm) = (None, None);
        for (name, value) in members {
            match name.as_str() {
                "issuer" => order.issuer = text(&name, value)?,
                "audience" => order.audiences = texts(&name, value)?,
                "subject" => order.subject = text(&name, value)?,
                "expires_in" => {
                    order.lifetime =
                        lifetime::parse(&text(&name, value)?).map_err(|words| format!("{name} {words}"))?;
                }
                "typ" => order.token_type = Some(text(&name, value)?),
                "scope" => drop(order.claims.insert(name, value)),
                "claims" => order.claims.extend(object(&name, value)?),
                "header" => order.header.extend(object(&name, value)?),
                "without" => order.without = texts(&name, value)?,
                "bad" => order.bad = Some(bad(&text(&name, value)?)?),
                "kid" => kid = Some(text(&name, value)?),
                "algorithm" => {
                    let known = SignatureAlgorithm::from_name(&text(&name, value)?);
                    algorithm = Some(known.ok_or("algorithm is none that the filter knows")?);
                }
                // What OAuth clients send (RFC 6749 section 4.4.2). There is nobody here to be told apart.
                "grant_type" if value == "client_credentials" => {}
                "grant_type" => return Err("grant_type can only be client_credentials".to_owned()),
                _ => return Err(format!("{name:?} is nothing that could be asked for: put claims into `claims`")),
            }
        }
        let key = key_file::choose(self.ring.current().to_vec(), kid.as_deref(), algorithm)?;
        let token = mint(&order, &key, key.algorithm(algorithm)?, now)?;
        let is_bound = order.claims.get("cnf").is_some_and(|confirmation| confirmation.get("jkt").is_some());
        let body = json!({
            "access_token": token,
            "token_type": if is_bound { "DPoP" } else { "Bearer" },
            "expires_in": order.lifetime.as_secs(),
        });
        let answer =
            Answer::good(body).noted("kid", key.kid.as_deref().unwrap_or_default()).noted("sub", &order.subject);
        Ok(order.bad.into_iter().fold(answer, |answer, bad| answer.noted("bad", bad.row().0)))
    }

    fn revoke(&mut self, members: Map<String, Value>) -> Result<Answer, String> {
        let mut id = None;
        for (name, value) in members {
            match name.as_str() {
                "jti" => id = Some(text(&name, value)?),
                // RFC 7009 section 2.1. Whose token it is does not matter here.
                "token" => id = id_of(&text(&name, value)?),
                "token_type_hint" => {}
                _ => return Err(format!("{name:?} is nothing to revoke by: give the token's `jti`, or `token`")),
            }
        }
        let id = id.filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()));
        let id = id.ok_or("`jti` is missing, or does not have 1 to 256 bytes")?;
        if !self.revoked.contains(&id) {
            if self.revoked.len() >= MAX_REVOKED {
                return Err(format!("there are {MAX_REVOKED} revoked tokens: start anew"));
            }
            self.revoked.push(id.clone());
        }
        Ok(Answer::good(json!({"revoked": self.revoked.len()})).noted("jti", &id))
    }

    /// Whether a host is this one, as far as one can tell.
    fn is_known(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return self.settings.anywhere };
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name);
        self.settings.anywhere
            || matches!(name, "127.0.0.1" | "localhost" | "[::1]")
            || host == self.settings.address
            || authority(&self.settings.issuer) == Some(host)
    }
}

/// The `jti` of a token.
fn id_of(token: &str) -> Option<String> {
    let claims = decoded(token.split('.').nth(1)?)?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("jti").and_then(Value::as_str).map(str::to_owned)
}

fn not_allowed(methods: &'static str) -> Answer {
    Answer { allow: Some(methods), ..Answer::refusal(405, "this takes another method: see Allow") }
}

fn bad(name: &str) -> Result<Bad, String> {
    Bad::from_str(name, false).map_err(|_| {
        let names = Bad::ALL.map(|bad| bad.row().0);
        format!("bad is none of {}", names.join(", "))
    })
}

/// The host and the port of a URL.
fn authority(url: &str) -> Option<&str> {
    url.split_once("://")?.1.split('/').next()
}

fn is_authority(host: &str) -> bool {
    !host.is_empty() && host.chars().all(|character| character.is_ascii_alphanumeric() || ".-:[]".contains(character))
}

fn text(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(format!("{name} is not a text")),
    }
}

fn texts(name: &str, value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(items) => items.into_iter().map(|item| text(name, item)).collect(),
        _ => Err(format!("{name} is neither a text nor a list of them")),
    }
}

fn object(name: &str, value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(format!("{name} is not an object")),
    }
}
