//! Everything that can be said about the tokens of a request, for those who ask why. The filter stops at the first thing that
//! is wrong; here every check is made that can be made, by the filter's own parts and in its order.

use std::iter::once;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::authenticator::Authenticator;
use crate::authorization;
use crate::bearer::malformed;
use crate::claims;
use crate::config::{ClaimPath, Permission, Provider, ProviderRequirement, TokenLocation};
use crate::crypto::VerifyingKey;
use crate::csrf;
use crate::decision::Denial;
use crate::dpop;
use crate::extractor::tokens_at;
use crate::jwt::{Claims, DecodedToken, UnverifiedToken};
use crate::presented::{Found, Place};
use crate::principal::{Facts, Interest};
use crate::reason::Reason;
use crate::request::Request;
use crate::revocation::{self, Marks};
use crate::sender::{self, Shown};
use crate::upstream::claim_effects;
use crate::verifier::{self, Moment, Stop};

/// What stands at a place where some provider looks for tokens.
#[derive(Debug, Clone)]
pub struct Presence<'r> {
    /// The place.
    pub location: &'r TokenLocation,
    /// The tokens there.
    pub tokens: Vec<&'r [u8]>,
    /// Whether that counts as more than one token.
    pub is_several: bool,
}

/// One token, before one demand.
#[derive(Clone, Copy)]
pub struct Subject<'s> {
    /// The token as it was found.
    pub token: &'s [u8],
    /// Where it was found.
    pub location: &'s TokenLocation,
    /// What it is held against.
    pub demand: &'s ProviderRequirement,
    /// The request that it came with.
    pub request: &'s Request<'s>,
    /// The time of the examination, and what it is surrounded by.
    pub moment: Moment<'s>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, such as `exp` or `scope read`.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it should be.
    Met,
    /// It is not.
    Unmet(Box<Denial>),
    /// That cannot be told; why.
    Open(&'static str),
}

impl Authenticator {
    /// What the request carries at every place where some provider looks.
    #[must_use]
    pub fn presences<'r>(&'r self, request: &Request<'r>) -> Vec<Presence<'r>> {
        let presence = |location| {
            let mut tokens = Vec::new();
            tokens_at(location, request, |token| tokens.push(token));
            let is_several = matches!(Place::new(location).look(request), Found::Several);
            Presence { location, tokens, is_several }
        };
        self.sanitizer().locations().map(presence).collect()
    }

    /// Every check of the token that can be made, in the filter's order: what the filter names is the first that is not met.
    #[must_use]
    pub fn examine(&self, subject: Subject<'_>) -> Vec<Check> {
        let id = subject.demand.provider;
        let Some(provider) = self.config().provider(id) else { return Vec::new() };
        let mut checks = Checks::default();
        if let (TokenLocation::Cookie(_), Some(guard)) = (subject.location, &provider.csrf) {
            checks.add("csrf", csrf::check(id, guard, subject.request));
        }
        let decoded = DecodedToken::decode(subject.token, self.config().limits.max_token_bytes);
        let parsed = decoded.as_ref().map_err(Clone::clone).and_then(|decoded| decoded.parse(self.wanted_claims()));
        checks.add("form", parsed.as_ref().map(drop).map_err(|error| malformed(error, Some(id))));
        if let Ok(token) = parsed {
            self.examine_parsed(&mut checks, &token, provider, subject);
        }
        checks.0
    }

