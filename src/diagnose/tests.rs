//! Judgements over ECS's own texts.

use super::*;
use crate::domain::ecs::{Deployment, DeploymentConfiguration, Revision, Service, ServiceEvent, ServiceId};
use crate::domain::scope::Scope;
use crate::domain::task::{Container, Task, TaskId};
use Severity::{Critical, Idle, Ok, Progress, Unknown, Warning};

const MINUTE: i64 = 60_000;
const NOW: Wall = Wall(1_000 * MINUTE);

fn ago(minutes: i64) -> Wall {
    Wall(NOW.0 - minutes * MINUTE)
}

fn deployment(id: &str, status: &str, number: u32, state: &str, running: u32) -> Deployment {
    Deployment {
        id: format!("ecs-svc/{id}"),
        status: status.into(),
        revision: Revision { family: "api".into(), number },
        desired: 2,
        pending: 0,
        running,
        failed_tasks: 0,
        rollout_state: Some(state.into()),
        rollout_reason: None,
        created_at: Some(ago(600)),
        updated_at: Some(ago(5)),
    }
}

fn service(desired: u32, running: u32) -> Service {
    let id = ServiceId {
        scope: Scope::new("default", "eu-west-2"),
        cluster: "cma-production".into(),
        name: "cma-api-production".into(),
    };
    Service {
        id,
        arn: String::new(),
        status: "ACTIVE".into(),
        desired,
        running,
        pending: 0,
        launch_type: None,
        capacity: Vec::new(),
        platform_version: None,
        task_definition_arn: String::new(),
        revision: Revision { family: "api".into(), number: 41 },
        controller: None,
        deployment_configuration: DeploymentConfiguration::default(),
        deployments: vec![deployment("1", "PRIMARY", 41, "COMPLETED", running)],
        events: Vec::new(),
        load_balancers: Vec::new(),
        subnets: Vec::new(),
        security_groups: Vec::new(),
        public_ip: None,
        health_check_grace_s: None,
        exec_enabled: false,
        scheduling: None,
        current_service_deployment: None,
        current_service_revisions: Vec::new(),
        created_at: None,
        created_by: None,
        tags: Vec::new(),
    }
}

fn event(minutes: i64, message: &str) -> ServiceEvent {
    ServiceEvent { id: String::new(), at: ago(minutes), message: format!("(service cma-api) {message}") }
}

/// A service that is being moved from revision 41 to 42.
fn deploying(failed_tasks: u32) -> Service {
    let mut service = service(2, 2);
    let new = Deployment {
        failed_tasks,
        created_at: Some(ago(4)),
        ..deployment("2", "PRIMARY", 42, "IN_PROGRESS", 0)
    };
    service.deployments = vec![new, deployment("1", "ACTIVE", 41, "COMPLETED", 2)];
    service
}

#[track_caller]
fn judged(service: &Service, severity: Severity, reason: &str) {
    let health = service_health(service, NOW);
    assert_eq!((health.severity, health.reason.as_str()), (severity, reason));
}

#[test]
fn severities_stand_worst_first_and_each_has_its_word() {
    assert!(Severity::ALL.is_sorted());
    let words: std::collections::HashSet<_> = Severity::ALL.iter().map(|s| s.word()).collect();
    assert_eq!(words.len(), Severity::ALL.len());
}

#[test]
fn running_tasks_are_held_against_wanted_ones() {
    judged(&service(2, 2), Ok, "2 of 2 tasks running");
    judged(&service(1, 1), Ok, "1 of 1 task running");
    judged(&service(3, 0), Critical, "0 of 3 tasks running");
    judged(&Service { pending: 1, ..service(3, 2) }, Warning, "2 of 3 tasks running, 1 pending");
    judged(&service(2, 3), Progress, "3 running, 2 wanted: scaling in");
    judged(&service(0, 0), Idle, "0 tasks wanted");
    judged(&service(0, 1), Progress, "1 running, 0 wanted: scaling in");
    judged(
        &Service { status: "DRAINING".into(), ..service(0, 1) },
        Progress,
        "Being deleted: 1 task still running",
    );
    judged(&Service { status: "INACTIVE".into(), ..service(0, 0) }, Idle, "Deleted");
    judged(&Service { status: "ODD".into(), ..service(2, 2) }, Unknown, "ECS calls its status ODD");
}

