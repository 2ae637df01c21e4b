//! The language of a text, by its script and its commonest words: [`detect`] answers only when it is certain (no answer
//! costs nothing, a wrong one costs a good reply), [`guess`] always.

mod table;

#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::HashMap};

use crate::{
    fold::fold,
    script::{Script, is_mark},
    stop,
    words::{Word, words},
};
pub use table::Language;
use table::TABLE;

/// Bytes of a text after which no further line is read, and most characters of a line.
const MAX_BYTES: usize = 8 * 1024;

/// Fewest words of a language that a text must hold.
const MIN_HITS: usize = 3;

/// Fewest words of a text in a script that several languages use.
const MIN_WORDS: usize = 4;

/// The number of words from which a text is long, and from which the language of an answer is trusted.
const LONG: usize = 12;

/// The share of its words that must be of the language: for a short text, and for a long one.
const MIN_SHARE: (f64, f64) = (0.25, 0.13);

/// The share of the best language's weight from which the second best makes the result uncertain.
const MAX_SECOND: f64 = 0.6;

/// The weight of a word that only one language has. A word of several languages has a part of it. Weights are integers,
/// so that two texts with the same words have the same weight.
const WHOLE: usize = 27_720;

/// The limit of words that only another language has, as a share of the best language's words; above it, the text is
/// mixed.
const MAX_BESIDE: f64 = 0.34;

/// Fewest letters of a text whose script decides its language, in words of [`Script::letters`] letters.
const MIN_UNITS: f64 = 3.0;

/// Characters that are frequent in Chinese prose and not in Japanese.
const CHINESE: &str = "的了吗嗎呢吧你您们們这這那么麼什怎哪我是在和請请沒没";

/// Chinese characters without any of [`CHINESE`] and without kana, from which a text is Chinese: fewer may be a
/// Japanese title.
const MANY_HAN: usize = 20;

/// The language of a Markdown text that is long enough and certain; of close languages the likeliest. Code, addresses
/// and quoted text do not count.
pub fn detect(text: &str) -> Option<Language> {
    Census::of(&prose(text)).language()
}

/// The tag of the language in which the answer should have been, when the languages of both texts are certain and the
/// answer's is wrong. `allowed` are the languages that the bot answers in (BCP 47), any when empty.
///
/// `None` when the answer is short, or contains a passage in the right language, or when the question names the
/// language that it wants.
pub fn off_language(question: &str, answer: &str, allowed: &[String]) -> Option<String> {
    let text = prose(answer);
    let census = Census::of(&text);
    let spoken = census.language().filter(|_| census.is_long())?;
    if spoken.is_named(&fold(question)) {
        return None;
    }
    let asked = detect(question);
    let permitted = |language: &Language| {
        allowed
            .iter()
            .filter_map(|tag| Language::of_tag(tag))
            .any(|permitted| permitted.is_close(language))
    };
    let expected = match asked {
        Some(asked) if allowed.is_empty() || permitted(&asked) => Some(asked),
        // In none of the languages asked, in one of them answered.
        _ if allowed.is_empty() || permitted(&spoken) => return None,
        _ => None,
    };
    let Some(expected) = expected else {
        return allowed.first().cloned();
    };
    if expected.is_close(&spoken) || text.lines().any(|line| holds(line, expected)) {
        return None;
    }
    Some(expected.tag.to_owned())
}

/// The language of a question (its primary subtag) by its script and its stop words, or that of the hint when they do
/// not decide. Unlike [`detect`], it always gives a language: a wrong one costs a search some stop words.
pub fn guess<'a>(question: &str, hint: &'a str) -> &'a str {
    guess_of(question, &words(question), hint)
}

/// The language of a question that is already cut into words.
pub fn guess_of<'a>(question: &str, words: &[Word], hint: &'a str) -> &'a str {
    let hint = hint.split('-').next().unwrap_or_default();
    if let Some(tag) = by_script(question, hint) {
        return tag;
    }
    let votes = |tag: &str| {
        words
            .iter()
            .filter(|word| stop::is_stopword(&word.form, Some(tag)))
            .count()
    };
    let mut best = (hint, votes(hint));
    for tag in stop::languages() {
        let count = votes(tag);
        if count > best.1 {
            best = (tag, count);
        }
    }
    best.0
}

