//! `logs NAME [-f]`: the merged lines of a service's tasks and containers, each once, in order.
//!
//! Drives `logs::follow`, which knows what to ask. Must not lose a line silently: gaps, throttling and what is
//! not shown are said on stderr.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::census::one_service;
use crate::cli::exit::{Exit, Problem};
use crate::cli::gather::Gather;
use crate::cli::item::{Time, shape, time};
use crate::cli::parser::Request;
use crate::cli::printer::{Form, Printer};
use crate::cli::session::Session;
use crate::cli::table::Tone;
use crate::cli::verb::End;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::log::LogSubject;
use crate::domain::query::Class;
use crate::domain::scope::Scope;
use crate::logs::filter::Filter;
use crate::logs::follow::{Follow, FollowState, Options};
use crate::logs::level::Level;
use crate::logs::line::{Line, Origin};
use crate::logs::parse::{self, Fields};
use crate::logs::store::{Record, RecordId, StreamId};
use crate::logs::trace::{self, Shape as LineShape};
use crate::stdx::clock::{Clock, Wall};
use crate::stdx::text::{pad, scrub, width};

shape! {
    /// A log line.
    Item {
        /// The line's own time.
        at: Time = "time",
        /// When CloudWatch Logs took it in.
        ingested_at: Option<Time> = "time or null",
        /// The region of the log group.
        region: String = "text",
        /// The log group.
        group: String = "text",
        /// The log stream.
        stream: String = "text",
        /// The task's id; empty when it cannot be told from the stream.
        task: String = "text",
        /// The container; the stream's name when it cannot be told.
        container: String = "text",
        /// `trace`, `debug`, `info`, `warn`, `error`, `fatal`; a line of a stack trace has that of the line above it.
        level: Option<&'static str> = "text or null",
        /// The line as it is.
        message: String = "text",
        /// AWS's event id.
        event_id: Option<String> = "text or null",
    }
}

/// Performs the verb.
///
/// # Errors
/// When a flag or the name is wrong, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let follows = request.is_on("follow");
    if follows && printer.form == Form::Json {
        return Err(Problem::usage("--output json prints one object, and -f never ends")
            .hint("use --output ndjson with -f")
            .into());
    }
    let mut wanted = Wanted::new(session, request)?;
    let mut gather = session.gather();
    let name = request.text("NAME").unwrap_or_default();
    let service = one_service(session, &mut gather, name, request.all("cluster")).await?;
    let now = session.clock.now();
    let options = Options {
        since: now.wall.minus(request.span("since").unwrap_or(Duration::from_secs(600))),
        newest_first: None,
        follow: follows,
        pattern: None,
        containers: request.all("container").to_vec(),
        tasks: request.all("task").to_vec(),
    };
    let mut follow = Follow::new(LogSubject::Service(service.id.clone()), options, now);
    follow.observe(&service, now);
    let mut reader = Reader {
        session,
        gather,
        follow,
        follows,
        scope: service.id.scope.clone(),
        said: HashSet::new(),
        last: None,
        hopeless: false,
        arrived: 0,
    };
    reader.run(&mut wanted, printer).await?;
    reader.finish(wanted, printer)
}

/// Which lines are printed, and how many of the first.
struct Wanted {
    filter: Filter,
    fields: Fields,
    tail: Option<usize>,
    /// The level and the verdict of each stream's last line, for lines of a trace below it.
    above: HashMap<Arc<Origin>, (Option<Level>, bool)>,
    /// Lines that wait to be put in order.
    held: Vec<(Line, Option<Level>)>,
    /// Whether the past has been printed, so that lines are printed as they come.
    streams: bool,
    raw: bool,
    /// The widest container name so far.
    column: usize,
}

impl Wanted {
    fn new(session: &Session, request: &Request) -> Result<Self, Problem> {
        let mut filter = Filter::parse(request.text("filter").unwrap_or_default())
            .map_err(|bad| Problem::usage(format!("--filter: {bad}")))?;
        filter.at_least = request.text("level").and_then(Level::of_word);
        let config = &session.config.logs;
        Ok(Self {
            filter,
            fields: Fields {
                level: config.level_fields.clone(),
                message: config.message_fields.clone(),
                shown: config.fields.clone(),
                ..Fields::default()
            },
            tail: request.number("tail").map(|lines| usize::try_from(lines).unwrap_or(usize::MAX)),
            above: HashMap::new(),
            held: Vec::new(),
            streams: false,
            raw: request.is_on("raw"),
            column: 0,
        })
    }

