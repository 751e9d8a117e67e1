//! IAM roles: whether the role that a task needs exists.
//!
//! Must not read or evaluate policies.

use serde::Serialize;

use crate::stdx::clock::Wall;

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Created.
    pub created_at: Option<Wall>,
    /// Last used, to the hour.
    pub last_used: Option<Wall>,
}
