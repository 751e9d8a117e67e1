//! What `rds` asks: the lists of every scope, the numbers of what they hold, and for databases with declared pools
//! the services that use them.
//!
//! Must not judge; and must not read the parameters of databases that nobody named: they are hundreds each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cli::finding::known;
use crate::cli::gather::{Gather, Work};
use crate::cli::numbers::Numbers;
use crate::cli::session::Session;
use crate::config::Config;
use crate::diagnose::Finding;
use crate::diagnose::database::{
    Database, DatabaseFacts, Demand, Limit, StorageOutlook, database_findings, max_connections, pool_demand,
    storage_outlook,
};
use crate::domain::database::{DataEvent, DatabaseId, DbCluster, DbInstance, Maintenance, Parameter};
use crate::domain::ecs::Service;
use crate::domain::query::{Answer, Query};
use crate::domain::scaling::ScalableTarget;
use crate::domain::scope::{Arn, Scope};
use crate::domain::sweep::SERVICES_PER_CALL;
use crate::stdx::clock::Wall;

/// What tells of events.
pub const EVENTS: &str = "rds:DescribeEvents";
/// What tells of maintenance.
pub const MAINTENANCE: &str = "rds:DescribePendingMaintenanceActions";
/// What tells of parameters.
pub const PARAMETERS: &str = "rds:DescribeDBParameters";

/// Events that explain a status are no older.
const YOUNG: Duration = Duration::from_secs(3_600);

/// How far back the events of a database are told that was named.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// All that was found.
#[derive(Debug, Default)]
pub struct Seen {
    /// Instances.
    pub instances: Vec<DbInstance>,
    /// Clusters.
    pub clusters: Vec<DbCluster>,
    /// Maintenance of all.
    pub maintenance: Vec<Maintenance>,
    /// Numbers.
    pub numbers: Numbers,
    events: BTreeMap<Scope, Vec<DataEvent>>,
    parameters: BTreeMap<(Scope, String), Vec<Parameter>>,
    services: Vec<Service>,
    targets: BTreeMap<Scope, Vec<ScalableTarget>>,
    /// Lists that were read to their end.
    read: BTreeSet<(Scope, &'static str)>,
    /// Parameter groups that were read to their end.
    groups_read: BTreeSet<(Scope, String)>,
}

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The database that was named.
    pub name: Option<&'a str>,
    /// Whether numbers may be bought.
    pub numbers: bool,
}

impl Wanted<'_> {
    fn means(self, name: &str, arn: &str) -> bool {
        self.name.is_none_or(|wanted| wanted == name || wanted == arn)
    }
}

/// Asks all scopes.
pub async fn everything(session: &Session, gather: &mut Gather, wanted: Wanted<'_>) -> Seen {
    let now = gather.begun().wall;
    let from = now.minus(if wanted.name.is_some() { DAY } else { YOUNG });
    let mut seen = Seen::default();
    let lists = session.scopes.iter().flat_map(|scope| {
        [
            Query::DescribeDbInstances { scope: scope.clone(), page: None },
            Query::DescribeDbClusters { scope: scope.clone(), page: None },
            Query::DescribePendingMaintenance { scope: scope.clone(), page: None },
            Query::DescribeDbEvents { scope: scope.clone(), from, page: None },
        ]
    });
    let work = lists.map(Work::pages).collect();
    gather.run(work, |query, answer| seen.take(query, answer, wanted, now)).await;
    let users = seen.users(&session.config, wanted);
    if !users.is_empty() {
        let declared: BTreeMap<Scope, Vec<String>> = users;
        let start = declared.keys().flat_map(|scope| {
            [
                Work::Names(Query::ListClusters { scope: scope.clone(), page: None }),
                Work::pages(Query::DescribeScalableTargets { scope: scope.clone(), page: None }),
            ]
        });
        let start = start.collect();
        gather
            .run(start, |query, answer| match (query, answer) {
                (Query::ListClusters { scope, .. }, Answer::Names { names, .. }) => {
                    let services = declared.get(scope).map(Vec::as_slice).unwrap_or_default();
                    names.iter().flat_map(|arn| probes(scope, Arn::last(arn), services)).collect()
                }
                (_, answer) => seen.take(query, answer, wanted, now),
            })
            .await;
    }
    seen.numbers.tell(gather);
    seen
}

/// The declared services that a cluster may hold.
fn probes(scope: &Scope, cluster: &str, declared: &[String]) -> Vec<Work> {
    let here = declared.iter().filter_map(|declared| match declared.split_once('/') {
        Some((own, service)) => (own == cluster).then(|| service.to_owned()),
        None => Some(declared.clone()),
    });
    let here: Vec<String> = here.collect();
    let probe = |services: &[String]| {
        let (scope, cluster) = (scope.clone(), cluster.to_owned());
        Work::Probe(Query::DescribeServices { scope, cluster, services: services.to_vec() })
    };
    here.chunks(SERVICES_PER_CALL).map(probe).collect()
}

