//! Amazon ECR: whether an image is still there, under which tags, since when.
//!
//! Must not change anything.

use serde_json::{Value, json};

use crate::sim::ecs::input;
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::sim::world::registry::Image;

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &World, region: &str, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeRepositories" => repositories(world, region, input),
        "DescribeImages" => images(world, region, input),
        _ => Err(ApiError::unknown_operation(format!("The simulator does not play ecr:{operation}"))),
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::not_found(
        "RepositoryNotFoundException",
        format!("The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"),
    )
}

fn repositories(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let all = world.repositories(region);
    let wanted = input::texts(input, "repositoryNames")?;
    if let Some(name) = wanted.iter().find(|name| !all.contains_key(**name)) {
        return Err(missing(name));
    }
    let names = all.keys().filter(|name| wanted.is_empty() || wanted.contains(&name.as_str()));
    let (page, token) = input::page(names.cloned().collect(), input, 100, 1_000)?;
    let written: Vec<Value> = page
        .iter()
        .map(|name| {
            json!({
                "repositoryArn": format!("arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}"),
                "registryId": ACCOUNT,
                "repositoryName": name,
                "repositoryUri": format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{name}"),
                "createdAt": all.get(name).copied().unwrap_or_default().as_secs_f64(),
                "imageTagMutability": "MUTABLE",
                "imageScanningConfiguration": { "scanOnPush": true },
                "encryptionConfiguration": { "encryptionType": "AES256" },
            })
        })
        .collect();
    Ok(with_token(json!({ "repositories": written }), token))
}

fn with_token(mut answer: Value, token: Option<String>) -> Value {
    if let (Some(token), Some(map)) = (token, answer.as_object_mut()) {
        map.insert("nextToken".to_owned(), token.into());
    }
    answer
}

fn images(world: &World, region: &str, input: &Value) -> Result<Value, ApiError> {
    let name = input::text(input, "repositoryName")?.unwrap_or_default();
    let all = world.repository_images(region, name).ok_or_else(|| missing(name))?;
    let ids = input.get("imageIds").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut kept: Vec<&Image> = Vec::new();
    for id in ids {
        let (digest, tag) = (input::text(id, "imageDigest")?, input::text(id, "imageTag")?);
        let fits = |image: &&Image| {
            digest.is_none_or(|digest| digest == image.digest)
                && tag.is_none_or(|tag| image.tags.contains(tag))
                && (digest.is_some() || tag.is_some())
        };
        let found = all.iter().find(fits).ok_or_else(|| {
            let word = |value: Option<&str>| value.map_or("null".to_owned(), |value| format!("'{value}'"));
            ApiError::not_found(
                "ImageNotFoundException",
                format!(
                    "The image with imageId {{imageDigest:{}, imageTag:{}}} does not exist within the repository with name '{name}' in the registry with id '{ACCOUNT}'",
                    word(digest),
                    word(tag)
                ),
            )
        })?;
        if !kept.iter().any(|known| known.digest == found.digest) {
            kept.push(found);
        }
    }
    if ids.is_empty() {
        kept = all.iter().collect();
    }
    let filter = input.get("filter").cloned().unwrap_or_default();
    let tagged = input::choice(&filter, "tagStatus", &["TAGGED", "UNTAGGED", "ANY"])?;
    let status = input::choice(&filter, "imageStatus", &["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"])?;
    kept.retain(|image| {
        let tags = match tagged {
            Some("TAGGED") => !image.tags.is_empty(),
            Some("UNTAGGED") => image.tags.is_empty(),
            _ => true,
        };
        // Archived images are listed when they are asked for: by id, or by this filter.
        let state = match status {
            Some("ANY") => true,
            Some(wanted) => wanted == word(image),
            None => !ids.is_empty() || !image.archived,
        };
        tags && state
    });
    let (page, token) =
        input::page(kept.iter().map(|image| image.digest.clone()).collect(), input, 100, 1_000)?;
    let written: Vec<Value> =
        kept.iter().filter(|image| page.contains(&image.digest)).map(|image| one(image, name)).collect();
    Ok(with_token(json!({ "imageDetails": written }), token))
}

fn word(image: &Image) -> &'static str {
    if image.archived { "ARCHIVED" } else { "ACTIVE" }
}

fn one(image: &Image, repository: &str) -> Value {
    let size = 60_000_000 + crate::sim::logs::chance::text(&image.digest) % 240_000_000;
    let mut written = json!({
        "registryId": ACCOUNT,
        "repositoryName": repository,
        "imageDigest": image.digest,
        "imageSizeInBytes": size,
        "imagePushedAt": image.pushed_at.as_secs_f64(),
        "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
        "imageStatus": word(image),
    });
    if let Some(map) = written.as_object_mut().filter(|_| !image.tags.is_empty()) {
        map.insert("imageTags".to_owned(), image.tags.iter().cloned().collect::<Vec<_>>().into());
    }
    written
}

#[cfg(test)]
mod tests;
