//! Database clusters, from the SDK's shape to ours.
//!
//! Must not drop a status that AWS adds.

use aws_sdk_rds::types::DbCluster as SdkCluster;

use super::instance::{endpoint, tags};
use crate::cloud::shape::{all, count, wall};
use crate::domain::database::{ClusterMember, DatabaseId, DbCluster};
use crate::domain::scope::Scope;

pub(super) fn from_sdk(scope: &Scope, sdk: SdkCluster) -> DbCluster {
    DbCluster {
        id: DatabaseId {
            scope: scope.clone(),
            name: sdk.db_cluster_identifier.unwrap_or_default(),
            cluster: true,
        },
        arn: sdk.db_cluster_arn.unwrap_or_default(),
        status: sdk.status.unwrap_or_default(),
        engine: sdk.engine.unwrap_or_default(),
        engine_version: sdk.engine_version.unwrap_or_default(),
        endpoint: endpoint(sdk.endpoint, sdk.port),
        reader: sdk.reader_endpoint,
        members: all(sdk.db_cluster_members, |m| ClusterMember {
            instance: m.db_instance_identifier.unwrap_or_default(),
            writer: m.is_cluster_writer.unwrap_or(false),
            promotion_tier: m.promotion_tier.map(count),
        }),
        multi_az: sdk.multi_az.unwrap_or(false),
        backup_window: sdk.preferred_backup_window,
        maintenance_window: sdk.preferred_maintenance_window,
        backup_retention_days: sdk.backup_retention_period.map_or(0, count),
        latest_restorable: sdk.latest_restorable_time.and_then(wall),
        deletion_protection: sdk.deletion_protection.unwrap_or(false),
        encrypted: sdk.storage_encrypted.unwrap_or(false),
        created_at: sdk.cluster_create_time.and_then(wall),
        tags: tags(sdk.tag_list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::DbClusterMember;

    #[test]
    fn a_cluster_keeps_its_words_and_its_writer() {
        let scope = Scope::new("default", "eu-west-2");
        let empty = from_sdk(&scope, SdkCluster::builder().build());
        assert_eq!((empty.status.as_str(), empty.members.len(), empty.endpoint), ("", 0, None));
        let member = |name: &str, writer| {
            DbClusterMember::builder().db_instance_identifier(name).is_cluster_writer(writer).build()
        };
        let sdk = SdkCluster::builder()
            .status("failing-sideways")
            .endpoint("writer.example")
            .port(5432)
            .db_cluster_members(member("a", false))
            .db_cluster_members(member("b", true))
            .build();
        let cluster = from_sdk(&scope, sdk);
        assert_eq!(cluster.status, "failing-sideways");
        assert_eq!(cluster.endpoint.map(|e| e.port), Some(5432));
        assert_eq!(cluster.members.iter().find(|m| m.writer).map(|m| m.instance.as_str()), Some("b"));
        assert!(cluster.id.cluster);
    }
}
