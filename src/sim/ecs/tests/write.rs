//! What writes do to a world: deployments, hooks, tasks of one's own.

use super::*;
use crate::sim::world::image::Behaviour;

const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/api:latest";

fn with(rollout: &str, more: &str) -> World {
    World::new(vec![small(2, rollout, more)], 7, START)
}

fn update(world: &mut World, mut input: Value) -> Value {
    input["cluster"] = json!("c");
    input["service"] = json!("api");
    call(world, "UpdateService", input)["service"].take()
}

fn pass(world: &mut World, seconds: u64) {
    let now = world.now;
    world.advance(now.plus(Duration::from_secs(seconds)));
}

fn deployment(world: &mut World, arn: &Value) -> Value {
    call(world, "DescribeServiceDeployments", json!({"serviceDeploymentArns": [arn]}))["serviceDeployments"]
        [0]
    .take()
}

fn revision(world: &mut World, arn: &Value) -> Value {
    call(world, "DescribeServiceRevisions", json!({"serviceRevisionArns": [arn]}))["serviceRevisions"][0]
        .take()
}

fn run(world: &mut World, command: Value, more: Value) -> Value {
    let mut input = json!({
        "cluster": "c", "taskDefinition": "api",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
        "overrides": {"containerOverrides": [{"name": "api", "command": command}]},
    });
    for (key, value) in more.as_object().unwrap() {
        input[key] = value.clone();
    }
    call(world, "RunTask", input)
}

fn described_task(world: &mut World, arn: &Value) -> Value {
    call(world, "DescribeTasks", json!({"cluster": "c", "tasks": [arn], "include": ["TAGS"]}))["tasks"][0]
        .take()
}

#[test]
fn what_was_not_sent_stays() {
    let mut world = world();
    let before = described(&mut world);
    let after = update(&mut world, json!({"healthCheckGracePeriodSeconds": 30, "propagateTags": "NONE"}));
    assert_eq!(after["propagateTags"], "NONE");
    for key in [
        "desiredCount",
        "deploymentConfiguration",
        "networkConfiguration",
        "deployments",
        "enableExecuteCommand",
    ] {
        assert_eq!(after[key], before[key], "{key}");
    }
}

#[test]
fn what_is_not_played_is_refused_unless_it_changes_nothing() {
    let mut world = world();
    let before = described(&mut world);
    let mut input = json!({"cluster": "c", "service": "api", "deploymentConfiguration": {
        "alarms": {"alarmNames": [], "enable": false, "rollback": false}, "bakeTimeInMinutes": 0, "strategy": "ROLLING"}});
    for key in ["loadBalancers", "serviceRegistries", "placementConstraints"] {
        input[key] = before[key].clone();
    }
    let after = call(&mut world, "UpdateService", input)["service"].take();
    assert_eq!(after["deployments"][0]["id"], before["deployments"][0]["id"]);
    for (key, value) in [
        ("loadBalancers", json!([{"targetGroupArn": "x", "containerName": "api", "containerPort": 80}])),
        ("volumeConfigurations", json!([])),
        ("deploymentConfiguration", json!({"bakeTimeInMinutes": 5})),
        (
            "deploymentConfiguration",
            json!({"alarms": {"alarmNames": ["a"], "enable": true, "rollback": true}}),
        ),
        ("deploymentConfiguration", json!({"strategy": "CANARY"})),
    ] {
        let mut input = json!({"cluster": "c", "service": "api"});
        input[key] = value;
        assert_eq!(refused(&mut world, "UpdateService", input).code, "UnsupportedFeatureException", "{key}");
    }
}

#[test]
fn another_network_is_deployed_and_a_rollback_brings_the_old_one_back() {
    let mut world = world();
    let before = described(&mut world);
    let wanted = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": [], "assignPublicIp": "ENABLED"}});
    let after = update(&mut world, json!({"networkConfiguration": wanted}));
    assert_eq!(after["networkConfiguration"], wanted);
    assert_eq!(after["deployments"][1]["networkConfiguration"], before["networkConfiguration"]);
    let stop = json!({"serviceDeploymentArn": after["currentServiceDeployment"]});
    call(&mut world, "StopServiceDeployment", stop);
    assert_eq!(described(&mut world)["networkConfiguration"], before["networkConfiguration"]);
    // The same network again is no change.
    let same = update(&mut world, json!({"networkConfiguration": before["networkConfiguration"]}));
    assert_eq!(same["deployments"][0]["id"], before["deployments"][0]["id"]);
}

