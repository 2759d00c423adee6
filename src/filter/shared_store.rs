//! The host's shared data as the core's store.

use super::abi;
use crate::shared_store::{SharedStore, Version};

/// Where there is no value yet, the host takes any version but zero; no value ever reaches this one.
const ABSENT: u32 = u32::MAX;

/// The shared data of this VM's namespace.
pub(super) struct HostStore;

impl SharedStore for HostStore {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        abi::shared_data(key).map(|(value, cas)| (value, Version(cas)))
    }

    fn put(&self, key: &str, value: &[u8]) {
        abi::set_shared_data(key, value, 0);
    }

    fn replace(&self, key: &str, value: &[u8], version: Option<Version>) -> bool {
        match version {
            // Zero would overwrite.
            Some(Version(0)) => false,
            Some(Version(cas)) => abi::set_shared_data(key, value, cas),
            None => abi::set_shared_data(key, value, ABSENT),
        }
    }
}
