//! A service whose next start is checked, one thing broken at a time.

use super::super::database::fixtures::{scope, service};
use super::super::fixtures::definition;
use super::*;
use crate::domain::balancer::TargetGroup;
use crate::domain::ecs::{LoadBalancer, RevisionImage};
use crate::domain::fault::FaultKind;
use crate::domain::log::{LogGroup, LogGroupId};
use crate::domain::query::{Answer, PageToken};
use crate::domain::registry::ImageName;
use crate::domain::registry::RegistryImage;
use crate::domain::role::Role;
use crate::domain::secret::{SecretId, SecretVersion, StoredParameter};
use crate::domain::task_definition::SecretRef;

const NOW: Wall = Wall(1_795_000_000_000);
const SECRET: &str = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:cma/db-AbCdEf";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-2:123456789012:targetgroup/api/0123";

fn api() -> Service {
    let balancer = LoadBalancer {
        target_group_arn: Some(GROUP.into()),
        container: Some("app".into()),
        port: Some(8_000),
    };
    Service { load_balancers: vec![balancer], ..service("api", 2) }
}

fn running() -> TaskDefinition {
    let mut running = definition("api");
    running.containers[0].secrets = vec![
        SecretRef { name: "DB".into(), value_from: format!("{SECRET}:password::") },
        SecretRef { name: "LEVEL".into(), value_from: "/cma/level".into() },
    ];
    running
}

fn revision() -> ServiceRevision {
    ServiceRevision {
        arn: String::new(),
        revision: running().revision,
        images: vec![RevisionImage {
            container: "app".into(),
            image: running().containers[0].image.clone(),
            digest: Some("sha256:abc".into()),
        }],
        created_at: None,
    }
}

fn secret() -> Secret {
    let versions = vec![SecretVersion { id: "v1".into(), stages: vec!["AWSCURRENT".into()] }];
    Secret {
        id: SecretId { scope: scope(), name: "cma/db".into() },
        arn: SECRET.into(),
        description: None,
        rotation_enabled: false,
        rotation_lambda: None,
        rotation_rules: None,
        last_rotated: None,
        next_rotation: None,
        last_changed: None,
        last_accessed: None,
        deleted_at: None,
        owning_service: None,
        primary_region: None,
        versions,
        replicas: Vec::new(),
        kms_key: None,
        created_at: None,
        tags: Vec::new(),
    }
}

fn parameter(name: &str) -> StoredParameter {
    StoredParameter {
        scope: scope(),
        name: name.into(),
        arn: None,
        kind: "String".into(),
        version: 1,
        tier: None,
        modified_at: None,
        modified_by: None,
        description: None,
    }
}

/// AWS where all is there.
fn answer(query: &Query) -> Result<Answer, Fault> {
    Ok(match query {
        Query::DescribeImages { repository, .. } => Answer::Images {
            found: vec![RegistryImage {
                repository: repository.clone(),
                digest: "sha256:abc".into(),
                tags: vec!["v1".into()],
                pushed_at: None,
                size: None,
                status: Some("ACTIVE".into()),
            }],
        },
        Query::DescribeSecret { .. } => Answer::Secrets { found: vec![secret()], next: None },
        Query::DescribeParameters { page: None, .. } => {
            Answer::Parameters { found: vec![parameter("/cma/other")], next: Some(PageToken("2".into())) }
        }
        Query::DescribeParameters { .. } => {
            Answer::Parameters { found: vec![parameter("/cma/level")], next: None }
        }
        Query::DescribeLogGroups { .. } => {
            let id = |name: &str| LogGroupId { scope: scope(), name: name.into() };
            let group = |name| LogGroup {
                id: id(name),
                arn: None,
                retention_days: None,
                stored_bytes: None,
                created_at: None,
            };
            Answer::LogGroups { found: vec![group("/ecs/app-old"), group("/ecs/app")], next: None }
        }
        Query::GetRole { role, .. } => {
            let path = if role == "execution" { "service/" } else { "" };
            let arn = format!("arn:aws:iam::123456789012:role/{path}{role}");
            Answer::Role(Box::new(Role { name: role.clone(), arn, created_at: None, last_used: None }))
        }
        Query::DescribeTargetGroups { arns, .. } => Answer::TargetGroups {
            found: vec![TargetGroup {
                arn: arns[0].clone(),
                name: "api".into(),
                balancers: vec!["arn:x:loadbalancer/app/cma/1".into()],
                protocol: None,
                port: None,
                health_path: None,
                matcher: None,
            }],
        },
        other => panic!("{other:?} was not expected"),
    })
}

