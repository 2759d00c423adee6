//! A proxy-wasm host in the test's own process: it implements the functions that the filter imports, and calls the ones
//! that the filter exports, so that the adapter runs natively. Each test thread has a host of its own, as the SDK's
//! dispatcher has.
#![allow(unsafe_code, reason = "the two sides of a C ABI meet here")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "a module of several tests")]
#![allow(dead_code, reason = "not every test uses all of the host")]
#![allow(clippy::missing_safety_doc, reason = "the functions are called by the filter only")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "abi.rs says what the pointers of each call are")]

pub mod functions;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Header names and values.
pub type Headers = Vec<(String, Vec<u8>)>;

/// What the filter answered by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalResponse {
    pub status: u32,
    pub details: String,
    pub headers: Headers,
    pub body: String,
}

/// A request that the filter dispatched.
#[derive(Debug, Clone)]
pub struct Callout {
    pub token: u32,
    pub root: u32,
    pub cluster: String,
    pub headers: Headers,
    pub timeout: Duration,
}

/// The host's side of everything.
#[derive(Default)]
pub struct State {
    pub now_millis: u64,
    pub configuration: Vec<u8>,
    pub effective: u32,
    pub streams: BTreeMap<u32, Headers>,
    /// The trailers of the request at hand.
    pub trailers: Headers,
    pub continued: Vec<u32>,
    pub responses: BTreeMap<u32, LocalResponse>,
    pub shared: BTreeMap<String, (Vec<u8>, u32)>,
    pub callouts: Vec<Callout>,
    pub callouts_sent: usize,
    /// The status of the next dispatches: 0 sends them.
    pub dispatch_status: u32,
    pub callout_headers: Headers,
    pub callout_body: Vec<u8>,
    pub tick_periods: BTreeMap<u32, u32>,
    pub log: Vec<(u32, String)>,
    pub metrics: Vec<(String, i64)>,
    /// What gauges show: the same for all who have defined one.
    pub gauges: BTreeMap<String, i64>,
    /// The name of the route of every request.
    pub route_name: Option<Vec<u8>>,
    /// What an instance in front has said about the route.
    pub route_judged_before: Option<Vec<u8>>,
    /// The digest of every client's certificate, in hexadecimal digits.
    pub certificate_digest: Option<Vec<u8>>,
    /// What is known of every connection besides, by property. What is asked for must stand here, if only as none.
    pub connection: BTreeMap<&'static str, Option<Vec<u8>>>,
    /// The metadata under `jwt_warden` of the route of every request, by level, in the host's form.
    pub metadata: BTreeMap<&'static str, Vec<u8>>,
    /// The level whose metadata cannot be handed over, as those with a `null` in Envoy.
    pub withheld: &'static str,
    /// Fails header edits, to see that nothing fails open.
    pub refuse_edits: bool,
    /// The properties of requests, by context and name.
    pub properties: BTreeMap<(u32, String), String>,
    /// The root contexts that declared a property, and what they said of it.
    pub declared: Vec<(u32, Vec<u8>)>,
    /// Whether properties cannot be declared.
    pub lacks_properties: bool,
    roots: BTreeMap<u32, u32>,
    next_context: u32,
    next_token: u32,
}

thread_local! {
    // Never dropped: contexts that are dropped when the thread ends still call the host.
    static STATE: &'static RefCell<State> = Box::leak(Box::default());
}

/// Looks at, or changes, the host's state.
pub fn with<T>(look: impl FnOnce(&mut State) -> T) -> T {
    STATE.with(|state| look(&mut state.borrow_mut()))
}

unsafe extern "C" {
    fn proxy_on_context_create(context_id: u32, root_context_id: u32);
    fn proxy_on_configure(context_id: u32, size: usize) -> bool;
    fn proxy_on_tick(context_id: u32);
    fn proxy_on_http_call_response(context_id: u32, token: u32, headers: usize, body_size: usize, trailers: usize);
    fn proxy_on_request_headers(context_id: u32, headers: usize, end_of_stream: bool) -> u32;
    fn proxy_on_request_body(context_id: u32, size: usize, end_of_stream: bool) -> u32;
    fn proxy_on_request_trailers(context_id: u32, trailers: usize) -> u32;
    fn proxy_on_done(context_id: u32) -> bool;
    fn proxy_on_log(context_id: u32);
    fn proxy_on_delete(context_id: u32);
}

/// A plugin instance of one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plugin(pub u32);

/// What became of a request so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes upstream with these headers.
    Upstream(Headers),
    /// The filter answered it.
    Answered(LocalResponse),
    /// It is held.
    Held,
}

impl Plugin {
    /// Starts a plugin instance; `None` if it refuses its configuration.
    pub fn start(configuration: &[u8]) -> Option<Self> {
        proxy_wasm::set_root_context(jwt_warden::filter::new_root_context);
        let id = with(|host| {
            if host.now_millis == 0 {
                host.now_millis = 1_700_000_000_000;
            }
            host.configuration = configuration.to_vec();
            host.new_context()
        });
        // SAFETY: the SDK's exports, called as a host calls them.
        let accepted = unsafe {
            proxy_on_context_create(id, 0);
            with(|host| host.effective = id);
            proxy_on_configure(id, configuration.len())
        };
        accepted.then_some(Self(id))
    }

