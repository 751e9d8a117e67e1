//! Changes of secrets. Values are read for the names of their keys and forgotten.
//!
//! Must not keep a value, nor wait for a rotation: its answer comes at once.

use serde_json::{Value, json};

use super::{forbidden, invalid, not_found, place};
use crate::sim::ecs::input::{flag, number, text, texts};
use crate::sim::ecs::json::{time, with};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::event::uuid;
use crate::sim::world::vault::{Refusal, Secret, arn, number_of};

/// A secret that can be changed: not marked for deletion, and no copy.
fn changeable(world: &World, region: &str, input: &Value) -> Result<usize, ApiError> {
    let place = place(world, region, input)?;
    let secret = world.vault.secrets.get(place).ok_or_else(not_found)?;
    if secret.deleted_at.is_some() {
        return Err(forbidden(
            "You can't perform this operation on the secret because it was marked for deletion.",
        ));
    }
    if secret.primary_region.as_deref().is_some_and(|primary| primary != region) {
        return Err(forbidden(
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        ));
    }
    Ok(place)
}

fn named(world: &World, place: usize) -> Value {
    world
        .vault
        .secrets
        .get(place)
        .map_or(Value::Null, |secret| json!({ "ARN": secret.arn, "Name": secret.name }))
}

/// `ClientRequestToken`, or one made here: it becomes the id of the version.
fn token(world: &World, input: &Value) -> Result<String, ApiError> {
    match text(input, "ClientRequestToken")? {
        Some(token) if (32..=64).contains(&token.len()) => Ok(token.to_owned()),
        Some(_) => Err(invalid("Invalid parameter: ClientRequestToken must have 32 to 64 characters.")),
        None => {
            let made = world.vault.secrets.iter().map(|secret| secret.versions.len() as u64).sum::<u64>();
            Ok(uuid(number_of(&input.to_string()) ^ made, world.now.0.unsigned_abs()))
        }
    }
}

pub fn rotate(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let place = changeable(world, region, input)?;
    let token = token(world, input)?;
    let at_once = flag(input, "RotateImmediately")?.unwrap_or(true);
    let lambda = text(input, "RotationLambdaARN")?.map(str::to_owned);
    let rules = input.get("RotationRules").filter(|rules| rules.is_object());
    let days = rules.map(|rules| number(rules, "AutomaticallyAfterDays")).transpose()?.flatten();
    let days = days
        .map(|days| {
            u32::try_from(days)
                .ok()
                .filter(|days| (1..=1000).contains(days))
                .ok_or_else(|| invalid("AutomaticallyAfterDays must be between 1 and 1000."))
        })
        .transpose()?;
    let now = world.now;
    let secret = world.vault.secrets.get_mut(place).ok_or_else(not_found)?;
    if secret.lambda.is_none() && lambda.is_none() && secret.owning_service.is_none() {
        return Err(forbidden("No Lambda rotation function ARN is associated with this secret."));
    }
    // A repeated request with the same token is the same rotation, even when that is over.
    if secret.versions.iter().any(|version| version.id == token) {
        return Ok(with(named(world, place), [("VersionId", Some(token.into()))]));
    }
    if lambda.is_some() {
        secret.lambda = lambda;
    }
    if let Some(days) = days {
        secret.days = Some(days);
        secret.next_rotation = Some(now.plus(std::time::Duration::from_secs(86_400) * days));
    }
    if !at_once {
        secret.rotates = Some(true);
        secret.changed_at = now;
        world.schedule_rotation(place);
        return Ok(named(world, place));
    }
    if days.is_some() {
        world.schedule_rotation(place);
    }
    match world.rotate(place, token.clone()) {
        Ok(()) => Ok(with(named(world, place), [("VersionId", Some(token.into()))])),
        Err(Refusal::NotComplete) => {
            Err(forbidden("A previous rotation isn't complete. That rotation will be reattempted."))
        }
        Err(Refusal::NoFunction) => {
            Err(forbidden("No Lambda rotation function ARN is associated with this secret."))
        }
    }
}

