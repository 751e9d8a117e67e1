//! `journal`, `incident open` and `incident close`: what was changed from this machine, by whom, why, how it ended.
//!
//! Asks AWS nothing. Must not claim more of the chain than it shows.

use std::time::Duration;

use crate::cli::envelope::Report;
use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::item::{Shape, Shaped, Time, shape};
use crate::cli::operate;
use crate::cli::parser::Request;
use crate::cli::printer::{Form, Printer};
use crate::cli::table::{Cell, Column, Table, Tone};
use crate::cli::verb::End;
use crate::journal::{
    CANNOT_DETECT, Entry, Event, IncidentMark, Intent, intents, markdown, open_incident, unfinished, words,
};
use crate::stdx::clock::Clock;

shape! {
    /// An entry of the journal.
    Item {
        /// When it was written.
        at: Time = "time",
        /// Joins the entries of one operation.
        operation: String = "text",
        /// The incident during which it was written.
        incident: Option<String> = "text or null",
        /// Who: the user on this machine, or the caller's session.
        who: String = "text",
        /// The caller's ARN, from STS.
        caller_arn: Option<String> = "text or null",
        /// The machine.
        host: Option<String> = "text or null",
        /// Where the SSH session came from.
        ssh_client: Option<String> = "text or null",
        /// `intent`, `acknowledged`, `outcome`, `incident_opened`, `incident_closed`.
        kind: &'static str = "text",
        /// The verb: `deploy`, `rollback`; of an intent.
        verb: Option<String> = "text or null",
        /// The target.
        target: Option<String> = "text or null",
        /// The entry in a sentence.
        what: String = "text",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE]
}

/// Performs `journal`.
///
/// # Errors
/// When the journal cannot be read, or stdout cannot be written to.
pub fn run(request: &Request, environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    let mut clerk = operate::clerk(environment, false);
    let path = clerk.path().map(|path| path.display().to_string());
    let path = path.ok_or_else(|| {
        Problem::new(Exit::Other, "there is no place for a journal").hint("set HOME or XDG_STATE_HOME")
    })?;
    let read = clerk.read().map_err(|why| Problem::new(Exit::Other, why))?;
    if request.is_on("verify") {
        return verify(&read, &path, printer);
    }
    let now = Clock::system().now().wall;
    let since = request.span("since").map(|span: Duration| now.minus(span));
    let incident = request.text("incident");
    let entries: Vec<Entry> = read
        .entries
        .iter()
        .filter(|entry| since.is_none_or(|since| entry.at >= since))
        .filter(|entry| incident.is_none_or(|wanted| belongs(entry, wanted)))
        .cloned()
        .collect();
    if request.text("export") == Some("markdown") {
        let title = title(&entries, incident);
        printer.bytes(markdown(&title, &entries, &read.head).as_bytes())?;
        return Ok(end(&read, printer));
    }
    let intents = intents(&read.entries);
    let items =
        entries.iter().map(|entry| item(entry, intents.get(entry.operation.as_str()).copied())).collect();
    let report = Report {
        as_of: Time(now),
        scopes: Vec::new(),
        failures: Vec::new(),
        remarks: Vec::new(),
        items,
        printed: 0,
    };
    printer.report(&report, table)?;
    if printer.form == Form::Table {
        for open in unfinished(&entries) {
            let target =
                intents.get(open.intent.operation.as_str()).map_or("", |intent| intent.target.as_str());
            printer.remark(&format!("{target}: {} (operation {})", open.words(), open.intent.operation));
        }
    }
    Ok(end(&read, printer))
}

fn belongs(entry: &Entry, wanted: &str) -> bool {
    let marks = match &entry.event {
        Event::IncidentOpened(mark) | Event::IncidentClosed(mark) => mark.id == wanted,
        _ => false,
    };
    marks || entry.incident.as_deref() == Some(wanted)
}

fn title(entries: &[Entry], incident: Option<&str>) -> String {
    let opened = entries.iter().find_map(|entry| match &entry.event {
        Event::IncidentOpened(mark) if incident == Some(mark.id.as_str()) => Some(mark),
        _ => None,
    });
    match (opened, incident) {
        (Some(mark), _) => format!("Incident {}: {}", mark.id, mark.title),
        (None, Some(id)) => format!("Incident {id}"),
        (None, None) => "Changes made with opsdeck".to_owned(),
    }
}

