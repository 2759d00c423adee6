//! Tokens of other projects and of the RFCs.

use jwt_warden::jwt::{DecodedToken, FormError, Segment};
use jwt_warden::reason::Reason;
use serde_json::Value;

use crate::support::{check, check_bounded, shared};

fn each<'c>(document: Option<&'c Value>, list: &str) -> &'c [Value] {
    document.and_then(|document| document[list].as_array()).map_or(&[], Vec::as_slice)
}

fn name(case: &Value) -> &str {
    case["name"].as_str().unwrap()
}

#[test]
fn jwt_verify_lib() {
    let document = shared("jwt_verify_lib/jwt_vectors.json");
    let cases = each(document.as_ref(), "vectors");
    let mut sloppy = 0;
    for case in cases {
        let mut jwt = case["jwt"].as_str().unwrap().to_owned();
        if has_sloppy_signature(case) {
            assert_eq!(check(&jwt), Err(FormError::NotBase64Url(Segment::Signature)), "{}", name(case));
            jwt = format!("{}.AAAA", jwt.rsplit_once('.').unwrap().0);
            sloppy += 1;
        }
        let verdict = check_bounded(jwt, 16_384);
        assert_eq!(verdict.is_ok(), expected_of_jwt_verify_lib(case), "{}: {verdict:?}", name(case));
    }
    println!("jwt_verify_lib: {} cases, {sloppy} of them with a signature that is not canonical", cases.len());
}

/// Upstream takes padding, and bits behind the last byte; this filter does not.
fn has_sloppy_signature(case: &Value) -> bool {
    case["kind"] == "time" || name(case).ends_with("VerifyX509Test.NoKidToken")
}

/// The form is all that counts here: what is refused for its signature, time or audience has a good form.
fn expected_of_jwt_verify_lib(case: &Value) -> bool {
    case["kind"] != "parse" || case["expected"] == "accept"
}

#[test]
fn jwt_verify_lib_says_why() {
    let document = shared("jwt_verify_lib/jwt_vectors.json");
    let refused = each(document.as_ref(), "vectors").iter().filter(|case| !expected_of_jwt_verify_lib(case));
    for case in refused {
        let status = case["upstream_status"].as_str().unwrap();
        let reason = check_bounded(case["jwt"].as_str().unwrap(), 16_384).unwrap_err().reason();
        let expected = match status {
            "JwtHeaderBadAlg" | "JwtHeaderNotImplementedAlg" => Reason::AlgorithmNotAllowed,
            "JwtHeaderParseErrorBadJson" | "JwtHeaderBadKid" => Reason::HeaderMalformed,
            "JwtBadFormat" if name(case).ends_with("TooLargeJwt") => reason,
            _ if status.ends_with("BadBase64") || status == "JwtBadFormat" => Reason::TokenMalformed,
            _ => Reason::ClaimsMalformed,
        };
        assert_eq!(reason, expected, "{status} {}", name(case));
    }
}

#[test]
fn jwt_verify_lib_seeds() {
    let document = shared("json/jwt_verify_lib_seeds.json");
    let seeds = each(document.as_ref(), "seeds");
    for seed in seeds {
        let verdict = check(seed["jwt"].as_str().unwrap());
        assert_eq!(verdict.is_ok(), seed["expected"] == "accept", "{}: {verdict:?}", name(seed));
    }
    println!("jwt_verify_lib seeds: {} cases", seeds.len());
}

#[test]
fn go_jose_seeds() {
    let document = shared("json/go_jose_seeds.json");
    let (mut cases, mut accepted) = (0, 0);
    for (target, seeds) in document.iter().filter_map(|document| document["seeds"].as_object()).flatten() {
        for seed in seeds.as_array().unwrap().iter().map(|seed| seed.as_str().unwrap()) {
            cases += 1;
            let verdict = check(seed);
            accepted += usize::from(verdict.is_ok());
            assert!(verdict.is_err() || !target.contains("JWE"), "{target}: {seed}");
            assert!(verdict.is_err() || seed.split('.').count() == 3, "{target}: {seed}");
        }
    }
    println!("go-jose seeds: {cases} cases, {accepted} of them well-formed");
}

/// A JWS, claims or not: the compact form and the header.
fn header_verdict(jws: &str) -> bool {
    DecodedToken::decode(jws.as_bytes(), usize::MAX).is_ok_and(|decoded| decoded.parse_header().is_ok())
}

#[test]
fn rfc_examples() {
    let document = shared("rfc/rfc_vectors.json");
    let cases = each(document.as_ref(), "vectors");
    for case in cases {
        let jws = case["jws"].as_str().unwrap();
        let good = case["expected"] != "reject" || case["ref_reason"] == "signature";
        let verdict = if case["layer"] == "jwt" { check(jws).is_ok() } else { header_verdict(jws) };
        assert_eq!(verdict, good, "{}: {:?}", name(case), check(jws));
    }
    println!("RFC examples: {} cases", cases.len());
}

#[test]
fn wycheproof_that_is_accepted_has_a_good_form() {
    let document = shared("wycheproof/jws_flat.json");
    let cases = each(document.as_ref(), "vectors");
    let mut refused = 0;
    for case in cases {
        let verdict = header_verdict(case["jws"].as_str().unwrap());
        refused += usize::from(!verdict);
        // A JWS may sign nothing (RFC 7515 section 7.1); a JWT has claims.
        let expected = case["expected"] == "accept" && !name(case).ends_with("emptyPayload");
        assert!(verdict || !expected, "{}", name(case));
    }
    println!("wycheproof jws: {} cases, {refused} of them refused for their form", cases.len());
}

#[test]
fn istio_tokens() {
    let Some(document) = shared("istio/tokens.json") else { return };
    let mut tokens = Vec::new();
    collect_tokens(&document, &mut tokens);
    for token in &tokens {
        assert!(check(token).is_ok(), "{token}: {:?}", check(token));
    }
    println!("istio tokens: {} cases", tokens.len());
}

fn collect_tokens<'v>(value: &'v Value, tokens: &mut Vec<&'v str>) {
    match value {
        Value::String(text) if text.starts_with("eyJ") && text.split('.').count() == 3 => tokens.push(text),
        Value::Array(elements) => elements.iter().for_each(|element| collect_tokens(element, tokens)),
        Value::Object(members) => members.values().for_each(|member| collect_tokens(member, tokens)),
        _ => {}
    }
}
