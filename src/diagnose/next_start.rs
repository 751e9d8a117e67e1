//! Would the next task of a service start? Each thing that a start needs, checked on the running revision.
//!
//! Must not promise: what could not be read is said to be not verified.

mod facts;
mod starts;

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Finding, Severity, Subject};
use crate::domain::ecs::{Service, ServiceRevision};
use crate::domain::fault::Fault;
use crate::domain::query::Query;
use crate::domain::registry::EcrImage;
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::{Secret, ValueFrom};
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};
use crate::stdx::clock::Wall;
use crate::stdx::span::brief;
use crate::stdx::text::count;

pub use facts::{Learned, NextStartFacts};
pub use starts::last_start;

/// How a check came out, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// The next task cannot start.
    Block,
    /// It may start, but not as before.
    Warn,
    /// It could not be found out.
    NotVerified,
    /// As it should be.
    Pass,
}

impl CheckVerdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Warn => "warn",
            Self::NotVerified => "not verified",
            Self::Pass => "pass",
        }
    }
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked: `image of api`, `secret cma/production/database`.
    pub what: String,
    /// How it came out.
    pub verdict: CheckVerdict,
    /// Why, in one sentence without its full stop.
    pub evidence: String,
}

fn digest_of<'r>(revision: Option<&'r ServiceRevision>, container: &str) -> Option<&'r str> {
    revision?.images.iter().find(|image| image.container == container)?.digest.as_deref()
}

/// The scope in another region, for what an ARN names there.
fn scope_in(scope: &Scope, region: &str) -> Scope {
    if region.is_empty() { scope.clone() } else { Scope::new(scope.account.clone(), region) }
}

/// The scope in which something named by an ARN, or by a plain name, is asked for.
fn scope_of(scope: &Scope, id: &str) -> Scope {
    Arn::parse(id).map_or_else(|| scope.clone(), |arn| scope_in(scope, arn.region))
}

fn awslogs(container: &ContainerDefinition) -> Option<(&str, Option<&str>, bool)> {
    let log = container.log.as_ref().filter(|log| log.driver == "awslogs")?;
    let creates = log.option("awslogs-create-group") == Some("true");
    Some((log.option("awslogs-group")?, log.option("awslogs-region"), creates))
}

/// What to ask AWS before the checks; the facts absorb the answers. `revision` is the service revision that runs
/// (its digests), where it is known. Each question once.
#[must_use]
pub fn needed(
    definition: &TaskDefinition,
    revision: Option<&ServiceRevision>,
    service: &Service,
) -> Vec<Query> {
    let scope = &service.id.scope;
    let mut queries = Vec::new();
    let mut ask = |query: Query| {
        if !queries.contains(&query) {
            queries.push(query);
        }
    };
    for container in &definition.containers {
        if let Some(image) = EcrImage::parse(&container.image) {
            // One image a call: one that is missing fails the whole call.
            ask(Query::DescribeImages {
                scope: scope_in(scope, image.region),
                registry: Some(image.account.to_owned()),
                repository: image.repository.to_owned(),
                images: vec![image.name(digest_of(revision, &container.name))],
            });
        }
        for reference in container.references() {
            let value = ValueFrom::parse(reference.value_from);
            let scope = scope_of(scope, value.id);
            if value.secret {
                ask(Query::DescribeSecret { scope, secret: value.id.to_owned() });
            } else {
                ask(Query::DescribeParameters { scope, page: None });
            }
        }
        if let Some((group, region, creates)) = awslogs(container)
            && !creates
        {
            let scope = scope_in(scope, region.unwrap_or_default());
            ask(Query::DescribeLogGroups { scope, prefix: Some(group.to_owned()), page: None });
        }
    }
    for role in [&definition.execution_role_arn, &definition.task_role_arn].into_iter().flatten() {
        ask(Query::GetRole { scope: scope.clone(), role: Arn::last(role).to_owned() });
    }
    let groups: BTreeSet<&String> =
        service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.as_ref()).collect();
    for group in groups {
        ask(Query::DescribeTargetGroups { scope: scope.clone(), arns: vec![group.clone()] });
    }
    queries
}

