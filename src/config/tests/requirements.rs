//! Requirements: what is a mistake in them, and what is doubtful.

use serde_json::{Value, json};

use super::{check, least, least_with, load};
use crate::config::{Exemption, Requirement};

fn requires(requirement: Value) -> Value {
    json!([{"match": {"prefix": "/"}, "requires": requirement}])
}

fn nested(levels: usize) -> Value {
    let level = |inner: Value, _| json!({"requires_any": {"requirements": [inner]}});
    (1..levels).fold(json!({"provider_name": "acme"}), level)
}

#[test]
fn exactly_one_kind() {
    let sentence = "rules[0].requires: needs exactly one of provider_name, provider_and_audiences, requires_any, \
                    requires_all, allow_missing and allow_missing_or_failed (leave out the whole `requires` for no \
                    verification)";
    for requirement in [
        json!({}),
        json!({"provider_name": "acme", "allow_missing": {}}),
        json!({"provider_name": "acme", "provider_and_audiences": {"provider_name": "acme"}}),
        json!({"allow_missing": {}, "allow_missing_or_failed": {}}),
        json!({"scopes": ["a"]}),
    ] {
        check(&[("/rules", requires(requirement), sentence)]);
    }
}

#[test]
fn mistakes_have_their_path() {
    let many: Vec<_> = (0..1025).map(|_| json!({"provider_name": "acme"})).collect();
    let beside =
        "rules[0].requires: scopes and claims can be asked for beside provider_name or provider_and_audiences only";
    for (requirement, expected) in [
        (
            json!({"provider_name": "acmee"}),
            "rules[0].requires.provider_name: there is no provider `acmee`: there are `acme`",
        ),
        (
            json!({"provider_and_audiences": {"audiences": ["a"]}}),
            "rules[0].requires.provider_and_audiences.provider_name: is required: the provider whose token is needed",
        ),
        (
            json!({"provider_and_audiences": {"provider_name": "acme", "audiences": ["a", "a"]}}),
            "rules[0].requires.provider_and_audiences.audiences[1]: lists `a` a second time",
        ),
        (
            json!({"requires_all": {"requirements": [{"allow_missing": {}}, {"provider_name": "x"}]}}),
            "rules[0].requires.requires_all.requirements[1].provider_name: there is no provider `x`: there are `acme`",
        ),
        (
            json!({"requires_any": {}}),
            "rules[0].requires.requires_any.requirements: is required: at least one requirement",
        ),
        (
            json!({"requires_any": {"requirements": many}}),
            "rules[0].requires.requires_any.requirements: has more than 1024 requirements",
        ),
        (json!({"allow_missing": {}, "scopes": ["a"]}), beside),
        (
            json!({"requires_all": {"requirements": [{"provider_name": "acme"}]}, "claims": [{"claim_name": "a", "exists": true}]}),
            beside,
        ),
        (json!({"provider_name": "acme", "scopes": []}), "rules[0].requires.scopes: has to hold 1 to 256 scopes"),
        (
            json!({"provider_name": "acme", "scopes": ["a b"]}),
            "rules[0].requires.scopes[0]: `a b` is not one scope: printable ASCII without blanks, quotes and backslashes",
        ),
        (json!({"provider_name": "acme", "any_scopes": [""]}), "rules[0].requires.any_scopes[0]: is empty"),
    ] {
        check(&[("/rules", requires(requirement), expected)]);
    }
}

