//! Which metrics are asked for, of whom, in which requests.
//!
//! Must not ask for more than is printed, but for what metric math needs: each costs money.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::balancers::target_groups;
use crate::cli::census::{each_cluster, one_service};
use crate::cli::exit::Problem;
use crate::cli::gather::{Gather, Work};
use crate::cli::named::{Named, only};
use crate::cli::numbers::{of_cache, of_instance};
use crate::cli::parser::Request;
use crate::cli::session::Session;
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::database::{DbCluster, DbInstance};
use crate::domain::ecs::Service;
use crate::domain::metric::{MetricId, MetricQuery, MetricSource, Range};
use crate::domain::query::{Answer, MetricRequest, Query};
use crate::domain::scope::{Arn, Scope};
use crate::domain::sweep::{Goal, METRICS_PER_CALL};
use crate::stdx::clock::Wall;

/// Whose a metric is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where.
    pub scope: Scope,
    /// `service`, `database`, `cache`.
    pub of: &'static str,
    /// For services: the cluster's name.
    pub cluster: Option<String>,
    /// Its name.
    pub name: String,
}

/// A line of numbers that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Whose.
    pub owner: Owner,
    /// The namespace.
    pub namespace: &'static str,
    /// The metric's name.
    pub metric: &'static str,
    /// The statistic; empty for metric math.
    pub stat: &'static str,
    source: Source,
}

/// How it is asked for.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// A statistic of a metric.
    Stat(MetricId),
    /// 5xx answers in percent of all.
    Errors { errors: MetricId, requests: MetricId },
}

/// A request with what its ids mean.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request.
    pub request: MetricRequest,
    /// What each wanted id stands for.
    pub wanted: Vec<(String, Wanted)>,
}

impl Asked {
    /// All its pages.
    #[must_use]
    pub fn work(&self) -> Work {
        Work::pages(Query::GetMetricData(self.request.clone()))
    }
}

impl Wanted {
    /// A statistic of a metric.
    #[must_use]
    pub fn stat(
        owner: &Owner,
        namespace: &'static str,
        metric: &'static str,
        stat: &'static str,
        dimensions: &[(&str, &str)],
    ) -> Self {
        let source = Source::Stat(MetricId::new(namespace, metric, dimensions));
        Self { owner: owner.clone(), namespace, metric, stat, source }
    }

    /// What its numbers are: `%`, `B`, `s`, `ms`; empty for counts.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self.metric {
            "FreeStorageSpace" | "FreeableMemory" => "B",
            "TargetResponseTime" | "ReadLatency" | "WriteLatency" | "ReplicaLag" | "ReplicationLag" => "s",
            "AuroraReplicaLag" => "ms",
            name if name.ends_with("Utilization") || name.ends_with("Percentage") => "%",
            "5xx answers" => "%",
            _ => "",
        }
    }

    /// Its queries; the wanted one has the given id.
    fn queries(&self, id: &str, period: u32) -> Vec<MetricQuery> {
        let stat = |id: String, metric: &MetricId, stat: &str, wanted: bool| MetricQuery {
            id,
            what: MetricSource::Stat { metric: metric.clone(), stat: stat.to_owned(), period },
            wanted,
        };
        match &self.source {
            Source::Stat(metric) => vec![stat(id.to_owned(), metric, self.stat, true)],
            Source::Errors { errors, requests } => vec![
                stat(format!("{id}_errors"), errors, "Sum", false),
                stat(format!("{id}_all"), requests, "Sum", false),
                MetricQuery {
                    id: id.to_owned(),
                    // A target group without a 5xx answer has no such metric; without requests nothing failed.
                    what: MetricSource::Expression {
                        expression: format!("100 * FILL({id}_errors, 0) / FILL({id}_all, 1)"),
                        period: None,
                    },
                    wanted: true,
                },
            ],
        }
    }
}

/// Seconds that one number stands for, so that a chart has some hundred of them.
#[must_use]
pub fn period(since: Duration) -> u32 {
    let range = Range::ALL.into_iter().find(|range| since <= range.span()).unwrap_or(Range::Week);
    range.period()
}

