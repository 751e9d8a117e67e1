//! What a stack's time line brings: crashes, deployments good and bad, reclaimed Spot tasks, bursts.
//!
//! Must not invent anything that the time line does not say.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::sim::stack::{DeployHabit, Incident, IncidentKind};
use crate::sim::world::World;
use crate::sim::world::definition::wire;
use crate::sim::world::image::{self, Behaviour};
use crate::sim::world::service::{Disturbance, DisturbanceKind};
use crate::sim::world::task::{Stop, TaskId};

impl World {
    pub(crate) fn incident(&mut self, stack: usize, place: usize) {
        let Some(stack) = self.stacks.get(stack).map(Arc::clone) else { return };
        let Some(incident) = stack.timeline.get(place) else { return };
        let Some(service) = self
            .services
            .iter()
            .position(|found| Arc::ptr_eq(&found.stack, &stack) && *found.name == *incident.service)
        else {
            return;
        };
        match incident.kind {
            IncidentKind::Crash => self.crash_one(service, incident),
            IncidentKind::Deploy => self.release(service, incident, Behaviour::Healthy),
            IncidentKind::BadDeploy => {
                let behaviour = Behaviour::Crash {
                    after: Duration::from_secs(8),
                    exit_code: incident.exit_code.unwrap_or(1),
                    text: incident.text.clone(),
                };
                self.release(service, incident, behaviour);
            }
            IncidentKind::SpotReclaim => self.reclaim(service),
            IncidentKind::ErrorBurst => {
                let kind = DisturbanceKind::Errors {
                    rate: incident.rate.unwrap_or(2.0),
                    text: incident.text.clone().unwrap_or_default(),
                };
                self.disturb(service, incident, kind);
            }
            IncidentKind::TrafficSpike => {
                self.disturb(service, incident, DisturbanceKind::Load(incident.factor.unwrap_or(3.0)));
            }
            IncidentKind::Scale => self.set_desired(service, incident.count.unwrap_or(0)),
        }
    }

    fn disturb(&mut self, service: usize, incident: &Incident, kind: DisturbanceKind) {
        let from = self.now;
        let to = from.plus(incident.lasts.map_or(Duration::from_secs(60), |span| span.0));
        if let Some(found) = self.services.get_mut(service) {
            found.disturbances.push(Disturbance { from, to, container: incident.container.clone(), kind });
        }
    }

    /// The oldest running task of a service, whose name sorts first among equals.
    fn victim(&self, service: usize, spot: bool) -> Option<TaskId> {
        let found = self.services.get(service)?;
        let tasks = found
            .tasks
            .iter()
            .filter_map(|id| self.tasks.get(id))
            .filter(|task| task.wanted && task.is_running());
        let mut tasks: Vec<_> =
            tasks.filter(|task| !spot || task.provider.as_deref() == Some("FARGATE_SPOT")).collect();
        tasks.sort_by_key(|task| (task.started_at, task.id));
        tasks.first().map(|task| task.id)
    }

    fn crash_one(&mut self, service: usize, incident: &Incident) {
        let Some(id) = self.victim(service, false) else { return };
        let named = |image: &image::Resolved| {
            incident.container.as_deref().is_none_or(|name| name == image.container)
        };
        let number = self.tasks.get(&id).map_or(0, |task| task.deployment);
        let culprit =
            self.images(service, number).and_then(|images| images.iter().position(named)).unwrap_or(0);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.last_words.clone_from(&incident.text);
        }
        self.exit(id, culprit, incident.exit_code.unwrap_or(1), None);
    }

    /// SIGTERM comes with the warning, so the task begins to stop at once.
    fn reclaim(&mut self, service: usize) {
        let Some(id) = self.victim(service, true) else { return };
        self.stop_task(
            id,
            Stop {
                code: "SpotInterruption".into(),
                reason: "Your Spot Task was interrupted.".to_owned(),
                culprit: None,
            },
        );
        if let Some(found) = self.services.get_mut(service) {
            found.steady = false;
        }
    }

    /// A release as this service's people make one.
    fn release(&mut self, service: usize, incident: &Incident, behaviour: Behaviour) {
        let build =
            incident.build.clone().unwrap_or_else(|| format!("{:07x}", self.dice.u32(..) & 0xfff_ffff));
        let Some(found) = self.services.get(service) else { return };
        let Some((habit, definition)) = found
            .spec()
            .map(|spec| spec.habit)
            .zip(found.primary().map(|primary| primary.definition.clone()))
        else {
            return;
        };
        let region = found.region.to_string();
        let Some(full) = self.definition(&region, &definition.0, definition.1) else { return };
        let named = |name: &str| incident.container.as_deref().is_none_or(|wanted| wanted == name);
        let Some(container) = full.containers.iter().find(|container| named(&container.name)) else { return };
        let repository = image::repository(&container.image).to_owned();
        let tagged = format!("{repository}:{build}");
        match habit {
            DeployHabit::LatestByForce => {
                self.push_image(&region, &container.image, &build, behaviour);
                self.start_deployment(service, &definition.0, definition.1);
            }
            DeployHabit::LatestAndSha => {
                self.push_image(&region, &tagged, &build, behaviour.clone());
                self.push_image(&region, &container.image, &build, behaviour);
                self.start_deployment(service, &definition.0, definition.1);
            }
            DeployHabit::NewTag => {
                self.push_image(&region, &tagged, &build, behaviour);
                let mut request = wire::request(&full);
                let containers = request.get_mut("containerDefinitions").and_then(Value::as_array_mut);
                for written in containers.into_iter().flatten() {
                    let ours = written
                        .get("image")
                        .and_then(Value::as_str)
                        .is_some_and(|image| image::repository(image) == repository);
                    if ours && let Some(object) = written.as_object_mut() {
                        object.insert("image".to_owned(), Value::from(tagged.clone()));
                    }
                }
                let registered = self.register(&region, &definition.0, &request);
                self.start_deployment(service, &definition.0, registered.revision);
            }
        }
    }
}
