//! A request of which something is asked is judged by what it brings.

use std::cell::OnceCell;

use super::Authenticator;
use crate::bearer::{Attempt, Bearers, ExaminedProof};
use crate::config::{Provider, Requirement};
use crate::decision::{Decision, Denial};
use crate::dpop::Unusable;
use crate::failed_attempts::FailedAttempts;
use crate::front::Scheme;
use crate::presented::{Found, Place};
use crate::reason::Reason;
use crate::request::Request;
use crate::requirement::Admitted;
use crate::time::Timestamp;
use crate::verifier::{Moment, Stop};

const EXPOSED: &str = "the token came over plain HTTP, where others could read it: revoke it";

impl Authenticator {
    /// Decides by what the tokens of the request come to; failures count among `counters`.
    pub(super) fn judge<'r>(
        &'r self,
        requirement: &Requirement,
        counters: Option<&'r FailedAttempts>,
        request: &Request<'r>,
        moment: Moment<'_>,
    ) -> Decision {
        let places: Vec<Place<'r>> = self.sanitizer.locations().map(Place::new).collect();
        let parsed: Vec<_> = places.iter().map(|_| OnceCell::new()).collect();
        let (attempt, proof) = (Attempt::new(counters), OnceCell::new());
        let bearers = Bearers {
            authenticator: self,
            request,
            moment,
            places: &places,
            parsed: &parsed,
            attempt: &attempt,
            proof: &proof,
        };
        if self.config.require_tls
            && let Some(place) = self.exposed_place(requirement, &bearers)
        {
            return Decision::Deny(Denial::new(Reason::TlsRequired, None).because(EXPOSED).at(place));
        }
        let refuse = |denial: Denial| {
            self.count_failure(attempt.counters_of(denial.reason), &bearers);
            Decision::Deny(self.challenging(denial, &places, request, moment.now))
        };
        match bearers.meet(requirement) {
            Ok(admitted) => match self.use_up(&admitted, &proof, moment) {
                Ok(()) => {
                    let has_failed = admitted.is_empty() && attempt.has_failed.get();
                    self.count_failure(counters.filter(|_| has_failed), &bearers);
                    Decision::Allow(self.admission(request, &admitted))
                }
                Err(denial) => refuse(denial),
            },
            Err(Stop::Deny(denial)) => refuse(denial),
            Err(Stop::Wait(wait)) => Decision::Wait(wait),
        }
    }

    /// Where the request brings a token that is asked for, if others could read it on its way.
    fn exposed_place(&self, requirement: &Requirement, bearers: &Bearers<'_, '_, '_>) -> Option<usize> {
        let is_there = |place: &usize| {
            let place = bearers.places.get(*place);
            place.is_some_and(|place| !matches!(place.look(bearers.request), Found::Nothing))
        };
        let places = requirement.providers().into_iter().flat_map(|id| self.places_of(id));
        places.copied().find(is_there).filter(|_| bearers.front().scheme() == Scheme::Http)
    }

    fn count_failure(&self, counters: Option<&FailedAttempts>, bearers: &Bearers<'_, '_, '_>) {
        if let Some(counters) = counters {
            counters.count(bearers.front(), bearers.moment.store, bearers.moment.now);
            self.note(|tally| &mut tally.failed_attempts);
        }
    }

    /// Uses up the request's proof, if a token counts by it: nothing but this stands between the request and the upstream.
    #[inline(never)]
    fn use_up(&self, admitted: &[Admitted<'_>], proof: &ExaminedProof, moment: Moment<'_>) -> Result<(), Denial> {
        let Some(token) = admitted.iter().find(|token| token.by_proof) else { return Ok(()) };
        let refuse = |reason| Denial::new(reason, Some(token.principal.provider));
        let Some(Ok(proof)) = proof.get() else { return Err(refuse(Reason::Internal)) };
        self.replays.use_up(&proof.digest, proof.until, moment.store, moment.now).map_err(|unusable| match unusable {
            Unusable::Replayed => refuse(Reason::DpopProofReplayed),
            Unusable::Full => refuse(Reason::DpopMemoryFull),
            Unusable::Contended => refuse(Reason::DpopMemoryFull).because("other workers were faster each time"),
        })
    }

    /// The refusal with what a client that uses DPoP has to know.
    #[inline(never)]
    fn challenging<'r>(&self, denial: Denial, places: &[Place<'r>], request: &Request<'r>, now: Timestamp) -> Denial {
        let takes_it = denial.provider.and_then(|id| self.config.provider(id)).is_none_or(Provider::takes_dpop);
        let is_dpop = |place: &Place<'r>| place.location.is_dpop() && !place.look(request).is_nothing();
        let by_dpop = takes_it && places.iter().any(is_dpop);
        let nonce = self.nonces.as_ref().filter(|_| by_dpop).map(|nonces| nonces.issue(now).into());
        Denial { by_dpop, nonce, ..denial }
    }
}
