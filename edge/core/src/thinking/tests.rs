use super::*;
use proptest::prelude::*;

/// What a reader has of an answer that comes in these pieces, and whether something was taken back.
fn read(expect: Expect, pieces: &[&str]) -> (String, bool, Expect) {
    let mut thinking = Thinking::new(expect);
    let mut told: Vec<Told> = Vec::new();
    for piece in pieces {
        told.extend(thinking.push(piece));
    }
    told.extend(thinking.finish());
    let mut out = String::new();
    let mut back = false;
    for told in told {
        match told {
            Told::Text(text) => out.push_str(&text),
            Told::TakenBack => {
                out.clear();
                back = true;
            }
        }
    }
    (out, back, thinking.learned())
}

/// Reads the text in one piece, in two, cut anywhere, and character by character.
fn says(expect: Expect, text: &str, expected: &str) {
    assert_eq!(read(expect, &[text]).0, expected, "{text:?}");
    for (cut, _) in text.char_indices() {
        let (a, b) = text.split_at(cut);
        assert_eq!(read(expect, &[a, b]).0, expected, "{text:?} cut at {cut}");
    }
    let chars: Vec<String> = text.chars().map(String::from).collect();
    let chars: Vec<&str> = chars.iter().map(String::as_str).collect();
    assert_eq!(read(expect, &chars).0, expected, "{text:?} by characters");
}

#[test]
fn thinking_is_taken_out_wherever_it_is_cut() {
    for (text, expected) in [
        (
            "<think>They ask for hours.</think>We open at 9.",
            "We open at 9.",
        ),
        (
            "<think>\nHm.\n\nSo.\n</think>\n\nWe open at 9.",
            "We open at 9.",
        ),
        ("\n <THINK>hm</Think> Yes.", "Yes."),
        ("<think></think>\n\nYes.", "Yes."),
        ("<think>a</think><think>b</think>Yes.", "Yes."),
        ("<thinking>hm</thinking>\nYes.", "Yes."),
        ("<reasoning>hm</reasoning>Yes.", "Yes."),
        ("<thought>hm</thought>Yes.", "Yes."),
        ("[THINK]hm[/THINK]Yes [1].", "Yes [1]."),
        ("◁think▷hm◁/think▷Yes.", "Yes."),
        ("<seed:think>hm</seed:think>Yes.", "Yes."),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
            "Yes.",
        ),
        ("<|begin_of_thought|>hm<|end_of_thought|>\nYes.", "Yes."),
        // Cut while it thought: there is no answer.
        ("<think>They ask for", ""),
        ("<think>They ask for hours.</thi", ""),
        ("<think>", ""),
    ] {
        for expect in [Expect::Unknown, Expect::Marked, Expect::Unopened] {
            says(expect, text, expected);
        }
    }
}

#[test]
fn thinking_in_the_middle_has_lines_of_its_own() {
    for (text, expected) in [
        (
            "We open at 9.\n\n<think>\nAnd Sunday?\n</think>\n\nNever on Sunday.",
            "We open at 9.\n\nNever on Sunday.",
        ),
        ("We open at 9.\n<think>\nAnd", "We open at 9.\n"),
    ] {
        for expect in [Expect::Unknown, Expect::Marked] {
            says(expect, text, expected);
        }
    }
}

#[test]
fn an_end_without_a_beginning_takes_back_what_was_before_it() {
    for thought in [
        "They ask for hours.",
        "Le visiteur veut les heures.",
        "9 to 18, I think",
    ] {
        for (end, answer) in [
            ("</think>", "We open at 9."),
            ("</think>\n\n", "We open at 9."),
            ("\n</think>\n\n", "We open at 9."),
            ("\n\n</thinking>\n", "- 9 to 18"),
            ("\n</think>", ""),
        ] {
            let text = format!("{thought}{end}{answer}");
            says(Expect::Unknown, &text, answer);
            says(Expect::Unopened, &text, answer);
            assert_eq!(read(Expect::Unknown, &[&text]).2, Expect::Unopened);
        }
    }
    says(
        Expect::Unknown,
        "</think>\n\nWe open at 9.",
        "We open at 9.",
    );
    says(
        Expect::Unknown,
        "<think>a</think>b</think>We open.",
        "We open.",
    );
}

