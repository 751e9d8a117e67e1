//! Application Auto Scaling as state: the bounds of a service, what is suspended, what was done.
//!
//! Must not answer requests. Policies do not act by themselves: time lines say when they do, and bounds move
//! what lies outside them.

use std::time::Duration;

use crate::sim::logs::chance::{self, mix};
use crate::sim::world::alarm::tracking;
use crate::sim::world::service::Service;
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

/// A scalable target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Minimum.
    pub min: u32,
    /// Maximum.
    pub max: u32,
    /// Whether scaling in, scaling out and scheduled scaling are suspended.
    pub suspended: [bool; 3],
    /// When it was registered.
    pub created_at: Wall,
    /// What was done since the world opened, oldest first.
    pub done: Vec<Activity>,
}

/// A scaling activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// When it began.
    pub at: Wall,
    /// The desired count that it set.
    pub to: u32,
    /// `Cause`.
    pub cause: String,
}

impl World {
    /// A service's scalable target, if it has one.
    #[must_use]
    pub fn scaling_target(&self, service: usize) -> Option<Target> {
        if let Some(target) = self.scalings.get(&service) {
            return Some(target.clone());
        }
        let found = self.services.get(service).filter(|found| found.active)?;
        let bounds = found.spec()?.autoscaling.as_ref()?;
        Some(Target {
            min: bounds.min,
            max: bounds.max,
            suspended: [false; 3],
            created_at: found.created_at.plus(Duration::from_secs(600)),
            done: Vec::new(),
        })
    }

    /// Registers a service as a target or changes what was registered; what is `None` stays. A desired count
    /// outside the bounds is moved to the nearer one. `None` when a new target lacks a bound.
    pub fn register_target(
        &mut self,
        service: usize,
        min: Option<u32>,
        max: Option<u32>,
        suspended: Option<[bool; 3]>,
    ) -> Option<()> {
        let now = self.now;
        let mut target = match self.scaling_target(service) {
            Some(target) => target,
            None => Target { min: min?, max: max?, suspended: [false; 3], created_at: now, done: Vec::new() },
        };
        target.min = min.unwrap_or(target.min);
        target.max = max.unwrap_or(target.max);
        target.suspended = suspended.unwrap_or(target.suspended);
        let desired = self.services.get(service).map_or(0, |found| found.desired);
        let wanted = desired.clamp(target.min, target.max.max(target.min));
        if wanted != desired {
            let word = if wanted > desired { "minimum" } else { "maximum" };
            let cause = format!("{word} capacity was set to {wanted}");
            target.done.push(Activity { at: now, to: wanted, cause });
            self.set_desired(service, wanted);
        }
        self.scalings.insert(service, target);
        Some(())
    }

    /// Somebody set a desired count: one outside the bounds is brought back within a minute or so, unless that
    /// direction is suspended. A service that is to run nothing is left alone.
    pub(crate) fn heed_bounds(&mut self, service: usize) {
        let pause = crate::sim::world::task::span(&mut self.dice, 35_000, 75_000);
        self.schedule(self.now.plus(pause), Due::Bounds(service));
    }

    /// The time has come to bring a desired count back between its bounds.
    pub(crate) fn keep_bounds(&mut self, service: usize) {
        let desired = self.services.get(service).map_or(0, |found| found.desired);
        let Some(target) = self.scaling_target(service).filter(|_| desired > 0) else { return };
        let [scale_in, scale_out, _] = target.suspended;
        if (desired > target.max && !scale_in) || (desired < target.min && !scale_out) {
            let _ = self.register_target(service, None, None, None);
        }
    }

    /// What a policy that asks for `to` tasks sets: a count within the bounds. `None` when that is the count
    /// already, when its direction is suspended, and for a service that is to run nothing: the metric that the
    /// policy follows has no datapoints then.
    #[must_use]
    pub(crate) fn policy_sets(&self, service: usize, to: u32) -> Option<u32> {
        let found = self.services.get(service).filter(|found| found.active && found.desired > 0)?;
        let Some(target) = self.scaling_target(service) else { return Some(to) };
        let to = to.clamp(target.min, target.max.max(target.min));
        let [scale_in, scale_out, _] = target.suspended;
        let suspended = if to > found.desired { scale_out } else { scale_in };
        (to != found.desired && !suspended).then_some(to)
    }

    /// The policy of a service changes its desired count.
    pub(crate) fn scale(&mut self, service: usize, to: u32) {
        let now = self.now;
        let before = self.services.get(service).map_or(to, |found| found.desired);
        let told = self.services.get(service).map(|found| cause(found, to > before));
        if let Some((mut target, cause)) = self.scaling_target(service).zip(told) {
            target.done.push(Activity { at: now, to, cause });
            self.scalings.insert(service, target);
        }
        self.set_desired(service, to);
    }

    /// What was done about a service, newest first.
    #[must_use]
    pub fn scaling_activities(&self, service: usize) -> Vec<Activity> {
        let Some(found) = self.services.get(service) else { return Vec::new() };
        let mut all: Vec<Activity> = found
            .spec()
            .into_iter()
            .flat_map(|spec| &spec.scalings)
            .map(|scaling| {
                let up = scaling.to > scaling.from;
                let at = self.opened.minus(scaling.age.0);
                Activity { at, to: scaling.to, cause: cause(found, up) }
            })
            .collect();
        all.extend(self.scalings.get(&service).into_iter().flat_map(|target| target.done.clone()));
        all.sort_by_key(|activity| std::cmp::Reverse(activity.at));
        all
    }
}

/// AWS's sentence for what a target-tracking policy did.
fn cause(service: &Service, up: bool) -> String {
    let [high, low] = tracking::names(service);
    let alarm = if up { high } else { low };
    format!("monitor alarm {alarm} in state ALARM triggered policy {}", tracking::policy_name(service))
}

/// An id of the form of a UUID that follows from a text.
#[must_use]
pub fn uuid(text: &str) -> String {
    let (a, b) = (chance::text(text), mix(chance::text(text), 1));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 48 & 0xfff,
        b & 0xffff_ffff_ffff
    )
}
