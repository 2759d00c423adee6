//! Nonces of the server's own (RFC 9449 section 9): the time at which one was issued, and a MAC of it. Nothing is kept of
//! them, and every worker accepts those of the others.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::crypto::HmacKey;
use crate::shared_store::SharedStore;
use crate::time::Timestamp;

/// Where all workers have the secret from.
const KEY: &str = "jwt_warden/dpop/nonce_secret";
/// What is authenticated stands behind this, so that the secret serves for nothing else.
const PURPOSE: &[u8] = b"DPoP-Nonce";
/// Workers read the clock one after the other.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// The secret that all workers share: the one that is there, otherwise `own`. `None` if the store keeps nothing.
pub(crate) fn shared_secret(store: &dyn SharedStore, own: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let held = || {
        let (value, version) = store.get(KEY)?;
        Some((Zeroizing::new(value), version))
    };
    let known = held();
    let is_sound = known.as_ref().is_some_and(|(value, _)| value.len() == own.len());
    if !is_sound {
        // Where another worker was faster, its secret is the one.
        store.replace(KEY, own, known.map(|(_, version)| version));
    }
    let (value, _) = held()?;
    value.as_slice().try_into().ok().map(Zeroizing::new)
}

/// Issues nonces, and knows them again.
pub(crate) struct Nonces {
    key: HmacKey,
    lifetime: Duration,
}

impl Nonces {
    /// Nonces under this secret.
    pub(crate) fn new(secret: &[u8; 32], lifetime: Duration) -> Option<Self> {
        HmacKey::new(secret).ok().map(|key| Self { key, lifetime })
    }

    /// A nonce that counts from now on.
    pub(crate) fn issue(&self, now: Timestamp) -> String {
        let time = now.as_secs().to_be_bytes();
        URL_SAFE_NO_PAD.encode([&time[..], &self.key.tag(&message(time))].concat())
    }

    /// Whether it was issued here, not too long ago.
    pub(crate) fn accepts(&self, nonce: &str, now: Timestamp) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(nonce) else { return false };
        let Some((time, tag)) = bytes.split_first_chunk() else { return false };
        let issued = Timestamp::from_secs(u64::from_be_bytes(*time));
        self.key.has_tagged(&message(*time), tag)
            && issued <= now.saturating_add(CLOCK_TOLERANCE)
            && now < issued.saturating_add(self.lifetime)
    }
}

fn message(time: [u8; 8]) -> Vec<u8> {
    [PURPOSE, &time].concat()
}

// The secret is in it, so it is never printed.
impl fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Nonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::shared_store::Nowhere;
    use crate::shared_store::tests::Memory;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn nonces(secret: u8) -> Nonces {
        Nonces::new(&[secret; 32], Duration::from_secs(300)).unwrap()
    }

    #[test]
    fn a_nonce_counts_for_its_time() {
        let nonce = nonces(1).issue(NOW);
        let after = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
        assert!(nonces(1).accepts(&nonce, NOW) && nonces(1).accepts(&nonce, after(299)));
        assert!(!nonces(1).accepts(&nonce, after(300)));
        assert!(nonces(1).accepts(&nonce, NOW.saturating_sub(CLOCK_TOLERANCE)));
        assert!(!nonces(1).accepts(&nonce, NOW.saturating_sub(Duration::from_secs(2))));
    }

    #[test]
    fn others_do_not_count() {
        let nonce = nonces(1).issue(NOW);
        assert!(!nonces(2).accepts(&nonce, NOW), "another secret");
        let bytes = URL_SAFE_NO_PAD.decode(&nonce).unwrap();
        for position in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[position] ^= 1;
            assert!(!nonces(1).accepts(&URL_SAFE_NO_PAD.encode(&forged), NOW), "{position}");
            assert!(!nonces(1).accepts(&URL_SAFE_NO_PAD.encode(&bytes[..position]), NOW), "{position}");
        }
        assert!(!nonces(1).accepts(&URL_SAFE_NO_PAD.encode([&bytes[..], b"x"].concat()), NOW));
        assert!(!nonces(1).accepts(&format!("{nonce}="), NOW) && !nonces(1).accepts("", NOW));
    }

    #[test]
    fn the_first_worker_makes_the_secret_of_all() {
        let store = Memory::default();
        assert_eq!(shared_secret(&store, &[1; 32]).as_deref(), Some(&[1; 32]));
        assert_eq!(shared_secret(&store, &[2; 32]).as_deref(), Some(&[1; 32]));
        assert!(store.names().iter().all(|name| name.starts_with("jwt_warden/")));
    }

    #[test]
    fn what_cannot_be_a_secret_is_replaced() {
        for garbage in [&b""[..], b"short", &[7; 33]] {
            let store = Memory::default();
            store.put(KEY, garbage);
            assert_eq!(shared_secret(&store, &[1; 32]).as_deref(), Some(&[1; 32]));
        }
        assert_eq!(shared_secret(&Nowhere, &[1; 32]), None);
    }
}
