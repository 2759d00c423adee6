//! What is shown: steps, each with its entries, for readers or for programs.

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

/// How an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// As it should be.
    Good,
    /// The reason for a refusal, or one more.
    Bad,
    /// It cannot be told.
    Open,
    /// Neither: a fact.
    Note,
    /// A line of a text that is shown.
    Text,
}

/// One line of a step.
#[derive(Debug, Clone)]
struct Entry {
    mark: Mark,
    depth: usize,
    text: String,
}

/// One step on the way to the verdict.
#[derive(Debug)]
pub(super) struct Step {
    title: String,
    entries: Vec<Entry>,
}

/// How the reader can be shown it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symbols {
    /// Whether marks may be more than ASCII.
    pub(super) unicode: bool,
}

impl Mark {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Open => "open",
            Self::Note => "note",
            Self::Text => "text",
        }
    }

    fn symbol(self, symbols: Symbols) -> &'static str {
        match (self, symbols.unicode) {
            (Self::Good, true) => "✓ ",
            (Self::Bad, true) => "✗ ",
            (Self::Note, true) => "· ",
            (Self::Good, false) => "+ ",
            (Self::Bad, false) => "! ",
            (Self::Note, false) => "- ",
            (Self::Open, _) => "? ",
            (Self::Text, _) => "  ",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Open => AnsiColor::Yellow.on_default(),
            Self::Note | Self::Text => Style::new(),
        }
    }
}

impl Step {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), entries: Vec::new() }
    }

    pub(super) fn add(&mut self, mark: Mark, depth: usize, text: impl Into<String>) {
        self.entries.push(Entry { mark, depth, text: text.into() });
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.add(Mark::Note, 0, text);
    }

    /// For readers: whatever an entry holds, it stays one line of printable signs.
    pub(super) fn print(&self, number: usize, symbols: Symbols) -> String {
        let bold = Style::new().bold();
        let mut text = format!("{bold}{number} {}{bold:#}\n", escaped(&self.title));
        for Entry { mark, depth, text: words } in &self.entries {
            let (style, indent) = (mark.style(), "  ".repeat(depth + 1));
            let line = format!("{indent}{style}{}{}{style:#}", mark.symbol(symbols), escaped(words));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// For programs.
    pub(super) fn value(&self) -> Value {
        let entry = |entry: &Entry| json!({"mark": entry.mark.name(), "depth": entry.depth, "text": entry.text});
        json!({"title": self.title, "entries": self.entries.iter().map(entry).collect::<Vec<_>>()})
    }
}

/// The text with escapes for everything that a terminal might obey, and that turns or hides what stands around it.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        if is_plain(sign) { shown.push(sign) } else { shown.extend(sign.escape_unicode()) }
    }
    shown
}

fn is_plain(sign: char) -> bool {
    let moves = matches!(sign, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}');
    !sign.is_control() && !moves
}

/// JSON of ASCII alone: it may be read on a terminal too.
pub(super) fn ascii(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        if sign == '\n' || (sign.is_ascii() && !sign.is_ascii_control()) {
            shown.push(sign);
        } else {
            let mut units = [0; 2];
            shown.extend(sign.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shown
}

/// The text with the last segment left out of everything that looks like a token, wherever it comes from: a path, a claim.
pub(super) fn without_signatures(text: &str) -> String {
    let is_segment = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_segment) {
        let (before, from) = rest.split_at_checked(begin).unwrap_or((rest, ""));
        let end = from.find(|sign| !is_segment(sign)).unwrap_or(from.len());
        let (word, behind) = from.split_at_checked(end).unwrap_or((from, ""));
        shown.push_str(before);
        push_without_signature(&mut shown, word);
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Base64url of a JSON object begins with `ey`, or `ew` where a line ends behind the brace.
fn push_without_signature(shown: &mut String, word: &str) {
    let segments: Vec<&str> = word.split('.').collect();
    match segments.as_slice() {
        [header, claims, signature @ ..]
            if (header.starts_with("ey") || header.starts_with("ew")) && header.len() > 8 && !signature.is_empty() =>
        {
            shown.extend([header, ".", claims, ".(signature not shown)"]);
        }
        _ => shown.push_str(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_left_out_wherever_they_stand() {
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
        for text in [format!("x {token} y"), format!("/a/{token}"), token.to_owned(), format!("\"{token}\",\n")] {
            let shown = without_signatures(&text);
            assert_eq!(shown, text.replace("c2lnbmF0dXJl", "(signature not shown)"));
        }
        for text in ["", "a.b.c", "https://api.example.com/a.b", "key.one.two", "1.2.3\n✓ ü eyes.are.two", "ey.x.y"]
        {
            assert_eq!(without_signatures(text), text);
        }
    }

    const HOSTILE: &str = "a\u{1b}[31m\u{9b}2J\r\n\u{7f}\u{202e}b\u{200b}\u{2028}ü✓";

    #[test]
    fn nothing_reaches_the_terminal_but_printable_signs() {
        let mut step = Step::new(HOSTILE);
        step.add(Mark::Note, 1, HOSTILE);
        let shown = anstream::adapter::strip_str(&step.print(1, Symbols { unicode: true })).to_string();
        assert_eq!(shown.lines().count(), 2);
        assert!(shown.chars().all(|sign| sign == '\n' || is_plain(sign)), "{shown:?}");
        assert!(shown.contains(r"a\u{1b}[31m\u{9b}2J\u{d}\u{a}\u{7f}\u{202e}b\u{200b}\u{2028}ü✓"), "{shown}");
        let printed = step.print(1, Symbols { unicode: true });
        assert_eq!(printed.matches('\u{1b}').count(), 2, "bold on and off: {printed:?}");
    }

    #[test]
    fn json_is_ascii_and_says_the_same() {
        let value = json!({"text": HOSTILE, "more": "\u{1f511}"});
        let text = ascii(&value);
        assert!(text.bytes().all(|byte| byte == b'\n' || byte.is_ascii_graphic() || byte == b' '), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn marks_are_told_apart_without_colour() {
        for unicode in [true, false] {
            let marks = [Mark::Good, Mark::Bad, Mark::Open, Mark::Note, Mark::Text];
            let symbols: std::collections::BTreeSet<_> =
                marks.iter().map(|mark| mark.symbol(Symbols { unicode })).collect();
            assert_eq!(symbols.len(), marks.len());
            assert!(unicode || symbols.iter().all(|symbol| symbol.is_ascii()));
        }
    }
}