#[test]
fn a_capacity_strategy_is_changed_by_force_alone() {
    let mut world = world();
    let spot = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]);
    let asked = json!({"cluster": "c", "service": "api", "capacityProviderStrategy": spot});
    let error = refused(&mut world, "UpdateService", asked);
    assert!(error.message.contains("you must force a new deployment"), "{error}");
    let after = update(&mut world, json!({"capacityProviderStrategy": spot, "forceNewDeployment": true}));
    assert_eq!((&after["capacityProviderStrategy"], after.get("launchType")), (&spot, None));
    pass(&mut world, 600);
    let tasks = call(&mut world, "ListTasks", json!({"cluster": "c"}));
    let tasks = call(&mut world, "DescribeTasks", json!({"cluster": "c", "tasks": tasks["taskArns"]}));
    assert!(
        tasks["tasks"].as_array().unwrap().iter().all(|task| task["capacityProviderName"] == "FARGATE_SPOT")
    );
}

#[test]
fn a_deleted_service_is_not_active_and_other_controllers_deploy_by_themselves() {
    let mut world = with("", "controller = \"code-deploy\"");
    let ask = |more: Value| {
        let mut input = json!({"cluster": "c", "service": "api"});
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        input
    };
    let error = refused(&mut world, "UpdateService", ask(json!({"taskDefinition": "api:2"})));
    assert_eq!(
        error,
        ApiError::invalid_parameter(
            "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
        )
    );
    let error = refused(&mut world, "UpdateService", ask(json!({"forceNewDeployment": true})));
    assert!(
        error.message.starts_with("Cannot force a new deployment on services with a CODE_DEPLOY"),
        "{error}"
    );
    let changed = update(&mut world, json!({"desiredCount": 3}));
    assert_eq!(
        (&changed["desiredCount"], &changed["deploymentController"]["type"]),
        (&json!(3), &json!("CODE_DEPLOY"))
    );
    assert_eq!(changed["deployments"][0].get("rolloutState"), None);
    let index = world.find("us-east-1", "c", "api").unwrap();
    world.delete_service(index);
    let error = refused(&mut world, "UpdateService", ask(json!({"desiredCount": 1})));
    assert_eq!(error.code, "ServiceNotActiveException");
}

#[test]
fn a_forced_deployment_starts_what_the_tag_means_now_and_old_tasks_keep_their_digest() {
    let mut world = world();
    let old = described(&mut world)["currentServiceRevisions"][0]["arn"].take();
    let before = revision(&mut world, &old)["containerImages"][0]["imageDigest"].take();
    let pushed = world.push_image("us-east-1", IMAGE, "ccccccc", Behaviour::Healthy);
    assert_ne!(before, json!(pushed));
    update(&mut world, json!({"desiredCount": 3}));
    pass(&mut world, 120);
    let digests = |world: &mut World| -> BTreeSet<String> {
        let tasks = call(world, "ListTasks", json!({"cluster": "c"}));
        let tasks = call(world, "DescribeTasks", json!({"cluster": "c", "tasks": tasks["taskArns"]}));
        let digest = |task: &Value| task["containers"][0]["imageDigest"].as_str().unwrap().to_owned();
        tasks["tasks"].as_array().unwrap().iter().map(digest).collect()
    };
    assert_eq!(digests(&mut world), BTreeSet::from([before.as_str().unwrap().to_owned()]));
    let forced = update(&mut world, json!({"forceNewDeployment": true}));
    let new = revision(&mut world, &forced["currentServiceRevisions"][0]["arn"]);
    assert_eq!(new["containerImages"][0]["imageDigest"], json!(pushed));
    assert_eq!(revision(&mut world, &old)["containerImages"][0]["imageDigest"], before);
    pass(&mut world, 600);
    assert_eq!(digests(&mut world), BTreeSet::from([pushed]));
}

