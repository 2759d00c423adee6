//! How findings are told.

mod excerpt;
mod github;
mod json;
mod sarif;
mod text;

use super::{Format, Outcome};
use crate::finding::Severity;

/// What was found, as a text.
pub(super) fn told(format: Format, outcome: &Outcome) -> String {
    match format {
        Format::Text => text::told(outcome),
        Format::Json => format!("{:#}\n", json::report(outcome)),
        Format::Sarif => format!("{:#}\n", sarif::log(outcome)),
        Format::Github => outcome.findings.iter().map(|finding| github::command(finding) + "\n").collect(),
    }
}

/// The word for it.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// How many errors and warnings there are.
fn counts(outcome: &Outcome) -> (usize, usize) {
    let errors = outcome.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    (errors, outcome.findings.len() - errors)
}

/// The path and the sentence, as one.
fn message(finding: &crate::finding::Finding) -> String {
    match finding.path.as_str() {
        "" => finding.sentence.clone(),
        path => format!("{path}: {}", finding.sentence),
    }
}

/// Text that changes nothing but what is read: control characters are shown as what they are.
fn plain(text: &str) -> String {
    let escaped = |character: char| match character {
        character if character.is_control() => character.escape_default().to_string(),
        // They would turn around what follows.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => character.escape_unicode().to_string(),
        character => character.to_string(),
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Outcome;
    use crate::finding::{Finding, Severity};
    use crate::yaml::Position;

    /// An outcome with an error and a warning, in a file with an odd name.
    pub(in super::super) fn outcome() -> Outcome {
        let finding = |severity, rule, line, path: &str, sentence: &str| Finding {
            severity,
            rule,
            file: "a dir/b,c:d%.yaml".into(),
            at: Position { line, column: 3 },
            path: path.into(),
            sentence: sentence.into(),
        };
        Outcome {
            findings: vec![
                finding(Severity::Error, "mistake", 2, "providers.acme.isuer", "is not a field\nof 100 %"),
                finding(Severity::Warning, "open-route", 3, "rules[0].match", "lets pass"),
            ],
            texts: vec![("a dir/b,c:d%.yaml".into(), "providers:\n  isuer: x\n  y: z\n".into())],
            files: 1,
            configurations: 1,
            troubles: Vec::new(),
        }
    }

    #[test]
    fn nothing_in_a_name_moves_the_cursor() {
        assert_eq!(super::plain("a\u{1b}[2Jb\u{202e}c\u{e9}"), "a\\u{1b}[2Jb\\u{202e}c\u{e9}");
    }
}
