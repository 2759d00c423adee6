//! The claims (RFC 7519 section 4), typed.

use std::borrow::Cow;

use serde_json::Value;

use super::audience::Audience;
use super::confirmation::Confirmation;
use super::error::{FormError, Segment};
use super::json::{Keep, Member, read_object};
use super::numeric_date::{Rounding, timestamp};
use super::scope::Scope;
use crate::time::Timestamp;

/// The claims that the filter judges, and the values of those that the configuration names.
#[derive(Clone, PartialEq, Default)]
pub struct Claims<'d> {
    /// `iss`.
    pub issuer: Option<Cow<'d, str>>,
    /// `sub`. Never empty.
    pub subject: Option<Cow<'d, str>>,
    /// `aud`.
    pub audience: Option<Audience<'d>>,
    /// `exp`, rounded down to milliseconds.
    pub expiration: Option<Timestamp>,
    /// `nbf`, rounded up to milliseconds.
    pub not_before: Option<Timestamp>,
    /// `iat`, rounded up to milliseconds.
    pub issued_at: Option<Timestamp>,
    /// `jti`.
    pub token_id: Option<Cow<'d, str>>,
    /// `client_id` (RFC 8693 section 4.3).
    pub client_id: Option<Cow<'d, str>>,
    /// `azp`: the client that the token was issued to.
    pub authorized_party: Option<Cow<'d, str>>,
    /// `scope` (RFC 8693 section 4.2).
    pub scope: Option<Scope<'d>>,
    /// `scp`: the name that some issuers give to `scope`.
    pub scp: Option<Scope<'d>>,
    /// `cnf` (RFC 7800).
    pub confirmation: Option<Confirmation>,
    values: Vec<(Cow<'d, str>, Value)>,
}

impl<'d> Claims<'d> {
    /// Reads the claims from their JSON text, and keeps the whole values of those that are `wanted`.
    pub(super) fn parse(json: &'d str, wanted: &[String]) -> Result<Self, FormError> {
        let mut claims = Self::default();
        // What is no strict JSON to its end is refused as that, whatever else is wrong with it.
        let mut judged = Ok(());
        read_object(json, &|name: &str| keep(name, wanted), &mut |name, member, value| {
            if judged.is_ok() {
                judged = claims.set(&name, member);
            }
            claims.values.extend(value.map(|value| (name, value)));
        })
        .map_err(|error| FormError::NotStrictJson { segment: Segment::Claims, detail: error.to_string() })?;
        judged?;
        claims.confirmation = claims.value("cnf").map(confirmation).transpose()?;
        Ok(claims)
    }

    /// Claims without a token, for tests of what is made of them.
    #[cfg(test)]
    pub(crate) fn for_test(json: &'d str, wanted: &[String]) -> Self {
        Self::parse(json, wanted).unwrap()
    }

    /// The value of a top-level claim that was wanted.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(wanted, _)| wanted == name).map(|(_, value)| value)
    }

    fn set(&mut self, name: &str, member: Member<'d>) -> Result<(), FormError> {
        match name {
            "iss" => self.issuer = Some(string("iss", member)?),
            "sub" => self.subject = Some(subject(member)?),
            "aud" => self.audience = Some(audience(member)?),
            "exp" => self.expiration = Some(date("exp", &member, Rounding::Down)?),
            "nbf" => self.not_before = Some(date("nbf", &member, Rounding::Up)?),
            "iat" => self.issued_at = Some(date("iat", &member, Rounding::Up)?),
            "jti" => self.token_id = Some(string("jti", member)?),
            "client_id" => self.client_id = Some(string("client_id", member)?),
            "azp" => self.authorized_party = Some(string("azp", member)?),
            "scope" => self.scope = Some(Scope::from_member(member)),
            "scp" => self.scp = Some(Scope::from_member(member)),
            _ => {}
        }
        Ok(())
    }
}

fn keep(name: &str, wanted: &[String]) -> Keep {
    match name {
        "cnf" => Keep::ValueWithUniqueNames,
        _ if wanted.iter().any(|wanted| wanted == name) => Keep::Value,
        "iss" | "sub" | "aud" | "exp" | "nbf" | "iat" | "jti" | "client_id" | "azp" | "scope" | "scp" => Keep::Member,
        _ => Keep::Nothing,
    }
}

fn string<'d>(name: &'static str, member: Member<'d>) -> Result<Cow<'d, str>, FormError> {
    match member {
        Member::Text(text) => Ok(text),
        _ => Err(wrong_value(name, "a string")),
    }
}

