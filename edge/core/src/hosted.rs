//! A bot's hosted page, `/c/{site}`: it fills the window, can be installed, and is framed by a site's page whose policy
//! does not allow the bubble's WebAssembly.

use base64::{Engine, prelude::BASE64_STANDARD};
use bulle_protocol::problem::Code;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{guard::origin, loader, model::Site, settings::BotSettings, strings};

/// The style of the page: it fills the window, and prints in its whole length.
const STYLE: &str = "html{color-scheme:light dark}body{margin:0;font:16px/1.5 system-ui,sans-serif}\
bulle-chat{height:100vh;height:100dvh;--bulle-radius:0}h1{position:absolute;width:1px;height:1px;margin:0;\
overflow:hidden;clip-path:inset(50%)}p{max-width:34em;margin:20vh auto;padding:0 20px;text-align:center}\
@media print{bulle-chat{height:auto}}";

/// A page and its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedPage {
    /// The document.
    pub html: String,
    /// `Content-Security-Policy`.
    pub policy: String,
}

/// The page of a site for a visitor who accepts these languages, the most wanted first. `framed` when a page of the site
/// shows it in a frame.
pub fn page(site: &Site, languages: &[&str], framed: bool) -> HostedPage {
    let (config, bot) = (loader::config(site, String::new(), languages), &site.bot);
    let key = escaped(&site.key);
    let own = if framed { " data-framed" } else { "" };
    let html = document(
        &config.locale,
        &config.texts.dir,
        &format!(
            "<title>{name}</title>\
             <meta name=\"description\" content=\"{tagline}\">\
             <meta name=\"theme-color\" content=\"{accent}\">\
             <link rel=\"manifest\" href=\"/c/{key}/manifest.webmanifest\">\
             <link rel=\"icon\" href=\"/c/{key}/icon.svg\" type=\"image/svg+xml\">\
             <link rel=\"apple-touch-icon\" href=\"/c/{key}/icon.svg\">",
            name = escaped(&bot.name),
            tagline = escaped(tagline(site, &config.locale)),
            accent = escaped(&bot.theme.accent),
        ),
        &format!(
            "<main><h1>{}</h1><bulle-chat site=\"{key}\" data-locale=\"{}\"{own}></bulle-chat></main>\
             <noscript><p>{}</p></noscript>",
            escaped(&bot.name),
            escaped(&config.locale),
            escaped(&config.texts.unavailable),
        ),
    );
    let ancestors = match framed {
        true => origin::frame_ancestors(site),
        false => "frame-ancestors 'none'".to_owned(),
    };
    HostedPage {
        html,
        policy: policy(&ancestors, bot.access.turnstile.is_some()),
    }
}

/// The page shown when the site does not exist or is paused. `site` is its key, when it exists.
pub fn absence(site: Option<&Site>, code: Code, languages: &[&str], framed: bool) -> HostedPage {
    let nobody = BotSettings::default();
    let bot = site.map_or(&nobody, |site| &site.bot);
    let locale = strings::negotiate(languages);
    let text = strings::refusal(bot, locale, code, None).unwrap_or_default();
    let title = if bot.name.is_empty() {
        "Bulle"
    } else {
        &bot.name
    };
    let ancestors = match site {
        Some(site) if framed => origin::frame_ancestors(site),
        _ => "frame-ancestors 'none'".to_owned(),
    };
    HostedPage {
        html: document(
            locale,
            loader::direction(locale),
            &format!("<title>{}</title>", escaped(title)),
            &format!("<main><p>{}</p></main>", escaped(&text)),
        ),
        policy: policy(&ancestors, false),
    }
}

fn document(locale: &str, dir: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{locale}\" dir=\"{dir}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1,viewport-fit=cover\">\
         <meta name=\"robots\" content=\"noindex\">{head}<style>{STYLE}</style>\
         <script type=\"module\" src=\"/hosted.js\"></script></head><body>{body}</body></html>"
    )
}

/// The line under the bot's name; may be empty.
fn tagline<'a>(site: &'a Site, locale: &str) -> &'a str {
    let tagline = site.bot.tagline.get(locale, &site.bot.locale);
    tagline.map_or("", String::as_str)
}

