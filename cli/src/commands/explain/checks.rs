//! One token: what it says, and every check of it.

use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::{Provider, ProviderRequirement};
use jwt_warden::crypto::{SignatureAlgorithm, Signatures};
use jwt_warden::decision::Denial;
use jwt_warden::examination::{Check, Outcome, thumbprint};
use jwt_warden::jwks::KeySet;
use jwt_warden::jwt::{Audience, Claims, DecodedToken, UnverifiedToken};
use jwt_warden::time::Timestamp;
use serde_json::Value;

use super::instant;
use super::report::{Mark, Step};
use super::sources::{GivenKeys, Held};
use super::words;

/// The claims that are times (RFC 7519 section 4.1, OpenID Connect Core 1.0).
const TIMES: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];
const VERIFIED: &str = "claims, which the signature vouches for:";
const UNVERIFIED: &str = "claims, unverified: nobody vouches for them:";
/// More of what is no JSON is not shown.
const MAX_SHOWN: usize = 1000;
/// More keys are counted, not listed.
const MAX_KEYS: usize = 16;

/// The token's header and claims.
pub(super) fn contents(step: &mut Step, token: &[u8], is_verified: bool, now: Timestamp, show_signature: bool) {
    let decoded = match DecodedToken::decode(token, usize::MAX) {
        Ok(decoded) => decoded,
        Err(error) => return step.add(Mark::Bad, 0, format!("it cannot be taken apart: {error}")),
    };
    step.note("header:");
    object(step, decoded.header_json().ok(), &|_, _| None);
    step.note(if is_verified { VERIFIED } else { UNVERIFIED });
    object(step, decoded.unverified_claims_json().ok(), &|name, value| {
        let seconds = value.as_u64().filter(|_| TIMES.contains(&name))?;
        Some(instant::beside(Timestamp::from_secs(seconds), now))
    });
    let signature = token.rsplit(|byte| *byte == b'.').next().map(String::from_utf8_lossy).unwrap_or_default();
    step.note(if show_signature {
        format!("signature: {signature}")
    } else {
        format!("signature: {}, not shown", words::count(decoded.signature().len(), "byte"))
    });
}

/// The members of a JSON object line by line, some with a remark.
fn object(step: &mut Step, json: Option<&str>, remark: &dyn Fn(&str, &Value) -> Option<String>) {
    let Some(json) = json else { return step.add(Mark::Bad, 1, "it is no text in UTF-8") };
    let Ok(Value::Object(members)) = serde_json::from_str(json) else {
        step.add(Mark::Bad, 1, "it is no JSON object:");
        return step.add(Mark::Text, 1, json.chars().take(MAX_SHOWN).collect::<String>());
    };
    for (name, value) in &members {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        let remark = remark(name, value).map(|remark| format!("  ({remark})")).unwrap_or_default();
        let text = format!("{}: {text}{remark}", Value::from(name.as_str()));
        text.lines().for_each(|line| step.add(Mark::Text, 1, line));
    }
}

/// What is known of a token for the words about its checks.
pub(super) struct Examined<'e> {
    pub(super) authenticator: &'e Authenticator,
    pub(super) token: &'e [u8],
    pub(super) provider: &'e Provider,
    pub(super) demand: &'e ProviderRequirement,
    pub(super) keys: &'e GivenKeys,
    pub(super) now: Timestamp,
}

