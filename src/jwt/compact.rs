//! The compact serialization (RFC 7515 section 7.1): three segments of canonical base64url.

use std::fmt;
use std::rc::Rc;

use super::claims::Claims;
use super::error::{FormError, Segment};
use super::header::Header;
use super::known_headers::{KnownHeader, KnownHeaders};
use super::token::{ReadHeader, UnverifiedToken};

/// The three segments of a token, decoded; a header that was known before is shared.
pub struct DecodedToken<'a> {
    signing_input: &'a [u8],
    header_segment: &'a [u8],
    header: DecodedHeader,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

enum DecodedHeader {
    Unread(Vec<u8>),
    Known(Rc<KnownHeader>),
}

impl<'a> DecodedToken<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    ///
    /// Longer than `max_bytes`, which is looked at first; not three segments; a segment that is empty or not
    /// canonical base64url without padding.
    pub fn decode(token: &'a [u8], max_bytes: usize) -> Result<Self, FormError> {
        Self::decode_knowing(token, max_bytes, &KnownHeaders::default())
    }

    /// The same, but a header that is `known` is not decoded, and will not be read, again.
    ///
    /// # Errors
    ///
    /// As for [`Self::decode`].
    #[inline(never)]
    pub fn decode_knowing(token: &'a [u8], max_bytes: usize, known: &KnownHeaders) -> Result<Self, FormError> {
        if token.len() > max_bytes {
            return Err(FormError::TooLong { max_bytes });
        }
        let segments = split(token)?;
        let header = match known.find(segments.header) {
            Some(known) => DecodedHeader::Known(known),
            None => DecodedHeader::Unread(decode_segment(segments.header, Segment::Header)?),
        };
        Ok(Self {
            signing_input: segments.signing_input,
            header_segment: segments.header,
            header,
            claims: decode_segment(segments.claims, Segment::Claims)?,
            signature: decode_segment(segments.signature, Segment::Signature)?,
        })
    }

    /// Reads the header and the claims.
    ///
    /// `wanted` names the top-level claims whose values [`Claims::find`] has to know: see [`super::wanted_claims`].
    ///
    /// # Errors
    ///
    /// The header or the claims are not strict JSON, or hold what the filter refuses whatever the configuration.
    #[inline(never)]
    pub fn parse<'d>(&'d self, wanted: &[String]) -> Result<UnverifiedToken<'d>, FormError> {
        let header = self.read_header()?;
        let payload_json = text(&self.claims, Segment::Claims)?;
        let claims = Claims::parse(payload_json, wanted)?;
        Ok(UnverifiedToken::new(self, header, claims, payload_json))
    }

    /// Reads the header alone, for a JWS whose payload need not be claims.
    ///
    /// # Errors
    ///
    /// The header is not strict JSON, or holds what the filter refuses whatever the configuration.
    pub fn parse_header(&self) -> Result<Header<'_>, FormError> {
        Header::parse(self.header_json()?)
    }

    fn read_header(&self) -> Result<ReadHeader<'_>, FormError> {
        match &self.header {
            DecodedHeader::Known(known) => Ok(ReadHeader::Before(&known.header)),
            DecodedHeader::Unread(json) => Header::parse(text(json, Segment::Header)?).map(ReadHeader::Now),
        }
    }

    /// Makes the header known, for tokens that begin with the same segment.
    ///
    /// It is for the caller to see that the token has been verified: others must not come among the `known` headers.
    pub fn make_header_known(&self, known: &KnownHeaders) {
        if let DecodedHeader::Unread(json) = &self.header
            && let Ok(header) = self.parse_header()
        {
            known.keep(self.header_segment, json, header);
        }
    }

    /// The header as sent: the decoded text.
    ///
    /// # Errors
    ///
    /// It is not UTF-8.
    pub fn header_json(&self) -> Result<&str, FormError> {
        match &self.header {
            DecodedHeader::Known(known) => text(&known.json, Segment::Header),
            DecodedHeader::Unread(json) => text(json, Segment::Header),
        }
    }

    /// The claims as sent: the decoded text, which nobody vouches for. For showing them to those who ask why a token was
    /// refused, so it is not there for the filter.
    ///
    /// # Errors
    ///
    /// It is not UTF-8.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn unverified_claims_json(&self) -> Result<&str, FormError> {
        text(&self.claims, Segment::Claims)
    }

    /// What was signed: the first two segments as sent, and the dot between them.
    #[must_use]
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }

    /// The signature, decoded. Never empty.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

// A token is a credential, so it is never printed.
impl fmt::Debug for DecodedToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DecodedToken").finish_non_exhaustive()
    }
}

struct Segments<'a> {
    signing_input: &'a [u8],
    header: &'a [u8],
    claims: &'a [u8],
    signature: &'a [u8],
}

fn split(token: &[u8]) -> Result<Segments<'_>, FormError> {
    let mut dots = memchr::memchr_iter(b'.', token);
    let (Some(first), Some(second)) = (dots.next(), dots.next()) else { return Err(FormError::SegmentCount) };
    match dots.take(3).count() {
        0 => {}
        2 => return Err(FormError::Encrypted),
        _ => return Err(FormError::SegmentCount),
    }
    let (signing_input, signature) = split_around(token, second).ok_or(FormError::SegmentCount)?;
    let (header, claims) = split_around(signing_input, first).ok_or(FormError::SegmentCount)?;
    Ok(Segments { signing_input, header, claims, signature })
}

fn split_around(text: &[u8], dot: usize) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(dot)?;
    Some((before, rest.get(1..)?))
}

fn decode_segment(encoded: &[u8], segment: Segment) -> Result<Vec<u8>, FormError> {
    if encoded.is_empty() {
        return Err(FormError::EmptySegment(segment));
    }
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(encoded).map_err(|_| FormError::NotBase64Url(segment))
}

