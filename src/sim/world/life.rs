//! A task's way through its statuses, each step scheduling the next.
//!
//! Must not decide whether a task should exist; it reports failures to the scheduler.

use std::time::Duration;

use crate::sim::world::image::{self, Behaviour};
use crate::sim::world::task::{Health, Status, Step, Stop, Task, TaskId, span};
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

/// A task without any health check counts as healthy after running for so long.
const TRUST: Duration = Duration::from_secs(40);

/// How long stopped tasks can still be described.
const MEMORY: Duration = Duration::from_secs(3600);

/// Of so many forgotten tasks per service the log streams are kept.
const MOST_GHOSTS: usize = 400;

impl World {
    /// Carries out a step, unless the task's life has taken another turn since it was scheduled.
    pub(crate) fn step(&mut self, id: TaskId, step: Step) {
        let now = self.now;
        let pulls = |task: &Task| task.status == Status::Pending && task.wanted;
        if step == Step::Pulling
            && self.tasks.get(&id).is_some_and(pulls)
            && let Some(reason) = self.obstacle(id)
        {
            return self.cannot_start(id, reason, None);
        }
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let next = match (step, task.status, task.wanted) {
            (Step::Pending, Status::Provisioning, true) => {
                task.status = Status::Pending;
                Some((Step::Pulling, 500, 3_000))
            }
            (Step::Pulling, Status::Pending, true) => {
                task.pull_started_at = Some(now);
                Some((Step::Pulled, 5_000, 16_000))
            }
            (Step::Pulled, Status::Pending, true) => return self.pulled(id),
            (Step::Running, Status::Activating, true) => return self.running(id),
            (Step::Registered, Status::Running, true) => return self.registered(id),
            (Step::CheckPassed, Status::Running, true) => return self.check_passed(id),
            (Step::Crash, Status::Running, true) => return self.crash(id),
            (Step::Ended, Status::Running, true) => return self.run_ends(id),
            (Step::CheckFailed, Status::Running, true) => {
                let target = !matches!(self.fate(id), Some((_, Behaviour::FailsContainerCheck)));
                return self.condemn(id, target);
            }
            (Step::Stopping, Status::Deactivating, false) => {
                task.status = Status::Stopping;
                task.sigterm_at = Some(now);
                Some((Step::Exited, 1_500, 11_000))
            }
            (Step::Exited, Status::Stopping, false) => {
                task.status = Status::Deprovisioning;
                task.execution_stopped_at = Some(now);
                Some((Step::Stopped, 6_000, 18_000))
            }
            (Step::Stopped, Status::Deprovisioning, false) => return self.stopped(id),
            (Step::Forgotten, Status::Stopped, _) => return self.forget(id),
            _ => return,
        };
        task.version += 1;
        if let Some((step, least, most)) = next {
            self.later(id, step, least, most);
        }
        self.wake_for(id);
    }

    fn later(&mut self, id: TaskId, step: Step, least_ms: u64, most_ms: u64) {
        let pause = span(&mut self.dice, least_ms, most_ms);
        self.schedule(self.now.plus(pause), Due::Task(id, step));
    }

    /// A task's step may be what its service's deployment has been waiting for.
    fn wake_for(&mut self, id: TaskId) {
        let ending = self.tasks.get(&id).filter(|task| !task.wanted);
        if let Some(service) = ending.and_then(|task| task.service) {
            self.wake(service, Duration::from_millis(800));
        }
    }

    /// The worst behaviour among the task's essential containers, if any is bad.
    pub(crate) fn fate(&self, id: TaskId) -> Option<(usize, Behaviour)> {
        let task = self.tasks.get(&id)?;
        let region = self.regions.get(&*self.region_of(task)?)?;
        let definition = region.families.get(&*task.definition.0)?.get(task.definition.1)?;
        self.task_images(task)?.iter().enumerate().find_map(|(index, image)| {
            let Some(digest) = &image.digest else {
                return Some((index, Behaviour::CannotStart { reason: cannot_pull(&image.image) }));
            };
            let behaviour = region.images.behaviour(digest);
            let essential = definition.containers.get(index).is_none_or(|container| container.essential);
            let blocks = matches!(behaviour, Behaviour::CannotStart { .. });
            (behaviour != Behaviour::Healthy && (essential || blocks)).then_some((index, behaviour))
        })
    }

