//! Parameter groups of PostgreSQL, with AWS's defaults as the formulas that they are.
//!
//! Must not evaluate formulas: AWS shows them as they stand.

use std::collections::BTreeMap;

use super::PAGE;
use crate::sim::query::{Fields, Xml, invalid};
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::stack::data::Database;
use crate::sim::world::World;

/// A parameter: name, value, source, whether it is dynamic, type, allowed values, description.
type Parameter = (&'static str, &'static str, &'static str, bool, &'static str, &'static str, &'static str);

/// A selection of PostgreSQL's parameters on RDS. An empty value is one that the engine decides.
const PARAMETERS: [Parameter; 28] = [
    ("autovacuum", "1", "system", true, "boolean", "0,1", "Starts the autovacuum subprocess."),
    (
        "autovacuum_max_workers",
        "GREATEST({DBInstanceClassMemory/64371566592},3)",
        "system",
        false,
        "integer",
        "1-262143",
        "Sets the maximum number of simultaneously running autovacuum worker processes.",
    ),
    (
        "checkpoint_timeout",
        "",
        "engine-default",
        true,
        "integer",
        "30-3600",
        "(s) Sets the maximum time between automatic WAL checkpoints.",
    ),
    (
        "deadlock_timeout",
        "",
        "engine-default",
        true,
        "integer",
        "1-2147483647",
        "(ms) Sets the time to wait on a lock before checking for deadlock.",
    ),
    (
        "effective_cache_size",
        "{DBInstanceClassMemory/16384}",
        "system",
        true,
        "integer",
        "1-2147483647",
        "(8kB) Sets the planners assumption about the size of the disk cache.",
    ),
    (
        "idle_in_transaction_session_timeout",
        "86400000",
        "system",
        true,
        "integer",
        "0-2147483647",
        "(ms) Sets the maximum allowed idle time between queries, when in a transaction.",
    ),
    ("log_connections", "", "engine-default", true, "boolean", "0,1", "Logs each successful connection."),
    (
        "log_disconnections",
        "",
        "engine-default",
        true,
        "boolean",
        "0,1",
        "Logs end of a session, including duration.",
    ),
    ("log_lock_waits", "", "engine-default", true, "boolean", "0,1", "Logs long lock waits."),
    (
        "log_min_duration_statement",
        "",
        "engine-default",
        true,
        "integer",
        "-1-2147483647",
        "(ms) Sets the minimum execution time above which statements will be logged.",
    ),
    (
        "log_statement",
        "",
        "engine-default",
        true,
        "string",
        "none,ddl,mod,all",
        "Sets the type of statements logged.",
    ),
    (
        "log_temp_files",
        "",
        "engine-default",
        true,
        "integer",
        "-1-2147483647",
        "(kB) Log the use of temporary files larger than this number of kilobytes.",
    ),
    (
        "maintenance_work_mem",
        "GREATEST({DBInstanceClassMemory*1024/63963136},65536)",
        "system",
        true,
        "integer",
        "1024-2147483647",
        "(kB) Sets the maximum memory to be used for maintenance operations.",
    ),
    (
        "max_connections",
        "LEAST({DBInstanceClassMemory/9531392},5000)",
        "system",
        false,
        "integer",
        "6-8388607",
        "Sets the maximum number of concurrent connections.",
    ),
    (
        "max_wal_senders",
        "20",
        "system",
        false,
        "integer",
        "5-100",
        "Sets the maximum number of simultaneously running WAL sender processes.",
    ),
    (
        "max_wal_size",
        "2048",
        "system",
        true,
        "integer",
        "128-201326592",
        "(MB) Sets the WAL size that triggers the checkpoint.",
    ),
    ("password_encryption", "", "engine-default", true, "string", "md5,scram-sha-256", "Encrypt passwords."),
    (
        "pg_stat_statements.track",
        "",
        "engine-default",
        true,
        "string",
        "none,top,all",
        "Selects which statements are tracked by pg_stat_statements.",
    ),
    (
        "random_page_cost",
        "",
        "engine-default",
        true,
        "float",
        "0-1.79769e+308",
        "Sets the planners estimate of the cost of a nonsequentially fetched disk page.",
    ),
    ("rds.force_ssl", "", "system", true, "boolean", "0,1", "Force SSL connections."),
    (
        "rds.log_retention_period",
        "4320",
        "system",
        true,
        "integer",
        "1440-10080",
        "Amazon RDS will delete PostgreSQL log that are older than N minutes.",
    ),
    ("rds.logical_replication", "0", "system", false, "boolean", "0,1", "Enables logical decoding."),
    (
        "shared_buffers",
        "{DBInstanceClassMemory/32768}",
        "system",
        false,
        "integer",
        "16-1073741823",
        "(8kB) Sets the number of shared memory buffers used by the server.",
    ),
    (
        "shared_preload_libraries",
        "pg_stat_statements",
        "system",
        false,
        "list",
        "auto_explain,orafce,pgaudit,pglogical,pg_cron,pg_hint_plan,pg_prewarm,pg_stat_statements",
        "Lists shared libraries to preload into server.",
    ),
    ("ssl", "1", "system", false, "boolean", "0,1", "Enables SSL connections."),
    (
        "statement_timeout",
        "",
        "engine-default",
        true,
        "integer",
        "0-2147483647",
        "(ms) Sets the maximum allowed duration of any statement.",
    ),
    (
        "timezone",
        "UTC",
        "system",
        true,
        "string",
        "Africa/Cairo,America/New_York,Asia/Bahrain,Europe/London,UTC",
        "Sets the time zone for displaying and interpreting time stamps.",
    ),
    (
        "work_mem",
        "",
        "engine-default",
        true,
        "integer",
        "64-2147483647",
        "(kB) Sets the maximum memory to be used for query workspaces.",
    ),
];

