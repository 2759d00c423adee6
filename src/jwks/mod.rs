//! JSON Web Keys (RFC 7517): a key, a set of keys, and the life of a fetched set.

mod absent;
mod cache;
mod discovery;
mod json;
mod key;
mod set;

pub use cache::RemoteKeys;
pub use key::{KeyError, KeyOrigin};
pub use set::{KeySet, KeySetError, SkippedKey};
