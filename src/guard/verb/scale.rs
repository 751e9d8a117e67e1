//! How many tasks: the desired count, autoscaling's bounds, and Spot or on demand.
//!
//! Must not send what was not asked: a desired count alone starts no deployment.

use super::running::{self, Running};
use super::{deploy, images};
use crate::domain::ecs::{RevisionImage, Service, ServiceId, ServiceRevision};
use crate::domain::mutation::{Mutation, ScalingChange, ServiceChange};
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::query::{Answer, Query};
use crate::domain::scaling::{ACTIVITIES, ScalableTarget};
use crate::guard::check;
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::{Facts, service_query};
use crate::guard::saw::Saw;
use crate::guard::watch::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::text::count;

fn targets_query(id: &ServiceId) -> Query {
    Query::DescribeScalableTargets { scope: id.scope.clone(), page: None }
}

/// What to ask.
pub(in crate::guard) fn wants(id: &ServiceId, facts: &Facts) -> Vec<Query> {
    let mut wants = vec![service_query(id)];
    wants.extend(facts.pages(&targets_query(id)).next);
    wants
}

/// What to ask to change the desired count: more tasks start what runs, so it has to be there still.
pub(in crate::guard) fn count_wants(id: &ServiceId, desired: u32, facts: &Facts) -> Vec<Query> {
    let mut wants = wants(id, facts);
    if facts.service(id).is_some_and(|service| service.desired < desired) {
        wants.extend(running::wants(id, facts));
        if let Ok(Running { definition: Some(definition), revision, .. }) = Running::of(id, facts) {
            wants.extend(images::queries(&id.scope, definition, resolved(revision)));
        }
    }
    wants
}

/// An instance may start an image that the registry has no more, from what it pulled before; Fargate cannot.
fn where_it_runs(service: &Service, check: Check) -> Check {
    let fargate = service.launch_type.as_deref() == Some("FARGATE")
        || service.capacity.iter().any(|share| share.provider.starts_with("FARGATE"));
    if fargate || check.finding != Finding::Block {
        return check;
    }
    Check::new(check.name, Finding::Warn, format!("{}, but from what an instance has cached", check.evidence))
}

/// The digests that the last deployment resolved.
fn resolved(revision: Option<&ServiceRevision>) -> &[RevisionImage] {
    revision.map(|revision| revision.images.as_slice()).unwrap_or_default()
}

/// The bounds: known, known to be absent, or why they are not known.
fn target<'f>(id: &ServiceId, facts: &'f Facts) -> Result<Option<&'f ScalableTarget>, String> {
    let pages = facts.pages(&targets_query(id));
    let found = pages
        .answers
        .iter()
        .flat_map(|answer| match answer {
            Answer::ScalableTargets { found, .. } => found.as_slice(),
            _ => &[],
        })
        .find(|target| target.is_count_of(id));
    match (found, pages.fault) {
        (Some(found), _) => Ok(Some(found)),
        (None, Some(fault)) => Err(fault.to_string()),
        (None, None) if pages.cut => Err("autoscaling knows more services than were read".to_owned()),
        (None, None) => Ok(None),
    }
}

/// Changes the desired count.
pub(in crate::guard) fn draft(
    id: &ServiceId,
    desired: u32,
    pools: &[(String, u32)],
    facts: &Facts,
    now: Wall,
) -> Result<Draft, NoPlan> {
    let service = running::service(id, facts)?;
    if service.desired == desired {
        return Err(NoPlan::Refused(format!("{desired} tasks are wanted already")));
    }
    let name = "autoscaling";
    let bounds = match target(id, facts) {
        Err(why) => Check::new(name, Finding::NotVerified, why),
        Ok(None) => Check::new(name, Finding::Pass, "none: the count stays as it is set"),
        Ok(Some(target)) if !target.suspended.is_empty() => {
            let why = format!("{} to {}, suspended: {}", target.min, target.max, target.suspended.join(", "));
            Check::new(name, Finding::Warn, why)
        }
        Ok(Some(target)) if desired < target.min || desired > target.max => {
            let why = format!(
                "outside its bounds of {} to {}: autoscaling brings the count back with its next activity; change the bounds to keep it",
                target.min, target.max
            );
            Check::new(name, Finding::Warn, why)
        }
        Ok(Some(target)) => {
            let why = format!(
                "within {} to {}: its next activity may change the count again",
                target.min, target.max
            );
            Check::new(name, Finding::Pass, why)
        }
    };
    let mut reach = Vec::new();
    if desired > service.desired {
        let more = usize::try_from(desired - service.desired).unwrap_or(usize::MAX);
        reach.push(format!("{} of {} more", count(more, "task"), service.revision));
    } else {
        let less = usize::try_from(service.desired - desired).unwrap_or(usize::MAX);
        reach.push(format!("{} less; ECS chooses which stop", count(less, "task")));
    }
    if desired == 0 {
        reach.push("nothing serves any more".to_owned());
    }
    for (database, connections) in pools {
        let (now, then) = (u64::from(service.desired), u64::from(desired));
        let each = u64::from(*connections);
        reach.push(format!(
            "{database}: at most {} connections of this service instead of {} ({connections} a task, as declared)",
            then * each,
            now * each
        ));
    }
    let mut checks = vec![check::status(service), bounds];
    if service.scheduling.as_deref() == Some("DAEMON") {
        let why = "a DAEMON service has one task per instance: ECS refuses a count";
        checks.push(Check::new("scheduling", Finding::Block, why));
    }
    if desired > service.desired {
        let running = Running::of(id, facts)?;
        checks.extend(match running.definition {
            Some(definition) => {
                let found = images::checks(&id.scope, definition, resolved(running.revision), facts);
                found.into_iter().map(|check| where_it_runs(service, check)).collect()
            }
            None => deploy::resolved(&running, None, facts, now),
        });
    }
    let plan = Plan {
        changes: vec![FieldChange::new("desired count", service.desired.to_string(), desired.to_string())],
        reach,
        checks,
        ..Plan::default()
    };
    let change = ServiceChange { desired: Some(desired), ..ServiceChange::default() };
    let mutation = Mutation::UpdateService { service: id.clone(), change };
    let goal = Goal::Count { service: id.clone(), desired };
    let draft = Draft::new(plan, vec![Step::new(mutation, goal)], Saw::service(service));
    Ok(if desired == 0 { draft.destructive() } else { draft })
}

