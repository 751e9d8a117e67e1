//! The road of an action: each end by a script of inputs, and what no sequence of inputs may do.

use super::*;
use crate::domain::action::{Back, Deploy};
use crate::domain::ecs::{
    CircuitBreaker, Deployment, DeploymentConfiguration, Revision, RevisionImage, Service, ServiceDeployment,
    ServiceEvent, ServiceId, ServiceRevision,
};
use crate::domain::fault::{Failure, FaultKind};
use crate::domain::mutation::{Definition, ServiceChange};
use crate::domain::plan::Finding;
use crate::domain::registry::{ImageName, RegistryImage};
use crate::domain::scope::Scope;
use crate::domain::task::{Task, TaskId};
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};
use crate::guard::{Headless, Lock};
use crate::stdx::clock::Wall;
use proptest::prelude::*;

const REPOSITORY: &str = "123456789012.dkr.ecr.eu-west-2.amazonaws.com/api";

fn at(seconds: u64) -> Moment {
    Moment { wall: Wall(1_800_000_000_000), mono: Duration::ZERO }.plus(Duration::from_secs(seconds))
}

pub(in crate::guard) fn service_id() -> ServiceId {
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
        created_at: Some(Wall(1_800_000_000_000)),
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
        task_definition_arn: arn(7),
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
        current_service_revisions: vec!["rev/7".into()],
        created_at: None,
        created_by: None,
        tags: vec![],
    }
}

pub(in crate::guard) fn rest() -> Service {
    service(vec![deployment("ecs-svc/1", "PRIMARY", "COMPLETED")])
}

