//! Tasks, as lists and in full.
//!
//! Must not change them; `write` does.

use serde_json::{Value, json};

use super::{input, json as shape};
use crate::sim::reply::ApiError;
use crate::sim::stack::{ACCOUNT, Subnet};
use crate::sim::world::World;
use crate::sim::world::event::uuid;
use crate::sim::world::run::Run;
use crate::sim::world::service::{cluster_arn, id};
use crate::sim::world::task::{Health, Status, Task, TaskId};

pub fn list(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let cluster = input::cluster(world, region, input)?;
    let service = input::text(input, "serviceName")?;
    let family = input::text(input, "family")?;
    let started_by = input::text(input, "startedBy")?;
    let desired = input::choice(input, "desiredStatus", &["RUNNING", "PENDING", "STOPPED"])?;
    let launch = input::choice(input, "launchType", &["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"])?;
    if started_by.is_some() && (service.is_some() || family.is_some()) {
        return Err(ApiError::invalid_parameter("startedBy cannot be combined with other filters."));
    }
    let services: Vec<usize> = match service {
        Some(name) => vec![input::service(world, region, input, name)?],
        None => world
            .services
            .iter()
            .enumerate()
            .filter(|(_, found)| *found.region == *region && found.cluster == cluster.name)
            .map(|(index, _)| index)
            .collect(),
    };
    let members = services.iter().filter_map(|index| world.services.get(*index));
    let mut all: Vec<&TaskId> = members.flat_map(|service| &service.tasks).collect();
    if service.is_none() {
        let own = |run: &Run| *run.region == *region && run.cluster == cluster.name;
        all.extend(world.runs.iter().filter(|(_, run)| own(run)).map(|(id, _)| id));
    }
    let mut ids: Vec<TaskId> = Vec::new();
    for task in all.into_iter().filter_map(|id| world.tasks.get(id)) {
        let right_status = match desired {
            // No task ever wants to be PENDING, so that filter finds none.
            None | Some("RUNNING") => task.wanted,
            Some("STOPPED") => !task.wanted,
            _ => false,
        };
        let right_launch = launch.is_none_or(|wanted| wanted == "FARGATE" && task.provider.is_none());
        if right_status
            && right_launch
            && family.is_none_or(|family| *task.definition.0 == *family)
            && started_by.is_none_or(|by| self::started_by(world, task).as_deref() == Some(by))
        {
            ids.push(task.id);
        }
    }
    ids.sort();
    let arns = ids.into_iter().map(|id| arn(region, &cluster.name, id)).collect();
    let (arns, token) = input::page(arns, input, 100, 100)?;
    Ok(shape::paged("taskArns", arns, token))
}

pub fn describe(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let cluster = input::cluster(world, region, input)?;
    let wanted = input::texts(input, "tasks")?;
    if wanted.is_empty() {
        return Err(ApiError::invalid_parameter("Tasks cannot be empty."));
    }
    if wanted.len() > 100 {
        return Err(ApiError::invalid_parameter("Tasks cannot have more than 100 items."));
    }
    let with_tags = input::includes(input, "TAGS")?;
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for identifier in wanted {
        let found = find(world, region, &cluster.name, identifier);
        match found {
            Some(task) => tasks.push(one(world, task, with_tags)),
            None => {
                let last = input::last_part(identifier);
                failures.push(input::missing(format!(
                    "arn:aws:ecs:{region}:{}:task/{}/{last}",
                    ACCOUNT, cluster.name
                )));
            }
        }
    }
    Ok(json!({ "tasks": tasks, "failures": failures }))
}

/// A task of a cluster, by id or ARN.
pub fn find<'w>(world: &'w World, region: &str, cluster: &str, identifier: &str) -> Option<&'w Task> {
    let number = u128::from_str_radix(input::last_part(identifier), 16).ok()?;
    let task = world.tasks.get(&TaskId(number))?;
    let (own, home) = home(world, task)?;
    (own == region && home == cluster).then_some(task)
}

/// Region and cluster of a task.
fn home<'w>(world: &'w World, task: &Task) -> Option<(&'w str, &'w str)> {
    match task.service {
        Some(service) => world.services.get(service).map(|found| (&*found.region, &*found.cluster)),
        None => world.runs.get(&task.id).map(|run| (&*run.region, &*run.cluster)),
    }
}

