//! How a person finds out what became of a call whose end was not seen.
//!
//! Must not say that something happened: it names a command that tells.

use super::{DatabaseGoal, Goal, Watch, data};

impl Watch {
    /// How a person finds out what became of it.
    pub fn how_to_find_out(&self) -> String {
        match &self.goal {
            Goal::Deployment { service, .. } => match self.rollout.id() {
                Some(id) => format!(
                    "look whether {id} is PRIMARY and COMPLETED with `opsdeck service {}/{}`",
                    service.cluster, service.name
                ),
                None => format!(
                    "look for a new PRIMARY deployment with `opsdeck service {}/{}`; do not repeat it before",
                    service.cluster, service.name
                ),
            },
            Goal::Undone { service, .. } | Goal::Resumed { service, .. } => {
                format!("look with `opsdeck deployments {}/{}`", service.cluster, service.name)
            }
            Goal::Stopped { task, .. } => format!(
                "look whether task {} in {} is stopping; stopping it twice does no harm",
                task.short(),
                task.cluster
            ),
            Goal::Replaced { service, .. } | Goal::Count { service, .. } => {
                format!("look with `opsdeck service {}/{}`", service.cluster, service.name)
            }
            Goal::Exits { service, .. } => {
                format!("look for the task with `opsdeck tasks --cluster {}`", service.cluster)
            }
            Goal::Current { secret, .. } | Goal::Stage { secret, .. } => {
                format!("look at its versions with `opsdeck secrets {}`", secret.name)
            }
            Goal::Database { database, goal: DatabaseGoal::Available } if self.rollout.is_lost() => {
                data::events(database)
            }
            Goal::Database { database, .. } => format!("look with `opsdeck rds {}`", database.name),
            Goal::Snapshot { database, name } => format!(
                "look with `aws rds {}`",
                if database.cluster {
                    format!("describe-db-cluster-snapshots --db-cluster-snapshot-identifier {name}")
                } else {
                    format!("describe-db-snapshots --db-snapshot-identifier {name}")
                }
            ),
            Goal::CacheFailover { cache, .. } => format!("look with `opsdeck cache {}`", cache.name),
            Goal::Muted { rule, .. } => {
                format!("look with `aws cloudwatch get-alarm-mute-rule --alarm-mute-rule-name {rule}`")
            }
            Goal::AlarmActions { alarm, .. } => format!("look with `opsdeck alarms {}`", alarm.name),
            Goal::Steady(_) => "look with `opsdeck services`".to_owned(),
            Goal::Bounds { service, .. } => format!(
                "look with `aws application-autoscaling describe-scalable-targets --service-namespace ecs --resource-ids service/{}/{}`",
                service.cluster, service.name
            ),
            Goal::Accepted => "look at the target again; CloudTrail has the call within 15 min".to_owned(),
        }
    }
}
