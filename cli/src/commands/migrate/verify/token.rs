//! The tokens that a provider is tried with: good ones, and one of each kind that is bad.

use std::time::Duration;

use jwt_warden::config::{IssuerMatcher, Provider};
use jwt_warden::crypto::SignatureAlgorithm;
use jwt_warden::reason::Reason;
use jwt_warden::time::Timestamp;
use serde_json::{Map, Value};

use super::pair::Pair;
use super::request::fulfilling;
use super::template::Template;
use crate::Stop;
use crate::minting::bad::Bad;
use crate::minting::token::{Order, mint};

/// How long tokens are good, unless the provider asks for less.
const LIFETIME: Duration = Duration::from_secs(300);

/// More audiences are tried no better.
const MAX_AUDIENCES: usize = 8;

/// A token, and what it is in words.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) words: String,
    /// Why the filter refuses it; `None` for a good one.
    pub(super) flaw: Option<Reason>,
}

/// The tokens of the provider at this position: good ones first. `audiences` are those that a requirement asks for in the place
/// of the provider's own.
pub(super) fn tokens(
    pair: &Pair,
    position: usize,
    audiences: Option<&[String]>,
    templates: &[Template],
    now: Timestamp,
) -> Result<Vec<Token>, Stop> {
    let providers = &pair.authenticator.config().providers;
    let (Some(provider), Some(key)) = (providers.get(position), pair.keys.get(position)) else { return Ok(Vec::new()) };
    let ours = templates.iter().enumerate().filter(|(_, template)| takes(provider, template));
    let mut orders: Vec<_> =
        ours.map(|(index, template)| (format!("your token {}", index + 1), template.order(now))).collect();
    if orders.is_empty() {
        orders.push(("a good token".to_owned(), made_up(provider, pair.provider(&provider.name), audiences)));
    }
    let algorithm = SignatureAlgorithm::Es256;
    let mut tokens = Vec::new();
    for (words, order) in &orders {
        tokens.push(Token { text: mint(order, key, algorithm, now)?, words: words.clone(), flaw: None });
    }
    let words_of_garbage = "garbage in the place of a token".to_owned();
    tokens.push(Token { text: "garbage".to_owned(), words: words_of_garbage, flaw: Some(Reason::TokenMalformed) });
    let Some((_, order)) = orders.first() else { return Ok(tokens) };
    for audience in accepted(provider, audiences) {
        let other = |audience: &str| mint(&with_audience(order, audience), key, algorithm, now);
        if order.audiences.first() != Some(audience) {
            let words = format!("a token for the audience {audience:?}");
            tokens.push(Token { text: other(audience)?, words, flaw: None });
        }
        let folded = folded(audience);
        if folded != audience {
            let words = format!("a token for the audience {folded:?}");
            tokens.push(Token { text: other(folded)?, words, flaw: Some(Reason::AudienceNotAccepted) });
        }
    }
    for bad in Bad::ALL {
        let order = Order { bad: Some(bad), ..order.clone() };
        tokens.push(Token { text: mint(&order, key, algorithm, now)?, words: words(bad), flaw: Some(bad.reason()) });
    }
    Ok(tokens)
}

/// The audiences that are asked for: the first of many.
fn accepted<'p>(provider: &'p Provider, audiences: Option<&'p [String]>) -> impl Iterator<Item = &'p String> {
    audiences.or(provider.audiences.as_deref()).into_iter().flatten().take(MAX_AUDIENCES)
}

/// What `jwt_authn` compares of an audience.
fn folded(audience: &str) -> &str {
    let bare = audience.strip_prefix("https://").or_else(|| audience.strip_prefix("http://")).unwrap_or(audience);
    bare.strip_suffix('/').unwrap_or(bare)
}

fn with_audience(order: &Order, audience: &str) -> Order {
    let mut other = order.clone();
    other.claims.insert("aud".to_owned(), audience.into());
    other
}

/// Whether the provider is one of the token's issuer.
pub(super) fn takes(provider: &Provider, template: &Template) -> bool {
    provider.issuer.accepts(template.issuer())
}

fn words(bad: Bad) -> String {
    let (name, _, words) = bad.row();
    format!("{name} ({})", words.split(';').next().unwrap_or(words))
}

/// A token that the provider should take, as far as it says what it takes.
fn made_up(provider: &Provider, text: &Value, audiences: Option<&[String]>) -> Order {
    let issuer = match &provider.issuer {
        IssuerMatcher::Exact(issuer) => issuer,
        _ => "https://issuer.example/",
    };
    let audience = accepted(provider, audiences).next();
    Order {
        issuer: issuer.to_owned(),
        audiences: vec![audience.cloned().unwrap_or_else(|| "api".to_owned())],
        subject: text.get("subjects").and_then(fulfilling).unwrap_or_else(|| "alice".to_owned()),
        lifetime: provider.max_lifetime.unwrap_or(LIFETIME).min(LIFETIME),
        claims: told_claims(text),
        token_type: Some("JWT".to_owned()),
        ..Order::default()
    }
}

/// The claims that the upstream is to be told, for it to be told something.
fn told_claims(provider: &Value) -> Map<String, Value> {
    let mut claims = Map::new();
    let told = provider.get("claim_to_headers").and_then(Value::as_array).into_iter().flatten();
    for path in told.filter_map(|told| told.get("claim_name")?.as_str()) {
        let names: Vec<_> = path.split('.').collect();
        if !matches!(names.first(), Some(&("iss" | "sub" | "aud" | "iat" | "nbf" | "exp" | "jti"))) {
            insert(&mut claims, &names);
        }
    }
    claims
}

fn insert(claims: &mut Map<String, Value>, names: &[&str]) {
    match names {
        [] => {}
        [name] => {
            claims.entry(*name).or_insert_with(|| "sample".into());
        }
        [name, rest @ ..] => {
            let inner = claims.entry(*name).or_insert_with(|| Map::new().into());
            if let Value::Object(inner) = inner {
                insert(inner, rest);
            }
        }
    }
}
