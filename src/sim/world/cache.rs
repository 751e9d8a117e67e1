//! ElastiCache clusters and replication groups as state: a failover that walks as AWS's does, events that
//! follow, troubles that begin at an instant.
//!
//! Must not answer requests. What a trouble does to figures is `metric`'s business.

use std::sync::Arc;
use std::time::Duration;

use crate::sim::logs::chance::{self, mix};
use crate::sim::stack::data::{self, window_start};
use crate::sim::stack::{ACCOUNT, Stack};
use crate::sim::world::task::span;
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

mod metric;

/// ElastiCache tells of the last 14 days.
pub const REMEMBERED: Duration = Duration::from_secs(14 * 86_400);

const DAY: i64 = 86_400_000;

/// What can be wrong with a cache, from an instant on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CacheCondition {
    /// Data fills the memory evenly within this span; then keys are evicted.
    MemoryFilling {
        /// From now until full.
        within: Duration,
    },
    /// Commands take this many times the usual CPU.
    Busy {
        /// 1 is usual.
        factor: f64,
    },
    /// A replica takes over, and that takes this long.
    FailingOver {
        /// Usually about a minute.
        takes: Duration,
    },
}

/// A condition and when it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheTrouble {
    /// From when.
    pub from: Wall,
    /// Until when; `None` while it lasts.
    pub to: Option<Wall>,
    /// What.
    pub condition: CacheCondition,
}

/// An ElastiCache event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEvent {
    /// When.
    pub at: Wall,
    /// `cache-cluster` or `replication-group`.
    pub kind: &'static str,
    /// Whose.
    pub source: String,
    /// AWS's text.
    pub message: String,
}

/// A cluster alone, or a replication group with its clusters.
#[derive(Debug)]
pub struct Cache {
    /// Region.
    pub region: Arc<str>,
    /// The stack that it comes from.
    pub stack: Arc<Stack>,
    /// Its place there.
    pub origin: usize,
    /// The services that use it, and how many connections each of their tasks may open.
    pub users: Vec<(usize, u32)>,
    /// Status of the group and its clusters.
    pub status: &'static str,
    /// Place of the node that is the primary.
    pub primary: usize,
    /// When it was created.
    pub created_at: Wall,
    /// Events since the world opened.
    pub events: Vec<CacheEvent>,
    /// Troubles, those that are over too.
    pub troubles: Vec<CacheTrouble>,
    /// When the primary could not be reached; `None` while it cannot.
    pub outages: Vec<(Wall, Option<Wall>)>,
}

impl Cache {
    /// Its description in the stack.
    #[must_use]
    pub fn spec(&self) -> Option<&data::Cache> {
        self.stack.caches.get(self.origin)
    }

    /// Its id.
    #[must_use]
    pub fn name(&self) -> &str {
        self.spec().map_or("", |spec| spec.name.as_str())
    }

    /// The ids of its clusters.
    #[must_use]
    pub fn members(&self) -> Vec<String> {
        self.spec().map(|spec| spec.members().collect()).unwrap_or_default()
    }

    /// Whether there is a replication group.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.spec().is_some_and(|spec| spec.replication_group)
    }

    /// An ARN of this region: `replicationgroup` or `cluster`.
    #[must_use]
    pub fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:elasticache:{}:{ACCOUNT}:{kind}:{id}", self.region)
    }

    fn is_down(&self, at: Wall) -> bool {
        self.outages.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| at < to))
    }

    /// All events of the last 14 days, oldest first.
    #[must_use]
    pub fn history(&self, seed: u64, now: Wall) -> Vec<CacheEvent> {
        let mut all = self.events.clone();
        let (first, last) = (now.minus(REMEMBERED).0.div_euclid(DAY), now.0.div_euclid(DAY));
        if let Some(spec) = self.spec().filter(|spec| spec.snapshot_retention > 0)
            && let Some(start) = window_start(&spec.snapshot_window)
            && let Some(source) = spec.members().last()
        {
            for day in first..=last {
                let hash = mix(mix(seed, chance::text(&spec.name)), chance::time(day));
                let at = Wall(day * DAY + i64::from(start) * 60_000 + chance::millis(hash, 25 * 60_000));
                let stamp = at.timestamp().map(|time| time.strftime("%Y-%m-%d-%H-%M").to_string());
                let message = format!(
                    "Snapshot succeeded for snapshot with ID 'automatic.{source}-{}' of replication group with ID '{}'",
                    stamp.unwrap_or_default(),
                    spec.name,
                );
                let (kind, source) = ("replication-group", spec.name.clone());
                all.push(CacheEvent { at, kind, source, message });
            }
        }
        all.retain(|event| event.at <= now && event.at >= now.minus(REMEMBERED));
        all.sort_by_key(|event| event.at);
        all
    }

    fn say(&mut self, at: Wall, kind: &'static str, source: String, message: String) {
        self.events.push(CacheEvent { at, kind, source, message });
    }
}

