//! All that can be changed on AWS, as data: one value is one mutating call.
//!
//! Must not be performed without a `guard::Permit`; nothing here can mint one.

use serde::{Deserialize, Serialize};

use crate::domain::ecs::ServiceId;
use crate::domain::scope::Scope;
use crate::domain::task::TaskId;

/// One mutating call. Each carries the identity of its target, scope included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Mutation {
    /// `ecs:UpdateService` with `forceNewDeployment` and nothing else: a desired count sent along would undo
    /// what autoscaling did meanwhile.
    ForceDeployment {
        /// The service.
        service: ServiceId,
    },
    /// `ecs:StopTask`.
    StopTask {
        /// The task.
        task: TaskId,
        /// Visible in ECS as `stoppedReason`.
        reason: String,
    },
}

impl Mutation {
    /// Where it acts.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::ForceDeployment { service } => &service.scope,
            Self::StopTask { task, .. } => &task.scope,
        }
    }

    /// The IAM action that it needs.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::ForceDeployment { .. } => "ecs:UpdateService",
            Self::StopTask { .. } => "ecs:StopTask",
        }
    }

    /// The target as people name it: `cluster/service`, `cluster/task`.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::ForceDeployment { service } => format!("{}/{}", service.cluster, service.name),
            Self::StopTask { task, .. } => format!("{}/{}", task.cluster, task.id),
        }
    }
}
