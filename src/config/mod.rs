//! The validated configuration: what [`parse`] makes of the operator's text, once, at load.
//!
//! Everything here is already known to be consistent; the rest of the core never sees the raw shapes.

mod audit;
mod csrf;
mod document;
mod dpop;
mod duration;
mod edited_headers;
mod failed_attempts;
mod forwarding;
mod header_match;
pub(crate) mod hosts;
mod impossible;
mod issuers;
mod jwks_source;
mod load;
mod local_keys;
mod locations;
mod names;
mod node;
#[cfg(not(target_arch = "wasm32"))]
pub mod outline;
mod path;
mod permission;
mod protected_resource;
mod provider;
mod raw;
mod raw_match;
mod reachable;
mod remote_jwks;
mod report;
mod request_match;
mod request_matcher;
pub(crate) mod requirement;
mod requirements;
mod revocation;
mod rules;
mod settings;
mod shape;
mod shape_error;
mod string_match;
#[cfg(test)]
mod tests;
mod trusted_proxies;
mod unknown_field;
pub(crate) mod uri;

use std::rc::Rc;
use std::time::Duration;

pub use audit::{Audit, AuditedSubject};
pub use csrf::{CsrfGuard, DoubleSubmit};
pub use dpop::Dpop;
pub(crate) use dpop::LONGEST_LIFE;
pub use failed_attempts::{CountedBy, FailedAttempts};
pub use forwarding::{
    ClaimFormat, ClaimHeader, ClaimPath, ClaimState, PayloadHeader, ROUTE_PROPERTY, VERDICT_PROPERTY,
};
#[cfg(not(target_arch = "wasm32"))]
pub use load::check;
pub use load::{Loaded, parse};
pub use names::name_in_metrics;
pub use protected_resource::ProtectedResource;
pub use report::{ConfigError, Warning, indexed, joined};
pub use request_matcher::{
    HeaderCondition, HeaderMatcher, HostPattern, ParameterCondition, PathMatcher, QueryParameterMatcher, RequestMatcher,
};
pub use requirement::{ClaimCondition, ClaimValue, Exemption, Permission, ProviderRequirement, Requirement};
pub use revocation::{Lookup, PolledList, Revocation, RevokedWhen, TemplatePart};
pub use shape::snake_case;

pub use trusted_proxies::{PeerCertificate, TrustedProxies};

pub use crate::address_range::AddressRange;
use crate::crypto::AlgorithmSet;
pub use crate::issuer_matcher::{IssuerMatcher, IssuerPattern};
use crate::string_matcher::StringMatcher;

/// The whole configuration of one plugin instance.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the operator's")]
pub struct Config {
    /// The providers, in the order of the configuration; a [`ProviderId`] is an index into this list.
    pub providers: Vec<Provider>,
    /// The rules; the first that matches decides.
    pub rules: Vec<Rule>,
    /// Requirements by name, for rules and for routes; sorted.
    pub requirement_map: Vec<(String, Rc<Requirement>)>,
    /// Whether the metadata of routes count.
    pub route_metadata: bool,
    /// What becomes of a request that no rule matches.
    pub unmatched: Unmatched,
    /// Whether CORS preflights pass without verification.
    pub bypass_cors_preflight: bool,
    /// The `realm` of every challenge (RFC 9110 section 11.5); printable ASCII without quotes and backslashes.
    pub realm: String,
    /// The status of a refusal because the keys cannot be had: 401 or 503.
    pub unavailable_status: u16,
    /// Who may speak for the client; `None` if nobody may.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Whether tokens count over TLS only.
    pub require_tls: bool,
    /// How often a source may fail; `None` does not count.
    pub failed_attempts: Option<FailedAttempts>,
    /// How many verified tokens each worker remembers.
    pub token_cache: TokenCacheLimits,
    /// What clients are told about the resource; `None` tells nothing.
    pub protected_resource: Option<ProtectedResource>,
    /// What proofs of possession have to fulfil.
    pub dpop: Dpop,
    /// Whether requests that should be refused pass, and that is reported: where no rule says otherwise.
    pub report_only: bool,
    /// Which decisions are put on record; `None` if none are.
    pub audit: Option<Audit>,
    /// Bounds on what clients and servers may send.
    pub limits: Limits,
}

