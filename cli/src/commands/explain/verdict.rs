//! The verdict: what the client gets, why, and what the upstream would see.

use jwt_warden::config::Config;
use jwt_warden::decision::{Admission, Decision, Denial};
use jwt_warden::extractor::HeaderEdit;
use jwt_warden::upstream::Effect;
use serde_json::{Map, Value, json};

use super::checks::refusal;
use super::report::{Mark, Step};
use super::{reasons, steps, words};

/// The exit codes: allowed, refused, undecided.
pub(super) fn exit_code(decision: &Decision) -> u8 {
    match decision {
        Decision::Allow(_) | Decision::Tell(_) => 0,
        Decision::Deny(_) => 1,
        Decision::Wait(_) => 3,
    }
}

/// For readers.
pub(super) fn step(decision: &Decision, config: &Config) -> Step {
    let mut step = Step::new(format!("Verdict: {}", name(decision)));
    match decision {
        Decision::Allow(admission) => allowed(&mut step, admission, config),
        Decision::Deny(denial) => refused(&mut step, denial, config),
        Decision::Wait(wait) => {
            let provider = words::provider(wait.provider, config);
            let what = "the signature cannot be checked without the keys of";
            step.add(Mark::Open, 0, format!("{what} {provider}: give --jwks FILE, or --jwks {provider}=FILE"));
        }
        Decision::Tell(answer) => {
            step.add(Mark::Good, 0, format!("{}: the filter answers by itself (protected_resource)", answer.status));
        }
    }
    step
}

fn name(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow(_) => "allowed",
        Decision::Deny(_) => "refused",
        Decision::Wait(_) => "undecided",
        Decision::Tell(_) => "answered",
    }
}

fn refused(step: &mut Step, denial: &Denial, config: &Config) {
    let answer = denial.answer(config);
    step.add(Mark::Bad, 0, refusal(denial));
    if let Some((cause, cure)) = reasons::advice(denial.reason) {
        step.add(Mark::Note, 0, format!("cause: {cause}"));
        step.add(Mark::Note, 0, format!("cure: {cure}"));
    }
    step.note(format!("the client gets {} {}", answer.status, answer.body));
    if let Some(challenge) = denial.challenge(config) {
        step.add(Mark::Note, 1, format!("www-authenticate: {challenge}"));
    }
}

fn allowed(step: &mut Step, admission: &Admission, config: &Config) {
    let by =
        admission.provider.map(|id| format!(", by a token of {}", words::provider(id, config))).unwrap_or_default();
    step.add(Mark::Good, 0, format!("{}{by}", admission.code));
    if let Some(rule) = admission.rule {
        step.note(format!("by {}", steps::named_rule(config, rule.0)));
    }
    step.note("the upstream sees the request");
    if admission.edits.is_empty() && admission.told.iter().all(|effects| effects.is_empty()) {
        step.add(Mark::Note, 1, "as it is");
    }
    for edit in &admission.edits {
        step.add(Mark::Note, 1, without(edit));
    }
    for effect in admission.told.iter().flat_map(|effects| effects.iter()) {
        match effect {
            Effect::Header(HeaderEdit::Remove(name)) => step.add(Mark::Note, 1, format!("without the header {name}")),
            Effect::Header(HeaderEdit::Replace(name, values)) => {
                step.add(Mark::Note, 1, format!("with {name}: {}", shown(values)));
            }
            Effect::Property(name, value) => {
                step.add(Mark::Note, 1, format!("with the filter state {name}: {value}"));
            }
        }
    }
}

/// What else stands in such a header is the client's own, and may be secret.
fn without(edit: &HeaderEdit) -> String {
    match edit {
        HeaderEdit::Remove(name) => format!("without the header {name}"),
        HeaderEdit::Replace(name, _) if name == ":path" => "without the token in the query".to_owned(),
        HeaderEdit::Replace(name, _) => format!("without the token in the header {name}"),
    }
}

fn shown(values: &[Vec<u8>]) -> String {
    values.iter().map(|value| String::from_utf8_lossy(value)).collect::<Vec<_>>().join(", ")
}

/// For programs.
pub(super) fn value(decision: &Decision, config: &Config, steps: &[Step]) -> Value {
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("verdict", name(decision).into());
    match decision {
        Decision::Allow(admission) => {
            set("code", admission.code.into());
            set("rule", admission.rule.map(|rule| rule.0).into());
            set("provider", admission.provider.map(|id| words::provider(id, config)).into());
            set("upstream", upstream(admission));
        }
        Decision::Deny(denial) => {
            let advice = reasons::advice(denial.reason);
            set("reason", denial.reason.code().into());
            set("rule", denial.rule.map(|rule| rule.0).into());
            set("provider", denial.provider.map(|id| words::provider(id, config)).into());
            set("status", denial.answer(config).status.into());
            set("challenge", denial.challenge(config).into());
            set("details", denial.details.iter().map(|(name, value)| (*name, value.as_str())).collect());
            set("cause", advice.as_ref().map(|(cause, _)| cause.as_str()).into());
            set("cure", advice.as_ref().map(|(_, cure)| cure.as_str()).into());
        }
        Decision::Wait(wait) => {
            set("missing", json!({"keys_of": words::provider(wait.provider, config)}));
        }
        Decision::Tell(answer) => {
            set("status", answer.status.into());
        }
    }
    set("steps", steps.iter().map(Step::value).collect());
    Value::Object(members)
}

fn upstream(admission: &Admission) -> Value {
    let mut removed = Vec::new();
    let mut replaced = Vec::new();
    for edit in &admission.edits {
        match edit {
            HeaderEdit::Remove(name) => removed.push(name),
            HeaderEdit::Replace(name, _) => replaced.push(name),
        }
    }
    let (mut headers, mut properties) = (Map::new(), Map::new());
    for effect in admission.told.iter().flat_map(|effects| effects.iter()) {
        match effect {
            Effect::Header(HeaderEdit::Remove(name)) => removed.push(name),
            Effect::Header(HeaderEdit::Replace(name, values)) => {
                headers.insert(name.clone(), shown(values).into());
            }
            Effect::Property(name, value) => {
                properties.insert(name.clone(), value.as_str().into());
            }
        }
    }
    json!({
        "headers_removed": removed, "headers_without_token": replaced, "headers_set": headers,
        "filter_state": properties,
    })
}
