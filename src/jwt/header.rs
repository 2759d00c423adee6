//! The JOSE header (RFC 7515 section 4), as far as a verifier heeds it.

use std::borrow::Cow;

use super::error::{FormError, Segment};
use super::json::{Keep, Member, read_object};
use crate::crypto::SignatureAlgorithm;

/// What the header says about how to verify the token. Embedded and referenced keys (`jwk`, `jku`, `x5c`, ...) are
/// not in it: they are never used (RFC 8725 section 3.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'d> {
    /// `alg`: what the token claims to be signed with.
    pub algorithm: SignatureAlgorithm,
    /// `kid`.
    pub key_id: Option<Cow<'d, str>>,
    /// `typ`.
    pub token_type: Option<Cow<'d, str>>,
}

impl<'d> Header<'d> {
    pub(super) fn parse(json: &'d str) -> Result<Self, FormError> {
        let mut members = Members::default();
        // What is no strict JSON to its end is refused as that, whatever else is wrong with it.
        let mut judged = Ok(());
        read_object(json, &keep, &mut |name, member, _| {
            if judged.is_ok() {
                judged = members.set(&name, member);
            }
        })
        .map_err(|error| FormError::NotStrictJson { segment: Segment::Header, detail: error.to_string() })?;
        judged?;
        let algorithm = members.algorithm.ok_or_else(|| FormError::algorithm_not_allowed(None))?;
        Ok(Self { algorithm, key_id: members.key_id, token_type: members.token_type })
    }

    /// The same, without what it was read from.
    pub(super) fn into_owned(self) -> Header<'static> {
        let owned = |text: Option<Cow<'d, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Header { algorithm: self.algorithm, key_id: owned(self.key_id), token_type: owned(self.token_type) }
    }

    /// Whether `typ` is one of the `accepted` media types, which are lower case and without an `application/` prefix;
    /// in the header both are free (RFC 7515 section 4.1.9). `false` where there is no `typ`.
    #[must_use]
    pub fn has_type(&self, accepted: &[String]) -> bool {
        self.token_type
            .as_deref()
            .map(without_application)
            .is_some_and(|token_type| accepted.iter().any(|accepted| accepted.eq_ignore_ascii_case(token_type)))
    }
}

#[derive(Default)]
struct Members<'d> {
    algorithm: Option<SignatureAlgorithm>,
    key_id: Option<Cow<'d, str>>,
    token_type: Option<Cow<'d, str>>,
}

fn keep(name: &str) -> Keep {
    match name {
        "alg" | "kid" | "typ" | "cty" | "b64" => Keep::Member,
        _ if unsupported(name).is_some() => Keep::Member,
        _ => Keep::Nothing,
    }
}

/// The member's name if its mere presence asks for what the filter does not do: extensions (RFC 7515 section 4.1.11),
/// compression and encryption (RFC 7516 section 4.1, RFC 7518 sections 4.6 to 4.8).
fn unsupported(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 10] = ["crit", "zip", "enc", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c"];
    NAMES.into_iter().find(|unsupported| *unsupported == name)
}

impl<'d> Members<'d> {
    fn set(&mut self, name: &str, member: Member<'d>) -> Result<(), FormError> {
        match name {
            "alg" => self.algorithm = Some(algorithm(&member)?),
            "kid" => self.key_id = Some(string("kid", member)?),
            "typ" => self.token_type = Some(string("typ", member)?),
            "cty" => refuse_nested(&string("cty", member)?)?,
            "b64" => refuse_unencoded(&member)?,
            _ => refuse_unsupported(name)?,
        }
        Ok(())
    }
}

fn algorithm(member: &Member<'_>) -> Result<SignatureAlgorithm, FormError> {
    let Member::Text(name) = member else {
        return Err(FormError::algorithm_not_allowed(None));
    };
    SignatureAlgorithm::from_name(name).ok_or_else(|| FormError::algorithm_not_allowed(Some(name)))
}

fn string<'d>(name: &'static str, member: Member<'d>) -> Result<Cow<'d, str>, FormError> {
    match member {
        Member::Text(text) => Ok(text),
        _ => Err(FormError::WrongValue { segment: Segment::Header, name, expected: "a string" }),
    }
}

/// A token within a token (RFC 7519 section 5.2) would be taken for claims that nobody verified.
fn refuse_nested(content_type: &str) -> Result<(), FormError> {
    if without_application(content_type).eq_ignore_ascii_case("jwt") {
        return Err(FormError::Unsupported { member: "cty" });
    }
    Ok(())
}

/// RFC 7797: with `false` the payload is not base64url, and the signing input is another one.
fn refuse_unencoded(member: &Member<'_>) -> Result<(), FormError> {
    match member {
        Member::Bool(true) => Ok(()),
        _ => Err(FormError::Unsupported { member: "b64" }),
    }
}

fn refuse_unsupported(name: &str) -> Result<(), FormError> {
    unsupported(name).map_or(Ok(()), |member| Err(FormError::Unsupported { member }))
}

