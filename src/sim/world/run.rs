//! Tasks that RunTask starts: they belong to no service, so nobody replaces them. A command is played as far as
//! a shell's simplest words go (`echo`, `sleep`, `exit`, `true`, `false`); whatever else it names takes a while
//! and succeeds, unless its image is one that crashes.
//!
//! Must not check requests; `ecs::run` does, with AWS's texts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::sim::logs::Emitter;
use crate::sim::stack::{Load, LogProfile};
use crate::sim::world::definition::{Source, TaskDefinition};
use crate::sim::world::image::{Behaviour, Resolved};
use crate::sim::world::service::{Placement, address};
use crate::sim::world::task::{Step, Task, TaskId, span};
use crate::sim::world::{Due, World};

/// How long a command takes whose words mean nothing here.
const USUAL: (u64, u64) = (14_000, 38_000);

/// What a task was asked for, beside its task definition.
#[derive(Clone, Debug)]
pub struct Run {
    /// Region.
    pub region: Arc<str>,
    /// Cluster's name.
    pub cluster: Arc<str>,
    /// `group`.
    pub group: String,
    /// `startedBy`.
    pub started_by: Option<String>,
    /// `overrides`, as they came.
    pub overrides: Value,
    /// `tags`, as they came.
    pub tags: Value,
    /// Where it is placed.
    pub placement: Placement,
    /// Its images by digest.
    pub images: Arc<[Resolved]>,
    /// `clientToken`, and the whole request that it stands for.
    pub token: Option<(String, Value)>,
    /// The task itself, once ECS has forgotten it: its log streams remain.
    pub ghost: Option<Task>,
    /// What its programs will do, by container.
    pub programs: Vec<Program>,
}

/// What the program of a container will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// How long it runs and with which code it ends; `None` while nobody stops it.
    pub ends: Option<(Duration, i32)>,
    /// What it writes when it ends.
    pub says: Vec<String>,
}

impl Program {
    /// The program that these words start; the dice say how long what is not known takes.
    #[must_use]
    pub fn of(words: &[String], dice: &mut fastrand::Rng) -> Self {
        let script = match words {
            [shell, flag, script, ..] if shell.ends_with("sh") && flag.starts_with('-') => script.clone(),
            _ => words.join(" "),
        };
        let (mut takes, mut code, mut says) = (Duration::from_millis(900), 0, Vec::new());
        for statement in script.replace("&&", "\n&").replace(';', "\n").lines() {
            let statement = statement.trim();
            let (guarded, statement) = match statement.strip_prefix('&') {
                Some(rest) => (true, rest.trim()),
                None => (false, statement),
            };
            if statement.is_empty() || (guarded && code != 0) {
                continue;
            }
            let (word, rest) = statement.split_once(' ').unwrap_or((statement, ""));
            code = 0;
            match word {
                "exit" => {
                    code = rest.trim().parse().unwrap_or(0);
                    break;
                }
                "echo" => says.push(rest.trim().trim_matches(['"', '\'']).to_owned()),
                "sleep" => takes += Duration::from_secs(rest.trim().parse().unwrap_or(0)),
                "false" => code = 1,
                "true" | "set" | "cd" | "export" => {}
                _ => takes += span(dice, USUAL.0, USUAL.1),
            }
        }
        Self { ends: Some((takes, code)), says }
    }
}

impl World {
    /// Starts a task for somebody; its first step follows.
    pub fn run_task(&mut self, definition: &TaskDefinition, run: Run, exec: bool) -> TaskId {
        let now = self.now;
        let id = TaskId(self.dice.u128(..));
        let name = (Arc::from(definition.family.as_str()), definition.revision);
        let mut task = Task::new(id, None, 0, name, now);
        task.exec = exec;
        task.subnet = self.dice.usize(..run.placement.subnets.len().max(1));
        let shares = &run.placement.capacity;
        let first = shares.iter().find(|share| share.base > 0).or(shares.iter().max_by_key(|s| s.weight));
        task.provider = first.map(|share| Arc::from(share.provider.as_str()));
        self.tasks.insert(id, task);
        self.runs.insert(id, run);
        let pause = span(&mut self.dice, 4_000, 12_000);
        self.schedule(now.plus(pause), Due::Task(id, Step::Pending));
        id
    }

    /// The containers of such a task have started: schedules how they end.
    pub(crate) fn run_works(&mut self, id: TaskId) {
        let now = self.now;
        if let Some((_, Behaviour::Crash { after, .. } | Behaviour::OutOfMemory { after })) = self.fate(id) {
            self.schedule(now.plus(after), Due::Task(id, Step::Crash));
        }
        if let Some((_, takes, _)) = self.first_end(id) {
            self.schedule(now.plus(takes), Due::Task(id, Step::Ended));
        }
    }

    /// A program has come to its end, and the task with it.
    pub(crate) fn run_ends(&mut self, id: TaskId) {
        if let Some((place, _, code)) = self.first_end(id) {
            self.exit(id, place, code, None);
        }
    }

