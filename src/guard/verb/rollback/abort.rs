//! Undoes a deployment that is under way: ECS returns to the last one that completed.
//!
//! Must not promise what ECS chooses: it is said only where a single revision ran before.

use super::candidate::{self, unread};
use super::{activity, described, in_progress, migrations, roles, secret_checks, secrets, under_way};
use crate::domain::ecs::{RevisionImage, ServiceDeployment, ServiceId, ServiceRevision};
use crate::domain::mutation::Mutation;
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::query::Query;
use crate::domain::scope::Arn;
use crate::domain::task_definition::TaskDefinition;
use crate::guard::check::{self, short};
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::{Facts, definition_query, revisions_query};
use crate::guard::saw::Saw;
use crate::guard::verb::images;
use crate::guard::verb::running::Running;
use crate::guard::watch::Goal;
use crate::stdx::clock::Wall;

/// The service revisions that ran before a deployment, and the one that it deploys.
fn revisions(deployment: &ServiceDeployment) -> Vec<String> {
    let before = deployment.source_revision_arns.iter();
    before.chain(&deployment.target_revision_arn).cloned().collect()
}

/// What a deployment deploys, and what ECS returns to when it is undone: that is known when a single revision ran
/// before it, whose deployment completed.
fn ends<'f>(
    id: &ServiceId,
    deployment: &ServiceDeployment,
    facts: &'f Facts,
) -> (Option<&'f ServiceRevision>, Option<&'f ServiceRevision>) {
    let known = facts.revisions(id, &revisions(deployment));
    let find = |arn: &String| known.iter().find(|revision| revision.arn == *arn);
    let before = match deployment.source_revision_arns.as_slice() {
        [one] if has_completed(id, one, facts) => find(one),
        _ => None,
    };
    (deployment.target_revision_arn.as_ref().and_then(find), before)
}

/// Whether a deployment of this service revision is known that completed.
fn has_completed(id: &ServiceId, arn: &str, facts: &Facts) -> bool {
    let mut known = facts.deployments(&candidate::history(id)).iter();
    known.any(|past| past.status == "SUCCESSFUL" && past.target_revision_arn.as_deref() == Some(arn))
}

/// What to ask.
pub(super) fn wants(running: &Running<'_>, facts: &Facts) -> Vec<Query> {
    let id = &running.service.id;
    let Some(deployment) = under_way(running.service, facts) else { return Vec::new() };
    let mut wants = vec![revisions_query(id, &revisions(deployment)), candidate::history(id)];
    let (_, Some(before)) = ends(id, deployment, facts) else { return wants };
    let arn = before.revision.to_string();
    wants.push(definition_query(id, &arn));
    if let Some(definition) = facts.definition(id, &arn) {
        wants.extend(images::queries(&id.scope, definition, &before.images));
        wants.extend(secrets(id, definition).into_iter().map(|(_, query)| query));
    }
    wants
}

/// The plan.
pub(super) fn draft(running: &Running<'_>, facts: &Facts, now: Wall) -> Result<Draft, NoPlan> {
    let service = running.service;
    let Some(arn) = in_progress(service) else {
        return Err(NoPlan::Refused("no deployment is under way".to_owned()));
    };
    let deployment = under_way(service, facts);
    let (from, to) = deployment.map_or((None, None), |known| ends(&service.id, known, facts));
    let mut checks = vec![
        check::controller(service),
        check::status(service),
        state(running, arn, facts),
        before(&service.id, deployment, facts),
        check::room(service),
    ];
    match (deployment, to) {
        (Some(deployment), Some(to)) => checks.extend(sound(running, deployment, to, facts, now)),
        _ => {
            let why = "its definition, images and secrets were not looked at";
            checks.push(Check::new("what ran before", Finding::NotVerified, why));
        }
    }
    checks.push(migrations());
    let primary = service.primary();
    let mut changes = vec![FieldChange::new(
        "deployment",
        format!("{} in progress", primary.map_or("a deployment", |d| d.id.as_str())),
        "undone by ECS",
    )];
    if let (Some(from), Some(to)) = (from, to) {
        changes.extend(undone(from, to));
    }
    let plan = Plan {
        changes,
        reach: vec![
            "its tasks are stopped, and what ran before is started again where it is gone".to_owned(),
        ],
        checks,
        ..Plan::default()
    };
    let mutation = Mutation::StopServiceDeployment { service: service.id.clone(), arn: arn.to_owned() };
    let goal = Goal::Undone { service: service.id.clone(), arn: arn.to_owned() };
    Ok(Draft::new(plan, vec![Step::new(mutation, goal)], Saw::service(service)))
}

