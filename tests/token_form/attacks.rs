//! Attack recipes that the form alone gives away.

use jwt_warden::jwt::FormError;
use jwt_warden::reason::Reason::{
    AlgorithmNotAllowed, ClaimsMalformed, HeaderMalformed, HeaderUnsupported, TokenMalformed, TokenTooLarge,
};

use crate::support::{CLAIMS, HEADER, MAX_BYTES, SIGNATURE, assert_refused, check, check_bounded, encode, token};

/// Outcomes for `exp`, `nbf` and `iat` alike.
const GOOD_DATES: [&str; 9] = ["0", "-0", "1", "2000000000", "2e9", "2000000000.5", "20E+8", "253402300799", "1e-7"];
const BAD_DATES: [&str; 25] = [
    "null",
    "true",
    "\"2000000000\"",
    "\"\"",
    "[]",
    "[2000000000]",
    "{}",
    "-1",
    "-2000000000",
    "-0.1",
    "1e400",
    "-1e400",
    "1e300",
    "253402300800",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "99999999999999999999",
    "0x77359400",
    "02000000000",
    "+2000000000",
    "2_000_000_000",
    "NaN",
    "Infinity",
    "2000000000.",
];

#[test]
fn a_unsigned_or_of_unknown_algorithm() {
    for algorithm in ["none", "None", "NONE", "nOnE", "NoNe", "nONE", "noNE", "none "] {
        let header = format!("{{\"alg\":\"{algorithm}\"}}");
        assert_refused(format!("{}.{}.", encode(&header), encode(CLAIMS)), TokenMalformed);
        assert_refused(format!("{}.{}", encode(&header), encode(CLAIMS)), TokenMalformed);
        assert_refused(token(&header, CLAIMS), AlgorithmNotAllowed);
    }
    for value in
        ["\"\"", "null", "256", "[\"RS256\"]", "{\"RS256\":1}", "true", "\"rs256\"", "\"RS256\\u0000\"", "\"HS2\""]
    {
        assert_refused(token(format!("{{\"alg\":{value}}}"), CLAIMS), AlgorithmNotAllowed);
    }
    assert_refused(token("{\"typ\":\"JWT\"}", CLAIMS), AlgorithmNotAllowed);
}

#[test]
fn f01_f02_segments() {
    let part = encode(CLAIMS);
    for count in [0, 1, 2, 4, 5, 6, 7] {
        assert_refused(vec![part.as_str(); count].join("."), TokenMalformed);
    }
    for position in 0..3 {
        let mut parts = [encode(HEADER), part.clone(), encode(SIGNATURE)];
        parts[position].clear();
        assert_refused(parts.join("."), TokenMalformed);
    }
    assert_eq!(check_bounded(".".repeat(60_000), MAX_BYTES).unwrap_err().reason(), TokenTooLarge);
    assert_refused(".".repeat(60_000), TokenMalformed);
    assert_refused(format!("{}{}", token(HEADER, CLAIMS), ".".repeat(60_000)), TokenMalformed);
}

#[test]
fn f03_to_f08_base64url() {
    let parts = [encode(HEADER), encode(CLAIMS), encode(SIGNATURE)];
    let mut cases = 0;
    for position in 0..3 {
        let original = &parts[position];
        let (start, end) = original.split_at(original.len() / 2);
        let mut forged = ["=", "==", "AAAAA="].map(|tail| format!("{original}{tail}")).to_vec();
        forged.extend(
            [" ", "\t", "\r\n", "\0", "+", "/", "=", "%2B", ",", "\"", "é", "\u{200b}"]
                .map(|foreign| format!("{start}{foreign}{end}")),
        );
        for part in forged {
            let mut parts = parts.clone();
            parts[position] = part;
            assert_refused(parts.join("."), TokenMalformed);
            cases += 1;
        }
    }
    println!("foreign characters and padding: {cases} cases");
}

#[test]
fn f06_f07_trailing_bits() {
    for (position, bytes) in [&b"{\"alg\":\"RS256\"}"[..], b"{\"sub\":\"abc\"} ", b"0123456789"].iter().enumerate() {
        let mut parts = [encode(HEADER), encode(CLAIMS), encode(SIGNATURE)];
        let bytes = if bytes.len() % 3 == 0 { [bytes, &b" "[..]].concat() } else { bytes.to_vec() };
        parts[position] = encode(bytes);
        assert!(check(parts.join(".")).is_ok());
        let last = parts[position].pop().unwrap();
        parts[position].push(char::from(last as u8 + 1));
        assert_refused(parts.join("."), TokenMalformed);
    }
}

#[test]
fn f09_to_f11_around_a_token() {
    let good = token(HEADER, CLAIMS);
    assert!(check(&good).is_ok());
    for suffix in [" ", "\n", "\r\n", ".", ",", ";", "=", "\0", "%20", "#a", "&a=b", ".AAAA", " x", "\"", "~"] {
        assert_refused(format!("{good}{suffix}"), TokenMalformed);
    }
    for prefix in ["Bearer ", " ", "\"", "bearer", ".", "=", "\u{feff}", "\t", "Bearer%20"] {
        let forged = format!("{prefix}{good}");
        assert!(check(&forged).is_err(), "{forged}");
    }
    for dot in ["%2E", "%2e", "\u{ff0e}", "\u{2024}", "\u{3002}"] {
        assert_refused(good.replace('.', dot), TokenMalformed);
    }
}

