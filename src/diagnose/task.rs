//! The health of a task, and why one stopped, in plain words.
//!
//! Must not guess where ECS says: its reasons come first, exit codes second, stop codes last.

use std::time::Duration;

use super::{Health, Severity};
use crate::domain::task::{Container, Task};
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;

/// A task that takes longer than this to start deserves a look.
const LONG_START: Duration = Duration::from_secs(5 * 60);

/// Parts of ECS's reasons and what they mean. All words of an entry must occur; the first that fits counts.
const CAUSES: &[(&[&str], &str)] = &[
    (&["OutOfMemoryError"], OUT_OF_MEMORY),
    (&["toomanyrequests"], "the registry refuses the image pull: rate limit"),
    (&["CannotPull", "no match for platform"], "the image is not built for this CPU architecture"),
    (
        &["CannotPull", "pull access denied"],
        "the execution role may not pull the image, or it does not exist",
    ),
    (&["CannotPull", "no basic auth credentials"], "the execution role may not pull the image"),
    (&["CannotPull", "403"], "the execution role may not pull the image"),
    (&["CannotPull", "i/o timeout"], NO_ROUTE_TO_REGISTRY),
    (&["CannotPull", "dial tcp"], NO_ROUTE_TO_REGISTRY),
    (&["CannotPull", "request canceled"], NO_ROUTE_TO_REGISTRY),
    (&["CannotPull", "context canceled"], NO_ROUTE_TO_REGISTRY),
    (&["CannotPull", "not found"], IMAGE_MISSING),
    (&["CannotPull", "manifest unknown"], IMAGE_MISSING),
    (&["CannotPull", "failed to resolve ref"], IMAGE_MISSING),
    (&["CannotPull"], "the image cannot be pulled"),
    (&["failed to resolve ref"], IMAGE_MISSING),
    (&["exec format error"], "the image is not built for this CPU architecture"),
    (&["did not contain json key"], KEY_GONE),
    (&["secret", "AccessDeniedException"], "the execution role may not read a secret"),
    (&["secret", "not authorized"], "the execution role may not read a secret"),
    (&["secret", "ResourceNotFoundException"], "a secret that the task definition names does not exist"),
    (&["can't find the specified secret"], "a secret that the task definition names does not exist"),
    (&["secret", "AWSCURRENT"], "a secret has no current version"),
    (&["secret", "timeout"], "there is no route to Secrets Manager"),
    (&["secret", "deadline exceeded"], "there is no route to Secrets Manager"),
    (&["unable to pull secrets or registry auth"], "a secret or the registry's login cannot be read"),
    (&["log group does not exist"], "the log group does not exist"),
    (&["failed to validate logger args"], "the log configuration is refused: does the log group exist?"),
    (&["unable to assume the role"], "ECS cannot assume a role that the task needs"),
    (&["failed ELB health checks"], "its target group's health checks failed"),
    (&["failed container health checks"], "its container's health check failed"),
    (&["Timeout waiting for network interface"], NO_ADDRESS),
    (&["Create Network Interface"], NO_ADDRESS),
    (&["RESOURCE:ENI"], NO_ADDRESS),
    (&["Spot Task was interrupted"], "Fargate Spot took its capacity back"),
    (&["Spot interruption"], "Fargate Spot took its capacity back"),
    (&["performing maintenance"], "AWS retired the host below it"),
    (&["Capacity is unavailable"], "Fargate has no capacity"),
    (&["CannotStartContainerError"], "the container cannot be started"),
    (&["CannotCreateContainerError"], "the container cannot be created"),
    (&["ContainerRuntimeTimeoutError"], "the container runtime did not answer in time"),
    (&["Scaling activity initiated by"], "replaced by a deployment or scaled in"),
];

/// ECS says which key, but not of which secret.
pub(super) const KEY_GONE: &str = "a secret has no longer the JSON key that the task definition names";
const OUT_OF_MEMORY: &str = "killed, out of memory";
const IMAGE_MISSING: &str = "the image's tag or digest is not in the registry";
const NO_ROUTE_TO_REGISTRY: &str = "there is no route to the image registry";
const NO_ADDRESS: &str = "the subnet could not give it a network interface";

