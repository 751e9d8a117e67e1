//! `secrets [NAME]`: secrets and stored parameters with their rotation, those that need a person first; with NAME, or
//! when asked, who reads them and which running tasks hold an old value.
//!
//! Must never ask for a value: no query can.

mod readers;

use std::collections::BTreeSet;

use crate::cli::exit::Exit;
use crate::cli::finding::{self, Evidence, Finding, worst};
use crate::cli::gather::{Gather, Work};
use crate::cli::health;
use crate::cli::item::{Map, Shape, Shaped, Time, map, shape, time};
use crate::cli::named::{Named, only};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table, Tone};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::diagnose::Severity;
use crate::diagnose::secret::{Consumer, How, rotation, secret_findings};
use crate::domain::query::{Answer, Query};
use crate::domain::secret::{RotationRules, Secret, SecretId, StoredParameter};
use crate::domain::task::Task;
use crate::stdx::clock::Wall;
use crate::stdx::span;
use crate::stdx::text::count;

use readers::Readers;

shape! {
    /// A secret of Secrets Manager or a parameter of SSM; never its value.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN; empty when AWS gave none.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// `secret` or `parameter`.
        kind: String = "text",
        /// The name, with its slashes.
        name: String = "text",
        /// The ARN.
        arn: Option<String> = "text or null",
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `notice` (it can wait), `ok` or `idle`.
        severity: Severity = "text",
        /// Why it is judged so, in one sentence.
        reason: String = "text",
        /// All that is wrong with it, the worst first.
        findings: Vec<Finding> = "list of Finding",
        /// Where its rotation stands: `not configured`, `healthy`, `in progress`, `stuck`, `overdue`, `to be deleted`, `managed`, `replica`; null for parameters.
        rotation: Option<String> = "text or null",
        /// Whether rotation is configured; null for parameters.
        rotation_enabled: Option<bool> = "boolean or null",
        /// The Lambda function that rotates it.
        rotation_lambda: Option<String> = "text or null",
        /// How often it rotates: `30 days`, `rate(10 days)`, `cron(…)`.
        rotation_schedule: Option<String> = "text or null",
        /// The last rotation that ended.
        last_rotated: Option<Time> = "time or null",
        /// The next rotation, as AWS plans it.
        next_rotation: Option<Time> = "time or null",
        /// The last change of anything, values included.
        last_changed: Option<Time> = "time or null",
        /// The last read of its value, to the day.
        last_accessed: Option<Time> = "time or null",
        /// When its deletion was asked for.
        deleted_at: Option<Time> = "time or null",
        /// The AWS service that manages it, such as `rds`.
        owning_service: Option<String> = "text or null",
        /// For replicas: where the primary is.
        primary_region: Option<String> = "text or null",
        /// Versions with stages.
        versions: Vec<Version> = "list of Version",
        /// Copies in other regions; null unless it was named and could be described.
        replicas: Option<Vec<Replica>> = "list of Replica, or null",
        /// The containers that read it; null unless it was named or `--consumers` was given, and when it is not known that there is none.
        consumers: Option<Vec<Reader>> = "list of Reader, or null",
        /// Running tasks that started before its last change and so may hold an old value (of a secret AWS does not tell a changed value from a changed tag); null unless it was looked for and all could be read.
        old_tasks: Option<Vec<OldTask>> = "list of OldTask, or null",
        /// `String`, `StringList`, `SecureString`; null for secrets.
        parameter_type: Option<String> = "text or null",
        /// The parameter's version; null for secrets.
        parameter_version: Option<u64> = "integer or null",
        /// Who changed the parameter last; null for secrets.
        modified_by: Option<String> = "text or null",
        /// What its owners wrote.
        description: Option<String> = "text or null",
        /// Created.
        created_at: Option<Time> = "time or null",
        /// Tags.
        tags: Map = "object of text",
    }

    /// A version of a secret.
    Version {
        /// Its id.
        id: String = "text",
        /// `AWSCURRENT`, `AWSPENDING`, `AWSPREVIOUS`, or the owner's own.
        stages: Vec<String> = "list of text",
    }

    /// A copy of a secret in another region.
    Replica {
        /// The region.
        region: String = "text",
        /// `InSync`, `InProgress`, `Failed`.
        status: String = "text",
        /// Why.
        message: Option<String> = "text or null",
    }

    /// A container that reads it.
    Reader {
        /// The cluster's name.
        cluster: String = "text",
        /// The service's name.
        service: String = "text",
        /// The container's name.
        container: String = "text",
        /// The environment variable that carries the value, or the name.
        variable: String = "text",
        /// `value_from`: ECS reads it when the task starts; `by_name`: the program reads it when it likes, so the age of what it holds is not known.
        how: String = "text",
        /// The JSON key, when not the whole value.
        json_key: Option<String> = "text or null",
        /// The stage, when not `AWSCURRENT`.
        stage: Option<String> = "text or null",
        /// The version that it is pinned to.
        version: Option<String> = "text or null",
    }

    /// A running task that holds an old value.
    OldTask {
        /// The cluster's name.
        cluster: String = "text",
        /// The service's name.
        service: Option<String> = "text or null",
        /// The task's id.
        task: String = "text",
        /// When it started.
        started_at: Option<Time> = "time or null",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![
        Item::SHAPE,
        Finding::SHAPE,
        Evidence::SHAPE,
        Version::SHAPE,
        Replica::SHAPE,
        Reader::SHAPE,
        OldTask::SHAPE,
    ]
}

