//! Secrets through their rotation, and who reads them.

use super::super::database::fixtures::scope;
use super::super::fixtures::{definition, task};
use super::*;
use crate::domain::secret::{SecretId, SecretVersion, StoredParameter, ValueFrom};
use crate::domain::task_definition::{SecretRef, TaskDefinition};

const NOW: Wall = Wall(1_795_000_000_000);
const MINUTE: u64 = 60;

fn ago(minutes: u64) -> Option<Wall> {
    Some(NOW.minus(Duration::from_secs(minutes * MINUTE)))
}

fn ahead(minutes: u64) -> Option<Wall> {
    Some(NOW.plus(Duration::from_secs(minutes * MINUTE)))
}

fn version(id: &str, stages: &[&str]) -> SecretVersion {
    SecretVersion { id: id.into(), stages: stages.iter().map(|stage| (*stage).into()).collect() }
}

const ARN: &str = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:cma/production/database-AbCdEf";

pub(in crate::diagnose) fn secret() -> Secret {
    Secret {
        id: SecretId { scope: scope(), name: "cma/production/database".into() },
        arn: ARN.into(),
        description: None,
        rotation_enabled: true,
        rotation_lambda: Some("arn:aws:lambda:eu-west-2:123456789012:function:rotate-db".into()),
        rotation_rules: None,
        last_rotated: ago(5 * 1_440),
        next_rotation: ahead(1_440),
        last_changed: ago(5 * 1_440),
        last_accessed: None,
        deleted_at: None,
        owning_service: None,
        primary_region: None,
        versions: vec![version("v2", &["AWSCURRENT"]), version("v1", &["AWSPREVIOUS"])],
        replicas: Vec::new(),
        kms_key: None,
        created_at: None,
        tags: Vec::new(),
    }
}

fn rotating(minutes: u64) -> Secret {
    let versions = vec![version("v2", &["AWSCURRENT"]), version("v3", &["AWSPENDING"])];
    Secret { versions, last_changed: ago(minutes), ..secret() }
}

#[test]
fn a_rotation_stands_where_its_stages_say() {
    let at = |secret: &Secret| rotation(secret, NOW);
    assert_eq!(at(&secret()), Rotation::Healthy);
    assert_eq!(at(&Secret { rotation_enabled: false, ..secret() }), Rotation::NotConfigured);
    // AWSPENDING left on the current version is how a rotation that ended looks.
    let ended = vec![version("v3", &["AWSCURRENT", "AWSPENDING"])];
    assert_eq!(at(&Secret { versions: ended, ..secret() }), Rotation::Healthy);
    assert_eq!(at(&rotating(29)), Rotation::InProgress { since: ago(29) });
    assert_eq!(at(&rotating(31)), Rotation::Stuck { since: ago(31).unwrap() });
    assert_eq!(at(&Secret { last_changed: None, ..rotating(0) }), Rotation::InProgress { since: None });
    let late = Secret { next_rotation: ago(120), ..secret() };
    assert_eq!(at(&late), Rotation::Overdue { by: Duration::from_secs(7_200) });
    assert_eq!(at(&Secret { next_rotation: ago(5), ..secret() }), Rotation::Healthy);
    assert_eq!(at(&Secret { rotation_enabled: false, ..late }), Rotation::NotConfigured);
    let deleted = Secret { deleted_at: ago(60), ..rotating(90) };
    assert_eq!(at(&deleted), Rotation::ScheduledForDeletion { at: ago(60).unwrap() });
    let managed = Secret { owning_service: Some("rds".into()), ..secret() };
    assert_eq!(at(&managed), Rotation::ManagedBy { service: "rds".into() });
    let replica = Secret { primary_region: Some("us-east-1".into()), ..secret() };
    assert_eq!(at(&replica), Rotation::Replica { primary: "us-east-1".into() });
    assert_eq!(at(&Secret { primary_region: Some("eu-west-2".into()), ..secret() }), Rotation::Healthy);
}

