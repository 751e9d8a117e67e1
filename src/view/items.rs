//! What the lists of triage have in common: the table of the visible rows, and the sentence when there are none.
//!
//! Must draw visible rows only.

use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::app::{Model, Target};
use crate::stdx::rect::Rect;
use crate::view::status;
use crate::view::widget::canvas::Canvas;
use crate::view::widget::table::{self, Column, Row, Table};

/// A list to draw.
pub struct Shown<'a> {
    /// Whose.
    pub pane: PaneId,
    /// Its columns.
    pub columns: &'a [Column],
    /// What an empty list says.
    pub nothing: &'a str,
    /// What it says when the filter lets nothing pass.
    pub filtered: &'a str,
}

/// Draws the rows in view, or why there are none; gives how many lines were used.
pub fn draw(
    canvas: &mut Canvas<'_>,
    model: &Model,
    area: Rect,
    shown: &Shown<'_>,
    row: &dyn Fn(&Item) -> Option<Row>,
) -> usize {
    let Some(list) = model.triage.list(shown.pane) else { return 0 };
    if list.rows.is_empty() {
        let lines = if list.filter.is_some() {
            vec![(shown.filtered.to_owned(), crate::theme::Role::Muted)]
        } else {
            status::why_empty(model, shown.pane, shown.nothing)
        };
        super::overlay::sentences(canvas, area, &lines);
        return lines.len();
    }
    // Where all of it lies in one region, its column says nothing.
    let mut columns = shown.columns.to_vec();
    if model.session.scopes.len() <= 1 {
        let regions = columns.iter_mut().filter(|column| column.title == "REGION");
        regions.for_each(|column| *column = Column { least: u16::MAX, expendable: u8::MAX, ..*column });
    }
    let offset = list.cursor.offset();
    let height = usize::from(area.height.saturating_sub(1));
    let rows: Vec<Row> = list
        .rows
        .iter()
        .skip(offset)
        .take(height)
        .filter_map(|item| {
            let row = row(item)?;
            Some(Row { target: Some(Target::Item(shown.pane, item.clone())), ..row })
        })
        .collect();
    let used = rows.len() + 1;
    let highlighted = list.cursor.highlighted(&list.rows).and_then(|p| p.checked_sub(offset));
    let table = Table {
        columns: &columns,
        highlighted: highlighted.filter(|p| *p < rows.len()),
        rows,
        focused: model.focus == shown.pane,
        shift: list.shift,
        stale: status::is_stale(model, shown.pane),
    };
    table::draw(canvas, area, &table);
    used
}
