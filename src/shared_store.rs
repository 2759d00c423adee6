//! What the core needs of the host: values that all workers share.

/// What the host keeps for all workers of a proxy. Keys can never be removed.
pub trait SharedStore {
    /// The value and its version; `None` if there never was one.
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)>;
    /// Stores a value whatever was there.
    fn put(&self, key: &str, value: &[u8]);
    /// Stores a value if the version is still this one, or, without a version, if there never was a value. Says whether
    /// it did.
    fn replace(&self, key: &str, value: &[u8], version: Option<Version>) -> bool;
}

/// A store that keeps nothing.
pub struct Nowhere;

impl SharedStore for Nowhere {
    fn get(&self, _key: &str) -> Option<(Vec<u8>, Version)> {
        None
    }

    fn put(&self, _key: &str, _value: &[u8]) {}

    fn replace(&self, _key: &str, _value: &[u8], _version: Option<Version>) -> bool {
        false
    }
}

/// The version of a shared value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u32);
