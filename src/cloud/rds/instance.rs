//! Database instances, from the SDK's shape to ours.
//!
//! Must not drop a status that AWS adds, nor show a password.

use aws_sdk_rds::types::{DbInstance as SdkInstance, PendingModifiedValues, Tag};

use crate::cloud::shape::{all, count, port, wall};
use crate::domain::database::{DatabaseId, DbInstance, Endpoint, ParameterGroup, StatusInfo};
use crate::domain::scope::Scope;

pub(super) fn tags(sdk: Option<Vec<Tag>>) -> Vec<(String, String)> {
    all(sdk, |t| (t.key.unwrap_or_default(), t.value.unwrap_or_default()))
}

/// An endpoint has a host and a port; while an instance is created it has neither.
pub(super) fn endpoint(host: Option<String>, number: Option<i32>) -> Option<Endpoint> {
    Some(Endpoint { host: host.filter(|h| !h.is_empty())?, port: port(number)? })
}

pub(super) fn from_sdk(scope: &Scope, sdk: SdkInstance) -> DbInstance {
    let certificate = sdk.certificate_details.and_then(|c| c.valid_till);
    DbInstance {
        id: DatabaseId {
            scope: scope.clone(),
            name: sdk.db_instance_identifier.unwrap_or_default(),
            cluster: false,
        },
        arn: sdk.db_instance_arn.unwrap_or_default(),
        status: sdk.db_instance_status.unwrap_or_default(),
        class: sdk.db_instance_class.unwrap_or_default(),
        engine: sdk.engine.unwrap_or_default(),
        engine_version: sdk.engine_version.unwrap_or_default(),
        endpoint: sdk.endpoint.and_then(|e| endpoint(e.address, e.port)),
        multi_az: sdk.multi_az.unwrap_or(false),
        zone: sdk.availability_zone,
        secondary_zone: sdk.secondary_availability_zone,
        allocated_gib: sdk.allocated_storage.map_or(0, count),
        max_allocated_gib: sdk.max_allocated_storage.map(count),
        storage_type: sdk.storage_type,
        iops: sdk.iops.map(count),
        cluster: sdk.db_cluster_identifier,
        source: sdk.read_replica_source_db_instance_identifier,
        replicas: sdk.read_replica_db_instance_identifiers.unwrap_or_default(),
        status_infos: all(sdk.status_infos, |s| StatusInfo {
            kind: s.status_type.unwrap_or_default(),
            normal: s.normal.unwrap_or(false),
            status: s.status.unwrap_or_default(),
            message: s.message,
        }),
        pending: sdk.pending_modified_values.map(pending).unwrap_or_default(),
        parameter_groups: all(sdk.db_parameter_groups, |g| ParameterGroup {
            name: g.db_parameter_group_name.unwrap_or_default(),
            status: g.parameter_apply_status.unwrap_or_default(),
        }),
        backup_window: sdk.preferred_backup_window,
        maintenance_window: sdk.preferred_maintenance_window,
        backup_retention_days: sdk.backup_retention_period.map_or(0, count),
        latest_restorable: sdk.latest_restorable_time.and_then(wall),
        deletion_protection: sdk.deletion_protection.unwrap_or(false),
        encrypted: sdk.storage_encrypted.unwrap_or(false),
        public: sdk.publicly_accessible.unwrap_or(false),
        ca: sdk.ca_certificate_identifier,
        certificate_valid_till: certificate.and_then(wall),
        performance_insights: sdk.performance_insights_enabled.unwrap_or(false),
        master_secret: sdk
            .master_user_secret
            .and_then(|s| Some((s.secret_arn?, s.secret_status.unwrap_or_default()))),
        exported_logs: sdk.enabled_cloudwatch_logs_exports.unwrap_or_default(),
        promotion_tier: sdk.promotion_tier.map(count),
        security_groups: all(sdk.vpc_security_groups, |g| g.vpc_security_group_id.unwrap_or_default()),
        restarts_at: sdk.automatic_restart_time.and_then(wall),
        created_at: sdk.instance_create_time.and_then(wall),
        tags: tags(sdk.tag_list),
    }
}

