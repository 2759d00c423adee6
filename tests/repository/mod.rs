//! The files of this repository, for tests of what stands in them.

use std::fs;
use std::path::Path;

/// Its folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file in it.
#[allow(clippy::disallowed_methods, reason = "tests read files")]
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