/// The requests, from and to on a multiple of the period; the period that is still running is left out.
#[must_use]
pub fn requests(all: &[Wanted], since: Duration, now: Wall) -> Vec<Asked> {
    let period = period(since);
    let step = i64::from(period) * 1_000;
    let floor = |at: Wall| Wall(at.0.div_euclid(step) * step);
    let mut made: Vec<Asked> = Vec::new();
    let mut by_scope: BTreeMap<&Scope, Vec<&Wanted>> = BTreeMap::new();
    for wanted in all {
        by_scope.entry(&wanted.owner.scope).or_default().push(wanted);
    }
    for (scope, own) in by_scope {
        let empty = || Asked {
            request: MetricRequest {
                scope: scope.clone(),
                queries: Vec::new(),
                from: floor(now.minus(since)),
                to: floor(now),
                page: None,
            },
            wanted: Vec::new(),
        };
        let mut asked = empty();
        for (number, wanted) in own.into_iter().enumerate() {
            let id = format!("m{number}");
            let queries = wanted.queries(&id, period);
            // What metric math needs stands in the same request.
            if asked.request.queries.len() + queries.len() > METRICS_PER_CALL {
                made.push(std::mem::replace(&mut asked, empty()));
            }
            asked.request.queries.extend(queries);
            asked.wanted.push((id, wanted.clone()));
        }
        made.push(asked);
    }
    made
}

/// What the command line asks for.
///
/// # Errors
/// When the name means nothing or several things.
pub async fn of(session: &Session, request: &Request, gather: &mut Gather) -> Result<Vec<Wanted>, Problem> {
    let name = request.text("NAME");
    match kind(request)? {
        "database" => {
            let found = listed(session, gather, |scope| Query::DescribeDbInstances { scope, page: None });
            let found = found.await.into_iter().flat_map(|answer| match answer {
                Answer::DbInstances { found, .. } => found,
                _ => Vec::new(),
            });
            let mut meant: Vec<Meant<DbInstance>> = found.map(Meant::from).collect();
            if names_a_group(name, "db:") {
                let groups = listed(session, gather, |scope| Query::DescribeDbClusters { scope, page: None });
                let groups = groups.await.into_iter().flat_map(|answer| match answer {
                    Answer::DbClusters { found, .. } => found,
                    _ => Vec::new(),
                });
                let group = |cluster: DbCluster| {
                    let id = cluster.id;
                    let own = |i: &DbInstance| i.id.scope == id.scope && i.cluster.as_ref() == Some(&id.name);
                    Meant::group(&id.scope, &id.name, cluster.arn, &meant, own)
                };
                let groups: Vec<_> = groups.map(group).collect();
                meant.extend(groups);
            }
            let found = only(meant, name, "database", session, gather)?;
            Ok(found.iter().flat_map(|meant| &meant.members).flat_map(of_database).collect())
        }
        "cache" => {
            let found = listed(session, gather, |scope| Query::DescribeCacheClusters { scope, page: None });
            let found = found.await.into_iter().flat_map(|answer| match answer {
                Answer::CacheClusters { found, .. } => found,
                _ => Vec::new(),
            });
            let mut meant: Vec<Meant<CacheCluster>> = found.map(Meant::from).collect();
            if names_a_group(name, "cluster:") {
                let list = |scope| Query::DescribeReplicationGroups { scope, page: None };
                let groups =
                    listed(session, gather, list).await.into_iter().flat_map(|answer| match answer {
                        Answer::ReplicationGroups { found, .. } => found,
                        _ => Vec::new(),
                    });
                let group = |group: ReplicationGroup| {
                    let id = group.id;
                    let own = |c: &CacheCluster| c.id.scope == id.scope && c.group.as_ref() == Some(&id.name);
                    Meant::group(&id.scope, &id.name, group.arn, &meant, own)
                };
                let groups: Vec<_> = groups.map(group).collect();
                meant.extend(groups);
            }
            let found = only(meant, name, "cache", session, gather)?;
            Ok(found.iter().flat_map(|meant| &meant.members).flat_map(of_node).collect())
        }
        _ => of_services(session, request, gather).await,
    }
}

/// What is asked for numbers of: an ARN says it itself.
fn kind(request: &Request) -> Result<&str, Problem> {
    let said = request.text("of").unwrap_or("service");
    let Some(arn) = request.text("NAME").and_then(Arn::parse) else { return Ok(said) };
    let own = match arn.service {
        "rds" => "database",
        "elasticache" => "cache",
        _ => "service",
    };
    if request.is_given("of") && said != own {
        return Err(Problem::usage(format!("the ARN is not that of a {said}"))
            .hint("leave --of out: an ARN says what it is"));
    }
    Ok(own)
}

/// Whether a name may be that of a group; the ARN of a member begins with `member`.
fn names_a_group(name: Option<&str>, member: &str) -> bool {
    name.is_some_and(|name| Arn::parse(name).is_none_or(|arn| !arn.resource.starts_with(member)))
}

/// What a name may mean: one of a list, or a group that stands for its members.
#[derive(Clone, Debug)]
struct Meant<T> {
    name: String,
    region: String,
    arn: String,
    members: Vec<T>,
}

