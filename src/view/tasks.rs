//! The tasks pane.
//!
//! Must say of a stopped task why it stopped: code, reason, exit code.

use crate::app::pane::PaneId;
use crate::app::{Model, Target};
use crate::diagnose;
use crate::domain::task::Task;
use crate::stdx::rect::Rect;
use crate::stdx::span;
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::table::{self, Column, Row, Table};

const COLUMNS: [Column; 8] = [
    Column::new("", 1, 1),
    Column::new("TASK", 8, 8),
    Column::new("STATUS", 8, 14),
    Column::new("HEALTH", 7, 9).expendable(3),
    Column::new("REVISION", 8, 32).cut_middle().expendable(5),
    Column::new("AGE", 6, 8).right(),
    Column::new("ZONE", 6, 14).expendable(4),
    Column::new("WHAT", 36, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let pane = &model.tasks;
    if pane.list.rows.is_empty() {
        let nothing = match (&pane.list.filter, pane.folded) {
            (Some(_), _) => "No task matches the filter.",
            (None, 0) => "This service has no tasks, and none stopped within the last hour.",
            (None, _) => "No task is running; the stopped ones are folded away.",
        };
        super::overlay::sentences(canvas, area, &status::why_empty(model, PaneId::Tasks, nothing));
        return;
    }
    let offset = pane.list.cursor.offset();
    let height = usize::from(area.height.saturating_sub(1));
    let rows: Vec<Row> = pane
        .list
        .rows
        .iter()
        .skip(offset)
        .take(height)
        .filter_map(|id| model.world.tasks.get(id))
        .map(|seen| row(canvas, model, &seen.value))
        .collect();
    let highlighted = pane.list.cursor.highlighted(&pane.list.rows).and_then(|p| p.checked_sub(offset));
    let table = Table {
        columns: &COLUMNS,
        highlighted: highlighted.filter(|p| *p < rows.len()),
        rows,
        focused: model.focus == PaneId::Tasks,
        shift: pane.list.shift,
        stale: false,
    };
    table::draw(canvas, area, &table);
}

fn row(canvas: &Canvas<'_>, model: &Model, task: &Task) -> Row {
    let health = diagnose::task_health(task, model.now.wall);
    let (role, glyph) = status::severity(health.severity, canvas.theme());
    let none = canvas.theme().glyphs.none;
    let age = task.stopped_at.or(task.started_at).or(task.created_at);
    let age = age.map_or_else(|| none.to_owned(), |at| span::brief(at.age_at(model.now.wall)));
    let quiet = if task.is_stopped() { Role::Muted } else { Role::Text };
    let what = if task.is_stopped() || task.stop_code.is_some() {
        diagnose::stop_explanation(task).unwrap_or_else(|| health.reason.clone())
    } else {
        health.reason.clone()
    };
    // UNKNOWN without a health check is normal, and reads as an alarm if it is written out.
    let condition = match task.health.as_deref() {
        None | Some("UNKNOWN") => none.to_owned(),
        Some(other) => other.to_owned(),
    };
    let cells = vec![
        piece(glyph, role),
        piece(task.id.short(), Role::Strong),
        piece(task.last_status.clone(), quiet),
        piece(condition, quiet),
        piece(task.revision.to_string(), Role::Muted),
        piece(age, Role::Muted),
        piece(task.zone.clone().unwrap_or_else(|| none.to_owned()), Role::Muted),
        piece(what, if role == Role::Ok { Role::Muted } else { role }),
    ];
    Row { cells, target: Some(Target::Task(task.id.clone())) }
}
