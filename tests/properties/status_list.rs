//! A status list says of every token what its issuer wrote, and never takes more room than it may.

use jwt_warden::decision::Decision;
use jwt_warden::revocation::StatusList;
use jwt_warden::time::Timestamp;
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};

use super::authority::Authority;
use super::draw::Draw;
use super::mint::{EcKey, NOW, base64url, jwks};

const URI: &str = "https://issuer.test/statuslists/1";
const MAX_UNPACKED: usize = 4096;

thread_local! {
    static AUTHORITY: Authority = authority();
}

/// The raw bytes as a response, as a packed list, or as a list that is packed well.
pub fn check(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    match draw.below(4) {
        0 => assert!(read(draw.rest()).is_none()),
        1 => check_packed(&mut draw),
        2 => check_bomb(&mut draw),
        _ => check_list(&mut draw),
    }
}

fn check_packed(draw: &mut Draw<'_>) {
    let bits = draw.pick(&[1, 2, 4, 8, 0, 3, 16]);
    let claims = claims(bits, &base64url(draw.rest()));
    if let Some(list) = read(signed(&claims).as_bytes()) {
        assert!([1, 2, 4, 8].contains(&bits));
        assert!(list.len() <= MAX_UNPACKED * 8 / usize::try_from(bits).unwrap());
        assert_eq!(list.status(u64::MAX), None);
    }
}

/// A small text that unpacks to a thousand times as much.
fn check_bomb(draw: &mut Draw<'_>) {
    let length = MAX_UNPACKED - 2 + draw.below(5) + 1000 * draw.below(1000);
    let packed = compress_to_vec_zlib(&vec![draw.byte(); length], 9);
    let list = read(signed(&claims(8, &base64url(packed))).as_bytes());
    assert_eq!(list.map(|list| list.len()), (length <= MAX_UNPACKED).then_some(length));
}

fn check_list(draw: &mut Draw<'_>) {
    let bits = draw.pick(&[1, 2, 4, 8]);
    let (subject, expiration) = (draw.pick(&[URI, URI, "https://other.test/1"]), draw.pick(&[NOW + 1, NOW]));
    let forged = draw.one_in(4);
    let octets = draw.rest();
    let octets = &octets[..octets.len().min(MAX_UNPACKED)];
    let mut claims = claims(bits, &base64url(compress_to_vec_zlib(octets, 6)));
    claims["sub"] = json!(subject);
    claims["exp"] = json!(expiration);
    let token = if forged { EcKey::new("a", 2).sign(&header(), &claims) } else { signed(&claims) };
    let good = !forged && subject == URI && expiration > NOW;
    let list = read(token.as_bytes());
    assert_eq!(list.is_some(), good);
    let Some(list) = list else { return };
    let per_octet = usize::try_from(8 / bits).unwrap();
    assert_eq!(list.len(), octets.len() * per_octet);
    for index in 0..list.len() {
        let octet = u64::from(octets[index / per_octet]);
        let place = u64::try_from(index % per_octet).unwrap();
        let expected = (octet >> (place * bits)) % (1 << bits);
        let index = u64::try_from(index).unwrap();
        assert_eq!(list.status(index).map(u64::from), Some(expected), "{index} of {bits} bits");
    }
    assert_eq!(list.status(u64::try_from(list.len()).unwrap()), None);
}

fn read(token: &[u8]) -> Option<StatusList> {
    let now = Timestamp::from_secs(NOW);
    let token = AUTHORITY.with(|authority| authority.status_list(token, 1 << 20)).ok()?;
    StatusList::of(&token, URI, MAX_UNPACKED, now).ok()
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "a", "typ": "statuslist+jwt"})
}

fn claims(bits: u64, packed: &str) -> Value {
    json!({"sub": URI, "iat": NOW, "exp": NOW + 60, "ttl": 30, "status_list": {"bits": bits, "lst": packed}})
}

fn signed(claims: &Value) -> String {
    EcKey::new("a", 1).sign(&header(), claims)
}

fn authority() -> Authority {
    let provider = json!({
        "issuer": "https://issuer.test", "audiences": ["api"],
        "local_jwks": {"inline_string": jwks(&[EcKey::new("a", 1).jwk()])},
    });
    let authority = Authority::of(json!({"providers": {"acme": provider}}).to_string().as_bytes()).unwrap();
    let without_token = authority.decide(&[(":method", b"GET"), (":path", b"/")]);
    assert!(matches!(without_token, Decision::Deny(_)));
    authority
}
