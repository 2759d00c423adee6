//! Builds trees of a parser's events, and bounds them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use saphyr_parser::{Event, ScalarStyle};
use serde_json::Value;

use super::{Data, Member, Node, Position, Tree, Unreadable, scalar};

/// Aliases make small files large: a tree has so many nodes at most.
const MAX_NODES: usize = 1 << 20;
/// Deeper trees are nobody's configuration.
const MAX_DEPTH: usize = 128;

/// Builds trees of a parser's events.
#[derive(Default)]
pub(super) struct Builder {
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
    /// The names of its members: looking through all of them for each one would take too long.
    names: BTreeSet<String>,
    /// What is merged into it where it has no such member itself.
    merged: Vec<Member>,
}

impl Builder {
    /// The tree, once all events have been taken in.
    pub(super) fn finish(self) -> Tree {
        self.tree
    }

    /// Takes the next event in.
    pub(super) fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Unreadable> {
        let refuse = |sentence: &str| Err(Unreadable { at, sentence: sentence.to_owned() });
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.as_ref().is_some_and(|tag| !tag.is_yaml_core_schema()) {
                    return refuse("has a tag (`!...`) that means nothing here: leave it out");
                }
                let as_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                let value = if as_text { Value::String(text.into_owned()) } else { scalar::plain(&text) };
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
        self.open.push(Open {
            at,
            anchor,
            before: self.nodes,
            data,
            name: None,
            names: BTreeSet::new(),
            merged: Vec::new(),
        });
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
            (Data::Map(_), None) => {
                let name = node.name().ok_or_else(|| Unreadable { at, sentence: "is no name: quote it".into() })?;
                if !open.names.insert(name.clone()) {
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
            let names = &mut self.names;
            members.extend(self.merged.into_iter().filter(|merged| names.insert(merged.name.clone())));
        }
        Node { at: self.at, data: self.data }
    }
}
