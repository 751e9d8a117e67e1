//! The figures that RDS publishes about an instance, as functions of seed and time: what its users ask for,
//! and what troubles it.
//!
//! Must not change anything. Nothing is known of the future, nor of the time before the instance.

use std::time::Duration;

use super::{Condition, GIB};
use crate::sim::stack::data::size;
use crate::sim::world::World;
use crate::sim::world::demand::wobble;
use crate::stdx::clock::Wall;

/// So long it takes until slow statements have piled up.
const PILE_UP: Duration = Duration::from_secs(300);

/// Credits are reckoned over a day, in steps of an hour.
const CREDIT_STEPS: u32 = 24;

/// What RDS publishes about each instance.
const ALWAYS: [&str; 10] = [
    "CPUUtilization",
    "DatabaseConnections",
    "DiskQueueDepth",
    "FreeableMemory",
    "ReadIOPS",
    "ReadLatency",
    "SwapUsage",
    "WriteIOPS",
    "WriteLatency",
    "WriteThroughput",
];

/// An instance at an instant.
pub(super) struct Pulse {
    /// 1 is full load.
    pub load: f64,
    /// Open connections.
    pub connections: f64,
    /// Percent.
    pub cpu: f64,
    /// How many times as long statements take; 1 is usual.
    pub slow: f64,
    /// Whether it cannot be reached.
    pub down: bool,
}