pub(in crate::guard) fn task(status: &str, group: &str) -> Task {
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

fn arn(number: u32) -> String {
    format!("arn:aws:ecs:eu-west-2:1:task-definition/api:{number}")
}

pub(in crate::guard) fn definition(number: u32, image: &str) -> TaskDefinition {
    TaskDefinition {
        arn: arn(number),
        revision: Revision { family: "api".into(), number },
        status: "ACTIVE".into(),
        cpu: Some("256".into()),
        memory: Some("512".into()),
        network_mode: None,
        task_role_arn: None,
        execution_role_arn: None,
        containers: vec![ContainerDefinition {
            name: "api".into(),
            image: format!("{REPOSITORY}{image}"),
            cpu: 0,
            memory: None,
            memory_reservation: None,
            essential: true,
            ports: vec![],
            entry_point: vec![],
            command: vec![],
            environment: vec![("PASSWORD".into(), format!("hidden-{number}"))],
            secrets: vec![],
            user: None,
            read_only_root: false,
            privileged: false,
            health_check: None,
            log: None,
            depends_on: vec![],
            stop_timeout_s: None,
            ulimits: vec![],
            resolves_anew: false,
            registry_credentials: None,
            labels: vec![],
        }],
        volumes: vec![],
        cpu_architecture: None,
        operating_system: None,
        requires: vec!["FARGATE".into()],
        registered_at: None,
        registered_by: None,
        tags: vec![],
    }
}

/// What AWS would answer.
struct World {
    service: Service,
    definitions: Vec<TaskDefinition>,
    /// Tag or digest, and the digest that it means.
    images: Vec<(&'static str, &'static str)>,
    /// Completed deployments, newest first: revision and digest.
    past: Vec<(u32, &'static str)>,
    running: &'static str,
}

fn world() -> World {
    World {
        service: rest(),
        definitions: vec![definition(7, ":latest"), definition(6, ":latest")],
        images: vec![("latest", "sha256:new"), ("sha256:new", "sha256:new"), ("sha256:old", "sha256:old")],
        past: vec![(7, "sha256:new"), (7, "sha256:old"), (6, "sha256:abcdef0123")],
        running: "sha256:new",
    }
}

pub(in crate::guard) fn revision(arn: &str, number: u32, digest: &str) -> ServiceRevision {
    let image = RevisionImage {
        container: "api".into(),
        image: format!("{REPOSITORY}:latest"),
        digest: Some(digest.into()),
    };
    let revision = Revision { family: "api".into(), number };
    ServiceRevision { arn: arn.into(), revision, images: vec![image], created_at: None }
}

impl World {
    fn answer(&self, query: &Query) -> Result<Answer, Fault> {
        let missing = || Err(Fault::new(FaultKind::NotFound, "not there"));
        match query {
            Query::DescribeServices { .. } => {
                Ok(Answer::Services { found: vec![self.service.clone()], failures: vec![] })
            }
            Query::DescribeTaskDefinition { arn, .. } => {
                let wanted = Revision::of(arn);
                match self.definitions.iter().find(|d| d.revision == wanted) {
                    Some(found) => Ok(Answer::TaskDefinition(Box::new(found.clone()))),
                    None => missing(),
                }
            }
            Query::DescribeServiceRevisions { arns, .. } => {
                let of = |arn: &String| match arn.strip_prefix("past/").and_then(|n| n.parse::<usize>().ok())
                {
                    Some(at) => revision(arn, self.past[at].0, self.past[at].1),
                    None => revision(arn, 7, self.running),
                };
                Ok(Answer::Revisions { found: arns.iter().map(of).collect(), failures: vec![] })
            }
            Query::DescribeImages { images, .. } => {
                let (ImageName::Tag(name) | ImageName::Digest(name)) = &images[0];
                let Some((_, digest)) = self.images.iter().find(|(known, _)| known == name) else {
                    return missing();
                };
                let found = RegistryImage {
                    repository: "api".into(),
                    digest: (*digest).into(),
                    tags: vec![],
                    pushed_at: Some(Wall(1_800_000_000_000 - 720_000)),
                    size: None,
                    status: None,
                };
                Ok(Answer::Images { found: vec![found] })
            }
            Query::ListServiceDeployments { .. } => {
                let of = |(at, _): (usize, &(u32, &str))| ServiceDeployment {
                    arn: format!("dep/{at}"),
                    status: "SUCCESSFUL".into(),
                    status_reason: None,
                    created_at: Some(Wall(1_700_000_000_000 - i64::try_from(at).unwrap())),
                    started_at: None,
                    finished_at: Some(Wall(1_799_999_000_000)),
                    target_revision_arn: Some(format!("past/{at}")),
                    source_revision_arns: vec![],
                    lifecycle_stage: None,
                    traffic_percent: None,
                    triggered_alarms: Vec::new(),
                    breaker: None,
                    rollback_reason: None,
                    waiting_hook: None,
                };
                let found = self.past.iter().enumerate().map(of).collect();
                Ok(Answer::Deployments { found, failures: vec![], next: None })
            }
            other => panic!("nobody should ask {other:?}"),
        }
    }

    /// Answers what is asked until something else is wanted.
    fn answered(&self, operation: &mut Operation, mut demands: Vec<Demand>, now: Moment) -> Vec<Demand> {
        while let Some(Demand::Read { .. }) = demands.first() {
            let queries: Vec<Query> = demands
                .into_iter()
                .map(|demand| match demand {
                    Demand::Read { query, .. } => query,
                    other => panic!("{other:?}"),
                })
                .collect();
            demands = Vec::new();
            for query in queries {
                let outcome = self.answer(&query);
                demands = operation.step(input(query, outcome), now);
            }
        }
        demands
    }
}

fn input(query: Query, outcome: Result<Answer, Fault>) -> Input {
    Input::Read { query: Box::new(query), outcome: Box::new(outcome) }
}

fn read(service: Service) -> Input {
    let query = crate::guard::facts::service_query(&service_id());
    input(query, Ok(Answer::Services { found: vec![service], failures: vec![] }))
}

fn policy(production: bool) -> Policy {
    Policy::new(Lock::Unlocked, production)
}

fn force(policy: Policy, saw: Option<Saw>) -> Operation {
    let action = Action::Deploy { services: vec![service_id()], what: Deploy::Force };
    Operation::new("op-1", action, policy, saw)
}

fn confirm(with: Confirmation, production: bool) -> Input {
    Input::Confirm { with, policy: policy(production) }
}

fn typed(name: &str, production: bool) -> Input {
    confirm(Confirmation::Typed { name: name.into(), reason: None }, production)
}

fn took(deployment: &str) -> Input {
    let receipt = Receipt { deployment: Some(deployment.into()), ..Receipt::default() };
    Input::Called(CallOutcome::Accepted(receipt))
}

fn ended(demands: Vec<Demand>) -> (Verdict, bool) {
    match demands.into_iter().last() {
        Some(Demand::End { verdict, recorded }) => (verdict, recorded),
        other => panic!("not the end: {other:?}"),
    }
}

/// Up to the question.
fn asked(operation: &mut Operation, world: &World) -> Vec<Demand> {
    let demands = operation.start(at(0));
    world.answered(operation, demands, at(1))
}

/// Confirmed and on disk: the call.
fn called(operation: &mut Operation, world: &World) -> Mutation {
    asked(operation, world);
    operation.step(typed("api", false), at(2));
    permitted(operation)
}

/// The intent is written: the call that is permitted.
fn permitted(operation: &mut Operation) -> Mutation {
    match operation.step(Input::Recorded(Ok(())), at(2)).into_iter().next() {
        Some(Demand::Call(permit)) => permit.redeem(),
        other => panic!("{other:?}"),
    }
}

/// A forced deployment that AWS accepted as ecs-svc/2.
fn accepted() -> Operation {
    let mut operation = force(policy(false), Some(Saw::service(&rest())));
    called(&mut operation, &world());
    let next = operation.step(took("ecs-svc/2"), at(3));
    assert!(
        matches!(next.as_slice(), [Demand::Acknowledge(_), Demand::Read { at: when, .. }] if *when == at(8)),
        "{next:?}"
    );
    operation
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "boom")
}

fn still(demands: &[Demand]) -> bool {
    matches!(demands, [Demand::Read { .. }])
}

#[test]
fn the_road_from_key_to_verdict() {
    let mut operation = force(policy(true), Some(Saw::service(&rest())));
    let demands = asked(&mut operation, &world());
    let [Demand::Confirm { plan, friction, name, mistake: None }] = demands.as_slice() else {
        panic!("{demands:?}")
    };
    assert_eq!((*friction, name.as_str()), (Friction::TypedName, "api"));
    assert_eq!(plan.title, "Force a new deployment of c/api");
    let image = plan.checks.iter().find(|check| check.name == "image of api").unwrap();
    assert_eq!(image.finding, Finding::Pass, "{image:?}");
    let demands = operation.step(typed("apl", true), at(2));
    assert!(matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::Name), .. }]));
    let demands = operation.step(confirm(Confirmation::Key, true), at(2));
    assert!(matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::TooLittle), .. }]));
    let demands = operation.step(typed("api", true), at(3));
    let [Demand::Record(intent)] = demands.as_slice() else { panic!("{demands:?}") };
    assert_eq!((intent.target.as_str(), intent.before.as_str()), ("c/api", "deployment ecs-svc/1"));
    assert_eq!((intent.step, intent.steps, intent.verb.as_str()), (1, 1, "deploy"));
    let Mutation::UpdateService { change, .. } = permitted(&mut operation) else { panic!() };
    // Nothing but the one field: a desired count sent along would undo autoscaling.
    assert_eq!(change, ServiceChange { force: true, ..ServiceChange::default() });
    assert!(
        operation.step(Input::Recorded(Ok(())), at(3)).is_empty(),
        "a second acknowledgement does nothing"
    );
    operation.step(took("ecs-svc/2"), at(4));
    let rolling = vec![
        deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS"),
        deployment("ecs-svc/1", "ACTIVE", "COMPLETED"),
    ];
    assert!(still(&operation.step(read(service(rolling)), at(9))));
    assert_eq!(operation.watched()[0].state, "2 of 2 new tasks running, 2 old");
    let done = service(vec![deployment("ecs-svc/2", "PRIMARY", "COMPLETED")]);
    assert_eq!(ended(operation.step(read(done), at(14))), (Verdict::Succeeded, true));
    assert!(operation.is_ended() && operation.step(Input::Cancel, at(15)).is_empty());
}

#[test]
fn read_only_ends_it_before_anything_is_asked_and_a_lock_takes_name_and_reason() {
    let mut operation = force(Policy::new(Lock::ReadOnly, false), None);
    let (Verdict::Refused { why }, false) = ended(operation.start(at(0))) else { panic!() };
    assert!(why.contains("read-only"));
    let locked = || Policy::new(Lock::Locked, false);
    let mut operation = force(locked(), None);
    asked(&mut operation, &world());
    let typed = |reason: Option<&str>| Input::Confirm {
        with: Confirmation::Typed { name: "api".into(), reason: reason.map(Into::into) },
        policy: locked(),
    };
    let demands = operation.step(typed(None), at(2));
    assert!(
        matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::Reason), .. }]),
        "{demands:?}"
    );
    let demands = operation.step(typed(Some("5xx")), at(2));
    assert!(
        matches!(demands.as_slice(), [Demand::Record(intent)] if intent.reason.as_deref() == Some("5xx"))
    );
}