impl<T: Clone> Meant<T> {
    fn group(scope: &Scope, name: &str, arn: String, all: &[Self], own: impl Fn(&T) -> bool) -> Self {
        let members = all.iter().flat_map(|one| &one.members).filter(|member| own(member)).cloned().collect();
        Self { name: name.to_owned(), region: scope.region.to_string(), arn, members }
    }
}

impl<T> Named for Meant<T> {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, &self.arn)
    }
}

impl From<DbInstance> for Meant<DbInstance> {
    fn from(one: DbInstance) -> Self {
        let region = one.id.scope.region.to_string();
        Self { name: one.id.name.clone(), region, arn: one.arn.clone(), members: vec![one] }
    }
}

impl From<CacheCluster> for Meant<CacheCluster> {
    fn from(one: CacheCluster) -> Self {
        let region = one.id.scope.region.to_string();
        Self { name: one.id.name.clone(), region, arn: one.arn.clone(), members: vec![one] }
    }
}

/// The answers of a list of all scopes, to its end.
async fn listed(session: &Session, gather: &mut Gather, list: impl Fn(Scope) -> Query) -> Vec<Answer> {
    let work = session.scopes.iter().map(|scope| Work::pages(list(scope.clone()))).collect();
    let mut found = Vec::new();
    gather
        .run(work, |_, answer| {
            found.push(answer);
            Vec::new()
        })
        .await;
    found
}

fn of_database(instance: &DbInstance) -> Vec<Wanted> {
    let owner = Owner {
        scope: instance.id.scope.clone(),
        of: "database",
        cluster: None,
        name: instance.id.name.clone(),
    };
    let mut metrics = of_instance(instance);
    if !instance.engine.starts_with("aurora") {
        metrics.push(("FreeStorageSpace", "Minimum"));
    }
    metrics.extend([("FreeableMemory", "Minimum"), ("ReadLatency", "Average"), ("WriteLatency", "Average")]);
    let whose = [("DBInstanceIdentifier", owner.name.as_str())];
    metrics.into_iter().map(|(name, stat)| Wanted::stat(&owner, "AWS/RDS", name, stat, &whose)).collect()
}

fn of_node(cache: &CacheCluster) -> Vec<Wanted> {
    let owner =
        Owner { scope: cache.id.scope.clone(), of: "cache", cluster: None, name: cache.id.name.clone() };
    let whose = [("CacheClusterId", owner.name.as_str())];
    let metrics = of_cache(cache).into_iter();
    metrics.map(|(name, stat)| Wanted::stat(&owner, "AWS/ElastiCache", name, stat, &whose)).collect()
}

/// The one service that was named with all its metrics, or of all services those that tell most.
async fn of_services(
    session: &Session,
    request: &Request,
    gather: &mut Gather,
) -> Result<Vec<Wanted>, Problem> {
    let mut services = match request.text("NAME") {
        Some(name) => vec![one_service(session, gather, name, request.all("cluster")).await?],
        None => all_services(session, gather, request.all("cluster")).await?,
    };
    services.sort_by(|a, b| a.id.cmp(&b.id));
    let whole = request.text("NAME").is_some();
    let groups = target_groups(&services, gather).await;
    Ok(services.iter().flat_map(|service| of_service(service, &groups, whole)).collect())
}

async fn all_services(
    session: &Session,
    gather: &mut Gather,
    clusters: &[String],
) -> Result<Vec<Service>, Problem> {
    let mut services = Vec::new();
    let goal =
        |scope: &Scope, cluster: String| vec![Work::Sweep(Goal::Services { scope: scope.clone(), cluster })];
    each_cluster(session, gather, clusters, goal, |_, answer| {
        if let Answer::Services { found, .. } = answer {
            services.extend(found.into_iter().filter(|service| service.status != "INACTIVE"));
        }
        Vec::new()
    })
    .await?;
    Ok(services)
}

