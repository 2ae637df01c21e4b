//! Shortcuts of the first screen: to a question, a page, a call, a mail, or the form.

use serde::{Deserialize, Serialize};

use super::{
    FormSettings, Localized, at,
    limits::{is_mail, is_safe_url},
};

/// Most shortcuts.
const MAX_SHORTCUTS: usize = 6;

/// Longest label, in characters.
const MAX_LABEL: usize = 60;

/// Longest question, in characters.
const MAX_QUESTION: usize = 200;

/// Longest telephone number, in characters.
const MAX_NUMBER: usize = 40;

/// A button of the first screen. It names exactly one of `ask`, `url`, `tel`, `mail` and `form`. The last three are also
/// offered below an answer that does not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Shortcut {
    /// The words on the button, at most 60 characters; needed for `url`. Otherwise the question, "Call us", "Write us an
    /// e-mail" or the title of the form, in the visitor's language.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub label: Localized<String>,
    /// A question that is asked, 1 to 200 characters.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub ask: Localized<String>,
    /// A page that is opened: an https:// address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A telephone number that is called, such as "+33 1 23 45 67 89".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tel: Option<String>,
    /// A mail address that is written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Opens the bot's form, which then no longer opens by itself; not for a form that is required.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub form: bool,
}

pub(super) fn validate(shortcuts: &[Shortcut], form: Option<&FormSettings>) -> Result<(), String> {
    if shortcuts.len() > MAX_SHORTCUTS {
        return at("shortcuts", &format!("at most {MAX_SHORTCUTS} shortcuts."));
    }
    let mut numbered = shortcuts.iter().enumerate();
    numbered.try_for_each(|(n, shortcut)| shortcut.validate(&format!("shortcuts.{n}"), form))
}

impl Shortcut {
    fn validate(&self, path: &str, form: Option<&FormSettings>) -> Result<(), String> {
        let named = [
            !self.ask.is_empty(),
            self.url.is_some(),
            self.tel.is_some(),
            self.mail.is_some(),
            self.form,
        ];
        if named.into_iter().filter(|named| *named).count() != 1 {
            return at(path, "give exactly one of ask, url, tel, mail and form.");
        }
        if !self.label.is_empty() || self.url.is_some() {
            self.label.one(&format!("{path}.label"), MAX_LABEL)?;
        }
        if !self.ask.is_empty() {
            self.ask.one(&format!("{path}.ask"), MAX_QUESTION)?;
        }
        let fits = |text: &Option<String>, rule: fn(&str) -> bool| text.as_deref().is_none_or(rule);
        let wrong = if !fits(&self.url, is_safe_url) {
            "url: give an https:// address."
        } else if !fits(&self.tel, is_telephone) {
            "tel: give a telephone number such as +33 1 23 45 67 89."
        } else if !fits(&self.mail, is_linked_mail) {
            "mail: give a mail address such as hello@example.com."
        } else if self.form && form.is_none_or(|form| form.required) {
            "form: the bot needs a form that is not required."
        } else {
            return Ok(());
        };
        Err(format!("settings.{path}.{wrong}"))
    }
}

/// Digits with a plus sign, spaces and the usual marks between them; at least three digits.
fn is_telephone(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let fits = |c: char| c.is_ascii_digit() || " +-./()".contains(c);
    digits >= 3 && number.len() <= MAX_NUMBER && number.chars().all(fits)
}

/// An address without characters that have a meaning in a `mailto:` link.
fn is_linked_mail(address: &str) -> bool {
    is_mail(address) && !address.contains(['?', '&', '#', '%', '/', ':', '"', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str, form: Option<&FormSettings>) -> String {
        let shortcuts: Vec<Shortcut> = serde_json::from_str(json).unwrap();
        validate(&shortcuts, form).err().unwrap_or_default()
    }

    #[test]
    fn shortcuts_that_make_no_sense_are_named() {
        let full = r#"[{"ask":{"en":"When are you open?"}}, {"label":{"en":"Prices"},"url":"https://example.com/prices"},
            {"tel":"+33 (0)1 23-45.67/89"}, {"mail":"hello+bot@münchen.example"}]"#;
        assert_eq!(error(full, None), "");
        for (json, says) in [
            ("[{}]", "settings.shortcuts.0: give exactly one"),
            (
                r#"[{"tel":"112","mail":"a@b.c"}]"#,
                "settings.shortcuts.0: give exactly one",
            ),
            (
                r#"[{"url":"https://example.com"}]"#,
                "settings.shortcuts.0.label: 1 to 60",
            ),
            (
                r#"[{"label":{"en":"x"},"url":"http://example.com"}]"#,
                "settings.shortcuts.0.url: give",
            ),
            (
                r#"[{"label":{"en":"x"},"url":"javascript:alert(1)"}]"#,
                "settings.shortcuts.0.url: give",
            ),
            (
                r#"[{"tel":"112"},{"tel":"call me"}]"#,
                "settings.shortcuts.1.tel: give",
            ),
            (r#"[{"tel":"12"}]"#, "settings.shortcuts.0.tel: give"),
            (r#"[{"mail":"a"}]"#, "settings.shortcuts.0.mail: give"),
            (r#"[{"mail":"a@b@c"}]"#, "settings.shortcuts.0.mail: give"),
            (
                r#"[{"mail":"a@b.c?bcc=d@e.f"}]"#,
                "settings.shortcuts.0.mail: give",
            ),
            (
                r#"[{"mail":"a@b.c","label":{"en":" "}}]"#,
                "settings.shortcuts.0.label: 1 to 60",
            ),
            (
                r#"[{"form":true}]"#,
                "settings.shortcuts.0.form: the bot needs a form",
            ),
        ] {
            assert!(
                error(json, None).starts_with(says),
                "{json}: {}",
                error(json, None)
            );
        }
        let many = [r#"{"tel":"112"}"#; MAX_SHORTCUTS + 1].join(",");
        assert!(error(&format!("[{many}]"), None).starts_with("settings.shortcuts: at most 6"));
    }

    #[test]
    fn a_shortcut_opens_a_form_that_is_not_required() {
        let json = r#"[{"form":true}]"#;
        let mut form = FormSettings::default();
        assert_eq!(error(json, Some(&form)), "");
        form.required = true;
        assert!(error(json, Some(&form)).contains("not required"));
    }
}
