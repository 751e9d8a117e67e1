//! Deploy: the same revision again, another one, or a new one made from it.
//!
//! A forced deployment sends only that field. What would really run is said: a tag is resolved anew, and may mean
//! other code than what runs.

use std::time::Duration;

use super::running::{self, Running};
use crate::domain::action::Deploy;
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::mutation::{Definition, DefinitionEdit, Mutation, ServiceChange};
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::query::Query;
use crate::domain::registry::{EcrImage, ImageName};
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};
use crate::guard::check::{self, InRegistry, short};
use crate::guard::diff;
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::{Facts, definition_query};
use crate::guard::saw::Saw;
use crate::guard::watch::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;

/// What to ask.
pub(in crate::guard) fn wants(id: &ServiceId, what: &Deploy, facts: &Facts) -> Vec<Query> {
    let mut wants = running::wants(id, facts);
    let Ok(running) = Running::of(id, facts) else { return wants };
    wants.extend(check::alarms_query(running.service).and_then(|first| facts.pages(&first).next));
    match target(&running, what) {
        Ok(Some(arn)) => {
            wants.push(definition_query(id, &arn));
            if let Some(definition) = facts.definition(id, &arn) {
                wants.extend(image_queries(id, definition));
            }
        }
        Ok(None) => {
            let edited = running.definition.map(|definition| edit(&running, definition, what));
            match (running.definition, edited) {
                (Some(definition), Some(Ok(edit))) => {
                    wants.extend(image_queries(id, definition));
                    wants.extend(edit.images.values().filter_map(|image| {
                        let image = EcrImage::parse(image)?;
                        Some(check::image_query(&id.scope, &image, image.name(None)))
                    }));
                }
                (Some(definition), _) => wants.extend(image_queries(id, definition)),
                (None, _) => {}
            }
        }
        Err(_) => {}
    }
    wants
}

/// The revision that is deployed, when it is one that exists and not the running one.
fn target(running: &Running<'_>, what: &Deploy) -> Result<Option<String>, NoPlan> {
    match what {
        Deploy::Force | Deploy::Edit { .. } => Ok(None),
        Deploy::Revision(text) => running::named(running.service, text).map(Some),
        Deploy::Unpin => {
            let from = running.definition.and_then(TaskDefinition::pinned_from);
            let why = || NoPlan::Refused(format!("{} is not pinned by a rollback", running.service.revision));
            from.map(|from| Some(from.to_owned())).ok_or_else(why)
        }
    }
}

/// What each image of a definition means now.
pub(super) fn image_queries(id: &ServiceId, definition: &TaskDefinition) -> Vec<Query> {
    let parsed = definition.containers.iter().filter_map(|container| EcrImage::parse(&container.image));
    parsed.map(|image| check::image_query(&id.scope, &image, image.name(None))).collect()
}

/// The plan of one service.
pub(in crate::guard) fn draft(
    id: &ServiceId,
    what: &Deploy,
    facts: &Facts,
    now: Wall,
) -> Result<Draft, NoPlan> {
    let running = Running::of(id, facts)?;
    let service = running.service;
    let goal = || goal(service);
    match what {
        Deploy::Force => {
            let mut plan = rollout(&running, facts);
            let primary = service.primary();
            plan.changes.push(FieldChange::new(
                "deployment",
                primary.map_or_else(|| "none".to_owned(), |d| d.id.clone()),
                format!("a new one of {}", service.revision),
            ));
            plan.checks.extend(resolved(&running, running.definition, facts, now));
            plan.advice.push(format!(
                "`opsdeck restart {}/{}` replaces the tasks one by one and keeps the digests that run",
                id.cluster, id.name
            ));
            let change = ServiceChange { force: true, ..ServiceChange::default() };
            let mutation = Mutation::UpdateService { service: id.clone(), change };
            let saw = Saw::service(service).and(codes(&running, running.definition, facts));
            Ok(Draft::new(plan, vec![Step::new(mutation, goal())], saw))
        }
        Deploy::Revision(_) | Deploy::Unpin => {
            let arn = target(&running, what)?.unwrap_or_default();
            let wanted = definition(id, &arn, facts)?;
            if wanted.arn == service.task_definition_arn {
                let why = format!("{} runs already: force a new deployment of it instead", wanted.revision);
                return Err(NoPlan::Refused(why));
            }
            let mut plan = rollout(&running, facts);
            plan.changes.push(FieldChange::new(
                "task definition",
                service.revision.to_string(),
                wanted.revision.to_string(),
            ));
            if let Some(from) = running.definition {
                plan.changes.extend(diff::between(from, wanted));
            }
            plan.checks.push(active(wanted));
            plan.checks.extend(check::ports(service, wanted));
            plan.checks.push(check::owner(service));
            plan.checks.extend(resolved(&running, Some(wanted), facts, now));
            let saw = Saw::service(service).and(codes(&running, Some(wanted), facts));
            Ok(Draft::new(plan, vec![Step::new(update(id, wanted.arn.clone()), goal())], saw))
        }
        Deploy::Edit { .. } => {
            let from = running.needed_definition(facts)?;
            let edit = edit(&running, from, what)?;
            let mut wanted = from.clone();
            apply(&mut wanted, &edit);
            let changes = diff::between(from, &wanted);
            if changes.is_empty() {
                let why = format!("{} is so already: force a new deployment of it instead", service.revision);
                return Err(NoPlan::Refused(why));
            }
            let mut plan = rollout(&running, facts);
            plan.changes.push(FieldChange::new(
                "task definition",
                service.revision.to_string(),
                format!("a new revision of {}", service.revision.family),
            ));
            plan.changes.extend(changes);
            plan.checks.extend(size(&wanted));
            plan.checks.push(check::owner(service));
            plan.checks.extend(resolved(&running, Some(&wanted), facts, now));
            plan.checks.push(pass_role(&wanted));
            let register =
                Mutation::RegisterTaskDefinition { scope: id.scope.clone(), from: from.arn.clone(), edit };
            let steps = vec![Step::new(register, Goal::Accepted), Step::new(registered(id), goal())];
            let saw = Saw::service(service).and(codes(&running, Some(&wanted), facts));
            Ok(Draft::new(plan, steps, saw))
        }
    }
}

