//! What lies over the panes: help, texts, a task, a record, links, the palette's completions.
//!
//! Must clear what it covers, hits included: what cannot be seen cannot be clicked.

use crate::app::overlay::{Overlay, Prompt, Purpose};
use crate::app::pane::PaneId;
use crate::app::pane::list::Scroll;
use crate::app::{Model, Target};
use crate::command::Context;
use crate::diagnose;
use crate::domain::task::{Task, TaskId};
use crate::logs::{RecordId, parse};
use crate::stdx::clock::Wall;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::document::Document;

/// Draws what is open; says whether the form of a change is on the screen.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, screen: Rect) -> bool {
    let mut has_form = false;
    match &model.overlay {
        Some(Overlay::Help(scroll)) => help(canvas, model, screen, *scroll),
        Some(Overlay::Text { title, text, scroll }) => {
            let mut page = Document::default();
            for line in text.lines() {
                page.text(line, Role::Overlay);
            }
            window(canvas, screen, title, &page, *scroll);
        }
        Some(Overlay::Task(id, scroll)) => task(canvas, model, screen, id, *scroll),
        Some(Overlay::Record(id, scroll)) => record(canvas, model, screen, *id, *scroll),
        Some(Overlay::Detail(item, scroll)) => {
            let (title, page) = super::detail::page(model, item, inside_width(screen));
            window(canvas, screen, &title, &page, *scroll);
        }
        Some(Overlay::Deed(operation, scroll)) => {
            let glyphs = canvas.theme().glyphs;
            let (title, page) = super::journal::page(model, operation, &glyphs);
            window(canvas, screen, &title, &page, *scroll);
        }
        Some(Overlay::Check(scroll)) => {
            let (title, page) = super::detail::check(model);
            window(canvas, screen, &title, &page, *scroll);
        }
        Some(Overlay::Operation(dialog)) => {
            has_form = super::operation::draw(canvas, model, screen, dialog);
        }
        Some(Overlay::Value(input)) => super::operation::value(canvas, screen, input),
        Some(Overlay::Session { selected, scroll }) => {
            super::operation::session(canvas, model, screen, *selected, *scroll);
        }
        Some(Overlay::LogFiles { database, selected }) => {
            let (page, line) = super::detail::log_list(model, database, selected);
            // The selected one stays in view, whatever fits.
            let room = usize::from(screen.height.saturating_sub(6)).max(1);
            let scroll = Scroll { top: (line + 1).saturating_sub(room), ..Scroll::default() };
            window(canvas, screen, &format!("Log files of {}", database.name), &page, scroll);
        }
        Some(Overlay::Links { links, selected }) => {
            let mut page = Document::default();
            for (index, (label, url)) in links.iter().enumerate() {
                let mark = if index == *selected { canvas.theme().glyphs.cursor } else { " " };
                let role = if index == *selected { Role::Strong } else { Role::Overlay };
                page.line(vec![
                    piece(format!("{mark} {}", text::pad(label, 20)), role),
                    piece(url.clone(), Role::Link),
                ]);
            }
            window(canvas, screen, "Links", &page, Scroll::default());
        }
        None => {}
    }
    if let Some(prompt) = model.prompt.as_ref().filter(|p| p.purpose == Purpose::Palette) {
        completions(canvas, prompt, screen);
    }
    has_form
}

/// Sentences in an otherwise empty pane, wrapped.
pub fn sentences(canvas: &mut Canvas<'_>, area: Rect, lines: &[(String, Role)]) {
    let mut page = Document::default();
    for (line, role) in lines {
        page.text(format!("  {line}"), *role);
    }
    let wrapped = page.wrapped(usize::from(area.width.saturating_sub(2)));
    for (y, line) in (area.y..area.bottom()).zip(&wrapped) {
        canvas.pieces(Rect { y, height: 1, ..area }, line);
    }
}

fn window_width(screen: Rect) -> u16 {
    screen.width.saturating_sub(4).min(120).max(screen.width.min(36))
}

/// Columns of the text in a window.
pub(super) fn inside_width(screen: Rect) -> usize {
    usize::from(window_width(screen).saturating_sub(4))
}

/// A bordered window over the middle of the screen, as high as its text needs.
pub(super) fn window(canvas: &mut Canvas<'_>, screen: Rect, title: &str, page: &Document, scroll: Scroll) {
    let lines = page.wrapped(inside_width(screen)).len();
    let inside = frame(canvas, screen, title, u16::try_from(lines + 2).unwrap_or(u16::MAX));
    page.draw(canvas, inside, scroll.top, PaneId::Logs);
}

