//! Input that no operator would write.

use std::fmt::Write;

use proptest::prelude::*;
use prost::Message;
use serde_json::json;

use super::{super::parse, environment, example, least, least_with, load};

fn refused(text: impl AsRef<[u8]>) -> String {
    parse(text.as_ref(), &environment).unwrap_err().to_string()
}

#[test]
fn what_is_no_configuration_at_all_gets_a_sentence() {
    let empty = "configuration: is empty: give the plugin a JSON object, with `providers` and `rules`";
    let not_an_object = "configuration: has to be a JSON object, with `providers` and `rules`";
    for (text, expected) in [
        ("", empty),
        (" \n", empty),
        ("[]", not_an_object),
        ("null", not_an_object),
        ("\"{}\"", not_an_object),
        ("{}", "providers: is required: an object from names to providers"),
        ("{", "configuration: is not JSON: EOF while parsing an object at line 1 column 1"),
        ("{\"realm\":\n NaN}", "configuration: is not JSON: expected value at line 2 column 2"),
        ("{} {}", "configuration: is not JSON: trailing characters at line 1 column 4"),
        ("providers:\n  acme: {}\n", "configuration: is not JSON: expected value at line 1 column 1"),
        ("\u{feff}{}", "configuration: is not JSON: expected value at line 1 column 1"),
    ] {
        assert_eq!(refused(text), expected, "{text:?}");
    }
    assert_eq!(refused(b"\xff\xfe"), "configuration: is not JSON: invalid utf-8 sequence of 1 bytes from index 0");
}

#[test]
fn a_name_given_twice_is_refused() {
    for (text, expected) in [
        (r#"{"realm": "a", "realm": "a"}"#, "configuration: `realm` is given twice at line 1 column 22"),
        (r#"{"realm": "a", "re\u0061lm": "a"}"#, "configuration: `realm` is given twice at line 1 column 27"),
        (r#"{"providers": {"a": {}, "a": {}}}"#, "providers: `a` is given twice at line 1 column 27"),
        (
            r#"{"unavailable_status": 401, "unavailableStatus": 401}"#,
            "configuration: `unavailable_status` is given twice: in snake_case and in lowerCamelCase",
        ),
    ] {
        assert_eq!(refused(text), expected);
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |levels: usize| format!(r#"{{"rules": {}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(refused(deep(63)).starts_with("rules[0]: is a list, but has to be an object"));
    for levels in [64, 100, 1000, 100_000] {
        assert!(refused(deep(levels)).contains("is nested deeper than 64 levels"), "{levels}");
    }
    assert!(refused("[".repeat(500_000)).starts_with("configuration: is not JSON: "));
    assert_eq!(refused(" ".repeat((1 << 20) + 1)), "configuration: is longer than 1048576 bytes");
}

#[test]
fn a_deep_struct_is_refused() {
    let deep = (0..1000).fold(json!({}), |inner, _| json!({ "a": inner }));
    let bytes = std::thread::Builder::new().stack_size(64 << 20);
    let bytes = bytes.spawn(move || {
        let bytes = example::structure(&deep).encode_to_vec();
        std::mem::forget(deep);
        bytes
    });
    assert!(refused(bytes.unwrap().join().unwrap()).starts_with("configuration: is not JSON: "));
}

#[test]
fn numbers_of_a_struct_have_to_be_whole() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.5, 1e300] {
        let mut structure = example::structure(&least());
        let kind = Some(prost_types::value::Kind::NumberValue(number));
        structure.fields.insert("unavailable_status".to_owned(), prost_types::Value { kind });
        let expected = "unavailable_status: is a number that is negative or not whole, but has to be a whole number, \
                        zero or more";
        assert_eq!(refused(structure.encode_to_vec()), expected);
    }
}

#[test]
fn rules_and_providers_are_bounded_in_number() {
    let rules: Vec<_> = (0..4096).map(|index| json!({"match": {"path": format!("/{index}")}})).collect();
    assert!(load(&least_with("/rules", json!(rules))).is_ok());
    let rules: Vec<_> = (0..4097).map(|index| json!({"match": {"path": format!("/{index}")}})).collect();
    assert_eq!(load(&least_with("/rules", json!(rules))).unwrap_err(), "rules: has more than 4096 rules");
    let providers = (0..1025).fold(String::new(), |mut text, index| {
        write!(text, r#""{index}": {{}},"#).unwrap();
        text
    });
    let text = format!(r#"{{"providers": {{{}}}}}"#, providers.trim_end_matches(','));
    assert!(refused(text).starts_with("providers: has to hold 1 to 1024 providers"));
}

#[test]
fn secrets_are_never_quoted() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    for local in [
        json!(secret),
        json!([secret]),
        json!({"inline_string": [secret]}),
        json!({"inline_string": {"keys": secret}}),
        json!({"inline_string": secret, "inline_bytes": secret}),
        json!({"inline_bytes": format!("{secret}!")}),
        json!({"inline_string": secret, "realm": 1}),
        json!({"environment_variable": 1, "inline_string": secret}),
    ] {
        let config = least_with("/providers/acme/local_jwks", local.clone());
        let error = load(&config).unwrap_err();
        assert!(!error.contains("c2Vj"), "{local}: {error}");
        let audit = json!({"decisions": "all", "subject": "digest", "digest_key": local});
        let error = load(&least_with("/audit", audit)).unwrap_err();
        assert!(!error.contains("c2Vj"), "{local}: {error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes, &environment);
    }

    #[test]
    fn any_text_gives_an_answer_in_printable_lines(text in ".{0,200}") {
        if let Err(error) = parse(text.as_bytes(), &environment) {
            prop_assert!(error.to_string().bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
        }
    }

    /// The full example with one byte replaced, as text and as Struct, is loaded or refused.
    #[test]
    fn a_damaged_configuration_gives_an_answer(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let bytes = [example::full().to_string().into_bytes(), example::structure(&example::full()).encode_to_vec()];
        for mut bytes in bytes {
            let position = position.index(bytes.len());
            bytes[position] = byte;
            let answer = parse(&bytes, &environment).map_err(|error| error.to_string());
            prop_assert!(answer.is_ok() || !answer.unwrap_err().contains("11qYAYKxCrfVS"));
        }
    }

    #[test]
    fn any_name_and_value_is_quoted_in_one_printable_line(name in "\\PC{0,200}|.{0,100}", value in ".{0,200}") {
        for config in [
            least_with("/realm", json!({ name.clone(): 1 })),
            json!({ "providers": { name.clone(): {} } }),
            json!({ "providers": {}, name.clone(): 1 }),
            least_with("/unmatched", json!(value)),
            least_with("/rules", json!([{"match": {"prefix": "/"}, "requires": {"provider_name": value}}])),
        ] {
            if let Err(error) = load(&config) {
                prop_assert!(error.lines().all(|line| line.len() < 2000));
                prop_assert!(error.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{}", error);
            }
        }
    }
}
