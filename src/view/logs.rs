//! The log pane: time, task, container, level, message, chosen fields.
//!
//! Must draw visible lines only; a line of a megabyte costs what its visible part costs.

use unicode_segmentation::UnicodeSegmentation;

use crate::app::pane::PaneId;
use crate::app::pane::logs::{Shown, VISIBLE};
use crate::app::{Model, Target, TimeStyle};
use crate::logs::level::Level;
use crate::stdx::clock::Wall;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, Piece, piece};

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let (rows, page) = model.logs.page();
    if rows.is_empty() {
        let unread = model.logs.file().is_some() && model.logs.held() == 0;
        let has_none = model.subject.is_none() && model.logs.file().is_none();
        let mut lines = if unread {
            status::why_empty(model, PaneId::Logs, "The file is empty.")
        } else if has_none || model.session.scopes_fault.is_some() {
            status::why_empty(model, PaneId::Logs, "")
        } else {
            model.logs.why_empty(model.now).into_iter().map(|line| (line, Role::Muted)).collect()
        };
        if page.searching {
            lines = vec![("Looking through the lines held here…".to_owned(), Role::Muted)];
        }
        super::overlay::sentences(canvas, area, &lines);
        return;
    }
    let mut y = area.y;
    let mut skip = page.skip;
    for row in &rows {
        let lines = lines(canvas, model, row, usize::from(area.width));
        let from = y;
        for line in lines.iter().skip(std::mem::take(&mut skip)) {
            if y >= area.bottom() {
                break;
            }
            let place = Rect { y, height: 1, ..area };
            let selection =
                if model.focus == PaneId::Logs { Role::Selection } else { Role::SelectionInactive };
            let marked = row.chosen && model.focus == PaneId::Logs;
            if marked {
                canvas.fill(place, " ", selection);
            }
            canvas.pieces(place, line);
            if marked {
                canvas.tint(place, selection);
                canvas.text(Rect { width: 1, ..place }, canvas.theme().glyphs.cursor, Role::TitleFocus);
            }
            y += 1;
        }
        canvas.hit(Rect::new(area.x, from, area.width, y - from), Target::Record(row.id));
        if y >= area.bottom() {
            break;
        }
    }
}

/// The screen lines of a record.
fn lines(canvas: &Canvas<'_>, model: &Model, row: &Shown, width: usize) -> Vec<Vec<Piece>> {
    let mut prefix = vec![piece("  ", Role::Text)];
    let time = time(model, row.at);
    if !time.is_empty() {
        prefix.push(piece(format!("{} ", text::pad(&time, 12)), Role::LogTime));
    }
    if model.logs.origin_width() > 0 {
        let stream = Role::log_stream(row.stream);
        prefix.push(piece(format!("{} ", text::pad(&row.task, 8)), stream));
        let containers = model.logs.container_width();
        prefix.push(piece(format!("{} ", text::pad(&text::scrub(&row.container), containers)), stream));
    }
    let (role, word) = level(row.level);
    prefix.push(piece(text::pad(word, 6), role));
    let used: usize = prefix.iter().map(|p| text::width(&p.text)).sum();
    let room = width.saturating_sub(used).max(8);
    let body = body(canvas, model, row, role);
    if !model.logs.wrap {
        prefix.extend(shifted(body, usize::from(model.logs.shift)));
        return vec![prefix];
    }
    let mut out = Vec::new();
    let mut line = prefix;
    let mut left = room;
    for Piece { text: content, role } in body {
        let mut rest = content.as_str();
        while !rest.is_empty() && out.len() < row.rows.max(1) {
            if left == 0 {
                out.push(std::mem::take(&mut line));
                line.push(piece(" ".repeat(used.saturating_sub(2)), Role::Text));
                line.push(piece(format!("{} ", canvas.theme().glyphs.wrapped), Role::Faint));
                left = room;
            }
            let mut head = text::prefix(rest, left);
            if head.is_empty() && left < room {
                // A cluster wider than what is left of the line.
                left = 0;
                continue;
            }
            if head.is_empty() {
                // Wider than any line: it stands alone, and the screen cuts it.
                head = rest.graphemes(true).next().unwrap_or(rest);
            }
            left = left.saturating_sub(text::width(head));
            line.push(piece(head, role));
            rest = &rest[head.len()..];
        }
    }
    out.push(line);
    out.truncate(row.rows.max(1));
    out
}

fn body(canvas: &Canvas<'_>, model: &Model, row: &Shown, role: Role) -> Vec<Piece> {
    let quiet = matches!(role, Role::LogInfo);
    let role = if row.continuation {
        Role::Muted
    } else if quiet {
        Role::Text
    } else {
        role
    };
    let message = text::scrub(text::head(&row.message, VISIBLE)).into_owned();
    let mut body = highlighted(model, &message, role);
    for (key, value) in &row.pairs {
        body.push(piece(format!(" {key}="), Role::Faint));
        body.push(piece(text::scrub(value).into_owned(), Role::LogField));
    }
    if row.folded > 0 {
        let glyph = canvas.theme().glyphs.folded;
        body.push(piece(format!("  {glyph} {} more", text::count(row.folded, "line")), Role::LogNote));
    }
    body
}

/// The message with what the filter found in it marked.
fn highlighted(model: &Model, message: &str, role: Role) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for range in model.logs.filter().highlights(message) {
        let (Some(before), Some(found)) = (message.get(at..range.start), message.get(range.clone())) else {
            continue;
        };
        pieces.push(piece(before, role));
        pieces.push(piece(found, Role::Match));
        at = range.end;
    }
    pieces.push(piece(message.get(at..).unwrap_or_default(), role));
    pieces
}

fn shifted(body: Vec<Piece>, mut shift: usize) -> Vec<Piece> {
    let mut out = Vec::new();
    for Piece { text: content, role } in body {
        let skipped = text::prefix(&content, shift);
        shift -= text::width(skipped).min(shift);
        let rest = &content[skipped.len()..];
        if !rest.is_empty() {
            out.push(piece(rest, role));
        }
    }
    out
}

fn time(model: &Model, at: Wall) -> String {
    let Some(timestamp) = at.timestamp() else { return String::new() };
    if at == Wall::default() {
        // A line of a file that has no time.
        return if model.times == TimeStyle::None { String::new() } else { " ".to_owned() };
    }
    let zone = match model.times {
        TimeStyle::None => return String::new(),
        TimeStyle::Age => return span::brief(at.age_at(model.now.wall)),
        TimeStyle::Utc => jiff::tz::TimeZone::UTC,
        TimeStyle::Local => model.zone.clone(),
    };
    timestamp.to_zoned(zone).strftime("%H:%M:%S%.3f").to_string()
}

/// A level's role and word; the word is always there, so that colour is never the only sign.
#[must_use]
pub fn level(level: Option<Level>) -> (Role, &'static str) {
    match level {
        Some(Level::Fatal) => (Role::LogError, "FATAL"),
        Some(Level::Error) => (Role::LogError, "ERROR"),
        Some(Level::Warn) => (Role::LogWarn, "WARN"),
        Some(Level::Info) => (Role::LogInfo, "info"),
        Some(Level::Debug) => (Role::LogDebug, "debug"),
        Some(Level::Trace) => (Role::LogTrace, "trace"),
        None => (Role::LogInfo, ""),
    }
}