impl World {
    /// The names of the metrics that RDS publishes about an instance.
    #[must_use]
    pub fn database_metrics(&self, index: usize) -> Vec<&'static str> {
        let Some(spec) = self.databases.get(index).and_then(|found| found.spec()) else { return Vec::new() };
        let some = [
            (size(&spec.class).is_some_and(|size| size.credits.is_some()), "CPUCreditBalance"),
            (spec.cluster.is_none(), "FreeStorageSpace"),
            (spec.replica_of.is_some(), "ReplicaLag"),
            (spec.insights, "DBLoad"),
            (spec.insights, "DBLoadCPU"),
            (spec.insights, "DBLoadNonCPU"),
            (spec.storage_type == "gp2", "BurstBalance"),
        ];
        ALWAYS.into_iter().chain(some.into_iter().filter(|(sent, _)| *sent).map(|(_, name)| name)).collect()
    }

    /// A metric of `AWS/RDS` at an instant, in AWS's unit for it (bytes, seconds, percent, counts).
    /// `None` for a metric, an instance or an instant of which nothing is known.
    #[must_use]
    pub fn database_metric(
        &self,
        region: &str,
        dimensions: &[(String, String)],
        name: &str,
        at: Wall,
    ) -> Option<f64> {
        let [(key, id)] = dimensions else { return None };
        let index = self.database(region, id).filter(|_| key == "DBInstanceIdentifier")?;
        let found = self.databases.get(index)?;
        let spec = found.spec()?;
        if at > self.now || at < found.created_at {
            return None;
        }
        let size = size(&spec.class)?;
        let noise = |salt: &str| wobble(self.seed, &format!("{}/{salt}", spec.name), at);
        if name == "CPUCreditBalance" {
            return size.credits.map(|earned| self.credits(index, at, size.cpus, earned));
        }
        if name == "FreeStorageSpace" {
            return (spec.cluster.is_none()).then(|| self.free_storage(index, at));
        }
        let pulse = self.pulse(index, at)?;
        let alive = if pulse.down { 0.0 } else { 1.0 };
        let reads = alive * (14.0 + 190.0 * pulse.load * pulse.slow.sqrt()) * (1.0 + 0.2 * noise("reads"));
        let writes = alive * (9.0 + 120.0 * pulse.load) * (1.0 + 0.2 * noise("writes"));
        let strain = alive * (1.0 + 0.6 * pulse.load) * pulse.slow;
        let read_latency = 0.000_55 * strain * (1.0 + 0.3 * noise("read latency"));
        let write_latency = 0.001_1 * strain * (1.0 + 0.3 * noise("write latency"));
        let sessions = alive * size.cpus * 0.22 * pulse.load * pulse.slow * (1.0 + 0.25 * noise("load"));
        Some(match name {
            "CPUUtilization" => pulse.cpu,
            "DatabaseConnections" => pulse.connections,
            "FreeableMemory" => {
                let held = pulse.connections * 9.5e6;
                let memory = size.memory * GIB;
                (memory * (0.46 - 0.05 * pulse.load + 0.01 * noise("memory")) - held).max(memory * 0.03)
            }
            "SwapUsage" => 2.1e6 * (1.0 + 0.02 * noise("swap")),
            "ReadIOPS" => reads,
            "WriteIOPS" => writes,
            // Pages of 8 KiB, written one by one for the most part.
            "WriteThroughput" => writes * 9_300.0,
            "ReadLatency" => read_latency,
            "WriteLatency" => write_latency,
            "DiskQueueDepth" => reads * read_latency + writes * write_latency,
            "ReplicaLag" => {
                let source = self.database(region, spec.replica_of.as_ref()?)?;
                let behind = self.pulse(source, at)?;
                0.06 * (1.0 + behind.load) * (1.0 + 0.8 * noise("lag")) * behind.slow.max(pulse.slow)
            }
            "DBLoad" if spec.insights => sessions,
            "DBLoadCPU" if spec.insights => sessions.min(size.cpus * pulse.cpu / 100.0),
            "DBLoadNonCPU" if spec.insights => (sessions - size.cpus * pulse.cpu / 100.0).max(0.0),
            "BurstBalance" if spec.storage_type == "gp2" => {
                // gp2 gives 3 IOPS per GiB, at least 100, and lives on its balance above that.
                let base = (3.0 * f64::from(found.allocated(at))).max(100.0);
                (100.0 - 12.0 * ((reads + writes) / base - 1.0).max(0.0)).clamp(0.0, 100.0)
            }
            _ => return None,
        })
    }

    /// What the databases behind a service do to its requests at an instant: how many times as long they
    /// take (1 is usual), and the share of them that fails.
    pub(crate) fn behind(&self, service: usize, at: Wall) -> (f64, f64) {
        let mut all = (1.0_f64, 0.0_f64);
        for (index, found) in self.databases.iter().enumerate() {
            let quiet = found.troubles.is_empty() && found.outages.is_empty();
            if quiet || !found.users.iter().any(|(user, _)| *user == service) {
                continue;
            }
            let (Some(pulse), Some(spec)) = (self.pulse(index, at), found.spec()) else { continue };
            let refused = if pulse.down {
                0.9
            } else if pulse.connections >= f64::from(spec.max_connections()) {
                // Connections that a pool holds go on working; what needs one more is refused.
                0.4
            } else {
                0.0
            };
            // About half of a request's time is spent waiting for the database.
            all = (all.0.max(1.0 + 0.5 * (pulse.slow - 1.0)), all.1.max(refused));
        }
        all
    }

    /// Bytes that are free at an instant.
    pub(crate) fn free_storage(&self, index: usize, at: Wall) -> f64 {
        let Some(found) = self.databases.get(index) else { return 0.0 };
        let Some(spec) = found.spec() else { return 0.0 };
        let allocated = f64::from(found.allocated(at)) * GIB;
        let days = (at.0 - self.opened.0) as f64 / 86_400_000.0;
        let filled: f64 = found
            .troubles
            .iter()
            .filter_map(|trouble| match trouble.condition {
                Condition::StorageFilling { within } => {
                    let end = trouble.to.map_or(at, |to| to.min(at));
                    let spent = trouble.from.age_at(end).as_secs_f64() / within.as_secs_f64().max(1.0);
                    // A little more than there is, so that noise cannot keep it from being full.
                    Some(spent.min(1.0) * trouble.free * 1.01)
                }
                _ => None,
            })
            .sum();
        // Write-ahead log comes and goes.
        let log = 0.000_4 * wobble(self.seed, &spec.name, Wall(at.0 / 30));
        let used = (spec.used + spec.growth * days).max(0.2) * GIB * (1.0 + log) + filled;
        (allocated - used).max(0.0)
    }

    pub(super) fn pulse(&self, index: usize, at: Wall) -> Option<Pulse> {
        let found = self.databases.get(index)?;
        let spec = found.spec()?;
        let noise = |salt: &str| wobble(self.seed, &format!("{}/{salt}", spec.name), at);
        if found.is_down(at) {
            let cpu = 1.2 + 0.3 * noise("cpu");
            return Some(Pulse { load: 0.0, connections: 0.0, cpu, slow: 1.0, down: true });
        }
        let demand = self.demand(&found.users, at);
        let most = f64::from(spec.max_connections());
        // RDS's own agent holds a few.
        let mut connections = (3.0 + demand.connections * (1.0 + 0.06 * noise("connections"))).round();
        let (mut slow, mut crowd) = (1.0, 0.0_f64);
        for trouble in &found.troubles {
            match trouble.condition {
                Condition::SlowQueries { factor } => {
                    slow *= 1.0 + (factor - 1.0).max(0.0) * trouble.onset(at, PILE_UP);
                }
                Condition::ConnectionsExhausted { within } => crowd = crowd.max(trouble.onset(at, within)),
                Condition::StorageFilling { .. } | Condition::FailingOver { .. } => {}
            }
        }
        // Slow statements hold their connections for longer.
        let held = 1.0 + 0.12 * (slow - 1.0).min(4.0);
        connections = (connections * held + crowd * most).min(most).round();
        let backup = if self.in_backup(index, at) { 6.0 } else { 0.0 };
        let work = spec.busy * 100.0 * demand.load * (1.0 + 0.55 * (slow - 1.0)) + 9.0 * crowd;
        let cpu = (2.6 + work * (1.0 + 0.12 * noise("cpu")) + backup + 0.5 * noise("idle")).clamp(0.6, 99.8);
        Some(Pulse { load: demand.load, connections, cpu, slow, down: false })
    }

    fn in_backup(&self, index: usize, at: Wall) -> bool {
        let day = at.0.div_euclid(86_400_000);
        self.databases.get(index).is_some_and(|found| {
            [day - 1, day]
                .into_iter()
                .filter_map(|day| found.backup(self.seed, day))
                .any(|(from, to)| from <= at && at < to)
        })
    }

    /// Credits that are left at an instant, after a day of earning and spending.
    fn credits(&self, index: usize, at: Wall, cpus: f64, earned: f64) -> f64 {
        let most = earned * 24.0;
        let hour = 3_600_000;
        let first = (at.0.div_euclid(hour) - i64::from(CREDIT_STEPS)) * hour;
        let mut balance = most;
        for step in 0..=i64::from(CREDIT_STEPS) {
            let from = first + step * hour;
            let span = (at.0 - from).clamp(0, hour);
            let middle = Wall(from + span / 2);
            let cpu = self.pulse(index, middle).map_or(0.0, |pulse| pulse.cpu);
            // One credit is one vCPU at full speed for a minute.
            let spent = cpus * 60.0 * cpu / 100.0;
            balance = (balance + (earned - spent) * span as f64 / hour as f64).clamp(0.0, most);
        }
        balance
    }
}
