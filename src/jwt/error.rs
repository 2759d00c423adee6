//! What can be wrong with the form of a token.

use std::fmt;

use crate::reason::Reason;

/// How many characters of a client's text an error may repeat.
const EXCERPT_CHARACTERS: usize = 32;

/// Why bytes are not a token that the filter could verify. Nothing of the token's content is in it, but for an
/// excerpt of an unknown `alg`, escaped and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormError {
    /// Longer than the bound.
    TooLong {
        /// The bound, in bytes.
        max_bytes: usize,
    },
    /// Five segments: an encrypted token (RFC 7516 section 3.1).
    Encrypted,
    /// Neither three segments nor five.
    SegmentCount,
    /// A segment without a character.
    EmptySegment(Segment),
    /// Not base64url without padding in its one canonical form (RFC 7515 section 2, RFC 4648 section 3.5).
    NotBase64Url(Segment),
    /// Not UTF-8.
    NotUtf8(Segment),
    /// Not one JSON object that keeps the rules of [`super::json`].
    NotStrictJson {
        /// Where.
        segment: Segment,
        /// The JSON reader's words and the position; nothing of the content.
        detail: String,
    },
    /// `alg` is missing, not a string, or not the name of an algorithm that the filter knows.
    AlgorithmNotAllowed {
        /// The name as sent, escaped and cut; `None` where there is no string.
        name: Option<String>,
    },
    /// A header member that asks for what the filter does not do.
    Unsupported {
        /// The member's name.
        member: &'static str,
    },
    /// A header member or a claim whose value is not what its definition demands.
    WrongValue {
        /// Where.
        segment: Segment,
        /// The name of the member or claim.
        name: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

/// One of the three segments of a compact JWS (RFC 7515 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// The JOSE header.
    Header,
    /// The claims.
    Claims,
    /// The signature.
    Signature,
}

impl FormError {
    /// The reason for the refusal.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::TooLong { .. } => Reason::TokenTooLarge,
            Self::Encrypted | Self::SegmentCount | Self::EmptySegment(_) | Self::NotBase64Url(_) => {
                Reason::TokenMalformed
            }
            Self::NotUtf8(segment) | Self::NotStrictJson { segment, .. } | Self::WrongValue { segment, .. } => {
                segment.malformed()
            }
            Self::AlgorithmNotAllowed { .. } => Reason::AlgorithmNotAllowed,
            Self::Unsupported { .. } => Reason::HeaderUnsupported,
        }
    }

    pub(super) fn algorithm_not_allowed(name: Option<&str>) -> Self {
        Self::AlgorithmNotAllowed { name: name.map(excerpt) }
    }
}

impl Segment {
    const fn malformed(self) -> Reason {
        match self {
            Self::Header => Reason::HeaderMalformed,
            Self::Claims => Reason::ClaimsMalformed,
            Self::Signature => Reason::TokenMalformed,
        }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { max_bytes } => write!(formatter, "the token is longer than {max_bytes} bytes"),
            Self::Encrypted => formatter.write_str("the token has five segments: it is encrypted, not signed"),
            Self::SegmentCount => formatter.write_str("the token does not have three segments"),
            Self::EmptySegment(segment) => write!(formatter, "the {segment} is empty"),
            Self::NotBase64Url(segment) => write!(formatter, "the {segment} is not canonical base64url"),
            Self::NotUtf8(segment) => write!(formatter, "the {segment} is not UTF-8"),
            Self::NotStrictJson { segment, detail } => write!(formatter, "the {segment} is not strict JSON: {detail}"),
            Self::AlgorithmNotAllowed { name: None } => formatter.write_str("`alg` is missing or not a string"),
            Self::AlgorithmNotAllowed { name: Some(name) } => write!(formatter, "`alg` is unknown: \"{name}\""),
            Self::Unsupported { member } => write!(formatter, "the header's `{member}` is not supported"),
            Self::WrongValue { segment, name, expected } => {
                write!(formatter, "`{name}` in the {segment} is not {expected}")
            }
        }
    }
}

impl std::error::Error for FormError {}

impl fmt::Display for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}

fn excerpt(text: &str) -> String {
    text.escape_debug().take(EXCERPT_CHARACTERS).filter(char::is_ascii).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_algorithm_is_escaped_and_cut() {
        let hostile = format!("no\r\n\"ne{}", "x".repeat(10_000));
        let message = FormError::algorithm_not_allowed(Some(&hostile)).to_string();
        assert!(message.starts_with(r#"`alg` is unknown: "no\r\n\"nexxx"#), "{message}");
        assert!(message.len() < 100 && !message.contains('\n'));
    }
}
