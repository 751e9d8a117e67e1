//! What was changed with opsdeck on this host: the list of operations, and one of them with all its entries.
//!
//! Must not show an operation without an outcome as if it had failed, nor a journal that does not hold as whole.

use crate::app::pane::PaneId;
use crate::app::pane::journal::{self, Journal};
use crate::app::{Model, Target};
use crate::command::{Context, Id};
use crate::domain::verdict::Verdict;
use crate::journal::{Acknowledged, Deed, End, Entry, Event, Intent};
use crate::stdx::clock::Wall;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::{Glyphs, Role};
use crate::view::detail::when;
use crate::view::status::Says;
use crate::view::widget::canvas::{Canvas, Piece, piece};
use crate::view::widget::document::Document;
use crate::view::widget::table::{self, Column, Row, Table};

/// From this width on there is room for seconds and long names.
const WIDE: u16 = 100;

fn columns(width: u16, several_scopes: bool) -> [Column; 10] {
    let is_wide = width >= WIDE;
    let (verb, target) = match width {
        WIDE.. => (16, 40),
        60.. => (16, 26),
        _ => (9, 14),
    };
    let scope = Column::new("WHERE", 9, 28).cut_middle().expendable(8);
    // Where all of it lies in the one region that is watched, its column says nothing.
    let scope = if several_scopes { scope } else { Column { least: u16::MAX, expendable: u8::MAX, ..scope } };
    [
        Column::new("", 1, 1),
        Column::new("WHEN", 5, if is_wide { 14 } else { 11 }).expendable(3),
        Column::new("AGO", 5, 8).right().expendable(7),
        Column::new("WHO", 3, 12).cut_middle().expendable(4),
        Column::new("VERB", 6, verb),
        Column::new("TARGET", 10, target).cut_middle(),
        scope,
        Column::new("VERDICT", 9, 11).expendable(2),
        Column::new("INCIDENT", 8, 18).cut_middle().expendable(6),
        Column::new("REASON", 18, 0).flexible().expendable(5),
    ]
}

/// Draws the list.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let journal = &model.journal;
    let notes = journal.notes(area.width);
    let (above, mut body) = area.split_top(u16::try_from(notes.len()).unwrap_or(u16::MAX));
    for (y, (note, bad)) in (above.y..above.bottom()).zip(&notes) {
        let role = if *bad { Role::Error } else { Role::Warn };
        canvas.text(Rect { y, height: 1, ..above }, &format!("  {note}"), role);
    }
    if let Some(foot) = journal.foot() {
        let (rows, line) = body.split_bottom(1);
        canvas.text(line, &format!("  {foot}"), Role::Muted);
        body = rows;
    }
    if journal.list.rows.is_empty() {
        super::overlay::sentences(canvas, body, &why_empty(journal));
        return;
    }
    let several = journal.scopes.iter().any(|scope| model.session.scopes != [scope.clone()]);
    let columns = columns(area.width, several);
    let offset = journal.list.cursor.offset();
    let height = usize::from(body.height.saturating_sub(1));
    let glyphs = canvas.theme().glyphs;
    let operations = journal.list.rows.iter().skip(offset).take(height);
    let rows: Vec<Row> = operations
        .filter_map(|operation| journal.deed(operation))
        .map(|deed| row(model, deed, &glyphs, area.width >= WIDE))
        .collect();
    let highlighted = journal.list.cursor.highlighted(&journal.list.rows).and_then(|p| p.checked_sub(offset));
    let table = Table {
        columns: &columns,
        highlighted: highlighted.filter(|p| *p < rows.len()),
        rows,
        focused: model.focus == PaneId::Journal,
        shift: journal.list.shift,
        stale: journal.unreadable.is_some(),
    };
    table::draw(canvas, body, &table);
}

fn why_empty(journal: &Journal) -> Vec<(String, Role)> {
    let said = match &journal.unreadable {
        Some(why) if !journal.read => {
            return vec![(format!("The journal cannot be read: {why}"), Role::Error)];
        }
        _ if !journal.read => "Reading the journal…",
        _ if journal.list.filter.is_some() && !journal.history.deeds.is_empty() => {
            "No operation matches the filter."
        }
        _ if journal.history.broken.is_some() => "Nothing before the line that does not hold.",
        _ => "Nothing was changed with opsdeck on this host yet.",
    };
    vec![(said.to_owned(), Role::Muted)]
}

/// Whether an operation runs in this console: then its end is to come.
fn is_under_way(model: &Model, deed: &Deed) -> bool {
    model.operations.under_way().any(|running| running.operation.id() == deed.operation())
}

