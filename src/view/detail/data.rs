//! Databases, caches and secrets in detail.
//!
//! Must show a parameter or a window as AWS wrote it; never a secret's value, which nothing here has.

use super::{ago, awaited, when};
use crate::app::Model;
use crate::app::refresh::{Interest, Watch};
use crate::diagnose::database::{in_window, max_connections, pool_demand};
use crate::diagnose::secret::{self, Consumer, How};
use crate::domain::cache::CacheId;
use crate::domain::database::{DataEvent, DatabaseId, DbInstance, DbLogFile, Endpoint};
use crate::domain::ecs::ServiceId;
use crate::domain::scope::Scope;
use crate::domain::secret::SecretId;
use crate::stdx::text;
use crate::theme::Role;
use crate::view::databases::role_of;
use crate::view::secrets::{look, readers};
use crate::view::widget::canvas::{Piece, piece};
use crate::view::widget::document::Document;

/// Parameters that decide how a database behaves under load and in an audit.
const PARAMETERS: [&str; 5] =
    ["max_connections", "rds.force_ssl", "log_min_duration_statement", "slow_query_log", "long_query_time"];

/// Events told.
const EVENTS: usize = 12;

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn endpoint(of: Option<&Endpoint>) -> String {
    of.map_or_else(|| "none yet".to_owned(), |endpoint| format!("{}:{}", endpoint.host, endpoint.port))
}

fn window(page: &mut Document, model: &Model, label: &str, window: Option<&String>) {
    let Some(window) = window else { return };
    if in_window(window, model.now.wall) {
        page.field_in(label, format!("{window} UTC: now"), Role::Warn);
    } else {
        page.field(label, format!("{window} UTC"));
    }
}

/// A database instance or cluster.
pub(super) fn database(page: &mut Document, model: &Model, id: &DatabaseId) {
    let estate = &model.world.estate;
    if let Some(seen) = estate.db_clusters.get(id) {
        let cluster = &seen.value;
        page.field("Status", cluster.status.clone());
        page.field("Engine", format!("{} {}", cluster.engine, cluster.engine_version));
        page.field("Writer endpoint", endpoint(cluster.endpoint.as_ref()));
        if let Some(reader) = &cluster.reader {
            page.field("Reader endpoint", reader.clone());
        }
        for member in &cluster.members {
            let role = if member.writer { "writer" } else { "reader" };
            let tier = member.promotion_tier.map_or_else(String::new, |t| format!(", failover priority {t}"));
            page.field("Member", format!("{} {role}{tier}", member.instance));
        }
        page.field("Multi-AZ", yes(cluster.multi_az));
        page.field("Backups kept", text::count(cluster.backup_retention_days as usize, "day"));
        if let Some(at) = cluster.latest_restorable {
            page.field("Restorable until", when(model, at));
        }
        window(page, model, "Backup window", cluster.backup_window.as_ref());
        window(page, model, "Maintenance", cluster.maintenance_window.as_ref());
        page.field(
            "Protected",
            format!("deletion {}, encrypted {}", yes(cluster.deletion_protection), yes(cluster.encrypted)),
        );
        maintenance(page, model, &id.scope, &cluster.arn);
        events(page, model, estate.db_events.get(&id.scope), Watch::DbEvents, &id.scope, &id.name);
        page.gap();
        page.field("ARN", cluster.arn.clone());
        return;
    }
    let Some(seen) = estate.instances.get(id) else {
        return page.text("RDS no longer lists this database.", Role::Muted);
    };
    instance(page, model, &seen.value);
}