impl Examined<'_> {
    /// The checks of one provider.
    pub(super) fn by_provider(&self, step: &mut Step, checks: &[Check]) {
        let decoded = DecodedToken::decode(self.token, self.authenticator.config().limits.max_token_bytes);
        let parsed = decoded.as_ref().ok().and_then(|decoded| decoded.parse(&[]).ok());
        for check in checks.iter().filter(|check| !is_of_rule(check, self.demand)) {
            if let ("signature", Some(token)) = (check.name.as_str(), &parsed) {
                self.keys(step, token);
            }
            self.one(step, check, parsed.as_ref());
        }
    }

    /// The checks that the rule alone asks for. Says whether there are any.
    pub(super) fn by_rule(&self, step: &mut Step, checks: &[Check]) -> bool {
        let decoded = DecodedToken::decode(self.token, self.authenticator.config().limits.max_token_bytes);
        let parsed = decoded.as_ref().ok().and_then(|decoded| decoded.parse(&[]).ok());
        let mut of_rule = checks.iter().filter(|check| is_of_rule(check, self.demand)).peekable();
        let there_are = of_rule.peek().is_some();
        of_rule.for_each(|check| self.one(step, check, parsed.as_ref()));
        there_are
    }

    fn one(&self, step: &mut Step, check: &Check, token: Option<&UnverifiedToken<'_>>) {
        let words = self.words(&check.name, token);
        match &check.outcome {
            Outcome::Met if check.name == "revocation" => {
                step.add(Mark::Open, 0, "revocation: nobody was asked, the token is taken for one that is not revoked");
            }
            Outcome::Met => step.add(Mark::Good, 0, words),
            // Its details are in the words already.
            Outcome::Unmet(denial) if is_of_rule(check, self.demand) || TIMES.contains(&check.name.as_str()) => {
                step.add(Mark::Bad, 0, format!("{words}: {}", denial.reason.code()));
            }
            Outcome::Unmet(denial) => step.add(Mark::Bad, 0, format!("{words}: {}", refusal(denial))),
            Outcome::Open(why) => step.add(Mark::Open, 0, format!("{words}: {why}")),
        }
    }

    /// What is looked at, and what it is held against.
    fn words(&self, name: &str, token: Option<&UnverifiedToken<'_>>) -> String {
        let provider = self.provider;
        let Some(token) = token else {
            return match name {
                "form" => format!("form: {}", words::count(self.token.len(), "byte")),
                "csrf" => "csrf: the token comes in a cookie".to_owned(),
                _ => name.to_owned(),
            };
        };
        let (header, claims) = (token.header(), token.unverified_claims());
        let skew = format!("the skew is {}", instant::span(provider.clock_skew));
        let time = |time: Option<Timestamp>| {
            time.map_or_else(|| "none".to_owned(), |time| format!("{}; {skew}", instant::beside(time, self.now)))
        };
        match name {
            "csrf" => "csrf: the token comes in a cookie".to_owned(),
            "form" => format!("form: {}, three segments, strict JSON", words::count(self.token.len(), "byte")),
            "iss" => format!("iss: {}; accepted is {}", quoted(token.issuer()), issuer(provider)),
            "alg" => {
                let allowed: Vec<_> = provider.algorithms.iter().map(SignatureAlgorithm::name).collect();
                format!("alg: {}; allowed are {}", header.algorithm.name(), allowed.join(", "))
            }
            "typ" => {
                let missing = if provider.require_type { "" } else { ", or none" };
                let (is, accepted) = (quoted(header.token_type.as_deref()), provider.token_types.join(", "));
                format!("typ: {is}; accepted are {accepted}{missing}")
            }
            "signature" => "signature".to_owned(),
            "exp" => match provider.max_lifetime {
                Some(bound) => format!("exp: {}, max_lifetime {}", time(claims.expiration), instant::span(bound)),
                None => format!("exp: {}", time(claims.expiration)),
            },
            "nbf" => format!("nbf: {}", time(claims.not_before)),
            "iat" => format!("iat: {}", time(claims.issued_at)),
            "sub" => match &provider.subjects {
                Some(_) => format!("sub: {}; `subjects` has a condition on it", quoted(claims.subject.as_deref())),
                None => format!("sub: {}; any is accepted", quoted(claims.subject.as_deref())),
            },
            "aud" => self.audience(claims),
            "told" => "claims for the upstream".to_owned(),
            "sender" => sender(claims, provider),
            other => other.to_owned(),
        }
    }

    fn audience(&self, claims: &Claims<'_>) -> String {
        let named: Vec<_> = claims.audience.iter().flat_map(Audience::iter).map(|one| quoted(Some(one))).collect();
        let named = if claims.audience.is_none() { "none".to_owned() } else { named.join(", ") };
        match self.demand.audiences.as_ref().or(self.provider.audiences.as_ref()) {
            Some(accepted) => format!("aud: {named}; accepted are {}", accepted.join(", ")),
            None => format!("aud: {named}; any is accepted"),
        }
    }

    /// The keys that there are, and those that may have signed.
    fn keys(&self, step: &mut Step, token: &UnverifiedToken<'_>) {
        let set = match self.keys.of(self.demand.provider) {
            Held::Missing => {
                return step.add(
                    Mark::Open,
                    0,
                    "keys: the filter fetches them, this program does not: give --jwks FILE",
                );
            }
            Held::Useless(set) => {
                step.add(Mark::Bad, 0, "keys: the file has none that could be used: the filter stays without");
                return skipped(step, set);
            }
            Held::Set(set) => set,
        };
        let (key_id, algorithm) = (token.header().key_id.as_deref(), token.header().algorithm);
        step.note(format!("keys: {} in the set; the token names kid {}", set.len(), quoted(key_id)));
        skipped(step, set);
        let mut tried = 0_usize;
        for candidate in set.candidates(key_id, algorithm) {
            tried += 1;
            let is_good = token.verify(std::iter::once(candidate), &Signatures::in_module()).is_ok();
            let (mark, what) = if is_good { (Mark::Good, "has signed it") } else { (Mark::Bad, "has not signed it") };
            step.add(mark, 1, format!("{:?}, {}: {what}", candidate.family(), print(candidate)));
        }
        if tried == 0 {
            step.add(Mark::Bad, 1, format!("none of them is for this kid and {}; there are", algorithm.name()));
            for (kid, algorithms, key) in set.keys().take(MAX_KEYS) {
                let algorithms: Vec<_> = algorithms.iter().map(SignatureAlgorithm::name).collect();
                step.add(Mark::Note, 2, format!("kid {}, {}, {}", quoted(kid), algorithms.join(" "), print(key)));
            }
            if set.len() > MAX_KEYS {
                step.add(Mark::Note, 2, format!("and {} more", set.len() - MAX_KEYS));
            }
        }
    }
}

