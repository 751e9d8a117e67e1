//! The alarms that Application Auto Scaling makes for a target-tracking policy: one that scales out, one that
//! scales in. The latter is in ALARM whenever the service idles, by design.
//!
//! Must not scale anything.

use super::{Alarm, Comparison, Kind, Missing, Watch};
use crate::sim::stack::ACCOUNT;
use crate::sim::world::metric::catalog::{balancer_dimensions, service_dimensions};
use crate::sim::world::metric::series::{Ask, Query, Statistic};
use crate::sim::world::metric::{CUSTOM, Key, MINUTE};
use crate::sim::world::scaling::uuid;
use crate::sim::world::service::Service;
use crate::stdx::clock::Wall;

/// The name of a service's target-tracking policy.
#[must_use]
pub fn policy_name(service: &Service) -> String {
    format!("{}-target-tracking", service.name)
}

/// The ARN of a service's target-tracking policy.
#[must_use]
pub fn policy_arn(service: &Service) -> String {
    let resource = format!("service/{}/{}", service.cluster, service.name);
    format!(
        "arn:aws:autoscaling:{}:{ACCOUNT}:scalingPolicy:{}:resource/ecs/{resource}:policyName/{}",
        service.region,
        uuid(&format!("policy {}/{resource}", service.region)),
        policy_name(service),
    )
}

/// The names of both alarms, the one that scales out first.
#[must_use]
pub fn names(service: &Service) -> [String; 2] {
    ["AlarmHigh", "AlarmLow"].map(|end| {
        let own = format!("TargetTracking-service/{}/{}-{end}", service.cluster, service.name);
        let id = uuid(&format!("{} {own}", service.region));
        format!("{own}-{id}")
    })
}

/// Both alarms; none for a service that does not follow a target.
#[must_use]
pub fn alarms(service: &Service, at: Wall) -> Vec<Alarm> {
    let Some(spec) = service.spec() else { return Vec::new() };
    let Some((bounds, target)) = spec.autoscaling.as_ref().and_then(|bounds| Some((bounds, bounds.target?)))
    else {
        return Vec::new();
    };
    let own = service_dimensions(service);
    let (key, word, stat) = match bounds.metric.as_str() {
        "ECSServiceAverageCPUUtilization" => {
            (Key::new("AWS/ECS", "CPUUtilization", own), "Average", Statistic::Average)
        }
        "ECSServiceAverageMemoryUtilization" => {
            (Key::new("AWS/ECS", "MemoryUtilization", own), "Average", Statistic::Average)
        }
        "ALBRequestCountPerTarget" => {
            let Some(balancer) = spec.load_balancers.first() else { return Vec::new() };
            let dimensions = balancer_dimensions(&balancer.name, Some(&balancer.target_group));
            (Key::new("AWS/ApplicationELB", "RequestCountPerTarget", dimensions), "Sum", Statistic::Sum)
        }
        name => (Key::new(CUSTOM, name, own), "Average", Statistic::Average),
    };
    let arn = policy_arn(service);
    let [high, low] = names(service);
    [
        (high, Comparison::GreaterThan, target, 3),
        // Scaling in begins a tenth below the target, after a quarter of an hour.
        (low, Comparison::LessThan, target * 0.9, 15),
    ]
    .into_iter()
    .map(|(name, comparison, threshold, periods)| {
        let watch = Watch {
            queries: vec![Query {
                id: "m1".to_owned(),
                ask: Ask::Stat { key: key.clone(), period: MINUTE, word: word.to_owned(), stat },
                label: None,
                returns: true,
            }],
            period: MINUTE,
            periods,
            datapoints: periods,
            threshold: (threshold * 1e3).round() / 1e3,
            comparison,
            missing: Missing::Missing,
        };
        let mut alarm = Alarm::new(name, Kind::Metric(watch), at);
        alarm.description = Some(format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}."));
        alarm.alarm_actions = vec![arn.clone()];
        alarm
    })
    .collect()
}
