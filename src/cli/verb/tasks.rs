//! `tasks [NAME]`: tasks with their containers, stopped ones with the reason as long as ECS keeps them.

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
use crate::diagnose::{Severity, task_health};
use crate::domain::query::Answer;
use crate::domain::scope::Scope;
use crate::domain::sweep::Goal;
use crate::domain::task::Task;
use crate::stdx::clock::Wall;
use crate::stdx::span;

shape! {
    /// A task.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// The cluster's name.
        cluster: String = "text",
        /// The service that it belongs to; null when it was started by hand.
        service: Option<String> = "text or null",
        /// The task's id.
        id: String = "text",
        /// The task's ARN.
        arn: String = "text",
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `ok` or `idle`.
        severity: Severity = "text",
        /// Why it is judged so, in one sentence.
        reason: String = "text",
        /// `PROVISIONING`, `PENDING`, `RUNNING`, `STOPPED`, …
        last_status: String = "text",
        /// `RUNNING` or `STOPPED`.
        desired_status: String = "text",
        /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
        health: Option<String> = "text or null",
        /// The task definition as `family:revision`.
        task_definition: String = "text",
        /// The task definition's ARN.
        task_definition_arn: String = "text",
        /// The deployment that started it.
        started_by: Option<String> = "text or null",
        /// CPU units.
        cpu: Option<String> = "text or null",
        /// Memory in MiB.
        memory: Option<String> = "text or null",
        /// `FARGATE`, `EC2`, …
        launch_type: Option<String> = "text or null",
        /// The capacity provider.
        capacity_provider: Option<String> = "text or null",
        /// The availability zone.
        availability_zone: Option<String> = "text or null",
        /// Whether ECS Exec was enabled when it started.
        exec_enabled: bool = "boolean",
        /// Created.
        created_at: Option<Time> = "time or null",
        /// Image pull began.
        pull_started_at: Option<Time> = "time or null",
        /// Image pull ended.
        pull_stopped_at: Option<Time> = "time or null",
        /// RUNNING since.
        started_at: Option<Time> = "time or null",
        /// Told to stop.
        stopping_at: Option<Time> = "time or null",
        /// STOPPED.
        stopped_at: Option<Time> = "time or null",
        /// `EssentialContainerExited`, `TaskFailedToStart`, …
        stop_code: Option<String> = "text or null",
        /// Why it stopped, in ECS's words.
        stopped_reason: Option<String> = "text or null",
        /// Containers.
        containers: Vec<Container> = "list of Container",
        /// Tags.
        tags: Map = "object of text",
    }

    /// A container of a task.
    Container {
        /// Name, as in the task definition.
        name: String = "text",
        /// Image, as the task definition names it.
        image: String = "text",
        /// The digest that runs.
        image_digest: Option<String> = "text or null",
        /// The runtime's id.
        runtime_id: Option<String> = "text or null",
        /// `PENDING`, `RUNNING`, `STOPPED`, …
        last_status: String = "text",
        /// Exit code, once it stopped.
        exit_code: Option<i32> = "integer or null",
        /// Why it stopped, in ECS's words.
        reason: Option<String> = "text or null",
        /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
        health: Option<String> = "text or null",
        /// Private IPv4 address.
        private_ip: Option<String> = "text or null",
        /// State of the ECS Exec agent.
        exec_agent: Option<String> = "text or null",
    }
}

fn item(task: Task, now: Wall) -> Item {
    let health = task_health(&task, now);
    Item {
        account: task.id.scope.account.to_string(),
        account_id: account_id(&task.arn),
        region: task.id.scope.region.to_string(),
        service: task.service().map(str::to_owned),
        cluster: task.id.cluster,
        id: task.id.id,
        arn: task.arn,
        severity: health.severity,
        reason: health.reason,
        last_status: task.last_status,
        desired_status: task.desired_status,
        health: task.health,
        task_definition: task.revision.to_string(),
        task_definition_arn: task.task_definition_arn,
        started_by: task.started_by,
        cpu: task.cpu,
        memory: task.memory,
        launch_type: task.launch_type,
        capacity_provider: task.capacity_provider,
        availability_zone: task.zone,
        exec_enabled: task.exec_enabled,
        created_at: time(task.created_at),
        pull_started_at: time(task.pull_started_at),
        pull_stopped_at: time(task.pull_stopped_at),
        started_at: time(task.started_at),
        stopping_at: time(task.stopping_at),
        stopped_at: time(task.stopped_at),
        stop_code: task.stop_code,
        stopped_reason: task.stopped_reason,
        containers: task.containers.into_iter().map(container).collect(),
        tags: map(&task.tags),
    }
}

