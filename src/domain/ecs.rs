//! Clusters, services, deployments and service events, as ECS describes them.
//!
//! Strings that AWS may extend (statuses, reasons) stay strings: an unknown one is shown, not lost.
//! Must not judge health; `diagnose` does.

use serde::{Deserialize, Serialize};

use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// A cluster by scope and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ClusterId {
    /// Where.
    pub scope: Scope,
    /// The cluster's name.
    pub name: String,
}

/// A service by cluster and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceId {
    /// Where.
    pub scope: Scope,
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub name: String,
}

impl ServiceId {
    /// The cluster it runs in.
    #[must_use]
    pub fn cluster_id(&self) -> ClusterId {
        ClusterId { scope: self.scope.clone(), name: self.cluster.clone() }
    }
}

/// A cluster with its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// Identity.
    pub id: ClusterId,
    /// ARN.
    pub arn: String,
    /// `ACTIVE`, `PROVISIONING`, `FAILED`, `INACTIVE`, …
    pub status: String,
    /// Services in state ACTIVE.
    pub active_services: u32,
    /// Tasks RUNNING.
    pub running_tasks: u32,
    /// Tasks PENDING.
    pub pending_tasks: u32,
    /// Container instances (EC2 only).
    pub container_instances: u32,
    /// `containerInsights` and other settings.
    pub settings: Vec<(String, String)>,
    /// Capacity providers.
    pub capacity_providers: Vec<String>,
    /// Where ECS Exec sessions are logged, when the cluster overrides it: the CloudWatch log group.
    pub exec_log_group: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// A task definition's family and revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Revision {
    /// The family.
    pub family: String,
    /// The revision; 0 when the ARN had none.
    pub number: u32,
}

impl Revision {
    /// From `arn:…:task-definition/family:7` or `family:7`.
    #[must_use]
    pub fn of(arn: &str) -> Self {
        let name = crate::domain::scope::Arn::last(arn);
        let (family, number) = name.rsplit_once(':').unwrap_or((name, ""));
        Self { family: family.to_owned(), number: number.parse().unwrap_or(0) }
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.family, self.number)
    }
}

/// One item of a capacity-provider strategy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CapacityShare {
    /// `FARGATE`, `FARGATE_SPOT`, or a provider of the account.
    pub provider: String,
    /// Relative weight.
    pub weight: u32,
    /// Tasks that go here first.
    pub base: u32,
}

/// Where a service's tasks are registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadBalancer {
    /// The target group's ARN, for application and network load balancers.
    pub target_group_arn: Option<String>,
    /// The container that receives traffic.
    pub container: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

/// The circuit breaker's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CircuitBreaker {
    /// Whether it watches deployments.
    pub enable: bool,
    /// Whether it rolls back.
    pub rollback: bool,
    /// Its own threshold: `COUNT`, `BOUNDED_PERCENT` or `UNBOUNDED_PERCENT` with a number; else ECS's default rule.
    pub threshold: Option<(String, u32)>,
}

/// How a rollout proceeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeploymentConfiguration {
    /// `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`; `None` when ECS does not say.
    pub strategy: Option<String>,
    /// `minimumHealthyPercent`; ECS rounds the task count up.
    pub minimum_healthy_percent: Option<u32>,
    /// `maximumPercent`; ECS rounds the task count down.
    pub maximum_percent: Option<u32>,
    /// The circuit breaker.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Names of the alarms that watch deployments.
    pub alarms: Vec<String>,
}