#[test]
fn an_image_by_digest_is_pinned_and_one_that_is_gone_cannot_be_pulled() {
    let mut world = world();
    let good = world.push_image("us-east-1", IMAGE, "bbbbbbb", Behaviour::Healthy);
    let repository = IMAGE.trim_end_matches(":latest");
    world.push_image("us-east-1", IMAGE, "ccccccc", Behaviour::Healthy);
    let mut definition =
        call(&mut world, "DescribeTaskDefinition", json!({"taskDefinition": "api"}))["taskDefinition"].take();
    definition["containerDefinitions"][0]["image"] = json!(format!("{repository}@{good}"));
    call(&mut world, "RegisterTaskDefinition", definition.clone());
    let after = update(&mut world, json!({"taskDefinition": "api:4"}));
    let pinned = revision(&mut world, &after["currentServiceRevisions"][0]["arn"]);
    assert_eq!(pinned["containerImages"][0]["imageDigest"], json!(good));
    pass(&mut world, 600);
    assert_eq!(described(&mut world)["deployments"][0]["rolloutState"], "COMPLETED");

    world.remove_image("us-east-1", &good);
    update(&mut world, json!({"desiredCount": 3}));
    pass(&mut world, 60);
    let stopped = call(&mut world, "ListTasks", json!({"cluster": "c", "desiredStatus": "STOPPED"}));
    let tasks = call(&mut world, "DescribeTasks", json!({"cluster": "c", "tasks": stopped["taskArns"]}));
    let reasons: Vec<&str> = tasks["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["stoppedReason"].as_str().unwrap())
        .collect();
    assert!(reasons.iter().any(|reason| reason.contains(&format!("{good}: not found"))), "{reasons:?}");

    definition["containerDefinitions"][0]["image"] = json!(format!("{repository}@sha256:{}", "0".repeat(64)));
    call(&mut world, "RegisterTaskDefinition", definition);
    let after = update(&mut world, json!({"taskDefinition": "api:5"}));
    let unknown = revision(&mut world, &after["currentServiceRevisions"][0]["arn"]);
    assert_eq!(unknown["containerImages"][0].get("imageDigest"), None);
}

#[test]
fn past_deployments_of_one_tag_differ_by_digest() {
    let mut world = world();
    let listed = call(&mut world, "ListServiceDeployments", json!({"cluster": "c", "service": "api"}));
    let digests: BTreeSet<String> = listed["serviceDeployments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let revision = revision(&mut world, &found["targetServiceRevisionArn"]);
            assert_eq!(revision["containerImages"][0]["image"], IMAGE);
            revision["containerImages"][0]["imageDigest"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(digests.len(), 2);
}

#[test]
fn a_pause_hook_waits_for_somebody() {
    let hook = json!({"deploymentConfiguration": {"lifecycleHooks": [{
        "targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"], "timeoutConfiguration": {"timeoutInMinutes": 30},
    }]}, "forceNewDeployment": true});
    for (action, state) in [
        (Some("CONTINUE"), "SUCCESSFUL"),
        (Some("ROLLBACK"), "ROLLBACK_SUCCESSFUL"),
        (None, "ROLLBACK_SUCCESSFUL"),
    ] {
        let mut world = world();
        let arn = update(&mut world, hook.clone())["currentServiceDeployment"].take();
        pass(&mut world, 600);
        // What runs is kept up meanwhile.
        let lost = call(&mut world, "ListTasks", json!({"cluster": "c"}))["taskArns"][0].take();
        call(&mut world, "StopTask", json!({"cluster": "c", "task": lost}));
        pass(&mut world, 120);
        let kept = described(&mut world);
        assert_eq!((&kept["runningCount"], &kept["deployments"][1]["runningCount"]), (&json!(2), &json!(2)));
        let shown = described(&mut world)["deploymentConfiguration"]["lifecycleHooks"][0].take();
        assert_eq!(
            (&shown["targetType"], &shown["timeoutConfiguration"]["action"]),
            (&json!("PAUSE"), &json!("ROLLBACK"))
        );
        let waiting = deployment(&mut world, &arn);
        let found = &waiting["lifecycleHookDetails"][0];
        assert_eq!(
            (&found["status"], &waiting["lifecycleStage"]),
            (&json!("AWAITING_ACTION"), &json!("PRE_SCALE_UP"))
        );
        assert_eq!(waiting["targetServiceRevision"]["runningTaskCount"], 0);
        let mut ask = json!({"serviceDeploymentArn": arn, "hookId": "another"});
        assert_eq!(
            refused(&mut world, "ContinueServiceDeployment", ask.clone()).code,
            "InvalidParameterException"
        );
        ask["hookId"] = found["hookId"].clone();
        match action {
            Some(action) => {
                ask["action"] = json!(action);
                call(&mut world, "ContinueServiceDeployment", ask.clone());
                pass(&mut world, 600);
            }
            // Nobody decides: the hook gives up.
            None => pass(&mut world, 30 * 60),
        }
        assert_eq!(deployment(&mut world, &arn)["status"], state, "{action:?}");
        assert_eq!(refused(&mut world, "ContinueServiceDeployment", ask).code, "InvalidParameterException");
    }
}

#[test]
fn a_count_outside_the_bounds_is_brought_back() {
    let mut world = with(
        "",
        "autoscaling = { min = 1, max = 4, metric = \"ECSServiceAverageCPUUtilization\", target = 60 }",
    );
    assert_eq!(update(&mut world, json!({"desiredCount": 9}))["desiredCount"], 9);
    pass(&mut world, 90);
    assert_eq!(described(&mut world)["desiredCount"], 4);
    update(&mut world, json!({"desiredCount": 0}));
    pass(&mut world, 90);
    assert_eq!(described(&mut world)["desiredCount"], 0);
}

#[test]
fn a_stopped_task_tells_who_stopped_it_and_is_replaced() {
    let mut world = world();
    let arn = call(&mut world, "ListTasks", json!({"cluster": "c"}))["taskArns"][0].take();
    let task =
        call(&mut world, "StopTask", json!({"cluster": "c", "task": arn, "reason": "ops: hangs"}))["task"]
            .take();
    assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("UserInitiated"), &json!("ops: hangs")));
    pass(&mut world, 240);
    assert_eq!(described_task(&mut world, &arn)["lastStatus"], "STOPPED");
    let service = described(&mut world);
    assert_eq!((&service["runningCount"], &service["pendingCount"]), (&json!(2), &json!(0)));
    assert!(
        !call(&mut world, "ListTasks", json!({"cluster": "c"}))["taskArns"]
            .as_array()
            .unwrap()
            .contains(&arn)
    );
}

