//! Secrets, databases, caches and alarms after a call: what shows that they did it.
//!
//! A status that is as before says nothing at first: RDS may not have begun. Must not conclude from an absent item
//! while a list has more pages.

use super::Goal;
use crate::domain::database::DatabaseId;
use crate::domain::query::{Answer, Query};
use crate::domain::verdict::Verdict;

/// What a database was told to do.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::guard) enum DatabaseGoal {
    /// Available again, after it rebooted.
    Available,
    /// Available again, in this zone's stead another one.
    OtherZone(Option<String>),
    /// The cluster's writer is another one, or this one.
    Writer {
        /// Before.
        before: Option<String>,
        /// Wanted.
        to: Option<String>,
    },
    /// So much storage, in GiB.
    Storage(u32),
}

/// What a look shows.
pub(super) enum Seen {
    /// The target is not on this page.
    Absent,
    /// Where it stands.
    State(String),
    /// The end.
    End(Verdict),
}

/// The question that shows a database.
pub(super) fn query(database: &DatabaseId) -> Query {
    let scope = database.scope.clone();
    if database.cluster {
        Query::DescribeDbClusters { scope, page: None }
    } else {
        Query::DescribeDbInstances { scope, page: None }
    }
}

/// What is known of a call besides what a look shows.
pub(super) struct Known {
    /// Its answer never came.
    pub lost: bool,
    /// It had its time to begin.
    pub settled: bool,
}

/// Takes a look; `busy` remembers that it was seen at what it was told.
pub(super) fn look(goal: &Goal, answer: &Answer, busy: &mut bool, known: &Known) -> Seen {
    match (goal, answer) {
        (Goal::Current { version, .. }, Answer::Secrets { found, .. }) => {
            let Some(secret) = found.first() else { return Seen::Absent };
            match secret.version_at("AWSCURRENT") {
                Some(current) if current == version => Seen::End(Verdict::Succeeded),
                Some(current) => Seen::State(format!("AWSCURRENT is still {current}")),
                None => Seen::State("no version is AWSCURRENT".to_owned()),
            }
        }
        (Goal::Stage { stage, version, .. }, Answer::Secrets { found, .. }) => {
            let Some(secret) = found.first() else { return Seen::Absent };
            match secret.version_at(stage) {
                at if at == version.as_deref() => Seen::End(Verdict::Succeeded),
                at => Seen::State(format!("{stage} is at {}", at.unwrap_or("no version"))),
            }
        }
        (Goal::Database { database, goal }, answer) => database_look(database, goal, answer, busy, known),
        (Goal::Snapshot { name, .. }, Answer::DbSnapshots { found }) => {
            let Some(snapshot) = found.iter().find(|found| found.name.eq_ignore_ascii_case(name)) else {
                return Seen::Absent;
            };
            match snapshot.status.as_str() {
                "available" => Seen::End(Verdict::Succeeded),
                "failed" => Seen::End(Verdict::Failed { why: format!("the snapshot {name} failed") }),
                status => Seen::State(format!("{status}, {}%", snapshot.percent)),
            }
        }
        (Goal::CacheFailover { cache, node_group, primary }, Answer::ReplicationGroups { found, .. }) => {
            let Some(group) = found.iter().find(|group| group.id == *cache) else { return Seen::Absent };
            let shard = group.shards.iter().find(|shard| shard.id == *node_group);
            let now = shard.and_then(|shard| {
                shard.members.iter().find(|member| member.role.as_deref() == Some("primary"))
            });
            let now = now.map(|member| member.cluster.clone());
            let moved = now.is_some() && now != *primary;
            if moved && group.status == "available" {
                return Seen::End(Verdict::Succeeded);
            }
            Seen::State(format!("{}, primary {}", group.status, now.as_deref().unwrap_or("unknown")))
        }
        (Goal::Muted { alarm, .. }, Answer::MuteRule(rule)) => {
            let covers = rule.alarms.contains(&alarm.name);
            match rule.status.as_str() {
                _ if !covers => Seen::State("the rule is there, without the alarm".to_owned()),
                "ACTIVE" | "SCHEDULED" => Seen::End(Verdict::Succeeded),
                "EXPIRED" => Seen::End(Verdict::Failed {
                    why: "the rule's time was over before it began: the alarm is not muted".to_owned(),
                }),
                other => Seen::State(format!("the rule is {other}")),
            }
        }
        (Goal::AlarmActions { alarm, enabled }, Answer::Alarms { found, .. }) => {
            let Some(found) = found.iter().find(|found| found.id == *alarm) else { return Seen::Absent };
            if found.actions_enabled == *enabled {
                return Seen::End(Verdict::Succeeded);
            }
            Seen::State("its actions are as before".to_owned())
        }
        (Goal::Bounds { service, change }, Answer::ScalableTargets { found, .. }) => {
            let Some(target) = found.iter().find(|target| target.is_count_of(service)) else {
                return Seen::Absent;
            };
            let is_set = change.min.is_none_or(|min| target.min == min)
                && change.max.is_none_or(|max| target.max == max)
                && change.suspended.is_none_or(|suspended| target.is_suspended(suspended));
            if is_set {
                return Seen::End(Verdict::Succeeded);
            }
            Seen::State(format!("its bounds are {} to {}", target.min, target.max))
        }
        _ => Seen::State("an answer to another question".to_owned()),
    }
}

