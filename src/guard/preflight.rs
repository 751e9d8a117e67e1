//! What is checked before a mutation, and what it would do, from one fresh look at the target.
//!
//! Must not ask for more: what a look does not show is *not verified*, and says so.

use crate::domain::ecs::{Deployment, Service};
use crate::domain::mutation::Mutation;
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::task::Task;

/// What was read of the target.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    Service(&'a Service),
    Task(&'a Task),
}

/// The plan of a mutation of this target.
pub(super) fn plan(mutation: &Mutation, target: Target<'_>) -> Plan {
    let (changes, reach, checks) = match target {
        Target::Service(service) => of_service(service),
        Target::Task(task) => of_task(task),
    };
    Plan { mutation: mutation.clone(), changes, reach, checks }
}

/// Whether it cannot be undone by the scheduler or by doing something else.
pub(super) fn is_destructive(target: Target<'_>) -> bool {
    match target {
        Target::Service(_) => false,
        // Nobody starts a task again that belongs to no service.
        Target::Task(task) => task.service().is_none(),
    }
}

fn of_service(service: &Service) -> (Vec<FieldChange>, Vec<String>, Vec<Check>) {
    let primary = service.primary();
    let changes = vec![FieldChange {
        field: "deployment".to_owned(),
        before: primary.map_or_else(|| "none".to_owned(), |d| d.id.clone()),
        after: format!("a new one of {}", service.revision),
    }];
    let (minimum, maximum) = bounds(service);
    let reach = vec![
        format!("all {} tasks are replaced, {minimum} to {maximum} running meanwhile", service.desired),
        "image tags are resolved anew: a tag that was moved since starts different code".to_owned(),
    ];
    let checks = vec![controller(service), status(service), under_way(primary, service), room(service)];
    (changes, reach, checks)
}

fn controller(service: &Service) -> Check {
    match service.controller.as_deref() {
        None => Check::new(
            "deployment controller",
            Finding::NotVerified,
            "ECS does not say which controller deploys",
        ),
        Some("ECS") => Check::new("deployment controller", Finding::Pass, "ECS deploys this service"),
        Some(other) => Check::new(
            "deployment controller",
            Finding::Block,
            format!("{other} deploys this service: ECS refuses a forced deployment, use {other}"),
        ),
    }
}

fn status(service: &Service) -> Check {
    let finding = if service.status == "ACTIVE" { Finding::Pass } else { Finding::Block };
    Check::new("service status", finding, format!("the service is {}", service.status))
}

fn under_way(primary: Option<&Deployment>, service: &Service) -> Check {
    let others = service.deployments.iter().filter(|d| d.status == "ACTIVE").count();
    let state = primary.and_then(|d| d.rollout_state.as_deref());
    match (primary, state) {
        (Some(deployment), Some("IN_PROGRESS")) => Check::new(
            "rollout under way",
            Finding::Warn,
            format!("{} is in progress and would be replaced", deployment.id),
        ),
        (Some(_), _) if others > 0 => {
            Check::new("rollout under way", Finding::Warn, "tasks of an earlier deployment are still running")
        }
        (Some(_), Some(_)) => Check::new("rollout under way", Finding::Pass, "the last deployment has ended"),
        (_, None) | (None, _) => {
            Check::new("rollout under way", Finding::NotVerified, "ECS shows no state of the last deployment")
        }
    }
}

/// The fewest and the most tasks during a rollout, as ECS rounds them.
fn bounds(service: &Service) -> (u64, u64) {
    let desired = u64::from(service.desired);
    let minimum = u64::from(service.deployment_configuration.minimum_healthy_percent.unwrap_or(100));
    let maximum = u64::from(service.deployment_configuration.maximum_percent.unwrap_or(200));
    ((desired * minimum).div_ceil(100), desired * maximum / 100)
}

fn room(service: &Service) -> Check {
    let (minimum, maximum) = bounds(service);
    let desired = u64::from(service.desired);
    if desired == 0 {
        return Check::new(
            "room for a rollout",
            Finding::Warn,
            "the desired count is 0: nothing would start",
        );
    }
    let stuck = minimum >= desired && maximum <= desired;
    let finding = if stuck { Finding::Block } else { Finding::Pass };
    let evidence = if stuck {
        format!(
            "at least {minimum} and at most {maximum} tasks may run: no task can be stopped or started, the rollout would never move"
        )
    } else {
        format!("{minimum} to {maximum} tasks may run around {desired}")
    };
    Check::new("room for a rollout", finding, evidence)
}

fn of_task(task: &Task) -> (Vec<FieldChange>, Vec<String>, Vec<Check>) {
    let changes = vec![FieldChange {
        field: "status".to_owned(),
        before: task.last_status.clone(),
        after: "STOPPED".to_owned(),
    }];
    let reach = match task.service() {
        Some(service) => vec![
            format!(
                "{service} runs one task less until the scheduler has replaced it, below its minimum if need be"
            ),
            "its containers get SIGTERM, and SIGKILL after their stop timeout".to_owned(),
        ],
        None => vec!["no service replaces it: what it was doing is not done by another".to_owned()],
    };
    let finding =
        if task.is_stopped() || task.desired_status == "STOPPED" { Finding::Block } else { Finding::Pass };
    let evidence = format!("the task is {}, wanted {}", task.last_status, task.desired_status);
    (changes, reach, vec![Check::new("task status", finding, evidence)])
}
