//! What becomes of a request.

use std::rc::Rc;

use crate::authorization::{Lacking, named_scopes};
use crate::config::{Config, Permission, Provider, ProviderId, RuleId, SenderConstraint};
use crate::crypto::SignatureAlgorithm;
use crate::extractor::HeaderEdit;
use crate::flood::Kind;
use crate::log::{Line, quote};
use crate::principal::Identity;
use crate::protected_resource::{self, metadata_url};
use crate::reason::{Answer, Challenge, Reason};
use crate::request::Request;
use crate::revocation::LookupKey;
use crate::time::Timestamp;
use crate::upstream::Effect;

/// What the line of a refusal begins with.
pub const DENIED: &str = "denied";
/// What the line of one begins with that is only reported.
pub const WOULD_DENY: &str = "would deny";

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes upstream.
    Allow(Admission),
    /// It is refused.
    Deny(Denial),
    /// It has to wait for keys.
    Wait(Wait),
    /// It asks about the resource, and the filter answers.
    Tell(protected_resource::Answer),
}

impl Decision {
    /// The same decision, by this rule.
    #[must_use]
    pub fn by(mut self, decider: Option<RuleId>) -> Self {
        match &mut self {
            Self::Allow(Admission { rule, .. }) | Self::Deny(Denial { rule, .. }) => *rule = decider,
            Self::Wait(wait) => wait.rule = decider,
            Self::Tell(_) => {}
        }
        self
    }
}

/// A request that goes upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The rule that decided; `None` if another part of the configuration did.
    pub rule: Option<RuleId>,
    /// Whose token let it pass; `None` if it needed none.
    pub provider: Option<ProviderId>,
    /// Why it passes, for the metrics: `verified`, `verified_without_revocation`, `not_required` or `cors_preflight`; or why
    /// it should not.
    pub code: &'static str,
    /// What is taken out of its headers.
    pub edits: Vec<HeaderEdit>,
    /// What is told about its tokens then.
    pub told: Vec<Rc<[Effect]>>,
    /// The refusal that is only reported, if it should not pass.
    pub reported: Option<Box<Denial>>,
    /// Who the first of its tokens speaks for, as far as the audit wants to know.
    pub identity: Option<Rc<Identity>>,
}

/// A request that is refused: nothing here but `reason` decides what the client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// The rule that decided; `None` if another part of the configuration did.
    pub rule: Option<RuleId>,
    /// The provider whose demands were not met, where one is known.
    pub provider: Option<ProviderId>,
    /// Where the token stands that failed, as a position among all places; `None` if it is about no single one.
    pub place: Option<u16>,
    /// Who the token speaks for that failed though its signature is good, as far as the audit wants to know.
    pub identity: Option<Rc<Identity>>,
    /// Further fields for the log line, safe to print.
    pub details: Vec<(&'static str, String)>,
    /// The scopes that the challenge names.
    pub scope: Option<Box<str>>,
    /// When the client may try again, in seconds.
    pub retry_after: Option<u64>,
    /// Whether the request has a token under the scheme `DPoP`, so that the challenge is of that scheme.
    pub by_dpop: bool,
    /// A nonce for the client's next proofs (RFC 9449 section 9).
    pub nonce: Option<Box<str>>,
}

/// A request that has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The provider whose keys it waits for.
    pub provider: ProviderId,
    /// The rule that decides; `None` if another part of the configuration does.
    pub rule: Option<RuleId>,
    /// When it is decided at the latest.
    pub until: Timestamp,
    /// The question about its token that is under way, if there is one: answers to others are no news for it.
    pub question: Option<LookupKey>,
}

impl Denial {
    /// A refusal for this reason, with nothing to add.
    #[must_use]
    pub const fn new(reason: Reason, provider: Option<ProviderId>) -> Self {
        Self {
            reason,
            rule: None,
            provider,
            place: None,
            identity: None,
            details: Vec::new(),
            scope: None,
            retry_after: None,
            by_dpop: false,
            nonce: None,
        }
    }

