//! Cuts text into words, or into pieces of words where a script has no spaces.

use crate::{
    fold::fold,
    script::{Script, is_mark},
    stem::{key, stem},
};

/// A word of a text in the forms by which words are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Folded.
    pub form: String,
    /// The stem: without its endings.
    pub stem: String,
    /// The key: the beginning of its stem, by which the index finds it. Two forms of one word share it.
    pub key: String,
    /// True for a piece of a text without spaces, which is not a word by itself.
    pub gram: bool,
}

impl Word {
    /// The word whose form [`words`] gave.
    pub fn of_form(form: &str) -> Self {
        let gram = form.chars().next().map(class);
        if matches!(gram, Some(Class::Joined(_))) {
            return Self::gram(form.to_owned());
        }
        let stem = stem(form).to_owned();
        Self {
            key: key(&stem),
            stem,
            form: form.to_owned(),
            gram: false,
        }
    }

    fn gram(form: String) -> Self {
        Self {
            key: form.clone(),
            stem: String::new(),
            form,
            gram: true,
        }
    }

    /// Whether it is a single character from a longer text without spaces, which is less specific than a pair.
    pub fn is_letter(&self) -> bool {
        self.gram && self.form.chars().nth(1).is_none()
    }
}

/// The role of a character in the cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// The character is part of a word.
    Word,
    /// The character is of a script without spaces, or of Korean, whose words are cut into pieces.
    Joined(Script),
    /// The character is not part of a word.
    None,
}

/// Longest word in characters. A longer one is cut, because a question hardly contains the whole of it.
const MAX_WORD: usize = 40;

fn class(c: char) -> Class {
    match c {
        '0'..='9' | 'a'..='z' => Class::Word,
        _ if c.is_ascii() => Class::None,
        // Marks of repetition, of abbreviation and of the ends of sentences in Thai, Lao, Khmer and Myanmar are not
        // letters.
        'ๆ' | 'ฯ' | 'ໆ' | '၊' | '။' | '។' | '៕' | '๏' | '๚' | '๛' => {
            Class::None
        }
        _ => match Script::of(c) {
            Some(script) if script.joins_words() => Class::Joined(script),
            _ if c.is_alphanumeric() || is_mark(c) => Class::Word,
            _ => Class::None,
        },
    }
}

/// The words of a text, in order.
pub fn words(text: &str) -> Vec<Word> {
    let folded = fold(text);
    let mut out = Vec::new();
    let mut run = String::new();
    let mut kind = Class::None;
    let mut chars = folded.chars().peekable();
    while let Some(c) = chars.next() {
        let now = match class(c) {
            // `c++` and `c#` are words.
            Class::None
                if kind == Class::Word && matches!(c, '+' | '#') && run.chars().count() <= 3 =>
            {
                let next = chars.peek().copied().map_or(Class::None, class);
                if next == Class::None {
                    Class::Word
                } else {
                    Class::None
                }
            }
            now => now,
        };
        if now != kind {
            end(&mut run, kind, &mut out);
            kind = now;
        }
        match (now, c) {
            (Class::None, _) => {}
            // SQLite's tokenizer `ascii` treats these as letters.
            (_, '+') => run.push('＋'),
            (_, '#') => run.push('＃'),
            _ => run.push(c),
        }
    }
    end(&mut run, kind, &mut out);
    out
}

fn end(run: &mut String, kind: Class, out: &mut Vec<Word>) {
    let run = std::mem::take(run);
    match kind {
        Class::None => {}
        _ if run.is_empty() => {}
        Class::Word => {
            let form: String = run.chars().take(MAX_WORD).collect();
            out.push(Word::of_form(&form));
        }
        Class::Joined(script) if script.has_clusters() => grams(&clusters(&run), 2, out),
        Class::Joined(script) => {
            let letters: Vec<String> = run.chars().map(String::from).collect();
            grams(&letters, 2, out);
            // A single Chinese character is a word, too.
            if script == Script::Han && letters.len() > 1 {
                letters.chunks(1).for_each(|letter| grams(letter, 1, out));
            }
        }
    }
}

/// Runs of `n` neighbours; a shorter text is one run.
fn grams(units: &[String], n: usize, out: &mut Vec<Word>) {
    let mut push = |units: &[String]| out.push(Word::gram(units.concat()));
    if units.len() <= n {
        push(units);
    } else {
        units.windows(n).for_each(push);
    }
}

/// A letter with its signs above, below and behind it.
fn clusters(run: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for c in run.chars() {
        match out.last_mut() {
            Some(last) if is_mark(c) => last.push(c),
            _ => out.push(c.to_string()),
        }
    }
    out
}

/// Fewest characters of a word that is treated as a compound.
const COMPOUND: usize = 9;

/// Fewest characters before a part of a compound, and of the part.
const BEFORE: usize = 3;
const PART: usize = 4;

/// Whether the language writes compounds as one word. A text of unknown language may.
pub fn has_compounds(language: &str) -> bool {
    let primary = language
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(
        primary.as_str(),
        "" | "de"
            | "nl"
            | "sv"
            | "da"
            | "nb"
            | "nn"
            | "no"
            | "fi"
            | "et"
            | "hu"
            | "is"
            | "lb"
            | "fy"
            | "af"
    )
}

/// The keys of everything that may be the last part of a compound: for `mitgliedsbeitrag` also the key of `beitrag`.
/// Without a dictionary the beginnings of parts are unknown, so every position is taken; the keys of pieces that are
/// not words match no question.
pub fn part_keys(word: &Word) -> Vec<String> {
    let length = word.form.chars().count();
    if word.gram || length < COMPOUND {
        return Vec::new();
    }
    let starts = word
        .form
        .char_indices()
        .map(|(at, _)| at)
        .skip(BEFORE)
        .take(length - BEFORE - PART + 1);
    let mut keys: Vec<String> = Vec::new();
    for part in starts.filter_map(|at| word.form.get(at..)) {
        let key = key(stem(part));
        if key.chars().count() >= PART && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_elisions_cut() {
        let forms: Vec<String> = words("L’Élève d'été, C++ !")
            .into_iter()
            .map(|word| word.form)
            .collect();
        assert_eq!(forms, ["l", "eleve", "d", "ete", "c＋＋"]);
    }

    #[test]
    fn a_form_is_all_that_there_is_to_know_of_a_word() {
        let text = "Mitgliedsbeiträge 2019 C++ 架構師 東京タワー 한국어를 ที่นี่ किताबें والمكتبات музеями Ὀδυσσεύς ភាសា";
        for word in words(text) {
            assert_eq!(Word::of_form(&word.form), word);
        }
    }
}
