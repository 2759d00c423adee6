//! Rules by their exact paths and prefixes: what may match a path is found in time that hardly grows with their number.

/// Exact paths and prefixes, each with the rules that have it.
#[derive(Debug, Clone, Default)]
pub(super) struct PathTable {
    /// Sorted by text.
    exact: Vec<Entry>,
    /// Sorted by text.
    prefixes: Vec<Prefix>,
}

/// A text and the positions of the rules that have it, in order.
#[derive(Debug, Clone)]
struct Entry {
    text: String,
    rules: Vec<usize>,
}

/// A prefix that rules have.
#[derive(Debug, Clone)]
struct Prefix {
    entry: Entry,
    /// The first rule for this prefix or a shorter one of it.
    first: usize,
    /// The longest of the other prefixes that this one begins with.
    parent: Option<usize>,
}

impl PathTable {
    /// The table of these paths and prefixes, each with the position of its rule.
    pub(super) fn new(exact: Vec<(String, usize)>, prefixes: Vec<(String, usize)>) -> Self {
        Self { exact: grouped(exact), prefixes: linked(grouped(prefixes)) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }

    /// The first rule before `bound` whose text fits the path and that `matches`; `bound` if there is none.
    pub(super) fn first_before(&self, mut bound: usize, path: &[u8], matches: &impl Fn(usize) -> bool) -> usize {
        if let Ok(found) = self.exact.binary_search_by(|entry| entry.text.as_bytes().cmp(path)) {
            bound = self.exact.get(found).map_or(bound, |entry| first_of(&entry.rules, bound, matches));
        }
        let mut prefix = self.longest_prefix(path);
        while let Some(found) = prefix.filter(|prefix| prefix.first < bound) {
            bound = first_of(&found.entry.rules, bound, matches);
            prefix = found.parent.and_then(|parent| self.prefixes.get(parent));
        }
        bound
    }

    /// The longest prefix of `path`. In sorted order it is the last one not after `path`, or one that this begins with.
    fn longest_prefix(&self, path: &[u8]) -> Option<&Prefix> {
        let after = self.prefixes.partition_point(|prefix| prefix.entry.text.as_bytes() <= path);
        let mut position = after.checked_sub(1);
        while let Some(prefix) = position.and_then(|position| self.prefixes.get(position)) {
            if path.starts_with(prefix.entry.text.as_bytes()) {
                return Some(prefix);
            }
            position = prefix.parent;
        }
        None
    }
}

/// The first of these rules, which are in order, before `bound` that `matches`; `bound` if there is none.
pub(super) fn first_of(rules: &[usize], bound: usize, matches: &impl Fn(usize) -> bool) -> usize {
    rules.iter().copied().take_while(|rule| *rule < bound).find(|rule| matches(*rule)).unwrap_or(bound)
}

/// Each text once, sorted, with the rules that have it.
fn grouped(texts: Vec<(String, usize)>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(texts.len());
    for (text, rule) in texts {
        let position = entries.partition_point(|entry| entry.text < text);
        match entries.get_mut(position).filter(|entry| entry.text == text) {
            Some(entry) => entry.rules.push(rule),
            None => entries.insert(position, Entry { text, rules: vec![rule] }),
        }
    }
    entries
}

/// Links each prefix to the longest other one that it begins with. In sorted order those stand before it, and each is
/// the one before it, or an ancestor of that.
fn linked(sorted: Vec<Entry>) -> Vec<Prefix> {
    let mut prefixes: Vec<Prefix> = Vec::with_capacity(sorted.len());
    for entry in sorted {
        let mut parent = prefixes.len().checked_sub(1);
        while let Some(candidate) = parent.and_then(|position| prefixes.get(position)) {
            if entry.text.starts_with(&candidate.entry.text) {
                break;
            }
            parent = candidate.parent;
        }
        let above = parent.and_then(|position| prefixes.get(position)).map(|parent| parent.first);
        let first = entry.rules.first().copied().into_iter().chain(above).min().unwrap_or(usize::MAX);
        prefixes.push(Prefix { entry, first, parent });
    }
    prefixes
}
