//! Stopped tasks of a service as groups with one cause each, and a service's sickness with number and cause.
//!
//! Must not blame tasks that were stopped on purpose: a rollout or scaling in stops tasks all day.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::event::{event_severity, event_text};
use super::service::{AFTER_FAILURE, in_progress, service_health};
use super::task::{stop_cause, stop_exit, was_wanted_away};
use super::{Finding, Severity, Subject};
use crate::domain::ecs::{Deployment, Revision, Service};
use crate::domain::task::{Task, TaskId};
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::{capital, count};

/// ECS shows stopped tasks for about an hour; older ones that we still know say nothing about now.
const NEWS: Duration = Duration::from_secs(3_600);

/// A service that runs all its tasks is still sick when so many of them had to be replaced within the hour.
const MANY: usize = 2;

/// A service that lost so many tasks, and at least as many as it wants, in so short a time does not hold.
const LOOPING: usize = 3;
const LOOP: Duration = Duration::from_secs(15 * 60);

/// Tasks that stopped for the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoppedGroup {
    /// What they ran.
    pub revision: Revision,
    /// ECS's stop code.
    pub stop_code: Option<String>,
    /// ECS's reason, what differs between tasks of one cause left out.
    pub reason: String,
    /// The exit code that tells most.
    pub exit_code: Option<i32>,
    /// Their cause in few words, such as `exit 137, out of memory`.
    pub cause: String,
    /// Whether somebody or something wanted it so.
    pub wanted: bool,
    /// When the first of them stopped.
    pub first: Option<Wall>,
    /// When the last of them stopped.
    pub last: Option<Wall>,
    /// The tasks, the newest first.
    pub tasks: Vec<TaskId>,
}

/// The stopped ones of these tasks by cause (facts: definition, stop code, normalised reason, exit code), the
/// largest unwanted group first.
#[must_use]
pub fn stopped_groups<'t>(tasks: impl IntoIterator<Item = &'t Task>) -> Vec<StoppedGroup> {
    let mut groups: BTreeMap<_, Vec<&Task>> = BTreeMap::new();
    for task in tasks.into_iter().filter(|task| task.is_stopped()) {
        let reason = normalised(task.stopped_reason.as_deref().unwrap_or(""));
        let key =
            (task.revision.to_string(), task.stop_code.clone(), reason, stop_exit(task), stop_cause(task));
        groups.entry(key).or_default().push(task);
    }
    let mut found: Vec<StoppedGroup> = groups
        .into_iter()
        .filter_map(|((_, stop_code, reason, exit_code, cause), mut tasks)| {
            tasks.sort_by_key(|task| (std::cmp::Reverse(task.stopped_at), task.id.clone()));
            let newest = *tasks.first()?;
            Some(StoppedGroup {
                revision: newest.revision.clone(),
                stop_code,
                reason,
                exit_code,
                cause,
                wanted: was_wanted_away(newest),
                first: tasks.iter().filter_map(|task| task.stopped_at).min(),
                last: newest.stopped_at,
                tasks: tasks.iter().map(|task| task.id.clone()).collect(),
            })
        })
        .collect();
    found.sort_by_key(|group| (group.wanted, std::cmp::Reverse((group.tasks.len(), group.last))));
    found
}

/// A reason without what differs from task to task: ids, ARNs, addresses, digests, request ids.
fn normalised(reason: &str) -> String {
    let is_own = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.contains("arn:")
            || word.contains("ecs-svc/")
            || word
                .split(|c: char| !c.is_ascii_hexdigit())
                .any(|part| part.len() >= 8 && part.bytes().any(|byte| byte.is_ascii_digit()))
            || word.parse::<std::net::IpAddr>().is_ok()
    };
    let words: Vec<&str> =
        reason.split_whitespace().map(|word| if is_own(word) { "…" } else { word }).collect();
    words.join(" ")
}

