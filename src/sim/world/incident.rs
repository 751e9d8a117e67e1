//! What time lines bring, those of stacks and those of named incidents: crashes, deployments good and bad,
//! reclaimed Spot tasks, bursts, secrets and log groups that go missing.
//!
//! Must not invent anything that the time line does not say.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sim::incidents::NamedIncident;
use crate::sim::stack::{DeployHabit, Incident, IncidentKind, Stack};
use crate::sim::world::cache::CacheCondition;
use crate::sim::world::database::Condition;
use crate::sim::world::definition::wire;
use crate::sim::world::event::uuid;
use crate::sim::world::image::{self, Behaviour};
use crate::sim::world::service::{Disturbance, DisturbanceKind};
use crate::sim::world::task::{Step, Stop, TaskId, span};
use crate::sim::world::trail::{Deed, Release};
use crate::sim::world::vault::{STEPS, number_of};
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

impl World {
    /// Lets a named incident begin: what its time line puts before this instant happens at once. `false` when
    /// its stack is not part of this world.
    pub fn begin(&mut self, incident: &NamedIncident) -> bool {
        let now = self.now;
        self.plan(incident, now)
    }

    /// Lets something happen now, in the first stack that has what it names.
    ///
    /// # Errors
    /// What is wrong with it, when no stack has.
    pub fn occur(&mut self, incident: &Incident) -> Result<(), String> {
        let mut problem: Option<String> = None;
        for stack in self.stacks.clone() {
            match stack.check_incident("event", incident) {
                Ok(()) => {
                    self.happen(&stack, incident);
                    return Ok(());
                }
                // That another stack has no such thing says less than what the one that has it misses.
                Err((place, what)) if problem.is_none() || !what.starts_with("there is no") => {
                    problem = Some(format!("{place}: {what}"));
                }
                Err(_) => {}
            }
        }
        Err(problem.unwrap_or_else(|| "there is no stack".to_owned()))
    }

    /// Puts the time line of a named incident around an instant.
    pub(crate) fn plan(&mut self, incident: &NamedIncident, start: Wall) -> bool {
        let Some(stack) = self.stacks.iter().find(|stack| stack.name == incident.stack).map(Arc::clone)
        else {
            return false;
        };
        self.begun.push(incident.name.clone());
        for event in &incident.events {
            let place = self.happenings.len();
            self.happenings.push((Arc::clone(&stack), event.clone()));
            self.schedule(Wall(start.0.saturating_add(event.at.millis)), Due::Happening(place));
        }
        true
    }

    pub(crate) fn happening(&mut self, place: usize) {
        if let Some((stack, event)) = self.happenings.get(place).cloned() {
            self.happen(&stack, &event);
        }
    }

    pub(crate) fn incident(&mut self, stack: usize, place: usize) {
        let Some(stack) = self.stacks.get(stack).map(Arc::clone) else { return };
        if let Some(incident) = stack.timeline.get(place) {
            self.happen(&stack, incident);
        }
    }

    fn happen(&mut self, stack: &Arc<Stack>, incident: &Incident) {
        let service = self
            .services
            .iter()
            .position(|found| Arc::ptr_eq(&found.stack, stack) && *found.name == *incident.service);
        match service {
            Some(service) => self.happen_to_service(service, incident),
            None => self.happen_to_target(stack, incident),
        }
    }

    fn happen_to_service(&mut self, service: usize, incident: &Incident) {
        match incident.kind {
            IncidentKind::Crash => self.crash_one(service, incident),
            IncidentKind::Deploy => self.release(service, incident, Some(Behaviour::Healthy)),
            IncidentKind::BadDeploy => {
                let behaviour = Behaviour::Crash {
                    after: incident.after.map_or(Duration::from_secs(8), |span| span.0),
                    exit_code: incident.exit_code.unwrap_or(1),
                    text: incident.text.clone(),
                };
                self.release(service, incident, Some(behaviour));
            }
            IncidentKind::MissingImage => self.release(service, incident, None),
            IncidentKind::UnhealthyDeploy => {
                let behaviour = Behaviour::AnswersCheck(incident.status.unwrap_or(404));
                self.release(service, incident, Some(behaviour));
            }
            IncidentKind::OutOfMemory => self.out_of_memory(service, incident),
            IncidentKind::SpotReclaim => self.reclaim(service),
            IncidentKind::ErrorBurst => {
                let kind = DisturbanceKind::Errors {
                    rate: incident.rate.unwrap_or(2.0),
                    text: incident.text.clone().unwrap_or_default(),
                };
                self.disturb(service, incident, kind);
            }
            IncidentKind::TrafficSpike => {
                let factor = self.factor(service, incident);
                self.disturb(service, incident, DisturbanceKind::Load(factor));
            }
            IncidentKind::Scale => {
                let now = self.now;
                let Some(count) = self.policy_sets(service, incident.count.unwrap_or(0)) else { return };
                self.tell_scaling(service, now, count);
                self.scale(service, count);
            }
            IncidentKind::NoCapacity | IncidentKind::CapacityReturns => {
                if let Some(found) = self.services.get_mut(service) {
                    found.no_capacity = incident.kind == IncidentKind::NoCapacity;
                }
            }
            _ => {}
        }
    }

