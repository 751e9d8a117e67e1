//! How a call's end is told: by the id of what it started, never by counts that look right.
//!
//! `DescribeServices` may be stale for some seconds, and a rolled-back service looks stable: so a deployment is
//! done only when the very id is PRIMARY and COMPLETED. Must not conclude from a failed read.

mod data;
mod goal;
mod rollout;
mod steady;
mod words;

use std::time::Duration;

use super::facts::{service_query, task_query};
use crate::domain::balancer::TargetHealth;
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::fault::{Failure, Fault, FaultKind};
use crate::domain::mutation::Receipt;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Arn;
use crate::domain::task::{Task, TaskId};
use crate::domain::verdict::Verdict;
use crate::stdx::clock::Moment;

pub(super) use data::DatabaseGoal;
pub(super) use goal::Goal;
use rollout::Rollout;
pub(super) use rollout::stage;
pub(super) use steady::{Steady, is_well};

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long what we started may be missing from a list before that means something.
const SETTLING: Duration = Duration::from_secs(60);
/// How long a count of tasks that was never short may be stale.
const COUNTED: Duration = Duration::from_secs(40);

/// A watch under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Watch {
    goal: Goal,
    receipt: Receipt,
    since: Moment,
    rollout: Rollout,
    /// Of a restart: when the task was seen stopped.
    stopped: Option<Moment>,
    /// Of a restart: the service's tasks, once it runs as many as it wants.
    tasks: Option<Vec<String>>,
    /// Of a restart: which of its target groups is looked at.
    group: Option<usize>,
    /// Of a database: it was seen rebooting.
    busy: bool,
    /// The page of a list to look at.
    page: Option<Query>,
    /// What the last look showed.
    state: String,
    /// Why the last look failed, if it did.
    missed: Option<String>,
    /// The stage that it showed, of a deployment that has stages.
    stage: Option<String>,
    /// How it ended.
    verdict: Option<Verdict>,
    /// What is looked at once this has ended well.
    after: Option<Steady>,
}

impl Watch {
    /// Begins to watch what AWS accepted; `lost` when its answer never came.
    pub fn new(goal: Goal, receipt: Receipt, sent: Moment, now: Moment, lost: bool) -> Self {
        let rollout = Rollout::new(receipt.deployment.clone(), receipt.deployed_at, sent, now, lost);
        let verdict = match goal {
            Goal::Accepted if !lost => Some(Verdict::Succeeded),
            _ => None,
        };
        let state = "waiting for the first look".to_owned();
        Self {
            goal,
            receipt,
            since: now,
            rollout,
            stopped: None,
            tasks: None,
            group: None,
            busy: false,
            page: None,
            state,
            missed: None,
            stage: None,
            verdict,
            after: None,
        }
    }

    /// The same, after which these services are looked at.
    pub fn then(mut self, after: Option<Steady>) -> Self {
        self.after = after;
        self
    }

    /// How it ended, if it has.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Whether it looks at the next page of a list.
    pub fn is_turning(&self) -> bool {
        self.page.is_some() || matches!(&self.goal, Goal::Steady(steady) if steady.is_turning())
    }

    /// What the last look showed; that it failed, when it did.
    pub fn state(&self) -> String {
        match &self.missed {
            Some(why) => format!("it cannot be looked at now ({why}); last seen: {}", self.state),
            None => self.state.clone(),
        }
    }

    /// The name of what is watched.
    pub fn name(&self) -> String {
        match &self.goal {
            Goal::Accepted => String::new(),
            Goal::Deployment { service, .. }
            | Goal::Undone { service, .. }
            | Goal::Resumed { service, .. }
            | Goal::Replaced { service, .. }
            | Goal::Bounds { service, .. }
            | Goal::Count { service, .. } => service.name.clone(),
            Goal::Steady(steady) => steady.name(),
            Goal::Exits { .. } => format!("task {}", self.receipt.task.as_deref().map_or("", short)),
            Goal::Stopped { task, .. } => format!("task {}", task.short()),
            Goal::Current { secret, .. } | Goal::Stage { secret, .. } => secret.name.clone(),
            Goal::Database { database, .. } => database.name.clone(),
            Goal::Snapshot { name, .. } => format!("snapshot {name}"),
            Goal::CacheFailover { cache, .. } => cache.name.clone(),
            Goal::AlarmActions { alarm, .. } | Goal::Muted { alarm, .. } => alarm.name.clone(),
        }
    }

    /// The deployment that is watched.
    pub fn deployment(&self) -> Option<&str> {
        self.rollout.id()
    }

    /// The stage of a deployment that has stages.
    pub fn stage(&self) -> Option<&str> {
        self.stage.as_deref()
    }

