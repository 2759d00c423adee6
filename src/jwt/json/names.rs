//! The names that an object has used already.

use std::collections::BTreeSet;

/// Up to here a scan is faster than a tree.
const FEW: usize = 32;

/// A set of names: no more than logarithmic per name, whoever chose the names.
pub(crate) struct UniqueNames<N> {
    few: Vec<N>,
    many: BTreeSet<N>,
}

impl<N: Ord> UniqueNames<N> {
    pub(crate) fn new() -> Self {
        Self { few: Vec::with_capacity(FEW), many: BTreeSet::new() }
    }

    /// Whether `name` is new.
    pub(crate) fn insert(&mut self, name: N) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    struct Counted(usize);

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

    #[test]
    fn a_name_is_new_once() {
        let mut names = UniqueNames::new();
        for name in 0..100 {
            assert!(names.insert(name));
        }
        for name in 0..100 {
            assert!(!names.insert(name));
        }
    }

    #[test]
    fn many_names_take_few_comparisons() {
        const NAMES: usize = 5000;
        let mut names = UniqueNames::new();
        assert!((0..NAMES).all(|name| names.insert(Counted(name))));
        assert!(COMPARISONS.get() < NAMES * (FEW + 60), "{} comparisons", COMPARISONS.get());
    }
}
