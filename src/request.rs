//! A request's head as the core sees it: bytes as they came, in order, duplicates kept.

use crate::route::Route;

/// The head of one request. Header names are lower case, as every proxy-wasm host hands them over; pseudo headers stand
/// among them. Values are bytes: nothing guarantees UTF-8.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    headers: Vec<(&'a [u8], &'a [u8])>,
    route: Option<&'a Route>,
}

impl<'a> Request<'a> {
    /// The request with these headers, names lower case.
    #[must_use]
    pub fn new(headers: Vec<(&'a [u8], &'a [u8])>) -> Self {
        Self { headers, route: None }
    }

    /// The same request, for which the proxy has chosen this route.
    #[must_use]
    pub fn on_route(self, route: &'a Route) -> Self {
        Self { route: Some(route), ..self }
    }

    /// The route that the proxy has chosen; `None` if it was not asked.
    #[must_use]
    pub const fn route(&self) -> Option<&'a Route> {
        self.route
    }

    /// The name of that route.
    #[must_use]
    pub fn route_name(&self) -> Option<&'a [u8]> {
        self.route?.name.as_deref()
    }

    /// Names and values of all headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.headers.iter().copied()
    }

    /// The values of every header of this name (lower case), in order.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers().filter(move |(candidate, _)| *candidate == name.as_bytes()).map(|(_, value)| value)
    }

    /// Whether there is a header of this name (lower case).
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.header_values(name).next().is_some()
    }

    /// The method; empty if the host gave none.
    #[must_use]
    pub fn method(&self) -> &'a [u8] {
        self.header_values(":method").next().unwrap_or_default()
    }

    /// Path and query as they came; empty if the host gave none (as for CONNECT).
    #[must_use]
    pub fn target(&self) -> &'a [u8] {
        self.header_values(":path").next().unwrap_or_default()
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &'a [u8] {
        split_target(self.target()).0
    }

    /// The query without the question mark; `None` if there is no question mark.
    #[must_use]
    pub fn query(&self) -> Option<&'a [u8]> {
        split_target(self.target()).1
    }

    /// Whether a browser asks by this request whether it may send another one across origins: the CORS preflight of the
    /// Fetch standard (section 4.8), which never carries credentials.
    #[must_use]
    pub fn is_cors_preflight(&self) -> bool {
        let is_told = |name| {
            let mut values = self.header_values(name);
            values.next().is_some_and(|value| !value.is_empty()) && values.next().is_none()
        };
        self.method() == b"OPTIONS" && is_told("origin") && is_told("access-control-request-method")
    }
}

/// Splits a request target at its first question mark (RFC 3986 section 3.4).
fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_begins_at_the_first_question_mark() {
        let request = Request::new(vec![(b":path", b"/a?b=c?d"), (b"x", b"1"), (b"x", b"\xff")]);
        assert_eq!(request.path(), b"/a");
        assert_eq!(request.query(), Some(&b"b=c?d"[..]));
        assert_eq!(request.header_values("x").collect::<Vec<_>>(), [&b"1"[..], b"\xff"]);
        assert_eq!(request.method(), b"");
        assert!(Request::new(Vec::new()).query().is_none());
    }

    #[test]
    fn a_preflight_names_its_origin_and_the_method_to_come() {
        let headers = [(":method", "OPTIONS"), ("origin", "https://a"), ("access-control-request-method", "PUT")];
        let preflight = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            Request::new(headers).is_cors_preflight()
        };
        assert!(preflight(&headers));
        for index in 0..headers.len() {
            let mut fewer = headers.to_vec();
            let left_out = fewer.remove(index);
            assert!(!preflight(&fewer), "without {left_out:?}");
            fewer.push((left_out.0, ""));
            assert!(!preflight(&fewer), "with an empty {left_out:?}");
        }
        for near_miss in [(":method", "options"), (":method", "GET"), (":method", "OPTIONS ")] {
            assert!(!preflight(&[near_miss, headers[1], headers[2]]), "{near_miss:?}");
        }
        assert!(!preflight(&[headers[0], headers[1], headers[1], headers[2]]), "two origins");
    }
}
