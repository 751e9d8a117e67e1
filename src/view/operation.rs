//! The dialog of an action: what would happen and the form that confirms it; then how it goes, and how it ended. And
//! the list of this session's actions.
//!
//! The form is always on the screen: a plan that is too long scrolls above it. Must not draw a value of a secret.

mod rollout;

use crate::app::Model;
use crate::app::operations::dialog::{Dialog, Field, fields};
use crate::app::operations::value::ValueInput;
use crate::app::operations::{Running, Standing};
use crate::app::pane::PaneId;
use crate::app::pane::list::Scroll;
use crate::domain::action::Action;
use crate::domain::plan::{Finding, Plan, Target};
use crate::guard::{Friction, Lock, Progress};
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::{Glyphs, Role};
use crate::view::overlay::{frame, inside_width, window};
use crate::view::widget::canvas::{Canvas, Piece, piece};
use crate::view::widget::document::Document;

/// Lines of a plan below which a form is not shown: nobody confirms what cannot be read.
const LEAST_PLAN: u16 = 2;

/// Draws the dialog; says whether its form is on the screen, whole.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, screen: Rect, dialog: &Dialog) -> bool {
    let Some(running) = model.operations.get(dialog.operation) else { return false };
    let glyphs = canvas.theme().glyphs;
    let mut page = Document::default();
    match running.operation.progress() {
        Progress::Reading => {
            page.text("Reading the target again…", Role::Progress);
            page.gap();
            page.text("Esc cancels; AWS has not been asked to change anything.", Role::Muted);
        }
        Progress::Confirming => {
            if let Some(plan) = running.operation.plan() {
                of_plan(&mut page, plan, &glyphs);
            }
            return form(canvas, model, screen, dialog, running, &page);
        }
        Progress::Calling | Progress::Watching | Progress::Ended => {
            rollout::progress(&mut page, model, running, &glyphs);
        }
    }
    window(canvas, screen, &title(running), &page, dialog.scroll);
    false
}

fn title(running: &Running) -> String {
    running.operation.action().to_string()
}

fn sign(finding: Finding, glyphs: &Glyphs) -> (&'static str, Role) {
    match finding {
        Finding::Pass => (glyphs.ok, Role::Ok),
        Finding::NotVerified => (glyphs.unknown, Role::Unknown),
        Finding::Warn => (glyphs.warning, Role::Warn),
        Finding::Block => (glyphs.critical, Role::Critical),
    }
}

/// What would happen: changes, then what is felt, then the checks, the worst first.
fn of_plan(page: &mut Document, plan: &Plan, glyphs: &Glyphs) {
    for change in &plan.changes {
        page.hanging(
            vec![
                piece(format!("{}: ", change.field), Role::Muted),
                piece(change.before.clone(), Role::Overlay),
                piece(format!(" {} ", glyphs.arrow), Role::Muted),
                piece(change.after.clone(), Role::Strong),
            ],
            2,
        );
    }
    for sentence in &plan.reach {
        page.hanging(
            vec![piece(format!("{} ", glyphs.bullet), Role::Muted), piece(sentence.clone(), Role::Overlay)],
            2,
        );
    }
    page.gap();
    let mut checks: Vec<_> = plan.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.finding));
    for check in checks {
        let (mark, role) = sign(check.finding, glyphs);
        let text = if check.finding == Finding::Pass { Role::Muted } else { Role::Overlay };
        page.hanging(
            vec![
                piece(format!("{mark} "), role),
                piece(format!("{}: ", check.name), text),
                piece(check.evidence.clone(), text),
            ],
            2,
        );
    }
    for sentence in &plan.advice {
        page.gap();
        page.text(sentence.clone(), Role::Hint);
    }
}

