//! A good proof, and each of the twelve checks of RFC 9449 section 4.3 failing alone.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Nonces;
use super::case::{Case, NOW, TOKEN, encoded, is_refused, jwk, key, set, signed, thumbprint_of};
use super::thumbprint::thumbprint;
use crate::crypto::SignatureAlgorithm;
use crate::reason::Reason;
use crate::time::Timestamp;

#[test]
fn a_good_proof_passes() {
    Case::good().is_good();
    Case::jwk("alg", json!("ES256")).is_good();
    Case::jwk("use", json!("sig")).is_good();
    Case::jwk("kid", json!("any")).is_good();
    Case::header("jku", json!("https://evil.example/jwks")).is_good();
    Case::claim("exp", json!(NOW + 1)).is_good();
}

#[test]
fn check_1_there_is_one_header() {
    let case = Case::good();
    is_refused(case.with_headers(&[]), "no DPoP header");
    is_refused(case.with_headers(&[&case.proof(), &case.proof()]), "more than one DPoP header");
    is_refused(case.with_headers(&[&format!("{0},{0}", case.proof())]), "more than one DPoP header");
}

#[test]
fn check_2_it_is_a_well_formed_jwt() {
    let case = Case::good();
    let good = case.proof();
    let long = "j".repeat(9000);
    for (proof, form) in [
        ("", "three segments"),
        ("a.b", "three segments"),
        (&format!("{good}="), "base64url"),
        (&format!("{good}.a.b"), "encrypted"),
        (&signed("[]", "{}"), "not strict JSON"),
        (&signed(&case.header.to_string(), "{}{}"), "not strict JSON"),
        (&signed(r#"{"alg":"ES256","alg":"ES256"}"#, "{}"), "a member name twice"),
        (&signed(&case.header.to_string(), r#"{"jti":"1","\u006ati":"1"}"#), "a member name twice"),
        (&Case::claim("jti", json!(long)).proof(), "longer than 8192"),
    ] {
        is_refused(case.with_headers(&[proof]), form);
    }
    Case::header("crit", json!(["exp"])).refused_as("`crit` is not supported");
    Case::header("b64", json!(false)).refused_as("`b64` is not supported");
    Case::claim("iat", json!("1700000000")).refused_as("`iat` in the claims");
}

#[test]
fn check_3_the_claims_are_all_there() {
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        Case::claim(name, Value::Null).refused_as(&format!("`{name}` is missing"));
    }
    for name in ["htm", "htu", "ath"] {
        Case::claim(name, json!(1)).refused_as(&format!("`{name}` is missing or not a"));
    }
    Case::claim("jti", json!("")).refused_as("1 to 256 bytes");
    Case::claim("jti", json!("j".repeat(256))).is_good();
    Case::claim("jti", json!("j".repeat(257))).refused_as("1 to 256 bytes");
}

#[test]
fn check_4_it_says_that_it_is_a_proof() {
    for typ in [Value::Null, json!("JWT"), json!("dpop"), json!("application/dpop+jwt"), json!("DPOP+JWT")] {
        Case::header("typ", typ).refused_as("`typ` is not dpop+jwt");
    }
}

#[test]
fn check_5_the_algorithm_is_asymmetric_and_allowed() {
    for alg in ["none", "None", "ES256K", "es256"] {
        Case::header("alg", json!(alg)).refused_as("`alg` is unknown");
    }
    for alg in ["HS256", "ES512", "RS512"] {
        Case::header("alg", json!(alg)).refused_as("`alg` is not allowed");
    }
    for alg in ["ES384", "RS256", "EdDSA"] {
        Case::header("alg", json!(alg)).refused_as("`alg` does not fit the key");
    }
    let mut case = Case::good();
    case.settings.algorithms = std::iter::once(SignatureAlgorithm::EdDsa).collect();
    case.refused_as("`alg` is not allowed");
}

#[test]
fn check_6_the_signature_is_the_keys() {
    Case::header("jwk", jwk(&key(2))).refused_as("the signature is not one of the key");
    let proof = Case::good().proof();
    let (rest, signature) = proof.rsplit_once('.').unwrap();
    let swapped = if signature.starts_with('A') { 'B' } else { 'A' };
    is_refused(
        Case::good().with_headers(&[&format!("{rest}.{swapped}{}", signature.get(1..).unwrap())]),
        "not one of the key",
    );
}

#[test]
fn check_7_the_key_is_a_public_one() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        Case::jwk(name, json!("AQAB")).refused_as("private members");
    }
    Case::header("jwk", Value::Null).refused_as("`jwk` is missing");
    Case::header("jwk", json!("text")).refused_as("not a JSON object");
    Case::header("jwk", json!({"kty": "oct", "k": "AQAB"})).refused_as("private members");
    Case::jwk("y", jwk(&key(2))["y"].clone()).refused_as("not on the curve");
    Case::jwk("x", json!("AQAB")).refused_as("the length that the curve demands");
    Case::jwk("use", json!("enc")).refused_as("`use` is not");
    Case::jwk("alg", json!("ES384")).refused_as("`alg` does not fit");
    Case::jwk("key_ops", json!(["encrypt"])).refused_as("`key_ops` lacks");
    let twice = Case::good().header.to_string().replace(r#""kty":"EC""#, r#""kty":"EC","kty":"EC""#);
    is_refused(Case::good().with_headers(&[&signed(&twice, &Case::good().claims.to_string())]), "there twice");
    let rsa = json!({"kty": "RSA", "n": encoded([0xff; 128]), "e": "AQAB"});
    let mut case = Case::header("jwk", rsa);
    set(&mut case.header, "alg", json!("RS256"));
    case.refused_as("2048 to 8192 bits");
}

#[test]
fn check_8_the_method_is_the_requests() {
    for method in ["POST", "get", "GET ", ""] {
        Case::claim("htm", json!(method)).refused_as("`htm` is another method");
    }
}

#[test]
fn check_9_the_uri_is_the_requests() {
    for uri in
        ["https://api.example/orders?page=3#top", "HTTPS://API.example:443/orders", "https://api.example/a/../%6frders"]
    {
        Case::claim("htu", json!(uri)).is_good();
    }
    for uri in [
        "http://api.example/orders",
        "https://api.example/orders/",
        "https://api.example/Orders",
        "https://api.example:8443/orders",
        "https://evil.example/orders",
        "https://api.example",
    ] {
        Case::claim("htu", json!(uri)).refused_as("`htu` is another URI");
    }
    for uri in ["/orders", "orders", "", "https://user@api.example/orders"] {
        Case::claim("htu", json!(uri)).refused_as("not an absolute http or https URI");
    }
    let plain = |uri| Case { plain: true, ..Case::claim("htu", json!(uri)) };
    plain("http://api.example/orders").is_good();
    plain("https://api.example/orders").refused_as("another URI");
}

#[test]
fn check_9_the_operator_may_say_what_the_service_is_known_by() {
    let behind = |uri| {
        let mut case = Case { authority: "10.0.0.7:8080", plain: true, ..Case::claim("htu", json!(uri)) };
        case.settings.origins = vec!["https://api.example".into(), "https://api.example:8443".into()];
        case
    };
    behind("https://api.example/orders").is_good();
    behind("https://api.example:8443/orders").is_good();
    behind("http://10.0.0.7:8080/orders").refused_as("another URI");
    behind("http://api.example/orders").refused_as("another URI");
}

#[test]
fn check_9_the_proxy_may_have_normalised_the_path() {
    let raw = "https://api.example/x/%2e./a%7Eb%2fc";
    for path in ["/x/%2e./a%7Eb%2fc", "/a~b%2Fc", "/a%7Eb%2fc?q"] {
        Case { path, ..Case::claim("htu", json!(raw)) }.is_good();
    }
    for path in ["/a~b/c", "/x/a~b%2Fc", "/a~b%2Fc/", "/a~b%252Fc", "/%zz"] {
        Case { path, ..Case::claim("htu", json!(raw)) }.refused_as("another URI");
    }
}

#[test]
fn check_10_and_11_the_proof_is_fresh() {
    Case { now: NOW + 60, ..Case::good() }.is_good();
    Case { now: NOW + 61, ..Case::good() }.refused_as("`iat` is too long ago");
    Case { now: NOW - 5, ..Case::good() }.is_good();
    Case { now: NOW - 6, ..Case::good() }.refused_as("`iat` is in the future");
    Case::claim("exp", json!(NOW)).refused_as("`exp` has passed");
    Case::claim("nbf", json!(NOW + 5)).is_good();
    Case::claim("nbf", json!(NOW + 6)).refused_as("`nbf` is in the future");
    let proof = Case::good().examine().unwrap();
    assert_eq!(proof.until, Timestamp::from_secs(NOW + 60));
}

#[test]
fn check_10_a_nonce_is_the_servers() {
    let nonces = || Nonces::new(&[7; 32], std::time::Duration::from_secs(300));
    let nonce = nonces().unwrap().issue(Timestamp::from_secs(NOW));
    let with = |nonce: Value| {
        let mut case = Case { nonces: nonces(), ..Case::claim("nonce", nonce) };
        case.settings.nonce_lifetime = Some(std::time::Duration::from_secs(300));
        case
    };
    with(json!(nonce)).is_good();
    for wrong in [Value::Null, json!(""), json!(1), json!(format!("{nonce}x")), json!(nonce.to_ascii_uppercase())] {
        assert_eq!(with(wrong).examine().unwrap_err().reason, Reason::DpopNonceRequired);
    }
    for (wrong, words) in [(Value::Null, "has no nonce"), (json!(1), "too old"), (json!("x"), "too old")] {
        let denial = with(wrong).examine().unwrap_err();
        assert!(denial.details.iter().any(|(_, text)| text.contains(words)), "{denial:?}");
    }
    let without_secret = Case { nonces: None, ..with(json!(nonce)) };
    assert_eq!(without_secret.examine().unwrap_err().reason, Reason::DpopNonceRequired);
    // Nobody has asked for it.
    Case::claim("nonce", json!("any")).is_good();
}

#[test]
fn check_12_the_proof_is_for_the_token_and_its_key() {
    let proof = Case::good().examine().unwrap();
    is_refused(proof.is_for(b"another", &thumbprint_of(&key(1))), "`ath` is not the hash");
    is_refused(proof.is_for(TOKEN, &thumbprint_of(&key(2))), "bound to (`cnf.jkt`)");
    for text in ["", "x", &format!("{}=", thumbprint_of(&key(1))), thumbprint_of(&key(1)).get(1..).unwrap()] {
        is_refused(proof.is_for(TOKEN, text), "bound to (`cnf.jkt`)");
    }
    Case::claim("ath", json!(encoded(Sha256::digest(b"another")))).examine().unwrap();
    Case::claim("ath", json!(encoded(&Sha256::digest(TOKEN)[..31]))).refused_as("`ath` is missing or not a hash");
}

#[test]
fn another_proof_is_another_digest() {
    let digest = |case: Case| case.examine().unwrap().digest;
    assert_eq!(digest(Case::good()), digest(Case::claim("htu", json!("https://api.example/orders#x"))));
    assert_ne!(digest(Case::good()), digest(Case::claim("jti", json!("2"))));
}

/// RFC 9449 sections 4.2, 6.1 and 7.1.
#[test]
#[allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "reads the shared vectors and says if they are absent"
)]
fn hashes_of_the_rfc() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/vectors/rfc/rfc9449_hashes.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: no {path}");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let (key, _) = crate::jwks::embedded_key(&json!({"jwk": vectors["jwk"]}).to_string()).unwrap();
    assert_eq!(encoded(thumbprint(&key).unwrap()), vectors["expected"].as_str().unwrap());
    let input = vectors["ath_input"].as_str().unwrap();
    assert_eq!(encoded(Sha256::digest(input.as_bytes())), vectors["ath_expected"].as_str().unwrap());
}
