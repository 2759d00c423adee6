//! The issuer: a queue in front of a server, and a network between.

use crate::random::Random;

/// How many answers it can give in a second.
const CAPACITY: f64 = 2000.0;
/// The shortest way there and back, and the mean of what comes on top of it, in milliseconds.
const SHORTEST_LATENCY: f64 = 20.0;
const MEAN_FURTHER_LATENCY: f64 = 60.0;
/// When a proxy gives up, in milliseconds.
const TIMEOUT: u64 = 5000;

/// One server with a queue.
#[derive(Default)]
pub struct Issuer {
    busy_until: f64,
}

impl Issuer {
    /// When the answer to a fetch is there, or when the proxy gives up.
    pub fn serve(&mut self, now: u64, random: &mut Random) -> Result<u64, u64> {
        #[allow(clippy::cast_precision_loss, reason = "an hour in milliseconds")]
        let begin = self.busy_until.max(now as f64);
        self.busy_until = begin + 1000.0 / CAPACITY;
        let arrival = whole(self.busy_until) + latency(random);
        if arrival < now + TIMEOUT { Ok(arrival) } else { Err(now + TIMEOUT) }
    }
}

/// The way there and back.
pub fn latency(random: &mut Random) -> u64 {
    whole(SHORTEST_LATENCY + random.exponential(MEAN_FURTHER_LATENCY))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
fn whole(millis: f64) -> u64 {
    millis.ceil() as u64
}
