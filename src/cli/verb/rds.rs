//! `rds [NAME]`: database instances and clusters, sick ones first, members and replicas under their source.

use std::collections::BTreeMap;

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
use crate::domain::database::{DbCluster, DbInstance, Maintenance};
use crate::domain::query::{Answer, Query};
use crate::domain::sweep::Goal;

shape! {
    /// A database instance or cluster.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// `instance` or `cluster`.
        kind: String = "text",
        /// The identifier.
        name: String = "text",
        /// The ARN.
        arn: String = "text",
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `ok` or `idle`.
        severity: Severity = "text",
        /// Why it is judged so, in one sentence.
        reason: String = "text",
        /// RDS's status: `available`, `storage-full`, …
        status: String = "text",
        /// `cluster`, `writer`, `reader`, `replica`, or `primary`.
        role: String = "text",
        /// The cluster that it is a member of.
        cluster: Option<String> = "text or null",
        /// The instance that it replicates.
        source: Option<String> = "text or null",
        /// Its replicas or members.
        replicas: Vec<String> = "list of text",
        /// `postgres`, `mysql`, `aurora-postgresql`, …
        engine: String = "text",
        /// The engine's version.
        engine_version: String = "text",
        /// `db.r6g.large`, …; null for clusters.
        class: Option<String> = "text or null",
        /// The host that clients connect to; null while it is created.
        host: Option<String> = "text or null",
        /// Its port.
        port: Option<u16> = "integer or null",
        /// Whether a standby is kept in another zone, or members stand in several.
        multi_az: bool = "boolean",
        /// The primary's zone.
        zone: Option<String> = "text or null",
        /// The standby's zone.
        secondary_zone: Option<String> = "text or null",
        /// GiB allocated; null for clusters.
        allocated_gib: Option<u32> = "integer or null",
        /// GiB up to which storage grows by itself.
        max_allocated_gib: Option<u32> = "integer or null",
        /// `gp3`, …
        storage_type: Option<String> = "text or null",
        /// Changes that wait for the window or a reboot; never a password.
        pending: Map = "object of text",
        /// Parameter groups and whether they are in force.
        parameter_groups: Map = "object of text",
        /// Maintenance that waits.
        maintenance: Vec<Action> = "list of Action",
        /// `hh:mm-hh:mm` UTC.
        backup_window: Option<String> = "text or null",
        /// `ddd:hh:mm-ddd:hh:mm` UTC.
        maintenance_window: Option<String> = "text or null",
        /// Days that backups are kept; 0 means none, and no point-in-time recovery.
        backup_retention_days: u32 = "integer",
        /// The newest instant that can be restored.
        latest_restorable: Option<Time> = "time or null",
        /// Whether it is protected against deletion.
        deletion_protection: bool = "boolean",
        /// Whether its storage is encrypted.
        encrypted: bool = "boolean",
        /// Whether it has a public address; null for clusters.
        public: Option<bool> = "boolean or null",
        /// Until when its certificate is valid.
        certificate_valid_till: Option<Time> = "time or null",
        /// Created.
        created_at: Option<Time> = "time or null",
        /// Tags.
        tags: Map = "object of text",
    }

    /// A maintenance action that waits.
    Action {
        /// `system-update`, `ca-certificate-rotation`, `db-upgrade`, …
        action: String = "text",
        /// RDS's sentence.
        description: Option<String> = "text or null",
        /// From then on it is applied in the next window.
        auto_after: Option<Time> = "time or null",
        /// Then it is applied in any case.
        forced_at: Option<Time> = "time or null",
        /// When it will happen, as far as RDS knows.
        current_apply: Option<Time> = "time or null",
    }
}

impl Named for Item {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, &self.arn)
    }
}

impl From<&Maintenance> for Action {
    fn from(waits: &Maintenance) -> Self {
        Self {
            action: waits.action.clone(),
            description: waits.description.clone(),
            auto_after: time(waits.auto_after),
            forced_at: time(waits.forced_at),
            current_apply: time(waits.current_apply),
        }
    }
}

fn of_instance(found: DbInstance) -> Item {
    let judged = judgement::instance(&found);
    let groups: Vec<(String, String)> =
        found.parameter_groups.into_iter().map(|group| (group.name, group.status)).collect();
    let role = if found.source.is_some() { "replica" } else { "primary" };
    Item {
        account: found.id.scope.account.to_string(),
        account_id: account_id(&found.arn),
        region: found.id.scope.region.to_string(),
        kind: "instance".to_owned(),
        name: found.id.name,
        arn: found.arn,
        severity: judged.severity,
        reason: judged.reason,
        status: found.status,
        role: role.to_owned(),
        cluster: found.cluster,
        source: found.source,
        replicas: found.replicas,
        engine: found.engine,
        engine_version: found.engine_version,
        class: Some(found.class),
        host: found.endpoint.as_ref().map(|endpoint| endpoint.host.clone()),
        port: found.endpoint.map(|endpoint| endpoint.port),
        multi_az: found.multi_az,
        zone: found.zone,
        secondary_zone: found.secondary_zone,
        allocated_gib: Some(found.allocated_gib),
        max_allocated_gib: found.max_allocated_gib,
        storage_type: found.storage_type,
        pending: map(&found.pending),
        parameter_groups: map(&groups),
        maintenance: Vec::new(),
        backup_window: found.backup_window,
        maintenance_window: found.maintenance_window,
        backup_retention_days: found.backup_retention_days,
        latest_restorable: time(found.latest_restorable),
        deletion_protection: found.deletion_protection,
        encrypted: found.encrypted,
        public: Some(found.public),
        certificate_valid_till: time(found.certificate_valid_till),
        created_at: time(found.created_at),
        tags: map(&found.tags),
    }
}

