//! Roll back: undo a deployment that is under way, or return to what ran before.
//!
//! A candidate is what really ran: a revision and the digests that its deployment resolved. Services that deploy
//! `:latest` by force never change their revision, so the digest is all that tells two deployments apart. Nothing is
//! ever deregistered.

mod abort;
mod candidate;

pub(in crate::guard) use candidate::Candidate;

use super::deploy::{self, definition, goal, registered};
use super::running::{self, Running};
use crate::domain::action::Back;
use crate::domain::ecs::{Service, ServiceDeployment, ServiceId, ServiceRevision};
use crate::domain::mutation::{DefinitionEdit, Mutation, ServiceChange};
use crate::domain::plan::{Check, FieldChange, Finding, Plan, Target};
use crate::domain::query::{Answer, Query};
use crate::domain::registry::{EcrImage, ImageName};
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::ValueFrom;
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};
use crate::guard::check::{self, InRegistry, short};
use crate::guard::diff;
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::{Facts, definition_query, service_query};
use crate::guard::saw::Saw;
use crate::guard::watch::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;

/// The service deployment that is under way, when ECS can undo it.
fn in_progress(service: &Service) -> Option<&str> {
    let primary = service.primary()?;
    let moving = service.deployments.len() > 1 || primary.rollout_state.as_deref() == Some("IN_PROGRESS");
    if moving { service.current_service_deployment.as_deref() } else { None }
}

/// Whether ECS is asked to undo the deployment. One that has ended, though its old tasks still run, cannot be undone:
/// a breaker that does not roll back leaves one so.
fn aborts(service: &Service, to: &Back, facts: &Facts) -> bool {
    let Some(arn) = in_progress(service).filter(|_| *to == Back::Usual) else { return false };
    let query = described(service, arn);
    facts.deployments(&query).first().is_none_or(|deployment| {
        ["PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"]
            .contains(&deployment.status.as_str())
    })
}

/// The deployment that is under way, if ECS described it.
fn under_way<'f>(service: &Service, facts: &'f Facts) -> Option<&'f ServiceDeployment> {
    facts.deployments(&described(service, in_progress(service)?)).first()
}

fn described(service: &Service, arn: &str) -> Query {
    Query::DescribeServiceDeployments { scope: service.id.scope.clone(), arns: vec![arn.to_owned()] }
}

/// What to ask.
pub(in crate::guard) fn wants(id: &ServiceId, to: &Back, facts: &Facts) -> Vec<Query> {
    let mut wants = running::wants(id, facts);
    let Ok(running) = Running::of(id, facts) else { return wants };
    if let Some(arn) = in_progress(running.service).filter(|_| *to == Back::Usual) {
        wants.push(described(running.service, arn));
    }
    if aborts(running.service, to, facts) {
        wants.extend(abort::wants(&running, facts));
        return wants;
    }
    wants.extend(check::alarms_query(running.service).and_then(|first| facts.pages(&first).next));
    wants.extend(candidate::wants(id, facts));
    let Ok(candidate) = candidate::chosen(&running, to, facts) else { return wants };
    wants.push(definition_query(id, &candidate.definition));
    if let Some(definition) = facts.definition(id, &candidate.definition) {
        wants.extend(deploy::image_queries(id, definition));
        wants.extend(super::images::queries(&id.scope, definition, &candidate.images));
        wants.extend(secrets(id, definition).into_iter().map(|(_, query)| query));
    }
    wants
}

/// The secrets that a definition names, each with its question.
fn secrets(id: &ServiceId, definition: &TaskDefinition) -> Vec<(String, Query)> {
    let mut list: Vec<(String, Query)> = Vec::new();
    for reference in definition.containers.iter().flat_map(ContainerDefinition::references) {
        let value = ValueFrom::parse(reference.value_from);
        if !value.secret {
            continue;
        }
        let secret = value.id.to_owned();
        let region = Arn::parse(&secret).map_or(id.scope.region.as_str(), |arn| arn.region);
        let scope = Scope::new(id.scope.account.clone(), region);
        let query = Query::DescribeSecret { scope, secret: secret.clone() };
        if !list.iter().any(|(known, _)| *known == secret) {
            list.push((secret, query));
        }
    }
    list
}

