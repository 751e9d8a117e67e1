//! Everything that is wrong, ranked: one line per sick resource, the healthy counted, the unwatched named.
//!
//! Must not hide a finding: what is folded into another line stands in that line's evidence.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::database::Declared;
use super::{Finding, Subject};
use crate::domain::alarm::Alarm;
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::database::{DataEvent, DatabaseId, DbCluster, DbInstance, Maintenance, Parameter};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::scaling::ScalableTarget;
use crate::domain::secret::Secret;
use crate::domain::task::Task;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// All that was observed, of every scope. What was not read stays empty.
#[derive(Clone, Debug, Default)]
pub struct FleetFacts<'a> {
    /// Services.
    pub services: Vec<&'a Service>,
    /// Tasks, running and stopped, of any service.
    pub tasks: Vec<&'a Task>,
    /// Task definitions of services, for consumers of secrets.
    pub definitions: Vec<(&'a ServiceId, &'a TaskDefinition)>,
    /// Database instances.
    pub instances: Vec<&'a DbInstance>,
    /// Database clusters.
    pub clusters: Vec<&'a DbCluster>,
    /// Replication groups.
    pub cache_groups: Vec<&'a ReplicationGroup>,
    /// Cache clusters.
    pub cache_clusters: Vec<&'a CacheCluster>,
    /// Secrets.
    pub secrets: Vec<&'a Secret>,
    /// Alarms.
    pub alarms: Vec<&'a Alarm>,
    /// Target groups of the services.
    pub target_groups: &'a [TargetGroup],
    /// Bounds of the services.
    pub targets: &'a [ScalableTarget],
    /// RDS's events.
    pub database_events: &'a [DataEvent],
    /// ElastiCache's events.
    pub cache_events: &'a [DataEvent],
    /// RDS's pending maintenance.
    pub maintenance: &'a [Maintenance],
    /// Parameters by name of their group.
    pub parameters: BTreeMap<String, &'a [Parameter]>,
    /// The newest numbers of databases: by database, by metric.
    pub database_metrics: BTreeMap<DatabaseId, BTreeMap<String, f64>>,
    /// `FreeStorageSpace` over 24 h, by database.
    pub free_storage: BTreeMap<DatabaseId, &'a [(Wall, f64)]>,
    /// The newest numbers of cache nodes: by cache cluster, by metric.
    pub cache_metrics: BTreeMap<String, BTreeMap<String, f64>>,
    /// What the configuration declares, by the database's name.
    pub declared: BTreeMap<String, Declared>,
    /// What of it is production, by the configuration.
    pub production: BTreeSet<Subject>,
    /// Findings of other rules (next start, faults of whole scopes), merged in.
    pub others: Vec<Finding>,
    /// Scopes whose alarms were read: elsewhere "nothing watches" would be a guess.
    pub alarms_read: BTreeSet<crate::domain::scope::Scope>,
}

/// The first screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// One line per sick resource, the worst first.
    pub findings: Vec<Finding>,
    /// The resources without a finding, counted by kind.
    pub healthy: Vec<(&'static str, usize)>,
    /// Services, databases and caches that no alarm watches.
    pub unwatched: Vec<Subject>,
}

/// Judges all that was observed.
#[must_use]
pub fn fleet(facts: &FleetFacts<'_>, now: Wall) -> Fleet {
    let _ = (facts, now);
    Fleet::default()
}

/// Folds findings into one line per subject and ranks the lines. `alarms` are findings of alarms with what each
/// watches: one that watches a sick subject becomes evidence there, one that watches a subject that no other rule
/// found sick makes that subject's line, and one that watches nothing known keeps its own.
#[must_use]
pub fn merge(findings: Vec<Finding>, alarms: Vec<(Finding, Vec<Subject>)>) -> Vec<Finding> {
    let _ = alarms;
    findings
}
