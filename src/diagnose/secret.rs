//! Secrets: where a rotation stands, who reads a secret, and which tasks still hold its old value.
//!
//! Must not need a value: names, ARNs, stages and dates are all that it looks at.

mod consumer;
mod tree;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::{Finding, Severity, Subject, rank};
use crate::domain::ecs::ServiceId;
use crate::domain::secret::Secret;
use crate::domain::task::Task;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::count;

pub use consumer::{Consumer, How, consumers, parameter_consumers};
pub use tree::{TreeRow, tree};

/// A rotation is four calls of a Lambda function, a minute or so together; one call ends after 15 min at the latest,
/// and a failed step is tried again. What waits for twice the longest call does not end by itself.
const STUCK: Duration = Duration::from_secs(30 * 60);

/// A rotation that goes well takes a minute or two.
const SLOW: Duration = Duration::from_secs(10 * 60);

/// Secrets Manager's lists lag five minutes and a rotation takes a few: before this, late is not overdue.
const LATE: Duration = Duration::from_secs(15 * 60);

/// Where a secret's rotation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "rotation", rename_all = "snake_case")]
pub enum Rotation {
    /// It does not rotate.
    NotConfigured,
    /// The last rotation ended and the next is in time.
    Healthy,
    /// `AWSPENDING` is on another version than `AWSCURRENT`.
    InProgress {
        /// Since when, where it is known.
        since: Option<Wall>,
    },
    /// The same for longer than a rotation can take.
    Stuck {
        /// Since when.
        since: Wall,
    },
    /// The next rotation should have been.
    Overdue {
        /// By how much.
        by: Duration,
    },
    /// Its deletion was asked for; `at` is the instant that AWS gives with it.
    ScheduledForDeletion {
        /// When.
        at: Wall,
    },
    /// An AWS service rotates it, such as `rds`.
    ManagedBy {
        /// Which.
        service: String,
    },
    /// A replica: its primary rotates.
    Replica {
        /// The primary's region.
        primary: String,
    },
}

impl Rotation {
    /// In few words, for a column.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotConfigured => "not configured",
            Self::Healthy => "healthy",
            Self::InProgress { .. } => "in progress",
            Self::Stuck { .. } => "stuck",
            Self::Overdue { .. } => "overdue",
            Self::ScheduledForDeletion { .. } => "to be deleted",
            Self::ManagedBy { .. } => "managed",
            Self::Replica { .. } => "replica",
        }
    }
}

/// Where a secret's rotation stands.
#[must_use]
pub fn rotation(secret: &Secret, now: Wall) -> Rotation {
    if let Some(at) = secret.deleted_at {
        return Rotation::ScheduledForDeletion { at };
    }
    if let Some(primary) =
        secret.primary_region.as_ref().filter(|region| **region != secret.id.scope.region.as_str())
    {
        return Rotation::Replica { primary: primary.clone() };
    }
    if is_pending(secret) {
        // The rotation's first step changes the secret, so it is not older than the last change.
        return match secret.last_changed {
            Some(since) if since.age_at(now) > STUCK => Rotation::Stuck { since },
            since => Rotation::InProgress { since },
        };
    }
    let planned = secret.next_rotation.filter(|_| secret.rotation_enabled);
    if let Some(by) = planned.map(|at| at.age_at(now)).filter(|by| *by > LATE) {
        return Rotation::Overdue { by };
    }
    match &secret.owning_service {
        Some(service) => Rotation::ManagedBy { service: service.clone() },
        None if secret.rotation_enabled => Rotation::Healthy,
        None => Rotation::NotConfigured,
    }
}

/// Whether a new version waits for its rotation to end.
fn is_pending(secret: &Secret) -> bool {
    let pending = secret.version_at("AWSPENDING");
    pending.is_some() && pending != secret.version_at("AWSCURRENT")
}

/// Since when `AWSCURRENT` means what it means, as far as AWS says: the last change, or the last rotation while a
/// new one is under way (which changes the secret before it moves `AWSCURRENT`). A change of tags counts as one,
/// since AWS does not tell them apart.
#[must_use]
pub fn current_since(secret: &Secret) -> Option<Wall> {
    if is_pending(secret) { secret.last_rotated } else { secret.last_changed }
}

/// Whether a task that started then holds the value from before a change: a task reads secrets when it starts.
#[must_use]
pub fn holds_old_value(started_at: Option<Wall>, changed_at: Option<Wall>) -> bool {
    matches!((started_at, changed_at), (Some(started), Some(changed)) if started < changed)
}

/// The running tasks of a secret's consumers that hold its old value. Readers by name are not counted, since when
/// they read it is not known; those pinned to a version neither, since theirs does not change.
#[must_use]
pub fn tasks_with_old_value<'t>(
    secret: &Secret,
    consumers: &[Consumer],
    tasks: impl IntoIterator<Item = &'t Task>,
) -> Vec<&'t Task> {
    let changed = current_since(secret);
    let follows = |consumer: &&Consumer| matches!(&consumer.how, How::ValueFrom { version: None, .. });
    let readers: Vec<_> = consumers.iter().filter(follows).map(|consumer| &consumer.service).collect();
    if readers.is_empty() || changed.is_none() {
        return Vec::new();
    }
    tasks
        .into_iter()
        .filter(|task| {
            !task.is_stopped()
                && holds_old_value(task.started_at, changed)
                && readers.iter().any(|service| task.is_of(service))
        })
        .collect()
}

