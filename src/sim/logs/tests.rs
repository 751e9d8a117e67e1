//! A small world over the five stacks, for the tests of the operations.

use serde_json::{Value, json};

use super::*;
use crate::sim::stack::{ACCOUNT, Stack};

/// 2026-11-20T12:00:00Z, a Friday.
pub(super) const NOON: i64 = 1_795_176_000_000;
const HOUR: i64 = 3_600_000;

/// The groups of a stack with as many tasks as are desired, born two days ago, and one that died an hour ago.
pub(super) fn groups(stack: &str) -> Groups {
    let stack = Stack::builtin(stack).unwrap().unwrap();
    let mut groups: Vec<Group> = stack
        .log_groups
        .iter()
        .map(|group| Group {
            name: group.name.clone(),
            created: Wall(NOON).minus(group.age.0),
            retention_days: group.retention_days,
            emitters: Vec::new(),
        })
        .collect();
    for service in &stack.services {
        let family = stack.family(&service.task_definition).unwrap();
        for number in 0..=service.desired {
            let task = format!("{:032x}", chance::mix(chance::text(&service.name), u64::from(number)));
            for container in &family.containers {
                let born = Wall(NOON - 48 * HOUR);
                let mut emitter = Emitter::new(1, &task, container, &family.containers, service.load, born);
                if number == 0 {
                    emitter.stopping = Some(Wall(NOON - HOUR));
                    emitter.died = Some(Wall(NOON - HOUR + 3_000));
                }
                let group = groups.iter_mut().find(|g| g.name == container.log.group).unwrap();
                group.emitters.push(Arc::new(emitter));
            }
        }
    }
    Groups { account: ACCOUNT.to_owned(), region: stack.region, groups }
}

pub(super) fn ask(operation: &str, groups: &Groups, now: i64, input: Value) -> Result<Value, ApiError> {
    answer(operation, groups, Wall(now), &input).unwrap()
}

fn strings<'a>(value: &'a Value, list: &str, field: &str) -> Vec<&'a str> {
    value[list].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

#[test]
fn groups_are_found_by_prefix_and_pattern_in_pages() {
    let gov = groups("gov");
    let all = ask("DescribeLogGroups", &gov, NOON, json!({})).unwrap();
    assert_eq!(strings(&all, "logGroups", "logGroupName"), ["/ecs/gov-ai-service", "/ecs/gov-backend"]);
    let group = &all["logGroups"][1];
    assert_eq!(group["logGroupArn"], "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/gov-backend");
    assert_eq!(group["arn"], "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/gov-backend:*");
    assert_eq!(group["retentionInDays"], 30);
    assert!(group["storedBytes"].as_i64().unwrap() > 1_000_000);
    let page = ask("DescribeLogGroups", &gov, NOON, json!({ "limit": 1 })).unwrap();
    assert_eq!(strings(&page, "logGroups", "logGroupName"), ["/ecs/gov-ai-service"]);
    let page =
        ask("DescribeLogGroups", &gov, NOON, json!({ "limit": 1, "nextToken": page["nextToken"] })).unwrap();
    assert_eq!(strings(&page, "logGroups", "logGroupName"), ["/ecs/gov-backend"]);
    assert!(page.get("nextToken").is_none());
    let found = ask("DescribeLogGroups", &gov, NOON, json!({ "logGroupNamePattern": "BACK" })).unwrap();
    assert_eq!(strings(&found, "logGroups", "logGroupName"), ["/ecs/gov-backend"]);
    let found = ask("DescribeLogGroups", &gov, NOON, json!({ "logGroupNamePrefix": "/aws/" })).unwrap();
    assert_eq!(found, json!({ "logGroups": [] }));
}

#[test]
fn streams_are_ordered_by_name_or_time_and_every_one_is_listed_once() {
    let groups = groups("codeguardians");
    let everything: Vec<String> =
        groups.groups[0].emitters.iter().map(|emitter| emitter.stream.clone()).collect();
    assert_eq!(everything.len(), 21, "seven containers in three tasks");
    for order in ["LogStreamName", "LastEventTime"] {
        for descending in [false, true] {
            let mut seen = Vec::new();
            let mut token = Value::Null;
            loop {
                let input = json!({
                    "logGroupName": "/ecs/codeguardians-gateway", "orderBy": order, "descending": descending,
                    "limit": 4, "nextToken": token,
                });
                let page = ask("DescribeLogStreams", &groups, NOON, input).unwrap();
                for stream in page["logStreams"].as_array().unwrap() {
                    let name = stream["logStreamName"].as_str().unwrap().to_owned();
                    seen.push((stream["lastEventTimestamp"].as_i64().unwrap(), name));
                }
                token = page.get("nextToken").cloned().unwrap_or_default();
                if token.is_null() {
                    break;
                }
            }
            let mut sorted = seen.clone();
            sorted.sort_by_key(|(at, name)| (if order == "LastEventTime" { *at } else { 0 }, name.clone()));
            if descending {
                sorted.reverse();
            }
            assert_eq!(seen, sorted);
            let mut names: Vec<String> = seen.into_iter().map(|(_, name)| name).collect();
            names.sort();
            let mut wanted = everything.clone();
            wanted.sort();
            assert_eq!(names, wanted);
        }
    }
}

