//! What is said of outcomes, and what is tried.

use jwt_warden::config::parse;
use jwt_warden::reason::Reason;
use jwt_warden::time::Timestamp;
use serde_json::{Value, json};

use super::super::note::{Kind, Note, Scribe};
use super::super::{Draft, native};
use super::cause;
use super::client::Outcome;
use super::comparison::{Comparison, Difference};
use super::pair::Pair;
use super::request::Request;
use super::sample::{Sample, Samples};
use super::template::Template;
use crate::minting::encoded;

fn outcome(status: u16, details: &str, told: &[(&str, &str)]) -> Outcome {
    let told = told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Outcome { status, details: details.to_owned(), told }
}

fn warden(code: &str) -> Outcome {
    outcome(401, &format!("jwt_warden_denied{{{code}}}"), &[])
}

fn native_refusal() -> Outcome {
    outcome(401, "jwt_authn_access_denied{Jwt_is_missing}", &[])
}

fn sample(flaw: Option<Reason>, is_compound: bool) -> Sample {
    Sample {
        request: Request::get("/a"),
        words: "w".to_owned(),
        is_good: flaw.is_none(),
        flaw,
        is_compound,
        goes_by_issuer: false,
    }
}

fn note(kind: Kind, path: &str) -> Note {
    Note { kind, path: path.to_owned(), source: String::new(), sentence: format!("said of {path}") }
}

/// The difference of one sample, and its cause.
fn compared(sample: &Sample, native: Outcome, warden: Outcome, notes: &[Note]) -> Option<(Difference, Option<String>)> {
    let mut comparison = Comparison::default();
    comparison.add(sample, &[native, warden], notes);
    assert_eq!(comparison.passed + comparison.refused + comparison.differing(), 1);
    comparison.differences.into_keys().next()
}

#[test]
fn both_agree_where_both_pass_or_both_refuse() {
    let passes = || outcome(200, "", &[("x-user", "alice")]);
    assert_eq!(compared(&sample(None, false), passes(), passes(), &[]), None);
    assert_eq!(compared(&sample(None, false), native_refusal(), warden("token_missing"), &[]), None);
}

#[test]
fn differences_have_causes_or_none() {
    let notes = [note(Kind::Stricter, "providers.p.audiences"), note(Kind::Open, "unmatched")];
    let passes = || outcome(200, "", &[]);
    let everywhere = |row: &str| Some(format!("`{row}` in docs/from-jwt_authn.md"));
    for (code, flaw, expected) in [
        ("type_not_accepted", None, everywhere("type")),
        ("audience_not_accepted", None, Some("said of providers.p.audiences".to_owned())),
        // The first part of a requirement may tell another reason.
        ("issuer_not_accepted", Some(Reason::HeaderUnsupported), everywhere("critical")),
        ("no_matching_rule", None, None),
        ("signature_invalid", None, None),
        ("token_too_large", None, Some("`limits.max_token_bytes` in docs/configuration.md".to_owned())),
    ] {
        let found = compared(&sample(flaw, false), passes(), warden(code), &notes);
        assert_eq!(found, Some((Difference::Stricter(code.to_owned()), expected)));
    }
}

#[test]
fn what_becomes_looser_is_told() {
    let passes = || outcome(200, "", &[]);
    let details = native_refusal().details;
    for (is_compound, cause) in [(true, Some("`seen_once` in docs/from-jwt_authn.md".to_owned())), (false, None)] {
        let found = compared(&sample(None, is_compound), native_refusal(), passes(), &[]);
        assert_eq!(found, Some((Difference::Looser(details.clone()), cause)));
    }
}

#[test]
fn what_the_upstream_is_told_counts() {
    let told = |value| outcome(200, "", &[("x-user", value)]);
    let difference = || Difference::Told("x-user".to_owned());
    assert_eq!(compared(&sample(None, false), told("a"), told("b"), &[]), Some((difference(), None)));
    let found = compared(&sample(None, false), told("a"), outcome(200, "", &[]), &[]);
    assert_eq!(found, Some((difference(), None)));
    let found = compared(&sample(None, true), outcome(200, "", &[]), told("a"), &[]);
    assert!(found.unwrap().1.unwrap().contains("`told_at_once`"));
}

#[test]
fn what_envoy_refuses_is_not_compared() {
    let details = "http1.codec_error";
    let refusal = || outcome(400, details, &[]);
    let found = compared(&sample(None, false), refusal(), refusal(), &[]);
    assert_eq!(found, Some((Difference::Neither(details.to_owned()), None)));
    for others in [outcome(200, "", &[]), warden("token_missing"), outcome(503, "wasm_fail_stream", &[])] {
        let found = compared(&sample(None, false), refusal(), others.clone(), &[]);
        assert_eq!(found, Some((Difference::Failed(details.to_owned()), None)));
    }
    // A module that failed refuses everything: that is no agreement.
    let found = compared(&sample(None, false), native_refusal(), outcome(503, "wasm_fail_stream", &[]), &[]);
    assert_eq!(found, Some((Difference::Failed("wasm_fail_stream".to_owned()), None)));
}

