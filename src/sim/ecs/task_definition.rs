//! Task definitions.
//!
//! Must not change a revision: they are immutable but for their status.

use serde_json::{Value, json};

use super::{input, json as shape};
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::sim::world::definition::{TaskDefinition, wire};

pub fn list(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let prefix = input::text(input, "familyPrefix")?;
    let active =
        input::choice(input, "status", &["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"])?.unwrap_or("ACTIVE");
    let newest_first = input::choice(input, "sort", &["ASC", "DESC"])? == Some("DESC");
    let mut arns: Vec<String> = world
        .regions
        .get(region)
        .into_iter()
        .flat_map(|found| &found.families)
        // Despite its name, the prefix must be a whole family.
        .filter(|(family, _)| prefix.is_none_or(|prefix| *family == prefix))
        .flat_map(|(family, found)| {
            found.numbers().map(move |(number, is_active)| (family, number, is_active))
        })
        .filter(|(_, _, is_active)| match active {
            "ACTIVE" => *is_active,
            "INACTIVE" => !*is_active,
            _ => false,
        })
        .map(|(family, number, _)| shape::definition_arn(region, family, number))
        .collect();
    if newest_first {
        arns.reverse();
    }
    let (arns, token) = input::page(arns, input, 100, 100)?;
    Ok(shape::paged("taskDefinitionArns", arns, token))
}

/// The family and revision that an identifier means: `family`, `family:revision` or an ARN.
pub fn find(world: &World, region: &str, identifier: &str) -> Result<(String, u32), ApiError> {
    let missing = || ApiError::client("Unable to describe task definition.");
    let name = input::last_part(identifier);
    if identifier.starts_with("arn:")
        && !identifier.starts_with(&format!("arn:aws:ecs:{region}:{ACCOUNT}:task-definition/"))
    {
        return Err(missing());
    }
    let (family, revision) = match name.split_once(':') {
        None => (name, None),
        Some((family, revision)) => {
            let number = revision
                .parse::<u32>()
                .map_err(|_| ApiError::client(format!("Invalid revision number. Number: {revision}")))?;
            (family, Some(number))
        }
    };
    let found = world.regions.get(region).and_then(|found| found.families.get(family)).ok_or_else(missing)?;
    let revision = match revision {
        Some(revision) => found.is_active(revision).map(|_| revision),
        None => found.newest_active(),
    };
    Ok((family.to_owned(), revision.ok_or_else(missing)?))
}

pub fn describe(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let identifier = input::text(input, "taskDefinition")?
        .ok_or_else(|| ApiError::client("Task definition cannot be blank."))?;
    let (family, revision) = find(world, region, identifier)?;
    let missing = || ApiError::client("Unable to describe task definition.");
    let definition = world.definition(region, &family, revision).ok_or_else(missing)?;
    let own = wire::request(&definition).get("tags").filter(|tags| tags.is_array()).cloned();
    let tags = input::includes(input, "TAGS")?.then(|| own.unwrap_or_else(|| json!([])));
    Ok(shape::with(json!({ "taskDefinition": one(world, region, &definition) }), [("tags", tags)]))
}

/// A task definition as AWS shows it: what was registered, and what AWS adds.
fn one(world: &World, region: &str, definition: &TaskDefinition) -> Value {
    let family = world.regions.get(region).and_then(|found| found.families.get(&definition.family));
    let deregistered = family.and_then(|family| family.deregistered_at(definition.revision));
    let request = wire::request(definition);
    let fargate = request
        .get("requiresCompatibilities")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|one| one == "FARGATE"));
    let network = request.get("networkMode").cloned();
    let attribute = |name: &str| json!({ "name": name });
    let mut required = vec![
        attribute("com.amazonaws.ecs.capability.docker-remote-api.1.18"),
        attribute("ecs.capability.task-eni"),
    ];
    if request.get("executionRoleArn").is_some() {
        required.push(attribute("ecs.capability.execution-role-awslogs"));
        required.push(attribute("ecs.capability.execution-role-ecr-pull"));
    }
    let mut written = shape::with(
        request,
        [
            (
                "taskDefinitionArn",
                Some(shape::definition_arn(region, &definition.family, definition.revision).into()),
            ),
            ("revision", Some(definition.revision.into())),
            ("status", Some(if deregistered.is_some() { "INACTIVE" } else { "ACTIVE" }.into())),
            ("requiresAttributes", Some(required.into())),
            ("compatibilities", Some(if fargate { json!(["EC2", "FARGATE"]) } else { json!(["EC2"]) })),
            ("networkMode", Some(network.unwrap_or_else(|| "bridge".into()))),
            ("registeredAt", Some(shape::time(definition.registered_at))),
            ("registeredBy", Some(format!("arn:aws:iam::{ACCOUNT}:role/deployer").into())),
            ("deregisteredAt", deregistered.map(shape::time)),
        ],
    );
    if let Some(object) = written.as_object_mut() {
        object.remove("tags");
        for key in ["volumes", "placementConstraints"] {
            object.entry(key).or_insert_with(|| json!([]));
        }
    }
    written
}

