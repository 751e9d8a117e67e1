//! CloudTrail: who changed what.
//!
//! Must not pass on what looks like secret material: of a request's parameters only scalars whose names do not
//! speak of it, and nothing of its answer.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use serde_json::Value;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, next, stray, time, token, wall};
use crate::domain::change::TrailEvent;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::query::{Answer, Query};
use crate::stdx::clock::Wall;

/// The largest page.
const PAGE: i32 = 50;

/// One request to CloudTrail; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::LookupEvents { source, from, page, .. } => {
            // CloudTrail takes one attribute a request.
            let (key, value) = match source.as_str() {
                "" => (LookupAttributeKey::ReadOnly, "false"),
                source => (LookupAttributeKey::EventSource, source),
            };
            let attribute = LookupAttribute::builder()
                .attribute_key(key)
                .attribute_value(value)
                .build()
                .map_err(|e| Fault::new(FaultKind::Invalid, e.to_string()).action(call.action))?;
            let request = client
                .lookup_events()
                .lookup_attributes(attribute)
                .start_time(time(*from))
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::TrailEvents { found: all(out.events, from_sdk), next: next(out.next_token) })
        }
        other => Err(stray(other, "CloudTrail")),
    }
}

fn from_sdk(sdk: Event) -> TrailEvent {
    let written: Value =
        sdk.cloud_trail_event.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let read_only = written.get("readOnly").and_then(Value::as_bool);
    TrailEvent {
        id: sdk.event_id.unwrap_or_default(),
        name: sdk.event_name.unwrap_or_default(),
        source: sdk.event_source.unwrap_or_default(),
        at: sdk.event_time.and_then(wall).unwrap_or(Wall(0)),
        user: sdk.username,
        resources: all(sdk.resources, |r| {
            (r.resource_type.unwrap_or_default(), r.resource_name.unwrap_or_default())
        }),
        error: written.get("errorCode").and_then(Value::as_str).map(ToOwned::to_owned),
        read_only: read_only.or_else(|| sdk.read_only.map(|word| word == "true")).unwrap_or(false),
        parameters: parameters(written.get("requestParameters")),
    }
}

/// The request's parameters that are one word, number or switch and do not speak of secret material.
fn parameters(written: Option<&Value>) -> Vec<(String, String)> {
    let Some(Value::Object(all)) = written else { return Vec::new() };
    let own = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(on) => on.to_string(),
            _ => return None,
        };
        (!is_secret(name)).then(|| (name.clone(), text))
    };
    all.iter().filter_map(own).collect()
}

/// Whether a parameter of this name may hold what nobody should read. `secretId` names a secret and holds none.
fn is_secret(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    const MATERIAL: [&str; 12] = [
        "secretstring",
        "secretbinary",
        "secretvalue",
        "secretaccess",
        "clientsecret",
        "password",
        "passwd",
        "passphrase",
        "token",
        "credential",
        "privatekey",
        "apikey",
    ];
    matches!(plain.as_str(), "value" | "secret" | "policy")
        || MATERIAL.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudtrail::types::Resource;

    #[test]
    fn an_event_tells_what_it_was_about_and_no_secret() {
        let written = r#"{
            "eventName": "PutSecretValue", "readOnly": false, "errorCode": "AccessDenied",
            "requestParameters": {
                "secretId": "gateway/production/database", "secretString": "hunter2", "SecretBinary": "aGk=",
                "clientRequestToken": "t-1", "masterUserPassword": "hunter2", "authToken": "hunter2",
                "value": "hunter2", "desiredCount": 3, "forceNewDeployment": true,
                "nested": {"password": "hunter2"}, "list": ["hunter2"], "nothing": null
            },
            "responseElements": {"password": "hunter2"}
        }"#;
        let sdk = Event::builder()
            .event_id("e")
            .event_name("PutSecretValue")
            .read_only("true")
            .resources(Resource::builder().resource_name("arn:x").build())
            .cloud_trail_event(written)
            .build();
        let event = from_sdk(sdk);
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut parameters = event.parameters.clone();
        parameters.sort();
        assert_eq!(
            parameters,
            [
                own("desiredCount", "3"),
                own("forceNewDeployment", "true"),
                own("secretId", "gateway/production/database")
            ]
        );
        assert_eq!((event.error.as_deref(), event.read_only), (Some("AccessDenied"), false));
        assert_eq!(event.resources, [own("", "arn:x")]);
        assert!(!format!("{event:?}").contains("hunter2"));
    }

    #[test]
    fn without_a_readable_record_the_summary_stands() {
        for written in [None, Some(""), Some("{"), Some("[1]"), Some(r#"{"requestParameters": "x"}"#)] {
            let sdk = Event::builder()
                .read_only("true")
                .set_cloud_trail_event(written.map(ToOwned::to_owned))
                .build();
            let event = from_sdk(sdk);
            assert!(event.read_only && event.parameters.is_empty() && event.error.is_none(), "{written:?}");
        }
        let empty = from_sdk(Event::builder().build());
        assert_eq!((empty.at, empty.read_only, empty.user), (Wall(0), false, None));
    }
}
