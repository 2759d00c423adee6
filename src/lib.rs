//! jwt-warden: a strict JWT filter for Envoy, Istio and every other proxy-wasm host.

pub mod config;
pub mod crypto;
pub mod jwks;
pub mod jwt;
pub mod reason;
pub mod time;
