//! Algorithms by their JOSE names on the command line.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use jwt_warden::crypto::SignatureAlgorithm;

/// One of the filter's algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Algorithm(pub(crate) SignatureAlgorithm);

impl Algorithm {
    const ALL: [Self; 13] = {
        let mut all = [Self(SignatureAlgorithm::Rs256); 13];
        let mut index = 0;
        while index < all.len() {
            #[allow(clippy::indexing_slicing, reason = "the compiler does it")]
            {
                all[index] = Self(SignatureAlgorithm::ALL[index]);
            }
            index += 1;
        }
        all
    };
}

impl ValueEnum for Algorithm {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.0.name());
        // RFC 9864's name.
        Some(if self.0 == SignatureAlgorithm::EdDsa { value.alias("Ed25519") } else { value })
    }
}
