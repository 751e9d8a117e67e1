//! Plans of secrets, scaling, databases and restarts, each from what was read.

mod after;
mod alarm;
mod data;

use std::time::Duration;

use crate::domain::action::{Action, DatabaseWork, SecretWork};
use crate::domain::database::{ClusterMember, DatabaseId, DbCluster};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::ScalingChange;
use crate::domain::plan::{Finding, Plan};
use crate::domain::query::{Answer, Query};
use crate::domain::scaling::ScalableTarget;
use crate::domain::scope::Scope;
use crate::domain::secret::{Secret, SecretId, SecretVersion};
use crate::domain::task::Task;
use crate::domain::task_definition::SecretRef;
use crate::domain::verdict::Verdict;
use crate::guard::operation::tests::{definition, rest, service_id, task};
use crate::guard::{Confirmation, Demand, Input, Lock, Operation, Policy};
use crate::stdx::clock::{Moment, Wall};

const ARN: &str = "arn:aws:secretsmanager:eu-west-2:1:secret:shop/db-AbCdEf";

fn at(seconds: u64) -> Moment {
    Moment { wall: Wall(1_800_000_000_000), mono: Duration::ZERO }.plus(Duration::from_secs(seconds))
}

fn scope() -> Scope {
    Scope::new("prod", "eu-west-2")
}

fn secret() -> Secret {
    let version = |id: &str, stage: &str| SecretVersion { id: id.into(), stages: vec![stage.into()] };
    Secret {
        id: SecretId { scope: scope(), name: "shop/db".into() },
        arn: ARN.into(),
        description: None,
        rotation_enabled: true,
        rotation_lambda: Some("arn:aws:lambda:eu-west-2:1:function:rotate".into()),
        rotation_rules: None,
        last_rotated: None,
        next_rotation: None,
        last_changed: None,
        last_accessed: None,
        deleted_at: None,
        owning_service: None,
        primary_region: None,
        versions: vec![version("v2", "AWSCURRENT"), version("v1", "AWSPREVIOUS")],
        replicas: vec![],
        kms_key: None,
        created_at: None,
        tags: vec![],
    }
}

/// Answers what an operation asks until it wants something else.
fn asked(operation: &mut Operation, answer: impl Fn(&Query) -> Result<Answer, Fault>) -> Vec<Demand> {
    let mut demands = operation.start(at(0));
    while matches!(demands.first(), Some(Demand::Read { .. })) {
        let mut next = Vec::new();
        for demand in demands {
            let Demand::Read { query, .. } = demand else { panic!("{demand:?}") };
            let outcome = answer(&query);
            let input = Input::Read { query: Box::new(query), outcome: Box::new(outcome) };
            next.extend(operation.step(input, at(1)));
        }
        demands = next;
    }
    demands
}

fn operation(action: Action) -> Operation {
    Operation::new("op-1", action, Policy::new(Lock::Unlocked, false), None)
}

fn planned(demands: &[Demand]) -> &Plan {
    match demands {
        [Demand::Confirm { plan, .. }] => plan,
        other => panic!("{other:?}"),
    }
}

fn refused(demands: &[Demand]) -> &str {
    match demands {
        [Demand::End { verdict: Verdict::Refused { why }, recorded: false }] => why,
        other => panic!("{other:?}"),
    }
}

fn finding(plan: &Plan, name: &str) -> (Finding, String) {
    let check = plan.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{plan:?}"));
    (check.finding, check.evidence.clone())
}

/// The small world of one service that reads `shop/db`, by these references.
fn readers(secret: Secret, references: &'static [&'static str]) -> impl Fn(&Query) -> Result<Answer, Fault> {
    move |query| match query {
        Query::DescribeSecret { .. } => Ok(Answer::Secrets { found: vec![secret.clone()], next: None }),
        Query::ListClusters { .. } => {
            Ok(Answer::Names { names: vec!["arn:aws:ecs:r:1:cluster/c".into()], next: None })
        }
        Query::ListServices { .. } => {
            Ok(Answer::Names { names: vec!["arn:aws:ecs:r:1:service/c/api".into()], next: None })
        }
        Query::DescribeServices { .. } => Ok(Answer::Services { found: vec![rest()], failures: vec![] }),
        Query::DescribeTaskDefinition { .. } => {
            let mut found = definition(7, ":latest");
            found.containers[0].secrets = references
                .iter()
                .map(|value| SecretRef { name: "PASSWORD".into(), value_from: (*value).into() })
                .collect();
            Ok(Answer::TaskDefinition(Box::new(found)))
        }
        other => panic!("nobody should ask {other:?}"),
    }
}

