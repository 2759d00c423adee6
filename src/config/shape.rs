//! How the raw shapes get their values from the tree, and mistakes of shape their sentences. No value is ever quoted: it
//! may be a key.

pub(super) use super::shape_error::ShapeError;
use super::{node::Node, shape_error::Mistakes, unknown_field};

/// What a node can be read as.
pub(super) trait Shape: Sized {
    /// Reads `node`.
    fn read(node: Node) -> Result<Self, ShapeError>;
}

impl Node {
    /// The mistake that this is not what is `expected`.
    pub(super) fn is_not(&self, expected: &str) -> ShapeError {
        let kind = match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Whole(_) => "a whole number",
            Self::OtherNumber(_) => "a number that is negative or not whole",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        };
        ShapeError::new(format!("is {kind}, but has to be {expected}"))
    }
}

impl Shape for bool {
    fn read(node: Node) -> Result<Self, ShapeError> {
        match node {
            Node::Bool(value) => Ok(value),
            other => Err(other.is_not("true or false")),
        }
    }
}

impl Shape for u64 {
    fn read(node: Node) -> Result<Self, ShapeError> {
        match node {
            Node::Whole(number) => Ok(number),
            other => Err(other.is_not("a whole number, zero or more")),
        }
    }
}

impl Shape for String {
    fn read(node: Node) -> Result<Self, ShapeError> {
        match node {
            Node::Text(text) => Ok(text),
            other => Err(other.is_not("a string")),
        }
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(node: Node) -> Result<Self, ShapeError> {
        let mut values = Self::new();
        read_items(node, &mut |item| T::read(item).map(|value| values.push(value)))?;
        Ok(values)
    }
}

/// Hands the items of the list that `node` has to be to `read`.
fn read_items(node: Node, read: &mut dyn FnMut(Node) -> Result<(), ShapeError>) -> Result<(), ShapeError> {
    let Node::List(items) = node else { return Err(node.is_not("a list")) };
    let mut mistakes = Mistakes::default();
    let mut items = items.into_iter().enumerate();
    items.try_for_each(|(index, item)| mistakes.go_on(read(item).map_err(|error| error.in_index(index))))?;
    mistakes.conclude()
}

/// The members of an object whose names the operator chooses, in their order.
pub(super) struct Named<T>(pub(super) Vec<(String, T)>);

impl<T: Shape> Shape for Named<T> {
    fn read(node: Node) -> Result<Self, ShapeError> {
        let mut values = Vec::new();
        read_members(node, &mut |name, value| T::read(value).map(|value| values.push((name.to_owned(), value))))?;
        Ok(Self(values))
    }
}

fn read_members(node: Node, read: &mut dyn FnMut(&str, Node) -> Result<(), ShapeError>) -> Result<(), ShapeError> {
    let Node::Object(members) = node else { return Err(node.is_not("an object whose names you choose")) };
    let mut mistakes = Mistakes::default();
    let mut members = members.into_iter();
    members.try_for_each(|(name, value)| {
        let result = read(&name, value);
        mistakes.go_on(result.map_err(|error| error.in_field(name)))
    })?;
    mistakes.conclude()
}

/// A field of an object while the object is read.
pub(super) trait Field {
    /// Reads the field's value; `None` if it has one.
    fn give(&mut self, value: Node) -> Option<Result<(), ShapeError>>;
}

// `null` is not the absence of a field: an empty `requires:` in YAML must not come to mean "no verification".
impl<T: Shape> Field for Option<T> {
    fn give(&mut self, value: Node) -> Option<Result<(), ShapeError>> {
        if self.is_some() {
            return None;
        }
        Some(T::read(value).map(|value| *self = Some(value)))
    }
}

/// Structs whose fields have the names that they have in the text, unless another one follows after `as`. (What serde
/// derives costs kilobytes of code for each struct: here one function reads them all.)
macro_rules! objects {
    ($(
        #[expecting = $expected:literal]
        $(#[$attribute:meta])*
        pub(super) struct $name:ident {
            $($(#[$comment:meta])* pub(super) $field:ident $(as $given:literal)?: Option<$kind:ty>,)*
        }
    )*) => { $(
        #[derive(Default)]
        $(#[$attribute])*
        pub(super) struct $name {
            $($(#[$comment])* pub(super) $field: Option<$kind>,)*
        }

        impl Shape for $name {
            fn read(node: Node) -> Result<Self, ShapeError> {
                const NAMES: &[&str] = &[$(objects!(@name $field $($given)?),)*];
                #[allow(unused_mut, reason = "an object may have no fields")]
                let mut object = Self::default();
                read_fields(node, $expected, NAMES, &mut [$(&mut object.$field,)*])?;
                Ok(object)
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl super::outline::Outlined for $name {
            fn outline(objects: &mut super::outline::Objects) -> super::outline::Kind {
                #[allow(unused_variables, reason = "an object may have no fields")]
                objects.object(stringify!($name), |objects| {
                    vec![$((objects!(@name $field $($given)?), <$kind as super::outline::Outlined>::outline(objects)),)*]
                })
            }
        }
    )* };
    (@name $field:ident $given:literal) => { $given };
    (@name $field:ident) => { stringify!($field) };
}
pub(super) use objects;

/// Reads the members of the object that `node` has to be into the fields, which have these names in the text.
pub(super) fn read_fields(
    node: Node,
    expected: &str,
    names: &[&str],
    fields: &mut [&mut dyn Field],
) -> Result<(), ShapeError> {
    let Node::Object(members) = node else { return Err(node.is_not(expected)) };
    let mut mistakes = Mistakes::default();
    for (name, value) in members {
        mistakes.go_on(read_field(name, value, names, fields))?;
    }
    mistakes.conclude()
}

fn read_field(name: String, value: Node, names: &[&str], fields: &mut [&mut dyn Field]) -> Result<(), ShapeError> {
    // Only the fields of our shapes have two spellings; the names of providers have one.
    let name = snake_case(name);
    let position = names.iter().position(|known| *known == name);
    let Some(field) = position.and_then(|position| fields.get_mut(position)) else {
        return Err(ShapeError::new(unknown_field::sentence(&name, names)).in_field(name));
    };
    // Names that are equal letter by letter were refused when the tree was built.
    let Some(result) = field.give(value) else {
        let sentence = format!("`{name}` is given twice: in snake_case and in lowerCamelCase");
        return Err(ShapeError::new(sentence));
    };
    result.map_err(|error| error.in_field(name))
}

/// The `snake_case` spelling of a lowerCamelCase name; any other name stays as it is.
#[must_use]
pub fn snake_case(name: String) -> String {
    let camel = name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.contains('_');
    if !camel {
        return name;
    }
    name.chars().fold(String::with_capacity(name.len()), |mut snake, character| {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
        snake
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_camel_case_is_another_spelling() {
        for (name, expected) in [
            ("clockSkewSeconds", "clock_skew_seconds"),
            ("clock_skew_seconds", "clock_skew_seconds"),
            ("issuer", "issuer"),
            ("ClockSkewSeconds", "ClockSkewSeconds"),
            ("clock_skewSeconds", "clock_skewSeconds"),
            ("", ""),
        ] {
            assert_eq!(snake_case(name.to_owned()), expected);
        }
    }
}
