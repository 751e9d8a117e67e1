//! Databases: what is applied besides, and whose reboot it was.

use super::*;
use crate::domain::database::{DbInstance, ParameterGroup};
use crate::domain::mutation::Receipt;
use crate::guard::CallOutcome;

fn database() -> DbInstance {
    DbInstance {
        id: DatabaseId { scope: scope(), name: "shop".into(), cluster: false },
        arn: String::new(),
        status: "available".into(),
        class: "db.r6g.large".into(),
        engine: "postgres".into(),
        engine_version: "15.4".into(),
        endpoint: None,
        multi_az: true,
        zone: Some("eu-west-2a".into()),
        secondary_zone: Some("eu-west-2b".into()),
        allocated_gib: 100,
        max_allocated_gib: None,
        storage_type: None,
        iops: None,
        cluster: None,
        source: None,
        replicas: vec![],
        status_infos: vec![],
        pending: vec![],
        parameter_groups: vec![],
        backup_window: None,
        maintenance_window: None,
        backup_retention_days: 7,
        latest_restorable: None,
        deletion_protection: true,
        encrypted: true,
        public: false,
        ca: None,
        certificate_valid_till: None,
        performance_insights: false,
        master_secret: None,
        exported_logs: vec![],
        promotion_tier: None,
        security_groups: vec![],
        restarts_at: None,
        created_at: None,
        tags: vec![],
    }
}

fn found(instance: &DbInstance) -> Answer {
    Answer::DbInstances { found: vec![instance.clone()], next: None }
}

fn work(instance: &DbInstance, work: DatabaseWork) -> (Operation, Vec<Demand>) {
    let mut operation = operation(Action::Database { database: instance.id.clone(), work });
    let demands = asked(&mut operation, |_| Ok(found(instance)));
    (operation, demands)
}

fn waits() -> DbInstance {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let pending = vec![own("EngineVersion", "16.4"), own("DBInstanceClass", "db.r6g.xlarge")];
    DbInstance { pending, ..database() }
}

#[test]
fn a_storage_is_not_grown_while_something_else_would_be_applied_with_it() {
    let (_, demands) = work(&waits(), DatabaseWork::Grow { to: 200 });
    let why = refused(&demands);
    assert!(why.contains("EngineVersion 16.4, DBInstanceClass db.r6g.xlarge"), "{why}");
    let (_, demands) = work(&database(), DatabaseWork::Grow { to: 200 });
    assert_eq!(finding(planned(&demands), "pending changes").0, Finding::Pass);
}

#[test]
fn what_became_pending_while_the_dialog_stood_open_stops_the_growth() {
    let (mut operation, _) = work(&database(), DatabaseWork::Grow { to: 200 });
    let policy = Policy::new(Lock::Unlocked, false);
    let with = Confirmation::Typed { name: operation.action().name(), reason: None };
    let demands = operation.step(Input::Confirm { with, policy }, at(60));
    match look(&mut operation, &demands, found(&waits()), 61).as_slice() {
        [Demand::End { verdict: Verdict::Changed { difference }, recorded: false }] => {
            assert!(
                difference.contains("what is pending at shop was nothing, is EngineVersion"),
                "{difference}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reboot_promises_to_apply_only_what_a_reboot_applies() {
    let group = |name: &str, status: &str| ParameterGroup { name: name.into(), status: status.into() };
    let groups = vec![group("shop-pg16", "pending-reboot"), group("other", "in-sync")];
    let (_, demands) =
        work(&DbInstance { parameter_groups: groups, ..waits() }, DatabaseWork::Reboot { failover: false });
    let plan = planned(&demands);
    assert_eq!(
        finding(plan, "pending changes").1,
        "pending: EngineVersion 16.4, DBInstanceClass db.r6g.xlarge"
    );
    assert_eq!(finding(plan, "parameters").1, "applied by the reboot: what waits in shop-pg16");
}

/// What becomes of a reboot of which these statuses are seen, every ten seconds.
fn rebooted(answered: bool, statuses: &[&str]) -> Vec<Demand> {
    let (mut operation, _) = work(&database(), DatabaseWork::Reboot { failover: false });
    let mut demands = if answered {
        let policy = Policy::new(Lock::Unlocked, false);
        let with = Confirmation::Typed { name: operation.action().name(), reason: None };
        operation.step(Input::Confirm { with, policy }, at(1));
        operation.step(Input::Recorded(Ok(())), at(1));
        operation.step(Input::Called(CallOutcome::Accepted(Receipt::default())), at(2))
    } else {
        lost(&mut operation)
    };
    for (n, status) in statuses.iter().enumerate() {
        let instance = DbInstance { status: (*status).to_owned(), ..database() };
        demands = look(&mut operation, &demands, found(&instance), 12 + 10 * n as u64);
        if operation.is_ended() {
            break;
        }
    }
    demands
}

#[test]
fn a_backup_is_not_taken_for_the_reboot() {
    let verdict = |demands: &[Demand]| match demands {
        [Demand::End { verdict, .. }] => Some(verdict.clone()),
        _ => None,
    };
    for other in ["backing-up", "modifying", "maintenance", "configuring-log-exports"] {
        assert_eq!(verdict(&rebooted(true, &[other, "available"])), None, "{other} is no reboot");
        assert_eq!(verdict(&rebooted(false, &[other, "available"])), None, "{other} is no reboot");
    }
    assert_eq!(verdict(&rebooted(true, &["rebooting", "available"])), Some(Verdict::Succeeded));
    // Never seen: after a minute it has done it unseen, unless nobody knows whether it was asked at all.
    assert_eq!(verdict(&rebooted(true, &["available"; 7])), Some(Verdict::Succeeded));
    assert_eq!(verdict(&rebooted(false, &["available"; 7])), None);
    assert!(matches!(
        verdict(&rebooted(false, &["available"; 200])),
        Some(Verdict::Unknown { how_to_find_out }) if how_to_find_out.contains("aws rds describe-events")
    ));
    // Whose reboot it was, a status does not tell.
    assert!(matches!(
        verdict(&rebooted(false, &["rebooting", "available"])),
        Some(Verdict::Unknown { how_to_find_out }) if how_to_find_out.contains("aws rds describe-events")
    ));
}
