//! The guard of cookies: its defaults, its mistakes, and what is doubtful.

use serde_json::{Value, json};

use super::{super::CsrfGuard, least_with, load};

fn answer(cookies: &[&str], csrf: Value) -> Result<Option<CsrfGuard>, String> {
    let mut config = least_with("/providers/acme/csrf", csrf);
    config["providers"]["acme"]["from_cookies"] = json!(cookies);
    let loaded = load(&config).map(|mut loaded| loaded.config.providers.remove(0).csrf);
    loaded.map_err(|error| error.strip_prefix("providers.acme.csrf").unwrap_or(&error).to_owned())
}

fn mistake(csrf: Value) -> String {
    answer(&["__Host-session"], csrf).unwrap_err()
}

fn warnings(config: &Value) -> Vec<String> {
    load(config).unwrap().warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_guard_is_on_where_cookies_are() {
    assert_eq!(answer(&["__Host-session"], Value::Null), Ok(Some(CsrfGuard::default())));
    assert_eq!(answer(&["__Host-session"], json!({})), Ok(Some(CsrfGuard::default())));
    assert_eq!(answer(&["__Host-session"], json!({"disabled": false})), Ok(Some(CsrfGuard::default())));
    assert_eq!(answer(&["__Host-session"], json!({"disabled": true})), Ok(None));
    assert_eq!(answer(&[], Value::Null), Ok(None));
}

#[test]
fn what_has_no_effect_is_a_mistake() {
    let useless = ": has no effect without from_cookies: give that too, or remove this";
    for csrf in [json!({}), json!({"disabled": true}), json!({"allowed_origins": ["https://a"]})] {
        assert_eq!(answer(&[], csrf).unwrap_err(), useless);
    }
    let locations = answer(&["a=b"], json!({"allowed_origins": ["https://a"]})).unwrap_err();
    assert!(!locations.contains("csrf"), "{locations}");

    let contradiction = ": `disabled: true` contradicts the other fields: remove them, or it";
    let double_submit = json!({"cookie": "__Host-csrf", "header": "x-csrf"});
    assert_eq!(mistake(json!({"disabled": true, "allowed_origins": ["https://a"]})), contradiction);
    assert_eq!(mistake(json!({"disabled": true, "double_submit": double_submit})), contradiction);
}

#[test]
fn origins() {
    let origins = |origins: &[&str]| mistake(json!({"allowed_origins": origins}));
    let example = "`https://app.example` or `https://app.example:8443`, in lower case and without the default port";
    for origin in ["*", "null", "app.example", "https://app.example/", "https://*.example", "https://A.example"] {
        let expected =
            format!(".allowed_origins[1]: `{origin}` is not an origin as browsers write it, such as {example}");
        assert_eq!(origins(&["https://a", origin]), expected);
    }
    assert_eq!(origins(&["https://a", "https://a"]), ".allowed_origins[1]: lists `https://a` a second time");
    let many: Vec<_> = (0..65).map(|index| format!("https://a{index}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(origins(&many), ".allowed_origins: has more than 64 entries");
    assert!(answer(&["__Host-session"], json!({"allowed_origins": many[1..]})).is_ok());
}

#[test]
fn double_submit() {
    let double_submit =
        |cookie: Value, header: Value| mistake(json!({"double_submit": {"cookie": cookie, "header": header}}));
    for header in ["Authorization", "accept", "Accept-Language", "content-language", "Content-Type", "range"] {
        let sentence = "says something else already: use a header of its own, such as `x-csrf-token`";
        let answer = double_submit(json!("__Host-csrf"), json!(header));
        assert_eq!(answer, format!(".double_submit.header: {sentence}"), "{header}");
    }
    assert_eq!(
        double_submit(json!("__Host-csrf"), json!("cookie")),
        ".double_submit.header: cookies are looked at one by one: use from_cookies"
    );
    assert_eq!(
        double_submit(json!("__Host-session"), json!("x-csrf")),
        ".double_submit.cookie: is a cookie that tokens come in: scripts must not be able to read those, use another one"
    );
    assert_eq!(
        double_submit(json!("__Host-a=b"), json!("x-csrf")),
        ".double_submit.cookie: `__Host-a=b` cannot be the name of a cookie (RFC 6265 section 4.1.1)"
    );
    assert_eq!(
        mistake(json!({"double_submit": {}})),
        ".double_submit.cookie: is required: the cookie that holds the value\n\
         providers.acme.csrf.double_submit.header: is required: the header that repeats the cookie"
    );
}

#[test]
fn cookies_that_others_can_set_are_doubtful() {
    let sentence = "pages of other hosts of the site, and whoever sits on the network, can set a cookie of this name: let \
                    it begin with `__Host-`, in these letters";
    for (name, as_token, as_double_submit) in [
        ("__Host-x", false, false),
        ("__Secure-x", false, true),
        ("x", true, true),
        ("__host-x", true, true),
        ("__Host_x", true, true),
        ("_Host-x", true, true),
        ("x__Host-", true, true),
    ] {
        let mut config = least_with("/providers/acme/from_cookies", json!([name]));
        let expected = as_token.then(|| format!("providers.acme.from_cookies[0]: {sentence}"));
        assert_eq!(warnings(&config), expected.into_iter().collect::<Vec<_>>(), "{name}");
        config["providers"]["acme"]["from_cookies"] = json!(["__Host-session"]);
        config["providers"]["acme"]["csrf"] = json!({"double_submit": {"cookie": name, "header": "x-csrf"}});
        let expected = as_double_submit.then(|| format!("providers.acme.csrf.double_submit.cookie: {sentence}"));
        assert_eq!(warnings(&config), expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn origins_that_anybody_on_the_network_can_speak_for_are_doubtful() {
    let mut config = least_with("/providers/acme/from_cookies", json!(["__Host-session"]));
    config["providers"]["acme"]["csrf"] = json!({"allowed_origins": ["https://a.example", "http://a.example"]});
    let sentence = "whoever sits on the network can make up pages of an http origin";
    assert_eq!(warnings(&config), [format!("providers.acme.csrf.allowed_origins[1]: {sentence}")]);
}
