use std::time::Duration;

use jwt_warden::crypto::SignatureAlgorithm;
use jwt_warden::time::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Asked};
use super::ring::Ring;
use super::service::{Service, Settings};
use crate::minting::decoded;
use crate::minting::key::PrivateKey;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const FORM: &str = "application/x-www-form-urlencoded";

fn service() -> Service {
    let settings = Settings {
        issuer: "http://127.0.0.1:10001".to_owned(),
        audiences: vec!["api".to_owned()],
        lifetime: Duration::from_secs(300),
        max_age: Duration::from_secs(60),
        address: "127.0.0.1:10001".to_owned(),
        anywhere: false,
    };
    let keys = [SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa];
    let keys = keys.map(|algorithm| PrivateKey::generate(algorithm, None, 2048).unwrap());
    Service::new(settings, Ring::new(keys.to_vec()).unwrap())
}

fn ask(service: &mut Service, method: &str, path: &str, content_type: &str, body: &str) -> Answer {
    let asked = Asked {
        method,
        path,
        host: Some("127.0.0.1:10001"),
        is_from_page: false,
        content_type: Some(content_type),
        body: body.as_bytes(),
    };
    service.answer(&asked, NOW)
}

fn get(service: &mut Service, path: &str) -> Value {
    let answer = ask(service, "GET", path, "", "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn kids(service: &mut Service) -> Vec<String> {
    let keys = get(service, "/jwks.json");
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Header and claims of the token.
fn parts(answer: &Answer) -> (Value, Value) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.body["access_token"].as_str().unwrap();
    let part = |index| serde_json::from_slice(&decoded(token.split('.').nth(index).unwrap()).unwrap()).unwrap();
    (part(0), part(1))
}

#[test]
fn an_old_key_stays_published_until_the_second_rotation() {
    let mut service = service();
    let first = kids(&mut service);
    assert_eq!(first.len(), 2);
    assert_eq!(ask(&mut service, "POST", "/rotate", "", "").status, 200);
    let second = kids(&mut service);
    assert_eq!((second.len(), &second[2..]), (4, first.as_slice()));
    service.rotate().unwrap();
    let third = kids(&mut service);
    assert_eq!((third.len(), &third[2..]), (4, &second[..2]));
    let (header, _) = parts(&ask(&mut service, "POST", "/token", "", ""));
    assert_eq!(header["kid"], third[0].as_str());
}

#[test]
fn tokens_are_what_the_form_or_the_json_asks_for() {
    let mut service = service();
    let (header, claims) = parts(&ask(&mut service, "POST", "/token", "", ""));
    assert_eq!((&header["alg"], &claims["sub"], &claims["aud"]), (&json!("ES256"), &json!("alice"), &json!("api")));
    let form = "subject=bob+b%C3%A9&expires_in=1h&algorithm=EdDSA&scope=a+b&claims=%7B%22n%22%3A1%7D&grant_type=client_credentials";
    let (header, claims) = parts(&ask(&mut service, "POST", "/token", FORM, form));
    assert_eq!((&header["alg"], &claims["sub"], &claims["n"]), (&json!("EdDSA"), &json!("bob bé"), &json!(1)));
    assert_eq!((&claims["scope"], &claims["exp"]), (&json!("a b"), &json!(NOW.as_secs() + 3600)));
    let body =
        json!({"audience": ["x", "y"], "claims": {"jti": "1"}, "header": {"h": true}, "without": ["nbf"]}).to_string();
    let (header, claims) = parts(&ask(&mut service, "POST", "/token", "application/json; charset=utf-8", &body));
    assert_eq!((&header["h"], &claims["aud"], &claims["jti"]), (&json!(true), &json!(["x", "y"]), &json!("1")));
    assert!(claims.get("nbf").is_none());
    let bound = json!({"claims": {"cnf": {"jkt": "x"}}}).to_string();
    let answer = ask(&mut service, "POST", "/token", "application/json", &bound);
    assert_eq!(answer.body["token_type"], "DPoP");
    let (header, _) = parts(&ask(&mut service, "POST", "/token", FORM, "bad=alg-none"));
    assert_eq!(header["alg"], "none");
}

#[test]
fn what_cannot_be_understood_is_refused_in_words() {
    let mut service = service();
    for (content_type, body, words) in [
        (FORM, "sub=bob", "put claims into `claims`"),
        (FORM, "subject=a&subject=b", "given twice"),
        (FORM, "subject=%ff", "UTF-8"),
        (FORM, "expires_in=5", "not a duration"),
        (FORM, "bad=very", "bad is none of alg-none,"),
        (FORM, "algorithm=RS256", "does not sign RS256"),
        (FORM, "algorithm=none", "none that the filter knows"),
        (FORM, "kid=nobody", "no key has the kid"),
        (FORM, "claims=1", "not an object"),
        (FORM, "claims={", "not JSON"),
        (FORM, "grant_type=password", "client_credentials"),
        ("application/json", "[]", "no object"),
        ("application/json", "{\"subject\": 1}", "not a text"),
        ("application/json", "{\"subject\": \"a\", \"subject\": \"b\"}", "twice"),
        ("application/json", "{", "neither YAML nor JSON"),
        ("text/plain", "subject=bob", "Content-Type"),
    ] {
        let answer = ask(&mut service, "POST", "/token", content_type, body);
        let sentence = answer.body["error_description"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 400 && sentence.contains(words), "{body}: {answer:?}");
    }
}

#[test]
fn revoked_tokens_are_listed_once() {
    let mut service = service();
    assert_eq!(get(&mut service, "/denylist.json"), json!({"jti": []}));
    for body in ["jti=a", "jti=b", "jti=a"] {
        assert_eq!(ask(&mut service, "POST", "/revoke", FORM, body).status, 200);
    }
    let token = ask(&mut service, "POST", "/token", FORM, "claims=%7B%22jti%22%3A%22c%22%7D");
    let form = format!("token={}&token_type_hint=access_token", token.body["access_token"].as_str().unwrap());
    assert_eq!(ask(&mut service, "POST", "/revoke", FORM, &form).status, 200);
    assert_eq!(get(&mut service, "/denylist.json"), json!({"jti": ["a", "b", "c"]}));
    for body in [String::new(), "jti=".to_owned(), "token=x".to_owned(), format!("jti={}", "x".repeat(257))] {
        assert_eq!(ask(&mut service, "POST", "/revoke", FORM, &body).status, 400, "{body}");
    }
}

#[test]
fn metadata_are_at_the_host_that_was_asked() {
    let mut service = service();
    let metadata = get(&mut service, "/.well-known/openid-configuration");
    assert_eq!(metadata["issuer"], "http://127.0.0.1:10001");
    assert_eq!(metadata["jwks_uri"], "http://127.0.0.1:10001/jwks.json");
    let elsewhere = |host| Asked {
        method: "GET",
        path: "/.well-known/openid-configuration",
        host,
        is_from_page: false,
        content_type: None,
        body: b"",
    };
    let uri = |service: &mut Service, host| service.answer(&elsewhere(host), NOW).body["jwks_uri"].clone();
    assert_eq!(uri(&mut service, Some("issuer:8080")), "http://issuer:8080/jwks.json");
    assert_eq!(uri(&mut service, Some("a/b")), "http://127.0.0.1:10001/jwks.json");
    assert_eq!(uri(&mut service, None), "http://127.0.0.1:10001/jwks.json");
}

#[test]
fn neither_pages_nor_other_hosts_change_anything() {
    let mut service = service();
    for (host, is_from_page, status) in [
        (Some("127.0.0.1:10001"), false, 200),
        (Some("localhost:1"), false, 200),
        (Some("[::1]:10001"), false, 200),
        (Some("127.0.0.1:10001"), true, 403),
        (Some("attacker.example:10001"), false, 403),
        (Some("127.0.0.1.attacker.example"), false, 403),
        (None, false, 403),
    ] {
        for path in ["/token", "/rotate"] {
            let asked = Asked { method: "POST", path, host, is_from_page, content_type: None, body: b"" };
            assert_eq!(service.answer(&asked, NOW).status, status, "{host:?}");
        }
    }
}

#[test]
fn paths_and_methods_are_told_apart() {
    let mut service = service();
    for (method, path, status, allow) in [
        ("HEAD", "/jwks.json", 200, None),
        ("POST", "/jwks.json", 405, Some("GET, HEAD")),
        ("GET", "/token", 405, Some("POST")),
        ("GET", "/", 404, None),
        ("GET", "/jwks.json/", 404, None),
    ] {
        let answer = ask(&mut service, method, path, "", "");
        assert_eq!((answer.status, answer.allow), (status, allow), "{method} {path}");
    }
    assert_eq!(ask(&mut service, "GET", "/jwks.json", "", "").cache_control, "public, max-age=60");
    assert_eq!(ask(&mut service, "POST", "/token", "", "").cache_control, "no-store");
}

#[test]
fn secrets_cannot_be_published() {
    let key = PrivateKey::generate(SignatureAlgorithm::Hs256, None, 2048).unwrap();
    assert!(Ring::new(vec![key]).is_err());
}