    /// Keeps a line if it is wanted. A line of a stack trace goes with the line above it.
    fn take(&mut self, line: Line) {
        let below = match trace::shape(&line.message) {
            LineShape::Plain => None,
            LineShape::Continuation | LineShape::Trouble => self.above.get(&line.origin).copied(),
        };
        let own = parse::level(&line.message, &self.fields);
        let (level, wanted) = match below {
            // Its text may be wanted although the line above was not.
            Some((level, above)) => (level, above || self.wants(&line, level)),
            None => (own, self.wants(&line, own)),
        };
        self.above.insert(Arc::clone(&line.origin), (level, wanted));
        if wanted {
            self.held.push((line, level));
        }
    }

    fn wants(&self, line: &Line, level: Option<Level>) -> bool {
        // Identity and order of a record mean nothing to a filter.
        let id = RecordId {
            at: line.at,
            ingested_at: line.ingested_at.unwrap_or(line.at),
            stream: StreamId(0),
            sequence: 0,
        };
        self.filter.matches(&Record { id, level, message: &line.message, origin: &line.origin, head: 0 })
    }

    /// What waits, in order. The sort is stable: lines of one stream in one millisecond keep their order.
    fn ordered(&mut self) -> Vec<(Line, Option<Level>)> {
        let mut lines = std::mem::take(&mut self.held);
        let taken_in = |line: &Line| line.ingested_at.unwrap_or(Wall(i64::MAX));
        lines.sort_by(|(a, _), (b, _)| {
            (a.at, taken_in(a), &a.origin.stream).cmp(&(b.at, taken_in(b), &b.origin.stream))
        });
        if let Some(tail) = self.tail
            && !self.streams
        {
            lines.drain(..lines.len().saturating_sub(tail));
        }
        lines
    }

    /// Prints what waits.
    fn print(&mut self, printer: &mut Printer) -> Result<(), End> {
        let lines = self.ordered();
        let widest = lines.iter().map(|(line, _)| width(&scrub(&line.origin.container))).max();
        self.column = self.column.max(widest.unwrap_or(0));
        for (line, level) in lines {
            if printer.form == Form::Ndjson {
                printer.json(&item(line, level))?;
            } else if self.raw {
                printer.line(line.message.trim_end_matches(['\n', '\r']))?;
            } else {
                let text = self.row(&line, level, printer);
                printer.line(&text)?;
            }
        }
        printer.flush()?;
        Ok(())
    }

    fn row(&self, line: &Line, level: Option<Level>, printer: &Printer) -> String {
        let container = scrub(&line.origin.container);
        let summary = parse::summary(&line.message, &self.fields);
        let whole = line.message.trim_end_matches(['\n', '\r']);
        // A structured line is summed up; of a plain one nothing is cut.
        let message = if whole.trim_start().starts_with('{') { summary.message.as_ref() } else { whole };
        let mut text = format!(
            "{}  {}  {}  {}  {}",
            line.at.rfc3339(),
            pad(&scrub(line.origin.short_task()), 8),
            pad(&container, self.column),
            pad(level.map_or("", Level::name), 5),
            scrub(message)
        );
        for (name, value) in &summary.pairs {
            let _ = write!(text, "  {}={}", scrub(name), scrub(value));
        }
        let tone = match level {
            Some(Level::Fatal | Level::Error) => Tone::Bad,
            Some(Level::Warn) => Tone::Notice,
            Some(Level::Debug | Level::Trace) => Tone::Quiet,
            _ => Tone::Plain,
        };
        tone.paint(&text, printer.colour)
    }
}

fn item(line: Line, level: Option<Level>) -> Item {
    Item {
        at: Time(line.at),
        ingested_at: time(line.ingested_at),
        region: line.origin.group.scope.region.to_string(),
        group: line.origin.group.name.clone(),
        stream: line.origin.stream.clone(),
        task: line.origin.task.clone(),
        container: line.origin.container.clone(),
        level: level.map(Level::name),
        message: line.message,
        event_id: line.event_id,
    }
}

/// The loop around the follower.
struct Reader<'a> {
    session: &'a Session,
    gather: Gather,
    follow: Follow,
    follows: bool,
    scope: Scope,
    /// What stderr has been told already.
    said: HashSet<String>,
    last: Option<FollowState>,
    /// Something failed in a way that asking again does not mend.
    hopeless: bool,
    arrived: usize,
}

