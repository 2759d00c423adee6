//! Every mistake, and the very line that the operator reads.

use serde_json::{Value, json};

use super::{check, least, least_with, load};

#[test]
fn providers() {
    let issuer = "providers.acme.issuer: is required: the exact `iss` of the tokens (or issuer_patterns; any_issuer: \
                  true accepts every issuer)";
    let audiences = "providers.acme.audiences: is required: the `aud` values to accept, at least one (any_audience: true accepts every audience)";
    check(&[
        ("/providers", Value::Null, "providers: is required: an object from names to providers"),
        ("/providers", json!({}), "providers: has to hold 1 to 1024 providers"),
        ("/providers/acme/issuer", Value::Null, issuer),
        ("/providers/acme/issuer", json!(""), issuer),
        (
            "/providers/acme/any_issuer",
            json!(true),
            "providers.acme.issuer: contradicts any_issuer: true: give one of the two",
        ),
        ("/providers/acme/audiences", Value::Null, audiences),
        ("/providers/acme/audiences", json!([]), audiences),
        ("/providers/acme/audiences", json!(["a", ""]), "providers.acme.audiences[1]: is empty"),
        ("/providers/acme/audiences", json!(["a", "a"]), "providers.acme.audiences[1]: lists `a` a second time"),
        (
            "/providers/acme/any_audience",
            json!(true),
            "providers.acme.audiences: contradicts any_audience: true: give one of the two",
        ),
        (
            "/providers/acme/clock_skew_seconds",
            json!(86_401),
            "providers.acme.clock_skew_seconds: has to be from 0 to 86400",
        ),
        (
            "/providers/acme/max_lifetime",
            json!("0s"),
            r#"providers.acme.max_lifetime: has to be from "1s" to "87600h", ten years"#,
        ),
        (
            "/providers/acme/types",
            json!([]),
            "providers.acme.types: is empty: list at least one type, or leave it out for `JWT` and `at+jwt`",
        ),
        (
            "/providers/acme/types",
            json!(["a/b/c"]),
            "providers.acme.types[0]: `a/b/c` is not a media type, such as `at+jwt`",
        ),
        (
            "/providers/acme/types",
            json!(["application/"]),
            "providers.acme.types[0]: `application/` is not a media type, such as `at+jwt`",
        ),
        (
            "/providers/acme/types",
            json!(["JWT", "application/jwt"]),
            "providers.acme.types[1]: lists `jwt` a second time",
        ),
        (
            "/providers/acme/sender_constraint",
            json!("IGNORE"),
            "providers.acme.sender_constraint: has to be `if_bound`, `required` or `ignore`, not `IGNORE`",
        ),
    ]);
}

#[test]
fn names_of_providers() {
    for name in ["", "a b", "a\n", "\u{e9}", &"x".repeat(129)] {
        let mut config = least();
        config["providers"][name] = config["providers"]["acme"].clone();
        let error = load(&config).unwrap_err();
        assert!(
            error.ends_with(": the name of a provider has to be 1 to 128 characters of printable ASCII without blanks"),
            "{error}"
        );
    }
}

#[test]
fn algorithms() {
    let all = "there are `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `HS256`, `HS384`, `HS512`";
    for name in ["none", "rs256", "ES256K", ""] {
        let expected = format!("providers.acme.algorithms[1]: `{name}` is not an algorithm that can be allowed: {all}");
        check(&[("/providers/acme/algorithms", json!(["RS256", name]), &expected)]);
    }
    let shared =
        "providers.acme.algorithms: HS256, HS384 and HS512 need a shared secret, which only local_jwks may hold";
    check(&[
        (
            "/providers/acme/algorithms",
            json!([]),
            "providers.acme.algorithms: is empty: list at least one algorithm, or leave it out for all asymmetric ones",
        ),
        ("/providers/acme/algorithms", json!(["ES256", "HS256"]), shared),
        (
            "/providers/acme/algorithms",
            json!(["EdDSA", "Ed25519"]),
            "providers.acme.algorithms[1]: lists `EdDSA` a second time",
        ),
    ]);
}

