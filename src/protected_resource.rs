//! What clients are told about the resource behind the filter (RFC 9728): where it is described, and the description.

use std::rc::Rc;

use crate::config::{Config, Provider, TokenLocation};
use crate::request::Request;

/// Where descriptions stand (section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The description of a resource, and where it stands.
#[derive(Debug, Clone)]
pub struct Description {
    authority: String,
    path: String,
    document: Rc<str>,
}

/// An answer that the filter gives by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body.
    pub body: Rc<str>,
}

/// Anybody may read it, on whatever page (section 3.1 with Fetch section 3.2).
const DESCRIBED: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    ("cache-control", "public, max-age=3600"),
    ("access-control-allow-origin", "*"),
];
const PREFLIGHT: &[(&str, &str)] = &[
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, HEAD"),
    ("access-control-allow-headers", "*"),
    ("access-control-max-age", "86400"),
];

/// The URL of the description of this configuration's resource.
#[must_use]
pub fn metadata_url(config: &Config) -> Option<String> {
    let resource = config.protected_resource.as_ref()?;
    Some(format!("https://{}{}", resource.authority, well_known(&resource.path)))
}

/// The well-known part stands between the host and the path (section 3.1).
fn well_known(path: &str) -> String {
    format!("{WELL_KNOWN}{}", if path == "/" { "" } else { path })
}

impl Description {
    /// The description of this configuration's resource.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        let resource = config.protected_resource.as_ref()?;
        // None of these texts has anything in it that JSON would write otherwise.
        let mut document = String::from("{");
        push_texts(&mut document, "bearer_methods_supported", methods(&config.providers));
        push_texts(&mut document, "authorization_servers", resource.authorization_servers.iter().map(String::as_str));
        if !resource.scopes.is_empty() {
            push_texts(&mut document, "scopes_supported", resource.scopes.iter().map(String::as_str));
        }
        for (name, text) in [("resource_name", &resource.name), ("resource_documentation", &resource.documentation)] {
            if let Some(text) = text {
                document.extend(["\"", name, "\":\"", text, "\","]);
            }
        }
        document.extend(["\"resource\":\"", &resource.resource, "\"}"]);
        let document = document.into();
        Some(Self { authority: resource.authority.clone(), path: well_known(&resource.path), document })
    }

    /// The answer to a request for the description; `None` if it asks for something else.
    #[must_use]
    pub fn answer(&self, request: &Request<'_>) -> Option<Answer> {
        if request.path() != self.path.as_bytes() || !self.is_here(request) {
            return None;
        }
        match request.method() {
            b"GET" | b"HEAD" => Some(Answer { status: 200, headers: DESCRIBED, body: Rc::clone(&self.document) }),
            b"OPTIONS" => Some(Answer { status: 204, headers: PREFLIGHT, body: "".into() }),
            _ => None,
        }
    }

    fn is_here(&self, request: &Request<'_>) -> bool {
        let plain = |authority: &[u8]| authority.strip_suffix(b":443").unwrap_or(authority).to_ascii_lowercase();
        let mut authorities = request.header_values(":authority");
        authorities.next().is_some_and(|authority| plain(authority) == plain(self.authority.as_bytes()))
            && authorities.next().is_none()
    }
}

/// How clients may send their tokens (section 2).
fn methods(providers: &[Provider]) -> impl Iterator<Item = &'static str> {
    let has =
        |wanted: fn(&TokenLocation) -> bool| providers.iter().flat_map(|provider| &provider.locations).any(wanted);
    let header = has(|location| matches!(location, TokenLocation::Header { .. })).then_some("header");
    let query = has(|location| matches!(location, TokenLocation::Query(_))).then_some("query");
    header.into_iter().chain(query)
}

fn push_texts<'t>(document: &mut String, name: &str, texts: impl Iterator<Item = &'t str>) {
    document.extend(["\"", name, "\":["]);
    for (index, text) in texts.enumerate() {
        document.extend([if index > 0 { ",\"" } else { "\"" }, text, "\""]);
    }
    document.push_str("],");
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::{Value, json};

    use crate::config::parse;

    fn config(resource: &Value) -> Config {
        let provider = |issuer: &str| {
            let remote = json!({"http_uri": {"uri": "https://idp.example/keys", "cluster": "idp"}});
            json!({"issuer": issuer, "any_audience": true, "remote_jwks": remote})
        };
        let providers = json!({"a": provider("https://idp.example/"), "b": provider("no-url")});
        let config = json!({"providers": providers, "protected_resource": resource});
        parse(config.to_string().as_bytes(), &|_| None).unwrap().config
    }

    fn answer(resource: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        let description = Description::of(&config(&json!({"resource": resource}))).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        description.answer(&Request::new(headers.collect()))
    }

    #[test]
    fn the_description_says_where_tokens_come_from() {
        let resource = json!({
            "resource": "https://api.example/mcp", "scopes_supported": ["read"], "resource_name": "An 'API'",
            "resource_documentation": "https://docs.example/"
        });
        let config = config(&resource);
        let document: Value = serde_json::from_str(&Description::of(&config).unwrap().document).unwrap();
        let expected = json!({
            "resource": "https://api.example/mcp", "authorization_servers": ["https://idp.example/"],
            "bearer_methods_supported": ["header", "query"], "scopes_supported": ["read"],
            "resource_name": "An 'API'", "resource_documentation": "https://docs.example/"
        });
        assert_eq!(document, expected);
        let url = "https://api.example/.well-known/oauth-protected-resource/mcp";
        assert_eq!(metadata_url(&config).as_deref(), Some(url));
    }

    #[test]
    fn only_the_description_is_answered() {
        let get = |authority, path| {
            answer("https://API.example/v1", &[(":method", "GET"), (":authority", authority), (":path", path)])
        };
        let path = "/.well-known/oauth-protected-resource/v1";
        for authority in ["api.example", "API.example", "api.example:443"] {
            assert!(get(authority, path).is_some_and(|answer| answer.status == 200), "{authority}");
        }
        assert!(get("api.example", "/.well-known/oauth-protected-resource/v1?x").is_some());
        for (authority, path) in [
            ("other.example", path),
            ("api.example:8443", path),
            ("", path),
            ("api.example", "/.well-known/oauth-protected-resource"),
            ("api.example", "/.well-known/oauth-protected-resource/v1/"),
            ("api.example", "/.well-known/oauth-protected-resource/%761"),
            ("api.example", "/v1"),
        ] {
            assert!(get(authority, path).is_none(), "{authority} {path}");
        }
        let root =
            [(":method", "HEAD"), (":authority", "api.example"), (":path", "/.well-known/oauth-protected-resource")];
        assert!(answer("https://api.example", &root).is_some());
        let of_method = |method| {
            answer("https://api.example/v1", &[(":method", method), (":authority", "api.example"), (":path", path)])
        };
        assert!(of_method("OPTIONS").is_some_and(|answer| answer.status == 204 && answer.body.is_empty()));
        for method in ["POST", "PUT", "DELETE", "get", "CONNECT"] {
            assert!(of_method(method).is_none(), "{method}");
        }
    }
}
