//! The scope (RFC 8693 section 4.2), and the array form that many issuers use.

use std::borrow::Cow;

use super::json::Member;

/// The scopes of a token, as one of the claims `scope` and `scp` lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope<'d> {
    /// Words with spaces between them.
    Text(Cow<'d, str>),
    /// An array; each element is one scope, spaces and all.
    List(Vec<Cow<'d, str>>),
    /// Neither a string nor an array of strings. It grants nothing, and is no reason to refuse the token where nobody
    /// asks for scopes: `scope` and `scp` are not registered by RFC 7519.
    Malformed,
}

impl<'d> Scope<'d> {
    pub(super) fn from_member(member: Member<'d>) -> Self {
        match member {
            Member::Text(text) => Self::Text(text),
            Member::Texts(list) => Self::List(list),
            _ => Self::Malformed,
        }
    }

    /// The same, without what it was read from.
    #[must_use]
    pub fn into_owned(self) -> Scope<'static> {
        match self {
            Self::Text(text) => Scope::Text(Cow::Owned(text.into_owned())),
            Self::List(list) => Scope::List(list.into_iter().map(|word| Cow::Owned(word.into_owned())).collect()),
            Self::Malformed => Scope::Malformed,
        }
    }

    /// The bytes that the scopes take.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(list) => list.iter().map(|word| word.len()).sum(),
            Self::Malformed => 0,
        }
    }

    /// Whether `scope` is granted: compared as a whole word, case-sensitive (RFC 6749 section 3.3). The empty word
    /// never is.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        match self {
            _ if scope.is_empty() => false,
            Self::Text(text) => text.split(' ').any(|word| word == scope),
            Self::List(list) => list.iter().any(|word| word == scope),
            Self::Malformed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_whole_words() {
        let text = Scope::Text(" read  write:all".into());
        let list = Scope::List(vec!["read".into(), "write:all".into(), "a b".into()]);
        for scope in [text, list] {
            assert!(scope.contains("read") && scope.contains("write:all"));
            for absent in ["", "write", "Read", "read write:all", "all", "a", " "] {
                assert!(!scope.contains(absent), "{absent:?}");
            }
        }
        assert!(!Scope::Malformed.contains("read"));
    }

    #[test]
    fn its_size_is_that_of_its_texts() {
        let (text, list) = (Scope::Text("read all".into()), Scope::List(vec!["read".into(), "all".into()]));
        assert_eq!((text.size(), list.size(), Scope::Malformed.size()), (8, 7, 0));
    }
}
