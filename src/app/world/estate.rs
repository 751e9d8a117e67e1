//! What was observed beside ECS: alarms, databases, caches, secrets, scaling, CloudTrail, the numbers of metrics.
//!
//! Must not fetch. Only a list that was read to its end says what is gone.

use std::collections::{BTreeMap, HashSet};

use crate::app::charts::Chart;
use crate::app::refresh::Watch;
use crate::app::world::Seen;
use crate::domain::alarm::{Alarm, AlarmHistoryItem, AlarmId};
use crate::domain::balancer::{TargetGroup, TargetHealth};
use crate::domain::cache::{CacheCluster, CacheId, ReplicationGroup};
use crate::domain::change::TrailEvent;
use crate::domain::database::{
    DataEvent, DatabaseId, DbCluster, DbInstance, DbLogFile, Maintenance, Parameter,
};
use crate::domain::metric::Series;
use crate::domain::query::{Answer, Query};
use crate::domain::scaling::{ScalableTarget, ScalingActivity};
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::{Secret, SecretId, StoredParameter};
use crate::stdx::clock::{Moment, Wall};

/// Events kept of one scope and kind; AWS keeps 14 days of them.
const EVENTS_REMEMBERED: usize = 2_000;

/// All of it, by identity.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    /// Alarms.
    pub alarms: BTreeMap<AlarmId, Seen<Alarm>>,
    /// The history of alarms that were looked at, newest first.
    pub alarm_history: BTreeMap<AlarmId, Seen<Vec<AlarmHistoryItem>>>,
    /// The history of all alarms of a scope, newest first.
    pub flips: BTreeMap<Scope, Vec<AlarmHistoryItem>>,
    /// Database instances.
    pub instances: BTreeMap<DatabaseId, Seen<DbInstance>>,
    /// Database clusters.
    pub db_clusters: BTreeMap<DatabaseId, Seen<DbCluster>>,
    /// RDS's events, newest first.
    pub db_events: BTreeMap<Scope, Vec<DataEvent>>,
    /// Maintenance that waits.
    pub maintenance: BTreeMap<Scope, Vec<Maintenance>>,
    /// Parameters, by scope and name of their group.
    pub parameters: BTreeMap<(Scope, String), Vec<Parameter>>,
    /// Log files of instances that were looked at, newest first.
    pub log_files: BTreeMap<DatabaseId, Vec<DbLogFile>>,
    /// The end of log files that were opened.
    pub log_text: BTreeMap<(DatabaseId, String), Seen<String>>,
    /// Replication groups.
    pub cache_groups: BTreeMap<CacheId, Seen<ReplicationGroup>>,
    /// Cache clusters.
    pub cache_nodes: BTreeMap<CacheId, Seen<CacheCluster>>,
    /// ElastiCache's events, newest first.
    pub cache_events: BTreeMap<Scope, Vec<DataEvent>>,
    /// Secrets.
    pub secrets: BTreeMap<SecretId, Seen<Secret>>,
    /// Parameters of SSM, by scope and name.
    pub stored: BTreeMap<(Scope, String), Seen<StoredParameter>>,
    /// Bounds of services.
    pub targets: BTreeMap<Scope, Vec<ScalableTarget>>,
    /// What scaling did, newest first.
    pub activities: BTreeMap<Scope, Vec<ScalingActivity>>,
    /// CloudTrail's writes, by id.
    pub trail: BTreeMap<Scope, BTreeMap<String, TrailEvent>>,
    /// Target groups, by ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// The targets of groups that were looked at, by the group's ARN.
    pub target_health: BTreeMap<String, Seen<Vec<TargetHealth>>>,
    /// The numbers of charts.
    pub series: BTreeMap<Chart, Seen<Series>>,
}

