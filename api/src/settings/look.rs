//! The look of the bubble, its texts and its features.

use serde::{Deserialize, Deserializer, Serialize, de};
use std::{collections::BTreeMap, ops::RangeInclusive};

use super::{Localized, at, limits};
use bulle_protocol::strings::{SHEETS, Strings};

/// Longest text of the interface that an owner may set, in characters.
const MAX_TEXT: usize = 300;

/// Longest label of the launcher, in characters.
const MAX_LABEL: usize = 40;

/// Largest radius, in pixels.
const MAX_RADIUS: u32 = 40;

/// Largest distance from an edge of the window, in pixels.
const MAX_OFFSET: u32 = 400;

/// Sides of the panel, in pixels.
const PANEL: RangeInclusive<u32> = 280..=1200;

/// Sides of the launcher, in pixels; a smaller one could not be hit with a finger.
const LAUNCHER: RangeInclusive<u32> = 44..=120;

/// Largest `z-index` that browsers know.
const MAX_Z_INDEX: u32 = 2_147_483_647;

/// Look of the bubble; inlined in the loader, so that the launcher needs no request. Fields that are left out take
/// Bulle's defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Theme {
    /// Brand colour as `#rrggbb`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(deserialize_with = "colour")]
    pub accent: String,
    /// Light, dark, or what the visitor's system says.
    pub scheme: Scheme,
    /// Corner of the window.
    pub position: Position,
    /// Size of the panel.
    pub size: Size,
    /// Roundness of the corners, 0 to 40 pixels.
    #[cfg_attr(feature = "openapi", schema(maximum = 40))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<u32>,
    /// Distance from the side of the window, 0 to 400 pixels.
    #[cfg_attr(feature = "openapi", schema(maximum = 400))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_x: Option<u32>,
    /// Distance from the bottom of the window, 0 to 400 pixels.
    #[cfg_attr(feature = "openapi", schema(maximum = 400))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_y: Option<u32>,
    /// Stacking order of the bubble on the page (CSS `z-index`), 0 to 2147483647.
    #[cfg_attr(feature = "openapi", schema(maximum = 2_147_483_647))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z_index: Option<u32>,
    /// Width of the panel in a large window, 280 to 1200 pixels.
    #[cfg_attr(feature = "openapi", schema(minimum = 280, maximum = 1200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of the panel in a large window, 280 to 1200 pixels.
    #[cfg_attr(feature = "openapi", schema(minimum = 280, maximum = 1200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Height of the launcher, and its width without a label, 44 to 120 pixels.
    #[cfg_attr(feature = "openapi", schema(minimum = 44, maximum = 120))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launcher_size: Option<u32>,
    /// Text and icons on the accent; by default black or white, whichever has more contrast.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(
        deserialize_with = "colour_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub on_accent: Option<String>,
    /// Font of the bubble.
    pub font: Font,
    /// Colours of the light scheme.
    #[serde(skip_serializing_if = "Colours::is_empty")]
    pub light: Colours,
    /// Colours of the dark scheme.
    #[serde(skip_serializing_if = "Colours::is_empty")]
    pub dark: Colours,
    /// An opaque picture in place of the letter in the header: an https:// address. It is fetched when the bubble is opened
    /// or about to be, and the page's policy must allow it (`img-src`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// The button that opens the bubble.
    pub launcher: Launcher,
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            accent: "#4f46e5".to_owned(),
            scheme: Scheme::Auto,
            position: Position::Right,
            size: Size::Regular,
            radius: None,
            offset_x: None,
            offset_y: None,
            z_index: None,
            width: None,
            height: None,
            launcher_size: None,
            on_accent: None,
            font: Font::System,
            light: Colours::default(),
            dark: Colours::default(),
            avatar: None,
            launcher: Launcher::Icon,
        }
    }
}

/// Colour scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Follow `prefers-color-scheme`.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// Corner of the window that the launcher sits in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Bottom right.
    #[default]
    Right,
    /// Bottom left.
    Left,
}

/// Size of the panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// A small panel.
    Compact,
    /// The default size.
    #[default]
    Regular,
    /// A large panel.
    Large,
}

/// Font of the bubble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Font {
    /// The font of the visitor's system.
    #[default]
    System,
    /// The font of the page.
    Inherit,
}

