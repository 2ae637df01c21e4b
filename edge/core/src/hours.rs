//! Business hours of a bot.

use bulle_protocol::session::Hours;
use time::{Date, Duration, OffsetDateTime};

use crate::{
    ports::{Clock, Zones},
    settings::{BotSettings, DAY_MINUTES, HoursSettings, Weekday, minutes},
    strings,
};

/// Whether a time (Unix milliseconds) is within business hours, in a time zone that is this many minutes ahead of UTC.
/// Ranges are in local clock time: where a change of the clocks skips or repeats an hour, the ranges are shorter or
/// longer by it.
pub fn is_open(hours: &HoursSettings, now_ms: u64, offset_minutes: i32) -> bool {
    let seconds = i64::try_from(now_ms / 1_000).unwrap_or_default();
    let local = seconds.saturating_add(i64::from(offset_minutes) * 60);
    let Ok(local) = OffsetDateTime::from_unix_timestamp(local) else {
        return false;
    };
    let minute = u32::from(local.hour()) * 60 + u32::from(local.minute());
    let today = local.date();
    let yesterday = today.saturating_sub(Duration::DAY);
    let holds = |date: Date, minute: u32| {
        let mut ranges = ranges(hours, date)
            .iter()
            .filter_map(|range| minutes(range));
        ranges.any(|(from, to)| (from..to).contains(&minute))
    };
    holds(today, minute) || holds(yesterday, minute + DAY_MINUTES)
}

