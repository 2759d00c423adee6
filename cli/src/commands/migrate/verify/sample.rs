//! What is sent: for each rule a request with each token, and requests beside the rules.

use std::collections::{BTreeMap, BTreeSet};

use jwt_warden::config::{HeaderPrefix, ProviderId, Requirement, TokenLocation};
use jwt_warden::matcher::Found;
use jwt_warden::reason::Reason;
use jwt_warden::time::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::pair::Pair;
use super::request::Request;
use super::template::Template;
use super::token::{Token, takes, tokens};
use crate::Stop;

/// More are nobody's patience.
const MAX_SAMPLES: usize = 4000;

/// A request, and what it is in words: these hold no token.
pub(super) struct Sample {
    pub(super) request: Request,
    pub(super) words: String,
    /// Whether it is an ordinary request with a good token.
    pub(super) is_good: bool,
    /// Why the filter should refuse what it carries; `None` if it should not, or there is nothing.
    pub(super) flaw: Option<Reason>,
    /// Whether several parts of a requirement look at it.
    pub(super) is_compound: bool,
    /// Whether `jwt_authn` asks the providers of the token's issuer, wherever they look: under `allow_missing` and its like.
    pub(super) goes_by_issuer: bool,
}

/// The samples of one configuration, and sentences about what they leave out.
pub(super) struct Samples {
    pub(super) list: Vec<Sample>,
    pub(super) gaps: Vec<String>,
}

/// A provider, and the audiences that are asked for in the place of its own.
type Asked = (usize, Option<Vec<String>>);

struct Maker<'p> {
    pair: &'p Pair,
    templates: &'p [Template],
    now: Timestamp,
    made: BTreeMap<Asked, Vec<Token>>,
    samples: Samples,
}

impl Samples {
    pub(super) fn new(pair: &Pair, templates: &[Template], extra: &[Request], now: Timestamp) -> Result<Self, Stop> {
        let samples = Self { list: Vec::new(), gaps: Vec::new() };
        let mut maker = Maker { pair, templates, now, made: BTreeMap::new(), samples };
        let (own, unreached) = of_rules(pair, extra);
        for number in unreached {
            maker.samples.gaps.push(format!("rules[{number}]: no sample falls under it: name one by --request"));
        }
        let beside: Vec<_> =
            own.iter().flat_map(beside).chain([Request::get("/"), Request::get("/no-such-path")]).collect();
        for request in own.iter().chain(extra) {
            maker.add(request, true)?;
        }
        for request in beside.iter().filter(|request| !own.contains(request)) {
            maker.add(request, false)?;
        }
        maker.look_for_gaps();
        Ok(maker.samples)
    }
}

/// A request for each rule that one is found for, and the positions of the rules that none falls under.
fn of_rules(pair: &Pair, extra: &[Request]) -> (Vec<Request>, Vec<usize>) {
    let rules = pair.warden.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (mut requests, mut unreached) = (Vec::new(), Vec::new());
    for (position, rule) in rules.iter().enumerate() {
        let falls = |request: &Request| {
            request.with_core(|core| pair.authenticator.rules().find(core)) == Found::Rule(position)
        };
        let candidate = rule.get("match").and_then(Request::matching);
        let candidates = candidate.into_iter().flat_map(|request| [request.clone(), deeper(&request)]);
        match candidates.into_iter().find(&falls) {
            Some(request) => requests.push(request),
            None if extra.iter().any(&falls) => {}
            None => unreached.push(position),
        }
    }
    (requests, unreached)
}

/// Below a prefix that an earlier rule takes as a path, there may be something left.
fn deeper(request: &Request) -> Request {
    Request { path: format!("{}/sample", request.path.trim_end_matches('/')), ..request.clone() }
}

/// Near misses, and paths that an upstream may read in another way.
fn beside(request: &Request) -> Vec<Request> {
    let path = &request.path;
    let paths = [
        format!("{path}/x"),
        format!("{path}x"),
        path.to_ascii_uppercase(),
        format!("/{path}"),
        format!("{path}/../x"),
        path.replacen('a', "%61", 1),
    ];
    paths.into_iter().map(|path| Request { path, ..request.clone() }).collect()
}

