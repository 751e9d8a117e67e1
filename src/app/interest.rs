//! What the present screen needs to know.
//!
//! Must be a pure function of the model: the ledger in `refresh` does the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::app::Model;
use crate::app::layout::layout;
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::services::shows_way_back;
use crate::app::pane::triage::Item;
use crate::app::refresh::{Closeness, Interest, Watch};
use crate::app::world::World;
use crate::diagnose::{Severity, Subject};
use crate::domain::action::Action;
use crate::domain::ecs::{ClusterId, ServiceId};
use crate::domain::scope::Scope;
use crate::guard::{Progress, WayBack};
use crate::stdx::rect::Rect;

/// Revisions shown with the deployment history; one call describes so many.
const REVISIONS: usize = 20;

/// Every interest of the present screen with its closeness, without repetition.
#[must_use]
pub fn interests(model: &Model) -> Vec<(Interest, Closeness)> {
    let screen = layout(model, model.size);
    let close = |panes: &[PaneId]| -> Closeness {
        if panes.contains(&model.focus) {
            Closeness::Focused
        } else if panes.iter().any(|p| screen.pane(*p).is_some()) {
            Closeness::Visible
        } else {
            Closeness::Rest
        }
    };
    let mut wanted = Vec::new();
    for scope in &model.session.scopes {
        wanted.push((Interest::Identity(scope.clone()), close(&[PaneId::Api])));
        if model.session.clusters.is_empty() {
            wanted.push((Interest::Clusters(scope.clone()), close(&[PaneId::Clusters])));
        } else {
            for name in &model.session.clusters {
                let id = ClusterId { scope: scope.clone(), name: name.clone() };
                wanted.push((Interest::Services(id), close(&[PaneId::Services])));
            }
        }
    }
    if model.session.clusters.is_empty() {
        for id in model.world.clusters.keys() {
            wanted.push((Interest::Services(id.clone()), close(&[PaneId::Services])));
        }
    }
    let visible = |pane: PaneId| screen.pane(pane).is_some();
    estate(model, &close, &visible, &mut wanted);
    if let Some((id, file)) = model.logs.file().filter(|_| visible(PaneId::Logs)) {
        wanted.push((Interest::LogText(id.clone(), file.clone()), close(&[PaneId::Logs])));
    }
    if let Some(subject) = &model.subject {
        let detail = [PaneId::Service, PaneId::Events, PaneId::Tasks, PaneId::Deployments, PaneId::Logs];
        if model.focus.follows_subject() && detail.iter().any(|p| visible(*p)) {
            wanted.push((Interest::Service(subject.clone()), close(&detail)));
        }
        if visible(PaneId::Tasks) || visible(PaneId::Service) {
            let closeness = close(&[PaneId::Tasks, PaneId::Service]);
            wanted.push((Interest::Tasks(subject.clone(), false), closeness));
            wanted.push((Interest::Tasks(subject.clone(), true), closeness));
        }
        // A service on the screen tells whether it could be rolled back, and to what.
        let opened = visible(PaneId::Service);
        if let Some(seen) = model.world.service(subject).filter(|_| opened) {
            let arn = seen.value.task_definition_arn.clone();
            wanted.push((Interest::Definition(subject.scope.clone(), arn), Closeness::Rest));
        }
        if visible(PaneId::Deployments) || opened {
            let closeness =
                if visible(PaneId::Deployments) { close(&[PaneId::Deployments]) } else { Closeness::Rest };
            wanted.push((Interest::Deployments(subject.clone()), closeness));
            let arns = past_revisions(model, subject);
            if !arns.is_empty() {
                wanted.push((Interest::Revisions(subject.scope.clone(), arns), closeness));
            }
        }
        if visible(PaneId::Definition)
            && let Some(arn) = model.definition.shown(&model.world, Some(subject))
        {
            wanted.push((Interest::Definition(subject.scope.clone(), arn), close(&[PaneId::Definition])));
        }
    }
    if let Some(area) = screen.inside(PaneId::Services) {
        asides(model, area, &mut wanted);
    }
    details(model, &mut wanted);
    once(wanted)
}

