//! The encodings of RSA signatures: EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) and EMSA-PSS (section 9.1).

use sha2::digest::Output;

use crate::crypto::hash::JoseHash;

/// The one encoding of `message` for a modulus of `length` bytes: 00 01 ff .. ff 00, `DigestInfo`, hash. There is
/// nothing to parse: a signature is good if it recovers these very bytes. `None` if the modulus is too short.
pub(super) fn pkcs1_encoded<D: JoseHash>(message: &[u8], length: usize) -> Option<Vec<u8>> {
    let hash = D::digest(message);
    let padding = length.checked_sub(3 + D::DIGEST_INFO.len() + hash.len()).filter(|padding| *padding >= 8)?;
    Some([&[0, 1], vec![0xff; padding].as_slice(), &[0], &D::DIGEST_INFO, &hash].concat())
}

/// EMSA-PSS-VERIFY (RFC 8017 section 9.1.2) with MGF1 over the same hash and a salt as long as the hash (RFC 7518
/// section 3.5). `recovered` is as long as the modulus, which has `modulus_bits` bits.
pub(super) fn pss_verifies<D: JoseHash>(message: &[u8], recovered: &[u8], modulus_bits: usize) -> bool {
    split_pss::<D>(recovered, modulus_bits).is_some_and(|(salt, hash)| {
        let message_hash = D::digest(message);
        let expected = D::new().chain_update([0; 8]).chain_update(message_hash).chain_update(salt).finalize();
        expected.as_slice() == hash
    })
}

/// Steps 4 to 11: the salt and the hash H, if everything around them is as it has to be.
fn split_pss<D: JoseHash>(recovered: &[u8], modulus_bits: usize) -> Option<(Vec<u8>, &[u8])> {
    let hash_length = <D as sha2::Digest>::output_size();
    let encoded_bits = modulus_bits.checked_sub(1)?;
    let encoded = without_excess(recovered, encoded_bits)?;
    let (body, trailer) = encoded.split_last_chunk::<1>()?;
    let (masked, hash) = body.split_at_checked(body.len().checked_sub(hash_length)?)?;
    // 0 to 7 bits of the first byte lie above the encoded message.
    let unused = !(0xff_u8 >> (8 * encoded.len() - encoded_bits));
    if *trailer != [0xbc] || masked.first()? & unused != 0 {
        return None;
    }
    let mut block = unmasked::<D>(masked, hash);
    *block.first_mut()? &= !unused;
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(hash_length)?)?;
    let (one, zeros) = padding.split_last()?;
    (*one == 1 && zeros.iter().all(|octet| *octet == 0)).then(|| (salt.to_vec(), hash))
}

/// The encoded message is one byte shorter than the modulus if the latter has 8k + 1 bits; that byte has to be zero.
fn without_excess(recovered: &[u8], encoded_bits: usize) -> Option<&[u8]> {
    let (excess, encoded) = recovered.split_at_checked(recovered.len().checked_sub(encoded_bits.div_ceil(8))?)?;
    excess.iter().all(|octet| *octet == 0).then_some(encoded)
}

/// `masked` xor MGF1 (RFC 8017 appendix B.2.1) of `seed`.
fn unmasked<D: JoseHash>(masked: &[u8], seed: &[u8]) -> Vec<u8> {
    let keyed = D::new().chain_update(seed);
    let block = |counter: u32| -> Output<D> { keyed.clone().chain_update(counter.to_be_bytes()).finalize() };
    (0..).flat_map(block).zip(masked).map(|(mask, octet)| mask ^ octet).collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256, Sha384, Sha512};

    use super::*;

    /// EMSA-PSS-ENCODE (RFC 8017 section 9.1.1), as long as the modulus.
    fn pss_encoded<D: JoseHash>(message: &[u8], salt: &[u8], modulus_bits: usize) -> Vec<u8> {
        let message_hash = D::digest(message);
        let hash = D::new().chain_update([0; 8]).chain_update(message_hash).chain_update(salt).finalize();
        let encoded_length = (modulus_bits - 1).div_ceil(8);
        let zeros = vec![0; encoded_length - salt.len() - hash.len() - 2];
        let mut block = unmasked::<D>(&[&zeros, &[1][..], salt].concat(), &hash);
        block[0] &= 0xff >> (8 * encoded_length - (modulus_bits - 1));
        let excess = vec![0; modulus_bits.div_ceil(8) - encoded_length];
        [&excess, block.as_slice(), &hash, &[0xbc]].concat()
    }

    fn check_pss<D: JoseHash>(modulus_bits: usize) {
        let salt = vec![7; <D as Digest>::output_size()];
        let good = pss_encoded::<D>(b"message", &salt, modulus_bits);
        assert!(pss_verifies::<D>(b"message", &good, modulus_bits));
        assert!(!pss_verifies::<D>(b"massage", &good, modulus_bits));
        for bit in 0..8 * good.len() {
            let mut forged = good.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!pss_verifies::<D>(b"message", &forged, modulus_bits), "{modulus_bits} bits: bit {bit}");
        }
        for length in [0, 1, salt.len() - 1, salt.len() + 1] {
            let other = pss_encoded::<D>(b"message", &vec![7; length], modulus_bits);
            assert!(!pss_verifies::<D>(b"message", &other, modulus_bits), "a salt of {length} octets");
        }
        assert!(!pss_verifies::<D>(b"message", &good[2..], modulus_bits));
        assert!(!pss_verifies::<D>(b"message", &[], modulus_bits));
    }

    #[test]
    fn pss_holds_for_every_length_modulo_8() {
        for modulus_bits in 2048..=2057 {
            check_pss::<Sha256>(modulus_bits);
            check_pss::<Sha384>(modulus_bits);
            check_pss::<Sha512>(modulus_bits);
        }
    }

    #[test]
    fn pkcs1_fills_the_modulus() {
        let encoded = pkcs1_encoded::<Sha256>(b"", 256).unwrap();
        assert_eq!(encoded.len(), 256);
        assert_eq!(encoded[..2], [0, 1]);
        assert!(encoded[2..204].iter().all(|octet| *octet == 0xff));
        assert_eq!(encoded[204], 0);
        assert_eq!(encoded[224..], Sha256::digest(b"")[..]);
        assert_eq!(pkcs1_encoded::<Sha256>(b"", 61), None);
        assert_eq!(pkcs1_encoded::<Sha512>(b"", 94).unwrap().len(), 94);
    }
}