#[test]
fn conditions_ask_for_something() {
    let claims = |condition: Value| requires(json!({"provider_name": "acme", "claims": [condition]}));
    let at = "rules[0].requires.claims[0]";
    for (condition, expected) in [
        (json!({"exists": true}), format!("{at}: needs exactly one of claim_name and claim_path")),
        (
            json!({"claim_name": "", "exists": true}),
            format!("{at}.claim_name: has to be the name of a claim; dots lead into nested objects"),
        ),
        (
            json!({"name": "", "exists": true}),
            format!("{at}.name: has to be the name of a claim; dots lead into nested objects"),
        ),
        (
            json!({"path": [], "exists": true}),
            format!("{at}.path: has to be a list of 1 to 32 names, from the outermost inwards"),
        ),
        (
            json!({"name": "a", "path": ["a"], "exists": true}),
            format!("{at}: names the claim twice: needs exactly one of claim_name and claim_path"),
        ),
        (
            json!({"name": "a", "any_of": [-9_007_199_254_740_992_i64, -9_007_199_254_740_994_i64]}),
            format!(
                "{at}.any_of[1]: is a number that is negative or not whole, but has to be a string, a number that a double \
                 holds exactly, true or false"
            ),
        ),
        (json!({"name": "a", "exists": true, "not": {}}), format!("{at}.not: needs any_of or all_of")),
        (json!({"name": "a", "not": {"any_of": []}}), format!("{at}.not.any_of: has to hold 1 to 256 values")),
        (json!({"claim_name": "a"}), format!("{at}: needs a condition: exists, any_of, all_of or not")),
        (json!({"claim_name": "a", "any_of": []}), format!("{at}.any_of: has to hold 1 to 256 values")),
        (
            json!({"claim_name": "a", "exists": false, "any_of": [1]}),
            format!("{at}.exists: `false` contradicts the values that are asked for"),
        ),
        (
            json!({"claim_name": "a", "any_of": [{}]}),
            format!(
                "{at}.any_of[0]: is an object, but has to be a string, a number that a double holds exactly, true or false"
            ),
        ),
    ] {
        check(&[("/rules", claims(condition), &expected)]);
    }
    for condition in
        [json!({"name": "a", "exists": false}), json!({"path": ["a"], "not": {"all_of": ["x"]}, "exists": true})]
    {
        assert!(load(&least_with("/rules", claims(condition))).is_ok());
    }
}

#[test]
fn what_can_never_be_fulfilled_is_a_mistake() {
    let header = |name: &str| json!({"name": name, "value_prefix": "Bearer "});
    let issuers = ["issuer", "other", "https://i/t", "https://*/t", "https://*/u"];
    let provider = |issuer: &str, places: &[&str]| {
        let mut provider = least()["providers"]["acme"].clone();
        let kind = if issuer.contains('*') { "issuer_patterns" } else { "issuer" };
        provider.as_object_mut().unwrap().remove("issuer");
        provider[kind] = if kind == "issuer" { json!(issuer) } else { json!([issuer]) };
        provider["from_headers"] = places.iter().map(|name| header(name)).collect();
        provider
    };
    let answer = |one: (&str, &[&str]), other: (&str, &[&str]), requirement: &Value| {
        let mut config = least();
        config["providers"]["p"] = provider(one.0, one.1);
        config["providers"]["q"] = provider(other.0, other.1);
        config["rules"] = requires(requirement.clone());
        load(&config).err()
    };
    let [p, q] = ["p", "q"].map(|name| json!({"provider_name": name}));
    let list = |kind: &str, parts: &[&Value]| json!({kind: {"requirements": parts}});
    let all = list("requires_all", &[&p, &q]);
    let sentence = "can never be fulfilled: tokens of `p` and `q` stand in the same places, and none has both issuers";
    let expected = Some(format!("rules[0].requires.requires_all: {sentence}"));
    for (one, other) in [
        ((issuers[0], &["a"][..]), (issuers[1], &["a"][..])),
        ((issuers[0], &["a"]), (issuers[1], &["b", "a"])),
        ((issuers[0], &["b", "a"]), (issuers[1], &["a"])),
        ((issuers[2], &["a"]), (issuers[4], &["a"])),
        ((issuers[4], &["a"]), (issuers[2], &["a"])),
    ] {
        assert_eq!(answer(one, other, &all), expected, "{one:?} {other:?}");
    }
    for (one, other) in [
        ((issuers[0], &["a"][..]), (issuers[0], &["a"][..])),
        ((issuers[0], &["a"]), (issuers[1], &["b"])),
        ((issuers[0], &["a", "b"]), (issuers[1], &["a", "c"])),
        ((issuers[2], &["a"]), (issuers[3], &["a"])),
        ((issuers[3], &["a"]), (issuers[4], &["a"])),
    ] {
        assert_eq!(answer(one, other, &all), None, "{one:?} {other:?}");
    }
    let (one, other) = ((issuers[0], &["a"][..]), (issuers[1], &["a"][..]));
    let only_q = list("requires_any", &[&q]);
    for nested in [list("requires_all", &[&only_q]), list("requires_all", &[&p, &only_q])] {
        let fulfilled_by_none = list("requires_all", &[&p, &nested]);
        assert!(answer(one, other, &fulfilled_by_none).is_some_and(|answer| answer.ends_with(sentence)), "{nested}");
    }
    let missing = json!({"allow_missing": {}});
    for possible in [
        list("requires_any", &[&p, &q]),
        list("requires_all", &[&p, &list("requires_any", &[&p, &q])]),
        list("requires_all", &[&p, &missing]),
        list("requires_all", &[&p, &p]),
        list("requires_all", &[&p, &list("requires_any", &[&q, &json!({"allow_missing_or_failed": {}})])]),
    ] {
        assert_eq!(answer(one, other, &possible), None, "{possible}");
    }
}

