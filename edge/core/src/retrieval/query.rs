//! The terms of a question: the words that carry its meaning.

use crate::search::{Found, Query, Scope, rank::likeness};
use bulle_edge_text::{
    fold::fold,
    kin,
    kind::{FactKind, is_time, leads_to_place},
    stem,
    stop::{self, is_greeting},
    words::{Word, has_compounds, part_keys, words},
};

/// Most words of a question that are searched for; in scripts without spaces, pieces of words count.
const MAX_TERMS: usize = 32;

/// Most words that are looked for when others for the same are added.
const MAX_KEYS: usize = 24;

/// From this similarity on, two forms count as one word.
const SAME: f64 = 0.6;

/// The terms of a question, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    words: Vec<Word>,
    /// Single characters of Chinese, which are searched for and ranked beside the terms.
    letters: Vec<Word>,
    compounds: bool,
    /// Of the question.
    language: String,
    kind: Option<FactKind>,
    /// The thing that is counted, where a number is asked for.
    counted: Option<Word>,
    /// Terms that are written like names, except those of places.
    names: Vec<Word>,
    /// Terms that are written like names of places.
    places: Vec<Word>,
    /// Terms that only ask for a time, such as "year" in "which year".
    units: Vec<Word>,
}

impl Terms {
    /// The terms of a question in this language (its primary subtag). Where the language has no list of stop words,
    /// those of all languages are removed.
    pub fn of(question: &str, language: &str) -> Self {
        let compounds = !language.is_empty() && has_compounds(language);
        let asked = FactKind::of(question, language);
        let (places, names) = names(question, language);
        let folded = stop::without_phrases(fold(question), language);
        let tag = language.to_owned();
        let language = stop::has_words(language).then_some(language);
        let mut terms: Vec<Word> = Vec::new();
        let all = words(&stop::cut(&folded));
        for (at, word) in all.iter().cloned().enumerate() {
            // "Habt ihr sonntags auf?"
            let verb = at > 0 && at + 1 == all.len() && !kin::of(&word, &tag).is_empty();
            let empty = !verb && !word.gram && stop::is_stopword(&word.form, language);
            if !empty && !is_greeting(&word.form) && !terms.contains(&word) {
                terms.push(word);
            }
        }
        // "Where are you?" asks for the address.
        if terms.is_empty()
            && asked
                .as_ref()
                .is_some_and(|asked| asked.kind == FactKind::Place)
        {
            terms.extend(
                FactKind::word_of_place(&tag)
                    .iter()
                    .flat_map(|word| words(word)),
            );
        }
        let counted = (asked.as_ref())
            .filter(|asked| asked.kind == FactKind::Number)
            .and_then(|asked| {
                let then = words(&asked.then);
                then.into_iter()
                    .find(|word| !word.gram && terms.contains(word))
            });
        // In "which year" and "um wie viel Uhr" it is the last word. Others may name the subject: "à partir de quand".
        let unit = |word: &&Word| {
            let last = |with: &str| with.rsplit(' ').next() == Some(&word.form);
            (asked.as_ref()).is_some_and(|asked| asked.kind == FactKind::Time && last(asked.with))
        };
        let units = terms.iter().filter(unit).cloned().collect();
        let kind = asked.as_ref().map(|asked| asked.kind);
        let (mut letters, mut words) = terms.into_iter().partition::<Vec<_>, _>(Word::is_letter);
        if words.is_empty() {
            std::mem::swap(&mut letters, &mut words);
        }
        words.truncate(MAX_TERMS);
        letters.truncate(MAX_TERMS);
        Self {
            words,
            letters,
            compounds,
            language: tag,
            kind,
            counted,
            names,
            places,
            units,
        }
    }

    /// The terms without the words of the bot's own name, which every document contains; unless there are no other
    /// terms.
    pub fn without_name(mut self, name: &str) -> Self {
        let name = words(name);
        let is_name = |term: &Word| name.iter().any(|word| word.form == term.form);
        if !self.words.iter().all(is_name) {
            self.words.retain(|term| !is_name(term));
        }
        self
    }

