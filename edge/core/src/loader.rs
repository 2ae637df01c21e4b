//! The script of a site: the bundled loader with the site's settings written into it.
//!
//! The bundle is compressed by `cargo xtask build`, once with the texts of each locale; the other settings are appended
//! uncompressed, as stored blocks. So the script has the best compression, and a request costs no processor time for
//! it. This module is in the core and not in the Worker because xtask compresses the same bytes that the Worker appends
//! to, and xtask cannot depend on the Worker.

use bulle_api::settings::{BotSettings, Launcher, Position, Scheme, Size};
use bulle_protocol::{
    loader::{LoaderSettings, LoaderTexts},
    strings::Strings,
};
use std::collections::BTreeMap;

use crate::{model::Site, strings};

/// The placeholder of the settings, which occurs once in the bundle.
pub const PLACEHOLDER: &str = "__BULLE_CONFIG__";

/// The name of the text for the button that dismisses a note.
const DISMISS: &str = "dismiss";

/// Languages that are written from right to left.
const FROM_THE_RIGHT: [&str; 4] = ["ar", "fa", "he", "ur"];

/// Longest stored block of brotli that this writes: 2^16 bytes, the most that four nibbles can count.
const MAX_STORED: usize = 1 << 16;

/// The settings of a site for a visitor who accepts these languages, the most wanted first. `edge` is the
/// origin of the edge.
pub fn config(site: &Site, edge: String, languages: &[&str]) -> LoaderSettings {
    let bot = &site.bot;
    let wishes: Vec<&str> = languages
        .iter()
        .copied()
        .chain([bot.locale.as_str()])
        .collect();
    let locale = strings::negotiate(&wishes);
    // Most sites have no notes, so their scripts hold no text for them.
    let dismiss = match bot.proactive.is_empty() {
        true => None,
        false => strings::sheets(bot, locale)
            .remove(DISMISS)
            .or_else(|| strings::texts(locale).panel.remove(DISMISS)),
    };
    let rules = bot.proactive.iter();
    LoaderSettings {
        edge,
        site: site.key.clone(),
        name: bot.name.clone(),
        look: look(bot, locale),
        rules: rules
            .map(|rule| rule.localized(locale, &bot.locale))
            .collect(),
        dismiss: dismiss.unwrap_or_default(),
        ..said(locale, strings::bubble(bot, locale))
    }
}

/// The settings of a bot with these texts, without those of the site.
pub fn said(locale: &str, texts: Strings) -> LoaderSettings {
    LoaderSettings {
        locale: locale.to_owned(),
        texts: LoaderTexts {
            dir: direction(locale).to_owned(),
            open: texts.open,
            close: texts.close,
            placeholder: texts.placeholder,
            send: texts.send,
            unavailable: texts.unavailable,
            retry: texts.retry,
        },
        ..LoaderSettings::default()
    }
}

/// The settings that differ from their defaults.
fn look(bot: &BotSettings, locale: &str) -> BTreeMap<String, String> {
    let theme = &bot.theme;
    let label = match &theme.launcher {
        Launcher::Icon => None,
        Launcher::Label(label) => label.get(locale, &bot.locale).map(String::as_str),
    };
    let scheme = match theme.scheme {
        Scheme::Auto => None,
        Scheme::Light => Some("light"),
        Scheme::Dark => Some("dark"),
    };
    let size = match theme.size {
        Size::Compact => Some("compact"),
        Size::Regular => None,
        Size::Large => Some("large"),
    };
    let named = [
        ("label", label),
        ("scheme", scheme),
        ("size", size),
        (
            "position",
            (theme.position == Position::Left).then_some("left"),
        ),
        // For browsers that cannot compute the contrast colour themselves: snippet/src/shell.css.
        (
            "on",
            Some(on_accent(&theme.accent)).filter(|on| *on == "#000"),
        ),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    theme.style().into_iter().chain(named).collect()
}

/// `ltr` or `rtl`, for a locale that is served.
pub fn direction(locale: &str) -> &'static str {
    if FROM_THE_RIGHT.contains(&locale) {
        "rtl"
    } else {
        "ltr"
    }
}

/// Black or white, whichever has more contrast on this colour `#rrggbb`.
pub fn on_accent(colour: &str) -> &'static str {
    if is_bright(colour) { "#000" } else { "#fff" }
}

/// Whether black has more contrast than white on a colour `#rrggbb`: its relative luminance as WCAG 2.2 defines it.
fn is_bright(colour: &str) -> bool {
    let linear = |at: usize| {
        let hex = colour.get(at..at + 2).unwrap_or_default();
        let value = f64::from(u8::from_str_radix(hex, 16).unwrap_or_default()) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5) > 0.179
}

/// The script: the bundle with the settings as an expression of JavaScript. `None` when the bundle has no place for them.
pub fn script(bundle: &str, settings: &LoaderSettings) -> Option<String> {
    let (before, after) = bundle.split_once(PLACEHOLDER)?;
    let json = serde_json::to_string(settings).ok()?;
    // JSON is an expression of JavaScript, except that U+2028 and U+2029 end a line in old engines.
    let json = json
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    Some(format!("{before}{json}{after}"))
}

