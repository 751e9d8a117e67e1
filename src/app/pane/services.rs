//! The services pane: every service of every scope, sick ones first.
//!
//! Must not hold services: it holds their identities in order, and the world holds the rest.

use std::cmp::Reverse;
use std::fmt::Write as _;

use crate::app::pane::list::ListPane;
use crate::app::world::{ServiceRow, World};
use crate::diagnose::Severity;
use crate::domain::ecs::ServiceId;

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// Severity, then how long it has lasted, youngest first.
    #[default]
    Health,
    /// Service name.
    Name,
    /// Region, cluster, name.
    Cluster,
    /// Age of the current deployment, youngest first.
    Deployed,
    /// Running tasks, fewest first.
    Tasks,
}

impl Column {
    /// All, in the order that the sort key walks.
    pub const ALL: [Self; 5] = [Self::Health, Self::Name, Self::Cluster, Self::Deployed, Self::Tasks];

    /// Its name in the palette.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Name => "name",
            Self::Cluster => "cluster",
            Self::Deployed => "deployed",
            Self::Tasks => "tasks",
        }
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let index = Self::ALL.iter().position(|c| *c == self).unwrap_or(0);
        Self::ALL[(index + 1) % Self::ALL.len()]
    }
}

/// Whether a list so wide has room to tell whether each service could be rolled back: nobody asks AWS what no column
/// shows.
#[must_use]
pub fn shows_way_back(width: u16, scopes: usize) -> bool {
    // As wide as the columns get that stay before it: names, tasks, ages, states; and regions, where there are several.
    width >= if scopes > 1 { 136 } else { 120 }
}

/// Above this many services, healthy ones are folded away until somebody asks for them.
const FOLD_ABOVE: usize = 50;

/// The pane.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// List state.
    pub list: ListPane<ServiceId, Column>,
    /// Whether healthy rows are folded; `None` until somebody decides: then only in a large fleet.
    pub fold: Option<bool>,
    /// Only this cluster, when opened from the cluster list.
    pub cluster: Option<crate::domain::ecs::ClusterId>,
    /// Healthy rows that are folded away.
    pub folded: usize,
    /// Rows known, before filter and fold.
    pub known: usize,
    /// Of them, not described yet.
    pub undescribed: usize,
}

impl Services {
    /// Computes the rows from the world.
    pub fn settle(&mut self, world: &World) {
        let folding = self.fold.unwrap_or(world.services.len() > FOLD_ABOVE) && self.list.filter.is_none();
        self.folded = 0;
        self.known = 0;
        self.undescribed = 0;
        let mut rows: Vec<(&ServiceId, &ServiceRow)> = Vec::new();
        let (mut buffer, mut lower) = (String::new(), String::new());
        for (id, row) in &world.services {
            if let Some(cluster) = &self.cluster
                && (id.cluster != cluster.name || id.scope != cluster.scope)
            {
                continue;
            }
            self.known += 1;
            self.undescribed += usize::from(row.seen.is_none() && row.failure.is_none());
            // The text of a row is made only for a filter that reads it: there are thousands of rows, and this
            // runs with every answer.
            if let Some(filter) = &self.list.filter
                && !filter.passes_with(text(id, row, &mut buffer), &mut lower)
            {
                continue;
            }
            // A row that is not described yet is not known to be healthy, but in a large fleet there are
            // thousands of them; the pane's title counts them.
            if folding && severity(row) >= Severity::Unknown {
                self.folded += usize::from(row.seen.is_some());
                continue;
            }
            rows.push((id, row));
        }
        match self.list.sort {
            Column::Health => rows.sort_by_cached_key(|(id, row)| (severity(row), Reverse(since(row)), *id)),
            Column::Name => rows.sort_by_key(|(id, _)| (&id.name, *id)),
            Column::Cluster => rows.sort_by_key(|(id, _)| (&id.scope.region, &id.cluster, &id.name)),
            Column::Deployed => rows.sort_by_cached_key(|(id, row)| {
                (Reverse(row.seen.as_ref().and_then(|s| s.value.deployed_at())), *id)
            }),
            Column::Tasks => {
                rows.sort_by_cached_key(|(id, row)| (row.seen.as_ref().map(|s| s.value.running), *id));
            }
        }
        if self.list.reversed {
            rows.reverse();
        }
        self.list.rows = rows.into_iter().map(|(id, _)| id.clone()).collect();
    }
}

/// A row's severity; a row without a description is unknown, one that ECS refuses to describe is a warning.
#[must_use]
pub fn severity(row: &ServiceRow) -> Severity {
    if row.failure.is_some() {
        return Severity::Warning;
    }
    row.judged().map_or(Severity::Unknown, |h| h.severity)
}

fn since(row: &ServiceRow) -> Option<crate::stdx::clock::Wall> {
    let health = row.judged()?;
    // Among the healthy, age of health is no reason to move a row about.
    (health.severity < Severity::Unknown).then_some(health.since)?
}

/// What the filter looks at: all that the row shows.
fn text<'a>(id: &ServiceId, row: &ServiceRow, buffer: &'a mut String) -> &'a str {
    buffer.clear();
    for word in [&id.name, &id.cluster, id.scope.account.as_str(), id.scope.region.as_str()] {
        buffer.push_str(word);
        buffer.push(' ');
    }
    if let (Some(seen), Some(health)) = (&row.seen, row.judged()) {
        // Writing to a string cannot fail.
        let _ = write!(buffer, "{} {} {}", seen.value.revision, severity(row).word(), health.reason);
    } else {
        buffer.push_str(severity(row).word());
    }
    buffer
}
