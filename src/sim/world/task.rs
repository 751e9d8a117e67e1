//! One task, and the steps of its life. Durations are drawn from the world's dice.
//!
//! Must not decide whether a task should exist; the scheduler in `rollout` does.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::stdx::clock::Wall;

/// A task's number; AWS writes it as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u128);

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// `lastStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are AWS's")]
pub enum Status {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl Status {
    /// As AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// What a health check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing yet, or no check is defined.
    Unknown,
    /// It passes.
    Healthy,
    /// It fails.
    Unhealthy,
}

/// Why a task ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// `stopCode`.
    pub code: Cow<'static, str>,
    /// `stoppedReason`.
    pub reason: String,
    /// The container that ended first, with its exit code and reason.
    pub culprit: Option<(usize, Option<i32>, Option<String>)>,
}

/// The next thing in a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each step leads to the status of its name, or to what its name says")]
pub enum Step {
    Pending,
    Pulling,
    Pulled,
    Running,
    Registered,
    CheckPassed,
    Crash,
    Ended,
    CheckFailed,
    Stopping,
    Exited,
    Stopped,
    Forgotten,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Number.
    pub id: TaskId,
    /// Index of its service; `None` for one that RunTask started.
    pub service: Option<usize>,
    /// The deployment that started it.
    pub deployment: u64,
    /// Its task definition's family and revision.
    pub definition: (Arc<str>, u32),
    /// `lastStatus`.
    pub status: Status,
    /// Whether `desiredStatus` is RUNNING.
    pub wanted: bool,
    /// Whether the scheduler counts it as healthy.
    pub healthy: bool,
    /// Whether it ever was.
    pub was_healthy: bool,
    /// The container health check.
    pub health: Health,
    /// `version`, counting each change.
    pub version: u32,
    /// `FARGATE` or `FARGATE_SPOT`, when a strategy placed it.
    pub provider: Option<Arc<str>>,
    /// Index of its subnet in the service's network.
    pub subnet: usize,
    /// Whether ECS Exec was enabled when it started.
    pub exec: bool,
    /// Whether it is a target of the load balancer.
    pub registered: bool,
    /// `createdAt`.
    pub created_at: Wall,
    /// `pullStartedAt`.
    pub pull_started_at: Option<Wall>,
    /// `pullStoppedAt`.
    pub pull_stopped_at: Option<Wall>,
    /// `startedAt`.
    pub started_at: Option<Wall>,
    /// `stoppingAt`.
    pub stopping_at: Option<Wall>,
    /// When its containers got SIGTERM, if they did.
    pub sigterm_at: Option<Wall>,
    /// `executionStoppedAt`.
    pub execution_stopped_at: Option<Wall>,
    /// `stoppedAt`.
    pub stopped_at: Option<Wall>,
    /// Why it ends.
    pub stop: Option<Stop>,
    /// What its culprit wrote before it exited, when that is not its image's habit.
    pub last_words: Option<String>,
}

impl Task {
    /// A task that was just asked for.
    #[must_use]
    pub fn new(
        id: TaskId,
        service: impl Into<Option<usize>>,
        deployment: u64,
        definition: (Arc<str>, u32),
        now: Wall,
    ) -> Self {
        Self {
            id,
            service: service.into(),
            deployment,
            definition,
            status: Status::Provisioning,
            wanted: true,
            healthy: false,
            was_healthy: false,
            health: Health::Unknown,
            version: 1,
            provider: None,
            subnet: 0,
            exec: false,
            registered: false,
            created_at: now,
            pull_started_at: None,
            pull_stopped_at: None,
            started_at: None,
            stopping_at: None,
            sigterm_at: None,
            execution_stopped_at: None,
            stopped_at: None,
            stop: None,
            last_words: None,
        }
    }

    /// Turns it into one that has been running for long, without going through the steps.
    pub fn settle(&mut self, started_at: Wall, has_check: bool) {
        self.created_at = started_at.minus(Duration::from_secs(31));
        self.pull_started_at = Some(started_at.minus(Duration::from_secs(19)));
        self.pull_stopped_at = Some(started_at.minus(Duration::from_secs(5)));
        self.started_at = Some(started_at);
        self.status = Status::Running;
        self.healthy = true;
        self.was_healthy = true;
        self.registered = true;
        self.version = 4;
        if has_check {
            self.health = Health::Healthy;
            self.version += 1;
        }
    }

    /// Whether it counts as `pendingCount`.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.wanted && self.status < Status::Running
    }

    /// Whether it counts as `runningCount`.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status == Status::Running
    }

    /// The exit code of one of its containers, once it has one.
    #[must_use]
    pub fn exit_code(&self, container: usize, digest: Option<&str>) -> Option<i32> {
        if self.started_at.is_none() || self.status < Status::Deprovisioning {
            return None;
        }
        match self.stop.as_ref().and_then(|stop| stop.culprit.as_ref()) {
            Some((culprit, code, _)) if *culprit == container => *code,
            // What honours SIGTERM ends with 0 or 143, by the habit of the program; sidecars mostly with 0.
            _ if digest.is_some_and(|digest| digest.ends_with(['0', '1', '2', '3', '4', '5'])) => Some(143),
            _ => Some(0),
        }
    }
}

/// How long steps take.
#[must_use]
pub fn span(dice: &mut fastrand::Rng, least_ms: u64, most_ms: u64) -> Duration {
    Duration::from_millis(dice.u64(least_ms..=most_ms))
}
