//! Secrets Manager: requests checked as AWS checks them, answers in AWS's shapes.
//!
//! Must not hand out values: none exists, so that nothing can come to rely on one.

mod write;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::sim::ecs::input::{flag, number, text};
use crate::sim::ecs::json::{time, with};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::vault::{Secret, Version};

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "ListSecrets" => list(world, region, input),
        "DescribeSecret" => describe(world, region, input),
        "ListSecretVersionIds" => versions(world, region, input),
        "RotateSecret" => write::rotate(world, region, input),
        "CancelRotateSecret" => write::cancel(world, region, input),
        "UpdateSecretVersionStage" => write::stage(world, region, input),
        "PutSecretValue" => write::put(world, region, input),
        "UpdateSecret" => write::update(world, region, input),
        "CreateSecret" => write::create(world, region, input),
        "DeleteSecret" => write::delete(world, region, input),
        "RestoreSecret" => write::restore(world, region, input),
        "GetSecretValue" | "BatchGetSecretValue" => Err(no_value("secretsmanager", operation)),
        _ => Err(ApiError::unknown_operation(format!(
            "The simulator does not play secretsmanager:{operation}"
        ))),
    }
}

/// The refusal of everything that would hand out a value.
pub(super) fn no_value(service: &str, operation: &str) -> ApiError {
    ApiError::new(
        400,
        "AccessDeniedException",
        format!(
            "User: arn:aws:sts::{}:assumed-role/Operator/on-call is not authorized to perform: {service}:{operation} because no \
             value exists here",
            crate::sim::stack::ACCOUNT
        ),
    )
}

/// A fault of the request itself.
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::invalid_parameter(message)
}

/// What the state of the secret forbids.
fn forbidden(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidRequestException", message)
}

fn not_found() -> ApiError {
    ApiError::not_found("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

/// The place of the secret that a request is about.
fn place(world: &World, region: &str, input: &Value) -> Result<usize, ApiError> {
    let id = text(input, "SecretId")?.unwrap_or_default();
    if id.is_empty() || id.len() > 2048 {
        return Err(invalid("Invalid parameter: SecretId must have 1 to 2048 characters."));
    }
    world.vault.place(region, id).ok_or_else(not_found)
}

fn secret<'w>(world: &'w World, region: &str, input: &Value) -> Result<&'w Secret, ApiError> {
    let place = place(world, region, input)?;
    world.vault.secrets.get(place).ok_or_else(not_found)
}

/// A page of items and the token of the next. A token remembers the name of the last item given.
fn page<'a, T>(
    items: Vec<&'a T>,
    input: &Value,
    most: usize,
    name: impl Fn(&T) -> &str,
) -> Result<(Vec<&'a T>, Option<String>), ApiError> {
    let size = match number(input, "MaxResults")? {
        None => most,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| invalid(format!("Invalid MaxResults: it must be between 1 and {most}.")))?,
    };
    let bad = || ApiError::new(400, "InvalidNextTokenException", "The NextToken value is invalid.");
    let start = match text(input, "NextToken")? {
        None => 0,
        Some(token) => {
            let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
            let (place, last) =
                std::str::from_utf8(&bytes).ok().and_then(|token| token.split_once('|')).ok_or_else(bad)?;
            let place: usize = place.parse().map_err(|_| bad())?;
            items.iter().position(|item| name(item) == last).map_or(place.min(items.len()), |at| at + 1)
        }
    };
    let total = items.len();
    let page: Vec<&T> = items.into_iter().skip(start).take(size).collect();
    let end = start + page.len();
    let token = page
        .last()
        .filter(|_| end < total)
        .map(|last| URL_SAFE_NO_PAD.encode(format!("{end}|{}", name(last))));
    Ok((page, token))
}

fn list(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let planned = flag(input, "IncludePlannedDeletion")?.unwrap_or(false);
    let filters = filters(input)?;
    let mut found: Vec<&Secret> = world
        .vault
        .secrets
        .iter()
        .filter(|secret| secret.region == region && !secret.name.is_empty())
        .filter(|secret| planned || secret.deleted_at.is_none())
        .filter(|secret| filters.iter().all(|filter| filter.takes(secret)))
        .collect();
    let by = text(input, "SortBy")?.unwrap_or("created-date");
    match by {
        "created-date" => found.sort_by(|a, b| (a.created_at, &a.name).cmp(&(b.created_at, &b.name))),
        "last-accessed-date" => found.sort_by(|a, b| (a.accessed_at, &a.name).cmp(&(b.accessed_at, &b.name))),
        "last-changed-date" => found.sort_by(|a, b| (a.changed_at, &a.name).cmp(&(b.changed_at, &b.name))),
        "name" => found.sort_by(|a, b| a.name.cmp(&b.name)),
        _ => return Err(invalid(format!("Invalid SortBy: {by}"))),
    }
    match text(input, "SortOrder")? {
        Some("asc") => {}
        None | Some("desc") => found.reverse(),
        Some(order) => return Err(invalid(format!("Invalid SortOrder: {order}"))),
    }
    let (page, token) = page(found, input, 100, |secret| &secret.name)?;
    let entries: Vec<Value> = page
        .into_iter()
        .map(|secret| with(common(secret), [("SecretVersionsToStages", Some(stages(secret)))]))
        .collect();
    Ok(with(json!({ "SecretList": entries }), [("NextToken", token.map(Value::from))]))
}

struct Filter {
    key: String,
    /// Each with whether it must not match.
    values: Vec<(bool, String)>,
}

