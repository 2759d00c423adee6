//! The adapter: the only place that names `proxy_wasm`. It feeds the core with bytes, events and the time, and carries
//! out what the core decides.

mod abi;
mod connection;
mod effects;
mod fetches;
mod gauges;
mod host_crypto;
mod journal;
mod keys;
mod metrics;
mod observation;
mod pairs;
mod report;
mod requests;
mod revocations;
mod root;
mod route;
mod shared_store;
mod stream;
mod waiting;
mod worker;

use proxy_wasm::traits::RootContext;

/// Makes the root context of a plugin instance: what the host calls first.
#[must_use]
pub fn new_root_context(context_id: u32) -> Box<dyn RootContext> {
    Box::new(root::Root::new(context_id))
}
