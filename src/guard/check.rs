//! The checks that several actions share: each passes, warns, blocks, or says that it could not be verified.
//!
//! Must not take what a look does not show for well.

use super::facts::Facts;
use crate::domain::alarm::AlarmState;
use crate::domain::ecs::Service;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::plan::{Check, Finding};
use crate::domain::query::{Answer, Query};
use crate::domain::registry::{EcrImage, ImageName, RegistryImage};
use crate::domain::scope::Scope;
use crate::domain::task_definition::TaskDefinition;

/// The deployment controller: only ECS's own is told what to do.
pub(super) fn controller(service: &Service) -> Check {
    let name = "deployment controller";
    match service.controller.as_deref() {
        None => Check::new(name, Finding::NotVerified, "ECS does not say which controller deploys"),
        Some("ECS") => Check::new(name, Finding::Pass, "ECS deploys this service"),
        Some(other) => {
            let why = format!("{other} deploys this service: ECS refuses a deployment, use {other}");
            Check::new(name, Finding::Block, why)
        }
    }
}

/// Whether the service can be changed at all.
pub(super) fn status(service: &Service) -> Check {
    let finding = if service.status == "ACTIVE" { Finding::Pass } else { Finding::Block };
    Check::new("service status", finding, format!("the service is {}", service.status))
}

/// Whether a deployment is in progress that a new one would replace.
pub(super) fn under_way(service: &Service) -> Check {
    let name = "rollout under way";
    let primary = service.primary();
    let others = service.deployments.iter().filter(|d| d.status == "ACTIVE").count();
    match (primary, primary.and_then(|d| d.rollout_state.as_deref())) {
        (Some(deployment), Some("IN_PROGRESS")) => {
            let why = format!("{} is in progress and would be replaced", deployment.id);
            Check::new(name, Finding::Warn, why)
        }
        (Some(_), _) if others > 0 => {
            Check::new(name, Finding::Warn, "tasks of an earlier deployment are still running")
        }
        (Some(_), Some(_)) => Check::new(name, Finding::Pass, "the last deployment has ended"),
        (_, None) | (None, _) => {
            Check::new(name, Finding::NotVerified, "ECS shows no state of the last deployment")
        }
    }
}

/// The fewest and the most tasks during a rollout, as ECS rounds them.
pub(super) fn bounds(service: &Service) -> (u64, u64) {
    let desired = u64::from(service.desired);
    let minimum = u64::from(service.deployment_configuration.minimum_healthy_percent.unwrap_or(100));
    let maximum = u64::from(service.deployment_configuration.maximum_percent.unwrap_or(200));
    ((desired * minimum).div_ceil(100), desired * maximum / 100)
}

/// Whether a rollout can move at all.
pub(super) fn room(service: &Service) -> Check {
    let (minimum, maximum) = bounds(service);
    let desired = u64::from(service.desired);
    let name = "room for a rollout";
    if desired == 0 {
        return Check::new(name, Finding::Warn, "the desired count is 0: nothing would start");
    }
    // The bounds are those of rolling deployments: the other strategies start all new tasks beside the old ones.
    if let Some(strategy) = service.deployment_configuration.strategy.as_deref().filter(|s| *s != "ROLLING") {
        let why = format!(
            "{strategy} runs {desired} new tasks beside the old ones: whether there is capacity is not looked at"
        );
        return Check::new(name, Finding::NotVerified, why);
    }
    if minimum >= desired && maximum <= desired {
        let between = format!("at least {minimum} and at most {maximum} tasks may run");
        // A task that is missing may be started as a new one: only those that run cannot be replaced.
        let why = if service.running < service.desired {
            format!("{between}: what is missing starts anew, but a task that runs cannot be replaced")
        } else {
            format!("{between}: no task can be stopped or started, the rollout would never move")
        };
        return Check::new(name, Finding::Warn, why);
    }
    Check::new(name, Finding::Pass, format!("{minimum} to {maximum} tasks may run around {desired}"))
}

/// The circuit breaker: what happens when the new tasks fail.
pub(super) fn breaker(service: &Service) -> Check {
    let name = "circuit breaker";
    let completed = service.deployments.iter().any(|d| d.rollout_state.as_deref() == Some("COMPLETED"));
    match &service.deployment_configuration.circuit_breaker {
        Some(breaker) if breaker.enable && breaker.rollback && completed => {
            Check::new(name, Finding::Pass, "ECS rolls back by itself when the new tasks fail")
        }
        Some(breaker) if breaker.enable && breaker.rollback => Check::new(
            name,
            Finding::Warn,
            "no deployment listed has completed: if this one fails, ECS may have nothing to roll back to and stalls",
        ),
        Some(breaker) if breaker.enable => {
            Check::new(name, Finding::Warn, "ECS stops a deployment that fails, and does not roll it back")
        }
        _ => Check::new(name, Finding::Warn, "it is off: ECS would start failing tasks for ever"),
    }
}

