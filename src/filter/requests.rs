//! The requests of one worker: each is decided when it comes, and again when something is new for it while it waits.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::types::{LogLevel, MapType};

use super::connection::HostConnection;
use super::metrics::Verdict;
use super::shared_store::HostStore;
use super::waiting::{Progress, Waiting};
use super::worker::{NEXT_TICK, Worker};
use super::{abi, effects, pairs, route};
use crate::audit::Decided;
use crate::config::ProviderId;
use crate::decision::{Admission, DENIED, Decision, Denial, WOULD_DENY};
use crate::protected_resource::Answer;
use crate::reason::Reason;
use crate::request::Request;
use crate::revocation::LookupKey;
use crate::time::Timestamp;
use crate::verifier::Moment;

/// How often a worker looks at what the others fetched.
pub(super) const IDLE_TICK: Duration = Duration::from_millis(250);
/// The same while requests wait.
const WAITING_TICK: Duration = Duration::from_millis(10);
/// Requests that wake within one callback stack up in the host, which overflows at some 270.
const WAKE_BATCH: usize = 64;

impl Worker {
    /// Decides a request that has just come, in its own context.
    pub(super) fn admit(&self, context_id: u32, progress: &Rc<Cell<Progress>>) {
        let head = abi::header_pairs(MapType::HttpRequestHeaders).unwrap_or_default();
        let route = route::chosen(self.authenticator.asks_for_route(), self.config().route_metadata);
        let request = pairs::parse_request(&head).map(|request| request.on_route(&route));
        let (Some(request), Some(now)) = (request, abi::now()) else {
            self.refuse(&Denial::new(Reason::Internal, None), &Request::new(Vec::new()), progress);
            return;
        };
        let stopwatch = self.stopwatch();
        let decision = self.authenticator.decide(&request, self.moment(now, now));
        if let Some(stopwatch) = stopwatch {
            self.stop(&stopwatch, &decision);
        }
        match decision {
            Decision::Wait(wait) if self.has_room(head.len()) => {
                let progress = Rc::clone(progress);
                let waiting = Waiting { head, route: route.clone(), arrival: now, wait, has_news: false, progress };
                self.enter(context_id, waiting);
            }
            Decision::Wait(wait) => {
                self.conclude(&self.authenticator.turn_away(&request, wait), &request, progress);
            }
            decision => self.conclude(&decision, &request, progress),
        }
    }

