//! The `jwtRules` of Istio's `RequestAuthentication`.

use jwt_warden::config::joined;
use serde_json::{Map, Value, json};

use super::duration;
use super::fields::Fields;
use super::native_provider::{audiences, cookies_note, issuer as issuer_field, shared_secrets, without_expiration};
use super::note::{Kind, Scribe};
use crate::yaml::Node;

/// A provider, as policies speak of it.
#[derive(Debug)]
pub(super) struct Issuer {
    /// Its name in the filter's configuration.
    pub(super) provider: String,
    pub(super) name: String,
    /// The claims that are lists of words.
    pub(super) words: Vec<String>,
}

/// Migrates one of the `jwtRules`; `others` are those before it.
pub(super) fn provider(node: &Node, others: &[Issuer], scribe: &mut Scribe) -> (Issuer, Value) {
    let fields = Fields::of(node);
    let issuer = fields.text("issuer").unwrap_or_default().to_owned();
    let name = provider_name(&issuer, others);
    let path = joined("providers", &name);
    let mut out = Map::new();
    issuer_field(Some(issuer.as_str()).filter(|issuer| !issuer.is_empty()), &fields, &path, &mut out, scribe);
    audiences(fields.texts("audiences"), &fields, &path, &mut out, scribe);
    without_expiration(&fields, &path, &mut out, scribe);
    keys(&fields, &issuer, &path, &mut out, scribe);
    places(&fields, &path, &mut out, scribe);
    if fields.is_true("forwardOriginalToken") {
        out.insert("forward".to_owned(), true.into());
    }
    if let Some(header) = fields.text("outputPayloadToHeader") {
        out.insert("forward_payload_header".to_owned(), header.into());
    }
    claim_headers(fields.items("outputClaimToHeaders"), &mut out);
    let mut words = fields.texts("spaceDelimitedClaims");
    words.extend(["scope", "permission"].map(str::to_owned));
    fields.report_rest(&path, scribe);
    (Issuer { provider: name, name: issuer, words }, Value::Object(out))
}

/// The host of the issuer, or something like it.
fn provider_name(issuer: &str, others: &[Issuer]) -> String {
    let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let plain: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.@".contains(*c)).take(64).collect();
    let plain = if plain.is_empty() { "issuer".to_owned() } else { plain };
    let is_taken = |name: &str| others.iter().any(|other| other.provider == name);
    let numbered = (2..=others.len() + 2).map(|number| format!("{plain}-{number}"));
    std::iter::once(plain.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(plain)
}

fn keys(fields: &Fields<'_>, issuer: &str, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    let uri = fields.take("jwksUri").or_else(|| fields.take("jwks_uri"));
    if let Some(jwks) = fields.text("jwks") {
        shared_secrets(jwks, out);
        out.insert("local_jwks".to_owned(), json!({"inline_string": jwks}));
        return;
    }
    let (kind, node, uri) = if let Some((node, uri)) = uri.and_then(|node| Some((node, node.text()?))) {
        ("remote_jwks", node.at, uri.to_owned())
    } else {
        // Istio asks the issuer where the keys are.
        let slash = if issuer.ends_with('/') { "" } else { "/" };
        ("discovery", fields.at(), format!("{issuer}{slash}.well-known/openid-configuration"))
    };
    let path = joined(path, kind);
    let mut http_uri = Map::from_iter([("uri".to_owned(), uri.clone().into())]);
    http_uri.insert("cluster".to_owned(), cluster(&uri).into());
    if let Some(timeout) = fields.take("timeout") {
        let timeout = duration::within(timeout, 0.001, 60.0, &joined(&path, "http_uri.timeout"), scribe);
        http_uri.extend(timeout.map(|timeout| ("timeout".to_owned(), timeout)));
    }
    let sentence = "the proxy itself fetches the keys: it needs a ServiceEntry for the host, and for https a \
                    DestinationRule that originates TLS";
    scribe.note(Kind::Stricter, &path, node, sentence);
    if kind == "discovery" {
        let sentence = "a `jwks_uri` at another host needs that host in `jwks_clusters`";
        scribe.note(Kind::Stricter, &path, node, sentence);
    }
    out.insert(kind.to_owned(), json!({"http_uri": http_uri}));
}

/// Istio's name for the cluster of a host.
fn cluster(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let default = if scheme == "http" { "80" } else { "443" };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority, default),
    };
    format!("outbound|{port}||{host}")
}

fn places(fields: &Fields<'_>, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    let header = |item: &std::rc::Rc<Node>| {
        let fields = Fields::of(item);
        let mut header = Map::new();
        header.extend(fields.take("name").map(|name| ("name".to_owned(), name.value())));
        header.extend(fields.take("prefix").map(|prefix| ("value_prefix".to_owned(), prefix.value())));
        Value::Object(header)
    };
    let headers: Vec<_> = fields.items("fromHeaders").iter().map(header).collect();
    if !headers.is_empty() {
        out.insert("from_headers".to_owned(), headers.into());
    }
    for (theirs, ours) in [("fromParams", "from_params"), ("fromCookies", "from_cookies")] {
        let texts = fields.texts(theirs);
        if !texts.is_empty() {
            out.insert(ours.to_owned(), texts.into());
        }
    }
    if let Some(cookies) = fields.take("fromCookies") {
        cookies_note(cookies, path, scribe);
    }
}

/// Claims in headers: `header` and `claim`.
pub(super) fn claim_headers(items: &[std::rc::Rc<Node>], out: &mut Map<String, Value>) {
    let entry = |item: &std::rc::Rc<Node>| {
        let value = |name: &str| item.get(name).map(|node| node.value()).unwrap_or_default();
        json!({"header_name": value("header"), "claim_name": value("claim")})
    };
    let claims: Vec<_> = items.iter().map(entry).collect();
    if !claims.is_empty() {
        out.insert("claim_to_headers".to_owned(), claims.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_have_istios_names() {
        for (uri, expected) in [
            ("https://idp.example/jwks.json", "outbound|443||idp.example"),
            ("http://idp.example", "outbound|80||idp.example"),
            ("http://idp.ns.svc:8080/a?b#c", "outbound|8080||idp.ns.svc"),
            ("idp", "outbound|443||idp"),
        ] {
            assert_eq!(cluster(uri), expected);
        }
    }

    #[test]
    fn providers_are_called_by_their_issuers_hosts() {
        let known = |provider: &str| Issuer { provider: provider.to_owned(), name: String::new(), words: Vec::new() };
        assert_eq!(provider_name("https://a.example/x", &[]), "a.example");
        assert_eq!(provider_name("https://a.example/y", &[known("a.example")]), "a.example-2");
        assert_eq!(provider_name("testing@secure.istio.io", &[]), "testing@secure.istio.io");
        assert_eq!(provider_name("", &[known("issuer"), known("issuer-2")]), "issuer-3");
    }
}
