//! Secrets and parameters as the account has them: their versions and labels, and rotation in its four steps.
//!
//! Must not hold values. What a task start needs to know is which keys a value has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::sim::stack::{self, ACCOUNT, Stack};
use crate::sim::world::event::uuid;
use crate::sim::world::task::span;
use crate::sim::world::trail::{Actor, Deed};
use crate::sim::world::{Due, World};
use crate::stdx::clock::Wall;

/// The steps of a rotation, as the function is asked for them.
pub const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Secrets Manager asks a failing function so often before it leaves the rotation as it is.
const MOST_ATTEMPTS: u32 = 5;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `VersionId`.
    pub id: String,
    /// When it was made.
    pub created_at: Wall,
    /// Staging labels.
    pub stages: Vec<String>,
    /// Whether it has a value: a rotation stages a version before its function fills it.
    pub filled: bool,
    /// Tells a value that a client has put from another one.
    pub mark: Option<u64>,
}

/// A rotation under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotating {
    /// `ClientRequestToken`, and the id of the version that it makes.
    pub token: String,
    /// The place of the next step in `STEPS`.
    pub step: usize,
    /// How often it was tried.
    pub attempt: u32,
}

/// A secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Region.
    pub region: String,
    /// Name.
    pub name: String,
    /// ARN with its six characters.
    pub arn: String,
    /// Description.
    pub description: Option<String>,
    /// `KmsKeyId`.
    pub kms: Option<String>,
    /// Keys inside the current value, when it is a JSON object.
    pub keys: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// `OwningService`.
    pub owning_service: Option<String>,
    /// `PrimaryRegion`, when it is a copy or has copies.
    pub primary_region: Option<String>,
    /// Copies.
    pub replicas: Vec<stack::secret::Replica>,
    /// `CreatedDate`.
    pub created_at: Wall,
    /// `LastChangedDate`.
    pub changed_at: Wall,
    /// `LastAccessedDate`.
    pub accessed_at: Option<Wall>,
    /// `LastRotatedDate`.
    pub rotated_at: Option<Wall>,
    /// `DeletedDate`: when it will be gone.
    pub deleted_at: Option<Wall>,
    /// Whether it rotates; `None` when that was never set up.
    pub rotates: Option<bool>,
    /// `RotationLambdaARN`.
    pub lambda: Option<String>,
    /// `AutomaticallyAfterDays`.
    pub days: Option<u32>,
    /// `Duration` of the window.
    pub window: Option<String>,
    /// `NextRotationDate`.
    pub next_rotation: Option<Wall>,
    /// Versions, newest first.
    pub versions: Vec<Version>,
    /// A rotation that is under way or will be tried again.
    pub rotating: Option<Rotating>,
    /// The step at which its rotation function fails.
    pub fails_at: Option<usize>,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Region.
    pub region: String,
    /// As its stack describes it.
    pub spec: stack::Parameter,
    /// `LastModifiedDate`.
    pub changed_at: Wall,
}

/// All secrets and parameters of the account.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    /// Secrets; places never change.
    pub secrets: Vec<Secret>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
}

/// Why a rotation does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An earlier one is not over; it is tried again.
    NotComplete,
    /// Nothing rotates it.
    NoFunction,
}

impl Vault {
    /// The place of a secret, by name, by ARN, or by an ARN without the six characters.
    #[must_use]
    pub fn place(&self, region: &str, id: &str) -> Option<usize> {
        let partial = id.splitn(7, ':').nth(6).filter(|_| id.starts_with("arn:"));
        let mut secrets = self.secrets.iter();
        secrets.position(|secret| {
            secret.region == region
                && (secret.arn == id || secret.name == id || partial == Some(secret.name.as_str()))
        })
    }

    /// A secret, by name, ARN or partial ARN.
    #[must_use]
    pub fn find(&self, region: &str, id: &str) -> Option<&Secret> {
        self.secrets.get(self.place(region, id)?)
    }

    /// A parameter by its name.
    #[must_use]
    pub fn parameter(&self, region: &str, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|found| found.region == region && found.spec.name == name)
    }
}