fn reads(
    service: &str,
    secrets: &[(&str, &str)],
    environment: &[(&str, &str)],
) -> (ServiceId, TaskDefinition) {
    let mut definition = definition(service);
    let container = &mut definition.containers[0];
    let reference =
        |(name, from): &(&str, &str)| SecretRef { name: (*name).into(), value_from: (*from).into() };
    container.secrets = secrets.iter().map(reference).collect();
    container.environment = environment.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    (ServiceId { scope: scope(), cluster: "cma-production".into(), name: service.into() }, definition)
}

fn found(secret: &Secret, definitions: &[(ServiceId, TaskDefinition)]) -> Vec<(String, String, How)> {
    let consumers = consumers(secret, definitions.iter().map(|(id, definition)| (id, definition)));
    consumers.into_iter().map(|c| (c.service.name, c.variable, c.how)).collect()
}

fn value_from(json_key: Option<&str>, stage: Option<&str>, version: Option<&str>) -> How {
    let own = |part: Option<&str>| part.map(str::to_owned);
    How::ValueFrom { json_key: own(json_key), stage: own(stage), version: own(version) }
}

#[test]
fn a_log_driver_and_a_registry_read_secrets_too() {
    let (service, mut definition) = reads("api", &[], &[]);
    let container = &mut definition.containers[0];
    let token = SecretRef { name: "splunk-token".into(), value_from: ARN.into() };
    container.log.as_mut().unwrap().secrets = vec![token];
    container.registry_credentials = Some(ARN.into());
    assert_eq!(
        found(&secret(), &[(service, definition)]),
        [
            ("api".into(), "repositoryCredentials".into(), value_from(None, None, None)),
            ("api".into(), "splunk-token".into(), value_from(None, None, None)),
        ]
    );
}

#[test]
fn consumers_are_found_by_arn_with_or_without_its_suffix_and_by_name() {
    let key = format!("{ARN}:password::");
    let pinned = format!("{ARN}:::v1");
    let bare = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:cma/production/database";
    let longer =
        "arn:aws:secretsmanager:eu-west-2:123456789012:secret:cma/production/database-replica-AbCdEf";
    let definitions = [
        reads("api", &[("DB_PASSWORD", &key), ("OTHER", longer)], &[]),
        reads("job", &[("DB", bare), ("OLD", &pinned)], &[]),
        reads("web", &[], &[("SECRET_NAME", "cma/production/database"), ("SECRET_ARN", ARN), ("X", "cma")]),
    ];
    assert_eq!(
        found(&secret(), &definitions),
        [
            ("api".into(), "DB_PASSWORD".into(), value_from(Some("password"), None, None)),
            ("job".into(), "DB".into(), value_from(None, None, None)),
            ("job".into(), "OLD".into(), value_from(None, None, Some("v1"))),
            ("web".into(), "SECRET_ARN".into(), How::ByName),
            ("web".into(), "SECRET_NAME".into(), How::ByName),
        ]
    );
    // The same name in another region is another secret.
    let far = SecretId { scope: crate::domain::scope::Scope::new("default", "us-east-1"), ..secret().id };
    let far = Secret { id: far, arn: ARN.replace("eu-west-2", "us-east-1"), ..secret() };
    assert_eq!(found(&far, &definitions), []);
}

#[test]
fn parameters_are_found_by_name_and_arn() {
    let parameter = StoredParameter {
        scope: scope(),
        name: "/cma/log-level".into(),
        arn: Some("arn:aws:ssm:eu-west-2:123456789012:parameter/cma/log-level".into()),
        kind: "String".into(),
        version: 3,
        tier: None,
        modified_at: None,
        modified_by: None,
        description: None,
    };
    let arn = parameter.arn.clone().unwrap();
    let definitions = [
        reads("api", &[("LEVEL", "/cma/log-level"), ("ARN", &arn)], &[]),
        reads("web", &[("X", "/cma/log")], &[("NAME", "/cma/log-level")]),
    ];
    let found = parameter_consumers(&parameter, definitions.iter().map(|(id, definition)| (id, definition)));
    let found: Vec<_> = found.iter().map(|c| (c.service.name.as_str(), c.variable.as_str())).collect();
    assert_eq!(found, [("api", "ARN"), ("api", "LEVEL"), ("web", "NAME")]);
}

