//! Secrets of Secrets Manager and parameters of SSM: what is known about them, never what is in them.
//!
//! No type here has a field for a value, and no query asks for one.

use serde::{Deserialize, Serialize};

use crate::domain::scope::{Arn, Scope};
use crate::stdx::clock::Wall;

/// A secret by scope and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretId {
    /// Where.
    pub scope: Scope,
    /// Name; may contain `/`.
    pub name: String,
}

/// How often a secret rotates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RotationRules {
    /// Days between rotations.
    pub after_days: Option<u32>,
    /// `rate(10 days)` or `cron(…)`.
    pub schedule: Option<String>,
    /// Length of the rotation window, such as `3h`.
    pub window: Option<String>,
}

/// A version with the stages that point at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretVersion {
    /// Id.
    pub id: String,
    /// `AWSCURRENT`, `AWSPENDING`, `AWSPREVIOUS`, or the owner's own.
    pub stages: Vec<String>,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// Identity.
    pub id: SecretId,
    /// ARN, with the six characters that AWS appended.
    pub arn: String,
    /// What its owners wrote.
    pub description: Option<String>,
    /// Whether rotation is configured.
    pub rotation_enabled: bool,
    /// The Lambda function that rotates it.
    pub rotation_lambda: Option<String>,
    /// When.
    pub rotation_rules: Option<RotationRules>,
    /// Last rotation that ended.
    pub last_rotated: Option<Wall>,
    /// Next rotation, as AWS plans it.
    pub next_rotation: Option<Wall>,
    /// Last change of anything, values included.
    pub last_changed: Option<Wall>,
    /// Last read of its value, to the day.
    pub last_accessed: Option<Wall>,
    /// When its deletion was asked for.
    pub deleted_at: Option<Wall>,
    /// The AWS service that manages it, such as `rds`.
    pub owning_service: Option<String>,
    /// For replicas: where the primary is.
    pub primary_region: Option<String>,
    /// Versions with stages.
    pub versions: Vec<SecretVersion>,
    /// Replicas: region, status, message. Only `DescribeSecret` gives them.
    pub replicas: Vec<(String, String, Option<String>)>,
    /// The key that encrypts it; AWS's own when absent.
    pub kms_key: Option<String>,
    /// Created.
    pub created_at: Option<Wall>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

impl Secret {
    /// Whether a text names it: its ARN, its ARN without the six characters that AWS appends, or its name. Where
    /// those characters begin is known from the name, so that `cma/db` does not name `cma/db-replica`.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        let bare = self.arn.find(&self.id.name).and_then(|at| self.arn.get(..at + self.id.name.len()));
        text == self.arn || Some(text) == bare || text == self.id.name
    }

    /// The version that a stage points at.
    #[must_use]
    pub fn version_at(&self, stage: &str) -> Option<&str> {
        self.versions.iter().find(|v| v.stages.iter().any(|s| s == stage)).map(|v| v.id.as_str())
    }
}

/// A parameter of SSM Parameter Store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredParameter {
    /// Where.
    pub scope: Scope,
    /// Name, with its slashes.
    pub name: String,
    /// ARN.
    pub arn: Option<String>,
    /// `String`, `StringList`, `SecureString`.
    pub kind: String,
    /// Version.
    pub version: u64,
    /// `Standard`, `Advanced`, …
    pub tier: Option<String>,
    /// Last change.
    pub modified_at: Option<Wall>,
    /// By whom.
    pub modified_by: Option<String>,
    /// What its owners wrote.
    pub description: Option<String>,
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
}

/// A value on its way into a secret: wiped from memory when it is gone, and never shown.
///
/// It exists for `PutSecretValue` alone. Nothing reads a value out of Secrets Manager.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SecretValue(String);

impl Drop for SecretValue {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl SecretValue {
    /// Takes a value over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The value, for the one call that stores it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same without the line feed that editors and `echo` put at its end.
    #[must_use]
    pub fn without_last_line_feed(mut self) -> Self {
        if self.0.ends_with('\n') {
            self.0.pop();
            if self.0.ends_with('\r') {
                self.0.pop();
            }
        }
        self
    }

    /// How long it is.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }

    /// Adds a character that was typed. Room is taken at once, so that growing leaves no copies behind.
    pub fn push(&mut self, c: char) {
        if self.0.capacity() < self.0.len() + c.len_utf8() {
            let mut larger = String::with_capacity((self.0.capacity() * 2).max(4096));
            larger.push_str(&self.0);
            let mut before = std::mem::replace(&mut self.0, larger);
            zeroize::Zeroize::zeroize(&mut before);
        }
        self.0.push(c);
    }

    /// Takes the last character away.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// The keys of its JSON object; `None` when it is none.
    #[must_use]
    pub fn keys(&self) -> Option<Vec<String>> {
        // The values are skipped, not built: no copy of them is left behind.
        let keys: std::collections::BTreeMap<String, serde::de::IgnoredAny> =
            serde_json::from_str(&self.0).ok()?;
        Some(keys.into_keys().collect())
    }
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretValue(…)")
    }
}
