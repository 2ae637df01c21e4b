//! The content stream of a page: its glyphs and shapes, each with its place.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use super::{
    file::Pdf,
    filter::FilterError,
    font::Font,
    lex::{Lexer, Token},
    matrix::{IDENTITY, Matrix, times},
    object::{Dictionary, Object, Stream},
    pieces::Glyph,
    shapes::{self, Path, Shape},
};
use crate::{Unreadable, limits};

/// Most levels of forms within forms.
const MAX_FORMS: usize = 12;

/// What a page draws.
#[derive(Default)]
pub(super) struct Drawn {
    /// In the order in which they are drawn.
    pub(super) glyphs: Vec<Glyph>,
    /// Those that may be marks of lists or lines through text.
    pub(super) shapes: Vec<Shape>,
}

/// Reads the content of pages; they share fonts and bounds.
pub(super) struct ContentReader<'a> {
    pdf: &'a Pdf<'a>,
    /// By the addresses of their dictionaries in memory.
    fonts: HashMap<usize, Rc<Font>>,
    /// Operations so far.
    operations: usize,
    /// The number of codes whose text the font does not give, and of all codes.
    pub(super) unknown: usize,
    pub(super) known: usize,
}

#[derive(Clone)]
struct TextState {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    char_space: f32,
    word_space: f32,
    scale: f32,
    leading: f32,
    rise: f32,
    /// Width of the lines of paths.
    stroke: f32,
}

impl<'a> ContentReader<'a> {
    pub(super) fn new(pdf: &'a Pdf<'a>) -> Self {
        Self {
            pdf,
            fonts: HashMap::new(),
            operations: 0,
            unknown: 0,
            known: 0,
        }
    }

    /// The letters and shapes of a page.
    pub(super) fn page(&mut self, page: &Dictionary) -> Result<Drawn, Unreadable> {
        let pdf = self.pdf;
        let resources = inherited(pdf, page, b"Resources").and_then(Object::as_dictionary);
        let turn = inherited(pdf, page, b"Rotate").and_then(Object::as_integer);
        let mut content = Vec::new();
        let parts = match pdf.entry(page, b"Contents") {
            Some(Object::Array(parts)) => parts.as_slice(),
            Some(part) => std::slice::from_ref(part),
            None => &[],
        };
        for part in parts {
            if let Some(stream) = pdf.resolve(part).as_stream() {
                content.extend_from_slice(&self.unpack(stream)?);
                content.push(b'\n');
            }
            if content.len() > limits::MAX_PAGE_BYTES {
                return Err(super::too_large());
            }
        }
        let matrix = match turn.unwrap_or(0).rem_euclid(360) {
            90 => [0.0, -1.0, 1.0, 0.0, 0.0, 0.0],
            180 => [-1.0, 0.0, 0.0, -1.0, 0.0, 0.0],
            270 => [0.0, 1.0, -1.0, 0.0, 0.0, 0.0],
            _ => IDENTITY,
        };
        let state = TextState {
            matrix,
            font: None,
            size: 0.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
            stroke: 1.0,
        };
        let mut drawn = Drawn::default();
        self.run(&content, resources, state, 0, &mut drawn)?;
        Ok(drawn)
    }