#[test]
fn what_falls_while_the_dialog_stands_open_counts() {
    let mut operation = force(policy(false), None);
    asked(&mut operation, &world());
    let forbidden = Policy { forbidden: Some("outside the change window".into()), ..policy(false) };
    let demands = operation.step(Input::Confirm { with: Confirmation::Key, policy: forbidden }, at(2));
    assert!(matches!(ended(demands), (Verdict::Refused { why }, false) if why.contains("window")));
    let mut operation = force(policy(false), None);
    asked(&mut operation, &world());
    let locked = Policy::new(Lock::Locked, false);
    let demands = operation.step(Input::Confirm { with: Confirmation::Key, policy: locked }, at(2));
    assert!(matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::TooLittle), .. }]));
}

#[test]
fn a_command_line_is_held_to_the_policy() {
    for (headless, reason, confirm, mistake) in [
        (Headless::Allow, None, None, None),
        (Headless::Reason, None, None, Some(Mistake::Reason)),
        (Headless::Reason, Some("5xx"), None, None),
        (Headless::Confirm, Some("5xx"), Some("c/web"), Some(Mistake::Name)),
        (Headless::Confirm, None, Some("c/api"), None),
        (Headless::Forbid, Some("5xx"), Some("c/api"), Some(Mistake::Headless)),
    ] {
        let policy = Policy { headless, ..policy(true) };
        let mut operation = force(policy.clone(), None);
        asked(&mut operation, &world());
        let with =
            Confirmation::CommandLine { reason: reason.map(Into::into), confirm: confirm.map(Into::into) };
        let demands = operation.step(Input::Confirm { with, policy }, at(2));
        match (demands.as_slice(), mistake) {
            ([Demand::Record(_)], None) => {}
            ([Demand::Confirm { mistake: Some(said), .. }], Some(expected)) if *said == expected => {}
            other => panic!("{headless:?} {other:?}"),
        }
    }
}

#[test]
fn a_target_that_changed_stops_it_and_the_difference_is_said() {
    let mut other = service(vec![deployment("ecs-svc/9", "PRIMARY", "COMPLETED")]);
    other.desired = 3;
    let changed = World { service: other, ..world() };
    let mut operation = force(policy(false), Some(Saw::service(&rest())));
    let (verdict, recorded) = ended(asked(&mut operation, &changed));
    let Verdict::Changed { difference } = verdict else { panic!("{verdict:?}") };
    assert_eq!(
        difference,
        "the deployment of c/api was ecs-svc/1, is ecs-svc/9; the desired count of c/api was 2, is 3"
    );
    assert!(!recorded);
    // A dialog that stood open: the confirmation looks again before the intent is written.
    let mut operation = force(policy(false), None);
    asked(&mut operation, &world());
    let demands = operation.step(confirm(Confirmation::Key, false), at(300));
    assert!(matches!(demands.as_slice(), [Demand::Read { .. }]), "{demands:?}");
    let demands = changed.answered(&mut operation, demands, at(301));
    assert!(matches!(ended(demands), (Verdict::Changed { .. }, false)));
}

#[test]
fn a_tag_that_is_moved_while_the_dialog_stands_open_stops_it() {
    let mut operation = force(policy(false), None);
    asked(&mut operation, &world());
    let mut moved = world();
    moved.images[0] = ("latest", "sha256:other");
    let demands = operation.step(confirm(Confirmation::Key, false), at(300));
    let demands = moved.answered(&mut operation, demands, at(301));
    let (verdict, recorded) = ended(demands);
    assert!(
        !recorded
            && matches!(&verdict, Verdict::Changed { difference } if difference.contains("was new, is other")),
        "{verdict:?}"
    );
}

#[test]
fn a_check_that_turned_worse_while_the_dialog_stood_open_stops_it() {
    let mut operation = force(policy(false), None);
    asked(&mut operation, &world());
    let mut worse = world();
    worse.service.deployments[0].rollout_state = Some("IN_PROGRESS".into());
    let demands = operation.step(confirm(Confirmation::Key, false), at(300));
    let demands = worse.answered(&mut operation, demands, at(301));
    let (verdict, _) = ended(demands);
    assert!(
        matches!(&verdict, Verdict::Changed { difference } if difference.contains("is in progress")),
        "{verdict:?}"
    );
}

#[test]
fn preflights_block_warn_and_admit_what_they_do_not_know() {
    let met = |change: fn(&mut World)| {
        let mut world = world();
        change(&mut world);
        let mut operation = force(policy(false), None);
        asked(&mut operation, &world).into_iter().next().unwrap()
    };
    let refused = |demand: Demand| match demand {
        Demand::End { verdict: Verdict::Refused { why }, recorded: false } => why,
        other => panic!("{other:?}"),
    };
    let controller = refused(met(|w| w.service.controller = Some("CODE_DEPLOY".into())));
    assert!(controller.contains("CODE_DEPLOY deploys"), "{controller}");
    assert!(refused(met(|w| w.service.status = "DRAINING".into())).contains("DRAINING"));
    let gone = refused(met(|w| w.images.clear()));
    assert!(gone.contains("is not in ECR: no new task could start"), "{gone}");
    let found = |demand: Demand, name: &str| match demand {
        Demand::Confirm { plan, .. } => {
            let check = plan.checks.iter().find(|check| check.name == name).unwrap().clone();
            (check.finding, check.evidence)
        }
        other => panic!("{other:?}"),
    };
    let stuck = |more: fn(&mut World)| {
        let mut world = world();
        world.service.deployment_configuration.minimum_healthy_percent = Some(100);
        world.service.deployment_configuration.maximum_percent = Some(149);
        more(&mut world);
        let mut operation = force(policy(false), None);
        found(asked(&mut operation, &world).into_iter().next().unwrap(), "room for a rollout")
    };
    let (finding, evidence) = stuck(|_| ());
    assert!(finding == Finding::Warn && evidence.contains("never move"), "{evidence}");
    // With a task missing, its replacement is a new one; and blue/green has no such bounds.
    let (finding, evidence) = stuck(|w| w.service.running = 1);
    assert!(finding == Finding::Warn && evidence.contains("what is missing starts anew"), "{evidence}");
    let (finding, _) = stuck(|w| w.service.deployment_configuration.strategy = Some("BLUE_GREEN".into()));
    assert_eq!(finding, Finding::NotVerified);
    assert_eq!(found(met(|w| w.service.controller = None), "deployment controller").0, Finding::NotVerified);
    let moving = met(|w| w.service.deployments[0].rollout_state = Some("IN_PROGRESS".into()));
    assert_eq!(found(moving, "rollout under way").0, Finding::Warn);
    let (finding, evidence) = found(met(|w| w.running = "sha256:old"), "image of api");
    assert_eq!(finding, Finding::Warn);
    assert_eq!(evidence, "will start different code: api:latest is new now, pushed 12 min ago; old runs");
    let (finding, _) = found(met(|w| w.service.current_service_revisions.clear()), "image of api");
    assert_eq!(finding, Finding::NotVerified);
}

