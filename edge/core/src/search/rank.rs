//! Ranks the hits of the index: by the words of the question, their rarity among the bot's own chunks, the fields that
//! contain them, and their distance from one another.

use std::collections::HashMap;

use bulle_edge_text::words::{Word, words};

use super::indexed::{Indexed, Placed};

/// Saturation: how fast the repetition of a word stops counting (BM25's k1).
const K1: f64 = 1.2;

/// Length normalisation: how much a long text is marked down (BM25's b).
const B: f64 = 0.5;

/// The weight of a word in the title and in the heading, where 1 is its weight in the text.
const TITLE: f64 = 1.0;

const HEADING: f64 = 1.2;

/// The factor on a word's weight in the text when the title or the heading has the word, too.
const ABOVE: f64 = 0.5;

/// The share of its score that a text without any word of the question would keep; a text with all words has 1 more.
const COVERAGE: f64 = 0.5;

/// The score of two adjacent words of the question that are adjacent in the text, as a share of the commoner word's
/// weight.
const NEIGHBOURS: f64 = 0.5;

/// Longest distance at which two words count as close, in words.
const CLOSE: u32 = 6;

/// A word of the question with its weight.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The word.
    pub word: &'a Word,
    /// Its rarity, over 0.
    pub worth: f64,
}

/// The share of the words of the shorter text that the other one contains, too; 0 when one is empty, or much longer.
pub fn shared(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() || short.len() * 3 < long.len() * 2 {
        return 0.0;
    }
    // Two prices of the same thing are not duplicates.
    let number = |word: &&Word| word.form.contains(|c: char| c.is_ascii_digit());
    let mut numbers = short.iter().filter(number);
    if numbers.any(|word| !long.iter().any(|other| other.form == word.form)) {
        return 0.0;
    }
    let mut there: HashMap<&str, usize> = HashMap::new();
    for word in &long {
        *there.entry(&word.form).or_default() += 1;
    }
    let mut shared = 0;
    for word in &short {
        if let Some(left) = there.get_mut(word.form.as_str()).filter(|left| **left > 0) {
            *left -= 1;
            shared += 1;
        }
    }
    f64::from(shared) / short.len() as f64
}

/// Rarity of a word that stands in `chunks` of `all` chunks.
pub fn rarity(chunks: f64, all: f64) -> f64 {
    ((all - chunks + 0.5).max(0.5) / (chunks + 0.5)).ln_1p()
}

/// How well a word matches the wanted one, 0 to 1: another form of the same word matches a little less, and a compound
/// with a common part less still.
pub fn likeness(wanted: &Word, word: &Word, compounds: bool) -> f64 {
    if wanted.form == word.form {
        return 1.0;
    }
    if wanted.gram || word.gram {
        return 0.0;
    }
    let same = same_word(wanted, word);
    if compounds && same < PART {
        same.max(common_part(&wanted.stem, &word.stem))
    } else {
        same
    }
}

/// The match of a compound that ends with the wanted word, or with the same part.
const PART: f64 = 0.7;
const SHARED_PART: f64 = 0.45;

/// Fewest letters of such a part, and of a compound's stem.
const MIN_PART: usize = 4;
const MIN_COMPOUND: usize = 8;

/// The match of another form with the same stem.
const SAME_STEM: f64 = 0.95;

/// The least and the best match of a word with the same key and another stem.
const SAME_KEY: f64 = 0.05;
const MAX_ALIKE: f64 = 0.9;

/// From this match on, a word counts for closeness.
const THERE: f64 = 0.4;

fn common_part(wanted: &str, word: &str) -> f64 {
    // These languages' letters are one byte each after folding.
    let shorter = wanted.len().min(word.len());
    if shorter < MIN_PART || wanted.len().max(word.len()) < MIN_COMPOUND {
        return 0.0;
    }
    if word.contains(wanted) {
        return PART;
    }
    let ends = wanted.bytes().rev().zip(word.bytes().rev());
    let common = ends.take_while(|(a, b)| a == b).count();
    if common == shorter {
        PART
    } else if common > MIN_PART {
        SHARED_PART
    } else {
        0.0
    }
}

