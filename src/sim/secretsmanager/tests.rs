//! Operations against a world, without a wire.

use std::time::Duration;

use serde_json::{Value, json};

use super::handle;
use crate::sim::stack::Stack;
use crate::sim::world::World;
use crate::stdx::clock::Wall;

/// 2026-11-20T12:00:00Z.
const NOON: Wall = Wall(1_795_176_000_000);
const DATABASE: &str = "codeguardians-gateway/production/database";

fn world() -> World {
    World::new(vec![Stack::builtin("codeguardians").unwrap().unwrap()], 7, NOON)
}

fn call(world: &mut World, operation: &str, input: Value) -> Value {
    handle(world, "us-east-1", operation, &input).unwrap()
}

fn refused(world: &mut World, operation: &str, input: Value) -> String {
    let error = handle(world, "us-east-1", operation, &input).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

fn names(listed: &Value) -> Vec<&str> {
    listed["SecretList"].as_array().unwrap().iter().map(|found| found["Name"].as_str().unwrap()).collect()
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let mut world = world();
    let by_name = json!({"SortBy": "name", "SortOrder": "asc"});
    let all = call(&mut world, "ListSecrets", by_name.clone());
    assert_eq!(names(&all).len(), 4);
    let mut paged = Vec::new();
    let mut input = json!({"SortBy": "name", "SortOrder": "asc", "MaxResults": 3});
    loop {
        let page = call(&mut world, "ListSecrets", input.clone());
        paged.extend(names(&page).iter().map(|name| (*name).to_owned()));
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(paged, names(&all));
    let filter = |values: Value| json!({"Filters": [{"Key": "name", "Values": values}]});
    let some = call(&mut world, "ListSecrets", filter(json!(["codeguardians-gateway/production/d"])));
    assert_eq!(names(&some), [DATABASE]);
    assert_eq!(
        names(&call(&mut world, "ListSecrets", filter(json!(["!codeguardians-gateway/production/"])))).len(),
        1
    );

    call(&mut world, "DeleteSecret", json!({"SecretId": DATABASE, "RecoveryWindowInDays": 7}));
    assert_eq!(names(&call(&mut world, "ListSecrets", json!({}))).len(), 3);
    let planned = call(&mut world, "ListSecrets", json!({"IncludePlannedDeletion": true}));
    assert_eq!(names(&planned).len(), 4);
    let described = call(&mut world, "DescribeSecret", json!({"SecretId": DATABASE}));
    assert!(described["DeletedDate"].as_f64().unwrap() > NOON.as_secs_f64() + 6.9 * 86_400.0);
    assert!(
        refused(&mut world, "RotateSecret", json!({"SecretId": DATABASE})).contains("marked for deletion")
    );
    call(&mut world, "RestoreSecret", json!({"SecretId": DATABASE}));
    assert_eq!(names(&call(&mut world, "ListSecrets", json!({}))).len(), 4);
    assert!(refused(&mut world, "ListSecrets", json!({"NextToken": "?"})).starts_with("InvalidNextToken"));
}

#[test]
fn a_secret_is_described_with_its_versions_and_copies() {
    let mut world = world();
    let found = call(&mut world, "DescribeSecret", json!({"SecretId": DATABASE}));
    assert_eq!(found["RotationEnabled"], true);
    assert_eq!(found["RotationRules"], json!({"AutomaticallyAfterDays": 30, "Duration": "2h"}));
    assert_eq!(found["ReplicationStatus"][0]["Region"], "us-west-2");
    assert_eq!(found["PrimaryRegion"], "us-east-1");
    let stages: Vec<&Value> = found["VersionIdsToStages"].as_object().unwrap().values().collect();
    assert_eq!(stages.len(), 2);
    assert!(stages.contains(&&json!(["AWSCURRENT"])) && stages.contains(&&json!(["AWSPREVIOUS"])));
    let plain =
        call(&mut world, "DescribeSecret", json!({"SecretId": "codeguardians-gateway/production/optional"}));
    assert!(plain.get("RotationEnabled").is_none() && plain.get("ReplicationStatus").is_none());
    assert!(
        refused(&mut world, "DescribeSecret", json!({"SecretId": "nobody"})).starts_with("ResourceNotFound")
    );
}

#[test]
fn a_rotation_is_answered_at_once_and_seen_to_its_end() {
    let mut world = world();
    let token = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let input = json!({"SecretId": DATABASE, "ClientRequestToken": token});
    let answer = call(&mut world, "RotateSecret", input.clone());
    assert_eq!(answer["VersionId"], token);
    assert_eq!(call(&mut world, "RotateSecret", input), answer, "the same token is the same rotation");
    assert_eq!(
        refused(&mut world, "RotateSecret", json!({"SecretId": DATABASE})),
        "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted."
    );
    let found = call(&mut world, "DescribeSecret", json!({"SecretId": DATABASE}));
    assert_eq!(found["VersionIdsToStages"][token], json!(["AWSPENDING"]));
    let listed = call(&mut world, "ListSecretVersionIds", json!({"SecretId": DATABASE}));
    assert_eq!(listed["Versions"].as_array().unwrap().len(), 2, "it has no value yet");
    world.advance(NOON.plus(Duration::from_secs(40)));
    let found = call(&mut world, "DescribeSecret", json!({"SecretId": DATABASE}));
    assert_eq!(found["VersionIdsToStages"][token], json!(["AWSCURRENT"]));
    assert!(
        refused(&mut world, "RotateSecret", json!({"SecretId": "codeguardians-gateway/production"}))
            .contains("No Lambda rotation function ARN")
    );
}

#[test]
fn a_stuck_rotation_is_freed_by_taking_its_label_or_by_cancelling() {
    for operation in ["UpdateSecretVersionStage", "CancelRotateSecret"] {
        let mut world = world();
        let place = world.vault.place("us-east-1", DATABASE).unwrap();
        world.vault.secrets[place].fails_at = Some(2);
        let token = "0f0e0d0c-0b0a-4908-8706-050403020100";
        call(&mut world, "RotateSecret", json!({"SecretId": DATABASE, "ClientRequestToken": token}));
        world.advance(NOON.plus(Duration::from_secs(900)));
        assert!(world.vault.secrets[place].is_rotating());
        if operation == "CancelRotateSecret" {
            assert_eq!(call(&mut world, operation, json!({"SecretId": DATABASE}))["VersionId"], token);
            assert_eq!(
                call(&mut world, "DescribeSecret", json!({"SecretId": DATABASE}))["RotationEnabled"],
                false
            );
            continue;
        }
        let wrong = json!({"SecretId": DATABASE, "VersionStage": "AWSPENDING", "RemoveFromVersionId": "x"});
        assert!(refused(&mut world, operation, wrong).starts_with("ResourceNotFound"));
        let input = json!({"SecretId": DATABASE, "VersionStage": "AWSPENDING", "RemoveFromVersionId": token});
        call(&mut world, operation, input);
        assert!(!world.vault.secrets[place].is_rotating());
        world.vault.secrets[place].fails_at = None;
        call(&mut world, "RotateSecret", json!({"SecretId": DATABASE}));
    }
}

#[test]
fn labels_move_only_by_their_holder_and_awscurrent_never_vanishes() {
    let mut world = world();
    let put = call(
        &mut world,
        "PutSecretValue",
        json!({"SecretId": DATABASE, "SecretString": "{\"password\": \"p\"}"}),
    );
    assert_eq!(put["VersionStages"], json!(["AWSCURRENT"]));
    let new = put["VersionId"].clone();
    let old = world.vault.find("us-east-1", DATABASE).unwrap().staged("AWSPREVIOUS").unwrap().id.clone();
    let back = json!({"SecretId": DATABASE, "VersionStage": "AWSCURRENT", "MoveToVersionId": old});
    assert!(
        refused(&mut world, "UpdateSecretVersionStage", back.clone())
            .contains("currently attached to version")
    );
    let none = json!({"SecretId": DATABASE, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": new});
    assert!(refused(&mut world, "UpdateSecretVersionStage", none).contains("can't be completely removed"));
    let mut back = back;
    back["RemoveFromVersionId"] = new;
    call(&mut world, "UpdateSecretVersionStage", back);
    assert_eq!(world.vault.find("us-east-1", DATABASE).unwrap().staged("AWSCURRENT").unwrap().id, old);
}

#[test]
fn secrets_come_and_go_and_no_value_is_ever_handed_out() {
    let mut world = world();
    let made = call(&mut world, "CreateSecret", json!({"Name": "a/b", "SecretString": "{\"k\": 1}"}));
    assert!(made["ARN"].as_str().unwrap().contains(":secret:a/b-"));
    assert_eq!(world.vault.find("us-east-1", "a/b").unwrap().keys, ["k"]);
    assert!(refused(&mut world, "CreateSecret", json!({"Name": "a/b"})).starts_with("ResourceExists"));
    call(&mut world, "UpdateSecret", json!({"SecretId": "a/b", "SecretString": "{\"other\": 1}"}));
    assert_eq!(world.vault.find("us-east-1", "a/b").unwrap().keys, ["other"]);
    call(&mut world, "DeleteSecret", json!({"SecretId": "a/b", "ForceDeleteWithoutRecovery": true}));
    assert!(
        refused(&mut world, "DescribeSecret", json!({"SecretId": "a/b"})).starts_with("ResourceNotFound")
    );
    for operation in ["GetSecretValue", "BatchGetSecretValue"] {
        let error = refused(&mut world, operation, json!({"SecretId": DATABASE}));
        assert!(
            error.starts_with("AccessDeniedException") && error.contains("no value exists here"),
            "{error}"
        );
    }
}

#[test]
fn a_rotation_that_is_to_wait_for_its_day_happens_then() {
    let mut world = world();
    let stages = |world: &mut World| {
        call(world, "DescribeSecret", json!({"SecretId": DATABASE}))["VersionIdsToStages"].take()
    };
    let before = stages(&mut world);
    let rules = json!({"SecretId": DATABASE, "RotateImmediately": false, "RotationRules": {"AutomaticallyAfterDays": 2}});
    assert_eq!(call(&mut world, "RotateSecret", rules).get("VersionId"), None);
    let found = call(&mut world, "DescribeSecret", json!({"SecretId": DATABASE}));
    assert_eq!(found["NextRotationDate"], NOON.as_secs_f64() + 2.0 * 86_400.0);
    world.advance(NOON.plus(Duration::from_secs(2 * 86_400 - 60)));
    assert_eq!(stages(&mut world), before);
    world.advance(NOON.plus(Duration::from_secs(2 * 86_400 + 60)));
    assert_ne!(stages(&mut world), before);
    // The calendar goes on from there.
    let found = call(&mut world, "DescribeSecret", json!({"SecretId": DATABASE}));
    assert!(found["NextRotationDate"].as_f64().unwrap() > NOON.as_secs_f64() + 4.0 * 86_400.0, "{found}");
}

#[test]
fn a_token_stands_for_one_value() {
    let mut world = world();
    let token = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let put = |value: &str| json!({"SecretId": DATABASE, "ClientRequestToken": token, "SecretString": value});
    let first = call(&mut world, "PutSecretValue", put("{\"a\": 1}"));
    assert_eq!(first["VersionStages"], json!(["AWSCURRENT"]));
    assert_eq!(call(&mut world, "PutSecretValue", put("{\"a\": 1}")), first);
    assert!(refused(&mut world, "PutSecretValue", put("{\"a\": 2}")).starts_with("ResourceExistsException"));
    // As long as nobody else took the label, the token of a rotation that is over starts no other one.
    let rotate = json!({"SecretId": DATABASE, "ClientRequestToken": token});
    assert_eq!(call(&mut world, "RotateSecret", rotate)["VersionId"], token);
    assert!(!world.vault.find("us-east-1", DATABASE).unwrap().is_rotating());
}
