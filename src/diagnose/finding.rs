//! A finding: something about a resource that a person may have to act on, with the evidence it rests on.
//!
//! Must not be made without a sentence that names its number, and never hides AWS's own words: they stand in the
//! evidence.

use serde::Serialize;

use super::Severity;
use crate::domain::alarm::AlarmId;
use crate::domain::cache::CacheId;
use crate::domain::database::DatabaseId;
use crate::domain::ecs::{ClusterId, ServiceId};
use crate::domain::scope::Scope;
use crate::domain::secret::SecretId;
use crate::stdx::clock::Wall;

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A service.
    Service(ServiceId),
    /// A cluster.
    Cluster(ClusterId),
    /// A database instance or cluster.
    Database(DatabaseId),
    /// A cache.
    Cache(CacheId),
    /// A secret.
    Secret(SecretId),
    /// An alarm.
    Alarm(AlarmId),
    /// An account's region as a whole: credentials, throttling, what could not be read.
    Scope(Scope),
}

impl Subject {
    /// Where it lives.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Service(id) => &id.scope,
            Self::Cluster(id) => &id.scope,
            Self::Database(id) => &id.scope,
            Self::Cache(id) => &id.scope,
            Self::Secret(id) => &id.scope,
            Self::Alarm(id) => &id.scope,
            Self::Scope(scope) => scope,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Service(id) => &id.name,
            Self::Cluster(id) => &id.name,
            Self::Database(id) => &id.name,
            Self::Cache(id) => &id.name,
            Self::Secret(id) => &id.name,
            Self::Alarm(id) => &id.name,
            Self::Scope(scope) => scope.region.as_str(),
        }
    }

    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Service(_) => "service",
            Self::Cluster(_) => "cluster",
            Self::Database(_) => "database",
            Self::Cache(_) => "cache",
            Self::Secret(_) => "secret",
            Self::Alarm(_) => "alarm",
            Self::Scope(_) => "scope",
        }
    }
}

/// Something that a finding rests on, in AWS's words where AWS said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// When it was so.
    pub at: Option<Wall>,
    /// What.
    pub text: String,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// A stable word for the rule that made it, such as `database.storage-full`; scripts match on it.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// One plain sentence with its number, without its full stop and without the subject's name.
    pub sentence: String,
    /// Since when, where that is known.
    pub since: Option<Wall>,
    /// What it rests on, the strongest first.
    pub evidence: Vec<Evidence>,
    /// The one safe thing to do next, where there is one.
    pub next: Option<String>,
    /// The command that does it: opsdeck's, or the AWS CLI's where it is not opsdeck's to do.
    pub command: Option<String>,
}

impl Finding {
    /// A finding with its sentence; the rest is filled in by whoever knows it.
    #[must_use]
    pub fn new(
        subject: Subject,
        rule: &'static str,
        severity: Severity,
        sentence: impl Into<String>,
    ) -> Self {
        Self {
            subject,
            rule,
            severity,
            sentence: sentence.into(),
            since: None,
            evidence: Vec::new(),
            next: None,
            command: None,
        }
    }

    /// The same with its beginning.
    #[must_use]
    pub fn since(mut self, since: Option<Wall>) -> Self {
        self.since = since;
        self
    }

    /// The same with one more thing that it rests on.
    #[must_use]
    pub fn because(mut self, at: Option<Wall>, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence { at, text: text.into() });
        self
    }

    /// The same with what to do.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The same with the command that does it.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}

/// The worst first; of equals a sick resource before an alarm that no resource explains, since it is nearer to the
/// cause; then the one that began last: what is new is what somebody was called for.
pub fn rank(findings: &mut [Finding]) {
    let order = |finding: &Finding| {
        let is_symptom = matches!(finding.subject, Subject::Alarm(_));
        (finding.severity, is_symptom, std::cmp::Reverse(finding.since))
    };
    findings.sort_by(|a, b| (order(a), &a.subject, a.rule).cmp(&(order(b), &b.subject, b.rule)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(name: &str, severity: Severity, since: Option<i64>) -> Finding {
        let id = SecretId { scope: Scope::new("a", "eu-west-2"), name: name.to_owned() };
        Finding::new(Subject::Secret(id), "secret.stuck", severity, "1 of 4 steps done")
            .since(since.map(Wall))
    }

    #[test]
    fn the_worst_stands_first_and_of_equals_the_newest() {
        let mut all = vec![
            finding("old", Severity::Critical, Some(1)),
            finding("mild", Severity::Warning, Some(9)),
            finding("new", Severity::Critical, Some(5)),
            finding("ageless", Severity::Critical, None),
        ];
        rank(&mut all);
        let names: Vec<&str> = all.iter().map(|f| f.subject.name()).collect();
        assert_eq!(names, ["new", "old", "ageless", "mild"]);
    }
}
