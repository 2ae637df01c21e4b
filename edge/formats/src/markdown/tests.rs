//! Markdown as people write it.

use super::*;

fn body(markdown: &str) -> String {
    let file = File {
        name: "a.md",
        content_type: None,
        url: "",
        bytes: markdown.as_bytes(),
    };
    read(&file).unwrap().body
}

#[test]
fn markdown_without_html_is_its_own_text() {
    for text in [
        "# A {#a}\n\nb  \nc *d* ~e~ [f](g.md)\n\n- x\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        "a < b, `<br>` and &lt;p&gt;\n\n```\n<p>\n[[x]] %% y %%\nimport a from 'b'\n```\n",
        "one\n\n<!-- page 2 -->\n\ntwo\n",
        "We import bread from \"Rennes\".\n",
    ] {
        assert_eq!(body(text), text);
    }
}

#[test]
fn a_break_in_a_cell_or_a_line_stays_one() {
    assert_eq!(
        body("| Day | Hours |\n|---|---|\n| Monday | 9–12<br>14–18 |\n"),
        "| Day | Hours |\n|---|---|\n| Monday | 9–12<br>14–18 |\n"
    );
    assert_eq!(
        body("We open at 9<br>14 people work here.\n"),
        "We open at 9\\\n14 people work here.\n"
    );
    assert_eq!(body("A<br/><br>B\n"), "A\n\nB\n");
}

#[test]
fn two_tildes_strike_out_and_one_does_not() {
    for (markdown, told) in [
        ("was ~~14 €~~, now 12 €\n", "was , now 12 €\n"),
        ("14~~13~~12 and ~~**a** b~~\n", "14 12 and \n"),
        ("~5 km, 9:00~18:00, ~x~\n", "~5 km, 9:00~18:00, ~x~\n"),
        (
            "`~~x~~`\n\n~~~\n~~x~~\n~~~\n",
            "`~~x~~`\n\n~~~\n~~x~~\n~~~\n",
        ),
        ("a | b\n--|--\n~~c~~ | d\n", "a | b\n--|--\n| | d\n"),
    ] {
        assert_eq!(body(markdown), told, "{markdown}");
    }
}

#[test]
fn blocks_of_html_are_read_as_pages_are() {
    for (markdown, told) in [
        (
            "## FAQ {#faq}\n\n<details><summary>Do you take dogs?</summary>On a lead.</details>\n",
            "## FAQ {#faq}\n\n### Do you take dogs?\n\nOn a lead.\n",
        ),
        (
            "<details>\n<summary>Dogs?</summary>\n\nOn a **lead**.\n\n- always\n\n</details>\n",
            "## Dogs?\n\nOn a lead.\n\n- always\n",
        ),
        (
            "<table><tr><th>Day</th><th>Hours</th></tr><tr><td>Monday</td><td>9–12</td></tr></table>\n",
            "| Day | Hours |\n|---|---|\n| Monday | 9–12 |\n",
        ),
        (
            "<p align=\"center\">\n  <b>Open</b> daily\n</p>\n",
            "Open daily\n",
        ),
        (
            "<div>\n\n# A\n\n1. one\n2. two\n\n</div>\n",
            "# A\n\n- one\n- two\n",
        ),
        (
            "It costs 19<sup>99</sup> €, H<sub>2</sub>O is free.\n",
            "It costs 19,99 €, H₂O is free.\n",
        ),
        (
            "<p hidden>no</p>\n<!-- no -->\n\nyes <!-- no -->\n",
            "yes\n",
        ),
        (
            "<center>a</center>\n\n<!-- page 2 -->\n\n`x`\n",
            "a\n\n<!-- page 2 -->\n\n`x`\n",
        ),
        (
            "<aside>Mind the step.</aside>\n\n<nav>Left.</nav>\n",
            "Mind the step.\n\nLeft.\n",
        ),
        ("## The sets {n} <br>\n\na\n", "## The sets \\{n}\n\na\n"),
    ] {
        assert_eq!(body(markdown), told, "{markdown}");
    }
}

#[test]
fn a_tag_that_is_never_closed_is_text_or_nothing_and_what_follows_is_read() {
    for (markdown, told) in [
        (
            "Put the <script> tag in.\n\nNext.\n",
            "Put the \\<script> tag in.\n\nNext.\n",
        ),
        ("A Vec<T> of <your-key>\n", "A Vec\\<T> of \\<your-key>\n"),
        (
            "<iframe src=\"https://a.example/\" />\n\nNext.\n",
            "Next.\n",
        ),
        ("<select>\n\nNext.\n", "Next.\n"),
        (
            "<br>\nPress the <button> there\n\nNext.\n",
            "Press the there\n\nNext.\n",
        ),
    ] {
        assert_eq!(body(markdown), told, "{markdown}");
    }
}

#[test]
fn what_dialects_add_is_no_text() {
    for (markdown, told) in [
        (
            "import Tabs from '@theme/Tabs';\nimport './a.css'\n\n# A\n",
            "\n# A\n",
        ),
        (
            ":::tip Opening hours\nNine to five.\n:::\n",
            "\nOpening hours\n\nNine to five.\n\n\n\n",
        ),
        (":::note[Mind]\nx\n:::\n", "\nMind\n\nx\n\n\n\n"),
        (
            "> [!warning]- Closed\n> On Mondays.\n",
            "> Closed\n>\n> On Mondays.\n",
        ),
        (
            "Open. %%ask Sam%% Daily.\n%%\nsecret\n%%\n",
            "Open.  Daily.\n\n\n\n",
        ),
        ("{/* todo */}a\n", "a\n"),
        (
            "See [[Prices#Bikes|our prices]] and [[Hours]]. ![[map.png]]\n",
            "See our prices and Hours. \n",
        ),
        ("{{< youtube x >}}\n{% include a.html %}b\n", "\nb\n"),
    ] {
        assert_eq!(body(markdown), told, "{markdown}");
    }
}

#[test]
fn tabs_of_components_carry_their_labels() {
    assert_eq!(
        body(
            "import Tabs from '@theme/Tabs';\n\n<Tabs>\n<TabItem value=\"mac\" label=\"On a Mac\">\n\nUse brew.\n\n\
             </TabItem>\n</Tabs>\n"
        ),
        "## On a Mac\n\nUse brew.\n"
    );
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "(</?(p|br|b|table|tr|td|details|script|x-y|T)( a='>')?/?>|%%|\\[\\[|\\]\\]|:::|> \\[!|\\{/\\*|\\*/\\}|```|import |# |- |\n|\n\n|\\PC{0,3}){0,40}") {
        let _ = body(&text);
    }
}
