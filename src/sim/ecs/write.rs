//! UpdateService and StopTask: checked with AWS's texts, then carried out by the world.
//!
//! Must not wait for anything: the answer is the state right after the request was accepted.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{input, service, task, task_definition};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::definition::TaskDefinition;
use crate::sim::world::service::{Breaker, Service, Threshold};

/// Members that start a deployment by themselves, beside `taskDefinition`.
const DEPLOYING: [&str; 6] = [
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
];

pub fn update_service(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let identifier = input::text(input, "service")?.unwrap_or_default();
    if identifier.is_empty() {
        return Err(ApiError::invalid_parameter("Service cannot be empty."));
    }
    let index = input::service(world, region, input, identifier)?;
    let desired = input::number(input, "desiredCount")?
        .map(|count| {
            u32::try_from(count).ok().filter(|count| *count <= 5_000).ok_or_else(|| {
                ApiError::invalid_parameter("desiredCount cannot be negative or more than 5000.")
            })
        })
        .transpose()?;
    let exec = input::flag(input, "enableExecuteCommand")?;
    let force = input::flag(input, "forceNewDeployment")?.unwrap_or(false);
    let grace = input::number(input, "healthCheckGracePeriodSeconds")?;
    if let Some(unsupported) = DEPLOYING
        .iter()
        .chain(&["capacityProviderStrategy"])
        .find(|key| input.get(**key).is_some_and(|value| !value.is_null()))
    {
        return Err(ApiError::new(
            400,
            "UnsupportedFeatureException",
            format!("The simulator does not play a change of {unsupported}."),
        ));
    }
    let definition = match input::text(input, "taskDefinition")? {
        None => None,
        Some(identifier) => Some(deployable(world, region, index, identifier)?),
    };
    let Some(found) = world.services.get(index) else {
        return Err(ApiError::not_found("ServiceNotFoundException", "Service not found."));
    };
    if !found.active {
        return Err(ApiError::new(400, "ServiceNotActiveException", "Service was not ACTIVE."));
    }
    let configuration = configuration(found, input.get("deploymentConfiguration").unwrap_or(&Value::Null))?;
    let current = found.primary().map(|primary| primary.definition.clone());

    // Everything has been checked: from here on the request is carried out as a whole.
    let before = service::one(world, index, false);
    world.remember(index, before);
    if let Some(found) = world.services.get_mut(index) {
        (found.min_percent, found.max_percent, found.breaker) = configuration;
        found.exec = exec.unwrap_or(found.exec);
        if let Some(grace) = grace {
            found.grace_seconds = u64::try_from(grace).ok();
        }
    }
    if let Some(desired) = desired {
        world.set_desired(index, desired);
    }
    let changed = definition.filter(|wanted| {
        force
            || current
                .as_ref()
                .is_none_or(|(family, revision)| (&**family, *revision) != (wanted.0.as_str(), wanted.1))
    });
    let target = changed
        .or_else(|| current.filter(|_| force).map(|(family, revision)| (family.to_string(), revision)));
    if let Some((family, revision)) = target {
        world.start_deployment(index, &family, revision);
    }
    Ok(json!({ "service": service::one(world, index, true) }))
}

/// The revision to deploy, if it can be.
fn deployable(
    world: &World,
    region: &str,
    index: usize,
    identifier: &str,
) -> Result<(String, u32), ApiError> {
    let (family, revision) = task_definition::find(world, region, identifier)
        .map_err(|_| ApiError::client("TaskDefinition not found."))?;
    let found = world.regions.get(region).and_then(|found| found.families.get(&family));
    if found.and_then(|found| found.is_active(revision)) == Some(false) {
        return Err(ApiError::client("TaskDefinition is inactive"));
    }
    let full: Option<Arc<TaskDefinition>> = world.definition(region, &family, revision);
    let targets = world.services.get(index).map(Service::targets).unwrap_or_default();
    for (_, container, port) in targets {
        if full.as_ref().is_some_and(|full| !full.containers.iter().any(|found| found.name == container)) {
            return Err(ApiError::invalid_parameter(format!(
                "The container {container} did not have a container port {port} defined."
            )));
        }
    }
    Ok((family, revision))
}

fn configuration(service: &Service, wanted: &Value) -> Result<(u32, u32, Breaker), ApiError> {
    let percent = |key: &str, now: u32| -> Result<u32, ApiError> {
        match input::number(wanted, key)? {
            None => Ok(now),
            Some(value) => u32::try_from(value)
                .map_err(|_| ApiError::invalid_parameter(format!("{key} cannot be negative."))),
        }
    };
    let least = percent("minimumHealthyPercent", service.min_percent)?;
    let most = percent("maximumPercent", service.max_percent)?;
    if most < least {
        return Err(ApiError::invalid_parameter("maximumPercent cannot be less than minimumHealthyPercent."));
    }
    if most == 0 || (least >= 100 && most <= 100 && wanted.get("maximumPercent").is_some()) {
        return Err(ApiError::invalid_parameter(
            "The specified configuration for maximumPercent and minimumHealthyPercent would not allow any deployment.",
        ));
    }
    if input::choice(wanted, "strategy", &["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"])?
        .is_some_and(|strategy| strategy != "ROLLING")
    {
        return Err(ApiError::new(
            400,
            "UnsupportedFeatureException",
            "The simulator plays rolling deployments only.",
        ));
    }
    let mut breaker = service.breaker;
    if let Some(wanted) = wanted.get("deploymentCircuitBreaker").filter(|wanted| wanted.is_object()) {
        breaker.enable = input::flag(wanted, "enable")?.unwrap_or(false);
        breaker.rollback = input::flag(wanted, "rollback")?.unwrap_or(false);
        breaker.reset_on_healthy = input::flag(wanted, "resetOnHealthyTask")?.unwrap_or(true);
        if let Some(threshold) = wanted.get("thresholdConfiguration") {
            let value =
                input::number(threshold, "value")?.and_then(|value| u32::try_from(value).ok()).unwrap_or(50);
            breaker.threshold =
                match input::choice(threshold, "type", &["COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"])? {
                    Some("COUNT") => Threshold::Count(value),
                    Some("UNBOUNDED_PERCENT") => Threshold::UnboundedPercent(value),
                    _ => Threshold::BoundedPercent(value),
                };
        }
    }
    Ok((least, most, breaker))
}

pub fn stop_task(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let cluster = Arc::clone(&input::cluster(world, region, input)?.name);
    let identifier = input::text(input, "task")?.unwrap_or_default();
    let reason = input::text(input, "reason")?.unwrap_or_default();
    if reason.len() > 1024 {
        return Err(ApiError::invalid_parameter("reason cannot be longer than 1024 characters."));
    }
    let missing = || ApiError::invalid_parameter("The referenced task was not found.");
    let id = task::find(world, region, &cluster, identifier).map(|found| found.id).ok_or_else(missing)?;
    world.stop_for_user(id, reason);
    let found = world.tasks.get(&id).ok_or_else(missing)?;
    Ok(json!({ "task": task::one(world, found, true) }))
}
