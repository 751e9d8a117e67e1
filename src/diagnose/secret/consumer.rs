//! Who reads a secret or a parameter: by `valueFrom` at start, or by its name in `environment` at run time.
//!
//! Must not show a value of `environment`: it is compared with names and ARNs, never copied.

use serde::Serialize;

use crate::domain::ecs::ServiceId;
use crate::domain::scope::Arn;
use crate::domain::secret::{Secret, StoredParameter};
use crate::domain::task_definition::TaskDefinition;

/// A container that reads a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Consumer {
    /// The service.
    pub service: ServiceId,
    /// The container.
    pub container: String,
    /// The environment variable that carries the value, or the name.
    pub variable: String,
    /// How it reads it.
    #[serde(flatten)]
    pub how: How,
}

/// How a container reads a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum How {
    /// ECS reads it when the task starts.
    ValueFrom {
        /// The JSON key, when not the whole value.
        json_key: Option<String>,
        /// The stage, when not `AWSCURRENT`.
        stage: Option<String>,
        /// The version it is pinned to.
        version: Option<String>,
    },
    /// The program knows its name or ARN and reads it when it likes: the age of what it holds is not known.
    ByName,
}

/// A `valueFrom` taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueFrom<'a> {
    /// The secret's ARN, or the parameter's name or ARN.
    pub id: &'a str,
    /// Whether it is of Secrets Manager.
    pub secret: bool,
    /// The JSON key.
    pub json_key: Option<&'a str>,
    /// The stage.
    pub stage: Option<&'a str>,
    /// The version.
    pub version: Option<&'a str>,
}

impl<'a> ValueFrom<'a> {
    /// Takes one apart. A secret's ARN has seven parts; what follows is JSON key, stage and version.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let whole = Self { id: text, secret: false, json_key: None, stage: None, version: None };
        if Arn::parse(text).is_none_or(|arn| arn.service != "secretsmanager") {
            return whole;
        }
        let Some((at, _)) = text.match_indices(':').nth(6) else { return Self { secret: true, ..whole } };
        let (id, rest) = text.split_at(at);
        let mut parts = rest.split(':').skip(1).map(|part| Some(part).filter(|part| !part.is_empty()));
        let mut next = || parts.next().flatten();
        Self { id, secret: true, json_key: next(), stage: next(), version: next() }
    }

    fn how(&self) -> How {
        let own = |part: Option<&str>| part.map(str::to_owned);
        How::ValueFrom { json_key: own(self.json_key), stage: own(self.stage), version: own(self.version) }
    }
}

/// The containers that read a secret, by service, container and variable.
#[must_use]
pub fn consumers<'a>(
    secret: &Secret,
    definitions: impl IntoIterator<Item = (&'a ServiceId, &'a TaskDefinition)>,
) -> Vec<Consumer> {
    let injects = |value: &ValueFrom<'_>| value.secret && secret.is_named(value.id);
    // In `environment` an ARN may carry a JSON key as well.
    search(definitions, &secret.id.scope.region, injects, |value| {
        secret.is_named(value) || injects(&ValueFrom::parse(value))
    })
}

/// The containers that read a parameter, by service, container and variable.
#[must_use]
pub fn parameter_consumers<'a>(
    parameter: &StoredParameter,
    definitions: impl IntoIterator<Item = (&'a ServiceId, &'a TaskDefinition)>,
) -> Vec<Consumer> {
    let means = |text: &str| text == parameter.name || parameter.arn.as_deref() == Some(text);
    search(
        definitions,
        &parameter.scope.region,
        |value| !value.secret && means(value.id),
        |value| {
            // A short plain word is too likely to be something else than a parameter's name.
            means(value) && (value.contains('/') || value.starts_with("arn:"))
        },
    )
}

fn search<'a>(
    definitions: impl IntoIterator<Item = (&'a ServiceId, &'a TaskDefinition)>,
    region: &crate::domain::scope::Region,
    injects: impl Fn(&ValueFrom<'_>) -> bool,
    names: impl Fn(&str) -> bool,
) -> Vec<Consumer> {
    let mut found = Vec::new();
    for (service, definition) in definitions {
        for container in &definition.containers {
            let mut add = |variable: &str, how: How| {
                found.push(Consumer {
                    service: service.clone(),
                    container: container.name.clone(),
                    variable: variable.to_owned(),
                    how,
                });
            };
            for reference in &container.secrets {
                let value = ValueFrom::parse(&reference.value_from);
                // A plain name means one in the service's own region.
                let here = value.id.starts_with("arn:") || service.scope.region == *region;
                if here && injects(&value) {
                    add(&reference.name, value.how());
                }
            }
            for (variable, value) in &container.environment {
                let here = value.starts_with("arn:") || service.scope.region == *region;
                if here && names(value.trim()) {
                    add(variable, How::ByName);
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
