//! Would the next task of a service start? Each thing that a start needs, checked on the running revision.
//!
//! Must not promise: what could not be read is said to be not verified.

mod facts;

use serde::Serialize;

use super::Finding;
use crate::domain::ecs::{Service, ServiceRevision};
use crate::domain::query::Query;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

pub use facts::{Learned, NextStartFacts};

/// How a check came out, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// The next task cannot start.
    Block,
    /// It may start, but not as before.
    Warn,
    /// It could not be found out.
    NotVerified,
    /// As it should be.
    Pass,
}

impl CheckVerdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Warn => "warn",
            Self::NotVerified => "not verified",
            Self::Pass => "pass",
        }
    }
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked: `image of api`, `secret cma/production/database`.
    pub what: String,
    /// How it came out.
    pub verdict: CheckVerdict,
    /// Why, in one sentence without its full stop.
    pub evidence: String,
}

/// What to ask AWS before the checks; the facts absorb the answers. `revision` is the service revision that runs
/// (its digests), where it is known.
#[must_use]
pub fn needed(
    definition: &TaskDefinition,
    revision: Option<&ServiceRevision>,
    service: &Service,
) -> Vec<Query> {
    let _ = (definition, revision, service);
    Vec::new()
}

/// The checks of a service's running revision, the worst first.
#[must_use]
pub fn checks(
    service: &Service,
    definition: &TaskDefinition,
    revision: Option<&ServiceRevision>,
    facts: &NextStartFacts,
    now: Wall,
) -> Vec<Check> {
    let _ = (service, definition, revision, facts, now);
    Vec::new()
}

/// The finding of the checks: `None` when nothing blocks or warns.
#[must_use]
pub fn finding_of(service: &Service, checks: &[Check]) -> Option<Finding> {
    let _ = (service, checks);
    None
}
