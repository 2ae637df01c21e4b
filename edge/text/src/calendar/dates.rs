//! Dates in a text: `16 November`, `December 24`, `end of February`, a month, several days of one, and ranges of them.

use super::{Period, date, read::Token, table::Meaning, whole};

/// A date or a range of dates.
pub struct Dated {
    /// The days.
    pub period: Period,
    /// Whether both ends were named.
    pub range: bool,
    /// The first of the tokens that it is made of.
    pub from: usize,
    /// The last of them.
    pub to: usize,
}

/// The dates among the tokens, in order.
pub fn dates(tokens: &[Token]) -> Vec<Dated> {
    let mut found: Vec<Dated> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Means(Meaning::Feast(month, day)) => {
                let day = date(*month, (*day).into());
                found.push(Dated {
                    period: (day, day),
                    range: false,
                    from: at,
                    to: at,
                });
            }
            Token::Means(Meaning::Month(month)) => {
                let one = of_month(tokens, *month, at, found.last());
                with_earlier(tokens, *month, one, &mut found);
            }
            _ => {}
        }
    }
    let mut found = joined(found, tokens);
    days_behind(tokens, &mut found);
    found
}

fn number(tokens: &[Token], at: Option<usize>) -> Option<u16> {
    match at.and_then(|at| tokens.get(at)) {
        Some(Token::Number(day @ 1..=31)) => Some(*day),
        _ => None,
    }
}

/// Whether what stands here belongs to a date: `23. Dezember`, `1er avril`, `16 de noviembre`, `12月25日`.
fn is_filler(tokens: &[Token], at: Option<usize>) -> bool {
    match at.and_then(|at| tokens.get(at)) {
        Some(Token::Stop | Token::Means(Meaning::Before)) => true,
        Some(Token::Other(word)) => matches!(
            word.as_str(),
            "er" | "st" | "nd" | "rd" | "th" | "of" | "o" | "º" | "日"
        ),
        _ => false,
    }
}

fn back(at: Option<usize>, by: usize) -> Option<usize> {
    at.and_then(|at| at.checked_sub(by))
}

/// A month with its day, its edge or as a whole.
fn of_month(tokens: &[Token], month: u8, at: usize, last: Option<&Dated>) -> Dated {
    let one = |day: u16, from: usize, to: usize| Dated {
        period: (date(month, day), date(month, day)),
        range: false,
        from,
        to,
    };
    let free = |at: usize| last.is_none_or(|last| at > last.to);
    let mut before = at.checked_sub(1);
    if is_filler(tokens, before) {
        let fillers = if number(tokens, back(before, 1)).is_some() {
            1
        } else if is_filler(tokens, back(before, 1)) && number(tokens, back(before, 2)).is_some() {
            2
        } else {
            0
        };
        before = back(before, fillers);
    }
    if let (Some(day), Some(from)) = (number(tokens, before), before.filter(|at| free(*at))) {
        return one(day, from, at);
    }
    if let Some(day) = number(tokens, Some(at + 1)) {
        return one(day, at, at + 1);
    }
    let edge = (1..=3).find_map(
        |by| match back(Some(at), by).and_then(|at| tokens.get(at)) {
            Some(Token::Means(Meaning::Edge(day))) => Some((at - by, *day)),
            _ => None,
        },
    );
    match edge.filter(|(from, _)| free(*from)) {
        Some((from, day)) => one(day.into(), from, at),
        None => Dated {
            period: whole(month),
            range: false,
            from: at,
            to: at,
        },
    }
}

/// Adds a date, and the days before it that are of the same month: `24, 25 and 26 December`, `2 au 20 janvier`.
fn with_earlier(tokens: &[Token], month: u8, mut one: Dated, found: &mut Vec<Dated>) {
    let after = found.last().map(|last| last.to);
    let free = |at: &usize| after.is_none_or(|last| *at > last);
    let skip = |mut at: Option<usize>| {
        while is_filler(tokens, at) {
            at = back(at, 1);
        }
        at
    };
    let mut earlier = Vec::new();
    while one.period.0 == one.period.1 && number(tokens, Some(one.from)).is_some() {
        let link = skip(one.from.checked_sub(1));
        let range = match link.and_then(|at| tokens.get(at)) {
            Some(Token::Means(Meaning::To)) => true,
            Some(Token::Means(Meaning::And) | Token::Comma) => false,
            _ => break,
        };
        let day = skip(back(link, 1));
        let (Some(n), Some(at)) = (number(tokens, day), day.filter(free)) else {
            break;
        };
        earlier.push((date(month, n), range));
        one.from = at;
    }
    for (n, (day, range)) in earlier.into_iter().enumerate() {
        if range && n == 0 {
            (one.period.0, one.range) = (day, true);
        } else {
            found.push(Dated {
                period: (day, day),
                range: false,
                from: one.from,
                to: one.from,
            });
        }
    }
    found.push(one);
}

/// Two dates between which `to` stands are one.
fn joined(found: Vec<Dated>, tokens: &[Token]) -> Vec<Dated> {
    let is_link = |token: &Token| {
        matches!(
            token,
            Token::Means(Meaning::To | Meaning::Before) | Token::Stop | Token::Number(_)
        ) || matches!(token, Token::Other(word) if word.chars().count() <= 3)
    };
    let mut out: Vec<Dated> = Vec::new();
    for next in found {
        let between = |last: &Dated| tokens.get(last.to + 1..next.from).unwrap_or_default();
        let linked = out.last().is_some_and(|last| {
            let between = between(last);
            between.len() <= 4
                && between.contains(&Token::Means(Meaning::To))
                && between.iter().all(is_link)
        });
        match out.last_mut() {
            Some(last) if linked && !last.range => {
                (last.period.1, last.range, last.to) = (next.period.1, true, next.to);
            }
            _ => out.push(next),
        }
    }
    out
}

/// A month alone takes the days behind it: `In agosto … dal 10 al 24`.
fn days_behind(tokens: &[Token], found: &mut [Dated]) {
    let [one] = found else { return };
    let month = one.period.0 / 32;
    let clock = |token: &Token| matches!(token, Token::Clock(_));
    if !month
        .try_into()
        .is_ok_and(|month| one.period == whole(month))
        || tokens.iter().any(clock)
    {
        return;
    }
    let behind = tokens.get(one.to + 1..).unwrap_or_default();
    let days = behind.windows(3).find_map(|three| match three {
        [
            Token::Number(from),
            Token::Means(Meaning::To),
            Token::Number(to),
        ] => Some((*from, *to)),
        _ => None,
    });
    if let Some((from, to)) = days {
        (one.period, one.range) = ((month * 32 + from, month * 32 + to), true);
    }
}
