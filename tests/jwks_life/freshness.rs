//! How long a set counts as fresh, and how long it serves beyond that.

use std::time::Duration;

use jwt_warden::remote::Outcome;
use serde_json::json;

use crate::simulated::{Found, Proxy, STEP, down, fresh_for, keys};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn a_set_is_refreshed_between_three_quarters_of_its_time_and_its_end() {
    let mut delays = Vec::new();
    for entropy in 0..50 {
        let mut proxy = Proxy::new(1, json!({"cache_duration": "100s"}));
        proxy.entropy = entropy;
        proxy.fetch(keys(&["a"]));
        delays.extend(proxy.run(100 * SECOND, || keys(&["a"])));
    }
    assert_eq!(delays.len(), 50, "one refresh each");
    assert!(delays.iter().all(|delay| (75 * SECOND..=95 * SECOND + STEP).contains(delay)), "{delays:?}");
    // With jitter: each quarter of the window has its share.
    for quarter in 0..4 {
        let window = 75 * SECOND + 5 * SECOND * quarter..75 * SECOND + 5 * SECOND * (quarter + 1);
        let share = delays.iter().filter(|delay| window.contains(*delay)).count();
        assert!((4..=25).contains(&share), "{share} of 50 in {window:?}");
    }
}

#[test]
fn a_server_says_how_long_its_answer_is_fresh_within_bounds() {
    let refresh = |cache_duration: &str, cache_control: &str| {
        let mut proxy = Proxy::new(1, json!({ "cache_duration": cache_duration }));
        proxy.fetch(fresh_for(cache_control));
        proxy.run(600 * SECOND, || keys(&["a"]))[0].as_secs_f64()
    };
    for (cache_duration, cache_control, freshness) in [
        ("600s", "public", 600.0),
        ("600s", "max-age=60", 60.0),
        ("600s", "max-age=0", 30.0),
        ("600s", "no-store", 30.0),
        ("600s", "max-age=1", 30.0),
        ("600s", "max-age=86400", 600.0),
        ("600s", "max-age=18446744073709551615", 600.0),
        ("5s", "max-age=0", 5.0),
        ("5s", "max-age=60", 5.0),
    ] {
        let window = 0.75 * freshness..=0.95 * freshness + STEP.as_secs_f64();
        let refresh = refresh(cache_duration, cache_control);
        assert!(window.contains(&refresh), "{cache_duration} {cache_control}: {refresh}");
    }
}

#[test]
fn the_last_good_set_serves_for_max_stale_and_not_a_millisecond_longer() {
    for (cache_control, freshness) in [("", 100), ("max-age=40", 40)] {
        let mut proxy = Proxy::new(3, json!({"cache_duration": "100s", "max_stale": "50s"}));
        proxy.fetch(fresh_for(cache_control));
        proxy.run((freshness + 50) * SECOND - STEP, down);
        proxy.pass(STEP - MILLISECOND);
        assert_eq!(proxy.all("a"), Found::Key, "{cache_control}");
        proxy.pass(MILLISECOND);
        assert_ne!(proxy.all("a"), Found::Key, "{cache_control}");
        proxy.poll();
        assert_ne!(proxy.all("a"), Found::Key, "{cache_control}");
        proxy.run(60 * SECOND, || keys(&["a"]));
        assert_eq!(proxy.all("a"), Found::Key, "back again");
    }
}

#[test]
fn without_max_stale_a_set_serves_until_its_time_is_over() {
    let mut proxy = Proxy::started(2, json!({"cache_duration": "100s", "max_stale": "0s"}));
    proxy.run(100 * SECOND - STEP, down);
    assert_eq!(proxy.all("a"), Found::Key);
    proxy.pass(STEP);
    assert_ne!(proxy.all("a"), Found::Key);
}

#[test]
fn a_worker_that_never_polls_again_still_stops_serving() {
    let mut proxy = Proxy::started(1, json!({"cache_duration": "100s", "max_stale": "50s"}));
    proxy.pass(150 * SECOND);
    assert_ne!(proxy.ask(0, "a"), Found::Key);
}

#[test]
fn the_same_document_keeps_its_generation_and_is_fresh_again() {
    let mut proxy = Proxy::new(2, json!({"cache_duration": "100s", "max_stale": "0s"}));
    let replaced = |outcome| match outcome {
        Outcome::Replaced { generation, entries: keys, .. } => (generation, keys),
        other => panic!("{other:?}"),
    };
    assert_eq!(replaced(proxy.fetch(keys(&["a"]))), (1, 1));
    for _ in 0..3 {
        proxy.pass(96 * SECOND);
        assert_eq!(proxy.fetch(keys(&["a"])), Outcome::Confirmed { failures: 0 });
        proxy.poll();
    }
    assert_eq!(proxy.all("a"), Found::Key);
    proxy.pass(96 * SECOND);
    assert_eq!(replaced(proxy.fetch(keys(&["a", "b"]))), (2, 2));
    proxy.pass(96 * SECOND);
    assert_eq!(replaced(proxy.fetch(keys(&["a"]))), (3, 1), "back to an older document is news too");
}
