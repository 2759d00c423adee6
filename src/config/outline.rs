//! What the raw shapes look like, for the program that describes them to editors. The module does without.

use super::{
    raw::{RawByHeader, RawConfig, RawCountedBy, RawDuration, RawScalar},
    raw_match::RawInteger,
    shape::Named,
};

/// What kind of value a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number, zero or more.
    Whole,
    /// A whole number of 64 bits, or its digits in quotes.
    Integer,
    /// A string.
    Text,
    /// A number and its unit, in quotes.
    Duration,
    /// A string, a number, `true` or `false`.
    Scalar,
    /// A list.
    List(Box<Kind>),
    /// An object whose names the operator chooses.
    Named(Box<Kind>),
    /// The object of this name.
    Object(&'static str),
    /// A string or another kind.
    TextOr(Box<Kind>),
}

/// An object whose fields have names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What the code calls it, such as `Provider`; the whole is `Config`.
    pub name: &'static str,
    /// The fields in `snake_case`, each with what it takes.
    pub fields: Vec<(&'static str, Kind)>,
}

/// Every object of the configuration; the first is the whole.
#[must_use]
pub fn outline() -> Vec<Object> {
    let mut objects = Objects::default();
    RawConfig::outline(&mut objects);
    objects.0
}

/// The objects that have been met.
#[derive(Default)]
pub(super) struct Objects(Vec<Object>);

impl Objects {
    /// Takes the object in, unless it is there: objects hold others of their own kind.
    pub(super) fn object(&mut self, raw: &'static str, fields: fn(&mut Self) -> Vec<(&'static str, Kind)>) -> Kind {
        let name = raw.strip_prefix("Raw").unwrap_or(raw);
        if self.0.iter().all(|object| object.name != name) {
            self.0.push(Object { name, fields: Vec::new() });
            let fields = fields(self);
            self.0.iter_mut().filter(|object| object.name == name).for_each(|object| object.fields.clone_from(&fields));
        }
        Kind::Object(name)
    }
}

/// What can say what it is read from.
pub(super) trait Outlined {
    /// What it is read from, and the objects in it.
    fn outline(objects: &mut Objects) -> Kind;
}

macro_rules! plain {
    ($($kind:ty => $outline:ident,)*) => { $(
        impl Outlined for $kind {
            fn outline(_: &mut Objects) -> Kind {
                Kind::$outline
            }
        }
    )* };
}

plain! {
    bool => Boolean,
    u64 => Whole,
    String => Text,
    RawInteger => Integer,
    RawDuration => Duration,
    RawScalar => Scalar,
}

impl<T: Outlined> Outlined for Vec<T> {
    fn outline(objects: &mut Objects) -> Kind {
        Kind::List(Box::new(T::outline(objects)))
    }
}

impl<T: Outlined> Outlined for Named<T> {
    fn outline(objects: &mut Objects) -> Kind {
        Kind::Named(Box::new(T::outline(objects)))
    }
}

impl Outlined for RawCountedBy {
    fn outline(objects: &mut Objects) -> Kind {
        Kind::TextOr(Box::new(RawByHeader::outline(objects)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_there_once() {
        let objects = outline();
        let names: Vec<_> = objects.iter().map(|object| object.name).collect();
        assert_eq!(names[..2], ["Config", "Provider"]);
        assert_eq!(names.iter().filter(|name| **name == "Requirement").count(), 1);
        let rule = objects.iter().find(|object| object.name == "Rule").unwrap();
        assert!(rule.fields.contains(&("match", Kind::Object("Match"))));
        let conditions = ("claims", Kind::List(Box::new(Kind::Object("ClaimCondition"))));
        assert!(objects.iter().any(|object| object.fields.contains(&conditions)));
    }
}
