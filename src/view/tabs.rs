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
    let long: Vec<String> = PaneId::ALL.iter().map(|p| p.tab().to_owned()).collect();
    let short: Vec<String> = PaneId::ALL
        .iter()
        .map(|p| match p {
            PaneId::Definition => "Def".to_owned(),
            PaneId::Deployments => "Deploys".to_owned(),
            other => other.tab().to_owned(),
        })
        .collect();
    let tiny: Vec<String> = short.iter().map(|name| text::prefix(name, 3).to_owned()).collect();
    let width = |names: &[String], badge: &str| -> usize {
        names.iter().map(|n| text::width(n) + 4).sum::<usize>() + text::width(badge) + 1
    };
    let room = usize::from(area.width);
    let (names, badge) =
        [(&long, badge.as_str()), (&short, badge.as_str()), (&short, ""), (&tiny, badge.as_str())]
            .into_iter()
            .find(|(names, badge)| width(names, badge) <= room)
            .unwrap_or((&tiny, ""));
    let mut x = area.x;
    for (pane, name) in PaneId::ALL.iter().zip(names) {
        let active = *pane == model.focus;
        let role = if active { Role::TabActive } else { Role::Tab };
        let from = x;
        let open = if active { "[" } else { " " };
        let close = if active { "]" } else { " " };
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