#[test]
fn depth_is_bounded() {
    assert!(load(&least_with("/rules", requires(nested(8)))).is_ok());
    let error = load(&least_with("/rules", requires(nested(9)))).unwrap_err();
    assert!(error.ends_with("requirements[0]: is nested deeper than 8 levels"), "{error}");
}

#[test]
fn names_have_to_be_known() {
    let rules = json!([{"match": {"prefix": "/"}, "requirement_name": "x"}]);
    let mut config = least_with("/rules", rules);
    config["requirement_map"] = json!({"y": {"provider_name": "acme"}});
    assert_eq!(load(&config).unwrap_err(), "rules[0].requirement_name: requirement_map has no `x`: it has `y`");
    config["rules"][0]["requirement_name"] = json!("y");
    assert!(load(&config).is_ok());
    config["rules"][0]["requires"] = json!({"provider_name": "acme"});
    assert_eq!(load(&config).unwrap_err(), "rules[0].requirement_name: contradicts `requires`: give one of the two");
    config["requirement_map"] = json!({"": {"provider_name": "acme"}});
    assert!(load(&config).unwrap_err().starts_with("requirement_map: has a requirement without a name"));
}

#[test]
fn exemptions_have_no_place_among_the_parts() {
    let (missing, failed) = (json!({"allow_missing": {}}), json!({"allow_missing_or_failed": {}}));
    let (acme, own) = (json!({"provider_name": "acme"}), json!({"provider_and_audiences": {"provider_name": "acme"}}));
    for (parts, expected) in [
        (json!([&acme, &own]), (2, Exemption::None)),
        (json!([&missing, &acme]), (1, Exemption::Missing)),
        (json!([&acme, &failed, &own]), (2, Exemption::MissingOrFailed)),
        (json!([&failed, &acme, &missing]), (1, Exemption::MissingOrFailed)),
        (json!([&missing, &acme, &failed]), (1, Exemption::MissingOrFailed)),
        (json!([&missing, &failed]), (2, Exemption::None)),
    ] {
        let any = json!({"requires_any": {"requirements": parts}});
        let config = load(&least_with("/rules", requires(any))).unwrap().config;
        let Some(Requirement::Any(parts, exemption)) = config.rules[0].requires.as_deref() else { panic!("{parts}") };
        assert_eq!((parts.len(), *exemption), expected);
    }
}
