//! The figures that ElastiCache publishes about a node, as functions of seed and time.
//!
//! Must not change anything. Nothing is known of the future, nor of the time before the node.

use std::time::Duration;

use super::CacheCondition;
use crate::sim::stack::data::size;
use crate::sim::world::World;
use crate::sim::world::demand::wobble;
use crate::stdx::clock::Wall;

const GIB: f64 = 1_073_741_824.0;

/// So long it takes until a node that has become busy is as busy as it gets.
const PILE_UP: Duration = Duration::from_secs(180);

/// Credits are reckoned over a day, in steps of an hour.
const CREDIT_STEPS: i64 = 24;

/// What ElastiCache publishes about each node.
const ALWAYS: [&str; 11] = [
    "BytesUsedForCache",
    "CPUUtilization",
    "CacheHits",
    "CacheMisses",
    "CurrConnections",
    "DatabaseMemoryUsagePercentage",
    "EngineCPUUtilization",
    "Evictions",
    "FreeableMemory",
    "NewConnections",
    "SwapUsage",
];

impl World {
    /// The names of the metrics that ElastiCache publishes about a node: the place of the cache, and of the
    /// node in it.
    #[must_use]
    pub fn cache_metrics(&self, (index, node): (usize, usize)) -> Vec<&'static str> {
        let Some(found) = self.caches.get(index) else { return Vec::new() };
        let burstable =
            found.spec().and_then(|spec| size(&spec.node_type)).is_some_and(|s| s.credits.is_some());
        let some = [(burstable, "CPUCreditBalance"), (node != found.primary, "ReplicationLag")];
        ALWAYS.into_iter().chain(some.into_iter().filter(|(sent, _)| *sent).map(|(_, name)| name)).collect()
    }

    /// A metric of `AWS/ElastiCache` at an instant, in AWS's unit for it (bytes, seconds, percent, counts a
    /// minute). `None` for a metric, a node or an instant of which nothing is known.
    #[must_use]
    pub fn cache_metric(
        &self,
        region: &str,
        dimensions: &[(String, String)],
        name: &str,
        at: Wall,
    ) -> Option<f64> {
        let value = |wanted: &str| dimensions.iter().find(|(key, _)| key == wanted).map(|(_, value)| value);
        let id = value("CacheClusterId")?;
        let known = dimensions.iter().all(|(key, value)| match key.as_str() {
            "CacheClusterId" => true,
            "CacheNodeId" => value == "0001",
            _ => false,
        });
        let (index, node) = self.cache_node(region, id).filter(|_| known)?;
        let found = self.caches.get(index)?;
        let spec = found.spec()?;
        if at > self.now || at < found.created_at {
            return None;
        }
        let size = size(&spec.node_type)?;
        let noise = |salt: &str| wobble(self.seed, &format!("{id}/{salt}"), at);
        let cpu = self.cache_cpu(index, node, at);
        if name == "CPUCreditBalance" {
            return size.credits.map(|earned| self.cache_credits(index, node, at, size.cpus, earned));
        }
        let down = found.is_down(at) && node == found.primary;
        let demand = self.demand(&found.users, at);
        let filled = self.cache_filled(index, at);
        let alive = if down { 0.0 } else { 1.0 };
        let commands =
            alive * 60.0 * (4.0 + 900.0 * spec.busy * demand.load) * (1.0 + 0.1 * noise("commands"));
        // Where keys are evicted, what is asked for is no longer there.
        let full = ((filled - 0.97) / 0.03).clamp(0.0, 1.0);
        let hits = 0.94 - 0.35 * full + 0.01 * noise("hits");
        Some(match name {
            "CPUUtilization" => cpu,
            // One thread does the work: on two vCPUs it is busy when half of the machine is.
            "EngineCPUUtilization" => ((cpu - 1.0) * size.cpus * 0.94).clamp(0.2, 100.0),
            "DatabaseMemoryUsagePercentage" => filled * 100.0,
            "BytesUsedForCache" => filled * size.memory * GIB * 0.75,
            "FreeableMemory" => size.memory * GIB * (1.0 - 0.2 - 0.75 * filled).max(0.02),
            "SwapUsage" => 0.0,
            "Evictions" => {
                (full * 60.0 * (25.0 + 300.0 * demand.load) * (1.0 + 0.2 * noise("evicted"))).round()
            }
            "CurrConnections" if node == found.primary => {
                (alive * (2.0 + demand.connections * (1.0 + 0.05 * noise("connections")))).round()
            }
            "CurrConnections" => 3.0,
            "NewConnections" => (alive * (4.0 + 6.0 * demand.load * (1.0 + noise("new")))).round(),
            "CacheHits" => (commands * hits).round(),
            "CacheMisses" => (commands * (1.0 - hits)).round(),
            "ReplicationLag" if node != found.primary => {
                (0.18 + 0.12 * noise("lag") + 0.4 * demand.load + if found.is_down(at) { 20.0 } else { 0.0 })
                    .max(0.0)
            }
            _ => return None,
        })
    }

    /// The cache and the place of the node that has this cluster id.
    pub(crate) fn cache_node(&self, region: &str, id: &str) -> Option<(usize, usize)> {
        self.caches.iter().enumerate().filter(|(_, found)| *found.region == *region).find_map(
            |(index, found)| {
                let node = found.members().iter().position(|member| member.eq_ignore_ascii_case(id))?;
                Some((index, node))
            },
        )
    }

    fn cache_filled(&self, index: usize, at: Wall) -> f64 {
        let Some(found) = self.caches.get(index) else { return 0.0 };
        let Some(spec) = found.spec() else { return 0.0 };
        let load = self.demand(&found.users, at).load;
        let noise = wobble(self.seed, &format!("{}/filled", spec.name), Wall(at.0 / 10));
        let usual = (spec.filled * (0.9 + 0.1 * load + 0.02 * noise)).clamp(0.0, 1.0);
        found.troubles.iter().fold(usual, |filled, trouble| match trouble.condition {
            CacheCondition::MemoryFilling { within } => {
                filled + (0.999 - filled).max(0.0) * onset(trouble, at, within)
            }
            CacheCondition::Busy { .. } | CacheCondition::FailingOver { .. } => filled,
        })
    }

    fn cache_cpu(&self, index: usize, node: usize, at: Wall) -> f64 {
        let Some(found) = self.caches.get(index) else { return 0.0 };
        let Some(spec) = found.spec() else { return 0.0 };
        let load = self.demand(&found.users, at).load;
        let busy: f64 = found
            .troubles
            .iter()
            .map(|trouble| match trouble.condition {
                CacheCondition::Busy { factor } => {
                    1.0 + (factor - 1.0).max(0.0) * onset(trouble, at, PILE_UP)
                }
                CacheCondition::MemoryFilling { .. } | CacheCondition::FailingOver { .. } => 1.0,
            })
            .product();
        let noise = wobble(self.seed, &format!("{}/cpu/{node}", spec.name), at);
        let work = if node == found.primary { spec.busy } else { spec.busy * 0.3 };
        let down = found.is_down(at) && node == found.primary;
        let work = if down { 0.0 } else { work * 100.0 * load * busy };
        (1.6 + work * (1.0 + 0.1 * noise) + 0.2 * noise).clamp(0.3, 99.5)
    }

    /// Credits that are left at an instant, after a day of earning and spending.
    fn cache_credits(&self, index: usize, node: usize, at: Wall, cpus: f64, earned: f64) -> f64 {
        let (most, hour) = (earned * 24.0, 3_600_000);
        let first = (at.0.div_euclid(hour) - CREDIT_STEPS) * hour;
        (0..=CREDIT_STEPS).fold(most, |balance, step| {
            let from = first + step * hour;
            let span = (at.0 - from).clamp(0, hour);
            let cpu = self.cache_cpu(index, node, Wall(from + span / 2));
            // One credit is one vCPU at full speed for a minute.
            let spent = cpus * 60.0 * cpu / 100.0;
            (balance + (earned - spent) * span as f64 / hour as f64).clamp(0.0, most)
        })
    }
}

fn onset(trouble: &super::CacheTrouble, at: Wall, ramp: Duration) -> f64 {
    if at < trouble.from || trouble.to.is_some_and(|to| at >= to) {
        return 0.0;
    }
    (trouble.from.age_at(at).as_secs_f64() / ramp.as_secs_f64().max(1.0)).min(1.0)
}
