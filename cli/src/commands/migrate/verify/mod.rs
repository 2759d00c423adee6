//! Whether `jwt_authn` and what comes of its configuration decide alike: sample requests through both, in one Envoy.

mod bootstrap;
mod cause;
mod client;
mod comparison;
mod envoy;
mod folder;
mod pair;
mod report;
mod request;
mod sample;
mod template;
#[cfg(test)]
mod tests;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::note::Draft;
use crate::signals::Signals;
use crate::{Stop, clock};
use client::Outcome;
use comparison::Comparison;
use pair::Pair;
use request::Request;
use sample::{Sample, Samples};
use template::Template;

/// How the result is tried.
#[derive(Args)]
pub(super) struct Verify {
    /// Send sample requests through `jwt_authn` and the result, in one Envoy, and tell where they differ and why. The keys
    /// are made for that: what is compared is all but the issuer's keys.
    #[arg(long = "verify", id = "verify")]
    is_wanted: bool,
    /// The Envoy to start. Default: $ENVOY, or `envoy` on the PATH.
    #[arg(long, value_name = "FILE", requires = "verify")]
    envoy: Option<PathBuf>,
    /// The filter, as `make build` leaves it.
    #[arg(long, value_name = "FILE", requires = "verify", default_value = "dist/jwt_warden.wasm")]
    module: PathBuf,
    /// A token as your issuer makes them; may be given several times. What it says is signed anew, with its times moved to now:
    /// the token itself goes nowhere.
    #[arg(long = "token", value_name = "TOKEN|@FILE|-", requires = "verify")]
    tokens: Vec<String>,
    /// A request to try beside those that the rules suggest, such as `POST /orders?a=1`; may be given several times.
    #[arg(long = "request", value_name = "METHOD PATH", requires = "verify")]
    requests: Vec<String>,
}

/// How long all samples may take, in seconds.
const PATIENCE: u64 = 600;

/// What `jwt_authn` and the filter made of each sample of each configuration.
type Outcomes = Vec<Vec<[Outcome; 2]>>;

/// What is sent, and through which Envoy.
struct Trial {
    envoy: PathBuf,
    bootstrap: serde_json::Value,
    /// The samples of each configuration.
    samples: Vec<Vec<Sample>>,
}

impl Verify {
    pub(super) const fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Tries the result; whether nobody has to look at what came of that.
    pub(super) fn run(&self, drafts: &[Draft]) -> Result<bool, Stop> {
        let module = std::path::absolute(&self.module).ok().filter(|module| module.is_file()).ok_or_else(|| {
            format!("--module {}: there is no such file: `make build` makes it", self.module.display())
        })?;
        let pairs = drafts.iter().map(Pair::new).collect::<Result<Vec<_>, _>>()?;
        let templates = self.tokens.iter().map(|text| Template::read(text)).collect::<Result<Vec<_>, _>>()?;
        let requests = self.requests.iter().map(|text| Request::read(text)).collect::<Result<Vec<_>, _>>()?;
        let now = clock::now();
        let samples = pairs.iter().map(|pair| Samples::new(pair, &templates, &requests, now));
        let samples = samples.collect::<Result<Vec<_>, _>>()?;
        let (samples, gaps): (Vec<_>, Vec<_>) = samples.into_iter().map(|samples| (samples.list, samples.gaps)).unzip();
        let trial = Trial {
            envoy: envoy::binary(self.envoy.as_deref()),
            bootstrap: bootstrap::bootstrap(&pairs, &module),
            samples,
        };
        let (trial, version, outcomes) = conducted(trial)?;
        let mut comparisons = Vec::new();
        for ((draft, samples), outcomes) in drafts.iter().zip(&trial.samples).zip(&outcomes) {
            let mut comparison = Comparison::default();
            samples.iter().zip(outcomes).for_each(|(sample, both)| comparison.add(sample, both, &draft.notes));
            comparisons.push(comparison);
        }
        Ok(report::report(&version, comparisons.iter().zip(gaps.iter().map(Vec::as_slice))))
    }
}

/// Sends the samples, unless a signal ends it: then Envoy ends too, and its folder goes.
fn conducted(trial: Trial) -> Result<(Trial, String, Outcomes), Stop> {
    let unusable = |error| format!("cannot verify: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unusable)?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(unusable)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let heeded = Arc::clone(&is_over);
        let mut work = tokio::task::spawn_blocking(move || {
            trial.conduct(&heeded).map(|(version, outcomes)| (trial, version, outcomes))
        });
        tokio::select! {
            done = &mut work => done.map_err(|error| format!("cannot verify: {error}"))?,
            _ = signals.next() => {
                is_over.store(true, Ordering::Relaxed);
                let _ = work.await;
                Err("stopped by a signal".to_owned())
            }
        }
    })
}

impl Trial {
    fn conduct(&self, is_over: &AtomicBool) -> Result<(String, Outcomes), Stop> {
        let envoy = envoy::Envoy::start(&self.envoy, &self.bootstrap, is_over)?;
        let end = clock::now().as_secs().saturating_add(PATIENCE);
        let mut all = Vec::new();
        for (index, samples) in self.samples.iter().enumerate() {
            let [native, warden] =
                [bootstrap::native_name(index), bootstrap::warden_name(index)].map(|name| envoy.port(&name));
            let (native, warden) = (native?, warden?);
            let mut outcomes = Vec::new();
            for sample in samples {
                if is_over.load(Ordering::Relaxed) {
                    return Err("stopped".to_owned());
                }
                if clock::now().as_secs() > end {
                    return Err(format!("the samples take longer than {PATIENCE} seconds: give fewer files at a time"));
                }
                outcomes.push([client::send(native, &sample.request)?, client::send(warden, &sample.request)?]);
            }
            all.push(outcomes);
        }
        Ok((envoy.version(), all))
    }
}