fn instance(page: &mut Document, model: &Model, db: &DbInstance) {
    let estate = &model.world.estate;
    page.field("Status", db.status.clone());
    page.field("Role", role_of(model, db));
    page.field("Engine", format!("{} {} on {}", db.engine, db.engine_version, db.class));
    page.field("Endpoint", endpoint(db.endpoint.as_ref()));
    let standby =
        db.secondary_zone.as_deref().map_or_else(String::new, |zone| format!(", standby in {zone}"));
    page.field(
        "Zones",
        format!("{}{standby}, Multi-AZ {}", db.zone.as_deref().unwrap_or("not stated"), yes(db.multi_az)),
    );
    let most = db.max_allocated_gib.map_or_else(String::new, |gib| format!(", grows to {gib} GiB"));
    let kind = db.storage_type.as_deref().unwrap_or("");
    page.field("Storage", format!("{} GiB {kind}{most}", db.allocated_gib));
    for info in &db.status_infos {
        let role = if info.normal { Role::Text } else { Role::Warn };
        let more = info.message.as_deref().unwrap_or("");
        page.field_in(&info.kind, format!("{} {more}", info.status), role);
    }
    if let Some(source) = &db.source {
        page.field("Replicates", source.clone());
    }
    for replica in &db.replicas {
        page.field("Replica", replica.clone());
    }
    for (name, value) in &db.pending {
        page.field_in("Pending change", format!("{name} = {value}"), Role::Warn);
    }
    parameters(page, model, db);
    pools(page, model, db);
    page.field("Backups kept", text::count(db.backup_retention_days as usize, "day"));
    match db.latest_restorable {
        Some(at) => page.field("Restorable until", when(model, at)),
        None => page.field_in("Restorable until", "no point in time: no automated backups", Role::Warn),
    }
    window(page, model, "Backup window", db.backup_window.as_ref());
    window(page, model, "Maintenance", db.maintenance_window.as_ref());
    maintenance(page, model, &db.id.scope, &db.arn);
    if let Some(at) = db.certificate_valid_till {
        page.field("Certificate", format!("{} until {}", db.ca.as_deref().unwrap_or(""), when(model, at)));
    }
    page.field(
        "Protected",
        format!(
            "deletion {}, encrypted {}, public {}",
            yes(db.deletion_protection),
            yes(db.encrypted),
            yes(db.public)
        ),
    );
    if let Some((arn, state)) = &db.master_secret {
        page.field("Master secret", format!("{state} {arn}"));
    }
    if !db.exported_logs.is_empty() {
        page.field("Logs exported", db.exported_logs.join(", "));
    }
    log_files(page, model, &db.id);
    events(page, model, estate.db_events.get(&db.id.scope), Watch::DbEvents, &db.id.scope, &db.id.name);
    page.gap();
    page.field("ARN", db.arn.clone());
}

fn parameters(page: &mut Document, model: &Model, db: &DbInstance) {
    for group in &db.parameter_groups {
        let role = if group.status == "in-sync" { Role::Text } else { Role::Warn };
        page.field_in("Parameter group", format!("{}: {}", group.name, group.status), role);
        let key = (db.id.scope.clone(), group.name.clone());
        let known = model.world.estate.parameters.get(&key).map(Vec::as_slice).unwrap_or_default();
        if let Some(limit) = max_connections(db, known) {
            page.field("Connections", format!("at most {limit}"));
        }
        for name in PARAMETERS {
            if let Some(parameter) = known.iter().find(|p| p.name == name) {
                let value = parameter.value.as_deref().unwrap_or("not set");
                let source = parameter.source.as_deref().unwrap_or("not stated");
                page.field(name, format!("{value} ({source})"));
            }
        }
        let interest = Interest::Parameters(key.0, key.1);
        if let Some(fault) = model.refresh.entry(&interest).and_then(|entry| entry.fault.as_ref()) {
            page.field_in("", fault.to_string(), Role::Warn);
        }
    }
}

