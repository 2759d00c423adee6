//! What a private key is made of (RFC 7518 section 6, RFC 8037 section 2): making it, reading it, signing with it.

use ed25519_dalek::Signer as _;
use getrandom::SysRng;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jwt_warden::crypto::{KeyFamily, SignatureAlgorithm};
use rsa::BoxedUint;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{pkcs1v15, pss};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

use super::{decoded, encoded, random};
use crate::Stop;

/// The largest modulus that the filter takes, in octets.
const MAX_RSA_OCTETS: usize = 1024;
/// The smallest.
const MIN_RSA_OCTETS: usize = 256;
/// The longest secret.
const MAX_SECRET_OCTETS: usize = 1024;

/// A private key, or a shared secret.
#[derive(Clone)]
pub(super) enum Material {
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(Box<p521::ecdsa::SigningKey>),
    Ed25519(ed25519_dalek::SigningKey),
    Secret(Vec<u8>),
}

impl Material {
    /// A new key for the algorithm; `bits` is the length of an RSA modulus.
    pub(super) fn generate(algorithm: SignatureAlgorithm, bits: u16) -> Result<Self, Stop> {
        match algorithm.key_family() {
            KeyFamily::Rsa => {
                let key = rsa::PrivateKey::new(&mut SysRng, usize::from(bits));
                key.map(|key| Self::Rsa(Box::new(key))).map_err(|error| format!("no RSA key could be made: {error}"))
            }
            KeyFamily::P256 => {
                scalar(32, u8::MAX, &|octets| p256::ecdsa::SigningKey::from_slice(octets).ok().map(Self::P256))
            }
            KeyFamily::P384 => {
                scalar(48, u8::MAX, &|octets| p384::ecdsa::SigningKey::from_slice(octets).ok().map(Self::P384))
            }
            // 521 bits are 65 octets and one bit.
            KeyFamily::P521 => scalar(66, 1, &p521_key),
            KeyFamily::Ed25519 => {
                let seed = random::octets(32)?.try_into().map_err(|_| "no seed".to_owned())?;
                Ok(Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed)))
            }
            KeyFamily::Hmac => random::octets(hash_octets(algorithm)).map(Self::Secret),
        }
    }

    /// Reads the members of a private JWK.
    pub(super) fn read(jwk: &Value) -> Result<Self, String> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        let material = match (text("kty"), text("crv")) {
            ("RSA", _) => read_rsa(jwk)?,
            ("EC", "P-256") => p256::ecdsa::SigningKey::from_slice(&private(jwk, "d")?).ok().map(Self::P256),
            ("EC", "P-384") => p384::ecdsa::SigningKey::from_slice(&private(jwk, "d")?).ok().map(Self::P384),
            ("EC", "P-521") => p521_key(&private(jwk, "d")?),
            ("OKP", "Ed25519") => {
                let seed = private(jwk, "d")?.try_into().ok();
                seed.map(|seed| Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed)))
            }
            ("oct", _) => Some(private(jwk, "k")?).filter(|k| k.len() <= MAX_SECRET_OCTETS).map(Self::Secret),
            ("", _) => return Err("is no JWK: `kty` is missing or not a text".to_owned()),
            ("EC" | "OKP", _) => return Err("has a `crv` that no algorithm of the filter's signs with".to_owned()),
            _ => return Err("has a `kty` that is none of RSA, EC, OKP and oct".to_owned()),
        };
        let material = material.ok_or("has private members that make no key of its kind")?;
        let own = material.public_members();
        let differs = |(name, value): (&String, &Value)| jwk.get(name).is_some_and(|given| given != value);
        match own.iter().find(|member| differs(*member)) {
            Some((name, _)) => Err(format!("has another `{name}` than its private members make")),
            None => Ok(material),
        }
    }

    /// Which keys it is one of.
    pub(super) const fn family(&self) -> KeyFamily {
        match self {
            Self::Rsa(_) => KeyFamily::Rsa,
            Self::P256(_) => KeyFamily::P256,
            Self::P384(_) => KeyFamily::P384,
            Self::P521(_) => KeyFamily::P521,
            Self::Ed25519(_) => KeyFamily::Ed25519,
            Self::Secret(_) => KeyFamily::Hmac,
        }
    }

    /// Of an RSA key, the bits of the modulus; of others nothing is to be chosen.
    pub(super) fn bits(&self) -> u16 {
        match self {
            Self::Rsa(key) => u16::try_from(key.size().saturating_mul(8)).unwrap_or(u16::MAX),
            _ => 0,
        }
    }

    /// Whether it is as long as the algorithm asks for (RFC 7518 section 3.2).
    pub(super) fn is_long_enough(&self, algorithm: SignatureAlgorithm) -> bool {
        match self {
            Self::Secret(secret) => secret.len() >= hash_octets(algorithm),
            _ => true,
        }
    }

    /// The members that everybody may know; of a secret, its type alone.
    pub(super) fn public_members(&self) -> Map<String, Value> {
        let members = match self {
            Self::Rsa(key) => json!({"kty": "RSA", "n": encoded(key.n_bytes()), "e": encoded(key.e_bytes())}),
            Self::P256(key) => curve("P-256", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P384(key) => curve("P-384", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P521(key) => curve("P-521", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::Ed25519(key) => json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(key.verifying_key().as_bytes())}),
            Self::Secret(_) => json!({"kty": "oct"}),
        };
        object(members)
    }

    /// The members that nobody else may know.
    pub(super) fn private_members(&self) -> Map<String, Value> {
        object(match self {
            Self::Rsa(key) => rsa_members(key),
            Self::P256(key) => json!({"d": encoded(key.to_bytes())}),
            Self::P384(key) => json!({"d": encoded(key.to_bytes())}),
            Self::P521(key) => json!({"d": encoded(key.to_bytes())}),
            Self::Ed25519(key) => json!({"d": encoded(key.as_bytes())}),
            Self::Secret(secret) => json!({"k": encoded(secret)}),
        })
    }

    /// The signature, or the MAC; `None` if the algorithm is not one of this key's.
    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, input: &[u8]) -> Option<Vec<u8>> {
        use SignatureAlgorithm as Name;
        match (self, algorithm) {
            (Self::Rsa(key), _) => sign_rsa(key, algorithm, input),
            (Self::P256(key), Name::Es256) => {
                let signature: p256::ecdsa::Signature = key.try_sign(input).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            (Self::P384(key), Name::Es384) => {
                let signature: p384::ecdsa::Signature = key.try_sign(input).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            (Self::P521(key), Name::Es512) => {
                let signature: p521::ecdsa::Signature = key.try_sign(input).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            (Self::Ed25519(key), Name::EdDsa) => Some(key.try_sign(input).ok()?.to_bytes().to_vec()),
            (Self::Secret(secret), _) => mac(secret, algorithm, input),
            _ => None,
        }
    }
}

/// The MAC with any secret.
pub(super) fn mac(secret: &[u8], algorithm: SignatureAlgorithm, input: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        SignatureAlgorithm::Hs256 => {
            Some(Hmac::<Sha256>::new_from_slice(secret).ok()?.chain_update(input).finalize().into_bytes().to_vec())
        }
        SignatureAlgorithm::Hs384 => {
            Some(Hmac::<Sha384>::new_from_slice(secret).ok()?.chain_update(input).finalize().into_bytes().to_vec())
        }
        SignatureAlgorithm::Hs512 => {
            Some(Hmac::<Sha512>::new_from_slice(secret).ok()?.chain_update(input).finalize().into_bytes().to_vec())
        }
        _ => None,
    }
}

/// Random octets until they are a scalar of the curve: nearly always the first.
fn scalar(octets: usize, mask: u8, read: &dyn Fn(&[u8]) -> Option<Material>) -> Result<Material, Stop> {
    loop {
        let mut random = random::octets(octets)?;
        random.iter_mut().take(1).for_each(|first| *first &= mask);
        if let Some(material) = read(&random) {
            return Ok(material);
        }
    }
}

fn p521_key(octets: &[u8]) -> Option<Material> {
    p521::ecdsa::SigningKey::from_slice(octets).ok().map(|key| Material::P521(Box::new(key)))
}

/// RFC 7518 section 6.3.2. What follows from the others (`dp` and so on) is not looked at.
fn read_rsa(jwk: &Value) -> Result<Option<Material>, String> {
    let number = |name, max| match private(jwk, name) {
        Ok(octets) if octets.len() > max => Err("has larger numbers than the filter takes: 8192 bits".to_owned()),
        octets => octets.map(|octets| BoxedUint::from_be_slice_vartime(&octets)),
    };
    let d = number("d", MAX_RSA_OCTETS)?;
    let primes = vec![number("p", MAX_RSA_OCTETS)?, number("q", MAX_RSA_OCTETS)?];
    let key = rsa::PrivateKey::from_components(number("n", MAX_RSA_OCTETS)?, number("e", 8)?, d, primes);
    Ok(key.ok().filter(|key| key.size() >= MIN_RSA_OCTETS).map(|key| Material::Rsa(Box::new(key))))
}

fn rsa_members(key: &rsa::PrivateKey) -> Value {
    let number = |number: Option<&BoxedUint>| number.map(|number| encoded(number.to_be_bytes_trimmed_vartime()));
    let mut primes = key.primes().iter().map(|prime| encoded(prime.to_be_bytes_trimmed_vartime()));
    json!({
        "d": number(Some(key.d())), "p": primes.next(), "q": primes.next(),
        "dp": number(key.dp()), "dq": number(key.dq()), "qi": number(key.crt_coefficient().as_ref()),
    })
}

fn sign_rsa(key: &rsa::PrivateKey, algorithm: SignatureAlgorithm, input: &[u8]) -> Option<Vec<u8>> {
    use SignatureAlgorithm as Name;
    macro_rules! signed {
        ($signer:ty) => {
            <$signer>::new(key.clone()).try_sign_with_rng(&mut SysRng, input).ok().map(|signature| signature.to_vec())
        };
    }
    match algorithm {
        Name::Rs256 => signed!(pkcs1v15::SigningKey<Sha256>),
        Name::Rs384 => signed!(pkcs1v15::SigningKey<Sha384>),
        Name::Rs512 => signed!(pkcs1v15::SigningKey<Sha512>),
        Name::Ps256 => signed!(pss::SigningKey<Sha256>),
        Name::Ps384 => signed!(pss::SigningKey<Sha384>),
        Name::Ps512 => signed!(pss::SigningKey<Sha512>),
        _ => None,
    }
}

/// Of a point in uncompressed form.
fn curve(name: &str, point: &[u8]) -> Value {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at_checked(coordinates.len() / 2).unwrap_or_default();
    json!({"kty": "EC", "crv": name, "x": encoded(x), "y": encoded(y)})
}

fn private(jwk: &Value, name: &str) -> Result<Vec<u8>, String> {
    let Some(value) = jwk.get(name) else {
        let is_public = ["n", "x"].iter().any(|public| jwk.get(public).is_some());
        let why = if is_public { "it is a public key, and signs nothing" } else { "it is missing" };
        return Err(format!("has no `{name}`: {why}"));
    };
    value.as_str().and_then(decoded).ok_or_else(|| format!("has a `{name}` that is not base64url without padding"))
}

/// The length of the hash, for the MACs.
const fn hash_octets(algorithm: SignatureAlgorithm) -> usize {
    match algorithm {
        SignatureAlgorithm::Hs512 => 64,
        SignatureAlgorithm::Hs384 => 48,
        _ => 32,
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
