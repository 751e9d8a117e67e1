//! `cache [NAME]`: replication groups with their nodes, and cache clusters that stand alone.

use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::health;
use crate::cli::item::{Map, Time, map, shape, time};
use crate::cli::judgement;
use crate::cli::named::{Named, only};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::diagnose::Severity;
use crate::domain::cache::{CacheCluster, ReplicationGroup};
use crate::domain::query::{Answer, Query};
use crate::domain::sweep::Goal;

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
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `ok` or `idle`.
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
        /// Created.
        created_at: Option<Time> = "time or null",
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
    }
}

impl Named for Item {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, &self.arn)
    }
}

fn of_group(found: ReplicationGroup, clusters: &[CacheCluster]) -> Item {
    let judged = judgement::group(&found);
    let scope = found.id.scope.clone();
    let own = |id: &str| clusters.iter().find(|c| c.id.scope == scope && c.id.name == id);
    let mut nodes = Vec::new();
    for shard in found.shards {
        nodes.extend(shard.members.into_iter().map(|member| Node {
            status: own(&member.cluster).map(|cluster| cluster.status.clone()),
            cluster: member.cluster,
            node: member.node,
            shard: Some(shard.id.clone()),
            role: member.role,
            zone: member.zone,
        }));
    }
    let first = nodes.first().and_then(|node| own(&node.cluster));
    Item {
        account: scope.account.to_string(),
        account_id: account_id(&found.arn),
        region: scope.region.to_string(),
        kind: "replication_group".to_owned(),
        name: found.id.name,
        arn: found.arn,
        severity: judged.severity,
        reason: judged.reason,
        status: found.status,
        engine: found.engine.or_else(|| first.map(|cluster| cluster.engine.clone())),
        engine_version: first.map(|cluster| cluster.engine_version.clone()),
        node_type: found.node_type,
        cluster_mode: found.cluster_mode,
        automatic_failover: found.automatic_failover,
        multi_az: found.multi_az,
        host: found.endpoint.as_ref().map(|endpoint| endpoint.host.clone()),
        port: found.endpoint.map(|endpoint| endpoint.port),
        transit_encryption: Some(found.transit_encryption),
        at_rest_encryption: Some(found.at_rest_encryption),
        auth_token: Some(found.auth_token),
        snapshot_retention_days: Some(found.snapshot_retention_days),
        snapshot_window: found.snapshot_window,
        maintenance_window: first.and_then(|cluster| cluster.maintenance_window.clone()),
        pending: map(&found.pending),
        description: found.description,
        created_at: time(found.created_at),
        nodes,
    }
}

fn of_cluster(found: &CacheCluster) -> Item {
    let judged = judgement::cache(found);
    let endpoint = found.nodes.iter().find_map(|node| node.endpoint.as_ref());
    Item {
        account: found.id.scope.account.to_string(),
        account_id: account_id(&found.arn),
        region: found.id.scope.region.to_string(),
        kind: "cluster".to_owned(),
        name: found.id.name.clone(),
        arn: found.arn.clone(),
        severity: judged.severity,
        reason: judged.reason,
        status: found.status.clone(),
        engine: Some(found.engine.clone()),
        engine_version: Some(found.engine_version.clone()),
        node_type: Some(found.node_type.clone()),
        cluster_mode: false,
        automatic_failover: None,
        multi_az: None,
        nodes: found
            .nodes
            .iter()
            .map(|node| Node {
                cluster: found.id.name.clone(),
                node: node.id.clone(),
                shard: None,
                role: None,
                zone: node.zone.clone(),
                status: Some(node.status.clone()),
            })
            .collect(),
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
        created_at: time(found.created_at),
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means no cache or several, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let (mut groups, mut clusters) = (Vec::new(), Vec::new());
    let lists = session.scopes.iter().flat_map(|scope| {
        [
            Query::DescribeReplicationGroups { scope: scope.clone(), page: None },
            Query::DescribeCacheClusters { scope: scope.clone(), page: None },
        ]
    });
    let work = lists.map(|query| Work::Sweep(Goal::Pages(Box::new(query)))).collect();
    gather
        .run(work, |_, answer| {
            match answer {
                Answer::ReplicationGroups { found, .. } => groups.extend(found),
                Answer::CacheClusters { found, .. } => clusters.extend(found),
                _ => {}
            }
            Vec::new()
        })
        .await;
    let mut items: Vec<Item> = groups.into_iter().map(|group| of_group(group, &clusters)).collect();
    items.extend(clusters.iter().filter(|cluster| cluster.group.is_none()).map(of_cluster));
    let mut items = only(items, request.text("NAME"), "cache", session, &gather)?;
    items.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| key(a).cmp(&key(b))));
    Ok(printer.report(&gather.report(items), table)?)
}

fn key(item: &Item) -> (&str, &str, &str) {
    (&item.account, &item.region, &item.name)
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::name("CACHE"),
        Column::fixed("REGION"),
        Column::fixed("STATUS"),
        Column::fixed("ENGINE"),
        Column::fixed("TYPE"),
        Column::number("NODES"),
        Column::fixed("FAILOVER"),
        Column::sentence("WAITS"),
    ]);
    for item in items {
        let engine = [item.engine.as_deref(), item.engine_version.as_deref()];
        let waits: Vec<String> = item.pending.iter().map(|(name, value)| format!("{name}={value}")).collect();
        table.row([
            health::cell(item.severity, printer),
            Cell::new(&item.name),
            Cell::new(&item.region),
            Cell::new(&item.status),
            engine.into_iter().flatten().collect::<Vec<_>>().join(" ").into(),
            Cell::new(item.node_type.as_deref().unwrap_or("")),
            item.nodes.len().to_string().into(),
            Cell::new(item.automatic_failover.as_deref().unwrap_or("-")),
            waits.join(", ").into(),
        ]);
        for node in &item.nodes {
            let zone = [node.role.as_deref(), node.zone.as_deref()];
            table.row([
                Cell::default(),
                format!("  {} {}", node.cluster, node.node).into(),
                Cell::default(),
                Cell::new(node.status.as_deref().unwrap_or("?")),
                zone.into_iter().flatten().collect::<Vec<_>>().join(" ").into(),
            ]);
        }
    }
    printer.set(&table)
}
