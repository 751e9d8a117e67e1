//! CloudTrail's event history: LookupEvents over what the world was told.
//!
//! Must not show an event at once: CloudTrail is minutes late, and who looks for a cause must live with that.
//! Reads are not recorded, though AWS records them.

pub mod record;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::sim::ecs::input::{number, text};
use crate::sim::ecs::json::{time, with};
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::sim::world::event::uuid;
use crate::sim::world::trail::{Actor, Entry};
use crate::sim::world::vault::number_of;
use crate::stdx::clock::Wall;

/// So many events stand on a page.
const PAGE: usize = 50;

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "LookupEvents" => lookup(world, region, input),
        _ => Err(ApiError::unknown_operation(format!("The simulator does not play cloudtrail:{operation}"))),
    }
}

fn lookup(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let bad = |code: &str, message: &str| ApiError::new(400, code, message);
    let size = match number(input, "MaxResults")? {
        None => PAGE,
        Some(size) => {
            usize::try_from(size).ok().filter(|size| (1..=PAGE).contains(size)).ok_or_else(|| {
                bad(
                    "InvalidMaxResultsException",
                    "A max results value of 0 or more than 50 was specified: it must be between 1 and 50.",
                )
            })?
        }
    };
    let instant = |key: &str| -> Result<Option<Wall>, ApiError> {
        match input.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_f64()
                .map(Wall::from_secs_f64)
                .map(Some)
                .ok_or_else(|| ApiError::serialization(format!("{key} can not be converted to a Date"))),
        }
    };
    let (from, to) = (instant("StartTime")?, instant("EndTime")?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(bad(
            "InvalidTimeRangeException",
            "Time range: start time must be earlier than or equal to end time.",
        ));
    }
    let attribute = attribute(input)?;
    let after = match text(input, "NextToken")? {
        None => None,
        Some(token) => Some(read_token(token).ok_or_else(|| {
            bad(
                "InvalidNextTokenException",
                "Invalid token or token that was previously used in a request with different parameters.",
            )
        })?),
    };
    let insight = text(input, "EventCategory")?.is_some();
    let mut found: Vec<&Entry> = world.trail.newest_first(region);
    found.retain(|entry| {
        let at = entry.deed.at;
        !insight
            && entry.found_at() <= world.now
            && from.is_none_or(|from| at >= from)
            && to.is_none_or(|to| at <= to)
            && after.is_none_or(|after| (at.0, entry.number) < after)
            && attribute.as_ref().is_none_or(|(key, value)| matches(entry, key, value))
    });
    let token = found
        .get(size - 1)
        .filter(|_| found.len() > size)
        .map(|last| URL_SAFE_NO_PAD.encode(format!("{}|{}", last.deed.at.0, last.number)));
    let events: Vec<Value> = found.into_iter().take(size).map(event).collect();
    Ok(with(json!({ "Events": events }), [("NextToken", token.map(Value::from))]))
}

fn read_token(token: &str) -> Option<(i64, u64)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (at, number) = std::str::from_utf8(&bytes).ok()?.split_once('|')?;
    Some((at.parse().ok()?, number.parse().ok()?))
}

fn attribute(input: &Value) -> Result<Option<(String, String)>, ApiError> {
    const KEYS: [&str; 8] = [
        "EventId",
        "EventName",
        "ReadOnly",
        "Username",
        "ResourceType",
        "ResourceName",
        "EventSource",
        "AccessKeyId",
    ];
    let bad = |message: String| ApiError::new(400, "InvalidLookupAttributesException", message);
    let given =
        input.get("LookupAttributes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [attribute] = given else {
        return if given.is_empty() {
            Ok(None)
        } else {
            Err(bad("You can only specify one lookup attribute.".to_owned()))
        };
    };
    let key = text(attribute, "AttributeKey")?.unwrap_or_default().to_owned();
    let value = text(attribute, "AttributeValue")?.unwrap_or_default().to_owned();
    if !KEYS.contains(&key.as_str()) || value.is_empty() {
        return Err(bad(format!("Invalid lookup attribute: {key}")));
    }
    Ok(Some((key, value)))
}

fn matches(entry: &Entry, key: &str, value: &str) -> bool {
    let deed = &entry.deed;
    match key {
        "EventId" => entry.id() == value,
        "EventName" => deed.name == value,
        // Only changes are kept.
        "ReadOnly" => value == "false",
        "Username" => deed.by.name() == value,
        "ResourceType" => deed.resources.iter().any(|(kind, _)| kind == value),
        "ResourceName" => deed.resources.iter().any(|(_, name)| name == value),
        "EventSource" => host(&deed.source) == value,
        _ => key_id(&deed.by).as_deref() == Some(value),
    }
}

