//! Notices by mail, through any service that accepts a letter as JSON over HTTP.
//!
//! Values cannot change the structure of a letter: they go into the strings of a parsed template, placeholders are
//! filled in one pass, and no value of a notice has a line break or another control character.

use bulle_api::notice::{Answerer, Kind, Notice, Whose};
use serde_json::Value;
use url::Url;

use super::Recipient;
use crate::{model::Mailer, ports::OutboundPost, provider::extractive, strings};

/// The template where the deployment has none of its own.
const TEMPLATE: &str =
    r#"{"from": "{from}", "to": "{to}", "subject": "{subject}", "text": "{text}"}"#;

/// Longest value in a letter, in characters: a sentence with the name of a model, which has up to 200.
const MAX_VALUE: usize = 600;

/// The letter of a notice to this address.
///
/// # Errors
/// The settings that are missing or wrong; for the log.
pub fn letter(
    mailer: Option<&Mailer>,
    to: Recipient<'_>,
    address: &str,
    notice: &Notice,
) -> Result<OutboundPost, String> {
    let (subject, text) = words(to, notice);
    posted(mailer, address, (&subject, &text), &notice.id.to_string())
}

/// The letter with which somebody is invited to a tenant: `url` is the link, which is good for `days`.
///
/// # Errors
/// The settings that are missing or wrong; for the log.
pub fn invitation(
    mailer: Option<&Mailer>,
    languages: &[&str],
    address: &str,
    (tenant, url, days): (&str, &str, u64),
    id: &str,
) -> Result<OutboundPost, String> {
    let texts = strings::texts(strings::negotiate(languages)).notices;
    let say = |name: &str| texts.get(name).map_or("", String::as_str);
    let (tenant, days) = (plain(Some(tenant)), days.to_string());
    let values = [("tenant", tenant.as_str()), ("url", url), ("days", &days)];
    let subject = fill(say("invitation_subject"), &values);
    let text = fill(say("invitation"), &values);
    posted(mailer, address, (&subject, &text), id)
}

/// A letter to this address, as the deployment's mail service takes it. `id` names it when it is sent again.
fn posted(
    mailer: Option<&Mailer>,
    address: &str,
    (subject, text): (&str, &str),
    id: &str,
) -> Result<OutboundPost, String> {
    let mailer = mailer.ok_or("set EMAIL_URL and EMAIL_FROM; see docs/notices.md")?;
    let url = Url::parse(&mailer.url).ok();
    if !url.is_some_and(|url| matches!(url.scheme(), "https" | "http")) {
        return Err("EMAIL_URL is no https:// address".to_owned());
    }
    let template = mailer.template.as_deref().unwrap_or(TEMPLATE);
    let mut body: Value =
        serde_json::from_str(template).map_err(|e| format!("EMAIL_TEMPLATE is no JSON: {e}"))?;
    let values = [
        ("from", mailer.from.as_str()),
        ("to", address),
        ("subject", subject),
        ("text", text),
    ];
    fill_strings(&mut body, &values);
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("accept".to_owned(), "application/json".to_owned()),
        // Some services answer 403 to requests without a `User-Agent`.
        ("user-agent".to_owned(), "Bulle".to_owned()),
        // A service that knows this header sends a letter once, even when its answer was lost and the request is
        // repeated.
        ("idempotency-key".to_owned(), id.to_owned()),
    ];
    if let Some(line) = &mailer.header {
        headers.push(header(line).ok_or("EMAIL_HEADER is no line like `Name: value`")?);
    }
    Ok(OutboundPost {
        url: mailer.url.clone(),
        headers,
        body: body.to_string(),
    })
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let good = !name.is_empty()
        && name.bytes().all(token)
        && !value.is_empty()
        && value.bytes().all(|b| (b' '..=b'~').contains(&b));
    good.then(|| (name.to_ascii_lowercase(), value.to_owned()))
}

