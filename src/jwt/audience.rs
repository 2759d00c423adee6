//! The audience (RFC 7519 section 4.1.3).

use std::borrow::Cow;

use super::json::Member;

/// Whom a token is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience<'d> {
    /// One recipient: a string.
    One(Cow<'d, str>),
    /// Several recipients: an array of strings. An empty one means nobody.
    Many(Vec<Cow<'d, str>>),
}

impl<'d> Audience<'d> {
    pub(super) fn from_member(member: Member<'d>) -> Option<Self> {
        match member {
            Member::Text(recipient) => Some(Self::One(recipient)),
            Member::Texts(recipients) => Some(Self::Many(recipients)),
            _ => None,
        }
    }

    /// Whether the token is meant for `recipient`: exactly, no folding of case, scheme or slash.
    #[must_use]
    pub fn contains(&self, recipient: &str) -> bool {
        self.iter().any(|one| one == recipient)
    }

    /// The same, without what it was read from.
    #[must_use]
    pub fn into_owned(self) -> Audience<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::One(recipient) => Audience::One(owned(recipient)),
            Self::Many(recipients) => Audience::Many(recipients.into_iter().map(owned).collect()),
        }
    }

    /// The recipients, in the token's order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(recipient) => std::slice::from_ref(recipient),
            Self::Many(recipients) => recipients.as_slice(),
        }
        .iter()
        .map(AsRef::as_ref)
    }
}
