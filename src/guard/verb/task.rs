//! Tasks: stop one, restart all of a service's one by one, run one once.
//!
//! Must not stop two of a service's tasks at once: a restart waits until each is replaced.

use super::deploy::{image_queries, main_container};
use super::running::{self, Running};
use crate::domain::ecs::ServiceId;
use crate::domain::mutation::Mutation;
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Arn;
use crate::domain::task::{Task, TaskId};
use crate::guard::check;
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::{Facts, task_query};
use crate::guard::saw::Saw;
use crate::guard::watch::Goal;
use crate::stdx::clock::Wall;

/// What to ask to stop a task.
pub(in crate::guard) fn stop_wants(task: &TaskId) -> Vec<Query> {
    vec![task_query(task)]
}

/// Stops one task.
pub(in crate::guard) fn stop(
    id: &TaskId,
    reason: &str,
    operation: &str,
    facts: &Facts,
) -> Result<Draft, NoPlan> {
    let task = facts.task(id).ok_or_else(|| match facts.fault(&task_query(id)) {
        Some(fault) => NoPlan::Failed(format!(
            "the target could not be read again ({fault}); AWS was not asked to change it"
        )),
        None => NoPlan::Failed(format!("{}/{} was not found", id.cluster, id.id)),
    })?;
    let changes = vec![FieldChange::new("status", task.last_status.clone(), "STOPPED")];
    let mut reach = match task.service() {
        Some(service) => vec![format!(
            "{service} runs one task less until the scheduler has replaced it, below its minimum if need be"
        )],
        None => vec!["no service replaces it: what it was doing is not done by another".to_owned()],
    };
    reach.push("its containers get SIGTERM, and SIGKILL after their stop timeout".to_owned());
    let stopping = task.is_stopped() || task.desired_status == "STOPPED";
    let finding = if stopping { Finding::Block } else { Finding::Pass };
    let evidence = format!("the task is {}, wanted {}", task.last_status, task.desired_status);
    let plan = Plan {
        changes,
        reach,
        checks: vec![Check::new("task status", finding, evidence)],
        ..Plan::default()
    };
    let mutation = Mutation::StopTask { task: id.clone(), reason: reason.to_owned() };
    // By the operation's name in it, a stop is known for ours.
    let goal = Goal::Stopped { task: id.clone(), reason: operation.to_owned() };
    let draft = Draft::new(plan, vec![Step::new(mutation, goal)], Saw::task(task));
    // Nobody starts a task again that belongs to no service.
    Ok(if task.service().is_none() { draft.destructive() } else { draft })
}

fn list(id: &ServiceId) -> Query {
    Query::ListTasks {
        scope: id.scope.clone(),
        cluster: id.cluster.clone(),
        service: Some(id.name.clone()),
        stopped: false,
        page: None,
    }
}

fn names(id: &ServiceId, facts: &Facts) -> Vec<String> {
    let names = facts.pages(&list(id)).answers.into_iter().flat_map(|answer| match answer {
        Answer::Names { names, .. } => names.as_slice(),
        _ => &[],
    });
    names.map(|arn| Arn::last(arn).to_owned()).collect()
}

fn described(id: &ServiceId, names: &[String]) -> Vec<Query> {
    let of = |tasks: &[String]| Query::DescribeTasks {
        scope: id.scope.clone(),
        cluster: id.cluster.clone(),
        tasks: tasks.to_vec(),
    };
    names.chunks(100).map(of).collect()
}

/// What to ask to restart a service.
pub(in crate::guard) fn restart_wants(id: &ServiceId, facts: &Facts) -> Vec<Query> {
    let mut wants = running::wants(id, facts);
    wants.extend(facts.pages(&list(id)).next);
    wants.extend(described(id, &names(id, facts)));
    wants
}

/// Whether a task that is replaced runs the same code: ECS keeps the digests of a deployment, unless a container has its
/// `versionConsistency` disabled.
fn kept(running: &Running<'_>) -> Check {
    let name = "code";
    let Some(definition) = running.definition else {
        return Check::new(name, Finding::NotVerified, "the task definition could not be read");
    };
    let loose: Vec<&str> = definition
        .containers
        .iter()
        .filter(|container| !container.image.contains('@'))
        .filter(|container| container.resolves_anew || running.digest(&container.name).is_none())
        .map(|container| container.name.as_str())
        .collect();
    if loose.is_empty() {
        return Check::new(name, Finding::Pass, "the digests that run are kept: no tag is resolved");
    }
    let anew = definition.containers.iter().any(|container| container.resolves_anew);
    let (finding, why) = if anew {
        (Finding::Warn, "each new task resolves the tag anew: it may be other code than what runs")
    } else {
        (Finding::NotVerified, "no digest is recorded: which code a new task runs is unknown")
    };
    Check::new(name, finding, format!("{}: {why}", loose.join(", ")))
}