/// One of a service's `deployments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// `ecs-svc/…`; tasks carry it in `startedBy`.
    pub id: String,
    /// `PRIMARY`, `ACTIVE`, `INACTIVE`.
    pub status: String,
    /// What it runs.
    pub revision: Revision,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks pending.
    pub pending: u32,
    /// Tasks running.
    pub running: u32,
    /// Consecutive failures; ECS resets it when a task gets healthy.
    pub failed_tasks: u32,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`; absent for other controllers.
    pub rollout_state: Option<String>,
    /// ECS's sentence about it.
    pub rollout_reason: Option<String>,
    /// Begun.
    pub created_at: Option<Wall>,
    /// Last change.
    pub updated_at: Option<Wall>,
}

/// One line of a service's event list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceEvent {
    /// ECS's id.
    pub id: String,
    /// When.
    pub at: Wall,
    /// ECS's sentence.
    pub message: String,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Identity.
    pub id: ServiceId,
    /// ARN.
    pub arn: String,
    /// `ACTIVE`, `DRAINING`, `INACTIVE`.
    pub status: String,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// Tasks pending.
    pub pending: u32,
    /// `FARGATE`, `EC2`, `EXTERNAL`; absent with a capacity-provider strategy.
    pub launch_type: Option<String>,
    /// Capacity-provider strategy.
    pub capacity: Vec<CapacityShare>,
    /// Fargate platform version.
    pub platform_version: Option<String>,
    /// The task definition's ARN.
    pub task_definition_arn: String,
    /// Its family and revision.
    pub revision: Revision,
    /// `ECS`, `CODE_DEPLOY`, `EXTERNAL`.
    pub controller: Option<String>,
    /// How it deploys.
    pub deployment_configuration: DeploymentConfiguration,
    /// Newest first, as ECS gives them.
    pub deployments: Vec<Deployment>,
    /// Newest first, at most 100.
    pub events: Vec<ServiceEvent>,
    /// Target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// Subnets of the current network configuration.
    pub subnets: Vec<String>,
    /// Security groups of the current network configuration.
    pub security_groups: Vec<String>,
    /// Whether tasks get a public IP.
    pub public_ip: Option<bool>,
    /// Seconds during which failing health checks of a new task are ignored.
    pub health_check_grace_s: Option<u32>,
    /// Whether ECS Exec is enabled for tasks started from now on.
    pub exec_enabled: bool,
    /// `REPLICA`, `DAEMON`.
    pub scheduling: Option<String>,
    /// ARN of the service deployment under way, if any.
    pub current_service_deployment: Option<String>,
    /// ARNs of the service revisions that run now.
    pub current_service_revisions: Vec<String>,
    /// Created.
    pub created_at: Option<Wall>,
    /// By which principal.
    pub created_by: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

impl Service {
    /// The deployment that ECS works towards.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|d| d.status == "PRIMARY")
    }

    /// When the current deployment began.
    #[must_use]
    pub fn deployed_at(&self) -> Option<Wall> {
        self.primary().and_then(|d| d.created_at)
    }
}

/// A service deployment from the 90-day history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceDeployment {
    /// ARN.
    pub arn: String,
    /// `PENDING`, `IN_PROGRESS`, `SUCCESSFUL`, `STOPPED`, `ROLLBACK_SUCCESSFUL`, …
    pub status: String,
    /// ECS's sentence.
    pub status_reason: Option<String>,
    /// Created.
    pub created_at: Option<Wall>,
    /// Started.
    pub started_at: Option<Wall>,
    /// Finished.
    pub finished_at: Option<Wall>,
    /// The service revision it deploys.
    pub target_revision_arn: Option<String>,
    /// The revisions it replaces.
    pub source_revision_arns: Vec<String>,
    /// `SCALE_UP`, `BAKE_TIME`, … for staged strategies.
    pub lifecycle_stage: Option<String>,
    /// Of blue/green, linear and canary: the share of production traffic that is wanted for the new revision, in
    /// percent.
    pub traffic_percent: Option<u8>,
    /// The deployment alarms that were seen in ALARM.
    pub triggered_alarms: Vec<String>,
    /// Circuit breaker: status, failures so far, threshold.
    pub breaker: Option<BreakerState>,
    /// Why it was rolled back.
    pub rollback_reason: Option<String>,
    /// The pause hook at which it waits to be continued.
    pub waiting_hook: Option<String>,
}

/// The stages of blue/green, linear and canary deployments in their order. A stage that shifts traffic in steps is
/// entered once for each step.
pub const LIFECYCLE_STAGES: [&str; 11] = [
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
];

/// The circuit breaker's count during a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BreakerState {
    /// `DISABLED`, `MONITORING`, `TRIGGERED`, `MONITORING_COMPLETE`.
    pub status: String,
    /// Failures counted.
    pub failures: u32,
    /// Failures that trip it.
    pub threshold: u32,
}

/// What a deployment deployed, immutable, digests included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceRevision {
    /// ARN.
    pub arn: String,
    /// Task definition.
    pub revision: Revision,
    /// The images per container.
    pub images: Vec<RevisionImage>,
    /// Created.
    pub created_at: Option<Wall>,
}

/// The image of one container of a service revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevisionImage {
    /// Container name.
    pub container: String,
    /// Image as the task definition names it.
    pub image: String,
    /// The digest that its tag meant at deployment.
    pub digest: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_from_its_arn() {
        let revision =
            Revision::of("arn:aws:ecs:eu-west-2:123456789012:task-definition/cma-api-production:41");
        assert_eq!(revision, Revision { family: "cma-api-production".into(), number: 41 });
        assert_eq!(Revision::of("family").number, 0);
    }
}
