//! Task definition families. Revisions that come from a stack are put together when first asked for: a fleet
//! has thousands of them, and hardly any is ever looked at.
//!
//! Must not write JSON for the wire beyond keeping what a client registered.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::sim::stack::{self, Stack};
use crate::stdx::clock::Wall;

pub mod wire;

/// What the scheduler must know of a container.
#[derive(Clone, Debug)]
pub struct ContainerFacts {
    /// Name.
    pub name: String,
    /// Image as written.
    pub image: String,
    /// Whether the task ends with it.
    pub essential: bool,
    /// Whether it has a health check, and the seconds until that can first pass.
    pub health_check: Option<u64>,
    /// CPU units of its own.
    pub cpu: u64,
    /// Hard memory limit.
    pub memory: Option<u64>,
    /// Soft memory limit.
    pub memory_reservation: Option<u64>,
}

/// A revision.
#[derive(Debug)]
pub struct TaskDefinition {
    /// Family.
    pub family: String,
    /// Revision.
    pub revision: u32,
    /// When it was registered.
    pub registered_at: Wall,
    /// CPU units of the task.
    pub cpu: String,
    /// Memory of the task in MiB.
    pub memory: String,
    /// Its containers.
    pub containers: Vec<ContainerFacts>,
    /// Where the rest of it stands.
    pub source: Source,
}

/// Where a revision comes from.
#[derive(Debug)]
pub enum Source {
    /// From a stack file.
    Stack(Arc<Stack>, Box<stack::Revision>),
    /// Registered by a client: its request, as it came.
    Request(Box<Value>),
}

/// A family with all its revisions.
#[derive(Debug, Default)]
pub struct Family {
    entries: BTreeMap<u32, Entry>,
}

#[derive(Debug)]
struct Entry {
    registered_at: Wall,
    deregistered_at: Option<Wall>,
    made: OnceCell<Arc<TaskDefinition>>,
    stack: Option<(Arc<Stack>, usize)>,
}

impl Family {
    /// The family at this place of a stack.
    #[must_use]
    pub fn of_stack(stack: &Arc<Stack>, index: usize, now: Wall) -> Self {
        let mut entries = BTreeMap::new();
        if let Some(definition) = stack.task_definitions.get(index) {
            let newest = (definition.revision, definition.age, false);
            let past = definition.past.iter().map(|past| (past.revision, past.age, past.inactive));
            for (revision, age, inactive) in std::iter::once(newest).chain(past) {
                let registered_at = now.minus(age.0);
                let deregistered_at = inactive.then(|| registered_at.plus(age.0 / 2));
                entries.insert(
                    revision,
                    Entry {
                        registered_at,
                        deregistered_at,
                        made: OnceCell::new(),
                        stack: Some((Arc::clone(stack), index)),
                    },
                );
            }
        }
        Self { entries }
    }

    /// Adds a revision and numbers it.
    pub fn register(
        &mut self,
        family: &str,
        now: Wall,
        make: impl FnOnce(u32) -> TaskDefinition,
    ) -> Arc<TaskDefinition> {
        let revision = self.entries.keys().next_back().map_or(1, |last| last + 1);
        let mut made = make(revision);
        family.clone_into(&mut made.family);
        let made = Arc::new(made);
        let cell = OnceCell::new();
        let _ = cell.set(Arc::clone(&made));
        self.entries
            .insert(revision, Entry { registered_at: now, deregistered_at: None, made: cell, stack: None });
        made
    }

    /// Numbers of its revisions, oldest first, with whether each is active.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = (u32, bool)> {
        self.entries.iter().map(|(number, entry)| (*number, entry.deregistered_at.is_none()))
    }

    /// The newest active revision.
    #[must_use]
    pub fn newest_active(&self) -> Option<u32> {
        self.numbers().rev().find_map(|(number, active)| active.then_some(number))
    }

    /// Whether the revision is active; `None` when there is none of this number.
    #[must_use]
    pub fn is_active(&self, revision: u32) -> Option<bool> {
        self.entries.get(&revision).map(|entry| entry.deregistered_at.is_none())
    }

    /// When the revision was deregistered.
    #[must_use]
    pub fn deregistered_at(&self, revision: u32) -> Option<Wall> {
        self.entries.get(&revision)?.deregistered_at
    }

    /// Marks a revision as inactive.
    pub fn deregister(&mut self, revision: u32, now: Wall) {
        if let Some(entry) = self.entries.get_mut(&revision) {
            entry.deregistered_at.get_or_insert(now);
        }
    }

    /// A revision in full.
    #[must_use]
    pub fn get(&self, revision: u32) -> Option<Arc<TaskDefinition>> {
        let entry = self.entries.get(&revision)?;
        if let Some(made) = entry.made.get() {
            return Some(Arc::clone(made));
        }
        let (stack, index) = entry.stack.as_ref()?;
        let definition = stack.task_definitions.get(*index)?;
        let found = definition.revisions().into_iter().find(|found| found.number == revision)?;
        let made = Arc::new(from_stack(stack, &definition.family, found, entry.registered_at));
        Some(Arc::clone(entry.made.get_or_init(|| made)))
    }
}

fn from_stack(
    stack: &Arc<Stack>,
    family: &str,
    found: stack::Revision,
    registered_at: Wall,
) -> TaskDefinition {
    let containers = found
        .containers
        .iter()
        .map(|container| ContainerFacts {
            name: container.name.clone(),
            image: stack.image(container),
            essential: container.essential,
            health_check: container.health_check.as_ref().map(|check| u64::from(check.interval.min(30))),
            cpu: u64::from(container.cpu.unwrap_or(0)),
            memory: container.memory.map(u64::from),
            memory_reservation: container.memory_reservation.map(u64::from),
        })
        .collect();
    TaskDefinition {
        family: family.to_owned(),
        revision: found.number,
        registered_at,
        cpu: found.cpu.to_string(),
        memory: found.memory.to_string(),
        containers,
        source: Source::Stack(Arc::clone(stack), Box::new(found)),
    }
}

/// The revision that a client's request describes; its number is filled in by `Family::register`.
#[must_use]
pub fn from_request(request: &Value, revision: u32, now: Wall) -> TaskDefinition {
    let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let containers =
        request.get("containerDefinitions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let containers = containers
        .iter()
        .map(|container| {
            let number = |key: &str| container.get(key).and_then(Value::as_u64);
            let string =
                |key: &str| container.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            ContainerFacts {
                name: string("name"),
                image: string("image"),
                essential: container.get("essential").and_then(Value::as_bool).unwrap_or(true),
                health_check: container
                    .get("healthCheck")
                    .map(|check| check.get("interval").and_then(Value::as_u64).unwrap_or(30).min(30)),
                cpu: number("cpu").unwrap_or(0),
                memory: number("memory"),
                memory_reservation: number("memoryReservation"),
            }
        })
        .collect();
    TaskDefinition {
        family: text("family"),
        revision,
        registered_at: now,
        cpu: text("cpu"),
        memory: text("memory"),
        containers,
        source: Source::Request(Box::new(request.clone())),
    }
}
