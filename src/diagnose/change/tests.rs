//! One axis of time from many tellers.

use super::super::database::fixtures::{scope, service};
use super::super::fixtures::definition;
use super::*;
use crate::domain::ecs::{Deployment, Revision};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;

fn at(minutes: i64) -> Wall {
    Wall(1_795_000_000_000 + minutes * MINUTE)
}

fn write(name: &str, source: &str, minutes: i64, parameters: &[(&str, &str)]) -> TrailEvent {
    TrailEvent {
        id: format!("{name}{minutes}"),
        name: name.into(),
        source: format!("{source}.amazonaws.com"),
        at: at(minutes),
        user: Some("maria".into()),
        resources: Vec::new(),
        error: None,
        read_only: false,
        parameters: parameters.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
    }
}

fn deployed() -> Service {
    let mut api = service("api", 2);
    api.deployments = vec![Deployment {
        id: "ecs-svc/1".into(),
        status: "PRIMARY".into(),
        revision: Revision { family: "api".into(), number: 42 },
        desired: 2,
        pending: 0,
        running: 2,
        failed_tasks: 0,
        rollout_state: Some("COMPLETED".into()),
        rollout_reason: None,
        created_at: Some(at(10)),
        updated_at: Some(at(14)),
    }];
    api
}

fn told(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|c| format!("{}: {} ({})", c.name, c.sentence, c.who.as_deref().unwrap_or("?")))
        .collect()
}

#[test]
fn what_ecs_and_cloudtrail_tell_is_told_once_with_who() {
    let mut changes = of_service(&deployed(), &[]);
    let mut registered = definition("api");
    registered.registered_at = Some(at(9));
    changes.extend(of_definition(&deployed().id, &registered));
    let cluster = ("cluster", "arn:aws:ecs:eu-west-2:123456789012:cluster/cma-production");
    let mut refused = write("UpdateService", "ecs", 10, &[("service", "api"), cluster]);
    refused.error = Some("AccessDenied".into());
    let mut reads = write("DescribeServices", "ecs", 10, &[]);
    reads.read_only = true;
    changes.extend(of_trail(
        &scope(),
        &[
            write("UpdateService", "ecs", 10, &[("service", "api"), cluster, ("taskDefinition", "api:42")]),
            write("RegisterTaskDefinition", "ecs", 9, &[("family", "api")]),
            refused,
            reads,
            write("UpdateService", "ecs", 30, &[("service", "api"), cluster, ("desiredCount", "4")]),
        ],
    ));
    assert_eq!(
        told(&timeline(changes, at(0))),
        [
            "api: UpdateService, desired count 4 (maria)",
            "api: Deployment of api:42 completed (?)",
            "api: Deployment of api:42 began (maria)",
            "api: UpdateService failed: AccessDenied (maria)",
            "api:41: Task definition api:41 registered (maria)",
        ]
    );
}

#[test]
fn a_history_adds_ends_and_rollbacks() {
    let deployment = |status: &str| ServiceDeployment {
        arn: String::new(),
        status: status.into(),
        status_reason: None,
        created_at: Some(at(10)),
        started_at: Some(at(10)),
        finished_at: Some(at(13)),
        target_revision_arn: None,
        source_revision_arns: Vec::new(),
        lifecycle_stage: None,
        traffic_percent: None,
        triggered_alarms: Vec::new(),
        breaker: None,
        rollback_reason: Some("Service deployment rolled back because of the circuit breaker.".into()),
        waiting_hook: None,
    };
    let found = timeline(of_service(&deployed(), &[deployment("ROLLBACK_SUCCESSFUL")]), at(0));
    assert_eq!(
        told(&found),
        [
            "api: Rolled back: Service deployment rolled back because of the circuit breaker (?)",
            "api: Deployment of api:42 began (?)",
        ]
    );
}

#[test]
fn scaling_events_and_alarms_lead_to_their_resources() {
    let activity = ScalingActivity {
        id: "1".into(),
        resource: "service/cma-production/api".into(),
        description: "Setting desired count to 4.".into(),
        cause: "monitor alarm TargetTracking-x in state ALARM".into(),
        status: "Successful".into(),
        message: None,
        started_at: Some(at(1)),
        ended_at: None,
    };
    let scaled = of_scaling(&scope(), &[activity]);
    assert_eq!(scaled[0].subject, Some(Subject::Service(service("api", 1).id)));
    assert_eq!(
        told(&scaled),
        ["api: Setting desired count to 4 (monitor alarm TargetTracking-x in state ALARM) (autoscaling)"]
    );
    let item = |alarm: &str| AlarmHistoryItem {
        alarm: alarm.into(),
        at: at(2),
        kind: "StateUpdate".into(),
        summary: "Alarm updated from OK to ALARM".into(),
        states: Some(("OK".into(), "ALARM".into())),
    };
    let flips = of_alarm_history(&scope(), &[item("cpu"), item("TargetTracking-service/x")]);
    assert_eq!(told(&flips), ["cpu: OK → ALARM (?)"]);
    let event = DataEvent {
        source: "cma-db".into(),
        source_type: "db-instance".into(),
        at: at(3),
        message: "DB instance restarted.".into(),
        categories: vec!["availability".into()],
    };
    let events = of_database_events(&scope(), &[event]);
    assert_eq!(events[0].subject.as_ref().map(Subject::kind), Some("database"));
    let reboot = write("RebootDBInstance", "rds", 3, &[("dBInstanceIdentifier", "cma-db")]);
    let all = timeline([events, of_trail(&scope(), &[reboot])].concat(), at(0));
    assert_eq!(told(&all), ["cma-db: DB instance restarted (maria)"]);
}

#[test]
fn a_deletion_is_a_change_once_it_was_asked_for_and_not_before_it_comes() {
    let doomed = |minutes| Secret { deleted_at: Some(at(minutes)), ..super::super::secret::tests::secret() };
    let told = |minutes| {
        let changes = of_secret(&doomed(minutes), at(0));
        changes.iter().any(|change| change.sentence == "Deletion asked for")
    };
    assert_eq!((told(-5), told(7 * 1_440)), (true, false));
}

#[test]
fn a_secret_of_cloudtrail_is_the_secret_that_we_know() {
    let arn = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:cma/production/database-AbCdEf";
    let rotate = write("RotateSecret", "secretsmanager", 1, &[("secretId", arn)]);
    assert_eq!(of_trail(&scope(), &[rotate])[0].name, "cma/production/database");
    assert_eq!(secret_name("cma/production/database"), "cma/production/database");
    let failed = TrailEvent {
        resources: vec![("AWS::SecretsManager::Secret".into(), arn.into())],
        ..write("RotationFailed", "secretsmanager", 2, &[])
    };
    let told = of_trail(&scope(), &[failed]);
    assert_eq!(told[0].name, "cma/production/database");
    assert!(matches!(told[0].subject, Some(Subject::Secret(_))), "{told:?}");
}

proptest! {
    #[test]
    fn the_axis_runs_backwards_and_begins_where_asked(minutes in prop::collection::vec(-50..50_i64, 0..20)) {
        let writes: Vec<TrailEvent> = minutes.iter().map(|m| write("StopTask", "ecs", *m, &[])).collect();
        let axis = timeline(of_trail(&scope(), &writes), at(0));
        prop_assert!(axis.is_sorted_by_key(|change| std::cmp::Reverse(change.at)));
        let distinct: std::collections::BTreeSet<i64> = minutes.into_iter().filter(|m| *m >= 0).collect();
        prop_assert_eq!(axis.len(), distinct.len());
    }
}
