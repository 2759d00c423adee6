//! One JSON Web Key (RFC 7517 section 4): from its members to a key that verifies, or the reason why it does not.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::json::{Members, WrongType};
use crate::crypto::{
    AlgorithmSet, Ed25519Key, HmacKey, InvalidKey, P256Key, P384Key, P521Key, RsaKey, SignatureAlgorithm, VerifyingKey,
};

/// Where a key set came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The configuration. Only here `oct` keys count: a secret that a server publishes is none.
    Local,
    /// A server.
    Remote,
}

/// Why a key of a set is not used. `Display` says it in words, and never shows key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a JSON object, or one with a member name that is no Unicode text.
    NotAnObject,
    /// A member name is there twice (RFC 7517 section 4).
    DuplicateMember,
    /// A member has a value of the wrong type.
    WrongType(&'static str),
    /// A member that the key type needs is missing.
    Missing(&'static str),
    /// A member is not base64url without padding.
    NotBase64url(&'static str),
    /// `kty` is none of `RSA`, `EC`, `OKP`, `oct`.
    UnknownType,
    /// `crv` is none of `P-256`, `P-384`, `P-521`, `Ed25519`, or not one of the `kty`.
    UnknownCurve,
    /// `alg` is not a signature algorithm that the filter knows.
    UnknownAlgorithm,
    /// `alg` does not fit the type, the curve or the length of the key.
    AlgorithmMismatch,
    /// `use` is not `sig`.
    NotForSignatures,
    /// `key_ops` lacks `verify`.
    NotForVerification,
    /// A public key with private members.
    Private,
    /// A secret in a set that is not local.
    SecretFromRemote,
    /// The secret is shorter than the hash of the `alg`, which has so many octets (RFC 7518 section 3.2).
    SecretShorterThan(usize),
    /// The numbers make no acceptable key.
    Invalid(InvalidKey),
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => formatter.write_str("not a JSON object"),
            Self::DuplicateMember => formatter.write_str("a member name is there twice"),
            Self::WrongType(member) => write!(formatter, "`{member}` has the wrong type"),
            Self::Missing(member) => write!(formatter, "`{member}` is missing"),
            Self::NotBase64url(member) => write!(formatter, "`{member}` is not unpadded base64url"),
            Self::UnknownType => formatter.write_str("`kty` is not RSA, EC, OKP or oct"),
            Self::UnknownCurve => formatter.write_str("`crv` is not supported for this `kty`"),
            Self::UnknownAlgorithm => formatter.write_str("`alg` is not a supported signature algorithm"),
            Self::AlgorithmMismatch => formatter.write_str("`alg` does not fit the key"),
            Self::NotForSignatures => formatter.write_str("`use` is not \"sig\""),
            Self::NotForVerification => formatter.write_str("`key_ops` lacks \"verify\""),
            Self::Private => formatter.write_str("it holds private members"),
            Self::SecretFromRemote => formatter.write_str("a secret (`oct`) counts only in a local set"),
            Self::SecretShorterThan(octets) => write!(formatter, "the secret is shorter than {octets} octets"),
            Self::Invalid(reason) => reason.fmt(formatter),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<WrongType> for KeyError {
    fn from(WrongType(member): WrongType) -> Self {
        Self::WrongType(member)
    }
}

impl From<InvalidKey> for KeyError {
    fn from(reason: InvalidKey) -> Self {
        match reason {
            InvalidKey::SecretTooShort => Self::SecretShorterThan(32),
            other => Self::Invalid(other),
        }
    }
}

/// A usable key of a set.
#[derive(Debug)]
pub(super) struct Key {
    /// What the key serves: the JWK's own `alg`, or everything that the key can do.
    pub(super) algorithms: AlgorithmSet,
    pub(super) verifying_key: VerifyingKey,
}

/// The private members of RSA, EC and OKP keys (RFC 7518 section 6.2.2 and 6.3.2, RFC 8037 section 2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

impl Key {
    /// Reads the members of a JWK, the `kid` aside. `x5c` and the like are not looked at: no certificate is trusted.
    #[inline(never)]
    pub(super) fn read(members: &Members<'_>, origin: KeyOrigin) -> Result<Self, KeyError> {
        check_purpose(members)?;
        let algorithm = own_algorithm(members)?;
        let verifying_key = match required(members, "kty")?.as_str() {
            "oct" => secret_key(members, origin)?,
            "RSA" => public_key(members, rsa_key)?,
            "EC" => public_key(members, elliptic_curve_key)?,
            "OKP" => public_key(members, octet_key_pair)?,
            _ => return Err(KeyError::UnknownType),
        };
        let algorithms = bound_to(algorithm, &verifying_key)?;
        Ok(Self { algorithms, verifying_key })
    }
}

/// `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3).
fn check_purpose(members: &Members<'_>) -> Result<(), KeyError> {
    if members.text("use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::NotForSignatures);
    }
    let operations = members.texts("key_ops")?;
    if operations.is_some_and(|operations| !operations.iter().any(|operation| operation == "verify")) {
        return Err(KeyError::NotForVerification);
    }
    Ok(())
}

fn own_algorithm(members: &Members<'_>) -> Result<Option<SignatureAlgorithm>, KeyError> {
    let name = members.text("alg")?;
    name.map(|name| SignatureAlgorithm::from_name(&name).ok_or(KeyError::UnknownAlgorithm)).transpose()
}

fn bound_to(algorithm: Option<SignatureAlgorithm>, key: &VerifyingKey) -> Result<AlgorithmSet, KeyError> {
    match algorithm {
        None => Ok(key.algorithms()),
        Some(algorithm) if key.algorithms().contains(algorithm) => Ok(AlgorithmSet::EMPTY.with(algorithm)),
        Some(SignatureAlgorithm::Hs384) if matches!(key, VerifyingKey::Hmac(_)) => Err(KeyError::SecretShorterThan(48)),
        Some(SignatureAlgorithm::Hs512) if matches!(key, VerifyingKey::Hmac(_)) => Err(KeyError::SecretShorterThan(64)),
        Some(_) => Err(KeyError::AlgorithmMismatch),
    }
}

fn secret_key(members: &Members<'_>, origin: KeyOrigin) -> Result<VerifyingKey, KeyError> {
    if origin == KeyOrigin::Remote {
        return Err(KeyError::SecretFromRemote);
    }
    Ok(VerifyingKey::Hmac(HmacKey::new(&octets(members, "k")?)?))
}

/// A private key that lies in the open is everybody's (RFC 7517 section 9.2), so it verifies nothing.
fn public_key(
    members: &Members<'_>,
    read: fn(&Members<'_>) -> Result<VerifyingKey, KeyError>,
) -> Result<VerifyingKey, KeyError> {
    if PRIVATE_MEMBERS.iter().any(|member| members.contains(member)) {
        return Err(KeyError::Private);
    }
    read(members)
}

/// RFC 7518 section 6.3.1.
fn rsa_key(members: &Members<'_>) -> Result<VerifyingKey, KeyError> {
    Ok(VerifyingKey::Rsa(RsaKey::new(&octets(members, "n")?, &octets(members, "e")?)?))
}

/// RFC 7518 section 6.2.1.
fn elliptic_curve_key(members: &Members<'_>) -> Result<VerifyingKey, KeyError> {
    let curve = required(members, "crv")?;
    let (x, y) = (octets(members, "x")?, octets(members, "y")?);
    match curve.as_str() {
        "P-256" => Ok(VerifyingKey::P256(P256Key::new(&x, &y)?)),
        "P-384" => Ok(VerifyingKey::P384(P384Key::new(&x, &y)?)),
        "P-521" => Ok(VerifyingKey::P521(P521Key::new(&x, &y)?)),
        _ => Err(KeyError::UnknownCurve),
    }
}

/// RFC 8037 section 2.
fn octet_key_pair(members: &Members<'_>) -> Result<VerifyingKey, KeyError> {
    match required(members, "crv")?.as_str() {
        "Ed25519" => Ok(VerifyingKey::Ed25519(Ed25519Key::new(&octets(members, "x")?)?)),
        _ => Err(KeyError::UnknownCurve),
    }
}

fn required(members: &Members<'_>, name: &'static str) -> Result<Zeroizing<String>, KeyError> {
    members.text(name)?.map(Zeroizing::new).ok_or(KeyError::Missing(name))
}

fn octets(members: &Members<'_>, name: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let encoded = required(members, name)?;
    URL_SAFE_NO_PAD.decode(encoded.as_bytes()).map(Zeroizing::new).map_err(|_| KeyError::NotBase64url(name))
}
