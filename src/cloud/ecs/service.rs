//! Services with their deployments and events, from the SDK's shape to ours.
//!
//! Must not drop a word that AWS adds.

use aws_sdk_ecs::types::{
    AssignPublicIp, Deployment as SdkDeployment, DeploymentConfiguration as SdkConfiguration,
    Service as SdkService,
};

use super::{all, count, last_or, tags, wall};
use crate::domain::ecs::{
    CapacityShare, CircuitBreaker, Deployment, DeploymentConfiguration, LoadBalancer, Revision, Service,
    ServiceEvent, ServiceId,
};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

pub(super) fn from_sdk(scope: &Scope, cluster: &str, sdk: SdkService) -> Service {
    let arn = sdk.service_arn.unwrap_or_default();
    let name = sdk.service_name.unwrap_or_else(|| last_or(Some(&arn), ""));
    let cluster = last_or(sdk.cluster_arn.as_deref(), cluster);
    let vpc = sdk.network_configuration.and_then(|n| n.awsvpc_configuration);
    let public_ip =
        vpc.as_ref().and_then(|v| v.assign_public_ip.as_ref()).map(|ip| *ip == AssignPublicIp::Enabled);
    let (subnets, security_groups) =
        vpc.map(|v| (v.subnets, v.security_groups.unwrap_or_default())).unwrap_or_default();
    let task_definition_arn = sdk.task_definition.unwrap_or_default();
    Service {
        id: ServiceId { scope: scope.clone(), cluster, name },
        arn,
        status: sdk.status.unwrap_or_default(),
        desired: count(sdk.desired_count),
        running: count(sdk.running_count),
        pending: count(sdk.pending_count),
        launch_type: sdk.launch_type.map(|l| l.as_str().to_owned()),
        capacity: all(sdk.capacity_provider_strategy, |c| CapacityShare {
            provider: c.capacity_provider,
            weight: count(c.weight),
            base: count(c.base),
        }),
        platform_version: sdk.platform_version,
        revision: Revision::of(&task_definition_arn),
        task_definition_arn,
        controller: sdk.deployment_controller.map(|c| c.r#type.as_str().to_owned()),
        deployment_configuration: sdk.deployment_configuration.map(configuration).unwrap_or_default(),
        deployments: all(sdk.deployments, deployment),
        events: all(sdk.events, |e| ServiceEvent {
            id: e.id.unwrap_or_default(),
            at: e.created_at.and_then(wall).unwrap_or(Wall(0)),
            message: e.message.unwrap_or_default(),
        }),
        load_balancers: all(sdk.load_balancers, |l| LoadBalancer {
            target_group_arn: l.target_group_arn,
            container: l.container_name,
            port: l.container_port.and_then(|p| u16::try_from(p).ok()),
        }),
        subnets,
        security_groups,
        public_ip,
        health_check_grace_s: sdk.health_check_grace_period_seconds.map(count),
        exec_enabled: sdk.enable_execute_command,
        scheduling: sdk.scheduling_strategy.map(|s| s.as_str().to_owned()),
        current_service_deployment: sdk.current_service_deployment,
        current_service_revisions: sdk
            .current_service_revisions
            .unwrap_or_default()
            .into_iter()
            .filter_map(|r| r.arn)
            .collect(),
        created_at: sdk.created_at.and_then(wall),
        created_by: sdk.created_by,
        tags: tags(sdk.tags),
    }
}

fn configuration(sdk: SdkConfiguration) -> DeploymentConfiguration {
    DeploymentConfiguration {
        strategy: sdk.strategy.map(|s| s.as_str().to_owned()),
        minimum_healthy_percent: sdk.minimum_healthy_percent.map(count),
        maximum_percent: sdk.maximum_percent.map(count),
        circuit_breaker: sdk.deployment_circuit_breaker.map(|b| CircuitBreaker {
            enable: b.enable,
            rollback: b.rollback,
            threshold: b.threshold_configuration.map(|t| (t.r#type.as_str().to_owned(), count(t.value))),
        }),
        alarms: sdk.alarms.filter(|a| a.enable).map(|a| a.alarm_names).unwrap_or_default(),
    }
}

fn deployment(sdk: SdkDeployment) -> Deployment {
    Deployment {
        id: sdk.id.unwrap_or_default(),
        status: sdk.status.unwrap_or_default(),
        revision: Revision::of(&sdk.task_definition.unwrap_or_default()),
        desired: count(sdk.desired_count),
        pending: count(sdk.pending_count),
        running: count(sdk.running_count),
        failed_tasks: count(sdk.failed_tasks),
        rollout_state: sdk.rollout_state.map(|s| s.as_str().to_owned()),
        rollout_reason: sdk.rollout_state_reason,
        created_at: sdk.created_at.and_then(wall),
        updated_at: sdk.updated_at.and_then(wall),
    }
}
