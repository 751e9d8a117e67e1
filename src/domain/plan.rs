//! What a mutation would do, written down before anybody confirms it: fields, reach, and what was checked.
//!
//! Must not decide whether it may happen; `guard` does.

use serde::Serialize;

use crate::domain::ecs::ServiceId;
use crate::domain::mutation::Mutation;
use crate::stdx::clock::Wall;

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
    pub name: String,
    /// What was found.
    pub finding: Finding,
    /// What that rests on, in a sentence.
    pub evidence: String,
}

impl FieldChange {
    /// A field as it is and as it would be.
    pub fn new(field: impl Into<String>, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self { field: field.into(), before: before.into(), after: after.into() }
    }
}

impl Check {
    /// A check with its finding and evidence.
    pub fn new(name: impl Into<String>, finding: Finding, evidence: impl Into<String>) -> Self {
        Self { name: name.into(), finding, evidence: evidence.into() }
    }
}

/// What was asked for, with all that is known of its consequences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What it does, as a button says it: `Force a new deployment of shop/api`.
    pub title: String,
    /// What would be called, in order.
    pub calls: Vec<Mutation>,
    /// What would change, field by field.
    pub changes: Vec<FieldChange>,
    /// What else would be felt, a sentence each.
    pub reach: Vec<String>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What to do instead or besides: a sentence or a command to copy, each.
    pub advice: Vec<String>,
    /// What a rollback could return to, newest first.
    pub targets: Vec<Target>,
    /// The services to deploy after it: their tasks hold what it replaces.
    pub then: Vec<ServiceId>,
}

/// Something to return to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The service deployment's id, for `--to-deployment`.
    pub deployment: Option<String>,
    /// Its task definition: `family:revision`.
    pub revision: String,
    /// Containers with the tag that they were deployed by, if there was one, and the beginning of the digest.
    pub images: Vec<String>,
    /// When its deployment was begun.
    pub begun_at: Option<Wall>,
    /// When its deployment ended well.
    pub deployed_at: Option<Wall>,
    /// Whether this plan returns to it.
    pub chosen: bool,
}

impl Plan {
    /// Takes in what another plan of the same kind does besides.
    pub fn absorb(&mut self, other: Self) {
        self.calls.extend(other.calls);
        self.changes.extend(other.changes);
        self.reach.extend(other.reach);
        self.checks.extend(other.checks);
        for advice in other.advice {
            if !self.advice.contains(&advice) {
                self.advice.push(advice);
            }
        }
    }

    /// What a plan that was made again shows that the confirmed one did not: other calls, or a check that turned worse.
    #[must_use]
    pub fn difference(&self, again: &Self) -> Option<String> {
        let same = self.calls.len() == again.calls.len()
            && self.calls.iter().zip(&again.calls).all(|(before, now)| now.is_as_confirmed(before));
        if !same {
            return Some("what would be called is not what was confirmed".to_owned());
        }
        let finding =
            |plan: &Self, name: &str| plan.checks.iter().find(|c| c.name == name).map(|c| c.finding);
        let worse: Vec<String> = again
            .checks
            .iter()
            .filter(|check| check.finding != Finding::Block)
            .filter(|check| finding(self, &check.name).is_none_or(|before| check.finding > before))
            .filter(|check| check.finding > Finding::Pass)
            .map(|check| format!("{}: {}", check.name, check.evidence))
            .collect();
        (!worse.is_empty()).then(|| worse.join("; "))
    }

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