/// What is wrong with the journal is said whatever was asked.
fn end(read: &crate::journal::Report, printer: &mut Printer) -> Exit {
    match &read.broken {
        Some(broken) => {
            printer.remark(&format!("the journal does not hold: {broken}; what follows was not read"));
            Exit::Other
        }
        None => Exit::Done,
    }
}

fn verify(read: &crate::journal::Report, path: &str, printer: &mut Printer) -> Result<Exit, End> {
    printer.line(&format!("{path}: {} entries hold", read.entries.len()))?;
    for line in &read.torn {
        printer.line(&format!("line {line} was torn by a crash{}", sealed(read, *line)))?;
    }
    for open in unfinished(&read.entries) {
        printer.line(&format!("operation {} has no outcome: {}", open.intent.operation, open.words()))?;
    }
    printer.line(&format!("head {}", read.head))?;
    printer.line(&format!("this cannot show all: {CANNOT_DETECT}"))?;
    if let Some(broken) = &read.broken {
        return Err(Problem::new(Exit::Other, format!("the journal does not hold: {broken}")).into());
    }
    Ok(Exit::Done)
}

fn sealed(read: &crate::journal::Report, line: usize) -> &'static str {
    // Each torn line but the last was sealed by the entry after it, or the chain would be broken there.
    if line == read.entries.len() + read.torn.len() {
        "; the next entry will seal it"
    } else {
        ", and sealed"
    }
}

fn item(entry: &Entry, intent: Option<&Intent>) -> Item {
    let kind = match &entry.event {
        Event::Intent(_) => "intent",
        Event::Acknowledged(_) => "acknowledged",
        Event::Outcome(_) => "outcome",
        Event::IncidentOpened(_) => "incident_opened",
        Event::IncidentClosed(_) => "incident_closed",
    };
    Item {
        at: Time(entry.at),
        operation: entry.operation.clone(),
        incident: entry.incident.clone(),
        who: entry.who.brief().to_owned(),
        caller_arn: entry.who.caller_arn.clone(),
        host: entry.who.host.clone(),
        ssh_client: entry.who.ssh_client.clone(),
        kind,
        verb: intent.map(|intent| intent.verb.clone()),
        target: intent.map(|intent| intent.target.clone()),
        what: words(entry, intent),
    }
}

fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let columns =
        [Column::fixed("AT"), Column::fixed("WHO"), Column::fixed("INCIDENT"), Column::sentence("WHAT")];
    let mut table = Table::new(&columns).spilling();
    for item in items {
        let tone = if item.kind == "outcome" { Tone::Title } else { Tone::Plain };
        table.row([
            Cell::new(item.at.0.rfc3339().get(..19).unwrap_or_default()),
            Cell::new(&item.who),
            Cell::new(item.incident.as_deref().unwrap_or("")),
            Cell::new(&item.what).tone(tone),
        ]);
    }
    printer.set(&table)
}

/// Performs `incident open`.
///
/// # Errors
/// When one is open, or the journal cannot be written.
pub fn open(request: &Request, environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    let mut clerk = operate::clerk(environment, false);
    let read = clerk.read().map_err(|why| Problem::new(Exit::Other, why))?;
    if let Some(mark) = open_incident(&read.entries) {
        let what = format!("the incident {} is open: {}", mark.id, mark.title);
        return Err(Problem::usage(what).hint("opsdeck incident close ends it").into());
    }
    let now = Clock::system().now().wall;
    let mark = IncidentMark::new(now, request.all("TITLE").join(" "));
    clerk
        .write(now, &operate::new_id(), Event::IncidentOpened(mark.clone()))
        .map_err(|why| Problem::new(Exit::Other, why))?;
    printer.line(&mark.id)?;
    Ok(Exit::Done)
}

/// Performs `incident close`.
///
/// # Errors
/// When none is open, or the journal cannot be written.
pub fn close(environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    let mut clerk = operate::clerk(environment, false);
    let read = clerk.read().map_err(|why| Problem::new(Exit::Other, why))?;
    let Some(mark) = open_incident(&read.entries).cloned() else {
        return Err(Problem::new(Exit::NotFound, "no incident is open").into());
    };
    let now = Clock::system().now().wall;
    clerk
        .write(now, &operate::new_id(), Event::IncidentClosed(mark.clone()))
        .map_err(|why| Problem::new(Exit::Other, why))?;
    printer.line(&mark.id)?;
    printer.remark(&format!("opsdeck journal --incident {} --export markdown", mark.id));
    Ok(Exit::Done)
}
