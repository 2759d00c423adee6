//! Key sets against whole corpora: `jwt_verify_lib`'s, `JSONTestSuite`'s, and mangled ones.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it ran")]
#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::panic, reason = "a test fails by panicking")]

mod support;

use jwt_warden::jwks::{KeyOrigin, KeySet};
use serde_json::{Value, json};
use support::{ed25519, p256, rsa, secret, vectors, with};

const MAX_BYTES: usize = 262_144;

/// What `jwt_verify_lib` loads and we do not, and why. It guesses a missing `crv` from `alg`, takes coordinates without
/// their leading zeros, looks at an Ed25519 point only when it verifies, and takes certificates by `kid` for a key set.
const STRICTER: [(&str, &str); 8] = [
    ("GoodOKP", "not on the curve"),
    ("JwksIgnoreUnsupportedKey", "not on the curve"),
    ("JwksECMatchAlgES512CrvP521", "the length that the curve demands"),
    ("JwksECMissingBothAlgCrvES256", "`crv` is missing"),
    ("JwkECMissingCrv", "`crv` is missing"),
    ("JwksECUnspecifiedCrv", "`crv` is missing"),
    ("JwksGoodX509", "`keys` is missing"),
    ("RealJwksX509", "`keys` is missing"),
];

#[test]
fn jwt_verify_lib_sets() {
    let Some(file) = vectors("jwt_verify_lib/jwks_vectors.json") else { return };
    let (mut loaded, mut refused, mut stricter, mut other) = (0, 0, 0, 0);
    for vector in file["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap().rsplit('.').next().unwrap();
        if vector["type"] != "JWKS" {
            other += 1;
            continue;
        }
        let set = KeySet::parse(vector["text"].as_str().unwrap().as_bytes(), KeyOrigin::Local, MAX_BYTES);
        let usable = set.as_ref().map_or(0, KeySet::len);
        let why = match &set {
            Ok(set) => set.skipped().iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            Err(error) => error.to_string(),
        };
        if vector["expected"] == "refuse" {
            assert_eq!(usable, 0, "{name}");
            refused += 1;
        } else if let Some((_, reason)) = STRICTER.iter().find(|(stricter, _)| *stricter == name) {
            println!("stricter than upstream: {name}: {why}");
            assert!(usable == 0 && why.contains(reason), "{name}: {why}");
            stricter += 1;
        } else {
            assert!(usable > 0, "{name}: {why}");
            if !why.is_empty() {
                println!("{name}: {usable} usable; {why}");
            }
            loaded += 1;
        }
    }
    println!("jwt_verify_lib: {loaded} loaded, {refused} refused, {stricter} refused by us alone, {other} not JWKS");
}

fn suite_text(case: &Value) -> Vec<u8> {
    use base64::Engine as _;
    match (case["b64"].as_str(), case["name"].as_str().unwrap()) {
        (Some(encoded), _) => base64::engine::general_purpose::STANDARD.decode(encoded).unwrap(),
        (None, "n_structure_100000_opening_arrays") => b"[".repeat(100_000),
        (None, "n_structure_open_array_object") => b"[{\"\":".repeat(50_000),
        (None, name) => panic!("{name} has no text"),
    }
}

/// Each text alone, as an unknown member of the set, and as a key.
#[test]
fn json_test_suite() {
    let Some(file) = vectors("json/json_test_suite.json") else { return };
    let (mut good, mut bad, mut free) = (0, 0, 0);
    for case in file["cases"].as_array().unwrap() {
        let text = suite_text(case);
        let member = [b"{\"keys\":[],\"unknown\":", text.as_slice(), b"}"].concat();
        let key = [b"{\"keys\":[0,", text.as_slice(), b"]}"].concat();
        let loads = |text: &[u8]| KeySet::parse(text, KeyOrigin::Local, MAX_BYTES).is_ok();
        assert!(!loads(&text), "{case}: no set");
        match case["name"].as_str().unwrap().as_bytes()[0] {
            b'n' => {
                assert!(!loads(&member) && !loads(&key), "{case}");
                bad += 1;
            }
            b'y' => {
                assert!(loads(&member) && loads(&key), "{case}");
                good += 1;
            }
            _ => free += 1,
        }
    }
    println!("json test suite in key sets: {good} good, {bad} bad, {free} left to the implementation");
    assert!(good > 0 && bad > 0);
}

/// Octets changed, removed and doubled at random: any verdict will do, but there has to be one.
#[test]
fn mangled_documents_do_no_harm() {
    let document =
        json!({ "keys": [p256(), ed25519(), rsa(), with(secret(32), "key_ops", json!(["verify"]))] }).to_string();
    let mut state = 1_u64;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let mut loaded = 0;
    for _ in 0..20_000 {
        let mut mangled = document.clone().into_bytes();
        for _ in 0..=random(3) {
            let place = random(mangled.len());
            match random(3) {
                0 => mangled[place] = b"\"\\{}[],:0eu\0\xff AZ"[random(16)],
                1 => _ = mangled.remove(place),
                _ => mangled.insert(place, mangled[place]),
            }
        }
        loaded += usize::from(KeySet::parse(&mangled, KeyOrigin::Local, MAX_BYTES).is_ok());
    }
    println!("20000 mangled documents, {loaded} of them still sets");
}
