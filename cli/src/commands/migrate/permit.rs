//! Which tokens are let pass, as a formula: what policies add up to, whatever their order.

use std::collections::BTreeSet;

use super::policy::Action;

/// A condition on a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Test {
    /// The claim is there, or it is not.
    Exists(Vec<String>, bool),
    /// The claim has one of these values, or none of them.
    Values(Vec<String>, BTreeSet<String>, bool),
    /// The claim, a list of words, has this one; or it has not.
    Word(Vec<String>, String, bool),
    /// A condition on this claim that cannot be expressed, or its contrary.
    Unknown(Vec<String>, bool),
}

/// Tokens of one provider that pass all of these tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bearer {
    pub(super) provider: usize,
    pub(super) tests: BTreeSet<Test>,
}

/// What is let pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Permit {
    /// Whether requests without a token are.
    pub(super) missing: bool,
    /// Whose tokens are.
    pub(super) bearers: BTreeSet<Bearer>,
}

/// More alternatives than this are nobody's policy.
const MAX_BEARERS: usize = 1024;

/// The formula has grown beyond all bounds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Permit {
    /// Everything that is not a bad token, of so many providers.
    pub(super) fn everything(providers: usize) -> Self {
        Self { missing: true, ..Self::tokens(providers) }
    }

    /// Every good token.
    pub(super) fn tokens(providers: usize) -> Self {
        let bearers = (0..providers).map(|provider| Bearer { provider, tests: BTreeSet::new() }).collect();
        Self { missing: false, bearers }
    }

    /// The tokens that pass one test; requests without a token are as a token without the claim.
    pub(super) fn of_test(test: &Test, providers: usize) -> Self {
        let bearers =
            (0..providers).map(|provider| Bearer { provider, tests: BTreeSet::from([test.clone()]) }).collect();
        Self { missing: !test.is_positive(), bearers }
    }

    pub(super) fn is_nothing(&self) -> bool {
        !self.missing && self.bearers.is_empty()
    }

    /// What either lets pass.
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.missing |= other.missing;
        self.bearers.extend(other.bearers.iter().cloned());
        self.simplified()
    }

    /// What both let pass.
    pub(super) fn and(&self, other: &Self) -> Result<Self, TooLarge> {
        let mut bearers = BTreeSet::new();
        for one in &self.bearers {
            for another in other.bearers.iter().filter(|another| another.provider == one.provider) {
                let tests = one.tests.union(&another.tests).cloned().collect();
                bearers.insert(Bearer { provider: one.provider, tests });
            }
            if bearers.len() > MAX_BEARERS {
                return Err(TooLarge);
            }
        }
        Ok(Self { missing: self.missing && other.missing, bearers }.simplified())
    }

    /// What this does not let pass, or less than that where it cannot be expressed.
    pub(super) fn contrary(&self, providers: usize) -> Result<Self, TooLarge> {
        self.exact_contrary(providers).map(|contrary| contrary.expressible())
    }

    /// What this does not let pass, whether it can be expressed or not.
    pub(super) fn exact_contrary(&self, providers: usize) -> Result<Self, TooLarge> {
        let mut contrary = Self::everything(providers);
        for bearer in &self.bearers {
            let mut without = Self::everything(providers);
            without.bearers.retain(|other| other.provider != bearer.provider);
            for test in &bearer.tests {
                let tests = BTreeSet::from([test.contrary()]);
                without.bearers.insert(Bearer { provider: bearer.provider, tests });
            }
            contrary = contrary.and(&without)?;
        }
        contrary.missing = !self.missing;
        Ok(contrary)
    }

    /// Whether something in a policy of these tokens cannot be expressed.
    pub(super) fn loses(&self, action: Action, providers: usize) -> bool {
        match action {
            Action::Allow => self.expressible() != *self,
            Action::Deny => self.exact_contrary(providers).is_ok_and(|contrary| contrary.expressible() != contrary),
        }
    }

    /// The same, or less where something in it cannot be expressed.
    pub(super) fn expressible(&self) -> Self {
        let narrowed = |bearer: &Bearer| {
            let tests = bearer.tests.iter().map(Test::narrowed).collect::<Option<BTreeSet<_>>>()?;
            Some(Bearer { provider: bearer.provider, tests })
        };
        Self { missing: self.missing, bearers: self.bearers.iter().filter_map(narrowed).collect() }.simplified()
    }

    /// Without what another part lets pass anyway, and without what nothing fulfils.
    fn simplified(mut self) -> Self {
        self.bearers.retain(|bearer| !bearer.is_impossible());
        let all = self.bearers.clone();
        let wider = |bearer: &Bearer, other: &Bearer| {
            other != bearer && other.provider == bearer.provider && other.tests.is_subset(&bearer.tests)
        };
        self.bearers.retain(|bearer| !all.iter().any(|other| wider(bearer, other)));
        self
    }
}