fn put(keys: Option<&[&str]>) -> Action {
    let keys = keys.map(|keys| keys.iter().map(ToString::to_string).collect());
    Action::Secret { secret: secret().id, work: SecretWork::Put { keys } }
}

const WITH_KEYS: &[&str] = &[
    "arn:aws:secretsmanager:eu-west-2:1:secret:shop/db-AbCdEf:password::",
    "arn:aws:secretsmanager:eu-west-2:1:secret:shop/db-AbCdEf:user:AWSPREVIOUS:",
];

#[test]
fn a_value_that_lacks_a_key_of_a_container_is_refused() {
    let mut lacks = operation(put(Some(&["username"])));
    let demands = asked(&mut lacks, readers(secret(), WITH_KEYS));
    // What is read at another stage does not change.
    assert_eq!(
        refused(&demands),
        "the new value lacks password of api/api: their next tasks could not start"
    );
    let mut plain = operation(put(None));
    let demands = asked(&mut plain, readers(secret(), WITH_KEYS));
    assert!(refused(&demands).starts_with("the new value is no JSON object"), "{demands:?}");
    let mut fits = operation(put(Some(&["password", "more"])));
    let demands = asked(&mut fits, readers(secret(), WITH_KEYS));
    let plan = planned(&demands);
    assert_eq!(finding(plan, "JSON keys").0, Finding::Pass);
    assert_eq!(plan.then, [service_id()]);
    assert_eq!(plan.advice, ["then: opsdeck deploy c/api --wait"]);
}

#[test]
fn readers_that_could_not_be_read_are_not_taken_for_none() {
    let denied = |query: &Query| match query {
        Query::ListClusters { .. } => Err(Fault::new(FaultKind::Denied, "not authorized")),
        other => readers(secret(), WITH_KEYS)(other),
    };
    let mut operation = operation(put(Some(&["x"])));
    let demands = asked(&mut operation, denied);
    let (found, evidence) = finding(planned(&demands), "readers");
    assert_eq!(found, Finding::NotVerified);
    assert!(evidence.ends_with("not authorized"), "{evidence}");
}

#[test]
fn a_secret_is_rotated_restored_and_unstuck_only_where_that_can_be() {
    let work = |work: SecretWork, secret: Secret| {
        let mut operation = operation(Action::Secret { secret: secret.id.clone(), work });
        asked(&mut operation, readers(secret, &[]))
    };
    let pending = || {
        let mut secret = secret();
        secret.versions.push(SecretVersion { id: "v3".into(), stages: vec!["AWSPENDING".into()] });
        secret
    };
    planned(&work(SecretWork::Rotate, secret()));
    assert!(refused(&work(SecretWork::Rotate, pending())).contains("unstick it first"));
    let bare = Secret { rotation_lambda: None, ..secret() };
    assert!(refused(&work(SecretWork::Rotate, bare)).contains("no rotation is configured"));
    let gone = Secret { deleted_at: Some(Wall(1)), ..secret() };
    assert!(refused(&work(SecretWork::Restore, gone)).contains("scheduled for deletion"));
    let replica = Secret { primary_region: Some("us-east-1".into()), ..secret() };
    assert!(refused(&work(SecretWork::Rotate, replica)).contains("change it in us-east-1"));
    assert!(refused(&work(SecretWork::Unstick, secret())).contains("no rotation is stuck"));
    let demands = work(SecretWork::Unstick, pending());
    assert_eq!(planned(&demands).changes[0].before, "version v3");
    let mut first = secret();
    first.versions.truncate(1);
    assert!(refused(&work(SecretWork::Restore, first)).contains("no version is AWSPREVIOUS"));
}

