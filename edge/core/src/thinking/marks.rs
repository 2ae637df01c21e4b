//! The marks between which servers write thinking into a text. Servers, templates and models invent new ones, so the form of a
//! mark and the words of its name decide, not a list of marks:
//!
//! - a tag whose name has a word for thinking ([`WORDS`]): `<think>`, `</thought>`, `<seed:think>`, `<antThinking>`,
//!   `<inner_monologue>`, `<think time="3">`, `<think />`, `[REASONING]`, `◁think▷`, `&lt;think&gt;`;
//! - a special token of a template with such a name: `<|begin_of_thought|>`, `<|END_THINKING|>`, `<｜end▁of▁thinking｜>`;
//! - what is like neither ([`LITERALS`]), such as the channels of OpenAI's open models.
//!
//! What encloses the answer after thinking (`<answer>`, `<|START_RESPONSE|>`) is a mark, too.

/// Words in the name of a mark that begins or ends thinking.
const WORDS: [&str; 12] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reason",
    "reflection",
    "scratchpad",
    "monologue",
    "analysis",
    "cot",
    "antthinking",
];

/// Names in square brackets, where other words are links and citations.
const BRACKETED: [&str; 5] = ["think", "thinking", "thought", "thoughts", "reasoning"];

/// Words in the name of what encloses an answer.
const ANSWER: [&str; 4] = ["answer", "response", "solution", "return"];

/// Marks without such a form, in lower case.
const LITERALS: [(&str, Kind); 12] = [
    ("<|channel>thought", Kind::Begin),
    ("<channel|>", Kind::End),
    ("<|channel|>analysis<|message|>", Kind::Begin),
    ("<|channel|>commentary<|message|>", Kind::Begin),
    ("<|channel|>final<|message|>", Kind::End),
    (
        "<|start|>assistant<|channel|>analysis<|message|>",
        Kind::Begin,
    ),
    (
        "<|start|>assistant<|channel|>commentary<|message|>",
        Kind::Begin,
    ),
    ("<|start|>assistant<|channel|>final<|message|>", Kind::End),
    ("<|end|>", Kind::Answer),
    ("<unused94>thought", Kind::Begin),
    ("<unused95>", Kind::End),
    ("<details type=\"reasoning\"", Kind::Details),
];

/// Bytes of the longest mark; a longer tag is none.
pub(super) const LONGEST: usize = 200;

/// Most bytes of a name.
const LONGEST_NAME: usize = 40;

/// A mark in a text, with its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Begin(usize),
    End(usize),
    /// Thinking without content: `<think/>`.
    Empty(usize),
    /// The beginning or the end of what encloses the answer.
    Answer(usize),
    /// `<details type="reasoning">`, which ends with `</details>`.
    Details(usize),
    /// The text ends before it is known whether it is one.
    Perhaps,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Begin,
    End,
    Empty,
    Answer,
    Details,
}

impl Kind {
    fn of_length(self, bytes: usize) -> Mark {
        match self {
            Self::Begin => Mark::Begin(bytes),
            Self::End => Mark::End(bytes),
            Self::Empty => Mark::Empty(bytes),
            Self::Answer => Mark::Answer(bytes),
            Self::Details => Mark::Details(bytes),
        }
    }
}

/// The marks of a text with their places, and what may be the beginning of a mark at its end.
pub(super) fn marks(text: &str) -> impl Iterator<Item = (usize, Mark)> {
    let starts = text.match_indices(['<', '[', '◁', '&']);
    starts.filter_map(|(at, _)| Some((at, mark_at(text.get(at..)?)?)))
}