/// What the declared pools of its services may open, now and at full scale-out.
fn pools(page: &mut Document, model: &Model, db: &DbInstance) {
    let Some(declared) = model.config.databases.get(&db.id.name) else { return };
    let scope = &db.id.scope;
    let services = || {
        let all = model.world.services.values().filter_map(|row| Some(&row.seen.as_ref()?.value));
        all.filter(|service| service.id.scope == *scope)
    };
    let targets = model.world.estate.targets.get(scope).map(Vec::as_slice).unwrap_or_default();
    let Some(demand) = pool_demand(declared, services(), targets) else { return };
    let running = |id: &ServiceId| services().find(|s| s.id == *id).map_or(0, |service| service.running);
    let now: u32 = demand.pools.iter().map(|pool| running(&pool.service) * pool.per_task).sum();
    let group = db.parameter_groups.first();
    let known = group.and_then(|g| model.world.estate.parameters.get(&(scope.clone(), g.name.clone())));
    let limit = max_connections(db, known.map(Vec::as_slice).unwrap_or_default());
    let of = limit.map_or_else(String::new, |limit| format!(", it takes {limit}"));
    let over = limit.is_some_and(|limit| demand.connections > limit.value);
    page.field_in(
        "Pools",
        format!("{now} connections now, {} at full scale-out{of}", demand.connections),
        if over { Role::Warn } else { Role::Text },
    );
    for pool in &demand.pools {
        let most = text::count(pool.tasks as usize, "task");
        let says = format!(
            "{}: {} per task, {} running, {most} at most by {}",
            pool.service.name,
            pool.per_task,
            running(&pool.service),
            pool.bound
        );
        page.field_in("", says, Role::Muted);
    }
    for name in &demand.missing {
        page.field_in("", format!("{name} is declared and not among the services read here"), Role::Warn);
    }
}

fn maintenance(page: &mut Document, model: &Model, scope: &Scope, arn: &str) {
    let entry = model.refresh.entry(&Interest::Watch(scope.clone(), Watch::Maintenance));
    if let Some(fault) = entry.and_then(|entry| entry.fault.as_ref()) {
        page.field_in("Waits", format!("not known: {fault}"), Role::Warn);
    }
    let waiting = model.world.estate.maintenance.get(scope).into_iter().flatten();
    for action in waiting.filter(|action| action.resource == arn) {
        let at = action.forced_at.or(action.current_apply).or(action.auto_after);
        let at = at.map_or_else(String::new, |at| format!(", {}", when(model, at)));
        let says = action.description.as_deref().unwrap_or("");
        page.field_in("Waits", format!("{}: {says}{at}", action.action), Role::Warn);
    }
}

fn log_files(page: &mut Document, model: &Model, id: &DatabaseId) {
    page.heading("Log files (enter opens them)");
    match model.world.estate.log_files.get(id) {
        None => awaited(page, model, &Interest::LogFiles(id.clone()), "RDS"),
        Some(files) if files.is_empty() => page.text("  none", Role::Muted),
        Some(files) => {
            for file in files.iter().take(FILES) {
                page.line(log_file(model, file, " ", Role::Overlay));
            }
            if let Some(more) = files.len().checked_sub(FILES).filter(|more| *more > 0) {
                page.text(format!("  and {more} older"), Role::Muted);
            }
        }
    }
}

/// Log files named in the details.
const FILES: usize = 6;

/// A log file's row.
fn log_file(model: &Model, file: &DbLogFile, mark: &str, role: Role) -> Vec<Piece> {
    let at = file.written_at.map_or_else(String::new, |at| format!("{} ago", ago(model, at)));
    vec![
        piece(format!("{mark} {} ", text::pad(&at, 12)), Role::Muted),
        piece(file.name.clone(), role),
        piece(format!("  {} KiB", file.size.div_ceil(1_024)), Role::Muted),
    ]
}

/// All log files of a database, one selected; with the line on which that stands.
pub fn log_list(model: &Model, id: &DatabaseId, selected: &str) -> (Document, usize) {
    let mut page = Document::default();
    let mut line = 0;
    for (index, file) in model.world.estate.log_files.get(id).into_iter().flatten().enumerate() {
        let chosen = file.name == selected;
        if chosen {
            line = index;
        }
        let mark = if chosen { model.theme.glyphs.cursor } else { " " };
        page.line(log_file(model, file, mark, if chosen { Role::Strong } else { Role::Overlay }));
    }
    (page, line)
}

