//! What ranking needs to know of a chunk. It is computed when the chunk is indexed and stored beside its text, so that a
//! question cuts no text into words: the database gives only the entries of words that the question may match.

use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use bulle_edge_text::{
    kind::FactKind,
    stem,
    words::{Word, has_compounds, words},
};

/// Label of the entry with size, kinds of facts and sketch; no key of a word has this letter. See `search.sql`.
const ABOUT: &str = "#";

/// Label of the entry with all long words, where the language writes compounds as one word: a question may match a part
/// of them. See `search.sql`.
const LONG: &str = "~";

/// Fewest letters of a long word.
const MIN_LONG: usize = 8;

/// The place of words of the heading.
const HEADING: &str = "h";

/// Numbers of a sketch.
const SKETCH: usize = 8;

/// A word of a text with its places.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The word.
    pub word: Word,
    /// Its places in the text, in words from 0.
    pub places: Vec<u32>,
}

/// A chunk as ranking sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Indexed {
    /// Words of the title.
    pub title: Rc<[Word]>,
    /// Words of the path of headings.
    pub heading: Vec<Word>,
    /// Words of the text, each once.
    pub body: Vec<Placed>,
    /// Number of words of the text.
    pub size: u32,
    /// The kinds of facts in the text, a bit each, in the order of [`FactKind::ALL`].
    kinds: u32,
    /// The least hashes of the words of the text: two texts of nearly the same words share some.
    sketch: Vec<u32>,
}

/// A member of what `search.sql` gives of a chunk.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Keys(Vec<Option<String>>),
    Long(Option<String>),
}

impl Indexed {
    /// Computes it from a text in a language (BCP 47, possibly empty).
    pub fn of(title: Rc<[Word]>, heading: &str, text: &str, language: &str) -> Self {
        Self::of_words(title, words(heading), words(text), text, language)
    }

    /// The same when heading and text are cut into words already.
    pub(super) fn of_words(
        title: Rc<[Word]>,
        heading: Vec<Word>,
        body: Vec<Word>,
        text: &str,
        language: &str,
    ) -> Self {
        let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut placed: Vec<Placed> = Vec::new();
        for (word, place) in body.into_iter().zip(0..) {
            let number = *numbers.entry(word.form.clone()).or_insert(placed.len());
            match placed.get_mut(number) {
                Some(placed) => placed.places.push(place),
                None => placed.push(Placed {
                    word,
                    places: vec![place],
                }),
            }
        }
        let hashes: BTreeSet<u32> = placed.iter().map(|one| hash(&one.word.form)).collect();
        let kinds = FactKind::ALL.into_iter().zip(0..);
        let kinds = kinds.filter(|(kind, _)| kind.is_in(text, language));
        Self {
            title,
            heading,
            size,
            kinds: kinds.fold(0, |all, (_, bit)| all | 1 << bit),
            sketch: hashes.into_iter().take(SKETCH).collect(),
            body: placed,
        }
    }

    /// The JSON that is stored: an object of texts by the key of their words. A text has one entry for each form with the
    /// key, `form place place …`; entries are apart by `;`.
    pub(super) fn stored(&self, language: &str) -> String {
        let numbers = [self.size, self.kinds]
            .into_iter()
            .chain(self.sketch.iter().copied());
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        let mut labels = BTreeMap::from([(ABOUT.to_owned(), numbers.join(" "))]);
        let compounds = has_compounds(language);
        let body = self.body.iter().map(|placed| {
            let places: Vec<String> = placed.places.iter().map(u32::to_string).collect();
            (&placed.word, places.join(" "))
        });
        let heading = self.heading.iter().map(|word| (word, HEADING.to_owned()));
        for (word, places) in body.chain(heading) {
            let long = compounds && !word.gram && word.form.chars().nth(MIN_LONG - 1).is_some();
            // A shortened word of a question is looked up by the beginning of its form.
            let form = stem::key(&word.form);
            let (key, form) = match word {
                _ if long => (LONG, None),
                word if word.gram || form == word.key => (word.key.as_str(), None),
                word => (word.key.as_str(), Some(form.as_str())),
            };
            for label in std::iter::once(key).chain(form) {
                let text = labels.entry(label.to_owned()).or_default();
                if !text.is_empty() {
                    text.push(';');
                }
                text.push_str(&format!("{} {places}", word.form));
            }
        }
        serde_json::to_string(&labels).unwrap_or_default()
    }

    /// Reads what `search.sql` gives of a stored chunk: a JSON array of arrays with [`ABOUT`] and the texts of the
    /// question's keys, each followed by the text of long words; `null` where there is none. `None` when it gives nothing.
    pub fn read(title: Rc<[Word]>, json: &str) -> Option<Self> {
        let given: Vec<Given> = serde_json::from_str(json).ok()?;
        let mut texts = given.into_iter().flat_map(|given| match given {
            Given::Keys(texts) => texts,
            Given::Long(text) => vec![text],
        });
        let about = texts.next().flatten()?;
        let mut about = about.split(' ').map(|number| number.parse().unwrap_or(0));
        let mut chunk = Self {
            title,
            size: about.next()?,
            kinds: about.next()?,
            sketch: about.collect(),
            ..Self::default()
        };
        texts.flatten().for_each(|text| chunk.add(&text));
        Some(chunk)
    }

