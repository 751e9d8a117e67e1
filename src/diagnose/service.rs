//! The health of a service: of all that is wrong with it, the worst, and of equals the nearest to the cause.
//!
//! Must not take the absence of complaints for health: counts and rollout states come first, since ECS keeps
//! quiet about a repeated message for six hours.

use std::time::Duration;

use super::event::{deployment_id, event_meaning, event_severity, is_settled};
use super::{Health, Severity};
use crate::domain::ecs::{Deployment, DeploymentConfiguration, Service};
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::count;

/// ECS repeats a standing complaint after six hours; one that is older and was not repeated is over.
const EVENT_LIFE: Duration = Duration::from_secs(7 * 3_600);

/// For so long a rolled-back deployment is still news, though the service is well.
const ROLLBACK_LIFE: Duration = Duration::from_secs(24 * 3_600);

/// A rollout that takes longer than this deserves a look.
const LONG_ROLLOUT: Duration = Duration::from_secs(30 * 60);

/// A first deployment may take so long until its first task runs.
const FIRST_START: Duration = Duration::from_secs(10 * 60);

/// Consecutive failures of a rollout from which on it will hardly heal: ECS's own least threshold.
const MANY_FAILURES: u32 = 3;

/// How far back starts of tasks are looked at for replacements, and how many of them are suspect.
const REPLACED: Duration = Duration::from_secs(30 * 60);
const REPLACEMENTS: usize = 2;

/// How the sentence of a rollback that held ends, unless its stopped tasks tell more.
pub(super) const AFTER_FAILURE: &str = ": the deployment after it failed";

/// So many starts within an hour without a steady state are a loop.
const LOOP_STARTS: usize = 4;

/// Judges a service.
#[must_use]
pub fn service_health(service: &Service, now: Wall) -> Health {
    match service.status.as_str() {
        "ACTIVE" => {}
        "DRAINING" => {
            let left = count(tasks(service.running), "task");
            return Health::new(Severity::Progress, format!("Being deleted: {left} still running"));
        }
        "INACTIVE" => return Health::new(Severity::Idle, "Deleted"),
        other => return Health::new(Severity::Unknown, format!("ECS calls its status {other}")),
    }
    if service.desired == 0 && service.running == 0 && service.pending == 0 {
        return Health::new(Severity::Idle, "0 tasks wanted");
    }
    let found =
        [rollout(service, now), events(service, now), counts(service, now), rolled_back(service, now)];
    // `min_by_key` keeps the first of equals.
    found.into_iter().flatten().min_by_key(|health| health.severity).unwrap_or_else(|| {
        Health::new(Severity::Ok, format!("{} of {} running", service.running, tasks_wanted(service)))
    })
}

