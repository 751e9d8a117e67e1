//! The simulated account: a deterministic state machine with a seed, advanced to the present at each request
//! by an ordered queue of what is due. Nothing runs in the background, so it works under paused time.
//!
//! Must not know the wire: handlers read and change it, `ecs::json` writes it down.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::sim::fault::Rule;
use crate::sim::stack::{self, ContainerInsights, Stack};
use crate::stdx::clock::Wall;

mod act;
pub mod alarm;
mod build;
pub mod cache;
pub mod database;
pub mod definition;
pub mod demand;
pub mod event;
mod hook;
pub mod image;
mod incident;
mod life;
mod log_view;
pub mod metric;
mod needs;
pub mod past;
pub mod registry;
mod replaced;
mod rollout;
pub mod run;
pub mod scaling;
pub mod service;
pub mod task;
pub mod trail;
pub mod vault;

use alarm::Alarms;
use definition::{Family, TaskDefinition};
use image::{Registry, Resolved};
use service::Service;
use task::{Step, Task, TaskId};

/// What is due at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The scheduler looks at a service.
    Reconcile(usize),
    /// The next step in a task's life.
    Task(TaskId, Step),
    /// A service that has been steady says so again.
    Steady(usize),
    /// An incident of a stack's time line: stack, place.
    Incident(usize, usize),
    /// An event of a named incident.
    Happening(usize),
    /// The next step of a secret's rotation.
    Rotation(usize),
    /// A secret's rotation is scheduled for now.
    Scheduled(usize),
    /// All alarms are evaluated.
    Alarms,
    /// The next step of a database.
    Database(usize, database::Step),
    /// A cache's replica has taken over.
    Cache(usize),
    /// Whether a desired count that somebody set lies within the bounds of its scalable target.
    Bounds(usize),
    /// Whether a service's deployment has waited long enough at a hook.
    Hook(usize),
}

/// A queue's entry, ordered by instant, then by the order in which it was scheduled.
#[derive(Debug, PartialEq, Eq)]
struct Entry(Wall, u64, Due);

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A cluster.
#[derive(Debug)]
pub struct Cluster {
    /// Name.
    pub name: Arc<str>,
    /// The stack that it comes from, and its place there.
    pub origin: (Arc<Stack>, usize),
    /// Services by name.
    pub services: BTreeMap<Arc<str>, usize>,
}

impl Cluster {
    /// Whether it sends Container Insights' metrics.
    #[must_use]
    pub fn has_insights(&self) -> bool {
        let (stack, place) = &self.origin;
        stack
            .clusters
            .get(*place)
            .is_some_and(|cluster| cluster.container_insights != ContainerInsights::Disabled)
    }
}

/// What exists in one region.
#[derive(Debug, Default)]
pub struct Region {
    /// Clusters by name.
    pub clusters: BTreeMap<Arc<str>, Cluster>,
    /// Task definition families by name.
    pub families: BTreeMap<String, Family>,
    /// Container images.
    pub images: Registry,
}

/// The account.
#[derive(Debug)]
pub struct World {
    /// The present, as far as the world has been advanced.
    pub now: Wall,
    /// When the world opened to requests.
    pub opened: Wall,
    /// From when on it was played; what was before is told by the stacks.
    pub played_from: Wall,
    /// Whether reads may lag behind writes.
    pub lag: bool,
    pub(crate) dice: fastrand::Rng,
    /// Dice for reads, so that reading never changes what happens.
    pub(crate) read_dice: fastrand::Rng,
    /// The seed, from which ids of the past follow.
    pub seed: u64,
    queue: BinaryHeap<Reverse<Entry>>,
    scheduled: u64,
    /// Regions by name.
    pub regions: BTreeMap<String, Region>,
    /// All services, by index.
    pub services: Vec<Service>,
    /// All tasks that are remembered.
    pub tasks: HashMap<TaskId, Task>,
    /// What RunTask was asked for, by task.
    pub(crate) runs: BTreeMap<TaskId, run::Run>,
    /// The stacks, in the order given.
    pub stacks: Vec<Arc<Stack>>,
    /// Service revisions that clients can ask for by number, to their service.
    pub(crate) revision_owner: HashMap<u64, usize>,
    /// Alarms by region.
    pub(crate) alarms: BTreeMap<String, Alarms>,
    /// Whether the next evaluation of alarms is scheduled.
    pub(crate) alarms_watched: bool,
    /// Which services write into a log group, by region and group.
    pub(crate) log_writers: HashMap<(String, String), Vec<usize>>,
    /// Secrets and parameters.
    pub vault: vault::Vault,
    /// What CloudTrail knows.
    pub trail: trail::Trail,
    /// Named incidents that have begun.
    pub begun: Vec<String>,
    /// Their events.
    happenings: Vec<(Arc<Stack>, stack::Incident)>,
    /// Faults that incidents bring, until the server takes them up.
    pub(crate) faults_due: Vec<Rule>,
    /// Log groups that somebody has deleted, by region and name.
    pub(crate) deleted_groups: BTreeSet<(String, String)>,
    /// Roles that somebody has deleted.
    pub(crate) deleted_roles: BTreeSet<String>,
    /// All DB instances.
    pub databases: Vec<database::Database>,
    /// Snapshots that somebody asked for.
    pub snapshots: Vec<database::snapshot::Snapshot>,
    /// All Aurora clusters.
    pub database_clusters: Vec<database::DatabaseCluster>,
    /// All ElastiCache clusters.
    pub caches: Vec<cache::Cache>,
    /// What Application Auto Scaling was told and has done, by service.
    pub(crate) scalings: BTreeMap<usize, scaling::Target>,
}

impl World {
    pub(crate) fn schedule(&mut self, at: Wall, due: Due) {
        self.scheduled += 1;
        self.queue.push(Reverse(Entry(at, self.scheduled, due)));
    }

