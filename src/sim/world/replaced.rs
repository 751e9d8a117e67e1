//! Tasks that others took the place of before the world opened: so that events, the list of stopped tasks and
//! log streams tell the same story.
//!
//! Must not decide what happened; the stack says it.

use std::sync::Arc;
use std::time::Duration;

use crate::sim::stack;
use crate::sim::world::service::{Replaced, id, past_tasks};
use crate::sim::world::task::{Health, Status, Step, Stop, Task, TaskId};
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

impl World {
    /// One of the tasks that run took the place of one that stopped: the last one that did not do so yet.
    pub(crate) fn replace(&mut self, service: usize, id: TaskId, at: Wall, by_scheduler: bool) {
        let Some(found) = self.services.get_mut(service) else { return };
        let taken = found.opening.stops.len();
        let Some(by) = found.opening.tasks.iter().rev().nth(taken).copied() else { return };
        found.opening.stops.push(Replaced { at, id, by_scheduler, by });
        if let Some(task) = self.tasks.get_mut(&by) {
            let checked = task.health == Health::Healthy;
            let started = at.plus(Duration::from_secs(38)).min(self.opened.minus(Duration::from_secs(45)));
            task.settle(started, checked);
        }
    }

    /// The tasks that a deployment of the last hour has replaced are still there to be seen, unless the stack
    /// lists them itself.
    pub(crate) fn keep_replaced(
        &mut self,
        service: usize,
        spec: &stack::Service,
        checked: bool,
        memory: Duration,
    ) {
        let listed = spec.stopped.iter().any(|past| past.reason.starts_with("Scaling activity"));
        let Some(found) = self.services.get(service) else { return };
        let newest = found.history.first().and_then(|record| Some((record.clone(), record.finished_at?)));
        let Some((record, end)) = newest else { return };
        if listed || record.status != "SUCCESSFUL" || end.age_at(self.opened) >= memory {
            return;
        }
        let source = record.sources.first().and_then(|number| found.revision(*number));
        let Some(source) = source.cloned() else { return };
        for (own, number) in past_tasks(source.number, record.requested).zip(0_u64..) {
            let stopping = record.created_at.plus(Duration::from_secs(110 + 20 * number));
            let stopped = stopping.plus(Duration::from_secs(52));
            let mut task = Task::new(own, service, source.number, source.definition.clone(), stopping);
            task.settle(source.created_at.plus(Duration::from_secs(38 + 19 * number)), checked);
            task.wanted = false;
            task.healthy = false;
            task.health = Health::Unknown;
            task.registered = false;
            task.status = Status::Stopped;
            task.version += 5;
            task.exec = spec.exec_enabled;
            task.provider = spec.capacity.first().map(|share| Arc::from(share.provider.as_str()));
            task.stopping_at = Some(stopping);
            task.sigterm_at = Some(stopping.plus(Duration::from_secs(31)));
            task.execution_stopped_at = Some(stopping.plus(Duration::from_secs(37)));
            task.stopped_at = Some(stopped);
            let reason = format!("Scaling activity initiated by (deployment {})", id(record.target));
            task.stop = Some(Stop { code: "ServiceSchedulerInitiated".into(), reason, culprit: None });
            self.tasks.insert(own, task);
            if let Some(found) = self.services.get_mut(service) {
                found.tasks.insert(own);
            }
            self.schedule(stopped.plus(memory), Due::Task(own, Step::Forgotten));
        }
    }
}
