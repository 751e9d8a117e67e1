//! Elastic Load Balancing: target groups and the health of their targets.
//!
//! Must not judge; `diagnose` does.

use serde::Serialize;

/// A target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetGroup {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// ARNs of the load balancers in front.
    pub balancers: Vec<String>,
    /// `HTTP`, `TCP`, …
    pub protocol: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Path of the health check.
    pub health_path: Option<String>,
    /// Codes that pass it.
    pub matcher: Option<String>,
}

impl TargetGroup {
    /// The value of the `TargetGroup` dimension: `targetgroup/name/id`.
    #[must_use]
    pub fn dimension(&self) -> Option<&str> {
        self.arn.find("targetgroup/").and_then(|at| self.arn.get(at..))
    }

    /// The value of the `LoadBalancer` dimension: `app/name/id`.
    #[must_use]
    pub fn balancer_dimension(&self) -> Option<&str> {
        self.balancers.first()?.split_once(":loadbalancer/").map(|(_, rest)| rest)
    }
}

/// A target and its health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetHealth {
    /// Address or instance id.
    pub target: String,
    /// Port.
    pub port: Option<u16>,
    /// Zone.
    pub zone: Option<String>,
    /// `healthy`, `unhealthy`, `initial`, `draining`, `unused`, `unavailable`.
    pub state: String,
    /// `Target.Timeout`, …
    pub reason: Option<String>,
    /// AWS's sentence.
    pub description: Option<String>,
}
