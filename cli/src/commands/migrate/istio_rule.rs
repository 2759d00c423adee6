//! The rules of Istio's `AuthorizationPolicy`.

use std::rc::Rc;

use super::fields::Fields;
use super::istio_claim::{Place, claim, principals};
use super::istio_operation::{Wanted, operations};
use super::istio_provider::Issuer;
use super::note::{Kind, Scribe};
use super::permit::{Permit, TooLarge};
use super::policy::{Action, Policy};
use super::region::Region;
use crate::yaml::Node;

/// What a rule asks, apart from the request's path, method and host.
struct Asked {
    when: Permit,
    /// What in it is not about tokens, such as the namespace of the caller.
    foreign: Vec<String>,
    /// Whether something in it is about tokens.
    about_tokens: bool,
}

/// The policies of one manifest.
pub(super) fn policies(
    spec: &Node,
    action: Action,
    name: &str,
    issuers: &[Issuer],
    scribe: &mut Scribe,
) -> Vec<Policy> {
    let rules = spec.get("rules").map_or(&[][..], |rules| rules.items());
    rules.iter().flat_map(|rule| of_rule(rule, action, name, issuers, scribe)).collect()
}

fn of_rule(rule: &Rc<Node>, action: Action, name: &str, issuers: &[Issuer], scribe: &mut Scribe) -> Vec<Policy> {
    let fields = Fields::of(rule);
    let Ok(mut asked) = asked(&fields, name, issuers, scribe) else {
        scribe.note(Kind::Blocked, "rules", rule.at, format!("{name}: asks for more alternatives than can be written"));
        return Vec::new();
    };
    let regions = operations(fields.items("to"), action, scribe);
    for member in fields.rest() {
        asked.foreign.push(member.name.clone());
    }
    asked.foreign.extend(regions.iter().flat_map(|region| region.foreign.iter().cloned()));
    asked.foreign.sort();
    asked.foreign.dedup();
    if asked.when.loses(action, issuers.len()) {
        let sentence =
            format!("{name}: a condition cannot be told exactly: tokens about which it is in doubt are refused");
        scribe.note(Kind::Stricter, "rules", rule.at, sentence);
    }
    if !asked.foreign.is_empty() && !may_stay(&asked, action, rule, name, scribe) {
        return Vec::new();
    }
    let policy = |wanted: Wanted| Policy {
        action,
        within: wanted.within,
        without: wanted.without,
        when: asked.when.clone(),
        at: rule.at,
    };
    if regions.is_empty() {
        let all = Policy { action, within: vec![Region::ALL], without: Vec::new(), when: asked.when, at: rule.at };
        return vec![all];
    }
    regions.into_iter().map(policy).collect()
}

/// What becomes of a rule that asks for something that the filter does not see.
fn may_stay(asked: &Asked, action: Action, rule: &Node, name: &str, scribe: &mut Scribe) -> bool {
    let what = asked.foreign.join(", ");
    let (sentence, stays) = match (action, asked.about_tokens) {
        (Action::Allow, _) => {
            (format!("{name}: a rule that asks for {what} allows nothing here: its requests are refused"), false)
        }
        (Action::Deny, true) => (format!("{name}: {what}: the rule denies here whatever that is"), true),
        (Action::Deny, false) => {
            (format!("{name}: a rule that denies by {what}: keep it in Istio, it does not need the token"), false)
        }
    };
    scribe.note(Kind::Lost, "rules", rule.at, sentence);
    stays
}

fn asked(fields: &Fields<'_>, name: &str, issuers: &[Issuer], scribe: &mut Scribe) -> Result<Asked, TooLarge> {
    let everything = Permit::everything(issuers.len());
    let mut asked = Asked { when: everything.clone(), foreign: Vec::new(), about_tokens: false };
    for condition in fields.items("when") {
        let inner = Fields::of(condition);
        let key = inner.text("key").unwrap_or_default();
        let (values, unwanted) = (inner.texts("values"), inner.texts("notValues"));
        asked.foreign.extend(inner.rest().map(|member| member.name.clone()));
        let place = Place { at: condition.at, policy: name };
        let foreign = if key.is_empty() { "`when` without `key`" } else { key };
        match claim(key, &values, &unwanted, issuers, place, scribe) {
            Some(permit) => {
                asked.when = asked.when.and(&permit?)?;
                asked.about_tokens = true;
            }
            None => asked.foreign.push(foreign.to_owned()),
        }
    }
    let from = fields.items("from");
    if from.is_empty() {
        return Ok(asked);
    }
    let mut sources = Permit::default();
    for item in from {
        let Some(source) = item.get("source") else {
            asked.foreign.push("`from` without `source`".to_owned());
            sources = everything.clone();
            continue;
        };
        let inner = Fields::of(source);
        let mut permit = everything.clone();
        for (field, wanted) in [("requestPrincipals", true), ("notRequestPrincipals", false)] {
            let values = inner.texts(field);
            if values.is_empty() {
                continue;
            }
            let of_values = principals(&values, issuers, Place { at: source.at, policy: name }, scribe);
            let of_values = if wanted { of_values } else { of_values.exact_contrary(issuers.len())? };
            permit = permit.and(&of_values)?;
            asked.about_tokens = true;
        }
        asked.foreign.extend(inner.rest().map(|member| member.name.clone()));
        sources = sources.or(&permit);
    }
    asked.when = asked.when.and(&sources)?;
    Ok(asked)
}
