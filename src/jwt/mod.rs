//! Tokens: from the bytes of a compact JWS (RFC 7515 section 3.1) to an unverified, and then a verified, token.

mod audience;
mod claim_path;
mod claims;
mod compact;
mod confirmation;
mod error;
mod header;
pub(crate) mod json;
mod known_headers;
mod numeric_date;
mod scope;
mod token;

pub use audience::Audience;
pub use claim_path::{find_claim, wanted_claims};
pub use claims::Claims;
pub use compact::DecodedToken;
pub use confirmation::Confirmation;
pub use error::{FormError, Segment};
pub use header::Header;
pub use known_headers::KnownHeaders;
pub(crate) use numeric_date::{Rounding, timestamp};
pub use scope::Scope;
pub use token::{SignatureInvalid, UnverifiedToken, VerifiedToken};
