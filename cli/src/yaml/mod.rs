//! YAML, and JSON as a part of it, as a tree that knows where everything stands.

mod builder;
mod scalar;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use saphyr_parser::{Parser, Span};
use serde_json::Value;

use builder::Builder;

/// A node, and where it begins.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) data: Data,
}

/// A place in a file; both count from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// What a node is. Scalars are what YAML 1.2's core schema, and with it JSON, takes them for.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Scalar { value: Value, is_block: bool },
    List(Vec<Rc<Node>>),
    Map(Vec<Member>),
}

/// A member of a mapping; `at` is where its name stands.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) node: Rc<Node>,
}

/// Why a text is no tree, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) at: Position,
    pub(crate) sentence: String,
}

impl Position {
    /// Where a file begins.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl From<Span> for Position {
    fn from(span: Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
    }
}

/// What a text holds.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The documents; those that are empty are left out.
    pub(crate) documents: Vec<Rc<Node>>,
    /// Where `<<` merges mappings. It is YAML 1.1: kubectl reads it, Envoy takes it for a field.
    pub(crate) merges: Vec<Position>,
}

/// Reads a text.
///
/// # Errors
///
/// The first thing that is wrong.
pub(crate) fn parse(text: &str) -> Result<Tree, Unreadable> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| Unreadable {
            at: Position { line: error.marker().line(), column: error.marker().col() + 1 },
            sentence: format!("is neither YAML nor JSON: {}", error.info()),
        })?;
        builder.take(event, span.into())?;
    }
    Ok(builder.finish())
}

impl Node {
    fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { value: Value::Null, .. })
    }

    /// The node as the name of a member: numbers and booleans are names too.
    fn name(&self) -> Option<String> {
        match &self.data {
            Data::Scalar { value: Value::String(text), .. } => Some(text.clone()),
            Data::Scalar { value: Value::Null, .. } | Data::List(_) | Data::Map(_) => None,
            Data::Scalar { value, .. } => Some(value.to_string()),
        }
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Rc<Self>> {
        self.members().iter().find(|member| member.name == name).map(|member| &member.node)
    }

    /// The node that is reached by these names, one in the other.
    pub(crate) fn at_path(&self, names: &[&str]) -> Option<&Self> {
        names.iter().try_fold(self, |node, name| node.get(name).map(Rc::as_ref))
    }

    /// The members, if it is a mapping.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.data {
            Data::Map(members) => members,
            _ => &[],
        }
    }

    /// The items, if it is a list.
    pub(crate) fn items(&self) -> &[Rc<Self>] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { value: Value::String(text), .. } => Some(text),
            _ => None,
        }
    }

    /// The same without the places.
    pub(crate) fn value(&self) -> Value {
        match &self.data {
            Data::Scalar { value, .. } => value.clone(),
            Data::List(items) => items.iter().map(|item| item.value()).collect(),
            Data::Map(members) => {
                Value::Object(members.iter().map(|member| (member.name.clone(), member.node.value())).collect())
            }
        }
    }
}