/// So long after its end a deployment is still what somebody means who watches "the deployment".
const JUST_NOW: Duration = Duration::from_secs(600);

/// Watches the deployment under way, whoever started it; the last one, when it has just ended.
pub(in crate::guard) fn attach(id: &ServiceId, facts: &Facts, now: Wall) -> Result<Draft, NoPlan> {
    let service = running::service(id, facts)?;
    let Some(primary) = service.primary() else {
        return Err(NoPlan::Refused(format!("{} has no deployment that ECS tells of", id.name)));
    };
    let ended = primary.updated_at.or(primary.created_at).map(|at| at.age_at(now));
    if primary.rollout_state.as_deref() == Some("COMPLETED")
        && primary.running == primary.desired
        && let Some(age) = ended.filter(|age| *age > JUST_NOW)
    {
        let why = format!(
            "nothing is under way: {} ({}) completed {} ago",
            primary.id,
            primary.revision,
            brief(age)
        );
        return Err(NoPlan::Refused(why));
    }
    let mut draft = Draft::new(Plan::default(), Vec::new(), Saw::default());
    draft.attached.push((goal(service), primary.id.clone()));
    Ok(draft)
}

/// What shows the end of a deployment of this service.
pub(super) fn goal(service: &Service) -> Goal {
    let before = service.deployments.iter().map(|deployment| deployment.id.clone()).collect();
    Goal::Deployment { service: service.id.clone(), before, runs: None }
}

/// Tells a service to run a definition.
pub(super) fn update(id: &ServiceId, arn: String) -> Mutation {
    let change = ServiceChange { definition: Some(Definition::Named(arn)), ..ServiceChange::default() };
    Mutation::UpdateService { service: id.clone(), change }
}

/// Tells a service to run the definition that was just registered.
pub(super) fn registered(id: &ServiceId) -> Mutation {
    let change = ServiceChange { definition: Some(Definition::Registered), ..ServiceChange::default() };
    Mutation::UpdateService { service: id.clone(), change }
}

/// A task definition that was asked for, or why it is not there.
pub(super) fn definition<'f>(
    id: &ServiceId,
    arn: &str,
    facts: &'f Facts,
) -> Result<&'f TaskDefinition, NoPlan> {
    facts.definition(id, arn).ok_or_else(|| {
        let fault = facts.fault(&definition_query(id, arn));
        let why = fault.map_or_else(|| "no answer".to_owned(), ToString::to_string);
        NoPlan::Failed(format!("{arn} could not be read ({why}); AWS was not asked to change anything"))
    })
}

/// What every deployment of a service does, and its checks.
pub(super) fn rollout(running: &Running<'_>, facts: &Facts) -> Plan {
    let service = running.service;
    let (minimum, maximum) = check::bounds(service);
    let strategy = service.deployment_configuration.strategy.as_deref().unwrap_or("ROLLING");
    let mut reach = vec![match service.desired {
        0 => "no task is wanted: nothing starts".to_owned(),
        1 => format!("its one task is replaced, {minimum} to {maximum} running meanwhile"),
        all => format!("all {all} tasks are replaced, {minimum} to {maximum} running meanwhile"),
    }];
    if strategy != "ROLLING" {
        reach = vec![format!(
            "a {strategy} deployment: {} new tasks beside the old ones, then the traffic moves",
            service.desired
        )];
    }
    let mut checks = vec![
        check::controller(service),
        check::status(service),
        check::under_way(service),
        check::room(service),
    ];
    if strategy == "ROLLING" {
        checks.push(check::breaker(service));
    }
    checks.extend(check::alarms(service, facts));
    Plan { reach, checks, ..Plan::default() }
}

