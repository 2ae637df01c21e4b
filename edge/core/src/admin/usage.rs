//! The query of a usage report: which model calls are summed up, and by which keys.

use bulle_api::usage::UsageKey;
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use time::{Date, Duration, Month, OffsetDateTime};
use url::form_urlencoded;

use crate::model::is_id;

/// Most rows of an answer.
pub const MAX_ROWS: u32 = 1_000;

/// Most days of a report.
const MAX_DAYS: i64 = 366;

/// Default of the days of a report.
const DEFAULT_DAYS: i64 = 30;

const DAY_MS: i64 = 86_400_000;

/// The query of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    from: Date,
    to: Date,
    /// The keys by which the sums are grouped, each once.
    pub by: Vec<UsageKey>,
    /// Only this bot's calls.
    pub bot: Option<String>,
    /// Only this conversation's calls.
    pub conversation: Option<Id>,
    /// Most rows.
    pub limit: u32,
    /// The keys of the last row of the page before, as JSON.
    pub after: Option<String>,
}

impl UsageQuery {
    /// Reads `from`, `to`, `by`, `bot`, `conversation`, `limit` and `after`. An unknown parameter is refused: a
    /// misspelled filter would otherwise sum up all calls.
    ///
    /// # Errors
    /// `invalid_parameter` for a value of the wrong form, `invalid_value` for values that do not fit together.
    pub fn read(pairs: &[(String, String)], now_ms: u64) -> Result<Self, Problem> {
        let mut query = Self {
            from: Date::MIN,
            to: Date::MIN,
            by: Vec::new(),
            bot: None,
            conversation: None,
            limit: MAX_ROWS,
            after: None,
        };
        let (mut from, mut to) = (None, None);
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if seen.contains(&name.as_str()) {
                return Err(parameter(&format!("{name} stands twice.")));
            }
            seen.push(name);
            match name.as_str() {
                "from" => from = Some(day("from", value)?),
                "to" => to = Some(day("to", value)?),
                "by" => query.by = keys(value)?,
                "bot" if is_id(value) => query.bot = Some(value.clone()),
                "bot" => return Err(parameter("bot is the id of a bot.")),
                "conversation" => query.conversation = Some(conversation(value)?),
                "limit" => query.limit = limit(value)?,
                "after" => query.after = Some(value.clone()),
                _ => {
                    return Err(parameter(
                        "A report knows from, to, by, bot, conversation, limit, after.",
                    ));
                }
            }
        }
        let length = Duration::days(DEFAULT_DAYS - 1);
        query.to = to.unwrap_or_else(|| today(now_ms));
        query.from = from.unwrap_or_else(|| query.to.saturating_sub(length));
        let fits = |after: &String| {
            let keys: Vec<String> = serde_json::from_str(after).unwrap_or_default();
            !keys.is_empty() && keys.len() == query.by.len()
        };
        match (query.to - query.from).whole_days() {
            ..0 => Err(value("from is a day after to: exchange them.")),
            MAX_DAYS.. => Err(value(&format!(
                "from and to: a report covers at most {MAX_DAYS} days, both included. Ask for one year after the other."
            ))),
            _ if !query.after.as_ref().is_none_or(fits) => Err(value(
                "after is the \"next\" of another answer to the same \"by\".",
            )),
            _ => Ok(query),
        }
    }

    /// The first and the last day, `2026-11-21`.
    pub fn days(&self) -> [String; 2] {
        [self.from.to_string(), self.to.to_string()]
    }

    /// Unix milliseconds of the first day's begin and of the last day's end (exclusive), in UTC.
    pub fn span_ms(&self) -> [i64; 2] {
        let begin = |date: Date| date.midnight().assume_utc().unix_timestamp() * 1_000;
        [begin(self.from), begin(self.to).saturating_add(DAY_MS)]
    }
}

/// The query string for the next page of rows, made from the query of this one: `?by=day&after=…`.
pub fn next_page(pairs: &[(String, String)], next: &str) -> String {
    let mut query = form_urlencoded::Serializer::for_suffix(String::from("?"), 1);
    query.extend_pairs(pairs.iter().filter(|(name, _)| name != "after"));
    query.append_pair("after", next).finish()
}

fn today(now_ms: u64) -> Date {
    let seconds = i64::try_from(now_ms / 1_000).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(seconds).map_or(Date::MIN, OffsetDateTime::date)
}

/// Unix milliseconds of a day's begin, in UTC; `name` is the parameter that names the day.
///
/// # Errors
/// `invalid_parameter`.
pub fn day_ms(name: &str, text: &str) -> Result<u64, Problem> {
    let seconds = day(name, text)?.midnight().assume_utc().unix_timestamp();
    u64::try_from(seconds * 1_000)
        .map_err(|_| parameter(&format!("{name} is a day of 1970 or later.")))
}