    fn examine_parsed(
        &self,
        checks: &mut Checks,
        token: &UnverifiedToken<'_>,
        provider: &Provider,
        subject: Subject<'_>,
    ) {
        let Subject { demand, moment, .. } = subject;
        let id = demand.provider;
        let refuse = |reason| Denial::new(reason, Some(id));
        let is_accepted = self.accepting(token.issuer()).contains(&id);
        checks.add("iss", if is_accepted { Ok(()) } else { Err(refuse(Reason::IssuerNotAccepted)) });
        checks.add("alg", verifier::check_algorithm(id, provider, token.header()));
        checks.add("typ", verifier::check_type(id, provider, token.header()));
        let verified = verifier::verify(id, token, self.signatures(), moment);
        checks.stopped("signature", verified.as_ref().map(drop), "the provider's keys were not given");
        let claims = token.unverified_claims();
        for (name, result) in claims::each(provider, claims, moment.now).into_iter().skip(1) {
            checks.add(name, result.map_err(|unmet| refuse(unmet.reason).because(&unmet.detail)));
        }
        match &verified {
            Ok(verified) => {
                let told = claim_effects(provider, verified);
                checks.add("told", told.map(drop).map_err(|claim| refuse(Reason::ClaimUnsafe).because(claim.target)));
            }
            Err(_) => checks.push("told", Outcome::Open("only verified claims are told")),
        }
        let facts = Facts::of(claims, provider, &Interest::of(self.config(), id));
        let is_for = facts.is_for(demand.audiences.as_deref());
        checks.add("aud", if is_for { Ok(()) } else { Err(refuse(Reason::AudienceNotAccepted)) });
        checks.add("sender", self.examine_sender(claims, provider, subject));
        if provider.revocation.is_some() {
            let revocation = revocation::check(id, provider, Some(&Marks::of(claims)), moment);
            checks.stopped("revocation", revocation.as_ref().map(drop), "nobody was asked");
        }
        for (name, part) in parts(&demand.permission) {
            let granted = authorization::check(&part, &facts);
            checks.add(&name, granted.map_err(|lacking| Denial::insufficient(id, &demand.permission, &lacking)));
        }
    }

    fn examine_sender(&self, claims: &Claims<'_>, provider: &Provider, subject: Subject<'_>) -> Result<(), Denial> {
        let Subject { token, location, demand, request, moment } = subject;
        let front = self.front(request, moment.connection);
        let prove = |thumbprint: &str| {
            self.examiner().examine(front, moment.now).and_then(|proof| proof.is_for(token, thumbprint))
        };
        let shown = Shown { front, by_dpop: location.is_dpop(), proves: &prove };
        sender::check(provider, claims.confirmation.as_ref(), shown)
            .map(drop)
            .map_err(|denial| Denial { provider: Some(demand.provider), ..denial })
    }
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn push(&mut self, name: &str, outcome: Outcome) {
        self.0.push(Check { name: name.to_owned(), outcome });
    }

    fn add(&mut self, name: &str, result: Result<(), Denial>) {
        self.push(name, result.map_or_else(|denial| Outcome::Unmet(Box::new(denial)), |()| Outcome::Met));
    }

    fn stopped(&mut self, name: &str, result: Result<(), &Stop>, wait: &'static str) {
        match result {
            Ok(()) => self.push(name, Outcome::Met),
            Err(Stop::Deny(denial)) => self.push(name, Outcome::Unmet(Box::new(denial.clone()))),
            Err(Stop::Wait(_)) => self.push(name, Outcome::Open(wait)),
        }
    }
}

/// What is permitted piece by piece, each under its name.
fn parts(permission: &Permission) -> Vec<(String, Permission)> {
    let scopes = permission
        .scopes
        .iter()
        .map(|scope| (format!("scope {scope}"), Permission { scopes: vec![scope.clone()], ..Permission::default() }));
    let any = once(&permission.any_scopes).filter(|scopes| !scopes.is_empty()).map(|scopes| {
        let part = Permission { any_scopes: scopes.clone(), ..Permission::default() };
        (format!("any scope of {}", scopes.join(" ")), part)
    });
    let claims = permission.claims.iter().map(|condition| {
        let name = match &condition.claim {
            ClaimPath::Dotted(name) => name.clone(),
            ClaimPath::Exact(names) => names.join("."),
        };
        (format!("claim {name}"), Permission { claims: vec![condition.clone()], ..Permission::default() })
    });
    scopes.chain(any).chain(claims).collect()
}

/// The thumbprint of a public key (RFC 7638), in base64url; `None` for a secret.
#[must_use]
pub fn thumbprint(key: &VerifyingKey) -> Option<String> {
    dpop::thumbprint(key).map(|digest| URL_SAFE_NO_PAD.encode(digest))
}

#[cfg(test)]
#[path = "examination_tests.rs"]
mod tests;
