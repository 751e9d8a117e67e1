//! Reads an operation's input as AWS does: absent and null are the same, a wrong type or a value out of range
//! is refused.
//!
//! Must not give defaults: those belong to the operation.

use serde_json::Value;

use super::{Group, Groups};
use crate::sim::reply::ApiError;

/// A text; `None` when absent.
pub(super) fn text<'a>(input: &'a Value, name: &str) -> Result<Option<&'a str>, ApiError> {
    match input.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(name, "a string")),
    }
}

/// A whole number; `None` when absent.
pub(super) fn number(input: &Value, name: &str) -> Result<Option<i64>, ApiError> {
    match input.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong_type(name, "a whole number")),
    }
}

/// A truth value; `None` when absent.
pub(super) fn truth(input: &Value, name: &str) -> Result<Option<bool>, ApiError> {
    match input.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or_else(|| wrong_type(name, "true or false")),
    }
}

/// A list of texts of at most `most`; empty when absent.
pub(super) fn texts<'a>(input: &'a Value, name: &str, most: usize) -> Result<Vec<&'a str>, ApiError> {
    let list = match input.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong_type(name, "a list")),
    };
    if list.len() > most {
        return Err(constraint(name, &format!("Member must have length less than or equal to {most}")));
    }
    list.iter().map(|item| item.as_str().ok_or_else(|| wrong_type(name, "a list of strings"))).collect()
}

/// `limit`, between 1 and `most`.
pub(super) fn limit(input: &Value, most: usize) -> Result<Option<usize>, ApiError> {
    let Some(given) = number(input, "limit")? else { return Ok(None) };
    if given < 1 {
        return Err(range(given, "limit", "greater than or equal to 1"));
    }
    match usize::try_from(given) {
        Ok(limit) if limit <= most => Ok(Some(limit)),
        _ => Err(range(given, "limit", &format!("less than or equal to {most}"))),
    }
}

fn range(given: i64, name: &str, bound: &str) -> ApiError {
    ApiError::invalid_parameter(format!(
        "1 validation error detected: Value '{given}' at '{name}' failed to satisfy constraint: Member must have value {bound}"
    ))
}

pub(super) fn constraint(name: &str, what: &str) -> ApiError {
    ApiError::invalid_parameter(format!(
        "1 validation error detected: Value at '{name}' failed to satisfy constraint: {what}"
    ))
}

fn wrong_type(name: &str, wanted: &str) -> ApiError {
    ApiError::serialization(format!("{name} must be {wanted}"))
}

/// The token was not ours, or of another operation.
pub(super) fn bad_token() -> ApiError {
    ApiError::invalid_parameter("The specified nextToken is invalid.")
}

/// The group that `logGroupName` or `logGroupIdentifier` names.
pub(super) fn group<'a>(groups: &'a Groups, input: &Value) -> Result<&'a Group, ApiError> {
    match (text(input, "logGroupName")?, text(input, "logGroupIdentifier")?) {
        (Some(_), Some(_)) => Err(ApiError::invalid_parameter(
            "LogGroupName and LogGroupIdentifier are mutually exclusive parameters.",
        )),
        (None, None) => {
            Err(ApiError::invalid_parameter("Either LogGroupName or LogGroupIdentifier must be specified."))
        }
        (Some(name), None) => groups.named(name),
        (None, Some(identifier)) => groups.named(group_name(groups, identifier)?),
    }
}

/// The name in an ARN or a plain name. A group of another account or region does not exist here.
pub(super) fn group_name<'a>(groups: &Groups, identifier: &'a str) -> Result<&'a str, ApiError> {
    if !identifier.starts_with("arn:") {
        return Ok(identifier);
    }
    let name = identifier.strip_prefix(groups.arn("").as_str()).ok_or_else(super::no_group)?;
    Ok(name.strip_suffix(":*").unwrap_or(name))
}
