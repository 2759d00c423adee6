//! The tokens that one request presents: each place is looked at, and each token decoded, at the first need only.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::config::{ProviderId, TokenLocation};
use crate::decision::Denial;
use crate::extractor::tokens_at;
use crate::jwt::{DecodedToken, FormError};
use crate::principal::Principal;
use crate::request::Request;
use crate::token_cache::Remembered;

/// One place of a request where tokens may stand.
pub(crate) struct Place<'r> {
    pub(crate) location: &'r TokenLocation,
    found: OnceCell<Found<'r>>,
}

/// What stands at a place.
pub(crate) enum Found<'r> {
    Nothing,
    Token(Token<'r>),
    /// More than one token, of which an upstream might take another than the one that was verified.
    Several,
}

impl Found<'_> {
    pub(crate) const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// A token, and what has been found out about it so far.
pub(crate) struct Token<'r> {
    pub(crate) bytes: &'r [u8],
    pub(crate) remembered: OnceCell<Option<Rc<Remembered>>>,
    pub(crate) decoded: OnceCell<Result<DecodedToken<'r>, FormError>>,
    /// The providers that accept its issuer.
    pub(crate) accepting: OnceCell<Rc<[ProviderId]>>,
    /// What is known of it by each provider that has been asked: a requirement may ask for one provider many times.
    verdicts: RefCell<Vec<(ProviderId, Verdict)>>,
}

/// Who a token speaks for by one provider, or why it is refused.
pub(crate) type Verdict = Result<Rc<Principal>, Denial>;

impl<'r> Place<'r> {
    pub(crate) const fn new(location: &'r TokenLocation) -> Self {
        Self { location, found: OnceCell::new() }
    }

    pub(crate) fn look(&self, request: &Request<'r>) -> &Found<'r> {
        self.found.get_or_init(|| {
            let mut found = Found::Nothing;
            tokens_at(self.location, request, |token| {
                found = if matches!(found, Found::Nothing) { Found::Token(Token::new(token)) } else { Found::Several };
            });
            // An upstream might look at the other credentials (RFC 9110 section 11.6.2 knows one header only).
            if matches!(found, Found::Token(_)) && self.location.is_dpop() && self.has_company(request) {
                found = Found::Several;
            }
            found
        })
    }
}

impl Place<'_> {
    /// Whether there is another header of the same name.
    fn has_company(&self, request: &Request<'_>) -> bool {
        match self.location {
            TokenLocation::Header { name, .. } => request.header_values(name).nth(1).is_some(),
            TokenLocation::Query(_) | TokenLocation::Cookie(_) => false,
        }
    }
}

impl<'r> Token<'r> {
    const fn new(bytes: &'r [u8]) -> Self {
        Self {
            bytes,
            remembered: OnceCell::new(),
            decoded: OnceCell::new(),
            accepting: OnceCell::new(),
            verdicts: RefCell::new(Vec::new()),
        }
    }

    pub(crate) fn verdict(&self, id: ProviderId) -> Option<Verdict> {
        let verdicts = self.verdicts.try_borrow().ok()?;
        verdicts.iter().find(|(known, _)| *known == id).map(|(_, verdict)| verdict.clone())
    }

    pub(crate) fn note(&self, id: ProviderId, verdict: Verdict) {
        if let Ok(mut verdicts) = self.verdicts.try_borrow_mut() {
            verdicts.push((id, verdict));
        }
    }
}