/// The match of a longer word that begins with the wanted one, as `disponible` does with `dispo`.
const LONGER: f64 = 0.6;

/// Fewest letters of a shortened word.
const MIN_SHORT: usize = 5;

fn same_word(wanted: &Word, word: &Word) -> f64 {
    let shortened = wanted.form.chars().all(char::is_lowercase)
        && word.form.starts_with(&wanted.form)
        && wanted.form.chars().nth(MIN_SHORT - 1).is_some();
    let least = if shortened { LONGER } else { 0.0 };
    if wanted.key != word.key {
        return least;
    }
    if wanted.stem == word.stem {
        return SAME_STEM;
    }
    let alike = common_start(&wanted.form, &word.form).max(common_start(&wanted.stem, &word.stem));
    alike.powi(2).clamp(SAME_KEY, MAX_ALIKE).max(least)
}

/// The common beginning of two words as a share of the longer word's letters.
fn common_start(a: &str, b: &str) -> f64 {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longest = a.chars().count().max(b.chars().count());
    common as f64 / longest.max(1) as f64
}

/// Scores each chunk. Of an [`Indexed`] chunk that was stored, only the words that a question may match are there.
pub fn scores(wanted: &[Wanted<'_>], chunks: &[Indexed], compounds: bool) -> Vec<f64> {
    let size = |chunk: &Indexed| f64::from(chunk.size);
    let mean = chunks.iter().map(size).sum::<f64>() / chunks.len().max(1) as f64;
    chunks
        .iter()
        .map(|chunk| score(wanted, chunk, size(chunk) / mean.max(1.0), compounds))
        .collect()
}

fn score(wanted: &[Wanted<'_>], chunk: &Indexed, size: f64, compounds: bool) -> f64 {
    let norm = K1 * (1.0 - B + B * size);
    let all: f64 = wanted.iter().map(|wanted| wanted.worth).sum();
    let mut total = 0.0;
    let mut held = 0.0;
    let mut places: Vec<Vec<u32>> = Vec::new();
    for Wanted { word, worth } in wanted {
        let most = |part: &[Word]| {
            let alike = part.iter().map(|other| likeness(word, other, compounds));
            alike.fold(0.0, f64::max)
        };
        let (title, heading) = (most(&chunk.title), most(&chunk.heading));
        // A word of the title or heading is the subject of the whole document, and says little of one chunk.
        let above = (TITLE * title).max(HEADING * heading);
        let (mut sum, mut best, mut at) = (0.0, 0.0_f64, Vec::new());
        for Placed {
            word: other,
            places,
        } in &chunk.body
        {
            let alike = likeness(word, other, compounds);
            sum += alike * places.len() as f64;
            best = best.max(alike);
            if alike > THERE {
                at.extend_from_slice(places);
            }
        }
        let found = above + sum * (1.0 - ABOVE * above.min(1.0));
        held += worth * title.max(heading).max(best);
        total += worth * found * (K1 + 1.0) / (found + norm);
        places.push(at);
    }
    let mut close = 0.0;
    for (pair, at) in wanted.windows(2).zip(places.windows(2)) {
        let ([a, b], [first, second]) = (pair, at) else {
            continue;
        };
        let gap = first
            .iter()
            .flat_map(|a| second.iter().map(move |b| a.abs_diff(*b)))
            .filter(|gap| *gap > 0)
            .min();
        if let Some(gap) = gap.filter(|gap| *gap <= CLOSE) {
            close += a.worth.min(b.worth) / f64::from(gap);
        }
    }
    let share = held / all.max(f64::MIN_POSITIVE);
    (total + NEIGHBOURS * close) * (COVERAGE + share)
}