#[test]
fn f12_to_f14_other_serializations() {
    let (protected, payload, signature) = (encode(HEADER), encode(CLAIMS), encode(SIGNATURE));
    let flat = format!(r#"{{"protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#);
    let general =
        format!(r#"{{"payload":"{payload}","signatures":[{{"protected":"{protected}","signature":"{signature}"}}]}}"#);
    let polyglot = format!(r#"{{"{protected}.{payload}.":"","payload":"{payload}","signature":"{signature}"}}"#);
    for forged in [flat, general, polyglot] {
        assert_refused(forged, TokenMalformed);
    }
    let encrypted = format!("{}.a.b.c.d", encode(r#"{"alg":"dir","enc":"A256GCM"}"#));
    assert_eq!(check(encrypted).unwrap_err(), FormError::Encrypted);
    let around = format!("{}..{}..", encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#), encode("x.y."));
    assert_eq!(check(around).unwrap_err(), FormError::Encrypted);
}

#[test]
fn f15_claims_that_are_not_an_object_in_utf8() {
    let utf16: Vec<u8> = CLAIMS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let texts: [&[u8]; 20] = [
        b" ",
        b"null",
        b"true",
        b"1",
        b"\"{}\"",
        b"[]",
        b"[{}]",
        b"{",
        b"{\"a\":1}}",
        b"{\"a\":1}{}",
        b"{}\0",
        b"{'a':1}",
        b"{\"a\":1,}",
        b"{/**/}",
        b"{}//",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xff\"}",
        b"{\"\xed\xa0\x80\":1}",
        b"{\"a\":NaN}",
        b"{\"a\":\"\n\"}",
    ];
    for text in texts.into_iter().chain([utf16.as_slice()]) {
        assert_refused(token(HEADER, text), ClaimsMalformed);
        assert_refused(token(text, CLAIMS), HeaderMalformed);
    }
}

#[test]
fn f16_long_tokens() {
    for (kibibytes, expected) in [(8, true), (15, true), (64, false), (256, false)] {
        let claims = format!("{{\"a\":\"{}\"}}", "x".repeat(kibibytes * 1024 * 3 / 4 - 400));
        let verdict = check_bounded(token(HEADER, claims), MAX_BYTES);
        assert_eq!(verdict.is_ok(), expected, "{kibibytes} KiB: {verdict:?}");
    }
}

#[test]
fn header_members() {
    for member in [
        "\"crit\":[\"exp\"]",
        "\"crit\":[]",
        "\"b64\":false",
        "\"zip\":\"DEF\"",
        "\"cty\":\"JWT\"",
        "\"p2c\":1000000000",
    ] {
        assert_refused(token(format!("{{\"alg\":\"RS256\",{member}}}"), CLAIMS), HeaderUnsupported);
    }
    for member in
        ["\"alg\":\"RS256\"", "\"\\u0061lg\":\"none\"", "\"kid\":null", "\"kid\":[]", "\"typ\":1", "\"x\":1,\"x\":1"]
    {
        assert_refused(token(format!("{{\"alg\":\"RS256\",{member}}}"), CLAIMS), HeaderMalformed);
    }
    for member in
        ["\"jku\":\"https://evil.example\"", "\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}", "\"x5c\":[]", "\"x5u\":1"]
    {
        assert_eq!(check(token(format!("{{\"alg\":\"RS256\",{member}}}"), CLAIMS)), Ok(()));
    }
}

#[test]
fn h_dates() {
    for name in ["exp", "nbf", "iat"] {
        for value in GOOD_DATES {
            assert_eq!(check(token(HEADER, format!("{{\"{name}\":{value}}}"))), Ok(()), "{name} {value}");
        }
        for value in BAD_DATES {
            assert_refused(token(HEADER, format!("{{\"{name}\":{value}}}")), ClaimsMalformed);
        }
    }
    for twins in
        ["\"exp\":1,\"exp\":1", "\"exp\":1,\"\\u0065xp\":2000000000", "\"e\\u0078p\":1,\"\\u0065\\u0078\\u0070\":1"]
    {
        assert_refused(token(HEADER, format!("{{{twins}}}")), ClaimsMalformed);
    }
    assert_eq!(check(token(HEADER, "{\"Exp\":null,\"EXP\":\"\",\"exp\":1}")), Ok(()));
}

#[test]
fn i_claims_of_the_wrong_type() {
    for name in ["iss", "sub", "jti", "azp", "client_id"] {
        for value in ["null", "1", "true", "[]", "[\"s\"]", "{}"] {
            assert_refused(token(HEADER, format!("{{\"{name}\":{value}}}")), ClaimsMalformed);
        }
    }
    for claims in [
        "{\"sub\":\"\"}",
        "{\"aud\":null}",
        "{\"aud\":[\"a\",1]}",
        "{\"aud\":{}}",
        "{\"cnf\":[]}",
        "{\"iss\":\"a\",\"iss\":\"a\"}",
    ] {
        assert_refused(token(HEADER, claims), ClaimsMalformed);
    }
    for claims in ["{\"aud\":[]}", "{\"aud\":\"\"}", "{\"__proto__\":{}}", "{\"scope\":1}", "{\"sub\":\"\\u0000\"}"] {
        assert_eq!(check(token(HEADER, claims)), Ok(()), "{claims}");
    }
}
