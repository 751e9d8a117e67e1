//! The newest numbers of databases and caches, in as few metrics as their rules look at: CloudWatch charges for
//! each.
//!
//! Must not judge a number; `diagnose` does.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::gather::{Gather, Work};
use crate::domain::cache::{CacheCluster, CacheId};
use crate::domain::database::{DatabaseId, DbInstance};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::metric::{MetricId, MetricQuery, MetricSource, Series};
use crate::domain::query::{MetricRequest, Query};
use crate::domain::scope::Scope;
use crate::domain::sweep::METRICS_PER_CALL;
use crate::stdx::clock::Wall;

/// The newest number of a metric lies within this: CloudWatch is one to three minutes late.
const NEWEST: Duration = Duration::from_secs(15 * 60);

/// How far back free storage is read, for its slope.
const SLOPE: Duration = Duration::from_secs(24 * 3_600);

/// Whose number a query brings.
#[derive(Clone, Debug)]
enum Measured {
    Database(DatabaseId, &'static str),
    Storage(DatabaseId),
    Cache(Scope, String, &'static str),
}

/// What was asked and what came of it.
#[derive(Debug, Default)]
pub struct Numbers {
    asked: BTreeMap<(Scope, String), Measured>,
    databases: BTreeMap<DatabaseId, BTreeMap<String, f64>>,
    free_storage: BTreeMap<DatabaseId, Vec<(Wall, f64)>>,
    caches: BTreeMap<CacheId, BTreeMap<String, f64>>,
    refused: Vec<(Scope, Fault)>,
}

/// The metrics that tell something about this instance, with their statistic.
#[must_use]
pub fn of_instance(instance: &DbInstance) -> Vec<(&'static str, &'static str)> {
    let aurora = instance.engine.starts_with("aurora");
    let mut metrics = vec![("CPUUtilization", "Average"), ("DatabaseConnections", "Maximum")];
    if instance.source.is_some() {
        metrics.push(("ReplicaLag", "Maximum"));
    } else if aurora {
        metrics.push(("AuroraReplicaLag", "Maximum"));
    }
    if instance.class.starts_with("db.t") {
        metrics.push(("CPUCreditBalance", "Minimum"));
    }
    if instance.performance_insights {
        metrics.extend([("DBLoad", "Average"), ("DBLoadNonCPU", "Average")]);
    }
    if instance.engine.contains("postgres") && instance.source.is_none() {
        metrics.push(("MaximumUsedTransactionIDs", "Maximum"));
    }
    metrics
}

/// The metrics that tell something about this cache cluster, with their statistic.
#[must_use]
pub fn of_cache(cache: &CacheCluster) -> Vec<(&'static str, &'static str)> {
    let mut metrics =
        vec![("CPUUtilization", "Average"), ("Evictions", "Sum"), ("CurrConnections", "Maximum")];
    if cache.engine != "memcached" {
        metrics.push(("EngineCPUUtilization", "Average"));
        metrics.push(("DatabaseMemoryUsagePercentage", "Maximum"));
    }
    if cache.group.is_some() {
        metrics.push(("ReplicationLag", "Maximum"));
    }
    if cache.node_type.starts_with("cache.t") {
        metrics.push(("CPUCreditBalance", "Minimum"));
    }
    metrics
}

impl Numbers {
    /// The requests for the numbers of instances.
    pub fn databases<'a>(
        &mut self,
        scope: &Scope,
        found: impl IntoIterator<Item = &'a DbInstance>,
        now: Wall,
    ) -> Vec<Work> {
        let (mut newest, mut slopes) = (Vec::new(), Vec::new());
        for instance in found {
            let whose = [("DBInstanceIdentifier", instance.id.name.as_str())];
            for (name, stat) in of_instance(instance) {
                let measured = Measured::Database(instance.id.clone(), name);
                newest.push(self.question(scope, MetricId::new("AWS/RDS", name, &whose), stat, 60, measured));
            }
            // Aurora's storage belongs to the cluster and grows by itself. One metric for the newest number and
            // for the slope.
            if !instance.engine.starts_with("aurora") {
                let metric = MetricId::new("AWS/RDS", "FreeStorageSpace", &whose);
                let measured = Measured::Storage(instance.id.clone());
                slopes.push(self.question(scope, metric, "Average", 300, measured));
            }
        }
        let mut work = requests(scope, &newest, now, NEWEST);
        work.extend(requests(scope, &slopes, now, SLOPE));
        work
    }

    /// The requests for the numbers of cache clusters.
    pub fn caches<'a>(
        &mut self,
        scope: &Scope,
        found: impl IntoIterator<Item = &'a CacheCluster>,
        now: Wall,
    ) -> Vec<Work> {
        let mut questions = Vec::new();
        for cache in found {
            let whose = [("CacheClusterId", cache.id.name.as_str())];
            for (name, stat) in of_cache(cache) {
                let metric = MetricId::new("AWS/ElastiCache", name, &whose);
                let measured = Measured::Cache(scope.clone(), cache.id.name.clone(), name);
                questions.push(self.question(scope, metric, stat, 60, measured));
            }
        }
        requests(scope, &questions, now, NEWEST)
    }

