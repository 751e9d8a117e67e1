//! What the log pane is about: a service, a deployment's tasks, one task, or a file.
//!
//! Must not change it; `open` and `open_file` do.

use super::LogsPane;
use crate::domain::ecs::ServiceId;
use crate::domain::log::LogSubject;
use crate::domain::task::TaskId;

impl LogsPane {
    /// The task whose log is open, if it is one task's.
    #[must_use]
    pub fn subject_task(&self) -> Option<&TaskId> {
        match self.subject.as_ref()? {
            LogSubject::Task { task, .. } => Some(task),
            LogSubject::Service(_) | LogSubject::Deployment { .. } => None,
        }
    }

    /// Whose log is open, if it is ECS's.
    #[must_use]
    pub fn subject(&self) -> Option<&LogSubject> {
        self.subject.as_ref()
    }

    /// Whether what is open belongs to a service (its own log, or one of its tasks').
    #[must_use]
    pub fn is_about(&self, service: &ServiceId) -> bool {
        self.owner.as_ref() == Some(service)
    }

    /// What the title says it is about.
    #[must_use]
    pub fn about(&self) -> Option<String> {
        if let Some((database, name)) = self.file() {
            return Some(format!("{name} of {}", database.name));
        }
        Some(match self.subject.as_ref()? {
            LogSubject::Service(id) => id.name.clone(),
            LogSubject::Deployment { service, .. } => format!("new tasks of {}", service.name),
            LogSubject::Task { task, .. } => format!("task {}", task.short()),
        })
    }
}
