//! What an attacker makes of a good token without its key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{Algorithm as _, AlgorithmSignature as _};
use serde_json::{Value, json};

use super::draw::Draw;
use super::good::{GOOD, order, plus, twin};
use super::mint::{NOW, base64url};

const NAMES: [&str; 18] = [
    "none", "NONE", "", "HS256", "HS512", "RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519", "ES256K", "rs256", "dir", "A128KW",
];
const MEMBERS: [&str; 14] =
    ["alg", "kid", "typ", "jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "enc", "cty", "exp", "\u{0}alg"];
const CLAIMS: [&str; 8] = ["iss", "aud", "sub", "exp", "nbf", "iat", "scope", "cnf"];

/// A token after one to three changes; at times none of them changes anything.
pub fn mutant(good: &str, draw: &mut Draw<'_>) -> Vec<u8> {
    let mut token = good.as_bytes().to_vec();
    for _ in 0..=draw.below(3) {
        token = changed(token, draw);
    }
    token
}

fn changed(token: Vec<u8>, draw: &mut Draw<'_>) -> Vec<u8> {
    if draw.one_in(3) {
        return bytes_changed(token, draw);
    }
    let segments: Vec<String> =
        token.split(|byte| *byte == b'.').map(|segment| String::from_utf8_lossy(segment).into_owned()).collect();
    let Ok([header, claims, signature]) = <[String; 3]>::try_from(segments) else { return bytes_changed(token, draw) };
    let text = format!("{header}.{claims}");
    match draw.below(8) {
        0 => format!("{}.{claims}.{signature}", edited(&header, &MEMBERS, draw)),
        1 => format!("{header}.{}.{signature}", edited(&claims, &CLAIMS, draw)),
        2 => format!("{text}.{}", other_signature(&header, &signature, draw)),
        3 => spliced([&header, &claims, &signature], draw),
        4 => spelled([&header, &claims, &signature], draw),
        5 => forged_by_secret(&claims, draw),
        6 => twin(&format!("{text}.{signature}")).unwrap_or_default(),
        _ => {
            format!("{}.{claims}.{}", base64url(json!({"alg": draw.pick(&NAMES)}).to_string()), draw.pick(&["", "AA"]))
        }
    }
    .into_bytes()
}

fn bytes_changed(mut token: Vec<u8>, draw: &mut Draw<'_>) -> Vec<u8> {
    let position = draw.below(65_536) % token.len().max(1);
    let end = (position + draw.below(40)).min(token.len());
    match draw.below(6) {
        _ if token.is_empty() => token.push(draw.byte()),
        0 => token[position] ^= 1 << draw.below(8),
        1 => token[position] = draw.byte(),
        2 => token.insert(position, draw.byte()),
        3 => drop(token.drain(position..end)),
        4 => token.extend_from_within(position..end),
        _ => token.truncate(position),
    }
    token
}

/// The JSON of a segment with one member changed, and now and then with a twin that readers may take instead.
fn edited(segment: &str, names: &[&str], draw: &mut Draw<'_>) -> String {
    let Some(mut object) = URL_SAFE_NO_PAD.decode(segment).ok().and_then(|json| serde_json::from_slice(&json).ok())
    else {
        return String::new();
    };
    let name = draw.pick(names);
    let value = value(draw);
    if draw.one_in(4) {
        let text = Value::to_string(&object);
        return base64url(format!("{},\"{name}\":{value}}}", text.strip_suffix('}').unwrap_or(&text)));
    }
    match &mut object {
        Value::Object(members) if draw.one_in(4) => drop(members.remove(name)),
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        _ => {}
    }
    base64url(object.to_string())
}

fn value(draw: &mut Draw<'_>) -> Value {
    match draw.below(8) {
        0 => json!(draw.pick(&NAMES)),
        1 => json!(draw.pick(&["rsa", "ec256", "ec384", "ec512", "ed", "oct", "other"])),
        2 => json!(NOW + 1_000_000),
        3 => GOOD.jwks["keys"][draw.below(6)].clone(),
        4 => json!([]),
        5 => json!(false),
        6 => json!(["mallory", "api"]),
        _ => Value::Null,
    }
}

fn other_signature(header: &str, signature: &str, draw: &mut Draw<'_>) -> String {
    let Ok(mut octets) = URL_SAFE_NO_PAD.decode(signature) else { return String::new() };
    let half = octets.len() / 2;
    match draw.below(8) {
        0 => octets.fill(0),
        1 => octets.fill(255),
        2 => octets.push(0),
        3 => octets.insert(0, 0),
        4 => octets.rotate_left(half),
        5 => octets[..half].fill(0),
        6 => octets = beyond_the_order(header, octets, draw),
        _ => octets.truncate(draw.below(octets.len() + 1)),
    }
    base64url(octets)
}

/// ECDSA with the order added to `r` or `s`: the same number to who reduces it.
fn beyond_the_order(header: &str, mut octets: Vec<u8>, draw: &mut Draw<'_>) -> Vec<u8> {
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    let Some(order) = header["alg"].as_str().and_then(order) else { return octets };
    if octets.len() == 2 * order.len() {
        let range = if draw.one_in(2) { 0..order.len() } else { order.len()..2 * order.len() };
        if let Some(sum) = plus(&octets[range.clone()], &order) {
            octets[range].copy_from_slice(&sum);
        }
    }
    octets
}

fn spliced(segments: [&str; 3], draw: &mut Draw<'_>) -> String {
    let other = draw.pick(&GOOD.tokens);
    let other: Vec<&str> = other.split('.').collect();
    let choose = |at: usize, draw: &mut Draw<'_>| if draw.one_in(2) { other[at] } else { segments[at] }.to_owned();
    let mut chosen = vec![choose(0, draw), choose(1, draw), choose(2, draw)];
    match draw.below(6) {
        0 => chosen.swap(0, 1),
        1 => chosen.push(other[2].to_owned()),
        2 => drop(chosen.pop()),
        3 => chosen.insert(1, other[1].to_owned()),
        _ => {}
    }
    chosen.join(".")
}

/// The same octets in other letters.
fn spelled(segments: [&str; 3], draw: &mut Draw<'_>) -> String {
    let mut segments = segments.map(str::to_owned);
    let segment = &mut segments[draw.below(3)];
    let position = draw.below(65_536) % (segment.len() + 1);
    match draw.below(6) {
        0 => segment.push('='),
        1 => *segment = STANDARD.encode(URL_SAFE_NO_PAD.decode(segment.as_bytes()).unwrap_or_default()),
        2 if segment.is_char_boundary(position) => segment.insert(position, draw.pick(&['\n', ' ', '\t', '.', '\0'])),
        3 => *segment = segment.replace('-', "+").replace('_', "/"),
        // Other trailing bits.
        4 => {
            let last = segment.pop().unwrap_or('A');
            segment.push(char::from_u32(u32::from(last) + 1).unwrap_or('B'));
        }
        _ => *segment = format!("{segment}{segment}"),
    }
    segments.join(".")
}

/// HMAC with what everybody knows: the algorithm confusion of RFC 8725 section 2.1.
fn forged_by_secret(claims: &str, draw: &mut Draw<'_>) -> String {
    let key = &GOOD.jwks["keys"][draw.below(5)];
    let text = key[draw.pick(&["n", "x", "y", "kid"])].as_str().unwrap_or_default();
    let secret = match draw.below(4) {
        0 => text.as_bytes().to_vec(),
        1 => key.to_string().into_bytes(),
        2 => Vec::new(),
        _ => URL_SAFE_NO_PAD.decode(text).unwrap_or_default(),
    };
    let header = match draw.below(3) {
        0 => json!({"alg": "HS256"}),
        1 => json!({"alg": "HS256", "kid": key["kid"]}),
        _ => json!({"alg": "HS256", "kid": "oct"}),
    };
    let text = format!("{}.{claims}", base64url(header.to_string()));
    let signature = Hs256.sign(&Hs256Key::new(secret), text.as_bytes());
    format!("{text}.{}", base64url(signature.as_bytes()))
}
