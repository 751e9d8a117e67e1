//! How an action goes, and how it ended: what is watched, its stages, new tasks, targets, events and what the tasks
//! that it started write.
//!
//! Must not judge: the guard says how it stands.

use std::time::Duration;

use crate::app::Model;
use crate::app::operations::{Running, rollout};
use crate::app::pane::logs::LogsPane;
use crate::app::refresh::Interest;
use crate::diagnose::{event_severity, event_text};
use crate::domain::balancer::TargetHealth;
use crate::domain::ecs::{LIFECYCLE_STAGES, Service, ServiceId};
use crate::domain::task::Task;
use crate::domain::verdict::Verdict;
use crate::guard::{Progress, Watched};
use crate::stdx::clock::Wall;
use crate::stdx::{span, text};
use crate::theme::{Glyphs, Role};
use crate::view::logs::level;
use crate::view::operation::{ago, of_plan, sentence};
use crate::view::status;
use crate::view::widget::canvas::piece;
use crate::view::widget::document::Document;

/// How much AWS's clock may be behind ours: what is this little older than the call may be of it.
const CLOCKS: Duration = Duration::from_secs(5);

/// Tasks, targets and events that are listed; the rest is counted.
const LISTED: usize = 8;

/// How it goes.
pub(super) fn progress(page: &mut Document, model: &Model, running: &Running, glyphs: &Glyphs) {
    let elapsed = running.ended.as_ref().map_or(model.now, |(_, at)| *at).since(running.begun);
    match &running.ended {
        None if running.operation.progress() == Progress::Calling => {
            page.text(
                "Calling AWS… the answer is awaited, whatever happens to this terminal.",
                Role::Progress,
            );
        }
        None if elapsed.as_secs() == 0 => page.text("It has just begun", Role::Progress),
        None => page.text(format!("Under way for {}", span::brief(elapsed)), Role::Progress),
        Some((verdict, _)) => {
            let (_, role) = crate::view::journal::look(verdict, glyphs);
            // What was never called took no time that matters; its plan tells what stood in the way.
            let called = !matches!(verdict, Verdict::Refused { .. } | Verdict::Changed { .. });
            page.text(sentence(&verdict.to_string()), role);
            if called && elapsed.as_secs() > 0 {
                page.text(format!("It took {}", span::brief(elapsed)), Role::Muted);
            }
            if let Some(plan) = running.operation.plan().filter(|_| !called) {
                page.gap();
                of_plan(page, plan, glyphs);
            }
        }
    }
    page.gap();
    let watched = running.operation.watched();
    for one in watched.iter().filter(|one| !one.name.is_empty()) {
        page.hanging(
            vec![piece(format!("{}: ", one.name), Role::Strong), piece(one.state.clone(), Role::Overlay)],
            2,
        );
        if let Some(deployment) = &one.deployment {
            page.field("  Deployment", deployment);
        }
        stages(page, one, glyphs);
    }
    for receipt in running.operation.receipts() {
        for (label, value) in [("  Registered", &receipt.definition), ("  Task", &receipt.task)] {
            if let Some(value) = value {
                page.field(label, crate::domain::scope::Arn::last(value).to_owned());
            }
        }
    }
    let begun = !(watched.is_empty() && running.operation.receipts().is_empty());
    for service in running.operation.action().replaces().into_iter().filter(|_| begun) {
        let ours = watched.iter().find(|one| one.name == service.name);
        of_service(page, model, running, service, ours.and_then(|one| one.deployment.as_deref()), glyphs);
    }
    let followed = rollout::log(model);
    log(page, model, followed);
    page.gap();
    let then = running.operation.plan().map(|plan| plan.then.as_slice()).unwrap_or_default();
    if matches!(running.ended, Some((Verdict::Succeeded, _))) && !then.is_empty() {
        let names: Vec<&str> = then.iter().map(|service| service.name.as_str()).collect();
        page.text(format!("Their tasks still hold the value before: {}", names.join(", ")), Role::Warn);
        page.text("d plans their deployment, one after the other in one plan", Role::Hint);
    }
    if followed.is_some() {
        page.text("l opens this log in its pane", Role::Hint);
    }
    let hint = if running.ended.is_some() {
        "Esc closes"
    } else {
        "Esc leaves it; it goes on, and O opens it again"
    };
    page.text(hint, Role::Hint);
}