/// The facts after all questions were answered; `answer` may answer otherwise.
fn learned(
    service: &Service,
    definition: &TaskDefinition,
    answer: impl Fn(&Query) -> Result<Answer, Fault>,
) -> NextStartFacts {
    let mut facts = NextStartFacts::default();
    let mut queries = needed(definition, Some(&revision()), service);
    while let Some(query) = queries.pop() {
        queries.extend(facts.absorb(&query, &answer(&query)));
    }
    facts
}

fn judged(
    service: &Service,
    definition: &TaskDefinition,
    answer: impl Fn(&Query) -> Result<Answer, Fault>,
) -> Vec<Check> {
    let facts = learned(service, definition, answer);
    checks(service, definition, Some(&revision()), &facts, NOW)
}

/// What is not as it should be.
fn wrong(
    service: &Service,
    definition: &TaskDefinition,
    answer: impl Fn(&Query) -> Result<Answer, Fault>,
) -> Vec<String> {
    let all = judged(service, definition, answer);
    let wrong = all.iter().filter(|check| check.verdict != CheckVerdict::Pass);
    wrong.map(|check| format!("{}: {}: {}", check.verdict.word(), check.what, check.evidence)).collect()
}

/// AWS where one kind of thing is gone, refused or not there.
fn but(action: &'static str, kind: FaultKind) -> impl Fn(&Query) -> Result<Answer, Fault> {
    move |query| {
        if query.action() == action {
            return Err(Fault::new(kind, "no").action(action));
        }
        answer(query)
    }
}

#[test]
fn a_service_whose_things_are_all_there_passes() {
    let all = judged(&api(), &running(), answer);
    let what: Vec<&str> = all.iter().map(|check| check.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "task definition api:41",
            "image of app",
            "secret DB of app",
            "parameter LEVEL of app",
            "log group of app",
            "execution role",
            "task role",
            "port 8000 of app",
            "target group api",
        ]
    );
    assert!(all.iter().all(|check| check.verdict == CheckVerdict::Pass), "{all:?}");
    assert_eq!(finding_of(&api(), &all), None);
}

#[test]
fn the_digest_is_asked_for_and_each_question_once() {
    let mut twice = running();
    twice.containers.push(twice.containers[0].clone());
    let queries = needed(&twice, Some(&revision()), &api());
    assert_eq!(queries.len(), 7);
    let image = Query::DescribeImages {
        scope: scope(),
        registry: Some("123456789012".into()),
        repository: "api".into(),
        images: vec![ImageName::Digest("sha256:abc".into())],
    };
    assert_eq!(queries[0], image);
    let by_tag = needed(&running(), None, &api());
    assert!(
        matches!(&by_tag[0], Query::DescribeImages { images, .. } if images == &[ImageName::Tag("v1".into())])
    );
}

#[test]
fn what_is_missing_blocks() {
    for (action, told) in [
        ("ecr:DescribeImages", "block: image of app: api@sha256:abc is not in ECR"),
        ("secretsmanager:DescribeSecret", "block: secret DB of app: "),
        ("logs:DescribeLogGroups", "block: log group of app: /ecs/app does not exist"),
        ("elasticloadbalancing:DescribeTargetGroups", "block: target group api: it does not exist"),
    ] {
        let wrong = wrong(&api(), &running(), but(action, FaultKind::NotFound));
        assert!(wrong.len() == 1 && wrong[0].starts_with(told), "{action}: {wrong:?}");
    }
    let roles = wrong(&api(), &running(), but("iam:GetRole", FaultKind::NotFound));
    assert_eq!(
        roles,
        ["block: execution role: execution does not exist", "block: task role: task does not exist"]
    );
    let no_page = |query: &Query| match query {
        Query::DescribeParameters { .. } => Ok(Answer::Parameters { found: Vec::new(), next: None }),
        other => answer(other),
    };
    assert_eq!(
        wrong(&api(), &running(), no_page),
        ["block: parameter LEVEL of app: /cma/level does not exist"]
    );
}

#[test]
fn what_was_refused_or_not_asked_is_not_verified() {
    for action in [
        "ecr:DescribeImages",
        "secretsmanager:DescribeSecret",
        "ssm:DescribeParameters",
        "logs:DescribeLogGroups",
        "iam:GetRole",
        "elasticloadbalancing:DescribeTargetGroups",
    ] {
        for check in wrong(&api(), &running(), but(action, FaultKind::Denied)) {
            assert!(check.starts_with("not verified: ") && check.contains(action), "{check}");
        }
    }
    let all = checks(&api(), &running(), None, &NextStartFacts::default(), NOW);
    let unverified = all.iter().filter(|check| check.verdict == CheckVerdict::NotVerified).count();
    assert_eq!(unverified, 7);
    assert_eq!(finding_of(&api(), &all), None);
    let mut public = running();
    public.containers[0].image = "nginx:1.27".into();
    let told = wrong(&api(), &public, answer);
    assert_eq!(told, ["not verified: image of app: nginx:1.27 is not in ECR"]);
}

