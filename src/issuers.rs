//! Which providers accept the issuer of a token: prepared once, so that fifty issuers cost no more than one.

use std::rc::Rc;

use crate::claims::accepts_issuer;
use crate::config::{Provider, ProviderId};
use crate::sorted::sorted;

/// The providers of a configuration by the issuers that they accept.
#[derive(Debug, Clone)]
pub(crate) struct Issuers {
    /// For every issuer that a provider names exactly, all providers that accept it, in the order of their ids; sorted.
    exact: Vec<(String, Rc<[ProviderId]>)>,
    /// The providers that accept others too, by patterns or all.
    open: Vec<ProviderId>,
    nobody: Rc<[ProviderId]>,
}

impl Issuers {
    pub(crate) fn new(providers: &[Provider]) -> Self {
        let names = sorted(providers.iter().filter_map(|provider| provider.issuer.exact()));
        let exact = names.into_iter().map(|name| {
            let ids = accepting(providers, Some(name)).collect();
            (name.to_owned(), ids)
        });
        let open = (0..).zip(providers).filter(|(_, provider)| provider.issuer.exact().is_none());
        Self { exact: exact.collect(), open: open.map(|(index, _)| ProviderId(index)).collect(), nobody: Rc::new([]) }
    }

    /// The providers that accept this `iss`, in the order of their ids.
    pub(crate) fn accepting(&self, providers: &[Provider], issuer: Option<&str>) -> Rc<[ProviderId]> {
        match issuer.and_then(|issuer| self.exactly(issuer)) {
            Some(ids) => Rc::clone(ids),
            None if self.open.is_empty() => Rc::clone(&self.nobody),
            None => accepting(providers, issuer).collect(),
        }
    }

    fn exactly(&self, issuer: &str) -> Option<&Rc<[ProviderId]>> {
        let position = self.exact.binary_search_by(|(name, _)| name.as_str().cmp(issuer)).ok()?;
        self.exact.get(position).map(|(_, ids)| ids)
    }
}

fn accepting(providers: &[Provider], issuer: Option<&str>) -> impl Iterator<Item = ProviderId> {
    (0..)
        .zip(providers)
        .filter(move |(_, provider)| accepts_issuer(provider, issuer))
        .map(|(index, _)| ProviderId(index))
}
