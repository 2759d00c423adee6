//! Whether the sender of a request is the one that its token is bound to (RFC 7800): asked of every request, for what has
//! been remembered of a token says nothing about who sends it now.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::{Provider, SenderConstraint};
use crate::front::Front;
use crate::jwt::Confirmation;

/// Holds a request against the confirmation of its token: everything that it names has to be shown.
///
/// # Errors
///
/// What is missing, for the proxy's log.
pub(crate) fn check(
    provider: &Provider,
    confirmation: Option<&Confirmation>,
    front: Front<'_>,
) -> Result<(), &'static str> {
    match (provider.sender_constraint, confirmation) {
        (SenderConstraint::Ignore, _) | (SenderConstraint::IfBound, None) => Ok(()),
        (SenderConstraint::Required, None) => Err("the token is not bound to its sender"),
        (SenderConstraint::IfBound | SenderConstraint::Required, Some(bound)) => check_bound(bound, front),
    }
}

fn check_bound(bound: &Confirmation, front: Front<'_>) -> Result<(), &'static str> {
    if bound.has_other_members {
        return Err("cnf has a member that the filter does not know");
    }
    if bound.key_thumbprint.is_some() {
        return Err("cnf.jkt: proofs of possession are not checked in this version");
    }
    match &bound.certificate_thumbprint {
        Some(thumbprint) => check_certificate(thumbprint, front),
        None => Err("cnf names nothing"),
    }
}

/// RFC 8705 section 3.1.
fn check_certificate(thumbprint: &str, front: Front<'_>) -> Result<(), &'static str> {
    let digest = front.certificate_digest()?;
    if URL_SAFE_NO_PAD.encode(digest) == thumbprint { Ok(()) } else { Err("the client has shown another certificate") }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::connection::Connection;
    use crate::request::Request;

    struct Shown(Option<[u8; 32]>);

    impl Connection for Shown {
        fn certificate_digest(&self) -> Option<[u8; 32]> {
            self.0
        }

        fn is_tls(&self) -> bool {
            true
        }

        fn source_address(&self) -> Option<std::net::IpAddr> {
            None
        }
    }

    fn bound_to(digest: [u8; 32]) -> Confirmation {
        Confirmation { certificate_thumbprint: Some(URL_SAFE_NO_PAD.encode(digest)), ..Confirmation::default() }
    }

    fn shows(bound: &Confirmation, shown: Option<[u8; 32]>) -> bool {
        let request = Request::new(Vec::new());
        check_bound(bound, Front { proxies: None, request: &request, connection: &Shown(shown) }).is_ok()
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
