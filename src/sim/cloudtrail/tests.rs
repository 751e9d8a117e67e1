//! The event history against a world, without a wire.

use std::time::Duration;

use serde_json::{Value, json};

use super::handle;
use super::record::{changes, of_call};
use crate::sim::cloudwatch::wire::{self, build};
use crate::sim::reply::Reply;
use crate::sim::route::{Call, Protocol};
use crate::sim::stack::Stack;
use crate::sim::world::World;
use crate::sim::world::trail::{Actor, Deed};
use crate::stdx::clock::Wall;

/// 2026-11-20T12:00:00Z.
const NOON: Wall = Wall(1_795_176_000_000);

fn world() -> World {
    let stacks = Stack::builtins().map(|name| Stack::builtin(name).unwrap().unwrap()).collect();
    World::new(stacks, 7, NOON)
}

fn lookup(world: &mut World, region: &str, input: Value) -> Vec<Value> {
    let mut input = input;
    let mut events = Vec::new();
    loop {
        let answer = handle(world, region, "LookupEvents", &input).unwrap();
        let page = answer["Events"].as_array().unwrap();
        assert!(page.len() <= 50);
        events.extend(page.iter().cloned());
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => return events,
        }
    }
}

fn by(key: &str, value: &str) -> Value {
    json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]})
}

#[test]
fn the_past_day_tells_of_deployments_scalings_and_rotations() {
    let mut world = world();
    let events = lookup(&mut world, "us-east-1", json!({}));
    let times: Vec<f64> = events.iter().map(|event| event["EventTime"].as_f64().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "newest first");
    let updates = lookup(&mut world, "us-east-1", by("EventName", "UpdateService"));
    let inner: Value =
        serde_json::from_str(updates.last().unwrap()["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(inner["eventSource"], "ecs.amazonaws.com");
    let deployed = updates.iter().find(|event| event["Username"] == "github-actions").unwrap();
    assert_eq!(deployed["Resources"][0]["ResourceType"], "AWS::ECS::Service");
    let inner: Value = serde_json::from_str(deployed["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(inner["requestParameters"]["service"], "gov-backend");
    assert!(inner["requestParameters"]["taskDefinition"].as_str().unwrap().ends_with("gov-backend:48"));
    // 50 minutes before the start, as the stack's record says.
    assert_eq!(deployed["EventTime"].as_f64().unwrap(), NOON.as_secs_f64() - 3_000.0);
    assert!(updates.iter().any(|event| event["Username"] == "AutoScaling-UpdateDesiredCapacity"));
    let rotated = lookup(&mut world, "us-east-1", by("EventSource", "secretsmanager.amazonaws.com"));
    let names: Vec<&str> = rotated.iter().map(|event| event["EventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["RotationSucceeded", "UpdateSecretVersionStage", "PutSecretValue", "RotationStarted"]);
    let arn = rotated[0]["Resources"][0]["ResourceName"].as_str().unwrap().to_owned();
    assert_eq!(lookup(&mut world, "us-east-1", by("ResourceName", &arn)).len(), 4);
    assert!(lookup(&mut world, "us-east-1", by("ReadOnly", "true")).is_empty());
    assert_eq!(
        lookup(&mut world, "eu-west-2", by("EventName", "PutImage")).len(),
        4,
        "two services, two tags"
    );
}

#[test]
fn an_event_is_minutes_late() {
    let mut world = world();
    let who = Actor::User("somebody".to_owned());
    world.trail.tell(Deed::new(NOON, "us-east-1", "ecs", "StopTask", who));
    let found = |world: &mut World| lookup(world, "us-east-1", by("Username", "somebody")).len();
    world.advance(NOON.plus(Duration::from_secs(90)));
    assert_eq!(found(&mut world), 0);
    world.advance(NOON.plus(Duration::from_secs(430)));
    assert_eq!(found(&mut world), 1);
}

#[test]
fn pages_neither_repeat_nor_skip_and_times_bound_them() {
    let mut world = world();
    for number in 0..120_i64 {
        let who = Actor::User("somebody".to_owned());
        let at = Wall(NOON.0 - 3_600_000 - number / 3);
        world.trail.tell(Deed::new(at, "us-east-1", "ecs", "StopTask", who));
    }
    let all = lookup(&mut world, "us-east-1", by("Username", "somebody"));
    assert_eq!(all.len(), 120);
    let ids: std::collections::BTreeSet<&str> =
        all.iter().map(|event| event["EventId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 120);
    let start = NOON.as_secs_f64() - 3_600.0;
    let mut bounded = by("Username", "somebody");
    bounded["StartTime"] = json!(start - 0.009);
    bounded["EndTime"] = json!(start);
    assert_eq!(lookup(&mut world, "us-east-1", bounded).len(), 30);
}

#[test]
fn requests_are_checked() {
    let mut world = world();
    let mut code = |input: Value| handle(&mut world, "us-east-1", "LookupEvents", &input).unwrap_err().code;
    assert_eq!(code(json!({"MaxResults": 51})), "InvalidMaxResultsException");
    assert_eq!(code(json!({"StartTime": 2.0, "EndTime": 1.0})), "InvalidTimeRangeException");
    assert_eq!(code(by("Colour", "red")), "InvalidLookupAttributesException");
    assert_eq!(code(json!({"NextToken": "?"})), "InvalidNextTokenException");
}

#[test]
fn what_was_asked_for_is_told_in_each_protocol() {
    let input = build().with("AlarmNames", vec!["a".to_owned()]).done();
    let Reply::Cbor(cbor) = wire::write(Protocol::Cbor, &input) else { panic!("no CBOR") };
    for (protocol, body, due) in [
        (Protocol::Cbor, cbor, json!({"alarmNames": ["a"]})),
        (Protocol::Json, br#"{"AlarmNames": ["a"]}"#.to_vec(), json!({"alarmNames": ["a"]})),
        (Protocol::Query, b"Action=DisableAlarmActions&Name=a".to_vec(), json!({"name": "a"})),
    ] {
        let call = Call {
            protocol,
            service: "monitoring".to_owned(),
            region: "us-east-1".to_owned(),
            operation: "DisableAlarmActions".to_owned(),
            version: None,
            body: body.into(),
        };
        let head = hyper::Request::new(()).into_parts().0;
        let deed = of_call(&call, &head, NOON, &Ok(Reply::Json(json!({})))).unwrap();
        assert_eq!(deed.request, due, "{protocol:?}");
    }
}

#[test]
fn reads_are_told_from_changes() {
    for read in
        ["DescribeServices", "ListTasks", "GetLogEvents", "LookupEvents", "FilterLogEvents", "StartLiveTail"]
    {
        assert!(!changes(read), "{read}");
    }
    for change in ["UpdateService", "StopTask", "StopServiceDeployment", "RotateSecret", "PutSecretValue"] {
        assert!(changes(change), "{change}");
    }
}
