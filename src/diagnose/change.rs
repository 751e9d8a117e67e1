//! What changed: deployments, registrations, scaling, secrets, databases, alarms and CloudTrail's writes on one
//! axis of time.
//!
//! Must not tell one change twice because two services of AWS told it.

use serde::Serialize;

use super::Subject;
use crate::domain::alarm::{AlarmHistoryItem, AlarmId};
use crate::domain::cache::CacheId;
use crate::domain::change::TrailEvent;
use crate::domain::database::{DataEvent, DatabaseId};
use crate::domain::ecs::{Service, ServiceDeployment, ServiceId};
use crate::domain::scaling::ScalingActivity;
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::{Secret, SecretId, StoredParameter};
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A deployment of a service began, ended or was rolled back.
    Deployment,
    /// A task definition was registered.
    Registration,
    /// A service was scaled.
    Scaling,
    /// A secret or parameter changed, or rotated.
    Secret,
    /// RDS tells something.
    Database,
    /// ElastiCache tells something.
    Cache,
    /// An alarm changed its state or its configuration.
    Alarm,
    /// Any other write that CloudTrail tells.
    Other,
}

impl ChangeKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Deployment,
        Self::Registration,
        Self::Scaling,
        Self::Secret,
        Self::Database,
        Self::Cache,
        Self::Alarm,
        Self::Other,
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Registration => "registration",
            Self::Scaling => "scaling",
            Self::Secret => "secret",
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Alarm => "alarm",
            Self::Other => "other",
        }
    }
}

/// Who told of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeSource {
    /// ECS.
    Ecs,
    /// Application Auto Scaling.
    AutoScaling,
    /// Secrets Manager or SSM.
    Secrets,
    /// RDS.
    Rds,
    /// ElastiCache.
    ElastiCache,
    /// CloudWatch.
    CloudWatch,
    /// CloudTrail, up to 15 minutes late.
    CloudTrail,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at: Wall,
    /// What kind.
    pub kind: ChangeKind,
    /// Where.
    pub scope: Scope,
    /// What it is about, where that is a resource we know; a key leads there.
    pub subject: Option<Subject>,
    /// Its name, as the source gives it.
    pub name: String,
    /// What happened: one sentence without its full stop and without the name.
    pub sentence: String,
    /// Who did it, where that is known.
    pub who: Option<String>,
    /// Who told.
    pub source: ChangeSource,
    /// Whether CloudTrail told of it too, so that `who` is its.
    pub confirmed: bool,
}

impl Change {
    fn new(
        at: Wall,
        kind: ChangeKind,
        scope: &Scope,
        source: ChangeSource,
        name: &str,
        sentence: String,
    ) -> Self {
        Self {
            at,
            kind,
            scope: scope.clone(),
            subject: None,
            name: name.to_owned(),
            sentence,
            who: None,
            source,
            confirmed: false,
        }
    }

    fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }
}

/// The changes that a service's deployments tell; `history` may be empty, then the service's own list is used.
#[must_use]
pub fn of_service(service: &Service, history: &[ServiceDeployment]) -> Vec<Change> {
    let id = &service.id;
    let change = |at: Wall, text: String| {
        Change::new(at, ChangeKind::Deployment, &id.scope, ChangeSource::Ecs, &id.name, text)
            .about(Subject::Service(id.clone()))
    };
    let mut found = Vec::new();
    for deployment in &service.deployments {
        if let Some(at) = deployment.created_at {
            found.push(change(at, format!("Deployment of {} began", deployment.revision)));
        }
        let ended = match deployment.rollout_state.as_deref() {
            Some("COMPLETED") => Some("completed"),
            Some("FAILED") => Some("failed"),
            _ => None,
        };
        // Without a history the last change of a deployment that ended is its end.
        if let Some((ended, at)) = ended.zip(deployment.updated_at).filter(|_| history.is_empty()) {
            found.push(change(at, format!("Deployment of {} {ended}", deployment.revision)));
        }
    }
    for deployment in history {
        let revision = deployment.target_revision_arn.as_deref().map(Arn::last).unwrap_or_default();
        if let Some(at) = deployment.started_at.or(deployment.created_at)
            && !found.iter().any(|known| near(known.at, at))
        {
            found.push(change(at, format!("Deployment began (service revision {revision})")));
        }
        let why = deployment.rollback_reason.as_ref().or(deployment.status_reason.as_ref());
        let why = why.map_or_else(String::new, |why| format!(": {}", why.trim_end_matches('.')));
        let ended = match deployment.status.as_str() {
            "SUCCESSFUL" => "Deployment completed".to_owned(),
            "STOPPED" => format!("Deployment stopped{why}"),
            "ROLLBACK_SUCCESSFUL" => format!("Rolled back{why}"),
            "ROLLBACK_FAILED" => format!("Rollback failed{why}"),
            _ => continue,
        };
        if let Some(at) = deployment.finished_at {
            found.push(change(at, ended));
        }
    }
    found
}

