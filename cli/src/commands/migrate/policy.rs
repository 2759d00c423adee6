//! Ordered policies, of which each allows or denies some requests, as the filter's rules, of which the first decides.

use serde_json::{Map, Value, json};

use super::note::{Kind, Scribe};
use super::permit::{Bearer, Permit, Test, TooLarge};
use super::region::{Meet, Region};
use crate::yaml::Position;

/// More sets of requests than this are nobody's policies.
const MAX_REGIONS: usize = 512;

/// What a policy does with the requests that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Allow,
    Deny,
}

/// One rule of a policy.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) action: Action,
    /// The requests that it is about: one of these,
    pub(super) within: Vec<Region>,
    /// and none of these,
    pub(super) without: Vec<Region>,
    /// with these tokens.
    pub(super) when: Permit,
    pub(super) at: Position,
}

/// A rule of the filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) region: Region,
    pub(super) permit: Permit,
}

/// The policies in their order, and what becomes of requests that none of them matches.
pub(super) struct Policies<'p> {
    pub(super) list: &'p [Policy],
    pub(super) otherwise: Action,
    /// How many providers there are.
    pub(super) providers: usize,
}

impl Decided {
    /// Nothing passes.
    pub(super) fn nothing() -> Self {
        Self { region: Region::ALL, permit: Permit::default() }
    }
}

impl Policies<'_> {
    /// The rules, of which the first decides; what none of them is for is refused.
    pub(super) fn rules(&self, scribe: &mut Scribe) -> Result<Vec<Decided>, TooLarge> {
        let regions = self.regions()?;
        let mut decided: Vec<Decided> = Vec::new();
        let mut earlier: Vec<Region> = Vec::new();
        for region in regions {
            if !earlier.iter().any(|before| before.covers(&region)) {
                decided.push(Decided { permit: self.permit(&region, &earlier, scribe)?, region: region.clone() });
                earlier.push(region);
            }
        }
        Ok(without_repetition(decided))
    }

    /// Every set that the policies name, and what they have in common; those that are within others first.
    fn regions(&self) -> Result<Vec<Region>, TooLarge> {
        let mut regions = vec![Region::ALL];
        for region in self.list.iter().flat_map(|policy| policy.within.iter().chain(&policy.without)) {
            if !regions.contains(region) {
                regions.push(region.clone());
            }
        }
        let mut next = 0;
        while let Some(region) = regions.get(next).cloned() {
            for index in 0..next {
                let Some(Meet::This(common)) = regions.get(index).map(|other| other.meet(&region)) else { continue };
                if !regions.contains(&common) {
                    regions.push(common);
                }
            }
            if regions.len() > MAX_REGIONS {
                return Err(TooLarge);
            }
            next += 1;
        }
        regions.sort_by_key(Region::rank);
        Ok(regions)
    }

    /// What is let pass of the requests in `region` that are in no earlier one.
    fn permit(&self, region: &Region, earlier: &[Region], scribe: &mut Scribe) -> Result<Permit, TooLarge> {
        let mut permit = match self.otherwise {
            Action::Allow => Permit::everything(self.providers),
            Action::Deny => Permit::default(),
        };
        for policy in self.list.iter().rev() {
            permit = match (policy.action, policy.holds(region, earlier)) {
                (_, Holds::Nowhere) => permit,
                (Action::Allow, Holds::Everywhere) => permit.or(&policy.when.expressible()),
                (Action::Deny, _) => permit.and(&policy.when.contrary(self.providers)?)?,
                (Action::Allow, Holds::Somewhere) => {
                    let sentence = format!(
                        "what this allows counts only apart from the other policies for {}: where they overlap cannot \
                         be expressed",
                        region.to_match()
                    );
                    scribe.note(Kind::Stricter, "rules", policy.at, sentence);
                    permit
                }
            };
        }
        Ok(permit)
    }
}

/// Where a policy is about the requests of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Everywhere,
    Somewhere,
    Nowhere,
}

