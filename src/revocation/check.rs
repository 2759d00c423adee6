//! A token against what has been revoked.

use super::marks::Marks;
use super::provider::Standing;
use crate::config::{Provider, ProviderId};
use crate::decision::{Denial, Wait};
use crate::reason::Reason;
use crate::verifier::{Moment, Stop};

/// Whether a token passes, and whether that is for certain: `false` if nobody could tell, and the operator lets it pass
/// then.
///
/// # Errors
///
/// It has been revoked, cannot be, or nobody can tell (yet).
pub(crate) fn check(
    id: ProviderId,
    provider: &Provider,
    marks: Option<&Marks>,
    moment: Moment<'_>,
) -> Result<bool, Stop> {
    let (Some(settings), Some(marks)) = (&provider.revocation, marks) else { return Ok(true) };
    let refuse = |reason, detail| Err(Stop::Deny(Denial::new(reason, Some(id)).because(detail)));
    match moment.revocations.standing(id, marks, moment.arrival, moment.now) {
        Standing::Good => Ok(true),
        Standing::Pending(until) => {
            Err(Stop::Wait(Wait { provider: id, rule: None, until, question: moment.revocations.question(id, marks) }))
        }
        Standing::Unavailable(_) if settings.allow_when_unavailable => Ok(false),
        Standing::Unavailable(detail) => refuse(Reason::RevocationUnavailable, detail),
        Standing::Unmarked(detail) => refuse(Reason::RevocationClaimMissing, detail),
        Standing::Revoked(detail) => refuse(Reason::TokenRevoked, detail),
    }
}
