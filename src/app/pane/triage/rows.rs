//! The rows of each list, from the world.
//!
//! Must keep the order of `diagnose` where it gave one: the worst first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::app::findings::definitions;
use crate::app::pane::PaneId;
use crate::app::pane::list::Filter;
use crate::app::pane::triage::{ChangeKey, Item, Triage};
use crate::app::world::{Estate, World};
use crate::diagnose::change::{self, Change};
use crate::diagnose::secret::{self, tree};
use crate::diagnose::{Finding, Severity, Subject, alarm};
use crate::domain::alarm::{Alarm, AlarmState};
use crate::domain::cache::CacheId;
use crate::domain::database::DatabaseId;
use crate::domain::metric::Range;
use crate::domain::scope::{Arn, Scope};
use crate::stdx::clock::Wall;

/// Computes the rows of all lists.
pub fn settle(triage: &mut Triage, world: &World, range: Range, now: Wall) {
    triage.depth.clear();
    triage.labels.clear();
    triage.folded.clear();
    fleet(triage);
    for (pane, _) in Triage::PANES.into_iter().zip(triage.seen).filter(|(_, seen)| *seen) {
        match pane {
            PaneId::Alarms => alarms(triage, world),
            PaneId::Databases => databases(triage, &world.estate),
            PaneId::Caches => caches(triage, &world.estate),
            PaneId::Secrets => {
                secrets(triage, &world.estate);
                readers(triage, world);
            }
            PaneId::Changes => changes(triage, world, range, now),
            _ => {}
        }
    }
}

/// How many services read each parameter. Who reads a secret was found when everything was judged.
fn readers(triage: &mut Triage, world: &World) {
    triage.readers.clear();
    let definitions = definitions(world);
    for ((scope, name), seen) in &world.estate.stored {
        let consumers = secret::parameter_consumers(&seen.value, definitions.iter().copied());
        let services: BTreeSet<_> = consumers.iter().map(|consumer| &consumer.service).collect();
        triage.readers.insert(Item::Parameter(scope.clone(), name.clone()), services.len());
    }
}

/// Whether a row passes the filter of a list, by a text that is only written where there is one.
fn passes(filter: Option<&Filter>, text: impl FnOnce() -> String) -> bool {
    filter.is_none_or(|filter| filter.passes(&text()))
}

fn filter(triage: &Triage, pane: PaneId) -> Option<Filter> {
    triage.list(pane)?.filter.clone()
}

fn put(triage: &mut Triage, pane: PaneId, rows: Vec<Item>) {
    if let Some(list) = triage.list_mut(pane) {
        list.rows = rows;
    }
}

fn fleet(triage: &mut Triage) {
    let filter = filter(triage, PaneId::Fleet);
    let folds = triage.folds(PaneId::Fleet) && filter.is_none();
    let is_shown = |finding: &&Finding| !folds || finding.severity != Severity::Notice;
    let folded = triage.fleet.findings.iter().filter(|finding| !is_shown(finding)).count();
    let text = |finding: &Finding| {
        let subject = &finding.subject;
        let (kind, name, scope) = (subject.kind(), subject.name(), subject.scope());
        format!("{} {kind} {name} {scope} {}", finding.severity.word(), finding.sentence)
    };
    let shown = triage.fleet.findings.iter().filter(is_shown);
    let rows = shown
        .filter(|finding| passes(filter.as_ref(), || text(finding)))
        .map(|finding| Item::Subject(finding.subject.clone()))
        .collect();
    triage.folded.insert(PaneId::Fleet, folded);
    put(triage, PaneId::Fleet, rows);
}

/// How much an alarm needs a person: one of target tracking is in ALARM by design.
#[must_use]
pub fn alarm_severity(of: &Alarm) -> Severity {
    if of.is_target_tracking() {
        return Severity::Idle;
    }
    alarm::alarm_severity(of)
}