fn text(bytes: &[u8], segment: Segment) -> Result<&str, FormError> {
    std::str::from_utf8(bytes).map_err(|_| FormError::NotUtf8(segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use crate::reason::Reason;

    const MAX: usize = 16_384;

    fn error(token: &[u8]) -> FormError {
        DecodedToken::decode(token, MAX).unwrap_err()
    }

    #[test]
    fn takes_three_segments_apart() {
        let decoded = DecodedToken::decode(b"e30.e30.__-_", MAX).unwrap();
        assert_eq!(decoded.signing_input(), b"e30.e30");
        assert_eq!((decoded.header_json(), decoded.claims.as_slice()), (Ok("{}"), &b"{}"[..]));
        assert_eq!(decoded.signature(), [0xff, 0xff, 0xbf]);
    }

    #[test]
    fn its_texts_are_shown_as_sent() {
        let decoded = DecodedToken::decode(b"eyJhbGciOiJ4In0.eyJhIjogMX0.AAAA", MAX).unwrap();
        assert_eq!(decoded.header_json(), Ok(r#"{"alg":"x"}"#));
        let broken = DecodedToken::decode(b"_w._w.AAAA", MAX).unwrap();
        assert_eq!(broken.header_json(), Err(FormError::NotUtf8(Segment::Header)));
        #[cfg(not(target_arch = "wasm32"))]
        {
            assert_eq!(decoded.unverified_claims_json(), Ok(r#"{"a": 1}"#));
            assert_eq!(broken.unverified_claims_json(), Err(FormError::NotUtf8(Segment::Claims)));
        }
    }

    #[test]
    fn the_length_is_looked_at_first() {
        let token = b"e30.e30.e30";
        assert!(DecodedToken::decode(token, token.len()).is_ok());
        let max_bytes = token.len() - 1;
        assert_eq!(DecodedToken::decode(token, max_bytes).unwrap_err(), FormError::TooLong { max_bytes });
        assert_eq!(error(&vec![b'.'; 60_000]).reason(), Reason::TokenTooLarge);
        assert_eq!(error(&vec![b'.'; MAX]), FormError::SegmentCount);
    }

    #[test]
    fn other_numbers_of_segments_are_refused() {
        for token in ["", "e30", "e30.e30", "e30.e30.e30.e30", "a.b.c.d.e.f", "a.b.c.d.e.f.g", ".", "....."] {
            assert_eq!(error(token.as_bytes()), FormError::SegmentCount, "{token:?}");
        }
        for token in ["e30.e30.e30.e30.e30", "....", "e30....e30", "a..b.c."] {
            assert_eq!(error(token.as_bytes()), FormError::Encrypted, "{token:?}");
        }
    }

    #[test]
    fn no_segment_may_be_empty() {
        assert_eq!(error(b".e30.e30"), FormError::EmptySegment(Segment::Header));
        assert_eq!(error(b"e30..e30"), FormError::EmptySegment(Segment::Claims));
        assert_eq!(error(b"e30.e30."), FormError::EmptySegment(Segment::Signature));
    }

    #[test]
    fn only_canonical_base64url_is_decoded() {
        // Padding, the other alphabet, white space and foreign bytes; 1 mod 4; trailing bits that are not zero.
        let bad: [&[u8]; 24] = [
            b"e30=",
            b"e3==",
            b"e30==",
            b"=e30",
            b"e3+0",
            b"e3/0",
            b"e30 ",
            b" e30",
            b"e3\n0",
            b"e30\r\n",
            b"e30\t",
            b"e3\x000",
            b"e30%",
            b"e3%3D",
            b"e30\"",
            b"e30,",
            b"e30\xff",
            b"e30\xc3\xa9",
            b"e30\xef\xbc\x8e",
            b"e",
            b"e30ee",
            b"e31",
            b"eh",
            b"e3x",
        ];
        for segment in bad {
            for position in 0..3 {
                let mut segments: [&[u8]; 3] = [b"e30"; 3];
                segments[position] = segment;
                let error = error(&segments.join(&b'.'));
                assert!(matches!(error, FormError::NotBase64Url(_)), "{segment:?} {position} {error}");
            }
        }
    }

    #[test]
    fn every_foreign_byte_is_refused() {
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte)) {
            assert!(DecodedToken::decode(&[b"e30.e30.AAA", &[byte][..]].concat(), MAX).is_err(), "{byte}");
            assert!(DecodedToken::decode(&[b"e30.AA", &[byte][..], b"A.AAAA"].concat(), MAX).is_err(), "{byte}");
        }
    }

    #[test]
    fn long_segments_are_read_as_strictly() {
        for length in [16, 24, 32, 48, 64, 87, 131] {
            let good = vec![b'A'; length];
            for position in 0..length {
                for byte in 0..=u8::MAX {
                    let mut segment = good.clone();
                    segment[position] = byte;
                    let decoded = decode_segment(&segment, Segment::Claims);
                    assert_eq!(decoded.ok(), URL_SAFE_NO_PAD.decode(&segment).ok(), "{byte} at {position} of {length}");
                }
            }
        }
    }

    #[test]
    fn trailing_bits_are_zero() {
        let accepted = |tail: &str| DecodedToken::decode(format!("e30.e30.{tail}").as_bytes(), MAX).is_ok();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let two = alphabet.chars().filter(|last| accepted(&format!("A{last}"))).collect::<String>();
        let three = alphabet.chars().filter(|last| accepted(&format!("AA{last}"))).collect::<String>();
        assert_eq!((two.as_str(), three.as_str()), ("AQgw", "AEIMQUYcgkosw048"));
    }
}
