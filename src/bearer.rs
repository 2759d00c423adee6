//! Who the tokens of one request speak for. Each token is recalled, parsed and verified no more often than it takes.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::authenticator::Authenticator;
use crate::config::{Provider, ProviderId};
use crate::decision::Denial;
use crate::dpop::Proof;
use crate::failed_attempts::FailedAttempts;
use crate::front::Front;
use crate::jwt::{DecodedToken, FormError, UnverifiedToken};
use crate::presented::{Found, Place, Token};
use crate::principal::Principal;
use crate::reason::Reason;
use crate::request::Request;
use crate::token_cache::Remembered;
use crate::verifier::{Moment, Stop, accept};

/// A place's token once it has been parsed. (Apart from the place, since it borrows from what is decoded there.)
pub(crate) type Parsed<'s> = OnceCell<Result<UnverifiedToken<'s>, FormError>>;

/// The request's proof of possession once it has been looked at: it may be asked about by many providers.
pub(crate) type ExaminedProof = OnceCell<Result<Proof, Denial>>;

/// The tokens of one request, at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Bearers<'p, 's, 'r> {
    pub(crate) authenticator: &'r Authenticator,
    pub(crate) request: &'s Request<'r>,
    pub(crate) moment: Moment<'p>,
    pub(crate) places: &'s [Place<'r>],
    pub(crate) parsed: &'p [Parsed<'s>],
    pub(crate) proof: &'p ExaminedProof,
    pub(crate) attempt: &'p Attempt<'r>,
}

/// What failed attempts say about the request, asked when the first token is not remembered.
pub(crate) struct Attempt<'f> {
    counters: Option<&'f FailedAttempts>,
    refusal: OnceCell<Option<Denial>>,
    /// Whether a refusal that counts did not hinder the request.
    pub(crate) has_failed: Cell<bool>,
}

impl<'f> Attempt<'f> {
    /// Nothing is known yet; these are the counters to ask.
    pub(crate) const fn new(counters: Option<&'f FailedAttempts>) -> Self {
        Self { counters, refusal: OnceCell::new(), has_failed: Cell::new(false) }
    }

    /// The counters, if refusals for this reason count.
    pub(crate) fn counters_of(&self, reason: Reason) -> Option<&'f FailedAttempts> {
        self.counters.filter(|counters| counters.counts(reason))
    }
}

/// One token of the request.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'p, 's, 'r> {
    pub(crate) place: &'s Place<'r>,
    /// Its position among all places.
    pub(crate) position: usize,
    token: &'s Token<'r>,
    parsed: &'p Parsed<'s>,
}

