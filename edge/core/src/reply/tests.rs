use super::*;
use bulle_protocol::{
    block::{Inline, blocks_to_text},
    event::apply,
};
use proptest::prelude::*;

fn whole(text: &str) -> Vec<Block> {
    let parsed = markdown::parse(text, 3, &mut Vec::new());
    visible(parsed.into_iter().map(|parsed| parsed.block).collect())
}

/// The blocks without empty paragraphs at the end, which are invisible.
fn visible(mut blocks: Vec<Block>) -> Vec<Block> {
    while blocks.last()
        == Some(&Block::Paragraph {
            content: Vec::new(),
        })
    {
        blocks.pop();
    }
    blocks
}

fn streamed(pieces: &[&str]) -> Vec<Block> {
    let mut reply = Reply::new(3);
    let mut page = Vec::new();
    let receive = |page: &mut Vec<Block>, events: Vec<ServerEvent>| {
        events
            .into_iter()
            .for_each(|event| apply(page, event).unwrap());
    };
    for piece in pieces {
        receive(&mut page, reply.push(piece));
        assert_eq!(page, reply.blocks());
    }
    receive(&mut page, reply.finish());
    assert_eq!(page, reply.blocks());
    visible(page)
}

const RICH: &str = "# Titre\n\nUn **mot *fort*** et `code` avec [lien](https://example.com/a) [1].\nSuite [3][1], [9].\n\n\
    1. un\n\n2. deux\n   - a\n   - b\n\n> cité\n> encore\n\n```rust\nfn a() {\n\n}\n```\n\n| a | b |\n|:--|--:|\n| 1 | ~~2~~ |\n\n\
    ---\n\nVoir https://example.com/x_y. <b>gras</b>\n\n- [ ] à faire\n- [x] fait\n";

#[test]
fn rich_text_becomes_blocks() {
    insta::assert_json_snapshot!(whole(RICH));
}

#[test]
fn every_cut_in_two_gives_the_blocks_of_the_whole() {
    let expected = whole(RICH);
    for cut in (0..=RICH.len()).filter(|cut| RICH.is_char_boundary(*cut)) {
        let (a, b) = RICH.split_at(cut);
        assert_eq!(streamed(&[a, b]), expected, "cut at {cut}");
    }
    let pieces: Vec<String> = RICH.chars().map(String::from).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    assert_eq!(streamed(&pieces), expected);
}

#[test]
fn a_paragraph_that_grows_is_appended_to() {
    let mut reply = Reply::new(0);
    assert_eq!(reply.push("Bon").len(), 1);
    let events = reply.push("jour");
    assert_eq!(
        events,
        [ServerEvent::Append(AppendEvent {
            index: 0,
            text: "jour".into()
        })]
    );
    assert_eq!(reply.push(""), []);
    assert!(!reply.is_empty());
}

#[test]
fn markup_is_never_shown_half_written() {
    let mut reply = Reply::new(3);
    let text = "Un **mot fort** et [un lien](https://example.com) puis [1].\n\n1. a\n2. b\n\n**营业时间：**周一<br>a<br/>b";
    for c in text.chars() {
        reply.push(&c.to_string());
        let shown = blocks_to_text(reply.blocks());
        assert!(
            !shown.contains(['*', '<']) && !shown.contains("](") && !shown.contains("[u"),
            "{shown}"
        );
    }
}

#[test]
fn citations_are_numbered_as_they_come_and_lost_ones_dropped() {
    let mut reply = Reply::new(3);
    reply.push("a [3]. b [1, 3]. c [7].\n\nd[1] `x[1]` ");
    reply.finish();
    assert_eq!(reply.cites(), [3, 1]);
    assert_eq!(
        blocks_to_text(reply.blocks()),
        "a [1]. b [2][1]. c .\n\nd[2] x[1]"
    );
    let mut escaped = Reply::new(3);
    escaped.push("voir \\[2\\] et \\[12\\](x) puis [2] ");
    escaped.finish();
    assert_eq!(
        blocks_to_text(escaped.blocks()),
        "voir [2] et [12](x) puis [1]"
    );
    let mut without = Reply::new(0);
    without.push("tab[1] ");
    assert_eq!(blocks_to_text(without.blocks()), "tab[1]");
}

