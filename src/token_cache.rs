//! Tokens that have been verified: the same token again costs a look-up instead of a signature.
//!
//! What is remembered counts only for a provider that accepted the token, with keys of the same generation, at a time within
//! the token's validity; what a rule asks for beyond that is asked each time. Only accepted tokens are kept, so a flood of
//! forged ones finds nothing to fill; a flood of good ones meets the cache's admission policy (S3-FIFO), which keeps what is
//! used again.

use std::fmt;
use std::rc::Rc;

use foldhash::fast::FixedState;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};

use crate::config::{ProviderId, TokenCacheLimits};
use crate::equal::equal;
use crate::extractor::HeaderEdit;
use crate::principal::Principal;
use crate::time::Timestamp;
use crate::upstream::Effect;

/// What an entry takes beside its texts: the cache's own bookkeeping, sizes and pointers.
const OVERHEAD: usize = 256;

/// What is remembered of a token.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// The providers that accept its issuer, in the order of their ids.
    pub accepting: Rc<[ProviderId]>,
    /// Who it speaks for, by each provider that has accepted it.
    principals: Vec<Rc<Principal>>,
}

impl Remembered {
    /// Who the token speaks for by this provider, if that still counts. `generation` is the current one of the provider's
    /// keys; `None` if they do not serve.
    #[must_use]
    pub fn principal(&self, provider: ProviderId, now: Timestamp, generation: Option<u64>) -> Option<&Rc<Principal>> {
        let known = self.principals.iter().find(|principal| principal.provider == provider)?;
        let counts = known.validity.holds(now) && generation.is_some() && known.generation == generation;
        counts.then_some(known)
    }
}

/// The verified tokens of one worker, bounded in number and bytes.
pub struct TokenCache {
    entries: Cache<Token, Rc<Remembered>, Weigh, FixedState, DefaultLifecycle<Token, Rc<Remembered>>>,
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

    /// What is remembered of this token.
    #[must_use]
    pub fn get(&self, token: &[u8]) -> Option<Rc<Remembered>> {
        self.entries.get(&Wanted(token)).cloned()
    }

    /// Remembers who an accepted token speaks for, in the place of what its provider said before. `accepting`: the
    /// providers that accept the token's issuer.
    pub fn insert(&mut self, token: &[u8], accepting: &Rc<[ProviderId]>, principal: Rc<Principal>) {
        let mut principals = vec![principal];
        if let Some(known) = self.get(token) {
            let others =
                known.principals.iter().filter(|other| principals.iter().all(|new| new.provider != other.provider));
            principals.extend(others.cloned().collect::<Vec<_>>());
        }
        let remembered = Remembered { accepting: Rc::clone(accepting), principals };
        self.entries.insert(Token(token.into()), Rc::new(remembered));
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
struct Token(Box<[u8]>);

/// The same, borrowed; it hashes as a [`Token`] does.
#[derive(Hash)]
struct Wanted<'t>(&'t [u8]);

impl Equivalent<Token> for Wanted<'_> {
    fn equivalent(&self, token: &Token) -> bool {
        equal(self.0, &token.0)
    }
}

/// Weighs entries so that the bound on bytes bounds their number too.
#[derive(Clone)]
struct Weigh {
    lightest: u64,
}

impl Weighter<Token, Rc<Remembered>> for Weigh {
    fn weight(&self, token: &Token, remembered: &Rc<Remembered>) -> u64 {
        let principals = remembered.principals.iter().map(|principal| weight(principal));
        let weight = principals.fold(token.0.len(), usize::saturating_add);
        u64::try_from(weight).unwrap_or(u64::MAX).max(self.lightest)
    }
}

