//! Accounts, regions, endpoints, the request budget, the last faults.
//!
//! Must say whose requests are counted: ours, not the account's.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::app::refresh::Interest;
use crate::domain::scope::Arn;
use crate::stdx::rect::Rect;
use crate::stdx::text;
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::document::Document;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let mut page = Document::default();
    page.heading("Accounts and regions");
    if let Some(fault) = &model.session.scopes_fault {
        for (line, role) in status::fault_lines(fault) {
            page.text(format!("  {line}"), role);
        }
    }
    for scope in &model.session.scopes {
        let identity = model.world.identities.get(scope);
        let who = identity.and_then(|o| o.value.as_ref());
        page.line(vec![
            piece(format!("  {}  ", text::pad(scope.region.as_str(), 14)), Role::Strong),
            piece(
                who.map_or_else(
                    || scope.account.to_string(),
                    |w| format!("{}  {}", w.account_id, principal(&w.arn)),
                ),
                Role::Text,
            ),
        ]);
        if let Some(fault) = identity.and_then(|o| o.fault.as_ref()) {
            for (line, role) in status::fault_lines(fault) {
                page.text(format!("    {line}"), role);
            }
        }
        let entry = model.refresh.entry(&Interest::Clusters(scope.clone()));
        if let Some(fault) = entry.and_then(|e| e.fault.as_ref()) {
            for (line, role) in status::fault_lines(fault) {
                page.text(format!("    {line}"), role);
            }
        }
    }
    page.heading("Endpoints");
    if model.session.overrides.is_empty() {
        page.text("  AWS's own", Role::Muted);
    }
    for (service, url) in &model.session.overrides {
        let what = if model.session.demo { "the embedded simulator" } else { "overridden" };
        page.field_in(service, format!("{url}  ({what})"), Role::Badge);
    }
    page.heading("Requests, ours only: what others of the account spend cannot be seen");
    if model.meter.shares.is_empty() {
        page.text("  none yet", Role::Muted);
    }
    let glyphs = &canvas.theme().glyphs;
    for share in &model.meter.shares {
        let filled = (usize::from(share.used_percent) + 5).div_euclid(10).min(10);
        let gauge = glyphs.gauge.repeat(filled);
        let track = glyphs.gauge_track.repeat(10 - filled);
        let role = if share.used_percent >= 80 { Role::GaugeHigh } else { Role::Gauge };
        let mut notes = format!("  {} sent", share.sent);
        if share.waiting > 0 {
            notes.push_str(&format!(", {} waiting", share.waiting));
        }
        let mut line = vec![
            piece(format!("  {} ", text::pad(share.scope.region.as_str(), 14)), Role::Muted),
            piece(text::pad(&share.group, 26), Role::Text),
            piece(gauge, role),
            piece(track, Role::GaugeTrack),
            piece(format!(" {:>3} %", share.used_percent), Role::Text),
            piece(notes, Role::Muted),
        ];
        if share.throttled {
            line.push(piece("  throttled by AWS, rate halved", Role::Warn));
        }
        page.line(line);
    }
    if let Some(why) = &model.meter.uncoordinated {
        page.text(format!("  Not shared with other opsdeck processes: {why}"), Role::Warn);
    }
    metrics(&mut page, model);
    page.heading("Last faults");
    if model.meter.faults.is_empty() {
        page.text("  none", Role::Muted);
    }
    for (scope, fault) in model.meter.faults.iter().take(20) {
        let action = fault.action.as_deref().unwrap_or("a request");
        page.line(vec![
            piece(format!("  {} ", text::pad(scope.region.as_str(), 14)), Role::Muted),
            piece(format!("{action}: "), Role::Text),
            piece(fault.to_string(), Role::Warn),
        ]);
    }
    page.heading("opsdeck");
    page.field("Version", model.session.version);
    page.field("Theme", model.theme.name.clone());
    page.field("Keymap", model.keymap.name.clone());
    page.draw(canvas, area, model.api.top, PaneId::Api);
}

/// What the numbers on screen cost.
fn metrics(page: &mut Document, model: &Model) {
    let charts = &model.charts;
    page.heading("Metrics, $0.01 for a thousand requested");
    let dollars = |metrics: usize| {
        let metrics = f64::from(u32::try_from(metrics).unwrap_or(u32::MAX));
        format!("${:.4}", metrics * crate::app::charts::PRICE)
    };
    page.field("Requested", format!("{} since the start, {}", charts.requested, dollars(charts.requested)));
    let hour = charts.last_hour(model.now);
    page.field("Last hour", format!("{hour}, {} (at most 5,000 an hour, $0.05)", dollars(hour)));
    let every = crate::stdx::span::precise(crate::app::charts::Charts::interval(charts.on_screen));
    page.field("On screen", format!("{} metrics, every {every}", charts.on_screen));
    for (scope, fault) in charts.faults() {
        page.field_in(scope.region.as_str(), fault.to_string(), Role::Warn);
    }
}

/// The part of a caller's ARN that says who it is: `assumed-role/Operator/on-call`.
fn principal(arn: &str) -> &str {
    Arn::parse(arn).map_or(arn, |parsed| parsed.resource)
}
