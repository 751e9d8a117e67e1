//! The last line: the input line, or a message, or the keys that work here.
//!
//! Hints come from the keymap: a key that was rebound is shown as it is bound.

use crate::app::Model;
use crate::app::overlay::{Overlay, Purpose};
use crate::app::pane::PaneId;
use crate::command::Id;
use crate::keymap::sequence_text;
use crate::stdx::rect::Rect;
use crate::stdx::text;
use crate::theme::Role;
use crate::view::widget::canvas::{Canvas, Piece, piece};

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    if let Some(prompt) = &model.prompt {
        let mark = match prompt.purpose {
            Purpose::Filter { .. } => "/",
            Purpose::Palette => ":",
        };
        let x = canvas.text(area, mark, Role::Prompt);
        let mut rest = Rect { x, width: area.right().saturating_sub(x), ..area };
        // A line longer than the screen shows the part around the cursor.
        let before = prompt.line.before();
        let visible = usize::from(rest.width).saturating_sub(1).max(1);
        let skip = text::width(before).saturating_sub(visible);
        let hidden = text::prefix(prompt.line.text(), skip).len();
        let shown = &prompt.line.text()[hidden..];
        let end = canvas.text(rest, shown, Role::Input);
        let column =
            u16::try_from(text::width(before) - text::width(&prompt.line.text()[..hidden])).unwrap_or(0);
        canvas.cursor((x + column).min(area.right().saturating_sub(1)), area.y);
        rest = Rect { x: end, width: area.right().saturating_sub(end), ..rest };
        if let Some(error) = &prompt.error {
            canvas.text(rest, &format!("   {error}"), Role::Error);
        } else if prompt.line.text().is_empty() {
            let says = match prompt.purpose {
                Purpose::Filter { pane: PaneId::Logs, .. } => {
                    " words, -without, \"exact text\", key=value, /regex/; Esc cancels"
                }
                Purpose::Filter { .. } => " words, -without, /regex/; Esc cancels",
                Purpose::Palette => " a command; Tab completes, Esc cancels",
            };
            canvas.text(rest, says, Role::Placeholder);
        }
        return;
    }
    if !model.pending.is_empty() {
        let typed = sequence_text(&model.pending);
        let mut line = vec![piece(format!(" {typed} …"), Role::Prompt)];
        for next in model.keymap.continuations(&model.pending, &model.contexts()) {
            line.push(piece(format!("  {}", next.keys_text()), Role::Key));
            line.push(piece(format!(" {}", next.doc), Role::Hint));
        }
        canvas.pieces(area, &line);
        return;
    }
    if let Some(notice) = &model.notice {
        let role = if notice.bad { Role::Error } else { Role::Notice };
        let glyphs = &canvas.theme().glyphs;
        let mark = if notice.bad { glyphs.warning } else { glyphs.info };
        canvas.text(area, &format!(" {mark} {}", notice.text), role);
        return;
    }
    if let Some(fault) = super::header::credentials_fault(model).filter(|_| model.overlay.is_none()) {
        // Nothing but this helps, so it takes the place of the hints until it is done.
        let hint = fault.hint.as_deref().unwrap_or(&fault.message);
        let key =
            model.keymap.keys_for(Id::Refresh, &model.contexts()).into_iter().next().unwrap_or_default();
        let mark = canvas.theme().glyphs.critical;
        let word = fault.kind.word();
        canvas.text(area, &format!(" {mark} {word}: {hint}, then {key} asks again"), Role::Error);
        return;
    }
    if matches!(model.overlay, Some(Overlay::Operation(_))) {
        // The dialog says itself which keys it takes; those of the pane below mean nothing.
        return;
    }
    let line = hints(model, usize::from(area.width));
    canvas.pieces(area, &line);
}

