//! Task definition families: the current revision in full, earlier ones by what differed.
//!
//! Must not know services; `Stack` ties the two together.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{LogProfile, Span};

/// A family, with its newest revision in full.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// Family.
    pub family: String,
    /// Number of the newest revision.
    pub revision: u32,
    /// How long ago the newest revision was registered.
    pub age: Span,
    /// CPU units of the task.
    pub cpu: u32,
    /// Memory of the task in MiB.
    pub memory: u32,
    /// Name of the task role.
    #[serde(default)]
    pub task_role: Option<String>,
    /// Name of the execution role.
    pub execution_role: String,
    /// Its containers; the first one is the main one.
    pub containers: Vec<Container>,
    /// Earlier revisions, newest first, each as the difference from the one after it.
    #[serde(default)]
    pub past: Vec<Past>,
}

/// A container definition.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Name.
    pub name: String,
    /// Repository of its image.
    pub repository: String,
    /// Tag of its image.
    pub tag: String,
    /// Registry, when it is not the account's own.
    #[serde(default)]
    pub registry: Option<String>,
    /// Whether the task ends with it.
    #[serde(default = "yes")]
    pub essential: bool,
    /// Ports it listens on.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Plain environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Environment from secrets: variable to `SECRET`, `SECRET:json-key` or `ssm:/PARAMETER`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Container health check.
    #[serde(default)]
    pub health_check: Option<HealthCheck>,
    /// User it runs as.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether its root file system is read-only.
    #[serde(default)]
    pub readonly_root: bool,
    /// Overrides the image's entry point.
    #[serde(default)]
    pub entry_point: Vec<String>,
    /// Overrides the image's command.
    #[serde(default)]
    pub command: Vec<String>,
    /// Containers it waits for.
    #[serde(default)]
    pub depends_on: Vec<DependsOn>,
    /// CPU units of its own.
    #[serde(default)]
    pub cpu: Option<u32>,
    /// Hard limit of memory in MiB.
    #[serde(default)]
    pub memory: Option<u32>,
    /// Soft limit of memory in MiB.
    #[serde(default)]
    pub memory_reservation: Option<u32>,
    /// Limit of open files.
    #[serde(default)]
    pub open_files: Option<u32>,
    /// Seconds between SIGTERM and SIGKILL.
    #[serde(default)]
    pub stop_timeout: Option<u32>,
    /// What it writes, and where to.
    pub log: Arc<LogProfile>,
}

fn yes() -> bool {
    true
}

/// A container health check; numbers are seconds and counts as AWS has them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// `CMD` or `CMD-SHELL` and its words.
    pub command: Vec<String>,
    /// Seconds between two checks.
    #[serde(default = "thirty")]
    pub interval: u32,
    /// Seconds that one may take.
    #[serde(default = "five")]
    pub timeout: u32,
    /// Failures in a row that make it unhealthy.
    #[serde(default = "three")]
    pub retries: u32,
    /// Seconds after the start in which failures do not count.
    #[serde(default)]
    pub start_period: Option<u32>,
}

fn thirty() -> u32 {
    30
}

fn five() -> u32 {
    5
}

fn three() -> u32 {
    3
}

/// A dependency between containers of a task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependsOn {
    /// The other container.
    pub container: String,
    /// `START`, `HEALTHY`, `COMPLETE` or `SUCCESS`.
    pub condition: String,
}

/// An earlier revision: what was different from the next newer one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// Its number.
    pub revision: u32,
    /// How long ago it was registered.
    pub age: Span,
    /// Whether it has been deregistered.
    #[serde(default)]
    pub inactive: bool,
    /// CPU units then.
    #[serde(default)]
    pub cpu: Option<u32>,
    /// Memory then.
    #[serde(default)]
    pub memory: Option<u32>,
    /// Task role then.
    #[serde(default)]
    pub task_role: Option<String>,
    /// Containers that were different.
    #[serde(default)]
    pub containers: Vec<PastContainer>,
}

/// What was different about a container.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastContainer {
    /// Which.
    pub name: String,
    /// Its tag then.
    #[serde(default)]
    pub tag: Option<String>,
    /// Variables with another value then, or gone since.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Secrets with another reference then, or gone since.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Variables and secrets that did not exist yet.
    #[serde(default)]
    pub without: Vec<String>,
    /// Its memory limit then.
    #[serde(default)]
    pub memory: Option<u32>,
    /// Its root file system then.
    #[serde(default)]
    pub readonly_root: Option<bool>,
    /// Its health check then.
    #[serde(default)]
    pub health_check: Option<HealthCheck>,
    /// Its user then.
    #[serde(default)]
    pub user: Option<String>,
    /// Its command then.
    #[serde(default)]
    pub command: Option<Vec<String>>,
}

/// One revision in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number.
    pub number: u32,
    /// How long ago it was registered.
    pub age: Span,
    /// Whether it can still be deployed.
    pub active: bool,
    /// CPU units.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// Name of the task role.
    pub task_role: Option<String>,
    /// Name of the execution role.
    pub execution_role: String,
    /// Containers.
    pub containers: Vec<Container>,
}

impl TaskDefinition {
    /// All revisions in full, newest first.
    #[must_use]
    pub fn revisions(&self) -> Vec<Revision> {
        let mut all = vec![Revision {
            number: self.revision,
            age: self.age,
            active: true,
            cpu: self.cpu,
            memory: self.memory,
            task_role: self.task_role.clone(),
            execution_role: self.execution_role.clone(),
            containers: self.containers.clone(),
        }];
        for past in &self.past {
            if let Some(newer) = all.last() {
                all.push(newer.before(past));
            }
        }
        all
    }
}

impl Revision {
    /// The revision that `past` describes, which stood before this one.
    fn before(&self, past: &Past) -> Self {
        let mut older = self.clone();
        older.number = past.revision;
        older.age = past.age;
        older.active = !past.inactive;
        older.cpu = past.cpu.unwrap_or(self.cpu);
        older.memory = past.memory.unwrap_or(self.memory);
        if past.task_role.is_some() {
            older.task_role.clone_from(&past.task_role);
        }
        for change in &past.containers {
            if let Some(container) = older.containers.iter_mut().find(|c| c.name == change.name) {
                container.undo(change);
            }
        }
        older
    }
}

impl Container {
    fn undo(&mut self, change: &PastContainer) {
        if let Some(tag) = &change.tag {
            self.tag.clone_from(tag);
        }
        for name in &change.without {
            self.environment.remove(name);
            self.secrets.remove(name);
        }
        self.environment.extend(change.environment.clone());
        self.secrets.extend(change.secrets.clone());
        self.memory = change.memory.or(self.memory);
        self.readonly_root = change.readonly_root.unwrap_or(self.readonly_root);
        if change.health_check.is_some() {
            self.health_check.clone_from(&change.health_check);
        }
        if change.user.is_some() {
            self.user.clone_from(&change.user);
        }
        if let Some(command) = &change.command {
            self.command.clone_from(command);
        }
    }
}