/// What opens the bubble: `"icon"`, or `{"label": {"en": "Ask us"}}` for an icon and words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Launcher {
    /// A round button.
    #[default]
    Icon,
    /// A button with these words, at most 40 characters.
    Label(Localized<String>),
}

/// Colours of one scheme as `#rrggbb`; each may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Colours {
    /// Background of the panel.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(
        deserialize_with = "colour_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub background: Option<String>,
    /// Background of messages and of secondary buttons.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(
        deserialize_with = "colour_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub soft: Option<String>,
    /// Borders.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(
        deserialize_with = "colour_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub line: Option<String>,
    /// Text.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(
        deserialize_with = "colour_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub text: Option<String>,
    /// Secondary text.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(
        deserialize_with = "colour_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub muted: Option<String>,
    /// Errors, and buttons whose effect cannot be undone.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(
        deserialize_with = "colour_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub danger: Option<String>,
}

impl Colours {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn colour<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(String::deserialize(deserializer)?)
}

fn colour_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(checked).transpose()
}

fn checked<E: de::Error>(text: String) -> Result<String, E> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text);
    }
    Err(E::custom(format!(
        "`{text}` is no colour: write it as #rrggbb"
    )))
}

/// An address as a value of CSS. What could end its string is percent-encoded.
fn css_url(address: &str) -> String {
    let address = address.replace('"', "%22").replace('\\', "%5C");
    format!("url(\"{address}\")")
}

impl Theme {
    pub(super) fn validate(&self) -> Result<(), String> {
        for (name, value, range, unit) in [
            ("radius", self.radius, 0..=MAX_RADIUS, " pixels"),
            ("offset_x", self.offset_x, 0..=MAX_OFFSET, " pixels"),
            ("offset_y", self.offset_y, 0..=MAX_OFFSET, " pixels"),
            ("width", self.width, PANEL, " pixels"),
            ("height", self.height, PANEL, " pixels"),
            ("launcher_size", self.launcher_size, LAUNCHER, " pixels"),
            ("z_index", self.z_index, 0..=MAX_Z_INDEX, ""),
        ] {
            if value.is_some_and(|value| !range.contains(&value)) {
                let (least, most) = (range.start(), range.end());
                let limits = format!("{least} to {most}{unit}.");
                return at(&format!("theme.{name}"), &limits);
            }
        }
        if !self.avatar.as_deref().is_none_or(limits::is_safe_url) {
            return at("theme.avatar", "give an https:// address.");
        }
        if let Launcher::Label(label) = &self.launcher {
            label.one("theme.launcher.label", MAX_LABEL)?;
        }
        Ok(())
    }

    /// The custom properties of the bubble that differ from their defaults, without their dashes. The accent is always
    /// among them.
    pub fn style(&self) -> BTreeMap<String, String> {
        let px = |value: u32| format!("{value}px");
        let mut style: BTreeMap<String, String> = [("accent", Some(self.accent.clone()))]
            .into_iter()
            .chain([
                ("radius", self.radius.map(px)),
                ("side", self.offset_x.map(px)),
                ("bottom", self.offset_y.map(px)),
                ("width", self.width.map(px)),
                ("height", self.height.map(px)),
                ("launcher", self.launcher_size.map(px)),
                ("on-accent", self.on_accent.clone()),
                ("z", self.z_index.map(|z| z.to_string())),
                ("avatar", self.avatar.as_deref().map(css_url)),
                (
                    "font",
                    (self.font == Font::Inherit).then(|| "inherit".to_owned()),
                ),
            ])
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        for (prefix, colours) in [("", &self.light), ("dark-", &self.dark)] {
            for (name, value) in [
                ("bg", &colours.background),
                ("soft", &colours.soft),
                ("line", &colours.line),
                ("text", &colours.text),
                ("muted", &colours.muted),
                ("danger", &colours.danger),
            ] {
                if let Some(value) = value {
                    style.insert(format!("{prefix}{name}"), value.clone());
                }
            }
        }
        style
    }
}

/// Texts of the interface that the owner has replaced, by name.
pub type Texts = Localized<BTreeMap<String, String>>;

