//! Who reads a secret or a parameter: by `valueFrom` at start, or by its name in `environment` at run time.
//!
//! Must not show a value of `environment`: it is compared with names and ARNs, never copied.

use serde::Serialize;

use crate::domain::ecs::ServiceId;
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
        Self { id: text, secret: false, json_key: None, stage: None, version: None }
    }
}

/// The containers that read a secret, by service, container and variable.
#[must_use]
pub fn consumers<'a>(
    secret: &Secret,
    definitions: impl IntoIterator<Item = (&'a ServiceId, &'a TaskDefinition)>,
) -> Vec<Consumer> {
    let _ = (secret, definitions);
    Vec::new()
}

/// The containers that read a parameter, by service, container and variable.
#[must_use]
pub fn parameter_consumers<'a>(
    parameter: &StoredParameter,
    definitions: impl IntoIterator<Item = (&'a ServiceId, &'a TaskDefinition)>,
) -> Vec<Consumer> {
    let _ = (parameter, definitions);
    Vec::new()
}
