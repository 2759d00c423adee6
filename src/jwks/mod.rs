//! JSON Web Keys (RFC 7517): a key, a set of keys, and the life of a fetched set.

mod absent;
mod attempt;
mod cache;
mod discovery;
mod embedded;
mod fetch;
mod json;
mod key;
mod record;
mod schedule;
mod set;

pub use attempt::{Attempt, Next, Outcome, Polled, Status};
pub use cache::RemoteKeys;
pub(crate) use embedded::embedded_key;
pub use fetch::{Failure, Response};
pub use key::{KeyError, KeyOrigin};
pub use set::{KeySet, KeySetError, SkippedKey};
