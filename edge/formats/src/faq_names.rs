//! Names of columns and keys that hold questions and answers, in many languages.

use bulle_edge_text::fold::fold;

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
