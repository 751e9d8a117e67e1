//! What `fleet` asks: the lists of every scope at once, then what those lists call for (the tasks of sick
//! services, the numbers of databases and caches, the readers of secrets that changed).
//!
//! Must not ask for what no rule looks at: numbers cost money, and the quotas are shared.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cli::gather::{Gather, Work};
use crate::cli::session::Session;
use crate::diagnose::fleet::{Fleet, FleetFacts};
use crate::diagnose::{replaces_tasks, service_health};
use crate::domain::alarm::Alarm;
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::database::{DataEvent, DatabaseId, DbCluster, DbInstance, Maintenance};
use crate::domain::ecs::Service;
use crate::domain::metric::{MetricId, MetricQuery, MetricSource, Series};
use crate::domain::query::{Answer, MetricRequest, Query};
use crate::domain::scaling::ScalableTarget;
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::Secret;
use crate::domain::sweep::Goal;
use crate::domain::task::Task;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// Events older than this are history, not a problem.
const EVENTS: Duration = Duration::from_secs(3_600);

/// The newest number of a metric lies within this: CloudWatch is one to three minutes late.
const NEWEST: Duration = Duration::from_secs(15 * 60);

/// How far back free storage is read, for its slope.
const SLOPE: Duration = Duration::from_secs(24 * 3_600);

/// Readers of a secret are looked at when it changed within this.
const CHANGED: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What the rules for databases look at.
const DATABASE_METRICS: [&str; 6] =
    ["CPUUtilization", "DatabaseConnections", "FreeStorageSpace", "CPUCreditBalance", "ReplicaLag", "DBLoad"];

/// What the rules for caches look at.
const CACHE_METRICS: [&str; 5] = [
    "EngineCPUUtilization",
    "CPUUtilization",
    "DatabaseMemoryUsagePercentage",
    "Evictions",
    "CPUCreditBalance",
];

/// How many target groups one call describes.
const TARGET_GROUPS_PER_CALL: usize = 20;

/// All that was found.
#[derive(Debug, Default)]
pub struct Seen {
    services: Vec<Service>,
    tasks: Vec<Task>,
    definitions: BTreeMap<(Scope, String), TaskDefinition>,
    instances: Vec<DbInstance>,
    clusters: Vec<DbCluster>,
    groups: Vec<ReplicationGroup>,
    caches: Vec<CacheCluster>,
    secrets: Vec<Secret>,
    alarms: Vec<Alarm>,
    alarms_read: BTreeSet<Scope>,
    target_groups: Vec<TargetGroup>,
    targets: Vec<ScalableTarget>,
    database_events: Vec<DataEvent>,
    cache_events: Vec<DataEvent>,
    maintenance: Vec<Maintenance>,
    database_metrics: BTreeMap<DatabaseId, BTreeMap<String, f64>>,
    free_storage: BTreeMap<DatabaseId, Vec<(Wall, f64)>>,
    cache_metrics: BTreeMap<String, BTreeMap<String, f64>>,
    /// What each metric query of a scope stands for.
    asked: BTreeMap<(Scope, String), Measured>,
}