fn started_by(world: &World, task: &Task) -> Option<String> {
    match task.service {
        Some(_) => Some(id(task.deployment)),
        None => world.runs.get(&task.id)?.started_by.clone(),
    }
}

/// A task's ARN.
pub fn arn(region: &str, cluster: &str, id: TaskId) -> String {
    format!("arn:aws:ecs:{region}:{ACCOUNT}:task/{cluster}/{id}")
}

/// What a task has of its service, or of the request that started it.
struct Whose<'w> {
    subnet: Option<&'w Subnet>,
    address: String,
    group: String,
    overrides: Value,
    tags: Value,
}

fn whose<'w>(world: &'w World, task: &Task, with_tags: bool) -> Option<Whose<'w>> {
    let mut found = match task.service {
        Some(service) => {
            let service = world.services.get(service)?;
            Whose {
                subnet: service.subnet(task),
                address: service.address(task),
                group: format!("service:{}", service.name),
                overrides: json!({ "containerOverrides": [], "inferenceAcceleratorOverrides": [] }),
                tags: shape::tags(&service.stack.tags, service.spec().map(|spec| &spec.tags)),
            }
        }
        None => {
            let run = world.runs.get(&task.id)?;
            Whose {
                subnet: run.placement.subnets.get(task.subnet),
                address: world.run_address(task),
                group: run.group.clone(),
                overrides: run.overrides.clone(),
                tags: run.tags.clone(),
            }
        }
    };
    if !with_tags {
        found.tags = json!([]);
    }
    Some(found)
}

/// A task in full.
pub fn one(world: &World, task: &Task, with_tags: bool) -> Value {
    let (Some((region, cluster)), Some(whose)) = (home(world, task), whose(world, task, with_tags)) else {
        return Value::Null;
    };
    let (family, revision) = &task.definition;
    let definition = world.definition(region, family, *revision);
    let (subnet, ip) = (whose.subnet, whose.address);
    let eni = uuid(task.id.0 as u64, 1);
    let attached = task.status > Status::Provisioning;
    let gone = task.status == Status::Stopped;
    let details: Vec<Value> = [
        ("subnetId", subnet.map(|subnet| subnet.id.clone()).unwrap_or_default()),
        ("networkInterfaceId", format!("eni-{:017x}", task.id.0 >> 60)),
        ("macAddress", mac(task.id)),
        ("privateDnsName", format!("ip-{}.{}.compute.internal", ip.replace('.', "-"), region)),
        ("privateIPv4Address", ip.clone()),
    ]
    .into_iter()
    .filter(|(name, _)| attached || *name == "subnetId")
    .map(|(name, value)| json!({ "name": name, "value": value }))
    .collect();
    let attachment = match (attached, gone) {
        (false, _) => "PRECREATED",
        (true, false) => "ATTACHED",
        (true, true) => "DELETED",
    };
    let written = json!({
        "attachments": [{ "id": eni, "type": "ElasticNetworkInterface", "status": attachment, "details": details }],
        "attributes": [{ "name": "ecs.cpu-architecture", "value": "x86_64" }],
        "availabilityZone": subnet.map_or_else(|| format!("{region}a"), |subnet| subnet.zone.clone()),
        "clusterArn": cluster_arn(region, cluster),
        "containers": containers(world, &arn(region, cluster, task.id), task, &eni, &ip),
        "cpu": definition.as_ref().map(|found| found.cpu.clone()).unwrap_or_default(),
        "memory": definition.as_ref().map(|found| found.memory.clone()).unwrap_or_default(),
        "createdAt": shape::time(task.created_at),
        "desiredStatus": if task.wanted { "RUNNING" } else { "STOPPED" },
        "enableExecuteCommand": task.exec,
        "group": whose.group,
        "healthStatus": health(task.health),
        "lastStatus": task.status.as_str(),
        "launchType": "FARGATE",
        "overrides": whose.overrides,
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "tags": whose.tags,
        "taskArn": arn(region, cluster, task.id),
        "taskDefinitionArn": shape::definition_arn(region, family, *revision),
        "version": task.version,
        "ephemeralStorage": { "sizeInGiB": 20 },
        "fargateEphemeralStorage": { "sizeInGiB": 20 },
    });
    let at = |instant: Option<crate::stdx::clock::Wall>| instant.map(shape::time);
    let connected = task.pull_started_at.filter(|_| !gone);
    shape::with(
        written,
        [
            ("startedBy", started_by(world, task).map(Value::from)),
            ("capacityProviderName", task.provider.as_deref().map(Value::from)),
            (
                "connectivity",
                task.pull_started_at.map(|_| if gone { "DISCONNECTED" } else { "CONNECTED" }.into()),
            ),
            (
                "connectivityAt",
                at(connected.or(task.execution_stopped_at.filter(|_| task.pull_started_at.is_some()))),
            ),
            ("pullStartedAt", at(task.pull_started_at)),
            ("pullStoppedAt", at(task.pull_stopped_at)),
            ("startedAt", at(task.started_at)),
            ("stoppingAt", at(task.stopping_at)),
            ("executionStoppedAt", at(task.execution_stopped_at)),
            ("stoppedAt", at(task.stopped_at)),
            ("stopCode", task.stop.as_ref().map(|stop| (*stop.code).into())),
            ("stoppedReason", task.stop.as_ref().map(|stop| stop.reason.clone().into())),
        ],
    )
}

