//! Istio's conditions on tokens.

use std::collections::BTreeSet;

use super::istio_provider::Issuer;
use super::note::{Kind, Scribe};
use super::permit::{Bearer, Permit, Test, TooLarge};
use crate::yaml::Position;

/// Where a condition stands, and which policy it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) at: Position,
    pub(super) policy: &'p str,
}

/// A condition by its key; `None` if it is not about tokens.
pub(super) fn claim(
    key: &str,
    values: &[String],
    unwanted: &[String],
    issuers: &[Issuer],
    place: Place<'_>,
    scribe: &mut Scribe,
) -> Option<Result<Permit, TooLarge>> {
    let path = match key {
        "request.auth.principal" => None,
        "request.auth.audiences" => Some(vec!["aud".to_owned()]),
        "request.auth.presenter" => Some(vec!["azp".to_owned()]),
        _ => Some(claim_path(key)?),
    };
    if values.is_empty() && unwanted.is_empty() {
        return None;
    }
    let mut of = |values: &[String]| match &path {
        None => principals(values, issuers, place, scribe),
        Some(path) => values_of(path, values, issuers, place, scribe),
    };
    let wanted = if values.is_empty() { Permit::everything(issuers.len()) } else { of(values) };
    if unwanted.is_empty() {
        return Some(Ok(wanted));
    }
    let unwanted = of(unwanted);
    Some(unwanted.exact_contrary(issuers.len()).and_then(|unwanted| wanted.and(&unwanted)))
}

/// `request.auth.claims[a][b]`.
fn claim_path(key: &str) -> Option<Vec<String>> {
    let inner = key.strip_prefix("request.auth.claims[")?.strip_suffix(']')?;
    let names: Vec<String> = inner.split("][").map(str::to_owned).collect();
    names.iter().all(|name| !name.is_empty()).then_some(names)
}

fn values_of(path: &[String], values: &[String], issuers: &[Issuer], place: Place<'_>, scribe: &mut Scribe) -> Permit {
    let are_words = match path {
        [name] => issuers.iter().any(|issuer| issuer.words.contains(name)),
        _ => false,
    };
    let of = |test: Test| Permit::of_test(&test, issuers.len());
    let mut permit = Permit::default();
    let mut exact = BTreeSet::new();
    for value in values {
        if value == "*" {
            permit = permit.or(&present(path, issuers.len()));
            let sentence = format!(
                "{}: `*` for the claim {}: a number or a boolean counts too; Istio wants a text",
                place.policy,
                path.join(".")
            );
            scribe.note(Kind::Looser, "rules", place.at, sentence);
        } else if value.starts_with('*') || value.ends_with('*') {
            permit = permit.or(&of(Test::Unknown(path.to_vec(), true)));
            let sentence = format!("{}: {value:?} for the claim {}: no wildcards here", place.policy, path.join("."));
            scribe.note(Kind::Lost, "rules", place.at, sentence);
        } else if are_words {
            permit = permit.or(&of(Test::Word(path.to_vec(), value.clone(), true)));
        } else {
            exact.insert(value.clone());
        }
    }
    if exact.is_empty() { permit } else { permit.or(&of(Test::Values(path.to_vec(), exact, true))) }
}

/// The claim holds a text that is not empty.
fn present(path: &[String], providers: usize) -> Permit {
    let empty = BTreeSet::from([String::new()]);
    let tests = BTreeSet::from([Test::Exists(path.to_vec(), true), Test::Values(path.to_vec(), empty, false)]);
    let bearers = (0..providers).map(|provider| Bearer { provider, tests: tests.clone() }).collect();
    Permit { missing: false, bearers }
}

/// The tokens of these principals, each `issuer/subject`, which Istio splits at the last slash.
pub(super) fn principals(values: &[String], issuers: &[Issuer], place: Place<'_>, scribe: &mut Scribe) -> Permit {
    let mut permit = Permit::default();
    for value in values {
        let (wanted, test) = principal(value);
        if matches!(test, Test::Unknown(..)) {
            let sentence = format!("{}: the principal {value:?}: no wildcards within a subject here", place.policy);
            scribe.note(Kind::Lost, "rules", place.at, sentence);
        }
        let meant = issuers.iter().enumerate().filter(|(_, issuer)| wanted.is(&issuer.name));
        permit.bearers.extend(meant.map(|(provider, _)| Bearer { provider, tests: BTreeSet::from([test.clone()]) }));
    }
    permit
}

/// Which issuers a principal is of.
enum Wanted<'v> {
    Any,
    Exact(&'v str),
    Begin(&'v str),
    End(&'v str),
}

impl Wanted<'_> {
    fn is(&self, issuer: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(text) => issuer == *text,
            Self::Begin(text) => issuer.starts_with(text),
            Self::End(text) => issuer.ends_with(text),
        }
    }
}

fn principal(value: &str) -> (Wanted<'_>, Test) {
    let sub = || vec!["sub".to_owned()];
    let any = || Test::Exists(sub(), true);
    let exact = |text: &str| Test::Values(sub(), BTreeSet::from([text.to_owned()]), true);
    let parts = value.rsplit_once('/');
    match (value.strip_prefix('*'), value.strip_suffix('*'), parts) {
        _ if value == "*" => (Wanted::Any, any()),
        (Some(_), _, Some(("*", subject))) => (Wanted::Any, exact(subject)),
        (Some(_), _, Some((issuer, subject))) => {
            (Wanted::End(issuer.strip_prefix('*').unwrap_or(issuer)), exact(subject))
        }
        (Some(_), _, None) => (Wanted::Any, Test::Unknown(sub(), true)),
        (_, Some(_), Some((issuer, "*"))) => (Wanted::Exact(issuer), any()),
        (_, Some(_), Some((issuer, _))) => (Wanted::Exact(issuer), Test::Unknown(sub(), true)),
        (_, Some(begin), None) => (Wanted::Begin(begin), any()),
        (_, _, Some((issuer, subject))) => (Wanted::Exact(issuer), exact(subject)),
        (_, _, None) => (Wanted::Exact(value), exact("")),
    }
}
