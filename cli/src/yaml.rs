//! YAML, and JSON as a part of it, as a tree that knows where everything stands.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Number, Value};

/// Aliases make small files large: a tree has so many nodes at most.
const MAX_NODES: usize = 1 << 20;
/// Deeper trees are nobody's configuration.
const MAX_DEPTH: usize = 128;

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
    Ok(builder.tree)
}

/// Builds trees of a parser's events.
#[derive(Default)]
struct Builder {
    tree: Tree,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Rc<Node>, usize)>,
    nodes: usize,
}

/// A list or a mapping whose end has not come yet.
struct Open {
    at: Position,
    anchor: usize,
    /// How many nodes there were before it.
    before: usize,
    data: Data,
    /// The name whose value comes next.
    name: Option<(String, Position)>,
    /// What is merged into it where it has no such member itself.
    merged: Vec<Member>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Unreadable> {
        let refuse = |sentence: &str| Err(Unreadable { at, sentence: sentence.to_owned() });
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.as_ref().is_some_and(|tag| !tag.is_yaml_core_schema()) {
                    return refuse("has a tag (`!...`) that means nothing here: leave it out");
                }
                let as_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                let value = if as_text { Value::String(text.into_owned()) } else { plain(&text) };
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                self.complete(Node { at, data: Data::Scalar { value, is_block } }, anchor, self.nodes)
            }
            Event::SequenceStart(anchor, _) => self.begin(at, anchor, Data::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(at, anchor, Data::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let (anchor, before) = (open.anchor, open.before);
                    self.complete(open.into_node(), anchor, before)
                }
                None => refuse("ends what has not begun"),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, size)) => {
                    self.grow(size, at)?;
                    self.place(node, at)
                }
                None => refuse("is an alias (`*...`) of what is not complete, or not there"),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, data: Data) -> Result<(), Unreadable> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Unreadable { at, sentence: format!("is nested deeper than {MAX_DEPTH} levels") });
        }
        self.open.push(Open { at, anchor, before: self.nodes, data, name: None, merged: Vec::new() });
        Ok(())
    }

    fn complete(&mut self, node: Node, anchor: usize, before: usize) -> Result<(), Unreadable> {
        let at = node.at;
        self.grow(1, at)?;
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), self.nodes - before));
        }
        self.place(node, at)
    }

    fn grow(&mut self, by: usize, at: Position) -> Result<(), Unreadable> {
        self.nodes = self.nodes.saturating_add(by);
        if self.nodes > MAX_NODES {
            return Err(Unreadable { at, sentence: "makes the file too large: are there aliases of aliases?".into() });
        }
        Ok(())
    }

    /// Puts a node where it belongs.
    fn place(&mut self, node: Rc<Node>, at: Position) -> Result<(), Unreadable> {
        let Some(open) = self.open.last_mut() else {
            if !node.is_null() {
                self.tree.documents.push(node);
            }
            return Ok(());
        };
        match (&mut open.data, open.name.take()) {
            (Data::Map(_), Some((name, at))) if name == "<<" => {
                self.tree.merges.push(at);
                let sources = if node.items().is_empty() { vec![node] } else { node.items().to_vec() };
                if sources.iter().any(|source| !matches!(source.data, Data::Map(_))) {
                    return Err(Unreadable { at, sentence: "`<<` merges mappings only".into() });
                }
                open.merged.extend(sources.iter().flat_map(|source| source.members()).cloned());
                Ok(())
            }
            (Data::Map(members), Some((name, at))) => {
                members.push(Member { name, at, node });
                Ok(())
            }
            (Data::Map(members), None) => {
                let name = node.name().ok_or_else(|| Unreadable { at, sentence: "is no name: quote it".into() })?;
                if members.iter().any(|member| member.name == name) {
                    return Err(Unreadable { at, sentence: format!("`{name}` is given twice: only one would count") });
                }
                open.name = Some((name, at));
                Ok(())
            }
            (Data::List(items), _) => {
                items.push(node);
                Ok(())
            }
            (Data::Scalar { .. }, _) => Ok(()),
        }
    }
}

impl Open {
    fn into_node(mut self) -> Node {
        if let Data::Map(members) = &mut self.data {
            for merged in self.merged {
                if members.iter().all(|member| member.name != merged.name) {
                    members.push(merged);
                }
            }
        }
        Node { at: self.at, data: self.data }
    }
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

/// What a scalar without quotes means in the core schema (YAML 1.2.2 section 10.3.2).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = |text: &str, radix| u64::from_str_radix(text, radix).ok().map(Number::from);
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return digits(hexadecimal, 16);
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    let is_float = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    is_float.then(|| text.parse().ok().and_then(Number::from_f64)).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        match parse(text) {
            Ok(tree) => tree.documents.iter().map(|document| document.value()).collect(),
            Err(unreadable) => {
                json!(format!("{}:{}: {}", unreadable.at.line, unreadable.at.column, unreadable.sentence))
            }
        }
    }

    #[test]
    fn yaml_and_json_are_read_alike() {
        let expected = json!([{"a": [1, -2, 1.5, true, null, "yes", "0b1", "1_000"], "b": {"c": "x\ny\n"}}]);
        assert_eq!(value("a: [1, -2, 1.5, true, ~, yes, 0b1, 1_000]\nb:\n  c: |\n    x\n    y\n"), expected);
        assert_eq!(value(&expected[0].to_string()), expected);
        assert_eq!(value("---\na: '1'\n---\n---\nb: !!str 2\n"), json!([{"a": "1"}, {"b": "2"}]));
        assert_eq!(value(""), json!([]));
    }

    #[test]
    fn everything_knows_its_place() {
        let documents = parse("a:\n  - b: 1\n    c:  x\n").unwrap().documents;
        let item = &documents[0].get("a").unwrap().items()[0];
        assert_eq!(item.members()[1].at, Position { line: 3, column: 5 });
        assert_eq!(item.members()[1].node.at, Position { line: 3, column: 9 });
    }

    #[test]
    fn aliases_are_followed_and_bounded() {
        assert_eq!(value("a: &x {b: 1}\nc: *x\n"), json!([{"a": {"b": 1}, "c": {"b": 1}}]));
        let merged = "a: &x {b: 1, d: 2}\nc:\n  <<: *x\n  b: 3\n";
        assert_eq!(value(merged)[0]["c"], json!({"b": 3, "d": 2}));
        assert_eq!(parse(merged).unwrap().merges, [Position { line: 3, column: 3 }]);
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb = format!("{bomb}a{level}: &a{level} [{aliases}]\n");
        }
        assert!(value(&bomb).to_string().contains("aliases of aliases"), "{}", value(&bomb));
    }

    #[test]
    fn what_cannot_be_read_is_said_in_a_sentence() {
        for (text, expected) in [
            ("a: 1\na: 2\n", "2:1: `a` is given twice: only one would count"),
            ("<<: 1\n", "1:1: `<<` merges mappings only"),
            ("a: !secret x\n", "1:4: has a tag"),
            ("? [a]\n: b\n", "1:3: is no name: quote it"),
            ("a: *x\n", "1:4: is neither YAML nor JSON: while parsing node, found unknown anchor"),
            ("{\"a\": [1,\n", "2:1: is neither YAML nor JSON"),
            ("a: b: c\n", "1:5: is neither YAML nor JSON"),
        ] {
            assert!(value(text).as_str().unwrap_or_default().starts_with(expected), "{text}: {}", value(text));
        }
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        assert!(!value(&deep).is_array());
    }
}
