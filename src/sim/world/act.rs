//! What people and programs do to the world: the effects of API writes, and handles for tests.
//!
//! Must not check requests; `ecs::write` does, with AWS's texts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::sim::world::World;
use crate::sim::world::definition::{Family, TaskDefinition, from_request};
use crate::sim::world::image::Behaviour;
use crate::sim::world::rollout::Back;
use crate::sim::world::service::{Rollout, Stale};
use crate::sim::world::task::{Stop, TaskId};

impl World {
    /// Changes the desired count.
    pub fn set_desired(&mut self, service: usize, desired: u32) {
        let now = self.now;
        if let Some(found) = self.services.get_mut(service)
            && found.desired != desired
        {
            found.desired = desired;
            found.desires.push((now, desired));
            found.steady = false;
            self.wake(service, Duration::from_millis(1_200));
        }
    }

    /// Starts a deployment of a family's revision; its number names it.
    pub fn start_deployment(&mut self, service: usize, family: &str, revision: u32) -> Option<u64> {
        let number = self.deploy(service, (Arc::from(family), revision))?;
        self.revision_owner.insert(number, service);
        Some(number)
    }

    /// Stops a task on a person's behalf.
    pub fn stop_for_user(&mut self, id: TaskId, reason: &str) {
        let service = self.tasks.get(&id).and_then(|task| task.service);
        let reason = if reason.is_empty() { "Task stopped by user" } else { reason };
        self.stop_task(id, Stop { code: "UserInitiated".into(), reason: reason.to_owned(), culprit: None });
        if let Some(found) = service.and_then(|service| self.services.get_mut(service)) {
            found.steady = false;
        }
    }

    /// Registers a task definition and returns it.
    pub fn register(&mut self, region: &str, family: &str, request: &Value) -> Arc<TaskDefinition> {
        let now = self.now;
        let families = &mut self.regions.entry(region.to_owned()).or_default().families;
        let found: &mut Family = families.entry(family.to_owned()).or_default();
        found.register(family, now, |revision| from_request(request, revision, now))
    }

    /// Pushes an image: from now on the tag means what was built from `build`.
    pub fn push_image(&mut self, region: &str, image: &str, build: &str, behaviour: Behaviour) -> String {
        let now = self.now;
        let images = &mut self.regions.entry(region.to_owned()).or_default().images;
        let digest = images.push(image, build, behaviour);
        images.note(image, &digest, now);
        digest
    }

    /// Whether an IAM role exists: one that a task definition of a stack names, unless it was deleted.
    #[must_use]
    pub fn role_exists(&self, name: &str) -> bool {
        let mut definitions = self.stacks.iter().flat_map(|stack| &stack.task_definitions);
        !self.deleted_roles.contains(name)
            && definitions.any(|definition| {
                let past = definition.past.iter().filter_map(|past| past.task_role.as_deref());
                definition.execution_role == name
                    || past.chain(definition.task_role.as_deref()).any(|role| role == name)
            })
    }

    /// Deletes an IAM role.
    pub fn delete_role(&mut self, name: &str) {
        self.deleted_roles.insert(name.to_owned());
    }

    /// Takes a service away.
    pub fn delete_service(&mut self, service: usize) {
        let now = self.now;
        let Some(found) = self.services.get_mut(service) else { return };
        found.active = false;
        found.desired = 0;
        found.desires.push((now, 0));
        let (region, cluster, name) =
            (Arc::clone(&found.region), Arc::clone(&found.cluster), Arc::clone(&found.name));
        if let Some(cluster) =
            self.regions.get_mut(&*region).and_then(|region| region.clusters.get_mut(&cluster))
        {
            cluster.services.remove(&name);
        }
        self.wake(service, Duration::from_millis(500));
    }

    /// Stops the deployment in progress and goes back to the last good revision. `false` when none is in
    /// progress or nothing is there to go back to.
    pub fn stop_deployment(&mut self, service: usize) -> bool {
        let Some(found) = self.services.get(service) else { return false };
        let target = found.last_good.filter(|good| {
            found
                .primary()
                .is_some_and(|primary| primary.state != Rollout::Completed && primary.number != *good)
        });
        match target {
            Some(good) => {
                self.roll_back(service, good, Back::Asked);
                true
            }
            None => false,
        }
    }

    /// Lets reads of a service lag behind the write that is about to be made.
    pub fn remember(&mut self, service: usize, before: Value) {
        if !self.lag {
            return;
        }
        let until = self.now.plus(self.lag_span());
        if let Some(found) = self.services.get_mut(service) {
            found.stale = Some(Stale { until, value: before });
        }
    }

    /// What a lagging read of a service shows instead of the present, if it lags.
    pub fn stale(&mut self, service: usize) -> Option<Value> {
        let now = self.now;
        let found = self.services.get(service)?.stale.as_ref().filter(|stale| now < stale.until)?;
        self.read_dice.bool().then(|| found.value.clone())
    }
}