/// Each of them once, as near as the nearest pane wants it: several panes may show the same.
fn once(wanted: Vec<(Interest, Closeness)>) -> Vec<(Interest, Closeness)> {
    let mut nearest: HashMap<&Interest, Closeness> = HashMap::with_capacity(wanted.len());
    for (interest, closeness) in &wanted {
        let known = nearest.entry(interest).or_insert(*closeness);
        *known = (*known).min(*closeness);
    }
    let firsts: Vec<Option<Closeness>> =
        wanted.iter().map(|(interest, _)| nearest.remove(interest)).collect();
    wanted.into_iter().zip(firsts).filter_map(|((interest, _), near)| Some((interest, near?))).collect()
}

/// What follows from all services together. It is found with each judgement and not with each message: there may
/// be thousands of them.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// The sickest services, and such as ECS keeps replacing tasks of.
    sick: Vec<ServiceId>,
    /// The task definitions that run.
    definitions: Vec<(Scope, String)>,
    /// Whether these are all of them.
    complete: bool,
    /// Whether all services that are listed are described.
    described: bool,
    /// Target groups as they are asked for, once all services are described, so that each is asked for once.
    target_groups: Vec<(Scope, Arc<[String]>)>,
}

impl Needs {
    /// What follows from these services.
    pub fn of(world: &World) -> Self {
        let mut sick: Vec<(Severity, &ServiceId)> = Vec::new();
        let mut definitions = BTreeSet::new();
        let mut groups: BTreeMap<&Scope, BTreeSet<&String>> = BTreeMap::new();
        let mut all_described = true;
        for (id, row) in &world.services {
            let severity = row.judged().map_or(Severity::Unknown, |health| health.severity);
            if severity <= Severity::Warning || row.replaces {
                sick.push((severity, id));
            }
            let Some(seen) = &row.seen else {
                all_described &= row.failure.is_some();
                continue;
            };
            definitions.insert((&id.scope, &seen.value.task_definition_arn));
            let arns = seen.value.load_balancers.iter().filter_map(|b| b.target_group_arn.as_ref());
            groups.entry(&id.scope).or_default().extend(arns);
        }
        sick.sort();
        let mut target_groups = Vec::new();
        for (scope, arns) in groups.into_iter().filter(|_| all_described) {
            let arns: Vec<String> = arns.into_iter().cloned().collect();
            let chunks = arns.chunks(TARGET_GROUPS);
            target_groups.extend(chunks.map(|chunk| (scope.clone(), Arc::from(chunk))));
        }
        Self {
            sick: sick.into_iter().take(SICK).map(|(_, id)| id.clone()).collect(),
            described: all_described && !world.services.is_empty(),
            complete: all_described && definitions.len() <= DEFINITIONS,
            definitions: definitions
                .into_iter()
                .take(DEFINITIONS)
                .map(|(scope, arn)| (scope.clone(), arn.clone()))
                .collect(),
            target_groups,
        }
    }

    /// How far the task definitions that run were read.
    #[must_use]
    pub fn reading(&self, world: &World) -> Reading {
        let mut reading = if self.complete { Reading::Whole } else { Reading::Part };
        for key in &self.definitions {
            match world.definitions.get(key) {
                Some(known) if known.value.is_some() => {}
                Some(known) if known.fault.is_some() => return Reading::Failed,
                _ => reading = Reading::Part,
            }
        }
        reading
    }
}

/// How far something was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Not to its end yet.
    #[default]
    Part,
    /// Some of it cannot be read.
    Failed,
    /// To its end.
    Whole,
}

/// Sick services whose tasks the first screen asks for, so that it can tell why they are sick.
const SICK: usize = 20;

/// Task definitions asked for, to find the consumers of secrets.
const DEFINITIONS: usize = 200;

/// Target groups that one call describes.
const TARGET_GROUPS: usize = 20;

