//! Databases and caches: reboot, fail over, take a snapshot, grow the storage, test a failover.
//!
//! Each says the outage before. Must not touch a database that is not available: RDS refuses it.

use std::fmt::Write as _;

use crate::domain::action::DatabaseWork;
use crate::domain::cache::{CacheId, ReplicationGroup};
use crate::domain::database::{DatabaseId, DbCluster, DbInstance};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::mutation::Mutation;
use crate::domain::plan::{Check, FieldChange, Finding, Plan};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::guard::draft::{Draft, NoPlan, Step};
use crate::guard::facts::Facts;
use crate::guard::saw::Saw;
use crate::guard::verb::region;
use crate::guard::watch::{DatabaseGoal, Goal, Steady, is_well};
use crate::stdx::text::count;

fn first(database: &DatabaseId) -> Query {
    let scope = database.scope.clone();
    if database.cluster {
        Query::DescribeDbClusters { scope, page: None }
    } else {
        Query::DescribeDbInstances { scope, page: None }
    }
}

/// What to ask.
pub(in crate::guard) fn wants(database: &DatabaseId, work: &DatabaseWork, facts: &Facts) -> Vec<Query> {
    let found = instance(database, facts).is_some() || cluster(database, facts).is_some();
    if !found {
        return facts.pages(&first(database)).next.into_iter().collect();
    }
    match work {
        DatabaseWork::Reboot { .. } | DatabaseWork::Failover { .. } => {
            region::wants(&database.scope, LOOKED_AT, facts)
        }
        DatabaseWork::Snapshot { .. } | DatabaseWork::Grow { .. } => Vec::new(),
    }
}

/// Services that are looked at after an outage, at most.
const LOOKED_AT: usize = 100;

/// What breaks connections is followed by a look at the services of the region that are well now: which of them use
/// it cannot be told for sure, for its address may stand in a secret.
fn followed(draft: Draft, name: &str, scope: &Scope, facts: &Facts) -> Draft {
    let lacks = region::lacks(scope, facts);
    let services = region::services(scope, facts);
    let (well, unwell): (Vec<&Service>, Vec<&Service>) =
        services.into_iter().filter(|service| service.desired > 0).partition(|service| is_well(service));
    let mut ids: Vec<ServiceId> = well.into_iter().map(|service| service.id.clone()).collect();
    let all = ids.len() + unwell.len();
    ids.truncate(LOOKED_AT);
    let mut told = match ids.len() {
        0 => "no service of the region is well now that could be looked at afterwards".to_owned(),
        some => {
            format!("{some} of {} of the region, well now, are looked at afterwards", count(all, "service"))
        }
    };
    if !unwell.is_empty() {
        let names: Vec<&str> = unwell.iter().take(3).map(|service| service.id.name.as_str()).collect();
        let _ = write!(told, "; not well already: {} ({})", unwell.len(), names.join(", "));
    }
    let finding = if lacks.is_some() {
        Finding::NotVerified
    } else if unwell.is_empty() {
        Finding::Pass
    } else {
        Finding::Warn
    };
    if let Some(why) = lacks {
        let _ = write!(told, "; some may be missing: {why}");
    }
    let mut draft = draft;
    draft.plan.checks.push(Check::new("ECS", finding, told));
    if let Some(last) = draft.steps.last_mut() {
        last.after = Steady::new(name, &ids);
    }
    draft
}

fn instance<'f>(id: &DatabaseId, facts: &'f Facts) -> Option<&'f DbInstance> {
    facts.pages(&first(id)).answers.into_iter().find_map(|answer| match answer {
        Answer::DbInstances { found, .. } => found.iter().find(|instance| instance.id == *id),
        _ => None,
    })
}

fn cluster<'f>(id: &DatabaseId, facts: &'f Facts) -> Option<&'f DbCluster> {
    facts.pages(&first(id)).answers.into_iter().find_map(|answer| match answer {
        Answer::DbClusters { found, .. } => found.iter().find(|cluster| cluster.id == *id),
        _ => None,
    })
}

fn absent(what: &str, first: &Query, facts: &Facts) -> NoPlan {
    NoPlan::Failed(match facts.pages(first).fault {
        Some(fault) => format!("{what} could not be read ({fault}); AWS was not asked to change it"),
        None => format!("{what} was not found"),
    })
}

