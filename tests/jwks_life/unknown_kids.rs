//! Tokens whose `kid` is not in the set: a rotation, or an attack that must not become one on the issuer.

use std::time::Duration;

use serde_json::json;

use crate::simulated::{Found, Proxy, START, STEP, TIMEOUT, down, keys};

const SECOND: Duration = Duration::from_secs(1);

/// Polls for so long while every worker is asked for a new `kid` at every step: how many fetches that made.
fn flood(proxy: &mut Proxy, time: Duration) -> usize {
    let end = proxy.now.saturating_add(time);
    let (mut fetches, mut number) = (0, 0);
    while proxy.now < end {
        for worker in 0..proxy.workers.len() {
            number += 1;
            assert_ne!(proxy.ask(worker, &format!("random-{number}")), Found::Key);
            assert_eq!(proxy.ask(worker, "a"), Found::Key, "good tokens do not notice");
        }
        fetches += proxy.run(STEP, || keys(&["a"])).len();
    }
    fetches
}

#[test]
fn a_flood_makes_one_fetch_per_interval() {
    for (interval, most) in [("5s", 12), ("10s", 6), ("1s", 60), ("100ms", 600)] {
        let mut proxy = Proxy::started(4, json!({"cache_duration": "1h", "unknown_kid_interval": interval}));
        let fetches = flood(&mut proxy, 60 * SECOND);
        assert!((most / 2..=most + 1).contains(&fetches), "{interval}: {fetches} fetches in a minute");
    }
}

