//! The world by itself, in virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use super::event::Event;
use super::image::Behaviour;
use super::service::{Rollout, Threshold};
use super::task::{Status, TaskId};
use super::*;

const START: Wall = Wall(1_795_176_000_000);
const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/api:latest";

/// One service `api` in cluster `c`, on `:latest`, with an earlier deployment.
pub(crate) fn small(desired: u32, rollout: &str, more: &str) -> Stack {
    let text = format!(
        r#"
name = "small"
title = "Small"
region = "us-east-1"

[network]
vpc = "vpc-1"
cidr = "10.0.0.0/16"
subnets = [{{ name = "a", id = "subnet-1", zone = "us-east-1a", cidr = "10.0.1.0/24" }}]
security_groups = [{{ name = "sg", id = "sg-1" }}]

[[log_groups]]
name = "/ecs/api"

[[clusters]]
name = "c"
capacity_providers = ["FARGATE", "FARGATE_SPOT"]

[[task_definitions]]
family = "api"
revision = 3
age = "6d"
cpu = 256
memory = 512
execution_role = "exec"

[[task_definitions.containers]]
name = "api"
repository = "api"
tag = "latest"
log = {{ group = "/ecs/api", prefix = "ecs", format = "plain" }}

[[task_definitions.past]]
revision = 2
age = "20d"

[[task_definitions.past]]
revision = 1
age = "40d"
inactive = true

[[services]]
name = "api"
cluster = "c"
task_definition = "api"
desired = {desired}
habit = "latest-by-force"
subnets = ["a"]
security_groups = ["sg"]
rollout = {{ {rollout} }}
deployments = [
  {{ age = "6d", revision = 3, build = "bbbbbbb" }},
  {{ age = "20d", revision = 2, build = "aaaaaaa" }},
]
{more}
"#
    );
    Stack::parse("small.toml", &text).unwrap()
}

fn world(desired: u32, rollout: &str) -> World {
    World::new(vec![small(desired, rollout, "")], 7, START)
}

const USUAL: &str = "min_percent = 100, max_percent = 200";
const BREAKER: &str = "min_percent = 100, max_percent = 200, circuit_breaker = true, rollback = true";

fn crash() -> Behaviour {
    Behaviour::Crash { after: Duration::from_secs(5), exit_code: 1, text: None }
}

/// Advances second by second, handing the world to `look` each time, for at most `seconds`.
fn watch(world: &mut World, seconds: u64, mut look: impl FnMut(&World) -> bool) -> u64 {
    for second in 0..seconds {
        let next = world.now.plus(Duration::from_secs(1));
        world.advance(next);
        if look(world) {
            return second;
        }
    }
    panic!("it did not happen within {seconds} s: {:#?}", told(world));
}

fn told(world: &World) -> Vec<String> {
    world.events(0).into_iter().map(|event| event.message).collect()
}

fn primary(world: &World) -> &service::Deployment {
    world.services[0].primary().unwrap()
}

fn live(world: &World) -> Vec<&Task> {
    world.tasks.values().filter(|task| task.wanted).collect()
}

fn complete(world: &World) -> bool {
    primary(world).state == Rollout::Completed && world.services[0].deployments.len() == 1
}

#[test]
fn the_world_opens_with_a_past_and_in_a_steady_state() {
    let world = world(3, USUAL);
    assert_eq!(live(&world).len(), 3);
    assert!(live(&world).iter().all(|task| task.is_running() && task.healthy));
    assert_eq!(world.services[0].history.len(), 2);
    let events = world.events(0);
    assert!(events.iter().any(|event| event.message.ends_with("deployment completed.")));
    assert!(events.windows(2).all(|pair| pair[0].at >= pair[1].at) && events.len() <= 100);
    let ids: BTreeSet<String> = events.iter().map(Event::id).collect();
    assert_eq!(ids.len(), events.len());
}

#[test]
fn a_seed_makes_one_world() {
    let (mut one, mut other) = (world(3, USUAL), world(3, USUAL));
    for world in [&mut one, &mut other] {
        world.start_deployment(0, "api", 3);
        world.advance(START.plus(Duration::from_secs(300)));
    }
    assert_eq!(told(&one), told(&other));
    let ids = |world: &World| world.tasks.keys().copied().collect::<BTreeSet<TaskId>>();
    assert_eq!(ids(&one), ids(&other));
}