fn database_look(
    database: &DatabaseId,
    goal: &DatabaseGoal,
    answer: &Answer,
    busy: &mut bool,
    known: &Known,
) -> Seen {
    match answer {
        Answer::DbInstances { found, .. } => {
            let Some(instance) = found.iter().find(|instance| instance.id == *database) else {
                return Seen::Absent;
            };
            let available = instance.status == "available" || instance.status == "storage-optimization";
            // A backup or somebody's change makes it unavailable too: only this is a reboot.
            *busy |= instance.status == "rebooting";
            let zone = instance.zone.as_deref().unwrap_or("an unknown zone");
            let state = format!("{} in {zone}, {} GiB", instance.status, instance.allocated_gib);
            // What was never seen at it has done it unseen, or has not begun.
            let rebooted = available && (*busy || known.settled);
            let reboots = matches!(goal, DatabaseGoal::Available | DatabaseGoal::OtherZone(None));
            if reboots && known.lost {
                if !(available && *busy) {
                    return Seen::State(state);
                }
                let how_to_find_out = format!(
                    "the answer was lost; {} rebooted and is available again, but a status does not tell whose reboot that was: {}",
                    database.name,
                    events(database)
                );
                return Seen::End(Verdict::Unknown { how_to_find_out });
            }
            let done = match goal {
                DatabaseGoal::Available | DatabaseGoal::OtherZone(None) => rebooted,
                DatabaseGoal::OtherZone(before) => available && instance.zone != *before,
                DatabaseGoal::Storage(gib) => available && instance.allocated_gib >= *gib,
                DatabaseGoal::Writer { .. } => false,
            };
            if done { Seen::End(Verdict::Succeeded) } else { Seen::State(state) }
        }
        Answer::DbClusters { found, .. } => {
            let Some(cluster) = found.iter().find(|cluster| cluster.id == *database) else {
                return Seen::Absent;
            };
            let writer = cluster.members.iter().find(|member| member.writer).map(|m| m.instance.clone());
            let done = match goal {
                DatabaseGoal::Writer { before, to } => {
                    cluster.status == "available"
                        && writer.is_some()
                        && writer != *before
                        && (to.is_none() || *to == writer)
                }
                // The others are of instances.
                _ => false,
            };
            if done {
                return Seen::End(Verdict::Succeeded);
            }
            Seen::State(format!("{}, writer {}", cluster.status, writer.as_deref().unwrap_or("none")))
        }
        _ => Seen::State("an answer to another question".to_owned()),
    }
}

/// The command that tells what happened to an instance, and when.
pub(super) fn events(database: &DatabaseId) -> String {
    format!(
        "look at its events with `aws rds describe-events --source-type db-instance --source-identifier {} --duration 60`, and who asked for it in CloudTrail within 15 min",
        database.name
    )
}
