//! What the schema alone cannot say: that names refer to something and numbers are possible on Fargate.
//!
//! Must not repair anything: a stack file with a slip is refused, with the place and the remedy.

use std::collections::BTreeSet;

use super::{Container, Incident, IncidentKind, LoadBalancer, Secret, Service, Stack, TaskDefinition};

mod alarm;

/// Place and problem.
pub(super) type Fault = (String, String);

/// The first fault found.
pub(super) fn check(stack: &Stack) -> Result<(), Fault> {
    unique("clusters", stack.clusters.iter().map(|c| c.name.as_str()))?;
    unique("services", stack.services.iter().map(|s| s.name.as_str()))?;
    unique("task_definitions", stack.task_definitions.iter().map(|t| t.family.as_str()))?;
    unique("log_groups", stack.log_groups.iter().map(|g| g.name.as_str()))?;
    unique("secrets", stack.secrets.iter().map(|s| s.name.as_str()))?;
    unique("parameters", stack.parameters.iter().map(|p| p.name.as_str()))?;
    for cluster in &stack.clusters {
        if let Some(group) = &cluster.exec_log_group {
            log_group(stack, group, &format!("clusters.{}.exec_log_group", cluster.name))?;
        }
    }
    for definition in &stack.task_definitions {
        task_definition(stack, definition)?;
    }
    for service in &stack.services {
        self::service(stack, service)?;
    }
    for secret in &stack.secrets {
        self::secret(secret)?;
    }
    unique("alarms", stack.alarms.iter().map(|a| a.name.as_str()))?;
    for alarm in &stack.alarms {
        alarm::check(stack, alarm)?;
    }
    for (at, incident) in stack.timeline.iter().enumerate() {
        let place = format!("timeline.{at}");
        if incident.at.millis < 0 {
            let problem = "a stack's time line begins at the start; what happened before stands in its past";
            return Err((format!("{place}.at"), problem.to_owned()));
        }
        self::incident(stack, &place, incident)?;
    }
    Ok(())
}

