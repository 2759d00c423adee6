//! Properties that hold for every input, each a function of bytes: `cargo test` tries them with fixed seeds, `fuzz/` with
//! whatever libFuzzer comes upon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a property fails by panicking")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a property fails by panicking")]
#![allow(unreachable_pub, missing_docs, reason = "a module of a test and of the fuzzer")]
#![allow(clippy::must_use_candidate, clippy::missing_panics_doc, reason = "a module of a test and of the fuzzer")]

mod authority;
mod draw;
#[path = "../host/mod.rs"]
mod foreign;
mod good;
mod json_reader;
#[path = "../mint/mod.rs"]
mod mint;
mod mutant;

pub mod configuration;
pub mod dpop;
pub mod host;
pub mod json;
pub mod jwks;
pub mod status_list;
pub mod token;
