//! Ed25519 (RFC 8037 section 3.1, RFC 8032 section 5.1.7), with every check that makes one verdict the only one.
//!
//! A is canonical and of prime order, S < L, and R is compared as bytes with the canonical encoding of SB - kA. So
//! cofactored and cofactorless verification agree, and R is canonical and free of torsion. Keys and signatures are
//! public: variable time is fine.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::convert::Infallible;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsBasepointTable};
use curve25519_dalek::traits::{BasepointTable, IsIdentity};
use curve25519_dalek::{EdwardsPoint, Scalar};
use jwt_compact::Algorithm;
use sha2::{Digest, Sha512};

use super::signature::FixedSignature;
use super::{InvalidKey, SignatureAlgorithm};

/// Verified signatures after which a key gets a table of its own. Building one costs as much as some fifty
/// verifications save, and 30 KB; most of a large set's keys are never used.
const SIGNATURES_BEFORE_TABLE: u32 = 64;

/// Tables that there may be at a time, 2 MB; further keys do without.
const MAX_TABLES: usize = 64;

thread_local! {
    static TABLES: Cell<usize> = const { Cell::new(0) };
}

/// A point of the prime-order subgroup of edwards25519.
pub struct Ed25519Key {
    encoded: [u8; 32],
    negated: EdwardsPoint,
    verified: Cell<u32>,
    negated_table: OnceCell<Table>,
}

impl Ed25519Key {
    /// A key from the 32 bytes of its encoded point.
    ///
    /// # Errors
    /// [`InvalidKey::PointLength`] unless there are 32 bytes; [`InvalidKey::PointNotOnCurve`] if they are not the
    /// canonical encoding of a point; [`InvalidKey::PointWeak`] if it is of small order or has a torsion component.
    pub fn new(encoded: &[u8]) -> Result<Self, InvalidKey> {
        let encoded: [u8; 32] = encoded.try_into().map_err(|_| InvalidKey::PointLength)?;
        let point = CompressedEdwardsY(encoded).decompress().ok_or(InvalidKey::PointNotOnCurve)?;
        if point.compress().0 != encoded {
            return Err(InvalidKey::PointNotOnCurve);
        }
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(InvalidKey::PointWeak);
        }
        Ok(Self { encoded, negated: -point, verified: Cell::new(0), negated_table: OnceCell::new() })
    }

    /// The encoded point, 32 bytes.
    #[must_use]
    pub fn point(&self) -> &[u8; 32] {
        &self.encoded
    }

    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let Some((r, s)) = split(signature) else { return false };
        let hash = Sha512::new().chain_update(r).chain_update(self.encoded).chain_update(message).finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let recomputed = self.combine(&s, &k);
        // With A of prime order, the identity is the only R of small order that could come out.
        let valid = recomputed.compress().0 == r && !recomputed.is_identity();
        if valid {
            self.verified.set(self.verified.get().saturating_add(1));
        }
        valid
    }

    /// sB - kA.
    fn combine(&self, s: &Scalar, k: &Scalar) -> EdwardsPoint {
        match self.table() {
            Some(table) => EdwardsPoint::mul_base(s) + &*table.multiples * k,
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(k, &self.negated, s),
        }
    }

    fn table(&self) -> Option<&Table> {
        if self.negated_table.get().is_none() && self.verified.get() >= SIGNATURES_BEFORE_TABLE {
            // It cannot have been set meanwhile.
            let _ = Table::new(&self.negated).map(|table| self.negated_table.set(table));
        }
        self.negated_table.get()
    }
}

/// Multiples of a point, counted in [`TABLES`].
struct Table {
    multiples: Box<EdwardsBasepointTable>,
}

impl Table {
    /// `None` if there are too many.
    fn new(point: &EdwardsPoint) -> Option<Self> {
        let count = TABLES.get();
        (count < MAX_TABLES).then(|| {
            TABLES.set(count + 1);
            Self { multiples: Box::new(EdwardsBasepointTable::create(point)) }
        })
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // Fails at the end of a thread, where nobody counts any more.
        let _ = TABLES.try_with(|tables| tables.set(tables.get().saturating_sub(1)));
    }
}

/// R as it is, and S if it is less than L.
fn split(signature: &[u8; 64]) -> Option<([u8; 32], Scalar)> {
    let (r, s) = signature.split_first_chunk::<32>()?;
    let s = Scalar::from_canonical_bytes(s.try_into().ok()?).into_option()?;
    Some((*r, s))
}

/// `EdDSA` with Ed25519.
pub(super) struct EdDsa;

