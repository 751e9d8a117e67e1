//! What is looked at after a call: the services that may rest on a database, bounds that were set, and what tasks
//! would start from.

use super::*;
use crate::domain::ecs::{Service, ServiceDeployment};
use crate::domain::mutation::Receipt;
use crate::guard::CallOutcome;
use crate::guard::operation::tests::revision;

/// The cluster whose writer is this instance.
fn cluster(writer: &str) -> Answer {
    let member =
        |name: &str| ClusterMember { instance: name.into(), writer: name == writer, promotion_tier: None };
    let found = db_cluster(vec![member("one"), member("two")]);
    Answer::DbClusters { found: vec![found], next: None }
}

/// `api` with so many tasks, and `broken`, which was not well before.
fn services(running: u32) -> Answer {
    let mut broken = rest();
    broken.id.name = "broken".into();
    broken.running = 0;
    Answer::Services { found: vec![Service { running, ..rest() }, broken], failures: vec![] }
}

fn region(query: &Query) -> Result<Answer, Fault> {
    match query {
        Query::DescribeDbClusters { .. } => Ok(cluster("one")),
        Query::ListClusters { .. } => {
            Ok(Answer::Names { names: vec!["arn:aws:ecs:r:1:cluster/c".into()], next: None })
        }
        Query::ListServices { .. } => Ok(Answer::Names {
            names: vec!["arn:aws:ecs:r:1:service/c/api".into(), "arn:aws:ecs:r:1:service/c/broken".into()],
            next: None,
        }),
        Query::DescribeServices { .. } => Ok(services(2)),
        other => panic!("nobody should ask {other:?}"),
    }
}

fn failover() -> Operation {
    let database = DatabaseId { scope: scope(), name: "shop".into(), cluster: true };
    operation(Action::Database { database, work: DatabaseWork::Failover { to: None } })
        .watched_for(Some(Duration::from_secs(600)))
}

/// Confirmed, written, accepted.
fn accepted(operation: &mut Operation) -> Vec<Demand> {
    let policy = Policy::new(Lock::Unlocked, false);
    let name = operation.action().name();
    operation.step(Input::Confirm { with: Confirmation::Typed { name, reason: None }, policy }, at(1));
    operation.step(Input::Recorded(Ok(())), at(1));
    operation.step(Input::Called(CallOutcome::Accepted(Receipt::default())), at(2))
}

