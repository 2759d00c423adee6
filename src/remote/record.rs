//! What all workers know of one key source: a small record in the host's shared data, changed by compare-and-swap.
//!
//! Whoever shares the host's namespace could have written there, so every field is bounded again when it is read.

use crate::time::Timestamp;

/// The first byte of every record: another layout gets another number.
const VERSION: u8 = 1;
/// Version, numbers of eight bytes each, and the digest.
const LENGTH: usize = 1 + NUMBERS * 8 + DIGEST_LENGTH;
const NUMBERS: usize = 11;
/// The leading bytes of the document's SHA-256.
pub(super) const DIGEST_LENGTH: usize = 16;

/// What all workers know of one key source. Times are zero where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// Counts the distinct documents; zero before the first.
    pub(super) generation: u64,
    /// Recognises the document of this generation.
    pub(super) digest: [u8; DIGEST_LENGTH],
    /// When the last attempt that succeeded began.
    pub(super) fetched_at: Timestamp,
    /// When the set is to be fetched again.
    pub(super) refresh_at: Timestamp,
    /// When the set stops being fresh.
    pub(super) fresh_until: Timestamp,
    /// When the last attempt began.
    pub(super) attempted_at: Timestamp,
    /// When the last attempt began that a token with an unknown `kid` asked for.
    pub(super) forced_at: Timestamp,
    /// Until when the attempt under way counts; zero if none is.
    pub(super) lease_until: Timestamp,
    /// When the next attempt may begin.
    pub(super) retry_at: Timestamp,
    /// Attempts that failed since the last that succeeded.
    pub(super) failures: u64,
    /// The number of the last failure's kind; zero if the last attempt succeeded.
    pub(super) failure: u64,
    /// Counts the attempts that have ended.
    pub(super) ended: u64,
}

impl Record {
    /// Before anything happened.
    pub(super) const EMPTY: Self = Self {
        generation: 0,
        digest: [0; DIGEST_LENGTH],
        fetched_at: Timestamp::EPOCH,
        refresh_at: Timestamp::EPOCH,
        fresh_until: Timestamp::EPOCH,
        attempted_at: Timestamp::EPOCH,
        forced_at: Timestamp::EPOCH,
        lease_until: Timestamp::EPOCH,
        retry_at: Timestamp::EPOCH,
        failures: 0,
        failure: 0,
        ended: 0,
    };

    /// The bytes for the shared data.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        for number in self.numbers() {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.digest);
        bytes
    }

    /// The record in these bytes; `None` if they are none.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (numbers, digest) = rest.split_at_checked(NUMBERS * 8)?;
        if *version != VERSION {
            return None;
        }
        let mut numbers = numbers.chunks_exact(8).map(|chunk| chunk.try_into().map_or(0, u64::from_le_bytes));
        let mut next = || numbers.next().unwrap_or_default();
        Some(Self {
            generation: next(),
            failures: next(),
            failure: next(),
            ended: next(),
            fetched_at: Timestamp::from_millis(next()),
            refresh_at: Timestamp::from_millis(next()),
            fresh_until: Timestamp::from_millis(next()),
            attempted_at: Timestamp::from_millis(next()),
            forced_at: Timestamp::from_millis(next()),
            lease_until: Timestamp::from_millis(next()),
            retry_at: Timestamp::from_millis(next()),
            digest: digest.try_into().ok()?,
        })
    }

    fn numbers(&self) -> [u64; NUMBERS] {
        [
            self.generation,
            self.failures,
            self.failure,
            self.ended,
            self.fetched_at.as_millis(),
            self.refresh_at.as_millis(),
            self.fresh_until.as_millis(),
            self.attempted_at.as_millis(),
            self.forced_at.as_millis(),
            self.lease_until.as_millis(),
            self.retry_at.as_millis(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Record {
        Record {
            generation: 1,
            digest: [7; DIGEST_LENGTH],
            fetched_at: Timestamp::from_millis(2),
            refresh_at: Timestamp::from_millis(3),
            fresh_until: Timestamp::from_millis(4),
            attempted_at: Timestamp::from_millis(5),
            forced_at: Timestamp::from_millis(11),
            lease_until: Timestamp::from_millis(6),
            retry_at: Timestamp::from_millis(7),
            failures: 8,
            failure: 10,
            ended: 9,
        }
    }

    #[test]
    fn decoding_undoes_encoding() {
        assert_eq!(Record::decode(&sample().encode()), Some(sample()));
        assert_eq!(Record::decode(&Record::EMPTY.encode()), Some(Record::EMPTY));
    }

    #[test]
    fn anything_else_is_no_record() {
        let bytes = sample().encode();
        assert_eq!(bytes.len(), LENGTH);
        for length in 0..bytes.len() {
            assert_eq!(Record::decode(&bytes[..length]), None, "{length}");
        }
        assert_eq!(Record::decode(&[&bytes[..], b"x"].concat()), None);
        let mut other_version = bytes;
        other_version[0] = 2;
        assert_eq!(Record::decode(&other_version), None);
    }
}
