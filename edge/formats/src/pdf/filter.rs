//! The filters of streams. No stream is unpacked to more than a limit.

use std::borrow::Cow;

use miniz_oxide::inflate::{
    DecompressError, TINFLStatus, decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit,
};

use super::{
    lex::Lexer,
    object::{Dictionary, Object},
};

/// Most filters of a stream.
pub(super) const MAX_FILTERS: usize = 8;

/// Why a stream cannot be unpacked.
#[derive(Debug, PartialEq)]
pub(super) enum FilterError {
    TooLarge,
    /// An unknown filter (pictures), or data that is broken from its first byte.
    Unknown,
}

/// The filters of a dictionary with their parameters, in order. The dictionary must contain no references.
pub(super) fn direct(dictionary: &Dictionary) -> (Vec<&[u8]>, Vec<Option<&Dictionary>>) {
    let list = |key: &[u8]| match dictionary.get(key) {
        Some(Object::Array(items)) => items.iter().take(MAX_FILTERS).collect(),
        Some(item) => vec![item],
        None => Vec::new(),
    };
    (
        list(b"Filter")
            .into_iter()
            .map(|item| item.as_name().unwrap_or_default())
            .collect(),
        list(b"DecodeParms")
            .into_iter()
            .map(Object::as_dictionary)
            .collect(),
    )
}

/// Applies the filters one after the other. Data that is cut off or damaged is read up to that point.
pub(super) fn unpack<'a>(
    data: Cow<'a, [u8]>,
    filters: &[&[u8]],
    params: &[Option<&Dictionary>],
    limit: usize,
) -> Result<Cow<'a, [u8]>, FilterError> {
    let mut data = data;
    if filters.len() > MAX_FILTERS {
        return Err(FilterError::Unknown);
    }
    for (index, name) in filters.iter().enumerate() {
        let number = |key: &[u8], default| {
            let value = params.get(index).copied().flatten();
            let value = value.and_then(|params| params.get(key)?.as_integer());
            value.map_or(default, |value| usize::try_from(value).unwrap_or(default))
        };
        let unpacked = match *name {
            b"FlateDecode" | b"Fl" => inflate(&data, limit)?,
            b"LZWDecode" | b"LZW" => lzw(&data, number(b"EarlyChange", 1) != 0, limit)?,
            b"ASCII85Decode" | b"A85" => ascii85(&data, limit),
            b"ASCIIHexDecode" | b"AHx" => {
                let mut digits = vec![b'<'];
                digits.extend_from_slice(&data);
                Lexer::new(&digits).hex()
            }
            b"RunLengthDecode" | b"RL" => run_length(&data, limit)?,
            // The filter names the encryption of the stream, which has been decrypted already.
            b"Crypt" => continue,
            _ => return Err(FilterError::Unknown),
        };
        data = Cow::Owned(match name.first() {
            Some(b'F' | b'L') if number(b"Predictor", 1) > 1 => {
                let sample = number(b"Colors", 1).saturating_mul(number(b"BitsPerComponent", 8));
                let row = sample.saturating_mul(number(b"Columns", 1)).div_ceil(8);
                let pixel = sample.div_ceil(8).max(1);
                match number(b"Predictor", 1) {
                    2 => tiff(unpacked, row, pixel, number(b"BitsPerComponent", 8)),
                    _ => png(&unpacked, row, pixel),
                }
            }
            _ => unpacked,
        });
        if data.len() > limit {
            return Err(FilterError::TooLarge);
        }
    }
    Ok(data)
}

fn inflate(data: &[u8], limit: usize) -> Result<Vec<u8>, FilterError> {
    let partly = |error: DecompressError| {
        if error.status == TINFLStatus::HasMoreOutput {
            return Err(FilterError::TooLarge);
        }
        // The buffer has zeros after the unpacked bytes.
        let mut output = error.output;
        let length = output.iter().rposition(|byte| *byte != 0);
        output.truncate(length.map_or(0, |last| last + 1));
        Ok(output)
    };
    // Line ends that are not part of the data may precede it.
    let data = data.trim_ascii_start();
    let whole = decompress_to_vec_zlib_with_limit(data, limit).or_else(partly)?;
    if !whole.is_empty() || data.len() < 3 {
        return Ok(whole);
    }
    // Its first two bytes may be wrong.
    let bare = data.get(2..).unwrap_or_default();
    decompress_to_vec_with_limit(bare, limit).or_else(partly)
}

