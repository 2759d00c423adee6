//! Proofs of possession (RFC 9449), as a resource server checks them: a token that is bound to a key counts only beside a
//! proof that its sender has just made with that key, for this very request.

#[cfg(test)]
pub(crate) mod case;
mod hash;
mod nonce;
mod proof;
mod replay;
#[cfg(test)]
mod tests;
mod thumbprint;
mod uri;

pub(crate) use nonce::{Nonces, shared_secret};
pub(crate) use proof::{Examiner, Proof};
pub(crate) use replay::{ReplayMemory, Unusable};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use thumbprint::thumbprint;
pub(crate) use uri::origin;