/// What is wrong with a secret, the worst first; `tasks` are the running tasks of its consumers, where known.
#[must_use]
pub fn secret_findings<'t>(
    secret: &Secret,
    consumers: &[Consumer],
    tasks: impl IntoIterator<Item = &'t Task>,
    now: Wall,
) -> Vec<Finding> {
    let say =
        |rule, severity, text: String| Finding::new(Subject::Secret(secret.id.clone()), rule, severity, text);
    let services: BTreeSet<&ServiceId> = consumers.iter().map(|consumer| &consumer.service).collect();
    let mut found = Vec::new();
    match rotation(secret, now) {
        Rotation::Stuck { since } => {
            let text = format!(
                "Rotation stuck for {}: AWSPENDING did not become AWSCURRENT",
                brief(since.age_at(now))
            );
            let mut finding = say("secret.stuck", Severity::Critical, text).since(Some(since));
            for version in &secret.versions {
                finding = finding.because(None, format!("{}: {}", version.id, version.stages.join(", ")));
            }
            if let Some(lambda) = &secret.rotation_lambda {
                let function = lambda.rsplit(':').next().unwrap_or(lambda);
                let region = &secret.id.scope.region;
                finding = finding
                    .next(format!("Read the logs of /aws/lambda/{function}"))
                    .command(format!("aws logs tail /aws/lambda/{function} --region {region} --since 1h"));
            }
            found.push(finding);
        }
        Rotation::InProgress { since: Some(since) } if since.age_at(now) > SLOW => {
            let text = format!(
                "Its rotation has not ended after {}: AWSPENDING waits beside AWSCURRENT",
                brief(since.age_at(now))
            );
            let mut finding = say("secret.slow", Severity::Warning, text).since(Some(since));
            if let Some(lambda) = &secret.rotation_lambda {
                let function = lambda.rsplit(':').next().unwrap_or(lambda);
                let region = &secret.id.scope.region;
                finding = finding
                    .next(format!("Read the logs of /aws/lambda/{function}"))
                    .command(format!("aws logs tail /aws/lambda/{function} --region {region} --since 1h"));
            }
            found.push(finding);
        }
        Rotation::InProgress { since } => {
            let age = since.map_or_else(String::new, |at| format!(" for {}", brief(at.age_at(now))));
            found.push(say("secret.rotating", Severity::Progress, format!("Rotates{age}")).since(since));
        }
        Rotation::Overdue { by } => {
            let text = format!("Rotation overdue by {}", brief(by));
            found.push(say("secret.overdue", Severity::Warning, text).since(secret.next_rotation));
        }
        Rotation::ScheduledForDeletion { at } => {
            let when = if at > now {
                format!("Will be deleted in {}", brief(now.age_at(at)))
            } else {
                format!("Deletion was asked for {} ago", brief(at.age_at(now)))
            };
            if !services.is_empty() {
                let text = format!("{when}, but {} it", readers(services.len(), "reads", "read"));
                let mut finding =
                    say("secret.deletion", Severity::Critical, text).since(Some(at).filter(|at| *at <= now));
                for consumer in consumers {
                    finding = finding.because(None, told(consumer));
                }
                found.push(finding.next("Restore it before the recovery window ends"));
            }
        }
        Rotation::NotConfigured
        | Rotation::Healthy
        | Rotation::ManagedBy { .. }
        | Rotation::Replica { .. } => {}
    }
    for (region, status, message) in &secret.replicas {
        if status == "Failed" {
            let text = format!(
                "Its replica in {region} failed: {}",
                message.as_deref().unwrap_or("no reason given")
            );
            found.push(say("secret.replica", Severity::Warning, text));
        }
    }
    let mut old = tasks_with_old_value(secret, consumers, tasks);
    // Only a rotation tells that the value changed; any other change may have been of a tag.
    let rotated = secret.last_rotated.filter(|at| Some(*at) <= current_since(secret));
    old.retain(|task| holds_old_value(task.started_at, rotated));
    let holders = old.len();
    if let Some(at) = rotated.filter(|_| holders > 0) {
        let names: BTreeSet<&str> = old.iter().copied().filter_map(Task::service).collect();
        let verb = if holders == 1 { "holds" } else { "hold" };
        let text = format!(
            "{} still {verb} the value from before the rotation {} ago: {}",
            count(holders, "task"),
            brief(at.age_at(now)),
            names.into_iter().collect::<Vec<_>>().join(", ")
        );
        let mut finding = say("secret.old-value", Severity::Warning, text).since(Some(at));
        for task in &old {
            let started = task.started_at.map_or_else(String::new, Wall::rfc3339);
            finding = finding.because(task.started_at, format!("task {} started {started}", task.id.short()));
        }
        let services: BTreeSet<String> = old
            .iter()
            .filter_map(|task| task.service_id())
            .map(|service| format!("{}/{}", service.cluster, service.name))
            .collect();
        let services = services.into_iter().collect::<Vec<_>>().join(" ");
        found.push(
            finding
                .next("Force a deployment of these services")
                .command(format!("opsdeck deploy {services} --wait")),
        );
    }
    rank(&mut found);
    found
}

fn readers(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number, "service"), if number == 1 { one } else { many })
}

fn told(consumer: &Consumer) -> String {
    let (service, container, variable) = (&consumer.service.name, &consumer.container, &consumer.variable);
    match consumer.how {
        How::ValueFrom { .. } => format!("{service}, container {container} reads it into {variable}"),
        How::ByName => format!("{service}, container {container} is given its name in {variable}"),
    }
}

#[cfg(test)]
pub(super) mod tests;
