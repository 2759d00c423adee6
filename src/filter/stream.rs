//! The context of one request.

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::waiting::Progress;
use super::worker::Worker;

pub(super) struct Stream {
    context_id: u32,
    worker: Option<Rc<Worker>>,
    progress: Rc<Cell<Progress>>,
}

impl Stream {
    pub(super) fn new(context_id: u32, worker: Option<Rc<Worker>>) -> Self {
        Self { context_id, worker, progress: Rc::new(Cell::new(Progress::Undecided)) }
    }

    /// Nothing goes upstream unless the request has been allowed.
    fn action(&self) -> Action {
        match self.progress.get() {
            Progress::Allowed => Action::Continue,
            Progress::Undecided | Progress::Denied => Action::Pause,
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        if let Some(worker) = &self.worker {
            worker.admit(self.context_id, &self.progress);
        }
        self.action()
    }

    /// Pausing on the headers does not hold the body where `allow_on_headers_stop_iteration` is set: this does.
    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.action()
    }

    /// Trailers are cleaned even where the request still waits: they are not shown again when it goes on.
    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        let clean = self.worker.as_ref().is_some_and(|worker| worker.clean_trailers());
        if clean { self.action() } else { Action::Pause }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let (Progress::Undecided, Some(worker)) = (self.progress.get(), &self.worker) {
            worker.leave(self.context_id);
        }
    }
}
