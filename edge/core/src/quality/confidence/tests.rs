use proptest::prelude::*;

use super::*;
use crate::testing::{
    Fakes,
    examples::{Example, PLAIN, TWIN, finished, reply},
    hit, question,
};

/// Questions to an example, each with whether its documents have the answer.
struct Case {
    example: &'static Example,
    answered: &'static [&'static str],
    unanswered: &'static [&'static str],
}

fn cases() -> [Case; 2] {
    [
        Case {
            example: &TWIN,
            answered: &[
                "Depuis quand Maëlle utilise-t-elle Kubernetes ?",
                "Combien de nœuds comptent les clusters Kubernetes de Cartovent ?",
                "Quelle était la cause de la panne du 11 mai 2021 ?",
                "De combien la facture cloud de Cartovent a-t-elle baissé ?",
                "Comment a-t-elle réagi à la faille Heartbleed ?",
                "Quel salaire demande-t-elle ?",
                "Combien de jours de télétravail par semaine souhaite-t-elle ?",
                "À partir de quand peut-elle commencer ?",
                "Pourquoi veut-elle quitter Cartovent ?",
                "Quels sont ses points faibles ?",
                "Où a-t-elle obtenu son diplôme d'ingénieur ?",
                "Sous quelle licence Estran est-il publié ?",
                "Combien de ports bretons l'afficheur Marée basse couvre-t-il ?",
                "De quel instrument de musique joue-t-elle ?",
                "When did she start working at Cartovent?",
                "Where did she give a talk about CoreDNS?",
                "How much did she cut the cloud bill of Cartovent?",
                "Which languages does she speak?",
                "What salary does she expect?",
                "Who did she work for in Brest?",
            ],
            unanswered: &[
                "Quel est son numéro de téléphone ?",
                "Quel âge a Maëlle Kervadec ?",
                "Quel est son salaire actuel chez Cartovent ?",
                "A-t-elle travaillé avec Microsoft Azure ?",
                "Quel est le chiffre d'affaires de Sillage Santé ?",
                "Comment s'appelle sa responsable chez Cartovent ?",
                "A-t-elle des enfants ?",
                "What is her street address in Rennes?",
                "Which football team does she support?",
                "What is the capital of Australia?",
            ],
        },
        Case {
            example: &PLAIN,
            answered: &[
                "When are you open on Sunday?",
                "How much is a baguette?",
                "What does the rye bread cost?",
                "Do the croissants contain eggs?",
                "Is the country loaf vegan?",
                "Do you deliver on Tuesday?",
                "How much is the delivery?",
                "Can I pay with meal vouchers?",
                "Do you accept cheques?",
                "Which tram stop is near?",
                "Who opened the bakery?",
                "How many people work at the bakery?",
                "Are you closed in August?",
                "How do I order 30 croissants?",
                "Can I cancel my order?",
                "Is the shop accessible to wheelchairs?",
            ],
            unanswered: &[
                "Do you sell coffee?",
                "What is your phone number?",
                "Do you have a loyalty card?",
                "How many calories are in a croissant?",
                "Can I rent the bakery for a birthday party?",
                "Who is the mayor of Port-Nord?",
                "Do you bake wedding cakes?",
                "Is there a parking place for bicycles?",
                "Are you hiring an apprentice?",
                "What is the capital of Australia?",
            ],
        },
    ]
}

/// Below this confidence an answer is doubtful.
const LITTLE: f32 = 0.4;

/// An answer to each question: that of the embedded model, which admits when the passages do not answer, or of a model
/// that cites the best passage whatever is asked. Gives the medians of both kinds, and the questions on the wrong side of
/// [`LITTLE`].
fn separation(embedded: bool) -> ([f32; 2], Vec<&'static str>) {
    let mut exceptions = Vec::new();
    let mut all = [Vec::new(), Vec::new()];
    for case in cases() {
        let kinds = [case.answered, case.unanswered];
        for ((questions, enough), all) in kinds.into_iter().zip([true, false]).zip(&mut all) {
            for question in questions {
                let (extract, passages) = case.example.extract(question);
                let cited = reply("That is what the documents say [1].", &passages);
                let reply = if embedded { &extract } else { &cited };
                let answer = finished(question, reply, &passages, Finish::Stop);
                let found = confidence(&answer).unwrap();
                if (found >= LITTLE) != enough {
                    exceptions.push(*question);
                }
                all.push(found);
            }
        }
    }
    let medians = all.map(|mut all| {
        all.sort_by(f32::total_cmp);
        *all.get(all.len() / 2).unwrap()
    });
    (medians, exceptions)
}

#[test]
fn questions_that_the_documents_answer_stand_apart_from_the_others() {
    let (medians, exceptions) = separation(true);
    assert!(medians[0] >= 0.9 && medians[1] <= 0.05, "{medians:?}");
    // Of the manager the documents have everything except the name; of a large order the rule without the pastry, which the
    // embedded model admits.
    let both = [
        "Comment s'appelle sa responsable chez Cartovent ?",
        "How do I order 30 croissants?",
    ];
    assert_eq!(exceptions, both);
    // The model admits nothing, so only the passages found can lower the confidence.
    let (medians, exceptions) = separation(false);
    assert!(medians[0] >= 0.9 && medians[1] <= 0.25, "{medians:?}");
    assert_eq!(exceptions, &both[..1]);
}

/// The confidence of an answer to a question that both of two passages answer.
fn of(markdown: &str, finish: Finish) -> f32 {
    let ports = Fakes::default();
    ports.add_hit(hit("Horaires", "La boutique ouvre à sept heures."));
    ports.add_hit(hit("Dimanche", "Le dimanche, elle ouvre plus tard."));
    let ask = "La boutique ouvre le dimanche ?";
    let passages = crate::testing::searched(&ports, &question(ask));
    let reply = reply(markdown, &passages);
    confidence(&finished(ask, &reply, &passages, finish)).unwrap()
}

