//! One copy of a sort for all types: the generic sort of the standard library is two kilobytes for each type.

use std::cmp::Ordering;

/// Stable sort.
pub(super) fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    if items.is_sorted_by(|a, b| compare(a, b).is_le()) {
        return;
    }
    let order = order(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    let mut from: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|at| from.get_mut(at)?.take()));
}

/// The indices of the items in their sorted order.
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn as_the_library_sorts(items in proptest::collection::vec((0..9_u8, proptest::prelude::any::<String>()), 0..60)) {
            let mut sorted = items.clone();
            sort_by(&mut sorted, |a, b| a.0.cmp(&b.0));
            let mut expected = items;
            expected.sort_by_key(|item| item.0);
            proptest::prop_assert_eq!(sorted, expected);
        }
    }
}
