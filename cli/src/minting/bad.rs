//! Tokens that the filter has to refuse, each for one reason.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use jwt_warden::crypto::SignatureAlgorithm;
use jwt_warden::reason::Reason;
use jwt_warden::time::Timestamp;
use serde_json::json;

use super::draft::{Draft, signed, signing_input};
use super::key::PrivateKey;
use super::material::mac;
use super::{encoded, random};
use crate::Stop;

/// What to do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names, reason = "`bad-signature` is what everybody calls it")]
pub(crate) enum Bad {
    AlgNone,
    HsWithPublicKey,
    WrongAlgorithm,
    UnknownKid,
    OtherKey,
    BadSignature,
    Tampered,
    Expired,
    NotYetValid,
    IssuedInFuture,
    NoExp,
    LongLived,
    WrongAudience,
    NoAudience,
    WrongIssuer,
    NoIssuer,
    WrongType,
    DuplicateClaim,
    ExpAsText,
    UnsafeClaim,
    UnknownConfirmation,
    DuplicateHeader,
    Crit,
    Compressed,
    Nested,
    Unsecured,
    Padding,
    Truncated,
    Encrypted,
    TooLarge,
}

/// An hour, in seconds: far beyond every skew that is sane.
const HOUR: u64 = 3600;

impl Bad {
    /// Every kind, in the order of the table in docs/program.md.
    pub(crate) const ALL: [Self; 30] = [
        Self::AlgNone,
        Self::HsWithPublicKey,
        Self::WrongAlgorithm,
        Self::UnknownKid,
        Self::OtherKey,
        Self::BadSignature,
        Self::Tampered,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
        Self::NoExp,
        Self::LongLived,
        Self::WrongAudience,
        Self::NoAudience,
        Self::WrongIssuer,
        Self::NoIssuer,
        Self::WrongType,
        Self::DuplicateClaim,
        Self::ExpAsText,
        Self::UnsafeClaim,
        Self::UnknownConfirmation,
        Self::DuplicateHeader,
        Self::Crit,
        Self::Compressed,
        Self::Nested,
        Self::Unsecured,
        Self::Padding,
        Self::Truncated,
        Self::Encrypted,
        Self::TooLarge,
    ];

