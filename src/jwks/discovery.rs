//! The issuer's metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3) name the place of its keys.

use super::json::Members;
use crate::config::{Discovery, HttpUri, RemoteJwks, uri::parts};
use crate::remote::Failure;

/// The members that matter; the others are none of the filter's business.
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Metadata {
    /// The metadata in this document; `None` unless it is one JSON object, each of its names there once.
    fn parse(document: &[u8]) -> Option<Self> {
        let members = Members::parse(std::str::from_utf8(document).ok()?).ok()?;
        if members.has_duplicates {
            return None;
        }
        Some(Self { issuer: members.text("issuer").ok()??, jwks_uri: members.text("jwks_uri").ok()?? })
    }
}

/// Where the key set is, by the metadata in `document`.
///
/// # Errors
///
/// The document is no metadata, is another issuer's, or names a place that the operator did not allow.
pub(super) fn key_set(document: &[u8], source: &RemoteJwks, discovery: &Discovery) -> Result<HttpUri, Failure> {
    let metadata = Metadata::parse(document).ok_or(Failure::NotMetadata)?;
    if metadata.issuer != discovery.issuer {
        return Err(Failure::OtherIssuer);
    }
    let (scheme, authority, path_and_query) = parts(&metadata.jwks_uri).ok_or(Failure::NotMetadata)?;
    let cluster = cluster_of(&scheme, &authority, &source.http, discovery).ok_or(Failure::UnmappedHost)?;
    Ok(HttpUri { scheme, authority, path_and_query, cluster: cluster.to_owned(), timeout: source.http.timeout })
}

/// The cluster of the metadata serves its own host, without a step down to plain http; any other host needs one that the
/// operator named for it, so that metadata can never send the proxy anywhere else.
fn cluster_of<'c>(scheme: &str, authority: &str, http: &'c HttpUri, discovery: &'c Discovery) -> Option<&'c str> {
    let mapped = discovery.clusters.iter().find(|(host, _)| host.eq_ignore_ascii_case(authority));
    match mapped {
        Some((_, cluster)) => Some(cluster),
        None => (authority.eq_ignore_ascii_case(&http.authority) && scheme == http.scheme).then_some(&http.cluster),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Backoff;

    fn source() -> RemoteJwks {
        RemoteJwks {
            http: HttpUri {
                scheme: "https".into(),
                authority: "idp.test".into(),
                path_and_query: "/.well-known/openid-configuration".into(),
                cluster: "idp".into(),
                timeout: Duration::from_secs(5),
            },
            discovery: None,
            cache_duration: Duration::from_secs(600),
            max_stale: Duration::from_secs(600),
            unknown_kid_interval: Duration::from_secs(5),
            backoff: Backoff { base_interval: Duration::from_secs(1), max_interval: Duration::from_secs(30) },
        }
    }

    fn found(jwks_uri: &str) -> Result<(String, String), &'static str> {
        let clusters = vec![("keys.test:8443".into(), "keys".into())];
        let discovery = Discovery { issuer: "https://idp.test".into(), clusters };
        let document = format!(r#"{{"issuer":"https://idp.test","jwks_uri":"{jwks_uri}","other":[{{}}]}}"#);
        key_set(document.as_bytes(), &source(), &discovery)
            .map(|http| (http.cluster, http.path_and_query))
            .map_err(|failure| failure.code())
    }

    #[test]
    fn the_key_set_stands_at_the_same_host_or_a_mapped_one() {
        assert_eq!(found("https://idp.test/keys?v=1"), Ok(("idp".into(), "/keys?v=1".into())));
        assert_eq!(found("https://IDP.test/keys"), Ok(("idp".into(), "/keys".into())));
        assert_eq!(found("https://keys.test:8443/k"), Ok(("keys".into(), "/k".into())));
        for elsewhere in ["https://evil.test/k", "http://idp.test/k", "https://idp.test:444/k", "https://keys.test/k"] {
            assert_eq!(found(elsewhere), Err("unmapped_host"), "{elsewhere}");
        }
        for no_url in ["", "/k", "file:///etc/passwd", "https://idp.test@evil.test/k"] {
            assert_eq!(found(no_url), Err("not_metadata"), "{no_url}");
        }
    }

    #[test]
    fn metadata_of_another_issuer_do_not_count() {
        let discovery = Discovery { issuer: "https://idp.test/".into(), clusters: Vec::new() };
        let document = br#"{"issuer":"https://idp.test","jwks_uri":"https://idp.test/k"}"#;
        assert_eq!(key_set(document, &source(), &discovery), Err(Failure::OtherIssuer));
        let array = br#"["https://idp.test/","https://idp.test/k"]"#;
        let twice = br#"{"issuer":"https://idp.test/","jwks_uri":"https://idp.test/k","issuer":"https://idp.test/"}"#;
        for document in [&b""[..], b"[]", b"{}", array, twice, br#"{"issuer":1,"jwks_uri":""}"#, b"\xff"] {
            assert_eq!(key_set(document, &source(), &discovery), Err(Failure::NotMetadata));
        }
    }
}
