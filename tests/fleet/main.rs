//! A fleet of ten thousand proxies in front of one issuer, in simulated time: what the issuer has to bear.
//!
//! `cargo test --release --test fleet -- --ignored` draws `docs/fleet.svg` and writes `docs/fleet.md` anew.
#![allow(clippy::unchecked_time_subtraction, reason = "a test fails by panicking")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are the point")]
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "modules of one test")]

mod drawing;
mod issuer;
mod random;
mod report;
#[path = "../simulated/mod.rs"]
mod simulated;
mod simulation;

use random::Random;
use report::Figures;
use simulation::{Story, play};

const MINUTE: u64 = 60_000;
const PROXIES: u32 = 10_000;

/// The story that is told with the default settings; `first_token` says when a proxy sees the new key, from the rotation.
fn story(first_token: fn(&mut Random) -> u64) -> Story {
    Story {
        proxies: PROXIES,
        start_within: 1000,
        rotation: 30 * MINUTE,
        first_token,
        outage: 45 * MINUTE..55 * MINUTE,
        end: 70 * MINUTE,
    }
}

/// Tokens live for an hour, and sixty clients use a proxy: each minute one of them, on average, comes with a new token.
fn by_traffic(random: &mut Random) -> u64 {
    random.exponential_millis(60_000.0)
}

/// The worst that can be thought of: the new key reaches every proxy within a second.
fn at_once(random: &mut Random) -> u64 {
    random.below(1000)
}

#[test]
fn outside_its_own_start_the_fleet_asks_with_less_than_two_percent_per_second() {
    let figures = Figures::of(&play(&story(by_traffic), 1));
    println!("{figures}");
    for phase in figures.phases.iter().filter(|phase| phase.name != report::START) {
        assert!(phase.peak > 0 && phase.peak * 100 < 2 * PROXIES, "{figures}");
    }
    assert_eq!(figures.refused, 0, "no token of the new key is refused");
    assert!(figures.delay(0.99) < 1000, "{figures}");
    assert_eq!(figures.recovered, PROXIES as usize, "all fetch again after the outage");
    assert!(figures.recovery(1.0) <= 150_000, "{figures}");
}

#[test]
#[ignore = "it writes into docs/"]
fn draw() {
    let accounts = [play(&story(by_traffic), 1), play(&story(at_once), 1)];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
    let [usual, worst] = accounts.each_ref().map(Figures::of);
    std::fs::write(format!("{folder}/fleet.svg"), drawing::svg(&accounts)).unwrap();
    std::fs::write(format!("{folder}/fleet.md"), report::markdown(&usual, &worst)).unwrap();
}