#[test]
fn what_is_likely_thinking_is_never_shown() {
    let pieces = ["Okay, ", "the user ", "asks.\n", "</think>", "\n\nAt 9."];
    assert_eq!(
        read(Expect::Unknown, &pieces),
        ("At 9.".into(), false, Expect::Unopened)
    );
    let pieces = ["Je ", "cherche.", "</think>", "À 9 h."];
    assert_eq!(
        read(Expect::Unopened, &pieces),
        ("À 9 h.".into(), false, Expect::Unopened)
    );
    // The first time, nobody can know.
    assert_eq!(
        read(Expect::Unknown, &pieces),
        ("À 9 h.".into(), true, Expect::Unopened)
    );
    // It did not think this time.
    let plain = ["Okay, ", "we open at 9."];
    assert_eq!(
        read(Expect::Unknown, &plain),
        ("Okay, we open at 9.".into(), false, Expect::Marked)
    );
}

#[test]
fn an_answer_that_speaks_of_the_marks_stays() {
    for text in [
        "Write `<think>` before and `</think>` behind it.",
        "The tag <think> begins and </think> ends it.",
        "Reasoning models write </think> before they answer.",
        "It ends with the mark </think>.",
        "It is called \"</think>\", in quotation marks.",
        "```xml\n<think>\nhm\n</think>\n```\nThat is all.",
        "~~~\n</think>\n~~~",
        "As code:\n\n    <think>\n    hm\n    </think>\n",
        "a < b and [1], <thinker> and <b>bold</b>",
        "Prices: <",
        "  Indented, and \n spaced.",
        "[think of it]",
        "[thinking about it](https://a.example/)",
        "<analyst>, <think-tank.example> and <rethink>",
        "Use <thoughts>, <reflection> or <think a lot>.",
        "Tom &amp; Jerry &lt;b&gt; & co, &",
    ] {
        for expect in [Expect::Unknown, Expect::Marked, Expect::Unopened] {
            says(expect, text, text);
        }
    }
}

#[test]
fn a_mark_is_known_by_its_form_and_a_word_in_its_name() {
    for (begin, end) in [
        ("<think >", "</think >"),
        ("<think\n>", "</think\n>"),
        ("< think >", "< /think >"),
        ("<think time=\"3\" model='x'>", "</think>"),
        ("<think>", "</thinking>"),
        ("<think>", "<|/think|>"),
        ("<thoughts>", "</thoughts>"),
        ("<thinking_process>", "</thinking_process>"),
        ("<internal-thoughts>", "</internal-thoughts>"),
        ("<inner_monologue>", "</inner_monologue>"),
        ("<chain_of_thought>", "</chain_of_thought>"),
        ("<scratchpad>", "</scratchpad>"),
        ("<reflection>", "</reflection>"),
        ("<analysis>", "</analysis>"),
        ("<antThinking>", "</antThinking>"),
        ("<mm:think>", "</mm:think>"),
        ("<longcat_think>", "</longcat_think>"),
        ("[REASONING]", "[/REASONING]"),
        ("<|thinking|>", "<|/thinking|>"),
        ("<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<unused94>thought\n", "<unused95>"),
        ("&lt;think&gt;", "&lt;/think&gt;"),
        ("```thinking\n", "\n```\n"),
        ("<details type=\"reasoning\" done=\"true\">", "</details>"),
        ("> <think>\n> ", "\n> </think>\n"),
        ("\u{feff}<think>", "</think>"),
        ("\u{200b}\n<think>", "</think>\u{200b}"),
        (
            "<|start|>assistant<|channel|>analysis<|message|>",
            "<|end|><|start|>assistant<|channel|>final<|message|>",
        ),
        (
            "<|channel|>commentary<|message|>",
            "<|end|><|start|>assistant<|channel|>final<|message|>",
        ),
    ] {
        let text = format!("{begin}They ask < 9, & so.\n\nHm.{end}We open at 9 [1].");
        says(Expect::Unknown, &text, "We open at 9 [1].");
    }
    let stripped = "analysisWe need the hours. Nine.assistantfinalWe open at 9.";
    says(Expect::Unknown, stripped, "We open at 9.");
    says(Expect::Unknown, "<think/>We open at 9.", "We open at 9.");
}

