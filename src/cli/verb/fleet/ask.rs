//! What `fleet` asks: the lists of every scope at once, then what those lists call for (the tasks of sick
//! services, the numbers of databases and caches, the limits of databases with parameters of their own, the
//! readers of secrets that changed).
//!
//! Must not ask for what no rule looks at: numbers cost money, and the quotas are shared.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use crate::cli::balancers::target_groups;
use crate::cli::gather::{Gather, Work};
use crate::cli::numbers::Numbers;
use crate::cli::session::Session;
use crate::config::Config;
use crate::diagnose::fleet::{Fleet, FleetFacts, fleet};
use crate::diagnose::{Subject, replaces_tasks, service_health};
use crate::domain::alarm::Alarm;
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::database::{DataEvent, DbCluster, DbInstance, Maintenance, Parameter};
use crate::domain::ecs::Service;
use crate::domain::query::{Answer, Query};
use crate::domain::scaling::ScalableTarget;
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::Secret;
use crate::domain::sweep::Goal;
use crate::domain::task::Task;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// Events older than this are history, not a problem.
const EVENTS: Duration = Duration::from_secs(3_600);

/// Parameter groups that are read of a scope: each has hundreds of parameters. The limits of further databases are
/// estimated, which their findings say.
const PARAMETER_GROUPS: usize = 10;

/// The parameters that say how many connections an engine takes.
const LIMITS: [&str; 2] = ["max_connections", "processes"];

/// Readers of a secret are looked at when it changed within this.
const CHANGED: Duration = Duration::from_secs(7 * 24 * 3_600);

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
    targets: BTreeMap<Scope, Vec<ScalableTarget>>,
    database_events: BTreeMap<Scope, Vec<DataEvent>>,
    cache_events: BTreeMap<Scope, Vec<DataEvent>>,
    maintenance: Vec<Maintenance>,
    /// Parameters by scope and group; an entry is made when a group is asked for.
    parameters: BTreeMap<(Scope, String), Vec<Parameter>>,
    numbers: Numbers,
    /// Whether numbers are asked for at all.
    buys: bool,
    /// Whether a rule holds something against the limits of databases.
    weighs: bool,
}

/// Asks all scopes. `numbers` says whether CloudWatch's metrics may be bought.
pub async fn everything(session: &Session, gather: &mut Gather, numbers: bool) -> Seen {
    let now = gather.begun().wall;
    let weighs = numbers || !session.config.databases.is_empty();
    let mut seen = Seen { buys: numbers, weighs, ..Seen::default() };
    let start = session.scopes.iter().flat_map(|scope| lists(scope, now)).collect();
    gather.run(start, |query, answer| seen.take(query, answer, now)).await;
    // They tell which alarms watch a service.
    seen.target_groups = target_groups(&seen.services, gather).await;
    let readers = seen.readers(now);
    if !readers.is_empty() {
        gather.run(readers, |query, answer| seen.take(query, answer, now)).await;
    }
    seen.numbers.tell(gather);
    seen
}

