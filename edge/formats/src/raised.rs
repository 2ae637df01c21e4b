//! Superscripts and subscripts: the cents of a price, exponents, formulas, numbers of notes.
//!
//! A superscript must not run into the text before it: `19<sup>99</sup> €` is not 1999, and 10<sup>6</sup> is not 106. Digits are
//! written as the superscript and subscript digits of Unicode; the cents of a price and the minutes of a time as decimals and
//! minutes: `19,99 €`, `9:30 Uhr`. Letters at the end of a word (`1st`, `Mme`) are written as normal text.

/// Raised characters that Unicode has, and what they raise.
const RAISED: &str = "0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹+⁺-⁻−⁻–⁻=⁼(⁽)⁾nⁿiⁱxˣyʸkᵏtᵗ";
const LOWERED: &str = "0₀1₁2₂3₃4₄5₅6₆7₇8₈9₉+₊-₋−₋–₋=₌(₍)₎aₐeₑiᵢjⱼkₖmₘnₙoₒpₚrᵣsₛtₜxₓ";

/// Signs of currencies, and words for them that stand behind a price.
const SIGNS: &[char] = &[
    '€', '$', '£', '¥', '₽', '₹', '₺', '₩', '₴', '₫', '₪', '฿', '₱', '₦', '₡', '¢',
];
const CODES: &[&str] = &[
    "EUR", "USD", "CHF", "GBP", "PLN", "SEK", "NOK", "DKK", "CZK", "HUF", "RON", "BGN", "TRY",
    "CAD", "AUD", "NZD", "INR", "JPY", "CNY", "BRL", "Fr.", "zł", "kr", "Kč", "Ft", "lei", "лв",
    "руб", "грн", "euro", "Euro", "euros",
];

/// What stands behind the hour of a time.
const HOURS: &[&str] = &[
    "Uhr",
    "h",
    "am",
    "pm",
    "a.m",
    "p.m",
    "o’clock",
    "o'clock",
    "uur",
    "godz",
];

fn mapped(table: &str, text: &str) -> Option<String> {
    let pairs: Vec<char> = table.chars().collect();
    let of = |c: char| {
        let pair = pairs.chunks_exact(2).find(|pair| pair.first() == Some(&c));
        pair.and_then(|pair| pair.last().copied())
    };
    text.chars().map(of).collect()
}

/// Whether the text names an amount of money.
pub(crate) fn is_money(text: &str) -> bool {
    text.contains(SIGNS)
        || text
            .split(|c: char| !c.is_alphabetic() && c != '.')
            .any(|word| CODES.contains(&word))
}

/// Raised text, escaped, as it follows what stands before it.
pub(crate) fn superscript(before: &str, text: &str) -> String {
    let text = text.trim();
    let base = before.chars().next_back().unwrap_or(' ');
    if base.is_whitespace() || text.is_empty() {
        return mapped(RAISED, text).unwrap_or_else(|| text.to_owned());
    }
    let mut earlier = before.chars().rev().skip(1);
    // `19,` with raised cents, or `19` with `,99` raised.
    let decimal = |c: char| matches!(c, '.' | ',');
    let has_point = decimal(base) && earlier.next().is_some_and(|c| c.is_ascii_digit());
    if has_point || text.starts_with(decimal) || text.starts_with(SIGNS) {
        return text.to_owned();
    }
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).unwrap_or(("", text));
    if digits > 0 && (rest.starts_with([' ', '\u{a0}', '*']) || rest.starts_with(SIGNS)) {
        return mapped(RAISED, number).unwrap_or_default() + rest;
    }
    if text.chars().all(char::is_alphabetic) {
        let word = before.chars().rev().take_while(|c| c.is_alphanumeric());
        let alone = word.clone().count() == 1 && base.is_alphabetic();
        return match text {
            "o" | "os" if alone => text.replace('o', "º"),
            _ if alone && text.chars().count() == 1 => {
                mapped(RAISED, text).unwrap_or_else(|| text.to_owned())
            }
            _ => text.to_owned(),
        };
    }
    mapped(RAISED, text).unwrap_or_else(|| other("^", text))
}

/// Lowered text, escaped.
pub(crate) fn subscript(text: &str) -> String {
    let text = text.trim();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let small = mapped(LOWERED, text).filter(|_| letters < 2);
    small.unwrap_or_else(|| match text.chars().any(char::is_alphanumeric) {
        true => other("\\_", text),
        false => text.to_owned(),
    })
}

/// What has no raised form in Unicode.
fn other(sign: &str, text: &str) -> String {
    if !text.chars().any(char::is_alphanumeric) {
        text.to_owned()
    } else if text.contains(char::is_whitespace) || text.starts_with("\\[") {
        format!(" {text}")
    } else if text.chars().all(char::is_alphanumeric) {
        format!("{sign}{text}")
    } else {
        format!("{sign}({text})")
    }
}

/// A fraction of a formula, of escaped texts.
pub(crate) fn fraction(above: &str, below: &str) -> String {
    format!("{}/{}", enclosed(above), enclosed(below))
}

/// A root of a formula, of an escaped text.
pub(crate) fn root(text: &str) -> String {
    format!("√{}", enclosed(text))
}

/// A part of a formula, in parentheses unless it is one number or one name.
pub(crate) fn enclosed(text: &str) -> String {
    let text = text.trim();
    let decimal = |c: char| c.is_alphanumeric() || matches!(c, '.' | ',');
    if text.chars().all(decimal) {
        text.to_owned()
    } else {
        format!("({text})")
    }
}

