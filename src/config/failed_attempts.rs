//! How often a client may fail.

use std::time::Duration;

use super::{
    duration::{Bounds, duration},
    names,
    raw::{RawCountedBy, RawFailedAttempts},
    report::{Checked, Place, quoted},
    settings,
};
use crate::reason::Reason;

const WINDOW: Duration = Duration::from_secs(60);
const WINDOWS: Bounds =
    Bounds { range: Duration::from_secs(1)..=Duration::from_secs(86_400), text: r#""1s" to "24h""# };

/// What is counted unless the configuration says otherwise: what nobody with a token of the issuer's sends.
const COUNTED: &[Reason] = &[Reason::AlgorithmNotAllowed, Reason::KeyUnsuitable, Reason::SignatureInvalid];

/// How often a source may fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempts {
    /// So many failures are let pass.
    pub limit: u32,
    /// Within this time.
    pub window: Duration,
    /// What is a source.
    pub by: CountedBy,
    /// Which refusals are failures.
    pub counted: Vec<Reason>,
}

/// What tells clients apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountedBy {
    /// Their addresses.
    SourceAddress,
    /// What a trusted proxy says in this header (lower case).
    Header(String),
}

/// Validates how often a source may fail. `has_proxies`: whether anybody may speak for the client.
pub(super) fn failed_attempts(raw: RawFailedAttempts, has_proxies: bool, at: &Place<'_>) -> Checked<FailedAttempts> {
    let limit = at.field("limit");
    let limit = limit
        .required(raw.limit, "how many failures are let pass")
        .and_then(|number| settings::limit(Some(number), 0, 1..=1_000_000, &limit));
    let window = duration(raw.window, WINDOW, &WINDOWS, &at.field("window"));
    let by = raw.by.map_or(Ok(CountedBy::SourceAddress), |by| counted_by(by, has_proxies, &at.field("by")));
    let counted = raw.count.map_or_else(|| Ok(COUNTED.to_vec()), |codes| counted(codes, &at.field("count")));
    Ok(FailedAttempts { limit: u32::try_from(limit?).unwrap_or(u32::MAX), window: window?, by: by?, counted: counted? })
}

fn counted_by(raw: RawCountedBy, has_proxies: bool, at: &Place<'_>) -> Checked<CountedBy> {
    let raw = match raw {
        RawCountedBy::Word(word) if word == "source_address" => return Ok(CountedBy::SourceAddress),
        RawCountedBy::Word(word) => {
            return at.mistake(format!("has to be `source_address` or {{\"header\": ...}}, not {}", quoted(&word)));
        }
        RawCountedBy::Header(raw) => raw,
    };
    let at = at.field("header");
    if !has_proxies {
        return at.mistake("needs trusted_proxies: clients would choose their names themselves");
    }
    let name = at.required(raw.header, "the name of the header")?;
    names::source_header(&name, &at).map(CountedBy::Header)
}

fn counted(codes: Vec<String>, at: &Place<'_>) -> Checked<Vec<Reason>> {
    if codes.is_empty() {
        return at.mistake("is empty: leave failed_attempts out to count nothing");
    }
    let mut counted = Vec::new();
    for (index, code) in names::distinct(codes, at)?.iter().enumerate() {
        let Some(reason) = Reason::ALL.iter().find(|reason| reason.is_of_token() && reason.code() == code) else {
            let sentence = format!("{} is not a reason for which a token is refused", quoted(code));
            return at.index(index).mistake(sentence);
        };
        counted.push(*reason);
    }
    Ok(counted)
}