/// What an incident needs beside its kind, and that what it names exists.
pub(super) fn incident(stack: &Stack, place: &str, incident: &Incident) -> Result<(), Fault> {
    use IncidentKind as Kind;
    let target = incident.target.as_deref();
    let missing = |kind: &str, name: &str| Err(unknown(&format!("{place}.target"), kind, name));
    match (incident.kind, target) {
        (Kind::Fault, _) => {
            let Some(rule) = &incident.rule else {
                return Err((place.to_owned(), "an incident of this kind needs `rule`".to_owned()));
            };
            return match rule.parse::<crate::sim::fault::Rule>() {
                Ok(_) => Ok(()),
                Err(error) => Err((format!("{place}.rule"), error.to_string())),
            };
        }
        (
            Kind::SecretKeys
            | Kind::SecretDeleted
            | Kind::Rotation
            | Kind::RotationStuck
            | Kind::LogGroupDeleted
            | Kind::RoleDeleted
            | Kind::DatabaseStorageFull
            | Kind::DatabaseConnectionsExhausted
            | Kind::DatabaseSlowQueries
            | Kind::DatabaseFailover
            | Kind::CacheMemoryFull
            | Kind::CacheBusy
            | Kind::CacheFailover
            | Kind::Recovers,
            None,
        ) => return Err((place.to_owned(), "an incident of this kind needs `target`".to_owned())),
        (Kind::SecretKeys | Kind::SecretDeleted | Kind::Rotation | Kind::RotationStuck, Some(name)) => {
            let Some(secret) = stack.secrets.iter().find(|secret| secret.name == name) else {
                return missing("secret", name);
            };
            if matches!(incident.kind, Kind::Rotation | Kind::RotationStuck) && secret.rotation.is_none() {
                return Err((format!("{place}.target"), format!("`{name}` does not rotate")));
            }
            if incident.kind == Kind::RotationStuck
                && !incident.step.as_deref().is_some_and(|step| ROTATION_STEPS.contains(&step))
            {
                let problem =
                    format!("an incident of this kind needs `step`, one of {}", ROTATION_STEPS.join(", "));
                return Err((place.to_owned(), problem));
            }
            return Ok(());
        }
        (Kind::LogGroupDeleted, Some(name)) => return log_group(stack, name, &format!("{place}.target")),
        (Kind::RoleDeleted, Some(name)) => {
            let known = stack.task_definitions.iter().any(|definition| {
                definition.execution_role == name || definition.task_role.as_deref() == Some(name)
            });
            return if known { Ok(()) } else { missing("role", name) };
        }
        (Kind::DatabaseSlowQueries, Some(_)) if incident.factor.is_none_or(|factor| factor < 1.0) => {
            return Err((place.to_owned(), "an incident of this kind needs `factor` (1 or more)".to_owned()));
        }
        (
            Kind::DatabaseStorageFull
            | Kind::DatabaseConnectionsExhausted
            | Kind::DatabaseSlowQueries
            | Kind::DatabaseFailover,
            Some(name),
        ) => {
            let Some(database) = stack.databases.iter().find(|database| database.name == name) else {
                return missing("database", name);
            };
            let alone = incident.kind == Kind::DatabaseFailover && database.secondary_zone.is_none();
            let problem = format!("`{name}` has no standby");
            return if alone { Err((format!("{place}.target"), problem)) } else { Ok(()) };
        }
        (Kind::CacheBusy, Some(_)) if incident.factor.is_none_or(|factor| factor < 1.0) => {
            return Err((place.to_owned(), "an incident of this kind needs `factor` (1 or more)".to_owned()));
        }
        (Kind::CacheMemoryFull | Kind::CacheBusy | Kind::CacheFailover, Some(name)) => {
            let Some(cache) = stack.caches.iter().find(|cache| cache.name == name) else {
                return missing("cache", name);
            };
            let alone = incident.kind == Kind::CacheFailover && cache.members().count() < 2;
            let problem = format!("`{name}` has no replica");
            return if alone { Err((format!("{place}.target"), problem)) } else { Ok(()) };
        }
        (Kind::Recovers, Some(name)) => {
            let database = stack.databases.iter().any(|database| database.name == name);
            let cache = stack.caches.iter().any(|cache| cache.name == name);
            return if database || cache { Ok(()) } else { missing("database or cache", name) };
        }
        _ => {}
    }
    let Some(service) = stack.service(&incident.service) else {
        return Err(unknown(&format!("{place}.service"), "service", &incident.service));
    };
    let family = stack.family(&service.task_definition);
    if let (Some(name), Some(family)) = (&incident.container, family)
        && !family.containers.iter().any(|c| &c.name == name)
    {
        return Err(unknown(&format!("{place}.container"), "container", name));
    }
    let needs = match incident.kind {
        Kind::Crash | Kind::BadDeploy if incident.exit_code.is_none() => "exit_code",
        Kind::Deploy | Kind::BadDeploy | Kind::MissingImage | Kind::UnhealthyDeploy
            if incident.build.is_none() =>
        {
            "build"
        }
        Kind::UnhealthyDeploy if incident.status.is_none() => "status",
        Kind::OutOfMemory if incident.after.is_none() => "after",
        Kind::ErrorBurst if incident.text.is_none() => "text",
        Kind::ErrorBurst if incident.rate.is_none_or(|rate| rate <= 0.0) => "rate (above 0)",
        Kind::TrafficSpike if incident.load.or(incident.factor).is_none_or(|f| f < 1.0) => {
            "factor` or `load` (1 or more)"
        }
        Kind::ErrorBurst | Kind::TrafficSpike if incident.lasts.is_none() => "lasts",
        Kind::Scale if incident.count.is_none() => "count",
        Kind::SpotReclaim if !service.capacity.iter().any(|c| c.provider == "FARGATE_SPOT") => {
            return Err((place.to_owned(), format!("`{}` runs no Spot tasks", service.name)));
        }
        _ => return Ok(()),
    };
    Err((place.to_owned(), format!("an incident of this kind needs `{needs}`").replace(")`", ")")))
}

/// The steps that a rotation function is asked for, in their order.
pub(super) const ROTATION_STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

