//! `cache [NAME]`: replication groups with their nodes, and cache clusters that stand alone, sick ones first; with
//! NAME the events of the last day too.
//!
//! Must not judge a cache; `diagnose` does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cli::envelope::{Missing, why_unread};
use crate::cli::exit::Exit;
use crate::cli::finding::{self, Evidence, Finding, worst};
use crate::cli::gather::Work;
use crate::cli::health;
use crate::cli::item::{Map, Shape, Shaped, Time, map, shape, time};
use crate::cli::named::{Named, only};
use crate::cli::numbers::Numbers;
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::config::Config;
use crate::diagnose::Severity;
use crate::diagnose::cache::{Cache, CacheFacts, cache_findings, severity_of_status};
use crate::domain::cache::{CacheCluster, CacheId, ReplicationGroup};
use crate::domain::database::DataEvent;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// What tells of events.
const EVENTS: &str = "elasticache:DescribeEvents";

/// Events that explain what clients see are no older.
const YOUNG: Duration = Duration::from_secs(3_600);

/// How far back the events of a cache are told that was named.
const DAY: Duration = Duration::from_secs(24 * 3_600);

shape! {
    /// A replication group, or a cache cluster that belongs to none.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// `replication_group` or `cluster`.
        kind: String = "text",
        /// The id.
        name: String = "text",
        /// The ARN.
        arn: String = "text",
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `notice` (it can wait), `ok` or `idle`.
        severity: Severity = "text",
        /// Why it is judged so, in one sentence.
        reason: String = "text",
        /// ElastiCache's status: `available`, `modifying`, …
        status: String = "text",
        /// `redis`, `valkey`, `memcached`.
        engine: Option<String> = "text or null",
        /// The engine's version.
        engine_version: Option<String> = "text or null",
        /// `cache.t4g.micro`, …
        node_type: Option<String> = "text or null",
        /// Whether it is sharded.
        cluster_mode: bool = "boolean",
        /// `enabled`, `disabled`, `enabling`, `disabling`; null for clusters that stand alone.
        automatic_failover: Option<String> = "text or null",
        /// `enabled`, `disabled`; null for clusters that stand alone.
        multi_az: Option<String> = "text or null",
        /// All that is wrong with it, the worst first.
        findings: Vec<Finding> = "list of Finding",
        /// Its nodes.
        nodes: Vec<Node> = "list of Node",
        /// The host that clients connect to.
        host: Option<String> = "text or null",
        /// Its port.
        port: Option<u16> = "integer or null",
        /// Whether it is encrypted on the wire; null for clusters that stand alone.
        transit_encryption: Option<bool> = "boolean or null",
        /// Whether it is encrypted at rest; null for clusters that stand alone.
        at_rest_encryption: Option<bool> = "boolean or null",
        /// Whether clients must give a token; null for clusters that stand alone.
        auth_token: Option<bool> = "boolean or null",
        /// Days that snapshots are kept, 0 means none; null for clusters that stand alone.
        snapshot_retention_days: Option<u32> = "integer or null",
        /// `hh:mm-hh:mm` UTC.
        snapshot_window: Option<String> = "text or null",
        /// `ddd:hh:mm-ddd:hh:mm` UTC.
        maintenance_window: Option<String> = "text or null",
        /// Changes that wait.
        pending: Map = "object of text",
        /// What its owners wrote.
        description: Option<String> = "text or null",
        /// What ElastiCache reported in the last 24 h, newest first; null unless it was named and they could be read.
        events: Option<Vec<Event>> = "list of Event, or null",
        /// Created.
        created_at: Option<Time> = "time or null",
    }

    /// Something that ElastiCache reported.
    Event {
        /// When.
        at: Time = "time",
        /// The cache or node that it is about.
        source: String = "text",
        /// ElastiCache's sentence.
        message: String = "text",
    }

    /// A node.
    Node {
        /// The cache cluster's id, by which metrics go.
        cluster: String = "text",
        /// The node's id.
        node: String = "text",
        /// The shard; null for clusters that stand alone.
        shard: Option<String> = "text or null",
        /// `primary`, `replica`; null with cluster mode.
        role: Option<String> = "text or null",
        /// Its zone.
        zone: Option<String> = "text or null",
        /// Its status; null when ElastiCache did not say.
        status: Option<String> = "text or null",
        /// Percent of its processors now.
        cpu_percent: Option<f64> = "number or null",
        /// Percent of the engine's one thread.
        engine_cpu_percent: Option<f64> = "number or null",
        /// Percent of the memory that data may take.
        memory_percent: Option<f64> = "number or null",
        /// Keys evicted in the last minute.
        evictions: Option<f64> = "number or null",
        /// Clients connected.
        connections: Option<f64> = "number or null",
        /// Seconds behind its primary.
        replication_lag_s: Option<f64> = "number or null",
        /// CPU credits left; null for types without.
        cpu_credits: Option<f64> = "number or null",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE, Finding::SHAPE, Evidence::SHAPE, Node::SHAPE, Event::SHAPE]
}