/// The question that shows which alarms fire, when alarms watch the service's deployments.
pub(super) fn alarms_query(service: &Service) -> Option<Query> {
    let watched = !service.deployment_configuration.alarms.is_empty();
    watched.then(|| Query::DescribeAlarms {
        scope: service.id.scope.clone(),
        state: Some(AlarmState::Alarm),
        page: None,
    })
}

/// Deployment alarms: one that fires already is ignored by ECS for the whole deployment.
pub(super) fn alarms(service: &Service, facts: &Facts) -> Option<Check> {
    let name = "deployment alarms";
    let pages = facts.pages(&alarms_query(service)?);
    let firing: Vec<&str> = pages
        .answers
        .iter()
        .flat_map(|answer| match answer {
            Answer::Alarms { found, .. } => found.as_slice(),
            _ => &[],
        })
        .map(|alarm| alarm.id.name.as_str())
        .filter(|name| service.deployment_configuration.alarms.iter().any(|watched| watched == name))
        .collect();
    Some(if !firing.is_empty() {
        let why = format!("{} fires already, so ECS ignores it for this whole deployment", firing.join(", "));
        Check::new(name, Finding::Warn, why)
    } else if !pages.is_whole() {
        let why = pages.fault.map_or_else(|| "not all alarms were read".to_owned(), ToString::to_string);
        Check::new(name, Finding::NotVerified, format!("whether one fires: {why}"))
    } else {
        Check::new(name, Finding::Pass, "none of them fires")
    })
}

/// Who else manages the service and would undo a change of its definition.
pub(super) fn owner(service: &Service) -> Check {
    let tag = |name: &str| service.tags.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let name = "infrastructure as code";
    if let Some(stack) = tag("aws:cloudformation:stack-name") {
        let why = format!("CloudFormation's stack {stack} owns the service: its next update undoes this");
        return Check::new(name, Finding::Warn, why);
    }
    let terraform = service.tags.iter().any(|(n, v)| {
        let (n, v) = (n.to_lowercase(), v.to_lowercase());
        n.contains("terraform") || v.contains("terraform")
    });
    if terraform {
        let why = "Terraform owns the service: the next terraform apply undoes this, unless it ignores task_definition";
        return Check::new(name, Finding::Warn, why);
    }
    Check::new(name, Finding::NotVerified, "no tag tells who else manages the service")
}

/// The question what an image is now.
pub(super) fn image_query(scope: &Scope, image: &EcrImage<'_>, name: ImageName) -> Query {
    Query::DescribeImages {
        scope: Scope::new(scope.account.clone(), image.region),
        registry: Some(image.account.to_owned()),
        repository: image.repository.to_owned(),
        images: vec![name],
    }
}

/// What ECR says of an image.
pub(super) enum InRegistry<'f> {
    /// It is there.
    Found(&'f RegistryImage),
    /// It is not.
    Gone,
    /// It could not be found out.
    Unread(Option<&'f Fault>),
}

/// Whether a repository's name is one that AWS proposes for a pull-through cache: then the first pull fetches what is
/// not there yet.
fn may_be_fetched(repository: &str) -> bool {
    let prefixes =
        ["docker-hub/", "ecr-public/", "quay/", "kubernetes/", "github/", "gitlab/", "chainguard/"];
    prefixes.iter().any(|prefix| repository.starts_with(prefix))
}

/// An image that ECR does not have.
pub(super) fn missing(name: String, said: &str, repository: &str) -> Check {
    if may_be_fetched(repository) {
        let why = format!("{said} is not in ECR: it can start only if a pull-through cache fetches it");
        return Check::new(name, Finding::Warn, why);
    }
    Check::new(name, Finding::Block, format!("{said} is not in ECR: no new task could start"))
}

/// What ECR said to `image_query`.
pub(super) fn image<'f>(facts: &'f Facts, query: &Query) -> InRegistry<'f> {
    match (facts.answer(query), facts.fault(query)) {
        (Some(Answer::Images { found }), _) => found.first().map_or(InRegistry::Gone, InRegistry::Found),
        (_, Some(fault)) if fault.kind == FaultKind::NotFound => InRegistry::Gone,
        (_, fault) => InRegistry::Unread(fault),
    }
}

/// Whether the load balancers' containers and ports are in a definition.
pub(super) fn ports(service: &Service, definition: &TaskDefinition) -> Option<Check> {
    let name = "load balancer's container and port";
    let targets: Vec<(&str, u16)> = service
        .load_balancers
        .iter()
        .filter_map(|balancer| Some((balancer.container.as_deref()?, balancer.port?)))
        .collect();
    let (first, _) = targets.first()?;
    let missing = targets.iter().find(|(container, port)| {
        let container = definition.containers.iter().find(|c| c.name == *container);
        !container.is_some_and(|c| c.ports.iter().any(|p| p.container_port == Some(*port)))
    });
    Some(match missing {
        None => {
            Check::new(name, Finding::Pass, format!("{first} is in {} with its port", definition.revision))
        }
        Some((container, port)) => {
            let why = format!("{} has no container {container} with port {port}", definition.revision);
            Check::new(name, Finding::Block, why)
        }
    })
}

/// The first characters of a digest, as people compare them.
pub(super) fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}