/// What is wrong with a service, with number and cause: `1 of 2 tasks running, 3 tasks stopped in 10 min:
/// exit 137, out of memory`. `tasks` are its tasks, running and stopped, as far as they were read. `None` when it
/// is as it should be; `Progress` while a rollout is under way.
#[must_use]
pub fn service_finding<'t>(
    service: &Service,
    tasks: impl IntoIterator<Item = &'t Task>,
    now: Wall,
) -> Option<Finding> {
    let health = service_health(service, now);
    let all: Vec<&Task> = tasks.into_iter().filter(|task| task.is_of(&service.id)).collect();
    let news = |task: &&&Task| task.stopped_at.is_some_and(|at| at.age_at(now) < NEWS);
    // What runs now is judged by its own losses.
    let (over, recent): (Vec<&Task>, Vec<&Task>) = all.into_iter().partition(|task| is_over(service, task));
    let groups = stopped_groups(recent.iter().filter(news).copied());
    let unwanted: Vec<&StoppedGroup> = groups.iter().filter(|group| !group.wanted).collect();
    let stops: usize = unwanted.iter().map(|group| group.tasks.len()).sum();
    let mut past = stopped_groups(over.iter().filter(news).copied());
    past.retain(|group| !group.wanted);
    let past_stops: usize = past.iter().map(|group| group.tasks.len()).sum();
    if health.severity == Severity::Idle || (health.severity == Severity::Ok && stops.max(past_stops) < MANY)
    {
        return None;
    }
    let fresh = |task: &&&Task| task.stopped_at.is_some_and(|at| at.age_at(now) < LOOP);
    let last = recent.iter().filter(fresh).filter(|task| task.is_stopped() && !was_wanted_away(task));
    let desired = usize::try_from(service.desired).unwrap_or(usize::MAX);
    let severity = match stops {
        _ if last.count() >= desired.max(LOOPING) => Severity::Critical,
        MANY.. => health.severity.min(Severity::Warning),
        _ if past_stops >= MANY => health.severity.min(Severity::Notice),
        _ => health.severity,
    };
    let wanted = count(usize::try_from(service.desired).unwrap_or(usize::MAX), "task");
    let running = format!("{} of {wanted} running", service.running);
    let (rule, sentence) = match unwanted.first().filter(|_| severity <= Severity::Warning) {
        Some(worst) => {
            let number = worst.tasks.len();
            let span = worst.first.map_or_else(String::new, |at| format!(" in {}", minutes(at.age_at(now))));
            let stopped = format!("{} stopped{span}: {}", count(number, "task"), worst.cause);
            let text = if service.running < service.desired || health.severity >= Severity::Ok {
                format!("{running}, {stopped}")
            } else {
                format!("{}; {}", capital(&stopped), health.reason)
            };
            ("service.stops", text)
        }
        None if health.severity == Severity::Progress => ("service.rollout", health.reason.clone()),
        None => match (past.first(), health.reason.strip_suffix(AFTER_FAILURE)) {
            (Some(worst), Some(back)) => ("service.health", format!("{back}: {}", lost(worst))),
            (Some(worst), None) if health.severity == Severity::Ok => {
                ("service.stops", format!("{running}; before this deployment, {}", lost(worst)))
            }
            _ => ("service.health", health.reason.clone()),
        },
    };
    let first = unwanted.iter().copied().chain(&past).filter_map(|group| group.first).min();
    let since = health.since.or(first);
    let mut finding =
        Finding::new(Subject::Service(service.id.clone()), rule, severity, sentence).since(since);
    if rule == "service.stops" && health.severity < Severity::Ok {
        finding = finding.because(health.since, health.reason.clone());
    }
    for group in unwanted.iter().copied().chain(&past) {
        let code = group.stop_code.as_deref().unwrap_or("no stop code");
        let text =
            format!("{} × {} ({}, {code}): {}", group.tasks.len(), group.cause, group.revision, group.reason);
        finding = finding.because(group.last, text);
    }
    let sick = recent.iter().filter(|task| !task.is_stopped() && task.health.as_deref() == Some("UNHEALTHY"));
    let sick = sick.count();
    if sick > 0 {
        let verb = if sick == 1 { "fails its" } else { "fail their" };
        finding = finding.because(None, format!("{} {verb} health check", count(sick, "running task")));
    }
    let complaints =
        service.events.iter().filter(|event| event_severity(&event.message) <= Severity::Warning);
    for event in complaints.take(2) {
        finding = finding.because(Some(event.at), event_text(&event.message, &service.id.name));
    }
    // What is over needs nothing done: what runs now is what was gone back to.
    if let Some(next) = unwanted.first().copied().and_then(advice) {
        finding = finding.next(next);
    }
    Some(finding)
}