impl Named for Item {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, &self.arn)
    }
}

/// All that was found.
#[derive(Default)]
struct Seen {
    groups: Vec<ReplicationGroup>,
    clusters: Vec<CacheCluster>,
    events: BTreeMap<Scope, Vec<DataEvent>>,
    /// Where the events were read to their end.
    events_read: BTreeSet<Scope>,
    numbers: Numbers,
}

/// What items are made with.
struct Maker<'a> {
    seen: &'a Seen,
    config: &'a Config,
    now: Wall,
    /// Whether one was named, so that more is told about it.
    named: bool,
}

impl Maker<'_> {
    fn findings(&self, cache: Cache<'_>, status: &str) -> (Severity, String, Vec<Finding>) {
        let id = cache.id();
        let facts = CacheFacts {
            metrics: cache
                .nodes()
                .into_iter()
                .filter_map(|node| Some((node.to_owned(), self.seen.numbers.cache(&id.scope, node)?.clone())))
                .collect(),
            clusters: self.seen.clusters.iter().filter(|cluster| cluster.id.scope == id.scope).collect(),
            events: self.seen.events.get(&id.scope).map(Vec::as_slice).unwrap_or_default(),
            production: self.config.is_production(id.scope.account.as_str(), Some(&id.name)),
        };
        let mut found = cache_findings(cache, &facts, self.now);
        let (severity, reason) = worst(&mut found, (severity_of_status(status), status));
        (severity, reason, found.iter().map(Finding::from).collect())
    }

    fn events(&self, cache: Cache<'_>) -> Option<Vec<Event>> {
        let (id, nodes) = (cache.id(), cache.nodes());
        let all = self.seen.events.get(&id.scope).into_iter().flatten();
        let mut own: Vec<&DataEvent> =
            all.filter(|event| event.source == id.name || nodes.contains(&event.source.as_str())).collect();
        own.sort_by_key(|event| std::cmp::Reverse(event.at));
        let told = own.into_iter().map(|event| Event {
            at: Time(event.at),
            source: event.source.clone(),
            message: event.message.clone(),
        });
        finding::known(told.collect(), self.seen.events_read.contains(&id.scope)).filter(|_| self.named)
    }

    fn member(&self, scope: &Scope, name: &str) -> Option<&CacheCluster> {
        let id = CacheId { scope: scope.clone(), name: name.to_owned() };
        self.seen.clusters.iter().find(|cluster| cluster.id == id)
    }

    /// A node with its numbers; where it stands is filled in by whoever knows it.
    fn node(&self, scope: &Scope, cluster: &str, node: &str) -> Node {
        let numbers = self.seen.numbers.cache(scope, cluster);
        let number = |name: &str| numbers?.get(name).copied();
        Node {
            cluster: cluster.to_owned(),
            node: node.to_owned(),
            shard: None,
            role: None,
            zone: None,
            status: None,
            cpu_percent: number("CPUUtilization"),
            engine_cpu_percent: number("EngineCPUUtilization"),
            memory_percent: number("DatabaseMemoryUsagePercentage"),
            evictions: number("Evictions"),
            connections: number("CurrConnections"),
            replication_lag_s: number("ReplicationLag"),
            cpu_credits: number("CPUCreditBalance"),
        }
    }

    fn group(&self, found: &ReplicationGroup) -> Item {
        let scope = &found.id.scope;
        let cache = Cache::Group(found);
        let (severity, reason, findings) = self.findings(cache, &found.status);
        let members = found.shards.iter().flat_map(|shard| shard.members.iter().map(move |m| (shard, m)));
        let nodes: Vec<Node> = members
            .map(|(shard, member)| Node {
                shard: Some(shard.id.clone()),
                role: member.role.clone(),
                zone: member.zone.clone(),
                status: self.member(scope, &member.cluster).map(|cluster| cluster.status.clone()),
                ..self.node(scope, &member.cluster, &member.node)
            })
            .collect();
        let first = nodes.first().and_then(|node| self.member(scope, &node.cluster));
        Item {
            account: scope.account.to_string(),
            account_id: account_id(&found.arn),
            region: scope.region.to_string(),
            kind: "replication_group".to_owned(),
            name: found.id.name.clone(),
            arn: found.arn.clone(),
            severity,
            reason,
            findings,
            status: found.status.clone(),
            engine: found.engine.clone().or_else(|| first.map(|cluster| cluster.engine.clone())),
            engine_version: first.map(|cluster| cluster.engine_version.clone()),
            node_type: found.node_type.clone(),
            cluster_mode: found.cluster_mode,
            automatic_failover: found.automatic_failover.clone(),
            multi_az: found.multi_az.clone(),
            host: found.endpoint.as_ref().map(|endpoint| endpoint.host.clone()),
            port: found.endpoint.as_ref().map(|endpoint| endpoint.port),
            transit_encryption: Some(found.transit_encryption),
            at_rest_encryption: Some(found.at_rest_encryption),
            auth_token: Some(found.auth_token),
            snapshot_retention_days: Some(found.snapshot_retention_days),
            snapshot_window: found.snapshot_window.clone(),
            maintenance_window: first.and_then(|cluster| cluster.maintenance_window.clone()),
            pending: map(&found.pending),
            description: found.description.clone(),
            events: self.events(cache),
            created_at: time(found.created_at),
            nodes,
        }
    }

    fn cluster(&self, found: &CacheCluster) -> Item {
        let scope = &found.id.scope;
        let cache = Cache::Cluster(found);
        let (severity, reason, findings) = self.findings(cache, &found.status);
        let endpoint = found.nodes.iter().find_map(|node| node.endpoint.as_ref());
        let nodes = found.nodes.iter().map(|node| Node {
            zone: node.zone.clone(),
            status: Some(node.status.clone()),
            ..self.node(scope, &found.id.name, &node.id)
        });
        Item {
            account: scope.account.to_string(),
            account_id: account_id(&found.arn),
            region: scope.region.to_string(),
            kind: "cluster".to_owned(),
            name: found.id.name.clone(),
            arn: found.arn.clone(),
            severity,
            reason,
            findings,
            status: found.status.clone(),
            engine: Some(found.engine.clone()),
            engine_version: Some(found.engine_version.clone()),
            node_type: Some(found.node_type.clone()),
            cluster_mode: false,
            automatic_failover: None,
            multi_az: None,
            nodes: nodes.collect(),
            host: endpoint.map(|endpoint| endpoint.host.clone()),
            port: endpoint.map(|endpoint| endpoint.port),
            transit_encryption: None,
            at_rest_encryption: None,
            auth_token: None,
            snapshot_retention_days: None,
            snapshot_window: None,
            maintenance_window: found.maintenance_window.clone(),
            pending: Map::new(),
            description: None,
            events: self.events(cache),
            created_at: time(found.created_at),
        }
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means no cache or several, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let now = gather.begun().wall;
    let name = request.text("NAME");
    let from = now.minus(if name.is_some() { DAY } else { YOUNG });
    let mut seen = Seen::default();
    let lists = session.scopes.iter().flat_map(|scope| {
        [
            Query::DescribeReplicationGroups { scope: scope.clone(), page: None },
            Query::DescribeCacheClusters { scope: scope.clone(), page: None },
            Query::DescribeCacheEvents { scope: scope.clone(), from, page: None },
        ]
    });
    let work = lists.map(Work::pages).collect();
    gather
        .run(work, |query, answer| {
            match answer {
                Answer::ReplicationGroups { found, .. } => seen.groups.extend(found),
                Answer::CacheClusters { found, .. } => seen.clusters.extend(found),
                Answer::DataEvents { found, next } => {
                    if next.is_none() {
                        seen.events_read.insert(query.scope().clone());
                    }
                    seen.events.entry(query.scope().clone()).or_default().extend(found);
                }
                _ => {}
            }
            Vec::new()
        })
        .await;
    if !request.is_on("no-metrics") {
        let work = measured(&mut seen, name, now);
        let numbers = &mut seen.numbers;
        gather
            .run(work, |query, answer| {
                if let Answer::Metrics { series, .. } = answer {
                    numbers.take(query.scope(), series);
                }
                Vec::new()
            })
            .await;
        numbers.tell(&mut gather);
    }
    let maker = Maker { seen: &seen, config: &session.config, now, named: name.is_some() };
    let alone = seen.clusters.iter().filter(|cluster| cluster.group.is_none());
    let groups = seen.groups.iter().map(|group| maker.group(group));
    let items = groups.chain(alone.map(|cluster| maker.cluster(cluster))).collect();
    let mut items = only(items, name, "cache", session, &mut gather)?;
    items.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| key(a).cmp(&key(b))));
    let report = gather.report(items);
    let unread = name.map(|_| report.failures.as_slice());
    Ok(printer.report(&report, |items, printer| table(items, unread, printer))?)
}