/// The registration of a service's task definition.
#[must_use]
pub fn of_definition(service: &ServiceId, definition: &TaskDefinition) -> Option<Change> {
    let name = definition.revision.to_string();
    let text = format!("Task definition {name} registered");
    let at = definition.registered_at?;
    let change = Change::new(at, ChangeKind::Registration, &service.scope, ChangeSource::Ecs, &name, text);
    let who = definition.registered_by.as_deref().map(|who| Arn::last(who).to_owned());
    Some(Change { who, ..change.about(Subject::Service(service.clone())) })
}

/// What Application Auto Scaling did or tried.
#[must_use]
pub fn of_scaling(scope: &Scope, activities: &[ScalingActivity]) -> Vec<Change> {
    let told = activities.iter().filter_map(|activity| {
        let mut parts = activity.resource.split('/');
        let service = match (parts.next(), parts.next(), parts.next()) {
            (Some("service"), Some(cluster), Some(name)) => {
                Some(ServiceId { scope: scope.clone(), cluster: cluster.to_owned(), name: name.to_owned() })
            }
            _ => None,
        };
        let what = activity.description.trim_end_matches('.');
        let why = activity.message.as_deref().unwrap_or(&activity.cause).trim_end_matches('.');
        let text = match activity.status.as_str() {
            "Successful" => format!("{what} ({why})"),
            status => format!("{status}: {what} ({why})"),
        };
        let name = service.as_ref().map_or(activity.resource.as_str(), |id| id.name.as_str()).to_owned();
        let at = activity.started_at?;
        let mut change = Change::new(at, ChangeKind::Scaling, scope, ChangeSource::AutoScaling, &name, text);
        change.subject = service.map(Subject::Service);
        change.who = Some("autoscaling".to_owned());
        Some(change)
    });
    told.collect()
}

/// The last change and the last rotation of a secret. A deletion to come is no change yet.
#[must_use]
pub fn of_secret(secret: &Secret, now: Wall) -> Vec<Change> {
    let id = &secret.id;
    let change = |at: Wall, text: &str| {
        let (kind, source) = (ChangeKind::Secret, ChangeSource::Secrets);
        Change::new(at, kind, &id.scope, source, &id.name, text.to_owned()).about(Subject::Secret(id.clone()))
    };
    let rotated = secret.last_rotated.map(|at| change(at, "Rotated"));
    // A rotation changes the secret; told as one.
    let changed =
        secret.last_changed.filter(|at| secret.last_rotated.is_none_or(|rotated| !near(rotated, *at)));
    let deleted = secret.deleted_at.filter(|at| *at <= now).map(|at| change(at, "Deletion asked for"));
    rotated.into_iter().chain(changed.map(|at| change(at, "Changed"))).chain(deleted).collect()
}

/// The last change of a parameter.
#[must_use]
pub fn of_parameter(parameter: &StoredParameter) -> Option<Change> {
    let text = format!("Changed to version {}", parameter.version);
    let (kind, source) = (ChangeKind::Secret, ChangeSource::Secrets);
    let change = Change::new(parameter.modified_at?, kind, &parameter.scope, source, &parameter.name, text);
    let who = parameter.modified_by.as_deref().map(|who| Arn::last(who).to_owned());
    Some(Change { who, ..change })
}