#[test]
fn every_cause_is_in_the_document() {
    #[allow(clippy::disallowed_methods, reason = "tests read files")]
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/from-jwt_authn.md")).unwrap();
    let (_, table) = document.split_once("\n## What differs in requests\n").unwrap();
    let rows = cause::EVERYWHERE.iter().map(|(_, row)| *row).chain([
        "seen_once",
        "by_issuer",
        "told_at_once",
        "cleared",
        "one_value",
    ]);
    for row in rows {
        let cells = table.lines().filter_map(|line| line.split(" | ").next());
        assert!(cells.into_iter().any(|cell| cell.contains(&format!("`{row}`"))), "{row}");
    }
}

const NATIVE: &str = "
providers:
  p:
    issuer: https://p.example
    audiences: [api, https://web.example/]
    subjects: { suffix: '@p.example' }
    fromCookies: [session]
    claimToHeaders: [{ headerName: x-role, claimName: realm.role }]
    remoteJwks: { httpUri: { uri: https://p.example/jwks.json, cluster: p, timeout: 5s } }
rules:
  - match: { path: /open }
  - match: { connectMatcher: {} }
    requires: { providerName: p }
  - match: { prefix: /api }
    requires: { providerName: p }
";

fn draft() -> Draft {
    let tree = crate::yaml::parse(NATIVE).unwrap();
    native::migrate(&tree.documents[0], &[], Scribe::new("f".into()))
}

fn samples(templates: &[Template]) -> Samples {
    let pair = Pair::new(&draft()).unwrap();
    Samples::new(&pair, templates, &[Request::get("/mine")], Timestamp::from_secs(1_700_000_000)).unwrap()
}

/// The claims of the only good token for `GET /api`.
fn good_claims(samples: &Samples) -> Value {
    let is_it = |sample: &&Sample| sample.is_good && sample.request.path == "/api";
    let sample = samples.list.iter().find(is_it).unwrap();
    let (_, cookie) = sample.request.headers.iter().find(|(name, _)| name == "cookie").unwrap();
    let claims = cookie.split('.').nth(1).unwrap();
    serde_json::from_slice(&crate::minting::decoded(claims).unwrap()).unwrap()
}

#[test]
fn both_get_the_same_keys_and_no_others() {
    let pair = Pair::new(&draft()).unwrap();
    let source = |configuration: &Value| configuration.pointer("/providers/p/local_jwks/inline_string").cloned();
    assert_eq!(source(&pair.native), source(&pair.warden));
    assert!(source(&pair.native).is_some_and(|keys| !keys.to_string().contains("\\\"d\\\"")));
    for configuration in [&pair.native, &pair.warden] {
        let text = configuration.to_string();
        assert!(!text.contains("remote") && !text.contains("https://p.example/jwks.json"), "{text}");
    }
    assert!(parse(pair.warden.to_string().as_bytes(), &|_| None).is_ok());
}

#[test]
fn tokens_say_what_the_provider_takes() {
    let samples = samples(&[]);
    let claims = good_claims(&samples);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("https://p.example"), &json!("@p.example")));
    assert_eq!(claims["realm"]["role"], "sample");
    for path in ["/open", "/api", "/api/../x", "/mine", "/"] {
        assert!(samples.list.iter().any(|sample| sample.request.path == path), "{path}");
    }
    let folded = samples.list.iter().find(|sample| sample.words.contains("\"web.example\"")).unwrap();
    assert_eq!(folded.flaw, Some(Reason::AudienceNotAccepted));
    assert_eq!(samples.gaps, ["rules[1]: no sample falls under it: name one by --request"]);
    assert!(samples.list.iter().all(|sample| !sample.words.contains("eyJ")));
}

fn operators_token(claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "theirs", "typ": "at+jwt"}).to_string();
    format!("\"Bearer {}.{}.c2ln\"\n", encoded(header), encoded(claims.to_string()))
}

#[test]
fn the_operators_tokens_are_signed_anew() {
    let claims = json!({"iss": "https://p.example", "sub": "bob", "iat": 1000, "exp": 1600, "aud": "api", "x": [1]});
    let template = Template::read(&operators_token(&claims)).unwrap();
    let found = good_claims(&samples(&[template]));
    let expected = json!({"iss": "https://p.example", "sub": "bob", "iat": 1_700_000_000, "exp": 1_700_000_600,
        "aud": "api", "x": [1]});
    assert_eq!(found, expected);
    let foreign = Template::read(&operators_token(&json!({"iss": "https://q.example"}))).unwrap();
    assert!(samples(&[foreign]).gaps.contains(&"your token 1: no provider takes its issuer".to_owned()));
}

#[test]
fn what_is_no_token_is_said_without_it() {
    for (text, expected) in
        [("a.b", "2 segments"), ("secret.b.c", "its header"), ("e30.secret.c", "its payload"), ("", "empty")]
    {
        let sentence = Template::read(text).unwrap_err();
        assert!(sentence.contains(expected) && !sentence.contains("secret"), "{text}: {sentence}");
    }
}
