//! Business hours, forms, files and features.

use super::*;
use crate::{
    guard::visitor::{Feature, admit_attachment, form, offered, open_form, remembered},
    model::Material,
    settings::BotSettings,
};

/// A site whose bot has these settings beside its name.
fn having(settings: &str) -> (Fakes, Admitted) {
    let ports = Fakes::default();
    let json = format!(r#"{{"name":"x","locale":"fr",{settings}}}"#);
    let bot: BotSettings = serde_json::from_str(&json).unwrap();
    assert_eq!(bot.validate(), Ok(()));
    ports.add_site(Site { bot, ..site() });
    let opened = open(&ports, &request("demo")).unwrap();
    (ports, opened.admitted)
}

const FORM: &str = r#""form":{"title":{"fr":"Qui êtes-vous ?","en":"Who are you?"},"required":true,
    "fields":[{"name":"mail","label":{"fr":"Courriel"},"kind":"email","required":true}]}"#;

#[test]
fn a_form_that_is_required_comes_first() {
    let (ports, admitted) = having(FORM);
    let refused = say(&ports, &admitted, 1, "Bonjour").unwrap_err();
    assert_eq!(refused.code, Code::FormRequired);
    assert_eq!(refused.message.as_deref(), Some("Qui êtes-vous ?"));
    assert_eq!(ports.counted("bot/bot/visitor/"), 0);
    let asked = block_on(open_form(&ports, &admitted, false)).unwrap();
    assert_eq!(Some(&asked), form(&admitted).as_ref());
    assert_eq!(asked.fields[0].label, "Courriel");
    ports.filled.borrow_mut().push(admitted.owner());
    assert_eq!(block_on(open_form(&ports, &admitted, false)), None);
    assert!(say(&ports, &admitted, 2, "Bonjour").is_ok());
    ports.fail("profiles");
    let down = say(&ports, &admitted, 3, "Bonjour").unwrap_err();
    assert_eq!(down.code, Code::StorageUnavailable);
    assert_eq!(block_on(open_form(&ports, &admitted, false)), None);
}

#[test]
fn a_form_that_is_not_required_is_not_asked_for_at_each_message() {
    let (ports, admitted) = having(&FORM.replace("\"required\":true,\n", ""));
    assert!(say(&ports, &admitted, 1, "Bonjour").is_ok());
    assert_eq!(ports.calls("profiles"), 0);
    assert!(block_on(open_form(&ports, &admitted, true)).is_some());
}

#[test]
fn a_bot_that_closes_takes_no_messages_outside_its_hours() {
    let hours = |outside: &str| {
        format!(
            r#""hours":{{"time_zone":"UTC","text":{{"fr":"Fermé."}},"outside":"{outside}","weekly":{{"tuesday":["22:00-23:00"]}}}}"#
        )
    };
    // The fakes' time is Tuesday, 14 November 2023, 22:13.
    let (ports, admitted) = having(&hours("closed"));
    assert!(say(&ports, &admitted, 1, "Bonjour").is_ok());
    ports.advance(3_600_000);
    let refused = say(&ports, &admitted, 2, "Bonjour").unwrap_err();
    assert_eq!((refused.code, refused.status), (Code::Closed, 403));
    assert_eq!(refused.message.as_deref(), Some("Fermé."));
    let (ports, admitted) = having(&hours("answer"));
    ports.advance(3_600_000);
    assert!(say(&ports, &admitted, 1, "Bonjour").is_ok());
}

#[test]
fn what_the_owner_does_not_offer_is_refused_by_name() {
    let (ports, admitted) =
        having(r#""features":{"feedback":false,"export":false,"history":false}"#);
    for (feature, name) in [
        (Feature::Attachments, "attachments"),
        (Feature::Feedback, "feedback"),
        (Feature::History, "history"),
        (Feature::Export, "export"),
    ] {
        let refused = offered(&admitted, feature).unwrap_err();
        assert_eq!(refused.code, Code::FeatureDisabled);
        assert!(refused.detail.contains(name), "{}", refused.detail);
    }
    let refused = block_on(admit_attachment(&ports, &admitted, Id::from_parts(0, 1)));
    assert_eq!(refused.unwrap_err().code, Code::FeatureDisabled);
    let refused = send(&ports, &admitted, &[1]).unwrap_err();
    assert_eq!(refused.code, Code::FeatureDisabled);
    let (_, admitted) = having(r#""features":{}"#);
    assert!(offered(&admitted, Feature::History).is_ok());
}

/// Sends a message with these files.
fn send(ports: &Fakes, admitted: &Admitted, files: &[u128]) -> Result<Question, Problem> {
    let message = SendMessage {
        id: Id::from_parts(0, 1),
        text: "Que dit-il ?".into(),
        retry: false,
        attachments: files.iter().map(|n| Id::from_parts(0, *n)).collect(),
    };
    let conversation = Id::from_parts(0, 0);
    block_on(admit_message(
        ports,
        admitted.clone(),
        conversation,
        message,
    ))
}

#[test]
fn files_must_be_the_visitors_and_few() {
    let (ports, admitted) = having(r#""features":{"attachments":true}"#);
    let file = |n| Material {
        id: Id::from_parts(0, n),
        name: format!("{n}.txt"),
        text: "x".into(),
    };
    ports.files.replace((1..=4).map(file).collect());
    let question = send(&ports, &admitted, &[1, 2, 3]).unwrap();
    assert_eq!(question.attachments().len(), 3);
    for files in [[1, 2, 3, 4].as_slice(), &[1, 9]] {
        let refused = send(&ports, &admitted, files).unwrap_err();
        assert_eq!(refused.code, Code::InvalidValue, "{files:?}");
        assert!(refused.detail.starts_with("attachments: "));
    }
    ports.fail("profiles");
    let down = send(&ports, &admitted, &[1]).unwrap_err();
    assert_eq!(down.code, Code::StorageUnavailable);
}

#[test]
fn files_are_few_a_minute() {
    let (ports, admitted) =
        having(r#""features":{"attachments":true},"limits":{"address":{"sessions_per_minute":2}}"#);
    let give = |n| block_on(admit_attachment(&ports, &admitted, Id::from_parts(0, n)));
    assert_eq!((give(1), give(2)), (Ok(()), Ok(())));
    assert_eq!(give(3).unwrap_err().code, Code::RateLimited);
}

#[test]
fn whose_data_was_erased_begins_nothing_and_comes_back_as_somebody_new() {
    let ports = Fakes::default();
    let first = open(&ports, &request("demo")).unwrap();
    let id = first.admitted.visitor_id();
    ports.erased.borrow_mut().push(id);
    let refused = block_on(remembered(&ports, &first.admitted)).unwrap_err();
    assert_eq!(refused.code, Code::TokenInvalid);
    let conversation = Id::from_parts(0, 1);
    let refused = block_on(admit_conversation(&ports, &first.admitted, conversation));
    assert_eq!(refused.unwrap_err().code, Code::TokenInvalid);
    let again = SessionRequest {
        resume: Some(first.token),
        ..request("demo")
    };
    let second = open(&ports, &again).unwrap();
    assert!(!second.resumed && second.admitted.visitor_id() != id);
    // When the database fails, visitors are let in, but no conversation or file is begun.
    ports.fail("profiles");
    assert!(open(&ports, &again).unwrap().resumed);
    let down = block_on(remembered(&ports, &second.admitted)).unwrap_err();
    assert_eq!(down.code, Code::StorageUnavailable);
}
