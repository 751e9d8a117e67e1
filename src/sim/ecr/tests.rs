use super::*;
use crate::sim::stack::Stack;
use crate::sim::world::image::{Behaviour, digest};
use crate::stdx::clock::Wall;

fn world() -> World {
    World::new(vec![Stack::builtin("codeguardians").unwrap().unwrap()], 1, Wall(1_795_176_000_000))
}

const REGION: &str = "us-east-1";
const REPOSITORY: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/codeguardians-gateway";

fn images(world: &World, ids: Value) -> Result<Vec<Value>, ApiError> {
    let input = json!({ "repositoryName": "codeguardians-gateway", "imageIds": ids });
    Ok(handle(world, REGION, "DescribeImages", &input)?["imageDetails"].as_array().unwrap().clone())
}

#[test]
fn what_runs_is_there_and_latest_points_at_it() {
    let world = world();
    let service = world.find(REGION, "codeguardians-gateway", "gateway-service").unwrap();
    let number = world.services[service].primary().unwrap().number;
    let running = world.images(service, number).unwrap()[0].digest.clone().unwrap();
    let found = images(&world, json!([{ "imageDigest": running }])).unwrap();
    assert_eq!((&found[0]["imageTags"], &found[0]["imageStatus"]), (&json!(["latest"]), &json!("ACTIVE")));
    assert_eq!(images(&world, json!([{ "imageTag": "latest" }])).unwrap()[0]["imageDigest"], json!(running));
    let all = handle(&world, REGION, "DescribeImages", &json!({ "repositoryName": "codeguardians-gateway" }))
        .unwrap();
    assert!(all["imageDetails"].as_array().unwrap().len() >= 5, "{all}");
}

#[test]
fn a_forced_deployment_without_a_push_brings_what_runs() {
    let mut world = world();
    let service = world.find(REGION, "codeguardians-gateway", "gateway-service").unwrap();
    let primary = world.services[service].primary().unwrap().clone();
    let before = world.images(service, primary.number).unwrap()[0].digest.clone();
    let forced = world.start_deployment(service, &primary.definition.0, primary.definition.1).unwrap();
    assert_eq!(world.images(service, forced).unwrap()[0].digest, before);
}

#[test]
fn a_push_moves_the_tag_and_leaves_the_old_image_untagged() {
    let mut world = world();
    let old = images(&world, json!([{ "imageTag": "latest" }])).unwrap()[0]["imageDigest"].clone();
    world.push_image(REGION, &format!("{REPOSITORY}:latest"), "feed123", Behaviour::Healthy);
    let new = images(&world, json!([{ "imageTag": "latest" }])).unwrap()[0].clone();
    assert_eq!(new["imageDigest"], json!(digest(REPOSITORY, "feed123")));
    assert_eq!(new["imagePushedAt"], json!(world.now.as_secs_f64()));
    assert!(images(&world, json!([{ "imageDigest": old }])).unwrap()[0].get("imageTags").is_none());
}

#[test]
fn what_is_gone_is_not_found_and_what_is_archived_says_so() {
    let mut world = world();
    let running = images(&world, json!([{ "imageTag": "latest" }])).unwrap()[0]["imageDigest"]
        .as_str()
        .unwrap()
        .to_owned();
    world.archive_image(REGION, &running);
    assert_eq!(images(&world, json!([{ "imageDigest": running }])).unwrap()[0]["imageStatus"], "ARCHIVED");
    world.remove_image(REGION, &running);
    let error = images(&world, json!([{ "imageDigest": running }])).unwrap_err();
    assert_eq!(error.code, "ImageNotFoundException");
    assert!(error.message.contains("imageTag:null"), "{error}");
    assert_eq!(images(&world, json!([{ "imageTag": "latest" }])).unwrap_err().code, "ImageNotFoundException");
    let nowhere = handle(&world, REGION, "DescribeImages", &json!({ "repositoryName": "nobody" }));
    assert_eq!(nowhere.unwrap_err().code, "RepositoryNotFoundException");
    let nowhere = handle(&world, REGION, "DescribeRepositories", &json!({ "repositoryNames": ["nobody"] }));
    assert_eq!(nowhere.unwrap_err().code, "RepositoryNotFoundException");
}