/// The form under the plan.
fn form(
    canvas: &mut Canvas<'_>,
    model: &Model,
    screen: Rect,
    dialog: &Dialog,
    running: &Running,
    page: &Document,
) -> bool {
    let width = inside_width(screen);
    let friction = running.friction;
    let armed = dialog.is_armed(model.now);
    let typed = if armed { Role::Input } else { Role::Placeholder };
    let said = running
        .mistake
        .map(|mistake| sentence(&mistake.to_string()))
        .or_else(|| dialog.said.map(ToOwned::to_owned));
    let mut lines: Vec<(Option<Field>, Vec<Piece>)> = Vec::new();
    // The focused line up to the cursor.
    let mut typed_so_far: Vec<Piece> = Vec::new();
    let label = |field: Field, text: &str| {
        let mark = if dialog.field == field { canvas_mark(canvas) } else { " " };
        piece(
            format!("{mark} {}", text::pad(text, 22)),
            if dialog.field == field { Role::Prompt } else { Role::Muted },
        )
    };
    if model.lock() == Lock::Locked {
        let minutes = span::brief(model.session.rules.unlock_for);
        let told = format!("The console is locked: this unlocks it for {minutes}, with your reason.");
        lines.push((None, vec![piece(told, Role::Warn)]));
    }
    let targets = running.operation.plan().map(|plan| plan.targets.as_slice()).unwrap_or_default();
    for field in fields(friction, targets.len() > 1) {
        match field {
            Field::Target => {
                let at = targets.iter().position(|target| target.chosen);
                let told = at.and_then(|at| targets.get(at)).map_or_else(String::new, |target| {
                    let age = target.deployed_at.map_or_else(String::new, |at| {
                        format!(", deployed {} ago", span::brief(at.age_at(model.now.wall)))
                    });
                    let who = deployer(model, running, target);
                    let who = who.map_or_else(String::new, |who| format!(" by {who}"));
                    format!("{} {}{age}{who}", target.revision, target.images.join(", "))
                });
                let number = at.map_or_else(String::new, |at| format!("{} of {}: ", at + 1, targets.len()));
                let arrows = if dialog.field == Field::Target { "  (left and right choose)" } else { "" };
                lines.push((
                    None,
                    vec![
                        label(Field::Target, "Return to"),
                        piece(format!(" {number}"), Role::Muted),
                        piece(told, Role::Overlay),
                        piece(arrows, Role::Hint),
                    ],
                ));
            }
            Field::Name => {
                let ask = format!("Type {}", running.name);
                let room = text::width(&ask).max(22);
                let mark = if dialog.field == Field::Name { canvas_mark(canvas) } else { " " };
                let role = if dialog.field == Field::Name { Role::Prompt } else { Role::Muted };
                let head = piece(format!("{mark} {} ", text::pad(&ask, room)), role);
                if dialog.field == Field::Name {
                    typed_so_far = vec![head.clone(), piece(dialog.name.before().to_owned(), typed)];
                }
                lines.push((Some(Field::Name), vec![head, piece(dialog.name.text().to_owned(), typed)]));
            }
            Field::Reason => {
                let head = [label(Field::Reason, "Reason"), piece(" ", Role::Overlay)];
                let line = |text: &str| [&head[..], &[piece(text.to_owned(), typed)]].concat();
                if dialog.field == Field::Reason {
                    typed_so_far = line(dialog.reason.before());
                }
                lines.push((Some(Field::Reason), line(dialog.reason.text())));
            }
            Field::Cancel | Field::Do => {}
        }
    }
    let button = |field: Field, text: String| {
        let focused = dialog.field == field;
        let mark = if focused { canvas_mark(canvas) } else { " " };
        piece(format!("{mark}[ {text} ]"), if focused { Role::Selection } else { Role::Muted })
    };
    let account = running.operation.action().scope().map_or_else(String::new, |scope| {
        let id = model.world.account_id(scope).unwrap_or_else(|| scope.account.to_string());
        format!(" in {id} {}", scope.region)
    });
    let does = format!("{}{account}", running.operation.action());
    let hint = match friction {
        Friction::YesKey => "y does it, Esc cancels",
        _ => "Tab moves, Enter goes on, Esc cancels",
    };
    lines.push((
        None,
        vec![button(Field::Cancel, "Cancel".to_owned()), piece("  ", Role::Overlay), button(Field::Do, does)],
    ));
    lines.push((
        None,
        vec![match &said {
            Some(said) => piece(said.clone(), Role::Error),
            None => piece(hint, Role::Hint),
        }],
    ));
    let mut bottom = Document::default();
    let mut cursor = None;
    let mut height = 0;
    let rows_of = |line: &[Piece]| {
        let mut one = Document::default();
        one.hanging(line.to_vec(), 2);
        one.wrapped(width)
    };
    for (field, line) in lines {
        if field == Some(dialog.field) {
            let before = rows_of(&typed_so_far);
            let columns = before.last().map_or(0, |row| row.iter().map(|p| text::width(&p.text)).sum());
            cursor = Some((columns, height + before.len().saturating_sub(1)));
        }
        height += rows_of(&line).len();
        bottom.hanging(line, 2);
    }
    let plan_height = page.wrapped(width).len();
    let room = usize::from(screen.height.saturating_sub(4));
    let total = (plan_height + 1 + height + 2).min(room.max(height + 3));
    let form_height = u16::try_from(height).unwrap_or(u16::MAX);
    let least =
        form_height.saturating_add(1 + LEAST_PLAN.min(u16::try_from(plan_height).unwrap_or(u16::MAX)));
    let missing = least.saturating_sub(screen.height.saturating_sub(6));
    if missing > 0 {
        let mut page = Document::default();
        let lines = text::count(usize::from(missing), "line");
        page.text(format!("The terminal is {lines} too low to show what it is about."), Role::Warn);
        page.text("Esc cancels; AWS has not been asked.", Role::Muted);
        window(canvas, screen, &title(running), &page, Scroll::default());
        return false;
    }
    let inside = frame(canvas, screen, &title(running), u16::try_from(total).unwrap_or(u16::MAX));
    let (plan_area, form_area) = inside.split_top(inside.height.saturating_sub(form_height + 1));
    page.draw(canvas, plan_area, dialog.scroll.top, PaneId::Logs);
    let (rule, form_area) = form_area.split_top(1);
    let more = plan_height > usize::from(plan_area.height);
    // Written and not filled: so it stands on the window.
    let line = canvas.theme().glyphs.horizontal.repeat(usize::from(rule.width));
    canvas.text(rule, &line, Role::Muted);
    if more {
        let checks = running.operation.plan().map(|plan| plan.checks.as_slice()).unwrap_or_default();
        let of = |finding: Finding| checks.iter().filter(|check| check.finding == finding).count();
        let mut told = vec![text::count(of(Finding::Warn), "warning")];
        told.push(format!("{} not verified", of(Finding::NotVerified)));
        canvas.text(rule, &format!(" {}: PgUp PgDn scroll the plan ", told.join(", ")), Role::Hint);
    }
    bottom.draw(canvas, form_area, 0, PaneId::Api);
    if let Some((columns, row)) = cursor {
        let x = form_area.x + u16::try_from(columns.min(width.saturating_sub(1))).unwrap_or(0);
        let y = form_area.y + u16::try_from(row).unwrap_or(0);
        canvas.cursor(x, y.min(form_area.bottom().saturating_sub(1)));
    }
    true
}

