//! Tokens of the operator's: what they say, to be signed anew.

use jwt_warden::time::Timestamp;
use serde_json::{Map, Value};

use crate::minting::decoded;
use crate::minting::token::Order;
use crate::{Stop, pasted};

/// What a token says.
#[derive(Debug, Clone)]
pub(super) struct Template {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

/// The claims that are moments.
const TIMES: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];

impl Template {
    /// Reads a token.
    pub(super) fn read(text: &str) -> Result<Self, Stop> {
        let token = pasted::read("--token", text)?.token;
        let segments: Vec<_> = token.split('.').collect();
        let [header, claims, _] = segments.as_slice() else {
            return Err(format!("--token: has {} segments: a signed token has three", segments.len()));
        };
        let read = |name: &str, segment: &str| {
            let object = decoded(segment).and_then(|octets| serde_json::from_slice(&octets).ok());
            object.ok_or_else(|| format!("--token: its {name} is no JSON object in base64url"))
        };
        Ok(Self { header: read("header", header)?, claims: read("payload", claims)? })
    }

    /// Its `iss`.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The same, to be signed with a key of ours: as old as it was when it was issued.
    pub(super) fn order(&self, now: Timestamp) -> Order {
        let whole = |name: &str| self.claims.get(name).and_then(Value::as_f64);
        let issued = whole("iat").or_else(|| whole("nbf")).or_else(|| Some(whole("exp")? - 60.0));
        let mut claims = self.claims.clone();
        for name in TIMES {
            if let (Some(time), Some(issued)) = (whole(name), issued) {
                #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
                let moved = (now.as_secs() as f64 + time - issued).max(0.0);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never below zero")]
                claims.insert(name.to_owned(), (moved as u64).into());
            }
        }
        let mut header = self.header.clone();
        header.retain(|name, _| !["alg", "kid", "typ"].contains(&name.as_str()));
        let without =
            ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"].into_iter().filter(|name| !claims.contains_key(*name));
        Order {
            without: without.map(str::to_owned).collect(),
            token_type: self.header.get("typ").and_then(Value::as_str).map(str::to_owned),
            claims,
            header,
            ..Order::default()
        }
    }
}