/// The plan of one service.
pub(in crate::guard) fn draft(id: &ServiceId, to: &Back, facts: &Facts, now: Wall) -> Result<Draft, NoPlan> {
    let running = Running::of(id, facts)?;
    if aborts(running.service, to, facts) {
        return abort::draft(&running, facts, now);
    }
    let candidate = candidate::chosen(&running, to, facts)?;
    let mut draft = back(&running, &candidate, facts, now)?;
    let all = candidate::candidates(&running, facts);
    if *to == Back::Usual
        && let Some(check) = candidate::further_back(id, &all, facts, now)
    {
        draft.plan.checks.insert(0, check);
        draft = draft.guessed();
    }
    draft.plan.targets =
        all.iter().map(|other| Target { chosen: other.is_same(&candidate), ..other.target() }).collect();
    Ok(draft)
}

/// Whether a service could be rolled back, from what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub enum WayBack {
    /// What it runs, or what it ran, is not known.
    Unknown,
    /// Nothing is known that completed and differs from what runs.
    Nothing,
    /// It would return to this.
    Ready(Box<Target>),
}

/// What a service would return to; `revision` finds service revisions by their ARN.
#[must_use]
pub fn way_back<'r>(
    service: &Service,
    definition: Option<&TaskDefinition>,
    history: &[ServiceDeployment],
    revision: impl Fn(&str) -> Option<&'r ServiceRevision>,
) -> WayBack {
    let current = &service.current_service_revisions;
    // A history that does not hold what runs, or that still has it under way, is from before.
    let holds = |arn: &String| history.iter().any(|past| past.target_revision_arn.as_ref() == Some(arn));
    let is_known = |arn: &String| revision(arn).is_some();
    let moves = in_progress(service).is_none()
        && history
            .iter()
            .max_by_key(|past| past.created_at)
            .is_some_and(|newest| matches!(newest.status.as_str(), "PENDING" | "IN_PROGRESS"));
    if moves
        || definition.is_none()
        || !current.iter().all(is_known)
        || !(current.is_empty() || current.iter().any(holds))
    {
        return WayBack::Unknown;
    }
    let own = current.iter().filter_map(|arn| revision(arn));
    let own = own.filter(|known| known.revision == service.revision).max_by_key(|known| known.created_at);
    let running = Running { service, definition, revision: own };
    let found = candidate::of(&running, history, &revision);
    let newest = found.into_iter().find(|found| !found.left);
    // What was not read of what completed later may be nearer.
    let since = newest.as_ref().and_then(|newest| newest.begun_at);
    let unread = |past: &ServiceDeployment| {
        past.status == "SUCCESSFUL"
            && past.created_at > since
            && !past.target_revision_arn.as_ref().is_some_and(is_known)
    };
    match newest {
        _ if history.iter().any(unread) => WayBack::Unknown,
        None => WayBack::Nothing,
        Some(newest) => WayBack::Ready(Box::new(newest.target())),
    }
}

