//! What CloudTrail knew when the world opened: a day of deployments, scalings and secrets that changed.
//!
//! Must not tell anything that the rest of the past does not: each event follows from a record of the stack.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Actor, Deed};
use crate::sim::stack::{ACCOUNT, DeployHabit, Stack};
use crate::sim::world::World;
use crate::sim::world::image;
use crate::stdx::clock::Wall;

/// How far back it reaches: LookupEvents keeps 90 days, and nobody pages through them in a demonstration.
const FAR: Duration = Duration::from_secs(86_400);

/// One release, as its people make it.
pub(crate) struct Release<'a> {
    /// When the service was updated.
    pub at: Wall,
    /// Who.
    pub by: Actor,
    /// Tag of the image.
    pub build: &'a str,
    /// Whether the image was pushed.
    pub pushed: bool,
    /// Family and revision that was deployed.
    pub definition: (Arc<str>, u32),
    /// How new images reach the service.
    pub habit: DeployHabit,
}

impl World {
    /// Tells of everything that the stacks say of the last day.
    pub(crate) fn tell_past(&mut self) {
        let opened = self.opened;
        for service in 0..self.services.len() {
            let Some(found) = self.services.get(service) else { continue };
            let (stack, origin) = (Arc::clone(&found.stack), found.origin);
            let Some(spec) = stack.services.get(origin) else { continue };
            for past in spec.deployments.iter().filter(|past| past.age.0 < FAR) {
                let release = Release {
                    at: opened.minus(past.age.0),
                    by: self.pipeline(&stack.name),
                    build: &past.build,
                    pushed: true,
                    definition: (Arc::from(spec.task_definition.as_str()), past.revision),
                    habit: spec.habit,
                };
                self.tell_release(service, &release);
            }
            for scaling in spec.scalings.iter().filter(|scaling| scaling.age.0 < FAR) {
                self.tell_scaling(service, opened.minus(scaling.age.0), scaling.to);
            }
        }
        for stack in self.stacks.clone() {
            self.tell_secrets(&stack);
        }
    }

    /// A push, a new revision where the habit is one, and the service's update.
    pub(crate) fn tell_release(&mut self, service: usize, release: &Release<'_>) {
        let Some(found) = self.services.get(service) else { return };
        let (region, arn) = (found.region.to_string(), found.arn());
        let (cluster, name) = (found.cluster.to_string(), found.name.to_string());
        let (family, revision) = &release.definition;
        let definition_arn = format!("arn:aws:ecs:{region}:{ACCOUNT}:task-definition/{family}:{revision}");
        let Some(definition) = self.definition(&region, family, *revision) else { return };
        let repository = definition
            .containers
            .first()
            .map(|container| {
                image::repository(&container.image).rsplit('/').next().unwrap_or_default().to_owned()
            })
            .unwrap_or_default();
        let deed = |before: u64, source: &str, what: &str| {
            Deed::new(
                release.at.minus(Duration::from_secs(before)),
                &region,
                source,
                what,
                release.by.clone(),
            )
        };
        if release.pushed {
            let tags: &[&str] = match release.habit {
                DeployHabit::LatestByForce => &["latest"],
                DeployHabit::NewTag => &[release.build],
                DeployHabit::LatestAndSha => &[release.build, "latest"],
            };
            for tag in tags {
                self.trail.tell(Deed {
                    resources: vec![(
                        "AWS::ECR::Repository".to_owned(),
                        format!("arn:aws:ecr:{region}:{ACCOUNT}:repository/{repository}"),
                    )],
                    request: json!({ "repositoryName": repository, "imageTag": tag, "registryId": ACCOUNT }),
                    ..deed(41, "ecr", "PutImage")
                });
            }
        }
        let registered = release.habit == DeployHabit::NewTag || !release.pushed;
        if registered {
            self.trail.tell(Deed {
                resources: vec![("AWS::ECS::TaskDefinition".to_owned(), definition_arn.clone())],
                request: json!({
                    "family": &**family,
                    "cpu": definition.cpu,
                    "memory": definition.memory,
                    "containerDefinitions": definition
                        .containers
                        .iter()
                        .map(|container| json!({ "name": container.name, "image": container.image }))
                        .collect::<Vec<_>>(),
                }),
                response: json!({ "taskDefinition": { "taskDefinitionArn": definition_arn, "revision": revision } }),
                ..deed(6, "ecs", "RegisterTaskDefinition")
            });
        }
        let mut request = json!({ "cluster": cluster, "service": name });
        if let Some(object) = request.as_object_mut() {
            if registered {
                object.insert("taskDefinition".to_owned(), definition_arn.clone().into());
            } else {
                object.insert("forceNewDeployment".to_owned(), true.into());
            }
        }
        self.trail.tell(Deed {
            resources: vec![("AWS::ECS::Service".to_owned(), arn.clone())],
            request,
            response: json!({ "service": { "serviceArn": arn, "taskDefinition": definition_arn } }),
            ..deed(0, "ecs", "UpdateService")
        });
    }