impl<'p, 's, 'r> Bearers<'p, 's, 'r> {
    /// The token at this place, if there is one.
    ///
    /// # Errors
    ///
    /// There is more than one.
    pub(crate) fn token_at(&self, position: usize) -> Result<Option<Presented<'p, 's, 'r>>, Denial> {
        let (Some(place), Some(parsed)) = (self.places.get(position), self.parsed.get(position)) else {
            return Ok(None);
        };
        match place.look(self.request) {
            Found::Nothing => Ok(None),
            Found::Token(token) => Ok(Some(Presented { place, position, token, parsed })),
            Found::Several => Err(Denial::new(Reason::TokenDuplicated, None).at(position)),
        }
    }

    /// The providers that accept the token's issuer, in the order of their ids.
    ///
    /// # Errors
    ///
    /// The token's form, or too many failures of its source; `id` is the provider that is told then.
    pub(crate) fn accepting(
        &self,
        presented: Presented<'p, 's, 'r>,
        id: Option<ProviderId>,
    ) -> Result<&'s Rc<[ProviderId]>, Stop> {
        let accepting = &presented.token.accepting;
        if let Some(known) = accepting.get() {
            return Ok(known);
        }
        let providers = match self.recall(presented.token) {
            Some(remembered) => Rc::clone(&remembered.accepting),
            None => self.authenticator.accepting(self.parse(presented, id)?.issuer()),
        };
        Ok(accepting.get_or_init(|| providers))
    }

    /// Who the token speaks for by this provider, which accepts its issuer; whom it is meant for is not looked at.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or that keys are still to come.
    pub(crate) fn principal(
        &self,
        presented: Presented<'p, 's, 'r>,
        id: ProviderId,
        provider: &Provider,
    ) -> Result<Rc<Principal>, Stop> {
        if let Some(verdict) = presented.token.verdict(id) {
            return verdict.map_err(Stop::Deny);
        }
        let verdict = match self.ask(presented, id, provider) {
            Ok(principal) => Ok(principal),
            Err(Stop::Deny(denial)) => Err(denial),
            Err(wait) => return Err(wait),
        };
        presented.token.note(id, verdict.clone());
        verdict.map_err(Stop::Deny)
    }

    fn ask(
        &self,
        presented: Presented<'p, 's, 'r>,
        id: ProviderId,
        provider: &Provider,
    ) -> Result<Rc<Principal>, Stop> {
        let Moment { keys, now, .. } = self.moment;
        let recalled = self.recall(presented.token);
        if let Some(known) = recalled.and_then(|known| known.principal(id, now, keys.generation(id, now))) {
            self.authenticator.note(|tally| &mut tally.recalled);
            return Ok(Rc::clone(known));
        }
        let token = self.parse(presented, Some(id))?;
        self.authenticator.note(|tally| &mut tally.verified);
        let interest = self.authenticator.interest(id);
        let principal = accept(id, provider, token, interest, self.authenticator.signatures(), self.moment)?;
        if let Some(Ok(decoded)) = presented.token.decoded.get() {
            decoded.make_header_known(self.authenticator.known_headers());
        }
        Ok(Rc::new(principal))
    }

    /// Whether the request's proof of possession is one for this token, with the key of this thumbprint.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn prove(&self, presented: Presented<'p, 's, 'r>, thumbprint: &str) -> Result<(), Denial> {
        // Of a token that is remembered, the proof alone costs a signature.
        if self.attempt.counters_of(Reason::DpopProofInvalid).is_some()
            && let Some(denial) = self.too_many_failures()
        {
            return Err(denial);
        }
        let examine = || self.authenticator.examiner().examine(self.front(), self.moment.now);
        match self.proof.get_or_init(examine) {
            Ok(proof) => proof.is_for(presented.token.bytes, thumbprint),
            Err(denial) => Err(denial.clone()),
        }
    }

    /// Remembers who the token speaks for.
    pub(crate) fn remember(&self, presented: Presented<'p, 's, 'r>, principal: &Rc<Principal>) {
        let known = presented.token.remembered.get().and_then(Option::as_ref);
        let is_news = known
            .is_none_or(|known| known.principal(principal.provider, self.moment.now, principal.generation).is_none());
        if let (true, Some(accepting)) = (is_news && principal.generation.is_some(), presented.token.accepting.get()) {
            self.authenticator.remember(presented.token.bytes, accepting, Rc::clone(principal));
        }
    }

    fn recall(&self, token: &'s Token<'r>) -> Option<&'s Rc<Remembered>> {
        token.remembered.get_or_init(|| self.authenticator.recall(token.bytes)).as_ref()
    }

    /// Everything about a token that is not remembered begins here.
    fn parse(&self, presented: Presented<'p, 's, 'r>, id: Option<ProviderId>) -> Result<&'p UnverifiedToken<'s>, Stop> {
        self.check_failed_attempts()?;
        let parse = || {
            let Token { bytes, decoded, .. } = presented.token;
            let max_bytes = self.authenticator.config().limits.max_token_bytes;
            let known_headers = self.authenticator.known_headers();
            match decoded.get_or_init(|| DecodedToken::decode_knowing(bytes, max_bytes, known_headers)) {
                Ok(decoded) => decoded.parse(self.authenticator.wanted_claims()),
                Err(error) => Err(error.clone()),
            }
        };
        presented.parsed.get_or_init(parse).as_ref().map_err(|error| Stop::Deny(malformed(error, id)))
    }

    /// A remembered token does not come here: it is good, whoever else has failed at the same address.
    fn check_failed_attempts(&self) -> Result<(), Stop> {
        self.too_many_failures().map_or(Ok(()), |denial| Err(Stop::Deny(denial)))
    }

    fn too_many_failures(&self) -> Option<Denial> {
        let counters = self.attempt.counters?;
        let ask = || counters.refusal(self.front(), self.moment.store, self.moment.now);
        self.attempt.refusal.get_or_init(ask).clone()
    }

    /// What stands in front of the proxy.
    pub(crate) fn front(&self) -> Front<'p> {
        self.authenticator.front(self.request, self.moment.connection)
    }

    /// A refusal does not hinder the request.
    pub(crate) fn overlook(&self, denial: &Denial) {
        if self.attempt.counters_of(denial.reason).is_some() {
            self.attempt.has_failed.set(true);
        }
    }
}

