//! Comparison of long texts, which may take variable time.

/// Whether both are equal. In blocks, since the comparison that WebAssembly's runtime library has goes byte by byte.
pub(crate) fn equal(one: &[u8], other: &[u8]) -> bool {
    let (blocks, rest) = one.as_chunks::<16>();
    let (other_blocks, other_rest) = other.as_chunks::<16>();
    blocks.len() == other_blocks.len()
        && blocks.iter().zip(other_blocks).all(|(one, other)| u128::from_ne_bytes(*one) == u128::from_ne_bytes(*other))
        && rest == other_rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        let text: Vec<u8> = (0..100).collect();
        for length in 0..text.len() {
            let one = &text[..length];
            assert!(equal(one, one) && !equal(one, &text[..=length]) && !equal(&text[..=length], one));
            for position in 0..length {
                let mut other = one.to_vec();
                other[position] ^= 0x80;
                assert!(!equal(one, &other), "{position} of {length}");
            }
        }
    }
}
