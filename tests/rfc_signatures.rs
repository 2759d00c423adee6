//! The examples of the RFCs, whole and tampered with.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it ran")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

mod support;

use jwt_warden::crypto::{SignatureAlgorithm, VerifyingKey};
use serde_json::{Value, json};
use support::{base64url, local_set, parts, vectors, verifies};

#[test]
fn rfc_examples() {
    let Some(file) = vectors("rfc/rfc_vectors.json") else { return };
    let (mut accepted, mut refused) = (0, 0);
    for vector in file["vectors"].as_array().unwrap() {
        let jws = vector["jws"].as_str().map_or_else(|| vector["jws"].to_string(), str::to_owned);
        let verdict = vector["jwks"].is_object() && verifies(&local_set(&vector["jwks"]), &jws);
        assert_eq!(verdict, vector["expected"] == "accept", "{}", vector["name"]);
        *if verdict { &mut accepted } else { &mut refused } += 1;
    }
    println!("rfc: {accepted} accepted, {refused} refused");
    assert!(accepted > 0 && refused > 0);
}

/// The public members of a JWK.
fn public(key: &Value) -> Value {
    let mut key = key.clone();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        key.as_object_mut().unwrap().remove(member);
    }
    key
}

/// One or many.
fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

#[test]
fn cookbook() {
    let names = [
        "4_1.rsa_v15_signature",
        "4_2.rsa-pss_signature",
        "4_3.ecdsa_signature",
        "4_4.hmac-sha2_integrity_protection",
        "4_5.signature_with_detached_content",
        "4_6.protecting_specific_header_fields",
        "4_7.protecting_content_only",
        "4_8.multiple_signatures",
        "curve25519_jws",
    ];
    let mut signatures = 0;
    for name in names {
        let Some(file) = vectors(&format!("rfc/cookbook/{name}.json")) else { return };
        let (keys, algorithms) = (list(&file["input"]["key"]), list(&file["input"]["alg"]));
        for ((key, algorithm), signing) in keys.iter().zip(algorithms).zip(list(&file["signing"])) {
            let algorithm = SignatureAlgorithm::from_name(algorithm.as_str().unwrap()).unwrap();
            let private = local_set(&json!({ "keys": [key] }));
            assert_eq!(private.is_empty(), key["kty"] != "oct", "{name}: a private key is no verifying key");
            let set = local_set(&json!({ "keys": [public(key)] }));
            let key = set.candidates(None, algorithm).next().unwrap();
            let input = signing["sig-input"].as_str().unwrap().as_bytes();
            let signature = base64url(signing["sig"].as_str().unwrap()).unwrap();
            assert!(key.verifies(algorithm, input, &signature), "{name}");
            signatures += 1;
        }
    }
    println!("cookbook: {signatures} signatures");
    assert_eq!(signatures, 11);
}

/// One good signature per algorithm that the corpora have one of.
fn one_of_each_algorithm() -> Vec<(String, Value)> {
    let mut examples: Vec<(String, Value)> = Vec::new();
    for file in ["rfc/rfc_vectors.json", "wycheproof/jws_flat.json"].into_iter().filter_map(vectors) {
        for vector in file["vectors"].as_array().unwrap().iter().filter(|vector| vector["expected"] == "accept") {
            let jws = vector["jws"].as_str().unwrap();
            let algorithm = |jws: &str| parts(jws).unwrap().algorithm;
            if !examples.iter().any(|(known, _)| algorithm(known) == algorithm(jws)) {
                examples.push((jws.to_owned(), vector["jwks"].clone()));
            }
        }
    }
    examples
}

fn first_that_verifies<'a>(keys: impl Iterator<Item = &'a VerifyingKey>, jws: &str) -> &'a VerifyingKey {
    let parts = parts(jws).unwrap();
    let mut keys = keys.filter(|key| key.verifies(parts.algorithm, parts.signing_input.as_bytes(), &parts.signature));
    keys.next().unwrap()
}

#[test]
fn tampered_signatures_are_refused() {
    for (jws, jwks) in one_of_each_algorithm() {
        let set = local_set(&jwks);
        let parts = parts(&jws).unwrap();
        let (algorithm, input, signature) = (parts.algorithm, parts.signing_input.as_bytes(), &parts.signature);
        let key = first_that_verifies(set.candidates(None, algorithm), &jws);
        let mut forged = signature.clone();
        for bit in 0..8 * signature.len() {
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies(algorithm, input, &forged), "{algorithm:?}: bit {bit}");
            forged[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..signature.len() {
            assert!(!key.verifies(algorithm, input, &signature[..length]), "{algorithm:?}: first {length}");
            assert!(!key.verifies(algorithm, input, &signature[length + 1..]), "{algorithm:?}: all after {length}");
        }
        for longer in [[&[0], signature.as_slice()].concat(), [signature.as_slice(), &[0]].concat()] {
            assert!(!key.verifies(algorithm, input, &longer), "{algorithm:?}: an octet more");
        }
        for filler in [0, 1, 0x7f, 0x80, 0xff] {
            assert!(!key.verifies(algorithm, input, &vec![filler; signature.len()]), "{algorithm:?}: all {filler}");
        }
        for other in SignatureAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(!key.verifies(other, input, signature), "{algorithm:?} as {other:?}");
        }
        assert!(key.verifies(algorithm, input, signature));
        println!("tampered: {algorithm:?}: {} bits, {} cuts", 8 * signature.len(), 2 * signature.len());
    }
}