impl Named for Item {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, self.arn.as_deref().unwrap_or_default())
    }
}

fn schedule(rules: RotationRules) -> Option<String> {
    rules.schedule.or_else(|| rules.after_days.map(|days| count(days as usize, "day")))
}

impl From<&Consumer> for Reader {
    fn from(consumer: &Consumer) -> Self {
        let (how, json_key, stage, version) = match &consumer.how {
            How::ValueFrom { json_key, stage, version } => {
                ("value_from", json_key.clone(), stage.clone(), version.clone())
            }
            How::ByName => ("by_name", None, None, None),
        };
        Self {
            cluster: consumer.service.cluster.clone(),
            service: consumer.service.name.clone(),
            container: consumer.container.clone(),
            variable: consumer.variable.clone(),
            how: how.to_owned(),
            json_key,
            stage,
            version,
        }
    }
}

impl From<&Task> for OldTask {
    fn from(task: &Task) -> Self {
        Self {
            cluster: task.id.cluster.clone(),
            service: task.service().map(ToOwned::to_owned),
            task: task.id.id.clone(),
            started_at: time(task.started_at),
        }
    }
}

fn listed(consumers: &[Consumer]) -> Vec<Reader> {
    consumers.iter().map(Reader::from).collect()
}

/// A secret as an item; with its readers where they were looked for, and with its copies where it was `described`:
/// the list does not know them.
fn of_secret(found: &Secret, readers: Option<&Readers>, described: bool, now: Wall) -> Item {
    let knows = readers.is_some_and(Readers::is_complete);
    let consumers = readers.map(|readers| readers.of_secret(found));
    let own = consumers.as_deref().unwrap_or_default();
    let tasks = readers.map(Readers::tasks).unwrap_or_default();
    let mut findings = secret_findings(found, own, tasks, now);
    let stands = rotation(found, now);
    let (severity, reason) = worst(&mut findings, (Severity::Ok, &format!("rotation {}", stands.word())));
    let old = readers.map(|readers| readers.behind_secret(found, own));
    let versions = found.versions.iter().map(|v| Version { id: v.id.clone(), stages: v.stages.clone() });
    let replicas = found.replicas.iter().cloned();
    let replicas = replicas.map(|(region, status, message)| Replica { region, status, message });
    Item {
        account: found.id.scope.account.to_string(),
        account_id: account_id(&found.arn),
        region: found.id.scope.region.to_string(),
        kind: "secret".to_owned(),
        name: found.id.name.clone(),
        arn: Some(found.arn.clone()),
        severity,
        reason,
        findings: findings.iter().map(Finding::from).collect(),
        rotation: Some(stands.word().to_owned()),
        rotation_enabled: Some(found.rotation_enabled),
        rotation_lambda: found.rotation_lambda.clone(),
        rotation_schedule: found.rotation_rules.clone().and_then(schedule),
        last_rotated: time(found.last_rotated),
        next_rotation: time(found.next_rotation),
        last_changed: time(found.last_changed),
        last_accessed: time(found.last_accessed),
        deleted_at: time(found.deleted_at),
        owning_service: found.owning_service.clone(),
        primary_region: found.primary_region.clone(),
        versions: versions.collect(),
        replicas: described.then(|| replicas.collect()),
        consumers: consumers.as_deref().filter(|all| knows || !all.is_empty()).map(listed),
        old_tasks: old.filter(|_| knows).map(|tasks| tasks.into_iter().map(OldTask::from).collect()),
        parameter_type: None,
        parameter_version: None,
        modified_by: None,
        description: found.description.clone(),
        created_at: time(found.created_at),
        tags: map(&found.tags),
    }
}