pub(super) fn validate_texts(texts: &Texts) -> Result<(), String> {
    let known = Strings::default();
    let known = known.entries().into_iter().map(|(name, _)| name);
    let known: Vec<&str> = known.chain(SHEETS).collect();
    for (locale, texts) in &texts.0 {
        for (name, text) in texts {
            let path = format!("texts.{locale}.{name}");
            if !known.contains(&name.as_str()) {
                let names = known.join(", ");
                return at(&path, &format!("there is no such text. Texts are {names}."));
            }
            if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
                return at(&path, &format!("1 to {MAX_TEXT} characters."));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::BotSettings;

    fn error(json: &str) -> String {
        match serde_json::from_str::<BotSettings>(json) {
            Ok(bot) => bot.validate().err().unwrap_or_default(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_look_that_makes_sense_is_taken_and_written() {
        let json = r##"{"name":"x","theme":{"accent":"#b45309","radius":40,"offset_x":0,"offset_y":400,
            "width":280,"height":1200,"launcher_size":44,"on_accent":"#fffbeb","z_index":2147483647,"size":"large","font":"inherit","light":{"background":"#ffffff"},
            "dark":{"text":"#eeeeee","danger":"#ff8888","line":null},"launcher":{"label":{"en":"Ask us"}}},
            "texts":{"en":{"send":"Go"}},"features":{"attachments":true}}"##;
        assert_eq!(error(json), "");
        let bot: BotSettings = serde_json::from_str(json).unwrap();
        let style: Vec<_> = bot.theme.style().into_iter().collect();
        let style: Vec<_> = style.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        assert_eq!(
            style.join("; "),
            "accent: #b45309; bg: #ffffff; bottom: 400px; dark-danger: #ff8888; dark-text: #eeeeee; font: inherit; \
             height: 1200px; launcher: 44px; on-accent: #fffbeb; radius: 40px; side: 0px; width: 280px; z: 2147483647"
        );
        assert!(bot.features.attachments && bot.features.feedback && !bot.features.sound);
        let again = serde_json::to_string(&bot).unwrap();
        assert_eq!(serde_json::from_str::<BotSettings>(&again).unwrap(), bot);
        assert_eq!(Theme::default().style().len(), 1);
    }

    #[test]
    fn the_address_of_the_avatar_stays_one_value() {
        let theme = Theme {
            avatar: Some(r#"https://example.com/a.jpg?");color:red;(\"#.into()),
            ..Theme::default()
        };
        assert_eq!(
            theme.style()["avatar"],
            r#"url("https://example.com/a.jpg?%22);color:red;(%5C")"#
        );
    }

    #[test]
    fn a_look_that_makes_no_sense_is_named() {
        let long = "é".repeat(MAX_TEXT + 1);
        for (json, says) in [
            (
                r#""theme":{"radius":41}"#,
                "settings.theme.radius: 0 to 40 pixels.",
            ),
            (r#""theme":{"radius":-1}"#, "invalid value"),
            (
                r#""theme":{"offset_x":401}"#,
                "settings.theme.offset_x: 0 to 400",
            ),
            (
                r#""theme":{"z_index":2147483648}"#,
                "settings.theme.z_index: 0 to 2147483647.",
            ),
            (
                r#""theme":{"width":279}"#,
                "settings.theme.width: 280 to 1200 pixels.",
            ),
            (
                r#""theme":{"launcher_size":121}"#,
                "settings.theme.launcher_size: 44 to 120 pixels.",
            ),
            (
                r##""theme":{"light":{"text":"#fff"}}"##,
                "`#fff` is no colour",
            ),
            (
                r#""theme":{"dark":{"backgruond":"x"}}"#,
                "unknown field `backgruond`",
            ),
            (
                r#""theme":{"avatar":"http://example.com/a.jpg"}"#,
                "settings.theme.avatar: give an https:// address.",
            ),
            (r#""theme":{"size":"huge"}"#, "unknown variant `huge`"),
            (
                r#""theme":{"launcher":{"label":{}}}"#,
                "settings.theme.launcher.label: 1 to 40",
            ),
            (
                r#""theme":{"launcher":{"label":{"en":" "}}}"#,
                "settings.theme.launcher.label: 1 to 40",
            ),
            (
                r#""texts":{"fr":{"sned":"Go"}}"#,
                "settings.texts.fr.sned: there is no such text. Texts are open, close,",
            ),
            (
                &format!(r#""texts":{{"fr":{{"send":"{long}"}}}}"#),
                "settings.texts.fr.send: 1 to 300",
            ),
            (r#""features":{"telepathy":true}"#, "unknown field"),
        ] {
            let json = format!(r#"{{"name":"x",{json}}}"#);
            assert!(error(&json).starts_with(says), "{says}: {}", error(&json));
        }
    }
}
