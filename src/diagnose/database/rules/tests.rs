//! Databases as they fall sick, by the facts about RDS.

use std::collections::BTreeMap;

use super::super::Declared;
use super::super::connections::{Demand, PoolDemand};
use super::super::fixtures::{cluster, instance, parameter, service};
use super::*;
use crate::domain::database::{DbCluster, Maintenance, ParameterGroup, StatusInfo};

const NOW: Wall = Wall(1_795_000_000_000);
const HOUR: u64 = 3_600;

fn ago(seconds: u64) -> Option<Wall> {
    Some(NOW.minus(Duration::from_secs(seconds)))
}

fn ahead(seconds: u64) -> Option<Wall> {
    Some(NOW.plus(Duration::from_secs(seconds)))
}

fn metrics(pairs: &[(&str, f64)]) -> DatabaseFacts<'static> {
    let metrics: BTreeMap<String, f64> = pairs.iter().map(|(name, value)| ((*name).into(), *value)).collect();
    DatabaseFacts { metrics, ..DatabaseFacts::default() }
}

fn judged(instance: &DbInstance, facts: &DatabaseFacts<'_>) -> Vec<(&'static str, Severity, String)> {
    let found = database_findings(Database::Instance(instance), facts, NOW);
    found.into_iter().map(|f| (f.rule, f.severity, f.sentence)).collect()
}

#[track_caller]
fn only(instance: &DbInstance, facts: &DatabaseFacts<'_>, rule: &str, severity: Severity, sentence: &str) {
    let all = judged(instance, facts);
    let all: Vec<_> = all.iter().map(|(rule, severity, text)| (*rule, *severity, text.as_str())).collect();
    assert_eq!(all, [(rule, severity, sentence)]);
}

#[test]
fn a_well_database_has_no_findings() {
    let facts = metrics(&[
        ("FreeStorageSpace", 6e10),
        ("DatabaseConnections", 40.0),
        ("CPUUtilization", 20.0),
        ("DBLoad", 0.4),
        ("ReplicaLag", 0.0),
    ]);
    let well = DbInstance {
        latest_restorable: ago(240),
        certificate_valid_till: ahead(400 * 24 * HOUR),
        parameter_groups: vec![ParameterGroup { name: "pg".into(), status: "in-sync".into() }],
        ..instance()
    };
    assert_eq!(judged(&well, &DatabaseFacts { production: true, ..facts }), []);
    assert_eq!(judged(&DbInstance { status: "stopped".into(), ..instance() }, &metrics(&[])), []);
}

#[test]
fn a_status_says_what_it_means() {
    let of = |status: &str| DbInstance { status: status.into(), ..instance() };
    only(
        &of("storage-full"),
        &metrics(&[("FreeStorageSpace", 0.0)]),
        "database.storage-full",
        Critical,
        "Storage is full: nothing can be written until it is grown by 10 % or more",
    );
    only(&of("modifying"), &metrics(&[]), "database.status", Progress, "Status modifying");
    only(&of("odd-new-word"), &metrics(&[]), "database.status", Warning, "Status odd-new-word");
    let demand = Demand {
        pools: vec![PoolDemand { service: service("api", 2).id, tasks: 2, per_task: 5, bound: "declared" }],
        ..Demand::default()
    };
    let used = DatabaseFacts { demand: Some(demand), ..DatabaseFacts::default() };
    only(
        &of("stopped"),
        &used,
        "database.status",
        Critical,
        "Stopped, though 1 service uses it; it starts by itself after 7 days",
    );
    let over = DbCluster { status: "failing-over".into(), ..cluster() };
    let found = database_findings(Database::Cluster(&over), &DatabaseFacts::default(), NOW);
    assert_eq!(found[0].severity, Critical);
}

#[test]
fn storage_is_low_before_it_is_full() {
    let gib = 1_073_741_824.0;
    let falling: Vec<(Wall, f64)> = (0..289_i32)
        .map(|i| {
            (
                NOW.minus(Duration::from_secs(86_400)).plus(Duration::from_secs(300) * i.unsigned_abs()),
                (9.0 - f64::from(i) / 96.0) * gib,
            )
        })
        .collect();
    let facts = DatabaseFacts { free_storage: &falling, ..metrics(&[("FreeStorageSpace", 6.0 * gib)]) };
    only(&instance(), &facts, "database.storage-low", Warning, "Storage full in 2 days: 6 of 100 GiB free");
    let grows = DbInstance { max_allocated_gib: Some(110), ..instance() };
    only(
        &grows,
        &facts,
        "database.storage-low",
        Warning,
        "Storage full in 5 days at its maximum of 110 GiB: 6 of 100 GiB free",
    );
    assert_eq!(judged(&DbInstance { max_allocated_gib: Some(1_000), ..instance() }, &facts), []);
    only(
        &instance(),
        &metrics(&[("FreeStorageSpace", 3.5 * gib)]),
        "database.storage-low",
        Critical,
        "Storage low: 3.5 of 100 GiB free (3 %)",
    );
    assert_eq!(judged(&DbInstance { engine: "aurora-mysql".into(), ..instance() }, &facts), []);
}

