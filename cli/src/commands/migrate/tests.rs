//! What migrated manifests decide, held against what Istio documents for them.

use std::rc::Rc;

use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::ProviderId;
use jwt_warden::connection;
use jwt_warden::crypto::Signatures;
use jwt_warden::decision::Decision;
use jwt_warden::jwks::{KeyOrigin, KeySet};
use jwt_warden::request::Request;
use jwt_warden::revocation::{Marks, Standing};
use jwt_warden::shared_store::Nowhere;
use jwt_warden::time::Timestamp;
use jwt_warden::verifier::{KeyLookup, KeyQuery, Keys, Moment, Revocations};
use serde_json::Value;

use super::note::{Draft, Kind, Scribe};
use super::{gateway, istio, native, proof, source};

const KEYS: &str = r#"{"keys":[{"kty":"oct","kid":"k","k":"YSBrZXkgZm9yIHRoZXNlIHRlc3RzIGFsb25lLCB0aGlydHktdHdv"}]}"#;
const ISSUER: &str = "
kind: RequestAuthentication
spec:
  jwtRules:
    - issuer: https://issuer.example
      jwks: '{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"YSBrZXkgZm9yIHRoZXNlIHRlc3RzIGFsb25lLCB0aGlydHktdHdv\"}]}'
";
/// `alice` is in the groups `[admin]` and has the scopes `read write`.
const ALICE: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYWxpY2UiLCJncm91cHMiOlsiYWRtaW4iXSwic2NvcGUiOiJyZWFkIHdyaXRlIn0.xOO1OkEi03vIQWyXBLNJCA4Sik3CEhqVCH0U_nLfIt4";
/// `bob` is in the group `users` and has the scope `read`.
const BOB: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYm9iIiwiZ3JvdXBzIjoidXNlcnMiLCJzY29wZSI6InJlYWQifQ.Z1xAPZrhZg0HAWnaW98e0Uvd_cwqidxcl7T_P3Ggffk";
/// Has no subject.
const NOBODY: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIn0.fhHmBNfy9ZY5-JoIEKrBR9XE_c84gtkyrx9R-bzGpOg";
/// Of another issuer.
const FOREIGN: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUiLCJzdWIiOiJhbGljZSIsImdyb3VwcyI6WyJhZG1pbiJdfQ.cnfyAtRk12SbCn6Onv3XzbAxehtnp7oeJ3ARA5QTnD4";

struct OneSet(Rc<KeySet>);

impl Keys for OneSet {
    fn lookup(&self, _: KeyQuery<'_>) -> KeyLookup {
        KeyLookup::Ready(Rc::clone(&self.0))
    }

    fn generation(&self, _: ProviderId, _: Timestamp) -> Option<u64> {
        Some(0)
    }
}

impl Revocations for OneSet {
    fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
        Standing::Unavailable("nothing is revoked here")
    }
}

fn documents(text: &str) -> Vec<source::Document> {
    let tree = crate::yaml::parse(text).unwrap();
    tree.documents.into_iter().map(|node| source::Document { file: "f".into(), node }).collect()
}

fn of_istio(policies: &str) -> Draft {
    let mut draft = istio::migrate(&documents(&format!("{ISSUER}{policies}")), Scribe::new("f".into())).unwrap();
    proof::hold(&mut draft);
    draft
}

/// Which of alice (a), bob (b), nobody (n), a request without a token (-) and a foreign one (f) pass.
fn passing(draft: &Draft, method: &str, path: &str, host: &str) -> String {
    let blocked: Vec<_> = draft.notes.iter().filter(|note| note.kind == Kind::Blocked).collect();
    assert!(blocked.is_empty(), "{blocked:?}");
    let text = Value::Object(draft.configuration.clone()).to_string();
    let loaded = jwt_warden::config::parse(text.as_bytes(), &|_| None).unwrap();
    let keys = OneSet(Rc::new(KeySet::parse(KEYS.as_bytes(), KeyOrigin::Local, KEYS.len()).unwrap()));
    let authenticator = Authenticator::new(loaded.config, Signatures::in_module(), 0);
    let now = Timestamp::from_secs(1_700_000_000);
    let moment = || Moment {
        keys: &keys,
        revocations: &keys,
        connection: &connection::Unknown,
        store: &Nowhere,
        arrival: now,
        now,
    };
    let passes = |token: &str| {
        let value = format!("Bearer {token}");
        let mut headers = vec![(":method", method), (":path", path), (":authority", host), (":scheme", "https")];
        if !token.is_empty() {
            headers.push(("authorization", &value));
        }
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        matches!(authenticator.decide(&Request::new(headers), moment()), Decision::Allow(_))
    };
    let all = [('a', ALICE), ('b', BOB), ('n', NOBODY), ('-', ""), ('f', FOREIGN)];
    all.iter().filter(|(_, token)| passes(token)).map(|(letter, _)| letter).collect()
}

