//! A configuration as YAML, with the remarks at their places.

use jwt_warden::config::{indexed, joined};
use serde_json::Value;

use super::note::{Draft, Note};

/// Lines longer than this are hard to read.
const WIDTH: usize = 110;

/// Writes the configuration; every line begins with `indent` blanks.
pub(super) fn write(draft: &Draft, indent: usize) -> String {
    let configuration = Value::Object(draft.configuration.clone());
    let placed = draft.notes.iter().map(|note| (home(&configuration, &note.path), note)).collect();
    let mut writer = Writer { text: String::new(), placed };
    for line in &draft.heading {
        writer.line(indent, &format!("# {line}"));
    }
    writer.comments("", indent);
    writer.members(&configuration, "", indent);
    writer.text
}

/// Writes a value without remarks; every line begins with `indent` blanks.
pub(super) fn outline(value: &Value, indent: usize) -> String {
    let mut writer = Writer { text: String::new(), placed: Vec::new() };
    writer.members(value, "", indent);
    writer.text
}

/// The path of the innermost part that is there.
fn home(configuration: &Value, path: &str) -> String {
    let mut found = String::new();
    descend(configuration, "", path, &mut found);
    found
}

fn descend(value: &Value, at: &str, path: &str, found: &mut String) {
    at.clone_into(found);
    let leads =
        |inner: &str| path == inner || path.strip_prefix(inner).is_some_and(|rest| rest.starts_with(['.', '[']));
    if let Some((inner, next)) = children(value, at).into_iter().find(|(inner, _)| leads(inner)) {
        descend(next, &inner, path, found);
    }
}

/// The parts of a value, each with its path.
fn children<'v>(value: &'v Value, at: &str) -> Vec<(String, &'v Value)> {
    match value {
        Value::Object(members) => members.iter().map(|(name, inner)| (joined(at, name), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (indexed(at, index), item)).collect(),
        _ => Vec::new(),
    }
}

struct Writer<'d> {
    text: String,
    placed: Vec<(String, &'d Note)>,
}

impl Writer<'_> {
    fn line(&mut self, indent: usize, text: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn comments(&mut self, path: &str, indent: usize) {
        let here: Vec<_> = self.placed.iter().filter(|(home, _)| home == path).map(|(_, note)| *note).collect();
        for note in here {
            let sentence = format!("{}: {}", note.kind.label(), note.sentence);
            for line in wrapped(&sentence, WIDTH.saturating_sub(indent + 2)) {
                self.line(indent, &format!("# {line}"));
            }
        }
    }

    fn members(&mut self, value: &Value, at: &str, indent: usize) {
        let Value::Object(members) = value else { return };
        for (name, inner) in members {
            let path = joined(at, name);
            self.comments(&path, indent);
            self.entry(&format!("{}:", scalar(name)), inner, &path, indent);
        }
    }

    /// What stands behind a name.
    fn entry(&mut self, name: &str, value: &Value, at: &str, indent: usize) {
        match value {
            _ if self.is_flat(value, at) => self.line(indent, &format!("{name} {}", flow(value))),
            Value::Array(items) => {
                self.line(indent, name);
                for (index, item) in items.iter().enumerate() {
                    self.item(item, &indexed(at, index), indent + 2);
                }
            }
            Value::Object(_) => {
                self.line(indent, name);
                self.members(value, at, indent + 2);
            }
            scalar => self.line(indent, &format!("{name} {}", flow(scalar))),
        }
    }

    fn item(&mut self, item: &Value, at: &str, indent: usize) {
        self.comments(at, indent);
        if self.is_flat(item, at) {
            self.line(indent, &format!("- {}", flow(item)));
            return;
        }
        let Value::Object(members) = item else {
            self.line(indent, &format!("- {}", flow(item)));
            return;
        };
        let begin = self.text.len();
        let mut dash = None;
        for (name, inner) in members {
            let path = joined(at, name);
            self.comments(&path, indent + 2);
            dash = dash.or(Some(self.text.len()));
            self.entry(&format!("{}:", scalar(name)), inner, &path, indent + 2);
        }
        // Comments of the first member stand above the dash.
        let dash = dash.unwrap_or(begin) + indent;
        if self.text.get(dash..dash + 1) == Some(" ") {
            self.text.replace_range(dash..=dash, "-");
        }
    }

    /// Whether the value fits into a line, and nothing is to be said within it.
    fn is_flat(&self, value: &Value, at: &str) -> bool {
        let is_within = |home: &str| home.len() > at.len() && home.starts_with(at);
        let is_nested = depth(value) > 2 || matches!(value, Value::Object(members) if members.len() > 3);
        let is_short = flow(value).len() <= 72;
        depth(value) == 0 || (!is_nested && is_short && !self.placed.iter().any(|(home, _)| is_within(home)))
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(depth).max().map_or(0, |inner| inner + 1),
        Value::Array(items) => items.iter().map(depth).max().map_or(0, |inner| inner + 1),
        _ => 0,
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let inner: Vec<_> =
                members.iter().map(|(name, inner)| format!("{}: {}", scalar(name), flow(inner))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text as it can stand anywhere in YAML.
fn scalar(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_/.-".contains(&byte);
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let word = text.to_ascii_lowercase();
    let has_meaning = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&word.as_str());
    if begins && text.bytes().all(safe) && !has_meaning {
        return text.to_owned();
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && text.contains('"') {
        return format!("'{}'", text.replace('\'', "''"));
    }
    Value::String(text.to_owned()).to_string()
}

/// The words in lines of about this width.
pub(super) fn wrapped(sentence: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        let Some(last) = lines.last_mut() else { break };
        if !last.is_empty() && last.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::note::Kind;
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let texts =
            ["", "no", "1", "-", "a: b", "#", "it's", "\"", "a\nb", "é", "{", "*x", "0x1f", "a#b", " a ", "~", "/a"];
        let value = json!({"a": texts, "b": {"c": [{"d": 1, "e": {}}, {"f": [[1, 2], []]}], "no": null}, "x|y": 1.5,
            "deep": [{"one": {"two": {"three": {"four": [true, "long enough to need a line of its own, or two of them"]}}}}]});
        let Value::Object(configuration) = value.clone() else { return };
        let note = |path: &str| Note {
            kind: Kind::Open,
            path: path.to_owned(),
            source: "f:1".to_owned(),
            sentence: "with: a # and a \" and words ".repeat(9),
        };
        let notes = ["", "a[1]", "b.c[0].d", "b.c[1].f", "deep[0].one.gone.x"].map(note).to_vec();
        let text = write(&Draft { configuration, notes, native: None, heading: vec!["top".to_owned()] }, 0);
        let tree = crate::yaml::parse(&text).unwrap_or_default();
        assert_eq!(tree.documents.iter().map(|document| document.value()).collect::<Vec<_>>(), [value], "{text}");
        assert_eq!(text.matches("# open: ").count(), 5, "{text}");
        assert!(text.contains("  # with") || text.contains("# words") || text.lines().all(|line| line.len() <= 120));
    }
}
