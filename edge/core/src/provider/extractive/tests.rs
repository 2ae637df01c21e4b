//! What the embedded model says of documents.

use super::*;
use crate::{
    search::Hit,
    testing::{Fakes, examples::Example, hit, question},
};

fn ask(ports: &Fakes, text: &str) -> String {
    let question = question(text);
    let passages = crate::testing::searched(ports, &question);
    answer(&question, &passages).pieces.concat()
}

fn documents() -> Fakes {
    let ports = Fakes::default();
    ports.add_hit(hit(
        "Kubernetes",
        "J'ai huit ans d'expérience avec Kubernetes. Le ciel est bleu.\nMon cluster Kubernetes a 410 nœuds.",
    ));
    ports.add_hit(hit(
        "Outils",
        "- Terraform depuis 2018\n- Kubernetes [CKA]\n- Go",
    ));
    ports
}

#[test]
fn the_best_sentences_in_reading_order_with_their_source() {
    assert_eq!(
        ask(&documents(), "Quelle est ton expérience avec Kubernetes ?"),
        "J'ai huit ans d'expérience avec Kubernetes. [1]"
    );
    assert_eq!(
        ask(&documents(), "Kubernetes ?"),
        "J'ai huit ans d'expérience avec Kubernetes. Le ciel est bleu. Mon cluster Kubernetes a 410 nœuds. [1]"
    );
    assert_eq!(
        ask(&documents(), "Et Terraform ?"),
        "- Terraform depuis 2018 [1]"
    );
}

#[test]
fn what_the_documents_do_not_answer_is_said_with_what_they_do() {
    let text = ask(&documents(), "Quelle est la capitale de l'Australie ?");
    assert_eq!(
        text,
        "Je n’ai rien trouvé à ce sujet dans mes documents.\n\nJe peux vous parler de\u{a0}:\n\n- Parcours\n- Projets"
    );
    let extract = answer(&question("Australie"), &Passages::default());
    assert_eq!(extract.suggestions, ["Qui es-tu ?"]);
}

#[test]
fn half_an_answer_is_called_so() {
    assert_eq!(
        ask(&documents(), "Kubernetes à Tokyo ?"),
        "Je n’ai pas trouvé de réponse exacte. Voici ce qui s’en approche\u{a0}:\n\n\
         J'ai huit ans d'expérience avec Kubernetes. [1]"
    );
}

#[test]
fn a_list_that_is_asked_for_is_given_whole() {
    let ports = Fakes::default();
    ports.add_hit(hit(
        "Langues",
        "- Français : langue maternelle\n- Anglais : C1",
    ));
    assert_eq!(
        ask(&ports, "Quelles langues ?"),
        "- Français : langue maternelle [1]\n- Anglais : C1 [1]"
    );
}

#[test]
fn what_was_found_by_its_meaning_alone_is_not_quoted() {
    let near = |id, text: &str| Hit {
        id,
        score: 0.9,
        ..hit("Divers", text)
    };
    let ports = documents();
    *ports.near.borrow_mut() = vec![near(7, "La capitale est Canberra.")];
    let said = ask(&ports, "Quelle heure est-il en Australie ?");
    assert!(said.starts_with("Je n’ai rien trouvé"), "{said}");
    // Nor does it stand in the way of what holds the words.
    *ports.near.borrow_mut() = vec![near(8, "Les conteneurs se pilotent bien.")];
    assert_eq!(
        ask(&ports, "Quelle est ton expérience avec Kubernetes ?"),
        ask(&documents(), "Quelle est ton expérience avec Kubernetes ?")
    );
    // Nothing else was found at all.
    let ports = Fakes::default();
    *ports.near.borrow_mut() = vec![near(9, "La capitale est Canberra.")];
    let said = ask(&ports, "Quelle heure est-il en Australie ?");
    assert!(said.starts_with("Je n’ai rien trouvé"), "{said}");
}

#[test]
fn a_question_for_a_price_or_a_number_wants_one() {
    let ports = Fakes::default();
    ports.add_hit(hit(
        "Ateliers",
        "Le 3 mai, un atelier a eu lieu à Rennes. Devant 40 personnes, cet atelier a duré longtemps.",
    ));
    let found = ask(&ports, "Combien de personnes à l'atelier de Rennes ?");
    assert!(
        found.starts_with("Devant 40 personnes") || found.contains(" Devant 40 personnes"),
        "{found}"
    );
    let price = ask(&ports, "Combien coûte l'atelier de Rennes ?");
    assert!(price.starts_with("Je n’ai rien trouvé"), "{price}");
}

#[test]
fn a_greeting_is_answered_with_the_bots_own() {
    assert!(ask(&documents(), "Et vous ?").starts_with("Bonjour, je suis le jumeau."));
}

