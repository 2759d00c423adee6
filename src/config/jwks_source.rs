//! Where a provider's keys come from: the configuration, the VM's environment or a server.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    JwksSource, RemoteJwks,
    local_keys::check_local_keys,
    provider::holds_hmac,
    raw::{RawBytes, RawDiscovery, RawRemoteJwks},
    remote_jwks::{discovery, remote_jwks},
    report::{Checked, Place, quoted},
};
use crate::crypto::AlgorithmSet;

/// Standard base64, padded or not, as proto3 JSON has bytes; the URL-safe alphabet is mapped to it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a key source is validated with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Looks up a variable of the VM's environment.
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    /// The largest key set.
    pub(super) max_jwks_bytes: usize,
}

/// Validates the one source that is given; `listed` are the algorithms that the configuration lists.
pub(super) fn jwks_source(
    raw: RawSources,
    issuer: Option<&str>,
    listed: Option<AlgorithmSet>,
    context: Context<'_>,
    at: &Place<'_>,
) -> Checked<JwksSource> {
    match raw {
        RawSources { local_jwks: Some(local), remote_jwks: None, discovery: None } => {
            local_jwks(local, listed, context, &at.field("local_jwks")).map(JwksSource::Local)
        }
        RawSources { local_jwks: None, remote_jwks: Some(remote), discovery: None } => {
            fetched(remote_jwks(remote, &at.field("remote_jwks")), listed, at)
        }
        RawSources { local_jwks: None, remote_jwks: None, discovery: Some(raw) } => {
            fetched(discovery(raw, issuer, &at.field("discovery")), listed, at)
        }
        RawSources { local_jwks: None, remote_jwks: None, discovery: None } => {
            at.mistake("needs its keys: give remote_jwks, discovery or local_jwks")
        }
        _ => at.mistake("has more than one of local_jwks, remote_jwks and discovery: give one of them"),
    }
}

/// The three sources, of which one has to be there.
pub(super) struct RawSources {
    pub(super) local_jwks: Option<RawBytes>,
    pub(super) remote_jwks: Option<RawRemoteJwks>,
    pub(super) discovery: Option<RawDiscovery>,
}

fn fetched(source: Checked<RemoteJwks>, listed: Option<AlgorithmSet>, at: &Place<'_>) -> Checked<JwksSource> {
    no_shared_secrets(listed, &at.field("algorithms")).and(source).map(|remote| JwksSource::Remote(Box::new(remote)))
}

fn no_shared_secrets(listed: Option<AlgorithmSet>, at: &Place<'_>) -> Checked<()> {
    if listed.is_some_and(holds_hmac) {
        return at.mistake("HS256, HS384 and HS512 need a shared secret, which only local_jwks may hold");
    }
    Ok(())
}

fn local_jwks(raw: RawBytes, listed: Option<AlgorithmSet>, context: Context<'_>, at: &Place<'_>) -> Checked<Vec<u8>> {
    let (field, document) = given_bytes(raw, context, at)?;
    check_local_keys(&document, listed, context.max_jwks_bytes, &at.field(field))?;
    Ok(document)
}

/// The bytes, and the field that gives them.
pub(super) fn given_bytes(raw: RawBytes, context: Context<'_>, at: &Place<'_>) -> Checked<(&'static str, Vec<u8>)> {
    let (field, bytes) = match (raw.inline_string, raw.inline_bytes, raw.environment_variable) {
        (Some(text), None, None) => ("inline_string", Ok(text.into_bytes())),
        (None, Some(text), None) => ("inline_bytes", decoded(&text, &at.field("inline_bytes"))),
        (None, None, Some(name)) => {
            ("environment_variable", variable(&name, context.environment, &at.field("environment_variable")))
        }
        _ => return at.mistake("needs exactly one of inline_string, inline_bytes and environment_variable"),
    };
    Ok((field, bytes?))
}

fn decoded(text: &str, at: &Place<'_>) -> Checked<Vec<u8>> {
    let standard = text.replace('-', "+").replace('_', "/");
    BASE64.decode(standard).map_err(|_| at.note("has to be base64"))
}

fn variable(name: &str, environment: &dyn Fn(&str) -> Option<String>, at: &Place<'_>) -> Checked<Vec<u8>> {
    let value = environment(name).filter(|value| !value.is_empty());
    value.map(String::into_bytes).ok_or_else(|| {
        let name = quoted(name);
        at.note(format!("{name} is not set, or is empty, in the VM's environment (vm_config.environment_variables)"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_of_base64_are_read() {
        let report = super::super::report::Report::default();
        for text in ["+/8=", "-_8=", "+/8", "-_8"] {
            assert_eq!(decoded(text, &report.root()).ok(), Some(vec![0xfb, 0xff]), "{text}");
        }
        for text in ["a", "+/9", "=", "a b=", "{}"] {
            assert_eq!(decoded(text, &report.root()).ok(), None, "{text}");
        }
    }
}
