//! Answers of a service that is asked about each token.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::marks::Marks;
use crate::authorization::equals;
use crate::config::{ClaimValue, HttpUri, Lookup, RevokedWhen, TemplatePart};
use crate::jwt::json::read_value;
use crate::remote::{Failure, Response};
use crate::time::Timestamp;

/// How many answers are remembered, in sets of a few: of each set the one that ends first makes room.
const SETS: usize = 4096;
const WAYS: usize = 4;
/// How many questions may be under way.
const MAX_UNDER_WAY: usize = 512;
/// A failure is remembered for so long, so that a service that is away is not asked by every request.
const FAILURE_TIME: Duration = Duration::from_secs(1);
/// Longer claims are refused: they would make a long URL, and nobody issues them.
const MAX_CLAIM: usize = 1024;

/// Tells one question from another: the leading bytes of the SHA-256 of its URL.
pub type LookupKey = [u8; 16];

/// What is known about one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is not revoked.
    Good,
    /// It is revoked.
    Revoked,
    /// The service did not say.
    Unavailable,
}

/// What can be said about a token now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    Known(Answer),
    /// It is being asked about, or will be; its answer comes by then.
    Pending(Timestamp),
    /// Its claims make no question.
    Unaskable,
}

/// An answer that has come.
#[derive(Debug)]
pub struct Received {
    /// What it means.
    pub answer: Answer,
    /// Why it means nothing, where it does.
    pub failure: Option<Failure>,
    /// Whether the service has just begun to fail, or has ended it.
    pub is_news: bool,
}

impl Received {
    /// The stable `snake_case` code for metrics: `good`, `revoked`, or the cause of a failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match (&self.failure, self.answer) {
            (Some(failure), _) => failure.code(),
            (None, Answer::Revoked) => "revoked",
            (None, _) => "good",
        }
    }
}

/// A service that is asked, its answers, and the questions under way, as one worker sees them.
#[derive(Debug)]
pub struct Lookups {
    source: Lookup,
    sets: Vec<[Option<Entry>; WAYS]>,
    /// Whether the last question was not answered.
    is_failing: bool,
    under_way: Vec<UnderWay>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: LookupKey,
    answer: Answer,
    until: Timestamp,
}

#[derive(Debug)]
struct UnderWay {
    key: LookupKey,
    /// Until when its answer counts.
    until: Timestamp,
    /// The URL, until it has been sent.
    unsent: Option<HttpUri>,
}

impl Lookups {
    /// The service of this source.
    #[must_use]
    pub fn new(source: Lookup) -> Self {
        Self { source, sets: vec![[None; WAYS]; SETS], is_failing: false, under_way: Vec::new() }
    }

    /// What is known about a token with these marks; a question is made ready if nothing is.
    pub(super) fn look(&mut self, marks: &Marks, now: Timestamp) -> Looked {
        let Some(path) = path(&self.source.template, marks) else { return Looked::Unaskable };
        let key = key(&path);
        // What ends later than it could was written before the clock was set back.
        let latest = now.saturating_add(self.source.ttl.max(FAILURE_TIME));
        let counts = |entry: &&mut Entry| entry.key == key && now < entry.until && entry.until <= latest;
        if let Some(entry) = self.set(&key).iter_mut().flatten().find(counts) {
            return Looked::Known(entry.answer);
        }
        let until = now.saturating_add(self.source.http.timeout).saturating_add(FAILURE_TIME);
        let is_open = |question: &UnderWay| now < question.until && question.until <= until;
        if let Some(question) = self.under_way.iter().find(|question| question.key == key) {
            if is_open(question) {
                return Looked::Pending(question.until);
            }
            // Whoever has waited for it waits no longer, nor asks again at once.
            let was_failing = self.is_failing;
            let answer = self.receive(key, Response::Failed(Failure::Timeout), now).answer;
            self.is_failing = was_failing;
            return Looked::Known(answer);
        }
        self.under_way.retain(is_open);
        if self.under_way.len() >= MAX_UNDER_WAY {
            return Looked::Known(Answer::Unavailable);
        }
        let http = HttpUri { path_and_query: path, ..self.source.http.clone() };
        self.under_way.push(UnderWay { key, until, unsent: Some(http) });
        Looked::Pending(until)
    }

    /// Whether tokens without `jti` cannot be asked about.
    pub(super) fn names_token_id(&self) -> bool {
        self.source.names_token_id()
    }

    /// The question about a token with these marks, if it is under way.
    #[must_use]
    pub fn question(&self, marks: &Marks) -> Option<LookupKey> {
        let key = key(&path(&self.source.template, marks)?);
        self.under_way.iter().any(|question| question.key == key).then_some(key)
    }

    /// The questions that are to be sent now.
    pub fn take_unsent(&mut self) -> Vec<(LookupKey, HttpUri)> {
        self.under_way.iter_mut().filter_map(|question| Some((question.key, question.unsent.take()?))).collect()
    }

