//! SARIF 2.1.0, which code scanning reads.

use serde_json::{Value, json};

use super::super::Outcome;
use super::super::catalogue;
use super::{level, message};
use crate::finding::Finding;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn log(outcome: &Outcome) -> Value {
    let known = catalogue::everything();
    let rules: Vec<_> =
        known.iter().map(|lint| json!({"id": lint.id, "shortDescription": {"text": lint.about}})).collect();
    let results: Vec<_> = outcome.findings.iter().map(|finding| result(finding, &known)).collect();
    let troubles: Vec<_> =
        outcome.troubles.iter().map(|trouble| json!({"level": "error", "message": {"text": trouble}})).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "jwt-warden", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "invocations": [{
                "executionSuccessful": troubles.is_empty(),
                "toolExecutionNotifications": troubles,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding, known: &[catalogue::Lint]) -> Value {
    json!({
        "ruleId": finding.rule,
        // -1 stands for no index (SARIF 2.1.0 section 3.27.6).
        "ruleIndex": known.iter().position(|lint| lint.id == finding.rule).map_or(json!(-1), |index| json!(index)),
        "level": level(finding.severity),
        "message": {"text": message(finding)},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&finding.file)},
                "region": {"startLine": finding.at.line, "startColumn": finding.at.column},
            },
        }],
    })
}

/// The name as a relative reference (RFC 3986 section 4.2).
fn uri(name: &str) -> String {
    let escaped: String = name
        .bytes()
        .map(|byte| match byte {
            b'\\' if cfg!(windows) => "/".to_owned(),
            byte if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    if escaped.starts_with('/') { format!("file://{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;

    /// What the schema of SARIF 2.1.0 requires of the members that are used here.
    #[test]
    fn it_has_the_form_of_sarif() {
        let log = log(&outcome());
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let driver = &run["tool"]["driver"];
        assert!(driver["name"].is_string());
        let rules = driver["rules"].as_array().unwrap();
        for rule in rules {
            assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string(), "{rule}");
        }
        assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let location = &result["locations"][0]["physicalLocation"];
            assert_eq!(location["artifactLocation"]["uri"], "a%20dir/b%2Cc%3Ad%25.yaml");
            assert!(location["region"]["startLine"].as_u64().unwrap() >= 1);
            assert!(location["region"]["startColumn"].as_u64().unwrap() >= 1);
        }
    }

    #[test]
    fn absolute_names_are_uris_too() {
        assert_eq!(uri("/tmp/\u{e9}.yaml"), "file:///tmp/%C3%A9.yaml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
