//! The one place where the verbs of triage get their severity and their sentence.
//!
//! Must hold no rule of its own: until `diagnose` judges these nouns, AWS's own word stands, well or not known.

use crate::diagnose::Severity;
use crate::domain::alarm::{Alarm, AlarmState};
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::database::{DbCluster, DbInstance};
use crate::domain::secret::Secret;

/// How much something needs a person, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How much.
    pub severity: Severity,
    /// Why, in one sentence.
    pub reason: String,
}

/// AWS's own status as a judgement: what AWS calls well is well, of the rest we cannot tell.
fn own(status: &str, well: &[&str]) -> Judgement {
    let severity = if well.contains(&status) { Severity::Ok } else { Severity::Unknown };
    Judgement { severity, reason: status.to_owned() }
}

/// Of an alarm.
#[must_use]
pub fn alarm(alarm: &Alarm) -> Judgement {
    let severity = match alarm.state {
        // In ALARM by design: the low one whenever a service is idle.
        AlarmState::Alarm if alarm.is_target_tracking() => Severity::Ok,
        AlarmState::Alarm => Severity::Warning,
        AlarmState::Ok => Severity::Ok,
        AlarmState::InsufficientData | AlarmState::Other(_) => Severity::Unknown,
    };
    Judgement { severity, reason: alarm.reason.clone() }
}

/// Of a database instance.
#[must_use]
pub fn instance(instance: &DbInstance) -> Judgement {
    own(&instance.status, &["available"])
}

/// Of a database cluster.
#[must_use]
pub fn cluster(cluster: &DbCluster) -> Judgement {
    own(&cluster.status, &["available"])
}

/// Of a replication group.
#[must_use]
pub fn group(group: &ReplicationGroup) -> Judgement {
    own(&group.status, &["available"])
}

/// Of a cache cluster that stands alone.
#[must_use]
pub fn cache(cluster: &CacheCluster) -> Judgement {
    own(&cluster.status, &["available"])
}

/// Of a secret: what Secrets Manager says of its rotation.
#[must_use]
pub fn secret(secret: &Secret) -> Judgement {
    let pending = secret.version_at("AWSPENDING");
    let (severity, reason) = if secret.deleted_at.is_some() {
        (Severity::Unknown, "scheduled for deletion")
    } else if pending.is_some() && pending != secret.version_at("AWSCURRENT") {
        (Severity::Unknown, "a version is AWSPENDING: a rotation is under way or stuck")
    } else if secret.rotation_enabled {
        (Severity::Ok, "rotation is on")
    } else {
        (Severity::Ok, "rotation is not configured")
    };
    Judgement { severity, reason: reason.to_owned() }
}