    /// What surrounds the request of the effective context.
    fn moment(&self, arrival: Timestamp, now: Timestamp) -> Moment<'_> {
        Moment { keys: self, revocations: self, connection: &HostConnection, store: &HostStore, arrival, now }
    }

    fn has_room(&self, head: usize) -> bool {
        let max_requests = self.config().limits.max_waiting_requests;
        self.waiting.try_borrow().is_ok_and(|waiting| waiting.has_room(head, max_requests))
    }

    fn enter(&self, context_id: u32, waiting: Waiting) {
        self.waiting.borrow_mut().insert(context_id, waiting);
        self.metrics.count_waiting("entered", self.config());
        abi::set_tick_period(NEXT_TICK);
    }

    /// Carries out a final decision on the request of the effective context.
    fn conclude(&self, decision: &Decision, request: &Request<'_>, progress: &Cell<Progress>) {
        match decision {
            Decision::Allow(admission) => self.pass(admission, request, progress),
            Decision::Deny(denial) => self.refuse(denial, request, progress),
            Decision::Tell(answer) => self.answer(answer, request, progress),
            Decision::Wait(_) => self.refuse(&Denial::new(Reason::Internal, None), request, progress),
        }
    }

    fn pass(&self, admission: &Admission, request: &Request<'_>, progress: &Cell<Progress>) {
        let record = self.record(&Decided::admitted(admission, self.config()), request);
        if !effects::carry_out(admission) {
            self.refuse(&Denial::new(Reason::Internal, None), request, progress);
            return;
        }
        progress.set(Progress::Allowed);
        let Admission { rule, provider, code, .. } = *admission;
        let verdict = if admission.reported.is_some() { Verdict::Reported } else { Verdict::Allowed };
        self.metrics.count_request(verdict, rule, provider, code, self.config());
        if let Some(denial) = &admission.reported {
            self.log_denial(WOULD_DENY, denial, request);
        }
        put_on_record(record);
    }

    fn refuse(&self, denial: &Denial, request: &Request<'_>, progress: &Cell<Progress>) {
        progress.set(Progress::Denied);
        let Denial { rule, provider, reason, .. } = *denial;
        self.metrics.count_request(Verdict::Denied, rule, provider, reason.code(), self.config());
        self.log_denial(DENIED, denial, request);
        put_on_record(self.record(&Decided::denied(denial, self.config()), request));
        effects::refuse(denial, self.config());
    }

    fn answer(&self, answer: &Answer, request: &Request<'_>, progress: &Cell<Progress>) {
        progress.set(Progress::Denied);
        self.metrics.count_request(Verdict::Answered, None, None, "protected_resource", self.config());
        put_on_record(self.record(&Decided::answered(answer), request));
        effects::tell(answer);
    }

    /// Takes out of the trailers at hand what the upstream may not see. Says whether that was done.
    pub(super) fn clean_trailers(&self) -> bool {
        let trailers = abi::header_pairs(MapType::HttpRequestTrailers).unwrap_or_default();
        pairs::parse_request(&trailers).is_some_and(|trailers| {
            effects::remove_trailers(&self.authenticator.sanitizer().trailers_to_remove(&trailers))
        })
    }

    /// A waiting client has gone.
    pub(super) fn leave(&self, context_id: u32) {
        let left = self.waiting.try_borrow_mut().ok().and_then(|mut waiting| waiting.remove(context_id));
        if left.is_some() {
            self.metrics.count_waiting("left", self.config());
        }
    }

    /// Something is new for the requests that wait for this provider.
    pub(super) fn tell(&self, id: ProviderId) {
        self.waiting.borrow_mut().tell(id);
    }

    /// This question about one of the provider's tokens has been answered.
    pub(super) fn tell_of(&self, id: ProviderId, question: LookupKey) {
        self.waiting.borrow_mut().tell_of(id, question);
    }

    /// Asks again about the requests for which something is new; a batch at a time.
    pub(super) fn wake(&self, now: Timestamp) {
        let ready = self.waiting.borrow().ready(now);
        for context_id in ready.iter().take(WAKE_BATCH) {
            self.reconsider(*context_id, now);
        }
        abi::set_effective_context(self.root_id);
        abi::set_tick_period(self.next_tick(ready.len() > WAKE_BATCH));
    }

    fn next_tick(&self, more: bool) -> Duration {
        if more {
            NEXT_TICK
        } else if self.waiting.borrow().len() > 0 {
            WAITING_TICK
        } else {
            IDLE_TICK
        }
    }

    /// Asks again about one request. No cell is borrowed while the host is called: it may call back.
    fn reconsider(&self, context_id: u32, now: Timestamp) {
        let Some(mut waiting) = self.waiting.borrow_mut().remove(context_id) else { return };
        // The head was parsed when the request came, so this gives a request again.
        let request = pairs::parse_request(&waiting.head).unwrap_or_else(|| Request::new(Vec::new()));
        let request = request.on_route(&waiting.route);
        waiting.arrival = waiting.arrival.min(now);
        // The connection is the request's only in its own context.
        if !abi::set_effective_context(context_id) {
            self.metrics.count_waiting("left", self.config());
            return;
        }
        let decision = self.authenticator.decide(&request, self.moment(waiting.arrival, now));
        if let Decision::Wait(wait) = decision {
            waiting.wait = wait;
            waiting.has_news = false;
            self.waiting.borrow_mut().insert(context_id, waiting);
            return;
        }
        self.metrics.count_waiting("left", self.config());
        self.record_wait(now.saturating_since(waiting.arrival));
        self.conclude(&decision, &request, &waiting.progress);
        if waiting.progress.get() == Progress::Allowed {
            abi::continue_request();
        }
    }
}

fn put_on_record(line: Option<String>) {
    if let Some(line) = line {
        abi::log(LogLevel::Info, &line);
    }
}