fn by_scope<T>(all: &BTreeMap<Scope, Vec<T>>) -> BTreeMap<Scope, &[T]> {
    all.iter().map(|(scope, found)| (scope.clone(), found.as_slice())).collect()
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
        .chain(pages.map(Work::pages))
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
            (_, Answer::Alarms { found, next }) => {
                // Only a list that was read to its end tells what no alarm watches.
                if next.is_none() {
                    self.alarms_read.insert(scope.clone());
                }
                self.alarms.extend(found);
            }
            (_, Answer::DbInstances { found, .. }) => {
                let bought = found.iter().filter(|_| self.buys);
                let mut next = self.numbers.databases(scope, bought, now);
                next.extend(self.limits(scope, &found));
                self.instances.extend(found);
                return next;
            }
            (_, Answer::DbClusters { found, .. }) => self.clusters.extend(found),
            (Query::DescribeDbParameters { group, .. }, Answer::DbParameters { found, next }) => {
                let known = self.parameters.entry((scope.clone(), group.clone())).or_default();
                known.extend(found);
                // The limit is all that a rule looks at.
                let read = known.iter().any(|parameter| LIMITS.contains(&parameter.name.as_str()));
                let page = next.filter(|_| !read).and_then(|token| query.turned_to(token));
                return page.map(Work::Ask).into_iter().collect();
            }
            (_, Answer::ReplicationGroups { found, .. }) => self.groups.extend(found),
            (_, Answer::CacheClusters { found, .. }) => {
                let bought = found.iter().filter(|_| self.buys);
                let next = self.numbers.caches(scope, bought, now);
                self.caches.extend(found);
                return next;
            }
            (_, Answer::Secrets { found, .. }) => self.secrets.extend(found),
            (_, Answer::ScalableTargets { found, .. }) => {
                self.targets.entry(scope.clone()).or_default().extend(found);
            }
            (Query::DescribeDbEvents { .. }, Answer::DataEvents { found, .. }) => {
                self.database_events.entry(scope.clone()).or_default().extend(found);
            }
            (Query::DescribeCacheEvents { .. }, Answer::DataEvents { found, .. }) => {
                self.cache_events.entry(scope.clone()).or_default().extend(found);
            }
            (_, Answer::Maintenance { found, .. }) => self.maintenance.extend(found),
            (_, Answer::Metrics { series, .. }) => self.numbers.take(scope, series),
            _ => {}
        }
        Vec::new()
    }

    /// What tells how many connections databases take whose parameters are their owners': a default group holds the
    /// formula that `diagnose` knows.
    fn limits(&mut self, scope: &Scope, found: &[DbInstance]) -> Vec<Work> {
        let mut work = Vec::new();
        let groups =
            found.iter().filter(|_| self.weighs).filter_map(|instance| instance.parameter_groups.first());
        for group in groups.filter(|group| !group.name.starts_with("default.")) {
            let key = (scope.clone(), group.name.clone());
            let asked = self.parameters.keys().filter(|(known, _)| known == scope).count();
            if asked < PARAMETER_GROUPS && !self.parameters.contains_key(&key) {
                self.parameters.insert(key, Vec::new());
                let (scope, group) = (scope.clone(), group.name.clone());
                work.push(Work::Ask(Query::DescribeDbParameters { scope, group, page: None }));
            }
        }
        work
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
                work.push(Work::tasks(&service.id, false));
            }
        }
        work
    }

    /// Everything that is wrong, judged with what the configuration declares.
    pub fn judged(&self, config: &Config, now: Wall) -> Fleet {
        let definition = |service: &Service| {
            self.definitions.get(&(service.id.scope.clone(), service.task_definition_arn.clone()))
        };
        let measured = self.instances.iter().map(|instance| &instance.id);
        let facts = FleetFacts {
            well: HashSet::new(),
            services: self.services.iter().collect(),
            tasks: self.tasks.iter().collect(),
            definitions: self.services.iter().filter_map(|s| Some((&s.id, definition(s)?))).collect(),
            instances: self.instances.iter().collect(),
            clusters: self.clusters.iter().collect(),
            cache_groups: self.groups.iter().collect(),
            cache_clusters: self.caches.iter().collect(),
            secrets: self.secrets.iter().collect(),
            alarms: self.alarms.iter().collect(),
            target_groups: self.target_groups.iter().map(|group| (group.arn.as_str(), group)).collect(),
            targets: by_scope(&self.targets),
            database_events: by_scope(&self.database_events),
            cache_events: by_scope(&self.cache_events),
            maintenance: &self.maintenance,
            parameters: self.parameters.iter().map(|(key, found)| (key.clone(), found.as_slice())).collect(),
            database_metrics: measured.clone().map(|id| (id.clone(), self.numbers.database(id))).collect(),
            free_storage: measured.map(|id| (id.clone(), self.numbers.free_storage(id))).collect(),
            cache_metrics: self.numbers.of_caches().clone(),
            declared: config.databases.clone(),
            production: self.production(config),
            alarms_read: self.alarms_read.clone(),
            // What could not be read stands in the report's failures.
            others: Vec::new(),
        };
        fleet(&facts, now)
    }

    /// What the configuration takes for production: a database or a cache by its account or its own name.
    fn production(&self, config: &Config) -> BTreeSet<Subject> {
        let instances = self.instances.iter().map(|instance| &instance.id);
        let databases = instances.chain(self.clusters.iter().map(|cluster| &cluster.id));
        let groups = self.groups.iter().map(|group| &group.id);
        let caches = groups.chain(self.caches.iter().map(|cache| &cache.id));
        let subjects = databases.cloned().map(Subject::Database).chain(caches.cloned().map(Subject::Cache));
        subjects
            .filter(|subject| config.is_production(subject.scope().account.as_str(), Some(subject.name())))
            .collect()
    }
}

fn sick(service: &Service, now: Wall) -> bool {
    !service_health(service, now).severity.is_calm() || replaces_tasks(service, now)
}

/// The tasks of a sick service tell why.
fn after_service(service: &Service, now: Wall) -> Vec<Work> {
    let mut work = Vec::new();
    if sick(service, now) {
        work.extend([Work::tasks(&service.id, true), Work::tasks(&service.id, false)]);
    }
    work
}