#[test]
fn a_rollout_is_progress_until_its_tasks_fail() {
    judged(&deploying(0), Progress, "Deploying, 0 of 2 new tasks running: api:42");
    judged(&deploying(1), Warning, "1 new task failed, 0 of 2 new tasks running, deploying api:42");
    judged(&deploying(3), Critical, "3 new tasks failed, 0 of 2 new tasks running, deploying api:42");
    let mut long = deploying(0);
    long.deployments[0].created_at = Some(ago(45));
    judged(&long, Warning, "Deploying for 45 min, 0 of 2 new tasks running: api:42");
    assert_eq!(service_health(&long, NOW).since, Some(ago(45)));
}

#[test]
fn a_rollout_may_go_down_to_its_minimum() {
    let half = DeploymentConfiguration { minimum_healthy_percent: Some(50), ..Default::default() };
    let service = Service { running: 1, deployment_configuration: half, ..deploying(0) };
    judged(&service, Progress, "Deploying, 0 of 2 new tasks running: api:42");
    judged(&Service { running: 0, ..service }, Critical, "0 of 2 tasks running");
    judged(&Service { running: 1, ..deploying(0) }, Warning, "1 of 2 tasks running");
}

#[test]
fn a_new_service_is_given_time_to_start() {
    let mut new = Service { pending: 2, ..service(2, 0) };
    new.deployments =
        vec![Deployment { created_at: Some(ago(2)), ..deployment("1", "PRIMARY", 1, "IN_PROGRESS", 0) }];
    judged(&new, Progress, "Deploying, 0 of 2 new tasks running: api:1");
    new.deployments[0].created_at = Some(ago(12));
    judged(&new, Critical, "0 of 2 tasks running, 2 pending");
}

#[test]
fn a_failed_deployment_and_its_rollback_are_told_apart() {
    let mut stalled = deploying(0);
    stalled.deployments[0].rollout_state = Some("FAILED".into());
    stalled.deployments[0].rollout_reason =
        Some("ECS deployment circuit breaker: tasks failed to start.".into());
    judged(&stalled, Critical, "Deployment failed (api:42): circuit breaker: tasks failed to start");
    assert_eq!(service_health(&stalled, NOW).since, Some(ago(5)));

    let mut rolling = stalled.clone();
    rolling.deployments[0].status = "ACTIVE".into();
    rolling.deployments[0].rollout_reason =
        Some("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.".into());
    rolling.deployments[1].status = "PRIMARY".into();
    judged(&rolling, Critical, "Deployment failed, ECS rolls back: api:42 to api:41");

    let mut done = service(2, 2);
    done.events = vec![
        event(20, "has reached a steady state."),
        event(30, "rolling back to deployment ecs-svc/1."),
        event(30, "(deployment ecs-svc/2) deployment failed: tasks failed to start."),
    ];
    judged(&done, Warning, "Rolled back to api:41 30 min ago: the deployment after it failed");
    done.deployments[0].id = "ecs-svc/3".into();
    judged(&done, Ok, "2 of 2 tasks running");
}

#[test]
fn a_deadlock_of_percentages_is_found_while_it_matters() {
    let configuration = |min, max| DeploymentConfiguration {
        minimum_healthy_percent: Some(min),
        maximum_percent: Some(max),
        ..Default::default()
    };
    // Minimum rounds up, maximum rounds down.
    for (desired, min, max, stuck) in [
        (1, 100, 100, true),
        (3, 100, 125, true),
        (4, 100, 125, false),
        (3, 67, 100, true),
        (3, 66, 100, false),
        (1, 50, 100, true),
        (1, 0, 100, false),
        (2, 100, 200, false),
        (0, 100, 100, false),
    ] {
        assert_eq!(deadlock(desired, &configuration(min, max)).is_some(), stuck, "{desired} {min} {max}");
    }
    let staged = DeploymentConfiguration { strategy: Some("CANARY".into()), ..configuration(100, 100) };
    assert_eq!(deadlock(1, &staged), None);
    let service = Service { deployment_configuration: configuration(100, 125), ..deploying(0) };
    judged(
        &service,
        Critical,
        "Deployment cannot proceed: minimum 100 % and maximum 125 % of 2 tasks leave no room to stop or \
         start one (api:42)",
    );
    judged(
        &Service { deployments: service.deployments[1..].to_vec(), ..service },
        Ok,
        "2 of 2 tasks running",
    );
}

