//! `deployments NAME`: a service's deployments of the last 90 days, newest first, with what they deployed.

use std::collections::BTreeMap;

use crate::cli::census::one_service;
use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::item::{Time, shape, time};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::cli::verb::clusters::account_id;
use crate::domain::ecs::{RevisionImage, ServiceDeployment, ServiceId, ServiceRevision};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Arn;
use crate::domain::sweep::{Goal, REVISIONS_PER_CALL};
use crate::stdx::clock::Wall;
use crate::stdx::span;

shape! {
    /// A deployment of the last 90 days.
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
        service: String = "text",
        /// The service deployment's id: the last part of its ARN.
        id: String = "text",
        /// The service deployment's ARN.
        arn: String = "text",
        /// `PENDING`, `IN_PROGRESS`, `SUCCESSFUL`, `STOPPED`, `ROLLBACK_SUCCESSFUL`, …
        status: String = "text",
        /// ECS's sentence.
        status_reason: Option<String> = "text or null",
        /// What it deployed, as `family:revision`; null when the service revision is not known.
        task_definition: Option<String> = "text or null",
        /// The images that it deployed; null when the service revision is not known.
        images: Option<Vec<Image>> = "list of Image, or null",
        /// The service revision that it deployed.
        target_revision_arn: Option<String> = "text or null",
        /// The service revisions that it replaced.
        source_revision_arns: Vec<String> = "list of text",
        /// `SCALE_UP`, `BAKE_TIME`, … for staged strategies.
        lifecycle_stage: Option<String> = "text or null",
        /// The circuit breaker's count.
        circuit_breaker: Option<Breaker> = "Breaker or null",
        /// Why it was rolled back.
        rollback_reason: Option<String> = "text or null",
        /// Created.
        created_at: Option<Time> = "time or null",
        /// Started.
        started_at: Option<Time> = "time or null",
        /// Finished.
        finished_at: Option<Time> = "time or null",
    }

    /// The circuit breaker's count during a deployment.
    Breaker {
        /// `DISABLED`, `MONITORING`, `TRIGGERED`, `MONITORING_COMPLETE`.
        status: String = "text",
        /// Failures counted.
        failures: u32 = "integer",
        /// Failures that trip it.
        threshold: u32 = "integer",
    }

    /// The image of one container.
    Image {
        /// The container's name.
        container: String = "text",
        /// The image as the task definition names it.
        image: String = "text",
        /// The digest that its tag meant at deployment.
        digest: Option<String> = "text or null",
    }
}

fn item(service: &ServiceId, found: ServiceDeployment, revision: Option<&ServiceRevision>) -> Item {
    let image = |image: &RevisionImage| Image {
        container: image.container.clone(),
        image: image.image.clone(),
        digest: image.digest.clone(),
    };
    Item {
        account: service.scope.account.to_string(),
        account_id: account_id(&found.arn),
        region: service.scope.region.to_string(),
        cluster: service.cluster.clone(),
        service: service.name.clone(),
        id: Arn::last(&found.arn).to_owned(),
        arn: found.arn,
        status: found.status,
        status_reason: found.status_reason,
        task_definition: revision.map(|revision| revision.revision.to_string()),
        images: revision.map(|revision| revision.images.iter().map(image).collect()),
        target_revision_arn: found.target_revision_arn,
        source_revision_arns: found.source_revision_arns,
        lifecycle_stage: found.lifecycle_stage,
        circuit_breaker: found.breaker.map(|breaker| Breaker {
            status: breaker.status,
            failures: breaker.failures,
            threshold: breaker.threshold,
        }),
        rollback_reason: found.rollback_reason,
        created_at: time(found.created_at),
        started_at: time(found.started_at),
        finished_at: time(found.finished_at),
    }
}

/// Performs the verb.
///
/// # Errors
/// When the name means no single service, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let name = request.text("NAME").unwrap_or_default();
    let service = one_service(session, &mut gather, name, request.all("cluster")).await?.id;
    let goal = Goal::Deployments {
        scope: service.scope.clone(),
        cluster: service.cluster.clone(),
        service: service.name.clone(),
    };
    let mut found: BTreeMap<String, ServiceDeployment> = BTreeMap::new();
    let mut revisions: BTreeMap<String, ServiceRevision> = BTreeMap::new();
    gather
        .run(vec![Work::Sweep(goal)], |query, answer| {
            let Answer::Deployments { found: page, .. } = answer else { return Vec::new() };
            // The list says less of each than the description; it stands when that one fails.
            let brief = matches!(query, Query::ListServiceDeployments { .. });
            for deployment in page {
                if !brief || !found.contains_key(&deployment.arn) {
                    found.insert(deployment.arn.clone(), deployment);
                }
            }
            Vec::new()
        })
        .await;
    let mut targets: Vec<String> = found.values().filter_map(|d| d.target_revision_arn.clone()).collect();
    targets.sort();
    targets.dedup();
    let ask = targets.chunks(REVISIONS_PER_CALL).map(|arns| {
        Work::Ask(Query::DescribeServiceRevisions { scope: service.scope.clone(), arns: arns.to_vec() })
    });
    gather
        .run(ask.collect(), |_, answer| {
            if let Answer::Revisions { found, .. } = answer {
                revisions.extend(found.into_iter().map(|revision| (revision.arn.clone(), revision)));
            }
            Vec::new()
        })
        .await;
    let now = gather.begun().wall;
    let mut items: Vec<Item> = found
        .into_values()
        .map(|deployment| {
            let revision = deployment.target_revision_arn.as_ref().and_then(|arn| revisions.get(arn));
            item(&service, deployment, revision)
        })
        .collect();
    items.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    Ok(printer.report(&gather.report(items), |items, printer| table(items, now, printer))?)
}

fn table(items: &[Item], now: Wall, printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("DEPLOYMENT"),
        Column::fixed("STATUS"),
        Column::name("REVISION"),
        Column::number("AGE"),
        Column::number("TOOK"),
        Column::sentence("WHY"),
    ]);
    for item in items {
        let took = match (item.started_at.or(item.created_at), item.finished_at) {
            (Some(from), Some(to)) => span::precise(from.0.age_at(to.0)),
            _ => "-".to_owned(),
        };
        let why = item.rollback_reason.as_ref().or(item.status_reason.as_ref());
        table.row([
            Cell::new(&item.id),
            Cell::new(&item.status),
            Cell::new(item.task_definition.as_deref().unwrap_or("?")),
            item.created_at.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into()),
            took.into(),
            Cell::new(why.map_or("", String::as_str)),
        ]);
    }
    printer.set(&table)
}
