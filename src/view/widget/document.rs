//! A text of lines in roles, wrapped to a width and scrolled.
//!
//! Must not lose words: what does not fit a line goes on in the next, indented.

use unicode_segmentation::UnicodeSegmentation;

use crate::app::pane::PaneId;
use crate::stdx::rect::Rect;
use crate::stdx::text;
use crate::theme::Role;
use crate::view::widget::canvas::{Canvas, Piece, piece};

/// A line under construction, with the indent of its continuation.
#[derive(Clone, Debug)]
struct Line {
    pieces: Vec<Piece>,
    indent: usize,
}

/// A document.
#[derive(Clone, Debug, Default)]
pub struct Document {
    lines: Vec<Line>,
}

impl Document {
    /// Adds a line.
    pub fn line(&mut self, pieces: Vec<Piece>) {
        self.lines.push(Line { pieces, indent: 2 });
    }

    /// Adds a line whose continuation stands below its column `indent`.
    pub fn hanging(&mut self, pieces: Vec<Piece>, indent: usize) {
        self.lines.push(Line { pieces, indent });
    }

    /// Adds `label   value` with a value of several pieces.
    pub fn field_of(&mut self, label: &str, value: impl IntoIterator<Item = Piece>) {
        // A label that is too long stands whole, with a column of air before its value.
        let label = if text::width(label) < LABEL { text::pad(label, LABEL) } else { format!("{label} ") };
        let mut pieces = vec![piece(format!("  {label}"), Role::Muted)];
        pieces.extend(value);
        self.hanging(pieces, LABEL + 2);
    }

    /// Adds a line of one role.
    pub fn text(&mut self, text: impl Into<String>, role: Role) {
        self.line(vec![piece(text, role)]);
    }

    /// Adds an empty line, unless one stands there already.
    pub fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.pieces.is_empty()) {
            self.line(Vec::new());
        }
    }

    /// Adds a heading with an empty line above.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.gap();
        self.text(text, Role::Title);
    }

    /// Adds `label   value` with the values aligned.
    pub fn field(&mut self, label: &str, value: impl Into<String>) {
        self.field_in(label, value, Role::Text);
    }

    /// Adds `label   value` with the value in a role.
    pub fn field_in(&mut self, label: &str, value: impl Into<String>, role: Role) {
        self.field_of(label, [piece(value, role)]);
    }

    /// How many lines there are before wrapping.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines at a width.
    #[must_use]
    pub fn wrapped(&self, width: usize) -> Vec<Vec<Piece>> {
        self.lines.iter().flat_map(|line| wrap(line, width)).collect()
    }

    /// Draws it from line `top` and reports its length.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, top: usize, reports_as: PaneId) {
        let lines = self.wrapped(usize::from(area.width));
        canvas.extent(reports_as, lines.len());
        let height = usize::from(area.height);
        let top = top.min(lines.len().saturating_sub(height));
        for (row, line) in (area.y..area.bottom()).zip(lines.iter().skip(top)) {
            canvas.pieces(Rect { y: row, height: 1, ..area }, line);
        }
        if lines.len() > height && area.width > 20 {
            let last = (top + height).min(lines.len());
            let says = format!(" {last}/{} ", lines.len());
            let width = u16::try_from(says.len()).unwrap_or(0);
            let corner = Rect::new(area.right().saturating_sub(width), area.bottom() - 1, width, 1);
            canvas.text(corner, &says, Role::Scrollbar);
        }
    }
}

/// Columns of a field's label.
pub const LABEL: usize = 17;

/// Splits a line at blanks; a word longer than the line is split where it must be.
fn wrap(line: &Line, width: usize) -> Vec<Vec<Piece>> {
    let width = width.max(8);
    let indent = if line.indent * 2 > width { 2 } else { line.indent };
    let mut out: Vec<Vec<Piece>> = vec![Vec::new()];
    let mut used = 0;
    for Piece { text: content, role } in &line.pieces {
        let clean = text::scrub(content);
        for word in clean.split_inclusive(' ') {
            let mut word = word;
            loop {
                // Only as much is measured as fits: a word may be a megabyte.
                let bare = word.trim_end();
                if text::prefix(bare, width.saturating_sub(used)).len() == bare.len() {
                    // The blank after the last word of a line is no part of it.
                    let word = text::prefix(word, width.saturating_sub(used));
                    push(&mut out, word, *role);
                    used += text::width(word);
                    break;
                }
                let fresh = used <= indent;
                if !fresh {
                    out.push(vec![piece(" ".repeat(indent), Role::Text)]);
                    used = indent;
                    continue;
                }
                let head = text::prefix(word, width - used.min(width - 1));
                // A cluster of characters wider than the line stands alone and is cut by the screen.
                let head = if head.is_empty() { word.graphemes(true).next().unwrap_or(word) } else { head };
                push(&mut out, head, *role);
                word = &word[head.len()..];
                if word.is_empty() {
                    used = width;
                    break;
                }
                out.push(vec![piece(" ".repeat(indent), Role::Text)]);
                used = indent;
            }
        }
    }
    out
}

fn push(out: &mut [Vec<Piece>], word: &str, role: Role) {
    let Some(line) = out.last_mut() else { return };
    match line.last_mut() {
        Some(last) if last.role == role => last.text.push_str(word),
        _ => line.push(piece(word, role)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(document: &Document, width: usize) -> Vec<String> {
        document
            .wrapped(width)
            .iter()
            .map(|line| line.iter().map(|p| p.text.as_str()).collect::<String>())
            .collect()
    }

    #[test]
    fn a_line_that_is_full_has_no_blank_after_it() {
        let mut document = Document::default();
        document.text("twelve marks and more", Role::Text);
        document.text("twelve marks", Role::Text);
        assert_eq!(texts(&document, 12), ["twelve marks", "  and more", "twelve marks"]);
    }

    #[test]
    fn long_values_go_on_under_themselves() {
        let mut document = Document::default();
        document.field("Reason", "the task stopped because the image was not found");
        assert_eq!(
            texts(&document, 50),
            ["  Reason           the task stopped because the ", "                   image was not found",]
        );
    }

    #[test]
    fn a_word_longer_than_the_line_is_split() {
        let mut document = Document::default();
        document.text("x".repeat(25), Role::Text);
        assert_eq!(texts(&document, 10), ["xxxxxxxxxx", "  xxxxxxxx", "  xxxxxxx"]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_letter_is_lost(words in proptest::collection::vec("[a-z]{1,30}", 0..20), width in 8usize..60) {
            let mut document = Document::default();
            document.text(words.join(" "), Role::Text);
            let lines = texts(&document, width);
            for line in &lines {
                prop_assert!(text::width(line.trim_end()) <= width, "{line:?}");
            }
            let letters: String = lines.concat().chars().filter(|c| !c.is_whitespace()).collect();
            prop_assert_eq!(letters, words.concat());
        }
    }
}