/// The checks of a service's running revision, the worst first.
#[must_use]
pub fn checks(
    service: &Service,
    definition: &TaskDefinition,
    revision: Option<&ServiceRevision>,
    facts: &NextStartFacts,
    now: Wall,
) -> Vec<Check> {
    let mut checker = Checker { service, facts, now, found: Vec::new() };
    checker.definition(definition);
    for container in &definition.containers {
        checker.image(container, digest_of(revision, &container.name));
        checker.secrets(container);
        checker.log(container);
    }
    checker.role("execution role", definition.execution_role_arn.as_deref());
    checker.role("task role", definition.task_role_arn.as_deref());
    checker.balancers(definition);
    let mut found = checker.found;
    // Stable: within a verdict in the order of the definition.
    found.sort_by_key(|check| check.verdict);
    found.dedup();
    found
}

struct Checker<'a> {
    service: &'a Service,
    facts: &'a NextStartFacts,
    now: Wall,
    found: Vec<Check>,
}

impl Checker<'_> {
    fn say(&mut self, what: impl Into<String>, verdict: CheckVerdict, evidence: impl Into<String>) {
        self.found.push(Check { what: what.into(), verdict, evidence: evidence.into() });
    }

    fn not_told(&mut self, what: String, fault: &Fault) {
        let action = fault.action.as_ref().map_or_else(String::new, |action| format!("{action}: "));
        self.say(what, CheckVerdict::NotVerified, format!("{action}{}", fault.message));
    }

    fn definition(&mut self, definition: &TaskDefinition) {
        let what = format!("task definition {}", definition.revision);
        match definition.status.as_str() {
            "ACTIVE" => self.say(what, CheckVerdict::Pass, "ACTIVE"),
            // ECS goes on starting tasks of a deregistered revision for the service that runs it.
            "INACTIVE" => {
                self.say(
                    what,
                    CheckVerdict::Warn,
                    "INACTIVE: this service can start it, a rollback to it cannot",
                );
            }
            other => self.say(what, CheckVerdict::Block, format!("its status is {other}")),
        }
    }

    fn image(&mut self, container: &ContainerDefinition, digest: Option<&str>) {
        let what = format!("image of {}", container.name);
        let Some(image) = EcrImage::parse(&container.image) else {
            let text = format!("{} is not in ECR", container.image);
            return self.say(what, CheckVerdict::NotVerified, text);
        };
        self.region(&what, image.region);
        let region =
            if image.region.is_empty() { self.service.id.scope.region.as_str() } else { image.region };
        let known = facts::image_key(image.account, region, image.repository, &image.name(digest));
        let key = facts::image_name(image.repository, &image.name(digest));
        match self.facts.images.get(&known).unwrap_or(&Learned::NotAsked) {
            Learned::Known(found) => match found.status.as_deref() {
                None | Some("ACTIVE") => {
                    let tags =
                        if found.tags.is_empty() { "no tag".to_owned() } else { found.tags.join(", ") };
                    self.say(what, CheckVerdict::Pass, format!("{key} is in ECR ({tags})"));
                }
                Some(other) => self.say(what, CheckVerdict::Block, format!("{key} is {other} in ECR")),
            },
            Learned::Missing => self.say(what, CheckVerdict::Block, format!("{key} is not in ECR")),
            Learned::Denied(fault) => self.not_told(what, fault),
            Learned::NotAsked => self.say(what, CheckVerdict::NotVerified, "ECR was not asked"),
        }
    }

    fn region(&mut self, what: &str, region: &str) {
        let own = self.service.id.scope.region.as_str();
        if !region.is_empty() && region != own {
            let text = format!("it is in {region}, the service in {own}");
            self.say(format!("region of {what}"), CheckVerdict::Warn, text);
        }
    }

    fn secrets(&mut self, container: &ContainerDefinition) {
        let facts = self.facts;
        for reference in container.references() {
            let value = ValueFrom::parse(reference.value_from);
            if let Some(arn) = Arn::parse(value.id) {
                self.region(&format!("{} of {}", reference.name, container.name), arn.region);
            }
            if !value.secret {
                self.parameter(&container.name, reference.name, value.id);
                continue;
            }
            let what = format!("secret {} of {}", reference.name, container.name);
            match facts.secrets.get(value.id).unwrap_or(&Learned::NotAsked) {
                Learned::Known(secret) => {
                    let (verdict, evidence) = self.secret(secret, &value);
                    self.say(what, verdict, evidence);
                }
                Learned::Missing => {
                    self.say(what, CheckVerdict::Block, format!("{} does not exist", value.id));
                }
                Learned::Denied(fault) => self.not_told(what, fault),
                Learned::NotAsked => {
                    self.say(what, CheckVerdict::NotVerified, "Secrets Manager was not asked");
                }
            }
        }
    }

    fn secret(&self, secret: &Secret, value: &ValueFrom<'_>) -> (CheckVerdict, String) {
        let name = &secret.id.name;
        if let Some(at) = secret.deleted_at {
            let when = if at > self.now {
                format!("will be deleted in {}", brief(self.now.age_at(at)))
            } else {
                format!("is scheduled for deletion, asked for {} ago", brief(at.age_at(self.now)))
            };
            return (CheckVerdict::Block, format!("{name} {when}"));
        }
        let stage = value.stage.unwrap_or("AWSCURRENT");
        let told = !secret.versions.is_empty();
        if let Some(version) = value.version {
            if told && !secret.versions.iter().any(|known| known.id == version) {
                return (CheckVerdict::Block, format!("{name} has no version {version} any more"));
            }
        } else if told && secret.version_at(stage).is_none() {
            return (CheckVerdict::Block, format!("{name} has no version with the stage {stage}"));
        }
        match value.json_key {
            // Whether the key is there stands in the value, which nothing here reads.
            Some(key) => (CheckVerdict::Pass, format!("{name} exists; its JSON key {key} is not looked for")),
            None => (CheckVerdict::Pass, format!("{name} exists")),
        }
    }

    fn parameter(&mut self, container: &str, variable: &str, id: &str) {
        let what = format!("parameter {variable} of {container}");
        let region = Arn::parse(id).map_or("", |arn| arn.region);
        let region = if region.is_empty() { self.service.id.scope.region.as_str() } else { region };
        let facts = self.facts;
        match facts.parameters.get(region).unwrap_or(&Learned::NotAsked) {
            Learned::Known(all) => {
                let found =
                    all.iter().any(|p| p.name == id || p.arn.as_deref() == Some(id) || names(id, &p.name));
                let (verdict, word) = if found {
                    (CheckVerdict::Pass, "exists")
                } else {
                    (CheckVerdict::Block, "does not exist")
                };
                self.say(what, verdict, format!("{id} {word}"));
            }
            Learned::Missing => self.say(what, CheckVerdict::Block, format!("{id} does not exist")),
            Learned::Denied(fault) => self.not_told(what, fault),
            Learned::NotAsked => self.say(what, CheckVerdict::NotVerified, "SSM was not asked"),
        }
    }

    fn log(&mut self, container: &ContainerDefinition) {
        let Some((group, region, creates)) = awslogs(container) else { return };
        let what = format!("log group of {}", container.name);
        if creates {
            return self.say(what, CheckVerdict::Pass, format!("{group} is created when it is missing"));
        }
        if let Some(region) = region {
            self.region(&what, region);
        }
        let region = region.unwrap_or(self.service.id.scope.region.as_str());
        let facts = self.facts;
        match facts.log_groups.get(&facts::log_key(region, group)).unwrap_or(&Learned::NotAsked) {
            Learned::Known(_) => self.say(what, CheckVerdict::Pass, format!("{group} exists")),
            Learned::Missing => self.say(what, CheckVerdict::Block, format!("{group} does not exist")),
            Learned::Denied(fault) => self.not_told(what, fault),
            Learned::NotAsked => self.say(what, CheckVerdict::NotVerified, "CloudWatch Logs was not asked"),
        }
    }

    fn role(&mut self, what: &str, arn: Option<&str>) {
        let Some(arn) = arn else { return };
        let name = Arn::last(arn);
        let facts = self.facts;
        match facts.roles.get(name).unwrap_or(&Learned::NotAsked) {
            Learned::Known(role) if role.arn == arn => {
                self.say(what, CheckVerdict::Pass, format!("{name} exists"));
            }
            Learned::Known(role) => {
                let text = format!("{name} exists, but as {}", role.arn);
                self.say(what, CheckVerdict::Block, text);
            }
            Learned::Missing => self.say(what, CheckVerdict::Block, format!("{name} does not exist")),
            Learned::Denied(fault) => self.not_told(what.to_owned(), fault),
            Learned::NotAsked => self.say(what, CheckVerdict::NotVerified, "IAM was not asked"),
        }
    }

    fn balancers(&mut self, definition: &TaskDefinition) {
        let facts = self.facts;
        for balancer in &self.service.load_balancers {
            if let Some((name, port)) = balancer.container.as_deref().zip(balancer.port) {
                let what = format!("port {port} of {name}");
                let container = definition.containers.iter().find(|container| container.name == name);
                match container {
                    None => {
                        let text = format!("the definition has no container {name}");
                        self.say(what, CheckVerdict::Block, text);
                    }
                    Some(container) if exposes(container, port) => {
                        self.say(what, CheckVerdict::Pass, "the definition maps it");
                    }
                    Some(_) => self.say(what, CheckVerdict::Block, "the definition does not map it"),
                }
            }
            let Some(arn) = &balancer.target_group_arn else { continue };
            let what = format!("target group {}", group_name(arn));
            match facts.target_groups.get(arn).unwrap_or(&Learned::NotAsked) {
                Learned::Known(group) if group.balancers.is_empty() => {
                    self.say(what, CheckVerdict::Warn, "no load balancer uses it");
                }
                Learned::Known(_) => self.say(what, CheckVerdict::Pass, "it exists"),
                Learned::Missing => self.say(what, CheckVerdict::Block, "it does not exist"),
                Learned::Denied(fault) => self.not_told(what, fault),
                Learned::NotAsked => {
                    self.say(what, CheckVerdict::NotVerified, "Elastic Load Balancing was not asked");
                }
            }
        }
    }
}

