//! What several sources together say about a token.

#![allow(clippy::needless_pass_by_value, reason = "literals are shorter so")]

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::config;
use crate::remote::{Failure, Response};
use crate::revocation::polled::Outside;
use crate::revocation::status_list::StatusListToken;
use crate::shared_store::tests::Memory;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const TIMEOUT: Duration = Duration::from_secs(5);

/// One worker's view, and the store that it would share.
struct Case {
    revocation: ProviderRevocation,
    store: Memory,
}

impl Case {
    fn new(settings: Value) -> Self {
        let provider = json!({
            "issuer": "https://issuer.test", "audiences": ["api"], "local_jwks": {"environment_variable": "KEYS"},
            "revocation": settings,
        });
        let text = json!({"providers": {"acme": provider}}).to_string();
        let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let config = config::parse(text.as_bytes(), &|_| Some(keys.to_owned())).unwrap().config;
        let settings = config.providers.first().unwrap().revocation.as_ref().unwrap();
        Self { revocation: ProviderRevocation::new(settings, 1 << 20), store: Memory::default() }
    }

    /// Has every source fetched, and answered in turn.
    fn fetch(mut self, answers: &[Response]) -> Self {
        let verify = |_: &[u8]| -> Result<StatusListToken, Failure> { Err(Failure::NotVerifiable) };
        let outside = Outside { store: &self.store, now: NOW, entropy: 1, verify: &verify };
        for (source, answer) in self.revocation.sources().zip(answers) {
            let attempt = source.poll(outside).fetch.unwrap();
            source.finish(attempt, answer.clone(), outside);
        }
        self
    }

    fn standing(&mut self, change: impl FnOnce(&mut Marks)) -> Standing {
        let mut marks = Marks { token_id: Some("j".into()), issued_at: Some(NOW), ..Marks::default() };
        change(&mut marks);
        self.revocation.standing(&marks, NOW, NOW)
    }

    fn answer_lookup(&mut self, status: u16) {
        let lookups = self.revocation.lookups().unwrap();
        for (key, _) in lookups.take_unsent() {
            lookups.receive(key, document(status, ""), NOW);
        }
    }
}

fn document(status: u16, body: &str) -> Response {
    Response::Arrived { status, cache_control: None, etag: None, body: body.into() }
}

fn denylist(name: &str) -> Value {
    json!({"http_uri": {"uri": format!("https://issuer.test/{name}"), "cluster": "c"}})
}

fn lookup(uri: &str) -> Value {
    json!({"http_uri": {"uri": uri, "cluster": "c"}, "revoked_when": {"status": 200}})
}

fn status_list() -> Value {
    json!([{"uri": "https://issuer.test/1", "cluster": "c"}])
}

fn gone() -> Response {
    Response::Failed(Failure::Unreachable)
}

fn is_revoked(standing: Standing) -> bool {
    matches!(standing, Standing::Revoked(_))
}

