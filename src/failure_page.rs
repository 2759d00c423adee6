//! A page of counters: a value of fixed length in the host's shared data, in which a source takes a slot.
//!
//! Whoever shares the host's namespace could have written there: what has not the form of a page is an empty one.

use std::time::Duration;

use crate::time::Timestamp;

/// Sources that are counted in one page at the same time.
pub(super) const SLOTS: usize = 32;
/// The source's tag, the time of the first failure in milliseconds, the number of failures.
const SLOT_LENGTH: usize = 8 + 8 + 4;
/// The first byte: another layout gets another number.
const VERSION: u8 = 1;
const LENGTH: usize = 1 + SLOTS * SLOT_LENGTH;

/// The failures of one source since the first one that still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) number: u32,
    pub(super) since: Timestamp,
}

/// A page as it is stored.
pub(super) struct Page([[u8; SLOT_LENGTH]; SLOTS]);

struct Slot {
    tag: [u8; 8],
    failures: Failures,
}

impl Page {
    pub(super) fn parse(bytes: Option<&[u8]>) -> Self {
        let slots = bytes.filter(|bytes| bytes.len() == LENGTH).and_then(|bytes| bytes.strip_prefix(&[VERSION]));
        let (slots, _) = slots.unwrap_or_default().as_chunks::<SLOT_LENGTH>();
        Self(slots.try_into().unwrap_or([[0; SLOT_LENGTH]; SLOTS]))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.0.as_flattened());
        bytes
    }

    /// What this source has failed within the window.
    pub(super) fn of(&self, tag: [u8; 8], window: Duration, now: Timestamp) -> Option<Failures> {
        let mut slots = self.0.iter().map(Slot::read);
        slots.find(|slot| slot.tag == tag && slot.failures.count(window, now)).map(|slot| slot.failures)
    }

    /// Counts a failure of this source. In a full page it takes the slot with the fewest failures, the oldest of those:
    /// so whoever comes with many sources displaces such as himself, before any that has failed more often.
    pub(super) fn add(&mut self, tag: [u8; 8], window: Duration, now: Timestamp) {
        let failures = self.of(tag, window, now).unwrap_or(Failures { number: 0, since: now });
        let failures = Failures { number: failures.number.saturating_add(1), ..failures };
        let rank = |bytes: &[u8; SLOT_LENGTH]| {
            let slot = Slot::read(bytes);
            let counts = slot.failures.count(window, now);
            (slot.tag != tag, counts, slot.failures.number, slot.failures.since)
        };
        if let Some(place) = self.0.iter_mut().min_by_key(|bytes| rank(bytes)) {
            *place = Slot { tag, failures }.write();
        }
    }
}

impl Slot {
    fn read(bytes: &[u8; SLOT_LENGTH]) -> Self {
        let (tag, rest) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let (since, number) = rest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let number = number.first_chunk().map_or(0, |number| u32::from_le_bytes(*number));
        Self { tag: *tag, failures: Failures { number, since: Timestamp::from_millis(u64::from_le_bytes(*since)) } }
    }

    fn write(&self) -> [u8; SLOT_LENGTH] {
        let (since, number) = (self.failures.since.as_millis().to_le_bytes(), self.failures.number.to_le_bytes());
        let mut octets = self.tag.into_iter().chain(since).chain(number);
        [(); SLOT_LENGTH].map(|()| octets.next().unwrap_or_default())
    }
}

impl Failures {
    /// Whether they still count: the window begins with the first. What lies in the future was counted by a clock that has
    /// been set back.
    fn count(self, window: Duration, now: Timestamp) -> bool {
        self.number > 0 && self.since <= now && now.saturating_since(self.since) < window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn number(page: &Page, tag: u8, seconds: u64) -> u32 {
        page.of([tag; 8], WINDOW, at(seconds)).map_or(0, |failures| failures.number)
    }

    #[test]
    fn a_window_begins_with_the_first_failure() {
        let mut page = Page::parse(None);
        page.add([1; 8], WINDOW, at(100));
        page.add([1; 8], WINDOW, at(159));
        assert_eq!((number(&page, 1, 159), number(&page, 1, 160), number(&page, 1, 99)), (2, 0, 0));
        assert_eq!(number(&page, 2, 159), 0);
        page.add([1; 8], WINDOW, at(160));
        assert_eq!((number(&page, 1, 160), number(&page, 1, 219), number(&page, 1, 220)), (1, 1, 0));
    }

    #[test]
    fn a_page_keeps_its_length_whatever_it_is_given() {
        let mut page = Page::parse(None);
        for source in 0..1000_u64 {
            page.add(source.to_le_bytes(), WINDOW, at(source));
            assert_eq!(page.bytes().len(), LENGTH);
        }
        assert_eq!(LENGTH, 641);
    }

    #[test]
    fn what_was_stored_is_read_again() {
        let mut page = Page::parse(None);
        page.add([7; 8], WINDOW, at(100));
        page.add([7; 8], WINDOW, at(101));
        let again = Page::parse(Some(&page.bytes()));
        assert_eq!(again.of([7; 8], WINDOW, at(101)), Some(Failures { number: 2, since: at(100) }));
    }

    #[test]
    fn garbage_is_an_empty_page() {
        let mut page = Page::parse(None);
        page.add([7; 8], WINDOW, at(100));
        let good = page.bytes();
        let mut other_version = good.clone();
        other_version[0] ^= 1;
        for bytes in [&good[1..], &good[..LENGTH - 1], &[good.as_slice(), &[0]].concat(), &other_version, b"", b"x"] {
            assert_eq!(number(&Page::parse(Some(bytes)), 7, 100), 0);
        }
        let mut hostile = Page::parse(Some(&[&[VERSION][..], &[0xff; LENGTH - 1]].concat()));
        assert_eq!(number(&hostile, 0xff, 100), 0, "a time in the future");
        hostile.add([0xff; 8], WINDOW, at(100));
        assert_eq!(number(&hostile, 0xff, 100), 1);
    }

    #[test]
    fn who_has_failed_often_is_not_displaced_by_those_who_failed_once() {
        let mut page = Page::parse(None);
        for _ in 0..3 {
            page.add([1; 8], WINDOW, at(100));
        }
        for source in 1000..2000_u64 {
            page.add(source.to_le_bytes(), WINDOW, at(101));
        }
        assert_eq!(number(&page, 1, 101), 3);
        page.add([1; 8], WINDOW, at(101));
        assert_eq!(number(&page, 1, 101), 4);
    }

    #[test]
    fn what_counts_no_longer_makes_room_first() {
        let mut page = Page::parse(None);
        for _ in 0..9 {
            page.add([1; 8], WINDOW, at(0));
        }
        for source in 1000..1031_u64 {
            page.add(source.to_le_bytes(), WINDOW, at(60));
        }
        page.add([2; 8], WINDOW, at(61));
        assert!((1000..1031_u64).all(|source| page.of(source.to_le_bytes(), WINDOW, at(61)).is_some()));
        assert_eq!(number(&page, 2, 61), 1);
    }
}
