//! Values built by hand for the tests of `app` and `view`: one system that is well, one that is not, a console
//! on a bench with an AWS that answers when it is told to.
//!
//! Test code only. Must not know how anything is drawn.

mod aws;
mod bench;
pub(crate) mod journal;
mod owned;
mod soak;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use aws::Aws;
pub(crate) use bench::Bench;
pub(crate) use owned::{Owned, alarm, instance, secret};
pub(crate) use soak::soak;

use crate::app::{Model, Session, Start};
use crate::config::{Config, Layer};
use crate::domain::ecs::{
    BreakerState, CapacityShare, CircuitBreaker, Cluster, ClusterId, Deployment, DeploymentConfiguration,
    LoadBalancer, Revision, RevisionImage, Service, ServiceDeployment, ServiceEvent, ServiceId,
    ServiceRevision,
};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::log::LogEvent;
use crate::domain::registry::RegistryImage;
use crate::domain::scope::Scope;
use crate::domain::task::{Container, Task, TaskId};
use crate::domain::task_definition::{
    ContainerDefinition, HealthCheck, LogConfiguration, PortMapping, SecretRef, TaskDefinition,
};
use crate::keymap::Keymap;
use crate::stdx::clock::{Moment, Wall};
use crate::stdx::rect::Size;
use crate::theme::{Depth, Theme};

/// 2026-11-20 14:00:00 UTC.
pub(crate) const NOON: Wall = Wall(1_795_183_200_000);

/// The account that everything lives in.
const ACCOUNT: &str = "123456789012";

/// The moment at which every bench starts; not zero, so that a time before it can be expressed.
pub(crate) fn noon() -> Moment {
    Moment { wall: NOON, mono: Duration::from_secs(10_000) }
}

/// Before the start.
pub(crate) fn ago(seconds: u64) -> Wall {
    NOON.minus(Duration::from_secs(seconds))
}

pub(crate) fn scope(region: &str) -> Scope {
    Scope::new("default", region)
}

pub(crate) fn home() -> Scope {
    scope("eu-west-2")
}

pub(crate) fn cluster_id(name: &str) -> ClusterId {
    ClusterId { scope: home(), name: name.to_owned() }
}

pub(crate) fn service_id(name: &str) -> ServiceId {
    ServiceId { scope: home(), cluster: "prod".to_owned(), name: name.to_owned() }
}

fn arn(scope: &Scope, resource: &str) -> String {
    format!("arn:aws:ecs:{}:{ACCOUNT}:{resource}", scope.region)
}

pub(crate) fn cluster(id: &ClusterId) -> Cluster {
    Cluster {
        id: id.clone(),
        arn: arn(&id.scope, &format!("cluster/{}", id.name)),
        status: "ACTIVE".into(),
        active_services: 3,
        running_tasks: 6,
        pending_tasks: 0,
        container_instances: 0,
        settings: vec![("containerInsights".into(), "enabled".into())],
        capacity_providers: vec!["FARGATE".into(), "FARGATE_SPOT".into()],
        exec_log_group: Some("/ecs/prod".into()),
        tags: Vec::new(),
    }
}

pub(crate) fn deployment(family: &str, number: u32, tasks: u32, age_s: u64) -> Deployment {
    Deployment {
        id: format!("ecs-svc/{number:010}"),
        status: "PRIMARY".into(),
        revision: Revision { family: family.to_owned(), number },
        desired: tasks,
        pending: 0,
        running: tasks,
        failed_tasks: 0,
        rollout_state: Some("COMPLETED".into()),
        rollout_reason: Some(format!("ECS deployment ecs-svc/{number:010} completed.")),
        created_at: Some(ago(age_s)),
        updated_at: Some(ago(age_s)),
    }
}

pub(crate) fn event(number: u32, age_s: u64, message: &str) -> ServiceEvent {
    ServiceEvent { id: format!("event-{number}"), at: ago(age_s), message: message.to_owned() }
}

