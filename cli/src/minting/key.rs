//! A private key with its name and its algorithm.

use std::collections::BTreeMap;

use jwt_warden::crypto::SignatureAlgorithm;
use serde_json::{Map, Value};

use super::material::Material;
use super::{hashed, random};
use crate::Stop;

/// A private key that signs tokens. Its `Debug` output would be a secret: it has none.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    /// `kid`.
    pub(crate) kid: Option<String>,
    /// `alg`: the one algorithm that it is for.
    algorithm: Option<SignatureAlgorithm>,
    material: Material,
}

impl PrivateKey {
    /// A new key; without a name it gets one that tells it from all others. `bits` is the length of an RSA modulus.
    ///
    /// # Errors
    ///
    /// It could not be made.
    pub(crate) fn generate(algorithm: SignatureAlgorithm, kid: Option<String>, bits: u16) -> Result<Self, Stop> {
        let mut key = Self { kid, algorithm: Some(algorithm), material: Material::generate(algorithm, bits)? };
        if key.kid.is_none() {
            // A hash of a secret is nothing to publish.
            key.kid = Some(key.thumbprint().map_or_else(random::name, Ok)?);
        }
        Ok(key)
    }

    /// Another key for the same purpose.
    ///
    /// # Errors
    ///
    /// It could not be made.
    pub(crate) fn successor(&self) -> Result<Self, Stop> {
        let mut next = Self::generate(self.default_algorithm(), None, self.material.bits())?;
        next.algorithm = self.algorithm;
        Ok(next)
    }