    /// Lets everything happen that is due up to `now`. Time never runs backwards here.
    pub fn advance(&mut self, now: Wall) {
        while self.queue.peek().is_some_and(|Reverse(Entry(at, ..))| *at <= now) {
            let Some(Reverse(Entry(at, _, due))) = self.queue.pop() else { break };
            self.now = self.now.max(at);
            match due {
                // A wake-up that was overtaken by an earlier one is void.
                Due::Reconcile(service) => {
                    if self.services.get(service).is_some_and(|found| found.reconcile_at == Some(at)) {
                        self.reconcile(service);
                    }
                }
                Due::Task(id, step) => self.step(id, step),
                Due::Steady(service) => self.still_steady(service),
                Due::Incident(stack, place) => self.incident(stack, place),
                Due::Happening(place) => self.happening(place),
                Due::Rotation(secret) => self.rotation_step(secret),
                Due::Scheduled(secret) => self.rotation_due(secret),
                Due::Alarms => self.alarms_due(),
                Due::Database(index, step) => self.database_step(index, step),
                Due::Cache(index) => self.cache_failed_over(index),
                Due::Bounds(service) => self.keep_bounds(service),
                Due::Hook(service) => self.hook_expires(service),
            }
        }
        self.now = self.now.max(now);
    }

    fn still_steady(&mut self, service: usize) {
        let now = self.now;
        if let Some(found) = self.services.get_mut(service)
            && found.steady
            && found.active
        {
            let message = format!("(service {}) has reached a steady state.", found.name);
            found.events.say(now, message);
        }
        self.schedule(now.plus(event::SILENCE), Due::Steady(service));
    }

    /// The service of this name in a cluster.
    #[must_use]
    pub fn find(&self, region: &str, cluster: &str, name: &str) -> Option<usize> {
        self.regions.get(region)?.clusters.get(cluster)?.services.get(name).copied()
    }

    /// A task definition in full.
    #[must_use]
    pub fn definition(&self, region: &str, family: &str, revision: u32) -> Option<Arc<TaskDefinition>> {
        self.regions.get(region)?.families.get(family)?.get(revision)
    }

    /// The images of a service's revision, resolved when first asked for.
    pub fn images(&self, service: usize, number: u64) -> Option<Arc<[Resolved]>> {
        let found = self.services.get(service)?;
        let region = self.regions.get(&*found.region)?;
        let revision = found.revision(number)?;
        if let Some(images) = revision.images.get() {
            return Some(Arc::clone(images));
        }
        let (family, definition_revision) = &revision.definition;
        let definition = region.families.get(&**family)?.get(*definition_revision)?;
        let resolved = self.resolve(&found.region, &definition, revision.build.as_deref());
        Some(Arc::clone(revision.images.get_or_init(|| resolved)))
    }

    /// The images of a task definition by digest, as its tags mean now, or as they meant when `build` was new.
    pub(crate) fn resolve(
        &self,
        region: &str,
        definition: &TaskDefinition,
        build: Option<&str>,
    ) -> Arc<[Resolved]> {
        let digest = |image: &str| match build {
            Some(build) if image::tag(image) == "latest" => {
                Some(image::digest(image::repository(image), build))
            }
            Some(_) => Some(image::digest(image::repository(image), image::tag(image))),
            None if !self.has_digest(region, image) => None,
            None => self.regions.get(region)?.images.resolve(image, self.is_known(region, image)),
        };
        let containers = definition.containers.iter();
        containers
            .map(|container| Resolved {
                container: container.name.clone(),
                image: container.image.clone(),
                digest: digest(&container.image),
            })
            .collect()
    }

    /// The images that a task runs.
    pub(crate) fn task_images(&self, task: &Task) -> Option<Arc<[Resolved]>> {
        match task.service {
            Some(service) => self.images(service, task.deployment),
            None => self.runs.get(&task.id).map(|run| Arc::clone(&run.images)),
        }
    }

    /// The region that a task runs in.
    pub(crate) fn region_of(&self, task: &Task) -> Option<Arc<str>> {
        match task.service {
            Some(service) => self.services.get(service).map(|found| Arc::clone(&found.region)),
            None => self.runs.get(&task.id).map(|run| Arc::clone(&run.region)),
        }
    }

    /// Whether an image was ever pushed, as far as the stacks tell: a tag of any revision, or the commit of
    /// any deployment.
    fn is_known(&self, region: &str, image: &str) -> bool {
        let (repository, tag) = (image::repository(image), image::tag(image));
        self.stacks.iter().filter(|stack| stack.region == region).any(|stack| {
            stack.task_definitions.iter().any(|definition| {
                let ours: Vec<_> = definition
                    .containers
                    .iter()
                    .filter(|container| image::repository(&stack.image(container)) == repository)
                    .map(|container| container.name.as_str())
                    .collect();
                if ours.is_empty() {
                    return false;
                }
                let tagged = definition
                    .containers
                    .iter()
                    .any(|container| container.tag == tag && ours.contains(&&*container.name));
                let past = definition.past.iter().flat_map(|past| &past.containers);
                tagged
                    || past
                        .into_iter()
                        .any(|past| past.tag.as_deref() == Some(tag) && ours.contains(&&*past.name))
                    || stack
                        .services
                        .iter()
                        .filter(|service| service.task_definition == definition.family)
                        .any(|service| service.deployments.iter().any(|deployment| deployment.build == tag))
            })
        })
    }

    /// How long a read may lag behind the write that was just made.
    pub(crate) fn lag_span(&mut self) -> Duration {
        task::span(&mut self.dice, 100, 700)
    }
}

#[cfg(test)]
pub(crate) mod tests;
