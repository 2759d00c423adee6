//! Status lists: their bits, and everything that can be wrong with the token that carries them.

use std::rc::Rc;

use serde_json::{Value, json};

use super::*;
use crate::config;
use crate::jwks::{KeyOrigin, KeySet};
use crate::revocation::mint::{EcKey, NOW, SECRET, base64url, hs256};

const URI: &str = "https://issuer.test/statuslists/1";
const AT: Timestamp = Timestamp::from_secs(NOW);
const LIMIT: usize = 1 << 20;
/// The lists of sections 4.1 (one bit) and 4.2 (two bits), as the draft compresses them.
const ONE_BIT: &str = "eNrbuRgAAhcBXQ";
const TWO_BITS: &str = "eNo76fITAAPfAgc";

/// The issuer's keys.
struct Known(Option<Rc<KeySet>>);

impl Keys for Known {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        self.0.clone().map_or(KeyLookup::Pending(query.now), KeyLookup::Ready)
    }

    fn generation(&self, _provider: ProviderId, _now: Timestamp) -> Option<u64> {
        Some(0)
    }
}

fn jwks() -> String {
    let secret = json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": base64url(SECRET)});
    json!({"keys": [EcKey::new("a", 1).jwk(), secret]}).to_string()
}

fn verify_with(keys: &Known, token: &str) -> Result<StatusListToken, Failure> {
    let provider = json!({
        "issuer": "https://issuer.test", "audiences": ["api"], "algorithms": ["ES256"],
        "local_jwks": {"environment_variable": "KEYS"},
    });
    let text = json!({"providers": {"acme": provider}}).to_string();
    let config = config::parse(text.as_bytes(), &|_| Some(jwks())).unwrap().config;
    let provider = (ProviderId(0), config.providers.first().unwrap());
    StatusListToken::verify(token.as_bytes(), LIMIT, provider, keys, &Signatures::in_module(), AT)
}

fn verify(token: &str) -> Result<StatusListToken, Failure> {
    let keys = KeySet::parse(jwks().as_bytes(), KeyOrigin::Local, LIMIT).unwrap();
    verify_with(&Known(Some(Rc::new(keys))), token)
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "a", "typ": "statuslist+jwt"})
}

fn claims(bits: u64, encoded: &str) -> Value {
    json!({"sub": URI, "iat": NOW, "exp": NOW + 60, "ttl": 30, "status_list": {"bits": bits, "lst": encoded}})
}

/// Good claims with another value at this JSON pointer; null removes it.
fn with(pointer: &str, value: Value) -> Value {
    let mut claims = claims(1, ONE_BIT);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = claims.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => parent.remove(name),
        value => parent.insert(name.to_owned(), value),
    };
    claims
}

fn read(header: &Value, claims: &Value) -> Result<StatusList, String> {
    let token = verify(&EcKey::new("a", 1).sign(header, claims)).map_err(|failure| failure.to_string())?;
    StatusList::of(&token, URI, LIMIT, AT).map_err(str::to_owned)
}

fn list(bits: u64, octets: &[u8]) -> StatusList {
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(octets, 9);
    read(&header(), &claims(bits, &base64url(packed))).unwrap()
}

fn statuses(list: &StatusList) -> Vec<u8> {
    (0..list.len() as u64).map(|index| list.status(index).unwrap()).collect()
}

#[track_caller]
fn is_refused(outcome: Result<StatusList, String>, why: &str) {
    let error = outcome.unwrap_err();
    assert!(error.contains(why), "{error} lacks {why}");
}

