//! The road of a mutation: each end by a script of messages, and what no sequence of inputs may do.

use super::*;
use crate::domain::ecs::{CircuitBreaker, Deployment, DeploymentConfiguration, Revision, Service, ServiceId};
use crate::domain::fault::Failure;
use crate::domain::plan::Finding;
use crate::domain::scope::Scope;
use crate::domain::task::{Task, TaskId};
use crate::guard::Lock;
use crate::stdx::clock::Wall;
use proptest::prelude::*;

fn at(seconds: u64) -> Moment {
    Moment { wall: Wall(1_800_000_000_000), mono: Duration::ZERO }.plus(Duration::from_secs(seconds))
}

fn service_id() -> ServiceId {
    ServiceId { scope: Scope::new("prod", "eu-west-2"), cluster: "c".into(), name: "api".into() }
}

fn deployment(id: &str, status: &str, state: &str) -> Deployment {
    Deployment {
        id: id.into(),
        status: status.into(),
        revision: Revision { family: "api".into(), number: 7 },
        desired: 2,
        pending: 0,
        running: 2,
        failed_tasks: 0,
        rollout_state: Some(state.into()),
        rollout_reason: None,
        created_at: None,
        updated_at: None,
    }
}

fn service(deployments: Vec<Deployment>) -> Service {
    Service {
        id: service_id(),
        arn: "arn:aws:ecs:eu-west-2:1:service/c/api".into(),
        status: "ACTIVE".into(),
        desired: 2,
        running: 2,
        pending: 0,
        launch_type: None,
        capacity: vec![],
        platform_version: None,
        task_definition_arn: "arn:aws:ecs:eu-west-2:1:task-definition/api:7".into(),
        revision: Revision { family: "api".into(), number: 7 },
        controller: Some("ECS".into()),
        deployment_configuration: DeploymentConfiguration::default(),
        deployments,
        events: vec![],
        load_balancers: vec![],
        subnets: vec![],
        security_groups: vec![],
        public_ip: None,
        health_check_grace_s: None,
        exec_enabled: false,
        scheduling: None,
        current_service_deployment: None,
        current_service_revisions: vec![],
        created_at: None,
        created_by: None,
        tags: vec![],
    }
}

fn rest() -> Service {
    service(vec![deployment("ecs-svc/1", "PRIMARY", "COMPLETED")])
}

fn task(status: &str, group: &str) -> Task {
    Task {
        id: TaskId { scope: Scope::new("prod", "eu-west-2"), cluster: "c".into(), id: "0123456789ab".into() },
        arn: "arn:aws:ecs:eu-west-2:1:task/c/0123456789ab".into(),
        group: Some(group.into()),
        last_status: status.into(),
        desired_status: "RUNNING".into(),
        health: None,
        revision: Revision { family: "api".into(), number: 7 },
        task_definition_arn: "api:7".into(),
        started_by: None,
        containers: vec![],
        cpu: None,
        memory: None,
        launch_type: None,
        capacity_provider: None,
        zone: None,
        exec_enabled: false,
        version: 1,
        created_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        tags: vec![],
    }
}

fn read(service: Service) -> Input {
    Input::Read(Box::new(Ok(Answer::Services { found: vec![service], failures: vec![] })))
}

fn policy(production: bool) -> Policy {
    Policy::new(Lock::Unlocked, production)
}

fn force(policy: Policy, saw: Option<Saw>) -> Operation {
    Operation::new("op-1", Mutation::ForceDeployment { service: service_id() }, policy, saw)
}

fn typed(name: &str) -> Input {
    Input::Confirm(Confirmation::Typed { name: name.into(), reason: None })
}

fn ended(demands: Vec<Demand>) -> (Verdict, bool) {
    match demands.into_iter().next() {
        Some(Demand::End { verdict, recorded }) => (verdict, recorded),
        other => panic!("not the end: {other:?}"),
    }
}