fn without_application(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::reason::Reason;

    fn reason(json: &str) -> Result<(), Reason> {
        Header::parse(json).map(drop).map_err(|error| error.reason())
    }

    #[test]
    fn takes_what_it_heeds_and_ignores_the_rest() {
        let json = r#"{"typ":"JWT","kid":"a\u0062","alg":"ES256","jwk":{"kty":"EC"},"jku":1,"x5u":null,"x5c":[],
            "x5t":{},"x5t#S256":"","jwks":{},"b64":true,"cty":"json","Crit":1,"iss":"i"}"#;
        let header = Header::parse(json).unwrap();
        assert_eq!(header.algorithm, SignatureAlgorithm::Es256);
        assert_eq!(header.key_id.as_deref(), Some("ab"));
        assert!(matches!(header.token_type, Some(Cow::Borrowed("JWT"))));
    }

    #[test]
    fn members_that_ask_for_more_than_a_signature_are_refused_in_any_form() {
        let names = ["crit", "zip", "enc", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c", r"cr\u0069t"];
        for name in names {
            for value in ["null", "[]", r#"["exp"]"#, "{}", "1", "true", r#""DEF""#] {
                let json = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
                assert_eq!(reason(&json), Err(Reason::HeaderUnsupported), "{json}");
            }
        }
    }

    #[test]
    fn an_unencoded_payload_is_refused() {
        for value in ["false", "null", "0", r#""true""#, "[true]"] {
            let json = format!(r#"{{"alg":"ES256","b64":{value}}}"#);
            assert_eq!(reason(&json), Err(Reason::HeaderUnsupported), "{json}");
        }
    }

    #[test]
    fn a_nested_token_is_refused() {
        for value in ["JWT", "jwt", "application/jwt", "APPLICATION/Jwt"] {
            let json = format!(r#"{{"alg":"ES256","cty":"{value}"}}"#);
            assert_eq!(reason(&json), Err(Reason::HeaderUnsupported), "{json}");
        }
    }

    #[test]
    fn unknown_algorithms_are_refused() {
        let names = ["none", "None", "NONE", "nOnE", "", " RS256", "rs256", "RS256 ", "Rs256", "ES256K", "HS1", "dir"];
        let quoted = names.map(|name| format!("\"{name}\""));
        for value in quoted.iter().map(String::as_str).chain(["null", "1", "[]", r#"["RS256"]"#, "{}", "true"]) {
            assert_eq!(reason(&format!(r#"{{"alg":{value}}}"#)), Err(Reason::AlgorithmNotAllowed), "{value}");
        }
        assert_eq!(reason("{}"), Err(Reason::AlgorithmNotAllowed));
        assert_eq!(reason(r#"{"Alg":"RS256"}"#), Err(Reason::AlgorithmNotAllowed));
    }

    #[test]
    fn members_of_the_wrong_type_are_refused() {
        for name in ["kid", "typ", "cty"] {
            for value in ["null", "1", "[]", r#"["JWT"]"#, "{}", "true"] {
                let json = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
                assert_eq!(reason(&json), Err(Reason::HeaderMalformed), "{json}");
            }
        }
    }

    #[test]
    fn the_first_fault_is_told_unless_the_text_is_no_json_to_its_end() {
        for (json, expected) in [
            (r#"{"crit":["x"],"alg":"ES256"}"#, Reason::HeaderUnsupported),
            (r#"{"kid":1,"crit":["x"],"alg":"ES256"}"#, Reason::HeaderMalformed),
            (r#"{"alg":"none","kid":"k","typ":"JWT"}"#, Reason::AlgorithmNotAllowed),
            (r#"{"alg":"none","kid":}"#, Reason::HeaderMalformed),
            (r#"{"alg":"none","kid":"k"}}"#, Reason::HeaderMalformed),
        ] {
            assert_eq!(reason(json), Err(expected), "{json}");
        }
    }

    #[test]
    fn a_name_twice_is_refused() {
        for twins in [r#""alg":"none""#, r#""\u0061lg":"ES256""#, r#""kid":1,"kid":2"#, r#""x":1,"\u0078":1"#] {
            let json = format!(r#"{{"alg":"ES256",{twins}}}"#);
            assert_eq!(reason(&json), Err(Reason::HeaderMalformed), "{json}");
        }
    }

    #[test]
    fn types_are_compared_without_case_and_prefix() {
        let accepted = ["jwt".to_owned(), "at+jwt".to_owned()];
        for (token_type, expected) in [
            ("JWT", true),
            ("application/JWT", true),
            ("Application/AT+jwt", true),
            ("jwt", true),
            ("", false),
            ("application/", false),
            ("application/application/jwt", false),
            ("dpop+jwt", false),
            ("JWT ", false),
            ("text/jwt", false),
            ("applicationé/jwt", false),
        ] {
            let json = format!(r#"{{"alg":"ES256","typ":"{token_type}"}}"#);
            assert_eq!(Header::parse(&json).unwrap().has_type(&accepted), expected, "{token_type}");
        }
        assert!(!Header::parse(r#"{"alg":"ES256"}"#).unwrap().has_type(&accepted));
    }
}
