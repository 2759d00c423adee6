//! The request that is asked about, as the filter would get it from Envoy.

use std::path::Path;

use jwt_warden::request::Request;

use crate::{Stop, input};

/// Envoy joins several headers of these names to one, each with what stands between the values.
const JOINED: [(&str, &str); 7] = [
    ("authorization", ","),
    ("cookie", "; "),
    ("x-forwarded-for", ","),
    ("x-forwarded-proto", ","),
    ("x-forwarded-client-cert", ","),
    ("content-type", ","),
    ("user-agent", ","),
];

/// A request's head.
#[derive(Debug, Clone, Default)]
pub(super) struct Question {
    headers: Vec<(String, String)>,
    /// What was done to what was given, for the reader.
    pub(super) remarks: Vec<String>,
    pub(super) is_https: bool,
}

impl Question {
    /// The request of this method and URL, with these headers (`name: value`, or `@FILE` with one in each line).
    ///
    /// # Errors
    ///
    /// A sentence about what is none.
    pub(super) fn new(method: &str, url: &str, headers: &[String]) -> Result<Self, Stop> {
        if method.is_empty() || !method.bytes().all(is_token) {
            return Err(format!("--method: `{}` is no method", shown(method)));
        }
        let mut question = Self::default();
        question.set(":method", method);
        question.take_url(method, url)?;
        for header in headers {
            match header.strip_prefix('@') {
                Some(file) => {
                    let text = input::read(Path::new(file))?;
                    text.split('\n')
                        .map(|line| line.strip_suffix('\r').unwrap_or(line))
                        .filter(|line| !line.trim().is_empty())
                        .try_for_each(|line| question.take_header(line))?;
                }
                None => question.take_header(header)?,
            }
        }
        Ok(question)
    }

