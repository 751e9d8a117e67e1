//! Every incident that comes with the program: it is of the schema, it can be played, and it shows.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::NamedIncident;
use crate::sim::stack::Stack;
use crate::sim::world::World;
use crate::sim::world::service::Rollout;
use crate::stdx::clock::Wall;

/// 2026-11-20T12:00:00Z.
const NOON: Wall = Wall(1_795_176_000_000);

fn named(name: &str) -> NamedIncident {
    NamedIncident::builtin(name).unwrap().unwrap_or_else(|error| panic!("{error}"))
}

fn opened(incident: &NamedIncident) -> World {
    let stacks = Stack::builtins().map(|name| Stack::builtin(name).unwrap().unwrap()).collect();
    World::with_incident(stacks, 7, NOON, Some(incident))
}

fn service(world: &World, name: &str) -> usize {
    world.services.iter().position(|found| &*found.name == name).unwrap()
}

fn running(world: &World, name: &str) -> usize {
    let service = service(world, name);
    world.tasks.values().filter(|task| task.service == service && task.is_running()).count()
}

/// Reasons of the tasks of a service that have stopped since an instant: of the task, and of its culprit.
fn stops(world: &World, name: &str, since: Wall) -> Vec<String> {
    let service = service(world, name);
    world
        .tasks
        .values()
        .filter(|task| task.service == service && task.stopping_at.is_some_and(|at| at >= since))
        .filter_map(|task| task.stop.as_ref())
        .map(|stop| {
            let (_, code, reason) = stop.culprit.clone().unwrap_or_default();
            format!("{} {} {code:?} {}", stop.code, stop.reason, reason.unwrap_or_default())
        })
        .collect()
}

fn said(world: &World, name: &str, text: &str) -> bool {
    world.events(service(world, name)).iter().any(|event| event.message.contains(text))
}

/// How many lines with a text a log group got in the last five minutes.
fn lines(world: &World, region: &str, group: &str, text: &str) -> usize {
    let groups = world.log_groups(region, &[group.to_owned()]);
    let input = json!({
        "logGroupName": group,
        "startTime": world.now.minus(Duration::from_secs(300)).0,
        "endTime": world.now.0,
        "filterPattern": format!("\"{text}\""),
        "limit": 1000,
    });
    let answer = crate::sim::logs::answer("FilterLogEvents", &groups, world.now, &input).unwrap().unwrap();
    answer["events"].as_array().unwrap().len()
}

/// What an operator sees of the incident in ECS and its logs when the world opens.
fn shows(world: &World, name: &str) -> bool {
    let since = NOON.minus(Duration::from_secs(1_200));
    let any = |reasons: Vec<String>, text: &str| reasons.iter().any(|reason| reason.contains(text));
    let primary = |name: &str| world.services[service(world, name)].primary().unwrap().state;
    match name {
        "bad-image-tag" => {
            any(stops(world, "cma-frontend-production", since), "CannotPullContainerError")
                && primary("cma-frontend-production") == Rollout::InProgress
                && said(world, "cma-frontend-production", "unable to consistently start tasks")
        }
        "out-of-memory" => {
            let stops = stops(world, "migrate-backend-service", since);
            stops.iter().filter(|stop| stop.contains("Some(137) OutOfMemoryError")).count() >= 3
        }
        "secret-key-removed" => {
            any(stops(world, "gateway-service", since), "did not contain json key DATABASE_URL")
                && running(world, "gateway-service") == 1
        }
        "rotation-stuck" => {
            let secret = world.vault.find("us-east-1", "codeguardians-gateway/production/database").unwrap();
            secret.is_rotating()
                && lines(world, "us-east-1", "/ecs/codeguardians-gateway", "password authentication failed")
                    > 5
        }
        "health-check-path" => {
            said(world, "cma-api-production", "Health checks failed with these codes: [404]")
                && primary("cma-api-production") == Rollout::InProgress
        }
        "database-storage-full" => {
            lines(world, "us-east-1", "/ecs/gov-backend", "No space left on device") > 5
                && any(stops(world, "gov-backend", since), "Essential container")
        }
        "connections-exhausted" => {
            running(world, "saas-backend") == 6
                && lines(world, "me-south-1", "/ecs/saas-backend", "remaining connection slots are reserved")
                    > 5
        }
        "slow-queries" => {
            lines(world, "eu-west-2", "/ecs/cma-production", "canceling statement due to statement timeout")
                > 5
        }
        "failover" => lines(world, "us-east-1", "/ecs/gov-backend", "Connection terminated unexpectedly") > 5,
        "spot-reclaim" => {
            let stops = stops(world, "cma-workers-production", since);
            stops.iter().filter(|stop| stop.starts_with("SpotInterruption")).count() >= 3
        }
        "capacity-unavailable" => {
            said(world, "saas-backend", "Capacity is unavailable at this time")
                && running(world, "saas-backend") == 2
        }
        "cpu-at-maximum" => running(world, "gateway-service") == 6,
        "5xx-after-deployment" => {
            primary("saas-backend") == Rollout::Completed
                && lines(world, "me-south-1", "/ecs/saas-backend", "UndefinedColumnError") > 5
        }
        "log-group-deleted" => {
            any(stops(world, "gov-ai-service", since), "failed to validate logger args")
                && running(world, "gov-ai-service") == 1
        }
        "expired-credentials" => world.faults_due.iter().any(|rule| rule.to_string() == "*:expired"),
        "throttling" => world.faults_due.len() == 2,
        _ => panic!("{name} has no symptom here"),
    }
}

