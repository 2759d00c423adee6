//! Properties that hold for every token.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::borrow::Cow;

use jwt_warden::jwt::{DecodedToken, FormError, Header, KnownHeaders};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use serde_json::Value;

use crate::support::{CLAIMS, HEADER, check, encode, token};

const PIECES: [&str; 27] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"a\"",
    "\"b\"",
    "\"\\u0061\"",
    "\"\\ud800\"",
    "\"\n\"",
    "\"\\q\"",
    "\"",
    "1",
    "-0",
    "1.5e5",
    "1e999",
    "01",
    "true",
    "null",
    "nul",
    " ",
    "\t",
    "\u{a0}",
    "\"é\"",
    "{\"a\":1}",
    "\"x\":[]",
];

/// What the standard reader says, with the bounds that go beyond it.
fn is_object_within_bounds(json: &str) -> bool {
    serde_json::from_str::<Value>(json).is_ok_and(|value| value.is_object() && depth(&value) <= 32)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What is known of one header: that of the usual token.
fn known_header() -> KnownHeaders {
    let (known, token) = (KnownHeaders::default(), token(HEADER, CLAIMS));
    let decoded = DecodedToken::decode(token.as_bytes(), 1000).expect("a token");
    decoded.make_header_known(&known);
    known
}

/// All that is read of a token.
type Read = (Header<'static>, String, Option<String>, Vec<u8>, Vec<u8>);

fn read(token: &[u8], known: &KnownHeaders) -> Result<Read, FormError> {
    let decoded = DecodedToken::decode_knowing(token, 1000, known)?;
    let parsed = decoded.parse(&[])?;
    let Header { algorithm, key_id, token_type } = parsed.header().clone();
    let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
    let header = Header { algorithm, key_id: owned(key_id), token_type: owned(token_type) };
    let issuer = parsed.issuer().map(str::to_owned);
    let (input, signature) = (parsed.signing_input().to_vec(), parsed.signature().to_vec());
    Ok((header, decoded.header_json()?.to_owned(), issuer, input, signature))
}

/// Agrees with the standard reader, but for names that stand twice.
fn agrees(json: &str) -> bool {
    match check(token(HEADER, json)) {
        Ok(()) => is_object_within_bounds(json),
        Err(error) => !is_object_within_bounds(json) || error.to_string().contains("a member name twice"),
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = proptest::prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(40, 200, 4, |inner| {
        proptest::prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(check(bytes).is_err());
    }

    #[test]
    fn no_header_and_no_claims_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = check(token(&bytes, CLAIMS));
        let _ = check(token(HEADER, &bytes));
    }

    #[test]
    fn pieces_of_json_are_judged_as_the_standard_reader_judges_them(pieces in vec(select(&PIECES[..]), 0..12)) {
        let text = pieces.concat();
        prop_assert!(agrees(&text), "{text:?}");
        let member = format!("{{\"x\":{text}}}");
        prop_assert!(agrees(&member), "{member:?}");
        let element = format!("{{\"scp\":[\"s\",{text}]}}");
        prop_assert!(agrees(&element), "{element:?}");
    }

    #[test]
    fn values_are_judged_as_the_standard_reader_judges_them(value in json_value()) {
        let text = format!("{{\"x\":{value}}}");
        prop_assert!(agrees(&text), "{text:?}");
        let deep = format!("{{\"y\":{}{value}{}}}", "[".repeat(25), "]".repeat(25));
        prop_assert!(agrees(&deep), "{deep:?}");
    }

    #[test]
    fn a_changed_byte_is_no_other_spelling_of_the_token(position in 0_usize..460, byte in any::<u8>()) {
        let original = token(HEADER, CLAIMS);
        let mut changed = original.clone().into_bytes();
        let position = position % changed.len();
        if changed[position] != byte {
            changed[position] = byte;
            let same = match (DecodedToken::decode(original.as_bytes(), 1000), DecodedToken::decode(&changed, 1000)) {
                (Ok(original), Ok(changed)) =>
                    original.signing_input() == changed.signing_input() && original.signature() == changed.signature(),
                _ => false,
            };
            prop_assert!(!same);
        }
    }

    #[test]
    fn a_header_that_is_known_says_what_it_says_when_it_is_read(position in 0_usize..460, byte in any::<u8>()) {
        let mut token = token(HEADER, CLAIMS).into_bytes();
        let position = position % token.len();
        token[position] = byte;
        prop_assert_eq!(read(&token, &known_header()), read(&token, &KnownHeaders::default()));
    }

    #[test]
    fn a_cut_token_is_no_token(length in 0_usize..10_000) {
        let token = token(HEADER, CLAIMS);
        let signature = token.rfind('.').unwrap_or(0);
        prop_assert!(check(&token[..length % (signature + 1)]).is_err());
    }

    #[test]
    fn what_is_decoded_was_encoded(signature in vec(any::<u8>(), 1..600)) {
        let token = format!("{}.{}.{}", encode(HEADER), encode(CLAIMS), encode(&signature));
        let decoded = DecodedToken::decode(token.as_bytes(), token.len());
        prop_assert_eq!(decoded.as_ref().map(DecodedToken::signature), Ok(signature.as_slice()));
    }
}
