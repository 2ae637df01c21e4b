//! Checks whether a model's answer may be shown, and tells the model what to correct when it may not.

use bulle_api::settings::{AnswerSettings, Persona};
use bulle_edge_text::language;
use bulle_protocol::{
    block::{Block, Inline, blocks_to_text},
    event::Finish,
};

use super::{Finished, claims::AnswerClaims};

/// The number of claims that an answer with an admission may make without a citation, such as whom to ask instead.
const BESIDE_ADMISSION: usize = 2;

/// A defect of an answer. Of several, the gravest is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The answer is empty.
    Empty,
    /// The answer is in the wrong language; the tag is that of the right one.
    OffLanguage(String),
    /// The answer makes claims without citations, although the bot requires them and passages were given.
    Uncited,
}

/// The rules for a bot's answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'a> {
    /// Claims need citations.
    pub citations_required: bool,
    /// Languages that the bot answers in (BCP 47), any when empty.
    pub languages: &'a [String],
}

impl<'a> Rules<'a> {
    /// The rules of a bot's settings.
    pub fn of(answers: &AnswerSettings, persona: &'a Persona) -> Self {
        Self {
            citations_required: answers.citations_required,
            languages: &persona.languages,
        }
    }
}

/// Checks an answer. Of an answer that was cut, the existing part is checked; an answer that the visitor stopped always
/// passes. An answer that no model wrote must only not be empty, because there is no other writer to repair it.
///
/// # Errors
/// The defect.
pub fn check(answer: &Finished, rules: &Rules) -> Result<(), Defect> {
    if answer.finish == Finish::Stopped {
        return Ok(());
    }
    let text = blocks_to_text(answer.blocks);
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Defect::Empty);
    }
    if answer.finish == Finish::Fallback {
        return Ok(());
    }
    let prose = prose(answer.blocks);
    if let Some(expected) = language::off_language(answer.question, &prose, rules.languages) {
        return Err(Defect::OffLanguage(expected));
    }
    let given = !answer.passages.items().is_empty();
    if rules.citations_required && given && is_uncited(&AnswerClaims::of(answer.blocks)) {
        return Err(Defect::Uncited);
    }
    Ok(())
}

/// The sentence that is added to the prompt for the repair.
pub fn instruction(defect: &Defect) -> String {
    match defect {
        Defect::Empty => {
            "Write an answer. When the passages do not answer the question, say so in a sentence.".to_owned()
        }
        Defect::OffLanguage(tag) => format!(
            "Write the whole answer in {}; only names, code and quotations stay in their own language.",
            language::name(tag)
        ),
        Defect::Uncited => "Put the number of a passage, as [1], behind every sentence that says something, and leave \
             out what no passage says. When the passages do not answer the question, say so in a sentence."
            .to_owned(),
    }
}

/// Whether fewer than half of the claims are cited.
fn is_uncited(claims: &AnswerClaims) -> bool {
    if claims.admissions > 0 && claims.claims - claims.cited <= BESIDE_ADMISSION {
        return false;
    }
    claims.share().is_some_and(|share| share < 0.5)
}

/// The answer's own words, a line for each block: without code and quotations.
fn prose(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Paragraph { content } | Block::Heading { content, .. } => {
                words(content, &mut out);
            }
            Block::List { items, .. } => {
                for item in items {
                    out.push_str(&prose(item));
                }
            }
            Block::Table { head, rows, .. } => {
                for cell in std::iter::once(head).chain(rows).flatten() {
                    words(cell, &mut out);
                }
            }
            Block::Quote { .. } | Block::Code { .. } | Block::Rule => {}
        }
        out.push('\n');
    }
    out
}