#[test]
fn the_more_is_cited_the_more_speaks_for_it() {
    let sentences = ["La boutique ouvre à sept heures"; 6];
    let answers: Vec<f32> = (0..=sentences.len())
        .map(|cited| {
            let paragraphs = sentences.iter().enumerate().map(|(at, text)| {
                let cite = if at < cited { " [1]" } else { "" };
                format!("{text}{cite}.\n\n")
            });
            of(&paragraphs.collect::<String>(), Finish::Stop)
        })
        .collect();
    assert!(answers.is_sorted_by(|a, b| a < b), "{answers:?}");
    // A second passage with the rest of the question's words raises the confidence more than a repetition.
    let again = of(
        "Oui, à sept heures [1]. Le dimanche, plus tard [1].",
        Finish::Stop,
    );
    let other = of(
        "Oui, à sept heures [1]. Le dimanche, plus tard [2].",
        Finish::Stop,
    );
    assert!(other > again, "{other} {again}");
    // Numbers without a passage are not citations.
    let nowhere = of("La boutique ouvre à sept heures [7].", Finish::Stop);
    assert_eq!(
        nowhere,
        of("La boutique ouvre à sept heures.", Finish::Stop)
    );
}

/// Equality up to the rounding of both sides to two decimals.
fn is_part(found: f32, factor: f64, whole: f32) -> bool {
    (f64::from(found) - factor * f64::from(whole)).abs() <= 0.005 * (1.0 + factor) + 1e-6
}

#[test]
fn admissions_and_unhappy_ends_lower_it_by_their_factors() {
    let said = "La boutique ouvre à sept heures [1]. Le dimanche, elle ouvre plus tard [2].";
    let whole = of(said, Finish::Stop);
    assert!(whole > 0.8, "{whole}");
    for (finish, factor) in [
        (Finish::Length, CUT),
        (Finish::Stopped, STOPPED),
        (Finish::Fallback, FALLBACK),
    ] {
        assert!(
            factor < 1.0 && is_part(of(said, finish), factor, whole),
            "{finish:?}"
        );
    }
    let admitted = format!("Je n'ai rien trouvé d'exact à ce sujet. {said}");
    assert!(is_part(of(&admitted, Finish::Stop), ADMITTED, whole));
    // Two admissions count like one; an answer of nothing but admissions has a confidence near 0.
    let twice = format!("Je ne sais pas. {admitted}");
    assert_eq!(of(&twice, Finish::Stop), of(&admitted, Finish::Stop));
    assert!(of("Je ne sais pas.", Finish::Stop) < 0.1);
    assert!(of("", Finish::Stop) < 0.25);
}

#[test]
fn a_greeting_and_documents_that_cannot_be_searched_have_none() {
    for greeting in ["Bonjour !", "Thank you!", "?", "Et toi ?"] {
        let (reply, passages) = TWIN.extract(greeting);
        let answer = finished(greeting, &reply, &passages, Finish::Stop);
        assert_eq!(confidence(&answer), None, "{greeting}");
    }
    let unsearched = Passages::default();
    let reply = reply("Elle vit à Rennes.", &unsearched);
    let answer = finished("Où vit-elle ?", &reply, &unsearched, Finish::Stop);
    assert_eq!(confidence(&answer), None);
    // The documents were searched, and nothing was found.
    let ask = "What is the capital of Australia?";
    let (reply, passages) = TWIN.extract(ask);
    let answer = finished(ask, &reply, &passages, Finish::Stop);
    assert_eq!(confidence(&answer), Some(0.0));
}

fn found(scores: &[f64]) -> Passages {
    let ports = Fakes::default();
    for at in 0..scores.len() {
        ports.add_hit(hit(
            "Horaires",
            &format!("La boutique ouvre à {at} heures."),
        ));
    }
    let question = question("La boutique ?");
    crate::testing::searched(&ports, &question).scored(scores)
}

#[test]
fn the_best_passage_stands_out_by_its_score() {
    for (scores, expected) in [
        (&[][..], 0.0),
        (&[2.0], 1.0),
        (&[2.0, 2.0], 0.0),
        (&[2.0, 1.0], 0.5),
        (&[4.0, 1.0, 1.0, 1.0], 0.75),
        (&[4.0, 0.0], 1.0),
        (&[4.0, -4.0], 1.0),
        (&[0.0], 0.0),
        (&[-1.0, -2.0], 0.0),
        (&[f64::NAN, 1.0], 0.0),
        (&[f64::INFINITY, f64::INFINITY], 0.0),
        (&[f64::INFINITY, 1.0], 1.0),
    ] {
        let found = standout(&found(scores));
        assert!((found - expected).abs() < 1e-9, "{scores:?}: {found}");
    }
}

proptest! {
    #[test]
    fn it_is_from_0_to_1_to_two_decimals_whatever_was_written_and_found(
        markdown in ".{0,60}|(Je ne sais pas\\. |La boutique( \\[[0-9]\\])?\\. |\n\n|- |\\| ){0,12}",
        scores in prop::collection::vec(any::<f64>(), 0..8),
        finish in prop::sample::select(vec![Finish::Stop, Finish::Length, Finish::Stopped, Finish::Fallback]),
    ) {
        let passages = found(&scores);
        let reply = reply(&markdown, &passages);
        let found = confidence(&finished("La boutique ?", &reply, &passages, finish)).unwrap();
        prop_assert!((0.0..=1.0).contains(&found), "{}", found);
        prop_assert_eq!((found * 100.0).round() / 100.0, found);
    }
}