#[test]
fn tags_and_all_that_was_registered_are_read_back() {
    let mut world = world();
    let request = json!({
        "family": "job", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{"name": "job", "image": "alpine:3", "dockerLabels": {"a": "b"}}],
        "tags": [{"key": "team", "value": "ops"}], "pidMode": "task",
    });
    let made = call(&mut world, "RegisterTaskDefinition", request.clone())["taskDefinition"].take();
    assert_eq!((&made["revision"], &made["status"]), (&json!(1), &json!("ACTIVE")));
    let found =
        call(&mut world, "DescribeTaskDefinition", json!({"taskDefinition": "job", "include": ["TAGS"]}));
    assert_eq!(found["tags"], request["tags"]);
    assert_eq!(found["taskDefinition"]["pidMode"], "task");
    let container = &found["taskDefinition"]["containerDefinitions"][0];
    assert_eq!((&container["essential"], &container["dockerLabels"]["a"]), (&json!(true), &json!("b")));
    call(&mut world, "DeregisterTaskDefinition", json!({"taskDefinition": "job:1"}));
    let gone =
        call(&mut world, "DescribeTaskDefinition", json!({"taskDefinition": "job:1"}))["taskDefinition"]
            .take();
    assert_eq!(gone["status"], "INACTIVE");
    assert_eq!(call(&mut world, "RegisterTaskDefinition", request.clone())["taskDefinition"]["revision"], 2);
    for (pointer, wrong, said) in [
        ("/memory", json!("700"), "No Fargate configuration exists for given values: 256 CPU, 700 memory"),
        ("/networkMode", json!("bridge"), "Fargate only supports network mode"),
        ("/containerDefinitions/0/image", json!(""), "Container.image should not be null or empty"),
        ("/containerDefinitions", json!([]), "Container list cannot be empty"),
    ] {
        let mut bad = request.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        let error = refused(&mut world, "RegisterTaskDefinition", bad);
        assert!(error.code == "ClientException" && error.message.contains(said), "{error}");
    }
}

#[test]
fn a_task_of_ones_own_runs_its_command_and_ends() {
    let mut world = world();
    let answer = run(
        &mut world,
        json!(["sh", "-c", "echo migrating; sleep 20; exit 3"]),
        json!({"startedBy": "ops", "tags": [{"key": "why", "value": "drill"}]}),
    );
    let arn = answer["tasks"][0]["taskArn"].clone();
    assert_eq!(
        (&answer["tasks"][0]["lastStatus"], &answer["failures"]),
        (&json!("PROVISIONING"), &json!([]))
    );
    let listed = call(&mut world, "ListTasks", json!({"cluster": "c", "startedBy": "ops"}));
    assert_eq!(listed["taskArns"], json!([arn]));
    let of_service = call(&mut world, "ListTasks", json!({"cluster": "c", "serviceName": "api"}));
    assert!(!of_service["taskArns"].as_array().unwrap().contains(&arn));
    pass(&mut world, 300);
    let task = described_task(&mut world, &arn);
    assert_eq!(
        (&task["lastStatus"], &task["stopCode"]),
        (&json!("STOPPED"), &json!("EssentialContainerExited"))
    );
    assert_eq!((&task["containers"][0]["exitCode"], &task["group"]), (&json!(3), &json!("family:api")));
    assert_eq!(task["tags"], json!([{"key": "why", "value": "drill"}]));
    assert_eq!(task["overrides"]["containerOverrides"][0]["command"][0], "sh");
    assert_eq!(described(&mut world)["runningCount"], 2);
    let group = world.log_groups("us-east-1", &["/ecs/api".to_owned()]);
    let id = arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let own =
        group.groups[0].emitters.iter().find(|emitter| emitter.stream == format!("ecs/api/{id}")).unwrap();
    let lines = own.events(START.0, world.now.0, world.now.0);
    assert_eq!(lines.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), ["migrating"]);
}

