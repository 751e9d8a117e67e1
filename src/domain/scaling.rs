//! Application Auto Scaling: bounds of services and what it did.
//!
//! Must not compute where a service will scale to.

use serde::Serialize;

use crate::domain::ecs::ServiceId;
use crate::stdx::clock::Wall;

/// What of autoscaling is suspended one by one: AWS's name of it, and ours.
pub const ACTIVITIES: [(&str, &str); 3] = [
    ("DynamicScalingIn", "scaling in"),
    ("DynamicScalingOut", "scaling out"),
    ("ScheduledScaling", "scheduled scaling"),
];

/// The bounds of something that scales: `service/cluster/name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScalableTarget {
    /// `service/cluster/name`.
    pub resource: String,
    /// `ecs:service:DesiredCount`, …
    pub dimension: String,
    /// Minimum.
    pub min: u32,
    /// Maximum.
    pub max: u32,
    /// Scaling in, scaling out, scheduled scaling: those that are suspended.
    pub suspended: Vec<String>,
}

impl ScalableTarget {
    /// Whether it bounds the desired count of this service.
    #[must_use]
    pub fn is_count_of(&self, service: &ServiceId) -> bool {
        self.resource == format!("service/{}/{}", service.cluster, service.name)
            && self.dimension == "ecs:service:DesiredCount"
    }

    /// Whether all of it is suspended, or nothing.
    #[must_use]
    pub fn is_suspended(&self, wanted: bool) -> bool {
        let suspended = |(activity, _): &(&str, &str)| self.suspended.iter().any(|known| known == activity);
        ACTIVITIES.iter().all(|activity| suspended(activity) == wanted)
    }
}

/// Something that Application Auto Scaling did or tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScalingActivity {
    /// Id.
    pub id: String,
    /// `service/cluster/name`.
    pub resource: String,
    /// `Setting desired count to 3.`
    pub description: String,
    /// Why: the alarm or the schedule.
    pub cause: String,
    /// `Successful`, `Failed`, `Overridden`, `Unfulfilled`, …
    pub status: String,
    /// More.
    pub message: Option<String>,
    /// Begun.
    pub started_at: Option<Wall>,
    /// Ended.
    pub ended_at: Option<Wall>,
}
