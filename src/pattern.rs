//! Regular expressions of the configuration: checked and bounded at load, matched in linear time.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

/// The longest expression, in bytes.
pub const MAX_LENGTH: usize = 1024;

/// What a compiled expression may take, in bytes: a request is held against each of its states.
const MAX_COMPILED: usize = 40 << 10;

/// A regular expression that has to match a text as a whole.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl Pattern {
    /// The expression `text`, which has to be valid and short enough.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with it.
    pub fn new(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} bytes"));
        }
        // By itself first: `a)|(b` must not close the group that makes it match as a whole.
        compile(&text)?;
        let whole = compile(&format!(r"\A(?:{text})\z"))?;
        Ok(Self { text, whole })
    }

    /// Whether the expression matches the whole of `text`; text that is not UTF-8 it never matches.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        std::str::from_utf8(text).is_ok_and(|text| self.whole.is_match(text))
    }

    /// The expression as the operator wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn compile(text: &str) -> Result<Regex, String> {
    let compiled = RegexBuilder::new(text).size_limit(MAX_COMPILED).build();
    compiled.map_err(|error| format!("is no regular expression that can be used: {error}"))
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Pattern").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &[u8]) -> bool {
        Pattern::new(pattern.to_owned()).unwrap().matches(text)
    }

    #[test]
    fn the_whole_text_has_to_match() {
        assert!(matches("/a|/a/b", b"/a/b"));
        assert!(matches("/a|/a/b", b"/a"));
        assert!(matches("^/a$", b"/a"));
        assert!(matches("(?i)/a", b"/A"));
        assert!(matches("/[0-9]{2,}(?:/x)?", b"/123/x"));
        for text in ["/a/", "x/a", "/a\n", "/A", "", "/a/b/c"] {
            assert!(!matches("/a|/a/b", text.as_bytes()), "{text:?}");
        }
        assert!(!matches("(?m)^/a$", b"/a\n/b"));
        assert!(!matches("/.*", b"/a\nb"));
    }

    #[test]
    fn text_that_is_not_utf8_matches_nothing() {
        assert!(matches("(?s).*", "/\u{e9}".as_bytes()));
        assert!(!matches("(?s).*", b"/\xe9"));
    }

    #[test]
    fn expressions_are_valid_by_themselves() {
        for pattern in ["a)|(b", "(", "a\\", "[a", "(?x)a #", "*a", "\\p{L}", "(a)\\1", "(?=a)", "[a[b]]", "a{2,1}"] {
            let error = Pattern::new(pattern.to_owned()).unwrap_err();
            assert!(error.starts_with("is no regular expression that can be used: "), "{pattern}: {error}");
        }
        assert_eq!(Pattern::new(String::new()).unwrap_err(), "is empty");
    }

    #[test]
    fn length_and_size_are_bounded() {
        assert!(Pattern::new("a".repeat(MAX_LENGTH)).is_ok());
        assert_eq!(Pattern::new("a".repeat(MAX_LENGTH + 1)).unwrap_err(), "is longer than 1024 bytes");
        for pattern in ["(?:a{100}){100}", "a{100000}", "(?:){4000000000}", "(?:(?:(?:a?){99}){99}){99}"] {
            assert!(Pattern::new(pattern.to_owned()).is_err(), "{pattern}");
        }
        assert!(Pattern::new("(".repeat(MAX_LENGTH / 2) + &")".repeat(MAX_LENGTH / 2)).is_err());
        assert!(Pattern::new("/users/[^/]{1,128}/[0-9a-f]{32}".to_owned()).is_ok());
    }

    #[test]
    fn nested_repetition_takes_linear_time() {
        let text = vec![b'a'; 20_000];
        assert!(!matches("(?:a*)*b", &text));
        assert!(!matches("(?:a|a|aa)*b", &text));
    }
}
