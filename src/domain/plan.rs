//! What a mutation would do, written down before anybody confirms it: fields, reach, and what was checked.
//!
//! Must not decide whether it may happen; `guard` does.

use serde::Serialize;

use crate::domain::mutation::Mutation;

/// One field as it is and as it would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// AWS's name of it.
    pub field: String,
    /// What it is.
    pub before: String,
    /// What it would be.
    pub after: String,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// As it should be.
    Pass,
    /// It could not be told.
    NotVerified,
    /// It may go wrong; the operator decides.
    Warn,
    /// It cannot go well, or is not allowed.
    Block,
}

/// One check before a mutation, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked: `service status`.
    pub name: &'static str,
    /// What was found.
    pub finding: Finding,
    /// What that rests on, in a sentence.
    pub evidence: String,
}

impl Check {
    /// A check with its finding and evidence.
    pub fn new(name: &'static str, finding: Finding, evidence: impl Into<String>) -> Self {
        Self { name, finding, evidence: evidence.into() }
    }
}

/// A mutation with all that is known of its consequences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What would be called.
    pub mutation: Mutation,
    /// What would change, field by field.
    pub changes: Vec<FieldChange>,
    /// What else would be felt, a sentence each.
    pub reach: Vec<String>,
    /// What was checked.
    pub checks: Vec<Check>,
}

impl Plan {
    /// The worst finding.
    #[must_use]
    pub fn worst(&self) -> Finding {
        self.checks.iter().map(|check| check.finding).max().unwrap_or(Finding::Pass)
    }

    /// The evidence of every check that blocks, or nothing.
    #[must_use]
    pub fn blocked(&self) -> Option<String> {
        let why: Vec<&str> = self
            .checks
            .iter()
            .filter(|check| check.finding == Finding::Block)
            .map(|check| check.evidence.as_str())
            .collect();
        (!why.is_empty()).then(|| why.join("; "))
    }
}
