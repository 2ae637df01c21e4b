//! Answers of the embedded model.

use super::*;
use crate::{
    search::Hit,
    testing::{Fakes, hit, question},
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
        "J'ai huit ans d'expérience avec Kubernetes. Le ciel est bleu. Mon cluster Kubernetes a 410 nœuds. [1]\n\n\
         - Kubernetes \\[CKA\\] [2]"
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
         J'ai huit ans d'expérience avec Kubernetes. Mon cluster Kubernetes a 410 nœuds. [1]\n\n\
         - Kubernetes \\[CKA\\] [2]"
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
    // A hit by meaning does not displace a hit with the question's words.
    *ports.near.borrow_mut() = vec![near(8, "Les conteneurs se pilotent bien.")];
    assert_eq!(
        ask(&ports, "Quelle est ton expérience avec Kubernetes ?"),
        ask(&documents(), "Quelle est ton expérience avec Kubernetes ?")
    );
    // The hit by meaning is the only one.
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
fn a_price_is_that_of_the_row_and_the_column_that_are_asked_for() {
    let ports = Fakes::default();
    ports.add_hit(Hit {
        language: "en".to_owned(),
        ..hit(
            "Price list",
            "- Item: City bike; Half day: €14; Day: €22; Week: €95\n\
             - Item: E-bike; Half day: €29; Day: €45; Week: €210\n\
             - Item: Child seat; Half day: €3; Day: €5; Week: €20",
        )
    });
    for (question, said) in [
        (
            "How much is an e-bike for a day?",
            "- Item: E-bike; Day: €45 [1]",
        ),
        (
            "How much is an e-bike for half a day?",
            "- Item: E-bike; Half day: €29 [1]",
        ),
        (
            "What does the child seat cost for a week?",
            "- Item: Child seat; Week: €20 [1]",
        ),
        (
            "What does the city bike cost?",
            "- Item: City bike; Half day: €14; Day: €22; Week: €95 [1]",
        ),
    ] {
        assert_eq!(ask(&ports, question), said, "{question}");
    }
}

#[test]
fn a_greeting_is_answered_with_the_bots_own() {
    assert!(ask(&documents(), "Et vous ?").starts_with("Bonjour, je suis le jumeau."));
}

#[test]
fn documents_cannot_inject_markup() {
    for (text, expected) in [
        ("1. un", "1\\. un"),
        ("- a", "\\- a"),
        ("2020 fut", "2020 fut"),
        ("a*b_c[1]<b>", "a\\*b\\_c\\[1\\]\\<b\\>"),
    ] {
        assert_eq!(escape(text), expected);
    }
}