/// Which provider: an index into [`Config::providers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub usize);

/// An issuer of tokens and what its tokens have to fulfil.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// The name in the configuration.
    pub name: String,
    /// The accepted `iss`.
    pub issuer: IssuerMatcher,
    /// The accepted `aud` values; `None` accepts any audience or none (`any_audience: true`).
    pub audiences: Option<Vec<String>>,
    /// What `sub` has to be; `None` accepts any, and tokens without it.
    pub subjects: Option<StringMatcher>,
    /// The algorithms a token may be signed with.
    pub algorithms: AlgorithmSet,
    /// The accepted `typ` values: lower case, without an `application/` prefix.
    pub token_types: Vec<String>,
    /// Whether `typ` has to be there.
    pub require_type: bool,
    /// Whether `exp` has to be there.
    pub require_expiration: bool,
    /// The longest time from now to `exp`.
    pub max_lifetime: Option<Duration>,
    /// How far the clocks of issuer and proxy may differ.
    pub clock_skew: Duration,
    /// Where the keys come from.
    pub jwks: JwksSource,
    /// Where requests carry this provider's tokens.
    pub locations: Vec<TokenLocation>,
    /// What has to be shown for a token in a cookie to count; `None` if it is nothing (`csrf.disabled`), or no cookie is
    /// looked at.
    pub csrf: Option<CsrfGuard>,
    /// Whether the token is left in the request for the upstream.
    pub forward: bool,
    /// The header that tells the upstream the claims.
    pub payload_header: Option<PayloadHeader>,
    /// The headers that tell the upstream single claims.
    pub claim_headers: Vec<ClaimHeader>,
    /// The properties that tell single claims to the filters behind and to the access log.
    pub claim_states: Vec<ClaimState>,
    /// What becomes of a token that is bound to its sender (`cnf`).
    pub sender_constraint: SenderConstraint,
    /// How its tokens are revoked; `None` if they are not.
    pub revocation: Option<Box<Revocation>>,
}

/// What becomes of a token that is bound to a key or a certificate of its sender (RFC 7800 `cnf`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderConstraint {
    /// The sender has to show possession; a token that is not bound passes.
    IfBound,
    /// Every token has to be bound, and the sender has to show possession.
    Required,
    /// `cnf` is not looked at.
    Ignore,
}

/// Where a provider's keys come from.
#[derive(Clone, PartialEq)]
pub enum JwksSource {
    /// The key set itself: the bytes of a JWKS document that was checked at load. It may hold secrets.
    Local(Vec<u8>),
    /// A key set that is fetched through a cluster of the proxy.
    Remote(Box<RemoteJwks>),
}

// A local set may hold HMAC secrets, so it is never printed.
impl std::fmt::Debug for JwksSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(_) => formatter.write_str("Local(..)"),
            Self::Remote(remote) => formatter.debug_tuple("Remote").field(remote).finish(),
        }
    }
}

/// A key set that is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwks {
    /// Where to fetch it, or the metadata that names its place.
    pub http: HttpUri,
    /// How to find the key set by the issuer's metadata; `None` if `http` is the key set itself.
    pub discovery: Option<Discovery>,
    /// How long a fetched set counts as fresh.
    pub cache_duration: Duration,
    /// How long a set serves beyond its freshness while no newer one can be had.
    pub max_stale: Duration,
    /// The shortest time between two fetches that tokens with an unknown `kid` start.
    pub unknown_kid_interval: Duration,
    /// How long to wait after a fetch that failed.
    pub backoff: Backoff,
}

/// How to find a key set by the issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The `issuer` that the metadata has to name (RFC 8414 section 3.3).
    pub issuer: String,
    /// Authorities that may serve the key set instead of the metadata's own, each with its cluster.
    pub clusters: Vec<(String, String)>,
}

/// Exponential back-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait after the first failure; it doubles with each further one.
    pub base_interval: Duration,
    /// The longest wait of all.
    pub max_interval: Duration,
}