impl World {
    /// Adds a stack's caches, as they are when the world opens.
    pub(crate) fn add_caches(&mut self, stack: &Arc<Stack>) {
        for (origin, spec) in stack.caches.iter().enumerate() {
            let users = self.users(stack, &spec.used_by);
            self.caches.push(Cache {
                region: Arc::from(stack.region.as_str()),
                stack: Arc::clone(stack),
                origin,
                users,
                status: "available",
                primary: 0,
                created_at: self.opened.minus(spec.age.0),
                events: Vec::new(),
                troubles: Vec::new(),
                outages: Vec::new(),
            });
        }
    }

    /// The replication group, or the cluster alone, of this id.
    #[must_use]
    pub fn cache(&self, region: &str, id: &str) -> Option<usize> {
        self.caches.iter().position(|found| *found.region == *region && found.name().eq_ignore_ascii_case(id))
    }

    /// Fails a replication group over to its next node. The caller has checked that it may.
    pub fn fail_cache_over(&mut self, index: usize) {
        let takes = span(&mut self.dice, 40_000, 75_000);
        let users = self.caches.get(index).map(|found| found.users.clone()).unwrap_or_default();
        self.lose_connections(&users, takes, "cache connection lost\ncaused by: read ECONNRESET");
        self.cache_interrupted(index, takes);
    }

    fn cache_interrupted(&mut self, index: usize, takes: Duration) {
        let now = self.now;
        let Some(found) = self.caches.get_mut(index) else { return };
        found.status = "modifying";
        found.outages.push((now, None));
        if let Some(old) = found.members().get(found.primary).cloned() {
            found.say(now, "cache-cluster", old, "Recovering cache nodes 0001".to_owned());
        }
        self.schedule(now.plus(takes), Due::Cache(index));
    }

    /// Lets a condition begin now. `false` when there is no such cache, or it cannot have it (a failover
    /// without a replica).
    pub fn set_cache_condition(&mut self, region: &str, id: &str, condition: CacheCondition) -> bool {
        let Some(index) = self.cache(region, id) else { return false };
        let now = self.now;
        let Some(found) = self.caches.get_mut(index) else { return false };
        if let CacheCondition::FailingOver { takes } = condition {
            let possible = found.members().len() > 1 && found.status == "available";
            if possible {
                self.cache_interrupted(index, takes);
            }
            return possible;
        }
        found.troubles.push(CacheTrouble { from: now, to: None, condition });
        true
    }

    /// Ends all conditions of a cache now.
    pub fn clear_cache_conditions(&mut self, region: &str, id: &str) -> bool {
        let now = self.now;
        let Some(found) = self.cache(region, id).and_then(|index| self.caches.get_mut(index)) else {
            return false;
        };
        for trouble in &mut found.troubles {
            trouble.to.get_or_insert(now);
        }
        true
    }

    pub(crate) fn cache_failed_over(&mut self, index: usize) {
        let now = self.now;
        let Some(found) = self.caches.get_mut(index) else { return };
        let members = found.members();
        if members.is_empty() {
            return;
        }
        let old = members.get(found.primary).cloned().unwrap_or_default();
        found.primary = (found.primary + 1) % members.len();
        let new = members.get(found.primary).cloned().unwrap_or_default();
        for (_, to) in &mut found.outages {
            to.get_or_insert(now);
        }
        found.status = "available";
        let name = found.name().to_owned();
        let message = format!("Failover from primary node {old} to replica node {new} completed");
        found.say(now, "replication-group", name, message);
        found.say(now, "cache-cluster", old, "Finished recovery for cache nodes 0001".to_owned());
    }
}

#[cfg(test)]
mod tests;
