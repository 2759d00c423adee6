//! In what the two filters agree, and in what not.

use std::collections::BTreeMap;

use super::super::note::Note;
use super::cause;
use super::client::Outcome;
use super::sample::Sample;

/// How two outcomes differ; the order is that in which they are told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// `jwt_authn` lets it pass, and the filter refuses it for this reason.
    Stricter(String),
    /// Both let it pass, and this header tells the upstream something else.
    Told(String),
    /// The filter lets it pass, and `jwt_authn` refuses it with these details.
    Looser(String),
    /// Envoy answers one of them in another way than its filter does, with these details.
    Failed(String),
    /// Envoy itself refuses both, with these details: nothing is compared.
    Neither(String),
}

/// Where they differ in one way and for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) number: usize,
    /// The first of the requests, in words; an ordinary one with a good token if there is one.
    pub(super) example: String,
    /// Whether that is one.
    pub(super) is_good: bool,
}

/// What came of all samples.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) passed: usize,
    pub(super) refused: usize,
    /// The differences, each with its cause where one is known.
    pub(super) differences: BTreeMap<(Difference, Option<String>), Group>,
}

impl Comparison {
    /// Takes one sample in; `notes` are those of the migration.
    pub(super) fn add(&mut self, sample: &Sample, [native, warden]: &[Outcome; 2], notes: &[Note]) {
        let Some(difference) = difference(native, warden) else {
            let count = if native.passes() { &mut self.passed } else { &mut self.refused };
            *count += 1;
            return;
        };
        let cause = cause::of(&difference, sample, notes);
        // The target may hold a token: the path is enough.
        let example = format!("{} {}: {}", sample.request.method, sample.request.path, sample.words);
        let fresh = Group { number: 0, example: example.clone(), is_good: sample.is_good };
        let group = self.differences.entry((difference, cause)).or_insert(fresh);
        group.number += 1;
        if sample.is_good && !group.is_good {
            (group.example, group.is_good) = (example, true);
        }
    }

    /// How many differ.
    pub(super) fn differing(&self) -> usize {
        self.differences.values().map(|group| group.number).sum()
    }
}

fn difference(native: &Outcome, warden: &Outcome) -> Option<Difference> {
    let is_foreign = |outcome: &Outcome, filter: &str| !outcome.passes() && !outcome.details.starts_with(filter);
    match (is_foreign(native, "jwt_authn_"), is_foreign(warden, "jwt_warden_denied{")) {
        (false, false) => {}
        (true, true) if native == warden => return Some(Difference::Neither(native.details.clone())),
        (true, _) => return Some(Difference::Failed(native.details.clone())),
        (_, true) => return Some(Difference::Failed(warden.details.clone())),
    }
    match (native.passes(), warden.passes()) {
        (true, false) => Some(Difference::Stricter(code(&warden.details).to_owned())),
        (false, true) => Some(Difference::Looser(native.details.clone())),
        (false, false) => None,
        (true, true) => told_by_one(native, warden).or_else(|| told_by_one(warden, native)).map(Difference::Told),
    }
}

/// The filter's reason, in Envoy's details of a refusal.
fn code(details: &str) -> &str {
    details.strip_prefix("jwt_warden_denied{").and_then(|rest| rest.strip_suffix('}')).unwrap_or(details)
}

fn told_by_one(one: &Outcome, other: &Outcome) -> Option<String> {
    one.told.iter().find(|told| !other.told.contains(told)).map(|(name, _)| name.clone())
}
