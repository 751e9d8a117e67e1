//! What a call was made for: what has to be seen before it counts as done.
//!
//! Must not say how it is seen; `watch` and its other parts do.

use super::{DatabaseGoal, Steady};
use crate::domain::alarm::AlarmId;
use crate::domain::cache::CacheId;
use crate::domain::database::DatabaseId;
use crate::domain::ecs::{Revision, ServiceId};
use crate::domain::mutation::ScalingChange;
use crate::domain::secret::SecretId;
use crate::domain::task::TaskId;

/// What shows that a call did what it was made for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::guard) enum Goal {
    /// AWS's yes is the end.
    Accepted,
    /// The deployment that it starts.
    Deployment {
        /// The service.
        service: ServiceId,
        /// The deployments that were listed before.
        before: Vec<String>,
        /// What it runs, when that is known before.
        runs: Option<Revision>,
    },
    /// The deployment that ECS undoes.
    Undone {
        /// The service.
        service: ServiceId,
        /// The service deployment's ARN.
        arn: String,
    },
    /// A deployment that goes on after a pause.
    Resumed {
        /// The service.
        service: ServiceId,
        /// The service deployment's ARN.
        arn: String,
    },
    /// The task has stopped.
    Stopped {
        /// The task.
        task: TaskId,
        /// The reason that we gave.
        reason: String,
    },
    /// The task has stopped and the service has as many running as it wants.
    Replaced {
        /// The service.
        service: ServiceId,
        /// The task.
        task: TaskId,
        /// The PRIMARY deployment and the desired count when it was planned: a restart is not for another one.
        planned: (Option<String>, u32),
        /// Whether its tasks tell their health.
        checked: bool,
        /// The target groups in which its tasks have to be healthy.
        target_groups: Vec<String>,
    },
    /// The service has so many tasks.
    Count {
        /// The service.
        service: ServiceId,
        /// Tasks.
        desired: u32,
    },
    /// The task that it started ends by itself.
    Exits {
        /// The service whose cluster it runs in.
        service: ServiceId,
        /// The container whose end counts: others are stopped with it.
        container: String,
    },
    /// The secret's current version is this one.
    Current {
        /// The secret.
        secret: SecretId,
        /// The version's id.
        version: String,
    },
    /// The stage is at no version any more, or at this one.
    Stage {
        /// The secret.
        secret: SecretId,
        /// The stage.
        stage: String,
        /// The version.
        version: Option<String>,
    },
    /// A database has done what it was told.
    Database {
        /// The instance or cluster.
        database: DatabaseId,
        /// What.
        goal: DatabaseGoal,
    },
    /// The snapshot is there.
    Snapshot {
        /// Of which instance or cluster.
        database: DatabaseId,
        /// Its name.
        name: String,
    },
    /// A cache's node group has another primary and is available.
    CacheFailover {
        /// The replication group.
        cache: CacheId,
        /// The node group.
        node_group: String,
        /// The primary before.
        primary: Option<String>,
    },
    /// The rule that mutes the alarm is there.
    Muted {
        /// The alarm.
        alarm: AlarmId,
        /// The rule's name.
        rule: String,
    },
    /// The alarm's actions are so.
    AlarmActions {
        /// The alarm.
        alarm: AlarmId,
        /// Whether they run.
        enabled: bool,
    },
    /// The services run as before.
    Steady(Steady),
    /// Autoscaling is set so.
    Bounds {
        /// Of which service.
        service: ServiceId,
        /// What was changed of it.
        change: ScalingChange,
    },
}
