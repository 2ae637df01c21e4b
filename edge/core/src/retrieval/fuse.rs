//! Joins two orders of hits: by the words of the question, and by its meaning.
//!
//! Similarity by meaning is from -1 to 1, but which values are significant differs from model to model, and so does the
//! scale of the words' scores. So only the ranks count: `1 / (K + rank)` of each order, added up (reciprocal rank
//! fusion).

use crate::search::Hit;

/// The constant of reciprocal rank fusion: the larger, the less the first ranks differ (Cormack, Clarke and Büttcher,
/// 2009).
const K: f64 = 60.0;

/// Least similarity (cosine) that counts.
const MIN_LIKENESS: f64 = 0.4;

/// Least share of the best hit's similarity that counts.
const MIN_SHARE: f64 = 0.8;

/// Most hits by meaning that count, so that the nearest one is always among [`super::MAX_PASSAGES`]: only hits that
/// also hold words of the question can rank before it, and the first of those.
const NEAREST: usize = super::MAX_PASSAGES - 1;

/// The hits of the vector index, nearest first, that are near enough to count.
pub fn near_enough(mut near: Vec<Hit>) -> Vec<Hit> {
    let best = near.first().map_or(0.0, |hit| hit.score);
    near.retain(|hit| hit.score >= MIN_LIKENESS && hit.score >= best * MIN_SHARE);
    near.truncate(NEAREST);
    near
}

/// Orders hits, which are in the order of their words' scores, by both signals; `near` is the order by meaning. A hit
/// with score 0, which holds no word of the question, has no rank in the first order. The scores stay those of the
/// words, except that none is below the score of a later hit.
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
    use crate::{
        retrieval::{self, MAX_PASSAGES, Passages},
        testing::{self, Fakes, block_on, question},
    };

    fn hits(scores: &[(i64, f64)]) -> Vec<(Hit, ())> {
        let hit = |(id, score): &(i64, f64)| Hit {
            id: *id,
            score: *score,
            ..testing::hit("", "")
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
        // A hit without a word of the question has no rank in the order by words.
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
        assert!(place.is_some_and(|place| place < MAX_PASSAGES));
        let near: Vec<i64> = [99, 37, 38, 39, 40].into();
        let place = order(&all, &near).iter().position(|id| *id == 99);
        assert!(place.is_some_and(|place| place < MAX_PASSAGES));
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

    /// Texts found by words (the same words in all) and texts found by meaning.
    fn both(ports: &Fakes, asked: &str, previous: Option<&str>) -> (Vec<String>, Passages) {
        let found = block_on(retrieval::search(
            ports,
            &retrieval::Analysed::of(&question(asked)),
            previous,
        ))
        .unwrap();
        let texts = found.items().iter().map(|passage| passage.hit.text.clone());
        (texts.collect(), found)
    }

    fn numbered(id: i64, text: &str, score: f64) -> Hit {
        Hit {
            id,
            text: text.into(),
            score,
            ..testing::hit("", "")
        }
    }

    #[test]
    fn what_the_words_do_not_find_is_found_by_its_meaning_and_counted_once() {
        let ports = Fakes::default();
        for (id, text) in [(1, "L'automobile rouge"), (2, "Le vélo rouge")] {
            ports.add_hit(numbered(id, text, 1.0));
        }
        assert_eq!(both(&ports, "Rouge ?", None).0.len(), 2);
        *ports.near.borrow_mut() = vec![
            numbered(7, "La voiture carmin", 0.9),
            numbered(2, "Le vélo rouge", 0.85),
            numbered(8, "Un piano", 0.2),
        ];
        let (texts, found) = both(&ports, "Rouge ?", None);
        assert_eq!(
            texts,
            ["Le vélo rouge", "L'automobile rouge", "La voiture carmin"]
        );
        assert_eq!(found.items()[2].n, 3);
        assert!(found.without_meaning().is_none());
        // The vector index is asked for the same question.
        both(&ports, "Depuis quand ?", Some("Rouge ?"));
        both(&ports, "Merci !", Some("Rouge ?"));
        assert_eq!(
            *ports.meant.borrow(),
            ["Rouge ?", "Rouge ?", "Rouge ?\nDepuis quand ?"]
        );
    }

    #[test]
    fn what_repeats_another_by_meaning_is_dropped_too() {
        let ports = Fakes::default();
        ports.add_hit(numbered(1, "Kubernetes à Rennes", 1.0));
        *ports.near.borrow_mut() = vec![numbered(2, "Kubernetes à Rennes !", 0.9)];
        assert_eq!(both(&ports, "Kubernetes ?", None).0.len(), 1);
    }

    #[test]
    fn words_find_what_they_find_when_the_index_of_meanings_fails() {
        let ports = Fakes::default();
        ports.add_hit(numbered(1, "Kubernetes à Rennes", 1.0));
        *ports.near.borrow_mut() = vec![numbered(2, "Des conteneurs", 0.9)];
        ports.fail("meaning");
        let (texts, found) = both(&ports, "Kubernetes ?", None);
        assert_eq!(texts, ["Kubernetes à Rennes"]);
        assert!(found.without_meaning().is_some());
        ports.mend("meaning");
        ports.fail("index");
        assert!(
            block_on(retrieval::search(
                &ports,
                &retrieval::Analysed::of(&question("Kubernetes ?")),
                None
            ))
            .is_err()
        );
    }
}