/// The language of a script that one language uses, or several of which one is the hint's.
fn by_script<'a>(text: &str, hint: &'a str) -> Option<&'a str> {
    let mut scripts = text.chars().filter_map(Script::of_letter);
    if text
        .chars()
        .filter_map(Script::of_letter)
        .any(Script::is_kana)
    {
        return Some("ja");
    }
    let tags = scripts.next()?.languages();
    if tags.contains(&hint) {
        Some(hint)
    } else {
        tags.first().copied()
    }
}

/// The English name of the language of a tag; the tag when it has none here.
pub fn name(tag: &str) -> &str {
    Language::of_tag(tag).map_or(tag, |language| language.name)
}

/// Whether a line could be in the language.
fn holds(line: &str, language: Language) -> bool {
    let census = Census::of(line);
    match census.ranking(census.main()).first() {
        Some(best) => best.hits >= MIN_HITS && best.language.is_close(&language),
        None => census
            .language()
            .is_some_and(|spoken| spoken.is_close(&language)),
    }
}

/// The text without the parts that do not show its language: code, quotations, addresses, citations.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut fence = false;
    for line in text.lines() {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            fence = !fence;
        } else if !fence && !start.starts_with('>') && out.len() < MAX_BYTES {
            let known = line.char_indices().nth(MAX_BYTES);
            let line = known.and_then(|(at, _)| line.get(..at)).unwrap_or(line);
            out.push_str(&unquoted(line));
            out.push('\n');
        }
    }
    out
}

/// A line without quoted text, text in backticks and addresses.
fn unquoted(line: &str) -> String {
    const PAIRS: [(char, char); 8] = [
        ('«', '»'),
        ('“', '”'),
        ('„', '“'),
        ('"', '"'),
        ('`', '`'),
        ('「', '」'),
        ('『', '』'),
        ('《', '》'),
    ];
    let mut out = String::new();
    // Closing marks that the rest of the line lacks: in a line of opening marks, each mark is searched for once.
    let mut missing: Vec<char> = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let closing = PAIRS
            .iter()
            .find(|(open, _)| *open == c)
            .map(|(_, close)| *close);
        let close = closing.filter(|close| !missing.contains(close));
        match close.map(|close| (close, rest.find(close))) {
            Some((close, Some(at))) => {
                rest = rest.get(at + close.len_utf8()..).unwrap_or_default();
                out.push(' ');
            }
            Some((close, None)) => {
                missing.push(close);
                out.push(c);
            }
            None => out.push(c),
        }
    }
    let plain = |word: &&str| !word.contains("://") && !word.contains('@');
    out.split(' ').filter(plain).collect::<Vec<_>>().join(" ")
}

/// A language that a text may be in.
struct Candidate {
    language: Language,
    /// The language's words in the text, each with its count.
    words: Vec<(&'static str, usize)>,
    /// The sum of these counts.
    hits: usize,
    /// The sum in parts of [`WHOLE`], where a word that other languages have, too, counts less.
    weight: usize,
}

impl Candidate {
    /// The words of this language that the other one lacks.
    fn beside(&self, other: &Self) -> usize {
        self.words
            .iter()
            .filter(|(word, _)| !other.words.iter().any(|(known, _)| known == word))
            .map(|(_, hits)| hits)
            .sum()
    }
}

/// The letters and words of a text.
struct Census {
    /// Letters of each script.
    letters: Vec<(Script, usize)>,
    /// The count of each word of the text, in lower case.
    words: HashMap<String, usize>,
    /// The number of words.
    total: usize,
    /// The number of words with a capital, which are mostly names.
    capital: usize,
    /// The number of characters that are frequent in Chinese prose.
    chinese: usize,
}

impl Census {
    fn of(text: &str) -> Self {
        let mut census = Self {
            letters: Vec::new(),
            words: HashMap::new(),
            total: 0,
            capital: 0,
            chinese: text.chars().filter(|c| CHINESE.contains(*c)).count(),
        };
        for c in text.chars() {
            if let Some(script) = Script::of_letter(c) {
                match census
                    .letters
                    .iter_mut()
                    .find(|(known, _)| *known == script)
                {
                    Some((_, count)) => *count += 1,
                    None => census.letters.push((script, 1)),
                }
            }
        }
        let is_part = |c: char| c.is_alphanumeric() || is_mark(c);
        for word in text.split(|c| !is_part(c)).filter(|word| !word.is_empty()) {
            if !Script::of_word(word).is_some_and(Script::has_words) {
                continue;
            }
            census.total += 1;
            census.capital += usize::from(word.starts_with(char::is_uppercase));
            *census.words.entry(word.to_lowercase()).or_default() += 1;
        }
        census
    }

