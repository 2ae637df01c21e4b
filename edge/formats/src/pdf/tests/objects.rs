//! Files with unusual or hostile structures.

use super::{code, file, read};
use miniz_oxide::deflate::compress_to_vec_zlib;

const TEXT: &str = "BT /F 12 Tf 60 700 Td (It is read.) Tj ET";
const FONT: &str = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";

fn stream(head: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<</Length {} {head}>>stream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

/// A page whose content is object 5; further objects have the numbers from 6 on.
fn objects(content: Vec<u8>, more: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut objects: Vec<Vec<u8>> = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</Font<</F 4 0 R>>>>>>",
        "<</Type/Page/Parent 2 0 R/Contents 5 0 R>>",
        FONT,
    ]
    .map(|object| object.as_bytes().to_vec())
    .to_vec();
    objects.push(content);
    objects.extend(more.iter().map(|object| object.to_vec()));
    objects
}

fn body(objects: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let (mut out, mut places) = (b"%PDF-1.7\n".to_vec(), Vec::new());
    for (object, number) in objects.iter().zip(1..) {
        places.push(out.len());
        out.extend(format!("{number} 0 obj\n").bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    (out, places)
}

/// A file with a plain cross-reference table.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let (mut out, places) = body(objects);
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = places.len() + 1;
    out.extend(format!("trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF").bytes());
    out
}

fn page(content: Vec<u8>) -> Vec<u8> {
    pdf(&objects(content, &[]))
}

fn text(bytes: &[u8]) -> String {
    match read(&file(bytes)) {
        Ok(document) => document.body,
        Err(error) => error.to_string(),
    }
}

fn is_read(bytes: &[u8]) {
    assert!(text(bytes).contains("It is read."), "{}", text(bytes));
}

/// Objects 2 to 4 packed in stream 6, everything in a table that is a stream with a predictor.
fn packed(extra: &str) -> Vec<u8> {
    let all = objects(stream("", TEXT.as_bytes()), &[]);
    let (mut heads, mut bodies) = (String::new(), Vec::new());
    for (number, object) in all.iter().enumerate().take(4) {
        heads += &format!("{} {} ", number + 1, bodies.len());
        bodies.extend_from_slice(object);
        bodies.push(b'\n');
    }
    let data = compress_to_vec_zlib(&[heads.as_bytes(), &bodies].concat(), 6);
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut rows: Vec<[u8; 4]> = vec![[0; 4]];
    rows.extend((0..4).map(|index| [2, 0, 6, index]));
    let head = format!(
        "/Type/ObjStm/N 4/First {}/Filter/FlateDecode{extra}",
        heads.len()
    );
    for (number, object) in [(5, all[4].clone()), (6, stream(&head, &data))] {
        let [high, low] = u16::try_from(out.len()).unwrap().to_be_bytes();
        rows.push([1, high, low, 0]);
        out.extend(format!("{number} 0 obj\n").bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let start = out.len();
    let mut before = [0; 4];
    let mut table = Vec::new();
    for row in rows {
        table.push(2);
        table.extend((0..4).map(|at| row[at].wrapping_sub(before[at])));
        before = row;
    }
    let head = "/Type/XRef/Size 7/Root 1 0 R/W[1 2 1]/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 4>>";
    out.extend(b"7 0 obj\n");
    out.extend(stream(head, &compress_to_vec_zlib(&table, 6)));
    out.extend(format!("\nendobj\nstartxref\n{start}\n%%EOF").bytes());
    out
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = bytes
        .windows(from.len())
        .position(|w| w == from.as_bytes())
        .unwrap();
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

#[test]
fn without_a_password() {
    for bytes in [
        include_bytes!("../../../tests/samples/locked_rc4.pdf").as_slice(),
        include_bytes!("../../../tests/samples/locked_aes128.pdf"),
        include_bytes!("../../../tests/samples/locked_aes256.pdf"),
    ] {
        let document = read(&file(bytes)).unwrap();
        assert_eq!(document.title, "Locked");
        assert!(document.body.contains("Opens without a password."));
        // With another value to check the password, the password counts as unknown.
        assert_eq!(code(&replaced(bytes, "/U<", "/U<00")), "encrypted");
        assert_eq!(
            code(&replaced(bytes, "/Standard", "/Adobe.PubSec")),
            "encrypted"
        );
    }
}

#[test]
fn packed_objects_and_a_packed_table() {
    is_read(&packed(""));
    // Without the table, a scan finds the streams of objects.
    is_read(&replaced(&packed(""), "startxref", "startnone"));
    // A stream of objects that is needed to unpack itself.
    assert_eq!(
        code(&replaced(&packed("/DecodeParms 2 0 R"), "/N 4", "/N 0")),
        "corrupt"
    );
    is_read(&packed("/Extends 6 0 R"));
}

#[test]
fn a_stream_of_objects_in_another_is_not_opened() {
    let inner = stream("/Type/ObjStm/N 1/First 4", b"9 0 <</Type/Page>>");
    let outer = [b"8 0 ".as_slice(), &inner].concat();
    let mut all = objects(stream("", TEXT.as_bytes()), &[]);
    all.push(stream("/Type/ObjStm/N 1/First 4", &outer));
    is_read(&replaced(&pdf(&all), "startxref", "startnone"));
    all[1] = b"<</Type/Pages/Kids[9 0 R 3 0 R]/Resources<</Font<</F 4 0 R>>>>>>".to_vec();
    let bytes = replaced(&pdf(&all), "startxref", "startnone");
    assert_eq!(code(&bytes), "corrupt");
}

#[test]
fn later_changes_count() {
    let mut bytes = page(stream("", b"BT /F 12 Tf 60 700 Td (Old words.) Tj ET"));
    let before = bytes.windows(5).rposition(|w| w == b"\nxref").unwrap() + 1;
    let at = bytes.len();
    bytes.extend(b"\n5 0 obj\n");
    bytes.extend(stream("", TEXT.as_bytes()));
    let start = bytes.len() + 8;
    bytes.extend(b"\nendobj\n");
    let end = format!(
        "xref\n5 1\n{:010} 00000 n \ntrailer<</Size 6/Root 1 0 R/Prev {before}>>\nstartxref\n{start}\n%%EOF",
        at + 1
    );
    bytes.extend(end.bytes());
    is_read(&bytes);
    assert!(!text(&bytes).contains("Old"));
    // Cross-reference tables that refer to one another in a circle.
    let circle = format!("{:<24}", format!("/Root 1 0 R/Prev {start}>>"));
    is_read(&replaced(&bytes, "/Root 1 0 R>>\nstartxref\n", &circle));
    // Broken tables: of equal numbers the last object counts.
    let broken = replaced(&bytes, "startxref", "startnone");
    let broken = replaced(&broken, "startxref", "startnone");
    is_read(&broken);
    assert!(!text(&broken).contains("Old"));
}

#[test]
fn what_is_not_where_the_table_says_is_found() {
    let bytes = page(stream("", TEXT.as_bytes()));
    // Bytes before the header, from which all offsets count, and bytes after the end, which do not matter.
    is_read(&[b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &bytes].concat());
    is_read(&replaced(&bytes, "%PDF-1.7\n", "%PDF-1.7\n% added later\n"));
    // Files cut off before the table and within it, and files without keywords.
    let end = bytes.windows(4).position(|w| w == b"xref").unwrap();
    is_read(&replaced(&bytes[..end], "1 0 obj", "1 0 obj "));
    let content = bytes.windows(4).position(|w| w == b"5 0 ").unwrap();
    for cut in [end / 2, content, content + 90] {
        assert_eq!(code(&bytes[..cut]), "corrupt");
    }
    is_read(&bytes[..end + 30]);
    // No trailer names the catalog, but one object says that it is the catalog.
    is_read(&replaced(&bytes, "/Root 1 0 R", ""));
    // A missing page keeps its number.
    let missing = replaced(&bytes, "/Kids[3 0 R]/Count 1", "/Kids[9 0 R 3 0 R]  ");
    assert!(
        text(&missing).starts_with("<!-- page 2 -->"),
        "{}",
        text(&missing)
    );
    // A size larger than any file.
    is_read(&replaced(&bytes, "/Size 6", "/Size 4000000000"));
    is_read(&replaced(&bytes, "0 6\n", "0 4000000000\n"));
    is_read(&replaced(
        &packed(""),
        "/Size 7",
        "/Size 9999999999999/Index[0 2000000000]",
    ));
    is_read(&replaced(&packed(""), "/W[1 2 1]", "/W[0 0 0]"));
    is_read(&replaced(&packed(""), "/W[1 2 1]", "/W[9 9999999999 -1]"));
}

#[test]
fn lengths_that_lie() {
    for length in [
        "0",
        "7",
        "999999",
        "99999999999999999999",
        "-5",
        "(no)",
        "5 0 R",
        "8 0 R",
        "6 0 R",
    ] {
        let content = format!("<</Length {length}>>stream\r\n{TEXT}\r\nendstream");
        let number = TEXT.len().to_string();
        is_read(&pdf(&objects(content.into_bytes(), &[number.as_bytes()])));
    }
    let content = format!("<<>>stream\n{TEXT}\n");
    is_read(&page(content.into_bytes()));
}

#[test]
fn circles_end() {
    let content = || stream("", TEXT.as_bytes());
    // A page tree that contains itself, and its parent.
    let mut all = objects(
        content(),
        &[b"<</Type/Pages/Kids[2 0 R 6 0 R 3 0 R]/Parent 6 0 R>>"],
    );
    all[1] =
        b"<</Type/Pages/Kids[2 0 R 6 0 R]/Parent 6 0 R/Resources<</Font<</F 4 0 R>>>>>>".to_vec();
    is_read(&pdf(&all));
    // References to references, to missing objects, and to themselves.
    let mut all = objects(content(), &[b"7 0 R", b"6 0 R", b"[8 0 R 5 0 R 99 0 R]"]);
    all[2] = b"<</Type/Page/Parent 2 0 R/Contents 8 0 R/Rotate 6 0 R/Annots 7 0 R>>".to_vec();
    is_read(&pdf(&all));
    let mut all = objects(content(), &[b"6 0 R"]);
    all[2] = b"<</Type/Page/Parent 3 0 R/Contents 6 0 R>>".to_vec();
    assert_eq!(code(&pdf(&all)), "no_text");
    // A form that draws itself.
    let form = stream(
        "/Subtype/Form/Resources<</XObject<</X 6 0 R>>/Font<</F 4 0 R>>>>",
        b"/X Do /X Do",
    );
    let mut all = objects(stream("", format!("{TEXT} /X Do").as_bytes()), &[&form]);
    all[1] =
        b"<</Type/Pages/Kids[3 0 R]/Resources<</Font<</F 4 0 R>>/XObject<</X 6 0 R>>>>>>".to_vec();
    is_read(&pdf(&all));
}

#[test]
fn deep_nesting_is_passed_over() {
    for (open, close) in [("[", "]"), ("<</A", ">>"), ("[<</A[", "]>>]")] {
        for times in [100, 100_000] {
            let deep = format!("{}{}", open.repeat(times), close.repeat(times));
            let mut all = objects(stream("", TEXT.as_bytes()), &[deep.as_bytes()]);
            all[2] = b"<</Type/Page/Rotate 6 0 R/Parent 2 0 R/Contents 5 0 R>>".to_vec();
            is_read(&pdf(&all));
            is_read(&replaced(
                &pdf(&all),
                "/Root",
                &format!("/Deep {deep}/Root"),
            ));
        }
    }
    // A page tree as deep as it has nodes.
    let mut all = objects(stream("", TEXT.as_bytes()), &[]);
    all[1] = b"<</Type/Pages/Kids[6 0 R]/Resources<</Font<</F 4 0 R>>>>>>".to_vec();
    for number in 7..5_000 {
        all.push(format!("<</Kids[{number} 0 R]>>").into_bytes());
    }
    all.push(b"<</Kids[3 0 R]>>".to_vec());
    is_read(&pdf(&all));
}

#[test]
fn streams_that_are_cut_or_broken_are_read_as_far_as_they_go() {
    let noise: String = (0..4_000_u32)
        .map(|n| format!("{} w ", n.wrapping_mul(7_919)))
        .collect();
    let packed = compress_to_vec_zlib(format!("{TEXT} {noise}").as_bytes(), 6);
    is_read(&page(stream("/Filter/FlateDecode", &packed)));
    is_read(&page(stream(
        "/Filter/FlateDecode",
        &packed[..packed.len() / 2],
    )));
    is_read(&page(stream(
        "/Filter[/FlateDecode]",
        &[&[0xff, 0xff], &packed[2..]].concat(),
    )));
    assert_eq!(code(&page(stream("/Filter/FlateDecode", b"?"))), "no_text");
    assert_eq!(
        code(&page(stream("/Filter/DCTDecode", TEXT.as_bytes()))),
        "no_text"
    );
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let zeros = vec![b' '; 17 << 20];
    let bomb = compress_to_vec_zlib(&zeros, 6);
    assert_eq!(
        code(&page(stream("/Filter/FlateDecode", &bomb))),
        "too_large"
    );
    let twice = compress_to_vec_zlib(&bomb, 6);
    assert_eq!(
        code(&page(stream("/Filter[/FlateDecode/Fl]", &twice))),
        "too_large"
    );
    // One form that is drawn again and again.
    let some = compress_to_vec_zlib(&zeros[..5 << 20], 6);
    let mut all = objects(stream("/Filter/FlateDecode", &some), &[]);
    all[2] = format!(
        "<</Type/Page/Parent 2 0 R/Contents[{}]>>",
        "5 0 R ".repeat(1_000)
    )
    .into_bytes();
    assert_eq!(code(&pdf(&all)), "too_large");
    // Streams of objects, tables, and maps of characters.
    let head = "/Type/ObjStm/N 9/First 9/Filter/FlateDecode";
    let mut all = objects(stream("", TEXT.as_bytes()), &[&stream(head, &bomb)]);
    let bytes = replaced(&pdf(&all), "startxref", "startnone");
    assert_eq!(
        code(&replaced(&bytes, "/Pages 2 0 R", "/Pages 9 0 R")),
        "too_large"
    );
    all[3] = FONT
        .replace("/BaseFont", "/ToUnicode 6 0 R/BaseFont")
        .into_bytes();
    all[5] = stream("/Filter/FlateDecode", &bomb);
    assert_eq!(code(&pdf(&all)), "too_large");
    // Many fonts that share a large object.
    let map = format!("{} endbfchar", "<01><0041> ".repeat(15_000));
    let mut all = objects(
        Vec::new(),
        &[&stream(
            "/Filter/FlateDecode",
            &compress_to_vec_zlib(map.as_bytes(), 6),
        )],
    );
    let (mut names, mut content) = (String::new(), String::new());
    for number in 7..1_000 {
        all.push(
            FONT.replace("/BaseFont", "/ToUnicode 6 0 R/BaseFont")
                .into_bytes(),
        );
        names += &format!("/F{number} {number} 0 R");
        content += &format!("/F{number} 1 Tf ");
    }
    all[1] = format!("<</Kids[3 0 R]/Resources<</Font<<{names}>>>>>>").into_bytes();
    all[4] = stream("", content.as_bytes());
    assert_eq!(code(&pdf(&all)), "too_large");
    let names = format!(
        "<</Differences[{}]>>",
        format!("/{}", "n".repeat(999)).repeat(999)
    );
    for font in &mut all[6..106] {
        *font = b"<</Type/Font/Subtype/Type1/Encoding 6 0 R>>".to_vec();
    }
    all.truncate(106);
    all[5] = names.into_bytes();
    assert_eq!(code(&pdf(&all)), "too_large");
}

#[test]
fn more_values_than_may_be_held_are_refused() {
    let many = format!("[{}]", "0 ".repeat(crate::limits::MAX_PDF_VALUES));
    let mut all = objects(stream("", TEXT.as_bytes()), &[many.as_bytes()]);
    // Objects that are not needed are not read.
    is_read(&pdf(&all));
    all[2] = b"<</Type/Page/Parent 2 0 R/Contents 6 0 R>>".to_vec();
    assert_eq!(code(&pdf(&all)), "too_large");
    // Streams without an end, for each of which the rest of the file is searched.
    let mut all = objects(b"null".to_vec(), &[b"<<>>stream\n".as_slice(); 200]);
    let kids: String = (6..200).map(|number| format!("{number} 0 R ")).collect();
    all[1] = format!("<</Kids[{kids}]>>").into_bytes();
    assert_eq!(code(&pdf(&all)), "no_text");
    all.push(vec![b' '; 1 << 20]);
    assert_eq!(code(&pdf(&all)), "too_large");
    let kids = "3 0 R ".repeat(crate::limits::MAX_PAGES + 1);
    let mut all = objects(stream("", TEXT.as_bytes()), &[]);
    all[1] = format!("<</Kids[{kids}]>>").into_bytes();
    assert_eq!(code(&pdf(&all)), "too_large");
}

#[test]
fn names_of_glyphs() {
    let font = FONT.replace(
        "/WinAnsiEncoding",
        "<</Differences[1/eacute/uni4E2D/f_i/afii10017/one.oldstyle/Omega/g17]/BaseEncoding/MacRomanEncoding>>",
    );
    let mut all = objects(
        stream(
            "",
            b"BT /F 12 Tf 60 700 Td (\x01\x02\x03\x04\x05\x06 \x8e) Tj ET",
        ),
        &[],
    );
    all[3] = font.into_bytes();
    assert!(
        text(&pdf(&all)).contains("é中fiА1Ω é"),
        "{}",
        text(&pdf(&all))
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn a_broken_file_does_not_panic(
        which in 0..5_usize,
        changes in proptest::collection::vec((0..50_000_usize, proptest::prelude::any::<u8>()), 0..8),
        words in proptest::collection::vec((0..50_000_usize, 0..12_usize), 0..4),
    ) {
        let mut bytes = match which {
            0 => packed(""),
            1 => include_bytes!("../../../tests/samples/locked_rc4.pdf").to_vec(),
            2 => include_bytes!("../../../tests/samples/locked_aes128.pdf").to_vec(),
            3 => include_bytes!("../../../tests/samples/locked_aes256.pdf").to_vec(),
            _ => page(stream("", TEXT.as_bytes())),
        };
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        const WORDS: [&str; 12] = [
            "[", "<<", ">>", " 1 0 R", "stream\n", "endobj", "99999999999", "-1", "/Length 3 0 R", "(", "/Kids[2 0 R]", "trailer<<",
        ];
        for (at, word) in words {
            let at = at % bytes.len();
            bytes.splice(at..at, WORDS[word].bytes());
        }
        let _ = read(&file(&bytes));
    }
}
