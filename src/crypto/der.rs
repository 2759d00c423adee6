//! The little of DER (X.690) that a host's verifier wants to see: public keys and ECDSA signatures, written only.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `rsaEncryption` with its NULL parameters (RFC 8017 appendix A.1).
const RSA_ALGORITHM: &[u8] = &[SEQUENCE, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// `id-ecPublicKey` (RFC 5480 section 2.1.1).
const EC_ALGORITHM: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// `SubjectPublicKeyInfo` of an RSA key with this big-endian modulus and this exponent.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: u64) -> Vec<u8> {
    let key = element(SEQUENCE, &[&unsigned(modulus), &unsigned(&exponent.to_be_bytes())]);
    element(SEQUENCE, &[RSA_ALGORITHM, &element(BIT_STRING, &[&[0], &key])])
}

/// `SubjectPublicKeyInfo` of a point in uncompressed form on the curve with this encoded object identifier.
pub(super) fn ec_public_key(curve: &[u8], point: &[u8]) -> Vec<u8> {
    let algorithm = element(SEQUENCE, &[EC_ALGORITHM, curve]);
    element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], point])])
}

/// `Ecdsa-Sig-Value` (RFC 3279 section 2.2.3) of raw r and s, each half of `signature`.
pub(super) fn ecdsa_signature(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    element(SEQUENCE, &[&unsigned(r), &unsigned(s)])
}

/// A non-negative INTEGER in its shortest form.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let significant = number.get(zeros..).unwrap_or_default();
    // A leading one bit would make it negative, and zero needs an octet.
    let sign: &[u8] = if significant.first().is_none_or(|octet| *octet >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, significant])
}

fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(length.saturating_add(6));
    bytes.push(tag);
    push_length(&mut bytes, length);
    for part in contents {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// One octet below 128, otherwise the number of octets and the octets.
fn push_length(bytes: &mut Vec<u8>, length: usize) {
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = octets.get(zeros..).unwrap_or_default();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            bytes.push(0x80 | u8::try_from(significant.len()).unwrap_or(0x7f));
            bytes.extend_from_slice(significant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_shortest_and_never_negative() {
        for (number, encoded) in [
            (&[0, 0][..], &[2, 1, 0][..]),
            (&[], &[2, 1, 0]),
            (&[0, 1], &[2, 1, 1]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0xff, 0], &[2, 3, 0, 0xff, 0]),
        ] {
            assert_eq!(unsigned(number), encoded, "{number:?}");
        }
    }

    #[test]
    fn lengths_have_both_forms() {
        assert_eq!(element(4, &[&[7; 127]])[..3], [4, 127, 7]);
        assert_eq!(element(4, &[&[7; 128]])[..4], [4, 0x81, 128, 7]);
        assert_eq!(element(4, &[&[7; 300]])[..5], [4, 0x82, 1, 44, 7]);
        assert_eq!(element(4, &[&vec![7; 70_000]])[..6], [4, 0x83, 1, 0x11, 0x70, 7]);
    }

    #[test]
    fn keys_are_told_with_their_algorithm() {
        let rsa = [&[0x30, 30][..], RSA_ALGORITHM, &[3, 13, 0, 0x30, 10, 2, 3, 0, 0xc3, 5, 2, 3, 1, 0, 1]].concat();
        assert_eq!(rsa_public_key(&[0xc3, 5], 65_537), rsa);
        let p256 = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        let point = [&[0x30, 27, 0x30, 19][..], EC_ALGORITHM, &p256, &[3, 4, 0, 4, 1, 2]].concat();
        assert_eq!(ec_public_key(&p256, &[4, 1, 2]), point);
    }

    #[test]
    fn signatures_are_those_of_the_curves_own_crates() {
        use p256::ecdsa::signature::Signer as _;
        for seed in 1..=50 {
            let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
            let signature: p256::ecdsa::Signature = key.sign(&[seed]);
            assert_eq!(ecdsa_signature(&signature.to_bytes()), signature.to_der().as_bytes());
            let key = p521::ecdsa::SigningKey::from_slice(&[&[0][..], &[seed; 65]].concat()).unwrap();
            let signature: p521::ecdsa::Signature = key.sign(&[seed]);
            assert_eq!(ecdsa_signature(&signature.to_bytes()), signature.to_der().as_bytes());
        }
    }
}
