//! Words, sentences and languages: what retrieval and the embedded model need to know about text.

use sha2::{Digest, Sha256};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

/// SHA-256 of the pieces, one after the other, hexadecimal.
pub fn sha256_hex<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update(piece);
    }
    let bytes = digest.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower case without diacritics, like SQLite's `unicode61 remove_diacritics 2`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // ASCII decomposes into itself and nothing is reordered across it, so most of a text is quickly done.
        let ascii = rest.find(|c: char| !c.is_ascii());
        let (plain, more) = cut(rest, ascii);
        folded.extend(plain.chars().map(|c| c.to_ascii_lowercase()));
        let other = more.find(|c: char| c.is_ascii());
        let (marked, more) = cut(more, other);
        let bare = marked.nfd().filter(|c| !is_combining_mark(*c));
        folded.extend(bare.flat_map(char::to_lowercase));
        rest = more;
    }
    folded
}

fn cut(text: &str, at: Option<usize>) -> (&str, &str) {
    let cut = at.and_then(|at| text.split_at_checked(at));
    cut.unwrap_or((text, ""))
}

/// Folded, and an elided article (`l'`, `d'`, `qu'`) is cut off.
fn spaced(text: &str) -> String {
    fold(text).replace(['’', '\''], " ")
}

/// The folded words of a text; an elided article is a word of its own.
pub fn words(text: &str) -> Vec<String> {
    spaced(text).unicode_words().map(str::to_owned).collect()
}

/// For each beginning, whether one of [`words`] has it.
pub fn have_words_with(text: &str, beginnings: &[&str]) -> Vec<bool> {
    let mut found = vec![false; beginnings.len()];
    let text = spaced(text);
    // No word goes on in the next line, and to find the words of a line is slow.
    for line in text.lines() {
        let open = |(found, beginning): (&bool, &&str)| !found && line.contains(*beginning);
        if found.iter().zip(beginnings).any(open) {
            for word in line.unicode_words() {
                for (found, beginning) in found.iter_mut().zip(beginnings) {
                    *found |= word.starts_with(beginning);
                }
            }
        }
    }
    found
}

/// Endings that a stem loses, folded, the longest first: those of French and English that leave the sense.
const ENDINGS: [&str; 26] = [
    "issements",
    "issement",
    "abilites",
    "ibilites",
    "abilite",
    "ibilite",
    "ations",
    "ements",
    "ation",
    "ement",
    "ables",
    "ibles",
    "able",
    "ible",
    "ants",
    "ante",
    "ings",
    "ant",
    "ees",
    "ing",
    "ed",
    "ee",
    "er",
    "es",
    "e",
    "s",
];

/// Fewest characters of a stem.
const MIN_STEM: usize = 4;

/// A crude stem: the word without its ending, so that `architecte` meets `architecture` and `working` meets
/// `worked`. Always a prefix of the word, which is what a prefix query needs.
pub fn stem(word: &str) -> &str {
    ENDINGS
        .iter()
        .filter_map(|ending| word.strip_suffix(ending))
        .find(|stem| stem.chars().count() >= MIN_STEM)
        .unwrap_or(word)
}

/// The sentences of a paragraph, trimmed, in order (UAX #29). A full stop after an initial or inside an
/// abbreviation of one letter does not end a sentence.
pub fn sentences(paragraph: &str) -> Vec<&str> {
    let mut ends = Vec::new();
    let mut start = 0;
    for (at, piece) in paragraph.split_sentence_bound_indices() {
        let end = at + piece.len();
        let so_far = paragraph.get(start..end).unwrap_or_default().trim_end();
        let last_word = so_far.rsplit([' ', '\u{a0}']).next().unwrap_or_default();
        let abbreviation = last_word.ends_with('.') && last_word.chars().count() <= 2;
        if !abbreviation || end == paragraph.len() {
            ends.push((start, end));
            start = end;
        }
    }
    ends.iter()
        .filter_map(|&(from, to)| paragraph.get(from..to))
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
        .collect()
}