#[test]
fn a_stream_exists_from_the_start_of_its_container_until_its_events_are_gone() {
    let groups = groups("gov");
    let list = |now: i64| {
        let input = json!({ "logGroupIdentifier": "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/gov-backend:*" });
        ask("DescribeLogStreams", &groups, now, input).unwrap()["logStreams"].as_array().unwrap().len()
    };
    assert_eq!(list(NOON - 49 * HOUR), 0);
    assert_eq!(list(NOON), 6);
    assert_eq!(list(NOON + 30 * 24 * HOUR), 4, "the events of the dead task have passed their retention");
}

#[test]
fn what_does_not_exist_or_is_out_of_range_is_refused_with_aws_texts() {
    let groups = groups("gov");
    let refuse = |operation: &str, input: Value| {
        let error = ask(operation, &groups, NOON, input).unwrap_err();
        (error.status, error.code, error.message)
    };
    let not_found = |message: &str| (400, "ResourceNotFoundException".to_owned(), message.to_owned());
    let absent = not_found("The specified log group does not exist.");
    assert_eq!(refuse("FilterLogEvents", json!({ "logGroupName": "/ecs/none" })), absent);
    assert_eq!(refuse("DescribeLogStreams", json!({ "logGroupName": "/ecs/none" })), absent);
    let elsewhere = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/gov-backend";
    assert_eq!(refuse("FilterLogEvents", json!({ "logGroupIdentifier": elsewhere })), absent);
    assert_eq!(
        refuse("GetLogEvents", json!({ "logGroupName": "/ecs/gov-backend", "logStreamName": "none" })),
        not_found("The specified log stream does not exist.")
    );
    let group = "/ecs/gov-backend";
    for (operation, input) in [
        ("DescribeLogGroups", json!({ "limit": 51 })),
        ("DescribeLogGroups", json!({ "logGroupNamePrefix": "a", "logGroupNamePattern": "b" })),
        ("DescribeLogGroups", json!({ "nextToken": "§" })),
        ("DescribeLogStreams", json!({})),
        ("DescribeLogStreams", json!({ "logGroupName": group, "logGroupIdentifier": group })),
        ("DescribeLogStreams", json!({ "logGroupName": group, "orderBy": "Size" })),
        (
            "DescribeLogStreams",
            json!({ "logGroupName": group, "orderBy": "LastEventTime", "logStreamNamePrefix": "b" }),
        ),
        ("FilterLogEvents", json!({ "logGroupName": group, "limit": 10_001 })),
        ("FilterLogEvents", json!({ "logGroupName": group, "limit": 0 })),
        ("FilterLogEvents", json!({ "logGroupName": group, "startTime": 2, "endTime": 1 })),
        ("FilterLogEvents", json!({ "logGroupName": group, "startTime": -1 })),
        ("FilterLogEvents", json!({ "logGroupName": group, "filterPattern": "a-b" })),
        ("FilterLogEvents", json!({ "logGroupName": group, "nextToken": "x" })),
        ("FilterLogEvents", json!({ "logGroupName": group, "startTime": 1, "startFromHead": false })),
        ("FilterLogEvents", json!({ "logGroupName": group, "logStreamNames": vec!["a"; 101] })),
        ("GetLogEvents", json!({ "logGroupName": group })),
    ] {
        let told = input.to_string();
        assert_eq!(refuse(operation, input).1, "InvalidParameterException", "{operation} {told}");
    }
    let stream = &groups.groups[0].emitters[0].stream;
    let both = json!({ "logGroupName": group, "logStreamNamePrefix": "b", "logStreamNames": [stream] });
    assert_eq!(refuse("FilterLogEvents", both).1, "InvalidParameterException");
    assert_eq!(refuse("FilterLogEvents", json!({ "logGroupName": 4 })).1, "SerializationException");
    assert!(answer("PutLogEvents", &groups, Wall(NOON), &json!({})).is_none());
}
