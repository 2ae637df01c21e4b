//! Days and months in a text: when somebody says to be open, and whether that covers the day that a question names.
//!
//! A statement is what a clause says of days, dates and hours: "Tuesday to Sunday from 10 am to 5 pm", "closed from 16 November
//! to the end of February". Where a text says less, or in a language without a table, there is none, and nothing is concluded.

mod dates;
mod pieces;
mod read;
mod table;

#[cfg(test)]
mod tests;

use crate::fold::fold;
use dates::{Dated, dates};
use read::{Token, tokens};
use table::{ALL_DAYS, Meaning};

pub use table::is_month;

/// Days of a year, both ends included: month × 32 + day. The second may be before the first: over the turn of the year.
type Period = (u16, u16);

/// A month and a day in one number.
fn date(month: u8, day: u16) -> u16 {
    u16::from(month) * 32 + day
}

fn whole(month: u8) -> Period {
    (date(month, 1), date(month, 31))
}

/// The days and times that a text names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Days of the week, a bit each.
    days: u8,
    dates: Vec<Period>,
    /// A feast is among the dates, on which what holds every day may not hold.
    feast: bool,
    clock: Option<u16>,
    part: Option<(u16, u16)>,
}

/// What a clause says of when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    days: u8,
    dates: Vec<Period>,
    hours: Vec<(u16, u16)>,
    closed: bool,
    /// It uses a word for being open, or a range of hours or of days: what it does not name is not meant.
    all_days: bool,
    all_dates: bool,
    /// Its state was said after its days: another day begins another statement.
    full: bool,
}

/// Whether a statement holds for what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cover {
    Whole,
    Part,
    None,
    /// It says nothing about it.
    Silent,
}

impl When {
    fn is_every_day(&self) -> bool {
        self.days == ALL_DAYS
    }

    /// What a question in the language names; `None` when that is no day, date or time.
    pub fn of(question: &str, language: &str) -> Option<Self> {
        let mut when = Self::default();
        let tokens = tokens(question, language);
        for token in &tokens {
            match token {
                Token::Means(Meaning::Days(days)) => when.days |= days,
                Token::Means(Meaning::Part(from, to)) => when.part = Some((*from, *to)),
                Token::Means(Meaning::Feast(..)) => when.feast = true,
                Token::Clock(at) => when.clock = Some(*at),
                _ => {}
            }
        }
        when.dates = dates(&tokens)
            .into_iter()
            .map(|found| found.period)
            .collect();
        let named =
            when.days > 0 || !when.dates.is_empty() || when.part.is_some() || when.clock.is_some();
        named.then_some(when)
    }

    /// Whether it names a date.
    pub fn names_dates(&self) -> bool {
        !self.dates.is_empty()
    }

    /// Whether it names a day or a date, not a time of the day alone.
    pub fn names_days(&self) -> bool {
        self.days > 0 || !self.dates.is_empty()
    }
}

/// Whether a word in the language is a day, a month or a part of a day, be it that it can mean something else ("march").
pub fn is_word(word: &str, language: &str) -> bool {
    let pieces = pieces::pieces(&fold(word));
    let is = |entry: &table::Entry| {
        let named = matches!(
            entry.meaning,
            Meaning::Days(_) | Meaning::Month(_) | Meaning::Part(..) | Meaning::Feast(..)
        );
        let same = |(part, (piece, _)): (&String, &(String, bool))| {
            part == piece || (entry.begins && piece.starts_with(part.as_str()))
        };
        named && entry.parts.len() == pieces.len() && entry.parts.iter().zip(&pieces).all(same)
    };
    table::of(language).is_some_and(|entries| entries.iter().any(is))
}

/// What a text in the language says of when. `negated` tells whether a clause denies what it says.
pub fn statements(text: &str, language: &str, negated: impl Fn(&str) -> bool) -> Vec<Statement> {
    let mut out = Vec::new();
    for clause in clauses(text) {
        let tokens = tokens(clause, language);
        let mut of_clause = of_tokens(&tokens);
        if negated(clause) {
            of_clause
                .iter_mut()
                .for_each(|statement| statement.closed = true);
        }
        out.extend(of_clause);
    }
    out
}

