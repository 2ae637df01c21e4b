//! What visitors are asked before, or beside, the conversation.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Localized, at};
use bulle_protocol::session::{self, FieldKind};

/// Most fields.
const MAX_FIELDS: usize = 10;

/// Most options of a field.
const MAX_OPTIONS: usize = 30;

/// Longest label or option, in characters.
const MAX_LABEL: usize = 120;

/// Longest text above the fields and beside the consent, in characters.
const MAX_TEXT: usize = 1_000;

/// Longest answer, in characters.
pub const MAX_ANSWER: usize = 1_000;

/// A form that a visitor is asked to fill in once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FormSettings {
    /// Title of the form, at most 120 characters.
    pub title: Localized<String>,
    /// Text above the fields, at most 1,000 characters.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub text: Localized<String>,
    /// 1 to 10 fields.
    pub fields: Vec<FormField>,
    /// Text that the visitor must agree to, at most 1,000 characters. No consent is asked for when the text is empty.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub consent: Localized<String>,
    /// Label of the button, at most 120 characters; "Send" in the visitor's language when empty.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub submit: Localized<String>,
    /// Whether messages are refused until the form is filled in.
    pub required: bool,
}

/// A field of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FormField {
    /// Name under which the answer is stored: 1 to 40 of a-z, 0-9 and _.
    pub name: String,
    /// Label that the visitor reads.
    pub label: Localized<String>,
    /// Type of the answer.
    pub kind: FieldKind,
    /// Whether the field must be filled in; a checkbox must then be checked.
    pub required: bool,
    /// Choices of a `select`: 2 to 30 texts. The answer is the chosen text.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub options: Localized<Vec<String>>,
}

impl FormSettings {
    pub(super) fn validate(&self) -> Result<(), String> {
        self.title.one("form.title", MAX_LABEL)?;
        for (path, text, most) in [
            ("form.text", &self.text, MAX_TEXT),
            ("form.consent", &self.consent, MAX_TEXT),
            ("form.submit", &self.submit, MAX_LABEL),
        ] {
            if !text.is_empty() {
                text.one(path, most)?;
            }
        }
        if self.fields.is_empty() || self.fields.len() > MAX_FIELDS {
            return at("form.fields", &format!("1 to {MAX_FIELDS} fields."));
        }
        for (n, field) in self.fields.iter().enumerate() {
            let path = format!("form.fields.{n}");
            let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if !(1..=40).contains(&field.name.len()) || !field.name.bytes().all(good) {
                return at(
                    &format!("{path}.name"),
                    "1 to 40 characters of a-z, 0-9 and _.",
                );
            }
            let mut before = self.fields.iter().take(n);
            if before.any(|other| other.name == field.name) {
                return at(&format!("{path}.name"), "another field has this name.");
            }
            field.label.one(&format!("{path}.label"), MAX_LABEL)?;
            field.check_options(&format!("{path}.options"))?;
        }
        Ok(())
    }

    /// The form for a visitor with this locale. `submit` is the button's text when the owner has set none.
    pub fn localized(&self, locale: &str, fallback: &str, submit: &str) -> session::Form {
        let some = |text: &Localized<String>| text.get(locale, fallback).cloned();
        let text = |text: &Localized<String>| some(text).unwrap_or_default();
        let fields = self.fields.iter().map(|field| session::AskedField {
            name: field.name.clone(),
            label: text(&field.label),
            kind: field.kind,
            required: field.required,
            options: field.options_in(locale, fallback).to_vec(),
        });
        session::Form {
            title: text(&self.title),
            text: some(&self.text),
            fields: fields.collect(),
            consent: some(&self.consent),
            submit: some(&self.submit).unwrap_or_else(|| submit.to_owned()),
            required: self.required,
        }
    }
}

