//! The systems that the simulator plays, as data: one TOML file per stack, read into plain types.
//!
//! A stack describes what exists at the start (clusters, services, task definitions, their past) and what
//! happens afterwards. Must not hold behaviour of AWS: how a rollout proceeds is the world's business.
//! New tables may be added beside these.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

mod alarm;
mod check;
mod check_data;
pub mod data;
mod fleet;
pub mod history;
pub mod profile;
pub mod secret;
pub mod task_definition;

pub use alarm::{Alarm, AlarmMetric};
pub use data::{Cache, Database, DatabaseCluster};
pub use history::{Deployment, Incident, IncidentKind, Outcome, Scaling, StoppedTask, When};
pub use profile::{Load, LoadShape, LogFormat, LogProfile};
pub use secret::{Parameter, ParameterKind, Secret};
pub use task_definition::{Container, Past, Revision, TaskDefinition};

/// The one account that all stacks live in.
pub const ACCOUNT: &str = "123456789012";

/// Names of the stacks that come with the program, in the order in which they are shown.
const BUILTIN: [(&str, &str); 5] = [
    ("gov", include_str!("stacks/gov.toml")),
    ("codeguardians", include_str!("stacks/codeguardians.toml")),
    ("cma", include_str!("stacks/cma.toml")),
    ("saas", include_str!("stacks/saas.toml")),
    ("migrate", include_str!("stacks/migrate.toml")),
];

