//! JSON Web Keys (RFC 7517): a key, a set of keys, and the life of a fetched set.

mod absent;
mod cache;
mod discovery;
mod embedded;
mod json;
mod key;
mod set;

pub use cache::RemoteKeys;
pub(crate) use embedded::embedded_key;
pub use key::{KeyError, KeyOrigin};
pub use set::{KeySet, KeySetError, SkippedKey};
