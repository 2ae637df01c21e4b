use super::*;
use proptest::prelude::*;

/// The visible text and the suggestions of a text in these pieces.
fn through(pieces: &[&str], question: &str) -> (String, Vec<String>) {
    let mut suggestion_line = SuggestionLine::new();
    let mut shown = String::new();
    for piece in pieces {
        shown.push_str(&suggestion_line.push(piece));
        let lower = shown.to_lowercase();
        for half in [
            "<n", "<ne", "<nex", "<next", "</n", "</ne", "</nex", "</next",
        ] {
            assert!(!lower.ends_with(half), "{shown:?} was shown");
        }
    }
    let (rest, suggestions) = suggestion_line.finish(&words(question));
    (shown + &rest, suggestions)
}

/// The same text, whole and letter by letter.
fn both(text: &str) -> (String, Vec<String>) {
    let whole = through(&[text], "Who?");
    let letters: Vec<String> = text.chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    assert_eq!(through(&letters, "Who?"), whole, "{text:?}");
    whole
}

#[test]
fn the_line_is_taken_out_however_it_is_written() {
    for text in [
        "Answer [1].\n\n<next>Where? | When?</next>",
        "Answer [1].\n<next>Where? | When?</next>\n",
        "Answer [1]. <next>Where?|When?</next>",
        "Answer [1].<NEXT>Where? | When?</Next>",
        "Answer [1].\n\n<next>\nWhere?\nWhen?\n</next>\n\n",
        "Answer [1].\n\n<next>\n- Where?\n\n- When?\n</next>",
        "Answer [1].\n\n  `<next>Where? | When?</next>`  ",
        "Answer [1].\n\n```\n<next>Where? | When?</next>\n```\n",
        "Answer [1].\n\n```text\n<next>Where? | When?</next>\n```",
        "Answer [1].\n\n```\n<next>Where? | When?</next>",
        "Answer [1].\n\n<next>Where? | When?",
        "Answer [1].\n\n<next>Where? | When?</ne",
        "Answer [1].\n\n<next>Where? | When?`",
        "Answer [1].\n\n<next>Where? | When? | What is y",
        "Answer [1].\n\n<next>Where?</next>\n<next>When?</next>",
        "Answer [1].\n\n<next>Where?<next>When?</next></next>",
        "Answer [1].\n\n<next>Where? | When?</next></next>",
        "<next>Where? | When?</next>\nAnswer [1].",
        "Answer [1].\n\n<next>1. **Where?** | 2) \"When?\" [2]</next>",
        "Answer [1].\n\n<next>[Where](https://example.com)? | <b>When?</b> | where? | Who? | |</next>",
    ] {
        let (shown, suggestions) = both(text);
        assert_eq!(shown.trim(), "Answer [1].", "{text:?}");
        assert_eq!(suggestions, ["Where?", "When?"], "{text:?}");
    }
}

#[test]
fn what_stands_around_the_line_stays_as_it_was() {
    for (text, shown) in [
        ("a\n\n<next>Q?</next>\n\nb", "a\n\nb"),
        ("a <next>Q?</next> b", "a b"),
        ("a <next>Q?</next>\n\nb", "a\n\nb"),
        ("a<next>Q?</next>b", "ab"),
        // A block of code, closed before the line.
        (
            "a\n\n```js\ncode\n```\n\n<next>Q?</next>",
            "a\n\n```js\ncode\n```",
        ),
        (
            "a\n\n```js\ncode\n<next>Q?</next>\n```",
            "a\n\n```js\ncode\n```",
        ),
        ("a `code`<next>Q?</next>", "a `code`"),
        ("a `code`\n`<next>Q?</next>`", "a `code`"),
        // The line was never closed, and the answer continues.
        ("a\n<next>Q?\n\nb", "a\n\nb"),
        ("a\n<next>\nQ?\n\nb", "a\n\nb"),
        // The line was cut off.
        ("a\n\n<nex", "a\n\n"),
        ("a </ne", "a "),
        ("a <next>", "a"),
        ("a <next>Wh", "a"),
    ] {
        assert_eq!(both(text).0, shown, "{text:?}");
    }
}

#[test]
fn text_without_the_line_is_left_alone() {
    for text in [
        "",
        " ",
        "a\n\n",
        "1 < 2",
        "a <",
        "<b>bold</b>",
        "`<`",
        "```rust\nlet a = b < c;\n```\n",
        "<nexus>",
        "a\n\n\n\n\n\n\n\n\n\n\nb",
        "```",
        "`a` `",
        "«é» ``` `` `",
    ] {
        assert_eq!(both(text), (text.to_owned(), Vec::new()), "{text:?}");
    }
}

