//! Services, as lists and in full.
//!
//! Must not change them; `write` does.

use serde_json::{Value, json};

use super::{input, json as shape};
use crate::sim::reply::ApiError;
use crate::sim::stack::{ACCOUNT, Controller};
use crate::sim::world::World;
use crate::sim::world::service::{Service, id};
use crate::sim::world::task::Task;

pub fn list(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let cluster = input::cluster(world, region, input)?;
    let launch = input::choice(input, "launchType", &["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"])?;
    let strategy = input::choice(input, "schedulingStrategy", &["REPLICA", "DAEMON"])?;
    let arns = cluster
        .services
        .values()
        .filter_map(|index| world.services.get(*index))
        .filter(|service| {
            let own = Some(&service.placement)
                .filter(|own| own.capacity.is_empty())
                .map(|own| own.launch_type.as_deref().unwrap_or("FARGATE"));
            launch.is_none_or(|wanted| own == Some(wanted)) && strategy != Some("DAEMON")
        })
        .map(Service::arn)
        .collect();
    let (arns, token) = input::page(arns, input, 10, 100)?;
    Ok(shape::paged("serviceArns", arns, token))
}

pub fn describe(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let cluster = input::cluster(world, region, input)?;
    let wanted = input::texts(input, "services")?;
    if wanted.is_empty() {
        return Err(ApiError::invalid_parameter("Services cannot be empty."));
    }
    if wanted.len() > 10 {
        return Err(ApiError::invalid_parameter("Services cannot have more than 10 items."));
    }
    let with_tags = input::includes(input, "TAGS")?;
    let name = std::sync::Arc::clone(&cluster.name);
    let found: Vec<(String, Option<usize>)> = wanted
        .iter()
        .map(|identifier| {
            let last = input::last_part(identifier);
            let arn = format!("arn:aws:ecs:{region}:{ACCOUNT}:service/{name}/{last}");
            let gone = || input::gone(world, region, &name, last);
            (arn, cluster.services.get(last).copied().or_else(gone))
        })
        .collect();
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for (arn, index) in found {
        match index {
            None => failures.push(input::missing(arn)),
            Some(index) => services.push(world.stale(index).unwrap_or_else(|| one(world, index, with_tags))),
        }
    }
    Ok(json!({ "services": services, "failures": failures }))
}

/// A service in full.
pub fn one(world: &World, index: usize, with_tags: bool) -> Value {
    let Some(service) = world.services.get(index) else { return Value::Null };
    let tasks: Vec<&Task> = service.tasks.iter().filter_map(|id| world.tasks.get(id)).collect();
    let running = tasks.iter().filter(|task| task.is_running()).count();
    let pending = tasks.iter().filter(|task| task.is_pending()).count();
    let events: Vec<Value> = world
        .events(index)
        .iter()
        .map(
            |event| json!({ "id": event.id(), "createdAt": shape::time(event.at), "message": event.message }),
        )
        .collect();
    let definition = service
        .primary()
        .map(|primary| shape::definition_arn(&service.region, &primary.definition.0, primary.definition.1));
    let has_balancer = !service.targets().is_empty();
    let spec = service.spec();
    let controller = spec.map(|spec| spec.controller).unwrap_or_default();
    let written = json!({
        "serviceArn": service.arn(),
        "serviceName": &*service.name,
        "clusterArn": service.cluster_arn(),
        "loadBalancers": shape::load_balancers(service),
        "serviceRegistries": [],
        "status": if service.active { "ACTIVE" } else if running + pending > 0 { "DRAINING" } else { "INACTIVE" },
        "desiredCount": service.desired,
        "runningCount": running,
        "pendingCount": pending,
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "taskDefinition": definition,
        "deploymentConfiguration": shape::deployment_configuration(service),
        "deployments": deployments(service, &tasks),
        "events": events,
        "createdAt": shape::time(service.created_at),
        "currentServiceRevisions": current_revisions(service, &tasks),
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": shape::network(&service.placement),
        "healthCheckGracePeriodSeconds": service.grace_seconds.unwrap_or(0),
        "schedulingStrategy": "REPLICA",
        "deploymentController": { "type": controller.as_str() },
        "createdBy": format!("arn:aws:iam::{ACCOUNT}:role/deployer"),
        "enableECSManagedTags": true,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": service.exec,
        "availabilityZoneRebalancing": "DISABLED",
        "resourceManagementType": "CUSTOMER",
    });
    let role = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS");
    let written = shape::with(written, shape::capacity(&service.placement));
    let written = shape::with(written, service.kept.iter().map(|(key, value)| (*key, Some(value.clone()))));
    shape::with(
        written,
        [
            (
                "currentServiceDeployment",
                service.history.first().map(|record| service.record_arn(record).into()),
            ),
            ("roleArn", has_balancer.then(|| role.into())),
            ("tags", with_tags.then(|| shape::tags(&service.stack.tags, spec.map(|spec| &spec.tags)))),
        ],
    )
}

fn deployments(service: &Service, tasks: &[&Task]) -> Vec<Value> {
    service
        .deployments
        .iter()
        .enumerate()
        .map(|(place, deployment)| {
            let placement = service.placement_of(deployment.number);
            let own = || tasks.iter().filter(|task| task.deployment == deployment.number);
            let desired = if place == 0 { service.desired as usize } else { own().filter(|task| task.wanted).count() };
            let written = json!({
                "id": id(deployment.number),
                "status": if place == 0 { "PRIMARY" } else { "ACTIVE" },
                "taskDefinition": shape::definition_arn(&service.region, &deployment.definition.0, deployment.definition.1),
                "desiredCount": desired,
                "pendingCount": own().filter(|task| task.is_pending()).count(),
                "runningCount": own().filter(|task| task.is_running()).count(),
                "failedTasks": deployment.failed_tasks,
                "createdAt": shape::time(deployment.created_at),
                "updatedAt": shape::time(deployment.updated_at),
                "platformVersion": "1.4.0",
                "platformFamily": "Linux",
                "networkConfiguration": shape::network(placement),
            });
            let written = shape::with(written, shape::capacity(placement));
            // Other controllers do not tell here how far they are.
            let own = service.spec().is_none_or(|spec| spec.controller == Controller::Ecs);
            shape::with(
                written,
                [
                    ("rolloutState", own.then(|| deployment.state.as_str().into())),
                    ("rolloutStateReason", own.then(|| deployment.reason.clone().into())),
                ],
            )
        })
        .collect()
}

fn current_revisions(service: &Service, tasks: &[&Task]) -> Vec<Value> {
    service
        .deployments
        .iter()
        .enumerate()
        .map(|(place, deployment)| {
            let own = || tasks.iter().filter(|task| task.deployment == deployment.number);
            let requested =
                if place == 0 { service.desired as usize } else { own().filter(|task| task.wanted).count() };
            json!({
                "arn": service.revision_arn(deployment.number),
                "requestedTaskCount": requested,
                "runningTaskCount": own().filter(|task| task.is_running()).count(),
                "pendingTaskCount": own().filter(|task| task.is_pending()).count(),
            })
        })
        .collect()
}