/// Parts of a text between semicolons, lines and full stops that no number stands before.
fn clauses(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut from = 0;
    for (at, sign) in
        text.match_indices(['.', ';', '!', '?', '\n', '。', '！', '？', '।', '؟', '؛'])
    {
        let before = text.get(from..at).unwrap_or_default();
        let after = text.get(at + sign.len()..).unwrap_or_default();
        let next = after.split_whitespace().next().unwrap_or_default();
        let name = next.starts_with(char::is_uppercase)
            && !is_month(fold(next).trim_end_matches(|c: char| !c.is_alphanumeric()));
        let numbered = before.ends_with(|c: char| c.is_ascii_digit()) && !next.is_empty() && !name;
        let joined = !after.is_empty() && !after.starts_with(char::is_whitespace);
        let inside = sign == "." && (numbered || joined);
        // "8 a.m. to 5 p.m."
        let half = sign == "."
            && before.ends_with(['m', 'M'])
            && before
                .get(..before.len().saturating_sub(1))
                .is_some_and(|it| it.ends_with('.'));
        if !inside && !half {
            out.push(before);
            from = at + sign.len();
        }
    }
    out.push(text.get(from..).unwrap_or_default());
    out.retain(|clause| !clause.trim().is_empty());
    out
}

fn of_tokens(tokens: &[Token]) -> Vec<Statement> {
    let dated = dates(tokens);
    let mut out: Vec<Statement> = Vec::new();
    let mut now = Statement::default();
    let (mut parted, mut range, mut except, mut opens) = (false, false, false, false);
    let mut last_days: Option<u8> = None;
    let mut part: Option<(u16, u16)> = None;
    let clocks = tokens
        .iter()
        .filter(|token| matches!(token, Token::Clock(_)))
        .count();
    let until = clocks == 1;
    for (at, token) in tokens.iter().enumerate() {
        let starts: Vec<&Dated> = dated.iter().filter(|dated| dated.from == at).collect();
        let says = matches!(
            token,
            Token::Means(Meaning::Days(_) | Meaning::Open | Meaning::Closed)
        ) || !starts.is_empty();
        let state = matches!(token, Token::Means(Meaning::Open | Meaning::Closed));
        let known = now.days > 0 || !now.dates.is_empty();
        let stated = opens || now.closed;
        // "Monday closed, Tuesday open", "Tue–Sun 10–17, closed on Mondays"
        let closes = matches!(token, Token::Means(Meaning::Closed));
        let apart = says && (now.full || !now.hours.is_empty() || (state && stated));
        if parted && known && (apart || (closes && !stated)) {
            out.push(std::mem::take(&mut now).within(part.take()));
            (opens, except, last_days) = (false, false, None);
        }
        match token {
            Token::Means(Meaning::Days(days)) => {
                let to = match (range, last_days) {
                    (true, Some(from)) => through(from, *days),
                    _ => *days,
                };
                if except {
                    now.days &= !to;
                } else {
                    now.days |= to;
                }
                now.all_days |= range && last_days.is_some();
                last_days = Some(*days);
                (range, parted) = (false, false);
            }
            Token::Means(Meaning::To) => range = true,
            Token::Means(Meaning::Except) => except = true,
            Token::Means(Meaning::Open) => {
                opens = true;
                now.full = known;
                // "Open until 9 pm on Thursdays" says nothing of other days.
                now.all_days |= !until;
                parted = false;
            }
            Token::Means(Meaning::Closed) => {
                now.closed = true;
                now.full = known;
                parted = false;
            }
            Token::Clock(from) => {
                if let Some([Token::Means(Meaning::To), Token::Clock(to)]) =
                    tokens.get(at + 1..at + 3)
                {
                    now.hours
                        .push((*from, if to < from { to + 1440 } else { *to }));
                    now.all_days = true;
                }
                (range, last_days) = (false, None);
            }
            Token::Means(Meaning::Part(from, to)) => part = Some((*from, *to)),
            // `23. Dezember`, `24, 25 and 26 December`
            Token::Comma | Token::Means(Meaning::And) | Token::Stop
                if dated.iter().any(|it| it.from < at && at < it.to) => {}
            Token::Comma | Token::Means(Meaning::And) | Token::Stop => {
                parted = true;
                if !matches!(token, Token::Means(Meaning::And)) {
                    range = false;
                }
            }
            Token::Other(_) | Token::Number(_) | Token::Means(_) => {}
        }
        for dated in starts {
            now.dates.push(dated.period);
            now.all_dates |= dated.range && opens_somewhere(tokens);
            parted = false;
        }
    }
    out.push(now.within(part));
    out.retain(|statement| {
        statement.days > 0 || !statement.dates.is_empty() || !statement.hours.is_empty()
    });
    out
}

