//! Documents that are fetched through clusters of the proxy: once for all workers, refreshed ahead of time, and kept while
//! their server is away.

mod attempt;
mod bounds;
mod document;
mod ending;
mod fetch;
mod record;
mod schedule;
mod settings;
mod stored;

pub(crate) use attempt::Stage;
pub use attempt::{Attempt, Next, Outcome, Polled, Status};
pub(crate) use document::RemoteDocument;
pub(crate) use fetch::body;
pub use fetch::{Failure, Response};
pub(crate) use settings::{Contents, Settings};
