//! What an ElastiCache group's or cluster's status, numbers and settings mean.
//!
//! Must not judge a cluster that belongs to a group: the group is judged, with its nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Severity::{Critical, Notice, Ok, Progress, Warning};
use super::database::class_vcpus;
use super::number::short;
use super::{Evidence, Finding, Severity, Subject, rank};
use crate::domain::cache::{CacheCluster, CacheId, ReplicationGroup};
use crate::domain::database::DataEvent;
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::count;

/// For so long an event explains what clients see.
const EVENT_LIFE: Duration = Duration::from_secs(3_600);

/// A node takes 65,000 clients (ElastiCache quotas).
const MOST_CLIENTS: f64 = 65_000.0;

/// A replication group, or a cluster that stands alone (memcached).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache<'a> {
    /// A replication group.
    Group(&'a ReplicationGroup),
    /// A cluster without a group.
    Cluster(&'a CacheCluster),
}

impl<'a> Cache<'a> {
    /// Which one.
    #[must_use]
    pub fn id(self) -> &'a CacheId {
        match self {
            Self::Group(group) => &group.id,
            Self::Cluster(cluster) => &cluster.id,
        }
    }

    /// What a finding about it is about.
    #[must_use]
    pub fn subject(self) -> Subject {
        Subject::Cache(self.id().clone())
    }

    /// The cache clusters by which its metrics go.
    #[must_use]
    pub fn nodes(self) -> Vec<&'a str> {
        match self {
            Self::Group(group) => {
                group.shards.iter().flat_map(|shard| &shard.members).map(|m| m.cluster.as_str()).collect()
            }
            Self::Cluster(cluster) => vec![cluster.id.name.as_str()],
        }
    }
}

/// What is known about one cache besides its description. What was not read stays empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheFacts<'a> {
    /// By node (the cache cluster's id), the newest number of each metric in CloudWatch's units.
    pub metrics: BTreeMap<String, BTreeMap<String, f64>>,
    /// The cache clusters of the scope; those of the group are picked by name.
    pub clusters: Vec<&'a CacheCluster>,
    /// Events of the whole scope; those of this cache are picked by name.
    pub events: &'a [DataEvent],
    /// Whether it is production, by the configuration.
    pub production: bool,
}

/// How bad a status of a group, shard, cluster or node is; a word that is new to us is a warning.
#[must_use]
pub fn severity_of_status(status: &str) -> Severity {
    match status {
        "available" | "snapshotting" => Ok,
        "creating" | "modifying" => Progress,
        "deleting" | "deleted" | "rebooting cluster nodes" => Warning,
        "create-failed" | "incompatible-network" | "restore-failed" => Critical,
        _ => Warning,
    }
}

/// All that is wrong with a cache, the worst first.
#[must_use]
pub fn cache_findings(cache: Cache<'_>, facts: &CacheFacts<'_>, now: Wall) -> Vec<Finding> {
    let mut rules = Rules { cache, facts, now, found: Vec::new() };
    rules.status();
    rules.numbers();
    rules.events();
    if let Cache::Group(group) = cache {
        rules.settings(group);
    }
    let mut found = rules.found;
    rank(&mut found);
    found
}

struct Rules<'a> {
    cache: Cache<'a>,
    facts: &'a CacheFacts<'a>,
    now: Wall,
    found: Vec<Finding>,
}

