//! Everything that is known about the tokens of one provider that are revoked.

use super::Revoked;
use super::lookup::{Answer, Looked, Lookups};
use super::marks::{Marks, Status};
use super::polled::{PolledDenylist, PolledStatusList, Source};
use crate::config::Revocation;
use crate::time::Timestamp;

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has not been revoked.
    Good,
    /// It has been revoked; why.
    Revoked(Revoked),
    /// It lacks a claim by which it could be revoked; which.
    Unmarked(&'static str),
    /// What tells it comes by then.
    Pending(Timestamp),
    /// Nobody can tell; why.
    Unavailable(&'static str),
}

/// The revocations of one provider, as one worker sees them.
#[derive(Debug)]
pub struct ProviderRevocation {
    require_token_id: bool,
    denylists: Vec<PolledDenylist>,
    status_lists: Vec<PolledStatusList>,
    lookups: Option<Lookups>,
}

impl ProviderRevocation {
    /// The revocations by these settings; `max_bytes` bounds each list.
    #[must_use]
    pub fn new(settings: &Revocation, max_bytes: usize) -> Self {
        let denylist = |list: &_| PolledDenylist::new(Clone::clone(list), max_bytes);
        let status_list = |list: &_| PolledStatusList::new(Clone::clone(list), max_bytes);
        Self {
            require_token_id: settings.require_token_id,
            denylists: settings.denylists.iter().map(denylist).collect(),
            status_lists: settings.status_lists.iter().map(status_list).collect(),
            lookups: settings.lookup.clone().map(Lookups::new),
        }
    }

    /// How a token with these marks stands, in a request that arrived at `arrival`. What revokes it wins, then what is
    /// still to come, then what cannot be told: the operator may let that pass, and what is to come may revoke it.
    pub fn standing(&mut self, marks: &Marks, arrival: Timestamp, now: Timestamp) -> Standing {
        if self.require_token_id && marks.token_id.is_none() {
            return Standing::Unmarked("the token has no jti");
        }
        let mut worst = Standing::Good;
        for list in &self.denylists {
            worst.worsen(match list.serving(arrival, now) {
                Ok(list) => list.revokes(marks).map_or(Standing::Good, Standing::Revoked),
                Err(patience) => patience.map_or(Standing::Unavailable("a denylist cannot be had"), Standing::Pending),
            });
        }
        worst.worsen(self.listed(&marks.status, arrival, now));
        if let (Some(lookups), false) = (&mut self.lookups, worst.is_final()) {
            worst.worsen(looked_up(lookups, marks, self.require_token_id, arrival, now));
        }
        worst
    }

    fn listed(&self, status: &Status, arrival: Timestamp, now: Timestamp) -> Standing {
        if self.status_lists.is_empty() {
            return Standing::Good;
        }
        let (uri, index) = match status {
            Status::None => return Standing::Good,
            Status::Malformed => return Standing::Unmarked("the token's status cannot be read"),
            Status::Listed { uri, index } => (uri, *index),
        };
        let Some(list) = self.status_lists.iter().find(|list| list.uri() == uri) else {
            return Standing::Unmarked("the token's status list is not one of status_lists");
        };
        match list.serving(arrival, now).map(|list| list.status(index)) {
            Ok(Some(0)) => Standing::Good,
            Ok(Some(_)) => Standing::Revoked("its status list says so"),
            Ok(None) => Standing::Unmarked("the token's place is beyond its status list"),
            Err(patience) => patience.map_or(Standing::Unavailable("a status list cannot be had"), Standing::Pending),
        }
    }

    /// The documents that are fetched.
    pub fn sources(&mut self) -> impl Iterator<Item = &mut dyn Source> {
        let denylists = self.denylists.iter_mut().map(|list| list as &mut dyn Source);
        denylists.chain(self.status_lists.iter_mut().map(|list| list as &mut dyn Source))
    }

    /// The service that is asked about each token.
    pub fn lookups(&mut self) -> Option<&mut Lookups> {
        self.lookups.as_mut()
    }
}

fn looked_up(
    lookups: &mut Lookups,
    marks: &Marks,
    needs_token_id: bool,
    arrival: Timestamp,
    now: Timestamp,
) -> Standing {
    match lookups.look(marks, arrival, now) {
        Looked::Known(Answer::Good) => Standing::Good,
        Looked::Known(Answer::Revoked) => Standing::Revoked("the look-up says so"),
        Looked::Known(Answer::Unavailable) => Standing::Unavailable("the look-up has no answer"),
        Looked::Pending(until) => Standing::Pending(until),
        Looked::Unaskable if !needs_token_id && marks.token_id.is_none() => Standing::Good,
        Looked::Unaskable => Standing::Unmarked("the token has no claims that the look-up can ask by"),
    }
}

impl Standing {
    /// Whether nothing could make it worse, so that nobody has to be asked.
    const fn is_final(self) -> bool {
        matches!(self, Self::Unmarked(_) | Self::Revoked(_))
    }

    fn worsen(&mut self, other: Self) {
        if other.rank() > self.rank() {
            *self = other;
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Unavailable(_) => 1,
            Self::Pending(_) => 2,
            Self::Unmarked(_) => 3,
            Self::Revoked(_) => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;

    use serde_json::json;

    use crate::config::parse;
    use crate::remote::{Failure, Response};
    use crate::revocation::{Outside, StatusListToken};
    use crate::shared_store::tests::Memory;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn no_status_list(_: &[u8]) -> Result<StatusListToken, Failure> {
        Err(Failure::NotVerifiable)
    }

    /// With two denylists, and a question about each `jti`.
    fn revocation() -> ProviderRevocation {
        let http = |uri: &str| json!({"uri": uri, "cluster": "c", "timeout": "1s"});
        let revocation = json!({
            "denylists": [{"http_uri": http("http://a/one")}, {"http_uri": http("http://a/two")}],
            "lookup": {"http_uri": http("http://a/{jti}"), "ttl": "100ms", "revoked_when": {"status": 200}},
            "on_unavailable": "allow",
        });
        let provider = json!({
            "issuer": "i", "any_audience": true, "revocation": revocation,
            "remote_jwks": {"http_uri": http("http://a/keys")},
        });
        let config = json!({"providers": {"p": provider}, "rules": [{"match": {"prefix": "/"}}]});
        let config = parse(config.to_string().as_bytes(), &|_| None).unwrap().config;
        ProviderRevocation::new(config.providers[0].revocation.as_deref().unwrap(), 1024)
    }

    fn marks() -> Marks {
        Marks { token_id: Some("1".into()), ..Marks::default() }
    }

    fn arrived(status: u16, body: &str) -> Response {
        Response::Arrived { status, cache_control: None, etag: None, body: body.into() }
    }

    /// Has this list fetched, with this answer.
    fn fetched(revocation: &mut ProviderRevocation, index: usize, response: Response) {
        let store = Memory::default();
        let outside = Outside { store: &store, now: NOW, entropy: 0, verify: &no_status_list };
        let source = revocation.sources().nth(index).unwrap();
        let attempt = source.poll(outside).fetch.unwrap();
        let _ = source.finish(attempt, response, outside);
    }

    fn answered(revocation: &mut ProviderRevocation, status: u16, now: Timestamp) {
        let lookups = revocation.lookups().unwrap();
        let [(key, _)] = lookups.take_unsent()[..] else { panic!("one question") };
        let _ = lookups.receive(key, arrived(status, ""), now);
    }

    #[test]
    fn what_cannot_be_told_hides_nothing_that_revokes() {
        let mut revocation = revocation();
        fetched(&mut revocation, 0, Response::Failed(Failure::Timeout));
        assert!(matches!(revocation.standing(&marks(), NOW, NOW), Standing::Pending(_)), "the other list is to come");
        fetched(&mut revocation, 1, arrived(200, "{}"));
        assert!(matches!(revocation.standing(&marks(), NOW, NOW), Standing::Pending(_)), "the answer is to come");
        answered(&mut revocation, 200, NOW);
        assert!(matches!(revocation.standing(&marks(), NOW, NOW), Standing::Revoked(_)));
    }

    #[test]
    fn what_cannot_be_told_stays_so_where_nothing_revokes() {
        let mut revocation = revocation();
        fetched(&mut revocation, 0, Response::Failed(Failure::Timeout));
        fetched(&mut revocation, 1, arrived(200, "{}"));
        assert!(matches!(revocation.standing(&marks(), NOW, NOW), Standing::Pending(_)));
        answered(&mut revocation, 404, NOW);
        assert!(matches!(revocation.standing(&marks(), NOW, NOW), Standing::Unavailable(_)));
    }

    #[test]
    fn who_has_waited_for_keys_is_asked_about_too() {
        let mut revocation = revocation();
        (0..2).for_each(|index| fetched(&mut revocation, index, arrived(200, "{}")));
        let later = NOW.saturating_add(Duration::from_secs(20));
        assert!(matches!(revocation.standing(&marks(), NOW, later), Standing::Pending(_)));
        answered(&mut revocation, 200, later);
        assert!(matches!(revocation.standing(&marks(), NOW, later), Standing::Revoked(_)));
    }

    #[test]
    fn an_answer_counts_for_those_who_came_before_it() {
        let after = |millis| NOW.saturating_add(Duration::from_millis(millis));
        for (status, standing) in [(500, Standing::Unavailable("the look-up has no answer")), (404, Standing::Good)] {
            let mut revocation = revocation();
            (0..2).for_each(|index| fetched(&mut revocation, index, arrived(200, "{}")));
            assert!(matches!(revocation.standing(&marks(), NOW, NOW), Standing::Pending(_)));
            answered(&mut revocation, status, after(500));
            assert_eq!(revocation.standing(&marks(), after(500), after(9000)), standing);
            assert!(matches!(revocation.standing(&marks(), after(501), after(9000)), Standing::Pending(_)));
        }
    }

    #[test]
    fn an_answer_does_not_outlive_a_clock_that_is_set_back() {
        let mut revocation = revocation();
        (0..2).for_each(|index| fetched(&mut revocation, index, arrived(200, "{}")));
        assert!(matches!(revocation.standing(&marks(), NOW, NOW), Standing::Pending(_)));
        answered(&mut revocation, 404, NOW);
        assert_eq!(revocation.standing(&marks(), NOW, NOW), Standing::Good);
        let before = NOW.saturating_sub(Duration::from_secs(1));
        assert!(matches!(revocation.standing(&marks(), before, before), Standing::Pending(_)));
    }
}
