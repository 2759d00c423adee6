//! What the upstream gets to see: the headers that tell it claims, and nothing that the client made up.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

use crate::claim_text::claim_text;
use crate::config::{Config, Provider, TokenLocation};
use crate::extractor::{HeaderEdit, remove_tokens};
use crate::jwt::VerifiedToken;
use crate::request::Request;
use crate::sorted::sorted;

/// The header with proofs of possession (RFC 9449 section 4.1).
const PROOF: &[u8] = b"dpop";

/// The header that tells the upstream what was decided, where a refusal is only reported. Clients never send it.
pub(crate) const VERDICT_HEADER: &str = "x-jwt-warden-verdict";

/// Takes out of every request what only the filter may say, and the tokens: prepared once for a configuration.
#[derive(Debug, Clone)]
pub struct Sanitizer {
    /// Headers that tell claims, of every provider, and the verdict, as variables; sorted.
    claim_headers: Vec<Vec<u8>>,
    /// Every place where any provider looks for tokens, once.
    locations: Vec<Location>,
    /// How long these headers' names are: of another length, a name is none of them.
    lengths: Lengths,
    /// The headers among them; sorted.
    token_headers: Vec<String>,
}

#[derive(Debug, Clone)]
struct Location {
    location: TokenLocation,
    /// Whether a provider that looks here lets the upstream have the token.
    forwarded: bool,
}

/// Which tokens stay in the request.
#[derive(Debug, Clone, Copy)]
pub enum Keep<'a> {
    /// The route asks for no verification: tokens stay where a provider has `forward: true`.
    Forwarded,
    /// Only the verified tokens at these places stay.
    Only(&'a [&'a TokenLocation]),
}

impl Sanitizer {
    /// Prepares what this configuration has to take out.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let names = config.providers.iter().flat_map(header_names).chain([VERDICT_HEADER.to_owned()]);
        let claim_headers = sorted(names.map(|name| variable(name.as_bytes()).collect()));
        let locations = distinct_locations(config);
        let token_headers = sorted(locations.iter().filter_map(Location::header).map(str::to_owned));
        let lengths = claim_headers.iter().map(Vec::len).chain(token_headers.iter().map(String::len));
        let lengths = Lengths::of(lengths.chain([PROOF.len()]));
        Self { claim_headers, locations, lengths, token_headers }
    }

    /// The edits for one request.
    #[must_use]
    pub fn edits(&self, request: &Request<'_>, keep: Keep<'_>) -> Vec<HeaderEdit> {
        let removes_proofs = self.removes_proofs(keep);
        let spoofed = names_where(request, |name| {
            self.lengths.may_hold(name.len())
                && (self.is_claim_header(name) || self.is_twin(name) || (removes_proofs && name == PROOF))
        });
        let mut edits: Vec<_> = spoofed.into_iter().map(|name| HeaderEdit::Remove(name.to_owned())).collect();
        let gone = self.locations.iter().filter(|location| !location.stays(keep));
        remove_tokens(gone.map(|location| &location.location), request, &mut edits);
        edits
    }

    /// A proof of possession goes with the token that it is for, and stays with it.
    fn removes_proofs(&self, keep: Keep<'_>) -> bool {
        let mut places = self.locations.iter().filter(|location| location.location.is_dpop()).peekable();
        places.peek().is_some() && places.all(|location| !location.stays(keep))
    }

    /// Every place where any provider looks for tokens, once.
    pub fn locations(&self) -> impl Iterator<Item = &TokenLocation> {
        self.locations.iter().map(|location| &location.location)
    }

    /// The names that have to go from these trailers. Nothing is read there, but an upstream may merge trailers into the
    /// headers (RFC 9110 section 6.5.1), so no claim and no token may stand there, forwarded or not.
    #[must_use]
    pub fn trailers_to_remove<'t>(&self, trailers: &Request<'t>) -> Vec<&'t str> {
        names_where(trailers, |name| self.is_claim_header(name) || self.carries_tokens(name))
    }

    fn is_claim_header(&self, name: &[u8]) -> bool {
        self.claim_headers.binary_search_by(|reserved| reserved.iter().copied().cmp(variable(name))).is_ok()
    }

    /// Whether an upstream may take this header for another one, in which tokens come.
    fn is_twin(&self, name: &[u8]) -> bool {
        let is_one = || self.token_headers.iter().any(|reserved| reserved.as_bytes() == name);
        let is_like_one = |reserved: &String| variable(reserved.as_bytes()).eq(variable(name));
        !is_one() && self.token_headers.iter().any(is_like_one)
    }

    fn carries_tokens(&self, name: &[u8]) -> bool {
        self.locations.iter().any(|location| match &location.location {
            location if location.is_dpop() && name == PROOF => true,
            TokenLocation::Header { name: reserved, .. } => variable(reserved.as_bytes()).eq(variable(name)),
            TokenLocation::Cookie(_) => name == b"cookie",
            TokenLocation::Query(_) => false,
        })
    }
}

