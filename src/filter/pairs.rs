//! The host's serialized form of header maps: a count, then the sizes of all names and values, then the texts, each
//! closed by a zero byte; numbers are 32 bits, little-endian.

use crate::request::Request;

/// The request in a serialized header map; what is cut off or inconsistent gives `None`.
pub(super) fn parse_request(bytes: &[u8]) -> Option<Request<'_>> {
    let (count, rest) = split_number(bytes)?;
    let (mut sizes, mut texts) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut headers = Vec::with_capacity(count);
    while !sizes.is_empty() {
        let (name_size, after_name) = split_number(sizes)?;
        let (value_size, after_value) = split_number(after_name)?;
        let (name, after_name) = split_text(texts, name_size)?;
        let (value, after_text) = split_text(after_name, value_size)?;
        headers.push((name, value));
        sizes = after_value;
        texts = after_text;
    }
    Some(Request::new(headers))
}

fn split_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

fn split_text(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(size)?;
    Some((text, rest.strip_prefix(b"\0")?))
}

/// Serializes headers. More than 4 GiB cannot occur: the texts are the filter's own.
pub(super) fn serialize(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

fn number(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_undoes_serializing() {
        let headers = [(":path", "/"), ("x", ""), ("x", "2")];
        let bytes = serialize(&headers);
        let request = parse_request(&bytes).unwrap();
        let parsed: Vec<_> = request.headers().collect();
        assert_eq!(parsed, headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        assert_eq!(parse_request(&serialize(&[])).unwrap().headers().count(), 0);
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let bytes = serialize(&[(":path", "/a"), ("x", "y")]);
        for length in 0..bytes.len() {
            assert!(parse_request(&bytes[..length]).is_none(), "{length}");
        }
        assert!(parse_request(&[0xff; 64]).is_none());
    }
}
