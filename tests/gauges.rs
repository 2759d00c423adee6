//! The gauges of providers, where an old configuration and a new one are there at the same time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

mod host;
mod mint;

use std::time::Duration;

use host::{Plugin, advance, logged, shown};
use mint::{EcKey, jwks};
use serde_json::{Value, json};

const IDLE_TICK: Duration = Duration::from_millis(250);

/// A provider of this name, its keys fetched from this host.
fn config(name: &str, host: &str) -> Value {
    let http = |path: &str| json!({"uri": format!("https://{host}/{path}"), "cluster": host, "timeout": "5s"});
    json!({"providers": {name: {
        "issuer": "https://issuer.test", "audiences": ["api"],
        "remote_jwks": {"http_uri": http("keys")},
        "revocation": {"denylists": [{"http_uri": http("denied")}]},
    }}})
}

/// Starts it, and lets it send what it fetches: the keys, and then the list.
fn start(config: &Value) -> Plugin {
    let plugin = Plugin::start(config.to_string().as_bytes()).unwrap_or_else(|| panic!("refused: {:?}", logged(0)));
    plugin.tick();
    plugin
}

fn fetch(plugin: Plugin) {
    plugin.answer_ok(&jwks(&[EcKey::new("k1", 1).jwk()]));
    plugin.answer_ok(r#"{"jti": ["a"]}"#);
}

fn fail(plugin: Plugin) {
    plugin.answer(&[(":status", "500"), ("x-envoy-upstream-service-time", "1")], b"");
}

fn wait(plugin: Plugin, time: Duration) {
    advance(time);
    plugin.tick();
}

/// What is shown of the provider: whether it is configured and ready, and how many entries its list has.
fn state(name: &str) -> [Option<i64>; 3] {
    let gauge = |what: &str| shown(&format!("jwt_warden.{what}"));
    [
        gauge(&format!("jwks.provider.{name}.configured")),
        gauge(&format!("jwks.provider.{name}.ready")),
        gauge(&format!("revocation.provider.{name}.list.0.entries")),
    ]
}

#[test]
fn an_old_configuration_does_not_write_over_the_new_one() {
    let old = start(&config("acme", "old.test"));
    fail(old);
    assert_eq!(state("acme"), [Some(1), Some(0), Some(0)]);
    let new = start(&config("acme", "new.test"));
    fetch(new);
    assert_eq!(state("acme"), [Some(1), Some(1), Some(1)]);
    fail(old);
    for _ in 0..4 {
        wait(old, Duration::from_secs(1));
    }
    fail(old);
    assert_eq!(state("acme"), [Some(1), Some(1), Some(1)], "the old one drains, and fails on");
    old.stop();
    wait(new, IDLE_TICK);
    assert_eq!(state("acme"), [Some(1), Some(1), Some(1)]);
}

#[test]
fn what_a_new_configuration_has_shown_goes_with_it() {
    let old = start(&config("acme", "old.test"));
    fetch(old);
    let new = start(&config("acme", "new.test"));
    fail(new);
    assert_eq!(state("acme"), [Some(1), Some(0), Some(0)]);
    new.stop();
    wait(old, IDLE_TICK);
    assert_eq!(state("acme"), [Some(1), Some(1), Some(1)], "as after an update that was refused");
}

#[test]
fn a_provider_that_is_gone_is_no_longer_shown_as_if_it_were_there() {
    let old = start(&config("acme", "old.test"));
    fetch(old);
    let new = start(&config("other", "old.test"));
    old.stop();
    assert_eq!(state("acme"), [Some(0); 3]);
    for what in ["keys", "last_success_seconds", "serves_until_seconds", "ready_since_seconds"] {
        assert_eq!(shown(&format!("jwt_warden.jwks.provider.acme.{what}")), Some(0), "{what}");
    }
    wait(new, IDLE_TICK);
    assert_eq!(state("other")[..2], [Some(1), Some(1)], "it shares the keys of the old one");
}

#[test]
fn a_configuration_that_is_only_tried_shows_nothing() {
    let old = start(&config("acme", "old.test"));
    fetch(old);
    let tried = Plugin::start(config("acme", "new.test").to_string().as_bytes()).unwrap();
    assert_eq!(state("acme"), [Some(1), Some(1), Some(1)]);
    tried.stop();
    assert_eq!(state("acme"), [Some(1), Some(1), Some(1)]);
}
