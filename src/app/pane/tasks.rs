//! The tasks pane: a service's tasks, the sick and the recently stopped first.
//!
//! Must not drop a stopped task because ECS no longer lists it: the world remembers it.

use std::cmp::Reverse;

use crate::app::pane::list::ListPane;
use crate::app::world::World;
use crate::diagnose::{self, Severity};
use crate::domain::ecs::ServiceId;
use crate::domain::task::{Task, TaskId};
use crate::stdx::clock::Wall;

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// Running before stopped, sick first, youngest first.
    #[default]
    State,
    /// Start time, youngest first.
    Started,
    /// Availability zone.
    Zone,
    /// Task definition revision, newest first.
    Revision,
}

impl Column {
    /// All, in the order that the sort key walks.
    pub const ALL: [Self; 4] = [Self::State, Self::Started, Self::Zone, Self::Revision];

    /// Its name in the palette.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Started => "started",
            Self::Zone => "zone",
            Self::Revision => "revision",
        }
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let index = Self::ALL.iter().position(|c| *c == self).unwrap_or(0);
        Self::ALL[(index + 1) % Self::ALL.len()]
    }
}

/// The pane.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// List state.
    pub list: ListPane<TaskId, Column>,
    /// Whether stopped tasks are folded away.
    pub fold: bool,
    /// Stopped tasks that are folded away.
    pub folded: usize,
}

impl Tasks {
    /// Computes the rows from the world.
    pub fn settle(&mut self, world: &World, subject: Option<&ServiceId>, now: Wall) {
        self.folded = 0;
        let Some(subject) = subject else {
            self.list.rows.clear();
            return;
        };
        let mut rows: Vec<&Task> = Vec::new();
        for seen in world.tasks_of(subject) {
            let task = &seen.value;
            if self.fold && task.is_stopped() {
                self.folded += 1;
                continue;
            }
            if self.list.passes(&text(task)) {
                rows.push(task);
            }
        }
        let severity = |task: &Task| -> Severity { diagnose::task_health(task, now).severity };
        match self.list.sort {
            Column::State => rows.sort_by_cached_key(|task| {
                let age = task.stopped_at.or(task.started_at).or(task.created_at);
                (task.is_stopped(), severity(task), Reverse(age), task.id.clone())
            }),
            Column::Started => {
                rows.sort_by_key(|task| (Reverse(task.started_at.or(task.created_at)), &task.id));
            }
            Column::Zone => rows.sort_by_key(|task| (&task.zone, &task.id)),
            Column::Revision => rows.sort_by_key(|task| (Reverse(task.revision.number), &task.id)),
        }
        if self.list.reversed {
            rows.reverse();
        }
        self.list.rows = rows.into_iter().map(|task| task.id.clone()).collect();
    }
}

fn text(task: &Task) -> String {
    let or = |text: &Option<String>| text.clone().unwrap_or_default();
    let exits: Vec<String> = task
        .containers
        .iter()
        .map(|c| {
            format!(
                "{} {} {}",
                c.name,
                c.exit_code.map_or_else(String::new, |n| n.to_string()),
                or(&c.reason)
            )
        })
        .collect();
    format!(
        "{} {} {} {} {} {} {} {}",
        task.id.id,
        task.last_status,
        or(&task.health),
        task.revision,
        or(&task.zone),
        or(&task.stop_code),
        or(&task.stopped_reason),
        exits.join(" ")
    )
}
