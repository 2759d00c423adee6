//! Ten thousand proxies and one issuer, event by event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use jwt_warden::jwks::RemoteKeys;
use jwt_warden::remote::{Attempt, Failure, Next, Outcome, Response};
use jwt_warden::time::Timestamp;
use jwt_warden::verifier::KeyLookup;
use serde_json::json;

use crate::issuer::{Issuer, latency};
use crate::random::Random;
use crate::simulated::{START, Store, document, remote_keys};

/// The adapter's ticks: while nothing waits (there a quarter of this, which changes no figure but the time that the
/// simulation takes), and while a request does.
const IDLE_TICK: u64 = 1000;
const WAITING_TICK: u64 = 10;
/// A request sets the next tick as soon as the host can.
const NEXT_TICK: u64 = 1;

/// What happens, in milliseconds from the start of the fleet.
pub struct Story {
    pub proxies: u32,
    /// The time within which all proxies start.
    pub start_within: u64,
    /// When the issuer publishes a new key and signs with it.
    pub rotation: u64,
    /// When the first token of the new key reaches a proxy, from the rotation.
    pub first_token: fn(&mut Random) -> u64,
    /// When the issuer is down: every connection is refused.
    pub outage: std::ops::Range<u64>,
    pub end: u64,
}

/// What came of it.
#[derive(Default)]
pub struct Account {
    /// Fetches that reached the issuer's address, per second.
    pub load: Vec<u32>,
    /// How long each proxy's first token of the new key waited, in milliseconds, sorted.
    pub delays: Vec<u64>,
    /// First tokens that were refused.
    pub refused: usize,
    /// When each proxy had fetched again after the outage, in milliseconds from its end, sorted.
    pub recoveries: Vec<u64>,
}

struct Proxy {
    keys: RemoteKeys,
    store: Store,
    /// When the first token of the new key came, as long as it waits.
    waiting_since: Option<u64>,
    /// Nothing is due before: polls until then would find nothing.
    idle_until: u64,
    /// Whether an attempt failed, and none has succeeded since.
    fails: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Tick,
    Token,
    Answer,
}

struct Simulation<'s> {
    story: &'s Story,
    random: Random,
    issuer: Issuer,
    proxies: Vec<Proxy>,
    under_way: Vec<Option<(Attempt, Response)>>,
    events: BinaryHeap<Reverse<(u64, usize, Event)>>,
    account: Account,
}

/// Plays the story to its end.
pub fn play(story: &Story, seed: u64) -> Account {
    let mut simulation = Simulation {
        story,
        random: Random(seed),
        issuer: Issuer::default(),
        proxies: (0..story.proxies).map(|_| Proxy::new()).collect(),
        under_way: (0..story.proxies).map(|_| None).collect(),
        events: BinaryHeap::new(),
        account: Account::default(),
    };
    simulation.prepare();
    while let Some(Reverse((now, proxy, event))) = simulation.events.pop() {
        if now >= story.end {
            break;
        }
        simulation.step(now, proxy, event);
    }
    let mut account = simulation.account;
    account.load.resize(usize::try_from(story.end / 1000).unwrap(), 0);
    account.delays.sort_unstable();
    account.recoveries.sort_unstable();
    account
}

fn time(millis: u64) -> Timestamp {
    START.saturating_add(Duration::from_millis(millis))
}

impl Proxy {
    fn new() -> Self {
        let keys = remote_keys(&json!({}));
        Self { keys, store: Store::default(), waiting_since: None, idle_until: 0, fails: false }
    }
}

impl Simulation<'_> {
    fn prepare(&mut self) {
        for proxy in 0..self.proxies.len() {
            let start = self.random.below(self.story.start_within);
            self.events.push(Reverse((start, proxy, Event::Tick)));
            let token = self.story.rotation + (self.story.first_token)(&mut self.random);
            self.events.push(Reverse((token, proxy, Event::Token)));
        }
    }

    fn step(&mut self, now: u64, proxy: usize, event: Event) {
        match event {
            Event::Tick => self.tick(now, proxy),
            Event::Token => {
                self.proxies[proxy].waiting_since = Some(now);
                self.consider_token(now, proxy);
                if self.proxies[proxy].waiting_since.is_some() {
                    self.events.push(Reverse((now + NEXT_TICK, proxy, Event::Tick)));
                }
            }
            Event::Answer => self.answer(now, proxy),
        }
    }

    /// As the adapter's tick does: look after the keys, then ask again about the request that waits.
    fn tick(&mut self, now: u64, index: usize) {
        let proxy = &mut self.proxies[index];
        if let Some(attempt) = proxy.keys.poll(&proxy.store, time(now)).fetch {
            self.fetch(now, index, attempt);
        }
        self.consider_token(now, index);
        let proxy = &self.proxies[index];
        let next = match proxy.waiting_since {
            Some(_) => now + WAITING_TICK,
            None => (now + IDLE_TICK).max(proxy.idle_until),
        };
        self.events.push(Reverse((next, index, Event::Tick)));
    }

    fn fetch(&mut self, now: u64, index: usize, attempt: Attempt) {
        let second = usize::try_from(now / 1000).unwrap();
        if self.account.load.len() <= second {
            self.account.load.resize(second + 1, 0);
        }
        self.account.load[second] += 1;
        let kids: &[&str] = if now < self.story.rotation { &["old"] } else { &["old", "new"] };
        let (arrival, response) = if self.story.outage.contains(&now) {
            (now + latency(&mut self.random), Response::Failed(Failure::Unreachable))
        } else {
            match self.issuer.serve(now, &mut self.random) {
                Ok(arrival) => (arrival, answer(kids)),
                Err(timeout) => (timeout, Response::Failed(Failure::Timeout)),
            }
        };
        self.under_way[index] = Some((attempt, response));
        self.events.push(Reverse((arrival, index, Event::Answer)));
    }

    fn answer(&mut self, now: u64, index: usize) {
        let Some((attempt, response)) = self.under_way[index].take() else { return };
        let proxy = &mut self.proxies[index];
        let entropy = self.random.next();
        match proxy.keys.receive(attempt, response, &proxy.store, time(now), entropy) {
            Next::Ended(Outcome::Failed { retry_in, .. }) => {
                proxy.fails = true;
                proxy.idle_until = now + u64::try_from(retry_in.as_millis()).unwrap();
            }
            Next::Ended(Outcome::Replaced { .. } | Outcome::Confirmed { .. }) => {
                // A refresh is never due earlier than after three quarters of the ten minutes.
                proxy.idle_until = now + 440_000;
                if std::mem::take(&mut proxy.fails) && now > self.story.outage.end {
                    self.account.recoveries.push(now - self.story.outage.end);
                }
            }
            other => panic!("one worker per proxy, one fetch per attempt: {other:?}"),
        }
        self.consider_token(now, index);
    }

    fn consider_token(&mut self, now: u64, index: usize) {
        let proxy = &mut self.proxies[index];
        let Some(arrival) = proxy.waiting_since else { return };
        match proxy.keys.lookup(Some("new"), time(arrival), time(now)) {
            KeyLookup::Pending(_) => return,
            KeyLookup::Ready(keys) if keys.has_kid("new") => self.account.delays.push(now - arrival),
            KeyLookup::Ready(_) | KeyLookup::Unavailable => self.account.refused += 1,
        }
        proxy.waiting_since = None;
    }
}

fn answer(kids: &[&str]) -> Response {
    Response::Arrived { status: 200, cache_control: None, etag: None, body: document(kids) }
}
