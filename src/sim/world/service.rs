//! A service as data: its settings, deployments, revisions and history.
//!
//! Must not move anything: the scheduler in `rollout` does.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::sim::stack::{self, ACCOUNT, Stack};
use crate::sim::world::event::Events;
use crate::sim::world::image::Resolved;
use crate::sim::world::task::{Task, TaskId};
use crate::stdx::clock::Wall;

/// `rolloutState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are AWS's")]
pub enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    /// As AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// An entry of `deployments[]`. The first one of a service is PRIMARY, the others are ACTIVE.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The number in `ecs-svc/NUMBER`, and of its service revision.
    pub number: u64,
    /// Family and revision of its task definition.
    pub definition: (Arc<str>, u32),
    /// `createdAt`.
    pub created_at: Wall,
    /// `updatedAt`.
    pub updated_at: Wall,
    /// `rolloutState`.
    pub state: Rollout,
    /// `rolloutStateReason`.
    pub reason: String,
    /// `failedTasks`.
    pub failed_tasks: u32,
    /// Tasks in a row that never reached RUNNING: what slows further starts down.
    pub launch_failures: u32,
    /// No task is started before.
    pub not_before: Wall,
}

impl Deployment {
    /// `ecs-svc/NUMBER`.
    #[must_use]
    pub fn id(&self) -> String {
        id(self.number)
    }
}

/// `ecs-svc/NUMBER`.
#[must_use]
pub fn id(number: u64) -> String {
    format!("ecs-svc/{number}")
}

/// Where tasks are placed: what a service revision keeps beside its task definition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// `launchType`, where no strategy takes its place.
    pub launch_type: Option<String>,
    /// `capacityProviderStrategy`.
    pub capacity: Vec<stack::CapacityShare>,
    /// Subnets.
    pub subnets: Vec<stack::Subnet>,
    /// Ids of security groups.
    pub groups: Vec<String>,
    /// Whether tasks get a public address.
    pub public_ip: bool,
}

impl Placement {
    /// As a stack describes it.
    #[must_use]
    pub fn of_stack(stack: &Stack, spec: &stack::Service) -> Self {
        let network = &stack.network;
        let subnet = |name: &String| network.subnets.iter().find(|subnet| subnet.name == *name).cloned();
        let group = |name: &String| {
            network.security_groups.iter().find(|group| group.name == *name).map(|group| group.id.clone())
        };
        Self {
            launch_type: spec.launch_type.clone(),
            capacity: spec.capacity.clone(),
            subnets: spec.subnets.iter().filter_map(subnet).collect(),
            groups: spec.security_groups.iter().filter_map(group).collect(),
            public_ip: spec.public_ip,
        }
    }
}

/// A PAUSE hook of the deployment configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `PRE_SCALE_UP` or `POST_SCALE_UP`.
    pub stage: &'static str,
    /// How long it waits for somebody.
    pub timeout: Duration,
    /// What happens then: `CONTINUE` or `ROLLBACK`.
    pub action: &'static str,
}

/// A PAUSE hook that a deployment has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// `hookId`.
    pub id: String,
    /// The stage that it belongs to.
    pub stage: &'static str,
    /// `AWAITING_ACTION`, `SUCCEEDED`, `FAILED` or `TIMED_OUT`.
    pub status: &'static str,
    /// When it gives up.
    pub expires_at: Wall,
    /// What it does then.
    pub action: &'static str,
}

/// A service revision: what a deployment brings, for good.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Number.
    pub number: u64,
    /// When it came to be.
    pub created_at: Wall,
    /// Family and revision of its task definition.
    pub definition: (Arc<str>, u32),
    /// Where its tasks are placed.
    pub placement: Arc<Placement>,
    /// What a mutable tag was built from at the time, for revisions that come from a stack.
    pub build: Option<String>,
    /// Its images, once they were asked for.
    pub images: OnceCell<Arc<[Resolved]>>,
}