/// A service of two tasks that is as it should be.
pub(crate) fn service(id: &ServiceId) -> Service {
    let name = id.name.as_str();
    Service {
        id: id.clone(),
        arn: arn(&id.scope, &format!("service/{}/{name}", id.cluster)),
        status: "ACTIVE".into(),
        desired: 2,
        running: 2,
        pending: 0,
        launch_type: None,
        capacity: vec![
            CapacityShare { provider: "FARGATE".into(), weight: 1, base: 1 },
            CapacityShare { provider: "FARGATE_SPOT".into(), weight: 3, base: 0 },
        ],
        platform_version: Some("1.4.0".into()),
        task_definition_arn: arn(&id.scope, &format!("task-definition/{name}:7")),
        revision: Revision { family: name.to_owned(), number: 7 },
        controller: Some("ECS".into()),
        deployment_configuration: DeploymentConfiguration {
            strategy: Some("ROLLING".into()),
            minimum_healthy_percent: Some(100),
            maximum_percent: Some(200),
            circuit_breaker: Some(CircuitBreaker { enable: true, rollback: true, threshold: None }),
            alarms: vec!["api-5xx".into()],
        },
        deployments: vec![deployment(name, 7, 2, 7_200)],
        events: vec![
            event(2, 7_100, &format!("(service {name}) has reached a steady state.")),
            event(1, 7_190, &format!("(service {name}) has started 2 tasks: (task aaaa1111).")),
        ],
        load_balancers: vec![LoadBalancer {
            target_group_arn: Some(format!(
                "arn:aws:elasticloadbalancing:{}:{ACCOUNT}:targetgroup/{name}-tg/0123456789abcdef",
                id.scope.region
            )),
            container: Some("app".into()),
            port: Some(8080),
        }],
        subnets: vec!["subnet-0a1b".into(), "subnet-2c3d".into()],
        security_groups: vec!["sg-0f0f".into()],
        public_ip: Some(false),
        health_check_grace_s: Some(60),
        exec_enabled: true,
        scheduling: Some("REPLICA".into()),
        current_service_deployment: None,
        current_service_revisions: Vec::new(),
        created_at: Some(ago(86_400 * 200)),
        created_by: Some("arn:aws:iam::123456789012:role/deploy".into()),
        tags: vec![("team".into(), "claims".into())],
    }
}

/// A service of which one task is missing.
pub(crate) fn short_of_tasks(id: &ServiceId) -> Service {
    Service { running: 1, ..service(id) }
}

/// A service whose newest deployment fails.
pub(crate) fn failing(id: &ServiceId) -> Service {
    let name = id.name.as_str();
    let mut failed = deployment(name, 8, 2, 120);
    failed.running = 0;
    failed.pending = 1;
    failed.failed_tasks = 3;
    failed.rollout_state = Some("IN_PROGRESS".into());
    failed.rollout_reason = Some("ECS deployment ecs-svc/0000000008 in progress.".into());
    let mut old = deployment(name, 7, 2, 7_200);
    old.status = "ACTIVE".into();
    let mut service = service(id);
    service.revision.number = 8;
    service.task_definition_arn = arn(&id.scope, &format!("task-definition/{name}:8"));
    service.deployments = vec![failed, old];
    service
        .events
        .insert(0, event(3, 40, &format!("(service {name}) deployment failed: tasks failed to start.")));
    service
}

/// A running task; its number makes its id.
pub(crate) fn task(service: &ServiceId, number: u32) -> Task {
    let id = format!("{number:08x}{:024x}", 0xbeef);
    Task {
        id: TaskId { scope: service.scope.clone(), cluster: service.cluster.clone(), id: id.clone() },
        arn: arn(&service.scope, &format!("task/{}/{id}", service.cluster)),
        group: Some(format!("service:{}", service.name)),
        last_status: "RUNNING".into(),
        desired_status: "RUNNING".into(),
        health: Some("HEALTHY".into()),
        revision: Revision { family: service.name.clone(), number: 7 },
        task_definition_arn: arn(&service.scope, &format!("task-definition/{}:7", service.name)),
        started_by: Some("ecs-svc/0000000007".into()),
        containers: vec![container("app")],
        cpu: Some("512".into()),
        memory: Some("1024".into()),
        launch_type: Some("FARGATE".into()),
        capacity_provider: Some("FARGATE".into()),
        zone: Some("eu-west-2a".into()),
        exec_enabled: true,
        version: 4,
        created_at: Some(ago(7_260)),
        pull_started_at: Some(ago(7_250)),
        pull_stopped_at: Some(ago(7_240)),
        started_at: Some(ago(7_200 - u64::from(number % 60))),
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        tags: Vec::new(),
    }
}

