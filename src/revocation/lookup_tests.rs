//! Questions and answers about single tokens.

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(10);
/// The timeout, and a second.
const PATIENCE: Duration = Duration::from_secs(3);

fn http() -> HttpUri {
    HttpUri {
        scheme: "http".into(),
        authority: "webdis".into(),
        path_and_query: "/".into(),
        cluster: "webdis".into(),
        timeout: 2 * SECOND,
    }
}

fn lookups() -> Lookups {
    let template = vec![TemplatePart::Text("/revoked/".into()), TemplatePart::TokenId];
    Lookups::new(Lookup { http: http(), template, ttl: TTL, revoked_when: RevokedWhen::Status(200) })
}

fn token(id: &str) -> Marks {
    Marks { token_id: Some(id.to_owned()), ..Marks::default() }
}

fn answer(status: u16, body: &str) -> Response {
    Response::Arrived { status, cache_control: None, etag: None, body: body.into() }
}

fn after(time: Duration) -> Timestamp {
    NOW.saturating_add(time)
}

/// A millisecond before that.
fn before(time: Duration) -> Timestamp {
    after(time).saturating_sub(Duration::from_millis(1))
}

/// Asks about the token in a request that arrives at that time.
fn ask(lookups: &mut Lookups, id: &str, now: Timestamp) -> Looked {
    lookups.look(&token(id), now)
}

/// Sends the only question: its key.
fn sent(lookups: &mut Lookups) -> LookupKey {
    let [(key, _)] = &lookups.take_unsent()[..] else { panic!("not one question") };
    *key
}

/// Asks about the token now, and has the question answered.
fn answered(lookups: &mut Lookups, id: &str, response: Response) -> Received {
    assert!(matches!(ask(lookups, id, NOW), Looked::Pending(_)));
    let key = sent(lookups);
    lookups.receive(key, response, NOW)
}

fn encoded(claim: &str) -> Option<String> {
    let mut path = String::new();
    push_encoded(&mut path, claim).map(|()| path)
}

#[test]
fn a_claim_stays_one_piece_of_the_path() {
    for (claim, expected) in [
        ("azAZ09-_~", "azAZ09-_~"),
        ("a.txt", "a%2Etxt"),
        ("...", "%2E%2E%2E"),
        ("../x", "%2E%2E%2Fx"),
        ("a/b\\c", "a%2Fb%5Cc"),
        ("a\r\nHost: x", "a%0D%0AHost%3A%20x"),
        ("%2e%2E", "%252e%252E"),
        ("\0", "%00"),
        ("?a=b&c#d;e", "%3Fa%3Db%26c%23d%3Be"),
        ("\u{e9}\u{1f511}", "%C3%A9%F0%9F%94%91"),
        (" ", "%20"),
        ("*+,:@!$'()", "%2A%2B%2C%3A%40%21%24%27%28%29"),
    ] {
        assert_eq!(encoded(claim).as_deref(), Some(expected));
    }
    for claim in ["", ".", ".."] {
        assert_eq!(encoded(claim), None, "{claim:?}");
    }
    assert_eq!(encoded(&"a".repeat(1024)), Some("a".repeat(1024)));
    assert_eq!(encoded(&"\u{e9}".repeat(512)).map(|path| path.len()), Some(3072));
    for claim in ["a".repeat(1025), "\u{e9}".repeat(513), "/".repeat(10_000)] {
        assert_eq!(encoded(&claim), None);
    }
}

#[test]
fn every_claim_stands_at_its_place_and_none_may_be_missing() {
    use TemplatePart::{Issuer, Subject, Text, TokenId};
    let template =
        [Text("/x/".into()), Issuer, Text("/".into()), Subject, Text("?of=".into()), TokenId, Text("&y".into())];
    let text = |text: &str| Some(text.to_owned());
    let marks = Marks { token_id: text("j/"), subject: text("s"), issuer: text("https://i"), ..Marks::default() };
    assert_eq!(path(&template, &marks), text("/x/https%3A%2F%2Fi/s?of=j%2F&y"));
    for lacking in [
        Marks { token_id: None, ..marks.clone() },
        Marks { subject: None, ..marks.clone() },
        Marks { issuer: text(""), ..marks },
    ] {
        assert_eq!(path(&template, &lacking), None);
        assert_eq!(lookups().look(&Marks::default(), NOW), Looked::Unaskable);
    }
}

#[test]
fn a_question_is_known_while_it_is_under_way() {
    let mut lookups = lookups();
    assert!(matches!(ask(&mut lookups, "a", NOW), Looked::Pending(_)));
    let [(key, question)] = &lookups.take_unsent()[..] else { panic!("one question") };
    assert_eq!(*question, HttpUri { path_and_query: "/revoked/a".into(), ..http() });
    assert_eq!((lookups.question(&token("a")), lookups.question(&token("b"))), (Some(*key), None));
}

