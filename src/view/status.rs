//! What a pane's title line says: what it shows, how much of it, how old, what is wrong.
//!
//! A fresh pane says no age: only one that is older than two refreshes does.

use std::time::Duration;

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::app::refresh::{Entry, Interest, TRAIL, Watch};
use crate::diagnose::Severity;
use crate::domain::fault::FaultKind;
use crate::stdx::span;
use crate::stdx::text::{capital, count};
use crate::theme::{Role, Theme};

/// The parts of a title line.
#[derive(Clone, Debug, Default)]
pub struct Says {
    /// Behind the pane's name: what it is about.
    pub name: Option<String>,
    /// Left: counts, filter, order.
    pub left: Vec<(String, Role)>,
    /// Right: loading, partial, stale, denied.
    pub right: Vec<(String, Role)>,
}

/// What a pane says.
pub fn of(model: &Model, pane: PaneId, theme: &Theme) -> Says {
    let mut says = Says::default();
    if pane.follows_subject()
        && let Some(subject) = &model.subject
    {
        says.name = Some(subject.name.clone());
    }
    match pane {
        PaneId::Services => services(model, &mut says),
        PaneId::Tasks => {
            let shown = model.tasks.list.rows.len();
            counted(&mut says, model, pane, shown, "task");
            if model.tasks.folded > 0 {
                says.left
                    .push((format!("{} {} stopped", theme.glyphs.folded, model.tasks.folded), Role::Muted));
            }
            filter(&mut says, model.tasks.list.filter.as_ref().map(|f| f.text.as_str()));
        }
        PaneId::Events => {
            counted(&mut says, model, pane, model.events.rows.len(), "event");
            filter(&mut says, model.events.filter.as_ref().map(|f| f.text.as_str()));
        }
        PaneId::Deployments => {
            filter(&mut says, model.deployments.filter.as_ref().map(|f| f.text.as_str()));
        }
        PaneId::Clusters => {
            counted(&mut says, model, pane, model.clusters.rows.len(), "cluster");
            filter(&mut says, model.clusters.filter.as_ref().map(|f| f.text.as_str()));
        }
        PaneId::Definition => {
            if let Some(arn) = model.definition.shown(&model.world, model.subject.as_ref()) {
                says.name = Some(crate::domain::ecs::Revision::of(&arn).to_string());
            }
            if model.definition.revealed {
                says.right.push(("values revealed".to_owned(), Role::Warn));
            }
        }
        PaneId::Logs => {
            let (left, right) = model.logs.says(theme, model.now);
            if let Some(name) = model.logs.about() {
                says.name = Some(name);
            }
            says.left.extend(left);
            says.right.extend(right);
        }
        PaneId::Journal => super::journal::says(model, &theme.glyphs, &mut says),
        PaneId::Service | PaneId::Api => {}
        PaneId::Fleet
        | PaneId::Alarms
        | PaneId::Databases
        | PaneId::Caches
        | PaneId::Secrets
        | PaneId::Changes => triage(model, pane, &mut says),
    }
    trust(model, pane, theme, &mut says);
    says
}

fn triage(model: &Model, pane: PaneId, says: &mut Says) {
    let Some(list) = model.triage.list(pane) else { return };
    let noun = match pane {
        PaneId::Fleet => "problem",
        PaneId::Alarms => "alarm",
        PaneId::Databases => "database",
        PaneId::Caches => "cache",
        PaneId::Secrets => "row",
        _ => "change",
    };
    counted(says, model, pane, list.rows.len(), noun);
    if pane == PaneId::Alarms {
        let firing = firing(model);
        if firing > 0 {
            says.left.push((format!("{firing} firing"), Role::Warn));
        }
    }
    if pane == PaneId::Changes {
        says.left.push((format!("last {}", super::detail::reach(model.range)), Role::Muted));
        let of_trail = |i: &Interest| matches!(i, Interest::Watch(_, Watch::Trail));
        let cut = model.refresh.entries().any(|(interest, entry)| of_trail(interest) && entry.is_cut);
        if cut {
            says.right.push((format!("CloudTrail: its newest {TRAIL} only"), Role::Warn));
        }
    }
    filter(says, list.filter.as_ref().map(|f| f.text.as_str()));
    if let Some((_, fault)) = model.charts.faults().next()
        && matches!(pane, PaneId::Databases | PaneId::Caches)
    {
        says.right.push((format!("no metrics: {}", fault.kind.word()), Role::Warn));
    }
}

