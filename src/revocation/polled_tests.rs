//! The life of a denylist in simulated time, on several workers.

use super::*;
use crate::revocation::Marks;
use crate::shared_store::tests::Memory;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const SECOND: Duration = Duration::from_secs(1);
const REFRESH: Duration = Duration::from_secs(100);
const MAX_STALE: Duration = Duration::from_secs(200);

struct Proxy {
    store: Memory,
    workers: Vec<PolledDenylist>,
    now: Timestamp,
}

fn source() -> PolledList {
    let http = HttpUri {
        scheme: "https".into(),
        authority: "issuer.test".into(),
        path_and_query: "/denied".into(),
        cluster: "issuer".into(),
        timeout: 5 * SECOND,
    };
    PolledList { uri: "https://issuer.test/denied".into(), http, refresh: REFRESH, max_stale: MAX_STALE }
}

impl Proxy {
    /// Three workers that hold this list.
    fn holding(list: &str) -> Self {
        let workers = (0..3).map(|_| PolledDenylist::new(source(), 1 << 20)).collect();
        let mut proxy = Self { store: Memory::default(), workers, now: START };
        assert!(matches!(proxy.fetch(answer(list)), Outcome::Replaced { generation: 1, .. }));
        proxy.poll();
        proxy
    }

    fn act<T>(&mut self, worker: usize, act: impl FnOnce(&mut PolledDenylist, Outside<'_>) -> T) -> T {
        let verify = |_: &[u8]| Err(Failure::NotVerifiable);
        let outside = Outside { store: &self.store, now: self.now, entropy: 7, verify: &verify };
        act(&mut self.workers[worker], outside)
    }

    fn poll(&mut self) -> Vec<(usize, Attempt)> {
        (0..self.workers.len()).filter_map(|worker| Some((worker, self.act(worker, Source::poll).fetch?))).collect()
    }

    /// Expects that one worker fetches, and answers.
    fn fetch(&mut self, response: Response) -> Outcome {
        let attempts = self.poll();
        let [(worker, attempt)] = attempts[..] else { panic!("{attempts:?}") };
        self.act(worker, |list, outside| list.finish(attempt, response, outside))
    }

    /// Waits until the next fetch is due, by whichever worker, and answers it.
    fn next(&mut self, first: usize, response: Response) -> Outcome {
        loop {
            self.now = self.now.saturating_add(SECOND);
            self.workers.rotate_left(first);
            let attempts = self.poll();
            self.workers.rotate_right(first);
            if let [(worker, attempt)] = attempts[..] {
                let worker = (worker + first) % self.workers.len();
                let outcome = self.act(worker, |list, outside| list.finish(attempt, response, outside));
                self.poll();
                return outcome;
            }
            assert!(self.now < START.saturating_add(20 * REFRESH), "no fetch is due");
        }
    }

    /// Whether every worker takes the token for revoked; `None` if it has no list.
    fn revokes(&self, id: &str) -> Option<bool> {
        let marks = Marks { token_id: Some(id.to_owned()), ..Marks::default() };
        let of = |list: &PolledDenylist| Some(list.serving(self.now, self.now).ok()?.revokes(&marks).is_some());
        let all: Vec<_> = self.workers.iter().map(of).collect();
        assert!(all.iter().all(|other| *other == all[0]), "{all:?}");
        all[0]
    }

    fn overwrite(&self, ending: &str, value: &[u8]) {
        let names = self.store.names();
        self.store.put(names.iter().find(|name| name.ends_with(ending)).unwrap(), value);
    }
}

fn answer(body: &str) -> Response {
    Response::Arrived { status: 200, cache_control: None, etag: None, body: body.into() }
}

fn ids(count: usize) -> String {
    let ids: Vec<_> = (0..count).map(|number| format!("\"{number}\"")).collect();
    format!(r#"{{"jti":[{}]}}"#, ids.join(","))
}

fn has_shrunk(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { failure: Failure::Shrunk { .. }, .. })
}

#[test]
fn what_one_worker_fetches_counts_on_all() {
    let mut proxy = Proxy::holding(r#"{"jti":["a"]}"#);
    assert_eq!((proxy.revokes("a"), proxy.revokes("b")), (Some(true), Some(false)));
    proxy.next(1, answer(r#"{"jti":["b"]}"#));
    assert_eq!((proxy.revokes("a"), proxy.revokes("b")), (Some(false), Some(true)));
    assert!(proxy.now <= START.saturating_add(REFRESH));
    proxy.workers.push(PolledDenylist::new(source(), 1 << 20));
    proxy.act(3, Source::warm_up);
    assert_eq!(proxy.revokes("b"), Some(true), "a newcomer takes it over");
}

#[test]
fn a_list_that_has_shrunk_is_taken_over_if_it_is_there_twice_in_a_row() {
    for (first, second) in [(0, 0), (0, 1), (2, 1)] {
        let mut proxy = Proxy::holding(&ids(20));
        assert!(has_shrunk(&proxy.next(first, answer(&ids(10)))));
        assert_eq!(proxy.revokes("19"), Some(true), "the old one stays");
        assert!(matches!(proxy.next(second, answer(&ids(10))), Outcome::Replaced { entries: 10, .. }));
        assert_eq!((proxy.revokes("9"), proxy.revokes("19")), (Some(true), Some(false)));
    }
}

#[test]
fn a_list_that_is_short_only_once_is_not_taken_over() {
    let mut proxy = Proxy::holding(&ids(20));
    assert!(has_shrunk(&proxy.next(1, answer("{}"))));
    assert!(matches!(proxy.next(2, answer(&ids(20))), Outcome::Confirmed { failures: 1 }));
    assert!(has_shrunk(&proxy.next(0, answer("{}"))), "it is the first again");
    assert!(matches!(proxy.next(1, Response::Failed(Failure::Timeout)), Outcome::Failed { .. }));
    assert!(has_shrunk(&proxy.next(1, answer("{}"))), "not in a row");
    assert_eq!(proxy.revokes("19"), Some(true));
}

#[test]
fn a_list_may_lose_less_than_half_and_a_short_one_all() {
    for (from, to, expected) in [(20, 11, false), (20, 10, true), (21, 10, true), (10, 5, true), (9, 0, false)] {
        let outcome = Proxy::holding(&ids(from)).next(0, answer(&ids(to)));
        assert_eq!(has_shrunk(&outcome), expected, "{from} to {to}: {outcome:?}");
    }
}

#[test]
fn the_server_is_asked_for_changes_only() {
    let named = |status, etag: &str, body: &str| Response::Arrived {
        status,
        cache_control: None,
        etag: Some(etag.into()),
        body: body.into(),
    };
    let mut proxy = Proxy::holding("{}");
    assert_eq!(proxy.workers[0].etag(), None);
    let unasked = proxy.next(0, named(304, "\"1\"", ""));
    assert!(matches!(unasked, Outcome::Failed { failure: Failure::Status(304), .. }), "{unasked:?}");
    proxy.next(1, named(200, "\"1\"", r#"{"jti":["a"]}"#));
    assert!(proxy.workers.iter().all(|list| list.etag() == Some("\"1\"")), "every worker knows it");
    let before = proxy.now;
    assert!(matches!(proxy.next(2, named(304, "\"1\"", "")), Outcome::Confirmed { failures: 0 }));
    assert_eq!(proxy.revokes("a"), Some(true));
    proxy.now = before.saturating_add(REFRESH + MAX_STALE + SECOND);
    assert_eq!(proxy.revokes("a"), Some(true), "what was confirmed counts from then on");
}

#[test]
fn a_list_serves_max_stale_beyond_refresh() {
    let mut proxy = Proxy::holding(r#"{"jti":["a"]}"#);
    for bad in ["", "{", "<html>", "[]", r#"{"jti":1}"#] {
        let outcome = proxy.next(1, answer(bad));
        assert!(matches!(outcome, Outcome::Failed { failure: Failure::NotADenylist(_), .. }), "{bad}: {outcome:?}");
    }
    let large = format!("{{\"jti\":[\"{}\"]}}", "a".repeat(1 << 20));
    let outcome = proxy.next(1, answer(&large));
    assert!(matches!(outcome, Outcome::Failed { failure: Failure::TooLarge(_), .. }), "{outcome:?}");
    proxy.now = START.saturating_add(REFRESH + MAX_STALE).saturating_sub(Duration::from_millis(1));
    assert_eq!(proxy.revokes("a"), Some(true));
    proxy.now = START.saturating_add(REFRESH + MAX_STALE);
    assert_eq!(proxy.revokes("a"), None);
}

#[test]
fn a_document_that_another_plugin_wrote_is_not_taken() {
    for forged in [&b"{}"[..], b"\0{}", b"\xff", b"", b"\x05abc", b"\0[[[["] {
        let mut proxy = Proxy::holding(r#"{"jti":["a"]}"#);
        proxy.overwrite("/document", forged);
        proxy.poll();
        assert_eq!(proxy.revokes("a"), Some(true), "those that hold the list keep it");
        proxy.workers = vec![PolledDenylist::new(source(), 1 << 20)];
        proxy.now = proxy.now.saturating_add(SECOND);
        assert_eq!(proxy.poll().len(), 1, "a newcomer fetches for want of it");
        assert_eq!(proxy.revokes("a"), None, "and says that it has none");
    }
}

#[test]
fn a_document_that_cannot_be_read_is_left_alone_for_a_second() {
    let mut proxy = Proxy::holding(r#"{"jti":["a"]}"#);
    let names = proxy.store.names();
    let name = names.iter().find(|name| name.ends_with("/document")).unwrap();
    let good = proxy.store.get(name).unwrap().0;
    proxy.overwrite("/document", b"forged");
    proxy.workers = vec![PolledDenylist::new(source(), 1 << 20)];
    proxy.poll();
    proxy.overwrite("/document", &good);
    proxy.now = proxy.now.saturating_add(Duration::from_millis(999));
    proxy.poll();
    assert_eq!(proxy.revokes("a"), None);
    proxy.now = proxy.now.saturating_add(Duration::from_millis(1));
    proxy.poll();
    assert_eq!(proxy.revokes("a"), Some(true));
}

#[test]
fn an_older_status_list_does_not_take_the_place_of_a_newer_one() {
    let store = Memory::default();
    let mut list = PolledStatusList::new(source(), 1 << 20);
    let mut now = START;
    let mut fetch = |issued_at: Timestamp| {
        let verify = |_: &[u8]| Ok(StatusListToken::for_test("https://issuer.test/denied", issued_at));
        now = now.saturating_add(2 * REFRESH);
        let outside = Outside { store: &store, now, entropy: 7, verify: &verify };
        let attempt = list.poll(outside).fetch.unwrap();
        list.finish(attempt, answer(&issued_at.as_secs().to_string()), outside)
    };
    let earlier = |seconds| START.saturating_sub(seconds * SECOND);
    assert!(matches!(fetch(earlier(60)), Outcome::Replaced { .. }));
    let outcome = fetch(earlier(61));
    assert!(matches!(outcome, Outcome::Failed { failure: Failure::NotAStatusList(_), .. }), "{outcome:?}");
    assert!(matches!(fetch(earlier(59)), Outcome::Replaced { entries: 16, .. }));
    assert!(!matches!(fetch(earlier(59)), Outcome::Failed { .. }), "it is as old as the one before");
    assert_eq!((list.uri(), list.etag()), ("https://issuer.test/denied", None), "it is asked for whole each time");
    assert_eq!((list.kind(), list.accept()), ("status_list", "application/statuslist+jwt"));
    let mut newcomer = PolledStatusList::new(source(), 1 << 20);
    let verify = |_: &[u8]| Ok(StatusListToken::for_test("https://issuer.test/denied", earlier(59)));
    newcomer.warm_up(Outside { store: &store, now, entropy: 7, verify: &verify });
    assert_eq!(newcomer.serving(now, now).unwrap().status(0), Some(1));
}

#[test]
fn a_status_list_is_fetched_again_before_its_time_to_live_is_over() {
    let store = Memory::default();
    let mut list = PolledStatusList::new(source(), 1 << 20);
    let verify = |_: &[u8]| Ok(StatusListToken::for_test(&source().uri, START).living_for(40 * SECOND));
    let at =
        |seconds| Outside { store: &store, now: START.saturating_add(seconds * SECOND), entropy: 7, verify: &verify };
    let attempt = list.poll(at(0)).fetch.unwrap();
    assert!(matches!(list.finish(attempt, answer("1"), at(0)), Outcome::Replaced { .. }));
    assert!(list.poll(at(29)).fetch.is_none() && list.poll(at(38)).fetch.is_some());
}

#[test]
fn a_denylist_is_asked_for_as_what_it_is() {
    let list = PolledDenylist::new(source(), 1 << 20);
    assert_eq!((list.kind(), list.accept()), ("denylist", "application/json"));
}

#[test]
fn no_record_that_another_plugin_wrote_stops_the_filter_or_lets_a_list_serve_for_ever() {
    let record = |proxy: &Proxy| {
        let names = proxy.store.names();
        proxy.store.get(names.iter().find(|name| name.ends_with("/record")).unwrap()).unwrap().0
    };
    let length = record(&Proxy::holding("{}")).len();
    let mut bent = vec![Vec::new(), vec![0; length], vec![0xff; length], vec![1; length], b"{}".to_vec()];
    for start in (1..length - 7).step_by(8) {
        for number in [0, 1, 14, u64::MAX, 1 << 63, START.as_millis()] {
            let mut record = record(&Proxy::holding("{}"));
            record[start..start + 8].copy_from_slice(&u64::to_le_bytes(number));
            bent.push(record);
        }
    }
    for (index, bent) in bent.iter().enumerate() {
        let mut proxy = Proxy::holding(&ids(20));
        proxy.overwrite("/record", bent);
        proxy.next(index % 3, answer(r#"{"jti":["new"],"client_id":["1","2","3","4","5","6","7","8","9","10","11"]}"#));
        assert_eq!(proxy.revokes("new"), Some(true), "record {index}");
        let mut proxy = Proxy::holding(&ids(20));
        proxy.overwrite("/record", bent);
        for _ in 0..(REFRESH + MAX_STALE + 10 * SECOND).as_secs() {
            proxy.now = proxy.now.saturating_add(SECOND);
            for (worker, attempt) in proxy.poll() {
                proxy.act(worker, |list, o| list.finish(attempt, Response::Failed(Failure::Unreachable), o));
            }
        }
        assert_eq!(proxy.revokes("0"), None, "record {index}");
    }
}