    fn count(&self, script: Script) -> usize {
        self.letters
            .iter()
            .find(|(known, _)| *known == script)
            .map_or(0, |(_, count)| *count)
    }

    fn kana(&self) -> usize {
        self.count(Script::Hiragana) + self.count(Script::Katakana)
    }

    /// The approximate number of words of a script.
    fn units(&self, script: Script) -> f64 {
        let count = if script.is_japanese() {
            self.count(Script::Han) + self.kana()
        } else {
            self.count(script)
        };
        count as f64 / script.letters()
    }

    /// The script of most words; not Latin when another script has enough of them, because texts of every language
    /// contain technical terms in Latin.
    fn main(&self) -> Script {
        let other = self
            .letters
            .iter()
            .map(|(script, _)| *script)
            .filter(|script| *script != Script::Latin)
            .max_by(|a, b| self.units(*a).total_cmp(&self.units(*b)));
        match other {
            Some(other) if self.units(other) >= self.units(Script::Latin) / 4.0 => other,
            _ => Script::Latin,
        }
    }

    fn is_long(&self) -> bool {
        let script = self.main();
        self.units(script) >= LONG as f64
    }

    fn language(&self) -> Option<Language> {
        let script = self.main();
        let units = self.units(script);
        let is_much = |share: f64| share > units / 8.0;
        let mut others = self.letters.iter().map(|(other, _)| *other);
        if others.any(|other| script.is_foreign(other) && is_much(self.units(other))) {
            return None;
        }
        if script != Script::Latin {
            // Whether there is Latin prose besides technical terms.
            let latin = self.ranking(Script::Latin);
            let hits = latin.first().map_or(0, |best| best.hits);
            if units < MIN_UNITS || (hits >= MIN_HITS && is_much(hits as f64)) {
                return None;
            }
        }
        match script {
            _ if script.is_japanese() => self.chinese_or_japanese(),
            _ if script.has_words() => self.by_words(script),
            _ => script
                .languages()
                .first()
                .and_then(|tag| Language::of_tag(tag)),
        }
    }

    fn chinese_or_japanese(&self) -> Option<Language> {
        let (kana, han) = (self.kana(), self.count(Script::Han));
        if kana * 5 >= kana + han {
            return Language::of_tag("ja");
        }
        let chinese = kana * 20 < han && (self.chinese > 0 || han >= MANY_HAN);
        chinese.then(|| Language::of_tag("zh")).flatten()
    }

    fn by_words(&self, script: Script) -> Option<Language> {
        let ranking = self.ranking(script);
        let (best, others) = ranking.split_first()?;
        // Names belong to no language.
        let total = (self.total - self.capital).max(best.hits);
        let share = if total < LONG {
            MIN_SHARE.0
        } else {
            MIN_SHARE.1
        };
        let strangers = || {
            others
                .iter()
                .filter(|other| !other.language.is_close(&best.language))
        };
        let hits = best.hits as f64;
        let sure = best.hits >= MIN_HITS
            && self.total >= MIN_WORDS
            && hits >= share * total as f64
            && strangers().all(|other| (other.weight as f64) < MAX_SECOND * best.weight as f64)
            && strangers().all(|other| other.beside(best) as f64 <= MAX_BESIDE * hits);
        sure.then_some(best.language)
    }

    /// The languages of a script of which the text has words, the likeliest first.
    fn ranking(&self, script: Script) -> Vec<Candidate> {
        let candidate = |language: &Language| Candidate {
            language: *language,
            words: Vec::new(),
            hits: 0,
            weight: 0,
        };
        let mut found: Vec<Candidate> = TABLE.languages.iter().map(candidate).collect();
        for (said, count) in &self.words {
            for word in TABLE.of(said) {
                let candidate = found.get_mut(word.language);
                if let Some(candidate) =
                    candidate.filter(|_| Script::of_word(word.text) == Some(script))
                {
                    candidate.words.push((word.text, *count));
                    candidate.hits += count;
                    candidate.weight += WHOLE * *count / TABLE.families(word.text).max(1);
                }
            }
        }
        found.retain(|candidate| candidate.hits > 0);
        found.sort_by_key(|one| Reverse((one.weight, one.hits)));
        found
    }
}