/// A parameter as an item; with its readers where they were looked for.
fn of_parameter(found: &StoredParameter, readers: Option<&Readers>) -> Item {
    let knows = readers.is_some_and(Readers::is_complete);
    let consumers = readers.map(|readers| readers.of_parameter(found));
    let own = consumers.as_deref().unwrap_or_default();
    let old = readers.map(|readers| readers.behind_parameter(found, own));
    Item {
        account: found.scope.account.to_string(),
        account_id: found.arn.as_deref().map(account_id).unwrap_or_default(),
        region: found.scope.region.to_string(),
        kind: "parameter".to_owned(),
        name: found.name.clone(),
        arn: found.arn.clone(),
        severity: Severity::Ok,
        reason: "a parameter, which has no rotation".to_owned(),
        findings: Vec::new(),
        rotation: None,
        rotation_enabled: None,
        rotation_lambda: None,
        rotation_schedule: None,
        last_rotated: None,
        next_rotation: None,
        last_changed: time(found.modified_at),
        last_accessed: None,
        deleted_at: None,
        owning_service: None,
        primary_region: None,
        versions: Vec::new(),
        replicas: None,
        consumers: consumers.as_deref().filter(|all| knows || !all.is_empty()).map(listed),
        old_tasks: old.filter(|_| knows).map(|tasks| tasks.into_iter().map(OldTask::from).collect()),
        parameter_type: Some(found.kind.clone()),
        parameter_version: Some(found.version),
        modified_by: found.modified_by.clone(),
        description: found.description.clone(),
        created_at: None,
        tags: Map::new(),
    }
}

/// All that was found.
#[derive(Default)]
struct Seen {
    secrets: Vec<Secret>,
    parameters: Vec<StoredParameter>,
    /// The secrets that were read by themselves.
    described: BTreeSet<SecretId>,
}

impl Seen {
    fn items(&self, readers: Option<&Readers>, now: Wall) -> Vec<Item> {
        let secret = |secret: &Secret| of_secret(secret, readers, self.described.contains(&secret.id), now);
        let secrets = self.secrets.iter().map(secret);
        secrets.chain(self.parameters.iter().map(|parameter| of_parameter(parameter, readers))).collect()
    }

    /// Leaves only what the items are about.
    fn keep(&mut self, items: &[Item]) {
        let kept = |kind: &str, region: &str, account: &str, name: &str| {
            items
                .iter()
                .any(|i| i.kind == kind && i.region == region && i.account == account && i.name == name)
        };
        self.secrets
            .retain(|s| kept("secret", s.id.scope.region.as_str(), s.id.scope.account.as_str(), &s.id.name));
        self.parameters
            .retain(|p| kept("parameter", p.scope.region.as_str(), p.scope.account.as_str(), &p.name));
    }

