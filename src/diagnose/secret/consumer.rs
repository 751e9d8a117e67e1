//! Who reads a secret or a parameter: by `valueFrom` at start, or by its name in `environment` at run time.
//!
//! Must not show a value of `environment`: it is compared with names and ARNs, never copied.

use serde::Serialize;

use crate::domain::ecs::ServiceId;
use crate::domain::secret::{Secret, StoredParameter, ValueFrom};
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

fn how(value: &ValueFrom<'_>) -> How {
    let own = |part: Option<&str>| part.map(str::to_owned);
    How::ValueFrom { json_key: own(value.json_key), stage: own(value.stage), version: own(value.version) }
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
            for reference in container.references() {
                let value = ValueFrom::parse(reference.value_from);
                // A plain name means one in the service's own region.
                let here = value.id.starts_with("arn:") || service.scope.region == *region;
                if here && injects(&value) {
                    add(reference.name, how(&value));
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
