//! The properties that `fuzz/` holds inputs against, here with inputs from fixed seeds, and with those that once failed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it ran")]
#![allow(clippy::disallowed_methods, reason = "a test reads its inputs")]

#[path = "all.rs"]
mod properties;

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// Inputs of all lengths below 1000 bytes.
fn try_seeds(name: &str, number: usize, check: fn(&[u8])) {
    let mut generator = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    for _ in 0..number {
        let mut bytes = vec![0; (generator.next_u32() % 1000) as usize];
        generator.fill_bytes(&mut bytes);
        check(&bytes);
    }
    let failed_once = format!("{}/tests/properties/failed_once/{name}", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = std::fs::read_dir(failed_once).into_iter().flatten().map(|file| file.unwrap().path()).collect();
    for file in &files {
        check(&std::fs::read(file).unwrap());
    }
    println!("{name}: {number} inputs, {} that failed once", files.len());
}

#[test]
fn good_tokens_are_accepted() {
    properties::token::check_good_ones();
}

#[test]
fn no_mutant_of_a_good_token_is_accepted() {
    try_seeds("token", 1500, properties::token::check);
}

#[test]
fn json_is_what_another_reader_says() {
    try_seeds("json", 10_000, properties::json::check);
}

#[test]
fn keys_serve_only_as_they_were_meant() {
    try_seeds("jwks", 300, properties::jwks::check);
}

#[test]
fn what_is_configured_is_enforced() {
    try_seeds("configuration", 400, properties::configuration::check);
}

#[test]
fn a_status_list_says_what_its_issuer_wrote() {
    try_seeds("status_list", 300, properties::status_list::check);
}

#[test]
fn a_bound_token_needs_a_good_proof_each_time() {
    try_seeds("dpop", 400, properties::dpop::check);
}

#[test]
fn a_hostile_host_gets_nothing_through() {
    try_seeds("host", 200, properties::host::check);
}
