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
    /// still to come, then what cannot be told.
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
        if let (Some(lookups), false) =
            (&mut self.lookups, matches!(worst, Standing::Revoked(_) | Standing::Unmarked(_)))
        {
            worst.worsen(looked_up(lookups, marks, now));
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

fn looked_up(lookups: &mut Lookups, marks: &Marks, now: Timestamp) -> Standing {
    match lookups.look(marks, now) {
        Looked::Known(Answer::Good) => Standing::Good,
        Looked::Known(Answer::Revoked) => Standing::Revoked("the look-up says so"),
        Looked::Known(Answer::Unavailable) => Standing::Unavailable("the look-up has no answer"),
        Looked::Pending(until) => Standing::Pending(until),
        // Whoever wants it otherwise has said so with `require_jti`.
        Looked::Unaskable if marks.token_id.is_none() && lookups.names_token_id() => Standing::Good,
        Looked::Unaskable => Standing::Unmarked("the token has no claims that the look-up can ask by"),
    }
}

impl Standing {
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
#[path = "provider_tests.rs"]
mod tests;
