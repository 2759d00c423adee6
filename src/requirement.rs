//! Holds a request against a requirement: `jwt_authn`'s language, and authorization.

use std::rc::Rc;

use crate::authorization;
use crate::bearer::{Bearers, Presented};
use crate::config::{
    Exemption, HeaderPrefix, Permission, Provider, ProviderId, ProviderRequirement, Requirement, TokenLocation,
};
use crate::csrf;
use crate::decision::{Denial, Wait};
use crate::principal::Principal;
use crate::reason::Reason;
use crate::revocation;
use crate::sender::{self, Shown};
use crate::verifier::Stop;

/// A token that passed, and where it stands.
pub(crate) struct Admitted<'r> {
    pub(crate) principal: Rc<Principal>,
    pub(crate) location: &'r TokenLocation,
    /// Whether it counts by the request's proof of possession.
    pub(crate) by_proof: bool,
    /// Whether it is certain that the token has not been revoked.
    pub(crate) is_certain: bool,
}

/// The tokens that passed; none where none was needed.
type Outcome<'r> = Result<Vec<Admitted<'r>>, Stop>;

impl<'p, 's, 'r> Bearers<'p, 's, 'r> {
    /// Whether the request brings what is asked for.
    pub(crate) fn meet(&self, requirement: &Requirement) -> Outcome<'r> {
        match requirement {
            Requirement::Provider(leaf) => self.meet_provider(leaf),
            Requirement::AnyProvider(ids) => self.meet_any_provider(ids),
            Requirement::Any(parts, exemption) => self.meet_any(parts, *exemption),
            Requirement::All(parts) => self.meet_all(parts),
            Requirement::AllowMissing(ids) => self.allow_missing(ids),
            Requirement::AllowMissingOrFailed(ids) => self.allow_missing_or_failed(ids),
        }
    }

    /// Every token that stands where the provider looks has to be good for it, and there has to be one: the upstream
    /// might take a bad one beside it for the one that was verified.
    fn meet_provider(&self, leaf: &ProviderRequirement) -> Outcome<'r> {
        let id = leaf.provider;
        let refuse = |reason| Stop::Deny(Denial::new(reason, Some(id)));
        let Some(provider) = self.authenticator.config().provider(id) else { return Err(refuse(Reason::Internal)) };
        let mut progress = Progress::default();
        for place in self.authenticator.places_of(id) {
            if self.is_taken(*place, &progress) {
                continue;
            }
            let several = |denial| Stop::Deny(Denial { provider: Some(id), ..denial });
            let Some(presented) = self.token_at(*place).map_err(several)? else { continue };
            progress.note(*place, self.admit(presented, provider, leaf))?;
        }
        progress.conclude(Some(id))
    }

    /// Whether no token can stand at this place, under the scheme `DPoP`, because the one header of its name holds a token
    /// of another scheme: that has passed, so there is no comma in it, behind which another scheme could stand.
    fn is_taken(&self, place: usize, progress: &Progress<'r>) -> bool {
        let header = |location: &'r TokenLocation| match location {
            TokenLocation::Header { name, prefix: HeaderPrefix::Scheme(_) } => Some(name.as_str()),
            _ => None,
        };
        let location = self.places.get(place).map(|place| place.location);
        location.filter(|location| location.is_dpop()).and_then(header).is_some_and(|name| {
            progress.admitted.iter().any(|token| !token.location.is_dpop() && header(token.location) == Some(name))
                && self.request.header_values(name).nth(1).is_none()
        })
    }

    fn admit(
        &self,
        presented: Presented<'p, 's, 'r>,
        provider: &Provider,
        leaf: &ProviderRequirement,
    ) -> Result<Admitted<'r>, Stop> {
        let id = leaf.provider;
        let refuse = |denial| Err(Stop::Deny(denial));
        if let (TokenLocation::Cookie(_), Some(guard)) = (presented.place.location, &provider.csrf) {
            csrf::check(id, guard, self.request).map_err(Stop::Deny)?;
        }
        let accepting = self.accepting(presented, Some(id))?;
        if !accepting.contains(&id) {
            return refuse(Denial::new(Reason::IssuerNotAccepted, Some(id)));
        }
        let principal = self.principal(presented, id, provider)?;
        self.admit_bearer(presented, Rc::clone(&principal), provider, leaf).map_err(|stop| match stop {
            Stop::Deny(denial) => Stop::Deny(Denial { identity: principal.identity.clone(), ..denial }),
            wait @ Stop::Wait(_) => wait,
        })
    }

    /// Whether the token, which is good, counts for what is asked for.
    fn admit_bearer(
        &self,
        presented: Presented<'p, 's, 'r>,
        principal: Rc<Principal>,
        provider: &Provider,
        leaf: &ProviderRequirement,
    ) -> Result<Admitted<'r>, Stop> {
        let id = leaf.provider;
        let refuse = |denial| Err(Stop::Deny(denial));
        if !principal.facts.is_for(leaf.audiences.as_deref()) {
            return refuse(Denial::new(Reason::AudienceNotAccepted, Some(id)));
        }
        self.remember(presented, &principal);
        let shown = Shown {
            front: self.front(),
            by_dpop: presented.place.location.is_dpop(),
            proves: &|thumbprint| self.prove(presented, thumbprint),
        };
        let by_proof = sender::check(provider, principal.confirmation.as_ref(), shown)
            .map_err(|denial| Stop::Deny(Denial { provider: Some(id), ..denial }))?;
        let is_certain = revocation::check(id, provider, principal.marks.as_deref(), self.moment)?;
        match authorization::check(&leaf.permission, &principal.facts) {
            Ok(()) => Ok(Admitted { principal, location: presented.place.location, by_proof, is_certain }),
            Err(lacking) => refuse(Denial::insufficient(id, &leaf.permission, &lacking)),
        }
    }

    /// Every token that stands where one of the providers looks has to be good for one of them, and there has to be one.
    fn meet_any_provider(&self, ids: &[ProviderId]) -> Outcome<'r> {
        let mut progress = Progress::default();
        for presented in self.tokens_for(ids) {
            let presented = presented.map_err(|denial| Stop::Deny(Denial { provider: only(ids), ..denial }))?;
            progress.note(presented.position, self.admit_for_any(presented, ids))?;
        }
        progress.conclude(only(ids))
    }

    /// Tries the providers that look at this place and accept the token's issuer; the first that accepts the token wins,
    /// and otherwise the last word stands.
    fn admit_for_any(&self, presented: Presented<'p, 's, 'r>, ids: &[ProviderId]) -> Result<Admitted<'r>, Stop> {
        let refuse = |reason| Stop::Deny(Denial::new(reason, only(ids)));
        let accepting = self.accepting(presented, only(ids))?;
        let mut outcome = Err(refuse(Reason::IssuerNotAccepted));
        for id in accepting.iter().filter(|id| ids.contains(id)) {
            let Some(provider) = self.authenticator.config().provider(*id) else { continue };
            if !provider.locations.contains(presented.place.location) {
                continue;
            }
            let leaf = ProviderRequirement { provider: *id, audiences: None, permission: Permission::default() };
            match self.admit(presented, provider, &leaf) {
                Ok(admitted) => return Ok(admitted),
                // A set of keys that is still to come may accept the token.
                Err(_) if matches!(outcome, Err(Stop::Wait(_))) => {}
                Err(stop) => outcome = Err(stop),
            }
        }
        outcome
    }

    /// The tokens at all places where one of these providers looks.
    fn tokens_for(&self, ids: &[ProviderId]) -> impl Iterator<Item = Result<Presented<'p, 's, 'r>, Denial>> {
        let looked_at = |place: &usize| ids.iter().any(|id| self.authenticator.places_of(*id).contains(place));
        (0..self.places.len()).filter(looked_at).filter_map(|place| self.token_at(place).transpose())
    }

    /// The first part that is met decides; otherwise the most telling refusal, unless keys that are still to come may
    /// change it. What passes by exemption passes without any claims.
    fn meet_any(&self, parts: &[Requirement], exemption: Exemption) -> Outcome<'r> {
        let mut waits = None;
        let mut refusal: Option<Denial> = None;
        for part in parts {
            match self.meet(part) {
                Ok(admitted) => return Ok(admitted),
                Err(Stop::Wait(wait)) => waits = Some(sooner(waits, wait)),
                Err(Stop::Deny(denial)) => refusal = Some(more_telling(refusal, denial)),
            }
        }
        match (waits, refusal) {
            (Some(wait), _) => Err(Stop::Wait(wait)),
            (None, Some(denial)) if exempt(exemption, &denial) => {
                self.overlook(&denial);
                Ok(Vec::new())
            }
            (None, refusal) => Err(Stop::Deny(refusal.unwrap_or(Denial::new(Reason::Internal, None)))),
        }
    }

    /// The first refusal decides, even while another part waits.
    fn meet_all(&self, parts: &[Requirement]) -> Outcome<'r> {
        let mut all = Vec::new();
        let mut waits = None;
        for part in parts {
            match self.meet(part) {
                Ok(admitted) => all.extend(admitted),
                Err(Stop::Wait(wait)) => waits = Some(sooner(waits, wait)),
                Err(Stop::Deny(denial)) => return Err(Stop::Deny(denial)),
            }
        }
        waits.map_or(Ok(all), |wait| Err(Stop::Wait(wait)))
    }

    fn allow_missing(&self, ids: &[ProviderId]) -> Outcome<'r> {
        match self.meet_any_provider(ids) {
            Err(Stop::Deny(denial)) if denial.reason == Reason::TokenMissing => Ok(Vec::new()),
            outcome => outcome,
        }
    }

    fn allow_missing_or_failed(&self, ids: &[ProviderId]) -> Outcome<'r> {
        let mut progress = Progress::default();
        for presented in self.tokens_for(ids).flatten() {
            match self.admit_for_any(presented, ids) {
                Err(Stop::Deny(denial)) if may_be_overlooked(&denial) => self.overlook(&denial),
                outcome => progress.note(presented.position, outcome)?,
            }
        }
        progress.waits.map_or(Ok(progress.admitted), |wait| Err(Stop::Wait(wait)))
    }
}

