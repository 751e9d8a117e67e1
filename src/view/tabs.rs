//! The tab strip: the panes with their numbers, those of a service with their letters beside it, and how much is
//! sick in each.
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
    let strip = crate::app::tabs(model);
    let badges: Vec<String> = strip.iter().map(|pane| badge(model, *pane, canvas)).collect();
    // Each is tried in turn: full names, short ones, and as short as they can be told apart. Beside a service its
    // own panes keep their names longer than the others.
    let names: [fn(PaneId) -> &'static str; 4] = [PaneId::tab, short, shortest, |_| ""];
    let levels = [(0, 0), (1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (3, 3)];
    let choices = levels.into_iter().flat_map(|level| [(level, true, true), (level, false, true)]);
    let last = ((3, 3), false, false);
    let texts = |(other, own): (usize, usize), pane: PaneId| {
        let name = if pane.follows_subject() == model.focus.follows_subject() { own } else { other };
        // The present tab always says its name.
        let name = if pane == model.focus { name.min(1) } else { name };
        let word = names.get(name).map_or("", |name| name(pane));
        if word.is_empty() && pane == model.focus { pane.tab() } else { word }
    };
    let width = |(name, airy, badged): ((usize, usize), bool, bool)| -> usize {
        let tabs = strip.iter().zip(&badges).map(|(pane, badge)| {
            let badge = if badged && !badge.is_empty() { text::width(badge) + 1 } else { 0 };
            let word = text::width(texts(name, *pane));
            let key = text::width(&key(model, *pane));
            1 + key + if word > 0 { word + usize::from(key > 0) } else { 0 } + badge + usize::from(airy)
        });
        tabs.sum::<usize>() + 1
    };
    let room = usize::from(area.width);
    let (name, airy, badged) = choices.into_iter().find(|c| width(*c) <= room).unwrap_or(last);
    let mut x = area.x;
    for (pane, badge) in strip.iter().zip(&badges) {
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
        let key = key(model, *pane);
        x = canvas.text(place(x), &key, if active { role } else { Role::Key });
        let word = texts(name, *pane);
        if !word.is_empty() {
            let air = if key.is_empty() { "" } else { " " };
            x = canvas.text(place(x), &format!("{air}{word}"), role);
        }
        if badged && !badge.is_empty() {
            x = canvas.text(place(x), &format!(" {badge}"), Role::Warn);
        }
        x = canvas.text(place(x), close, role);
        canvas.hit(Rect { x: from, width: x.saturating_sub(from), ..area }, Target::Tab(*pane));
    }
}

/// The number of one of the first nine; of any other the letter that opens it, if one does.
fn key(model: &Model, pane: PaneId) -> String {
    if pane.number() <= PaneId::NUMBERED {
        return pane.number().to_string();
    }
    let contexts = [crate::command::Context::Service, crate::command::Context::Anywhere];
    let mut keys = model.keymap.keys_for(pane.command(), &contexts).into_iter();
    keys.find(|key| key.chars().count() == 1).unwrap_or_default()
}

/// Names for a screen of 80 columns.
fn short(pane: PaneId) -> &'static str {
    match pane {
        PaneId::Services => "Svcs",
        PaneId::Service => "Svc",
        PaneId::Definition => "Def",
        PaneId::Deployments => "Deploys",
        PaneId::Databases => "RDS",
        PaneId::Caches => "Cache",
        PaneId::Clusters => "Clus",
        // Its key is its letter; the others' names are worth more than a tenth.
        PaneId::Journal => "",
        other => other.tab(),
    }
}

/// Names beside those of a service.
fn shortest(pane: PaneId) -> &'static str {
    match pane {
        PaneId::Fleet => "Fl",
        PaneId::Services => "Sv",
        PaneId::Alarms => "Al",
        PaneId::Databases => "Db",
        PaneId::Caches => "Ca",
        PaneId::Secrets => "Se",
        PaneId::Changes => "Ch",
        PaneId::Service => "Svc",
        PaneId::Tasks => "Tsk",
        PaneId::Logs => "Log",
        PaneId::Events => "Evt",
        PaneId::Definition => "Def",
        PaneId::Deployments => "Dep",
        PaneId::Clusters => "Cl",
        PaneId::Api => "API",
        PaneId::Journal => "",
    }
}

/// What a tab counts: of the fleet, the services, the alarms, the databases, the caches, the secrets.
fn badge(model: &Model, pane: PaneId, canvas: &Canvas<'_>) -> String {
    let glyphs = &canvas.theme().glyphs;
    let findings = &model.triage.fleet.findings;
    let of_kind = |kind: &str| -> String {
        let own = || findings.iter().filter(|finding| finding.subject.kind() == kind);
        counted(glyphs, |severity| own().filter(|finding| finding.severity == severity).count())
    };
    match pane {
        PaneId::Fleet => {
            counted(glyphs, |severity| findings.iter().filter(|f| f.severity == severity).count())
        }
        PaneId::Services => services(model, canvas),
        PaneId::Alarms => match crate::view::status::firing(model) {
            0 => String::new(),
            firing => format!("{}{firing}", glyphs.warning),
        },
        PaneId::Databases => of_kind("database"),
        PaneId::Caches => of_kind("cache"),
        PaneId::Secrets => of_kind("secret"),
        _ => String::new(),
    }
}

fn counted(glyphs: &crate::theme::Glyphs, count: impl Fn(Severity) -> usize) -> String {
    let mut badge = String::new();
    for (severity, glyph) in [(Severity::Critical, glyphs.critical), (Severity::Warning, glyphs.warning)] {
        let number = count(severity);
        if number > 0 {
            badge.push_str(&format!("{glyph}{number}"));
        }
    }
    badge
}

/// `✖2▲1`: how many services are critical and how many need a look.
fn services(model: &Model, canvas: &Canvas<'_>) -> String {
    let glyphs = &canvas.theme().glyphs;
    let count = |severity: Severity| {
        model.world.services.values().filter(|r| r.judged().is_some_and(|h| h.severity == severity)).count()
    };
    counted(glyphs, count)
}