/// An HTTP resource and the cluster of the proxy that serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUri {
    /// `http` or `https`.
    pub scheme: String,
    /// Host, and port if it was given: the `:authority` of the request.
    pub authority: String,
    /// Path and query, beginning with `/`.
    pub path_and_query: String,
    /// The name of the cluster.
    pub cluster: String,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// A place in the request where a token may stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenLocation {
    /// A header.
    Header {
        /// The header's name, lower case.
        name: String,
        /// What stands before the token.
        prefix: HeaderPrefix,
    },
    /// A query parameter; the name is compared exactly, after decoding.
    Query(String),
    /// A cookie; the name is compared exactly.
    Cookie(String),
}

/// What stands before the token in a header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderPrefix {
    /// The whole value is the token.
    None,
    /// An authentication scheme (RFC 9110 section 11.4): in any case, then one or more spaces.
    Scheme(String),
    /// A literal text, case-sensitive.
    Literal(String),
}

/// One rule: which requests, and what they have to bring.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What the operator calls it, in metrics and logs: letters, digits, `_` and `-`.
    pub name: Option<String>,
    /// Which requests.
    pub matcher: RequestMatcher,
    /// What they have to bring; `None` asks for no verification.
    pub requires: Option<Rc<Requirement>>,
    /// Whether those that should be refused pass, and that is reported.
    pub report_only: bool,
}

/// The rule at this position of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(pub usize);

/// What metrics call the rules for whose names there is no room any more.
pub const OTHER_RULES: &str = "other";

/// What becomes of a request that no rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// It is refused with 403.
    Deny,
    /// It passes without verification.
    Allow,
}

/// Bounds on what clients and servers may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest token, in bytes.
    pub max_token_bytes: usize,
    /// The largest JWKS document, in bytes.
    pub max_jwks_bytes: usize,
    /// How many requests of one worker may wait for keys.
    pub max_waiting_requests: usize,
    /// The largest denylist or status list, in bytes, and the largest status list when it is unpacked.
    pub max_revocation_bytes: usize,
    /// How many lines about refusals each worker writes within ten seconds.
    pub max_denial_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_token_bytes: 16_384,
            max_jwks_bytes: 262_144,
            max_waiting_requests: 10_000,
            max_revocation_bytes: 16_777_216,
            max_denial_lines: 100,
        }
    }
}

/// How many verified tokens each worker remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCacheLimits {
    /// The number of tokens; zero switches the cache off.
    pub max_entries: usize,
    /// The memory that they take, in bytes, with what the upstream is told of each.
    pub max_bytes: usize,
}

impl Default for TokenCacheLimits {
    fn default() -> Self {
        Self { max_entries: 10_000, max_bytes: 8 * 1024 * 1024 }
    }
}

impl Config {
    /// The provider with this id. Ids are made by the parser of this very configuration, so there always is one; a
    /// foreign id gives `None`.
    #[must_use]
    pub fn provider(&self, id: ProviderId) -> Option<&Provider> {
        self.providers.get(id.0)
    }

    /// What the operator calls this rule.
    #[must_use]
    pub fn rule_name(&self, id: RuleId) -> Option<&str> {
        self.rules.get(id.0)?.name.as_deref()
    }

    /// Whether what this rule refuses is only reported; without a rule, what another part of the configuration refuses.
    #[must_use]
    pub fn only_reports(&self, rule: Option<RuleId>) -> bool {
        rule.map_or(self.report_only, |id| self.rules.get(id.0).is_some_and(|rule| rule.report_only))
    }

    /// Whether anything is only reported.
    #[must_use]
    pub fn reports_anything(&self) -> bool {
        self.report_only || self.rules.iter().any(|rule| rule.report_only)
    }

    /// Whether nothing is refused, neither by a rule nor without one.
    #[must_use]
    pub fn enforces_nothing(&self) -> bool {
        self.report_only && self.rules.iter().all(|rule| rule.report_only || rule.requires.is_none())
    }

    /// The requirement of this name.
    #[must_use]
    pub fn requirement(&self, name: &str) -> Option<&Requirement> {
        let position = self.requirement_map.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        self.requirement_map.get(position).map(|(_, requirement)| requirement.as_ref())
    }

    /// Everything that rules and routes may ask for.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.rules
            .iter()
            .filter_map(|rule| rule.requires.as_deref())
            .chain(self.requirement_map.iter().map(|(_, requirement)| requirement.as_ref()))
    }
}
