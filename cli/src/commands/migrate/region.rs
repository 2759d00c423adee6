//! Sets of requests by path, method and host: which of them holds another, and what two have in common.

use std::collections::BTreeSet;

use jwt_warden::pattern::Pattern;
use serde_json::{Map, Value, json};

/// A set of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) path: Path,
    /// `None` for any.
    pub(super) methods: Option<BTreeSet<String>>,
    pub(super) host: Host,
}

/// A set of paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path {
    Any,
    Exact(String),
    Prefix(String),
    /// Those that this expression matches.
    Matching(String),
}

/// A set of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Any,
    Exact(String),
    /// Those below a domain.
    Below(String),
    /// Those that begin (`prefix`) or end (`suffix`) so.
    Text(&'static str, String),
}

/// What two sets have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meet<T> {
    Nothing,
    This(T),
    /// Something, but no set that can be named.
    Unknown,
}

impl Region {
    /// All requests.
    pub(super) const ALL: Self = Self { path: Path::Any, methods: None, host: Host::Any };

    /// Whether all requests of `other` are surely in this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let methods = match (&self.methods, &other.methods) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(others)) => others.is_subset(mine),
        };
        methods && self.path.covers(&other.path) && self.host.covers(&other.host)
    }

    /// What both hold.
    pub(super) fn meet(&self, other: &Self) -> Meet<Self> {
        let methods = match (&self.methods, &other.methods) {
            (None, methods) | (methods, None) => methods.clone(),
            (Some(mine), Some(others)) => Some(mine.intersection(others).cloned().collect()),
        };
        if methods.as_ref().is_some_and(BTreeSet::is_empty) {
            return Meet::Nothing;
        }
        match (self.path.meet(&other.path), self.host.meet(&other.host)) {
            (Meet::Nothing, _) | (_, Meet::Nothing) => Meet::Nothing,
            (Meet::This(path), Meet::This(host)) => Meet::This(Self { path, methods, host }),
            _ => Meet::Unknown,
        }
    }

    /// Orders sets so that none stands behind one that holds it.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let path = match &self.path {
            Path::Exact(_) => (0, 0),
            Path::Matching(_) => (1, 0),
            Path::Prefix(text) => (2, usize::MAX - text.len()),
            Path::Any => (3, 0),
        };
        let host = match &self.host {
            Host::Exact(_) => (0, 0),
            Host::Text(_, text) => (1, usize::MAX - text.len()),
            Host::Below(domain) => (2, usize::MAX - domain.len()),
            Host::Any => (3, 0),
        };
        (path, host, self.methods.as_ref().map_or(usize::MAX, BTreeSet::len))
    }

    /// The filter's `match`.
    pub(super) fn to_match(&self) -> Value {
        let mut out = Map::new();
        match &self.path {
            Path::Exact(text) => out.insert("path".to_owned(), text.clone().into()),
            Path::Prefix(text) => out.insert("prefix".to_owned(), text.clone().into()),
            Path::Matching(regex) => out.insert("safe_regex".to_owned(), json!({"regex": regex})),
            Path::Any => out.insert("prefix".to_owned(), "/".into()),
        };
        out.extend(self.methods.as_ref().map(|methods| ("methods".to_owned(), json!(methods))));
        match &self.host {
            Host::Any => {}
            Host::Exact(host) => drop(out.insert("hosts".to_owned(), json!([host]))),
            Host::Below(domain) => drop(out.insert("hosts".to_owned(), json!([format!("*.{domain}")]))),
            Host::Text(kind, text) => {
                let condition = json!([{"name": ":authority", "string_match": {(*kind): text, "ignore_case": true}}]);
                out.insert("headers".to_owned(), condition);
            }
        }
        Value::Object(out)
    }
}

impl Path {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Prefix(prefix), Self::Prefix(text) | Self::Exact(text)) => text.starts_with(prefix.as_str()),
            (Self::Matching(regex), Self::Exact(text)) => matches(regex, text),
            (one, other) => one == other,
        }
    }

    fn meet(&self, other: &Self) -> Meet<Self> {
        match (self, other) {
            _ if self.covers(other) => Meet::This(other.clone()),
            _ if other.covers(self) => Meet::This(self.clone()),
            (Self::Matching(_), Self::Prefix(_) | Self::Matching(_)) | (Self::Prefix(_), Self::Matching(_)) => {
                Meet::Unknown
            }
            _ => Meet::Nothing,
        }
    }
}

/// An expression that cannot be compiled stops the migration later.
fn matches(regex: &str, text: &str) -> bool {
    Pattern::new(regex.to_owned()).is_ok_and(|pattern| pattern.matches(text.as_bytes()))
}

impl Host {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Below(domain), Self::Exact(host) | Self::Below(host)) => {
                host.strip_suffix(domain.as_str()).is_some_and(|labels| labels.ends_with('.')) || self == other
            }
            (one, other) => one == other,
        }
    }

    fn meet(&self, other: &Self) -> Meet<Self> {
        match (self, other) {
            _ if self.covers(other) => Meet::This(other.clone()),
            _ if other.covers(self) => Meet::This(self.clone()),
            (Self::Text(..), _) | (_, Self::Text(..)) => Meet::Unknown,
            _ => Meet::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_path(path: Path) -> Region {
        Region { path, ..Region::ALL }
    }

    #[test]
    fn paths_are_within_each_other_or_apart() {
        let api = of_path(Path::Prefix("/api".to_owned()));
        let admin = of_path(Path::Prefix("/api/admin".to_owned()));
        let page = of_path(Path::Exact("/api/a.html".to_owned()));
        let html = of_path(Path::Matching(".*\\.html".to_owned()));
        assert!(api.covers(&admin) && !admin.covers(&api) && html.covers(&page) && api.covers(&page));
        assert_eq!(admin.meet(&api), Meet::This(admin.clone()));
        assert_eq!(admin.meet(&page), Meet::Nothing);
        assert_eq!(html.meet(&api), Meet::Unknown);
        assert_eq!(html.meet(&of_path(Path::Exact("/x".to_owned()))), Meet::Nothing);
        assert_eq!(html.meet(&Region::ALL), Meet::This(html.clone()));
    }

    #[test]
    fn methods_and_hosts_count_too() {
        let of = |host: Host, methods: &[&str]| Region {
            host,
            methods: Some(methods.iter().map(|method| (*method).to_owned()).collect()),
            ..Region::ALL
        };
        let below = of(Host::Below("a.b".to_owned()), &["GET", "PUT"]);
        let host = of(Host::Exact("x.a.b".to_owned()), &["GET", "POST"]);
        assert!(!below.covers(&host));
        assert_eq!(below.meet(&host), Meet::This(of(Host::Exact("x.a.b".to_owned()), &["GET"])));
        assert_eq!(below.meet(&of(Host::Any, &["POST"])), Meet::Nothing);
        assert_eq!(below.meet(&of(Host::Exact("xa.b".to_owned()), &["GET"])), Meet::Nothing);
        assert_eq!(below.meet(&of(Host::Text("suffix", "b".to_owned()), &["GET"])), Meet::Unknown);
    }
}
