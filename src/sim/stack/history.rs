//! What happened to a service before the start, and what will happen to it afterwards.
//!
//! Facts only: the world plays them.

use std::time::Duration;

use serde::Deserialize;

use super::Span;

/// How a past deployment ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It completed.
    #[default]
    Successful,
    /// The circuit breaker rolled it back.
    RolledBack,
    /// A newer deployment took its place.
    Stopped,
}

/// A past deployment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// How long ago it began.
    pub age: Span,
    /// How long it lasted.
    #[serde(default = "four_minutes")]
    pub took: Span,
    /// The revision it brought.
    pub revision: u32,
    /// Commit of the image: with a mutable tag, this alone tells two deployments of one revision apart.
    pub build: String,
    /// How it ended.
    #[serde(default)]
    pub outcome: Outcome,
    /// `statusReason`, where AWS or a person gave one.
    #[serde(default)]
    pub reason: Option<String>,
}

fn four_minutes() -> Span {
    Span(Duration::from_secs(240))
}

/// A task that stopped before the start.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoppedTask {
    /// How long ago it stopped.
    pub age: Span,
    /// How long it had run.
    pub ran: Span,
    /// `stopCode`.
    pub code: String,
    /// `stoppedReason`; `{deployment}` stands for the id of the deployment that runs at the start.
    pub reason: String,
    /// The container that ended it, if one did.
    #[serde(default)]
    pub container: Option<String>,
    /// That container's exit code.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// That container's reason.
    #[serde(default)]
    pub container_reason: Option<String>,
}

/// A past change of the desired count.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// How long ago.
    pub age: Span,
    /// Before.
    pub from: u32,
    /// After.
    pub to: u32,
}

/// An instant beside the start, written as `12s`, or `-20m` for what happened before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct When {
    /// Milliseconds after the start; negative before it.
    pub millis: i64,
}

impl TryFrom<String> for When {
    type Error = crate::stdx::span::BadSpan;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (sign, span) = text.strip_prefix('-').map_or((1, text.as_str()), |span| (-1, span));
        let span = crate::stdx::span::parse(span)?;
        Ok(Self { millis: sign * i64::try_from(span.as_millis()).unwrap_or(i64::MAX) })
    }
}

/// What kind of thing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentKind {
    /// A container of one task writes `text` and exits with `exit_code`.
    Crash,
    /// A deployment that works.
    Deploy,
    /// A deployment whose tasks write `text` and exit with `exit_code` soon after their start.
    BadDeploy,
    /// AWS takes a Spot task back, with two minutes' warning.
    SpotReclaim,
    /// `rate` errors per second for as long as it `lasts`, each with `text`.
    ErrorBurst,
    /// Load times `factor`, or so many times full `load`, for as long as it `lasts`.
    TrafficSpike,
    /// Desired count becomes `count`.
    Scale,
    /// A deployment of a tag, `build`, that nobody has pushed.
    MissingImage,
    /// Tasks are killed for memory `after` so long; `build` is the release that brought it, if one did.
    OutOfMemory,
    /// A deployment whose tasks answer the load balancer's health check with `status`.
    UnhealthyDeploy,
    /// AWS has no room for further tasks of the service.
    NoCapacity,
    /// It has again.
    CapacityReturns,
    /// The secret `target` gets a value with no other keys than `keys`.
    SecretKeys,
    /// The secret `target` is deleted, with 7 days to think about it.
    SecretDeleted,
    /// The secret `target` is rotated.
    Rotation,
    /// The secret `target` is rotated, and its function fails at `step` again and again.
    RotationStuck,
    /// The log group `target` is deleted.
    LogGroupDeleted,
    /// The role `target` is deleted.
    RoleDeleted,
    /// The storage of the database `target` fills up, and is full after `lasts`.
    DatabaseStorageFull,
    /// The connections of the database `target` run out, the last one after `lasts`.
    DatabaseConnectionsExhausted,
    /// Statements of the database `target` take `factor` times as long.
    DatabaseSlowQueries,
    /// The standby of the database `target` takes over; that `lasts`.
    DatabaseFailover,
    /// The memory of the cache `target` fills up, and is full after `lasts`.
    CacheMemoryFull,
    /// Commands of the cache `target` take `factor` times the usual CPU.
    CacheBusy,
    /// A replica of the cache `target` takes over; that `lasts`.
    CacheFailover,
    /// What breaks `target`, a database or a cache, is over.
    Recovers,
    /// What lies between a client and AWS breaks, by a rule such as `*:expired`.
    Fault,
}

/// Something that happens beside the start: after it in a stack, before it as well in a named incident.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// When, from the start.
    pub at: When,
    /// What.
    pub kind: IncidentKind,
    /// To which service of this stack; empty for what happens to something else.
    #[serde(default)]
    pub service: String,
    /// To which secret, database, log group or role.
    #[serde(default)]
    pub target: Option<String>,
    /// Keys that a secret has afterwards.
    #[serde(default)]
    pub keys: Vec<String>,
    /// The step of a rotation: `createSecret`, `setSecret`, `testSecret` or `finishSecret`.
    #[serde(default)]
    pub step: Option<String>,
    /// What a health check is answered with.
    #[serde(default)]
    pub status: Option<u16>,
    /// How long a task runs before it happens to it.
    #[serde(default)]
    pub after: Option<Span>,
    /// A fault, as after `--fault`.
    #[serde(default)]
    pub rule: Option<String>,
    /// Who did it, for CloudTrail: a session's name. The deployment system, if left out.
    #[serde(default)]
    pub by: Option<String>,
    /// To which container; the first one when left out.
    #[serde(default)]
    pub container: Option<String>,
    /// What it writes to its log; further lines are a stack trace.
    #[serde(default)]
    pub text: Option<String>,
    /// How long it lasts.
    #[serde(default)]
    pub lasts: Option<Span>,
    /// Errors per second and task.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Multiple of the load.
    #[serde(default)]
    pub factor: Option<f64>,
    /// Load in multiples of full load, whatever the hour.
    #[serde(default)]
    pub load: Option<f64>,
    /// Desired count.
    #[serde(default)]
    pub count: Option<u32>,
    /// Exit code.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Commit or tag of the image that a deployment brings.
    #[serde(default)]
    pub build: Option<String>,
}
