//! Task definitions: what a task is made of.
//!
//! Values of `environment` often hold secrets: whoever shows them masks them unless asked.

use serde::Serialize;

use crate::domain::ecs::Revision;
use crate::stdx::clock::Wall;

/// A port of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortMapping {
    /// Container port; absent when a range is given.
    pub container_port: Option<u16>,
    /// A range such as `8000-8010`.
    pub range: Option<String>,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Its name for Service Connect.
    pub name: Option<String>,
}

/// A secret by reference: never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretRef {
    /// The environment variable.
    pub name: String,
    /// ARN of a secret (with json key, stage, version) or name of a parameter.
    pub value_from: String,
}

/// A container's health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// `CMD-SHELL …`.
    pub command: Vec<String>,
    /// Seconds between checks.
    pub interval_s: Option<u32>,
    /// Seconds until a check counts as failed.
    pub timeout_s: Option<u32>,
    /// Failures until UNHEALTHY.
    pub retries: Option<u32>,
    /// Grace seconds after start.
    pub start_period_s: Option<u32>,
}

/// Where a container's output goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogConfiguration {
    /// `awslogs`, `awsfirelens`, …
    pub driver: String,
    /// Driver options, sorted by name.
    pub options: Vec<(String, String)>,
    /// Driver options by reference (`secretOptions`).
    pub secrets: Vec<SecretRef>,
}

impl LogConfiguration {
    /// An option's value.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A container definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerDefinition {
    /// Name.
    pub name: String,
    /// Image.
    pub image: String,
    /// CPU units; 0 when unset.
    pub cpu: u32,
    /// Hard limit in MiB.
    pub memory: Option<u32>,
    /// Soft limit in MiB.
    pub memory_reservation: Option<u32>,
    /// Whether the task stops with it.
    pub essential: bool,
    /// Ports.
    pub ports: Vec<PortMapping>,
    /// Entry point.
    pub entry_point: Vec<String>,
    /// Command.
    pub command: Vec<String>,
    /// Environment, values included: mask before showing.
    pub environment: Vec<(String, String)>,
    /// Secrets by reference.
    pub secrets: Vec<SecretRef>,
    /// The user it runs as.
    pub user: Option<String>,
    /// Whether the root file system is read-only.
    pub read_only_root: bool,
    /// Whether it runs privileged.
    pub privileged: bool,
    /// Health check.
    pub health_check: Option<HealthCheck>,
    /// Log configuration.
    pub log: Option<LogConfiguration>,
    /// Whether each task resolves the image's tag anew (`versionConsistency` is disabled), and not each deployment.
    pub resolves_anew: bool,
    /// The secret with the credentials of a registry that is not ECR.
    pub registry_credentials: Option<String>,
    /// Containers it waits for, with the condition.
    pub depends_on: Vec<(String, String)>,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout_s: Option<u32>,
    /// ulimits: name, soft, hard.
    pub ulimits: Vec<(String, i64, i64)>,
    /// `dockerLabels`, sorted by name.
    pub labels: Vec<(String, String)>,
}

impl ContainerDefinition {
    /// All secrets and parameters that ECS reads to start it: those of its environment, of its log driver, and the
    /// credentials of its image's registry.
    pub fn references(&self) -> impl Iterator<Item = Reference<'_>> {
        fn of(secret: &SecretRef) -> Reference<'_> {
            Reference { name: &secret.name, value_from: &secret.value_from }
        }
        let driver = self.log.iter().flat_map(|log| &log.secrets);
        let registry = self.registry_credentials.as_deref();
        let registry = registry.map(|value_from| Reference { name: "repositoryCredentials", value_from });
        self.secrets.iter().map(of).chain(driver.map(of)).chain(registry)
    }
}

/// What a container reads from Secrets Manager or Parameter Store when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'d> {
    /// The variable's or the option's name.
    pub name: &'d str,
    /// ARN or name, as the definition has it.
    pub value_from: &'d str,
}

/// A task definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskDefinition {
    /// ARN.
    pub arn: String,
    /// Family and revision.
    pub revision: Revision,
    /// `ACTIVE`, `INACTIVE`, `DELETE_IN_PROGRESS`.
    pub status: String,
    /// CPU units of the task.
    pub cpu: Option<String>,
    /// Memory of the task in MiB.
    pub memory: Option<String>,
    /// `awsvpc`, `bridge`, …
    pub network_mode: Option<String>,
    /// Task role: what the application may do.
    pub task_role_arn: Option<String>,
    /// Execution role: what ECS may do to start it.
    pub execution_role_arn: Option<String>,
    /// Containers.
    pub containers: Vec<ContainerDefinition>,
    /// Volume names.
    pub volumes: Vec<String>,
    /// `X86_64`, `ARM64`.
    pub cpu_architecture: Option<String>,
    /// `LINUX`, …
    pub operating_system: Option<String>,
    /// `FARGATE`, `EC2`.
    pub requires: Vec<String>,
    /// Registered.
    pub registered_at: Option<Wall>,
    /// By which principal.
    pub registered_by: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// The label that a pinned revision's containers carry: the digest that the image is pinned to.
pub const PINNED_DIGEST: &str = "opsdeck.pinned-digest";
/// The label that names the revision which a pinned one stands for.
pub const PINNED_FROM: &str = "opsdeck.pinned-from";

impl TaskDefinition {
    /// The revision that this one stands for, pinned to digests by a rollback. A label that a pipeline copied along
    /// with another image does not count.
    #[must_use]
    pub fn pinned_from(&self) -> Option<&str> {
        self.containers.iter().find_map(|container| {
            let label =
                |name: &str| container.labels.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
            let digest = label(PINNED_DIGEST)?;
            if container.image.ends_with(&format!("@{digest}")) { label(PINNED_FROM) } else { None }
        })
    }
}
