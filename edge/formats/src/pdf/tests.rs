//! PDFs as real programs write them.

use super::*;

mod objects;

const PAGE: &[u8] = include_bytes!("../../tests/samples/page.pdf");
const PLAIN: &[u8] = include_bytes!("../../tests/samples/plain.pdf");

fn file(bytes: &[u8]) -> File<'_> {
    File {
        name: "file.pdf",
        content_type: None,
        url: "",
        bytes,
    }
}

fn code(bytes: &[u8]) -> &'static str {
    read(&file(bytes)).unwrap_err().code.as_str()
}

#[test]
fn a_page_that_a_browser_printed() {
    let document = read(&file(PAGE)).unwrap();
    assert_eq!(document.title, "Guide de la boulangerie");
    assert_eq!(document.language, "fr");
    insta::assert_snapshot!(document.body);
}

#[test]
fn words_without_spaces_between_columns_and_running_heads() {
    let document = read(&file(PLAIN)).unwrap();
    assert_eq!(
        (document.title.as_str(), document.language.as_str()),
        ("Prices", "en-GB")
    );
    insta::assert_snapshot!(document.body);
}

#[test]
fn codes_of_an_east_asian_encoding() {
    let document = read(&file(include_bytes!("../../tests/samples/japanese.pdf"))).unwrap();
    assert!(
        document.body.contains("パン屋は毎朝七時に開きます。"),
        "{}",
        document.body
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    assert_eq!(
        code(include_bytes!("../../tests/samples/scanned.pdf")),
        "no_text"
    );
    assert_eq!(
        code(include_bytes!("../../tests/samples/encrypted.pdf")),
        "encrypted"
    );
    assert_eq!(
        code(include_bytes!("../../tests/samples/bomb.pdf")),
        "too_large"
    );
    assert_eq!(code(b"%PDF-1.7\nnothing"), "corrupt");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(150))]

    #[test]
    fn a_broken_file_does_not_panic(
        which: bool,
        cut in 0.2..1.0_f64,
        changes in proptest::collection::vec((0..50_000_usize, proptest::prelude::any::<u8>()), 0..12),
    ) {
        let mut bytes = if which { PLAIN } else { PAGE }.to_vec();
        let length = bytes.len();
        if cut < 0.5 {
            bytes.truncate((length as f64 * cut * 2.0) as usize);
        }
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = read(&file(&bytes));
    }

    #[test]
    fn a_broken_drawing_does_not_panic(content in "((BT|ET|q|Q|m|l|c|re|f|S|w|n|Do|TJ|Tj|cm|Tm|Td|Tf|BI|ID|EI|BDC|EMC|/F|/Artifact|<<|>>|\\[|\\]|\\(|\\)|<41>|-?[0-9]{0,9}\\.?[0-9]?|%)[ \n]){0,60}") {
        let mut lexer = lex::Lexer::new(content.as_bytes());
        while lexer.next().is_some() {}
        cmap::CMap::parse(content.as_bytes());
        let at = PLAIN.windows(6).position(|w| w == b"stream").unwrap();
        let mut bytes = PLAIN[..at].to_vec();
        bytes.extend(b"stream\n");
        bytes.extend(content.as_bytes());
        bytes.extend(&PLAIN[at..]);
        let _ = read(&file(&bytes));
    }
}