/// An empty subject identifies nobody, and an upstream that trusts a header may take it for anybody.
fn subject(member: Member<'_>) -> Result<Cow<'_, str>, FormError> {
    let subject = string("sub", member)?;
    if subject.is_empty() {
        return Err(wrong_value("sub", "a string with a character in it"));
    }
    Ok(subject)
}

fn audience(member: Member<'_>) -> Result<Audience<'_>, FormError> {
    Audience::from_member(member).ok_or_else(|| wrong_value("aud", "a string or an array of strings"))
}

fn date(name: &'static str, member: &Member<'_>, rounding: Rounding) -> Result<Timestamp, FormError> {
    let date = match member {
        Member::Number(number) => timestamp(number, rounding),
        _ => None,
    };
    date.ok_or_else(|| wrong_value(name, "a number of seconds from 1970 to 9999"))
}

fn confirmation(value: &Value) -> Result<Confirmation, FormError> {
    Confirmation::from_value(value).ok_or_else(|| wrong_value("cnf", "an object with strings for thumbprints"))
}

const fn wrong_value(name: &'static str, expected: &'static str) -> FormError {
    FormError::WrongValue { segment: Segment::Claims, name, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::config::ClaimPath;
    use crate::reason::Reason;

    fn claims(json: &str) -> Claims<'_> {
        Claims::for_test(json, &[])
    }

    fn refused(json: &str) -> bool {
        Claims::parse(json, &[]).is_err_and(|error| error.reason() == Reason::ClaimsMalformed)
    }

    fn refused_values(name: &str, values: &[&str]) {
        for value in values {
            let json = format!(r#"{{"{name}":{value}}}"#);
            assert!(refused(&json), "{json}");
            let wanted = Claims::parse(&json, &[name.to_owned()]);
            assert!(wanted.is_err(), "{json}, wanted");
        }
    }

    #[test]
    fn registered_claims_are_typed() {
        let json = r#"{"iss":"i","sub":"s","aud":"a","exp":3,"nbf":1.0001,"iat":2e0,"jti":"j","client_id":"c","azp":"p",
            "scope":"x y","scp":["z"],"cnf":{"jkt":"t"},"other":[1,{"exp":"no date"}]}"#;
        let names = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "azp", "scope", "scp", "cnf"];
        for wanted in [vec![], names.map(str::to_owned).to_vec()] {
            let claims = Claims::parse(json, &wanted).unwrap();
            assert_eq!(claims.issuer.as_deref(), Some("i"));
            assert_eq!(claims.subject.as_deref(), Some("s"));
            assert!(claims.audience.unwrap().contains("a"));
            assert_eq!(claims.expiration, Some(Timestamp::from_secs(3)));
            assert_eq!(claims.not_before, Some(Timestamp::from_millis(1001)));
            assert_eq!(claims.issued_at, Some(Timestamp::from_secs(2)));
            assert_eq!(claims.token_id.as_deref(), Some("j"));
            assert_eq!(claims.client_id.as_deref(), Some("c"));
            assert_eq!(claims.authorized_party.as_deref(), Some("p"));
            assert!(claims.scope.unwrap().contains("y"));
            assert!(claims.scp.unwrap().contains("z"));
            assert_eq!(claims.confirmation.unwrap().key_thumbprint.as_deref(), Some("t"));
        }
    }

    #[test]
    fn nothing_is_required_here() {
        assert!(claims("{}") == Claims::default());
        assert!(claims(r#"{"Exp":"a","EXP":null,"exp ":-1,"ISS":1}"#) == Claims::default());
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        assert!(matches!(claims(r#"{"iss":"plain"}"#).issuer, Some(Cow::Borrowed("plain"))));
        assert!(matches!(claims(r#"{"iss":"esc\u0061ped"}"#).issuer, Some(Cow::Owned(issuer)) if issuer == "escaped"));
    }

    #[test]
    fn dates_are_numbers_in_range() {
        let values = [
            "null",
            "true",
            "false",
            r#""1500000000""#,
            r#""""#,
            r#""0x10""#,
            "[]",
            "[1]",
            "{}",
            "-1",
            "-0.5",
            "1e400",
            "-1e400",
            "1e300",
            "253402300800",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "0x10",
            "01",
            "+1",
            ".5",
            "1.",
            "1e",
            "NaN",
            "Infinity",
            "-Infinity",
            "1_000",
            "",
        ];
        for name in ["exp", "nbf", "iat"] {
            refused_values(name, &values);
        }
    }

    #[test]
    fn the_first_fault_is_told_unless_the_text_is_no_json_to_its_end() {
        let fault = |json| Claims::parse(json, &[]).err().unwrap();
        for (json, first) in [
            (r#"{"sub":1,"exp":2,"aud":"a"}"#, "sub"),
            (r#"{"sub":1,"exp":"2","aud":"a"}"#, "sub"),
            (r#"{"exp":"2","sub":1}"#, "exp"),
        ] {
            assert!(matches!(fault(json), FormError::WrongValue { name, .. } if name == first), "{json}");
        }
        for json in [r#"{"sub":1,"exp":}"#, r#"{"sub":1}}"#, r#"{"sub":1,"sub":"s"}"#] {
            assert!(matches!(fault(json), FormError::NotStrictJson { .. }), "{json}");
        }
    }

    #[test]
    fn names_are_strings() {
        for name in ["iss", "sub", "jti", "azp", "client_id"] {
            refused_values(name, &["null", "1", "true", "[]", r#"["s"]"#, "{}"]);
        }
        refused_values("sub", &[r#""""#]);
        assert_eq!(claims(r#"{"iss":""}"#).issuer.as_deref(), Some(""));
    }

    #[test]
    fn audiences_are_strings() {
        refused_values("aud", &["null", "1", "{}", "true", "[1]", r#"["a",1]"#, r#"["a",["b"]]"#, "[null]", "[{}]"]);
        let many = claims(r#"{"aud":["a","https://b/"]}"#).audience.unwrap();
        assert!(many.contains("a") && many.contains("https://b/"));
        assert!(!many.contains("A") && !many.contains("https://b") && !many.contains(""));
        assert_eq!(claims(r#"{"aud":[]}"#).audience, Some(Audience::Many(vec![])));
        assert!(!claims(r#"{"aud":"ab"}"#).audience.unwrap().contains("a"));
    }

    #[test]
    fn malformed_scopes_are_remembered() {
        for value in ["1", "null", "{}", r#"["a",1]"#, r#"[["a"]]"#] {
            let json = format!(r#"{{"scope":{value},"scp":"a"}}"#);
            let claims = claims(&json);
            assert_eq!(claims.scope, Some(Scope::Malformed), "{value}");
            assert_eq!(claims.scp, Some(Scope::Text("a".into())));
        }
    }

    #[test]
    fn confirmations_are_objects_without_doubt() {
        refused_values("cnf", &["null", "1", "\"jkt\"", "[]", r#"{"jkt":1}"#, r#"{"x5t#S256":null}"#]);
        refused_values(
            "cnf",
            &[r#"{"jkt":"a","jkt":"a"}"#, r#"{"jwk":{"x":1,"\u0078":1}}"#, r#"{"a":[{"b":1,"b":2}]}"#],
        );
        let confirmation = claims(r#"{"cnf":{"x5t#S256":"a","jkt":"b"}}"#).confirmation.unwrap();
        assert_eq!(confirmation.certificate_thumbprint.as_deref(), Some("a"));
        assert!(!confirmation.has_other_members);
        assert!(claims(r#"{"cnf":{"jwk":{}}}"#).confirmation.unwrap().has_other_members);
        assert_eq!(claims(r#"{"cnf":{}}"#).confirmation, Some(Confirmation::default()));
    }

    #[test]
    fn a_name_twice_is_refused_at_the_top_level() {
        for json in [
            r#"{"exp":1,"exp":1}"#,
            r#"{"exp":1,"\u0065xp":2}"#,
            r#"{"a":1,"b":2,"a":1}"#,
            r#"{"":1,"":1}"#,
            r#"{"__proto__":1,"sub":"s","\u0073ub":"s"}"#,
        ] {
            assert!(refused(json), "{json}");
            assert!(Claims::parse(json, &["a".to_owned(), "exp".to_owned()]).is_err(), "{json}");
        }
        let nested = Claims::parse(r#"{"a":{"b":1,"b":2},"c":{"b":1,"b":2}}"#, &["a".to_owned()]).unwrap();
        assert_eq!(nested.find(&ClaimPath::Dotted("a.b".to_owned())), Some(&Value::from(2)));
    }

    #[test]
    fn five_thousand_members_are_read_and_their_twin_is_found() {
        let members: Vec<String> = (0..5000).map(|number| format!("\"m{number}\":0")).collect();
        let members = members.join(",");
        assert!(Claims::parse(&format!("{{{members}}}"), &[]).is_ok());
        assert!(refused(&format!("{{{members},\"m4999\":0}}")));
        assert!(refused(&format!("{{{members},\"m0\":0}}")));
    }
}
