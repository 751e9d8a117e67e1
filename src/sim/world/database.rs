//! RDS DB instances and clusters as state: statuses that walk as AWS's do, events that follow them, and
//! troubles that begin at an instant.
//!
//! Must not answer requests. What a trouble does to figures is `metric`'s business, what it writes `log`'s.

use std::sync::Arc;
use std::time::Duration;

use crate::sim::logs::chance::{self, mix};
use crate::sim::stack::data::{self, window_start};
use crate::sim::stack::{ACCOUNT, Stack};
use crate::sim::world::service::{Disturbance, DisturbanceKind};
use crate::sim::world::task::span;
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

pub mod log;
mod metric;
pub mod snapshot;

/// A gibibyte.
pub const GIB: f64 = 1_073_741_824.0;

/// RDS tells of the last 14 days.
pub const REMEMBERED: Duration = Duration::from_secs(14 * 86_400);

const DAY: i64 = 86_400_000;

/// What a program writes whose connection to the database has ended.
const LOST: &str = "database connection lost\ncaused by: terminating connection due to administrator command";

/// The backup that begins on the UTC day of an instant, within a window.
fn nightly(seed: u64, name: &str, window: &str, day: i64) -> Option<(Wall, Wall)> {
    let start = i64::from(window_start(window)?) * 60_000;
    let hash = mix(mix(seed, chance::text(name)), chance::time(day));
    let from = Wall(day * DAY + start + chance::millis(hash, 15 * 60_000));
    Some((from, from.plus(Duration::from_secs(170 + hash % 420))))
}

/// What can be wrong with a database, from an instant on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// What is free is used up evenly within this span; then the instance is `storage-full` and stands still.
    /// Storage autoscaling does not save it: it is not played.
    StorageFilling {
        /// From now until nothing is left.
        within: Duration,
    },
    /// Clients open connections, evenly within this span, until none is left.
    ConnectionsExhausted {
        /// From now until `max_connections`.
        within: Duration,
    },
    /// Statements take this many times as long, and the database works on more of them at once.
    SlowQueries {
        /// 1 is usual.
        factor: f64,
    },
    /// The standby takes over, and that takes this long.
    FailingOver {
        /// Usually one to two minutes.
        takes: Duration,
    },
}

/// A condition and when it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trouble {
    /// From when.
    pub from: Wall,
    /// Until when; `None` while it lasts.
    pub to: Option<Wall>,
    /// What.
    pub condition: Condition,
    /// Bytes that were free when it began.
    free: f64,
}

impl Trouble {
    /// Whether it holds at an instant.
    #[must_use]
    pub fn holds(&self, at: Wall) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// How far it has come at an instant, 0 to 1, when it takes `ramp` to unfold.
    fn onset(&self, at: Wall, ramp: Duration) -> f64 {
        if !self.holds(at) {
            return 0.0;
        }
        (self.from.age_at(at).as_secs_f64() / ramp.as_secs_f64().max(1.0)).min(1.0)
    }
}

/// A span in which a database cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From when.
    pub from: Wall,
    /// Until when; `None` while it lasts.
    pub to: Option<Wall>,
    /// Whether it is for want of storage.
    pub full: bool,
}

/// An RDS event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Wall,
    /// AWS's text.
    pub message: String,
    /// AWS's categories.
    pub categories: &'static [&'static str],
}

/// What is due for a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each step is what its name says")]
pub enum Step {
    Restarted,
    FailedOver,
    StorageChanging,
    StorageChanged,
    Optimized,
    LowStorage,
    StorageFull,
    ClusterFailedOver,
}