/// The mark that begins a text.
pub(super) fn mark_at(text: &str) -> Option<Mark> {
    let mut perhaps = None;
    for (literal, kind) in LITERALS {
        if starts(text, literal) {
            // The rest of the tag follows.
            if kind == Kind::Details {
                let end = text.find('>').map(|at| kind.of_length(at + 1));
                return end.or((text.len() < LONGEST).then_some(Mark::Perhaps));
            }
            return Some(kind.of_length(literal.len()));
        }
        if !text.is_empty() && text.len() < literal.len() && starts(literal, text) {
            perhaps = Some(Mark::Perhaps);
        }
    }
    tag(text).or(perhaps)
}

/// The tag or token that begins a text, if it is a mark.
fn tag(text: &str) -> Option<Mark> {
    let (open, close) = [("<", ">"), ("[", "]"), ("◁", "▷"), ("&lt;", "&gt;")]
        .into_iter()
        .find(|(open, _)| text.starts_with(open) || open.starts_with(text))?;
    let Some(inside) = text.strip_prefix(open) else {
        return (!text.is_empty()).then_some(Mark::Perhaps);
    };
    let is_sign = |c: char| matches!(c, '/' | '|' | '｜' | ' ');
    let signed = inside.trim_start_matches(is_sign);
    let signs = inside.strip_suffix(signed).unwrap_or_default();
    // A tag has no space before its name, but for `< think >`.
    if signs.chars().count() > 2 {
        return None;
    }
    let length = signed
        .find(|c: char| !is_of_name(c))
        .unwrap_or(signed.len());
    let (name, behind) = signed.split_at_checked(length)?;
    if name.len() > LONGEST_NAME || (name.is_empty() && !behind.is_empty()) {
        return None;
    }
    if behind.is_empty() {
        let fits = open != "[" || BRACKETED.iter().any(|known| starts(known, name));
        return fits.then_some(Mark::Perhaps);
    }
    let kind = kind(name, open, signs.contains('/'))?;
    let Some(shut) = behind.find(close) else {
        let fits = behind.len() < LONGEST && may_stand_inside(behind, open, false);
        // Of `&gt;`, the first characters may be there.
        return (fits || close.starts_with(behind)).then_some(Mark::Perhaps);
    };
    let inside = behind.get(..shut)?;
    if inside.len() > LONGEST || !may_stand_inside(inside, open, true) {
        return None;
    }
    let bytes = text.len() - behind.len() + shut + close.len();
    let ends_itself = kind == Kind::Begin && inside.ends_with('/');
    let kind = if ends_itself { Kind::Empty } else { kind };
    Some(kind.of_length(bytes))
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.' | '▁')
}

/// Whether this may stand between the name of a mark and its end: nothing, a bar, a slash, or attributes, which have values.
fn may_stand_inside(text: &str, open: &str, whole: bool) -> bool {
    let rest = text.trim_matches(|c: char| matches!(c, '/' | '|' | '｜') || c.is_whitespace());
    let attributes = open != "["
        && text.starts_with(char::is_whitespace)
        && !rest.contains(['<', '>'])
        && (!whole || rest.contains('='));
    rest.is_empty() || attributes
}

/// What a name marks.
fn kind(name: &str, open: &str, closes: bool) -> Option<Kind> {
    let lower = name.to_ascii_lowercase();
    if open == "[" {
        let known = BRACKETED.contains(&lower.as_str());
        return known.then_some(if closes { Kind::End } else { Kind::Begin });
    }
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let has = |word: &str| words.clone().any(|own| own == word);
    let closes = closes || has("end");
    if WORDS.iter().any(|word| has(word)) {
        return Some(if closes { Kind::End } else { Kind::Begin });
    }
    let encloses = words.any(|word| ANSWER.contains(&word));
    encloses.then_some(Kind::Answer)
}

/// Whether a text starts so, in any case. Apostrophes are written in two ways.
pub(super) fn starts(text: &str, start: &str) -> bool {
    let plain = |c: char| {
        if c == '’' {
            '\''
        } else {
            c.to_ascii_lowercase()
        }
    };
    let mut chars = text.chars().map(plain);
    start.chars().map(plain).all(|c| chars.next() == Some(c))
}
