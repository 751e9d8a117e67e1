//! Secrets and parameters of a stack: when they changed, how they rotate, where they are copied to.
//!
//! Must not hold values: none exists here, only the names of the keys inside.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Span;

/// A secret in Secrets Manager.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Name; may contain `/`.
    pub name: String,
    /// The six characters that AWS appends in the ARN; left out where the document refers to the secret by
    /// its partial ARN.
    #[serde(default)]
    pub suffix: Option<String>,
    /// Keys inside, when it is a JSON object.
    #[serde(default)]
    pub keys: Vec<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// KMS key, when it is not the account's `aws/secretsmanager`.
    #[serde(default)]
    pub kms: Option<String>,
    /// How long it has existed.
    #[serde(default = "super::a_year")]
    pub age: Span,
    /// How long ago it changed last; when it was created, if left out.
    #[serde(default)]
    pub changed: Option<Span>,
    /// How long ago a value was read last; never, if left out. AWS keeps the day alone.
    #[serde(default)]
    pub accessed: Option<Span>,
    /// How it rotates, if it does.
    #[serde(default)]
    pub rotation: Option<Rotation>,
    /// Its versions, newest first; without any, the one that was made at its last change is AWSCURRENT, and
    /// the one before it AWSPREVIOUS.
    #[serde(default)]
    pub versions: Vec<SecretVersion>,
    /// Copies in other regions.
    #[serde(default)]
    pub replicas: Vec<Replica>,
    /// The region of the original, when this is a copy.
    #[serde(default)]
    pub primary_region: Option<String>,
    /// The AWS service that manages it, such as `rds`.
    #[serde(default)]
    pub owning_service: Option<String>,
    /// In how long it will be deleted, when that is scheduled.
    #[serde(default)]
    pub deleted_in: Option<Span>,
    /// Tags beside the stack's.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Automatic rotation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Days between two rotations.
    pub days: u32,
    /// Name of the Lambda function; left out for what a service manages.
    #[serde(default)]
    pub lambda: Option<String>,
    /// How long ago it rotated last, if it ever did.
    #[serde(default)]
    pub last: Option<Span>,
    /// In how long it rotates next; `days` after the last rotation, if left out.
    #[serde(default)]
    pub next: Option<Span>,
    /// Length of the window in which it may happen, such as `3h`.
    #[serde(default)]
    pub window: Option<String>,
}

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretVersion {
    /// How long ago it was made.
    pub age: Span,
    /// Its staging labels.
    pub stages: Vec<String>,
}

/// A copy of a secret in another region.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// Region.
    pub region: String,
    /// `InSync`, `InProgress` or `Failed`.
    #[serde(default = "in_sync")]
    pub status: String,
    /// What AWS says about it.
    #[serde(default)]
    pub message: Option<String>,
}

fn in_sync() -> String {
    "InSync".to_owned()
}

/// Which type a parameter is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum ParameterKind {
    /// Plain text.
    #[default]
    String,
    /// A list, separated by commas.
    StringList,
    /// Encrypted.
    SecureString,
}

impl ParameterKind {
    /// As AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::SecureString => "SecureString",
        }
    }
}

/// A parameter in the SSM Parameter Store.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name; hierarchical ones begin with `/`.
    pub name: String,
    /// Type.
    #[serde(default)]
    pub kind: ParameterKind,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// KMS key of an encrypted one.
    #[serde(default)]
    pub kms: Option<String>,
    /// How long ago it changed last.
    #[serde(default = "super::a_year")]
    pub changed: Span,
    /// How often it was written.
    #[serde(default = "super::one")]
    pub version: u32,
    /// Who wrote it last: the name of a role and a session, or of a user.
    #[serde(default)]
    pub by: Option<String>,
}
