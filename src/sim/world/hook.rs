//! PAUSE hooks: a deployment that comes to one waits until somebody decides, or until the hook gives up.
//!
//! Must not decide what a rollout does beside waiting; the scheduler in `rollout` does.

use crate::sim::world::event::uuid;
use crate::sim::world::service::{Pause, Rollout};
use crate::sim::world::{Due, World};

impl World {
    /// Whether a service's deployment waits at a hook of this stage; it begins to when it comes there.
    pub(crate) fn pauses(&mut self, service: usize, stage: &'static str) -> bool {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return false };
        let under_way = found.primary().is_some_and(|primary| primary.state == Rollout::InProgress);
        let Some(record) = found.history.first_mut().filter(|record| !record.is_over()) else { return false };
        if !under_way || record.rollback.is_some() {
            return false;
        }
        if let Some(pause) = record.pauses.iter().find(|pause| pause.stage == stage) {
            return pause.status == "AWAITING_ACTION";
        }
        let Some(hook) = found.hooks.iter().find(|hook| hook.stage == stage) else { return false };
        let expires_at = now.plus(hook.timeout);
        record.pauses.push(Pause {
            id: uuid(record.target, record.pauses.len() as u64),
            stage,
            status: "AWAITING_ACTION",
            expires_at,
            action: hook.action,
        });
        record.updated_at = now;
        self.schedule(expires_at, Due::Hook(service));
        true
    }

    /// Ends the wait: the deployment goes on, or back.
    pub(crate) fn resume(&mut self, service: usize, status: &'static str, onwards: bool) {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return };
        let waiting = found.history.first_mut().into_iter().flat_map(|record| &mut record.pauses);
        for pause in waiting.filter(|pause| pause.status == "AWAITING_ACTION") {
            pause.status = status;
        }
        if !onwards {
            self.stop_deployment(service);
        }
        self.wake(service, std::time::Duration::from_millis(700));
        if let Some(record) = self.services.get_mut(service).and_then(|found| found.history.first_mut()) {
            record.updated_at = now;
        }
    }

    /// A hook may have waited for long enough.
    pub(crate) fn hook_expires(&mut self, service: usize) {
        let now = self.now;
        let record = self.services.get(service).and_then(|found| found.history.first());
        let expired = record.and_then(|record| record.waits()).filter(|pause| pause.expires_at <= now);
        if let Some(onwards) = expired.map(|pause| pause.action == "CONTINUE") {
            self.resume(service, "TIMED_OUT", onwards);
        }
    }
}