fn opens_somewhere(tokens: &[Token]) -> bool {
    tokens.contains(&Token::Means(Meaning::Open))
}

/// The days from the first of one set through the last of another.
fn through(from: u8, to: u8) -> u8 {
    let mut day = 1_u8 << from.trailing_zeros().min(6);
    let last = 1_u8 << to.trailing_zeros().min(6);
    let mut all = day;
    while day != last {
        day = if day == 0b100_0000 { 1 } else { day << 1 };
        all |= day;
    }
    all
}

impl Statement {
    /// Where it names a part of the day instead of hours: that.
    fn within(mut self, part: Option<(u16, u16)>) -> Self {
        if self.hours.is_empty() && (self.days > 0 || !self.dates.is_empty()) {
            self.hours.extend(part);
        }
        self
    }

    /// Whether it names the days or dates that are asked for, to open or to close.
    pub fn names(&self, when: &When) -> bool {
        let (days, dates) = (self.of_days(when), self.of_dates(when));
        [days, dates].contains(&Cover::Whole) && ![days, dates].contains(&Cover::None)
    }

    /// Whether it names a part of the dates that are asked for.
    pub fn names_dates(&self, when: &When) -> bool {
        [Cover::Whole, Cover::Part].contains(&self.of_dates(when))
    }

    /// Whether it names days of the week where such are asked for, or dates where dates are.
    pub fn is_of_kind(&self, when: &When) -> bool {
        (when.days > 0 && self.days > 0) || (!when.dates.is_empty() && !self.dates.is_empty())
    }

    fn of_days(&self, when: &When) -> Cover {
        match (when.days, self.days) {
            (0, _) | (_, 0) => Cover::Silent,
            (asked, days) if days & asked == asked => Cover::Whole,
            (asked, days) if days & asked == 0 => Cover::None,
            _ => Cover::Part,
        }
    }

    fn of_dates(&self, when: &When) -> Cover {
        if when.dates.is_empty() || self.dates.is_empty() {
            return Cover::Silent;
        }
        let one = |asked: &Period| {
            let of = |dates: &Period| within(asked, dates);
            let all: Vec<Cover> = self.dates.iter().map(of).collect();
            [Cover::Whole, Cover::Part]
                .into_iter()
                .find(|cover| all.contains(cover))
                .unwrap_or(Cover::None)
        };
        let all: Vec<Cover> = when.dates.iter().map(one).collect();
        match all.first() {
            Some(first) if all.iter().all(|cover| cover == first) => *first,
            _ => Cover::Part,
        }
    }

    fn of_time(&self, when: &When) -> Cover {
        let (from, to) = match (when.clock, when.part) {
            (Some(at), _) => (at, at + 1),
            (None, Some(part)) => part,
            (None, None) => return Cover::Silent,
        };
        let meets = |(open, close): &(u16, u16)| from < *close && to > *open;
        if self.hours.is_empty() {
            Cover::Silent
        } else if self.hours.iter().any(meets) {
            Cover::Whole
        } else {
            Cover::None
        }
    }

