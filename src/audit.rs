//! A record of decisions, for operators who have to keep one: who, what, and the verdict.

use crate::config::{self, AuditedSubject, Config, ProviderId, RuleId};
use crate::crypto::HmacKey;
use crate::decision::{Admission, Denial};
use crate::log::Line;
use crate::principal::Identity;
use crate::protected_resource;
use crate::request::Request;

/// Puts decisions on record.
pub struct Auditor {
    all: bool,
    one_in: u32,
    subject: Subject,
}

/// What is told of a token's subject.
enum Subject {
    None,
    Digest(HmacKey),
    Plain,
}

/// One decision.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'d> {
    /// What became of the request: `allowed`, `denied`, `reported` or `answered`.
    pub verdict: &'static str,
    /// Why.
    pub reason: &'static str,
    /// The status of the filter's own answer, if it gave one.
    pub status: Option<u16>,
    /// The rule that decided.
    pub rule: Option<RuleId>,
    /// The provider, where one is known.
    pub provider: Option<ProviderId>,
    /// Who the token speaks for, if its signature is good.
    pub identity: Option<&'d Identity>,
}

impl<'d> Decided<'d> {
    /// A request goes upstream, though it should perhaps have been refused.
    #[must_use]
    pub fn admitted(admission: &'d Admission, config: &Config) -> Self {
        if let Some(denial) = &admission.reported {
            return Self { verdict: "reported", status: None, ..Self::denied(denial, config) };
        }
        let Admission { rule, provider, code, .. } = *admission;
        let identity = admission.identity.as_deref();
        Self { verdict: "allowed", reason: code, status: None, rule, provider, identity }
    }

    /// A request was refused.
    #[must_use]
    pub fn denied(denial: &'d Denial, config: &Config) -> Self {
        let Denial { rule, provider, reason, .. } = *denial;
        let status = Some(denial.answer(config).status);
        let identity = denial.identity.as_deref();
        Self { verdict: "denied", reason: reason.code(), status, rule, provider, identity }
    }

    /// A request got what it asked for from the filter itself.
    #[must_use]
    pub const fn answered(answer: &protected_resource::Answer) -> Self {
        let (verdict, reason) = ("answered", "protected_resource");
        Self { verdict, reason, status: Some(answer.status), rule: None, provider: None, identity: None }
    }
}

impl Auditor {
    /// Puts on record what these settings say.
    #[must_use]
    pub fn new(settings: &config::Audit) -> Self {
        let subject = match &settings.subject {
            AuditedSubject::None => Subject::None,
            AuditedSubject::Plain => Subject::Plain,
            // The configuration was refused at load if the key is too short.
            AuditedSubject::Digest(key) => HmacKey::new(key).map_or(Subject::None, Subject::Digest),
        };
        Self { all: settings.all, one_in: settings.one_in, subject }
    }

    /// Whether a decision is to be recorded. That is drawn by lot, so that no client can arrange its requests around those
    /// that are.
    #[must_use]
    pub fn wants(&self, decided: &Decided<'_>, random: impl FnOnce() -> u64) -> bool {
        let is_wanted = self.all || ["denied", "reported"].contains(&decided.verdict);
        is_wanted && (self.one_in == 1 || random().is_multiple_of(u64::from(self.one_in)))
    }

    /// The line about a decision on a request, for which the proxy has chosen the route of this name.
    #[must_use]
    pub fn line(&self, decided: &Decided<'_>, request: &Request<'_>, route: Option<&[u8]>, config: &Config) -> String {
        let mut line = Line::new("audit").field("verdict", decided.verdict).field("reason", decided.reason);
        if let Some(status) = decided.status {
            line = line.field("status", status);
        }
        line = line.decided_by(decided.rule, decided.provider, config);
        if let Some(identity) = decided.identity {
            line = self.tell(identity, line);
        }
        let host = request.header_values(":authority").next();
        line = line.quoted("method", request.method()).quoted("host", host.unwrap_or_default());
        line = line.quoted("path", request.path());
        match route.filter(|name| !name.is_empty()) {
            Some(route) => line.quoted("route", route),
            None => line,
        }
        .finish()
    }

    fn tell(&self, identity: &Identity, line: Line) -> Line {
        let line = match &identity.issuer {
            Some(issuer) => line.quoted("issuer", issuer.as_bytes()),
            None => line,
        };
        match (&self.subject, &identity.subject) {
            (Subject::Plain, Some(subject)) => line.quoted("subject", subject.as_bytes()),
            (Subject::Digest(key), Some(subject)) => {
                line.field("subject_digest", digest(key, identity.issuer.as_deref().unwrap_or_default(), subject))
            }
            _ => line,
        }
    }
}

