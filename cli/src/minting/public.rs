//! The public half of a key set.

use jwt_warden::jwks::{KeyOrigin, KeySet};
use serde_json::{Map, Value, json};

/// What everybody may know of a key (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2). All else stays behind:
/// what a member of another name says is nobody's guess.
const PUBLIC_MEMBERS: [&str; 14] =
    ["kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256", "crv", "x", "y", "n", "e"];

/// The public halves of these keys, and a sentence about each key without one, and each that the filter would not use.
pub(crate) fn halves(keys: &[Value]) -> (Value, Vec<String>) {
    let mut sentences = Vec::new();
    let mut public = Vec::new();
    for (index, jwk) in keys.iter().enumerate() {
        match half(jwk) {
            Ok(jwk) => public.push(jwk),
            Err(sentence) => sentences.push(format!("key {index}{} {sentence}", named(jwk))),
        }
    }
    let set = json!({"keys": public});
    match KeySet::parse(set.to_string().as_bytes(), KeyOrigin::Remote, usize::MAX) {
        Ok(read) => sentences.extend(read.skipped().iter().map(|skipped| format!("the filter does not use {skipped}"))),
        Err(error) => sentences.push(format!("the filter does not read this set: {error}")),
    }
    (set, sentences)
}

fn half(jwk: &Value) -> Result<Value, &'static str> {
    let members = jwk.as_object().ok_or("is no JWK: left out")?;
    match members.get("kty").and_then(Value::as_str) {
        Some("RSA" | "EC" | "OKP") => {}
        Some("oct") => return Err("is a shared secret, which has no public half: left out"),
        _ => return Err("has a `kty` that is none of RSA, EC and OKP: left out"),
    }
    let kept = |(name, value): (&String, &Value)| match name.as_str() {
        // What the private half is for (RFC 7517 section 4.3).
        "key_ops" => Some((name.clone(), json!(["verify"]))),
        public if PUBLIC_MEMBERS.contains(&public) => Some((name.clone(), value.clone())),
        _ => None,
    };
    Ok(Value::Object(members.iter().filter_map(kept).collect::<Map<_, _>>()))
}

fn named(jwk: &Value) -> String {
    let kid = jwk.get("kid").and_then(Value::as_str);
    kid.map(|kid| format!(" (kid {kid:?})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_public_members_is_left() {
        let rsa = json!({"kty": "RSA", "n": "n", "e": "e", "d": "s", "p": "s", "q": "s", "dp": "s", "dq": "s", "qi": "s",
            "oth": ["s"], "kid": "r", "key_ops": ["sign"], "note": "s"});
        let (set, sentences) =
            halves(&[rsa, json!({"kty": "oct", "k": "s", "kid": "h"}), json!({"kty": "new", "s": "s"})]);
        assert_eq!(set, json!({"keys": [{"kty": "RSA", "n": "n", "e": "e", "kid": "r", "key_ops": ["verify"]}]}));
        assert!(sentences[0].contains("key 1 (kid \"h\") is a shared secret"), "{sentences:?}");
        assert!(sentences[1].contains("key 2 has a `kty`"), "{sentences:?}");
        assert!(sentences[2].contains("the filter does not use key 0"), "{sentences:?}");
    }
}
