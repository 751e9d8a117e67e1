//! Secrets Manager: what is known about secrets.
//!
//! Must never ask for a value: no call here can return one.

pub(super) mod write;

use std::collections::HashMap;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{ReplicationStatusType, RotationRulesType, SecretListEntry, Tag};

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, next, stray, token, wall};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::domain::secret::{RotationRules, Secret, SecretId, SecretVersion};

/// The largest page.
const PAGE: i32 = 100;

/// One request to Secrets Manager; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::ListSecrets { scope, page } => {
            let request = client
                .list_secrets()
                .include_planned_deletion(true)
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let found = all(out.secret_list, |s| of_list(scope, s));
            Ok(Answer::Secrets { found, next: next(out.next_token) })
        }
        Query::DescribeSecret { scope, secret } => {
            let out = client.describe_secret().secret_id(secret).send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::Secrets { found: vec![described(scope, out)], next: None })
        }
        other => Err(stray(other, "Secrets Manager")),
    }
}

fn rules(sdk: RotationRulesType) -> RotationRules {
    RotationRules {
        after_days: sdk.automatically_after_days.and_then(|d| u32::try_from(d).ok()),
        schedule: sdk.schedule_expression,
        window: sdk.duration,
    }
}

/// Versions in an order that does not change from answer to answer.
fn versions(sdk: Option<HashMap<String, Vec<String>>>) -> Vec<SecretVersion> {
    let mut versions: Vec<SecretVersion> =
        sdk.unwrap_or_default().into_iter().map(|(id, stages)| SecretVersion { id, stages }).collect();
    versions.sort_by(|a, b| a.id.cmp(&b.id));
    versions
}

fn tags(sdk: Option<Vec<Tag>>) -> Vec<(String, String)> {
    all(sdk, |t| (t.key.unwrap_or_default(), t.value.unwrap_or_default()))
}

fn replica(sdk: ReplicationStatusType) -> (String, String, Option<String>) {
    let status = sdk.status.map(|s| s.as_str().to_owned()).unwrap_or_default();
    (sdk.region.unwrap_or_default(), status, sdk.status_message)
}

fn of_list(scope: &Scope, sdk: SecretListEntry) -> Secret {
    Secret {
        id: SecretId { scope: scope.clone(), name: sdk.name.unwrap_or_default() },
        arn: sdk.arn.unwrap_or_default(),
        description: sdk.description,
        rotation_enabled: sdk.rotation_enabled.unwrap_or(false),
        rotation_lambda: sdk.rotation_lambda_arn,
        rotation_rules: sdk.rotation_rules.map(rules),
        last_rotated: sdk.last_rotated_date.and_then(wall),
        next_rotation: sdk.next_rotation_date.and_then(wall),
        last_changed: sdk.last_changed_date.and_then(wall),
        last_accessed: sdk.last_accessed_date.and_then(wall),
        deleted_at: sdk.deleted_date.and_then(wall),
        owning_service: sdk.owning_service,
        primary_region: sdk.primary_region,
        versions: versions(sdk.secret_versions_to_stages),
        replicas: Vec::new(),
        kms_key: sdk.kms_key_id,
        created_at: sdk.created_date.and_then(wall),
        tags: tags(sdk.tags),
    }
}

fn described(scope: &Scope, sdk: DescribeSecretOutput) -> Secret {
    Secret {
        id: SecretId { scope: scope.clone(), name: sdk.name.unwrap_or_default() },
        arn: sdk.arn.unwrap_or_default(),
        description: sdk.description,
        rotation_enabled: sdk.rotation_enabled.unwrap_or(false),
        rotation_lambda: sdk.rotation_lambda_arn,
        rotation_rules: sdk.rotation_rules.map(rules),
        last_rotated: sdk.last_rotated_date.and_then(wall),
        next_rotation: sdk.next_rotation_date.and_then(wall),
        last_changed: sdk.last_changed_date.and_then(wall),
        last_accessed: sdk.last_accessed_date.and_then(wall),
        deleted_at: sdk.deleted_date.and_then(wall),
        owning_service: sdk.owning_service,
        primary_region: sdk.primary_region,
        versions: versions(sdk.version_ids_to_stages),
        replicas: all(sdk.replication_status, replica),
        kms_key: sdk.kms_key_id,
        created_at: sdk.created_date.and_then(wall),
        tags: tags(sdk.tags),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_secretsmanager::types::StatusType;

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    #[test]
    fn what_is_left_out_is_empty_in_a_list_and_in_a_description() {
        let listed = of_list(&scope(), SecretListEntry::builder().build());
        let described = described(&scope(), DescribeSecretOutput::builder().build());
        assert_eq!(listed, described);
        assert!(!listed.rotation_enabled && listed.versions.is_empty() && listed.rotation_rules.is_none());
    }

    #[test]
    fn versions_stages_and_replicas_keep_their_words() {
        let replica = ReplicationStatusType::builder()
            .region("us-east-1")
            .status(StatusType::from("Wandering"))
            .status_message("on its way")
            .build();
        let sdk = DescribeSecretOutput::builder()
            .name("gateway/production/database")
            .version_ids_to_stages("b", vec!["AWSPENDING".to_owned()])
            .version_ids_to_stages("a", vec!["AWSCURRENT".to_owned(), "mine".to_owned()])
            .rotation_rules(RotationRulesType::builder().automatically_after_days(-3).duration("3h").build())
            .replication_status(replica)
            .build();
        let secret = described(&scope(), sdk);
        assert_eq!(secret.versions.iter().map(|v| v.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((secret.version_at("mine"), secret.version_at("AWSPENDING")), (Some("a"), Some("b")));
        let rules = secret.rotation_rules.unwrap();
        assert_eq!((rules.after_days, rules.window.as_deref()), (None, Some("3h")));
        assert_eq!(secret.replicas, [("us-east-1".into(), "Wandering".into(), Some("on its way".into()))]);
    }
}
