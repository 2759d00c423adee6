//! Which `iss` a provider accepts.

/// What a provider demands of `iss`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssuerMatcher {
    /// Exactly this (RFC 7519 section 4.1.1).
    Exact(String),
    /// One of these patterns fits. Never empty.
    Patterns(Vec<IssuerPattern>),
    /// Any, or none.
    Any,
}

/// An issuer with `*` in places, each of which stands for one or more characters but `/`: the tenants of one issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuerPattern(String);

/// The longest pattern, in bytes.
const MAX_LENGTH: usize = 512;
/// The most `*` in one pattern.
const MAX_STARS: usize = 4;

impl IssuerMatcher {
    /// Whether this `iss` is accepted; `None` stands for a token without one.
    #[must_use]
    pub fn accepts(&self, issuer: Option<&str>) -> bool {
        match self {
            Self::Exact(exact) => issuer == Some(exact),
            Self::Patterns(patterns) => {
                issuer.is_some_and(|issuer| patterns.iter().any(|pattern| pattern.matches(issuer)))
            }
            Self::Any => true,
        }
    }

    /// The one issuer that is accepted, if there is just one.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(exact) => Some(exact),
            Self::Patterns(_) | Self::Any => None,
        }
    }
}

impl IssuerPattern {
    /// The pattern `text`.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with it.
    pub fn new(text: String) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} bytes"));
        }
        if text.contains("**") || text.matches('*').count() > MAX_STARS {
            return Err(format!("has to hold at most {MAX_STARS} `*`, and no two in a row"));
        }
        Ok(Self(text))
    }

    /// Whether the pattern fits the whole of `issuer`. No `*` stands for a `/`, so both are compared segment by segment.
    #[must_use]
    pub fn matches(&self, issuer: &str) -> bool {
        let mut segments = issuer.split('/');
        self.0.split('/').all(|pattern| segments.next().is_some_and(|segment| fits(pattern, segment)))
            && segments.next().is_none()
    }
}

/// Whether the pattern fits the whole of a segment. The first place where a text between two `*` stands is as good as any
/// later one, so nothing has to be tried twice.
fn fits(pattern: &str, segment: &str) -> bool {
    let mut texts = pattern.split('*');
    let Some(mut rest) = texts.next().and_then(|first| segment.strip_prefix(first)) else { return false };
    let Some(last) = texts.next_back() else { return rest.is_empty() };
    let Some(middle) = rest.strip_suffix(last) else { return false };
    rest = middle;
    for text in texts {
        match behind_one(rest).and_then(|rest| rest.split_once(text)) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    behind_one(rest).is_some()
}

/// What stands behind the first character, if there is one.
fn behind_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn matches(pattern: &str, issuer: &str) -> bool {
        IssuerPattern::new(pattern.to_owned()).unwrap().matches(issuer)
    }

    #[test]
    fn a_provider_accepts_its_issuer_its_patterns_or_any() {
        let exact = IssuerMatcher::Exact("i".to_owned());
        let patterns = ["a/*", "b"].map(|text| IssuerPattern::new(text.to_owned()).unwrap());
        let patterns = IssuerMatcher::Patterns(patterns.to_vec());
        for (matcher, issuer, expected) in [
            (&exact, Some("i"), true),
            (&exact, Some("I"), false),
            (&exact, Some(""), false),
            (&exact, None, false),
            (&patterns, Some("a/x"), true),
            (&patterns, Some("b"), true),
            (&patterns, Some("a"), false),
            (&patterns, None, false),
            (&IssuerMatcher::Any, Some("x"), true),
            (&IssuerMatcher::Any, None, true),
        ] {
            assert_eq!(matcher.accepts(issuer), expected, "{matcher:?} {issuer:?}");
        }
        assert_eq!((exact.exact(), patterns.exact(), IssuerMatcher::Any.exact()), (Some("i"), None, None));
    }

    #[test]
    fn a_star_stands_for_one_or_more_characters_of_a_segment() {
        let pattern = "https://login.example/*/v2.0";
        for issuer in
            ["https://login.example/t/v2.0", "https://login.example/*/v2.0", "https://login.example/\u{e9} ?/v2.0"]
        {
            assert!(matches(pattern, issuer), "{issuer}");
        }
        for issuer in [
            "https://login.example//v2.0",
            "https://login.example/a/b/v2.0",
            "https://login.example/a/v2.0/",
            "https://login.example/a/v2.01",
            "https://login.example/a/v2x0",
            "https://login.example/a/V2.0",
            "https://login.example/a",
            "xhttps://login.example/a/v2.0",
            "http://login.example/a/v2.0",
            "",
        ] {
            assert!(!matches(pattern, issuer), "{issuer}");
        }
    }

    #[test]
    fn stars_share_a_segment() {
        for (pattern, issuer) in
            [("a*b*c", "a-b-c"), ("a*b*c", "abb-bcc"), ("*aba*", "xabababx"), ("a*a", "aaa"), ("*", "x")]
        {
            assert!(matches(pattern, issuer), "{pattern} {issuer}");
        }
        for (pattern, issuer) in [
            ("a*b*c", "abxc"),
            ("a*b*c", "axbc"),
            ("a*a", "aa"),
            ("a*a", "a"),
            ("*", ""),
            ("*", "/"),
            ("*a*a*", "aaaa"),
        ] {
            assert!(!matches(pattern, issuer), "{pattern} {issuer}");
        }
    }

    #[test]
    fn patterns_are_bounded() {
        assert!(IssuerPattern::new("a".repeat(512)).is_ok() && IssuerPattern::new("*/*/*/*".to_owned()).is_ok());
        assert_eq!(IssuerPattern::new("a".repeat(513)).unwrap_err(), "is longer than 512 bytes");
        for text in ["*/*/*/*/*", "a**b"] {
            assert_eq!(
                IssuerPattern::new(text.to_owned()).unwrap_err(),
                "has to hold at most 4 `*`, and no two in a row"
            );
        }
    }

    /// The meaning itself, in time that explodes.
    fn reference(pattern: &[char], issuer: &[char]) -> bool {
        match (pattern, issuer) {
            ([], []) => true,
            (['*', ..], ['/', ..] | []) => false,
            (['*', later @ ..], [_, rest @ ..]) => reference(later, rest) || reference(pattern, rest),
            ([one, later @ ..], [other, rest @ ..]) => one == other && reference(later, rest),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_what_they_say(text in "[ab/*\u{e9}]{0,8}", issuer in "[ab/\u{e9}]{0,10}") {
            if let Ok(pattern) = IssuerPattern::new(text.clone()) {
                let characters = |text: &str| text.chars().collect::<Vec<_>>();
                prop_assert_eq!(pattern.matches(&issuer), reference(&characters(&text), &characters(&issuer)));
            }
        }

        #[test]
        fn a_pattern_without_a_star_is_exact(text in "[ab/.]{0,4}", issuer in "[abAB/.*]{0,4}") {
            let exact = IssuerMatcher::Exact(text.clone());
            let pattern = IssuerMatcher::Patterns(vec![IssuerPattern::new(text.clone()).unwrap()]);
            for issuer in [Some(issuer.as_str()), Some(text.as_str()), None] {
                prop_assert_eq!(exact.accepts(issuer), pattern.accepts(issuer));
            }
        }
    }
}