#[test]
fn a_flood_while_the_server_is_down_backs_off() {
    let mut proxy = Proxy::started(4, json!({"cache_duration": "1h", "unknown_kid_interval": "1s"}));
    let mut fetches = 0;
    for number in 0..6000 {
        proxy.ask(number % 4, &format!("random-{number}"));
        fetches += proxy.run(STEP, down).len();
    }
    assert!((5..=9).contains(&fetches), "{fetches} fetches in a minute");
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn the_first_token_of_a_new_key_is_not_refused_on_any_worker() {
    let mut proxy = Proxy::started(4, json!({}));
    proxy.pass(60 * SECOND);
    proxy.poll();
    let arrival = proxy.now;
    for worker in 0..4 {
        assert_eq!(proxy.ask(worker, "b"), Found::Pending(arrival.saturating_add(TIMEOUT)));
    }
    let attempt = proxy.begin();
    proxy.pass(2 * SECOND);
    for worker in 0..4 {
        assert!(matches!(proxy.look_up(worker, "b", arrival), Found::Pending(_)), "it waits for that fetch");
    }
    proxy.finish(attempt, keys(&["a", "b"]));
    assert_eq!(proxy.poll(), [], "one fetch for all");
    for worker in 0..4 {
        assert_eq!(proxy.look_up(worker, "b", arrival), Found::Key);
    }
}

#[test]
fn rotations_in_a_row_wait_for_the_interval_and_are_not_refused() {
    let mut proxy = Proxy::started(2, json!({"unknown_kid_interval": "4s"}));
    proxy.pass(60 * SECOND);
    proxy.poll();
    for kid in ["b", "c", "d"] {
        proxy.pass(STEP);
        let arrival = proxy.now;
        assert!(matches!(proxy.ask(1, kid), Found::Pending(_)));
        while proxy.look_up(1, kid, arrival) != Found::Key {
            assert!(matches!(proxy.look_up(1, kid, arrival), Found::Pending(_)), "{kid}");
            proxy.run(STEP, || keys(&[kid]));
        }
        assert!(proxy.now <= arrival.saturating_add(4 * SECOND + STEP), "{kid}");
    }
}

/// What the server read when the fetch began may be older than the key.
#[test]
fn a_token_that_comes_during_a_fetch_waits_for_the_next_one_if_that_lacks_its_key() {
    let mut proxy = Proxy::started(2, json!({"cache_duration": "100s"}));
    proxy.pass(96 * SECOND);
    let refresh = proxy.begin();
    proxy.pass(SECOND);
    let arrival = proxy.now;
    assert!(matches!(proxy.ask(0, "b"), Found::Pending(_)));
    proxy.finish(refresh, keys(&["a"]));
    proxy.pass(STEP);
    assert!(matches!(proxy.look_up(0, "b", arrival), Found::Pending(_)));
    proxy.run(STEP, || keys(&["a", "b"]));
    assert_eq!(proxy.look_up(0, "b", arrival), Found::Key);
}

/// On each worker tokens come before the fetch begins, and while it is under way.
#[test]
fn a_fetch_that_brought_the_key_is_enough() {
    let mut proxy = Proxy::started(3, json!({"unknown_kid_interval": "1s"}));
    proxy.pass(60 * SECOND);
    proxy.poll();
    proxy.ask(0, "b");
    proxy.pass(STEP);
    let attempt = proxy.begin();
    proxy.pass(STEP);
    for worker in 0..3 {
        assert!(matches!(proxy.ask(worker, "b"), Found::Pending(_)));
    }
    proxy.finish(attempt, keys(&["a", "b"]));
    assert_eq!(proxy.run(60 * SECOND, || keys(&["a", "b"])), []);
}

#[test]
fn a_failed_refetch_is_tried_again_while_the_token_waits() {
    let mut proxy = Proxy::started(1, json!({}));
    proxy.pass(60 * SECOND);
    proxy.poll();
    let arrival = proxy.now;
    proxy.ask(0, "b");
    proxy.fetch(down());
    let mut fetches = 0;
    while let Found::Pending(_) = proxy.look_up(0, "b", arrival) {
        fetches += proxy.run(STEP, || keys(&["b"])).len();
    }
    assert_eq!((proxy.look_up(0, "b", arrival), fetches), (Found::Key, 1));
    assert!(proxy.now <= arrival.saturating_add(SECOND + STEP));
}

#[test]
fn a_key_that_nobody_has_is_refused_after_one_fetch() {
    let mut proxy = Proxy::started(1, json!({}));
    proxy.pass(60 * SECOND);
    proxy.poll();
    let arrival = proxy.now;
    proxy.ask(0, "b");
    proxy.pass(STEP);
    proxy.fetch(keys(&["a"]));
    assert_eq!(proxy.look_up(0, "b", arrival), Found::NoKey);
}

#[test]
fn who_could_only_wait_in_vain_is_refused_at_once() {
    let mut proxy = Proxy::started(1, json!({"unknown_kid_interval": "60s"}));
    proxy.pass(60 * SECOND);
    proxy.poll();
    proxy.ask(0, "b");
    proxy.run(STEP, || keys(&["a"]));
    proxy.pass(55 * SECOND - STEP);
    assert_eq!(proxy.ask(0, "c"), Found::NoKey, "the next fetch comes later than a request may wait");
    proxy.pass(2 * STEP);
    assert!(matches!(proxy.ask(0, "c"), Found::Pending(_)));
}

/// Such as when a cache in front of the issuer holds the old set: who asks again is refused at once, as the next fetch is
/// not allowed yet, but not for longer.
#[test]
fn a_key_that_is_published_late_is_found_by_the_next_fetch() {
    let mut proxy = Proxy::started(1, json!({"unknown_kid_interval": "4s"}));
    proxy.pass(60 * SECOND);
    proxy.poll();
    let arrival = proxy.now;
    proxy.ask(0, "b");
    let attempt = proxy.begin();
    proxy.pass(2 * SECOND);
    proxy.finish(attempt, keys(&["a"]));
    assert_eq!(proxy.look_up(0, "b", arrival), Found::NoKey);
    proxy.pass(2 * SECOND - STEP);
    assert_eq!(proxy.ask(0, "b"), Found::NoKey);
    proxy.pass(STEP);
    assert!(matches!(proxy.ask(0, "b"), Found::Pending(_)));
    proxy.run(STEP, || keys(&["a", "b"]));
    assert_eq!(proxy.all("b"), Found::Key);
}

#[test]
fn no_request_waits_longer_than_two_timeouts() {
    let mut proxy = Proxy::started(1, json!({"unknown_kid_interval": "4900ms"}));
    let mut arrivals = Vec::new();
    for step in 0..6000_usize {
        arrivals.push(proxy.now);
        let limit = proxy.now.saturating_sub(2 * TIMEOUT);
        for arrival in arrivals.iter().step_by(97).filter(|arrival| **arrival <= limit) {
            let found = proxy.look_up(0, "b", *arrival);
            assert_eq!(found, Found::NoKey, "{} ms after the start", proxy.now.saturating_since(START).as_millis());
        }
        if let Found::Pending(until) = proxy.ask(0, "b") {
            assert!(until <= proxy.now.saturating_add(2 * TIMEOUT));
        }
        let is_up = (step / 500) % 2 == 0;
        proxy.run(STEP, || if is_up { keys(&["a"]) } else { down() });
    }
}