fn skipped(step: &mut Step, set: &KeySet) {
    set.skipped().iter().take(MAX_KEYS).for_each(|key| step.add(Mark::Open, 1, format!("not used: {key}")));
}

/// A thumbprint (RFC 7638): a key itself is never shown.
fn print(key: &jwt_warden::crypto::VerifyingKey) -> String {
    thumbprint(key).map_or_else(|| "a secret".to_owned(), |print| format!("thumbprint {print}"))
}

/// Whether the check is one of the rule's own.
fn is_of_rule(check: &Check, demand: &ProviderRequirement) -> bool {
    let is_permission = ["scope ", "any scope ", "claim "].iter().any(|begin| check.name.starts_with(begin));
    is_permission || (check.name == "aud" && demand.audiences.is_some())
}

/// A refusal in one line.
pub(super) fn refusal(denial: &Denial) -> String {
    let details = denial.details.iter().map(|(name, value)| format!(" {name}={value}"));
    format!("{}{}", denial.reason.code(), details.collect::<String>())
}

fn issuer(provider: &Provider) -> String {
    use jwt_warden::config::IssuerMatcher;
    match &provider.issuer {
        IssuerMatcher::Exact(exact) => quoted(Some(exact)),
        IssuerMatcher::Patterns(_) => "what fits one of issuer_patterns".to_owned(),
        IssuerMatcher::Any => "any".to_owned(),
    }
}

fn sender(claims: &Claims<'_>, provider: &Provider) -> String {
    use jwt_warden::config::SenderConstraint;
    let bound = match &claims.confirmation {
        None => "the token is not bound (no cnf)",
        Some(bound) if bound.key_thumbprint.is_some() => "the token is bound to a key (cnf.jkt)",
        Some(bound) if bound.certificate_thumbprint.is_some() => "the token is bound to a certificate (cnf.x5t#S256)",
        Some(_) => "the token is bound to something else (cnf)",
    };
    let demanded = match provider.sender_constraint {
        SenderConstraint::IfBound => "if_bound",
        SenderConstraint::Required => "required",
        SenderConstraint::Ignore => "ignore",
    };
    format!("sender: {bound}; sender_constraint is {demanded}")
}

/// A text in quotes, or that there is none.
fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| Value::from(text).to_string())
}