fn lzw(data: &[u8], early: bool, limit: usize) -> Result<Vec<u8>, FilterError> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    // For each code, the position of its string in the output, and its length.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut before: Option<(usize, usize)> = None;
    let mut out: Vec<u8> = Vec::new();
    let (mut bits, mut held, mut width) = (0_usize, 0_u32, 9_u32);
    for byte in data {
        bits = (bits << 8 | usize::from(*byte)) & 0xff_ffff;
        held += 8;
        if held < width {
            continue;
        }
        held -= width;
        let code = (bits >> held) & ((1 << width) - 1);
        if code == CLEAR {
            table.clear();
            before = None;
            width = 9;
            continue;
        }
        if code == END {
            break;
        }
        let start = out.len();
        if let Ok(byte) = u8::try_from(code) {
            out.push(byte);
        } else {
            let next = before.map(|(at, length)| (at, length + 1));
            let known = table.get(code - 258).copied();
            let Some((at, length)) = known.or(next) else {
                break;
            };
            if out.len() + length > limit {
                return Err(FilterError::TooLarge);
            }
            for index in at..at + length {
                let Some(byte) = out.get(index).copied() else {
                    break;
                };
                out.push(byte);
            }
        }
        if let Some((at, length)) = before
            && table.len() < 4_096 - 258
        {
            // A code that is longer than the last string by one: its additional byte is the next byte of the output,
            // the first one of that string.
            table.push((at, length + 1));
        }
        before = Some((start, out.len() - start));
        width = match table.len() + 259 + usize::from(early) {
            0..=512 => 9,
            513..=1_024 => 10,
            1_025..=2_048 => 11,
            _ => 12,
        };
        if out.len() > limit {
            return Err(FilterError::TooLarge);
        }
    }
    Ok(out)
}

