//! Sources that fail, and their neighbours.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::*;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::authenticator::Authenticator;
use crate::config::{AddressRange, PeerCertificate, ProviderId, RuleId, TrustedProxies, parse};
use crate::connection::Connection;
use crate::crypto::Signatures;
use crate::decision::{Decision, Wait};
use crate::request::Request;
use crate::revocation::{Marks, Standing};
use crate::verifier::{KeyLookup, KeyQuery, Keys, Moment, Revocations};

#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>, bool);

impl SharedStore for Memory {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.0.borrow().get(key).map(|(value, version)| (value.clone(), Version(*version)))
    }

    fn put(&self, key: &str, value: &[u8]) {
        let version = self.get(key).map_or(1, |(_, version)| version.0 + 1);
        self.0.borrow_mut().insert(key.into(), (value.to_vec(), version));
    }

    fn replace(&self, key: &str, value: &[u8], version: Option<Version>) -> bool {
        let is_current = !self.1 && self.get(key).map(|(_, version)| version) == version;
        if is_current {
            self.put(key, value);
        }
        is_current
    }
}

struct From(Option<&'static str>);

impl Connection for From {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        None
    }

    fn is_tls(&self) -> bool {
        false
    }

    fn peer_address(&self) -> Option<IpAddr> {
        self.0.map(|address| address.parse().unwrap())
    }
}

fn settings(by: CountedBy) -> config::FailedAttempts {
    config::FailedAttempts { limit: 3, window: Duration::from_secs(60), by, counted: vec![Reason::SignatureInvalid] }
}

fn by_address(seed: u64) -> FailedAttempts {
    FailedAttempts::new(&settings(CountedBy::SourceAddress), seed)
}

fn with<T>(address: Option<&'static str>, headers: &[(&str, &str)], see: impl Fn(Front<'_>) -> T) -> T {
    let addresses = vec![AddressRange::parse("10.0.0.0/8").unwrap()];
    let proxies = TrustedProxies { addresses, certificates: Vec::<PeerCertificate>::new(), client_certificate: false };
    let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    see(Front { proxies: Some(&proxies), request: &Request::new(headers), connection: &From(address) })
}

const NOW: Timestamp = Timestamp::from_secs(1000);

fn fail(counters: &FailedAttempts, store: &Memory, address: Option<&'static str>, headers: &[(&str, &str)]) {
    with(address, headers, |front| counters.count(front, store, NOW));
}

fn retry_after(
    counters: &FailedAttempts,
    store: &Memory,
    address: Option<&'static str>,
    headers: &[(&str, &str)],
    now: Timestamp,
) -> Option<u64> {
    with(address, headers, |front| counters.refusal(front, store, now)).map(|denial| denial.retry_after.unwrap())
}

#[test]
fn a_source_is_locked_out_at_the_limit_until_its_window_is_over_at_every_worker() {
    let (store, one, other) = (Memory::default(), by_address(1), by_address(2));
    let a = Some("192.0.2.1");
    for _ in 0..2 {
        fail(&one, &store, a, &[]);
        assert_eq!(retry_after(&other, &store, a, &[], NOW), None);
    }
    fail(&other, &store, a, &[]);
    for worker in [&one, &other] {
        assert_eq!(retry_after(worker, &store, a, &[], NOW), Some(60));
        assert_eq!(retry_after(worker, &store, a, &[], Timestamp::from_millis(1_059_999)), Some(1));
        assert_eq!(retry_after(worker, &store, a, &[], Timestamp::from_millis(1_060_000)), None);
        assert_eq!(retry_after(worker, &store, Some("192.0.2.2"), &[], NOW), None);
    }
}

#[test]
fn neighbours_in_one_network_of_ipv6_are_one_source() {
    let (store, counters) = (Memory::default(), by_address(1));
    for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        fail(&counters, &store, Some(address), &[]);
    }
    assert_eq!(retry_after(&counters, &store, Some("2001:db8::4"), &[], NOW), Some(60));
    assert_eq!(retry_after(&counters, &store, Some("2001:db8:0:1::4"), &[], NOW), None);
}

#[test]
fn sources_without_an_address_are_one() {
    let (store, counters) = (Memory::default(), by_address(1));
    for _ in 0..3 {
        fail(&counters, &store, None, &[("x-forwarded-for", "192.0.2.1")]);
    }
    assert_eq!(retry_after(&counters, &store, None, &[("x-forwarded-for", "192.0.2.2")], NOW), Some(60));
    assert_eq!(retry_after(&counters, &store, Some("0.0.0.0"), &[], NOW), None);
}

#[test]
fn clients_of_a_trusted_proxy_are_told_apart_and_those_of_another_are_not() {
    let (store, counters) = (Memory::default(), by_address(1));
    for _ in 0..3 {
        fail(&counters, &store, Some("10.0.0.1"), &[("x-forwarded-for", "192.0.2.1")]);
        fail(&counters, &store, Some("11.0.0.1"), &[("x-forwarded-for", "192.0.2.7")]);
    }
    let locked = |address, client| retry_after(&counters, &store, Some(address), &[("x-forwarded-for", client)], NOW);
    assert!(locked("10.0.0.1", "192.0.2.1").is_some());
    assert!(locked("10.9.9.9", "192.0.2.1").is_some(), "the same client through another proxy");
    assert!(locked("10.0.0.1", "192.0.2.7").is_none());
    assert!(locked("11.0.0.1", "192.0.2.9").is_some(), "whatever it says");
}

