//! Tokens from their parts, and the shared cases.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jwt_warden::jwt::{DecodedToken, FormError};
use jwt_warden::reason::Reason;
use serde_json::Value;

pub(crate) const MAX_BYTES: usize = 16_384;
pub(crate) const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;
pub(crate) const CLAIMS: &str = r#"{"iss":"https://issuer.example","sub":"s","aud":"a","exp":2000000000}"#;
pub(crate) const SIGNATURE: &[u8] = &[0x5a; 256];

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn token(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}.{}", encode(header), encode(claims), encode(SIGNATURE))
}

/// The verdict on a token of any length.
pub(crate) fn check(token: impl AsRef<[u8]>) -> Result<(), FormError> {
    check_bounded(token, usize::MAX)
}

pub(crate) fn check_bounded(token: impl AsRef<[u8]>, max_bytes: usize) -> Result<(), FormError> {
    let wanted = ["x".to_owned()];
    let verdicts =
        [&[][..], &wanted].map(|wanted| DecodedToken::decode(token.as_ref(), max_bytes)?.parse(wanted).map(drop));
    assert_eq!(verdicts[0], verdicts[1], "the verdict depends on what is wanted");
    let [verdict, _] = verdicts;
    if let Err(error) = &verdict {
        assert!(error.to_string().len() < 200, "{error}");
    }
    verdict
}

#[track_caller]
pub(crate) fn assert_refused(token: impl AsRef<[u8]>, reason: Reason) {
    match check(&token) {
        Ok(()) => panic!("accepted: {}", String::from_utf8_lossy(token.as_ref())),
        Err(error) => assert_eq!(error.reason(), reason, "{error}: {}", String::from_utf8_lossy(token.as_ref())),
    }
}

/// A document of the shared cases; `None`, said aloud, where there are none.
pub(crate) fn shared(path: &str) -> Option<Value> {
    let path = format!("{}/../shared/data/vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not there");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

pub(crate) fn decode_standard(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}