    /// A query for a metric, with a note of what its answer means.
    fn question(
        &mut self,
        scope: &Scope,
        metric: MetricId,
        stat: &str,
        period: u32,
        measured: Measured,
    ) -> MetricQuery {
        let id = format!("m{}", self.asked.len());
        self.asked.insert((scope.clone(), id.clone()), measured);
        MetricQuery { id, what: MetricSource::Stat { metric, stat: stat.to_owned(), period }, wanted: true }
    }

    /// Takes an answer.
    pub fn take(&mut self, scope: &Scope, found: Vec<Series>) {
        for series in found {
            let Some(measured) = self.asked.get(&(scope.clone(), series.id.clone())).cloned() else {
                continue;
            };
            if let Some(fault) = refused(&series) {
                self.refused.push((scope.clone(), fault));
            }
            let last = series.last();
            match (measured, last) {
                (Measured::Storage(id), Some(value)) => {
                    let name = "FreeStorageSpace".to_owned();
                    self.databases.entry(id.clone()).or_default().insert(name, value);
                    self.free_storage.entry(id).or_default().extend(series.points);
                }
                (Measured::Database(id, name), Some(value)) => {
                    self.databases.entry(id).or_default().insert(name.to_owned(), value);
                }
                (Measured::Cache(scope, id, name), Some(value)) => {
                    let id = CacheId { scope, name: id };
                    self.caches.entry(id).or_default().insert(name.to_owned(), value);
                }
                (_, None) => {}
            }
        }
    }

    /// Notes in the books which series CloudWatch did not give.
    pub fn tell(&mut self, gather: &mut Gather) {
        for (scope, fault) in self.refused.drain(..) {
            gather.missing(&scope, &fault);
        }
    }

    /// The newest numbers of a database, by metric.
    #[must_use]
    pub fn database(&self, id: &DatabaseId) -> BTreeMap<String, f64> {
        self.databases.get(id).cloned().unwrap_or_default()
    }