    /// The image of a task that the registry no longer hands out, although its digest was resolved in time.
    fn lost_image(&self, id: TaskId) -> Option<(usize, String)> {
        let task = self.tasks.get(&id)?;
        let registry = &self.regions.get(&*self.region_of(task)?)?.images;
        self.task_images(task)?.iter().enumerate().find_map(|(index, image)| {
            let digest = image.digest.as_deref()?;
            let lost = registry.is_removed(digest) || registry.is_archived(digest);
            lost.then(|| (index, cannot_pull(&format!("{}@{digest}", image::repository(&image.image)))))
        })
    }

    fn pulled(&mut self, id: TaskId) {
        let now = self.now;
        if let Some((culprit, reason)) = self.lost_image(id) {
            return self.cannot_start(id, reason, Some(culprit));
        }
        if let Some((culprit, Behaviour::CannotStart { reason })) = self.fate(id) {
            return self.cannot_start(id, reason, Some(culprit));
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.pull_stopped_at = Some(now);
            task.status = Status::Activating;
            task.version += 1;
        }
        self.later(id, Step::Running, 1_000, 4_000);
    }

    /// A task ends before any of its containers ran.
    fn cannot_start(&mut self, id: TaskId, reason: String, culprit: Option<usize>) {
        let now = self.now;
        if let Some(task) = self.tasks.get_mut(&id) {
            task.wanted = false;
            task.status = Status::Deprovisioning;
            task.version += 1;
            task.stopping_at = Some(now);
            task.execution_stopped_at = Some(now);
            let container_reason = reason.starts_with("CannotPull").then(|| reason.clone());
            task.stop = Some(Stop {
                code: "TaskFailedToStart".into(),
                reason,
                culprit: culprit.map(|culprit| (culprit, None, container_reason)),
            });
        }
        self.later(id, Step::Stopped, 6_000, 14_000);
        self.failed(id);
    }

    fn running(&mut self, id: TaskId) {
        let now = self.now;
        let fate = self.fate(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.status = Status::Running;
        task.started_at = Some(now);
        task.version += 1;
        let definition = task.definition.clone();
        let Some(service) = task.service else { return self.run_works(id) };
        let Some(found) = self.services.get(service) else { return };
        let has_target = !found.targets().is_empty();
        let region = found.region.clone();
        let check = self.definition(&region, &definition.0, definition.1).and_then(|full| {
            full.containers
                .iter()
                .filter(|container| container.essential)
                .filter_map(|container| container.health_check)
                .max()
        });
        if has_target {
            self.later(id, Step::Registered, 800, 3_000);
        }
        let mut passes = match (check, has_target) {
            (None, false) => TRUST,
            (check, target) => {
                let own = Duration::from_secs(check.unwrap_or(0));
                let targets = if target { span(&mut self.dice, 18_000, 36_000) } else { Duration::ZERO };
                own.max(targets) + span(&mut self.dice, 300, 4_000)
            }
        };
        match fate {
            Some((_, Behaviour::Crash { after, .. } | Behaviour::OutOfMemory { after })) => {
                // Not all tasks of a bad release die at the same instant.
                let after = after.mul_f64(0.8 + 0.4 * self.dice.f64());
                self.schedule(now.plus(after), Due::Task(id, Step::Crash));
            }
            Some((
                _,
                Behaviour::FailsContainerCheck | Behaviour::FailsTargetCheck | Behaviour::AnswersCheck(_),
            )) => {
                passes = Duration::MAX;
                let grace = self.services.get(service).and_then(|found| found.grace_seconds).unwrap_or(0);
                let pause = Duration::from_secs(grace.min(300)) + span(&mut self.dice, 55_000, 95_000);
                self.schedule(now.plus(pause), Due::Task(id, Step::CheckFailed));
            }
            _ => {}
        }
        if passes != Duration::MAX {
            self.schedule(now.plus(passes), Due::Task(id, Step::CheckPassed));
        }
        self.wake(service, Duration::from_millis(900));
    }

    fn registered(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.registered = true;
        let Some(found) = task.service.and_then(|service| self.services.get_mut(service)) else { return };
        for (arn, ..) in found.targets() {
            found.events.say_again(
                now,
                format!("(service {}) registered 1 targets in (target-group {arn})", found.name),
            );
        }
    }

    fn check_passed(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id) else { return };
        let definition = task.definition.clone();
        let region = self.region_of(task).unwrap_or_else(|| "".into());
        let checked = self.definition(&region, &definition.0, definition.1).is_some_and(|full| {
            full.containers.iter().any(|container| container.essential && container.health_check.is_some())
        });
        if let Some(task) = self.tasks.get_mut(&id)
            && checked
        {
            task.health = Health::Healthy;
            task.version += 1;
        }
        self.became_healthy(id);
    }