/// The requests for numbers: of the nodes of what was named, or of all.
fn measured(seen: &mut Seen, name: Option<&str>, now: Wall) -> Vec<Work> {
    let Seen { groups, clusters, numbers, .. } = seen;
    let arns: BTreeMap<(&Scope, &str), &str> =
        groups.iter().map(|group| ((&group.id.scope, group.id.name.as_str()), group.arn.as_str())).collect();
    let means = |cluster: &&CacheCluster| {
        let scope = &cluster.id.scope;
        let (whole, arn) = match &cluster.group {
            Some(group) => (group.as_str(), arns.get(&(scope, group.as_str())).copied().unwrap_or_default()),
            None => (cluster.id.name.as_str(), cluster.arn.as_str()),
        };
        name.is_none_or(|name| name == whole || name == arn)
    };
    let mut by_scope: BTreeMap<Scope, Vec<&CacheCluster>> = BTreeMap::new();
    for cluster in clusters.iter().filter(means) {
        by_scope.entry(cluster.id.scope.clone()).or_default().push(cluster);
    }
    by_scope.into_iter().flat_map(|(scope, found)| numbers.caches(&scope, found, now)).collect()
}

fn key(item: &Item) -> (&str, &str, &str) {
    (&item.account, &item.region, &item.name)
}