    fn tell_secrets(&mut self, stack: &Stack) {
        let opened = self.opened;
        let recent = |at: &Wall| at.age_at(opened) < FAR && *at <= opened;
        for spec in &stack.secrets {
            let Some(secret) = self.vault.find(&stack.region, &spec.name) else { continue };
            let resources = vec![("AWS::SecretsManager::Secret".to_owned(), secret.arn.clone())];
            let (region, arn) = (secret.region.clone(), secret.arn.clone());
            let deed = |at: Wall, name: &str, by: Actor| Deed {
                resources: resources.clone(),
                ..Deed::new(at, &region, "secretsmanager", name, by)
            };
            let (rotated, changed) =
                (secret.rotated_at.filter(recent), Some(secret.changed_at).filter(recent));
            let function =
                secret.lambda.as_deref().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
            let version = secret.staged("AWSCURRENT").map(|version| version.id.clone()).unwrap_or_default();
            let told: Vec<Deed> = match (rotated, changed) {
                (Some(at), _) => {
                    let manager = || Actor::Service("secretsmanager.amazonaws.com".to_owned());
                    let details = json!({ "additionalEventData": { "SecretId": arn } });
                    let function =
                        Actor::Session { role: format!("{function}-role"), session: function.to_owned() };
                    vec![
                        Deed {
                            details: details.clone(),
                            ..deed(at.minus(Duration::from_secs(14)), "RotationStarted", manager())
                        },
                        Deed {
                            request: json!({ "secretId": arn, "clientRequestToken": version, "versionStages": ["AWSPENDING"] }),
                            ..deed(at.minus(Duration::from_secs(11)), "PutSecretValue", function.clone())
                        },
                        Deed {
                            request: json!({ "secretId": arn, "versionStage": "AWSCURRENT", "moveToVersionId": version }),
                            ..deed(at.minus(Duration::from_secs(1)), "UpdateSecretVersionStage", function)
                        },
                        Deed { details, ..deed(at, "RotationSucceeded", manager()) },
                    ]
                }
                (None, Some(at)) => vec![Deed {
                    request: json!({ "secretId": spec.name, "clientRequestToken": version }),
                    ..deed(at, "PutSecretValue", Self::person("maria.k"))
                }],
                (None, None) => Vec::new(),
            };
            for deed in told {
                self.trail.tell(deed);
            }
        }
        for parameter in stack.parameters.iter().filter(|parameter| parameter.changed.0 < FAR) {
            let by = Self::person(parameter.by.as_deref().unwrap_or("maria.k"));
            self.trail.tell(Deed {
                resources: vec![(
                    "AWS::SSM::Parameter".to_owned(),
                    stack.value_from(&format!("ssm:{}", parameter.name)),
                )],
                request: json!({ "name": parameter.name, "type": parameter.kind.as_str(), "overwrite": true }),
                response: json!({ "version": parameter.version, "tier": "Standard" }),
                ..Deed::new(opened.minus(parameter.changed.0), &stack.region, "ssm", "PutParameter", by)
            });
        }
    }
}
