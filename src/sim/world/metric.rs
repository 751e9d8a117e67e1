//! CloudWatch's metrics as functions of seed, resource and time: nothing is stored, a number is made when it is
//! read. They hang together, since all of a service follow from the same load, tasks and disturbances.
//!
//! Must not change anything, and must not know periods or statistics: `series` does.

use crate::sim::world::World;
use crate::sim::world::service::{Service, load_balancer_dimension, target_group_dimension};
use crate::stdx::clock::Wall;

pub mod catalog;
mod facts;
pub mod math;
pub mod series;

use facts::Facts;

/// One minute, in milliseconds: the finest that is kept.
pub const MINUTE: i64 = 60_000;

/// A metric: namespace, name, dimensions in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `AWS/ECS`, …
    pub namespace: String,
    /// `CPUUtilization`, …
    pub name: String,
    /// Name and value.
    pub dimensions: Vec<(String, String)>,
}

impl Key {
    /// A metric from its parts; the order of dimensions means nothing.
    #[must_use]
    pub fn new(namespace: &str, name: &str, mut dimensions: Vec<(String, String)>) -> Self {
        dimensions.sort();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }

    fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What was measured in one minute: CloudWatch's statistic set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How many measurements.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Sample {
    /// One measurement.
    #[must_use]
    pub fn one(value: f64) -> Self {
        Self { count: 1.0, sum: value, min: value, max: value }
    }

    /// So many measurements around a mean.
    fn around(mean: f64, count: f64, min: f64, max: f64) -> Self {
        Self { count, sum: mean * count, min: min.min(mean), max: max.max(mean) }
    }

    /// Each of `count` things counted as 1.
    fn tally(count: f64) -> Self {
        Self { count, sum: count, min: 1.0, max: 1.0 }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// A metric, ready to be read minute by minute.
pub struct Source<'a>(Box<dyn Fn(i64) -> Option<Sample> + 'a>);

impl<'a> Source<'a> {
    /// One that is measured once a minute.
    fn gauge(tell: impl Fn(Wall) -> Option<f64> + 'a) -> Self {
        Self(Box::new(move |at| tell(Wall(at)).map(Sample::one)))
    }

    /// The minute that begins at `at` (milliseconds); `None` when nothing was measured.
    #[must_use]
    pub fn at(&self, at: i64) -> Option<Sample> {
        (self.0)(at)
    }
}

/// The metrics of `AWS/ECS` and of a load balancer that a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cpu,
    Memory,
    Running,
    Desired,
    Pending,
    Deployments,
    CpuUtilized,
    CpuReserved,
    MemoryUtilized,
    MemoryReserved,
    Requests,
    RequestsPerTarget,
    Successes,
    ClientErrors,
    TargetErrors,
    BalancerErrors,
    ResponseTime,
    Healthy,
    Unhealthy,
    /// What a custom target-tracking policy follows.
    Custom,
}

/// Names and kinds of `ECS/ContainerInsights`.
const INSIGHTS: [(&str, Kind); 8] = [
    ("CpuReserved", Kind::CpuReserved),
    ("CpuUtilized", Kind::CpuUtilized),
    ("DeploymentCount", Kind::Deployments),
    ("DesiredTaskCount", Kind::Desired),
    ("MemoryReserved", Kind::MemoryReserved),
    ("MemoryUtilized", Kind::MemoryUtilized),
    ("PendingTaskCount", Kind::Pending),
    ("RunningTaskCount", Kind::Running),
];

/// Names and kinds of `AWS/ApplicationELB`, each per target group.
const BALANCER: [(&str, Kind); 8] = [
    ("HTTPCode_Target_2XX_Count", Kind::Successes),
    ("HTTPCode_Target_4XX_Count", Kind::ClientErrors),
    ("HTTPCode_Target_5XX_Count", Kind::TargetErrors),
    ("HealthyHostCount", Kind::Healthy),
    ("RequestCount", Kind::Requests),
    ("RequestCountPerTarget", Kind::RequestsPerTarget),
    ("TargetResponseTime", Kind::ResponseTime),
    ("UnHealthyHostCount", Kind::Unhealthy),
];

/// The namespace of numbers that programs send themselves.
pub const CUSTOM: &str = "Custom/Autoscaling";

