//! Why the filters differ: a comment of the migration, or what docs/from-jwt_authn.md says of all configurations.

use jwt_warden::reason::Reason;

use super::super::note::{Kind, Note};
use super::comparison::Difference;
use super::sample::Sample;

/// Reasons that `jwt_authn` knows nothing of, and the rows of "What differs in requests" that have them.
pub(super) const EVERYWHERE: &[(Reason, &str)] = &[
    (Reason::PathAmbiguous, "path_ambiguous"),
    (Reason::TypeNotAccepted, "type"),
    (Reason::HeaderUnsupported, "critical"),
    (Reason::SenderConstraint, "sender"),
    (Reason::IssuedInFuture, "issued_in_future"),
    (Reason::TokenMalformed, "one_form"),
    (Reason::HeaderMalformed, "one_form"),
    (Reason::ClaimsMalformed, "one_form"),
    (Reason::TokenDuplicated, "twice_in_one_place"),
    (Reason::ClaimUnsafe, "unsafe_claim"),
];

/// Reasons that a comment of the migration announces, and what its path ends with.
const ANNOUNCED: &[(Reason, &str)] = &[
    (Reason::AudienceNotAccepted, "audiences"),
    (Reason::CsrfRefused, "from_cookies"),
    (Reason::LifetimeTooLong, "max_lifetime"),
    (Reason::NoMatchingRule, "unmatched"),
];

/// What explains the difference; `None` if nothing does.
pub(super) fn of(difference: &Difference, sample: &Sample, notes: &[Note]) -> Option<String> {
    let flaw = || sample.flaw.and_then(|reason| of_reason(reason.code(), notes));
    let by_issuer = || sample.goes_by_issuer.then(|| rows("`by_issuer`"));
    match difference {
        Difference::Stricter(code) => of_reason(code, notes).or_else(flaw).or_else(by_issuer),
        Difference::Told(_) => {
            flaw().or_else(|| sample.is_compound.then(|| rows("`told_at_once`, `cleared` and `one_value`")))
        }
        Difference::Looser(details) => {
            let is_seen_once = sample.is_compound && details.contains("Jwt_is_missing");
            is_seen_once.then(|| rows("`seen_once`")).or_else(by_issuer)
        }
        Difference::Failed(_) | Difference::Neither(_) => None,
    }
}

fn of_reason(code: &str, notes: &[Note]) -> Option<String> {
    let named =
        |table: &[(Reason, &'static str)]| table.iter().find(|(reason, _)| reason.code() == code).map(|row| row.1);
    if code == Reason::TokenTooLarge.code() {
        return Some("`limits.max_token_bytes` in docs/configuration.md".to_owned());
    }
    if let Some(row) = named(EVERYWHERE) {
        return Some(rows(&format!("`{row}`")));
    }
    let end = named(ANNOUNCED)?;
    let announces = |note: &&Note| matches!(note.kind, Kind::Stricter | Kind::Lost) && note.path.ends_with(end);
    notes.iter().find(announces).map(|note| note.sentence.clone())
}

fn rows(names: &str) -> String {
    format!("{names} in docs/from-jwt_authn.md")
}
