//! Services that autoscaling cannot help any more.
//!
//! Must not judge a target-tracking alarm alone: it is in ALARM whenever a service scales.

use super::alarm::newest_datapoint;
use super::number::short;
use super::{Finding, Severity, Subject};
use crate::domain::alarm::{Alarm, AlarmState};
use crate::domain::ecs::Service;
use crate::domain::scaling::ScalableTarget;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::count;

/// From this utilization on tasks have nothing left, in percent.
const EXHAUSTED: f64 = 90.0;

/// A service that runs its maximum of tasks while target tracking still asks for more: `At its maximum of 6 tasks,
/// and still CPUUtilization 98.2 > 60 for 9 min`.
#[must_use]
pub fn at_maximum<'a>(
    service: &Service,
    targets: &[ScalableTarget],
    alarms: impl IntoIterator<Item = &'a Alarm>,
    now: Wall,
) -> Option<Finding> {
    let resource = format!("service/{}/{}", service.id.cluster, service.id.name);
    // Bounds are told without their region: where several services have this name, all must be at their maximum.
    let mut bounds = targets.iter().filter(|target| target.resource == resource).map(|target| target.max);
    let max = bounds.clone().max()?;
    if max == 0 || bounds.any(|max| service.desired < max) {
        return None;
    }
    let asks = |alarm: &&Alarm| {
        alarm.is_target_tracking()
            && alarm.state == AlarmState::Alarm
            && alarm.id.scope == service.id.scope
            && alarm.id.name.contains("AlarmHigh")
    };
    let metric = |alarm: &Alarm| alarm.rule.as_ref().and_then(|rule| rule.metric.clone());
    let own = |alarm: &&Alarm| {
        metric(alarm).is_some_and(|metric| {
            metric.dimension("ServiceName") == Some(service.id.name.as_str())
                && metric.dimension("ClusterName") == Some(service.id.cluster.as_str())
        })
    };
    let alarm = alarms.into_iter().filter(asks).find(own)?;
    let what = metric(alarm).map_or_else(|| "its metric".to_owned(), |metric| metric.name);
    let value = newest_datapoint(&alarm.reason);
    let target = alarm.rule.as_ref().and_then(|rule| rule.threshold);
    let over = match (value, target) {
        (Some(value), Some(target)) => format!("{what} {} > {}", short(value), short(target)),
        _ => format!("{what} over its target"),
    };
    let lasting = alarm.since.map_or_else(String::new, |at| format!(" for {}", brief(at.age_at(now))));
    let tasks = count(usize::try_from(max).unwrap_or(usize::MAX), "task");
    let severity = match value {
        Some(value) if what.ends_with("Utilization") && value >= EXHAUSTED => Severity::Critical,
        _ => Severity::Warning,
    };
    let text = format!("At its maximum of {tasks}, and still {over}{lasting}");
    let finding = Finding::new(Subject::Service(service.id.clone()), "service.at-maximum", severity, text);
    Some(finding.since(alarm.since).because(alarm.since, alarm.reason.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::alarm::tests::{alarm, cpu_of};
    use crate::diagnose::database::fixtures::service;

    const NOW: Wall = Wall(1_795_000_000_000);

    fn bounds(max: u32) -> ScalableTarget {
        let of = service("gateway", 6);
        ScalableTarget {
            resource: format!("service/{}/{}", of.id.cluster, of.id.name),
            dimension: "ecs:service:DesiredCount".into(),
            min: 1,
            max,
            suspended: Vec::new(),
        }
    }

    #[test]
    fn the_maximum_hurts_only_while_more_is_asked_for() {
        let of = service("gateway", 6);
        let mut high = alarm("TargetTracking-service/gateway-AlarmHigh-1", cpu_of("gateway"), "ALARM");
        high.reason = "Threshold Crossed: 3 datapoints [97.5 (20/11/26 13:59:00), 96.0] were greater".into();
        high.since = Some(NOW.minus(std::time::Duration::from_secs(540)));
        high.rule.as_mut().unwrap().threshold = Some(60.0);
        let found = |alarm: &Alarm, max| at_maximum(&of, &[bounds(max)], [alarm], NOW);
        let finding = found(&high, 6).unwrap();
        assert_eq!(
            (finding.severity, finding.sentence.as_str()),
            (Severity::Critical, "At its maximum of 6 tasks, and still CPUUtilization 97.5 > 60 for 9 min")
        );
        assert_eq!(found(&high, 7), None, "it may still grow");
        high.state = AlarmState::Ok;
        assert_eq!(found(&high, 6), None, "nothing asks for more");
    }
}