#[test]
fn a_world_advanced_in_one_step_is_the_one_advanced_in_many() {
    let (mut one, mut other) = (world(4, USUAL), world(4, USUAL));
    one.start_deployment(0, "api", 3);
    other.start_deployment(0, "api", 3);
    one.advance(START.plus(Duration::from_secs(600)));
    for second in 0..=600 {
        other.advance(START.plus(Duration::from_secs(second)));
    }
    assert_eq!(told(&one), told(&other));
}

#[test]
fn a_task_goes_through_its_statuses_in_order() {
    let mut world = world(0, USUAL);
    world.set_desired(0, 1);
    let mut seen: Vec<Status> = Vec::new();
    let mut note = |world: &World| {
        if let Some(task) = world.tasks.values().next()
            && seen.last() != Some(&task.status)
        {
            seen.push(task.status);
        }
    };
    for tenth in 1..=1_200 {
        world.advance(START.plus(Duration::from_millis(100 * tenth)));
        note(&world);
    }
    world.set_desired(0, 0);
    for tenth in 1_200..=3_000 {
        world.advance(START.plus(Duration::from_millis(100 * tenth)));
        note(&world);
    }
    use Status::*;
    assert_eq!(seen, [Provisioning, Pending, Activating, Running, Stopping, Deprovisioning, Stopped]);
    let task = world.tasks.values().next().unwrap().clone();
    let instants = [
        Some(task.created_at),
        task.pull_started_at,
        task.pull_stopped_at,
        task.started_at,
        task.stopping_at,
        task.execution_stopped_at,
        task.stopped_at,
    ];
    assert!(instants.iter().all(Option::is_some) && instants.is_sorted(), "{instants:?}");
}

#[test]
fn a_stopped_task_is_forgotten_after_an_hour_but_its_log_stream_stays() {
    let mut world = world(1, USUAL);
    let id = live(&world)[0].id;
    world.stop_for_user(id, "opsdeck: restart");
    world.advance(START.plus(Duration::from_secs(3_500)));
    let stop = world.tasks[&id].stop.clone().unwrap();
    assert_eq!((&*stop.code, stop.reason.as_str()), ("UserInitiated", "opsdeck: restart"));
    world.advance(START.plus(Duration::from_secs(4_200)));
    assert!(!world.tasks.contains_key(&id));
    assert_eq!(live(&world).len(), 1);
    let groups = world.log_groups("us-east-1", &["/ecs/api".to_owned()]);
    assert!(groups.groups[0].emitters.iter().any(|emitter| emitter.stream == format!("ecs/api/{id}")));
}

#[test]
fn a_rollout_keeps_within_its_percentages_and_completes() {
    for (desired, rollout, least, most) in [
        (4, "min_percent = 100, max_percent = 200", 4, 8),
        (4, "min_percent = 50, max_percent = 100", 2, 4),
        (3, "min_percent = 50, max_percent = 150", 2, 4),
        (1, "min_percent = 0, max_percent = 100", 0, 1),
    ] {
        let mut world = world(desired, rollout);
        let number = world.start_deployment(0, "api", 3).unwrap();
        watch(&mut world, 900, |world| {
            let (all, healthy) = (live(world).len(), live(world).iter().filter(|task| task.healthy).count());
            assert!(all <= most, "{desired} with {rollout}: {all} tasks");
            assert!(healthy >= least, "{desired} with {rollout}: {healthy} healthy");
            complete(world)
        });
        assert_eq!(primary(&world).number, number);
        assert_eq!(primary(&world).reason, format!("ECS deployment ecs-svc/{number} completed."));
        assert_eq!(world.services[0].history[0].status, "SUCCESSFUL");
        assert!(live(&world).iter().all(|task| task.deployment == number));
        assert!(told(&world)[0].ends_with("has reached a steady state."), "{:?}", told(&world)[0]);
    }
}

