//! IAM: whether a role is still there. IAM is global; the SDK signs for its region.
//!
//! Must not read or evaluate policies.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Role as SdkRole;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{stray, wall};
use crate::domain::query::{Answer, Query};
use crate::domain::role::Role;

/// One request to IAM; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::GetRole { role, .. } => {
            let out = client.get_role().role_name(role).send().await.map_err(|e| call.lost(e))?;
            let role = out.role.ok_or_else(|| call.hollow("no role"))?;
            Ok(Answer::Role(Box::new(from_sdk(role))))
        }
        other => Err(stray(other, "IAM")),
    }
}

fn from_sdk(sdk: SdkRole) -> Role {
    Role {
        name: sdk.role_name,
        arn: sdk.arn,
        created_at: wall(sdk.create_date),
        last_used: sdk.role_last_used.and_then(|u| u.last_used_date).and_then(wall),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_iam::types::RoleLastUsed;
    use aws_smithy_types::DateTime;

    #[test]
    fn a_role_that_was_never_used_has_no_last_use() {
        let begun = || {
            SdkRole::builder()
                .path("/")
                .role_name("task")
                .role_id("AROA")
                .arn("arn:aws:iam::123456789012:role/task")
                .create_date(DateTime::from_secs(1))
        };
        assert_eq!(from_sdk(begun().build().unwrap()).last_used, None);
        let never = begun().role_last_used(RoleLastUsed::builder().build()).build().unwrap();
        assert_eq!(from_sdk(never).last_used, None);
        let used = RoleLastUsed::builder().last_used_date(DateTime::from_secs(2)).build();
        let role = from_sdk(begun().role_last_used(used).build().unwrap());
        assert_eq!((role.name.as_str(), role.last_used.map(|at| at.0)), ("task", Some(2_000)));
    }
}