#[test]
fn hostile_text_is_inert() {
    for (text, expected) in [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("[x](javascript:alert(1))", "x"),
        ("[x](data:text/html,1)", "x"),
        ("[x](/relative)", "x"),
        ("![alt](javascript:1)", "alt"),
        (
            "<img src=x onerror=alert(1)>",
            "<img src=x onerror=alert(1)>",
        ),
    ] {
        let blocks = whole(text);
        assert_eq!(blocks_to_text(&blocks), expected);
        let json = serde_json::to_string(&blocks).unwrap();
        assert!(!json.contains("\"url\""), "{json}");
    }
    let deep = ">".repeat(5_000) + " fond";
    assert!(blocks_to_text(&whole(&deep)).contains("fond"));
    let lists: String = (0..200).map(|n| "  ".repeat(n) + "- a\n").collect();
    assert!(!whole(&lists).is_empty());
    let stars = "*a ".repeat(3_000);
    assert!(!whole(&stars).is_empty());
}

#[test]
fn a_table_grows_by_rows_and_long_texts_stay_cheap() {
    let mut reply = Reply::new(3);
    let text = format!(
        "| a | b |\n|---|---|\n{}",
        "| un mot | deux mots |\n".repeat(20)
    );
    let pieces: Vec<String> = text.chars().map(String::from).collect();
    let events: usize = pieces.iter().map(|piece| reply.push(piece).len()).sum();
    assert!(events < 30, "{events} events for 20 rows");
    let mut brackets = Reply::new(3);
    brackets.push(&"[".repeat(100_000));
    brackets.finish();
}

#[test]
fn a_long_list_is_not_sent_again_with_every_item() {
    let items: Vec<String> = (0..300)
        .map(|n| format!("- élément **{n}** de la liste\n"))
        .collect();
    let mut reply = Reply::new(0);
    let mut page = Vec::new();
    let mut bytes = 0;
    for item in &items {
        for event in reply.push(item) {
            bytes += serde_json::to_string(&event).unwrap().len();
            apply(&mut page, event).unwrap();
        }
    }
    for event in reply.finish() {
        apply(&mut page, event).unwrap();
    }
    assert_eq!(page, whole(&items.concat()));
    let once = serde_json::to_string(&page).unwrap().len();
    assert!(bytes < 50 * once, "{bytes} bytes for a list of {once}");
}

#[test]
fn links_and_addresses() {
    let link = |url: &str, text: &str| Inline::Link {
        url: url.into(),
        content: vec![Inline::text(text)],
    };
    assert_eq!(
        whole("Voir (https://example.com/a). Ou mailto : [m](mailto:a@example.com)"),
        [Block::Paragraph {
            content: vec![
                Inline::text("Voir ("),
                link("https://example.com/a", "https://example.com/a"),
                Inline::text("). Ou mailto : "),
                link("mailto:a@example.com", "m"),
            ]
        }]
    );
}

/// The blocks of a text, and that it comes to the same in pieces of a character.
fn blocks(text: &str) -> Vec<Block> {
    let pieces: Vec<String> = text.chars().map(String::from).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let blocks = whole(text);
    assert_eq!(streamed(&pieces), blocks, "{text}");
    blocks
}

#[test]
fn emphasis_ends_beside_punctuation_where_no_spaces_are_written() {
    // What is strong stands between bars.
    for text in [
        "|营业时间：|周一",
        "|营业时间:|周一",
        "|周一（上午）|休息",
        "请注意|“重要”|事项",
        "请看|《菜单》|。",
        "|価格。|次の文",
        "これは|「東京」|です",
        "|서울(Seoul)|은 도시",
        "|영업시간:|월요일",
        "|เวลาทำการ:|จันทร์",
        "|A+|级",
        "价格|10%|起",
        "（|含税|）",
        "|一|，|二|。|三|",
        "|Open:| Monday",
        "|Preis:|19 €",
        "|Note.|Then |this!|and that",
        "Costs |19 €|, or |10%|off",
    ] {
        let parts: Vec<&str> = text.split('|').collect();
        let content = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| !part.is_empty());
        let content = content.map(|(n, part)| match n % 2 {
            0 => Inline::text(*part),
            _ => Inline::Strong {
                content: vec![Inline::text(*part)],
            },
        });
        let content = content.collect();
        let source = text.replace('|', "**");
        assert_eq!(blocks(&source), [Block::Paragraph { content }], "{source}");
    }
    for (text, shown) in [
        ("*强调：*文字", "强调：文字"),
        ("~~原价：~~现价", "原价：现价"),
        (
            "- **周一：**休息\n- **周二：**营业",
            "- 周一：休息\n- 周二：营业",
        ),
        (
            "| **项目：**价格 |\n|---|\n| **茶：**10 |",
            "项目：价格\n茶：10",
        ),
        ("`**周：**一`", "**周：**一"),
        ("```\n**周：**一\n```", "**周：**一"),
        ("f(**a), g(**b)", "f(**a), g(**b)"),
    ] {
        assert_eq!(blocks_to_text(&blocks(text)), shown, "{text}");
    }
}

