//! Rotations by themselves, in virtual time; and what a missing secret does to a task.

use std::time::Duration;

use serde_json::json;

use super::*;

/// 2026-11-20T12:00:00Z.
const NOON: Wall = Wall(1_795_176_000_000);
const TOKEN: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";

fn world() -> World {
    World::new(vec![Stack::builtin("codeguardians").unwrap().unwrap()], 7, NOON)
}

fn place(world: &World, name: &str) -> usize {
    world.vault.place("us-east-1", name).unwrap()
}

fn stages(world: &World, place: usize) -> Vec<(String, Vec<String>)> {
    world.vault.secrets[place]
        .versions
        .iter()
        .map(|version| (version.id.clone(), version.stages.clone()))
        .collect()
}

#[test]
fn a_rotation_takes_four_steps_and_then_moves_the_labels() {
    let mut world = world();
    let place = place(&world, "codeguardians-gateway/production/database");
    let before = world.vault.secrets[place].staged("AWSCURRENT").unwrap().id.clone();
    assert_eq!(world.rotate(place, TOKEN.to_owned()), Ok(()));
    assert!(world.vault.secrets[place].is_rotating());
    assert_eq!(world.vault.secrets[place].staged("AWSPENDING").unwrap().id, TOKEN);
    assert!(!world.vault.secrets[place].versions[0].filled, "createSecret has not run yet");
    assert_eq!(world.rotate(place, "x".repeat(32)), Err(Refusal::NotComplete));
    world.advance(NOON.plus(Duration::from_secs(30)));
    let secret = &world.vault.secrets[place];
    assert!(!secret.is_rotating() && secret.rotating.is_none());
    assert_eq!(secret.staged("AWSCURRENT").unwrap().id, TOKEN);
    assert_eq!(secret.staged("AWSPREVIOUS").unwrap().id, before);
    assert!(secret.rotated_at.unwrap() > NOON && secret.next_rotation.unwrap() > NOON.plus(DAY * 29));
    assert_eq!(stages(&world, place).iter().filter(|(_, stages)| !stages.is_empty()).count(), 2);
    let told = world.trail.newest_first("us-east-1");
    let own = told.iter().filter(|entry| entry.deed.source == "secretsmanager");
    let own: Vec<&str> = own.take(2).map(|entry| entry.deed.name.as_str()).collect();
    assert_eq!(own, ["RotationSucceeded", "RotationStarted"]);
}

#[test]
fn a_failing_function_leaves_the_pending_version_and_is_asked_again() {
    let mut world = world();
    let place = place(&world, "codeguardians-gateway/production/redis");
    world.vault.secrets[place].fails_at = Some(1);
    world.rotate(place, TOKEN.to_owned()).unwrap();
    world.advance(NOON.plus(Duration::from_secs(3_600)));
    assert!(world.vault.secrets[place].is_rotating());
    let failed = world.trail.newest_first("us-east-1");
    let failed = failed.iter().filter(|entry| entry.deed.name == "RotationFailed").count();
    assert_eq!(failed, MOST_ATTEMPTS as usize);
    // Once the function works, asking again is refused and carries the old rotation to its end.
    world.vault.secrets[place].fails_at = None;
    assert_eq!(world.rotate(place, "y".repeat(32)), Err(Refusal::NotComplete));
    world.advance(world.now.plus(Duration::from_secs(60)));
    assert_eq!(world.vault.secrets[place].staged("AWSCURRENT").unwrap().id, TOKEN);
}

#[test]
fn a_scheduled_rotation_happens_on_its_day() {
    // Without alarms, which would be evaluated each minute of three weeks.
    let mut stack = Stack::builtin("codeguardians").unwrap().unwrap();
    stack.alarms.clear();
    for service in &mut stack.services {
        service.autoscaling = None;
    }
    let mut world = World::new(vec![stack], 7, NOON);
    let place = place(&world, "codeguardians-gateway/production/redis");
    let next = world.vault.secrets[place].next_rotation.unwrap();
    assert!(next > NOON.plus(DAY * 18) && next <= NOON.plus(DAY * 19));
    world.advance(next.plus(Duration::from_secs(60)));
    assert!(world.vault.secrets[place].rotated_at.unwrap() >= next);
}

