//! Replication groups, cache clusters and events, from the SDK's shapes to ours.
//!
//! Must not drop a word that AWS adds.

use aws_sdk_elasticache::types::{
    CacheCluster as SdkCluster, Endpoint as SdkEndpoint, Event, NodeGroup, ReplicationGroup as SdkGroup,
    ReplicationGroupPendingModifiedValues,
};

use crate::cloud::shape::{all, count, port, wall};
use crate::domain::cache::{CacheCluster, CacheId, CacheNode, ReplicationGroup, Shard, ShardMember};
use crate::domain::database::{DataEvent, Endpoint};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

fn endpoint(sdk: Option<SdkEndpoint>) -> Option<Endpoint> {
    let sdk = sdk?;
    Some(Endpoint { host: sdk.address.filter(|h| !h.is_empty())?, port: port(sdk.port)? })
}

pub(super) fn group(scope: &Scope, sdk: SdkGroup) -> ReplicationGroup {
    // Without cluster mode clients connect to the primary of the only shard.
    let primary = sdk.node_groups.as_ref().and_then(|g| g.first()).and_then(|g| g.primary_endpoint.clone());
    ReplicationGroup {
        id: CacheId { scope: scope.clone(), name: sdk.replication_group_id.unwrap_or_default() },
        arn: sdk.arn.unwrap_or_default(),
        description: sdk.description.filter(|text| !text.trim().is_empty()),
        status: sdk.status.unwrap_or_default(),
        engine: sdk.engine,
        node_type: sdk.cache_node_type,
        cluster_mode: sdk.cluster_enabled.unwrap_or(false),
        automatic_failover: sdk.automatic_failover.map(|f| f.as_str().to_owned()),
        multi_az: sdk.multi_az.map(|m| m.as_str().to_owned()),
        shards: all(sdk.node_groups, shard),
        endpoint: endpoint(sdk.configuration_endpoint).or_else(|| endpoint(primary)),
        snapshot_retention_days: sdk.snapshot_retention_limit.map_or(0, count),
        snapshot_window: sdk.snapshot_window,
        transit_encryption: sdk.transit_encryption_enabled.unwrap_or(false),
        at_rest_encryption: sdk.at_rest_encryption_enabled.unwrap_or(false),
        auth_token: sdk.auth_token_enabled.unwrap_or(false),
        pending: sdk.pending_modified_values.map(pending).unwrap_or_default(),
        created_at: sdk.replication_group_create_time.and_then(wall),
    }
}

fn shard(sdk: NodeGroup) -> Shard {
    Shard {
        id: sdk.node_group_id.unwrap_or_default(),
        status: sdk.status.unwrap_or_default(),
        members: all(sdk.node_group_members, |m| ShardMember {
            cluster: m.cache_cluster_id.unwrap_or_default(),
            node: m.cache_node_id.unwrap_or_default(),
            zone: m.preferred_availability_zone,
            role: m.current_role,
        }),
    }
}

/// Changes that wait, by AWS's names. Of the auth token only its status is known.
fn pending(sdk: ReplicationGroupPendingModifiedValues) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    let mut note = |name: &str, value: Option<String>| {
        changes.extend(value.map(|value| (name.to_owned(), value)));
    };
    note("PrimaryClusterId", sdk.primary_cluster_id);
    note("AutomaticFailoverStatus", sdk.automatic_failover_status.map(|s| s.as_str().to_owned()));
    let moved = sdk.resharding.and_then(|r| r.slot_migration).and_then(|m| m.progress_percentage);
    note("Resharding", moved.map(|percent| format!("{percent} %")));
    note("AuthTokenStatus", sdk.auth_token_status.map(|s| s.as_str().to_owned()));
    if let Some(groups) = sdk.user_groups {
        let names = |list: Option<Vec<String>>| list.filter(|l| !l.is_empty()).map(|l| l.join(", "));
        note("UserGroupIdsToAdd", names(groups.user_group_ids_to_add));
        note("UserGroupIdsToRemove", names(groups.user_group_ids_to_remove));
    }
    let logs = all(sdk.log_delivery_configurations, |l| {
        l.log_type.map(|t| t.as_str().to_owned()).unwrap_or_default()
    });
    note("LogDeliveryConfigurations", Some(logs.join(", ")).filter(|text| !text.is_empty()));
    note("TransitEncryptionEnabled", sdk.transit_encryption_enabled.map(|on| on.to_string()));
    note("TransitEncryptionMode", sdk.transit_encryption_mode.map(|m| m.as_str().to_owned()));
    note("ClusterMode", sdk.cluster_mode.map(|m| m.as_str().to_owned()));
    changes
}

