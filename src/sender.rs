//! Whether the sender of a request is the one that its token is bound to (RFC 7800): asked of every request, for what has
//! been remembered of a token says nothing about who sends it now.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::{Provider, SenderConstraint};
use crate::decision::Denial;
use crate::front::Front;
use crate::jwt::Confirmation;
use crate::reason::Reason;

/// What the sender of a token shows.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// What stands in front of the proxy.
    pub(crate) front: Front<'a>,
    /// Whether the token came under the scheme `DPoP`.
    pub(crate) by_dpop: bool,
    /// Whether the request proves the possession of the key of this thumbprint, with a proof for this token.
    pub(crate) proves: &'a dyn Fn(&str) -> Result<(), Denial>,
}

/// Holds a request against the confirmation of its token: everything that it names has to be shown. Says whether that took a
/// proof of possession.
///
/// # Errors
///
/// What is missing.
pub(crate) fn check(
    provider: &Provider,
    confirmation: Option<&Confirmation>,
    shown: Shown<'_>,
) -> Result<bool, Denial> {
    match (provider.sender_constraint, confirmation) {
        (SenderConstraint::Required, None) => Err(lacking("the token is not bound to its sender")),
        (SenderConstraint::IfBound, None) if shown.by_dpop => Err(lacking(UNBOUND)),
        (SenderConstraint::Ignore, _) | (SenderConstraint::IfBound, None) => Ok(false),
        (SenderConstraint::IfBound | SenderConstraint::Required, Some(bound)) => check_bound(bound, shown),
    }
}

/// RFC 9449 section 7.1: the scheme is for bound tokens only.
const UNBOUND: &str = "the token came under the scheme DPoP, and is not bound to a key (`cnf.jkt`)";

fn check_bound(bound: &Confirmation, shown: Shown<'_>) -> Result<bool, Denial> {
    if bound.has_other_members {
        return Err(lacking("cnf has a member that the filter does not know"));
    }
    match &bound.certificate_thumbprint {
        Some(thumbprint) => check_certificate(thumbprint, shown.front).map_err(lacking)?,
        None if bound.key_thumbprint.is_none() => return Err(lacking("cnf names nothing")),
        None => {}
    }
    match &bound.key_thumbprint {
        Some(thumbprint) if shown.by_dpop => (shown.proves)(thumbprint).map(|()| true),
        // RFC 9449 section 7.2: a bound token must not pass as a bearer token.
        Some(_) => Err(lacking("the token is bound to a key (`cnf.jkt`), and did not come under the scheme DPoP")),
        None if shown.by_dpop => Err(lacking(UNBOUND)),
        None => Ok(false),
    }
}

fn lacking(words: &'static str) -> Denial {
    Denial::new(Reason::SenderConstraint, None).because(words)
}