fn alarms(triage: &mut Triage, world: &World) {
    let filter = filter(triage, PaneId::Alarms);
    let folds = triage.folds(PaneId::Alarms) && filter.is_none();
    let mut known: Vec<&Alarm> = world.estate.alarms.values().map(|seen| &seen.value).collect();
    known.sort_by_cached_key(|alarm| {
        let firing = alarm.state == AlarmState::Alarm && !alarm.is_target_tracking();
        let order = match alarm.state {
            AlarmState::Alarm => 0,
            AlarmState::Other(_) => 1,
            AlarmState::InsufficientData => 2,
            AlarmState::Ok => 3,
        };
        (!firing, alarm.is_target_tracking(), order, Reverse(alarm.since), alarm.id.clone())
    });
    let mut folded = 0;
    let mut rows = Vec::new();
    for alarm in known {
        if folds && alarm.is_target_tracking() {
            folded += 1;
            continue;
        }
        let text = || {
            let watched = triage.fleet.watches.get(&alarm.id).into_iter().flatten();
            let watched: Vec<&str> = watched.map(Subject::name).collect();
            let (word, id) = (alarm.state.word(), &alarm.id);
            format!("{word} {} {} {} {}", id.name, id.scope, watched.join(" "), alarm.reason)
        };
        if passes(filter.as_ref(), text) {
            rows.push(Item::Subject(Subject::Alarm(alarm.id.clone())));
        }
    }
    triage.folded.insert(PaneId::Alarms, folded);
    put(triage, PaneId::Alarms, rows);
}

/// What the fleet says of each subject that is not well.
fn severities(triage: &Triage) -> HashMap<Subject, Severity> {
    triage.fleet.findings.iter().map(|finding| (finding.subject.clone(), finding.severity)).collect()
}

/// Clusters with their members and sources with their replicas: the sickest family first, and in each the head.
fn databases(triage: &mut Triage, estate: &Estate) {
    let parent = |id: &DatabaseId| -> Option<DatabaseId> {
        let instance = &estate.instances.get(id)?.value;
        if let Some(cluster) = &instance.cluster {
            let cluster = DatabaseId { scope: id.scope.clone(), name: cluster.clone(), cluster: true };
            return estate.db_clusters.contains_key(&cluster).then_some(cluster);
        }
        let source = instance.source.as_deref()?;
        Some(estate.instance_named(&id.scope, source)?.value.id.clone())
    };
    let mut below: BTreeMap<DatabaseId, Vec<DatabaseId>> = BTreeMap::new();
    let mut heads: Vec<DatabaseId> = estate.db_clusters.keys().cloned().collect();
    for id in estate.instances.keys() {
        match parent(id).filter(|parent| parent != id) {
            Some(parent) => below.entry(parent).or_default().push(id.clone()),
            None => heads.push(id.clone()),
        }
    }
    let (sick, filter) = (severities(triage), filter(triage, PaneId::Databases));
    let mut seen = BTreeSet::new();
    let mut families: Vec<(Severity, Vec<(DatabaseId, usize)>)> = Vec::new();
    // Two instances that name each other as source have no head; they stand for themselves.
    for head in heads.into_iter().chain(estate.instances.keys().cloned()) {
        let mut family = Vec::new();
        descend(&head, 0, &below, &mut seen, &mut family);
        if family.is_empty() {
            continue;
        }
        let of = |(id, _): &(DatabaseId, usize)| sick.get(&Subject::Database(id.clone())).copied();
        families.push((family.iter().filter_map(of).min().unwrap_or(Severity::Ok), family));
    }
    families.sort_by(|a, b| (a.0, &a.1[0].0).cmp(&(b.0, &b.1[0].0)));
    let mut rows = Vec::new();
    for (id, depth) in families.into_iter().flat_map(|(_, family)| family) {
        let text = || match (estate.instances.get(&id), estate.db_clusters.get(&id)) {
            (Some(seen), _) => {
                let i = &seen.value;
                format!("{} {} {} {} {} {}", id.name, id.scope, i.status, i.engine, i.engine_version, i.class)
            }
            (_, Some(seen)) => {
                let c = &seen.value;
                format!("{} {} {} {} {}", id.name, id.scope, c.status, c.engine, c.engine_version)
            }
            _ => id.name.clone(),
        };
        if passes(filter.as_ref(), text) {
            let item = Item::Subject(Subject::Database(id));
            triage.depth.insert(item.clone(), depth);
            rows.push(item);
        }
    }
    put(triage, PaneId::Databases, rows);
}

