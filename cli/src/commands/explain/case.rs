//! The steps about tokens: what is required, which tokens there are, and what comes of each.

use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::{Permission, ProviderRequirement, Requirement};
use jwt_warden::examination::{Check, Outcome, Presence, Subject};
use jwt_warden::request::Request;
use jwt_warden::verifier::Moment;

use super::checks::{self, Examined};
use super::report::{Mark, Step};
use super::sources::GivenKeys;
use super::{steps, words};

/// Everything about one question.
pub(super) struct Case<'c> {
    pub(super) authenticator: &'c Authenticator,
    pub(super) request: &'c Request<'c>,
    pub(super) keys: &'c GivenKeys,
    pub(super) moment: Moment<'c>,
    pub(super) show_signature: bool,
}

impl Case<'_> {
    /// The steps from what is required to what the rule asks.
    pub(super) fn steps(&self) -> Vec<Step> {
        let config = self.authenticator.config();
        let presences = self.authenticator.presences(self.request);
        let (requirement, mut steps) = match self.authenticator.asked_of(self.request) {
            Ok((requirement, _)) => (requirement, vec![steps::required(requirement, config)]),
            Err(_) => (None, Vec::new()),
        };
        steps.push(steps::places(&presences, requirement, config));
        let demands = requirement.map(demands).unwrap_or_default();
        let is_single = presences.iter().map(|presence| presence.tokens.len()).sum::<usize>() == 1;
        for presence in &presences {
            for token in &presence.tokens {
                let place = if is_single { String::new() } else { format!(" {}", words::location(presence.location)) };
                steps.extend(self.token(presence, token, &place, &demands));
            }
        }
        steps
    }

    /// What one token says, and every check of it.
    fn token(&self, presence: &Presence<'_>, token: &[u8], place: &str, demands: &[ProviderRequirement]) -> Vec<Step> {
        let config = self.authenticator.config();
        let Self { request, moment, .. } = *self;
        let looks = |demand: &&ProviderRequirement| {
            config.provider(demand.provider).is_some_and(|provider| provider.locations.contains(presence.location))
        };
        let examine = |demand| {
            let subject = Subject { token, location: presence.location, demand, request, moment };
            (demand, self.authenticator.examine(subject))
        };
        let examined: Vec<_> = demands.iter().filter(looks).map(examine).collect();
        let is_verified = examined.iter().any(|(_, checks)| is_met(checks, "signature"));
        let mut contents = Step::new(format!("The token{place}"));
        checks::contents(&mut contents, token, is_verified, moment.now, self.show_signature);
        let mut steps = vec![contents];
        let mut of_rule = Step::new(format!("The token{place}, held against the rule"));
        let (mut known, mut is_asked) = (Vec::new(), false);
        for (demand, checks) in &examined {
            let Some(provider) = config.provider(demand.provider) else { continue };
            let examined_token = Examined {
                authenticator: self.authenticator,
                token,
                provider,
                demand,
                keys: self.keys,
                now: moment.now,
            };
            if !known.contains(&demand.provider) {
                known.push(demand.provider);
                let mut step = Step::new(format!("The token{place}, held against the provider {}", provider.name));
                if examined.iter().any(|(other, _)| other.provider != demand.provider) && is_unmet(checks, "iss") {
                    step.add(Mark::Bad, 0, "iss: not one of this provider's: another one may accept it");
                } else {
                    examined_token.by_provider(&mut step, checks);
                }
                steps.push(step);
            }
            is_asked |= examined_token.by_rule(&mut of_rule, checks);
        }
        if is_asked {
            steps.push(of_rule);
        }
        steps
    }
}

/// What is asked of tokens of single providers, somewhere in the requirement.
fn demands(requirement: &Requirement) -> Vec<ProviderRequirement> {
    let mut demands: Vec<_> = requirement.leaves().into_iter().cloned().collect();
    for provider in requirement.providers() {
        if demands.iter().all(|demand| demand.provider != provider) {
            demands.push(ProviderRequirement { provider, audiences: None, permission: Permission::default() });
        }
    }
    demands
}

fn is_met(checks: &[Check], name: &str) -> bool {
    checks.iter().any(|check| check.name == name && check.outcome == Outcome::Met)
}

fn is_unmet(checks: &[Check], name: &str) -> bool {
    checks.iter().any(|check| check.name == name && matches!(check.outcome, Outcome::Unmet(_)))
}