/// A forced deployment that AWS accepted as ecs-svc/2.
fn accepted() -> Operation {
    let mut operation = force(policy(true), Some(Saw::service(&rest())));
    operation.start(at(0));
    operation.step(read(rest()), at(1));
    operation.step(typed("api"), at(2));
    let demands = operation.step(Input::Recorded(Ok(())), at(2));
    let [Demand::Call(permit)] = demands.as_slice() else { panic!("{demands:?}") };
    assert_eq!((permit.operation(), permit.mutation()), ("op-1", operation.mutation()));
    assert_eq!(permit.saw(), &Saw::service(&rest()));
    let next =
        operation.step(Input::Called(CallOutcome::Accepted { deployment: Some("ecs-svc/2".into()) }), at(3));
    assert!(matches!(next.as_slice(), [Demand::Read { at: when, .. }] if *when == at(8)));
    operation
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "boom")
}

#[test]
fn the_road_from_key_to_verdict() {
    let mut operation = force(policy(true), Some(Saw::service(&rest())));
    let demands = operation.start(at(0));
    assert!(matches!(demands.as_slice(), [Demand::Read { query: Query::DescribeServices { .. }, .. }]));
    let demands = operation.step(read(rest()), at(1));
    let [Demand::Confirm { plan, friction, name, mistake: None }] = demands.as_slice() else {
        panic!("{demands:?}")
    };
    assert_eq!((*friction, name.as_str(), plan.worst()), (Friction::TypedName, "api", Finding::Pass));
    let demands = operation.step(typed("apl"), at(2));
    assert!(matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::Name), .. }]));
    let demands = operation.step(Input::Confirm(Confirmation::Key), at(2));
    assert!(matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::TooLittle), .. }]));
    let demands = operation.step(typed("api"), at(3));
    let [Demand::Record(intent)] = demands.as_slice() else { panic!("{demands:?}") };
    assert_eq!((intent.target.as_str(), intent.before.as_str()), ("c/api", "deployment ecs-svc/1"));
    let demands = operation.step(Input::Recorded(Ok(())), at(3));
    assert!(matches!(demands.as_slice(), [Demand::Call(_)]));
    assert!(
        operation.step(Input::Recorded(Ok(())), at(3)).is_empty(),
        "a second acknowledgement does nothing"
    );
    operation.step(Input::Called(CallOutcome::Accepted { deployment: Some("ecs-svc/2".into()) }), at(4));
    let rolling = vec![
        deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS"),
        deployment("ecs-svc/1", "ACTIVE", "COMPLETED"),
    ];
    assert!(matches!(operation.step(read(service(rolling)), at(9)).as_slice(), [Demand::Read { .. }]));
    let done = service(vec![deployment("ecs-svc/2", "PRIMARY", "COMPLETED")]);
    assert_eq!(ended(operation.step(read(done), at(14))), (Verdict::Succeeded, true));
    assert!(operation.is_ended() && operation.step(Input::Cancel, at(15)).is_empty());
}

#[test]
fn a_lock_ends_it_before_anything_is_asked() {
    for (lock, word) in [(Lock::Locked, "locked"), (Lock::ReadOnly, "read-only")] {
        let mut operation = force(Policy::new(lock, false), None);
        let (Verdict::Refused { why }, false) = ended(operation.start(at(0))) else { panic!() };
        assert!(why.contains(word));
    }
}

#[test]
fn a_target_that_changed_stops_it_and_the_difference_is_said() {
    let mut operation = force(policy(false), Some(Saw::service(&rest())));
    operation.start(at(0));
    let mut other = service(vec![deployment("ecs-svc/9", "PRIMARY", "COMPLETED")]);
    other.desired = 3;
    let difference = "the deployment was ecs-svc/1, is ecs-svc/9; the desired count was 2, is 3".to_owned();
    assert_eq!(ended(operation.step(read(other.clone()), at(1))), (Verdict::Changed { difference }, false));
    // A dialog that stood open: the confirmation looks again before the intent is written.
    let mut operation = force(policy(false), None);
    operation.start(at(0));
    operation.step(read(rest()), at(1));
    let demands = operation.step(Input::Confirm(Confirmation::Key), at(300));
    assert!(matches!(demands.as_slice(), [Demand::Read { .. }]), "{demands:?}");
    assert!(matches!(ended(operation.step(read(other), at(301))), (Verdict::Changed { .. }, false)));
}