    /// Where the service is.
    #[must_use]
    pub fn http(&self) -> &HttpUri {
        &self.source.http
    }

    /// Takes in an answer. One to a question that nobody waits for any more, being too late or the second, is forgotten.
    pub fn receive(&mut self, key: LookupKey, response: Response, now: Timestamp) -> Received {
        let position = self.under_way.iter().position(|question| question.key == key);
        let (mut answer, failure) = match judge(&self.source.revoked_when, response) {
            Ok(true) => (Answer::Revoked, None),
            Ok(false) => (Answer::Good, None),
            Err(failure) => (Answer::Unavailable, Some(failure)),
        };
        if let Some(position) = position {
            self.under_way.swap_remove(position);
            let time = if failure.is_some() { FAILURE_TIME.min(self.source.ttl) } else { self.source.ttl };
            let set = self.set(&key);
            let same = set.iter().position(|known| known.is_some_and(|known| known.key == key));
            let oldest = || (0..WAYS).min_by_key(|way| set.get(*way).map(|known| known.map(|known| known.until)));
            if let Some(place) = same.or_else(oldest).and_then(|way| set.get_mut(way)) {
                // What was revoked stays so while nobody can tell.
                if failure.is_some() && same.is_some() && place.is_some_and(|known| known.answer == Answer::Revoked) {
                    answer = Answer::Revoked;
                }
                *place = Some(Entry { key, answer, until: now.saturating_add(time) });
            }
        }
        let is_news = self.is_failing != failure.is_some();
        self.is_failing = failure.is_some();
        Received { answer, failure, is_news }
    }

    fn set(&mut self, key: &LookupKey) -> &mut [Option<Entry>] {
        self.sets.get_mut(index(key)).map_or(&mut [], |set| set.as_mut_slice())
    }
}

fn index(key: &LookupKey) -> usize {
    let [first, second, ..] = *key;
    usize::from(u16::from_le_bytes([first, second])) % SETS
}

fn key(path: &str) -> LookupKey {
    Sha256::digest(path.as_bytes()).first_chunk().copied().unwrap_or_default()
}

/// The URL that asks about a token; `None` if it lacks a claim that the URL names, or has one that makes no path.
fn path(template: &[TemplatePart], marks: &Marks) -> Option<String> {
    let mut path = String::with_capacity(96);
    for part in template {
        match part {
            TemplatePart::Text(text) => path.push_str(text),
            TemplatePart::TokenId => push_encoded(&mut path, marks.token_id.as_deref()?)?,
            TemplatePart::Subject => push_encoded(&mut path, marks.subject.as_deref()?)?,
            TemplatePart::Issuer => push_encoded(&mut path, marks.issuer.as_deref()?)?,
        }
    }
    Some(path)
}

/// Encodes all but letters, digits, `-`, `_` and `~`: a service may take a dot for the beginning of a suffix, as Webdis
/// does, and resolve `.` and `..` even where they are encoded, so these are no claims to ask about.
fn push_encoded(path: &mut String, claim: &str) -> Option<()> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if matches!(claim, "" | "." | "..") || claim.len() > MAX_CLAIM {
        return None;
    }
    for byte in claim.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.extend(
                [byte >> 4, byte & 15].map(|digit| HEX.get(usize::from(digit)).copied().map_or('0', char::from)),
            );
        }
    }
    Some(())
}

/// Whether the answer says that the token is revoked.
fn judge(revoked_when: &RevokedWhen, response: Response) -> Result<bool, Failure> {
    let (status, body) = match response {
        Response::Failed(failure) => return Err(failure),
        Response::Arrived { status, body, .. } => (status, body),
    };
    match revoked_when {
        RevokedWhen::Status(revoked) => match status {
            _ if status == *revoked => Ok(true),
            200 | 204 | 404 => Ok(false),
            _ => Err(Failure::Status(status)),
        },
        RevokedWhen::Member { .. } if status != 200 => Err(Failure::Status(status)),
        RevokedWhen::Member { pointer, equals: value } => {
            let document = std::str::from_utf8(&body).ok().and_then(|text| read_value(text).ok());
            let member =
                document.as_ref().and_then(|document| document.pointer(pointer)).ok_or(Failure::NotAnAnswer)?;
            let is_of_its_type = match value {
                ClaimValue::Text(_) => member.is_string(),
                ClaimValue::Number(_) => member.is_number(),
                ClaimValue::Bool(_) => member.is_boolean(),
            };
            // Webdis gives `[false, "LOADING ..."]` in the place of a number where Redis answers with an error.
            if is_of_its_type || member.is_null() { Ok(equals(value, member)) } else { Err(Failure::NotAnAnswer) }
        }
    }
}

#[cfg(test)]
#[path = "lookup_tests.rs"]
mod tests;
