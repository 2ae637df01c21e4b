//! Pairs of question and answer, found by the names of columns and keys in many languages.

use bulle_edge_text::fold::fold;

use crate::{html, write};

const QUESTION: &[&str] = &[
    "question",
    "questions",
    "q",
    "faq",
    "frage",
    "fragen",
    "pregunta",
    "domanda",
    "pergunta",
    "vraag",
    "fråga",
    "spørgsmål",
    "spørsmål",
    "kysymys",
    "pytanie",
    "otázka",
    "kérdés",
    "întrebare",
    "вопрос",
    "питання",
    "ερώτηση",
    "soru",
    "câu hỏi",
    "pertanyaan",
    "질문",
    "質問",
    "問題",
    "问题",
    "سؤال",
    "السؤال",
    "שאלה",
    "प्रश्न",
    "सवाल",
    "คำถาม",
];

const ANSWER: &[&str] = &[
    "answer",
    "answers",
    "a",
    "response",
    "reply",
    "réponse",
    "antwort",
    "antworten",
    "respuesta",
    "risposta",
    "resposta",
    "antwoord",
    "svar",
    "vastaus",
    "odpowiedź",
    "odpověď",
    "odpoveď",
    "válasz",
    "răspuns",
    "ответ",
    "відповідь",
    "απάντηση",
    "cevap",
    "yanıt",
    "câu trả lời",
    "trả lời",
    "jawaban",
    "답변",
    "답",
    "回答",
    "答え",
    "答案",
    "解答",
    "جواب",
    "الجواب",
    "إجابة",
    "الإجابة",
    "תשובה",
    "उत्तर",
    "जवाब",
    "คำตอบ",
    "acceptedanswer",
];

fn names(list: &[&str], name: &str) -> bool {
    let name = fold(name.trim().trim_end_matches([':', '：']));
    list.iter().any(|known| fold(known) == name)
}

/// Whether a column or key of this name holds questions.
pub(crate) fn is_question(name: &str) -> bool {
    names(QUESTION, name)
}

/// Whether a column or key of this name holds answers.
pub(crate) fn is_answer(name: &str) -> bool {
    names(ANSWER, name)
}

/// Writes a pair: the question is a heading.
pub(crate) fn pair(out: &mut String, question: &str, answer: &str) {
    if !write::flat(answer).is_empty() {
        let question = if is_html(question) {
            without_tags(question)
        } else {
            question.to_owned()
        };
        write::heading(out, 2, &write::escape(&question), None);
        text(out, answer);
    }
}

/// Writes text of paragraphs, or of HTML as editors of such tables leave it.
pub(crate) fn text(out: &mut String, value: &str) {
    if is_html(value)
        && let Ok(markdown) = html::fragment(value, "")
    {
        write::block(out, &markdown);
        return;
    }
    for paragraph in value.split("\n\n") {
        write::paragraph(out, paragraph);
    }
}

fn is_html(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    [
        "</p>",
        "<br",
        "</a>",
        "</li>",
        "</div>",
        "</b>",
        "</strong>",
        "</span>",
    ]
    .iter()
    .any(|tag| lower.contains(tag))
}

fn without_tags(value: &str) -> String {
    let mut out = String::new();
    for part in value.split('<') {
        out.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    out
}
