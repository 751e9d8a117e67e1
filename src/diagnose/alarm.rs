//! What an alarm says, what it watches, and what nothing watches.
//!
//! Must not take ALARM for sickness where it is by design: target tracking's alarms are folded away.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::number::short;
use super::{Finding, Severity, Subject};
use crate::domain::alarm::{Alarm, AlarmId, AlarmKind, AlarmState};
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::{CacheCluster, CacheId, ReplicationGroup};
use crate::domain::database::{DatabaseId, DbCluster, DbInstance};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::metric::{MetricId, MetricSource};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::{count, fit};

/// A resource as CloudWatch knows it: where, by which dimension, by which value.
type Handle<'a> = (&'a Scope, &'static str, &'a str);

/// What a dimension names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource<'a> {
    Service(&'a ServiceId),
    Database(&'a DatabaseId),
    Cache(&'a Scope, &'a str),
}

impl Resource<'_> {
    fn subject(self) -> Subject {
        match self {
            Self::Service(id) => Subject::Service(id.clone()),
            Self::Database(id) => Subject::Database(id.clone()),
            Self::Cache(scope, name) => {
                Subject::Cache(CacheId { scope: scope.clone(), name: name.to_owned() })
            }
        }
    }
}

/// The resources that alarms may watch, by their dimensions. It is made with each judgement, of thousands: nothing
/// is copied into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known<'a> {
    services: HashMap<(&'a Scope, &'a str, &'a str), &'a ServiceId>,
    handles: HashMap<Handle<'a>, Vec<Resource<'a>>>,
}

impl<'a> Known<'a> {
    fn add(&mut self, scope: &'a Scope, dimension: &'static str, value: &'a str, resource: Resource<'a>) {
        // Some stand there twice; what is found of an alarm is a set.
        self.handles.entry((scope, dimension, value)).or_default().push(resource);
    }

    fn get(&self, scope: &'a Scope, dimension: &'static str, value: &'a str) -> Vec<Subject> {
        let found = self.handles.get(&(scope, dimension, value));
        found.into_iter().flatten().map(|resource| resource.subject()).collect()
    }

    /// Adds a service; the load balancers are found over its target groups, where those were read.
    pub fn service(&mut self, service: &'a Service, target_groups: &BTreeMap<&str, &'a TargetGroup>) {
        let id = &service.id;
        self.services.insert((&id.scope, &id.cluster, &id.name), id);
        for arn in service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.as_deref()) {
            if let Some(dimension) = last(arn).filter(|resource| resource.starts_with("targetgroup/")) {
                self.add(&id.scope, "TargetGroup", dimension, Resource::Service(id));
            }
            let group = target_groups.get(arn);
            for balancer in group.into_iter().flat_map(|group| &group.balancers) {
                if let Some(dimension) = last(balancer).and_then(|r| r.strip_prefix("loadbalancer/")) {
                    self.add(&id.scope, "LoadBalancer", dimension, Resource::Service(id));
                }
            }
        }
    }

    /// Adds a database instance.
    pub fn instance(&mut self, instance: &'a DbInstance) {
        let id = &instance.id;
        self.add(&id.scope, "DBInstanceIdentifier", &id.name, Resource::Database(id));
    }

    /// Adds a database cluster.
    pub fn cluster(&mut self, cluster: &'a DbCluster) {
        let id = &cluster.id;
        self.add(&id.scope, "DBClusterIdentifier", &id.name, Resource::Database(id));
    }

    /// Adds a replication group with its nodes.
    pub fn cache_group(&mut self, group: &'a ReplicationGroup) {
        let id = &group.id;
        let cache = Resource::Cache(&id.scope, &id.name);
        self.add(&id.scope, "ReplicationGroupId", &id.name, cache);
        for member in group.shards.iter().flat_map(|shard| &shard.members) {
            self.add(&id.scope, "CacheClusterId", &member.cluster, cache);
        }
    }

    /// Adds a cache cluster; one of a group stands for the group.
    pub fn cache_cluster(&mut self, cluster: &'a CacheCluster) {
        let id = &cluster.id;
        let whole = cluster.group.as_deref().unwrap_or(&id.name);
        self.add(&id.scope, "CacheClusterId", &id.name, Resource::Cache(&id.scope, whole));
    }

    fn of_metric(&self, scope: &'a Scope, metric: &'a MetricId) -> Vec<Subject> {
        if let Some((cluster, service)) = metric.dimension("ClusterName").zip(metric.dimension("ServiceName"))
        {
            let found = self.services.get(&(scope, cluster, service));
            return found.map(|id| Subject::Service((*id).clone())).into_iter().collect();
        }
        // A target group is closer to one service than the load balancer beside it.
        let dimensions = [
            "DBInstanceIdentifier",
            "DBClusterIdentifier",
            "CacheClusterId",
            "ReplicationGroupId",
            "TargetGroup",
            "LoadBalancer",
        ];
        let given = dimensions.iter().find_map(|name| Some((*name, metric.dimension(name)?)));
        given.map(|(name, value)| self.get(scope, name, value)).unwrap_or_default()
    }
}