fn container(container: crate::domain::task::Container) -> Container {
    Container {
        name: container.name,
        image: container.image,
        image_digest: container.image_digest,
        runtime_id: container.runtime_id,
        last_status: container.last_status,
        exit_code: container.exit_code,
        reason: container.reason,
        health: container.health,
        private_ip: container.private_ip,
        exec_agent: container.exec_agent,
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name or a cluster means nothing, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let states: &[bool] = match request.text("state") {
        Some("running") => &[false],
        Some("stopped") => &[true],
        _ => &[false, true],
    };
    let goals = |scope: &Scope, cluster: &str, service: Option<&str>| {
        let goal = |stopped: &bool| Goal::Tasks {
            scope: scope.clone(),
            cluster: cluster.to_owned(),
            service: service.map(str::to_owned),
            stopped: *stopped,
        };
        states.iter().map(goal).map(Work::Sweep).collect::<Vec<_>>()
    };
    let mut tasks: Vec<Task> = Vec::new();
    let mut take = |answer| {
        if let Answer::Tasks { found, .. } = answer {
            tasks.extend(found);
        }
        Vec::new()
    };
    match request.text("NAME") {
        Some(name) => {
            let service = one_service(session, &mut gather, name, request.all("cluster")).await?.id;
            let work = goals(&service.scope, &service.cluster, Some(&service.name));
            gather.run(work, |_, answer| take(answer)).await;
        }
        None => {
            let work = |scope: &Scope, cluster: String| goals(scope, &cluster, None);
            each_cluster(session, &mut gather, request.all("cluster"), work, |_, answer| take(answer))
                .await?;
        }
    }
    // A task that stops between the two lists is in both.
    tasks.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| b.version.cmp(&a.version)));
    tasks.dedup_by(|a, b| a.id == b.id);
    let now = gather.begun().wall;
    let mut items: Vec<Item> = tasks.into_iter().map(|task| item(task, now)).collect();
    items.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| moments(b).cmp(&moments(a))));
    Ok(printer.report(&gather.report(items), |items, printer| table(items, now, printer))?)
}

/// What lives first, the sick before the healthy, one service's tasks together.
fn rank(item: &Item) -> (bool, Severity, &str, &str, Option<&str>) {
    let gone = item.last_status == "STOPPED";
    (gone, item.severity, &item.region, &item.cluster, item.service.as_deref())
}

fn moments(item: &Item) -> (Option<Time>, Option<Time>, &str) {
    (item.stopped_at, item.started_at, &item.id)
}

fn table(items: &[Item], now: Wall, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("HEALTH"),
        Column::fixed("TASK"),
        Column::name("SERVICE"),
        Column::name("CLUSTER"),
        Column::fixed("REGION"),
        Column::fixed("STATUS"),
        Column::name("REVISION"),
        Column::number("AGE"),
        Column::sentence("WHY"),
    ]);
    for item in items {
        let since = item.stopped_at.or(item.started_at).or(item.created_at);
        table.row([
            health::cell(item.severity, printer),
            Cell::new(&item.id),
            Cell::new(item.service.as_deref().unwrap_or("-")),
            Cell::new(&item.cluster),
            Cell::new(&item.region),
            Cell::new(&item.last_status),
            Cell::new(&item.task_definition),
            since.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into()),
            Cell::new(why(item)),
        ]);
    }
    printer.set(&table)
}

/// ECS's reason and the exit codes that are not 0, or else our own sentence.
fn why(item: &Item) -> String {
    // An emulator sends an empty reason where AWS sends none.
    let Some(reason) = item.stopped_reason.as_ref().filter(|reason| !reason.is_empty()) else {
        return item.reason.clone();
    };
    let exits = item.containers.iter().filter_map(|container| match container.exit_code {
        Some(0) | None => None,
        Some(code) => Some(format!("{} exited {code}", container.name)),
    });
    std::iter::once(reason.clone()).chain(exits).collect::<Vec<_>>().join("; ")
}