    /// Whether it says that somebody is there (true) or not (false), or does not tell. A statement of dates alone tells nothing of
    /// days, and the reverse, but for "every day".
    fn tells(&self, when: &When) -> Option<bool> {
        let (days, dates, time) = (self.of_days(when), self.of_dates(when), self.of_time(when));
        let asked_time = when.clock.is_some() || when.part.is_some();
        let fits = match (when.days > 0, !when.dates.is_empty()) {
            (true, true) => {
                days != Cover::None
                    && dates != Cover::None
                    && [days, dates].contains(&Cover::Whole)
                    && ![days, dates].contains(&Cover::Part)
            }
            (true, false) => days == Cover::Whole,
            (false, true) => {
                dates == Cover::Whole
                    || (dates == Cover::Silent
                        && self.days == ALL_DAYS
                        && !self.closed
                        && !when.feast)
            }
            (false, false) => true,
        };
        if self.closed {
            let then = self.hours.is_empty() || (asked_time && time == Cover::Whole);
            return (fits && when.names_days() && then).then_some(false);
        }
        match (fits, asked_time, time) {
            (true, false, _) if when.names_days() => Some(true),
            (true, true, Cover::Whole) => Some(true),
            _ => None,
        }
    }

    /// Whether what it names is all that there is, and what is asked for is not of it.
    fn leaves_out(&self, when: &When) -> bool {
        let days = self.of_days(when) == Cover::None && self.all_days;
        let dates = self.of_dates(when) == Cover::None && self.all_dates;
        let time = self.of_time(when) == Cover::None
            && [Cover::Whole, Cover::Silent].contains(&self.of_days(when))
            && self.of_dates(when) != Cover::None
            && (self.days > 0 || when.days == 0);
        !self.closed && (days || dates || time)
    }
}

fn within(asked: &Period, dates: &Period) -> Cover {
    let inside = |day: u16| match dates {
        (from, to) if from <= to => (*from..=*to).contains(&day),
        (from, to) => day >= *from || day <= *to,
    };
    let (first, last) = (inside(asked.0), inside(asked.1));
    // A month has no 31st day everywhere: its 28th tells as much.
    let last = last || (asked.1 % 32 == 31 && inside(asked.1 - 3));
    match (first, last) {
        (true, true) => Cover::Whole,
        (false, false) if !(asked.0..=asked.1).contains(&dates.0) => Cover::None,
        _ => Cover::Part,
    }
}

/// Whether the statements say that somebody is there at the time asked for, and which of them does. What is closed outweighs what
/// is open, what is named outweighs what is left out; where a part of the time is named, nothing is said.
pub fn verdict<'a, T: PartialEq>(when: &When, all: &'a [(T, Statement)]) -> Option<(bool, &'a T)> {
    let telling = |says: bool| {
        let mut all = all.iter();
        all.find(|(_, statement)| statement.tells(when) == Some(says))
    };
    if let Some((whose, _)) = telling(false) {
        return Some((false, whose));
    }
    let partly = |(_, statement): &(T, Statement)| {
        statement.of_dates(when) == Cover::Part || (statement.of_days(when) == Cover::Part)
    };
    if all.iter().any(partly) {
        return None;
    }
    if let Some((whose, told)) = telling(true) {
        // "The office: Monday to Friday. Members: every day." It is not known for whom one asks.
        let every_day = told.days == ALL_DAYS && told.dates.is_empty() && !when.is_every_day();
        let otherwise = |(other, statement): &(T, Statement)| {
            other != whose
                && (statement.leaves_out(when) || statement.of_dates(when) == Cover::None)
        };
        if every_day && all.iter().any(otherwise) {
            return None;
        }
        return Some((true, whose));
    }
    // "In July until 20:00": of these dates other hours hold, and they are not told whole.
    let otherwise =
        |(_, statement): &(T, Statement)| statement.names_dates(when) && statement.hours.is_empty();
    if (when.clock.is_some() || when.part.is_some()) && all.iter().any(otherwise) {
        return None;
    }
    // Of the day that is asked for, the hours that are not those; else the days that are not that.
    let leaving = |named: bool| {
        let mut all = all.iter();
        all.find(|(_, statement)| statement.leaves_out(when) && (!named || statement.names(when)))
    };
    let (whose, _) = leaving(true).or_else(|| leaving(false))?;
    Some((false, whose))
}
