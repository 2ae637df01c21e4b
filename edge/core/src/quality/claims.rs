//! Divides an answer into claims, sentence by sentence, and finds which of them have a citation.

use std::sync::LazyLock;

use bulle_protocol::block::{Block, Inline};

use bulle_edge_text::{fold::fold, script::Script, sentences, stop::is_greeting};

/// The number of sentences before a citation to which the citation applies, within the same paragraph or list and after
/// the previous citation: models put it at the end of a run of sentences as often as behind each.
const MAX_RUN: usize = 5;

/// Fewest words of a claim without a citation, so that "Of course." does not count as one.
const MIN_WORDS: usize = 3;

/// Most words of a sentence that only greets or thanks.
const MAX_GREETING_WORDS: usize = 8;

/// The mark of a citation in a text: a private-use character, which texts do not contain.
const CITE: char = '\u{f8fb}';

/// Words of admissions, by which an answer says that it has no answer, a language a line: negations, words for knowing
/// and finding, names of the documents, and phrases that are an admission by themselves. A sentence with a negation and
/// a name of the documents is an admission; without a citation, a sentence with a negation and a word for finding is
/// one, too. Entries are beginnings of words, folded; in scripts without spaces, parts of words.
const ADMISSIONS: &str = include_str!("admissions.txt");

/// The role of a sentence in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SentenceKind {
    /// The sentence makes a claim, which can be true or false.
    Claim,
    /// The sentence says that the answer is not known, not found or not exact.
    Admission,
    /// A greeting, a question, an introduction.
    Courtesy,
}

/// The numbers of claims and admissions of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerClaims {
    /// Sentences, list items and rows that make a claim.
    pub claims: usize,
    /// Claims to which a citation applies.
    pub cited: usize,
    /// Admissions: sentences which say that the answer is not known, not found or not exact.
    pub admissions: usize,
}

impl AnswerClaims {
    /// Counts the claims of an answer. Headings and code make none.
    pub fn of(blocks: &[Block]) -> Self {
        let mut reader = ClaimReader::default();
        reader.blocks(blocks);
        reader.end_run();
        reader.claims
    }

    /// The share of claims that are cited; `None` without a claim.
    pub fn share(&self) -> Option<f64> {
        (self.claims > 0).then(|| self.cited as f64 / self.claims as f64)
    }
}

#[derive(Default)]
struct ClaimReader {
    claims: AnswerClaims,
    /// Sentences since the last citation or the beginning of the run, oldest first: whether each is a claim even
    /// without one.
    run: Vec<bool>,
    /// Whether the sentence before introduced a list and, if so, had a citation.
    introduced: Option<bool>,
}

impl ClaimReader {
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph { content } => {
                    let text = marked(content);
                    // A paragraph that consists of citations applies to the paragraph above it.
                    if !text.chars().all(|c| c == CITE || !c.is_alphanumeric()) {
                        self.end_run();
                        self.introduced = None;
                    }
                    self.text(&text);
                }
                Block::List { items, .. } => {
                    let introduced = self.introduced.take();
                    // An uncited list after an admission is an offer of topics: "I can tell you about".
                    let offer = introduced == Some(false) && self.claims.admissions > 0;
                    self.end_run();
                    for item in items {
                        self.item(item, introduced == Some(true), offer);
                    }
                }
                Block::Quote { content } => {
                    self.introduced = None;
                    self.blocks(content);
                }
                Block::Table { rows, .. } => {
                    let cited = self.introduced.take() == Some(true);
                    self.end_run();
                    for row in rows {
                        let cells: Vec<String> = row.iter().map(|cell| marked(cell)).collect();
                        let row = cells.join(" ");
                        self.sentence(SentenceKind::Claim, &row, cited || row.contains(CITE));
                    }
                }
                Block::Heading { .. } | Block::Code { .. } | Block::Rule => self.end_run(),
            }
        }
    }

    /// A list item is one claim; blocks within it are read by themselves.
    fn item(&mut self, item: &[Block], cited: bool, offer: bool) {
        for block in item {
            match block {
                Block::Paragraph { content } if offer && !marked(content).contains(CITE) => {}
                Block::Paragraph { content } => {
                    let text = marked(content);
                    self.sentence(kind(&text), &text, cited || text.contains(CITE));
                }
                Block::List { items, .. } => {
                    for item in items {
                        self.item(item, cited, offer);
                    }
                }
                other => self.blocks(std::slice::from_ref(other)),
            }
        }
    }

    fn text(&mut self, text: &str) {
        for line in text.lines() {
            for sentence in sentences(line) {
                // A citation before the first word of a sentence belongs to the sentence before.
                let rest = sentence.trim_start_matches(|c: char| c == CITE || c.is_whitespace());
                if rest.len() < sentence.len() {
                    self.cite();
                }
                let cited = rest.contains(CITE);
                if rest.chars().any(char::is_alphanumeric) {
                    self.sentence(kind(rest), rest, cited);
                }
                let plain = rest.trim_end_matches(|c: char| c == CITE || c.is_whitespace());
                self.introduced = plain.ends_with([':', '：']).then_some(cited);
            }
        }
    }

    fn sentence(&mut self, kind: SentenceKind, text: &str, cited: bool) {
        match kind {
            SentenceKind::Admission => {
                self.claims.admissions += 1;
                return;
            }
            SentenceKind::Courtesy => return,
            SentenceKind::Claim => {}
        }
        self.run.push(cited || size(text) >= MIN_WORDS);
        if cited {
            self.cite();
        }
    }

    /// Applies a citation to the run of sentences before it.
    fn cite(&mut self) {
        let silent = self.run.len().saturating_sub(MAX_RUN);
        for (claims, at) in std::mem::take(&mut self.run).into_iter().zip(0..) {
            self.claims.claims += usize::from(claims);
            self.claims.cited += usize::from(claims && at >= silent);
        }
    }

    fn end_run(&mut self) {
        self.claims.claims += std::mem::take(&mut self.run)
            .into_iter()
            .filter(|claims| *claims)
            .count();
    }
}

