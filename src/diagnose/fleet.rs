//! Everything that is wrong, ranked: one line per sick resource, the healthy counted, the unwatched named.
//!
//! Must not hide a finding: what is folded into another line stands in that line's evidence.

mod cause;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use self::cause::{deployed_before, name_secret};
use super::alarm::{self, Known, alarm_finding, alarm_severity, coverage, watch_map};
use super::cache::{Cache, CacheFacts, cache_findings};
use super::database::{Database, DatabaseFacts, Declared, database_findings, pool_demand};
use super::remedy::with_command;
use super::scaling::{at_maximum, bounds_of};
use super::secret::{consumers, secret_findings, tasks_with_old_value};
use super::stopped::service_finding;
use super::{Evidence, Finding, Severity, Subject, rank};
use crate::domain::alarm::{Alarm, AlarmId};
use crate::domain::balancer::TargetGroup;
use crate::domain::cache::{CacheCluster, CacheId, ReplicationGroup};
use crate::domain::database::{DataEvent, DatabaseId, DbCluster, DbInstance, Maintenance, Parameter};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::scaling::ScalableTarget;
use crate::domain::scope::Scope;
use crate::domain::secret::{Secret, SecretId};
use crate::domain::task::Task;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// All that was observed, of every scope. What was not read stays empty.
#[derive(Clone, Debug, Default)]
pub struct FleetFacts<'a> {
    /// Services.
    pub services: Vec<&'a Service>,
    /// Those of them that were judged when they were described and are well: without a task that says otherwise
    /// they are not judged again.
    pub well: HashSet<&'a ServiceId>,
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
    /// Target groups of the services, by ARN.
    pub target_groups: BTreeMap<&'a str, &'a TargetGroup>,
    /// Bounds of the services, by scope.
    pub targets: BTreeMap<Scope, &'a [ScalableTarget]>,
    /// RDS's events, by scope.
    pub database_events: BTreeMap<Scope, &'a [DataEvent]>,
    /// ElastiCache's events, by scope.
    pub cache_events: BTreeMap<Scope, &'a [DataEvent]>,
    /// RDS's pending maintenance.
    pub maintenance: &'a [Maintenance],
    /// Parameters by scope and name of their group.
    pub parameters: BTreeMap<(Scope, String), &'a [Parameter]>,
    /// The newest numbers of databases: by database, by metric.
    pub database_metrics: BTreeMap<DatabaseId, BTreeMap<String, f64>>,
    /// `FreeStorageSpace` over 24 h, by database.
    pub free_storage: BTreeMap<DatabaseId, &'a [(Wall, f64)]>,
    /// The newest numbers of cache nodes: by cache cluster, by metric.
    pub cache_metrics: BTreeMap<CacheId, BTreeMap<String, f64>>,
    /// What the configuration declares, by the database's name.
    pub declared: BTreeMap<String, Declared>,
    /// What of it is production, by the configuration.
    pub production: BTreeSet<Subject>,
    /// Findings of other rules (next start, faults of whole scopes), merged in.
    pub others: Vec<Finding>,
    /// Scopes whose alarms were read: elsewhere "nothing watches" would be a guess.
    pub alarms_read: BTreeSet<Scope>,
}

/// The first screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// One line per sick resource, the worst first.
    pub findings: Vec<Finding>,
    /// The resources without a finding, notices aside, counted by kind.
    pub healthy: Vec<(&'static str, usize)>,
    /// Services, databases and caches that no alarm watches which tells somebody.
    pub unwatched: Vec<Subject>,
    /// What each alarm watches, of what is known.
    #[serde(skip)]
    pub watches: BTreeMap<AlarmId, Vec<Subject>>,
    /// Who reads each secret, of those that somebody is known to read.
    #[serde(skip)]
    pub readers: BTreeMap<SecretId, Readers>,
}

/// Who reads a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// So many services.
    pub services: usize,
    /// So many of their running tasks hold its old value.
    pub old: usize,
}