/// The resource of an ARN.
fn last(arn: &str) -> Option<&str> {
    arn.rsplit(':').next()
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
pub fn watched<'a>(alarm: &'a Alarm, known: &Known<'a>) -> Vec<Subject> {
    let metrics = alarm.rule.iter().flat_map(crate::domain::alarm::AlarmRule::metrics);
    let found: BTreeSet<Subject> =
        metrics.flat_map(|metric| known.of_metric(&alarm.id.scope, metric)).collect();
    found.into_iter().collect()
}

/// What each alarm watches, composite alarms by the alarms that they name.
#[must_use]
pub fn watch_map<'a>(
    alarms: impl IntoIterator<Item = &'a Alarm>,
    known: &Known<'a>,
) -> BTreeMap<AlarmId, Vec<Subject>> {
    let all: Vec<&Alarm> = alarms.into_iter().collect();
    let by_id: BTreeMap<&AlarmId, &Alarm> = all.iter().map(|alarm| (&alarm.id, *alarm)).collect();
    all.iter()
        .map(|alarm| {
            let mut found = BTreeSet::new();
            collect(alarm, &by_id, known, &mut BTreeSet::new(), &mut found);
            (alarm.id.clone(), found.into_iter().collect())
        })
        .collect()
}

/// Each alarm once: CloudWatch forbids circles, but an answer may hold one, and many may name the same alarm.
fn collect<'a>(
    alarm: &'a Alarm,
    all: &BTreeMap<&'a AlarmId, &'a Alarm>,
    known: &Known<'a>,
    visited: &mut BTreeSet<&'a AlarmId>,
    found: &mut BTreeSet<Subject>,
) {
    if !visited.insert(&alarm.id) {
        return;
    }
    found.extend(watched(alarm, known));
    if alarm.kind != AlarmKind::Composite {
        return;
    }
    for child in children(alarm.expression.as_deref().unwrap_or_default()) {
        let id = AlarmId { scope: alarm.id.scope.clone(), name: child.alarm };
        if let Some(child) = all.get(&id) {
            collect(child, all, known, visited, found);
        }
    }
}

/// The alarms that a composite alarm's expression names, in its order; empty for other text.
#[must_use]
pub fn children(expression: &str) -> Vec<Child> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once('(') {
        let word = before.rsplit(|c: char| !(c.is_ascii_alphabetic() || c == '_')).next().unwrap_or("");
        rest = after;
        if !matches!(word, "ALARM" | "OK" | "INSUFFICIENT_DATA") {
            continue;
        }
        // A name in quotes may hold parentheses.
        let inner = after.trim_start();
        let (name, left) = match inner.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => inner.get(1..).and_then(|quoted| quoted.split_once(quote)).unwrap_or((inner, "")),
            None => inner.split_once(')').unwrap_or((inner, "")),
        };
        let name = name.trim();
        let name = name.split_once(":alarm:").map_or(name, |(_, last)| last);
        if !name.is_empty() {
            found.push(Child { state: word.to_owned(), alarm: name.to_owned() });
        }
        rest = left;
    }
    found
}

