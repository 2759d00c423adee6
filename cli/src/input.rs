//! Files, as texts of a sane size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::Stop;

/// The largest file, in bytes: an Envoy bootstrap with a thousand routes has a few.
const MAX_BYTES: u64 = 16 << 20;

/// The text of a file; `-` is the standard input.
///
/// # Errors
///
/// A sentence that says why there is none.
pub(crate) fn read(path: &Path) -> Result<String, Stop> {
    let name = path.display();
    let mut bytes = Vec::new();
    let mut take = |source: &mut dyn Read| source.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    let read = if path == Path::new("-") {
        take(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| take(&mut file))
    };
    read.map_err(|error| format!("{name}: {error}"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(format!("{name}: is larger than {} MiB: is it a configuration?", MAX_BYTES >> 20));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{name}: is not a text in UTF-8"))?;
    if text.contains('\0') {
        return Err(format!("{name}: is not a text: it holds a zero byte"));
    }
    // Editors of one system put a mark in front that others take for text.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