fn of_service(service: &Service, groups: &[TargetGroup], whole: bool) -> Vec<Wanted> {
    let id = &service.id;
    let owner = Owner {
        scope: id.scope.clone(),
        of: "service",
        cluster: Some(id.cluster.clone()),
        name: id.name.clone(),
    };
    let whose = [("ClusterName", id.cluster.as_str()), ("ServiceName", id.name.as_str())];
    let mut metrics =
        vec![("AWS/ECS", "CPUUtilization", "Average"), ("AWS/ECS", "MemoryUtilization", "Average")];
    if whole {
        metrics.extend([
            ("AWS/ECS", "CPUUtilization", "Maximum"),
            ("AWS/ECS", "MemoryUtilization", "Maximum"),
            // Container Insights knows the tasks, where it is on.
            ("ECS/ContainerInsights", "RunningTaskCount", "Average"),
            ("ECS/ContainerInsights", "DesiredTaskCount", "Average"),
        ]);
    }
    let mut wanted: Vec<Wanted> = metrics
        .into_iter()
        .map(|(namespace, name, stat)| Wanted::stat(&owner, namespace, name, stat, &whose))
        .collect();
    let arns = service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.as_deref());
    for group in arns.filter_map(|arn| groups.iter().find(|group| group.arn == arn)) {
        let Some((balancer, own)) = group.balancer_dimension().zip(group.dimension()) else { continue };
        // Network load balancers count no answers.
        if !balancer.starts_with("app/") {
            continue;
        }
        let behind = [("LoadBalancer", balancer), ("TargetGroup", own)];
        let namespace = "AWS/ApplicationELB";
        let metric = |name| MetricId::new(namespace, name, &behind);
        wanted.push(Wanted {
            owner: owner.clone(),
            namespace,
            metric: "5xx answers",
            stat: "",
            source: Source::Errors {
                errors: metric("HTTPCode_Target_5XX_Count"),
                requests: metric("RequestCount"),
            },
        });
        if whole {
            wanted.push(Wanted::stat(&owner, namespace, "RequestCount", "Sum", &behind));
            wanted.push(Wanted::stat(&owner, namespace, "TargetResponseTime", "p99", &behind));
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(region: &str, name: &str) -> Owner {
        Owner {
            scope: Scope::new("default", region),
            of: "service",
            cluster: Some("c".into()),
            name: name.into(),
        }
    }

    fn errors(owner: &Owner) -> Wanted {
        let metric = |name| MetricId::new("AWS/ApplicationELB", name, &[("LoadBalancer", "app/x/1")]);
        Wanted {
            owner: owner.clone(),
            namespace: "AWS/ApplicationELB",
            metric: "5xx answers",
            stat: "",
            source: Source::Errors {
                errors: metric("HTTPCode_Target_5XX_Count"),
                requests: metric("RequestCount"),
            },
        }
    }

    #[test]
    fn the_request_ends_before_the_running_period_and_stays_small() {
        let now = Wall(1_795_143_659_999);
        let cpu = Wanted::stat(&owner("eu-west-2", "s"), "AWS/ECS", "CPUUtilization", "Average", &[]);
        let asked = requests(&[cpu], Duration::from_secs(3_600), now);
        let request = &asked[0].request;
        assert_eq!((request.from.0 % 60_000, request.to.0 % 60_000), (0, 0));
        assert!(request.to <= now && now.0 - request.to.0 < 60_000);
        for (hours, points) in [(1_u64, 60), (3, 180), (24, 288), (168, 168)] {
            let span = Duration::from_secs(hours * 3_600);
            assert_eq!(span.as_secs() / u64::from(period(span)), points);
        }
        assert_eq!(period(Duration::from_secs(90 * 86_400)), 3_600);
    }

    #[test]
    fn math_and_what_it_needs_stand_in_one_request_of_at_most_500() {
        let all: Vec<Wanted> = (0..400).map(|n| errors(&owner("eu-west-2", &format!("s{n}")))).collect();
        let asked = requests(&all, Duration::from_secs(3_600), Wall(1_795_143_600_000));
        let sizes: Vec<usize> = asked.iter().map(|asked| asked.request.queries.len()).collect();
        assert_eq!(sizes, [498, 498, 204]);
        for one in &asked {
            let ids: Vec<&str> = one.request.queries.iter().map(|query| query.id.as_str()).collect();
            for (id, _) in &one.wanted {
                let need = [id.clone(), format!("{id}_errors"), format!("{id}_all")];
                assert!(need.iter().all(|id| ids.contains(&id.as_str())), "{id}");
            }
            assert_eq!(one.request.queries.iter().filter(|query| query.wanted).count(), one.wanted.len());
        }
    }

    #[test]
    fn each_scope_is_asked_for_its_own() {
        let all = [errors(&owner("eu-west-2", "a")), errors(&owner("us-east-1", "b"))];
        let asked = requests(&all, Duration::from_secs(60), Wall(1_795_143_600_000));
        let regions: Vec<&str> = asked.iter().map(|asked| asked.request.scope.region.as_str()).collect();
        assert_eq!(regions, ["eu-west-2", "us-east-1"]);
        assert_eq!(asked[0].wanted[0].1.owner.name, "a");
    }
}
