//! How tokens are revoked: documents that are polled, services that are asked.

use std::time::Duration;

use super::{
    ClaimValue, HttpUri, Provider,
    duration::{Bounds, duration},
    raw::{RawDenylist, RawHttpUri, RawLookup, RawRevocation, RawRevokedWhen, RawScalar, RawStatusList},
    remote_jwks::http_uri,
    report::{Checked, Place, quoted},
};

const DEFAULT_REFRESH: Duration = Duration::from_secs(60);
const DEFAULT_STATUS_REFRESH: Duration = Duration::from_secs(300);
const DEFAULT_MAX_STALE: Duration = Duration::from_secs(3600);
const DEFAULT_TTL: Duration = Duration::from_secs(30);

const REFRESH: Bounds =
    Bounds { range: Duration::from_secs(1)..=Duration::from_secs(24 * 3600), text: r#""1s" to "24h""# };
const MAX_STALE: Bounds = Bounds { range: Duration::ZERO..=Duration::from_secs(720 * 3600), text: r#""0s" to "720h""# };
const TTL: Bounds =
    Bounds { range: Duration::from_millis(100)..=Duration::from_secs(3600), text: r#""100ms" to "1h""# };
/// More would cost each request more than it should.
const MAX_DOCUMENTS: usize = 16;

/// How a provider's tokens are revoked.
#[derive(Debug, Clone, PartialEq)]
pub struct Revocation {
    /// Documents that list what is revoked.
    pub denylists: Vec<PolledList>,
    /// A service that is asked about each token.
    pub lookup: Option<Lookup>,
    /// Token status lists (draft-ietf-oauth-status-list); the URI of each is that of its `http`.
    pub status_lists: Vec<PolledList>,
    /// Whether a token needs a `jti`.
    pub require_token_id: bool,
    /// Whether a token passes whose standing cannot be found out.
    pub allow_when_unavailable: bool,
}

/// A document that is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolledList {
    /// Its URI, as it was written.
    pub uri: String,
    /// Where it is.
    pub http: HttpUri,
    /// How long it counts as fresh.
    pub refresh: Duration,
    /// How long it serves beyond that while no newer one can be had.
    pub max_stale: Duration,
}

/// A service that is asked about each token.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// Where it is; its path is that of the template, of no use by itself.
    pub http: HttpUri,
    /// Path and query.
    pub template: Vec<TemplatePart>,
    /// How long an answer counts.
    pub ttl: Duration,
    /// What answer means that the token is revoked.
    pub revoked_when: RevokedWhen,
}

/// A piece of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// As it stands.
    Text(String),
    /// `{jti}`.
    TokenId,
    /// `{sub}`.
    Subject,
    /// `{iss}`.
    Issuer,
}

/// What answer means that the token is revoked.
#[derive(Debug, Clone, PartialEq)]
pub enum RevokedWhen {
    /// This status. Status 404 and, where this is another, 200 and 204 mean that it is not; any other means nothing.
    Status(u16),
    /// An answer with status 200 whose JSON has this value there (RFC 6901). Any other value means that it is not.
    Member {
        /// The names on the way.
        pointer: String,
        /// The value.
        equals: ClaimValue,
    },
}

impl Lookup {
    /// Whether the URL names the token's `jti`.
    #[must_use]
    pub fn names_token_id(&self) -> bool {
        self.template.contains(&TemplatePart::TokenId)
    }
}

impl Provider {
    /// The top-level claims by which its tokens are revoked, beside those that are always read.
    pub fn revocation_claims(&self) -> &'static [&'static str] {
        if self.revocation.is_some() { &["sid", "status"] } else { &[] }
    }
}

/// Validates how a provider's tokens are revoked.
pub(super) fn revocation(raw: RawRevocation, at: &Place<'_>) -> Checked<Revocation> {
    let place = at.field("denylists");
    let denylists = place.each(raw.denylists.unwrap_or_default(), denylist);
    let lookup = raw.lookup.map(|raw| lookup(raw, &at.field("lookup"))).transpose();
    let status_place = at.field("status_lists");
    let status_lists = status_place.each(raw.status_lists.unwrap_or_default(), status_list);
    let when_unavailable = when_unavailable(raw.on_unavailable.as_deref(), &at.field("on_unavailable"));
    let (denylists, lookup, status_lists) = (denylists?, lookup?, status_lists?);
    if denylists.is_empty() && lookup.is_none() && status_lists.is_empty() && raw.require_jti != Some(true) {
        return at.mistake("revokes nothing: give denylists, lookup, status_lists or require_jti");
    }
    for (place, lists) in [(&place, &denylists), (&status_place, &status_lists)] {
        if lists.len() > MAX_DOCUMENTS {
            return place.mistake(format!("has more than {MAX_DOCUMENTS} elements"));
        }
    }
    let names_token_id = lookup.as_ref().is_some_and(Lookup::names_token_id);
    if names_token_id && raw.require_jti == Some(false) {
        at.field("require_jti").warn("false: a token without `jti` passes without being looked up");
    }
    Ok(Revocation {
        denylists,
        lookup,
        status_lists,
        require_token_id: raw.require_jti.unwrap_or(names_token_id),
        allow_when_unavailable: when_unavailable?,
    })
}

