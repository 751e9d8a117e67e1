//! A drawn screen as an SVG file.
//!
//! Text is set run by run at its own column and stretched to its cells, so that the grid holds whatever font
//! the reader has; lines and blocks are shapes, not letters. Must not know what a screen shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// A cell's size and the margin, in pixels. A cell is 0.6 em wide, as most monospaced fonts have it.
const COLUMN: f32 = 8.4;
const ROW: f32 = 18.0;
const MARGIN: f32 = 10.0;

/// The colours that a terminal brings along.
pub struct Palette {
    /// The colour of text and of the ground.
    pub text: &'static str,
    pub ground: &'static str,
    /// The sixteen ANSI colours.
    pub ansi: [&'static str; 16],
}

/// A terminal with a dark ground.
pub const DARK: Palette = Palette {
    text: "#d5dde5",
    ground: "#14181d",
    ansi: [
        "#1c2128", "#f47067", "#57ab5a", "#c69026", "#539bf5", "#b083f0", "#39c5cf", "#adbac7", "#768390",
        "#ff938a", "#6bc46d", "#daaa3f", "#6cb6ff", "#dcbdfb", "#56d4dd", "#ffffff",
    ],
};

/// A terminal with a light ground.
pub const LIGHT: Palette = Palette {
    text: "#24292f",
    ground: "#ffffff",
    ansi: [
        "#24292f", "#cf222e", "#116329", "#7d4e00", "#0969da", "#8250df", "#1b7c83", "#6e7781", "#57606a",
        "#a40e26", "#1a7f37", "#633c01", "#218bff", "#a475f9", "#3192aa", "#8c959f",
    ],
};

/// How a cell looks once reversal and the palette are resolved.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    ink: String,
    ground: String,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

impl Look {
    fn of(cell: &Cell, palette: &Palette) -> Self {
        let mut ink = paint(cell.fg, palette.text, palette);
        let mut ground = paint(cell.bg, palette.ground, palette);
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut ink, &mut ground);
        }
        Self {
            ink,
            ground,
            bold: cell.modifier.contains(Modifier::BOLD),
            dim: cell.modifier.contains(Modifier::DIM),
            italic: cell.modifier.contains(Modifier::ITALIC),
            underline: cell.modifier.contains(Modifier::UNDERLINED),
        }
    }

    fn rules(&self) -> String {
        let mut rules = format!("fill:{}", self.ink);
        for (wanted, rule) in [
            (self.bold, ";font-weight:bold"),
            (self.dim, ";fill-opacity:.6"),
            (self.italic, ";font-style:italic"),
        ] {
            if wanted {
                rules.push_str(rule);
            }
        }
        rules
    }
}

