//! What the numbers of one service follow from: its load, its tasks over time, what disturbs it, and the
//! databases behind it.
//!
//! Must not draw from the world's dice: each number has its own seed, so that reading changes nothing.

use std::time::Duration;

use super::{Kind, MINUTE, Sample};
use crate::sim::logs::chance::{self, mix};
use crate::sim::logs::emitter::level;
use crate::sim::stack::{Condition, LogProfile};
use crate::sim::world::World;
use crate::sim::world::image::Behaviour;
use crate::sim::world::service::{DisturbanceKind, Service};
use crate::sim::world::task::Task;
use crate::stdx::clock::Wall;

/// Before the start, tasks are known for as long as ECS remembers stopped ones.
const KNOWN: Duration = Duration::from_secs(3_600);

/// From a task's start until its target is healthy.
const WARMING: i64 = 25_000;

/// How many tasks there were from an instant on.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    at: i64,
    running: i32,
    pending: i32,
    healthy: i32,
}

/// A service as its metrics see it.
pub struct Facts<'a> {
    world: &'a World,
    index: usize,
    service: &'a Service,
    seed: u64,
    own: u64,
    opened: i64,
    known_from: i64,
    created: i64,
    /// Counts since `known_from`, ascending, cumulative.
    counts: Vec<Count>,
    /// From when on so many tasks were missing.
    missing: (i64, u32),
    /// The container that answers requests.
    serving: Option<&'a LogProfile>,
    cpu_units: f64,
    memory: f64,
    /// From when on its tasks fill their memory until they are killed, so long after their start.
    leak: Option<(i64, i64)>,
}

impl<'a> Facts<'a> {
    pub fn new(world: &'a World, index: usize) -> Option<Self> {
        let service = world.services.get(index)?;
        let spec = service.spec()?;
        let family = service.family.and_then(|place| service.stack.task_definitions.get(place))?;
        let serving = family
            .containers
            .iter()
            .map(|container| &*container.log)
            .find(|log| log.requests > 0.0 && !log.routes.is_empty());
        let missing = match spec.condition {
            Some(Condition::CrashLoop | Condition::Unhealthy) => spec.desired,
            Some(Condition::CannotPull | Condition::NoCapacity) => 1,
            _ => 0,
        };
        let sick_since = service
            .opening
            .number
            .and_then(|number| service.revision(number))
            .map_or(world.opened, |revision| revision.created_at);
        Some(Self {
            world,
            index,
            service,
            seed: world.seed,
            own: chance::text(&format!("{}/{}/{}", service.region, service.cluster, service.name)),
            opened: world.opened.0,
            known_from: world.opened.minus(KNOWN).0,
            created: service.created_at.0,
            counts: counts(world, service),
            missing: (sick_since.0, missing),
            serving,
            cpu_units: f64::from(family.cpu),
            memory: f64::from(family.memory),
            leak: leak(world, index),
        })
    }

    /// One minute of one kind.
    pub fn sample(&self, kind: Kind, at: i64) -> Option<Sample> {
        if at < self.created {
            return None;
        }
        let count = self.count(at + MINUTE / 2);
        let running = f64::from(count.running);
        match kind {
            Kind::Desired => return Some(Sample::one(f64::from(self.desired(at)))),
            Kind::Running => return Some(Sample::one(running)),
            Kind::Pending => return Some(Sample::one(f64::from(count.pending))),
            Kind::Deployments => return Some(Sample::one(self.deployments(at))),
            Kind::Healthy => return Some(Sample::one(f64::from(count.healthy))),
            Kind::Unhealthy => {
                return Some(Sample::one(f64::from((count.running - count.healthy).max(0))));
            }
            Kind::BalancerErrors => {
                // Without a healthy target the load balancer answers by itself.
                let asked = if count.healthy > 0 { 0.0 } else { self.asked(at) };
                return (asked > 0.0).then(|| Sample::tally(asked));
            }
            _ => {}
        }
        if count.running <= 0 {
            return None;
        }
        let strain = self.demand(at) / running;
        Some(match kind {
            Kind::Cpu => self.cpu(at, strain, running),
            Kind::Memory => self.memory_used(at, strain, running),
            Kind::CpuUtilized => {
                Sample::one(tidy(self.cpu(at, strain, 1.0).sum / 100.0 * self.cpu_units * running))
            }
            Kind::CpuReserved => Sample::one(self.cpu_units * running),
            Kind::MemoryUtilized => {
                Sample::one((self.memory_used(at, strain, 1.0).sum / 100.0 * self.memory * running).round())
            }
            Kind::MemoryReserved => Sample::one(self.memory * running),
            Kind::Custom => {
                let target = self.service.spec()?.autoscaling.as_ref()?.target.unwrap_or(100.0);
                Sample::one((target * 0.3 * strain * self.noise(at, 9, 0.3)).round())
            }
            _ => return self.traffic(kind, at, count.healthy, strain),
        })
    }

