//! From a call that somebody made to what CloudTrail keeps of it.
//!
//! Must not keep values of secrets, nor reads, nor whole answers: names and numbers tell what was done.

use hyper::http::request::Parts;
use serde_json::{Map, Value};

use crate::sim::cloudwatch::wire;
use crate::sim::reply::{ApiError, Reply};
use crate::sim::route::{Call, Protocol, form};
use crate::sim::stack::ACCOUNT;
use crate::sim::world::trail::{Actor, Deed};
use crate::stdx::clock::Wall;

/// How operations begin that change nothing.
const READS: [&str; 9] =
    ["Describe", "List", "Get", "BatchGet", "Lookup", "Filter", "StartLiveTail", "StartQuery", "StopQuery"];

/// Members whose values CloudTrail hides.
const HIDDEN: [&str; 4] = ["SecretString", "SecretBinary", "MasterUserPassword", "AuthToken"];

/// Whether an operation changes something.
#[must_use]
pub fn changes(operation: &str) -> bool {
    !READS.iter().any(|read| operation.starts_with(read))
}

/// What CloudTrail keeps of a call; `None` when it is a read.
#[must_use]
pub fn of_call(call: &Call, head: &Parts, at: Wall, result: &Result<Reply, ApiError>) -> Option<Deed> {
    if !changes(&call.operation) {
        return None;
    }
    let request = asked(call);
    let answer = match result {
        Ok(Reply::Json(answer)) => answer,
        _ => &Value::Null,
    };
    let response = brief(answer, 2);
    let by = Actor::Session { role: "Operator".to_owned(), session: "on-call".to_owned() };
    let source = call.service.as_str();
    let resources = resources(call, &request, answer);
    let agent = head.headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Some(Deed {
        resources,
        request: lower(&request),
        response: lower(&response),
        error: result.as_ref().err().map(|error| (error.code.clone(), error.message.clone())),
        address: "127.0.0.1".to_owned(),
        agent: agent.to_owned(),
        ..Deed::new(at, &call.region, source, &call.operation, by)
    })
}

/// What a call asks for, whatever its protocol, without values that nobody may keep.
#[must_use]
pub fn asked(call: &Call) -> Value {
    let mut request = match call.protocol {
        Protocol::Json => serde_json::from_slice(&call.body).unwrap_or(Value::Null),
        Protocol::Cbor => wire::read(call).map_or(Value::Null, |input| wire::to_json(&input)),
        Protocol::Query => Value::Object(
            form(&call.body)
                .into_iter()
                .filter(|(key, _)| key != "Action" && key != "Version")
                .map(|(key, value)| (key, Value::from(value)))
                .collect::<Map<_, _>>(),
        ),
    };
    let ssm = call.service == "ssm";
    for (key, value) in request.as_object_mut().into_iter().flatten() {
        if HIDDEN.contains(&key.as_str()) || (ssm && key == "Value") {
            *value = "HIDDEN_DUE_TO_SECURITY_REASONS".into();
        }
    }
    request
}

/// Texts and numbers of an answer, some levels deep: lists and what lies deeper are left out.
fn brief(value: &Value, depth: u32) -> Value {
    let Value::Object(object) = value else { return value.clone() };
    let kept = object.iter().filter(|(_, value)| match value {
        Value::Object(_) => depth > 1,
        Value::Array(_) => false,
        _ => true,
    });
    Value::Object(kept.map(|(key, value)| (key.clone(), brief(value, depth - 1))).collect())
}

/// Members begin in lower case in CloudTrail, whatever the service's own way.
fn lower(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, value)| {
                    let mut rest = key.chars();
                    let first = rest.next().map(|first| first.to_ascii_lowercase());
                    // ARN and the like become arn.
                    let name = if key.chars().all(|c| c.is_ascii_uppercase()) {
                        key.to_ascii_lowercase()
                    } else {
                        first.into_iter().chain(rest).collect()
                    };
                    (name, lower(value))
                })
                .collect(),
        ),
        Value::Array(items) => items.iter().map(lower).collect(),
        other => other.clone(),
    }
}

/// What the call was about, where its answer names it by ARN.
fn resources(call: &Call, request: &Value, answer: &Value) -> Vec<(String, String)> {
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let asked = |key: &str| request.get(key).and_then(Value::as_str).map(str::to_owned);
    let found = match call.service.as_str() {
        "ecs" => [
            ("AWS::ECS::Service", text("/service/serviceArn")),
            ("AWS::ECS::Task", text("/task/taskArn")),
            ("AWS::ECS::Task", text("/tasks/0/taskArn")),
            ("AWS::ECS::TaskDefinition", text("/taskDefinition/taskDefinitionArn")),
            ("AWS::ECS::ServiceDeployment", asked("serviceDeploymentArn")),
        ]
        .into_iter()
        .find_map(|(kind, name)| Some((kind, name?))),
        "secretsmanager" => {
            text("/ARN").or_else(|| asked("SecretId")).map(|name| ("AWS::SecretsManager::Secret", name))
        }
        "rds" => asked("DBInstanceIdentifier")
            .map(|name| ("AWS::RDS::DBInstance", name))
            .or_else(|| asked("DBClusterIdentifier").map(|name| ("AWS::RDS::DBCluster", name))),
        "elasticache" => asked("ReplicationGroupId").map(|name| ("AWS::ElastiCache::ReplicationGroup", name)),
        "ssm" => asked("Name").map(|name| {
            let slash = if name.starts_with('/') { "" } else { "/" };
            ("AWS::SSM::Parameter", format!("arn:aws:ssm:{}:{ACCOUNT}:parameter{slash}{name}", call.region))
        }),
        "logs" => asked("logGroupName").map(|name| ("AWS::Logs::LogGroup", name)),
        _ => None,
    };
    found.map(|(kind, name)| (kind.to_owned(), name)).into_iter().collect()
}
