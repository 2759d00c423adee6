//! What a rule may ask for: the validated form of `requires`.

use serde_json::Number;

use super::{ClaimPath, ProviderId};

/// What a request has to bring.
#[derive(Debug, Clone, PartialEq)]
pub enum Requirement {
    /// Tokens of one provider.
    Provider(ProviderRequirement),
    /// Tokens of any of these providers: what a configuration without rules asks for.
    AnyProvider(Vec<ProviderId>),
    /// What one of these asks for, or else the exemption. Never empty.
    Any(Vec<Requirement>, Exemption),
    /// What each of these asks for. Never empty.
    All(Vec<Requirement>),
    /// No token of these providers, or good ones.
    AllowMissing(Vec<ProviderId>),
    /// Nothing; but what good tokens of these providers claim is told to the upstream.
    AllowMissingOrFailed(Vec<ProviderId>),
}

/// What passes though it brings nothing of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exemption {
    /// Nothing.
    None,
    /// A request without any of the tokens.
    Missing,
    /// Every request.
    MissingOrFailed,
}

/// What tokens of one provider have to fulfil here.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderRequirement {
    /// Whose tokens.
    pub provider: ProviderId,
    /// The accepted `aud` values in the place of the provider's own.
    pub audiences: Option<Vec<String>>,
    /// What the token has to permit.
    pub permission: Permission,
}

/// What a verified token has to say for its bearer to be let in; nothing is asked for where all is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Permission {
    /// Scopes (RFC 6749 section 3.3) that are all needed.
    pub scopes: Vec<String>,
    /// Scopes of which one is needed.
    pub any_scopes: Vec<String>,
    /// Conditions that all have to hold.
    pub claims: Vec<ClaimCondition>,
}

/// A condition on one claim. The values of a claim are the elements of an array, or else the claim itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimCondition {
    /// Which claim.
    pub claim: ClaimPath,
    /// Whether the claim has to be there, or must not be.
    pub exists: Option<bool>,
    /// Values of which the claim needs one.
    pub any_of: Option<Vec<ClaimValue>>,
    /// Values that the claim needs all.
    pub all_of: Option<Vec<ClaimValue>>,
    /// Values of which the claim may have none.
    pub not_any_of: Option<Vec<ClaimValue>>,
    /// Values that the claim may not have all.
    pub not_all_of: Option<Vec<ClaimValue>>,
}

/// A value to compare a claim's with.
#[derive(Debug, Clone, PartialEq)]
pub enum ClaimValue {
    /// A string, compared exactly.
    Text(String),
    /// A number, compared by its value.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
}

impl Permission {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.any_scopes.is_empty() && self.claims.is_empty()
    }
}

impl Requirement {
    /// Everything that is asked of single providers somewhere in this requirement.
    pub fn leaves(&self) -> Vec<&ProviderRequirement> {
        match self {
            Self::Provider(leaf) => vec![leaf],
            Self::Any(parts, _) | Self::All(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::AnyProvider(_) | Self::AllowMissing(_) | Self::AllowMissingOrFailed(_) => Vec::new(),
        }
    }

    /// Every provider whose tokens count somewhere in this requirement.
    pub fn providers(&self) -> Vec<ProviderId> {
        match self {
            Self::Provider(leaf) => vec![leaf.provider],
            Self::Any(parts, _) | Self::All(parts) => parts.iter().flat_map(Self::providers).collect(),
            Self::AnyProvider(ids) | Self::AllowMissing(ids) | Self::AllowMissingOrFailed(ids) => ids.clone(),
        }
    }
}