impl Filter {
    /// Name, description, owner and region match at their beginning; `all` anywhere, without regard to case.
    fn takes(&self, secret: &Secret) -> bool {
        let description = secret.description.as_deref().unwrap_or_default();
        let holds = |value: &str| match self.key.as_str() {
            "name" => secret.name.starts_with(value),
            "description" => description.to_lowercase().starts_with(&value.to_lowercase()),
            "tag-key" => secret.tags.keys().any(|key| key.starts_with(value)),
            "tag-value" => secret.tags.values().any(|tag| tag.starts_with(value)),
            "owning-service" => {
                secret.owning_service.as_deref().is_some_and(|owner| owner.starts_with(value))
            }
            "primary-region" => {
                secret.primary_region.as_deref().is_some_and(|region| region.starts_with(value))
            }
            _ => {
                let value = value.to_lowercase();
                let mut texts = vec![secret.name.as_str(), description];
                texts.extend(secret.tags.iter().flat_map(|(key, tag)| [key.as_str(), tag.as_str()]));
                texts.iter().any(|text| text.to_lowercase().contains(&value))
            }
        };
        self.values.iter().any(|(not, value)| holds(value) != *not)
    }
}

fn filters(input: &Value) -> Result<Vec<Filter>, ApiError> {
    const KEYS: [&str; 7] =
        ["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];
    let Some(given) = input.get("Filters").filter(|given| !given.is_null()) else { return Ok(Vec::new()) };
    let given =
        given.as_array().ok_or_else(|| ApiError::serialization("Filters can not be converted to a list"))?;
    given
        .iter()
        .map(|filter| {
            let key = text(filter, "Key")?.unwrap_or("all").to_owned();
            if !KEYS.contains(&key.as_str()) {
                return Err(invalid(format!("Invalid filter key: {key}")));
            }
            let values = crate::sim::ecs::input::texts(filter, "Values")?
                .into_iter()
                .map(|value| match value.strip_prefix('!') {
                    Some(value) => (true, value.to_owned()),
                    None => (false, value.to_owned()),
                })
                .collect();
            Ok(Filter { key, values })
        })
        .collect()
}

/// What ListSecrets and DescribeSecret both say.
fn common(secret: &Secret) -> Value {
    let rules = secret.days.filter(|_| secret.rotates == Some(true)).map(|days| {
        with(
            json!({ "AutomaticallyAfterDays": days }),
            [("Duration", secret.window.clone().map(Value::from))],
        )
    });
    let tags: Vec<Value> =
        secret.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    with(
        json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "LastChangedDate": time(secret.changed_at),
            "CreatedDate": time(secret.created_at),
            "Tags": tags,
        }),
        [
            ("Description", secret.description.clone().map(Value::from)),
            ("KmsKeyId", secret.kms.clone().map(Value::from)),
            ("RotationEnabled", secret.rotates.map(Value::from)),
            ("RotationLambdaARN", secret.lambda.clone().map(Value::from)),
            ("RotationRules", rules),
            ("LastRotatedDate", secret.rotated_at.map(time)),
            ("LastAccessedDate", secret.accessed_at.map(time)),
            ("DeletedDate", secret.deleted_at.map(time)),
            ("NextRotationDate", secret.next_rotation.filter(|_| secret.rotates == Some(true)).map(time)),
            ("OwningService", secret.owning_service.clone().map(Value::from)),
            ("PrimaryRegion", secret.primary_region.clone().map(Value::from)),
        ],
    )
}

/// Versions that carry a label; the others are about to be forgotten, and AWS does not show them here.
fn stages(secret: &Secret) -> Value {
    let staged = secret.versions.iter().filter(|version| !version.stages.is_empty());
    Value::Object(
        staged.map(|version| (version.id.clone(), version.stages.clone().into())).collect::<Map<_, _>>(),
    )
}

fn describe(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let secret = secret(world, region, input)?;
    let replicas: Vec<Value> = secret
        .replicas
        .iter()
        .map(|replica| {
            with(
                json!({ "Region": replica.region, "Status": replica.status }),
                [
                    (
                        "KmsKeyId",
                        Some(
                            secret
                                .kms
                                .clone()
                                .unwrap_or_else(|| "alias/aws/secretsmanager".to_owned())
                                .into(),
                        ),
                    ),
                    ("StatusMessage", replica.message.clone().map(Value::from)),
                ],
            )
        })
        .collect();
    Ok(with(
        common(secret),
        [
            ("VersionIdsToStages", Some(stages(secret))),
            ("ReplicationStatus", (!replicas.is_empty()).then(|| replicas.into())),
        ],
    ))
}

fn versions(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let secret = secret(world, region, input)?;
    let all = flag(input, "IncludeDeprecated")?.unwrap_or(false);
    // A version that is staged but was never filled is not listed here.
    let found: Vec<&Version> = secret
        .versions
        .iter()
        .filter(|version| version.filled && (all || !version.stages.is_empty()))
        .collect();
    let (page, token) = page(found, input, 100, |version| &version.id)?;
    let kms = secret.kms.clone().unwrap_or_else(|| "DefaultEncryptionKey".to_owned());
    let entries: Vec<Value> = page
        .into_iter()
        .map(|version| {
            with(
                json!({
                    "VersionId": version.id,
                    "CreatedDate": time(version.created_at),
                    "KmsKeyIds": [kms],
                }),
                [
                    ("VersionStages", (!version.stages.is_empty()).then(|| version.stages.clone().into())),
                    ("LastAccessedDate", secret.accessed_at.filter(|at| *at >= version.created_at).map(time)),
                ],
            )
        })
        .collect();
    Ok(with(
        json!({ "ARN": secret.arn, "Name": secret.name, "Versions": entries }),
        [("NextToken", token.map(Value::from))],
    ))
}

#[cfg(test)]
mod tests;