/// The ranges that begin on a date.
fn ranges(hours: &HoursSettings, date: Date) -> &[String] {
    let (year, month, day) = date.to_calendar_date();
    let name = format!("{year:04}-{:02}-{day:02}", u8::from(month));
    if hours.closed.contains(&name) {
        return &[];
    }
    let weekday = match date.weekday() {
        time::Weekday::Monday => Weekday::Monday,
        time::Weekday::Tuesday => Weekday::Tuesday,
        time::Weekday::Wednesday => Weekday::Wednesday,
        time::Weekday::Thursday => Weekday::Thursday,
        time::Weekday::Friday => Weekday::Friday,
        time::Weekday::Saturday => Weekday::Saturday,
        time::Weekday::Sunday => Weekday::Sunday,
    };
    hours
        .weekly
        .get(&weekday)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Whether a bot is open now. A time zone that the platform does not know leaves the bot open; the owner got an error
/// for it when the settings were stored.
pub fn open_now<P: Clock + Zones>(ports: &P, hours: &HoursSettings) -> bool {
    let now = ports.now_ms();
    let offset = ports.offset_minutes(&hours.time_zone, now);
    offset.is_none_or(|offset| is_open(hours, now, offset))
}

/// The bot's hours for the visitor; `None` when it has none.
pub fn told<P: Clock + Zones>(ports: &P, bot: &BotSettings, locale: &str) -> Option<Hours> {
    let hours = bot.hours.as_ref()?;
    let open = open_now(ports, hours);
    let text = strings::hours(bot, locale, open);
    let good_for_s = good_for_s(ports, hours, open);
    Some(Hours {
        open,
        text,
        good_for_s,
    })
}

/// Longest time for which a visitor is told, in minutes: an owner may change the hours meanwhile.
const LONGEST_MINUTES: u64 = 60;

/// Seconds until the business opens or closes. A page that stays open would go on saying what was true when it was loaded.
fn good_for_s<P: Clock + Zones>(ports: &P, hours: &HoursSettings, open: bool) -> u32 {
    let now = ports.now_ms();
    let minute = now / 60_000;
    let at = |minutes: u64| (minute + minutes) * 60_000;
    let offset = |at_ms| ports.offset_minutes(&hours.time_zone, at_ms);
    let changes = match (offset(now), offset(at(LONGEST_MINUTES))) {
        (Some(now), Some(then)) if now == then => {
            (1..LONGEST_MINUTES).find(|minutes| is_open(hours, at(*minutes), now) != open)
        }
        (None, None) => None,
        // Clocks change within the hour.
        _ => Some(1),
    };
    let end = at(changes.unwrap_or(LONGEST_MINUTES));
    u32::try_from(end.saturating_sub(now).div_ceil(1_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fakes;

    fn hours(weekly: &str, closed: &str) -> HoursSettings {
        let json = format!(
            r#"{{"time_zone":"Europe/Paris","weekly":{{{weekly}}},"closed":[{closed}],"text":{{"en":"Closed."}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    /// A time in UTC, in Unix milliseconds.
    fn moment(text: &str) -> u64 {
        let number =
            |range: std::ops::Range<usize>| text.get(range).unwrap().parse::<u8>().unwrap();
        let month = time::Month::try_from(number(5..7)).unwrap();
        let date = Date::from_calendar_date(2026, month, number(8..10)).unwrap();
        let time = date.with_hms(number(11..13), number(14..16), number(17..19));
        let at = time.unwrap().assume_utc().unix_timestamp();
        u64::try_from(at).unwrap() * 1_000
    }

    /// Checks times in UTC against business hours, with the platform's offset of Paris.
    fn open(hours: &HoursSettings, moments: &[&str]) -> Vec<bool> {
        let check = |text: &&str| {
            let at = moment(text);
            let offset = Fakes::default().offset_minutes("Europe/Paris", at);
            is_open(hours, at, offset.unwrap())
        };
        moments.iter().map(check).collect()
    }

    #[test]
    fn several_ranges_a_day_in_local_time() {
        let hours = hours(r#""monday":["09:00-12:00","14:00-18:00"]"#, "");
        // Monday, 2 February 2026, in winter: Paris is an hour ahead.
        let moments = [
            "2026-02-02T07:59:59Z",
            "2026-02-02T08:00:00Z",
            "2026-02-02T10:59:59Z",
            "2026-02-02T11:00:00Z",
            "2026-02-02T13:00:00Z",
            "2026-02-02T17:00:00Z",
            "2026-02-03T08:00:00Z",
        ];
        let expected = [false, true, true, false, true, false, false];
        assert_eq!(open(&hours, &moments), expected);
    }

    #[test]
    fn clocks_that_change_change_the_hours() {
        let hours = hours(r#""saturday":["09:00-10:00"],"monday":["09:00-10:00"]"#, "");
        // Clocks in Paris go forward on Sunday, 29 March 2026, and back on 25 October.
        let moments = [
            "2026-03-28T07:30:00Z",
            "2026-03-28T08:30:00Z",
            "2026-03-30T07:30:00Z",
            "2026-03-30T08:30:00Z",
            "2026-10-24T07:30:00Z",
            "2026-10-26T07:30:00Z",
            "2026-10-26T08:30:00Z",
        ];
        let expected = [false, true, true, false, true, false, true];
        assert_eq!(open(&hours, &moments), expected);
    }

    #[test]
    fn an_hour_that_is_skipped_or_comes_twice_is_so_with_the_ranges() {
        let hours = hours(r#""sunday":["02:00-03:00"]"#, "");
        // 29 March: 02:00 to 03:00 does not exist. 25 October: it is there twice.
        let moments = [
            "2026-03-29T00:59:00Z",
            "2026-03-29T01:00:00Z",
            "2026-10-24T23:59:00Z",
            "2026-10-25T00:00:00Z",
            "2026-10-25T01:59:00Z",
            "2026-10-25T02:00:00Z",
        ];
        let expected = [false, false, false, true, true, false];
        assert_eq!(open(&hours, &moments), expected);
    }

    #[test]
    fn ranges_over_midnight_and_dates_that_are_closed() {
        let hours = hours(
            r#""friday":["22:00-02:00"],"saturday":["00:00-24:00"]"#,
            r#""2026-12-26""#,
        );
        // Friday, 18 December 2026 (open), 25 December (open) and 26 December (closed, but for what began before).
        let moments = [
            "2026-12-18T20:59:00Z",
            "2026-12-18T21:00:00Z",
            "2026-12-19T22:59:00Z",
            "2026-12-19T23:00:00Z",
            "2026-12-26T00:59:00Z",
            "2026-12-26T01:00:00Z",
        ];
        let expected = [false, true, true, false, true, false];
        assert_eq!(open(&hours, &moments), expected);
    }

    #[test]
    fn visitors_are_told_in_the_owners_words() {
        let ports = Fakes::default();
        let mut bot = BotSettings::default();
        assert_eq!(told(&ports, &bot, "en"), None);
        bot.hours = Some(hours("", ""));
        let closed = told(&ports, &bot, "fr").unwrap();
        assert_eq!((closed.open, closed.text.as_str()), (false, "Closed."));
        if let Some(hours) = &mut bot.hours {
            hours.time_zone = "Mars/Olympus".into();
        }
        let unknown = told(&ports, &bot, "fr").unwrap();
        assert!(unknown.open);
        assert!((3_541..=3_600).contains(&unknown.good_for_s));
    }

    #[test]
    fn visitors_are_told_for_how_long_it_holds() {
        let ports = Fakes::default();
        let mut bot = BotSettings::default();
        let weekly = r#""monday":["09:00-12:00","14:00-18:00"],"sunday":["02:30-04:00"],"friday":["22:00-02:00"]"#;
        bot.hours = Some(hours(weekly, ""));
        for (at, open, good_for_s) in [
            // Monday, 2 February 2026, in winter: an hour ahead.
            ("2026-02-02T06:30:00Z", false, 3_600),
            ("2026-02-02T07:30:00Z", false, 1_800),
            ("2026-02-02T07:59:59Z", false, 1),
            ("2026-02-02T08:00:00Z", true, 3_600),
            ("2026-02-02T10:15:30Z", true, 2_670),
            ("2026-02-02T10:59:20Z", true, 40),
            ("2026-02-02T11:00:00Z", false, 3_600),
            // Over midnight.
            ("2026-02-07T00:10:00Z", true, 3_000),
            // On 29 March, 02:30 does not exist: told again every minute while the clocks change.
            ("2026-03-29T00:20:00Z", false, 60),
            ("2026-03-29T01:20:00Z", true, 2_400),
        ] {
            ports.advance(moment(at) - ports.now_ms());
            let told = told(&ports, &bot, "en").unwrap();
            assert_eq!((told.open, told.good_for_s), (open, good_for_s), "{at}");
        }
    }
}