/// Whether ECS can still undo it.
fn state(running: &Running<'_>, arn: &str, facts: &Facts) -> Check {
    let name = "deployment under way";
    match under_way(running.service, facts) {
        Some(deployment)
            if matches!(deployment.status.as_str(), "PENDING" | "IN_PROGRESS" | "STOP_REQUESTED") =>
        {
            Check::new(name, Finding::Pass, format!("{} is {}", Arn::last(arn), deployment.status))
        }
        Some(deployment) => {
            let why = format!("{} is {}: there is nothing to undo", Arn::last(arn), deployment.status);
            Check::new(name, Finding::Block, why)
        }
        None => {
            let fault = facts.fault(&described(running.service, arn));
            let why = fault.map_or_else(|| "ECS did not describe it".to_owned(), ToString::to_string);
            Check::new(name, Finding::NotVerified, why)
        }
    }
}

/// Whether something ran before, and whether it is known what.
fn before(id: &ServiceId, deployment: Option<&ServiceDeployment>, facts: &Facts) -> Check {
    let name = "revision to return to";
    let Some(deployment) = deployment else {
        return Check::new(name, Finding::NotVerified, "ECS did not say what ran before");
    };
    let returns = "ECS returns to the last deployment that completed";
    match deployment.source_revision_arns.as_slice() {
        [] => Check::new(name, Finding::Block, "nothing ran before this deployment"),
        [one] if !has_completed(id, one, facts) => {
            let fault = facts.fault(&candidate::history(id)).map_or_else(
                || "no deployment of what ran before is known that did".to_owned(),
                |fault| format!("which that is could not be read ({fault})"),
            );
            Check::new(name, Finding::NotVerified, format!("{returns}: {fault}"))
        }
        [_] => match unread(&revisions_query(id, &revisions(deployment)), facts) {
            Some(why) => {
                let why = format!("{returns}; what that ran could not be read ({why})");
                Check::new(name, Finding::NotVerified, why)
            }
            None => Check::new(name, Finding::Pass, returns),
        },
        several => {
            let why =
                format!("{returns}: which of the {} revisions that ran before is not said", several.len());
            Check::new(name, Finding::NotVerified, why)
        }
    }
}

/// Whether what ran before could start again.
fn sound(
    running: &Running<'_>,
    deployment: &ServiceDeployment,
    to: &ServiceRevision,
    facts: &Facts,
    now: Wall,
) -> Vec<Check> {
    let id = &running.service.id;
    let arn = to.revision.to_string();
    let Some(definition) = facts.definition(id, &arn) else {
        let fault = facts.fault(&definition_query(id, &arn));
        let why = fault.map_or_else(|| "it was not read".to_owned(), ToString::to_string);
        return vec![Check::new("task definition", Finding::NotVerified, format!("{arn}: {why}"))];
    };
    let mut checks = vec![startable(definition)];
    checks.extend(images::checks(&id.scope, definition, &to.images, facts));
    checks.push(roles(running.definition, definition));
    checks.extend(secret_checks(
        id,
        definition,
        (deployment.created_at, "this deployment began"),
        facts,
        now,
    ));
    // What still runs of it goes on, and the deployment ends all the same: nothing here stands in the way.
    for check in checks.iter_mut().filter(|check| check.finding == Finding::Block) {
        check.finding = Finding::Warn;
    }
    checks
}

/// Tasks of it that still run go on; whether new ones start is another question.
fn startable(definition: &TaskDefinition) -> Check {
    if definition.status != "INACTIVE" {
        return activity(definition);
    }
    let why = format!(
        "{} is INACTIVE: whether ECS starts tasks of it again is unknown; `rollback --to-revision {0}` registers its content again",
        definition.revision
    );
    Check::new("task definition", Finding::Warn, why)
}

/// What changes: the revision and the digests, from what is deployed to what ran before.
fn undone(from: &ServiceRevision, to: &ServiceRevision) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    if from.revision != to.revision {
        changes.push(FieldChange::new("task definition", from.revision.to_string(), to.revision.to_string()));
    }
    for image in &to.images {
        let code = |image: &RevisionImage| {
            image.digest.as_deref().map_or_else(|| image.image.clone(), |d| short(d).to_owned())
        };
        let now = from.images.iter().find(|other| other.container == image.container).map(code);
        let now = now.unwrap_or_else(|| "none".to_owned());
        if now != code(image) {
            changes.push(FieldChange::new(format!("digest of {}", image.container), now, code(image)));
        }
    }
    changes
}