#[test]
fn what_exists_may_still_not_do() {
    let archived = |query: &Query| {
        answer(query).map(|answer| match answer {
            Answer::Images { mut found } => {
                found[0].status = Some("ARCHIVED".into());
                Answer::Images { found }
            }
            Answer::Secrets { mut found, next } => {
                found[0].deleted_at = Some(Wall(NOW.0 - 7_200_000));
                Answer::Secrets { found, next }
            }
            other => other,
        })
    };
    assert_eq!(
        wrong(&api(), &running(), archived),
        [
            "block: image of app: api@sha256:abc is ARCHIVED in ECR",
            "block: secret DB of app: cma/db is scheduled for deletion, asked for 2 h ago",
        ]
    );
    let mut pinned = running();
    pinned.containers[0].secrets[0].value_from = format!("{SECRET}:::v0");
    assert_eq!(
        wrong(&api(), &pinned, answer),
        ["block: secret DB of app: cma/db has no version v0 any more"]
    );
    pinned.containers[0].secrets[0].value_from = format!("{SECRET}::AWSPREVIOUS:");
    assert_eq!(
        wrong(&api(), &pinned, answer),
        ["block: secret DB of app: cma/db has no version with the stage AWSPREVIOUS"]
    );
}

#[test]
fn ports_regions_and_the_definition_s_status_are_checked() {
    let mut moved = api();
    moved.load_balancers[0].port = Some(9_000);
    assert_eq!(
        wrong(&moved, &running(), answer),
        ["block: port 9000 of app: the definition does not map it"]
    );
    let mut ranged = running();
    ranged.containers[0].ports[0].container_port = None;
    ranged.containers[0].ports[0].range = Some("8990-9010".into());
    assert_eq!(wrong(&moved, &ranged, answer), Vec::<String>::new());
    moved.load_balancers[0].container = Some("gone".into());
    assert_eq!(
        wrong(&moved, &running(), answer),
        ["block: port 9000 of gone: the definition has no container gone"]
    );
    let mut far = running();
    far.containers[0].image = far.containers[0].image.replace("eu-west-2", "us-east-1");
    assert_eq!(
        wrong(&api(), &far, answer),
        ["warn: region of image of app: it is in us-east-1, the service in eu-west-2"]
    );
    let old = TaskDefinition { status: "INACTIVE".into(), ..running() };
    assert!(wrong(&api(), &old, answer)[0].starts_with("warn: task definition api:41: INACTIVE"));
}

#[test]
fn one_name_in_two_registries_is_two_images() {
    let mut two = running();
    let mut side = two.containers[0].clone();
    side.name = "side".into();
    side.image = "999999999999.dkr.ecr.eu-west-2.amazonaws.com/api@sha256:abc".into();
    side.secrets.clear();
    two.containers.insert(0, side);
    let elsewhere = |query: &Query| match query {
        Query::DescribeImages { registry: Some(registry), .. } if registry == "999999999999" => {
            Err(Fault::new(FaultKind::NotFound, "no"))
        }
        query => answer(query),
    };
    assert_eq!(wrong(&api(), &two, elsewhere), ["block: image of side: api@sha256:abc is not in ECR"]);
}

#[test]
fn a_deletion_to_come_is_told_by_when_it_comes() {
    let doomed = |query: &Query| {
        answer(query).map(|answer| match answer {
            Answer::Secrets { mut found, next } => {
                found[0].deleted_at = Some(Wall(NOW.0 + 7 * 86_400_000));
                Answer::Secrets { found, next }
            }
            other => other,
        })
    };
    assert_eq!(wrong(&api(), &running(), doomed), ["block: secret DB of app: cma/db will be deleted in 7 d"]);
}

#[test]
fn the_finding_names_the_first_block() {
    let all = judged(&api(), &running(), but("logs:DescribeLogGroups", FaultKind::NotFound));
    let finding = finding_of(&api(), &all).unwrap();
    assert_eq!((finding.rule, finding.severity), ("service.next-start", Severity::Warning));
    assert_eq!(
        finding.sentence,
        "The next task would not start, 1 check failed: log group of app: /ecs/app does not exist"
    );
    let short = Service { running: 1, ..api() };
    assert_eq!(finding_of(&short, &all).unwrap().severity, Severity::Critical);
}