/// A service deployment in the history that AWS keeps for 90 days.
#[derive(Clone, Debug)]
pub struct Record {
    /// The last part of its ARN.
    pub id: String,
    /// `createdAt`, which is also when it started.
    pub created_at: Wall,
    /// `updatedAt`.
    pub updated_at: Wall,
    /// `finishedAt`.
    pub finished_at: Option<Wall>,
    /// `stoppedAt`.
    pub stopped_at: Option<Wall>,
    /// `status`.
    pub status: &'static str,
    /// `statusReason`.
    pub reason: Option<String>,
    /// Numbers of the revisions that it replaces.
    pub sources: Vec<u64>,
    /// Number of the revision that it brings.
    pub target: u64,
    /// Desired count at the time.
    pub requested: u32,
    /// Failures that the circuit breaker has counted.
    pub failures: u32,
    /// `rollback`: reason, start, number of the revision.
    pub rollback: Option<(String, Wall, u64)>,
    /// PAUSE hooks that it has come to.
    pub pauses: Vec<Pause>,
}

impl Record {
    /// The hook that it waits at.
    #[must_use]
    pub fn waits(&self) -> Option<&Pause> {
        let ended = self.is_over() || self.rollback.is_some();
        self.pauses.iter().find(|pause| pause.status == "AWAITING_ACTION").filter(|_| !ended)
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status, "SUCCESSFUL" | "STOPPED" | "ROLLBACK_SUCCESSFUL" | "ROLLBACK_FAILED")
    }
}

/// How many failures the circuit breaker bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// A share of the desired count, between 3 and 200.
    BoundedPercent(u32),
    /// A share of the desired count.
    UnboundedPercent(u32),
    /// A number.
    Count(u32),
}

/// `deploymentCircuitBreaker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Whether it watches.
    pub enable: bool,
    /// Whether it rolls back.
    pub rollback: bool,
    /// Whether a healthy task sets the count of failures back.
    pub reset_on_healthy: bool,
    /// When it breaks.
    pub threshold: Threshold,
}

impl Breaker {
    /// Failures that break it at this desired count.
    #[must_use]
    pub fn limit(self, desired: u32) -> u32 {
        let share = |percent: u32| (u64::from(desired) * u64::from(percent)).div_ceil(100);
        let limit = match self.threshold {
            Threshold::BoundedPercent(percent) => share(percent).clamp(3, 200),
            Threshold::UnboundedPercent(percent) => share(percent).max(1),
            Threshold::Count(count) => u64::from(count.max(1)),
        };
        u32::try_from(limit).unwrap_or(u32::MAX)
    }
}

/// What an eventually consistent read may still show.
#[derive(Clone, Debug)]
pub struct Stale {
    /// Reads up to here may be stale.
    pub until: Wall,
    /// The state before the write, as it was written on the wire.
    pub value: Value,
}

/// A disturbance that its logs show.
#[derive(Clone, Debug, PartialEq)]
pub struct Disturbance {
    /// From when.
    pub from: Wall,
    /// Until when.
    pub to: Wall,
    /// In which container; all when `None`.
    pub container: Option<String>,
    /// What.
    pub kind: DisturbanceKind,
}

/// What a disturbance is.
#[derive(Clone, Debug, PartialEq)]
pub enum DisturbanceKind {
    /// So many errors per second, each with this text.
    Errors {
        /// Per second and task.
        rate: f64,
        /// What each says.
        text: String,
    },
    /// Load times this.
    Load(f64),
}

/// A task that ended outside of a deployment, and the one that took its place.
#[derive(Clone, Copy, Debug)]
pub struct Replaced {
    /// When it stopped.
    pub at: Wall,
    /// Which.
    pub id: TaskId,
    /// Whether the scheduler had stopped it.
    pub by_scheduler: bool,
    /// The one that runs instead.
    pub by: TaskId,
}

/// The tasks that a deployment before the start had brought: the same ones in events, in the list of stopped
/// tasks and as log streams.
pub fn past_tasks(target: u64, count: u32) -> impl Iterator<Item = TaskId> {
    let mut dice = fastrand::Rng::with_seed(target ^ 1);
    (0..count.max(1)).map(move |_| TaskId(dice.u128(..)))
}

