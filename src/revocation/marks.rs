//! What a token can be revoked by.

use serde_json::Value;

use crate::jwt::Claims;
use crate::time::Timestamp;

/// What a token can be revoked by: kept with what is remembered of it, so that it is asked about at each request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// `jti`.
    pub token_id: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `sid` (OpenID Connect Front-Channel Logout 1.0 section 3).
    pub session: Option<String>,
    /// `client_id`, and `azp`.
    pub clients: Vec<String>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// Its place in a status list.
    pub status: Status,
}

/// The `status` claim (draft-ietf-oauth-status-list section 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// There is none, or none by a status list.
    #[default]
    None,
    /// Its place in a list.
    Listed {
        /// Which list.
        uri: String,
        /// The place.
        index: u64,
    },
    /// There is one that cannot be read.
    Malformed,
}

impl Marks {
    /// What a token with these claims can be revoked by.
    #[must_use]
    pub fn of(claims: &Claims<'_>) -> Self {
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let clients = [&claims.client_id, &claims.authorized_party];
        Self {
            token_id: owned(&claims.token_id),
            subject: owned(&claims.subject),
            issuer: owned(&claims.issuer),
            session: claims.value("sid").and_then(Value::as_str).map(str::to_owned),
            clients: clients.into_iter().filter_map(owned).collect(),
            issued_at: claims.issued_at,
            status: claims.value("status").map(status).unwrap_or_default(),
        }
    }

    /// About how many bytes they take beside their own struct.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = [&self.token_id, &self.subject, &self.issuer, &self.session];
        let uri = if let Status::Listed { uri, .. } = &self.status { uri.len() } else { 0 };
        let clients: usize = self.clients.iter().map(|client| client.len().saturating_add(24)).sum();
        texts.into_iter().flatten().map(String::len).fold(uri.saturating_add(clients), usize::saturating_add)
    }
}

fn status(value: &Value) -> Status {
    let Some(members) = value.as_object() else { return Status::Malformed };
    let Some(list) = members.get("status_list") else { return Status::None };
    match (list.get("uri").and_then(Value::as_str), list.get("idx").and_then(Value::as_u64)) {
        (Some(uri), Some(index)) => Status::Listed { uri: uri.to_owned(), index },
        _ => Status::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(json: &str) -> Marks {
        Marks::of(&Claims::for_test(json, &["sid".to_owned(), "status".to_owned()]))
    }

    #[test]
    fn everything_that_may_be_revoked_is_kept() {
        let marks = marks(
            r#"{"jti":"j","sub":"s","iss":"i","sid":"d","client_id":"c","azp":"z","iat":3,
            "status":{"status_list":{"idx":7,"uri":"https://a/1"}}}"#,
        );
        let text = |text: &str| Some(text.to_owned());
        let status = Status::Listed { uri: "https://a/1".into(), index: 7 };
        assert_eq!(
            marks,
            Marks {
                token_id: text("j"),
                subject: text("s"),
                issuer: text("i"),
                session: text("d"),
                clients: vec!["c".into(), "z".into()],
                issued_at: Some(Timestamp::from_secs(3)),
                status,
            }
        );
        assert!(marks.size() > 11);
    }

    #[test]
    fn a_status_that_cannot_be_read_is_none_that_is_absent() {
        for (json, expected) in [
            ("{}", Status::None),
            (r#"{"status":{}}"#, Status::None),
            (r#"{"status":{"other":1}}"#, Status::None),
            (r#"{"status":null}"#, Status::Malformed),
            (r#"{"status":1}"#, Status::Malformed),
            (r#"{"status":[]}"#, Status::Malformed),
            (r#"{"status":{"status_list":null}}"#, Status::Malformed),
            (r#"{"status":{"status_list":{"uri":"u"}}}"#, Status::Malformed),
            (r#"{"status":{"status_list":{"uri":"u","idx":-1}}}"#, Status::Malformed),
            (r#"{"status":{"status_list":{"uri":"u","idx":"1"}}}"#, Status::Malformed),
            (r#"{"status":{"status_list":{"uri":"u","idx":1.5}}}"#, Status::Malformed),
            (r#"{"status":{"status_list":{"uri":1,"idx":1}}}"#, Status::Malformed),
        ] {
            assert_eq!(marks(json).status, expected, "{json}");
        }
    }
}
