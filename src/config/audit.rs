//! Which decisions are put on record, and what is told of whom they were made about.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    jwks_source::{Context, given_bytes},
    raw::{RawAudit, RawBytes},
    report::{Checked, Place, quoted},
    settings::limit,
};

/// RFC 2104 section 3: a key shorter than the hash is weaker than it.
const MIN_KEY: usize = 32;
const MAX_KEY: usize = 1024;

/// Which decisions are put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Whether those that let requests pass are, too.
    pub all: bool,
    /// One of so many, at random.
    pub one_in: u32,
    /// What is told of a token's subject.
    pub subject: AuditedSubject,
}

/// What is told of a token's subject.
#[derive(Clone, PartialEq, Eq)]
pub enum AuditedSubject {
    /// Nothing.
    None,
    /// A digest, with this key.
    Digest(Zeroizing<Vec<u8>>),
    /// All of it.
    Plain,
}

// The key is never printed.
impl fmt::Debug for AuditedSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Digest(_) => "Digest(..)",
            Self::Plain => "Plain",
        })
    }
}

/// Validates which decisions are put on record.
pub(super) fn audit(raw: RawAudit, context: Context<'_>, at: &Place<'_>) -> Checked<Audit> {
    let place = at.field("decisions");
    let all = place.required(raw.decisions, "`denied` or `all`").and_then(|word| match word.as_str() {
        "denied" => Ok(false),
        "all" => Ok(true),
        other => place.mistake(format!("has to be `denied` or `all`, not {}", quoted(other))),
    });
    let one_in = limit(raw.one_in, 1, 1..=1_000_000, &at.field("one_in"));
    let subject = subject(raw.subject.as_deref(), raw.digest_key, context, at);
    Ok(Audit { all: all?, one_in: u32::try_from(one_in?).unwrap_or(u32::MAX), subject: subject? })
}

fn subject(word: Option<&str>, key: Option<RawBytes>, context: Context<'_>, at: &Place<'_>) -> Checked<AuditedSubject> {
    let place = at.field("digest_key");
    match (word.unwrap_or("none"), key) {
        ("none", None) => Ok(AuditedSubject::None),
        ("plain", None) => Ok(AuditedSubject::Plain),
        ("digest", Some(raw)) => digest_key(raw, context, &place).map(AuditedSubject::Digest),
        ("digest", None) => place.mistake("is required by `subject: digest`: a secret of at least 32 bytes"),
        ("none" | "plain", Some(_)) => place.mistake("has no effect without `subject: digest`"),
        (other, _) => {
            at.field("subject").mistake(format!("has to be `none`, `digest` or `plain`, not {}", quoted(other)))
        }
    }
}

fn digest_key(raw: RawBytes, context: Context<'_>, at: &Place<'_>) -> Checked<Zeroizing<Vec<u8>>> {
    let (field, key) = given_bytes(raw, context, at)?;
    let key = Zeroizing::new(key);
    if !(MIN_KEY..=MAX_KEY).contains(&key.len()) {
        return at.field(field).mistake(format!("has to be {MIN_KEY} to {MAX_KEY} bytes long"));
    }
    Ok(key)
}
