//! A configuration that has every field, in each of its spellings.

use std::rc::Rc;
use std::time::Duration;

use prost::Message;
use prost_types::{ListValue, Struct, value::Kind};
use serde_json::{Map, Value, json};

use super::{
    super::{
        Backoff, ClaimCondition, ClaimFormat, ClaimHeader, ClaimPath, ClaimState, ClaimValue, CsrfGuard, DoubleSubmit,
        Exemption, HeaderPrefix, HttpUri, IssuerMatcher, JwksSource, Limits, PathMatcher, PayloadHeader, Permission,
        Provider, ProviderId, ProviderRequirement, RemoteJwks, Requirement, Rule, SenderConstraint, TokenCacheLimits,
        TokenLocation, Unmatched, parse,
    },
    KEYS, environment, least, load,
};
use crate::crypto::{AlgorithmSet, SignatureAlgorithm};
use crate::string_matcher::{StringMatcher, Text};

// Providers in alphabetical order, which is the order that a Struct gives them.
pub(super) fn full() -> Value {
    json!({
        "providers": {
            "acme": {
                "issuer": "https://acme.example",
                "audiences": ["api", "urn:api"],
                "subjects": {"prefix": "User-", "ignore_case": true},
                "algorithms": ["ES256", "Ed25519"],
                "types": ["JWT", "Application/AT+JWT", "example/x"],
                "require_type": true,
                "require_expiration": true,
                "max_lifetime": "1h",
                "clock_skew_seconds": 5,
                "remote_jwks": {
                    "http_uri": {"uri": "https://acme.example:8443/jwks?v=1", "cluster": "acme|443", "timeout": "1.5s"},
                    "cache_duration": "5m",
                    "max_stale": "0s",
                    "unknown_kid_interval": "1s",
                    "backoff": {"base_interval": "100ms", "max_interval": "1m"}
                },
                "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}, {"name": "X-Token"}],
                "from_params": ["jwt"],
                "from_cookies": ["__Host-session"],
                "csrf": {
                    "disabled": false,
                    "allowed_origins": ["https://app.example"],
                    "double_submit": {"cookie": "__Host-csrf", "header": "X-CSRF-Token"}
                },
                "forward": true,
                "forward_payload_header": "X-Payload",
                "pad_forward_payload_header": true,
                "claim_to_headers": [
                    {"header_name": "X-Sub", "claim_name": "sub"},
                    {
                        "header_name": "X-Org",
                        "claim_path": ["https://acme.example/org", "id"],
                        "format": "comma_separated"
                    }
                ],
                "claim_to_filter_state": [{"name": "org_id", "claim_name": "org.id", "format": "json_base64"}],
                "clear_route_cache": true,
                "sender_constraint": "ignore",
                "revocation": {
                    "denylists": [{
                        "http_uri": {"uri": "https://acme.example/denied", "cluster": "acme|443", "timeout": "2s"},
                        "refresh": "10s", "max_stale": "5m"
                    }],
                    "lookup": {
                        "http_uri": {"uri": "http://webdis/EXISTS/revoked:{jti}?of={iss}&by={sub}", "cluster": "webdis", "timeout": "1s"},
                        "ttl": "5s",
                        "revoked_when": {"json_pointer": "/EXISTS", "equals": 1}
                    },
                    "status_lists": [{
                        "uri": "https://acme.example/statuses/1", "cluster": "acme|443", "timeout": "3s",
                        "refresh": "1m", "max_stale": "0s"
                    }],
                    "require_jti": true,
                    "on_unavailable": "allow"
                }
            },
            "bytes": {
                "issuer": "bytes", "any_audience": true,
                "local_jwks": {"inline_bytes": "eyJrZXlzIjpbeyJrdHkiOiJPS1AiLCJjcnYiOiJFZDI1NTE5Iiwia2lkIjoiYSIsIngiOiIxMXFZQVlLeENyZlZTXzdUeVdRSE9nN2hjdlBhcGlNbHJ3SWFhUGNIVVJvIn1dfQ=="}
            },
            "text": {"issuer": "text", "any_audience": true, "local_jwks": {"inline_string": KEYS}},
            "variable": {"any_issuer": true, "any_audience": true, "local_jwks": {"environment_variable": "JWKS"}}
        },
        "rules": [
            {"match": {"path": "/health"}},
            {"match": {"prefix": "/bytes/"}, "requires": {"provider_name": "bytes"}},
            {"match": {"prefix": "/text/"}, "requires": {"provider_name": "text"}},
            {"match": {"prefix": "/variable/"}, "requirement_name": "any"},
            {"match": {"prefix": "/admin/"}, "requires": {
                "provider_and_audiences": {"provider_name": "acme", "audiences": ["admin"]},
                "scopes": ["read", "write"],
                "any_scopes": ["a", "b"],
                "claims": [
                    {"claim_name": "realm.roles", "any_of": ["x", 1, -1.5, true], "all_of": ["x"], "not": {"any_of": ["y"], "all_of": ["z"]}},
                    {"claim_path": ["https://acme.example/org"], "exists": true}
                ]
            }},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "acme"}}
        ],
        "requirement_map": {
            "any": {"requires_any": {"requirements": [
                {"allow_missing": {}},
                {"provider_name": "variable"},
                {"requires_all": {"requirements": [{"provider_name": "text"}, {"allow_missing_or_failed": {}}]}}
            ]}}
        },
        "unmatched": "allow",
        "bypass_cors_preflight": true,
        "route_metadata": false,
        "protected_resource": {
            "resource": "https://API.acme.example/v1", "authorization_servers": ["https://acme.example"],
            "scopes_supported": ["read"], "resource_name": "Acme", "resource_documentation": "https://acme.example/docs"
        },
        "realm": "acme api", "unavailable_status": 503,
        "token_cache": {"max_entries": 20, "max_bytes": 65536},
        "limits": limits()
    })
}

