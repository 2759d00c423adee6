//! Good tokens of every algorithm, of `tokens.json`, and what else counts as one of them.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The key set and the tokens; `tokens.py` made them.
pub static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(include_str!("tokens.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Good { jwks: document["jwks"].clone(), tokens: document["tokens"].as_array().unwrap().iter().map(text).collect() }
});

/// The orders of the groups (SEC 2), with their lengths in bytes.
const ORDERS: [&str; 3] = [
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
];

pub struct Good {
    pub jwks: Value,
    pub tokens: Vec<String>,
}

impl Good {
    /// Whether these bytes are a good token, or the twin of one.
    pub fn knows(&self, token: &[u8]) -> bool {
        self.tokens.iter().any(|good| is_same(good, token))
    }
}

/// Whether the bytes are this token, byte by byte, or differ only in the sign of `s`, which ECDSA does not determine.
pub fn is_same(good: &str, token: &[u8]) -> bool {
    good.as_bytes() == token
        || std::str::from_utf8(token).is_ok_and(|token| twin(good).is_some_and(|twin| twin == token))
}

/// The same token with `n - s` instead of `s`, if it is one of ECDSA.
pub fn twin(token: &str) -> Option<String> {
    let (text, signature) = token.rsplit_once('.')?;
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    let order = order(header["alg"].as_str()?)?;
    let mut signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if signature.len() != 2 * order.len() {
        return None;
    }
    let negated = minus(&order, &signature[order.len()..]);
    signature[order.len()..].copy_from_slice(&negated);
    Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The order of the algorithm's group.
pub fn order(algorithm: &str) -> Option<Vec<u8>> {
    let position = ["ES256", "ES384", "ES512"].into_iter().position(|name| name == algorithm)?;
    let digits = ORDERS[position];
    Some((0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect())
}

/// The difference of two big-endian numbers of the same length, modulo their width.
fn minus(larger: &[u8], smaller: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let digits = larger.iter().zip(smaller).rev().map(|(larger, smaller)| {
        let difference = i16::from(*larger) - i16::from(*smaller) - borrow;
        borrow = i16::from(difference < 0);
        u8::try_from(difference.rem_euclid(256)).unwrap()
    });
    let mut digits: Vec<u8> = digits.collect();
    digits.reverse();
    digits
}

/// The sum of two big-endian numbers of the same length; `None` if it is longer.
pub fn plus(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    let mut carry = 0;
    let digits = one.iter().zip(other).rev().map(|(one, other)| {
        let sum = u16::from(*one) + u16::from(*other) + carry;
        carry = sum >> 8;
        u8::try_from(sum & 255).unwrap()
    });
    let mut digits: Vec<u8> = digits.collect();
    digits.reverse();
    (carry == 0).then_some(digits)
}