/// Who deployed what a rollback may return to, as far as CloudTrail was read.
fn deployer<'m>(model: &'m Model, running: &Running, target: &Target) -> Option<&'m str> {
    let service = running.operation.action().services().into_iter().next()?;
    let trail = model.world.estate.trail.get(&service.scope)?;
    crate::diagnose::change::deployer(trail.values(), service, target.begun_at?)
}

fn canvas_mark(canvas: &Canvas<'_>) -> &'static str {
    canvas.theme().glyphs.cursor
}

/// How long ago, in words.
fn ago(age: std::time::Duration) -> String {
    if age.as_secs() == 0 { "now".to_owned() } else { format!("{} ago", span::brief(age)) }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The input of a secret's new value: how much was typed, and never what.
pub fn value(canvas: &mut Canvas<'_>, screen: Rect, input: &ValueInput) {
    let mut page = Document::default();
    page.text(
        "The new value is not shown, not written down, and wiped from memory when it was stored.",
        Role::Muted,
    );
    page.gap();
    let count = text::count(input.chars(), "character");
    page.field_in("Value", format!("{} {count}", "*".repeat(input.chars().min(24))), Role::Input);
    let shape = match input.keys() {
        Some(keys) if keys.is_empty() => "a JSON object without keys".to_owned(),
        Some(keys) => format!("a JSON object with {}", keys.join(", ")),
        None => "a text that is no JSON object".to_owned(),
    };
    page.field("Shape", if input.chars() == 0 { "nothing yet".to_owned() } else { shape });
    page.gap();
    match input.said {
        Some(said) => page.text(said, Role::Error),
        None => page.text("Enter shows what would happen, Ctrl-U empties it, Esc cancels", Role::Hint),
    }
    window(canvas, screen, &format!("New value of {}", input.secret.name), &page, Scroll::default());
}

/// The actions of this session, with the lock and the incident.
pub fn session(canvas: &mut Canvas<'_>, model: &Model, screen: Rect, selected: usize, scroll: Scroll) {
    let glyphs = canvas.theme().glyphs;
    let mut page = Document::default();
    let operations = &model.operations;
    match (&operations.standing, model.lock()) {
        (_, Lock::ReadOnly) => page.text("This session is read-only.", Role::Muted),
        (Standing::Unlocked { reason, .. }, Lock::Unlocked) => {
            let left = operations.unlocked_for(model.now).map(span::brief).unwrap_or_default();
            page.text(format!("Unlocked for {left} more: {reason}"), Role::Warn);
        }
        _ => page.text("Locked: U unlocks, and so does the reason that a change asks for.", Role::Muted),
    }
    if let Some(mark) = &operations.incident {
        page.text(format!("Incident {} is open: {}", mark.id, mark.title), Role::Warn);
    }
    page.gap();
    if operations.list.is_empty() {
        page.text("Nothing was changed in this session yet.", Role::Muted);
    }
    for (index, running) in operations.list.iter().rev().enumerate() {
        let mark = if index == selected { glyphs.cursor } else { " " };
        let state = match &running.ended {
            Some((verdict, _)) => verdict.to_string(),
            None => match running.operation.watched().first() {
                Some(watched) => watched.state.clone(),
                None => "under way".to_owned(),
            },
        };
        let role = if index == selected { Role::Strong } else { Role::Overlay };
        let age = ago(model.now.since(running.begun));
        page.hanging(
            vec![
                piece(format!("{mark} {age}  "), Role::Muted),
                piece(format!("{}: ", running.operation.action()), role),
                piece(state, Role::Overlay),
            ],
            4,
        );
    }
    page.gap();
    let key = super::journal::key(model);
    page.text(format!("{key} opens the journal: all that was changed on this host"), Role::Hint);
    window(canvas, screen, "Changes of this session", &page, scroll);
}

/// What the header says of the lock.
pub fn lock(model: &Model, glyphs: &Glyphs) -> Vec<Piece> {
    match model.lock() {
        _ if model.session.rules.unread.is_some() => {
            vec![piece(format!("{} policy unread", glyphs.locked), Role::HeaderLocked)]
        }
        Lock::ReadOnly => vec![piece(format!("{} read-only", glyphs.locked), Role::HeaderLocked)],
        Lock::Locked => vec![piece(format!("{} locked", glyphs.locked), Role::HeaderLocked)],
        Lock::Unlocked => {
            let left = model.operations.unlocked_for(model.now).unwrap_or_default();
            // Whole minutes: a count of seconds would redraw the header for nothing.
            let minutes = left.as_secs().div_ceil(60);
            vec![piece(format!("{} UNLOCKED {minutes} min", glyphs.unlocked), Role::HeaderUnlocked)]
        }
    }
}

/// What the header says of what is under way and of an incident.
pub fn under_way(model: &Model, glyphs: &Glyphs) -> Option<Vec<Piece>> {
    let mut line = Vec::new();
    // A dialog that waits for a yes has begun nothing.
    let begun =
        |running: &&Running| matches!(running.operation.progress(), Progress::Calling | Progress::Watching);
    let running: Vec<&Running> = model.operations.under_way().filter(begun).collect();
    match running.as_slice() {
        [] => {}
        [one] => {
            let name = match one.operation.action() {
                Action::Watch { .. } => format!("watching {}", one.name),
                action => format!("{} {}", action.verb(), one.name),
            };
            line.push(piece(format!("{} {name}", glyphs.progress), Role::Badge));
        }
        several => line.push(piece(format!("{} {} under way", glyphs.progress, several.len()), Role::Badge)),
    }
    if let Some(mark) = &model.operations.incident {
        line.push(piece(format!("{}{}", if line.is_empty() { "" } else { "  " }, mark.id), Role::Badge));
    }
    (!line.is_empty()).then_some(line)
}
