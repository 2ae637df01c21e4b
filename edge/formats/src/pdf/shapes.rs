//! What a page draws besides letters: the marks of lists that are drawn as shapes, and the lines through struck-out text.

use super::{
    lex::Token,
    matrix::{Matrix, transform},
    pieces::{Glyph, TextLine, is_rtl},
    sort::sort_by,
};

/// Most shapes of a page that are kept; a page with more is a drawing.
const MAX_SHAPES: usize = 20_000;

/// Most shapes at one height that are looked at for one letter.
const MAX_LOOK: usize = 256;

/// Longest side of a mark, and most height of a line, in points.
const MAX_MARK: f32 = 24.0;
const MAX_LINE: f32 = 6.0;

/// The smallest rectangle around a shape, in points, as the page is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    x: f32,
    end: f32,
    bottom: f32,
    top: f32,
}

impl Shape {
    /// Around points; `None` without any.
    fn around(points: impl Iterator<Item = (f32, f32)>) -> Option<Self> {
        points.fold(None, |shape: Option<Self>, (x, y)| {
            let before = shape.unwrap_or(Self {
                x,
                end: x,
                bottom: y,
                top: y,
            });
            Some(Self {
                x: before.x.min(x),
                end: before.end.max(x),
                bottom: before.bottom.min(y),
                top: before.top.max(y),
            })
        })
    }

    fn wide(&self) -> f32 {
        self.end - self.x
    }

    fn high(&self) -> f32 {
        self.top - self.bottom
    }

    fn middle(&self) -> f32 {
        self.bottom.midpoint(self.top)
    }
}

/// The path that is being built: a shape for each of its parts.
#[derive(Default)]
pub(super) struct Path(Vec<Shape>);

impl Path {
    /// Follows an operator that builds or paints a path. `stroke` is the width of lines.
    pub(super) fn operator(
        &mut self,
        operator: &[u8],
        operands: &[Token],
        matrix: Matrix,
        stroke: f32,
        out: &mut Vec<Shape>,
    ) {
        let number = |token: &Token| match token {
            Token::Number(value) => *value,
            _ => 0.0,
        };
        let numbers: Vec<f32> = operands.iter().map(number).collect();
        match (operator, numbers.as_slice()) {
            (b"m" | b"l" | b"c" | b"v" | b"y", points) => {
                let points = points.as_chunks::<2>().0.iter();
                let part = Shape::around(points.map(|[x, y]| transform(matrix, *x, *y)));
                self.add(part, operator == b"m");
            }
            (b"re", &[x, y, wide, high]) => {
                let corners = [(x, y), (x + wide, y), (x, y + high), (x + wide, y + high)];
                let corners = corners.into_iter();
                self.add(
                    Shape::around(corners.map(|(x, y)| transform(matrix, x, y))),
                    true,
                );
            }
            (b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*", _) => self.paint(0.0, out),
            (b"S" | b"s", _) => {
                let [a, b, c, d, ..] = matrix;
                self.paint(stroke * a.hypot(b).max(c.hypot(d)) / 2.0, out);
            }
            (b"n", _) => self.0.clear(),
            _ => {}
        }
    }

    /// Adds a part of the path, or continues the last one.
    fn add(&mut self, part: Option<Shape>, begins: bool) {
        let Some(part) = part else { return };
        let full = self.0.len() > MAX_SHAPES;
        match self.0.last_mut() {
            Some(last) if !begins => {
                last.x = last.x.min(part.x);
                last.end = last.end.max(part.end);
                last.bottom = last.bottom.min(part.bottom);
                last.top = last.top.max(part.top);
            }
            _ if !full => self.0.push(part),
            _ => {}
        }
    }

    /// Keeps the parts that may be marks or lines. `half` is half the width of the line around them.
    fn paint(&mut self, half: f32, out: &mut Vec<Shape>) {
        for part in self.0.drain(..) {
            let shape = Shape {
                x: part.x - half,
                end: part.end + half,
                bottom: part.bottom - half,
                top: part.top + half,
            };
            let is_mark = shape.wide() <= MAX_MARK && shape.high() <= MAX_MARK;
            let upright = shape.high() > shape.wide() * 4.0;
            let fits = (is_mark && !upright) || shape.high() <= MAX_LINE;
            let finite = shape.wide().is_finite() && shape.middle().is_finite();
            if fits && finite && out.len() <= MAX_SHAPES {
                out.push(shape);
            }
        }
    }
}

/// The picture that is drawn into the unit square of a matrix.
pub(super) fn picture(matrix: Matrix, out: &mut Vec<Shape>) {
    let mut path = Path::default();
    let unit = [0.0, 0.0, 1.0, 1.0].map(Token::Number);
    path.operator(b"re", &unit, matrix, 0.0, out);
    path.paint(0.0, out);
}

/// The shapes of a page by their middle, from below.
pub(super) struct Shapes(Vec<Shape>);

impl Shapes {
    pub(super) fn new(mut shapes: Vec<Shape>) -> Self {
        if shapes.len() > MAX_SHAPES {
            shapes.clear();
        }
        sort_by(&mut shapes, |a, b| a.middle().total_cmp(&b.middle()));
        Self(shapes)
    }

