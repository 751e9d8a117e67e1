//! Secrets: rotate now, store a new value, return to the one before, unstick a rotation.
//!
//! No value is read, and none stands here: a new one travels beside the mutation.

use super::consumers::{self, Consumers};
use crate::domain::action::SecretWork;
use crate::domain::mutation::Mutation;
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::query::{Answer, Query};
use crate::domain::secret::{Secret, SecretId};
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::Facts;
use crate::guard::saw::Saw;
use crate::guard::watch::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;

fn query(id: &SecretId) -> Query {
    Query::DescribeSecret { scope: id.scope.clone(), secret: id.name.clone() }
}

/// What to ask.
pub(in crate::guard) fn wants(id: &SecretId, facts: &Facts) -> Vec<Query> {
    let mut wants = vec![query(id)];
    if facts.answer(&query(id)).is_some() {
        wants.extend(consumers::wants(&id.scope, facts));
    }
    wants
}

/// The plan. `operation` becomes the id of the new version.
pub(in crate::guard) fn draft(
    id: &SecretId,
    work: &SecretWork,
    operation: &str,
    facts: &Facts,
    now: Wall,
) -> Result<Draft, NoPlan> {
    let secret = match (facts.answer(&query(id)), facts.fault(&query(id))) {
        (Some(Answer::Secrets { found, .. }), _) if !found.is_empty() => &found[0],
        (_, Some(fault)) => {
            let why = format!("the secret could not be read ({fault}); AWS was not asked to change it");
            return Err(NoPlan::Failed(why));
        }
        _ => return Err(NoPlan::Failed(format!("there is no secret {}", id.name))),
    };
    let current = secret.version_at("AWSCURRENT");
    let pending = secret.version_at("AWSPENDING").filter(|pending| Some(*pending) != current);
    let switch = |on: bool| if on { "on" } else { "off" };
    let saw = Saw::fact(format!("the current version of {}", id.name), current.unwrap_or("none"))
        .and(Saw::fact(format!("automatic rotation of {}", id.name), switch(secret.rotation_enabled)));
    let version =
        |id: Option<&str>| id.map_or_else(|| "none".to_owned(), |id| format!("version {}", short(id)));
    let mut checks = vec![alive(secret)];
    let readers = consumers::of(secret, facts);
    checks.push(read_by(&readers));
    let holders = "tasks that run keep the value that they started with: deploy their services after it";
    let (changes, reach, mutation, goal, destructive) = match work {
        SecretWork::Rotate => {
            checks.push(rotatable(secret, pending, now));
            if wakes_schedule(secret) {
                let why = "automatic rotation was turned off: a rotation by hand turns it on again, and AWS rotates by its schedule from then on";
                checks.push(Check::new("automatic rotation", Finding::Warn, why));
            }
            (
                FieldChange::new("AWSCURRENT", version(current), format!("version {}", short(operation))),
                vec!["its Lambda makes a new value in four steps".to_owned(), holders.to_owned()],
                Mutation::RotateSecret { secret: id.clone(), token: operation.to_owned() },
                Goal::Current { secret: id.clone(), version: operation.to_owned() },
                true,
            )
        }
        SecretWork::Put { keys } => {
            if secret.owning_service.is_some() {
                let why = "another AWS service manages it: what is stored by hand, it overwrites";
                checks.push(Check::new("owner", Finding::Warn, why));
            }
            checks.extend(keys_kept(keys.as_deref(), &readers));
            let shape = match keys {
                Some(keys) => format!("a JSON object with {}", keys.join(", ")),
                None => "a text that is no JSON object".to_owned(),
            };
            (
                FieldChange::new(
                    "AWSCURRENT",
                    version(current),
                    format!("version {}: {shape}", short(operation)),
                ),
                vec!["the value before stays as AWSPREVIOUS".to_owned(), holders.to_owned()],
                Mutation::PutSecretValue { secret: id.clone(), token: operation.to_owned() },
                Goal::Current { secret: id.clone(), version: operation.to_owned() },
                true,
            )
        }
        SecretWork::Restore => {
            let Some(previous) = secret.version_at("AWSPREVIOUS") else {
                return Err(NoPlan::Refused(
                    "no version is AWSPREVIOUS: there is nothing to return to".to_owned(),
                ));
            };
            if Some(previous) == current {
                return Err(NoPlan::Refused("the version before is the current one".to_owned()));
            }
            let why = "whether the database or the other side still takes the value before cannot be seen from here";
            checks.push(Check::new("validity of the value before", Finding::NotVerified, why));
            (
                FieldChange::new("AWSCURRENT", version(current), version(Some(previous))),
                vec!["the present value becomes AWSPREVIOUS".to_owned(), holders.to_owned()],
                Mutation::MoveSecretStage {
                    secret: id.clone(),
                    stage: "AWSCURRENT".to_owned(),
                    from: current.map(ToOwned::to_owned),
                    to: Some(previous.to_owned()),
                },
                Goal::Current { secret: id.clone(), version: previous.to_owned() },
                true,
            )
        }
        SecretWork::Unstick => {
            let Some(pending) = pending else {
                return Err(NoPlan::Refused(
                    "no rotation is stuck: no version waits as AWSPENDING".to_owned(),
                ));
            };
            let why = "if the rotation had already set the new value at the database, the current one does not open it any more";
            checks.push(Check::new("how far the rotation got", Finding::NotVerified, why));
            (
                FieldChange::new("AWSPENDING", version(Some(pending)), "none"),
                vec![
                    "the unfinished version loses its stage; the current value stays".to_owned(),
                    "a new rotation can be started after it".to_owned(),
                ],
                Mutation::MoveSecretStage {
                    secret: id.clone(),
                    stage: "AWSPENDING".to_owned(),
                    from: Some(pending.to_owned()),
                    to: None,
                },
                Goal::Stage { secret: id.clone(), stage: "AWSPENDING".to_owned(), version: None },
                true,
            )
        }
    };
    let mut changes = vec![changes];
    if *work == SecretWork::Rotate && wakes_schedule(secret) {
        changes.push(FieldChange::new("automatic rotation", switch(false), switch(true)));
    }
    let mut plan = Plan { changes, reach, checks, ..Plan::default() };
    if !readers.services.is_empty() && *work != SecretWork::Unstick {
        let names: Vec<String> =
            readers.services.iter().map(|service| format!("{}/{}", service.cluster, service.name)).collect();
        plan.advice.push(format!("then: opsdeck deploy {} --wait", names.join(" ")));
        plan.then.clone_from(&readers.services);
    }
    let draft = Draft::new(plan, vec![Step::new(mutation, goal)], saw);
    Ok(if destructive { draft.destructive() } else { draft })
}