fn of_provider(id: usize) -> Requirement {
    let provider = ProviderId(id);
    Requirement::Provider(ProviderRequirement { provider, audiences: None, permission: Permission::default() })
}

fn admin() -> Requirement {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let text = |text: &str| ClaimValue::Text(text.to_owned());
    let number = |number: f64| ClaimValue::Number(serde_json::Number::from_f64(number).unwrap());
    let roles = ClaimCondition {
        claim: ClaimPath::Dotted("realm.roles".to_owned()),
        exists: None,
        any_of: Some(vec![text("x"), ClaimValue::Number(1.into()), number(-1.5), ClaimValue::Bool(true)]),
        all_of: Some(vec![text("x")]),
        not_any_of: Some(vec![text("y")]),
        not_all_of: Some(vec![text("z")]),
    };
    let org = ClaimCondition {
        claim: ClaimPath::Exact(texts(&["https://acme.example/org"])),
        exists: Some(true),
        any_of: None,
        all_of: None,
        not_any_of: None,
        not_all_of: None,
    };
    let permission =
        Permission { scopes: texts(&["read", "write"]), any_scopes: texts(&["a", "b"]), claims: vec![roles, org] };
    let audiences = Some(texts(&["admin"]));
    Requirement::Provider(ProviderRequirement { provider: ProviderId(0), audiences, permission })
}

fn acme() -> Provider {
    let claim_header = |header: &str, claim, format| ClaimHeader { header: header.to_owned(), claim, format };
    let header = |name: &str, prefix| TokenLocation::Header { name: name.to_owned(), prefix };
    let exact = ["https://acme.example/org", "id"].map(str::to_owned).to_vec();
    Provider {
        name: "acme".to_owned(),
        issuer: IssuerMatcher::Exact("https://acme.example".to_owned()),
        audiences: Some(vec!["api".to_owned(), "urn:api".to_owned()]),
        subjects: Some(StringMatcher::Prefix(Text::new("user-".to_owned(), true))),
        algorithms: AlgorithmSet::EMPTY.with(SignatureAlgorithm::Es256).with(SignatureAlgorithm::EdDsa),
        token_types: vec!["jwt".to_owned(), "at+jwt".to_owned(), "example/x".to_owned()],
        require_type: true,
        require_expiration: true,
        max_lifetime: Some(Duration::from_secs(3600)),
        clock_skew: Duration::from_secs(5),
        jwks: JwksSource::Remote(Box::new(RemoteJwks {
            http: HttpUri {
                scheme: "https".to_owned(),
                authority: "acme.example:8443".to_owned(),
                path_and_query: "/jwks?v=1".to_owned(),
                cluster: "acme|443".to_owned(),
                timeout: Duration::from_millis(1500),
            },
            cache_duration: Duration::from_secs(300),
            max_stale: Duration::ZERO,
            discovery: None,
            unknown_kid_interval: Duration::from_secs(1),
            backoff: Backoff { base_interval: Duration::from_millis(100), max_interval: Duration::from_secs(60) },
        })),
        locations: vec![
            header("authorization", HeaderPrefix::Scheme("Bearer".to_owned())),
            header("x-token", HeaderPrefix::None),
            TokenLocation::Query("jwt".to_owned()),
            TokenLocation::Cookie("__Host-session".to_owned()),
        ],
        csrf: Some(CsrfGuard {
            allowed_origins: vec!["https://app.example".to_owned()],
            double_submit: Some(DoubleSubmit {
                cookie: TokenLocation::Cookie("__Host-csrf".to_owned()),
                header: "x-csrf-token".to_owned(),
            }),
        }),
        forward: true,
        payload_header: Some(PayloadHeader { name: "x-payload".to_owned(), pad: true }),
        claim_headers: vec![
            claim_header("x-sub", ClaimPath::Dotted("sub".to_owned()), ClaimFormat::Text),
            claim_header("x-org", ClaimPath::Exact(exact), ClaimFormat::CommaSeparated),
        ],
        claim_states: vec![ClaimState {
            property: "jwt_warden.org_id".to_owned(),
            claim: ClaimPath::Dotted("org.id".to_owned()),
            format: ClaimFormat::JsonBase64,
        }],
        sender_constraint: SenderConstraint::Ignore,
        revocation: Some(Box::new(super::revocation::full())),
    }
}