impl Reader<'_> {
    async fn run(&mut self, wanted: &mut Wanted, printer: &mut Printer) -> Result<(), End> {
        let clock = self.session.clock.clone();
        let mut flying = FuturesUnordered::new();
        let mut over = std::pin::pin!(over(self.follows, clock.clone(), self.gather.left()));
        loop {
            for (id, query) in self.follow.next(clock.now()) {
                let cloud = self.session.cloud.clone();
                let scope = query.scope().clone();
                let action = query.action();
                let ask = async move { (id, scope, action, cloud.ask(query, Class::Foreground).await) };
                flying.push(ask);
            }
            self.remark(printer);
            if self.follow.is_done() || (self.hopeless && flying.is_empty()) {
                return Ok(());
            }
            let wake = self.follow.wake_at().map(|at| at.since(clock.now()));
            if wake.is_none() && flying.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some((id, scope, action, outcome)) = flying.next(), if !flying.is_empty() => {
                    if let Err(fault) = &outcome {
                        self.failed(&scope, action, fault);
                    }
                    for batch in self.follow.absorb(id, outcome, clock.now()) {
                        self.arrived += batch.lines.len();
                        batch.lines.into_iter().for_each(|line| wanted.take(line));
                    }
                }
                () = clock.sleep(wake.unwrap_or_default()), if wake.is_some() => {}
                why = &mut over => {
                    if let Some(fault) = why {
                        self.gather.missing(&self.scope, &fault);
                    }
                    return Ok(());
                }
            }
            // The past is put in order as a whole; from then on lines are printed as they come.
            if self.follows && (wanted.streams || matches!(self.last, Some(FollowState::Live))) {
                wanted.print(printer)?;
                wanted.streams = true;
            }
        }
    }

    /// A follower tries for ever. A pipe must end: what cannot be mended by waiting ends the reading, unless
    /// it had begun to follow, when somebody may log in again.
    fn failed(&mut self, scope: &Scope, action: &'static str, fault: &Fault) {
        if fault.is_transient() || (self.follows && self.arrived > 0) {
            return;
        }
        self.hopeless = true;
        let mut fault = fault.clone();
        fault.action.get_or_insert_with(|| action.to_owned());
        if self.said.insert(format!("{scope} {fault}")) {
            self.gather.missing(scope, &fault);
        }
    }

    /// Says on stderr how reading goes, when that has changed.
    fn remark(&mut self, printer: &mut Printer) {
        // That nothing can come is told once, at the end.
        if self.follow.no_such_container().is_some() {
            return;
        }
        for note in self.follow.notes() {
            if self.said.insert(note.to_owned()) {
                printer.remark(note);
            }
        }
        let state = self.follow.state(self.session.clock.now());
        let changed = match (&self.last, &state) {
            (Some(FollowState::Gap(last)), FollowState::Gap(now)) => last != now,
            (Some(last), now) => discriminant(last) != discriminant(now),
            (None, _) => true,
        };
        let was_troubled = matches!(
            self.last,
            Some(FollowState::Throttled { .. } | FollowState::Failing { .. } | FollowState::Gap(_))
        );
        let worth_it = match &state {
            FollowState::Throttled { .. } | FollowState::Gap(_) | FollowState::Nothing { .. } => true,
            // What ends the reading is told once, at the end.
            FollowState::Failing { .. } => !self.hopeless,
            FollowState::Live => was_troubled,
            _ => false,
        };
        if changed && worth_it {
            printer.remark(&state.sentence());
        }
        self.last = Some(state);
    }

    fn finish(self, mut wanted: Wanted, printer: &mut Printer) -> Result<Exit, End> {
        if let Some(why) = self.follow.no_such_container() {
            return Err(Problem::new(Exit::NotFound, why).into());
        }
        if printer.form == Form::Json {
            let items = wanted.ordered().into_iter().map(|(line, level)| item(line, level)).collect();
            return Ok(printer.report(&self.gather.report(items), |_, _| Vec::new())?);
        }
        wanted.print(printer)?;
        let mut report = self.gather.report(Vec::<Item>::new());
        report.printed = self.arrived;
        // `ndjson` has its lines already; what is left is the trailer.
        Ok(printer.report(&report, |_, _| Vec::new())?)
    }
}

/// Until somebody ends us (only a follower can be ended well), or patience does: then with the fault that
/// says so.
async fn over(follows: bool, clock: Clock, left: Option<Duration>) -> Option<Fault> {
    let out_of_patience = async {
        match left {
            Some(left) => clock.sleep(left).await,
            None => std::future::pending().await,
        }
    };
    if !follows {
        out_of_patience.await;
        return Some(
            Fault::new(FaultKind::Network, "gave up before all lines were read")
                .hint("--timeout 5m waits longer, a shorter --since asks for less"),
        );
    }
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = out_of_patience => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
    None
}
