//! The line that a finding is about, without what may be a secret.

/// Longer lines are not shown: nobody reads them.
const MAX_CHARACTERS: usize = 160;

/// Shared secrets have 256 bits at least: 43 characters in base64url.
const OPAQUE: usize = 24;

/// Lines that hold keys.
const SECRETIVE: [&str; 9] = ["inline", "\"keys\"", "\"k\"", "'k'", "k:", "oct", "secret", "password", "key_values"];

/// The line, with what looks like a secret masked; `None` if it is better not shown.
pub(super) fn shown(line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let is_secretive = SECRETIVE.iter().any(|word| lower.contains(word));
    let is_secretive = is_secretive && !lower.trim_end().ends_with(':');
    if line.trim().is_empty() || line.chars().count() > MAX_CHARACTERS || is_secretive {
        return None;
    }
    Some(masked(line))
}

fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut word = String::new();
    for character in line.chars() {
        if character.is_ascii_alphanumeric() || "-_+=".contains(character) {
            word.push(character);
            continue;
        }
        push(&mut masked, &mut word);
        masked.push(if character == '\t' { ' ' } else { character });
    }
    push(&mut masked, &mut word);
    masked
}

/// Names are long too, but have no digits beside capitals.
fn push(masked: &mut String, word: &mut String) {
    let is_opaque = word.chars().count() >= OPAQUE
        && word.chars().any(|character| character.is_ascii_digit() || character.is_ascii_uppercase());
    if is_opaque {
        masked.extend(word.chars().map(|_| '*'));
    } else {
        masked.push_str(word);
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for text in [
            "inline_string: abc",
            "\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]",
            "  k: c2VjcmV0",
            "x: {k: 'c2VjcmV0'}",
            &"x".repeat(161),
            "",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(shown("x: AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ").unwrap(), format!("x: {}", "*".repeat(34)));
        assert_eq!(shown("\tforward_payload_header: x").unwrap(), " forward_payload_header: x");
        assert_eq!(shown("remote_jwks: {cluster: acme}").unwrap(), "remote_jwks: {cluster: acme}");
    }
}
