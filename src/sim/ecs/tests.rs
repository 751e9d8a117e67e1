//! Operations against a world, without a wire.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

mod write;

use super::handle;
use crate::sim::reply::ApiError;
use crate::sim::stack::Stack;
use crate::sim::world::World;
use crate::sim::world::tests::small;
use crate::stdx::clock::Wall;

const START: Wall = Wall(1_795_176_000_000);

fn world() -> World {
    World::new(vec![small(2, "min_percent = 100, max_percent = 200", "")], 7, START)
}

fn call(world: &mut World, operation: &str, input: Value) -> Value {
    handle(world, "us-east-1", operation, &input).unwrap()
}

fn refused(world: &mut World, operation: &str, input: Value) -> ApiError {
    handle(world, "us-east-1", operation, &input).unwrap_err()
}

fn described(world: &mut World) -> Value {
    call(world, "DescribeServices", json!({"cluster": "c", "services": ["api"]}))["services"][0].take()
}

/// All items of a list operation, and the sizes of its pages.
fn all(world: &mut World, operation: &str, key: &str, mut input: Value) -> (Vec<String>, Vec<usize>) {
    let (mut items, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let answer = call(world, operation, input.clone());
        let page: Vec<String> =
            answer[key].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect();
        sizes.push(page.len());
        items.extend(page);
        match answer.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => return (items, sizes),
        }
    }
}

#[test]
fn lists_of_every_size_are_paged_completely() {
    for count in [0, 1, 9, 10, 11, 99, 100, 101, 250] {
        let stack = Stack::fleet(count, 5).unwrap();
        let cluster = stack.clusters[0].name.clone();
        let region = stack.region.clone();
        let mut world = World::new(vec![stack], 5, START);
        assert_eq!(region, "us-east-1");
        for (size, usual) in [(None, 10), (Some(100), 100)] {
            let mut input = json!({"cluster": cluster});
            if let Some(size) = size {
                input["maxResults"] = json!(size);
            }
            let (items, sizes) = all(&mut world, "ListServices", "serviceArns", input);
            assert_eq!(items.iter().collect::<BTreeSet<_>>().len(), count);
            assert_eq!(sizes.len(), count.div_ceil(usual).max(1));
        }
    }
}

#[test]
fn a_page_survives_a_service_that_goes_away() {
    let stack = Stack::fleet(30, 5).unwrap();
    let cluster = stack.clusters[0].name.clone();
    let mut world = World::new(vec![stack], 5, START);
    let first = call(&mut world, "ListServices", json!({"cluster": cluster}));
    let gone = first["serviceArns"][2].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let index = world.find("us-east-1", &cluster, &gone).unwrap();
    world.delete_service(index);
    let mut input = json!({"cluster": cluster, "nextToken": first["nextToken"]});
    let (rest, _) = all(&mut world, "ListServices", "serviceArns", input.take());
    assert_eq!(rest.len(), 20);
}

#[test]
fn requests_that_aws_refuses_are_refused() {
    let mut world = world();
    let eleven: Vec<String> = (0..11).map(|n| format!("s{n}")).collect();
    for (operation, input, code) in [
        ("ListServices", json!({}), "ClusterNotFoundException"),
        ("ListServices", json!({"cluster": "c", "maxResults": 101}), "InvalidParameterException"),
        ("ListServices", json!({"cluster": "c", "nextToken": "!"}), "InvalidParameterException"),
        ("ListServices", json!({"cluster": 7}), "SerializationException"),
        ("DescribeServices", json!({"cluster": "c", "services": []}), "InvalidParameterException"),
        ("DescribeServices", json!({"cluster": "c", "services": eleven}), "InvalidParameterException"),
        ("DescribeTasks", json!({"cluster": "c"}), "InvalidParameterException"),
        (
            "ListTasks",
            json!({"cluster": "c", "startedBy": "x", "serviceName": "api"}),
            "InvalidParameterException",
        ),
        ("ListTasks", json!({"cluster": "c", "serviceName": "nope"}), "ServiceNotFoundException"),
        ("DescribeTaskDefinition", json!({"taskDefinition": "api:99"}), "ClientException"),
        ("UpdateService", json!({"cluster": "c", "service": "nope"}), "ServiceNotFoundException"),
        (
            "UpdateService",
            json!({"cluster": "c", "service": "api", "desiredCount": -1}),
            "InvalidParameterException",
        ),
        (
            "UpdateService",
            json!({"cluster": "c", "service": "api", "taskDefinition": "api:1"}),
            "ClientException",
        ),
        ("StopTask", json!({"cluster": "c", "task": "zz"}), "InvalidParameterException"),
        ("RegisterTaskDefinition", json!({"family": "a b"}), "ClientException"),
        ("CreateCluster", json!({}), "UnknownOperationException"),
    ] {
        let error = refused(&mut world, operation, input.clone());
        assert_eq!(error.code, code, "{operation} {input}: {}", error.message);
    }
    assert_eq!(
        refused(
            &mut world,
            "UpdateService",
            json!({"cluster": "c", "service": "api", "taskDefinition": "api:1"})
        )
        .message,
        "TaskDefinition is inactive"
    );
}