#[test]
fn locations() {
    let headers = "/providers/acme/from_headers";
    let name = "providers.acme.from_headers[0].name";
    let framing = format!("{name}: belongs to the framing of the message: use another header");
    for header in ["Host", "content-length", "Transfer-Encoding", "connection", "TE", "upgrade"] {
        check(&[(headers, json!([{"name": header}]), &framing)]);
    }
    let token = format!("{name}: has to be the name of a header: letters, digits and !#$%&'*+-.^_`|~");
    for header in ["", "x y", "x:y", "x\r\ny", "\u{e9}"] {
        check(&[(headers, json!([{"name": header}]), &token)]);
    }
    check(&[
        (headers, json!([{"name": ":path"}]), &format!("{name}: is a pseudo-header: use a header")),
        (headers, json!([{"name": "Cookie"}]), &format!("{name}: cookies are looked at one by one: use from_cookies")),
        (headers, json!([{"value_prefix": "Bearer "}]), &format!("{name}: is required: the name of the header")),
        (headers, json!([{"name": "x"}, {"name": "X"}]), "providers.acme.from_headers[1]: is listed a second time"),
        (
            headers,
            json!([{"name": "x", "value_prefix": "Bearer\n"}]),
            "providers.acme.from_headers[0].value_prefix: has to be printable ASCII and must not begin with a blank, such as `Bearer `",
        ),
        ("/providers/acme/from_params", json!(["a", "a"]), "providers.acme.from_params[1]: is listed a second time"),
        (
            "/providers/acme/from_params",
            json!([""]),
            "providers.acme.from_params[0]: has to be the name of a query parameter",
        ),
        (
            "/providers/acme/from_cookies",
            json!(["a=b"]),
            "providers.acme.from_cookies[0]: `a=b` cannot be the name of a cookie (RFC 6265 section 4.1.1)",
        ),
        (
            "/providers/acme/from_cookies",
            json!((0..65).map(|index| format!("c{index}")).collect::<Vec<_>>()),
            "providers.acme: looks for tokens in more than 64 places",
        ),
    ]);
}

#[test]
fn headers_for_the_upstream() {
    let claims = "/providers/acme/claim_to_headers";
    let path = "providers.acme.claim_to_headers[0]";
    let one = |header: &str| json!([{"header_name": header, "claim_name": "sub"}]);
    for header in ["Authorization", "cookie", "proxy-authorization"] {
        let expected = format!("{path}.header_name: carries the client's credentials: use another header");
        check(&[(claims, one(header), &expected)]);
    }
    let names = format!("{path}.claim_path: has to be a list of 1 to 32 names, from the outermost inwards");
    let exactly_one = format!("{path}: needs exactly one of claim_name and claim_path");
    check(&[
        (claims, one(":method"), &format!("{path}.header_name: is a pseudo-header: use a header")),
        (
            claims,
            one("host"),
            &format!("{path}.header_name: belongs to the framing of the message: use another header"),
        ),
        (claims, json!([{"claim_name": "sub"}]), &format!("{path}.header_name: is required: the header to write")),
        (claims, json!([{"header_name": "x"}]), &exactly_one),
        (claims, json!([{"header_name": "x", "claim_name": "a", "claim_path": ["a"]}]), &exactly_one),
        (
            claims,
            json!([{"header_name": "x", "claim_name": ""}]),
            &format!("{path}.claim_name: has to be the name of a claim; dots lead into nested objects"),
        ),
        (
            claims,
            json!([{"header_name": "x", "claim_name": "a", "format": "comma"}]),
            &format!("{path}.format: has to be `text`, `comma_separated` or `json_base64`, not `comma`"),
        ),
        (claims, json!([{"header_name": "x", "claim_path": []}]), &names),
        (claims, json!([{"header_name": "x", "claim_path": ["a", ""]}]), &names),
        (claims, json!([{"header_name": "x", "claim_path": vec!["a"; 33]}]), &names),
        (
            claims,
            json!([{"header_name": "x", "claim_name": "a"}, {"header_name": "X", "claim_name": "b"}]),
            "providers.acme.claim_to_headers[1].header_name: `x` is written twice: use another header",
        ),
        (
            "/providers/acme/pad_forward_payload_header",
            json!(true),
            "providers.acme.pad_forward_payload_header: has no effect without forward_payload_header: give that too, or remove this",
        ),
        (
            "/providers/acme/clear_route_cache",
            json!(false),
            "providers.acme.clear_route_cache: cannot be `false`: Envoy always chooses the route again after a Wasm filter's change",
        ),
        (
            "/providers/acme/forward_payload_header",
            json!("Authorization"),
            "providers.acme.forward_payload_header: carries the client's credentials: use another header",
        ),
    ]);
}

