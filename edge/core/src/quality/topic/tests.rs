use super::*;
use crate::testing::examples::{Example, PLAIN, TWIN};

fn found(example: &Example, locale: &str, question: &str) -> String {
    let topics = example.bot.topics.0.get(locale).unwrap();
    topic(&words(question), &example.search(question), topics).unwrap_or_default()
}

/// Each table has the questions of an example with their topics; an empty topic means that none fits.
fn check(example: &Example, cases: &[(&str, &str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(locale, question, expected)| (question, expected, found(example, locale, question)))
        .filter(|(_, expected, found)| found != **expected)
        .map(|(question, expected, found)| format!("{question}: {found:?}, not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn questions_to_the_bakery() {
    check(
        &PLAIN,
        &[
            ("en", "When are you open?", "Opening hours"),
            ("en", "Are you open on Sunday?", "Opening hours"),
            (
                "en",
                "What are your opening hours in August?",
                "Opening hours",
            ),
            ("en", "How much is a baguette?", "Bread and prices"),
            ("en", "What does the rye bread cost?", "Bread and prices"),
            ("en", "Do the croissants contain eggs?", "Allergens"),
            ("en", "Is there gluten in your products?", "Allergens"),
            ("en", "Do you deliver?", "Orders and delivery"),
            ("en", "How do I order 30 croissants?", "Orders and delivery"),
            ("en", "Do you take cards?", "Payment and refunds"),
            ("en", "Can I get a refund?", "Payment and refunds"),
            ("en", "What is the capital of Australia?", ""),
            ("en", "Hello!", ""),
        ],
    );
}

#[test]
fn questions_to_the_twin() {
    check(
        &TWIN,
        &[
            (
                "fr",
                "Quelle est ton expérience avec Kubernetes ?",
                "Expérience professionnelle",
            ),
            ("fr", "Où as-tu étudié ?", "Formation"),
            ("fr", "Quel est ton diplôme ?", "Formation"),
            (
                "fr",
                "Es-tu ouverte au télétravail ?",
                "Disponibilité et télétravail",
            ),
            (
                "fr",
                "Quand es-tu disponible ?",
                "Disponibilité et télétravail",
            ),
            (
                "fr",
                "Quelles sont tes compétences ?",
                "Compétences et certifications",
            ),
            (
                "fr",
                "As-tu des certifications ?",
                "Compétences et certifications",
            ),
            (
                "fr",
                "Quelles conférences as-tu données ?",
                "Publications et conférences",
            ),
            (
                "fr",
                "Quels sont tes projets personnels ?",
                "Projets personnels",
            ),
            ("fr", "Parle-moi de Marée basse", "Projets personnels"),
            ("en", "What is your work experience?", "Work experience"),
            (
                "en",
                "Which certifications do you have?",
                "Skills and certifications",
            ),
            (
                "en",
                "Are you open to remote work?",
                "Availability and remote work",
            ),
            (
                "en",
                "Which talks have you given?",
                "Publications and talks",
            ),
            ("fr", "Quelle est la capitale de l'Australie ?", ""),
            ("fr", "Merci beaucoup !", ""),
        ],
    );
}

#[test]
fn without_topics_there_is_none() {
    let example = &PLAIN;
    assert_eq!(
        topic(
            &words("When are you open?"),
            &example.search("When are you open?"),
            &[]
        ),
        None
    );
    assert_eq!(
        topic(
            &words("Opening hours"),
            &Passages::default(),
            &["Opening hours".into()]
        ),
        Some("Opening hours".into())
    );
    let same = ["Opening hours".to_owned(), "Hours of opening".to_owned()];
    assert_eq!(
        topic(&words("Opening hours"), &Passages::default(), &same),
        None
    );
}

#[test]
fn vowel_signs_tell_topics_apart() {
    for (question, topics, expected) in [
        ("मोटर की कीमत क्या है?", ["मीटर", "मोटर"], Some("मोटर")),
        ("मीटर की कीमत क्या है?", ["मीटर", "मोटर"], Some("मीटर")),
        ("กินข้าวกี่โมง", ["ขาว", "ข้าว"], Some("ข้าว")),
        ("ดูหนังที่ไหน", ["ดีหนัง", "ดูหนัง"], Some("ดูหนัง")),
        (
            "營業時間是什麼？",
            ["付款方式", "營業時間"],
            Some("營業時間"),
        ),
    ] {
        let topics = topics.map(str::to_owned);
        let found = topic(&words(question), &Passages::default(), &topics);
        assert_eq!(found.as_deref(), expected, "{question}");
    }
}