/// The policy, a request, and who passes there by Istio's documentation.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

const ALLOW: &str = "\n---\nkind: AuthorizationPolicy\nspec:\n  rules:\n";

const TABLE: &[Row] = &[
    // A RequestAuthentication alone refuses bad tokens and lets requests without one pass.
    ("", &[("GET /", "abn-")]),
    // A policy without rules allows nothing, one with an empty rule everything.
    ("\n---\nkind: AuthorizationPolicy\nspec: {}\n", &[("GET /", "")]),
    ("\n---\nkind: AuthorizationPolicy\n", &[("GET /", "")]),
    ("ALLOW - {}", &[("GET /", "abn-")]),
    ("DENY - {}", &[("GET /", "")]),
    ("\n---\nkind: AuthorizationPolicy\nspec: { action: DENY }\n", &[("GET /", "abn-")]),
    // Principals need issuer and subject.
    ("ALLOW - from: [{ source: { requestPrincipals: ['*'] } }]", &[("GET /", "ab")]),
    ("DENY - from: [{ source: { notRequestPrincipals: ['*'] } }]", &[("GET /", "ab")]),
    ("ALLOW - from: [{ source: { requestPrincipals: ['https://issuer.example/alice'] } }]", &[("GET /", "a")]),
    ("ALLOW - from: [{ source: { requestPrincipals: ['https://issuer.example/*'] } }]", &[("GET /", "ab")]),
    ("ALLOW - from: [{ source: { requestPrincipals: ['https://other.example/*'] } }]", &[("GET /", "")]),
    ("ALLOW - from: [{ source: { requestPrincipals: ['*/bob'] } }]", &[("GET /", "b")]),
    ("ALLOW - from: [{ source: { notRequestPrincipals: ['*/bob'] } }]", &[("GET /", "an-")]),
    // What cannot be expressed refuses: Istio lets alice pass in the first, and all but alice in the second.
    ("ALLOW - from: [{ source: { requestPrincipals: ['https://issuer.example/al*'] } }]", &[("GET /", "")]),
    ("DENY - from: [{ source: { requestPrincipals: ['https://issuer.example/al*'] } }]", &[("GET /", "n-")]),
    // Claims: texts, lists, words; `notValues` hold where there is no claim, and no token.
    ("ALLOW - when: [{ key: 'request.auth.claims[groups]', values: [admin] }]", &[("GET /", "a")]),
    ("ALLOW - when: [{ key: 'request.auth.claims[groups]', values: [users, x] }]", &[("GET /", "b")]),
    ("ALLOW - when: [{ key: 'request.auth.claims[groups]', values: ['*'] }]", &[("GET /", "ab")]),
    ("ALLOW - when: [{ key: 'request.auth.claims[groups]', notValues: [admin] }]", &[("GET /", "bn-")]),
    ("DENY - when: [{ key: 'request.auth.claims[groups]', values: [admin] }]", &[("GET /", "bn-")]),
    ("DENY - when: [{ key: 'request.auth.claims[groups]', notValues: [admin] }]", &[("GET /", "a")]),
    ("ALLOW - when: [{ key: 'request.auth.claims[groups]', values: ['adm*'] }]", &[("GET /", "")]),
    ("ALLOW - when: [{ key: 'request.auth.claims[scope]', values: [write] }]", &[("GET /", "a")]),
    ("DENY - when: [{ key: 'request.auth.claims[scope]', notValues: [write] }]", &[("GET /", "a")]),
    ("ALLOW - when: [{ key: 'request.auth.claims[groups][x]', values: [admin] }]", &[("GET /", "")]),
    // Operations.
    (
        "ALLOW - to: [{ operation: { paths: ['/public*', '/x'], methods: [GET] } }]",
        &[("GET /public/a", "abn-"), ("GET /x", "abn-"), ("GET /xy", ""), ("POST /x", ""), ("GET /", "")],
    ),
    ("ALLOW - to: [{ operation: { paths: ['*.png'] } }]", &[("GET /a.png", "abn-"), ("GET /a.png.x", "")]),
    ("ALLOW - to: [{ operation: { paths: ['/a/{*}/b'] } }]", &[("GET /a/x/b", "abn-"), ("GET /a/x/y/b", "")]),
    ("ALLOW - to: [{ operation: { paths: ['/a/{**}'] } }]", &[("GET /a/x/b", "abn-"), ("GET /b", "")]),
    ("ALLOW - to: [{ operation: { notPaths: ['/in*'] } }]", &[("GET /", "abn-"), ("GET /in/x", "")]),
    ("ALLOW - to: [{ operation: { notMethods: [POST] } }]", &[("GET /", "abn-"), ("POST /", "")]),
    ("ALLOW - to: [{ operation: { hosts: ['api.example'] } }]", &[("GET /", "abn-"), ("GET /@b.example", "")]),
    ("ALLOW - to: [{ operation: { hosts: ['*.example'] } }]", &[("GET /", "abn-"), ("GET /@b.test", "")]),
    ("ALLOW - to: [{ operation: { hosts: ['api.*'] } }]", &[("GET /", "abn-"), ("GET /@b.example", "")]),
    // Rules that overlap allow what either allows; what is denied is denied first.
    (
        "ALLOW - to: [{ operation: { paths: ['/a*'] } }]\n      when: [{ key: 'request.auth.claims[groups]', values: [admin] }]
    - to: [{ operation: { methods: [GET] } }]\n      from: [{ source: { requestPrincipals: ['*/bob'] } }]",
        &[("GET /a", "ab"), ("POST /a", "a"), ("GET /b", "b"), ("POST /b", "")],
    ),
    (
        "DENY - to: [{ operation: { paths: ['*.html'] } }]\n\
         ---\nkind: AuthorizationPolicy\nspec:\n  rules:\n    - to: [{ operation: { paths: ['/a*'] } }]",
        &[("GET /a/b", "abn-"), ("GET /a/b.html", ""), ("GET /b", "")],
    ),
    // Where the filter cannot look, nothing is allowed, and what is denied by more than that is denied.
    ("ALLOW - from: [{ source: { namespaces: [x] } }]", &[("GET /", "")]),
    ("ALLOW - to: [{ operation: { ports: ['80'] } }]", &[("GET /", "")]),
    ("DENY - from: [{ source: { namespaces: [x], requestPrincipals: ['*/bob'] } }]", &[("GET /", "an-")]),
    ("ALLOW - to: { operation: { paths: [/a] } }", &[("GET /", "")]),
    ("ALLOW - to: [{ operation: { paths: /a } }]", &[("GET /", "")]),
    ("ALLOW - when: [{ key: 'request.auth.claims[groups]', values: admin, notValues: [x] }]", &[("GET /", "")]),
    ("DENY - to: [{ operation: { methods: ['P*'], paths: ['/a'] } }]", &[("GET /a", ""), ("GET /b", "abn-")]),
];