fn containers(world: &World, task_arn: &str, task: &Task, eni: &str, ip: &str) -> Vec<Value> {
    let region = world.region_of(task).unwrap_or_else(|| "".into());
    let Some(definition) = world.definition(&region, &task.definition.0, task.definition.1) else {
        return Vec::new();
    };
    let images = world.task_images(task);
    let attached = task.status > Status::Provisioning;
    definition
        .containers
        .iter()
        .enumerate()
        .map(|(place, container)| {
            let image = images.as_ref().and_then(|images| images.get(place));
            let digest = image.and_then(|image| image.digest.as_deref());
            let number = place as u64;
            let culprit = task.stop.as_ref().and_then(|stop| stop.culprit.as_ref()).filter(|(culprit, ..)| *culprit == place);
            let status = match task.status {
                Status::Provisioning | Status::Pending | Status::Activating => "PENDING",
                Status::Running | Status::Deactivating | Status::Stopping => "RUNNING",
                Status::Deprovisioning | Status::Stopped => "STOPPED",
            };
            let interfaces = if attached { json!([{ "attachmentId": eni, "privateIpv4Address": ip }]) } else { json!([]) };
            let agent = |started: crate::stdx::clock::Wall| {
                let status = if status == "RUNNING" { "RUNNING" } else { "STOPPED" };
                json!([{ "name": "ExecuteCommandAgent", "lastStatus": status, "lastStartedAt": shape::time(started.plus(std::time::Duration::from_secs(2))) }])
            };
            let written = json!({
                "containerArn": format!(
                    "{}/{}",
                    task_arn.replacen(":task/", ":container/", 1), uuid(task.id.0 as u64, 100 + number)
                ),
                "taskArn": task_arn,
                "name": container.name,
                "image": container.image,
                "lastStatus": status,
                "networkBindings": [],
                "networkInterfaces": interfaces,
                "healthStatus": if container.health_check.is_some() { health(task.health) } else { "UNKNOWN" },
                "cpu": container.cpu.to_string(),
            });
            shape::with(
                written,
                [
                    ("imageDigest", digest.filter(|_| task.pull_stopped_at.is_some()).map(Value::from)),
                    ("runtimeId", task.pull_stopped_at.map(|_| format!("{}-{:010}", task.id, 265_927_825 + number * 7_919).into())),
                    ("exitCode", task.exit_code(place, digest).map(Value::from)),
                    ("reason", culprit.and_then(|(_, _, reason)| reason.clone()).map(Value::from)),
                    ("managedAgents", task.started_at.filter(|_| task.exec).map(agent)),
                    ("memory", container.memory.map(|memory| memory.to_string().into())),
                    ("memoryReservation", container.memory_reservation.map(|memory| memory.to_string().into())),
                ],
            )
        })
        .collect()
}

fn health(health: Health) -> &'static str {
    match health {
        Health::Unknown => "UNKNOWN",
        Health::Healthy => "HEALTHY",
        Health::Unhealthy => "UNHEALTHY",
    }
}

fn mac(id: TaskId) -> String {
    let [a, b, c, d, e, ..] = id.0.to_be_bytes();
    format!("0a:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}")
}
