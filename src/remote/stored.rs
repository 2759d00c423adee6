//! A document as it is stored in the shared data.

use sha2::{Digest as _, Sha256};

use super::record::DIGEST_LENGTH;

/// The document as it is stored: behind the server's name for it, if the server is asked by that.
pub(super) fn pack(etag: Option<&str>, document: Vec<u8>, is_conditional: bool) -> Vec<u8> {
    if !is_conditional {
        return document;
    }
    let etag = etag.unwrap_or_default();
    let length = u8::try_from(etag.len()).unwrap_or_default();
    [&[length], etag.as_bytes().get(..usize::from(length)).unwrap_or_default(), &document].concat()
}

/// The server's name for the document, and the document.
pub(super) fn unpack(stored: &[u8], is_conditional: bool) -> Option<(Option<String>, &[u8])> {
    if !is_conditional {
        return Some((None, stored));
    }
    let (length, rest) = stored.split_first()?;
    let (etag, document) = rest.split_at_checked(usize::from(*length))?;
    let etag = std::str::from_utf8(etag).ok().filter(|etag| !etag.is_empty());
    Some((etag.map(str::to_owned), document))
}

/// Recognises a document.
pub(super) fn digest(document: &[u8]) -> [u8; DIGEST_LENGTH] {
    let hash = Sha256::digest(document);
    hash.first_chunk().copied().unwrap_or_default()
}