/// Changes autoscaling's bounds, suspends or resumes it.
pub(in crate::guard) fn bounds(
    id: &ServiceId,
    change: &ScalingChange,
    facts: &Facts,
) -> Result<Draft, NoPlan> {
    let service = running::service(id, facts)?;
    let target = target(id, facts)
        .map_err(|why| {
            NoPlan::Failed(format!("autoscaling could not be read ({why}); AWS was not asked to change it"))
        })?
        .ok_or_else(|| NoPlan::Refused("the service has no autoscaling to change".to_owned()))?;
    let (min, max) = (change.min.unwrap_or(target.min), change.max.unwrap_or(target.max));
    if min > max {
        return Err(NoPlan::Refused(format!("the fewest tasks ({min}) are more than the most ({max})")));
    }
    let mut changes = Vec::new();
    let mut field = |name: &str, before: String, after: String| {
        if before != after {
            changes.push(FieldChange::new(name, before, after));
        }
    };
    field("minimum", target.min.to_string(), min.to_string());
    field("maximum", target.max.to_string(), max.to_string());
    let word = |suspended: bool| if suspended { "suspended" } else { "running" }.to_owned();
    for (activity, name) in ACTIVITIES {
        let was = target.suspended.iter().any(|suspended| suspended == activity);
        field(name, word(was), word(change.suspended.unwrap_or(was)));
    }
    if changes.is_empty() {
        return Err(NoPlan::Refused("autoscaling is so already".to_owned()));
    }
    let mut reach = Vec::new();
    if change.suspended == Some(true) {
        reach.push("nothing adds tasks under load until it is resumed".to_owned());
    }
    if service.desired < min || service.desired > max {
        reach.push(format!(
            "{} tasks are wanted now: autoscaling moves them to {}",
            service.desired,
            service.desired.clamp(min, max)
        ));
    }
    let suspended =
        if target.suspended.is_empty() { "nothing".to_owned() } else { target.suspended.join(", ") };
    let saw = Saw::service(service)
        .and(Saw::fact("autoscaling's bounds", format!("{} to {}", target.min, target.max)))
        .and(Saw::fact("what of autoscaling is suspended", suspended));
    let plan = Plan { changes, reach, checks: vec![check::status(service)], ..Plan::default() };
    let goal = Goal::Bounds { service: id.clone(), change: change.clone() };
    let mutation = Mutation::RegisterScalableTarget { service: id.clone(), change: change.clone() };
    Ok(Draft::new(plan, vec![Step::new(mutation, goal)], saw))
}

/// Runs on demand what runs on Spot.
pub(in crate::guard) fn on_demand(id: &ServiceId, facts: &Facts, now: Wall) -> Result<Draft, NoPlan> {
    let running = Running::of(id, facts)?;
    let service = running.service;
    if !service.capacity.iter().any(|share| share.provider == "FARGATE_SPOT") {
        return Err(NoPlan::Refused("the service uses no FARGATE_SPOT".to_owned()));
    }
    let words = |service: &Service| {
        let share = |share: &crate::domain::ecs::CapacityShare| {
            format!("{} weight {} base {}", share.provider, share.weight, share.base)
        };
        service.capacity.iter().map(share).collect::<Vec<_>>().join(", ")
    };
    let mut plan = Plan {
        changes: vec![FieldChange::new("capacity providers", words(service), "FARGATE weight 1 base 0")],
        reach: vec![
            format!("all {} tasks are replaced by ones that are not reclaimed", service.desired),
            "tags of images are resolved anew".to_owned(),
            "on demand costs more than Spot".to_owned(),
        ],
        checks: vec![
            check::controller(service),
            check::status(service),
            check::under_way(service),
            check::room(service),
            check::breaker(service),
            check::owner(service),
        ],
        ..Plan::default()
    };
    // It is a forced deployment: what the tags mean now is what would run.
    plan.checks.extend(check::alarms(service, facts));
    plan.checks.extend(deploy::resolved(&running, running.definition, facts, now));
    let change = ServiceChange {
        capacity: Some(vec![("FARGATE".to_owned(), 1, 0)]),
        force: true,
        ..ServiceChange::default()
    };
    let mutation = Mutation::UpdateService { service: id.clone(), change };
    let saw = Saw::service(service).and(deploy::codes(&running, running.definition, facts));
    Ok(Draft::new(plan, vec![Step::new(mutation, deploy::goal(service))], saw))
}