fn descend(
    id: &DatabaseId,
    depth: usize,
    below: &BTreeMap<DatabaseId, Vec<DatabaseId>>,
    seen: &mut BTreeSet<DatabaseId>,
    out: &mut Vec<(DatabaseId, usize)>,
) {
    if !seen.insert(id.clone()) {
        return;
    }
    out.push((id.clone(), depth));
    for child in below.get(id).into_iter().flatten() {
        descend(child, depth + 1, below, seen, out);
    }
}

fn caches(triage: &mut Triage, estate: &Estate) {
    let (sick, filter) = (severities(triage), filter(triage, PaneId::Caches));
    let mut members: HashMap<CacheId, Vec<&CacheId>> = HashMap::new();
    let mut heads: Vec<&CacheId> = estate.cache_groups.keys().collect();
    for (id, seen) in &estate.cache_nodes {
        let name = seen.value.group.clone();
        let group = name.map(|name| CacheId { scope: id.scope.clone(), name });
        match group.filter(|group| estate.cache_groups.contains_key(group)) {
            Some(group) => members.entry(group).or_default().push(id),
            None => heads.push(id),
        }
    }
    let severity = |id: &CacheId| sick.get(&Subject::Cache(id.clone())).copied().unwrap_or(Severity::Ok);
    let mut families: Vec<(Severity, &CacheId)> = heads
        .into_iter()
        .map(|head| {
            let nodes = members.get(head).into_iter().flatten().map(|node| severity(node));
            (nodes.chain([severity(head)]).min().unwrap_or(Severity::Ok), head)
        })
        .collect();
    families.sort();
    let text = |id: &CacheId| match (estate.cache_groups.get(id), estate.cache_nodes.get(id)) {
        (Some(seen), _) => {
            let engine = seen.value.engine.as_deref().unwrap_or("");
            format!("{} {} {} {engine}", id.name, id.scope, seen.value.status)
        }
        (_, Some(seen)) => {
            let node = &seen.value;
            format!("{} {} {} {} {}", id.name, id.scope, node.status, node.node_type, node.engine)
        }
        _ => id.name.clone(),
    };
    let mut rows = Vec::new();
    for (_, head) in families {
        let below = members.get(head).into_iter().flatten().map(|node| (*node, 1));
        for (id, depth) in [(head, 0)].into_iter().chain(below) {
            if passes(filter.as_ref(), || text(id)) {
                let item = Item::Subject(Subject::Cache(id.clone()));
                triage.depth.insert(item.clone(), depth);
                rows.push(item);
            }
        }
    }
    put(triage, PaneId::Caches, rows);
}

