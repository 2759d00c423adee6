//! The tokens that a request carries, and the request without them.

use percent_encoding::percent_decode;

use crate::config::{HeaderPrefix, TokenLocation};
use crate::request::Request;

/// Shows every token that stands at `location`, in order. A value that is there but does not begin with the location's
/// prefix, such as `Basic ...` where `Bearer` is looked for, is no token.
pub fn tokens_at<'r>(location: &TokenLocation, request: &Request<'r>, mut show: impl FnMut(&'r [u8])) {
    match location {
        TokenLocation::Header { name, prefix } => {
            request.header_values(name).filter_map(|value| after_prefix(prefix, value)).for_each(show);
        }
        TokenLocation::Query(name) => {
            let named = parameters(request).filter(|parameter| parameter.is_named(name));
            named.for_each(|parameter| show(parameter.value));
        }
        TokenLocation::Cookie(name) => {
            let cookies = request.header_values("cookie").flat_map(cookies);
            cookies.filter_map(|cookie| cookie_value(name, cookie)).for_each(show);
        }
    }
}

/// The first token that stands at `location`.
#[inline(never)]
pub(crate) fn first_token_at<'r>(location: &TokenLocation, request: &Request<'r>) -> Option<&'r [u8]> {
    let mut first = None;
    tokens_at(location, request, |token| first = first.or(Some(token)));
    first
}

/// What a header's value holds behind its prefix.
fn after_prefix<'r>(prefix: &HeaderPrefix, value: &'r [u8]) -> Option<&'r [u8]> {
    match prefix {
        HeaderPrefix::None => Some(value),
        HeaderPrefix::Literal(literal) => value.strip_prefix(literal.as_bytes()),
        HeaderPrefix::Scheme(scheme) => after_scheme(scheme, value),
    }
}

/// What stands behind an authentication scheme: the scheme in any case, then one or more spaces (RFC 9110 section
/// 11.4). A bare scheme holds an empty token, which is a malformed one.
///
/// The proxy joins fields of one name by commas (RFC 9110 section 5.3), so the scheme may begin at a later element. Then
/// the whole value counts as the token, a malformed one: an upstream might take that element for a token that was
/// verified.
fn after_scheme<'r>(scheme: &str, value: &'r [u8]) -> Option<&'r [u8]> {
    if is_of_scheme(scheme, value) {
        return value.get(scheme.len()..).map(trim_spaces_start);
    }
    stands_later(scheme, value).then_some(value)
}

/// Whether an element but the first begins with the scheme, or the first does behind blanks.
#[inline(never)]
fn stands_later(scheme: &str, value: &[u8]) -> bool {
    let mut rest = Some(value);
    while let Some(elements) = rest.map(<[u8]>::trim_ascii_start) {
        let ends = |byte: &u8| !byte.is_ascii_graphic() || *byte == b',';
        if elements.split(ends).next().is_some_and(|word| word.eq_ignore_ascii_case(scheme.as_bytes())) {
            return true;
        }
        // A token is long, and rarely has a comma in it.
        rest = memchr::memchr(b',', elements).and_then(|comma| elements.get(comma..)?.get(1..));
    }
    false
}

/// Whether the scheme is the first word of these credentials. What is no ASCII ends a word too: some upstream may take it
/// for a blank.
fn is_of_scheme(scheme: &str, credentials: &[u8]) -> bool {
    let word = credentials.split(|byte| !byte.is_ascii_graphic()).next().unwrap_or_default();
    word.eq_ignore_ascii_case(scheme.as_bytes())
}

fn trim_spaces_start(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

/// One parameter of the query.
struct Parameter<'r> {
    /// As it came.
    text: &'r [u8],
    /// As it came.
    name: &'r [u8],
    /// As it came: no character of a token needs encoding (RFC 3986 section 2.3), so an encoded token is malformed.
    value: &'r [u8],
}

impl Parameter<'_> {
    /// Compares the decoded name, so that an encoded twin is found too.
    fn is_named(&self, name: &str) -> bool {
        percent_decode(self.name).map(|byte| if byte == b'+' { b' ' } else { byte }).eq(name.bytes())
    }
}

/// The parameters of the query (the `application/x-www-form-urlencoded` form).
fn parameters<'r>(request: &Request<'r>) -> impl Iterator<Item = Parameter<'r>> {
    request.query().into_iter().flat_map(|query| query.split(|byte| *byte == b'&')).map(|text| {
        let mut parts = text.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default();
        Parameter { text, name, value: parts.next().unwrap_or_default() }
    })
}

