//! Who a verified token speaks for: what is kept of the token once it has passed.

use std::rc::Rc;

use serde_json::Value;

use crate::claims::{Validity, accepts_audience};
use crate::config::{AuditedSubject, ClaimPath, Config, Provider, ProviderId};
use crate::jwt::{Audience, Claims, Confirmation, Scope, find_claim, wanted_claims};
use crate::revocation::Marks;
use crate::upstream::Effect;

/// The bearer of a token that one provider's keys verified, and whose claims that provider accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Whose token it is.
    pub provider: ProviderId,
    /// The generation of the keys that verified it; `None` if they are not to be relied on again.
    pub generation: Option<u64>,
    /// When it counts.
    pub validity: Validity,
    /// What the token is bound to.
    pub confirmation: Option<Confirmation>,
    /// What the token can be revoked by; `None` if its provider revokes none.
    pub marks: Option<Box<Marks>>,
    /// What the upstream is told.
    pub effects: Rc<[Effect]>,
    /// What rules may ask about.
    pub facts: Facts,
    /// What the audit may tell.
    pub identity: Option<Rc<Identity>>,
}

/// Who a verified token speaks for, as far as the audit wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `iss`.
    pub issuer: Option<Box<str>>,
    /// `sub`, if that is wanted.
    pub subject: Option<Box<str>>,
}

/// What rules may ask about a token: as much of its claims as the configuration has use for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Whether the provider's own audiences accept the token.
    in_audience: bool,
    audience: Option<Audience<'static>>,
    scopes: Vec<Scope<'static>>,
    values: Vec<(String, Value)>,
}

/// Which claims of a provider's tokens the rules of a configuration ask about, and its audit.
#[derive(Debug, Clone, Default)]
pub struct Interest {
    audience: bool,
    scopes: bool,
    /// Top-level names.
    claims: Vec<String>,
    identity: IdentityInterest,
}

/// How much of who tokens speak for the audit wants to know.
#[derive(Debug, Clone, Copy, Default)]
enum IdentityInterest {
    #[default]
    Nothing,
    Issuer,
    IssuerAndSubject,
}

impl Interest {
    /// What the configuration asks about tokens of this provider.
    #[must_use]
    pub fn of(config: &Config, provider: ProviderId) -> Self {
        let leaves = config.requirements().flat_map(|requirement| requirement.leaves());
        let leaves: Vec<_> = leaves.filter(|leaf| leaf.provider == provider).collect();
        let permissions = || leaves.iter().map(|leaf| &leaf.permission);
        let conditions = permissions().flat_map(|permission| &permission.claims);
        Self {
            audience: leaves.iter().any(|leaf| leaf.audiences.is_some()),
            scopes: permissions().any(|permission| !permission.scopes.is_empty() || !permission.any_scopes.is_empty()),
            claims: wanted_claims(conditions.map(|condition| &condition.claim)),
            identity: match config.audit.as_ref().map(|audit| &audit.subject) {
                None => IdentityInterest::Nothing,
                Some(AuditedSubject::None) => IdentityInterest::Issuer,
                Some(AuditedSubject::Digest(_) | AuditedSubject::Plain) => IdentityInterest::IssuerAndSubject,
            },
        }
    }

    /// Who a token with these claims speaks for, which have been verified.
    #[must_use]
    pub fn identity(&self, claims: &Claims<'_>) -> Option<Rc<Identity>> {
        let subject = match self.identity {
            IdentityInterest::Nothing => return None,
            IdentityInterest::Issuer => None,
            IdentityInterest::IssuerAndSubject => claims.subject.as_deref().map(Box::from),
        };
        Some(Rc::new(Identity { issuer: claims.issuer.as_deref().map(Box::from), subject }))
    }

    /// The top-level claims whose values are asked about.
    pub fn claims(&self) -> impl Iterator<Item = &String> {
        self.claims.iter()
    }
}

impl Identity {
    /// How many bytes its texts take.
    #[must_use]
    pub fn size(&self) -> usize {
        [&self.issuer, &self.subject].into_iter().flatten().fold(0, |size, text| size.saturating_add(text.len()))
    }
}

impl Facts {
    /// The facts of a token with these claims, which have been verified.
    #[must_use]
    pub fn of(claims: &Claims<'_>, provider: &Provider, interest: &Interest) -> Self {
        let values = interest.claims().filter_map(|name| Some((name.clone(), claims.value(name)?.clone())));
        let audience = claims.audience.as_ref();
        let scopes = || claims.scope.iter().chain(&claims.scp).cloned().map(Scope::into_owned);
        Self {
            in_audience: accepts_audience(provider.audiences.as_deref(), audience),
            audience: if interest.audience { audience.cloned().map(Audience::into_owned) } else { None },
            scopes: if interest.scopes { scopes().collect() } else { Vec::new() },
            values: values.collect(),
        }
    }

    /// Whether the token is meant for one of these audiences, or, without them, for one of its provider's.
    #[must_use]
    pub fn is_for(&self, audiences: Option<&[String]>) -> bool {
        match audiences {
            None => self.in_audience,
            Some(_) => accepts_audience(audiences, self.audience.as_ref()),
        }
    }

    /// Whether the token grants this scope, in `scope` or in `scp`.
    #[must_use]
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted.contains(scope))
    }

    /// The value of a claim.
    #[must_use]
    pub fn find(&self, path: &ClaimPath) -> Option<&Value> {
        find_claim(path, |name| self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value))
    }

    /// About how many bytes they take beside their own struct.
    #[must_use]
    pub fn size(&self) -> usize {
        let audience: usize = self.audience.iter().flat_map(Audience::iter).map(|one| one.len() + 24).sum();
        let scopes: usize = self.scopes.iter().map(Scope::size).sum();
        let values: usize = self.values.iter().map(|(name, value)| name.len().saturating_add(value_size(value))).sum();
        audience.saturating_add(scopes).saturating_add(values)
    }
}

/// Claims are nested 32 levels at most, so this recursion is bounded.
fn value_size(value: &Value) -> usize {
    const NODE: usize = 32;
    let inner: usize = match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(value_size).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + NODE + value_size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    inner.saturating_add(NODE)
}
