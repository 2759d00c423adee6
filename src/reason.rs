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
    /// The token is bound to a key or a certificate (`cnf`) whose possession cannot be shown.
    SenderConstraint,
    /// A claim that goes upstream in a header holds a control character.
    ClaimUnsafe,
    /// No rule matches the request.
    NoMatchingRule,
    /// The filter met a state that it does not know, and refuses.
    Internal,
}
