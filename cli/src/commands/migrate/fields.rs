//! The fields of an object, and which of them nobody has asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use jwt_warden::config::snake_case;

use super::note::{Kind, Scribe};
use crate::yaml::{Data, Member, Node, Position};

/// The members of a mapping, in `snake_case` or in `lowerCamelCase`.
pub(super) struct Fields<'n> {
    node: &'n Node,
    taken: RefCell<BTreeSet<&'n str>>,
    /// Those whose values are of another type than was asked for.
    malformed: RefCell<BTreeSet<&'n str>>,
}

impl<'n> Fields<'n> {
    pub(super) fn of(node: &'n Node) -> Self {
        Self { node, taken: RefCell::default(), malformed: RefCell::default() }
    }

    /// Where the object begins.
    pub(super) const fn at(&self) -> Position {
        self.node.at
    }

    /// The value of the field; `null`, and empty lists and texts, say as little as a missing field.
    pub(super) fn take(&self, name: &str) -> Option<&'n Rc<Node>> {
        self.find(name).map(|member| &member.node)
    }

    /// The text of the field.
    pub(super) fn text(&self, name: &str) -> Option<&'n str> {
        self.read(name, |node| node.text())
    }

    /// Whether the field is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.read(name, |node| node.value().as_bool()).unwrap_or(false)
    }

    /// The items of the field, if it is a list.
    pub(super) fn items(&self, name: &str) -> &'n [Rc<Node>] {
        self.read(name, |node| matches!(node.data, Data::List(_)).then(|| node.items())).unwrap_or_default()
    }

    /// What the field holds; a field of another type counts as one that nobody has asked for.
    fn read<T>(&self, name: &str, read: impl Fn(&'n Node) -> Option<T>) -> Option<T> {
        let member = self.find(name)?;
        let value = read(&member.node);
        if value.is_none() {
            self.malformed.borrow_mut().insert(&member.name);
        }
        value
    }

    fn find(&self, name: &str) -> Option<&'n Member> {
        let named = |member: &&Member| member.name == name || snake_case(member.name.clone()) == name;
        let found = self.node.members().iter().filter(named);
        found.clone().for_each(|member| {
            self.taken.borrow_mut().insert(&member.name);
        });
        found.clone().find(|member| !is_empty(&member.node))
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

    /// The fields that nobody has asked for, or not as what they are.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'n Member> {
        let is_known = |name: &str| self.taken.borrow().contains(name) && !self.malformed.borrow().contains(name);
        self.node.members().iter().filter(move |member| !is_known(&member.name))
    }

    /// Remarks each field that nobody has asked for, or not as what it is.
    pub(super) fn report_rest(&self, path: &str, scribe: &mut Scribe) {
        if !matches!(self.node.data, Data::Map(_)) {
            scribe.note(Kind::Blocked, path, self.node.at, "has to be an object");
        }
        for member in self.rest() {
            let name = &member.name;
            if self.malformed.borrow().contains(name.as_str()) {
                scribe.note(Kind::Blocked, path, member.at, format!("`{name}` is of another type than it should be"));
            } else {
                scribe.note(Kind::Lost, path, member.at, format!("`{name}`, which this program does not know"));
            }
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