/// Judges all that was observed.
#[must_use]
pub fn fleet(facts: &FleetFacts<'_>, now: Wall) -> Fleet {
    let subjects = subjects(facts);
    let mut findings = facts.others.clone();
    let services: HashMap<&ServiceId, &Service> = facts.services.iter().map(|s| (&s.id, *s)).collect();
    let definitions: HashMap<&ServiceId, &TaskDefinition> = facts.definitions.iter().copied().collect();
    let mut tasks: HashMap<ServiceId, Vec<&Task>> = HashMap::new();
    for task in &facts.tasks {
        if let Some(service) = task.service_id() {
            tasks.entry(service).or_default().push(task);
        }
    }
    let tracking: Vec<&Alarm> = facts.alarms.iter().copied().filter(|a| a.is_target_tracking()).collect();
    for service in &facts.services {
        let own = tasks.get(&service.id);
        if own.is_some() || !facts.well.contains(&service.id) {
            let definition = definitions.get(&service.id).copied();
            let finding = service_finding(service, own.into_iter().flatten().copied(), now);
            let group = |arn: &str| facts.target_groups.get(arn).map(|group| (*group).clone());
            let finding = finding.map(|finding| with_command(finding, service, definition, group));
            findings.extend(finding.map(|finding| name_secret(finding, definition, &facts.secrets)));
        }
        let targets = facts.targets.get(&service.id.scope).copied().unwrap_or_default();
        let bounds = if tracking.is_empty() { None } else { bounds_of(&service.id, targets) };
        findings.extend(bounds.and_then(|b| at_maximum(service, b, tracking.iter().copied(), now)));
    }
    for database in databases(facts) {
        findings.extend(of_database(database, facts, now));
    }
    for cache in caches(facts) {
        let scope = &cache.id().scope;
        let numbers = cache.nodes().into_iter().filter_map(|node| {
            let id = CacheId { scope: scope.clone(), name: node.to_owned() };
            Some((node.to_owned(), facts.cache_metrics.get(&id)?.clone()))
        });
        let own = CacheFacts {
            metrics: numbers.collect(),
            clusters: facts.cache_clusters.iter().copied().filter(|c| c.id.scope == *scope).collect(),
            events: facts.cache_events.get(scope).copied().unwrap_or_default(),
            production: facts.production.contains(&cache.subject()),
        };
        findings.extend(cache_findings(cache, &own, now));
    }
    let mut readers = BTreeMap::new();
    for secret in &facts.secrets {
        let own = consumers(secret, facts.definitions.iter().copied());
        findings.extend(secret_findings(secret, &own, facts.tasks.iter().copied(), now));
        if !own.is_empty() {
            let services: BTreeSet<&ServiceId> = own.iter().map(|consumer| &consumer.service).collect();
            let old = tasks_with_old_value(secret, &own, facts.tasks.iter().copied()).len();
            readers.insert(secret.id.clone(), Readers { services: services.len(), old });
        }
    }
    let known = known(facts);
    let watches = watch_map(facts.alarms.iter().copied(), &known);
    let alarms = facts.alarms.iter().filter_map(|alarm| {
        let finding = alarm_finding(alarm, now)?;
        let subjects = watches.get(&alarm.id).cloned().unwrap_or_default();
        Some((deployed_before(finding, &subjects, &services), subjects))
    });
    let findings = merge(findings, alarms.collect());
    let hurts = findings.iter().filter(|finding| finding.severity < Severity::Notice);
    let mut sick: HashSet<Subject> = hurts.map(|finding| finding.subject.clone()).collect();
    // An alarm that stands in the line of what it watches is not well either, nor is one that knows nothing.
    let unwell = facts.alarms.iter().filter(|alarm| alarm_severity(alarm) < Severity::Notice);
    sick.extend(unwell.map(|alarm| Subject::Alarm(alarm.id.clone())));
    let mut healthy: BTreeMap<&'static str, usize> = BTreeMap::new();
    for subject in subjects.iter().filter(|subject| !sick.contains(subject)) {
        *healthy.entry(subject.kind()).or_default() += 1;
    }
    let guarded = subjects.into_iter().filter(|subject| {
        matches!(subject, Subject::Service(_) | Subject::Database(_) | Subject::Cache(_))
            && facts.alarms_read.contains(subject.scope())
    });
    let unwatched = coverage(guarded, facts.alarms.iter().copied(), &watches);
    Fleet { findings, healthy: healthy.into_iter().collect(), unwatched, watches, readers }
}

fn databases<'a>(facts: &FleetFacts<'a>) -> Vec<Database<'a>> {
    let instances = facts.instances.iter().map(|instance| Database::Instance(instance));
    instances.chain(facts.clusters.iter().map(|cluster| Database::Cluster(cluster))).collect()
}

/// Replication groups, and the clusters that stand alone.
fn caches<'a>(facts: &FleetFacts<'a>) -> Vec<Cache<'a>> {
    let alone = facts.cache_clusters.iter().filter(|cluster| cluster.group.is_none());
    let groups = facts.cache_groups.iter().map(|group| Cache::Group(group));
    groups.chain(alone.map(|cluster| Cache::Cluster(cluster))).collect()
}

/// All that was looked at.
fn subjects(facts: &FleetFacts<'_>) -> Vec<Subject> {
    let services = facts.services.iter().filter(|service| service.status != "INACTIVE");
    let services = services.map(|service| Subject::Service(service.id.clone()));
    let databases = databases(facts).into_iter().map(Database::subject);
    let caches = caches(facts).into_iter().map(Cache::subject);
    let secrets = facts.secrets.iter().map(|secret| Subject::Secret(secret.id.clone()));
    let alarms = facts.alarms.iter().filter(|alarm| !alarm.is_target_tracking());
    let alarms = alarms.map(|alarm| Subject::Alarm(alarm.id.clone()));
    services.chain(databases).chain(caches).chain(secrets).chain(alarms).collect()
}

