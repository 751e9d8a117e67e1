use super::*;
use crate::stdx::clock::Wall;

const NOON: Wall = Wall(1_795_176_000_000);

fn ask(world: &World, operation: &str, body: &str) -> Result<String, ApiError> {
    handle(world, "us-east-1", operation, &Fields::of(body.as_bytes()))
}

fn states(world: &World, group: &str) -> Vec<String> {
    let arn = target_group_arn("us-east-1", group);
    let xml = ask(world, "DescribeTargetHealth", &format!("TargetGroupArn={arn}")).unwrap();
    let parts = xml.split("<TargetHealth><State>").skip(1);
    parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
}

fn world(stacks: Vec<Stack>) -> World {
    World::new(stacks, 1, NOON)
}

#[test]
fn targets_are_the_running_tasks_and_drain_when_they_go() {
    let mut world = world(vec![Stack::builtin("gov").unwrap().unwrap()]);
    assert_eq!(states(&world, "gov-nginx"), ["healthy", "healthy"]);
    let arn = target_group_arn("us-east-1", "gov-nginx");
    let xml = ask(&world, "DescribeTargetHealth", &format!("TargetGroupArn={arn}")).unwrap();
    let service = world.find("us-east-1", "gov-cluster", "gov-backend").unwrap();
    let task = world.services[service]
        .tasks
        .iter()
        .filter_map(|id| world.tasks.get(id))
        .find(|t| t.is_running())
        .unwrap();
    assert!(
        xml.contains(&format!("<Id>{}</Id><Port>8080</Port>", world.services[service].address(task))),
        "{xml}"
    );
    let one = task.id;
    world.stop_for_user(one, "test");
    let mut seen = BTreeMap::new();
    for second in 0..180 {
        world.advance(NOON.plus(Duration::from_secs(second)));
        for state in states(&world, "gov-nginx") {
            seen.entry(state).or_insert(second);
        }
    }
    assert!(seen.contains_key("draining") && seen.contains_key("initial"), "{seen:?}");
    assert_eq!(states(&world, "gov-nginx"), ["healthy", "healthy"]);
}

#[test]
fn what_fails_its_check_is_unhealthy_with_a_reason() {
    let mut stack = Stack::builtin("gov").unwrap().unwrap();
    stack.services[0].condition = Some(crate::sim::stack::Condition::Unhealthy);
    let mut world = world(vec![stack]);
    let mut seen = Vec::new();
    for minute in 0..12 {
        world.advance(NOON.plus(Duration::from_secs(20 * minute)));
        seen.extend(states(&world, "gov-nginx"));
    }
    assert!(seen.iter().any(|state| state == "unhealthy"), "{seen:?}");
    assert!(seen.iter().all(|state| state != "healthy"), "{seen:?}");
}

#[test]
fn what_is_asked_for_must_be_there() {
    let world = world(vec![Stack::builtin("gov").unwrap().unwrap()]);
    let balancers = ask(&world, "DescribeLoadBalancers", "Names.member.1=gov-alb").unwrap();
    assert!(balancers.contains("<State><Code>active</Code></State>"), "{balancers}");
    let code = |operation: &str, body: &str| ask(&world, operation, body).unwrap_err().code;
    assert_eq!(code("DescribeLoadBalancers", "Names.member.1=nobody"), "LoadBalancerNotFound");
    assert_eq!(code("DescribeTargetGroups", "Names.member.1=nobody"), "TargetGroupNotFound");
    assert_eq!(code("DescribeTargetHealth", "TargetGroupArn=nothing"), "TargetGroupNotFound");
    let arn = load_balancer_arn("us-east-1", "gov-alb");
    let groups = ask(&world, "DescribeTargetGroups", &format!("LoadBalancerArn={arn}")).unwrap();
    assert!(groups.contains("<HealthCheckPath>/nginx-health</HealthCheckPath>"));
    let listeners = ask(&world, "DescribeListeners", &format!("LoadBalancerArn={arn}")).unwrap();
    assert!(listeners.contains(&target_group_arn("us-east-1", "gov-nginx")));
    let stranger = target_group_arn("us-east-1", "gov-nginx");
    let body = format!("TargetGroupArn={stranger}&Targets.member.1.Id=10.9.9.9");
    assert!(ask(&world, "DescribeTargetHealth", &body).unwrap().contains("Target.NotRegistered"));
}
