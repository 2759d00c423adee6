//! The documents say what the code does: reasons, causes, links, commands and the tests that hold promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod repository;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jwt_warden::jwks::KeySetError;
use jwt_warden::reason::Reason;
use jwt_warden::remote::Failure;

use repository::{read, root};

const DOCUMENTS: [&str; 12] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/configuration.md",
    "docs/dependencies.md",
    "docs/envoy.md",
    "docs/fleet.md",
    "docs/from-jwt_authn.md",
    "docs/operations.md",
    "docs/program.md",
];

/// The text below a heading of the second level, up to the next.
fn section(document: &str, heading: &str) -> String {
    let (_, rest) = document.split_once(&format!("\n## {heading}\n")).expect(heading);
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The cells of a table's rows, but for its head.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    lines.skip(1).map(|line| line.split(" | ").collect()).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_reason_is_in_the_readme_with_its_status() {
    let table = section(&read("README.md"), "Reasons");
    let documented: Vec<_> = rows(&table).iter().map(|row| format!("{} {}", row[0], row[1])).collect();
    let known = Reason::ALL.iter().map(|reason| match (reason.answer(401).status, reason.answer(503).status) {
        (one, other) if one == other => format!("`{}` {one}", reason.code()),
        (one, other) => format!("`{}` {one} or {other}", reason.code()),
    });
    let known: Vec<_> = known.collect();
    for reason in &known {
        assert!(documented.contains(reason), "README.md lacks {reason}");
    }
    for reason in &documented {
        assert!(known.contains(reason), "README.md has {reason}");
    }
    assert_eq!(documented.len(), known.len());
    assert!(rows(&table).iter().all(|row| row.len() == 4), "a reason has a code, a status, a cause and a cure");
}

#[test]
fn every_cause_of_a_failed_fetch_is_in_the_readme() {
    let failures = [
        Failure::UnknownCluster,
        Failure::NoHealthyHost,
        Failure::Timeout,
        Failure::Unreachable,
        Failure::Reset,
        Failure::Status(500),
        Failure::TooLarge(1),
        Failure::NotMetadata,
        Failure::OtherIssuer,
        Failure::UnmappedHost,
        Failure::NotAKeySet(KeySetError::NotUtf8),
        Failure::NoUsableKey { skipped: 0 },
    ];
    let text = section(&read("README.md"), "Log and metrics");
    let (_, text) = text.split_once("with a `cause`:").expect("the list of causes");
    let (list, _) = text.split_once('.').expect("the end of the list");
    assert_eq!(quoted(list).collect::<Vec<_>>(), failures.each_ref().map(listed_code));
}

/// A new cause does not compile here before it stands in the list above.
fn listed_code(failure: &Failure) -> &'static str {
    match failure {
        Failure::UnknownCluster
        | Failure::NoHealthyHost
        | Failure::Timeout
        | Failure::Unreachable
        | Failure::Reset
        | Failure::Status(_)
        | Failure::TooLarge(_)
        | Failure::NotMetadata
        | Failure::OtherIssuer
        | Failure::UnmappedHost
        | Failure::NotAKeySet(_)
        | Failure::NoUsableKey { .. }
        // Of lists, below that list.
        | Failure::NotADenylist(_)
        | Failure::Shrunk { .. }
        | Failure::NotAStatusList(_)
        | Failure::NotVerifiable
        | Failure::NotAnAnswer => failure.code(),
    }
}

#[test]
fn links_lead_somewhere() {
    for document in DOCUMENTS {
        let text = read(document);
        let targets: Vec<_> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        for target in targets.into_iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { root().join(document) } else { beside(document).join(file) };
            assert!(path.exists(), "{document}: {target}");
            assert!(anchor.is_empty() || anchors(&read(&path)).contains(anchor), "{document}: {target}");
        }
    }
}

fn beside(document: &str) -> PathBuf {
    root().join(document).parent().expect("a document is in a folder").to_owned()
}

/// The anchors of a document's headings, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let slug = |heading: &str| {
        heading.to_lowercase().replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && !"-_".contains(c), "")
    };
    headings.map(slug).collect()
}

#[test]
fn commands_are_there() {
    let makefile = read("Makefile");
    for document in DOCUMENTS {
        let text = read(document);
        let indented = text.lines().filter_map(|line| line.strip_prefix("    make "));
        let named = quoted(&text).filter_map(|code| code.strip_prefix("make "));
        for command in indented.chain(named).filter_map(|command| command.split_whitespace().next()) {
            assert!(makefile.contains(&format!("\n{command}:")), "{document}: make {command}");
        }
    }
}

#[test]
fn every_promise_is_held_by_a_test_that_exists() {
    let promises = section(&read("SECURITY.md"), "Promises");
    let tests = sources(&root().join("src")) + &sources(&root().join("tests"));
    for row in rows(&promises) {
        let names: Vec<_> = quoted(row.last().expect("a cell")).collect();
        assert!(!names.is_empty(), "no test: {row:?}");
        for name in names {
            let there = ["fn ", "def "].iter().any(|keyword| tests.contains(&format!("{keyword}{name}(")));
            assert!(there, "SECURITY.md names the test {name}, which is not there");
        }
    }
}

/// All Rust and Python below a folder, one text.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let read_entry = |path: PathBuf| match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs" | "py") => read(&path),
        _ if path.is_dir() => sources(&path),
        _ => String::new(),
    };
    entries.map(read_entry).collect()
}
