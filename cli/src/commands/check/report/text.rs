//! For people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::super::Outcome;
use super::{counts, excerpt, level, message, plain};
use crate::finding::{Finding, Severity};

pub(super) fn told(outcome: &Outcome) -> String {
    let mut told = String::new();
    for (name, text) in &outcome.texts {
        let lines: Vec<_> = text.lines().collect();
        for finding in outcome.findings.iter().filter(|finding| finding.file == *name) {
            let line = finding.at.line.checked_sub(1).and_then(|index| lines.get(index));
            told.push_str(&one(finding, line.copied().unwrap_or_default()));
        }
    }
    if outcome.files > 0 {
        told.push_str(&summary(outcome));
        told.push('\n');
    }
    told
}

fn one(finding: &Finding, source: &str) -> String {
    let bold = Style::new().bold();
    let colour = match finding.severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
    };
    let (line, column) = (finding.at.line, finding.at.column);
    let mut told = format!(
        "{bold}{}:{line}:{column}:{bold:#} {colour}{}:{colour:#} {} [{}]\n",
        plain(&finding.file),
        level(finding.severity),
        plain(&message(finding)),
        finding.rule
    );
    if let Some(excerpt) = excerpt::shown(source) {
        let margin = " ".repeat(line.to_string().len());
        let before = " ".repeat(column.saturating_sub(1));
        // A string takes whatever is written into it.
        let _ = writeln!(told, " {line} | {}\n {margin} | {before}{colour}^{colour:#}", plain(&excerpt));
    }
    told
}

fn summary(outcome: &Outcome) -> String {
    let (errors, warnings) = counts(outcome);
    format!(
        "{} in {}: {}, {}",
        number(outcome.configurations, "configuration"),
        number(outcome.files, "file"),
        number(errors, "error"),
        number(warnings, "warning")
    )
}

fn number(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;

    #[test]
    fn the_line_is_shown_with_a_caret() {
        let outcome = outcome();
        let told = anstream::adapter::strip_str(&one(&outcome.findings[0], "  isuer: x")).to_string();
        let expected = "a dir/b,c:d%.yaml:2:3: error: providers.acme.isuer: is not a field\\nof 100 % [mistake]\n \
                        2 |   isuer: x\n   |   ^\n";
        assert_eq!(told, expected);
        assert_eq!(summary(&outcome), "1 configuration in 1 file: 1 error, 1 warning");
    }
}