    /// As the core wants it.
    pub(super) fn request(&self) -> Request<'_> {
        Request::new(self.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.headers.iter_mut().find(|(known, _)| known == name) {
            Some((_, held)) => value.clone_into(held),
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    /// One more header, joined to others of its name where Envoy does that.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        let joint = JOINED.iter().find(|(joined, _)| *joined == name).map(|(_, joint)| *joint);
        match (joint, self.headers.iter_mut().find(|(known, _)| known == name)) {
            (Some(joint), Some((_, held))) => {
                held.push_str(joint);
                held.push_str(value);
                self.remarks.push(format!("{name} comes more than once: Envoy joins the values by `{}`", joint.trim()));
            }
            _ => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    /// One more parameter of the query.
    pub(super) fn add_parameter(&mut self, name: &str, value: &str) {
        let target = self.get(":path").unwrap_or("/").to_owned();
        let joint = if target.contains('?') { '&' } else { '?' };
        self.set(":path", &format!("{target}{joint}{}={value}", encoded(name)));
    }

    fn take_url(&mut self, method: &str, url: &str) -> Result<(), Stop> {
        if url.is_empty() {
            return Err("--url: is empty: give https://host/path, or /path".to_owned());
        }
        if url.chars().any(|sign| sign.is_control() || sign == ' ') {
            return Err(format!("--url: `{}` holds a blank or a control character: encode it (%20)", shown(url)));
        }
        if method == "CONNECT" && !url.contains('/') {
            self.set(":authority", url);
            return Ok(());
        }
        if url.starts_with(['/', '*']) {
            self.set(":scheme", "http");
            self.set(":path", url);
            return Ok(());
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(format!("--url: `{}` is no URL: give https://host/path, or /path", shown(url)));
        };
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(format!("--url: `{}` is neither http nor https", shown(&scheme)));
        }
        let (rest, fragment) = rest.split_once('#').map_or((rest, false), |(rest, _)| (rest, true));
        if fragment {
            self.remarks.push("what stands behind `#` in a URL is never sent".to_owned());
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(at).unwrap_or((rest, ""));
        self.is_https = scheme == "https";
        self.set(":scheme", &scheme);
        self.set(":authority", authority);
        self.set(":path", &if target.starts_with('/') { target.to_owned() } else { format!("/{target}") });
        Ok(())
    }

    fn take_header(&mut self, text: &str) -> Result<(), Stop> {
        let split = match text.strip_prefix(':') {
            Some(rest) => rest.split_once(':').map(|(name, value)| (format!(":{name}"), value)),
            None => text.split_once(':').map(|(name, value)| (name.to_owned(), value)),
        };
        let Some((name, value)) = split else {
            return Err(format!("--header: `{}` is no header: write it as 'name: value'", shown(text)));
        };
        let name = name.trim().to_ascii_lowercase();
        let plain = name.strip_prefix(':').unwrap_or(&name);
        if plain.is_empty() || !plain.bytes().all(is_token) {
            return Err(format!("--header: `{}` is no header's name: write it as 'name: value'", shown(&name)));
        }
        let value = value.trim_matches([' ', '\t']);
        if value.contains(['\r', '\n', '\0']) {
            return Err(format!("--header: the value of `{name}` has more than one line: give one --header for each"));
        }
        match name.as_str() {
            "host" | ":authority" => self.set(":authority", value),
            ":path" | ":method" | ":scheme" => self.set(&name, value),
            _ => self.add(&name, value),
        }
        Ok(())
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A name in a query.
fn encoded(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let sign = |byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(sign).collect()
}

/// What was given, cut, for a sentence. A header may hold a token, so little of it is shown.
fn shown(text: &str) -> String {
    super::report::escaped(&text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(method: &str, url: &str, headers: &[&str]) -> Result<Vec<String>, Stop> {
        let headers: Vec<_> = headers.iter().map(ToString::to_string).collect();
        let question = Question::new(method, url, &headers)?;
        Ok(question.headers.iter().map(|(name, value)| format!("{name}={value}")).collect())
    }

    #[test]
    fn a_url_becomes_what_the_filter_sees() {
        let expected = [":method=GET", ":scheme=https", ":authority=api.example:8443", ":path=/a?b=c"];
        assert_eq!(headers("GET", "HTTPS://api.example:8443/a?b=c#d", &[]).unwrap(), expected);
        assert_eq!(headers("GET", "http://a?b", &[]).unwrap()[2..], [":authority=a", ":path=/?b"]);
        assert_eq!(headers("GET", "http://a", &[]).unwrap()[3], ":path=/");
        assert_eq!(headers("GET", "/a#b", &["Host: h"]).unwrap()[1..], [":scheme=http", ":path=/a#b", ":authority=h"]);
        assert_eq!(headers("CONNECT", "a:443", &[]).unwrap(), [":method=CONNECT", ":authority=a:443"]);
        for (method, url) in [("GET", ""), ("GET", "api.example/a"), ("GET", "ftp://a/"), ("G T", "/"), ("GET", "/a b")]
        {
            assert!(headers(method, url, &[]).is_err(), "{method} {url}");
        }
    }

    #[test]
    fn headers_are_joined_as_envoy_joins_them() {
        let given =
            ["Authorization: Basic x", "authorization: Bearer y", "cookie: a=1", "Cookie:b=2", "X-A: 1", "x-a: 2"];
        let expected = ["authorization=Basic x,Bearer y", "cookie=a=1; b=2", "x-a=1", "x-a=2"];
        assert_eq!(headers("GET", "/", &given).unwrap()[3..], expected);
        for bad in ["x", ": x", "a b: c", "a: b\nc: d", ""] {
            assert!(headers("GET", "/", &[bad]).unwrap_err().starts_with("--header: "), "{bad:?}");
        }
    }

    #[test]
    fn parameters_are_added() {
        let mut question = Question::new("GET", "/a", &[]).unwrap();
        question.add_parameter("access token", "t");
        question.add_parameter("b", "u");
        assert_eq!(question.get(":path"), Some("/a?access%20token=t&b=u"));
    }
}
