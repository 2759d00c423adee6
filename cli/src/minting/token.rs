//! Tokens to order.

use std::time::Duration;

use jwt_warden::crypto::SignatureAlgorithm;
use jwt_warden::time::Timestamp;
use serde_json::{Map, Value, json};

use super::bad::Bad;
use super::draft::Draft;
use super::key::PrivateKey;
use super::random;
use crate::Stop;

/// What a token should say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// `iss`.
    pub(crate) issuer: String,
    /// `aud`: a text if it is one, otherwise a list.
    pub(crate) audiences: Vec<String>,
    /// `sub`.
    pub(crate) subject: String,
    /// How long it is good.
    pub(crate) lifetime: Duration,
    /// `typ`, if it has one.
    pub(crate) token_type: Option<String>,
    /// Further claims, which replace those above.
    pub(crate) claims: Map<String, Value>,
    /// Claims to leave out.
    pub(crate) without: Vec<String>,
    /// Further members of the header.
    pub(crate) header: Map<String, Value>,
    /// What to do wrong.
    pub(crate) bad: Option<Bad>,
}

/// Makes the token.
///
/// # Errors
///
/// The key cannot sign it.
pub(crate) fn mint(
    order: &Order,
    key: &PrivateKey,
    algorithm: SignatureAlgorithm,
    now: Timestamp,
) -> Result<String, Stop> {
    let draft = Draft { header: header(order, key, algorithm), claims: claims(order, now)? };
    match order.bad {
        None => draft.sign(key, algorithm),
        Some(bad) => bad.token(draft, key, algorithm, now),
    }
}

fn header(order: &Order, key: &PrivateKey, algorithm: SignatureAlgorithm) -> Map<String, Value> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), algorithm.name().into());
    header.extend(order.token_type.clone().map(|name| ("typ".to_owned(), name.into())));
    header.extend(key.kid.clone().map(|kid| ("kid".to_owned(), kid.into())));
    header.extend(order.header.clone());
    header
}

fn claims(order: &Order, now: Timestamp) -> Result<Map<String, Value>, Stop> {
    let now = now.as_secs();
    let audience = match order.audiences.as_slice() {
        [only] => json!(only),
        several => json!(several),
    };
    let members = [
        ("iss", json!(order.issuer)),
        ("sub", json!(order.subject)),
        ("aud", audience),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("exp", json!(now.saturating_add(order.lifetime.as_secs()))),
        ("jti", json!(random::name()?)),
    ];
    let mut claims: Map<_, _> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    claims.extend(order.claims.clone());
    claims.retain(|name, _| !order.without.contains(name));
    Ok(claims)
}