/// Whether its actions do not happen, though it may fire.
#[must_use]
pub fn is_muted(alarm: &Alarm) -> bool {
    !alarm.actions_enabled || alarm.suppressed_by.is_some()
}

/// How bad an alarm's state is; `Idle` for one of target tracking, whatever its state.
#[must_use]
pub fn alarm_severity(alarm: &Alarm) -> Severity {
    if alarm.is_target_tracking() {
        return Severity::Idle;
    }
    match alarm.state {
        AlarmState::Alarm if is_muted(alarm) => Severity::Warning,
        AlarmState::Alarm => Severity::Critical,
        AlarmState::Ok => Severity::Ok,
        AlarmState::InsufficientData | AlarmState::Other(_) => Severity::Unknown,
    }
}

/// An alarm in one short sentence with its number: `CPUUtilization 93.1 > 80 for 12 min`.
#[must_use]
pub fn alarm_sentence(alarm: &Alarm, now: Wall) -> String {
    let age = alarm.since.map(|at| brief(at.age_at(now)));
    sentence(alarm, &age.map_or_else(String::new, |age| format!(" for {age}")))
}

fn sentence(alarm: &Alarm, lasting: &str) -> String {
    let firing = alarm.state == AlarmState::Alarm;
    if alarm.kind == AlarmKind::Composite {
        let named = children(alarm.expression.as_deref().unwrap_or_default());
        let of = count(named.len(), "alarm");
        return format!("{} over {of}{lasting}", alarm.state.word());
    }
    let Some(rule) = &alarm.rule else { return format!("{}{lasting}", alarm.state.word()) };
    let what = subject_of(alarm);
    let bound = rule.threshold.map(|threshold| format!("{} {}", rule.sign(), short(threshold)));
    match (newest_datapoint(&alarm.reason), bound) {
        _ if alarm.state == AlarmState::InsufficientData => format!("No data of {what}{lasting}"),
        (Some(value), Some(bound)) if firing => format!("{what} {} {bound}{lasting}", short(value)),
        (None, Some(bound)) if firing && alarm.reason.contains("no datapoints") => {
            format!("No data of {what}, which counts as {bound}{lasting}")
        }
        (Some(value), None) if firing => format!("{what} {} is out of its band{lasting}", short(value)),
        (_, Some(bound)) if alarm.state == AlarmState::Ok => {
            format!("OK{lasting}, fires when {what} {bound}")
        }
        (_, Some(bound)) => format!("{} on {what} {bound}{lasting}", alarm.state.word()),
        (_, None) => format!("{} on {what}{lasting}", alarm.state.word()),
    }
}

/// What it compares, in few words: the metric's name, or the wanted expression.
fn subject_of(alarm: &Alarm) -> String {
    let Some(rule) = &alarm.rule else { return "its query".to_owned() };
    if let Some(metric) = &rule.metric {
        return metric.name.clone();
    }
    let wanted = rule.queries.iter().find(|query| query.wanted);
    match wanted.map(|query| &query.what) {
        Some(MetricSource::Stat { metric, .. }) => metric.name.clone(),
        // Whoever made the alarm says better what it means than its formula.
        Some(MetricSource::Expression { expression, .. }) => match &alarm.description {
            Some(words) => format!("{}:", fit(words.trim_end_matches('.'), 60)),
            None => fit(expression, 30).into_owned(),
        },
        None => "its metric".to_owned(),
    }
}

/// The number of a metric alarm as CloudWatch's reason tells it: the newest datapoint, which stands first in
/// `datapoints [93.1 (20/11/26 03:00:00), …]`.
#[must_use]
pub fn newest_datapoint(reason: &str) -> Option<f64> {
    let (_, inner) = reason.split_once('[')?;
    let number = inner.split([' ', ',', ']']).next()?;
    number.parse().ok().filter(|value: &f64| value.is_finite())
}

