//! Snapshots of instances and clusters: those that somebody asked for, and one for each night's backup.
//!
//! Must not answer requests. Nothing is restored from a snapshot here.

use std::sync::Arc;
use std::time::Duration;

use super::{DAY, Event, nightly};
use crate::sim::world::World;
use crate::sim::world::task::span;
use crate::stdx::clock::Wall;

/// Whose snapshot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Index of an instance.
    Instance(usize),
    /// Index of a cluster.
    Cluster(usize),
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Region.
    pub region: Arc<str>,
    /// Identifier; that of an automated one begins with `rds:`.
    pub id: String,
    /// Whose it is.
    pub of: Of,
    /// When it was begun.
    pub from: Wall,
    /// When it is whole.
    pub to: Wall,
    /// Whether a person asked for it.
    pub manual: bool,
    /// Gibibytes of the source at that time.
    pub storage: u32,
    /// Tags: key and value.
    pub tags: Vec<(String, String)>,
}

impl Snapshot {
    /// How much of it is there, in percent.
    #[must_use]
    pub fn percent(&self, now: Wall) -> u64 {
        let whole = self.from.age_at(self.to).as_millis().max(1);
        u64::try_from(self.from.age_at(now).as_millis() * 100 / whole).unwrap_or(100).min(100)
    }

    /// `creating` or `available`.
    #[must_use]
    pub fn status(&self, now: Wall) -> &'static str {
        if now < self.to { "creating" } else { "available" }
    }
}

impl World {
    /// Begins a snapshot. The caller has checked that it may.
    pub fn snapshot_database(&mut self, of: Of, id: &str, tags: Vec<(String, String)>) {
        let now = self.now;
        let (region, storage) = match of {
            Of::Instance(index) => {
                let Some(found) = self.databases.get(index) else { return };
                (Arc::clone(&found.region), found.allocated(now))
            }
            Of::Cluster(index) => {
                let Some(found) = self.database_clusters.get(index) else { return };
                (Arc::clone(&found.region), 1)
            }
        };
        let takes = span(&mut self.dice, 95_000, 190_000) + Duration::from_millis(400) * storage;
        let to = now.plus(takes);
        let told =
            |at: Wall, message: &str| Event { at, message: message.to_owned(), categories: &["backup"] };
        match of {
            Of::Instance(index) => {
                if let Some(found) = self.databases.get_mut(index) {
                    found.events.push(told(now, "Backing up DB instance"));
                    found.events.push(told(to, "Finished DB Instance backup"));
                }
            }
            Of::Cluster(index) => {
                if let Some(found) = self.database_clusters.get_mut(index) {
                    found.events.push(told(now, "Creating manual cluster snapshot"));
                    found.events.push(told(to, "Manual cluster snapshot created"));
                }
            }
        }
        let id = id.to_lowercase();
        self.snapshots.push(Snapshot { region, id, of, from: now, to, manual: true, storage, tags });
    }

    /// Whether a snapshot of this instance is being made.
    pub(crate) fn is_snapshotting(&self, index: usize) -> bool {
        self.snapshots.iter().any(|found| found.of == Of::Instance(index) && self.now < found.to)
    }

    /// All snapshots of instances, or all of clusters, in a region: oldest first.
    #[must_use]
    pub fn database_snapshots(&self, region: &str, of_clusters: bool) -> Vec<Snapshot> {
        let kind = |of: Of| matches!(of, Of::Cluster(_)) == of_clusters;
        let mut all: Vec<Snapshot> = self
            .snapshots
            .iter()
            .filter(|found| *found.region == *region && kind(found.of))
            .cloned()
            .collect();
        let today = self.now.0.div_euclid(DAY);
        let mut add = |name: &str,
                       of: Of,
                       region: &Arc<str>,
                       retention: u32,
                       backup: &dyn Fn(i64) -> Option<(Wall, Wall)>,
                       storage: &dyn Fn(Wall) -> u32| {
            for (from, to) in (today - i64::from(retention)..=today).filter_map(backup) {
                let kept = from.age_at(self.now) <= Duration::from_secs(86_400) * retention;
                let Some(time) = from.timestamp().filter(|_| kept && from <= self.now) else { continue };
                all.push(Snapshot {
                    region: Arc::clone(region),
                    id: format!("rds:{name}-{}", time.strftime("%Y-%m-%d-%H-%M")),
                    of,
                    from,
                    to,
                    manual: false,
                    storage: storage(from),
                    tags: Vec::new(),
                });
            }
        };
        if of_clusters {
            for (index, found) in self.database_clusters.iter().enumerate() {
                let Some(spec) = found.spec().filter(|_| *found.region == *region) else { continue };
                let backup = |day| nightly(self.seed, &spec.name, &spec.backup_window, day);
                add(&spec.name, Of::Cluster(index), &found.region, spec.retention, &backup, &|_| 1);
            }
        } else {
            for (index, found) in self.databases.iter().enumerate() {
                let own = found.spec().filter(|spec| *found.region == *region && spec.cluster.is_none());
                let Some(spec) = own else { continue };
                let backup = |day| found.backup(self.seed, day);
                let storage = |at| found.allocated(at);
                add(&spec.name, Of::Instance(index), &found.region, spec.retention, &backup, &storage);
            }
        }
        all.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        all
    }
}
