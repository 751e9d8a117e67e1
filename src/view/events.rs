//! The events pane: a service's events, newest first.
//!
//! Quiet is not healthy: ECS leaves out repetitions for six hours, and the pane says so.

use crate::app::pane::PaneId;
use crate::app::{Model, Target};
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::Canvas;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let pane = &model.events;
    let service = model.subject.as_ref().and_then(|id| model.world.service(id));
    let (Some(seen), false) = (service, pane.rows.is_empty()) else {
        let nothing = if pane.filter.is_some() {
            "No event matches the filter."
        } else {
            "ECS reports no events. It leaves out repetitions for six hours, so quiet does not mean healthy."
        };
        super::overlay::sentences(canvas, area, &status::why_empty(model, PaneId::Events, nothing));
        return;
    };
    let offset = pane.cursor.offset();
    let highlighted = pane.cursor.highlighted(&pane.rows);
    for (line, (index, id)) in (area.y..area.bottom()).zip(pane.rows.iter().enumerate().skip(offset)) {
        let Some(event) = seen.value.events.iter().find(|e| e.id == *id) else { continue };
        let whole = Rect { y: line, height: 1, ..area };
        let (mark, rest) = whole.split_left(2);
        let (age, message) = rest.split_left(8);
        let chosen = highlighted == Some(index);
        let focused = model.focus == PaneId::Events;
        let selection = if focused { Role::Selection } else { Role::SelectionInactive };
        if chosen {
            canvas.fill(whole, " ", selection);
        }
        let (role, _) = status::severity(crate::diagnose::event_severity(&event.message), canvas.theme());
        let role = if role == Role::Ok { Role::Muted } else { role };
        canvas.text(age, &span::brief(event.at.age_at(model.now.wall)), Role::Muted);
        let says = crate::diagnose::event_text(&event.message, &seen.value.id.name);
        let clean = text::scrub(says);
        let skip = text::prefix(&clean, usize::from(pane.shift)).len();
        canvas.text(message, &clean[skip..], role);
        if chosen {
            canvas.tint(whole, selection);
            canvas.text(mark, canvas.theme().glyphs.cursor, Role::TitleFocus);
        }
        canvas.hit(whole, Target::Event(id.clone()));
    }
}
