//! Tokens that have been verified: the same token again costs a look-up instead of a signature.
//!
//! An entry counts only for what was asked of the token then: the same candidates, keys of the same generation, a time
//! within the token's validity. Only accepted tokens are kept, so a flood of forged ones finds nothing to fill; a flood of
//! good ones meets the cache's admission policy (S3-FIFO), which keeps what is used again.

use std::fmt;
use std::rc::Rc;

use foldhash::fast::FixedState;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};

use crate::claims::Validity;
use crate::config::{ProviderId, TokenCacheLimits};
use crate::extractor::HeaderEdit;
use crate::time::Timestamp;
use crate::upstream::Effect;

/// What an entry takes beside its texts: the cache's own bookkeeping, sizes and pointers.
const OVERHEAD: usize = 256;

/// Who was asked to accept a token: one provider, or any of a requirement's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(pub usize);

impl Scope {
    /// Any of all providers.
    pub const ANY: Self = Self(usize::MAX);
}

/// What is remembered of an accepted token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose token it is.
    pub provider: ProviderId,
    /// The generation of the keys that verified it.
    pub generation: u64,
    /// When it counts.
    pub validity: Validity,
    /// What the upstream is told.
    pub effects: Rc<[Effect]>,
}

/// The verified tokens of one worker, bounded in number and bytes.
pub struct TokenCache {
    entries: Cache<Key, Entry, Weigh, FixedState, DefaultLifecycle<Key, Entry>>,
}

impl TokenCache {
    /// An empty cache; `None` if the limits switch it off. `seed` is a random number.
    #[must_use]
    pub fn new(limits: TokenCacheLimits, seed: u64) -> Option<Self> {
        let max_bytes = u64::try_from(limits.max_bytes).ok()?;
        let lightest = max_bytes.checked_div(u64::try_from(limits.max_entries).ok()?)?.max(1);
        let expected = limits.max_entries.min(limits.max_bytes / 1024).min(1024);
        let hasher = FixedState::with_seed(seed);
        let entries = Cache::with(expected, max_bytes, Weigh { lightest }, hasher, DefaultLifecycle::default());
        Some(Self { entries })
    }

    /// What is remembered of this token, if it still counts. `generation` tells the current one of a provider's keys, or
    /// that they do not serve.
    pub fn get(
        &self,
        scope: Scope,
        token: &[u8],
        now: Timestamp,
        generation: impl FnOnce(ProviderId) -> Option<u64>,
    ) -> Option<&Entry> {
        let entry = self.entries.get(&Wanted { scope, token })?;
        let counts = entry.validity.holds(now) && generation(entry.provider) == Some(entry.generation);
        counts.then_some(entry)
    }

    /// Remembers an accepted token, in the place of what was remembered of it before.
    pub fn insert(&mut self, scope: Scope, token: &[u8], entry: Entry) {
        self.entries.insert(Key { scope, token: token.into() }, entry);
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no token is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

// Tokens are never printed.
impl fmt::Debug for TokenCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenCache").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

/// The whole token: nothing shorter would tell two tokens apart for certain.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    scope: Scope,
    token: Box<[u8]>,
}

/// The same, borrowed; it hashes as a [`Key`] does.
#[derive(Hash)]
struct Wanted<'t> {
    scope: Scope,
    token: &'t [u8],
}

impl Equivalent<Key> for Wanted<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.scope == key.scope && *self.token == *key.token
    }
}

/// Weighs entries so that the bound on bytes bounds their number too.
#[derive(Clone)]
struct Weigh {
    lightest: u64,
}

impl Weighter<Key, Entry> for Weigh {
    fn weight(&self, key: &Key, entry: &Entry) -> u64 {
        let texts = key.token.len().saturating_add(entry.effects.iter().map(size).sum());
        u64::try_from(texts.saturating_add(OVERHEAD)).unwrap_or(u64::MAX).max(self.lightest)
    }
}

