//! Lines for the reader. Who has stopped reading is no reason to panic, as `println!` would.

use std::io::Write as _;

/// A line of what was asked for.
pub(crate) fn line(text: &str) {
    let mut out = anstream::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A line about it, apart from it.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "jwt-warden: {text}");
}
