//! `jwt-warden explain`: one request and its token, step by step to the verdict.

mod case;
mod checks;
mod given;
mod instant;
mod question;
mod reasons;
mod report;
mod sources;
mod steps;
mod token;
mod verdict;
mod words;

use std::io::IsTerminal as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::{Config, Loaded};
use jwt_warden::crypto::Signatures;
use jwt_warden::decision::Decision;
use jwt_warden::route::Route;
use jwt_warden::verifier::Moment;

use crate::{Stop, output, pasted};
use case::Case;
use question::Question;
use report::{Step, Symbols};
use sources::{Described, GivenKeys, JwksFile, Memory, Unasked};

const AFTER_HELP: &str = "\
The verdict is the filter's own, at the time --at, for a client that has not failed before and a token that nobody has
revoked. Nothing is fetched: give the keys of providers with remote_jwks or discovery by --jwks.

Exit codes: 0 allowed, 1 refused, 2 the question could not be understood, 3 undecided for want of keys.

Examples:
  jwt-warden explain --config jwt-warden.json --token \"$TOKEN\" https://api.example/orders
  jwt-warden explain --config envoy.yaml --plugin 2 --jwks acme=jwks.json --token @token.txt /orders
  pbpaste | jwt-warden explain --config plugin.yaml --jwks jwks.json --token - --method POST /orders
  jwt-warden explain --config jwt-warden.json --header 'authorization: Bearer x' --at 2026-01-31T12:00:00Z /orders
";

/// Show the whole way of a request and its token to the verdict, step by step.
///
/// The steps are: the configuration and its warnings, the request as the filter sees it, the rule, what it requires, where
/// tokens were found, what they say, every check of them, what the rule asks of them, and the verdict with its cure and with
/// what the upstream would see. A token that is wrong in several ways shows them all; the verdict names the first.
/// Signatures are not shown, and keys by their thumbprints only.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Explain {
    /// The configuration: the filter's own, or an Envoy bootstrap or a manifest that has it; `-` is the standard input
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Which configuration, where the file has several: its number, from 1, or the plugin's name
    #[arg(long, value_name = "N|NAME")]
    plugin: Option<String>,
    /// The request's method
    #[arg(long, short = 'X', default_value = "GET")]
    method: String,
    /// A header of the request; as often as there are headers. `@FILE` has one in each line
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The URL with scheme and host, or the path alone
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// The same as an option
    #[arg(long = "url", value_name = "URL", conflicts_with = "url")]
    url_option: Option<String>,
    /// The token; it is put where the rule's provider looks first. `@FILE` reads it from a file, `-` from the standard input
    #[arg(long, value_name = "TOKEN|@FILE|-")]
    token: Option<String>,
    /// A proof of possession (RFC 9449) for the header DPoP; the token then comes under the scheme DPoP
    #[arg(long, value_name = "PROOF|@FILE|-")]
    dpop: Option<String>,
    /// The keys of providers that fetch theirs: of all, or of one of them; may be given for several
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    jwks: Vec<String>,
    /// The time of the request: RFC 3339, or seconds since 1970; now, if it is not given
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// A variable of the VM's environment, for `environment_variable`
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// The name of the route that Envoy chooses
    #[arg(long, value_name = "NAME")]
    route_name: Option<String>,
    /// What the metadata of that route say: `requirement_name=NAME` or `disabled=true`
    #[arg(long, value_name = "NAME=VALUE")]
    route_metadata: Vec<String>,
    /// The address of whoever has connected to Envoy, for `trusted_proxies`
    #[arg(long, value_name = "ADDRESS")]
    peer: Option<IpAddr>,
    /// SHA-256 of the certificate that the client has shown, in hexadecimal, for tokens that are bound to it
    #[arg(long, value_name = "SHA256")]
    client_certificate: Option<String>,
    /// Show the signatures of tokens, too
    #[arg(long)]
    show_signature: bool,
    /// For readers or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// For whom the answer is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// In sentences, in colour on a terminal
    Text,
    /// As one JSON object
    Json,
}

