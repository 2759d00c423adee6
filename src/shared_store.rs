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

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// A store in memory.
    #[derive(Default)]
    pub(crate) struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

    impl Memory {
        pub(crate) fn names(&self) -> Vec<String> {
            self.0.borrow().keys().cloned().collect()
        }
    }

    impl SharedStore for Memory {
        fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
            self.0.borrow().get(key).map(|(value, version)| (value.clone(), Version(*version)))
        }

        fn put(&self, key: &str, value: &[u8]) {
            let mut values = self.0.borrow_mut();
            let version = values.get(key).map_or(1, |(_, version)| version + 1);
            values.insert(key.to_owned(), (value.to_vec(), version));
        }

        fn replace(&self, key: &str, value: &[u8], version: Option<Version>) -> bool {
            let held = self.get(key).map(|(_, version)| version);
            if held == version {
                self.put(key, value);
            }
            held == version
        }
    }
}