/// Why a task stopped, in one sentence without its full stop; `None` while it has not been told to stop. It may
/// quote AWS; whoever shows it scrubs it.
#[must_use]
pub fn stop_explanation(task: &Task) -> Option<String> {
    if !task.is_stopped() && task.stop_code.is_none() && task.stopped_reason.is_none() {
        return None;
    }
    let because = match said_by_ecs(task) {
        Some(Told { container: Some(container), cause }) => {
            let exit = container.exit_code.map_or_else(String::new, |code| format!(" (exit {code})"));
            return Some(format!("Container {}: {cause}{exit}", container.name));
        }
        Some(Told { container: None, cause }) => Some(format!("Stopped: {cause}")),
        None if was_asked_to_stop(task) => Some(by_stop_code(task)),
        None => None,
    };
    let exit = telling_exit(task).map(|(container, code)| (code, &container.name, exit_meaning(task, code)));
    Some(match (because, exit) {
        // Why it was stopped, and that it did not go quietly.
        (Some(because), Some((code, name, meaning))) if !matches!(code, 0 | 143) => {
            format!("{because}; container {name} {meaning}")
        }
        (Some(because), _) => because,
        (None, Some((_, name, meaning))) => format!("Container {name} {meaning}"),
        (None, None) => by_stop_code(task),
    })
}

/// Why a task stopped, in a few words: `exit 137, out of memory`; tasks of one cause have the same.
pub(super) fn stop_cause(task: &Task) -> String {
    let exit = telling_exit(task).map(|(_, code)| code).filter(|code| !matches!(code, 0 | 143));
    let meaning = match (said_by_ecs(task), exit) {
        (Some(Told { cause: OUT_OF_MEMORY, .. }), _) => Some("out of memory"),
        (Some(told), _) => Some(told.cause),
        (None, Some(137)) if was_asked_to_stop(task) => Some("killed after its stop timeout"),
        (None, Some(137)) => Some("killed, most likely out of memory"),
        (None, Some(139)) => Some("segmentation fault"),
        (None, Some(134)) => Some("aborted itself"),
        (None, Some(127)) => Some("command not found"),
        (None, Some(126)) => Some("command not executable"),
        (None, _) => None,
    };
    match (exit, meaning) {
        (Some(code), Some(meaning)) => format!("exit {code}, {meaning}"),
        (Some(code), None) => format!("exit {code}"),
        (None, Some(meaning)) => meaning.to_owned(),
        (None, None) => match telling_exit(task) {
            Some((_, code)) if !was_asked_to_stop(task) => format!("ended by itself, exit {code}"),
            _ => by_stop_code(task),
        },
    }
}

/// The exit code that tells most.
pub(super) fn stop_exit(task: &Task) -> Option<i32> {
    telling_exit(task).map(|(_, code)| code)
}

/// Whether somebody or the scheduler wanted the task away, and not because it was sick.
pub(super) fn was_wanted_away(task: &Task) -> bool {
    let sick = task.stopped_reason.as_deref().is_some_and(|reason| reason.contains("health checks"));
    matches!(task.stop_code.as_deref(), Some("ServiceSchedulerInitiated" | "UserInitiated")) && !sick
}

struct Told<'t> {
    container: Option<&'t Container>,
    cause: &'static str,
}

/// The cause that ECS names, of a container before that of the task.
fn said_by_ecs(task: &Task) -> Option<Told<'_>> {
    let containers = task.containers.iter().filter_map(|container| {
        let cause = cause(container.reason.as_deref()?)?;
        Some(Told { container: Some(container), cause })
    });
    let of_task = || Some(Told { container: None, cause: cause(task.stopped_reason.as_deref()?)? });
    containers.into_iter().next().or_else(of_task)
}

fn cause(reason: &str) -> Option<&'static str> {
    let reason = reason.to_ascii_lowercase();
    let fits = |words: &[&str]| words.iter().all(|word| reason.contains(&word.to_ascii_lowercase()));
    CAUSES.iter().find(|(words, _)| fits(words)).map(|(_, cause)| *cause)
}

/// The exit that tells most: the first that is not 0 and not a plain answer to SIGTERM, else any.
fn telling_exit(task: &Task) -> Option<(&Container, i32)> {
    let exits = || task.containers.iter().filter_map(|c| Some((c, c.exit_code?)));
    let rank = |code: i32| match code {
        0 => 2,
        143 => 1,
        _ => 0,
    };
    exits().min_by_key(|(_, code)| rank(*code))
}

/// Whether somebody asked the task to stop, so that a kill is the end of the stop timeout.
fn was_asked_to_stop(task: &Task) -> bool {
    matches!(
        task.stop_code.as_deref(),
        Some("ServiceSchedulerInitiated" | "UserInitiated" | "SpotInterruption" | "TerminationNotice")
    )
}

fn exit_meaning(task: &Task, code: i32) -> String {
    let meaning = match code {
        0 => return "ended by itself (exit 0)".to_owned(),
        137 if was_asked_to_stop(task) => "did not end within its stop timeout and was killed",
        137 => "was killed, most likely out of memory",
        143 => "ended when told to (SIGTERM)",
        139 => "crashed: segmentation fault",
        134 => "aborted itself",
        127 => "could not start: command not found",
        126 => "could not start: command not executable",
        _ => "failed",
    };
    format!("{meaning} (exit {code})")
}