impl Rules<'_> {
    fn say(&mut self, rule: &'static str, severity: Severity, sentence: impl Into<String>) {
        self.found.push(Finding::new(self.cache.subject(), rule, severity, sentence));
    }

    fn status(&mut self) {
        let mut words: Vec<(String, &str)> = Vec::new();
        match self.cache {
            Cache::Group(group) => {
                words.push(("Status".to_owned(), &group.status));
                words.extend(group.shards.iter().map(|s| (format!("Shard {}", s.id), s.status.as_str())));
            }
            Cache::Cluster(cluster) => {
                words.push(("Status".to_owned(), &cluster.status));
                words.extend(cluster.nodes.iter().map(|n| (format!("Node {}", n.id), n.status.as_str())));
            }
        }
        let nodes = self.cache.nodes();
        let members = self.facts.clusters.iter().filter(|cluster| {
            cluster.id.scope == self.cache.id().scope && nodes.contains(&cluster.id.name.as_str())
        });
        if matches!(self.cache, Cache::Group(_)) {
            words.extend(members.map(|c| (format!("Node {}", c.id.name), c.status.as_str())));
        }
        // One line: the worst, and of equals the outermost.
        let worst = words
            .iter()
            .map(|(what, status)| (severity_of_status(status), what, *status))
            .min_by_key(|(severity, ..)| *severity);
        if let Some((severity, what, status)) = worst
            && !severity.is_calm()
        {
            let rest = if status == "modifying" || status == "creating" { "" } else { ", not available" };
            let text = format!("{what} {status}{rest}");
            self.say("cache.status", severity, text);
        }
    }

    /// The worst value of a metric over the nodes, with its node.
    fn worst(&self, metric: &str, low_is_bad: bool) -> Option<(f64, String)> {
        let values = self.cache.nodes().into_iter().filter_map(|node| {
            let value = *self.facts.metrics.get(node)?.get(metric)?;
            value.is_finite().then(|| (value, node.to_owned()))
        });
        if low_is_bad {
            values.min_by(|a, b| a.0.total_cmp(&b.0))
        } else {
            values.max_by(|a, b| a.0.total_cmp(&b.0))
        }
    }

    fn numbers(&mut self) {
        let steps = |value: f64, warn: f64, critical: f64| {
            if value > critical {
                Some(Critical)
            } else if value > warn {
                Some(Warning)
            } else {
                None
            }
        };
        if let Some((used, node)) = self.worst("DatabaseMemoryUsagePercentage", false)
            && let Some(severity) = steps(used, 80.0, 90.0)
        {
            self.say("cache.memory", severity, format!("Memory {} % used on {node}", short(used)));
        }
        if let Some((evicted, node)) = self.worst("Evictions", false)
            && evicted > 0.0
        {
            let text =
                format!("{} keys evicted in the last minutes on {node}: memory is short", short(evicted));
            self.say("cache.evictions", Warning, text);
        }
        let busy = self.worst("EngineCPUUtilization", false);
        if let Some((cpu, node)) = &busy
            && let Some(severity) = steps(*cpu, 80.0, 90.0)
        {
            let text = format!("The engine's one thread is {} % busy on {node}", short(*cpu));
            self.say("cache.engine-cpu", severity, text);
        }
        // The engine works on one core: on a small node the whole node's share shows that core.
        let cores = self.node_type().and_then(class_vcpus).filter(|_| busy.is_none() && self.is_single());
        if let Some((cpu, node)) = self.worst("CPUUtilization", false)
            && let Some(cores) = cores
            && cpu > 90.0 / f64::from(cores)
        {
            let text = format!("CPU at {} % of {} on {node}: one core is full", short(cpu), cores_of(cores));
            self.say("cache.cpu", Warning, text);
        }
        if let Some((credits, node)) = self.worst("CPUCreditBalance", true)
            && credits < 10.0
            && self.worst("CPUUtilization", false).is_none_or(|(cpu, _)| cpu > 10.0)
        {
            let text = format!("{} CPU credits left on {node}: at 0 it slows down", short(credits));
            self.say("cache.cpu-credits", Warning, text);
        }
        if let Some((clients, node)) = self.worst("CurrConnections", false)
            && clients > 0.8 * MOST_CLIENTS
        {
            let text = format!("{} of 65000 connections used on {node}", short(clients));
            self.say("cache.connections", Warning, text);
        }
        if let Some((lag, node)) = self.worst("ReplicationLag", false)
            && lag > 30.0
        {
            self.say("cache.replication-lag", Warning, format!("{node} is {} s behind", short(lag)));
        }
    }

    /// Whether its engine works on one thread; memcached's does not.
    fn is_single(&self) -> bool {
        match self.cache {
            Cache::Group(_) => true,
            Cache::Cluster(cluster) => cluster.engine != "memcached",
        }
    }

    fn node_type(&self) -> Option<&str> {
        match self.cache {
            Cache::Group(group) => group.node_type.as_deref(),
            Cache::Cluster(cluster) => Some(&cluster.node_type),
        }
    }

    fn settings(&mut self, group: &ReplicationGroup) {
        let nodes = self.cache.nodes().len();
        if nodes == 1 && group.shards.len() == 1 {
            if self.facts.production {
                self.say("cache.single-node", Notice, "1 node, no replica: its loss empties the cache");
            }
        } else if group.automatic_failover.as_deref() == Some("disabled") {
            let text = format!("Automatic failover is disabled, though it has {}", count(nodes, "node"));
            self.say("cache.no-failover", Warning, text);
        } else if let Some(word @ ("enabling" | "disabling")) = group.automatic_failover.as_deref() {
            self.say("cache.failover-changes", Progress, format!("Automatic failover is {word}"));
        }
        if !self.facts.production {
            return;
        }
        if group.snapshot_retention_days == 0 {
            self.say("cache.no-snapshots", Notice, "Snapshots are kept 0 days");
        }
        let off: Vec<&str> = [
            (group.transit_encryption, "encryption on the wire"),
            (group.at_rest_encryption, "encryption at rest"),
            (group.auth_token, "authentication by token"),
        ]
        .into_iter()
        .filter(|(on, _)| !on)
        .map(|(_, what)| what)
        .collect();
        // RBAC replaces the token and cannot be told from the answer, so the token alone is no finding.
        if off.len() > 1 || off.first().is_some_and(|what| !what.contains("token")) {
            self.say("cache.open", Notice, format!("{} of 3 protections off: {}", off.len(), off.join(", ")));
        }
    }

    fn events(&mut self) {
        let nodes = self.cache.nodes();
        let own = |event: &&DataEvent| {
            (event.source == self.cache.id().name || nodes.contains(&event.source.as_str()))
                && event.at.age_at(self.now) < EVENT_LIFE
        };
        let telling = |event: &&DataEvent| {
            let words = event.message.to_ascii_lowercase();
            ["failover", "failed", "recover", "replac", "error"].iter().any(|word| words.contains(word))
        };
        let newest = self.facts.events.iter().filter(own).filter(telling).max_by_key(|event| event.at);
        if let Some(event) = newest {
            let ago = brief(event.at.age_at(self.now));
            let text = format!("{ago} ago: {}", event.message.trim_end_matches('.'));
            let mut finding =
                Finding::new(self.cache.subject(), "cache.event", Warning, text).since(Some(event.at));
            finding.evidence.push(Evidence { at: Some(event.at), text: event.message.clone() });
            self.found.push(finding);
        }
    }
}