#[test]
fn a_secret_is_found_by_name_arn_and_partial_arn_in_its_region_only() {
    let world = world();
    let secret = &world.vault.secrets[place(&world, "codeguardians-gateway/production")];
    let partial = "arn:aws:secretsmanager:us-east-1:123456789012:secret:codeguardians-gateway/production";
    assert_eq!(secret.arn.len(), partial.len() + 7);
    for id in [secret.arn.as_str(), partial, "codeguardians-gateway/production"] {
        assert_eq!(world.vault.find("us-east-1", id).map(|found| &found.arn), Some(&secret.arn), "{id}");
        assert!(world.vault.find("eu-west-2", id).is_none());
    }
}

/// `stoppedReason` of a task that a new deployment starts, if any could not start.
fn next_start(world: &mut World) -> Option<String> {
    world.start_deployment(0, "codeguardians-gateway", 14);
    world.advance(world.now.plus(Duration::from_secs(60)));
    let failed = world.tasks.values().filter_map(|task| task.stop.as_ref());
    failed.filter(|stop| stop.code == "TaskFailedToStart").map(|stop| stop.reason.clone()).next()
}

#[test]
fn a_task_whose_secret_is_gone_cannot_start() {
    assert_eq!(next_start(&mut world()), None);

    let mut deleted = world();
    let main = place(&deleted, "codeguardians-gateway/production");
    deleted.delete_secret(main, Some(7));
    let reason = next_start(&mut deleted).unwrap();
    assert!(
        reason.starts_with("ResourceInitializationError: unable to pull secrets or registry auth:"),
        "{reason}"
    );
    assert!(reason.contains("marked for deletion"), "{reason}");

    let mut gone = world();
    gone.delete_secret(main, None);
    assert!(next_start(&mut gone).unwrap().contains("can't find the specified secret"));

    let mut keyless = world();
    keyless.put_secret(
        main,
        TOKEN.to_owned(),
        vec!["DATABASE_URL".to_owned()],
        &["AWSCURRENT".to_owned()],
        None,
    );
    assert!(next_start(&mut keyless).unwrap().contains("did not contain json key"));
}

#[test]
fn a_missing_parameter_or_role_stops_starts_too() {
    let mut world = World::new(vec![Stack::builtin("saas").unwrap().unwrap()], 7, NOON);
    world.vault.parameters.retain(|parameter| parameter.spec.name != "/saas/production/ai-soft-limit");
    world.start_deployment(0, "saas-backend", 31);
    world.advance(NOON.plus(Duration::from_secs(40)));
    let reasons = world.tasks.values().filter_map(|task| task.stop.as_ref()).map(|stop| stop.reason.as_str());
    assert!(
        reasons
            .into_iter()
            .any(|reason| reason.contains("invalid ssm parameters: saas/production/ai-soft-limit"))
    );

    let mut world = World::new(vec![Stack::builtin("gov").unwrap().unwrap()], 7, NOON);
    world.deleted_roles.insert("gov-ecs-execution-role".to_owned());
    world.set_desired(0, 3);
    world.advance(NOON.plus(Duration::from_secs(30)));
    let said = world.events(0);
    assert!(
        said[0].message.contains(
            "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/gov-ecs-execution-role'"
        ),
        "{said:#?}"
    );
}

#[test]
fn a_definition_that_a_client_registers_is_checked_like_a_stacks() {
    let mut world = world();
    let request = json!({
        "family": "codeguardians-gateway", "cpu": "256", "memory": "512",
        "containerDefinitions": [{
            "name": "gateway", "image": "public.ecr.aws/nginx/nginx:1.27",
            "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/nowhere" } },
        }],
    });
    let revision = world.register("us-east-1", "codeguardians-gateway", &request).revision;
    world.start_deployment(0, "codeguardians-gateway", revision);
    world.advance(NOON.plus(Duration::from_secs(40)));
    let mut reasons = world.tasks.values().filter_map(|task| task.stop.as_ref()).map(|stop| &stop.reason);
    assert!(reasons.any(|reason| reason.contains("failed to validate logger args")));
}