fn ended(demands: &[Demand]) -> &Verdict {
    match demands {
        [Demand::End { verdict, .. }] => verdict,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_services_that_were_well_are_looked_at_after_a_failover() {
    let mut operation = failover();
    let demands = asked(&mut operation, region);
    let (found, told) = finding(planned(&demands), "ECS");
    assert_eq!(
        (found, told.as_str()),
        (
            Finding::Warn,
            "1 of 2 services of the region, well now, are looked at afterwards; not well already: 1 (broken)"
        )
    );
    let demands = accepted(&mut operation);
    let demands = look(&mut operation, &demands, cluster("one"), 10);
    let demands = look(&mut operation, &demands, cluster("two"), 20);
    assert_eq!(operation.watched()[0].name, "ECS after shop");
    assert!(
        matches!(demands.as_slice(), [Demand::Read { query: Query::DescribeServices { services, .. }, .. }]
            if *services == ["api"]),
        "only what was well is judged: {demands:?}"
    );
    let demands = look(&mut operation, &demands, services(2), 30);
    let demands = look(
        &mut operation,
        &demands,
        Answer::Services { found: vec![Service { running: 1, ..rest() }], failures: vec![] },
        100,
    );
    assert_eq!(operation.watched()[0].state, "not as before: c/api 1 of 2 running");
    // It may still fail health checks: a look right after it is no end.
    let well = || Answer::Services { found: vec![rest()], failures: vec![] };
    let demands = look(&mut operation, &demands, well(), 109);
    assert_eq!(operation.watched()[0].state, "as before: 1 service");
    assert_eq!(*ended(&look(&mut operation, &demands, well(), 111)), Verdict::Succeeded);
}

#[test]
fn a_service_that_does_not_come_back_is_a_failure_though_the_database_did() {
    let mut operation = failover();
    asked(&mut operation, region);
    let demands = accepted(&mut operation);
    let demands = look(&mut operation, &demands, cluster("two"), 10);
    let short = || Answer::Services { found: vec![Service { running: 0, ..rest() }], failures: vec![] };
    let demands = look(&mut operation, &demands, short(), 300);
    assert_eq!(
        *ended(&look(&mut operation, &demands, short(), 700)),
        Verdict::Failed { why: "shop is done; not as before: c/api 0 of 2 running".into() }
    );
}

#[test]
fn services_that_cannot_be_read_do_not_stand_in_the_way() {
    let mut operation = failover();
    let demands = asked(&mut operation, |query| match query {
        Query::ListClusters { .. } => Err(Fault::new(FaultKind::Denied, "not authorized")),
        other => region(other),
    });
    let (found, told) = finding(planned(&demands), "ECS");
    assert!(found == Finding::NotVerified && told.ends_with("not authorized"), "{told}");
    let demands = accepted(&mut operation);
    assert_eq!(*ended(&look(&mut operation, &demands, cluster("two"), 10)), Verdict::Succeeded);
}

#[test]
fn bounds_are_done_when_autoscaling_shows_them() {
    let change = ScalingChange { max: Some(8), suspended: Some(true), ..ScalingChange::default() };
    let mut operation = operation(Action::Bounds { service: service_id(), change })
        .watched_for(Some(Duration::from_secs(600)));
    asked(&mut operation, |query| match query {
        Query::DescribeScalableTargets { .. } => Ok(scalable(&["DynamicScalingIn"])),
        _ => Ok(Answer::Services { found: vec![rest()], failures: vec![] }),
    });
    let demands = accepted(&mut operation);
    let set = |max: u32, suspended: &[&str]| {
        let Answer::ScalableTargets { mut found, .. } = scalable(suspended) else { panic!() };
        found[0].max = max;
        Answer::ScalableTargets { found, next: None }
    };
    let all = ["DynamicScalingIn", "DynamicScalingOut", "ScheduledScaling"];
    let demands = look(&mut operation, &demands, set(6, &all), 10);
    assert_eq!(operation.watched()[0].state, "its bounds are 2 to 6");
    let demands = look(&mut operation, &demands, set(8, &["DynamicScalingIn"]), 20);
    assert_eq!(*ended(&look(&mut operation, &demands, set(8, &all), 30)), Verdict::Succeeded);
}

#[test]
fn more_tasks_need_the_code_that_runs_and_fewer_do_not() {
    let scaled = |desired: u32, there: bool, launch: &str| {
        let mut operation = operation(Action::Scale { service: service_id(), desired, pools: vec![] });
        asked(&mut operation, |query| match query {
            Query::DescribeScalableTargets { .. } => {
                Ok(Answer::ScalableTargets { found: vec![], next: None })
            }
            Query::DescribeTaskDefinition { .. } => {
                Ok(Answer::TaskDefinition(Box::new(definition(7, ":latest"))))
            }
            Query::DescribeServiceRevisions { arns, .. } => {
                Ok(Answer::Revisions { found: vec![revision(&arns[0], 7, "sha256:runs")], failures: vec![] })
            }
            Query::DescribeImages { images, .. } => {
                // By the digest that runs, whatever the tag means by now.
                assert_eq!(images, &[crate::domain::registry::ImageName::Digest("sha256:runs".into())]);
                if there { Ok(Answer::Images { found: vec![image()] }) } else { missing() }
            }
            _ => {
                let found = Service { launch_type: Some(launch.into()), ..rest() };
                Ok(Answer::Services { found: vec![found], failures: vec![] })
            }
        })
    };
    let demands = scaled(3, true, "FARGATE");
    assert_eq!(finding(planned(&demands), "image of api"), (Finding::Pass, "api@runs is in ECR".into()));
    let demands = scaled(3, false, "FARGATE");
    assert!(refused(&demands).contains("api@runs is not in ECR: no new task could start"), "{demands:?}");
    let demands = scaled(3, false, "EC2");
    let (found, told) = finding(planned(&demands), "image of api");
    assert!(found == Finding::Warn && told.ends_with("but from what an instance has cached"), "{told}");
    let demands = scaled(1, false, "FARGATE");
    assert!(planned(&demands).checks.iter().all(|check| check.name != "image of api"));
}

fn image() -> crate::domain::registry::RegistryImage {
    crate::domain::registry::RegistryImage {
        repository: "api".into(),
        digest: "sha256:runs".into(),
        tags: vec![],
        pushed_at: None,
        size: None,
        status: None,
    }
}

fn missing() -> Result<Answer, Fault> {
    Err(Fault::new(FaultKind::NotFound, "not there"))
}

/// A deployment of revision 8 under way, after these.
fn under_way(sources: &[&str]) -> ServiceDeployment {
    ServiceDeployment {
        arn: "dep/8".into(),
        status: "IN_PROGRESS".into(),
        status_reason: None,
        created_at: Some(at(0).wall),
        started_at: None,
        finished_at: None,
        target_revision_arn: Some("rev/8".into()),
        source_revision_arns: sources.iter().map(ToString::to_string).collect(),
        lifecycle_stage: None,
        traffic_percent: None,
        triggered_alarms: Vec::new(),
        breaker: None,
        rollback_reason: None,
        waiting_hook: None,
    }
}

/// What undoing it would say, when the definition before is in this state and reads this secret, and this completed
/// before.
fn aborted(
    sources: &'static [&'static str],
    status: &str,
    there: bool,
    secret: &Secret,
    completed: Result<&str, Fault>,
) -> Plan {
    let action = Action::RollBack { services: vec![service_id()], to: crate::domain::action::Back::Usual };
    let mut operation = operation(action);
    let demands = asked(&mut operation, |query| match query {
        Query::DescribeServices { .. } => {
            let mut moving = rest();
            moving.deployments[0].rollout_state = Some("IN_PROGRESS".into());
            moving.current_service_deployment = Some("dep/8".into());
            Ok(Answer::Services { found: vec![moving], failures: vec![] })
        }
        Query::DescribeServiceDeployments { .. } => {
            Ok(Answer::Deployments { found: vec![under_way(sources)], failures: vec![], next: None })
        }
        Query::ListServiceDeployments { .. } => {
            let past = |arn: &str| ServiceDeployment {
                arn: "dep/6".into(),
                status: "SUCCESSFUL".into(),
                target_revision_arn: Some(arn.into()),
                ..under_way(&[])
            };
            let found = vec![past(completed.clone()?)];
            Ok(Answer::Deployments { found, failures: vec![], next: None })
        }
        Query::DescribeServiceRevisions { .. } if completed == Ok("unread") => missing(),
        Query::DescribeServiceRevisions { arns, .. } => {
            let of = |arn: &String| {
                let before = arn == "rev/6";
                revision(arn, if before { 6 } else { 7 }, if before { "sha256:runs" } else { "sha256:new" })
            };
            Ok(Answer::Revisions { found: arns.iter().map(of).collect(), failures: vec![] })
        }
        Query::DescribeTaskDefinition { arn, .. } => {
            let before = arn.ends_with(":6");
            let mut found = definition(if before { 6 } else { 7 }, ":latest");
            if before {
                found.status = status.into();
                found.containers[0].secrets =
                    vec![SecretRef { name: "PASSWORD".into(), value_from: ARN.into() }];
            }
            Ok(Answer::TaskDefinition(Box::new(found)))
        }
        Query::DescribeImages { .. } if there => Ok(Answer::Images { found: vec![image()] }),
        Query::DescribeImages { .. } => missing(),
        Query::DescribeSecret { .. } => Ok(Answer::Secrets { found: vec![secret.clone()], next: None }),
        other => panic!("nobody should ask {other:?}"),
    });
    planned(&demands).clone()
}

#[test]
fn what_an_abort_returns_to_is_checked_and_nothing_of_it_blocks_the_abort() {
    let old = Secret { last_changed: Some(Wall(1)), ..secret() };
    let plan = aborted(&["rev/6"], "ACTIVE", true, &old, Ok("rev/6"));
    assert_eq!(finding(&plan, "task definition"), (Finding::Pass, "api:6 is ACTIVE".into()));
    assert_eq!(finding(&plan, "image of api"), (Finding::Pass, "api@runs is in ECR".into()));
    assert_eq!(finding(&plan, "secrets").0, Finding::Pass);
    let changes: Vec<&str> = plan.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(changes, ["deployment", "task definition", "digest of api"]);
    // The worst: nothing of it could start again, and the bad deployment is ended all the same.
    let changed = Secret { last_changed: Some(at(60).wall), ..secret() };
    let plan = aborted(&["rev/6"], "INACTIVE", false, &changed, Ok("rev/6"));
    let (found, told) = finding(&plan, "task definition");
    assert!(found == Finding::Warn && told.contains("api:6 is INACTIVE"), "{told}");
    assert_eq!(finding(&plan, "image of api").0, Finding::Warn);
    let (found, told) = finding(&plan, "secret shop/db");
    assert!(found == Finding::Warn && told.contains("after this deployment began"), "{told}");
    assert!(plan.checks.iter().all(|check| check.finding != Finding::Block), "{plan:?}");
}

#[test]
fn where_several_revisions_ran_before_none_is_promised() {
    let plan = aborted(&["rev/5", "rev/6"], "ACTIVE", true, &secret(), Ok("rev/6"));
    let (found, told) = finding(&plan, "revision to return to");
    assert!(found == Finding::NotVerified && told.contains("which of the 2 revisions"), "{told}");
    assert_eq!(plan.changes.len(), 1, "no revision and no digest is claimed: {plan:?}");
    // Nor is one of which no deployment completed, nor one that could not be read.
    let denied = || Err(Fault::new(FaultKind::Denied, "not authorized"));
    for (completed, why) in [(Ok("rev/4"), "no deployment of what ran before"), (denied(), "not authorized")]
    {
        let plan = aborted(&["rev/6"], "ACTIVE", true, &secret(), completed);
        let (found, told) = finding(&plan, "revision to return to");
        assert!(found == Finding::NotVerified && told.contains(why), "{told}");
        assert_eq!(finding(&plan, "what ran before").0, Finding::NotVerified);
        assert_eq!(plan.changes.len(), 1, "{plan:?}");
    }
}

#[test]
fn a_round_over_the_services_counts_when_it_is_whole() {
    let ids: Vec<crate::domain::ecs::ServiceId> =
        (0..12).map(|n| crate::domain::ecs::ServiceId { name: format!("s{n:02}"), ..service_id() }).collect();
    let answer = |query: &Query, sick: &str| {
        let Query::DescribeServices { services, .. } = query else { panic!("{query:?}") };
        let of = |name: &String| Service {
            id: crate::domain::ecs::ServiceId { name: name.clone(), ..service_id() },
            running: if name == sick { 0 } else { 2 },
            ..rest()
        };
        Answer::Services { found: services.iter().map(of).collect(), failures: vec![] }
    };
    let mut steady = crate::guard::watch::Steady::new("shop", &ids).unwrap();
    let mut turn = |sick: &str, seconds: u64| {
        let query = steady.query().unwrap();
        let (told, end) = steady.look(&answer(&query, sick), Duration::from_secs(seconds));
        (told, end, steady.cut_off())
    };
    // Half a round says nothing of the other half.
    assert_eq!(turn("s11", 100).0, "looking at 12 services");
    let (told, end, _) = turn("s11", 100);
    assert_eq!((told.as_str(), end), ("not as before: c/s11 0 of 2 running", None));
    let (told, _, cut) = turn("s11", 110);
    assert_eq!(told, "not as before: c/s11 0 of 2 running", "the first half of the next is well");
    assert!(
        matches!(cut, Verdict::Failed { why } if why == "shop is done; not as before: c/s11 0 of 2 running")
    );
    turn("s11", 110);
    // One that came through its time and is replaced later has another reason.
    turn("s00", 120);
    assert_eq!(turn("", 120).1, Some(Verdict::Succeeded));
}

#[test]
fn a_look_that_is_cut_off_does_not_doubt_what_was_seen() {
    for lost in [false, true] {
        let mut operation = failover();
        asked(&mut operation, region);
        let demands = if lost { super::lost(&mut operation) } else { accepted(&mut operation) };
        look(&mut operation, &demands, cluster("two"), 10);
        assert_eq!(operation.watched()[0].name, "ECS after shop");
        assert_eq!(*ended(&operation.step(Input::StopWatching, at(12))), Verdict::Succeeded, "{lost}");
    }
}

#[test]
fn nobody_waits_a_second_time_for_the_services_of_the_region() {
    let mut operation = failover();
    asked(&mut operation, region);
    let policy = Policy::new(Lock::Unlocked, false);
    let name = operation.action().name();
    let with = Confirmation::Typed { name, reason: None };
    let demands = operation.step(Input::Confirm { with, policy }, at(60));
    let [Demand::Read { query: Query::DescribeDbClusters { .. }, .. }] = demands.as_slice() else {
        panic!("{demands:?}")
    };
    // What became of a service meanwhile is no change of the plan.
    let demands = look(&mut operation, &demands, cluster("one"), 61);
    assert!(matches!(demands.as_slice(), [Demand::Record(_)]), "{demands:?}");
}

#[test]
fn a_way_back_is_told_only_from_a_history_that_holds_what_runs() {
    use crate::guard::WayBack;
    let past = |number: u32, status: &str| ServiceDeployment {
        arn: format!("dep/{number}"),
        status: status.into(),
        created_at: Some(at(u64::from(number)).wall),
        finished_at: Some(at(u64::from(number)).wall),
        target_revision_arn: Some(format!("rev/{number}")),
        ..under_way(&[])
    };
    let runs = |current: &[&str]| Service {
        current_service_revisions: current.iter().map(ToString::to_string).collect(),
        ..rest()
    };
    let known = ["rev/5", "rev/6", "rev/7"].map(|arn| revision(arn, 7, &format!("sha256:{arn}")));
    let running = definition(7, ":latest");
    let told = |current: &[&str], history: &[ServiceDeployment], read: bool| {
        let find = |arn: &str| known.iter().find(|known| known.arn == arn);
        let definition = read.then_some(&running);
        match crate::guard::way_back(&runs(current), definition, history, find) {
            WayBack::Unknown => "unknown".to_owned(),
            WayBack::Nothing => "nothing".to_owned(),
            WayBack::Ready(target) => target.deployment.unwrap(),
        }
    };
    let whole = [past(7, "SUCCESSFUL"), past(6, "SUCCESSFUL"), past(5, "SUCCESSFUL")];
    assert_eq!(told(&["rev/7"], &whole, true), "6");
    assert_eq!(told(&["rev/7"], &whole[..1], true), "nothing");
    // Another deployment since; one of two revisions unread; the history from while it was under way; a nearer one
    // unread; what runs may be a pin.
    assert_eq!(told(&["rev/8"], &whole, true), "unknown");
    assert_eq!(told(&["rev/6", "rev/8"], &whole, true), "unknown");
    assert_eq!(told(&["rev/7"], &[past(7, "IN_PROGRESS"), past(6, "SUCCESSFUL")], true), "unknown");
    let hole = [past(9, "FAILED"), past(7, "SUCCESSFUL"), past(4, "SUCCESSFUL")];
    assert_eq!(told(&["rev/7"], &hole, true), "unknown", "rev/4 was not read, and may differ");
    assert_eq!(told(&["rev/7"], &whole, false), "unknown");
}
