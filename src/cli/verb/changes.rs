//! `changes`: what changed in a time, newest first: deployments, registrations, scaling, secrets, databases, caches,
//! alarms, and the writes that CloudTrail wrote down, each told once.
//!
//! Must not decide what two tellings of one change are; `diagnose::change` does.

mod ask;

use crate::cli::exit::Exit;
use crate::cli::item::{Shape, Shaped, Time, shape};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::verb::End;
use crate::diagnose::Subject;
use crate::diagnose::change::{Change, ChangeKind, ChangeSource, timeline};

use ask::Wanted;

shape! {
    /// A change. Read are, as far back as `--since` says: what every service tells of its own deployments, with the
    /// deployment history of 90 days (of at most 200 services of a region that show nothing new themselves; further
    /// ones are in `failures`) and the task definitions that they deployed; Application Auto Scaling's activities;
    /// when secrets and parameters changed; RDS's and ElastiCache's events; the history of alarms; and CloudTrail's
    /// newest 500 writes of a region. What AWS does not keep so long is in `failures`.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// When.
        at: Time = "time",
        /// `deployment`, `registration`, `scaling`, `secret`, `database`, `cache`, `alarm`, `other`.
        kind: ChangeKind = "text",
        /// What changed: the resource's name.
        name: String = "text",
        /// For services: the cluster's name.
        cluster: Option<String> = "text or null",
        /// What happened, in one sentence.
        sentence: String = "text",
        /// Who did it, where that is known: mostly from CloudTrail, which is up to 15 minutes late.
        who: Option<String> = "text or null",
        /// Who told: `ecs`, `auto_scaling`, `secrets`, `rds`, `elasti_cache`, `cloud_watch`, `cloud_trail`.
        source: ChangeSource = "text",
        /// Whether CloudTrail told of it too.
        confirmed: bool = "boolean",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE]
}

impl From<Change> for Item {
    fn from(change: Change) -> Self {
        let cluster = match &change.subject {
            Some(Subject::Service(id)) => Some(id.cluster.clone()),
            _ => None,
        };
        Self {
            account: change.scope.account.to_string(),
            region: change.scope.region.to_string(),
            at: Time(change.at),
            kind: change.kind,
            name: change.name,
            cluster,
            sentence: change.sentence,
            who: change.who,
            source: change.source,
            confirmed: change.confirmed,
        }
    }
}

/// Performs the verb.
///
/// # Errors
/// When stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let since = request.span("since").unwrap_or_default();
    let from = gather.begun().wall.minus(since);
    let words = request.all("kind");
    let kinds: Vec<ChangeKind> =
        ChangeKind::ALL.iter().copied().filter(|kind| words.iter().any(|word| word == kind.word())).collect();
    let about = request.text("about").map(str::to_lowercase);
    let wanted = Wanted { since, kinds: &kinds, about: about.as_deref() };
    let found = ask::everything(session, &mut gather, &wanted).await?;
    let mut items: Vec<Item> = timeline(found, from).into_iter().map(Item::from).collect();
    items.retain(|item| wanted.has(item.kind) && wanted.names(item.cluster.as_deref(), &item.name));
    let answered = gather.answered();
    let mut report = gather.report(items);
    // That nothing changed in some of it was found out as well.
    report.printed += usize::from(answered > 0 && !report.is_complete());
    Ok(printer.report(&report, table)?)
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    // On a terminal who did it stands in the sentence, which is never cut.
    let beside = printer.room.is_none();
    let who = beside.then(|| Column::name("WHO"));
    let columns: Vec<Column> = [
        Column::fixed("TIME"),
        Column::fixed("REGION").lesser(1),
        Column::fixed("KIND"),
        Column::name("NAME"),
    ]
    .into_iter()
    .chain(who)
    .chain([Column::sentence("WHAT")])
    .collect();
    let mut table = Table::new(&columns).spilling();
    for item in items {
        let mut row = vec![
            item.at.0.rfc3339().into(),
            Cell::new(&item.region),
            Cell::new(item.kind.word()),
            Cell::new(&item.name),
        ];
        match &item.who {
            who if beside => {
                row.extend([Cell::new(who.as_deref().unwrap_or("")), Cell::new(&item.sentence)]);
            }
            Some(who) => row.push(format!("{} (by {who})", item.sentence).into()),
            None => row.push(Cell::new(&item.sentence)),
        }
        table.row(row);
    }
    printer.set(&table)
}
