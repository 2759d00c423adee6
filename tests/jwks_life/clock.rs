//! The clock is set: nothing hangs until the old time comes round again, and nothing serves for ever.

use std::time::Duration;

use jwt_warden::time::Timestamp;
use serde_json::json;

use crate::simulated::{Found, Proxy, STEP, TIMEOUT, down, keys};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
/// How long anything may take to mend after the clock was set back: a lease and two attempts.
const MENDING: Duration = Duration::from_secs(14);

fn set_back(proxy: &mut Proxy, by: Duration) {
    proxy.now = proxy.now.saturating_sub(by);
}

#[test]
fn set_forward_the_set_is_refreshed_and_never_serves_beyond_its_time() {
    let mut proxy = Proxy::started(2, json!({"max_stale": "1h"}));
    proxy.pass(3600 * SECOND);
    assert_eq!(proxy.all("a"), Found::Key, "ten minutes and an hour are not over");
    proxy.pass(DAY);
    assert_ne!(proxy.all("a"), Found::Key);
    assert_eq!(proxy.run(STEP, || keys(&["a"])).len(), 1);
    proxy.poll();
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn set_back_good_tokens_go_on_passing() {
    for by in [STEP, SECOND, 2 * SECOND, 60 * SECOND, DAY] {
        let mut proxy = Proxy::started(2, json!({}));
        proxy.pass(60 * SECOND);
        proxy.poll();
        set_back(&mut proxy, by);
        for _ in 0..300 {
            assert_eq!(proxy.all("a"), Found::Key, "{by:?}");
            proxy.run(10 * STEP, || keys(&["a"]));
        }
    }
}

#[test]
fn set_back_a_rotation_still_refuses_nobody() {
    for by in [2 * SECOND, 60 * SECOND, DAY] {
        let mut proxy = Proxy::started(2, json!({}));
        proxy.ask(0, "random");
        proxy.run(10 * SECOND, || keys(&["a"]));
        set_back(&mut proxy, by);
        proxy.run(MENDING, || keys(&["a"]));
        let arrival = proxy.now;
        while let Found::Pending(_) = proxy.look_up(1, "b", arrival) {
            proxy.run(STEP, || keys(&["a", "b"]));
        }
        assert_eq!(proxy.look_up(1, "b", arrival), Found::Key, "{by:?}");
    }
}

#[test]
fn set_back_the_set_is_still_refreshed_in_time() {
    let mut proxy = Proxy::started(2, json!({}));
    set_back(&mut proxy, DAY);
    let fetches = proxy.run(3600 * SECOND, || keys(&["a"]));
    assert!(fetches[0] <= STEP, "at once: {fetches:?}");
    assert!((7..=9).contains(&fetches.len()), "{fetches:?}");
}

#[test]
fn set_back_the_last_good_set_does_not_serve_for_ever() {
    let mut proxy = Proxy::started(2, json!({"cache_duration": "100s", "max_stale": "100s"}));
    set_back(&mut proxy, DAY);
    proxy.run(201 * SECOND, down);
    assert_ne!(proxy.all("a"), Found::Key);
}

#[test]
fn set_back_while_waiting_to_retry() {
    let mut proxy = Proxy::new(2, json!({"backoff": {"base_interval": "1s", "max_interval": "10s"}}));
    proxy.run(60 * SECOND, down);
    set_back(&mut proxy, DAY);
    assert!(!proxy.run(MENDING, || keys(&["a"])).is_empty());
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn set_back_during_a_fetch() {
    for by in [STEP, SECOND / 2, 2 * SECOND, DAY] {
        for answered in [true, false] {
            let mut proxy = Proxy::new(2, json!({}));
            let attempt = proxy.begin();
            set_back(&mut proxy, by);
            let arrival = proxy.now;
            if answered {
                proxy.finish(attempt, keys(&["a"]));
            }
            proxy.run(TIMEOUT + 3 * SECOND, || keys(&["a"]));
            assert_eq!(proxy.all("a"), Found::Key, "{by:?}, answered: {answered}");
            assert_eq!(proxy.look_up(0, "a", arrival), Found::Key);
        }
    }
}

#[test]
fn at_the_epoch_and_at_the_end_of_time_nothing_breaks() {
    for now in [Timestamp::EPOCH, Timestamp::from_millis(u64::MAX)] {
        let mut proxy = Proxy::new(2, json!({}));
        proxy.now = now;
        for _ in 0..10 {
            for attempt in proxy.poll() {
                proxy.finish(attempt, keys(&["a"]));
            }
            proxy.ask(0, "b");
            proxy.pass(SECOND);
        }
    }
}