fn cores_of(cores: u32) -> String {
    count(usize::try_from(cores).unwrap_or(usize::MAX), "core")
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::database::fixtures::scope;
    use super::*;
    use crate::domain::cache::{Shard, ShardMember};

    const NOW: Wall = Wall(1_795_000_000_000);

    pub(in crate::diagnose) fn group() -> ReplicationGroup {
        let member = |cluster: &str, role: &str| ShardMember {
            cluster: cluster.into(),
            node: "0001".into(),
            zone: None,
            role: Some(role.into()),
        };
        ReplicationGroup {
            id: CacheId { scope: scope(), name: "cma-redis".into() },
            arn: String::new(),
            description: None,
            status: "available".into(),
            engine: Some("redis".into()),
            node_type: Some("cache.t4g.micro".into()),
            cluster_mode: false,
            automatic_failover: Some("enabled".into()),
            multi_az: Some("enabled".into()),
            shards: vec![Shard {
                id: "0001".into(),
                status: "available".into(),
                members: vec![member("cma-redis-001", "primary"), member("cma-redis-002", "replica")],
            }],
            endpoint: None,
            snapshot_retention_days: 7,
            snapshot_window: None,
            transit_encryption: true,
            at_rest_encryption: true,
            auth_token: true,
            pending: Vec::new(),
            created_at: None,
        }
    }

    fn judged(
        group: &ReplicationGroup,
        numbers: &[(&str, &str, f64)],
        production: bool,
    ) -> Vec<(Severity, String)> {
        let mut metrics: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for (node, metric, value) in numbers {
            metrics.entry((*node).into()).or_default().insert((*metric).into(), *value);
        }
        let facts = CacheFacts { metrics, production, ..CacheFacts::default() };
        let found = cache_findings(Cache::Group(group), &facts, NOW);
        found.into_iter().map(|f| (f.severity, f.sentence)).collect()
    }

    #[test]
    fn a_well_cache_has_no_findings() {
        let numbers = [
            ("cma-redis-001", "DatabaseMemoryUsagePercentage", 40.0),
            ("cma-redis-001", "Evictions", 0.0),
            ("cma-redis-001", "EngineCPUUtilization", 12.0),
            ("cma-redis-002", "CPUCreditBalance", 200.0),
        ];
        assert_eq!(judged(&group(), &numbers, true), []);
    }

    #[test]
    fn numbers_are_told_with_their_node() {
        let numbers = [
            ("cma-redis-001", "DatabaseMemoryUsagePercentage", 84.0),
            ("cma-redis-002", "DatabaseMemoryUsagePercentage", 92.5),
            ("cma-redis-001", "Evictions", 310.0),
            ("cma-redis-001", "EngineCPUUtilization", 81.0),
            ("cma-redis-002", "CPUCreditBalance", 2.0),
        ];
        let texts: Vec<String> =
            judged(&group(), &numbers, true).into_iter().map(|(s, t)| format!("{}: {t}", s.word())).collect();
        assert_eq!(
            texts,
            [
                "critical: Memory 92.5 % used on cma-redis-002",
                "warning: 2 CPU credits left on cma-redis-002: at 0 it slows down",
                "warning: The engine's one thread is 81 % busy on cma-redis-001",
                "warning: 310 keys evicted in the last minutes on cma-redis-001: memory is short",
            ]
        );
        // Without the engine's own number the node's share of one core counts: 90 % of one of two.
        let small = [("cma-redis-001", "CPUUtilization", 46.0)];
        assert_eq!(
            judged(&group(), &small, true),
            [(Warning, "CPU at 46 % of 2 cores on cma-redis-001: one core is full".to_owned())]
        );
        // memcached works on all of them.
        let alone = |engine: &str| CacheCluster {
            id: CacheId { scope: scope(), name: "cma-mem".into() },
            engine: engine.into(),
            node_type: "cache.t4g.micro".into(),
            status: "available".into(),
            arn: String::new(),
            engine_version: "7.1".into(),
            nodes: Vec::new(),
            group: None,
            zone: None,
            maintenance_window: None,
            parameter_group: None,
            security_groups: Vec::new(),
            created_at: None,
        };
        let told = |engine: &str| {
            let numbers = BTreeMap::from([("CPUUtilization".to_owned(), 60.0)]);
            let metrics = BTreeMap::from([("cma-mem".to_owned(), numbers)]);
            let facts = CacheFacts { metrics, ..CacheFacts::default() };
            cache_findings(Cache::Cluster(&alone(engine)), &facts, NOW).len()
        };
        assert_eq!(["redis", "valkey", "memcached"].map(told), [1, 1, 0]);
    }

    #[test]
    fn settings_that_lose_data_are_told_in_production() {
        let bare = ReplicationGroup {
            automatic_failover: Some("disabled".into()),
            snapshot_retention_days: 0,
            transit_encryption: false,
            auth_token: false,
            ..group()
        };
        let texts: Vec<String> = judged(&bare, &[], true).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            [
                "Automatic failover is disabled, though it has 2 nodes",
                "Snapshots are kept 0 days",
                "2 of 3 protections off: encryption on the wire, authentication by token",
            ]
        );
        let mut single = group();
        single.shards[0].members.truncate(1);
        assert_eq!(judged(&single, &[], false), []);
        assert_eq!(
            judged(&single, &[], true),
            [(Notice, "1 node, no replica: its loss empties the cache".to_owned())]
        );
        // A group that uses RBAC has no token.
        assert_eq!(judged(&ReplicationGroup { auth_token: false, ..group() }, &[], true), []);
    }

    #[test]
    fn statuses_and_events_are_told() {
        for (status, severity) in [
            ("available", Ok),
            ("snapshotting", Ok),
            ("modifying", Progress),
            ("creating", Progress),
            ("rebooting cluster nodes", Warning),
            ("create-failed", Critical),
            ("incompatible-network", Critical),
            ("restore-failed", Critical),
            ("a-new-word", Warning),
        ] {
            assert_eq!(severity_of_status(status), severity, "{status}");
        }
        let odd = ReplicationGroup { status: "a-new-word".into(), ..group() };
        assert_eq!(judged(&odd, &[], true), [(Warning, "Status a-new-word, not available".to_owned())]);
        let event = |minutes: u64, message: &str| DataEvent {
            source: "cma-redis-001".into(),
            source_type: "cache-cluster".into(),
            at: NOW.minus(Duration::from_secs(minutes * 60)),
            message: message.into(),
            categories: Vec::new(),
        };
        let events = [
            event(5, "Failover to replica node cma-redis-002 completed"),
            event(3, "Cache cluster parameter group applied"),
            event(90, "Failover to replica node cma-redis-001 completed"),
        ];
        let facts = CacheFacts { events: &events, ..CacheFacts::default() };
        let found = cache_findings(Cache::Group(&group()), &facts, NOW);
        let texts: Vec<&str> = found.iter().map(|f| f.sentence.as_str()).collect();
        assert_eq!(texts, ["5 min ago: Failover to replica node cma-redis-002 completed"]);
    }
}
