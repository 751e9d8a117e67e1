//! What the scheduler said before the world opened, told from the records of deployments and stopped tasks.
//! Made when read: thousands of services have a past that nobody looks at.
//!
//! Must not change anything.

use std::time::Duration;

use crate::sim::world::World;
use crate::sim::world::event::{Event, MOST, SILENCE};
use crate::sim::world::service::{Record, Service, id, past_tasks};
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
            all.extend(Self::past(found, before).into_iter().take(MOST - all.len()));
        }
        all
    }

    fn past(service: &Service, before: Wall) -> Vec<Event> {
        let mut told = Teller { name: &service.name, events: Vec::new() };
        let mut newer = before;
        for record in service.history.iter().filter(|record| service.is_past(record)) {
            let end = record.finished_at.unwrap_or(record.created_at);
            // Between deployments the scheduler repeats that all is well, every six hours.
            let mut again = end.plus(SILENCE);
            while again < newer && told.events.len() < 4 * MOST {
                told.say(again, "has reached a steady state.".to_owned());
                again = again.plus(SILENCE);
            }
            Self::deployment(&mut told, service, record, end);
            newer = record.created_at;
            if told.events.len() > 2 * MOST {
                break;
            }
        }
        for stop in &service.opening.stops {
            if stop.by_scheduler {
                told.say(
                    stop.at.minus(Duration::from_secs(50)),
                    format!("has stopped 1 running tasks: (task {}).", stop.id),
                );
            }
            told.say(
                stop.at.plus(Duration::from_secs(6)),
                format!("has started 1 tasks: (task {}).", stop.by),
            );
        }
        told.events.retain(|event| event.at < before);
        told.events.sort_by_key(|event| std::cmp::Reverse(event.at));
        told.events.truncate(MOST);
        told.events
    }

    fn deployment(told: &mut Teller<'_>, service: &Service, record: &Record, end: Wall) {
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
        let write = |ids: &mut dyn Iterator<Item = TaskId>| -> String {
            ids.map(|id| format!(" (task {id})")).collect()
        };
        let replaced = write(&mut past_tasks(
            record.sources.first().copied().unwrap_or(record.target),
            record.requested,
        ));
        let own = if service.opening.number == Some(record.target) && !service.opening.tasks.is_empty() {
            write(&mut service.opening.tasks.iter().copied())
        } else {
            write(&mut past_tasks(record.target, record.requested))
        };
        let started = own.matches("(task").count().max(1);
        let targets = service.targets();
        told.say(at(0.02), format!("has started {started} tasks:{own}."));
        if record.rollback.is_some() {
            for turn in 1..=u64::from(record.failures.saturating_sub(1).min(12)) {
                let share = 0.05 + 0.6 * f64::from(u32::try_from(turn).unwrap_or(0)) / 13.0;
                told.say(
                    at(share),
                    format!(
                        "has started {started} tasks:{}.",
                        write(&mut past_tasks(record.target ^ (turn << 8), record.requested))
                    ),
                );
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
            told.say(at(0.6), format!("has stopped {count} running tasks:{replaced}."));
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
