//! What a task needs before its first container runs: secrets and parameters, a log group, an execution role.
//!
//! Must not fetch anything: whether a thing is there decides, and AWS's own words say that it is not.

use std::sync::Arc;

use serde_json::Value;

use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::sim::world::definition::{Source, TaskDefinition};
use crate::sim::world::task::TaskId;

/// What stands before the reason when a secret cannot be had. Seen in stopped tasks of platform 1.4.
const PULL: &str = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ";

/// What a revision refers to.
struct Needs {
    /// `valueFrom` of each secret of each container.
    secrets: Vec<String>,
    /// Log groups that are not created on demand.
    groups: Vec<String>,
    /// Name of the execution role, when it has one.
    role: Option<String>,
}

impl World {
    /// Why a task cannot be initialised, as `stoppedReason` says it; `None` when nothing is in its way.
    pub(crate) fn obstacle(&self, id: TaskId) -> Option<String> {
        let task = self.tasks.get(&id)?;
        let region = &self.region_of(task)?;
        let definition = self.definition(region, &task.definition.0, task.definition.1)?;
        let needs = needs(&definition);
        needs
            .secrets
            .iter()
            .find_map(|reference| self.secret_problem(region, reference))
            .map(|problem| format!("{PULL}{problem}"))
            .or_else(|| {
                let gone = needs.groups.iter().any(|group| !self.has_log_group(region, group));
                gone.then(|| {
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: \
                     failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not \
                     exist. : exit status 1"
                        .to_owned()
                })
            })
    }

    /// What the scheduler says when it cannot assume the role that its tasks need; no task comes to be then.
    pub(crate) fn role_missing(&self, service: usize) -> Option<String> {
        if self.deleted_roles.is_empty() {
            return None;
        }
        let found = self.services.get(service)?;
        let (family, revision) = &found.primary()?.definition;
        let definition = self.definition(&found.region, family, *revision)?;
        Some(format!("failed to launch a task with (error {}).", self.unassumable(&definition)?))
    }

    /// What AWS says when it cannot assume the role that a task definition names.
    pub(crate) fn unassumable(&self, definition: &Arc<TaskDefinition>) -> Option<String> {
        let role = needs(definition).role?;
        self.deleted_roles.contains(&role).then(|| {
            format!(
                "ECS was unable to assume the role 'arn:aws:iam::{ACCOUNT}:role/{role}' that was provided for this task. Please \
                 verify that the role being passed has the proper trust relationship and permissions and that your IAM user has \
                 permissions to pass this role."
            )
        })
    }

    /// Whether a log group is there.
    pub(crate) fn has_log_group(&self, region: &str, name: &str) -> bool {
        let mut stacks = self.stacks.iter().filter(|stack| stack.region == region);
        stacks.any(|stack| stack.log_groups.iter().any(|group| group.name == name))
            && !self.deleted_groups.contains(&(region.to_owned(), name.to_owned()))
    }

    fn secret_problem(&self, region: &str, reference: &str) -> Option<String> {
        if let Some(name) = parameter_name(reference) {
            let missing = self.vault.parameter(region, &name).is_none();
            return missing.then(|| {
                format!(
                    "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: {}",
                    name.trim_start_matches('/')
                )
            });
        }
        let parts: Vec<&str> = reference.splitn(10, ':').collect();
        let part = |place: usize| parts.get(place).copied().filter(|part| !part.is_empty());
        let (id, key, stage, version) = (parts.get(..7)?.join(":"), part(7), part(8), part(9));
        let asm = "unable to retrieve secret from asm: service call has been retried 1 time(s): ";
        let Some(secret) = self.vault.find(region, &id) else {
            return Some(format!(
                "{asm}failed to fetch secret {id} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the \
                 specified secret."
            ));
        };
        if secret.deleted_at.is_some() {
            return Some(format!(
                "{asm}failed to fetch secret {id} from secrets manager: InvalidRequestException: You can't perform this operation \
                 on the secret because it was marked for deletion."
            ));
        }
        let wanted = stage.unwrap_or("AWSCURRENT");
        let staged = secret.versions.iter().any(|known| match version {
            Some(version) => known.id == version,
            None => known.filled && known.stages.iter().any(|stage| stage == wanted),
        });
        if !staged {
            return Some(format!(
                "{asm}failed to fetch secret {id} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the \
                 specified secret value for {}",
                version.map_or_else(
                    || format!("staging label: {wanted}"),
                    |version| format!("VersionId: {version}")
                )
            ));
        }
        let key = key.filter(|key| !secret.keys.iter().any(|known| known == key))?;
        Some(format!("{asm}retrieved secret from Secrets Manager did not contain json key {key}"))
    }
}

/// The name of the SSM parameter that a `valueFrom` means: AWS takes a bare name of the same region too.
fn parameter_name(reference: &str) -> Option<String> {
    if !reference.starts_with("arn:") {
        return Some(reference.to_owned());
    }
    let (_, name) = reference.starts_with("arn:aws:ssm:").then(|| reference.split_once(":parameter/"))??;
    Some(if name.contains('/') { format!("/{name}") } else { name.to_owned() })
}

fn needs(definition: &Arc<TaskDefinition>) -> Needs {
    match &definition.source {
        Source::Stack(stack, revision) => Needs {
            secrets: revision
                .containers
                .iter()
                .flat_map(|container| container.secrets.values())
                .map(|reference| stack.value_from(reference))
                .collect(),
            groups: revision.containers.iter().map(|container| container.log.group.clone()).collect(),
            role: Some(revision.execution_role.clone()),
        },
        Source::Request(request) => of_request(request),
    }
}

fn of_request(request: &Value) -> Needs {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut needs = Needs {
        secrets: Vec::new(),
        groups: Vec::new(),
        role: text(request, "executionRoleArn")
            .map(|arn| arn.rsplit('/').next().unwrap_or_default().to_owned()),
    };
    let list =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for container in list(request, "containerDefinitions") {
        needs
            .secrets
            .extend(list(&container, "secrets").iter().filter_map(|secret| text(secret, "valueFrom")));
        let Some(log) = container.get("logConfiguration") else { continue };
        let options = log.get("options").cloned().unwrap_or_default();
        let created = text(&options, "awslogs-create-group").as_deref() == Some("true");
        if text(log, "logDriver").as_deref() == Some("awslogs") && !created {
            needs.groups.extend(text(&options, "awslogs-group"));
        }
    }
    needs
}
