//! The text that a claim is told in, where it can be told without doubt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::config::ClaimFormat;

/// The claim cannot be told: it would arrive as another value, or as another header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsafe;

/// A number that is no 64-bit integer is read as a double (RFC 8259 section 6): up to here no two integers become one.
const EXACT: f64 = 1e15;

/// The text of a claim; `None` for null.
///
/// # Errors
///
/// [`Unsafe`] if the text would be read as something else than what was signed: it holds a control character, or white
/// space at its ends, which HTTP would cut off (RFC 9110 section 5.5); a number in it has lost digits; or the elements of
/// a list could not be told apart.
pub(crate) fn claim_text(value: &Value, format: ClaimFormat) -> Result<Option<String>, Unsafe> {
    if !is_exact(value) {
        return Err(Unsafe);
    }
    match (value, format) {
        (Value::Null, _) => Ok(None),
        (Value::Array(elements), ClaimFormat::CommaSeparated) => list(elements).map(Some),
        (_, ClaimFormat::CommaSeparated) => element(value).map(Some),
        (Value::Array(_) | Value::Object(_), _) | (_, ClaimFormat::JsonBase64) => {
            serde_json::to_string(value).map(|json| Some(STANDARD.encode(json))).map_err(|_| Unsafe)
        }
        (_, ClaimFormat::Text) => scalar(value).map(Some),
    }
}

/// Two subjects must not become one because their numbers were rounded.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().is_some_and(|number| number.abs() < EXACT),
        Value::Array(elements) => elements.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

fn list(elements: &[Value]) -> Result<String, Unsafe> {
    let elements: Result<Vec<_>, _> = elements.iter().map(element).collect();
    elements.map(|elements| elements.join(","))
}

/// One element of a list (RFC 9110 section 5.6.1): a comma would make it two, and an empty one is not seen.
fn element(value: &Value) -> Result<String, Unsafe> {
    scalar(value).and_then(|text| if text.is_empty() || text.contains(',') { Err(Unsafe) } else { Ok(text) })
}

fn scalar(value: &Value) -> Result<String, Unsafe> {
    match value {
        Value::String(text) if is_safe(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Unsafe),
    }
}

fn is_safe(text: &str) -> bool {
    !text.contains(char::is_control) && text.trim_matches(' ').len() == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value, format: ClaimFormat) -> Result<Option<String>, Unsafe> {
        claim_text(value, format)
    }

    fn check(format: ClaimFormat, cases: &[(Value, Option<&str>)]) {
        for (value, expected) in cases {
            assert_eq!(text(value, format), Ok(expected.map(str::to_owned)), "{value}");
        }
    }

    fn refused(format: ClaimFormat, values: &[Value]) {
        for value in values {
            assert_eq!(text(value, format), Err(Unsafe), "{value}");
        }
    }

    #[test]
    fn values_become_text() {
        check(
            ClaimFormat::Text,
            &[
                (json!("a"), Some("a")),
                (json!("a,b"), Some("a,b")),
                (json!(""), Some("")),
                (json!(9999), Some("9999")),
                (json!(-1.5), Some("-1.5")),
                (json!(true), Some("true")),
                (json!(["a", 1]), Some("WyJhIiwxXQ==")),
                (json!({"a": 1}), Some("eyJhIjoxfQ==")),
                (json!(null), None),
            ],
        );
    }

    #[test]
    fn lists_are_joined_by_commas() {
        check(
            ClaimFormat::CommaSeparated,
            &[
                (json!(["a", "b c", 1, true]), Some("a,b c,1,true")),
                (json!(["a"]), Some("a")),
                (json!([]), Some("")),
                (json!("a"), Some("a")),
                (json!(7), Some("7")),
                (json!(null), None),
            ],
        );
    }

    #[test]
    fn elements_that_could_not_be_told_apart_are_refused() {
        let elements = [json!("a,b"), json!(""), json!(" a"), json!("a "), json!("a\n"), json!(["a"]), json!({})];
        refused(ClaimFormat::CommaSeparated, &elements.clone().map(|element| json!(["x", element])));
        refused(ClaimFormat::CommaSeparated, &[json!(["x", null]), json!("a,b"), json!(""), json!({"a": 1})]);
    }

    #[test]
    fn anything_can_be_json() {
        check(
            ClaimFormat::JsonBase64,
            &[
                (json!("a\r\nb"), Some("ImFcclxuYiI=")),
                (json!(7), Some("Nw==")),
                (json!(["a,b"]), Some("WyJhLGIiXQ==")),
                (json!(null), None),
            ],
        );
    }

    #[test]
    fn only_text_that_arrives_as_it_is_may_become_a_header() {
        for text in ["", "a", "a b", "é", "a,b;c\"d"] {
            assert_eq!(claim_text(&json!(text), ClaimFormat::Text), Ok(Some(text.to_owned())));
        }
        for text in ["a\r\nx: y", "a\0", "\t", "a\u{7f}", "a\u{85}b", " a", "admin "] {
            refused(ClaimFormat::Text, &[json!(text)]);
        }
    }

    #[test]
    fn a_number_that_lost_digits_is_refused() {
        let number = |digits: &str| serde_json::from_str::<Value>(digits).unwrap();
        for digits in
            ["9223372036854775807", "18446744073709551615", "-9223372036854775808", "-1.5", "999999999999999.0"]
        {
            let told = text(&number(digits), ClaimFormat::Text);
            assert_eq!(told, Ok(Some(digits.to_owned())));
        }
        for digits in [
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234567890",
            "1000000000000000.0",
            "-1e15",
        ] {
            let value = number(digits);
            for format in [ClaimFormat::Text, ClaimFormat::CommaSeparated, ClaimFormat::JsonBase64] {
                refused(format, &[value.clone(), json!([value]), json!({"a": [{"b": value}]})]);
            }
        }
    }
}