#[test]
fn every_incident_parses_and_tells_its_cause_in_a_sentence() {
    let mut names = BTreeSet::new();
    for name in NamedIncident::builtins() {
        let incident = named(name);
        assert_eq!(incident.name, name);
        assert!(names.insert(name), "{name} stands there twice");
        assert!(incident.cause.ends_with('.') && incident.cause.len() > 40, "{name}: {}", incident.cause);
        assert!(!incident.events.is_empty() && !incident.title.is_empty());
        assert!(incident.events.iter().any(|event| event.at.millis <= 0), "{name} does not show at once");
    }
    assert_eq!(names.len(), 16);
}

#[test]
fn every_incident_shows_when_the_world_opens_and_goes_on_for_half_an_hour() {
    let healthy =
        World::new(Stack::builtins().map(|name| Stack::builtin(name).unwrap().unwrap()).collect(), 7, NOON);
    let mut unseen = Vec::new();
    for name in NamedIncident::builtins() {
        let incident = named(name);
        let mut world = opened(&incident);
        if !shows(&world, name) {
            unseen.push(name);
        }
        assert!(!shows(&healthy, name), "{name} shows in a healthy world");
        for minute in 1..=30_u64 {
            world.advance(NOON.plus(Duration::from_secs(60 * minute)));
        }
        assert_eq!(world.begun, [name]);
    }
    assert!(unseen.is_empty(), "no symptom of {}", unseen.join(", "));
}

#[test]
fn nothing_else_happens_beside_a_named_incident() {
    let mut world = opened(&named("rotation-stuck"));
    world.advance(NOON.plus(Duration::from_secs(600)));
    for (index, service) in world.services.iter().enumerate() {
        assert_eq!(service.deployments.len(), 1, "{}: {:#?}", service.name, world.events(index));
        assert_eq!(running(&world, &service.name) as u32, service.desired, "{}", service.name);
    }
}

#[test]
fn an_incident_can_begin_in_a_running_world() {
    let mut world = World::new(vec![Stack::builtin("gov").unwrap().unwrap()], 7, NOON);
    assert!(!world.begin(&named("slow-queries")), "its stack is not there");
    assert!(world.begin(&named("log-group-deleted")));
    world.advance(NOON.plus(Duration::from_secs(240)));
    assert!(said(&world, "gov-ai-service", "has started 1 tasks"));
    assert!(
        stops(&world, "gov-ai-service", NOON)
            .iter()
            .any(|stop| stop.contains("failed to validate logger args"))
    );
    let groups = world.log_groups("us-east-1", &[]);
    assert!(!groups.groups.iter().any(|group| group.name == "/ecs/gov-ai-service"));
}

#[test]
fn what_happens_to_a_database_comes_to_one_place() {
    let world = opened(&named("failover"));
    let [(_, region, database, _)] = world.database_troubles.as_slice() else {
        panic!("{:?}", world.database_troubles);
    };
    assert_eq!((region.as_str(), database.as_str()), ("us-east-1", "gov-db"));
}

#[test]
fn a_deployment_of_an_incident_is_in_the_trail_with_its_author() {
    let world = opened(&named("bad-image-tag"));
    let told = world.trail.newest_first("eu-west-2");
    let names: Vec<(&str, &str)> =
        told.iter().take(2).map(|entry| (entry.deed.name.as_str(), entry.deed.by.name())).collect();
    assert_eq!(names, [("UpdateService", "tom.r"), ("RegisterTaskDefinition", "tom.r")]);
    let image =
        told[1].deed.request.pointer("/containerDefinitions/0/image").and_then(Value::as_str).unwrap();
    assert!(image.ends_with("cma-frontend:b8c1fO4"), "{image}");
}

#[test]
fn a_slip_in_an_incident_is_named() {
    let text = include_str!("spot-reclaim.toml");
    let error = |text: &str| NamedIncident::parse("mine.toml", text).unwrap_err().to_string();
    assert!(error(&text.replace("stack = \"cma\"", "stack = \"moon\"")).contains("there is no stack `moon`"));
    assert!(
        error(&text.replace("cma-workers-production", "cma-api-production")).contains("runs no Spot tasks")
    );
    assert!(
        error(&text.replacen("sick = \"cma-workers-production\"", "sick = \"nobody\"", 1))
            .contains("`nobody`")
    );
    assert!(error(&text.replacen("at = \"-19m\"", "at = \"-19\"", 1)).contains("is not a span of time"));
}
