//! Service deployments and service revisions: the history of the last 90 days.
//!
//! Must not keep anything; the world's records do.

use std::time::Duration;

use serde_json::{Value, json};

use super::{input, json as shape};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::service::{Pause, Record, Service};
use crate::stdx::clock::Wall;

const KEPT: Duration = Duration::from_secs(90 * 86_400);

const STATUSES: [&str; 9] = [
    "PENDING",
    "SUCCESSFUL",
    "STOPPED",
    "STOP_REQUESTED",
    "IN_PROGRESS",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
];

pub fn list(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let identifier = input::text(input, "service")?
        .ok_or_else(|| ApiError::invalid_parameter("Service cannot be empty."))?;
    let index = if input.get("cluster").is_none() && identifier.starts_with("arn:") {
        // An ARN names its cluster.
        let cluster = identifier.rsplit('/').nth(1).unwrap_or_default();
        input::service(world, region, &json!({ "cluster": cluster }), identifier)?
    } else {
        input::service(world, region, input, identifier)?
    };
    let statuses = input::texts(input, "status")?;
    if let Some(unknown) = statuses.iter().find(|status| !STATUSES.contains(status)) {
        return Err(ApiError::invalid_parameter(format!("Invalid status: {unknown}.")));
    }
    let bound = |key: &str| {
        input
            .get("createdAt")
            .and_then(|range| range.get(key))
            .and_then(Value::as_f64)
            .map(Wall::from_secs_f64)
    };
    let (before, after) = (bound("before"), bound("after"));
    let Some(service) = world.services.get(index) else { return Ok(json!({ "serviceDeployments": [] })) };
    let records = || {
        service
            .history
            .iter()
            .filter(|record| record.created_at.age_at(world.now) <= KEPT)
            .filter(|record| statuses.is_empty() || statuses.contains(&record.status))
            .filter(|record| {
                before.is_none_or(|before| record.created_at < before)
                    && after.is_none_or(|after| record.created_at > after)
            })
    };
    let (ids, token) = input::page(records().map(|record| record.id.clone()).collect(), input, 20, 100)?;
    let briefs: Vec<Value> =
        records().filter(|record| ids.contains(&record.id)).map(|record| brief(service, record)).collect();
    Ok(shape::with(json!({ "serviceDeployments": briefs }), [("nextToken", token.map(Value::from))]))
}

fn brief(service: &Service, record: &Record) -> Value {
    shape::with(
        json!({
            "serviceDeploymentArn": service.record_arn(record),
            "serviceArn": service.arn(),
            "clusterArn": service.cluster_arn(),
            "startedAt": shape::time(record.created_at),
            "createdAt": shape::time(record.created_at),
            "targetServiceRevisionArn": service.revision_arn(record.target),
            "status": record.status,
        }),
        [
            ("finishedAt", record.finished_at.map(shape::time)),
            ("statusReason", record.reason.clone().map(Value::from)),
        ],
    )
}

/// The service and the record that an ARN means.
fn find(world: &World, region: &str, arn: &str) -> Option<(usize, usize)> {
    let mut parts = arn.rsplit('/');
    let (id, name, cluster) = (parts.next()?, parts.next()?, parts.next()?);
    let index = world.find(region, cluster, name)?;
    let place = world.services.get(index)?.history.iter().position(|record| record.id == id)?;
    Some((index, place))
}

fn arns<'a>(input: &'a Value, key: &'static str, what: &str) -> Result<Vec<&'a str>, ApiError> {
    let wanted = input::texts(input, key)?;
    match wanted.len() {
        0 => Err(ApiError::invalid_parameter(format!("{what} cannot be empty."))),
        1..=20 => Ok(wanted),
        _ => Err(ApiError::invalid_parameter(format!("{what} cannot have more than 20 items."))),
    }
}

pub fn describe(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns(input, "serviceDeploymentArns", "Service deployment ARNs")? {
        let record = find(world, region, arn).and_then(|(index, place)| {
            world.services.get(index).and_then(|service| Some((service, service.history.get(place)?)))
        });
        match record {
            Some((service, record)) => found.push(full(world, service, record)),
            None => failures.push(input::missing(arn)),
        }
    }
    Ok(json!({ "serviceDeployments": found, "failures": failures }))
}

fn full(world: &World, service: &Service, record: &Record) -> Value {
    let summary = |number: u64, requested: u32| {
        let tasks = || {
            service.tasks.iter().filter_map(|id| world.tasks.get(id)).filter(|task| task.deployment == number)
        };
        let current = service.primary().is_some_and(|primary| primary.number == number);
        json!({
            "arn": service.revision_arn(number),
            "requestedTaskCount": if current { service.desired } else { requested },
            "runningTaskCount": tasks().filter(|task| task.is_running()).count(),
            "pendingTaskCount": tasks().filter(|task| task.is_pending()).count(),
        })
    };
    let limit = service.breaker.limit(record.requested);
    let breaker = match (service.breaker.enable, record.status) {
        (false, _) => "DISABLED",
        (true, _) if record.failures >= limit => "TRIGGERED",
        (true, "IN_PROGRESS" | "PENDING") => "MONITORING",
        _ => "MONITORING_COMPLETE",
    };
    let sources: Vec<Value> = record.sources.iter().map(|number| summary(*number, 0)).collect();
    let rollback = record.rollback.as_ref().map(|(reason, started, number)| {
        json!({ "reason": reason, "startedAt": shape::time(*started), "serviceRevisionArn": service.revision_arn(*number) })
    });
    shape::with(
        json!({
            "serviceDeploymentArn": service.record_arn(record),
            "serviceArn": service.arn(),
            "clusterArn": service.cluster_arn(),
            "createdAt": shape::time(record.created_at),
            "startedAt": shape::time(record.created_at),
            "updatedAt": shape::time(record.updated_at),
            "sourceServiceRevisions": sources,
            "targetServiceRevision": summary(record.target, record.requested),
            "status": record.status,
            "deploymentConfiguration": shape::deployment_configuration(service),
            "deploymentCircuitBreaker": { "status": breaker, "failureCount": record.failures, "threshold": limit },
            "alarms": { "status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": [] },
        }),
        [
            ("finishedAt", record.finished_at.map(shape::time)),
            ("stoppedAt", record.stopped_at.map(shape::time)),
            ("statusReason", record.reason.clone().map(Value::from)),
            (
                "lifecycleStage",
                (!record.is_over()).then(|| record.waits().map_or("SCALE_UP", |pause| pause.stage).into()),
            ),
            ("rollback", rollback),
            (
                "lifecycleHookDetails",
                (!record.pauses.is_empty()).then(|| record.pauses.iter().map(hook).collect()),
            ),
        ],
    )
}