/// What RDS tells.
#[must_use]
pub fn of_database_events(scope: &Scope, events: &[DataEvent]) -> Vec<Change> {
    let told = events.iter().map(|event| {
        let text = event.message.trim_end_matches('.').to_owned();
        let mut change =
            Change::new(event.at, ChangeKind::Database, scope, ChangeSource::Rds, &event.source, text);
        let cluster = event.source_type == "db-cluster";
        if cluster || event.source_type == "db-instance" {
            let id = DatabaseId { scope: scope.clone(), name: event.source.clone(), cluster };
            change.subject = Some(Subject::Database(id));
        }
        change
    });
    told.collect()
}

/// What ElastiCache tells.
#[must_use]
pub fn of_cache_events(scope: &Scope, events: &[DataEvent]) -> Vec<Change> {
    let told = events.iter().map(|event| {
        let text = event.message.trim_end_matches('.').to_owned();
        let mut change =
            Change::new(event.at, ChangeKind::Cache, scope, ChangeSource::ElastiCache, &event.source, text);
        if event.source_type == "replication-group" {
            let id = CacheId { scope: scope.clone(), name: event.source.clone() };
            change.subject = Some(Subject::Cache(id));
        }
        change
    });
    told.collect()
}

/// What became of alarms; target tracking's are left out, since they flip all day.
#[must_use]
pub fn of_alarm_history(scope: &Scope, items: &[AlarmHistoryItem]) -> Vec<Change> {
    let told = items.iter().filter(|item| {
        !item.alarm.starts_with("TargetTracking-")
            && matches!(item.kind.as_str(), "StateUpdate" | "ConfigurationUpdate")
    });
    told.map(|item| {
        let text = match &item.states {
            Some((from, to)) => format!("{from} → {to}"),
            None => item.summary.trim_end_matches('.').to_owned(),
        };
        let id = AlarmId { scope: scope.clone(), name: item.alarm.clone() };
        Change::new(item.at, ChangeKind::Alarm, scope, ChangeSource::CloudWatch, &item.alarm, text)
            .about(Subject::Alarm(id))
    })
    .collect()
}

/// Who asked for a deployment of a service that was begun then, as CloudTrail tells it.
#[must_use]
pub fn deployer<'e>(
    events: impl Iterator<Item = &'e TrailEvent>,
    service: &ServiceId,
    begun: Wall,
) -> Option<&'e str> {
    let near = |event: &&TrailEvent| {
        let deploys = matches!(event.name.as_str(), "UpdateService" | "CreateService");
        deploys && event.error.is_none() && event.at.0.abs_diff(begun.0) <= SAME
    };
    let of_service = |event: &&TrailEvent| {
        let subject = of_write(&service.scope, event).subject;
        matches!(subject, Some(Subject::Service(id)) if id == *service)
    };
    events.filter(near).find(of_service)?.user.as_deref()
}

/// The writes that CloudTrail tells; reads are left out.
#[must_use]
pub fn of_trail(scope: &Scope, events: &[TrailEvent]) -> Vec<Change> {
    events.iter().filter(|event| !event.read_only).map(|event| of_write(scope, event)).collect()
}