fn weight(principal: &Principal) -> usize {
    let effects = principal.effects.iter().map(size).fold(OVERHEAD, usize::saturating_add);
    let marks = principal.marks.as_ref().map_or(0, |marks| marks.size().saturating_add(OVERHEAD));
    let identity = principal.identity.as_ref().map_or(0, |identity| identity.size().saturating_add(OVERHEAD));
    effects.saturating_add(principal.facts.size()).saturating_add(marks).saturating_add(identity)
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

    use crate::claims::Validity;
    use crate::principal::Facts;

    fn principal(provider: usize) -> Rc<Principal> {
        let validity = Validity { from: Timestamp::from_secs(10), until: Some(Timestamp::from_secs(20)) };
        let provider = ProviderId(provider);
        Rc::new(Principal {
            provider,
            generation: Some(1),
            validity,
            confirmation: None,
            marks: None,
            effects: Rc::new([]),
            facts: Facts::default(),
            identity: None,
        })
    }

    fn accepting() -> Rc<[ProviderId]> {
        Rc::new([ProviderId(0), ProviderId(1)])
    }

    fn insert(cache: &mut TokenCache, token: &[u8], provider: usize) {
        cache.insert(token, &accepting(), principal(provider));
    }

    fn cache(max_entries: usize, max_bytes: usize) -> TokenCache {
        TokenCache::new(TokenCacheLimits { max_entries, max_bytes }, 7).unwrap()
    }

    fn holds(cache: &TokenCache, provider: usize, token: &[u8], now: u64, generation: Option<u64>) -> bool {
        let remembered = cache.get(token);
        remembered
            .is_some_and(|known| known.principal(ProviderId(provider), Timestamp::from_secs(now), generation).is_some())
    }

    #[test]
    fn an_entry_counts_only_for_what_was_asked_then() {
        let mut cache = cache(10, 100_000);
        insert(&mut cache, b"token", 0);
        assert!(holds(&cache, 0, b"token", 10, Some(1)));
        assert!(holds(&cache, 0, b"token", 19, Some(1)));
        assert!(!holds(&cache, 0, b"token", 9, Some(1)), "not yet valid");
        assert!(!holds(&cache, 0, b"token", 20, Some(1)), "expired");
        assert!(!holds(&cache, 0, b"token", 15, Some(2)), "other keys");
        assert!(!holds(&cache, 0, b"token", 15, None), "no keys");
        assert!(!holds(&cache, 1, b"token", 15, Some(1)), "another provider");
        assert!(!holds(&cache, 0, b"tokem", 15, Some(1)), "another token");
        assert!(!holds(&cache, 0, b"token.", 15, Some(1)), "a longer token");
    }

    #[test]
    fn each_provider_speaks_for_itself() {
        let mut cache = cache(10, 100_000);
        insert(&mut cache, b"token", 0);
        insert(&mut cache, b"token", 1);
        insert(&mut cache, b"token", 1);
        assert!(holds(&cache, 0, b"token", 15, Some(1)) && holds(&cache, 1, b"token", 15, Some(1)));
        assert_eq!(cache.get(b"token").unwrap().principals.len(), 2);
        let unreliable = Principal { generation: None, ..(*principal(0)).clone() };
        cache.insert(b"token", &accepting(), Rc::new(unreliable));
        assert!(!holds(&cache, 0, b"token", 15, None) && holds(&cache, 1, b"token", 15, Some(1)));
    }

    #[test]
    fn number_and_bytes_are_bounded() {
        let mut few = cache(10, 1_000_000);
        let mut small = cache(1_000_000, 20_000);
        for number in 0..10_000_u32 {
            let token = [number.to_be_bytes(); 100].concat();
            insert(&mut few, &token, 0);
            insert(&mut small, &token, 0);
        }
        assert!((1..=10).contains(&few.len()), "{}", few.len());
        assert!((1..=20_000 / (400 + OVERHEAD)).contains(&small.len()), "{}", small.len());
        insert(&mut small, &vec![1; 30_000], 0);
        assert!(!holds(&small, 0, &vec![1; 30_000], 15, Some(1)), "larger than the whole cache");
    }

    #[test]
    fn a_flood_of_new_tokens_does_not_push_out_those_in_use() {
        let mut cache = cache(1000, 10_000_000);
        let hot: Vec<[u8; 8]> = (0..500_u64).map(u64::to_be_bytes).collect();
        for token in &hot {
            insert(&mut cache, token, 0);
        }
        for number in 1_000..100_000_u64 {
            insert(&mut cache, &number.to_be_bytes(), 0);
            if let Some(token) = usize::try_from(number).ok().and_then(|number| hot.get(number % 500)) {
                holds(&cache, 0, token, 15, Some(1));
            }
        }
        let kept = hot.iter().filter(|token| holds(&cache, 0, *token, 15, Some(1))).count();
        assert!(kept >= 450, "{kept} of 500");
    }

    #[test]
    fn zero_entries_switch_it_off() {
        assert!(TokenCache::new(TokenCacheLimits { max_entries: 0, max_bytes: 1000 }, 7).is_none());
    }
}
