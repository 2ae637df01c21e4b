//! The snippet of a source: the sentences that are about the question.

use super::query::Terms;
use crate::search::Hit;
use bulle_edge_text::sentences;

/// The units of a text, each a sentence or an item.
fn units(text: &str) -> Vec<&str> {
    let lines = text.lines();
    let units = lines.flat_map(|line| match line.strip_prefix("- ") {
        Some(item) => vec![item],
        None => sentences(line),
    });
    units.collect()
}

/// The sentence with the most words of the question and with the fact that is asked for, followed by the next sentences
/// as far as `max` characters allow.
pub fn of(hit: &Hit, terms: &Terms, max: usize) -> String {
    let units = units(&hit.text);
    let mut best = (0, 0.0);
    for (at, unit) in units.iter().enumerate() {
        let held = terms.coverage(&[unit]);
        let fact = terms
            .kind()
            .is_some_and(|kind| kind.is_in(unit, &hit.language));
        let score = held + if fact { 0.25 } else { 0.0 };
        if score > best.1 {
            best = (at, score);
        }
    }
    join(&units, best.0, max)
}

/// The text from this unit on, in one line, cut after `max` characters.
pub fn flat(text: &str, from: usize, max: usize) -> String {
    join(&units(text), from, max)
}

fn join(units: &[&str], from: usize, max: usize) -> String {
    let mut out = String::new();
    for unit in units.iter().skip(from) {
        let more = unit.chars().count();
        if !out.is_empty() && out.chars().count() + more + 3 > max {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(unit);
    }
    if out.chars().count() > max {
        out = out.chars().take(max).collect();
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hit;

    #[test]
    fn the_sentence_that_answers_is_shown_and_what_follows_as_long_as_there_is_room() {
        let text =
            "Nous aimons le pain. La livraison coûte 4 €. Elle dure un jour.\n- Retours gratuits";
        let terms = Terms::of("Combien coûte la livraison ?", "fr");
        let hit = hit("Boutique", text);
        assert_eq!(
            of(&hit, &terms, 50),
            "La livraison coûte 4 €. Elle dure un jour."
        );
        assert_eq!(of(&hit, &terms, 10), "La livrais…");
        assert_eq!(
            of(&hit, &Terms::of("xyz", "fr"), 25),
            "Nous aimons le pain."
        );
        assert_eq!(flat("", 0, 10), "");
    }
}
