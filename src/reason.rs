//! Why a request was refused: one enumeration, and the one table that maps each reason to what the client sees.

/// Why a request was refused. [`Reason::code`] is what the log, the metrics and the response code details say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// No token at any place where the requirement looks for one.
    TokenMissing,
    /// More than one token in the same place.
    TokenDuplicated,
    /// Longer than `limits.max_token_bytes`.
    TokenTooLarge,
    /// Not three base64url segments, or not valid base64url (RFC 7515 section 7.1).
    TokenMalformed,
    /// The header is not one JSON object, or a member of it has the wrong type.
    HeaderMalformed,
    /// The claims are not one JSON object, or a registered claim has the wrong type.
    ClaimsMalformed,
    /// The header has `crit`, `b64: false`, `zip`, `cty: JWT` or a member of an encryption (RFC 7515 section 4.1.11).
    HeaderUnsupported,
    /// `alg` is not one that the provider allows, `none` included.
    AlgorithmNotAllowed,
    /// `typ` is not one that the provider accepts, or is missing where it is required.
    TypeNotAccepted,
    /// `iss` is missing or not the provider's.
    IssuerNotAccepted,
    /// The provider's key set has no key with this `kid`.
    KeyUnknown,
    /// The key set has keys for this token, but none that fits its `alg`.
    KeyUnsuitable,
    /// No key set of the provider could be had in time.
    KeysUnavailable,
    /// Too many requests wait for keys already.
    TooManyWaiting,
    /// The signature does not verify.
    SignatureInvalid,
    /// `exp` has passed.
    TokenExpired,
    /// `exp` is missing.
    ExpirationMissing,
    /// `exp` is further in the future than `max_lifetime`.
    LifetimeTooLong,
    /// `nbf` is in the future.
    TokenNotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
    /// `aud` is missing or holds none of the accepted audiences.
    AudienceNotAccepted,
    /// `sub` is missing or not one that the provider accepts.
    SubjectNotAccepted,
    /// The token is bound to a key or a certificate (`cnf`) whose possession cannot be shown.
    SenderConstraint,
    /// The token came in a cookie, and nothing shows that no other site's page sent the request.
    CsrfRefused,
    /// The proof of possession (RFC 9449) is missing or wrong.
    DpopProofInvalid,
    /// The proof of possession has been used before.
    DpopProofReplayed,
    /// There is no room to remember one more proof of possession.
    DpopMemoryFull,
    /// The proof of possession lacks a nonce of the server's that counts.
    DpopNonceRequired,
    /// It has been revoked.
    TokenRevoked,
    /// It lacks a claim by which it could be revoked, or has one that makes no sense.
    RevocationClaimMissing,
    /// Nobody can tell whether it has been revoked.
    RevocationUnavailable,
    /// A claim that goes upstream would arrive as another one.
    ClaimUnsafe,
    /// The token came over a connection that others could read.
    TlsRequired,
    /// The source has failed too often of late.
    TooManyFailures,
    /// No rule matches the request.
    NoMatchingRule,
    /// The metadata of the route name a requirement that does not exist, or cannot be understood.
    RequirementUnknown,
    /// The token is good, but lacks a scope or a claim that the rule asks for.
    InsufficientScope,
    /// An upstream might take the path for one that another rule is for, or that it resolves.
    PathAmbiguous,
    /// `:authority` is not a plain host, and rules ask for hosts.
    HostAmbiguous,
    /// The filter met a state that it does not know, and refuses.
    Internal,
}

/// What the client gets to see of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: the same bytes whatever the reason.
    pub body: &'static str,
    /// The kind of challenge in `WWW-Authenticate`.
    pub challenge: Challenge,
}

/// The kinds of challenge (RFC 6750 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// No `WWW-Authenticate` header: another token would not help.
    None,
    /// `Bearer realm="..."` alone: there was no token, so no error is named (RFC 6750 section 3.1).
    Bearer,
    /// With `error="invalid_token"`.
    InvalidToken,
    /// With `error="invalid_dpop_proof"` (RFC 9449 section 7.1).
    InvalidProof,
    /// With `error="use_dpop_nonce"` (RFC 9449 section 9).
    UseNonce,
    /// With `error="insufficient_scope"`, and the scopes that are needed.
    InsufficientScope,
}