    async fn list(session: &Session, gather: &mut Gather, kind: &str) -> Self {
        let lists = session.scopes.iter().flat_map(|scope| {
            let secrets = Query::ListSecrets { scope: scope.clone(), page: None };
            let parameters = Query::DescribeParameters { scope: scope.clone(), page: None };
            [("secret", secrets), ("parameter", parameters)]
        });
        let work = lists
            .filter(|(own, _)| kind == "all" || kind == *own)
            .map(|(_, query)| Work::pages(query))
            .collect();
        let mut seen = Self::default();
        gather
            .run(work, |_, answer| {
                match answer {
                    Answer::Secrets { found, .. } => seen.secrets.extend(found),
                    Answer::Parameters { found, .. } => seen.parameters.extend(found),
                    _ => {}
                }
                Vec::new()
            })
            .await;
        seen
    }

    /// Reads each secret by itself: the list may lag five minutes and knows no replicas.
    async fn describe(&mut self, gather: &mut Gather) {
        let ask = |secret: &Secret| {
            let scope = secret.id.scope.clone();
            Work::Ask(Query::DescribeSecret { scope, secret: secret.arn.clone() })
        };
        let work = self.secrets.iter().map(ask).collect();
        let Self { secrets, described, .. } = self;
        gather
            .run(work, |_, answer| {
                if let Answer::Secrets { found, .. } = answer {
                    for fresh in found {
                        described.insert(fresh.id.clone());
                        if let Some(known) = secrets.iter_mut().find(|known| known.id == fresh.id) {
                            *known = fresh;
                        }
                    }
                }
                Vec::new()
            })
            .await;
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means nothing or several things, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let now = gather.begun().wall;
    let name = request.text("NAME");
    let mut seen = Seen::list(session, &mut gather, request.text("kind").unwrap_or("all")).await;
    let mut items = only(seen.items(None, now), name, "secret", session, &mut gather)?;
    if let Some(prefix) = request.text("prefix") {
        items.retain(|item| item.name.starts_with(prefix));
    }
    let named = name.is_some();
    if !items.is_empty() && (named || request.is_on("consumers")) {
        seen.keep(&items);
        if named {
            seen.describe(&mut gather).await;
        }
        let mut readers = Readers::learn(session, &mut gather).await?;
        let of_secrets = seen.secrets.iter().flat_map(|secret| readers.of_secret(secret));
        let of_parameters = seen.parameters.iter().flat_map(|parameter| readers.of_parameter(parameter));
        let services: BTreeSet<_> = of_secrets.chain(of_parameters).map(|reader| reader.service).collect();
        readers.learn_tasks(services, &mut gather).await;
        items = seen.items(Some(&readers), now);
    }
    items.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| key(a).cmp(&key(b))));
    let looked = named || request.is_on("consumers");
    Ok(printer.report(&gather.report(items), |items, printer| table(items, looked, now, printer))?)
}

fn key(item: &Item) -> (&str, &str, &str, &str) {
    (&item.account, &item.region, &item.name, &item.kind)
}

/// `looked` says whether readers were looked for.
fn table(items: &[Item], looked: bool, now: Wall, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::fixed("KIND").lesser(2),
        Column::name("NAME"),
        Column::fixed("REGION").lesser(1),
        Column::fixed("ROTATION"),
        Column::fixed("EVERY").lesser(4),
        Column::number("ROTATED").lesser(3),
        Column::number("CHANGED"),
        Column::sentence("WHAT"),
    ])
    .spilling();
    let age = |at: Option<Time>| at.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into());
    for item in items {
        table.row([
            health::cell(item.severity, printer),
            Cell::new(item.parameter_type.as_deref().unwrap_or(&item.kind)),
            Cell::new(&item.name),
            Cell::new(&item.region),
            Cell::new(item.rotation.as_deref().unwrap_or("-")),
            Cell::new(item.rotation_schedule.as_deref().unwrap_or("-")),
            age(item.last_rotated),
            age(item.last_changed),
            finding::summary(&item.reason, &item.findings).into(),
        ]);
    }
    let mut lines = printer.set(&table);
    for item in items.iter().filter(|_| looked) {
        lines.extend(told(item, now, printer));
    }
    lines
}

