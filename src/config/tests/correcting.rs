//! Who corrects a text, with the operator's program, gets every mistake at once: a running filter stops at the first of a kind.

use serde_json::json;

use super::{least, least_with};
use crate::config::{ConfigError, check, parse};

#[test]
fn who_corrects_a_text_gets_every_mistake_at_once() {
    let mut config = least();
    config["nonsense"] = json!(1);
    config["providers"]["acme"]["audience"] = json!(["api"]);
    config["providers"]["acme"]["types"] = json!(["JWT", 1, 2]);
    config["providers"]["other"] = json!({"forward": "yes"});
    let text = config.to_string();
    let paths = |error: ConfigError| -> Vec<String> { error.mistakes().map(|(path, _)| path.to_owned()).collect() };
    let all = [
        "providers.acme.audience",
        "providers.acme.types[1]",
        "providers.acme.types[2]",
        "providers.other.forward",
        "nonsense",
    ];
    let mut found = paths(check(text.as_bytes(), &|_| None).unwrap_err());
    found.sort_unstable();
    let mut expected = all.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(paths(parse(text.as_bytes(), &|_| None).unwrap_err()).len(), 1);
}

#[test]
fn who_corrects_a_text_gets_more_than_is_logged() {
    let rules: Vec<_> = (0..30).map(|_| json!({"match": {"prefix": "x"}})).collect();
    let text = least_with("/rules", json!(rules)).to_string();
    let mistakes = |result: Result<_, ConfigError>| result.map(drop).unwrap_err();
    let all = mistakes(check(text.as_bytes(), &|_| None));
    assert_eq!((all.mistakes().count(), all.left_out()), (30, 0));
    let logged = mistakes(parse(text.as_bytes(), &|_| None));
    assert_eq!((logged.mistakes().count(), logged.left_out()), (20, 10));
}
