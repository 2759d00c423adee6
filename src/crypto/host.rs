//! Signatures that the host verifies: Envoy's `verify_signature`, which is `BoringSSL`'s RSA PKCS#1 v1.5 and ECDSA.
//!
//! A host is believed only for algorithms in which it gave the right answer to a question that has to be answered with
//! yes and to one that has to be answered with no. For all others, and where it cannot answer, the module verifies itself.

use std::borrow::Cow;
use std::fmt;

use prost::encoding::encode_varint;

use super::der::ecdsa_signature;
use super::known_answers::{TEXT, known_answer, sample_key};
use super::{AlgorithmSet, SignatureAlgorithm, VerifyingKey};

/// A host's own verifier.
pub trait HostVerifier {
    /// The host's verdict on a serialized `VerifySignatureArguments`; `None` if it has no such function, or could not
    /// make sense of the arguments.
    fn verify_signature(&self, arguments: &[u8]) -> Option<bool>;
}

/// Verifies signatures, by the host where it is known to be right, otherwise in the module.
pub struct Signatures {
    host: Option<Box<dyn HostVerifier>>,
    by_host: AlgorithmSet,
}

impl Signatures {
    /// Verifies everything in the module.
    #[must_use]
    pub const fn in_module() -> Self {
        Self { host: None, by_host: AlgorithmSet::EMPTY }
    }

    /// Asks the host questions with known answers, and believes it where it answers them all rightly.
    #[must_use]
    pub fn probe(host: Box<dyn HostVerifier>) -> Self {
        let by_host =
            SignatureAlgorithm::ALL.into_iter().filter(|algorithm| answers_rightly(&*host, *algorithm)).collect();
        Self { host: Some(host), by_host }
    }

    /// The algorithms that the host verifies.
    #[must_use]
    pub const fn by_host(&self) -> AlgorithmSet {
        self.by_host
    }

    /// Has the module refuse a signature of each algorithm that it verifies by itself.
    pub fn rehearse(&self) {
        for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| !self.by_host.contains(*algorithm)) {
            if let Some((key, length)) = sample_key(algorithm) {
                // A forged signature takes the whole way too.
                let _ = self.verifies(&key, algorithm, TEXT, &vec![1; length]);
            }
        }
    }

    /// Whether `signature` is one of this key over `signing_input` under `algorithm`.
    #[must_use]
    #[inline(never)]
    pub fn verifies(
        &self,
        key: &VerifyingKey,
        algorithm: SignatureAlgorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> bool {
        if !self.by_host.contains(algorithm) {
            return key.verifies(algorithm, signing_input, signature);
        }
        let Some(question) = Question::of(key, algorithm, signature) else { return false };
        let verdict = self.host.as_deref().and_then(|host| host.verify_signature(&question.arguments(signing_input)));
        verdict.unwrap_or_else(|| key.verifies(algorithm, signing_input, signature))
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signatures").field("by_host", &self.by_host).finish_non_exhaustive()
    }
}

/// Whether the host says yes to a good signature, and no to the same over another text.
fn answers_rightly(host: &dyn HostVerifier, algorithm: SignatureAlgorithm) -> bool {
    let Some((key, signature)) = known_answer(algorithm) else { return false };
    let Some(question) = Question::of(&key, algorithm, &signature) else { return false };
    let other_text = TEXT.to_ascii_uppercase();
    host.verify_signature(&question.arguments(TEXT)) == Some(true)
        && host.verify_signature(&question.arguments(&other_text)) == Some(false)
}

/// A signature as the host wants to see it.
struct Question<'q> {
    /// Field 1 of the arguments.
    hash: &'static [u8],
    /// Field 2 of the arguments.
    public_key: &'q [u8],
    signature: Cow<'q, [u8]>,
}

impl<'q> Question<'q> {
    /// `None` if the signature cannot be one of this key under this algorithm, whatever it signs.
    fn of(key: &'q VerifyingKey, algorithm: SignatureAlgorithm, signature: &'q [u8]) -> Option<Self> {
        let hash = hash_field(algorithm)?;
        if algorithm.key_family() != key.family() {
            return None;
        }
        let (public_key, length) = key.field_for_host()?;
        if signature.len() != length {
            return None;
        }
        let signature = match key {
            VerifyingKey::Rsa(_) => Cow::Borrowed(signature),
            _ => Cow::Owned(ecdsa_signature(signature)),
        };
        Some(Self { hash, public_key, signature })
    }

    /// The serialized `VerifySignatureArguments`: 1 the hash, 2 the key, 3 the signature, 4 the text.
    fn arguments(&self, text: &[u8]) -> Vec<u8> {
        let size = self.hash.len() + self.public_key.len() + self.signature.len() + text.len() + 16;
        let mut arguments = Vec::with_capacity(size);
        arguments.extend_from_slice(self.hash);
        arguments.extend_from_slice(self.public_key);
        push_field(&mut arguments, 3, &self.signature);
        push_field(&mut arguments, 4, text);
        arguments
    }
}

/// Field 2 of the arguments: DER `SubjectPublicKeyInfo`.
pub(super) fn public_key_field(subject_public_key_info: &[u8]) -> Vec<u8> {
    let mut field = Vec::with_capacity(subject_public_key_info.len() + 8);
    push_field(&mut field, 2, subject_public_key_info);
    field
}

/// A length-delimited field (wire type 2).
fn push_field(arguments: &mut Vec<u8>, number: u64, field: &[u8]) {
    encode_varint((number << 3) | 2, arguments);
    encode_varint(u64::try_from(field.len()).unwrap_or(u64::MAX), arguments);
    arguments.extend_from_slice(field);
}

