//! What is asked of the issuer, and what it answers.

use jwt_warden::log::quote;
use serde_json::{Value, json};

/// A request, read whole.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// `Host`.
    pub(super) host: Option<&'a str>,
    /// Whether a browser says that a page asks.
    pub(super) is_from_page: bool,
    /// `Content-Type`.
    pub(super) content_type: Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) cache_control: String,
    pub(super) body: Value,
    /// For the line in the log.
    pub(super) note: String,
    /// `Allow`.
    pub(super) allow: Option<&'static str>,
}

impl Answer {
    /// What was asked for.
    pub(super) fn good(body: Value) -> Self {
        Self { status: 200, cache_control: "no-store".to_owned(), body, note: String::new(), allow: None }
    }

    /// A refusal in words (RFC 6749 section 5.2).
    pub(super) fn refusal(status: u16, sentence: &str) -> Self {
        let error = if status == 400 { "invalid_request" } else { "access_denied" };
        Self { status, ..Self::good(json!({"error": error, "error_description": sentence})) }.noted("refused", sentence)
    }

    /// The same, that others may keep.
    pub(super) fn kept(self, cache_control: String) -> Self {
        Self { cache_control, ..self }
    }

    /// The same with more for the log.
    pub(super) fn noted(mut self, name: &str, value: &str) -> Self {
        self.note.extend([" ", name, "=", &quote(value.as_bytes())]);
        self
    }
}