fn container(name: &str) -> Container {
    Container {
        name: name.into(),
        image: format!("{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com/claims/{name}:latest"),
        image_digest: Some(format!("sha256:{}", "1f0c9a".repeat(10))),
        runtime_id: None,
        last_status: "RUNNING".into(),
        exit_code: None,
        reason: None,
        health: Some("HEALTHY".into()),
        private_ip: Some("10.0.3.17".into()),
        exec_agent: Some("RUNNING".into()),
    }
}

/// A task that ended by itself, and was killed for its memory.
pub(crate) fn stopped_task(service: &ServiceId, number: u32) -> Task {
    let mut task = task(service, number);
    task.last_status = "STOPPED".into();
    task.desired_status = "STOPPED".into();
    task.version = 9;
    task.stopping_at = Some(ago(310));
    task.stopped_at = Some(ago(300));
    task.stop_code = Some("EssentialContainerExited".into());
    task.stopped_reason = Some("Essential container in task exited".into());
    for container in &mut task.containers {
        container.last_status = "STOPPED".into();
        container.exit_code = Some(137);
        container.reason = Some("OutOfMemoryError: Container killed due to memory usage".into());
        container.health = Some("UNKNOWN".into());
    }
    task
}

/// A definition with something of everything.
pub(crate) fn definition(service: &ServiceId, number: u32) -> TaskDefinition {
    let family = service.name.clone();
    TaskDefinition {
        arn: arn(&service.scope, &format!("task-definition/{family}:{number}")),
        revision: Revision { family, number },
        status: "ACTIVE".into(),
        cpu: Some("512".into()),
        memory: Some("1024".into()),
        network_mode: Some("awsvpc".into()),
        task_role_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/claims-task")),
        execution_role_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/claims-execution")),
        containers: vec![ContainerDefinition {
            name: "app".into(),
            image: format!("{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com/claims/app:latest"),
            cpu: 256,
            memory: Some(512),
            memory_reservation: None,
            essential: true,
            ports: vec![PortMapping {
                container_port: Some(8080),
                range: None,
                protocol: "tcp".into(),
                name: None,
            }],
            entry_point: vec!["/bin/app".into()],
            command: vec!["serve".into(), "--port=8080".into()],
            environment: vec![
                ("LOG_LEVEL".into(), "info".into()),
                ("DATABASE_URL".into(), "postgres://app:hunter2@db/claims".into()),
            ],
            secrets: vec![SecretRef {
                name: "JWT_SECRET".into(),
                value_from: format!("arn:aws:secretsmanager:eu-west-2:{ACCOUNT}:secret:claims/jwt-AbCdEf"),
            }],
            user: Some("10001".into()),
            read_only_root: true,
            privileged: false,
            health_check: Some(HealthCheck {
                command: vec!["CMD-SHELL".into(), "curl -fs localhost:8080/health".into()],
                interval_s: Some(30),
                timeout_s: Some(5),
                retries: Some(3),
                start_period_s: None,
            }),
            log: Some(LogConfiguration {
                driver: "awslogs".into(),
                options: vec![
                    ("awslogs-group".into(), "/ecs/claims".into()),
                    ("awslogs-stream-prefix".into(), "ecs".into()),
                ],
                secrets: Vec::new(),
            }),
            depends_on: Vec::new(),
            stop_timeout_s: Some(30),
            ulimits: Vec::new(),
            resolves_anew: false,
            registry_credentials: None,
            labels: Vec::new(),
        }],
        volumes: Vec::new(),
        cpu_architecture: Some("ARM64".into()),
        operating_system: Some("LINUX".into()),
        requires: vec!["FARGATE".into()],
        registered_at: Some(ago(86_400)),
        registered_by: Some(format!("arn:aws:iam::{ACCOUNT}:role/deploy")),
        tags: Vec::new(),
    }
}