impl Estate {
    /// Takes in an answer of a list.
    pub fn absorb(&mut self, query: &Query, answer: &Answer, at: Moment) {
        let scope = query.scope();
        match (query, answer) {
            (_, Answer::Alarms { found, .. }) => {
                for alarm in found {
                    self.alarms.insert(alarm.id.clone(), Seen { value: alarm.clone(), at });
                }
            }
            (Query::DescribeAlarmHistory { alarm: Some(name), .. }, Answer::AlarmHistory { items, .. }) => {
                let id = AlarmId { scope: scope.clone(), name: name.clone() };
                let known = self.alarm_history.entry(id).or_insert(Seen { value: Vec::new(), at });
                known.at = at;
                add(&mut known.value, items, |item| item.at);
            }
            (_, Answer::AlarmHistory { items, .. }) => {
                add(self.flips.entry(scope.clone()).or_default(), items, |item| item.at);
            }
            (_, Answer::DbInstances { found, .. }) => {
                for instance in found {
                    self.instances.insert(instance.id.clone(), Seen { value: instance.clone(), at });
                }
            }
            (_, Answer::DbClusters { found, .. }) => {
                for cluster in found {
                    self.db_clusters.insert(cluster.id.clone(), Seen { value: cluster.clone(), at });
                }
            }
            (Query::DescribeCacheEvents { .. }, Answer::DataEvents { found, .. }) => {
                add(self.cache_events.entry(scope.clone()).or_default(), found, |event| event.at);
            }
            (_, Answer::DataEvents { found, .. }) => {
                add(self.db_events.entry(scope.clone()).or_default(), found, |event| event.at);
            }
            (_, Answer::Maintenance { found, .. }) => {
                let known = self.maintenance.entry(scope.clone()).or_default();
                for action in found {
                    known.retain(|k| (&k.resource, &k.action) != (&action.resource, &action.action));
                    known.push(action.clone());
                }
            }
            (Query::DescribeDbParameters { group, .. }, Answer::DbParameters { found, .. }) => {
                let known = self.parameters.entry((scope.clone(), group.clone())).or_default();
                for parameter in found {
                    known.retain(|k| k.name != parameter.name);
                    known.push(parameter.clone());
                }
            }
            (Query::DescribeDbLogFiles { instance, .. }, Answer::DbLogFiles { found, .. }) => {
                let known = self.log_files.entry(instance_id(scope, instance)).or_default();
                for file in found {
                    known.retain(|k| k.name != file.name);
                    known.push(file.clone());
                }
                known.sort_by_key(|file| std::cmp::Reverse(file.written_at));
            }
            (Query::DownloadDbLogFile { instance, file, .. }, Answer::DbLogPortion { text, .. }) => {
                let key = (instance_id(scope, instance), file.clone());
                self.log_text.insert(key, Seen { value: text.clone(), at });
            }
            (_, Answer::ReplicationGroups { found, .. }) => {
                for group in found {
                    self.cache_groups.insert(group.id.clone(), Seen { value: group.clone(), at });
                }
            }
            (_, Answer::CacheClusters { found, .. }) => {
                for cluster in found {
                    self.cache_nodes.insert(cluster.id.clone(), Seen { value: cluster.clone(), at });
                }
            }
            (Query::ListSecrets { .. }, Answer::Secrets { found, .. }) => {
                for secret in found {
                    let mut secret = secret.clone();
                    // The list says nothing of replicas: what the description said of them stays.
                    if let Some(known) = self.secrets.get(&secret.id) {
                        secret.replicas.clone_from(&known.value.replicas);
                    }
                    self.secrets.insert(secret.id.clone(), Seen { value: secret, at });
                }
            }
            (_, Answer::Secrets { found, .. }) => {
                for secret in found {
                    self.secrets.insert(secret.id.clone(), Seen { value: secret.clone(), at });
                }
            }
            (_, Answer::Parameters { found, .. }) => {
                for parameter in found {
                    let key = (parameter.scope.clone(), parameter.name.clone());
                    self.stored.insert(key, Seen { value: parameter.clone(), at });
                }
            }
            (_, Answer::ScalableTargets { found, .. }) => {
                let known = self.targets.entry(scope.clone()).or_default();
                for target in found {
                    known.retain(|k| (&k.resource, &k.dimension) != (&target.resource, &target.dimension));
                    known.push(target.clone());
                }
            }
            (_, Answer::ScalingActivities { found, .. }) => {
                let known = self.activities.entry(scope.clone()).or_default();
                for activity in found {
                    known.retain(|k| k.id != activity.id);
                    known.push(activity.clone());
                }
                known.sort_by_key(|activity| std::cmp::Reverse(activity.started_at));
                known.truncate(EVENTS_REMEMBERED);
            }
            (_, Answer::TrailEvents { found, .. }) => {
                let known = self.trail.entry(scope.clone()).or_default();
                known.extend(found.iter().map(|event| (event.id.clone(), event.clone())));
                if known.len() > EVENTS_REMEMBERED {
                    let mut times: Vec<Wall> = known.values().map(|event| event.at).collect();
                    times.sort_by_key(|at| std::cmp::Reverse(*at));
                    let oldest = times.get(EVENTS_REMEMBERED - 1).copied().unwrap_or_default();
                    known.retain(|_, event| event.at >= oldest);
                }
            }
            (_, Answer::TargetGroups { found }) => {
                self.target_groups.extend(found.iter().map(|group| (group.arn.clone(), group.clone())));
            }
            (Query::DescribeTargetHealth { target_group, .. }, Answer::TargetHealth { found }) => {
                self.target_health.insert(target_group.clone(), Seen { value: found.clone(), at });
            }
            _ => {}
        }
    }