/// What a service was like when the world opened: events of the past are told from this, so that they never
/// change.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The revision that ran.
    pub number: Option<u64>,
    /// Its tasks.
    pub tasks: Vec<TaskId>,
    /// Tasks that had stopped and been replaced, outside of deployments.
    pub stops: Vec<Replaced>,
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Region.
    pub region: Arc<str>,
    /// Cluster's name.
    pub cluster: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// The stack that it comes from.
    pub stack: Arc<Stack>,
    /// Its place in that stack.
    pub origin: usize,
    /// The place of its first task definition's family in that stack.
    pub family: Option<usize>,
    /// Whether it is ACTIVE (else INACTIVE).
    pub active: bool,
    /// `desiredCount`.
    pub desired: u32,
    /// `minimumHealthyPercent`.
    pub min_percent: u32,
    /// `maximumPercent`.
    pub max_percent: u32,
    /// The circuit breaker.
    pub breaker: Breaker,
    /// PAUSE hooks of its deployments.
    pub hooks: Vec<Hook>,
    /// Where its tasks are placed.
    pub placement: Arc<Placement>,
    /// `enableExecuteCommand`.
    pub exec: bool,
    /// `healthCheckGracePeriodSeconds`.
    pub grace_seconds: Option<u64>,
    /// What UpdateService has set that changes nothing here: member and value.
    pub kept: BTreeMap<&'static str, Value>,
    /// `createdAt`.
    pub created_at: Wall,
    /// `deployments[]`, newest first.
    pub deployments: Vec<Deployment>,
    /// All revisions that are remembered, oldest first.
    pub revisions: Vec<Revision>,
    /// Service deployments, newest first.
    pub history: Vec<Record>,
    /// What the scheduler has said since the world began.
    pub events: Events,
    /// All tasks that are remembered.
    pub tasks: BTreeSet<TaskId>,
    /// What it was like when the world opened.
    pub opening: Opening,
    /// Tasks that ECS has forgotten, newest first: their log streams remain.
    pub ghosts: VecDeque<Task>,
    /// The revision of the last completed deployment.
    pub last_good: Option<u64>,
    /// Whether it is in a steady state.
    pub steady: bool,
    /// Whether AWS has no room for its tasks.
    pub no_capacity: bool,
    /// When the scheduler looks at it next.
    pub reconcile_at: Option<Wall>,
    /// What reads may still show.
    pub stale: Option<Stale>,
    /// What troubles it, for its logs and metrics.
    pub disturbances: Vec<Disturbance>,
    /// Changes of the desired count since the world opened, oldest first.
    pub desires: Vec<(Wall, u32)>,
}

impl Service {
    /// Its description in the stack.
    #[must_use]
    pub fn spec(&self) -> Option<&stack::Service> {
        self.stack.services.get(self.origin)
    }

    /// An ARN of this service's region.
    fn arn_of(&self, kind: &str, last: &str) -> String {
        format!("arn:aws:ecs:{}:{ACCOUNT}:{kind}/{}/{last}", self.region, self.cluster)
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        self.arn_of("service", &self.name)
    }

    /// Its cluster's ARN.
    #[must_use]
    pub fn cluster_arn(&self) -> String {
        cluster_arn(&self.region, &self.cluster)
    }

    /// The ARN of one of its revisions.
    #[must_use]
    pub fn revision_arn(&self, number: u64) -> String {
        self.arn_of("service-revision", &format!("{}/{number}", self.name))
    }

    /// The ARN of one of its service deployments.
    #[must_use]
    pub fn record_arn(&self, record: &Record) -> String {
        self.arn_of("service-deployment", &format!("{}/{}", self.name, record.id))
    }

