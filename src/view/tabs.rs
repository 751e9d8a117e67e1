//! The tab strip: every pane with its number, and how many services are sick.
//!
//! The present tab is marked by brackets too, not by colour alone.

use crate::app::pane::PaneId;
use crate::app::{Model, Target};
use crate::diagnose::Severity;
use crate::stdx::rect::Rect;
use crate::stdx::text;
use crate::theme::Role;
use crate::view::widget::canvas::Canvas;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let badge = badge(model, canvas);
    let named = |name: fn(PaneId) -> &'static str| PaneId::ALL.map(name);
    // Each is tried in turn: full names, short ones, and as short as they can be told apart.
    let choices = [
        (named(PaneId::tab), badge.as_str(), true),
        (named(short), badge.as_str(), true),
        (named(short), badge.as_str(), false),
        (named(shortest), badge.as_str(), false),
        (named(shortest), "", false),
    ];
    let width = |names: &[&str], badge: &str, airy: bool| -> usize {
        let badge = if badge.is_empty() { 0 } else { text::width(badge) + 1 };
        names.iter().map(|n| text::width(n) + 3 + usize::from(airy)).sum::<usize>() + badge + 1
    };
    let room = usize::from(area.width);
    let (names, badge, airy) = choices
        .into_iter()
        .find(|(names, badge, airy)| width(names, badge, *airy) <= room)
        .unwrap_or((named(shortest), "", false));
    let mut x = area.x;
    for (pane, name) in PaneId::ALL.iter().zip(&names) {
        let active = *pane == model.focus;
        let role = if active { Role::TabActive } else { Role::Tab };
        let from = x;
        let open = if active { "[" } else { " " };
        let close = match (active, airy) {
            (true, _) => "]",
            (false, true) => " ",
            (false, false) => "",
        };
        let place = |x: u16| Rect { x, width: area.right().saturating_sub(x), ..area };
        x = canvas.text(place(x), open, role);
        x = canvas.text(place(x), &pane.number().to_string(), if active { role } else { Role::Key });
        x = canvas.text(place(x), &format!(" {name}"), role);
        if *pane == PaneId::Services && !badge.is_empty() {
            x = canvas.text(place(x), &format!(" {badge}"), Role::Warn);
        }
        x = canvas.text(place(x), close, role);
        canvas.hit(Rect { x: from, width: x.saturating_sub(from), ..area }, Target::Tab(*pane));
    }
}

/// Names for a screen of 80 columns.
fn short(pane: PaneId) -> &'static str {
    match pane {
        PaneId::Service => "Svc",
        PaneId::Definition => "Def",
        PaneId::Deployments => "Deploys",
        other => other.tab(),
    }
}

/// Names for a screen of 40 columns.
fn shortest(pane: PaneId) -> &'static str {
    match pane {
        PaneId::Services => "Sv",
        PaneId::Service => "S",
        PaneId::Tasks => "T",
        PaneId::Logs => "L",
        PaneId::Events => "E",
        PaneId::Definition => "D",
        PaneId::Deployments => "Dp",
        PaneId::Clusters => "C",
        PaneId::Api => "A",
    }
}

/// `✖2▲1`: how many services are critical and how many need a look.
fn badge(model: &Model, canvas: &Canvas<'_>) -> String {
    let glyphs = &canvas.theme().glyphs;
    let count = |severity: Severity| {
        model
            .world
            .services
            .values()
            .filter(|r| r.health.as_ref().is_some_and(|h| h.severity == severity))
            .count()
    };
    let mut badge = String::new();
    for (severity, glyph) in [(Severity::Critical, glyphs.critical), (Severity::Warning, glyphs.warning)] {
        let number = count(severity);
        if number > 0 {
            badge.push_str(&format!("{glyph}{number}"));
        }
    }
    badge
}
