//! What clients are told about the resource behind the filter (RFC 9728).

use super::{
    IssuerMatcher, Provider,
    raw::RawProtectedResource,
    report::{Checked, Place, quoted},
    settings::printable,
    uri::parts,
};

/// The resource behind the filter, for clients that look for its authorization servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedResource {
    /// Its identifier: an https URL.
    pub resource: String,
    /// The authority of that URL.
    pub authority: String,
    /// Its path.
    pub path: String,
    /// The issuers that clients get tokens from.
    pub authorization_servers: Vec<String>,
    /// The scopes that clients may ask for.
    pub scopes: Vec<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Where people read about it.
    pub documentation: Option<String>,
}

/// Validates what is told. Without servers, those are the exact https issuers of the providers.
pub(super) fn protected_resource(
    raw: RawProtectedResource,
    providers: &[Provider],
    at: &Place<'_>,
) -> Checked<ProtectedResource> {
    let place = at.field("resource");
    let resource = place.required(raw.resource, "the https URL that the resource is known by");
    let resource = resource.and_then(|text| identifier(&text, &place).map(|(authority, path)| (text, authority, path)));
    let servers_place = at.field("authorization_servers");
    let servers = match raw.authorization_servers {
        Some(servers) => servers_place.each(servers, https),
        None => Ok(providers.iter().filter_map(|provider| issuer(&provider.issuer)).collect()),
    };
    let scopes = at.field("scopes_supported").each(raw.scopes_supported.unwrap_or_default(), scope);
    let place = at.field("resource_documentation");
    let documentation = raw.resource_documentation.map(|text| https(text, &place)).transpose();
    let place = at.field("resource_name");
    let name = raw.resource_name.map(|name| printable(name, &place)).transpose();
    let (resource, authority, path) = resource?;
    let authorization_servers = servers?;
    if authorization_servers.is_empty() {
        servers_place.warn("are none: clients will not find out where to get tokens");
    }
    Ok(ProtectedResource {
        resource,
        authority,
        path,
        authorization_servers,
        scopes: scopes?,
        name: name?,
        documentation: documentation?,
    })
}

fn issuer(issuer: &IssuerMatcher) -> Option<String> {
    issuer.exact().filter(|issuer| is_https(issuer)).map(str::to_owned)
}

/// Authority and path of an https URL without a query (RFC 9728 section 1.2).
fn identifier(text: &str, at: &Place<'_>) -> Checked<(String, String)> {
    match parts(text) {
        Some((scheme, authority, path)) if scheme == "https" && !path.contains('?') => {
            Ok((authority.to_ascii_lowercase(), path))
        }
        _ => at.mistake("has to be an https URL without a query, such as `https://api.example/v1`"),
    }
}

fn is_https(text: &str) -> bool {
    parts(text).is_some_and(|(scheme, ..)| scheme == "https")
}

fn https(text: String, at: &Place<'_>) -> Checked<String> {
    if is_https(&text) { Ok(text) } else { at.mistake(format!("{} is not an https URL", quoted(&text))) }
}

/// A scope (RFC 6749 section 3.3).
fn scope(text: String, at: &Place<'_>) -> Checked<String> {
    let is_scope =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if is_scope { Ok(text) } else { at.mistake(format!("{} is not a scope", quoted(&text))) }
}