    /// How long to wait until the next look.
    pub fn every(&self) -> Duration {
        match self.goal {
            // ECS reads alarms from the same quota to decide about rollbacks.
            Goal::AlarmActions { .. } => Duration::from_secs(20),
            // Many services, of which the consoles of others ask too.
            Goal::Steady(_) => Duration::from_secs(10),
            _ => LOOK_EVERY,
        }
    }

    /// The question of the next look.
    pub fn query(&self) -> Option<Query> {
        if self.verdict.is_some() {
            return None;
        }
        if let Some(page) = &self.page {
            return Some(page.clone());
        }
        Some(match &self.goal {
            Goal::Accepted => return None,
            Goal::Deployment { service, .. } => match self.rollout.arn() {
                Some(arn) => service_deployment(service, arn),
                None => service_query(service),
            },
            Goal::Undone { service, arn } | Goal::Resumed { service, arn } => {
                service_deployment(service, arn)
            }
            Goal::Stopped { task, .. } => task_query(task),
            Goal::Replaced { task, .. } if self.stopped.is_none() => task_query(task),
            Goal::Replaced { service, target_groups, .. } if self.group.is_some() => {
                Query::DescribeTargetHealth {
                    scope: service.scope.clone(),
                    target_group: target_groups.get(self.group.unwrap_or(0))?.clone(),
                }
            }
            Goal::Replaced { service, .. } if self.tasks.is_some() => {
                let names = self.tasks.clone().unwrap_or_default();
                let (scope, cluster) = (service.scope.clone(), service.cluster.clone());
                if names.is_empty() {
                    let name = Some(service.name.clone());
                    Query::ListTasks { scope, cluster, service: name, stopped: false, page: None }
                } else {
                    Query::DescribeTasks { scope, cluster, tasks: names }
                }
            }
            Goal::Replaced { service, .. } | Goal::Count { service, .. } => service_query(service),
            Goal::Exits { service, .. } => {
                let id = self.receipt.task.clone()?;
                task_query(&TaskId { scope: service.scope.clone(), cluster: service.cluster.clone(), id })
            }
            Goal::Current { secret, .. } | Goal::Stage { secret, .. } => {
                Query::DescribeSecret { scope: secret.scope.clone(), secret: secret.name.clone() }
            }
            Goal::Database { database, .. } => data::query(database),
            Goal::Snapshot { database, name } => {
                Query::DescribeDbSnapshot { database: database.clone(), name: name.clone() }
            }
            Goal::CacheFailover { cache, .. } => {
                Query::DescribeReplicationGroups { scope: cache.scope.clone(), page: None }
            }
            Goal::Steady(steady) => steady.query()?,
            Goal::Bounds { service, .. } => {
                Query::DescribeScalableTargets { scope: service.scope.clone(), page: None }
            }
            Goal::Muted { alarm, rule } => {
                Query::GetAlarmMuteRule { alarm: alarm.clone(), rule: rule.clone() }
            }
            Goal::AlarmActions { alarm, .. } => {
                Query::DescribeAlarms { scope: alarm.scope.clone(), state: None, page: None }
            }
        })
    }

    /// A look failed: it says nothing about the target, and that is said. But whoever may mute an alarm need not be
    /// allowed to read the rule, and no later look would show more.
    pub fn miss(&mut self, fault: &Fault) {
        self.missed = Some(fault.to_string());
        if matches!(self.goal, Goal::Muted { .. }) && fault.kind == FaultKind::Denied {
            self.verdict = Some(self.left());
        }
    }