#[test]
fn preflights_block_warn_and_admit_what_they_do_not_know() {
    let blocked = |change: fn(&mut Service)| {
        let mut target = rest();
        change(&mut target);
        let mut operation = force(policy(false), None);
        operation.start(at(0));
        operation.step(read(target), at(1)).into_iter().next().unwrap()
    };
    let refused = |demand: Demand| match demand {
        Demand::End { verdict: Verdict::Refused { why }, recorded: false } => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(blocked(|s| s.controller = Some("CODE_DEPLOY".into()))).contains("CODE_DEPLOY deploys"));
    assert!(refused(blocked(|s| s.status = "DRAINING".into())).contains("DRAINING"));
    let stuck = refused(blocked(|s| {
        s.deployment_configuration.minimum_healthy_percent = Some(100);
        s.deployment_configuration.maximum_percent = Some(149);
    }));
    assert!(stuck.contains("never move"), "{stuck}");
    let findings = |demand: Demand| match demand {
        Demand::Confirm { plan, .. } => plan.worst(),
        other => panic!("{other:?}"),
    };
    assert_eq!(findings(blocked(|s| s.controller = None)), Finding::NotVerified);
    assert_eq!(
        findings(blocked(|s| s.deployments[0].rollout_state = Some("IN_PROGRESS".into()))),
        Finding::Warn
    );
    assert_eq!(findings(blocked(|s| s.deployment_configuration.maximum_percent = Some(150))), Finding::Pass);
}

#[test]
fn without_a_journalled_intent_there_is_no_call() {
    let mut operation = force(policy(false), None);
    operation.start(at(0));
    operation.step(read(rest()), at(1));
    operation.step(Input::Confirm(Confirmation::Key), at(2));
    let (verdict, recorded) = ended(operation.step(Input::Recorded(Err("no space left".into())), at(2)));
    assert!(matches!(verdict, Verdict::Refused { why } if why.contains("no space left")) && !recorded);
}

