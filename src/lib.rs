//! jwt-warden: a strict JWT filter for Envoy, Istio and every other proxy-wasm host.
//!
//! A request flows one way through the core: [`matcher`], [`extractor`], [`jwt`] (parse), provider, [`jwks`] (keys),
//! [`crypto`] (signature), [`claims`], [`decision`]; [`verifier`] takes one token through the checks, [`authenticator`] one
//! request to its decision. The core knows no host, no
//! clock and no I/O; [`filter`] alone does.

pub mod address_range;
pub mod audit;
pub mod authenticator;
#[cfg(test)]
mod authenticator_tests;
pub mod authorization;
mod bearer;
mod claim_text;
pub mod claims;
mod client_certificate;
pub mod config;
pub mod connection;
pub mod crypto;
mod csrf;
pub mod decision;
mod dpop;
mod equal;
#[cfg(not(target_arch = "wasm32"))]
pub mod examination;
pub mod extractor;
pub mod failed_attempts;
mod failure_page;
pub mod filter;
pub mod flood;
pub mod front;
pub mod issuer_matcher;
mod issuers;
pub mod jwks;
pub mod jwt;
pub mod log;
pub mod matcher;
pub mod pattern;
mod presented;
pub mod principal;
pub mod protected_resource;
pub mod reason;
pub mod rehearsal;
pub mod remote;
mod report_only;
pub mod request;
mod requirement;
pub mod revocation;
pub mod route;
mod sender;
pub mod shared_store;
mod sorted;
pub mod string_matcher;
pub mod time;
pub mod token_cache;
pub mod token_digest;
#[cfg(test)]
mod trial;
pub mod upstream;
pub mod verifier;

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, reason = "the SDK's macro makes a public function without a docstring")]
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(crate::filter::new_root_context);
    }}
}