/// `unread` is what could not be read, when one was named.
fn table(items: &[Item], unread: Option<&[Missing]>, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::name("CACHE"),
        Column::fixed("REGION").lesser(2),
        Column::fixed("STATUS"),
        Column::fixed("ENGINE").lesser(1),
        Column::fixed("TYPE").lesser(5),
        Column::fixed("FAILOVER").lesser(4),
        Column::number("CPU"),
        Column::number("MEMORY"),
        Column::number("EVICTED").lesser(3),
        Column::sentence("WHAT"),
    ])
    .spilling();
    for item in items {
        let engine = [item.engine.as_deref(), item.engine_version.as_deref()];
        let waits: Vec<String> = item.pending.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let what = match item.findings.len() {
            0 if !waits.is_empty() => format!("waits: {}", waits.join(", ")),
            _ => finding::summary(&item.reason, &item.findings),
        };
        table.row([
            health::cell(item.severity, printer),
            Cell::new(&item.name),
            Cell::new(&item.region),
            Cell::new(&item.status),
            engine.into_iter().flatten().collect::<Vec<_>>().join(" ").into(),
            Cell::new(item.node_type.as_deref().unwrap_or("")),
            Cell::new(item.automatic_failover.as_deref().unwrap_or("-")),
            Cell::default(),
            Cell::default(),
            Cell::default(),
            what.into(),
        ]);
        for node in &item.nodes {
            let zone = [node.role.as_deref(), node.zone.as_deref()];
            let percent = |n: Option<f64>| n.map_or_else(Cell::default, |n| Cell::new(format!("{n:.0} %")));
            // In a replication group each cluster is one node, and its number says nothing.
            let several = item.nodes.iter().filter(|other| other.cluster == node.cluster).count() > 1;
            let name = if several { format!("{} {}", node.cluster, node.node) } else { node.cluster.clone() };
            table.row([
                Cell::default(),
                format!("  {name}").into(),
                Cell::default(),
                Cell::new(node.status.as_deref().unwrap_or("?")),
                zone.into_iter().flatten().collect::<Vec<_>>().join(" ").into(),
                Cell::default(),
                Cell::default(),
                percent(node.engine_cpu_percent.or(node.cpu_percent)),
                percent(node.memory_percent),
                node.evictions.map_or_else(Cell::default, |n| Cell::new(format!("{n:.0}"))),
            ]);
        }
    }
    let mut lines = printer.set(&table);
    if let Some(failures) = unread {
        lines.extend(items.iter().flat_map(|item| told(item, failures, printer)));
    }
    lines
}

/// What is told of a cache that was named: all findings and events.
fn told(item: &Item, failures: &[Missing], printer: &Printer) -> Vec<String> {
    let mut lines = finding::lines(&item.findings, printer);
    let unread = why_unread(failures, &item.account, &item.region, EVENTS);
    let none = "ElastiCache reported nothing in the last 24 h.";
    lines.extend(finding::told(item.events.as_deref(), unread.as_deref(), ("Events", none), |events| {
        let columns = [Column::fixed("TIME"), Column::name("SOURCE"), Column::sentence("EVENT")];
        let mut table = Table::new(&columns).spilling();
        for event in events {
            table.row([Cell::new(event.at.0.rfc3339()), Cell::new(&event.source), Cell::new(&event.message)]);
        }
        printer.set(&table)
    }));
    lines
}