#[test]
fn any_of_several_lists_revokes_even_while_another_is_away() {
    let lists = json!({"denylists": [denylist("a"), denylist("b"), denylist("c")]});
    let answers = [document(200, r#"{"jti":["x"]}"#), gone(), document(200, r#"{"jti":["j"]}"#)];
    let mut case = Case::new(lists).fetch(&answers);
    assert!(is_revoked(case.standing(|_| {})));
    assert!(is_revoked(case.standing(|marks| marks.token_id = Some("x".into()))));
    let unlisted = case.standing(|marks| marks.token_id = Some("y".into()));
    assert!(matches!(unlisted, Standing::Unavailable(_)), "{unlisted:?}");
}

#[test]
fn the_look_up_is_asked_while_a_list_is_away() {
    let settings = json!({"denylists": [denylist("a")], "lookup": lookup("http://r/{jti}")});
    for (status, expected) in [(200, 4), (404, 1)] {
        let mut case = Case::new(settings.clone()).fetch(&[gone()]);
        assert!(matches!(case.standing(|_| {}), Standing::Pending(_)));
        case.answer_lookup(status);
        assert_eq!(case.standing(|_| {}).rank(), expected, "{status}");
    }
}

#[test]
fn what_a_list_revokes_is_not_looked_up() {
    let settings = json!({"denylists": [denylist("a")], "lookup": lookup("http://r/{jti}")});
    let mut case = Case::new(settings).fetch(&[document(200, r#"{"jti":["j"]}"#)]);
    assert!(is_revoked(case.standing(|_| {})));
    assert!(case.revocation.lookups().unwrap().take_unsent().is_empty());
}

#[test]
fn requests_wait_for_the_first_document_only_and_at_most_the_timeout() {
    let settings = json!({"denylists": [denylist("a")]});
    let mut case = Case::new(settings.clone());
    let marks = Marks::default();
    let until = NOW.saturating_add(TIMEOUT);
    assert_eq!(case.revocation.standing(&marks, NOW, NOW), Standing::Pending(until));
    assert!(matches!(case.revocation.standing(&marks, NOW, until), Standing::Unavailable(_)));
    let mut case = case.fetch(&[gone()]);
    assert!(matches!(case.revocation.standing(&marks, NOW, NOW), Standing::Unavailable(_)), "it has failed");
    let mut case = Case::new(settings).fetch(&[document(200, "{}")]);
    assert_eq!(case.revocation.standing(&marks, NOW, NOW), Standing::Good);
    let stale = NOW.saturating_add(Duration::from_secs(60 + 3600));
    let before = stale.saturating_sub(Duration::from_millis(1));
    assert_eq!(case.revocation.standing(&marks, before, before), Standing::Good);
    assert!(matches!(case.revocation.standing(&marks, stale, stale), Standing::Unavailable(_)), "nobody waits for it");
}

#[test]
fn a_status_list_that_was_faster_than_the_keys_is_waited_for() {
    let settings = json!({"status_lists": status_list()});
    let listed = |marks: &mut Marks| marks.status = Status::Listed { uri: "https://issuer.test/1".into(), index: 0 };
    let mut case = Case::new(settings.clone()).fetch(&[document(200, "a.b.c")]);
    assert_eq!(case.standing(listed), Standing::Pending(NOW.saturating_add(TIMEOUT)));
    let mut case = Case::new(settings).fetch(&[gone()]);
    assert!(matches!(case.standing(listed), Standing::Unavailable(_)));
}

#[test]
fn a_status_has_to_name_one_of_the_lists() {
    let mut case = Case::new(json!({"status_lists": status_list()})).fetch(&[gone()]);
    assert_eq!(case.standing(|_| {}), Standing::Good, "without a status");
    for status in [Status::Malformed, Status::Listed { uri: "https://issuer.test/1/".into(), index: 0 }] {
        assert!(matches!(case.standing(|marks| marks.status = status), Standing::Unmarked(_)));
    }
    let mut case = Case::new(json!({"denylists": [denylist("a")]})).fetch(&[document(200, "{}")]);
    assert_eq!(case.standing(|marks| marks.status = Status::Malformed), Standing::Good, "nobody asked for lists");
}

#[test]
fn a_token_needs_the_claims_by_which_it_could_be_revoked() {
    let unmarked =
        |settings: Value, change: fn(&mut Marks)| matches!(Case::new(settings).standing(change), Standing::Unmarked(_));
    let without: fn(&mut Marks) = |marks| marks.token_id = None;
    assert!(unmarked(json!({"require_jti": true}), without));
    assert!(!unmarked(json!({"require_jti": true}), |_| {}));
    assert!(unmarked(json!({"lookup": lookup("http://r/{jti}")}), without));
    for bad in ["", ".", ".."] {
        let mut case = Case::new(json!({"lookup": lookup("http://r/{jti}")}));
        assert!(matches!(case.standing(|marks| marks.token_id = Some(bad.into())), Standing::Unmarked(_)), "{bad:?}");
    }
    let optional = json!({"lookup": lookup("http://r/{jti}"), "require_jti": false});
    assert_eq!(Case::new(optional.clone()).standing(without), Standing::Good);
    assert!(unmarked(optional, |marks| marks.token_id = Some("a".repeat(1025))));
    let by_subject = json!({"lookup": lookup("http://r/{sub}")});
    assert!(
        unmarked(by_subject.clone(), |_| {}) && unmarked(by_subject, without),
        "nobody said that it may lack `sub`"
    );
}