/// Where a deployment stands that has stages: those behind it, the one it is in, those to come.
fn stages(page: &mut Document, watched: &Watched, glyphs: &Glyphs) {
    let Some(stage) = &watched.stage else { return };
    let Some(at) = LIFECYCLE_STAGES.iter().position(|known| known == stage) else {
        page.field("  Stage", stage);
        return;
    };
    let words = |name: &str| name.to_lowercase().replace('_', "\u{a0}");
    let pieces = LIFECYCLE_STAGES.iter().enumerate().flat_map(|(index, name)| {
        let (mark, role) = match index.cmp(&at) {
            std::cmp::Ordering::Less => (glyphs.ok, Role::Muted),
            std::cmp::Ordering::Equal => (glyphs.progress, Role::Strong),
            std::cmp::Ordering::Greater => (glyphs.bullet, Role::Faint),
        };
        [piece(format!("{mark}\u{a0}{}", words(name)), role), piece("  ", role)]
    });
    page.field_of("  Stages", pieces);
}

/// A service's new tasks and how many old ones are left, its targets, and what ECS said since it began.
fn of_service(
    page: &mut Document,
    model: &Model,
    running: &Running,
    id: &ServiceId,
    deployment: Option<&str>,
    glyphs: &Glyphs,
) {
    let Some(seen) = model.world.service(id) else { return };
    let since = running.begun.wall.minus(CLOCKS);
    tasks(page, model, id, deployment, since, glyphs);
    targets(page, model, &seen.value, glyphs);
    let events: Vec<_> = seen.value.events.iter().filter(|event| event.at >= since).collect();
    if !events.is_empty() {
        page.heading(format!("Events of {}", id.name));
        for event in events.iter().take(LISTED) {
            let (role, _) = status::severity(event_severity(&event.message), &model.theme);
            let role = if role == Role::Ok { Role::Overlay } else { role };
            let age = ago(event.at.age_at(model.now.wall));
            let says = event_text(&event.message, &id.name).to_owned();
            page.hanging(vec![piece(format!("  {age} "), Role::Muted), piece(says, role)], 4);
        }
        more(page, events.len());
    }
}

/// Why what is shown is old, or not there.
fn unread(page: &mut Document, model: &Model, interest: &Interest) {
    if let Some(fault) = model.refresh.entry(interest).and_then(|entry| entry.fault.as_ref()) {
        page.hanging(vec![piece(format!("  cannot be read: {fault}"), Role::Warn)], 4);
    }
}

fn more(page: &mut Document, count: usize) {
    if count > LISTED {
        page.text(format!("    and {} more", count - LISTED), Role::Muted);
    }
}

