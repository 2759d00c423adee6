//! Where a provider's tokens stand in a request.

use super::{
    HeaderPrefix, Provider, TokenLocation, csrf, names,
    raw::RawHeaderLocation,
    report::{Checked, Place},
};

/// Every request is searched in all of them.
const MAX_LOCATIONS: usize = 64;

/// The locations that are given, headers first; if none is, the two of `jwt_authn`, and the scheme of RFC 9449.
pub(super) fn locations(
    headers: Option<Vec<RawHeaderLocation>>,
    params: Option<Vec<String>>,
    cookies: Option<Vec<String>>,
    at: &Place<'_>,
) -> Checked<Vec<TokenLocation>> {
    let headers = each(headers, &at.field("from_headers"), header_location);
    let params = each(params, &at.field("from_params"), query_location);
    let cookies = each(cookies, &at.field("from_cookies"), csrf::token_cookie);
    let locations = [headers?, params?, cookies?].concat();
    if locations.len() > MAX_LOCATIONS {
        return at.mistake(format!("looks for tokens in more than {MAX_LOCATIONS} places"));
    }
    Ok(if locations.is_empty() { default_locations() } else { locations })
}

fn default_locations() -> Vec<TokenLocation> {
    let credentials = |scheme: &str| TokenLocation::Header {
        name: "authorization".to_owned(),
        prefix: HeaderPrefix::Scheme(scheme.to_owned()),
    };
    vec![credentials("Bearer"), TokenLocation::Query("access_token".to_owned()), credentials("DPoP")]
}

impl TokenLocation {
    /// Whether tokens stand here under the scheme `DPoP` (RFC 9449 section 7.1).
    #[must_use]
    pub fn is_dpop(&self) -> bool {
        matches!(self, Self::Header { prefix: HeaderPrefix::Scheme(scheme), .. } if scheme.eq_ignore_ascii_case("DPoP"))
    }
}

impl Provider {
    /// Whether the provider looks for tokens under the scheme `DPoP`.
    #[must_use]
    pub fn takes_dpop(&self) -> bool {
        self.locations.iter().any(TokenLocation::is_dpop)
    }
}

/// The locations of one list, none of them twice.
#[inline(never)]
fn each<T>(
    raw: Option<Vec<T>>,
    at: &Place<'_>,
    location: fn(T, &Place<'_>) -> Checked<TokenLocation>,
) -> Checked<Vec<TokenLocation>> {
    let locations = at.each(raw.unwrap_or_default().into_iter().take(MAX_LOCATIONS + 1), location)?;
    for (index, location) in locations.iter().enumerate() {
        if locations.iter().take(index).any(|earlier| earlier == location) {
            at.index(index).note("is listed a second time");
        }
    }
    Ok(locations)
}

fn header_location(raw: RawHeaderLocation, at: &Place<'_>) -> Checked<TokenLocation> {
    let place = at.field("name");
    let name = place.required(raw.name, "the name of the header").and_then(|name| names::source_header(&name, &place));
    let prefix = header_prefix(raw.value_prefix.as_deref().unwrap_or_default(), &at.field("value_prefix"));
    let (name, prefix) = (name?, prefix?);
    if name == "authorization" && prefix == HeaderPrefix::None {
        at.warn("without value_prefix the whole value is the token: `Bearer` is not looked for");
    }
    Ok(TokenLocation::Header { name, prefix })
}

/// A word, or a token and a blank, is an authentication scheme; any other text is taken literally.
fn header_prefix(text: &str, at: &Place<'_>) -> Checked<HeaderPrefix> {
    let word = text.trim_end_matches(' ');
    let blank = word.len() < text.len();
    if text.is_empty() {
        return Ok(HeaderPrefix::None);
    }
    if names::is_token(word) && (blank || word.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Ok(HeaderPrefix::Scheme(word.to_owned()));
    }
    // The blanks around a header's value are not part of it (RFC 9110 section 5.5).
    if text.starts_with(' ') || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return at.mistake("has to be printable ASCII and must not begin with a blank, such as `Bearer `");
    }
    Ok(HeaderPrefix::Literal(text.to_owned()))
}

fn query_location(name: String, at: &Place<'_>) -> Checked<TokenLocation> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return at.mistake("has to be the name of a query parameter");
    }
    Ok(TokenLocation::Query(name))
}

#[cfg(test)]
mod tests {
    use super::{super::report::Report, *};

    #[test]
    fn a_prefix_is_a_scheme_a_literal_or_none() {
        let report = Report::default();
        let scheme = |text: &str| Some(HeaderPrefix::Scheme(text.to_owned()));
        let literal = |text: &str| Some(HeaderPrefix::Literal(text.to_owned()));
        for (text, expected) in [
            ("", Some(HeaderPrefix::None)),
            ("Bearer ", scheme("Bearer")),
            ("Bearer", scheme("Bearer")),
            ("Bearer  ", scheme("Bearer")),
            ("x-scheme ", scheme("x-scheme")),
            ("jwt-", literal("jwt-")),
            ("v1.", literal("v1.")),
            ("token=", literal("token=")),
            ("Bearer token=", literal("Bearer token=")),
            (" Bearer ", None),
            (" ", None),
            ("Bearer\t", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(header_prefix(text, &report.root()).ok(), expected, "{text:?}");
        }
    }
}
