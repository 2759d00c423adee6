//! What the reference's columns for type and default say, in the words of JSON Schema.

use serde_json::{Map, Value, json};

/// The part of a schema that a cell tells.
pub(super) type Part = Map<String, Value>;

/// A number and its unit.
pub(super) const DURATION: &str = r"^([0-9]+(\.[0-9]{1,9})?s|[0-9]+(ms|m|h))$";

/// The name of a header (RFC 9110 section 5.1), or one of those that Envoy makes of a request's first line.
const HEADER_NAME: &str = "^:?[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/// Bounds of a whole number, or its values.
pub(super) fn whole(cell: &str) -> Part {
    let mut part = Part::new();
    if let Some((least, most)) = range(cell) {
        part.insert("minimum".into(), least.into());
        part.insert("maximum".into(), most.into());
    } else if let Some(values) = cell.split(" or ").map(|value| value.parse::<u64>().ok()).collect::<Option<Vec<_>>>() {
        part.insert("enum".into(), json!(values));
    }
    part
}

/// How many entries a list may have.
pub(super) fn list(cell: &str) -> Part {
    let mut part = Part::new();
    let plain = super::reference::plain(cell);
    if let Some((least, most)) = range(&plain) {
        part.insert("minItems".into(), least.into());
        part.insert("maxItems".into(), most.into());
    } else if let Some(most) = plain.split_once("at most ").and_then(|(_, rest)| number(rest.split(' ').next()?)) {
        part.insert("maxItems".into(), most.into());
    }
    part
}

/// The words that a text may be, or what it looks like.
pub(super) fn text(cell: &str) -> Part {
    let mut part = Part::new();
    let words = words(cell);
    if !words.is_empty() {
        part.insert("enum".into(), json!(words));
    } else if cell == "header name" {
        part.insert("pattern".into(), HEADER_NAME.into());
    } else if cell.contains("https URL") {
        part.insert("pattern".into(), "^https://".into());
    } else if cell == "1 to 32 of `a-z`, `0-9` and `_`" {
        part.insert("pattern".into(), "^[a-z0-9_]{1,32}$".into());
    }
    part
}

/// The words, if there is nothing else in the cell.
fn words(cell: &str) -> Vec<&str> {
    let words: Vec<_> = cell.split(" or ").flat_map(|part| part.split(", ")).collect();
    let quoted: Option<Vec<_>> =
        words.iter().map(|word| word.strip_prefix('`').and_then(|word| word.strip_suffix('`'))).collect();
    quoted.unwrap_or_default()
}

/// `true`, where nothing else is taken.
pub(super) fn boolean(cell: &str) -> Part {
    let mut part = Part::new();
    if cell == "`true`" {
        part.insert("const".into(), true.into());
    }
    part
}

/// The default, if the cell is nothing but one.
pub(super) fn default(cell: &str) -> Option<Value> {
    let unquoted = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
    match unquoted {
        Some(code) if !code.contains('`') => {
            Some(serde_json::from_str(code).unwrap_or_else(|_| Value::String(code.to_owned())))
        }
        Some(_) => None,
        None => number(cell).map(Value::from),
    }
}

/// The first `A to B` in a cell.
fn range(cell: &str) -> Option<(u64, u64)> {
    let (before, after) = cell.split_once(" to ")?;
    Some((number(before.rsplit(' ').next()?)?, number(after.split(' ').next()?)?))
}

/// A number, with commas between thousands perhaps.
fn number(text: &str) -> Option<u64> {
    text.trim_end_matches(',').replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_understood() {
        let of = |part: Part| Value::Object(part);
        assert_eq!(of(whole("whole number, 0 to 86400")), json!({"minimum": 0, "maximum": 86400}));
        assert_eq!(of(whole("whole number, 1000 to 10,000,000")), json!({"minimum": 1000, "maximum": 10_000_000}));
        assert_eq!(of(whole("256 to 1048576")), json!({"minimum": 256, "maximum": 1_048_576}));
        assert_eq!(of(whole("401 or 503")), json!({"enum": [401, 503]}));
        assert_eq!(of(whole("whole number")), json!({}));
        assert_eq!(of(list("list of 1 to 16 strings")), json!({"minItems": 1, "maxItems": 16}));
        assert_eq!(of(list("list of [claims](#x), at most 32")), json!({"maxItems": 32}));
        assert_eq!(
            of(text("`text`, `comma_separated` or `json_base64`")),
            json!({"enum": ["text", "comma_separated", "json_base64"]})
        );
        assert_eq!(of(text("string")), json!({}));
        assert_eq!(of(boolean("`true`")), json!({"const": true}));
        assert_eq!(default("`\"600s\"`"), Some(json!("600s")));
        assert_eq!(default("`deny`"), Some(json!("deny")));
        assert_eq!(default("`false`"), Some(json!(false)));
        assert_eq!(default("100,000"), Some(json!(100_000)));
        assert_eq!(default("`true` with a `requirement_map`"), None);
        assert_eq!(default("none"), None);
    }
}
