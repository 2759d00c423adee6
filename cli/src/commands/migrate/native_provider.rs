//! The providers of `jwt_authn`.

use jwt_warden::config::joined;
use serde_json::{Map, Value, json};

use super::duration;
use super::fields::Fields;
use super::note::{Kind, Scribe};
use crate::yaml::Node;

/// All that `jwt_authn` verifies, where a key set holds shared secrets.
const ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
];

/// Migrates a `JwtProvider`.
pub(super) fn provider(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    issuer(fields.text("issuer"), &fields, path, &mut out, scribe);
    audiences(fields.texts("audiences"), &fields, path, &mut out, scribe);
    lifetime(&fields, path, &mut out, scribe);
    if let Some(subjects) = fields.take("subjects") {
        out.insert("subjects".to_owned(), string_match(subjects, &joined(path, "subjects"), scribe));
    }
    keys(&fields, path, &mut out, scribe);
    places(&fields, path, &mut out, scribe);
    forwarding(&fields, path, &mut out, scribe);
    unwanted(&fields, path, scribe);
    fields.report_rest(path, scribe);
    Value::Object(out)
}

/// The issuer, or that any will do.
pub(super) fn issuer(
    issuer: Option<&str>,
    fields: &Fields<'_>,
    path: &str,
    out: &mut Map<String, Value>,
    scribe: &mut Scribe,
) {
    if let Some(issuer) = issuer {
        out.insert("issuer".to_owned(), issuer.into());
        return;
    }
    out.insert("any_issuer".to_owned(), true.into());
    let sentence = "as before, every issuer is accepted: name it in `issuer`";
    scribe.note(Kind::Open, &joined(path, "any_issuer"), fields.at(), sentence);
}

/// The audiences, or that any will do.
pub(super) fn audiences(
    audiences: Vec<String>,
    fields: &Fields<'_>,
    path: &str,
    out: &mut Map<String, Value>,
    scribe: &mut Scribe,
) {
    if audiences.is_empty() {
        out.insert("any_audience".to_owned(), true.into());
        let sentence =
            "as before, tokens for any audience are accepted, those for other services too: list `audiences`";
        scribe.note(Kind::Open, &joined(path, "any_audience"), fields.at(), sentence);
        return;
    }
    folded(&audiences, &joined(path, "audiences"), fields, scribe);
    out.insert("audiences".to_owned(), audiences.into());
}

/// Audiences that `jwt_authn` compares without scheme and final slash.
pub(super) fn folded(audiences: &[String], path: &str, fields: &Fields<'_>, scribe: &mut Scribe) {
    if audiences.iter().any(|audience| audience.contains("://") || audience.ends_with('/')) {
        let sentence = "compared letter by letter, with scheme and final slash: list the form that tokens have";
        scribe.note(Kind::Stricter, path, fields.at(), sentence);
    }
}

fn lifetime(fields: &Fields<'_>, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    let requires = fields.is_true("require_expiration");
    if let Some(node) = fields.take("max_lifetime") {
        let lifetime = duration::within(node, 1.0, 315_360_000.0, &joined(path, "max_lifetime"), scribe);
        out.extend(lifetime.map(|lifetime| ("max_lifetime".to_owned(), lifetime)));
    }
    if !requires && !out.contains_key("max_lifetime") {
        without_expiration(fields, path, out, scribe);
    }
    // In jwt_authn 0 stands for the default, which is the same here.
    if let Some(skew) = fields.take("clock_skew_seconds").map(|node| node.value()).filter(|skew| *skew != json!(0)) {
        out.insert("clock_skew_seconds".to_owned(), skew);
    }
}

/// Tokens need not expire.
pub(super) fn without_expiration(fields: &Fields<'_>, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    out.insert("require_expiration".to_owned(), false.into());
    let sentence = "as before, tokens without `exp` are accepted, for ever: take this away if all have one";
    scribe.note(Kind::Open, &joined(path, "require_expiration"), fields.at(), sentence);
}

fn keys(fields: &Fields<'_>, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    if let Some(local) = fields.take("local_jwks") {
        let path = joined(path, "local_jwks");
        let inner = Fields::of(local);
        if let Some(file) = inner.take("filename") {
            let sentence = "`filename`: a Wasm filter reads no files; put the file's text in `inline_string` first";
            scribe.note(Kind::Blocked, &path, file.at, sentence);
        }
        let known = ["inline_string", "inline_bytes", "environment_variable"];
        let given = known.iter().filter_map(|name| Some(((*name).to_owned(), inner.take(name)?.value())));
        let given: Map<_, _> = given.collect();
        if let Some(Value::String(text)) = given.get("inline_string") {
            shared_secrets(text, out);
            if text.contains("-----BEGIN") {
                scribe.note(Kind::Blocked, &path, local.at, "is PEM, which is not read: make it a JWKS first");
            }
        }
        if given.contains_key("environment_variable") {
            let sentence = "the variable has to be in the VM's environment: `vm_config.environment_variables`";
            scribe.note(Kind::Dropped, &path, local.at, sentence);
        }
        inner.report_rest(&path, scribe);
        out.insert("local_jwks".to_owned(), Value::Object(given));
    }
    if let Some(remote) = fields.take("remote_jwks") {
        out.insert("remote_jwks".to_owned(), remote_jwks(remote, &joined(path, "remote_jwks"), scribe));
    }
}

/// A key set with shared secrets needs their algorithms listed.
pub(super) fn shared_secrets(jwks: &str, out: &mut Map<String, Value>) {
    let keys: Value = serde_json::from_str(jwks).unwrap_or_default();
    let mut keys = keys.get("keys").and_then(Value::as_array).into_iter().flatten();
    if keys.any(|key| key.get("kty").and_then(Value::as_str) == Some("oct")) {
        out.insert("algorithms".to_owned(), json!(ALGORITHMS));
    }
}

