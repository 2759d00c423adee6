//! The host that a request names, and whether a rule is for it.

use crate::config::HostPattern;
use crate::config::hosts::is_name;

/// The `:authority` of a request, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<'r> {
    /// In any case, without a final dot.
    host: &'r [u8],
    port: Option<u16>,
    /// Whether there was a final dot.
    dotted: bool,
    /// Whether it is taken as it stands: with port and dot it is another host than without.
    literal: bool,
}

impl<'r> Authority<'r> {
    /// The parts of a plain `host` or `host:port` (RFC 3986 section 3.2); `None` for anything else, such as user
    /// information, several hosts, or an escaped one: an upstream might take that for another host.
    pub(super) fn parse(text: &'r [u8]) -> Option<Self> {
        let (host, port) = split_port(text)?;
        let port = match port {
            None => None,
            Some(digits) => Some(port_number(digits)?),
        };
        let plain = host.strip_suffix(b".").unwrap_or(host);
        let dotted = plain.len() < host.len();
        (is_name(plain) || is_ip_literal(plain)).then_some(Self { host: plain, port, dotted, literal: false })
    }

    /// The same as it stands, if that is another reading of it: Envoy's virtual hosts compare port and dot, unless it is
    /// told to strip them.
    pub(super) fn as_it_stands(self) -> Option<Self> {
        (self.port.is_some() || self.dotted).then_some(Self { literal: true, ..self })
    }
}

impl HostPattern {
    pub(super) fn matches(&self, authority: Authority<'_>) -> bool {
        let name = self.name.as_bytes();
        let host = authority.host;
        let same = match host.len().checked_sub(name.len()) {
            Some(0) => !self.below && host.eq_ignore_ascii_case(name),
            Some(longer) if self.below => {
                let (labels, domain) = host.split_at(longer);
                labels.ends_with(b".") && domain.eq_ignore_ascii_case(name)
            }
            _ => false,
        };
        let same_port = self.port == authority.port || (self.port.is_none() && !authority.literal);
        same && same_port && !(authority.literal && authority.dotted)
    }
}

/// Splits at the colon before the port; in brackets, colons belong to the address.
fn split_port(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let address = text.iter().position(|byte| *byte == b']').map_or(0, |end| end + 1);
    let (address, rest) = text.split_at_checked(address)?;
    let colon = rest.iter().position(|byte| *byte == b':');
    match colon {
        None => Some((text, None)),
        Some(colon) => Some((text.get(..address.len() + colon)?, Some(rest.get(colon + 1..)?))),
    }
}

fn port_number(digits: &[u8]) -> Option<u16> {
    let plain = (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

fn is_ip_literal(host: &[u8]) -> bool {
    let inner = host.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    inner.is_some_and(|inner| inner.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(name: &str, below: bool, port: Option<u16>, authority: &str) -> bool {
        let pattern = HostPattern { name: name.to_owned(), below, port };
        pattern.matches(Authority::parse(authority.as_bytes()).unwrap())
    }

    #[test]
    fn the_colons_of_an_address_are_no_ports() {
        let text: &[u8] = b"[2001:db8::]";
        assert_eq!(split_port(text), Some((text, None)));
        assert_eq!(split_port(b"[2001:db8::]:80"), Some((text, Some(&b"80"[..]))));
    }

    #[test]
    fn hosts_are_compared_without_case_port_and_final_dot() {
        for authority in ["api.example", "API.Example", "api.example.", "api.example:8080", "api.example.:443"] {
            assert!(matches("api.example", false, None, authority), "{authority}");
        }
        for authority in ["api.example2", "xapi.example", "a.api.example", "example", "[::1]"] {
            assert!(!matches("api.example", false, None, authority), "{authority}");
        }
    }

    #[test]
    fn below_a_domain_are_one_or_more_labels() {
        for authority in ["a.example", "A.B.Example", "a.example.:1"] {
            assert!(matches("example", true, None, authority), "{authority}");
        }
        for authority in ["example", "example.", "aexample", "a.example.org"] {
            assert!(!matches("example", true, None, authority), "{authority}");
        }
    }

    #[test]
    fn a_port_counts_where_the_rule_names_one() {
        assert!(matches("a.b", false, Some(8080), "a.b:8080"));
        assert!(matches("b", true, Some(80), "a.b:0080"));
        for authority in ["a.b", "a.b:80", "a.b:18080"] {
            assert!(!matches("a.b", false, Some(8080), authority), "{authority}");
        }
    }

    #[test]
    fn only_a_plain_host_is_one() {
        for authority in ["a", "a.b", "a_b-c.d", "1.2.3.4:5", "[2001:db8::1]", "[::1]:65535", "xn--e1afmkfd.example"] {
            assert!(Authority::parse(authority.as_bytes()).is_some(), "{authority}");
        }
        for authority in [
            "", ".", ":80", "a:", "a:b", "a:65536", "a:000080", "a:80:80", "a:-1", "a@b", "a:1@b", "a b", " a", "a,b",
            "a/b", "a..", "a..b", ".a", "%61", "a;b", "\u{e9}", "[::1", "::1", "[::1]a", "[g::]", "a[::1]", "[::1]]",
            "a\\b", "a#b",
        ] {
            assert!(Authority::parse(authority.as_bytes()).is_none(), "{authority}");
        }
    }
}
