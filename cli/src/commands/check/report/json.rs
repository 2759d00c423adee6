//! For other programs.

use serde_json::{Value, json};

use super::super::Outcome;
use super::{counts, level};

/// The version of this form: it changes when a member changes its meaning.
const VERSION: u32 = 1;

pub(super) fn report(outcome: &Outcome) -> Value {
    let (errors, warnings) = counts(outcome);
    let findings = outcome.findings.iter().map(|finding| {
        json!({
            "severity": level(finding.severity),
            "id": finding.rule,
            "file": finding.file,
            "line": finding.at.line,
            "column": finding.at.column,
            "path": finding.path,
            "message": finding.sentence,
        })
    });
    json!({
        "version": VERSION,
        "files": outcome.files,
        "configurations": outcome.configurations,
        "errors": errors,
        "warnings": warnings,
        "findings": findings.collect::<Vec<_>>(),
        "unreadable": outcome.troubles,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;

    #[test]
    fn everything_is_in_it() {
        let report = report(&outcome());
        assert_eq!(report["errors"], 1);
        assert_eq!(report["findings"][1]["id"], "open-route");
        assert_eq!(report["findings"][0]["message"], "is not a field\nof 100 %");
        assert_eq!(report["findings"][0]["line"], 2);
    }
}
