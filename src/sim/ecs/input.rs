//! Reading requests: members of the right type, pages, and the names that stand for clusters and services.
//!
//! Must not answer; it finds or refuses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::sim::reply::ApiError;
use crate::sim::world::{Cluster, World};

/// A string member.
pub fn text<'a>(input: &'a Value, key: &str) -> Result<Option<&'a str>, ApiError> {
    match input.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::serialization(format!("{key} can not be converted to a String"))),
    }
}

/// A whole number.
pub fn number(input: &Value, key: &str) -> Result<Option<i64>, ApiError> {
    match input.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| ApiError::serialization(format!("{key} can not be converted to an Integer"))),
    }
}

/// A boolean.
pub fn flag(input: &Value, key: &str) -> Result<Option<bool>, ApiError> {
    match input.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_bool()
            .map(Some)
            .ok_or_else(|| ApiError::serialization(format!("{key} can not be converted to a Boolean"))),
    }
}

/// A list of strings; empty when absent.
pub fn texts<'a>(input: &'a Value, key: &str) -> Result<Vec<&'a str>, ApiError> {
    match input.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_str().ok_or_else(|| {
                    ApiError::serialization(format!("{key} can not be converted to a list of Strings"))
                })
            })
            .collect(),
        Some(_) => Err(ApiError::serialization(format!("{key} can not be converted to a list"))),
    }
}

/// One of a set of words.
pub fn choice<'a>(input: &'a Value, key: &str, words: &[&str]) -> Result<Option<&'a str>, ApiError> {
    match text(input, key)? {
        Some(word) if !words.contains(&word) => Err(ApiError::invalid_parameter(format!(
            "Invalid {key}: {word}. Must be one of: {}",
            words.join(", ")
        ))),
        found => Ok(found),
    }
}

/// Whether `include` has this word.
pub fn includes(input: &Value, word: &str) -> Result<bool, ApiError> {
    Ok(texts(input, "include")?.contains(&word))
}

/// One page of a list, and the token of the next. A token remembers the last item given, so that a list that
/// changes between two pages neither repeats nor skips what stays.
pub fn page(
    items: Vec<String>,
    input: &Value,
    usual: usize,
    most: usize,
) -> Result<(Vec<String>, Option<String>), ApiError> {
    let size = match number(input, "maxResults")? {
        None => usual,
        Some(size) => {
            usize::try_from(size).ok().filter(|size| (1..=most).contains(size)).ok_or_else(|| {
                ApiError::invalid_parameter(format!(
                    "Invalid maxResults: {size}. Must be between 1 and {most}."
                ))
            })?
        }
    };
    let start = match text(input, "nextToken")? {
        None => 0,
        Some(token) => {
            let (offset, last) =
                read_token(token).ok_or_else(|| ApiError::invalid_parameter("Invalid token."))?;
            items.iter().position(|item| *item == last).map_or(offset.min(items.len()), |place| place + 1)
        }
    };
    let total = items.len();
    let page: Vec<String> = items.into_iter().skip(start).take(size).collect();
    let end = start + page.len();
    let token =
        page.last().filter(|_| end < total).map(|last| URL_SAFE_NO_PAD.encode(format!("{end}|{last}")));
    Ok((page, token))
}

fn read_token(token: &str) -> Option<(usize, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (offset, last) = text.split_once('|')?;
    Some((offset.parse().ok()?, last.to_owned()))
}

/// The name at the end of an ARN, or the name itself.
pub fn last_part(identifier: &str) -> &str {
    identifier.rsplit('/').next().unwrap_or(identifier)
}

/// The cluster that a request is about; without one, AWS means `default`.
pub fn cluster<'w>(world: &'w World, region: &str, input: &Value) -> Result<&'w Cluster, ApiError> {
    let identifier = text(input, "cluster")?.unwrap_or("default");
    world
        .regions
        .get(region)
        .and_then(|found| found.clusters.get(last_part(identifier)))
        .ok_or_else(|| ApiError::not_found("ClusterNotFoundException", "Cluster not found."))
}

/// A service of the request's cluster, by name or ARN.
pub fn service(world: &World, region: &str, input: &Value, identifier: &str) -> Result<usize, ApiError> {
    let cluster = cluster(world, region, input)?;
    cluster
        .services
        .get(last_part(identifier))
        .copied()
        .ok_or_else(|| ApiError::not_found("ServiceNotFoundException", "Service not found."))
}

/// A service of this name that was deleted: DescribeServices still shows it as INACTIVE.
pub fn gone(world: &World, region: &str, cluster: &str, identifier: &str) -> Option<usize> {
    world.services.iter().rposition(|service| {
        !service.active
            && *service.name == *last_part(identifier)
            && *service.cluster == *cluster
            && *service.region == *region
    })
}

/// The entry of `failures[]` for something that does not exist.
pub fn missing(arn: impl Into<String>) -> Value {
    serde_json::json!({ "arn": arn.into(), "reason": "MISSING" })
}
