//! The line at the top: production, lock, account, regions, oldest age, budget, clock.
//!
//! When the line is narrow, the last in this order go first. Must be readable without colour.

use crate::app::Model;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::widget::canvas::{Canvas, Piece, piece};
use crate::view::{operation, status};

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    canvas.fill(area, " ", Role::Header);
    let clock = clock(model);
    let clock_width = u16::try_from(text::width(&clock)).unwrap_or(0) + 1;
    let (left, right) = area.split_left(area.width.saturating_sub(clock_width));
    canvas.text(right, &clock, Role::Header);
    let mut room = usize::from(left.width).saturating_sub(1);
    let mut line = vec![piece(" ", Role::Header)];
    for part in parts(model, canvas) {
        let needed: usize = part.iter().map(|p| text::width(&p.text)).sum::<usize>() + 2;
        if needed > room {
            // A narrower part may still fit behind a wide one, but not before a more important one.
            break;
        }
        room -= needed;
        line.extend(part);
        line.push(piece("  ", Role::Header));
    }
    canvas.pieces(left, &line);
}

fn clock(model: &Model) -> String {
    model
        .now
        .wall
        .timestamp()
        .map_or_else(String::new, |t| t.to_zoned(model.zone.clone()).strftime("%H:%M:%S").to_string())
}

/// The parts, most important first.
fn parts(model: &Model, canvas: &Canvas<'_>) -> Vec<Vec<Piece>> {
    let glyphs = &canvas.theme().glyphs;
    let mut parts = Vec::new();
    if let Some(fault) = credentials_fault(model) {
        let what = format!("{} {}", glyphs.critical, fault.kind.word().to_uppercase());
        parts.push(vec![piece(what, Role::Error)]);
    }
    parts.push(if model.session.demo {
        vec![piece(format!("{} DEMO", glyphs.idle), Role::Badge)]
    } else if production(model) {
        vec![piece(format!("{} PRODUCTION", glyphs.production), Role::HeaderProduction)]
    } else {
        vec![piece("not production", Role::HeaderLabel)]
    });
    if let Some((is, wanted)) = wrong_account(model) {
        let what = format!("{} WRONG ACCOUNT {is}, not {wanted}", glyphs.critical);
        parts.push(vec![piece(what, Role::Error)]);
    }
    parts.push(operation::lock(model, glyphs));
    parts.extend(operation::under_way(model, glyphs));
    if let Some((_, url)) = model.session.overrides.first().filter(|_| !model.session.demo) {
        // Whatever this is, it is not AWS itself: that must not be overlooked.
        let place = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        parts.push(vec![piece(format!("{} endpoint {place}", glyphs.warning), Role::Badge)]);
    }
    parts.push(vec![piece(account(model), Role::Header)]);
    let regions: Vec<&str> = model.regions().iter().map(|r| r.as_str()).collect();
    if !regions.is_empty() {
        let names = if regions.len() > 3 { format!("{} regions", regions.len()) } else { regions.join(" ") };
        parts.push(vec![piece(names, Role::Header)]);
    }
    let wanted = model.wanted();
    let entries: Vec<_> = wanted.iter().filter_map(|(i, _)| Some((i, model.refresh.entry(i)?))).collect();
    if let Some(age) = status::oldest(model, &entries) {
        parts.push(vec![piece(format!("{} {} old", glyphs.stale, span::brief(age)), Role::Warn)]);
    }
    parts.push(budget(model));
    parts
}

/// What we spend of the account's requests. Coarse on purpose: a figure that dances says less.
fn budget(model: &Model) -> Vec<Piece> {
    let waiting = model.meter.waiting();
    if model.meter.is_throttled() {
        return vec![piece("api throttled by AWS", Role::Warn)];
    }
    let tenths = model.meter.used_percent() / 10 * 10;
    let role = if tenths >= 80 { Role::Warn } else { Role::HeaderLabel };
    let queue = if waiting > 0 { format!(" {waiting} waiting") } else { String::new() };
    match tenths {
        0..=20 => vec![piece(format!("api ours <30%{queue}"), role)],
        _ => vec![piece(format!("api ours {tenths}%{queue}"), role)],
    }
}

pub(super) fn credentials_fault(model: &Model) -> Option<&crate::domain::fault::Fault> {
    model
        .refresh
        .entries()
        .filter(|(_, e)| e.wanted)
        .filter_map(|(_, e)| e.fault.as_ref())
        .find(|f| f.is_about_credentials())
}

/// Whether anything watched is production. Without a policy everything is, unless its name says otherwise.
fn production(model: &Model) -> bool {
    if model.session.scopes.is_empty() {
        return true;
    }
    let names: Vec<&str> = model.world.clusters.keys().map(|c| c.name.as_str()).collect();
    model.session.scopes.iter().any(|scope| {
        if names.is_empty() {
            return model.config.is_production(scope.account.as_str(), None);
        }
        names.iter().any(|name| model.config.is_production(scope.account.as_str(), Some(name)))
    })
}

/// The account that the credentials belong to and the one that the configuration expects, when they differ.
fn wrong_account(model: &Model) -> Option<(String, String)> {
    model.session.scopes.iter().find_map(|scope| {
        let wanted = model.config.accounts.get(scope.account.as_str())?.id.clone()?;
        let is = model.world.account_id(scope)?;
        (is != wanted).then_some((is, wanted))
    })
}

fn account(model: &Model) -> String {
    let mut seen: Vec<String> = Vec::new();
    for scope in &model.session.scopes {
        let label = model.config.accounts.get(scope.account.as_str()).and_then(|a| a.label.clone());
        let id = model.world.account_id(scope);
        let text = match (label, id) {
            (Some(label), Some(id)) => format!("{label} {id}"),
            (Some(label), None) => label,
            (None, Some(id)) => id,
            (None, None) => scope.account.to_string(),
        };
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    if seen.is_empty() { "no account yet".to_owned() } else { seen.join(" ") }
}