impl Algorithm for EdDsa {
    type SigningKey = Infallible;
    type VerifyingKey = Ed25519Key;
    type Signature = FixedSignature<64>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(SignatureAlgorithm::EdDsa.name())
    }

    fn sign(&self, key: &Self::SigningKey, _message: &[u8]) -> Self::Signature {
        match *key {}
    }

    fn verify_signature(&self, signature: &Self::Signature, key: &Ed25519Key, message: &[u8]) -> bool {
        key.verifies(message, &signature.0)
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};

    use super::*;

    /// R || S over `message` for the key `secret` and the nonce `nonce`, with `torsion` added to R.
    fn sign(secret: Scalar, nonce: Scalar, torsion: EdwardsPoint, message: &[u8]) -> [u8; 64] {
        let public = EdwardsPoint::mul_base(&secret).compress();
        let r = (EdwardsPoint::mul_base(&nonce) + torsion).compress();
        let hash = Sha512::new().chain_update(r.0).chain_update(public.0).chain_update(message).finalize();
        let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
        [r.0, s.to_bytes()].concat().try_into().unwrap()
    }

    fn key_of(secret: Scalar) -> Ed25519Key {
        Ed25519Key::new(&EdwardsPoint::mul_base(&secret).compress().0).unwrap()
    }

    #[test]
    fn the_table_gives_the_same_verdicts() {
        let secret = Scalar::from(0x1234_5678_9abc_def1_u64);
        let key = key_of(secret);
        for round in 0..3 * SIGNATURES_BEFORE_TABLE {
            let message = round.to_be_bytes();
            let mut signature = sign(secret, Scalar::from(round + 1), EIGHT_TORSION[0], &message);
            assert!(key.verifies(&message, &signature), "{round}");
            assert!(!key.verifies(b"another", &signature));
            signature[round as usize % 64] ^= 1 << (round % 8);
            assert!(!key.verifies(&message, &signature), "{round}");
        }
        assert!(key.negated_table.get().is_some());
    }

    #[test]
    fn forgeries_build_no_table() {
        let key = key_of(Scalar::from(5_u64));
        for _ in 0..2 * SIGNATURES_BEFORE_TABLE {
            assert!(!key.verifies(b"", &[1; 64]));
        }
        assert!(key.negated_table.get().is_none());
    }

    #[test]
    fn tables_are_bounded_and_given_back() {
        let secret = Scalar::from(11_u64);
        let signature = sign(secret, Scalar::from(3_u64), EIGHT_TORSION[0], b"m");
        let used_key = || {
            let key = key_of(secret);
            key.verified.set(SIGNATURES_BEFORE_TABLE);
            assert!(key.verifies(b"m", &signature));
            key
        };
        let mut keys: Vec<Ed25519Key> = (0..MAX_TABLES).map(|_| used_key()).collect();
        assert!(keys.iter().all(|key| key.negated_table.get().is_some()));
        let further = used_key();
        assert!(further.negated_table.get().is_none());
        keys.pop();
        assert!(further.verifies(b"m", &signature) && further.negated_table.get().is_some());
    }

    #[test]
    fn weak_points_are_no_keys() {
        for torsion in EIGHT_TORSION {
            assert_eq!(Ed25519Key::new(&torsion.compress().0).err(), Some(InvalidKey::PointWeak));
        }
        for torsion in &EIGHT_TORSION[1..] {
            let mixed = ED25519_BASEPOINT_POINT + torsion;
            assert_eq!(Ed25519Key::new(&mixed.compress().0).err(), Some(InvalidKey::PointWeak));
        }
        assert!(Ed25519Key::new(&ED25519_BASEPOINT_POINT.compress().0).is_ok());
    }

    #[test]
    fn encodings_have_to_be_canonical() {
        // y = p + 1 = 1 mod p, both signs; and y = 1 with the sign of a negative zero.
        let mut beyond = [0xff; 32];
        beyond[0] = 0xee;
        beyond[31] = 0x7f;
        let mut negative_zero = [0; 32];
        negative_zero[0] = 1;
        negative_zero[31] = 0x80;
        for encoded in [beyond, negative_zero, [0xff; 32]] {
            assert_eq!(Ed25519Key::new(&encoded).err(), Some(InvalidKey::PointNotOnCurve), "{encoded:02x?}");
        }
        for length in [0, 31, 33, 64] {
            assert_eq!(Ed25519Key::new(&vec![1; length]).err(), Some(InvalidKey::PointLength));
        }
    }

    #[test]
    fn an_r_of_small_order_or_with_torsion_is_refused() {
        let secret = Scalar::from(77_u64);
        let key = key_of(secret);
        assert!(key.verifies(b"m", &sign(secret, Scalar::from(9_u64), EIGHT_TORSION[0], b"m")));
        for torsion in &EIGHT_TORSION[1..] {
            assert!(!key.verifies(b"m", &sign(secret, Scalar::from(9_u64), *torsion, b"m")));
        }
        assert!(!key.verifies(b"m", &sign(secret, Scalar::ZERO, EIGHT_TORSION[0], b"m")));
    }
}