    /// Its name, the filter's reason, and what is wrong.
    pub(crate) const fn row(self) -> (&'static str, Reason, &'static str) {
        match self {
            Self::AlgNone => ("alg-none", Reason::AlgorithmNotAllowed, "`alg` is `none`, and there is a signature"),
            Self::HsWithPublicKey => {
                ("hs-with-public-key", Reason::AlgorithmNotAllowed, "HS256, with the public key for the secret")
            }
            Self::WrongAlgorithm => ("wrong-algorithm", Reason::KeyUnsuitable, "`alg` is one of another kind of key"),
            Self::UnknownKid => ("unknown-kid", Reason::KeyUnknown, "`kid` is nobody's"),
            Self::OtherKey => ("other-key", Reason::SignatureInvalid, "signed with another key under the same `kid`"),
            Self::BadSignature => ("bad-signature", Reason::SignatureInvalid, "one bit of the signature is flipped"),
            Self::Tampered => ("tampered", Reason::SignatureInvalid, "`sub` was changed after the signing"),
            Self::Expired => ("expired", Reason::TokenExpired, "`exp` was an hour ago"),
            Self::NotYetValid => ("not-yet-valid", Reason::TokenNotYetValid, "`nbf` is in an hour"),
            Self::IssuedInFuture => ("issued-in-future", Reason::IssuedInFuture, "`iat` is in an hour"),
            Self::NoExp => ("no-exp", Reason::ExpirationMissing, "there is no `exp`"),
            Self::LongLived => {
                ("long-lived", Reason::LifetimeTooLong, "`exp` is in a hundred years; with `max_lifetime` only")
            }
            Self::WrongAudience => ("wrong-audience", Reason::AudienceNotAccepted, "`aud` is another API"),
            Self::NoAudience => ("no-audience", Reason::AudienceNotAccepted, "there is no `aud`"),
            Self::WrongIssuer => ("wrong-issuer", Reason::IssuerNotAccepted, "`iss` has something behind its end"),
            Self::NoIssuer => ("no-issuer", Reason::IssuerNotAccepted, "there is no `iss`"),
            Self::WrongType => ("wrong-type", Reason::TypeNotAccepted, "`typ` is that of a logout token"),
            Self::DuplicateClaim => ("duplicate-claim", Reason::ClaimsMalformed, "`sub` is there twice"),
            Self::ExpAsText => ("exp-as-text", Reason::ClaimsMalformed, "`exp` is in quotes"),
            Self::UnsafeClaim => {
                ("unsafe-claim", Reason::ClaimUnsafe, "`sub` has a line break; where `sub` goes into a header only")
            }
            Self::UnknownConfirmation => {
                ("unknown-confirmation", Reason::SenderConstraint, "`cnf` asks for what the filter does not know")
            }
            Self::DuplicateHeader => ("duplicate-header", Reason::HeaderMalformed, "`alg` is there twice"),
            Self::Crit => ("crit", Reason::HeaderUnsupported, "`crit` asks for an extension"),
            Self::Compressed => ("compressed", Reason::HeaderUnsupported, "`zip` says that it is compressed"),
            Self::Nested => ("nested", Reason::HeaderUnsupported, "`cty` says that it holds another token"),
            Self::Unsecured => ("unsecured", Reason::TokenMalformed, "`alg` is `none`, and there is no signature"),
            Self::Padding => ("padding", Reason::TokenMalformed, "the claims are base64url with padding"),
            Self::Truncated => ("truncated", Reason::TokenMalformed, "the signature and its dot are missing"),
            Self::Encrypted => ("encrypted", Reason::TokenMalformed, "it has five segments, as an encrypted one"),
            Self::TooLarge => ("too-large", Reason::TokenTooLarge, "it has more than 16 KiB"),
        }
    }

    /// The reason for which the filter refuses it.
    pub(crate) const fn reason(self) -> Reason {
        self.row().1
    }

    /// Makes the token of what would be a good one.
    ///
    /// # Errors
    ///
    /// The key is none to do this with.
    pub(super) fn token(
        self,
        draft: Draft,
        key: &PrivateKey,
        algorithm: SignatureAlgorithm,
        now: Timestamp,
    ) -> Result<String, Stop> {
        match self {
            Self::HsWithPublicKey => confused(draft, key),
            Self::OtherKey => draft.sign(&key.successor()?, algorithm),
            Self::BadSignature => flipped(&draft.sign(key, algorithm)?),
            Self::Tampered => tampered(draft, key, algorithm),
            Self::DuplicateClaim => {
                let (header, claims) = draft.texts();
                signed(signing_input(&header, &twice(&claims, "\"sub\":\"admin\",\"sub\":\"alice\"")), key, algorithm)
            }
            Self::DuplicateHeader => {
                let (header, claims) = draft.texts();
                signed(signing_input(&twice(&header, "\"alg\":\"none\""), &claims), key, algorithm)
            }
            Self::Unsecured => Ok(draft.header("alg", "none").signing_input() + "."),
            Self::Padding => padded(&draft, key, algorithm),
            Self::Truncated => Ok(draft.signing_input()),
            Self::Encrypted => Ok(draft.sign(key, algorithm)? + ".AAAA.AAAA"),
            _ => self.draft(draft, algorithm, now.as_secs()).sign(key, algorithm),
        }
    }

