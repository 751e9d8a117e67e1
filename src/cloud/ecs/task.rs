//! Tasks and their containers, from the SDK's shape to ours.
//!
//! Must not drop a word that AWS adds.

use aws_sdk_ecs::types::{Container as SdkContainer, ManagedAgentName, Task as SdkTask};

use super::{all, last_or, tags, wall};
use crate::domain::ecs::Revision;
use crate::domain::scope::Scope;
use crate::domain::task::{Container, Task, TaskId};

pub(super) fn from_sdk(scope: &Scope, cluster: &str, sdk: SdkTask) -> Task {
    let arn = sdk.task_arn.unwrap_or_default();
    let task_definition_arn = sdk.task_definition_arn.unwrap_or_default();
    Task {
        id: TaskId {
            scope: scope.clone(),
            cluster: last_or(sdk.cluster_arn.as_deref(), cluster),
            id: last_or(Some(&arn), ""),
        },
        arn,
        group: sdk.group,
        last_status: sdk.last_status.unwrap_or_default(),
        desired_status: sdk.desired_status.unwrap_or_default(),
        health: sdk.health_status.map(|h| h.as_str().to_owned()),
        revision: Revision::of(&task_definition_arn),
        task_definition_arn,
        started_by: sdk.started_by,
        containers: all(sdk.containers, container),
        cpu: sdk.cpu,
        memory: sdk.memory,
        launch_type: sdk.launch_type.map(|l| l.as_str().to_owned()),
        capacity_provider: sdk.capacity_provider_name,
        zone: sdk.availability_zone,
        exec_enabled: sdk.enable_execute_command,
        version: sdk.version,
        created_at: sdk.created_at.and_then(wall),
        pull_started_at: sdk.pull_started_at.and_then(wall),
        pull_stopped_at: sdk.pull_stopped_at.and_then(wall),
        started_at: sdk.started_at.and_then(wall),
        stopping_at: sdk.stopping_at.and_then(wall),
        stopped_at: sdk.stopped_at.and_then(wall),
        stop_code: sdk.stop_code.map(|c| c.as_str().to_owned()),
        stopped_reason: sdk.stopped_reason,
        tags: tags(sdk.tags),
    }
}

fn container(sdk: SdkContainer) -> Container {
    Container {
        name: sdk.name.unwrap_or_default(),
        image: sdk.image.unwrap_or_default(),
        image_digest: sdk.image_digest,
        runtime_id: sdk.runtime_id,
        last_status: sdk.last_status.unwrap_or_default(),
        exit_code: sdk.exit_code,
        reason: sdk.reason,
        health: sdk.health_status.map(|h| h.as_str().to_owned()),
        private_ip: sdk
            .network_interfaces
            .unwrap_or_default()
            .into_iter()
            .find_map(|interface| interface.private_ipv4_address),
        exec_agent: sdk
            .managed_agents
            .unwrap_or_default()
            .into_iter()
            .find(|agent| agent.name == Some(ManagedAgentName::ExecuteCommandAgent))
            .and_then(|agent| agent.last_status),
    }
}
