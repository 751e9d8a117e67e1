//! Databases and services as they are when all is well, for the tests of rules.
//!
//! Must not be used outside tests.

use crate::domain::database::{DatabaseId, DbCluster, DbInstance, Parameter};
use crate::domain::ecs::{DeploymentConfiguration, Revision, Service, ServiceId};
use crate::domain::scope::Scope;

pub(in crate::diagnose) fn scope() -> Scope {
    Scope::new("default", "eu-west-2")
}

pub(in crate::diagnose) fn instance() -> DbInstance {
    DbInstance {
        id: DatabaseId { scope: scope(), name: "cma-db".into(), cluster: false },
        arn: "arn:aws:rds:eu-west-2:123456789012:db:cma-db".into(),
        status: "available".into(),
        class: "db.m5.large".into(),
        engine: "postgres".into(),
        engine_version: "16.4".into(),
        endpoint: None,
        multi_az: true,
        zone: None,
        secondary_zone: None,
        allocated_gib: 100,
        max_allocated_gib: None,
        storage_type: Some("gp3".into()),
        iops: None,
        cluster: None,
        source: None,
        replicas: Vec::new(),
        status_infos: Vec::new(),
        pending: Vec::new(),
        parameter_groups: Vec::new(),
        backup_window: None,
        maintenance_window: None,
        backup_retention_days: 7,
        latest_restorable: None,
        deletion_protection: true,
        encrypted: true,
        public: false,
        ca: None,
        certificate_valid_till: None,
        performance_insights: true,
        master_secret: None,
        exported_logs: Vec::new(),
        promotion_tier: None,
        security_groups: Vec::new(),
        restarts_at: None,
        created_at: None,
        tags: Vec::new(),
    }
}

pub(in crate::diagnose) fn cluster() -> DbCluster {
    DbCluster {
        id: DatabaseId { scope: scope(), name: "cma-cluster".into(), cluster: true },
        arn: "arn:aws:rds:eu-west-2:123456789012:cluster:cma-cluster".into(),
        status: "available".into(),
        engine: "aurora-postgresql".into(),
        engine_version: "16.4".into(),
        endpoint: None,
        reader: None,
        members: Vec::new(),
        multi_az: true,
        backup_window: None,
        maintenance_window: None,
        backup_retention_days: 7,
        latest_restorable: None,
        deletion_protection: true,
        encrypted: true,
        created_at: None,
        tags: Vec::new(),
    }
}

pub(in crate::diagnose) fn parameter(name: &str, value: &str) -> Parameter {
    Parameter { name: name.into(), value: Some(value.into()), source: None, apply_type: None }
}

pub(in crate::diagnose) fn service(name: &str, tasks: u32) -> Service {
    Service {
        id: ServiceId { scope: scope(), cluster: "cma-production".into(), name: name.into() },
        arn: String::new(),
        status: "ACTIVE".into(),
        desired: tasks,
        running: tasks,
        pending: 0,
        launch_type: None,
        capacity: Vec::new(),
        platform_version: None,
        task_definition_arn: format!("arn:aws:ecs:eu-west-2:123456789012:task-definition/{name}:41"),
        revision: Revision { family: name.into(), number: 41 },
        controller: None,
        deployment_configuration: DeploymentConfiguration::default(),
        deployments: Vec::new(),
        events: Vec::new(),
        load_balancers: Vec::new(),
        subnets: Vec::new(),
        security_groups: Vec::new(),
        public_ip: None,
        health_check_grace_s: None,
        exec_enabled: false,
        scheduling: None,
        current_service_deployment: None,
        current_service_revisions: Vec::new(),
        created_at: None,
        created_by: None,
        tags: Vec::new(),
    }
}
