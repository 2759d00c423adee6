//! The fields of an object, taken out of the tree one by one: what the raw shapes are to serde, at a fraction of the code.

use super::{
    node::Node,
    report::{Checked, Place},
    shape::snake_case,
    unknown_field,
};

/// The fields of the object at a place.
pub(super) struct Fields<'report> {
    members: Vec<(String, Node)>,
    at: Place<'report>,
}

impl<'report> Fields<'report> {
    /// The fields of the object `node`; there are none but `known` ones.
    pub(super) fn of(node: Node, known: &[&str], what: &str, at: &Place<'report>) -> Checked<Self> {
        let Node::Object(members) = node else { return wrong(&node, what, at) };
        let mut fields = Self { members: Vec::with_capacity(members.len()), at: at.clone() };
        let mut result = Ok(());
        for (name, value) in members {
            let name = snake_case(name);
            if !known.contains(&name.as_str()) {
                result = at.field(&name).mistake(unknown_field::sentence(&name, known));
            } else if fields.has(&name) {
                result = at.field(&name).mistake("is given twice: in snake_case and in lowerCamelCase");
            } else {
                fields.members.push((name, value));
            }
        }
        result.map(|()| fields)
    }

    /// The place of the field.
    pub(super) fn at(&self, name: &str) -> Place<'report> {
        self.at.field(name)
    }

    /// Whether the field is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _)| known == name)
    }

    /// The field's value; it is gone afterwards.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let index = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.swap_remove(index).1)
    }

    /// The field's value, which has to be a string.
    pub(super) fn text(&mut self, name: &str) -> Checked<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(other) => wrong(&other, "a string", &self.at(name)),
        }
    }

    /// The field's value, which has to be true or false.
    pub(super) fn flag(&mut self, name: &str) -> Checked<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Bool(flag)) => Ok(Some(flag)),
            Some(other) => wrong(&other, "true or false", &self.at(name)),
        }
    }

    /// The field's value, which has to be a whole number, or its digits in quotes, as protobuf's JSON has it.
    pub(super) fn whole(&mut self, name: &str) -> Checked<Option<i64>> {
        let number = match self.take(name) {
            None => return Ok(None),
            Some(Node::Whole(number)) => i64::try_from(number).ok(),
            Some(Node::OtherNumber(number)) => whole(number),
            Some(Node::Text(digits)) => digits.parse().ok(),
            Some(other) => return wrong(&other, "a whole number", &self.at(name)),
        };
        number.map(Some).ok_or_else(|| self.at(name).note("has to be a whole number of 64 bits"))
    }

    /// The items of the field's value, which has to be a list; each is validated.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        max: usize,
        check: fn(Node, &Place<'_>) -> Checked<T>,
    ) -> Checked<Vec<T>> {
        let at = self.at(name);
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Node::List(items)) if (1..=max).contains(&items.len()) => at.each(items, check),
            Some(Node::List(_)) => {
                at.mistake(format!("has to hold 1 to {max} entries: leave it out where any will do"))
            }
            Some(other) => wrong(&other, "a list", &at),
        }
    }
}

/// The string that the node has to be.
pub(super) fn text(node: Node, at: &Place<'_>) -> Checked<String> {
    match node {
        Node::Text(text) => Ok(text),
        other => wrong(&other, "a string", at),
    }
}

fn wrong<T>(node: &Node, what: &str, at: &Place<'_>) -> Checked<T> {
    let kind = match node {
        Node::Null => "null",
        Node::Bool(_) => "true or false",
        Node::Whole(_) => "a whole number",
        Node::OtherNumber(_) => "a number that is negative or not whole",
        Node::Text(_) => "a string",
        Node::List(_) => "a list",
        Node::Object(_) => "an object",
    };
    at.mistake(format!("is {kind}, but has to be {what}"))
}

/// Beyond 2^53, doubles are not exact.
fn whole(number: f64) -> Option<i64> {
    let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "the range was just checked")]
    exact.then_some(number as i64)
}
