//! Which metrics belong to which resource, and which of them the present screen shows.
//!
//! Must ask for nothing that is not on screen.

use std::collections::BTreeSet;

use crate::app::Model;
use crate::app::charts::Chart;
use crate::app::layout::layout;
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::diagnose::Subject;
use crate::domain::alarm::{Alarm, AlarmRule};
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::CacheId;
use crate::domain::database::DbInstance;
use crate::domain::ecs::ServiceId;
use crate::domain::metric::{MetricId, MetricQuery, MetricSource, Range};
use crate::domain::scope::Scope;
use crate::stdx::rect::Rect;

/// A service's metrics: word, unit, chart.
pub type Named = (&'static str, &'static str, Chart);

/// CPU and memory of a service; its running and wanted tasks where Container Insights are on.
#[must_use]
pub fn service(id: &ServiceId, insights: bool, range: Range) -> Vec<Named> {
    let dimensions = [("ClusterName", id.cluster.as_str()), ("ServiceName", id.name.as_str())];
    let of = |namespace: &str, name: &str| {
        Chart::of(&id.scope, range, MetricId::new(namespace, name, &dimensions), "Average")
    };
    let mut charts = vec![
        ("CPU", "%", of("AWS/ECS", "CPUUtilization")),
        ("Memory", "%", of("AWS/ECS", "MemoryUtilization")),
    ];
    if insights {
        charts.push(("Running tasks", "", of("ECS/ContainerInsights", "RunningTaskCount")));
        charts.push(("Desired tasks", "", of("ECS/ContainerInsights", "DesiredTaskCount")));
    }
    charts
}

/// Answers of a target group's targets that were errors of theirs, in percent of all; no answer is no error.
#[must_use]
pub fn five_hundreds(scope: &Scope, group: &TargetGroup, range: Range) -> Option<Named> {
    let dimensions = [("LoadBalancer", group.balancer_dimension()?), ("TargetGroup", group.dimension()?)];
    let sum = |id: &str, name: &str| MetricQuery {
        id: id.to_owned(),
        what: MetricSource::Stat {
            metric: MetricId::new("AWS/ApplicationELB", name, &dimensions),
            stat: "Sum".to_owned(),
            period: range.period(),
        },
        wanted: false,
    };
    let rate = MetricQuery {
        id: "e".to_owned(),
        what: MetricSource::Expression {
            expression: "100 * FILL(errors, 0) / FILL(all, 1)".to_owned(),
            period: None,
        },
        wanted: true,
    };
    let queries = vec![sum("errors", "HTTPCode_Target_5XX_Count"), sum("all", "RequestCount"), rate];
    Some(("5xx answers", "%", Chart { scope: scope.clone(), range, queries }))
}

/// A database instance's metrics, those that matter most first.
#[must_use]
pub fn database(instance: &DbInstance, range: Range) -> Vec<Named> {
    let dimensions = [("DBInstanceIdentifier", instance.id.name.as_str())];
    let of = |name: &str, stat: &str| {
        Chart::of(&instance.id.scope, range, MetricId::new("AWS/RDS", name, &dimensions), stat)
    };
    let mut charts = vec![
        ("CPUUtilization", "%", of("CPUUtilization", "Average")),
        ("DatabaseConnections", "", of("DatabaseConnections", "Maximum")),
    ];
    let is_aurora = instance.engine.starts_with("aurora");
    if !is_aurora {
        charts.push(("FreeStorageSpace", "B", of("FreeStorageSpace", "Minimum")));
    }
    charts.push(("FreeableMemory", "B", of("FreeableMemory", "Minimum")));
    if instance.source.is_some() {
        charts.push(("ReplicaLag", "s", of("ReplicaLag", "Maximum")));
    } else if is_aurora {
        charts.push(("AuroraReplicaLag", "ms", of("AuroraReplicaLag", "Maximum")));
    }
    if instance.class.starts_with("db.t") {
        charts.push(("CPUCreditBalance", "", of("CPUCreditBalance", "Minimum")));
    }
    if instance.performance_insights {
        charts.push(("DBLoad", "", of("DBLoad", "Average")));
    }
    charts.push(("ReadLatency", "s", of("ReadLatency", "Average")));
    charts.push(("WriteLatency", "s", of("WriteLatency", "Average")));
    charts
}

/// A cache node's metrics.
#[must_use]
pub fn cache_node(id: &CacheId, node_type: &str, range: Range) -> Vec<Named> {
    let dimensions = [("CacheClusterId", id.name.as_str())];
    let of = |name: &str, stat: &str| {
        Chart::of(&id.scope, range, MetricId::new("AWS/ElastiCache", name, &dimensions), stat)
    };
    let mut charts = vec![
        ("CPUUtilization", "%", of("CPUUtilization", "Average")),
        ("DatabaseMemoryUsagePercentage", "%", of("DatabaseMemoryUsagePercentage", "Maximum")),
        ("Evictions", "", of("Evictions", "Sum")),
        ("EngineCPUUtilization", "%", of("EngineCPUUtilization", "Average")),
        ("CurrConnections", "", of("CurrConnections", "Maximum")),
        ("ReplicationLag", "s", of("ReplicationLag", "Maximum")),
    ];
    if node_type.starts_with("cache.t") {
        charts.push(("CPUCreditBalance", "", of("CPUCreditBalance", "Minimum")));
    }
    charts
}