fn remote_jwks(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    if let Some(uri) = fields.take("http_uri") {
        let inner = Fields::of(uri);
        let mut http_uri = Map::new();
        for name in ["uri", "cluster"] {
            http_uri.extend(inner.take(name).map(|node| (name.to_owned(), node.value())));
        }
        let path = joined(path, "http_uri");
        if let Some(timeout) = inner.take("timeout") {
            let timeout = duration::within(timeout, 0.001, 60.0, &joined(&path, "timeout"), scribe);
            http_uri.extend(timeout.map(|timeout| ("timeout".to_owned(), timeout)));
        }
        inner.report_rest(&path, scribe);
        out.insert("http_uri".to_owned(), Value::Object(http_uri));
    }
    if let Some(cache) = fields.take("cache_duration") {
        let cache = duration::within(cache, 1.0, 2_592_000.0, &joined(path, "cache_duration"), scribe);
        out.extend(cache.map(|cache| ("cache_duration".to_owned(), cache)));
    }
    if let Some(node) = fields.take("async_fetch") {
        scribe.note(Kind::Dropped, path, node.at, "`async_fetch`: keys are always fetched in the background");
    }
    if let Some(node) = fields.take("retry_policy") {
        let sentence = "`retry_policy`: failed fetches are tried again without end; `backoff` says how soon";
        scribe.note(Kind::Dropped, path, node.at, sentence);
    }
    scribe.note(Kind::Stricter, path, node.at, "keys that can no longer be refreshed serve for a day (`max_stale`)");
    fields.report_rest(path, scribe);
    Value::Object(out)
}

fn places(fields: &Fields<'_>, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    let headers: Vec<Value> = fields.items("from_headers").iter().map(|item| copied(item, path, scribe)).collect();
    if !headers.is_empty() {
        out.insert("from_headers".to_owned(), headers.into());
    }
    for name in ["from_params", "from_cookies"] {
        let texts = fields.texts(name);
        if !texts.is_empty() {
            out.insert(name.to_owned(), texts.into());
        }
    }
    if let Some(cookies) = fields.take("from_cookies") {
        cookies_note(cookies, path, scribe);
    }
}

/// Tokens in cookies need a proof here.
pub(super) fn cookies_note(cookies: &Node, path: &str, scribe: &mut Scribe) {
    let sentence = "in unsafe requests a cookie counts only with a proof that no other site's page sent it; `csrf` says \
                    whose pages may";
    scribe.note(Kind::Stricter, &joined(path, "from_cookies"), cookies.at, sentence);
}

fn forwarding(fields: &Fields<'_>, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    for name in ["forward", "pad_forward_payload_header"] {
        if fields.is_true(name) {
            out.insert(name.to_owned(), true.into());
        }
    }
    if let Some(header) = fields.text("forward_payload_header") {
        out.insert("forward_payload_header".to_owned(), header.into());
    } else if out.remove("pad_forward_payload_header").is_some() {
        scribe.note(Kind::Dropped, path, fields.at(), "`pad_forward_payload_header`: there is no header to pad");
    }
    let claims: Vec<Value> = fields.items("claim_to_headers").iter().map(|item| copied(item, path, scribe)).collect();
    if !claims.is_empty() {
        out.insert("claim_to_headers".to_owned(), claims.into());
    }
}

/// The members of an object as they are, in the filter's spelling.
fn copied(node: &Node, _path: &str, _scribe: &mut Scribe) -> Value {
    let named = |name: &str| jwt_warden::config::snake_case(name.to_owned());
    let filled = node.members().iter().filter(|member| member.node.text() != Some(""));
    Value::Object(filled.map(|member| (named(&member.name), member.node.value())).collect())
}

fn unwanted(fields: &Fields<'_>, path: &str, scribe: &mut Scribe) {
    let telling = "a Wasm filter writes no dynamic metadata: `claim_to_filter_state` tells filters behind, such as RBAC, \
                   verified claims";
    for (name, kind, why) in [
        ("payload_in_metadata", Kind::Lost, telling),
        ("header_in_metadata", Kind::Lost, telling),
        ("normalize_payload_in_metadata", Kind::Lost, telling),
        ("failed_status_in_metadata", Kind::Dropped, "why a request was refused is in %RESPONSE_CODE_DETAILS%"),
        ("jwt_cache_config", Kind::Dropped, "`token_cache` is on by default, for all providers"),
        ("clear_route_cache", Kind::Dropped, "Envoy chooses the route again whenever the filter edits a header"),
    ] {
        if let Some(node) = fields.take(name) {
            scribe.note(kind, path, node.at, format!("`{name}`: {why}"));
        }
    }
}

/// A `StringMatcher`.
pub(super) fn string_match(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    for name in ["exact", "prefix", "suffix", "contains"] {
        out.extend(fields.take(name).map(|node| (name.to_owned(), node.value())));
    }
    if let Some(expression) = fields.take("safe_regex") {
        out.insert("safe_regex".to_owned(), safe_regex(expression));
        fields.take("ignore_case");
    } else if fields.is_true("ignore_case") {
        out.insert("ignore_case".to_owned(), true.into());
    }
    for member in fields.rest() {
        scribe.note(Kind::Blocked, path, member.at, format!("`{}` cannot be compared here", member.name));
    }
    Value::Object(out)
}

/// A `RegexMatcher`; which engine it names has no effect.
pub(super) fn safe_regex(node: &Node) -> Value {
    json!({"regex": node.get("regex").map(|regex| regex.value()).unwrap_or_default()})
}
