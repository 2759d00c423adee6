//! Trusted proxies, TLS and failed attempts: mistakes, and what is read.

use std::time::Duration;

use serde_json::{Value, json};

use super::{check, least, least_with, load};
use crate::config::{AddressRange, CountedBy, FailedAttempts, PeerCertificate, TrustedProxies};
use crate::reason::Reason;

#[test]
fn trusted_proxies_are_read() {
    let given = json!({
        "addresses": ["10.0.0.0/8", "::1"],
        "certificates": [{"uriSan": "spiffe://a"}, {"dns_san": "a.example"}],
        "client_certificate": true
    });
    let config = load(&least_with("/trusted_proxies", given)).unwrap().config;
    let expected = TrustedProxies {
        addresses: ["10.0.0.0/8", "::1"].map(|text| AddressRange::parse(text).unwrap()).to_vec(),
        certificates: vec![PeerCertificate::UriSan("spiffe://a".into()), PeerCertificate::DnsSan("a.example".into())],
        client_certificate: true,
    };
    assert_eq!(config.trusted_proxies, Some(expected));
    let config = load(&least_with("/trusted_proxies", json!({"addresses": ["::/0"]}))).unwrap();
    let warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["trusted_proxies.addresses[0]: everybody may say who the client is"]);
    let config = load(&least()).unwrap().config;
    assert_eq!((config.trusted_proxies, config.require_tls, config.failed_attempts), (None, false, None));
}

#[test]
fn mistakes_about_trusted_proxies() {
    let number = "trusted_proxies: has to hold 1 to 64 `addresses` and `certificates`";
    let range = "trusted_proxies.addresses[0]: has to be an address or a range, such as `10.0.0.0/8` or `2001:db8::1`";
    let one = "trusted_proxies.certificates[0]: has to have one of `uri_san` and `dns_san`";
    let whole = "trusted_proxies.certificates[0]: has to be a whole name, which is compared exactly";
    for (value, expected) in [
        (json!({}), number),
        (json!({"client_certificate": true}), number),
        (json!({"addresses": [], "certificates": []}), number),
        (json!({"addresses": vec!["::1"; 65]}), number),
        (json!({"addresses": ["localhost"]}), range),
        (json!({"addresses": ["10.0.0.0/33"]}), range),
        (
            json!({"addresses": ["::1", "10.0.0.1/8"]}),
            "trusted_proxies.addresses[1]: `10.0.0.1/8` has bits behind its prefix",
        ),
        (json!({"certificates": [{}]}), one),
        (json!({"certificates": [{"uri_san": "a", "dns_san": "b"}]}), one),
        (json!({"certificates": [{"uri_san": ""}]}), whole),
        (json!({"certificates": [{"dns_san": "*.example"}]}), whole),
        (json!({"certificates": [{"dns_san": "a b"}]}), whole),
    ] {
        check(&[("/trusted_proxies", value, expected)]);
    }
    check(&[("/require_tls", json!("yes"), "require_tls: is a string, but has to be true or false")]);
}

#[test]
fn failed_attempts_are_read() {
    let read = |value: Value| load(&least_with("/failed_attempts", value)).unwrap().config.failed_attempts.unwrap();
    let default = FailedAttempts {
        limit: 7,
        window: Duration::from_secs(60),
        by: CountedBy::SourceAddress,
        counted: vec![Reason::AlgorithmNotAllowed, Reason::KeyUnsuitable, Reason::SignatureInvalid],
    };
    assert_eq!(read(json!({"limit": 7})), default);
    assert_eq!(read(json!({"limit": 7, "window": "1m", "by": "source_address"})), default);
    let counted = read(json!({"limit": 1, "count": ["key_unknown", "token_malformed"]})).counted;
    assert_eq!(counted, [Reason::KeyUnknown, Reason::TokenMalformed]);
    let counted = read(json!({"limit": 1, "count": ["dpop_proof_invalid", "dpop_proof_replayed"]})).counted;
    assert_eq!(counted, [Reason::DpopProofInvalid, Reason::DpopProofReplayed]);
    let mut config = least_with("/failed_attempts", json!({"limit": 1, "by": {"header": "X-Client"}}));
    config["trusted_proxies"] = json!({"addresses": ["::1"]});
    let by = load(&config).unwrap().config.failed_attempts.unwrap().by;
    assert_eq!(by, CountedBy::Header("x-client".into()));
}

#[test]
fn mistakes_about_failed_attempts() {
    let limit = "failed_attempts.limit: has to be from 1 to 1000000";
    for (value, expected) in [
        (json!({}), "failed_attempts.limit: is required: how many failures are let pass"),
        (json!({"limit": 0}), limit),
        (json!({"limit": 1_000_001}), limit),
        (json!({"limit": 1, "window": "0.9s"}), r#"failed_attempts.window: has to be from "1s" to "24h""#),
        (json!({"limit": 1, "window": "25h"}), r#"failed_attempts.window: has to be from "1s" to "24h""#),
        (
            json!({"limit": 1, "by": "address"}),
            r#"failed_attempts.by: has to be `source_address` or {"header": ...}, not `address`"#,
        ),
        (
            json!({"limit": 1, "by": {"header": "x-client"}}),
            "failed_attempts.by.header: needs trusted_proxies: clients would choose their names themselves",
        ),
        (
            json!({"limit": 1, "count": []}),
            "failed_attempts.count: is empty: leave failed_attempts out to count nothing",
        ),
        (
            json!({"limit": 1, "count": ["token_expired", "token_expired"]}),
            "failed_attempts.count[1]: lists `token_expired` a second time",
        ),
    ] {
        check(&[("/failed_attempts", value, expected)]);
    }
    for code in ["token_missing", "keys_unavailable", "too_many_waiting", "tls_required", "too_many_failures", "x"] {
        let sentence = format!("failed_attempts.count[0]: `{code}` is not a reason for which a token is refused");
        check(&[("/failed_attempts", json!({"limit": 1, "count": [code]}), &sentence)]);
    }
}
