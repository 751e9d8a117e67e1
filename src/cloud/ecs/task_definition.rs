//! Task definitions, from the SDK's shape to ours.
//!
//! Must not mask values: whoever shows them does.

use aws_sdk_ecs::types::{
    ContainerDefinition as SdkContainer, HealthCheck as SdkHealthCheck, LogConfiguration as SdkLog,
    PortMapping as SdkPort, Tag, TaskDefinition as SdkDefinition,
};

use super::{all, count, tags, wall};
use crate::domain::ecs::Revision;
use crate::domain::task_definition::{
    ContainerDefinition, HealthCheck, LogConfiguration, PortMapping, SecretRef, TaskDefinition,
};

pub(super) fn from_sdk(sdk: SdkDefinition, tag_list: Option<Vec<Tag>>) -> TaskDefinition {
    let arn = sdk.task_definition_arn.unwrap_or_default();
    let revision = match sdk.family {
        Some(family) => Revision { family, number: count(sdk.revision) },
        None => Revision::of(&arn),
    };
    let (architecture, system) =
        sdk.runtime_platform.map(|p| (p.cpu_architecture, p.operating_system_family)).unwrap_or_default();
    TaskDefinition {
        arn,
        revision,
        status: sdk.status.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        cpu: sdk.cpu,
        memory: sdk.memory,
        network_mode: sdk.network_mode.map(|m| m.as_str().to_owned()),
        task_role_arn: sdk.task_role_arn,
        execution_role_arn: sdk.execution_role_arn,
        containers: all(sdk.container_definitions, container),
        volumes: all(sdk.volumes, |v| v.name.unwrap_or_default()),
        cpu_architecture: architecture.map(|a| a.as_str().to_owned()),
        operating_system: system.map(|s| s.as_str().to_owned()),
        requires: all(sdk.requires_compatibilities, |c| c.as_str().to_owned()),
        registered_at: sdk.registered_at.and_then(wall),
        registered_by: sdk.registered_by,
        tags: tags(tag_list),
    }
}

fn container(sdk: SdkContainer) -> ContainerDefinition {
    ContainerDefinition {
        name: sdk.name.unwrap_or_default(),
        image: sdk.image.unwrap_or_default(),
        cpu: count(sdk.cpu),
        memory: sdk.memory.map(count),
        memory_reservation: sdk.memory_reservation.map(count),
        // AWS assumes a container to be essential unless told otherwise.
        essential: sdk.essential.unwrap_or(true),
        ports: all(sdk.port_mappings, port),
        entry_point: sdk.entry_point.unwrap_or_default(),
        command: sdk.command.unwrap_or_default(),
        environment: all(sdk.environment, |e| (e.name.unwrap_or_default(), e.value.unwrap_or_default())),
        secrets: all(sdk.secrets, |s| SecretRef { name: s.name, value_from: s.value_from }),
        user: sdk.user,
        read_only_root: sdk.readonly_root_filesystem.unwrap_or(false),
        privileged: sdk.privileged.unwrap_or(false),
        health_check: sdk.health_check.map(health_check),
        log: sdk.log_configuration.map(log),
        resolves_anew: sdk.version_consistency.is_some_and(|found| found.as_str() == "disabled"),
        registry_credentials: sdk.repository_credentials.map(|found| found.credentials_parameter),
        depends_on: all(sdk.depends_on, |d| (d.container_name, d.condition.as_str().to_owned())),
        stop_timeout_s: sdk.stop_timeout.map(count),
        ulimits: all(sdk.ulimits, |u| {
            (u.name.as_str().to_owned(), i64::from(u.soft_limit), i64::from(u.hard_limit))
        }),
        labels: {
            let mut labels: Vec<(String, String)> =
                sdk.docker_labels.unwrap_or_default().into_iter().collect();
            labels.sort();
            labels
        },
    }
}

fn port(sdk: SdkPort) -> PortMapping {
    PortMapping {
        container_port: sdk.container_port.and_then(|p| u16::try_from(p).ok()),
        range: sdk.container_port_range,
        protocol: sdk.protocol.map_or_else(|| "tcp".to_owned(), |p| p.as_str().to_owned()),
        name: sdk.name,
    }
}

fn health_check(sdk: SdkHealthCheck) -> HealthCheck {
    HealthCheck {
        command: sdk.command,
        interval_s: sdk.interval.map(count),
        timeout_s: sdk.timeout.map(count),
        retries: sdk.retries.map(count),
        start_period_s: sdk.start_period.map(count),
    }
}

fn log(sdk: SdkLog) -> LogConfiguration {
    let mut options: Vec<(String, String)> = sdk.options.unwrap_or_default().into_iter().collect();
    options.sort();
    let secrets = all(sdk.secret_options, |s| SecretRef { name: s.name, value_from: s.value_from });
    LogConfiguration { driver: sdk.log_driver.as_str().to_owned(), options, secrets }
}
