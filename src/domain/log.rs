//! Log events as CloudWatch Logs gives them, and where a container's log is found.
//!
//! Must not parse messages; the log engine does.

use serde::Serialize;

use crate::domain::ecs::ServiceId;
use crate::domain::scope::Scope;
use crate::domain::task::TaskId;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// A log group by scope and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct LogGroupId {
    /// Where. The driver's `awslogs-region` may differ from the task's region.
    pub scope: Scope,
    /// Name.
    pub name: String,
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogGroup {
    /// Identity.
    pub id: LogGroupId,
    /// ARN, without the trailing `:*`.
    pub arn: Option<String>,
    /// Days kept; `None` keeps for ever.
    pub retention_days: Option<u32>,
    /// Bytes stored.
    pub stored_bytes: Option<u64>,
    /// Created.
    pub created_at: Option<Wall>,
}

/// A log stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogStream {
    /// Name.
    pub name: String,
    /// Created.
    pub created_at: Option<Wall>,
    /// Newest event; AWS may lag an hour behind, so never decide by it which streams are active.
    pub last_event_at: Option<Wall>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEvent {
    /// AWS's event id; Live Tail and `GetLogEvents` give none.
    pub id: Option<String>,
    /// The stream it came from.
    pub stream: String,
    /// The event's own time.
    pub at: Wall,
    /// When CloudWatch took it in.
    pub ingested_at: Option<Wall>,
    /// The line, raw.
    pub message: String,
}

/// Where one container of a task definition logs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct LogSource {
    /// The group.
    pub group: LogGroupId,
    /// `awslogs-stream-prefix`; without one a stream is a container's runtime id and cannot be mapped.
    pub prefix: Option<String>,
    /// The container.
    pub container: String,
}

impl LogSource {
    /// The sources of a task definition's containers, in order; containers that log elsewhere are returned
    /// with the driver's name, so that a pane can say what it does not show.
    #[must_use]
    pub fn of(scope: &Scope, definition: &TaskDefinition) -> (Vec<Self>, Vec<(String, String)>) {
        let mut sources = Vec::new();
        let mut elsewhere = Vec::new();
        for container in &definition.containers {
            match &container.log {
                Some(log) if log.driver == "awslogs" => {
                    let Some(group) = log.option("awslogs-group") else {
                        elsewhere.push((container.name.clone(), "awslogs without a group".to_owned()));
                        continue;
                    };
                    let region =
                        log.option("awslogs-region").map_or_else(|| scope.region.clone(), Into::into);
                    sources.push(Self {
                        group: LogGroupId {
                            scope: Scope { account: scope.account.clone(), region },
                            name: group.to_owned(),
                        },
                        prefix: log.option("awslogs-stream-prefix").map(str::to_owned),
                        container: container.name.clone(),
                    });
                }
                Some(log) => elsewhere.push((container.name.clone(), log.driver.clone())),
                None => elsewhere.push((container.name.clone(), "no log driver".to_owned())),
            }
        }
        (sources, elsewhere)
    }

    /// The stream of one task: `prefix/container/task`; `None` without a prefix.
    #[must_use]
    pub fn stream(&self, task: &str) -> Option<String> {
        let prefix = self.prefix.as_deref()?;
        Some(format!("{prefix}/{}/{task}", self.container))
    }

    /// The prefix that all streams of this container share: `prefix/container/`.
    #[must_use]
    pub fn stream_prefix(&self) -> Option<String> {
        self.prefix.as_deref().map(|prefix| format!("{prefix}/{}/", self.container))
    }
}

/// Splits `prefix/container/task` from the right: (container, task id).
#[must_use]
pub fn stream_parts(stream: &str) -> Option<(&str, &str)> {
    let (rest, task) = stream.rsplit_once('/')?;
    let container = rest.rsplit_once('/').map_or(rest, |(_, c)| c);
    Some((container, task))
}

/// What a log view follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogSubject {
    /// All tasks and containers of a service, new ones included.
    Service(ServiceId),
    /// The tasks that one deployment of a service started, and no others.
    Deployment {
        /// The service.
        service: ServiceId,
        /// The deployment's id: what its tasks say started them.
        id: String,
    },
    /// All containers of one task.
    Task {
        /// The task.
        task: TaskId,
        /// The task definition it runs (`family:revision` or ARN), since a stopped task may be gone from ECS.
        task_definition_arn: String,
    },
}

impl LogSubject {
    /// The service, unless it is one task.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceId> {
        match self {
            Self::Service(service) | Self::Deployment { service, .. } => Some(service),
            Self::Task { .. } => None,
        }
    }
}