    /// The PRIMARY deployment.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.first()
    }

    /// The revision of this number.
    #[must_use]
    pub fn revision(&self, number: u64) -> Option<&Revision> {
        self.revisions.iter().rev().find(|revision| revision.number == number)
    }

    /// Whether a record tells of the time before the world opened.
    #[must_use]
    pub fn is_past(&self, record: &Record) -> bool {
        self.revision(record.target).is_some_and(|revision| revision.build.is_some())
    }

    /// The fewest healthy tasks during a deployment: rounded up.
    #[must_use]
    pub fn floor(&self) -> u32 {
        u32::try_from((u64::from(self.desired) * u64::from(self.min_percent)).div_ceil(100))
            .unwrap_or(u32::MAX)
    }

    /// The most tasks during a deployment: rounded down.
    #[must_use]
    pub fn ceiling(&self) -> u32 {
        u32::try_from(u64::from(self.desired) * u64::from(self.max_percent) / 100).unwrap_or(u32::MAX)
    }

    /// Says something, unless it was said within six hours.
    pub fn say(&mut self, at: Wall, what: &str) {
        let message = format!("(service {}) {what}", self.name);
        self.events.say(at, message);
    }

    /// Where the tasks of a revision are placed.
    #[must_use]
    pub fn placement_of(&self, number: u64) -> &Placement {
        self.revision(number).map_or(&self.placement, |revision| &revision.placement)
    }

    /// The subnet that one of its tasks runs in.
    #[must_use]
    pub fn subnet(&self, task: &Task) -> Option<&stack::Subnet> {
        self.placement_of(task.deployment).subnets.get(task.subnet)
    }

    /// The private address of one of its tasks.
    #[must_use]
    pub fn address(&self, task: &Task) -> String {
        address(self.subnet(task), task.id)
    }

    /// The target groups in front of it: (ARN, container, port).
    #[must_use]
    pub fn targets(&self) -> Vec<(String, String, u16)> {
        let balancers = self.spec().map(|spec| spec.load_balancers.as_slice()).unwrap_or_default();
        balancers
            .iter()
            .map(|balancer| {
                (
                    target_group_arn(&self.region, &balancer.target_group),
                    balancer.container.clone(),
                    balancer.port,
                )
            })
            .collect()
    }
}

/// The private address of a task: of the subnet, drawn from the task's id. The first few addresses of a subnet
/// are AWS's own.
#[must_use]
pub fn address(subnet: Option<&stack::Subnet>, id: TaskId) -> String {
    let network = subnet.map_or("10.0.0.0", |subnet| subnet.cidr.split('/').next().unwrap_or("10.0.0.0"));
    let mut parts: Vec<&str> = network.split('.').collect();
    parts.truncate(3);
    format!("{}.{}", parts.join("."), 5 + id.0 % 249)
}

/// A target group's ARN; the 16 digits at its end follow from its name.
#[must_use]
pub fn target_group_arn(region: &str, name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:{}", target_group_dimension(name))
}

/// A target group's value of the dimension `TargetGroup`: the end of its ARN.
#[must_use]
pub fn target_group_dimension(name: &str) -> String {
    format!("targetgroup/{name}/{:016x}", digits_of(17, name))
}

/// A load balancer's ARN; the 16 digits at its end follow from its name.
#[must_use]
pub fn load_balancer_arn(region: &str, name: &str) -> String {
    let end = load_balancer_dimension(name);
    format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/{end}")
}

/// A load balancer's value of the dimension `LoadBalancer`: the end of its ARN, from the kind on.
#[must_use]
pub fn load_balancer_dimension(name: &str) -> String {
    format!("app/{name}/{:016x}", digits_of(23, name))
}

fn digits_of(start: u64, name: &str) -> u64 {
    let seed = name.bytes().fold(start, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    fastrand::Rng::with_seed(seed).u64(..)
}

/// A cluster's ARN.
#[must_use]
pub fn cluster_arn(region: &str, name: &str) -> String {
    format!("arn:aws:ecs:{region}:{ACCOUNT}:cluster/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(threshold: Threshold) -> Breaker {
        Breaker { enable: true, rollback: true, reset_on_healthy: true, threshold }
    }

    #[test]
    fn the_default_threshold_is_half_of_desired_between_3_and_200() {
        let limits = [1, 25, 400, 1000].map(|desired| breaker(Threshold::BoundedPercent(50)).limit(desired));
        assert_eq!(limits, [3, 13, 200, 200]);
    }

    #[test]
    fn other_thresholds_have_no_bounds() {
        assert_eq!(breaker(Threshold::UnboundedPercent(50)).limit(1000), 500);
        assert_eq!(breaker(Threshold::UnboundedPercent(10)).limit(1), 1);
        assert_eq!(breaker(Threshold::Count(7)).limit(1000), 7);
    }
}