    /// Those that are well signed.
    fn draft(self, draft: Draft, algorithm: SignatureAlgorithm, now: u64) -> Draft {
        let (past, future) = (now.saturating_sub(HOUR), now.saturating_add(HOUR));
        match self {
            Self::AlgNone => draft.header("alg", "none"),
            Self::WrongAlgorithm => draft.header("alg", other_algorithm(algorithm)),
            Self::UnknownKid => draft.header("kid", "nobody"),
            Self::Expired => {
                draft.claim("iat", past - past.min(HOUR)).claim("nbf", past - past.min(HOUR)).claim("exp", past)
            }
            Self::NotYetValid => draft.claim("nbf", future).claim("exp", future.saturating_add(HOUR)),
            Self::IssuedInFuture => draft.claim("iat", future).claim("exp", future.saturating_add(HOUR)),
            Self::NoExp => draft.without("exp"),
            Self::LongLived => draft.claim("exp", now.saturating_add(100 * 365 * 24 * HOUR)),
            Self::WrongAudience => draft.claim("aud", "another-api"),
            Self::NoAudience => draft.without("aud"),
            Self::WrongIssuer => {
                let issuer = draft.claims.get("iss").and_then(|issuer| issuer.as_str()).unwrap_or_default().to_owned();
                draft.claim("iss", issuer + "x")
            }
            Self::NoIssuer => draft.without("iss"),
            Self::WrongType => draft.header("typ", "logout+jwt"),
            Self::ExpAsText => draft.claim("exp", future.to_string()),
            Self::UnsafeClaim => draft.claim("sub", "alice\r\nx-admin: yes"),
            Self::UnknownConfirmation => draft.claim("cnf", json!({"jwe": "x"})),
            Self::Crit => draft.header("crit", json!(["exp"])),
            Self::Compressed => draft.header("zip", "DEF"),
            Self::Nested => draft.header("cty", "JWT"),
            Self::TooLarge => draft.claim("padding", "x".repeat(16 << 10)),
            _ => draft,
        }
    }
}

/// An algorithm of another kind of key, which providers allow unless they are told otherwise.
fn other_algorithm(algorithm: SignatureAlgorithm) -> &'static str {
    if algorithm == SignatureAlgorithm::Es256 { "ES384" } else { "ES256" }
}

/// RFC 8725 section 2.1: a verifier that lets the token choose the algorithm would take the public key for a secret.
fn confused(draft: Draft, key: &PrivateKey) -> Result<String, Stop> {
    let public = key.public_jwk().ok_or("hs-with-public-key: a shared secret has no public key")?;
    let input = draft.header("alg", "HS256").signing_input();
    let secret = public.to_string();
    let mac = mac(secret.as_bytes(), SignatureAlgorithm::Hs256, input.as_bytes()).unwrap_or_default();
    Ok(input + "." + &encoded(mac))
}

/// In the middle of the signature, where no bit is padding.
fn flipped(token: &str) -> Result<String, Stop> {
    let (input, signature) = token.rsplit_once('.').unwrap_or_default();
    let mut octets = super::decoded(signature).ok_or("no signature")?;
    let middle = octets.len() / 2;
    octets.iter_mut().skip(middle).take(1).for_each(|octet| *octet ^= 1);
    Ok(format!("{input}.{}", encoded(octets)))
}

fn tampered(draft: Draft, key: &PrivateKey, algorithm: SignatureAlgorithm) -> Result<String, Stop> {
    let token = draft.sign(key, algorithm)?;
    let (_, signature) = token.rsplit_once('.').unwrap_or_default();
    let other = format!("admin-{}", random::name()?);
    Ok(draft.claim("sub", other).signing_input() + "." + signature)
}

/// The object with a member more in front.
fn twice(object: &str, members: &str) -> String {
    format!("{{{members},{}", object.strip_prefix('{').unwrap_or_default())
}

fn padded(draft: &Draft, key: &PrivateKey, algorithm: SignatureAlgorithm) -> Result<String, Stop> {
    let (header, mut claims) = draft.texts();
    // Blanks behind the object are allowed, and make padding necessary.
    while claims.len() % 3 != 1 {
        claims.push(' ');
    }
    signed(signing_input(&header, &claims) + "==", key, algorithm)
}

impl ValueEnum for Bad {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, reason, words) = self.row();
        Some(PossibleValue::new(name).help(format!("{words}: {}", reason.code())))
    }
}