/// Who reads it, where that was looked for.
fn told(item: &Item, now: Wall, printer: &Printer) -> Vec<String> {
    let name = printer.paint(Tone::Plain, &item.name);
    let Some(consumers) = &item.consumers else {
        let why = "not all services and task definitions could be read";
        return vec![String::new(), format!("Whether anybody reads {name} is not known: {why}.")];
    };
    if consumers.is_empty() {
        return vec![String::new(), format!("No service here reads {name}.")];
    }
    let mut table = Table::new(&[
        Column::name("SERVICE"),
        Column::fixed("CONTAINER"),
        Column::fixed("VARIABLE"),
        Column::sentence("HOW").lesser(1),
        Column::sentence("TASKS"),
    ])
    .spilling();
    let old = item.old_tasks.as_deref().unwrap_or_default();
    for reader in consumers {
        let own = old.iter().filter(|task| {
            task.cluster == reader.cluster && task.service.as_deref() == Some(reader.service.as_str())
        });
        let oldest = own.clone().filter_map(|task| task.started_at).min();
        let since =
            oldest.map_or_else(String::new, |at| format!(", up to {} old", span::brief(at.0.age_at(now))));
        let holders = match (reader.how.as_str(), own.count()) {
            ("by_name", _) => "age unknown: it reads when it likes".to_owned(),
            _ if reader.version.is_some() => "pinned to a version".to_owned(),
            _ if item.old_tasks.is_none() => "not all tasks could be read".to_owned(),
            (_, 0) => "all hold the present value".to_owned(),
            (_, holders) => format!("{} hold the value from before{since}", count(holders, "task")),
        };
        let parts = [&reader.json_key, &reader.stage, &reader.version];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        let how = match reader.how.as_str() {
            "by_name" => "is given its name".to_owned(),
            _ if parts.is_empty() => "when a task starts".to_owned(),
            _ => format!("when a task starts ({})", parts.join(", ")),
        };
        table.row([
            Cell::new(format!("{}/{}", reader.cluster, reader.service)),
            Cell::new(&reader.container),
            Cell::new(&reader.variable),
            how.into(),
            holders.into(),
        ]);
    }
    let mut lines = vec![String::new(), format!("{name} is read by")];
    lines.extend(printer.set(&table));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scope;
    use crate::domain::secret::{SecretId, SecretVersion};

    const NOW: Wall = Wall(1_795_143_600_000);

    fn secret() -> Secret {
        let version = |id: &str, stage: &str| SecretVersion { id: id.into(), stages: vec![stage.to_owned()] };
        Secret {
            id: SecretId { scope: Scope::new("default", "eu-west-2"), name: "gateway/db".into() },
            arn: "arn:aws:secretsmanager:eu-west-2:123456789012:secret:gateway/db-AbCdEf".into(),
            description: None,
            rotation_enabled: true,
            rotation_lambda: None,
            rotation_rules: Some(RotationRules { after_days: Some(30), schedule: None, window: None }),
            last_rotated: None,
            next_rotation: None,
            last_changed: Some(Wall(NOW.0 - 7_200_000)),
            last_accessed: None,
            deleted_at: None,
            owning_service: None,
            primary_region: None,
            versions: vec![version("a", "AWSCURRENT"), version("b", "AWSPENDING")],
            replicas: Vec::new(),
            kms_key: None,
            created_at: None,
            tags: Vec::new(),
        }
    }

    #[test]
    fn a_stuck_rotation_is_told_with_its_versions() {
        let item = of_secret(&secret(), None, false, NOW);
        assert_eq!((item.severity, item.rotation.as_deref()), (Severity::Critical, Some("stuck")));
        assert_eq!(
            (item.findings[0].rule.as_str(), item.rotation_schedule.as_deref()),
            ("secret.stuck", Some("30 days"))
        );
        assert_eq!(item.account_id, "123456789012");
        assert!(item.consumers.is_none() && item.old_tasks.is_none() && item.replicas.is_none());
    }

    #[test]
    fn nobody_is_not_said_where_not_all_could_be_read() {
        let known = of_secret(&secret(), Some(&Readers::nobody(true)), true, NOW);
        assert!(known.consumers.is_some_and(|all| all.is_empty()) && known.old_tasks.is_some());
        let unknown = of_secret(&secret(), Some(&Readers::nobody(false)), true, NOW);
        assert!(unknown.consumers.is_none() && unknown.old_tasks.is_none());
    }
}
