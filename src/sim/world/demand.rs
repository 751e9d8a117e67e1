//! How much the services of a stack ask of what stands behind them, at any instant: tasks that ran then, times
//! how busy the service was, times what disturbed it.
//!
//! Must not change anything, and must not depend on who asks or how often.

use crate::sim::logs::chance::{self, mix};
use crate::sim::logs::emitter::level;
use crate::sim::stack::Stack;
use crate::sim::stack::data::Use;
use crate::sim::world::World;
use crate::sim::world::service::DisturbanceKind;
use crate::stdx::clock::Wall;

/// What users ask for at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// 1 is full load by all users, with all the tasks that they had at the start.
    pub load: f64,
    /// Connections that their tasks hold.
    pub connections: f64,
}

impl World {
    /// The services that these are, and how many connections each of their tasks may open.
    pub(crate) fn users(&self, stack: &Stack, uses: &[Use]) -> Vec<(usize, u32)> {
        let index = |used: &Use| {
            let spec = stack.service(&used.service)?;
            Some((self.find(&stack.region, &spec.cluster, &spec.name)?, used.pool))
        };
        uses.iter().filter_map(index).collect()
    }

    /// What these users ask for at an instant.
    pub(crate) fn demand(&self, users: &[(usize, u32)], at: Wall) -> Demand {
        let mut all = Demand::default();
        let share = 1.0 / users.len().max(1) as f64;
        for &(index, pool) in users {
            let activity = self.activity(index, at);
            let tasks = f64::from(self.running_at(index, at));
            let usual = self
                .services
                .get(index)
                .and_then(|service| service.spec())
                .map_or(1.0, |spec| f64::from(spec.desired.max(1)));
            // Work that fewer tasks cannot take does not reach the database; more tasks take what is there.
            all.load += share * activity * (tasks / usual).min(1.0);
            let pool = f64::from(pool);
            all.connections += tasks * (pool * (0.3 + 0.35 * activity.min(1.6))).min(pool);
        }
        all
    }

    /// A service's load at an instant, as its logs and metrics have it, times what disturbs it.
    pub(crate) fn activity(&self, service: usize, at: Wall) -> f64 {
        let Some(found) = self.services.get(service) else { return 0.0 };
        let load = found.spec().map(|spec| spec.load).unwrap_or_default();
        let more: f64 = found
            .disturbances
            .iter()
            .filter(|disturbance| disturbance.from <= at && at < disturbance.to)
            .map(|disturbance| match disturbance.kind {
                DisturbanceKind::Load(factor) => (factor - 1.0).max(0.0),
                DisturbanceKind::Errors { .. } => 0.0,
            })
            .sum();
        level(load, self.seed, at.0) * (1.0 + more)
    }

    /// How many tasks of a service held connections at an instant: until their containers end, so that one that
    /// drains counts, unlike in `runningCount` and in the metrics. By its tasks since the world is played, by the
    /// changes of its desired count before.
    pub(crate) fn running_at(&self, service: usize, at: Wall) -> u32 {
        let Some(found) = self.services.get(service) else { return 0 };
        if at < self.played_from {
            let spec = found.spec();
            let mut count = spec.map_or(found.desired, |spec| spec.desired);
            for scaling in spec.into_iter().flat_map(|spec| &spec.scalings) {
                if at < self.opened.minus(scaling.age.0) {
                    count = scaling.from;
                }
            }
            return count;
        }
        let known = found.tasks.iter().filter_map(|id| self.tasks.get(id)).chain(&found.ghosts);
        let ran = known.filter(|task| {
            let end = task.execution_stopped_at.or(task.stopped_at);
            task.started_at.is_some_and(|started| started <= at) && end.is_none_or(|end| at < end)
        });
        u32::try_from(ran.count()).unwrap_or(u32::MAX)
    }
}

/// Chance that is the same for everybody who asks about one thing at one time: -1 to 1, smooth over a minute.
#[must_use]
pub(crate) fn wobble(seed: u64, name: &str, at: Wall) -> f64 {
    let key = mix(seed, chance::text(name));
    let minute = at.0.div_euclid(60_000);
    let value = |minute: i64| 2.0 * chance::share(mix(key, chance::time(minute))) - 1.0;
    let part = at.0.rem_euclid(60_000) as f64 / 60_000.0;
    value(minute) * (1.0 - part) + value(minute + 1) * part
}
