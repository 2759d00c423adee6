//! What the parser has to say: mistakes, which stop the load, and warnings, which do not.

use std::{cell::RefCell, fmt};

/// More mistakes or warnings than these are counted, not kept.
const MAX_KEPT: usize = 20;

/// Text of the operator's is cut to so many characters before it is quoted.
const MAX_QUOTED: usize = 64;

/// Every mistake that was found in a configuration; there is at least one, and no configuration is loaded.
///
/// Displayed as one line per mistake: the path of the field, a colon, and what would be right. At most 20 mistakes are
/// kept. Neither keys nor other secrets are ever quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    mistakes: Vec<Finding>,
    left_out: usize,
}

/// Something in a configuration that is allowed, but probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(Finding);

/// A place in the configuration and a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    sentence: String,
}

impl ConfigError {
    /// An error with a single mistake; an empty path stands for the configuration as a whole.
    pub(super) fn single(path: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { mistakes: vec![Finding { path: path.into(), sentence: sentence.into() }], left_out: 0 }
    }

    /// An error with these mistakes, of which there is at least one.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn several(mistakes: impl Iterator<Item = (String, String)>) -> Self {
        Self { mistakes: mistakes.map(|(path, sentence)| Finding { path, sentence }).collect(), left_out: 0 }
    }
}

impl ConfigError {
    /// The mistakes: the path of the field, such as `providers.acme.issuer` (empty for the configuration as a whole), and
    /// what would be right.
    pub fn mistakes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.mistakes.iter().map(|mistake| (mistake.path.as_str(), mistake.sentence.as_str()))
    }

    /// How many more there are.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{mistake}")?;
        }
        match self.left_out {
            0 => Ok(()),
            left_out => write!(formatter, "\nand {left_out} more"),
        }
    }
}

impl Warning {
    /// The path of the field, such as `providers.acme.issuer`; empty for the configuration as a whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What is doubtful about it.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.0.sentence
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "configuration" } else { &self.path };
        write!(formatter, "{path}: {}", self.sentence)
    }
}

/// A validated part, or the note that a mistake in it has been reported.
pub(super) type Checked<T> = Result<T, Reported>;

/// A mistake has been recorded, so that there will be no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reported(());

/// Collects what is found while a configuration is validated.
#[derive(Debug, Default)]
pub(super) struct Report {
    mistakes: RefCell<Bounded>,
    warnings: RefCell<Bounded>,
}

#[derive(Debug, Default)]
struct Bounded {
    kept: Vec<Finding>,
    left_out: usize,
    /// Whether there is no bound: for those who correct a file.
    #[cfg(not(target_arch = "wasm32"))]
    keeps_all: bool,
}

impl Bounded {
    #[cfg(not(target_arch = "wasm32"))]
    const fn is_full(&self) -> bool {
        self.kept.len() >= MAX_KEPT && !self.keeps_all
    }

    #[cfg(target_arch = "wasm32")]
    const fn is_full(&self) -> bool {
        self.kept.len() >= MAX_KEPT
    }

    fn push(&mut self, finding: Finding) {
        if self.is_full() {
            self.left_out += 1;
        } else {
            self.kept.push(finding);
        }
    }
}

impl Report {
    /// One that keeps everything.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn of_everything() -> Self {
        let bounded = || RefCell::new(Bounded { keeps_all: true, ..Bounded::default() });
        Self { mistakes: bounded(), warnings: bounded() }
    }

    /// The place of the configuration as a whole.
    pub(super) const fn root(&self) -> Place<'_> {
        Place { report: self, inwards: None }
    }

    /// `value` and the warnings, if no mistake was found.
    pub(super) fn conclude<T>(self, value: Checked<T>) -> Result<(T, Vec<Warning>), ConfigError> {
        let Bounded { kept: mistakes, left_out, .. } = self.mistakes.into_inner();
        match value {
            Ok(value) if mistakes.is_empty() => Ok((value, conclude_warnings(self.warnings.into_inner()))),
            _ => Err(ConfigError { mistakes, left_out }),
        }
    }
}

fn conclude_warnings(warnings: Bounded) -> Vec<Warning> {
    let rest = (warnings.left_out > 0)
        .then(|| Finding { path: String::new(), sentence: format!("and {} more warnings", warnings.left_out) });
    warnings.kept.into_iter().chain(rest).map(Warning).collect()
}