/// The sign, the word and the role of how an operation stands.
fn standing(model: &Model, deed: &Deed, glyphs: &Glyphs) -> (&'static str, &'static str, Role) {
    let end = deed.end();
    match end {
        End::Mark => (glyphs.info, "", Role::Warn),
        End::Open(_) if is_under_way(model, deed) => (glyphs.progress, "under way", Role::Progress),
        End::Open(_) => (glyphs.unknown, journal::word(end), Role::Warn),
        End::Known(verdict) => {
            let (glyph, role) = look(verdict, glyphs);
            (glyph, journal::word(end), role)
        }
    }
}

/// The sign and the role of a verdict.
pub(super) fn look(verdict: &Verdict, glyphs: &Glyphs) -> (&'static str, Role) {
    match verdict {
        Verdict::Succeeded => (glyphs.ok, Role::Ok),
        Verdict::Unknown { .. } => (glyphs.unknown, Role::Warn),
        Verdict::Accepted | Verdict::Superseded { .. } => (glyphs.warning, Role::Warn),
        _ => (glyphs.critical, Role::Critical),
    }
}

/// An instant where the operator is.
fn local(model: &Model, at: Wall, format: &str) -> String {
    let zoned = at.timestamp().map(|at| at.to_zoned(model.zone.clone()));
    zoned.map_or_else(String::new, |at| at.strftime(format).to_string())
}