fn hook(pause: &Pause) -> Value {
    json!({
        "hookId": pause.id,
        "targetType": "PAUSE",
        "status": pause.status,
        "expiresAt": shape::time(pause.expires_at),
        "timeoutAction": pause.action,
    })
}

pub fn revisions(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns(input, "serviceRevisionArns", "Service revision ARNs")? {
        let mut parts = arn.rsplit('/');
        let revision = parts.next().and_then(|number| number.parse::<u64>().ok()).and_then(|number| {
            let (name, cluster) = (parts.next()?, parts.next()?);
            let index = world.find(region, cluster, name)?;
            Some((index, number))
        });
        match revision.and_then(|(index, number)| one_revision(world, index, number)) {
            Some(written) => found.push(written),
            None => failures.push(input::missing(arn)),
        }
    }
    Ok(json!({ "serviceRevisions": found, "failures": failures }))
}

fn one_revision(world: &World, index: usize, number: u64) -> Option<Value> {
    let service = world.services.get(index)?;
    let revision = service.revision(number)?;
    let images: Vec<Value> = world
        .images(index, number)
        .iter()
        .flat_map(|images| images.iter())
        .map(|image| {
            let written = json!({ "containerName": image.container, "image": image.image });
            shape::with(written, [("imageDigest", image.digest.clone().map(Value::from))])
        })
        .collect();
    let resolved: Vec<Value> =
        service.targets().into_iter().map(|(arn, ..)| json!({ "targetGroupArn": arn })).collect();
    let written = json!({
        "serviceRevisionArn": service.revision_arn(number),
        "serviceArn": service.arn(),
        "clusterArn": service.cluster_arn(),
        "taskDefinition": shape::definition_arn(&service.region, &revision.definition.0, revision.definition.1),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "loadBalancers": shape::load_balancers(service),
        "networkConfiguration": shape::network(&revision.placement),
        "containerImages": images,
        "guardDutyEnabled": false,
        "createdAt": shape::time(revision.created_at),
        "resolvedConfiguration": { "loadBalancers": resolved },
    });
    Some(shape::with(written, shape::capacity(&revision.placement)))
}

pub fn stop(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let arn = input::text(input, "serviceDeploymentArn")?.unwrap_or_default().to_owned();
    let kind = input::choice(input, "stopType", &["ABORT", "ROLLBACK"])?.unwrap_or("ROLLBACK");
    if kind == "ABORT" {
        return Err(ApiError::new(400, "UnsupportedFeatureException", "ABORT is not supported."));
    }
    let (index, place) = find(world, region, &arn).ok_or_else(|| {
        ApiError::not_found("ServiceDeploymentNotFoundException", "Service deployment not found.")
    })?;
    let over =
        world.services.get(index).and_then(|service| service.history.get(place)).is_none_or(Record::is_over);
    if over {
        return Err(ApiError::new(
            400,
            "ConflictException",
            "The service deployment is already in a terminal state and cannot be stopped.",
        ));
    }
    // A second request while it rolls back already changes nothing.
    let already = world
        .services
        .get(index)
        .and_then(|service| service.history.get(place))
        .is_some_and(|record| record.rollback.is_some());
    if !already && !world.stop_deployment(index) {
        return Err(ApiError::new(
            400,
            "ConflictException",
            "There is no completed service deployment to roll back to.",
        ));
    }
    Ok(json!({ "serviceDeploymentArn": arn }))
}

/// What somebody decides about a deployment that waits at a PAUSE hook.
pub fn proceed(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let arn = input::text(input, "serviceDeploymentArn")?.unwrap_or_default().to_owned();
    let id = input::text(input, "hookId")?.unwrap_or_default();
    let onwards = input::choice(input, "action", &["CONTINUE", "ROLLBACK"])? != Some("ROLLBACK");
    let (index, place) = find(world, region, &arn).ok_or_else(|| {
        ApiError::not_found("ServiceDeploymentNotFoundException", "Service deployment not found.")
    })?;
    let record = world.services.get(index).and_then(|service| service.history.get(place));
    if record.and_then(Record::waits).is_none_or(|pause| pause.id != id) {
        return Err(ApiError::invalid_parameter(format!(
            "The service deployment is not waiting for an action at the lifecycle hook {id}."
        )));
    }
    if !onwards && world.services.get(index).is_some_and(|service| service.last_good.is_none()) {
        return Err(ApiError::client("There is no completed service deployment to roll back to."));
    }
    world.resume(index, if onwards { "SUCCEEDED" } else { "FAILED" }, onwards);
    Ok(json!({ "serviceDeploymentArn": arn }))
}