/// The tokens of one provider so far.
#[derive(Default)]
struct Progress<'r> {
    admitted: Vec<Admitted<'r>>,
    waits: Option<Wait>,
}

impl<'r> Progress<'r> {
    /// The token at this place is refused, passes or waits. A refused one ends it, even while another one waits.
    fn note(&mut self, place: usize, outcome: Result<Admitted<'r>, Stop>) -> Result<(), Stop> {
        match outcome {
            Ok(token) => self.admitted.push(token),
            Err(Stop::Wait(wait)) => self.waits = Some(sooner(self.waits, wait)),
            Err(Stop::Deny(denial)) => return Err(Stop::Deny(denial.at(place))),
        }
        Ok(())
    }

    fn conclude(self, provider: Option<ProviderId>) -> Outcome<'r> {
        match self.waits {
            Some(wait) => Err(Stop::Wait(wait)),
            None if self.admitted.is_empty() => Err(Stop::Deny(Denial::new(Reason::TokenMissing, provider))),
            None => Ok(self.admitted),
        }
    }
}

/// The first wait, with the time at which one of both is over.
fn sooner(earlier: Option<Wait>, wait: Wait) -> Wait {
    earlier.map_or(wait, |earlier| Wait { until: earlier.until.min(wait.until), ..earlier })
}

