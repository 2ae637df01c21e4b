//! Days and months, in UTC.

use time::{Date, OffsetDateTime};

/// A calendar period that contains a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// `2026-11-21` or `2026-11`.
    pub name: String,
    /// Unix milliseconds of its end.
    pub ends_at: u64,
    /// Milliseconds.
    pub length_ms: u64,
}

impl Period {
    /// The day of a moment in Unix milliseconds.
    pub fn day(now_ms: u64) -> Self {
        let today = date(now_ms);
        Self::between(format!("{today}"), today, today.next_day())
    }

    /// The month of a moment in Unix milliseconds.
    pub fn month(now_ms: u64) -> Self {
        let first = date(now_ms).replace_day(1).unwrap_or(Date::MIN);
        let next = first
            .replace_month(first.month().next())
            .ok()
            .and_then(|next| match next.month() {
                time::Month::January => next.replace_year(first.year() + 1).ok(),
                _ => Some(next),
            });
        let name = format!("{first}");
        Self::between(name.get(..7).unwrap_or(&name).to_owned(), first, next)
    }

    fn between(name: String, from: Date, to: Option<Date>) -> Self {
        let ms = |date: Date| {
            u64::try_from(date.midnight().assume_utc().unix_timestamp()).unwrap_or_default() * 1_000
        };
        let ends_at = ms(to.unwrap_or(Date::MAX));
        Self {
            name,
            ends_at,
            length_ms: ends_at.saturating_sub(ms(from)),
        }
    }
}

fn date(now_ms: u64) -> Date {
    let seconds = i64::try_from(now_ms / 1_000).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(seconds).map_or(Date::MIN, OffsetDateTime::date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_end_where_the_next_begin() {
        let day = 86_400_000;
        // 2024-02-29T23:59:59.999Z
        let leap = 1_709_251_199_999;
        assert_eq!(
            Period::day(leap),
            Period {
                name: "2024-02-29".into(),
                ends_at: leap + 1,
                length_ms: day
            }
        );
        assert_eq!(
            Period::month(leap),
            Period {
                name: "2024-02".into(),
                ends_at: leap + 1,
                length_ms: 29 * day
            }
        );
        assert_eq!(Period::month(leap + 1).name, "2024-03");
        // 2023-12-15
        let december = Period::month(1_702_600_000_000);
        assert_eq!(
            (december.name.as_str(), december.ends_at),
            ("2023-12", 1_704_067_200_000)
        );
        assert_eq!(Period::day(0).name, "1970-01-01");
        assert!(!Period::day(u64::MAX).name.is_empty());
    }
}
