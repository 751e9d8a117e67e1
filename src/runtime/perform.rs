//! Performs the effects that wait for something: requests to AWS. Each runs in its own task and comes back as
//! a message; a cancelled token's tasks are dropped where they stand.
//!
//! Must not retry, pace or judge: `cloud` does the first two, `app` the last.

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use crate::app::Msg;
use crate::app::refresh::Token;
use crate::cloud::Cloud;
use crate::cloud::meter::{self, Sharing};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::meter::{Meter, Share};
use crate::domain::query::{Class, Query};
use crate::domain::scope::{Account, Scope};

/// A connection that may still be under way: the first frame does not wait for it.
pub type Connection = Shared<BoxFuture<'static, Result<Cloud, Fault>>>;

/// Runs effects and sends what came of them.
pub struct Performer {
    connection: Connection,
    accounts: Vec<Account>,
    messages: UnboundedSender<Msg>,
    running: HashMap<Token, Vec<AbortHandle>>,
}

impl Performer {
    /// A performer over a connection.
    pub fn new(connection: Connection, accounts: Vec<Account>, messages: UnboundedSender<Msg>) -> Self {
        Self { connection, accounts, messages, running: HashMap::new() }
    }

    /// Sends a request; its answer comes as a message.
    pub fn ask(&mut self, token: Token, query: Query, class: Class) {
        let connection = self.connection.clone();
        let messages = self.messages.clone();
        let task = tokio::spawn(async move {
            let asked = query.clone();
            let work = async move {
                let cloud = connection.await?;
                cloud.ask(asked, class).await
            };
            // A panic below is ours: it becomes a fault of this request and not a token that waits for ever.
            let outcome = std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                Err(Fault::new(FaultKind::Unknown, "opsdeck failed while it handled this request")
                    .action(query.action())
                    .hint("this is a defect of opsdeck; --trace FILE records where"))
            });
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
