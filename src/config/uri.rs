//! Absolute URLs: the operator's, and those that a server's metadata names.

use http::Uri;

/// Scheme, authority, and path with query of an absolute http or https URL (RFC 9110 section 4.2); `None` for anything
/// else, and for a URL with a user name, a fragment or characters that need encoding.
pub(crate) fn parts(text: &str) -> Option<(String, String, String)> {
    // `Uri` drops a fragment without a word, and lets quotes, backslashes and more pass in a path.
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte)) {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority().filter(|authority| is_host_and_port(authority))?;
    let path_and_query = uri.path_and_query()?.as_str();
    // `https://host?query` has an empty path, which a request line may not have (RFC 9112 section 3.2.1).
    let slash = if path_and_query.starts_with('/') { "" } else { "/" };
    Some((scheme.to_owned(), authority.as_str().to_owned(), format!("{slash}{path_and_query}")))
}

fn is_host_and_port(authority: &http::uri::Authority) -> bool {
    let after_host = authority.as_str().strip_prefix(authority.host());
    let port_is_sound =
        after_host.is_some_and(|port| port.is_empty() || authority.port_u16().is_some_and(|port| port > 0));
    !authority.host().is_empty() && port_is_sound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_urls_are_taken_apart() {
        for (text, scheme, authority, path_and_query) in [
            ("https://idp.example/jwks.json", "https", "idp.example", "/jwks.json"),
            ("http://idp.example:8080/a/b?c=d&e=%20", "http", "idp.example:8080", "/a/b?c=d&e=%20"),
            ("https://idp.example", "https", "idp.example", "/"),
            ("https://idp.example?x=y", "https", "idp.example", "/?x=y"),
            ("https://[2001:db8::1]:443/k", "https", "[2001:db8::1]:443", "/k"),
            ("HTTPS://IDP.example/K", "https", "IDP.example", "/K"),
        ] {
            let expected = (scheme.to_owned(), authority.to_owned(), path_and_query.to_owned());
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for text in [
            "",
            "/jwks.json",
            "idp.example/jwks.json",
            "idp.example",
            "//idp.example/",
            "ftp://idp.example/",
            "https://",
            "https:///jwks.json",
            "https://user@idp.example/",
            "https://user:password@idp.example/",
            "https://@idp.example/",
            "https://idp.example/#keys",
            "https://idp.example/a b",
            "https://idp.example/\n",
            "https://idp.example/\u{e9}",
            "https://idp.example:99999/",
            "https://idp.example:0/",
            "https://idp.example:/",
            "https://:443/",
            "https://idp.example\\@evil.example/",
            "https://idp.example/\"",
            "mailto:keys@idp.example",
            "file:///etc/passwd",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