/// As in `jwt_authn`, a missing token or a foreign issuer never hides what else was wrong; else the last word stands.
fn more_telling(earlier: Option<Denial>, denial: Denial) -> Denial {
    let weight = |denial: &Denial| match denial.reason {
        Reason::TokenMissing => 0,
        Reason::IssuerNotAccepted => 1,
        Reason::InsufficientScope => 3,
        Reason::TooManyFailures => 4,
        _ => 2,
    };
    match earlier {
        Some(earlier) if weight(&earlier) > weight(&denial) => earlier,
        _ => denial,
    }
}

/// Whether a request passes of which this is the most telling refusal. It passes as one without any token.
fn exempt(exemption: Exemption, denial: &Denial) -> bool {
    match exemption {
        Exemption::None => false,
        Exemption::Missing => denial.reason == Reason::TokenMissing,
        Exemption::MissingOrFailed => may_be_overlooked(denial),
    }
}

/// A token that was not even looked at has not failed: its request does not pass as one without a token.
fn may_be_overlooked(denial: &Denial) -> bool {
    denial.reason != Reason::TooManyFailures
}

/// The one provider there is to choose from, if there is one.
fn only(ids: &[ProviderId]) -> Option<ProviderId> {
    match ids {
        [id] => Some(*id),
        _ => None,
    }
}

#[cfg(test)]
#[path = "requirement_tests.rs"]
mod tests;