/// Secrets and parameters of each scope as one tree by their slashes.
fn secrets(triage: &mut Triage, estate: &Estate) {
    let mut scopes: BTreeSet<&Scope> = estate.secrets.keys().map(|id| &id.scope).collect();
    scopes.extend(estate.stored.keys().map(|(scope, _)| scope));
    let (sick, filter) = (severities(triage), filter(triage, PaneId::Secrets));
    // The sick families first; the others in the order of their names.
    let mut families: Vec<(Severity, Vec<Item>)> = Vec::new();
    for scope in scopes {
        let secrets = estate.secrets.keys().filter(|id| id.scope == *scope);
        let secrets = secrets.map(|id| (id.name.as_str(), Item::Subject(Subject::Secret(id.clone()))));
        let stored = estate.stored.keys().filter(|(at, _)| at == scope);
        let stored = stored.map(|(at, name)| (name.as_str(), Item::Parameter(at.clone(), name.clone())));
        let named: Vec<(&str, Item)> = secrets
            .chain(stored)
            .filter(|(name, _)| passes(filter.as_ref(), || format!("{name} {scope}")))
            .collect();
        for row in tree(named.iter().map(|(name, _)| *name)) {
            let item = row.item.and_then(|index| named.get(index)).map(|(_, item)| item.clone());
            let item = item.unwrap_or_else(|| Item::Branch(scope.clone(), row.path.clone()));
            triage.depth.insert(item.clone(), row.depth);
            let label = if row.below > 0 { format!("{} ({})", row.label, row.below) } else { row.label };
            triage.labels.insert(item.clone(), label);
            let severity = match &item {
                Item::Subject(subject) => sick.get(subject).copied().unwrap_or(Severity::Ok),
                _ => Severity::Ok,
            };
            match families.last_mut() {
                Some((worst, family)) if row.depth > 0 => {
                    *worst = severity.min(*worst);
                    family.push(item);
                }
                _ => families.push((severity, vec![item])),
            }
        }
    }
    families.sort_by_key(|(worst, _)| *worst);
    let rows = families.into_iter().flat_map(|(_, family)| family).collect();
    put(triage, PaneId::Secrets, rows);
}

/// How far back the time axis reaches at a range of charts.
fn reach(range: Range) -> std::time::Duration {
    match range {
        Range::Hour => Range::Hour.span(),
        Range::ThreeHours => Range::ThreeHours.span(),
        Range::Day | Range::Week => Range::Day.span(),
    }
}

fn changes(triage: &mut Triage, world: &World, range: Range, now: Wall) {
    let estate = &world.estate;
    let mut all: Vec<Change> = Vec::new();
    for (id, row) in &world.services {
        let Some(seen) = &row.seen else { continue };
        let history = world.deployments.get(id).and_then(|o| o.value.as_deref()).unwrap_or_default();
        all.extend(change::of_service(&seen.value, history));
        let key = (id.scope.clone(), seen.value.task_definition_arn.clone());
        let definition = world.definitions.get(&key).and_then(|o| o.value.as_ref());
        all.extend(definition.and_then(|definition| change::of_definition(id, definition)));
    }
    all.extend(estate.activities.iter().flat_map(|(scope, items)| change::of_scaling(scope, items)));
    all.extend(estate.secrets.values().flat_map(|seen| change::of_secret(&seen.value, now)));
    all.extend(estate.stored.values().filter_map(|seen| change::of_parameter(&seen.value)));
    all.extend(estate.db_events.iter().flat_map(|(scope, items)| change::of_database_events(scope, items)));
    all.extend(estate.cache_events.iter().flat_map(|(scope, items)| change::of_cache_events(scope, items)));
    all.extend(estate.flips.iter().flat_map(|(scope, items)| change::of_alarm_history(scope, items)));
    for (scope, events) in &estate.trail {
        let events: Vec<_> = events.values().cloned().collect();
        all.extend(change::of_trail(scope, &events));
    }
    triage.changes = change::timeline(all, now.minus(reach(range)));
    let filter = filter(triage, PaneId::Changes);
    let text = |change: &Change| {
        let who = change.who.as_deref().map_or("", Arn::last);
        format!("{} {} {} {who} {}", change.kind.word(), change.name, change.scope, change.sentence)
    };
    let shown = triage.changes.iter().filter(|change| passes(filter.as_ref(), || text(change)));
    let key = |change: &Change| ChangeKey {
        at: change.at,
        kind: change.kind,
        scope: change.scope.clone(),
        name: change.name.clone(),
        sentence: change.sentence.clone(),
    };
    let rows = shown.map(|change| Item::Change(Box::new(key(change)))).collect();
    put(triage, PaneId::Changes, rows);
}
