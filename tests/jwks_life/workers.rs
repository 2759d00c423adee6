//! Several workers over one store: one of them fetches, all of them hold the same set.

use std::time::Duration;

use jwt_warden::remote::Outcome;
use serde_json::json;

use crate::simulated::{Found, Proxy, STEP, TIMEOUT, down, keys, remote_keys};

const SECOND: Duration = Duration::from_secs(1);
/// The fetch's timeout and the grace beyond it.
const LEASE: Duration = Duration::from_secs(6);

#[test]
fn one_fetch_serves_every_worker() {
    let mut proxy = Proxy::new(5, json!({}));
    let attempt = proxy.begin();
    for _ in 0..400 {
        proxy.pass(STEP);
        assert_eq!(proxy.poll(), [], "while one fetches, the others wait");
    }
    proxy.finish(attempt, keys(&["a"]));
    let changed: Vec<_> = proxy.workers.iter_mut().map(|worker| worker.poll(&proxy.store, proxy.now).changed).collect();
    assert_eq!(changed, [false, true, true, true, true], "the one that fetched knows already");
    assert_eq!(proxy.all("a"), Found::Key);
    assert_eq!(proxy.run(100 * SECOND, || keys(&["a"])), []);
}

#[test]
fn a_failure_is_shared_too() {
    let mut proxy = Proxy::new(5, json!({}));
    proxy.fetch(down());
    assert_eq!(proxy.poll(), [], "nobody else tries at once");
    assert_eq!(proxy.run(10 * SECOND, down).len(), 3, "after some 1, 2 and 4 seconds");
}

#[test]
fn another_takes_over_from_a_worker_that_died() {
    let mut proxy = Proxy::new(3, json!({}));
    let (dead, _) = proxy.begin();
    proxy.workers.remove(dead);
    assert_eq!(proxy.run(LEASE - STEP, down), []);
    assert_eq!(proxy.run(STEP, || keys(&["a"])).len(), 1);
    proxy.poll();
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn a_late_answer_does_not_undo_what_its_successor_brought() {
    let mut proxy = Proxy::new(3, json!({}));
    let late = proxy.begin();
    proxy.pass(LEASE);
    let successor = proxy.begin();
    assert_eq!(proxy.finish(late, keys(&["old"])), Outcome::Superseded, "while the successor fetches");
    proxy.finish(successor, keys(&["new"]));
    proxy.poll();
    assert_eq!(proxy.finish(late, keys(&["old"])), Outcome::Superseded, "after it");
    assert_eq!(proxy.finish(late, down()), Outcome::Superseded);
    proxy.poll();
    assert_eq!(proxy.all("new"), Found::Key);
    assert_ne!(proxy.all("old"), Found::Key);
}

#[test]
fn a_late_answer_counts_if_nobody_took_over() {
    let mut proxy = Proxy::new(1, json!({}));
    let attempt = proxy.begin();
    proxy.pass(LEASE + SECOND);
    assert!(matches!(proxy.finish(attempt, keys(&["a"])), Outcome::Replaced { .. }));
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn an_attempt_that_ended_cannot_end_again() {
    let mut proxy = Proxy::new(2, json!({}));
    let attempt = proxy.begin();
    proxy.finish(attempt, keys(&["a"]));
    assert_eq!(proxy.finish(attempt, keys(&["b"])), Outcome::Superseded);
    proxy.poll();
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn a_withdrawn_key_is_gone_on_every_worker_after_one_poll() {
    let mut proxy = Proxy::started(5, json!({"cache_duration": "100s"}));
    assert_eq!(proxy.all("a"), Found::Key);
    proxy.pass(96 * SECOND);
    let (fetcher, attempt) = proxy.begin();
    proxy.finish((fetcher, attempt), keys(&["b"]));
    assert_eq!(proxy.ask(fetcher, "b"), Found::Key);
    proxy.poll();
    assert_eq!(proxy.all("b"), Found::Key);
    assert_ne!(proxy.all("a"), Found::Key);
}

#[test]
fn a_worker_that_comes_later_starts_warm() {
    let mut proxy = Proxy::started(4, json!({}));
    proxy.pass(60 * SECOND);
    let newcomer = proxy.add_worker();
    assert!(matches!(proxy.ask(newcomer, "a"), Found::Pending(_)), "nothing is refused before the first poll");
    assert_eq!(proxy.poll(), []);
    assert_eq!(proxy.ask(newcomer, "a"), Found::Key);
}

#[test]
fn sources_share_their_fetches_only_if_all_their_settings_agree() {
    let mut proxy = Proxy::started(1, json!({}));
    let same = proxy.add_worker();
    assert_eq!(proxy.poll(), []);
    assert_eq!(proxy.ask(same, "a"), Found::Key);
    for other in [
        json!({"cache_duration": "601s"}),
        json!({"max_stale": "1s"}),
        json!({"http_uri": {"uri": "https://issuer.test/other", "cluster": "issuer", "timeout": "5s"}}),
        json!({"http_uri": {"uri": "https://issuer.test/keys", "cluster": "other", "timeout": "5s"}}),
        json!({"http_uri": {"uri": "http://issuer.test/keys", "cluster": "issuer", "timeout": "5s"}}),
        json!({"http_uri": {"uri": "https://other.test/keys", "cluster": "issuer", "timeout": "5s"}}),
    ] {
        let polled = remote_keys(&other).poll(&proxy.store, proxy.now);
        assert!(polled.fetch.is_some(), "{other}");
    }
}

#[test]
fn the_store_does_not_grow() {
    let mut proxy = Proxy::started(3, json!({"unknown_kid_interval": "100ms"}));
    let names = proxy.store.names();
    assert!(names.len() <= 2, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("jwt_warden/")), "{names:?}");
    for number in 0..500 {
        let kid = format!("rotated-{number}");
        proxy.ask(number % 3, &kid);
        proxy.run(20 * STEP, || if number % 5 == 0 { down() } else { keys(&[&kid]) });
        proxy.pass(TIMEOUT / 5);
    }
    assert_eq!(proxy.store.names(), names);
    assert!(proxy.store.read("/record").len() < 4096);
}
