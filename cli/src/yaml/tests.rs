//! What texts are read as.

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

/// Files of this size have to be read at once, not in minutes.
#[test]
fn many_members_take_no_longer_than_few() {
    let text = (0..100_000).map(|number| format!("k{number}: 1\n")).collect::<Vec<_>>().concat();
    let tree = parse(&text).unwrap();
    assert_eq!(tree.documents[0].members().len(), 100_000);
    let merged = format!("a: &a\n{}b: {{<<: [*a, *a, *a], k1: 2}}\n", text.replace('k', "  k"));
    let tree = parse(&merged).unwrap();
    assert_eq!(tree.documents[0].get("b").unwrap().members().len(), 100_000);
    assert_eq!(tree.documents[0].at_path(&["b", "k1"]).unwrap().value(), 2);
}
