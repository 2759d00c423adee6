//! Sorted lists. Each type of item that `sort` or `collect` into a set is given costs kilobytes of code.

/// The items in their order, each once. Takes time that grows with the square of their number.
pub(crate) fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut sorted = Vec::new();
    items.into_iter().for_each(|item| insert(&mut sorted, item));
    sorted
}

fn insert<T: Ord>(sorted: &mut Vec<T>, item: T) {
    if let Err(position) = sorted.binary_search(&item) {
        sorted.insert(position, item);
    }
}

#[cfg(test)]
mod tests {
    use super::sorted;

    #[test]
    fn every_item_is_there_once_and_in_order() {
        assert_eq!(sorted(["b", "c", "a", "c", "b", ""]), ["", "a", "b", "c"]);
        assert!(sorted(['a'; 0]).is_empty());
    }
}
