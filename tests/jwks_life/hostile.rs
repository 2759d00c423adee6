//! Another plugin of the same namespace writes where it should not: no key of it counts unless it is this source's set,
//! nothing traps, and the next fetch mends it.

use std::time::Duration;

use serde_json::json;

use crate::simulated::{Found, Proxy, STEP, document, down, keys};

const SECOND: Duration = Duration::from_secs(1);
/// How long anything may take to mend: what is left of the set's time, and a lease.
const MENDING: Duration = Duration::from_secs(120);

fn started() -> Proxy {
    let settings = json!({"cache_duration": "100s", "max_stale": "50s", "backoff": {"max_interval": "10s"}});
    let mut proxy = Proxy::started(3, settings);
    proxy.pass(20 * SECOND);
    proxy.poll();
    proxy
}

/// The same after a refetch that failed.
fn failing() -> Proxy {
    let mut proxy = started();
    proxy.ask(0, "b");
    proxy.fetch(down());
    proxy.poll();
    proxy
}

/// Every number of the record, whatever it means, replaced by each of these.
fn bent(record: &[u8]) -> Vec<Vec<u8>> {
    let numbers = [0, 1, u64::MAX, u64::MAX - 1, 1 << 63, 1_700_000_000_000, 1_700_000_010_000];
    let mut bent = Vec::new();
    for start in (1..record.len() - 7).step_by(8) {
        for number in numbers {
            let mut record = record.to_vec();
            record[start..start + 8].copy_from_slice(&u64::to_le_bytes(number));
            bent.push(record);
        }
    }
    bent
}

fn mends(mut proxy: Proxy, what: &str) {
    let fetches = proxy.run(MENDING, || keys(&["a", "b"]));
    assert!((1..=4).contains(&fetches.len()), "{what}: {fetches:?}");
    assert_eq!((proxy.all("a"), proxy.all("b")), (Found::Key, Found::Key), "{what}");
    let arrival = proxy.now.saturating_add(STEP);
    for _ in 0..1100 {
        proxy.look_up(0, "c", arrival);
        proxy.run(STEP, || keys(&["a", "b", "c"]));
    }
    assert_eq!(proxy.all("c"), Found::Key, "{what}: a new kid is fetched again");
}

#[test]
fn no_number_in_the_record_stops_the_filter() {
    for start in [started, failing] {
        let record = start().store.read("/record");
        for (index, bent) in bent(&record).iter().enumerate() {
            let proxy = start();
            proxy.store.overwrite("/record", bent);
            mends(proxy, &format!("number {index}"));
        }
    }
}

#[test]
fn no_number_in_the_record_lets_a_set_serve_for_ever() {
    let record = started().store.read("/record");
    for (index, bent) in bent(&record).iter().enumerate() {
        let mut proxy = started();
        proxy.store.overwrite("/record", bent);
        for _ in 0..(100 + 50 + 10) {
            proxy.pass(SECOND);
            for attempt in proxy.poll() {
                proxy.finish(attempt, down());
            }
        }
        assert_ne!(proxy.ask(0, "a"), Found::Key, "number {index}");
    }
}

#[test]
fn a_record_of_extremes_stops_nothing() {
    let length = started().store.read("/record").len();
    for filler in [0x00, 0x7f, 0x80, 0xff] {
        let proxy = started();
        let mut record = vec![filler; length];
        record[0] = started().store.read("/record")[0];
        proxy.store.overwrite("/record", &record);
        mends(proxy, &format!("all {filler:#x}"));
    }
}

#[test]
fn garbage_for_a_record_is_no_record() {
    let record = started().store.read("/record");
    for garbage in [&b""[..], b"\0", b"null", b"{\"keys\":[]}", &record[..record.len() - 1], &[record[0]; 5000]] {
        let proxy = started();
        proxy.store.overwrite("/record", garbage);
        mends(proxy, &format!("{} bytes", garbage.len()));
    }
}

#[test]
fn a_document_that_is_not_the_records_is_not_taken() {
    for forged in [&document(&["forged"])[..], b"", b"\0\xff", b"{\"keys\":[]}", b"[[[["] {
        let mut proxy = started();
        proxy.store.overwrite("/document", forged);
        proxy.poll();
        assert_eq!(proxy.all("a"), Found::Key, "those that hold the set keep it");
        let newcomer = proxy.add_worker();
        let attempts = proxy.poll();
        assert_eq!(attempts.len(), 1, "the newcomer fetches for want of a document");
        assert_ne!(proxy.ask(newcomer, "forged"), Found::Key);
        assert!(matches!(proxy.ask(newcomer, "a"), Found::Pending(_)));
        proxy.finish(attempts[0], keys(&["a"]));
        proxy.poll();
        assert_eq!(proxy.all("a"), Found::Key);
    }
}

#[test]
fn a_document_that_keeps_getting_lost_makes_one_fetch_per_interval() {
    let mut proxy = started();
    let mut fetches = 0;
    for _ in 0..60 {
        proxy.store.overwrite("/document", b"lost");
        proxy.add_worker();
        fetches += proxy.run(SECOND, || keys(&["a"])).len();
    }
    assert!(fetches <= 14, "{fetches} fetches in a minute");
}