fn tasks(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn tasks_wanted(service: &Service) -> String {
    count(tasks(service.desired), "task")
}

pub(super) fn in_progress(deployment: &Deployment) -> bool {
    deployment.rollout_state.as_deref() == Some("IN_PROGRESS")
}

/// Running tasks against wanted ones.
fn counts(service: &Service, now: Wall) -> Option<Health> {
    let (running, desired) = (service.running, service.desired);
    if running > desired {
        let deploying = service.primary().is_some_and(in_progress);
        let text = format!("{running} running, {desired} wanted: scaling in");
        return (!deploying).then(|| Health::new(Severity::Progress, text));
    }
    if running == desired {
        return None;
    }
    let mut text = format!("{running} of {} running", tasks_wanted(service));
    if service.pending > 0 {
        text = format!("{text}, {} pending", service.pending);
    }
    let rollout = service.primary().filter(|d| in_progress(d) && d.failed_tasks == 0);
    let severity = match rollout {
        // The rollout may go below the wanted count, down to the minimum that the service allows itself.
        Some(_) if running > 0 && running >= least(desired, &service.deployment_configuration) => {
            Severity::Progress
        }
        Some(first)
            if service.deployments.len() == 1
                && first.created_at.is_some_and(|at| at.age_at(now) < FIRST_START) =>
        {
            Severity::Progress
        }
        _ if running == 0 => Severity::Critical,
        _ => Severity::Warning,
    };
    Some(Health::new(severity, text))
}

/// The fewest tasks that a rollout keeps running; ECS rounds up.
fn least(desired: u32, configuration: &DeploymentConfiguration) -> u32 {
    let percent = configuration.minimum_healthy_percent.unwrap_or(100);
    u32::try_from((u64::from(desired) * u64::from(percent)).div_ceil(100)).unwrap_or(u32::MAX)
}

/// The most tasks that a rollout lets run; ECS rounds down.
fn most(desired: u32, configuration: &DeploymentConfiguration) -> u32 {
    let percent = configuration.maximum_percent.unwrap_or(200);
    u32::try_from(u64::from(desired) * u64::from(percent) / 100).unwrap_or(u32::MAX)
}

/// Why a rolling deployment of so many tasks can neither stop an old one nor start a new one, if it is so.
#[must_use]
pub fn deadlock(desired: u32, configuration: &DeploymentConfiguration) -> Option<String> {
    let rolling = matches!(configuration.strategy.as_deref(), None | Some("ROLLING"));
    let stuck = rolling
        && desired > 0
        && least(desired, configuration) >= desired
        && most(desired, configuration) <= desired;
    stuck.then(|| {
        format!(
            "minimum {} % and maximum {} % of {} leave no room to stop or start one",
            configuration.minimum_healthy_percent.unwrap_or(100),
            configuration.maximum_percent.unwrap_or(200),
            count(tasks(desired), "task")
        )
    })
}

/// Whether tasks were started lately though no deployment asked for them: either it scaled, or tasks die and are
/// replaced so fast that the counts look well. Its stopped tasks tell which.
#[must_use]
pub fn replaces_tasks(service: &Service, now: Wall) -> bool {
    if service.status != "ACTIVE" || service.desired == 0 {
        return false;
    }
    let rolled_out = service.primary().filter(|primary| !in_progress(primary));
    let begun = rolled_out.and_then(|primary| primary.updated_at.or(primary.created_at)).unwrap_or_default();
    let starts = service.events.iter().filter(|event| {
        event.at > begun && event.at.age_at(now) < REPLACED && event.message.contains("has started")
    });
    starts.count() >= REPLACEMENTS
}

/// What the deployments say.
fn rollout(service: &Service, now: Wall) -> Option<Health> {
    let primary = service.primary()?;
    let failed = service.deployments.iter().find(|d| d.rollout_state.as_deref() == Some("FAILED"));
    if let Some(failed) = failed {
        let what = if failed.id == primary.id {
            format!("Deployment failed ({})", failed.revision)
        } else {
            format!("Deployment failed, ECS rolls back: {} to {}", failed.revision, primary.revision)
        };
        // The words behind ECS's fixed opening are the cause.
        let why = failed.rollout_reason.as_deref().and_then(|r| r.strip_prefix("ECS deployment "));
        let text = match why.filter(|why| !why.contains("rolling back")) {
            Some(why) => format!("{what}: {}", why.trim_end_matches('.')),
            None => what,
        };
        return Some(Health::new(Severity::Critical, text).since(failed.updated_at.or(failed.created_at)));
    }
    if !in_progress(primary) {
        return None;
    }
    let (revision, age) = (&primary.revision, primary.created_at.map(|at| at.age_at(now)));
    let progress = format!("{} of {} running", primary.running, count(tasks(primary.desired), "new task"));
    let rolls_back = primary.rollout_reason.as_deref().is_some_and(|reason| reason.contains("rolling back"));
    // What is wrong stands first: a table cuts a sentence at its end, and names are long.
    let health = if rolls_back {
        Health::new(Severity::Critical, format!("Rolling back, {progress}: {revision}"))
    } else if primary.failed_tasks > 0 {
        let severity =
            if primary.failed_tasks >= MANY_FAILURES { Severity::Critical } else { Severity::Warning };
        let failures = count(tasks(primary.failed_tasks), "new task");
        Health::new(severity, format!("{failures} failed, {progress}, deploying {revision}"))
    } else if let Some(why) = deadlock(service.desired, &service.deployment_configuration)
        && service.scheduling.as_deref() != Some("DAEMON")
        && service.deployments.len() > 1
        && service.running >= service.desired
    {
        Health::new(Severity::Critical, format!("Deployment cannot proceed: {why} ({revision})"))
    } else if let Some(age) = age.filter(|age| *age > LONG_ROLLOUT) {
        Health::new(Severity::Warning, format!("Deploying for {}, {progress}: {revision}", brief(age)))
    } else {
        Health::new(Severity::Progress, format!("Deploying, {progress}: {revision}"))
    };
    Some(health.since(primary.created_at))
}

/// The newest complaint that neither a newer event nor a newer deployment contradicts.
fn events(service: &Service, now: Wall) -> Option<Health> {
    let begun = service.deployed_at().unwrap_or_default();
    let standing: Vec<_> = service
        .events
        .iter()
        .take_while(|event| {
            event.at >= begun && event.at.age_at(now) < EVENT_LIFE && !is_settled(&event.message)
        })
        .collect();
    let complaint = standing.iter().find(|event| {
        // A failed or rolled-back deployment is judged by the deployments, which know whether it still counts.
        let of_rollout =
            event.message.contains("deployment failed") || event.message.contains("rolling back");
        !of_rollout && event_severity(&event.message) <= Severity::Warning
    });
    if let Some(event) = complaint {
        let meaning = event_meaning(&event.message).unwrap_or_else(|| event.message.clone());
        return Some(Health::new(event_severity(&event.message), meaning).since(Some(event.at)));
    }
    let hour = now.minus(Duration::from_secs(3_600));
    let recent = |what: &str| standing.iter().filter(|e| e.at >= hour && e.message.contains(what)).count();
    let starts = recent("has started");
    let looping = starts >= LOOP_STARTS
        && recent("has stopped") >= LOOP_STARTS - 1
        && !service.primary().is_some_and(in_progress);
    looping.then(|| {
        let text = format!("Tasks were started {starts} times within an hour without a steady state");
        Health::new(Severity::Warning, text).since(standing.last().map(|event| event.at))
    })
}

/// A rollback that ended well still means that the newest deployment did not take.
fn rolled_back(service: &Service, now: Wall) -> Option<Health> {
    let primary = service.primary()?;
    let event = service.events.iter().find(|event| event.message.contains("rolling back to"))?;
    let holds = deployment_id(&event.message) == Some(primary.id.as_str());
    (holds && !in_progress(primary) && event.at.age_at(now) < ROLLBACK_LIFE).then(|| {
        let text =
            format!("Rolled back to {} {} ago{AFTER_FAILURE}", primary.revision, brief(event.at.age_at(now)));
        Health::new(Severity::Warning, text).since(Some(event.at))
    })
}