    /// Those whose middle is between two heights.
    fn between(&self, low: f32, high: f32) -> impl Iterator<Item = (usize, &Shape)> {
        let from = self.0.partition_point(|shape| shape.middle() < low);
        let shapes = self.0.iter().enumerate().skip(from).take(MAX_LOOK);
        shapes.take_while(move |(_, shape)| shape.middle() <= high)
    }

    /// Blanks the letters that a line goes through. The line is as long as the text: what reaches further is a rule of the
    /// page.
    pub(super) fn strike(&self, glyphs: &mut [Glyph]) {
        if self.0.is_empty() {
            return;
        }
        let through: Vec<Option<usize>> = glyphs.iter().map(|glyph| self.through(glyph)).collect();
        // Where the letters begin and end that each line goes through.
        let mut extents: Vec<Option<(f32, f32)>> = vec![None; self.0.len()];
        for (glyph, line) in glyphs.iter().zip(&through) {
            if let Some(extent) = line.and_then(|line| extents.get_mut(line)) {
                let (x, end) = extent.unwrap_or((glyph.x, glyph.end));
                *extent = Some((x.min(glyph.x), end.max(glyph.end)));
            }
        }
        for (glyph, line) in glyphs.iter_mut().zip(through) {
            let Some(line) = line else { continue };
            let extent = extents.get(line).copied().flatten();
            let fits = self
                .0
                .get(line)
                .zip(extent)
                .is_some_and(|(shape, (x, end))| {
                    let slack = glyph.size * 0.6;
                    shape.x > x - slack && shape.end < end + slack
                });
            if fits {
                glyph.text = BLANK.to_owned();
            }
        }
    }

    /// The line that goes through a letter.
    fn through(&self, glyph: &Glyph) -> Option<usize> {
        let (size, wide) = (glyph.size, glyph.end - glyph.x);
        let lines = self.between(glyph.y + size * 0.14, glyph.y + size * 0.48);
        let mut lines = lines.filter(|(_, line)| {
            line.high() <= size * 0.14
                && line.wide() >= size * 0.5
                && line.x <= glyph.x + wide * 0.3
                && line.end >= glyph.end - wide * 0.3
        });
        lines.next().map(|(at, _)| at)
    }

    /// Puts `•` before the lines that a drawn mark stands before: two or more such marks stand below each other.
    pub(super) fn mark_items(&self, lines: &mut [TextLine]) {
        if self.0.is_empty() {
            return;
        }
        let marks: Vec<Option<Shape>> = lines.iter().map(|it| self.mark_of(it, lines)).collect();
        for (line, mark) in lines.iter_mut().zip(&marks) {
            let Some(mark) = mark else { continue };
            let same = |other: &&Shape| (other.x - mark.x).abs() < line.size * 0.3;
            if marks.iter().flatten().filter(same).count() > 1 {
                line.mark(mark.x, mark.end);
            }
        }
    }

    /// The mark that stands before a line, with no text beside it.
    fn mark_of(&self, line: &TextLine, lines: &[TextLine]) -> Option<Shape> {
        let size = line.size;
        let right = line
            .text
            .chars()
            .find(|c| c.is_alphabetic())
            .is_some_and(is_rtl);
        let away = |mark: &Shape| {
            if right {
                mark.x - line.end
            } else {
                line.x - mark.end
            }
        };
        let near = self.between(line.y - size * 0.1, line.y + size * 0.75);
        let near = near.map(|(_, mark)| mark).filter(|mark| {
            let (wide, high) = (mark.wide() / size, mark.high() / size);
            let dot = (0.18..0.9).contains(&wide) && (0.18..0.9).contains(&high);
            let dash = (0.25..0.9).contains(&wide) && (0.03..0.18).contains(&high);
            (dot || dash) && (size * 0.05..size * 3.0).contains(&away(mark))
        });
        let mark = near.min_by(|a, b| away(a).total_cmp(&away(b)))?;
        let beside = lines.iter().any(|other| {
            (other.y - line.y).abs() < size * 0.5
                && other.x < mark.end + size * 0.1
                && other.end > mark.x - size
        });
        (!beside).then_some(*mark)
    }
}

/// What stands for a struck-out letter: it has a width and no text (zero-width spaces are no text of a document), and parts
/// the words beside it.
const BLANK: &str = "\u{200b} \u{200b}";
