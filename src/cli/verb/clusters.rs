//! `clusters`: all clusters with their counts.

use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::item::{Map, map, shape};
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table};
use crate::cli::verb::End;
use crate::domain::ecs::Cluster;
use crate::domain::query::Answer;
use crate::domain::scope::Arn;
use crate::domain::sweep::Goal;

shape! {
    /// A cluster.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The twelve-digit account id, from the ARN.
        account_id: String = "text",
        /// The region.
        region: String = "text",
        /// The cluster's name.
        name: String = "text",
        /// The cluster's ARN.
        arn: String = "text",
        /// `ACTIVE`, `PROVISIONING`, `FAILED`, `INACTIVE`, …
        status: String = "text",
        /// Services in state ACTIVE.
        active_services: u32 = "integer",
        /// Tasks in state RUNNING.
        running_tasks: u32 = "integer",
        /// Tasks in state PENDING.
        pending_tasks: u32 = "integer",
        /// Container instances; 0 on Fargate.
        container_instances: u32 = "integer",
        /// Capacity providers.
        capacity_providers: Vec<String> = "list of text",
        /// Settings such as `containerInsights`.
        settings: Map = "object of text",
        /// The log group of ECS Exec sessions, when the cluster overrides it.
        exec_log_group: Option<String> = "text or null",
        /// Tags.
        tags: Map = "object of text",
    }
}

impl From<Cluster> for Item {
    fn from(cluster: Cluster) -> Self {
        Self {
            account: cluster.id.scope.account.to_string(),
            account_id: account_id(&cluster.arn),
            region: cluster.id.scope.region.to_string(),
            name: cluster.id.name,
            arn: cluster.arn,
            status: cluster.status,
            active_services: cluster.active_services,
            running_tasks: cluster.running_tasks,
            pending_tasks: cluster.pending_tasks,
            container_instances: cluster.container_instances,
            capacity_providers: cluster.capacity_providers,
            settings: map(&cluster.settings),
            exec_log_group: cluster.exec_log_group,
            tags: map(&cluster.tags),
        }
    }
}

/// The account id of an ARN; empty when it is none.
#[must_use]
pub fn account_id(arn: &str) -> String {
    Arn::parse(arn).map(|arn| arn.account.to_owned()).unwrap_or_default()
}

/// Performs the verb.
///
/// # Errors
/// When stdout cannot be written to.
pub async fn run(session: &Session, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let mut items: Vec<Item> = Vec::new();
    let goals = session.scopes.iter().map(|scope| Work::Sweep(Goal::Clusters { scope: scope.clone() }));
    gather
        .run(goals.collect(), |_, answer| {
            if let Answer::Clusters { found, .. } = answer {
                items.extend(found.into_iter().map(Item::from));
            }
            Vec::new()
        })
        .await;
    items.sort_by(|a, b| (&a.account, &a.region, &a.name).cmp(&(&b.account, &b.region, &b.name)));
    Ok(printer.report(&gather.report(items), table)?)
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::name("CLUSTER"),
        Column::fixed("REGION"),
        Column::fixed("STATUS"),
        Column::number("SERVICES"),
        Column::number("RUNNING"),
        Column::number("PENDING"),
        Column::number("INSTANCES"),
    ]);
    for item in items {
        let counts = [item.active_services, item.running_tasks, item.pending_tasks, item.container_instances];
        let texts = [&item.name, &item.region, &item.status].map(Into::into);
        table.row(texts.into_iter().chain(counts.map(|count| count.to_string().into())));
    }
    printer.set(&table)
}