/// The window's border and title; gives the area inside.
pub(super) fn frame(canvas: &mut Canvas<'_>, screen: Rect, title: &str, height: u16) -> Rect {
    let width = window_width(screen);
    let room = screen.height.saturating_sub(4);
    let height = height.clamp(3, room.max(3));
    let area = screen.centred(width, height);
    canvas.clear(area, Role::Overlay);
    canvas.hit(area, Target::Overlay);
    let glyphs = &canvas.theme().glyphs;
    let right = area.right().saturating_sub(1);
    let bottom = area.bottom().saturating_sub(1);
    let line = |y: u16| Rect::new(area.x, y, area.width, 1);
    canvas.fill(line(area.y), glyphs.horizontal, Role::OverlayBorder);
    canvas.fill(line(bottom), glyphs.horizontal, Role::OverlayBorder);
    let side = |x: u16| Rect::new(x, area.y, 1, area.height);
    canvas.fill(side(area.x), glyphs.vertical, Role::OverlayBorder);
    canvas.fill(side(right), glyphs.vertical, Role::OverlayBorder);
    for (x, y, glyph) in [
        (area.x, area.y, glyphs.top_left),
        (right, area.y, glyphs.top_right),
        (area.x, bottom, glyphs.bottom_left),
        (right, bottom, glyphs.bottom_right),
    ] {
        canvas.text(Rect::new(x, y, 1, 1), glyph, Role::OverlayBorder);
    }
    let head = Rect::new(area.x + 2, area.y, area.width.saturating_sub(4), 1);
    canvas.text(head, &format!(" {title} "), Role::TitleFocus);
    let inside = area.inner(1);
    Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
}

fn help(canvas: &mut Canvas<'_>, model: &Model, screen: Rect, scroll: Scroll) {
    let mut page = Document::default();
    for (context, lines) in model.keymap.listing_for(&model.contexts()) {
        page.heading(context_title(context));
        for line in lines {
            let keys = piece(format!("  {}", text::pad(&line.keys_text(), 19)), Role::Key);
            page.hanging(vec![keys, piece(line.doc, Role::Overlay)], 21);
        }
    }
    let title = format!("Keys that work here ({} keymap)", model.keymap.name);
    window(canvas, screen, &title, &page, scroll);
}

fn context_title(context: Context) -> &'static str {
    match context {
        Context::Anywhere => "Everywhere",
        Context::List => "In lists and texts",
        Context::Row => "On a row",
        Context::Service => "On a service",
        Context::Task => "On a task",
        Context::TaskDefinition => "In a task definition",
        Context::Logs => "In logs",
    }
}

/// Bytes of a record that are laid out; a longer one would be wrapped anew for every frame.
const LONGEST: usize = 128 << 10;

fn record(canvas: &mut Canvas<'_>, model: &Model, screen: Rect, id: RecordId, scroll: Scroll) {
    let mut page = Document::default();
    match model.logs.record(id) {
        Some(record) => {
            let of_file = model.logs.file();
            if record.id.at != Wall::default() {
                page.field_in("Time", record.id.at.rfc3339(), Role::Overlay);
            }
            let late = record.id.ingested_at.0.saturating_sub(record.id.at.0);
            if of_file.is_none() {
                let taken_in = format!("{} ({late} ms later)", record.id.ingested_at.rfc3339());
                page.field_in("Taken in", taken_in, Role::Overlay);
            }
            let places = if of_file.is_some() { ["Database", "File"] } else { ["Group", "Stream"] };
            for (label, place) in places.iter().zip([&record.origin.group.name, &record.origin.stream]) {
                page.field_in(label, place.clone(), Role::Overlay);
            }
            page.gap();
            let mut room = LONGEST;
            let mut hidden = 0;
            for line in parse::pretty(record.message) {
                let shown = text::head(&line, room);
                hidden += line.len() - shown.len();
                room -= shown.len();
                if !shown.is_empty() || line.is_empty() {
                    page.text(shown, Role::Code);
                }
            }
            if hidden > 0 {
                page.text(
                    format!("{hidden} more bytes are not shown here; they are copied with the rest"),
                    Role::Warn,
                );
            }
        }
        None => page.text("This record is no longer held in memory.", Role::Muted),
    }
    window(canvas, screen, "Log record", &page, scroll);
}

fn task(canvas: &mut Canvas<'_>, model: &Model, screen: Rect, id: &TaskId, scroll: Scroll) {
    let mut page = Document::default();
    match model.world.tasks.get(id) {
        Some(seen) => task_lines(&mut page, model, canvas, &seen.value),
        None => page.text("ECS no longer lists this task.", Role::Muted),
    }
    window(canvas, screen, &format!("Task {}", id.short()), &page, scroll);
}

