//! The filter's reader of JSON agrees with an independent one on what is valid, and on what it says.

use jwt_warden::jwt::{DecodedToken, FormError};

use super::draw::Draw;
use super::json_reader::{Seen, object};
use super::mint::base64url;

const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\"a\"",
    "\"b\":",
    "\"\\u0061\"",
    "\"iss\":",
    "\"cnf\":",
    "\"x\":",
    "{\"a\":1,\"a\":2}",
    "{\"x\":{\"a\":1,\"\\u0061\":2}}",
    "\\",
    "\\ud83d\\ude00",
    "\\ud83d",
    "\\udc00",
    "\\/",
    "\\x",
    "1",
    "-0",
    "0.5",
    "01",
    "1e308",
    "1e309",
    "1e-999",
    "-1E+7",
    "123456789012345678901234567890",
    "1.",
    "true",
    "null",
    "nul",
    " ",
    "\n",
    "\u{a0}",
    "\u{feff}",
    "é\u{10ffff}",
    "\0",
];

/// A text of pieces, or the bytes as they are.
pub fn check(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let text = match draw.below(4) {
        0 => draw.rest().to_vec(),
        1 => [b"{\"x\":", draw.rest(), b"}"].concat(),
        2 => pieces(&mut draw),
        _ => [b"{\"x\":", pieces(&mut draw).as_slice(), b"}"].concat(),
    };
    compare(&text);
}

fn pieces(draw: &mut Draw<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    while !draw.is_empty() && text.len() < 4096 {
        let piece = draw.pick(&PIECES).as_bytes();
        let times = if draw.one_in(16) { draw.below(40) } else { 1 };
        text.extend(piece.repeat(times));
    }
    text
}

fn compare(text: &[u8]) {
    if text.is_empty() {
        return;
    }
    let expected = object(text);
    let claims = format!("{}.{}.AA", base64url(r#"{"alg":"ES256"}"#), base64url(text));
    for wanted in [&[][..], &["x".to_owned()]] {
        let decoded = DecodedToken::decode(claims.as_bytes(), usize::MAX).unwrap();
        match decoded.parse(wanted) {
            Ok(token) => {
                let members = expected.as_ref().unwrap_or_else(|| panic!("accepted: {}", shown(text)));
                let issuer = members.iter().find_map(|(name, value)| match value {
                    Seen::Text(text) if name == "iss" => Some(text.as_str()),
                    _ => None,
                });
                assert_eq!(token.issuer(), issuer, "{}", shown(text));
            }
            // Valid JSON, but no claims: that is not judged here.
            Err(FormError::WrongValue { .. }) => assert!(expected.is_some(), "took for valid: {}", shown(text)),
            Err(error) => assert!(expected.is_none(), "{error}: {}", shown(text)),
        }
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
