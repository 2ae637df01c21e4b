//! A text as days, months, clocks and what stands between them.

use super::{
    pieces::pieces,
    table::{self, Entry, Meaning, is_joined},
};
use crate::fold::fold;

/// A piece of a text, as far as the calendar is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word of the table.
    Means(Meaning),
    /// A number that is neither a year nor a clock.
    Number(u16),
    /// A time of the day, in minutes.
    Clock(u16),
    /// Between two parts of a sentence.
    Comma,
    /// Between two sentences.
    Stop,
    /// Anything else.
    Other(String),
}

/// The tokens of a text in a language; none when the language has no table.
pub fn tokens(text: &str, language: &str) -> Vec<Token> {
    let Some(entries) = table::of(language) else {
        return Vec::new();
    };
    // The verb loses its accent, and is no "and" for that.
    let text = match language {
        "it" => text.replace(" è ", " "),
        "pt" => text.replace(" é ", " "),
        _ => text.to_owned(),
    };
    let pieces = pieces(&fold(&text));
    let mut raw: Vec<(Token, bool)> = Vec::new();
    let mut at = 0;
    while let Some(rest) = pieces.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((clock, taken)) = clock(rest) {
            raw.push((Token::Clock(clock), false));
            at += taken;
        } else if let Some(entry) = entries.iter().find(|entry| begins(entry, rest)) {
            raw.push((Token::Means(entry.meaning), entry.doubtful));
            at += entry.parts.len();
        } else {
            let (piece, _) = rest
                .first()
                .map_or(("", true), |(piece, spaced)| (piece.as_str(), *spaced));
            raw.push((plain(piece), false));
            at += 1;
        }
    }
    // `dalle 7 alle 22`: these words stand between clocks alone.
    for at in 0..raw.len().saturating_sub(2) {
        if let Some(
            [
                (first @ Token::Number(_), _),
                (Token::Means(Meaning::To), true),
                (last @ Token::Number(_), _),
            ],
        ) = raw.get_mut(at..at + 3)
        {
            for hour in [first, last] {
                if let Token::Number(number @ 0..=24) = hour {
                    *hour = Token::Clock(*number * 60);
                }
            }
        }
    }
    let mut out = certain(&raw);
    spread_clocks(&mut out);
    out
}

fn plain(piece: &str) -> Token {
    match piece {
        "." | "!" | "?" | ";" | "\n" | "。" | "！" | "？" | "।" | "؟" | "؛" => Token::Stop,
        "," | "、" | "，" | "،" | ":" | "：" | "(" | ")" | "·" | "/" => Token::Comma,
        "-" | "–" | "—" | "~" | "〜" | "～" | "−" => Token::Means(Meaning::To),
        _ => match piece.parse::<u16>() {
            Ok(number) if number <= 31 => Token::Number(number),
            _ => Token::Other(piece.to_owned()),
        },
    }
}

/// Whether the entry stands here.
fn begins(entry: &Entry, rest: &[(String, bool)]) -> bool {
    let last = entry.parts.len().saturating_sub(1);
    let same = entry.parts.iter().enumerate().all(|(n, part)| {
        rest.get(n).is_some_and(|(piece, _)| {
            piece == part || (entry.begins && n == last && piece.starts_with(part.as_str()))
        })
    });
    let ends = || {
        let next = rest.get(entry.parts.len()).map(|(piece, _)| plain(piece));
        next.is_none_or(|next| matches!(next, Token::Stop | Token::Comma))
    };
    // An ordinal is no month: 1月 is one, the 1 of 11月 is none; and `s` of `s'ils` is no word.
    same && !entry.parts.is_empty()
        && (!entry.last || ends())
        && (is_joined(entry) || whole(rest, entry))
}

/// Whether the words of the entry stand apart from what is joined to them by an apostrophe.
fn whole(rest: &[(String, bool)], entry: &Entry) -> bool {
    let next = rest.get(entry.parts.len());
    let short = entry.parts.len() == 1
        && entry
            .parts
            .first()
            .is_some_and(|part| part.chars().count() < 2);
    !(short && next.is_some_and(|(piece, _)| piece == "'" || piece == "’"))
}

