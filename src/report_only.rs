//! Report-only: what becomes of requests that should be refused where that is only reported.

use std::rc::Rc;

use crate::authenticator::Authenticator;
use crate::config::VERDICT_PROPERTY;
use crate::decision::{Admission, Decision, Denial, Wait};
use crate::extractor::HeaderEdit;
use crate::reason::Reason;
use crate::request::Request;
use crate::upstream::{Effect, VERDICT_HEADER};

impl Authenticator {
    /// The decision about a request that would have to wait, where there is no room for it.
    #[must_use]
    #[inline(never)]
    pub fn turn_away(&self, request: &Request<'_>, wait: Wait) -> Decision {
        let denial = Denial { rule: wait.rule, ..Denial::new(Reason::TooManyWaiting, Some(wait.provider)) };
        self.report(Decision::Deny(denial), request)
    }

    /// The decision as it is carried out: where refusals are only reported, every request passes and the upstream is told
    /// what should have become of it.
    pub(crate) fn report(&self, decision: Decision, request: &Request<'_>) -> Decision {
        match decision {
            Decision::Deny(denial) if self.is_only_reported(&denial) => {
                let admission = self.despite(denial, request);
                let effects = denied(admission.code);
                Decision::Allow(told(admission, effects))
            }
            Decision::Allow(admission) if self.config().only_reports(admission.rule) => {
                Decision::Allow(told(admission, self.tells_allowed().clone()))
            }
            decision => decision,
        }
    }

    /// What nobody knows how to judge is refused. So is what may fall under a rule that is enforced, as long as there is one.
    fn is_only_reported(&self, denial: &Denial) -> bool {
        match denial.reason {
            Reason::Internal => false,
            Reason::PathAmbiguous | Reason::HostAmbiguous | Reason::RequirementUnknown => self.enforces_nothing(),
            _ => self.config().only_reports(denial.rule),
        }
    }

    /// The request goes upstream as one of which no verification is asked for: nothing about its tokens is verified.
    #[inline(never)]
    fn despite(&self, denial: Denial, request: &Request<'_>) -> Admission {
        let Denial { rule, provider, reason, .. } = denial;
        Admission { rule, provider, reported: Some(Box::new(denial)), ..self.unverified(request, reason.code()) }
    }
}

/// What tells the upstream that the request is allowed: an item of RFC 9651, as is `denied` with the reason as a
/// parameter.
pub(crate) fn allowed() -> Rc<[Effect]> {
    [verdict_header("allowed")].into()
}

/// A property costs every request that has it half a microsecond, so only what is denied gets one beside the header.
#[inline(never)]
fn denied(code: &str) -> Rc<[Effect]> {
    let verdict = format!("denied; reason={code}");
    [verdict_header(&verdict), Effect::Property(VERDICT_PROPERTY.to_owned(), verdict)].into()
}

fn verdict_header(verdict: &str) -> Effect {
    Effect::Header(HeaderEdit::Replace(VERDICT_HEADER.to_owned(), vec![verdict.as_bytes().to_vec()]))
}

