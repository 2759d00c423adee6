//! What the fuzzer tries: the very properties that `cargo test` tries with fixed seeds.

#[path = "../../tests/properties/all.rs"]
pub mod properties;
