//! The calls that change ECS. Each takes a permit, and makes its call once.
//!
//! Must send nothing but what the mutation names: what is left out, ECS leaves as it is.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, ContainerDefinition,
    ContainerOverride, DeploymentLifecycleHookAction, LaunchType, NetworkConfiguration,
    StopServiceDeploymentStopType, TaskDefinition, TaskDefinitionField, TaskOverride,
};
use aws_types::request_id::RequestId;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{unfit, wall};
use crate::domain::mutation::{Definition, DefinitionEdit, Mutation, Receipt, ServiceChange};
use crate::domain::scope::Arn;
use crate::domain::task_definition::{PINNED_DIGEST, PINNED_FROM};
use crate::guard::Permit;

/// Makes the call.
pub(in crate::cloud) async fn change(
    client: &Client,
    permit: Permit,
    call: &Call<'_>,
) -> Result<Receipt, Lost> {
    match permit.redeem() {
        Mutation::UpdateService { service, change } => {
            let request = client.update_service().cluster(service.cluster).service(service.name);
            let ServiceChange { force, definition, desired, capacity } = change;
            // A changed count alone starts no deployment: the PRIMARY one in the answer is an old one.
            let deploys = force || definition.is_some() || capacity.is_some();
            let definition = match definition {
                None => None,
                Some(Definition::Named(arn)) => Some(arn),
                Some(Definition::Registered) => {
                    return Err(call.unsent("no task definition was registered before"));
                }
            };
            let request = request
                .set_force_new_deployment(force.then_some(true))
                .set_task_definition(definition)
                .set_desired_count(desired.map(|count| i32::try_from(count).unwrap_or(i32::MAX)))
                .set_capacity_provider_strategy(capacity.map(|items| strategy(&items, call)).transpose()?);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let deployments = out.service().map(aws_sdk_ecs::types::Service::deployments).unwrap_or_default();
            let primary = deployments.iter().find(|d| d.status() == Some("PRIMARY"));
            let primary = primary.filter(|_| deploys);
            let deployment = primary.and_then(|d| d.id()).map(ToOwned::to_owned);
            let deployed_at = primary.and_then(|d| d.created_at().copied()).and_then(wall);
            Ok(Receipt { request_id: id(&out), deployment, deployed_at, ..Receipt::default() })
        }
        Mutation::RegisterTaskDefinition { from, edit, .. } => register(client, &from, &edit, call).await,
        Mutation::StopServiceDeployment { arn, .. } => {
            let request = client
                .stop_service_deployment()
                .service_deployment_arn(arn)
                .stop_type(StopServiceDeploymentStopType::Rollback);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Receipt { request_id: id(&out), ..Receipt::default() })
        }
        Mutation::ContinueServiceDeployment { arn, hook, .. } => {
            let request = client
                .continue_service_deployment()
                .service_deployment_arn(arn)
                .hook_id(hook)
                .action(DeploymentLifecycleHookAction::Continue);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Receipt { request_id: id(&out), ..Receipt::default() })
        }
        Mutation::StopTask { task, reason } => {
            let request = client.stop_task().cluster(task.cluster).task(task.id).reason(reason);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Receipt { request_id: id(&out), ..Receipt::default() })
        }
        mutation @ Mutation::RunTask { .. } => run(client, mutation, call).await,
        other => Err(unfit(&other, "ECS")),
    }
}

fn id(out: &impl RequestId) -> Option<String> {
    out.request_id().map(ToOwned::to_owned)
}

fn strategy(
    items: &[(String, u32, u32)],
    call: &Call<'_>,
) -> Result<Vec<CapacityProviderStrategyItem>, Lost> {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let item = |(provider, weight, base): &(String, u32, u32)| {
        let builder = CapacityProviderStrategyItem::builder().capacity_provider(provider);
        builder.weight(number(*weight)).base(number(*base)).build().map_err(|e| call.unsent(&e.to_string()))
    };
    items.iter().map(item).collect()
}

