//! The names that an object has used already.

use std::collections::BTreeSet;

/// Up to here a scan is faster than a tree.
const FEW: usize = 32;

/// A set of names: no more than logarithmic per name, whoever chose the names.
pub(crate) struct UniqueNames<N> {
    few: Vec<N>,
    many: BTreeSet<N>,
    /// The marks of all names: a name whose mark is not among them is new. Names that share a mark only cost a scan.
    marks: u64,
}

impl<N: Ord + AsRef<str>> UniqueNames<N> {
    pub(crate) fn new() -> Self {
        Self { few: Vec::with_capacity(FEW), many: BTreeSet::new(), marks: 0 }
    }

    /// Whether `name` is new.
    pub(crate) fn insert(&mut self, name: N) -> bool {
        let mark = mark(name.as_ref());
        if self.marks & mark != 0 && self.few.contains(&name) {
            return false;
        }
        self.marks |= mark;
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

/// One of 64 bits, by the length and both ends of the name: the factors tell the usual claims apart.
fn mark(name: &str) -> u64 {
    let end = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let (first, last) = (end(name.as_bytes().first()), end(name.as_bytes().last()));
    1 << ((4 * first + 7 * last).wrapping_add(name.len()) % 64)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    struct Counted(String);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }

    impl Eq for Counted {}

    impl AsRef<str> for Counted {
        fn as_ref(&self) -> &str {
            &self.0
        }
    }

    #[test]
    fn a_name_is_new_once() {
        let all = || (0..100).map(|number| number.to_string()).chain([String::new(), "é".to_owned()]);
        let mut names = UniqueNames::new();
        for name in all() {
            assert!(names.insert(name));
        }
        for name in all() {
            assert!(!names.insert(name));
        }
    }

    #[test]
    fn names_that_share_a_mark_are_told_apart() {
        assert_eq!(mark("abc"), mark("axc"));
        let mut names = UniqueNames::new();
        assert!(["abc", "axc"].into_iter().all(|name| names.insert(name)));
        assert!(["abc", "axc"].into_iter().all(|name| !names.insert(name)));
    }

    #[test]
    fn many_names_take_few_comparisons() {
        const NAMES: usize = 5000;
        let mut names = UniqueNames::new();
        assert!((0..NAMES).all(|number| names.insert(Counted(format!("x{number:04}x")))));
        assert!(COMPARISONS.get() < NAMES * (FEW + 60), "{} comparisons", COMPARISONS.get());
    }
}
