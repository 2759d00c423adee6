//! Providers that accept more than they need to.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jwt_warden::config::{Provider, joined};
use serde_json::Value;

use super::super::catalogue as lint;
use super::super::file::Findings;
use super::{Subject, is_true, members, value_of};

/// Tokens for a day are long; access tokens are good for minutes.
const LONG: Duration = Duration::from_secs(24 * 3600);

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (name, value) in members(value_of(subject.value, "providers")) {
        let mut warn = |field: &str, lint, sentence: &str| {
            let provider = joined("providers", name);
            let path = if field.is_empty() { provider } else { format!("{provider}.{field}") };
            findings.warn(subject.plugin, lint, &path, sentence);
        };
        accepts_more(value, &mut warn);
        mixed_keys(value, &mut warn);
        let config = subject.config.and_then(|config| config.providers.iter().find(|provider| provider.name == name));
        if let Some(config) = config {
            lifetime(config, &mut warn);
            stale(value, &mut warn);
        }
    }
}

type Warn<'a> = &'a mut dyn FnMut(&str, lint::Lint, &str);

fn accepts_more(provider: &Value, warn: Warn<'_>) {
    if is_true(provider, "any_issuer") {
        let sentence = "accepts whatever the keys sign, whoever issued it: give `issuer`, or `issuer_patterns`";
        warn("any_issuer", lint::ANY_ISSUER, sentence);
    }
    if is_true(provider, "any_audience") {
        let sentence = "accepts tokens that were issued for other services (RFC 8725 section 3.9): give `audiences`";
        warn("any_audience", lint::ANY_AUDIENCE, sentence);
    }
    if value_of(provider, "require_expiration") == Some(&Value::Bool(false))
        && value_of(provider, "max_lifetime").is_none()
    {
        let sentence = "accepts tokens without `exp`, for ever: remove it, and have the issuer set `exp`";
        warn("require_expiration", lint::EXPIRATION_OPTIONAL, sentence);
    }
    if value_of(provider, "from_params").and_then(Value::as_array).is_some_and(|names| !names.is_empty()) {
        let sentence =
            "takes tokens from URLs, which logs, histories and `Referer` keep (RFC 9700 section 4.3.2): use a header";
        warn("from_params", lint::TOKEN_IN_QUERY, sentence);
    }
    if value_of(provider, "sender_constraint").and_then(Value::as_str) == Some("ignore") {
        let sentence = "accepts stolen tokens that were bound to their sender: use `if_bound`";
        warn("sender_constraint", lint::SENDER_CONSTRAINT_IGNORED, sentence);
    }
    if value_of(provider, "csrf").is_some_and(|csrf| is_true(csrf, "disabled")) {
        let sentence =
            "lets pages of other sites send the cookie along: give `allowed_origins` or `double_submit` instead";
        warn("csrf.disabled", lint::CSRF_DISABLED, sentence);
    }
    let on_unavailable = value_of(provider, "revocation").and_then(|revocation| value_of(revocation, "on_unavailable"));
    if on_unavailable.and_then(Value::as_str) == Some("allow") {
        let sentence =
            "accepts revoked tokens while their list or service is away: use `deny`, and a larger `max_stale`";
        warn("revocation.on_unavailable", lint::REVOCATION_FAILS_OPEN, sentence);
    }
}

fn lifetime(provider: &Provider, warn: Warn<'_>) {
    match provider.max_lifetime {
        None => {
            let sentence = "has no `max_lifetime`: a token that is valid for years is accepted; \
                            give the longest that the issuer makes them, such as \"1h\"";
            warn("", lint::UNLIMITED_LIFETIME, sentence);
        }
        Some(longest) if longest > LONG => {
            let sentence =
                "is more than a day: who steals a token may use it as long; prefer minutes, or use `revocation`";
            warn("max_lifetime", lint::LONG_LIFETIME, sentence);
        }
        Some(_) => {}
    }
}

fn stale(provider: &Value, warn: Warn<'_>) {
    for source in ["remote_jwks", "discovery"] {
        if value_of(provider, source).is_some_and(|source| value_of(source, "max_stale").is_none()) {
            let sentence = "leaves `max_stale` to the default: for 24h beyond their time, keys serve while their server is \
                            down, withdrawn ones too; say how long they may";
            warn(source, lint::DEFAULT_MAX_STALE, sentence);
        }
    }
}

/// Where a public key is taken for a shared secret, everybody can sign (RFC 8725 section 2.1). The filter keeps the two
/// apart; the next configuration may not.
fn mixed_keys(provider: &Value, warn: Warn<'_>) {
    let is_hmac = |name: &str| name.starts_with("HS");
    let algorithms = texts(value_of(provider, "algorithms"));
    if is_mixed(&algorithms, is_hmac) {
        let sentence = "lists HMAC beside algorithms with public keys: have a provider for each (RFC 8725 section 3.1)";
        return warn("algorithms", lint::HMAC_BESIDE_ASYMMETRIC, sentence);
    }
    let Some(local) = value_of(provider, "local_jwks") else { return };
    let Some((field, document)) = document(local) else { return };
    let types: Vec<_> = document.get("keys").and_then(Value::as_array).into_iter().flatten().collect();
    let types: Vec<_> = types.iter().filter_map(|key| key.get("kty").and_then(Value::as_str)).collect();
    if is_mixed(&types, |kind| kind == "oct") {
        let sentence = "holds shared secrets beside public keys: have a provider for each, with its own set";
        warn(&format!("local_jwks.{field}"), lint::HMAC_BESIDE_ASYMMETRIC, sentence);
    }
}

fn is_mixed(texts: &[&str], is_hmac: impl Fn(&str) -> bool) -> bool {
    texts.iter().any(|text| is_hmac(text)) && texts.iter().any(|text| !is_hmac(text))
}

fn texts(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn document(local: &Value) -> Option<(&'static str, Value)> {
    if let Some(text) = value_of(local, "inline_string").and_then(Value::as_str) {
        return serde_json::from_str(text).ok().map(|document| ("inline_string", document));
    }
    let text = value_of(local, "inline_bytes").and_then(Value::as_str)?.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?;
    serde_json::from_slice(&bytes).ok().map(|document| ("inline_bytes", document))
}
