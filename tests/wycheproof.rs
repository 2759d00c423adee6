//! Wycheproof: its JWS files, and its files of every primitive that a JWS is signed with.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it ran")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

mod support;

use jwt_warden::crypto::{Ed25519Key, HmacKey, P256Key, P384Key, P521Key, RsaKey, SignatureAlgorithm, VerifyingKey};
use jwt_warden::jwks::{KeyError, KeyOrigin, KeySet};
use serde_json::{Value, json};
use support::{hex, local_set, vectors, verifies};

#[test]
fn jws() {
    let Some(file) = vectors("wycheproof/jws_flat.json") else { return };
    let (mut accepted, mut refused, mut policy) = (0, 0, 0);
    for vector in file["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let verdict = verifies(&local_set(&vector["jwks"]), vector["jws"].as_str().unwrap());
        match vector["expected"].as_str().unwrap() {
            "accept" => {
                assert!(verdict, "{name} has to be accepted");
                accepted += 1;
            }
            "reject" => {
                assert!(!verdict, "{name} has to be refused");
                refused += 1;
            }
            other => {
                println!("{other}: {name}: verifies: {verdict}: {}", vector["adjudication"]);
                policy += 1;
            }
        }
    }
    println!("wycheproof jws: {accepted} accepted, {refused} refused, {policy} left to policy");
    assert!(accepted > 0 && refused > 0);
}

/// Runs the groups of a file; `key` makes a group's key and algorithm. Gives the counts of valid and invalid cases.
fn primitive(name: &str, key: impl Fn(&Value) -> (VerifyingKey, SignatureAlgorithm)) {
    let Some(file) = vectors(&format!("wycheproof/primitives/{name}_test.json")) else { return };
    let (mut valid, mut invalid, mut acceptable) = (0, 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let (key, algorithm) = key(group);
        for test in group["tests"].as_array().unwrap() {
            let verdict =
                key.verifies(algorithm, &hex(test["msg"].as_str().unwrap()), &hex(test["sig"].as_str().unwrap()));
            match test["result"].as_str().unwrap() {
                "valid" => {
                    assert!(verdict, "{name}: {test}");
                    valid += 1;
                }
                "invalid" => {
                    assert!(!verdict, "{name}: {test}");
                    invalid += 1;
                }
                _ => {
                    println!("policy: {name} {}: {}: verifies: {verdict}", test["tcId"], test["comment"]);
                    acceptable += 1;
                }
            }
        }
    }
    println!("wycheproof {name}: {valid} valid, {invalid} invalid, {acceptable} acceptable");
    assert!(valid > 0 && invalid > 0);
}

/// The halves of an uncompressed point.
fn coordinates(group: &Value) -> (Vec<u8>, Vec<u8>) {
    let point = hex(group["publicKey"]["uncompressed"].as_str().unwrap());
    let (x, y) = point[1..].split_at(point.len() / 2);
    (x.to_vec(), y.to_vec())
}

#[test]
fn ecdsa() {
    primitive("ecdsa_secp256r1_sha256_p1363", |group| {
        let (x, y) = coordinates(group);
        (VerifyingKey::P256(P256Key::new(&x, &y).unwrap()), SignatureAlgorithm::Es256)
    });
    primitive("ecdsa_secp384r1_sha384_p1363", |group| {
        let (x, y) = coordinates(group);
        (VerifyingKey::P384(P384Key::new(&x, &y).unwrap()), SignatureAlgorithm::Es384)
    });
    primitive("ecdsa_secp521r1_sha512_p1363", |group| {
        let (x, y) = coordinates(group);
        (VerifyingKey::P521(P521Key::new(&x, &y).unwrap()), SignatureAlgorithm::Es512)
    });
}

#[test]
fn secp256k1_is_not_supported() {
    let Some(file) = vectors("wycheproof/primitives/ecdsa_secp256k1_sha256_p1363_test.json") else { return };
    let groups = file["testGroups"].as_array().unwrap();
    let mut tried = 0;
    for jwk in groups.iter().map(|group| &group["publicKeyJwk"]).filter(|jwk| jwk.is_object()) {
        let mut without_alg = jwk.clone();
        without_alg.as_object_mut().unwrap().remove("alg");
        for jwk in [jwk, &without_alg] {
            let set = local_set(&json!({ "keys": [jwk] }));
            assert!(set.is_empty());
            assert!(matches!(set.skipped()[0].reason, KeyError::UnknownCurve | KeyError::UnknownAlgorithm));
            tried += 1;
        }
        let (x, y) = coordinates(&groups[0]);
        assert!(P256Key::new(&x, &y).is_err(), "no point of secp256k1 is one of P-256");
    }
    println!("wycheproof secp256k1: {tried} keys skipped");
    assert!(tried > 0);
}

#[test]
fn ed25519() {
    primitive("ed25519", |group| {
        let point = hex(group["publicKey"]["pk"].as_str().unwrap());
        (VerifyingKey::Ed25519(Ed25519Key::new(&point).unwrap()), SignatureAlgorithm::EdDsa)
    });
}