/// The hints that fit, most useful first.
fn hints(model: &Model, width: usize) -> Vec<Piece> {
    let wanted: &[(Id, &str)] = match (&model.overlay, model.focus) {
        (Some(Overlay::LogFiles { .. }), _) => &[(Id::Open, "read"), (Id::Down, "next"), (Id::Back, "back")],
        (Some(Overlay::Deed(..)), _) => {
            &[(Id::Back, "close"), (Id::Open, "go there"), (Id::Down, "scroll"), (Id::Copy, "copy")]
        }
        (Some(Overlay::Links { .. }), _) => &[(Id::Open, "copy"), (Id::Back, "close")],
        (Some(_), _) => &[(Id::Back, "close"), (Id::Down, "scroll"), (Id::Copy, "copy")],
        (None, PaneId::Services) => &[
            (Id::Open, "open"),
            (Id::Logs, "logs"),
            (Id::Tasks, "tasks"),
            (Id::Events, "events"),
            (Id::Filter, "filter"),
            (Id::Palette, "command"),
            (Id::Help, "keys"),
            (Id::Sort, "sort"),
            (Id::Fold, "fold"),
            (Id::Links, "links"),
            (Id::Zoom, "zoom"),
            (Id::Quit, "quit"),
        ],
        (None, PaneId::Tasks) => &[
            (Id::Open, "details"),
            (Id::Logs, "logs"),
            (Id::TaskDefinition, "definition"),
            (Id::Fold, "stopped"),
            (Id::Filter, "filter"),
            (Id::Back, "back"),
            (Id::Help, "keys"),
            (Id::Copy, "copy"),
            (Id::Quit, "quit"),
        ],
        (None, PaneId::Logs) => &[
            (Id::Follow, "follow"),
            (Id::Filter, "filter"),
            (Id::Level, "level"),
            (Id::Open, "record"),
            (Id::Older, "older"),
            (Id::Wrap, "wrap"),
            (Id::Back, "back"),
            (Id::Help, "keys"),
            (Id::NextMatch, "next match"),
            (Id::Timestamps, "times"),
            (Id::Zoom, "zoom"),
        ],
        (None, PaneId::Definition) => &[
            (Id::Reveal, "reveal values"),
            (Id::CopyArn, "copy ARN"),
            (Id::Back, "back"),
            (Id::Help, "keys"),
            (Id::Quit, "quit"),
        ],
        (None, PaneId::Service) => &[
            (Id::Logs, "logs"),
            (Id::Tasks, "tasks"),
            (Id::Events, "events"),
            (Id::TaskDefinition, "definition"),
            (Id::Deployments, "deployments"),
            (Id::Back, "back"),
            (Id::Help, "keys"),
            (Id::Links, "links"),
            (Id::CopyArn, "copy ARN"),
        ],
        (None, PaneId::Fleet | PaneId::Changes) => &[
            (Id::Open, "go there"),
            (Id::Services, "services"),
            (Id::Alarms, "alarms"),
            (Id::Changes, "changes"),
            (Id::Filter, "filter"),
            (Id::Palette, "command"),
            (Id::Help, "keys"),
            (Id::Range, "range"),
            (Id::Logs, "logs"),
            (Id::Quit, "quit"),
        ],
        (None, PaneId::Alarms | PaneId::Databases | PaneId::Caches | PaneId::Secrets) => &[
            (Id::Open, "details"),
            (Id::Watched, if model.focus == PaneId::Alarms { "what it watches" } else { "its alarm" }),
            (Id::Filter, "filter"),
            (Id::Fold, "fold"),
            (Id::Back, "back"),
            (Id::Help, "keys"),
            (Id::CopyArn, "copy ARN"),
            (Id::Quit, "quit"),
        ],
        (None, PaneId::Journal) => &[
            (Id::Open, "details"),
            (Id::Filter, "filter"),
            (Id::Sort, "sort"),
            (Id::Logs, "logs"),
            (Id::Back, "back"),
            (Id::Help, "keys"),
            (Id::Operations, "this session"),
            (Id::Copy, "copy"),
            (Id::Quit, "quit"),
        ],
        (None, PaneId::Api) => &[
            (Id::Refresh, "ask again"),
            (Id::Down, "scroll"),
            (Id::Back, "back"),
            (Id::Help, "keys"),
            (Id::Quit, "quit"),
        ],
        (None, _) => &[
            (Id::Open, "open"),
            (Id::Filter, "filter"),
            (Id::Back, "back"),
            (Id::Refresh, "refresh"),
            (Id::Help, "keys"),
            (Id::Quit, "quit"),
        ],
    };
    let contexts = model.contexts();
    let mut line = vec![piece(" ", Role::Hint)];
    let mut used = 1;
    for (id, word) in wanted {
        let Some(key) = model.keymap.keys_for(*id, &contexts).into_iter().min_by_key(String::len) else {
            continue;
        };
        let needed = text::width(&key) + text::width(word) + 3;
        if used + needed > width {
            continue;
        }
        used += needed;
        line.push(piece(key, Role::Key));
        line.push(piece(format!(" {word}  "), Role::Hint));
    }
    line
}
