//! The fields of an object, and which of them nobody has asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use jwt_warden::config::snake_case;
use serde_json::Value;

use super::note::{Kind, Scribe};
use crate::yaml::{Data, Member, Node, Position};

/// The members of a mapping, in `snake_case` or in `lowerCamelCase`.
pub(super) struct Fields<'n> {
    node: &'n Node,
    taken: RefCell<BTreeSet<&'n str>>,
}

impl<'n> Fields<'n> {
    pub(super) fn of(node: &'n Node) -> Self {
        Self { node, taken: RefCell::default() }
    }

    /// Where the object begins.
    pub(super) const fn at(&self) -> Position {
        self.node.at
    }

    /// The value of the field; `null`, and empty lists and texts, say as little as a missing field.
    pub(super) fn take(&self, name: &str) -> Option<&'n Rc<Node>> {
        let named = |member: &&Member| member.name == name || snake_case(member.name.clone()) == name;
        let found = self.node.members().iter().filter(named);
        found.clone().for_each(|member| {
            self.taken.borrow_mut().insert(&member.name);
        });
        found.map(|member| &member.node).find(|node| !is_empty(node))
    }

    /// The text of the field.
    pub(super) fn text(&self, name: &str) -> Option<&'n str> {
        self.take(name).and_then(|node| node.text())
    }

    /// Whether the field is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.take(name).is_some_and(|node| node.value() == Value::Bool(true))
    }

    /// The items of the field, if it is a list.
    pub(super) fn items(&self, name: &str) -> &'n [Rc<Node>] {
        self.take(name).map_or(&[], |node| node.items())
    }

    /// The texts in the list of the field, each once.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for item in self.items(name) {
            // A number without quotes is meant as a text: left out, a list would be another one.
            let text = item.text().map_or_else(|| item.value().to_string(), str::to_owned);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }

    /// The fields that nobody has asked for.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'n Member> {
        self.node.members().iter().filter(|member| !self.taken.borrow().contains(member.name.as_str()))
    }

    /// Remarks each field that nobody has asked for.
    pub(super) fn report_rest(&self, path: &str, scribe: &mut Scribe) {
        for member in self.rest() {
            scribe.note(Kind::Lost, path, member.at, format!("`{}`, which this program does not know", member.name));
        }
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.data {
        Data::Scalar { value, .. } => value.is_null() || value.as_str() == Some(""),
        Data::List(items) => items.is_empty(),
        Data::Map(_) => false,
    }
}
