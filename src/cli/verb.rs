//! The headless verbs, one file each: what it asks, what its items are, how they look as a table.
//!
//! Must not print by itself nor know the SDK.

pub mod alarms;
pub mod cache;
pub mod change;
pub mod changes;
pub mod check;
pub mod clusters;
pub mod deployments;
pub mod events;
pub mod fleet;
pub mod journal;
pub mod logs;
pub mod metrics;
pub mod rds;
pub mod secrets;
pub mod service;
pub mod services;
pub mod task_definition;
pub mod tasks;
pub mod whoami;

use std::io;

use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::item::{Shape, Shaped};
use crate::cli::operate;
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::command::{Id, Risk};

/// Why a verb ended early.
#[derive(Debug)]
pub enum End {
    /// Something to tell.
    Problem(Problem),
    /// Stdout cannot be written to.
    Output(io::Error),
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Performs a verb that asks AWS.
///
/// # Errors
/// When it cannot be done at all; what is merely missing is in the report.
pub async fn run(request: &Request, environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    let session = Session::open(request, environment).await?;
    match request.id {
        Id::Whoami => whoami::run(&session, printer).await,
        Id::Clusters => clusters::run(&session, printer).await,
        Id::Services => services::run(&session, request, printer).await,
        Id::Service => service::run(&session, request, printer).await,
        Id::Tasks => tasks::run(&session, request, printer).await,
        Id::Events => events::run(&session, request, printer).await,
        Id::Logs => logs::run(&session, request, printer).await,
        Id::TaskDefinition => task_definition::run(&session, request, printer).await,
        Id::Deployments => deployments::run(&session, request, printer).await,
        Id::Alarms => alarms::run(&session, request, printer).await,
        Id::Metrics => metrics::run(&session, request, printer).await,
        Id::Rds => rds::run(&session, request, printer).await,
        Id::Cache => cache::run(&session, request, printer).await,
        Id::Secrets => secrets::run(&session, request, printer).await,
        Id::Changes => changes::run(&session, request, printer).await,
        Id::Fleet => fleet::run(&session, request, printer).await,
        Id::Check => check::run(&session, request, printer).await,
        Id::Watch => change::run(&session, request, environment, printer).await,
        id if id.command().risk == Risk::Write => change::run(&session, request, environment, printer).await,
        id => Err(Problem::usage(format!("`{}` is not a verb of the command line", id.name())).into()),
    }
}

/// The documentation of all that the verbs print: verb, then the shapes, the item itself first.
#[must_use]
pub fn shapes() -> Vec<(Id, Vec<Shape>)> {
    vec![
        (Id::Whoami, vec![whoami::Identity::SHAPE]),
        (Id::Clusters, vec![clusters::Item::SHAPE]),
        (Id::Services, vec![services::Item::SHAPE, services::Capacity::SHAPE]),
        (Id::Service, service::shapes()),
        (Id::Tasks, vec![tasks::Item::SHAPE, tasks::Container::SHAPE]),
        (Id::Events, vec![events::Item::SHAPE]),
        (Id::Logs, vec![logs::Item::SHAPE]),
        (Id::TaskDefinition, task_definition::shapes()),
        (
            Id::Deployments,
            vec![deployments::Item::SHAPE, deployments::Breaker::SHAPE, deployments::Image::SHAPE],
        ),
        (Id::Alarms, alarms::shapes()),
        (Id::Metrics, metrics::shapes()),
        (Id::Rds, rds::shapes()),
        (Id::Cache, cache::shapes()),
        (Id::Secrets, secrets::shapes()),
        (Id::Changes, changes::shapes()),
        (Id::Fleet, fleet::shapes()),
        (Id::Check, check::shapes()),
        (Id::Deploy, operate::shapes()),
        (Id::Journal, journal::shapes()),
    ]
}
