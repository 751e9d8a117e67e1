//! UpdateService and StopTask: checked with AWS's texts, then carried out by the world.
//!
//! Must not wait for anything: the answer is the state right after the request was accepted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{input, placement, service, task, task_definition};
use crate::sim::reply::ApiError;
use crate::sim::stack::Controller;
use crate::sim::world::World;
use crate::sim::world::definition::TaskDefinition;
use crate::sim::world::service::{Breaker, Hook, Service, Threshold};

/// Members that are refused rather than swallowed.
const NOT_PLAYED: [&str; 10] = [
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "gatewayConnectors",
    "deploymentController",
    "placementConstraints",
    "placementStrategy",
    "monitoring",
];

/// The same of the deployment configuration, unless they are off.
const NOT_CONFIGURED: [&str; 5] =
    ["alarms", "bakeTimeInMinutes", "linearConfiguration", "canaryConfiguration", "earlySuccessCriteria"];

/// Members that are kept and shown, and change nothing here.
const KEPT: [&str; 3] = ["propagateTags", "enableECSManagedTags", "availabilityZoneRebalancing"];

fn is_sent(input: &Value, key: &str) -> bool {
    input.get(key).is_some_and(|value| !value.is_null())
}

fn not_played(what: &str) -> ApiError {
    let text = format!("The simulator does not play a change of {what}.");
    ApiError::new(400, "UnsupportedFeatureException", text)
}

/// The service that is to change.
fn asked_service(world: &World, region: &str, input: &Value) -> Result<usize, ApiError> {
    let identifier = input::text(input, "service")?.unwrap_or_default();
    if identifier.is_empty() {
        return Err(ApiError::invalid_parameter("Service cannot be empty."));
    }
    input::service(world, region, input, identifier).map_err(|error| {
        let cluster = input::cluster(world, region, input).ok();
        match cluster.and_then(|cluster| input::gone(world, region, &cluster.name, identifier)) {
            Some(_) => ApiError::new(400, "ServiceNotActiveException", "Service was not ACTIVE."),
            None => error,
        }
    })
}

/// What another deployment controller does not leave to UpdateService.
fn controlled(service: &Service, input: &Value) -> Result<(), ApiError> {
    let controller = service.spec().map(|spec| spec.controller).unwrap_or_default();
    let remedy = match controller {
        Controller::Ecs => return Ok(()),
        Controller::CodeDeploy => "Use AWS CodeDeploy to trigger a new deployment.",
        Controller::External => "Create a new task set instead.",
    };
    let on = format!("on services with a {} deployment controller. {remedy}", controller.as_str());
    if is_sent(input, "taskDefinition") {
        return Err(ApiError::invalid_parameter(format!("Unable to update task definition {on}")));
    }
    if input::flag(input, "forceNewDeployment")? == Some(true) {
        return Err(ApiError::invalid_parameter(format!("Cannot force a new deployment {on}")));
    }
    for (key, what) in [
        ("networkConfiguration", "network parameters"),
        ("platformVersion", "platform version"),
        ("capacityProviderStrategy", "capacity provider strategy"),
    ] {
        if is_sent(input, key) {
            return Err(ApiError::invalid_parameter(format!("Unable to update {what} {on}")));
        }
    }
    Ok(())
}