struct Group<'w> {
    family: String,
    set: &'w BTreeMap<String, String>,
    major: u32,
}

/// The groups of a region by name: those that instances use.
fn all<'w>(world: &'w World, region: &str) -> BTreeMap<String, Group<'w>> {
    let own = world.databases.iter().filter(|found| *found.region == *region);
    own.filter_map(|found| found.spec())
        .map(|spec: &Database| {
            let major = spec.major().parse().unwrap_or(16);
            (spec.group(), Group { family: spec.family(), set: &spec.parameters, major })
        })
        .collect()
}

fn missing(name: &str) -> ApiError {
    ApiError::new(404, "DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}"))
}

pub(super) fn groups(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let mut found: Vec<(String, Group<'_>)> = all(world, region).into_iter().collect();
    if let Some(wanted) = fields.text("DBParameterGroupName") {
        found.retain(|(name, _)| name == wanted);
        if found.is_empty() {
            return Err(missing(wanted));
        }
    }
    let (page, marker) = fields.page(found, |(name, _)| name.clone(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("DBParameterGroups", "DBParameterGroup", page, |xml, (name, group)| {
        let description = match name.strip_prefix("default.") {
            Some(family) => format!("Default parameter group for {family}"),
            None => format!("Parameters of {name}"),
        };
        xml.text("DBParameterGroupName", &name);
        xml.text("DBParameterGroupFamily", group.family);
        xml.text("Description", description);
        xml.text("DBParameterGroupArn", format!("arn:aws:rds:{region}:{ACCOUNT}:pg:{name}"));
    });
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

pub(super) fn describe(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let name = fields.need("DBParameterGroupName")?;
    let groups = all(world, region);
    let group = groups.get(name).ok_or_else(|| missing(name))?;
    let source = fields.text("Source");
    if let Some(other) = source.filter(|source| !["user", "system", "engine-default"].contains(source)) {
        return Err(invalid(format!("Invalid source: {other}. Must be user, system or engine-default")));
    }
    let mut found = Vec::new();
    for parameter in PARAMETERS {
        let (name, usual, from, ..) = parameter;
        // From version 15 on, RDS asks for TLS unless told otherwise.
        let usual = match name {
            "rds.force_ssl" if group.major >= 15 => "1",
            "rds.force_ssl" => "0",
            _ => usual,
        };
        let set = group.set.get(name);
        let from = if set.is_some() { "user" } else { from };
        if source.is_none_or(|source| source == from) {
            let value = set.map_or(usual, String::as_str);
            found.push((parameter, from, (!value.is_empty()).then_some(value)));
        }
    }
    let (page, marker) = fields.page(found, |((name, ..), ..)| (*name).to_owned(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("Parameters", "Parameter", page, |xml, (parameter, from, value)| {
        let (name, _, _, dynamic, kind, allowed, description) = parameter;
        xml.text("ParameterName", name);
        xml.maybe("ParameterValue", value);
        xml.text("Description", description);
        xml.text("Source", from);
        xml.text("ApplyType", if dynamic { "dynamic" } else { "static" });
        xml.text("DataType", kind);
        xml.text("AllowedValues", allowed);
        xml.text("IsModifiable", name != "ssl");
        xml.text("ApplyMethod", if dynamic { "immediate" } else { "pending-reboot" });
    });
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}
