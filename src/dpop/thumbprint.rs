//! The thumbprint of a key (RFC 7638 section 3), of the numbers that were validated and not of the text that named them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::hash::{HASH_LENGTH, sha256};
use crate::crypto::VerifyingKey;

/// The SHA-256 thumbprint of a public key; `None` for a secret.
pub(crate) fn thumbprint(key: &VerifyingKey) -> Option<[u8; HASH_LENGTH]> {
    let members = match key {
        VerifyingKey::Rsa(key) => {
            let exponent = key.exponent().to_be_bytes();
            let zeros = exponent.iter().take_while(|octet| **octet == 0).count();
            let (e, n) = (encoded(exponent.get(zeros..)?), encoded(key.modulus()));
            [r#"{"e":""#, &e, r#"","kty":"RSA","n":""#, &n, r#""}"#].concat()
        }
        VerifyingKey::P256(key) => elliptic_curve("P-256", &key.point())?,
        VerifyingKey::P384(key) => elliptic_curve("P-384", &key.point())?,
        VerifyingKey::P521(key) => elliptic_curve("P-521", &key.point())?,
        VerifyingKey::Ed25519(key) => {
            [r#"{"crv":"Ed25519","kty":"OKP","x":""#, &encoded(key.point()), r#""}"#].concat()
        }
        VerifyingKey::Hmac(_) => return None,
    };
    Some(sha256(&[members.as_bytes()]))
}

/// Of a point in uncompressed form.
fn elliptic_curve(curve: &str, point: &[u8]) -> Option<String> {
    let coordinates = point.get(1..)?;
    let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
    Some([r#"{"crv":""#, curve, r#"","kty":"EC","x":""#, &encoded(x), r#"","y":""#, &encoded(y), r#""}"#].concat())
}

fn encoded(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::jwks::embedded_key;

    fn of(jwk: &str) -> String {
        let (key, _) = embedded_key(&format!(r#"{{"jwk":{jwk}}}"#)).unwrap();
        encoded(&thumbprint(&key).unwrap())
    }

    /// RFC 7638 section 3.1.
    #[test]
    fn rsa() {
        let jwk = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        assert_eq!(of(jwk), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    /// RFC 9449 section 6.1, and RFC 8037 appendix A.3.
    #[test]
    fn elliptic_curves() {
        let p256 = r#"{"y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","crv":"P-256"}"#;
        assert_eq!(of(p256), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        let ed25519 = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(of(ed25519), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
