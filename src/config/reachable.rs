//! Rules that no request ever falls under, because an earlier one takes it.

use super::{
    HeaderMatcher, HostPattern, ParameterCondition, PathMatcher, QueryParameterMatcher, RequestMatcher, Rule,
    header_match::needed, report::Place,
};
use crate::string_matcher::Text;

/// A rule that another one provably covers is a mistake; one that is reached by odd requests only is doubtful.
pub(super) fn check_reachable(rules: &[Rule], at: &Place<'_>) {
    for (index, later) in rules.iter().enumerate() {
        let mut before = rules.iter().take(index);
        if let Some(first) = before.clone().position(|earlier| covers(&earlier.matcher, &later.matcher)) {
            at.index(index).note(format!("never matches: rules[{first}] comes first and takes all of its requests"));
        } else if let Some(first) = before.position(|earlier| takes_every_path(&earlier.matcher))
            && later.matcher.path != PathMatcher::Connect
        {
            let odd = "only requests without one (CONNECT, `OPTIONS *`) come here";
            at.index(index).warn(format!("rules[{first}] takes every path: {odd}"));
        }
    }
}

fn takes_every_path(matcher: &RequestMatcher) -> bool {
    !matcher.is_conditional() && matches!(&matcher.path, PathMatcher::Prefix(text) if text.as_str() == "/")
}

/// Whether whatever `later` matches is provably matched by `earlier` too.
fn covers(earlier: &RequestMatcher, later: &RequestMatcher) -> bool {
    covers_path(&earlier.path, &later.path)
        && covers_methods(earlier, later)
        && covers_each(&earlier.hosts, &later.hosts, covers_host)
        && (earlier.route_name.is_none() || earlier.route_name == later.route_name)
        && earlier.headers.iter().all(|wanted| later.headers.iter().any(|given| implies_header(given, wanted)))
        && earlier
            .query_parameters
            .iter()
            .all(|wanted| later.query_parameters.iter().any(|given| implies_parameter(given, wanted)))
}

fn covers_path(earlier: &PathMatcher, later: &PathMatcher) -> bool {
    use PathMatcher::{Any, Connect, Exact, Prefix, Regex, SeparatedPrefix};
    match (earlier, later) {
        (Any, _) | (Connect, Connect) => true,
        (Prefix(prefix), Prefix(text) | SeparatedPrefix(text) | Exact(text)) => begins(prefix, text),
        (SeparatedPrefix(prefix), SeparatedPrefix(text) | Exact(text)) => {
            begins(prefix, text) && matches!(text.as_str().as_bytes().get(prefix.as_str().len()), None | Some(b'/'))
        }
        (SeparatedPrefix(prefix), Prefix(text)) => {
            begins(prefix, text) && text.as_str().as_bytes().get(prefix.as_str().len()) == Some(&b'/')
        }
        (Exact(path), Exact(text)) => begins(path, text) && path.as_str().len() == text.as_str().len(),
        (Regex(pattern), Regex(other)) => pattern == other,
        _ => false,
    }
}

/// Whether `text`, in each case that it stands for, begins with `prefix`.
fn begins(prefix: &Text, text: &Text) -> bool {
    let narrower = text.ignores_case() && !prefix.ignores_case();
    let has_case = prefix.as_str().bytes().any(|byte| byte.is_ascii_alphabetic());
    prefix.begins(text.as_str().as_bytes()) && !(narrower && has_case)
}

fn covers_methods(earlier: &RequestMatcher, later: &RequestMatcher) -> bool {
    if later.methods.is_empty() && later.path == PathMatcher::Connect {
        return earlier.methods.is_empty() || earlier.methods.iter().any(|method| method == "CONNECT");
    }
    covers_each(&earlier.methods, &later.methods, |earlier, later| earlier == later)
}

/// Whether each of `later` is covered by one of `earlier`; without any, a list stands for everything.
fn covers_each<T>(earlier: &[T], later: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    let covered = |later: &T| earlier.iter().any(|earlier| covers(earlier, later));
    earlier.is_empty() || (!later.is_empty() && later.iter().all(covered))
}

fn covers_host(earlier: &HostPattern, later: &HostPattern) -> bool {
    let is_below = later.name.strip_suffix(&earlier.name).is_some_and(|labels| earlier.below && labels.ends_with('.'));
    let is_same = earlier.name == later.name && earlier.below == later.below;
    (is_below || is_same) && (earlier.port.is_none() || earlier.port == later.port)
}

/// Whether a request that fulfils `given` fulfils `wanted` too.
fn implies_header(given: &HeaderMatcher, wanted: &HeaderMatcher) -> bool {
    use super::HeaderCondition::Present;
    let wants_presence = matches!(wanted.condition, Present(_)).then(|| needed(wanted)).flatten();
    given.name == wanted.name && (given == wanted || (wants_presence.is_some() && needed(given) == wants_presence))
}

fn implies_parameter(given: &QueryParameterMatcher, wanted: &QueryParameterMatcher) -> bool {
    let is_there = matches!(given.condition, ParameterCondition::Text(_));
    let wants_presence = wanted.condition == ParameterCondition::Present(true);
    given.name == wanted.name && (given.condition == wanted.condition || (wants_presence && is_there))
}
