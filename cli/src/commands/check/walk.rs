//! The files that are meant: those that are named, and in directories those whose names say that they may be read.

use std::fs;
use std::path::{Path, PathBuf};

/// Deeper directories are not looked into.
const MAX_DEPTH: usize = 32;

/// A file to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// Whether it was named itself, rather than the directory it is in: then it has to be what it was taken for.
    pub(super) is_named: bool,
}

/// The file, or those in the directory, sorted.
pub(super) fn files(path: &Path, troubles: &mut Vec<String>) -> Vec<Candidate> {
    if path == Path::new("-") || !path.is_dir() {
        return vec![Candidate { path: path.to_owned(), is_named: true }];
    }
    let mut found = Vec::new();
    directory(path, MAX_DEPTH, &mut found, troubles);
    if found.is_empty() {
        troubles.push(format!("{}: has no *.yaml, *.yml or *.json in it", path.display()));
    }
    found
}

fn directory(path: &Path, levels_left: usize, found: &mut Vec<Candidate>, troubles: &mut Vec<String>) {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return troubles.push(format!("{}: {error}", path.display())),
    };
    let mut paths: Vec<_> = entries.filter_map(Result::ok).filter(|entry| !is_hidden(entry)).collect();
    paths.sort_by_key(fs::DirEntry::path);
    for entry in paths {
        // A link to a directory may lead back to where it stands.
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory && levels_left > 0 {
            directory(&entry.path(), levels_left - 1, found, troubles);
        } else if entry.path().is_file() && may_be_read(&entry.path()) {
            found.push(Candidate { path: entry.path(), is_named: false });
        }
    }
}

fn is_hidden(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn may_be_read(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}
