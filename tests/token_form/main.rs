//! The form of tokens: corpora, attack recipes and properties, against the public interface.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, read the shared cases and say how many ran"
)]

mod attacks;
mod corpora;
mod json_suite;
mod properties;
mod support;