/// Stops a service's tasks one by one, the oldest first, each when the one before is replaced.
pub(in crate::guard) fn restart(id: &ServiceId, reason: &str, facts: &Facts) -> Result<Draft, NoPlan> {
    let service = running::service(id, facts)?;
    let pages = facts.pages(&list(id));
    if let Some(fault) = pages.fault {
        return Err(NoPlan::Failed(format!("its tasks could not be listed ({fault}); none was stopped")));
    }
    let mut tasks: Vec<&Task> = Vec::new();
    for query in described(id, &names(id, facts)) {
        match (facts.answer(&query), facts.fault(&query)) {
            (Some(Answer::Tasks { found, .. }), _) => tasks.extend(found.iter().filter(|t| !t.is_stopped())),
            (_, Some(fault)) => {
                return Err(NoPlan::Failed(format!(
                    "its tasks could not be read ({fault}); none was stopped"
                )));
            }
            _ => {}
        }
    }
    if tasks.is_empty() {
        return Err(NoPlan::Refused("no task runs".to_owned()));
    }
    tasks.sort_by_key(|task| (task.started_at, task.id.id.clone()));
    let count = tasks.len();
    let plan = Plan {
        changes: vec![FieldChange::new(
            "tasks",
            format!("{count} running"),
            "each stopped and replaced, oldest first",
        )],
        reach: vec![
            format!(
                "{} of {} tasks run while one is replaced; it takes {count} replacements in turn",
                count - 1,
                count
            ),
            "its containers get SIGTERM, and SIGKILL after their stop timeout".to_owned(),
        ],
        checks: vec![
            check::status(service),
            steady(service.running, service.desired),
            check::under_way(service),
            kept(&Running::of(id, facts)?),
        ],
        ..Plan::default()
    };
    let checked = tasks.iter().any(|task| task.health.as_deref().is_some_and(|health| health != "UNKNOWN"));
    let target_groups: Vec<String> =
        service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.clone()).collect();
    let planned = (service.primary().map(|primary| primary.id.clone()), service.desired);
    let steps = tasks
        .iter()
        .map(|task| {
            let mutation = Mutation::StopTask { task: task.id.clone(), reason: reason.to_owned() };
            Step::waited(
                mutation,
                Goal::Replaced {
                    service: id.clone(),
                    task: task.id.clone(),
                    planned: planned.clone(),
                    checked,
                    target_groups: target_groups.clone(),
                },
            )
        })
        .collect();
    Ok(Draft::new(plan, steps, Saw::service(service)))
}

fn steady(running: u32, desired: u32) -> Check {
    let name = "tasks running";
    if running >= desired && desired > 1 {
        return Check::new(name, Finding::Pass, format!("{running} of {desired} run"));
    }
    if desired <= 1 {
        return Check::new(name, Finding::Warn, "it has one task: nothing serves while it is replaced");
    }
    Check::new(
        name,
        Finding::Warn,
        format!("only {running} of {desired} run: one less while each is replaced"),
    )
}

/// What to ask to run a task.
pub(in crate::guard) fn run_wants(id: &ServiceId, facts: &Facts) -> Vec<Query> {
    let mut wants = running::wants(id, facts);
    if let Ok(running) = Running::of(id, facts)
        && let Some(definition) = running.definition
    {
        wants.extend(image_queries(id, definition));
    }
    wants
}

/// Runs one task with the definition, network and roles of a service.
pub(in crate::guard) fn run(
    id: &ServiceId,
    container: Option<&str>,
    command: &[String],
    token: &str,
    facts: &Facts,
    now: Wall,
) -> Result<Draft, NoPlan> {
    let running = Running::of(id, facts)?;
    let service = running.service;
    let definition = running.needed_definition(facts)?;
    let names: Vec<&str> = definition.containers.iter().map(|c| c.name.as_str()).collect();
    let main = match container {
        Some(name) if names.contains(&name) => name.to_owned(),
        Some(name) => {
            let why = format!("{} has no container {name}: it has {}", definition.revision, names.join(", "));
            return Err(NoPlan::Refused(why));
        }
        None => main_container(service, definition).map(|c| c.name.clone()).unwrap_or_default(),
    };
    let command_words = if command.is_empty() { "its own command".to_owned() } else { command.join(" ") };
    let mut checks = vec![check::status(service)];
    checks.extend(super::deploy::resolved(&running, Some(definition), facts, now));
    let plan = Plan {
        changes: vec![FieldChange::new(format!("task of {}", definition.revision), "none", command_words)],
        reach: vec![
            "one task runs once, with the network, the roles and the secrets of the service".to_owned(),
            "what its command does to the database cannot be undone from here".to_owned(),
        ],
        checks,
        ..Plan::default()
    };
    let mutation = Mutation::RunTask {
        service: id.clone(),
        definition: definition.arn.clone(),
        container: (!command.is_empty()).then(|| main.clone()),
        command: command.to_vec(),
        subnets: service.subnets.clone(),
        security_groups: service.security_groups.clone(),
        public_ip: service.public_ip,
        launch_type: service.launch_type.clone(),
        capacity: service.capacity.iter().map(|s| (s.provider.clone(), s.weight, s.base)).collect(),
        token: token.to_owned(),
    };
    let goal = Goal::Exits { service: id.clone(), container: main.clone() };
    Ok(Draft::new(plan, vec![Step::new(mutation, goal)], Saw::service(service)).destructive())
}
