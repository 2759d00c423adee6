//! Documents that are fetched through clusters of the proxy: once for all workers, refreshed ahead of time, and kept while
//! their server is away.

mod attempt;
mod document;
mod fetch;
mod record;
mod schedule;

pub(crate) use attempt::Stage;
pub use attempt::{Attempt, Next, Outcome, Polled, Status};
pub(crate) use document::{Contents, RemoteDocument, Settings};
pub(crate) use fetch::body;
pub use fetch::{Failure, Response};