#[test]
fn connections_are_held_against_the_limit_and_the_pools() {
    let parameters = [parameter("max_connections", "100")];
    let facts = |used| DatabaseFacts { parameters: &parameters, ..metrics(&[("DatabaseConnections", used)]) };
    only(&instance(), &facts(97.0), "database.connections", Critical, "97 of 100 connections used (97 %)");
    only(&instance(), &facts(80.0), "database.connections", Warning, "80 of 100 connections used (80 %)");
    assert_eq!(judged(&instance(), &facts(79.0)), []);
    let small = DbInstance { class: "db.t3.micro".into(), engine: "mysql".into(), ..instance() };
    only(
        &small,
        &metrics(&[("DatabaseConnections", 55.0)]),
        "database.connections",
        Warning,
        "55 of ≈59 connections used (93 %)",
    );
    only(
        &small,
        &metrics(&[("DatabaseConnections", 64.0)]),
        "database.connections",
        Critical,
        "64 connections used, the limit is estimated at ≈59",
    );
    let pools =
        vec![PoolDemand { service: service("api", 2).id, tasks: 8, per_task: 15, bound: "autoscaling" }];
    let demand = Some(Demand { connections: 120, pools, missing: vec!["gone".into()] });
    let facts = DatabaseFacts { demand, ..facts(20.0) };
    let found = database_findings(Database::Instance(&instance()), &facts, NOW);
    assert_eq!(found[0].rule, "database.pools");
    assert_eq!(found[0].sentence, "Pools may ask for 120 connections at full scale-out, it takes 100");
    let evidence: Vec<&str> = found[0].evidence.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        evidence,
        [
            "api: 8 tasks × 15 connections (tasks by autoscaling)",
            "together 120 of 100",
            "declared service gone was not found"
        ]
    );
}

#[test]
fn load_is_held_against_the_class() {
    let of = |pairs| metrics(pairs);
    only(&instance(), &of(&[("CPUUtilization", 93.14)]), "database.cpu", Warning, "CPU at 93.1 %");
    only(
        &instance(),
        &of(&[("DBLoad", 7.25)]),
        "database.load",
        Critical,
        "7.2 sessions active at a time on 2 vCPUs",
    );
    only(
        &instance(),
        &of(&[("CPUCreditBalance", 3.0), ("CPUUtilization", 60.0)]),
        "database.cpu-credits",
        Warning,
        "3 CPU credits left: at 0 it slows down to its baseline or costs extra",
    );
    assert_eq!(judged(&instance(), &of(&[("CPUCreditBalance", 3.0), ("CPUUtilization", 4.0)])), []);
    only(
        &instance(),
        &of(&[("MaximumUsedTransactionIDs", 1.2e9)]),
        "database.transaction-ids",
        Warning,
        "1.2 of 2.1 billion transaction ids used: vacuum lags",
    );
}

#[test]
fn replication_that_lags_or_broke_is_told() {
    let lagging = metrics(&[("ReplicaLag", 130.0)]);
    only(&instance(), &lagging, "database.replica-lag", Warning, "2 min behind its source");
    assert_eq!(judged(&instance(), &metrics(&[("AuroraReplicaLag", 900.0)])), []);
    only(
        &instance(),
        &metrics(&[("ReplicaLag", -1.0)]),
        "database.replication",
        Critical,
        "Replication does not run: its lag is given as -1",
    );
    let info = StatusInfo {
        kind: "read replication".into(),
        normal: false,
        status: "error".into(),
        message: Some("duplicate key".into()),
    };
    let broken = DbInstance { status_infos: vec![info], ..instance() };
    only(
        &broken,
        &metrics(&[("ReplicaLag", -1.0)]),
        "database.replication",
        Critical,
        "Read replication is error",
    );
}

#[test]
fn what_waits_is_named() {
    let waits = DbInstance {
        pending: vec![("class".into(), "db.r6g.xlarge".into())],
        parameter_groups: vec![ParameterGroup { name: "pg".into(), status: "pending-reboot".into() }],
        ..instance()
    };
    let all = judged(&waits, &metrics(&[]));
    let texts: Vec<&str> = all.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "1 change waits for the window or a reboot: class db.r6g.xlarge",
            "Parameters pending-reboot: only a reboot applies it (pg)"
        ]
    );
}

