//! Performs the effects that wait for something: requests to AWS. Each runs in its own task and comes back as
//! a message; a cancelled token's tasks are dropped where they stand.
//!
//! Must not retry, pace or judge: `cloud` does the first two, `app` the last.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::app::Msg;
use crate::app::operations::OperationId;
use crate::app::pane::journal::KEPT;
use crate::app::refresh::Token;
use crate::cloud::Cloud;
use crate::cloud::meter::{self, Sharing};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::meter::{Meter, Share};
use crate::domain::query::{Answer, Class, Query};
use crate::domain::scope::{Account, Scope};
use crate::domain::secret::SecretValue;
use crate::guard::{CallOutcome, Permit};
use crate::journal::{Event, History, Who};
use crate::runtime::journal::Clerk;
use crate::stdx::clock::{Clock, Wall};

/// A connection that may still be under way: the first frame does not wait for it.
pub type Connection = Shared<BoxFuture<'static, Result<Cloud, Fault>>>;

/// Runs effects and sends what came of them.
pub struct Performer {
    connection: Connection,
    accounts: Vec<Account>,
    messages: UnboundedSender<Msg>,
    running: HashMap<Token, Vec<AbortHandle>>,
    clerk: Arc<Mutex<Clerk>>,
    jobs: Arc<Mutex<VecDeque<Job>>>,
    /// Mutating calls and lines of the journal under way: they outlive the screen.
    pending: Arc<AtomicUsize>,
    /// Whether the screen is left: then no call is begun that still waits for its turn.
    left: watch::Sender<bool>,
}

/// What is to be done with the journal.
enum Job {
    Write(Box<Line>),
    Read,
}

/// A line of the journal that waits to be written.
struct Line {
    at: Wall,
    name: String,
    caller: Option<String>,
    event: Event,
    waits: Option<OperationId>,
    /// Whoever performs the jobs takes the oldest, so the line itself counts as pending.
    _pending: Pending,
}

/// Counts as long as it lives.
struct Pending(Arc<AtomicUsize>);

impl Pending {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Performer {
    /// A performer over a connection.
    pub fn new(connection: Connection, accounts: Vec<Account>, messages: UnboundedSender<Msg>) -> Self {
        let clerk = Arc::new(Mutex::new(Clerk::new(None, Who::default())));
        Self {
            connection,
            accounts,
            messages,
            running: HashMap::new(),
            clerk,
            jobs: Arc::default(),
            pending: Arc::default(),
            left: watch::Sender::new(false),
        }
    }

    /// The same, with a journal: without one nothing is changed.
    #[must_use]
    pub fn with_clerk(mut self, clerk: Clerk) -> Self {
        self.clerk = Arc::new(Mutex::new(clerk));
        self
    }

    /// Whether a mutating call, or a line of the journal, is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.pending.load(Ordering::SeqCst) > 0
    }

    /// The screen is left: a call that waits for its turn in the budget is not made any more.
    pub fn leave(&self) {
        self.left.send_replace(true);
    }

    /// Looks at a target for the guard, at a time.
    pub fn look(&mut self, operation: OperationId, query: Query, wait: Duration, clock: &Clock) {
        let (connection, messages, clock) = (self.connection.clone(), self.messages.clone(), clock.clone());
        tokio::spawn(async move {
            if wait > Duration::ZERO {
                clock.sleep(wait).await;
            }
            let outcome = asked(connection, query.clone(), Class::Foreground).await;
            let _ = messages.send(Msg::Looked(operation, Box::new(query), Box::new(outcome)));
        });
    }