    /// The terms without words that look like misspelled stop words and are in none of the bot's chunks.
    pub(super) fn without_slips(mut self, found: &Found, language: &str) -> Self {
        let slip = |term: &Word| {
            !term.gram && !found.holds(&term.key) && stop::is_slip(&term.form, language)
        };
        if !self.words.iter().all(slip) {
            self.words.retain(|term| !slip(term));
        }
        self
    }

    /// Whether an answering text may lack the term: the answer to "which year" is a number.
    pub fn is_unit(&self, term: &Word) -> bool {
        self.units.contains(term) && !self.words.iter().all(|word| self.units.contains(word))
    }

    /// Whether the term is a place that is in none of the bot's chunks: "do you deliver to Ghent?" is answered by the
    /// list of places.
    pub(super) fn is_unknown_place(&self, term: &Word, found: &Found) -> bool {
        found.all > 0 && self.places.contains(term) && !found.holds(&term.key)
    }

    /// Whether the term is a name, but not of a place, that is in none of the bot's chunks.
    pub(super) fn names_what_is_unknown(&self, found: &Found) -> bool {
        found.all > 0
            && (self.names.iter()).any(|name| self.words.contains(name) && !found.holds(&name.key))
    }

    /// True when the question has no terms.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The terms.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// Single characters of the question that count beside its terms.
    pub fn letters(&self) -> &[Word] {
        &self.letters
    }

    /// Whether the language writes compounds as one word.
    pub fn compounds(&self) -> bool {
        self.compounds
    }

    /// The kind of fact that is asked for.
    pub fn kind(&self) -> Option<FactKind> {
        self.kind
    }

    /// The thing that is counted, where a number is asked for.
    pub fn counted(&self) -> Option<&Word> {
        self.counted.as_ref()
    }

    /// For each term, whether the text has a form of it.
    pub fn matches(&self, text: &str) -> Vec<bool> {
        self.held_by(&words(text))
    }

    /// For each term, whether the words include a form of it.
    pub fn held_by(&self, words: &[Word]) -> Vec<bool> {
        let held = |term: &Word| words.iter().any(|word| self.is_form(term, word));
        self.words.iter().map(held).collect()
    }

    /// Whether the word is a form of the term.
    pub fn is_form(&self, term: &Word, word: &Word) -> bool {
        likeness(term, word, self.compounds) >= SAME
    }

    /// How much of the term the word is, 0 to 1.
    pub fn likeness(&self, term: &Word, word: &Word) -> f64 {
        likeness(term, word, self.compounds)
    }

    /// The share of the terms that stand in any of the texts, 0 to 1.
    pub fn coverage(&self, texts: &[&str]) -> f64 {
        if self.words.is_empty() {
            return 0.0;
        }
        let found = self.matches(&texts.join("\n"));
        found.iter().filter(|held| **held).count() as f64 / self.words.len() as f64
    }

