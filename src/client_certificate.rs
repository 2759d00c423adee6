//! The client's certificate as a proxy in front tells of it: `x-forwarded-client-cert`, in Envoy's form.

/// The header.
pub(crate) const NAME: &str = "x-forwarded-client-cert";

/// The SHA-256 digest in the one value of the header. Only one element may be there: nothing says which proxy has added
/// which of several.
///
/// # Errors
///
/// Why there is none, for the proxy's log.
pub(crate) fn digest(value: &[u8]) -> Result<[u8; 32], &'static str> {
    let mut rest = value;
    let mut digest = None;
    loop {
        let (key, content, behind) = pair(rest).ok_or("x-forwarded-client-cert is not understood")?;
        if key.eq_ignore_ascii_case(b"hash") {
            if digest.is_some() {
                return Err("x-forwarded-client-cert has more than one Hash");
            }
            digest = Some(octets(content).ok_or("x-forwarded-client-cert: Hash is not a SHA-256 digest")?);
        }
        match behind.split_first() {
            None => return digest.ok_or("x-forwarded-client-cert has no Hash"),
            Some((b';', further)) => rest = further,
            Some(_) => return Err("x-forwarded-client-cert has more than one element"),
        }
    }
}

/// The first `key=value`, and what stands behind it: nothing, or what begins with a separator.
fn pair(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key, value) = text.split_at_checked(text.iter().position(|byte| *byte == b'=')?)?;
    let value = value.strip_prefix(b"=")?;
    let (content, behind) = if let Some(quoted) = value.strip_prefix(b"\"") {
        let (content, end) = quoted.split_at_checked(closing_quote(quoted)?)?;
        (content, end.strip_prefix(b"\"")?)
    } else {
        let end = value.iter().position(|byte| matches!(byte, b';' | b',')).unwrap_or(value.len());
        value.split_at_checked(end).filter(|(content, _)| !content.contains(&b'"'))?
    };
    let is_key = !key.is_empty() && key.iter().all(u8::is_ascii_alphabetic);
    (is_key && matches!(behind.first(), None | Some(b';' | b','))).then_some((key, content, behind))
}

/// Where the quoted text ends; what stands behind a backslash ends nothing.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    text.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    })
}

/// 32 octets in hexadecimal digits.
fn octets(text: &[u8]) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
    let mut octets = [0; 32];
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        *octet = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(octets)
}

fn nibble(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcd0f";

    fn read(value: &str) -> Result<u8, &'static str> {
        digest(value.replace('#', HASH).as_bytes()).map(|digest| digest[31])
    }

    #[test]
    fn the_hash_of_the_only_element_counts() {
        for value in [
            "Hash=#",
            "hash=#",
            "Hash=\"#\"",
            "By=spiffe://a/b;Hash=#;Subject=\"CN=a,O=\\\"b\\\";Hash=0\";URI=;DNS=a;DNS=b",
            "URI=https://a/?b=c;Hash=#",
            "Subject=\"\";Hash=#",
            "Subject=\"\\\\\";Hash=#",
        ] {
            assert_eq!(read(value), Ok(15), "{value}");
        }
    }

    #[test]
    fn what_is_odd_is_refused() {
        for value in [
            "",
            ";",
            "=",
            "Hash",
            "=#",
            " Hash=#",
            "Hash =#",
            "Hash=#;",
            ";Hash=#",
            "Hash=#;;By=a",
            "Hash=#;By",
            "#",
            "Hash=\"#",
            "Hash=\"#\"x",
            "By=\"a\\\";Hash=#",
            "By=a\"b;Hash=#",
            "By=a;Hash=#\"",
            "H-x=1;Hash=#",
            "Hash=#;x",
        ] {
            assert_eq!(read(value), Err("x-forwarded-client-cert is not understood"), "{value}");
        }
        for value in ["By=a", "By=\"Hash=#\"", "Hashes=#", "Cert=\";Hash=#\""] {
            assert_eq!(read(value), Err("x-forwarded-client-cert has no Hash"), "{value}");
        }
        for value in ["Hash=#;Hash=#", "Hash=#;URI=spiffe://a;hash=#", "Hash=#;Hash="] {
            assert_eq!(read(value), Err("x-forwarded-client-cert has more than one Hash"), "{value}");
        }
        for value in ["Hash=#,Hash=#", "By=a,Hash=#", "Hash=#,", "Hash=#, By=a", "URI=a,b;Hash=#"] {
            assert_eq!(read(value), Err("x-forwarded-client-cert has more than one element"), "{value}");
        }
        let cut = HASH.strip_prefix('0').unwrap();
        for hash in ["", "0", cut, &format!("{HASH}0"), &format!("+{cut}"), &format!("g{cut}"), &format!(" {HASH}")] {
            let answer = digest(format!("Hash={hash}").as_bytes());
            assert_eq!(answer, Err("x-forwarded-client-cert: Hash is not a SHA-256 digest"), "{hash}");
        }
    }
}