fn active(definition: &TaskDefinition) -> Check {
    let name = "task definition";
    if definition.status == "ACTIVE" {
        return Check::new(name, Finding::Pass, format!("{} is ACTIVE", definition.revision));
    }
    let why = format!(
        "{} is {}: ECS starts no tasks of it; `rollback --to-revision` registers its content again",
        definition.revision, definition.status
    );
    Check::new(name, Finding::Block, why)
}

/// What the images of a definition mean now, against what runs.
pub(super) fn resolved(
    running: &Running<'_>,
    definition: Option<&TaskDefinition>,
    facts: &Facts,
    now: Wall,
) -> Vec<Check> {
    let Some(definition) = definition else {
        let why = format!("{} could not be read", running.service.revision);
        return vec![Check::new("images", Finding::NotVerified, why)];
    };
    definition.containers.iter().map(|container| image(running, container, facts, now)).collect()
}

/// What the images mean at this moment: a tag that is moved while the dialog stands open would start other code than
/// was shown.
pub(super) fn codes(running: &Running<'_>, definition: Option<&TaskDefinition>, facts: &Facts) -> Saw {
    let containers = definition.map(|definition| definition.containers.as_slice()).unwrap_or_default();
    containers.iter().fold(Saw::default(), |saw, container| {
        let Some(parsed) = EcrImage::parse(&container.image) else { return saw };
        let query = check::image_query(&running.service.id.scope, &parsed, parsed.name(None));
        match check::image(facts, &query) {
            InRegistry::Found(found) => {
                saw.and(Saw::fact(format!("the code that {} means", container.image), short(&found.digest)))
            }
            InRegistry::Gone | InRegistry::Unread(_) => saw,
        }
    })
}

fn image(running: &Running<'_>, container: &ContainerDefinition, facts: &Facts, now: Wall) -> Check {
    let name = format!("image of {}", container.name);
    let Some(parsed) = EcrImage::parse(&container.image) else {
        let why = format!("{} is not in ECR: what it means now is unknown", container.image);
        return Check::new(name, Finding::NotVerified, why);
    };
    let asked = parsed.name(None);
    let said = match &asked {
        ImageName::Tag(tag) => format!("{}:{tag}", parsed.repository),
        ImageName::Digest(digest) => format!("{}@{}", parsed.repository, short(digest)),
    };
    let found =
        match check::image(facts, &check::image_query(&running.service.id.scope, &parsed, asked.clone())) {
            InRegistry::Found(found) => found,
            InRegistry::Gone => return check::missing(name, &said, parsed.repository),
            InRegistry::Unread(fault) => {
                let why = fault.map_or_else(|| "ECR was not asked".to_owned(), ToString::to_string);
                return Check::new(name, Finding::NotVerified, format!("{said}: {why}"));
            }
        };
    if let Some(status) = found.status.as_deref().filter(|status| *status != "ACTIVE") {
        return Check::new(
            name,
            Finding::Block,
            format!("{said} is {status} in ECR: no new task could start"),
        );
    }
    let pushed = match found.pushed_at {
        Some(at) => format!("pushed {} ago", brief(at.age_at(now))),
        None => "pushed at an unknown time".to_owned(),
    };
    match running.digest(&container.name) {
        Some(digest) if digest == found.digest => {
            let why = format!("{said} is the code that runs ({}, {pushed})", short(digest));
            Check::new(name, Finding::Pass, why)
        }
        Some(digest) => {
            let why = format!(
                "will start different code: {said} is {} now, {pushed}; {} runs",
                short(&found.digest),
                short(digest)
            );
            Check::new(name, Finding::Warn, why)
        }
        None => {
            let why =
                format!("{said} is {} now, {pushed}; which digest runs is unknown", short(&found.digest));
            Check::new(name, Finding::NotVerified, why)
        }
    }
}

