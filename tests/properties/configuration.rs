//! A configuration that is accepted is enforced: what passes meets, by a second reading of the text, what a rule asks for.

use jwt_warden::decision::Decision;
use serde_json::{Value, json};

use super::authority::Authority;
use super::draw::Draw;
use super::mint::{EcKey, NOW, SECRET, base64url, hs256, jwks};

/// Members that let requests pass without a token; each is a word of the configuration's own.
const OPENING: [&str; 6] = [
    "allow_missing",
    "allow_missing_or_failed",
    "allowMissing",
    "allowMissingOrFailed",
    "bypass_cors_preflight",
    "bypassCorsPreflight",
];
const PATHS: [&str; 6] = ["/", "/api", "/api/x?y=z", "/open", "/a/../open", "/%6fpen"];

/// The raw bytes as a configuration, or one of drawn members.
pub fn check(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    if draw.one_in(3) {
        return check_raw(draw.rest());
    }
    let configuration = configuration(&mut draw);
    let Some(authority) = Authority::of(configuration.to_string().as_bytes()) else { return };
    check_without_token(&authority, &configuration);
    for path in &PATHS[..4] {
        let allowed = passes(&authority, &[(":method", "GET"), (":path", path)]);
        assert_eq!(allowed, required(&configuration, path, None), "{path} without a token under {configuration}");
    }
    while !draw.is_empty() {
        let (header, claims) = (header(&mut draw), claims(&mut draw));
        let path = draw.pick(&PATHS[..4]);
        let token =
            if header["alg"] == "HS256" { hs256(&header, &claims) } else { EcKey::new("a", 1).sign(&header, &claims) };
        let credentials = format!("Bearer {token}");
        let headers = [(":method", "GET"), (":path", path), ("authorization", credentials.as_str())];
        let allowed = passes(&authority, &headers);
        let expected = required(&configuration, path, Some((&header, &claims)));
        assert_eq!(allowed, expected, "{path} with {header} {claims} under {configuration}");
    }
}

fn check_raw(text: &[u8]) {
    let Some(authority) = Authority::of(text) else { return };
    // What is no JSON is a `Struct`, of which there is no second reading here.
    let configuration: Value = serde_json::from_slice(text).unwrap_or_default();
    check_without_token(&authority, &configuration);
}