fn available(status: &str) -> Check {
    let name = "status";
    match status {
        "available" | "storage-optimization" => Check::new(name, Finding::Pass, format!("it is {status}")),
        other => {
            Check::new(name, Finding::Block, format!("it is {other}: RDS does this only to an available one"))
        }
    }
}

/// A full storage is what growing is for; while the last change is still optimized, RDS refuses another.
fn growable(status: &str) -> Check {
    let name = "status";
    match status {
        "available" | "storage-full" => Check::new(name, Finding::Pass, format!("it is {status}")),
        other => Check::new(name, Finding::Block, format!("it is {other}: RDS does not grow it now")),
    }
}

/// The plan.
pub(in crate::guard) fn draft(id: &DatabaseId, work: &DatabaseWork, facts: &Facts) -> Result<Draft, NoPlan> {
    if id.cluster {
        let cluster = cluster(id, facts).ok_or_else(|| absent(&id.name, &first(id), facts))?;
        return of_cluster(cluster, work).map(|draft| outage(draft, id, work, facts));
    }
    let instance = instance(id, facts).ok_or_else(|| absent(&id.name, &first(id), facts))?;
    of_instance(instance, work).map(|draft| outage(draft, id, work, facts))
}

fn outage(draft: Draft, id: &DatabaseId, work: &DatabaseWork, facts: &Facts) -> Draft {
    match work {
        DatabaseWork::Reboot { .. } | DatabaseWork::Failover { .. } => {
            followed(draft, &id.name, &id.scope, facts)
        }
        DatabaseWork::Snapshot { .. } | DatabaseWork::Grow { .. } => draft,
    }
}

fn of_instance(instance: &DbInstance, work: &DatabaseWork) -> Result<Draft, NoPlan> {
    let id = &instance.id;
    let mut checks = vec![match work {
        DatabaseWork::Grow { .. } => growable(&instance.status),
        _ => available(&instance.status),
    }];
    let mut saw = Saw::fact(format!("the status of {}", id.name), instance.status.clone())
        .and(Saw::fact(format!("the zone of {}", id.name), instance.zone.clone().unwrap_or_default()));
    let zone = || instance.zone.clone().unwrap_or_else(|| "its zone".to_owned());
    let (change, reach, mutation, goal, destructive) = match work {
        DatabaseWork::Reboot { failover: false } => (
            FieldChange::new("instance", "running", "rebooted"),
            vec![
                "connections break; it is usually back within a minute or two, later when it has to recover"
                    .to_owned(),
            ],
            Mutation::RebootDatabase { database: id.clone(), failover: false },
            DatabaseGoal::Available,
            true,
        ),
        DatabaseWork::Reboot { failover: true } => {
            if !instance.multi_az {
                return Err(NoPlan::Refused(format!(
                    "{} is not Multi-AZ: there is nothing to fail over to",
                    id.name
                )));
            }
            let to = instance.secondary_zone.clone().unwrap_or_else(|| "its standby's zone".to_owned());
            (
                FieldChange::new("zone", zone(), to),
                vec!["connections break; the standby usually takes over within 60 to 120 s".to_owned()],
                Mutation::RebootDatabase { database: id.clone(), failover: true },
                DatabaseGoal::OtherZone(instance.zone.clone()),
                true,
            )
        }
        DatabaseWork::Failover { .. } => {
            let why = format!("{} is an instance: `rds reboot --failover` moves it to its standby", id.name);
            return Err(NoPlan::Refused(why));
        }
        DatabaseWork::Snapshot { name } => {
            let pause = if instance.multi_az {
                "taken from the standby: no pause"
            } else {
                "input and output may pause for some seconds: it is not Multi-AZ"
            };
            (
                FieldChange::new("snapshot", "none", name.clone()),
                vec![pause.to_owned()],
                Mutation::CreateSnapshot { database: id.clone(), name: name.clone() },
                DatabaseGoal::Available,
                false,
            )
        }
        DatabaseWork::Grow { to } => {
            let now = instance.allocated_gib;
            // RDS takes at least a tenth more, and never less again.
            let least = now + now.div_ceil(10);
            if *to < least {
                return Err(NoPlan::Refused(format!(
                    "it has {now} GiB: RDS grows by a tenth at least, to {least} GiB or more"
                )));
            }
            saw = saw.and(Saw::fact(format!("what is pending at {}", id.name), pending(instance)));
            checks.push(Check::new(
                "time since the last change",
                Finding::NotVerified,
                "RDS refuses a second change of the storage within six hours",
            ));
            (
                FieldChange::new("allocated storage", format!("{now} GiB"), format!("{to} GiB")),
                vec![
                    "no outage; it is slower while the storage is optimized, which takes hours".to_owned(),
                    "storage never gets smaller again".to_owned(),
                ],
                Mutation::GrowStorage { database: id.clone(), to: *to },
                DatabaseGoal::Storage(*to),
                true,
            )
        }
    };
    checks.extend(waiting(instance, work));
    let plan = Plan { changes: vec![change], reach, checks, ..Plan::default() };
    let goal = match work {
        DatabaseWork::Snapshot { name } => Goal::Snapshot { database: id.clone(), name: name.clone() },
        _ => Goal::Database { database: id.clone(), goal },
    };
    let draft = Draft::new(plan, vec![Step::new(mutation, goal)], saw);
    Ok(if destructive { draft.destructive() } else { draft })
}