/// Returns to a candidate.
fn back(running: &Running<'_>, candidate: &Candidate, facts: &Facts, now: Wall) -> Result<Draft, NoPlan> {
    let service = running.service;
    let id = &service.id;
    let wanted = definition(id, &candidate.definition, facts)?;
    let mut checks = Vec::new();
    let edit = pin(running, wanted, candidate, facts, &mut checks);
    let mut target = wanted.clone();
    deploy::apply(&mut target, &edit);
    let mut plan = deploy::rollout(running, facts);
    let registers = !edit.images.is_empty() || wanted.status != "ACTIVE";
    let after = if registers {
        format!("a new revision with the content of {}", wanted.revision)
    } else {
        wanted.revision.to_string()
    };
    plan.changes.push(FieldChange::new("task definition", service.revision.to_string(), after));
    plan.changes.extend(candidate.changes(running));
    if let Some(from) = running.definition {
        plan.changes.extend(diff::between(from, &target));
    }
    plan.reach.push(candidate.told(now));
    if !edit.images.is_empty() {
        plan.reach.push(format!(
            "the images are pinned to digests: CI's next forced deployment of that revision keeps shipping them until `opsdeck deploy {}/{} --unpin`",
            id.cluster, id.name
        ));
    }
    plan.checks.push(candidate.check());
    plan.checks.push(activity(wanted));
    plan.checks.extend(checks);
    plan.checks.extend(check::ports(service, wanted));
    plan.checks.push(roles(running.definition, wanted));
    plan.checks.extend(secret_checks(id, wanted, (candidate.replaced_at, "that code last ran"), facts, now));
    plan.checks.push(check::owner(service));
    if registers {
        plan.checks.push(deploy::pass_role(wanted));
    }
    plan.checks.push(migrations());
    let steps = if registers {
        let edit =
            DefinitionEdit { pinned_from: edit.pinned_from.filter(|_| !edit.images.is_empty()), ..edit };
        let register =
            Mutation::RegisterTaskDefinition { scope: id.scope.clone(), from: wanted.arn.clone(), edit };
        vec![Step::new(register, Goal::Accepted), Step::new(registered(id), goal(service))]
    } else if wanted.arn == service.task_definition_arn {
        // The same revision, and its tags mean again what ran before: a forced deployment resolves them.
        let change = ServiceChange { force: true, ..ServiceChange::default() };
        vec![Step::new(Mutation::UpdateService { service: id.clone(), change }, goal(service))]
    } else {
        vec![Step::new(deploy::update(id, wanted.arn.clone()), goal(service))]
    };
    let saw = Saw::service(service).and(deploy::codes(running, Some(&target), facts));
    let draft = Draft::new(plan, steps, saw);
    Ok(if candidate.origin == candidate::Origin::Guess { draft.guessed() } else { draft })
}

