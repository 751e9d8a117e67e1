//! `secrets [NAME]`: secrets and stored parameters with their rotation. Never a value: nothing here asks for one.

use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::health;
use crate::cli::item::{Map, Time, map, shape, time};
use crate::cli::judgement;
use crate::cli::named::{Named, only};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::diagnose::Severity;
use crate::domain::query::{Answer, Query};
use crate::domain::secret::{RotationRules, Secret, StoredParameter};
use crate::domain::sweep::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::span;

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
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `ok` or `idle`.
        severity: Severity = "text",
        /// Why it is judged so, in one sentence.
        reason: String = "text",
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
}

impl Named for Item {
    fn known_by(&self) -> (&str, &str, &str) {
        (&self.name, &self.region, self.arn.as_deref().unwrap_or_default())
    }
}

fn schedule(rules: RotationRules) -> Option<String> {
    rules.schedule.or_else(|| rules.after_days.map(|days| crate::stdx::text::count(days as usize, "day")))
}

fn of_secret(found: Secret) -> Item {
    let judged = judgement::secret(&found);
    Item {
        account: found.id.scope.account.to_string(),
        account_id: account_id(&found.arn),
        region: found.id.scope.region.to_string(),
        kind: "secret".to_owned(),
        name: found.id.name,
        arn: Some(found.arn),
        severity: judged.severity,
        reason: judged.reason,
        rotation_enabled: Some(found.rotation_enabled),
        rotation_lambda: found.rotation_lambda,
        rotation_schedule: found.rotation_rules.and_then(schedule),
        last_rotated: time(found.last_rotated),
        next_rotation: time(found.next_rotation),
        last_changed: time(found.last_changed),
        last_accessed: time(found.last_accessed),
        deleted_at: time(found.deleted_at),
        owning_service: found.owning_service,
        primary_region: found.primary_region,
        versions: found.versions.into_iter().map(|v| Version { id: v.id, stages: v.stages }).collect(),
        parameter_type: None,
        parameter_version: None,
        modified_by: None,
        description: found.description,
        created_at: time(found.created_at),
        tags: map(&found.tags),
    }
}

fn of_parameter(found: StoredParameter) -> Item {
    Item {
        account: found.scope.account.to_string(),
        account_id: found.arn.as_deref().map(account_id).unwrap_or_default(),
        region: found.scope.region.to_string(),
        kind: "parameter".to_owned(),
        name: found.name,
        arn: found.arn,
        severity: Severity::Ok,
        reason: "a parameter, which has no rotation".to_owned(),
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
        parameter_type: Some(found.kind),
        parameter_version: Some(found.version),
        modified_by: found.modified_by,
        description: found.description,
        created_at: None,
        tags: Map::new(),
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means nothing or several things, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let kind = request.text("kind").unwrap_or("all");
    let lists = session.scopes.iter().flat_map(|scope| {
        let secrets = Query::ListSecrets { scope: scope.clone(), page: None };
        let parameters = Query::DescribeParameters { scope: scope.clone(), page: None };
        [("secret", secrets), ("parameter", parameters)]
    });
    let work = lists
        .filter(|(own, _)| kind == "all" || kind == *own)
        .map(|(_, query)| Work::Sweep(Goal::Pages(Box::new(query))))
        .collect();
    let mut items: Vec<Item> = Vec::new();
    gather
        .run(work, |_, answer| {
            match answer {
                Answer::Secrets { found, .. } => items.extend(found.into_iter().map(of_secret)),
                Answer::Parameters { found, .. } => items.extend(found.into_iter().map(of_parameter)),
                _ => {}
            }
            Vec::new()
        })
        .await;
    let mut items = only(items, request.text("NAME"), "secret", session, &gather)?;
    if let Some(prefix) = request.text("prefix") {
        items.retain(|item| item.name.starts_with(prefix));
    }
    items.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| key(a).cmp(&key(b))));
    let now = gather.begun().wall;
    Ok(printer.report(&gather.report(items), |items, printer| table(items, now, printer))?)
}

fn key(item: &Item) -> (&str, &str, &str, &str) {
    (&item.account, &item.region, &item.name, &item.kind)
}

fn table(items: &[Item], now: Wall, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::fixed("KIND"),
        Column::name("NAME"),
        Column::fixed("REGION"),
        Column::number("CHANGED"),
        Column::number("ROTATED"),
        Column::fixed("EVERY"),
        Column::sentence("WHY"),
    ]);
    let age = |at: Option<Time>| at.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into());
    for item in items {
        table.row([
            health::cell(item.severity, printer),
            Cell::new(item.parameter_type.as_deref().unwrap_or(&item.kind)),
            Cell::new(&item.name),
            Cell::new(&item.region),
            age(item.last_changed),
            age(item.last_rotated),
            Cell::new(item.rotation_schedule.as_deref().unwrap_or("-")),
            Cell::new(&item.reason),
        ]);
    }
    printer.set(&table)
}
