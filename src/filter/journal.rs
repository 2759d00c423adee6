//! What one worker tells the log about requests: why they are refused, within bounds, and what was decided, where that is to
//! be kept.

use std::cell::RefCell;

use proxy_wasm::types::LogLevel;

use super::worker::Worker;
use super::{abi, route};
use crate::audit::{Auditor, Decided};
use crate::config::Config;
use crate::decision::Denial;
use crate::flood::{Flood, Kind};
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;
use crate::token_digest::digest_of_refused;

/// How many lines of other kinds that clients can provoke are written within a window: they have a share of their own, so
/// that refusals do not hide them.
const MAX_NEWS: usize = 20;

/// What one worker has told.
pub(super) struct Journal {
    denials: RefCell<Flood>,
    news: RefCell<Flood>,
    auditor: Option<Auditor>,
}

impl Journal {
    pub(super) fn new(config: &Config) -> Self {
        let now = abi::now().unwrap_or(Timestamp::EPOCH);
        Self {
            denials: RefCell::new(Flood::new(config.limits.max_denial_lines, now)),
            news: RefCell::new(Flood::new(MAX_NEWS, now)),
            auditor: config.audit.as_ref().map(Auditor::new),
        }
    }
}

impl Worker {
    /// Tells why a request is refused, or why one that passes should have been: `event` says which.
    pub(super) fn log_denial(&self, event: &'static str, denial: &Denial, request: &Request<'_>) {
        let config = self.config();
        if self.admits(&self.journal.denials, denial.kind(event, config)) {
            let token = digest_of_refused(&self.authenticator, denial, request);
            let level = if denial.reason == Reason::Internal { LogLevel::Error } else { LogLevel::Warn };
            abi::log(level, &denial.log_line(event, config, request, token.as_deref()));
        }
    }

    /// The line that puts a decision on record, where that is wanted; to be made before the decision is carried out, as Envoy
    /// may choose another route for a request that is changed.
    pub(super) fn record(&self, decided: &Decided<'_>, request: &Request<'_>) -> Option<String> {
        let auditor = self.journal.auditor.as_ref().filter(|auditor| auditor.wants(decided, || self.random()))?;
        let asked = || route::name().ok().flatten();
        let route = request.route_name().map(<[u8]>::to_vec).or_else(asked);
        Some(auditor.line(decided, request, route.as_deref(), self.config()))
    }

    /// Tells other news that clients can provoke.
    pub(super) fn log_news(&self, kind: Kind, level: LogLevel, line: &str) {
        if self.admits(&self.journal.news, kind) {
            abi::log(level, line);
        }
    }

    /// Tells what was left out, once its window is over, or the plugin instance is (`ends`).
    pub(super) fn turn_journal(&self, now: Timestamp, ends: bool) {
        for flood in [&self.journal.denials, &self.journal.news] {
            let left_out = flood.try_borrow_mut().map(|mut flood| flood.turn(now, ends));
            for left_out in left_out.into_iter().flatten() {
                abi::log(LogLevel::Warn, &left_out.line(self.config()));
            }
        }
    }

    fn admits(&self, flood: &RefCell<Flood>, kind: Kind) -> bool {
        let is_admitted = flood.try_borrow_mut().is_ok_and(|mut flood| flood.admits(kind));
        if !is_admitted {
            self.metrics.count_suppressed(self.config());
        }
        is_admitted
    }
}
