//! The first screen: every problem of every scope, the worst first, one sentence each; what is well, counted.
//!
//! Must say what is not known: a region that could not be read is a line too.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::diagnose::Subject;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::items::{self, Shown};
use crate::view::status;
use crate::view::widget::canvas::{Canvas, Piece, piece};
use crate::view::widget::document::Document;
use crate::view::widget::table::{Column, Row};

const COLUMNS: [Column; 6] = [
    Column::new("", 1, 1),
    Column::new("WHAT", 4, 8).expendable(3),
    Column::new("NAME", 10, 42).cut_middle(),
    Column::new("REGION", 9, 14).expendable(4),
    Column::new("SINCE", 5, 8).right().expendable(2),
    Column::new("PROBLEM", 24, 0).flexible(),
];

/// Names told of what nothing watches.
const NAMES: usize = 3;

/// Lines that the selected problem has for its evidence, where there is room.
const EVIDENCE: usize = 8;

/// Draws it: the problems, the selected one in full, what is well.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let width = usize::from(area.width);
    let mut below = summary(model, width);
    let height = usize::from(area.height);
    below.truncate(height.saturating_sub(4).max(1));
    let rows = model.triage.list(PaneId::Fleet).map_or(0, |list| list.rows.len());
    let room = height.saturating_sub(below.len());
    // A row cuts its sentence; the selected one is told whole, as long as half of the pane is left for rows.
    let mut told = selected(model, width);
    told.truncate(room.saturating_sub((rows + 1).min(height / 2)).min(EVIDENCE));
    let table = (rows + 1).min(room - told.len());
    let table = if rows == 0 { height.min(3) } else { table };
    let (list, rest) = area.split_top(u16::try_from(table).unwrap_or(u16::MAX));
    let nothing =
        if status::still_read(model).is_empty() { "No problem is known." } else { "Nothing wrong so far." };
    let shown =
        Shown { pane: PaneId::Fleet, columns: &COLUMNS, nothing, filtered: "No problem matches the filter." };
    items::draw(canvas, model, list, &shown, &|item| row(model, item));
    for (y, line) in (rest.y..rest.bottom()).zip(told.iter().chain(&below)) {
        canvas.pieces(Rect { y, height: 1, ..rest }, line);
    }
}

/// The selected problem: its whole sentence, what it rests on, what to do.
fn selected(model: &Model, width: usize) -> Vec<Vec<Piece>> {
    let list = model.triage.list(PaneId::Fleet);
    let item = list.and_then(|list| list.rows.get(list.cursor.highlighted(&list.rows)?));
    let Some(Item::Subject(subject)) = item else { return Vec::new() };
    let Some(finding) = model.triage.fleet.findings.iter().find(|finding| finding.subject == *subject) else {
        return Vec::new();
    };
    let (role, glyph) = status::severity(finding.severity, &model.theme);
    let mut page = Document::default();
    page.gap();
    page.hanging(
        vec![
            piece(format!("  {glyph} "), role),
            piece(format!("{}: {}", finding.subject.name(), finding.sentence), Role::Text),
        ],
        4,
    );
    if let Some(next) = &finding.next {
        page.hanging(vec![piece("    To do: ", Role::Muted), piece(next.clone(), Role::Strong)], 11);
    }
    if let Some(command) = &finding.command {
        let label = format!("  {}", super::detail::copies(model));
        page.hanging(vec![piece(label, Role::Muted), piece(command.clone(), Role::Text)], 6);
    }
    for evidence in &finding.evidence {
        let at = evidence.at.map_or_else(String::new, |at| super::detail::dated(model, at));
        let bullet = model.theme.glyphs.bullet;
        page.hanging(vec![piece(format!("    {bullet} {at}{}", evidence.text), Role::Muted)], 6);
    }
    let mut lines = page.wrapped(width);
    lines.truncate(EVIDENCE);
    lines
}

fn row(model: &Model, item: &Item) -> Option<Row> {
    let theme = &model.theme;
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
            piece(finding.sentence.clone(), role),
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

/// What is well, counted, and what nothing watches.
fn summary(model: &Model, width: usize) -> Vec<Vec<Piece>> {
    let fleet = &model.triage.fleet;
    let glyphs = &model.theme.glyphs;
    let mut page = Document::default();
    let unread = status::still_read(model);
    if !unread.is_empty() && !model.session.scopes.is_empty() {
        let says = format!("still reading {}: there may be more", unread.join(", "));
        page.hanging(
            vec![piece(format!("  {} ", glyphs.progress), Role::Progress), piece(says, Role::Muted)],
            4,
        );
    }
    let well: Vec<String> = fleet
        .healthy
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| text::count(*count, kind))
        .collect();
    if !well.is_empty() {
        let says = format!("without a problem: {}", well.join(", "));
        page.hanging(vec![piece(format!("  {} ", glyphs.ok), Role::Ok), piece(says, Role::Muted)], 4);
    }
    let notices = model.triage.folded.get(&PaneId::Fleet).copied().unwrap_or(0);
    if notices > 0 {
        let says =
            format!("{} folded away, nothing that hurts: f shows them", text::count(notices, "notice"));
        page.hanging(vec![piece(format!("  {} ", glyphs.folded), Role::Info), piece(says, Role::Muted)], 4);
    }
    if !fleet.unwatched.is_empty() {
        let folds = model.triage.folds(PaneId::Fleet);
        let told = if folds { NAMES } else { fleet.unwatched.len() };
        let names: Vec<&str> = fleet.unwatched.iter().take(told).map(Subject::name).collect();
        let more = fleet.unwatched.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let says = format!("No alarm watches {}{more}", names.join(", "));
        page.hanging(
            vec![piece(format!("  {} ", glyphs.unknown), Role::Unknown), piece(says, Role::Muted)],
            4,
        );
    }
    page.wrapped(width)
}