#[test]
fn filter_state() {
    let states = "/providers/acme/claim_to_filter_state";
    let path = "providers.acme.claim_to_filter_state";
    let one = |name: &str| json!([{"name": name, "claim_name": "sub"}]);
    let characters = format!("{path}[0].name: has to be 1 to 32 of the characters a-z, 0-9 and `_`");
    for name in ["", "Sub", "a.b", "a-b", "a b", "\u{e9}", "a\0b", &"x".repeat(33)] {
        check(&[(states, one(name), &characters)]);
    }
    let own = format!("{path}[0].name: is the filter's own: use another name");
    check(&[(states, one("route"), &own), (states, one("verdict"), &own)]);
    for name in ["a", "_", "0_z", "routes", &"x".repeat(32)] {
        assert!(load(&least_with(states, one(name))).is_ok(), "{name}");
    }
    let many = |count: usize| {
        (0..count).map(|index| json!({"name": format!("n{index}"), "claim_name": "sub"})).collect::<Vec<_>>()
    };
    assert!(load(&least_with(states, json!(many(32)))).is_ok());
    check(&[
        (states, json!(many(33)), &format!("{path}: has more than 32 entries")),
        (
            states,
            json!([{"claim_name": "a"}]),
            &format!("{path}[0].name: is required: what follows `wasm.jwt_warden.` in the key of the filter state"),
        ),
        (states, json!([{"name": "a"}]), &format!("{path}[0]: needs exactly one of claim_name and claim_path")),
        (
            states,
            json!([{"name": "a", "claim_name": "a", "format": "json"}]),
            &format!("{path}[0].format: has to be `text`, `comma_separated` or `json_base64`, not `json`"),
        ),
        (
            states,
            json!([{"name": "a", "claim_name": "a"}, {"name": "a", "claim_name": "b"}]),
            &format!("{path}[1].name: is written twice: use another name"),
        ),
    ]);
}

#[test]
fn the_header_of_the_verdict_is_the_filters_own() {
    let own = "is the filter's own: it tells the upstream the verdict, see report_only";
    for name in ["x-jwt-warden-verdict", "X_Jwt_Warden-Verdict"] {
        let header = json!([{"header_name": name, "claim_name": "sub"}]);
        check(&[
            (
                "/providers/acme/forward_payload_header",
                json!(name),
                &format!("providers.acme.forward_payload_header: {own}"),
            ),
            (
                "/providers/acme/claim_to_headers",
                header,
                &format!("providers.acme.claim_to_headers[0].header_name: {own}"),
            ),
            (
                "/providers/acme/from_headers",
                json!([{ "name": name }]),
                &format!("providers.acme.from_headers[0].name: {own}"),
            ),
        ]);
    }
    assert!(load(&least_with("/providers/acme/forward_payload_header", json!("x-jwt-warden-verdicts"))).is_ok());
}

#[test]
fn a_rule_that_refuses_nothing_has_nothing_to_report() {
    for report_only in [true, false] {
        let rules = json!([{"match": {"path": "/"}, "report_only": report_only}]);
        check(&[("/rules", rules, "rules[0].report_only: has no effect without `requires`: the rule refuses nothing")]);
    }
    let rules = json!([{"match": {"path": "/"}, "requires": {"provider_name": "acme"}, "reportOnly": 1}]);
    check(&[("/rules", rules, "rules[0].report_only: is a whole number, but has to be true or false")]);
}

#[test]
fn headers_that_meet() {
    let mut config = least_with("/providers/acme/from_headers", json!([{"name": "x-token"}]));
    config["providers"]["other"] = config["providers"]["acme"].clone();
    config["providers"]["other"]["from_headers"] = json!([{"name": "x-other"}]);
    config["providers"]["other"]["forward_payload_header"] = json!("X-Token");
    config["providers"]["other"]["claim_to_headers"] = json!([{"header_name": "x-token", "claim_name": "sub"}]);
    let expected = "providers.other.forward_payload_header: `x-token` is a header that tokens come in: use another one\n\
                    providers.other.claim_to_headers[0].header_name: `x-token` is a header that tokens come in: use another one\n\
                    providers.other.claim_to_headers[0].header_name: `x-token` is written twice: use another header";
    assert_eq!(load(&config).unwrap_err(), expected);
}

