//! The audit: mistakes, and what is read.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{check, least, least_with, load};
use crate::config::{Audit, AuditedSubject};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn read(audit: Value) -> Audit {
    load(&least_with("/audit", audit)).unwrap().config.audit.unwrap()
}

#[test]
fn nothing_is_recorded_and_nothing_told_of_subjects_unless_that_is_wanted() {
    assert_eq!(load(&least()).unwrap().config.audit, None);
    let least = Audit { all: false, one_in: 1, subject: AuditedSubject::None };
    assert_eq!(read(json!({"decisions": "denied"})), least);
    assert_eq!(read(json!({"decisions": "all", "subject": "none"})), Audit { all: true, ..least });
}

#[test]
fn samples_and_subjects_are_read() {
    let sampled = read(json!({"decisions": "all", "oneIn": 10, "subject": "plain"}));
    assert_eq!(sampled, Audit { all: true, one_in: 10, subject: AuditedSubject::Plain });
    let encoded = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for key in [json!({"inline_string": KEY}), json!({"inline_bytes": encoded})] {
        let subject = AuditedSubject::Digest(Zeroizing::new(KEY.as_bytes().to_vec()));
        assert_eq!(format!("{subject:?}"), "Digest(..)");
        let digested = read(json!({"decisions": "all", "subject": "digest", "digest_key": key}));
        assert_eq!(digested.subject, subject);
    }
    let from_environment = json!({"environment_variable": "JWKS"});
    read(json!({"decisions": "all", "subject": "digest", "digest_key": from_environment}));
}

#[test]
fn mistakes_about_the_audit() {
    let digest = |key: Value| json!({"decisions": "all", "subject": "digest", "digest_key": key});
    let long = "x".repeat(1025);
    for (value, expected) in [
        (json!({}), "audit.decisions: is required: `denied` or `all`"),
        (json!({"decisions": "allowed"}), "audit.decisions: has to be `denied` or `all`, not `allowed`"),
        (json!({"decisions": "all", "one_in": 0}), "audit.one_in: has to be from 1 to 1000000"),
        (
            json!({"decisions": "all", "subject": "hash"}),
            "audit.subject: has to be `none`, `digest` or `plain`, not `hash`",
        ),
        (
            json!({"decisions": "all", "subject": "digest"}),
            "audit.digest_key: is required by `subject: digest`: a secret of at least 32 bytes",
        ),
        (
            json!({"decisions": "all", "digest_key": {"inline_string": KEY}}),
            "audit.digest_key: has no effect without `subject: digest`",
        ),
        (
            json!({"decisions": "all", "subject": "plain", "digest_key": {"inline_string": KEY}}),
            "audit.digest_key: has no effect without `subject: digest`",
        ),
        (
            digest(json!({})),
            "audit.digest_key: needs exactly one of inline_string, inline_bytes and environment_variable",
        ),
        (
            digest(json!({"inline_string": "x".repeat(31)})),
            "audit.digest_key.inline_string: has to be 32 to 1024 bytes long",
        ),
        (digest(json!({"inline_string": long})), "audit.digest_key.inline_string: has to be 32 to 1024 bytes long"),
        (digest(json!({"inline_bytes": "*"})), "audit.digest_key.inline_bytes: has to be base64"),
        (
            digest(json!({"environment_variable": "EMPTY"})),
            "audit.digest_key.environment_variable: `EMPTY` is not set, or is empty, in the VM's environment \
             (vm_config.environment_variables)",
        ),
    ] {
        check(&[("/audit", value, expected)]);
    }
}