#[test]
fn an_answer_about_such_marks_is_not_swallowed() {
    let text = format!("Use <next> for this. {}", "word ".repeat(400));
    let (shown, suggestions) = both(&text);
    assert_eq!(shown, text.replace("<next> ", ""));
    assert!(suggestions.is_empty());
    let text = format!("a\n<next>Q?\n\n{}", "word ".repeat(400));
    assert_eq!(both(&text).0, format!("a\n\n{}", "word ".repeat(400)));
    assert_eq!(both(&text).1, ["Q?"]);
}

#[test]
fn suggestions_are_few_short_and_new() {
    let items = |content: &str| {
        let text = format!("a\n<next>{content}</next>");
        through(&[&text], "Wo bist du?").1
    };
    assert_eq!(items("A? | B? | C? | D?"), ["A?", "B?", "C?"]);
    assert_eq!(items(&format!("{}? | B?", "a".repeat(120))), ["B?"]);
    assert_eq!(items("wo bist DU | Wo  bist\tdu ?"), Vec::<String>::new());
    assert_eq!(items("? | … | --- | 🙂"), Vec::<String>::new());
    assert_eq!(items("Où est-ce ? | Où est-ce\u{a0}?"), ["Où est-ce ?"]);
    assert_eq!(
        items("東京はどこですか？｜営業時間は？"),
        ["東京はどこですか？", "営業時間は？"]
    );
    assert_eq!(
        items("What costs 3 € [1][2]? | 3.5 or 4?"),
        ["What costs 3 €?", "3.5 or 4?"]
    );
    assert_eq!(
        items("`code`? | *why* not? | a_b_c?"),
        ["code?", "why not?", "a_b_c?"]
    );
}

/// Pieces of texts with the line in all its forms, cut at every place.
fn texts() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "<next>",
        "</next>",
        "<NEXT>",
        "<",
        "</d",
        "<n.",
        "<nex.",
        "next>",
        ">",
        "`",
        "```",
        "```js",
        "\n",
        "\n\n",
        " ",
        "Where?",
        " | ",
        "é",
        "東",
        "word",
        "1. ",
        "[1]",
        "*",
        "aaaaaaaaaaaa",
        "          ",
        "````````````",
    ]);
    prop_oneof![
        9 => prop::collection::vec(part.clone(), 0..24).prop_map(|parts| parts.concat()),
        1 => (prop::collection::vec(part, 0..12), 900..1_100_usize)
            .prop_map(|(parts, n)| format!("{}<next>{}</next>{}", parts.concat(), "x ".repeat(n / 2), parts.concat())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn cuts_make_no_difference(text in texts(), cuts in prop::collection::vec(0..300_usize, 0..6)) {
        let whole = through(&[&text], "Who?");
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| prefix(&text, cut).len()).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([text.len()]) {
            pieces.push(text.get(from..cut).unwrap());
            from = cut;
        }
        prop_assert_eq!(&through(&pieces, "Who?"), &whole);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        prop_assert_eq!(through(&letters, "Who?"), whole);
    }

    #[test]
    fn any_line_gives_few_short_questions(before in any::<String>(), line in any::<String>(), after in any::<String>()) {
        // Compared without `through`: half a mark directly before a whole one is text, and shown.
        let mut suggestion_line = SuggestionLine::new();
        for piece in [&before, "<next>", &line, "</next>", &after] {
            suggestion_line.push(piece);
        }
        let (_, suggestions) = suggestion_line.finish(&words(&line));
        prop_assert!(suggestions.len() <= Suggestions::MAX);
        for text in &suggestions {
            prop_assert!(text.chars().count() <= Suggestions::MAX_CHARS && !text.contains('\n'), "{}", text);
        }
    }

    #[test]
    fn nothing_of_the_line_is_ever_shown(text in texts()) {
        let (shown, _) = through(&[&text], "Who?");
        let lower = shown.to_lowercase();
        prop_assert!(!lower.contains("<next>") && !lower.contains("</next>"), "{}", shown);
    }

    #[test]
    fn text_without_it_passes_unchanged_and_soon(text in "[a-z <>/`\n.é東]{0,80}") {
        let half = ["<n", "<ne", "<nex", "<next", "</n", "</ne", "</nex", "</next", "</"];
        prop_assume!(position(&text, OPEN).is_none() && position(&text, CLOSE).is_none());
        prop_assume!(!half.iter().any(|half| text.ends_with(half)));
        let mut suggestion_line = SuggestionLine::new();
        let mut shown = String::new();
        let mut given = 0;
        for c in text.chars() {
            shown.push_str(&suggestion_line.push(&c.to_string()));
            given += 1;
            let late = given - shown.chars().count();
            prop_assert!(late <= 3 * MAX_RUN + MAX_INFO + CLOSE.len(), "{} are held", late);
        }
        let (rest, _) = suggestion_line.finish(&words("Who?"));
        prop_assert_eq!(shown + &rest, text);
    }
}
