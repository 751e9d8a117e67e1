//! `task-definition NAME`: what a service's tasks are made of, or any revision by FAMILY:REVISION.
//!
//! Values of `environment` often hold secrets and are masked unless `--reveal` is given.

use crate::cli::census::one_service;
use crate::cli::exit::{Exit, Problem};
use crate::cli::gather::{Gather, Work};
use crate::cli::item::{Map, Shape, Shaped, Time, map, shape, time};
use crate::cli::name::names_a_task_definition;
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table, Tone};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::domain::task_definition::{ContainerDefinition, TaskDefinition};

/// What stands for a masked value.
const MASK: &str = "********";

shape! {
    /// A task definition.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// The task definition's ARN.
        arn: String = "text",
        /// The family.
        family: String = "text",
        /// The revision.
        revision: u32 = "integer",
        /// `ACTIVE`, `INACTIVE`, `DELETE_IN_PROGRESS`.
        status: String = "text",
        /// CPU units of the task.
        cpu: Option<String> = "text or null",
        /// Memory of the task in MiB.
        memory: Option<String> = "text or null",
        /// `awsvpc`, `bridge`, …
        network_mode: Option<String> = "text or null",
        /// What the application may do.
        task_role_arn: Option<String> = "text or null",
        /// What ECS may do to start the task.
        execution_role_arn: Option<String> = "text or null",
        /// `X86_64`, `ARM64`.
        cpu_architecture: Option<String> = "text or null",
        /// `LINUX`, …
        operating_system: Option<String> = "text or null",
        /// `FARGATE`, `EC2`.
        requires: Vec<String> = "list of text",
        /// Volumes.
        volumes: Vec<String> = "list of text",
        /// Containers.
        containers: Vec<Container> = "list of Container",
        /// Registered.
        registered_at: Option<Time> = "time or null",
        /// The principal that registered it.
        registered_by: Option<String> = "text or null",
        /// Tags.
        tags: Map = "object of text",
    }

    /// A container definition.
    Container {
        /// Name.
        name: String = "text",
        /// Image.
        image: String = "text",
        /// CPU units; 0 when unset.
        cpu: u32 = "integer",
        /// Hard limit in MiB.
        memory: Option<u32> = "integer or null",
        /// Soft limit in MiB.
        memory_reservation: Option<u32> = "integer or null",
        /// Whether the task stops with it.
        essential: bool = "boolean",
        /// Ports.
        ports: Vec<Port> = "list of Port",
        /// Entry point.
        entry_point: Vec<String> = "list of text",
        /// Command.
        command: Vec<String> = "list of text",
        /// Environment variables; values are `********` without `--reveal`.
        environment: Map = "object of text",
        /// Secrets by reference: variable → ARN or parameter name.
        secrets: Map = "object of text",
        /// The user that it runs as.
        user: Option<String> = "text or null",
        /// Whether the root file system is read-only.
        read_only_root: bool = "boolean",
        /// Whether it runs privileged.
        privileged: bool = "boolean",
        /// Health check.
        health_check: Option<HealthCheck> = "HealthCheck or null",
        /// The log driver.
        log_driver: Option<String> = "text or null",
        /// The log driver's options.
        log_options: Map = "object of text",
        /// Containers that it waits for, with the condition.
        depends_on: Map = "object of text",
        /// Seconds between SIGTERM and SIGKILL.
        stop_timeout_s: Option<u32> = "integer or null",
        /// Limits of the process.
        ulimits: Vec<Ulimit> = "list of Ulimit",
    }

    /// A port of a container.
    Port {
        /// Container port; null when a range is given.
        container_port: Option<u16> = "integer or null",
        /// A range such as `8000-8010`.
        range: Option<String> = "text or null",
        /// `tcp` or `udp`.
        protocol: String = "text",
        /// Its name for Service Connect.
        name: Option<String> = "text or null",
    }

    /// A container's health check.
    HealthCheck {
        /// The command, as ECS has it.
        command: Vec<String> = "list of text",
        /// Seconds between checks.
        interval_s: Option<u32> = "integer or null",
        /// Seconds until a check counts as failed.
        timeout_s: Option<u32> = "integer or null",
        /// Failures until UNHEALTHY.
        retries: Option<u32> = "integer or null",
        /// Grace seconds after start.
        start_period_s: Option<u32> = "integer or null",
    }

    /// A limit of a container's processes.
    Ulimit {
        /// Name.
        name: String = "text",
        /// Soft limit.
        soft: i64 = "integer",
        /// Hard limit.
        hard: i64 = "integer",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE, Container::SHAPE, Port::SHAPE, HealthCheck::SHAPE, Ulimit::SHAPE]
}

