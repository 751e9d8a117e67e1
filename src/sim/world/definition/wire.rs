//! A task definition as RegisterTaskDefinition takes it: the form in which clients read it back, too.
//!
//! Must not add what AWS adds (ARN, status, compatibilities); `ecs::task_definition` does.

use serde_json::{Map, Value, json};

use super::{Source, TaskDefinition};
use crate::sim::stack::{ACCOUNT, Container, Revision, Stack};

/// The request that would register this revision again.
#[must_use]
pub fn request(definition: &TaskDefinition) -> Value {
    match &definition.source {
        Source::Request(request) => (**request).clone(),
        Source::Stack(stack, revision) => from_stack(stack, &definition.family, revision),
    }
}

fn from_stack(stack: &Stack, family: &str, revision: &Revision) -> Value {
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let mut request = json!({
        "family": family,
        "executionRoleArn": role(&revision.execution_role),
        "networkMode": "awsvpc",
        "containerDefinitions": revision.containers.iter().map(|found| container(stack, found)).collect::<Vec<_>>(),
        "requiresCompatibilities": ["FARGATE"],
        "cpu": revision.cpu.to_string(),
        "memory": revision.memory.to_string(),
        "runtimePlatform": { "cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX" },
    });
    if let (Some(name), Some(object)) = (&revision.task_role, request.as_object_mut()) {
        object.insert("taskRoleArn".to_owned(), role(name).into());
    }
    request
}

fn container(stack: &Stack, found: &Container) -> Value {
    let pairs = |map: &std::collections::BTreeMap<String, String>| -> Vec<Value> {
        map.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let secrets: Vec<Value> = found
        .secrets
        .iter()
        .map(|(name, reference)| json!({ "name": name, "valueFrom": stack.value_from(reference) }))
        .collect();
    let ports: Vec<Value> = found
        .ports
        .iter()
        .map(|port| json!({ "containerPort": port, "hostPort": port, "protocol": "tcp" }))
        .collect();
    let mut written = json!({
        "name": found.name,
        "image": stack.image(found),
        "cpu": found.cpu.unwrap_or(0),
        "portMappings": ports,
        "essential": found.essential,
        "environment": pairs(&found.environment),
        "mountPoints": [],
        "volumesFrom": [],
        "secrets": secrets,
        "readonlyRootFilesystem": found.readonly_root,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": found.log.group,
                "awslogs-region": stack.region,
                "awslogs-stream-prefix": found.log.prefix,
            },
            "secretOptions": [],
        },
        "systemControls": [],
    });
    let mut optional = Map::new();
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            optional.insert(key.to_owned(), value);
        }
    };
    add("memory", found.memory.map(Value::from));
    add("memoryReservation", found.memory_reservation.map(Value::from));
    add("user", found.user.clone().map(Value::from));
    add("stopTimeout", found.stop_timeout.map(Value::from));
    add("entryPoint", (!found.entry_point.is_empty()).then(|| json!(found.entry_point)));
    add("command", (!found.command.is_empty()).then(|| json!(found.command)));
    add(
        "ulimits",
        found.open_files.map(|limit| json!([{ "name": "nofile", "softLimit": limit, "hardLimit": limit }])),
    );
    let waits: Vec<Value> = found
        .depends_on
        .iter()
        .map(|other| json!({ "containerName": other.container, "condition": other.condition }))
        .collect();
    add("dependsOn", (!waits.is_empty()).then_some(Value::from(waits)));
    add(
        "healthCheck",
        found.health_check.as_ref().map(|check| {
            let mut written =
                json!({ "command": check.command, "interval": check.interval, "timeout": check.timeout, "retries": check.retries });
            if let (Some(start), Some(object)) = (check.start_period, written.as_object_mut()) {
                object.insert("startPeriod".to_owned(), start.into());
            }
            written
        }),
    );
    if let Some(object) = written.as_object_mut() {
        object.append(&mut optional);
    }
    written
}