/// What a bot that knows one document in the language says.
fn of_document(language: &str, text: &str, question: &str) -> String {
    let document = format!("---\ntitle: Shop\nlang: {language}\n---\n\n{text}\n");
    let bot = BotSettings {
        name: "Ada".into(),
        locale: language.into(),
        ..BotSettings::default()
    };
    let example = Example::of(bot, [document]);
    let question = example.question_in(language, question);
    let passages = crate::testing::searched(&example, &question);
    answer(&question, &passages)
        .pieces
        .concat()
        .replace(" [1]", "")
}

const PRICES: &str = "# Prices\n\n| Item | Half day | Day | Week |\n|---|---|---|---|\n| City bike | €14 | €22 | €95 |\n\
     | E-bike | €29 | €45 | €210 |\n| Tandem | €25 | €38 | €170 |\n\nHelmets are included.";

#[test]
fn a_table_is_answered_with_the_row_and_the_column_that_are_asked_for() {
    for (question, expected) in [
        ("how much is an e-bike for a day?", "E-bike – Day: €45"),
        ("What does a tandem cost for a week?", "Tandem – Week: €170"),
        (
            "price of a city bike, half day",
            "City bike – Half day: €14",
        ),
        (
            "How much is a tandem?",
            "Tandem – Half day: €25, Day: €38, Week: €170",
        ),
        (
            "What are the prices per week?",
            "Week:\n\n- City bike: €95\n- E-bike: €210\n- Tandem: €170",
        ),
    ] {
        assert_eq!(of_document("en", PRICES, question), expected, "{question}");
    }
}

#[test]
fn a_question_for_yes_or_no_is_answered_so_where_the_document_says_so() {
    let hours = "# Opening hours\n\nWe are open every day from 9:00 to 18:00. The shop is closed from 16 November to the end of February.";
    let age = "# Age\n\nRiders of e-bikes must be at least 16.";
    let dogs =
        "# Dogs\n\nDogs are welcome in the shop.\n\n# Cards\n\nWe do not accept American Express.";
    for (text, question, begins) in [
        (hours, "are u open on sundays", "Yes. We are open every day"),
        (
            hours,
            "Are you open in December?",
            "No. The shop is closed from 16 November",
        ),
        (
            hours,
            "Are you open in November?",
            "We are open every day from 9:00 to 18:00. The shop is closed from 16 November",
        ),
        (
            age,
            "How old must my child be to ride an e-bike?",
            "Riders of e-bikes",
        ),
        (
            age,
            "My son is 14, can he ride an e-bike?",
            "No. Riders of e-bikes",
        ),
        (
            age,
            "can my 17 year old daughter ride an e-bike",
            "Yes. Riders of e-bikes",
        ),
        (
            dogs,
            "can i bring my dog to the shop",
            "Yes. Dogs are welcome",
        ),
        (
            dogs,
            "Do you accept American Express?",
            "No. We do not accept",
        ),
    ] {
        let said = of_document("en", text, question);
        assert!(said.starts_with(begins), "{question}: {said}");
    }
}

#[test]
fn what_limits_an_answer_leaves_it_without_yes_and_no() {
    let text = "# Dogs\n\nDogs are welcome on the terrace only.\n\n# Repairs\n\nWe do not repair e-bike motors.\n\n\
         # Children\n\nChildren under 6 are free.";
    for question in [
        "Are dogs welcome?",
        "Do you repair e-bikes?",
        "Does my 4-year-old child pay?",
    ] {
        let said = of_document("en", text, question);
        assert!(
            !said.starts_with("Yes") && !said.starts_with("No"),
            "{question}: {said}"
        );
    }
}

#[test]
fn both_halves_of_a_question_are_answered_and_a_half_that_is_not_is_named() {
    let text = "# Deposit\n\nThe deposit is €50 for a bike. We block it on your card. We do not take cash deposits.";
    let said = of_document("en", text, "What is the deposit and can I pay it in cash?");
    assert_eq!(
        said,
        "The deposit is €50 for a bike.\n\nNo. We do not take cash deposits."
    );
    let said = of_document(
        "en",
        text,
        "What is the deposit and who is the mayor of the town?",
    );
    assert!(
        said.starts_with("The deposit is €50") && said.ends_with("the rest of your question."),
        "{said}"
    );
}

#[test]
fn what_says_the_same_is_said_once_and_what_is_counted_has_its_number() {
    let text = "# Bikes\n\nWe have 120 bikes today. Today we have 120 bikes.\n\n# Deposit\n\nThe deposit for bikes is €200.";
    assert_eq!(
        of_document("en", text, "how many bikes do you have"),
        "We have 120 bikes today."
    );
}

#[test]
fn a_list_that_a_sentence_introduces_is_the_answer() {
    let text = "# First visit\n\nPlease bring:\n\n- Your card\n- X-rays\n\nWe look forward to you.";
    assert_eq!(
        of_document("en", text, "What should I bring?"),
        "- Your card\n- X-rays"
    );
}
