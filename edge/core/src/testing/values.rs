//! Values for tests of several modules.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use bulle_api::admin::Environment;
use bulle_protocol::{Id, conversation::SendMessage, session::SessionRequest};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Fakes, block_on};
use crate::{
    guard::{self, Caller, Question, address::Address},
    model::{Material, Secret, Site},
    prompt::{self, Extras, Input, Prompt, PromptHistory},
    retrieval::Passages,
    search::Hit,
    settings::{BotSettings, Localized, Persona, TenantSettings},
};

pub fn secret() -> Secret {
    Secret::new(Some("0123456789abcdef0123456789abcdef")).unwrap()
}

/// An identity, signed as a site's server would sign it.
pub fn identity_token(header: &serde_json::Value, claims: &serde_json::Value, key: &str) -> String {
    let signed = format!(
        "{}.{}",
        B64.encode(header.to_string()),
        B64.encode(claims.to_string())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", B64.encode(mac.finalize().into_bytes()))
}

pub fn address() -> Address {
    Address::new(&secret(), Some("192.0.2.1"), 1_700_000_000_000)
}

pub fn site() -> Site {
    let list = |items: &[&str]| {
        items
            .iter()
            .map(|item| (*item).to_owned())
            .collect::<Vec<_>>()
    };
    let fr = |value: Vec<String>| Localized([("fr".to_owned(), value)].into());
    Site {
        key: "demo".into(),
        tenant_id: "tenant".into(),
        bot_id: "bot".into(),
        bot_since: 1,
        bot_version: 1,
        knowledge: 1,
        origins: list(&["https://example.com"]),
        environment: Environment::Production,
        active: true,
        tenant: TenantSettings::default(),
        identity_secrets: Vec::new(),
        bot: BotSettings {
            name: "Jumeau".into(),
            greeting: Localized(
                [("fr".to_owned(), "Bonjour, je suis le jumeau.".to_owned())].into(),
            ),
            suggestions: fr(list(&["Qui es-tu ?"])),
            topics: fr(list(&["Parcours", "Projets"])),
            locale: "fr".into(),
            persona: Persona {
                role: "a digital twin".into(),
                tone: "warm".into(),
                rules: list(&["Speak of yourself as I."]),
                ..Persona::default()
            },
            ..BotSettings::default()
        },
    }
}

pub fn hit(heading: &str, text: &str) -> Hit {
    Hit {
        id: 1,
        title: "CV".into(),
        heading: heading.into(),
        text: text.into(),
        url: Some("https://example.com/cv#a".into()),
        language: "fr".into(),
        score: 1.0,
    }
}

/// A question that went through the real guard.
pub fn question(text: &str) -> Question {
    question_to(site(), text)
}

/// A question to this site that went through the real guard.
pub fn question_to(site: Site, text: &str) -> Question {
    question_in(site, "fr", text)
}

/// The same for a visitor with this locale.
pub fn question_in(site: Site, locale: &str, text: &str) -> Question {
    question_with(site, locale, text, &[])
}

/// The same with files, given by name and text.
pub fn question_with(site: Site, locale: &str, text: &str, files: &[(&str, &str)]) -> Question {
    let ports = Fakes::default();
    let files = files.iter().zip(1..).map(|((name, text), n)| Material {
        id: Id::from_parts(2, n),
        name: (*name).to_owned(),
        text: (*text).to_owned(),
    });
    let files: Vec<Material> = files.collect();
    let attachments = files.iter().map(|file| file.id).collect();
    ports.files.replace(files);
    ports.add_site(site);
    let request = SessionRequest {
        site: "demo".into(),
        locale: Some(locale.into()),
        ..SessionRequest::default()
    };
    let caller = Caller {
        origin: Some("https://example.com"),
        is_own: false,
        address: &address(),
    };
    let opened = block_on(guard::open_session(&ports, &secret(), caller, &request)).unwrap();
    let message = SendMessage {
        id: Id::from_parts(1, 9),
        text: text.into(),
        retry: false,
        attachments,
    };
    block_on(guard::admit_message(
        &ports,
        opened.admitted,
        Id::from_parts(1, 8),
        message,
    ))
    .unwrap()
}

/// The prompt of a question without passages and history.
pub fn prompt(question: &Question) -> Prompt {
    let (input, passages) = (Input::of(question), Passages::default());
    prompt::build(
        &input,
        &passages,
        &PromptHistory::default(),
        &Extras::default(),
    )
}
