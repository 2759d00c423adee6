//! A set of keys (RFC 7517 section 5), and which of them a token may have been signed with.

use std::fmt;

use serde_json::value::RawValue;

use super::json::{Members, WrongType, nests_within};
use super::key::{Key, KeyError, KeyOrigin};
#[cfg(not(target_arch = "wasm32"))]
use crate::crypto::AlgorithmSet;
use crate::crypto::{SignatureAlgorithm, VerifyingKey};

/// More entries than this, and the set is refused.
const MAX_KEYS: usize = 256;
/// How many keys are tried for one token.
const MAX_CANDIDATES: usize = 8;
/// The deepest nesting of arrays and objects in a document.
const MAX_DEPTH: usize = 32;
/// How many characters of a `kid` a report shows.
const SHOWN_KID_LENGTH: usize = 64;

/// The usable keys of a JWKS document, in its order, and what was left out.
#[derive(Debug, Default)]
pub struct KeySet {
    entries: Vec<Entry>,
    skipped: Vec<SkippedKey>,
}

#[derive(Debug)]
struct Entry {
    kid: Option<String>,
    key: Key,
}

/// An entry of `keys` that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// The position in `keys`, from 0.
    pub index: usize,
    /// The key's `kid` if it has one, cut to 64 characters. It may hold anything: escape it where it is shown.
    pub kid: Option<String>,
    /// Why it is not used.
    pub reason: KeyError,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key {}", self.index)?;
        if let Some(kid) = &self.kid {
            write!(formatter, " (kid {kid:?})")?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

/// Why a JWKS document is refused whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySetError {
    /// More bytes than allowed.
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
        /// How many there may be.
        max_bytes: usize,
    },
    /// Not UTF-8.
    NotUtf8,
    /// Arrays and objects deeper than 32.
    TooDeep,
    /// Not one JSON object and nothing else; line and column of the first offence, from 1.
    NotAnObject {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A member name of the set itself is there twice (RFC 7517 section 5).
    DuplicateMember,
    /// There is no `keys`.
    KeysMissing,
    /// `keys` is no array.
    KeysNotAnArray,
    /// More than 256 keys.
    TooManyKeys,
}

impl fmt::Display for KeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, max_bytes } => write!(formatter, "{bytes} bytes, more than {max_bytes}"),
            Self::NotUtf8 => formatter.write_str("not UTF-8"),
            Self::TooDeep => write!(formatter, "nested deeper than {MAX_DEPTH}"),
            Self::NotAnObject { line, column } => write!(formatter, "not a JSON object: line {line}, column {column}"),
            Self::DuplicateMember => formatter.write_str("a member name is there twice"),
            Self::KeysMissing => formatter.write_str("`keys` is missing"),
            Self::KeysNotAnArray => formatter.write_str("`keys` is not an array"),
            Self::TooManyKeys => write!(formatter, "more than {MAX_KEYS} keys"),
        }
    }
}

impl std::error::Error for KeySetError {}

impl From<WrongType> for KeySetError {
    fn from(_: WrongType) -> Self {
        Self::KeysNotAnArray
    }
}

impl KeySet {
    /// Parses a JWKS document of at most `max_bytes`. A key that cannot be used is left out and reported by
    /// [`KeySet::skipped`]; so is one that holds a member name twice. No usable key is no error. Unknown members of the
    /// set and of its keys are ignored (RFC 7517 section 5).
    ///
    /// # Errors
    /// The document is too large, too deep, not one JSON object, has a member twice, no array `keys`, or over 256 keys.
    pub fn parse(document: &[u8], origin: KeyOrigin, max_bytes: usize) -> Result<Self, KeySetError> {
        let keys = elements(document, max_bytes)?;
        let mut set = Self { entries: Vec::with_capacity(keys.len()), skipped: Vec::new() };
        for (index, text) in keys.into_iter().enumerate() {
            set.take(index, text, origin);
        }
        Ok(set)
    }

    /// The number of usable keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries that are not used, in the order of the document.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Whether a usable key has exactly this `kid`.
    #[must_use]
    pub fn has_kid(&self, kid: &str) -> bool {
        self.entries.iter().any(|entry| entry.kid.as_deref() == Some(kid))
    }

    /// The keys that a token with this `kid` and `algorithm` may have been signed with (RFC 7515 section 6), at most 8:
    /// those with exactly this `kid`, or without one all keys; of them those that serve `algorithm` and whose own `alg`,
    /// if they have one, is `algorithm`.
    pub fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: SignatureAlgorithm,
    ) -> impl Iterator<Item = &'a VerifyingKey> + 'a {
        self.entries
            .iter()
            .filter(move |entry| kid.is_none() || entry.kid.as_deref() == kid)
            .filter(move |entry| entry.key.algorithms.contains(algorithm))
            .map(|entry| &entry.key.verifying_key)
            .take(MAX_CANDIDATES)
    }

    /// The usable keys, each with its `kid` and the algorithms that it serves. For showing them.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn keys(&self) -> impl Iterator<Item = (Option<&str>, AlgorithmSet, &VerifyingKey)> {
        self.entries.iter().map(|entry| (entry.kid.as_deref(), entry.key.algorithms, &entry.key.verifying_key))
    }

    fn take(&mut self, index: usize, text: &RawValue, origin: KeyOrigin) {
        let mut kid = None;
        match read_key(text, origin, &mut kid) {
            Ok(key) => self.entries.push(Entry { kid, key }),
            Err(reason) => {
                let kid = kid.map(|kid| kid.chars().take(SHOWN_KID_LENGTH).collect());
                self.skipped.push(SkippedKey { index, kid, reason });
            }
        }
    }
}

/// The entries of `keys`, still as text.
fn elements(document: &[u8], max_bytes: usize) -> Result<Vec<&RawValue>, KeySetError> {
    if document.len() > max_bytes {
        return Err(KeySetError::TooLarge { bytes: document.len(), max_bytes });
    }
    let text = std::str::from_utf8(document).map_err(|_| KeySetError::NotUtf8)?;
    if !nests_within(text, MAX_DEPTH) {
        return Err(KeySetError::TooDeep);
    }
    let members = Members::parse(text)
        // The parser's own words might quote the document, secrets and all.
        .map_err(|error| KeySetError::NotAnObject { line: error.line(), column: error.column() })?;
    if members.has_duplicates {
        return Err(KeySetError::DuplicateMember);
    }
    let keys = members.elements("keys")?.ok_or(KeySetError::KeysMissing)?;
    if keys.len() > MAX_KEYS { Err(KeySetError::TooManyKeys) } else { Ok(keys) }
}

/// Reads one entry; `kid` is set as soon as it is known, for the report of a key that turns out unusable.
fn read_key(text: &RawValue, origin: KeyOrigin, kid: &mut Option<String>) -> Result<Key, KeyError> {
    let members = Members::parse(text.get()).map_err(|_| KeyError::NotAnObject)?;
    *kid = members.text("kid")?;
    if members.has_duplicates {
        return Err(KeyError::DuplicateMember);
    }
    Key::read(&members, origin)
}
