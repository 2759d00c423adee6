//! The house's own rules, where no lint can hold them.

use std::fs;
use std::path::{Path, PathBuf};

#[allow(clippy::disallowed_methods, reason = "a test may read the sources")]
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn only_the_adapter_names_the_host() {
    for (path, text) in sources(&root()) {
        let inside = path.strip_prefix(root()).unwrap();
        let allowed = inside.starts_with("filter") || inside == Path::new("lib.rs");
        assert!(allowed || !text.contains("proxy_wasm"), "{} names proxy_wasm", inside.display());
    }
}

#[test]
fn only_the_abi_is_unsafe() {
    for (path, text) in sources(&root()) {
        let inside = path.strip_prefix(root()).unwrap();
        let is_unsafe = text.lines().any(|line| line.trim_start().starts_with("unsafe") || line.contains("unsafe {"));
        assert!(!is_unsafe || inside == Path::new("filter/abi.rs"), "{} has unsafe code", inside.display());
    }
}