fn task_lines(page: &mut Document, model: &Model, canvas: &Canvas<'_>, task: &Task) {
    let health = diagnose::task_health(task, model.now.wall);
    let (role, glyph) = status::severity(health.severity, canvas.theme());
    page.line(vec![
        piece(format!("{glyph} {}", health.severity.word()), role),
        piece(format!("  {}", health.reason), Role::Overlay),
    ]);
    page.gap();
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
    page.field("Status", format!("{}, wanted {}", task.last_status, task.desired_status));
    if let Some(code) = &task.stop_code {
        page.field_in("Stop code", code.clone(), Role::Warn);
    }
    if let Some(reason) = &task.stopped_reason {
        page.field_in("Stopped because", reason.clone(), Role::Warn);
    }
    if let Some(explained) = diagnose::stop_explanation(task) {
        page.field("That means", explained);
    }
    page.field("Task definition", task.revision.to_string());
    page.field("Started by", or(&task.started_by));
    page.field("CPU, memory", format!("{} units, {} MiB", or(&task.cpu), or(&task.memory)));
    let capacity = task.capacity_provider.as_ref().or(task.launch_type.as_ref());
    page.field("Capacity", format!("{} in {}", or(&capacity.cloned()), or(&task.zone)));
    page.field(
        "ECS Exec",
        if task.exec_enabled { "enabled when it started" } else { "not enabled when it started" },
    );
    let times: [(&str, Option<Wall>); 6] = [
        ("Created", task.created_at),
        ("Pull began", task.pull_started_at),
        ("Pull ended", task.pull_stopped_at),
        ("Started", task.started_at),
        ("Told to stop", task.stopping_at),
        ("Stopped", task.stopped_at),
    ];
    for (label, at) in times {
        if let Some(at) = at {
            let age = span::precise(at.age_at(model.now.wall));
            page.field(label, format!("{}  {age} ago", at.rfc3339()));
        }
    }
    for container in &task.containers {
        page.heading(format!("Container {}", container.name));
        let exit = container.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
        let bad = container.exit_code.is_some_and(|code| code != 0);
        let role = if bad { Role::Warn } else { Role::Text };
        page.field_in("Status", format!("{}{exit}", container.last_status), role);
        if let Some(reason) = &container.reason {
            page.field_in("Reason", reason.clone(), Role::Warn);
        }
        // UNKNOWN without a health check is the normal state.
        if let Some(state) = container.health.as_deref().filter(|h| *h != "UNKNOWN") {
            page.field("Health", state);
        }
        page.field("Image", container.image.clone());
        if let Some(digest) = &container.image_digest {
            page.field("Digest", digest.clone());
        }
        if let Some(ip) = &container.private_ip {
            page.field("Private address", ip.clone());
        }
        if let Some(agent) = &container.exec_agent {
            page.field("Exec agent", agent.clone());
        }
    }
    page.gap();
    page.field("ARN", task.arn.clone());
}

/// The palette's completions, above the input line.
fn completions(canvas: &mut Canvas<'_>, prompt: &Prompt, screen: Rect) {
    let count = u16::try_from(prompt.suggestions.len()).unwrap_or(0).min(screen.height.saturating_sub(3));
    if count == 0 {
        return;
    }
    let area = Rect::new(0, screen.bottom().saturating_sub(1 + count), screen.width, count);
    canvas.clear(area, Role::Overlay);
    // As wide as the names, so that what they do has the rest; on a narrow screen the names give way.
    let longest = prompt.suggestions.iter().map(|s| text::width(&s.text)).max().unwrap_or(0);
    let names = u16::try_from(longest + 2).unwrap_or(u16::MAX).min(area.width / 2);
    for (index, (y, suggestion)) in (area.y..area.bottom()).zip(&prompt.suggestions).enumerate() {
        let line = Rect { y, height: 1, ..area };
        let chosen = prompt.chosen == Some(index);
        if chosen {
            canvas.fill(line, " ", Role::Selection);
        }
        let mark = if chosen { canvas.theme().glyphs.cursor } else { " " };
        let name = Rect { width: names, ..line };
        canvas.text(name, &format!("{mark} {}", suggestion.text), Role::Strong);
        let doc = line.split_left(names.saturating_add(2)).1;
        canvas.text(doc, &suggestion.doc, Role::Muted);
        if chosen {
            canvas.tint(line, Role::Selection);
        }
        canvas.hit(line, Target::Suggestion(index));
    }
}