/// A DB instance.
#[derive(Debug)]
pub struct Database {
    /// Region.
    pub region: Arc<str>,
    /// The stack that it comes from.
    pub stack: Arc<Stack>,
    /// Its place there.
    pub origin: usize,
    /// The services that use it, and how many connections each of their tasks may open.
    pub users: Vec<(usize, u32)>,
    /// Status, but for the nightly backup; see `World::database_status`.
    pub status: &'static str,
    /// Its zone now.
    pub zone: String,
    /// The standby's zone now.
    pub secondary_zone: Option<String>,
    /// When it was created.
    pub created_at: Wall,
    /// Allocated storage in GiB, from when on; oldest first.
    pub sizes: Vec<(Wall, u32)>,
    /// Storage that was asked for and is not there yet.
    pub pending_storage: Option<u32>,
    /// Whether a parameter waits for a reboot.
    pub parameters_pending: bool,
    /// Events since the world opened.
    pub events: Vec<Event>,
    /// Troubles, those that are over too.
    pub troubles: Vec<Trouble>,
    /// When it could not be reached.
    pub outages: Vec<Outage>,
}

/// An Aurora cluster.
#[derive(Debug)]
pub struct DatabaseCluster {
    /// Region.
    pub region: Arc<str>,
    /// The stack that it comes from.
    pub stack: Arc<Stack>,
    /// Its place there.
    pub origin: usize,
    /// Status.
    pub status: &'static str,
    /// The member that writes.
    pub writer: String,
    /// The member that is about to.
    pub next: Option<String>,
    /// Events since the world opened.
    pub events: Vec<Event>,
}

impl Database {
    /// Its description in the stack.
    #[must_use]
    pub fn spec(&self) -> Option<&data::Database> {
        self.stack.databases.get(self.origin)
    }

    /// Its identifier.
    #[must_use]
    pub fn name(&self) -> &str {
        self.spec().map_or("", |spec| spec.name.as_str())
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:rds:{}:{ACCOUNT}:db:{}", self.region, self.name())
    }

    /// Allocated storage at an instant, in GiB.
    #[must_use]
    pub fn allocated(&self, at: Wall) -> u32 {
        let first = self.sizes.first().map_or(0, |(_, size)| *size);
        self.sizes.iter().rev().find(|(from, _)| *from <= at).map_or(first, |(_, size)| *size)
    }

    /// Whether it could not be reached at an instant.
    #[must_use]
    pub fn is_down(&self, at: Wall) -> bool {
        self.outages.iter().any(|outage| outage.from <= at && outage.to.is_none_or(|to| at < to))
    }

    /// The backup that begins on the UTC day of an instant: from, to. Replicas without retention have none.
    #[must_use]
    pub fn backup(&self, seed: u64, day: i64) -> Option<(Wall, Wall)> {
        let spec = self.spec().filter(|spec| spec.retention > 0)?;
        let (from, to) = nightly(seed, &spec.name, &spec.backup_window, day)?;
        (!self.is_down(from) && from >= self.created_at).then_some((from, to))
    }

    /// All events of the last 14 days, oldest first.
    #[must_use]
    pub fn history(&self, seed: u64, now: Wall) -> Vec<Event> {
        let mut all = self.events.clone();
        let (first, last) = (now.minus(REMEMBERED).0.div_euclid(DAY), now.0.div_euclid(DAY));
        for (from, to) in (first..=last).filter_map(|day| self.backup(seed, day)) {
            let told = [(from, "Backing up DB instance"), (to, "Finished DB Instance backup")];
            all.extend(told.map(|(at, text)| Event {
                at,
                message: text.to_owned(),
                categories: &["backup"],
            }));
        }
        all.retain(|event| event.at <= now && event.at >= now.minus(REMEMBERED));
        all.sort_by_key(|event| event.at);
        all
    }

    /// The newest instant that it can be restored to; `None` without backups.
    #[must_use]
    pub fn restorable(&self, seed: u64, now: Wall) -> Option<Wall> {
        let spec = self.spec().filter(|spec| spec.retention > 0)?;
        // Logs are shipped every five minutes, and none while it is down.
        let reached =
            self.outages.iter().find(|outage| outage.to.is_none()).map_or(now, |outage| outage.from);
        let phase = chance::millis(mix(seed, chance::text(&spec.name)), 300_000);
        Some(reached.minus(Duration::from_millis((reached.0 + phase).rem_euclid(300_000).unsigned_abs())))
    }

