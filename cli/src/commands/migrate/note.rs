//! What is said of a migrated configuration, and where.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::yaml::Position;

/// What kind of remark it is; the order is that of their weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It stays as open as it was, and need not.
    Open,
    /// Requests that passed may be refused.
    Stricter,
    /// It is left out, and whether requests pass does not hang on it.
    Dropped,
    /// It is left out, and whether requests pass may hang on it.
    Lost,
    /// Requests that were refused may pass.
    Looser,
    /// Nothing can be written as long as this is there.
    Blocked,
}

impl Kind {
    /// How the remark begins.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Stricter => "stricter",
            Self::Dropped | Self::Lost => "not carried over",
            Self::Looser => "looser",
            Self::Blocked => "cannot be migrated",
        }
    }

    /// Whether somebody has to look at it before the result is used.
    pub(super) const fn is_serious(self) -> bool {
        matches!(self, Self::Lost | Self::Looser | Self::Blocked)
    }
}

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Note {
    pub(super) kind: Kind,
    /// The path in the migrated configuration; empty for all of it.
    pub(super) path: String,
    /// The file and the line that it is about.
    pub(super) source: String,
    pub(super) sentence: String,
}

/// A configuration that has been migrated, and what is to be said of it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) configuration: Map<String, Value>,
    pub(super) notes: Vec<Note>,
    /// The configuration of `jwt_authn` that it comes from, if it comes from one.
    pub(super) native: Option<Value>,
    /// What is above it in YAML.
    pub(super) heading: Vec<String>,
}

/// Who writes the remarks.
#[derive(Debug)]
pub(super) struct Scribe {
    /// The file that is being read.
    pub(super) file: Rc<str>,
    pub(super) notes: Vec<Note>,
    /// The same: looking through all of them for each one would take too long.
    made: BTreeSet<Note>,
}

impl Scribe {
    pub(super) fn new(file: Rc<str>) -> Self {
        Self { file, notes: Vec::new(), made: BTreeSet::new() }
    }

    /// Remarks something, once.
    pub(super) fn note(&mut self, kind: Kind, path: &str, at: Position, sentence: impl Into<String>) {
        let source = format!("{}:{}", self.file, at.line);
        let note = Note { kind, path: path.to_owned(), source, sentence: sentence.into() };
        if self.made.insert(note.clone()) {
            self.notes.push(note);
        }
    }
}