#[test]
fn an_event_counts_until_it_is_contradicted() {
    const UNHEALTHY: &str = "(task 5d1f) (port 8000) is unhealthy in (target-group \
        arn:aws:elasticloadbalancing:eu-west-2:123456789012:targetgroup/api/0123456789abcdef) due to (reason \
        Health checks failed with these codes: [502]).";
    let mut sick = service(2, 2);
    sick.events = vec![event(1, "has started 1 tasks: (task 77aa)."), event(3, UNHEALTHY)];
    judged(
        &sick,
        Warning,
        "A task fails its target group's health check: Health checks failed with these codes: [502]",
    );
    assert_eq!(service_health(&sick, NOW).since, Some(ago(3)));
    sick.events.insert(0, event(0, "has reached a steady state."));
    judged(&sick, Ok, "2 of 2 tasks running");
    sick.events = vec![event(8 * 60, UNHEALTHY)];
    judged(&sick, Ok, "2 of 2 tasks running");
    sick.events = vec![event(700, UNHEALTHY)];
    sick.deployments[0].created_at = Some(ago(60));
    judged(&sick, Ok, "2 of 2 tasks running");
}

#[test]
fn a_loop_of_starts_and_stops_is_seen_without_any_complaint() {
    let mut looping = service(2, 2);
    for round in 0..4 {
        looping.events.push(event(round * 10 + 1, "has started 1 tasks: (task 77aa)."));
        looping.events.push(event(round * 10 + 2, "has stopped 1 running tasks: (task 66bb)."));
    }
    judged(&looping, Warning, "Tasks were started 4 times within an hour without a steady state");
    looping.events.insert(6, event(25, "has reached a steady state."));
    judged(&looping, Ok, "2 of 2 tasks running");
}

#[test]
fn events_are_known_by_their_stable_parts() {
    let cases: &[(&str, Severity, Option<&str>)] = &[
        ("(service api) has reached a steady state.", Ok, Some("Steady state")),
        ("(service api) (deployment ecs-svc/1) deployment completed.", Ok, Some("Deployment completed")),
        ("(service api) has started 2 tasks: (task a) (task b).", Progress, Some("Tasks started")),
        ("(service api) registered 1 targets in (target-group arn)", Progress, Some("Targets registered")),
        (
            "(service api) deregistered 1 targets in (target-group arn)",
            Progress,
            Some("Targets deregistered"),
        ),
        (
            "(service api) is unable to consistently start tasks successfully. For more information, see the \
             Troubleshooting section of the Amazon ECS Developer Guide.",
            Critical,
            Some("Tasks fail to start again and again; ECS waits up to 27 min between attempts"),
        ),
        (
            "(service api) failed to launch a task with (error ECS was unable to assume the role \
             'arn:aws:iam::123456789012:role/api-exec' that was provided for this task. (Service: AmazonECS)).",
            Critical,
            Some(
                "ECS cannot assume a role that the task needs: ECS was unable to assume the role \
                 'arn:aws:iam::123456789012:role/api-exec' that was provided for this task. (Service: AmazonECS)",
            ),
        ),
        (
            "(service api) was unable to place a task. Reason: You've reached the limit on the number of vCPUs \
             you can run concurrently. For more information, see the guide.",
            Critical,
            Some(
                "The account's Fargate quota is used up: You've reached the limit on the number of vCPUs you can \
                 run concurrently",
            ),
        ),
        (
            "(service api) was unable to place a task. Reason: Capacity is unavailable at this time. Please try \
             again later or in a different availability zone.",
            Critical,
            Some("Fargate has no capacity in the service's zones: Capacity is unavailable at this time"),
        ),
        (
            "(service api) was unable to place a task. Reason: Internal error.",
            Critical,
            Some("ECS cannot place tasks: Internal error"),
        ),
        (
            "(service api) was unable to stop or start tasks during a deployment because of the service \
             deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
            Critical,
            Some("Minimum and maximum percent leave the deployment no room"),
        ),
        (
            "(service api) operations are being throttled. Will try again later.",
            Warning,
            Some("ECS's calls for this service are throttled; it tries again"),
        ),
        ("(service api) did something new.", Unknown, None),
        ("(reason ", Unknown, None),
        ("is unhealthy in (reason ", Warning, Some("A task fails its target group's health check: ")),
    ];
    for (message, severity, meaning) in cases {
        assert_eq!(event_severity(message), *severity, "{message}");
        assert_eq!(event_meaning(message).as_deref(), *meaning, "{message}");
    }
}

