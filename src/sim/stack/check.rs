//! What the schema alone cannot say: that names refer to something and numbers are possible on Fargate.
//!
//! Must not repair anything: a stack file with a slip is refused, with the place and the remedy.

use std::collections::BTreeSet;

use super::{Container, IncidentKind, LoadBalancer, Service, Stack, TaskDefinition};

mod alarm;

/// Place and problem.
type Fault = (String, String);

/// The first fault found.
pub(super) fn check(stack: &Stack) -> Result<(), Fault> {
    unique("clusters", stack.clusters.iter().map(|c| c.name.as_str()))?;
    unique("services", stack.services.iter().map(|s| s.name.as_str()))?;
    unique("task_definitions", stack.task_definitions.iter().map(|t| t.family.as_str()))?;
    unique("log_groups", stack.log_groups.iter().map(|g| g.name.as_str()))?;
    unique("secrets", stack.secrets.iter().map(|s| s.name.as_str()))?;
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
    unique("alarms", stack.alarms.iter().map(|a| a.name.as_str()))?;
    for alarm in &stack.alarms {
        alarm::check(stack, alarm)?;
    }
    for (at, incident) in stack.timeline.iter().enumerate() {
        let place = format!("timeline.{at}");
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
            IncidentKind::Crash | IncidentKind::BadDeploy if incident.exit_code.is_none() => "exit_code",
            IncidentKind::Deploy | IncidentKind::BadDeploy if incident.build.is_none() => "build",
            IncidentKind::ErrorBurst if incident.text.is_none() => "text",
            IncidentKind::ErrorBurst if incident.rate.is_none_or(|rate| rate <= 0.0) => "rate (above 0)",
            IncidentKind::TrafficSpike if incident.factor.is_none_or(|f| f < 1.0) => "factor (1 or more)",
            IncidentKind::ErrorBurst | IncidentKind::TrafficSpike if incident.lasts.is_none() => "lasts",
            IncidentKind::Scale if incident.count.is_none() => "count",
            IncidentKind::SpotReclaim if !service.capacity.iter().any(|c| c.provider == "FARGATE_SPOT") => {
                return Err((place, format!("`{}` runs no Spot tasks", service.name)));
            }
            _ => continue,
        };
        return Err((place, format!("an incident of this kind needs `{needs}`")));
    }
    Ok(())
}

fn unique<'a>(place: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err((place.to_owned(), format!("`{name}` stands there twice")));
        }
    }
    Ok(())
}

fn unknown(place: &str, kind: &str, name: &str) -> Fault {
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
        let name = reference.split(':').next().unwrap_or_default();
        if name != "ssm" && !stack.secrets.iter().any(|secret| secret.name == name) {
            return Err(unknown(&format!("{place}.secrets.{variable}"), "secret", name));
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
