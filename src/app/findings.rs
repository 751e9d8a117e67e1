//! What was observed, handed to `diagnose` as facts: what is wrong, and what each alarm watches.
//!
//! Must not judge anything itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::app::charts;
use crate::app::pane::check::NextStart;
use crate::app::refresh::{Interest, Refresh, Watch};
use crate::app::world::{ServiceRow, World};
use crate::config::Config;
use crate::diagnose::fleet::{Fleet, FleetFacts, fleet};
use crate::diagnose::{Finding, Severity, Subject};
use crate::domain::database::Maintenance;
use crate::domain::ecs::ServiceId;
use crate::domain::metric::Range;
use crate::domain::scope::Scope;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Moment;
use crate::stdx::text::{capital, count};

/// The task definitions that services run, as far as they were read.
pub fn definitions(world: &World) -> Vec<(&ServiceId, &TaskDefinition)> {
    // There may be thousands of services, and few definitions read: nothing is copied to look one up.
    let known: HashMap<(&Scope, &str), &TaskDefinition> = world
        .definitions
        .iter()
        .filter_map(|((scope, arn), known)| Some(((scope, arn.as_str()), known.value.as_ref()?)))
        .collect();
    let of = |(id, row): (&'_ ServiceId, &'_ ServiceRow)| {
        let arn = &row.seen.as_ref()?.value.task_definition_arn;
        known.get(&(&id.scope, arn.as_str())).copied()
    };
    world.services.iter().filter_map(|(id, row)| Some((id, of((id, row))?))).collect()
}

/// Everything that is wrong, of every scope.
#[must_use]
pub fn judge(world: &World, refresh: &Refresh, check: &NextStart, config: &Config, at: Moment) -> Fleet {
    let now = at.wall;
    let estate = &world.estate;
    let maintenance: Vec<Maintenance> = estate.maintenance.values().flatten().cloned().collect();
    let mut database_metrics = BTreeMap::new();
    let mut free_storage = BTreeMap::new();
    for (id, seen) in &estate.instances {
        let mut numbers = BTreeMap::new();
        for (name, _, chart) in charts::database(&seen.value, Range::ThreeHours) {
            if let Some(last) = estate.last(&chart, now) {
                numbers.insert(name.to_owned(), last);
            }
        }
        database_metrics.insert(id.clone(), numbers);
        let storage = charts::database(&seen.value, Range::Day)
            .into_iter()
            .find(|(name, ..)| *name == "FreeStorageSpace")
            .filter(|(_, _, chart)| estate.last(chart, now).is_some())
            .and_then(|(_, _, chart)| estate.series.get(&chart));
        if let Some(series) = storage {
            free_storage.insert(id.clone(), series.value.points.as_slice());
        }
    }
    let mut cache_metrics = BTreeMap::new();
    for (id, seen) in &estate.cache_nodes {
        let mut numbers = BTreeMap::new();
        for (name, _, chart) in charts::cache_node(id, &seen.value.node_type, Range::ThreeHours) {
            if let Some(last) = estate.last(&chart, now) {
                numbers.insert(name.to_owned(), last);
            }
        }
        cache_metrics.insert(id.clone(), numbers);
    }
    let alarms_read: BTreeSet<Scope> = refresh
        .entries()
        .filter_map(|(interest, entry)| match interest {
            Interest::Watch(scope, Watch::Alarms) if entry.fresh_at.is_some() => Some(scope.clone()),
            _ => None,
        })
        .collect();
    let facts = FleetFacts {
        services: world.services.values().filter_map(|row| Some(&row.seen.as_ref()?.value)).collect(),
        well: world
            .services
            .iter()
            .filter(|(_, row)| row.health.as_ref().is_some_and(|health| health.severity.is_calm()))
            .map(|(id, _)| id)
            .collect(),
        tasks: world.tasks.values().map(|seen| &seen.value).collect(),
        definitions: definitions(world),
        instances: estate.instances.values().map(|seen| &seen.value).collect(),
        clusters: estate.db_clusters.values().map(|seen| &seen.value).collect(),
        cache_groups: estate.cache_groups.values().map(|seen| &seen.value).collect(),
        cache_clusters: estate.cache_nodes.values().map(|seen| &seen.value).collect(),
        secrets: estate.secrets.values().map(|seen| &seen.value).collect(),
        alarms: estate.alarms.values().map(|seen| &seen.value).collect(),
        target_groups: estate.target_groups.iter().map(|(arn, group)| (arn.as_str(), group)).collect(),
        targets: by_scope(&estate.targets),
        database_events: by_scope(&estate.db_events),
        cache_events: by_scope(&estate.cache_events),
        maintenance: &maintenance,
        parameters: estate.parameters.iter().map(|(key, found)| (key.clone(), found.as_slice())).collect(),
        database_metrics,
        free_storage,
        cache_metrics,
        declared: config.databases.clone(),
        production: production(world, config),
        others: unread(refresh).into_iter().chain(check.findings(world, at)).collect(),
        alarms_read,
    };
    fleet(&facts, now)
}