fn task(stop_code: Option<&str>, reason: Option<&str>, containers: Vec<Container>) -> Task {
    Task {
        id: TaskId { scope: Scope::new("default", "eu-west-2"), cluster: "c".into(), id: "0123".into() },
        arn: String::new(),
        group: Some("service:api".into()),
        last_status: "STOPPED".into(),
        desired_status: "STOPPED".into(),
        health: None,
        revision: Revision { family: "api".into(), number: 1 },
        task_definition_arn: String::new(),
        started_by: None,
        containers,
        cpu: None,
        memory: None,
        launch_type: None,
        capacity_provider: None,
        zone: None,
        exec_enabled: false,
        version: 1,
        created_at: Some(ago(30)),
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: Some(ago(29)),
        stopping_at: None,
        stopped_at: Some(ago(1)),
        stop_code: stop_code.map(Into::into),
        stopped_reason: reason.map(Into::into),
        tags: Vec::new(),
    }
}

fn container(name: &str, exit_code: Option<i32>, reason: Option<&str>) -> Container {
    Container {
        name: name.into(),
        image: String::new(),
        image_digest: None,
        runtime_id: None,
        last_status: "STOPPED".into(),
        exit_code,
        reason: reason.map(Into::into),
        health: None,
        private_ip: None,
        exec_agent: None,
    }
}