/// Changes that wait, by AWS's names. The master password is one of them: that it will change is said, it is not.
fn pending(sdk: PendingModifiedValues) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    let mut note = |name: &str, value: Option<String>| {
        changes.extend(value.map(|value| (name.to_owned(), value)));
    };
    let number = |value: Option<i32>| value.map(|n| n.to_string());
    let switch = |value: Option<bool>| value.map(|on| on.to_string());
    let password = sdk.master_user_password.map(|_| "(changes)".to_owned());
    note("DBInstanceClass", sdk.db_instance_class);
    note("AllocatedStorage", number(sdk.allocated_storage));
    note("MasterUserPassword", password);
    note("Port", number(sdk.port));
    note("BackupRetentionPeriod", number(sdk.backup_retention_period));
    note("MultiAZ", switch(sdk.multi_az));
    note("EngineVersion", sdk.engine_version);
    note("LicenseModel", sdk.license_model);
    note("Iops", number(sdk.iops));
    note("StorageThroughput", number(sdk.storage_throughput));
    note("DBInstanceIdentifier", sdk.db_instance_identifier);
    note("StorageType", sdk.storage_type);
    note("CACertificateIdentifier", sdk.ca_certificate_identifier);
    note("DBSubnetGroupName", sdk.db_subnet_group_name);
    if let Some(logs) = sdk.pending_cloudwatch_logs_exports {
        let names = |list: Option<Vec<String>>| list.filter(|l| !l.is_empty()).map(|l| l.join(", "));
        note("LogTypesToEnable", names(logs.log_types_to_enable));
        note("LogTypesToDisable", names(logs.log_types_to_disable));
    }
    let features = all(sdk.processor_features, |f| {
        format!("{}={}", f.name.unwrap_or_default(), f.value.unwrap_or_default())
    });
    note("ProcessorFeatures", Some(features.join(", ")).filter(|text| !text.is_empty()));
    note("AutomationMode", sdk.automation_mode.map(|m| m.as_str().to_owned()));
    note("MultiTenant", switch(sdk.multi_tenant));
    note("IAMDatabaseAuthenticationEnabled", switch(sdk.iam_database_authentication_enabled));
    note("DedicatedLogVolume", switch(sdk.dedicated_log_volume));
    note("Engine", sdk.engine);
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::{DbInstanceStatusInfo, Endpoint as SdkEndpoint, MasterUserSecret};

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    #[test]
    fn an_instance_of_which_nothing_is_said_is_empty() {
        let instance = from_sdk(&scope(), SdkInstance::builder().build());
        assert_eq!((instance.status.as_str(), instance.allocated_gib), ("", 0));
        assert_eq!((instance.endpoint, instance.master_secret, instance.created_at), (None, None, None));
        assert!(instance.pending.is_empty() && !instance.id.cluster);
    }

    #[test]
    fn the_pending_master_password_is_told_without_a_character_of_it() {
        let values = PendingModifiedValues::builder()
            .master_user_password("hunter2")
            .db_instance_class("db.r6g.xlarge")
            .multi_az(true)
            .build();
        let sdk = SdkInstance::builder().pending_modified_values(values).build();
        let instance = from_sdk(&scope(), sdk);
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            instance.pending,
            [
                own("DBInstanceClass", "db.r6g.xlarge"),
                own("MasterUserPassword", "(changes)"),
                own("MultiAZ", "true")
            ]
        );
        assert!(!format!("{instance:?}").contains("hunter2"));
    }

    #[test]
    fn words_and_odd_numbers_stay_within_bounds() {
        let sdk = SdkInstance::builder()
            .db_instance_status("doing-something-new")
            .allocated_storage(-1)
            .endpoint(SdkEndpoint::builder().address("db.example").port(70_000).build())
            .status_infos(DbInstanceStatusInfo::builder().status_type("read replication").build())
            .master_user_secret(MasterUserSecret::builder().secret_arn("arn:x").build())
            .build();
        let instance = from_sdk(&scope(), sdk);
        assert_eq!(instance.status, "doing-something-new");
        assert_eq!((instance.allocated_gib, instance.endpoint), (0, None));
        assert!(!instance.status_infos[0].normal, "what is not said to be normal is not");
        assert_eq!(instance.master_secret, Some(("arn:x".into(), String::new())));
    }
}
