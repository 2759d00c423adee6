//! The life of a fetched key set in simulated time: when it is fetched, for how long it serves, and by whom.
#![allow(clippy::unchecked_time_subtraction, reason = "a test fails by panicking")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod clock;
mod failures;
mod freshness;
mod hostile;
mod unknown_kids;
mod workers;

#[path = "../simulated/mod.rs"]
mod simulated;