/// What waits for the window or a reboot, by AWS's names.
fn pending(instance: &DbInstance) -> String {
    let told: Vec<String> = instance.pending.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

/// What the call applies besides. RDS has no way to grow the storage at once and to leave what is pending alone; and
/// which pending value a reboot applies differs from one to the next, so none is promised.
fn waiting(instance: &DbInstance, work: &DatabaseWork) -> Vec<Check> {
    let mut checks = Vec::new();
    let name = "pending changes";
    match work {
        DatabaseWork::Grow { .. } if instance.pending.is_empty() => {
            checks.push(Check::new(name, Finding::Pass, "nothing is pending that would be applied with it"));
        }
        DatabaseWork::Grow { .. } => {
            let why = format!(
                "RDS would apply these with it, at once and perhaps with an outage: {}; let them be applied or take them back first",
                pending(instance)
            );
            checks.push(Check::new(name, Finding::Block, why));
        }
        _ if instance.pending.is_empty() => {}
        _ => checks.push(Check::new(name, Finding::Warn, format!("pending: {}", pending(instance)))),
    }
    let groups: Vec<&str> = instance
        .parameter_groups
        .iter()
        .filter(|group| group.status == "pending-reboot")
        .map(|group| group.name.as_str())
        .collect();
    if matches!(work, DatabaseWork::Reboot { .. }) && !groups.is_empty() {
        let why = format!("applied by the reboot: what waits in {}", groups.join(", "));
        checks.push(Check::new("parameters", Finding::Warn, why));
    }
    checks
}

fn of_cluster(cluster: &DbCluster, work: &DatabaseWork) -> Result<Draft, NoPlan> {
    let id = &cluster.id;
    let writer = cluster.members.iter().find(|member| member.writer).map(|member| member.instance.clone());
    let saw = Saw::fact(format!("the writer of {}", id.name), writer.clone().unwrap_or_default());
    let checks = vec![available(&cluster.status)];
    match work {
        DatabaseWork::Failover { to } => {
            let readers: Vec<&str> =
                cluster.members.iter().filter(|m| !m.writer).map(|m| m.instance.as_str()).collect();
            if readers.is_empty() {
                return Err(NoPlan::Refused(format!("{} has no replica to fail over to", id.name)));
            }
            if let Some(to) = to
                && !readers.contains(&to.as_str())
            {
                return Err(NoPlan::Refused(format!(
                    "{to} is no replica of {}: {}",
                    id.name,
                    readers.join(", ")
                )));
            }
            let after = to.clone().unwrap_or_else(|| format!("one of {}", readers.join(", ")));
            let plan = Plan {
                changes: vec![FieldChange::new(
                    "writer",
                    writer.clone().unwrap_or_else(|| "none".to_owned()),
                    after,
                )],
                reach: vec!["writes fail and connections break, usually for less than 60 s".to_owned()],
                checks,
                ..Plan::default()
            };
            let mutation = Mutation::FailoverCluster { database: id.clone(), to: to.clone() };
            let goal = DatabaseGoal::Writer { before: writer, to: to.clone() };
            let goal = Goal::Database { database: id.clone(), goal };
            Ok(Draft::new(plan, vec![Step::new(mutation, goal)], saw).destructive())
        }
        DatabaseWork::Snapshot { name } => {
            let plan = Plan {
                changes: vec![FieldChange::new("snapshot", "none", name.clone())],
                reach: vec!["no pause: it is taken from the cluster's storage".to_owned()],
                checks,
                ..Plan::default()
            };
            let mutation = Mutation::CreateSnapshot { database: id.clone(), name: name.clone() };
            let goal = Goal::Snapshot { database: id.clone(), name: name.clone() };
            Ok(Draft::new(plan, vec![Step::new(mutation, goal)], saw))
        }
        DatabaseWork::Reboot { .. } => {
            Err(NoPlan::Refused(format!("{} is a cluster: name one of its instances to reboot", id.name)))
        }
        DatabaseWork::Grow { .. } => {
            Err(NoPlan::Refused(format!("{} is a cluster: its storage grows by itself", id.name)))
        }
    }
}

fn groups(cache: &CacheId) -> Query {
    Query::DescribeReplicationGroups { scope: cache.scope.clone(), page: None }
}

fn group<'f>(id: &CacheId, facts: &'f Facts) -> Option<&'f ReplicationGroup> {
    facts.pages(&groups(id)).answers.into_iter().find_map(|answer| match answer {
        Answer::ReplicationGroups { found, .. } => found.iter().find(|group| group.id == *id),
        _ => None,
    })
}