fn raised_digit(c: char) -> Option<char> {
    let at = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|raised| raised == c)?;
    char::from_digit(u32::try_from(at).ok()?, 10)
}

/// The text with the prices and the times that were written by raised digits, two of them, as decimals and hours.
pub(crate) fn values(text: String) -> String {
    if !text.contains(|c| raised_digit(c).is_some()) {
        return text;
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let run = chars.iter().skip(at).map_while(|c| raised_digit(*c));
        let digits: String = run.collect();
        if digits.is_empty() {
            out.push(*c);
            at += 1;
            continue;
        }
        let after: String = chars.iter().skip(at + digits.len()).take(12).collect();
        match separator(&out, &digits, &after) {
            Some(mark) => {
                out.push_str(mark);
                out.push_str(&digits);
            }
            None => out.extend(chars.iter().skip(at).take(digits.len())),
        }
        at += digits.len();
    }
    out
}

/// A price without its currency, of which two digits are raised or were read as minutes: `18,00` of `18⁰⁰` and `18:00`.
pub(crate) fn price(text: &str) -> String {
    let digit = |c: char| raised_digit(c).or(c.is_ascii_digit().then_some(c));
    let mut chars = text.chars();
    let cents = [
        chars.next_back().and_then(digit),
        chars.next_back().and_then(digit),
    ];
    let whole = chars.as_str();
    let is_raised = text
        .chars()
        .rev()
        .take(2)
        .all(|c| raised_digit(c).is_some());
    let euros = whole.strip_suffix(':').unwrap_or(whole);
    let is_number = !euros.is_empty() && euros.bytes().all(|b| b.is_ascii_digit());
    match cents {
        [Some(last), Some(first)] if is_number && (is_raised || whole.len() > euros.len()) => {
            format!("{euros},{first}{last}")
        }
        _ => text.to_owned(),
    }
}

/// What stands between a number and two raised digits, if they are its decimals or its minutes.
fn separator(before: &str, digits: &str, after: &str) -> Option<&'static str> {
    if digits.len() != 2 {
        return None;
    }
    let hour = before.strip_suffix(['h', 'H', ':']).unwrap_or(before);
    let is_digit = |text: &str| text.ends_with(|c: char| c.is_ascii_digit());
    if hour.len() < before.len() && is_digit(hour) {
        return Some("");
    }
    if !is_digit(before) {
        return None;
    }
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    let number = before.strip_prefix(start).unwrap_or(before);
    let follows = after.trim_start();
    let behind = follows.starts_with(SIGNS) || CODES.iter().any(|code| follows.starts_with(code));
    let ahead = start.trim_end();
    let before_it = ahead.ends_with(SIGNS) || CODES.iter().any(|code| ahead.ends_with(code));
    if behind || before_it {
        return Some(match (number.contains(','), number.contains('.')) {
            (true, _) => ".",
            (_, true) => ",",
            _ if before_it => ".",
            _ => ",",
        });
    }
    let hours = number.parse::<u32>().is_ok_and(|hours| hours <= 24);
    let minutes = digits.parse::<u32>().is_ok_and(|minutes| minutes < 60);
    let range = follows.starts_with(['–', '-']) && follows.contains(|c: char| c.is_ascii_digit());
    let named = HOURS.iter().any(|word| {
        let rest = follows.strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    let clock = named || range || ahead.ends_with(['–', '-']) || digits.starts_with('0');
    (hours && minutes && clock).then_some(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_raised_is_not_what_it_stands_on() {
        for (before, raised, after, told) in [
            ("19", "99", " €", "19,99 €"),
            ("€19", "99", "", "€19.99"),
            ("$1,299", "00", " now", "$1,299.00 now"),
            ("1.299", "00", " EUR", "1.299,00 EUR"),
            ("CHF 12", "50", "", "CHF 12.50"),
            ("19", "99 €", "", "19,99 €"),
            ("19,", "99", " €", "19,99 €"),
            ("19", ",99", " €", "19,99 €"),
            ("19", "€99", "", "19€99"),
            ("10", "6", "", "10⁶"),
            ("10", "−3", " m", "10⁻³ m"),
            ("2", "n+1", "", "2ⁿ⁺¹"),
            ("x", "2/3", "", "x^(2/3)"),
            ("5 m", "2", "", "5 m²"),
            ("1", "st", " floor", "1st floor"),
            ("2", "e", " étage", "2e étage"),
            ("n", "o", " 5", "nº 5"),
            ("M", "me", " Durand", "Mme Durand"),
            ("e", "x", "", "eˣ"),
            ("Bulle", "®", "", "Bulle®"),
            ("open at 9", "1", ".", "open at 9¹."),
            ("9", "30", " Uhr", "9:30 Uhr"),
            ("9h", "30", "", "9h30"),
            ("17", "00", "", "17:00"),
            ("2", "10", " bytes", "2¹⁰ bytes"),
            ("19", "*", "", "19*"),
        ] {
            let text = format!("{before}{}{after}", superscript(before, raised));
            assert_eq!(values(text), told, "{before}^{raised}{after}");
        }
        let times = format!(
            "9{}–17{}",
            superscript("9", "30"),
            superscript("9–17", "15")
        );
        assert_eq!(values(times), "9:30–17:15");
    }

    #[test]
    fn what_is_lowered_too() {
        for (lowered, told) in [
            ("2", "₂"),
            ("n", "ₙ"),
            ("max", "\\_max"),
            ("i,j", "\\_(i,j)"),
        ] {
            assert_eq!(subscript(lowered), told);
        }
    }
}
