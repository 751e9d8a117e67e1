//! The service scheduler: brings each service towards its desired count, one deployment at a time, within
//! minimum and maximum percent, and gives up as the circuit breaker does.
//!
//! Must not answer requests; it acts on state alone, at the instants that the queue gives it.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use crate::sim::world::image::Behaviour;
use crate::sim::world::service::{Deployment, Record, Revision, Rollout, id};
use crate::sim::world::task::{Health, Status, Step, Stop, Task, TaskId, span};
use crate::sim::world::{Due, World};

/// The scheduler starts at most so many tasks of a service in one turn.
const MOST_STARTS: usize = 20;

/// From so many failed launches in a row on, further ones are delayed.
const PATIENCE: u32 = 3;

/// The longest delay between launches.
const LONGEST_BACKOFF: Duration = Duration::from_secs(27 * 60);

/// Why a deployment goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// The circuit breaker has broken.
    Breaker,
    /// Somebody asked for it.
    Asked,
}

impl Back {
    /// `rollback.reason` of a service deployment.
    fn reason(self) -> &'static str {
        match self {
            Self::Breaker => {
                "Service deployment rolled back because the circuit breaker threshold was exceeded."
            }
            Self::Asked => "Service deployment rolled back because of a StopServiceDeployment request.",
        }
    }
}

impl World {
    /// Has the scheduler look at a service soon.
    pub(crate) fn wake(&mut self, service: usize, after: Duration) {
        let at = self.now.plus(after);
        if let Some(found) = self.services.get_mut(service)
            && found.reconcile_at.is_none_or(|known| at < known)
        {
            found.reconcile_at = Some(at);
            self.schedule(at, Due::Reconcile(service));
        }
    }

    /// Starts a deployment of this task definition and names it. Tags are resolved here, once.
    pub(crate) fn deploy(&mut self, service: usize, definition: (Arc<str>, u32)) -> Option<u64> {
        let now = self.now;
        let number = self.dice.u64(1_000_000_000_000_000_000..9_000_000_000_000_000_000);
        let record_id: String = (0..21).map(|_| self.dice.alphanumeric()).collect();
        let found = self.services.get_mut(service)?;
        let sources = found.primary().map(|primary| primary.number).into_iter().collect();
        if let Some(record) = found.history.first_mut().filter(|record| !record.is_over()) {
            record.status = "STOPPED";
            record.reason = Some("Service deployment was superseded by a newer deployment.".to_owned());
            record.stopped_at = Some(now);
            record.finished_at = Some(now);
            record.updated_at = now;
        }
        found.revisions.push(Revision {
            number,
            created_at: now,
            definition: definition.clone(),
            placement: Arc::clone(&found.placement),
            build: None,
            images: OnceCell::new(),
        });
        found.deployments.insert(0, deployment(number, definition, now));
        found.history.insert(
            0,
            Record {
                id: record_id,
                created_at: now,
                updated_at: now,
                finished_at: None,
                stopped_at: None,
                status: "IN_PROGRESS",
                reason: None,
                sources,
                target: number,
                requested: found.desired,
                failures: 0,
                rollback: None,
                pauses: Vec::new(),
            },
        );
        found.steady = false;
        let _ = self.images(service, number);
        let pause = span(&mut self.dice, 700, 3_000);
        self.wake(service, pause);
        Some(number)
    }

