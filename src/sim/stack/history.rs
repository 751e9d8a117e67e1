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
    /// Load times `factor` for as long as it `lasts`.
    TrafficSpike,
    /// Desired count becomes `count`.
    Scale,
}

/// Something that happens after the start.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// How long after the start.
    pub at: Span,
    /// What.
    pub kind: IncidentKind,
    /// To which service of this stack.
    pub service: String,
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
