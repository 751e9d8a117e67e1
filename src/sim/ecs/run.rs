//! RunTask: checked with AWS's texts, then carried out by the world.
//!
//! Must not wait for a task: the answer shows it PROVISIONING.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{input, json as shape, placement, task, task_definition};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::definition::{TaskDefinition, wire};
use crate::sim::world::run::{Program, Run};
use crate::sim::world::service::Placement;

pub fn run(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let cluster = input::cluster(world, region, input)?;
    let name = Arc::clone(&cluster.name);
    let identifier = input::text(input, "taskDefinition")?.unwrap_or_default();
    let (family, revision) = task_definition::find(world, region, identifier)
        .map_err(|_| ApiError::client("TaskDefinition not found."))?;
    let families = world.regions.get(region).and_then(|found| found.families.get(&family));
    if families.and_then(|found| found.is_active(revision)) == Some(false) {
        return Err(ApiError::invalid_parameter("TaskDefinition is inactive"));
    }
    let definition = world
        .definition(region, &family, revision)
        .ok_or_else(|| ApiError::client("TaskDefinition not found."))?;
    if let Some(problem) = world.unassumable(&definition) {
        return Err(ApiError::client(problem));
    }
    let count = input::number(input, "count")?.unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(ApiError::invalid_parameter("Count must be between 1 and 10."));
    }
    let launch = input::choice(input, "launchType", &["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"])?;
    if launch.is_some() && input.get("capacityProviderStrategy").is_some_and(Value::is_array) {
        return Err(ApiError::invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if launch.is_some_and(|launch| launch != "FARGATE") {
        // There is no container instance in any cluster here.
        return Err(ApiError::invalid_parameter("No Container Instances were found in your cluster."));
    }
    let request = wire::request(&definition);
    let awsvpc = request.get("networkMode").and_then(Value::as_str) == Some("awsvpc");
    if awsvpc && input.get("networkConfiguration").is_none_or(Value::is_null) {
        return Err(ApiError::invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    let own = Placement { launch_type: launch.map(str::to_owned), ..Placement::default() };
    let placement = placement::asked(world, region, cluster, input, &own)?;
    let started_by = input::text(input, "startedBy")?.map(str::to_owned);
    if started_by.as_ref().is_some_and(|by| by.len() > 128) {
        return Err(ApiError::invalid_parameter("startedBy cannot be longer than 128 characters."));
    }
    let group = input::text(input, "group")?.map_or_else(|| format!("family:{family}"), str::to_owned);
    let exec = input::flag(input, "enableExecuteCommand")?.unwrap_or(false);
    let list = |value: &Value| value.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut tags = list(input);
    if input::choice(input, "propagateTags", &["TASK_DEFINITION", "SERVICE", "NONE"])?
        == Some("TASK_DEFINITION")
    {
        let own: Vec<Value> = tags.iter().filter_map(|tag| tag.get("key").cloned()).collect();
        let inherited = list(&request).into_iter();
        tags.extend(inherited.filter(|tag| !tag.get("key").is_some_and(|key| own.contains(key))));
    }
    let (overrides, programs) = overridden(world, region, &definition, &request, input)?;

    let token = input::text(input, "clientToken")?.map(|token| (token.to_owned(), input.clone()));
    if let Some((token, _)) = &token {
        let same = |run: &Run| run.token.as_ref().is_some_and(|(own, _)| own == token);
        let known: Vec<_> = world.runs.iter().filter(|(_, run)| same(run)).collect();
        if known.iter().any(|(_, run)| run.token.as_ref().is_some_and(|(_, before)| before != input)) {
            return Err(ApiError::new(
                400,
                "ConflictException",
                "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a different RunTask request.",
            ));
        }
        if !known.is_empty() {
            let tasks = known.iter().filter_map(|(id, _)| world.tasks.get(id));
            let written: Vec<Value> = tasks.map(|found| task::one(world, found, true)).collect();
            return Ok(json!({ "tasks": written, "failures": [] }));
        }
    }
    if world
        .services
        .iter()
        .any(|found| found.no_capacity && *found.region == *region && found.cluster == name)
    {
        let failure = json!({
            "reason": "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        });
        return Ok(json!({ "tasks": [], "failures": vec![failure; usize::try_from(count).unwrap_or(1)] }));
    }
    let run = Run {
        region: Arc::from(region),
        cluster: name,
        group,
        started_by,
        overrides,
        tags: tags.into(),
        placement,
        // Tags are resolved once for all tasks of the request.
        images: world.resolve(region, &definition, None),
        token,
        ghost: None,
        programs,
    };
    let ids: Vec<_> = (0..count).map(|_| world.run_task(&definition, run.clone(), exec)).collect();
    let tasks = ids.iter().filter_map(|id| world.tasks.get(id));
    let written: Vec<Value> = tasks.map(|found| task::one(world, found, true)).collect();
    Ok(json!({ "tasks": written, "failures": [] }))
}

/// `overrides` as answers show them, and what the program of each container is to do.
fn overridden(
    world: &mut World,
    region: &str,
    definition: &TaskDefinition,
    request: &Value,
    input: &Value,
) -> Result<(Value, Vec<Program>), ApiError> {
    let given =
        input.get("overrides").filter(|given| given.is_object()).cloned().unwrap_or_else(|| json!({}));
    let of = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let containers = of(&given, "containerOverrides");
    for one in &containers {
        let name = input::text(one, "name")?.unwrap_or_default();
        if !definition.containers.iter().any(|container| container.name == name) {
            return Err(ApiError::invalid_parameter(format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )));
        }
    }
    let words = |value: &Value| -> Result<Vec<String>, ApiError> {
        Ok(input::texts(value, "command")?.into_iter().map(str::to_owned).collect())
    };
    // What a service runs goes on until it is stopped; what no service runs was made to end.
    let served = world.services.iter().any(|service| {
        *service.region == *region
            && service.primary().is_some_and(|primary| *primary.definition.0 == *definition.family)
    });
    let mut programs = Vec::new();
    for (place, container) in definition.containers.iter().enumerate() {
        let own =
            containers.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(&container.name));
        let command = own.map(&words).transpose()?.unwrap_or_default();
        let written = request.get("containerDefinitions").and_then(|all| all.get(place)).map(&words);
        let usual = written.transpose()?.unwrap_or_default();
        programs.push(match (command.is_empty(), served) {
            (false, _) => Program::of(&command, &mut world.dice),
            (true, true) => Program::default(),
            (true, false) => Program::of(&usual, &mut world.dice),
        });
    }
    let overrides = shape::with(
        given,
        [("containerOverrides", Some(containers.into())), ("inferenceAcceleratorOverrides", Some(json!([])))],
    );
    Ok((overrides, programs))
}