    /// `FreeStorageSpace` of the last 24 h, oldest first.
    #[must_use]
    pub fn free_storage(&self, id: &DatabaseId) -> &[(Wall, f64)] {
        self.free_storage.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The newest numbers of cache clusters: by cluster, by metric.
    #[must_use]
    pub fn of_caches(&self) -> &BTreeMap<CacheId, BTreeMap<String, f64>> {
        &self.caches
    }

    /// The newest numbers of one cache cluster, by metric.
    #[must_use]
    pub fn cache(&self, scope: &Scope, name: &str) -> Option<&BTreeMap<String, f64>> {
        self.caches.get(&CacheId { scope: scope.clone(), name: name.to_owned() })
    }
}

/// What a series that CloudWatch did not give means; one without points is no fault.
#[must_use]
pub fn refused(series: &Series) -> Option<Fault> {
    let kind = match series.status.as_str() {
        "Forbidden" => FaultKind::Denied,
        "InternalError" => FaultKind::Server,
        _ => return None,
    };
    let message = format!("CloudWatch answered {} for {}", series.status, series.label);
    Some(Fault::new(kind, message).action("cloudwatch:GetMetricData"))
}

/// Requests of as many queries as one may have.
fn requests(scope: &Scope, queries: &[MetricQuery], now: Wall, span: Duration) -> Vec<Work> {
    let request = |queries: &[MetricQuery]| {
        let request = MetricRequest {
            scope: scope.clone(),
            queries: queries.to_vec(),
            from: now.minus(span),
            to: now,
            page: None,
        };
        Work::pages(Query::GetMetricData(request))
    };
    queries.chunks(METRICS_PER_CALL).map(request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sweep::Goal;

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    fn cache(name: &str) -> CacheCluster {
        CacheCluster {
            id: CacheId { scope: scope(), name: name.into() },
            arn: String::new(),
            status: "available".into(),
            engine: "redis".into(),
            engine_version: "7.1".into(),
            node_type: "cache.r7g.large".into(),
            nodes: Vec::new(),
            group: Some("cma-redis".into()),
            zone: None,
            maintenance_window: None,
            parameter_group: None,
            security_groups: Vec::new(),
            created_at: None,
        }
    }

    #[test]
    fn a_request_holds_at_most_what_cloudwatch_takes_and_each_id_is_its_own() {
        let caches: Vec<CacheCluster> = (0..120).map(|n| cache(&format!("c{n}"))).collect();
        let mut numbers = Numbers::default();
        let work = numbers.caches(&scope(), &caches, Wall(1_795_143_600_000));
        let mut ids = std::collections::BTreeSet::new();
        let mut sizes = Vec::new();
        for piece in &work {
            let Work::Sweep(Goal::Pages(query)) = piece else { panic!("{piece:?}") };
            let Query::GetMetricData(request) = &**query else { panic!("{query:?}") };
            sizes.push(request.queries.len());
            ids.extend(request.queries.iter().map(|query| query.id.clone()));
        }
        assert_eq!(sizes, [500, 220], "six metrics of each of 120");
        assert_eq!(ids.len(), 720);
    }

    #[test]
    fn a_node_that_bursts_is_asked_for_its_credits_and_memcached_for_what_it_has() {
        let names = |cache: &CacheCluster| of_cache(cache).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        let mut burst = cache("c");
        assert!(!names(&burst).contains(&"CPUCreditBalance"));
        burst.node_type = "cache.t4g.micro".into();
        assert!(names(&burst).contains(&"CPUCreditBalance"));
        burst.engine = "memcached".into();
        assert!(!names(&burst).contains(&"EngineCPUUtilization"));
    }

    #[test]
    fn what_cloudwatch_refuses_is_told_and_the_rest_is_kept() {
        let mut numbers = Numbers::default();
        numbers.caches(&scope(), [&cache("c")], Wall(0));
        let series = |id: &str, status: &str, points: &[(Wall, f64)]| Series {
            id: id.into(),
            label: "l".into(),
            points: points.to_vec(),
            status: status.into(),
        };
        let two = [(Wall(0), 3.0), (Wall(60_000), 5.0)];
        let found =
            vec![series("m0", "Complete", &two), series("m1", "Forbidden", &[]), series("x", "", &two)];
        numbers.take(&scope(), found);
        assert_eq!(numbers.cache(&scope(), "c"), Some(&BTreeMap::from([("CPUUtilization".to_owned(), 5.0)])));
        assert_eq!(numbers.refused.len(), 1);
        assert_eq!(numbers.refused[0].1.kind, FaultKind::Denied);
        assert_eq!(numbers.cache(&Scope::new("default", "us-east-1"), "c"), None);
    }
}