/// What there is beside ECS. What feeds the badges is asked for wherever one is; the rest where it is shown.
fn estate(
    model: &Model,
    close: &dyn Fn(&[PaneId]) -> Closeness,
    visible: &dyn Fn(PaneId) -> bool,
    wanted: &mut Vec<(Interest, Closeness)>,
) {
    let known = &model.world.estate;
    // The first screen stands on everything: there a list is shown, not waited for.
    let on = |panes: &[PaneId]| match close(panes) {
        Closeness::Rest if visible(PaneId::Fleet) || visible(PaneId::Changes) => Closeness::Visible,
        closeness => closeness,
    };
    for scope in &model.session.scopes {
        let mut add = |watch: Watch, panes: &[PaneId]| {
            wanted.push((Interest::Watch(scope.clone(), watch), on(panes)));
        };
        add(Watch::Alarms, &[PaneId::Alarms]);
        add(Watch::Instances, &[PaneId::Databases]);
        add(Watch::CacheGroups, &[PaneId::Caches]);
        add(Watch::CacheNodes, &[PaneId::Caches]);
        add(Watch::Secrets, &[PaneId::Secrets]);
        add(Watch::Targets, &[PaneId::Service]);
        let has_databases = known.instances.keys().any(|id| id.scope == *scope);
        if has_databases {
            add(Watch::DbClusters, &[PaneId::Databases]);
            add(Watch::DbEvents, &[PaneId::Databases]);
            add(Watch::Maintenance, &[PaneId::Databases]);
        }
        if known.cache_nodes.keys().any(|id| id.scope == *scope) {
            add(Watch::CacheEvents, &[PaneId::Caches]);
        }
        if visible(PaneId::Secrets) || visible(PaneId::Changes) {
            add(Watch::Stored, &[PaneId::Secrets]);
        }
        if visible(PaneId::Changes) {
            if known.alarms.keys().any(|id| id.scope == *scope) {
                add(Watch::Flips, &[PaneId::Changes]);
            }
            if known.targets.get(scope).is_some_and(|targets| !targets.is_empty()) {
                add(Watch::Activities, &[PaneId::Changes]);
            }
            add(Watch::Trail, &[PaneId::Changes]);
        }
    }
    services(model, visible, wanted);
}

/// What the judgement of services and secrets needs beside the services themselves.
fn services(model: &Model, visible: &dyn Fn(PaneId) -> bool, wanted: &mut Vec<(Interest, Closeness)>) {
    let needs = &model.needs;
    if visible(PaneId::Fleet) {
        for id in &needs.sick {
            // What its tasks read at their start may be why they do not start.
            let arn = model.world.service(id).map(|seen| seen.value.task_definition_arn.clone());
            wanted.extend(arn.map(|arn| (Interest::Definition(id.scope.clone(), arn), Closeness::Rest)));
            wanted.push((Interest::Tasks(id.clone(), false), Closeness::Rest));
            wanted.push((Interest::Tasks(id.clone(), true), Closeness::Rest));
        }
    }
    if visible(PaneId::Secrets) {
        for (scope, arn) in &needs.definitions {
            wanted.push((Interest::Definition(scope.clone(), arn.clone()), Closeness::Visible));
        }
    }
    // Target groups tie alarms of load balancers to services.
    if [PaneId::Fleet, PaneId::Alarms, PaneId::Service].into_iter().any(visible) {
        for (scope, arns) in &needs.target_groups {
            wanted.push((Interest::TargetGroups(scope.clone(), arns.clone()), Closeness::Visible));
        }
    }
}

/// What the services that the list shows could be rolled back to, and whether a rollback pinned what they run: that
/// stands in their history and in their definitions.
fn asides(model: &Model, area: Rect, wanted: &mut Vec<(Interest, Closeness)>) {
    // What the services are comes first: in a throttled account each of these reads would cost one of those.
    let lists = model.refresh.entries();
    let mut lists = lists.filter(|(i, _)| matches!(i, Interest::Clusters(_) | Interest::Services(_)));
    if !model.needs.described || lists.any(|(_, entry)| entry.fault.is_some()) {
        return;
    }
    let list = &model.services.list;
    let shown = list.rows.iter().skip(list.cursor.offset()).take(usize::from(area.height));
    for service in shown.filter_map(|id| Some(&model.world.service(id)?.value)) {
        let mut add = |interest: Interest| wanted.push((interest, Closeness::Aside));
        let scope = &service.id.scope;
        add(Interest::Definition(scope.clone(), service.task_definition_arn.clone()));
        if !shows_way_back(area.width, model.session.scopes.len()) {
            continue;
        }
        // A history from before what runs is read again soon.
        let is_behind = model.world.way_back(service) == WayBack::Unknown;
        let closeness = if is_behind { Closeness::Rest } else { Closeness::Aside };
        wanted.push((Interest::History(service.id.clone()), closeness));
        let mut add = |interest: Interest| wanted.push((interest, Closeness::Aside));
        let past = past_revisions(model, &service.id);
        let current = &service.current_service_revisions;
        if !past.is_empty() && !current.iter().all(|arn| past.contains(arn)) {
            add(Interest::Revisions(scope.clone(), current.clone()));
        }
        if !past.is_empty() {
            add(Interest::Revisions(scope.clone(), past));
        }
    }
}

