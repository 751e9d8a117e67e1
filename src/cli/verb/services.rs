//! `services [NAME]`: all services, sick ones first; or the one that was named.

use crate::cli::census::{each_cluster, one_service};
use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::health;
use crate::cli::item::{Map, Time, map, shape, time};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::diagnose::{Severity, service_health};
use crate::domain::ecs::{CapacityShare, Service};
use crate::domain::query::Answer;
use crate::domain::sweep::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::span;

shape! {
    /// A service.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// The cluster's name.
        cluster: String = "text",
        /// The service's name.
        name: String = "text",
        /// The service's ARN.
        arn: String = "text",
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `ok` or `idle`.
        severity: Severity = "text",
        /// Why it is judged so, in one sentence.
        reason: String = "text",
        /// Since when it is so, as far as ECS tells.
        since: Option<Time> = "time or null",
        /// `ACTIVE`, `DRAINING`, `INACTIVE`.
        status: String = "text",
        /// Tasks wanted.
        desired: u32 = "integer",
        /// Tasks running.
        running: u32 = "integer",
        /// Tasks pending.
        pending: u32 = "integer",
        /// The task definition as `family:revision`.
        task_definition: String = "text",
        /// The task definition's ARN.
        task_definition_arn: String = "text",
        /// `FARGATE`, `EC2`, `EXTERNAL`; null with a capacity-provider strategy.
        launch_type: Option<String> = "text or null",
        /// The capacity-provider strategy.
        capacity: Vec<Capacity> = "list of Capacity",
        /// The Fargate platform version.
        platform_version: Option<String> = "text or null",
        /// `ECS`, `CODE_DEPLOY`, `EXTERNAL`.
        controller: Option<String> = "text or null",
        /// `REPLICA` or `DAEMON`.
        scheduling: Option<String> = "text or null",
        /// Of the primary deployment: `IN_PROGRESS`, `COMPLETED`, `FAILED`.
        rollout_state: Option<String> = "text or null",
        /// ECS's sentence about it.
        rollout_reason: Option<String> = "text or null",
        /// When the primary deployment began.
        deployed_at: Option<Time> = "time or null",
        /// Whether ECS Exec is enabled for tasks started from now on.
        exec_enabled: bool = "boolean",
        /// When the service was created.
        created_at: Option<Time> = "time or null",
        /// Tags.
        tags: Map = "object of text",
    }

    /// One item of a capacity-provider strategy.
    Capacity {
        /// `FARGATE`, `FARGATE_SPOT`, or a provider of the account.
        provider: String = "text",
        /// Relative weight.
        weight: u32 = "integer",
        /// Tasks that go here first.
        base: u32 = "integer",
    }
}

impl From<&CapacityShare> for Capacity {
    fn from(share: &CapacityShare) -> Self {
        Self { provider: share.provider.clone(), weight: share.weight, base: share.base }
    }
}

/// A service as an item.
#[must_use]
pub fn item(service: &Service, now: Wall) -> Item {
    let health = service_health(service, now);
    let primary = service.primary();
    Item {
        account: service.id.scope.account.to_string(),
        account_id: account_id(&service.arn),
        region: service.id.scope.region.to_string(),
        cluster: service.id.cluster.clone(),
        name: service.id.name.clone(),
        arn: service.arn.clone(),
        severity: health.severity,
        reason: health.reason,
        since: time(health.since),
        status: service.status.clone(),
        desired: service.desired,
        running: service.running,
        pending: service.pending,
        task_definition: service.revision.to_string(),
        task_definition_arn: service.task_definition_arn.clone(),
        launch_type: service.launch_type.clone(),
        capacity: service.capacity.iter().map(Capacity::from).collect(),
        platform_version: service.platform_version.clone(),
        controller: service.controller.clone(),
        scheduling: service.scheduling.clone(),
        rollout_state: primary.and_then(|d| d.rollout_state.clone()),
        rollout_reason: primary.and_then(|d| d.rollout_reason.clone()),
        deployed_at: time(service.deployed_at()),
        exec_enabled: service.exec_enabled,
        created_at: time(service.created_at),
        tags: map(&service.tags),
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name or a cluster means nothing, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let services = match request.text("NAME") {
        Some(name) => vec![one_service(session, &mut gather, name, request.all("cluster")).await?],
        None => all(session, &mut gather, request.all("cluster")).await?,
    };
    let now = gather.begun().wall;
    let mut items: Vec<Item> = services.iter().map(|service| item(service, now)).collect();
    items.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| key(a).cmp(&key(b))));
    Ok(printer.report(&gather.report(items), |items, printer| table(items, now, printer))?)
}

fn key(item: &Item) -> (&str, &str, &str, &str) {
    (&item.account, &item.region, &item.cluster, &item.name)
}

/// All services of the clusters that were named, or of all clusters.
///
/// # Errors
/// When a named cluster is nowhere.
pub async fn all(
    session: &Session,
    gather: &mut crate::cli::gather::Gather,
    clusters: &[String],
) -> Result<Vec<Service>, crate::cli::exit::Problem> {
    let mut services = Vec::new();
    each_cluster(
        session,
        gather,
        clusters,
        |scope, cluster| vec![Work::Sweep(Goal::Services { scope: scope.clone(), cluster })],
        |_, answer| {
            if let Answer::Services { found, .. } = answer {
                services.extend(found);
            }
            Vec::new()
        },
    )
    .await?;
    Ok(services)
}

fn table(items: &[Item], now: Wall, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::name("SERVICE"),
        Column::name("CLUSTER"),
        Column::fixed("REGION"),
        Column::number("TASKS"),
        Column::name("REVISION"),
        Column::number("DEPLOYED"),
        Column::sentence("WHY"),
    ]);
    for item in items {
        table.row([
            health::cell(item.severity, printer),
            Cell::new(&item.name),
            Cell::new(&item.cluster),
            Cell::new(&item.region),
            format!("{}/{}", item.running, item.desired).into(),
            Cell::new(&item.task_definition),
            item.deployed_at.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into()),
            Cell::new(&item.reason),
        ]);
    }
    printer.set(&table)
}