#[test]
fn istio_is_met_or_surpassed() {
    for (policy, requests) in TABLE {
        let policy = match policy.split_once(' ') {
            Some(("ALLOW", rules)) => format!("{ALLOW}    {rules}\n"),
            Some(("DENY", rules)) => format!("{}    {rules}\n", ALLOW.replace("rules:", "action: DENY\n  rules:")),
            _ => (*policy).to_owned(),
        };
        let draft = of_istio(&policy);
        for (request, expected) in *requests {
            let (method, target) = request.split_once(' ').unwrap();
            let (path, host) = target.split_once('@').unwrap_or((target, "api.example"));
            assert_eq!(
                passing(&draft, method, path, host),
                *expected,
                "{request}: {policy}\n{:#?}",
                draft.configuration
            );
        }
    }
}

#[test]
fn different_workloads_are_not_mixed() {
    let spec = |app: &str| format!("\n---\nkind: AuthorizationPolicy\nspec: {{ selector: {{ app: {app} }} }}\n");
    let text = format!("{ISSUER}{}{}", spec("a"), spec("b"));
    assert!(istio::migrate(&documents(&text), Scribe::new("f".into())).unwrap_err().contains("different workloads"));
    let namespaces = format!(
        "{}\n---\nkind: AuthorizationPolicy\nmetadata: {{ namespace: b }}\n",
        ISSUER.replace("spec:", "metadata: { namespace: a }\nspec:")
    );
    assert!(istio::migrate(&documents(&namespaces), Scribe::new("f".into())).unwrap_err().contains("namespaces"));
}

