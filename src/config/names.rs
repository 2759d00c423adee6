//! Lists of texts and the names of headers: what may stand in them.

use std::borrow::Cow;

use super::report::{Checked, Place, quoted};
use crate::jwt::json::UniqueNames;
use crate::upstream::{VERDICT_HEADER, variable};

/// The headers that frame a message or belong to one connection (RFC 9110 sections 7.2, 7.6.1 and 10.1, RFC 9112
/// section 6): to write or to remove one of them would break the request.
const FRAMING: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers that carry credentials: what a client sends in them would be removed on every path.
const CREDENTIALS: &[&str] = &["authorization", "cookie", "dpop", "proxy-authorization"];

/// The headers that the proxy itself reads and writes begin with these.
const PROXY_PREFIXES: &[&str] = &["x-envoy-", "x-forwarded-"];

/// Whether `text` is a token of RFC 9110 section 5.6.2.
#[inline(never)]
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The name of a header that a token may come in, in lower case.
#[inline(never)]
pub(super) fn source_header(name: &str, at: &Place<'_>) -> Checked<String> {
    let name = header(name, at)?;
    match name.as_str() {
        "cookie" => at.mistake("cookies are looked at one by one: use from_cookies"),
        _ => Ok(name),
    }
}

/// The name of a header that tells the upstream something, in lower case.
#[inline(never)]
pub(super) fn target_header(name: &str, at: &Place<'_>) -> Checked<String> {
    let name = header(name, at)?;
    if CREDENTIALS.contains(&name.as_str()) {
        return at.mistake("carries the client's credentials: use another header");
    }
    if PROXY_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        at.warn("the proxy itself reads and writes this header");
    }
    Ok(name)
}

fn header(name: &str, at: &Place<'_>) -> Checked<String> {
    let name = name.to_ascii_lowercase();
    if name.starts_with(':') {
        return at.mistake("is a pseudo-header: use a header");
    }
    if !is_token(&name) {
        return at.mistake("has to be the name of a header: letters, digits and !#$%&'*+-.^_`|~");
    }
    if variable(name.as_bytes()).eq(variable(VERDICT_HEADER.as_bytes())) {
        return at.mistake("is the filter's own: it tells the upstream the verdict, see report_only");
    }
    if FRAMING.contains(&name.as_str()) {
        return at.mistake("belongs to the framing of the message: use another header");
    }
    Ok(name)
}

/// The texts of a list, none of them empty and none twice.
#[inline(never)]
pub(super) fn distinct(texts: Vec<String>, at: &Place<'_>) -> Checked<Vec<String>> {
    let mut seen = UniqueNames::new();
    let mut result = Ok(());
    for (index, text) in texts.iter().enumerate() {
        let at = at.index(index);
        if text.is_empty() {
            result = at.mistake("is empty");
        } else if !seen.insert(Cow::Borrowed(text.as_str())) {
            result = at.mistake(format!("lists {} a second time", quoted(text)));
        }
    }
    result.map(|()| texts)
}

/// A provider's name as part of a metric's name, where a dot would end it and a line break break a scrape.
#[must_use]
#[inline(never)]
pub fn name_in_metrics(name: &str) -> String {
    let keep = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    name.chars().map(|letter| if keep(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_metrics_hold_nothing_that_breaks_a_scrape() {
        assert_eq!(name_in_metrics("a.b\nc-D_9"), "a_b_c-D_9");
    }
}