impl Maker<'_> {
    /// The request without a token, and with those of each provider that is asked for: all of them, or only a good one.
    fn add(&mut self, request: &Request, all: bool) -> Result<(), Stop> {
        let pair = self.pair;
        let config = pair.authenticator.config();
        let mut good = request.clone();
        let (asked, goes_by_issuer) = asked(pair, request);
        let is_compound = asked.len() > 1;
        let sample = |request: Request, words: &str| Sample {
            request,
            words: words.to_owned(),
            is_good: false,
            flaw: None,
            is_compound,
            goes_by_issuer,
        };
        self.push(sample(request.clone(), "no token"));
        for (position, audiences) in asked.iter().collect::<BTreeSet<_>>() {
            let Some(provider) = config.providers.get(*position) else { continue };
            let tokens = self.tokens(*position, audiences.as_deref())?;
            let places: Vec<_> = provider.locations.iter().filter(|place| !place.is_dpop()).collect();
            for (index, place) in places.iter().enumerate() {
                let wanted = tokens.iter().filter(|token| token.flaw.is_none() || (all && index == 0));
                for token in wanted {
                    let words = format!("{}, {}, of provider {:?}", token.words, words(place), provider.name);
                    let mut with = sample(request.clone(), &words);
                    put(&mut with.request, place, &token.text);
                    (with.flaw, with.is_good) = (token.flaw, token.flaw.is_none() && all);
                    self.push_both(with, place);
                }
            }
            if let (Some(place), Some(token)) = (places.first(), tokens.first()) {
                put(&mut good, place, &token.text);
            }
        }
        if asked.len() > 1 && all {
            self.push(sample(good, "a good token of each provider that is asked for"));
        }
        Ok(())
    }

    fn tokens(&mut self, position: usize, audiences: Option<&[String]>) -> Result<Vec<Token>, Stop> {
        let key = (position, audiences.map(<[String]>::to_vec));
        if let Some(made) = self.made.get(&key) {
            return Ok(made.clone());
        }
        let made = tokens(self.pair, position, audiences, self.templates, self.now)?;
        self.made.insert(key, made.clone());
        Ok(made)
    }

    /// A good token in a cookie is tried in an unsafe request, too.
    fn push_both(&mut self, sample: Sample, place: &TokenLocation) {
        if sample.flaw.is_none() && matches!(place, TokenLocation::Cookie(_)) {
            let request = Request { method: "POST".to_owned(), ..sample.request.clone() };
            let (words, flaw) = (sample.words.clone(), Some(Reason::CsrfRefused));
            let (is_compound, goes_by_issuer) = (sample.is_compound, sample.goes_by_issuer);
            self.push(Sample { request, words, flaw, is_good: false, is_compound, goes_by_issuer });
        }
        self.push(sample);
    }

    fn push(&mut self, sample: Sample) {
        if self.samples.list.len() == MAX_SAMPLES {
            let sentence = format!("more than {MAX_SAMPLES} samples: the first of them are sent");
            if self.samples.gaps.last() != Some(&sentence) {
                self.samples.gaps.push(sentence);
            }
        } else if sample.request.can_be_sent() {
            self.samples.list.push(sample);
        }
    }

    fn look_for_gaps(&mut self) {
        let providers = &self.pair.authenticator.config().providers;
        for (index, template) in self.templates.iter().enumerate() {
            if !providers.iter().any(|provider| takes(provider, template)) {
                let sentence = format!("your token {}: no provider takes its issuer", index + 1);
                self.samples.gaps.push(sentence);
            }
        }
        for provider in providers {
            let needs = self.pair.provider(&provider.name).get("subjects");
            let is_known = needs.is_none_or(|subjects| super::request::fulfilling(subjects).is_some());
            if !is_known && !self.templates.iter().any(|template| takes(provider, template)) {
                let sentence = format!(
                    "provider {:?}: no good token is known for its `subjects`: give one by --token",
                    provider.name
                );
                self.samples.gaps.push(sentence);
            }
        }
    }
}

/// Whose tokens are asked for by each part of what the rule requires that the request falls under, and whether by issuer.
fn asked(pair: &Pair, request: &Request) -> (Vec<Asked>, bool) {
    let mut found = Vec::new();
    let mut goes_by_issuer = false;
    request.with_core(|core| {
        if let Ok((Some(requirement), _)) = pair.authenticator.asked_of(core) {
            goes_by_issuer = collect(requirement, &mut found);
        }
    });
    (found, goes_by_issuer)
}

fn collect(requirement: &Requirement, found: &mut Vec<Asked>) -> bool {
    let mut all = |ids: &[ProviderId]| found.extend(ids.iter().map(|id| (id.0, None)));
    let mut goes_by_issuer = false;
    match requirement {
        Requirement::Provider(one) => found.push((one.provider.0, one.audiences.clone())),
        Requirement::AnyProvider(ids) => all(ids),
        Requirement::AllowMissing(ids) | Requirement::AllowMissingOrFailed(ids) => {
            all(ids);
            goes_by_issuer = true;
        }
        Requirement::Any(parts, _) | Requirement::All(parts) => {
            for part in parts {
                goes_by_issuer |= collect(part, found);
            }
        }
    }
    goes_by_issuer
}

fn put(request: &mut Request, place: &TokenLocation, token: &str) {
    let (name, value) = match place {
        TokenLocation::Header { name, prefix } => (name.as_str(), prefixed(prefix, token)),
        TokenLocation::Cookie(name) => ("cookie", format!("{name}={token}")),
        TokenLocation::Query(name) => {
            let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string().replace("%5F", "_").replace("%2D", "-");
            request.query.push(format!("{name}={token}"));
            return;
        }
    };
    request.headers.push((name.to_owned(), value));
}

fn prefixed(prefix: &HeaderPrefix, token: &str) -> String {
    match prefix {
        HeaderPrefix::None => token.to_owned(),
        HeaderPrefix::Scheme(scheme) => format!("{scheme} {token}"),
        HeaderPrefix::Literal(text) => format!("{text}{token}"),
    }
}

fn words(place: &TokenLocation) -> String {
    match place {
        TokenLocation::Header { name, .. } => format!("in the header {name}"),
        TokenLocation::Query(name) => format!("in the parameter {name}"),
        TokenLocation::Cookie(name) => format!("in the cookie {name}"),
    }
}
