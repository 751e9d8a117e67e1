//! What changed: deployments, registrations, scaling, secrets, databases, alarms and CloudTrail's writes on one
//! axis of time.
//!
//! Must not tell one change twice because two services of AWS told it.

use serde::Serialize;

use super::Subject;
use crate::domain::alarm::AlarmHistoryItem;
use crate::domain::change::TrailEvent;
use crate::domain::database::DataEvent;
use crate::domain::ecs::{Service, ServiceDeployment, ServiceId};
use crate::domain::scaling::ScalingActivity;
use crate::domain::scope::Scope;
use crate::domain::secret::{Secret, StoredParameter};
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A deployment of a service began, ended or was rolled back.
    Deployment,
    /// A task definition was registered.
    Registration,
    /// A service was scaled.
    Scaling,
    /// A secret or parameter changed, or rotated.
    Secret,
    /// RDS tells something.
    Database,
    /// ElastiCache tells something.
    Cache,
    /// An alarm changed its state or its configuration.
    Alarm,
    /// Any other write that CloudTrail tells.
    Other,
}

impl ChangeKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Deployment,
        Self::Registration,
        Self::Scaling,
        Self::Secret,
        Self::Database,
        Self::Cache,
        Self::Alarm,
        Self::Other,
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Registration => "registration",
            Self::Scaling => "scaling",
            Self::Secret => "secret",
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Alarm => "alarm",
            Self::Other => "other",
        }
    }
}

/// Who told of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeSource {
    /// ECS.
    Ecs,
    /// Application Auto Scaling.
    AutoScaling,
    /// Secrets Manager or SSM.
    Secrets,
    /// RDS.
    Rds,
    /// ElastiCache.
    ElastiCache,
    /// CloudWatch.
    CloudWatch,
    /// CloudTrail, up to 15 minutes late.
    CloudTrail,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at: Wall,
    /// What kind.
    pub kind: ChangeKind,
    /// Where.
    pub scope: Scope,
    /// What it is about, where that is a resource we know; a key leads there.
    pub subject: Option<Subject>,
    /// Its name, as the source gives it.
    pub name: String,
    /// What happened: one sentence without its full stop and without the name.
    pub sentence: String,
    /// Who did it, where that is known.
    pub who: Option<String>,
    /// Who told.
    pub source: ChangeSource,
    /// Whether CloudTrail told of it too, so that `who` is its.
    pub confirmed: bool,
}

/// The changes that a service's deployments tell; `history` may be empty, then the service's own list is used.
#[must_use]
pub fn of_service(service: &Service, history: &[ServiceDeployment]) -> Vec<Change> {
    let _ = (service, history);
    Vec::new()
}

/// The registration of a service's task definition.
#[must_use]
pub fn of_definition(service: &ServiceId, definition: &TaskDefinition) -> Option<Change> {
    let _ = (service, definition);
    None
}

/// What Application Auto Scaling did or tried.
#[must_use]
pub fn of_scaling(scope: &Scope, activities: &[ScalingActivity]) -> Vec<Change> {
    let _ = (scope, activities);
    Vec::new()
}

/// The last change and the last rotation of a secret.
#[must_use]
pub fn of_secret(secret: &Secret) -> Vec<Change> {
    let _ = secret;
    Vec::new()
}

/// The last change of a parameter.
#[must_use]
pub fn of_parameter(parameter: &StoredParameter) -> Option<Change> {
    let _ = parameter;
    None
}

/// What RDS tells.
#[must_use]
pub fn of_database_events(scope: &Scope, events: &[DataEvent]) -> Vec<Change> {
    let _ = (scope, events);
    Vec::new()
}

/// What ElastiCache tells.
#[must_use]
pub fn of_cache_events(scope: &Scope, events: &[DataEvent]) -> Vec<Change> {
    let _ = (scope, events);
    Vec::new()
}

/// What became of alarms.
#[must_use]
pub fn of_alarm_history(scope: &Scope, items: &[AlarmHistoryItem]) -> Vec<Change> {
    let _ = (scope, items);
    Vec::new()
}

/// The writes that CloudTrail tells; reads are left out.
#[must_use]
pub fn of_trail(scope: &Scope, events: &[TrailEvent]) -> Vec<Change> {
    let _ = (scope, events);
    Vec::new()
}

/// All on one axis, the newest first. A write of CloudTrail that another source tells too (same subject and kind,
/// within two minutes) is folded into that one and lends it its `who`.
#[must_use]
pub fn timeline(changes: Vec<Change>, from: Wall) -> Vec<Change> {
    let _ = from;
    changes
}