fn ascii85(data: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut value, mut count) = (0_u32, 0_usize);
    let data = data.trim_ascii_start();
    for byte in data.strip_prefix(b"<~").unwrap_or(data) {
        if out.len() > limit {
            break;
        }
        match byte {
            b'z' if count == 0 => out.extend([0; 4]),
            b'!'..=b'u' => {
                value = value.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                count += 1;
                if count == 5 {
                    out.extend(value.to_be_bytes());
                    (value, count) = (0, 0);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if count > 1 {
        for _ in count..5 {
            value = value.wrapping_mul(85).wrapping_add(84);
        }
        out.extend(value.to_be_bytes().iter().take(count - 1));
    }
    out
}

fn run_length(data: &[u8], limit: usize) -> Result<Vec<u8>, FilterError> {
    let mut out = Vec::new();
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let length = usize::from(*length);
        if length < 128 {
            let (copied, after) = after.split_at(after.len().min(length + 1));
            out.extend_from_slice(copied);
            rest = after;
        } else if let (129.., Some((byte, after))) = (length, after.split_first()) {
            out.resize(out.len() + 257 - length, *byte);
            rest = after;
        } else {
            break;
        }
        if out.len() > limit {
            return Err(FilterError::TooLarge);
        }
    }
    Ok(out)
}

/// The first byte of a row names the neighbours to which its bytes are added.
fn png(data: &[u8], row: usize, pixel: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(data.len());
    // A row that is longer than the data is the data.
    let row = row.min(data.len());
    for line in data.chunks(row + 1) {
        let Some((kind, line)) = line.split_first() else {
            break;
        };
        let start = out.len();
        for (index, byte) in line.iter().enumerate() {
            let of = |at: Option<usize>| at.and_then(|at| out.get(at)).copied().unwrap_or(0);
            let at = start + index;
            let left = of((index >= pixel).then(|| at - pixel));
            let up = of(at.checked_sub(row));
            let corner = of((index >= pixel)
                .then(|| at - pixel)
                .and_then(|at| at.checked_sub(row)));
            let guess = match kind {
                1 => left,
                2 => up,
                3 => left.midpoint(up),
                4 => paeth(left, up, corner),
                _ => 0,
            };
            out.push(byte.wrapping_add(guess));
        }
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let (to_left, to_up, to_corner) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
    if to_left <= to_up && to_left <= to_corner {
        left
    } else if to_up <= to_corner {
        up
    } else {
        corner
    }
}

/// Each byte is added to that of the pixel to its left.
fn tiff(mut data: Vec<u8>, row: usize, pixel: usize, depth: usize) -> Vec<u8> {
    if depth == 8 && row > 0 {
        for line in data.chunks_mut(row) {
            for at in pixel..line.len() {
                let left = at
                    .checked_sub(pixel)
                    .and_then(|left| line.get(left))
                    .copied();
                if let (Some(left), Some(byte)) = (left, line.get_mut(at)) {
                    *byte = byte.wrapping_add(left);
                }
            }
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &[u8], data: &[u8]) -> Vec<u8> {
        unpack(data.into(), &[name], &[], 1_000_000)
            .unwrap()
            .into_owned()
    }

    /// Codes of one string after the other, in the widths that a reader expects.
    fn pack_lzw(data: &[u8], early: usize) -> Vec<u8> {
        let mut known: std::collections::HashMap<Vec<u8>, usize> = (0..=255_u8)
            .map(|byte| (vec![byte], usize::from(byte)))
            .collect();
        let (mut out, mut held, mut bits) = (Vec::new(), 0_u64, 0);
        let mut put = |code: usize, next: usize| {
            let width = match next + early {
                0..512 => 9,
                512..1_024 => 10,
                1_024..2_048 => 11,
                _ => 12,
            };
            held = held << width | code as u64;
            bits += width;
            while bits >= 8 {
                bits -= 8;
                out.push((held >> bits) as u8);
                held &= (1 << bits) - 1;
            }
        };
        let (mut next, mut word) = (258, Vec::new());
        put(256, 0);
        for byte in data {
            let mut longer = word.clone();
            longer.push(*byte);
            if !known.contains_key(&longer) {
                // The reader is one code behind the writer.
                put(known[&word], next - 1);
                if next < 4_095 {
                    known.insert(longer, next);
                    next += 1;
                }
                longer = vec![*byte];
            }
            word = longer;
        }
        put(known[&word], next - 1);
        put(257, next);
        put(0, 0);
        out
    }

    #[test]
    fn packed_as_text_in_runs_and_in_words() {
        assert_eq!(one(b"ASCIIHexDecode", b"48 65 6C6c 6>"), b"Hell`");
        assert_eq!(one(b"A85", b" <~87cURDZ~>rest"), b"Hello");
        assert_eq!(one(b"ASCII85Decode", b"z!!"), [0; 5]);
        assert_eq!(
            one(b"RunLengthDecode", &[1, b'a', b'b', 254, b'c', 128, 9]),
            b"abccc"
        );
        assert_eq!(one(b"RunLengthDecode", &[9, b'a']), b"a");
        let example = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(one(b"LZWDecode", &example), b"-----A---B");
        let text: Vec<u8> = (0..60_000_u32).map(|n| ((n * n) >> 7) as u8 & 31).collect();
        assert_eq!(one(b"LZW", &pack_lzw(&text, 1)), text);
        let params = Dictionary::new(vec![(b"EarlyChange".to_vec(), Object::Integer(0))]);
        let late = pack_lzw(&text, 0);
        let late = unpack(late.into(), &[b"LZW"], &[Some(&params)], 1_000_000);
        assert_eq!(late.unwrap(), text);
    }

    #[test]
    fn predictors() {
        let rows = [1, 1, 1, 1, 2, 1, 1, 1, 3, 2, 2, 2, 4, 1, 1, 1, 0, 9, 9];
        assert_eq!(png(&rows, 3, 1), [1, 2, 3, 2, 3, 4, 3, 5, 6, 4, 6, 7, 9, 9]);
        assert_eq!(png(&rows, usize::MAX, usize::MAX).len(), rows.len() - 1);
        assert!(png(&[], 3, 1).is_empty());
        assert_eq!(tiff(vec![1, 1, 1, 5, 1], 3, 1, 8), [1, 2, 3, 5, 6]);
    }

    #[test]
    fn bombs_of_every_kind_are_refused() {
        let mut lzw = vec![0x80, 0x0b];
        lzw.extend([0xff; 3_000]);
        for (name, data) in [
            (b"A85".as_slice(), vec![b'z'; 3_000]),
            (b"RL", [129, 0].repeat(100)),
            (b"LZW", pack_lzw(&vec![0; 20_000], 1)),
            (b"AHx", vec![b'0'; 30_000]),
        ] {
            let unpacked = unpack(data.into(), &[name], &[], 10_000);
            assert_eq!(unpacked, Err(FilterError::TooLarge), "{name:?}");
        }
        let many = [b"A85".as_slice(); MAX_FILTERS + 1];
        assert_eq!(
            unpack(lzw.into(), &many, &[], 10),
            Err(FilterError::Unknown)
        );
    }
}
