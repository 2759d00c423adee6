//! Carries out decisions on the request of the effective context.

use proxy_wasm::types::{LogLevel, MapType};

use super::abi;
use crate::config::{Config, ROUTE_PROPERTY, VERDICT_PROPERTY};
use crate::decision::{Admission, Denial};
use crate::extractor::HeaderEdit;
use crate::protected_resource::Answer;
use crate::upstream::Effect;

/// Says once, when the plugin is configured, that these properties of requests will be texts: filters behind could not
/// compare them otherwise. Says whether the host has done it.
pub(super) fn declare_properties(config: &Config) -> bool {
    if config.tells_route() {
        // Nobody has asked for it: where the host cannot do it, whoever compares it will find nothing.
        let _ = abi::declare_text_property(ROUTE_PROPERTY);
    }
    if config.reports_anything() {
        let _ = abi::declare_text_property(VERDICT_PROPERTY);
    }
    config.properties().into_iter().all(|name| {
        let declared = abi::declare_text_property(name);
        if !declared {
            let line = format!("jwt-warden: configuration refused: claim_to_filter_state: the host refuses {name}");
            abi::log(LogLevel::Error, &line);
        }
        declared
    })
}

/// Makes the changes to the request. Says whether the host made them all: a request that kept a header which only the
/// filter may set must not go on, nor one that lacks a property which a filter behind may deny by.
pub(super) fn carry_out(admission: &Admission) -> bool {
    admission.edits.iter().all(edit)
        && admission.told.iter().flat_map(|effects| effects.iter()).all(|effect| match effect {
            Effect::Header(change) => edit(change),
            Effect::Property(name, value) => set_property(name, value),
        })
}

/// An instance in front has said by which route it judged: that has to hold too, so its word stays.
fn set_property(name: &str, value: &str) -> bool {
    let is_said = || abi::property(&[name]).ok().flatten().is_some_and(|said| !said.is_empty());
    (name == ROUTE_PROPERTY && is_said()) || abi::set_property(name, value)
}

fn edit(edit: &HeaderEdit) -> bool {
    match edit {
        HeaderEdit::Remove(name) => abi::remove_header(MapType::HttpRequestHeaders, name),
        HeaderEdit::Replace(name, values) => match values.split_first() {
            Some((first, others)) => {
                abi::replace_request_header(name, first)
                    && others.iter().all(|value| abi::add_request_header(name, value))
            }
            None => abi::remove_header(MapType::HttpRequestHeaders, name),
        },
    }
}

/// Removes these names from the request's trailers. Says whether the host did so.
pub(super) fn remove_trailers(names: &[&str]) -> bool {
    names.iter().all(|name| abi::remove_header(MapType::HttpRequestTrailers, name))
}

/// Answers the request with what it asks for.
pub(super) fn tell(answer: &Answer) {
    abi::send_response(answer.status, "jwt_warden_protected_resource", answer.headers, &answer.body);
}

/// Answers the request.
pub(super) fn refuse(denial: &Denial, config: &Config) {
    let answer = denial.answer(config);
    let details = format!("jwt_warden_denied{{{}}}", denial.reason.code());
    let challenge = denial.challenge(config);
    let mut headers = vec![("content-type", "text/plain")];
    headers.extend(challenge.as_deref().map(|challenge| ("www-authenticate", challenge)));
    let retry_after = denial.retry_after.or_else(|| (answer.status == 503).then_some(1)).map(|time| time.to_string());
    headers.extend(retry_after.as_deref().map(|seconds| ("retry-after", seconds)));
    headers.extend(denial.nonce.as_deref().map(|nonce| ("dpop-nonce", nonce)));
    abi::send_response(answer.status, &details, &headers, answer.body);
}
