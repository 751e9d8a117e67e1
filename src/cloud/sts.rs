//! AWS STS: who we are. `GetCallerIdentity` needs no permission.
//!
//! Must not assume roles; the SDK's credential chain does.

use aws_sdk_sts::Client;

use crate::cloud::fault::{Call, Lost};
use crate::domain::identity::Identity;
use crate::domain::query::Answer;

/// `sts:GetCallerIdentity`; it does not retry.
pub(super) async fn caller_identity(client: &Client, call: &Call<'_>) -> Result<Answer, Lost> {
    let out = client.get_caller_identity().send().await.map_err(|e| call.lost(e))?;
    Ok(Answer::Identity(Identity {
        account_id: out.account.unwrap_or_default(),
        arn: out.arn.unwrap_or_default(),
        user_id: out.user_id.unwrap_or_default(),
    }))
}