/// Whether a task belongs to a deployment that was replaced or rolled back, while all that is wanted runs again.
/// As long as tasks are missing, whatever stopped may be why; and a revision that was only deployed again is as sick
/// as it was before.
fn is_over(service: &Service, task: &Task) -> bool {
    let other = |primary: &Deployment| !in_progress(primary) && primary.revision != task.revision;
    let holds = service.running >= service.desired && service.primary().is_some_and(other);
    let by = task.started_by.as_deref().filter(|by| by.starts_with("ecs-svc/"));
    holds && by.is_some_and(|by| service.deployments.iter().all(|deployment| deployment.id != by))
}

/// What a deployment that is over lost: `3 tasks of gateway:42 stopped: exit 1`.
fn lost(group: &StoppedGroup) -> String {
    format!("{} of {} stopped: {}", count(group.tasks.len(), "task"), group.revision, group.cause)
}

/// What to do about tasks that stopped. One that never started has no log; one that AWS took is not at fault.
fn advice(group: &StoppedGroup) -> Option<String> {
    let code = group.stop_code.as_deref().unwrap_or_default();
    if code == "TaskFailedToStart" {
        let known = [
            ("log group", "Create the log group again, with its retention"),
            ("JSON key", "Put the key back into the secret, or deploy a revision that does not read it"),
            ("registry", "Push the image, or go back to the revision that ran before"),
        ];
        return known.iter().find(|(word, _)| group.cause.contains(word)).map(|(_, what)| (*what).to_owned());
    }
    if code == "SpotInterruption" {
        return Some("Move the service to a capacity provider that is not Spot while this lasts".to_owned());
    }
    let last = group.tasks.first()?;
    Some(format!("Read the log of task {}, the last that stopped", last.short()))
}

/// A span in which something happened, rounded up, so that nothing happens `in now`.
fn minutes(span: Duration) -> String {
    brief(Duration::from_secs(span.as_secs().div_ceil(60).max(1) * 60))
}

#[cfg(test)]
mod tests {
    use super::super::database::fixtures::service;
    use super::super::fixtures::task;
    use super::*;
    use crate::domain::ecs::ServiceEvent;

    const NOW: Wall = Wall(1_795_000_000_000);

    fn ago(minutes: u64) -> Option<Wall> {
        Some(NOW.minus(Duration::from_secs(minutes * 60)))
    }

    fn stopped(id: &str, minutes: u64, code: &str, reason: &str, exit: Option<i32>) -> Task {
        let mut task = Task {
            last_status: "STOPPED".into(),
            desired_status: "STOPPED".into(),
            stopped_at: ago(minutes),
            stop_code: Some(code.into()),
            stopped_reason: Some(reason.into()),
            ..task("gateway", id, ago(minutes + 5))
        };
        task.containers[0].exit_code = exit;
        task
    }

    fn out_of_memory(id: &str, minutes: u64) -> Task {
        let reason = "Essential container in task exited";
        let mut task = stopped(id, minutes, "EssentialContainerExited", reason, Some(137));
        task.containers[0].reason = Some("OutOfMemoryError: Container killed due to memory usage".into());
        task
    }