/// The names of headers that `wanted` chooses, each once.
fn names_where<'r>(request: &Request<'r>, wanted: impl Fn(&[u8]) -> bool) -> Vec<&'r str> {
    let chosen = request.headers().map(|(name, _)| name).filter(|name| wanted(name));
    sorted(chosen.filter_map(|name| std::str::from_utf8(name).ok()))
}

/// A name as an upstream sees it that knows headers as variables, where `-` becomes `_` (RFC 3875 section 4.1.18, and
/// with it WSGI, Rack and PHP), and with some servers every other sign too.
pub(crate) fn variable(name: &[u8]) -> impl Iterator<Item = u8> {
    name.iter().map(|byte| if byte.is_ascii_alphanumeric() { *byte } else { b'_' })
}

/// Lengths of texts, as bits; the last stands for everything longer.
#[derive(Debug, Clone, Copy)]
struct Lengths(u64);

impl Lengths {
    fn of(lengths: impl Iterator<Item = usize>) -> Self {
        Self(lengths.map(Self::bit).fold(0, |bits, bit| bits | bit))
    }

    fn may_hold(self, length: usize) -> bool {
        self.0 & Self::bit(length) != 0
    }

    fn bit(length: usize) -> u64 {
        1 << length.min(63)
    }
}

impl Location {
    fn header(&self) -> Option<&str> {
        match &self.location {
            TokenLocation::Header { name, .. } => Some(name),
            _ => None,
        }
    }

    fn stays(&self, keep: Keep<'_>) -> bool {
        match keep {
            Keep::Forwarded => self.forwarded,
            Keep::Only(places) => places.contains(&&self.location),
        }
    }
}

fn header_names(provider: &Provider) -> Vec<String> {
    let claims = provider.claim_headers.iter().map(|claim| claim.header.clone());
    claims.chain(provider.payload_header.iter().map(|payload| payload.name.clone())).collect()
}

fn distinct_locations(config: &Config) -> Vec<Location> {
    let mut distinct: Vec<Location> = Vec::new();
    for provider in &config.providers {
        for location in &provider.locations {
            match distinct.iter_mut().find(|known| known.location == *location) {
                Some(known) => known.forwarded |= provider.forward,
                None => distinct.push(Location { location: location.clone(), forwarded: provider.forward }),
            }
        }
    }
    distinct
}

/// What a request takes along when it goes upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A header changes.
    Header(HeaderEdit),
    /// A property of the request is set, for the filters behind and the access log: its name and its value.
    Property(String, String),
}

/// A claim that cannot be told: it would arrive as another value, or as another header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsafeClaim<'c> {
    /// The header or the property that it was meant for.
    pub target: &'c str,
}

/// Filter state is kept as long as the request: a longer value refuses the token, for a filter behind that denies by
/// the value must not miss it.
const MAX_PROPERTY_BYTES: usize = 4096;

/// The headers and the properties that tell what `token` claims, as `provider` has them configured.
///
/// # Errors
///
/// [`UnsafeClaim`] if a claim cannot be told in its format without doubt, or is too long for a property.
pub fn claim_effects<'c>(provider: &'c Provider, token: &VerifiedToken<'_>) -> Result<Vec<Effect>, UnsafeClaim<'c>> {
    let tell = |claim, format, target| match token.claims().find(claim) {
        Some(value) => claim_text(value, format).map_err(|_| UnsafeClaim { target }),
        None => Ok(None),
    };
    let mut effects = Vec::new();
    for wanted in &provider.claim_headers {
        let text = tell(&wanted.claim, wanted.format, &wanted.header)?;
        effects.extend(text.map(|text| header(&wanted.header, text)));
    }
    for wanted in &provider.claim_states {
        let text = tell(&wanted.claim, wanted.format, &wanted.property)?;
        if text.as_ref().is_some_and(|text| text.len() > MAX_PROPERTY_BYTES) {
            return Err(UnsafeClaim { target: &wanted.property });
        }
        effects.extend(text.map(|text| Effect::Property(wanted.property.clone(), text)));
    }
    effects.extend(provider.payload_header.iter().map(|payload| {
        let engine = if payload.pad { &URL_SAFE } else { &URL_SAFE_NO_PAD };
        header(&payload.name, engine.encode(token.payload_json()))
    }));
    Ok(effects)
}

fn header(name: &str, value: String) -> Effect {
    Effect::Header(HeaderEdit::Replace(name.to_owned(), vec![value.into_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_where_an_upstream_cannot_tell_them_apart() {
        for same in ["x-user-id", "x_user_id", "x-user_id", "x.user-id", "x-user!id"] {
            assert!(variable(b"x-user-id").eq(variable(same.as_bytes())), "{same}");
        }
        for other in ["x-user-i", "x-user-ids", "xuser-id-", ""] {
            assert!(!variable(b"x-user-id").eq(variable(other.as_bytes())), "{other}");
        }
    }
}