/// Field 1 of the arguments: the hash's name, of six letters.
const fn hash_field(algorithm: SignatureAlgorithm) -> Option<&'static [u8]> {
    match algorithm {
        SignatureAlgorithm::Rs256 | SignatureAlgorithm::Es256 => Some(b"\x0a\x06sha256"),
        SignatureAlgorithm::Rs384 | SignatureAlgorithm::Es384 => Some(b"\x0a\x06sha384"),
        SignatureAlgorithm::Rs512 | SignatureAlgorithm::Es512 => Some(b"\x0a\x06sha512"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;
    use crate::crypto::der::rsa_public_key;

    /// A host that answers as it likes, and counts what it is asked.
    struct Oracle(fn(&[u8]) -> Option<bool>, Rc<Cell<usize>>);

    impl HostVerifier for Oracle {
        fn verify_signature(&self, arguments: &[u8]) -> Option<bool> {
            self.1.set(self.1.get() + 1);
            self.0(arguments)
        }
    }

    fn probe(answer: fn(&[u8]) -> Option<bool>) -> (Signatures, Rc<Cell<usize>>) {
        let asked = Rc::new(Cell::new(0));
        (Signatures::probe(Box::new(Oracle(answer, Rc::clone(&asked)))), asked)
    }

    /// Right, for whoever asks about a text in lower case.
    #[allow(clippy::unnecessary_wraps, reason = "one of several answers")]
    fn by_case(arguments: &[u8]) -> Option<bool> {
        Some(arguments.ends_with(TEXT))
    }

    fn good_and_bad(signatures: &Signatures) -> (usize, usize) {
        let known =
            SignatureAlgorithm::ALL.into_iter().filter_map(|algorithm| Some((algorithm, known_answer(algorithm)?)));
        let verdicts: Vec<_> = known
            .map(|(algorithm, (key, signature))| {
                let verifies = |text: &[u8]| signatures.verifies(&key, algorithm, text, &signature);
                (verifies(TEXT), verifies(b"another text"))
            })
            .collect();
        assert_eq!(verdicts.len(), 6);
        (verdicts.iter().filter(|(good, _)| *good).count(), verdicts.iter().filter(|(_, bad)| *bad).count())
    }

    #[test]
    fn a_host_is_told_the_key_and_the_signature_of_rsa_as_it_is() {
        let (key, signature) = known_answer(SignatureAlgorithm::Rs256).unwrap();
        let VerifyingKey::Rsa(rsa) = &key else { panic!("a key of RSA") };
        let question = Question::of(&key, SignatureAlgorithm::Rs256, &signature).unwrap();
        assert_eq!(question.public_key, public_key_field(&rsa_public_key(rsa.modulus(), rsa.exponent())));
        assert_eq!(*question.signature, signature);
    }

    #[test]
    fn the_known_answers_are_right() {
        assert_eq!(good_and_bad(&Signatures::in_module()), (6, 0));
    }

    #[test]
    fn a_host_is_believed_only_where_it_was_right_both_times() {
        for answer in [|_: &[u8]| None, |_: &[u8]| Some(true), |_: &[u8]| Some(false)] {
            let (signatures, asked) = probe(answer);
            assert!(signatures.by_host().is_empty());
            let asked_by_probe = asked.get();
            assert_eq!(good_and_bad(&signatures), (6, 0));
            assert_eq!(asked.get(), asked_by_probe, "the host is not asked again");
        }
        let (signatures, _) = probe(by_case);
        let names: Vec<_> = signatures.by_host().iter().map(SignatureAlgorithm::name).collect();
        assert_eq!(names, ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]);
    }

    #[test]
    fn a_host_that_loses_its_function_is_no_loss() {
        let (signatures, _) = probe(by_case);
        let signatures = Signatures { host: Some(Box::new(Oracle(|_| None, Rc::default()))), ..signatures };
        assert_eq!(good_and_bad(&signatures), (6, 0));
    }

    #[test]
    fn a_signature_of_the_wrong_length_or_family_is_refused_without_the_host() {
        let (signatures, asked) = probe(|_| Some(true));
        let signatures = Signatures { by_host: AlgorithmSet::asymmetric(), ..signatures };
        let before = asked.get();
        for algorithm in SignatureAlgorithm::ALL {
            let Some((key, signature)) = known_answer(algorithm) else { continue };
            for length in 0..signature.len() {
                assert!(!signatures.verifies(&key, algorithm, TEXT, &signature[..length]));
            }
            assert!(!signatures.verifies(&key, algorithm, TEXT, &[&signature[..], &[0]].concat()));
            let other = if key.family() == algorithm.key_family() && algorithm.name().starts_with('R') {
                SignatureAlgorithm::Es256
            } else {
                SignatureAlgorithm::Rs256
            };
            assert!(!signatures.verifies(&key, other, TEXT, &signature));
        }
        assert_eq!(asked.get(), before);
    }

    #[test]
    fn the_arguments_are_the_protobuf_message() {
        let (key, signature) = known_answer(SignatureAlgorithm::Es256).unwrap();
        let arguments = Question::of(&key, SignatureAlgorithm::Es256, &signature).unwrap().arguments(b"text");
        assert_eq!(arguments[..10], *b"\x0a\x06sha256\x12\x5b");
        assert!(arguments.ends_with(b"\x22\x04text"));
    }
}