fn events(
    page: &mut Document,
    model: &Model,
    events: Option<&Vec<DataEvent>>,
    watch: Watch,
    scope: &Scope,
    name: &str,
) {
    page.heading("Events of the last day, newest first");
    let own: Vec<&DataEvent> =
        events.into_iter().flatten().filter(|e| e.source == name).take(EVENTS).collect();
    let interest = Interest::Watch(scope.clone(), watch);
    let entry = model.refresh.entry(&interest);
    // That there were none can be said only once they were read.
    if entry.is_none_or(|entry| entry.fresh_at.is_none() || entry.fault.is_some()) {
        let whom = if watch == Watch::DbEvents { "RDS" } else { "ElastiCache" };
        awaited(page, model, &interest, whom);
    } else if own.is_empty() {
        page.text("  none", Role::Muted);
    }
    for event in own {
        let lead = piece(format!("  {} ", text::pad(&ago(model, event.at), 8)), Role::Muted);
        page.hanging(vec![lead, piece(event.message.clone(), Role::Overlay)], 11);
    }
}

/// A replication group or a node.
pub(super) fn cache(page: &mut Document, model: &Model, id: &CacheId) {
    let estate = &model.world.estate;
    if let Some(seen) = estate.cache_groups.get(id) {
        let group = &seen.value;
        page.field("Status", group.status.clone());
        page.field("Engine", group.engine.clone().unwrap_or_else(|| "not stated".to_owned()));
        page.field("Node type", group.node_type.clone().unwrap_or_else(|| "not stated".to_owned()));
        page.field("Endpoint", endpoint(group.endpoint.as_ref()));
        let or = |word: &Option<String>| word.clone().unwrap_or_else(|| "not stated".to_owned());
        page.field(
            "Failover",
            format!("{}, Multi-AZ {}", or(&group.automatic_failover), or(&group.multi_az)),
        );
        page.field(
            "Encrypted",
            format!(
                "on the wire {}, at rest {}",
                yes(group.transit_encryption),
                yes(group.at_rest_encryption)
            ),
        );
        page.field("Auth token", yes(group.auth_token));
        page.field("Snapshots kept", text::count(group.snapshot_retention_days as usize, "day"));
        window(page, model, "Snapshot window", group.snapshot_window.as_ref());
        for (name, value) in &group.pending {
            page.field_in("Pending change", format!("{name} = {value}"), Role::Warn);
        }
        for shard in &group.shards {
            page.heading(format!("Shard {}: {}", shard.id, shard.status));
            for member in &shard.members {
                let role = member.role.as_deref().unwrap_or("role not stated");
                let zone = member.zone.as_deref().unwrap_or("zone not stated");
                page.text(format!("  {} {role} in {zone}", member.cluster), Role::Overlay);
            }
        }
        events(page, model, estate.cache_events.get(&id.scope), Watch::CacheEvents, &id.scope, &id.name);
        return;
    }
    let Some(seen) = estate.cache_nodes.get(id) else {
        return page.text("ElastiCache no longer lists this cache.", Role::Muted);
    };
    let node = &seen.value;
    page.field("Status", node.status.clone());
    page.field("Engine", format!("{} {} on {}", node.engine, node.engine_version, node.node_type));
    if let Some(group) = &node.group {
        page.field("Group", group.clone());
    }
    for each in &node.nodes {
        let zone = each.zone.as_deref().unwrap_or("zone not stated");
        page.field(
            "Node",
            format!("{} {} in {zone}, {}", each.id, each.status, endpoint(each.endpoint.as_ref())),
        );
    }
    if let Some((name, state)) = &node.parameter_group {
        page.field("Parameter group", format!("{name}: {state}"));
    }
    window(page, model, "Maintenance", node.maintenance_window.as_ref());
    events(page, model, estate.cache_events.get(&id.scope), Watch::CacheEvents, &id.scope, &id.name);
}

