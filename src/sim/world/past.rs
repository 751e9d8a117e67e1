//! What the scheduler said before the world opened, told from the records of deployments and stopped tasks.
//! Made when read: thousands of services have a past that nobody looks at.
//!
//! Must not change anything.

use std::time::Duration;

use crate::sim::world::World;
use crate::sim::world::event::{Event, MOST, SILENCE};
use crate::sim::world::service::{Record, Service, id};
use crate::sim::world::task::TaskId;
use crate::stdx::clock::Wall;

impl World {
    /// All events of a service, newest first, at most 100.
    #[must_use]
    pub fn events(&self, service: usize) -> Vec<Event> {
        let Some(found) = self.services.get(service) else { return Vec::new() };
        let mut all: Vec<Event> = found.events.iter().cloned().collect();
        if all.len() < MOST {
            let before = all.last().map_or(self.opened, |oldest| oldest.at.min(self.opened));
            all.extend(self.past(found, before).into_iter().take(MOST - all.len()));
        }
        all
    }

    fn past(&self, service: &Service, before: Wall) -> Vec<Event> {
        let mut told = Teller { name: &service.name, events: Vec::new() };
        let mut newer = before;
        for record in service.history.iter().filter(|record| record.created_at < before) {
            let end = record.finished_at.unwrap_or(record.created_at);
            // Between deployments the scheduler repeats that all is well, every six hours.
            let mut again = end.plus(SILENCE);
            while again < newer && told.events.len() < 4 * MOST {
                told.say(again, "has reached a steady state.".to_owned());
                again = again.plus(SILENCE);
            }
            self.deployment(&mut told, service, record, end);
            newer = record.created_at;
            if told.events.len() > 2 * MOST {
                break;
            }
        }
        for stopped in service.tasks.iter().filter_map(|id| self.tasks.get(id)) {
            if let (Some(at), Some(stop)) = (stopped.stopped_at.filter(|at| *at < self.opened), &stopped.stop)
            {
                if stop.code == "ServiceSchedulerInitiated" {
                    told.say(
                        at.minus(Duration::from_secs(50)),
                        format!("has stopped 1 running tasks: (task {}).", stopped.id),
                    );
                }
                told.say(
                    at.plus(Duration::from_secs(6)),
                    format!("has started 1 tasks: (task {}).", TaskId(stopped.id.0 ^ 0x5eed)),
                );
            }
        }
        told.events.retain(|event| event.at < before);
        told.events.sort_by_key(|event| std::cmp::Reverse(event.at));
        told.events.truncate(MOST);
        told.events
    }

    fn deployment(&self, told: &mut Teller<'_>, service: &Service, record: &Record, end: Wall) {
        let begin = record.created_at;
        let span = end.0.saturating_sub(begin.0).max(60_000);
        let at = |share: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "a share of minutes, in milliseconds"
            )]
            Wall(begin.0 + (span as f64 * share) as i64)
        };
        let count = record.requested.max(1) as usize;
        let named = |salt: u64| -> String {
            let mut dice = fastrand::Rng::with_seed(record.target ^ salt);
            (0..count).map(|_| format!(" (task {})", TaskId(dice.u128(..)))).collect()
        };
        let own: String = if service.last_good == Some(record.target) {
            let tasks = service
                .tasks
                .iter()
                .filter_map(|id| self.tasks.get(id))
                .filter(|task| task.wanted && task.created_at < self.opened);
            tasks.map(|task| format!(" (task {})", task.id)).collect()
        } else {
            named(1)
        };
        let started = own.matches("(task").count().max(1);
        let targets = service.targets();
        told.say(at(0.02), format!("has started {started} tasks:{own}."));
        if record.rollback.is_some() {
            for turn in 1..=u64::from(record.failures.saturating_sub(1).min(12)) {
                let share = 0.05 + 0.6 * f64::from(u32::try_from(turn).unwrap_or(0)) / 13.0;
                told.say(at(share), format!("has started {started} tasks:{}.", named(1 + turn)));
            }
            told.say(
                at(0.7),
                format!("(deployment {}) deployment failed: tasks failed to start.", id(record.target)),
            );
            if let Some((_, _, good)) = &record.rollback {
                told.say(at(0.7), format!("rolling back to deployment {}.", id(*good)));
            }
        } else {
            for (arn, ..) in &targets {
                told.say(at(0.3), format!("registered {started} targets in (target-group {arn})"));
                told.say(at(0.62), format!("deregistered {count} targets in (target-group {arn})"));
            }
            told.say(at(0.6), format!("has stopped {count} running tasks:{}.", named(0)));
            if !targets.is_empty() {
                told.say(at(0.63), format!("has begun draining connections on {count} tasks."));
            }
        }
        if record.status == "SUCCESSFUL" {
            told.say(end, format!("(deployment {}) deployment completed.", id(record.target)));
        }
        if record.status != "STOPPED" {
            told.say(Wall(end.0 + 5), "has reached a steady state.".to_owned());
        }
    }
}

struct Teller<'a> {
    name: &'a str,
    events: Vec<Event>,
}

impl Teller<'_> {
    fn say(&mut self, at: Wall, what: String) {
        let number = 1_000_000 + self.events.len() as u64;
        self.events.push(Event { at, number, message: format!("(service {}) {what}", self.name) });
    }
}