    fn say(&mut self, at: Wall, message: impl Into<String>, categories: &'static [&'static str]) {
        self.events.push(Event { at, message: message.into(), categories });
    }

    fn begin_outage(&mut self, at: Wall, full: bool) {
        if !self.is_down(at) {
            self.outages.push(Outage { from: at, to: None, full });
        }
    }

    fn end_outage(&mut self, at: Wall) {
        for outage in &mut self.outages {
            outage.to.get_or_insert(at);
        }
    }
}

impl World {
    /// Adds a stack's databases, as they are when the world opens.
    pub(crate) fn add_databases(&mut self, stack: &Arc<Stack>) {
        let region: Arc<str> = Arc::from(stack.region.as_str());
        for (origin, spec) in stack.databases.iter().enumerate() {
            let users = self.users(stack, &spec.used_by);
            self.databases.push(Database {
                region: Arc::clone(&region),
                stack: Arc::clone(stack),
                origin,
                users,
                status: "available",
                zone: spec.zone.clone(),
                secondary_zone: spec.secondary_zone.clone(),
                created_at: self.opened.minus(spec.age.0),
                sizes: vec![(self.opened.minus(spec.age.0), spec.storage)],
                pending_storage: None,
                parameters_pending: spec.parameters_pending,
                events: Vec::new(),
                troubles: Vec::new(),
                outages: Vec::new(),
            });
        }
        for (origin, spec) in stack.database_clusters.iter().enumerate() {
            self.database_clusters.push(DatabaseCluster {
                region: Arc::clone(&region),
                stack: Arc::clone(stack),
                origin,
                status: "available",
                writer: spec.writer.clone(),
                next: None,
                events: Vec::new(),
            });
        }
    }

    /// The database of this identifier; AWS compares them without regard to case.
    #[must_use]
    pub fn database(&self, region: &str, id: &str) -> Option<usize> {
        self.databases
            .iter()
            .position(|found| *found.region == *region && found.name().eq_ignore_ascii_case(id))
    }