/// Alarms that fire and are not meant to.
pub fn firing(model: &Model) -> usize {
    let alarms = model.world.estate.alarms.values();
    alarms
        .filter(|seen| {
            seen.value.state == crate::domain::alarm::AlarmState::Alarm && !seen.value.is_target_tracking()
        })
        .count()
}

/// Whether a pane shows the last good rows after a refresh that failed.
pub fn is_stale(model: &Model, pane: PaneId) -> bool {
    let wanted = model.wanted();
    let old = Duration::from_secs(125);
    wanted.iter().filter(|(interest, _)| feeds(pane, interest)).any(|(interest, _)| {
        model.refresh.entry(interest).is_some_and(|entry| {
            entry.fault.is_some() && entry.fresh_at.is_some_and(|at| model.now.since(at) > old)
        })
    })
}

fn services(model: &Model, says: &mut Says) {
    let pane = &model.services;
    if let Some(cluster) = &pane.cluster {
        says.name = Some(format!("in {}", cluster.name));
    }
    let shown = pane.list.rows.len();
    if shown + pane.folded == pane.known {
        if pane.known > 0 || is_read(model, PaneId::Services) {
            says.left.push((pane.known.to_string(), Role::Muted));
        }
    } else {
        says.left.push((format!("{shown} of {}", pane.known), Role::Muted));
    }
    let sick = model
        .world
        .services
        .values()
        .filter(|row| row.judged().is_some_and(|h| h.severity <= Severity::Warning))
        .count();
    if sick > 0 {
        says.left.push((format!("{sick} sick"), Role::Warn));
    }
    filter(says, pane.list.filter.as_ref().map(|f| f.text.as_str()));
    if pane.list.sort != crate::app::pane::services::Column::Health || pane.list.reversed {
        let order = if pane.list.reversed { " reversed" } else { "" };
        says.left.push((format!("by {}{order}", pane.list.sort.name()), Role::Muted));
    }
}

fn filter(says: &mut Says, text: Option<&str>) {
    if let Some(text) = text {
        says.left.push((format!("filter: {text}"), Role::Match));
    }
}

/// How many rows there are. That there is none can be said only once all that may hold one was read.
fn counted(says: &mut Says, model: &Model, pane: PaneId, number: usize, noun: &str) {
    if number > 0 || is_read(model, pane) {
        says.left.push((count(number, noun), Role::Muted));
    }
}

/// Whether all that a pane stands on was read at least once.
fn is_read(model: &Model, pane: PaneId) -> bool {
    let mut feeding = model.wanted().iter().filter(|(interest, _)| feeds(pane, interest)).peekable();
    feeding.peek().is_some()
        && feeding.all(|(interest, _)| model.refresh.entry(interest).is_some_and(|entry| !entry.is_first()))
}

/// Which interests a pane stands on.
fn feeds(pane: PaneId, interest: &Interest) -> bool {
    match pane {
        PaneId::Services => matches!(interest, Interest::Services(_) | Interest::Clusters(_)),
        PaneId::Service | PaneId::Events => matches!(interest, Interest::Service(_)),
        PaneId::Tasks => matches!(interest, Interest::Tasks(..)),
        PaneId::Definition => matches!(interest, Interest::Definition(..)),
        PaneId::Deployments => {
            matches!(interest, Interest::Deployments(_) | Interest::History(_) | Interest::Revisions(..))
        }
        PaneId::Clusters => matches!(interest, Interest::Clusters(_)),
        PaneId::Api => matches!(interest, Interest::Identity(_)),
        PaneId::Logs => matches!(interest, Interest::LogText(..)),
        // AWS knows nothing of it.
        PaneId::Journal => false,
        PaneId::Fleet => {
            matches!(interest, Interest::Services(_) | Interest::Clusters(_) | Interest::Watch(..))
        }
        PaneId::Alarms => matches!(interest, Interest::Watch(_, Watch::Alarms)),
        PaneId::Databases => {
            matches!(interest, Interest::Watch(_, Watch::Instances | Watch::DbClusters | Watch::Maintenance))
        }
        PaneId::Caches => matches!(interest, Interest::Watch(_, Watch::CacheGroups | Watch::CacheNodes)),
        PaneId::Secrets => matches!(interest, Interest::Watch(_, Watch::Secrets | Watch::Stored)),
        PaneId::Changes => matches!(
            interest,
            Interest::Clusters(_)
                | Interest::Services(_)
                | Interest::Watch(
                    _,
                    Watch::Flips
                        | Watch::DbEvents
                        | Watch::CacheEvents
                        | Watch::Activities
                        | Watch::Trail
                        | Watch::Secrets
                        | Watch::Stored
                )
        ),
    }
}