    /// How many times as much as usual comes in, where the incident may say it by full load as well.
    fn factor(&self, service: usize, incident: &Incident) -> f64 {
        let usual = self.activity(service, self.now).max(0.01);
        let by_load = incident.load.map(|load| (load / usual).max(1.0));
        by_load.or(incident.factor).unwrap_or(3.0)
    }

    fn happen_to_target(&mut self, stack: &Arc<Stack>, incident: &Incident) {
        let target = incident.target.clone().unwrap_or_default();
        let region = stack.region.clone();
        let lasts = incident.lasts.map_or(Duration::from_secs(600), |span| span.0);
        match incident.kind {
            IncidentKind::SecretKeys | IncidentKind::SecretDeleted => {
                self.change_secret(&region, &target, incident);
            }
            IncidentKind::Rotation | IncidentKind::RotationStuck => {
                self.begin_rotation(&region, &target, incident);
            }
            IncidentKind::LogGroupDeleted => {
                self.tell_done(
                    &region,
                    incident,
                    ("logs", "DeleteLogGroup"),
                    ("AWS::Logs::LogGroup", &target),
                    json!({ "logGroupName": target }),
                );
                self.deleted_groups.insert((region, target));
            }
            IncidentKind::RoleDeleted => {
                self.tell_done(
                    "us-east-1",
                    incident,
                    ("iam", "DeleteRole"),
                    ("AWS::IAM::Role", &target),
                    json!({ "roleName": target }),
                );
                self.delete_role(&target);
            }
            IncidentKind::DatabaseStorageFull => {
                self.set_condition(&region, &target, Condition::StorageFilling { within: lasts });
            }
            IncidentKind::DatabaseConnectionsExhausted => {
                self.set_condition(&region, &target, Condition::ConnectionsExhausted { within: lasts });
            }
            IncidentKind::DatabaseSlowQueries => {
                let factor = incident.factor.unwrap_or(10.0);
                self.set_condition(&region, &target, Condition::SlowQueries { factor });
            }
            IncidentKind::DatabaseFailover => {
                self.set_condition(&region, &target, Condition::FailingOver { takes: lasts });
            }
            IncidentKind::CacheMemoryFull => {
                self.set_cache_condition(&region, &target, CacheCondition::MemoryFilling { within: lasts });
            }
            IncidentKind::CacheBusy => {
                let factor = incident.factor.unwrap_or(4.0);
                self.set_cache_condition(&region, &target, CacheCondition::Busy { factor });
            }
            IncidentKind::CacheFailover => {
                self.set_cache_condition(&region, &target, CacheCondition::FailingOver { takes: lasts });
            }
            IncidentKind::Recovers => {
                let _ =
                    self.clear_conditions(&region, &target) || self.clear_cache_conditions(&region, &target);
            }
            IncidentKind::Fault => {
                self.faults_due.extend(incident.rule.as_deref().and_then(|rule| rule.parse().ok()));
            }
            _ => {}
        }
    }

    /// A rotation: by its schedule when it is due, else because somebody asked for it.
    fn begin_rotation(&mut self, region: &str, target: &str, incident: &Incident) {
        let now = self.now;
        let Some(place) = self.vault.place(region, target) else { return };
        let token = uuid(number_of(target), now.0.unsigned_abs());
        let Some(secret) = self.vault.secrets.get_mut(place) else { return };
        secret.fails_at = STEPS.iter().position(|step| incident.step.as_deref() == Some(*step));
        let (arn, next) = (secret.arn.clone(), secret.next_rotation);
        if next.is_none_or(|next| next > now) {
            let resource = ("AWS::SecretsManager::Secret", arn.as_str());
            let request = json!({ "secretId": target, "clientRequestToken": token });
            self.tell_done(region, incident, ("secretsmanager", "RotateSecret"), resource, request);
        }
        let _ = self.rotate(place, token);
    }