#[test]
fn addresses_end_before_the_punctuation_and_the_words_of_the_sentence() {
    let address = "https://example.com/a";
    for (before, after) in [
        ("请看", "，谢谢"),
        ("（", "）。"),
        ("「", "」、"),
        ("见：", "。下一句"),
        ("", "查看菜单"),
        ("", "에서 확인하세요"),
    ] {
        let link = Inline::Link {
            url: address.into(),
            content: vec![Inline::text(address)],
        };
        let text = |text: &str| (!text.is_empty()).then(|| Inline::text(text));
        let content = [text(before), Some(link), text(after)];
        let content = content.into_iter().flatten().collect();
        let source = format!("{before}{address}{after}");
        assert_eq!(blocks(&source), [Block::Paragraph { content }], "{source}");
    }
    let both = blocks("**网址：**https://example.com/a，**电话：**https://example.com/b。");
    let json = serde_json::to_string(&both).unwrap();
    assert_eq!(json.matches("\"type\":\"link\"").count(), 2, "{json}");
    assert!(json.contains("\"url\":\"https://example.com/a\""), "{json}");
}

#[test]
fn a_break_tag_breaks_the_line() {
    for (text, shown) in [
        ("a<br>b", "a\nb"),
        ("a<br/>b<br />c<BR>d</br>e", "a\nb\nc\nd\ne"),
        ("a <br> b", "a\nb"),
        ("a<br>\nb", "a\nb"),
        ("a<br><br>b", "a\n\nb"),
        ("<br>a<br>", "a"),
        ("<br>\n**a** b", "a b"),
        ("a\n\n<br>\n\nb", "a\n\nb"),
        ("- a<br>b\n- <br>c", "- a\nb\n- c"),
        ("> a<br>b", "a\nb"),
        ("### a<br>b", "a\nb"),
        (
            "**Hours:**<br>9–12<br>**Phone:**<br>1",
            "Hours:\n9–12\nPhone:\n1",
        ),
        ("<div>a<br>b</div>", "<div>a\nb</div>"),
        ("`a<br>b`", "a<br>b"),
        ("```\na<br>b\n<br>\n```", "a<br>b\n<br>"),
        ("a&lt;br&gt;b", "a<br>b"),
    ] {
        assert_eq!(blocks_to_text(&blocks(text)).trim_end(), shown, "{text}");
    }
    let table = blocks("| Day | Open |\n|---|---|\n| Monday | 9–12<br>14–18 |\n");
    let [Block::Table { rows, .. }] = table.as_slice() else {
        panic!("a table: {table:?}");
    };
    let hours = [Inline::text("9–12"), Inline::Break, Inline::text("14–18")];
    assert_eq!(rows[0][1], hours);
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zé ]{1,8}",
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        prop::sample::select(vec![
            "**",
            "*",
            "_",
            "`",
            "```\n",
            "~~~",
            "# ",
            "- ",
            "1. ",
            "2",
            ".",
            " ",
            "> ",
            "| a | b |\n|---|---|\n",
            "| ",
            "---\n",
            "===\n",
            "[1]",
            "[2, 3]",
            "[9]",
            "[",
            "](https://example.com)",
            "]",
            "![",
            "~~",
            "<b>",
            "    ",
            "  - ",
            "+",
            ")",
            "https://a.test/",
            "\\",
            "：",
            "周一",
            "“",
            "，",
            "<br>",
            "<br",
            "/>",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn any_cuts_give_the_blocks_of_the_whole(fragments in prop::collection::vec(fragment(), 0..24)) {
        let pieces: Vec<&str> = fragments.iter().map(String::as_str).collect();
        let text = pieces.concat();
        prop_assert_eq!(streamed(&pieces), whole(&text), "{:?}", text);
    }
}

#[test]
fn characters_that_turn_the_text_around_are_left_out() {
    let mut reply = Reply::new(0);
    reply.push("Pay \u{202e}gnp.exe\u{202c} a\u{0}b\u{7}\u{1b}[0m \u{2067}");
    reply.push("سعر\u{2069} \u{200f}1\tx\r\n\ny\u{85}");
    reply.finish();
    assert_eq!(
        blocks_to_text(reply.blocks()),
        "Pay gnp.exe ab[0m \u{2067}سعر\u{2069} \u{200f}1\tx\n\ny"
    );
}