    /// Makes an earlier revision PRIMARY again. No new revision comes to be: the old one is immutable, with
    /// its digests, and what still runs of it stays.
    pub(crate) fn roll_back(&mut self, service: usize, to: u64, why: Back) {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return };
        let Some(revision) = found.revision(to) else { return };
        let (definition, placement) = (revision.definition.clone(), Arc::clone(&revision.placement));
        found.placement = placement;
        if let Some(failed) = found.deployments.first_mut() {
            failed.state = Rollout::Failed;
            failed.updated_at = now;
        }
        let mut target = match found.deployments.iter().position(|known| known.number == to) {
            Some(place) => found.deployments.remove(place),
            None => deployment(to, definition, now),
        };
        target.state = Rollout::InProgress;
        target.reason = match why {
            Back::Breaker => {
                format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", id(to))
            }
            Back::Asked => format!("ECS deployment {} in progress.", id(to)),
        };
        target.updated_at = now;
        target.not_before = now;
        target.launch_failures = 0;
        target.failed_tasks = 0;
        found.deployments.insert(0, target);
        if let Some(record) = found.history.first_mut() {
            record.status = "ROLLBACK_IN_PROGRESS";
            record.rollback = Some((why.reason().to_owned(), now, to));
            for pause in record.pauses.iter_mut().filter(|pause| pause.status == "AWAITING_ACTION") {
                pause.status = "FAILED";
            }
            record.updated_at = now;
        }
        found.say(now, &format!("rolling back to deployment {}.", id(to)));
        self.wake(service, Duration::from_millis(900));
    }

    /// One turn of the scheduler for one service.
    pub(crate) fn reconcile(&mut self, service: usize) {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return };
        found.reconcile_at = None;
        let Some(primary) = found.deployments.first().cloned() else { return };
        if self.pauses(service, "PRE_SCALE_UP") {
            return self.keep_up(service);
        }
        let Some(found) = self.services.get_mut(service) else { return };
        let desired = if found.active { found.desired as usize } else { 0 };
        let (floor, ceiling) = (found.floor() as usize, found.ceiling().max(1) as usize);
        let no_capacity = found.no_capacity;

        let wanted: Vec<&Task> =
            found.tasks.iter().filter_map(|id| self.tasks.get(id)).filter(|task| task.wanted).collect();
        let total = wanted.len();
        let healthy = wanted.iter().filter(|task| task.healthy).count();
        let (new, old): (Vec<&Task>, Vec<&Task>) =
            wanted.into_iter().partition(|task| task.deployment == primary.number);
        let new_healthy = new.iter().filter(|task| task.healthy).count();
        let stalled = primary.state == Rollout::Failed;

        // Outside a deployment, percentages do not matter: a lost task is replaced at once.
        let rolling = !old.is_empty() || found.deployments.len() > 1;
        let need = if stalled { 0 } else { desired.saturating_sub(new.len()) };
        let room = if rolling { ceiling.saturating_sub(total) } else { need };
        let mut starts = need.min(room).min(MOST_STARTS);

        let mut stops: Vec<TaskId> = Vec::new();
        if !stalled {
            let kept = desired.saturating_sub(new_healthy);
            let mut surplus = old.len().saturating_sub(kept);
            if need > 0 && room == 0 {
                surplus = surplus.max(need.min(old.len()));
            }
            let mut spare = healthy.saturating_sub(floor);
            let mut candidates = old.clone();
            candidates.sort_by_key(|task| (task.healthy, task.created_at));
            for task in candidates {
                if stops.len() == surplus {
                    break;
                }
                if task.healthy {
                    if spare == 0 {
                        break;
                    }
                    spare -= 1;
                }
                stops.push(task.id);
            }
            let stuck =
                need > 0 && starts == 0 && stops.is_empty() && rolling && new.iter().all(|task| task.healthy);
            if stuck {
                found.events.say(
                    now,
                    format!(
                        "(service {}) was unable to stop or start tasks during a deployment because of the service deployment \
                         configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
                        found.name
                    ),
                );
            }
        }
        if new.len() > desired {
            let mut candidates = new.clone();
            candidates.sort_by_key(|task| (task.healthy, std::cmp::Reverse(task.created_at)));
            stops.extend(candidates.iter().take(new.len() - desired).map(|task| task.id));
        }
        let reached = new.len() == desired && new_healthy == desired && old.is_empty() && stops.is_empty();

        if starts > 0 && no_capacity {
            starts = 0;
            found.say(
                now,
                "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a \
                 different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
            );
            self.wake(service, Duration::from_secs(60));
        }
        if starts > 0
            && let Some(complaint) = self.role_missing(service)
        {
            starts = 0;
            if let Some(found) = self.services.get_mut(service) {
                found.say(now, &complaint);
            }
            self.wake(service, Duration::from_secs(60));
        }
        if starts > 0 && now < primary.not_before {
            starts = 0;
            let pause = now.age_at(primary.not_before);
            self.wake(service, pause);
        }
        if starts > 0 {
            self.launch(service, &primary, starts);
            if need > starts && room > starts {
                self.wake(service, Duration::from_secs(1));
            }
        }
        if !stops.is_empty() {
            self.retire(service, &stops);
        }
        if reached && !self.pauses(service, "POST_SCALE_UP") {
            self.settle(service);
        }
    }

    /// While a deployment waits, what ran before it goes on: a lost task is replaced by its like.
    fn keep_up(&mut self, service: usize) {
        let Some(found) = self.services.get(service) else { return };
        let Some(old) = found.deployments.get(1).cloned() else { return };
        let wanted =
            found.tasks.iter().filter_map(|id| self.tasks.get(id)).filter(|task| task.wanted).count();
        let missing = (found.desired as usize).saturating_sub(wanted);
        if missing > 0 {
            self.launch(service, &old, missing.min(MOST_STARTS));
        }
    }

    fn launch(&mut self, service: usize, primary: &Deployment, count: usize) {
        let now = self.now;
        let Some(found) = self.services.get(service) else { return };
        let exec = found.exec;
        let subnets = found.placement.subnets.len().max(1);
        let mut named = String::new();
        for _ in 0..count {
            let id = TaskId(self.dice.u128(..));
            let mut task = Task::new(id, service, primary.number, primary.definition.clone(), now);
            task.exec = exec;
            task.subnet = self.dice.usize(..subnets);
            task.provider = self.provider(service);
            named.push_str(&format!(" (task {id})"));
            self.tasks.insert(id, task);
            if let Some(found) = self.services.get_mut(service) {
                found.tasks.insert(id);
            }
            let pause = span(&mut self.dice, 4_000, 12_000);
            self.schedule(now.plus(pause), Due::Task(id, Step::Pending));
        }
        if let Some(found) = self.services.get_mut(service) {
            found.steady = false;
            found.say(now, &format!("has started {count} tasks:{named}."));
        }
    }

    /// Ends tasks because others took their place or fewer are wanted.
    fn retire(&mut self, service: usize, stops: &[TaskId]) {
        let now = self.now;
        let mut named = String::new();
        let mut draining = 0;
        for id in stops {
            let Some(task) = self.tasks.get(id) else { continue };
            named.push_str(&format!(" (task {id})"));
            draining += usize::from(task.registered);
            let deployment = self
                .services
                .get(service)
                .and_then(|found| found.primary())
                .map_or(task.deployment, |primary| primary.number);
            let reason = format!(
                "Scaling activity initiated by (deployment {})",
                crate::sim::world::service::id(deployment)
            );
            self.stop_task(*id, Stop { code: "ServiceSchedulerInitiated".into(), reason, culprit: None });
        }
        let Some(found) = self.services.get_mut(service) else { return };
        found.steady = false;
        found.say(now, &format!("has stopped {} running tasks:{named}.", stops.len()));
        if draining > 0 && !found.targets().is_empty() {
            found.events.say_again(
                now,
                format!("(service {}) has begun draining connections on {draining} tasks.", found.name),
            );
        }
    }

    /// Everything is as it should be: the deployment is complete, the service steady.
    fn settle(&mut self, service: usize) {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return };
        let Some(number) = found.primary().map(|primary| primary.number) else { return };
        // Old tasks that still drain hold the deployment open.
        let draining = found
            .tasks
            .iter()
            .filter_map(|id| self.tasks.get(id))
            .any(|task| task.deployment != number && task.status < Status::Deprovisioning);
        if draining {
            return;
        }
        let Some(primary) = found.deployments.first_mut() else { return };
        primary.failed_tasks = 0;
        primary.launch_failures = 0;
        if primary.state == Rollout::InProgress {
            primary.state = Rollout::Completed;
            primary.reason = format!("ECS deployment {} completed.", id(number));
            primary.updated_at = now;
            found.last_good = Some(number);
            found.events.say_again(
                now,
                format!("(service {}) (deployment {}) deployment completed.", found.name, id(number)),
            );
            if let Some(record) = found.history.first_mut().filter(|record| !record.is_over()) {
                record.status = if record.rollback.is_some() { "ROLLBACK_SUCCESSFUL" } else { "SUCCESSFUL" };
                record.finished_at = Some(now);
                record.updated_at = now;
            }
        }
        found.deployments.truncate(1);
        if !found.steady {
            found.steady = true;
            found.events.say_again(now, format!("(service {}) has reached a steady state.", found.name));
        }
    }

    /// A task of this service ended without being asked to: counts it, and lets the breaker judge.
    pub(crate) fn failed(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.tasks.get(&id) else { return };
        let (Some(service), number) = (task.service, task.deployment) else { return };
        let (started, was_healthy) = (task.started_at.is_some(), task.was_healthy);
        let Some(found) = self.services.get_mut(service) else { return };
        found.steady = false;
        let (desired, breaker) = (found.desired, found.breaker);
        let mut complain = false;
        let mut broken = false;
        if let Some(primary) = found.deployments.first_mut().filter(|primary| primary.number == number) {
            if !was_healthy {
                primary.failed_tasks += 1;
                primary.updated_at = now;
            }
            if started {
                primary.launch_failures = 0;
            } else {
                primary.launch_failures += 1;
                if primary.launch_failures >= PATIENCE {
                    let doubled = 10_u64.saturating_mul(1 << (primary.launch_failures - PATIENCE).min(12));
                    primary.not_before = now.plus(Duration::from_secs(doubled).min(LONGEST_BACKOFF));
                    complain = true;
                }
            }
            broken = breaker.enable
                && primary.state == Rollout::InProgress
                && !was_healthy
                && primary.failed_tasks >= breaker.limit(desired);
            let failures = primary.failed_tasks;
            if let Some(record) = found.history.first_mut().filter(|record| record.target == number) {
                record.failures = record.failures.max(failures);
            }
        }
        if complain {
            found.say(
                now,
                "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
            );
        }
        if broken {
            self.trip(service, number);
        }
        let pause = span(&mut self.dice, 1_000, 4_000);
        self.wake(service, pause);
    }

    /// The circuit breaker breaks.
    fn trip(&mut self, service: usize, number: u64) {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return };
        let already_rolling_back = found.history.first().is_some_and(|record| record.rollback.is_some());
        if let Some(primary) = found.deployments.first_mut() {
            primary.state = Rollout::Failed;
            primary.reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
            primary.updated_at = now;
        }
        found.say(now, &format!("(deployment {}) deployment failed: tasks failed to start.", id(number)));
        let target =
            found.last_good.filter(|good| found.breaker.rollback && !already_rolling_back && *good != number);
        match target {
            Some(good) => self.roll_back(service, good, Back::Breaker),
            None => {
                if let Some(record) = found.history.first_mut().filter(|record| !record.is_over()) {
                    record.status = if already_rolling_back { "ROLLBACK_FAILED" } else { "STOPPED" };
                    record.reason = Some(
                        "Service deployment stopped because the circuit breaker threshold was exceeded."
                            .to_owned(),
                    );
                    record.stopped_at = Some(now);
                    record.finished_at = Some(now);
                    record.updated_at = now;
                }
            }
        }
    }

    /// A task has become healthy.
    pub(crate) fn became_healthy(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.healthy = true;
        task.was_healthy = true;
        let (Some(service), number) = (task.service, task.deployment) else { return };
        if let Some(found) = self.services.get_mut(service) {
            let resets = found.breaker.reset_on_healthy;
            if let Some(primary) =
                found.deployments.first_mut().filter(|primary| primary.number == number && resets)
            {
                primary.failed_tasks = 0;
            }
        }
        let pause = span(&mut self.dice, 500, 2_500);
        self.wake(service, pause);
    }

    /// Which capacity provider the next task of a service goes to: the base first, then by weight.
    pub(crate) fn provider(&self, service: usize) -> Option<Arc<str>> {
        let found = self.services.get(service)?;
        let capacity = &found.placement.capacity;
        let placed = |name: &str| {
            let tasks = found.tasks.iter().filter_map(|id| self.tasks.get(id));
            tasks.filter(|task| task.wanted && task.provider.as_deref() == Some(name)).count() as u64
        };
        let based = capacity.iter().find(|share| placed(&share.provider) < u64::from(share.base));
        let next = based.or_else(|| {
            let weighted = capacity.iter().filter(|share| share.weight > 0);
            weighted.min_by_key(|share| {
                placed(&share.provider).saturating_sub(u64::from(share.base)) * 1000 / u64::from(share.weight)
            })
        })?;
        Some(Arc::from(next.provider.as_str()))
    }

    /// The container health check of a task has failed for good, or its target's has.
    pub(crate) fn condemn(&mut self, id: TaskId, target: bool) {
        let now = self.now;
        let code = match self.fate(id) {
            Some((_, Behaviour::AnswersCheck(code))) => code,
            _ => 502,
        };
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let Some(service) = task.service else { return };
        task.healthy = false;
        if !target {
            task.health = Health::Unhealthy;
        }
        let Some(found) = self.services.get_mut(service) else { return };
        let groups = found.targets();
        let reason = match groups.first().filter(|_| target) {
            Some((arn, _, port)) => {
                found.say(
                    now,
                    &format!("(task {id}) (port {port}) is unhealthy in (target-group {arn}) due to (reason Health checks failed with these codes: [{code}])."),
                );
                format!("Task failed ELB health checks in (target-group {arn})")
            }
            None => {
                found.say(now, &format!("(task {id}) failed container health checks."));
                "Task failed container health checks".to_owned()
            }
        };
        found.say(now, &format!("has stopped 1 running tasks: (task {id})."));
        self.stop_task(id, Stop { code: "ServiceSchedulerInitiated".into(), reason, culprit: None });
        self.failed(id);
    }
}

fn deployment(number: u64, definition: (Arc<str>, u32), now: crate::stdx::clock::Wall) -> Deployment {
    Deployment {
        number,
        definition,
        created_at: now,
        updated_at: now,
        state: Rollout::InProgress,
        reason: format!("ECS deployment {} in progress.", id(number)),
        failed_tasks: 0,
        launch_failures: 0,
        not_before: now,
    }
}