fn size(effect: &Effect) -> usize {
    match effect {
        Effect::Header(HeaderEdit::Remove(name)) => name.len(),
        Effect::Header(HeaderEdit::Replace(name, values)) => {
            name.len().saturating_add(values.iter().map(Vec::len).sum())
        }
        Effect::Property(name, value) => name.len().saturating_add(value.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(provider: usize) -> Entry {
        let validity = Validity { from: Timestamp::from_secs(10), until: Some(Timestamp::from_secs(20)) };
        Entry { provider: ProviderId(provider), generation: 1, validity, effects: Rc::new([]) }
    }

    fn cache(max_entries: usize, max_bytes: usize) -> TokenCache {
        TokenCache::new(TokenCacheLimits { max_entries, max_bytes }, 7).unwrap()
    }

    fn holds(cache: &TokenCache, scope: Scope, token: &[u8], now: u64, generation: Option<u64>) -> bool {
        cache.get(scope, token, Timestamp::from_secs(now), |_| generation).is_some()
    }

    #[test]
    fn an_entry_counts_only_for_what_was_asked_then() {
        let mut cache = cache(10, 100_000);
        cache.insert(Scope(0), b"token", entry(0));
        assert!(holds(&cache, Scope(0), b"token", 10, Some(1)));
        assert!(holds(&cache, Scope(0), b"token", 19, Some(1)));
        assert!(!holds(&cache, Scope(0), b"token", 9, Some(1)), "not yet valid");
        assert!(!holds(&cache, Scope(0), b"token", 20, Some(1)), "expired");
        assert!(!holds(&cache, Scope(0), b"token", 15, Some(2)), "other keys");
        assert!(!holds(&cache, Scope(0), b"token", 15, None), "no keys");
        assert!(!holds(&cache, Scope(1), b"token", 15, Some(1)), "another provider");
        assert!(!holds(&cache, Scope::ANY, b"token", 15, Some(1)), "another requirement");
        assert!(!holds(&cache, Scope(0), b"tokem", 15, Some(1)), "another token");
        assert!(!holds(&cache, Scope(0), b"token.", 15, Some(1)), "a longer token");
    }

    #[test]
    fn number_and_bytes_are_bounded() {
        let mut few = cache(10, 1_000_000);
        let mut small = cache(1_000_000, 20_000);
        for number in 0..10_000_u32 {
            let token = [number.to_be_bytes(); 100].concat();
            few.insert(Scope(0), &token, entry(0));
            small.insert(Scope(0), &token, entry(0));
        }
        assert!((1..=10).contains(&few.len()), "{}", few.len());
        assert!((1..=20_000 / (400 + OVERHEAD)).contains(&small.len()), "{}", small.len());
        small.insert(Scope(0), &vec![1; 30_000], entry(0));
        assert!(!holds(&small, Scope(0), &vec![1; 30_000], 15, Some(1)), "larger than the whole cache");
    }

    #[test]
    fn a_flood_of_new_tokens_does_not_push_out_those_in_use() {
        let mut cache = cache(1000, 10_000_000);
        let hot: Vec<[u8; 8]> = (0..500_u64).map(u64::to_be_bytes).collect();
        for token in &hot {
            cache.insert(Scope(0), token, entry(0));
        }
        for number in 1_000..100_000_u64 {
            cache.insert(Scope(0), &number.to_be_bytes(), entry(0));
            if let Some(token) = usize::try_from(number).ok().and_then(|number| hot.get(number % 500)) {
                holds(&cache, Scope(0), token, 15, Some(1));
            }
        }
        let kept = hot.iter().filter(|token| holds(&cache, Scope(0), *token, 15, Some(1))).count();
        assert!(kept >= 450, "{kept} of 500");
    }

    #[test]
    fn zero_entries_switch_it_off() {
        assert!(TokenCache::new(TokenCacheLimits { max_entries: 0, max_bytes: 1000 }, 7).is_none());
    }
}
