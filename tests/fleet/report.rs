//! The figures of a story, as text.

use std::fmt;

use crate::simulation::Account;

/// The phase that may be a stampede: the fleet's own start.
pub const START: &str = "start of the whole fleet";
/// Each phase with its first second and the one after its last.
const PHASES: [(&str, usize, usize); 6] = [
    (START, 0, 10),
    ("the first refreshes", 10, 1800),
    ("rotation", 1800, 2100),
    ("after it", 2100, 2700),
    ("outage of ten minutes", 2700, 3300),
    ("recovery", 3300, 4200),
];

/// What the issuer had to bear in one phase.
pub struct Phase {
    pub name: &'static str,
    pub seconds: usize,
    pub peak: u32,
    pub total: u32,
}

/// What came of a story.
pub struct Figures {
    pub phases: Vec<Phase>,
    pub refused: usize,
    pub recovered: usize,
    delays: Vec<u64>,
    recoveries: Vec<u64>,
}

impl Figures {
    pub fn of(account: &Account) -> Self {
        let phase = |(name, from, to): (&'static str, usize, usize)| {
            let load = &account.load[from..to];
            Phase { name, seconds: to - from, peak: load.iter().copied().max().unwrap_or(0), total: load.iter().sum() }
        };
        Self {
            phases: PHASES.into_iter().map(phase).collect(),
            refused: account.refused,
            recovered: account.recoveries.len(),
            delays: account.delays.clone(),
            recoveries: account.recoveries.clone(),
        }
    }

    /// The share's delay of a proxy's first token of the new key, in milliseconds.
    pub fn delay(&self, share: f64) -> u64 {
        quantile(&self.delays, share)
    }

    /// The share's time from the end of the outage to the next set, in milliseconds.
    pub fn recovery(&self, share: f64) -> u64 {
        quantile(&self.recoveries, share)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
fn quantile(sorted: &[u64], share: f64) -> u64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| phase | seconds | peak per second | share of the fleet | total |")?;
        writeln!(formatter, "|---|---|---|---|---|")?;
        for Phase { name, seconds, peak, total } in &self.phases {
            let share = f64::from(*peak) / f64::from(crate::PROXIES) * 100.0;
            writeln!(formatter, "| {name} | {seconds} | {peak} | {share:.2} % | {total} |")?;
        }
        writeln!(formatter)?;
        let delays = [0.5, 0.99, 1.0].map(|share| self.delay(share));
        let [median, most, longest] = delays;
        writeln!(formatter, "A proxy's first token of the new key waits {median} ms (median), {most} ms (99 of 100),")?;
        writeln!(formatter, "{longest} ms (longest); refused: {}.", self.refused)?;
        let [median, longest] = [0.5, 1.0].map(|share| self.recovery(share) / 1000);
        writeln!(
            formatter,
            "After the outage a proxy has a fresh set within {median} s (median), {longest} s (longest)."
        )
    }
}

/// The page about the fleet.
pub fn markdown(usual: &Figures, worst: &Figures) -> String {
    format!(
        "# What a fleet asks of its issuer

Ten thousand proxies, each with the filter's own cache and the default settings, and one issuer, in simulated time
(`tests/fleet`): the issuer answers 2,000 fetches per second, 20 ms and on average another 60 ms away; it sends no
`Cache-Control`. All proxies start within one second. After 30 minutes the issuer publishes a new key and signs with it at
once. From minute 45 to 55 it refuses every connection.

![Fetches per second](fleet.svg)

## Tokens of the new key come with the traffic

Each proxy sees its first token of the new key after an exponentially distributed time with a mean of 60 s: tokens live for
an hour, and sixty clients use a proxy.

{usual}
Outside the fleet's own start the peak stays under 2 % of the fleet per second. What that costs: a token whose `kid` is new
waits for one fetch; after an outage a set is up to 150 s older than it could be (a quarter of `cache_duration`), unless a
token with a new `kid` asks for it, which the back-off alone delays.

## The worst case: they reach every proxy within one second

{worst}
A proxy cannot know the others, and none can accept a token without its key: no refusals and no stampede exclude each
other here. The filter refuses nobody. Spreading the fetches over 75 s would keep them under 2 %, and let the first tokens
of the new key wait for 37 s on average, longer than clients do. Issuers avoid both: they publish a key at least one
`cache_duration` before they sign with it, and then no token asks for a fetch.
"
    )
}
