//! What changed, of every kind on one axis of time, the newest first.
//!
//! Must say that CloudTrail is late: what it has not told yet is not "nothing changed".

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::diagnose::change::{ChangeKind, ChangeSource};
use crate::domain::scope::Arn;
use crate::stdx::rect::Rect;
use crate::stdx::span;
use crate::theme::Role;
use crate::view::items::{self, Shown};
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::table::{Column, Row};

const COLUMNS: [Column; 7] = [
    Column::new("TIME", 5, 8),
    Column::new("AGO", 5, 8).right(),
    Column::new("KIND", 6, 12).expendable(2),
    Column::new("NAME", 10, 34).cut_middle(),
    Column::new("REGION", 9, 14).expendable(5),
    Column::new("WHO", 4, 14).cut_middle().expendable(3),
    Column::new("WHAT", 16, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let shown = Shown {
        pane: PaneId::Changes,
        columns: &COLUMNS,
        nothing: "Nothing changed in this time, as far as AWS told; CloudTrail may be 15 minutes late.",
        filtered: "No change matches the filter.",
    };
    items::draw(canvas, model, area, &shown, &|item| row(model, item));
}

fn row(model: &Model, item: &Item) -> Option<Row> {
    let change = model.triage.change(item)?;
    let time = change
        .at
        .timestamp()
        .map_or_else(String::new, |at| at.to_zoned(model.zone.clone()).strftime("%H:%M:%S").to_string());
    let role = match change.kind {
        ChangeKind::Deployment | ChangeKind::Registration => Role::Progress,
        ChangeKind::Alarm => Role::Warn,
        ChangeKind::Other => Role::Muted,
        _ => Role::Info,
    };
    let late = change.source == ChangeSource::CloudTrail;
    let who = change.who.as_deref().map_or("", Arn::last);
    Some(Row {
        cells: vec![
            piece(time, Role::Muted),
            piece(span::brief(change.at.age_at(model.now.wall)), Role::Muted),
            piece(change.kind.word(), role),
            piece(change.name.clone(), Role::Strong),
            piece(change.scope.region.to_string(), Role::Muted),
            piece(who, Role::Muted),
            piece(change.sentence.clone(), if late { Role::Muted } else { Role::Text }),
        ],
        target: None,
    })
}