const MISSING: Answer = Answer { status: 401, body: "Unauthorized", challenge: Challenge::Bearer };
const INVALID: Answer = Answer { status: 401, body: "Unauthorized", challenge: Challenge::InvalidToken };
const INVALID_PROOF: Answer = Answer { status: 401, body: "Unauthorized", challenge: Challenge::InvalidProof };
const NONCE_REQUIRED: Answer = Answer { status: 401, body: "Unauthorized", challenge: Challenge::UseNonce };
const FORBIDDEN: Answer = Answer { status: 403, body: "Forbidden", challenge: Challenge::None };
const INSUFFICIENT: Answer = Answer { status: 403, body: "Forbidden", challenge: Challenge::InsufficientScope };
const TOO_MANY: Answer = Answer { status: 429, body: "Too Many Requests", challenge: Challenge::None };
const UNAVAILABLE: Answer = Answer { status: 503, body: "Service Unavailable", challenge: Challenge::None };

impl Reason {
    /// Every reason, in the order of the enumeration.
    pub const ALL: &'static [Self] = &[
        Self::TokenMissing,
        Self::TokenDuplicated,
        Self::TokenTooLarge,
        Self::TokenMalformed,
        Self::HeaderMalformed,
        Self::ClaimsMalformed,
        Self::HeaderUnsupported,
        Self::AlgorithmNotAllowed,
        Self::TypeNotAccepted,
        Self::IssuerNotAccepted,
        Self::KeyUnknown,
        Self::KeyUnsuitable,
        Self::KeysUnavailable,
        Self::TooManyWaiting,
        Self::SignatureInvalid,
        Self::TokenExpired,
        Self::ExpirationMissing,
        Self::LifetimeTooLong,
        Self::TokenNotYetValid,
        Self::IssuedInFuture,
        Self::AudienceNotAccepted,
        Self::SubjectNotAccepted,
        Self::SenderConstraint,
        Self::CsrfRefused,
        Self::DpopProofInvalid,
        Self::DpopProofReplayed,
        Self::DpopMemoryFull,
        Self::DpopNonceRequired,
        Self::TokenRevoked,
        Self::RevocationClaimMissing,
        Self::RevocationUnavailable,
        Self::ClaimUnsafe,
        Self::TlsRequired,
        Self::TooManyFailures,
        Self::NoMatchingRule,
        Self::RequirementUnknown,
        Self::InsufficientScope,
        Self::PathAmbiguous,
        Self::HostAmbiguous,
        Self::Internal,
    ];

    /// The one table: the stable code, and what the client sees.
    const fn row(self) -> (&'static str, Answer) {
        match self {
            Self::TokenMissing => ("token_missing", MISSING),
            Self::TokenDuplicated => ("token_duplicated", INVALID),
            Self::TokenTooLarge => ("token_too_large", INVALID),
            Self::TokenMalformed => ("token_malformed", INVALID),
            Self::HeaderMalformed => ("header_malformed", INVALID),
            Self::HeaderUnsupported => ("header_unsupported", INVALID),
            Self::ClaimsMalformed => ("claims_malformed", INVALID),
            Self::AlgorithmNotAllowed => ("algorithm_not_allowed", INVALID),
            Self::TypeNotAccepted => ("type_not_accepted", INVALID),
            Self::IssuerNotAccepted => ("issuer_not_accepted", INVALID),
            Self::KeyUnknown => ("key_unknown", INVALID),
            Self::KeyUnsuitable => ("key_unsuitable", INVALID),
            Self::KeysUnavailable => ("keys_unavailable", INVALID),
            Self::TooManyWaiting => ("too_many_waiting", INVALID),
            Self::SignatureInvalid => ("signature_invalid", INVALID),
            Self::TokenExpired => ("token_expired", INVALID),
            Self::ExpirationMissing => ("expiration_missing", INVALID),
            Self::LifetimeTooLong => ("lifetime_too_long", INVALID),
            Self::TokenNotYetValid => ("token_not_yet_valid", INVALID),
            Self::IssuedInFuture => ("issued_in_future", INVALID),
            Self::AudienceNotAccepted => ("audience_not_accepted", INVALID),
            Self::SubjectNotAccepted => ("subject_not_accepted", INVALID),
            Self::SenderConstraint => ("sender_constraint", INVALID),
            Self::CsrfRefused => ("csrf_refused", FORBIDDEN),
            Self::DpopProofInvalid => ("dpop_proof_invalid", INVALID_PROOF),
            Self::DpopProofReplayed => ("dpop_proof_replayed", INVALID_PROOF),
            Self::DpopMemoryFull => ("dpop_memory_full", INVALID_PROOF),
            Self::DpopNonceRequired => ("dpop_nonce_required", NONCE_REQUIRED),
            Self::TokenRevoked => ("token_revoked", INVALID),
            Self::RevocationClaimMissing => ("revocation_claim_missing", INVALID),
            Self::RevocationUnavailable => ("revocation_unavailable", INVALID),
            Self::ClaimUnsafe => ("claim_unsafe", INVALID),
            Self::TlsRequired => ("tls_required", FORBIDDEN),
            Self::TooManyFailures => ("too_many_failures", TOO_MANY),
            Self::NoMatchingRule => ("no_matching_rule", FORBIDDEN),
            Self::RequirementUnknown => ("requirement_unknown", FORBIDDEN),
            Self::InsufficientScope => ("insufficient_scope", INSUFFICIENT),
            Self::PathAmbiguous => ("path_ambiguous", FORBIDDEN),
            Self::HostAmbiguous => ("host_ambiguous", FORBIDDEN),
            Self::Internal => ("internal", FORBIDDEN),
        }
    }

    /// The stable `snake_case` code of the log line, the metric and the response code details.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// Whether something is wrong with a token, or with the proof beside it: then it can count as a failed attempt.
    #[must_use]
    pub fn is_of_token(self) -> bool {
        matches!(self.row().1.challenge, Challenge::InvalidToken | Challenge::InvalidProof)
            && !matches!(
                self,
                Self::KeysUnavailable | Self::TooManyWaiting | Self::RevocationUnavailable | Self::DpopMemoryFull
            )
    }

    /// What the client sees. `unavailable_status` is what the operator chose for keys and revocations that cannot be had: 401
    /// or 503.
    #[must_use]
    pub const fn answer(self, unavailable_status: u16) -> Answer {
        match self {
            Self::KeysUnavailable | Self::TooManyWaiting | Self::RevocationUnavailable
                if unavailable_status == UNAVAILABLE.status =>
            {
                UNAVAILABLE
            }
            _ => self.row().1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_cannot_tell_one_bad_token_from_another() {
        for reason in Reason::ALL {
            let answer = reason.answer(401);
            let is_of_proof = reason.code().starts_with("dpop_");
            assert!(
                [MISSING, INVALID, INSUFFICIENT, FORBIDDEN, TOO_MANY].contains(&answer) || is_of_proof,
                "{}",
                reason.code()
            );
            assert!(!is_of_proof || [INVALID_PROOF, NONCE_REQUIRED].contains(&answer));
            assert_eq!(answer.challenge == Challenge::Bearer, *reason == Reason::TokenMissing);
        }
    }

    #[test]
    fn only_what_cannot_be_had_is_unavailable() {
        let unavailable = Reason::ALL.iter().filter(|reason| reason.answer(503).status == 503);
        assert_eq!(
            unavailable.collect::<Vec<_>>(),
            [&Reason::KeysUnavailable, &Reason::TooManyWaiting, &Reason::RevocationUnavailable]
        );
    }

    #[test]
    fn codes_are_distinct_and_snake_case() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
