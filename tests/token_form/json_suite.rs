//! Every case of `JSONTestSuite`, as the header, as the claims, and as a member that nobody asks for.

use serde_json::Value;

use crate::support::{CLAIMS, HEADER, check, decode_standard, shared, token};

/// The implementation-defined cases that are accepted: numbers that `f64` can hold, if not exactly.
const ACCEPTED_BY_CHOICE: [&str; 5] = [
    "i_number_double_huge_neg_exp",
    "i_number_real_underflow",
    "i_number_too_big_neg_int",
    "i_number_too_big_pos_int",
    "i_number_very_big_negative_int",
];

struct Case {
    name: String,
    bytes: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let Some(document) = shared("json/json_test_suite.json") else {
        return Vec::new();
    };
    document["cases"].as_array().unwrap().iter().map(case).collect()
}

fn case(case: &Value) -> Case {
    let bytes = match case.get("generate").and_then(Value::as_str) {
        Some("'['*100000") => b"[".repeat(100_000),
        Some("'[{\"\":'*50000") => b"[{\"\":".repeat(50_000),
        Some(other) => panic!("unknown recipe {other}"),
        None => decode_standard(&case["b64"]),
    };
    Case { name: case["name"].as_str().unwrap().to_owned(), bytes }
}

fn expected_as_member(name: &str) -> bool {
    name.starts_with("y_") || ACCEPTED_BY_CHOICE.contains(&name)
}

fn wrapped(prefix: &str, bytes: &[u8], suffix: &str) -> Vec<u8> {
    [prefix.as_bytes(), bytes, suffix.as_bytes()].concat()
}

#[test]
fn as_a_member() {
    let cases = cases();
    for case in &cases {
        // `x` is wanted by one of the two readings of `check`, `y` by none.
        for name in ["x", "y"] {
            let expected = expected_as_member(&case.name);
            let claims = wrapped(&format!("{{\"{name}\":"), &case.bytes, "}");
            assert_eq!(check(token(HEADER, claims)).is_ok(), expected, "{} in the claims", case.name);
            let header = wrapped(&format!("{{\"alg\":\"ES256\",\"{name}\":"), &case.bytes, "}");
            assert_eq!(check(token(header, CLAIMS)).is_ok(), expected, "{} in the header", case.name);
        }
        let scope = wrapped("{\"scope\":[\"a\",", &case.bytes, "]}");
        assert_eq!(check(token(HEADER, scope)).is_ok(), expected_as_member(&case.name), "{} in scope", case.name);
    }
    println!("JSONTestSuite as a member: {} cases", cases.len());
}

#[test]
fn as_the_whole() {
    let cases = cases();
    let mut objects = 0;
    for case in &cases {
        let is_object = case.name.starts_with("y_object") && !case.name.contains("duplicated");
        objects += usize::from(is_object);
        assert_eq!(check(token(HEADER, &case.bytes)).is_ok(), is_object, "{} as the claims", case.name);
        // None of them has an `alg`.
        assert!(check(token(&case.bytes, CLAIMS)).is_err(), "{} as the header", case.name);
    }
    println!("JSONTestSuite as the whole: {} cases, {objects} of them objects with unique names", cases.len());
}
