//! The first screen: every problem of every scope, the worst first, one sentence each; what is well, counted.
//!
//! Must say what is not known: a region that could not be read is a line too.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::diagnose::{Finding, Subject};
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::items::{self, Shown};
use crate::view::status;
use crate::view::widget::canvas::{Canvas, Piece, piece};
use crate::view::widget::table::{Column, Row};

const COLUMNS: [Column; 6] = [
    Column::new("", 1, 1),
    Column::new("WHAT", 4, 8).expendable(3),
    Column::new("NAME", 10, 30).cut_middle(),
    Column::new("REGION", 9, 14).expendable(4),
    Column::new("SINCE", 5, 8).right().expendable(2),
    Column::new("PROBLEM", 24, 0).flexible(),
];

/// Names told of what nothing watches.
const NAMES: usize = 3;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let mut below = summary(model);
    let height = usize::from(area.height);
    below.truncate(height.saturating_sub(4).max(1));
    let kept = u16::try_from(below.len()).unwrap_or(0);
    let is_empty = model.triage.list(PaneId::Fleet).is_none_or(|list| list.rows.is_empty());
    let mut columns = COLUMNS;
    if model.session.scopes.len() <= 1 {
        columns[3] = Column { least: u16::MAX, expendable: u8::MAX, ..columns[3] };
    }
    let rows = model.triage.list(PaneId::Fleet).map_or(0, |list| list.rows.len());
    let table = u16::try_from(rows + 1).unwrap_or(u16::MAX).min(area.height.saturating_sub(kept));
    let table = if is_empty { area.height.min(3) } else { table };
    let (list, rest) = area.split_top(table);
    let shown = Shown {
        pane: PaneId::Fleet,
        columns: &columns,
        nothing: "No problem is known.",
        filtered: "No problem matches the filter.",
    };
    items::draw(canvas, model, list, &shown, &|item| row(model, canvas_theme(model), item));
    for (y, line) in (rest.y..rest.bottom()).zip(&below) {
        canvas.pieces(Rect { y, height: 1, ..rest }, line);
    }
}

fn canvas_theme(model: &Model) -> &crate::theme::Theme {
    &model.theme
}

fn row(model: &Model, theme: &crate::theme::Theme, item: &Item) -> Option<Row> {
    let Item::Subject(subject) = item else { return None };
    let finding = model.triage.fleet.findings.iter().find(|finding| finding.subject == *subject)?;
    let (role, glyph) = status::severity(finding.severity, theme);
    let none = theme.glyphs.none;
    let since = finding.since.map_or_else(|| none.to_owned(), |at| span::brief(at.age_at(model.now.wall)));
    Some(Row {
        cells: vec![
            piece(glyph, role),
            piece(kind(subject), Role::Muted),
            piece(subject.name(), Role::Strong),
            piece(subject.scope().region.to_string(), Role::Muted),
            piece(since, Role::Muted),
            piece(sentence(finding), role),
        ],
        target: None,
    })
}

/// The word for a subject's kind, as the tabs have it.
#[must_use]
pub fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Scope(_) => "region",
        other => other.kind(),
    }
}

/// The sentence, and of an unknown reason what AWS said.
fn sentence(finding: &Finding) -> String {
    finding.sentence.clone()
}

/// What is well, counted, and what nothing watches.
fn summary(model: &Model) -> Vec<Vec<Piece>> {
    let fleet = &model.triage.fleet;
    let glyphs = &model.theme.glyphs;
    let mut lines = Vec::new();
    let well: Vec<String> = fleet
        .healthy
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| text::count(*count, kind))
        .collect();
    if !well.is_empty() {
        lines.push(vec![
            piece(format!("  {} ", glyphs.ok), Role::Ok),
            piece(format!("without a problem: {}", well.join(", ")), Role::Muted),
        ]);
    }
    if !fleet.unwatched.is_empty() {
        let names: Vec<&str> = fleet.unwatched.iter().take(NAMES).map(Subject::name).collect();
        let more = fleet.unwatched.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(vec![
            piece(format!("  {} ", glyphs.unknown), Role::Unknown),
            piece(format!("Nothing watches {}{more}: no alarm looks at them", names.join(", ")), Role::Muted),
        ]);
    }
    lines
}
