//! What the proxy's log says: one line per event, `key=value` pairs, everything from outside escaped and cut.

use std::fmt::Write as _;

use crate::config::{Config, ProviderId, RuleId};

/// How many characters of one value from outside a line shows.
const VALUE_BOUND: usize = 128;

/// A log line in the making: a fixed text, then fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// A line that begins with the filter's name and this fixed text.
    #[must_use]
    pub fn new(event: &str) -> Self {
        Self(format!("jwt-warden: {event}"))
    }

    /// The same event again, of which only the number is told.
    #[must_use]
    pub(crate) fn more(mut self) -> Self {
        self.0.push_str(" more");
        self
    }

    /// Adds the rule that decided, if it has a name, and the provider, where one is known.
    #[must_use]
    #[inline(never)]
    pub(crate) fn decided_by(mut self, rule: Option<RuleId>, provider: Option<ProviderId>, config: &Config) -> Self {
        if let Some(name) = rule.and_then(|rule| config.rule_name(rule)) {
            self = self.field("rule", name);
        }
        match provider.and_then(|id| config.provider(id)) {
            Some(provider) => self.quoted("provider", provider.name.as_bytes()),
            None => self,
        }
    }

    /// Adds a field whose value is the filter's own: a code, a number.
    #[must_use]
    pub fn field(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.with(name, &value)
    }

    #[inline(never)]
    fn with(mut self, name: &str, value: &dyn std::fmt::Display) -> Self {
        let _ = write!(self.0, " {name}={value}");
        self
    }

    /// Adds a field whose value came from outside: quoted, escaped, cut to 128 characters.
    #[must_use]
    pub fn quoted(self, name: &str, value: &[u8]) -> Self {
        self.with(name, &quote(value))
    }

    /// The finished line.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

/// Bytes from outside as a quoted text of printable ASCII: everything else becomes an escape, and what is longer than
/// 128 bytes is cut and ends in `...`.
#[must_use]
#[inline(never)]
pub fn quote(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len().min(VALUE_BOUND).saturating_add(5));
    text.push('"');
    for byte in value.iter().take(VALUE_BOUND) {
        text.extend(byte.escape_ascii().map(char::from));
    }
    text.push_str(if value.len() > VALUE_BOUND { "...\"" } else { "\"" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_outside_cannot_forge_fields_or_lines() {
        let line = Line::new("denied").field("reason", "x").quoted("path", b"/a\" b=\"c\nd\x1b[31m\xff");
        assert_eq!(line.finish(), r#"jwt-warden: denied reason=x path="/a\" b=\"c\nd\x1b[31m\xff""#);
    }

    #[test]
    fn long_values_are_cut() {
        let line = quote(&[b'a'; 5000]);
        assert_eq!(line.len(), VALUE_BOUND + 5);
        assert!(line.ends_with("a...\""));
    }
}
