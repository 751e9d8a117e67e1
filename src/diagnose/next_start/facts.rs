//! What is known of the things that a start needs, gathered answer by answer.
//!
//! Must not turn a failed question into an absence: denied, unreachable and missing are three things.

use std::collections::BTreeMap;

use crate::domain::balancer::TargetGroup;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::log::LogGroup;
use crate::domain::query::{Answer, Query};
use crate::domain::registry::{ImageName, RegistryImage};
use crate::domain::role::Role;
use crate::domain::secret::{Secret, StoredParameter};

/// What is known of one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Learned<T> {
    /// It exists.
    Known(T),
    /// AWS says that it does not exist.
    Missing,
    /// AWS did not tell.
    Denied(Fault),
    /// Nobody asked.
    #[default]
    NotAsked,
}

impl<T> Learned<T> {
    /// From an outcome: a fault of the kind `NotFound` is an absence, any other is none.
    fn of(outcome: Result<Option<T>, &Fault>) -> Self {
        match outcome {
            Ok(Some(value)) => Self::Known(value),
            Ok(None) => Self::Missing,
            Err(fault) if fault.kind == FaultKind::NotFound => Self::Missing,
            Err(fault) => Self::Denied(fault.clone()),
        }
    }
}

/// What is known for the checks of one service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NextStartFacts {
    /// By image as `needed` asked for it, behind registry and region: two registries may hold one name.
    pub images: BTreeMap<String, Learned<RegistryImage>>,
    /// By the id in `valueFrom`.
    pub secrets: BTreeMap<String, Learned<Secret>>,
    /// By region: all of its parameters, once the last page was read.
    pub parameters: BTreeMap<String, Learned<Vec<StoredParameter>>>,
    /// By name, behind the region where it is asked for: `eu-west-2 /ecs/app`.
    pub log_groups: BTreeMap<String, Learned<LogGroup>>,
    /// By name.
    pub roles: BTreeMap<String, Learned<Role>>,
    /// By ARN.
    pub target_groups: BTreeMap<String, Learned<TargetGroup>>,
    /// Parameters of pages so far, by region.
    pages: BTreeMap<String, Vec<StoredParameter>>,
}

/// The key of an image in the facts.
pub(super) fn image_key(registry: &str, region: &str, repository: &str, name: &ImageName) -> String {
    format!("{registry} {region} {}", image_name(repository, name))
}

/// An image as people write it: `REPOSITORY@sha256:…` or `REPOSITORY:TAG`.
pub(super) fn image_name(repository: &str, name: &ImageName) -> String {
    match name {
        ImageName::Tag(tag) => format!("{repository}:{tag}"),
        ImageName::Digest(digest) => format!("{repository}@{digest}"),
    }
}

/// The key of a log group in the facts.
pub(super) fn log_key(region: &str, group: &str) -> String {
    format!("{region} {group}")
}

impl NextStartFacts {
    /// Takes the outcome of a question that `needed` or this function asked for, and says what to ask next
    /// (further pages).
    pub fn absorb(&mut self, query: &Query, outcome: &Result<Answer, Fault>) -> Vec<Query> {
        match query {
            Query::DescribeImages { scope, registry, repository, images } => {
                let registry = registry.as_deref().unwrap_or_default();
                for name in images {
                    let found = outcome.as_ref().map(|answer| match answer {
                        Answer::Images { found } => found.iter().find(|image| is_named(image, name)).cloned(),
                        _ => None,
                    });
                    let key = image_key(registry, scope.region.as_str(), repository, name);
                    self.images.insert(key, Learned::of(found));
                }
            }
            Query::DescribeSecret { secret, .. } => {
                let found = outcome.as_ref().map(|answer| match answer {
                    Answer::Secrets { found, .. } => found.first().cloned(),
                    _ => None,
                });
                self.secrets.insert(secret.clone(), Learned::of(found));
            }
            Query::GetRole { role, .. } => {
                let found = outcome.as_ref().map(|answer| match answer {
                    Answer::Role(role) => Some((**role).clone()),
                    _ => None,
                });
                self.roles.insert(role.clone(), Learned::of(found));
            }
            Query::DescribeTargetGroups { arns, .. } => {
                for arn in arns {
                    let found = outcome.as_ref().map(|answer| match answer {
                        Answer::TargetGroups { found } => {
                            found.iter().find(|group| group.arn == *arn).cloned()
                        }
                        _ => None,
                    });
                    self.target_groups.insert(arn.clone(), Learned::of(found));
                }
            }
            Query::DescribeLogGroups { scope, prefix: Some(name), .. } => {
                let key = log_key(scope.region.as_str(), name);
                let found = outcome.as_ref().map(|answer| match answer {
                    Answer::LogGroups { found, .. } => {
                        found.iter().find(|group| group.id.name == *name).cloned()
                    }
                    _ => None,
                });
                let learned = Learned::of(found);
                // Names that begin so may fill pages before the wanted one.
                if learned == Learned::Missing
                    && let Some(next) = further(query, outcome)
                {
                    return vec![next];
                }
                self.log_groups.insert(key, learned);
            }
            Query::DescribeParameters { scope, .. } => {
                let region = scope.region.to_string();
                match outcome {
                    Ok(Answer::Parameters { found, .. }) => {
                        self.pages.entry(region.clone()).or_default().extend(found.iter().cloned());
                        if let Some(next) = further(query, outcome) {
                            return vec![next];
                        }
                        let all = self.pages.remove(&region).unwrap_or_default();
                        self.parameters.insert(region, Learned::Known(all));
                    }
                    Ok(_) => {}
                    Err(fault) => {
                        self.parameters.insert(region, Learned::Denied(fault.clone()));
                    }
                }
            }
            _ => {}
        }
        Vec::new()
    }
}

fn further(query: &Query, outcome: &Result<Answer, Fault>) -> Option<Query> {
    let token = outcome.as_ref().ok()?.next()?;
    // A token that repeats would never end.
    let next = query.turned_to(token.clone())?;
    (next != *query).then_some(next)
}

fn is_named(image: &RegistryImage, name: &ImageName) -> bool {
    match name {
        ImageName::Tag(tag) => image.tags.contains(tag),
        ImageName::Digest(digest) => image.digest == *digest,
    }
}
