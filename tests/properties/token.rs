//! No mutant of a good token is accepted unless it is that token, byte by byte, or its ECDSA twin.

use jwt_warden::decision::Decision;
use serde_json::json;

use super::authority::Authority;
use super::draw::Draw;
use super::good::{GOOD, is_same, twin};
use super::mutant::mutant;

thread_local! {
    static AUTHORITY: Authority = authority();
}

/// The raw bytes as a token, or a mutant of a good one.
pub fn check(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let (token, origin) = if draw.one_in(4) {
        (draw.rest().to_vec(), None)
    } else {
        let good = draw.pick(&GOOD.tokens);
        (mutant(&good, &mut draw), Some(good))
    };
    AUTHORITY.with(|authority| {
        let allowed = is_allowed(authority, &token);
        // Blanks behind the scheme belong to the header (RFC 9110 section 11.4).
        let sent = token.trim_ascii_start();
        assert!(!allowed || GOOD.knows(sent), "accepted: {} from {origin:?}", String::from_utf8_lossy(&token));
        assert_eq!(allowed, is_allowed(authority, &token), "remembered otherwise: {}", String::from_utf8_lossy(&token));
    });
}

/// What makes the property worth something: good tokens and their twins are accepted.
pub fn check_good_ones() {
    let authority = authority();
    for good in &GOOD.tokens {
        assert!(is_allowed(&authority, good.as_bytes()), "{good}");
        if let Some(twin) = twin(good) {
            assert!(is_same(good, twin.as_bytes()) && twin != *good);
            assert!(is_allowed(&authority, twin.as_bytes()), "{twin}");
        }
    }
}

fn authority() -> Authority {
    let algorithms = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384",
        "HS512",
    ];
    let provider = json!({
        "issuer": "https://issuer.test", "audiences": ["api"], "algorithms": algorithms,
        "local_jwks": {"inline_string": GOOD.jwks.to_string()},
    });
    let configuration = json!({"providers": {"acme": provider}, "token_cache": {"max_entries": 100}});
    Authority::of(configuration.to_string().as_bytes()).expect("a good configuration")
}

fn is_allowed(authority: &Authority, token: &[u8]) -> bool {
    let value = [b"Bearer ", token].concat();
    let decision = authority.decide(&[(":method", b"GET"), (":path", b"/"), ("authorization", &value)]);
    matches!(decision, Decision::Allow(_))
}