fn secret(secret: &Secret) -> Result<(), Fault> {
    let place = format!("secrets.{}", secret.name);
    if secret.suffix.as_ref().is_some_and(|suffix| suffix.len() != 6) {
        return Err((format!("{place}.suffix"), "AWS appends six characters".to_owned()));
    }
    if secret.changed.is_some_and(|changed| changed > secret.age) {
        return Err((format!("{place}.changed"), "it cannot have changed before it was created".to_owned()));
    }
    if let Some(rotation) = &secret.rotation {
        if rotation.days == 0 || rotation.days > 1000 {
            return Err((format!("{place}.rotation.days"), "AWS takes 1 to 1000 days".to_owned()));
        }
        if rotation.lambda.is_none() && secret.owning_service.is_none() {
            let problem = "only what a service manages rotates without a Lambda function";
            return Err((format!("{place}.rotation"), problem.to_owned()));
        }
    }
    let currents = secret.versions.iter().flat_map(|version| &version.stages);
    if !secret.versions.is_empty() && currents.filter(|stage| *stage == "AWSCURRENT").count() != 1 {
        return Err((format!("{place}.versions"), "exactly one version is AWSCURRENT".to_owned()));
    }
    Ok(())
}

pub(super) fn unique<'a>(place: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err((place.to_owned(), format!("`{name}` stands there twice")));
        }
    }
    Ok(())
}

pub(super) fn unknown(place: &str, kind: &str, name: &str) -> Fault {
    (place.to_owned(), format!("there is no {kind} `{name}` in this stack"))
}

fn log_group(stack: &Stack, name: &str, place: &str) -> Result<(), Fault> {
    if stack.log_groups.iter().any(|group| group.name == name) {
        return Ok(());
    }
    Err(unknown(place, "log group", name))
}

/// CPU units and the memory that Fargate allows with them, in MiB: from, to, step.
const FARGATE: [(u32, u32, u32, u32); 6] = [
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];

fn size(cpu: u32, memory: u32, place: &str) -> Result<(), Fault> {
    let possible = if cpu == 256 {
        [512, 1_024, 2_048].contains(&memory)
    } else {
        FARGATE.iter().any(|&(units, from, to, step)| {
            units == cpu && (from..=to).contains(&memory) && (memory - from).is_multiple_of(step)
        })
    };
    if possible {
        return Ok(());
    }
    Err((place.to_owned(), format!("Fargate has no size of {cpu} CPU units with {memory} MiB")))
}

fn task_definition(stack: &Stack, definition: &TaskDefinition) -> Result<(), Fault> {
    let place = format!("task_definitions.{}", definition.family);
    unique(&format!("{place}.containers"), definition.containers.iter().map(|c| c.name.as_str()))?;
    if definition.containers.is_empty() {
        return Err((place, "a task definition needs a container".to_owned()));
    }
    let mut ports = BTreeSet::new();
    for container in &definition.containers {
        let place = format!("{place}.containers.{}", container.name);
        for port in &container.ports {
            if !ports.insert(port) {
                let problem = format!("port {port} is taken by another container of the task");
                return Err((format!("{place}.ports"), problem));
            }
        }
        self::container(stack, definition, container, &place)?;
    }
    let mut newer = definition.revision;
    for past in &definition.past {
        let place = format!("{place}.past.{}", past.revision);
        if past.revision == 0 || past.revision >= newer {
            return Err((place, "earlier revisions stand newest first, numbered from 1".to_owned()));
        }
        newer = past.revision;
        for change in &past.containers {
            if !definition.containers.iter().any(|c| c.name == change.name) {
                return Err(unknown(&place, "container", &change.name));
            }
        }
    }
    for revision in definition.revisions() {
        size(revision.cpu, revision.memory, &format!("{place} revision {}", revision.number))?;
    }
    Ok(())
}

