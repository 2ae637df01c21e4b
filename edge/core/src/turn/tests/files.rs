//! Answers from files that the visitor has attached.

use super::*;
use crate::testing::{question_with, site};

const FILE: (&str, &str) = (
    "contrat.pdf",
    "# Contrat\n\n## Durée\n\nLe contrat dure vingt-quatre mois à partir de la signature.\n\n## Prix\n\nLe loyer \
     mensuel est de 740 euros.",
);

fn asked(text: &str) -> Question {
    let mut site = site();
    site.bot.features.attachments = true;
    question_with(site, "fr", text, &[FILE])
}

#[test]
fn a_model_is_given_the_file_as_data_before_the_question() {
    let ports = Fakes::default();
    let delta = r#"data: {"choices":[{"delta":{"content":"740 euros."},"finish_reason":"stop"}]}"#;
    let body = format!("{delta}\n\ndata: [DONE]\n\n");
    ports.answer(200, vec![Piece::Bytes(body.into_bytes())]);
    let question = asked("Quel est le loyer ?");
    let (sent, ended) = run_asked(&ports, &model(), &question, "", std::future::pending());
    assert_eq!(ended.text, "740 euros.");
    assert!(matches!(sent.done().finish, Finish::Stop));
    let request = ports.requests.borrow()[0].body.clone();
    let json: serde_json::Value = serde_json::from_str(&request).unwrap();
    let messages = json["messages"].as_array().unwrap();
    let last = messages.last().unwrap()["content"].as_str().unwrap();
    assert!(last.contains("<file name=\"contrat.pdf\">") && last.contains("740 euros"));
    assert!(last.ends_with("Quel est le loyer ?"), "{last}");
    assert!(!messages[0]["content"].as_str().unwrap().contains("740"));
    let evidence = &ended.record.reply.as_ref().unwrap().evidence;
    assert!(!evidence.unanswered);
    let added = &evidence.prompt.as_ref().unwrap().added;
    assert!(added.material.as_deref().unwrap().contains("740 euros"));
}

#[test]
fn without_a_model_the_file_is_quoted_and_named_as_the_source() {
    let ports = Fakes::default();
    let question = asked("Quel est le loyer mensuel ?");
    let (sent, ended) = run_asked(&ports, &having(&[]), &question, "", std::future::pending());
    assert!(ended.text.contains("740 euros"), "{}", ended.text);
    let sources = sent.events.iter().find_map(|event| match event {
        ServerEvent::Sources(sources) => Some(&sources.items),
        _ => None,
    });
    let source = &sources.unwrap()[0];
    assert!(source.title.starts_with("contrat.pdf"), "{}", source.title);
    assert_eq!(source.url, None);
}

#[test]
fn what_the_file_does_not_say_is_not_made_up() {
    let ports = Fakes::default();
    let question = asked("Qui a peint la Joconde ?");
    let (_, ended) = run_asked(&ports, &having(&[]), &question, "", std::future::pending());
    assert!(!ended.text.contains("euros"), "{}", ended.text);
}