pub(super) fn cluster(scope: &Scope, sdk: SdkCluster) -> CacheCluster {
    CacheCluster {
        id: CacheId { scope: scope.clone(), name: sdk.cache_cluster_id.unwrap_or_default() },
        arn: sdk.arn.unwrap_or_default(),
        status: sdk.cache_cluster_status.unwrap_or_default(),
        engine: sdk.engine.unwrap_or_default(),
        engine_version: sdk.engine_version.unwrap_or_default(),
        node_type: sdk.cache_node_type.unwrap_or_default(),
        nodes: all(sdk.cache_nodes, |n| CacheNode {
            id: n.cache_node_id.unwrap_or_default(),
            status: n.cache_node_status.unwrap_or_default(),
            endpoint: endpoint(n.endpoint),
            zone: n.customer_availability_zone,
        }),
        group: sdk.replication_group_id,
        zone: sdk.preferred_availability_zone,
        maintenance_window: sdk.preferred_maintenance_window,
        parameter_group: sdk.cache_parameter_group.and_then(|g| {
            Some((g.cache_parameter_group_name?, g.parameter_apply_status.unwrap_or_default()))
        }),
        security_groups: all(sdk.security_groups, |g| g.security_group_id.unwrap_or_default()),
        created_at: sdk.cache_cluster_create_time.and_then(wall),
    }
}

pub(super) fn event(sdk: Event) -> DataEvent {
    DataEvent {
        source: sdk.source_identifier.unwrap_or_default(),
        source_type: sdk.source_type.map(|t| t.as_str().to_owned()).unwrap_or_default(),
        at: sdk.date.and_then(wall).unwrap_or(Wall(0)),
        message: sdk.message.unwrap_or_default(),
        categories: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticache::types::{
        AuthTokenUpdateStatus, AutomaticFailoverStatus, NodeGroupMember, SourceType,
    };

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    #[test]
    fn what_is_left_out_is_empty() {
        let empty = group(&scope(), SdkGroup::builder().build());
        assert_eq!((empty.status.as_str(), empty.shards.len(), empty.endpoint), ("", 0, None));
        assert!(empty.pending.is_empty() && !empty.auth_token);
        let empty = cluster(&scope(), SdkCluster::builder().build());
        assert_eq!((empty.nodes.len(), empty.group, empty.parameter_group), (0, None, None));
        assert_eq!(event(Event::builder().build()).at, Wall(0));
    }

    #[test]
    fn a_group_keeps_its_words_and_connects_to_its_primary() {
        let member = NodeGroupMember::builder().cache_cluster_id("c-001").current_role("understudy").build();
        let shard = NodeGroup::builder()
            .node_group_id("0001")
            .primary_endpoint(SdkEndpoint::builder().address("primary.example").port(6379).build())
            .node_group_members(member)
            .build();
        let waiting = ReplicationGroupPendingModifiedValues::builder()
            .auth_token_status(AuthTokenUpdateStatus::Rotating)
            .transit_encryption_enabled(true)
            .build();
        let sdk = SdkGroup::builder()
            .replication_group_id("c")
            .automatic_failover(AutomaticFailoverStatus::from("hoping"))
            .node_groups(shard)
            .pending_modified_values(waiting)
            .build();
        let group = group(&scope(), sdk);
        assert_eq!(group.automatic_failover.as_deref(), Some("hoping"));
        assert_eq!(group.endpoint.map(|e| e.host).as_deref(), Some("primary.example"));
        assert_eq!(group.shards[0].members[0].role.as_deref(), Some("understudy"));
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            group.pending,
            [own("AuthTokenStatus", "ROTATING"), own("TransitEncryptionEnabled", "true")]
        );
        let told = event(Event::builder().source_type(SourceType::from("cache-moon")).build());
        assert_eq!(told.source_type, "cache-moon");
    }
}