/// Who reads it, as far as that is known.
fn read_by(readers: &Consumers) -> Check {
    let name = "readers";
    let names: Vec<&str> = readers.services.iter().map(|service| service.name.as_str()).collect();
    let told = if names.is_empty() {
        "no service reads it".to_owned()
    } else {
        format!("read by {}", names.join(", "))
    };
    match &readers.lacks {
        None => Check::new(name, Finding::Pass, told),
        Some(why) => {
            Check::new(name, Finding::NotVerified, format!("{told}, as far as could be read: {why}"))
        }
    }
}

/// Whether the new value has every key that a container is given: without one, its next task does not start.
fn keys_kept(keys: Option<&[String]>, readers: &Consumers) -> Vec<Check> {
    let name = "JSON keys";
    let missing: Vec<String> = readers
        .keys
        .iter()
        .filter(|(key, _)| !keys.is_some_and(|keys| keys.contains(key)))
        .map(|(key, who)| format!("{key} of {who}"))
        .collect();
    if !missing.is_empty() {
        let why = match keys {
            Some(_) => {
                format!("the new value lacks {}: their next tasks could not start", missing.join(", "))
            }
            None => {
                format!("the new value is no JSON object, but keys are read from it: {}", missing.join(", "))
            }
        };
        return vec![Check::new(name, Finding::Block, why)];
    }
    if readers.lacks.is_some() {
        let why = "not all readers are known, so a key that one of them needs may be missing";
        return vec![Check::new(name, Finding::NotVerified, why)];
    }
    if readers.keys.is_empty() {
        return Vec::new();
    }
    vec![Check::new(name, Finding::Pass, "all keys that containers are given are there")]
}

fn alive(secret: &Secret) -> Check {
    let name = "secret";
    if secret.deleted_at.is_some() {
        return Check::new(name, Finding::Block, "it is scheduled for deletion: restore it first");
    }
    if let Some(primary) = &secret.primary_region
        && *primary != secret.id.scope.region.as_str()
    {
        let why = format!("it is a replica: change it in {primary}");
        return Check::new(name, Finding::Block, why);
    }
    Check::new(name, Finding::Pass, "it is in use")
}

/// Whether a rotation at once turns the schedule on besides: `CancelRotateSecret` leaves the function, and
/// `RotateSecret` has no way to leave the schedule off. What another service manages has no schedule of its own.
fn wakes_schedule(secret: &Secret) -> bool {
    !secret.rotation_enabled && secret.owning_service.is_none()
}

fn rotatable(secret: &Secret, pending: Option<&str>, now: Wall) -> Check {
    let name = "rotation";
    if let Some(owner) = &secret.owning_service {
        let why = format!("{owner} manages it, and rotates it");
        return Check::new(name, Finding::Warn, why);
    }
    if secret.rotation_lambda.is_none() {
        return Check::new(
            name,
            Finding::Block,
            "no rotation is configured: there is no function that makes a value",
        );
    }
    if pending.is_some() {
        let why = "a rotation is under way or stuck: version AWSPENDING waits; unstick it first";
        return Check::new(name, Finding::Block, why);
    }
    let last = secret.last_rotated.map_or_else(
        || "never rotated".to_owned(),
        |at| format!("last rotated {} ago", brief(at.age_at(now))),
    );
    Check::new(name, Finding::Pass, last)
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