/// Whose number a metric query brings.
#[derive(Clone, Debug)]
enum Measured {
    Database(DatabaseId, &'static str),
    Storage(DatabaseId),
    Cache(String, &'static str),
}

/// Asks all scopes.
pub async fn everything(session: &Session, gather: &mut Gather, now: Wall) -> Seen {
    let mut seen = Seen::default();
    let start = session.scopes.iter().flat_map(|scope| lists(scope, now)).collect();
    gather.run(start, |query, answer| seen.take(query, answer, now)).await;
    let readers = seen.readers(now);
    if !readers.is_empty() {
        gather.run(readers, |query, answer| seen.take(query, answer, now)).await;
    }
    // A list that failed leaves coverage unknown.
    for missing in gather.failures() {
        if missing.action.as_deref() == Some("cloudwatch:DescribeAlarms") {
            seen.alarms_read.retain(|scope| {
                scope.region.as_str() != missing.region || scope.account.as_str() != missing.account
            });
        }
    }
    seen
}

/// What is asked of a scope before anything is known.
fn lists(scope: &Scope, now: Wall) -> Vec<Work> {
    let scope = || scope.clone();
    let from = now.minus(EVENTS);
    let pages = [
        Query::DescribeAlarms { scope: scope(), state: None, page: None },
        Query::DescribeDbInstances { scope: scope(), page: None },
        Query::DescribeDbClusters { scope: scope(), page: None },
        Query::DescribeReplicationGroups { scope: scope(), page: None },
        Query::DescribeCacheClusters { scope: scope(), page: None },
        Query::ListSecrets { scope: scope(), page: None },
        Query::DescribeScalableTargets { scope: scope(), page: None },
        Query::DescribeDbEvents { scope: scope(), from, page: None },
        Query::DescribeCacheEvents { scope: scope(), from, page: None },
        Query::DescribePendingMaintenance { scope: scope(), page: None },
    ];
    std::iter::once(Work::Names(Query::ListClusters { scope: scope(), page: None }))
        .chain(pages.map(|query| Work::Sweep(Goal::Pages(Box::new(query)))))
        .collect()
}

impl Seen {
    fn take(&mut self, query: &Query, answer: Answer, now: Wall) -> Vec<Work> {
        let scope = query.scope();
        match (query, answer) {
            (Query::ListClusters { .. }, Answer::Names { names, .. }) => {
                let sweep = |arn: &String| {
                    let cluster = Arn::last(arn).to_owned();
                    Work::Sweep(Goal::Services { scope: scope.clone(), cluster })
                };
                return names.iter().map(sweep).collect();
            }
            (_, Answer::Services { found, .. }) => {
                let next = found.iter().flat_map(|service| after_service(service, now)).collect();
                self.services.extend(found);
                return next;
            }
            (_, Answer::Tasks { found, .. }) => self.tasks.extend(found),
            (Query::DescribeTaskDefinition { arn, .. }, Answer::TaskDefinition(found)) => {
                self.definitions.insert((scope.clone(), arn.clone()), *found);
            }
            (_, Answer::TargetGroups { found }) => self.target_groups.extend(found),
            (_, Answer::Alarms { found, .. }) => {
                self.alarms_read.insert(scope.clone());
                self.alarms.extend(found);
            }
            (_, Answer::DbInstances { found, .. }) => {
                let next = self.database_numbers(scope, &found, now);
                self.instances.extend(found);
                return next;
            }
            (_, Answer::DbClusters { found, .. }) => self.clusters.extend(found),
            (_, Answer::ReplicationGroups { found, .. }) => self.groups.extend(found),
            (_, Answer::CacheClusters { found, .. }) => {
                let next = self.cache_numbers(scope, &found, now);
                self.caches.extend(found);
                return next;
            }
            (_, Answer::Secrets { found, .. }) => self.secrets.extend(found),
            (_, Answer::ScalableTargets { found, .. }) => self.targets.extend(found),
            (Query::DescribeDbEvents { .. }, Answer::DataEvents { found, .. }) => {
                self.database_events.extend(found);
            }
            (Query::DescribeCacheEvents { .. }, Answer::DataEvents { found, .. }) => {
                self.cache_events.extend(found);
            }
            (_, Answer::Maintenance { found, .. }) => self.maintenance.extend(found),
            (_, Answer::Metrics { series, .. }) => {
                for series in series {
                    self.number(scope, series);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn database_numbers(&mut self, scope: &Scope, found: &[DbInstance], now: Wall) -> Vec<Work> {
        let mut newest = Vec::new();
        let mut slopes = Vec::new();
        for instance in found {
            let whose = [("DBInstanceIdentifier", instance.id.name.as_str())];
            for name in DATABASE_METRICS {
                let measured = Measured::Database(instance.id.clone(), name);
                newest.push(self.question(scope, MetricId::new("AWS/RDS", name, &whose), 60, measured));
            }
            let measured = Measured::Storage(instance.id.clone());
            let metric = MetricId::new("AWS/RDS", "FreeStorageSpace", &whose);
            slopes.push(self.question(scope, metric, 3_600, measured));
        }
        let mut work = request(scope, newest, now, NEWEST);
        work.extend(request(scope, slopes, now, SLOPE));
        work
    }

    fn cache_numbers(&mut self, scope: &Scope, found: &[CacheCluster], now: Wall) -> Vec<Work> {
        let mut questions = Vec::new();
        for cache in found {
            for name in CACHE_METRICS {
                let whose = [("CacheClusterId", cache.id.name.as_str())];
                let measured = Measured::Cache(cache.id.name.clone(), name);
                questions.push(self.question(
                    scope,
                    MetricId::new("AWS/ElastiCache", name, &whose),
                    60,
                    measured,
                ));
            }
        }
        request(scope, questions, now, NEWEST)
    }

    /// A query for a metric, with a note of what its answer means.
    fn question(&mut self, scope: &Scope, metric: MetricId, period: u32, measured: Measured) -> MetricQuery {
        let id = format!("m{}", self.asked.len());
        self.asked.insert((scope.clone(), id.clone()), measured);
        let what = MetricSource::Stat { metric, stat: "Average".to_owned(), period };
        MetricQuery { id, what, wanted: true }
    }

    fn number(&mut self, scope: &Scope, series: Series) {
        let Some(measured) = self.asked.get(&(scope.clone(), series.id.clone())) else { return };
        match (measured.clone(), series.last()) {
            (Measured::Storage(id), _) => {
                self.free_storage.entry(id).or_default().extend(series.points);
            }
            (Measured::Database(id, name), Some(value)) => {
                self.database_metrics.entry(id).or_default().insert(name.to_owned(), value);
            }
            (Measured::Cache(id, name), Some(value)) => {
                self.cache_metrics.entry(id).or_default().insert(name.to_owned(), value);
            }
            (_, None) => {}
        }
    }

    /// What tells who reads secrets that changed lately or are about to vanish: the services' definitions, and
    /// their running tasks.
    fn readers(&self, now: Wall) -> Vec<Work> {
        let moved = |secret: &&Secret| {
            secret.deleted_at.is_some() || secret.last_changed.is_some_and(|at| at.age_at(now) < CHANGED)
        };
        let scopes: BTreeSet<&Scope> = self.secrets.iter().filter(moved).map(|s| &s.id.scope).collect();
        let mut asked = BTreeSet::new();
        let mut work = Vec::new();
        for service in self.services.iter().filter(|s| scopes.contains(&s.id.scope)) {
            let (scope, arn) = (service.id.scope.clone(), service.task_definition_arn.clone());
            if asked.insert((scope.clone(), arn.clone())) {
                work.push(Work::Ask(Query::DescribeTaskDefinition { scope, arn }));
            }
            if !sick(service, now) {
                work.push(tasks(service, false));
            }
        }
        work
    }

    /// Hands all of it to a judge.
    pub fn judged(&self, now: Wall, judge: impl Fn(&FleetFacts<'_>, Wall) -> Fleet) -> Fleet {
        let definition = |service: &Service| {
            self.definitions.get(&(service.id.scope.clone(), service.task_definition_arn.clone()))
        };
        let facts = FleetFacts {
            services: self.services.iter().collect(),
            tasks: self.tasks.iter().collect(),
            definitions: self.services.iter().filter_map(|s| Some((&s.id, definition(s)?))).collect(),
            instances: self.instances.iter().collect(),
            clusters: self.clusters.iter().collect(),
            cache_groups: self.groups.iter().collect(),
            cache_clusters: self.caches.iter().collect(),
            secrets: self.secrets.iter().collect(),
            alarms: self.alarms.iter().collect(),
            target_groups: &self.target_groups,
            targets: &self.targets,
            database_events: &self.database_events,
            cache_events: &self.cache_events,
            maintenance: &self.maintenance,
            database_metrics: self.database_metrics.clone(),
            free_storage: self.free_storage.iter().map(|(id, p)| (id.clone(), p.as_slice())).collect(),
            cache_metrics: self.cache_metrics.clone(),
            alarms_read: self.alarms_read.clone(),
            ..FleetFacts::default()
        };
        judge(&facts, now)
    }
}

fn sick(service: &Service, now: Wall) -> bool {
    !service_health(service, now).severity.is_calm() || replaces_tasks(service, now)
}

/// The tasks of a sick service tell why, and target groups tell which alarms watch it.
fn after_service(service: &Service, now: Wall) -> Vec<Work> {
    let mut work = Vec::new();
    if sick(service, now) {
        work.extend([tasks(service, true), tasks(service, false)]);
    }
    let arns: Vec<String> =
        service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.clone()).collect();
    for arns in arns.chunks(TARGET_GROUPS_PER_CALL) {
        let scope = service.id.scope.clone();
        work.push(Work::Ask(Query::DescribeTargetGroups { scope, arns: arns.to_vec() }));
    }
    work
}

fn tasks(service: &Service, stopped: bool) -> Work {
    Work::Sweep(Goal::Tasks {
        scope: service.id.scope.clone(),
        cluster: service.id.cluster.clone(),
        service: Some(service.id.name.clone()),
        stopped,
    })
}

/// Requests of at most 500 queries each.
fn request(scope: &Scope, queries: Vec<MetricQuery>, now: Wall, span: Duration) -> Vec<Work> {
    let batch = |queries: &[MetricQuery]| {
        let request = MetricRequest {
            scope: scope.clone(),
            queries: queries.to_vec(),
            from: now.minus(span),
            to: now,
            page: None,
        };
        Work::Sweep(Goal::Pages(Box::new(Query::GetMetricData(request))))
    };
    queries.chunks(500).map(batch).collect()
}
