//! The alarms, firing ones first.
//!
//! Must tell muted alarms from others: one whose actions are off wakes nobody.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::app::pane::triage::{Item, alarm_severity};
use crate::diagnose::Subject;
use crate::diagnose::alarm::alarm_says;
use crate::domain::alarm::Alarm;
use crate::stdx::rect::Rect;
use crate::stdx::span;
use crate::stdx::text::count;
use crate::theme::Role;
use crate::view::items::{self, Shown};
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::chart::number;
use crate::view::widget::table::{Column, Row};

const COLUMNS: [Column; 9] = [
    Column::new("", 1, 1),
    Column::new("STATE", 5, 17),
    Column::new("SINCE", 5, 8).right(),
    Column::new("ALARM", 16, 40).cut_middle(),
    Column::new("REGION", 9, 14).expendable(5),
    Column::new("WATCHES", 8, 26).cut_middle().expendable(4),
    Column::new("THRESHOLD", 8, 34).expendable(2),
    Column::new("ACTIONS", 5, 7).expendable(3),
    Column::new("SAYS", 16, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let shown = Shown {
        pane: PaneId::Alarms,
        columns: &COLUMNS,
        nothing: "This account has no alarms here. What is sick is found without them.",
        filtered: "No alarm matches the filter.",
    };
    let mut columns = COLUMNS;
    if area.width < 100 {
        // What it says holds its bound too, so a name gives way to that.
        columns[3] = Column { most: 30, ..columns[3] };
    }
    let shown = Shown { columns: &columns, ..shown };
    let used = items::draw(canvas, model, area, &shown, &|item| {
        let Item::Subject(Subject::Alarm(id)) = item else { return None };
        Some(row(model, &model.world.estate.alarms.get(id)?.value))
    });
    let folded = model.triage.folded.get(&PaneId::Alarms).copied().unwrap_or(0);
    if folded > 0 && used < usize::from(area.height) {
        let y = area.y + u16::try_from(used).unwrap_or(0);
        let says = format!(
            "{} {} of target tracking folded away: in ALARM by design",
            model.theme.glyphs.folded,
            count(folded, "alarm")
        );
        canvas.text(Rect::new(area.x + 2, y, area.width.saturating_sub(2), 1), &says, Role::Muted);
    }
}

/// `CPUUtilization > 80`, or the expression of metric math.
#[must_use]
pub fn threshold(alarm: &Alarm) -> String {
    let Some(rule) = &alarm.rule else {
        return alarm.expression.clone().unwrap_or_default();
    };
    let what = rule.metric.as_ref().map_or("math", |metric| metric.name.as_str());
    match rule.threshold {
        Some(threshold) => format!("{what} {} {}", rule.sign(), number(threshold, "")),
        None => format!("{what} outside its band"),
    }
}

/// Whether its actions happen, in a word.
#[must_use]
pub fn actions(alarm: &Alarm) -> (&'static str, Role) {
    if !alarm.actions_enabled {
        ("muted", Role::Warn)
    } else if alarm.suppressed_by.is_some() {
        ("held", Role::Warn)
    } else if alarm.actions.is_empty() {
        ("none", Role::Muted)
    } else {
        ("on", Role::Muted)
    }
}

fn row(model: &Model, alarm: &Alarm) -> Row {
    let (role, glyph) = status::severity(alarm_severity(alarm), &model.theme);
    let since = alarm
        .since
        .map_or_else(|| model.theme.glyphs.none.to_owned(), |at| span::brief(at.age_at(model.now.wall)));
    let watched = model.triage.fleet.watches.get(&alarm.id).into_iter().flatten();
    let watched: Vec<&str> = watched.map(Subject::name).collect();
    let (acts, acts_role) = actions(alarm);
    Row {
        cells: vec![
            piece(glyph, role),
            piece(alarm.state.word(), role),
            piece(since, Role::Muted),
            piece(alarm.id.name.clone(), Role::Strong),
            piece(alarm.id.scope.region.to_string(), Role::Muted),
            piece(watched.join(", "), Role::Text),
            piece(if alarm.rule.is_some() { threshold(alarm) } else { String::new() }, Role::Muted),
            piece(acts, acts_role),
            piece(alarm_says(alarm, model.now.wall), if role == Role::Ok { Role::Muted } else { role }),
        ],
        target: None,
    }
}
