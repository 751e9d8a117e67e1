//! Services that autoscaling cannot help any more.
//!
//! Must not judge a target-tracking alarm alone: it is in ALARM whenever a service scales.

use super::alarm::newest_datapoint;
use super::number::short;
use super::{Finding, Severity, Subject};
use crate::domain::alarm::{Alarm, AlarmState};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::scaling::ScalableTarget;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::count;

/// From this utilization on tasks have nothing left, in percent.
const EXHAUSTED: f64 = 90.0;

/// The bounds of a service among those of its scope.
#[must_use]
pub fn bounds_of<'t>(service: &ServiceId, targets: &'t [ScalableTarget]) -> Option<&'t ScalableTarget> {
    let is_own = |target: &&ScalableTarget| {
        let name = target.resource.strip_prefix("service/").and_then(|rest| rest.split_once('/'));
        name == Some((service.cluster.as_str(), service.name.as_str()))
    };
    targets.iter().find(is_own)
}

/// A service that runs its maximum of tasks while target tracking still asks for more: `At its maximum of 6 tasks,
/// and still CPUUtilization 98.2 > 60 for 9 min`.
#[must_use]
pub fn at_maximum<'a>(
    service: &Service,
    bounds: &ScalableTarget,
    alarms: impl IntoIterator<Item = &'a Alarm>,
    now: Wall,
) -> Option<Finding> {
    let max = bounds.max;
    if max == 0 || service.desired < max {
        return None;
    }
    // The name tells the service whatever the metric: requests per target have no dimension of a service.
    let own = format!("TargetTracking-service/{}/{}-AlarmHigh-", service.id.cluster, service.id.name);
    let asks = |alarm: &&Alarm| {
        alarm.state == AlarmState::Alarm
            && alarm.id.scope == service.id.scope
            && alarm.id.name.starts_with(&own)
    };
    let alarm = alarms.into_iter().find(asks)?;
    let metric = alarm.rule.as_ref().and_then(|rule| rule.metric.as_ref());
    let what = metric.map_or("its metric", |metric| metric.name.as_str());
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
        let mut high =
            alarm("TargetTracking-service/cma-production/gateway-AlarmHigh-0f3c", cpu_of("gateway"), "ALARM");
        high.reason = "Threshold Crossed: 3 datapoints [97.5 (20/11/26 13:59:00), 96.0] were greater".into();
        high.since = Some(NOW.minus(std::time::Duration::from_secs(540)));
        high.rule.as_mut().unwrap().threshold = Some(60.0);
        let found = |alarm: &Alarm, max| at_maximum(&of, &bounds(max), [alarm], NOW);
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
