//! Where a web address ends that stands bare in a text.
//!
//! In an address that was copied from a browser, letters of every script may stand; in a sentence, an address is followed by
//! punctuation, and in scripts without spaces by letters. So an address ends
//!
//! - before white space, quotation marks, and punctuation that no address has unescaped: `，。）」`, `،`, `।`;
//! - before a letter of a script without spaces that follows others without a sign between them: after
//!   `https://example.com/menu` in `…/menu查看`, but not in `…/wiki/北京`;
//! - before the punctuation at its end that belongs to the sentence, and a bracket that does not open in the address.

use bulle_edge_text::script::Script;

use super::dialect::is_wide_mark;

/// Signs after which a sentence goes on, or ends, and that no address has.
const ENDS: &str = "<>\"`«»“”„‹›…‥—،؛؟۔।॥։።፣၊။។៕";

/// Signs that an address may have, but not at its end.
const TRAILING: &str = ".,;:!?'*_~’‘–";

/// The address with which a text begins.
pub fn address(text: &str) -> &str {
    // Whether the letters since the last sign begin in a script without spaces.
    let mut joins = None;
    let end = text.find(|c: char| {
        if c.is_whitespace() || c.is_control() || ENDS.contains(c) || is_wide_mark(c) {
            return true;
        }
        if c.is_ascii_punctuation() {
            joins = None;
            return false;
        }
        let is_joining = Script::of(c).is_some_and(Script::joins_words);
        let begins_joining = *joins.get_or_insert(is_joining);
        is_joining && !begins_joining
    });
    let mut address = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    while let Some(last) = address.chars().next_back() {
        let opening = match last {
            ')' => '(',
            ']' => '[',
            _ => last,
        };
        let count = |sign: char| address.matches(sign).count();
        let is_unopened = opening != last && count(last) > count(opening);
        if !is_unopened && !TRAILING.contains(last) {
            break;
        }
        address = address.strip_suffix(last).unwrap_or_default();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        // What belongs to the address stands before the first `|`.
        for text in [
            "https://example.com|，谢谢",
            "https://example.com/a|。下一句",
            "https://example.com/a|）然后",
            "https://example.com/a|」と",
            "https://example.com/a|、b",
            "https://example.com/a|；b",
            "https://example.com/a|：b",
            "https://example.com/a|！b",
            "https://example.com/a|？b",
            "https://example.com/a|》b",
            "https://example.com/a|】b",
            "https://example.com/a|～b",
            "https://example.com/a|…b",
            "https://example.com/a|—b",
            "https://example.com/a|\u{3000}b",
            "https://example.com/a|，https://example.com/b",
            "https://example.com|查看",
            "https://example.com|에서 확인",
            "https://example.com/menu|をご覧ください",
            "https://example.com/menu.html|ดูเมนู",
            "https://example.com/|",
            "https://zh.wikipedia.org/wiki/北京|。",
            "https://ja.wikipedia.org/wiki/レオナルド・ダ・ヴィンチ|」",
            "https://ko.wikipedia.org/wiki/서울|",
            "https://例え.jp/パス?q=東京&r=1#節|（",
            "https://example.com/Straße/naïve|.",
            "https://example.com/?q=a,b;c&d=e!f|!",
            "https://example.com/a_(b)|).",
            "https://example.com/a|) b (c",
            "https://example.com/[1]|].",
            "https://example.com/a|’ b",
            "https://example.com/Côte_d’Ivoire| b",
            "https://example.com/a|،ثم",
            "https://example.com/a|। फिर",
            "https://example.com/a|**",
            "https://example.com/a/|`",
            "https://example.com/%E5%8C%97|京",
        ] {
            let (expected, rest) = text.split_once('|').unwrap();
            assert_eq!(address(&format!("{expected}{rest}")), expected);
        }
    }
}
