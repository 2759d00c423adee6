//! What becomes of a request.

use std::rc::Rc;

use crate::authorization::{Lacking, named_scopes};
use crate::config::{Config, Permission, ProviderId};
use crate::extractor::HeaderEdit;
use crate::log::{Line, quote};
use crate::reason::{Answer, Challenge, Reason};
use crate::request::Request;
use crate::time::Timestamp;
use crate::upstream::Effect;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes upstream.
    Allow(Admission),
    /// It is refused.
    Deny(Denial),
    /// It has to wait for keys.
    Wait(Wait),
}

/// A request that goes upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Whose token let it pass; `None` if it needed none.
    pub provider: Option<ProviderId>,
    /// Why it passes, for the metrics: `verified`, `verified_without_revocation`, `not_required` or `cors_preflight`.
    pub code: &'static str,
    /// What is taken out of its headers.
    pub edits: Vec<HeaderEdit>,
    /// What is told about its tokens then.
    pub told: Vec<Rc<[Effect]>>,
}

/// A request that is refused: nothing here but `reason` decides what the client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// The provider whose demands were not met, where one is known.
    pub provider: Option<ProviderId>,
    /// Further fields for the log line, safe to print.
    pub details: Vec<(&'static str, String)>,
    /// The scopes that the challenge names.
    pub scope: Option<String>,
}

/// A request that has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The provider whose keys it waits for.
    pub provider: ProviderId,
    /// When it is decided at the latest.
    pub until: Timestamp,
}

impl Denial {
    /// A refusal for this reason, with nothing to add.
    #[must_use]
    pub const fn new(reason: Reason, provider: Option<ProviderId>) -> Self {
        Self { reason, provider, details: Vec::new(), scope: None }
    }

    /// A refusal of a good token that does not permit what is asked for.
    #[must_use]
    pub fn insufficient(provider: ProviderId, permission: &Permission, lacking: &Lacking) -> Self {
        let denial = Self::new(Reason::InsufficientScope, Some(provider)).because(&lacking.0);
        Self { scope: named_scopes(permission), ..denial }
    }

    /// Adds words of the filter's own, if there are any.
    #[must_use]
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

    /// What the client sees.
    #[must_use]
    pub fn answer(&self, config: &Config) -> Answer {
        self.reason.answer(config.unavailable_status)
    }

    /// The line for the proxy's log. The query is left out: tokens may stand in it.
    #[must_use]
    pub fn log_line(&self, config: &Config, request: &Request<'_>) -> String {
        let mut line =
            Line::new("denied").field("reason", self.reason.code()).field("status", self.answer(config).status);
        if let Some(provider) = self.provider.and_then(|id| config.provider(id)) {
            line = line.quoted("provider", provider.name.as_bytes());
        }
        line = line.quoted("method", request.method()).quoted("path", request.path());
        self.details.iter().fold(line, |line, (name, value)| line.field(name, value)).finish()
    }
}

/// The `WWW-Authenticate` header of an answer (RFC 6750 section 3); `None` if there is none. `scope`: what is needed.
#[must_use]
pub fn challenge(answer: Answer, realm: &str, scope: Option<&str>) -> Option<String> {
    match answer.challenge {
        Challenge::None => None,
        Challenge::Bearer => Some(format!("Bearer realm=\"{realm}\"")),
        Challenge::InvalidToken => Some(format!("Bearer realm=\"{realm}\", error=\"invalid_token\"")),
        Challenge::InsufficientScope => {
            let scope = scope.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
            Some(format!("Bearer realm=\"{realm}\", error=\"insufficient_scope\"{scope}"))
        }
    }
}
