//! Causes that only several observations together tell.
//!
//! Must not take what came before for the cause: a deployment before an alarm is told as evidence, not as blame.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::diagnose::task::KEY_GONE;
use crate::diagnose::{Evidence, Finding, Subject};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::secret::Secret;
use crate::domain::secret::ValueFrom;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;

/// What begins so soon after a deployment may come from it.
const SOON: Duration = Duration::from_secs(30 * 60);

/// ECS's words before the name of a JSON key.
const NO_KEY: &str = "did not contain json key ";

/// Names the secret whose JSON key is gone: ECS tells the key alone, the task definition where it is read from.
pub(super) fn name_secret(
    mut finding: Finding,
    definition: Option<&TaskDefinition>,
    secrets: &[&Secret],
) -> Finding {
    let key = finding.evidence.iter().find_map(|evidence| {
        let (_, rest) = evidence.text.split_once(NO_KEY)?;
        rest.split_whitespace().next().map(|key| key.trim_end_matches(['.', ',', ':']).to_owned())
    });
    let Some((key, definition)) = key.zip(definition) else { return finding };
    let all = definition.containers.iter().flat_map(|container| &container.secrets);
    let sources = all.map(|reference| ValueFrom::parse(&reference.value_from));
    let ids: BTreeSet<&str> =
        sources.filter(|source| source.json_key == Some(key.as_str())).map(|source| source.id).collect();
    // Where several secrets have such a key, ECS does not tell which one lost it.
    let (Some(id), 1) = (ids.first(), ids.len()) else { return finding };
    let fallback = id.rsplit(':').next().unwrap_or(id);
    let named = secrets.iter().find(|secret| secret.is_named(id));
    let name = named.map_or(fallback, |secret| secret.id.name.as_str());
    finding.sentence = finding.sentence.replace(KEY_GONE, &format!("secret {name} has no JSON key {key}"));
    finding
}

/// Tells the deployment that ended shortly before an alarm of its service.
pub(super) fn deployed_before(
    mut finding: Finding,
    watched: &[Subject],
    services: &HashMap<&ServiceId, &Service>,
) -> Finding {
    let Some(since) = finding.since else { return finding };
    let own = watched.iter().filter_map(|subject| match subject {
        Subject::Service(id) => services.get(id),
        _ => None,
    });
    let told = own.filter_map(|service| {
        let deployed: Wall = service.primary()?.created_at?;
        let before = deployed.age_at(since);
        (deployed <= since && before < SOON).then(|| Evidence {
            at: Some(deployed),
            text: format!(
                "{} was deployed {} before it ({})",
                service.id.name,
                brief(before),
                service.primary().map_or_else(String::new, |primary| primary.revision.to_string())
            ),
        })
    });
    if let Some(evidence) = told.into_iter().next() {
        finding.evidence.insert(0, evidence);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Severity;
    use crate::diagnose::database::fixtures::service;
    use crate::diagnose::fixtures::definition;
    use crate::domain::ecs::{Deployment, Revision};
    use crate::domain::task_definition::SecretRef;

    const NOW: Wall = Wall(1_795_000_000_000);

    fn finding() -> Finding {
        let subject = Subject::Service(service("gateway", 2).id);
        Finding::new(
            subject,
            "service.stops",
            Severity::Critical,
            format!("8 tasks stopped in 9 min: {KEY_GONE}"),
        )
        .since(Some(NOW))
    }

    #[test]
    fn the_key_that_is_gone_leads_to_its_secret() {
        let gone = finding()
            .because(None, "asm: retrieved secret from Secrets Manager did not contain json key URL");
        let mut reads = definition("gateway:14");
        let value_from =
            "arn:aws:secretsmanager:eu-west-2:123456789012:secret:gateway/production-AbCdEf:URL::";
        let reference = SecretRef { name: "DATABASE_URL".into(), value_from: value_from.into() };
        reads.containers[0].secrets = vec![reference];
        let named = name_secret(gone.clone(), Some(&reads), &[]);
        assert_eq!(
            named.sentence,
            "8 tasks stopped in 9 min: secret gateway/production-AbCdEf has no JSON key URL"
        );
        let mut two = reads.clone();
        let other = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:gateway/redis-GhIjKl:URL::";
        two.containers[0].secrets.push(SecretRef { name: "REDIS_URL".into(), value_from: other.into() });
        assert_eq!(name_secret(gone.clone(), Some(&two), &[]), gone, "either may have lost it");
        assert_eq!(name_secret(gone.clone(), None, &[]), gone, "without the definition nothing is guessed");
        assert_eq!(name_secret(finding(), Some(&reads), &[]), finding(), "ECS said nothing of a key");
    }

    #[test]
    fn a_deployment_shortly_before_an_alarm_is_told() {
        let mut of = service("gateway", 2);
        let watched = [Subject::Service(of.id.clone())];
        let minutes = |minutes: u64| Some(NOW.minus(Duration::from_secs(minutes * 60)));
        let told =
            |of: &Service| deployed_before(finding(), &watched, &HashMap::from([(&of.id, of)])).evidence;
        of.deployments = vec![Deployment { created_at: minutes(9), ..primary() }];
        assert_eq!(told(&of).len(), 1);
        assert!(told(&of)[0].text.starts_with("gateway was deployed 9 min before it"), "{:?}", told(&of));
        of.deployments[0].created_at = minutes(45);
        assert_eq!(told(&of), []);
        of.deployments[0].created_at = Some(Wall(NOW.0 + 60_000));
        assert_eq!(told(&of), [], "what came after it did not cause it");
    }

    fn primary() -> Deployment {
        Deployment {
            id: "ecs-svc/2".into(),
            status: "PRIMARY".into(),
            revision: Revision { family: "gateway".into(), number: 42 },
            desired: 2,
            pending: 0,
            running: 2,
            failed_tasks: 0,
            rollout_state: Some("COMPLETED".into()),
            rollout_reason: None,
            created_at: None,
            updated_at: None,
        }
    }
}
