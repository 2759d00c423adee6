//! The proofs that have been used (RFC 9449 section 11.1), in the memory that all workers share.
//!
//! Values can never be removed there, so the number of names is fixed: each proof falls into one of the buckets, which
//! holds no more than so many, and forgets at each write those that could not be accepted any more.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::hash::sha256;
use crate::config::{Config, LONGEST_LIFE};
use crate::shared_store::SharedStore;
use crate::time::Timestamp;

/// The first byte of every bucket: another layout gets another number.
const VERSION: u8 = 1;
const DIGEST_LENGTH: usize = 16;
/// The digest, and the time.
const ENTRY_LENGTH: usize = DIGEST_LENGTH + 8;
/// How many proofs a bucket is meant for, and how many it holds at most: that it overflows while the memory as a whole has
/// room is as good as impossible.
const MEANT: usize = 64;
const CAPACITY: usize = 2 * MEANT;
/// How often a write is tried again that another worker's was faster than.
const MAX_ATTEMPTS: u32 = 8;

/// Workers read the clock one after the other: one may hold a proof for good that another holds for over.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// No proof has to be remembered for longer, by whatever configuration: one with a shorter `max_age` must not forget what
/// another remembers in the same memory.
const LONGEST: Duration = LONGEST_LIFE.saturating_add(CLOCK_TOLERANCE);

/// A proof that is known again.
pub(crate) type ProofDigest = [u8; DIGEST_LENGTH];

/// Why a proof cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It has been used.
    Replayed,
    /// There is no room to remember it.
    Full,
    /// It could not be remembered.
    Contended,
}

/// The used proofs, as one worker sees them.
#[derive(Debug)]
pub(crate) struct ReplayMemory {
    prefix: String,
    buckets: u64,
}

impl ReplayMemory {
    /// The memory that this configuration asks for. Configurations whose providers have the same names share theirs, so
    /// that an update of one goes on with what is there.
    pub(crate) fn new(config: &Config) -> Self {
        let buckets = u64::try_from(config.dpop.max_proofs.div_ceil(MEANT)).unwrap_or(u64::MAX);
        let names: Vec<_> = config.providers.iter().map(|provider| provider.name.as_str()).collect();
        let id = sha256(&[names.join(" ").as_bytes(), &buckets.to_be_bytes()]);
        let id = URL_SAFE_NO_PAD.encode(id.get(..DIGEST_LENGTH).unwrap_or_default());
        Self { prefix: ["jwt_warden/dpop/", &id, "/"].concat(), buckets }
    }

    /// Remembers that a proof has been used, which could be accepted until then.
    ///
    /// # Errors
    ///
    /// It had been, or cannot be remembered: either way it must not be accepted.
    pub(crate) fn use_up(
        &self,
        proof: &ProofDigest,
        until: Timestamp,
        store: &dyn SharedStore,
        now: Timestamp,
    ) -> Result<(), Unusable> {
        let key = self.bucket_of(proof);
        let until = until.saturating_add(CLOCK_TOLERANCE);
        for _ in 0..MAX_ATTEMPTS {
            let held = store.get(&key);
            let (value, version) = held.map_or((Vec::new(), None), |(value, version)| (value, Some(version)));
            let bucket = with(proof, until, &value, now)?;
            if store.replace(&key, &bucket, version) {
                return Ok(());
            }
        }
        Err(Unusable::Contended)
    }

    fn bucket_of(&self, proof: &ProofDigest) -> String {
        let number = proof.first_chunk().map_or(0, |chunk| u64::from_be_bytes(*chunk));
        let bucket = number.checked_rem(self.buckets).unwrap_or_default();
        format!("{}{bucket}", self.prefix)
    }
}

/// The bucket with one proof more, without those that are over.
fn with(proof: &ProofDigest, until: Timestamp, bucket: &[u8], now: Timestamp) -> Result<Vec<u8>, Unusable> {
    let mut bytes = Vec::with_capacity(bucket.len().saturating_add(1 + ENTRY_LENGTH));
    bytes.push(VERSION);
    for entry in entries(bucket) {
        let (digest, time) = entry.split_at_checked(DIGEST_LENGTH).unwrap_or_default();
        let time = Timestamp::from_millis(time.try_into().map_or(0, u64::from_be_bytes));
        if digest == proof {
            return Err(Unusable::Replayed);
        }
        // Nobody but another plugin could have written a time so far off.
        if time >= now && time.saturating_since(now) <= LONGEST {
            bytes.extend_from_slice(entry);
        }
    }
    if bytes.len() > CAPACITY * ENTRY_LENGTH {
        return Err(Unusable::Full);
    }
    bytes.extend_from_slice(proof);
    bytes.extend_from_slice(&until.as_millis().to_be_bytes());
    Ok(bytes)
}