/// A value on one line, so that it stays in its place.
fn plain(value: Option<&str>) -> String {
    let chars = value.unwrap_or_default().chars().take(MAX_VALUE);
    chars
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Subject and text.
fn words(to: Recipient<'_>, notice: &Notice) -> (String, String) {
    let texts = strings::texts(strings::negotiate(&[to.locale])).notices;
    let detail = &notice.detail;
    let bot = plain(notice.bot_id.as_deref());
    let say = |name: &str| texts.get(name).map_or("", String::as_str);
    let whose = match detail.whose {
        Some(Whose::Tenant) => say("of_all_bots").to_owned(),
        _ => fill(say("of_bot"), &[("bot", &bot)]),
    };
    let instead = match &detail.instead {
        None => say("instead_nobody").to_owned(),
        Some(Answerer { provider, .. }) if provider == extractive::NAME => {
            say("instead_documents").to_owned()
        }
        Some(Answerer { model, .. }) => {
            fill(say("instead_model"), &[("model", &plain(Some(model)))])
        }
    };
    let values = [
        ("tenant", plain(Some(to.tenant_id))),
        ("bot", bot),
        ("whose", whose),
        ("budget", plain(detail.budget.as_deref())),
        ("period", plain(detail.period.as_deref())),
        ("provider", plain(detail.provider.as_deref())),
        ("model", plain(detail.model.as_deref())),
        (
            "reason",
            plain(detail.help.as_deref().or(detail.reason.as_deref())),
        ),
        ("instead", instead),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let (subject, text) = match notice.kind {
        Kind::BudgetExhausted => ("budget_subject", "budget"),
        Kind::ModelFailing => ("model_subject", "model"),
        Kind::Test => ("test_subject", "test"),
    };
    let text = format!("{}\n\n{}", say(text), say("why"));
    (fill(say(subject), &values), fill(&text, &values))
}

fn fill_strings(value: &mut Value, values: &[(&str, &str)]) {
    match value {
        Value::String(text) => *text = fill(text, values),
        Value::Array(items) => items.iter_mut().for_each(|item| fill_strings(item, values)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|item| fill_strings(item, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Fills `{name}` in one pass, so that a value which looks like a placeholder is not filled.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let after = after.strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, after))
        });
        let (value, after) = found.unwrap_or(("{", after));
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_api::notice::Detail;
    use bulle_protocol::Id;

    use crate::settings::NoticeSettings;

    fn mailer() -> Mailer {
        Mailer {
            url: "https://mail.test/send".into(),
            from: "Bulle <bulle@example.com>".into(),
            header: Some("Authorization: Bearer k:1".into()),
            template: None,
        }
    }

    fn notice(kind: Kind, detail: Detail) -> Notice {
        Notice {
            id: Id::from_parts(1_700_000_000_000, 7),
            kind,
            about: "x".into(),
            bot_id: Some("guide".into()),
            detail,
            created_at: 1_700_000_000_000,
            deliveries: Vec::new(),
        }
    }

    fn written(mailer: &Mailer, locale: &str, notice: &Notice) -> Result<OutboundPost, String> {
        let to = Recipient {
            tenant_id: "acme",
            settings: &NoticeSettings::default(),
            locale,
        };
        letter(Some(mailer), to, "owner@example.com", notice)
    }

    #[test]
    fn what_is_written() {
        let answerer = |provider: &str, model: &str| {
            Some(Answerer {
                provider: provider.into(),
                model: model.into(),
            })
        };
        let budget = |whose, instead| {
            let detail = Detail {
                whose: Some(whose),
                budget: Some("tokens_per_day".into()),
                period: Some("2026-11-21".into()),
                instead,
                ..Detail::default()
            };
            notice(Kind::BudgetExhausted, detail)
        };
        let failing = Detail {
            provider: Some("openai".into()),
            model: Some("gpt-9".into()),
            reason: Some("timed_out".into()),
            ..Detail::default()
        };
        let mut letters = Vec::new();
        for locale in ["en", "fr-CA", "xx"] {
            for notice in [
                budget(Whose::Bot, answerer(extractive::NAME, extractive::NAME)),
                budget(Whose::Tenant, answerer("gemini", "g-1")),
                notice(Kind::ModelFailing, failing.clone()),
                notice(Kind::Test, Detail::default()),
            ] {
                letters.push(written(&mailer(), locale, &notice).unwrap());
            }
        }
        let body = |letter: &OutboundPost| serde_json::from_str::<Value>(&letter.body).unwrap();
        let bodies: Vec<Value> = letters.iter().take(8).map(body).collect();
        insta::assert_json_snapshot!(bodies);
        // There are no texts in that language, so they are in English.
        assert_eq!(letters[8].body, letters[0].body);
        let header = |name: &str| letters[0].headers.iter().find(|(n, _)| n == name).cloned();
        assert_eq!(header("authorization").unwrap().1, "Bearer k:1");
        assert_eq!(
            header("idempotency-key").unwrap().1,
            Id::from_parts(1_700_000_000_000, 7).to_string()
        );
    }

    #[test]
    fn an_invitation_is_written_in_the_language_of_whoever_invites() {
        let link = (
            "Acme\nBcc: x@evil.test {url}",
            "https://edge.test/console/#invitation=a_b",
            7,
        );
        let written = |languages: &[&str]| {
            let letter =
                invitation(Some(&mailer()), languages, "bo@example.com", link, "01H").unwrap();
            let body: Value = serde_json::from_str(&letter.body).unwrap();
            assert_eq!(body["to"], "bo@example.com");
            let [subject, text] =
                ["subject", "text"].map(|name| body[name].as_str().unwrap().to_owned());
            assert!(subject.contains("Acme Bcc: x@evil.test {url}"), "{subject}");
            assert!(!subject.contains('\n'));
            assert_eq!(text.matches(link.1).count(), 1, "{text}");
            assert!(text.contains('7'), "{text}");
            text
        };
        let [english, french] = [written(&["xx", "en"]), written(&["fr-CA"])];
        assert_ne!(english, french);
        assert!(invitation(None, &["en"], "bo@example.com", link, "01H").is_err());
    }

    #[test]
    fn nothing_leaves_its_place_in_a_letter() {
        let evil = "m\",\"bcc\":\"x@evil.test\r\nBcc: y@evil.test {to} {text}\u{2028}\u{0}";
        let detail = Detail {
            model: Some(evil.into()),
            provider: Some(evil.into()),
            reason: Some("{reason}{bot}".into()),
            ..Detail::default()
        };
        let mut mailer = mailer();
        mailer.template = Some(
            r#"{"Messages": [{"{to}": "{subject}", "text": "<{text}>", "n": 1, "x": null, "open": "{ {unknown} {to"}]}"#
                .into(),
        );
        let letter = written(&mailer, "en", &notice(Kind::ModelFailing, detail)).unwrap();
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        let message = body["Messages"][0].as_object().unwrap();
        let keys: Vec<&str> = message.keys().map(String::as_str).collect();
        assert_eq!(keys, ["n", "open", "text", "x", "{to}"]);
        let subject = message["{to}"].as_str().unwrap();
        assert!(!subject.chars().any(char::is_control), "{subject:?}");
        assert!(
            subject.contains("Bcc: y@evil.test {to} {text}"),
            "{subject}"
        );
        assert!(message["text"].as_str().unwrap().contains("{reason}{bot}"));
        assert_eq!(message["open"], "{ {unknown} {to");
    }

    #[test]
    fn what_the_operator_has_set_wrongly_is_named() {
        let set = |change: fn(&mut Mailer)| {
            let mut mailer = mailer();
            change(&mut mailer);
            written(&mailer, "en", &notice(Kind::Test, Detail::default())).err()
        };
        assert_eq!(set(|_| ()), None);
        assert_eq!(set(|mailer| mailer.header = None), None);
        for (why, named) in [
            (set(|m| m.url = "mail.test".into()), "EMAIL_URL"),
            (set(|m| m.url = "file:///etc/passwd".into()), "EMAIL_URL"),
            (
                set(|m| m.template = Some("{text}".into())),
                "EMAIL_TEMPLATE",
            ),
            (set(|m| m.header = Some("Bearer k".into())), "EMAIL_HEADER"),
            (set(|m| m.header = Some(": k".into())), "EMAIL_HEADER"),
            (set(|m| m.header = Some("X Y: k".into())), "EMAIL_HEADER"),
            (
                set(|m| m.header = Some("X: k\nY: z".into())),
                "EMAIL_HEADER",
            ),
        ] {
            let why = why.unwrap();
            assert!(why.contains(named), "{why}");
            assert!(!why.contains("Bearer"), "{why}");
        }
    }

    proptest::proptest! {
        /// Whatever the values are, the letter's JSON has the fields of the template, with the values whole.
        #[test]
        fn a_letter_says_what_was_put_into_it(to in "\\PC{1,40}", from in "(?s).{1,40}") {
            let mut body: Value = serde_json::from_str(TEMPLATE).unwrap();
            fill_strings(&mut body, &[("from", &from), ("to", &to), ("subject", "{to}"), ("text", "{")]);
            let read: Value = serde_json::from_str(&body.to_string()).unwrap();
            proptest::prop_assert_eq!(read, serde_json::json!({"from": from, "to": to, "subject": "{to}", "text": "{"}));
        }
    }
}