#[test]
fn a_value_from_is_taken_apart_at_its_seventh_colon() {
    let all = format!("{ARN}:key:AWSPREVIOUS:");
    let parsed = ValueFrom::parse(&all);
    assert_eq!(
        (parsed.id, parsed.json_key, parsed.stage, parsed.version),
        (ARN, Some("key"), Some("AWSPREVIOUS"), None)
    );
    assert_eq!(ValueFrom::parse(ARN).id, ARN);
    let parameter = ValueFrom::parse("/cma/log-level");
    assert!(!parameter.secret && parameter.id == "/cma/log-level");
}

#[test]
fn tasks_from_before_a_rotation_hold_the_old_value() {
    assert!(holds_old_value(ago(10), ago(5)) && !holds_old_value(ago(5), ago(10)));
    assert!(!holds_old_value(None, ago(5)) && !holds_old_value(ago(5), None));
    let rotated = Secret { last_rotated: ago(20), last_changed: ago(20), ..secret() };
    let api = reads("api", &[("DB", ARN)], &[]);
    let web = reads("web", &[], &[("NAME", "cma/production/database")]);
    let consumers = consumers(&rotated, [(&api.0, &api.1), (&web.0, &web.1)]);
    let tasks = [task("api", "old", ago(300)), task("api", "new", ago(3)), task("web", "w", ago(300))];
    let found = secret_findings(&rotated, &consumers, &tasks, NOW);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule, found[0].severity), ("secret.old-value", Severity::Warning));
    assert_eq!(found[0].sentence, "1 task still holds the value from before the rotation 20 min ago: api");
    // While a rotation is under way the current value is the one from before it.
    let during = Secret { last_rotated: ago(5 * 1_440), ..rotating(3) };
    assert_eq!(tasks_with_old_value(&during, &consumers, &tasks).len(), 0);
}

#[test]
fn what_is_wrong_with_a_secret_is_told() {
    let told = |secret: &Secret, consumers: &[Consumer]| {
        let found = secret_findings(secret, consumers, [], NOW);
        found.into_iter().map(|f| (f.severity, f.sentence)).collect::<Vec<_>>()
    };
    assert_eq!(told(&secret(), &[]), []);
    assert_eq!(
        told(&rotating(45), &[]),
        [(Severity::Critical, "Rotation stuck for 45 min: AWSPENDING did not become AWSCURRENT".into())]
    );
    let stuck = secret_findings(&rotating(45), &[], [], NOW);
    assert_eq!(stuck[0].next.as_deref(), Some("Read the logs of /aws/lambda/rotate-db"));
    assert_eq!(told(&rotating(4), &[]), [(Severity::Progress, "Rotates for 4 min".into())]);
    let late = Secret { next_rotation: ago(2 * 1_440), ..secret() };
    assert_eq!(told(&late, &[]), [(Severity::Warning, "Rotation overdue by 2 d".into())]);
    let deleted = Secret { deleted_at: ago(180), ..secret() };
    assert_eq!(told(&deleted, &[]), []);
    let api = reads("api", &[("DB", ARN)], &[]);
    let users = consumers(&deleted, [(&api.0, &api.1)]);
    assert_eq!(
        told(&deleted, &users),
        [(Severity::Critical, "Deletion was asked for 3 h ago, but 1 service reads it".into())]
    );
    let failed = vec![("us-east-1".into(), "Failed".into(), Some("no access to the key".into()))];
    assert_eq!(
        told(&Secret { replicas: failed, ..secret() }, &[]),
        [(Severity::Warning, "Its replica in us-east-1 failed: no access to the key".into())]
    );
}