pub fn update_service(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let index = asked_service(world, region, input)?;
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
    // What is sent as it stands already is no change.
    let before = service::one(world, index, false);
    if let Some(key) =
        NOT_PLAYED.iter().find(|key| is_sent(input, key) && input.get(**key) != before.get(**key))
    {
        return Err(not_played(key));
    }
    let missing = || ApiError::not_found("ServiceNotFoundException", "Service not found.");
    let found = world.services.get(index).ok_or_else(missing)?;
    controlled(found, input)?;
    let placement =
        placement::asked(world, region, input::cluster(world, region, input)?, input, &found.placement)?;
    if placement.capacity != found.placement.capacity && !force {
        return Err(ApiError::invalid_parameter(
            "When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity \
             provider strategy on a service that is already using one, you must force a new deployment.",
        ));
    }
    let moved = placement != *found.placement;
    let definition = match input::text(input, "taskDefinition")? {
        None => None,
        Some(identifier) => Some(deployable(world, region, index, identifier)?),
    };
    let configuration = configuration(found, input.get("deploymentConfiguration").unwrap_or(&Value::Null))?;
    let current = found.primary().map(|primary| (primary.definition.0.to_string(), primary.definition.1));

    // Everything has been checked: from here on the request is carried out as a whole.
    world.remember(index, before);
    if let Some(found) = world.services.get_mut(index) {
        (found.min_percent, found.max_percent, found.breaker, found.hooks) = configuration;
        found.exec = exec.unwrap_or(found.exec);
        if let Some(grace) = grace {
            found.grace_seconds = u64::try_from(grace).ok();
        }
        if moved {
            found.placement = Arc::new(placement);
        }
        for key in KEPT.into_iter().filter(|key| is_sent(input, key)) {
            found.kept.insert(key, input.get(key).cloned().unwrap_or_default());
        }
    }
    if let Some(desired) = desired {
        world.set_desired(index, desired);
        world.heed_bounds(index);
    }
    let changed = definition.filter(|wanted| current.as_ref() != Some(wanted));
    if let Some((family, revision)) = changed.or_else(|| current.filter(|_| force || moved)) {
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

fn configuration(service: &Service, wanted: &Value) -> Result<(u32, u32, Breaker, Vec<Hook>), ApiError> {
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
    for key in NOT_CONFIGURED {
        let unset = |value: &&Value| !value.is_null() && value.as_i64() != Some(0);
        let off = |value: &Value| value.get("enable").and_then(Value::as_bool) == Some(false);
        if wanted.get(key).filter(unset).is_some_and(|value| !off(value)) {
            return Err(not_played(key));
        }
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
    let hooks = match wanted.get("lifecycleHooks").and_then(Value::as_array) {
        None => service.hooks.clone(),
        Some(given) => given.iter().map(hooks).collect::<Result<Vec<_>, _>>()?.concat(),
    };
    Ok((least, most, breaker, hooks))
}

/// A PAUSE hook, once for each of its stages. Rolling deployments have two stages to speak of here.
fn hooks(wanted: &Value) -> Result<Vec<Hook>, ApiError> {
    const STAGES: [&str; 2] = ["PRE_SCALE_UP", "POST_SCALE_UP"];
    let refuse = |what: &str| {
        Err(ApiError::new(400, "UnsupportedFeatureException", format!("The simulator does not play {what}.")))
    };
    if input::choice(wanted, "targetType", &["AWS_LAMBDA", "PAUSE"])? != Some("PAUSE") {
        return refuse("lifecycle hooks that invoke a function");
    }
    let stages = input::texts(wanted, "lifecycleStages")?;
    if stages.is_empty() {
        return Err(ApiError::invalid_parameter("lifecycleStages cannot be empty."));
    }
    let timeout = wanted.get("timeoutConfiguration").unwrap_or(&Value::Null);
    let minutes = input::number(timeout, "timeoutInMinutes")?.unwrap_or(1_440);
    let minutes = u64::try_from(minutes)
        .ok()
        .filter(|minutes| (1..=20_160).contains(minutes))
        .ok_or_else(|| ApiError::invalid_parameter("timeoutInMinutes must be between 1 and 20160."))?;
    let action = match input::choice(timeout, "action", &["ROLLBACK", "CONTINUE"])? {
        Some("CONTINUE") => "CONTINUE",
        _ => "ROLLBACK",
    };
    let mut found = Vec::new();
    for stage in stages {
        let Some(stage) = STAGES.into_iter().find(|known| *known == stage) else {
            return refuse(&format!("pauses at stage {stage}"));
        };
        found.push(Hook { stage, timeout: Duration::from_secs(60 * minutes), action });
    }
    Ok(found)
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