fn known<'a>(facts: &FleetFacts<'a>) -> Known<'a> {
    let mut known = Known::default();
    for service in &facts.services {
        known.service(service, &facts.target_groups);
    }
    for instance in &facts.instances {
        known.instance(instance);
    }
    for cluster in &facts.clusters {
        known.cluster(cluster);
    }
    for group in &facts.cache_groups {
        known.cache_group(group);
    }
    for cluster in &facts.cache_clusters {
        known.cache_cluster(cluster);
    }
    known
}

fn of_database(database: Database<'_>, facts: &FleetFacts<'_>, now: Wall) -> Vec<Finding> {
    let id = database.id();
    let declared = facts.declared.get(&id.name);
    let local = facts.services.iter().copied().filter(|service| service.id.scope == id.scope);
    let parameters = match database {
        Database::Instance(instance) => {
            let group = instance.parameter_groups.first();
            group.and_then(|group| facts.parameters.get(&(id.scope.clone(), group.name.clone()))).copied()
        }
        Database::Cluster(_) => None,
    };
    let targets = facts.targets.get(&id.scope).copied().unwrap_or_default();
    let own = DatabaseFacts {
        metrics: facts.database_metrics.get(id).cloned().unwrap_or_default(),
        free_storage: facts.free_storage.get(id).copied().unwrap_or_default(),
        parameters: parameters.unwrap_or_default(),
        maintenance: facts.maintenance,
        events: facts.database_events.get(&id.scope).copied().unwrap_or_default(),
        declared,
        demand: declared.and_then(|declared| pool_demand(declared, local, targets)),
        production: facts.production.contains(&database.subject()),
    };
    database_findings(database, &own, now)
}

/// Folds findings into one line per subject and ranks the lines. `alarms` are findings of alarms with what each
/// watches: one that fires over a sick subject becomes evidence there and lends the line its severity, one that
/// fires over subjects that no other rule found sick keeps its own line, which names them. Alarms that are muted or
/// cannot be evaluated keep their lines: they tell nothing of what they watch.
#[must_use]
pub fn merge(findings: Vec<Finding>, alarms: Vec<(Finding, Vec<Subject>)>) -> Vec<Finding> {
    let mut lines: BTreeMap<Subject, Vec<Finding>> = BTreeMap::new();
    for finding in findings.into_iter().filter(|finding| !finding.severity.is_calm()) {
        lines.entry(finding.subject.clone()).or_default().push(finding);
    }
    let mut lines: BTreeMap<Subject, Finding> =
        lines.into_iter().filter_map(|(subject, all)| Some((subject, folded(all)?))).collect();
    let (mut firing, others): (Vec<_>, Vec<_>) =
        alarms.into_iter().partition(|(finding, _)| finding.rule == alarm::FIRING);
    // The worst first, so that it stands first in the evidence.
    firing.sort_by(|(a, _), (b, _)| (a.severity, &a.subject).cmp(&(b.severity, &b.subject)));
    let mut alone: Vec<Finding> = others.into_iter().map(|(finding, _)| finding).collect();
    for (mut finding, watched) in firing {
        let mut told = false;
        for subject in &watched {
            // What is merely under way explains no alarm; then the alarm is the better line.
            if let Some(line) = lines.get_mut(subject).filter(|line| line.severity <= Severity::Warning) {
                let text = format!("Alarm {}: {}", finding.subject.name(), finding.sentence);
                line.evidence.push(Evidence { at: finding.since, text });
                line.severity = line.severity.min(finding.severity);
                told = true;
            }
        }
        if !told {
            if let Some(first) = watched.first() {
                let others = watched.len() - 1;
                let more = if others > 0 { format!(" and {others} more") } else { String::new() };
                finding.sentence = format!("{} {}: {}", first.name(), first.kind(), finding.sentence) + &more;
            }
            alone.push(finding);
        }
    }
    let mut all: Vec<Finding> = lines.into_values().chain(alone).collect();
    rank(&mut all);
    all
}

/// One line of several about one subject: the worst, the others as its evidence.
fn folded(mut all: Vec<Finding>) -> Option<Finding> {
    rank(&mut all);
    let mut rest = all.into_iter();
    let mut line = rest.next()?;
    for other in rest {
        line.evidence.push(Evidence { at: other.since, text: other.sentence });
        line.evidence.extend(other.evidence);
        line.next = line.next.or(other.next);
    }
    Some(line)
}

#[cfg(test)]
mod tests;