/// The common beginnings of scripts: one for each locale, with the texts that [`strings::negotiate`] gives. They serve
/// bots without texts of their own.
pub fn head(bundle: &str, locale: Option<&str>) -> String {
    let before = bundle
        .split_once(PLACEHOLDER)
        .map_or(bundle, |(before, _)| before);
    let texts = locale.and_then(|locale| {
        let settings = said(locale, strings::texts(locale).bubble);
        let json = serde_json::to_string(&settings).ok()?;
        // Of the site's own part, three texts are empty and the look is the default.
        Some(json.strip_suffix(r#""","","",{}]"#)?.to_owned())
    });
    before.to_owned() + &texts.unwrap_or_default()
}

/// A brotli stream (RFC 7932): `head`, a stream that was flushed but not ended, then `rest` in stored blocks, then
/// the end.
pub fn stitch(head: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut out = head.to_vec();
    for piece in rest.chunks(MAX_STORED) {
        // Section 9.2, from the lowest bit: ISLAST 0, MNIBBLES 00 (four), MLEN - 1 in 16 bits, ISUNCOMPRESSED 1.
        let length = u32::try_from(piece.len() - 1).unwrap_or_default();
        let header = (length << 3) | (1 << 19);
        out.extend(header.to_le_bytes().iter().take(3));
        out.extend(piece);
    }
    // ISLAST 1, ISLASTEMPTY 1.
    out.push(3);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::{Localized, ProactiveRule, Theme},
        testing::site,
    };
    use std::io::{Read, Write};

    /// A flushed stream, as `cargo xtask build` makes it.
    fn flushed(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 11, 22);
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.flush().unwrap();
        let written = encoder.get_ref().len();
        drop(encoder);
        out.truncate(written);
        out
    }

    fn unpacked(stream: &[u8]) -> String {
        let mut text = String::new();
        brotli::Decompressor::new(stream, 4096)
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn stitched_streams_unpack_to_the_whole() {
        let head = "const bubble = () => {};\n".repeat(40);
        for rest in ["", "x", &"é".repeat(10), &"0123456789".repeat(20_000)] {
            let stream = stitch(&flushed(&head), rest.as_bytes());
            assert_eq!(
                unpacked(&stream),
                format!("{head}{rest}"),
                "{} bytes",
                rest.len()
            );
        }
    }

    #[test]
    fn every_script_begins_as_those_of_its_locale() {
        let bundle = format!("run({PLACEHOLDER});");
        let mut site = site();
        for locale in strings::locales() {
            let settings = config(&site, "https://edge.test".into(), &[locale]);
            let script = script(&bundle, &settings).unwrap();
            let head = head(&bundle, Some(locale));
            let rest = script.strip_prefix(&head).unwrap();
            assert!(rest.starts_with("\"https://edge.test\",\""), "{rest}");
            assert!(
                head.starts_with(&format!("run([\"{locale}\",{{\"dir\":\"")),
                "{head}"
            );
        }
        site.bot.texts.0 = [("en".to_owned(), [("open".into(), "Ask".into())].into())].into();
        let own = config(&site, String::new(), &["en"]);
        let own = script(&bundle, &own).unwrap();
        assert!(own.starts_with(&head(&bundle, None)));
        assert!(!own.starts_with(&head(&bundle, Some("en"))));
    }

    #[test]
    fn the_settings_stand_where_the_bundle_wants_them() {
        let mut site = site();
        site.bot.name = "</script>\u{2028}\"".into();
        let config = config(&site, "https://edge.test".into(), &["en-GB"]);
        assert_eq!(
            (config.locale.as_str(), config.texts.open.as_str()),
            ("en", "Open the chat")
        );
        let fr = |text: &str| Localized([("fr".to_owned(), text.to_owned())].into());
        site.bot.theme.launcher = Launcher::Label(fr("Une question ?"));
        site.bot.texts.0 = [("fr".to_owned(), [("open".into(), "Demander".into())].into())].into();
        site.bot.proactive = vec![ProactiveRule {
            text: fr("Besoin d’aide ?"),
            delay_s: Some(20),
            ..ProactiveRule::default()
        }];
        let french = super::config(&site, "https://edge.test".into(), &["fr"]);
        assert_eq!(
            (
                french.texts.open.as_str(),
                french.look.get("label").map(String::as_str)
            ),
            ("Demander", Some("Une question ?"))
        );
        let first = french.rules.first().map(|rule| rule.text.as_str());
        assert_eq!(first, Some("Besoin d’aide ?"));
        let bundle = format!("run({PLACEHOLDER});");
        let script = script(&bundle, &config).unwrap();
        assert!(
            script.ends_with("}]);") && script.contains("</script>\\u2028\\\""),
            "{script}"
        );
        let noted = super::script(&bundle, &french).unwrap();
        let notes = r#"},[{"text":"Besoin d’aide ?","delay_s":20}],"Fermer"]);"#;
        assert!(noted.ends_with(notes), "{noted}");
        assert!(super::script("no place", &config).is_none());
    }

    #[test]
    fn the_look_says_only_what_is_not_as_it_is_by_itself() {
        let mut bot = site().bot;
        bot.theme = Theme::default();
        let told =
            |bot: &BotSettings, locale: &str| serde_json::to_string(&look(bot, locale)).unwrap();
        assert_eq!(told(&bot, "en"), r##"{"accent":"#4f46e5"}"##);
        bot.theme.accent = "#ffcc00".into();
        bot.theme.scheme = Scheme::Dark;
        bot.theme.position = Position::Left;
        bot.theme.size = Size::Large;
        assert_eq!(
            told(&bot, "ar"),
            r##"{"accent":"#ffcc00","on":"#000","position":"left","scheme":"dark","size":"large"}"##
        );
    }

    #[test]
    fn black_or_white_is_legible_on_every_accent() {
        let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        for r in (0..=255).step_by(5) {
            for g in (0..=255).step_by(3) {
                for b in (0..=255).step_by(5) {
                    let luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
                    let accent = format!("#{r:02x}{g:02x}{b:02x}");
                    let on = if is_bright(&accent) { 0.0 } else { 1.0 };
                    assert!(contrast(luminance, on) >= 4.5, "{accent}");
                }
            }
        }
    }
}