/// What is edited, from what was asked for.
fn edit(running: &Running<'_>, from: &TaskDefinition, what: &Deploy) -> Result<DefinitionEdit, NoPlan> {
    let Deploy::Edit { image, container, cpu, memory } = what else { return Ok(DefinitionEdit::default()) };
    let mut edit = DefinitionEdit { cpu: cpu.clone(), memory: memory.clone(), ..DefinitionEdit::default() };
    let Some(image) = image else {
        if cpu.is_none() && memory.is_none() {
            return Err(NoPlan::Refused("nothing was named that would change".to_owned()));
        }
        return Ok(edit);
    };
    let main = match container {
        Some(name) => from.containers.iter().find(|c| c.name == *name).ok_or_else(|| {
            let names: Vec<&str> = from.containers.iter().map(|c| c.name.as_str()).collect();
            NoPlan::Refused(format!("{} has no container {name}: it has {}", from.revision, names.join(", ")))
        })?,
        None if several_images(from) => {
            let of = |c: &ContainerDefinition| format!("{} ({})", c.name, path(&c.image));
            let names: Vec<String> = from.containers.iter().map(of).collect();
            let why = format!(
                "its containers have several images, name one with --container: {}",
                names.join(", ")
            );
            return Err(NoPlan::Refused(why));
        }
        None => main_container(running.service, from)
            .ok_or_else(|| NoPlan::Refused(format!("{} has no container", from.revision)))?,
    };
    if image.contains('/') {
        edit.images.insert(main.name.clone(), image.clone());
        return Ok(edit);
    }
    let path = path(&main.image);
    let wanted =
        if image.starts_with("sha256:") { format!("{path}@{image}") } else { format!("{path}:{image}") };
    for other in &from.containers {
        // Sidecars of the same release (a worker, a migration) come from the same repository.
        let same =
            if container.is_some() { other.name == main.name } else { self::path(&other.image) == path };
        if same {
            edit.images.insert(other.name.clone(), wanted.clone());
        }
    }
    Ok(edit)
}

/// Whether the essential containers come from more than one repository: which one a tag is of cannot be told.
fn several_images(definition: &TaskDefinition) -> bool {
    let mut paths = definition.containers.iter().filter(|c| c.essential).map(|c| path(&c.image));
    let first = paths.next();
    paths.any(|other| Some(other) != first)
}

/// An image without its tag and digest.
pub(super) fn path(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    // A colon before the last slash belongs to a registry's port.
    match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => path,
        _ => name,
    }
}

/// The container that a service is about: that of its load balancer, or the first essential one.
pub(super) fn main_container<'d>(
    service: &Service,
    definition: &'d TaskDefinition,
) -> Option<&'d ContainerDefinition> {
    let balanced = service.load_balancers.iter().find_map(|balancer| balancer.container.as_deref());
    definition
        .containers
        .iter()
        .find(|container| Some(container.name.as_str()) == balanced)
        .or_else(|| definition.containers.iter().find(|container| container.essential))
        .or(definition.containers.first())
}

/// Makes the edit, as the call will.
pub(super) fn apply(definition: &mut TaskDefinition, edit: &DefinitionEdit) {
    for container in &mut definition.containers {
        if let Some(image) = edit.images.get(&container.name) {
            container.image.clone_from(image);
        }
    }
    if edit.cpu.is_some() {
        definition.cpu.clone_from(&edit.cpu);
    }
    if edit.memory.is_some() {
        definition.memory.clone_from(&edit.memory);
    }
}

/// Whether Fargate has tasks of this size.
fn size(definition: &TaskDefinition) -> Option<Check> {
    if !definition.requires.iter().any(|kind| kind == "FARGATE") {
        return None;
    }
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<u32>().ok());
    let name = "size of the task";
    let (Some(cpu), Some(memory)) = (number(&definition.cpu), number(&definition.memory)) else {
        let why = "CPU and memory have to be numbers: units and MiB";
        return Some(Check::new(name, Finding::Block, why));
    };
    let fits = match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => (1024..=4096).contains(&memory) && memory.is_multiple_of(1024),
        1024 => (2048..=8192).contains(&memory) && memory.is_multiple_of(1024),
        2048 => (4096..=16_384).contains(&memory) && memory.is_multiple_of(1024),
        4096 => (8192..=30_720).contains(&memory) && memory.is_multiple_of(1024),
        8192 => (16_384..=61_440).contains(&memory) && memory.is_multiple_of(4096),
        16_384 => (32_768..=122_880).contains(&memory) && memory.is_multiple_of(8192),
        _ => false,
    };
    Some(if fits {
        Check::new(name, Finding::Pass, format!("Fargate has {cpu} CPU units with {memory} MiB"))
    } else {
        Check::new(name, Finding::Block, format!("Fargate has no task of {cpu} CPU units with {memory} MiB"))
    })
}

/// Registering a definition with roles needs the right to pass them, which cannot be looked up.
pub(super) fn pass_role(definition: &TaskDefinition) -> Check {
    let roles = [&definition.task_role_arn, &definition.execution_role_arn];
    let name = "right to register";
    if roles.iter().all(|role| role.is_none()) {
        return Check::new(name, Finding::Pass, "it has no roles to pass");
    }
    Check::new(
        name,
        Finding::NotVerified,
        "it needs ecs:RegisterTaskDefinition, and iam:PassRole on its roles",
    )
}
