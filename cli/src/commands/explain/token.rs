//! The place where the filter looks for a token.

use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::{HeaderPrefix, Provider, Requirement, TokenLocation};
use jwt_warden::jwt::DecodedToken;

use super::question::Question;
use crate::pasted::MAX_BYTES;

/// Puts the token where the provider looks first. Says where that is.
pub(super) fn place(question: &mut Question, token: &str, by_dpop: bool, provider: Option<&Provider>) -> String {
    let fits = |location: &&TokenLocation| !by_dpop || location.is_dpop();
    let location = provider.and_then(|provider| provider.locations.iter().find(fits));
    match location {
        Some(TokenLocation::Header { name, prefix }) => {
            let value = match prefix {
                HeaderPrefix::None => token.to_owned(),
                HeaderPrefix::Scheme(scheme) => format!("{scheme} {token}"),
                HeaderPrefix::Literal(literal) => format!("{literal}{token}"),
            };
            question.add(name, &value);
        }
        Some(TokenLocation::Query(name)) => question.add_parameter(name, token),
        Some(TokenLocation::Cookie(name)) => question.add("cookie", &format!("{name}={token}")),
        None => question.add("authorization", &format!("{} {token}", if by_dpop { "DPoP" } else { "Bearer" })),
    }
    let other =
        if by_dpop { "in the header authorization, under the scheme DPoP" } else { "in the header authorization" };
    location.map_or_else(|| other.to_owned(), super::words::location)
}

/// The provider whose place it is: of those that are asked for, the one that accepts the token's issuer, or the first.
pub(super) fn addressee<'a>(
    authenticator: &'a Authenticator,
    requirement: Option<&Requirement>,
    token: &str,
) -> Option<&'a Provider> {
    let providers = &authenticator.config().providers;
    let asked: Vec<&Provider> = match requirement {
        Some(requirement) => requirement.providers().iter().filter_map(|id| providers.get(id.0)).collect(),
        None => providers.iter().collect(),
    };
    let decoded = DecodedToken::decode(token.as_bytes(), MAX_BYTES);
    let parsed = decoded.as_ref().ok().and_then(|decoded| decoded.parse(&[]).ok());
    let accepts = |provider: &&&Provider| {
        parsed.as_ref().is_some_and(|token| jwt_warden::claims::accepts_issuer(provider, token.issuer()))
    };
    asked.iter().find(accepts).or_else(|| asked.first()).copied()
}