/// The numbers that an alarm compares, over a range.
#[must_use]
pub fn alarm(alarm: &Alarm, range: Range) -> Option<Chart> {
    let rule: &AlarmRule = alarm.rule.as_ref()?;
    let period = rule.period.max(range.period());
    if let (Some(metric), Some(stat)) = (&rule.metric, &rule.stat) {
        let what = MetricSource::Stat { metric: metric.clone(), stat: stat.clone(), period };
        let queries = vec![MetricQuery { id: "m".to_owned(), what, wanted: true }];
        return Some(Chart { scope: alarm.id.scope.clone(), range, queries });
    }
    let queries: Vec<MetricQuery> = rule.queries.clone();
    // CloudWatch charts one line: the one that the alarm compares.
    (queries.iter().filter(|query| query.wanted).count() == 1).then(|| Chart {
        scope: alarm.id.scope.clone(),
        range,
        queries,
    })
}

/// The charts of the present screen, each once, the most wanted first.
#[must_use]
pub fn wanted(model: &Model) -> Vec<Chart> {
    let mut charts: Vec<Chart> = Vec::new();
    let mut add = |chart: Chart| charts.push(chart);
    if let Some(Overlay::Detail(item, _)) = &model.overlay {
        for (_, _, chart) in of_item(model, item, model.range) {
            add(chart);
        }
    }
    let screen = layout(model, model.size);
    let visible = |pane: PaneId| screen.pane(pane).is_some();
    let estate = &model.world.estate;
    if visible(PaneId::Service)
        && let Some(subject) = &model.subject
    {
        for (_, _, chart) in
            of_item(model, &Item::Subject(Subject::Service(subject.clone())), Range::ThreeHours)
        {
            add(chart);
        }
    }
    for pane in [PaneId::Databases, PaneId::Caches] {
        if !visible(pane) {
            continue;
        }
        let Some(list) = model.triage.list(pane) else { continue };
        let height = screen.inside(pane).map_or(0, |area| usize::from(area.height));
        for item in list.rows.iter().skip(list.cursor.offset()).take(height) {
            of_row(model, item).into_iter().for_each(&mut add);
        }
    }
    if visible(PaneId::Services) && sparks_beside_services(screen.inside(PaneId::Services)) {
        let list = &model.services.list;
        let height = screen.inside(PaneId::Services).map_or(0, |area| usize::from(area.height));
        for id in list.rows.iter().skip(list.cursor.offset()).take(height) {
            service(id, false, Range::ThreeHours).into_iter().for_each(|(_, _, chart)| add(chart));
        }
    }
    // The first screen judges databases and caches by their newest numbers.
    if visible(PaneId::Fleet) {
        let databases = estate.instances.keys().cloned().map(Subject::Database);
        let caches = estate.cache_nodes.keys().cloned().map(Subject::Cache);
        for subject in databases.chain(caches) {
            of_row(model, &Item::Subject(subject)).into_iter().for_each(&mut add);
        }
    }
    let mut known = BTreeSet::new();
    let mut first = charts.iter().map(|chart| known.insert(chart)).collect::<Vec<_>>().into_iter();
    charts.retain(|_| first.next().unwrap_or(true));
    charts
}

/// Whether the list of services is wide enough for lines beside its names; a line that is not drawn costs nothing.
#[must_use]
pub fn sparks_beside_services(area: Option<Rect>) -> bool {
    area.is_some_and(|area| area.width >= 132)
}

/// Metrics that no rule judges and no list shows: they are for details alone.
const DETAILS: [&str; 6] = [
    "FreeableMemory",
    "ReadLatency",
    "WriteLatency",
    "CurrConnections",
    "ReplicationLag",
    "AuroraReplicaLag",
];

/// The charts that a list shows and rules judge: fewer than the details have. Free storage is read over a day
/// too, since its slope tells when it ends.
fn of_row(model: &Model, item: &Item) -> Vec<Chart> {
    let own = of_item(model, item, Range::ThreeHours).into_iter();
    let mut charts: Vec<Chart> =
        own.filter(|(name, ..)| !DETAILS.contains(name)).map(|(_, _, chart)| chart).collect();
    if matches!(item, Item::Subject(Subject::Database(_))) {
        let day = of_item(model, item, Range::Day).into_iter();
        charts.extend(day.filter(|(name, ..)| *name == "FreeStorageSpace").map(|(_, _, chart)| chart));
    }
    charts
}

/// The charts of one resource.
#[must_use]
pub fn of_item(model: &Model, item: &Item, range: Range) -> Vec<Named> {
    let Item::Subject(subject) = item else { return Vec::new() };
    let estate = &model.world.estate;
    match subject {
        Subject::Service(id) => {
            let insights =
                model.world.clusters.get(&id.cluster_id()).and_then(|c| c.as_ref()).is_some_and(|c| {
                    let on = |v: &str| matches!(v, "enabled" | "enhanced");
                    c.value.settings.iter().any(|(k, v)| k == "containerInsights" && on(v))
                });
            let mut charts = service(id, insights, range);
            let groups = model.world.service(id).map(|seen| &seen.value.load_balancers);
            let groups = groups.into_iter().flatten().filter_map(|b| b.target_group_arn.as_ref());
            charts.extend(
                groups
                    .filter_map(|arn| estate.target_groups.get(arn))
                    .filter_map(|group| five_hundreds(&id.scope, group, range)),
            );
            charts
        }
        Subject::Database(id) => {
            estate.instances.get(id).map_or_else(Vec::new, |seen| database(&seen.value, range))
        }
        Subject::Cache(id) => estate
            .cache_nodes
            .get(id)
            .map_or_else(Vec::new, |seen| cache_node(id, &seen.value.node_type, range)),
        Subject::Alarm(id) => estate
            .alarms
            .get(id)
            .and_then(|seen| alarm(&seen.value, range))
            .map_or_else(Vec::new, |chart| vec![("", "", chart)]),
        Subject::Secret(_) | Subject::Cluster(_) | Subject::Scope(_) => Vec::new(),
    }
}
