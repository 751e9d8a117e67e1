//! Judgements: what ECS's own words and counts mean for somebody who was just woken. Each is one plain sentence
//! with its number.
//!
//! Floor 3. Pure functions over what was observed; must not ask AWS, and must not hide ECS's words: whoever
//! shows a judgement shows the text that it came from beside it.

pub mod alarm;
pub mod cache;
pub mod change;
pub mod database;
mod event;
mod finding;
#[cfg(test)]
mod fixtures;
pub mod fleet;
pub mod next_start;
mod number;
mod remedy;
mod scaling;
pub mod secret;
mod service;
mod stopped;
mod task;

use serde::Serialize;

use crate::stdx::clock::Wall;

pub use event::{event_meaning, event_severity, event_text};
pub use finding::{Evidence, Finding, Subject, rank};
pub use service::{deadlock, replaces_tasks, service_health};
pub use stopped::{StoppedGroup, service_finding, stopped_groups};
pub use task::{stop_explanation, task_health};

/// How much something needs a person, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Needs a person now.
    Critical,
    /// Needs a look.
    Warning,
    /// Something is under way, as it should be.
    Progress,
    /// We cannot tell.
    Unknown,
    /// Worth knowing when there is time: nothing hurts.
    Notice,
    /// As it should be.
    Ok,
    /// Nothing is meant to run.
    Idle,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: &'static [Self] =
        &[Self::Critical, Self::Warning, Self::Progress, Self::Unknown, Self::Notice, Self::Ok, Self::Idle];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Progress => "in progress",
            Self::Unknown => "unknown",
            Self::Notice => "notice",
            Self::Ok => "ok",
            Self::Idle => "idle",
        }
    }

    /// Whether a list may fold it away.
    #[must_use]
    pub fn is_calm(self) -> bool {
        matches!(self, Self::Ok | Self::Idle)
    }
}

/// A judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// How bad.
    pub severity: Severity,
    /// Why: one sentence without its full stop. It may quote AWS; whoever shows it scrubs it.
    pub reason: String,
    /// Since when, where that is known.
    pub since: Option<Wall>,
}

impl Health {
    fn new(severity: Severity, reason: impl Into<String>) -> Self {
        Self { severity, reason: reason.into(), since: None }
    }

    fn since(mut self, since: Option<Wall>) -> Self {
        self.since = since;
        self
    }
}

#[cfg(test)]
mod tests;
