//! The calls that change secrets. Each takes a permit, and makes its call once.
//!
//! Must not read a value, nor keep one: a new value is handed over and gone.

use aws_sdk_secretsmanager::Client;
use aws_types::request_id::RequestId;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::unfit;
use crate::domain::mutation::{Mutation, Receipt};
use crate::domain::secret::SecretValue;
use crate::guard::Permit;

/// Makes the call. `value` is what a `PutSecretValue` stores.
pub(in crate::cloud) async fn change(
    client: &Client,
    permit: Permit,
    value: Option<SecretValue>,
    call: &Call<'_>,
) -> Result<Receipt, Lost> {
    let request_id = match permit.redeem() {
        Mutation::RotateSecret { secret, token } => {
            let request = client.rotate_secret().secret_id(secret.name).client_request_token(token);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        Mutation::PutSecretValue { secret, token } => {
            let Some(value) = value else { return Err(call.unsent("no value was given")) };
            let request = client
                .put_secret_value()
                .secret_id(secret.name)
                .client_request_token(token)
                .secret_string(value.expose());
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        Mutation::MoveSecretStage { secret, stage, from, to } => {
            let request = client
                .update_secret_version_stage()
                .secret_id(secret.name)
                .version_stage(stage)
                .set_remove_from_version_id(from)
                .set_move_to_version_id(to);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        other => return Err(unfit(&other, "Secrets Manager")),
    };
    Ok(Receipt { request_id, ..Receipt::default() })
}