    fn crash(&mut self, id: TaskId) {
        let (culprit, code, reason) = match self.fate(id) {
            Some((culprit, Behaviour::Crash { exit_code, .. })) => (culprit, exit_code, None),
            Some((culprit, Behaviour::OutOfMemory { .. })) => {
                (culprit, 137, Some("OutOfMemoryError: Container killed due to memory usage".to_owned()))
            }
            _ => return,
        };
        self.exit(id, culprit, code, reason);
    }

    /// A container of a running task exits by itself, and the task with it when the container is essential.
    pub(crate) fn exit(&mut self, id: TaskId, culprit: usize, code: i32, reason: Option<String>) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.status == Status::Running && task.wanted)
        else {
            return;
        };
        task.wanted = false;
        task.healthy = false;
        task.status = Status::Deprovisioning;
        task.version += 1;
        task.stopping_at = Some(now);
        task.execution_stopped_at = Some(now);
        task.stop = Some(Stop {
            code: "EssentialContainerExited".into(),
            reason: "Essential container in task exited".to_owned(),
            culprit: Some((culprit, Some(code), reason)),
        });
        let (service, registered) = (task.service, std::mem::take(&mut task.registered));
        if let Some(service) = service.filter(|_| registered) {
            self.say_deregistered(service);
        }
        self.later(id, Step::Stopped, 6_000, 18_000);
        self.failed(id);
    }

    fn say_deregistered(&mut self, service: usize) {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return };
        for (arn, ..) in found.targets() {
            found.events.say_again(
                now,
                format!("(service {}) deregistered 1 targets in (target-group {arn})", found.name),
            );
        }
    }

    /// Ends a task from outside: first out of the load balancer, then SIGTERM, then its network.
    pub(crate) fn stop_task(&mut self, id: TaskId, stop: Stop) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.wanted) else { return };
        let service = task.service;
        task.wanted = false;
        task.healthy = false;
        task.stopping_at = Some(now);
        task.version += 1;
        task.stop = Some(stop);
        let started = task.started_at.is_some();
        let registered = std::mem::take(&mut task.registered);
        let drains = service
            .and_then(|service| self.services.get(service))
            .is_some_and(|found| registered && !found.targets().is_empty());
        let (status, next) = match (started, drains) {
            (false, _) => (Status::Deprovisioning, (Step::Stopped, 4_000, 12_000)),
            (true, true) => (Status::Deactivating, (Step::Stopping, 25_000, 45_000)),
            (true, false) => (Status::Stopping, (Step::Exited, 1_500, 11_000)),
        };
        task_status(self.tasks.get_mut(&id), status, started, now);
        self.later(id, next.0, next.1, next.2);
        let Some(service) = service else { return };
        if drains {
            self.say_deregistered(service);
        }
        self.wake(service, Duration::from_millis(900));
    }

    fn stopped(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.status = Status::Stopped;
        task.stopped_at = Some(now);
        task.version += 1;
        let service = task.service;
        let pause = MEMORY + span(&mut self.dice, 0, 300_000);
        self.schedule(now.plus(pause), Due::Task(id, Step::Forgotten));
        if let Some(service) = service {
            self.wake(service, Duration::from_millis(800));
        }
    }

    fn forget(&mut self, id: TaskId) {
        let Some(task) = self.tasks.remove(&id) else { return };
        if let Some(run) = self.runs.get_mut(&id) {
            run.ghost = Some(task);
        } else if let Some(found) = task.service.and_then(|service| self.services.get_mut(service)) {
            found.tasks.remove(&id);
            // ECS forgets the task, CloudWatch Logs keeps its streams.
            if task.started_at.is_some() {
                found.ghosts.push_front(task);
                found.ghosts.truncate(MOST_GHOSTS);
            }
        }
    }
}

fn cannot_pull(image: &str) -> String {
    format!(
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {image}: {image}: not found"
    )
}

fn task_status(task: Option<&mut Task>, status: Status, started: bool, now: Wall) {
    if let Some(task) = task {
        task.status = status;
        task.sigterm_at = (status == Status::Stopping).then_some(now);
        if !started {
            task.execution_stopped_at = Some(now);
        }
    }
}
