//! What somebody saw of a target: compared with a fresh look before anything is done.
//!
//! Must not hold more than what a decision rests on: counts of running tasks change by themselves.

use crate::domain::ecs::Service;
use crate::domain::task::Task;

/// The facts that a confirmation is bound to: what, and how it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saw(Vec<(String, String)>);

impl Saw {
    /// Of a service: its PRIMARY deployment, what it runs, how many tasks are wanted.
    #[must_use]
    pub fn service(service: &Service) -> Self {
        let of = |what: &str| format!("{what} of {}/{}", service.id.cluster, service.id.name);
        let deployment = service.primary().map_or_else(|| "none".to_owned(), |d| d.id.clone());
        Self(vec![
            (of("the deployment"), deployment),
            (of("the revision"), service.revision.to_string()),
            (of("the desired count"), service.desired.to_string()),
        ])
    }

    /// Of a task: its status, what it runs, and whose it is.
    #[must_use]
    pub fn task(task: &Task) -> Self {
        let of = |what: &str| format!("{} of task {}", what, task.id.short());
        Self(vec![
            (of("the status"), task.last_status.clone()),
            (of("the revision"), task.revision.to_string()),
            (of("the group"), task.group.clone().unwrap_or_else(|| "none".to_owned())),
        ])
    }

    /// One fact of something else.
    #[must_use]
    pub fn fact(what: impl Into<String>, value: impl Into<String>) -> Self {
        Self(vec![(what.into(), value.into())])
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// What is different now, in words; nothing when all is as it was. What only one of the two knows is no
    /// difference: the screen shows less than a plan reads.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<String> {
        let parts: Vec<String> = self
            .0
            .iter()
            .filter_map(|(what, before)| {
                let (_, after) = now.0.iter().find(|(name, _)| name == what)?;
                (before != after).then(|| format!("{what} was {before}, is {after}"))
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
