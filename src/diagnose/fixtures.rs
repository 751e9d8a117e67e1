//! Tasks and task definitions as they are when all is well, for the tests of rules.
//!
//! Must not be used outside tests.

use super::database::fixtures::scope;
use crate::domain::ecs::Revision;
use crate::domain::task::{Container, Task, TaskId};
use crate::domain::task_definition::{ContainerDefinition, LogConfiguration, PortMapping, TaskDefinition};
use crate::stdx::clock::Wall;

pub(super) fn task(service: &str, id: &str, started_at: Option<Wall>) -> Task {
    Task {
        id: TaskId { scope: scope(), cluster: "cma-production".into(), id: id.into() },
        arn: String::new(),
        group: Some(format!("service:{service}")),
        last_status: "RUNNING".into(),
        desired_status: "RUNNING".into(),
        health: None,
        revision: Revision { family: service.into(), number: 41 },
        task_definition_arn: String::new(),
        started_by: None,
        containers: vec![Container {
            name: "app".into(),
            image: String::new(),
            image_digest: None,
            runtime_id: None,
            last_status: "RUNNING".into(),
            exit_code: None,
            reason: None,
            health: None,
            private_ip: None,
            exec_agent: None,
        }],
        cpu: None,
        memory: None,
        launch_type: None,
        capacity_provider: None,
        zone: None,
        exec_enabled: false,
        version: 1,
        created_at: started_at,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        tags: Vec::new(),
    }
}

pub(super) fn definition(family: &str) -> TaskDefinition {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    TaskDefinition {
        arn: format!("arn:aws:ecs:eu-west-2:123456789012:task-definition/{family}:41"),
        revision: Revision { family: family.into(), number: 41 },
        status: "ACTIVE".into(),
        cpu: None,
        memory: None,
        network_mode: Some("awsvpc".into()),
        task_role_arn: Some("arn:aws:iam::123456789012:role/task".into()),
        execution_role_arn: Some("arn:aws:iam::123456789012:role/service/execution".into()),
        containers: vec![ContainerDefinition {
            name: "app".into(),
            image: format!("123456789012.dkr.ecr.eu-west-2.amazonaws.com/{family}:v1"),
            cpu: 0,
            memory: None,
            memory_reservation: None,
            essential: true,
            ports: vec![PortMapping {
                container_port: Some(8_000),
                range: None,
                protocol: "tcp".into(),
                name: None,
            }],
            entry_point: Vec::new(),
            command: Vec::new(),
            environment: Vec::new(),
            secrets: Vec::new(),
            user: None,
            read_only_root: false,
            privileged: false,
            health_check: None,
            log: Some(LogConfiguration {
                driver: "awslogs".into(),
                options: vec![option("awslogs-group", "/ecs/app"), option("awslogs-region", "eu-west-2")],
                secrets: Vec::new(),
            }),
            depends_on: Vec::new(),
            stop_timeout_s: None,
            ulimits: Vec::new(),
            resolves_anew: false,
            registry_credentials: None,
            labels: Vec::new(),
        }],
        volumes: Vec::new(),
        cpu_architecture: None,
        operating_system: None,
        requires: Vec::new(),
        registered_at: None,
        registered_by: None,
        tags: Vec::new(),
    }
}