/// Which containers have to be pinned to run what ran before, and whether their images are still there.
fn pin(
    running: &Running<'_>,
    wanted: &TaskDefinition,
    candidate: &Candidate,
    facts: &Facts,
    checks: &mut Vec<Check>,
) -> DefinitionEdit {
    let scope = &running.service.id.scope;
    let mut edit = DefinitionEdit {
        pinned_from: Some(
            wanted.pinned_from().map_or_else(|| wanted.revision.to_string(), ToOwned::to_owned),
        ),
        ..DefinitionEdit::default()
    };
    for container in &wanted.containers {
        let name = format!("image of {}", container.name);
        let Some(image) = EcrImage::parse(&container.image) else {
            let why = match candidate.digest(&container.name).filter(|_| !container.image.contains('@')) {
                Some(digest) => {
                    let pinned = format!("{}@{digest}", deploy::path(&container.image));
                    edit.images.insert(container.name.clone(), pinned);
                    format!(
                        "{} is pinned to {}; whether its registry still has that is unknown",
                        container.image,
                        short(digest)
                    )
                }
                None => format!("{} is not in ECR: what it means now is unknown", container.image),
            };
            checks.push(Check::new(name, Finding::NotVerified, why));
            continue;
        };
        let tag = image.name(None);
        let (now, unread) = match check::image(facts, &check::image_query(scope, &image, tag)) {
            InRegistry::Found(found) => (Some(found.digest.as_str()), false),
            InRegistry::Gone => (None, false),
            InRegistry::Unread(_) => (None, true),
        };
        let Some(digest) = candidate.digest(&container.name) else {
            let evidence = match now {
                Some(now) => {
                    format!("{} means {} now; what it meant then is unknown", container.image, short(now))
                }
                None if unread => format!("{} could not be looked up in ECR", container.image),
                None => format!("{} cannot be found in ECR", container.image),
            };
            let finding = match now {
                Some(_) => Finding::Warn,
                None if unread => Finding::NotVerified,
                None => Finding::Block,
            };
            checks.push(Check::new(name, finding, evidence));
            continue;
        };
        if image.digest.is_none() && now != Some(digest) {
            // The tag means something else today, or nothing.
            edit.images.insert(container.name.clone(), format!("{}@{digest}", image.path));
        }
        let query = check::image_query(scope, &image, ImageName::Digest(digest.to_owned()));
        let said = format!("{}@{}", image.repository, short(digest));
        checks.push(match check::image(facts, &query) {
            InRegistry::Found(found) => match found.status.as_deref() {
                None | Some("ACTIVE") if edit.images.contains_key(&container.name) => {
                    let tag = if unread {
                        "what its tag means now is unknown"
                    } else {
                        "its tag means something else now"
                    };
                    let why = format!("{said} is in ECR; {tag}, so it is pinned");
                    Check::new(name, Finding::Pass, why)
                }
                None | Some("ACTIVE") => Check::new(name, Finding::Pass, format!("{said} is in ECR")),
                Some(status) => Check::new(name, Finding::Block, format!("{said} is {status} in ECR")),
            },
            InRegistry::Gone => Check::new(name, Finding::Block, format!("{said} is not in ECR any more")),
            InRegistry::Unread(fault) => {
                let why = fault.map_or_else(|| "ECR was not asked".to_owned(), ToString::to_string);
                Check::new(name, Finding::NotVerified, format!("{said}: {why}"))
            }
        });
    }
    edit
}

fn activity(definition: &TaskDefinition) -> Check {
    let name = "task definition";
    match definition.status.as_str() {
        "ACTIVE" => Check::new(name, Finding::Pass, format!("{} is ACTIVE", definition.revision)),
        "INACTIVE" => {
            let why = format!("{} is INACTIVE: the same content is registered again", definition.revision);
            Check::new(name, Finding::Warn, why)
        }
        other => Check::new(name, Finding::Block, format!("{} is {other}", definition.revision)),
    }
}

/// Roles: those of the running revision are known to work.
fn roles(from: Option<&TaskDefinition>, to: &TaskDefinition) -> Check {
    let name = "roles";
    match from {
        Some(from)
            if from.task_role_arn == to.task_role_arn && from.execution_role_arn == to.execution_role_arn =>
        {
            Check::new(name, Finding::Pass, "the same as those of the running revision")
        }
        _ => Check::new(name, Finding::NotVerified, "other roles than those of the running revision"),
    }
}

/// Secrets that are gone, or that hold something else than when the target ran, which was until a time.
fn secret_checks(
    id: &ServiceId,
    definition: &TaskDefinition,
    (until, when): (Option<Wall>, &str),
    facts: &Facts,
    now: Wall,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for (secret, query) in secrets(id, definition) {
        let name = format!("secret {}", Arn::parse(&secret).map_or(secret.as_str(), |arn| arn.resource));
        let found = match facts.answer(&query) {
            Some(Answer::Secrets { found, .. }) => found.first(),
            _ => None,
        };
        let Some(found) = found else {
            let fault = facts.fault(&query);
            let gone = fault.is_some_and(|fault| fault.kind == crate::domain::fault::FaultKind::NotFound);
            let why = fault.map_or_else(|| "it was not read".to_owned(), ToString::to_string);
            checks.push(Check::new(name, if gone { Finding::Block } else { Finding::NotVerified }, why));
            continue;
        };
        let name = format!("secret {}", found.id.name);
        if found.deleted_at.is_some() {
            checks.push(Check::new(
                name,
                Finding::Block,
                "it is scheduled for deletion: no task can read it",
            ));
        } else if let (Some(changed), Some(ended)) = (found.last_changed, until)
            && changed > ended
        {
            let why = format!(
                "it changed {} ago, after {when}: old code that starts now reads the new value",
                brief(changed.age_at(now))
            );
            checks.push(Check::new(name, Finding::Warn, why));
        }
    }
    checks.extend(rest(id, definition, (until, when), facts, checks.is_empty()));
    checks
}

