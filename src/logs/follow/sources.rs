//! Whose lines a stream holds: learned from the service, its task definitions and ECS's lists of tasks.
//!
//! A group may be shared by several services, with the same prefix and even the same container name. What tells
//! their streams apart is the task id at their end. Tasks that ECS lists for the service are its own; about any
//! other it is asked (`DescribeTasks`, 100 at a time), and the task's lines wait for the answer. ECS forgets a
//! stopped task after an hour: lines of a forgotten task are shown, unless another service has been seen to
//! use the same prefix and container.
//!
//! Must not read logs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::domain::ecs::{Revision, ServiceId};
use crate::domain::log::{LogGroupId, LogSource, LogSubject};
use crate::domain::query::Streams;
use crate::domain::task::Task;

/// Whose a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of the subject: container and task.
    Ours { container: String, task: String },
    /// Of something else.
    Foreign,
    /// Of a forgotten task, where others log too.
    Doubtful,
    /// It has to be asked.
    Unknown { task: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Us,
    Other,
    Forgotten,
}

/// What is known about the subject.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    subject: LogSubject,
    /// Containers wanted; all when empty.
    containers: Vec<String>,
    /// Beginnings of ids of tasks wanted; all when empty.
    tasks: Vec<String>,
    sources: BTreeSet<LogSource>,
    /// The containers of the task definitions that were read.
    containers_known: BTreeSet<String>,
    owners: HashMap<String, Owner>,
    /// Container runtime ids, for streams without a prefix: container and task.
    runtimes: HashMap<String, (String, String)>,
    /// Prefix and container of which another service has been seen.
    shared: HashSet<String>,
    pub revisions: BTreeSet<Revision>,
    pub notes: BTreeSet<String>,
}

impl Sources {
    pub fn new(subject: LogSubject, containers: Vec<String>, tasks: Vec<String>) -> Self {
        let mut owners = HashMap::new();
        if let LogSubject::Task { task, .. } = &subject {
            owners.insert(task.id.clone(), Owner::Us);
        }
        Self {
            subject,
            containers,
            tasks,
            sources: BTreeSet::new(),
            containers_known: BTreeSet::new(),
            owners,
            runtimes: HashMap::new(),
            shared: HashSet::new(),
            revisions: BTreeSet::new(),
            notes: BTreeSet::new(),
        }
    }