    /// Makes the one call of a permit. Once it is sent, it runs to its end whatever becomes of the screen.
    pub fn change(&mut self, operation: OperationId, permit: Permit, value: Option<SecretValue>) {
        let (connection, messages) = (self.connection.clone(), self.messages.clone());
        let (pending, mut left) = (Pending::new(&self.pending), self.left.subscribe());
        tokio::spawn(async move {
            let leaving = async move {
                let _ = left.wait_for(|left| *left).await;
            };
            let work = async move {
                match connection.await {
                    Ok(cloud) => cloud.change(permit, value, leaving).await,
                    Err(fault) => CallOutcome::NotSent(fault),
                }
            };
            // A panic below is ours, and says nothing about what AWS was sent.
            let outcome = std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                CallOutcome::Lost(Fault::new(FaultKind::Unknown, "opsdeck failed while it made this call"))
            });
            let _ = messages.send(Msg::Called(operation, Box::new(outcome)));
            drop(pending);
        });
    }

    /// Writes an entry to the journal, away from the loop: another process may hold the lock.
    pub fn write(
        &mut self,
        at: Wall,
        name: String,
        caller: Option<String>,
        event: Event,
        waits: Option<OperationId>,
    ) {
        let pending = Pending::new(&self.pending);
        self.journal(Job::Write(Box::new(Line { at, name, caller, event, waits, _pending: pending })));
    }

    /// Reads the journal, with all that was to be written when this was asked.
    pub fn read_journal(&self) {
        self.journal(Job::Read);
    }

    /// Puts a job into the journal's queue and somebody to work.
    fn journal(&self, job: Job) {
        let (clerk, messages, jobs) =
            (Arc::clone(&self.clerk), self.messages.clone(), Arc::clone(&self.jobs));
        jobs.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
        tokio::task::spawn_blocking(move || {
            // Whoever has the clerk does the oldest: so the lines stand in the order in which they happened, and
            // what is read holds those that were asked for before.
            let mut clerk = clerk.lock().unwrap_or_else(PoisonError::into_inner);
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match job {
                None => {}
                Some(Job::Read) => {
                    // Years of entries are sorted out here and not on the loop. The clerk is kept meanwhile: an
                    // older reading that came after a newer one would take its lines back.
                    let history = clerk.read().map(|report| History::of(report, KEPT));
                    let _ = messages.send(Msg::Journal(Box::new(history)));
                }
                Some(Job::Write(line)) => {
                    let line = *line;
                    clerk.who.caller_arn = line.caller;
                    let outcome = clerk.write(line.at, &line.name, line.event);
                    let _ = match (line.waits, outcome) {
                        (Some(operation), outcome) => messages.send(Msg::Recorded(operation, outcome)),
                        (None, Err(why)) => messages.send(Msg::NoteFailed(why)),
                        (None, Ok(())) => Ok(()),
                    };
                }
            }
        });
    }

    /// Sends a request; its answer comes as a message.
    pub fn ask(&mut self, token: Token, query: Query, class: Class) {
        let connection = self.connection.clone();
        let messages = self.messages.clone();
        let task = tokio::spawn(async move {
            let outcome = asked(connection, query.clone(), class).await;
            // The loop may have ended.
            let _ = messages.send(Msg::Answer(token, Box::new(query), Box::new(outcome)));
        });
        let running = self.running.entry(token).or_default();
        running.retain(|handle| !handle.is_finished());
        running.push(task.abort_handle());
        if self.running.len() > 256 {
            self.running.retain(|_, handles| handles.iter().any(|h| !h.is_finished()));
        }
    }

    /// Drops a token's requests, those that wait for the budget included.
    pub fn cancel(&mut self, token: Token) {
        for handle in self.running.remove(&token).unwrap_or_default() {
            handle.abort();
        }
    }

    /// Finds out the default region of each account.
    pub fn find_regions(&self) {
        let connection = self.connection.clone();
        let messages = self.messages.clone();
        let accounts = self.accounts.clone();
        tokio::spawn(async move {
            let work = async {
                let cloud = connection.await?;
                let mut scopes = Vec::new();
                for account in accounts {
                    let region = cloud.default_region(&account).await?;
                    scopes.push(Scope { account, region });
                }
                Ok(scopes)
            };
            let scopes = work.await;
            let _ = messages.send(Msg::Scopes(scopes));
        });
    }

    /// Reads the request budget, if the connection is there.
    pub fn meter(&self) -> Option<Meter> {
        let cloud = self.connection.peek()?.as_ref().ok()?;
        Some(reading(&cloud.meter()))
    }
}

/// The answer to a query. A panic below is ours: it becomes a fault of this query, and nobody waits for ever.
async fn asked(connection: Connection, query: Query, class: Class) -> Result<Answer, Fault> {
    let action = query.action();
    let work = async move { connection.await?.ask(query, class).await };
    std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        Err(Fault::new(FaultKind::Unknown, "opsdeck failed while it handled this request")
            .action(action)
            .hint("this is a defect of opsdeck; --trace FILE records where"))
    })
}

/// The budget as the console shows it.
fn reading(meter: &meter::Meter) -> Meter {
    let mut shares: Vec<Share> = meter
        .rows
        .iter()
        .map(|row| Share {
            scope: row.scope.clone(),
            group: row.bucket.to_owned(),
            sent: row.requests,
            waiting: row.waiting,
            used_percent: u8::try_from(row.refill_percent.min(100)).unwrap_or(100),
            throttled: row.rate_percent < 100,
        })
        .collect();
    shares.sort_by(|a, b| (&a.scope, &a.group).cmp(&(&b.scope, &b.group)));
    let mut faults: Vec<(crate::stdx::clock::Moment, Scope, Fault)> = meter
        .rows
        .iter()
        .filter_map(|row| row.last_fault.clone().map(|(at, fault)| (at, row.scope.clone(), fault)))
        .collect();
    faults.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    let uncoordinated = match &meter.sharing {
        Sharing::Failed(why) => Some(why.clone()),
        Sharing::Process | Sharing::User | Sharing::Off => None,
    };
    Meter {
        shares,
        faults: faults.into_iter().map(|(_, scope, fault)| (scope, fault)).collect(),
        uncoordinated,
    }
}

impl Drop for Performer {
    fn drop(&mut self) {
        for handle in self.running.values().flatten() {
            handle.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::IncidentMark;
    use crate::runtime::journal::JournalFile;

    #[tokio::test]
    async fn readings_come_in_order_and_each_knows_the_lines_that_were_asked_for_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let clerk =
            Clerk::new(Some(JournalFile::at(folder.path().join("journal/h-u.jsonl"))), Who::default());
        let (message, mut messages) = tokio::sync::mpsc::unbounded_channel();
        let connection = futures_util::future::pending().boxed().shared();
        let mut performer = Performer::new(connection, Vec::new(), message).with_clerk(clerk);
        for number in 0..20 {
            let mark = IncidentMark { id: "i".into(), title: "x".into() };
            let event = Event::IncidentOpened(mark);
            performer.write(Wall(number), number.to_string(), None, event, None);
            performer.read_journal();
        }
        let mut known = Vec::new();
        for _ in 0..20 {
            let Some(Msg::Journal(read)) = messages.recv().await else { panic!("another message") };
            known.push(read.unwrap().deeds.len());
        }
        assert_eq!(known, (1..=20).collect::<Vec<_>>());
        assert!(!performer.is_busy());
    }
}
