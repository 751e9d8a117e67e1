//! A fleet of any size, multiplied from a handful of archetypes: for the question how opsdeck behaves with
//! 5,000 services.
//!
//! Must stay a pure function of size and seed.

use std::sync::Arc;
use std::time::Duration;

use super::{Condition, Service, Span, Stack, StackError, TaskDefinition};

mod stock;

const ARCHETYPES: &str = include_str!("../stacks/fleet.toml");

/// What the made-up services are about.
const SUBJECTS: [&str; 24] = [
    "accounts",
    "audit",
    "basket",
    "billing",
    "catalog",
    "checkout",
    "claims",
    "devices",
    "documents",
    "fraud",
    "identity",
    "inventory",
    "invoices",
    "ledger",
    "loyalty",
    "mailing",
    "orders",
    "payments",
    "pricing",
    "reports",
    "returns",
    "search",
    "shipping",
    "tickets",
];

/// One in so many services is sick.
const HEALTHY_PER_SICK: u64 = 30;

const CONDITIONS: [Condition; 6] = [
    Condition::CrashLoop,
    Condition::CannotPull,
    Condition::Unhealthy,
    Condition::OutOfMemory,
    Condition::NoCapacity,
    Condition::StuckRollout,
];

pub(super) fn fleet(services: usize, seed: u64) -> Result<Stack, StackError> {
    let mut stack = Stack::parse("fleet.toml", ARCHETYPES)?;
    let archetypes: Vec<(Service, TaskDefinition)> = std::mem::take(&mut stack.services)
        .into_iter()
        .filter_map(|service| {
            let family = stack.family(&service.task_definition)?.clone();
            Some((service, family))
        })
        .collect();
    stack.task_definitions.clear();
    let groups = std::mem::take(&mut stack.log_groups);
    let stock = stock::Archetypes::take(&mut stack);
    let mut kinds = Vec::new();
    let mut chance = fastrand::Rng::with_seed(seed);
    for number in 1..=services {
        let Some(subject) = chance.choice(SUBJECTS) else { continue };
        let Some((service, family)) = chance.choice(&archetypes) else { continue };
        kinds.push(service.name.clone());
        let name = format!("{subject}-{}-{number:04}", service.name);
        let group = format!("/ecs/{name}");
        let (mut service, mut family) = (service.clone(), family.clone());
        for container in &mut family.containers {
            Arc::make_mut(&mut container.log).group.clone_from(&group);
            container.repository.clone_from(&name);
        }
        family.family.clone_from(&name);
        service.task_definition.clone_from(&name);
        for balancer in &mut service.load_balancers {
            balancer.target_group.clone_from(&name);
        }
        service.desired = 1 + chance.u32(0..4);
        let shift = Duration::from_secs(chance.u64(0..6 * 86_400));
        for deployment in &mut service.deployments {
            deployment.age = Span(deployment.age.0 + shift);
            deployment.build = format!("{:07x}", chance.u32(..1 << 28));
        }
        if chance.u64(0..HEALTHY_PER_SICK) == 0 {
            service.condition = chance.choice(CONDITIONS);
        }
        if let Some(Condition::StuckRollout) = service.condition {
            service.rollout.min_percent = 100;
            service.rollout.max_percent = 100;
        }
        service.name = name;
        stack.services.push(service);
        stack.task_definitions.push(family);
        stack.log_groups.extend(groups.iter().take(1).cloned().map(|mut kept| {
            kept.name.clone_from(&group);
            kept
        }));
    }
    stock.put_into(&mut stack, &kinds, &mut fastrand::Rng::with_seed(seed ^ 0xda7a));
    Ok(stack)
}
