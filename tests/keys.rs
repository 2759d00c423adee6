//! Key sets: what is loaded, what is skipped and why, and what is refused whole.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it ran")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write as _;

use jwt_warden::crypto::{InvalidKey, KeyFamily, SignatureAlgorithm};
use jwt_warden::jwks::{KeyError, KeyOrigin, KeySet, KeySetError};
use serde_json::{Value, json};
use support::{ed25519, local_set, p256, rsa, secret, with, without};

const MAX_BYTES: usize = 262_144;

fn parse(document: &str) -> Result<KeySet, KeySetError> {
    KeySet::parse(document.as_bytes(), KeyOrigin::Remote, MAX_BYTES)
}

/// Why the only key of a local set is skipped; `None` if it is usable.
fn reason(key: &Value) -> Option<KeyError> {
    let set = local_set(&json!({ "keys": [key] }));
    assert_eq!(set.len() + set.skipped().len(), 1);
    set.skipped().first().map(|skipped| skipped.reason)
}

#[test]
fn good_keys_are_usable() {
    for key in [p256(), ed25519(), rsa(), secret(32)] {
        assert_eq!(reason(&key), None, "{key}");
        for (member, value) in [("use", json!("sig")), ("key_ops", json!(["sign", "verify"])), ("kid", json!(""))] {
            assert_eq!(reason(&with(key.clone(), member, value)), None, "{member}");
        }
        assert_eq!(reason(&with(key.clone(), "x5c", json!([{ "any": [1] }]))), None);
        assert_eq!(reason(&with(key, "unknown", Value::Null)), None);
    }
}

#[test]
fn purposes_are_heeded() {
    for key in [p256(), ed25519(), rsa(), secret(32)] {
        for purpose in ["enc", "SIG", "", "sig "] {
            assert_eq!(reason(&with(key.clone(), "use", purpose)), Some(KeyError::NotForSignatures));
        }
        for operations in [json!([]), json!(["sign"]), json!(["Verify"])] {
            assert_eq!(reason(&with(key.clone(), "key_ops", operations)), Some(KeyError::NotForVerification));
        }
        for operations in [json!("verify"), json!([1, "verify"]), Value::Null, json!({})] {
            assert_eq!(reason(&with(key.clone(), "key_ops", operations)), Some(KeyError::WrongType("key_ops")));
        }
    }
}

#[test]
fn types_of_members_are_heeded() {
    for member in ["kty", "use", "alg", "kid"] {
        for value in [Value::Null, json!(1), json!(["sig"]), json!({}), json!(true)] {
            let expected = Some(KeyError::WrongType(member));
            assert_eq!(reason(&with(p256(), member, value.clone())), expected, "{member}: {value}");
        }
    }
    for (key, member) in
        [(p256(), "crv"), (p256(), "x"), (ed25519(), "x"), (rsa(), "n"), (rsa(), "e"), (secret(32), "k")]
    {
        assert_eq!(reason(&with(key.clone(), member, 1)), Some(KeyError::WrongType(member)));
        assert_eq!(reason(&without(key, member)), Some(KeyError::Missing(member)));
    }
    assert_eq!(reason(&without(p256(), "kty")), Some(KeyError::Missing("kty")));
}

#[test]
fn types_and_curves_are_exact() {
    for kind in ["ec", "Ec", "rsa", "OCT", "", "AKP"] {
        assert_eq!(reason(&with(p256(), "kty", kind)), Some(KeyError::UnknownType));
    }
    for curve in ["secp256k1", "p-256", "Ed25519", "P-1024", ""] {
        assert_eq!(reason(&with(p256(), "crv", curve)), Some(KeyError::UnknownCurve));
    }
    for curve in ["X25519", "Ed448", "P-256"] {
        assert_eq!(reason(&with(ed25519(), "crv", curve)), Some(KeyError::UnknownCurve));
    }
    assert_eq!(reason(&with(p256(), "crv", "P-384")), Some(KeyError::Invalid(InvalidKey::PointLength)));
}

#[test]
fn algorithms_of_keys_are_heeded() {
    for algorithm in ["none", "RSA-OAEP", "ES256K", "ES521", "es256", "A128GCM", ""] {
        assert_eq!(reason(&with(p256(), "alg", algorithm)), Some(KeyError::UnknownAlgorithm));
    }
    for algorithm in ["ES384", "RS256", "EdDSA", "HS256"] {
        assert_eq!(reason(&with(p256(), "alg", algorithm)), Some(KeyError::AlgorithmMismatch));
    }
    for algorithm in ["EdDSA", "Ed25519"] {
        let set = local_set(&json!({ "keys": [with(ed25519(), "alg", algorithm)] }));
        assert_eq!(set.candidates(None, SignatureAlgorithm::EdDsa).count(), 1);
    }
    let set = local_set(&json!({ "keys": [with(rsa(), "alg", "PS256")] }));
    let serving = SignatureAlgorithm::ALL.into_iter().filter(|algorithm| set.candidates(None, *algorithm).count() > 0);
    assert_eq!(serving.collect::<Vec<_>>(), [SignatureAlgorithm::Ps256]);
}