impl Policy {
    fn holds(&self, region: &Region, earlier: &[Region]) -> Holds {
        let touches = |other: &Region| match other.meet(region) {
            Meet::Nothing => false,
            Meet::This(common) => !earlier.iter().any(|before| before.covers(&common)),
            Meet::Unknown => !earlier.iter().any(|before| before.covers(other)),
        };
        let is_out = self.without.iter().any(|other| other.covers(region));
        if is_out || !self.within.iter().any(touches) {
            return Holds::Nowhere;
        }
        let is_in = self.within.iter().any(|other| other.covers(region));
        if is_in && !self.without.iter().any(touches) { Holds::Everywhere } else { Holds::Somewhere }
    }
}

/// Without the rules that decide as the next one would that takes their requests.
fn without_repetition(decided: Vec<Decided>) -> Vec<Decided> {
    let mut kept: Vec<Decided> = Vec::new();
    for rule in decided.into_iter().rev() {
        let next = kept.iter().rev().find(|later| later.region.meet(&rule.region) != Meet::Nothing);
        let repeats = match next {
            Some(later) => later.region.covers(&rule.region) && later.permit == rule.permit,
            None => rule.permit.is_nothing(),
        };
        if !repeats {
            kept.push(rule);
        }
    }
    kept.reverse();
    kept
}

/// The filter's rule; `names` are those of the providers.
pub(super) fn rule(decided: &Decided, names: &[String]) -> Value {
    json!({"match": decided.region.to_match(), "requires": requirement(&decided.permit, names)})
}

fn requirement(permit: &Permit, names: &[String]) -> Value {
    let mut parts: Vec<Value> = permit.bearers.iter().filter_map(|bearer| leaf(bearer, names)).collect();
    if parts.is_empty() {
        parts.extend(names.first().map(|name| nobody(name)));
    }
    if permit.missing {
        parts.push(json!({"allow_missing": {}}));
    }
    match parts.as_slice() {
        [only] => only.clone(),
        _ => json!({"requires_any": {"requirements": parts}}),
    }
}

/// What no token can fulfil: the filter has no rule that refuses by itself.
fn nobody(name: &str) -> Value {
    let claims = json!([{"claim_name": "iss", "exists": true}, {"claim_name": "iss", "exists": false}]);
    json!({"provider_name": name, "claims": claims})
}

fn leaf(bearer: &Bearer, names: &[String]) -> Option<Value> {
    let mut out = Map::from_iter([("provider_name".to_owned(), names.get(bearer.provider)?.clone().into())]);
    let (mut scopes, mut claims) = (Vec::new(), Vec::new());
    for test in &bearer.tests {
        match test {
            Test::Exists(path, there) => claims.push(condition(path, "exists", (*there).into())),
            Test::Values(path, values, true) => claims.push(condition(path, "any_of", json!(values))),
            Test::Values(path, values, false) => claims.push(condition(path, "not", json!({"any_of": values}))),
            Test::Word(_, word, true) => scopes.push(word.clone()),
            Test::Word(_, _, false) | Test::Unknown(..) => return None,
        }
    }
    if !scopes.is_empty() {
        // The filter takes `scp` for `scope`; where the policies come from, it is not looked at.
        let foreign = condition(&["scp".to_owned()], "exists", false.into());
        if !claims.contains(&foreign) {
            claims.push(foreign);
        }
        out.insert("scopes".to_owned(), scopes.into());
    }
    if !claims.is_empty() {
        out.insert("claims".to_owned(), claims.into());
    }
    Some(Value::Object(out))
}

fn condition(path: &[String], kind: &str, wanted: Value) -> Value {
    let claim = match path {
        [name] if !name.contains('.') => ("claim_name".to_owned(), name.clone().into()),
        names => ("claim_path".to_owned(), json!(names)),
    };
    Value::Object(Map::from_iter([claim, (kind.to_owned(), wanted)]))
}
