//! What goes upstream with a request, and what is told of its tokens.

use std::rc::Rc;

use super::Authenticator;
use crate::config::{Provider, ROUTE_PROPERTY};
use crate::decision::Admission;
use crate::extractor::HeaderEdit;
use crate::request::Request;
use crate::requirement::Admitted;
use crate::upstream::{Effect, Keep};

impl Authenticator {
    /// A request that goes upstream without verification.
    pub(crate) fn unverified(&self, request: &Request<'_>, code: &'static str) -> Admission {
        let edits = self.sanitizer.edits(request, Keep::Forwarded);
        let told = self.judged_route(request).into_iter().collect();
        Admission { rule: None, provider: None, code, edits, told, identity: None, reported: None }
    }

    /// By which route the request was judged: Envoy may choose another one once its headers are changed. Routes without
    /// names could not be told apart, so of them nothing is said.
    fn judged_route(&self, request: &Request<'_>) -> Option<Rc<[Effect]>> {
        let name = std::str::from_utf8(request.route_name()?).ok().filter(|name| !name.is_empty())?;
        self.tells_route.then(|| [Effect::Property(ROUTE_PROPERTY.to_owned(), name.to_owned())].into())
    }

    /// A request that goes upstream with what its tokens claim.
    pub(super) fn admission(&self, request: &Request<'_>, admitted: &[Admitted<'_>]) -> Admission {
        let forwards = |id| self.config.provider(id).is_some_and(|provider| provider.forward);
        let kept = admitted.iter().filter(|token| forwards(token.principal.provider)).map(|token| token.location);
        let edits = self.sanitizer.edits(request, Keep::Only(&kept.collect::<Vec<_>>()));
        let claims = (0..admitted.len()).map(|position| self.told(admitted, position));
        let claims = claims.filter(|effects| !effects.is_empty());
        let told = self.judged_route(request).into_iter().chain(claims).collect();
        let provider = admitted.first().map(|token| token.principal.provider);
        let code = match provider {
            None => "not_required",
            Some(_) if admitted.iter().all(|token| token.is_certain) => "verified",
            Some(_) => "verified_without_revocation",
        };
        let identity = admitted.first().and_then(|token| token.principal.identity.clone());
        Admission { rule: None, provider, code, edits, told, identity, reported: None }
    }

    /// What is told of the token at this position. Where the provider of an earlier token tells something, no later token
    /// does, even where the earlier has no such claim: two tokens must not be taken for one.
    fn told(&self, admitted: &[Admitted<'_>], position: usize) -> Rc<[Effect]> {
        let (earlier, rest) = admitted.split_at_checked(position).unwrap_or_default();
        let Some(token) = rest.first() else { return Rc::new([]) };
        let effects = &token.principal.effects;
        let earlier = || earlier.iter().filter_map(|token| self.config.provider(token.principal.provider));
        if position == 0 || effects.is_empty() {
            return Rc::clone(effects);
        }
        effects.iter().filter(|effect| !earlier().any(|provider| tells(provider, effect))).cloned().collect()
    }
}

/// Whether the provider has this header or property told of its own tokens.
fn tells(provider: &Provider, effect: &Effect) -> bool {
    match effect {
        Effect::Header(HeaderEdit::Remove(name) | HeaderEdit::Replace(name, _)) => {
            provider.claim_headers.iter().any(|header| header.header == *name)
                || provider.payload_header.as_ref().is_some_and(|header| header.name == *name)
        }
        Effect::Property(name, _) => provider.claim_states.iter().any(|state| state.property == *name),
    }
}
