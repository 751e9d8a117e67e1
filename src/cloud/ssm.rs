//! SSM Parameter Store: what is known about parameters.
//!
//! Must never ask for a value: no call here can return one.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterMetadata;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, next, stray, token, wall};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::domain::secret::StoredParameter;

/// The largest page.
const PAGE: i32 = 50;

/// One request to SSM; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeParameters { scope, page } => {
            let request = client.describe_parameters().max_results(PAGE).set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.parameters, |p| from_sdk(scope, p));
            Ok(Answer::Parameters { found, next: next(out.next_token) })
        }
        other => Err(stray(other, "SSM")),
    }
}

fn from_sdk(scope: &Scope, sdk: ParameterMetadata) -> StoredParameter {
    StoredParameter {
        scope: scope.clone(),
        name: sdk.name.unwrap_or_default(),
        arn: sdk.arn,
        kind: sdk.r#type.map(|t| t.as_str().to_owned()).unwrap_or_default(),
        version: u64::try_from(sdk.version).unwrap_or(0),
        tier: sdk.tier.map(|t| t.as_str().to_owned()),
        modified_at: sdk.last_modified_date.and_then(wall),
        modified_by: sdk.last_modified_user,
        description: sdk.description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ssm::types::ParameterType;

    #[test]
    fn a_parameter_keeps_its_words_and_what_is_left_out_is_empty() {
        let scope = Scope::new("default", "eu-west-2");
        let empty = from_sdk(&scope, ParameterMetadata::builder().build());
        assert_eq!((empty.name.as_str(), empty.kind.as_str(), empty.version), ("", "", 0));
        let sdk = ParameterMetadata::builder()
            .name("/gateway/key")
            .r#type(ParameterType::from("MoonString"))
            .version(-2)
            .build();
        let parameter = from_sdk(&scope, sdk);
        assert_eq!((parameter.kind.as_str(), parameter.version), ("MoonString", 0));
    }
}