    #[test]
    fn a_sick_service_is_told_with_number_and_cause() {
        let gateway = Service { running: 1, ..service("gateway", 2) };
        let tasks = [
            task("gateway", "running", ago(600)),
            out_of_memory("aaaaaaaa1", 1),
            out_of_memory("bbbbbbbb2", 5),
            out_of_memory("cccccccc3", 9),
            stopped(
                "d",
                3,
                "ServiceSchedulerInitiated",
                "Scaling activity initiated by (deployment ecs-svc/1)",
                Some(0),
            ),
            Task { id: TaskId { cluster: "other".into(), ..task("", "", None).id }, ..out_of_memory("e", 2) },
        ];
        let finding = service_finding(&gateway, &tasks, NOW).unwrap();
        assert_eq!(
            finding.sentence,
            "1 of 2 tasks running, 3 tasks stopped in 9 min: exit 137, out of memory"
        );
        assert_eq!(
            (finding.rule, finding.severity),
            ("service.stops", Severity::Critical),
            "it does not hold"
        );
        let slower = service_finding(&Service { running: 3, ..service("gateway", 4) }, &tasks, NOW).unwrap();
        assert_eq!(slower.severity, Severity::Warning, "fewer than it wants");
        assert!(
            finding.evidence.iter().any(|e| e.text.starts_with("3 × exit 137, out of memory (gateway:41"))
        );
        assert_eq!(finding.next.as_deref(), Some("Read the log of task aaaaaaaa, the last that stopped"));
        let down = Service { running: 0, ..gateway };
        assert_eq!(service_finding(&down, &tasks, NOW).unwrap().severity, Severity::Critical);
    }

    #[test]
    fn a_loop_is_told_though_all_tasks_run() {
        let well = service("gateway", 2);
        let one = [out_of_memory("a", 5)];
        assert_eq!(service_finding(&well, &one, NOW), None);
        let two = [out_of_memory("a", 5), out_of_memory("b", 25)];
        let finding = service_finding(&well, &two, NOW).unwrap();
        assert_eq!(
            finding.sentence,
            "2 of 2 tasks running, 2 tasks stopped in 25 min: exit 137, out of memory"
        );
        assert_eq!(finding.since, ago(25));
        let old = [out_of_memory("a", 70), out_of_memory("b", 80)];
        assert_eq!(service_finding(&well, &old, NOW), None);
        let wanted = ["a", "b"].map(|id| {
            stopped(
                id,
                5,
                "ServiceSchedulerInitiated",
                "Scaling activity initiated by (deployment x)",
                Some(143),
            )
        });
        assert_eq!(service_finding(&well, &wanted, NOW), None);
    }

    #[test]
    fn a_deployment_that_fails_is_told_by_its_cause() {
        let mut gateway = service("gateway", 2);
        let old = Deployment {
            id: "ecs-svc/1".into(),
            status: "ACTIVE".into(),
            revision: Revision { family: "gateway".into(), number: 41 },
            desired: 2,
            pending: 0,
            running: 2,
            failed_tasks: 0,
            rollout_state: Some("COMPLETED".into()),
            rollout_reason: None,
            created_at: ago(6_000),
            updated_at: None,
        };
        let new = Deployment {
            id: "ecs-svc/2".into(),
            status: "PRIMARY".into(),
            running: 0,
            failed_tasks: 3,
            rollout_state: Some("IN_PROGRESS".into()),
            created_at: ago(8),
            ..old.clone()
        };
        gateway.deployments = vec![new, old];
        gateway.events = vec![ServiceEvent {
            id: String::new(),
            at: NOW,
            message: "(service gateway) is unable to consistently start tasks successfully.".into(),
        }];
        let reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve \
                      ref 123456789012.dkr.ecr.eu-west-2.amazonaws.com/gateway:v2: not found";
        let tasks = [1, 3, 6]
            .map(|minutes| stopped(&format!("t{minutes}"), minutes, "TaskFailedToStart", reason, None));
        let finding = service_finding(&gateway, &tasks, NOW).unwrap();
        assert_eq!(finding.severity, Severity::Critical);
        assert!(
            finding
                .sentence
                .starts_with("3 tasks stopped in 6 min: the image's tag or digest is not in the registry; "),
            "{}",
            finding.sentence
        );
        assert!(finding.evidence.iter().any(|e| e.text.contains("unable to consistently start")));
    }

