//! STS, as far as a client needs it to learn who it is.
//!
//! Must not check credentials: that is the server's business, before any service is asked.

use crate::sim::reply::{ApiError, Reply, escape};

/// The one account that all stacks live in.
pub const ACCOUNT: &str = "123456789012";

/// Carries out an operation for the holder of this access key.
///
/// # Errors
/// When the operation is none that is played.
pub fn handle(operation: &str, key_id: &str) -> Result<Reply, ApiError> {
    match operation {
        "GetCallerIdentity" => Ok(Reply::Xml(format!(
            "<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/Operator/on-call</Arn><UserId>AROASIMULATOR0000EXAM:{}</UserId><Account>{ACCOUNT}</Account>",
            escape(if key_id.is_empty() { "on-call" } else { key_id }),
        ))),
        _ => Err(ApiError::new(
            400,
            "InvalidAction",
            format!("Could not find operation {operation} for version 2011-06-15"),
        )),
    }
}