#[test]
fn private_members_spoil_a_key() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        for key in [p256(), ed25519(), rsa()] {
            assert_eq!(reason(&with(key, member, Value::Null)), Some(KeyError::Private));
        }
    }
}

#[test]
fn secrets_are_as_long_as_the_hash() {
    assert_eq!(reason(&secret(31)), Some(KeyError::SecretShorterThan(32)));
    assert_eq!(reason(&with(secret(32), "alg", "HS256")), None);
    assert_eq!(reason(&with(secret(47), "alg", "HS384")), Some(KeyError::SecretShorterThan(48)));
    assert_eq!(reason(&with(secret(48), "alg", "HS512")), Some(KeyError::SecretShorterThan(64)));
    assert_eq!(reason(&with(secret(64), "alg", "RS256")), Some(KeyError::AlgorithmMismatch));
    assert!(KeyError::SecretShorterThan(64).to_string().contains("shorter than 64"));
    let set = local_set(&json!({ "keys": [secret(48)] }));
    assert_eq!(set.candidates(None, SignatureAlgorithm::Hs384).count(), 1);
    assert_eq!(set.candidates(None, SignatureAlgorithm::Hs512).count(), 0);
}

#[test]
fn secrets_of_servers_do_not_count() {
    let set = parse(&json!({ "keys": [secret(64), p256()] }).to_string()).unwrap();
    assert_eq!(set.len(), 1);
    assert_eq!(set.skipped()[0].reason, KeyError::SecretFromRemote);
}

#[test]
fn numbers_are_base64url_without_padding() {
    for bad in ["AQAB=", "AQA+", "AQA/", "AQ AB", "A", "AR"] {
        assert_eq!(reason(&with(rsa(), "e", bad)), Some(KeyError::NotBase64url("e")), "{bad:?}");
    }
    assert_eq!(reason(&with(rsa(), "e", "AAEAAQ")), Some(KeyError::Invalid(InvalidKey::NotMinimal)));
    assert_eq!(reason(&with(rsa(), "e", "AQ")), Some(KeyError::Invalid(InvalidKey::Exponent)));
}

#[test]
fn points_are_exact() {
    let length = Some(KeyError::Invalid(InvalidKey::PointLength));
    let place = Some(KeyError::Invalid(InvalidKey::PointNotOnCurve));
    assert_eq!(reason(&with(p256(), "x", "AA")), length);
    assert_eq!(reason(&with(p256(), "x", "")), length);
    assert_eq!(reason(&with(p256(), "y", "AMfxRM0bvZt-hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt")), length);
    assert_eq!(reason(&with(p256(), "y", "A".repeat(43))), place);
    assert_eq!(reason(&with(p256(), "x", "_".repeat(42) + "8")), place, "a coordinate beyond the field");
    assert_eq!(reason(&with(with(p256(), "x", "A".repeat(43)), "y", "A".repeat(43))), place);
    assert_eq!(reason(&with(ed25519(), "x", "AA")), length);
    assert_eq!(reason(&with(ed25519(), "x", "A".repeat(43))), Some(KeyError::Invalid(InvalidKey::PointWeak)));
}

#[test]
fn a_skipped_key_leaves_the_rest() {
    let keys = json!([null, 1, "key", [p256()], with(p256(), "kid", "good"), with(rsa(), "kid", "x".repeat(100))]);
    let mut document = json!({ "keys": keys, "unknown": { "a": 1 } }).to_string();
    let twice = r#"{"kid":"twice","kty":"OKP","a":1,"\u0061":2}"#;
    document = document.replacen("[null,", &format!("[{twice},"), 1).replace("\"AQAB\"", "\"AQ\"");
    let set = parse(&document).unwrap();
    assert_eq!(set.len(), 1);
    assert!(set.has_kid("good") && !set.has_kid("twice"));
    let shown: Vec<String> = set.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(shown[0], "key 0 (kid \"twice\"): a member name is there twice");
    assert_eq!(shown[1..4], [1, 2, 3].map(|index| format!("key {index}: not a JSON object")));
    assert_eq!(set.skipped()[4].kid, Some("x".repeat(64)));
}

#[test]
fn reports_show_no_key_material() {
    let marked = [
        with(secret(64), "kty", "LEAK"),
        json!({ "kty": "oct", "k": "LEAK" }),
        json!({ "kty": "oct", "k": ["LEAK"] }),
        with(p256(), "d", "LEAK"),
        json!("LEAK"),
    ];
    let document = json!({ "keys": marked }).to_string();
    let set = local_set(&json!({ "keys": marked }));
    let mut shown = format!("{set:?}");
    set.skipped().iter().for_each(|skipped| write!(shown, "{skipped}").unwrap());
    for broken in [document.replace(']', ","), format!("\"LEAK{document}"), document.replace("\"keys\"", "\"kexs\"")] {
        let error = KeySet::parse(broken.as_bytes(), KeyOrigin::Local, MAX_BYTES).unwrap_err();
        write!(shown, "{error} {error:?}").unwrap();
    }
    assert!(!shown.contains("LEAK"), "{shown}");
    let usable = format!("{:?}", local_set(&json!({ "keys": [with(secret(32), "kid", "k")] })));
    assert!(!usable.contains("AQEB") && !usable.contains("1, 1"), "{usable}");
}

