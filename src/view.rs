//! Draws the model: one file per pane and overlay, reusable pieces in `widget`.
//!
//! Floor 6. Must not mutate, fetch or decide; what it draws follows from the model, the theme and the size.

mod alarms;
mod api;
mod caches;
mod changes;
mod clusters;
mod databases;
mod definition;
mod deployments;
mod detail;
mod events;
mod fleet;
mod footer;
mod header;
mod items;
mod journal;
mod logs;
mod operation;
mod overlay;
mod secrets;
mod service;
mod services;
mod status;
mod tabs;
mod tasks;
#[cfg(test)]
mod tests;
pub mod widget;

use ratatui::buffer::Buffer;

use crate::app::layout::{SMALLEST, inside, layout};
use crate::app::pane::PaneId;
use crate::app::{Model, Target, Tops};
use crate::stdx::rect::{Rect, Size};
use crate::theme::{Role, Theme};
use crate::view::widget::canvas::Canvas;

/// A drawn screen.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    /// All cells.
    pub buffer: Buffer,
    /// Where the text cursor stands.
    pub cursor: Option<(u16, u16)>,
    /// What stands where, by identity; later ones lie above.
    pub hits: Vec<(Rect, Target)>,
    /// How many lines the documents have in all. An overlay reports as `Logs`, which never reports itself.
    pub scrolls: Vec<(PaneId, usize)>,
    /// The rows on top of the lists, which keys act on while nobody has moved a cursor.
    pub tops: Tops,
}

/// Draws everything.
///
/// ```text
///  opsdeck  ■ PRODUCTION  ⊘ locked  123456789012  us-east-1 …       api 20 %  14:02:33    header
///  1 Fleet ✖1  2 Services ✖1  3 Alarms  4 RDS  5 Cache …                                  tabs
///  ── Services 9 ───────────────────────────────────────────────────────────────────────
///  ✖ gov-backend        1/2  …                                                            deck: one pane,
///  ● gateway-service    2/2  …                                                            two, or six
///  enter open  l logs  t tasks  / filter  ? keys                                          footer
/// ```
#[must_use]
pub fn view(model: &Model, theme: &Theme, size: Size) -> Drawn {
    let mut canvas = Canvas::new(theme, size);
    let screen = layout(model, size);
    if screen.too_small {
        too_small(&mut canvas, size);
        return canvas.into_drawn();
    }
    header::draw(&mut canvas, model, screen.header);
    tabs::draw(&mut canvas, model, screen.tabs);
    for (pane, area) in &screen.panes {
        canvas.hit(*area, Target::Pane(*pane));
        title(&mut canvas, model, *pane, *area);
        let body = inside(*area);
        match pane {
            PaneId::Services => services::draw(&mut canvas, model, body),
            PaneId::Service => service::draw(&mut canvas, model, body),
            PaneId::Tasks => tasks::draw(&mut canvas, model, body),
            PaneId::Logs => logs::draw(&mut canvas, model, body),
            PaneId::Events => events::draw(&mut canvas, model, body),
            PaneId::Definition => definition::draw(&mut canvas, model, body),
            PaneId::Deployments => deployments::draw(&mut canvas, model, body),
            PaneId::Clusters => clusters::draw(&mut canvas, model, body),
            PaneId::Fleet => fleet::draw(&mut canvas, model, body),
            PaneId::Alarms => alarms::draw(&mut canvas, model, body),
            PaneId::Databases => databases::draw(&mut canvas, model, body),
            PaneId::Caches => caches::draw(&mut canvas, model, body),
            PaneId::Secrets => secrets::draw(&mut canvas, model, body),
            PaneId::Changes => changes::draw(&mut canvas, model, body),
            PaneId::Api => api::draw(&mut canvas, model, body),
            PaneId::Journal => journal::draw(&mut canvas, model, body),
        }
    }
    footer::draw(&mut canvas, model, screen.footer);
    let has_form = overlay::draw(&mut canvas, model, Rect::of(size));
    let tops = if has_form { model.tops() } else { model.tops().without_form() };
    Drawn { tops, ..canvas.into_drawn() }
}

fn too_small(canvas: &mut Canvas<'_>, size: Size) {
    let lines = [
        "opsdeck".to_owned(),
        format!("needs {}×{}", SMALLEST.width, SMALLEST.height),
        format!("has {}×{}", size.width, size.height),
    ];
    for (row, line) in (0..size.height).zip(&lines) {
        canvas.text(Rect::new(0, row, size.width, 1), line, Role::Text);
    }
}

/// A pane's first line: its name, what it says about itself, and a rule.
fn title(canvas: &mut Canvas<'_>, model: &Model, pane: PaneId, area: Rect) {
    let (line, _) = area.split_top(1);
    let focused = model.focus == pane;
    let role = if focused { Role::TitleFocus } else { Role::Title };
    let rule = if focused { Role::BorderFocus } else { Role::Border };
    let glyphs = canvas.theme().glyphs;
    canvas.fill(line, glyphs.horizontal, rule);
    let mark = if focused { glyphs.cursor } else { glyphs.horizontal };
    let x = canvas.text(line, mark, rule);
    let mut rest = Rect { x, width: line.right().saturating_sub(x), ..line };
    let says = status::of(model, pane, canvas.theme());
    let name = match &says.name {
        Some(name) => format!(" {} {} ", pane.title(), name),
        None => format!(" {} ", pane.title()),
    };
    let x = canvas.text(rest, &name, role);
    rest = Rect { x, width: line.right().saturating_sub(x), ..line };
    // The right side first: what is wrong or under way must not be cut off by a long filter.
    let right: usize = says.right.iter().map(|(text, _)| crate::stdx::text::width(text) + 3).sum();
    let mut x = line.right().saturating_sub(u16::try_from(right).unwrap_or(u16::MAX)).max(rest.x);
    let left_end = x;
    for (text, role) in &says.right {
        let cell = Rect { x, width: line.right().saturating_sub(x), ..line };
        x = canvas.text(cell, &format!(" {text} "), *role).saturating_add(1);
    }
    let mut x = rest.x;
    for (index, (text, role)) in says.left.iter().enumerate() {
        let place = |x: u16| Rect { x, width: left_end.saturating_sub(x), ..line };
        if index > 0 {
            x = canvas.text(place(x), &format!("{} ", glyphs.separator), Role::Muted);
        }
        x = canvas.text(place(x), &format!("{text} "), *role);
    }
}