/// The pairs of one `Cookie` header (RFC 6265 section 4.2.1), with the blanks around them.
fn cookies(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';')
}

/// The value of this pair if it has that name, without the quotes that RFC 6265 section 4.1.1 allows.
fn cookie_value<'r>(name: &str, pair: &'r [u8]) -> Option<&'r [u8]> {
    let value =
        pair.trim_ascii().strip_prefix(name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    Some(value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(value))
}

/// A change to one header of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Every header of this name (lower case) goes.
    Remove(String),
    /// Every header of this name (lower case) goes, and one header for each of these values comes. Never empty.
    Replace(String, Vec<Vec<u8>>),
}

/// Adds the edits that take every token at these locations out of the request. What stands beside the tokens stays.
pub fn remove_tokens<'c>(
    locations: impl Iterator<Item = &'c TokenLocation>,
    request: &Request<'_>,
    edits: &mut Vec<HeaderEdit>,
) {
    let mut present: Vec<&TokenLocation> = Vec::new();
    for location in locations {
        if !is_covered(location, &present, request) && first_token_at(location, request).is_some() {
            present.push(location);
        }
    }
    remove_from_headers(&present, request, edits);
    edits.extend(remove_from_cookies(&present, request));
    edits.extend(remove_from_query(&present, request));
}

/// Whether what stands at this location goes anyway: the one header of its name, which holds the token of another location.
fn is_covered(location: &TokenLocation, present: &[&TokenLocation], request: &Request<'_>) -> bool {
    header_name(location).is_some_and(|name| {
        present.iter().any(|other| header_name(other) == Some(name)) && request.header_values(name).nth(1).is_none()
    })
}

fn remove_from_headers(locations: &[&TokenLocation], request: &Request<'_>, edits: &mut Vec<HeaderEdit>) {
    let names = || locations.iter().filter_map(|location| header_name(location));
    for (position, name) in names().enumerate() {
        if names().position(|other| other == name) == Some(position) {
            edits.push(keep_values(name, request, |value| !is_token_header(locations, name, value)));
        }
    }
}

fn header_name(location: &TokenLocation) -> Option<&str> {
    match location {
        TokenLocation::Header { name, .. } => Some(name),
        TokenLocation::Query(_) | TokenLocation::Cookie(_) => None,
    }
}

fn is_token_header(locations: &[&TokenLocation], candidate: &str, value: &[u8]) -> bool {
    locations.iter().any(|location| match location {
        TokenLocation::Header { name, prefix } => name == candidate && after_prefix(prefix, value).is_some(),
        TokenLocation::Query(_) | TokenLocation::Cookie(_) => false,
    })
}

fn keep_values(name: &str, request: &Request<'_>, keep: impl Fn(&[u8]) -> bool) -> HeaderEdit {
    let kept = request.header_values(name).filter(|value| keep(value)).map(<[u8]>::to_vec).collect();
    replace_or_remove(name, kept)
}

fn replace_or_remove(name: &str, values: Vec<Vec<u8>>) -> HeaderEdit {
    if values.is_empty() { HeaderEdit::Remove(name.to_owned()) } else { HeaderEdit::Replace(name.to_owned(), values) }
}

fn remove_from_cookies(locations: &[&TokenLocation], request: &Request<'_>) -> Option<HeaderEdit> {
    let names: Vec<&str> = locations.iter().filter_map(|location| cookie_name(location)).collect();
    if names.is_empty() {
        return None;
    }
    // The blanks stay, so that it never grows.
    let others = |header: &[u8]| -> Vec<u8> {
        let kept: Vec<_> =
            cookies(header).filter(|pair| names.iter().all(|name| cookie_value(name, pair).is_none())).collect();
        kept.join(&b';').trim_ascii().to_vec()
    };
    let values = request.header_values("cookie").map(others).filter(|value| !value.is_empty()).collect();
    Some(replace_or_remove("cookie", values))
}

fn cookie_name(location: &TokenLocation) -> Option<&str> {
    match location {
        TokenLocation::Cookie(name) => Some(name),
        TokenLocation::Query(_) | TokenLocation::Header { .. } => None,
    }
}