    fn unpack(&self, stream: &Stream) -> Result<Cow<'a, [u8]>, Unreadable> {
        match self.pdf.unpack(stream, limits::MAX_PAGE_BYTES) {
            Ok(data) => Ok(data),
            Err(FilterError::TooLarge) => Err(super::too_large()),
            Err(FilterError::Unknown) => Ok(Cow::Borrowed(&[])),
        }
    }

    fn font(&mut self, resources: Option<&Dictionary>, name: &[u8]) -> Option<Rc<Font>> {
        let pdf = self.pdf;
        let fonts = pdf.entry(resources?, b"Font")?.as_dictionary()?;
        let font = pdf.entry(fonts, name)?.as_dictionary()?;
        let read = self
            .fonts
            .entry(std::ptr::from_ref(font).addr())
            .or_insert_with(|| Rc::new(Font::read(pdf, font)));
        Some(Rc::clone(read))
    }

    fn run(
        &mut self,
        content: &[u8],
        resources: Option<&Dictionary>,
        mut state: TextState,
        depth: usize,
        out: &mut Drawn,
    ) -> Result<(), Unreadable> {
        let mut lexer = Lexer::new(content);
        let mut operands: Vec<Token> = Vec::new();
        let mut saved: Vec<TextState> = Vec::new();
        let (mut text, mut line) = (IDENTITY, IDENTITY);
        let mut path = Path::default();
        // Depth of open marked content, and the depth at which an artifact (no text of the page) began.
        let (mut marked, mut artifact) = (0_usize, None::<usize>);
        while let Some(token) = lexer.next() {
            let Token::Operator(operator) = token else {
                if operands.len() < 64 {
                    operands.push(token);
                }
                continue;
            };
            self.operations += 1;
            if self.operations > limits::MAX_OPERATIONS {
                return Err(Unreadable::too_large(
                    "The PDF draws more than may be read. Divide it into several files.",
                ));
            }
            let number = |at: usize| match operands.get(at) {
                Some(Token::Number(value)) => *value,
                _ => 0.0,
            };
            let matrix = || {
                [
                    number(0),
                    number(1),
                    number(2),
                    number(3),
                    number(4),
                    number(5),
                ]
            };
            match operator.as_slice() {
                b"q" if saved.len() < 256 => saved.push(state.clone()),
                b"Q" => {
                    if let Some(before) = saved.pop() {
                        state = before;
                    }
                }
                b"cm" => state.matrix = times(matrix(), state.matrix),
                b"BT" => (text, line) = (IDENTITY, IDENTITY),
                b"Tf" => {
                    if let Some(Token::Name(name)) = operands.first() {
                        state.font = self.font(resources, name);
                    }
                    state.size = number(1);
                }
                b"Tc" => state.char_space = number(0),
                b"Tw" => state.word_space = number(0),
                b"Tz" => state.scale = number(0) / 100.0,
                b"TL" => state.leading = number(0),
                b"Ts" => state.rise = number(0),
                b"Td" | b"TD" => {
                    if operator == b"TD" {
                        state.leading = -number(1);
                    }
                    line = times([1.0, 0.0, 0.0, 1.0, number(0), number(1)], line);
                    text = line;
                }
                b"Tm" => {
                    line = matrix();
                    text = line;
                }
                b"T*" => {
                    line = times([1.0, 0.0, 0.0, 1.0, 0.0, -state.leading], line);
                    text = line;
                }
                b"Tj" | b"TJ" | b"'" | b"\"" => {
                    if operator != b"Tj" && operator != b"TJ" {
                        line = times([1.0, 0.0, 0.0, 1.0, 0.0, -state.leading], line);
                        text = line;
                    }
                    let shown: &[Token] = match operands.last() {
                        Some(Token::Array(items)) => items,
                        Some(last) => std::slice::from_ref(last),
                        None => &[],
                    };
                    self.show(
                        shown,
                        &state,
                        &mut text,
                        artifact.is_none().then_some(&mut out.glyphs),
                    );
                }
                b"BMC" | b"BDC" => {
                    marked += 1;
                    if matches!(operands.first(), Some(Token::Name(name)) if name == b"Artifact") {
                        artifact.get_or_insert(marked);
                    }
                }
                b"EMC" => {
                    if artifact == Some(marked) {
                        artifact = None;
                    }
                    marked = marked.saturating_sub(1);
                }
                b"Do" if depth < MAX_FORMS && artifact.is_none() => {
                    if let Some(Token::Name(name)) = operands.first() {
                        self.form(name, resources, &state, depth, out)?;
                    }
                }
                b"ID" => lexer.skip_picture(),
                b"w" => state.stroke = number(0),
                other => {
                    path.operator(
                        other,
                        &operands,
                        state.matrix,
                        state.stroke,
                        &mut out.shapes,
                    );
                }
            }
            operands.clear();
        }
        Ok(())
    }

    fn form(
        &mut self,
        name: &[u8],
        resources: Option<&Dictionary>,
        state: &TextState,
        depth: usize,
        out: &mut Drawn,
    ) -> Result<(), Unreadable> {
        let pdf = self.pdf;
        let form = resources
            .and_then(|resources| pdf.entry(resources, b"XObject")?.as_dictionary())
            .and_then(|objects| pdf.entry(objects, name)?.as_stream());
        let Some(form) = form else { return Ok(()) };
        let dictionary = &form.dictionary;
        let kind = pdf.entry(dictionary, b"Subtype").and_then(Object::as_name);
        if kind != Some(b"Form") {
            shapes::picture(state.matrix, &mut out.shapes);
            return Ok(());
        }
        let mut inner = state.clone();
        if let Some(matrix) = pdf.entry(dictionary, b"Matrix").and_then(Object::as_array) {
            let mut numbers = matrix
                .iter()
                .map(|number| pdf.resolve(number).as_number().unwrap_or(0.0));
            let own: Matrix = std::array::from_fn(|_| numbers.next().unwrap_or(0.0));
            inner.matrix = times(own, inner.matrix);
        }
        let own = pdf
            .entry(dictionary, b"Resources")
            .and_then(Object::as_dictionary);
        let content = self.unpack(form)?;
        self.run(&content, own.or(resources), inner, depth + 1, out)
    }

    /// Draws a string and moves the position; without an output it only moves.
    fn show(
        &mut self,
        items: &[Token],
        state: &TextState,
        text: &mut Matrix,
        mut out: Option<&mut Vec<Glyph>>,
    ) {
        let Some(font) = state.font.clone() else {
            return;
        };
        for item in items {
            match item {
                Token::Number(back) => {
                    let shift = -back / 1_000.0 * state.size * state.scale;
                    *text = times([1.0, 0.0, 0.0, 1.0, shift, 0.0], *text);
                }
                Token::String(bytes) => {
                    let drawn = font.draw(bytes);
                    self.operations += drawn.len();
                    if font.is_readable() {
                        self.known += drawn.len();
                    } else {
                        self.unknown += drawn.len();
                    }
                    for drawn in drawn {
                        let width = drawn.width / 1_000.0 * state.size * state.scale;
                        let place = times(
                            [1.0, 0.0, 0.0, 1.0, 0.0, state.rise],
                            times(*text, state.matrix),
                        );
                        let [a, b, c, d, x, y] = place;
                        // Text turned by 90 degrees is read as if it were level.
                        let (x, end, y) = if a.abs() >= b.abs() {
                            (x, x + width * a, y)
                        } else {
                            (y, y + width * b, -x)
                        };
                        let size = (state.size * c.hypot(d)).abs();
                        if let Some(out) = out.as_deref_mut()
                            && !drawn.text.is_empty()
                            && [x, end, y, size].iter().all(|number| number.is_finite())
                        {
                            out.push(Glyph {
                                text: drawn.text,
                                x: x.min(end),
                                end: x.max(end),
                                y,
                                size,
                                bold: font.bold,
                            });
                        }
                        let space = if drawn.space { state.word_space } else { 0.0 };
                        let shift = width + (state.char_space + space) * state.scale;
                        *text = times([1.0, 0.0, 0.0, 1.0, shift, 0.0], *text);
                    }
                }
                _ => {}
            }
        }
    }
}

/// An entry of a page, or of the nodes above it.
fn inherited<'a>(pdf: &'a Pdf<'_>, page: &'a Dictionary, key: &[u8]) -> Option<&'a Object> {
    let mut node = page;
    for _ in 0..64 {
        if let Some(object) = pdf.entry(node, key) {
            return Some(object);
        }
        node = pdf.entry(node, b"Parent")?.as_dictionary()?;
    }
    None
}
