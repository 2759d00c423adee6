//! The `kid`s that a fetch was started for in vain: until the next fetch may start, asking again is no use.

use crate::time::Timestamp;

/// How many are remembered; a flood of others pushes them out, and then requests wait again.
const CAPACITY: usize = 64;
/// Longer ones are not remembered.
const LONGEST: usize = 256;

/// The `kid`s that are known to be absent, each until some time.
#[derive(Debug, Default)]
pub(super) struct AbsentKeys {
    /// The oldest first.
    entries: Vec<(String, Timestamp)>,
}

impl AbsentKeys {
    /// Whether this `kid` is known to be absent.
    pub(super) fn holds(&self, key_id: &str, now: Timestamp) -> bool {
        self.entries.iter().any(|(known, until)| known == key_id && now < *until)
    }

    /// Remembers that this `kid` is absent.
    pub(super) fn remember(&mut self, key_id: &str, until: Timestamp) {
        if key_id.len() > LONGEST {
            return;
        }
        self.entries.retain(|(known, _)| known != key_id);
        if self.entries.len() >= CAPACITY {
            self.entries.remove(0);
        }
        self.entries.push((key_id.to_owned(), until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_short_and_bounded() {
        let mut absent = AbsentKeys::default();
        let (now, until) = (Timestamp::from_secs(1), Timestamp::from_secs(2));
        for number in 0..1000 {
            absent.remember(&format!("k{number}"), until);
        }
        assert_eq!(absent.entries.len(), CAPACITY);
        assert!(absent.holds("k999", now) && !absent.holds("k999", until) && !absent.holds("k0", now));
        absent.remember(&"k".repeat(LONGEST + 1), until);
        assert!(!absent.holds(&"k".repeat(LONGEST + 1), now));
    }
}