    /// Reads a private JWK.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without a word of its private members.
    pub(crate) fn read(jwk: &Value) -> Result<Self, String> {
        let material = Material::read(jwk)?;
        let text = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("has a `{name}` that is not a text")),
        };
        let known = |name: String| {
            let algorithm = SignatureAlgorithm::from_name(&name);
            let fits = |algorithm: &SignatureAlgorithm| {
                algorithm.key_family() == material.family() && material.is_long_enough(*algorithm)
            };
            algorithm.filter(fits).ok_or_else(|| "has an `alg` that does not fit it".to_owned())
        };
        let algorithm = text("alg")?.map(known).transpose()?;
        if text("use")?.is_some_and(|purpose| purpose != "sig") {
            return Err("is not for signatures (`use`)".to_owned());
        }
        Ok(Self { kid: text("kid")?, algorithm, material })
    }

    /// The algorithm to sign with: the one that is asked for, if this is a key for it.
    ///
    /// # Errors
    ///
    /// It is not.
    pub(crate) fn algorithm(&self, asked: Option<SignatureAlgorithm>) -> Result<SignatureAlgorithm, Stop> {
        let Some(asked) = asked else { return Ok(self.default_algorithm()) };
        let fits = asked.key_family() == self.material.family() && self.material.is_long_enough(asked);
        if self.algorithm.is_some_and(|own| own != asked) || !fits {
            let own = self.default_algorithm().name();
            return Err(format!("the key is one for {own}: it does not sign {}", asked.name()));
        }
        Ok(asked)
    }

    fn default_algorithm(&self) -> SignatureAlgorithm {
        let mut fitting = SignatureAlgorithm::ALL.into_iter();
        let first = fitting.find(|algorithm| algorithm.key_family() == self.material.family());
        self.algorithm.or(first).unwrap_or(SignatureAlgorithm::Es256)
    }

    /// Whether it is a secret that the verifier needs too.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.material, Material::Secret(_))
    }

    /// The signature, or the MAC.
    ///
    /// # Errors
    ///
    /// The key does not sign so.
    pub(crate) fn sign(&self, algorithm: SignatureAlgorithm, input: &str) -> Result<Vec<u8>, Stop> {
        let signature = self.material.sign(algorithm, input.as_bytes());
        signature.ok_or_else(|| format!("the key cannot sign {}: are its private members right?", algorithm.name()))
    }

    /// The whole JWK, to be kept from others.
    pub(crate) fn private_jwk(&self) -> Value {
        let mut jwk = self.named(self.material.public_members());
        jwk.extend(self.material.private_members());
        Value::Object(jwk)
    }

    /// The JWK to publish; `None` for a secret.
    pub(crate) fn public_jwk(&self) -> Option<Value> {
        (!self.is_shared()).then(|| Value::Object(self.named(self.material.public_members())))
    }

    /// The bare public key, as proofs of possession carry it (RFC 9449 section 4.2); `None` for a secret.
    pub(super) fn bare_jwk(&self) -> Option<Value> {
        (!self.is_shared()).then(|| Value::Object(self.material.public_members()))
    }

    /// The SHA-256 thumbprint (RFC 7638 section 3) in base64url; `None` for a secret.
    pub(crate) fn thumbprint(&self) -> Option<String> {
        let sorted: BTreeMap<_, _> = self.material.public_members().into_iter().collect();
        (!self.is_shared()).then(|| serde_json::to_vec(&sorted).ok()).flatten().map(|text| hashed(&text))
    }

    fn named(&self, members: Map<String, Value>) -> Map<String, Value> {
        let mut jwk = members;
        let names = [("kid", self.kid.clone()), ("alg", self.algorithm.map(|own| own.name().to_owned()))];
        jwk.extend(names.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
        jwk.insert("use".to_owned(), "sig".into());
        jwk
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7515 appendix A.3.1.
    fn es256() -> Value {
        json!({
            "kty": "EC", "crv": "P-256", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut jwk = es256();
        jwk[name] = value;
        jwk
    }

    #[test]
    fn keys_are_read_as_they_were_made() {
        for algorithm in SignatureAlgorithm::ALL {
            let key = PrivateKey::generate(algorithm, Some("k".to_owned()), 2048).unwrap();
            let again = PrivateKey::read(&key.private_jwk()).unwrap();
            assert_eq!(again.private_jwk(), key.private_jwk());
            assert_eq!(again.algorithm(None), Ok(algorithm));
            assert_eq!(key.public_jwk().is_none(), algorithm.name().starts_with("HS"));
            let public = key.public_jwk().unwrap_or_default();
            assert!(["d", "p", "k"].iter().all(|name| public.get(name).is_none()));
        }
    }

    #[test]
    fn thumbprints_are_those_of_the_rfc() {
        // RFC 8037 appendix A.
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        let key = PrivateKey::read(&jwk).unwrap();
        assert_eq!(key.thumbprint().as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    }

    #[test]
    fn what_makes_no_key_is_refused_in_words_without_the_secret() {
        for (jwk, expected) in [
            (with("d", json!("AAAA")), "make no key"),
            (with("d", json!("=")), "`d` that is not base64url"),
            (with("x", json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV")), "another `x`"),
            (with("crv", json!("P-192")), "`crv`"),
            (with("kty", json!("DSA")), "`kty`"),
            (with("alg", json!("ES384")), "`alg`"),
            (with("alg", json!(1)), "`alg` that is not a text"),
            (with("use", json!("enc")), "`use`"),
            (json!({"kty": "oct"}), "no `k`"),
            (json!({"kty": "oct", "k": "AAAA", "alg": "HS256"}), "`alg`"),
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), "public key"),
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQ", "p": "AQ", "q": "AQ"}), "make no key"),
            (json!([]), "`kty` is missing"),
        ] {
            let sentence = PrivateKey::read(&jwk).err().unwrap();
            assert!(sentence.contains(expected) && !sentence.contains("jpsQ"), "{jwk}: {sentence}");
        }
    }

    #[test]
    fn a_key_signs_what_it_is_for() {
        let rsa = PrivateKey::generate(SignatureAlgorithm::Ps256, None, 2048).unwrap();
        assert!(rsa.algorithm(Some(SignatureAlgorithm::Rs256)).is_err());
        let mut free = rsa.private_jwk();
        free.as_object_mut().unwrap().remove("alg");
        let free = PrivateKey::read(&free).unwrap();
        assert_eq!(free.algorithm(Some(SignatureAlgorithm::Ps512)), Ok(SignatureAlgorithm::Ps512));
        assert_eq!(free.algorithm(None), Ok(SignatureAlgorithm::Rs256));
        assert!(free.algorithm(Some(SignatureAlgorithm::Es256)).is_err());
    }
}