/// What the configuration takes for production: a database or a cache by its account or its own name.
fn production(world: &World, config: &Config) -> BTreeSet<Subject> {
    let estate = &world.estate;
    let databases = estate.instances.keys().chain(estate.db_clusters.keys()).cloned().map(Subject::Database);
    let caches = estate.cache_groups.keys().chain(estate.cache_nodes.keys()).cloned().map(Subject::Cache);
    databases
        .chain(caches)
        .filter(|subject| config.is_production(subject.scope().account.as_str(), Some(subject.name())))
        .collect()
}

fn by_scope<T>(all: &BTreeMap<Scope, Vec<T>>) -> BTreeMap<Scope, &[T]> {
    all.iter().map(|(scope, found)| (scope.clone(), found.as_slice())).collect()
}

/// What kind of fault met which action.
type KindAndAction<'r> = (&'static str, &'r str);

/// What could not be read at all, as findings: a region whose credentials ended or whose reads are denied looks
/// healthy otherwise.
fn unread(refresh: &Refresh) -> Vec<Finding> {
    let mut found: BTreeMap<Scope, (Vec<KindAndAction<'_>>, Finding)> = BTreeMap::new();
    for (interest, entry) in refresh.entries() {
        let Some(fault) = &entry.fault else { continue };
        let scope = interest.scope();
        if !entry.wanted
            || !matches!(interest, Interest::Clusters(_) | Interest::Services(_) | Interest::Watch(..))
        {
            continue;
        }
        let severity = if fault.is_about_credentials() { Severity::Critical } else { Severity::Warning };
        let action = fault.action.as_deref().unwrap_or("a request");
        let known = found.entry(scope.clone()).or_insert_with(|| {
            let subject = Subject::Scope(scope.clone());
            (Vec::new(), Finding::new(subject, "scope.unread", severity, String::new()))
        });
        known.0.push((fault.kind.word(), action));
        known.1.severity = known.1.severity.min(severity);
        known.1.evidence.push(crate::diagnose::Evidence { at: None, text: format!("{action}: {fault}") });
        if let Some(hint) = &fault.hint {
            known.1.next.get_or_insert_with(|| hint.clone());
        }
    }
    found
        .into_values()
        .map(|(lists, mut finding)| {
            // AWS's own words are evidence: they are long, and the same for each.
            let words = each_once(lists.iter().map(|(word, _)| *word));
            let actions = each_once(lists.iter().map(|(_, action)| *action));
            let more = match actions.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let named: Vec<&str> = actions.into_iter().take(NAMED).collect();
            finding.sentence = format!(
                "{}: {} could not be read ({}{more})",
                capital(&words.join(", ")),
                count(lists.len(), "list"),
                named.join(", ")
            );
            finding
        })
        .collect()
}

fn each_once<'r>(all: impl Iterator<Item = &'r str>) -> Vec<&'r str> {
    let mut known = Vec::new();
    for one in all {
        if !known.contains(&one) {
            known.push(one);
        }
    }
    known
}

/// Actions that are named where several failed.
const NAMED: usize = 2;
