//! What happens while the server is away, or answers nonsense.

use std::time::Duration;

use jwt_warden::remote::{Failure, Outcome, Response};
use serde_json::json;

use crate::simulated::{Found, Proxy, STEP, TIMEOUT, document, down, keys};

const SECOND: Duration = Duration::from_secs(1);

fn gaps(times: &[Duration]) -> Vec<f64> {
    times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
}

#[test]
fn attempts_back_off_exponentially_up_to_the_ceiling() {
    let mut proxy = Proxy::new(2, json!({"backoff": {"base_interval": "1s", "max_interval": "20s"}}));
    let attempts = proxy.run(300 * SECOND, down);
    let longest = [1.0, 2.0, 4.0, 8.0, 16.0].into_iter().chain(std::iter::repeat(20.0));
    for (gap, longest) in gaps(&attempts).into_iter().zip(longest) {
        assert!((longest / 2.0..=longest + STEP.as_secs_f64()).contains(&gap), "{gap} of {longest}");
    }
    assert!((15..=36).contains(&attempts.len()), "{} attempts", attempts.len());
}

#[test]
fn a_success_ends_the_back_off() {
    let mut proxy = Proxy::new(1, json!({"cache_duration": "10s", "backoff": {"max_interval": "20s"}}));
    proxy.run(200 * SECOND, down);
    proxy.run(21 * SECOND, || keys(&["a"]));
    let attempts = proxy.run(12 * SECOND, down);
    assert!(gaps(&attempts)[0] <= 2.5 + STEP.as_secs_f64(), "a quarter of the set's time: {attempts:?}");
}

#[test]
fn while_the_old_set_serves_there_is_no_hurry() {
    let mut proxy = Proxy::started(2, json!({"cache_duration": "600s"}));
    let attempts = proxy.run(3600 * SECOND, down);
    let gaps = gaps(&attempts);
    assert!(gaps.iter().all(|gap| (75.0..=150.1).contains(gap)), "{gaps:?}");
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn a_token_with_an_unknown_kid_does_not_share_that_leisure() {
    let mut proxy = Proxy::started(2, json!({"cache_duration": "600s"}));
    proxy.run(3000 * SECOND, down);
    // Until now the refreshes failed slowly: the back-off has reached its ceiling of 30 s, and that counts.
    while proxy.ask(0, "b") == Found::NoKey {
        proxy.run(STEP, down);
    }
    assert!(matches!(proxy.ask(0, "b"), Found::Pending(_)));
    proxy.run(TIMEOUT, || keys(&["a", "b"]));
    assert_eq!(proxy.all("b"), Found::Key);
}

#[test]
fn before_the_old_set_ends_there_is_time_for_several_attempts() {
    for entropy in 0..20 {
        let mut proxy = Proxy::new(1, json!({"cache_duration": "600s", "max_stale": "0s"}));
        proxy.entropy = entropy;
        proxy.fetch(keys(&["a"]));
        let attempts = proxy.run(600 * SECOND, down);
        assert!((4..=20).contains(&attempts.len()), "{attempts:?}");
    }
}

#[test]
fn after_the_server_is_back_the_ceiling_bounds_the_wait() {
    let mut proxy = Proxy::new(1, json!({"backoff": {"base_interval": "1s", "max_interval": "3s"}}));
    proxy.run(3600 * SECOND, down);
    assert_eq!(proxy.run(3 * SECOND + STEP, || keys(&["a"])).len(), 1);
    assert_eq!(proxy.all("a"), Found::Key);
}

#[test]
fn without_keys_a_request_waits_as_long_as_a_fetch_may_take_and_no_longer() {
    let mut proxy = Proxy::new(1, json!({}));
    let arrival = proxy.now;
    let patience = arrival.saturating_add(TIMEOUT);
    assert_eq!(proxy.ask(0, "a"), Found::Pending(patience), "before the first poll");
    let attempt = proxy.begin();
    assert_eq!(proxy.ask(0, "a"), Found::Pending(patience), "while the fetch is under way");
    proxy.finish(attempt, down());
    assert_eq!(proxy.look_up(0, "a", arrival), Found::Pending(patience), "another attempt comes in time");
    proxy.run(TIMEOUT, down);
    assert_eq!(proxy.look_up(0, "a", arrival), Found::Unavailable);
}

#[test]
fn without_hope_a_request_is_refused_at_once() {
    let mut proxy = Proxy::new(1, json!({}));
    proxy.run(60 * SECOND, down);
    let attempts = proxy.run(60 * SECOND, down);
    assert!(gaps(&attempts).iter().all(|gap| *gap > 10.0), "{attempts:?}");
    // The last attempt has just failed, and the next comes later than any request would wait.
    while proxy.poll().is_empty() {
        proxy.pass(STEP);
    }
    proxy.pass(6 * SECOND);
    let attempt = proxy.begin();
    proxy.finish(attempt, down());
    assert_eq!(proxy.ask(0, "a"), Found::Unavailable);
}

#[test]
fn no_wrong_answer_touches_a_good_set() {
    let arrived =
        |status, body: &[u8]| Response::Arrived { status, cache_control: None, etag: None, body: body.to_vec() };
    let good = document(&["b"]);
    let weak = String::from_utf8(good.clone()).unwrap().replace("\"kty\":\"EC\"", "\"kty\":\"oct\"");
    let wrong = [
        arrived(500, &good),
        arrived(404, b""),
        arrived(302, &good),
        arrived(204, b""),
        arrived(206, &good),
        arrived(200, b""),
        arrived(200, b"<html>"),
        arrived(200, &good[..good.len() - 1]),
        arrived(200, b"\x1f\x8b\x08\x00"),
        arrived(200, &vec![b' '; 300_000]),
        arrived(200, format!("{{\"keys\":[{}1]}}", "1,".repeat(10_000)).as_bytes()),
        arrived(200, weak.as_bytes()),
        Response::Failed(Failure::Timeout),
        Response::Failed(Failure::UnknownCluster),
        Response::Failed(Failure::Reset),
        Response::Failed(Failure::TooLarge(50 << 20)),
    ];
    for response in wrong {
        let mut proxy = Proxy::started(2, json!({"cache_duration": "100s"}));
        proxy.pass(96 * SECOND);
        let shown = format!("{response:?}").chars().take(60).collect::<String>();
        let outcome = proxy.fetch(response);
        let Outcome::Failed { failures: 1, repeated: false, serves_for: Some(left), .. } = outcome else {
            panic!("{shown}: {outcome:?}")
        };
        assert_eq!(left, (4 + 86_400) * SECOND, "{shown}");
        proxy.poll();
        assert_eq!(proxy.all("a"), Found::Key, "{shown}");
        assert_ne!(proxy.ask(0, "b"), Found::Key, "{shown}");
    }
}

#[test]
fn a_failure_is_news_once() {
    let mut proxy = Proxy::new(1, json!({}));
    let mut news = Vec::new();
    for failure in [Failure::Timeout, Failure::Timeout, Failure::Status(500), Failure::Status(502), Failure::Timeout] {
        let Outcome::Failed { repeated, failures, serves_for: None, retry_in, .. } =
            proxy.fetch(Response::Failed(failure))
        else {
            panic!("it failed")
        };
        news.push((failures, repeated));
        proxy.pass(retry_in);
    }
    assert_eq!(news, [(1, false), (2, true), (3, false), (4, true), (5, false)]);
    assert!(matches!(proxy.fetch(keys(&["a"])), Outcome::Replaced { failures: 5, .. }));
}