/// The number of words of a text; in a script without spaces, half its characters.
fn size(text: &str) -> usize {
    let plain = text.replace(CITE, " ");
    let words = plain
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .count();
    let wide = plain
        .chars()
        .filter(|c| is_wide(*c) && c.is_alphanumeric())
        .count();
    words.max(wide / 2)
}

/// Whether a character is of a script without spaces, or of Korean.
fn is_wide(c: char) -> bool {
    Script::of(c).is_some_and(Script::joins_words)
}

fn kind(text: &str) -> SentenceKind {
    let plain = text.replace(CITE, " ");
    let plain = plain.trim();
    if plain.ends_with(['?', '？', '؟', '\u{37e}']) {
        return SentenceKind::Courtesy;
    }
    if admits(text) {
        return SentenceKind::Admission;
    }
    let folded = fold(plain);
    let mut words = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let greets = words.next().is_some_and(is_greeting) && words.count() < MAX_GREETING_WORDS;
    if greets || (plain.ends_with([':', '：']) && !text.contains(CITE)) {
        return SentenceKind::Courtesy;
    }
    SentenceKind::Claim
}

/// Whether a sentence, with its marks of citations, says that the answer is not known, not found or not exact.
fn admits(sentence: &str) -> bool {
    let folded = fold(sentence).replace('’', "'");
    let holds = |beginning: &Beginning| {
        folded
            .match_indices(beginning.text.as_str())
            .any(|(at, _)| {
                let before = folded.get(..at).unwrap_or_default();
                beginning.wide || !before.ends_with(char::is_alphanumeric)
            })
    };
    let any = |list: &[Beginning]| list.iter().any(holds);
    let cited = sentence.contains(CITE);
    LEXICA.iter().any(|[not, thing, document, alone]| {
        any(alone) || (any(not) && (any(document) || (!cited && any(thing))))
    })
}

/// The beginning of a word, folded.
struct Beginning {
    text: String,
    /// Whether an entry may match inside a word: in a script without spaces.
    wide: bool,
}

/// [`ADMISSIONS`], parsed once: the four lists of each language.
static LEXICA: LazyLock<Vec<[Vec<Beginning>; 4]>> = LazyLock::new(|| {
    let beginning = |word: &str| {
        let text = fold(word).replace('_', " ");
        let wide = text.chars().any(is_wide);
        Beginning { text, wide }
    };
    let list = |words: &str| {
        words
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(beginning)
            .collect()
    };
    let language = |line: &str| {
        let mut fields = line.split('|').map(list);
        std::array::from_fn(|_| fields.next().unwrap_or_default())
    };
    ADMISSIONS.lines().map(language).collect()
});