fn paint(color: Color, default: &str, palette: &Palette) -> String {
    let index = match color {
        Color::Reset => return default.to_owned(),
        Color::Rgb(r, g, b) => return format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(index) => index,
    };
    match index {
        0..=15 => palette.ansi[usize::from(index)].to_owned(),
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

/// Draws a screen; `title` is what a screen reader says.
pub fn draw(buffer: &Buffer, cursor: Option<(u16, u16)>, title: &str, palette: &Palette) -> String {
    let mut drawing =
        Drawing { palette, classes: BTreeMap::new(), grounds: String::new(), ink: String::new() };
    let width = usize::from(buffer.area.width);
    for (y, row) in buffer.content.chunks(width).enumerate() {
        drawing.row(y, row);
    }
    if let Some((x, y)) = cursor {
        let (x, y) = (left(usize::from(x)), top(usize::from(y)));
        let _ = writeln!(
            drawing.ink,
            r#"<rect x="{x}" y="{y}" width="{COLUMN}" height="{ROW}" fill="{}" fill-opacity=".5"/>"#,
            palette.text
        );
    }
    let wide = number(f32::from(buffer.area.width) * COLUMN + 2.0 * MARGIN);
    let high = number(f32::from(buffer.area.height) * ROW + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" \
         height=\"{high}\" role=\"img\">\n<title>{}</title>\n<style>\ntext{{font:14px ui-monospace,\
         SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;white-space:pre}}\n",
        escape(title)
    );
    let mut rules: Vec<_> = drawing.classes.iter().collect();
    rules.sort_by_key(|(_, class)| **class);
    for (rule, class) in rules {
        let _ = writeln!(svg, ".s{class}{{{rule}}}");
    }
    let _ = write!(
        svg,
        "</style>\n<rect width=\"{wide}\" height=\"{high}\" rx=\"8\" fill=\"{}\"/>\n{}{}</svg>\n",
        palette.ground, drawing.grounds, drawing.ink
    );
    svg
}

struct Drawing<'p> {
    palette: &'p Palette,
    classes: BTreeMap<String, usize>,
    grounds: String,
    ink: String,
}

impl Drawing<'_> {
    fn class(&mut self, look: &Look) -> usize {
        let next = self.classes.len();
        *self.classes.entry(look.rules()).or_insert(next)
    }

    fn row(&mut self, y: usize, row: &[Cell]) {
        let looks: Vec<Look> = row.iter().map(|cell| Look::of(cell, self.palette)).collect();
        let mut x = 0;
        while x < row.len() {
            let end = (x..row.len()).find(|at| looks[*at].ground != looks[x].ground).unwrap_or(row.len());
            if looks[x].ground != self.palette.ground {
                let _ = writeln!(
                    self.grounds,
                    r#"<rect x="{}" y="{}" width="{}" height="{ROW}" fill="{}"/>"#,
                    left(x),
                    top(y),
                    columns(end - x),
                    looks[x].ground
                );
            }
            x = end;
        }
        let mut x = 0;
        while x < row.len() {
            let end = (x..row.len()).find(|at| looks[*at] != looks[x]).unwrap_or(row.len());
            self.run(x, y, &row[x..end], &looks[x]);
            x = end;
        }
    }

    /// Cells of one look.
    fn run(&mut self, x: usize, y: usize, cells: &[Cell], look: &Look) {
        if look.underline {
            let _ = writeln!(
                self.ink,
                r#"<rect x="{}" y="{}" width="{}" height="1" fill="{}"/>"#,
                left(x),
                number(MARGIN + y as f32 * ROW + 16.0),
                columns(cells.len()),
                look.ink
            );
        }
        let mut at = 0;
        while at < cells.len() {
            let symbol = cells[at].symbol();
            if symbol == " " {
                at += 1;
                continue;
            }
            let same = cells[at..].iter().take_while(|cell| cell.symbol() == symbol).count();
            if let Some(shape) = shape(symbol, x + at, y, same) {
                let _ = writeln!(self.ink, r#"<path d="{shape}" fill="{}"/>"#, look.ink);
                at += same;
                continue;
            }
            if !symbol.is_ascii() {
                // Such letters often come from another font: each stands for itself, in the middle of its cells.
                let wide = symbol.width().max(1);
                let class = self.class(look);
                let middle = number(MARGIN + (x + at) as f32 * COLUMN + wide as f32 * COLUMN / 2.0);
                let _ = writeln!(
                    self.ink,
                    r#"<text x="{middle}" y="{}" text-anchor="middle" class="s{class}">{}</text>"#,
                    baseline(y),
                    escape(symbol)
                );
                at += wide;
                continue;
            }
            // Words up to a gap of two spaces.
            let mut end = at;
            while end < cells.len() && cells[end].symbol().is_ascii() {
                let gap = |i: usize| cells.get(i).is_none_or(|cell| cell.symbol() == " ");
                if gap(end) && gap(end + 1) {
                    break;
                }
                end += 1;
            }
            let text: String = cells[at..end].iter().map(Cell::symbol).collect();
            let text = text.trim_end();
            let class = self.class(look);
            let _ = writeln!(
                self.ink,
                r#"<text x="{}" y="{}" textLength="{}" lengthAdjust="spacingAndGlyphs" class="s{class}">{}</text>"#,
                left(x + at),
                baseline(y),
                columns(text.len()),
                escape(text)
            );
            at = end;
        }
    }
}

/// The path of a sign that is a shape: rules, bars and blocks join without gaps.
fn shape(symbol: &str, x: usize, y: usize, count: usize) -> Option<String> {
    let (x, y) = (MARGIN + x as f32 * COLUMN, MARGIN + y as f32 * ROW);
    let all = COLUMN * count as f32;
    let rect = |dx: f32, dy: f32, w: f32, h: f32| {
        format!("M{} {}h{}v{}h-{}z", number(x + dx), number(y + dy), number(w), number(h), number(w))
    };
    let (middle, half) = (COLUMN / 2.0 - 0.5, ROW / 2.0 - 0.5);
    Some(match symbol {
        "─" => rect(0.0, half, all, 1.0),
        "█" => rect(0.0, 3.0, all, ROW - 6.0),
        "▌" => {
            // A cursor's bar: one a cell, as a row of them never stands.
            rect(0.0, 0.0, COLUMN / 2.0, ROW)
        }
        "│" if count == 1 => rect(middle, 0.0, 1.0, ROW),
        "┃" if count == 1 => rect(middle - 1.0, 0.0, 3.0, ROW),
        "├" if count == 1 => {
            format!("{}{}", rect(middle, 0.0, 1.0, ROW), rect(middle, half, COLUMN - middle, 1.0))
        }
        "└" | "╰" if count == 1 => {
            format!("{}{}", rect(middle, 0.0, 1.0, half + 1.0), rect(middle, half, COLUMN - middle, 1.0))
        }
        "╭" if count == 1 => {
            format!("{}{}", rect(middle, half, 1.0, ROW - half), rect(middle, half, COLUMN - middle, 1.0))
        }
        "╮" if count == 1 => {
            format!("{}{}", rect(middle, half, 1.0, ROW - half), rect(0.0, half, middle, 1.0))
        }
        "╯" if count == 1 => {
            format!("{}{}", rect(middle, 0.0, 1.0, half + 1.0), rect(0.0, half, middle, 1.0))
        }
        _ => {
            let eighths = "▁▂▃▄▅▆▇".chars().position(|c| symbol.chars().eq([c]))? + 1;
            let high = ROW * eighths as f32 / 8.0;
            rect(0.0, ROW - high, all, high)
        }
    })
}

fn left(x: usize) -> String {
    number(MARGIN + x as f32 * COLUMN)
}

fn top(y: usize) -> String {
    number(MARGIN + y as f32 * ROW)
}

fn baseline(y: usize) -> String {
    number(MARGIN + y as f32 * ROW + 13.0)
}

fn columns(count: usize) -> String {
    number(count as f32 * COLUMN)
}

/// One digit after the point at most.
fn number(value: f32) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn runs_keep_their_columns_and_their_look() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        buffer.set_string(0, 0, "a <b>  c ──", Style::default());
        buffer.set_string(1, 1, "✖ 2", Style::default().fg(Color::Rgb(1, 2, 3)).bg(Color::Red));
        let svg = draw(&buffer, None, "t", &DARK);
        for part in [
            ">a &lt;b&gt;<",
            r#"<text x="68.8" y="23" textLength="8.4""#,
            "M85.6 18.5h16.8v1h-16.8z",
            "fill:#010203",
            r##"width="25.2" height="18" fill="#f47067"/>"##,
            r#"text-anchor="middle""#,
        ] {
            assert!(svg.contains(part), "{part} is missing from\n{svg}");
        }
    }
}
