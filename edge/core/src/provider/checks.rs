//! What every vendor's tests do with a stream.

use super::{
    Delta, Failure,
    decoder::{Decoder, Read},
};

/// The deltas of a whole body that comes in these pieces.
pub fn decode<R: Read + Default + 'static>(pieces: &[&[u8]]) -> Result<Vec<Delta>, Failure> {
    let mut decoder = Decoder::new(Box::new(R::default()));
    let mut deltas = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut deltas)?;
    }
    decoder.end()?;
    Ok(deltas)
}

/// The stream says this, wherever it is cut.
pub fn says<R: Read + Default + 'static>(stream: &str, expected: &[Delta]) {
    for cut in 0..=stream.len() {
        let (a, b) = stream.as_bytes().split_at(cut);
        assert_eq!(decode::<R>(&[a, b]).unwrap(), expected, "cut at {cut}");
    }
}