#[test]
fn documents_are_one_json_object() {
    let good = json!({ "keys": [p256()] }).to_string();
    assert_eq!(parse(&good).unwrap().len(), 1);
    assert_eq!(parse(&format!(" \r\n\t{good} \n")).unwrap().len(), 1);
    for bad in [
        String::new(),
        format!("\u{feff}{good}"),
        format!("{good}{good}"),
        format!("{good},"),
        format!("[{good}]"),
        format!("// comment\n{good}"),
        good.replace(']', ",]"),
        good.replace('}', "\n,}"),
        good.replace("\"EC\"", "NaN"),
        good.replace("\"EC\"", "\"\u{1}\""),
        good.replace("\"EC\"", "01"),
        "null".to_owned(),
        "[[]]".to_owned(),
    ] {
        assert!(matches!(parse(&bad), Err(KeySetError::NotAnObject { .. })), "{bad}");
    }
    assert_eq!(KeySet::parse(b"{\"keys\":[\"\xff\"]}", KeyOrigin::Remote, 100).unwrap_err(), KeySetError::NotUtf8);
    assert_eq!(parse("{}").unwrap_err(), KeySetError::KeysMissing);
    for bad in ["null", "{}", "1", "\"\""] {
        assert_eq!(parse(&format!("{{\"keys\":{bad}}}")).unwrap_err(), KeySetError::KeysNotAnArray);
    }
    assert_eq!(parse(r#"{"keys":[],"key\u0073":[]}"#).unwrap_err(), KeySetError::DuplicateMember);
    assert!(parse(r#"{"keys":[]}"#).unwrap().is_empty());
    assert!(!format!("{}", parse("[").unwrap_err()).is_empty());
}

#[test]
fn documents_are_bounded() {
    let of = |count: usize| json!({ "keys": vec![Value::Null; count] }).to_string();
    assert_eq!(parse(&of(256)).unwrap().skipped().len(), 256);
    assert_eq!(parse(&of(257)).unwrap_err(), KeySetError::TooManyKeys);
    let document = of(1);
    let bytes = document.len();
    assert!(KeySet::parse(document.as_bytes(), KeyOrigin::Local, bytes).is_ok());
    let error = KeySet::parse(document.as_bytes(), KeyOrigin::Local, bytes - 1).unwrap_err();
    assert_eq!(error, KeySetError::TooLarge { bytes, max_bytes: bytes - 1 });
    // The set's object and its `keys` are two levels of the 32.
    let nested = |depth: usize| format!("{{\"keys\":[{}{}]}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse(&nested(30)).unwrap().skipped().len(), 1);
    assert_eq!(parse(&nested(31)).unwrap_err(), KeySetError::TooDeep);
    assert_eq!(parse(&"[".repeat(MAX_BYTES)).unwrap_err(), KeySetError::TooDeep);
}

#[test]
fn candidates_are_chosen_by_kid_and_algorithm() {
    let set = local_set(&json!({ "keys": [
        with(p256(), "kid", "a"), with(ed25519(), "kid", "a"), with(with(p256(), "kid", "a"), "alg", "ES256"), p256(), rsa(),
    ] }));
    let count = |kid: Option<&str>, algorithm| set.candidates(kid, algorithm).count();
    assert_eq!(count(Some("a"), SignatureAlgorithm::Es256), 2);
    assert_eq!(count(Some("a"), SignatureAlgorithm::EdDsa), 1);
    assert_eq!(count(Some("a"), SignatureAlgorithm::Rs256), 0);
    assert_eq!(count(Some("A"), SignatureAlgorithm::Es256), 0);
    assert_eq!(count(Some(""), SignatureAlgorithm::Es256), 0);
    assert_eq!(count(None, SignatureAlgorithm::Es256), 3);
    assert_eq!(count(None, SignatureAlgorithm::Es384), 0);
    assert_eq!(count(None, SignatureAlgorithm::Ps512), 1);
    assert!(set.has_kid("a") && !set.has_kid("") && !set.has_kid("A"));
    assert_eq!(set.candidates(None, SignatureAlgorithm::EdDsa).next().unwrap().family(), KeyFamily::Ed25519);
    let many = local_set(&json!({ "keys": vec![p256(); 20] }));
    assert_eq!((many.len(), many.candidates(None, SignatureAlgorithm::Es256).count()), (20, 8));
}