#[test]
fn one_bit_and_two_bits_as_in_the_draft() {
    let one = read(&header(), &claims(1, ONE_BIT)).unwrap();
    assert_eq!(statuses(&one), [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
    let two = read(&header(), &claims(2, TWO_BITS)).unwrap();
    assert_eq!(statuses(&two), [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
}

#[test]
fn four_and_eight_bits_begin_with_the_lowest_too() {
    assert_eq!(statuses(&list(4, &[0xb9, 0x0f])), [9, 11, 15, 0]);
    assert_eq!(statuses(&list(8, &[0xb9, 0x00, 0xff])), [0xb9, 0, 0xff]);
}

#[test]
fn an_index_beyond_the_list_has_no_status() {
    for (bits, length) in [(1, 16), (2, 8), (4, 4), (8, 2)] {
        let list = list(bits, &[0, 0]);
        assert_eq!((list.status(length - 1), list.status(length)), (Some(0), None));
        assert_eq!(u64::try_from(list.len()), Ok(length));
        assert_eq!((list.status(u64::MAX), list.status(u64::MAX / 8 + 1)), (None, None), "{bits} bits");
    }
    assert!(list(1, &[]).is_empty() && list(1, &[]).status(0).is_none());
    assert_eq!(StatusList::default().status(0), None);
}

#[test]
fn a_list_is_unpacked_up_to_the_limit() {
    let packed = |length| base64url(miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; length], 9));
    assert!(read(&header(), &claims(1, &packed(LIMIT))).is_ok());
    is_refused(read(&header(), &claims(1, &packed(LIMIT + 1))), "larger than max_revocation_bytes");
    is_refused(read(&header(), &claims(1, &packed(200 << 20))), "larger than max_revocation_bytes");
}

#[test]
fn what_is_no_zlib_stream_is_refused() {
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&[1, 2, 3], 9);
    let raw = miniz_oxide::deflate::compress_to_vec(&[1, 2, 3], 9);
    let mut wrong_checksum = packed.clone();
    *wrong_checksum.last_mut().unwrap() ^= 1;
    for bytes in [&[][..], b"x", &packed[..packed.len() - 1], &packed[2..], &raw, &wrong_checksum] {
        is_refused(read(&header(), &claims(1, &base64url(bytes))), "no zlib stream");
    }
}

#[test]
fn every_claim_has_to_be_right() {
    assert!(read(&header(), &claims(1, ONE_BIT)).is_ok());
    for (pointer, value, why) in [
        ("/sub", Value::Null, "sub"),
        ("/sub", json!("https://issuer.test/statuslists/2"), "sub"),
        ("/sub", json!("https://issuer.test/statuslists/1/"), "sub"),
        ("/iat", Value::Null, "iat"),
        ("/exp", json!(NOW), "expired"),
        ("/exp", json!("later"), "no token"),
        ("/iss", json!("https://other.test"), "iss"),
        ("/iss", json!("https://issuer.test/"), "iss"),
        ("/ttl", json!(0), "ttl"),
        ("/ttl", json!(-1), "ttl"),
        ("/ttl", json!("30"), "ttl"),
        ("/status_list", Value::Null, "status_list"),
        ("/status_list", json!([1]), "lst"),
        ("/status_list/bits", Value::Null, "bits"),
        ("/status_list/bits", json!(0), "bits"),
        ("/status_list/bits", json!(3), "bits"),
        ("/status_list/bits", json!(16), "bits"),
        ("/status_list/bits", json!("1"), "bits"),
        ("/status_list/bits", json!(1.5), "bits"),
        ("/status_list/lst", Value::Null, "lst"),
        ("/status_list/lst", json!(1), "lst"),
        ("/status_list/lst", json!("eNrbuRgAAhcBXQ=="), "lst"),
        ("/status_list/lst", json!("eNrb+RgAAhcBXQ"), "lst"),
    ] {
        is_refused(read(&header(), &with(pointer, value.clone())), why);
    }
    for (pointer, value) in [
        ("/iss", json!("https://issuer.test")),
        ("/exp", Value::Null),
        ("/exp", json!(NOW + 1)),
        ("/ttl", Value::Null),
        ("/status_list/aggregation_uri", json!("https://issuer.test/lists")),
    ] {
        assert!(read(&header(), &with(pointer, value)).is_ok(), "{pointer}");
    }
}

#[test]
fn every_part_of_the_header_has_to_be_right() {
    let with = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        header
    };
    for (name, value, why) in [
        ("typ", Value::Null, "no token"),
        ("typ", json!("JWT"), "typ"),
        ("typ", json!("statuslist"), "typ"),
        ("kid", json!("b"), "none of the provider's keys"),
        ("alg", json!("none"), "no token"),
        ("alg", json!("ES384"), "alg"),
    ] {
        is_refused(read(&with(name, value), &claims(1, ONE_BIT)), why);
    }
    let mut untyped = header();
    untyped.as_object_mut().unwrap().remove("typ");
    is_refused(read(&untyped, &claims(1, ONE_BIT)), "typ");
    assert!(read(&with("typ", json!("application/statuslist+jwt")), &claims(1, ONE_BIT)).is_ok());
}