#[test]
fn a_rotation_by_hand_says_that_it_turns_the_schedule_on_again() {
    let rotated = |secret: Secret| {
        let mut operation = operation(Action::Secret { secret: secret.id.clone(), work: SecretWork::Rotate });
        asked(&mut operation, readers(secret, &[]))
    };
    let off = Secret { rotation_enabled: false, ..secret() };
    let demands = rotated(off.clone());
    let plan = planned(&demands);
    let change = plan.changes.iter().find(|change| change.field == "automatic rotation").unwrap();
    assert_eq!((change.before.as_str(), change.after.as_str()), ("off", "on"));
    assert_eq!(finding(plan, "automatic rotation").0, Finding::Warn);
    assert!(
        matches!(demands.as_slice(), [Demand::Confirm { friction, .. }] if *friction == crate::guard::Friction::TypedName)
    );
    // A schedule that is on stays so, and another service's secret has none of its own.
    for other in [secret(), Secret { owning_service: Some("rds".into()), ..off }] {
        let demands = rotated(other);
        assert_eq!(planned(&demands).changes.len(), 1, "{demands:?}");
    }
}

#[test]
fn each_part_of_autoscaling_is_suspended_and_resumed_by_its_own_line() {
    let bounds = |suspended: &'static [&'static str], wanted: bool| {
        let change = ScalingChange { suspended: Some(wanted), ..ScalingChange::default() };
        let mut operation = operation(Action::Bounds { service: service_id(), change });
        let demands = asked(&mut operation, |query| match query {
            Query::DescribeScalableTargets { .. } => Ok(scalable(suspended)),
            _ => Ok(Answer::Services { found: vec![rest()], failures: vec![] }),
        });
        (operation, demands)
    };
    let lines = |demands: &[Demand]| -> Vec<String> {
        let words = |c: &crate::domain::plan::FieldChange| format!("{}: {} → {}", c.field, c.before, c.after);
        planned(demands).changes.iter().map(words).collect()
    };
    let (mut half, demands) = bounds(&["DynamicScalingIn"], true);
    assert_eq!(
        lines(&demands),
        ["scaling out: running → suspended", "scheduled scaling: running → suspended"]
    );
    let (_, resumed) = bounds(&["DynamicScalingIn", "ScheduledScaling"], false);
    assert_eq!(
        lines(&resumed),
        ["scaling in: suspended → running", "scheduled scaling: suspended → running"]
    );
    const ALL: &[&str] = &["DynamicScalingIn", "DynamicScalingOut", "ScheduledScaling"];
    assert_eq!(refused(&bounds(ALL, true).1), "autoscaling is so already");
    assert_eq!(refused(&bounds(&[], false).1), "autoscaling is so already");
    // Another part suspended while the dialog stood open is another plan.
    let policy = Policy::new(Lock::Unlocked, false);
    let demands = half.step(Input::Confirm { with: Confirmation::Key, policy }, at(60));
    let mut demands: Vec<Demand> = demands.into_iter().collect();
    while let Some(Demand::Read { query, .. }) = demands.iter().find(|d| matches!(d, Demand::Read { .. })) {
        let answer = match query {
            Query::DescribeScalableTargets { .. } => scalable(&["DynamicScalingOut"]),
            _ => Answer::Services { found: vec![rest()], failures: vec![] },
        };
        let query = Box::new(query.clone());
        demands.retain(|demand| !matches!(demand, Demand::Read { query: other, .. } if *other == *query));
        demands.extend(half.step(Input::Read { query, outcome: Box::new(Ok(answer)) }, at(61)));
    }
    match demands.as_slice() {
        [Demand::End { verdict: Verdict::Changed { difference }, .. }] => assert_eq!(
            difference,
            "what of autoscaling is suspended was DynamicScalingIn, is DynamicScalingOut"
        ),
        other => panic!("{other:?}"),
    }
}

fn scalable(suspended: &[&str]) -> Answer {
    let target = ScalableTarget {
        resource: "service/c/api".into(),
        dimension: "ecs:service:DesiredCount".into(),
        min: 2,
        max: 6,
        suspended: suspended.iter().map(ToString::to_string).collect(),
    };
    Answer::ScalableTargets { found: vec![target], next: None }
}

