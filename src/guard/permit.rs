//! The right to make one mutating call.
//!
//! It cannot be cloned, and only `Operation` makes one: after a confirmation, and after the intent is on disk.

use super::policy::Policy;
use super::saw::Saw;
use crate::domain::mutation::Mutation;

/// Permission for one call, consumed by it, bound to what was confirmed.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is dropped was confirmed and journalled for nothing"]
pub struct Permit {
    mutation: Mutation,
    saw: Saw,
    policy: Policy,
    operation: String,
}

impl Permit {
    pub(super) fn mint(mutation: Mutation, saw: Saw, policy: Policy, operation: String) -> Self {
        Self { mutation, saw, policy, operation }
    }

    /// What may be called.
    #[must_use]
    pub fn mutation(&self) -> &Mutation {
        &self.mutation
    }

    /// What the operator saw of the target, and the guard saw again.
    #[must_use]
    pub fn saw(&self) -> &Saw {
        &self.saw
    }

    /// The policy under which it was confirmed.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The operation's name in the journal.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Uses it up.
    #[must_use]
    pub fn redeem(self) -> Mutation {
        self.mutation
    }
}
