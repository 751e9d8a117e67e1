//! Application Auto Scaling for ECS services: bounds, policies, what was done.
//!
//! Must not scale: `world::scaling` does.

use serde_json::{Value, json};

use crate::sim::ecs::input;
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::sim::world::alarm::tracking;
use crate::sim::world::metric::CUSTOM;
use crate::sim::world::metric::catalog::{is_custom, service_dimensions};
use crate::sim::world::scaling::uuid;
use crate::sim::world::service::Service;

const DIMENSION: &str = "ecs:service:DesiredCount";

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let played = matches!(
        operation,
        "DescribeScalableTargets"
            | "DescribeScalingPolicies"
            | "DescribeScalingActivities"
            | "RegisterScalableTarget"
    );
    if !played {
        let text = format!("The simulator does not play application-autoscaling:{operation}");
        return Err(ApiError::unknown_operation(text));
    }
    let namespace = input::text(input, "ServiceNamespace")?;
    let Some(namespace) = namespace else {
        return Err(invalid(
            "1 validation error detected: Value at 'serviceNamespace' failed to satisfy constraint: Member must not be null",
        ));
    };
    // Other namespaces have no targets here, which is an answer too.
    let ours = namespace == "ecs";
    match operation {
        "DescribeScalableTargets" => targets(world, region, input, ours),
        "DescribeScalingPolicies" => policies(world, region, input, ours),
        "DescribeScalingActivities" => activities(world, region, input, ours),
        _ => register(world, region, input, ours),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}

fn resource(service: &Service) -> String {
    format!("service/{}/{}", service.cluster, service.name)
}

/// The services of a region that have a target, in the order of their names, with those that `wanted` asks
/// for.
fn services(world: &World, region: &str, wanted: &[&str]) -> Vec<usize> {
    let mut found: Vec<(String, usize)> = world
        .services
        .iter()
        .enumerate()
        .filter(|(_, service)| *service.region == *region && service.active)
        .map(|(index, service)| (resource(service), index))
        .filter(|(id, index)| {
            (wanted.is_empty() || wanted.contains(&id.as_str())) && world.scaling_target(*index).is_some()
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, index)| index).collect()
}

/// One page of what was written, by an id that stands in each item.
fn page(items: Vec<Value>, id: &str, input: &Value, key: &str) -> Result<Value, ApiError> {
    let asked = json!({
        "maxResults": input.get("MaxResults").cloned().unwrap_or_default(),
        "nextToken": input.get("NextToken").cloned().unwrap_or_default(),
    });
    let ids = items.iter().filter_map(|item| item.get(id)?.as_str()).map(str::to_owned).collect();
    let (page, token) = input::page(ids, &asked, 50, 50).map_err(|error| match error.message.as_str() {
        "Invalid token." => ApiError::new(400, "InvalidNextTokenException", "The next token is invalid."),
        _ => invalid(error.message),
    })?;
    let kept: Vec<Value> = items
        .into_iter()
        .filter(|item| {
            item.get(id).and_then(Value::as_str).is_some_and(|own| page.iter().any(|id| id == own))
        })
        .collect();
    let mut answer = serde_json::Map::new();
    answer.insert(key.to_owned(), kept.into());
    if let Some(token) = token {
        answer.insert("NextToken".to_owned(), token.into());
    }
    Ok(answer.into())
}

fn target_arn(region: &str, id: &str) -> String {
    let digits = uuid(id).replace('-', "");
    let short = digits.get(..28).unwrap_or_default();
    format!("arn:aws:application-autoscaling:{region}:{ACCOUNT}:scalable-target/0ec5{short}")
}

fn targets(world: &World, region: &str, input: &Value, ours: bool) -> Result<Value, ApiError> {
    let wanted = input::texts(input, "ResourceIds")?;
    let found = if ours { services(world, region, &wanted) } else { Vec::new() };
    let written = found.into_iter().filter_map(|index| {
        let (service, target) = (world.services.get(index)?, world.scaling_target(index)?);
        let [scale_in, scale_out, scheduled] = target.suspended;
        Some(json!({
            "ServiceNamespace": "ecs",
            "ResourceId": resource(service),
            "ScalableDimension": DIMENSION,
            "MinCapacity": target.min,
            "MaxCapacity": target.max,
            "RoleARN": format!(
                "arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
            ),
            "CreationTime": target.created_at.as_secs_f64(),
            "SuspendedState": {
                "DynamicScalingInSuspended": scale_in,
                "DynamicScalingOutSuspended": scale_out,
                "ScheduledScalingSuspended": scheduled,
            },
            "ScalableTargetARN": target_arn(region, &resource(service)),
        }))
    });
    page(written.collect(), "ResourceId", input, "ScalableTargets")
}