fn when_unavailable(raw: Option<&str>, at: &Place<'_>) -> Checked<bool> {
    match raw {
        None | Some("deny") => Ok(false),
        Some("allow") => Ok(true),
        Some(other) => at.mistake(format!("has to be `deny` or `allow`, not {}", quoted(other))),
    }
}

fn denylist(raw: RawDenylist, at: &Place<'_>) -> Checked<PolledList> {
    let place = at.field("http_uri");
    let raw_http = place.required(raw.http_uri, "the document's uri and its cluster");
    let uri = raw_http.as_ref().ok().and_then(|http| http.uri.clone()).unwrap_or_default();
    let http = raw_http.and_then(|raw| http_uri(raw, &place));
    let refresh = duration(raw.refresh, DEFAULT_REFRESH, &REFRESH, &at.field("refresh"));
    let max_stale = duration(raw.max_stale, DEFAULT_MAX_STALE, &MAX_STALE, &at.field("max_stale"));
    Ok(PolledList { uri, http: http?, refresh: refresh?, max_stale: max_stale? })
}

fn status_list(raw: RawStatusList, at: &Place<'_>) -> Checked<PolledList> {
    let uri = raw.uri.clone().unwrap_or_default();
    let http = http_uri(RawHttpUri { uri: raw.uri, cluster: raw.cluster, timeout: raw.timeout }, at);
    let refresh = duration(raw.refresh, DEFAULT_STATUS_REFRESH, &REFRESH, &at.field("refresh"));
    let max_stale = duration(raw.max_stale, DEFAULT_MAX_STALE, &MAX_STALE, &at.field("max_stale"));
    Ok(PolledList { uri, http: http?, refresh: refresh?, max_stale: max_stale? })
}

fn lookup(raw: RawLookup, at: &Place<'_>) -> Checked<Lookup> {
    let place = at.field("http_uri");
    let http = place.required(raw.http_uri, "the service's uri and its cluster").and_then(|raw| templated(raw, &place));
    let ttl = duration(raw.ttl, DEFAULT_TTL, &TTL, &at.field("ttl"));
    let place = at.field("revoked_when");
    let revoked_when = place
        .required(raw.revoked_when, "what answer means that a token is revoked")
        .and_then(|raw| revoked_when(raw, &place));
    let (http, template) = http?;
    Ok(Lookup { http, template, ttl: ttl?, revoked_when: revoked_when? })
}

const PLACEHOLDERS: [(&str, TemplatePart); 3] =
    [("{jti}", TemplatePart::TokenId), ("{sub}", TemplatePart::Subject), ("{iss}", TemplatePart::Issuer)];
/// What stands for the placeholders while the URL is looked at: signs that no path holds otherwise.
const MARKS: [&str; 3] = ["%00", "%01", "%02"];

/// A URL with placeholders in its path or query.
fn templated(raw: RawHttpUri, at: &Place<'_>) -> Checked<(HttpUri, Vec<TemplatePart>)> {
    let place = at.field("uri");
    let text = raw.uri.unwrap_or_default();
    if MARKS.iter().any(|mark| text.contains(mark)) {
        return place.mistake("has an encoded control character");
    }
    let marked = PLACEHOLDERS.iter().zip(MARKS).fold(text, |text, ((name, _), mark)| text.replace(name, mark));
    if marked.contains(['{', '}']) {
        return place.mistake("has a placeholder that is none: there are {jti}, {sub} and {iss}");
    }
    let http = http_uri(RawHttpUri { uri: Some(marked), cluster: raw.cluster, timeout: raw.timeout }, at)?;
    let mut template = Vec::new();
    let mut rest = http.path_and_query.as_str();
    while let Some(position) = rest.find("%0") {
        let (before, marked) = rest.split_at_checked(position).unwrap_or((rest, ""));
        let Some((mark, after)) = marked.split_at_checked(3) else { break };
        let Some(index) = MARKS.iter().position(|known| *known == mark) else {
            return place.mistake("has an encoded control character");
        };
        template.push(TemplatePart::Text(before.to_owned()));
        template.extend(PLACEHOLDERS.get(index).map(|(_, part)| part.clone()));
        rest = after;
    }
    if template.is_empty() {
        return place
            .mistake("needs {jti}, {sub} or {iss} in its path or query: it would ask the same about every token");
    }
    template.push(TemplatePart::Text(rest.to_owned()));
    Ok((http, template))
}

fn revoked_when(raw: RawRevokedWhen, at: &Place<'_>) -> Checked<RevokedWhen> {
    match (raw.status, raw.json_pointer, raw.equals) {
        (Some(status), None, None) => match u16::try_from(status) {
            Ok(status @ 200..=499) => Ok(RevokedWhen::Status(status)),
            _ => at.field("status").mistake("has to be from 200 to 499: a server's errors say nothing about a token"),
        },
        (None, Some(pointer), Some(RawScalar(equals))) => {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return at.field("json_pointer").mistake("has to begin with a slash (RFC 6901), such as `/EXISTS`");
            }
            Ok(RevokedWhen::Member { pointer, equals })
        }
        _ => at.mistake("needs either status, or json_pointer and equals"),
    }
}
