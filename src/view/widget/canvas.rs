//! A screen under construction: text in roles, hits by identity. The one place where roles become the drawing
//! library's styles, and where text from outside is scrubbed before it is drawn.
//!
//! Must not know panes.

use std::borrow::Cow;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect as Area;
use ratatui::style::{Color as Paint, Modifier, Style as Look};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::Target;
use crate::app::pane::PaneId;
use crate::stdx::rect::{Rect, Size};
use crate::stdx::text;
use crate::theme::{Color, Role, Style, Theme, contrast};
use crate::view::Drawn;

/// Text with its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, raw.
    pub text: String,
    /// What it means.
    pub role: Role,
}

/// A piece.
pub fn piece(text: impl Into<String>, role: Role) -> Piece {
    Piece { text: text.into(), role }
}

/// The screen.
pub struct Canvas<'t> {
    theme: &'t Theme,
    drawn: Drawn,
    base: Look,
}

impl<'t> Canvas<'t> {
    /// An empty screen.
    #[must_use]
    pub fn new(theme: &'t Theme, size: Size) -> Self {
        let base = look(theme.style(Role::Text));
        let mut blank = Cell::default();
        blank.set_style(base);
        let buffer = Buffer::filled(Area::new(0, 0, size.width, size.height), blank);
        Self { theme, drawn: Drawn { buffer, ..Drawn::default() }, base }
    }

    /// The theme.
    #[must_use]
    pub fn theme(&self) -> &'t Theme {
        self.theme
    }

    /// The result.
    #[must_use]
    pub fn into_drawn(self) -> Drawn {
        self.drawn
    }

    /// Marks an area as something that can be pointed at.
    pub fn hit(&mut self, area: Rect, target: Target) {
        if !area.is_empty() {
            self.drawn.hits.push((area, target));
        }
    }

    /// Reports how long a document is.
    pub fn extent(&mut self, pane: PaneId, lines: usize) {
        self.drawn.scrolls.push((pane, lines));
    }

    /// Puts the text cursor.
    pub fn cursor(&mut self, x: u16, y: u16) {
        self.drawn.cursor = Some((x, y));
    }

    /// Writes text into one line, cut at its end with an ellipsis; gives the column after it.
    pub fn text(&mut self, area: Rect, content: &str, role: Role) -> u16 {
        if area.is_empty() {
            return area.x;
        }
        let clean = self.spelt(text::scrub(content));
        let columns = usize::from(area.width);
        let whole = text::prefix(&clean, columns);
        if whole.len() == clean.len() {
            return self.put(area, whole, role);
        }
        let cut = text::prefix(&clean, columns - 1).to_owned();
        let x = self.put(area, &cut, role);
        let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
        self.put(rest, self.theme.glyphs.ellipsis, role)
    }

    /// Our own sentences use a few signs beyond ASCII; where a terminal has none, they are spelt with what it has.
    /// What AWS and programs wrote is left as it is.
    fn spelt<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        if text.is_ascii() || !self.theme.glyphs.ellipsis.is_ascii() {
            return text;
        }
        let ascii = |sign: char| match sign {
            '×' => "x",
            '≈' => "~",
            '–' | '—' => "-",
            '·' | '•' => "*",
            '≥' => ">=",
            '≤' => "<=",
            '→' => ">",
            '…' => ".",
            '└' => "`",
            _ => "",
        };
        let spell = |mut spelt: String, sign: char| {
            match ascii(sign) {
                "" => spelt.push(sign),
                word => spelt.push_str(word),
            }
            spelt
        };
        Cow::Owned(text.chars().fold(String::with_capacity(text.len()), spell))
    }

    /// Writes pieces into one line, cut at its end; gives the column after them.
    pub fn pieces(&mut self, area: Rect, pieces: &[Piece]) -> u16 {
        let mut x = area.x;
        for Piece { text, role } in pieces {
            let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
            if rest.is_empty() {
                break;
            }
            x = self.text(rest, text, *role);
        }
        x
    }

    /// Fills an area with one glyph.
    pub fn fill(&mut self, area: Rect, glyph: &str, role: Role) {
        let look = self.look(role);
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                if let Some(cell) = self.drawn.buffer.cell_mut((x, y)) {
                    cell.set_symbol(glyph).set_style(look);
                }
            }
        }
    }

    /// Lays a role's background and attributes over what is drawn, keeping the text.
    pub fn tint(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        let mut look = look(style);
        let screen = self.theme.style(Role::Text);
        // A row's own colours stay, as long as they can be read: they were chosen for the screen's ground, so on
        // one that is far from it the tint's own colour takes their place; reversed, they would be patches.
        let far = style.bg.rgb().zip(screen.bg.rgb()).is_some_and(|(a, b)| contrast(a, b) >= 3.0);
        if style.reverse {
            look.fg = self.base.fg;
            look = look.remove_modifier(Modifier::DIM);
        } else if !far {
            look.fg = None;
        }
        if style.bg == Color::Default {
            look.bg = None;
        }
        self.drawn.buffer.set_style(Area::new(area.x, area.y, area.width, area.height), look);
    }

    /// Clears an area to a role's background.
    pub fn clear(&mut self, area: Rect, role: Role) {
        let look = self.look(role);
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                if let Some(cell) = self.drawn.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(look);
                }
            }
        }
        self.drawn.hits.retain(|(hit, _)| {
            hit.y < area.y || hit.bottom() > area.bottom() || hit.x < area.x || hit.right() > area.right()
        });
    }

    fn look(&self, role: Role) -> Look {
        self.base.patch(look(self.theme.style(role)))
    }

    fn put(&mut self, area: Rect, content: &str, role: Role) -> u16 {
        // A role without a background of its own keeps the one that is there: a selection, a window. The screen's
        // own ground counts as none: plain text in a window stands on the window.
        let style = self.theme.style(role);
        let mut look = look(style);
        if style.bg == Color::Default || style.bg == self.theme.style(Role::Text).bg {
            look.bg = None;
        }
        let mut x = area.x;
        if content.is_ascii() {
            // Nearly all text: a letter a cell, with nothing to measure.
            for letter in (0..content.len()).filter_map(|at| content.get(at..=at)) {
                if x >= area.right() {
                    break;
                }
                self.cell(x, area.y, letter, look);
                x += 1;
            }
            return x;
        }
        for cluster in content.graphemes(true) {
            // It has kept two words on one line and is a blank from here on: an ASCII terminal has no other.
            let cluster = if cluster == "\u{a0}" { " " } else { cluster };
            let width = u16::try_from(cluster.width()).unwrap_or(0);
            if width == 0 {
                continue;
            }
            if x + width > area.right() {
                break;
            }
            self.cell(x, area.y, cluster, look);
            for covered in x + 1..x + width {
                if let Some(cell) = self.drawn.buffer.cell_mut((covered, area.y)) {
                    cell.set_symbol(" ").set_style(look);
                }
            }
            x += width;
        }
        x
    }

    fn cell(&mut self, x: u16, y: u16, cluster: &str, look: Look) {
        if let Some(cell) = self.drawn.buffer.cell_mut((x, y)) {
            cell.set_symbol(cluster);
            cell.modifier = Modifier::empty();
            cell.set_style(look);
        }
    }
}