    fn traffic(&self, kind: Kind, at: i64, healthy: i32, strain: f64) -> Option<Sample> {
        let serving = self.serving?;
        if healthy <= 0 {
            return None;
        }
        let asked = self.asked(at);
        let errors = self.errors(at, serving, asked);
        let requests = asked + errors.1;
        let clients = (asked * 0.02 * self.noise(at, 5, 0.8)).round();
        let tally = |count: f64| (count > 0.0).then(|| Sample::tally(count));
        match kind {
            Kind::Requests => Some(Sample::tally(requests)).filter(|sample| sample.count > 0.0),
            Kind::RequestsPerTarget => Some(Sample::one(tidy(requests / f64::from(healthy)))),
            // AWS sends no zeros here: a minute without errors has no datapoint.
            Kind::TargetErrors => tally(errors.0),
            Kind::ClientErrors => tally(clients),
            Kind::Successes => tally((requests - errors.0 - clients).max(0.0)),
            Kind::ResponseTime => {
                let usual = f64::from(serving.typical_ms) / 1_000.0;
                let crowded = 1.0 + (self.cpu_mean(at, strain) - 75.0).max(0.0) / 6.0;
                let (slow, _) = self.world.behind(self.index, Wall(at));
                let mean = usual * 1.27 * crowded * slow * self.noise(at, 4, 0.2);
                let most = mean * (5.0 + 5.0 * self.draw(at, 6));
                (requests > 0.0)
                    .then(|| Sample::around(fine(mean), requests, fine(usual * 0.4), fine(most.min(60.0))))
            }
            _ => None,
        }
    }

    /// Counts of tasks at an instant.
    fn count(&self, at: i64) -> Count {
        if at < self.known_from {
            let (since, missing) = self.missing;
            let gone = if at >= since { missing } else { 0 };
            let running = i32::try_from(self.desired(at).saturating_sub(gone)).unwrap_or(i32::MAX);
            return Count { at, running, pending: 0, healthy: running };
        }
        let after = self.counts.partition_point(|count| count.at <= at);
        after.checked_sub(1).and_then(|place| self.counts.get(place)).copied().unwrap_or_default()
    }

    fn desired(&self, at: i64) -> u32 {
        let Some(spec) = self.service.spec() else { return 0 };
        if let Some((_, count)) = self.service.desires.iter().rev().find(|(from, _)| from.0 <= at) {
            return *count;
        }
        let mut count = spec.desired;
        for scaling in &spec.scalings {
            if at >= self.opened - span(scaling.age.0) {
                return count;
            }
            count = scaling.from;
        }
        count
    }

    fn deployments(&self, at: i64) -> f64 {
        let under_way = self.service.history.iter().take(20).any(|record| {
            record.created_at.0 <= at && record.finished_at.is_none_or(|finished| finished.0 > at)
        });
        if under_way { 2.0 } else { 1.0 }
    }

    /// The work that comes in, in tasks at full load.
    fn demand(&self, at: i64) -> f64 {
        let Some(spec) = self.service.spec() else { return 0.0 };
        let usual = f64::from(spec.desired.max(1)) * level(spec.load, self.seed, at + MINUTE / 2);
        let more = self.service.disturbances.iter().map(|disturbance| match disturbance.kind {
            DisturbanceKind::Load(factor) => {
                (factor - 1.0).max(0.0) * overlap(at, disturbance.from.0, disturbance.to.0)
            }
            DisturbanceKind::Errors { .. } => 0.0,
        });
        usual * (1.0 + more.sum::<f64>())
    }

    /// Requests that clients make in a minute.
    fn asked(&self, at: i64) -> f64 {
        let per_second = self.serving.map_or(0.0, |serving| serving.requests);
        (self.demand(at) * per_second * 60.0 * self.noise(at, 1, 0.16)).round()
    }

    /// Requests that fail in a minute, all of them and those on top of what is usual.
    fn errors(&self, at: i64, serving: &LogProfile, asked: f64) -> (f64, f64) {
        let usual = asked * serving.failures;
        let spread = usual.sqrt() * 1.4 * (self.draw(at, 2) - 0.5);
        let usual = (usual + spread + self.draw(at, 3)).floor().max(0.0);
        let running = f64::from(self.count(at + MINUTE / 2).running.max(0));
        let burst = self.service.disturbances.iter().map(|disturbance| match &disturbance.kind {
            DisturbanceKind::Errors { rate, .. } => {
                rate * running * 60.0 * overlap(at, disturbance.from.0, disturbance.to.0)
            }
            DisturbanceKind::Load(_) => 0.0,
        });
        let burst = burst.sum::<f64>().round();
        // Without its database a request fails; these are requests that come anyway.
        let (_, refused) = self.world.behind(self.index, Wall(at));
        let refused = ((asked - usual).max(0.0) * refused).round();
        (usual + burst + refused, burst)
    }

    fn cpu_mean(&self, at: i64, strain: f64) -> f64 {
        let idle = 3.0 + 5.0 * chance::share(mix(self.own, 11));
        let work = 30.0 + 12.0 * chance::share(mix(self.own, 12));
        ((idle + work * strain) * self.noise(at, 7, 0.08)).clamp(0.1, 100.0)
    }

