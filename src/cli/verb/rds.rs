//! `rds [NAME]`: database instances and clusters, sick ones first, members and replicas under their source; with NAME
//! the parameters that matter and the events of the last day too.
//!
//! Must not judge a database; `diagnose` does.

mod ask;

use std::collections::BTreeMap;

use crate::cli::envelope::{Missing, why_unread};
use crate::cli::exit::Exit;
use crate::cli::finding::{self, Evidence, Finding, worst};
use crate::cli::health;
use crate::cli::item::{Map, Shape, Shaped, Time, map, shape, time};
use crate::cli::named::{Named, only};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::config::Config;
use crate::diagnose::Severity;
use crate::diagnose::database::{Database, in_window, severity_of_status};
use crate::domain::database::{DataEvent, DatabaseId, DbCluster, DbInstance, Maintenance, Parameter};
use crate::stdx::clock::Wall;

use ask::{EVENTS, MAINTENANCE, PARAMETERS, Seen, Wanted};

const GIB: f64 = 1_073_741_824.0;

/// Parameters that the deployment documents of operators speak of.
const TOLD: [&str; 3] = ["max_connections", "rds.force_ssl", "log_min_duration_statement"];

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
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `notice` (it can wait), `ok` or `idle`.
        severity: Severity = "text",
        /// Why it is judged so, in one sentence.
        reason: String = "text",
        /// RDS's status: `available`, `storage-full`, …
        status: String = "text",
        /// `cluster`, `writer`, `reader`, `replica`, or `primary`; `member` when its cluster could not be read.
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
        /// Maintenance that waits; null when it could not be read.
        maintenance: Option<Vec<Action>> = "list of Action, or null",
        /// All that is wrong with it, the worst first.
        findings: Vec<Finding> = "list of Finding",
        /// Connections now; null for clusters and where CloudWatch told none.
        connections: Option<f64> = "number or null",
        /// The most connections that it takes.
        max_connections: Option<u32> = "integer or null",
        /// Whether that is an estimate from the class's memory rather than the parameter's number.
        max_connections_estimated: Option<bool> = "boolean or null",
        /// What the declared pools of its services may ask for at full scale-out; null without a declaration.
        pool_connections: Option<u32> = "integer or null",
        /// Percent of its processors now.
        cpu_percent: Option<f64> = "number or null",
        /// CPU credits left; null for classes without.
        cpu_credits: Option<f64> = "number or null",
        /// Sessions active at a time; null without Performance Insights.
        db_load: Option<f64> = "number or null",
        /// GiB free; null for Aurora and clusters.
        free_gib: Option<f64> = "number or null",
        /// Days until the storage is full at the pace of the last 24 h, up to its maximum where it grows by itself; null when it does not shrink.
        storage_full_in_days: Option<f64> = "number or null",
        /// Seconds behind its source; negative when replication does not run.
        replica_lag_s: Option<f64> = "number or null",
        /// `backup`, `maintenance`: the window that it is in now.
        window_now: Option<String> = "text or null",
        /// `max_connections`, `rds.force_ssl`, `log_min_duration_statement` and all that its owners set; null unless it was named and they could be read.
        parameters: Option<Map> = "object of text, or null",
        /// What RDS reported in the last 24 h, newest first; null unless it was named and they could be read.
        events: Option<Vec<Event>> = "list of Event, or null",
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
        /// The certificate authority.
        ca: Option<String> = "text or null",
        /// Which logs go to CloudWatch.
        exported_logs: Vec<String> = "list of text",
        /// The secret of its master user, where RDS manages it.
        master_secret: Option<String> = "text or null",
        /// Created.
        created_at: Option<Time> = "time or null",
        /// Tags.
        tags: Map = "object of text",
    }

    /// Something that RDS reported.
    Event {
        /// When.
        at: Time = "time",
        /// RDS's sentence.
        message: String = "text",
        /// `failover`, `low storage`, …
        categories: Vec<String> = "list of text",
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

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE, Finding::SHAPE, Evidence::SHAPE, Action::SHAPE, Event::SHAPE]
}

