//! `changes`: what changed in a time, newest first: deployments, scaling, secrets, databases, caches, alarms, and
//! the writes that CloudTrail wrote down.

use std::collections::BTreeMap;

use crate::cli::census::each_cluster;
use crate::cli::exit::Exit;
use crate::cli::gather::Work;
use crate::cli::item::{Time, shape};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::domain::alarm::AlarmHistoryItem;
use crate::domain::change::TrailEvent;
use crate::domain::database::DataEvent;
use crate::domain::ecs::Service;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::query::{Answer, Query};
use crate::domain::scaling::ScalingActivity;
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;
use crate::domain::sweep::Goal;
use crate::stdx::clock::Wall;
use crate::stdx::text::count;

shape! {
    /// A change.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// When.
        at: Time = "time",
        /// `deployment`, `scaling`, `secret`, `database`, `cache`, `alarm`, `call`.
        kind: String = "text",
        /// What changed: the resource's name.
        about: String = "text",
        /// What happened, in AWS's words where it has some.
        what: String = "text",
        /// Who, as CloudTrail names them.
        user: Option<String> = "text or null",
        /// The error code of a call that failed.
        error: Option<String> = "text or null",
    }
}

/// Whose writes CloudTrail is asked for. It takes one source a request and allows two requests a second.
const SOURCES: [&str; 6] = [
    "ecs.amazonaws.com",
    "rds.amazonaws.com",
    "elasticache.amazonaws.com",
    "secretsmanager.amazonaws.com",
    "ssm.amazonaws.com",
    "application-autoscaling.amazonaws.com",
];
/// Pages of a source that are read: reads and writes come mixed, and a poller's reads fill pages.
const TRAIL_PAGES: usize = 4;

/// Makes items of one scope.
struct Maker<'a> {
    scope: &'a Scope,
    from: Wall,
}

