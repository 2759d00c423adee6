//! Proxies in simulated time: the host's shared data in memory, workers over it, and a clock that the test moves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "a module of several tests")]
#![allow(dead_code, reason = "not every test uses all of it")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use jwt_warden::config::{self, JwksSource};
use jwt_warden::jwks::RemoteKeys;
use jwt_warden::remote::{Attempt, Failure, Next, Outcome, Response};
use jwt_warden::shared_store::{SharedStore, Version};
use jwt_warden::time::Timestamp;
use jwt_warden::verifier::KeyLookup;
use serde_json::{Value, json};

/// When every simulation starts.
pub const START: Timestamp = Timestamp::from_secs(1_700_000_000);
/// The timeout of a fetch, unless a test says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// How often the workers poll, unless a test says otherwise.
pub const STEP: Duration = Duration::from_millis(10);

/// The host's shared data: versions as Envoy counts them.
#[derive(Default)]
pub struct Store {
    values: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
}

impl SharedStore for Store {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.values.borrow().get(key).map(|(value, version)| (value.clone(), Version(*version)))
    }

    fn put(&self, key: &str, value: &[u8]) {
        let mut values = self.values.borrow_mut();
        let version = values.get(key).map_or(1, |(_, version)| version + 1);
        values.insert(key.to_owned(), (value.to_vec(), version));
    }

    fn replace(&self, key: &str, value: &[u8], version: Option<Version>) -> bool {
        let held = self.values.borrow().get(key).map(|(_, version)| Version(*version));
        if held == version {
            self.put(key, value);
        }
        held == version
    }
}

impl Store {
    /// The names of all values: they can never be removed.
    pub fn names(&self) -> Vec<String> {
        self.values.borrow().keys().cloned().collect()
    }

    /// The only value whose name ends so.
    pub fn read(&self, ending: &str) -> Vec<u8> {
        self.get(&self.name(ending)).unwrap().0
    }

    /// Writes there as another plugin could.
    pub fn overwrite(&self, ending: &str, value: &[u8]) {
        self.put(&self.name(ending), value);
    }

    fn name(&self, ending: &str) -> String {
        let mut names = self.names();
        names.retain(|name| name.ends_with(ending));
        assert_eq!(names.len(), 1, "{names:?}");
        names.remove(0)
    }
}

/// The cache of a provider with these settings in `remote_jwks`.
pub fn remote_keys(settings: &Value) -> RemoteKeys {
    let mut remote = json!({"http_uri": {"uri": "https://issuer.test/keys", "cluster": "issuer", "timeout": "5s"}});
    remote.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let provider = json!({"issuer": "https://issuer.test", "audiences": ["api"], "remote_jwks": remote});
    let text = json!({"providers": {"acme": provider}}).to_string();
    let config = config::parse(text.as_bytes(), &|_| None).unwrap().config;
    match &config.providers.first().unwrap().jwks {
        JwksSource::Remote(source) => RemoteKeys::new((**source).clone(), config.limits.max_jwks_bytes),
        JwksSource::Local(_) => panic!("the source is remote"),
    }
}

/// A key set with one key (RFC 7515 appendix A.3) under these names.
pub fn document(kids: &[&str]) -> Vec<u8> {
    let key = |kid: &&str| {
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid,
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    };
    json!({ "keys": kids.iter().map(key).collect::<Vec<_>>() }).to_string().into_bytes()
}

/// An answer with these keys.
pub fn keys(kids: &[&str]) -> Response {
    Response::Arrived { status: 200, cache_control: None, etag: None, body: document(kids) }
}

/// An answer with the key `a` and this `Cache-Control`.
pub fn fresh_for(cache_control: &str) -> Response {
    Response::Arrived { status: 200, cache_control: Some(cache_control.into()), etag: None, body: document(&["a"]) }
}

/// No answer.
pub fn down() -> Response {
    Response::Failed(Failure::Unreachable)
}

