//! Secrets: where a rotation stands, who reads a secret, and which tasks still hold its old value.
//!
//! Must not need a value: names, ARNs, stages and dates are all that it looks at.

mod consumer;
mod tree;

use std::time::Duration;

use serde::Serialize;

use super::Finding;
use crate::domain::secret::Secret;
use crate::domain::task::Task;
use crate::stdx::clock::Wall;

pub use consumer::{Consumer, How, ValueFrom, consumers, parameter_consumers};
pub use tree::{TreeRow, tree};

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
    let _ = (secret, now);
    Rotation::NotConfigured
}

/// Since when `AWSCURRENT` means what it means, as far as AWS says: the last change, or the last rotation while a
/// new one is under way (which changes the secret before it moves `AWSCURRENT`).
#[must_use]
pub fn current_since(secret: &Secret) -> Option<Wall> {
    secret.last_changed
}

/// Whether a task that started then holds the value from before a change: a task reads secrets when it starts.
#[must_use]
pub fn holds_old_value(started_at: Option<Wall>, changed_at: Option<Wall>) -> bool {
    matches!((started_at, changed_at), (Some(started), Some(changed)) if started < changed)
}

/// The running tasks of a secret's consumers that hold its old value. Readers by name are not counted: when they
/// read it is not known.
#[must_use]
pub fn tasks_with_old_value<'t>(
    secret: &Secret,
    consumers: &[Consumer],
    tasks: impl IntoIterator<Item = &'t Task>,
) -> Vec<&'t Task> {
    let _ = (secret, consumers, tasks);
    Vec::new()
}

/// What is wrong with a secret, the worst first; `tasks` are the running tasks of its consumers, where known.
#[must_use]
pub fn secret_findings<'t>(
    secret: &Secret,
    consumers: &[Consumer],
    tasks: impl IntoIterator<Item = &'t Task>,
    now: Wall,
) -> Vec<Finding> {
    let _ = (secret, consumers, tasks, now);
    Vec::new()
}