#[test]
fn a_status_says_revoked_or_not_or_nothing() {
    let judged =
        |revoked, status| judge(&RevokedWhen::Status(revoked), answer(status, "")).map_err(|failure| failure.code());
    for (revoked, status, expected) in [
        (200, 200, Ok(true)),
        (200, 404, Ok(false)),
        (200, 204, Ok(false)),
        (404, 404, Ok(true)),
        (404, 200, Ok(false)),
        (410, 410, Ok(true)),
        (410, 404, Ok(false)),
    ] {
        assert_eq!(judged(revoked, status), expected, "{status} where {revoked} is revoked");
    }
    for status in [0, 100, 201, 206, 301, 302, 304, 400, 401, 403, 409, 429, 500, 502, 503, 504, 599] {
        assert_eq!(judged(200, status), Err("status"), "{status}");
    }
    let failed = judge(&RevokedWhen::Status(200), Response::Failed(Failure::Timeout));
    assert_eq!(failed, Err(Failure::Timeout));
}

#[test]
fn a_member_says_revoked_or_not_or_nothing() {
    let judged = |pointer: &str, equals: ClaimValue, status, body: &str| {
        let when = RevokedWhen::Member { pointer: pointer.to_owned(), equals };
        judge(&when, answer(status, body)).map_err(|failure| failure.code())
    };
    let exists = |body| judged("/EXISTS", ClaimValue::Number(1.into()), 200, body);
    assert_eq!(exists(r#"{"EXISTS":1}"#), Ok(true));
    assert_eq!(exists(r#"{"EXISTS":1.0}"#), Ok(true));
    for good in [r#"{"EXISTS":0}"#, r#"{"EXISTS":2}"#, r#"{"EXISTS":null}"#] {
        assert_eq!(exists(good), Ok(false), "{good}");
    }
    for nothing in [
        r#"{"EXISTS":[false,"LOADING Redis is loading the dataset in memory"]}"#,
        r#"{"EXISTS":"1"}"#,
        r#"{"EXISTS":true}"#,
        r#"{"EXISTS":{}}"#,
        r#"{"exists":1}"#,
        r#"{"EXISTS":1}x"#,
        "{}",
        "[]",
        "1",
        "",
        "<html>",
    ] {
        assert_eq!(exists(nothing), Err("not_an_answer"), "{nothing}");
    }
    for status in [204, 206, 302, 404, 500, 503] {
        assert_eq!(judged("/EXISTS", ClaimValue::Number(1.into()), status, r#"{"EXISTS":0}"#), Err("status"));
    }
    let text = |body| judged("", ClaimValue::Text("gone".into()), 200, body);
    assert_eq!((text("\"gone\""), text("\"here\""), text("1")), (Ok(true), Ok(false), Err("not_an_answer")));
    let active = |body| judged("/a/0", ClaimValue::Bool(false), 200, body);
    assert_eq!((active(r#"{"a":[false]}"#), active(r#"{"a":[true]}"#)), (Ok(true), Ok(false)));
    assert_eq!(
        judge(
            &RevokedWhen::Member { pointer: String::new(), equals: ClaimValue::Bool(true) },
            Response::Arrived { status: 200, cache_control: None, etag: None, body: b"\"\xff\"".to_vec() }
        ),
        Err(Failure::NotAnAnswer)
    );
}

#[test]
fn an_answer_counts_for_ttl() {
    for (status, expected) in [(404, Answer::Good), (200, Answer::Revoked)] {
        let mut lookups = lookups();
        assert_eq!(answered(&mut lookups, "a", answer(status, "")).answer, expected);
        assert_eq!(ask(&mut lookups, "a", before(TTL)), Looked::Known(expected));
        assert!(matches!(ask(&mut lookups, "b", NOW), Looked::Pending(_)), "another token");
        assert!(matches!(ask(&mut lookups, "a", after(TTL)), Looked::Pending(_)));
    }
}

#[test]
fn a_failure_counts_for_a_second() {
    let mut lookups = lookups();
    answered(&mut lookups, "a", answer(503, ""));
    assert_eq!(ask(&mut lookups, "a", before(SECOND)), Looked::Known(Answer::Unavailable));
    assert_eq!(lookups.take_unsent().len(), 0);
    assert!(matches!(ask(&mut lookups, "a", after(SECOND)), Looked::Pending(_)));
}

#[test]
fn what_was_revoked_stays_so_while_nobody_can_tell() {
    let mut lookups = lookups();
    answered(&mut lookups, "a", answer(200, ""));
    answered(&mut lookups, "b", answer(404, ""));
    for (id, expected) in [("a", Answer::Revoked), ("b", Answer::Unavailable)] {
        assert!(matches!(ask(&mut lookups, id, after(TTL)), Looked::Pending(_)));
        let key = sent(&mut lookups);
        let received = lookups.receive(key, answer(503, ""), after(TTL));
        assert_eq!((received.answer, received.code()), (expected, "status"));
        assert_eq!(ask(&mut lookups, id, after(TTL)), Looked::Known(expected));
    }
    assert!(matches!(ask(&mut lookups, "a", after(TTL + SECOND)), Looked::Pending(_)));
    let key = sent(&mut lookups);
    lookups.receive(key, answer(404, ""), after(TTL + SECOND));
    assert_eq!(ask(&mut lookups, "a", after(TTL + SECOND)), Looked::Known(Answer::Good));
}

#[test]
fn news_are_told_once() {
    let mut lookups = lookups();
    let news = ["a", "b", "c", "d", "e"].into_iter().zip([404, 503, 500, 200, 404]);
    let news: Vec<_> = news.map(|(id, status)| answered(&mut lookups, id, answer(status, "")).is_news).collect();
    assert_eq!(news, [false, true, false, true, false]);
}

#[test]
fn requests_of_one_token_share_a_question() {
    let mut lookups = lookups();
    for _ in 0..100 {
        assert_eq!(ask(&mut lookups, "a", NOW), Looked::Pending(after(PATIENCE)));
    }
    let key = sent(&mut lookups);
    assert_eq!(ask(&mut lookups, "a", NOW), Looked::Pending(after(PATIENCE)));
    assert!(lookups.take_unsent().is_empty());
    lookups.receive(key, answer(404, ""), NOW);
    assert_eq!(ask(&mut lookups, "a", NOW), Looked::Known(Answer::Good));
}

#[test]
fn questions_under_way_are_bounded() {
    let mut lookups = lookups();
    for number in 0..MAX_UNDER_WAY {
        assert!(matches!(ask(&mut lookups, &number.to_string(), NOW), Looked::Pending(_)));
    }
    assert_eq!(ask(&mut lookups, "one more", NOW), Looked::Known(Answer::Unavailable));
    assert!(matches!(ask(&mut lookups, "0", NOW), Looked::Pending(_)), "it waits for the one under way");
    assert_eq!(lookups.take_unsent().len(), MAX_UNDER_WAY);
    assert!(matches!(ask(&mut lookups, "one more", after(PATIENCE)), Looked::Pending(_)), "the others are over");
}

#[test]
fn answers_that_are_remembered_are_bounded() {
    let mut lookups = lookups();
    for number in 0..80_000 {
        answered(&mut lookups, &number.to_string(), answer(404, ""));
    }
    assert_eq!(lookups.sets.iter().flatten().flatten().count(), SETS * WAYS);
}

#[test]
fn no_request_waits_longer_than_the_timeout_and_a_second() {
    let mut lookups = lookups();
    ask(&mut lookups, "a", NOW);
    let key = sent(&mut lookups);
    // One comes late, and joins; then the question's time is over for both, and for a second nobody asks again.
    assert_eq!(ask(&mut lookups, "a", before(PATIENCE)), Looked::Pending(after(PATIENCE)));
    assert_eq!(ask(&mut lookups, "a", after(PATIENCE)), Looked::Known(Answer::Unavailable));
    assert_eq!(ask(&mut lookups, "a", before(PATIENCE + SECOND)), Looked::Known(Answer::Unavailable));
    lookups.receive(key, answer(404, ""), after(PATIENCE));
    assert_eq!(ask(&mut lookups, "a", after(PATIENCE)), Looked::Known(Answer::Unavailable), "it comes too late");
    assert_eq!(ask(&mut lookups, "a", after(PATIENCE + SECOND)), Looked::Pending(after(PATIENCE + SECOND + PATIENCE)));
}

#[test]
fn an_answer_that_comes_too_late_or_twice_counts_for_nothing() {
    let mut lookups = lookups();
    ask(&mut lookups, "a", NOW);
    let key = sent(&mut lookups);
    lookups.receive(key, answer(200, ""), NOW);
    lookups.receive(key, answer(404, ""), NOW);
    assert_eq!(ask(&mut lookups, "a", NOW), Looked::Known(Answer::Revoked), "the second one is forgotten");
    ask(&mut lookups, "b", NOW);
    let key = sent(&mut lookups);
    ask(&mut lookups, "c", after(PATIENCE));
    lookups.receive(key, answer(404, ""), after(PATIENCE));
    assert!(matches!(ask(&mut lookups, "b", after(PATIENCE)), Looked::Pending(_)), "the late one is forgotten");
    lookups.receive([0; 16], answer(200, ""), NOW);
}

#[test]
fn an_answer_does_not_count_longer_because_the_clock_is_set_back() {
    let mut lookups = lookups();
    answered(&mut lookups, "a", answer(404, ""));
    let earlier = NOW.saturating_sub(3600 * SECOND);
    assert_eq!(ask(&mut lookups, "a", earlier), Looked::Pending(earlier.saturating_add(PATIENCE)));
    assert_eq!(lookups.take_unsent().len(), 1);
}
