//! `events [NAME]`: service events, newest first. ECS keeps the last 100 of each service.

use crate::cli::census::one_service;
use crate::cli::exit::Exit;
use crate::cli::item::{Time, shape};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::{End, services};
use crate::domain::ecs::Service;

shape! {
    /// A service event.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// The cluster's name.
        cluster: String = "text",
        /// The service's name.
        service: String = "text",
        /// When.
        at: Time = "time",
        /// ECS's sentence.
        message: String = "text",
        /// ECS's id of the event.
        id: String = "text",
    }
}

/// The events of a service as items.
pub fn items(service: &Service) -> impl Iterator<Item = Item> + '_ {
    service.events.iter().map(|event| Item {
        account: service.id.scope.account.to_string(),
        region: service.id.scope.region.to_string(),
        cluster: service.id.cluster.clone(),
        service: service.id.name.clone(),
        at: Time(event.at),
        message: event.message.clone(),
        id: event.id.clone(),
    })
}

/// Performs the verb.
///
/// # Errors
/// When the name or a cluster means nothing, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let services = match request.text("NAME") {
        Some(name) => vec![one_service(session, &mut gather, name, request.all("cluster")).await?],
        None => services::all(session, &mut gather, request.all("cluster")).await?,
    };
    let oldest = request.span("since").map(|since| Time(gather.begun().wall.minus(since)));
    let mut items: Vec<Item> = services.iter().flat_map(items).collect();
    items.retain(|item| oldest.is_none_or(|oldest| item.at >= oldest));
    items.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    Ok(printer.report(&gather.report(items), table)?)
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("TIME"),
        Column::name("CLUSTER"),
        Column::name("SERVICE"),
        Column::sentence("EVENT"),
    ]);
    for item in items {
        table.row([
            item.at.0.rfc3339().into(),
            Cell::new(&item.cluster),
            Cell::new(&item.service),
            Cell::new(&item.message),
        ]);
    }
    printer.set(&table)
}
