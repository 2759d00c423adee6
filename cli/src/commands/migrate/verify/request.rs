//! Sample requests: those that a rule's `match` is about, and those that the operator names.

use jwt_warden::pattern::Pattern;
use serde_json::Value;

use crate::Stop;

/// Whom all requests are for.
const HOST: &str = "api.example";

/// A request without a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<String>,
    pub(super) host: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Request {
    /// `GET` of this path.
    pub(super) fn get(path: impl Into<String>) -> Self {
        let (method, host) = ("GET".to_owned(), HOST.to_owned());
        Self { method, path: path.into(), query: Vec::new(), host, headers: Vec::new() }
    }

    /// Reads `METHOD PATH`, or a path alone.
    pub(super) fn read(text: &str) -> Result<Self, Stop> {
        let (method, target) = text.trim().rsplit_once(' ').unwrap_or(("GET", text.trim()));
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut request = Self::get(path);
        method.clone_into(&mut request.method);
        request.query.extend(query.map(str::to_owned));
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
        if !is_method || !path.starts_with('/') || !request.can_be_sent() {
            return Err(format!("--request {text:?}: should be a method and a path, such as `POST /orders`"));
        }
        Ok(request)
    }

    /// One that a rule with this `match` is about; `None` if none is found.
    pub(super) fn matching(condition: &Value) -> Option<Self> {
        let text = |name: &str| condition.get(name).and_then(Value::as_str).map(str::to_owned);
        let path = ["path", "prefix", "path_separated_prefix"].into_iter().find_map(text);
        let path = match (path, condition.get("safe_regex"), condition.get("connect_matcher")) {
            (Some(path), None, None) => path,
            (None, Some(expression), None) => example(expression)?,
            (None, None, None) => "/".to_owned(),
            _ => return None,
        };
        let mut request = Self::get(if path.is_empty() { "/".to_owned() } else { path });
        for header in items(condition, "headers") {
            request.fulfil_header(header)?;
        }
        for parameter in items(condition, "query_parameters") {
            request.fulfil_parameter(parameter)?;
        }
        request.can_be_sent().then_some(request)
    }

    fn fulfil_header(&mut self, condition: &Value) -> Option<()> {
        let is = |name: &str| condition.get(name).and_then(Value::as_bool) == Some(true);
        let is_absent = condition.get("present_match").and_then(Value::as_bool) == Some(false);
        if is("invert_match") || is_absent {
            return (is("invert_match") != is_absent).then_some(());
        }
        let name = condition.get("name")?.as_str()?.to_ascii_lowercase();
        let value = wanted(condition)?;
        match name.as_str() {
            ":method" => self.method = value,
            ":authority" | "host" => self.host = value,
            _ if name.starts_with(':') => return None,
            _ => self.headers.push((name, value)),
        }
        Some(())
    }

    fn fulfil_parameter(&mut self, condition: &Value) -> Option<()> {
        let name = condition.get("name")?.as_str()?;
        self.query.push(format!("{name}={}", wanted(condition)?));
        Some(())
    }

    /// Path and query.
    pub(super) fn target(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path, self.query.join("&"))
    }

    /// Whether it is one line for each header: what a configuration asks for may be nothing that can be sent.
    pub(super) fn can_be_sent(&self) -> bool {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_value = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let is_header = |(name, value): &(String, String)| is_word(name) && is_value(value);
        [&self.method, &self.host, &self.target()].into_iter().all(|text| is_word(text))
            && self.path.starts_with('/')
            && self.headers.iter().all(is_header)
    }

    /// The same as the filter's core sees it.
    pub(super) fn with_core<T>(&self, ask: impl FnOnce(&jwt_warden::request::Request<'_>) -> T) -> T {
        let target = self.target();
        let pseudo =
            [(":method", self.method.as_str()), (":path", &target), (":authority", &self.host), (":scheme", "http")];
        let others = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all = pseudo.into_iter().chain(others).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        ask(&jwt_warden::request::Request::new(all.collect()))
    }
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A value that the condition on a header or a parameter holds for.
fn wanted(condition: &Value) -> Option<String> {
    let text = |name: &str| condition.get(name).and_then(Value::as_str).map(str::to_owned);
    let own = ["exact_match", "prefix_match", "suffix_match", "contains_match"].into_iter().find_map(text);
    let start =
        || condition.get("range_match").map(|range| range.get("start").map_or("0".to_owned(), Value::to_string));
    let expression = || condition.get("safe_regex_match").and_then(example);
    let matcher = || condition.get("string_match").and_then(fulfilling);
    own.or_else(start).or_else(expression).or_else(matcher).or_else(|| {
        let asks_for_more =
            ["range_match", "safe_regex_match", "string_match"].iter().any(|name| condition.get(name).is_some());
        (!asks_for_more).then(|| "sample".to_owned())
    })
}

/// A text that a `StringMatcher` takes.
pub(super) fn fulfilling(matcher: &Value) -> Option<String> {
    let text = |name: &str| matcher.get(name).and_then(Value::as_str).map(str::to_owned);
    let literal = ["exact", "prefix", "suffix", "contains"].into_iter().find_map(text);
    literal.or_else(|| matcher.get("safe_regex").and_then(example))
}

/// A text that the expression takes, for those that are a text with simple holes in it.
fn example(expression: &Value) -> Option<String> {
    let expression = expression.get("regex")?.as_str()?;
    let pattern = Pattern::new(expression.to_owned()).ok()?;
    let filled = |hole: &str| {
        let holes = [
            "[^/]+",
            "[^/]*",
            ".+",
            ".*",
            "\\d+",
            "\\w+",
            "[0-9]+",
            "[a-z]+",
            "[a-z0-9]+",
            "[a-zA-Z0-9]+",
            "[A-Za-z0-9-]+",
        ];
        let text = holes.iter().fold(expression.to_owned(), |text, found| text.replace(found, hole));
        text.replace("\\.", ".").replace("\\/", "/").trim_start_matches('^').trim_end_matches('$').to_owned()
    };
    let alternatives = |text: &str| {
        let (before, rest) = text.split_once('(')?;
        let (inner, after) = rest.split_once(')')?;
        let first = inner.trim_start_matches("?:").split('|').next()?;
        let after = after.trim_start_matches(['?', '*', '+']);
        Some(format!("{before}{first}{after}"))
    };
    ["x", "1", ""]
        .iter()
        .flat_map(|hole| {
            let whole = filled(hole);
            let mut texts = vec![whole];
            while texts.len() < 5 {
                let Some(next) = texts.last().and_then(|text| alternatives(text)) else { break };
                texts.push(next);
            }
            texts
        })
        .find(|text| pattern.matches(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_made_of_what_rules_ask_for() {
        for (condition, expected) in [
            (json!({"prefix": "/a"}), Some("GET api.example /a []")),
            (
                json!({"path": "/a", "query_parameters": [{"name": "v", "string_match": {"exact": "2"}}]}),
                Some("GET api.example /a?v=2 []"),
            ),
            (
                json!({"safe_regex": {"regex": "/api/v[0-9]+"}}),
                Some("GET api.example /api/vx []").filter(|_| false).or(Some("GET api.example /api/v1 []")),
            ),
            (json!({"safe_regex": {"regex": "/(api|files)/.*\\.png"}}), Some("GET api.example /api/x.png []")),
            (json!({"safe_regex": {"regex": "/a{3}"}}), None),
            (json!({"connect_matcher": {}}), None),
            (
                json!({"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "PUT"}}, {"name": "X-A", "present_match": true}]}),
                Some("PUT api.example / [(\"x-a\", \"sample\")]"),
            ),
            (
                json!({"prefix": "/", "headers": [{"name": "a", "exact_match": "1", "invert_match": true}]}),
                Some("GET api.example / []"),
            ),
            (
                json!({"prefix": "/", "headers": [{"name": "a", "range_match": {"start": 3, "end": 5}}]}),
                Some("GET api.example / [(\"a\", \"3\")]"),
            ),
            (json!({"prefix": "/", "headers": [{"name": "a", "exact_match": "1\r\nb: 2"}]}), None),
            (json!({"prefix": "/a b"}), None),
        ] {
            let request = Request::matching(&condition);
            let told =
                request.map(|made| format!("{} {} {} {:?}", made.method, made.host, made.target(), made.headers));
            assert_eq!(told.as_deref(), expected, "{condition}");
        }
    }

    #[test]
    fn the_operators_requests_are_read() {
        assert_eq!(Request::read("POST /a?b=c").unwrap().target(), "/a?b=c");
        assert_eq!(Request::read(" /a ").unwrap(), Request::get("/a"));
        for text in ["", "GET", "GET a", "GET /a\r\nx: y", "G/T /a", "GET /a HTTP/1.1"] {
            assert!(Request::read(text).unwrap_err().contains("should be a method and a path"), "{text}");
        }
    }
}