#[test]
fn gateways_rules_decide_in_their_order() {
    let base = "
kind: SecurityPolicy
spec:
  jwt:
    providers:
      - name: p
        issuer: https://issuer.example
        localJWKS: { inline: '{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"YSBrZXkgZm9yIHRoZXNlIHRlc3RzIGFsb25lLCB0aGlydHktdHdv\"}]}' }
";
    let allow = "  authorization: { rules: [{ action: Allow, principal: { jwt: { provider: p, ";
    for (more, expected) in [
        (String::new(), "abn"),
        ("    optional: true\n".to_owned(), "abn-"),
        (format!("{allow}scopes: [read] }} }} }}] }}\n"), "ab"),
        (format!("{allow}scopes: [read, write] }} }} }}] }}\n"), "a"),
        (format!("    optional: true\n{allow}claims: [{{ name: groups, values: [users] }}] }} }} }}] }}\n"), "b"),
        ("  authorization: { defaultAction: Allow, rules: [{ action: Deny, principal: { clientCIDRs: [10.0.0.0/8] } }] }\n".to_owned(), ""),
        ("  authorization: { rules: [{ action: Allow, principal: { clientCIDRs: [10.0.0.0/8] } }] }\n".to_owned(), ""),
    ] {
        let tree = documents(&format!("{base}{more}"));
        let mut draft = gateway::migrate(&tree[0].node, Scribe::new("f".into())).unwrap();
        proof::hold(&mut draft);
        assert_eq!(passing(&draft, "GET", "/", "h"), expected, "{more}: {:#?}", draft.configuration);
    }
}

#[test]
fn nothing_is_written_that_would_be_for_other_requests() {
    for (rule, sentence) in [
        ("{ match: { path_match_policy: { name: x } } }", "`path_match_policy` cannot be expressed"),
        ("{ match: { prefix: / }, requires: { requires_all: { requirements: [{}] } } }", "is empty"),
        ("{ match: { safe_regex: { regex: '\\p{L}' } } }", "regular expression"),
        ("{ match: { prefix: / }, requires: { provider_name: q } }", "q"),
        ("{ match: { prefix: / }, requires: { provider_name: '' } }", "is no requirement"),
        ("{ match: { prefix: / }, requires: p }", "is no requirement"),
        ("{ match: { prefix: / }, requirement_name: '' }", "is empty"),
        ("{ match: { prefix: /, headers: [{ name: a, string_match: { custom: {} } }] } }", "`custom`"),
    ] {
        let text = format!("providers: {{ p: {{ local_jwks: {{ inline_string: '{KEYS}' }} }} }}\nrules: [{rule}]\n");
        let mut draft = native::migrate(&documents(&text)[0].node, &[], Scribe::new("f".into()));
        proof::hold(&mut draft);
        let blocked: Vec<_> = draft.notes.iter().filter(|note| note.kind == Kind::Blocked).collect();
        assert!(blocked.iter().any(|note| note.sentence.contains(sentence)), "{rule}: {blocked:?}");
    }
}
