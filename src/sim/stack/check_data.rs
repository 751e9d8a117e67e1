//! What the schema alone cannot say about databases and caches: classes that exist, names that refer to
//! something, storage that holds what is in it.
//!
//! Must not repair anything: a stack file with a slip is refused, with the place and the remedy.

use super::Stack;
use super::check::{Fault, unique, unknown};
use super::data::{Cache, Database, Use, size, window_start};

/// The first fault found.
pub(super) fn check(stack: &Stack) -> Result<(), Fault> {
    unique("databases", stack.databases.iter().map(|database| database.name.as_str()))?;
    unique("database_clusters", stack.database_clusters.iter().map(|cluster| cluster.name.as_str()))?;
    unique("caches", stack.caches.iter().map(|cache| cache.name.as_str()))?;
    for database in &stack.databases {
        self::database(stack, database)?;
    }
    for cluster in &stack.database_clusters {
        let place = format!("database_clusters.{}", cluster.name);
        let writes = |database: &&Database| {
            database.name == cluster.writer && database.cluster.as_ref() == Some(&cluster.name)
        };
        if stack.databases.iter().find(writes).is_none() {
            return Err(unknown(&format!("{place}.writer"), "member", &cluster.writer));
        }
        window(&cluster.backup_window, &format!("{place}.backup_window"))?;
    }
    for cache in &stack.caches {
        self::cache(stack, cache)?;
    }
    Ok(())
}

fn database(stack: &Stack, database: &Database) -> Result<(), Fault> {
    let place = format!("databases.{}", database.name);
    class(&database.class, "db.", &format!("{place}.class"))?;
    window(&database.backup_window, &format!("{place}.backup_window"))?;
    users(stack, &database.used_by, &format!("{place}.used_by"))?;
    groups(stack, &database.security_groups, &format!("{place}.security_groups"))?;
    if let Some(source) = &database.replica_of
        && !stack.databases.iter().any(|other| other.name == *source && other.name != database.name)
    {
        return Err(unknown(&format!("{place}.replica_of"), "database", source));
    }
    if let Some(cluster) = &database.cluster
        && !stack.database_clusters.iter().any(|other| other.name == *cluster)
    {
        return Err(unknown(&format!("{place}.cluster"), "database cluster", cluster));
    }
    if database.multi_az != database.secondary_zone.is_some() {
        let problem = "Multi-AZ and a secondary zone go together".to_owned();
        return Err((format!("{place}.secondary_zone"), problem));
    }
    let room = f64::from(database.storage);
    if !(0.0..room).contains(&database.used) || !database.growth.is_finite() || database.growth < 0.0 {
        let problem = "what is in use, in GiB, must fit into the storage, and it cannot shrink".to_owned();
        return Err((format!("{place}.used"), problem));
    }
    if database.max_storage.is_some_and(|most| most < database.storage) {
        return Err((format!("{place}.max_storage"), "is below `storage`".to_owned()));
    }
    share(database.busy, &format!("{place}.busy"))
}

fn cache(stack: &Stack, cache: &Cache) -> Result<(), Fault> {
    let place = format!("caches.{}", cache.name);
    class(&cache.node_type, "cache.", &format!("{place}.node_type"))?;
    window(&cache.snapshot_window, &format!("{place}.snapshot_window"))?;
    users(stack, &cache.used_by, &format!("{place}.used_by"))?;
    groups(stack, &cache.security_groups, &format!("{place}.security_groups"))?;
    if cache.zones.is_empty() || (!cache.replication_group && cache.zones.len() > 1) {
        let problem = "a node needs a zone, and more than one node needs a replication group".to_owned();
        return Err((format!("{place}.zones"), problem));
    }
    if cache.automatic_failover && cache.zones.len() < 2 {
        let problem = "automatic failover needs a replica".to_owned();
        return Err((format!("{place}.automatic_failover"), problem));
    }
    share(cache.busy, &format!("{place}.busy"))?;
    share(cache.filled, &format!("{place}.filled"))
}

fn class(name: &str, prefix: &str, place: &str) -> Result<(), Fault> {
    if name.starts_with(prefix) && size(name).is_some() {
        return Ok(());
    }
    Err((place.to_owned(), format!("`{name}` is not in the simulator's table of classes")))
}

fn window(text: &str, place: &str) -> Result<(), Fault> {
    if window_start(text).is_some() {
        return Ok(());
    }
    Err((place.to_owned(), format!("`{text}` is no window: write it like 03:00-04:00")))
}

fn share(value: f64, place: &str) -> Result<(), Fault> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err((place.to_owned(), "a share is between 0 and 1".to_owned()))
}

fn users(stack: &Stack, uses: &[Use], place: &str) -> Result<(), Fault> {
    match uses.iter().find(|used| stack.service(&used.service).is_none()) {
        Some(used) => Err(unknown(place, "service", &used.service)),
        None => Ok(()),
    }
}

fn groups(stack: &Stack, names: &[String], place: &str) -> Result<(), Fault> {
    let known = |name: &String| stack.network.security_groups.iter().any(|group| group.name == *name);
    match names.iter().find(|name| !known(name)) {
        Some(name) => Err(unknown(place, "security group", name)),
        None => Ok(()),
    }
}