impl Secret {
    /// The version of this id.
    #[must_use]
    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The version that carries a label.
    #[must_use]
    pub fn staged(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.stages.iter().any(|known| known == stage))
    }

    /// Takes a label from whichever version has it.
    pub fn unstage(&mut self, stage: &str) {
        for version in &mut self.versions {
            version.stages.retain(|known| known != stage);
        }
    }

    /// Puts a label on a version. AWSPREVIOUS follows by itself when AWSCURRENT moves.
    pub fn stage(&mut self, stage: &str, id: &str) {
        let before = self.staged(stage).map(|version| version.id.clone());
        self.unstage(stage);
        if let Some(version) = self.versions.iter_mut().find(|version| version.id == id) {
            version.stages.push(stage.to_owned());
        }
        if stage == "AWSCURRENT"
            && let Some(before) = before.filter(|before| before != id)
        {
            self.stage("AWSPREVIOUS", &before);
        }
    }

    /// Whether AWSPENDING sits on another version than AWSCURRENT.
    #[must_use]
    pub fn is_rotating(&self) -> bool {
        let pending = self.staged("AWSPENDING").map(|version| &version.id);
        pending.is_some() && pending != self.staged("AWSCURRENT").map(|version| &version.id)
    }
}

/// A number that follows from a text.
pub(crate) fn number_of(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The ARN of a secret; its six characters follow from the name when none are given.
#[must_use]
pub fn arn(region: &str, name: &str, suffix: Option<&str>) -> String {
    let made = || {
        let mut dice = fastrand::Rng::with_seed(number_of(name));
        (0..6).map(|_| dice.alphanumeric()).collect::<String>()
    };
    let suffix = suffix.map_or_else(made, str::to_owned);
    format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-{suffix}")
}

impl World {
    pub(crate) fn add_secrets(&mut self, stack: &Arc<Stack>) {
        let opened = self.opened;
        for spec in &stack.secrets {
            let secret = from_stack(stack, spec, opened);
            let next = secret.next_rotation.filter(|_| secret.rotates == Some(true));
            self.vault.secrets.push(secret);
            if let Some(next) = next {
                self.schedule(next.max(opened), Due::Scheduled(self.vault.secrets.len() - 1));
            }
        }
        self.vault.parameters.extend(stack.parameters.iter().map(|spec| Parameter {
            region: stack.region.clone(),
            spec: spec.clone(),
            changed_at: opened.minus(spec.changed.0),
        }));
    }

    /// Puts the next rotation of a secret on the calendar: on its day, or after as many days as its rules say.
    pub(crate) fn schedule_rotation(&mut self, place: usize) {
        let now = self.now;
        let Some(secret) = self.vault.secrets.get_mut(place) else { return };
        let next = secret.next_rotation.filter(|next| *next > now);
        secret.next_rotation = next.or_else(|| secret.days.map(|days| now.plus(DAY * days)));
        if let Some(next) = secret.next_rotation {
            self.schedule(next, Due::Scheduled(place));
        }
    }

    /// The day of a scheduled rotation has come.
    pub(crate) fn rotation_due(&mut self, place: usize) {
        let now = self.now;
        let due = self.vault.secrets.get(place).filter(|secret| {
            secret.rotates == Some(true)
                && secret.deleted_at.is_none()
                && secret.next_rotation.is_some_and(|next| next <= now)
        });
        let token = due.map(|secret| uuid(number_of(&secret.arn), now.0.unsigned_abs()));
        if let Some(token) = token {
            let _ = self.rotate(place, token);
        }
    }

    /// Begins a rotation. Its steps follow some seconds apart.
    ///
    /// # Errors
    /// When an earlier one is not over, or nothing rotates the secret.
    pub fn rotate(&mut self, place: usize, token: String) -> Result<(), Refusal> {
        let now = self.now;
        let pause = span(&mut self.dice, 1_500, 4_000);
        let Some(secret) = self.vault.secrets.get_mut(place) else { return Err(Refusal::NoFunction) };
        if secret.lambda.is_none() && secret.owning_service.is_none() {
            return Err(Refusal::NoFunction);
        }
        if secret.is_rotating() {
            // AWS refuses the request and tries the earlier rotation again.
            if let Some(rotating) = &mut secret.rotating
                && rotating.attempt >= MOST_ATTEMPTS
            {
                rotating.attempt = 0;
                self.schedule(now.plus(pause), Due::Rotation(place));
            }
            return Err(Refusal::NotComplete);
        }
        secret.versions.insert(
            0,
            Version { id: token.clone(), created_at: now, stages: Vec::new(), filled: false, mark: None },
        );
        secret.stage("AWSPENDING", &token);
        secret.changed_at = now;
        secret.rotates = Some(true);
        secret.rotating = Some(Rotating { token, step: 0, attempt: 1 });
        self.tell_rotation(place, "RotationStarted", None);
        self.schedule(now.plus(pause), Due::Rotation(place));
        Ok(())
    }

    /// The next step of a rotation.
    pub(crate) fn rotation_step(&mut self, place: usize) {
        let now = self.now;
        let pause = span(&mut self.dice, 2_000, 6_000);
        let Some(secret) = self.vault.secrets.get_mut(place) else { return };
        let Some(rotating) = secret.rotating.clone() else { return };
        if secret.fails_at == Some(rotating.step) {
            let attempt = rotating.attempt;
            if let Some(rotating) = &mut secret.rotating {
                rotating.attempt += 1;
            }
            let function = secret.lambda.clone().unwrap_or_default();
            let step = STEPS.get(rotating.step).copied().unwrap_or_default();
            self.tell_rotation(
                place,
                "RotationFailed",
                Some(format!("Step {step} of the function {function} failed.")),
            );
            if attempt < MOST_ATTEMPTS {
                self.schedule(now.plus(Duration::from_secs(30) * attempt), Due::Rotation(place));
            }
            return;
        }
        let token = rotating.token;
        let done = rotating.step + 1 >= STEPS.len();
        match rotating.step {
            0 => {
                for version in secret.versions.iter_mut().filter(|version| version.id == token) {
                    version.filled = true;
                }
                secret.changed_at = now;
            }
            3 => {
                secret.stage("AWSCURRENT", &token);
                secret.unstage("AWSPENDING");
                secret.changed_at = now;
                secret.rotated_at = Some(now);
                secret.next_rotation =
                    secret.days.map(|days| now.plus(DAY * days)).filter(|_| secret.rotates == Some(true));
            }
            _ => {}
        }
        if done {
            secret.rotating = None;
            let next = secret.next_rotation;
            self.tell_rotation(place, "RotationSucceeded", None);
            if let Some(next) = next {
                self.schedule(next, Due::Scheduled(place));
            }
        } else {
            if let Some(rotating) = &mut secret.rotating {
                rotating.step += 1;
            }
            self.schedule(now.plus(pause), Due::Rotation(place));
        }
    }

    /// Gives a secret a value with these keys; the version that carries AWSCURRENT is a new one.
    pub fn put_secret(
        &mut self,
        place: usize,
        token: String,
        keys: Vec<String>,
        stages: &[String],
        mark: Option<u64>,
    ) {
        let now = self.now;
        let Some(secret) = self.vault.secrets.get_mut(place) else { return };
        if !secret.versions.iter().any(|version| version.id == token) {
            secret.versions.insert(
                0,
                Version { id: token.clone(), created_at: now, stages: Vec::new(), filled: true, mark },
            );
        }
        for stage in stages {
            secret.stage(stage, &token);
        }
        for version in secret.versions.iter_mut().filter(|version| version.id == token) {
            version.filled = true;
            version.mark = mark;
        }
        if stages.iter().any(|stage| stage == "AWSCURRENT") {
            secret.keys = keys;
        }
        secret.changed_at = now;
    }

    /// Writes a parameter, a new one or another version, and tells its version.
    pub fn put_parameter(&mut self, region: &str, spec: stack::Parameter) -> u32 {
        let now = self.now;
        let known = self.vault.parameters.iter_mut();
        let mut same = known.filter(|known| known.region == region && known.spec.name == spec.name);
        match same.next() {
            Some(known) => {
                let version = known.spec.version + 1;
                known.spec = stack::Parameter { version, ..spec };
                known.changed_at = now;
                version
            }
            None => {
                let spec = stack::Parameter { version: 1, ..spec };
                self.vault.parameters.push(Parameter { region: region.to_owned(), spec, changed_at: now });
                1
            }
        }
    }

    /// Marks a secret for deletion at the end of so many days, or takes it away at once.
    pub fn delete_secret(&mut self, place: usize, days: Option<u32>) -> Wall {
        let now = self.now;
        let at = days.map_or(now, |days| now.plus(DAY * days));
        if let Some(secret) = self.vault.secrets.get_mut(place) {
            secret.deleted_at = Some(at);
            secret.changed_at = now;
            secret.rotating = None;
            secret.unstage("AWSPENDING");
            if days.is_none() {
                // Places must not change: an empty name and ARN are never found.
                secret.name.clear();
                secret.arn.clear();
            }
        }
        at
    }

    fn tell_rotation(&mut self, place: usize, name: &str, error: Option<String>) {
        let now = self.now;
        let Some(secret) = self.vault.secrets.get(place) else { return };
        let deed = Deed {
            error: error.map(|message| ("RotationFailed".to_owned(), message)),
            resources: vec![("AWS::SecretsManager::Secret".to_owned(), secret.arn.clone())],
            details: json!({ "additionalEventData": { "SecretId": secret.arn } }),
            ..Deed::new(
                now,
                &secret.region,
                "secretsmanager",
                name,
                Actor::Service("secretsmanager.amazonaws.com".to_owned()),
            )
        };
        self.trail.tell(deed);
    }
}

fn from_stack(stack: &Stack, spec: &stack::Secret, opened: Wall) -> Secret {
    let ago = |span: stack::Span| opened.minus(span.0);
    let created_at = ago(spec.age);
    let changed_at = spec.changed.map_or(created_at, ago);
    let arn = arn(&stack.region, &spec.name, spec.suffix.as_deref());
    let seed = number_of(&arn);
    let version = |created_at: Wall, stages: Vec<String>| Version {
        id: uuid(seed, created_at.0.unsigned_abs()),
        created_at,
        stages,
        filled: true,
        mark: None,
    };
    let mut versions: Vec<Version> =
        spec.versions.iter().map(|past| version(ago(past.age), past.stages.clone())).collect();
    if versions.is_empty() {
        versions.push(version(changed_at, vec!["AWSCURRENT".to_owned()]));
        if changed_at != created_at {
            let days = spec.rotation.as_ref().map_or(90, |rotation| rotation.days);
            let before = changed_at.minus(DAY * days).max(created_at);
            versions.push(version(before, vec!["AWSPREVIOUS".to_owned()]));
        }
    }
    let rotation = spec.rotation.as_ref();
    let rotated_at = rotation.and_then(|rotation| rotation.last).map(ago);
    let next_rotation = rotation.map(|rotation| match rotation.next {
        Some(next) => opened.plus(next.0),
        None => rotated_at.unwrap_or(opened).plus(DAY * rotation.days),
    });
    let mut tags = stack.tags.clone();
    tags.extend(spec.tags.clone());
    Secret {
        region: stack.region.clone(),
        name: spec.name.clone(),
        description: spec.description.clone(),
        kms: spec.kms.clone(),
        keys: spec.keys.clone(),
        tags,
        owning_service: spec.owning_service.clone(),
        primary_region: spec
            .primary_region
            .clone()
            .or_else(|| (!spec.replicas.is_empty()).then(|| stack.region.clone())),
        replicas: spec.replicas.clone(),
        created_at,
        changed_at,
        // AWS keeps the day of the last access alone.
        accessed_at: spec
            .accessed
            .map(ago)
            .map(|at| Wall(at.0 - at.0.rem_euclid(i64::try_from(DAY.as_millis()).unwrap_or(1)))),
        rotated_at,
        deleted_at: spec.deleted_in.map(|span| opened.plus(span.0)),
        rotates: rotation.map(|_| true),
        lambda: rotation
            .and_then(|rotation| rotation.lambda.as_ref())
            .map(|name| format!("arn:aws:lambda:{}:{ACCOUNT}:function:{name}", stack.region)),
        days: rotation.map(|rotation| rotation.days),
        window: rotation.and_then(|rotation| rotation.window.clone()),
        next_rotation,
        versions,
        rotating: None,
        fails_at: None,
        arn,
    }
}

#[cfg(test)]
mod tests;