#[test]
fn without_a_journalled_intent_there_is_no_call() {
    let mut operation = force(policy(false), None);
    asked(&mut operation, &world());
    operation.step(confirm(Confirmation::Key, false), at(2));
    let (verdict, recorded) = ended(operation.step(Input::Recorded(Err("no space left".into())), at(2)));
    assert!(matches!(verdict, Verdict::Refused { why } if why.contains("no space left")) && !recorded);
}

#[test]
fn what_was_refused_or_never_sent_has_failed() {
    for (kind, sent) in [
        (FaultKind::Network, false),
        (FaultKind::Denied, true),
        (FaultKind::Throttled, true),
        (FaultKind::Invalid, true),
    ] {
        let mut operation = force(policy(false), None);
        called(&mut operation, &world());
        let outcome = CallOutcome::of_fault(fault(kind), sent);
        let (verdict, recorded) = ended(operation.step(Input::Called(outcome), at(3)));
        assert!(matches!(verdict, Verdict::Failed { .. }) && recorded, "{kind:?} {verdict:?}");
    }
}

/// A forced deployment whose answer was lost.
fn lost(kind: FaultKind, watch: bool) -> (Operation, Vec<Demand>) {
    let mut operation = force(policy(false), None);
    if !watch {
        operation = operation.watched_for(None);
    }
    called(&mut operation, &world());
    let demands = operation.step(Input::Called(CallOutcome::of_fault(fault(kind), true)), at(3));
    (operation, demands)
}

#[test]
fn a_lost_answer_is_unknown_until_a_look_settles_it() {
    for kind in [FaultKind::Network, FaultKind::Server, FaultKind::Garbled, FaultKind::Unknown] {
        let (_, demands) = lost(kind, false);
        let (verdict, recorded) = ended(demands);
        assert!(
            recorded
                && matches!(&verdict, Verdict::Unknown { how_to_find_out } if how_to_find_out.contains("opsdeck service c/api")),
            "{verdict:?}"
        );
    }
    let ours = |second: u64| {
        let mut ours = deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS");
        ours.created_at = Some(at(second).wall);
        service(vec![ours, deployment("ecs-svc/1", "ACTIVE", "COMPLETED")])
    };
    // One new deployment of that moment is ours.
    let (mut operation, demands) = lost(FaultKind::Network, true);
    assert!(
        matches!(demands.as_slice(), [Demand::Acknowledge(note), Demand::Read { .. }] if note.lost.is_some())
    );
    assert!(still(&operation.step(read(ours(4)), at(8))));
    let done = service(vec![deployment("ecs-svc/2", "PRIMARY", "COMPLETED")]);
    assert_eq!(ended(operation.step(read(done), at(13))), (Verdict::Succeeded, true));
    // One of another time is not, nor is one of two.
    let (mut operation, _) = lost(FaultKind::Network, true);
    let (verdict, _) = ended(operation.step(read(ours(600)), at(610)));
    assert!(
        matches!(&verdict, Verdict::Unknown { how_to_find_out } if how_to_find_out.contains("was not created when we asked"))
    );
    let (mut operation, _) = lost(FaultKind::Network, true);
    let mut two = ours(4);
    two.deployments.push(deployment("ecs-svc/3", "ACTIVE", "IN_PROGRESS"));
    let (verdict, _) = ended(operation.step(read(two), at(8)));
    assert!(
        matches!(&verdict, Verdict::Unknown { how_to_find_out } if how_to_find_out.contains("2 deployments are new"))
    );
    // None for a minute: it probably did not happen, and that is said.
    let (mut operation, _) = lost(FaultKind::Network, true);
    assert!(still(&operation.step(read(rest()), at(30))));
    let (verdict, _) = ended(operation.step(read(rest()), at(70)));
    assert!(
        matches!(&verdict, Verdict::Unknown { how_to_find_out } if how_to_find_out.contains("probably did not happen"))
    );
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
            Some(CircuitBreaker { enable: true, rollback: true, threshold: None });
        service
    };
    // A stale look right after the call, with the old deployment at rest, is no end.
    let mut operation = accepted();
    assert!(still(&operation.step(read(rest()), at(8))));
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
    let query = crate::guard::facts::service_query(&service_id());
    operation.step(input(query, Err(fault(FaultKind::Network))), at(60));
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
    called(&mut operation, &world());
    assert_eq!(ended(operation.step(took("ecs-svc/2"), at(2))), (Verdict::Accepted, true));
}

#[test]
fn leaving_a_watch_calls_nothing_accepted_whose_answer_was_lost() {
    let (mut operation, _) = lost(FaultKind::Network, true);
    let (verdict, recorded) = ended(operation.step(Input::StopWatching, at(4)));
    assert!(recorded && matches!(verdict, Verdict::Unknown { .. }), "{verdict:?}");
    let mut operation = accepted();
    assert_eq!(ended(operation.step(Input::StopWatching, at(9))).0, Verdict::Accepted);
}

#[test]
fn a_new_deployment_of_something_else_is_not_ours() {
    let (mut operation, _) = lost(FaultKind::Network, true);
    let mut other = deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS");
    other.created_at = Some(at(4).wall);
    other.revision.number = 8;
    let (verdict, _) = ended(operation.step(read(service(vec![other])), at(8)));
    assert!(
        matches!(&verdict, Verdict::Unknown { how_to_find_out } if how_to_find_out.contains("runs api:8, which is not what we asked for")),
        "{verdict:?}"
    );
}