#[test]
fn percentages_that_leave_no_room_are_complained_about_once() {
    let mut world = world(3, "min_percent = 100, max_percent = 125");
    world.start_deployment(0, "api", 3);
    world.advance(START.plus(Duration::from_secs(1_800)));
    let stuck = told(&world)
        .iter()
        .filter(|message| message.contains("minimumHealthyPercent or maximumPercent"))
        .count();
    assert_eq!((stuck, primary(&world).state), (1, Rollout::InProgress));
    assert_eq!(live(&world).len(), 3);
}

#[test]
fn a_forced_deployment_resolves_its_tag_and_running_tasks_do_not() {
    let mut world = world(1, USUAL);
    let before = primary(&world).number;
    let old = world.images(0, before).unwrap();
    let pushed = world.push_image("us-east-1", IMAGE, "ccccccc", Behaviour::Healthy);
    assert_eq!(world.images(0, before).unwrap(), old);
    let number = world.start_deployment(0, "api", 3).unwrap();
    world.push_image("us-east-1", IMAGE, "ddddddd", Behaviour::Healthy);
    assert_eq!(world.images(0, number).unwrap()[0].digest, Some(pushed));
}

#[test]
fn the_breaker_rolls_back_to_the_last_good_revision() {
    let mut world = world(2, BREAKER);
    let good = primary(&world).number;
    world.push_image("us-east-1", IMAGE, "bad", crash());
    let bad = world.start_deployment(0, "api", 3).unwrap();
    watch(&mut world, 900, |world| {
        assert!(live(world).iter().filter(|task| task.healthy).count() >= 2);
        complete(world)
    });
    assert_eq!(primary(&world).number, good);
    let record = world.services[0].history[0].clone();
    assert_eq!(
        (record.target, record.status, record.rollback.map(|found| found.2)),
        (bad, "ROLLBACK_SUCCESSFUL", Some(good))
    );
    assert!(record.failures >= 3);
    let events = told(&world);
    assert!(events.iter().any(|message| {
        message.contains(&format!("(deployment ecs-svc/{bad}) deployment failed: tasks failed to start."))
    }));
    assert!(
        events.iter().any(|message| message.contains(&format!("rolling back to deployment ecs-svc/{good}.")))
    );
}

#[test]
fn without_a_breaker_a_bad_deployment_goes_on_for_ever() {
    let mut world = world(1, USUAL);
    world.push_image("us-east-1", IMAGE, "bad", crash());
    world.start_deployment(0, "api", 3);
    world.advance(START.plus(Duration::from_secs(1_800)));
    assert_eq!(primary(&world).state, Rollout::InProgress);
    assert!(primary(&world).failed_tasks > 10, "{}", primary(&world).failed_tasks);
    assert!(live(&world).iter().any(|task| task.healthy));
}

#[test]
fn a_breaker_with_nothing_to_go_back_to_stalls() {
    let mut world = world(1, BREAKER);
    world.services[0].last_good = None;
    world.push_image("us-east-1", IMAGE, "bad", crash());
    world.start_deployment(0, "api", 3);
    watch(&mut world, 900, |world| primary(world).state == Rollout::Failed);
    let tasks = world.tasks.len();
    world.advance(world.now.plus(Duration::from_secs(600)));
    assert_eq!(world.tasks.len(), tasks);
    assert_eq!(world.services[0].history[0].status, "STOPPED");
}

#[test]
fn a_count_as_threshold_is_obeyed() {
    let mut world = world(1, BREAKER);
    world.services[0].breaker.threshold = Threshold::Count(6);
    world.push_image("us-east-1", IMAGE, "bad", crash());
    world.start_deployment(0, "api", 3);
    watch(&mut world, 1_800, |world| world.services[0].history[0].rollback.is_some());
    assert_eq!(world.services[0].history[0].failures, 6);
}

