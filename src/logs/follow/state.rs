//! What a follower can say of itself, in one sentence each: nothing that is late, missing or refused is silent.
//!
//! Must not hold anything that is not shown.

use std::time::Duration;

use crate::domain::fault::Fault;
use crate::stdx::clock::Wall;
use crate::stdx::span;

/// A stretch of time that has not been read completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its first moment.
    pub from: Wall,
    /// Its last moment.
    pub to: Wall,
    /// Whether it is being read now; otherwise it stays.
    pub filling: bool,
}

/// How a follower does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowState {
    /// It still learns where the lines are.
    Starting {
        /// What it waits for.
        waits_for: String,
    },
    /// There is nothing to read.
    Nothing {
        /// Why.
        why: String,
    },
    /// All lines up to a few seconds ago are here.
    Live,
    /// The newest complete reading is that old.
    Behind {
        /// How old.
        by: Duration,
    },
    /// AWS asks for fewer requests; nothing is lost, it comes later.
    Throttled {
        /// When it is asked again.
        retry_in: Duration,
        /// How old the newest complete reading is.
        behind: Duration,
    },
    /// Reading fails for another reason; it is tried again.
    Failing {
        /// Why.
        fault: Fault,
        /// When it is asked again.
        retry_in: Duration,
    },
    /// A stretch of time is missing.
    Gap(Gap),
    /// Nothing is asked until it is resumed.
    Paused,
    /// All that was wanted has been read.
    Done,
}

impl FollowState {
    /// One sentence for the pane's foot.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Starting { waits_for } => format!("reading {waits_for}"),
            Self::Nothing { why } => why.clone(),
            Self::Live => "live".to_owned(),
            Self::Behind { by } => format!("{} behind", span::precise(*by)),
            Self::Throttled { retry_in, behind } => format!(
                "throttled by CloudWatch Logs: next try in {}, {} behind, nothing is lost",
                span::precise(*retry_in),
                span::precise(*behind)
            ),
            Self::Failing { fault, retry_in } => {
                format!("{fault}; next try in {}", span::precise(*retry_in))
            }
            Self::Gap(gap) => {
                let now = if gap.filling { "is being read" } else { "could not be read completely" };
                format!("{} to {} {now}", gap.from.rfc3339(), gap.to.rfc3339())
            }
            Self::Paused => "paused: no requests are made".to_owned(),
            Self::Done => "complete".to_owned(),
        }
    }
}
