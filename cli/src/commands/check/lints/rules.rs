//! Rules that let requests pass.

use serde_json::Value;

use super::super::catalogue as lint;
use super::super::file::Findings;
use super::{Subject, is_true, value_of};

/// Expressions that match every path.
const EVERYTHING: [&str; 6] = [".*", "/.*", "^.*$", "^/.*$", "^/.*", ".+"];

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut warn = |path: &str, lint, sentence: &str| findings.warn(subject.plugin, lint, path, sentence);
    if value_of(subject.value, "unmatched").and_then(Value::as_str) == Some("allow") {
        let sentence = "lets requests that no rule matches pass unverified: use `deny`, and a rule for what may pass";
        warn("unmatched", lint::UNMATCHED_ALLOW, sentence);
    }
    let reporting = "refuses nothing, and only reports: remove it once the reports are what you expect";
    if is_true(subject.value, "report_only") {
        warn("report_only", lint::REPORT_ONLY, reporting);
    }
    let rules = value_of(subject.value, "rules").and_then(Value::as_array);
    for (index, rule) in rules.into_iter().flatten().enumerate() {
        if is_true(rule, "report_only") {
            warn(&format!("rules[{index}].report_only"), lint::REPORT_ONLY, reporting);
        }
        // Where there are mistakes, what would close it may be one of them.
        if subject.config.is_some()
            && let Some(why) = lets_pass(rule).filter(|_| value_of(rule, "match").is_some_and(takes_every_path))
        {
            let sentence = format!("{why}, whatever its path: exempt single paths, by `path`");
            warn(&format!("rules[{index}].match"), lint::OPEN_ROUTE, &sentence);
        }
    }
}

fn lets_pass(rule: &Value) -> Option<&'static str> {
    let Some(requires) = value_of(rule, "requires") else {
        let is_open = rule.is_object() && value_of(rule, "requirement_name").is_none();
        return is_open.then_some("lets every request pass unverified");
    };
    value_of(requires, "allow_missing_or_failed").map(|_| "lets every request pass, with a bad token too")
}

fn takes_every_path(matcher: &Value) -> bool {
    let text = |name: &str| value_of(matcher, name).and_then(Value::as_str);
    let regex = value_of(matcher, "safe_regex").and_then(|regex| value_of(regex, "regex")).and_then(Value::as_str);
    let names_a_path = ["prefix", "path", "path_separated_prefix", "safe_regex", "connect_matcher"]
        .iter()
        .any(|name| value_of(matcher, name).is_some());
    let takes_all =
        text("prefix") == Some("/") || regex.is_some_and(|regex| EVERYTHING.contains(&regex)) || !names_a_path;
    takes_all && matcher.is_object() && !asks_only(matcher)
}

/// Whether the method is one by which nothing is had: preflights have no token.
fn asks_only(matcher: &Value) -> bool {
    let methods = value_of(matcher, "methods").and_then(Value::as_array);
    methods.is_some_and(|methods| !methods.is_empty() && methods.iter().all(|method| method == "OPTIONS"))
}