fn of_write(scope: &Scope, event: &TrailEvent) -> Change {
    let value = |names: &[&str]| {
        let same = |key: &str| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        event.parameters.iter().find(|(key, _)| same(key)).map(|(_, value)| value.as_str())
    };
    let service = event.source.split('.').next().unwrap_or(&event.source);
    let kind = match (service, event.name.as_str()) {
        ("ecs", "RegisterTaskDefinition" | "DeregisterTaskDefinition") => ChangeKind::Registration,
        ("ecs", "UpdateService" | "CreateService" | "DeleteService" | "StopServiceDeployment") => {
            ChangeKind::Deployment
        }
        ("application-autoscaling" | "autoscaling", _) => ChangeKind::Scaling,
        ("secretsmanager" | "ssm", _) => ChangeKind::Secret,
        ("rds", _) => ChangeKind::Database,
        ("elasticache", _) => ChangeKind::Cache,
        ("monitoring" | "cloudwatch", _) => ChangeKind::Alarm,
        _ => ChangeKind::Other,
    };
    let own = |text: &str| text.to_owned();
    let subject = match kind {
        ChangeKind::Deployment => value(&["service"]).map(|name| {
            let cluster = value(&["cluster"]).map_or("default", Arn::last);
            let name = own(Arn::last(name));
            Subject::Service(ServiceId { scope: scope.clone(), cluster: own(cluster), name })
        }),
        // What a rotation did by itself has no parameters: its ARN stands among the resources.
        ChangeKind::Secret if service == "secretsmanager" => value(&["secretId", "name"])
            .or_else(|| {
                event.resources.iter().map(|(_, name)| name.as_str()).find(|n| n.contains(":secret:"))
            })
            .map(|name| Subject::Secret(SecretId { scope: scope.clone(), name: secret_name(name) })),
        ChangeKind::Database => {
            let instance = value(&["dBInstanceIdentifier"]).map(|name| (name, false));
            let given = instance.or_else(|| value(&["dBClusterIdentifier"]).map(|name| (name, true)));
            given.map(|(name, cluster)| {
                Subject::Database(DatabaseId { scope: scope.clone(), name: own(name), cluster })
            })
        }
        ChangeKind::Cache => value(&["replicationGroupId", "cacheClusterId"])
            .map(|name| Subject::Cache(CacheId { scope: scope.clone(), name: own(name) })),
        ChangeKind::Alarm => value(&["alarmName"])
            .map(|name| Subject::Alarm(AlarmId { scope: scope.clone(), name: own(name) })),
        _ => None,
    };
    let resource = event.resources.first().map(|(_, name)| Arn::last(name));
    let name = subject.as_ref().map(Subject::name).or(value(&["family", "resourceId"])).or(resource);
    let mut text = event.name.clone();
    if let Some(count) = value(&["desiredCount"]) {
        text = format!("{text}, desired count {count}");
    }
    if let Some(definition) = value(&["taskDefinition"]) {
        text = format!("{text} to {}", Arn::last(definition));
    }
    if let Some(error) = &event.error {
        text = format!("{text} failed: {error}");
    }
    let name = name.unwrap_or(service).to_owned();
    let mut change = Change::new(event.at, kind, scope, ChangeSource::CloudTrail, &name, text);
    change.subject = subject;
    change.who.clone_from(&event.user);
    change
}

/// A secret's name from its name or ARN, whose last seven characters AWS appended.
fn secret_name(text: &str) -> String {
    let Some((_, name)) = text.split_once(":secret:") else { return text.to_owned() };
    let end = name.len().saturating_sub(7);
    let cut = name.get(..end).filter(|_| name.get(end..).is_some_and(|tail| tail.starts_with('-')));
    cut.unwrap_or(name).to_owned()
}

fn near(a: Wall, b: Wall) -> bool {
    a.0.abs_diff(b.0) <= SAME
}

/// Two tellings of one change are at most so many milliseconds apart: CloudTrail notes the call, ECS what follows.
const SAME: u64 = 120_000;

/// All on one axis, the newest first, from an instant on. A write of CloudTrail that another source tells too (same
/// subject and kind, within two minutes) is folded into that one and lends it its `who`; a registration goes by the
/// family's name.
#[must_use]
pub fn timeline(changes: Vec<Change>, from: Wall) -> Vec<Change> {
    let (writes, mut all): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(|change| change.source == ChangeSource::CloudTrail);
    for write in writes {
        let failed = write.sentence.contains(" failed: ");
        let same = |told: &&mut Change| {
            let registered = told.kind == ChangeKind::Registration
                && told.name.rsplit_once(':').is_some_and(|(family, _)| family == write.name);
            told.source != ChangeSource::CloudTrail
                && told.scope == write.scope
                && told.kind == write.kind
                && near(told.at, write.at)
                && (registered || (told.subject.is_some() && told.subject == write.subject))
        };
        // The nearest of several: a deployment that begins stands close to the call, its end does not.
        match all.iter_mut().filter(same).min_by_key(|told| told.at.0.abs_diff(write.at.0)) {
            Some(told) if !failed && !told.confirmed => {
                told.who = write.who.or_else(|| told.who.take());
                told.confirmed = true;
            }
            _ => all.push(write),
        }
    }
    all.retain(|change| change.at >= from);
    all.sort_by(|a, b| {
        let key = |change: &Change| (std::cmp::Reverse(change.at), change.kind, change.source);
        (key(a), &a.name, &a.sentence).cmp(&(key(b), &b.name, &b.sentence))
    });
    all.dedup();
    all
}

#[cfg(test)]
mod tests;
