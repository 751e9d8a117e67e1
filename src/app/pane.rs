//! The panes: which there are, and what each keeps of its own.
//!
//! A pane keeps cursors, filters and scroll positions; data live in the world. Must not draw.

pub mod check;
pub mod definition;
pub mod journal;
pub mod list;
pub mod logs;
pub mod services;
pub mod tasks;
pub mod triage;

use crate::command::Id;

/// A pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneId {
    /// Every problem of every scope.
    Fleet,
    /// Every service of every scope.
    Services,
    /// Alarms.
    Alarms,
    /// Databases.
    Databases,
    /// Caches.
    Caches,
    /// Secrets and parameters.
    Secrets,
    /// What changed.
    Changes,
    /// Clusters.
    Clusters,
    /// Accounts, endpoints, request budget, faults.
    Api,
    /// What was changed with opsdeck on this host.
    Journal,
    /// One service: state, deployments, configuration.
    Service,
    /// Its tasks.
    Tasks,
    /// Merged logs.
    Logs,
    /// Its events.
    Events,
    /// A task definition.
    Definition,
    /// Its deployment history.
    Deployments,
}

impl PaneId {
    /// In the order of the tab strip; the number keys count from one.
    pub const ALL: [Self; 16] = [
        Self::Fleet,
        Self::Services,
        Self::Alarms,
        Self::Databases,
        Self::Caches,
        Self::Secrets,
        Self::Changes,
        Self::Clusters,
        Self::Api,
        Self::Journal,
        Self::Service,
        Self::Tasks,
        Self::Logs,
        Self::Events,
        Self::Definition,
        Self::Deployments,
    ];

    /// So many have a number for a key.
    pub const NUMBERED: usize = 9;

    /// Those of the selected service. They have letters instead of numbers, and tabs only beside a service.
    pub const OF_SERVICE: [Self; 6] =
        [Self::Service, Self::Tasks, Self::Logs, Self::Events, Self::Definition, Self::Deployments];

    /// The tabs of the strip, in its order: the service's own stand behind the services.
    #[must_use]
    pub fn strip(beside_service: bool) -> Vec<Self> {
        let mut strip: Vec<Self> = Self::ALL.into_iter().filter(|pane| !pane.follows_subject()).collect();
        if beside_service {
            strip.splice(2..2, Self::OF_SERVICE);
        }
        strip
    }

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Services => "Services",
            Self::Alarms => "Alarms",
            Self::Databases => "Databases",
            Self::Caches => "Caches",
            Self::Secrets => "Secrets",
            Self::Changes => "Changes",
            Self::Service => "Service",
            Self::Tasks => "Tasks",
            Self::Logs => "Logs",
            Self::Events => "Events",
            Self::Definition => "Task definition",
            Self::Deployments => "Deployments",
            Self::Clusters => "Clusters",
            Self::Api => "API",
            Self::Journal => "Journal",
        }
    }

    /// Its title in the tab strip, where columns are dear.
    #[must_use]
    pub fn tab(self) -> &'static str {
        match self {
            Self::Definition => "Definition",
            Self::Databases => "RDS",
            Self::Caches => "Cache",
            other => other.title(),
        }
    }

    /// The command that opens it.
    #[must_use]
    pub fn command(self) -> Id {
        match self {
            Self::Fleet => Id::Fleet,
            Self::Services => Id::Services,
            Self::Alarms => Id::Alarms,
            Self::Databases => Id::Rds,
            Self::Caches => Id::Cache,
            Self::Secrets => Id::Secrets,
            Self::Changes => Id::Changes,
            Self::Clusters => Id::Clusters,
            Self::Api => Id::Api,
            Self::Journal => Id::Journal,
            Self::Service => Id::Service,
            Self::Tasks => Id::Tasks,
            Self::Logs => Id::Logs,
            Self::Events => Id::Events,
            Self::Definition => Id::TaskDefinition,
            Self::Deployments => Id::Deployments,
        }
    }

    /// Its number; the keys go to the first nine.
    #[must_use]
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|pane| *pane == self).map_or(0, |index| index + 1)
    }

    /// Whether it shows something of the selected service.
    #[must_use]
    pub fn follows_subject(self) -> bool {
        Self::OF_SERVICE.contains(&self)
    }

    /// The pane that a command opens.
    #[must_use]
    pub fn opened_by(id: Id) -> Option<Self> {
        Some(match id {
            Id::Fleet => Self::Fleet,
            Id::Alarms => Self::Alarms,
            Id::Rds => Self::Databases,
            Id::Cache => Self::Caches,
            Id::Secrets => Self::Secrets,
            Id::Changes => Self::Changes,
            Id::Services => Self::Services,
            Id::Service => Self::Service,
            Id::Tasks => Self::Tasks,
            Id::Logs => Self::Logs,
            Id::Events => Self::Events,
            Id::TaskDefinition => Self::Definition,
            Id::Deployments => Self::Deployments,
            Id::Clusters => Self::Clusters,
            Id::Api | Id::Whoami => Self::Api,
            Id::Journal => Self::Journal,
            _ => return None,
        })
    }
}
