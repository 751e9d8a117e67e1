//! A write that somebody or something made, as CloudTrail wrote it down.
//!
//! CloudTrail delivers late, up to 15 minutes; must not be taken for a live feed.

use serde::Serialize;

use crate::stdx::clock::Wall;

/// A management event of CloudTrail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrailEvent {
    /// Id.
    pub id: String,
    /// `UpdateService`, `RotateSecret`, …
    pub name: String,
    /// `ecs.amazonaws.com`, …
    pub source: String,
    /// When.
    pub at: Wall,
    /// Who, as CloudTrail names them.
    pub user: Option<String>,
    /// Resources: type and name or ARN.
    pub resources: Vec<(String, String)>,
    /// Error code, when the call failed.
    pub error: Option<String>,
    /// Whether it changed nothing.
    pub read_only: bool,
    /// The request's parameters that name what it was about: key and value, scalars only.
    pub parameters: Vec<(String, String)>,
}