/// Turnstile's script and frame come from Cloudflare, and do not work under Trusted Types.
fn policy(ancestors: &str, turnstile: bool) -> String {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let (script, rest) = match turnstile {
        true => (
            " https://challenges.cloudflare.com",
            "frame-src https://challenges.cloudflare.com",
        ),
        false => (
            "",
            "require-trusted-types-for 'script'; trusted-types 'none'",
        ),
    };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{script}; connect-src 'self'; \
         style-src 'sha256-{style}'; img-src 'self' https:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         {ancestors}; {rest}"
    )
}

/// The web app manifest, which makes the page installable: <https://www.w3.org/TR/appmanifest/>.
pub fn manifest(site: &Site, languages: &[&str]) -> String {
    let config = loader::config(site, String::new(), languages);
    let at = format!("/c/{}", site.key);
    json!({
        "id": at,
        "start_url": at,
        "scope": at,
        "name": site.bot.name,
        "short_name": site.bot.name.chars().take(12).collect::<String>().trim_end(),
        "description": tagline(site, &config.locale),
        "lang": config.locale,
        "dir": loader::direction(&config.locale),
        "display": "standalone",
        "theme_color": site.bot.theme.accent,
        "background_color": "#ffffff",
        "icons": [
            { "src": format!("{at}/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any" },
            { "src": format!("{at}/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "maskable" },
        ],
    })
    .to_string()
}

/// The launcher as an icon, drawn within the safe zone: the circle that masks leave visible.
pub fn icon(site: &Site) -> String {
    let accent = escaped(&site.bot.theme.accent);
    let on = loader::on_accent(&site.bot.theme.accent);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 512 512\"><path fill=\"{accent}\" d=\"M0 0h512v512H0z\"/>\
         <path fill=\"{on}\" transform=\"translate(112 118) scale(12)\" d=\"M12 3c12 0 12 14 0 14l-6 4v-5C0 14 0 3 12 3\"/></svg>"
    )
}

/// Text as a part of HTML or XML, also in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::site;

    #[test]
    fn owners_words_are_text() {
        let mut site = site();
        site.bot.name = "</title><script>alert(1)</script>".into();
        site.bot.tagline.0 = [("en".to_owned(), "\"><b>'".to_owned())].into();
        let page = page(&site, &["en"], false);
        assert!(!page.html.contains("alert(1)</script>"), "{}", page.html);
        assert!(page.html.contains("content=\"&quot;&gt;&lt;b&gt;&#39;\""));
        assert!(page.html.contains("name=\"robots\" content=\"noindex\""));
    }

    #[test]
    fn only_the_sites_pages_may_frame_and_only_what_is_made_for_it() {
        let site = site();
        let alone = page(&site, &["fr"], false).policy;
        assert!(alone.contains("frame-ancestors 'none'"), "{alone}");
        let framed = page(&site, &["fr"], true).policy;
        assert!(
            framed.contains("frame-ancestors https://example.com"),
            "{framed}"
        );
        for policy in [alone, framed] {
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
            assert!(policy.contains("require-trusted-types-for 'script'"));
        }
    }

    #[test]
    fn turnstile_gets_what_it_takes() {
        let mut site = site();
        site.bot.access.turnstile = Some("0x4".into());
        let policy = page(&site, &[], false).policy;
        assert!(policy.contains("frame-src https://challenges.cloudflare.com"));
        assert!(!policy.contains("trusted-types"));
    }

    #[test]
    fn absence_is_told_in_the_visitors_language() {
        let mut site = site();
        site.bot.name = "Léa".into();
        let paused = absence(Some(&site), Code::Paused, &["fr"], false).html;
        assert!(paused.contains("pause") && paused.contains("<title>Léa</title>"));
        let unknown = absence(None, Code::UnknownSite, &["en"], true);
        assert!(unknown.html.contains("not available"), "{}", unknown.html);
        assert!(unknown.policy.contains("frame-ancestors 'none'"));
    }

    #[test]
    fn the_manifest_and_the_icon_are_the_sites() {
        let mut site = site();
        site.bot.name = "Boulangerie Nord".into();
        site.bot.theme.accent = "#ffcc00".into();
        let manifest: serde_json::Value = serde_json::from_str(&manifest(&site, &["fr"])).unwrap();
        assert_eq!(manifest["short_name"], "Boulangerie");
        assert_eq!(manifest["start_url"], format!("/c/{}", site.key));
        let icon = icon(&site);
        assert!(icon.contains("#ffcc00") && icon.contains("#000"), "{icon}");
    }
}
