//! What a provider demands of the claims of a verified token (RFC 7519 section 4.1).

use std::time::Duration;

use crate::config::Provider;
use crate::jwt::{Audience, Claims, VerifiedToken};
use crate::reason::Reason;
use crate::time::Timestamp;

/// A demand that the claims do not meet: the reason, and what the proxy's log may say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The reason.
    pub reason: Reason,
    /// The figures behind it: times and bounds, nothing that came from the client but numbers.
    pub detail: String,
}

impl From<Reason> for Unmet {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: String::new() }
    }
}

/// Checks what `provider` demands of the claims at the time `now`, but for the audience, which depends on the rule too, and
/// for the sender, which depends on the request.
///
/// # Errors
///
/// The first demand that is not met, in the order issuer, times, subject.
pub fn check(provider: &Provider, token: &VerifiedToken<'_>, now: Timestamp) -> Result<(), Unmet> {
    let claims = token.claims();
    check_issuer(provider, claims.issuer.as_deref())?;
    check_expiration(provider, claims.expiration, now)?;
    check_not_in_future(provider, Reason::TokenNotYetValid, "nbf", claims.not_before, now)?;
    check_not_in_future(provider, Reason::IssuedInFuture, "iat", claims.issued_at, now)?;
    check_subject(provider, claims)
}

/// The same, with everything that [`check`] would come to: the claim, and whether it does what is demanded of it. For those
/// who ask why, also about claims that no signature vouches for.
#[cfg(not(target_arch = "wasm32"))]
pub fn each(provider: &Provider, claims: &Claims<'_>, now: Timestamp) -> [(&'static str, Result<(), Unmet>); 5] {
    [
        ("iss", check_issuer(provider, claims.issuer.as_deref())),
        ("exp", check_expiration(provider, claims.expiration, now)),
        ("nbf", check_not_in_future(provider, Reason::TokenNotYetValid, "nbf", claims.not_before, now)),
        ("iat", check_not_in_future(provider, Reason::IssuedInFuture, "iat", claims.issued_at, now)),
        ("sub", check_subject(provider, claims)),
    ]
}

/// Whether the provider accepts this `iss`.
#[must_use]
pub fn accepts_issuer(provider: &Provider, issuer: Option<&str>) -> bool {
    provider.issuer.accepts(issuer)
}

/// Whether one of the `accepted` audiences is exactly one of the token's (RFC 7519 section 4.1.3): no folding of schemes or
/// slashes. `None` accepts any audience, or none.
#[must_use]
pub fn accepts_audience(accepted: Option<&[String]>, audience: Option<&Audience<'_>>) -> bool {
    let Some(accepted) = accepted else { return true };
    audience.is_some_and(|audience| accepted.iter().any(|name| audience.contains(name)))
}

/// When a token counts, once everything else about it has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Not before this.
    pub from: Timestamp,
    /// Not at this any more; `None` for a token without `exp`.
    pub until: Option<Timestamp>,
}

impl Validity {
    /// When a token with these claims passes [`check`]'s demands on times.
    #[must_use]
    pub fn of(provider: &Provider, claims: &Claims<'_>) -> Self {
        let skew = |time: Option<Timestamp>| time.map(|time| time.saturating_sub(provider.clock_skew));
        let lifetime = claims.expiration.zip(provider.max_lifetime).map(|(time, bound)| time.saturating_sub(bound));
        let from = skew(claims.not_before).max(skew(claims.issued_at)).max(lifetime).unwrap_or(Timestamp::EPOCH);
        Self { from, until: claims.expiration.map(|time| time.saturating_add(provider.clock_skew)) }
    }

    /// Whether the token counts now.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

fn check_issuer(provider: &Provider, issuer: Option<&str>) -> Result<(), Unmet> {
    if accepts_issuer(provider, issuer) { Ok(()) } else { Err(Reason::IssuerNotAccepted.into()) }
}

fn check_expiration(provider: &Provider, expiration: Option<Timestamp>, now: Timestamp) -> Result<(), Unmet> {
    let Some(expiration) = expiration else {
        let required = provider.require_expiration || provider.max_lifetime.is_some();
        return if required { Err(Reason::ExpirationMissing.into()) } else { Ok(()) };
    };
    if now >= expiration.saturating_add(provider.clock_skew) {
        return Err(unmet(Reason::TokenExpired, "exp", expiration, now, provider.clock_skew));
    }
    match provider.max_lifetime {
        Some(bound) if expiration.saturating_since(now) > bound => {
            Err(unmet(Reason::LifetimeTooLong, "exp", expiration, now, bound))
        }
        _ => Ok(()),
    }
}

fn check_not_in_future(
    provider: &Provider,
    reason: Reason,
    claim: &str,
    time: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Unmet> {
    match time {
        Some(time) if time > now.saturating_add(provider.clock_skew) => {
            Err(unmet(reason, claim, time, now, provider.clock_skew))
        }
        _ => Ok(()),
    }
}

/// A token without `sub` is nobody's, so no condition on it is fulfilled.
fn check_subject(provider: &Provider, claims: &Claims<'_>) -> Result<(), Unmet> {
    let Some(accepted) = &provider.subjects else { return Ok(()) };
    let fulfilled = claims.subject.as_ref().is_some_and(|subject| accepted.matches(subject.as_bytes()));
    if fulfilled { Ok(()) } else { Err(Reason::SubjectNotAccepted.into()) }
}

fn unmet(reason: Reason, claim: &str, time: Timestamp, now: Timestamp, bound: Duration) -> Unmet {
    let detail = format!("{claim}={} now={} allowance={}s", time.as_secs(), now.as_secs(), bound.as_secs());
    Unmet { reason, detail }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