pub fn register(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let family = input::text(input, "family")?.unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if family.is_empty() || family.len() > 255 || !family.chars().all(allowed) {
        return Err(ApiError::client("Family contains invalid characters."));
    }
    let containers =
        input.get("containerDefinitions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if containers.is_empty() {
        return Err(ApiError::client("Container list cannot be empty."));
    }
    for (place, container) in containers.iter().enumerate() {
        if containers.iter().take(place).any(|other| other.get("name") == container.get("name")) {
            return Err(ApiError::client("Container names must be unique within a task definition."));
        }
        if input::text(container, "name")?.unwrap_or_default().is_empty() {
            return Err(ApiError::client("Container.name should not be null or empty."));
        }
        if input::text(container, "image")?.unwrap_or_default().is_empty() {
            return Err(ApiError::client("Container.image should not be null or empty."));
        }
        let environment =
            container.get("environment").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let secrets =
            container.get("secrets").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let twice = environment
            .iter()
            .any(|variable| secrets.iter().any(|secret| variable.get("name") == secret.get("name")));
        if twice {
            return Err(ApiError::client(
                "The secret name must be unique and not shared with any new or existing environment variables set on the container.",
            ));
        }
    }
    if !containers.iter().any(|container| container.get("essential").and_then(Value::as_bool).unwrap_or(true))
    {
        return Err(ApiError::client("A task definition must have at least one essential container."));
    }
    let fargate = input::texts(input, "requiresCompatibilities")?.contains(&"FARGATE");
    if fargate {
        fits_fargate(input)?;
    }
    if fargate && input::text(input, "networkMode")? != Some("awsvpc") {
        return Err(ApiError::client("Fargate only supports network mode ‘awsvpc’."));
    }
    let registered = world.register(region, family, &completed(input));
    let tags = input.get("tags").filter(|tags| tags.is_array()).cloned().unwrap_or_else(|| json!([]));
    Ok(json!({ "taskDefinition": one(world, region, &registered), "tags": tags }))
}

/// Fargate has certain sizes only.
fn fits_fargate(input: &Value) -> Result<(), ApiError> {
    let size = |key: &str| -> Result<u32, ApiError> {
        let text = input::text(input, key)?.ok_or_else(|| {
            ApiError::client(format!("Fargate requires that '{key}' be defined at the task level."))
        })?;
        text.parse().map_err(|_| ApiError::client(format!("Invalid '{key}' setting for task.")))
    };
    let (cpu, memory) = (size("cpu")?, size("memory")?);
    let gib = memory / 1_024;
    let whole = memory.is_multiple_of(1_024);
    let fits = match cpu {
        256 => [512, 1_024, 2_048].contains(&memory),
        512 => whole && (1..=4).contains(&gib),
        1_024 => whole && (2..=8).contains(&gib),
        2_048 => whole && (4..=16).contains(&gib),
        4_096 => whole && (8..=30).contains(&gib),
        8_192 => whole && (16..=60).contains(&gib) && gib.is_multiple_of(4),
        16_384 => whole && (32..=120).contains(&gib) && gib.is_multiple_of(8),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(ApiError::client(format!(
        "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."
    )))
}

/// A request as AWS keeps it: without what AWS itself adds to answers, with what it fills in.
fn completed(input: &Value) -> Value {
    const ADDED: [&str; 8] = [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
    ];
    let mut kept = input.clone();
    if let Some(object) = kept.as_object_mut() {
        object.retain(|key, _| !ADDED.contains(&key.as_str()));
    }
    let containers = kept.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
        for list in ["portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"] {
            container.entry(list).or_insert_with(|| json!([]));
        }
        container.entry("cpu").or_insert_with(|| json!(0));
        container.entry("essential").or_insert_with(|| json!(true));
    }
    kept
}

pub fn deregister(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let identifier = input::text(input, "taskDefinition")?.unwrap_or_default();
    if !input::last_part(identifier).contains(':') {
        return Err(ApiError::client(
            "Missing revision; the family and revision (family:revision) are required.",
        ));
    }
    let (family, revision) = find(world, region, identifier)?;
    let now = world.now;
    if let Some(found) = world.regions.get_mut(region).and_then(|found| found.families.get_mut(&family)) {
        found.deregister(revision, now);
    }
    let definition = world
        .definition(region, &family, revision)
        .ok_or_else(|| ApiError::client("Unable to describe task definition."))?;
    Ok(json!({ "taskDefinition": one(world, region, &definition) }))
}