#[test]
fn what_aws_refuses_to_run_is_refused() {
    let mut world = world();
    let subnets = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
    for (input, code) in [
        (json!({"cluster": "x", "taskDefinition": "api"}), "ClusterNotFoundException"),
        (json!({"cluster": "c", "taskDefinition": "nope"}), "ClientException"),
        (
            json!({"cluster": "c", "taskDefinition": "api:1", "networkConfiguration": subnets}),
            "InvalidParameterException",
        ),
        (json!({"cluster": "c", "taskDefinition": "api"}), "InvalidParameterException"),
        (
            json!({"cluster": "c", "taskDefinition": "api", "count": 11, "networkConfiguration": subnets}),
            "InvalidParameterException",
        ),
        (
            json!({"cluster": "c", "taskDefinition": "api", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-9"]}}}),
            "InvalidParameterException",
        ),
        (
            json!({"cluster": "c", "taskDefinition": "api", "networkConfiguration": subnets, "overrides": {"containerOverrides": [{"name": "no"}]}}),
            "InvalidParameterException",
        ),
        (
            json!({"cluster": "c", "taskDefinition": "api", "networkConfiguration": subnets, "platformVersion": "9"}),
            "PlatformUnknownException",
        ),
    ] {
        let error = refused(&mut world, "RunTask", input.clone());
        assert_eq!(error.code, code, "{input}: {}", error.message);
    }
    let first = run(&mut world, json!(["true"]), json!({"clientToken": "t"}));
    let again = run(&mut world, json!(["true"]), json!({"clientToken": "t"}));
    assert_eq!(first["tasks"][0]["taskArn"], again["tasks"][0]["taskArn"]);
    let mut other = json!({"cluster": "c", "taskDefinition": "api", "clientToken": "t"});
    other["networkConfiguration"] = subnets;
    assert_eq!(refused(&mut world, "RunTask", other).code, "ConflictException");
    let index = world.find("us-east-1", "c", "api").unwrap();
    world.services[index].no_capacity = true;
    let none = run(&mut world, json!(["true"]), json!({"count": 2}));
    assert_eq!((&none["tasks"], none["failures"].as_array().unwrap().len()), (&json!([]), 2));
}

#[test]
fn a_deployment_that_waits_can_be_stopped_and_waits_no_more() {
    let mut world = world();
    let hook = json!({"deploymentConfiguration": {"lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}]},
        "forceNewDeployment": true});
    let arn = update(&mut world, hook)["currentServiceDeployment"].take();
    pass(&mut world, 600);
    let waiting = deployment(&mut world, &arn);
    assert_eq!(
        (&waiting["lifecycleStage"], &waiting["status"]),
        (&json!("POST_SCALE_UP"), &json!("IN_PROGRESS"))
    );
    call(&mut world, "StopServiceDeployment", json!({"serviceDeploymentArn": arn}));
    let ask = json!({"serviceDeploymentArn": arn, "hookId": waiting["lifecycleHookDetails"][0]["hookId"]});
    assert_eq!(refused(&mut world, "ContinueServiceDeployment", ask).code, "InvalidParameterException");
    pass(&mut world, 900);
    assert_eq!(deployment(&mut world, &arn)["status"], "ROLLBACK_SUCCESSFUL");
}

#[test]
fn each_revision_of_each_system_can_be_registered_again() {
    for name in Stack::builtins() {
        let stack = Stack::builtin(name).unwrap().unwrap();
        let (region, definitions) = (stack.region.clone(), stack.task_definitions.clone());
        let mut world = World::new(vec![stack], 7, START);
        for definition in &definitions {
            for revision in definition.revisions() {
                let named = json!({"taskDefinition": format!("{}:{}", definition.family, revision.number)});
                let found =
                    handle(&mut world, &region, "DescribeTaskDefinition", &named).unwrap()["taskDefinition"]
                        .take();
                let again =
                    handle(&mut world, &region, "RegisterTaskDefinition", &found).unwrap()["taskDefinition"]
                        .take();
                for key in ["containerDefinitions", "cpu", "memory", "executionRoleArn", "networkMode"] {
                    assert_eq!(again[key], found[key], "{named} {key}");
                }
            }
        }
    }
}