/// The first 32 hexadecimal digits of the HMAC-SHA-256 of issuer and subject, with a NUL between them. With 128 bits, no two
/// subjects are taken for one; without the key, nobody can try subjects.
fn digest(key: &HmacKey, issuer: &str, subject: &str) -> String {
    let tag = key.tag(&[issuer, "\0", subject].concat().into_bytes());
    tag.first_chunk().map(|bytes| format!("{:032x}", u128::from_be_bytes(*bytes))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::rc::Rc;

    use crate::reason::Reason;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn config(audit: &str) -> Config {
        let keys = r#"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"#;
        let provider =
            format!(r#"{{"issuer": "i", "any_audience": true, "local_jwks": {{"inline_string": "{keys}"}}}}"#);
        let text = format!(r#"{{"providers": {{"acme": {provider}}}, "audit": {audit}}}"#);
        config::parse(text.as_bytes(), &|_| None).unwrap().config
    }

    fn admission() -> Admission {
        let identity = Identity { issuer: Some("https://i.example".into()), subject: Some("alice".into()) };
        let provider = Some(ProviderId(0));
        let identity = Some(Rc::new(identity));
        Admission {
            rule: None,
            provider,
            code: "verified",
            edits: Vec::new(),
            told: Vec::new(),
            identity,
            reported: None,
        }
    }

    fn admitted(admission: &Admission) -> Decided<'_> {
        Decided::admitted(admission, &config(r#"{"decisions": "all"}"#))
    }

    fn line(audit: &str, decided: Decided<'_>) -> Option<String> {
        let config = config(audit);
        let request = Request::new(vec![(b":method", b"GET"), (b":authority", b"h\n"), (b":path", b"/p?secret")]);
        let auditor = Auditor::new(config.audit.as_ref().unwrap());
        auditor.wants(&decided, || 1).then(|| auditor.line(&decided, &request, None, &config))
    }

    #[test]
    fn who_what_and_the_verdict() {
        let admission = admission();
        let who = |subject: &str| line(&format!(r#"{{"decisions": "all"{subject}}}"#), admitted(&admission)).unwrap();
        let begin = r#"jwt-warden: audit verdict=allowed reason=verified provider="acme" issuer="https://i.example""#;
        let end = r#"method="GET" host="h\n" path="/p""#;
        assert_eq!(who(""), format!("{begin} {end}"));
        assert_eq!(who(r#", "subject": "none""#), format!("{begin} {end}"));
        assert_eq!(who(r#", "subject": "plain""#), format!("{begin} subject=\"alice\" {end}"));
        // printf 'https://i.example\0alice' | openssl dgst -sha256 -hmac "$KEY" | cut -c1-32
        let digest = "37064ae1ddf8975ad4fb0d5f784e8020";
        let keyed = format!(r#", "subject": "digest", "digest_key": {{"inline_string": "{KEY}"}}"#);
        assert_eq!(who(&keyed), format!("{begin} subject_digest={digest} {end}"));
    }

    #[test]
    fn what_let_a_request_pass_is_recorded_only_where_that_is_wanted() {
        let admission = admission();
        let denial = Denial::new(Reason::TokenExpired, Some(ProviderId(0)));
        let config = config(r#"{"decisions": "denied"}"#);
        let denied = Decided::denied(&denial, &config);
        assert_eq!(line(r#"{"decisions": "denied"}"#, admitted(&admission)), None);
        for decisions in ["denied", "all"] {
            let line = line(&format!(r#"{{"decisions": "{decisions}"}}"#), denied).unwrap();
            assert!(
                line.contains(r#"verdict=denied reason=token_expired status=401 provider="acme" method="#),
                "{line}"
            );
        }
    }

    #[test]
    fn a_sample_is_drawn_by_lot() {
        let config = config(r#"{"decisions": "all", "one_in": 10}"#);
        let auditor = Auditor::new(config.audit.as_ref().unwrap());
        let admission = admission();
        let drawn = |random| auditor.wants(&admitted(&admission), || random);
        assert_eq!((0..100).filter(|random| drawn(*random)).count(), 10);
    }

    #[test]
    fn subjects_of_different_issuers_are_told_apart() {
        let key = HmacKey::new(KEY.as_bytes()).unwrap();
        assert_ne!(digest(&key, "a", "bc"), digest(&key, "ab", "c"));
        assert_ne!(digest(&key, "a", "b"), digest(&HmacKey::new(&[7; 32]).unwrap(), "a", "b"));
    }
}