/// `eventSource`.
fn host(source: &str) -> String {
    format!("{source}.amazonaws.com")
}

/// The access key of whoever signs requests: of a user for good, of a session for a while.
fn key_id(by: &Actor) -> Option<String> {
    let prefix = match by {
        Actor::User(_) => "AKIA",
        Actor::Session { .. } | Actor::Behalf { .. } => "ASIA",
        Actor::Service(_) => return None,
    };
    let mut dice = fastrand::Rng::with_seed(number_of(by.name()));
    let tail: String =
        (0..16).map(|_| dice.choice(*b"ABCDEFGHJKLMNPQRSTUVWXYZ234567").map_or('A', char::from)).collect();
    Some(format!("{prefix}{tail}"))
}

/// `2026-11-20T12:00:00Z`.
fn seconds(at: Wall) -> String {
    let text = at.rfc3339();
    match text.get(..19) {
        Some(head) => format!("{head}Z"),
        None => text,
    }
}

fn event(entry: &Entry) -> Value {
    let deed = &entry.deed;
    let resources: Vec<Value> = deed
        .resources
        .iter()
        .map(|(kind, name)| json!({ "ResourceType": kind, "ResourceName": name }))
        .collect();
    with(
        json!({
            "EventId": entry.id(),
            "EventName": deed.name,
            "ReadOnly": "false",
            // CloudTrail keeps whole seconds.
            "EventTime": time(Wall(deed.at.0 - deed.at.0.rem_euclid(1000))),
            "EventSource": host(&deed.source),
            "Username": deed.by.name(),
            "Resources": resources,
            "CloudTrailEvent": whole(entry).to_string(),
        }),
        [("AccessKeyId", key_id(&deed.by).map(Value::from))],
    )
}

/// The event as CloudTrail writes it into its files.
fn whole(entry: &Entry) -> Value {
    let deed = &entry.deed;
    let service = matches!(deed.by, Actor::Service(_));
    let mut written = json!({
        "eventVersion": "1.11",
        "userIdentity": identity(&deed.by, deed.at),
        "eventTime": seconds(deed.at),
        "eventSource": host(&deed.source),
        "eventName": deed.name,
        "awsRegion": deed.region,
        "sourceIPAddress": deed.address,
        "userAgent": deed.agent,
        "requestParameters": deed.request,
        "responseElements": deed.response,
        "requestID": uuid(entry.number, 1),
        "eventID": entry.id(),
        "readOnly": false,
        "resources": deed
            .resources
            .iter()
            .map(|(kind, name)| json!({ "accountId": ACCOUNT, "type": kind, "ARN": name }))
            .collect::<Vec<_>>(),
        "eventType": if service { "AwsServiceEvent" } else { "AwsApiCall" },
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    });
    if let Some(object) = written.as_object_mut() {
        if let Some((code, message)) = &deed.error {
            object.insert("errorCode".to_owned(), code.clone().into());
            object.insert("errorMessage".to_owned(), message.clone().into());
        }
        object.append(&mut deed.details.as_object().cloned().unwrap_or_else(Map::new));
    }
    written
}

fn identity(by: &Actor, at: Wall) -> Value {
    let session = |role: &str, session: &str| {
        json!({
            "type": "AssumedRole",
            "principalId": format!("AROASIMULATOR0000EXAM:{session}"),
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"),
            "accountId": ACCOUNT,
            "accessKeyId": key_id(by),
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROASIMULATOR0000EXAM",
                    "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"),
                    "accountId": ACCOUNT,
                    "userName": role,
                },
                "attributes": { "creationDate": seconds(at), "mfaAuthenticated": "false" },
            },
        })
    };
    match by {
        Actor::User(name) => json!({
            "type": "IAMUser",
            "principalId": "AIDASIMULATOR0000EXAM",
            "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
            "accountId": ACCOUNT,
            "accessKeyId": key_id(by),
            "userName": name,
        }),
        Actor::Session { role, session: name } => session(role, name),
        Actor::Behalf { service, role, session: name } => {
            with(session(role, name), [("invokedBy", Some(service.clone().into()))])
        }
        Actor::Service(host) => json!({ "accountId": ACCOUNT, "invokedBy": host }),
    }
}

#[cfg(test)]
mod tests;