/// What is to be said of those secrets with which nothing is wrong, and of what was not looked at.
fn rest(
    id: &ServiceId,
    definition: &TaskDefinition,
    (until, when): (Option<Wall>, &str),
    facts: &Facts,
    all_well: bool,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let found = secrets(id, definition);
    let changes_known = until.is_some()
        && found.iter().all(|(_, query)| match facts.answer(query) {
            Some(Answer::Secrets { found, .. }) => found.first().is_some_and(|s| s.last_changed.is_some()),
            _ => false,
        });
    match (all_well && !found.is_empty(), changes_known) {
        (true, true) => {
            let why = format!("all are there, and unchanged since {when}; their keys are not looked for");
            checks.push(Check::new("secrets", Finding::Pass, why));
        }
        (true, false) => {
            let why = format!(
                "all are there; whether they changed since {when} is unknown, and their keys are not looked for"
            );
            checks.push(Check::new("secrets", Finding::NotVerified, why));
        }
        _ => {}
    }
    let references = definition.containers.iter().flat_map(ContainerDefinition::references);
    let parameters = references.filter(|reference| !ValueFrom::parse(reference.value_from).secret).count();
    if parameters > 0 {
        let why =
            format!("{} of Parameter Store: not looked at", crate::stdx::text::count(parameters, "value"));
        checks.push(Check::new("parameters", Finding::NotVerified, why));
    }
    checks
}

/// What no look can show.
fn migrations() -> Check {
    let why = "whether the older code fits the database as it is now cannot be seen from here: you confirm that it does";
    Check::new("database migrations", Finding::NotVerified, why)
}

/// What to ask to continue a deployment that pauses.
pub(in crate::guard) fn continue_wants(id: &ServiceId, facts: &Facts) -> Vec<Query> {
    let mut wants = vec![service_query(id)];
    if let Some(arn) = facts.service(id).and_then(|service| service.current_service_deployment.clone()) {
        wants.push(Query::DescribeServiceDeployments { scope: id.scope.clone(), arns: vec![arn] });
    }
    wants
}

/// Lets a deployment go on that waits at a pause hook.
pub(in crate::guard) fn resume(id: &ServiceId, facts: &Facts) -> Result<Draft, NoPlan> {
    let service = running::service(id, facts)?;
    let Some(arn) = service.current_service_deployment.clone() else {
        return Err(NoPlan::Refused("no deployment is under way".to_owned()));
    };
    let query = Query::DescribeServiceDeployments { scope: id.scope.clone(), arns: vec![arn.clone()] };
    let deployment = facts.deployments(&query).first();
    let Some(hook) = deployment.and_then(|deployment| deployment.waiting_hook.clone()) else {
        let stage = deployment.map_or_else(|| "it could not be read".to_owned(), crate::guard::watch::stage);
        return Err(NoPlan::Refused(format!("the deployment waits at no pause hook ({stage})")));
    };
    let plan = Plan {
        changes: vec![FieldChange::new("pause hook", hook.clone(), "CONTINUE")],
        reach: vec!["the deployment goes on to its next stage".to_owned()],
        checks: vec![check::status(service)],
        ..Plan::default()
    };
    let mutation = Mutation::ContinueServiceDeployment { service: id.clone(), arn: arn.clone(), hook };
    let goal = Goal::Resumed { service: id.clone(), arn };
    Ok(Draft::new(plan, vec![Step::new(mutation, goal)], Saw::service(service)))
}