/// RFC 8705 section 3.1.
fn check_certificate(thumbprint: &str, front: Front<'_>) -> Result<(), &'static str> {
    let digest = front.certificate_digest()?;
    if URL_SAFE_NO_PAD.encode(digest) == thumbprint { Ok(()) } else { Err("the client has shown another certificate") }
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    use crate::connection::Connection;
    use crate::request::Request;
    use crate::trial::provider;

    struct Certificate(Option<[u8; 32]>);

    impl Connection for Certificate {
        fn certificate_digest(&self) -> Option<[u8; 32]> {
            self.0
        }

        fn is_tls(&self) -> bool {
            true
        }
    }

    fn bound_to(digest: [u8; 32]) -> Confirmation {
        Confirmation { certificate_thumbprint: Some(URL_SAFE_NO_PAD.encode(digest)), ..Confirmation::default() }
    }

    fn shows(bound: &Confirmation, shown: Option<[u8; 32]>) -> bool {
        check_bound(bound, by(&Certificate(shown), &Request::new(Vec::new()), false)).is_ok()
    }

    /// A request whose proof is one of the key `k`.
    fn by<'s>(connection: &'s Certificate, request: &'s Request<'s>, by_dpop: bool) -> Shown<'s> {
        let proves: &dyn Fn(&str) -> Result<(), Denial> = &|key| {
            if key == "k" { Ok(()) } else { Err(Denial::new(Reason::DpopProofInvalid, None)) }
        };
        Shown { front: Front { proxies: None, request, connection }, by_dpop, proves }
    }

    fn bound_to_key(thumbprint: &str) -> Confirmation {
        Confirmation { key_thumbprint: Some(thumbprint.to_owned()), ..Confirmation::default() }
    }

    #[test]
    fn the_provider_says_which_tokens_have_to_be_bound() {
        let none = Certificate(None);
        let outcome = |demand: &str, bound: Option<&Confirmation>, by_dpop: bool| {
            let provider = provider(&json!({"sender_constraint": demand}));
            check(&provider, bound, by(&none, &Request::new(Vec::new()), by_dpop)).map_err(|denial| denial.reason)
        };
        let (refused, bound) = (Err(Reason::SenderConstraint), bound_to_key("k"));
        for (demand, unbound, unbound_by_dpop, bound_alone, bound_and_proven) in [
            ("if_bound", Ok(false), refused, refused, Ok(true)),
            ("required", refused, refused, refused, Ok(true)),
            ("ignore", Ok(false), Ok(false), Ok(false), Ok(false)),
        ] {
            assert_eq!(outcome(demand, None, false), unbound, "{demand}");
            assert_eq!(outcome(demand, None, true), unbound_by_dpop, "{demand}");
            assert_eq!(outcome(demand, Some(&bound), false), bound_alone, "{demand}");
            assert_eq!(outcome(demand, Some(&bound), true), bound_and_proven, "{demand}");
        }
    }

    #[test]
    fn a_key_has_to_be_proven_under_its_scheme() {
        let none = Certificate(None);
        let reason = |bound, by_dpop| {
            check_bound(&bound, by(&none, &Request::new(Vec::new()), by_dpop)).map_err(|denial| denial.reason)
        };
        assert_eq!(reason(bound_to_key("k"), true), Ok(true));
        assert_eq!(reason(bound_to_key("other"), true), Err(Reason::DpopProofInvalid));
        assert_eq!(reason(bound_to_key("k"), false), Err(Reason::SenderConstraint));
        assert_eq!(
            reason(Confirmation { has_other_members: true, ..bound_to_key("k") }, true),
            Err(Reason::SenderConstraint)
        );
    }

    #[test]
    fn a_key_and_a_certificate_have_to_be_shown_both() {
        let digest = [7; 32];
        let both = Confirmation { key_thumbprint: Some("k".into()), ..bound_to(digest) };
        assert_eq!(check_bound(&both, by(&Certificate(Some(digest)), &Request::new(Vec::new()), true)), Ok(true));
        assert!(check_bound(&both, by(&Certificate(None), &Request::new(Vec::new()), true)).is_err());
        assert!(check_bound(&both, by(&Certificate(Some(digest)), &Request::new(Vec::new()), false)).is_err());
        assert!(
            check_bound(&bound_to(digest), by(&Certificate(Some(digest)), &Request::new(Vec::new()), true)).is_err(),
            "bound to no key"
        );
    }

    #[test]
    fn a_certificate_has_to_be_the_very_one() {
        let digest = [7; 32];
        let mut other = digest;
        other[31] ^= 1;
        assert!(shows(&bound_to(digest), Some(digest)));
        assert!(!shows(&bound_to(digest), Some(other)) && !shows(&bound_to(digest), None));
        let padded = Confirmation {
            certificate_thumbprint: Some(format!("{}=", URL_SAFE_NO_PAD.encode(digest))),
            ..bound_to(digest)
        };
        assert!(!shows(&padded, Some(digest)));
        let empty = Confirmation { certificate_thumbprint: Some(String::new()), ..bound_to(digest) };
        assert!(!shows(&empty, Some(digest)) && !shows(&empty, None));
    }

    #[test]
    fn everything_in_cnf_has_to_be_shown() {
        let digest = [7; 32];
        assert!(!shows(&Confirmation { has_other_members: true, ..bound_to(digest) }, Some(digest)));
        assert!(!shows(&Confirmation { key_thumbprint: Some("k".into()), ..bound_to(digest) }, Some(digest)));
        assert!(!shows(&Confirmation::default(), Some(digest)));
    }
}
