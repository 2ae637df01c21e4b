//! When people are there.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::{Localized, at};

/// Longest text, in characters.
const MAX_TEXT: usize = 300;

/// Most ranges of a day.
const MAX_RANGES: usize = 6;

/// Most dates.
const MAX_DATES: usize = 100;

/// Minutes of a day.
pub const DAY_MINUTES: u32 = 24 * 60;

/// Business hours. The bot goes on answering outside them, unless `outside` says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HoursSettings {
    /// Name of the time zone in the IANA database, such as `Europe/Paris`.
    pub time_zone: String,
    /// Ranges by day of the week, such as `{"monday": ["09:00-12:00", "14:00-18:00"]}`. A range that ends before it begins
    /// goes on over midnight; `24:00` is the end of a day. Days that are left out are closed.
    pub weekly: BTreeMap<Weekday, Vec<String>>,
    /// Dates on which no range begins, such as `2026-12-25`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub closed: BTreeSet<String>,
    /// Text for visitors within business hours, at most 300 characters.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub open_text: Localized<String>,
    /// Text for visitors outside business hours, at most 300 characters.
    pub text: Localized<String>,
    /// What the bot does outside business hours.
    pub outside: Outside,
}

/// What the bot does outside business hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// The bot answers; visitors read that the business is closed.
    #[default]
    Answer,
    /// The bot takes no messages.
    Closed,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first of the week (ISO 8601).
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

impl HoursSettings {
    pub(super) fn validate(&self) -> Result<(), String> {
        let zone = self.time_zone.as_str();
        let good = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
        if zone.is_empty() || zone.len() > 64 || !zone.chars().all(good) {
            return at(
                "hours.time_zone",
                "give the name of a time zone, such as Europe/Paris.",
            );
        }
        for (day, ranges) in &self.weekly {
            let day = format!("{day:?}").to_lowercase();
            let path = format!("hours.weekly.{day}");
            if ranges.len() > MAX_RANGES {
                return at(&path, &format!("at most {MAX_RANGES} ranges."));
            }
            if let Some(bad) = ranges.iter().find(|range| minutes(range).is_none()) {
                return at(
                    &path,
                    &format!("`{bad}` is no range: write it as 09:00-12:30."),
                );
            }
        }
        if self.closed.len() > MAX_DATES {
            return at("hours.closed", &format!("at most {MAX_DATES} dates."));
        }
        if let Some(bad) = self.closed.iter().find(|date| !is_date(date)) {
            return at(
                "hours.closed",
                &format!("`{bad}` is no date: write it as 2026-12-25."),
            );
        }
        if !self.open_text.is_empty() {
            self.open_text.one("hours.open_text", MAX_TEXT)?;
        }
        self.text.one("hours.text", MAX_TEXT)
    }
}

/// A range as minutes of its day; the second is larger than a day when the range ends after midnight.
pub fn minutes(range: &str) -> Option<(u32, u32)> {
    let (from, to) = range.split_once('-')?;
    let (from, to) = (clock(from)?, clock(to)?);
    match to > from {
        _ if from == DAY_MINUTES => None,
        true => Some((from, to)),
        false => Some((from, to + DAY_MINUTES)),
    }
    .filter(|(from, to)| to - from <= DAY_MINUTES)
}

fn clock(text: &str) -> Option<u32> {
    let digits = |text: &str| {
        let good = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        good.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let good = hours < 24 && minutes < 60 || (hours, minutes) == (24, 0);
    good.then_some(hours * 60 + minutes)
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let number = |text: &str, length: usize| {
        let good = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        good.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, range) in [
            ("09:00-12:30", Some((540, 750))),
            ("22:00-02:00", Some((1320, 1560))),
            ("00:00-24:00", Some((0, 1440))),
            ("00:00-00:00", Some((0, 1440))),
            ("09:00 - 10:00", Some((540, 600))),
            ("24:00-01:00", None),
            ("9:00-12:00", None),
            ("09:00", None),
            ("09:60-10:00", None),
            ("25:00-26:00", None),
            ("+9:00-10:00", None),
            ("", None),
        ] {
            assert_eq!(minutes(text), range, "{text}");
        }
    }

    #[test]
    fn hours_that_make_no_sense_are_named() {
        let good = r#""time_zone":"Europe/Paris","text":{"en":"Closed."}"#;
        let error = |json: &str| {
            let hours = serde_json::from_str::<HoursSettings>(&format!("{{{json}}}"));
            hours.unwrap().validate().err().unwrap_or_default()
        };
        let full = r#""weekly":{"monday":["09:00-12:00"],"sunday":[]},"closed":["2028-02-29"]"#;
        assert_eq!(error(&format!("{good},{full}")), "");
        for (json, says) in [
            (String::new(), "settings.hours.time_zone: give the name"),
            (
                r#""time_zone":"Paris!""#.to_owned(),
                "settings.hours.time_zone: ",
            ),
            (
                r#""time_zone":"UTC""#.to_owned(),
                "settings.hours.text: 1 to 300",
            ),
            (
                format!(r#"{good},"weekly":{{"friday":["9-12"]}}"#),
                "settings.hours.weekly.friday: `9-12` is no range",
            ),
            (
                format!(r#"{good},"closed":["2026-02-29"]"#),
                "settings.hours.closed: `2026-02-29` is no date",
            ),
            (
                format!(r#"{good},"closed":["25.12.2026"]"#),
                "settings.hours.closed: ",
            ),
        ] {
            assert!(error(&json).starts_with(says), "{says}: {}", error(&json));
        }
    }
}