fn container(stack: &Stack, family: &TaskDefinition, it: &Container, place: &str) -> Result<(), Fault> {
    log_group(stack, &it.log.group, &format!("{place}.log.group"))?;
    for needed in &it.depends_on {
        if !family.containers.iter().any(|c| c.name == needed.container) {
            return Err(unknown(&format!("{place}.depends_on"), "container", &needed.container));
        }
        if !["START", "HEALTHY", "COMPLETE", "SUCCESS"].contains(&needed.condition.as_str()) {
            let problem = format!("`{}` is none of START, HEALTHY, COMPLETE, SUCCESS", needed.condition);
            return Err((format!("{place}.depends_on"), problem));
        }
    }
    for (variable, reference) in &it.secrets {
        let place = format!("{place}.secrets.{variable}");
        if let Some(parameter) = reference.strip_prefix("ssm:") {
            if !stack.parameters.iter().any(|known| known.name == parameter) {
                return Err(unknown(&place, "parameter", parameter));
            }
            continue;
        }
        let (name, key) = reference.split_once(':').map_or((reference.as_str(), None), |(n, k)| (n, Some(k)));
        let Some(secret) = stack.secrets.iter().find(|secret| secret.name == name) else {
            return Err(unknown(&place, "secret", name));
        };
        if let Some(key) = key
            && !secret.keys.iter().any(|known| known == key)
        {
            return Err((place, format!("the secret `{name}` has no key `{key}`")));
        }
    }
    if let Some(other) = &it.log.follows
        && !family.containers.iter().any(|c| &c.name == other)
    {
        return Err(unknown(&format!("{place}.log.follows"), "container", other));
    }
    let log = &it.log;
    if log.requests > 0.0 && log.routes.is_empty() {
        return Err((format!("{place}.log.routes"), "requests need routes".to_owned()));
    }
    let numbers = [log.requests, log.rate, log.failures];
    if numbers.iter().any(|number| !number.is_finite() || *number < 0.0) {
        return Err((format!("{place}.log"), "rates and shares are numbers from 0 on".to_owned()));
    }
    if log.rate > 0.0 && log.info.is_empty() {
        return Err((format!("{place}.log.info"), "a rate needs texts at level info".to_owned()));
    }
    Ok(())
}

fn service(stack: &Stack, service: &Service) -> Result<(), Fault> {
    let place = format!("services.{}", service.name);
    if !stack.clusters.iter().any(|cluster| cluster.name == service.cluster) {
        return Err(unknown(&format!("{place}.cluster"), "cluster", &service.cluster));
    }
    let Some(family) = stack.family(&service.task_definition) else {
        return Err(unknown(&format!("{place}.task_definition"), "family", &service.task_definition));
    };
    if service.launch_type.is_some() && !service.capacity.is_empty() {
        return Err((place, "`launch_type` and `capacity` exclude each other".to_owned()));
    }
    for name in &service.subnets {
        if !stack.network.subnets.iter().any(|subnet| &subnet.name == name) {
            return Err(unknown(&format!("{place}.subnets"), "subnet", name));
        }
    }
    for name in &service.security_groups {
        if !stack.network.security_groups.iter().any(|group| &group.name == name) {
            return Err(unknown(&format!("{place}.security_groups"), "security group", name));
        }
    }
    for balancer in &service.load_balancers {
        load_balancer(family, balancer, &format!("{place}.load_balancers.{}", balancer.target_group))?;
    }
    if let Some(bounds) = &service.autoscaling
        && bounds.min > bounds.max
    {
        return Err((format!("{place}.autoscaling"), "`min` is above `max`".to_owned()));
    }
    let revisions: Vec<u32> = family.revisions().iter().map(|revision| revision.number).collect();
    let mut newer = None;
    for (at, deployment) in service.deployments.iter().enumerate() {
        let place = format!("{place}.deployments.{at}");
        if !revisions.contains(&deployment.revision) {
            return Err(unknown(&place, "revision", &deployment.revision.to_string()));
        }
        if newer.is_some_and(|newer| newer >= deployment.age) {
            return Err((place, "deployments stand newest first".to_owned()));
        }
        newer = Some(deployment.age);
    }
    if service.running().is_none() {
        return Err((format!("{place}.deployments"), "at least one must be successful".to_owned()));
    }
    Ok(())
}

fn load_balancer(family: &TaskDefinition, balancer: &LoadBalancer, place: &str) -> Result<(), Fault> {
    let Some(container) = family.containers.iter().find(|c| c.name == balancer.container) else {
        return Err(unknown(&format!("{place}.container"), "container", &balancer.container));
    };
    if container.ports.contains(&balancer.port) {
        return Ok(());
    }
    let problem = format!("container `{}` does not listen on port {}", container.name, balancer.port);
    Err((format!("{place}.port"), problem))
}
