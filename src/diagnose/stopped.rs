//! Stopped tasks of a service as groups with one cause each, and a service's sickness with number and cause.
//!
//! Must not blame tasks that were stopped on purpose: a rollout or scaling in stops tasks all day.

use serde::Serialize;

use super::Finding;
use crate::domain::ecs::{Revision, Service};
use crate::domain::task::{Task, TaskId};
use crate::stdx::clock::Wall;

/// Tasks that stopped for the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoppedGroup {
    /// What they ran.
    pub revision: Revision,
    /// ECS's stop code.
    pub stop_code: Option<String>,
    /// ECS's reason, what differs between tasks of one cause left out.
    pub reason: String,
    /// The exit code that tells most.
    pub exit_code: Option<i32>,
    /// Their cause in few words, such as `exit 137, out of memory`.
    pub cause: String,
    /// Whether somebody or something wanted it so.
    pub wanted: bool,
    /// When the first of them stopped.
    pub first: Option<Wall>,
    /// When the last of them stopped.
    pub last: Option<Wall>,
    /// The tasks, the newest first.
    pub tasks: Vec<TaskId>,
}

/// The stopped ones of these tasks by cause (facts: definition, stop code, normalised reason, exit code), the
/// largest unwanted group first.
#[must_use]
pub fn stopped_groups<'t>(tasks: impl IntoIterator<Item = &'t Task>) -> Vec<StoppedGroup> {
    let _ = tasks;
    Vec::new()
}

/// What is wrong with a service, with number and cause: `1 of 2 tasks running, 3 tasks stopped in 10 min:
/// exit 137, out of memory`. `tasks` are its tasks, running and stopped, as far as they were read. `None` when it
/// is as it should be; `Progress` while a rollout is under way.
#[must_use]
pub fn service_finding<'t>(
    service: &Service,
    tasks: impl IntoIterator<Item = &'t Task>,
    now: Wall,
) -> Option<Finding> {
    let _ = (service, tasks, now);
    None
}
