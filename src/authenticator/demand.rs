//! What is asked of a request, by its route or by a rule.

use super::Authenticator;
use crate::config::{Requirement, RuleId, Unmatched};
use crate::decision::Denial;
use crate::matcher::Found;
use crate::reason::Reason;
use crate::request::Request;
use crate::route::{Policy, Route};

/// What is asked of a request, and by which rule, if it is one that asks.
pub(super) struct Demand<'c> {
    pub(super) requirement: Option<&'c Requirement>,
    pub(super) rule: Option<RuleId>,
}

impl Demand<'_> {
    const NOTHING: Self = Self { requirement: None, rule: None };
}

impl Authenticator {
    /// What is asked of the request, `None` if it is nothing, and by which rule. For those who ask why.
    ///
    /// # Errors
    ///
    /// The request is refused whatever it brings.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn asked_of(&self, request: &Request<'_>) -> Result<(Option<&Requirement>, Option<RuleId>), Denial> {
        self.demand(request, self.rules.find(request)).map(|demand| (demand.requirement, demand.rule))
    }

    /// What is asked of the request: by the metadata of its route, otherwise by the rule that was `found`.
    pub(super) fn demand(&self, request: &Request<'_>, found: Found) -> Result<Demand<'_>, Denial> {
        let refuse = |what| Denial::new(Reason::RequirementUnknown, None).with_quoted("metadata", Some(what));
        match request.route().map_or(Ok(Policy::Rules), Route::policy).map_err(refuse)? {
            Policy::Disabled => Ok(Demand::NOTHING),
            Policy::Requirement(name) => {
                let requirement = self.config.requirement(name).ok_or_else(|| refuse(name))?;
                Ok(Demand { requirement: Some(requirement), rule: None })
            }
            Policy::Rules => self.demand_by_rule(found),
        }
    }

    fn demand_by_rule(&self, found: Found) -> Result<Demand<'_>, Denial> {
        match (found, self.config.unmatched) {
            (Found::Rule(position), _) => {
                let rule = self.config.rules.get(position).ok_or(Denial::new(Reason::Internal, None))?;
                Ok(Demand { requirement: rule.requires.as_deref(), rule: Some(RuleId(position)) })
            }
            (Found::Nothing, Unmatched::Allow) => Ok(Demand::NOTHING),
            (Found::Nothing, Unmatched::Deny) => Err(Denial::new(Reason::NoMatchingRule, None)),
            (Found::Ambiguous(reason), _) => Err(Denial::new(reason, None)),
        }
    }
}