fn remove_from_query(locations: &[&TokenLocation], request: &Request<'_>) -> Option<HeaderEdit> {
    let names: Vec<&str> = locations.iter().filter_map(|location| parameter_name(location)).collect();
    if names.is_empty() {
        return None;
    }
    let others: Vec<_> = parameters(request)
        .filter(|parameter| !names.iter().any(|name| parameter.is_named(name)))
        .map(|parameter| parameter.text)
        .collect();
    let query = others.join(&b'&');
    let path = request.path();
    let target = if query.is_empty() { path.to_vec() } else { [path, b"?", &query].concat() };
    Some(HeaderEdit::Replace(":path".to_owned(), vec![target]))
}

fn parameter_name(location: &TokenLocation) -> Option<&str> {
    match location {
        TokenLocation::Query(name) => Some(name),
        TokenLocation::Cookie(_) | TokenLocation::Header { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer() -> TokenLocation {
        TokenLocation::Header { name: "authorization".into(), prefix: HeaderPrefix::Scheme("Bearer".into()) }
    }

    fn request<'a>(headers: &[(&'a str, &'a str)]) -> Request<'a> {
        Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect())
    }

    fn found(location: &TokenLocation, headers: &[(&str, &str)]) -> Vec<String> {
        let request = request(headers);
        let mut tokens = Vec::new();
        tokens_at(location, &request, |token| tokens.push(String::from_utf8_lossy(token).into_owned()));
        tokens
    }

    fn removal<'c>(locations: impl Iterator<Item = &'c TokenLocation>, request: &Request<'_>) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        remove_tokens(locations, request, &mut edits);
        edits
    }

    #[test]
    fn the_scheme_may_have_any_case_and_any_number_of_spaces() {
        for value in ["Bearer t", "bearer t", "BEARER    t"] {
            assert_eq!(found(&bearer(), &[("authorization", value)]), ["t"], "{value:?}");
        }
        for value in ["Basic t", "Bearert", "Bearer:t", "Bearer-x t", "", "xBearer t", "Basic Bearer", "a=\"Bearer t\""]
        {
            assert!(found(&bearer(), &[("authorization", value)]).is_empty(), "{value:?}");
        }
    }

    #[test]
    fn what_may_be_taken_for_a_blank_ends_the_scheme() {
        for value in [&b"Bearer\xa0t"[..], b"Bearer\xc2\xa0t", b"Bearer\x1ft", b"Bearer\x85t"] {
            let request = Request::new(vec![(b"authorization", value)]);
            let mut tokens = Vec::new();
            tokens_at(&bearer(), &request, |token| tokens.push(token));
            assert_eq!(tokens, [&value[6..]]);
            assert_eq!(removal(std::iter::once(&bearer()), &request), [HeaderEdit::Remove("authorization".into())]);
        }
    }

    #[test]
    fn the_whole_rest_of_the_value_is_the_token() {
        assert_eq!(found(&bearer(), &[("authorization", "Bearer a.b.c .jjj")]), ["a.b.c .jjj"]);
        assert_eq!(found(&bearer(), &[("authorization", "Bearer a,Bearer b")]), ["a,Bearer b"]);
        assert_eq!(found(&bearer(), &[("authorization", "Bearer")]), [""]);
        assert_eq!(found(&bearer(), &[("authorization", "Bearer a"), ("authorization", "Bearer b")]), ["a", "b"]);
    }

    #[test]
    fn only_spaces_stand_before_a_good_token() {
        for (value, token) in [("Bearer\tt", "\tt"), ("Bearer \tt", "\tt"), ("Bearer ", ""), ("Bearer,t", "Bearer,t")] {
            assert_eq!(found(&bearer(), &[("authorization", value)]), [token], "{value:?}");
        }
    }

    #[test]
    fn a_token_that_the_proxy_joined_to_other_credentials_is_seen() {
        for value in ["Basic dTpw,Bearer t", "Basic dTpw, bearer t", "Digest a=b,c=d, BEARER", ",Bearer t"] {
            assert_eq!(found(&bearer(), &[("authorization", value)]), [value], "{value:?}");
            let edits = removal(std::iter::once(&bearer()), &request(&[("authorization", value)]));
            assert_eq!(edits, [HeaderEdit::Remove("authorization".into())], "{value:?}");
        }
    }

    #[test]
    fn literal_prefixes_are_exact_and_no_prefix_takes_all() {
        let literal = TokenLocation::Header { name: "x".into(), prefix: HeaderPrefix::Literal("jwt=".into()) };
        assert_eq!(found(&literal, &[("x", "jwt=t")]), ["t"]);
        assert!(found(&literal, &[("x", "JWT=t")]).is_empty());
        let all = TokenLocation::Header { name: "x".into(), prefix: HeaderPrefix::None };
        assert_eq!(found(&all, &[("x", "Bearer t")]), ["Bearer t"]);
    }

    #[test]
    fn parameters_are_found_by_their_decoded_name() {
        let location = TokenLocation::Query("access_token".into());
        assert_eq!(found(&location, &[(":path", "/p?a=1&access_token=t")]), ["t"]);
        assert_eq!(found(&location, &[(":path", "/p?access%5Ftoken=t&access_token=u=v")]), ["t", "u=v"]);
        assert_eq!(found(&location, &[(":path", "/p?access_token=a%2Eb")]), ["a%2Eb"]);
        assert_eq!(found(&location, &[(":path", "/p?access_token")]), [""]);
        assert!(found(&location, &[(":path", "/access_token=t")]).is_empty());
    }

    #[test]
    fn cookies_are_found_in_every_header_and_unquoted() {
        let location = TokenLocation::Cookie("jwt".into());
        let headers = [("cookie", "a=1; jwt=t; jwtx=no"), ("cookie", "jwt=\"u\"")];
        assert_eq!(found(&location, &headers), ["t", "u"]);
        assert!(found(&location, &[("cookie", "JWT=t; xjwt=u; jwt")]).is_empty());
    }

    #[test]
    fn removal_leaves_what_stands_beside_the_tokens() {
        let locations = [bearer(), TokenLocation::Query("access_token".into()), TokenLocation::Cookie("jwt".into())];
        let request = request(&[
            (":path", "/p?a=1&access%5ftoken=t&b=2"),
            ("authorization", "Bearer t"),
            ("authorization", "Basic dTpw"),
            ("cookie", "a=1; jwt=t; b=2"),
            ("cookie", "jwt=t"),
        ]);
        assert_eq!(
            removal(locations.iter(), &request),
            [
                HeaderEdit::Replace("authorization".into(), vec![b"Basic dTpw".to_vec()]),
                HeaderEdit::Replace("cookie".into(), vec![b"a=1; b=2".to_vec()]),
                HeaderEdit::Replace(":path".into(), vec![b"/p?a=1&b=2".to_vec()]),
            ]
        );
    }

    #[test]
    fn cookies_stay_as_they_came_beside_a_token() {
        let location = TokenLocation::Cookie("jwt".into());
        for (header, left) in [
            ("jwt=t; a=1", "a=1"),
            ("a=1; jwt=t", "a=1"),
            ("a=1;jwt=t;b=2", "a=1;b=2"),
            ("a=1;  b=2; jwt=t", "a=1;  b=2"),
            (";;jwt = \"t\" ;;", ";;;"),
            ("a; jwtx=1;jwt=t; =jwt", "a; jwtx=1; =jwt"),
        ] {
            let edits = removal(std::iter::once(&location), &request(&[("cookie", header)]));
            assert_eq!(edits, [HeaderEdit::Replace("cookie".into(), vec![left.into()])], "{header:?}");
        }
        for alone in ["jwt=t", " jwt=t ", "jwt="] {
            let edits = removal(std::iter::once(&location), &request(&[("cookie", alone)]));
            assert_eq!(edits, [HeaderEdit::Remove("cookie".into())], "{alone:?}");
        }
    }

    #[test]
    fn a_request_without_tokens_is_not_edited() {
        let locations = [bearer(), TokenLocation::Query("access_token".into()), TokenLocation::Cookie("jwt".into())];
        let request = request(&[(":path", "/p?a"), ("authorization", "Basic dTpw"), ("cookie", "a=1")]);
        assert!(removal(locations.iter(), &request).is_empty());
    }

    #[test]
    fn an_empty_query_takes_its_question_mark_along() {
        let location = TokenLocation::Query("access_token".into());
        let edits = removal(std::iter::once(&location), &request(&[(":path", "/p?access_token=t")]));
        assert_eq!(edits, [HeaderEdit::Replace(":path".into(), vec![b"/p".to_vec()])]);
    }
}