    /// The essential container that ends first: its place, how long it runs, its exit code.
    fn first_end(&self, id: TaskId) -> Option<(usize, Duration, i32)> {
        let (task, run) = (self.tasks.get(&id)?, self.runs.get(&id)?);
        let definition = self.definition(&run.region, &task.definition.0, task.definition.1)?;
        let programs = run.programs.iter().zip(&definition.containers).enumerate();
        programs
            .filter(|(_, (_, container))| container.essential)
            .filter_map(|(place, (program, _))| program.ends.map(|(takes, code)| (place, takes, code)))
            .min_by_key(|(_, takes, _)| *takes)
    }

    /// Such a task, even when ECS has forgotten it.
    fn run_of(&self, id: TaskId) -> Option<(&Task, &Run)> {
        let run = self.runs.get(&id)?;
        Some((self.tasks.get(&id).or(run.ghost.as_ref())?, run))
    }

    /// The private address of such a task.
    #[must_use]
    pub fn run_address(&self, task: &Task) -> String {
        let run = self.runs.get(&task.id);
        address(run.and_then(|run| run.placement.subnets.get(task.subnet)), task.id)
    }

    /// The writers of a log group among such tasks.
    pub(crate) fn run_emitters(&self, region: &str, group: &str, into: &mut Vec<Arc<Emitter>>) {
        for (id, run) in self.runs.iter().filter(|(_, run)| *run.region == *region) {
            let Some((task, _)) = self.run_of(*id) else { continue };
            let (Some(born), Some(definition)) =
                (task.started_at, self.definition(region, &task.definition.0, task.definition.1))
            else {
                continue;
            };
            let culprit = task.stop.as_ref().and_then(|stop| stop.culprit.as_ref());
            for (place, container) in definition.containers.iter().enumerate() {
                let Some(log) = self.log_of(&definition, place).filter(|log| log.group == group) else {
                    continue;
                };
                let Some(program) = run.programs.get(place) else { continue };
                let crashed = match self.fate(*id) {
                    Some((own, Behaviour::Crash { text, .. })) if own == place => {
                        text.or_else(|| log.crash.clone())
                    }
                    _ => None,
                };
                let own_end = culprit.is_some_and(|(culprit, ..)| *culprit == place);
                let words = crashed.or_else(|| (!program.says.is_empty()).then(|| program.says.join("\n")));
                // Nobody sends it requests, and a command is not the program that the image usually starts.
                let startup = if program.ends.is_some() { Vec::new() } else { log.startup.clone() };
                let profile =
                    LogProfile { requests: 0.0, routes: Vec::new(), rate: 0.0, startup, ..(*log).clone() };
                into.push(Arc::new(Emitter {
                    seed: self.seed,
                    stream: format!("{}/{}/{id}", log.prefix, container.name),
                    task: id.to_string(),
                    profile: Arc::new(profile),
                    lead: None,
                    load: Load::default(),
                    born,
                    stopping: task.sigterm_at,
                    died: task.execution_stopped_at.or(task.stopped_at),
                    last_words: words.filter(|_| own_end),
                    moods: Vec::new(),
                }));
            }
        }
    }

    /// Where a container writes, and in which dress: what a client registered names its group, and the stack's
    /// container of that name says the rest.
    fn log_of(&self, definition: &TaskDefinition, place: usize) -> Option<Arc<LogProfile>> {
        let request = match &definition.source {
            Source::Stack(_, revision) => {
                return revision.containers.get(place).map(|own| Arc::clone(&own.log));
            }
            Source::Request(request) => request,
        };
        let container = request.get("containerDefinitions")?.get(place)?;
        let options = container.get("logConfiguration")?.get("options")?;
        let option = |key: &str| options.get(key).and_then(Value::as_str).map(str::to_owned);
        let (group, prefix) = (option("awslogs-group")?, option("awslogs-stream-prefix")?);
        let name = container.get("name").and_then(Value::as_str);
        let families = self.stacks.iter().flat_map(|stack| &stack.task_definitions);
        let known = families
            .filter(|family| family.family == definition.family)
            .flat_map(|family| &family.containers)
            .find(|known| Some(known.name.as_str()) == name);
        let dress = known.map(|known| (*known.log).clone()).unwrap_or_default();
        Some(Arc::new(LogProfile { group, prefix, ..dress }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(words: &[&str]) -> Program {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Program::of(&words, &mut fastrand::Rng::with_seed(1))
    }

    #[test]
    fn a_shells_simplest_words_are_played() {
        let found = program(&["/bin/sh", "-c", "echo 'one two'; sleep 5; exit 3; echo never"]);
        assert_eq!(found.says, ["one two"]);
        assert_eq!(found.ends, Some((Duration::from_millis(5_900), 3)));
        assert_eq!(program(&["false"]).ends.map(|(_, code)| code), Some(1));
        let guarded = program(&["bash", "-ec", "false && echo never"]);
        assert_eq!((guarded.says.len(), guarded.ends.map(|(_, code)| code)), (0, Some(1)));
    }

    #[test]
    fn a_command_that_is_not_known_takes_a_while_and_succeeds() {
        let (takes, code) = program(&["python", "manage.py", "migrate"]).ends.unwrap();
        assert!(takes >= Duration::from_millis(USUAL.0), "{takes:?}");
        assert_eq!(code, 0);
    }
}
