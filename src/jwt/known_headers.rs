//! Headers that need not be read again: tokens signed with one key mostly have the same header, byte for byte.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::header::Header;
use crate::equal::equal;

/// More are seldom in use at a time: one for each key that signs tokens.
const MAX_HEADERS: usize = 16;
/// The longest first segment that is kept, in bytes.
const MAX_BYTES: usize = 512;

/// Headers of tokens that were verified; the one that came first goes first. What was not verified never comes in, so
/// nobody without a key can wash it out.
///
/// A header that is known is one that was read before from the same bytes: whether a provider allows what it says is
/// asked for each token.
#[derive(Default)]
pub struct KnownHeaders {
    headers: RefCell<Vec<Rc<KnownHeader>>>,
}

/// A header as sent, decoded, and read.
pub(super) struct KnownHeader {
    segment: Box<[u8]>,
    pub(super) json: Box<[u8]>,
    pub(super) header: Header<'static>,
}

impl KnownHeaders {
    /// The header that this segment stands for, if it is known.
    pub(super) fn find(&self, segment: &[u8]) -> Option<Rc<KnownHeader>> {
        let headers = self.headers.try_borrow().ok()?;
        headers.iter().find(|known| equal(&known.segment, segment)).map(Rc::clone)
    }

    /// How many headers are known.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.headers.borrow().len()
    }

    /// Keeps what this segment stands for: the decoded `json`, and the `header` read from it.
    pub(super) fn keep(&self, segment: &[u8], json: &[u8], header: Header<'_>) {
        // Providers of one issuer come with the same header one after the other.
        if segment.len() > MAX_BYTES || self.find(segment).is_some() {
            return;
        }
        let Ok(mut headers) = self.headers.try_borrow_mut() else { return };
        if headers.len() >= MAX_HEADERS {
            headers.remove(0);
        }
        let header = header.into_owned();
        headers.push(Rc::new(KnownHeader { segment: segment.into(), json: json.into(), header }));
    }
}

// Segments of tokens are never printed.
impl fmt::Debug for KnownHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KnownHeaders").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"alg":"ES256","kid":"k"}"#;

    fn keep(known: &KnownHeaders, segment: &[u8]) {
        known.keep(segment, JSON.as_bytes(), Header::parse(JSON).unwrap());
    }

    #[test]
    fn a_header_is_known_by_all_of_its_bytes() {
        let known = KnownHeaders::default();
        assert!(known.find(b"abc").is_none());
        keep(&known, b"abc");
        let found = known.find(b"abc").unwrap();
        assert_eq!((&*found.json, &found.header), (JSON.as_bytes(), &Header::parse(JSON).unwrap()));
        for other in [&b""[..], b"ab", b"abd", b"Abc", b"abcd", b"abc\0"] {
            assert!(known.find(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn the_oldest_goes_and_long_ones_never_come() {
        let known = KnownHeaders::default();
        for number in 0..MAX_HEADERS + 3 {
            keep(&known, number.to_string().as_bytes());
        }
        keep(&known, &[b'a'; MAX_BYTES + 1]);
        keep(&known, b"5");
        assert_eq!(known.count(), MAX_HEADERS);
        assert!((0..3).all(|number| known.find(number.to_string().as_bytes()).is_none()));
        assert!((3..MAX_HEADERS + 3).all(|number| known.find(number.to_string().as_bytes()).is_some()));
        keep(&known, &[b'a'; MAX_BYTES]);
        assert!(known.find(&[b'a'; MAX_BYTES]).is_some() && known.find(b"3").is_none());
    }
}
