//! Rules that look at what the filter itself removes or sets.

use super::{Provider, Rule, TokenLocation, report::Place};
use crate::sorted::sorted;
use crate::upstream::VERDICT_HEADER;

const CHOSEN_AGAIN: &str = "Envoy chooses the route again once the filter has removed or set a header: have the guard of \
                            docs/envoy.md behind the filter where routes match on headers, cookies or the query";

/// A rule sees a request as it came: a header that the filter removes or sets holds what the client says.
pub(super) fn warn_of_edited(rules: &[Rule], providers: &[Provider], at: &Place<'_>) {
    let edited = sorted(providers.iter().flat_map(edited_headers).chain([VERDICT_HEADER]));
    let parameters = sorted(providers.iter().flat_map(token_parameters));
    if let Some(index) = rules.iter().position(|rule| rule.matcher.route_name.is_some())
        && providers.iter().any(edits_requests)
    {
        at.index(index).field("match").field("route_name").warn(CHOSEN_AGAIN);
    }
    for (index, rule) in rules.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("match");
        for (index, header) in rule.matcher.headers.iter().enumerate() {
            if edited.binary_search(&header.name.as_str()).is_ok() {
                let sentence = "the filter itself removes or sets this header: a rule sees what the client sent in it";
                at.field("headers").index(index).field("name").warn(sentence);
            }
        }
        for (index, parameter) in rule.matcher.query_parameters.iter().enumerate() {
            if parameters.binary_search(&parameter.name.as_str()).is_ok() {
                let sentence = "tokens come in this parameter, and the filter removes them: a rule sees it as it came";
                at.field("query_parameters").index(index).field("name").warn(sentence);
            }
        }
    }
}

fn edits_requests(provider: &Provider) -> bool {
    !provider.forward || !provider.claim_headers.is_empty() || provider.payload_header.is_some()
}

fn edited_headers(provider: &Provider) -> impl Iterator<Item = &str> {
    let tokens = provider.locations.iter().filter_map(|location| match location {
        TokenLocation::Header { name, .. } => Some(name.as_str()),
        TokenLocation::Cookie(_) => Some("cookie"),
        TokenLocation::Query(_) => None,
    });
    let proofs = provider.takes_dpop().then_some("dpop");
    let claims = provider.claim_headers.iter().map(|claim| claim.header.as_str());
    tokens.chain(proofs).chain(claims).chain(provider.payload_header.iter().map(|payload| payload.name.as_str()))
}

fn token_parameters(provider: &Provider) -> impl Iterator<Item = &str> {
    provider.locations.iter().filter_map(|location| match location {
        TokenLocation::Query(name) => Some(name.as_str()),
        _ => None,
    })
}