    /// Ticks the root context.
    pub fn tick(self) {
        with(|host| host.effective = self.0);
        // SAFETY: as above.
        unsafe { proxy_on_tick(self.0) }
    }

    /// Begins a request. `more` says that a body follows.
    pub fn request(self, headers: &[(&str, &str)], more: bool) -> u32 {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        self.request_of_bytes(headers.collect(), more)
    }

    /// The same, with values that need not be text.
    pub fn request_of_bytes(self, headers: Headers, more: bool) -> u32 {
        let number = headers.len();
        let id = with(|host| {
            let id = host.new_context();
            host.roots.insert(id, self.0);
            host.streams.insert(id, headers);
            id
        });
        // SAFETY: as above.
        let action = unsafe {
            proxy_on_context_create(id, self.0);
            with(|host| host.effective = id);
            proxy_on_request_headers(id, number, !more)
        };
        if action == 0 {
            with(|host| host.continued.push(id));
        }
        id
    }

    /// Ends the instance.
    pub fn stop(self) {
        with(|host| host.effective = self.0);
        // SAFETY: as above.
        unsafe {
            proxy_on_done(self.0);
            proxy_on_delete(self.0);
        }
    }

    /// A whole request without a body, and what became of it.
    pub fn decide(self, headers: &[(&str, &str)]) -> Verdict {
        let id = self.request(headers, false);
        verdict(id)
    }

    /// Answers the oldest callout.
    pub fn answer(self, headers: &[(&str, &str)], body: &[u8]) {
        let callout = with(|host| {
            host.callout_headers =
                headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
            host.callout_body = body.to_vec();
            let oldest = host.callouts.iter().position(|callout| callout.root == self.0);
            host.callouts.remove(oldest.expect("a callout is under way"))
        });
        with(|host| host.effective = self.0);
        // SAFETY: as above.
        unsafe { proxy_on_http_call_response(self.0, callout.token, headers.len(), body.len(), 0) }
    }

    /// Answers the oldest callout with 200 and this body.
    pub fn answer_ok(self, body: &str) {
        self.answer(&[(":status", "200"), ("x-envoy-upstream-service-time", "1")], body.as_bytes());
    }
}

/// What became of a request so far.
pub fn verdict(id: u32) -> Verdict {
    with(|host| {
        if let Some(response) = host.responses.get(&id) {
            assert!(!host.continued.contains(&id), "an answered request went on");
            return Verdict::Answered(response.clone());
        }
        if host.continued.contains(&id) {
            return Verdict::Upstream(host.streams[&id].clone());
        }
        Verdict::Held
    })
}

/// Hands the filter a piece of the body; says whether it lets it through.
pub fn body_passes(id: u32) -> bool {
    with(|host| host.effective = id);
    // SAFETY: as above.
    unsafe { proxy_on_request_body(id, 10, false) == 0 }
}

/// Hands the filter a trailer; says whether it lets it through.
pub fn trailers_pass(id: u32) -> bool {
    trailers(id, &[("x-sum", "1")]).is_some()
}

/// Hands the filter trailers; gives what is left of them if it lets them through.
pub fn trailers(id: u32, trailers: &[(&str, &str)]) -> Option<Headers> {
    with(|host| {
        host.effective = id;
        host.trailers = trailers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    });
    // SAFETY: as above.
    let action = unsafe { proxy_on_request_trailers(id, trailers.len()) };
    with(|host| (action == 0).then(|| host.trailers.clone()))
}

/// Ends a request.
pub fn finish(id: u32) {
    with(|host| {
        host.effective = id;
        host.streams.remove(&id);
    });
    // SAFETY: as above.
    unsafe {
        proxy_on_done(id);
        proxy_on_log(id);
        proxy_on_delete(id);
    }
}

/// Ends all requests, then the plugin instance.
pub fn end(plugin: Plugin) {
    with(|host| host.streams.keys().copied().collect::<Vec<_>>()).into_iter().for_each(finish);
    finish(plugin.0);
}

/// Forgets everything but the numbers that must not come again.
pub fn forget() {
    with(|host| {
        let (next_context, next_token) = (host.next_context, host.next_token);
        *host = State { next_context, next_token, ..State::default() };
    });
}

/// Lets time pass.
pub fn advance(duration: Duration) {
    with(|host| host.now_millis += u64::try_from(duration.as_millis()).expect("a short time"));
}

impl State {
    fn new_context(&mut self) -> u32 {
        self.next_context += 1;
        self.next_context
    }
}

/// The lines that the filter logged, at this level or above it.
pub fn logged(level: u32) -> Vec<String> {
    with(|host| host.log.iter().filter(|(line_level, _)| *line_level >= level).map(|(_, line)| line.clone()).collect())
}

/// What a gauge shows; `None` if nobody has ever set it.
pub fn shown(name: &str) -> Option<i64> {
    with(|host| host.gauges.get(name).copied())
}

/// A counter's value.
pub fn counted(name: &str) -> i64 {
    with(|host| host.metrics.iter().filter(|(metric, _)| metric == name).map(|(_, value)| value).sum())
}
