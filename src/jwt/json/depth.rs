//! How deep the reader is.

use serde::de;

/// The deepest nesting that is read.
const MAX_DEPTH: u8 = 32;

/// How many arrays and objects surround what is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth(u8);

impl Depth {
    /// Within the one object of the text.
    pub(crate) const MEMBER: Self = Self(1);

    /// Within another array or object.
    pub(super) fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.0 >= MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self(self.0.saturating_add(1)))
    }
}