/// How far the pane's content can be trusted.
fn trust(model: &Model, pane: PaneId, theme: &Theme, says: &mut Says) {
    let wanted = model.wanted();
    let entries: Vec<(&Interest, &Entry)> = wanted
        .iter()
        .filter(|(interest, _)| feeds(pane, interest))
        .filter_map(|(interest, _)| Some((interest, model.refresh.entry(interest)?)))
        .collect();
    let first = entries.iter().any(|(_, e)| e.is_loading() && e.is_first());
    let (described, listed) = entries
        .iter()
        .filter(|(_, e)| e.is_loading() && e.is_first())
        .fold((0, 0), |(d, l), (_, e)| (d + e.progress.0, l + e.progress.1));
    if first {
        let spinner = theme.glyphs.spinner(usize::try_from(model.now.mono.as_secs()).unwrap_or(0));
        let ends = entries.iter().all(|(_, e)| e.listed || !e.is_loading());
        let more = if ends { "" } else { "+" };
        says.right.push(match listed {
            0 => (format!("{spinner} asking AWS"), Role::Spinner),
            _ => (format!("{spinner} {described} of {listed}{more} described"), Role::Spinner),
        });
    }
    let failures: usize = entries.iter().map(|(_, e)| e.failures.len()).sum();
    if failures > 0 {
        says.right.push((format!("{failures} not described by AWS"), Role::Warn));
    }
    let faulty: Vec<&(&Interest, &Entry)> = entries.iter().filter(|(_, e)| e.fault.is_some()).collect();
    if let Some((interest, entry)) = faulty.first()
        && let Some(fault) = &entry.fault
    {
        let word = fault.kind.word();
        // What is missing is the permission; where it is missing matters when there are several places.
        let denied = (fault.kind == FaultKind::Denied).then_some(fault.action.as_deref()).flatten();
        let place = match denied {
            Some(action) if model.session.scopes.len() > 1 => format!("{action} in {}", scope_of(interest)),
            Some(action) => action.to_owned(),
            None => scope_of(interest),
        };
        let others = faulty.len() - 1;
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        says.right.push((format!("{word}: {place}{others}"), Role::Error));
    }
    if let Some(age) = oldest(model, &entries) {
        says.right.push((format!("{} {} old", theme.glyphs.stale, span::brief(age)), Role::Stale));
    }
}

/// The age of the oldest part, when it is older than two refreshes.
pub fn oldest(model: &Model, entries: &[(&Interest, &Entry)]) -> Option<Duration> {
    let limit = model.refresh.cadence.rest * 2 + Duration::from_secs(5);
    let visible = model.refresh.cadence.visible * 2 + Duration::from_secs(5);
    entries
        .iter()
        .filter(|(interest, _)| {
            matches!(
                interest,
                Interest::Clusters(_)
                    | Interest::Services(_)
                    | Interest::Service(_)
                    | Interest::Tasks(..)
                    | Interest::Deployments(_)
                    | Interest::LogText(..)
            ) || (e_is_faulty(model, interest) && matches!(interest, Interest::Watch(..)))
        })
        .filter_map(|(_, e)| Some((model.now.since(e.fresh_at?), e)))
        .filter(|(age, e)| *age > if e.fault.is_some() { visible } else { limit })
        .map(|(age, _)| age)
        .max()
}

/// What rests while it is empty or changes rarely is old only once it could not be renewed.
fn e_is_faulty(model: &Model, interest: &Interest) -> bool {
    model.refresh.entry(interest).is_some_and(|entry| entry.fault.is_some())
}

