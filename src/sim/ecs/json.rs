//! Pieces of answers that several operations share.
//!
//! Must not look anything up that it was not given.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::sim::stack::ACCOUNT;
use crate::sim::world::service::{Placement, Service, target_group_arn};
use crate::stdx::clock::Wall;

/// Seconds since the epoch with a fraction, as awsJson writes instants.
pub fn time(at: Wall) -> Value {
    json!(at.as_secs_f64())
}

/// Adds members that have a value.
pub fn with(mut object: Value, members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    if let Some(map) = object.as_object_mut() {
        for (key, value) in members {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        }
    }
    object
}

/// A list operation's answer.
pub fn paged(key: &str, items: Vec<String>, token: Option<String>) -> Value {
    let mut map = Map::new();
    map.insert(key.to_owned(), items.into());
    if let Some(token) = token {
        map.insert("nextToken".to_owned(), token.into());
    }
    Value::Object(map)
}

/// Tags of the whole stack, and those of the thing itself.
pub fn tags(stack: &BTreeMap<String, String>, own: Option<&BTreeMap<String, String>>) -> Value {
    let mut all = stack.clone();
    all.extend(own.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    all.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// A task definition's ARN.
pub fn definition_arn(region: &str, family: &str, revision: u32) -> String {
    format!("arn:aws:ecs:{region}:{ACCOUNT}:task-definition/{family}:{revision}")
}

/// `networkConfiguration`.
pub fn network(placement: &Placement) -> Value {
    let subnets: Vec<&str> = placement.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    let public = if placement.public_ip { "ENABLED" } else { "DISABLED" };
    json!({ "awsvpcConfiguration": {
        "subnets": subnets, "securityGroups": placement.groups, "assignPublicIp": public,
    } })
}

/// `loadBalancers`.
pub fn load_balancers(service: &Service) -> Value {
    service
        .spec()
        .into_iter()
        .flat_map(|spec| &spec.load_balancers)
        .map(|balancer| {
            json!({
                "targetGroupArn": target_group_arn(&service.region, &balancer.target_group),
                "containerName": balancer.container,
                "containerPort": balancer.port,
            })
        })
        .collect()
}

/// `launchType` or `capacityProviderStrategy`, whichever the service has.
pub fn capacity(placement: &Placement) -> [(&'static str, Option<Value>); 2] {
    let shares = &placement.capacity;
    if shares.is_empty() {
        let kind = placement.launch_type.as_deref().unwrap_or("FARGATE");
        return [("launchType", Some(kind.into())), ("capacityProviderStrategy", None)];
    }
    let strategy = shares
        .iter()
        .map(
            |share| json!({ "capacityProvider": share.provider, "weight": share.weight, "base": share.base }),
        )
        .collect();
    [("launchType", None), ("capacityProviderStrategy", Some(strategy))]
}

/// `deploymentConfiguration`.
pub fn deployment_configuration(service: &Service) -> Value {
    use crate::sim::world::service::Threshold;
    let (kind, value) = match service.breaker.threshold {
        Threshold::BoundedPercent(value) => ("BOUNDED_PERCENT", value),
        Threshold::UnboundedPercent(value) => ("UNBOUNDED_PERCENT", value),
        Threshold::Count(value) => ("COUNT", value),
    };
    let hooks: Vec<Value> = service
        .hooks
        .iter()
        .map(|hook| {
            json!({
                "targetType": "PAUSE",
                "lifecycleStages": [hook.stage],
                "timeoutConfiguration": { "timeoutInMinutes": hook.timeout.as_secs() / 60, "action": hook.action },
            })
        })
        .collect();
    let written = json!({
        "deploymentCircuitBreaker": {
            "enable": service.breaker.enable,
            "rollback": service.breaker.rollback,
            "resetOnHealthyTask": service.breaker.reset_on_healthy,
            "thresholdConfiguration": { "type": kind, "value": value },
        },
        "maximumPercent": service.max_percent,
        "minimumHealthyPercent": service.min_percent,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    });
    with(written, [("lifecycleHooks", (!hooks.is_empty()).then(|| hooks.into()))])
}
