//! How a mutation ended. A lost answer is *unknown*, never *failed*.
//!
//! Must not be guessed from a list that merely looks right: a rollout is done only by the id of the
//! deployment that was started.

use serde::{Deserialize, Serialize};

/// The end of a mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Done, as asked.
    Succeeded,
    /// AWS accepted it; nobody watched what came of it.
    Accepted,
    /// AWS refused it, or nothing was ever sent, or what it started failed.
    Failed {
        /// Why.
        why: String,
    },
    /// AWS undid it.
    RolledBack {
        /// Why, in ECS's words.
        why: String,
    },
    /// Another deployment replaced it.
    Superseded {
        /// The id of the newer deployment.
        by: String,
    },
    /// The answer was lost or the watch ended early: it may have happened.
    Unknown {
        /// How to find out.
        how_to_find_out: String,
    },
    /// The guard or the operator said no; AWS was not called.
    Refused {
        /// Why.
        why: String,
    },
    /// The target was not any more what the operator saw; AWS was not called.
    Changed {
        /// The difference.
        difference: String,
    },
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Succeeded => f.write_str("succeeded"),
            Self::Accepted => f.write_str("accepted by AWS, not watched"),
            Self::Failed { why } => write!(f, "failed: {why}"),
            Self::RolledBack { why } => write!(f, "rolled back: {why}"),
            Self::Superseded { by } => write!(f, "superseded by {by}"),
            Self::Unknown { how_to_find_out } => write!(f, "unknown; {how_to_find_out}"),
            Self::Refused { why } => write!(f, "refused: {why}"),
            Self::Changed { difference } => write!(f, "not done, the target had changed: {difference}"),
        }
    }
}