fn row(model: &Model, deed: &Deed, glyphs: &Glyphs, is_wide: bool) -> Row {
    let (glyph, word, role) = standing(model, deed, glyphs);
    let format = if is_wide { "%m-%d %H:%M:%S" } else { "%m-%d %H:%M" };
    let service = deed.intents().last().and_then(|intent| intent.mutation.service());
    let target = match deed.targets().as_slice() {
        [] => String::new(),
        // What tells services apart is their name and not their cluster's.
        [_] if service.is_some() && !is_wide => service.map_or_else(String::new, |id| id.name.clone()),
        [one] => (*one).to_owned(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    };
    let scope = deed.intents().last().map(|intent| intent.mutation.scope().to_string());
    let verb = if deed.mark().is_some() { Role::Warn } else { Role::Text };
    let cells = vec![
        piece(glyph, role),
        piece(local(model, deed.at(), format), Role::Muted),
        piece(span::brief(deed.at().age_at(model.now.wall)), Role::Muted),
        piece(deed.who().brief(), Role::Muted),
        piece(if deed.verb().is_empty() { glyphs.none } else { deed.verb() }, verb),
        piece(if target.is_empty() { "its intent is missing".to_owned() } else { target }, Role::Strong),
        piece(scope.unwrap_or_default(), Role::Muted),
        piece(word, role),
        piece(deed.incident().unwrap_or_default(), Role::Muted),
        piece(deed.reason().unwrap_or_default(), Role::Text),
    ];
    Row { cells, target: Some(Target::Deed(deed.operation().to_owned())) }
}

/// What the pane's title says.
pub fn says(model: &Model, glyphs: &Glyphs, says: &mut Says) {
    let journal = &model.journal;
    if journal.read {
        says.left.push((journal.says(), Role::Muted));
    } else if journal.unreadable.is_none() {
        says.right.push(("reading".to_owned(), Role::Spinner));
    }
    let open = |deed: &&Deed| matches!(deed.end(), End::Open(_)) && !is_under_way(model, deed);
    let open = journal.history.deeds.iter().filter(open).count();
    if open > 0 {
        says.left.push((format!("{open} without an outcome"), Role::Warn));
    }
    if let Some(filter) = &journal.list.filter {
        says.left.push((format!("filter: {}", filter.text), Role::Match));
    }
    if journal.list.sort != journal::Column::When || journal.list.reversed {
        let order = if journal.list.reversed { " reversed" } else { "" };
        says.left.push((format!("by {}{order}", journal.list.sort.name()), Role::Muted));
    }
    if let Some(mark) = &model.operations.incident {
        says.left.push((format!("{} is open", mark.id), Role::Warn));
    }
    if journal.history.broken.is_some() {
        says.right.push((format!("{} does not hold", glyphs.critical), Role::Error));
    }
    if journal.unreadable.is_some() {
        says.right.push((format!("{} unreadable", glyphs.critical), Role::Error));
    }
}

/// A title and the text of an operation.
pub fn page(model: &Model, operation: &str, glyphs: &Glyphs) -> (String, Document) {
    let mut page = Document::default();
    let Some(deed) = model.journal.deed(operation) else {
        page.text(
            "The journal holds no such operation any more, or it is older than what is kept here.",
            Role::Muted,
        );
        return ("operation".to_owned(), page);
    };
    let targets = deed.targets().join(", ");
    let title =
        if deed.mark().is_some() { deed.verb().to_owned() } else { format!("{} of {targets}", deed.verb()) };
    verdict(&mut page, model, deed, glyphs);
    page.field("When", when(model, deed.at()));
    page.field(if deed.mark().is_some() { "Title" } else { "Target" }, targets);
    if let Some(intent) = deed.intents().last() {
        let scope = intent.mutation.scope();
        let id = model.world.account_id(scope).map_or_else(String::new, |id| format!("  account {id}"));
        page.field("Where", format!("{scope}{id}"));
    }
    if let Some(reason) = deed.reason() {
        page.field("Reason", reason);
    } else if deed.mark().is_none() {
        page.field_in("Reason", "none was given", Role::Muted);
    }
    if let Some(id) = deed.incident() {
        page.field("Incident", id);
    }
    page.gap();
    let who = deed.who();
    let known = [
        ("Who", &who.os_user),
        ("Caller", &who.caller_arn),
        ("Host", &who.host),
        ("SSH from", &who.ssh_client),
    ];
    for (label, value) in known {
        match value {
            Some(value) => page.field(label, value.clone()),
            // Without SSH there is no client, and a mark calls nobody; all else is missing.
            None if label == "SSH from" || (label == "Caller" && deed.mark().is_some()) => {}
            None => page.field_in(label, "not known", Role::Muted),
        }
    }
    page.field_in("Operation", deed.operation(), Role::Muted);
    page.heading("Entries");
    for entry in deed.entries() {
        of_entry(&mut page, model, entry, glyphs);
    }
    if deed.mark().is_none() {
        page.gap();
        let there = if model.subject_of(deed).is_some() {
            "Enter goes to it"
        } else {
            "It is not known here: it is gone, or elsewhere, or not read yet"
        };
        page.text(there, Role::Hint);
    }
    (title, page)
}

/// How it ended, whole.
fn verdict(page: &mut Document, model: &Model, deed: &Deed, glyphs: &Glyphs) {
    let (glyph, _, role) = standing(model, deed, glyphs);
    let told = match deed.end() {
        End::Mark => return,
        End::Known(verdict) => text::capital(&verdict.to_string()),
        End::Open(_) if is_under_way(model, deed) => "Under way in this console".to_owned(),
        End::Open(reached) => {
            format!("No outcome is written: {}. Another opsdeck may be at it.", reached.words())
        }
    };
    page.hanging(vec![piece(format!("{glyph} "), role), piece(told, role)], 2);
    page.gap();
}

/// One entry: its time and what it is, then what it tells, each on its own line.
fn of_entry(page: &mut Document, model: &Model, entry: &Entry, glyphs: &Glyphs) {
    let time = format!("  {}  ", local(model, entry.at, "%m-%d %H:%M:%S%.3f"));
    let mut head = |what: String, role: Role| {
        page.hanging(vec![piece(time.clone(), Role::Muted), piece(what, role)], 4);
    };
    match &entry.event {
        Event::Intent(intent) => {
            head(call(intent), Role::Strong);
            let both = [("Before", &intent.before), ("After", &intent.after)];
            for (label, value) in both.into_iter().filter(|(_, value)| !value.is_empty()) {
                field(page, label, value);
            }
        }
        Event::Acknowledged(note) => {
            let (what, role) = match &note.lost {
                Some(why) => (format!("The answer to call {} was lost: {why}", note.step), Role::Warn),
                None => (format!("AWS accepted call {}", note.step), Role::Text),
            };
            head(what, role);
            for (label, value) in named(note) {
                field(page, label, value);
            }
        }
        Event::Outcome(outcome) => {
            let (glyph, role) = look(&outcome.verdict, glyphs);
            head(format!("{glyph} {}", text::capital(&outcome.verdict.to_string())), role);
        }
        Event::IncidentOpened(mark) => {
            head(format!("Incident {} opened: {}", mark.id, mark.title), Role::Warn);
        }
        Event::IncidentClosed(mark) => {
            head(format!("Incident {} closed: {}", mark.id, mark.title), Role::Text);
        }
    }
}

/// `Call 1 of 2: ecs:UpdateService on prod/api`.
fn call(intent: &Intent) -> String {
    format!("Call {} of {}: {} on {}", intent.step, intent.steps, intent.mutation.action(), intent.target)
}

fn named(note: &Acknowledged) -> impl Iterator<Item = (&'static str, &String)> {
    let receipt = &note.receipt;
    let all = [
        ("Request", &receipt.request_id),
        ("Deployment", &receipt.deployment),
        ("Definition", &receipt.definition),
        ("Task", &receipt.task),
    ];
    all.into_iter().filter_map(|(label, value)| Some((label, value.as_ref()?)))
}

fn field(page: &mut Document, label: &str, value: &str) {
    let line: Vec<Piece> =
        vec![piece(format!("    {}", text::pad(label, 12)), Role::Muted), piece(value, Role::Overlay)];
    page.hanging(line, 16);
}

/// The key that opens the pane, or the command.
pub(super) fn key(model: &Model) -> String {
    let keys = model.keymap.keys_for(Id::Journal, &[Context::Anywhere]);
    keys.into_iter().next().unwrap_or_else(|| ":journal".to_owned())
}
