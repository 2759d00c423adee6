//! Whether a token has been revoked: asked at each request, for what has been remembered of a token says nothing about what
//! happened to it since.
//!
//! As with keys, nothing here does I/O: documents and answers are fetched by the adapter.

mod check;
mod denylist;
mod lookup;
mod marks;
mod polled;
mod provider;
mod status_list;
mod text_table;

#[cfg(test)]
#[path = "../../tests/mint/mod.rs"]
mod mint;

pub(crate) use check::check;
pub use denylist::Denylist;
pub use lookup::{Answer, LookupKey, Lookups, Received};
pub use marks::{Marks, Status};
pub use polled::{Outside, PolledDenylist, PolledStatusList, Source, Verify};
pub use provider::{ProviderRevocation, Standing};
pub use status_list::{StatusList, StatusListToken};

/// Why a token is revoked, for the proxy's log.
pub type Revoked = &'static str;