fn limits() -> Value {
    json!({
        "max_token_bytes": 8192,
        "max_jwks_bytes": 65536,
        "max_waiting_requests": 10,
        "max_revocation_bytes": 1024,
        "max_denial_lines": 0
    })
}

#[test]
fn every_field_arrives() {
    let loaded = load(&full()).unwrap();
    assert_eq!(loaded.warnings, []);
    let config = loaded.config;
    assert_eq!(config.provider(ProviderId(0)), Some(&acme()));
    assert_eq!(
        config.providers.iter().map(|provider| provider.name.as_str()).collect::<Vec<_>>(),
        ["acme", "bytes", "text", "variable"]
    );
    for local in &config.providers[1..] {
        assert_eq!(local.jwks, JwksSource::Local(KEYS.as_bytes().to_vec()), "{}", local.name);
    }
    assert_eq!(config.providers[3].issuer, IssuerMatcher::Any);
    assert_eq!(config.providers[3].audiences, None);
    assert_eq!(config.rules.len(), 6);
    assert_eq!(
        config.rules[0],
        Rule { name: None, matcher: PathMatcher::Exact("/health".into()).into(), requires: None, report_only: false }
    );
    assert_eq!(config.rules[3].requires.as_ref(), config.requirement_map.first().map(|(_, any)| any));
    assert_eq!(config.rules[4].requires.as_deref(), Some(&admin()));
    let last = Rule {
        name: None,
        matcher: PathMatcher::Prefix("/".into()).into(),
        requires: Some(Rc::new(of_provider(0))),
        report_only: false,
    };
    assert_eq!(config.rules[5], last);
    let both =
        Requirement::All(vec![of_provider(2), Requirement::AllowMissingOrFailed((0..4).map(ProviderId).collect())]);
    let any = Requirement::Any(vec![of_provider(3), both], Exemption::Missing);
    assert_eq!(config.requirement_map, [("any".to_owned(), Rc::new(any))]);
    assert_eq!(
        (config.unmatched, config.bypass_cors_preflight, config.route_metadata),
        (Unmatched::Allow, true, false)
    );
    let resource = config.protected_resource.unwrap();
    assert_eq!((resource.authority.as_str(), resource.path.as_str()), ("api.acme.example", "/v1"));
    assert_eq!(resource.resource, "https://API.acme.example/v1");
    assert_eq!(
        (resource.authorization_servers, resource.scopes),
        (vec!["https://acme.example".to_owned()], vec!["read".to_owned()])
    );
    assert_eq!(resource.name.as_deref(), Some("Acme"));
    assert_eq!(resource.documentation.as_deref(), Some("https://acme.example/docs"));
    assert_eq!(config.realm, "acme api");
    assert_eq!(config.unavailable_status, 503);
    assert_eq!(config.token_cache, TokenCacheLimits { max_entries: 20, max_bytes: 65_536 });
    assert_eq!(
        config.limits,
        Limits {
            max_token_bytes: 8192,
            max_jwks_bytes: 65_536,
            max_waiting_requests: 10,
            max_revocation_bytes: 1024,
            max_denial_lines: 0
        }
    );
}