#[test]
fn a_count_outside_the_bounds_is_told_with_its_consequence_and_the_connections() {
    let scaled = |desired: u32, bounds: Option<(u32, u32)>| {
        let pools = vec![("shop-db".to_owned(), 10)];
        let mut operation = operation(Action::Scale { service: service_id(), desired, pools });
        asked(&mut operation, move |query| match query {
            Query::DescribeScalableTargets { .. } => {
                let target = |(min, max): (u32, u32)| ScalableTarget {
                    resource: "service/c/api".into(),
                    dimension: "ecs:service:DesiredCount".into(),
                    min,
                    max,
                    suspended: vec![],
                };
                Ok(Answer::ScalableTargets { found: bounds.map(target).into_iter().collect(), next: None })
            }
            _ => Ok(Answer::Services { found: vec![rest()], failures: vec![] }),
        })
    };
    let outside = scaled(9, Some((2, 6)));
    let (found, evidence) = finding(planned(&outside), "autoscaling");
    assert!(found == Finding::Warn && evidence.contains("outside its bounds of 2 to 6"), "{evidence}");
    assert!(
        planned(&outside)
            .reach
            .iter()
            .any(|line| line.contains("at most 90 connections of this service instead of 20"))
    );
    assert_eq!(finding(planned(&scaled(3, Some((2, 6)))), "autoscaling").0, Finding::Pass);
    assert_eq!(finding(planned(&scaled(3, None)), "autoscaling").1, "none: the count stays as it is set");
    assert_eq!(refused(&scaled(2, None)), "2 tasks are wanted already");
    // Nothing serves any more: that takes the name, even where nothing is production.
    match scaled(0, None).as_slice() {
        [Demand::Confirm { friction, .. }] => assert_eq!(*friction, crate::guard::Friction::TypedName),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_that_is_not_there_is_not_changed() {
    let database = DatabaseId { scope: scope(), name: "shop".into(), cluster: false };
    let mut operation =
        operation(Action::Database { database, work: DatabaseWork::Reboot { failover: true } });
    let demands = asked(&mut operation, |_| Ok(Answer::DbInstances { found: vec![], next: None }));
    assert!(
        matches!(demands.as_slice(), [Demand::End { verdict: Verdict::Failed { why }, .. }] if why == "shop was not found"),
        "{demands:?}"
    );
}

#[test]
fn the_next_task_is_stopped_only_when_the_one_before_is_replaced_by_a_healthy_one() {
    let one = |id: &str, status: &str, health: &str| {
        let mut task: Task = task(status, "service:api");
        task.id.id = id.into();
        task.health = Some(health.into());
        task
    };
    let action = Action::Restart { service: service_id(), reason: "stuck".into() };
    let mut operation = operation(action);
    let demands = asked(&mut operation, |query| match query {
        Query::ListTasks { .. } => {
            Ok(Answer::Names { names: vec!["t/one".into(), "t/two".into()], next: None })
        }
        Query::DescribeTasks { .. } => Ok(Answer::Tasks {
            found: vec![one("one", "RUNNING", "HEALTHY"), one("two", "RUNNING", "HEALTHY")],
            failures: vec![],
        }),
        _ => Ok(Answer::Services { found: vec![rest()], failures: vec![] }),
    });
    assert_eq!(planned(&demands).calls.len(), 2);
    // Nothing tells which code runs, so nothing is said to be kept.
    assert_eq!(finding(planned(&demands), "code").0, Finding::NotVerified);
    let policy = Policy::new(Lock::Unlocked, false);
    operation.step(Input::Confirm { with: Confirmation::Key, policy }, at(1));
    operation.step(Input::Recorded(Ok(())), at(1));
    let accepted = crate::guard::CallOutcome::Accepted(crate::domain::mutation::Receipt::default());
    let mut demands = operation.step(Input::Called(accepted), at(2));
    let mut second = 3;
    let mut short = true;
    // One look after the other; the service counts enough tasks from the start, which says nothing.
    for _ in 0..40 {
        second += 5;
        let read = |demand: &Demand| match demand {
            Demand::Read { query, .. } => Some(query.clone()),
            _ => None,
        };
        let Some(query) = demands.iter().find_map(read) else { break };
        let answer = match &query {
            Query::DescribeTasks { tasks, .. } if tasks.len() == 1 => {
                Answer::Tasks { found: vec![one("one", "STOPPED", "HEALTHY")], failures: vec![] }
            }
            Query::DescribeTasks { .. } => {
                let health = if short { "UNKNOWN" } else { "HEALTHY" };
                short = false;
                Answer::Tasks {
                    found: vec![one("two", "RUNNING", "HEALTHY"), one("new", "RUNNING", health)],
                    failures: vec![],
                }
            }
            Query::ListTasks { .. } => {
                Answer::Names { names: vec!["t/two".into(), "t/new".into()], next: None }
            }
            _ => Answer::Services { found: vec![rest()], failures: vec![] },
        };
        assert!(operation.receipts().len() == 1, "the second is stopped too early");
        demands =
            operation.step(Input::Read { query: Box::new(query), outcome: Box::new(Ok(answer)) }, at(second));
    }
    let [Demand::Record(intent)] = demands.as_slice() else { panic!("{demands:?}") };
    assert_eq!((intent.step, intent.target.as_str()), (2, "c/api"));
    assert_eq!(intent.mutation.target(), "c/two");
    assert!(second >= 43 && !short, "a count that was never short is believed after {second} s only");
}

#[test]
fn a_mute_that_was_confirmed_late_begins_late_and_is_the_same_call() {
    let alarm = crate::domain::alarm::AlarmId { scope: scope(), name: "5xx".into() };
    let mute = |from: i64, minutes: u32| crate::domain::mutation::Mutation::MuteAlarm {
        alarm: alarm.clone(),
        rule: format!("r-{from}"),
        from,
        minutes,
    };
    assert!(mute(60, 30).is_as_confirmed(&mute(0, 30)));
    assert!(!mute(60, 31).is_as_confirmed(&mute(0, 30)));
}

/// Confirmed, written, and the answer of the call lost.
fn lost(operation: &mut Operation) -> Vec<Demand> {
    let policy = Policy::new(Lock::Unlocked, false);
    let name = operation.action().name();
    operation.step(Input::Confirm { with: Confirmation::Typed { name, reason: None }, policy }, at(1));
    operation.step(Input::Recorded(Ok(())), at(1));
    operation
        .step(Input::Called(crate::guard::CallOutcome::Lost(Fault::new(FaultKind::Network, "reset"))), at(2))
}

fn look(operation: &mut Operation, demands: &[Demand], answer: Answer, second: u64) -> Vec<Demand> {
    let query = demands.iter().find_map(|demand| match demand {
        Demand::Read { query, .. } => Some(query.clone()),
        _ => None,
    });
    let query = Box::new(query.unwrap_or_else(|| panic!("{demands:?}")));
    operation.step(Input::Read { query, outcome: Box::new(Ok(answer)) }, at(second))
}

#[test]
fn a_lost_scale_that_did_not_happen_is_unknown() {
    let mut operation = operation(Action::Scale { service: service_id(), desired: 5, pools: vec![] });
    asked(&mut operation, |query| match query {
        Query::DescribeScalableTargets { .. } => Ok(Answer::ScalableTargets { found: vec![], next: None }),
        _ => Ok(Answer::Services { found: vec![rest()], failures: vec![] }),
    });
    let demands = lost(&mut operation);
    let answer = Answer::Services { found: vec![rest()], failures: vec![] };
    match look(&mut operation, &demands, answer, 120).as_slice() {
        [Demand::End { verdict: Verdict::Unknown { how_to_find_out }, recorded: true }] => {
            assert!(how_to_find_out.contains("probably did not happen"), "{how_to_find_out}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sidecar_that_is_stopped_with_its_task_does_not_fail_it() {
    let run = || {
        let action =
            Action::RunTask { service: service_id(), container: None, command: vec!["migrate".into()] };
        let mut operation = operation(action);
        asked(&mut operation, |query| match query {
            Query::DescribeTaskDefinition { .. } => {
                Ok(Answer::TaskDefinition(Box::new(definition(7, ":latest"))))
            }
            Query::DescribeServiceRevisions { .. } => {
                Ok(Answer::Revisions { found: vec![], failures: vec![] })
            }
            Query::DescribeImages { .. } => Err(Fault::new(FaultKind::Denied, "no")),
            _ => Ok(Answer::Services { found: vec![rest()], failures: vec![] }),
        });
        let policy = Policy::new(Lock::Unlocked, false);
        operation.step(
            Input::Confirm { with: Confirmation::Typed { name: "api".into(), reason: None }, policy },
            at(1),
        );
        operation.step(Input::Recorded(Ok(())), at(1));
        let receipt = crate::domain::mutation::Receipt { task: Some("one".into()), ..Default::default() };
        let demands = operation.step(Input::Called(crate::guard::CallOutcome::Accepted(receipt)), at(2));
        (operation, demands)
    };
    let stopped = |main: i32, sidecar: i32| {
        let mut found = task("STOPPED", "family:api");
        let container = |name: &str, code: i32| crate::domain::task::Container {
            name: name.into(),
            image: String::new(),
            image_digest: None,
            runtime_id: None,
            last_status: "STOPPED".into(),
            exit_code: Some(code),
            reason: None,
            health: None,
            private_ip: None,
            exec_agent: None,
        };
        found.containers = vec![container("envoy", sidecar), container("api", main)];
        let (mut operation, demands) = run();
        let ended = look(&mut operation, &demands, Answer::Tasks { found: vec![found], failures: vec![] }, 9);
        match ended.into_iter().next() {
            Some(Demand::End { verdict, .. }) => verdict,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(stopped(0, 137), Verdict::Succeeded);
    assert_eq!(stopped(3, 0), Verdict::Failed { why: "api: exit 3".into() });
}

/// A cluster of these members that is well.
fn db_cluster(members: Vec<ClusterMember>) -> DbCluster {
    DbCluster {
        id: DatabaseId { scope: scope(), name: "shop".into(), cluster: true },
        arn: String::new(),
        status: "available".into(),
        engine: "aurora-postgresql".into(),
        engine_version: "16".into(),
        endpoint: None,
        reader: None,
        members,
        multi_az: true,
        backup_window: None,
        maintenance_window: None,
        backup_retention_days: 7,
        latest_restorable: None,
        deletion_protection: true,
        encrypted: true,
        created_at: None,
        tags: vec![],
    }
}

#[test]
fn a_snapshot_is_watched_until_it_is_there() {
    let database = DatabaseId { scope: scope(), name: "shop".into(), cluster: true };
    let cluster = db_cluster(vec![]);
    for (last, verdict) in [
        ("available", Verdict::Succeeded),
        ("failed", Verdict::Failed { why: "the snapshot before failed".to_owned() }),
    ] {
        let work = DatabaseWork::Snapshot { name: "before".into() };
        let mut operation = operation(Action::Database { database: database.clone(), work });
        let demands =
            asked(&mut operation, |_| Ok(Answer::DbClusters { found: vec![cluster.clone()], next: None }));
        assert!(matches!(demands.as_slice(), [Demand::Confirm { .. }]), "{demands:?}");
        let policy = Policy::new(Lock::Unlocked, false);
        operation.step(Input::Confirm { with: Confirmation::Key, policy }, at(1));
        operation.step(Input::Recorded(Ok(())), at(1));
        let accepted = crate::guard::CallOutcome::Accepted(crate::domain::mutation::Receipt::default());
        let demands = operation.step(Input::Called(accepted), at(2));
        let snapshot = |status: &str, percent: u32| Answer::DbSnapshots {
            found: vec![crate::domain::database::DbSnapshot {
                name: "before".into(),
                status: status.into(),
                percent,
            }],
        };
        let demands = look(&mut operation, &demands, snapshot("creating", 40), 10);
        assert_eq!(operation.watched()[0].state, "creating, 40%");
        match look(&mut operation, &demands, snapshot(last, 100), 20).as_slice() {
            [Demand::End { verdict: ended, recorded: true }] => assert_eq!(*ended, verdict),
            other => panic!("{other:?}"),
        }
    }
}
