//! The paths that an upstream may take a path for.

use percent_encoding::percent_decode;

/// A path with more readings than these counts as ambiguous, whatever the rules say.
const MAX_READINGS: usize = 16;

/// Some upstreams decode what their server has decoded already.
const MAX_DECODINGS: usize = 2;

type Rewriting = fn(&[u8]) -> Vec<u8>;

/// What an upstream may do to a path, apart from decoding it.
const REWRITINGS: [Rewriting; 4] = [merge_slashes, turn_backslashes, strip_parameters, cut_off];

/// The path itself and every other one that an upstream may take it for, whatever it does to it and in which order: it
/// decodes the path up to twice, merges slashes, takes `\` for `/`, strips parameters, cuts it off where a fragment, a
/// query or a C string would end. `None` if these are too many.
pub(super) fn readings(path: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut readings = vec![path.to_vec()];
    let mut begin = 0;
    for decodings in 0..=MAX_DECODINGS {
        rewrite(&mut readings, begin)?;
        if decodings < MAX_DECODINGS {
            let decoded: Vec<_> = readings.iter().skip(begin).map(|path| percent_decode(path).collect()).collect();
            begin = readings.len();
            decoded.into_iter().try_for_each(|path| add(&mut readings, path))?;
        }
    }
    Some(readings)
}

/// Whether the path holds anything that upstreams differ about.
pub(super) fn is_doubtful(path: &[u8]) -> bool {
    path.iter().any(|byte| matches!(byte, b'%' | b'\\' | b';' | b'#')) || path.windows(2).any(|pair| pair == b"//")
}

/// Adds what the readings from `begin` on may become, until there is nothing new.
fn rewrite(readings: &mut Vec<Vec<u8>>, begin: usize) -> Option<()> {
    let mut next = begin;
    while let Some(path) = readings.get(next) {
        let rewritten = REWRITINGS.map(|rewriting| rewriting(path));
        rewritten.into_iter().try_for_each(|path| add(readings, path))?;
        next += 1;
    }
    Some(())
}

fn add(readings: &mut Vec<Vec<u8>>, path: Vec<u8>) -> Option<()> {
    if !readings.contains(&path) {
        readings.push(path);
    }
    (readings.len() <= MAX_READINGS).then_some(())
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|later, earlier| (*later, *earlier) == (b'/', b'/'));
    merged
}

fn turn_backslashes(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// Takes `;` and what follows it out of each segment (RFC 3986 section 3.3).
fn strip_parameters(path: &[u8]) -> Vec<u8> {
    let mut in_parameters = false;
    let keep = |byte: &u8| {
        in_parameters = *byte != b'/' && (in_parameters || *byte == b';');
        !in_parameters
    };
    let mut stripped = path.to_vec();
    stripped.retain(keep);
    stripped
}

fn cut_off(path: &[u8]) -> Vec<u8> {
    path.iter().copied().take_while(|byte| !matches!(byte, b'#' | b'?' | 0)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(path: &str, expected: &[&str]) {
        let mut found: Vec<_> =
            readings(path.as_bytes()).unwrap().into_iter().map(|path| String::from_utf8(path).unwrap()).collect();
        let mut expected: Vec<_> = expected.iter().chain([&path]).map(ToString::to_string).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn each_way_to_read_a_path_is_there() {
        check("/a/b", &[]);
        check("/a//b", &["/a/b"]);
        check("///a", &["/a"]);
        check("/a\\b", &["/a/b"]);
        check("/a;x/b;y", &["/a/b"]);
        check("/a#b", &["/a"]);
        check("/%61", &["/a"]);
        check("/a%2Fb", &["/a/b"]);
        check("/a%5cb", &["/a\\b", "/a/b"]);
        check("/a%3fb", &["/a?b", "/a"]);
        check("/a%2561", &["/a%61", "/aa"]);
        check("/a%zz%", &[]);
    }

    #[test]
    fn ways_to_read_a_path_are_combined_in_every_order() {
        check("/a;x%2fb", &["/a", "/a;x/b", "/a/b"]);
        check("/a%3bx/b", &["/a;x/b", "/a/b"]);
        check("/a;x\\b", &["/a;x/b", "/a/b", "/a"]);
        check("/a/%2fb", &["/a//b", "/a/b"]);
        check("/%252561", &["/%2561", "/%61"]);
    }

    #[test]
    fn their_number_is_bounded() {
        assert_eq!(readings(b"/a;b\\c//d%2520e"), None);
        assert!(readings(b"/a;b//c%20d").is_some());
    }

    #[test]
    fn only_doubtful_paths_have_several() {
        for path in ["/", "/a.b/c-d_~", "/a/b/", "", "*", "/a:b@c&d=e+f,g!$'()"] {
            assert!(!is_doubtful(path.as_bytes()), "{path}");
        }
        for path in ["/%", "/a\\", "/;", "/#", "//"] {
            assert!(is_doubtful(path.as_bytes()), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_path_without_doubt_has_one_reading(path in "[a-z./:@+*]{0,20}") {
            prop_assume!(!is_doubtful(path.as_bytes()));
            prop_assert_eq!(readings(path.as_bytes()), Some(vec![path.into_bytes()]));
        }

        #[test]
        fn any_path_has_a_bounded_number(path in "[a/;#?%25\\\\cf]{0,30}") {
            if let Some(found) = readings(path.as_bytes()) {
                prop_assert!((1..=MAX_READINGS).contains(&found.len()));
                prop_assert_eq!(&found[0], path.as_bytes());
            }
        }
    }
}