/// The refusal of a token that has no form that could be verified.
pub(crate) fn malformed(error: &FormError, provider: Option<ProviderId>) -> Denial {
    Denial::new(error.reason(), provider).because(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::cell::Cell;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use crate::config::{JwksSource, parse};
    use crate::crypto::Signatures;
    use crate::decision::Decision;
    use crate::jwks::{KeyOrigin, KeySet};
    use crate::revocation::{Marks, Standing};
    use crate::time::Timestamp;
    use crate::verifier::{KeyLookup, KeyQuery, Keys, Revocations};

    /// Counts how often keys are looked up, which is how often a signature is verified.
    struct Counting(Rc<KeySet>, Cell<usize>);

    impl Keys for Counting {
        fn lookup(&self, _query: KeyQuery<'_>) -> KeyLookup {
            self.1.set(self.1.get() + 1);
            KeyLookup::Ready(Rc::clone(&self.0))
        }

        fn generation(&self, _provider: ProviderId, _now: Timestamp) -> Option<u64> {
            Some(0)
        }
    }

    impl Revocations for Counting {
        fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
            Standing::Good
        }
    }

    #[test]
    fn a_token_is_verified_once_however_often_its_provider_is_named() {
        let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let provider = json!({"issuer": "i", "any_audience": true, "local_jwks": {"inline_string": keys}});
        let part = |index: usize| json!({"provider_name": "p", "scopes": [format!("s{index}")]});
        let requires = json!({"requires_any": {"requirements": (0..50).map(part).collect::<Vec<_>>()}});
        let rules = json!([{"match": {"prefix": "/"}, "requires": requires}]);
        let config = json!({"providers": {"p": provider}, "rules": rules});
        let config = parse(config.to_string().as_bytes(), &|_| None).unwrap().config;
        let JwksSource::Local(document) = &config.providers[0].jwks else { panic!("a local set") };
        let keys = Counting(Rc::new(KeySet::parse(document, KeyOrigin::Local, 1 << 16).unwrap()), Cell::new(0));
        let encoded = [r#"{"alg":"EdDSA"}"#, r#"{"iss":"i","exp":99}"#].map(|part| URL_SAFE_NO_PAD.encode(part));
        let value = format!("Bearer {}.{}.{}", encoded[0], encoded[1], URL_SAFE_NO_PAD.encode([0; 64]));
        let request = Request::new(vec![(b":path", b"/"), (b"authorization", value.as_bytes())]);
        let authenticator = Authenticator::new(config, Signatures::in_module(), 1);
        let now = Timestamp::from_secs(10);
        let Decision::Deny(denial) = authenticator.decide(
            &request,
            Moment {
                keys: &keys,
                revocations: &keys,
                connection: &crate::connection::Unknown,
                store: &crate::shared_store::Nowhere,
                arrival: now,
                now,
            },
        ) else {
            panic!("a forged token")
        };
        assert_eq!((denial.reason, keys.1.get()), (Reason::SignatureInvalid, 1));
    }
}