impl Maker<'_> {
    fn item(&self, at: Option<Wall>, kind: &str, about: &str, what: impl Into<String>) -> Option<Item> {
        let at = at.filter(|at| *at >= self.from)?;
        Some(Item {
            account: self.scope.account.to_string(),
            region: self.scope.region.to_string(),
            at: Time(at),
            kind: kind.to_owned(),
            about: about.to_owned(),
            what: what.into(),
            user: None,
            error: None,
        })
    }

    /// What ECS still lists of a service's deployments; older ones are among CloudTrail's calls.
    fn deployments(&self, service: &Service) -> Vec<Item> {
        let about = format!("{}/{}", service.id.cluster, service.id.name);
        let one = |deployment: &crate::domain::ecs::Deployment| {
            let state = deployment.rollout_state.as_deref().unwrap_or(&deployment.status);
            let what = format!("deployment of {}: {state}", deployment.revision);
            self.item(deployment.created_at, "deployment", &about, what)
        };
        service.deployments.iter().filter_map(one).collect()
    }

    fn scaling(&self, activity: &ScalingActivity) -> Option<Item> {
        let about = activity.resource.strip_prefix("service/").unwrap_or(&activity.resource);
        let what = match &activity.message {
            Some(message) => format!("{} {message}", activity.description),
            None => format!("{} ({})", activity.description, activity.status),
        };
        self.item(activity.started_at, "scaling", about, what)
    }

    fn secret(&self, secret: &Secret) -> Vec<Item> {
        let name = &secret.id.name;
        let told = |at, what: &str| self.item(at, "secret", name, what);
        let rotated = secret.last_rotated.is_some() && secret.last_rotated == secret.last_changed;
        [
            told(secret.created_at, "created"),
            told(secret.last_rotated, "rotated"),
            told(secret.last_changed.filter(|at| !rotated && Some(*at) != secret.created_at), "changed"),
            told(secret.deleted_at, "scheduled for deletion"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn data(&self, kind: &str, event: &DataEvent) -> Option<Item> {
        self.item(Some(event.at), kind, &event.source, &event.message)
    }

    fn alarm(&self, item: &AlarmHistoryItem) -> Option<Item> {
        let what = match &item.states {
            Some((before, after)) => format!("{before} → {after}"),
            None => item.summary.clone(),
        };
        self.item(Some(item.at), "alarm", &item.alarm, what)
    }

    /// Only writes: whoever looked changed nothing.
    fn call(&self, event: &TrailEvent) -> Option<Item> {
        if event.read_only {
            return None;
        }
        let named = |key: &str| {
            event.parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
        };
        // CloudTrail often names no resource for ECS: the request does.
        let keys =
            ["service", "serviceName", "secretId", "dBInstanceIdentifier", "family", "name", "resourceId"];
        let resource = event.resources.iter().map(|(_, name)| name.as_str()).find(|name| !name.is_empty());
        let about = keys.into_iter().find_map(named).or(resource).unwrap_or(&event.source);
        let mut item = self.item(Some(event.at), "call", about, &event.name)?;
        item.user = event.user.clone();
        item.error = event.error.clone();
        Some(item)
    }
}

/// The requests of a kind in a scope, but for deployments, which are found through clusters.
fn work(kind: &str, scope: &Scope, from: Wall) -> Vec<Work> {
    let scope = scope.clone();
    let pages = |query: Query| vec![Work::Sweep(Goal::Pages(Box::new(query)))];
    match kind {
        "scaling" => vec![Work::Ask(Query::DescribeScalingActivities { scope, resource: None, page: None })],
        "secret" => pages(Query::ListSecrets { scope, page: None }),
        "database" => pages(Query::DescribeDbEvents { scope, from, page: None }),
        "cache" => pages(Query::DescribeCacheEvents { scope, from, page: None }),
        "alarm" => pages(Query::DescribeAlarmHistory { scope, alarm: None, from, page: None }),
        "call" => SOURCES
            .iter()
            .map(|source| {
                let source = (*source).to_owned();
                Work::Ask(Query::LookupEvents { scope: scope.clone(), source, from, page: None })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// What is read of lists that would go back for ever.
#[derive(Default)]
struct Pages {
    read: BTreeMap<(Scope, String), usize>,
    cut: Vec<(Scope, String)>,
}

impl Pages {
    /// The next page of CloudTrail's list, unless enough was read.
    fn of_trail(&mut self, query: &Query, answer: &Answer) -> Vec<Work> {
        let (Query::LookupEvents { scope, source, .. }, Some(token)) = (query, answer.next()) else {
            return Vec::new();
        };
        let key = (scope.clone(), source.clone());
        let read = self.read.entry(key.clone()).or_default();
        *read += 1;
        if *read >= TRAIL_PAGES {
            self.cut.push(key);
            return Vec::new();
        }
        query.turned_to(token.clone()).map(Work::Ask).into_iter().collect()
    }

    /// The next page of scaling activities, while they are young enough.
    fn of_scaling(query: &Query, answer: &Answer, from: Wall) -> Vec<Work> {
        let (Answer::ScalingActivities { found, .. }, Some(token)) = (answer, answer.next()) else {
            return Vec::new();
        };
        let young = found.last().is_some_and(|last| last.started_at.is_some_and(|at| at >= from));
        query.turned_to(token.clone()).filter(|_| young).map(Work::Ask).into_iter().collect()
    }
}

/// Performs the verb.
///
/// # Errors
/// When stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let from = gather.begun().wall.minus(request.span("since").unwrap_or_default());
    let kinds = request.all("kind");
    let wanted = |kind: &str| kinds.is_empty() || kinds.iter().any(|own| own == kind);
    let mut items: Vec<Item> = Vec::new();
    let mut pages = Pages::default();
    let start = session.scopes.iter().flat_map(|scope| {
        ["scaling", "secret", "database", "cache", "alarm", "call"]
            .into_iter()
            .filter(|kind| wanted(kind))
            .flat_map(move |kind| work(kind, scope, from))
    });
    let start: Vec<Work> = start.collect();
    gather
        .run(start, |query, answer| {
            let maker = Maker { scope: query.scope(), from };
            match &answer {
                Answer::ScalingActivities { found, .. } => {
                    items.extend(found.iter().filter_map(|activity| maker.scaling(activity)));
                    Pages::of_scaling(query, &answer, from)
                }
                Answer::TrailEvents { found, .. } => {
                    items.extend(found.iter().filter_map(|event| maker.call(event)));
                    pages.of_trail(query, &answer)
                }
                Answer::Secrets { found, .. } => {
                    items.extend(found.iter().flat_map(|secret| maker.secret(secret)));
                    Vec::new()
                }
                Answer::DataEvents { found, .. } => {
                    let is_cache = matches!(query, Query::DescribeCacheEvents { .. });
                    let kind = if is_cache { "cache" } else { "database" };
                    items.extend(found.iter().filter_map(|event| maker.data(kind, event)));
                    Vec::new()
                }
                Answer::AlarmHistory { items: history, .. } => {
                    items.extend(history.iter().filter_map(|item| maker.alarm(item)));
                    Vec::new()
                }
                _ => Vec::new(),
            }
        })
        .await;
    if wanted("deployment") {
        let goal = |scope: &Scope, cluster: String| {
            vec![Work::Sweep(Goal::Services { scope: scope.clone(), cluster })]
        };
        each_cluster(session, &mut gather, &[], goal, |query, answer| {
            if let Answer::Services { found, .. } = answer {
                let maker = Maker { scope: query.scope(), from };
                items.extend(found.iter().flat_map(|service| maker.deployments(service)));
            }
            Vec::new()
        })
        .await?;
    }
    for (scope, source) in pages.cut {
        let message = format!(
            "only the newest {} of {source} were read: older calls are left out",
            count(TRAIL_PAGES * 50, "event")
        );
        let fault = Fault::new(FaultKind::Throttled, message).action("cloudtrail:LookupEvents");
        gather.missing(&scope, &fault.hint("--since 10m, or --kind without `call`"));
    }
    if let Some(about) = request.text("about") {
        items.retain(|item| item.about.contains(about));
    }
    items.sort_by(|a, b| (b.at, &a.kind, &a.about, &a.what).cmp(&(a.at, &b.kind, &b.about, &b.what)));
    Ok(printer.report(&gather.report(items), table)?)
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let mut table = Table::new(&[
        Column::fixed("TIME"),
        Column::fixed("REGION"),
        Column::fixed("KIND"),
        Column::name("ABOUT"),
        Column::sentence("WHAT"),
        Column::name("WHO"),
    ]);
    for item in items {
        let what = match &item.error {
            Some(error) => format!("{} failed: {error}", item.what),
            None => item.what.clone(),
        };
        table.row([
            item.at.0.rfc3339().into(),
            Cell::new(&item.region),
            Cell::new(&item.kind),
            Cell::new(&item.about),
            what.into(),
            Cell::new(item.user.as_deref().unwrap_or("")),
        ]);
    }
    printer.set(&table)
}
