use super::*;
use crate::sim::stack::Stack;
use crate::stdx::clock::Wall;

fn world() -> World {
    World::new(vec![Stack::builtin("saas").unwrap().unwrap()], 1, Wall(1_795_176_000_000))
}

fn ask(world: &mut World, operation: &str, mut input: Value) -> Result<Value, ApiError> {
    input["ServiceNamespace"] = json!("ecs");
    handle(world, "me-south-1", operation, &input)
}

#[test]
fn targets_policies_and_activities_follow_the_stack() {
    let mut world = world();
    let targets = ask(&mut world, "DescribeScalableTargets", json!({})).unwrap();
    let bounds = |place: usize| {
        (
            targets["ScalableTargets"][place]["MinCapacity"].clone(),
            targets["ScalableTargets"][place]["MaxCapacity"].clone(),
        )
    };
    assert_eq!((bounds(0), bounds(1)), ((json!(2), json!(6)), (json!(1), json!(2))));
    let policies =
        ask(&mut world, "DescribeScalingPolicies", json!({ "ResourceId": "service/saas/saas-worker" }))
            .unwrap();
    let configuration = &policies["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"];
    assert_eq!(configuration["CustomizedMetricSpecification"]["MetricName"], "CeleryQueueDepth");
    let done =
        ask(&mut world, "DescribeScalingActivities", json!({ "ResourceId": "service/saas/saas-backend" }))
            .unwrap();
    assert_eq!(done["ScalingActivities"][0]["Description"], "Setting desired count to 2.");
    assert!(done["ScalingActivities"][0]["Cause"].as_str().unwrap().contains("AlarmLow"));
    let first = ask(&mut world, "DescribeScalableTargets", json!({ "MaxResults": 1 })).unwrap();
    let token = first["NextToken"].clone();
    let second =
        ask(&mut world, "DescribeScalableTargets", json!({ "MaxResults": 1, "NextToken": token })).unwrap();
    assert_eq!(second["ScalableTargets"][0]["ResourceId"], "service/saas/saas-worker");
    let other = json!({ "ServiceNamespace": "dynamodb" });
    let none = handle(&mut world, "me-south-1", "DescribeScalableTargets", &other).unwrap();
    assert_eq!(none["ScalableTargets"], json!([]));
}

#[test]
fn bounds_that_are_moved_past_the_desired_count_move_it() {
    let mut world = world();
    let id = json!("service/saas/saas-backend");
    let register = |world: &mut World, mut input: Value| {
        input["ResourceId"] = id.clone();
        input["ScalableDimension"] = json!(DIMENSION);
        ask(world, "RegisterScalableTarget", input)
    };
    register(&mut world, json!({ "MinCapacity": 4 })).unwrap();
    let service = world.find("me-south-1", "saas", "saas-backend").unwrap();
    assert_eq!(world.services[service].desired, 4);
    register(&mut world, json!({ "SuspendedState": { "DynamicScalingInSuspended": true } })).unwrap();
    let target = world.scaling_target(service).unwrap();
    assert_eq!((target.min, target.max, target.suspended), (4, 6, [true, false, false]));
    let done = ask(&mut world, "DescribeScalingActivities", json!({ "ResourceId": id })).unwrap();
    assert_eq!(done["ScalingActivities"][0]["Cause"], "minimum capacity was set to 4");
    assert_eq!(done["ScalingActivities"][0]["StatusCode"], "InProgress");
    let refused = register(&mut world, json!({ "MaxCapacity": 3 })).unwrap_err();
    assert_eq!(refused.code, "ValidationException");
    let nobody = json!({ "ResourceId": "service/saas/nobody", "ScalableDimension": DIMENSION, "MinCapacity": 1, "MaxCapacity": 2 });
    assert_eq!(ask(&mut world, "RegisterScalableTarget", nobody).unwrap_err().code, "ValidationException");
}

#[test]
fn a_policy_keeps_to_its_bounds_and_rests_while_it_is_suspended() {
    let desired = |input: Value| {
        let mut world = world();
        let service = world.find("me-south-1", "saas", "saas-backend").unwrap();
        let own = json!({ "ResourceId": "service/saas/saas-backend", "ScalableDimension": DIMENSION });
        let mut asked = own;
        asked.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        ask(&mut world, "RegisterScalableTarget", asked).unwrap();
        // The stack's campaign wants a third task by now.
        world.advance(Wall(1_795_176_000_000 + 400_000));
        world.services[service].desired
    };
    assert_eq!(desired(json!({})), 3);
    assert_eq!(desired(json!({ "SuspendedState": { "DynamicScalingOutSuspended": true } })), 2);
    assert_eq!(desired(json!({ "SuspendedState": { "DynamicScalingInSuspended": true } })), 3);
    assert_eq!(desired(json!({ "MaxCapacity": 2 })), 2);
}