#[test]
fn what_encloses_an_answer_goes_with_the_thinking() {
    for (before, behind) in [
        ("<think>hm</think><answer>", "</answer>"),
        ("<think>hm</think>\n\n<response>\n", "</response>"),
        (
            "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>",
            "<|END_RESPONSE|>",
        ),
        (
            "<|begin_of_thought|>hm<|end_of_thought|>\n<|begin_of_solution|>",
            "<|end_of_solution|>",
        ),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>",
            "<|return|>",
        ),
    ] {
        says(Expect::Unknown, &format!("{before}At 9.{behind}"), "At 9.");
    }
    for text in ["<answer>At 9.</answer>", "<return> At 9."] {
        says(Expect::Unknown, text, text);
    }
}

#[test]
fn thinking_in_the_middle_of_an_answer_is_taken_out() {
    for (text, told) in [
        ("Sure.\n<think>hm</think>\nAt 9.", "Sure.\nAt 9."),
        ("Sure.\n<think> hm</think> At 9.", "Sure.\nAt 9."),
        ("Sure.\n<think>hm\n\nso</think>\nAt 9.", "Sure.\nAt 9."),
        ("Sure.\n<think> hm\nso</think>\nAt 9.", "At 9."),
        ("At 9.<think>Was that right?", "At 9."),
    ] {
        says(Expect::Unknown, text, told);
    }
}

#[test]
fn a_server_that_sends_thinking_apart_is_not_waited_for() {
    let mut thinking = Thinking::new(Expect::Unknown);
    thinking.apart();
    assert_eq!(
        thinking.push("Okay, at 9."),
        [Told::Text("Okay, at 9.".into())]
    );
}

#[test]
fn an_earlier_answer_is_told_without_it() {
    assert_eq!(without("<think>hm</think>At 9."), "At 9.");
    assert_eq!(without("The tag `<think>`."), "The tag `<think>`.");
}

proptest! {
    #[test]
    fn any_text_in_any_pieces_gives_the_same(
        parts in proptest::collection::vec(prop_oneof![
            Just("<think>"), Just("</think>"), Just("\n"), Just(" "), Just("`"), Just("```\n"), Just("."), Just("a"), Just("é"),
            Just("<"), Just("[THINK]"), Just("okay "), Just("[1]"),
            Just("<think "), Just("x=\"1\""), Just(">"), Just("</"), Just("<|end_of_"), Just("thought"), Just("|>"), Just("&lt;"),
            Just("&gt;"), Just("```think"), Just("<answer>"), Just("<details type=\"reasoning\""), Just("</details>")], 0..14),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let text = parts.concat();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| prefix(&text, cut.index(text.len() + 1)).len()).collect();
        ends.push(text.len());
        ends.sort_unstable();
        for expect in [Expect::Unknown, Expect::Marked, Expect::Unopened] {
            let mut from = 0;
            let mut pieces = Vec::new();
            for end in &ends {
                pieces.push(text.get(from..*end).unwrap());
                from = *end;
            }
            let whole = read(expect, &[&text]);
            let cut = read(expect, &pieces);
            prop_assert_eq!((&cut.0, cut.2), (&whole.0, whole.2));
        }
    }
}