    /// Forgets what a complete list of a scope did not name.
    pub fn retain(&mut self, scope: &Scope, watch: Watch, listed: &[String]) {
        let names: HashSet<&str> = listed.iter().map(String::as_str).collect();
        let keep = |at: &Scope, name: &str| at != scope || names.contains(name);
        match watch {
            Watch::Alarms => self.alarms.retain(|id, _| keep(&id.scope, &id.name)),
            Watch::Instances => self.instances.retain(|id, _| keep(&id.scope, &id.name)),
            Watch::DbClusters => self.db_clusters.retain(|id, _| keep(&id.scope, &id.name)),
            Watch::CacheGroups => self.cache_groups.retain(|id, _| keep(&id.scope, &id.name)),
            Watch::CacheNodes => self.cache_nodes.retain(|id, _| keep(&id.scope, &id.name)),
            Watch::Secrets => self.secrets.retain(|id, _| keep(&id.scope, &id.name)),
            Watch::Stored => self.stored.retain(|(at, name), _| keep(at, name)),
            Watch::Maintenance => {
                if let Some(known) = self.maintenance.get_mut(scope) {
                    known.retain(|action| names.contains(action.resource.as_str()));
                }
            }
            Watch::Targets => {
                if let Some(known) = self.targets.get_mut(scope) {
                    known.retain(|target| names.contains(target.resource.as_str()));
                }
            }
            // Events do not vanish: they grow old.
            Watch::Flips | Watch::DbEvents | Watch::CacheEvents | Watch::Activities | Watch::Trail => {}
        }
    }

    /// The database that an ARN or an identifier names.
    #[must_use]
    pub fn instance_named(&self, scope: &Scope, name: &str) -> Option<&Seen<DbInstance>> {
        let name = Arn::parse(name).map_or(name, |arn| arn.resource.rsplit(':').next().unwrap_or(name));
        self.instances.get(&instance_id(scope, name))
    }

    /// The newest number of a chart, unless it is too old to tell of now.
    #[must_use]
    pub fn last(&self, chart: &Chart, now: Wall) -> Option<f64> {
        let (at, number) = self.series.get(chart)?.value.points.last()?;
        (at.age_at(now) <= chart.life()).then_some(*number)
    }
}

fn instance_id(scope: &Scope, name: &str) -> DatabaseId {
    DatabaseId { scope: scope.clone(), name: name.to_owned(), cluster: false }
}

/// Adds what is not known yet, newest first.
fn add<T: Clone + PartialEq, K: Ord>(known: &mut Vec<T>, found: &[T], at: impl Fn(&T) -> K) {
    for item in found {
        if !known.contains(item) {
            known.push(item.clone());
        }
    }
    known.sort_by_key(|item| std::cmp::Reverse(at(item)));
    known.truncate(EVENTS_REMEMBERED);
}