    /// Its status now: `backing-up` while the nightly backup runs.
    #[must_use]
    pub fn database_status(&self, index: usize) -> &'static str {
        let Some(found) = self.databases.get(index) else { return "deleted" };
        let today = self.now.0.div_euclid(DAY);
        let backs_up = [today - 1, today]
            .into_iter()
            .filter_map(|day| found.backup(self.seed, day))
            .any(|(from, to)| from <= self.now && self.now < to);
        let busy = backs_up || self.is_snapshotting(index);
        if found.status == "available" && busy { "backing-up" } else { found.status }
    }

    fn due(&mut self, index: usize, after: Duration, step: Step) {
        self.schedule(self.now.plus(after), Due::Database(index, step));
    }

    /// Reboots a database; `failover` swaps it with its standby. The caller has checked that it may.
    pub fn reboot_database(&mut self, index: usize, failover: bool) {
        let takes = if failover {
            span(&mut self.dice, 62_000, 95_000)
        } else {
            span(&mut self.dice, 45_000, 100_000)
        };
        let users = self.databases.get(index).map(|found| found.users.clone()).unwrap_or_default();
        self.lose_connections(&users, takes, LOST);
        self.interrupt(index, failover, takes);
    }

    fn interrupt(&mut self, index: usize, failover: bool, takes: Duration) {
        let now = self.now;
        let Some(found) = self.databases.get_mut(index) else { return };
        found.status = "rebooting";
        found.begin_outage(now, false);
        if failover {
            found.say(now, "Multi-AZ instance failover started.", &["failover"]);
            self.due(index, takes, Step::FailedOver);
        } else {
            found.say(now, "DB instance shutdown", &["availability"]);
            self.due(index, takes, Step::Restarted);
        }
    }

    /// Grows a database's storage to `gib`: now, or in the next maintenance window, which is not played.
    pub fn grow_storage(&mut self, index: usize, gib: u32, at_once: bool) {
        let Some(found) = self.databases.get_mut(index) else { return };
        found.pending_storage = Some(gib);
        if at_once {
            let pause = span(&mut self.dice, 15_000, 40_000);
            self.due(index, pause, Step::StorageChanging);
        }
    }

    /// Fails an Aurora cluster over to one of its readers. The caller has checked that it may.
    pub fn fail_cluster_over(&mut self, index: usize, to: &str) {
        let now = self.now;
        let Some(found) = self.database_clusters.get_mut(index) else { return };
        found.status = "failing-over";
        found.next = Some(to.to_owned());
        let message = format!("Started cross AZ failover to DB instance: {to}");
        found.events.push(Event { at: now, message, categories: &["failover"] });
        let (old, stack) = (found.writer.clone(), Arc::clone(&found.stack));
        let takes = span(&mut self.dice, 18_000, 34_000);
        let mut users = Vec::new();
        // Writer and reader change places, and both restart.
        for member in &mut self.databases {
            if Arc::ptr_eq(&member.stack, &stack) && [old.as_str(), to].contains(&member.name()) {
                member.begin_outage(now, false);
                users.extend(member.users.clone());
            }
        }
        self.lose_connections(&users, takes, LOST);
        self.due(index, takes, Step::ClusterFailedOver);
    }

    /// The services behind whose tasks connections have ended: until they are made anew, requests fail.
    pub(crate) fn lose_connections(&mut self, users: &[(usize, u32)], takes: Duration, text: &str) {
        let from = self.now;
        let to = from.plus(takes + Duration::from_secs(12));
        for (service, _) in users {
            let Some(found) = self.services.get_mut(*service) else { continue };
            // The container that uses it is the one that the family names first.
            let family = found.family.and_then(|place| found.stack.task_definitions.get(place));
            let container = family.and_then(|family| family.containers.first()).map(|own| own.name.clone());
            let kind = DisturbanceKind::Errors { rate: 1.5, text: text.to_owned() };
            found.disturbances.push(Disturbance { from, to, container, kind });
        }
    }

    /// Lets a condition begin now. `false` when there is no such database, or it cannot have it (a failover
    /// without a standby).
    pub fn set_condition(&mut self, region: &str, id: &str, condition: Condition) -> bool {
        let Some(index) = self.database(region, id) else { return false };
        let now = self.now;
        let free = self.free_storage(index, now);
        let Some(found) = self.databases.get_mut(index) else { return false };
        if let Condition::FailingOver { takes } = condition {
            let possible = found.secondary_zone.is_some() && found.status == "available";
            if possible {
                self.interrupt(index, true, takes);
            }
            return possible;
        }
        found.troubles.push(Trouble { from: now, to: None, condition, free });
        if let Condition::StorageFilling { within } = condition {
            let allocated = f64::from(found.allocated(now)) * GIB;
            // AWS speaks up below 10 %, and again when it gets tight.
            for share in [0.1, 0.04] {
                let left = ((free - share * allocated) / free.max(1.0)).clamp(0.0, 1.0);
                self.due(index, within.mul_f64(left), Step::LowStorage);
            }
            self.due(index, within, Step::StorageFull);
        }
        true
    }

    /// Ends all conditions of a database now. One that is `storage-full` stays so until it is grown.
    pub fn clear_conditions(&mut self, region: &str, id: &str) -> bool {
        let now = self.now;
        let Some(found) = self.database(region, id).and_then(|index| self.databases.get_mut(index)) else {
            return false;
        };
        for trouble in &mut found.troubles {
            trouble.to.get_or_insert(now);
        }
        true
    }

    pub(crate) fn database_step(&mut self, index: usize, step: Step) {
        let now = self.now;
        if step == Step::ClusterFailedOver {
            self.cluster_failed_over(index);
            return;
        }
        let free = self.free_storage(index, now);
        let optimizing = Duration::from_secs(40 * 60);
        let changing = span(&mut self.dice, 90_000, 200_000);
        let Some(found) = self.databases.get_mut(index) else { return };
        let allocated = found.allocated(now);
        let share = free / (f64::from(allocated.max(1)) * GIB);
        match step {
            Step::Restarted | Step::FailedOver if found.status == "rebooting" => {
                found.end_outage(now);
                found.parameters_pending = false;
                found.status = "available";
                found.say(now, "DB instance restarted", &["availability"]);
                if step == Step::FailedOver {
                    let old = found.zone.clone();
                    if let Some(new) = found.secondary_zone.replace(old) {
                        found.zone = new;
                    }
                    found.say(now, "Multi-AZ instance failover completed", &["failover"]);
                }
            }
            Step::StorageChanging if found.pending_storage.is_some() => {
                found.status = "modifying";
                found.say(now, "Applying modification to allocated storage", &["configuration change"]);
                self.due(index, changing, Step::StorageChanged);
            }
            Step::StorageChanged => {
                let Some(size) = found.pending_storage.take() else { return };
                found.sizes.push((now, size));
                found.status = "storage-optimization";
                found.end_outage(now);
                let text = "Finished applying modification to allocated storage";
                found.say(now, text, &["configuration change"]);
                self.due(index, optimizing, Step::Optimized);
            }
            Step::Optimized if found.status == "storage-optimization" => found.status = "available",
            Step::LowStorage if share <= 0.101 && found.status != "storage-full" => {
                let message = format!(
                    "The free storage capacity for DB instance: {} is low at {:.0}% of the provisioned storage \
                     [Provisioned Storage: {:.2} GB, Free Storage: {:.2} GB]. You might want to increase the \
                     provisioned storage to address this issue.",
                    found.name(),
                    share * 100.0,
                    f64::from(allocated) * 0.976,
                    free / GIB,
                );
                found.say(now, message, &["low storage"]);
            }
            Step::StorageFull if share < 0.001 => {
                found.status = "storage-full";
                found.begin_outage(now, true);
                for trouble in &mut found.troubles {
                    if matches!(trouble.condition, Condition::StorageFilling { .. }) {
                        trouble.to.get_or_insert(now);
                    }
                }
                let text =
                    "The allocated storage has been exhausted. Allocate additional storage to resolve.";
                found.say(now, text, &["failure"]);
            }
            _ => {}
        }
    }

    fn cluster_failed_over(&mut self, index: usize) {
        let now = self.now;
        let Some(found) = self.database_clusters.get_mut(index) else { return };
        let Some(new) = found.next.take() else { return };
        found.status = "available";
        let message = format!("Completed failover to DB instance: {new}");
        found.events.push(Event { at: now, message, categories: &["failover"] });
        let old = std::mem::replace(&mut found.writer, new.clone());
        let stack = Arc::clone(&found.stack);
        for member in &mut self.databases {
            if Arc::ptr_eq(&member.stack, &stack) && [&old, &new].iter().any(|name| **name == member.name()) {
                member.end_outage(now);
                member.say(now, "DB instance restarted", &["availability"]);
            }
        }
    }
}

impl DatabaseCluster {
    /// Its description in the stack.
    #[must_use]
    pub fn spec(&self) -> Option<&data::DatabaseCluster> {
        self.stack.database_clusters.get(self.origin)
    }

    /// Its identifier.
    #[must_use]
    pub fn name(&self) -> &str {
        self.spec().map_or("", |spec| spec.name.as_str())
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:rds:{}:{ACCOUNT}:cluster:{}", self.region, self.name())
    }

    /// Its members.
    pub fn members(&self) -> impl Iterator<Item = &data::Database> {
        let name = self.name();
        self.stack.databases.iter().filter(move |member| member.cluster.as_deref() == Some(name))
    }
}

#[cfg(test)]
mod tests;