/// What to ask about a cache.
pub(in crate::guard) fn cache_wants(cache: &CacheId, facts: &Facts) -> Vec<Query> {
    if group(cache, facts).is_some() {
        region::wants(&cache.scope, LOOKED_AT, facts)
    } else {
        facts.pages(&groups(cache)).next.into_iter().collect()
    }
}

/// Tests a cache's failover.
pub(in crate::guard) fn cache_failover(
    id: &CacheId,
    node_group: Option<&str>,
    facts: &Facts,
) -> Result<Draft, NoPlan> {
    let group = group(id, facts).ok_or_else(|| absent(&id.name, &groups(id), facts))?;
    let known = || group.shards.iter().map(|shard| shard.id.as_str()).collect::<Vec<_>>().join(", ");
    let shard = match (node_group, group.shards.as_slice()) {
        (Some(wanted), shards) => shards.iter().find(|shard| shard.id == wanted),
        (None, [one]) => Some(one),
        (None, _) => None,
    };
    let Some(shard) = shard else {
        return Err(NoPlan::Refused(format!("name the node group to test: {}", known())));
    };
    let primary =
        shard.members.iter().find(|m| m.role.as_deref() == Some("primary")).map(|m| m.cluster.clone());
    let enabled = group.automatic_failover.as_deref() == Some("enabled");
    let checks = vec![
        available(&group.status),
        if enabled && shard.members.len() > 1 {
            Check::new("automatic failover", Finding::Pass, "it is enabled, and there is a replica")
        } else {
            let why = "it is not enabled, or there is no replica: ElastiCache refuses a test";
            Check::new("automatic failover", Finding::Block, why)
        },
    ];
    let plan = Plan {
        changes: vec![FieldChange::new(
            format!("primary of node group {}", shard.id),
            primary.clone().unwrap_or_else(|| "unknown".to_owned()),
            "a replica",
        )],
        reach: vec!["writes fail for some seconds to minutes; replication is asynchronous, so the last writes may be lost".to_owned()],
        checks,
        ..Plan::default()
    };
    let saw = Saw::fact(format!("the primary of {}", id.name), primary.clone().unwrap_or_default());
    let node_group = shard.id.clone();
    let mutation = Mutation::TestCacheFailover { cache: id.clone(), node_group: node_group.clone() };
    let goal = Goal::CacheFailover { cache: id.clone(), node_group, primary };
    let draft = Draft::new(plan, vec![Step::new(mutation, goal)], saw).destructive();
    Ok(followed(draft, &id.name, &id.scope, facts))
}
