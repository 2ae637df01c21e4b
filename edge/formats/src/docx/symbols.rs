//! Characters of symbol fonts (`w:sym`), such as the tick in a table of what a price includes.

/// Characters of the font Wingdings by their numbers.
const WINGDINGS: [(u32, char); 14] = [
    (0x6c, '●'),
    (0x6e, '■'),
    (0x6f, '□'),
    (0x71, '❑'),
    (0xa7, '▪'),
    (0xa8, '☐'),
    (0xab, '★'),
    (0xd8, '➢'),
    (0xe0, '→'),
    (0xe8, '➔'),
    (0xfb, '✗'),
    (0xfc, '✓'),
    (0xfd, '☒'),
    (0xfe, '☑'),
];

/// Characters of the font Symbol by their numbers.
const SYMBOL: [(u32, char); 12] = [
    (0x61, 'α'),
    (0x62, 'β'),
    (0x6d, 'μ'),
    (0x70, 'π'),
    (0xa3, '≤'),
    (0xae, '→'),
    (0xb0, '°'),
    (0xb1, '±'),
    (0xb3, '≥'),
    (0xb4, '×'),
    (0xb7, '•'),
    (0xb8, '÷'),
];

/// The character of a font; `None` where it is unknown what it shows. `number` is hexadecimal.
pub(super) fn character(font: &str, number: &str) -> Option<char> {
    let number = u32::from_str_radix(number, 16).ok()?;
    let of = |table: &[(u32, char)]| {
        let known = table.iter().find(|(own, _)| *own == number & 0xff);
        known.map(|(_, character)| *character)
    };
    match font {
        "Wingdings" => of(&WINGDINGS),
        "Symbol" => of(&SYMBOL),
        _ => char::from_u32(number).filter(|c| !('\u{e000}'..='\u{f8ff}').contains(c)),
    }
}