    #[test]
    fn what_a_deployment_that_is_over_lost_is_no_sickness_of_what_runs() {
        let primary = Deployment {
            id: "ecs-svc/3".into(),
            status: "PRIMARY".into(),
            revision: Revision { family: "gateway".into(), number: 41 },
            desired: 2,
            pending: 0,
            running: 2,
            failed_tasks: 0,
            rollout_state: Some("COMPLETED".into()),
            rollout_reason: None,
            created_at: ago(4),
            updated_at: ago(3),
        };
        let lost = |by: &str| {
            [4, 6, 8].map(|minutes| Task {
                started_by: Some(by.into()),
                revision: Revision { family: "gateway".into(), number: 42 },
                ..stopped(&format!("t{minutes}"), minutes, "EssentialContainerExited", "exited", Some(1))
            })
        };
        let well = Service { deployments: vec![primary.clone()], ..service("gateway", 2) };
        let finding = service_finding(&well, &lost("ecs-svc/2"), NOW).unwrap();
        assert_eq!(
            (finding.severity, finding.sentence.as_str()),
            (
                Severity::Notice,
                "2 of 2 tasks running; before this deployment, 3 tasks of gateway:42 stopped: exit 1"
            )
        );
        assert_eq!((finding.since, finding.evidence.len()), (ago(8), 1));
        let rolled_back = Service {
            events: vec![ServiceEvent {
                id: String::new(),
                at: ago(3).unwrap(),
                message:
                    "(service gateway) (deployment ecs-svc/2) deployment failed: tasks failed to start. \
                          rolling back to (deployment ecs-svc/3)."
                        .into(),
            }],
            ..well.clone()
        };
        let finding = service_finding(&rolled_back, &lost("ecs-svc/2"), NOW).unwrap();
        assert_eq!(
            (finding.severity, finding.sentence.as_str()),
            (Severity::Warning, "Rolled back to gateway:41 3 min ago: 3 tasks of gateway:42 stopped: exit 1"),
            "the newest deployment did not take"
        );
        let again = lost("ecs-svc/2").map(|task| Task { revision: primary.revision.clone(), ..task });
        let again = service_finding(&well, &again, NOW).unwrap();
        assert_eq!(again.severity, Severity::Critical, "the same revision was deployed once more");
        let own = service_finding(&well, &lost("ecs-svc/3"), NOW).unwrap();
        assert_eq!(own.severity, Severity::Critical, "what runs now does not hold");
        let short =
            service_finding(&Service { running: 1, ..well.clone() }, &lost("ecs-svc/2"), NOW).unwrap();
        assert_eq!(short.severity, Severity::Critical, "it may be why one is missing");
        let rolling = Deployment { rollout_state: Some("IN_PROGRESS".into()), ..primary };
        let rolling = Service { deployments: vec![rolling], ..well };
        let during = service_finding(&rolling, &lost("ecs-svc/2"), NOW).unwrap();
        assert_eq!(during.severity, Severity::Critical, "the rollback has not held yet");
    }

    #[test]
    fn a_rollout_without_failures_is_progress_and_a_well_service_nothing() {
        assert_eq!(service_finding(&service("gateway", 2), [], NOW), None);
        assert_eq!(service_finding(&service("gateway", 0), [], NOW), None);
        let draining = Service { status: "DRAINING".into(), ..service("gateway", 1) };
        let finding = service_finding(&draining, [], NOW).unwrap();
        assert_eq!((finding.rule, finding.severity), ("service.rollout", Severity::Progress));
    }

    #[test]
    fn tasks_of_one_cause_are_one_group_whatever_their_ids() {
        let reason = |id: &str| format!("Task failed ELB health checks in (target-group arn:aws:x:{id})");
        let tasks = [
            stopped("a", 3, "ServiceSchedulerInitiated", &reason("1"), Some(143)),
            stopped("b", 2, "ServiceSchedulerInitiated", &reason("2"), Some(143)),
            out_of_memory("c", 1),
            task("gateway", "running", ago(5)),
        ];
        let groups = stopped_groups(&tasks);
        let told: Vec<_> = groups.iter().map(|g| (g.tasks.len(), g.cause.as_str(), g.wanted)).collect();
        assert_eq!(
            told,
            [(2, "its target group's health checks failed", false), (1, "exit 137, out of memory", false)]
        );
        assert_eq!((groups[0].first, groups[0].last), (ago(3), ago(2)));
        assert_eq!(normalised("at 10.0.1.7 id 4f1c2a9b-0000"), "at … id …");
    }
}