impl Seen {
    fn take(&mut self, query: &Query, answer: Answer, wanted: Wanted<'_>, now: Wall) -> Vec<Work> {
        let scope = query.scope();
        if answer.next().is_none() {
            self.read.insert((scope.clone(), query.action()));
            if let Query::DescribeDbParameters { group, .. } = query {
                self.groups_read.insert((scope.clone(), group.clone()));
            }
        }
        match (query, answer) {
            (_, Answer::DbInstances { found, .. }) => {
                let meant = || found.iter().filter(|i| wanted.means(&i.id.name, &i.arn));
                let mut next =
                    if wanted.numbers { self.numbers.databases(scope, meant(), now) } else { Vec::new() };
                if wanted.name.is_some() {
                    let groups = meant().flat_map(|i| &i.parameter_groups).map(|group| group.name.clone());
                    let parameters = |group| {
                        Work::pages(Query::DescribeDbParameters { scope: scope.clone(), group, page: None })
                    };
                    next.extend(groups.map(parameters));
                }
                self.instances.extend(found);
                return next;
            }
            (_, Answer::DbClusters { found, .. }) => self.clusters.extend(found),
            (_, Answer::Maintenance { found, .. }) => self.maintenance.extend(found),
            (_, Answer::DataEvents { found, .. }) => {
                self.events.entry(scope.clone()).or_default().extend(found);
            }
            (Query::DescribeDbParameters { group, .. }, Answer::DbParameters { found, .. }) => {
                self.parameters.entry((scope.clone(), group.clone())).or_default().extend(found);
            }
            (_, Answer::Metrics { series, .. }) => self.numbers.take(scope, series),
            (_, Answer::Services { found, .. }) => {
                self.services.extend(found.into_iter().filter(|service| service.status != "INACTIVE"));
            }
            (_, Answer::ScalableTargets { found, .. }) => {
                self.targets.entry(scope.clone()).or_default().extend(found);
            }
            _ => {}
        }
        Vec::new()
    }

    /// The services that are declared to use a database which was found, by scope.
    fn users(&self, config: &Config, wanted: Wanted<'_>) -> BTreeMap<Scope, Vec<String>> {
        let instances = self.instances.iter().map(|i| (&i.id, &i.arn));
        let found = instances.chain(self.clusters.iter().map(|c| (&c.id, &c.arn)));
        let mut users: BTreeMap<Scope, BTreeSet<String>> = BTreeMap::new();
        for (id, _) in found.filter(|(id, arn)| wanted.means(&id.name, arn)) {
            let pools = config.databases.get(&id.name).map(|d| d.pools.as_slice()).unwrap_or_default();
            for pool in pools {
                users.entry(id.scope.clone()).or_default().insert(pool.service.clone());
            }
        }
        users.into_iter().map(|(scope, services)| (scope, services.into_iter().collect())).collect()
    }

    /// Whether a list of a scope was read to its end.
    pub fn is_read(&self, scope: &Scope, action: &'static str) -> bool {
        self.read.contains(&(scope.clone(), action))
    }

    /// The parameters of an instance's groups; `None` where they were not read.
    pub fn known_parameters(&self, instance: &DbInstance) -> Option<Vec<Parameter>> {
        let key = |group: &str| (instance.id.scope.clone(), group.to_owned());
        let whole = instance.parameter_groups.iter().all(|g| self.groups_read.contains(&key(&g.name)));
        known(self.parameters(instance), whole)
    }

    /// The parameters of an instance's groups, as far as they were read.
    pub fn parameters(&self, instance: &DbInstance) -> Vec<Parameter> {
        let groups = instance.parameter_groups.iter();
        let read = groups.filter_map(|g| self.parameters.get(&(instance.id.scope.clone(), g.name.clone())));
        read.flatten().cloned().collect()
    }

    /// The most connections that an instance takes.
    pub fn limit(&self, instance: &DbInstance) -> Option<Limit> {
        max_connections(instance, &self.parameters(instance))
    }

    /// When an instance's storage will be full.
    pub fn outlook(&self, instance: &DbInstance) -> Option<StorageOutlook> {
        let points = self.numbers.free_storage(&instance.id);
        storage_outlook(points, instance.allocated_gib, instance.max_allocated_gib)
    }

    /// What the declared pools of a database may ask for.
    pub fn demand(&self, id: &DatabaseId, config: &Config) -> Option<Demand> {
        let local = self.services.iter().filter(|service| service.id.scope == id.scope);
        let targets = self.targets.get(&id.scope).map(Vec::as_slice).unwrap_or_default();
        pool_demand(config.databases.get(&id.name)?, local, targets)
    }

    /// The events of a database, newest first.
    pub fn events(&self, id: &DatabaseId) -> Vec<&DataEvent> {
        let kind = if id.cluster { "db-cluster" } else { "db-instance" };
        let own = self.events.get(&id.scope).into_iter().flatten();
        let mut own: Vec<&DataEvent> =
            own.filter(|event| event.source == id.name && event.source_type == kind).collect();
        own.sort_by_key(|event| std::cmp::Reverse(event.at));
        own
    }

    /// All that is wrong with a database.
    pub fn findings(&self, database: Database<'_>, config: &Config, now: Wall) -> Vec<Finding> {
        let id = database.id();
        let parameters = match database {
            Database::Instance(instance) => self.parameters(instance),
            Database::Cluster(_) => Vec::new(),
        };
        let facts = DatabaseFacts {
            metrics: self.numbers.database(id),
            free_storage: self.numbers.free_storage(id),
            parameters: &parameters,
            maintenance: &self.maintenance,
            events: self.events.get(&id.scope).map(Vec::as_slice).unwrap_or_default(),
            declared: config.databases.get(&id.name),
            demand: self.demand(id, config),
            production: config.is_production(id.scope.account.as_str(), Some(&id.name)),
        };
        database_findings(database, &facts, now)
    }
}