impl Bearer {
    fn is_impossible(&self) -> bool {
        let contradicts = |test: &Test| match test {
            Test::Exists(path, true) => self.tests.contains(&Test::Exists(path.clone(), false)),
            Test::Values(path, _, true) | Test::Word(path, _, true) => {
                self.tests.contains(&Test::Exists(path.clone(), false))
            }
            _ => false,
        };
        self.tests.iter().any(contradicts)
    }
}

impl Test {
    /// Whether a token without the claim fails it.
    const fn is_positive(&self) -> bool {
        match self {
            Self::Exists(_, positive)
            | Self::Values(_, _, positive)
            | Self::Word(_, _, positive)
            | Self::Unknown(_, positive) => *positive,
        }
    }

    fn contrary(&self) -> Self {
        match self {
            Self::Exists(path, there) => Self::Exists(path.clone(), !there),
            Self::Values(path, values, has) => Self::Values(path.clone(), values.clone(), !has),
            Self::Word(path, word, has) => Self::Word(path.clone(), word.clone(), !has),
            Self::Unknown(path, has) => Self::Unknown(path.clone(), !has),
        }
    }

    /// The same, or a stricter test that can be expressed; `None` if there is none. That a claim lacks something is sure
    /// where there is no such claim.
    fn narrowed(&self) -> Option<Self> {
        match self {
            Self::Word(path, _, false) | Self::Unknown(path, false) => Some(Self::Exists(path.clone(), false)),
            Self::Word(path, word, true) if path.as_slice() != ["scope"] => {
                Some(Self::Values(path.clone(), BTreeSet::from([word.clone()]), true))
            }
            Self::Unknown(_, true) => None,
            other => Some(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, text: &str) -> Test {
        Test::Values(vec![name.to_owned()], BTreeSet::from([text.to_owned()]), true)
    }

    #[test]
    fn a_policy_and_its_contrary_leave_nothing() {
        let admin = Permit::of_test(&value("role", "admin"), 2);
        let contrary = admin.contrary(2).unwrap();
        assert!(contrary.missing);
        assert_eq!(contrary.bearers.len(), 2);
        assert_eq!(Permit::everything(2).contrary(2), Ok(Permit::default()));
        assert_eq!(Permit::default().contrary(2), Ok(Permit::everything(2)));
        assert_eq!(Permit::tokens(2).contrary(2), Ok(Permit { missing: true, ..Permit::default() }));
        assert_eq!(admin.and(&Permit::tokens(2)), Ok(admin.clone()));
        assert_eq!(admin.clone().or(&Permit::tokens(2)), Permit::tokens(2));
    }

    #[test]
    fn what_cannot_be_expressed_lets_less_pass() {
        let path = vec!["role".to_owned()];
        let begins = Permit::of_test(&Test::Unknown(path.clone(), true), 1);
        assert_eq!(begins.expressible(), Permit::default());
        let without = Permit::of_test(&Test::Exists(path.clone(), false), 1);
        assert_eq!(begins.contrary(1), Ok(without.clone()));
        assert_eq!(Permit::of_test(&Test::Unknown(path.clone(), false), 1).expressible(), without);
        let no_word = Permit::of_test(&Test::Word(path, "x".to_owned(), true), 1).contrary(1).unwrap();
        assert_eq!(no_word, without);
    }

    #[test]
    fn formulas_are_bounded() {
        let mut permit = Permit::everything(1);
        let mut grown = Ok(());
        for number in 0..20 {
            let pair = ["a", "b"].map(|name| Permit::of_test(&value(&format!("{name}{number}"), "x"), 1));
            let [one, other] = pair;
            match permit.and(&one.or(&other)) {
                Ok(next) => permit = next,
                Err(error) => grown = Err(error),
            }
        }
        assert_eq!(grown, Err(TooLarge));
    }
}