/// A secret.
pub(super) fn secret(page: &mut Document, model: &Model, id: &SecretId) {
    let Some(seen) = model.world.estate.secrets.get(id) else {
        return page.text("Secrets Manager no longer lists this secret.", Role::Muted);
    };
    let secret = &seen.value;
    let rotation = secret::rotation(secret, model.now.wall);
    page.field_in("Rotation", rotation.word(), look(&rotation));
    if let Some(rules) = &secret.rotation_rules {
        let days = rules.after_days.map(|days| format!("every {}", text::count(days as usize, "day")));
        let says = rules.schedule.clone().or(days).unwrap_or_else(|| "not stated".to_owned());
        page.field("Schedule", says);
    }
    if let Some(lambda) = &secret.rotation_lambda {
        page.field("Rotated by", lambda.clone());
    }
    let times = [
        ("Last rotation", secret.last_rotated),
        ("Next rotation", secret.next_rotation),
        ("Last changed", secret.last_changed),
        ("Last read", secret.last_accessed),
        ("To be deleted", secret.deleted_at),
        ("Created", secret.created_at),
    ];
    for (label, at) in times {
        if let Some(at) = at {
            page.field(label, when(model, at));
        }
    }
    for version in &secret.versions {
        page.field("Version", format!("{} {}", version.id, version.stages.join(" ")));
    }
    if let Some(service) = &secret.owning_service {
        page.field("Managed by", service.clone());
    }
    // A primary with replicas names its own region here.
    if let Some(region) = secret.primary_region.as_ref().filter(|r| **r != secret.id.scope.region.as_str()) {
        page.field("Replica of", region.clone());
    }
    for (region, state, message) in &secret.replicas {
        page.field("Replica", format!("{region} {state} {}", message.as_deref().unwrap_or("")));
    }
    let (consumers, old) = readers(model, secret);
    consumer_lines(page, &consumers);
    if !old.is_empty() {
        page.heading(format!(
            "{} started before the last change and hold the old value",
            text::count(old.len(), "running task")
        ));
        for task in old {
            let service = task.service().unwrap_or("no service");
            page.text(format!("  {} of {service}", task.id.short()), Role::Warn);
        }
    }
    page.gap();
    page.field("ARN", secret.arn.clone());
}

fn consumer_lines(page: &mut Document, consumers: &[Consumer]) {
    page.heading("Read by");
    if consumers.is_empty() {
        page.text("  no task definition that was read here", Role::Muted);
    }
    for consumer in consumers {
        let how = match &consumer.how {
            How::ValueFrom { json_key, .. } => {
                let key = json_key.as_deref().map_or_else(String::new, |key| format!(", key {key}"));
                format!("when a task starts{key}")
            }
            How::ByName => "by name at run time: age unknown".to_owned(),
        };
        let service = &consumer.service;
        page.text(
            format!(
                "  {}/{} {} {}: {how}",
                service.cluster, service.name, consumer.container, consumer.variable
            ),
            Role::Overlay,
        );
    }
}

/// A parameter of SSM.
pub(super) fn parameter(page: &mut Document, model: &Model, scope: &Scope, name: &str) {
    let Some(seen) = model.world.estate.stored.get(&(scope.clone(), name.to_owned())) else {
        return page.text("SSM no longer lists this parameter.", Role::Muted);
    };
    let parameter = &seen.value;
    page.field("Kind", parameter.kind.clone());
    page.field("Version", parameter.version.to_string());
    if let Some(at) = parameter.modified_at {
        page.field("Last changed", when(model, at));
    }
    if let Some(by) = &parameter.modified_by {
        page.field("Changed by", by.clone());
    }
    if let Some(description) = &parameter.description {
        page.field("Description", description.clone());
    }
    let consumers = secret::parameter_consumers(parameter, crate::app::findings::definitions(&model.world));
    consumer_lines(page, &consumers);
}