/// A role's style as the drawing library's.
fn look(style: Style) -> Look {
    let mut modifier = Modifier::empty();
    for (wanted, bit) in [
        (style.bold, Modifier::BOLD),
        (style.dim, Modifier::DIM),
        (style.italic, Modifier::ITALIC),
        (style.underline, Modifier::UNDERLINED),
        (style.reverse, Modifier::REVERSED),
    ] {
        if wanted {
            modifier |= bit;
        }
    }
    Look::default().fg(paint(style.fg)).bg(paint(style.bg)).add_modifier(modifier)
}

fn paint(color: Color) -> Paint {
    match color {
        Color::Default => Paint::Reset,
        Color::Ansi(index) | Color::Indexed(index) => match index {
            0 => Paint::Black,
            1 => Paint::Red,
            2 => Paint::Green,
            3 => Paint::Yellow,
            4 => Paint::Blue,
            5 => Paint::Magenta,
            6 => Paint::Cyan,
            7 => Paint::Gray,
            8 => Paint::DarkGray,
            9 => Paint::LightRed,
            10 => Paint::LightGreen,
            11 => Paint::LightYellow,
            12 => Paint::LightBlue,
            13 => Paint::LightMagenta,
            14 => Paint::LightCyan,
            15 => Paint::White,
            index => Paint::Indexed(index),
        },
        Color::Rgb(r, g, b) => Paint::Rgb(r, g, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Depth;

    /// A line of the role's text, tinted.
    fn tinted(theme: &Theme, role: Role, tint: Role) -> Cell {
        let mut canvas = Canvas::new(theme, Size { width: 1, height: 1 });
        let line = Rect::new(0, 0, 1, 1);
        canvas.text(line, "x", role);
        canvas.tint(line, tint);
        canvas.into_drawn().buffer[(0, 0)].clone()
    }

    fn contrast_of(cell: &Cell) -> Option<f64> {
        let (Paint::Rgb(r, g, b), Paint::Rgb(x, y, z)) = (cell.fg, cell.bg) else { return None };
        Some(contrast((r, g, b), (x, y, z)))
    }

    #[test]
    fn a_selected_row_can_be_read_in_every_theme() {
        let rows =
            [Role::Text, Role::Strong, Role::Muted, Role::Ok, Role::Progress, Role::Warn, Role::Critical];
        for theme in Theme::builtins() {
            let theme = theme.with_depth(Depth::Rgb);
            for role in rows {
                for tint in [Role::Selection, Role::SelectionInactive] {
                    let cell = tinted(&theme, role, tint);
                    let name = format!("{} {role:?} {tint:?} {cell:?}", theme.name);
                    if let Some(contrast) = contrast_of(&cell) {
                        assert!(contrast >= 4.0, "{name}: {contrast}");
                    } else if cell.modifier.contains(Modifier::REVERSED) {
                        assert_eq!(cell.fg, Paint::Reset, "patches: {name}");
                        assert!(!cell.modifier.contains(Modifier::DIM), "{name}");
                    }
                }
            }
        }
    }

    #[test]
    fn plain_text_in_a_window_stands_on_the_window() {
        let theme = Theme::builtin("dark").unwrap().with_depth(Depth::Rgb);
        let mut canvas = Canvas::new(&theme, Size { width: 4, height: 1 });
        let line = Rect::new(0, 0, 4, 1);
        canvas.clear(line, Role::Overlay);
        canvas.text(line, "text", Role::Text);
        assert_eq!(canvas.into_drawn().buffer[(0, 0)].bg, paint(theme.style(Role::Overlay).bg));
    }
}