/// `name` of `…:targetgroup/name/id`.
fn group_name(arn: &str) -> &str {
    arn.rsplit('/').nth(1).unwrap_or(arn)
}

/// Whether a parameter's ARN names it: `…:parameter/cma/key` is `/cma/key`, `…:parameter/key` is `key`.
fn names(arn: &str, name: &str) -> bool {
    let resource = Arn::parse(arn).and_then(|arn| arn.resource.strip_prefix("parameter"));
    resource.is_some_and(|path| path == name || path.strip_prefix('/') == Some(name))
}

fn exposes(container: &ContainerDefinition, port: u16) -> bool {
    container.ports.iter().any(|mapping| {
        let in_range =
            mapping.range.as_deref().and_then(|range| range.split_once('-')).is_some_and(|(from, to)| {
                from.parse::<u16>()
                    .ok()
                    .zip(to.parse::<u16>().ok())
                    .is_some_and(|(a, b)| (a..=b).contains(&port))
            });
        mapping.container_port == Some(port) || in_range
    })
}

/// The finding of the checks: `None` when nothing blocks or warns. Critical when tasks are missing already, since
/// then the next start is due now.
#[must_use]
pub fn finding_of(service: &Service, checks: &[Check]) -> Option<Finding> {
    let of = |verdict| checks.iter().filter(move |check| check.verdict == verdict).collect::<Vec<_>>();
    let (blocks, warns) = (of(CheckVerdict::Block), of(CheckVerdict::Warn));
    let first = blocks.first().or(warns.first())?;
    let (severity, opening) = match blocks.len() {
        0 => (Severity::Warning, format!("{} over the next start", count(warns.len(), "warning"))),
        number if service.running < service.desired => {
            (Severity::Critical, format!("No task can start, {} failed", count(number, "check")))
        }
        number => {
            (Severity::Warning, format!("The next task would not start, {} failed", count(number, "check")))
        }
    };
    let text = format!("{opening}: {}: {}", first.what, first.evidence);
    let mut finding =
        Finding::new(Subject::Service(service.id.clone()), "service.next-start", severity, text);
    for check in blocks.iter().chain(&warns).chain(&of(CheckVerdict::NotVerified)) {
        let words = format!("{}, {}: {}", check.verdict.word(), check.what, check.evidence);
        finding = finding.because(None, words);
    }
    Some(finding)
}

#[cfg(test)]
mod tests;