/// Turns the schedule off as well. What the function had done stays done.
pub fn cancel(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let place = changeable(world, region, input)?;
    let now = world.now;
    let secret = world.vault.secrets.get_mut(place).ok_or_else(not_found)?;
    if secret.rotates.is_none() {
        return Err(forbidden("You can't cancel the rotation of a secret for which rotation isn't set up."));
    }
    secret.rotates = Some(false);
    secret.changed_at = now;
    let version = secret.rotating.take().map(|rotating| rotating.token);
    Ok(with(named(world, place), [("VersionId", version.map(Value::from))]))
}

pub fn stage(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let place = changeable(world, region, input)?;
    let label = text(input, "VersionStage")?.unwrap_or_default().to_owned();
    if label.is_empty() {
        return Err(invalid("Invalid parameter: VersionStage must have 1 to 256 characters."));
    }
    let from = text(input, "RemoveFromVersionId")?.map(str::to_owned);
    let to = text(input, "MoveToVersionId")?.map(str::to_owned);
    let now = world.now;
    let secret = world.vault.secrets.get_mut(place).ok_or_else(not_found)?;
    for id in from.iter().chain(&to) {
        if !secret.versions.iter().any(|version| version.id == *id) {
            return Err(ApiError::not_found(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for VersionId: {id}"),
            ));
        }
    }
    let holder = secret.staged(&label).map(|version| version.id.clone());
    match (&from, &holder) {
        (None, Some(holder)) if to.as_ref() != Some(holder) => {
            return Err(invalid(format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version {holder}, \
                 so you must explicitly reference that version in RemoveFromVersionId."
            )));
        }
        (Some(from), holder) if holder.as_ref() != Some(from) => {
            return Err(invalid(format!("Staging label {label} isn't attached to version {from}.")));
        }
        _ => {}
    }
    if label == "AWSCURRENT" && to.is_none() {
        return Err(invalid(
            "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
        ));
    }
    match &to {
        Some(to) => secret.stage(&label, to),
        None => secret.unstage(&label),
    }
    if label == "AWSPENDING" && !secret.is_rotating() {
        secret.rotating = None;
    }
    secret.changed_at = now;
    Ok(named(world, place))
}

/// The names of the keys in a value, when it is a JSON object.
fn keys(input: &Value) -> Result<Option<Vec<String>>, ApiError> {
    let string = text(input, "SecretString")?;
    let binary = text(input, "SecretBinary")?;
    match (string, binary) {
        (Some(_), Some(_)) => {
            Err(invalid("You can't specify both a binary secret value and a string secret value."))
        }
        (Some(string), None) => Ok(Some(match serde_json::from_str::<Value>(string) {
            Ok(Value::Object(object)) => object.keys().cloned().collect(),
            _ => Vec::new(),
        })),
        (None, Some(_)) => Ok(Some(Vec::new())),
        (None, None) => Ok(None),
    }
}

fn with_version(world: &World, place: usize, token: String, stages: &[String]) -> Value {
    with(
        named(world, place),
        [("VersionId", Some(token.into())), ("VersionStages", Some(stages.to_vec().into()))],
    )
}

pub fn put(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let place = changeable(world, region, input)?;
    let token = token(world, input)?;
    let keys =
        keys(input)?.ok_or_else(|| invalid("You must provide either SecretString or SecretBinary."))?;
    let mark = mark(input);
    let mut stages: Vec<String> = texts(input, "VersionStages")?.into_iter().map(str::to_owned).collect();
    if stages.is_empty() {
        stages.push("AWSCURRENT".to_owned());
    }
    let version = world.vault.secrets.get(place).and_then(|secret| secret.version(&token));
    if let Some(version) = version.filter(|version| version.filled) {
        // The same value again changes nothing; another one may not take its place.
        if version.mark != mark {
            return Err(ApiError::new(
                400,
                "ResourceExistsException",
                "A resource with the ID you requested already exists.",
            ));
        }
        let stages = version.stages.clone();
        return Ok(with_version(world, place, token, &stages));
    }
    world.put_secret(place, token.clone(), keys, &stages, mark);
    Ok(with_version(world, place, token, &stages))
}