#[test]
fn a_header_of_a_trusted_proxy_names_the_source() {
    let store = Memory::default();
    let counters = FailedAttempts::new(&settings(CountedBy::Header("x-client".into())), 1);
    for _ in 0..3 {
        fail(&counters, &store, Some("10.0.0.1"), &[("x-client", "a")]);
        fail(&counters, &store, Some("11.0.0.1"), &[("x-client", "b")]);
    }
    let locked = |address, client| retry_after(&counters, &store, Some(address), &[("x-client", client)], NOW);
    assert!(locked("10.0.0.1", "a").is_some());
    assert!(locked("10.0.0.1", "b").is_none());
    assert!(locked("11.0.0.1", "c").is_some());
    assert!(locked("10.0.0.1", "").is_none());
}

#[test]
fn however_many_sources_fail_the_memory_is_bounded() {
    let (store, counters) = (Memory::default(), FailedAttempts::new(&settings(CountedBy::Header("x".into())), 1));
    for source in 0..20_000 {
        fail(&counters, &store, Some("10.0.0.1"), &[("x", &source.to_string())]);
    }
    let stored = store.0.borrow();
    assert_eq!(stored.len(), 257);
    assert!(stored.values().all(|(value, _)| value.len() <= 641));
}

#[test]
fn garbage_in_the_store_is_replaced() {
    let (store, counters) = (Memory::default(), by_address(1));
    store.put(SECRET_KEY, b"no secret");
    fail(&counters, &store, Some("192.0.2.1"), &[]);
    let keys: Vec<_> = store.0.borrow().keys().cloned().collect();
    assert_eq!((keys.len(), store.get(SECRET_KEY).unwrap().0.len()), (2, 8));
    for garbage in [&b""[..], b"x", &[0xff; 641], &[1; 641], &vec![0; 100_000]] {
        store.put(&keys[0], garbage);
        assert_eq!(retry_after(&counters, &store, Some("192.0.2.1"), &[], NOW), None);
        for _ in 0..3 {
            fail(&counters, &store, Some("192.0.2.1"), &[]);
        }
        assert_eq!(retry_after(&counters, &store, Some("192.0.2.1"), &[], NOW), Some(60));
    }
}

#[test]
fn a_store_that_takes_nothing_does_no_harm() {
    let (store, counters) = (Memory(RefCell::default(), true), by_address(1));
    fail(&counters, &store, Some("192.0.2.1"), &[]);
    assert_eq!(retry_after(&counters, &store, Some("192.0.2.1"), &[], NOW), None);
}

/// Keys that are still to come, and how often they were asked for.
struct Awaited(Cell<usize>);

impl Keys for Awaited {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        self.0.set(self.0.get() + 1);
        KeyLookup::Pending(query.now)
    }

    fn generation(&self, _provider: ProviderId, _now: Timestamp) -> Option<u64> {
        None
    }
}

impl Revocations for Awaited {
    fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
        Standing::Unavailable("nobody asks")
    }
}

#[test]
fn at_the_limit_no_keys_are_asked_for_and_nobody_waits() {
    let http_uri = json!({"uri": "https://i/keys", "cluster": "i"});
    let provider = json!({"issuer": "i", "any_audience": true, "remote_jwks": {"http_uri": http_uri}});
    let failed_attempts = json!({"limit": 1, "count": ["token_malformed"]});
    let config = json!({"providers": {"p": provider}, "failed_attempts": failed_attempts});
    let config = parse(config.to_string().as_bytes(), &|_| None).unwrap().config;
    let authenticator = Authenticator::new(config, Signatures::in_module(), 1);
    let (store, keys) = (Memory::default(), Awaited(Cell::new(0)));
    let [head, claims] = [r#"{"alg":"RS256"}"#, r#"{"iss":"i","exp":9999}"#].map(|part| URL_SAFE_NO_PAD.encode(part));
    let decide = |credentials: &str| {
        let request = Request::new(vec![(b":path", b"/"), (b"authorization", credentials.as_bytes())]);
        let connection = &From(Some("192.0.2.1"));
        authenticator.decide(
            &request,
            Moment { keys: &keys, revocations: &keys, connection, store: &store, arrival: NOW, now: NOW },
        )
    };
    let unknown = format!("Bearer {head}.{claims}.AAAA");
    assert_eq!(
        decide(&unknown),
        Decision::Wait(Wait { provider: ProviderId(0), rule: Some(RuleId(0)), until: NOW, question: None })
    );
    assert_eq!((keys.0.get(), store.0.borrow().len()), (1, 1), "a request that waits has not failed");
    let reason = |decision| if let Decision::Deny(denial) = decision { Some(denial.reason) } else { None };
    assert_eq!(reason(decide("Basic a")), Some(Reason::TokenMissing));
    assert_eq!(reason(decide("Bearer a")), Some(Reason::TokenMalformed));
    assert_eq!(reason(decide(&unknown)), Some(Reason::TooManyFailures));
    assert_eq!(keys.0.get(), 1);
}

#[test]
fn nothing_is_printed_of_the_secret() {
    let counters = by_address(0x7365_6372_6574);
    let printed = format!("{counters:?}");
    assert!(!printed.contains("seed") && !printed.contains(&0x7365_6372_6574_u64.to_string()), "{printed}");
}
