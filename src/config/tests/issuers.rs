//! Whose tokens a provider accepts.

use serde_json::{Value, json};

use super::{least_with, load};

#[test]
fn issuers_are_exact_or_patterns() {
    let with = |members: Value| {
        let mut config = least_with("/providers/acme/issuer", Value::Null);
        config["providers"]["acme"].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        load(&config).map_or_else(|mistake| mistake, |_| String::new())
    };
    let many: Vec<_> = (0..17).map(|index| format!("{index}/*")).collect();
    let at = "providers.acme.issuer_patterns";
    for (members, expected) in [
        (json!({"issuer_patterns": ["https://*/v2.0", "b"]}), String::new()),
        (json!({"issuer_patterns": many[1..]}), String::new()),
        (json!({"issuer_patterns": many}), format!("{at}: has more than 16 patterns")),
        (json!({"issuer_patterns": ["a", "a"]}), format!("{at}[1]: lists `a` a second time")),
        (json!({"issuer_patterns": [""]}), format!("{at}[0]: is empty")),
        (json!({"issuer_patterns": ["a", "**"]}), format!("{at}[1]: has to hold at most 4 `*`, and no two in a row")),
        (json!({"issuer_patterns": ["a"], "issuer": "b"}), format!("{at}: contradicts `issuer`: give one of the two")),
        (
            json!({"issuer_patterns": ["a"], "any_issuer": true}),
            format!("{at}: contradicts any_issuer: true: give one of the two"),
        ),
    ] {
        assert_eq!(with(members.clone()), expected, "{members}");
    }
    assert!(with(json!({"issuer_patterns": []})).starts_with("providers.acme.issuer: is required"));
}