#[test]
fn an_image_that_is_gone_slows_launches_down() {
    let mut world = world(1, USUAL);
    world.regions.get_mut("us-east-1").unwrap().images.delete(IMAGE);
    world.start_deployment(0, "api", 3);
    world.advance(START.plus(Duration::from_secs(7_200)));
    let first_hour = |from: u64| {
        let (from, to) = (START.plus(Duration::from_secs(from)), START.plus(Duration::from_secs(from + 600)));
        world.services[0]
            .events
            .iter()
            .filter(|event| event.at >= from && event.at < to && event.message.contains("has started"))
            .count()
    };
    assert!(
        first_hour(0) > first_hour(6_000) && first_hour(6_000) <= 1,
        "{} {}",
        first_hour(0),
        first_hour(6_000)
    );
    assert_eq!(
        told(&world)
            .iter()
            .filter(|message| message.contains("is unable to consistently start tasks"))
            .count(),
        1
    );
    let failed = world
        .tasks
        .values()
        .find_map(|task| task.stop.clone().filter(|stop| &*stop.code == "TaskFailedToStart"))
        .unwrap();
    assert!(failed.reason.contains(IMAGE), "{}", failed.reason);
}

#[test]
fn a_steady_service_says_so_every_six_hours() {
    let mut world = world(1, USUAL);
    world.advance(START.plus(Duration::from_secs(86_400)));
    let steady: Vec<Wall> = world.services[0]
        .events
        .iter()
        .filter(|event| event.message.ends_with("steady state."))
        .map(|event| event.at)
        .collect();
    assert_eq!(steady.len(), 4);
    assert!(steady.windows(2).all(|pair| pair[1].age_at(pair[0]) == event::SILENCE));
}

#[test]
fn a_service_on_spot_loses_a_task_and_gets_another() {
    let mut stack = small(2, USUAL, "capacity = [{ provider = \"FARGATE_SPOT\" }]\n");
    let incident = "at = \"20s\"\nkind = \"spot-reclaim\"\nservice = \"api\"\n";
    stack.timeline = vec![toml::from_str(incident).unwrap()];
    let mut world = World::new(vec![stack], 7, START);
    world.advance(START.plus(Duration::from_secs(200)));
    let stops: Vec<_> = world.tasks.values().filter_map(|task| task.stop.clone()).collect();
    assert_eq!(stops.len(), 1);
    assert_eq!(
        (&*stops[0].code, stops[0].reason.as_str()),
        ("SpotInterruption", "Your Spot Task was interrupted.")
    );
    assert_eq!(
        live(&world).iter().filter(|task| task.provider.as_deref() == Some("FARGATE_SPOT")).count(),
        2
    );
}

#[test]
fn each_condition_shows_within_the_warm_up() {
    for (condition, message) in [
        ("crash-loop", "has started 2 tasks"),
        ("cannot-pull", "has started 1 tasks"),
        ("unhealthy", "failed container health checks."),
        ("no-capacity", "Capacity is unavailable at this time."),
    ] {
        let world = World::new(vec![small(2, USUAL, &format!("condition = \"{condition}\"\n"))], 7, START);
        assert!(told(&world).iter().any(|said| said.contains(message)), "{condition}: {:#?}", told(&world));
    }
}

#[test]
fn a_fleet_starts_without_building_what_nobody_asked_for() {
    let stack = Stack::fleet(2_000, 3).unwrap();
    let wanted: u32 = stack.services.iter().map(|service| service.desired).sum();
    let world = World::new(vec![stack], 3, START);
    assert_eq!(world.services.len(), 2_000);
    assert!(world.tasks.len() > wanted as usize / 2);
}

#[test]
fn a_bad_release_leaves_its_last_words_in_the_log() {
    let mut stack = small(1, BREAKER, "");
    let incident = "at = \"5s\"\nkind = \"bad-deploy\"\nservice = \"api\"\ntext = \"KeyError: 'DATABASE_URL'\"\nexit_code = 3\n";
    stack.timeline = vec![toml::from_str(incident).unwrap()];
    let mut world = World::new(vec![stack], 7, START);
    world.advance(START.plus(Duration::from_secs(90)));
    let groups = world.log_groups("us-east-1", &[]);
    let words: Vec<_> =
        groups.groups[0].emitters.iter().filter_map(|emitter| emitter.last_words.clone()).collect();
    assert!(!words.is_empty() && words.iter().all(|said| said == "KeyError: 'DATABASE_URL'"), "{words:?}");
    let codes: BTreeSet<_> = world.tasks.values().filter_map(|task| task.stop.clone()?.culprit?.1).collect();
    assert_eq!(codes, BTreeSet::from([3]));
}
