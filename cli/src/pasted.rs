//! A token as people paste it.

use std::path::Path;

use crate::{Stop, input};

/// No configuration allows a longer one (`limits.max_token_bytes`).
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// A token without what people paste along with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pasted {
    pub(crate) token: String,
    /// What was taken off.
    pub(crate) removed: Vec<&'static str>,
}

/// The token that the option says: itself, `@FILE` or `-` for the standard input.
///
/// # Errors
///
/// A sentence about what is no token.
pub(crate) fn read(option: &str, text: &str) -> Result<Pasted, Stop> {
    let source = if text == "-" { Some("-") } else { text.strip_prefix('@') };
    let name = source.map_or_else(|| option.to_owned(), |source| format!("{option}: {source}"));
    let text = match source {
        Some(file) => input::read(Path::new(file)).map_err(|sentence| {
            let sentence = sentence.trim_end_matches(": is it a configuration?");
            format!("{option}: {sentence}: a token is one line of letters, digits and two dots")
        })?,
        None => text.to_owned(),
    };
    pasted(&text).map_err(|sentence| format!("{name}: {sentence}"))
}

fn pasted(text: &str) -> Result<Pasted, Stop> {
    let (mut rest, mut removed) = (text.trim(), Vec::new());
    loop {
        let (shorter, what) = if let Some(inner) = unquoted(rest) {
            (inner, "quotes")
        } else if let Some(inner) = without_word(rest, "authorization", ':') {
            (inner, "`Authorization:`")
        } else if let Some(inner) = without_word(rest, "bearer", ' ') {
            (inner, "`Bearer`")
        } else if let Some(inner) = without_word(rest, "dpop", ' ') {
            (inner, "`DPoP`")
        } else {
            break;
        };
        rest = shorter.trim();
        removed.push(what);
    }
    let mut token = rest.to_owned();
    token.retain(|sign| !sign.is_whitespace());
    if token.len() < rest.len() {
        removed.push("blanks and line breaks");
    }
    check(&token)?;
    Ok(Pasted { token, removed })
}

fn check(token: &str) -> Result<(), Stop> {
    if token.is_empty() {
        return Err("is empty: there is no token in it".to_owned());
    }
    if token.len() > MAX_BYTES {
        return Err(format!("has {} bytes, and no token has more than {MAX_BYTES}: is it another file?", token.len()));
    }
    if token.starts_with('{') {
        return Err("is JSON: give the value of its `access_token` alone".to_owned());
    }
    match token.chars().find(|sign| !sign.is_ascii_graphic()) {
        Some(sign) => Err(format!("holds {}, which no token does: is it another file?", sign.escape_unicode())),
        None => Ok(()),
    }
}

fn unquoted(text: &str) -> Option<&str> {
    const PAIRS: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('<', '>')];
    PAIRS.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
}

/// What stands behind a word in any case: behind `end`, or any blank where that is one.
fn without_word<'t>(text: &'t str, word: &str, end: char) -> Option<&'t str> {
    let (head, tail) = text.split_at_checked(word.len())?;
    let is_there = head.eq_ignore_ascii_case(word);
    if tail.is_empty() && is_there {
        return Some(tail);
    }
    tail.strip_prefix(|sign: char| sign == end || (end == ' ' && sign.is_whitespace())).filter(|_| is_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_taken_out_of_what_is_pasted() {
        for (text, removed) in [
            ("a.b.c", vec![]),
            (" a.b.c\r\n", vec![]),
            ("\"a.b.c\"", vec!["quotes"]),
            ("'Bearer a.b.c'", vec!["quotes", "`Bearer`"]),
            ("Authorization: bearer \"a.b.c\"", vec!["`Authorization:`", "`Bearer`", "quotes"]),
            ("DPoP\ta.b.c", vec!["`DPoP`"]),
            ("a.\n  b.\r\n c", vec!["blanks and line breaks"]),
            ("“a.b.c”", vec!["quotes"]),
        ] {
            assert_eq!(pasted(text), Ok(Pasted { token: "a.b.c".into(), removed }), "{text:?}");
        }
        assert_eq!(pasted("BearerX.b.c").unwrap().token, "BearerX.b.c");
    }

    #[test]
    fn what_is_no_token_is_said_in_a_sentence() {
        for (text, expected) in [
            ("", "is empty"),
            ("\"\"", "is empty"),
            ("Bearer \n", "is empty"),
            ("{\"access_token\": \"a.b.c\"}", "is JSON"),
            ("a.b.\u{1b}[31m", "holds \\u{1b}"),
            ("ä.b.c", "holds \\u{e4}"),
        ] {
            assert!(pasted(text).is_err_and(|sentence| sentence.contains(expected)), "{text:?}");
        }
        assert!(pasted(&"a".repeat(MAX_BYTES + 1)).unwrap_err().contains("is it another file?"));
        assert!(pasted(&"a".repeat(MAX_BYTES)).is_ok());
    }
}
