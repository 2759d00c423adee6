//! Istio's conditions on paths, methods and hosts.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::fields::Fields;
use super::note::{Kind, Scribe};
use super::policy::Action;
use super::region::{Host, Path, Region};
use crate::yaml::Node;

/// The requests that an operation is about.
pub(super) struct Wanted {
    pub(super) within: Vec<Region>,
    pub(super) without: Vec<Region>,
    /// What is asked for beside these.
    pub(super) foreign: Vec<String>,
}

/// What the segments of a path consist of, where Istio takes any.
const SEGMENT: &str = "[a-zA-Z0-9._~%!$&'()+,;:@=-]";

/// The operations of a rule.
pub(super) fn operations(items: &[Rc<Node>], action: Action, scribe: &mut Scribe) -> Vec<Wanted> {
    items.iter().map(|item| operation(item, action, scribe)).collect()
}

fn operation(item: &Node, action: Action, scribe: &mut Scribe) -> Wanted {
    let empty = Fields::of(item);
    let Some(node) = item.get("operation") else {
        return Wanted {
            within: vec![Region::ALL],
            without: Vec::new(),
            foreign: vec!["`to` without `operation`".into()],
        };
    };
    let fields = Fields::of(node);
    empty.take("operation");
    // Where more has to be taken than is meant, and where less: what is excluded is the other way round.
    let mut reader = Reader { wide: action == Action::Deny, unclear: Vec::new() };
    let paths: Vec<Path> = fields.texts("paths").iter().filter_map(|text| reader.path(text)).collect();
    let methods = reader.methods(&fields.texts("methods"));
    let hosts: Vec<Host> = fields.texts("hosts").iter().map(|text| host(text)).collect();
    reader.wide = !reader.wide;
    let mut without: Vec<Region> = Vec::new();
    without.extend(fields.texts("notPaths").iter().filter_map(|text| reader.path(text)).map(of_path));
    let methods_out = fields.texts("notMethods");
    if let Some(methods) = reader.methods(&methods_out) {
        without.push(Region { methods: Some(methods), ..Region::ALL });
    } else if !methods_out.is_empty() {
        without.push(Region::ALL);
    }
    without.extend(fields.texts("notHosts").iter().map(|text| Region { host: host(text), ..Region::ALL }));
    for text in reader.unclear {
        let sentence = format!("{text:?} cannot be told exactly: what is in doubt is refused");
        scribe.note(Kind::Stricter, "rules", node.at, sentence);
    }
    let foreign = fields.rest().chain(empty.rest()).map(|member| member.name.clone()).collect();
    let paths = if fields.texts("paths").is_empty() { vec![Path::Any] } else { paths };
    let hosts = if hosts.is_empty() { vec![Host::Any] } else { hosts };
    let of_paths = paths.iter().flat_map(|path| hosts.iter().map(move |host| (path, host)));
    let region =
        |(path, host): (&Path, &Host)| Region { path: path.clone(), methods: methods.clone(), host: host.clone() };
    let within = of_paths.map(region).filter(|region| region.methods.as_ref().is_none_or(|some| !some.is_empty()));
    Wanted { within: within.collect(), without, foreign }
}

fn of_path(path: Path) -> Region {
    Region { path, ..Region::ALL }
}

struct Reader {
    /// Whether more is taken where a text cannot be told exactly, or else less.
    wide: bool,
    unclear: Vec<String>,
}

impl Reader {
    fn path(&mut self, text: &str) -> Option<Path> {
        if text.contains('{') {
            return self.template(text);
        }
        Some(match (text.strip_prefix('*'), text.strip_suffix('*')) {
            _ if text == "*" => Path::Any,
            (Some(end), _) => Path::Matching(format!(".*{}", escaped(end))),
            (None, Some(begin)) => Path::Prefix(begin.to_owned()),
            (None, None) => Path::Exact(text.to_owned()),
        })
    }

    /// `{*}` is a segment, `{**}` are any number of them.
    fn template(&mut self, text: &str) -> Option<Path> {
        let (one, many) = if self.wide {
            ("[^/]+".into(), ".*".into())
        } else {
            (format!("{SEGMENT}+"), format!("(?:{SEGMENT}|/)*"))
        };
        let regex = text.split("{**}").map(|part| part.split("{*}").map(escaped).collect::<Vec<_>>().join(&one));
        let regex = regex.collect::<Vec<_>>().join(&many);
        let is_template = !text.replace("{**}", "").replace("{*}", "").contains(['{', '}', '*']);
        if is_template {
            return Some(Path::Matching(regex));
        }
        self.unclear.push(text.to_owned());
        self.wide.then_some(Path::Any)
    }

    /// The methods; `None` for any.
    fn methods(&mut self, texts: &[String]) -> Option<BTreeSet<String>> {
        if texts.is_empty() || texts.iter().any(|text| text == "*") {
            return None;
        }
        let (unclear, clear): (Vec<_>, Vec<_>) = texts.iter().cloned().partition(|text| text.contains('*'));
        let is_unclear = !unclear.is_empty();
        self.unclear.extend(unclear);
        (!(is_unclear && self.wide)).then(|| clear.into_iter().collect())
    }
}

/// Envoy compares hosts without case.
fn host(text: &str) -> Host {
    let text = text.to_ascii_lowercase();
    match (text.strip_prefix("*."), text.strip_prefix('*'), text.strip_suffix('*')) {
        _ if text == "*" => Host::Any,
        (Some(domain), ..) if !domain.is_empty() => Host::Below(domain.to_owned()),
        (_, Some(end), _) => Host::Text("suffix", end.to_owned()),
        (_, None, Some(begin)) => Host::Text("prefix", begin.to_owned()),
        _ => Host::Exact(text),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