#[test]
fn what_does_not_exist_is_a_failure_and_no_error() {
    let mut world = world();
    let found = call(&mut world, "DescribeServices", json!({"cluster": "c", "services": ["api", "nope"]}));
    assert_eq!(found["services"].as_array().unwrap().len(), 1);
    assert_eq!(
        found["failures"],
        json!([{"arn": "arn:aws:ecs:us-east-1:123456789012:service/c/nope", "reason": "MISSING"}])
    );
    let tasks = call(
        &mut world,
        "DescribeTasks",
        json!({"cluster": "c", "tasks": ["00000000000000000000000000000000"]}),
    );
    assert_eq!(tasks["failures"][0]["reason"], "MISSING");
}

#[test]
fn a_forced_deployment_is_followed_by_its_id() {
    let mut world = world();
    let update = json!({"cluster": "c", "service": "api", "forceNewDeployment": true});
    let service = call(&mut world, "UpdateService", update)["service"].take();
    let id = service["deployments"][0]["id"].clone();
    assert_eq!(service["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert_eq!(service["deployments"][1]["status"], "ACTIVE");
    world.advance(START.plus(Duration::from_secs(600)));
    let service = described(&mut world);
    assert_eq!(
        (&service["deployments"][0]["id"], &service["deployments"][0]["rolloutState"]),
        (&id, &json!("COMPLETED"))
    );
    let deployments = call(
        &mut world,
        "DescribeServiceDeployments",
        json!({"serviceDeploymentArns": [service["currentServiceDeployment"]]}),
    );
    assert_eq!(deployments["serviceDeployments"][0]["status"], "SUCCESSFUL");
    let by = call(&mut world, "ListTasks", json!({"cluster": "c", "startedBy": id}));
    assert_eq!(by["taskArns"].as_array().unwrap().len(), 2);
}

#[test]
fn only_what_must_starts_a_deployment() {
    let mut world = world();
    let before = described(&mut world)["deployments"][0]["id"].clone();
    let update = json!({"cluster": "c", "service": "api", "desiredCount": 3, "enableExecuteCommand": true, "taskDefinition": "api:3",
        "deploymentConfiguration": {"minimumHealthyPercent": 50, "maximumPercent": 150}});
    let service = call(&mut world, "UpdateService", update)["service"].take();
    assert_eq!(service["deployments"][0]["id"], before);
    assert_eq!(service["deploymentConfiguration"]["maximumPercent"], 150);
    let service = call(
        &mut world,
        "UpdateService",
        json!({"cluster": "c", "service": "api", "taskDefinition": "api:2"}),
    )["service"]
        .take();
    assert_ne!(service["deployments"][0]["id"], before);
}

#[test]
fn a_deployment_in_progress_can_be_stopped_and_a_finished_one_cannot() {
    let mut world = world();
    let done = described(&mut world)["currentServiceDeployment"].clone();
    assert_eq!(
        refused(&mut world, "StopServiceDeployment", json!({"serviceDeploymentArn": done})).code,
        "ConflictException"
    );
    let before = described(&mut world)["deployments"][0]["id"].clone();
    let service = call(
        &mut world,
        "UpdateService",
        json!({"cluster": "c", "service": "api", "forceNewDeployment": true}),
    )["service"]
        .take();
    world.advance(START.plus(Duration::from_secs(50)));
    call(
        &mut world,
        "StopServiceDeployment",
        json!({"serviceDeploymentArn": service["currentServiceDeployment"], "stopType": "ROLLBACK"}),
    );
    world.advance(START.plus(Duration::from_secs(600)));
    let service = described(&mut world);
    assert_eq!(service["deployments"][0]["id"], before);
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    let history = call(
        &mut world,
        "ListServiceDeployments",
        json!({"cluster": "c", "service": "api", "status": ["ROLLBACK_SUCCESSFUL"]}),
    );
    assert_eq!(history["serviceDeployments"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_registered_can_be_read_back_and_deployed() {
    let mut world = world();
    let mut request =
        call(&mut world, "DescribeTaskDefinition", json!({"taskDefinition": "api"}))["taskDefinition"].take();
    request["containerDefinitions"][0]["image"] =
        json!("123456789012.dkr.ecr.us-east-1.amazonaws.com/api:typo");
    let registered = call(&mut world, "RegisterTaskDefinition", request)["taskDefinition"].take();
    assert_eq!(registered["revision"], 4);
    let listed = call(&mut world, "ListTaskDefinitions", json!({"familyPrefix": "api", "sort": "DESC"}));
    assert_eq!(listed["taskDefinitionArns"][0], registered["taskDefinitionArn"]);
    assert_eq!(listed["taskDefinitionArns"].as_array().unwrap().len(), 3);
    call(&mut world, "UpdateService", json!({"cluster": "c", "service": "api", "taskDefinition": "api:4"}));
    world.advance(START.plus(Duration::from_secs(120)));
    let stopped = call(&mut world, "ListTasks", json!({"cluster": "c", "desiredStatus": "STOPPED"}));
    let tasks = call(&mut world, "DescribeTasks", json!({"cluster": "c", "tasks": stopped["taskArns"]}));
    let reason = tasks["tasks"][0]["stoppedReason"].as_str().unwrap();
    assert!(reason.starts_with("CannotPullContainerError") && reason.contains("api:typo"), "{reason}");
    assert_eq!(tasks["tasks"][0]["stopCode"], "TaskFailedToStart");
}

#[test]
fn reads_may_lag_behind_a_write_but_not_for_long() {
    let mut world = world();
    world.lag = true;
    let written =
        call(&mut world, "UpdateService", json!({"cluster": "c", "service": "api", "desiredCount": 5}));
    assert_eq!(written["service"]["desiredCount"], 5);
    let mut seen: BTreeSet<u64> =
        (0..40).map(|_| described(&mut world)["desiredCount"].as_u64().unwrap()).collect();
    assert_eq!(seen, BTreeSet::from([2, 5]));
    world.advance(START.plus(Duration::from_millis(700)));
    seen = (0..40).map(|_| described(&mut world)["desiredCount"].as_u64().unwrap()).collect();
    assert_eq!(seen, BTreeSet::from([5]));
}

#[test]
fn a_task_is_described_as_fargate_describes_it() {
    let mut world = world();
    let arns = call(&mut world, "ListTasks", json!({"cluster": "c", "serviceName": "api"}));
    let task = call(
        &mut world,
        "DescribeTasks",
        json!({"cluster": "c", "tasks": arns["taskArns"], "include": ["TAGS"]}),
    )["tasks"][0]
        .take();
    for key in [
        "attachments",
        "availabilityZone",
        "connectivity",
        "pullStartedAt",
        "startedAt",
        "startedBy",
        "version",
        "ephemeralStorage",
    ] {
        assert!(task.get(key).is_some(), "{key}");
    }
    let container = &task["containers"][0];
    let interface = &container["networkInterfaces"][0];
    let details = task["attachments"][0]["details"].as_array().unwrap();
    assert!(
        details.contains(&json!({"name": "privateIPv4Address", "value": interface["privateIpv4Address"]}))
    );
    let runtime = container["runtimeId"].as_str().unwrap();
    assert!(task["taskArn"].as_str().unwrap().ends_with(runtime.split('-').next().unwrap()), "{runtime}");
    assert!(container["imageDigest"].as_str().is_some_and(|digest| digest.len() == 71));
}