impl From<&DataEvent> for Event {
    fn from(event: &DataEvent) -> Self {
        Self { at: Time(event.at), message: event.message.clone(), categories: event.categories.clone() }
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

/// What items are made with.
struct Maker<'a> {
    seen: &'a Seen,
    config: &'a Config,
    now: Wall,
    /// Whether one was named, so that more was asked about it.
    named: bool,
}

impl Maker<'_> {
    fn window(&self, backup: Option<&str>, maintenance: Option<&str>) -> Option<String> {
        let windows = [("backup", backup), ("maintenance", maintenance)];
        let open = |window: Option<&str>| window.is_some_and(|window| in_window(window, self.now));
        windows.into_iter().find(|(_, window)| open(*window)).map(|(word, _)| word.to_owned())
    }

    fn waits(&self, id: &DatabaseId, arn: &str) -> Option<Vec<Action>> {
        let own = self.seen.maintenance.iter().filter(|waits| waits.resource == arn).map(Action::from);
        finding::known(own.collect(), self.seen.is_read(&id.scope, MAINTENANCE))
    }

    fn instance(&self, found: &DbInstance) -> Item {
        let database = Database::Instance(found);
        let mut findings = self.seen.findings(database, self.config, self.now);
        let (severity, reason) =
            worst(&mut findings, (severity_of_status(&found.status, false), found.status.as_str()));
        let numbers = self.seen.numbers.database(&found.id);
        let number = |name: &str| numbers.get(name).copied();
        let limit = self.seen.limit(found);
        let groups: Vec<(String, String)> =
            found.parameter_groups.iter().map(|g| (g.name.clone(), g.status.clone())).collect();
        Item {
            account: found.id.scope.account.to_string(),
            account_id: account_id(&found.arn),
            region: found.id.scope.region.to_string(),
            kind: "instance".to_owned(),
            name: found.id.name.clone(),
            arn: found.arn.clone(),
            severity,
            reason,
            status: found.status.clone(),
            role: self.role(found).to_owned(),
            cluster: found.cluster.clone(),
            source: found.source.clone(),
            replicas: found.replicas.clone(),
            engine: found.engine.clone(),
            engine_version: found.engine_version.clone(),
            class: Some(found.class.clone()),
            host: found.endpoint.as_ref().map(|endpoint| endpoint.host.clone()),
            port: found.endpoint.as_ref().map(|endpoint| endpoint.port),
            multi_az: found.multi_az,
            zone: found.zone.clone(),
            secondary_zone: found.secondary_zone.clone(),
            allocated_gib: Some(found.allocated_gib),
            max_allocated_gib: found.max_allocated_gib,
            storage_type: found.storage_type.clone(),
            pending: map(&found.pending),
            parameter_groups: map(&groups),
            maintenance: self.waits(&found.id, &found.arn),
            findings: findings.iter().map(Finding::from).collect(),
            connections: number("DatabaseConnections"),
            max_connections: limit.map(|limit| limit.value),
            max_connections_estimated: limit.map(|limit| limit.estimated),
            pool_connections: self.seen.demand(&found.id, self.config).map(|demand| demand.connections),
            cpu_percent: number("CPUUtilization"),
            cpu_credits: number("CPUCreditBalance"),
            db_load: number("DBLoad"),
            free_gib: number("FreeStorageSpace").map(|bytes| bytes / GIB),
            storage_full_in_days: self.seen.outlook(found).map(|outlook| outlook.days()),
            replica_lag_s: number("ReplicaLag").or(number("AuroraReplicaLag").map(|ms| ms / 1_000.0)),
            window_now: self.window(found.backup_window.as_deref(), found.maintenance_window.as_deref()),
            parameters: self
                .seen
                .known_parameters(found)
                .filter(|_| self.named)
                .map(|parameters| settings(&parameters)),
            events: self.events(database),
            backup_window: found.backup_window.clone(),
            maintenance_window: found.maintenance_window.clone(),
            backup_retention_days: found.backup_retention_days,
            latest_restorable: time(found.latest_restorable),
            deletion_protection: found.deletion_protection,
            encrypted: found.encrypted,
            public: Some(found.public),
            certificate_valid_till: time(found.certificate_valid_till),
            ca: found.ca.clone(),
            exported_logs: found.exported_logs.clone(),
            master_secret: found.master_secret.as_ref().map(|(arn, _)| arn.clone()),
            created_at: time(found.created_at),
            tags: map(&found.tags),
        }
    }

