//! Time zones, which the platform's `Intl` knows.

use bulle_edge_core::{admin::rules, ports::Zones, settings::BotSettings};
use bulle_protocol::problem::Problem;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{
    js_sys::{Object, Reflect},
    wasm_bindgen::JsValue,
};

use super::Edge;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    /// Throws when the zone is not known.
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(locale: &str, options: &JsValue) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method)]
    fn format(this: &DateTimeFormat, at_ms: f64) -> String;
}

impl Zones for Edge {
    fn offset_minutes(&self, zone: &str, at_ms: u64) -> Option<i32> {
        offset_minutes(zone, at_ms)
    }
}

fn offset_minutes(zone: &str, at_ms: u64) -> Option<i32> {
    let options = Object::new();
    for (name, value) in [("timeZone", zone), ("timeZoneName", "longOffset")] {
        Reflect::set(&options, &name.into(), &value.into()).ok()?;
    }
    let format = DateTimeFormat::new("en-US", &options).ok()?;
    // Such as "11/21/2026, GMT+01:00"; "GMT" alone is UTC.
    let text = format.format(at_ms as f64);
    let (_, offset) = text.rsplit_once("GMT")?;
    if offset.is_empty() {
        return Some(0);
    }
    let (hours, minutes) = offset.split_once(':')?;
    let minutes: i32 = minutes.get(..2)?.parse().ok()?;
    let whole = hours.parse::<i32>().ok()? * 60;
    Some(match hours.starts_with('-') {
        true => whole - minutes,
        false => whole + minutes,
    })
}

/// Refuses settings with a time zone that the platform does not know.
///
/// # Errors
/// `invalid_value`.
pub fn check(settings: &BotSettings, now_ms: u64) -> Result<(), Problem> {
    let zone = settings.hours.as_ref().map(|hours| &hours.time_zone);
    if zone.is_none_or(|zone| offset_minutes(zone, now_ms).is_some()) {
        return Ok(());
    }
    Err(rules::invalid(
        "settings.hours.time_zone: there is no such time zone. Names are those of the IANA database, such as \
         Europe/Paris.",
    ))
}