/// A place in the configuration, to which mistakes and warnings can be pinned. Its path is written only for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    report: &'a Report,
    inwards: Option<(&'a Place<'a>, Step<'a>)>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

impl Place<'_> {
    /// The field `name` of the object at this place; a name that the operator chose is escaped and cut.
    pub(super) const fn field<'a>(&'a self, name: &'a str) -> Place<'a> {
        Place { report: self.report, inwards: Some((self, Step::Field(name))) }
    }

    /// The element `index` of the list at this place.
    pub(super) const fn index(&self, index: usize) -> Place<'_> {
        Place { report: self.report, inwards: Some((self, Step::Index(index))) }
    }

    /// Records a mistake, in place of the value that cannot be had.
    pub(super) fn mistake<T>(&self, sentence: impl Into<String>) -> Checked<T> {
        Err(self.note(sentence))
    }

    /// Records a mistake.
    #[inline(never)]
    pub(super) fn note(&self, sentence: impl Into<String>) -> Reported {
        self.report.mistakes.borrow_mut().push(self.finding(sentence.into()));
        Reported(())
    }

    /// Records a warning.
    #[inline(never)]
    pub(super) fn warn(&self, sentence: impl Into<String>) {
        self.report.warnings.borrow_mut().push(self.finding(sentence.into()));
    }

    /// `value`; its absence is a mistake, and `what` says what it is.
    pub(super) fn required<T>(&self, value: Option<T>, what: &str) -> Checked<T> {
        value.ok_or_else(|| self.missing(what))
    }

    #[inline(never)]
    fn missing(&self, what: &str) -> Reported {
        self.note(format!("is required: {what}"))
    }

    /// Validates the items of the list at this place: all of them, so that every mistake is reported.
    pub(super) fn each<T, U>(
        &self,
        items: impl IntoIterator<Item = T>,
        check: impl Fn(T, &Place<'_>) -> Checked<U>,
    ) -> Checked<Vec<U>> {
        let mut checked = Vec::new();
        let mut result = Ok(());
        for (index, item) in items.into_iter().enumerate() {
            match check(item, &self.index(index)) {
                Ok(item) => checked.push(item),
                Err(reported) => result = Err(reported),
            }
        }
        result.map(|()| checked)
    }

    fn finding(&self, sentence: String) -> Finding {
        Finding { path: self.path(), sentence }
    }

    fn path(&self) -> String {
        match self.inwards {
            None => String::new(),
            Some((outer, Step::Field(name))) => joined(&outer.path(), name),
            Some((outer, Step::Index(index))) => indexed(&outer.path(), index),
        }
    }
}

/// The path of the field `name` of the object at `path`, as findings give it.
#[must_use]
pub fn joined(path: &str, name: &str) -> String {
    let separator = if path.is_empty() { "" } else { "." };
    format!("{path}{separator}{}", escaped(name))
}

/// The path of the element `index` of the list at `path`, as findings give it.
#[must_use]
pub fn indexed(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// `text` in printable ASCII, cut to 64 characters, in backquotes.
#[inline(never)]
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", escaped(text))
}

/// The items quoted, with commas between them.
#[inline(never)]
pub(super) fn listed(items: &[&str]) -> String {
    items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars().take(MAX_QUOTED) {
        if character == ' ' || character.is_ascii_graphic() {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_default());
        }
    }
    if text.chars().nth(MAX_QUOTED).is_some() {
        escaped.push_str("...");
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_wrote_is_escaped_and_cut() {
        assert_eq!(quoted("a\nb\u{202e}\u{e9}`"), r"`a\nb\u{202e}\u{e9}``");
        assert_eq!(quoted(&"x".repeat(64)).len(), 66);
        assert_eq!(quoted(&"x".repeat(65)), format!("`{}...`", "x".repeat(64)));
    }

    #[test]
    fn findings_are_bounded() {
        let report = Report::default();
        for index in 0..25 {
            report.root().field("rules").index(index).warn("doubtful");
            report.root().field("rules").index(index).note("wrong");
        }
        let error = report.conclude(Ok(())).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 21);
        assert!(error.starts_with("rules[0]: wrong\nrules[1]: wrong\n"));
        assert!(error.ends_with("rules[19]: wrong\nand 5 more"));

        let report = Report::default();
        (0..25).for_each(|_| report.root().warn("doubtful"));
        let ((), warnings) = report.conclude(Ok(())).unwrap();
        assert_eq!(warnings.len(), 21);
        assert_eq!(warnings.last().unwrap().to_string(), "configuration: and 5 more warnings");
    }
}