#[test]
fn a_lost_answer_is_unknown_and_only_what_was_never_sent_or_was_refused_is_failed() {
    for (kind, sent, expected) in [
        (FaultKind::Network, false, "failed"),
        (FaultKind::Network, true, "unknown"),
        (FaultKind::Server, true, "unknown"),
        (FaultKind::Garbled, true, "unknown"),
        (FaultKind::Unknown, true, "unknown"),
        (FaultKind::Denied, true, "failed"),
        (FaultKind::Throttled, true, "failed"),
        (FaultKind::Invalid, true, "failed"),
    ] {
        let mut operation = force(policy(false), None);
        operation.start(at(0));
        operation.step(read(rest()), at(1));
        operation.step(Input::Confirm(Confirmation::Key), at(2));
        operation.step(Input::Recorded(Ok(())), at(2));
        let outcome = CallOutcome::of_fault(fault(kind), sent);
        let (verdict, recorded) = ended(operation.step(Input::Called(outcome), at(3)));
        let name = match &verdict {
            Verdict::Failed { .. } => "failed",
            Verdict::Unknown { how_to_find_out } => {
                assert!(how_to_find_out.contains("other than ecs-svc/1"), "{how_to_find_out}");
                "unknown"
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((name, recorded), (expected, true), "{kind:?} {sent}");
    }
}

#[test]
fn the_watch_goes_by_the_deployment_it_started() {
    let failed = || {
        let mut ours = deployment("ecs-svc/2", "PRIMARY", "FAILED");
        ours.rollout_reason = Some("ECS deployment circuit breaker: tasks failed to start.".into());
        ours
    };
    let breaking = |deployments: Vec<Deployment>| {
        let mut service = service(deployments);
        service.deployment_configuration.circuit_breaker =
            Some(CircuitBreaker { enable: true, rollback: true });
        service
    };
    // A stale look right after the call, with the old deployment at rest, is no end.
    let mut operation = accepted();
    assert!(matches!(operation.step(read(rest()), at(8)).as_slice(), [Demand::Read { .. }]));
    // COMPLETED with tasks missing is no end either.
    let mut short = deployment("ecs-svc/2", "PRIMARY", "COMPLETED");
    short.running = 1;
    assert!(matches!(operation.step(read(service(vec![short])), at(13)).as_slice(), [Demand::Read { .. }]));

    let mut operation = accepted();
    let (verdict, _) = ended(operation.step(read(service(vec![failed()])), at(8)));
    assert!(matches!(verdict, Verdict::Failed { why } if why.contains("failed to start")));

    // With rollback enabled, ECS's own deployment is awaited; it then looks perfectly stable.
    let mut operation = accepted();
    assert!(matches!(
        operation.step(read(breaking(vec![failed()])), at(8)).as_slice(),
        [Demand::Read { .. }]
    ));
    let undone = breaking(vec![deployment("ecs-svc/3", "PRIMARY", "COMPLETED")]);
    let (verdict, _) = ended(operation.step(read(undone), at(13)));
    assert!(matches!(verdict, Verdict::RolledBack { why } if why.contains("failed to start")));

    let mut operation = accepted();
    operation.step(read(service(vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS")])), at(8));
    let newer = vec![
        deployment("ecs-svc/3", "PRIMARY", "IN_PROGRESS"),
        deployment("ecs-svc/2", "ACTIVE", "IN_PROGRESS"),
    ];
    assert_eq!(
        ended(operation.step(read(service(newer)), at(13))).0,
        Verdict::Superseded { by: "ecs-svc/3".into() }
    );

    // Not seen for long, then gone: rolled back or superseded cannot be told.
    let mut operation = accepted();
    operation.step(read(service(vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS")])), at(8));
    operation.step(Input::Read(Box::new(Err(fault(FaultKind::Network)))), at(60));
    let other = service(vec![deployment("ecs-svc/3", "PRIMARY", "COMPLETED")]);
    assert!(matches!(ended(operation.step(read(other), at(600))).0, Verdict::Unknown { .. }));

    let mut operation = accepted();
    let still = || read(service(vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS")]));
    assert!(matches!(operation.step(still(), at(1_000)).as_slice(), [Demand::Read { .. }]));
    let (verdict, _) = ended(operation.step(still(), at(1_804)));
    assert!(matches!(verdict, Verdict::Unknown { how_to_find_out } if how_to_find_out.contains("ecs-svc/2")));
}

#[test]
fn without_a_watch_the_end_is_accepted() {
    let mut operation = force(policy(false), None).watched_for(None);
    operation.start(at(0));
    operation.step(read(rest()), at(1));
    operation.step(Input::Confirm(Confirmation::CommandLine { reason: None }), at(1));
    operation.step(Input::Recorded(Ok(())), at(1));
    let accepted = Input::Called(CallOutcome::Accepted { deployment: Some("ecs-svc/2".into()) });
    assert_eq!(ended(operation.step(accepted, at(2))), (Verdict::Accepted, true));
}

#[test]
fn a_task_is_stopped_when_ecs_says_so_and_a_lonely_one_wants_its_name() {
    let id = task("RUNNING", "").id;
    let found = |task: Task| Input::Read(Box::new(Ok(Answer::Tasks { found: vec![task], failures: vec![] })));
    for (group, friction) in [("service:api", Friction::YesKey), ("family:migrate", Friction::TypedName)] {
        let mutation = Mutation::StopTask { task: id.clone(), reason: "stuck".into() };
        let mut operation = Operation::new("op", mutation, policy(false), None);
        operation.start(at(0));
        let demands = operation.step(found(task("RUNNING", group)), at(1));
        let [Demand::Confirm { friction: asked, name, .. }] = demands.as_slice() else {
            panic!("{demands:?}")
        };
        assert_eq!((*asked, name.as_str()), (friction, "01234567"));
        operation.step(typed("01234567"), at(2));
        operation.step(Input::Recorded(Ok(())), at(2));
        operation.step(Input::Called(CallOutcome::Accepted { deployment: None }), at(3));
        assert!(matches!(
            operation.step(found(task("DEACTIVATING", group)), at(8)).as_slice(),
            [Demand::Read { .. }]
        ));
        let missing = Failure { arn: id.id.clone(), reason: "MISSING".into(), detail: None };
        let end = if friction == Friction::YesKey {
            found(task("STOPPED", group))
        } else {
            Input::Read(Box::new(Ok(Answer::Tasks { found: vec![], failures: vec![missing] })))
        };
        assert_eq!(ended(operation.step(end, at(13))), (Verdict::Succeeded, true));
    }
}

fn any_input() -> impl Strategy<Value = Input> {
    let answer = prop_oneof![
        Just(read(rest())),
        Just(read(service(vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS")]))),
        Just(read(service(vec![]))),
        Just(Input::Read(Box::new(Err(fault(FaultKind::Throttled))))),
        Just(Input::Read(Box::new(Ok(Answer::Services { found: vec![], failures: vec![] })))),
        Just(Input::Read(Box::new(Ok(Answer::Tasks { found: vec![], failures: vec![] })))),
    ];
    prop_oneof![
        4 => answer,
        2 => Just(Input::Confirm(Confirmation::Key)),
        2 => Just(typed("api")),
        1 => Just(typed("ap")),
        1 => Just(Input::Confirm(Confirmation::Typed { name: "api".into(), reason: Some("why".into()) })),
        1 => Just(Input::Confirm(Confirmation::CommandLine { reason: Some(" ".into()) })),
        1 => Just(Input::Cancel),
        3 => Just(Input::Recorded(Ok(()))),
        1 => Just(Input::Recorded(Err("full".into()))),
        1 => Just(Input::Called(CallOutcome::Accepted { deployment: Some("ecs-svc/2".into()) })),
        1 => Just(Input::Called(CallOutcome::Lost(fault(FaultKind::Network)))),
        1 => Just(Input::StopWatching),
    ]
}

/// Whether the confirmation is enough, told independently of the machine.
fn is_enough(confirmation: &Confirmation, friction: Friction) -> bool {
    match (friction, confirmation) {
        (Friction::YesKey, _) => true,
        (_, Confirmation::Key) => false,
        (Friction::TypedName, Confirmation::Typed { name, .. }) => name == "api",
        (Friction::TypedName, Confirmation::CommandLine { .. }) => true,
        (Friction::TypedNameAndReason, Confirmation::Typed { name, reason }) => {
            name == "api" && reason.is_some()
        }
        (Friction::TypedNameAndReason, Confirmation::CommandLine { reason }) => {
            reason.as_ref().is_some_and(|reason| !reason.trim().is_empty())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn at_most_one_permit_and_never_before_confirmation_and_intent(
        inputs in proptest::collection::vec((any_input(), 0u64..40), 0..40),
        lock in prop_oneof![8 => Just(Lock::Unlocked), 1 => Just(Lock::Locked), 1 => Just(Lock::ReadOnly)],
        production in any::<bool>(), with_reason in any::<bool>(), seen in any::<bool>(),
    ) {
        let unlocked = lock == Lock::Unlocked;
        let mut policy = Policy::new(lock, production);
        if with_reason {
            policy.at_least = Friction::TypedNameAndReason;
        }
        let friction = policy.friction(false);
        let mut operation = force(policy, seen.then(|| Saw::service(&rest())));
        let mut pending = operation.start(at(0));
        let (mut permits, mut ends, mut confirmed, mut intent_demanded, mut on_disk) = (0, 0, false, false, false);
        let mut asked_to_confirm = false;
        let mut now = 0;
        for (input, wait) in inputs {
            for demand in std::mem::take(&mut pending) {
                match demand {
                    Demand::Call(_) => {
                        permits += 1;
                        prop_assert!(unlocked && confirmed && intent_demanded && on_disk);
                    }
                    Demand::Record(_) => {
                        prop_assert!(confirmed);
                        intent_demanded = true;
                    }
                    Demand::Confirm { .. } => asked_to_confirm = true,
                    Demand::End { .. } => ends += 1,
                    Demand::Read { .. } => {}
                }
            }
            now += wait;
            if let Input::Confirm(confirmation) = &input {
                confirmed |= asked_to_confirm && is_enough(confirmation, friction);
            }
            on_disk |= intent_demanded && input == Input::Recorded(Ok(()));
            pending = operation.step(input, at(now));
        }
        ends += pending.iter().filter(|demand| matches!(demand, Demand::End { .. })).count();
        permits += pending.iter().filter(|demand| matches!(demand, Demand::Call(_))).count();
        prop_assert!(permits <= 1 && ends <= 1);
        prop_assert_eq!(operation.is_ended(), ends == 1);
    }
}