    /// Adds the words of a text of entries.
    fn add(&mut self, text: &str) {
        for entry in text.split(';') {
            let mut parts = entry.split(' ');
            let word = Word::of_form(parts.next().unwrap_or_default());
            let places: Vec<&str> = parts.collect();
            // A word that is stored by two keys is given twice when both are asked for.
            let given = |placed: &Placed| placed.word.form == word.form;
            if places.contains(&HEADING) {
                self.heading.push(word);
            } else if !self.body.iter().any(given) {
                let places = places
                    .iter()
                    .filter_map(|place| place.parse().ok())
                    .collect();
                self.body.push(Placed { word, places });
            }
        }
    }

    /// Whether the text has a fact of this kind.
    pub fn has(&self, kind: FactKind) -> bool {
        let bit = FactKind::ALL.iter().position(|other| *other == kind);
        bit.is_some_and(|bit| self.kinds & 1 << bit != 0)
    }

    /// Whether the texts may repeat one another ([`rank::shared`](super::rank::shared)). When it is false they do not: of
    /// texts that share nine of ten words, less than one pair in 500 has no number of its sketches in common.
    pub fn may_repeat(&self, other: &Self) -> bool {
        self.common(other) > 0
    }

    /// Whether the texts are likely to repeat one another: half of their sketches are the same.
    pub fn seems_to_repeat(&self, other: &Self) -> bool {
        let shorter = self.sketch.len().min(other.sketch.len());
        self.common(other) * 2 >= shorter.max(1)
    }

    /// How many numbers of the sketches are the same; 0 when one text is much longer.
    fn common(&self, other: &Self) -> usize {
        let (short, long) = (self.size.min(other.size), self.size.max(other.size));
        if u64::from(short) * 3 < u64::from(long) * 2 {
            return 0;
        }
        let numbers = self.sketch.iter();
        numbers
            .filter(|number| other.sketch.contains(number))
            .count()
    }
}

/// FNV-1a of the bytes, folded to 16 bits. It is stored: another one would need all chunks to be indexed again.
fn hash(form: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = form.bytes().fold(0x811c_9dc5, step);
    (hash >> 16) ^ (hash & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        retrieval::query::Terms,
        search::rank::{self, Wanted},
    };

    /// What `search.sql` gives of a stored chunk for these keys.
    fn given(stored: &str, keys: &[String]) -> String {
        let stored: BTreeMap<String, String> = serde_json::from_str(stored).unwrap();
        let texts: Vec<_> = keys.iter().map(|key| stored.get(key)).collect();
        let has_part = |long: &&String| keys.iter().any(|key| long.contains(key.as_str()));
        let long = stored.get(LONG).filter(has_part);
        let keys = [vec![stored.get(ABOUT)], texts].concat();
        serde_json::json!([keys, long]).to_string()
    }

    /// A question, and a heading and a text in a language.
    const CASES: [(&str, &str, &str, &str); 9] = [
        (
            "Πόσα παιδιά έχει κάθε τμήμα στον Πυθαγόρα;",
            "el",
            "",
            "Το φροντιστήριο Πυθαγόρας προετοιμάζει μαθητές. Τα τμήματα έχουν έως οκτώ μαθητές.",
        ),
        (
            "Wie hoch ist der Beitrag im Jahr?",
            "de",
            "Mitgliedschaft",
            "Der Jahresbeitrag kostet 90 Euro. Ein Mitgliedsbeitrag für das Jahr ist ein Beitrag.",
        ),
        (
            "Jahresbeitrag?",
            "de",
            "",
            "Der Mitgliedsbeitrag ist fällig, die Beitragsordnung liegt aus.",
        ),
        (
            "Quand est-elle dispo à Rennes ?",
            "fr",
            "Contact › Rennes",
            "Elle est disponible à Rennes à partir de 14h30, et disponible ailleurs.",
        ),
        (
            "Who teaches the dogs?",
            "en",
            "",
            "Dogs are taught by Mary Miller, and a dog by Dr Smith.",
        ),
        (
            "博物馆什么时候开门？",
            "zh",
            "开放时间",
            "博物馆上午九点开门，博物馆在三楼。",
        ),
        ("ร้านเปิดกี่โมง", "th", "", "ร้านเปิดทุกวันตั้งแต่ 9:00 น."),
        (
            "متى تفتح المكتبة؟",
            "ar",
            "",
            "والمكتبات تفتح الساعة التاسعة، المكتبة للجميع.",
        ),
        (
            "rezervasyonu nasıl iptal ederim",
            "tr",
            "",
            "Rezervasyonlar iptal edilebilir. Rezervasyon ücretsizdir.",
        ),
    ];

    #[test]
    fn what_is_stored_ranks_as_the_text_does() {
        for (question, language, heading, text) in CASES {
            let terms = Terms::of(question, language);
            let words = terms.words().iter().chain(terms.letters());
            let wanted: Vec<_> = words.map(|word| Wanted { word, worth: 1.0 }).collect();
            let title: Rc<[Word]> = words_of("Rennes").into();
            let whole = Indexed::of(Rc::clone(&title), heading, text, language);
            let keys = terms.query("t", "b").keys;
            let stored = Indexed::read(title, &given(&whole.stored(language), &keys)).unwrap();
            let (a, b) = ([whole], [stored]);
            let score = |chunk| rank::scores(&wanted, chunk, terms.compounds());
            assert!(score(&a)[0] > 0.0, "{question}");
            assert!(
                (score(&a)[0] - score(&b)[0]).abs() < 1e-9,
                "{question}: {a:?} {b:?}"
            );
            for kind in FactKind::ALL {
                assert_eq!(b[0].has(kind), kind.is_in(text, language));
            }
            assert!(a[0].may_repeat(&b[0]));
        }
    }

    fn words_of(text: &str) -> Vec<Word> {
        words(text)
    }
}
