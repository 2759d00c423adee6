//! What the house is made of: a reason for every dependency, and `unsafe` in one file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::string_slice, reason = "a test fails by panicking")]

mod repository;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use repository::{read, root};

const DOCUMENT: &str = "docs/dependencies.md";
const BOUNDARY: &str = "src/filter/abi.rs";

#[test]
fn every_direct_dependency_has_its_reason() {
    let text = read(DOCUMENT);
    let module = dependencies("Cargo.toml", "dependencies");
    let tests = dependencies("Cargo.toml", "dev-dependencies");
    assert_eq!(explained(&text, "The module"), module);
    assert_eq!(explained(&text, "The tests"), tests);

    let reasons = explained(&text, "The program").union(&module).cloned().collect::<BTreeSet<_>>();
    for manifest in members() {
        for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for name in dependencies(&manifest, table) {
                assert!(reasons.contains(&name), "{DOCUMENT} does not say why {manifest} has {name}");
            }
        }
    }
}

#[test]
fn every_dependency_is_pinned_and_comes_from_the_registry() {
    let lock = read("Cargo.lock");
    for package in lock.split("[[package]]").skip(1).filter(|package| package.contains("\nsource = ")) {
        assert!(package.contains("\nsource = \"registry+"), "{package}");
        assert!(package.contains("\nchecksum = "), "{package}");
    }
}

/// The first cells of the tables below a heading, each with something in every other cell.
fn explained(text: &str, heading: &str) -> BTreeSet<String> {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = rest.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let name = |row: &str| {
        assert!(row.split(" | ").all(|cell| !cell.trim().is_empty()), "{row}");
        row.split('`').next().expect("a name").to_owned()
    };
    rows.map(name).collect()
}

/// The names in a table of a manifest, but for the house's own package.
fn dependencies(manifest: &str, table: &str) -> BTreeSet<String> {
    let text = read(manifest);
    assert!(!text.contains(&format!("[{table}.")), "{manifest}: one line for each dependency");
    let Some((_, rest)) = text.split_once(&format!("\n[{table}]\n")) else { return BTreeSet::new() };
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.to_owned()).filter(|name| name != "jwt-warden").collect()
}

/// The manifests of the workspace's other packages.
fn members() -> Vec<String> {
    let text = read("Cargo.toml");
    let Some((_, rest)) = text.split_once("\nmembers = [") else { return Vec::new() };
    let list = rest.split(']').next().unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(|member| format!("{member}/Cargo.toml")).collect()
}

/// That each block has its reason is a lint's concern: `clippy::undocumented_unsafe_blocks`.
#[test]
fn unsafe_is_in_one_file() {
    let mut seen = false;
    for file in sources(&root().join("src")).into_iter().chain(sources(&root().join("cli"))) {
        let is_boundary = file == root().join(BOUNDARY);
        let text = read(&file);
        for (number, line) in text.lines().enumerate().filter(|(_, line)| is_unsafe(line)) {
            assert!(is_boundary, "{}:{}: {line}", file.display(), number + 1);
            seen = true;
        }
        let excepts = ["undocumented_unsafe_blocks", "missing_safety_doc"].iter().any(|name| text.contains(name));
        assert!(!excepts, "{} makes an exception", file.display());
    }
    assert!(seen, "{BOUNDARY} is the place for it");
    let manifest = read("Cargo.toml");
    for lint in ["unsafe_code = \"deny\"", "undocumented_unsafe_blocks = \"deny\""] {
        assert!(manifest.contains(lint), "{lint}");
    }
}

#[test]
fn unsafe_is_told_from_words_about_it() {
    for code in ["    unsafe { call() }", "unsafe fn f() {}", "#[unsafe(no_mangle)]", "#![allow(unsafe_code)]"] {
        assert!(is_unsafe(code), "{code}");
    }
    for word in [
        "/// of an unsafe request.",
        "let unsafe_header = 1;",
        "Self::ClaimUnsafe",
        "x // unsafe { }",
        "\"unsafe-claim\"",
    ] {
        assert!(!is_unsafe(word), "{word}");
    }
}

/// Whether a line has the keyword, before what it can stand before, or the name of the lint that forbids it; not in comments.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_keyword = |before: &str, after: &str| {
        let follows = ["{", "(", "fn ", "impl ", "impl<", "trait ", "extern "];
        let after = after.trim_start();
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && (after.is_empty() || follows.iter().any(|next| after.starts_with(next)))
    };
    code.contains("unsafe_code")
        || code.match_indices("unsafe").any(|(at, word)| is_keyword(&code[..at], &code[at + word.len()..]))
}

/// All Rust files below a folder, if it is there.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let below = |path: PathBuf| match path.extension().and_then(|extension| extension.to_str()) {
        _ if path.is_dir() => sources(&path),
        Some("rs") => vec![path],
        _ => Vec::new(),
    };
    entries.flat_map(|entry| below(entry.expect("an entry").path())).collect()
}