    /// Takes a look. A list that does not show the target is turned to its next page.
    pub fn look(&mut self, query: &Query, answer: &Answer, now: Moment) {
        self.missed = None;
        let turned = answer.next().and_then(|token| query.turned_to(token.clone()));
        self.page = None;
        if let Goal::Steady(steady) = &mut self.goal {
            (self.state, self.verdict) = steady.look(answer, now.since(self.since));
            return;
        }
        let verdict = match (self.goal.clone(), answer) {
            (Goal::Deployment { before, runs, .. }, Answer::Services { found, failures }) => {
                match found.first() {
                    Some(service) => {
                        let end = self.rollout.look(service, &before, runs.as_ref(), now);
                        self.state = self.rollout.state(service);
                        end
                    }
                    None => gone(failures),
                }
            }
            (
                Goal::Deployment { .. } | Goal::Undone { .. } | Goal::Resumed { .. },
                Answer::Deployments { found, .. },
            ) => found.first().and_then(|deployment| {
                // The service may still name the one before.
                if matches!(self.goal, Goal::Deployment { .. }) && !self.rollout.is_of(deployment) {
                    return None;
                }
                self.state = stage(deployment);
                self.stage.clone_from(&deployment.lifecycle_stage);
                rollout::ended(deployment, matches!(self.goal, Goal::Undone { .. }))
            }),
            (Goal::Stopped { reason, .. }, Answer::Tasks { found, failures }) => {
                self.stopping(found.first(), failures, &reason)
            }
            (Goal::Replaced { checked, target_groups, planned, .. }, Answer::Tasks { found, .. })
                if self.tasks.is_some() =>
            {
                self.healthy(found, checked, planned.1, &target_groups)
            }
            (Goal::Replaced { target_groups, planned, .. }, Answer::TargetHealth { found }) => {
                self.in_service(found, planned.1, target_groups.len())
            }
            (Goal::Replaced { .. }, Answer::Tasks { found, failures }) => {
                if self.stopping(found.first(), failures, "").is_some() {
                    self.stopped = Some(now);
                }
                None
            }
            (Goal::Replaced { .. }, Answer::Names { names, .. }) => {
                // At most a hundred are described at once; the first ones stand for the rest.
                self.tasks = Some(names.iter().take(100).map(|arn| Arn::last(arn).to_owned()).collect());
                if names.is_empty() {
                    self.tasks = None;
                }
                None
            }
            (Goal::Replaced { planned, .. }, Answer::Services { found, failures }) => match found.first() {
                Some(service) => self.replaced(service, &planned, now),
                None => gone(failures),
            },
            (Goal::Count { desired, .. }, Answer::Services { found, failures }) => match found.first() {
                Some(service) => self.counted(service, desired, now),
                None => gone(failures),
            },
            (Goal::Exits { container, .. }, Answer::Tasks { found, failures }) => {
                self.exited(&container, found.first(), failures)
            }
            (goal, answer) => {
                let known = data::Known { lost: self.rollout.is_lost(), settled: self.settled(now) };
                let seen = data::look(&goal, answer, &mut self.busy, &known);
                match seen {
                    data::Seen::Absent => {
                        self.page = turned;
                        None
                    }
                    data::Seen::State(state) => {
                        self.state = state;
                        None
                    }
                    data::Seen::End(verdict) => {
                        self.state = "done".to_owned();
                        Some(verdict)
                    }
                }
            }
        };
        self.verdict = verdict;
        if self.verdict == Some(Verdict::Succeeded)
            && let Some(after) = self.after.take()
        {
            self.state = format!("{} is done; the services are looked at", self.name());
            (self.goal, self.since, self.verdict) = (Goal::Steady(after), now, None);
        }
    }

    /// Whether a target that is as before has had its time; after a lost answer no time is enough.
    fn settled(&self, now: Moment) -> bool {
        !self.rollout.is_lost() && now.since(self.since) >= SETTLING
    }

    fn stopping(&mut self, task: Option<&Task>, failures: &[Failure], reason: &str) -> Option<Verdict> {
        let Some(task) = task else {
            // ECS accepted the stop and lists the task no more.
            return failures.iter().any(|f| f.reason == "MISSING").then_some(Verdict::Succeeded);
        };
        self.state = format!("the task is {}", task.last_status);
        // When the answer was lost, it is ours only if the task says why.
        let ours = !self.rollout.is_lost()
            || reason.is_empty()
            || task.stopped_reason.as_deref().is_some_and(|said| said.contains(reason));
        (task.is_stopped() && ours).then_some(Verdict::Succeeded)
    }

    /// The service after a task of it stopped: as soon as it counts enough of them, they are looked at one by one. A
    /// count may be stale: it has to have been seen short, or some time has to have passed.
    fn replaced(
        &mut self,
        service: &Service,
        planned: &(Option<String>, u32),
        now: Moment,
    ) -> Option<Verdict> {
        let primary = service.primary().map(|primary| primary.id.clone());
        if primary != planned.0 {
            return Some(Verdict::Superseded { by: primary.unwrap_or_else(|| "no deployment".to_owned()) });
        }
        if service.desired != planned.1 {
            return Some(Verdict::Superseded { by: format!("a desired count of {}", service.desired) });
        }
        self.state = format!("stopped, {} of {} tasks running", service.running, service.desired);
        let short = service.running < service.desired || service.pending > 0;
        self.busy |= short;
        let waited = self.stopped.is_some_and(|stopped| now.since(stopped) >= COUNTED);
        if !short && (self.busy || waited) {
            self.tasks = Some(Vec::new());
        }
        None
    }

