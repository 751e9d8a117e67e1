//! Clusters, from the SDK's shape to ours.
//!
//! Must not drop a word that AWS adds.

use aws_sdk_ecs::types::Cluster as SdkCluster;

use super::{all, count, last_or, tags};
use crate::domain::ecs::{Cluster, ClusterId};
use crate::domain::scope::Scope;

pub(super) fn from_sdk(scope: &Scope, sdk: SdkCluster) -> Cluster {
    let arn = sdk.cluster_arn.unwrap_or_default();
    let name = sdk.cluster_name.unwrap_or_else(|| last_or(Some(&arn), ""));
    let exec = sdk.configuration.and_then(|c| c.execute_command_configuration);
    Cluster {
        id: ClusterId { scope: scope.clone(), name },
        arn,
        status: sdk.status.unwrap_or_default(),
        active_services: count(sdk.active_services_count),
        running_tasks: count(sdk.running_tasks_count),
        pending_tasks: count(sdk.pending_tasks_count),
        container_instances: count(sdk.registered_container_instances_count),
        settings: all(sdk.settings, |s| {
            (s.name.map(|n| n.as_str().to_owned()).unwrap_or_default(), s.value.unwrap_or_default())
        }),
        capacity_providers: sdk.capacity_providers.unwrap_or_default(),
        exec_log_group: exec.and_then(|e| e.log_configuration).and_then(|l| l.cloud_watch_log_group_name),
        tags: tags(sdk.tags),
    }
}
