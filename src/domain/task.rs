//! Tasks and their containers, running and stopped.
//!
//! Must not judge: why a task stopped is kept in ECS's own words.

use serde::{Deserialize, Serialize};

use crate::domain::ecs::{Revision, ServiceId};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// A task by cluster and id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId {
    /// Where.
    pub scope: Scope,
    /// The cluster's name.
    pub cluster: String,
    /// The task's id, without the ARN around it.
    pub id: String,
}

impl TaskId {
    /// The first eight characters, as people quote it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}

/// A container of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Name, as in the task definition.
    pub name: String,
    /// Image as the task definition names it.
    pub image: String,
    /// The digest that runs.
    pub image_digest: Option<String>,
    /// The runtime's id.
    pub runtime_id: Option<String>,
    /// `PENDING`, `RUNNING`, `STOPPED`, …
    pub last_status: String,
    /// Exit code, once it stopped.
    pub exit_code: Option<i32>,
    /// Why it stopped, in ECS's words.
    pub reason: Option<String>,
    /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
    pub health: Option<String>,
    /// Private IPv4 address.
    pub private_ip: Option<String>,
    /// State of the ECS Exec agent.
    pub exec_agent: Option<String>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Identity.
    pub id: TaskId,
    /// ARN.
    pub arn: String,
    /// `service:NAME`, `family:NAME`.
    pub group: Option<String>,
    /// `PROVISIONING` … `RUNNING` … `STOPPED`.
    pub last_status: String,
    /// `RUNNING` or `STOPPED`.
    pub desired_status: String,
    /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
    pub health: Option<String>,
    /// What it runs.
    pub revision: Revision,
    /// The task definition's ARN.
    pub task_definition_arn: String,
    /// The deployment that started it (`ecs-svc/…`).
    pub started_by: Option<String>,
    /// Containers.
    pub containers: Vec<Container>,
    /// CPU units.
    pub cpu: Option<String>,
    /// Memory in MiB.
    pub memory: Option<String>,
    /// `FARGATE`, `EC2`, …
    pub launch_type: Option<String>,
    /// Capacity provider.
    pub capacity_provider: Option<String>,
    /// Availability zone.
    pub zone: Option<String>,
    /// Whether ECS Exec was enabled when it started.
    pub exec_enabled: bool,
    /// ECS's change counter: an answer with a lower one is older.
    pub version: i64,
    /// Created.
    pub created_at: Option<Wall>,
    /// Image pull began.
    pub pull_started_at: Option<Wall>,
    /// Image pull ended.
    pub pull_stopped_at: Option<Wall>,
    /// RUNNING since.
    pub started_at: Option<Wall>,
    /// Told to stop.
    pub stopping_at: Option<Wall>,
    /// STOPPED.
    pub stopped_at: Option<Wall>,
    /// `EssentialContainerExited`, `TaskFailedToStart`, …
    pub stop_code: Option<String>,
    /// Why, in ECS's words.
    pub stopped_reason: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

impl Task {
    /// The service it belongs to, from its group.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.group.as_deref()?.strip_prefix("service:")
    }

    /// The service that started it, if one did.
    #[must_use]
    pub fn service_id(&self) -> Option<ServiceId> {
        let name = self.service()?.to_owned();
        Some(ServiceId { scope: self.id.scope.clone(), cluster: self.id.cluster.clone(), name })
    }

    /// Whether it is one of a service's.
    #[must_use]
    pub fn is_of(&self, service: &ServiceId) -> bool {
        self.id.scope == service.scope
            && self.id.cluster == service.cluster
            && self.service() == Some(service.name.as_str())
    }

    /// Whether it has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.last_status == "STOPPED"
    }
}