    /// Takes the places where a task definition's containers log to.
    pub fn add(&mut self, sources: Vec<LogSource>, elsewhere: Vec<(String, String)>) {
        let wanted = |name: &String| self.containers.is_empty() || self.containers.contains(name);
        self.containers_known.extend(sources.iter().map(|source| source.container.clone()));
        self.containers_known.extend(elsewhere.iter().map(|(container, _)| container.clone()));
        for (container, driver) in elsewhere.into_iter().filter(|(name, _)| wanted(name)) {
            self.notes
                .insert(format!("container {container} logs elsewhere ({driver}): its lines are not shown"));
        }
        for source in sources.into_iter().filter(|source| wanted(&source.container)) {
            if source.prefix.is_none() {
                self.notes.insert(format!(
                    "container {} logs without a stream prefix: its streams are found by container id, once ECS lists the task",
                    source.container
                ));
            }
            self.sources.insert(source);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The containers that were wanted, when the task definitions have others and none of these.
    pub fn strangers(&self) -> Option<(&[String], &BTreeSet<String>)> {
        let has = self.containers.iter().any(|name| self.containers_known.contains(name));
        let named = !self.containers.is_empty() && !self.containers_known.is_empty();
        (named && !has).then_some((self.containers.as_slice(), &self.containers_known))
    }

    /// Why there is nothing to read, when there is nothing.
    pub fn why_nothing(&self) -> String {
        match self.strangers() {
            Some((named, known)) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                format!("there is no container `{}`: there are {}", named.join("`, `"), known.join(", "))
            }
            None => "no container of this task definition logs to CloudWatch Logs".to_owned(),
        }
    }

    /// Whether a task of the service may be another deployment's.
    pub fn is_of_deployment(&self) -> bool {
        matches!(self.subject, LogSubject::Deployment { .. })
    }

    /// Whether streams can only be told by container ids.
    pub fn needs_runtimes(&self) -> bool {
        self.sources.iter().any(|source| source.prefix.is_none())
    }

    /// What to read, with as few requests as possible: one per group and prefix. Narrow when one container logs
    /// under the prefix (`ecs/app/`), else all of the prefix (`ecs/`), and the other containers' lines are dropped
    /// here. For one task its streams are named where there are several; where those do not all exist yet,
    /// CloudWatch refuses the request, and the prefix is read instead.
    pub fn plan(&self, without_names: bool) -> Vec<(LogGroupId, Streams)> {
        let mut by_prefix: BTreeMap<(&LogGroupId, Option<&str>), Vec<&LogSource>> = BTreeMap::new();
        for source in &self.sources {
            by_prefix.entry((&source.group, source.prefix.as_deref())).or_default().push(source);
        }
        let plan = by_prefix.into_iter().map(|((group, prefix), sources)| {
            let streams = match (prefix, &self.subject, sources.as_slice()) {
                (None, _, _) => Streams::All,
                (Some(prefix), LogSubject::Service(_) | LogSubject::Deployment { .. }, [one]) => {
                    Streams::Prefix(one.stream_prefix().unwrap_or_else(|| format!("{prefix}/")))
                }
                (Some(prefix), LogSubject::Task { task, .. }, several) => {
                    let mut names: Vec<String> = several.iter().filter_map(|s| s.stream(&task.id)).collect();
                    match names.pop() {
                        Some(only) if names.is_empty() => Streams::Prefix(only),
                        Some(last) if !without_names && names.len() < 100 => {
                            names.push(last);
                            Streams::Named(names)
                        }
                        _ => Streams::Prefix(format!("{prefix}/")),
                    }
                }
                (Some(prefix), LogSubject::Service(_) | LogSubject::Deployment { .. }, _) => {
                    Streams::Prefix(format!("{prefix}/"))
                }
            };
            (group.clone(), streams)
        });
        plan.collect()
    }

    /// Whose a stream of a group is.
    pub fn whose(&self, group: &LogGroupId, stream: &str) -> Whose {
        for source in self.sources.iter().filter(|source| source.group == *group) {
            let (container, task) = match source.stream_prefix() {
                Some(prefix) => match stream.strip_prefix(&prefix) {
                    Some(task) if !task.contains('/') => (&source.container, task),
                    _ => continue,
                },
                None => match self.runtimes.get(stream) {
                    Some((container, task)) if *container == source.container => (container, task.as_str()),
                    Some(_) => continue,
                    None if stream.contains('/') => continue,
                    None => return Whose::Unknown { task: String::new() },
                },
            };
            if !self.tasks.is_empty() && !self.tasks.iter().any(|wanted| task.starts_with(wanted.as_str())) {
                return Whose::Foreign;
            }
            let ours = || Whose::Ours { container: container.clone(), task: task.to_owned() };
            return match (self.owners.get(task), &self.subject) {
                (Some(Owner::Us), _) => ours(),
                (Some(Owner::Other), _) | (_, LogSubject::Task { .. }) => Whose::Foreign,
                (Some(Owner::Forgotten), _) => {
                    let doubtful = source.stream_prefix().is_some_and(|prefix| self.shared.contains(&prefix));
                    if doubtful { Whose::Doubtful } else { ours() }
                }
                (None, _) => Whose::Unknown { task: task.to_owned() },
            };
        }
        Whose::Foreign
    }

    /// ECS listed these for the subject. Which deployment started them the list does not tell.
    pub fn own(&mut self, ids: impl IntoIterator<Item = String>) {
        if self.is_of_deployment() {
            return;
        }
        for id in ids {
            self.owners.insert(id, Owner::Us);
        }
    }

    /// ECS described a task.
    pub fn described(&mut self, task: &Task) {
        let of_service = |service: &ServiceId| {
            task.service() == Some(service.name.as_str()) && task.id.cluster == service.cluster
        };
        let (ours, of_others) = match &self.subject {
            LogSubject::Service(service) => (of_service(service), !of_service(service)),
            LogSubject::Deployment { service, id } => {
                let is_of = of_service(service);
                (is_of && task.started_by.as_ref() == Some(id), !is_of)
            }
            LogSubject::Task { task: wanted, .. } => {
                let ours = task.id.id == wanted.id;
                (ours, !ours)
            }
        };
        self.owners.insert(task.id.id.clone(), if ours { Owner::Us } else { Owner::Other });
        for container in &task.containers {
            if let Some(runtime) = &container.runtime_id {
                self.runtimes.insert(runtime.clone(), (container.name.clone(), task.id.id.clone()));
            }
            if of_others {
                let prefixes = self.sources.iter().filter(|source| source.container == container.name);
                self.shared.extend(prefixes.filter_map(LogSource::stream_prefix));
            }
        }
    }

    /// ECS does not know the task any more.
    pub fn forgotten(&mut self, id: &str) {
        // ECS keeps a task for an hour: what it forgot is older than any deployment that is watched.
        let owner = if self.is_of_deployment() { Owner::Other } else { Owner::Forgotten };
        self.owners.entry(id.to_owned()).or_insert(owner);
    }

    /// Whether ECS need not be asked about the task.
    pub fn is_known(&self, id: &str) -> bool {
        self.owners.contains_key(id)
    }
}
