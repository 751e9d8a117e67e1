//! The world as CloudWatch Logs sees it: log groups, and one emitter per container that ever ran, as far
//! back as the records tell.
//!
//! Must not write lines; `sim::logs` does. Must not change anything.

use std::sync::Arc;
use std::time::Duration;

use crate::sim::logs::{Emitter, Group, Groups, Mood, MoodKind};
use crate::sim::stack::{ACCOUNT, Container};
use crate::sim::world::World;
use crate::sim::world::image::Behaviour;
use crate::sim::world::service::{DisturbanceKind, Record, Service, past_tasks};
use crate::sim::world::task::{Task, TaskId};
use crate::stdx::clock::Wall;

/// Streams of deployments that are older than this are left out.
const FAR: Duration = Duration::from_secs(14 * 86_400);

/// One run of a task, whoever remembers it.
struct Run {
    id: TaskId,
    born: Wall,
    sigterm: Option<Wall>,
    died: Option<Wall>,
    /// The container that ended by itself, and what it wrote, when that is not its habit.
    culprit: Option<(usize, Option<String>)>,
}

impl World {
    /// The log groups of a region: those named, or all when none is.
    #[must_use]
    pub fn log_groups(&self, region: &str, wanted: &[String]) -> Groups {
        let mut groups =
            Groups { account: ACCOUNT.to_owned(), region: region.to_owned(), groups: Vec::new() };
        for stack in self.stacks.iter().filter(|stack| stack.region == region) {
            for group in
                stack.log_groups.iter().filter(|group| wanted.is_empty() || wanted.contains(&group.name))
            {
                if self.deleted_groups.contains(&(region.to_owned(), group.name.clone())) {
                    continue;
                }
                let writers = self.log_writers.get(&(region.to_owned(), group.name.clone()));
                let mut emitters = Vec::new();
                for service in writers.into_iter().flatten() {
                    self.emitters(*service, &group.name, &mut emitters);
                }
                self.run_emitters(region, &group.name, &mut emitters);
                groups.groups.push(Group {
                    name: group.name.clone(),
                    created: self.opened.minus(group.age.0),
                    retention_days: group.retention_days,
                    emitters,
                });
            }
        }
        groups
    }

    fn emitters(&self, index: usize, group: &str, into: &mut Vec<Arc<Emitter>>) {
        let Some(service) = self.services.get(index) else { return };
        let Some(definition) = service.family.and_then(|place| service.stack.task_definitions.get(place))
        else {
            return;
        };
        let containers = &definition.containers;
        let load = service.spec().map(|spec| spec.load).unwrap_or_default();
        let mut runs: Vec<Run> = service
            .tasks
            .iter()
            .filter_map(|id| self.tasks.get(id))
            .filter_map(|task| self.run(task))
            .collect();
        runs.extend(service.ghosts.iter().filter_map(|task| self.run(task)));
        self.past_runs(service, &mut runs);
        for run in runs {
            for (place, container) in
                containers.iter().enumerate().filter(|(_, container)| container.log.group == group)
            {
                let mut emitter =
                    Emitter::new(self.seed, &run.id.to_string(), container, containers, load, run.born);
                emitter.stopping = run.sigterm;
                emitter.died = run.died;
                emitter.last_words = match &run.culprit {
                    Some((culprit, words)) if *culprit == place => {
                        words.clone().or_else(|| container.log.crash.clone())
                    }
                    _ => None,
                };
                emitter.moods = moods(service, container);
                into.push(Arc::new(emitter));
            }
        }
    }

    fn run(&self, task: &Task) -> Option<Run> {
        let born = task.started_at?;
        let culprit =
            task.stop.as_ref().and_then(|stop| stop.culprit.as_ref()).filter(|(_, code, reason)| {
                // What is killed for memory has no time for last words.
                code.is_some_and(|code| code != 0) && reason.is_none()
            });
        let culprit = culprit.map(|(place, ..)| {
            let words = task.last_words.clone().or_else(|| match self.fate(task.id) {
                Some((_, Behaviour::Crash { text, .. })) => text,
                _ => None,
            });
            (*place, words)
        });
        Some(Run {
            id: task.id,
            born,
            sigterm: task.sigterm_at,
            died: task.execution_stopped_at.or(task.stopped_at),
            culprit,
        })
    }

    /// The tasks of earlier deployments, with the ids that the events of that time name.
    fn past_runs(&self, service: &Service, runs: &mut Vec<Run>) {
        let mut replaced: Option<&Record> = None;
        for record in &service.history {
            if record.created_at.age_at(self.opened) > FAR {
                break;
            }
            let is_past = service.is_past(record) && service.opening.number != Some(record.target);
            let ids = || {
                let known = |id: &TaskId| {
                    service.tasks.contains(id) || service.ghosts.iter().any(|ghost| ghost.id == *id)
                };
                past_tasks(record.target, record.requested).filter(move |id| !known(id))
            };
            if is_past && record.rollback.is_some() {
                for (number, id) in ids().enumerate() {
                    let born = record.created_at.plus(Duration::from_secs(40 + 3 * number as u64));
                    let died = Some(born.plus(Duration::from_secs(9)));
                    runs.push(Run { id, born, sigterm: None, died, culprit: Some((0, None)) });
                }
            } else if is_past
                && record.status == "SUCCESSFUL"
                && let Some(newer) = replaced
            {
                for (number, id) in ids().enumerate() {
                    let born = record.created_at.plus(Duration::from_secs(38 + 19 * number as u64));
                    let sigterm = newer.created_at.plus(Duration::from_secs(110 + 20 * number as u64));
                    let died = Some(sigterm.plus(Duration::from_secs(7)));
                    runs.push(Run { id, born, sigterm: Some(sigterm), died, culprit: None });
                }
            }
            if record.status == "SUCCESSFUL" {
                replaced = Some(record);
            }
        }
    }
}

/// The disturbances that concern a container: its own, and those of the one whose requests it writes about.
fn moods(service: &Service, container: &Container) -> Vec<Mood> {
    service
        .disturbances
        .iter()
        .filter(|disturbance| {
            disturbance
                .container
                .as_ref()
                .is_none_or(|name| *name == container.name || container.log.follows.as_ref() == Some(name))
        })
        .map(|disturbance| Mood {
            from: disturbance.from,
            until: disturbance.to,
            kind: match &disturbance.kind {
                DisturbanceKind::Errors { rate, text } => {
                    MoodKind::Errors { rate: *rate, text: text.clone() }
                }
                DisturbanceKind::Load(factor) => MoodKind::Load { factor: *factor },
            },
        })
        .collect()
}
