//! Random octets: the operating system's.

use crate::Stop;

/// So many random octets.
///
/// # Errors
///
/// The operating system has none.
pub(super) fn octets(number: usize) -> Result<Vec<u8>, Stop> {
    let mut octets = vec![0; number];
    getrandom::fill(&mut octets).map_err(|error| format!("the operating system gives no random numbers: {error}"))?;
    Ok(octets)
}

/// A name that nobody else has.
///
/// # Errors
///
/// The operating system has no random numbers.
pub(crate) fn name() -> Result<String, Stop> {
    octets(16).map(super::encoded)
}