/// The text with a mark for each citation.
fn marked(content: &[Inline]) -> String {
    let mut out = String::new();
    for inline in content {
        match inline {
            Inline::Text { text } | Inline::Code { text } => out.push_str(text),
            Inline::Strong { content }
            | Inline::Emphasis { content }
            | Inline::Strike { content }
            | Inline::Link { content, .. } => out.push_str(&marked(content)),
            Inline::Image { alt, .. } => out.push_str(alt),
            // Twice, so that it does not look like an initial before a full stop.
            Inline::Cite { .. } => out.extend([CITE, CITE]),
            Inline::Break => out.push(' '),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;

    fn claims(markdown: &str) -> (usize, usize, usize) {
        let mut reply = Reply::new(9);
        reply.push(markdown);
        reply.finish();
        let AnswerClaims {
            claims,
            cited,
            admissions,
        } = AnswerClaims::of(reply.blocks());
        (claims, cited, admissions)
    }

    #[test]
    fn sentences_are_counted_with_their_citations() {
        for (markdown, expected) in [
            ("", (0, 0, 0)),
            ("The shop opens at seven [1].", (1, 1, 0)),
            ("The shop opens at seven. [1]", (1, 1, 0)),
            ("The shop opens at seven.[1] It closes at nine.", (2, 1, 0)),
            (
                "The shop opens at seven [1]. It closes at nine [2].",
                (2, 2, 0),
            ),
            (
                "The shop opens at seven. It closes at nine. [1][2]",
                (2, 2, 0),
            ),
            ("The shop opens at seven.\n\n[1]", (1, 1, 0)),
            (
                "The shop opens at seven.\n\nIt closes at nine [1].",
                (2, 1, 0),
            ),
            (
                "One is here. Two is here. Three is here. Four is here. Five is here. Six is here [1].",
                (6, 5, 0),
            ),
            ("It opens at seven **on Monday [1]** and later.", (1, 1, 0)),
            ("Yes. The shop opens at seven [1].", (1, 1, 0)),
            ("東京で生まれました[1]。大阪で働いています。", (2, 1, 0)),
            // Lists and tables.
            (
                "We sell:\n\n- bread of rye [1]\n- bread of wheat\n- apple tarts for four",
                (3, 1, 0),
            ),
            (
                "We sell [1]:\n\n- bread of rye\n- bread of wheat",
                (3, 3, 0),
            ),
            ("We sell:\n\n- bread\n- tarts [1]", (1, 1, 0)),
            (
                "We sell:\n\n- rye bread daily\n- wheat bread daily\n\n[1]",
                (2, 2, 0),
            ),
            (
                "- rye bread daily [1]\n  - wheat bread daily [2]",
                (2, 2, 0),
            ),
            (
                "| a | b |\n|---|---|\n| rye bread | 3 € [1] |\n| wheat bread | 4 € |",
                (2, 1, 0),
            ),
            ("> The shop opens at seven.\n\n[1]", (1, 1, 0)),
            // No claims.
            (
                "# The shop opens at seven\n\n```\nlet it = open;\n```",
                (0, 0, 0),
            ),
            ("Hello! How can I help you today?", (0, 0, 0)),
            ("Bonjour et merci pour votre message !", (0, 0, 0)),
            ("Which shop do you mean?", (0, 0, 0)),
            ("I do not know.", (0, 0, 1)),
            ("Here is what the documents say:", (0, 0, 0)),
            // Admissions, followed by offers.
            (
                "I could not find anything about that in my documents.\n\nI can tell you about:\n\n- Work experience here\n- Talks \
              and many publications",
                (0, 0, 1),
            ),
            (
                "I found no exact answer. This comes closest:\n\nThe shop opens at seven [1].",
                (1, 1, 1),
            ),
        ] {
            assert_eq!(claims(markdown), expected, "{markdown:?}");
        }
    }

    #[test]
    fn not_knowing_is_said_in_many_languages() {
        for sentence in [
            "I don't know.",
            "I’m sorry, but the documents do not say how old she is.",
            "The provided passages don't mention her phone number.",
            "There is no information about this in my sources.",
            "I couldn't find anything about that.",
            "I cannot answer that.",
            "Je ne sais pas.",
            "Je n’ai rien trouvé à ce sujet dans mes documents.",
            "Les documents ne précisent pas son âge.",
            "Désolée, je n'ai pas cette information.",
            "Aucune information n'est disponible à ce sujet.",
            "No lo sé.",
            "Los documentos no mencionan su edad.",
            "Lo siento, no tengo información sobre eso.",
            "Das weiß ich leider nicht.",
            "Die Dokumente enthalten keine Angaben dazu.",
            "Non lo so.",
            "I documenti non dicono nulla al riguardo.",
            "Não sei.",
            "Os documentos não mencionam essa informação.",
            "Dat weet ik niet.",
            "De documenten zeggen er niets over.",
            "Я не знаю.",
            "В документах нет информации об этом.",
            "Bu konuda bilgi bulamadım.",
            "Belgelerde bu konuda bilgi yok.",
            "Tôi không tìm thấy thông tin về điều này.",
            "Saya tidak tahu.",
            "لا أعرف.",
            "لا توجد معلومات حول هذا في الوثائق.",
            "मुझे नहीं पता।",
            "दस्तावेज़ों में इसकी जानकारी नहीं है।",
            "その情報は資料に記載されていません。",
            "わかりません。",
            "文档中没有提到这一点。",
            "我不知道。",
            "문서에 관련 정보가 없습니다.",
            "Nie wiem.",
        ] {
            assert!(admits(sentence), "{sentence}");
        }
        for sentence in [
            "The shop is not open on Monday.",
            "We do not accept cheques.",
            "Je ne travaille pas le lundi.",
            "Je travaille sur la documentation.",
            "An order cancelled less than 24 hours before collection is not refunded.",
            "Wir nehmen keine Schecks an.",
            "Она не работает в понедельник.",
            "月曜日は営業していません。",
            "我们星期一不营业。",
            "Know-how and documents are shared.",
            "No se aceptan cheques.",
            "Мы не закрываем наш магазин.",
            "She has no degree in information security \u{f8fb}.",
        ] {
            assert!(!admits(sentence), "{sentence}");
        }
    }
}