#[test]
fn settings() {
    let realm = "realm: has to be 1 to 256 characters of printable ASCII, without quotes and backslashes";
    for text in ["", "a\"b", "a\\b", "a\nb", "\u{e9}", &"x".repeat(257)] {
        check(&[("/realm", json!(text), realm)]);
    }
    check(&[
        ("/unmatched", json!("Allow"), "unmatched: has to be `deny` or `allow`, not `Allow`"),
        (
            "/unmatched",
            json!("allow"),
            "unmatched: `allow` contradicts the absence of rules, without which every request needs a token",
        ),
        ("/unavailable_status", json!(500), "unavailable_status: has to be 401 or 503"),
        ("/limits", json!({"max_token_bytes": 255}), "limits.max_token_bytes: has to be from 256 to 1048576"),
        ("/limits", json!({"max_jwks_bytes": u64::MAX}), "limits.max_jwks_bytes: has to be from 1024 to 4194304"),
        ("/limits", json!({"max_denial_lines": 1_000_001}), "limits.max_denial_lines: has to be from 0 to 1000000"),
        ("/limits", json!({"max_waiting_requests": 0}), "limits.max_waiting_requests: has to be from 1 to 100000"),
    ]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mut config = least();
    config["realm"] = json!("");
    config["limits"] = json!({"max_token_bytes": 1});
    config["providers"]["acme"]["issuer"] = json!("");
    config["providers"]["acme"]["remote_jwks"]["http_uri"] = json!({"timeout": "1"});
    config["providers"]["other"] = json!({});
    config["rules"] =
        json!([{"match": {"prefix": "x"}}, {"match": {"prefix": "/"}, "requires": {"provider_name": "x"}}]);
    let error = load(&config).unwrap_err();
    let paths: Vec<_> = error.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "limits.max_token_bytes",
            "providers.acme.issuer",
            "providers.acme.remote_jwks.http_uri.uri",
            "providers.acme.remote_jwks.http_uri.cluster",
            "providers.acme.remote_jwks.http_uri.timeout",
            "providers.other.issuer",
            "providers.other.audiences",
            "providers.other",
            "rules[0].match.prefix",
            "rules[1].requires.provider_name",
            "realm",
        ]
    );
}

#[test]
fn proofs_of_possession() {
    let origin = "dpop.origins[0]: has to be an origin, such as `https://api.example` or `https://api.example:8443`";
    for text in ["", "api.example", "https://api.example/", "https://api.example/a", "ftp://api.example", "https://*"] {
        check(&[("/dpop", json!({"origins": [text]}), origin)]);
    }
    check(&[
        (
            "/dpop",
            json!({"origins": ["https://api.example", "HTTPS://API.example:443"]}),
            "dpop.origins[1]: lists `https://api.example` a second time",
        ),
        (
            "/dpop",
            json!({"algorithms": ["ES256", "HS256"]}),
            "dpop.algorithms: lists HS*: a proof shows that its sender has a private key",
        ),
        ("/dpop", json!({"max_age": "601s"}), r#"dpop.max_age: has to be from "1s" to "600s", ten minutes"#),
        ("/dpop", json!({"clock_skew": "61s"}), r#"dpop.clock_skew: has to be from "0s" to "60s""#),
        (
            "/dpop",
            json!({"nonce": {"required": true, "lifetime": "9s"}}),
            r#"dpop.nonce.lifetime: has to be from "10s" to "3600s", an hour"#,
        ),
        ("/dpop", json!({"nonce": {"lifetime": "60s"}}), "dpop.nonce.lifetime: has no effect without `required: true`"),
        (
            "/dpop",
            json!({"replay_memory": {"max_proofs": 999}}),
            "dpop.replay_memory.max_proofs: has to be from 1000 to 10000000",
        ),
        (
            "/providers/acme/claim_to_headers",
            json!([{"header_name": "DPoP", "claim_name": "sub"}]),
            "providers.acme.claim_to_headers[0].header_name: carries the client's credentials: use another header",
        ),
    ]);
}

#[test]
fn protected_resources() {
    let resource = "protected_resource.resource: ";
    let url = "has to be an https URL without a query, such as `https://api.example/v1`";
    check(&[(
        "/protected_resource",
        json!({}),
        "protected_resource.resource: is required: the https URL that the resource is known by",
    )]);
    for text in ["http://api.example", "api.example", "https://api.example/?a", "https://api.example/#a", ""] {
        check(&[("/protected_resource", json!({"resource": text}), &format!("{resource}{url}"))]);
    }
    let with = |name: &str, value: Value| {
        let mut resource = json!({"resource": "https://api.example"});
        resource[name] = value;
        resource
    };
    check(&[
        (
            "/protected_resource",
            with("authorization_servers", json!(["https://idp.example", "idp"])),
            "protected_resource.authorization_servers[1]: `idp` is not an https URL",
        ),
        (
            "/protected_resource",
            with("scopes_supported", json!(["a b"])),
            "protected_resource.scopes_supported[0]: `a b` is not a scope",
        ),
        (
            "/protected_resource",
            with("resource_documentation", json!("http://docs.example")),
            "protected_resource.resource_documentation: `http://docs.example` is not an https URL",
        ),
    ]);
    let warnings = load(&least_with("/protected_resource", with("authorization_servers", json!([])))).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
}