fn words(content: &[Inline], out: &mut String) {
    for inline in content {
        match inline {
            Inline::Text { text } => out.push_str(text),
            Inline::Strong { content }
            | Inline::Emphasis { content }
            | Inline::Strike { content }
            | Inline::Link { content, .. } => words(content, out),
            Inline::Image { .. } | Inline::Code { .. } | Inline::Cite { .. } | Inline::Break => {
                out.push(' ');
            }
        }
    }
    out.push(' ');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        reply::Reply,
        testing::{
            Fakes,
            examples::{PLAIN, TWIN},
            hit, question,
        },
    };

    /// The defect of an answer to a question with or without a passage.
    fn defect(
        ask: &str,
        markdown: &str,
        finish: Finish,
        cite: bool,
        found: bool,
    ) -> Option<Defect> {
        let ports = Fakes::default();
        if found {
            ports.add_hit(hit("Horaires", "La boutique ouvre à sept heures."));
        }
        let passages = crate::testing::searched(&ports, &question(ask));
        let mut reply = Reply::new(passages.items().len());
        reply.push(markdown);
        reply.finish();
        let answer = Finished {
            question: ask,
            blocks: reply.blocks(),
            cites: reply.cites(),
            passages: &passages,
            finish,
        };
        let rules = Rules {
            citations_required: cite,
            languages: &[],
        };
        check(&answer, &rules).err()
    }

    const ASK: &str = "À quelle heure est-ce que la boutique ouvre le lundi ?";

    #[test]
    fn each_defect_is_found_and_the_gravest_named() {
        use Finish::{Fallback, Length, Stop, Stopped};
        let english = "The shop opens at seven on Monday, and it is closed on Sunday when we are all at the market in town.";
        let french = Defect::OffLanguage("fr".into());
        for (markdown, finish, cite, expected) in [
            ("La boutique ouvre à sept heures [1].", Stop, true, None),
            ("", Stop, false, Some(Defect::Empty)),
            (" \n\n---\n\n **…**", Stop, false, Some(Defect::Empty)),
            ("", Length, true, Some(Defect::Empty)),
            ("", Fallback, true, Some(Defect::Empty)),
            ("", Stopped, true, None),
            ("La boutique ouvre à", Length, false, None),
            (
                "La boutique ouvre à sept heures",
                Length,
                true,
                Some(Defect::Uncited),
            ),
            ("La boutique ouvre à", Stopped, true, None),
            (english, Stop, true, Some(french.clone())),
            (english, Length, true, Some(french)),
            (english, Fallback, true, None),
            (english, Stopped, true, None),
            (
                "La boutique ouvre à sept heures.",
                Stop,
                true,
                Some(Defect::Uncited),
            ),
            ("La boutique ouvre à sept heures.", Stop, false, None),
            // A number without a passage is not a citation.
            (
                "La boutique ouvre à sept heures [7].",
                Stop,
                true,
                Some(Defect::Uncited),
            ),
            (
                "La boutique ouvre à sept heures `[1]`.",
                Stop,
                true,
                Some(Defect::Uncited),
            ),
        ] {
            assert_eq!(
                defect(ASK, markdown, finish, cite, true),
                expected,
                "{markdown:?} {finish:?}"
            );
        }
    }

    #[test]
    fn citations_are_asked_for_claims_alone_and_only_where_there_are_passages() {
        let check = |markdown, found| defect(ASK, markdown, Finish::Stop, true, found);
        for markdown in [
            "Bonjour ! Que puis-je faire pour vous ?",
            "De quelle boutique parlez-vous ?",
            "Je ne sais pas.",
            "Les documents ne le précisent pas. Vous pouvez appeler la boutique directement.",
            "La boutique ouvre à sept heures [1]. Elle ferme à midi.",
            "Voici les horaires [1] :\n\n- lundi à sept heures\n- mardi à huit heures\n- mercredi à neuf heures",
        ] {
            assert_eq!(check(markdown, true), None, "{markdown}");
        }
        for markdown in [
            "La boutique ouvre à sept heures. Elle ferme à midi.",
            "La boutique ouvre à sept heures [1].\n\nElle ferme à midi.\n\nElle ouvre aussi le mardi.",
            "Je ne sais pas. Mais la boutique ouvre à sept heures.\n\nElle ferme à midi.\n\nElle ouvre aussi le mardi.",
        ] {
            assert_eq!(check(markdown, true), Some(Defect::Uncited), "{markdown}");
            assert_eq!(check(markdown, false), None, "{markdown}");
        }
    }

    #[test]
    fn what_is_quoted_or_code_is_in_any_language() {
        let quoted = "Voici ce que dit le document [1] :\n\n> The shop opens at seven on Monday, and it is closed on Sunday when we \
                      are all at the market.\n\n```\nif it is not open then this is what you have to do with it\n```";
        assert_eq!(defect(ASK, quoted, Finish::Stop, false, true), None);
    }

    proptest! {
        #[test]
        fn any_answer_to_anything_is_judged(
            ask in "\\PC{1,40}",
            markdown in any::<String>(),
            marks in "(\\[1\\]|- |> |\n|\\||---|`|[。.?:：] |la boutique ){0,20}",
        ) {
            prop_assume!(ask.chars().any(char::is_alphanumeric));
            for text in [&markdown, &marks] {
                let found = defect(&ask, text, Finish::Stop, true, true);
                let written = text.chars().any(char::is_alphanumeric);
                prop_assert!(written || found == Some(Defect::Empty), "{:?}", found);
                prop_assert_eq!(defect(&ask, text, Finish::Stopped, true, true), None);
            }
        }
    }

    #[test]
    fn instructions_say_what_to_do() {
        let said = instruction(&Defect::OffLanguage("pt-BR".into()));
        assert!(
            said.starts_with("Write the whole answer in Portuguese;"),
            "{said}"
        );
        for defect in [Defect::Empty, Defect::Uncited] {
            assert!(instruction(&defect).ends_with('.'));
        }
    }

    #[test]
    fn rules_are_the_bots() {
        let answers = AnswerSettings {
            citations_required: true,
            ..AnswerSettings::default()
        };
        let persona = Persona {
            languages: vec!["fr".into()],
            ..Persona::default()
        };
        let rules = Rules::of(&answers, &persona);
        assert!(rules.citations_required && rules.languages == ["fr"]);
    }

    #[test]
    fn the_examples_are_taken_for_no_other_language() {
        for example in [&PLAIN, &TWIN] {
            let (mut known, mut all) = (0, 0);
            for (text, tag) in example.texts() {
                for text in text.lines().chain([text]) {
                    let found = language::detect(text).map(|found| found.tag);
                    assert!(found.is_none_or(|found| found == tag), "{found:?}: {text}");
                    all += 1;
                    known += usize::from(found.is_some());
                }
            }
            assert!(known * 2 > all, "{known} of {all}");
        }
    }
}
