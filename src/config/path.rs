//! The way to a mistake of shape, which is gathered while the mistake is handed outwards.

use super::report::{indexed, joined};

/// The steps from the outside to a place in the configuration.
#[derive(Debug, Default)]
pub(super) struct Path {
    innermost_first: Vec<Step>,
}

/// A step inwards.
#[derive(Debug)]
enum Step {
    /// Into the field of an object.
    Field(String),
    /// Into the element of a list.
    Index(usize),
}

impl Path {
    /// The place is in the field `name` of an object.
    pub(super) fn in_field(&mut self, name: String) {
        self.innermost_first.push(Step::Field(name));
    }

    /// The place is in the element `index` of a list.
    pub(super) fn in_index(&mut self, index: usize) {
        self.innermost_first.push(Step::Index(index));
    }

    /// As the operator reads it.
    pub(super) fn dotted(&self) -> String {
        self.innermost_first.iter().rev().fold(String::new(), |path, step| match step {
            Step::Field(name) => joined(&path, name),
            Step::Index(index) => indexed(&path, *index),
        })
    }
}
