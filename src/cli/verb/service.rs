//! `service NAME`: one service with its deployments, events and configuration.

use crate::cli::census::one_service;
use crate::cli::exit::Exit;
use crate::cli::health;
use crate::cli::item::{Shape, Shaped, Time, shape, time};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table, Tone};
use crate::cli::verb::{End, services};
use crate::domain::ecs::Service;
use crate::stdx::clock::Wall;
use crate::stdx::span;

shape! {
    /// A service in detail: the fields of `services`, and these.
    Detail {
        /// The fields that `services` prints, at the same level.
        #[serde(flatten)]
        summary: services::Item = "the fields of a service",
        /// Deployments under way or current, newest first.
        deployments: Vec<Deployment> = "list of Deployment",
        /// How it deploys.
        deployment_configuration: Configuration = "Configuration",
        /// Events, newest first; ECS keeps the last 100.
        events: Vec<Event> = "list of Event",
        /// Where its tasks are registered.
        load_balancers: Vec<LoadBalancer> = "list of LoadBalancer",
        /// Subnets.
        subnets: Vec<String> = "list of text",
        /// Security groups.
        security_groups: Vec<String> = "list of text",
        /// Whether tasks get a public address.
        public_ip: Option<bool> = "boolean or null",
        /// Seconds during which failing health checks of a new task are ignored.
        health_check_grace_s: Option<u32> = "integer or null",
        /// ARN of the service deployment under way.
        current_service_deployment: Option<String> = "text or null",
        /// ARNs of the service revisions that run now.
        current_service_revisions: Vec<String> = "list of text",
        /// The principal that created it.
        created_by: Option<String> = "text or null",
    }

    /// One of a service's deployments.
    Deployment {
        /// ECS's id; tasks carry it in `started_by`.
        id: String = "text",
        /// `PRIMARY`, `ACTIVE`, `INACTIVE`.
        status: String = "text",
        /// What it runs, as `family:revision`.
        task_definition: String = "text",
        /// Tasks wanted.
        desired: u32 = "integer",
        /// Tasks running.
        running: u32 = "integer",
        /// Tasks pending.
        pending: u32 = "integer",
        /// Consecutive failures; ECS resets it when a task gets healthy.
        failed_tasks: u32 = "integer",
        /// `IN_PROGRESS`, `COMPLETED`, `FAILED`.
        rollout_state: Option<String> = "text or null",
        /// ECS's sentence about it.
        rollout_reason: Option<String> = "text or null",
        /// Begun.
        created_at: Option<Time> = "time or null",
        /// Last change.
        updated_at: Option<Time> = "time or null",
    }

    /// How a service deploys.
    Configuration {
        /// `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`.
        strategy: Option<String> = "text or null",
        /// Least share of tasks that stays up during a rollout.
        minimum_healthy_percent: Option<u32> = "integer or null",
        /// Greatest share of tasks during a rollout.
        maximum_percent: Option<u32> = "integer or null",
        /// Whether the circuit breaker watches; null when ECS does not say.
        circuit_breaker: Option<bool> = "boolean or null",
        /// Whether the circuit breaker rolls back.
        rollback: Option<bool> = "boolean or null",
        /// Alarms that watch deployments.
        alarms: Vec<String> = "list of text",
    }

    /// An event.
    Event {
        /// When.
        at: Time = "time",
        /// ECS's sentence.
        message: String = "text",
        /// ECS's id of the event.
        id: String = "text",
    }

    /// Where tasks are registered.
    LoadBalancer {
        /// The target group's ARN.
        target_group_arn: Option<String> = "text or null",
        /// The container that receives traffic.
        container: Option<String> = "text or null",
        /// Its port.
        port: Option<u16> = "integer or null",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![
        Detail::SHAPE,
        Deployment::SHAPE,
        Configuration::SHAPE,
        Event::SHAPE,
        LoadBalancer::SHAPE,
        services::Capacity::SHAPE,
    ]
}

fn detail(service: Service, now: Wall) -> Detail {
    let summary = services::item(&service, now);
    let configuration = service.deployment_configuration;
    let deployments = service.deployments.into_iter().map(|deployment| Deployment {
        id: deployment.id,
        status: deployment.status,
        task_definition: deployment.revision.to_string(),
        desired: deployment.desired,
        running: deployment.running,
        pending: deployment.pending,
        failed_tasks: deployment.failed_tasks,
        rollout_state: deployment.rollout_state,
        rollout_reason: deployment.rollout_reason,
        created_at: time(deployment.created_at),
        updated_at: time(deployment.updated_at),
    });
    let events = service.events.into_iter().map(|e| Event { at: Time(e.at), message: e.message, id: e.id });
    let load_balancers = service.load_balancers.into_iter().map(|balancer| LoadBalancer {
        target_group_arn: balancer.target_group_arn,
        container: balancer.container,
        port: balancer.port,
    });
    Detail {
        summary,
        deployments: deployments.collect(),
        deployment_configuration: Configuration {
            strategy: configuration.strategy,
            minimum_healthy_percent: configuration.minimum_healthy_percent,
            maximum_percent: configuration.maximum_percent,
            circuit_breaker: configuration.circuit_breaker.as_ref().map(|breaker| breaker.enable),
            rollback: configuration.circuit_breaker.as_ref().map(|breaker| breaker.rollback),
            alarms: configuration.alarms,
        },
        events: events.collect(),
        load_balancers: load_balancers.collect(),
        subnets: service.subnets,
        security_groups: service.security_groups,
        public_ip: service.public_ip,
        health_check_grace_s: service.health_check_grace_s,
        current_service_deployment: service.current_service_deployment,
        current_service_revisions: service.current_service_revisions,
        created_by: service.created_by,
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means no single service, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let name = request.text("NAME").unwrap_or_default();
    let service = one_service(session, &mut gather, name, request.all("cluster")).await?;
    let now = gather.begun().wall;
    let report = gather.report(vec![detail(service, now)]);
    Ok(printer.report(&report, |items, printer| {
        items.iter().flat_map(|item| sheet(item, now, printer)).collect()
    })?)
}

fn sheet(item: &Detail, now: Wall, printer: &Printer) -> Vec<String> {
    let summary = &item.summary;
    let mut facts = Table::new(&[Column::fixed(""), Column::sentence("")]);
    let mut fact = |name: &str, value: Cell| facts.row([Cell::new(name).tone(Tone::Quiet), value]);
    fact("service", Cell::new(format!("{}/{}", summary.cluster, summary.name)));
    fact("where", Cell::new(format!("{} {}", summary.account_id, summary.region)));
    fact("health", health::cell(summary.severity, printer));
    fact("why", Cell::new(&summary.reason));
    let counts = format!("{} of {} running, {} pending", summary.running, summary.desired, summary.pending);
    fact("tasks", counts.into());
    fact("runs", Cell::new(&summary.task_definition));
    fact("on", Cell::new(platform(summary)));
    let configuration = &item.deployment_configuration;
    let percent = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |v| format!("{v} %"));
    let breaker = match (configuration.circuit_breaker, configuration.rollback) {
        (Some(true), Some(true)) => "circuit breaker with rollback",
        (Some(true), _) => "circuit breaker without rollback",
        _ => "no circuit breaker",
    };
    let rollout = format!(
        "{} to {} of the tasks, {breaker}",
        percent(configuration.minimum_healthy_percent),
        percent(configuration.maximum_percent)
    );
    fact("rollout", rollout.into());
    fact("exec", if summary.exec_enabled { "enabled" } else { "not enabled" }.into());
    if !item.subnets.is_empty() {
        fact("subnets", Cell::new(item.subnets.join(", ")));
        fact("security", Cell::new(item.security_groups.join(", ")));
    }
    for balancer in &item.load_balancers {
        let target = balancer.target_group_arn.as_deref().unwrap_or("a classic load balancer");
        let port = balancer.port.map_or_else(String::new, |port| format!(":{port}"));
        let container = balancer.container.as_deref().unwrap_or("?");
        fact("balanced", Cell::new(format!("{container}{port} {target}")));
    }
    // A sheet of facts has no titles.
    let mut lines: Vec<String> = printer.set(&facts).into_iter().skip(1).collect();
    lines.push(String::new());
    lines.extend(printer.set(&deployments(item, now)));
    lines.push(String::new());
    let mut events = Table::new(&[Column::fixed("TIME"), Column::sentence("EVENT")]);
    for event in item.events.iter().take(20) {
        events.row([event.at.0.rfc3339().into(), Cell::new(&event.message)]);
    }
    match item.events.len() {
        0 => lines.push("no events".to_owned()),
        more @ 21.. => {
            lines.extend(printer.set(&events));
            lines.push(format!("{} older: opsdeck events {}/{}", more - 20, summary.cluster, summary.name));
        }
        _ => lines.extend(printer.set(&events)),
    }
    lines
}

fn platform(summary: &services::Item) -> String {
    let shares = summary
        .capacity
        .iter()
        .map(|share| format!("{} (weight {}, base {})", share.provider, share.weight, share.base));
    let mut parts: Vec<String> = summary.launch_type.iter().cloned().chain(shares).collect();
    if let Some(version) = &summary.platform_version {
        parts.push(format!("platform {version}"));
    }
    parts.join(", ")
}

fn deployments(item: &Detail, now: Wall) -> Table {
    let mut table = Table::new(&[
        Column::fixed("DEPLOYMENT"),
        Column::fixed("STATUS"),
        Column::name("REVISION"),
        Column::number("TASKS"),
        Column::number("FAILED"),
        Column::fixed("ROLLOUT"),
        Column::number("AGE"),
        Column::sentence("WHY"),
    ]);
    for deployment in &item.deployments {
        table.row([
            Cell::new(&deployment.id),
            Cell::new(&deployment.status),
            Cell::new(&deployment.task_definition),
            format!("{}/{}", deployment.running, deployment.desired).into(),
            deployment.failed_tasks.to_string().into(),
            Cell::new(deployment.rollout_state.as_deref().unwrap_or("-")),
            deployment.created_at.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into()),
            Cell::new(deployment.rollout_reason.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