/// The group's key; Wycheproof writes numbers with the leading zero of ASN.1, which a JWK has not.
fn rsa_key(group: &Value) -> VerifyingKey {
    let number = |name: &str| {
        let octets = hex(group["publicKey"][name].as_str().unwrap());
        octets.into_iter().skip_while(|octet| *octet == 0).collect::<Vec<u8>>()
    };
    VerifyingKey::Rsa(RsaKey::new(&number("modulus"), &number("publicExponent")).unwrap())
}

fn rsa_algorithm(group: &Value, scheme: &str) -> SignatureAlgorithm {
    let hash = group["sha"].as_str().unwrap().strip_prefix("SHA-").unwrap();
    SignatureAlgorithm::from_name(&format!("{scheme}{hash}")).unwrap()
}

#[test]
fn rsa_pkcs1() {
    for size in [2048, 3072, 4096] {
        for hash in [256, 384, 512] {
            primitive(&format!("rsa_signature_{size}_sha{hash}"), |group| (rsa_key(group), rsa_algorithm(group, "RS")));
        }
    }
    primitive("rsa_signature_8192_sha256", |group| (rsa_key(group), rsa_algorithm(group, "RS")));
}

#[test]
fn rsa_pss() {
    for name in ["2048_sha256_mgf1_32", "2048_sha384_mgf1_48", "3072_sha256_mgf1_32"] {
        primitive(&format!("rsa_pss_{name}"), |group| (rsa_key(group), rsa_algorithm(group, "PS")));
    }
    for name in ["4096_sha256_mgf1_32", "4096_sha384_mgf1_48", "4096_sha512_mgf1_64"] {
        primitive(&format!("rsa_pss_{name}"), |group| (rsa_key(group), rsa_algorithm(group, "PS")));
    }
}

#[test]
fn pss_with_another_salt_length_is_refused() {
    for name in ["2048_sha256_mgf1_0", "4096_sha512_mgf1_32"] {
        let Some(file) = vectors(&format!("wycheproof/primitives/rsa_pss_{name}_test.json")) else { return };
        let (mut refused, mut ours) = (0, 0);
        for group in file["testGroups"].as_array().unwrap() {
            let (key, algorithm) = (rsa_key(group), rsa_algorithm(group, "PS"));
            let with_our_salt =
                format!("s_len changed to {}", if algorithm == SignatureAlgorithm::Ps256 { 32 } else { 64 });
            for test in group["tests"].as_array().unwrap() {
                let message = hex(test["msg"].as_str().unwrap());
                let verdict = key.verifies(algorithm, &message, &hex(test["sig"].as_str().unwrap()));
                let is_ours = test["comment"] == with_our_salt;
                assert_eq!(verdict, is_ours, "{name}: {test}");
                *if is_ours { &mut ours } else { &mut refused } += 1;
            }
        }
        println!(
            "wycheproof rsa_pss_{name}: {refused} refused, valid ones too: in JOSE the salt is as long as the hash; {ours} \
             accepted, where that length is the modification"
        );
        assert!(refused > 0);
    }
}

#[test]
fn hmac() {
    let algorithms = [SignatureAlgorithm::Hs256, SignatureAlgorithm::Hs384, SignatureAlgorithm::Hs512];
    for (algorithm, bits) in algorithms.into_iter().zip([256_usize, 384, 512]) {
        let Some(file) = vectors(&format!("wycheproof/primitives/hmac_sha{bits}_test.json")) else { return };
        let (mut valid, mut invalid, mut short, mut truncated) = (0, 0, 0, 0);
        for group in file["testGroups"].as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                let secret = hex(test["key"].as_str().unwrap());
                let (message, tag) = (hex(test["msg"].as_str().unwrap()), hex(test["tag"].as_str().unwrap()));
                let key = HmacKey::new(&secret).map(VerifyingKey::Hmac);
                let verdict = key.is_ok_and(|key| key.verifies(algorithm, &message, &tag));
                let is_valid = test["result"] == "valid";
                if secret.len() < bits / 8 {
                    assert!(!verdict, "{test}");
                    short += 1;
                } else if tag.len() < bits / 8 {
                    assert!(!verdict, "{test}");
                    truncated += 1;
                } else {
                    assert_eq!(verdict, is_valid, "{test}");
                    *if is_valid { &mut valid } else { &mut invalid } += 1;
                }
            }
        }
        println!(
            "wycheproof hmac_sha{bits}: {valid} valid, {invalid} invalid; refused whatever their result: {short} with a \
             key shorter than the hash (RFC 7518 section 3.2), {truncated} with a truncated tag"
        );
        assert!(valid > 0 && invalid > 0);
    }
}

/// Every key of the JWS file that verifies something, once more as if a server had sent it.
#[test]
fn secrets_count_only_in_local_sets() {
    let Some(file) = vectors("wycheproof/jws_flat.json") else { return };
    let mut secrets = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let document = vector["jwks"].to_string();
        let remote = KeySet::parse(document.as_bytes(), KeyOrigin::Remote, 1 << 20).unwrap();
        for algorithm in [SignatureAlgorithm::Hs256, SignatureAlgorithm::Hs384, SignatureAlgorithm::Hs512] {
            assert_eq!(remote.candidates(None, algorithm).count(), 0);
        }
        secrets += remote.skipped().iter().filter(|key| key.reason == KeyError::SecretFromRemote).count();
    }
    println!("wycheproof jws: {secrets} secrets of remote sets skipped");
    assert!(secrets > 0);
}