fn policies(world: &World, region: &str, input: &Value, ours: bool) -> Result<Value, ApiError> {
    let names = input::texts(input, "PolicyNames")?;
    let wanted = input::text(input, "ResourceId")?;
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let found = if ours { services(world, region, &wanted) } else { Vec::new() };
    let written = found.into_iter().filter_map(|index| {
        let service = world.services.get(index)?;
        // A target without a policy is one that was registered by hand, or that nothing follows.
        let bounds = service.spec()?.autoscaling.as_ref()?;
        let target = bounds.target?;
        let name = tracking::policy_name(service);
        if !names.is_empty() && !names.contains(&name.as_str()) {
            return None;
        }
        let metric = if is_custom(&bounds.metric) {
            let dimensions = service_dimensions(service);
            let dimensions: Vec<Value> = dimensions
                .into_iter()
                .map(|(name, value)| json!({ "Name": name, "Value": value }))
                .collect();
            json!({ "CustomizedMetricSpecification": {
                "MetricName": bounds.metric,
                "Namespace": CUSTOM,
                "Dimensions": dimensions,
                "Statistic": "Average",
            } })
        } else {
            json!({ "PredefinedMetricSpecification": { "PredefinedMetricType": bounds.metric } })
        };
        let mut configuration = json!({
            "TargetValue": target,
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 300,
            "DisableScaleIn": false,
        });
        if let (Some(all), Some(metric)) = (configuration.as_object_mut(), metric.as_object()) {
            all.extend(metric.clone());
        }
        let alarms: Vec<Value> = tracking::names(service)
            .into_iter()
            .map(|name| {
                json!({ "AlarmName": name, "AlarmARN": format!("arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}") })
            })
            .collect();
        let id = resource(service);
        Some(json!({
            "PolicyARN": tracking::policy_arn(service),
            "PolicyName": name,
            "ServiceNamespace": "ecs",
            "ResourceId": id,
            "ScalableDimension": DIMENSION,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": configuration,
            "Alarms": alarms,
            "CreationTime": service.created_at.as_secs_f64(),
        }))
    });
    page(written.collect(), "PolicyARN", input, "ScalingPolicies")
}

fn activities(world: &World, region: &str, input: &Value, ours: bool) -> Result<Value, ApiError> {
    let wanted: Vec<&str> = input::text(input, "ResourceId")?.into_iter().collect();
    let found = if ours { services(world, region, &wanted) } else { Vec::new() };
    let mut written = Vec::new();
    for index in found {
        let Some(service) = world.services.get(index) else { continue };
        for (place, activity) in world.scaling_activities(index).into_iter().enumerate() {
            let id = resource(service);
            let end = activity.at.plus(std::time::Duration::from_secs(41));
            // The newest one is over when its tasks run.
            let fulfilled = place > 0 || world.running_at(index, world.now) == activity.to;
            let done = end <= world.now && fulfilled;
            let mut one = json!({
                "ActivityId": uuid(&format!("{id}/{}/{}", activity.at.0, activity.to)),
                "ServiceNamespace": "ecs",
                "ResourceId": id,
                "ScalableDimension": DIMENSION,
                "Description": format!("Setting desired count to {}.", activity.to),
                "Cause": activity.cause,
                "StartTime": activity.at.as_secs_f64(),
                "StatusCode": if done { "Successful" } else { "InProgress" },
                "StatusMessage": if done {
                    format!("Successfully set desired count to {}. Change successfully fulfilled by ecs.", activity.to)
                } else {
                    format!("Successfully set desired count to {}. Waiting for change to be fulfilled by ecs.", activity.to)
                },
            });
            if let Some(map) = one.as_object_mut().filter(|_| done) {
                map.insert("EndTime".to_owned(), end.as_secs_f64().into());
            }
            written.push((activity.at, one));
        }
    }
    written.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    page(written.into_iter().map(|(_, one)| one).collect(), "ActivityId", input, "ScalingActivities")
}

fn register(world: &mut World, region: &str, input: &Value, ours: bool) -> Result<Value, ApiError> {
    let id = input::text(input, "ResourceId")?.unwrap_or_default();
    let dimension = input::text(input, "ScalableDimension")?.unwrap_or_default();
    if !ours || dimension != DIMENSION {
        return Err(invalid(format!("The simulator plays {DIMENSION} of namespace ecs only.")));
    }
    let mut parts = id.split('/');
    let index = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("service"), Some(cluster), Some(name), None) => world.find(region, cluster, name),
        _ => {
            return Err(invalid(format!(
                "Unsupported service namespace, resource type or scalable dimension: {id}"
            )));
        }
    };
    let index = index.ok_or_else(|| invalid(format!("ECS service doesn't exist: {id}")))?;
    let bound = |key: &str| -> Result<Option<u32>, ApiError> {
        let number = input::number(input, key)?;
        number
            .map(|number| u32::try_from(number).map_err(|_| invalid(format!("{key} must not be negative"))))
            .transpose()
    };
    let (min, max) = (bound("MinCapacity")?, bound("MaxCapacity")?);
    let known = world.scaling_target(index);
    let least = min.or(known.as_ref().map(|target| target.min));
    let most = max.or(known.as_ref().map(|target| target.max));
    let (Some(least), Some(most)) = (least, most) else {
        return Err(invalid("MinCapacity and MaxCapacity are required to register a new scalable target."));
    };
    if least > most {
        return Err(invalid("Maximum capacity cannot be less than minimum capacity."));
    }
    let suspended = match input.get("SuspendedState").filter(|state| state.is_object()) {
        None => None,
        Some(state) => {
            let mut own = known.map_or([false; 3], |target| target.suspended);
            let keys =
                ["DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"];
            for (flag, key) in own.iter_mut().zip(keys) {
                *flag = input::flag(state, key)?.unwrap_or(*flag);
            }
            Some(own)
        }
    };
    let _ = world.register_target(index, min, max, suspended);
    Ok(json!({ "ScalableTargetARN": target_arn(region, id) }))
}

#[cfg(test)]
mod tests;
