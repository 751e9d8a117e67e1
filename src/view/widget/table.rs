//! A table that fits: columns are as wide as what is visible needs, the least important ones vanish first, and
//! one column takes what is left.
//!
//! Must be given visible rows only: a list of thousands costs what a screenful costs.

use crate::app::Target;
use crate::stdx::rect::Rect;
use crate::stdx::text;
use crate::theme::Role;
use crate::view::widget::canvas::{Canvas, Piece};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its head.
    pub title: &'static str,
    /// It is never narrower than this, or it is not there.
    pub least: u16,
    /// It is never wider than this, unless it is the flexible one.
    pub most: u16,
    /// The higher, the sooner it vanishes on a narrow screen; 0 never does.
    pub expendable: u8,
    /// Whether it takes what is left.
    pub flexible: bool,
    /// Whether it is cut in the middle: names of AWS resources differ at their end.
    pub cut_middle: bool,
    /// Whether it is set flush right.
    pub right: bool,
}

impl Column {
    /// A column of between `least` and `most` columns that never vanishes.
    #[must_use]
    pub const fn new(title: &'static str, least: u16, most: u16) -> Self {
        Self { title, least, most, expendable: 0, flexible: false, cut_middle: false, right: false }
    }

    /// The same, vanishing by rank.
    #[must_use]
    pub const fn expendable(self, rank: u8) -> Self {
        Self { expendable: rank, ..self }
    }

    /// The same, taking what is left.
    #[must_use]
    pub const fn flexible(self) -> Self {
        Self { flexible: true, ..self }
    }

    /// The same, cut in the middle.
    #[must_use]
    pub const fn cut_middle(self) -> Self {
        Self { cut_middle: true, ..self }
    }

    /// The same, flush right.
    #[must_use]
    pub const fn right(self) -> Self {
        Self { right: true, ..self }
    }
}

/// A visible row.
pub struct Row {
    /// One cell per column.
    pub cells: Vec<Piece>,
    /// What a click on it means.
    pub target: Option<Target>,
}

/// A table of visible rows.
pub struct Table<'a> {
    /// Columns.
    pub columns: &'a [Column],
    /// Rows in view.
    pub rows: Vec<Row>,
    /// The highlighted one among them.
    pub highlighted: Option<usize>,
    /// Whether its pane has the keys.
    pub focused: bool,
    /// Columns of the flexible cell scrolled to the right.
    pub shift: u16,
    /// Whether the data are old: everything is drawn in the stale role.
    pub stale: bool,
}

/// Between two columns.
const GAP: u16 = 2;

/// Draws head and rows. The area's first line is the head.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, table: &Table<'_>) {
    let (mark, rest) = area.split_left(2);
    let widths = widths(table, rest.width);
    let (head, mut body) = rest.split_top(1);
    let mut x = head.x;
    for (column, width) in table.columns.iter().zip(&widths) {
        if let Some(width) = *width {
            let cell = Rect { x, width, ..head };
            canvas.text(aligned(cell, column.title, column.right), column.title, Role::ColumnHeader);
            x += width + GAP;
        }
    }
    let glyph = canvas.theme().glyphs.cursor;
    for (index, row) in table.rows.iter().enumerate() {
        let (line, below) = body.split_top(1);
        if line.is_empty() {
            break;
        }
        body = below;
        let whole = Rect { x: area.x, width: area.width, ..line };
        if table.highlighted == Some(index) {
            let role = if table.focused { Role::Selection } else { Role::SelectionInactive };
            canvas.fill(whole, " ", role);
        }
        let mut x = line.x;
        for ((column, width), cell) in table.columns.iter().zip(&widths).zip(&row.cells) {
            let Some(width) = *width else { continue };
            let place = Rect { x, width, ..line };
            let role = if table.stale { Role::Stale } else { cell.role };
            draw_cell(canvas, place, column, &cell.text, role, table.shift);
            x += width + GAP;
        }
        if table.highlighted == Some(index) {
            let role = if table.focused { Role::Selection } else { Role::SelectionInactive };
            canvas.tint(whole, role);
            canvas.text(Rect { y: line.y, height: 1, ..mark }, glyph, Role::TitleFocus);
        }
        if let Some(target) = &row.target {
            canvas.hit(whole, target.clone());
        }
    }
}

