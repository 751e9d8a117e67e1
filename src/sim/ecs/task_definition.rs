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
    let tags = input::includes(input, "TAGS")?.then(|| json!([]));
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
    for container in containers {
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
    if fargate && (input::text(input, "cpu")?.is_none() || input::text(input, "memory")?.is_none()) {
        return Err(ApiError::client("Fargate requires that 'cpu' be defined at the task level."));
    }
    if fargate && input::text(input, "networkMode")? != Some("awsvpc") {
        return Err(ApiError::client("Fargate only supports network mode ‘awsvpc’."));
    }
    let registered = world.register(region, family, input);
    let tags = input.get("tags").cloned().unwrap_or_else(|| json!([]));
    Ok(json!({ "taskDefinition": one(world, region, &registered), "tags": tags }))
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