/// Why a stack file was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}: {problem}")]
pub struct StackError {
    /// The file's name, as given to `Stack::parse`.
    pub file: String,
    /// Line and column for a file that is not of the schema, a path such as `services.api.cluster` otherwise.
    pub place: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A span of time, written as `90s`, `15m`, `1h30m` or `6d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = crate::stdx::span::BadSpan;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        crate::stdx::span::parse(&text).map(Self)
    }
}

/// One system in one region.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Short name, as typed after `demo`.
    pub name: String,
    /// What the system is called by its owners.
    pub title: String,
    /// AWS region.
    pub region: String,
    /// What the system's deployment document leaves open, and what was chosen here.
    #[serde(default)]
    pub interpretations: Vec<String>,
    /// Tags on everything in the stack.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Where the tasks run.
    pub network: Network,
    /// Secrets in Secrets Manager, by name; values do not exist here.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Parameters in the SSM Parameter Store; values do not exist here.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Log groups.
    #[serde(default)]
    pub log_groups: Vec<LogGroup>,
    /// ECS clusters.
    pub clusters: Vec<Cluster>,
    /// Task definition families.
    #[serde(default)]
    pub task_definitions: Vec<TaskDefinition>,
    /// ECS services.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Alarms, beside those that autoscaling makes.
    #[serde(default)]
    pub alarms: Vec<Alarm>,
    /// RDS DB instances.
    #[serde(default)]
    pub databases: Vec<Database>,
    /// Aurora clusters.
    #[serde(default)]
    pub database_clusters: Vec<DatabaseCluster>,
    /// ElastiCache clusters.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// What happens after the start.
    #[serde(default)]
    pub timeline: Vec<Incident>,
}

/// Subnets and security groups.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// VPC id.
    pub vpc: String,
    /// Its address range.
    pub cidr: String,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroup>,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// The name that services refer to.
    pub name: String,
    /// Subnet id.
    pub id: String,
    /// Availability zone.
    pub zone: String,
    /// Address range.
    pub cidr: String,
}

/// A security group; its rules come with the pane that shows them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// The name that services refer to.
    pub name: String,
    /// Group id.
    pub id: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// A CloudWatch Logs group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogGroup {
    /// Name.
    pub name: String,
    /// Days that events are kept; for ever when left out.
    #[serde(default)]
    pub retention_days: Option<u32>,
    /// How long it has existed.
    #[serde(default = "a_year")]
    pub age: Span,
}

fn a_year() -> Span {
    Span(Duration::from_secs(365 * 86_400))
}

/// Container Insights, as a cluster's setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerInsights {
    /// Off.
    #[default]
    Disabled,
    /// On.
    Enabled,
    /// On, with metrics per task and container.
    Enhanced,
}

impl ContainerInsights {
    /// The setting's value on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Enhanced => "enhanced",
        }
    }
}

/// An ECS cluster.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Name.
    pub name: String,
    /// The `containerInsights` setting.
    #[serde(default)]
    pub container_insights: ContainerInsights,
    /// Log group of exec sessions; set means `logging = OVERRIDE`.
    #[serde(default)]
    pub exec_log_group: Option<String>,
    /// Capacity providers associated with it.
    #[serde(default)]
    pub capacity_providers: Vec<String>,
    /// Tags beside the stack's.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// How a new image reaches a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeployHabit {
    /// `:latest` is pushed again, then a deployment is forced: the task definition stays.
    LatestByForce,
    /// A new tag, a new revision.
    NewTag,
    /// `:latest` and the commit's sha are pushed together, then a deployment is forced.
    LatestAndSha,
}

/// An ECS service.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Name.
    pub name: String,
    /// Cluster's name.
    pub cluster: String,
    /// Family of its task definition.
    pub task_definition: String,
    /// Desired count at the start.
    pub desired: u32,
    /// `FARGATE`, unless capacity providers are given.
    #[serde(default)]
    pub launch_type: Option<String>,
    /// Capacity provider strategy; excludes `launch_type`.
    #[serde(default)]
    pub capacity: Vec<CapacityShare>,
    /// Minimum, maximum percent and the circuit breaker.
    #[serde(default)]
    pub rollout: Rollout,
    /// Load balancers.
    #[serde(default)]
    pub load_balancers: Vec<LoadBalancer>,
    /// Grace period for load balancer health checks.
    #[serde(default)]
    pub health_check_grace: Option<Span>,
    /// Whether ECS Exec is enabled.
    #[serde(default)]
    pub exec_enabled: bool,
    /// What rolls it out; the simulator rolls out with ECS alone.
    #[serde(default)]
    pub controller: Controller,
    /// How new images arrive.
    pub habit: DeployHabit,
    /// Autoscaling bounds.
    #[serde(default)]
    pub autoscaling: Option<Autoscaling>,
    /// Names of subnets.
    pub subnets: Vec<String>,
    /// Names of security groups.
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address.
    #[serde(default)]
    pub public_ip: bool,
    /// Tags beside the stack's.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// How its load follows the clock.
    #[serde(default)]
    pub load: Load,
    /// What is wrong with it at the start, if anything.
    #[serde(default)]
    pub condition: Option<Condition>,
    /// Deployments of the last 90 days, newest first. The newest successful one is what runs.
    pub deployments: Vec<Deployment>,
    /// Tasks that stopped within the last hours, newest first.
    #[serde(default)]
    pub stopped: Vec<StoppedTask>,
    /// Changes of the desired count, newest first.
    #[serde(default)]
    pub scalings: Vec<Scaling>,
}

/// `deploymentController`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Controller {
    /// The service scheduler.
    #[default]
    Ecs,
    /// AWS CodeDeploy: UpdateService may not deploy.
    CodeDeploy,
    /// A third party: UpdateService may not deploy.
    External,
}

impl Controller {
    /// As AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ecs => "ECS",
            Self::CodeDeploy => "CODE_DEPLOY",
            Self::External => "EXTERNAL",
        }
    }
}

/// One share of a capacity provider strategy.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacityShare {
    /// `FARGATE` or `FARGATE_SPOT`.
    pub provider: String,
    /// Its weight.
    #[serde(default = "one")]
    pub weight: u32,
    /// Tasks that always run on it.
    #[serde(default)]
    pub base: u32,
}

fn one() -> u32 {
    1
}

/// Deployment configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rollout {
    /// `minimumHealthyPercent`.
    pub min_percent: u32,
    /// `maximumPercent`.
    pub max_percent: u32,
    /// Whether the circuit breaker watches.
    pub circuit_breaker: bool,
    /// Whether it rolls back.
    pub rollback: bool,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { min_percent: 100, max_percent: 200, circuit_breaker: false, rollback: false }
    }
}

/// A target group in front of a container.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// Name of the load balancer.
    pub name: String,
    /// Name of the target group.
    pub target_group: String,
    /// Container's name.
    pub container: String,
    /// Container's port.
    pub port: u16,
    /// Path of the health check.
    pub health_path: String,
}

/// Bounds of Application Auto Scaling.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Autoscaling {
    /// Minimum.
    pub min: u32,
    /// Maximum.
    pub max: u32,
    /// What it follows, such as `ECSServiceAverageCPUUtilization`.
    pub metric: String,
    /// Target value.
    #[serde(default)]
    pub target: Option<f64>,
}

/// A sickness that a service starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// One task after another exits with an error soon after its start.
    CrashLoop,
    /// The image cannot be pulled, so nothing new starts.
    CannotPull,
    /// Tasks run, but the load balancer or the container's health check fails them.
    Unhealthy,
    /// Tasks are killed for memory now and then.
    OutOfMemory,
    /// No capacity: fewer tasks than desired.
    NoCapacity,
    /// A rollout that cannot move because of its own min and max percent.
    StuckRollout,
}

impl Stack {
    /// Reads a stack file; `file` is how errors call it.
    ///
    /// # Errors
    /// When the text is not of the schema, or names something that does not exist in it.
    pub fn parse(file: &str, text: &str) -> Result<Self, StackError> {
        let stack: Self = toml::from_str(text).map_err(|error| StackError {
            file: file.to_owned(),
            place: error.span().map_or_else(|| "whole file".to_owned(), |span| position(text, span.start)),
            problem: error.message().trim().replace('\n', "; "),
        })?;
        check::check(&stack)
            .and_then(|()| check_data::check(&stack))
            .map_err(|(place, problem)| StackError { file: file.to_owned(), place, problem })?;
        Ok(stack)
    }

    /// A stack that comes with the program; `None` for an unknown name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Result<Self, StackError>> {
        let (name, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(&format!("{name}.toml"), text))
    }

    /// Names of the stacks that come with the program.
    pub fn builtins() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// A made-up fleet: one cluster, `services` services, a few percent of them sick.
    ///
    /// # Errors
    /// When the archetypes that come with the program do not parse.
    pub fn fleet(services: usize, seed: u64) -> Result<Self, StackError> {
        fleet::fleet(services, seed)
    }

    /// Whether an incident can happen in this stack.
    ///
    /// # Errors
    /// Place and problem, when it names something that does not exist here or lacks what its kind needs.
    pub fn check_incident(&self, place: &str, incident: &Incident) -> Result<(), (String, String)> {
        check::incident(self, place, incident)
    }

    /// The service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The task definition family of this name.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&TaskDefinition> {
        self.task_definitions.iter().find(|definition| definition.family == name)
    }

    /// The full `valueFrom` of a container's secret: `NAME`, `NAME:json-key` or `ssm:/PARAMETER`.
    #[must_use]
    pub fn value_from(&self, reference: &str) -> String {
        let region = &self.region;
        if let Some(parameter) = reference.strip_prefix("ssm:") {
            let slash = if parameter.starts_with('/') { "" } else { "/" };
            return format!("arn:aws:ssm:{region}:{ACCOUNT}:parameter{slash}{parameter}");
        }
        let (name, key) = reference.split_once(':').map_or((reference, None), |(n, k)| (n, Some(k)));
        let suffix = self
            .secrets
            .iter()
            .find(|secret| secret.name == name)
            .and_then(|secret| secret.suffix.as_ref())
            .map(|suffix| format!("-{suffix}"))
            .unwrap_or_default();
        let key = key.map(|key| format!(":{key}::")).unwrap_or_default();
        format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}{suffix}{key}")
    }

    /// Where an image lives: in the account's own registry unless the container says otherwise.
    #[must_use]
    pub fn image(&self, container: &Container) -> String {
        let registry = container
            .registry
            .clone()
            .unwrap_or_else(|| format!("{ACCOUNT}.dkr.ecr.{}.amazonaws.com", self.region));
        format!("{registry}/{}:{}", container.repository, container.tag)
    }
}

impl Service {
    /// The deployment that runs at the start: the newest successful one.
    #[must_use]
    pub fn running(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.outcome == Outcome::Successful)
    }
}

/// `line 3, column 7` of a byte offset.
pub(crate) fn position(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests;
