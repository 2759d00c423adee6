//! The raw shapes of `match`, and of the conditions in it.

use super::{
    node::Node,
    raw::RawEmpty,
    shape::{Shape, ShapeError, objects, read_fields},
};

objects! {

#[expecting = "an object, with `prefix`, `path` or another condition"]
pub(super) struct RawMatch {
    pub(super) prefix: Option<String>,
    pub(super) path: Option<String>,
    pub(super) path_separated_prefix: Option<String>,
    pub(super) safe_regex: Option<RawRegex>,
    pub(super) connect_matcher: Option<RawEmpty>,
    pub(super) case_sensitive: Option<bool>,
    pub(super) methods: Option<Vec<String>>,
    pub(super) hosts: Option<Vec<String>>,
    pub(super) route_name: Option<String>,
    pub(super) headers: Option<Vec<RawHeaderMatcher>>,
    pub(super) query_parameters: Option<Vec<RawQueryParameter>>,
}

#[expecting = "an object, with `name` and a condition"]
pub(super) struct RawHeaderMatcher {
    pub(super) name: Option<String>,
    pub(super) string_match: Option<RawStringMatcher>,
    pub(super) exact_match: Option<String>,
    pub(super) prefix_match: Option<String>,
    pub(super) suffix_match: Option<String>,
    pub(super) contains_match: Option<String>,
    pub(super) safe_regex_match: Option<RawRegex>,
    pub(super) range_match: Option<RawRange>,
    pub(super) present_match: Option<bool>,
    pub(super) invert_match: Option<bool>,
    pub(super) treat_missing_header_as_empty: Option<bool>,
}

#[expecting = "an object, with `name` and a condition"]
pub(super) struct RawQueryParameter {
    pub(super) name: Option<String>,
    pub(super) string_match: Option<RawStringMatcher>,
    pub(super) present_match: Option<bool>,
}

#[expecting = "an object, with `exact` or another condition"]
pub(super) struct RawStringMatcher {
    pub(super) exact: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) contains: Option<String>,
    pub(super) safe_regex: Option<RawRegex>,
    pub(super) ignore_case: Option<bool>,
}

#[expecting = "an object, with `regex`"]
pub(super) struct RawRegex {
    pub(super) regex: Option<String>,
    // Older configurations name the engine.
    pub(super) google_re2: Option<RawEmpty>,
}

#[expecting = "an object, with `start` and `end`"]
pub(super) struct RawRange {
    pub(super) start: Option<RawInteger>,
    pub(super) end: Option<RawInteger>,
}

}

/// A whole number, or its digits in quotes, as protobuf's JSON has it.
pub(super) struct RawInteger(pub(super) i64);

impl Shape for RawInteger {
    fn read(node: Node) -> Result<Self, ShapeError> {
        let number = match node {
            Node::Whole(number) => i64::try_from(number).ok(),
            Node::OtherNumber(number) => exactly(number),
            Node::Text(digits) => digits.parse().ok(),
            other => return Err(other.is_not("a whole number")),
        };
        number.map(Self).ok_or_else(|| ShapeError::new("has to be a whole number of 64 bits".to_owned()))
    }
}

/// Beyond 2^53, doubles are not exact.
fn exactly(number: f64) -> Option<i64> {
    let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "the range was just checked")]
    exact.then_some(number as i64)
}
