//! The log of the tasks that a rollout starts, while its dialog is open.
//!
//! Must not ask for anything while nobody looks.

use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::{Effect, Model, dispatch};
use crate::domain::ecs::ServiceId;
use crate::domain::log::LogSubject;
use crate::guard::Progress;

/// Lines that the dialog shows.
const LINES: usize = 8;

/// The service and the deployment whose new tasks the open dialog is about: what is shown stays until it has ended,
/// then comes the first that has not.
fn subject(model: &Model) -> Option<(ServiceId, String)> {
    let Some(Overlay::Operation(dialog)) = &model.overlay else { return None };
    let operation = &model.operations.get(dialog.operation)?.operation;
    if !matches!(operation.progress(), Progress::Watching | Progress::Ended) {
        return None;
    }
    let watched = operation.watched();
    let shown = watched
        .iter()
        .find(|one| one.deployment.is_some() && one.deployment.as_deref() == model.rollout_log.deployment());
    let open = watched.iter().find(|one| one.deployment.is_some() && !one.is_over);
    let any = watched.iter().find(|one| one.deployment.is_some());
    let chosen = shown.filter(|one| !one.is_over).or(open).or(shown).or(any)?;
    let service = operation.action().services().into_iter().find(|service| service.name == chosen.name)?;
    Some((service.clone(), chosen.deployment.clone()?))
}

/// Follows it while the dialog is open.
pub fn schedule(model: &mut Model) -> Vec<Effect> {
    let wanted = subject(model);
    if let Some((service, id)) = &wanted
        && model.rollout_log.deployment() != Some(id)
    {
        let subject = LogSubject::Deployment { service: service.clone(), id: id.clone() };
        model.rollout_log.open(subject, service.clone());
    }
    if wanted.is_some() {
        model.rollout_log.settle(usize::from(model.size.width), LINES);
    }
    model.rollout_log.schedule(&mut model.refresh, &model.world, None, wanted.is_some(), true, model.now)
}

/// Opens the log pane on the new tasks. The rollout goes on.
pub fn open_log(model: &mut Model) {
    let Some((service, id)) = subject(model) else { return };
    model.overlay = None;
    dispatch::take_subject(model, service.clone());
    dispatch::go(model, PaneId::Logs);
    model.logs.open(LogSubject::Deployment { service: service.clone(), id }, service);
    model.say("The rollout goes on; O opens it again");
}