/// Tells one value from another, and nothing more about it.
fn mark(input: &Value) -> Option<u64> {
    let value = input.get("SecretString").or_else(|| input.get("SecretBinary"))?;
    Some(number_of(&value.to_string()))
}

pub fn update(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let place = changeable(world, region, input)?;
    let (token, keys) = (token(world, input)?, keys(input)?);
    let (description, kms) = (text(input, "Description")?, text(input, "KmsKeyId")?);
    let now = world.now;
    let secret = world.vault.secrets.get_mut(place).ok_or_else(not_found)?;
    secret.changed_at = now;
    if let Some(description) = description {
        secret.description = Some(description.to_owned());
    }
    if let Some(kms) = kms {
        secret.kms = Some(kms.to_owned());
    }
    let Some(keys) = keys else { return Ok(named(world, place)) };
    world.put_secret(place, token.clone(), keys, &["AWSCURRENT".to_owned()], mark(input));
    Ok(with(named(world, place), [("VersionId", Some(token.into()))]))
}

pub fn create(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name")?.unwrap_or_default().to_owned();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if name.is_empty() || name.len() > 512 || !name.chars().all(allowed) {
        return Err(invalid(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    if let Some(known) = world.vault.find(region, &name) {
        return Err(if known.deleted_at.is_some() {
            forbidden(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )
        } else {
            ApiError::new(
                400,
                "ResourceExistsException",
                format!("The operation failed because the secret {name} already exists."),
            )
        });
    }
    let (token, keys) = (token(world, input)?, keys(input)?);
    let tags = input.get("Tags").and_then(Value::as_array).cloned().unwrap_or_default();
    let member = |tag: &Value, key: &str| tag.get(key).and_then(Value::as_str).map(str::to_owned);
    let now = world.now;
    // A secret that is created again has other characters at the end of its ARN.
    let suffix = arn(region, &format!("{name}{}", now.0), None);
    let suffix = suffix.rsplit('-').next();
    world.vault.secrets.push(Secret {
        region: region.to_owned(),
        arn: arn(region, &name, suffix),
        name,
        description: text(input, "Description")?.map(str::to_owned),
        kms: text(input, "KmsKeyId")?.map(str::to_owned),
        keys: Vec::new(),
        tags: tags.iter().filter_map(|tag| Some((member(tag, "Key")?, member(tag, "Value")?))).collect(),
        owning_service: None,
        primary_region: None,
        replicas: Vec::new(),
        created_at: now,
        changed_at: now,
        accessed_at: None,
        rotated_at: None,
        deleted_at: None,
        rotates: None,
        lambda: None,
        days: None,
        window: None,
        next_rotation: None,
        versions: Vec::new(),
        rotating: None,
        fails_at: None,
    });
    let place = world.vault.secrets.len() - 1;
    let Some(keys) = keys else { return Ok(named(world, place)) };
    world.put_secret(place, token.clone(), keys, &["AWSCURRENT".to_owned()], mark(input));
    Ok(with(named(world, place), [("VersionId", Some(token.into()))]))
}

pub fn delete(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let place = changeable(world, region, input)?;
    let force = flag(input, "ForceDeleteWithoutRecovery")?.unwrap_or(false);
    let window = number(input, "RecoveryWindowInDays")?;
    if force && window.is_some() {
        return Err(invalid(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days =
        u32::try_from(window.unwrap_or(30)).ok().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
            invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
        })?;
    let answer = named(world, place);
    let at = world.delete_secret(place, (!force).then_some(days));
    Ok(with(answer, [("DeletionDate", Some(time(at)))]))
}

pub fn restore(world: &mut World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let place = place(world, region, input)?;
    let now = world.now;
    let secret = world.vault.secrets.get_mut(place).ok_or_else(not_found)?;
    if secret.deleted_at.take().is_some() {
        secret.changed_at = now;
    }
    Ok(named(world, place))
}