fn by_stop_code(task: &Task) -> String {
    let meaning = match task.stop_code.as_deref() {
        Some("TaskFailedToStart") => "Failed to start",
        Some("EssentialContainerExited") => "An essential container ended",
        Some("UserInitiated") => "Stopped on request",
        Some("ServiceSchedulerInitiated") => "Stopped by the service scheduler",
        Some("SpotInterruption") => "Fargate Spot took its capacity back",
        Some("TerminationNotice") => "AWS retired the host below it",
        Some("InfrastructureHealth") => "The host below it was not healthy",
        Some(_) | None => "Stopped",
    };
    match task.stopped_reason.as_deref().map(|reason| reason.trim_end_matches('.')) {
        Some(reason) if !reason.is_empty() => format!("{meaning}: {reason}"),
        _ => meaning.to_owned(),
    }
}

/// Judges a task.
#[must_use]
pub fn task_health(task: &Task, now: Wall) -> Health {
    if task.is_stopped() {
        let reason = stop_explanation(task).unwrap_or_else(|| "Stopped".to_owned());
        return Health::new(stop_severity(task), reason).since(task.stopped_at);
    }
    let status = task.last_status.as_str();
    if task.desired_status == "STOPPED" {
        let why = stop_explanation(task).map_or_else(String::new, |why| format!(": {why}"));
        return Health::new(Severity::Progress, format!("{status}{why}")).since(task.stopping_at);
    }
    match status {
        "RUNNING" => running(task),
        "PROVISIONING" | "PENDING" | "ACTIVATING" => {
            let age = task.created_at.map(|at| at.age_at(now)).unwrap_or_default();
            if age < LONG_START {
                return Health::new(Severity::Progress, format!("Starting: {status}")).since(task.created_at);
            }
            let hint = match status {
                "PROVISIONING" => "waits for a network interface or for capacity",
                "PENDING" if task.pull_started_at.is_some() && task.pull_stopped_at.is_none() => {
                    "pulls its images"
                }
                "PENDING" => "its containers do not start",
                _ => "its target group or its dependencies are not ready",
            };
            let text = format!("{status} for {}: {hint}", brief(age));
            Health::new(Severity::Warning, text).since(task.created_at)
        }
        other => Health::new(Severity::Unknown, format!("ECS calls its status {other}")),
    }
}

fn running(task: &Task) -> Health {
    let unhealthy = task.containers.iter().find(|c| c.health.as_deref() == Some("UNHEALTHY"));
    if let Some(container) = unhealthy {
        let text = format!("Container {} fails its health check", container.name);
        return Health::new(Severity::Critical, text);
    }
    if task.health.as_deref() == Some("UNHEALTHY") {
        return Health::new(Severity::Critical, "Its health check fails");
    }
    let ended = task.containers.iter().find(|c| c.last_status == "STOPPED" && c.exit_code != Some(0));
    if let Some(container) = ended {
        let how = container.exit_code.map_or_else(|| "ended".to_owned(), |code| exit_meaning(task, code));
        return Health::new(Severity::Warning, format!("Container {} {how}", container.name));
    }
    let text = match task.health.as_deref() {
        Some("HEALTHY") => "Running, health checks pass",
        // UNKNOWN is also what ECS says of a task without any health check.
        _ => "Running, no health check has answered",
    };
    Health::new(Severity::Ok, text).since(task.started_at)
}

fn stop_severity(task: &Task) -> Severity {
    let reason = task.stopped_reason.as_deref().unwrap_or("");
    if reason.contains("health checks") || task.containers.iter().any(is_killed_for_memory) {
        return Severity::Critical;
    }
    let killed = telling_exit(task).is_some_and(|(_, code)| !matches!(code, 0 | 143));
    match task.stop_code.as_deref() {
        Some("TaskFailedToStart") => Severity::Critical,
        Some("EssentialContainerExited") if killed => Severity::Critical,
        // A service's container is not meant to end, however politely.
        Some("EssentialContainerExited") if task.service().is_some() => Severity::Warning,
        Some("EssentialContainerExited") => Severity::Idle,
        Some("SpotInterruption" | "TerminationNotice" | "InfrastructureHealth") => Severity::Warning,
        // A task that had to be killed is a slow shutdown: requests may have been lost.
        Some("UserInitiated" | "ServiceSchedulerInitiated") if killed => Severity::Warning,
        Some("UserInitiated" | "ServiceSchedulerInitiated") => Severity::Idle,
        _ if killed => Severity::Critical,
        _ => Severity::Unknown,
    }
}

fn is_killed_for_memory(container: &Container) -> bool {
    container.reason.as_deref().is_some_and(|reason| reason.contains("OutOfMemoryError"))
}
