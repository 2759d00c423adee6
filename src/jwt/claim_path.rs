//! The way to a claim of the configuration's choice.

use serde_json::Value;

use super::claims::Claims;
use crate::config::ClaimPath;
use crate::sorted::sorted;

/// The top-level names that a token's claims have to be kept under for [`Claims::find`] to follow each of `paths`;
/// sorted, each once.
#[must_use]
pub fn wanted_claims<'p>(paths: impl Iterator<Item = &'p ClaimPath>) -> Vec<String> {
    sorted(paths.flat_map(top_level_names).map(str::to_owned))
}

fn top_level_names(path: &ClaimPath) -> impl Iterator<Item = &str> {
    let (first, second) = match path {
        ClaimPath::Dotted(name) => (name.split('.').next(), Some(name.as_str())),
        ClaimPath::Exact(names) => (names.first().map(String::as_str), None),
    };
    first.into_iter().chain(second)
}

/// The value at the end of `path`, where `top_level` gives the values of top-level claims. `None` if there is no such
/// claim, or the way leads through something that is not an object.
///
/// A dotted name is walked as nested objects first; a top-level claim with that very name comes second.
pub fn find_claim<'v>(path: &ClaimPath, top_level: impl Fn(&str) -> Option<&'v Value>) -> Option<&'v Value> {
    match path {
        ClaimPath::Dotted(name) => walk(name.split('.'), &top_level).or_else(|| top_level(name)),
        ClaimPath::Exact(names) => walk(names.iter().map(String::as_str), &top_level),
    }
}

fn walk<'v, 'n>(
    mut names: impl Iterator<Item = &'n str>,
    top_level: &impl Fn(&str) -> Option<&'v Value>,
) -> Option<&'v Value> {
    let top = top_level(names.next()?)?;
    names.try_fold(top, |value, name| value.as_object()?.get(name))
}

impl Claims<'_> {
    /// What [`find_claim`] finds among the claims, registered ones included, if the path was among those that the token
    /// was parsed for.
    #[must_use]
    pub fn find(&self, path: &ClaimPath) -> Option<&Value> {
        find_claim(path, |name| self.value(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs::read_to_string;

    const CASES: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/vectors/jwt_verify_lib/claim_path_cases.json");

    fn dotted(name: &str) -> ClaimPath {
        ClaimPath::Dotted(name.to_owned())
    }

    fn exact(names: &[&str]) -> ClaimPath {
        ClaimPath::Exact(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn find(json: &str, path: &ClaimPath) -> Option<Value> {
        let wanted = wanted_claims(std::iter::once(path));
        Claims::for_test(json, &wanted).find(path).cloned()
    }

    #[test]
    #[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "reads the shared cases and says how many ran")]
    fn dotted_names_are_found_as_envoy_finds_them() {
        let Ok(text) = read_to_string(CASES) else {
            println!("skipped: no claim path cases");
            return;
        };
        let document: Value = serde_json::from_str(&text).unwrap();
        let cases = document["cases"].as_array().unwrap();
        for case in cases {
            let expected = case.get("with_fallback").unwrap_or(&case["result"]);
            let found = find(&case["payload"].to_string(), &dotted(case["path"].as_str().unwrap()));
            match case.get("as") {
                Some(_) => assert!(found.is_some_and(|value| !value.is_boolean()), "{case}"),
                None if expected == "WRONG_TYPE" => assert_eq!(found, None, "{case}"),
                None => assert_eq!(found.as_ref(), Some(expected), "{case}"),
            }
        }
        println!("jwt_verify_lib claim paths: {} cases", cases.len());
    }

    #[test]
    fn registered_claims_are_found() {
        let json = r#"{"sub":"s","aud":["a"],"exp":15e8,"cnf":{"jkt":"t"},"scope":"x"}"#;
        assert_eq!(find(json, &dotted("sub")), Some("s".into()));
        assert_eq!(find(json, &dotted("exp")), Some(1.5e9.into()));
        assert_eq!(find(json, &exact(&["aud"])), Some(vec!["a"].into()));
        assert_eq!(find(json, &dotted("cnf.jkt")), Some("t".into()));
        assert_eq!(find(json, &dotted("iss")), None);
    }

    #[test]
    fn exact_paths_walk_names_as_given() {
        let json = r#"{"a.b":{"c.d":1},"a":{"b":{"c":2}},"l":[{"0":1}]}"#;
        assert_eq!(find(json, &exact(&["a.b", "c.d"])), Some(1.into()));
        assert_eq!(find(json, &exact(&["a", "b", "c"])), Some(2.into()));
        for absent in [&["a", "b.c"][..], &["a.b.c"], &["l", "0"], &["a", "b", "c", "d"], &[""]] {
            assert_eq!(find(json, &exact(absent)), None, "{absent:?}");
        }
    }

    #[test]
    fn odd_dots_are_names_too() {
        for name in ["", ".", "a.", ".a", "a..b"] {
            assert_eq!(find(&serde_json::json!({ name: 1 }).to_string(), &dotted(name)), Some(1.into()), "{name:?}");
        }
        assert_eq!(find(r#"{"a":{"":{"b":1}}}"#, &dotted("a..b")), Some(1.into()));
    }

    #[test]
    fn wanted_names_are_sorted_and_unique() {
        let paths = [dotted("z.y"), exact(&["b.c", "d"]), dotted("a"), dotted("z.x"), exact(&[])];
        assert_eq!(wanted_claims(paths.iter()), ["a", "b.c", "z", "z.x", "z.y"]);
    }

    #[test]
    fn what_was_not_wanted_is_not_found() {
        let claims = Claims::for_test(r#"{"a":1,"sub":"s"}"#, &[]);
        assert_eq!(claims.find(&dotted("a")), None);
        assert_eq!(claims.find(&dotted("sub")), None);
    }
}