/// No request without a token, or with one that nobody signed, passes where every rule asks for one.
fn check_without_token(authority: &Authority, configuration: &Value) {
    let is_open = configuration.is_null() || is_open(configuration);
    let unsigned =
        format!("Bearer {}.{}.AA", base64url(r#"{"alg":"none"}"#), base64url(r#"{"iss":"https://issuer.test"}"#));
    for path in PATHS {
        for method in ["GET", "POST", "OPTIONS"] {
            let request = [(":method", method), (":path", path), (":authority", "api.test")];
            let preflight = [("origin", "https://a.test"), ("access-control-request-method", "PUT")];
            let with_token = [("authorization", unsigned.as_str()), ("cookie", "a=b.c.d"), ("dpop", "a.b.c")];
            for headers in [
                request.to_vec(),
                [request, [preflight[0], preflight[1], with_token[1]]].concat(),
                [request, with_token].concat(),
            ] {
                let passes = passes(authority, &headers);
                assert!(is_open || !passes, "{headers:?} passes {configuration}");
            }
        }
    }
}

fn passes(authority: &Authority, headers: &[(&str, &str)]) -> bool {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    matches!(authority.decide(&headers), Decision::Allow(_))
}

/// Whether anything in the text may let a request pass without a token.
fn is_open(configuration: &Value) -> bool {
    let rules = configuration["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    rules.iter().any(|rule| rule["requires"].is_null())
        || configuration["unmatched"] == "allow"
        || has_opening(configuration)
}

fn has_opening(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(has_opening),
        Value::Object(members) => members.iter().any(|(name, value)| {
            let reports = ["report_only", "reportOnly"].contains(&name.as_str()) && *value == true;
            reports || OPENING.contains(&name.as_str()) || has_opening(value)
        }),
        _ => false,
    }
}

/// What the rules ask of the path, by the first that matches.
fn required(configuration: &Value, path: &str, token: Option<(&Value, &Value)>) -> bool {
    let path = path.split('?').next().unwrap();
    let matches = |rule: &&Value| {
        let prefix = rule["match"]["prefix"].as_str();
        rule["match"]["path"] == path || prefix.is_some_and(|prefix| path.starts_with(prefix))
    };
    match configuration["rules"].as_array().unwrap().iter().find(matches) {
        Some(rule) => rule["requires"].is_null() || is_met(&rule["requires"], configuration, token),
        None => configuration["unmatched"] == "allow",
    }
}

fn is_met(requirement: &Value, configuration: &Value, token: Option<(&Value, &Value)>) -> bool {
    let all = |name: &str| requirement[name]["requirements"].as_array();
    if let Some(name) = requirement["requirement_name"].as_str() {
        return is_met(&configuration["requirement_map"][name], configuration, token);
    }
    if let Some(parts) = all("requires_any") {
        return is_any_met(parts, configuration, token);
    }
    if let Some(parts) = all("requires_all") {
        return parts.iter().all(|part| is_met(part, configuration, token));
    }
    if requirement.get("allow_missing_or_failed").is_some() {
        return true;
    }
    if requirement.get("allow_missing").is_some() {
        return ["a", "b"].iter().any(|name| is_met(&json!({"provider_name": name}), configuration, token))
            || token.is_none();
    }
    let of_both = &requirement["provider_and_audiences"];
    let name = requirement["provider_name"].as_str().or(of_both["provider_name"].as_str()).unwrap();
    let Some((header, claims)) = token else { return false };
    let provider = &configuration["providers"][name];
    let audiences = if of_both["audiences"].is_null() { &provider["audiences"] } else { &of_both["audiences"] };
    is_accepted(provider, audiences, header, claims) && has_scopes(requirement, claims)
}

/// Beside other parts, `allow_missing` lets pass what has no token at all.
fn is_any_met(parts: &[Value], configuration: &Value, token: Option<(&Value, &Value)>) -> bool {
    let is_exemption = |part: &&Value| part.get("allow_missing").is_some();
    if parts.iter().all(|part| is_exemption(&part) || part.get("allow_missing_or_failed").is_some()) {
        return parts.iter().any(|part| is_met(part, configuration, token));
    }
    let (exemptions, others): (Vec<_>, Vec<_>) = parts.iter().partition(is_exemption);
    others.iter().any(|part| is_met(part, configuration, token)) || (!exemptions.is_empty() && token.is_none())
}

fn is_accepted(provider: &Value, audiences: &Value, header: &Value, claims: &Value) -> bool {
    let lists = |list: &Value, wanted: &Value| list.as_array().is_some_and(|list| list.contains(wanted));
    let algorithm = if provider["algorithms"].is_null() {
        header["alg"] == "ES256"
    } else {
        lists(&provider["algorithms"], &header["alg"])
    };
    let token_type = match header["typ"].as_str() {
        None => provider["require_type"] != true,
        Some(name) => match provider["types"].as_array() {
            None => ["jwt", "at+jwt"].contains(&name.to_lowercase().as_str()),
            Some(types) => types.iter().any(|accepted| accepted.as_str().unwrap().eq_ignore_ascii_case(name)),
        },
    };
    let issuer = provider["any_issuer"] == true || (!claims["iss"].is_null() && provider["issuer"] == claims["iss"]);
    let audience = if audiences.is_null() {
        true
    } else {
        match &claims["aud"] {
            Value::Array(several) => several.iter().any(|one| lists(audiences, one)),
            one => lists(audiences, one),
        }
    };
    let skew = provider["clock_skew_seconds"].as_i64().unwrap_or(60);
    let now = i64::try_from(NOW).unwrap();
    let lifetime = provider["max_lifetime"].as_str().map(|text| text.trim_end_matches('s').parse::<i64>().unwrap());
    let expiration = match claims["exp"].as_i64() {
        None => provider["require_expiration"] == false && lifetime.is_none(),
        Some(time) => now < time + skew && lifetime.is_none_or(|bound| time - now <= bound),
    };
    let begins = ["nbf", "iat"].iter().all(|name| claims[*name].as_i64().is_none_or(|time| time <= now + skew));
    let subject = provider["subjects"]["prefix"].as_str();
    let subject = subject.is_none_or(|prefix| claims["sub"].as_str().is_some_and(|name| name.starts_with(prefix)));
    let bound = match provider["sender_constraint"].as_str() {
        Some("ignore") => true,
        Some("required") => false,
        _ => claims["cnf"].is_null(),
    };
    algorithm && token_type && issuer && audience && expiration && begins && subject && bound
}

fn has_scopes(requirement: &Value, claims: &Value) -> bool {
    let granted: Vec<&str> = claims["scope"].as_str().unwrap_or_default().split(' ').collect();
    let wanted = requirement["scopes"].as_array().map(Vec::as_slice).unwrap_or_default();
    wanted.iter().all(|scope| granted.contains(&scope.as_str().unwrap()))
}

/// An object without the members that are null.
fn object(members: Value) -> Value {
    let Value::Object(members) = members else { return members };
    members.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn configuration(draw: &mut Draw<'_>) -> Value {
    let rules: Vec<Value> = (0..=draw.below(3)).map(|_| rule(draw)).collect();
    object(json!({
        "providers": {"a": provider(draw), "b": provider(draw)},
        "requirement_map": {"named": requirement(draw, 1)},
        "rules": rules,
        "unmatched": draw.pick(&[Value::Null, Value::Null, json!("deny"), json!("allow")]),
        "token_cache": draw.pick(&[Value::Null, json!({"max_entries": 0})]),
    }))
}

fn provider(draw: &mut Draw<'_>) -> Value {
    let secret = json!({"kty": "oct", "kid": "h", "k": base64url(SECRET)});
    let any = |draw: &mut Draw<'_>| if draw.one_in(6) { json!(true) } else { Value::Null };
    let (any_issuer, any_audience) = (any(draw), any(draw));
    let unless = |any: &Value, value: Value| if any.is_null() { value } else { Value::Null };
    object(json!({
        "issuer": unless(&any_issuer, draw.pick(&[json!("https://issuer.test"), json!("https://other.test"), Value::Null])),
        "audiences": unless(&any_audience, draw.pick(&[json!(["api"]), json!(["b", "api"]), json!(["b"]), json!([])])),
        "any_issuer": any_issuer,
        "any_audience": any_audience,
        "algorithms": draw.pick(&[Value::Null, json!(["ES256"]), json!(["HS256"]), json!(["ES256", "HS256"]), json!(["RS256", "ES256"])]),
        "types": draw.pick(&[Value::Null, Value::Null, json!(["JWT"]), json!(["at+jwt", "x"])]),
        "require_type": draw.pick(&[Value::Null, json!(true), json!(false)]),
        "require_expiration": draw.pick(&[Value::Null, json!(true), json!(false)]),
        "max_lifetime": draw.pick(&[Value::Null, Value::Null, json!("300s"), json!("3600s")]),
        "clock_skew_seconds": draw.pick(&[Value::Null, json!(0), json!(1), json!(60), json!(100)]),
        "subjects": draw.pick(&[Value::Null, Value::Null, json!({"prefix": "al"})]),
        "sender_constraint": draw.pick(&[Value::Null, Value::Null, json!("if_bound"), json!("ignore"), json!("required")]),
        "local_jwks": {"inline_string": jwks(&[EcKey::new("a", 1).jwk(), secret])},
    }))
}

fn rule(draw: &mut Draw<'_>) -> Value {
    let place = draw.pick(&[
        json!({"prefix": "/api"}),
        json!({"path": "/open"}),
        json!({"path": "/api"}),
        json!({"prefix": "/"}),
    ]);
    let requires = if draw.one_in(6) { Value::Null } else { requirement(draw, 0) };
    object(json!({"match": place, "requires": requires}))
}

fn requirement(draw: &mut Draw<'_>, depth: usize) -> Value {
    let name = draw.pick(&["a", "b"]);
    let scopes = draw.pick(&[Value::Null, Value::Null, json!(["read"]), json!(["read", "write"])]);
    match draw.below(if depth < 3 { 9 } else { 5 }) {
        0 | 1 => object(json!({"provider_name": name, "scopes": scopes})),
        2 => json!({"provider_and_audiences": {"provider_name": name, "audiences": draw.pick(&[["api"], ["b"]])}}),
        3 => json!({"allow_missing": {}}),
        4 => json!({"allow_missing_or_failed": {}}),
        5 if depth == 0 => json!({"requirement_name": "named"}),
        5 | 6 => {
            json!({"requires_all": {"requirements": [requirement(draw, depth + 1), requirement(draw, depth + 1)]}})
        }
        _ => json!({"requires_any": {"requirements": [requirement(draw, depth + 1), requirement(draw, depth + 1)]}}),
    }
}

fn header(draw: &mut Draw<'_>) -> Value {
    let algorithm = draw.pick(&["ES256", "ES256", "HS256"]);
    let key = if algorithm == "HS256" { "h" } else { "a" };
    let token_type = draw.pick(&[json!("JWT"), Value::Null, json!("at+JWT"), json!("x"), json!("logout+jwt")]);
    object(json!({"alg": algorithm, "kid": draw.pick(&[json!(key), Value::Null]), "typ": token_type}))
}

fn claims(draw: &mut Draw<'_>) -> Value {
    let near = |draw: &mut Draw<'_>| json!(NOW + 50 + draw.below(12) as u64);
    let expiration = match draw.below(6) {
        0 => Value::Null,
        1 => json!(NOW - 50 - draw.below(12) as u64),
        2 => json!(NOW - draw.below(3) as u64),
        3 => json!(NOW + 299 + draw.below(3) as u64),
        4 => json!(NOW + 3599 + draw.below(3) as u64),
        _ => json!(NOW + 10),
    };
    let begin = if draw.one_in(3) { near(draw) } else { Value::Null };
    object(json!({
        "iss": draw.pick(&[json!("https://issuer.test"), json!("https://issuer.test"), json!("https://other.test"), json!("https://issuer.test/"), Value::Null]),
        "aud": draw.pick(&[json!("api"), json!(["b"]), json!(["x", "api"]), json!([]), json!("API"), Value::Null]),
        "sub": draw.pick(&[json!("alice"), json!("bob"), Value::Null]),
        "exp": expiration,
        "nbf": begin,
        "iat": draw.pick(&[Value::Null, json!(NOW), json!(NOW + 1), json!(NOW + 2)]),
        "scope": draw.pick(&[Value::Null, json!("read"), json!("write read"), json!("reads"), json!("read  write")]),
        "cnf": draw.pick(&[Value::Null, Value::Null, Value::Null, json!({"x5t#S256": "x"})]),
    }))
}
