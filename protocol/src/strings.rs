//! Interface texts of the bubble, chosen by the edge for the visitor's locale.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;

macro_rules! strings {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Every text of the bubble that is not the bot's own. `{name}`, `{time}` and the like are placeholders. A plural
        /// text is `one=…|other=…`, with the categories that `Intl.PluralRules` has for the language; the last is `other`.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct Strings {
            $($(#[$doc])* pub $name: String,)*
        }

        impl Strings {
            /// Field names and values, for tests of every text.
            pub fn entries(&self) -> Vec<(&'static str, &str)> {
                vec![$((stringify!($name), self.$name.as_str())),*]
            }

            /// Field names with their places, for a parser that fills the fields in.
            pub fn entries_mut(&mut self) -> Vec<(&'static str, &mut String)> {
                vec![$((stringify!($name), &mut self.$name)),*]
            }
        }
    };
}

strings! {
    /// Accessible name of the launcher.
    open,
    /// Accessible name of the close button.
    close,
    /// Placeholder and accessible name of the text field; `{name}` is the bot.
    placeholder,
    /// Accessible name of the send button.
    send,
    /// Accessible name of the stop button.
    stop,
    /// Accessible name of the message list.
    messages,
    /// Shown and announced while the bot thinks; `{name}` is the bot.
    typing,
    /// Said before a visitor's message to screen readers.
    you,
    /// Title of the list of sources.
    sources,
    /// Accessible name of a citation; `{n}` is its number, `{title}` the source.
    cite,
    /// Copies an answer.
    copy,
    /// Shown for a moment after copying.
    copied,
    /// Tries again.
    retry,
    /// Starts a new conversation.
    new_conversation,
    /// While the code or the session loads.
    loading,
    /// The connection was lost and is being restored.
    reconnecting,
    /// The browser is offline; messages wait.
    offline,
    /// The session could not be opened.
    unavailable,
    /// The answer was stopped by the visitor.
    stopped,
    /// The answer reached the model's limit.
    truncated,
    /// The answer could not be stored.
    not_kept,
    /// Earlier messages could not be loaded.
    history_unavailable,
    /// The message is too long; `{max}` characters.
    too_long,
    /// Too many messages; `{time}` to wait, such as "45 s".
    rate_limited,
    /// The messages of the day are used up; `{time}` to wait, such as "3 h 20 min".
    quota_exceeded,
    /// A small line when few messages of the day are left; `{n}` of them, perhaps none.
    left_today,
    /// The owner has paused the chat.
    paused,
    /// The chat is for known visitors only.
    identity_required,
    /// The visitor's signed identity was not accepted.
    identity_invalid,
    /// The visitor's signed identity has expired.
    identity_expired,
    /// The chat is not meant for this page, or does not exist.
    not_here,
    /// Asks to confirm being human, above a check.
    challenge,
    /// The check was not accepted.
    challenge_failed,
    /// The model cannot be reached.
    upstream_unavailable,
    /// The model was silent for too long.
    upstream_timeout,
    /// The answer broke off.
    upstream_interrupted,
    /// Any other failure.
    failed,
    /// Under a message that has not been sent yet.
    waiting,
    /// Under a message that will not be sent by itself.
    not_sent,
    /// Links that open a new window.
    new_window,
    /// The small line under the composer.
    disclaimer,
    /// Above the greeting: that a program answers. Empty when the owner has switched it off.
    disclosure,
    /// The link to what the owner says about the visitors' data.
    privacy,
    /// On the button that leads to the newest message, while that is out of sight.
    newest,
    /// Loads older messages.
    earlier,
    /// Accessible name of a code block's copy button.
    copy_code,
    /// Accessible name of the button that opens the menu.
    menu,
    /// Accessible name of the button that calls an answer good.
    good,
    /// Accessible name of the button that calls an answer bad.
    bad,
    /// Title of the list of what the bot knows about.
    topics,
    /// How many answers have come since the panel was closed: a plural text, `{n}` of them.
    unread,
    /// Shows an image that is not loaded by itself; `{alt}` says what is on it.
    image,
}

// Read and written by name, because derived implementations for so many fields are tens of kilobytes.
impl Serialize for Strings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries())
    }
}

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut given = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut strings = Self::default();
        for (name, text) in strings.entries_mut() {
            *text = (given.remove(name)).ok_or_else(|| de::Error::missing_field(name))?;
        }
        match given.into_keys().next() {
            Some(name) => Err(de::Error::custom(format!("there is no text `{name}`"))),
            None => Ok(strings),
        }
    }
}

/// Names of the texts of the features that are loaded on first use.
pub const SHEETS: [&str; 42] = [
    "back",
    "conversations",
    "conversations_empty",
    "untitled",
    "rename",
    "title_label",
    "save",
    "cancel",
    "delete",
    "delete_ask",
    "deleted",
    "export",
    "erase",
    "erase_ask",
    "erase_yes",
    "erased",
    "not_done",
    "sound_on",
    "sound_off",
    "print",
    "form_required",
    "form_email",
    "form_tel",
    "form_consent",
    "form_failed",
    "form_sent",
    "attach",
    "attach_remove",
    "attach_sending",
    "attach_too_large",
    "attach_kind",
    "attach_failed",
    "attach_many",
    "dictate",
    "dictate_stop",
    "dictate_denied",
    "dictate_unavailable",
    "why",
    "why_good",
    "thanks",
    "dismiss",
    "full_page",
];

/// Texts of the sheets that few visitors open, which are loaded with those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SheetStrings {
    /// The locale of the texts: the served one that is nearest to what was asked for.
    pub locale: String,
    /// Texts by name. `{name}` and the like are placeholders.
    pub strings: BTreeMap<String, String>,
}

/// A waiting time in readable units, rounded up, for the placeholder `{time}`. The unit symbols are the same in every
/// language. The bubble finds this text in a problem's `message` and counts it down.
pub fn duration(seconds: u64) -> String {
    match (seconds, seconds.div_ceil(60)) {
        (0..=120, _) => format!("{seconds} s"),
        (_, minutes @ 0..60) => format!("{minutes} min"),
        (_, minutes) if minutes % 60 == 0 => format!("{} h", minutes / 60),
        (_, minutes) => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_waits_are_told_in_larger_units_rounded_up() {
        for (seconds, told) in [
            (0, "0 s"),
            (1, "1 s"),
            (120, "120 s"),
            (121, "3 min"),
            (3540, "59 min"),
            (3541, "1 h"),
            (3600, "1 h"),
            (3601, "1 h 1 min"),
            (12_000, "3 h 20 min"),
            (86_400, "24 h"),
        ] {
            assert_eq!(duration(seconds), told);
        }
    }
}