/// A clock at the beginning: its minutes, and of how many pieces it is made.
fn clock(rest: &[(String, bool)]) -> Option<(u16, usize)> {
    let piece = |n: usize| rest.get(n).map_or("", |(piece, _)| piece.as_str());
    let number = |n: usize| piece(n).parse::<u16>().ok();
    let early = |piece: &str| matches!(piece, "上" | "午") || piece == "오";
    // 上午9点, 午後3時, 오전 10시
    if early(piece(0)) {
        let late = matches!((piece(0), piece(1)), ("午", "後" | "后") | ("오", "후"));
        let named = late
            || matches!(
                (piece(0), piece(1)),
                ("上", "午") | ("午", "前") | ("오", "전")
            );
        return named
            .then(|| clock(rest.get(2..).unwrap_or_default()))
            .flatten()
            .map(|(at, taken)| {
                let noon = 12 * 60;
                (if late && at < noon { at + noon } else { at }, taken + 2)
            });
    }
    if piece(0) == "下" && piece(1) == "午" || piece(0) == "晚" && piece(1) == "上" {
        let (at, taken) = clock(rest.get(2..).unwrap_or_default())?;
        return Some((if at < 720 { at + 720 } else { at }, taken + 2));
    }
    let hour = number(0).filter(|hour| *hour <= 24 && piece(0).len() <= 2)?;
    let two = |n: usize| number(n).filter(|minute| *minute < 60 && piece(n).len() == 2);
    let unit = |n: usize| {
        matches!(
            piece(n),
            "uhr" | "uur" | "h" | "時" | "时" | "点" | "點" | "시"
        )
    };
    let (minute, mut taken, mut certain) = match piece(1) {
        ":" | "." | "h" if two(2).is_some() => {
            let dotted = piece(1) == ".";
            (two(2).unwrap_or_default(), 3, !dotted)
        }
        _ if unit(1) => (0, 2, true),
        _ => (0, 1, false),
    };
    if taken == 3 && unit(3) {
        (taken, certain) = (4, true);
    }
    let half = match (
        piece(taken),
        piece(taken + 1),
        piece(taken + 2),
        piece(taken + 3),
    ) {
        ("am", ..) => Some((false, 1)),
        ("pm", ..) => Some((true, 1)),
        ("a", ".", "m", ".") => Some((false, 4)),
        ("p", ".", "m", ".") => Some((true, 4)),
        _ => None,
    };
    let mut at = hour * 60 + minute;
    if let Some((late, more)) = half {
        (taken, certain) = (taken + more, true);
        at = match (late, hour) {
            (true, 1..12) => at + 720,
            (false, 12) => minute,
            _ => at,
        };
    } else if piece(taken) == "o" && piece(taken + 2) == "clock" {
        (taken, certain) = (taken + 3, true);
    }
    // `10.00` is a clock between others alone, and then its minutes are round.
    let dotted = piece(1) == "." && minute.is_multiple_of(15) && two(2).is_some();
    (certain || dotted && hour >= 5).then_some((at, taken))
}

/// Without the doubtful ones that stand alone.
fn certain(raw: &[(Token, bool)]) -> Vec<Token> {
    let beside = |at: Option<usize>, after: bool| {
        let token = at.and_then(|at| raw.get(at)).map(|(token, _)| token);
        match token {
            Some(
                Token::Number(_)
                | Token::Clock(_)
                | Token::Means(Meaning::To | Meaning::Days(_) | Meaning::Month(_) | Meaning::Edge(_)),
            ) => true,
            Some(Token::Means(Meaning::Before | Meaning::And)) => !after,
            _ => false,
        }
    };
    let sure = |(at, (token, doubtful)): (usize, &(Token, bool))| match (token, doubtful) {
        (Token::Means(_), true)
            if !(beside(at.checked_sub(1), false) || beside(Some(at + 1), true)) =>
        {
            Token::Other(String::new())
        }
        _ => token.clone(),
    };
    raw.iter().enumerate().map(sure).collect()
}

/// The other end of a range of clocks is one, too: `8–12 Uhr`.
fn spread_clocks(tokens: &mut [Token]) {
    for at in 0..tokens.len().saturating_sub(2) {
        let Some([first, Token::Means(Meaning::To), last]) = tokens.get_mut(at..at + 3) else {
            continue;
        };
        match (&first, &last) {
            (Token::Number(hour), Token::Clock(_)) if *hour <= 24 => {
                *first = Token::Clock(*hour * 60);
            }
            (Token::Clock(_), Token::Number(hour)) if *hour <= 24 => {
                *last = Token::Clock(*hour * 60);
            }
            _ => {}
        }
    }
}