fn day(name: &str, text: &str) -> Result<Date, Problem> {
    let date = || {
        let mut parts = text.splitn(3, '-');
        let mut number = |digits: usize| {
            let part = parts.next()?;
            let good = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
            good.then(|| part.parse::<u16>().ok())?
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()
    };
    date().ok_or_else(|| parameter(&format!("{name} is a day such as 2026-11-21, in UTC.")))
}

fn keys(text: &str) -> Result<Vec<UsageKey>, Problem> {
    let mut keys = Vec::new();
    for name in text.split(',') {
        let key = UsageKey::ALL.into_iter().find(|key| key.as_str() == name);
        let Some(key) = key else {
            let known = UsageKey::ALL.map(UsageKey::as_str).join(", ");
            return Err(parameter(&format!(
                "by is one or more of {known}, with commas between them."
            )));
        };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn conversation(text: &str) -> Result<Id, Problem> {
    text.parse()
        .map_err(|_| parameter("conversation is the id of a conversation: a ULID."))
}

fn limit(text: &str) -> Result<u32, Problem> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let limit = text.parse().ok().filter(|_| digits);
    limit
        .filter(|limit| (1..=MAX_ROWS).contains(limit))
        .ok_or_else(|| parameter(&format!("limit is a number from 1 to {MAX_ROWS}.")))
}

fn parameter(detail: &str) -> Problem {
    Problem::new(Code::InvalidParameter, detail)
}

fn value(detail: &str) -> Problem {
    Problem::new(Code::InvalidValue, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T12:00:00Z
    const NOW: u64 = 1_795_262_400_000;

    fn pairs(query: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect()
    }

    fn read(query: &str) -> Result<UsageQuery, Problem> {
        UsageQuery::read(&pairs(query), NOW)
    }

    #[test]
    fn days_are_whole_and_both_are_included() {
        for (text, from, to, days) in [
            ("", "2026-10-23", "2026-11-21", 30),
            ("to=2026-11-01", "2026-10-03", "2026-11-01", 30),
            ("from=2026-11-21", "2026-11-21", "2026-11-21", 1),
            (
                "from=2024-02-28&to=2024-03-01",
                "2024-02-28",
                "2024-03-01",
                3,
            ),
            (
                "from=2024-01-01&to=2024-12-31",
                "2024-01-01",
                "2024-12-31",
                366,
            ),
            ("to=0000-01-01", "-0001-12-03", "0000-01-01", 30),
            (
                "from=9999-12-31&to=9999-12-31",
                "9999-12-31",
                "9999-12-31",
                1,
            ),
        ] {
            let query = read(text).unwrap();
            assert_eq!(query.days(), [from, to], "{text}");
            let [begin, end] = query.span_ms();
            assert_eq!(end - begin, days * DAY_MS, "{text}");
        }
        let [begin, end] = read("from=2026-11-21&to=2026-11-21").unwrap().span_ms();
        let noon = i64::try_from(NOW).unwrap();
        assert_eq!([noon - begin, end - noon], [DAY_MS / 2; 2]);
        assert!(UsageQuery::read(&[], u64::MAX).is_ok());
    }

    #[test]
    fn what_is_asked_is_read() {
        let id = Id::from_parts(1, 2);
        let text =
            format!("by=bot,day,bot&bot=guide&conversation={id}&limit=7&after=[\"a,b\",\"c\"]");
        let query = read(&text).unwrap();
        assert_eq!(query.by, [UsageKey::Bot, UsageKey::Day]);
        assert_eq!(query.bot.as_deref(), Some("guide"));
        assert_eq!((query.conversation, query.limit), (Some(id), 7));
        assert_eq!(query.after.as_deref(), Some("[\"a,b\",\"c\"]"));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_name() {
        let refusal = |text: &str| {
            let problem = read(text).unwrap_err();
            (problem.code, problem.detail)
        };
        for (text, word) in [
            ("from=2026-11", "from is a day"),
            ("from=2026-02-29", "from is a day"),
            ("to=2026-11-21T00:00:00Z", "to is a day"),
            ("to=2026-1-21", "to is a day"),
            ("to=%2B026-11-21", "to is a day"),
            ("to=1795262400000", "to is a day"),
            ("to=", "to is a day"),
            ("to=２０２６-11-21", "to is a day"),
            ("by=", "by is one"),
            ("by=day,", "by is one"),
            ("by=Day", "by is one"),
            ("by=day;bot", "by is one"),
            ("bot=", "bot is"),
            ("bot=A", "bot is"),
            ("conversation=x", "conversation is"),
            ("limit=0", "limit is"),
            ("limit=1001", "limit is"),
            ("limit=%2B5", "limit is"),
            ("site=x", "knows from, to"),
            ("from=2026-11-21&from=2026-11-21", "from stands twice"),
        ] {
            let (code, detail) = refusal(text);
            assert_eq!(code, Code::InvalidParameter, "{text}");
            assert!(detail.contains(word), "{text}: {detail}");
        }
        for (text, word) in [
            ("from=2026-11-22", "exchange"),
            ("from=2026-11-03&to=2026-11-02", "exchange"),
            ("from=2025-11-20&to=2026-11-21", "366 days"),
            ("from=0000-01-01&to=9999-12-31", "366 days"),
            ("after=[]", "after is"),
            ("by=day&after=[]", "after is"),
            ("by=day&after=[\"a\",\"b\"]", "after is"),
            ("by=day&after=x", "after is"),
            ("by=day&after=[1]", "after is"),
        ] {
            let (code, detail) = refusal(text);
            assert_eq!(code, Code::InvalidValue, "{text}");
            assert!(detail.contains(word), "{text}: {detail}");
        }
    }

    #[test]
    fn the_next_page_is_the_same_question() {
        let asked = pairs("by=day,model&after=x&limit=2");
        let next = next_page(&asked, "[\"2026-11-21\",\"a&b\"]");
        assert_eq!(
            pairs(next.trim_start_matches('?')),
            pairs("by=day,model&limit=2&after=[\"2026-11-21\",\"a%26b\"]")
        );
        assert!(next.starts_with("?by=") && next.is_ascii() && !next.contains(['<', '>', '"']));
    }
}