    /// The query for the index.
    pub fn query(&self, tenant_id: &str, bot_id: &str) -> Query {
        let mut keys: Vec<String> = Vec::new();
        for word in self.words.iter().chain(&self.letters) {
            let parts = if self.compounds {
                part_keys(word)
            } else {
                Vec::new()
            };
            // `dispo` for `disponible`: a shortened word keeps an end that looks like an inflection.
            let whole = stem::key(&word.form);
            let whole = (!word.gram
                && stem::is_whole_key(&whole)
                && word.form.chars().all(char::is_lowercase))
            .then_some(whole);
            for key in std::iter::once(word.key.clone()).chain(whole).chain(parts) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        // Other words for the same, as far as there is room: they help where the documents have none of the visitor's.
        let others = self
            .words
            .iter()
            .flat_map(|word| kin::of(word, &self.language));
        for Word { key, .. } in others {
            if keys.len() < MAX_KEYS && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        Query {
            scope: Scope::of(tenant_id, bot_id),
            keys,
        }
    }
}

/// The words of a question that are written like names: with a capital inside a sentence, or with several capitals.
/// None where all words are written so; words of greetings do not count. Words after "in" or "to" are returned first,
/// apart from the others.
fn names(question: &str, language: &str) -> (Vec<Word>, Vec<Word>) {
    let all: Vec<&str> = question.split_whitespace().collect();
    let capital = |word: &str| {
        let mut letters = word.chars().filter(|c| c.is_alphanumeric());
        letters.next().is_some_and(char::is_uppercase)
    };
    let upper = |word: &str| word.chars().filter(|c| c.is_uppercase()).count() > 1;
    let capitals = all.iter().filter(|word| capital(word)).count();
    if all.len() > 3 && capitals * 2 > all.len() || !question.contains(char::is_lowercase) {
        return (Vec::new(), Vec::new());
    }
    // In German every noun has a capital.
    let nouns = matches!(language, "de" | "lb");
    let (mut places, mut names) = (Vec::new(), Vec::new());
    let (mut begins, mut greets) = (true, false);
    for (at, word) in all.iter().enumerate() {
        let start = begins;
        begins = word.ends_with(['.', '!', '?', ':', '…']);
        let found = words(word);
        greets |= start && found.iter().any(|word| is_greeting(&word.form));
        let named = upper(word) || (capital(word) && !start && !nouns);
        if named && !greets {
            let is_name = |word: &Word| {
                !word.gram && word.form.chars().nth(1).is_some() && !is_time(&word.form, language)
            };
            let before = at.checked_sub(1).and_then(|at| all.get(at));
            let place = before.is_some_and(|before| leads_to_place(&fold(before), language));
            let out = if place { &mut places } else { &mut names };
            out.extend(found.into_iter().filter(is_name));
        }
        greets &= !word.ends_with([',', '.', '!', '?']);
    }
    (places, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_question_is_only_words() {
        for (question, language, expected) in [
            (
                "Quelle est ton expérience avec Kubernetes ?",
                "fr",
                &["experience", "kubernetes"][..],
            ),
            (
                "C++ NEAR(go, 5) AND \"rust\" - : *",
                "fr",
                &["c＋＋", "near", "go", "5", "and", "rust"],
            ),
            ("東京タワーはどこですか。", "ja", &["東京", "タワ", "ワー"]),
            ("ร้านเปิดกี่โมง", "th", &["ร้า", "าน", "นเ", "เป", "ปิ", "ิด"]),
            ("किताब कहाँ है?", "hi", &["किताब"]),
            ("😀 🎉", "en", &[]),
            ("", "", &[]),
        ] {
            let terms = Terms::of(question, language);
            let forms: Vec<_> = terms.words().iter().map(|word| &*word.form).collect();
            if language == "th" {
                assert!(forms.len() >= 3, "{forms:?}");
                continue;
            }
            assert_eq!(forms, expected, "{question}");
        }
    }

    #[test]
    fn a_long_question_is_cut() {
        let terms = Terms::of(&"x".repeat(100_000), "en");
        assert_eq!((terms.len(), terms.words()[0].form.len()), (1, 40));
        let many: String = (0..500).map(|n| format!("word{n} ")).collect();
        assert_eq!(Terms::of(&many, "en").len(), MAX_TERMS);
        let joined: String = (0x4e00..0x5e00).filter_map(char::from_u32).collect();
        assert!(Terms::of(&joined, "zh").query("t", "b").keys.len() <= 2 * MAX_TERMS);
    }

    #[test]
    fn the_bots_name_is_asked_for_only_when_nothing_else_is() {
        let asked = |question: &str| {
            let terms = Terms::of(question, "fr").without_name("Maëlle Kervadec");
            let forms = terms.words().iter().map(|word| word.form.clone());
            forms.collect::<Vec<_>>()
        };
        assert_eq!(asked("Quel âge a Maëlle ?"), ["age"]);
        assert_eq!(asked("Qui est Maëlle ?"), ["maelle"]);
    }

    /// Of ten chunks, one contains these words.
    fn found(words: &[&str]) -> Found {
        Found {
            chunks: words.iter().map(|word| ((*word).to_owned(), 1)).collect(),
            all: 10,
            ..Found::default()
        }
    }

    #[test]
    fn who_or_what_is_named_is_known_or_not() {
        for (question, language, unknown) in [
            ("Does she know Java?", "en", true),
            ("When did she pass the CKAD exam?", "en", true),
            ("Qui est le PDG ?", "fr", true),
            ("Parle-t-elle Rust ?", "fr", false),
            ("Do you deliver to Ghent?", "en", false),
            // A greeting, the first word of a sentence and the name of a day are not names.
            ("Bonjour Madame Durand, que fait-elle ?", "fr", false),
            ("Open on Sunday? Vegan too?", "en", false),
            // Where every word has a capital, capitals mark no names; in German every noun has one.
            ("IS THERE A GARDEN?", "en", false),
            ("Is There Some Garden Nearby?", "en", false),
            ("Gibt es einen Garten?", "de", false),
            ("Gibt es WLAN?", "de", true),
            ("有 WiFi 吗", "zh", true),
        ] {
            let terms = Terms::of(question, language);
            let unknown_name = terms.names_what_is_unknown(&found(&["rust"]));
            assert_eq!(unknown_name, unknown, "{question}");
            assert!(!terms.names_what_is_unknown(&Found::default()));
        }
    }

    #[test]
    fn a_slip_of_a_stopword_is_left_out_when_no_document_has_it() {
        let asked = |words: &[&str]| {
            let terms = Terms::of("coment la contacter", "fr");
            let terms = terms.without_slips(&found(words), "fr");
            let forms = terms.words().iter().map(|word| word.form.clone());
            forms.collect::<Vec<_>>()
        };
        assert_eq!(asked(&["conta"]), ["contacter"]);
        assert_eq!(asked(&["comen"]), ["coment", "contacter"]);
        let only = Terms::of("coment", "fr").without_slips(&found(&[]), "fr");
        assert_eq!(only.len(), 1);
    }

    #[test]
    fn what_is_counted_and_what_only_asks_for_a_time() {
        let counted = |question: &str| {
            let terms = Terms::of(question, "fr");
            terms.counted().map(|word| word.form.clone())
        };
        assert_eq!(
            counted("Combien de personnes étaient là ?").as_deref(),
            Some("personnes")
        );
        assert_eq!(counted("Combien coûte le pain ?"), None);
        let units = |question: &str| {
            let terms = Terms::of(question, "en");
            let units = terms.words().iter().filter(|word| terms.is_unit(word));
            units.map(|word| word.form.clone()).collect::<Vec<_>>()
        };
        assert_eq!(units("In which year did she graduate?"), ["year"]);
        assert!(units("Which year?").is_empty());
        let terms = Terms::of("À partir de quand est-elle libre ?", "fr");
        assert!(!terms.words().iter().any(|word| terms.is_unit(word)));
    }

    #[test]
    fn words_cut_short_find_the_whole_ones() {
        let terms = Terms::of("dispo", "fr");
        assert!(terms.query("t", "b").keys.iter().any(|key| key == "dispo"));
        assert_eq!(terms.coverage(&["disponible"]), 1.0);
        assert_eq!(Terms::of("dis", "fr").coverage(&["disponible"]), 0.0);
    }

    #[test]
    fn coverage_counts_terms_by_stem() {
        let terms = Terms::of("clusters Kubernetes en production", "fr");
        assert_eq!(terms.coverage(&["Un cluster Kubernetes"]), 2.0 / 3.0);
        assert_eq!(Terms::default().coverage(&["x"]), 0.0);
    }
}