    fn cpu(&self, at: i64, strain: f64, tasks: f64) -> Sample {
        let mean = self.cpu_mean(at, strain);
        let apart = if tasks > 1.0 { mean * (0.06 + 0.1 * self.draw(at, 8)) } else { 0.0 };
        // None has more than all: the nearer their mean is to the limit, the less tasks differ.
        let apart = apart.min(100.0 - mean);
        Sample::around(tidy(mean), tasks, tidy(mean - apart), tidy(mean + apart))
    }

    fn memory_used(&self, at: i64, strain: f64, tasks: f64) -> Sample {
        let base = 36.0 + 14.0 * chance::share(mix(self.own, 13));
        let mut mean = (base + 5.0 * strain.min(3.0)) * self.noise(at, 10, 0.02);
        let leaks = self.service.spec().and_then(|spec| spec.condition) == Some(Condition::OutOfMemory);
        if leaks {
            // Each task fills up from its start until it is killed.
            let cycle = 1_200_000;
            let age = (at + chance::millis(self.own, 1_200_000)).rem_euclid(cycle);
            mean += (99.0 - mean) * f64::from(i32::try_from(age / 1_000).unwrap_or(0)) / 1_200.0;
        }
        if let Some((_, after)) = self.leak.filter(|(since, _)| *since <= at) {
            // A minute holds tasks of every age, the oldest of them about to be killed.
            let part = (60_000.0 / after.max(1) as f64).min(1.0);
            mean += (99.0 - mean) * (0.6 + 0.3 * part);
        }
        let leaks = leaks || self.leak.is_some_and(|(since, _)| since <= at);
        let most = if leaks { 99.5 } else { mean + 2.0 };
        Sample::around(tidy(mean), tasks, tidy(mean - 1.5), tidy(if tasks > 1.0 { most } else { mean }))
    }

    /// 0 to 1, for one purpose in one minute.
    fn draw(&self, at: i64, purpose: u64) -> f64 {
        chance::share(mix(mix(mix(self.seed, self.own), chance::time(at.div_euclid(MINUTE))), purpose))
    }

    /// Around 1, from `1 - width / 2` to `1 + width / 2`.
    fn noise(&self, at: i64, purpose: u64, width: f64) -> f64 {
        1.0 + width * (self.draw(at, purpose) - 0.5)
    }
}

/// Whether what a service runs fills its memory: since its deployment, and how long that takes (ms).
fn leak(world: &World, index: usize) -> Option<(i64, i64)> {
    let service = world.services.get(index)?;
    let primary = service.primary()?;
    let region = world.regions.get(&*service.region)?;
    let images = world.images(index, primary.number)?;
    let behaviours = images.iter().filter_map(|image| Some(region.images.behaviour(image.digest.as_ref()?)));
    // A stack's own sickness has its own curve.
    let sick = service.spec().is_some_and(|spec| spec.condition.is_some());
    behaviours.filter(|_| !sick).find_map(|behaviour| match behaviour {
        Behaviour::OutOfMemory { after } => Some((primary.created_at.0, span(after))),
        _ => None,
    })
}

/// The share of a minute that lies between two instants.
fn overlap(at: i64, from: i64, to: i64) -> f64 {
    let shared = (at + MINUTE).min(to) - at.max(from);
    f64::from(i32::try_from(shared.max(0)).unwrap_or(0)) / 60_000.0
}

fn span(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// To four places: what agents send is no finer.
fn tidy(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// To microseconds.
fn fine(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn counts(world: &World, service: &Service) -> Vec<Count> {
    let mut changes: Vec<Count> = Vec::new();
    let known = service.tasks.iter().filter_map(|id| world.tasks.get(id));
    for task in known.chain(&service.ghosts) {
        changes_of(task, &mut changes);
    }
    changes.sort_by_key(|change| change.at);
    let mut sum = Count::default();
    for change in &mut changes {
        sum.running += change.running;
        sum.pending += change.pending;
        sum.healthy += change.healthy;
        *change = Count { at: change.at, ..sum };
    }
    changes
}

fn changes_of(task: &Task, into: &mut Vec<Count>) {
    let end = task.stopping_at.or(task.execution_stopped_at).or(task.stopped_at).map(|at| at.0);
    let before = end.unwrap_or(i64::MAX);
    let started = task.started_at.map(|at| at.0.min(before));
    let none = Count::default();
    let mut put = |from: i64, to: Option<i64>, up: Count| {
        into.push(Count { at: from, ..up });
        if let Some(at) = to {
            into.push(Count { at, running: -up.running, pending: -up.pending, healthy: -up.healthy });
        }
    };
    put(task.created_at.0, started.or(end), Count { pending: 1, ..none });
    if let Some(started) = started {
        put(started, end, Count { running: 1, ..none });
        let healthy = started + WARMING;
        if task.was_healthy && healthy < before {
            put(healthy, end, Count { healthy: 1, ..none });
        }
    }
}
