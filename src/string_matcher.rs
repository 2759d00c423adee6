//! Conditions on a text: those of Envoy's `StringMatcher`.

use crate::pattern::Pattern;

/// A condition on a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StringMatcher {
    /// It is this text.
    Exact(Text),
    /// It begins with this text.
    Prefix(Text),
    /// It ends with this text.
    Suffix(Text),
    /// It holds this text.
    Contains(Text),
    /// The expression matches all of it.
    Regex(Pattern),
}

/// A text to compare others with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    text: String,
    ignore_case: bool,
}

impl StringMatcher {
    /// Whether `text` fulfils the condition.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => exact.is(text),
            Self::Prefix(prefix) => prefix.begins(text),
            Self::Suffix(suffix) => suffix.ends(text),
            Self::Contains(part) => part.is_in(text),
            Self::Regex(pattern) => pattern.matches(text),
        }
    }
}

impl Text {
    /// The text; `ignore_case` makes upper and lower case of ASCII letters one.
    #[must_use]
    pub fn new(mut text: String, ignore_case: bool) -> Self {
        if ignore_case {
            text.make_ascii_lowercase();
        }
        Self { text, ignore_case }
    }

    /// The text itself, in lower case if the case does not count.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the case of ASCII letters does not count.
    #[must_use]
    pub const fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Whether `other` is this text.
    #[must_use]
    pub fn is(&self, other: &[u8]) -> bool {
        if self.ignore_case { self.text.as_bytes().eq_ignore_ascii_case(other) } else { self.text.as_bytes() == other }
    }

    /// Whether `other` begins with this text.
    #[must_use]
    pub fn begins(&self, other: &[u8]) -> bool {
        other.get(..self.text.len()).is_some_and(|begin| self.is(begin))
    }

    /// Whether `other` ends with this text.
    #[must_use]
    pub fn ends(&self, other: &[u8]) -> bool {
        let start = other.len().checked_sub(self.text.len());
        start.and_then(|start| other.get(start..)).is_some_and(|end| self.is(end))
    }

    /// Whether `other` holds this text.
    #[must_use]
    pub fn is_in(&self, other: &[u8]) -> bool {
        self.text.is_empty() || other.windows(self.text.len()).any(|part| self.is(part))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(matcher: fn(Text) -> StringMatcher, text: &str, good: &[&str], bad: &[&str]) {
        let (exactly, in_any_case) = (matcher(text.into()), matcher(Text::new(text.to_uppercase(), true)));
        for other in good {
            assert!(exactly.matches(other.as_bytes()), "{exactly:?} {other}");
            assert!(!exactly.matches(other.to_uppercase().as_bytes()), "{exactly:?} {other}");
            assert!(in_any_case.matches(other.to_uppercase().as_bytes()), "{in_any_case:?} {other}");
        }
        for other in bad {
            assert!(!exactly.matches(other.as_bytes()), "{exactly:?} {other}");
            assert!(!in_any_case.matches(other.to_uppercase().as_bytes()), "{in_any_case:?} {other}");
        }
    }

    #[test]
    fn texts_are_compared_at_their_place() {
        check(StringMatcher::Exact, "abc", &["abc"], &["", "ab", "abcd", "xabc"]);
        check(StringMatcher::Prefix, "abc", &["abc", "abcd"], &["", "ab", "xabc"]);
        check(StringMatcher::Suffix, "abc", &["abc", "xabc"], &["", "bc", "abcd"]);
        check(StringMatcher::Contains, "abc", &["abc", "xabcx"], &["", "ab", "ab c", "axbc"]);
    }

    #[test]
    fn only_the_case_of_ascii_letters_can_be_ignored() {
        let text = Text::new("\u{e9}a".to_owned(), true);
        assert!(text.is("\u{e9}A".as_bytes()));
        assert!(!text.is("\u{c9}a".as_bytes()));
        assert!(!Text::new("@".to_owned(), true).is(b"`"));
    }

    #[test]
    fn bytes_need_not_be_text() {
        assert!(StringMatcher::Prefix("a".into()).matches(b"a\xff"));
        assert!(!StringMatcher::Exact("\u{fffd}".into()).matches(b"\xff"));
    }
}