    /// A refusal of a good token that does not permit what is asked for.
    #[must_use]
    pub fn insufficient(provider: ProviderId, permission: &Permission, lacking: &Lacking) -> Self {
        let denial = Self::new(Reason::InsufficientScope, Some(provider)).because(&lacking.0);
        Self { scope: named_scopes(permission).map(String::into), ..denial }
    }

    /// The same about the token at this place.
    #[must_use]
    pub fn at(self, place: usize) -> Self {
        Self { place: u16::try_from(place).ok(), ..self }
    }

    /// Adds words of the filter's own, if there are any.
    #[must_use]
    #[inline(never)]
    pub fn because(mut self, detail: &str) -> Self {
        if !detail.is_empty() {
            self.details.push(("detail", quote(detail.as_bytes())));
        }
        self
    }

    /// Adds something that the client sent: it is escaped and cut.
    #[must_use]
    pub fn with_quoted(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.details.extend(value.map(|value| (name, quote(value.as_bytes()))));
        self
    }

    /// What its line, which begins with this event, has in common with others.
    #[must_use]
    pub fn kind(&self, event: &'static str, config: &Config) -> Kind {
        let rule = self.rule.filter(|rule| config.rule_name(*rule).is_some());
        Kind { event, code: ("reason", self.reason.code()), rule, provider: self.provider }
    }

    /// What the client sees.
    #[must_use]
    pub fn answer(&self, config: &Config) -> Answer {
        self.reason.answer(config.unavailable_status)
    }

    /// The `WWW-Authenticate` header (RFC 6750 section 3, RFC 9449 section 7.1); `None` if there is none. Of the scheme that the
    /// client used; who used none is told of `DPoP` too where every token has to be bound.
    #[must_use]
    pub fn challenge(&self, config: &Config) -> Option<String> {
        let error = match self.answer(config).challenge {
            Challenge::None => return None,
            Challenge::Bearer => None,
            Challenge::InvalidToken => Some("invalid_token"),
            Challenge::InvalidProof => Some("invalid_dpop_proof"),
            Challenge::UseNonce => Some("use_dpop_nonce"),
            Challenge::InsufficientScope => Some("insufficient_scope"),
        };
        let scheme = if self.by_dpop { "DPoP" } else { "Bearer" };
        let realm = &config.realm;
        let mut challenge = format!("{scheme} realm=\"{realm}\"");
        for (name, value) in [("error", error), ("scope", self.scope.as_deref())] {
            if let Some(value) = value {
                challenge.extend([", ", name, "=\"", value, "\""]);
            }
        }
        if let Some(url) = metadata_url(config) {
            challenge.extend([", resource_metadata=\"", &url, "\""]);
        }
        let has_to_be_bound =
            |provider: &Provider| provider.sender_constraint == SenderConstraint::Required && provider.takes_dpop();
        if self.by_dpop {
            challenge.extend([", algs=\"", &algorithms(config), "\""]);
        } else if error.is_none() && self.provider.and_then(|id| config.provider(id)).is_some_and(has_to_be_bound) {
            challenge.extend([", DPoP realm=\"", realm, "\", algs=\"", &algorithms(config), "\""]);
        }
        Some(challenge)
    }

    /// The line for the proxy's log, which begins with this event; `token` is the digest of the token that it is about. The
    /// query is left out: tokens may stand in it.
    #[must_use]
    pub fn log_line(&self, event: &str, config: &Config, request: &Request<'_>, token: Option<&str>) -> String {
        let mut line = Line::new(event)
            .field("reason", self.reason.code())
            .field("status", self.answer(config).status)
            .decided_by(self.rule, self.provider, config)
            .quoted("method", request.method())
            .quoted("path", request.path());
        if let Some(token) = token {
            line = line.field("token", token);
        }
        self.details.iter().fold(line, |line, (name, value)| line.field(name, value)).finish()
    }
}

/// What proofs may be signed with, for a challenge.
fn algorithms(config: &Config) -> String {
    config.dpop.algorithms.iter().map(SignatureAlgorithm::name).collect::<Vec<_>>().join(" ")
}