fn of_cluster(found: DbCluster) -> Item {
    let judged = judgement::cluster(&found);
    Item {
        account: found.id.scope.account.to_string(),
        account_id: account_id(&found.arn),
        region: found.id.scope.region.to_string(),
        kind: "cluster".to_owned(),
        name: found.id.name,
        arn: found.arn,
        severity: judged.severity,
        reason: judged.reason,
        status: found.status,
        role: "cluster".to_owned(),
        cluster: None,
        source: None,
        replicas: found.members.into_iter().map(|member| member.instance).collect(),
        engine: found.engine,
        engine_version: found.engine_version,
        class: None,
        host: found.endpoint.as_ref().map(|endpoint| endpoint.host.clone()),
        port: found.endpoint.map(|endpoint| endpoint.port),
        multi_az: found.multi_az,
        zone: None,
        secondary_zone: None,
        allocated_gib: None,
        max_allocated_gib: None,
        storage_type: None,
        pending: Map::new(),
        parameter_groups: Map::new(),
        maintenance: Vec::new(),
        backup_window: found.backup_window,
        maintenance_window: found.maintenance_window,
        backup_retention_days: found.backup_retention_days,
        latest_restorable: time(found.latest_restorable),
        deletion_protection: found.deletion_protection,
        encrypted: found.encrypted,
        public: None,
        certificate_valid_till: None,
        created_at: time(found.created_at),
        tags: map(&found.tags),
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means no database or several, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let mut items: Vec<Item> = Vec::new();
    let mut writers: Vec<(String, String)> = Vec::new();
    let mut waiting: Vec<Maintenance> = Vec::new();
    let lists = session.scopes.iter().flat_map(|scope| {
        [
            Query::DescribeDbInstances { scope: scope.clone(), page: None },
            Query::DescribeDbClusters { scope: scope.clone(), page: None },
            Query::DescribePendingMaintenance { scope: scope.clone(), page: None },
        ]
    });
    let work = lists.map(|query| Work::Sweep(Goal::Pages(Box::new(query)))).collect();
    gather
        .run(work, |_, answer| {
            match answer {
                Answer::DbInstances { found, .. } => items.extend(found.into_iter().map(of_instance)),
                Answer::DbClusters { found, .. } => {
                    for cluster in found {
                        let writer = cluster.members.iter().filter(|member| member.writer);
                        writers.extend(writer.map(|w| (cluster.id.name.clone(), w.instance.clone())));
                        items.push(of_cluster(cluster));
                    }
                }
                Answer::Maintenance { found, .. } => waiting.extend(found),
                _ => {}
            }
            Vec::new()
        })
        .await;
    for item in &mut items {
        item.maintenance =
            waiting.iter().filter(|waits| waits.resource == item.arn).map(Action::from).collect();
        if let Some(cluster) = &item.cluster {
            let writes = writers.iter().any(|(own, name)| own == cluster && *name == item.name);
            item.role = if writes { "writer" } else { "reader" }.to_owned();
        }
    }
    let items = only(items, request.text("NAME"), "database", session, &gather)?;
    Ok(printer.report(&gather.report(arranged(items)), table)?)
}

/// Groups with the sickest member first; in a group the cluster, its writer, then readers and replicas.
fn arranged(mut items: Vec<Item>) -> Vec<Item> {
    let mut worst: BTreeMap<String, Severity> = BTreeMap::new();
    for item in &items {
        let severity = worst.entry(family(item)).or_insert(item.severity);
        *severity = item.severity.min(*severity);
    }
    items.sort_by_cached_key(|item| {
        let family = family(item);
        let place = ["cluster", "primary", "writer"].iter().position(|role| *role == item.role).unwrap_or(3);
        (worst.get(&family).copied(), family, place, item.severity, item.name.clone())
    });
    items
}

/// What a database belongs to: account, region and the cluster's or the source's name. A source in another
/// region is given as an ARN and makes a family of its own.
fn family(item: &Item) -> String {
    let root = item.cluster.as_ref().or(item.source.as_ref()).unwrap_or(&item.name);
    format!("{}/{}/{root}", item.account, item.region)
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::name("DATABASE"),
        Column::fixed("REGION"),
        Column::fixed("ROLE"),
        Column::fixed("STATUS"),
        Column::fixed("ENGINE"),
        Column::fixed("CLASS"),
        Column::fixed("ZONES"),
        Column::number("GIB"),
        Column::sentence("WAITS"),
    ]);
    for item in items {
        let under = item.role == "replica" || item.cluster.is_some();
        let name = if under { format!("  {}", item.name) } else { item.name.clone() };
        let zones = [&item.zone, &item.secondary_zone];
        let zones: Vec<&str> = zones.into_iter().flatten().map(String::as_str).collect();
        let waits = item.pending.iter().map(|(name, value)| format!("{name}={value}"));
        let actions = item.maintenance.iter().map(|waits| waits.action.clone());
        table.row([
            health::cell(item.severity, printer),
            name.into(),
            Cell::new(&item.region),
            Cell::new(&item.role),
            Cell::new(&item.status),
            format!("{} {}", item.engine, item.engine_version).into(),
            Cell::new(item.class.as_deref().unwrap_or("")),
            zones.join(" ").into(),
            item.allocated_gib.map_or_else(Cell::default, |gib| gib.to_string().into()),
            waits.chain(actions).collect::<Vec<_>>().join(", ").into(),
        ]);
    }
    printer.set(&table)
}