fn kind(table: &[(&str, Kind)], name: &str) -> Option<Kind> {
    table.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

impl World {
    /// A metric of a region; `None` for one that nobody sends.
    #[must_use]
    pub fn metric<'a>(&'a self, region: &'a str, key: &'a Key) -> Option<Source<'a>> {
        match key.namespace.as_str() {
            "AWS/ECS" => {
                let kind = match key.name.as_str() {
                    "CPUUtilization" => Kind::Cpu,
                    "MemoryUtilization" => Kind::Memory,
                    _ => return None,
                };
                self.total(kind, vec![self.one_service(region, key)?])
            }
            "ECS/ContainerInsights" => {
                let kind = kind(&INSIGHTS, &key.name)?;
                let cluster = self.regions.get(region)?.clusters.get(key.dimension("ClusterName")?)?;
                if !cluster.has_insights() {
                    return None;
                }
                match key.dimensions.len() {
                    1 => self.total(kind, cluster.services.values().copied().collect()),
                    _ => self.total(kind, vec![self.one_service(region, key)?]),
                }
            }
            "AWS/ApplicationELB" => self.of_balancer(region, key),
            CUSTOM => {
                let index = self.one_service(region, key)?;
                let spec = self.services.get(index)?.spec()?;
                spec.autoscaling.as_ref().filter(|bounds| bounds.metric == key.name)?;
                self.total(Kind::Custom, vec![index])
            }
            "AWS/RDS" => {
                let index = self.database(region, key.dimension("DBInstanceIdentifier")?)?;
                self.database_metrics(index).contains(&key.name.as_str()).then_some(())?;
                Some(Source::gauge(move |at| self.database_metric(region, &key.dimensions, &key.name, at)))
            }
            "AWS/ElastiCache" => {
                let node = self.cache_node(region, key.dimension("CacheClusterId")?)?;
                self.cache_metrics(node).contains(&key.name.as_str()).then_some(())?;
                Some(Source::gauge(move |at| self.cache_metric(region, &key.dimensions, &key.name, at)))
            }
            _ => None,
        }
    }

    fn one_service(&self, region: &str, key: &Key) -> Option<usize> {
        if key.dimensions.len() != 2 {
            return None;
        }
        let (cluster, service) = (key.dimension("ClusterName")?, key.dimension("ServiceName")?);
        self.find(region, cluster, service)
    }

    fn of_balancer<'a>(&'a self, region: &str, key: &Key) -> Option<Source<'a>> {
        let balancer = key.dimension("LoadBalancer")?;
        let group = key.dimension("TargetGroup");
        if key.dimensions.len() != 1 + usize::from(group.is_some()) {
            return None;
        }
        let kind = match (key.name.as_str(), group) {
            // The load balancer's own errors have no target group.
            ("HTTPCode_ELB_5XX_Count", None) => Kind::BalancerErrors,
            ("HealthyHostCount" | "UnHealthyHostCount" | "RequestCountPerTarget", None) => return None,
            (name, _) => kind(&BALANCER, name)?,
        };
        let matches = |service: &Service| {
            &*service.region == region
                && service.active
                && service.spec().is_some_and(|spec| {
                    spec.load_balancers.iter().any(|known| {
                        balancer.split('/').nth(1) == Some(known.name.as_str())
                            && load_balancer_dimension(&known.name) == balancer
                            && group.is_none_or(|group| {
                                group.split('/').nth(1) == Some(known.target_group.as_str())
                                    && target_group_dimension(&known.target_group) == group
                            })
                    })
                })
        };
        let services: Vec<usize> = self
            .services
            .iter()
            .enumerate()
            .filter(|(_, service)| matches(service))
            .map(|(index, _)| index)
            .collect();
        self.total(kind, services)
    }

    /// One kind over some services, together.
    fn total(&self, kind: Kind, services: Vec<usize>) -> Option<Source<'_>> {
        let facts: Vec<Facts<'_>> =
            services.into_iter().filter_map(|index| Facts::new(self, index)).collect();
        let counts = matches!(
            kind,
            Kind::Running
                | Kind::Desired
                | Kind::Pending
                | Kind::Deployments
                | Kind::CpuUtilized
                | Kind::CpuReserved
                | Kind::MemoryUtilized
                | Kind::MemoryReserved
        );
        if facts.is_empty() {
            return None;
        }
        if counts && facts.len() > 1 {
            // A cluster's number is the sum of its services', measured once.
            return Some(Source::gauge(move |at| {
                facts
                    .iter()
                    .filter_map(|facts| facts.sample(kind, at.0))
                    .map(|sample| sample.sum)
                    .reduce(|a, b| a + b)
            }));
        }
        Some(Source(Box::new(move |at| {
            facts.iter().filter_map(|facts| facts.sample(kind, at)).reduce(Sample::and)
        })))
    }
}

#[cfg(test)]
mod tests;
