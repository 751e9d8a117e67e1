//! The panes: which there are, and what each keeps of its own.
//!
//! A pane keeps cursors, filters and scroll positions; data live in the world. Must not draw.

pub mod definition;
pub mod list;
pub mod logs;
pub mod services;
pub mod tasks;

use crate::command::Id;

/// A pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneId {
    /// Every service of every scope.
    Services,
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
    /// Clusters.
    Clusters,
    /// Accounts, endpoints, request budget, faults.
    Api,
}

impl PaneId {
    /// In the order of the tab strip; the number keys count from one.
    pub const ALL: [Self; 9] = [
        Self::Services,
        Self::Service,
        Self::Tasks,
        Self::Logs,
        Self::Events,
        Self::Definition,
        Self::Deployments,
        Self::Clusters,
        Self::Api,
    ];

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Services => "Services",
            Self::Service => "Service",
            Self::Tasks => "Tasks",
            Self::Logs => "Logs",
            Self::Events => "Events",
            Self::Definition => "Task definition",
            Self::Deployments => "Deployments",
            Self::Clusters => "Clusters",
            Self::Api => "API",
        }
    }

    /// Its title in the tab strip, where columns are dear.
    #[must_use]
    pub fn tab(self) -> &'static str {
        match self {
            Self::Definition => "Definition",
            other => other.title(),
        }
    }

    /// The number key that goes to it.
    #[must_use]
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|pane| *pane == self).map_or(0, |index| index + 1)
    }

    /// Whether it shows something of the selected service.
    #[must_use]
    pub fn follows_subject(self) -> bool {
        !matches!(self, Self::Services | Self::Clusters | Self::Api)
    }

    /// The pane that a command opens.
    #[must_use]
    pub fn opened_by(id: Id) -> Option<Self> {
        Some(match id {
            Id::Services => Self::Services,
            Id::Service => Self::Service,
            Id::Tasks => Self::Tasks,
            Id::Logs => Self::Logs,
            Id::Events => Self::Events,
            Id::TaskDefinition => Self::Definition,
            Id::Deployments => Self::Deployments,
            Id::Clusters => Self::Clusters,
            Id::Api | Id::Whoami => Self::Api,
            _ => return None,
        })
    }
}