#[test]
fn a_stale_look_after_a_fresh_one_is_no_end() {
    let mut operation = accepted();
    operation.step(read(service(vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS")])), at(8));
    assert!(still(&operation.step(read(rest()), at(13))), "what was PRIMARY before has not replaced it");
}

#[test]
fn what_was_primary_before_and_has_changed_since_tells_of_a_rollback_between_two_looks() {
    let back = |updated: u64| {
        let mut before = deployment("ecs-svc/1", "PRIMARY", "COMPLETED");
        before.updated_at = Some(at(updated).wall);
        let mut service = service(vec![before]);
        service.events.push(ServiceEvent {
            id: "1".into(),
            at: at(updated).wall,
            message: "(service api) (deployment ecs-svc/2) deployment failed: tasks failed to start.".into(),
        });
        read(service)
    };
    // AWS said when it made ours: no look was needed to meet it.
    let made = CallOutcome::Accepted(Receipt {
        deployment: Some("ecs-svc/2".into()),
        deployed_at: Some(at(2).wall),
        ..Receipt::default()
    });
    let mut operation = force(policy(false), None);
    called(&mut operation, &world());
    operation.step(Input::Called(made), at(2));
    assert!(still(&operation.step(back(1), at(8))), "a look from before the call");
    let (verdict, _) = ended(operation.step(back(70), at(90)));
    assert!(matches!(verdict, Verdict::RolledBack { why }
        if why == "tasks failed to start; ecs-svc/1, which ran before, is PRIMARY again"));
    // Or a look showed it.
    let mut operation = accepted();
    let mut ours = deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS");
    ours.created_at = Some(at(2).wall);
    operation.step(read(service(vec![ours])), at(8));
    assert!(still(&operation.step(back(1), at(13))), "a stale look");
    assert!(matches!(ended(operation.step(back(70), at(200))).0, Verdict::RolledBack { .. }));
}

#[test]
fn a_deployment_that_ended_badly_is_not_undone_but_left_for_what_ran_before() {
    // The breaker stopped it and does not roll back: the old tasks run beside it.
    let mut failed = world();
    failed.service = service(vec![
        deployment("ecs-svc/9", "PRIMARY", "FAILED"),
        deployment("ecs-svc/1", "ACTIVE", "COMPLETED"),
    ]);
    failed.service.current_service_deployment = Some("dep/stopped".into());
    let action = Action::RollBack { services: vec![service_id()], to: Back::Usual };
    let first = |status: &'static str| {
        let mut operation = Operation::new("op-1", action.clone(), policy(false), None);
        let mut demands = operation.start(at(0));
        while matches!(demands.first(), Some(Demand::Read { .. })) {
            let mut next = Vec::new();
            for demand in demands {
                let Demand::Read { query, .. } = demand else { panic!("{demand:?}") };
                let outcome = match &query {
                    Query::DescribeServiceDeployments { .. } => {
                        let Ok(Answer::Deployments { mut found, .. }) =
                            failed.answer(&Query::ListServiceDeployments {
                                scope: service_id().scope,
                                cluster: "c".into(),
                                service: "api".into(),
                                page: None,
                            })
                        else {
                            panic!()
                        };
                        found.truncate(1);
                        found[0].status = status.into();
                        found[0].source_revision_arns = vec!["rev/6".into()];
                        Ok(Answer::Deployments { found, failures: vec![], next: None })
                    }
                    other => failed.answer(other),
                };
                next.extend(operation.step(input(query, outcome), at(1)));
            }
            demands = next;
        }
        match demands.as_slice() {
            [Demand::Confirm { plan, .. }] => plan.calls[0].action(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(first("IN_PROGRESS"), "ecs:StopServiceDeployment");
    assert_eq!(first("STOPPED"), "ecs:RegisterTaskDefinition");
}

fn roll_back(to: Back, world: &World) -> Operation {
    let action = Action::RollBack { services: vec![service_id()], to };
    let mut operation = Operation::new("op-1", action, policy(false), None);
    called_first(&mut operation, world);
    operation
}

fn called_first(operation: &mut Operation, world: &World) {
    let demands = asked(operation, world);
    assert!(matches!(demands.as_slice(), [Demand::Confirm { .. }]), "{demands:?}");
    operation.step(typed("api", false), at(2));
}

#[test]
fn a_return_to_a_digest_registers_a_pinned_revision_and_runs_that() {
    // The service deploys `:latest` by force: its revision never changes, the good version is only a digest.
    let mut operation = roll_back(Back::Usual, &world());
    let plan = operation.plan().unwrap().clone();
    assert!(
        plan.changes.iter().any(|c| c.field == "digest of api" && c.before == "new" && c.after == "old"),
        "{plan:?}"
    );
    let Mutation::RegisterTaskDefinition { from, edit, .. } = permitted(&mut operation) else { panic!() };
    assert_eq!(from, arn(7));
    assert_eq!(edit.images["api"], format!("{REPOSITORY}@sha256:old"));
    assert_eq!(edit.pinned_from.as_deref(), Some("api:7"));
    let receipt = Receipt { definition: Some(arn(8)), ..Receipt::default() };
    let demands = operation.step(Input::Called(CallOutcome::Accepted(receipt)), at(3));
    assert!(
        matches!(demands.as_slice(), [Demand::Acknowledge(_), Demand::Record(intent)] if intent.step == 2),
        "{demands:?}"
    );
    let Mutation::UpdateService { change, .. } = permitted(&mut operation) else { panic!() };
    assert_eq!(change.definition, Some(Definition::Named(arn(8))));
    assert!(!change.force && change.desired.is_none());
    operation.step(took("ecs-svc/2"), at(4));
    let done = service(vec![deployment("ecs-svc/2", "PRIMARY", "COMPLETED")]);
    assert_eq!(ended(operation.step(read(done), at(14))), (Verdict::Succeeded, true));
}

#[test]
fn what_is_no_longer_allowed_is_not_called_to_its_end() {
    let locked = Policy { lock: Lock::Locked, ..policy(false) };
    let closed = Policy { forbidden: Some("the change window is over".to_owned()), ..policy(false) };
    for (now_holds, why) in [(locked, "the console was locked"), (closed, "the change window is over")] {
        let mut operation = roll_back(Back::Usual, &world());
        permitted(&mut operation);
        operation.hold_to(now_holds);
        let receipt = Receipt { definition: Some(arn(8)), ..Receipt::default() };
        let (verdict, recorded) = ended(operation.step(Input::Called(CallOutcome::Accepted(receipt)), at(3)));
        assert!(recorded);
        let told = verdict.to_string();
        assert!(told.contains("1 call of the plan not made") && told.contains(why), "{told}");
    }
}

#[test]
fn a_history_that_could_not_be_read_is_no_reason_to_guess() {
    let world = world();
    let action = Action::RollBack { services: vec![service_id()], to: Back::Usual };
    let mut operation = Operation::new("op-1", action, policy(false), None);
    let mut demands = operation.start(at(0));
    while let Some(Demand::Read { .. }) = demands.first() {
        let mut next = Vec::new();
        for demand in demands {
            let Demand::Read { query, .. } = demand else { panic!("{demand:?}") };
            let outcome = match &query {
                Query::DescribeServiceRevisions { arns, .. } if arns[0].starts_with("past/") => {
                    Err(fault(FaultKind::Denied))
                }
                query => world.answer(query),
            };
            next.extend(operation.step(input(query, outcome), at(1)));
        }
        demands = next;
    }
    let (verdict, _) = ended(demands);
    assert!(
        matches!(&verdict, Verdict::Failed { why } if why.contains("what ran before could not be read")),
        "{verdict:?}"
    );
}

#[test]
fn secrets_pass_only_for_what_was_looked_at() {
    let mut world = world();
    let reference = |name: &str, from: &str| crate::domain::task_definition::SecretRef {
        name: name.into(),
        value_from: from.into(),
    };
    for definition in &mut world.definitions {
        definition.containers[0].secrets = vec![reference("KEY", "/shop/key")];
    }
    let operation = roll_back(Back::Usual, &world);
    let checks = &operation.plan().unwrap().checks;
    assert!(checks.iter().all(|check| check.name != "secrets"), "{checks:?}");
    let parameters = checks.iter().find(|check| check.name == "parameters").unwrap();
    assert_eq!(
        (parameters.finding, parameters.evidence.as_str()),
        (Finding::NotVerified, "1 value of Parameter Store: not looked at")
    );
}

#[test]
fn what_was_returned_from_is_not_returned_to_by_itself() {
    // Revision 7 at `new` runs; 6 was tried in between, and left again for what runs.
    let back_and_forth = |older: &[(u32, &'static str)]| {
        let mut past = vec![(7, "sha256:new"), (6, "sha256:abcdef0123"), (7, "sha256:new")];
        past.extend(older);
        let mut world = World { past, ..world() };
        world.images.push(("sha256:abcdef0123", "sha256:abcdef0123"));
        world
    };
    let world = back_and_forth(&[(7, "sha256:old")]);
    let action = |to: Back| Action::RollBack { services: vec![service_id()], to };
    let mut operation = Operation::new("op-1", action(Back::Usual), policy(false), None);
    let demands = asked(&mut operation, &world);
    let [Demand::Confirm { plan, .. }] = demands.as_slice() else { panic!("{demands:?}") };
    let way = plan.checks.iter().find(|check| check.name == "way back").unwrap();
    assert!(
        way.finding == Finding::Warn && way.evidence.contains("api:6, from which it was returned"),
        "{way:?}"
    );
    assert!(plan.changes.iter().any(|c| c.field == "digest of api" && c.after == "old"), "{plan:?}");
    let yes = Confirmation::CommandLine { reason: None, confirm: None };
    let demands = operation.step(confirm(yes, false), at(2));
    assert!(
        matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::Guess), .. }]),
        "{demands:?}"
    );
    // With nothing older there is nothing to propose; by its name it can be had.
    let world = back_and_forth(&[]);
    let mut operation = Operation::new("op-1", action(Back::Usual), policy(false), None);
    let (verdict, _) = ended(asked(&mut operation, &world));
    assert!(matches!(&verdict, Verdict::Refused { why } if why.contains("--to-deployment")), "{verdict:?}");
    let mut operation = Operation::new("op-1", action(Back::Revision("6".into())), policy(false), None);
    assert!(matches!(asked(&mut operation, &world).as_slice(), [Demand::Confirm { .. }]));
}

#[test]
fn a_deployment_that_ended_long_ago_is_not_watched_for_the_one_that_is_meant() {
    let mut world = world();
    let watch = |world: &World| {
        let mut operation =
            Operation::new("op-1", Action::Watch { services: vec![service_id()] }, policy(false), None);
        asked(&mut operation, world)
    };
    world.service.deployments[0].updated_at = Some(at(0).wall.minus(Duration::from_secs(3_600)));
    let (verdict, _) = ended(watch(&world));
    assert!(
        matches!(&verdict, Verdict::Refused { why } if why.contains("nothing is under way: ecs-svc/1 (api:7) completed 1 h ago")),
        "{verdict:?}"
    );
    world.service.deployments[0].updated_at = Some(at(0).wall.minus(Duration::from_secs(60)));
    let (verdict, _) = ended(watch(&world));
    assert_eq!(verdict, Verdict::Succeeded);
}

#[test]
fn a_move_off_spot_says_what_code_it_would_start() {
    let mut world = World { running: "sha256:old", ..world() };
    world.service.capacity =
        vec![crate::domain::ecs::CapacityShare { provider: "FARGATE_SPOT".into(), weight: 1, base: 0 }];
    let mut operation =
        Operation::new("op-1", Action::OnDemand { service: service_id() }, policy(false), None);
    let demands = asked(&mut operation, &world);
    let [Demand::Confirm { plan, .. }] = demands.as_slice() else { panic!("{demands:?}") };
    let image = plan.checks.iter().find(|check| check.name == "image of api").unwrap();
    assert!(
        image.finding == Finding::Warn && image.evidence.contains("will start different code"),
        "{image:?}"
    );
}

#[test]
fn a_guess_is_for_somebody_who_looks_at_it_and_not_for_a_script() {
    let world = World { past: vec![], ..world() };
    let run = |to: Back| {
        let action = Action::RollBack { services: vec![service_id()], to };
        let mut operation = Operation::new("op-1", action, policy(false), None);
        asked(&mut operation, &world);
        let yes = Confirmation::CommandLine { reason: None, confirm: None };
        operation.step(confirm(yes, false), at(2))
    };
    let demands = run(Back::Usual);
    assert!(
        matches!(demands.as_slice(), [Demand::Confirm { mistake: Some(Mistake::Guess), .. }]),
        "{demands:?}"
    );
    let demands = run(Back::Revision("6".into()));
    assert!(!matches!(demands.as_slice(), [Demand::Confirm { .. }]), "{demands:?}");
}

#[test]
fn what_a_policy_keeps_from_command_lines_no_answered_prompt_gets_around() {
    let strict = Policy { headless: Headless::Forbid, ..policy(false) };
    let action = Action::Deploy { services: vec![service_id()], what: Deploy::Force };
    for (operation, told) in [
        (Operation::new("op-1", action.clone(), strict.clone(), None).headless(), Some(Mistake::Headless)),
        (Operation::new("op-1", action, strict.clone(), None), None),
    ] {
        let mut operation = operation;
        asked(&mut operation, &world());
        let demands =
            operation.step(Input::Confirm { with: Confirmation::Key, policy: strict.clone() }, at(2));
        match (demands.as_slice(), told) {
            ([Demand::Confirm { mistake, .. }], Some(_)) => assert_eq!(*mistake, told),
            ([Demand::Record(_)], None) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn when_the_registration_fails_nothing_is_deployed() {
    for outcome in
        [CallOutcome::Refused(fault(FaultKind::Denied)), CallOutcome::Lost(fault(FaultKind::Network))]
    {
        let mut operation = roll_back(Back::Usual, &world());
        permitted(&mut operation);
        let demands = operation.step(Input::Called(outcome.clone()), at(3));
        let (verdict, _) = ended(demands);
        match outcome {
            CallOutcome::Lost(_) => assert!(matches!(verdict, Verdict::Unknown { .. }), "{verdict:?}"),
            _ => assert!(matches!(verdict, Verdict::Failed { .. }), "{verdict:?}"),
        }
    }
}

#[test]
fn a_return_picks_what_was_named_and_calls_a_guess_a_guess() {
    let first = |to: Back, world: &World| {
        let mut operation = roll_back(to, world);
        (permitted(&mut operation), operation.plan().unwrap().clone())
    };
    let target = |plan: &Plan| plan.checks.iter().find(|check| check.name == "target").unwrap().clone();
    // By revision, which ran with a digest that its tag does not mean any more, and that ECR has lost.
    let action = Action::RollBack { services: vec![service_id()], to: Back::Revision("6".into()) };
    let mut operation = Operation::new("op-1", action, policy(false), None);
    let (verdict, _) = ended(asked(&mut operation, &world()));
    assert!(
        matches!(&verdict, Verdict::Refused { why } if why.contains("abcdef0123 is not in ECR any more")),
        "{verdict:?}"
    );
    let mut with = world();
    with.images.push(("sha256:abcdef0123", "sha256:abcdef0123"));
    let (call, plan) = first(Back::Revision("6".into()), &with);
    assert!(matches!(call, Mutation::RegisterTaskDefinition { from, .. } if from == arn(6)));
    assert_eq!(target(&plan).finding, Finding::Pass);
    let (call, _) = first(Back::Digest("sha256:abcdef0123".into()), &with);
    assert!(matches!(call, Mutation::RegisterTaskDefinition { from, .. } if from == arn(6)));
    let (call, _) = first(Back::Deployment("1".into()), &with);
    assert!(
        matches!(call, Mutation::RegisterTaskDefinition { edit, .. } if edit.images["api"].ends_with("sha256:old"))
    );
    // Without any history the revision before is a guess, and its tag is what it is now.
    let bare = World { past: vec![], ..world() };
    let (call, plan) = first(Back::Usual, &bare);
    assert!(
        matches!(call, Mutation::UpdateService { change, .. } if change.definition == Some(Definition::Named(arn(6))))
    );
    assert!(target(&plan).evidence.starts_with("a guess"), "{plan:?}");
    // Values of the environment are never shown.
    assert!(
        plan.changes.iter().any(|c| c.field == "environment of api: PASSWORD")
            && !format!("{plan:?}").contains("hidden")
    );
}

#[test]
fn a_tag_is_for_one_repository_and_a_container_is_named_where_there_are_several() {
    let deploy = |container: Option<&str>, world: &World| {
        let what = Deploy::Edit {
            image: Some("v2".into()),
            container: container.map(Into::into),
            cpu: None,
            memory: None,
        };
        let action = Action::Deploy { services: vec![service_id()], what };
        let mut operation = Operation::new("op-1", action, policy(false), None);
        asked(&mut operation, world)
    };
    let mut with = world();
    with.images.push(("v2", "sha256:two"));
    assert!(matches!(deploy(None, &with).as_slice(), [Demand::Confirm { .. }]));
    let mut nginx = with.definitions[0].containers[0].clone();
    nginx.name = "nginx".into();
    nginx.image = "123456789012.dkr.ecr.eu-west-2.amazonaws.com/nginx:1".into();
    with.definitions[0].containers.push(nginx);
    with.images.push(("1", "sha256:one"));
    let (verdict, _) = ended(deploy(None, &with));
    assert!(
        matches!(&verdict, Verdict::Refused { why } if why.contains("--container: api (")),
        "{verdict:?}"
    );
    match deploy(Some("api"), &with).as_slice() {
        [Demand::Confirm { plan, .. }] => {
            let Mutation::RegisterTaskDefinition { edit, .. } = &plan.calls[0] else { panic!("{plan:?}") };
            assert_eq!(edit.images.keys().collect::<Vec<_>>(), ["api"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_inactive_revision_is_registered_again() {
    let mut with = world();
    with.images.push(("sha256:abcdef0123", "sha256:abcdef0123"));
    with.definitions[1].status = "INACTIVE".into();
    with.definitions[1].containers[0].image = format!("{REPOSITORY}@sha256:abcdef0123");
    let mut operation = roll_back(Back::Revision("6".into()), &with);
    let Mutation::RegisterTaskDefinition { edit, .. } = permitted(&mut operation) else { panic!() };
    assert!(edit.images.is_empty() && edit.pinned_from.is_none());
}

#[test]
fn several_services_are_one_plan_and_one_verdict() {
    let worker = ServiceId { name: "worker".into(), ..service_id() };
    let action = Action::Deploy { services: vec![service_id(), worker.clone()], what: Deploy::Force };
    let mut operation = Operation::new("op-1", action, policy(false), None);
    let world = world();
    let other = || Service { id: worker.clone(), ..rest() };
    let answer = |query: &Query| match query {
        Query::DescribeServices { services, .. } if services[0] == "worker" => {
            Ok(Answer::Services { found: vec![other()], failures: vec![] })
        }
        other => world.answer(other),
    };
    let mut demands = operation.start(at(0));
    while matches!(demands.first(), Some(Demand::Read { .. })) {
        let mut next = Vec::new();
        for demand in demands {
            let Demand::Read { query, .. } = demand else { panic!("{demand:?}") };
            let outcome = answer(&query);
            next.extend(operation.step(input(query, outcome), at(1)));
        }
        demands = next;
    }
    let [Demand::Confirm { name, plan, .. }] = demands.as_slice() else { panic!("{demands:?}") };
    assert_eq!((name.as_str(), plan.calls.len()), ("c", 2));
    assert!(plan.checks.iter().any(|check| check.name == "c/worker circuit breaker"), "{plan:?}");
    operation.step(typed("c", false), at(2));
    permitted(&mut operation);
    operation.step(took("ecs-svc/2"), at(3));
    let second = permitted(&mut operation);
    assert_eq!(second.target(), "c/worker");
    // The second is refused: the first is watched to its end all the same.
    let demands = operation.step(Input::Called(CallOutcome::Refused(fault(FaultKind::Denied))), at(3));
    assert!(matches!(demands.last(), Some(Demand::Read { .. })), "{demands:?}");
    let done = service(vec![deployment("ecs-svc/2", "PRIMARY", "COMPLETED")]);
    let (verdict, _) = ended(operation.step(read(done), at(9)));
    let Verdict::Failed { why } = verdict else { panic!("{verdict:?}") };
    assert_eq!(why, "api: succeeded; ecs:UpdateService of c/worker: failed: AWS refused: boom");
}

#[test]
fn a_task_is_stopped_when_ecs_says_so_and_a_lonely_one_wants_its_name() {
    let id = task("RUNNING", "").id;
    let found = |task: Task| {
        let query = crate::guard::facts::task_query(&task.id);
        input(query, Ok(Answer::Tasks { found: vec![task], failures: vec![] }))
    };
    for (group, friction) in [("service:api", Friction::YesKey), ("family:migrate", Friction::TypedName)] {
        let action = Action::StopTask { task: id.clone(), service: None, reason: "stuck".into() };
        let mut operation = Operation::new("op", action, policy(false), None).by("ann INC-7");
        operation.start(at(0));
        let demands = operation.step(found(task("RUNNING", group)), at(1));
        let [Demand::Confirm { friction: asked, name, .. }] = demands.as_slice() else {
            panic!("{demands:?}")
        };
        assert_eq!((*asked, name.as_str()), (friction, "01234567"));
        let with = Confirmation::Typed { name: "01234567".into(), reason: Some("it hangs".into()) };
        operation.step(confirm(with, false), at(2));
        // Whoever finds the task stopped can tell who did it, for which incident, and why.
        let Mutation::StopTask { reason, .. } = permitted(&mut operation) else { panic!() };
        assert_eq!(reason, "opsdeck ann INC-7 op: it hangs");
        operation.step(Input::Called(CallOutcome::Accepted(Receipt::default())), at(3));
        assert!(still(&operation.step(found(task("DEACTIVATING", group)), at(8))));
        let missing = Failure { arn: id.id.clone(), reason: "MISSING".into(), detail: None };
        let end = if friction == Friction::YesKey {
            found(task("STOPPED", group))
        } else {
            let query = crate::guard::facts::task_query(&id);
            input(query, Ok(Answer::Tasks { found: vec![], failures: vec![missing] }))
        };
        assert_eq!(ended(operation.step(end, at(13))), (Verdict::Succeeded, true));
    }
}

fn any_input() -> impl Strategy<Value = Input> {
    let answer = prop_oneof![
        // An answer to whatever is asked, told apart from the others by `None`.
        12 => Just(None),
        1 => Just(Some(read(rest()))),
        1 => Just(Some(read(service(vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS")])))),
        1 => Just(Some(read(service(vec![])))),
    ];
    prop_oneof![
        6 => answer.prop_map(|answer| answer.unwrap_or(Input::StopWatching)),
        2 => Just(confirm(Confirmation::Key, false)),
        2 => Just(typed("api", false)),
        1 => Just(typed("ap", false)),
        1 => Just(confirm(Confirmation::Typed { name: "api".into(), reason: Some("why".into()) }, false)),
        1 => Just(confirm(Confirmation::CommandLine { reason: Some(" ".into()), confirm: None }, false)),
        1 => Just(Input::Cancel),
        3 => Just(Input::Recorded(Ok(()))),
        1 => Just(Input::Recorded(Err("full".into()))),
        1 => Just(took("ecs-svc/2")),
        1 => Just(Input::Called(CallOutcome::Lost(fault(FaultKind::Network)))),
    ]
}

/// Whether the confirmation is enough, told independently of the machine.
fn is_enough(confirmation: &Confirmation, friction: Friction) -> bool {
    match (friction, confirmation) {
        (Friction::YesKey, Confirmation::Typed { .. } | Confirmation::Key) => true,
        (Friction::TypedNameAndReason, Confirmation::CommandLine { reason, .. }) => {
            reason.as_ref().is_some_and(|reason| !reason.trim().is_empty())
        }
        (_, Confirmation::CommandLine { .. }) => true,
        (_, Confirmation::Key) => false,
        (Friction::TypedName, Confirmation::Typed { name, .. }) => name == "api",
        (Friction::TypedNameAndReason, Confirmation::Typed { name, reason }) => {
            name == "api" && reason.is_some()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn at_most_one_permit_and_never_before_confirmation_and_intent(
        inputs in proptest::collection::vec((any_input(), 0u64..40, 0u8..8), 0..60),
        lock in prop_oneof![8 => Just(Lock::Unlocked), 1 => Just(Lock::Locked), 1 => Just(Lock::ReadOnly)],
        production in any::<bool>(), with_reason in any::<bool>(), seen in any::<bool>(),
    ) {
        let world = world();
        let mut policy = Policy::new(lock, production);
        if with_reason {
            policy.at_least = Friction::TypedNameAndReason;
        }
        let friction = policy.friction(false);
        let mut operation = force(policy.clone(), seen.then(|| Saw::service(&rest())));
        let mut open: Vec<Query> = Vec::new();
        let (mut permits, mut ends, mut confirmed, mut intent_demanded, mut on_disk) = (0, 0, false, false, false);
        let mut asked_to_confirm = false;
        let mut now = 0;
        let mut demands = operation.start(at(0));
        for (drawn, wait, keep) in inputs {
            for demand in std::mem::take(&mut demands) {
                match demand {
                    Demand::Call(_) => {
                        permits += 1;
                        prop_assert!(lock != Lock::ReadOnly && confirmed && intent_demanded && on_disk);
                    }
                    Demand::Record(_) => {
                        prop_assert!(confirmed);
                        intent_demanded = true;
                    }
                    Demand::Confirm { .. } => asked_to_confirm = true,
                    Demand::End { .. } => ends += 1,
                    Demand::Read { query, .. } => open.push(query),
                    Demand::Acknowledge(_) => {}
                }
            }
            now += wait;
            let input = match (drawn, open.pop()) {
                // Most of the time what is asked is answered.
                (_, Some(query)) if keep > 1 => {
                    let outcome = world.answer(&query);
                    input(query, outcome)
                }
                (Input::Confirm { with, .. }, query) => {
                    open.extend(query);
                    confirmed |= asked_to_confirm && is_enough(&with, friction);
                    Input::Confirm { with, policy: policy.clone() }
                }
                (drawn, query) => {
                    open.extend(query);
                    drawn
                }
            };
            on_disk |= intent_demanded && input == Input::Recorded(Ok(()));
            demands = operation.step(input, at(now));
        }
        ends += demands.iter().filter(|demand| matches!(demand, Demand::End { .. })).count();
        permits += demands.iter().filter(|demand| matches!(demand, Demand::Call(_))).count();
        prop_assert!(permits <= 1 && ends <= 1);
        prop_assert_eq!(operation.is_ended(), ends == 1);
    }
}
