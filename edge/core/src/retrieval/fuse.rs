//! Two orders made one: by the words of the question, and by its meaning.
//!
//! What is nearest by meaning has a likeness from -1 to 1, but how much of it means anything differs from model to model,
//! and so do the scores of words. So only the places count: `1 / (K + place)` of each order, added up (reciprocal rank).

use super::Hit;

/// How little the first places differ (Cormack, Clarke and Büttcher, 2009).
const K: f64 = 60.0;

/// Least likeness (cosine) that means anything.
const MIN_LIKENESS: f64 = 0.4;

/// Least share of the best one's likeness.
const MIN_SHARE: f64 = 0.8;

/// Most that count, so that the nearest is always among [`super::MAX_PASSAGES`]: before it can stand only those that also
/// hold words of the question, and the first of those.
const NEAREST: usize = super::MAX_PASSAGES - 1;

/// Of what the index of meanings has found, nearest first, what is near enough to count.
pub fn near_enough(mut near: Vec<Hit>) -> Vec<Hit> {
    let best = near.first().map_or(0.0, |hit| hit.score);
    near.retain(|hit| hit.score >= MIN_LIKENESS && hit.score >= best * MIN_SHARE);
    near.truncate(NEAREST);
    near
}

/// Orders hits, which are in the order of their words' scores, by both signals; `near` is the order by meaning. A score
/// of 0, without any word of the question, has no place in the first one. Scores stay those of the words, but none is
/// below that of a later hit.
pub fn fuse<T>(hits: &mut [(Hit, T)], near: &[i64]) {
    if near.is_empty() {
        return;
    }
    let worth = |place: usize| 1.0 / (K + place as f64);
    let mut places: Vec<(i64, f64)> = Vec::with_capacity(hits.len());
    for ((hit, _), place) in hits.iter().zip(1..) {
        let by_words = if hit.score > 0.0 { worth(place) } else { 0.0 };
        let near = near.iter().position(|id| *id == hit.id);
        places.push((hit.id, by_words + near.map_or(0.0, |at| worth(at + 1))));
    }
    let fused = |hit: &Hit| {
        let place = places.iter().find(|(id, _)| *id == hit.id);
        place.map_or(0.0, |(_, fused)| *fused)
    };
    hits.sort_by(|(a, _), (b, _)| fused(b).total_cmp(&fused(a)));
    let mut least = 0.0_f64;
    for (hit, _) in hits.iter_mut().rev() {
        least = least.max(hit.score);
        hit.score = least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes;

    fn hits(scores: &[(i64, f64)]) -> Vec<(Hit, ())> {
        let hit = |(id, score): &(i64, f64)| Hit {
            id: *id,
            score: *score,
            ..fakes::hit("", "")
        };
        scores.iter().map(|scored| (hit(scored), ())).collect()
    }

    fn order(scores: &[(i64, f64)], near: &[i64]) -> Vec<i64> {
        let mut all = hits(scores);
        fuse(&mut all, near);
        all.iter().map(|(hit, ())| hit.id).collect()
    }

    #[test]
    fn places_in_both_orders_are_added_up_and_words_win_a_tie() {
        let words = [(1, 9.0), (2, 5.0), (3, 4.0), (4, 0.0)];
        assert_eq!(order(&words, &[]), [1, 2, 3, 4]);
        assert_eq!(order(&words, &[4]), [1, 4, 2, 3]);
        assert_eq!(order(&words, &[3, 4]), [3, 1, 2, 4]);
        assert_eq!(order(&words, &[4, 3]), [3, 1, 4, 2]);
        // One that the words did not find is not worth a place among them.
        assert_eq!(order(&[(1, 1.0), (2, 0.0), (3, 0.0)], &[]), [1, 2, 3]);
        assert_eq!(order(&[(1, 0.0), (2, 0.0)], &[2, 1]), [2, 1]);
    }

    #[test]
    fn scores_never_rise_and_stay_those_of_words() {
        let mut all = hits(&[(1, 9.0), (2, 5.0), (3, 0.0)]);
        fuse(&mut all, &[3, 2]);
        let scores: Vec<_> = all.iter().map(|(hit, ())| (hit.id, hit.score)).collect();
        assert_eq!(scores, [(2, 9.0), (1, 9.0), (3, 0.0)]);
    }

    #[test]
    fn the_nearest_is_always_among_the_passages() {
        // The worst case: all others that are near hold words, too.
        let words: Vec<(i64, f64)> = (1..=40).map(|id| (id, 50.0 - id as f64)).collect();
        let mut near: Vec<i64> = (1..=4).collect();
        near.insert(0, 99);
        let all = [&words[..], &[(99, 0.0)]].concat();
        let place = order(&all, &near).iter().position(|id| *id == 99);
        assert!(place.is_some_and(|place| place < crate::retrieval::MAX_PASSAGES));
        let near: Vec<i64> = [99, 37, 38, 39, 40].into();
        let place = order(&all, &near).iter().position(|id| *id == 99);
        assert!(place.is_some_and(|place| place < crate::retrieval::MAX_PASSAGES));
    }

    #[test]
    fn what_is_far_away_does_not_count() {
        let near = |scores: &[f64]| {
            let scored: Vec<(i64, f64)> = (1..).zip(scores.iter().copied()).collect();
            let hits = hits(&scored).into_iter().map(|(hit, ())| hit);
            near_enough(hits.collect()).len()
        };
        assert_eq!(near(&[0.9, 0.8, 0.5]), 2);
        assert_eq!(near(&[0.45, 0.41, 0.39]), 2);
        assert_eq!(near(&[0.39, 0.1, -0.5]), 0);
        assert_eq!(near(&[0.9; 20]), NEAREST);
        assert_eq!(near(&[f64::NAN, 0.9]), 0);
        assert_eq!(near(&[]), 0);
    }
}
