//! The log of the tasks that an action starts, while its dialog is open.
//!
//! Must not ask for anything while nobody looks.

use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::logs::LogsPane;
use crate::app::{Effect, Model, dispatch};
use crate::domain::action::Action;
use crate::domain::ecs::ServiceId;
use crate::domain::log::LogSubject;
use crate::domain::task::TaskId;
use crate::guard::{Progress, Watched};

/// Lines that the dialog shows.
const LINES: usize = 8;

/// What the open dialog's tasks write, with the service that it belongs to: of several deployments, what is shown
/// stays until that one has ended, then comes the first that has not.
fn subject(model: &Model) -> Option<(LogSubject, ServiceId)> {
    let Some(Overlay::Operation(dialog)) = &model.overlay else { return None };
    let operation = &model.operations.get(dialog.operation)?.operation;
    if !matches!(operation.progress(), Progress::Watching | Progress::Ended) {
        return None;
    }
    if let Action::RunTask { service, .. } = operation.action() {
        let id = operation.receipts().iter().find_map(|receipt| receipt.task.clone())?;
        let task = TaskId { scope: service.scope.clone(), cluster: service.cluster.clone(), id };
        // It runs what was planned; until a look knows it, nothing was written.
        let task_definition_arn = model.world.tasks.get(&task)?.value.task_definition_arn.clone();
        return Some((LogSubject::Task { task, task_definition_arn }, service.clone()));
    }
    let services = operation.action().services();
    let of = |one: &Watched| {
        let service = services.iter().find(|service| service.name == one.name)?;
        let subject = LogSubject::Deployment { service: (*service).clone(), id: one.deployment.clone()? };
        Some((subject, (*service).clone(), one.is_over))
    };
    let known: Vec<_> = operation.watched().iter().filter_map(of).collect();
    let shown = known.iter().find(|(subject, ..)| model.rollout_log.subject() == Some(subject));
    let open = known.iter().find(|(.., is_over)| !is_over);
    let (subject, service, _) = shown.filter(|(.., is_over)| !is_over).or(open).or(shown).or(known.first())?;
    Some((subject.clone(), service.clone()))
}

/// The log that belongs to the open dialog, once it is followed.
#[must_use]
pub fn log(model: &Model) -> Option<&LogsPane> {
    let (wanted, _) = subject(model)?;
    (model.rollout_log.subject() == Some(&wanted)).then_some(&model.rollout_log)
}

/// Follows it while the dialog is open.
pub fn schedule(model: &mut Model) -> Vec<Effect> {
    let wanted = subject(model);
    let is_wanted = wanted.is_some();
    if let Some((subject, service)) = wanted {
        if model.rollout_log.subject() != Some(&subject) {
            model.rollout_log.open(subject, service);
        }
        model.rollout_log.settle(usize::from(model.size.width), LINES);
    }
    model.rollout_log.schedule(&mut model.refresh, &model.world, None, is_wanted, true, model.now)
}

/// Opens the log pane on them. What goes on goes on.
pub fn open_log(model: &mut Model) {
    let Some((subject, service)) = subject(model) else { return };
    let under_way = model.operations.under_way().count() > 0;
    model.overlay = None;
    dispatch::take_subject(model, service.clone());
    dispatch::go(model, PaneId::Logs);
    model.logs.open(subject, service);
    model.say(if under_way { "It goes on; O opens it again" } else { "O opens what was done again" });
}