fn item(scope: &Scope, definition: TaskDefinition, reveal: bool) -> Item {
    Item {
        account: scope.account.to_string(),
        account_id: account_id(&definition.arn),
        region: scope.region.to_string(),
        arn: definition.arn,
        family: definition.revision.family,
        revision: definition.revision.number,
        status: definition.status,
        cpu: definition.cpu,
        memory: definition.memory,
        network_mode: definition.network_mode,
        task_role_arn: definition.task_role_arn,
        execution_role_arn: definition.execution_role_arn,
        cpu_architecture: definition.cpu_architecture,
        operating_system: definition.operating_system,
        requires: definition.requires,
        volumes: definition.volumes,
        containers: definition.containers.into_iter().map(|c| container(c, reveal)).collect(),
        registered_at: time(definition.registered_at),
        registered_by: definition.registered_by,
        tags: map(&definition.tags),
    }
}

fn container(container: ContainerDefinition, reveal: bool) -> Container {
    let shown = |value: String| if reveal { value } else { MASK.to_owned() };
    let (log_driver, log_options) =
        container.log.map_or((None, Map::new()), |log| (Some(log.driver), map(&log.options)));
    Container {
        name: container.name,
        image: container.image,
        cpu: container.cpu,
        memory: container.memory,
        memory_reservation: container.memory_reservation,
        essential: container.essential,
        ports: container
            .ports
            .into_iter()
            .map(|port| Port {
                container_port: port.container_port,
                range: port.range,
                protocol: port.protocol,
                name: port.name,
            })
            .collect(),
        entry_point: container.entry_point,
        command: container.command,
        environment: container.environment.into_iter().map(|(name, value)| (name, shown(value))).collect(),
        secrets: container.secrets.into_iter().map(|secret| (secret.name, secret.value_from)).collect(),
        user: container.user,
        read_only_root: container.read_only_root,
        privileged: container.privileged,
        health_check: container.health_check.map(|check| HealthCheck {
            command: check.command,
            interval_s: check.interval_s,
            timeout_s: check.timeout_s,
            retries: check.retries,
            start_period_s: check.start_period_s,
        }),
        log_driver,
        log_options,
        depends_on: container.depends_on.into_iter().collect(),
        stop_timeout_s: container.stop_timeout_s,
        ulimits: container
            .ulimits
            .into_iter()
            .map(|(name, soft, hard)| Ulimit { name, soft, hard })
            .collect(),
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means no task definition, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let name = request.text("NAME").unwrap_or_default();
    let reveal = request.is_on("reveal");
    let by_name = names_a_task_definition(name);
    let work: Vec<Work> = if by_name {
        // A family may exist in one region and not in another.
        session.scopes.iter().map(|scope| Work::Probe(question(scope, name))).collect()
    } else {
        let service = one_service(session, &mut gather, name, request.all("cluster")).await?;
        vec![Work::Ask(question(&service.id.scope, &service.task_definition_arn))]
    };
    let mut items = Vec::new();
    gather
        .run(work, |query, answer| {
            if let Answer::TaskDefinition(definition) = answer {
                items.push(item(query.scope(), *definition, reveal));
            }
            Vec::new()
        })
        .await;
    check(name, by_name, &items, &gather)?;
    Ok(printer.report(&gather.report(items), |items, printer| {
        items.iter().flat_map(|item| sheet(item, printer)).collect()
    })?)
}

fn question(scope: &Scope, arn: &str) -> Query {
    Query::DescribeTaskDefinition { scope: scope.clone(), arn: arn.to_owned() }
}

fn check(name: &str, by_name: bool, items: &[Item], gather: &Gather) -> Result<(), Problem> {
    match items {
        [] if by_name && gather.is_complete() => {
            Err(Problem::new(Exit::NotFound, format!("there is no task definition `{name}`"))
                .hint("opsdeck services shows which revision each service runs"))
        }
        [_, _, ..] => Err(Problem::usage(format!("`{name}` is ambiguous: it exists in several regions"))
            .details(items.iter().map(|item| format!("{}  {}", item.region, item.arn)))
            .hint("say which with --region, or give the ARN")),
        _ => Ok(()),
    }
}

fn sheet(item: &Item, printer: &Printer) -> Vec<String> {
    let unset = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut lines = vec![printer.paint(Tone::Title, &format!("{}:{}", item.family, item.revision))];
    lines.extend(facts(
        printer,
        &[
            ("status", item.status.clone()),
            ("where", format!("{} {}", item.account_id, item.region)),
            ("size", format!("{} CPU units, {} MiB", unset(&item.cpu), unset(&item.memory))),
            ("network", unset(&item.network_mode)),
            ("task role", unset(&item.task_role_arn)),
            ("execution role", unset(&item.execution_role_arn)),
            ("registered", item.registered_at.map_or_else(|| "-".to_owned(), |at| at.0.rfc3339())),
        ],
    ));
    for container in &item.containers {
        lines.push(String::new());
        lines.push(printer.paint(Tone::Title, &container.name));
        lines.extend(facts(printer, &container_facts(container)));
    }
    lines
}

fn container_facts(container: &Container) -> Vec<(&'static str, String)> {
    let mut facts = vec![("image", container.image.clone())];
    let limit = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |mib| format!("{mib} MiB"));
    facts.push((
        "limits",
        format!(
            "{} CPU units, {} hard, {} soft",
            container.cpu,
            limit(container.memory),
            limit(container.memory_reservation)
        ),
    ));
    facts.push((
        "runs as",
        format!(
            "{}, {} root{}{}",
            container.user.as_deref().unwrap_or("the image's user"),
            if container.read_only_root { "read-only" } else { "writable" },
            if container.privileged { ", privileged" } else { "" },
            if container.essential { ", essential" } else { "" }
        ),
    ));
    for port in &container.ports {
        let number = port.container_port.map(|port| port.to_string()).or_else(|| port.range.clone());
        facts.push(("port", format!("{}/{}", number.unwrap_or_default(), port.protocol)));
    }
    if !container.entry_point.is_empty() {
        facts.push(("entry point", container.entry_point.join(" ")));
    }
    if !container.command.is_empty() {
        facts.push(("command", container.command.join(" ")));
    }
    match &container.health_check {
        Some(check) => facts.push(("health check", check.command.join(" "))),
        None => facts.push(("health check", "none".to_owned())),
    }
    let options = container.log_options.iter().map(|(name, value)| format!("{name}={value}"));
    let log = container.log_driver.clone().into_iter().chain(options).collect::<Vec<_>>().join(" ");
    facts.push(("log", if log.is_empty() { "none".to_owned() } else { log }));
    facts.extend(container.depends_on.iter().map(|(name, on)| ("waits for", format!("{name} {on}"))));
    facts
        .extend(container.environment.iter().map(|(name, value)| ("environment", format!("{name}={value}"))));
    facts.extend(container.secrets.iter().map(|(name, from)| ("secret", format!("{name} from {from}"))));
    facts
}

/// Names and values without titles.
fn facts(printer: &Printer, facts: &[(&str, String)]) -> Vec<String> {
    let mut table = Table::new(&[Column::fixed(""), Column::sentence("")]);
    for (name, value) in facts {
        table.row([Cell::new(format!("  {name}")).tone(Tone::Quiet), Cell::new(value)]);
    }
    printer.set(&table).into_iter().skip(1).collect()
}
