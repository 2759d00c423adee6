//! What goes to the standard output, and beside it. Who has stopped reading is no reason to panic, as `println!` would.

use std::io::{self, ErrorKind, Write as _};

use crate::Stop;

/// Prints a text, in colour where there is a terminal. Whoever has read enough may close the pipe.
///
/// # Errors
///
/// A sentence that says why it could not be written.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(told(&error)),
        _ => Ok(()),
    }
}

/// A line of what was asked for.
pub(crate) fn line(text: &str) {
    let mut out = anstream::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A line about it, apart from it.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "jwt-warden: {text}");
}

fn told(error: &io::Error) -> Stop {
    format!("the standard output cannot be written: {error}")
}