impl FormField {
    fn check_options(&self, path: &str) -> Result<(), String> {
        let mut lists = self.options.0.values();
        match self.kind {
            FieldKind::Select => {
                let long = |text: &String| text.is_empty() || text.chars().count() > MAX_LABEL;
                let bad = |list: &Vec<String>| {
                    !(2..=MAX_OPTIONS).contains(&list.len()) || list.iter().any(long)
                };
                if self.options.is_empty() || lists.any(bad) {
                    let message =
                        format!("2 to {MAX_OPTIONS} texts of 1 to {MAX_LABEL} characters.");
                    return at(path, &message);
                }
                Ok(())
            }
            _ if self.options.is_empty() => Ok(()),
            _ => at(path, "only a `select` has options."),
        }
    }

    fn options_in(&self, locale: &str, fallback: &str) -> &[String] {
        let options = self.options.get(locale, fallback);
        options.map(Vec::as_slice).unwrap_or_default()
    }
}

/// The answers to a form as they are stored: trimmed, without the empty ones.
///
/// # Errors
/// A sentence that names the first answer that is missing or invalid.
pub fn check_answers(
    form: &session::Form,
    given: session::Answers,
) -> Result<BTreeMap<String, String>, String> {
    if form.consent.is_some() && !given.consent {
        return Err("consent: it must be true, after the visitor has agreed.".to_owned());
    }
    let mut answers = given.fields;
    let mut kept = BTreeMap::new();
    for field in &form.fields {
        let name = &field.name;
        let answer = answers.remove(name).unwrap_or_default().trim().to_owned();
        if answer.is_empty() || (field.kind == FieldKind::Checkbox && answer == "false") {
            if field.required {
                return Err(format!("fields.{name}: it is required."));
            }
            if answer.is_empty() {
                continue;
            }
        }
        if answer.chars().count() > MAX_ANSWER {
            return Err(format!("fields.{name}: at most {MAX_ANSWER} characters."));
        }
        check_answer(field, &answer)?;
        kept.insert(name.clone(), answer);
    }
    match answers.into_keys().next() {
        Some(name) => Err(format!("fields.{name}: the form has no such field.")),
        None => Ok(kept),
    }
}