    fn cluster(&self, found: &DbCluster) -> Item {
        let database = Database::Cluster(found);
        let mut findings = self.seen.findings(database, self.config, self.now);
        let (severity, reason) =
            worst(&mut findings, (severity_of_status(&found.status, true), found.status.as_str()));
        Item {
            account: found.id.scope.account.to_string(),
            account_id: account_id(&found.arn),
            region: found.id.scope.region.to_string(),
            kind: "cluster".to_owned(),
            name: found.id.name.clone(),
            arn: found.arn.clone(),
            severity,
            reason,
            status: found.status.clone(),
            role: "cluster".to_owned(),
            cluster: None,
            source: None,
            replicas: found.members.iter().map(|member| member.instance.clone()).collect(),
            engine: found.engine.clone(),
            engine_version: found.engine_version.clone(),
            class: None,
            host: found.endpoint.as_ref().map(|endpoint| endpoint.host.clone()),
            port: found.endpoint.as_ref().map(|endpoint| endpoint.port),
            multi_az: found.multi_az,
            zone: None,
            secondary_zone: None,
            allocated_gib: None,
            max_allocated_gib: None,
            storage_type: None,
            pending: Map::new(),
            parameter_groups: Map::new(),
            maintenance: self.waits(&found.id, &found.arn),
            findings: findings.iter().map(Finding::from).collect(),
            connections: None,
            max_connections: None,
            max_connections_estimated: None,
            pool_connections: self.seen.demand(&found.id, self.config).map(|demand| demand.connections),
            cpu_percent: None,
            cpu_credits: None,
            db_load: None,
            free_gib: None,
            storage_full_in_days: None,
            replica_lag_s: None,
            window_now: self.window(found.backup_window.as_deref(), found.maintenance_window.as_deref()),
            parameters: None,
            events: self.events(database),
            backup_window: found.backup_window.clone(),
            maintenance_window: found.maintenance_window.clone(),
            backup_retention_days: found.backup_retention_days,
            latest_restorable: time(found.latest_restorable),
            deletion_protection: found.deletion_protection,
            encrypted: found.encrypted,
            public: None,
            certificate_valid_till: None,
            ca: None,
            exported_logs: Vec::new(),
            master_secret: None,
            created_at: time(found.created_at),
            tags: map(&found.tags),
        }
    }

    fn events(&self, database: Database<'_>) -> Option<Vec<Event>> {
        let id = database.id();
        let told = self.seen.events(id).into_iter().map(Event::from).collect();
        finding::known(told, self.seen.is_read(&id.scope, EVENTS)).filter(|_| self.named)
    }

    fn role(&self, found: &DbInstance) -> &'static str {
        let Some(name) = &found.cluster else {
            return if found.source.is_some() { "replica" } else { "primary" };
        };
        let own = |cluster: &&DbCluster| cluster.id.scope == found.id.scope && cluster.id.name == *name;
        let mut members = self.seen.clusters.iter().filter(own).flat_map(|cluster| &cluster.members);
        match members.find(|member| member.instance == found.id.name) {
            Some(member) if member.writer => "writer",
            Some(_) => "reader",
            None => "member",
        }
    }
}

/// The parameters that matter to operators: those of their documents, and those that they set themselves.
fn settings(parameters: &[Parameter]) -> Map {
    let told = parameters.iter().filter(|parameter| {
        TOLD.contains(&parameter.name.as_str()) || parameter.source.as_deref() == Some("user")
    });
    told.filter_map(|parameter| Some((parameter.name.clone(), parameter.value.clone()?))).collect()
}

/// Performs the verb.
///
/// # Errors
/// When the name means no database or several, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let now = gather.begun().wall;
    let wanted = Wanted { name: request.text("NAME"), numbers: !request.is_on("no-metrics") };
    let seen = ask::everything(session, &mut gather, wanted).await;
    let maker = Maker { seen: &seen, config: &session.config, now, named: wanted.name.is_some() };
    let instances = seen.instances.iter().map(|instance| maker.instance(instance));
    let items = instances.chain(seen.clusters.iter().map(|cluster| maker.cluster(cluster))).collect();
    let items = only(items, wanted.name, "database", session, &mut gather)?;
    let report = gather.report(arranged(items));
    let unread = wanted.name.map(|_| report.failures.as_slice());
    Ok(printer.report(&report, |items, printer| table(items, unread, printer))?)
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

