//! The configuration as a whole: what operators write, and what they read when it is wrong.

#![allow(clippy::needless_pass_by_value, reason = "literals are shorter so")]

mod audit;
#[cfg(not(target_arch = "wasm32"))]
mod correcting;
mod csrf;
mod edge;
mod example;
mod hostile;
mod issuers;
mod keys;
mod mistakes;
mod reference;
mod requirements;
mod revocation;
mod rules;
mod shapes;
mod unreachable;
mod warnings;

use serde_json::{Value, json};

use super::{Loaded, parse};

/// The public key of RFC 8037 appendix A.2.
const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn environment(name: &str) -> Option<String> {
    match name {
        "JWKS" => Some(KEYS.to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn load(config: &Value) -> Result<Loaded, String> {
    parse(config.to_string().as_bytes(), &environment).map_err(|error| error.to_string())
}

/// The least that is a configuration.
fn least() -> Value {
    json!({"providers": {"acme": {
        "issuer": "https://acme.example",
        "audiences": ["api"],
        "remote_jwks": {"http_uri": {"uri": "https://acme.example/jwks.json", "cluster": "acme"}}
    }}})
}

/// The least configuration with `value` at the JSON pointer `pointer`; `null` removes what is there.
fn least_with(pointer: &str, value: Value) -> Value {
    let mut config = least();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = config.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")).as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    config
}

/// A table of mistakes: where in the least configuration, what is put there, and the whole answer.
fn check(cases: &[(&str, Value, &str)]) {
    for (pointer, value, expected) in cases {
        let answer = load(&least_with(pointer, value.clone()));
        assert_eq!(
            answer.map_err(|error| error.lines().map(str::to_owned).collect()),
            Err(vec![(*expected).to_owned()]),
            "{pointer} {value}"
        );
    }
}