fn scope_of(interest: &Interest) -> String {
    match interest {
        Interest::Identity(scope)
        | Interest::Clusters(scope)
        | Interest::Definition(scope, _)
        | Interest::Revisions(scope, _) => scope.region.to_string(),
        Interest::Services(cluster) => format!("{} in {}", cluster.name, cluster.scope.region),
        Interest::Service(id)
        | Interest::Tasks(id, _)
        | Interest::Deployments(id)
        | Interest::History(id) => id.name.clone(),
        Interest::Watch(scope, _)
        | Interest::Parameters(scope, _)
        | Interest::TargetGroups(scope, _)
        | Interest::TargetHealth(scope, _) => scope.region.to_string(),
        Interest::AlarmHistory(id) => id.name.clone(),
        Interest::LogFiles(id) | Interest::LogText(id, _) => id.name.clone(),
        Interest::Secret(id) => id.name.clone(),
    }
}

/// The sentence that stands in an empty pane: what it waits for, or why there is nothing.
pub fn why_empty(model: &Model, pane: PaneId, nothing: &str) -> Vec<(String, Role)> {
    if let Some(fault) = &model.session.scopes_fault {
        return fault_lines(fault);
    }
    if model.session.scopes.is_empty() {
        return vec![("Finding out which region to watch…".to_owned(), Role::Muted)];
    }
    let has_file = pane == PaneId::Logs && model.logs.file().is_some();
    if pane.follows_subject() && model.subject.is_none() && !has_file {
        return vec![("No service is selected.".to_owned(), Role::Muted)];
    }
    let wanted = model.wanted();
    let entries: Vec<&Entry> = wanted
        .iter()
        .filter(|(interest, _)| feeds(pane, interest))
        .filter_map(|(interest, _)| model.refresh.entry(interest))
        .collect();
    if let Some(fault) = entries.iter().find_map(|e| e.fault.as_ref()) {
        return fault_lines(fault);
    }
    let something = model.world.services.values().any(|row| row.seen.is_some());
    let waits = entries.iter().any(|e| e.is_first()) || entries.is_empty();
    // The first screen is not empty-handed while it reads: it says what it has seen so far.
    if waits && !(pane == PaneId::Fleet && something) {
        return vec![("Asking AWS…".to_owned(), Role::Muted)];
    }
    vec![(nothing.to_owned(), Role::Muted)]
}

/// What the first screen stands on and has never been read to its end, in words, each once.
#[must_use]
pub fn still_read(model: &Model) -> Vec<&'static str> {
    let word = |interest: &Interest| match interest {
        Interest::Clusters(_) | Interest::Services(_) => Some("services"),
        Interest::Watch(_, Watch::Alarms) => Some("alarms"),
        Interest::Watch(_, Watch::Instances | Watch::DbClusters) => Some("databases"),
        Interest::Watch(_, Watch::CacheGroups | Watch::CacheNodes) => Some("caches"),
        Interest::Watch(_, Watch::Secrets) => Some("secrets"),
        _ => None,
    };
    let mut words = Vec::new();
    for (interest, _) in model.wanted() {
        let unread = model.refresh.entry(interest).is_none_or(|e| e.is_first() && e.fault.is_none());
        if let Some(word) = word(interest).filter(|word| unread && !words.contains(word)) {
            words.push(word);
        }
    }
    words
}

/// A fault told in full: what, and what to do.
pub fn fault_lines(fault: &crate::domain::fault::Fault) -> Vec<(String, Role)> {
    let mut lines = vec![(format!("{}: {}", capital(fault.kind.word()), fault.message), Role::Error)];
    if let Some(action) = &fault.action {
        lines.push((format!("Asked for {action}."), Role::Muted));
    }
    if let Some(hint) = &fault.hint {
        lines.push((format!("To do: {hint}"), Role::Text));
    }
    lines
}

/// The role and the sign of a severity.
#[must_use]
pub fn severity(severity: Severity, theme: &Theme) -> (Role, &'static str) {
    let glyphs = &theme.glyphs;
    match severity {
        Severity::Critical => (Role::Critical, glyphs.critical),
        Severity::Warning => (Role::Warn, glyphs.warning),
        Severity::Progress => (Role::Progress, glyphs.progress),
        Severity::Unknown => (Role::Unknown, glyphs.unknown),
        Severity::Notice => (Role::Info, glyphs.info),
        Severity::Ok => (Role::Ok, glyphs.ok),
        Severity::Idle => (Role::Idle, glyphs.idle),
    }
}