#[test]
fn the_defaults_are_strict() {
    let config = load(&least()).unwrap().config;
    let acme = &config.providers[0];
    assert_eq!(acme.algorithms, AlgorithmSet::asymmetric());
    assert_eq!(acme.token_types, ["jwt", "at+jwt"]);
    assert!(!acme.require_type && acme.require_expiration && !acme.forward);
    assert_eq!((acme.max_lifetime, acme.clock_skew), (None, Duration::from_secs(60)));
    assert_eq!((&acme.payload_header, acme.claim_headers.len(), acme.claim_states.len()), (&None, 0, 0));
    assert_eq!(acme.sender_constraint, SenderConstraint::IfBound);
    let scheme = |scheme: &str| HeaderPrefix::Scheme(scheme.to_owned());
    assert_eq!(
        acme.locations,
        [
            TokenLocation::Header { name: "authorization".to_owned(), prefix: scheme("Bearer") },
            TokenLocation::Query("access_token".to_owned()),
            TokenLocation::Header { name: "authorization".to_owned(), prefix: scheme("DPoP") },
        ]
    );
    let JwksSource::Remote(remote) = &acme.jwks else { panic!("not remote") };
    let durations = [remote.http.timeout, remote.cache_duration, remote.max_stale, remote.unknown_kid_interval];
    assert_eq!(durations.map(|duration| duration.as_secs()), [5, 600, 86_400, 5]);
    let backoff = Backoff { base_interval: Duration::from_secs(1), max_interval: Duration::from_secs(30) };
    assert_eq!(remote.backoff, backoff);
    let any = Rc::new(Requirement::AnyProvider(vec![ProviderId(0)]));
    assert_eq!(
        config.rules,
        [Rule { name: None, matcher: PathMatcher::Prefix("/".into()).into(), requires: Some(any), report_only: false }]
    );
    assert_eq!((config.unmatched, config.realm.as_str(), config.unavailable_status), (Unmatched::Deny, "api", 401));
    assert_eq!((config.limits, config.bypass_cors_preflight), (Limits::default(), false));
}

#[test]
fn metadata_of_routes_count_where_there_is_something_to_name() {
    let map = json!({"a": {"provider_name": "acme"}});
    let counts = |config: &Value| load(config).unwrap().config.route_metadata;
    assert!(!counts(&least()));
    assert!(counts(&super::least_with("/requirement_map", map)));
    assert!(counts(&super::least_with("/route_metadata", json!(true))));
}

#[test]
fn no_rules_and_empty_rules_are_the_same() {
    assert_eq!(load(&super::least_with("/rules", json!([]))), load(&least()));
}

#[test]
fn camel_case_is_the_same_configuration() {
    let camel = camel_case(full());
    assert!(camel.pointer("/providers/acme/remoteJwks/httpUri").is_some());
    assert_eq!(load(&camel), load(&full()));
}

#[test]
fn a_struct_is_the_same_configuration() {
    for config in [full(), camel_case(full()), least()] {
        let bytes = structure(&config).encode_to_vec();
        assert_eq!(parse(&bytes, &environment).map_err(|error| error.to_string()), load(&config));
    }
}

#[test]
fn white_space_before_the_text_does_not_make_it_a_struct() {
    let text = format!("\n{}\n", least());
    assert_eq!(parse(text.as_bytes(), &environment).map_err(|error| error.to_string()), load(&least()));
}

#[test]
fn local_keys_are_not_printed() {
    assert!(!format!("{:?}", load(&full())).contains("11qYAYK"));
}

/// Providers keep their names, everything else is a field.
fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().map(|(name, value)| (camel(&name), camel_case(value))).collect(),
        Value::Array(items) => items.into_iter().map(camel_case).collect(),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut upper = false;
    name.chars().fold(String::new(), |mut camel, character| {
        match character {
            '_' => upper = true,
            _ if std::mem::take(&mut upper) => camel.push(character.to_ascii_uppercase()),
            _ => camel.push(character),
        }
        camel
    })
}

pub(super) fn structure(config: &Value) -> Struct {
    fields(config.as_object().unwrap())
}

fn fields(members: &Map<String, Value>) -> Struct {
    Struct { fields: members.iter().map(|(name, value)| (name.clone(), struct_value(value))).collect() }
}

fn struct_value(value: &Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(struct_value).collect() }),
        Value::Object(members) => Kind::StructValue(fields(members)),
    };
    prost_types::Value { kind: Some(kind) }
}