/// What the newest deployments of a service deployed, by ARN.
fn past_revisions(model: &Model, id: &ServiceId) -> Vec<String> {
    let history = model.world.deployments.get(id).and_then(|seen| seen.value.as_ref());
    let arns = history.into_iter().flatten().filter_map(|d| d.target_revision_arn.clone());
    let mut arns: Vec<String> = arns.take(REVISIONS).collect();
    arns.sort();
    arns.dedup();
    arns
}

/// What lies over the panes needs more of one resource.
fn details(model: &Model, wanted: &mut Vec<(Interest, Closeness)>) {
    let known = &model.world.estate;
    let mut near = |interest: Interest, closeness: Closeness| wanted.push((interest, closeness));
    let mut add = |interest: Interest| near(interest, Closeness::Focused);
    match &model.overlay {
        Some(Overlay::Detail(Item::Subject(Subject::Alarm(id)), _)) => {
            add(Interest::AlarmHistory(id.clone()));
        }
        Some(Overlay::Detail(Item::Subject(Subject::Database(id)), _)) => {
            if let Some(seen) = known.instances.get(id) {
                for group in &seen.value.parameter_groups {
                    add(Interest::Parameters(id.scope.clone(), group.name.clone()));
                }
                add(Interest::LogFiles(id.clone()));
            }
        }
        Some(Overlay::LogFiles { database, .. }) => add(Interest::LogFiles(database.clone())),
        Some(Overlay::Detail(Item::Subject(Subject::Secret(id)), _)) => {
            add(Interest::Secret(id.clone()));
            let consumers = crate::app::findings::definitions(&model.world);
            let services: Vec<_> = known
                .secrets
                .get(id)
                .map_or_else(Vec::new, |seen| crate::diagnose::secret::consumers(&seen.value, consumers));
            for consumer in services {
                add(Interest::Tasks(consumer.service, false));
            }
        }
        Some(Overlay::Operation(dialog)) => {
            // The new tasks of a rollout, with those that stopped; once it has ended, nobody waits for them.
            let running = model.operations.get(dialog.operation);
            for operation in running.into_iter().map(|running| &running.operation) {
                let ended = operation.progress() == Progress::Ended;
                let closeness = if ended { Closeness::Visible } else { Closeness::Focused };
                for service in operation.action().replaces() {
                    near(Interest::Tasks(service.clone(), false), closeness);
                    near(Interest::Tasks(service.clone(), true), closeness);
                    if matches!(operation.action(), Action::RollBack { .. }) {
                        // Who deployed what it may return to.
                        near(Interest::Watch(service.scope.clone(), Watch::Trail), closeness);
                    }
                    let balancers = model.world.service(service).map(|seen| &seen.value.load_balancers);
                    for arn in balancers.into_iter().flatten().filter_map(|b| b.target_group_arn.clone()) {
                        near(Interest::TargetHealth(service.scope.clone(), arn), closeness);
                    }
                }
            }
        }
        Some(Overlay::Check(_)) => {
            let seen = model.check.service.as_ref().and_then(|id| model.world.service(id));
            if let Some(seen) = seen {
                let service = &seen.value;
                let scope = service.id.scope.clone();
                add(Interest::Tasks(service.id.clone(), false));
                add(Interest::Tasks(service.id.clone(), true));
                add(Interest::Definition(scope.clone(), service.task_definition_arn.clone()));
                if !service.current_service_revisions.is_empty() {
                    add(Interest::Revisions(scope, service.current_service_revisions.clone()));
                }
            }
        }
        _ => {}
    }
}