/// A fragment identifier for a heading: folded, every run of other characters than `a-z0-9` one hyphen.
pub fn slug(heading: &str) -> String {
    let mut out = String::new();
    for c in fold(heading).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// Words that carry no meaning in a question, folded. Question words count as such here: they say what
/// kind of answer is wanted, not where it is.
const STOPWORDS: [(&str, &str); 7] = [
    (
        "en",
        "a about all also am an and any are as at be been but by can could did do does for from get give had has have \
         he her him his how i if in into is it its just know like many me much my no not of on or our please she so \
         some such tell than that the their them then there these they this those to too up us was we were what when \
         where which who whom whose why will with would yes you your yours ok okay",
    ),
    (
        "fr",
        "a ai ainsi alors as au aussi autre aux avec avez avoir c ce cela ces cet cette ceux chez combien comme comment \
         d dans de depuis des dis donc dont du elle elles en es est et etait ete etes etre eu fait font il ils j je l la \
         le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ont ou où par parle parlez pas peut peux \
         plus pour pouvez pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si son sont sur t ta \
         te tes toi ton tous tout toute tres tu un une va vers vos votre vous y oui non faire fais faites ca",
    ),
    (
        "es",
        "a al algo como con cual cuando cuanto de del desde donde el ella en es esta este ha hay la las lo los me mi \
         muy no o para pero por porque que quien se si sin sobre son su sus te tiene tu un una y ya",
    ),
    (
        "de",
        "aber als am an auch auf aus bei bin bist da das dein deine dem den der des die du ein eine einen er es fur hat \
         ich ihr im in ist ja kann mit nach nicht oder sein sich sie sind und von wann war was welche wer wie wir wo zu",
    ),
    (
        "it",
        "a al anche che chi ci come con cosa da dei del della di dove e gli ha hai ho i il in io la le lo ma mi nel non \
         o per perche piu quale quando quanto se sei si sono su tu tuo tua un una",
    ),
    (
        "pt",
        "a ao as com como da das de do dos e ela ele em esta eu foi ha isso ja mais mas me meu na nao no o onde os ou \
         para por porque qual quando que quem se sem seu sua tem teu tua um uma voce",
    ),
    (
        "nl",
        "aan als bij dat de der die dit een en er het hij hoe ik in is je jij kan maar met mijn naar niet of om ook op \
         te uit van voor waar wanneer wat we welke wie wij zijn ze zo",
    ),
];

/// Greetings and thanks, folded.
const GREETINGS: &str = "hello hi hey thanks thank bonjour bonsoir salut coucou merci hola gracias hallo danke ciao \
                         grazie ola obrigado obrigada dank";

/// True when a folded word greets or thanks.
pub fn is_greeting(word: &str) -> bool {
    GREETINGS
        .split_ascii_whitespace()
        .any(|greeting| greeting == word)
}

/// True when the language has a list of stopwords.
pub fn has_stopwords(language: &str) -> bool {
    STOPWORDS.iter().any(|(tag, _)| *tag == language)
}

/// True when the folded word is a stopword of the language; of any known language when `None`.
pub fn is_stopword(word: &str, language: Option<&str>) -> bool {
    STOPWORDS
        .iter()
        .filter(|(tag, _)| language.is_none_or(|wanted| wanted == *tag))
        .any(|(_, list)| list.split_ascii_whitespace().any(|stop| stop == word))
}

/// The language of a question by its stopwords, or the hint's language when they do not tell.
pub fn language<'a>(question: &str, hint: &'a str) -> &'a str {
    let words = words(question);
    let votes = |tag: &str| {
        words
            .iter()
            .filter(|word| is_stopword(word, Some(tag)))
            .count()
    };
    let hint = hint.split('-').next().unwrap_or_default();
    let mut best = (hint, votes(hint));
    for (tag, _) in STOPWORDS {
        let count = votes(tag);
        if count > best.1 {
            best = (tag, count);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_folded_and_elisions_cut() {
        assert_eq!(
            words("L’Élève d'été, C++ !"),
            ["l", "eleve", "d", "ete", "c"]
        );
    }

    proptest! {
        #[test]
        fn the_quick_ways_find_what_the_plain_ones_do(
            text in "([a-zA-Z0-9 .,:'’_-]|[éÉàßœİΣ\u{301}\u{323}\u{2126}架ｶ\u{ac00}]|\\PC|[\r\n\u{b}\u{85}\u{2028}]){0,60}",
            beginnings in prop::collection::vec("[a-z0-9e]{1,2}|架", 0..4),
        ) {
            let plain = text.nfd().filter(|c| !is_combining_mark(*c));
            prop_assert_eq!(fold(&text), plain.flat_map(char::to_lowercase).collect::<String>());
            let words = words(&text);
            let beginnings: Vec<&str> = beginnings.iter().map(String::as_str).collect();
            let has = |beginning: &&str| words.iter().any(|word| word.starts_with(beginning));
            let plain: Vec<bool> = beginnings.iter().map(has).collect();
            prop_assert_eq!(have_words_with(&text, &beginnings), plain);
        }
    }

    #[test]
    fn stems_are_prefixes() {
        for (word, expected) in [
            ("aks", "aks"),
            ("cluster", "clust"),
            ("clusters", "cluster"),
            ("experiences", "experienc"),
            ("working", "work"),
            ("disponibilites", "dispon"),
            ("numero", "numero"),
            ("ers", "ers"),
            ("架構", "架構"),
        ] {
            assert_eq!(stem(word), expected);
            assert!(word.starts_with(stem(word)));
        }
    }

    #[test]
    fn sentences_keep_initials_and_numbers_together() {
        assert_eq!(
            sentences("J. Dupont gère 3.5 To. Elle vit à Rennes ! Et toi ?"),
            ["J. Dupont gère 3.5 To.", "Elle vit à Rennes !", "Et toi ?"]
        );
        assert_eq!(sentences("  "), Vec::<&str>::new());
    }

    #[test]
    fn slugs() {
        for (heading, expected) in [
            ("Compétences techniques", "competences-techniques"),
            ("Puis-je télétravailler ?", "puis-je-teletravailler"),
            ("Kubernetes & « GitOps »", "kubernetes-gitops"),
            ("  ", ""),
        ] {
            assert_eq!(slug(heading), expected);
        }
    }

    #[test]
    fn languages() {
        for (question, hint, expected) in [
            ("Quelle est ton expérience avec Kubernetes ?", "en", "fr"),
            ("What is your experience with Kubernetes?", "fr-FR", "en"),
            ("Kubernetes", "fr-FR", "fr"),
            ("Was ist deine Erfahrung mit Kubernetes?", "en", "de"),
            ("東京", "ja", "ja"),
        ] {
            assert_eq!(language(question, hint), expected, "{question}");
        }
    }
}