fn draw_cell(canvas: &mut Canvas<'_>, place: Rect, column: &Column, content: &str, role: Role, shift: u16) {
    let clean = text::scrub(content);
    if column.flexible && shift > 0 {
        let skip = text::prefix(&clean, usize::from(shift)).len();
        canvas.text(place, &clean[skip..], role);
    } else if column.cut_middle {
        let fitted = text::fit_middle(&clean, usize::from(place.width));
        canvas.text(place, &fitted, role);
    } else {
        canvas.text(aligned(place, &clean, column.right), &clean, role);
    }
}

fn aligned(cell: Rect, content: &str, right: bool) -> Rect {
    let used = u16::try_from(text::width(content)).unwrap_or(u16::MAX).min(cell.width);
    if right { Rect { x: cell.x + (cell.width - used), width: used, ..cell } } else { cell }
}

/// The width of each column, or nothing for those that have to go.
fn widths(table: &Table<'_>, available: u16) -> Vec<Option<u16>> {
    let wanted: Vec<u16> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let content = table
                .rows
                .iter()
                .filter_map(|row| row.cells.get(index))
                .map(|cell| text::width(&cell.text))
                .max()
                .unwrap_or(0)
                .max(text::width(column.title));
            u16::try_from(content).unwrap_or(u16::MAX).clamp(column.least, column.most.max(column.least))
        })
        .collect();
    let mut shown: Vec<bool> = vec![true; table.columns.len()];
    loop {
        let columns = || table.columns.iter().enumerate().filter(|(i, _)| shown[*i]);
        let need: u32 = columns()
            .map(|(i, c)| u32::from(if c.flexible { c.least } else { wanted[i] }) + u32::from(GAP))
            .sum();
        if need <= u32::from(available) + u32::from(GAP) {
            break;
        }
        let Some((victim, _)) = columns().filter(|(_, c)| c.expendable > 0).max_by_key(|(_, c)| c.expendable)
        else {
            break;
        };
        shown[victim] = false;
    }
    let fixed: u32 = (0..wanted.len())
        .filter(|i| shown[*i])
        .map(|i| u32::from(GAP) + if table.columns[i].flexible { 0 } else { u32::from(wanted[i]) })
        .sum();
    let left = (u32::from(available) + u32::from(GAP)).saturating_sub(fixed);
    let mut room = available;
    table
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            if !shown[i] || room == 0 {
                return None;
            }
            let width = if column.flexible { u16::try_from(left).unwrap_or(u16::MAX) } else { wanted[i] };
            let width = width.min(room);
            room = room.saturating_sub(width + GAP);
            Some(width)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::canvas::piece;

    const COLUMNS: [Column; 4] = [
        Column::new("NAME", 8, 20).cut_middle(),
        Column::new("REGION", 9, 14).expendable(2),
        Column::new("AGE", 5, 6).expendable(1).right(),
        Column::new("STATE", 10, 0).flexible(),
    ];

    fn table() -> Table<'static> {
        let cells = ["cma-frontend-production", "eu-west-2", "3 min", "all well"];
        Table {
            columns: &COLUMNS,
            rows: vec![Row { cells: cells.map(|c| piece(c, Role::Text)).to_vec(), target: None }],
            highlighted: None,
            focused: true,
            shift: 0,
            stale: false,
        }
    }

    #[test]
    fn the_least_important_columns_vanish_first_and_the_flexible_one_takes_the_rest() {
        assert_eq!(widths(&table(), 80), [Some(20), Some(9), Some(5), Some(40)]);
        assert_eq!(widths(&table(), 42), [Some(20), None, Some(5), Some(13)]);
        assert_eq!(widths(&table(), 34), [Some(20), None, None, Some(12)]);
    }

    #[test]
    fn no_width_is_ever_exceeded() {
        for available in 0..200 {
            let used: u32 = widths(&table(), available).iter().flatten().map(|w| u32::from(*w)).sum();
            assert!(used <= u32::from(available), "{available}");
        }
    }
}