/// `unread` is what could not be read, when one was named.
fn table(items: &[Item], unread: Option<&[Missing]>, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::name("DATABASE"),
        Column::fixed("REGION").lesser(1),
        Column::fixed("ROLE").lesser(2),
        Column::fixed("STATUS"),
        Column::fixed("ENGINE").lesser(3),
        Column::fixed("CLASS").lesser(5),
        Column::fixed("ZONES").lesser(4),
        Column::number("CPU"),
        Column::number("CONNECTIONS"),
        Column::number("FREE GIB"),
        Column::sentence("WHAT"),
    ])
    .spilling();
    for item in items {
        let under = item.role == "replica" || item.cluster.is_some();
        let name = if under { format!("  {}", item.name) } else { item.name.clone() };
        let zones = [&item.zone, &item.secondary_zone];
        let zones: Vec<&str> = zones.into_iter().flatten().map(String::as_str).collect();
        let cpu = item.cpu_percent.map_or_else(Cell::default, |cpu| format!("{cpu:.0} %").into());
        table.row([
            health::cell(item.severity, printer),
            name.into(),
            Cell::new(&item.region),
            Cell::new(&item.role),
            Cell::new(&item.status),
            format!("{} {}", item.engine, item.engine_version).into(),
            Cell::new(item.class.as_deref().unwrap_or("")),
            zones.join(" ").into(),
            cpu,
            connections(item, printer.unicode).into(),
            storage(item).into(),
            finding::summary(&item.reason, &item.findings).into(),
        ]);
    }
    let mut lines = printer.set(&table);
    if let Some(failures) = unread {
        lines.extend(items.iter().flat_map(|item| told(item, failures, printer)));
    }
    lines
}

/// Connections against the most that it takes, `≈` where that is an estimate.
fn connections(item: &Item, unicode: bool) -> String {
    let about = if unicode { "≈" } else { "~" };
    let sign = if item.max_connections_estimated == Some(true) { about } else { "" };
    match (item.connections, item.max_connections) {
        (Some(used), Some(most)) => format!("{used:.0} of {sign}{most}"),
        (Some(used), None) => format!("{used:.0}"),
        (None, _) => String::new(),
    }
}

/// Free of allocated.
fn storage(item: &Item) -> String {
    match (item.free_gib, item.allocated_gib) {
        (Some(free), Some(allocated)) => format!("{free:.1} of {allocated}"),
        (None, Some(allocated)) => format!("of {allocated}"),
        _ => String::new(),
    }
}

/// What is told of a database that was named: all findings, parameters, events.
fn told(item: &Item, failures: &[Missing], printer: &Printer) -> Vec<String> {
    let why = |action: &str| why_unread(failures, &item.account, &item.region, action);
    let mut lines = finding::lines(&item.findings, printer);
    if item.kind == "instance" {
        let parameters: Option<Vec<_>> = item.parameters.as_ref().map(|all| all.iter().collect());
        let none = "No parameter is set by its owners.";
        let unread = why(PARAMETERS);
        lines.extend(finding::told(parameters.as_deref(), unread.as_deref(), ("Parameters", none), |all| {
            let mut table = Table::new(&[Column::name("PARAMETER"), Column::sentence("VALUE")]);
            for (name, value) in all {
                table.row([Cell::new(*name), Cell::new(*value)]);
            }
            printer.set(&table)
        }));
    }
    let none = "RDS reported nothing in the last 24 h.";
    lines.extend(finding::told(item.events.as_deref(), why(EVENTS).as_deref(), ("Events", none), |events| {
        let mut table = Table::new(&[Column::fixed("TIME"), Column::sentence("EVENT")]).spilling();
        for event in events {
            table.row([Cell::new(event.at.0.rfc3339()), Cell::new(&event.message)]);
        }
        printer.set(&table)
    }));
    lines
}