/// Registers a definition with the whole content of another one. ECS has no call that copies, so the content is read
/// first, as the SDK knows it: what a newer ECS adds to task definitions would be left out.
async fn register(
    client: &Client,
    from: &str,
    edit: &DefinitionEdit,
    call: &Call<'_>,
) -> Result<Receipt, Lost> {
    let read = client.describe_task_definition().task_definition(from).include(TaskDefinitionField::Tags);
    // Nothing has been asked to change yet.
    let read = read.send().await.map_err(|e| Lost { sent: false, ..call.lost(e) })?;
    // ECS refuses tags of AWS's own, such as CloudFormation's, from anybody else.
    let own = |tag: &aws_sdk_ecs::types::Tag| !tag.key().is_some_and(|key| key.starts_with("aws:"));
    let tags: Vec<_> = read.tags.unwrap_or_default().into_iter().filter(own).collect();
    let TaskDefinition {
        container_definitions,
        family,
        task_role_arn,
        execution_role_arn,
        network_mode,
        volumes,
        placement_constraints,
        runtime_platform,
        requires_compatibilities,
        cpu,
        memory,
        pid_mode,
        ipc_mode,
        proxy_configuration,
        ephemeral_storage,
        enable_fault_injection,
        ..
    } = read.task_definition.ok_or_else(|| call.unsent("ECS described no task definition"))?;
    let containers = container_definitions.unwrap_or_default().into_iter().map(|c| edited(c, edit)).collect();
    let constraints = placement_constraints.filter(|list| !list.is_empty());
    let request = client
        .register_task_definition()
        .set_family(family)
        .set_container_definitions(Some(containers))
        .set_task_role_arn(task_role_arn)
        .set_execution_role_arn(execution_role_arn)
        .set_network_mode(network_mode)
        .set_volumes(volumes.filter(|volumes| !volumes.is_empty()))
        .set_placement_constraints(constraints)
        .set_runtime_platform(runtime_platform)
        .set_requires_compatibilities(requires_compatibilities)
        .set_cpu(edit.cpu.clone().or(cpu))
        .set_memory(edit.memory.clone().or(memory))
        .set_pid_mode(pid_mode)
        .set_ipc_mode(ipc_mode)
        .set_proxy_configuration(proxy_configuration)
        .set_ephemeral_storage(ephemeral_storage)
        .set_enable_fault_injection(enable_fault_injection)
        .set_tags(Some(tags).filter(|tags| !tags.is_empty()));
    let out = request.send().await.map_err(|e| call.lost(e))?;
    let request_id = id(&out);
    let definition = out.task_definition.and_then(|definition| definition.task_definition_arn);
    if definition.is_none() {
        return Err(call.hollow("no task definition"));
    }
    Ok(Receipt { request_id, definition, ..Receipt::default() })
}

fn edited(mut container: ContainerDefinition, edit: &DefinitionEdit) -> ContainerDefinition {
    let mut labels = container.docker_labels.take().unwrap_or_default();
    let image = container.name.as_ref().and_then(|name| edit.images.get(name));
    if edit.unpinned || image.is_some() {
        labels.remove(PINNED_DIGEST);
        labels.remove(PINNED_FROM);
    }
    if let Some(image) = image {
        if let (Some(from), Some((_, digest))) = (&edit.pinned_from, image.split_once('@')) {
            labels.insert(PINNED_FROM.to_owned(), from.clone());
            labels.insert(PINNED_DIGEST.to_owned(), digest.to_owned());
        }
        container.image = Some(image.clone());
    }
    container.docker_labels = (!labels.is_empty()).then_some(labels);
    container
}

async fn run(client: &Client, mutation: Mutation, call: &Call<'_>) -> Result<Receipt, Lost> {
    let Mutation::RunTask {
        service,
        definition,
        container,
        command,
        subnets,
        security_groups,
        public_ip,
        launch_type,
        capacity,
        token,
    } = mutation
    else {
        return Err(unfit(&mutation, "ECS"));
    };
    let network = if subnets.is_empty() {
        None
    } else {
        let public =
            public_ip.map(|yes| if yes { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled });
        let vpc = AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets))
            .set_security_groups(Some(security_groups).filter(|groups| !groups.is_empty()))
            .set_assign_public_ip(public)
            .build()
            .map_err(|e| call.unsent(&e.to_string()))?;
        Some(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
    };
    let overrides = container.map(|name| {
        let one = ContainerOverride::builder().name(name).set_command(Some(command)).build();
        TaskOverride::builder().container_overrides(one).build()
    });
    let strategy = strategy(&capacity, call)?;
    let request = client
        .run_task()
        .cluster(&service.cluster)
        .task_definition(definition)
        .count(1)
        .started_by("opsdeck")
        .client_token(token)
        .set_launch_type(launch_type.as_deref().filter(|_| strategy.is_empty()).map(LaunchType::from))
        .set_capacity_provider_strategy(Some(strategy).filter(|items| !items.is_empty()))
        .set_network_configuration(network)
        .set_overrides(overrides);
    let out = request.send().await.map_err(|e| call.lost(e))?;
    let arn = out.tasks().first().and_then(|task| task.task_arn());
    match arn {
        Some(arn) => {
            let task = Some(Arn::last(arn).to_owned());
            Ok(Receipt { request_id: id(&out), task, ..Receipt::default() })
        }
        None => {
            let failure = out.failures().first();
            let reason = failure.and_then(|f| f.reason()).unwrap_or("no reason");
            let detail = failure.and_then(|f| f.detail()).map(|d| format!(": {d}")).unwrap_or_default();
            Err(call.refused(&format!("ECS started no task: {reason}{detail}")))
        }
    }
}
