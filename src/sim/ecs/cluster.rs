//! Clusters.
//!
//! Must not count what it can ask the world for: counts are those of the tasks that exist.

use serde_json::{Value, json};

use super::{input, json as shape};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::service::cluster_arn;
use crate::sim::world::task::TaskId;

pub fn list(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let clusters = world
        .regions
        .get(region)
        .map(|found| found.clusters.keys().map(|name| cluster_arn(region, name)).collect());
    let (arns, token) = input::page(clusters.unwrap_or_default(), input, 100, 100)?;
    Ok(shape::paged("clusterArns", arns, token))
}

pub fn describe(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let mut wanted = input::texts(input, "clusters")?;
    if wanted.is_empty() {
        wanted.push("default");
    }
    if wanted.len() > 100 {
        return Err(ApiError::invalid_parameter("Clusters cannot have more than 100 items."));
    }
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for identifier in wanted {
        let name = input::last_part(identifier);
        match world.regions.get(region).and_then(|found| found.clusters.get(name)) {
            None => failures.push(input::missing(cluster_arn(region, name))),
            Some(cluster) => clusters.push(one(world, region, cluster, input)?),
        }
    }
    Ok(json!({ "clusters": clusters, "failures": failures }))
}

fn one(
    world: &World,
    region: &str,
    cluster: &crate::sim::world::Cluster,
    input: &Value,
) -> Result<Value, ApiError> {
    let services = cluster.services.values().filter_map(|index| world.services.get(*index));
    let (mut active, mut running, mut pending) = (0, 0, 0);
    let alone = world.runs.iter().filter(|(_, run)| *run.region == *region && run.cluster == cluster.name);
    let mut tasks: Vec<&TaskId> = alone.map(|(id, _)| id).collect();
    for service in services {
        active += 1;
        tasks.extend(&service.tasks);
    }
    for task in tasks.into_iter().filter_map(|id| world.tasks.get(id)) {
        running += u32::from(task.is_running());
        pending += u32::from(task.is_pending());
    }
    let (stack, place) = &cluster.origin;
    let spec = stack.clusters.get(*place);
    let providers = spec.map(|spec| spec.capacity_providers.clone()).unwrap_or_default();
    let mut written = json!({
        "clusterArn": cluster_arn(region, &cluster.name),
        "clusterName": &*cluster.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": active,
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": providers,
        "defaultCapacityProviderStrategy": [],
    });
    let mut add = |key: &str, value: Value| {
        if let Some(object) = written.as_object_mut() {
            object.insert(key.to_owned(), value);
        }
    };
    if input::includes(input, "TAGS")? {
        add("tags", shape::tags(&stack.tags, spec.map(|spec| &spec.tags)));
    }
    if input::includes(input, "SETTINGS")? {
        let value = spec.map_or("disabled", |spec| spec.container_insights.as_str());
        add("settings", json!([{ "name": "containerInsights", "value": value }]));
    }
    if input::includes(input, "STATISTICS")? {
        let statistics = [
            ("runningEC2TasksCount", 0),
            ("runningFargateTasksCount", running),
            ("pendingEC2TasksCount", 0),
            ("pendingFargateTasksCount", pending),
            ("activeEC2ServiceCount", 0),
            ("activeFargateServiceCount", active),
            ("drainingEC2ServiceCount", 0),
            ("drainingFargateServiceCount", 0),
        ];
        add(
            "statistics",
            statistics
                .iter()
                .map(|(name, value)| json!({ "name": name, "value": value.to_string() }))
                .collect(),
        );
    }
    if input::includes(input, "CONFIGURATIONS")?
        && let Some(group) = spec.and_then(|spec| spec.exec_log_group.as_ref())
    {
        let logging = json!({ "cloudWatchLogGroupName": group, "cloudWatchEncryptionEnabled": false });
        add(
            "configuration",
            json!({ "executeCommandConfiguration": { "logging": "OVERRIDE", "logConfiguration": logging } }),
        );
    }
    Ok(written)
}