/// What an alarm says beside its state and since when: the number over its bound, at which bound it fires, over
/// which alarms it stands, that it is muted or cannot be evaluated.
#[must_use]
pub fn alarm_says(alarm: &Alarm, now: Wall) -> String {
    if let Some(finding) = alarm_finding(alarm, now).filter(|finding| finding.rule != FIRING) {
        return finding.sentence;
    }
    let text = if alarm.kind == AlarmKind::Composite {
        let named = children(alarm.expression.as_deref().unwrap_or_default());
        let names: Vec<String> = named.into_iter().map(|child| child.alarm).collect();
        format!("over {}", names.join(", "))
    } else {
        let text = sentence(alarm, "");
        text.strip_prefix("OK, ").map(str::to_owned).unwrap_or(text)
    };
    if alarm.state == AlarmState::Alarm { text + &muted_words(alarm) } else { text }
}

/// `, muted` or `, held back by NAME` for an alarm whose actions do not happen.
fn muted_words(alarm: &Alarm) -> String {
    match &alarm.suppressed_by {
        Some(by) => format!(", held back by {by}"),
        None if !alarm.actions_enabled => ", muted".to_owned(),
        None => String::new(),
    }
}

/// What is wrong by an alarm: it fires, it cannot be evaluated, it is muted. `None` for one that is as it should
/// be, and for those of target tracking.
#[must_use]
pub fn alarm_finding(alarm: &Alarm, now: Wall) -> Option<Finding> {
    if alarm.is_target_tracking() {
        return None;
    }
    let subject = Subject::Alarm(alarm.id.clone());
    let because = |finding: Finding| {
        let finding = finding.because(alarm.since, alarm.reason.clone());
        match &alarm.description {
            Some(words) => finding.because(None, words.clone()),
            None => finding,
        }
    };
    if alarm.state == AlarmState::Alarm {
        let text = alarm_sentence(alarm, now) + &muted_words(alarm);
        let finding = Finding::new(subject, FIRING, alarm_severity(alarm), text);
        return Some(because(finding.since(alarm.since)));
    }
    if let Some(word) = alarm.evaluation.as_deref().filter(|word| *word != "PARTIAL_DATA") {
        let text = format!("Cannot be evaluated ({word}), so it cannot fire");
        return Some(because(Finding::new(subject, "alarm.evaluation", Severity::Warning, text)));
    }
    if !alarm.actions_enabled && !alarm.actions.is_empty() {
        let actions = count(alarm.actions.len(), "action");
        let text = format!("Muted: its {actions} will not happen");
        return Some(because(Finding::new(subject, "alarm.muted", Severity::Notice, text)));
    }
    None
}

/// The rule of an alarm that fires.
pub(super) const FIRING: &str = "alarm.firing";

/// Those of the subjects that no alarm watches which tells somebody: target tracking's alarms page nobody, nor do
/// muted ones and those without actions. `watches` is what every alarm watches, a composite one over its children.
#[must_use]
pub fn coverage<'a>(
    subjects: impl IntoIterator<Item = Subject>,
    alarms: impl IntoIterator<Item = &'a Alarm>,
    watches: &BTreeMap<AlarmId, Vec<Subject>>,
) -> Vec<Subject> {
    let tells =
        |alarm: &&Alarm| !alarm.is_target_tracking() && alarm.actions_enabled && !alarm.actions.is_empty();
    let telling = alarms.into_iter().filter(tells);
    let watched: BTreeSet<&Subject> = telling.filter_map(|alarm| watches.get(&alarm.id)).flatten().collect();
    let left: BTreeSet<Subject> = subjects.into_iter().filter(|subject| !watched.contains(subject)).collect();
    left.into_iter().collect()
}

#[cfg(test)]
pub(super) mod tests;