    /// The tasks of the service: as many as wanted run, and all that tell their health are healthy.
    fn healthy(&mut self, tasks: &[Task], checked: bool, desired: u32, groups: &[String]) -> Option<Verdict> {
        let health = |word: &str| tasks.iter().filter(|task| task.health.as_deref() == Some(word)).count();
        let running = tasks.iter().filter(|task| task.last_status == "RUNNING").count();
        let well = health("HEALTHY");
        self.state = format!("{running} of {desired} tasks running, {well} healthy");
        let told = checked || well > 0;
        let enough = running >= usize::try_from(desired).unwrap_or(usize::MAX).min(100);
        let steady =
            enough && running == tasks.len() && (!told || well == tasks.len()) && health("UNHEALTHY") == 0;
        if !steady {
            // Counted anew: a task that fails is replaced once more.
            self.tasks = None;
            return None;
        }
        if groups.is_empty() {
            return Some(Verdict::Succeeded);
        }
        self.group = Some(0);
        None
    }

    /// The targets of one group after the other: as many healthy as tasks are wanted.
    fn in_service(&mut self, targets: &[TargetHealth], desired: u32, groups: usize) -> Option<Verdict> {
        let healthy = targets.iter().filter(|target| target.state == "healthy").count();
        self.state = format!("{healthy} of {desired} targets healthy");
        let next = self.group.map_or(1, |group| group + 1);
        if healthy < usize::try_from(desired).unwrap_or(usize::MAX) {
            // The tasks are listed again as well: one may have been lost meanwhile.
            self.group = None;
            self.tasks = None;
            return None;
        }
        self.group = Some(next);
        (next >= groups).then_some(Verdict::Succeeded)
    }

    fn counted(&mut self, service: &Service, desired: u32, now: Moment) -> Option<Verdict> {
        self.state =
            format!("{} running, {} pending, {} wanted", service.running, service.pending, service.desired);
        if service.desired != desired {
            // A stale look at first; later somebody else, or autoscaling, chose another number.
            let stale = now.since(self.since) < SETTLING;
            if stale {
                return None;
            }
            if self.rollout.is_lost() {
                let how_to_find_out = format!(
                    "the desired count is {}, so it probably did not happen: {}",
                    service.desired,
                    self.how_to_find_out()
                );
                return Some(Verdict::Unknown { how_to_find_out });
            }
            return Some(Verdict::Superseded { by: format!("a desired count of {}", service.desired) });
        }
        (service.running == desired && service.pending == 0).then_some(Verdict::Succeeded)
    }

    fn exited(&mut self, container: &str, task: Option<&Task>, failures: &[Failure]) -> Option<Verdict> {
        let Some(task) = task else {
            let how_to_find_out = "ECS does not list the task any more: look at its log".to_owned();
            let gone = failures.iter().any(|f| f.reason == "MISSING");
            return gone.then_some(Verdict::Unknown { how_to_find_out });
        };
        self.state = format!("the task is {}", task.last_status);
        if !task.is_stopped() {
            return None;
        }
        let ran = task.containers.iter().find(|known| known.name == container).or(task.containers.first());
        let failed = ran.filter(|container| container.exit_code.is_none_or(|code| code != 0));
        Some(match failed {
            None => Verdict::Succeeded,
            Some(container) => {
                let code =
                    container.exit_code.map_or_else(|| "no exit code".to_owned(), |c| format!("exit {c}"));
                let reason = container.reason.clone().or_else(|| task.stopped_reason.clone());
                let why = format!("{}: {code}, {}", container.name, reason.unwrap_or_default());
                Verdict::Failed { why: why.trim_end_matches(", ").to_owned() }
            }
        })
    }

    /// The end when nobody wants to wait any longer.
    pub fn timed_out(&self) -> Verdict {
        if let Some(why) = self.rollout.failing() {
            return Verdict::Failed { why: why.to_owned() };
        }
        if let Goal::Steady(steady) = &self.goal {
            return steady.cut_off();
        }
        Verdict::Unknown {
            how_to_find_out: format!("it was still under way ({}): {}", self.state, self.how_to_find_out()),
        }
    }

    /// What is said when nobody looks any more: AWS accepted it, unless its answer never came.
    pub fn left(&self) -> Verdict {
        if let Goal::Steady(steady) = &self.goal {
            return steady.cut_off();
        }
        if self.rollout.is_lost() && self.deployment().is_none() {
            let how_to_find_out = format!("the answer was lost: {}", self.how_to_find_out());
            return Verdict::Unknown { how_to_find_out };
        }
        Verdict::Accepted
    }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn service_deployment(service: &ServiceId, arn: &str) -> Query {
    Query::DescribeServiceDeployments { scope: service.scope.clone(), arns: vec![arn.to_owned()] }
}

fn gone(failures: &[Failure]) -> Option<Verdict> {
    let missing = failures.iter().any(|failure| failure.reason == "MISSING");
    missing.then(|| Verdict::Failed { why: "the service does not exist any more".to_owned() })
}