/// The entries of a bucket; none if these bytes are no bucket. Whoever wrote them could have written an empty one too.
fn entries(bucket: &[u8]) -> impl Iterator<Item = &[u8]> {
    let entries = match bucket.split_first() {
        Some((&VERSION, entries)) if entries.len() % ENTRY_LENGTH == 0 && entries.len() / ENTRY_LENGTH <= CAPACITY => {
            entries
        }
        _ => &[],
    };
    entries.chunks_exact(ENTRY_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::shared_store::Nowhere;
    use crate::shared_store::tests::Memory;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
    const AGE: Duration = Duration::from_secs(60);

    fn memory(buckets: u64) -> ReplayMemory {
        ReplayMemory { prefix: "jwt_warden/dpop/test/".into(), buckets }
    }

    fn proof(number: u64) -> ProofDigest {
        sha256(&[&number.to_be_bytes()]).first_chunk().copied().unwrap()
    }

    fn later(time: Duration) -> Timestamp {
        NOW.saturating_add(time)
    }

    #[test]
    fn a_proof_is_used_once() {
        let (memory, store) = (memory(4), Memory::default());
        for number in 0..100 {
            assert_eq!(memory.use_up(&proof(number), later(AGE), &store, NOW), Ok(()), "{number}");
        }
        for number in 0..100 {
            let again = memory.use_up(&proof(number), later(AGE), &store, later(AGE));
            assert_eq!(again, Err(Unusable::Replayed), "{number}");
        }
        assert!(store.names().len() <= 4);
        assert!(store.names().iter().all(|name| name.starts_with("jwt_warden/dpop/")));
    }

    /// It is another plugin's: no entry of it counts.
    #[test]
    fn what_is_no_bucket_is_an_empty_one() {
        let memory = memory(1);
        let name = memory.bucket_of(&proof(0));
        let entry = |number: u64| [&proof(number)[..], &later(AGE).as_millis().to_be_bytes()].concat();
        let bucket = |entries: Vec<u8>| [vec![VERSION], entries].concat();
        let too_many = (0..=u64::try_from(CAPACITY).unwrap()).flat_map(entry).collect();
        for (bytes, is_bucket) in [
            (bucket(entry(0)), true),
            (bucket([entry(0), vec![0]].concat()), false),
            (bucket(too_many), false),
            ([vec![VERSION + 1], entry(0)].concat(), false),
        ] {
            let store = Memory::default();
            store.put(&name, &bytes);
            let expected = if is_bucket { Err(Unusable::Replayed) } else { Ok(()) };
            assert_eq!(memory.use_up(&proof(0), later(AGE), &store, NOW), expected, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn full_is_full_until_some_are_over() {
        let (memory, store) = (memory(1), Memory::default());
        let capacity = u64::try_from(CAPACITY).unwrap();
        for number in 0..capacity {
            let until = if number == 0 { NOW } else { later(AGE) };
            assert_eq!(memory.use_up(&proof(number), until, &store, NOW), Ok(()));
        }
        assert_eq!(memory.use_up(&proof(capacity), later(AGE), &store, NOW), Err(Unusable::Full));
        assert_eq!(memory.use_up(&proof(1), later(AGE), &store, NOW), Err(Unusable::Replayed));
        assert_eq!(memory.use_up(&proof(0), NOW, &store, later(CLOCK_TOLERANCE)), Err(Unusable::Replayed));
        // The first is over.
        let moment = later(Duration::from_millis(1001));
        assert_eq!(memory.use_up(&proof(capacity), later(AGE), &store, moment), Ok(()));
        assert_eq!(memory.use_up(&proof(capacity + 1), later(AGE), &store, moment), Err(Unusable::Full));
        assert!(store.get("jwt_warden/dpop/test/0").unwrap().0.len() <= 1 + CAPACITY * ENTRY_LENGTH);
    }

    #[test]
    fn a_shorter_life_forgets_nothing_that_counted_for_longer() {
        let (memory, store) = (memory(1), Memory::default());
        let longest = later(LONGEST_LIFE);
        assert_eq!(memory.use_up(&proof(1), longest, &store, NOW), Ok(()));
        assert_eq!(memory.use_up(&proof(2), later(AGE), &store, NOW), Ok(()));
        assert_eq!(memory.use_up(&proof(1), longest, &store, later(AGE)), Err(Unusable::Replayed));
    }

    #[test]
    fn garbage_neither_traps_nor_stays() {
        let good = with(&proof(1), later(AGE), &[], NOW).unwrap();
        let too_many = [&[VERSION][..], &vec![0xff; (CAPACITY + 1) * ENTRY_LENGTH]].concat();
        let far_off = [&[VERSION][..], &vec![0xff; CAPACITY * ENTRY_LENGTH]].concat();
        for garbage in
            [&b""[..], b"\x01", b"\x02", b"\xff\xff", &good[1..], &good[..good.len() - 1], &too_many, &far_off]
        {
            let store = Memory::default();
            store.put("jwt_warden/dpop/test/0", garbage);
            assert_eq!(memory(1).use_up(&proof(2), later(AGE), &store, NOW), Ok(()), "{garbage:?}");
            assert_eq!(memory(1).use_up(&proof(2), later(AGE), &store, NOW), Err(Unusable::Replayed));
        }
    }

    #[test]
    fn what_cannot_be_remembered_is_not_accepted() {
        assert_eq!(memory(1).use_up(&proof(1), later(AGE), &Nowhere, NOW), Err(Unusable::Contended));
    }
}