fn told(mut admission: Admission, effects: Rc<[Effect]>) -> Admission {
    admission.told.push(effects);
    admission
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::{Value, json};

    use crate::config::{ProviderId, RuleId, parse};
    use crate::crypto::Signatures;
    use crate::time::Timestamp;

    /// The decider of a configuration with these two rules.
    fn authenticator(report_only: bool, rules: [Option<bool>; 2]) -> Authenticator {
        let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let provider = json!({"issuer": "i", "audiences": ["a"], "local_jwks": {"inline_string": keys}});
        let rule = |(prefix, report_only): (&str, Option<bool>)| {
            let mut rule = json!({"match": {"prefix": prefix}, "requires": {"provider_name": "p"}});
            if let Some(report_only) = report_only {
                rule["report_only"] = json!(report_only);
            }
            rule
        };
        let rules: Vec<Value> = ["/a", "/b"].into_iter().zip(rules).map(rule).collect();
        let config = json!({"providers": {"p": provider}, "rules": rules, "report_only": report_only});
        let config = parse(config.to_string().as_bytes(), &|_| None).unwrap().config;
        Authenticator::new(config, Signatures::in_module(), 1)
    }

    /// Whether a refusal for this reason, by this rule, lets its request pass.
    fn passes(authenticator: &Authenticator, reason: Reason, rule: Option<usize>) -> bool {
        let denial = Denial { rule: rule.map(RuleId), ..Denial::new(reason, None) };
        match authenticator.report(Decision::Deny(denial.clone()), &Request::new(Vec::new())) {
            Decision::Allow(admission) => {
                assert_eq!((admission.reported.as_deref(), admission.code), (Some(&denial), reason.code()));
                assert_eq!(admission.rule, denial.rule);
                let verdict = format!("denied; reason={}", reason.code());
                let header = HeaderEdit::Replace(VERDICT_HEADER.into(), vec![verdict.clone().into_bytes()]);
                let effects = [Effect::Header(header), Effect::Property(VERDICT_PROPERTY.into(), verdict)];
                assert_eq!(admission.told, [Rc::from(effects)]);
                true
            }
            decision => {
                assert_eq!(decision, Decision::Deny(denial));
                false
            }
        }
    }

    /// Those that leave open which rule the request falls under.
    const DOUBTFUL: [Reason; 3] = [Reason::PathAmbiguous, Reason::HostAmbiguous, Reason::RequirementUnknown];

    #[test]
    fn every_refusal_is_reported_but_one_that_nobody_can_judge() {
        let (reporting, enforcing) = (authenticator(true, [None; 2]), authenticator(false, [None; 2]));
        for reason in Reason::ALL {
            for rule in [None, Some(0), Some(1)] {
                assert_eq!(passes(&reporting, *reason, rule), *reason != Reason::Internal, "{}", reason.code());
                assert!(!passes(&enforcing, *reason, rule), "{}", reason.code());
            }
        }
    }

    #[test]
    fn a_rule_may_say_otherwise() {
        for (report_only, other) in [(true, false), (false, true)] {
            let authenticator = authenticator(report_only, [Some(other), None]);
            let ordinary = |reason: &&Reason| **reason != Reason::Internal && !DOUBTFUL.contains(*reason);
            for reason in Reason::ALL.iter().filter(ordinary) {
                assert_eq!(passes(&authenticator, *reason, Some(0)), other, "{}", reason.code());
                assert_eq!(passes(&authenticator, *reason, Some(1)), report_only, "{}", reason.code());
                assert_eq!(passes(&authenticator, *reason, None), report_only, "{}", reason.code());
            }
            assert!(!passes(&authenticator, Reason::Internal, Some(0)));
            assert!(!passes(&authenticator, Reason::TokenMissing, Some(2)), "there is no such rule");
        }
    }

    #[test]
    fn the_upstream_is_told_of_what_passes_anyway_too() {
        let told = |report_only| {
            let authenticator = authenticator(report_only, [None; 2]);
            let request = Request::new(Vec::new());
            let admission = authenticator.unverified(&request, "not_required");
            let Decision::Allow(admission) = authenticator.report(Decision::Allow(admission), &request) else {
                panic!()
            };
            admission.told
        };
        let allowed = HeaderEdit::Replace("x-jwt-warden-verdict".to_owned(), vec![b"allowed".to_vec()]);
        assert_eq!(told(true), [Rc::from([Effect::Header(allowed)])]);
        assert!(told(false).is_empty());
    }

    #[test]
    fn who_is_turned_away_is_told_of_by_rule_and_provider() {
        let wait = Wait { provider: ProviderId(0), rule: Some(RuleId(1)), until: Timestamp::EPOCH, question: None };
        let enforcing = authenticator(false, [None; 2]);
        let Decision::Deny(denial) = enforcing.turn_away(&Request::new(Vec::new()), wait) else { panic!() };
        assert_eq!((denial.reason, denial.rule), (Reason::TooManyWaiting, wait.rule));
        assert_eq!(denial.provider, Some(wait.provider));
        let reporting = authenticator(false, [None, Some(true)]);
        let Decision::Allow(admission) = reporting.turn_away(&Request::new(Vec::new()), wait) else { panic!() };
        assert_eq!((admission.rule, admission.provider), (wait.rule, Some(wait.provider)));
    }

    #[test]
    fn what_may_fall_under_an_enforced_rule_is_refused() {
        for reason in DOUBTFUL {
            assert!(passes(&authenticator(true, [None; 2]), reason, None));
            assert!(passes(&authenticator(true, [Some(true); 2]), reason, None));
            assert!(!passes(&authenticator(true, [None, Some(false)]), reason, None));
            assert!(!passes(&authenticator(false, [None, Some(true)]), reason, None));
            assert!(!passes(&authenticator(false, [Some(true); 2]), reason, None), "no rule is not these rules");
        }
    }
}