/// One proxy.
pub struct Proxy {
    pub store: Store,
    pub workers: Vec<RemoteKeys>,
    pub now: Timestamp,
    pub entropy: u64,
    settings: Value,
}

impl Proxy {
    /// A proxy with so many workers that has just started.
    pub fn new(workers: usize, settings: Value) -> Self {
        let workers = (0..workers).map(|_| remote_keys(&settings)).collect();
        Self { store: Store::default(), workers, now: START, entropy: 0, settings }
    }

    /// A proxy that has just fetched the key `a`.
    pub fn started(workers: usize, settings: Value) -> Self {
        let mut proxy = Self::new(workers, settings);
        proxy.fetch(keys(&["a"]));
        proxy.poll();
        proxy
    }

    /// Adds a worker, as a changed configuration or a reloaded VM does.
    pub fn add_worker(&mut self) -> usize {
        self.workers.push(remote_keys(&self.settings));
        self.workers.len() - 1
    }

    /// Lets time pass without a poll.
    pub fn pass(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    /// Polls every worker once: the attempts that they begin.
    pub fn poll(&mut self) -> Vec<(usize, Attempt)> {
        let polled = self.workers.iter_mut().map(|worker| worker.poll(&self.store, self.now).fetch);
        polled.enumerate().filter_map(|(worker, fetch)| Some((worker, fetch?))).collect()
    }

    /// Polls, expects one attempt, and gives it.
    pub fn begin(&mut self) -> (usize, Attempt) {
        let attempts = self.poll();
        assert_eq!(attempts.len(), 1, "attempts: {attempts:?}");
        attempts[0]
    }

    /// Ends an attempt.
    pub fn finish(&mut self, (worker, attempt): (usize, Attempt), response: Response) -> Outcome {
        self.entropy = self.entropy.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match self.workers[worker].receive(attempt, response, &self.store, self.now, self.entropy) {
            Next::Ended(outcome) => outcome,
            Next::Fetch(_, http) => panic!("another fetch: {http:?}"),
        }
    }

    /// Polls, expects one attempt, and ends it at once.
    pub fn fetch(&mut self, response: Response) -> Outcome {
        let attempt = self.begin();
        self.finish(attempt, response)
    }

    /// Polls at every step for so long, and answers every attempt at once: when they began, from now.
    pub fn run(&mut self, time: Duration, mut answer: impl FnMut() -> Response) -> Vec<Duration> {
        let (start, end) = (self.now, self.now.saturating_add(time));
        let mut began = Vec::new();
        while self.now < end {
            self.pass(STEP);
            for attempt in self.poll() {
                began.push(self.now.saturating_since(start));
                self.finish(attempt, answer());
            }
        }
        began
    }

    /// Asks a worker for the key of a request that arrived at `arrival`.
    pub fn look_up(&mut self, worker: usize, kid: &str, arrival: Timestamp) -> Found {
        match self.workers[worker].lookup(Some(kid), arrival, self.now) {
            KeyLookup::Ready(keys) if keys.has_kid(kid) => Found::Key,
            KeyLookup::Ready(_) => Found::NoKey,
            KeyLookup::Pending(until) => Found::Pending(until),
            KeyLookup::Unavailable => Found::Unavailable,
        }
    }

    /// Asks a worker for the key of a request that arrives now.
    pub fn ask(&mut self, worker: usize, kid: &str) -> Found {
        self.look_up(worker, kid, self.now)
    }

    /// What every worker says about a key at once; they have to agree.
    pub fn all(&mut self, kid: &str) -> Found {
        let found: Vec<_> = (0..self.workers.len()).map(|worker| self.ask(worker, kid)).collect();
        assert!(found.iter().all(|other| *other == found[0]), "{kid}: {found:?}");
        found[0]
    }
}

/// What a look-up gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A set with the key.
    Key,
    /// A set without it: the token is refused.
    NoKey,
    /// The request waits until then at the latest.
    Pending(Timestamp),
    /// There are no keys.
    Unavailable,
}
