//! Log lines on their way from an answer into the store, with the place they came from.
//!
//! Must not judge a line; it only carries it.

use std::sync::Arc;

use crate::domain::log::LogGroupId;
use crate::stdx::clock::Wall;

/// A log stream and whose output it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The group.
    pub group: LogGroupId,
    /// The stream's name.
    pub stream: String,
    /// The container; the stream's name when it cannot be told.
    pub container: String,
    /// The task's id; empty when it cannot be told.
    pub task: String,
}

impl Origin {
    /// The first eight characters of the task's id, as people quote it.
    #[must_use]
    pub fn short_task(&self) -> &str {
        self.task.get(..8).unwrap_or(&self.task)
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// AWS's event id.
    pub event_id: Option<String>,
    /// The event's own time.
    pub at: Wall,
    /// When CloudWatch took it in.
    pub ingested_at: Option<Wall>,
    /// The text, raw.
    pub message: String,
}

/// From which side lines reach what is already known. Lines of one stream in the same millisecond keep the
/// order of their side; without this a stack trace read backwards, page by page, would be upside down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// From following: later lines come in later batches.
    Newer,
    /// From reading back: earlier lines come in later batches.
    Older,
}

/// Lines that arrived together, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// From which side.
    pub arrival: Arrival,
    /// The lines.
    pub lines: Vec<Line>,
}