/// A deployment of the history.
pub(crate) fn past_deployment(
    service: &ServiceId,
    number: u32,
    status: &str,
    age_s: u64,
) -> ServiceDeployment {
    let name = format!("{}/{}", service.cluster, service.name);
    let revision = |number: u32| arn(&service.scope, &format!("service-revision/{name}/{number:016}"));
    let rolled_back = status.starts_with("ROLLBACK");
    ServiceDeployment {
        arn: arn(&service.scope, &format!("service-deployment/{name}/{number:016}")),
        status: status.to_owned(),
        status_reason: None,
        created_at: Some(ago(age_s)),
        started_at: Some(ago(age_s)),
        finished_at: Some(ago(age_s.saturating_sub(180))),
        target_revision_arn: Some(revision(number)),
        source_revision_arns: vec![revision(number.saturating_sub(1))],
        lifecycle_stage: None,
        traffic_percent: None,
        triggered_alarms: Vec::new(),
        breaker: rolled_back.then(|| BreakerState { status: "TRIGGERED".into(), failures: 3, threshold: 3 }),
        rollback_reason: rolled_back
            .then(|| "Service deployment rolled back because of a circuit breaker.".into()),
        waiting_hook: None,
    }
}

/// What such a deployment deployed.
pub(crate) fn past_revision(deployment: &ServiceDeployment, family: &str, number: u32) -> ServiceRevision {
    ServiceRevision {
        arn: deployment.target_revision_arn.clone().unwrap(),
        revision: Revision { family: family.to_owned(), number },
        images: vec![RevisionImage {
            container: "app".into(),
            image: format!("{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com/claims/app:latest"),
            digest: Some(format!("sha256:{}", format!("{:06x}", number * 0x11_1111).repeat(10))),
        }],
        created_at: deployment.created_at,
    }
}

/// What the tag that all containers name means.
pub(crate) fn image() -> RegistryImage {
    RegistryImage {
        repository: "claims/app".into(),
        digest: format!("sha256:{}", "7e57ab".repeat(10)),
        tags: vec!["latest".into()],
        pushed_at: Some(ago(540)),
        size: None,
        status: None,
    }
}

/// A line of a task's log, `back` milliseconds before noon.
pub(crate) fn line(task: &Task, number: u32, back: i64, message: &str) -> LogEvent {
    LogEvent {
        id: Some(format!("event-{number:06}-{}", task.id.short())),
        stream: format!("ecs/app/{}", task.id.id),
        at: Wall(NOON.0 - back),
        ingested_at: Some(Wall(NOON.0 - back + 900)),
        message: message.to_owned(),
    }
}

pub(crate) fn fault(kind: FaultKind) -> Fault {
    let (message, hint) = match kind {
        FaultKind::Expired => {
            ("The security token included in the request is expired", "run `aws sso login`")
        }
        FaultKind::Denied => {
            ("User: role/oncall is not authorized to perform: ecs:ListServices", "ask for ecs:ListServices")
        }
        FaultKind::Throttled => ("Rate exceeded", "it is tried again"),
        _ => ("connection refused", "check the network"),
    };
    Fault::new(kind, message).action("ecs:ListServices").hint(hint)
}

/// A session that watches these regions.
pub(crate) fn session(regions: &[&str]) -> Session {
    Session { scopes: regions.iter().map(|region| scope(region)).collect(), ..Session::empty("0.0.0") }
}

/// A console that has asked nothing yet.
pub(crate) fn model(session: Session, config: &str, width: u16, height: u16) -> Model {
    Model::new(Start {
        session,
        config: Arc::new(Config::load(&[Layer { source: "test.toml", text: config }]).unwrap()),
        keymap: Arc::new(Keymap::builtin("default").unwrap()),
        theme: Arc::new(Theme::builtin("terminal").unwrap().with_depth(Depth::Sixteen)),
        size: Size { width, height },
        now: noon(),
        zone: jiff::tz::TimeZone::UTC,
    })
}