    /// A person's change, for the trail.
    fn tell_done(
        &mut self,
        region: &str,
        incident: &Incident,
        (source, name): (&str, &str),
        (kind, resource): (&str, &str),
        request: Value,
    ) {
        let by = Self::person(incident.by.as_deref().unwrap_or("maria.k"));
        let deed = Deed {
            resources: vec![(kind.to_owned(), resource.to_owned())],
            request,
            ..Deed::new(self.now, region, source, name, by)
        };
        self.trail.tell(deed);
    }

    fn change_secret(&mut self, region: &str, target: &str, incident: &Incident) {
        let Some(place) = self.vault.place(region, target) else { return };
        let arn = self.vault.secrets.get(place).map(|secret| secret.arn.clone()).unwrap_or_default();
        let resource = ("AWS::SecretsManager::Secret", arn.as_str());
        if incident.kind == IncidentKind::SecretKeys {
            let token = uuid(number_of(target), self.now.0.unsigned_abs());
            let request = json!({ "secretId": target, "clientRequestToken": token });
            self.tell_done(region, incident, ("secretsmanager", "UpdateSecret"), resource, request);
            self.put_secret(place, token, incident.keys.clone(), &["AWSCURRENT".to_owned()], None);
        } else {
            let request = json!({ "secretId": target, "recoveryWindowInDays": 7 });
            self.tell_done(region, incident, ("secretsmanager", "DeleteSecret"), resource, request);
            self.delete_secret(place, Some(7));
        }
    }

    /// The tasks of a release need more than they have, or those that run begin to.
    fn out_of_memory(&mut self, service: usize, incident: &Incident) {
        let after = incident.after.map_or(Duration::from_secs(120), |span| span.0);
        let behaviour = Behaviour::OutOfMemory { after };
        if incident.build.is_some() {
            return self.release(service, incident, Some(behaviour));
        }
        let Some(found) = self.services.get(service) else { return };
        let (region, tasks) = (found.region.to_string(), found.tasks.clone());
        let Some(number) = found.primary().map(|primary| primary.number) else { return };
        let named = |image: &&image::Resolved| {
            incident.container.as_deref().is_none_or(|name| name == image.container)
        };
        let digest = self
            .images(service, number)
            .and_then(|images| images.iter().find(named).and_then(|image| image.digest.clone()));
        if let (Some(digest), Some(found)) = (digest, self.regions.get_mut(&region)) {
            found.images.set_behaviour(&digest, behaviour);
        }
        for id in tasks {
            let pause = span(&mut self.dice, 1_000, 120_000);
            self.schedule(self.now.plus(pause), Due::Task(id, Step::Crash));
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

    /// A release as this service's people make one. Without a behaviour its image was never pushed.
    fn release(&mut self, service: usize, incident: &Incident, behaviour: Option<Behaviour>) {
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
        let by = match &incident.by {
            Some(session) => Self::person(session),
            None => self.pipeline(&found.stack.name),
        };
        let Some(full) = self.definition(&region, &definition.0, definition.1) else { return };
        let named = |name: &str| incident.container.as_deref().is_none_or(|wanted| wanted == name);
        let Some(container) = full.containers.iter().find(|container| named(&container.name)) else { return };
        let repository = image::repository(&container.image).to_owned();
        let tagged = format!("{repository}:{build}");
        let pushed = behaviour.is_some();
        match (habit, behaviour) {
            (DeployHabit::LatestByForce, Some(behaviour)) => {
                self.push_image(&region, &container.image, &build, behaviour);
            }
            (DeployHabit::LatestAndSha, Some(behaviour)) => {
                self.push_image(&region, &tagged, &build, behaviour.clone());
                self.push_image(&region, &container.image, &build, behaviour);
            }
            (DeployHabit::NewTag, Some(behaviour)) => {
                self.push_image(&region, &tagged, &build, behaviour);
            }
            (_, None) => {}
        }
        let mut revision = definition.1;
        if habit == DeployHabit::NewTag || !pushed {
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
            revision = self.register(&region, &definition.0, &request).revision;
        }
        self.start_deployment(service, &definition.0, revision);
        let release = Release {
            at: self.now,
            by,
            build: &build,
            pushed,
            definition: (Arc::clone(&definition.0), revision),
            habit,
        };
        self.tell_release(service, &release);
    }
}