impl Explain {
    /// Explains.
    pub(crate) fn run(self) -> Result<ExitCode, Stop> {
        // A sentence may repeat what stands in a file.
        self.explain().map_err(|sentence| sentence.split('\n').map(report::escaped).collect::<Vec<_>>().join("\n"))
    }

    fn explain(self) -> Result<ExitCode, Stop> {
        let plugin = given::plugin(&self.config, self.plugin.as_deref())?;
        let Loaded { config, warnings } = given::load(&self.config, &plugin, &self.env)?;
        let files: Vec<_> = self.jwks.iter().map(|text| JwksFile::parse(text, &config)).collect();
        let keys = GivenKeys::new(&config, &files)?;
        let route = given::route(self.route_name.as_deref(), &self.route_metadata, &config)?;
        let now = self.at.as_deref().map_or_else(|| Ok(instant::now()), instant::parse)?;
        let revocations = Unasked::new(&config);
        let authenticator = Authenticator::new(config, Signatures::in_module(), 0);
        let question = self.question(&authenticator, &route)?;
        let certificate = self.client_certificate.as_deref().map(given::fingerprint).transpose()?;
        let connection = Described { is_tls: question.is_https, peer: self.peer, certificate };
        let store = Memory::default();
        let request = question.request().on_route(&route);
        let moment = Moment {
            keys: &keys,
            revocations: &revocations,
            connection: &connection,
            store: &store,
            arrival: now,
            now,
        };
        let decision = authenticator.decide(&request, moment);
        let file = self.config.display().to_string();
        let mut steps = vec![
            steps::configuration(&file, &plugin, authenticator.config(), &warnings),
            steps::request(&authenticator, &question, &request, &connection),
            steps::rule(&authenticator, &plugin, &request),
        ];
        let show_signature = self.show_signature;
        let case = Case { authenticator: &authenticator, request: &request, keys: &keys, moment, show_signature };
        steps.extend(case.steps());
        let shown = self.format.shown(&decision, authenticator.config(), steps);
        let shown = if show_signature { shown } else { report::without_signatures(&shown) };
        output::print(&shown)?;
        Ok(ExitCode::from(verdict::exit_code(&decision)))
    }

    /// The request, with the token where it belongs.
    fn question(&self, authenticator: &Authenticator, route: &Route) -> Result<Question, Stop> {
        let url = self.url.as_deref().or(self.url_option.as_deref());
        let url = url.ok_or("which URL? Give https://host/path, or the path alone")?;
        let mut question = Question::new(&self.method, url, &self.headers)?;
        if self.token.as_deref() == Some("-") && self.dpop.as_deref() == Some("-") {
            return Err("--dpop: the standard input is the token: give the proof as @FILE".to_owned());
        }
        let token = self.token.as_deref().map(|text| pasted::read("--token", text)).transpose()?;
        let proof = self.dpop.as_deref().map(|text| pasted::read("--dpop", text)).transpose()?;
        if let Some(pasted) = &token {
            let provider = {
                let request = question.request().on_route(route);
                let asked = authenticator.asked_of(&request).ok().and_then(|(requirement, _)| requirement);
                token::addressee(authenticator, asked, &pasted.token)
            };
            let place = token::place(&mut question, &pasted.token, proof.is_some(), provider);
            question.remarks.push(format!("the token is put {place}"));
            if !pasted.removed.is_empty() {
                question
                    .remarks
                    .push(format!("of the token as it was given, {} were left out", pasted.removed.join(", ")));
            }
        }
        if let Some(proof) = &proof {
            question.add("dpop", &proof.token);
        }
        Ok(question)
    }
}

impl Format {
    fn shown(self, decision: &Decision, config: &Config, mut steps: Vec<Step>) -> String {
        match self {
            Self::Json => report::ascii(&verdict::value(decision, config, &steps)) + "\n",
            Self::Text => {
                steps.push(verdict::step(decision, config));
                let symbols = Symbols { unicode: std::io::stdout().is_terminal() && given::speaks_utf8() };
                let shown = steps.iter().enumerate().map(|(index, step)| step.print(index + 1, symbols));
                shown.collect::<Vec<_>>().join("\n")
            }
        }
    }
}
