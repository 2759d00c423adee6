//! How many lines of a kind that clients can provoke go to the log: so many per window, and of the others the number, so
//! that to write them is never what stops the proxy.

use std::time::Duration;

use crate::config::{Config, ProviderId, RuleId};
use crate::log::Line;
use crate::time::Timestamp;

/// How long a window lasts.
pub const WINDOW: Duration = Duration::from_secs(10);

/// So many kinds are told apart by rule and provider. The codes alone are the filter's own, and few.
const ROOM: usize = 64;

/// What lines have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What the lines begin with.
    pub event: &'static str,
    /// What the event's code is called, such as `reason`, and the code; empty if there is none.
    pub code: (&'static str, &'static str),
    /// The rule, if it has a name.
    pub rule: Option<RuleId>,
    /// The provider, where one is known.
    pub provider: Option<ProviderId>,
}

/// The lines of one window.
#[derive(Debug)]
pub struct Flood {
    max_lines: usize,
    since: Timestamp,
    written: usize,
    left_out: Vec<(Kind, u64)>,
}

/// How many lines of a kind were left out of a window that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// What they have in common.
    pub kind: Kind,
    /// How many they were.
    pub number: u64,
    /// How long the window was.
    pub time: Duration,
}

impl Flood {
    /// Windows with at most so many lines each, the first of which begins `now`.
    #[must_use]
    pub const fn new(max_lines: usize, now: Timestamp) -> Self {
        Self { max_lines, since: now, written: 0, left_out: Vec::new() }
    }

    /// Whether one more line of this kind may be written; if not, it is counted.
    #[must_use]
    pub fn admits(&mut self, kind: Kind) -> bool {
        if self.written < self.max_lines {
            self.written = self.written.saturating_add(1);
            return true;
        }
        let kind = if self.left_out.len() < ROOM || self.knows(kind) {
            kind
        } else {
            Kind { rule: None, provider: None, ..kind }
        };
        match self.left_out.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, number)) => *number = number.saturating_add(1),
            None => self.left_out.push((kind, 1)),
        }
        false
    }

    /// Ends the window if its time is over, if the clock was set back, or if there is no more to come (`ends`), and says what
    /// was left out.
    pub fn turn(&mut self, now: Timestamp, ends: bool) -> Vec<LeftOut> {
        let time = now.saturating_since(self.since);
        if !ends && now >= self.since && time < WINDOW {
            return Vec::new();
        }
        self.since = now;
        self.written = 0;
        let left_out = std::mem::take(&mut self.left_out);
        left_out.into_iter().map(|(kind, number)| LeftOut { kind, number, time }).collect()
    }

    fn knows(&self, kind: Kind) -> bool {
        self.left_out.iter().any(|(known, _)| *known == kind)
    }
}

impl LeftOut {
    /// The line for the proxy's log.
    #[must_use]
    pub fn line(&self, config: &Config) -> String {
        let Kind { event, code: (name, code), rule, provider } = self.kind;
        let line = Line::new(event).more();
        let line = if code.is_empty() { line } else { line.field(name, code) };
        line.decided_by(rule, provider, config)
            .field("number", self.number)
            .field("in", format_args!("{}s", self.time.as_secs()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_secs(1000);

    fn kind(code: &'static str, provider: usize) -> Kind {
        Kind { event: "denied", code: ("reason", code), rule: None, provider: Some(ProviderId(provider)) }
    }

    fn after(seconds: u64) -> Timestamp {
        START.saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn beyond_the_limit_lines_are_counted_until_the_window_is_over() {
        let mut flood = Flood::new(2, START);
        let written: Vec<_> = (0..5).map(|_| flood.admits(kind("a", 0))).collect();
        assert_eq!(written, [true, true, false, false, false]);
        assert!(!flood.admits(kind("b", 0)) && !flood.admits(kind("a", 1)));
        assert_eq!(flood.turn(START.saturating_add(Duration::from_millis(9_999)), false).len(), 0);
        assert!(!flood.admits(kind("b", 0)));
        let left_out: Vec<_> =
            flood.turn(after(10), false).iter().map(|one| (one.kind, one.number, one.time)).collect();
        assert_eq!(left_out, [(kind("a", 0), 3, WINDOW), (kind("b", 0), 2, WINDOW), (kind("a", 1), 1, WINDOW)]);
        assert!(flood.admits(kind("a", 0)));
        assert_eq!(flood.turn(after(30), false).len(), 0, "nothing was left out");
    }

    #[test]
    fn nothing_but_numbers_is_left_of_lines_that_nobody_wants() {
        let mut flood = Flood::new(0, START);
        assert!(!flood.admits(kind("a", 0)));
        assert_eq!(flood.turn(after(1), true).first().map(|one| one.number), Some(1));
    }

    #[test]
    fn a_clock_that_is_set_mutes_nothing() {
        for now in [after(0).saturating_sub(Duration::from_millis(1)), Timestamp::EPOCH, after(1_000_000)] {
            let mut flood = Flood::new(1, START);
            assert!(flood.admits(kind("a", 0)) && !flood.admits(kind("a", 0)));
            assert_eq!(flood.turn(now, false).len(), 1);
            assert!(flood.admits(kind("a", 0)));
            assert_eq!(flood.turn(now, false).len(), 0);
        }
    }

    #[test]
    fn kinds_are_bounded() {
        let mut flood = Flood::new(0, START);
        for provider in 0..10_000 {
            assert!(!flood.admits(kind(if provider % 2 == 0 { "a" } else { "b" }, provider)));
        }
        let left_out = flood.turn(START, true);
        assert_eq!(left_out.len(), ROOM + 2);
        assert_eq!(left_out.iter().map(|one| one.number).sum::<u64>(), 10_000);
    }

    proptest! {
        #[test]
        fn never_more_lines_than_allowed_and_never_a_count_lost(
            max_lines in 0_usize..5,
            steps in prop::collection::vec((0_usize..100, 0_usize..3, -20_i64..20), 0..400),
        ) {
            let mut flood = Flood::new(max_lines, START);
            let (mut now, mut written, mut counted) = (START, 0, 0);
            let (mut in_window, mut asked) = (0, 0);
            for (provider, code, shift) in steps {
                asked += 1;
                if flood.admits(kind(["a", "b", "c"][code], provider)) {
                    written += 1;
                    in_window += 1;
                }
                prop_assert!(in_window <= max_lines);
                let shift_by = Duration::from_millis(shift.unsigned_abs() * 500);
                let then = if shift < 0 { now.saturating_sub(shift_by) } else { now.saturating_add(shift_by) };
                let before = flood.since;
                counted += flood.turn(then, false).iter().map(|one| one.number).sum::<u64>();
                let is_over = then < before || then >= before.saturating_add(WINDOW);
                if is_over {
                    in_window = 0;
                }
                now = then;
            }
            counted += flood.turn(now, true).iter().map(|one| one.number).sum::<u64>();
            prop_assert_eq!(written + counted, asked);
        }
    }
}
