//! JSON Web Keys (RFC 7517): a key, a set of keys, and the life of a fetched set.

mod cache;
mod fetch;
mod json;
mod key;
mod record;
mod schedule;
mod set;

pub use cache::{Attempt, Outcome, Polled, RemoteKeys, SharedStore, Version};
pub use fetch::{Failure, Response};
pub use key::{KeyError, KeyOrigin};
pub use set::{KeySet, KeySetError, SkippedKey};