#[test]
fn maintenance_and_windows_are_told_with_their_dates() {
    let action = |forced, auto| Maintenance {
        resource: instance().arn,
        action: "system-update".into(),
        description: Some("New operating system".into()),
        auto_after: auto,
        forced_at: forced,
        current_apply: None,
        opted_in: None,
    };
    let other = Maintenance { resource: "arn:other".into(), ..action(ahead(HOUR), None) };
    let all = [action(ahead(3 * 24 * HOUR), None), other];
    let facts = DatabaseFacts { maintenance: &all, ..DatabaseFacts::default() };
    only(
        &instance(),
        &facts,
        "database.maintenance",
        Notice,
        "Maintenance system-update in 3 d, forced in 3 d",
    );
    let later = [action(None, ahead(30 * 24 * HOUR))];
    let facts = DatabaseFacts { maintenance: &later, ..DatabaseFacts::default() };
    only(&instance(), &facts, "database.maintenance", Notice, "Maintenance system-update in 30 d");
    let window = DbInstance { backup_window: Some("00:00-23:59".into()), ..instance() };
    only(
        &window,
        &DatabaseFacts::default(),
        "database.backup-window",
        Progress,
        "Backup window now (00:00-23:59 UTC)",
    );
}

#[test]
fn certificates_expire_with_notice() {
    let till = |at| DbInstance { certificate_valid_till: at, ca: Some("rds-ca-2019".into()), ..instance() };
    let day = 24 * HOUR;
    let facts = DatabaseFacts::default();
    let rule = "database.certificate";
    only(&till(ahead(60 * day)), &facts, rule, Notice, "Its certificate expires in 60 d");
    only(&till(ahead(20 * day)), &facts, rule, Warning, "Its certificate expires in 20 d");
    only(&till(ahead(13 * day)), &facts, rule, Critical, "Its certificate expires in 13 d");
    only(&till(ago(2 * day)), &facts, rule, Critical, "Its certificate expired 2 d ago");
    assert_eq!(judged(&till(ahead(91 * day)), &facts), []);
}

#[test]
fn backups_are_held_against_the_objective() {
    let none = DbInstance { backup_retention_days: 0, ..instance() };
    only(
        &none,
        &DatabaseFacts::default(),
        "database.no-backups",
        Warning,
        "Backups are kept 0 days: no point in time can be restored",
    );
    assert_eq!(judged(&DbInstance { source: Some("cma-db".into()), ..none.clone() }, &metrics(&[])), []);
    let old = DbInstance { latest_restorable: ago(20 * 60), ..instance() };
    only(
        &old,
        &DatabaseFacts::default(),
        "database.restore-point",
        Warning,
        "Restorable only up to 20 min ago: usual are 5 min, at most 15 min",
    );
    let hour = Declared { rpo: Some(Duration::from_secs(HOUR)), pools: Vec::new() };
    let facts = DatabaseFacts { declared: Some(&hour), ..DatabaseFacts::default() };
    assert_eq!(judged(&old, &facts), []);
    let older = DbInstance { latest_restorable: ago(5 * HOUR), ..instance() };
    only(
        &older,
        &facts,
        "database.restore-point",
        Critical,
        "Restorable only up to 5 h ago: the declared objective is 1 h",
    );
}

#[test]
fn production_is_protected() {
    let bare = DbInstance { deletion_protection: false, ..instance() };
    assert_eq!(judged(&bare, &DatabaseFacts::default()), []);
    let production = DatabaseFacts { production: true, ..DatabaseFacts::default() };
    only(&bare, &production, "database.unprotected", Notice, "Not protected against deletion");
    let plain = DbInstance { encrypted: false, ..instance() };
    assert_eq!(judged(&plain, &DatabaseFacts::default())[0].0, "database.unencrypted");
}

#[test]
fn a_failover_is_news_for_an_hour() {
    let event = |source: &str, kind: &str, at: Option<Wall>| DataEvent {
        source: source.into(),
        source_type: kind.into(),
        at: at.unwrap(),
        message: "Multi-AZ instance failover completed".into(),
        categories: vec!["failover".into()],
    };
    let events = [
        event("cma-db", "db-instance", ago(12 * 60)),
        event("cma-db", "db-instance", ago(13 * 60)),
        event("other", "db-instance", ago(60)),
        event("cma-db", "db-cluster", ago(60)),
    ];
    let facts = DatabaseFacts { events: &events, ..DatabaseFacts::default() };
    only(
        &instance(),
        &facts,
        "database.failover",
        Warning,
        "Failed over 12 min ago: pools may hold dead connections, DNS may lag",
    );
    let old = [event("cma-db", "db-instance", ago(2 * HOUR))];
    assert_eq!(judged(&instance(), &DatabaseFacts { events: &old, ..DatabaseFacts::default() }), []);
}