fn tasks(
    page: &mut Document,
    model: &Model,
    id: &ServiceId,
    deployment: Option<&str>,
    since: Wall,
    glyphs: &Glyphs,
) {
    let of_service = model.world.tasks.values().map(|task| &task.value).filter(|task| task.is_of(id));
    let (mut new, old): (Vec<&Task>, Vec<&Task>) = of_service.partition(|task| match deployment {
        Some(deployment) => task.started_by.as_deref() == Some(deployment),
        None => task.created_at.is_none_or(|at| at >= since),
    });
    new.sort_by_key(|task| std::cmp::Reverse(task.created_at));
    let left: Vec<&Task> = old.into_iter().filter(|task| !task.is_stopped()).collect();
    let stopping = left.iter().filter(|task| task.desired_status == "STOPPED").count();
    if new.is_empty() && (left.is_empty() || deployment.is_none()) {
        return;
    }
    page.heading(format!("New tasks of {}", id.name));
    unread(page, model, &Interest::Tasks(id.clone(), false));
    if new.is_empty() {
        page.text("  none yet", Role::Muted);
    }
    for task in new.iter().take(LISTED) {
        let (mark, role) = match (task.last_status.as_str(), task.health.as_deref()) {
            ("STOPPED", _) => (glyphs.critical, Role::Critical),
            (_, Some("UNHEALTHY")) => (glyphs.warning, Role::Warn),
            ("RUNNING", _) => (glyphs.ok, Role::Ok),
            _ => (glyphs.progress, Role::Progress),
        };
        let health = task.health.as_deref().filter(|health| *health != "UNKNOWN" && !task.is_stopped());
        let health = health.unwrap_or("");
        let why = task.stopped_reason.as_deref().unwrap_or("");
        let text = format!("{} {} {health} {why}", task.id.short(), task.last_status);
        page.hanging(
            vec![piece(format!("  {mark} "), role), piece(text.trim_end().to_owned(), Role::Overlay)],
            4,
        );
    }
    more(page, new.len());
    if deployment.is_some() && !left.is_empty() {
        let stopping = if stopping > 0 { format!(", {stopping} of them stopping") } else { String::new() };
        page.text(format!("  {} before it{stopping}", text::count(left.len(), "task")), Role::Muted);
    }
}

/// What the load balancers say of their targets: how many are in each state, and why one is not healthy.
fn targets(page: &mut Document, model: &Model, service: &Service, glyphs: &Glyphs) {
    let arns = service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.as_ref());
    for arn in arns {
        let interest = Interest::TargetHealth(service.id.scope.clone(), arn.clone());
        let known = model.world.estate.target_health.get(arn);
        let failed = model.refresh.entry(&interest).is_some_and(|entry| entry.fault.is_some());
        if known.is_none() && !failed {
            continue;
        }
        page.heading(format!("Targets of {}", group_name(arn)));
        unread(page, model, &interest);
        let Some(seen) = known else { continue };
        if seen.value.is_empty() {
            page.text("  none is registered", Role::Warn);
        }
        let mut shown: Vec<&TargetHealth> = seen.value.iter().collect();
        shown.sort_by_key(|target| (target.state == "healthy", target.state.clone(), target.target.clone()));
        for target in shown.iter().take(LISTED) {
            let (mark, role) = match target.state.as_str() {
                "healthy" => (glyphs.ok, Role::Ok),
                "unhealthy" | "unavailable" => (glyphs.critical, Role::Critical),
                "draining" => (glyphs.bullet, Role::Muted),
                _ => (glyphs.progress, Role::Progress),
            };
            let port = target.port.map_or_else(String::new, |port| format!(":{port}"));
            let why = target.description.as_deref().or(target.reason.as_deref()).unwrap_or("");
            let text = format!("{}{port} {} {why}", target.target, target.state);
            page.hanging(
                vec![piece(format!("  {mark} "), role), piece(text.trim_end().to_owned(), Role::Overlay)],
                4,
            );
        }
        more(page, shown.len());
    }
}

/// The name in a target group's ARN: `…:targetgroup/NAME/ID`.
fn group_name(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

/// The newest lines of the new tasks.
fn log(page: &mut Document, model: &Model, followed: Option<&LogsPane>) {
    let Some((followed, about)) = followed.and_then(|log| Some((log, log.about()?))) else { return };
    page.heading(format!("Log of {about}"));
    let (rows, _) = followed.page();
    if rows.is_empty() {
        for line in followed.why_empty(model.now) {
            page.text(format!("  {line}"), Role::Muted);
        }
    }
    for row in rows {
        let (role, word) = level(row.level);
        let message = text::head(&row.message, 2_000).to_owned();
        page.hanging(
            vec![
                piece(format!("  {} ", row.task), Role::log_stream(row.stream)),
                piece(text::pad(word, 6), role),
                piece(message, if row.continuation { Role::Muted } else { Role::Overlay }),
            ],
            4,
        );
    }
}
