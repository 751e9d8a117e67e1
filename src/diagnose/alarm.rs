//! What an alarm says, what it watches, and what nothing watches.
//!
//! Must not take ALARM for sickness where it is by design: target tracking's alarms are folded away.

use serde::Serialize;

use super::{Finding, Severity, Subject};
use crate::domain::alarm::{Alarm, AlarmId};
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::database::{DbCluster, DbInstance};
use crate::domain::ecs::Service;
use crate::stdx::clock::Wall;

/// A resource by the dimensions that CloudWatch knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Handle {
    dimension: &'static str,
    value: String,
    subject: Subject,
}

/// The resources that alarms may watch, by their dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    handles: Vec<Handle>,
}

impl Known {
    /// Adds a service; the load balancers are found over its target groups, where those were read.
    pub fn service(&mut self, service: &Service, target_groups: &[TargetGroup]) {
        let _ = (service, target_groups);
    }

    /// Adds a database instance.
    pub fn instance(&mut self, instance: &DbInstance) {
        let _ = instance;
    }

    /// Adds a database cluster.
    pub fn cluster(&mut self, cluster: &DbCluster) {
        let _ = cluster;
    }

    /// Adds a replication group with its nodes.
    pub fn cache_group(&mut self, group: &ReplicationGroup) {
        let _ = group;
    }

    /// Adds a cache cluster; one of a group stands for the group.
    pub fn cache_cluster(&mut self, cluster: &CacheCluster) {
        let _ = cluster;
    }
}

/// An alarm that a composite alarm's expression names, with the state that it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Child {
    /// `ALARM`, `OK`, `INSUFFICIENT_DATA`.
    pub state: String,
    /// The alarm's name.
    pub alarm: String,
}

/// The resources that a metric alarm watches, by its dimensions; a composite alarm has none of its own.
#[must_use]
pub fn watched(alarm: &Alarm, known: &Known) -> Vec<Subject> {
    let _ = (alarm, known);
    Vec::new()
}

/// What each alarm watches, composite alarms by the alarms that they name.
#[must_use]
pub fn watch_map<'a>(
    alarms: impl IntoIterator<Item = &'a Alarm>,
    known: &Known,
) -> Vec<(AlarmId, Vec<Subject>)> {
    let _ = (alarms, known);
    Vec::new()
}

/// The alarms that a composite alarm's expression names, in its order; empty for other text.
#[must_use]
pub fn children(expression: &str) -> Vec<Child> {
    let _ = expression;
    Vec::new()
}

/// How bad an alarm's state is; `Idle` for one of target tracking, whatever its state.
#[must_use]
pub fn alarm_severity(alarm: &Alarm) -> Severity {
    let _ = alarm;
    Severity::Unknown
}

/// An alarm in one short sentence with its number: `CPUUtilization 93.1 > 80 for 12 min`.
#[must_use]
pub fn alarm_sentence(alarm: &Alarm, now: Wall) -> String {
    let _ = now;
    alarm.reason.clone()
}

/// The number of a metric alarm as CloudWatch's reason tells it: the newest datapoint.
#[must_use]
pub fn newest_datapoint(reason: &str) -> Option<f64> {
    let _ = reason;
    None
}

/// What is wrong by an alarm: it fires, it cannot be evaluated, it is muted while it fires. `None` for one that is
/// as it should be, and for those of target tracking.
#[must_use]
pub fn alarm_finding(alarm: &Alarm, now: Wall) -> Option<Finding> {
    let _ = (alarm, now);
    None
}

/// Those of the subjects that no alarm watches; target tracking's alarms do not count, since they page nobody.
#[must_use]
pub fn coverage<'a>(
    subjects: impl IntoIterator<Item = Subject>,
    alarms: impl IntoIterator<Item = &'a Alarm>,
    known: &Known,
) -> Vec<Subject> {
    let _ = (subjects, alarms, known);
    Vec::new()
}