#[test]
fn only_the_providers_keys_and_algorithms_count() {
    let good = EcKey::new("a", 1).sign(&header(), &claims(1, ONE_BIT));
    assert!(verify(&good).is_ok() && verify(&format!("\n{good}\r\n")).is_ok());
    let why = |token: &str| verify(token).unwrap_err().to_string();
    assert!(why(&EcKey::new("a", 2).sign(&header(), &claims(1, ONE_BIT))).contains("none of the provider's keys"));
    assert!(why(&hs256(&json!({"alg": "HS256", "typ": "statuslist+jwt"}), &claims(1, ONE_BIT))).contains("alg"));
    let (input, _) = good.rsplit_once('.').unwrap();
    for token in
        ["", "{}", "a.b.c", input, good.strip_prefix('e').unwrap(), &format!("{good} {good}"), &"a".repeat(LIMIT + 1)]
    {
        assert!(why(token).contains("no token"), "{}", token.len());
    }
    assert!(why(&format!("{input}.{}", base64url([0; 64]))).contains("none of the provider's keys"));
}

#[test]
fn without_keys_nothing_can_be_said_about_it() {
    let good = EcKey::new("a", 1).sign(&header(), &claims(1, ONE_BIT));
    assert_eq!(verify_with(&Known(None), &good).unwrap_err(), Failure::NotVerifiable);
}

#[test]
fn it_is_fresh_until_its_ttl_or_its_end() {
    let fresh_for = |claims: &Value, longest| {
        let token = verify(&EcKey::new("a", 1).sign(&header(), claims)).unwrap();
        token.fresh_for(Duration::from_secs(longest), AT).map(|time| time.as_secs())
    };
    assert_eq!(fresh_for(&claims(1, ONE_BIT), 300), Some(30));
    assert_eq!(fresh_for(&with("/ttl", json!(100)), 300), Some(60));
    assert_eq!(fresh_for(&with("/ttl", Value::Null), 300), Some(60));
    assert_eq!(fresh_for(&with("/ttl", Value::Null), 50), None, "its end is far");
    assert_eq!(fresh_for(&with("/exp", Value::Null), 300), Some(30));
    let list = list(1, &[0]);
    assert!(!list.has_expired(Timestamp::from_millis(NOW * 1000 + 59_999)));
    assert!(list.has_expired(Timestamp::from_secs(NOW + 60)));
}

#[test]
fn it_is_fresh_as_long_as_it_says_unless_that_is_no_news() {
    let seconds = Duration::from_secs;
    let token = |ttl: Option<u64>, left: Option<u64>| StatusListToken {
        time_to_live: ttl.map(seconds),
        expiration: left.map(|left| AT.saturating_add(seconds(left))),
        ..StatusListToken::for_test(URI, AT)
    };
    for (ttl, left, expected) in [
        (None, None, None),
        (None, Some(9), Some(9)),
        (None, Some(10), None),
        (Some(20), Some(10), Some(20)),
        (Some(5), Some(9), Some(5)),
        (Some(9), Some(5), Some(5)),
    ] {
        assert_eq!(token(ttl, left).fresh_for(seconds(10), AT), expected.map(seconds), "{ttl:?} {left:?}");
    }
}

#[test]
fn a_list_is_empty_until_there_is_one() {
    let list = StatusList::of(&StatusListToken::for_test(URI, AT), URI, LIMIT, AT).unwrap();
    assert_eq!((StatusList::default().is_empty(), list.is_empty()), (true, false));
}