fn check_answer(field: &session::AskedField, answer: &str) -> Result<(), String> {
    let name = &field.name;
    let says = match field.kind {
        FieldKind::Text | FieldKind::Textarea => None,
        FieldKind::Email => {
            let (user, domain) = answer.rsplit_once('@').unwrap_or_default();
            let spaced = answer.chars().any(|c| c.is_whitespace() || c.is_control());
            let good = !user.is_empty() && !domain.is_empty() && !spaced;
            (!good).then_some("give a mail address, such as name@example.com.")
        }
        FieldKind::Tel => {
            let digits = answer.chars().filter(|c| c.is_numeric()).count();
            let good = |c: char| c.is_numeric() || " +-./()".contains(c);
            let good = digits >= 3 && answer.chars().all(good);
            (!good).then_some("give a telephone number: digits, spaces and + - . / ( ).")
        }
        FieldKind::Select => {
            let known = field.options.iter().any(|option| option == answer);
            (!known).then_some("give one of its options.")
        }
        FieldKind::Checkbox => {
            (!["true", "false"].contains(&answer)).then_some("give \"true\" or \"false\".")
        }
    };
    says.map_or(Ok(()), |says| Err(format!("fields.{name}: {says}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &str) -> FormSettings {
        let json = format!(r#"{{"title":{{"en":"Before we start"}},"fields":[{fields}]}}"#);
        serde_json::from_str(&json).unwrap()
    }

    const FULL: &str = r#"{"name":"mail","label":{"en":"Mail"},"kind":"email","required":true},
        {"name":"phone","label":{"en":"Phone"},"kind":"tel"},
        {"name":"topic","label":{"en":"Topic"},"kind":"select","options":{"en":["Bread","Cakes"],"fr":["Pain","Gâteaux"]}},
        {"name":"news","label":{"en":"News"},"kind":"checkbox"}"#;

    #[test]
    fn forms_that_make_no_sense_are_named() {
        assert_eq!(form(FULL).validate(), Ok(()));
        for (fields, says) in [
            ("", "settings.form.fields: 1 to 10"),
            (
                r#"{"name":"E-mail","label":{"en":"x"}}"#,
                "settings.form.fields.0.name: 1 to 40",
            ),
            (
                r#"{"name":"a","label":{"en":"x"}},{"name":"a","label":{"en":"y"}}"#,
                "settings.form.fields.1.name: another",
            ),
            (
                r#"{"name":"a","label":{}}"#,
                "settings.form.fields.0.label: 1 to 120",
            ),
            (
                r#"{"name":"a","label":{"en":"x"},"kind":"select"}"#,
                "settings.form.fields.0.options: 2 to 30",
            ),
            (
                r#"{"name":"a","label":{"en":"x"},"kind":"select","options":{"en":["one"]}}"#,
                "settings.form.fields.0.options: 2 to 30",
            ),
            (
                r#"{"name":"a","label":{"en":"x"},"options":{"en":["b","c"]}}"#,
                "settings.form.fields.0.options: only a `select`",
            ),
        ] {
            let said = form(fields).validate().unwrap_err();
            assert!(said.starts_with(says), "{says}: {said}");
        }
        let untitled = FormSettings {
            title: Localized::default(),
            ..form(FULL)
        };
        assert!(untitled.validate().unwrap_err().contains("form.title"));
    }

    #[test]
    fn answers_are_checked_by_kind() {
        let asked = form(FULL).localized("fr", "en", "Envoyer");
        assert_eq!(asked.submit, "Envoyer");
        let check = |fields: &str| {
            let given = format!(r#"{{"fields":{fields}}}"#);
            check_answers(&asked, serde_json::from_str(&given).unwrap())
        };
        let kept = check(r#"{"mail":" a@b.fr ","topic":"Pain","phone":"","news":"true"}"#).unwrap();
        let kept: Vec<_> = kept.iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(kept.join(" "), "mail=a@b.fr news=true topic=Pain");
        let long = format!(r#"{{"mail":"{}@b"}}"#, "a".repeat(MAX_ANSWER));
        for (fields, says) in [
            ("{}", "fields.mail: it is required"),
            (r#"{"mail":"  "}"#, "fields.mail: it is required"),
            (r#"{"mail":"a.b"}"#, "fields.mail: give a mail address"),
            (r#"{"mail":"a b@c"}"#, "fields.mail: give a mail address"),
            (long.as_str(), "fields.mail: at most 1000"),
            (r#"{"mail":"a@b","phone":"call me"}"#, "fields.phone: "),
            (
                r#"{"mail":"a@b","topic":"Bread"}"#,
                "fields.topic: give one",
            ),
            (r#"{"mail":"a@b","news":"yes"}"#, "fields.news: "),
            (r#"{"mail":"a@b","x":""}"#, "fields.x: the form has no such"),
        ] {
            let said = check(fields).unwrap_err();
            assert!(said.starts_with(says), "{says}: {said}");
        }
    }

    #[test]
    fn consent_that_is_asked_for_must_be_given() {
        let mut settings =
            form(r#"{"name":"ok","label":{"en":"x"},"kind":"checkbox","required":true}"#);
        settings.consent = Localized([("en".to_owned(), "I agree.".to_owned())].into());
        assert_eq!(settings.validate(), Ok(()));
        let asked = settings.localized("en", "en", "Send");
        let check = |given: &str| check_answers(&asked, serde_json::from_str(given).unwrap());
        assert!(check(r#"{"fields":{"ok":"true"},"consent":true}"#).is_ok());
        for given in [
            r#"{"fields":{"ok":"true"}}"#,
            r#"{"fields":{"ok":"true"},"consent":false}"#,
        ] {
            assert!(
                check(given).unwrap_err().starts_with("consent: "),
                "{given}"
            );
        }
        let unchecked = check(r#"{"fields":{"ok":"false"},"consent":true}"#);
        assert!(
            unchecked
                .unwrap_err()
                .starts_with("fields.ok: it is required")
        );
    }
}
