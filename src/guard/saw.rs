//! What the operator saw of the target when deciding, and whether it is still so.
//!
//! Must not hold more than what a decision rests on: counts of running tasks change by themselves.

use crate::domain::ecs::{Revision, Service};
use crate::domain::task::Task;

/// The facts that a confirmation is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saw {
    /// Of a service.
    Service {
        /// The PRIMARY deployment's id.
        deployment: Option<String>,
        /// What it runs.
        revision: Revision,
        /// Tasks wanted.
        desired: u32,
    },
    /// Of a task.
    Task {
        /// Its status.
        last_status: String,
        /// What it runs.
        revision: Revision,
        /// Its service, or what else started it.
        group: Option<String>,
    },
}

impl Saw {
    /// Of a service.
    #[must_use]
    pub fn service(service: &Service) -> Self {
        Self::Service {
            deployment: service.primary().map(|d| d.id.clone()),
            revision: service.revision.clone(),
            desired: service.desired,
        }
    }

    /// Of a task.
    #[must_use]
    pub fn task(task: &Task) -> Self {
        Self::Task {
            last_status: task.last_status.clone(),
            revision: task.revision.clone(),
            group: task.group.clone(),
        }
    }

    /// What is different now, in words; nothing when all is as it was.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<String> {
        let mut parts = Vec::new();
        let mut compare = |what: &str, before: String, after: String| {
            if before != after {
                parts.push(format!("{what} was {before}, is {after}"));
            }
        };
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        match (self, now) {
            (
                Self::Service { deployment, revision, desired },
                Self::Service { deployment: deployment_now, revision: revision_now, desired: desired_now },
            ) => {
                compare("the deployment", or_none(deployment), or_none(deployment_now));
                compare("the revision", revision.to_string(), revision_now.to_string());
                compare("the desired count", desired.to_string(), desired_now.to_string());
            }
            (
                Self::Task { last_status, revision, group },
                Self::Task { last_status: status_now, revision: revision_now, group: group_now },
            ) => {
                compare("the status", last_status.clone(), status_now.clone());
                compare("the revision", revision.to_string(), revision_now.to_string());
                compare("the group", or_none(group), or_none(group_now));
            }
            _ => parts.push("the target is of another kind".to_owned()),
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