#[test]
fn a_stop_is_explained_by_what_ecs_says_then_by_exits_then_by_code() {
    let essential = "Essential container in task exited";
    let api = |exit, reason| vec![container("nginx", Some(0), None), container("api", exit, reason)];
    let cases = [
        (
            task(
                Some("EssentialContainerExited"),
                Some(essential),
                api(Some(137), Some("OutOfMemoryError: Container killed due to memory usage")),
            ),
            Critical,
            "Container api: killed, out of memory (exit 137)",
        ),
        (
            task(Some("EssentialContainerExited"), Some(essential), api(Some(137), None)),
            Critical,
            "Container api was killed, most likely out of memory (exit 137)",
        ),
        (
            task(
                Some("ServiceSchedulerInitiated"),
                Some("Scaling activity initiated by (deployment ecs-svc/1)"),
                api(Some(137), None),
            ),
            Warning,
            "Stopped: replaced by a deployment or scaled in; container api did not end within its stop timeout \
             and was killed (exit 137)",
        ),
        (
            task(
                Some("ServiceSchedulerInitiated"),
                Some("Scaling activity initiated by (deployment ecs-svc/1)"),
                api(Some(143), None),
            ),
            Idle,
            "Stopped: replaced by a deployment or scaled in",
        ),
        (
            task(
                Some("ServiceSchedulerInitiated"),
                Some("Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:x)"),
                api(Some(0), None),
            ),
            Critical,
            "Stopped: its target group's health checks failed",
        ),
        (
            task(Some("EssentialContainerExited"), Some(essential), api(Some(1), None)),
            Critical,
            "Container api failed (exit 1)",
        ),
        (
            task(Some("EssentialContainerExited"), Some(essential), api(Some(127), None)),
            Critical,
            "Container api could not start: command not found (exit 127)",
        ),
        (
            task(Some("EssentialContainerExited"), Some(essential), api(Some(0), None)),
            Warning,
            "Container nginx ended by itself (exit 0)",
        ),
        (
            task(
                Some("TaskFailedToStart"),
                Some(
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref \
                 123456789012.dkr.ecr.us-east-1.amazonaws.com/gov-backend:v9: \
                 123456789012.dkr.ecr.us-east-1.amazonaws.com/gov-backend:v9: not found",
                ),
                api(None, None),
            ),
            Critical,
            "Stopped: the image's tag or digest is not in the registry",
        ),
        (
            task(
                Some("TaskFailedToStart"),
                Some(
                    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref \
                 x:latest: failed to do request: Head \"https://x\": dial tcp 52.0.0.1:443: i/o timeout",
                ),
                api(None, None),
            ),
            Critical,
            "Stopped: there is no route to the image registry",
        ),
        (
            task(
                Some("TaskFailedToStart"),
                Some(
                    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
                 retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): \
                 AccessDeniedException: User: arn:aws:sts::1:assumed-role/r/x is not authorized to perform: \
                 secretsmanager:GetSecretValue",
                ),
                api(None, None),
            ),
            Critical,
            "Stopped: the execution role may not read a secret",
        ),
        (
            task(Some("SpotInterruption"), Some("Your Spot Task was interrupted."), api(Some(143), None)),
            Warning,
            "Stopped: Fargate Spot took its capacity back",
        ),
        (
            task(Some("UserInitiated"), Some("opsdeck/ana: restart"), vec![]),
            Idle,
            "Stopped on request: opsdeck/ana: restart",
        ),
        (
            task(Some("UserInitiated"), Some("opsdeck/ana: restart"), api(Some(143), None)),
            Idle,
            "Stopped on request: opsdeck/ana: restart",
        ),
        (task(None, None, vec![]), Unknown, "Stopped"),
        (task(Some("BrandNew"), Some("A new reason."), vec![]), Unknown, "Stopped: A new reason"),
    ];
    for (task, severity, sentence) in cases {
        assert_eq!(stop_explanation(&task).as_deref(), Some(sentence), "{:?}", task.stopped_reason);
        assert_eq!(task_health(&task, NOW).severity, severity, "{sentence}");
    }
}

#[test]
fn a_live_task_is_judged_by_its_status_and_health() {
    let live = |status: &str, health: Option<&str>| Task {
        last_status: status.into(),
        desired_status: "RUNNING".into(),
        health: health.map(Into::into),
        stopped_at: None,
        ..task(None, None, vec![])
    };
    let judged = |task: &Task| {
        let health = task_health(task, NOW);
        (health.severity, health.reason)
    };
    assert_eq!(judged(&live("RUNNING", Some("HEALTHY"))), (Ok, "Running, health checks pass".into()));
    assert_eq!(
        judged(&live("RUNNING", Some("UNKNOWN"))),
        (Ok, "Running, no health check has answered".into())
    );
    assert_eq!(judged(&live("RUNNING", Some("UNHEALTHY"))), (Critical, "Its health check fails".into()));
    let mut sick = live("RUNNING", Some("UNHEALTHY"));
    sick.containers = vec![Container { health: Some("UNHEALTHY".into()), ..container("api", None, None) }];
    assert_eq!(judged(&sick), (Critical, "Container api fails its health check".into()));
    let mut sidecar = live("RUNNING", None);
    sidecar.containers = vec![container("otel", Some(1), None)];
    assert_eq!(judged(&sidecar), (Warning, "Container otel failed (exit 1)".into()));
    assert_eq!(
        judged(&live("PROVISIONING", None)),
        (Warning, "PROVISIONING for 30 min: waits for a network interface or for capacity".into())
    );
    let young = Task { created_at: Some(ago(1)), ..live("PENDING", None) };
    assert_eq!(judged(&young), (Progress, "Starting: PENDING".into()));
    let leaving = Task {
        desired_status: "STOPPED".into(),
        stop_code: Some("UserInitiated".into()),
        ..live("DEACTIVATING", None)
    };
    assert_eq!(judged(&leaving), (Progress, "DEACTIVATING: Stopped on request".into()));
    assert_eq!(stop_explanation(&live("RUNNING", None)), None);
    assert_eq!(judged(&live("ODD", None)).0, Unknown);
}
