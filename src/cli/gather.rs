//! Asking many things of many scopes at once, until all is answered or time is up, and keeping the books:
//! which scope answered completely, what is missing.
//!
//! Headless verbs drive it. It must not know AWS's SDK nor pace anything: `cloud` does; and it must not
//! decide what an answer means for a verb.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use crate::cli::envelope::{Missing, Report, ScopeState};
use crate::cli::item::Time;
use crate::domain::ecs::ServiceId;
use crate::domain::fault::{Failure, Fault, FaultKind};
use crate::domain::query::{Answer, PageToken, Query};
use crate::domain::scope::{Account, Arn, Scope};
use crate::domain::sweep::{Goal, Sweep};
use crate::stdx::clock::{Clock, Moment};
use crate::stdx::span;

/// Something to find out.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// A list with the descriptions of its items.
    Sweep(Goal),
    /// A list of names alone, to its end.
    Names(Query),
    /// One request.
    Ask(Query),
    /// A list of something that may not exist here, such as a cluster that was named for all regions.
    SweepIfThere(Goal),
    /// One request that may find nothing: what does not exist is not missing.
    Probe(Query),
}

impl Work {
    /// All pages of a list whose items need no describing.
    #[must_use]
    pub fn pages(query: Query) -> Self {
        Self::Sweep(Goal::Pages(Box::new(query)))
    }

    /// The tasks of a service.
    #[must_use]
    pub fn tasks(of: &ServiceId, stopped: bool) -> Self {
        let ServiceId { scope, cluster, name } = of.clone();
        Self::Sweep(Goal::Tasks { scope, cluster, service: Some(name), stopped })
    }
}

/// The road that requests take.
type Road = Box<dyn Fn(Query) -> BoxFuture<'static, Result<Answer, Fault>>>;

/// The books of one verb.
pub struct Gather {
    ask: Road,
    clock: Clock,
    begun: Moment,
    patience: Option<Duration>,
    scopes: BTreeMap<Scope, bool>,
    failures: Vec<Missing>,
    /// What else a person has to know.
    remarks: Vec<String>,
    /// Requests that were answered.
    answered: usize,
    /// Queries of tolerant work that found nothing.
    absent: Vec<Query>,
    /// The account ids that credentials must belong to.
    expected: BTreeMap<Account, String>,
}

/// Who waits for an answer.
#[derive(Clone, Copy)]
enum Waiting {
    Sweep { at: usize, tolerant: bool },
    Names(usize),
    Ask,
    Probe,
}

impl Gather {
    /// Opens the books. `patience` runs from now, over all runs together.
    pub fn new<F>(ask: impl Fn(Query) -> F + 'static, clock: Clock, patience: Option<Duration>) -> Self
    where
        F: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        let begun = clock.now();
        let ask: Road = Box::new(move |query| ask(query).boxed());
        Self {
            ask,
            clock,
            begun,
            patience,
            scopes: BTreeMap::new(),
            failures: Vec::new(),
            remarks: Vec::new(),
            answered: 0,
            absent: Vec::new(),
            expected: BTreeMap::new(),
        }
    }

    /// The same, refusing answers from other accounts than these.
    #[must_use]
    pub fn expecting(mut self, expected: BTreeMap<Account, String>) -> Self {
        self.expected = expected;
        self
    }

    /// Does all the work at once, and what `take` makes of the answers, until nothing is left or time is up.
    /// `take` gets each answer once; what failed goes into the books.
    pub async fn run(&mut self, work: Vec<Work>, mut take: impl FnMut(&Query, Answer) -> Vec<Work>) {
        self.run_all(work, |query, outcome| {
            outcome.map_or_else(|_| Vec::new(), |answer| take(query, answer))
        })
        .await;
    }

    /// The same; `take` gets what failed too, for those to whom an absence or a refusal is an answer.
    pub async fn run_all(
        &mut self,
        work: Vec<Work>,
        mut take: impl FnMut(&Query, Result<Answer, Fault>) -> Vec<Work>,
    ) {
        let mut sweeps: Vec<Sweep> = Vec::new();
        let mut pages: Vec<HashSet<PageToken>> = Vec::new();
        let mut unanswered: BTreeMap<Scope, usize> = BTreeMap::new();
        let mut flying = FuturesUnordered::new();
        let mut ready: Vec<(Waiting, Query)> = Vec::new();
        let mut work = work;
        let clock = self.clock.clone();
        let left = self.left();
        let mut over = pin!(async move {
            match left {
                Some(left) => clock.sleep(left).await,
                None => std::future::pending().await,
            }
        });
        loop {
            for piece in work.drain(..) {
                let tolerant = matches!(piece, Work::SweepIfThere(_));
                ready.push(match piece {
                    Work::Sweep(goal) | Work::SweepIfThere(goal) => {
                        let (sweep, first) = Sweep::start(goal);
                        sweeps.push(sweep);
                        (Waiting::Sweep { at: sweeps.len() - 1, tolerant }, first)
                    }
                    Work::Names(query) => {
                        pages.push(HashSet::new());
                        (Waiting::Names(pages.len() - 1), query)
                    }
                    Work::Ask(query) => (Waiting::Ask, query),
                    Work::Probe(query) => (Waiting::Probe, query),
                });
            }
            for (waiting, query) in ready.drain(..) {
                self.scopes.entry(query.scope().clone()).or_insert(true);
                *unanswered.entry(query.scope().clone()).or_default() += 1;
                let answer = (self.ask)(query.clone());
                flying.push(async move { (waiting, query, answer.await) });
            }
            let (waiting, query, outcome) = match select(flying.next(), &mut over).await {
                Either::Left((Some(landed), _)) => landed,
                Either::Left((None, _)) => return,
                Either::Right(_) => break,
            };
            if let Some(count) = unanswered.get_mut(query.scope()) {
                *count -= 1;
            }
            let outcome = outcome.and_then(|answer| self.own(&query, answer));
            match waiting {
                Waiting::Sweep { at, .. } => {
                    if let Some(sweep) = sweeps.get_mut(at) {
                        let known = sweep.faults.len();
                        ready.extend(sweep.absorb(&query, &outcome).into_iter().map(|next| (waiting, next)));
                        // Faults that the sweep found by itself, such as a page token that repeats.
                        if outcome.is_ok() {
                            for fault in sweep.faults.iter().skip(known) {
                                self.missing(query.scope(), fault);
                            }
                        }
                    }
                }
                Waiting::Names(at) => {
                    if let (Some((token, next)), Some(seen)) =
                        (next_page(&query, &outcome), pages.get_mut(at))
                    {
                        if seen.insert(token) {
                            ready.push((waiting, next));
                        } else {
                            self.missing(
                                query.scope(),
                                &Fault::new(
                                    FaultKind::Garbled,
                                    "AWS returned the same page token twice, so the list may be incomplete",
                                )
                                .action(query.action()),
                            );
                        }
                    }
                }
                Waiting::Ask | Waiting::Probe => {}
            }
            self.note(&query, waiting, &outcome);
            work = take(&query, outcome);
        }
        self.time_is_up(&unanswered);
    }

    /// Writes an outcome into the books.
    fn note(&mut self, query: &Query, waiting: Waiting, outcome: &Result<Answer, Fault>) {
        match outcome {
            Ok(answer) => {
                self.answered += 1;
                if !matches!(waiting, Waiting::Probe) {
                    for failure in failures(answer) {
                        self.entry(query, failure);
                    }
                }
            }
            Err(fault)
                if fault.kind == FaultKind::NotFound
                    && matches!(waiting, Waiting::Probe | Waiting::Sweep { tolerant: true, .. }) =>
            {
                self.absent.push(query.clone());
            }
            Err(fault) => self.missing(query.scope(), fault),
        }
    }

    /// The answer, unless it shows that the credentials belong to another account than the configured one.
    fn own(&self, query: &Query, answer: Answer) -> Result<Answer, Fault> {
        let Some(expected) = self.expected.get(&query.scope().account) else { return Ok(answer) };
        match account_id(&answer) {
            Some(found) if found != *expected => Err(Fault::new(
                FaultKind::Denied,
                format!("these credentials belong to account {found}, the configuration says {expected}"),
            )
            .action(query.action())
            .hint("check `id` and `profile` of the account in the configuration")),
            _ => Ok(answer),
        }
    }

    /// Notes that something could not be found out.
    pub fn missing(&mut self, scope: &Scope, fault: &Fault) {
        self.scopes.insert(scope.clone(), false);
        self.failures.push(Missing::request(scope, fault));
    }

    /// Notes a sentence for stderr.
    pub fn remark(&mut self, sentence: String) {
        self.remarks.push(sentence);
    }

    fn entry(&mut self, query: &Query, failure: &Failure) {
        self.scopes.insert(query.scope().clone(), false);
        self.failures.push(Missing::entry(query.scope(), query.action(), failure));
    }

    fn time_is_up(&mut self, unanswered: &BTreeMap<Scope, usize>) {
        let patience = self.patience.unwrap_or_default();
        for (scope, count) in unanswered.iter().filter(|(_, count)| **count > 0) {
            let fault = Fault::new(
                FaultKind::Network,
                format!(
                    "gave up after {} with {} unanswered",
                    span::precise(patience),
                    crate::stdx::text::count(*count, "request")
                ),
            )
            .hint("--timeout 5m waits longer");
            self.missing(scope, &fault);
        }
    }

    /// What is left of the patience.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let spent = self.clock.now().since(self.begun);
        self.patience.map(|patience| patience.saturating_sub(spent))
    }

    /// The requests of tolerant work that found nothing.
    #[must_use]
    pub fn absent(&self) -> &[Query] {
        &self.absent
    }

    /// Whether nothing failed so far.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// What failed so far.
    #[must_use]
    pub fn failures(&self) -> &[Missing] {
        &self.failures
    }

    /// How many requests were answered so far.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered
    }

    /// When the work began, which is how old the oldest answer can be.
    #[must_use]
    pub fn begun(&self) -> Moment {
        self.begun
    }

    /// Closes the books.
    #[must_use]
    pub fn report<T>(self, items: Vec<T>) -> Report<T> {
        Report {
            as_of: Time(self.begun.wall),
            scopes: self
                .scopes
                .into_iter()
                .map(|(scope, complete)| ScopeState {
                    account: scope.account.to_string(),
                    region: scope.region.to_string(),
                    complete,
                })
                .collect(),
            failures: self.failures,
            remarks: self.remarks,
            items,
            printed: 0,
        }
    }
}

/// The account id that an answer shows, if it shows one.
fn account_id(answer: &Answer) -> Option<String> {
    let arn = match answer {
        Answer::Identity(identity) => return Some(identity.account_id.clone()),
        Answer::Names { names, .. } => names.first()?,
        Answer::Clusters { found, .. } => &found.first()?.arn,
        Answer::Services { found, .. } => &found.first()?.arn,
        Answer::Tasks { found, .. } => &found.first()?.arn,
        Answer::Deployments { found, .. } => &found.first()?.arn,
        Answer::TaskDefinition(definition) => &definition.arn,
        Answer::Alarms { found, .. } => &found.first()?.arn,
        Answer::DbInstances { found, .. } => &found.first()?.arn,
        Answer::DbClusters { found, .. } => &found.first()?.arn,
        Answer::ReplicationGroups { found, .. } => &found.first()?.arn,
        Answer::CacheClusters { found, .. } => &found.first()?.arn,
        Answer::Secrets { found, .. } => &found.first()?.arn,
        _ => return None,
    };
    Arn::parse(arn).map(|arn| arn.account.to_owned())
}

fn failures(answer: &Answer) -> &[Failure] {
    match answer {
        Answer::Clusters { failures, .. }
        | Answer::Services { failures, .. }
        | Answer::Tasks { failures, .. }
        | Answer::Deployments { failures, .. }
        | Answer::Revisions { failures, .. } => failures,
        _ => &[],
    }
}

/// The request for the page after this one, if there is one.
fn next_page(query: &Query, outcome: &Result<Answer, Fault>) -> Option<(PageToken, Query)> {
    let Ok(Answer::Names { next: Some(token), .. }) = outcome else { return None };
    let mut next = query.clone();
    match &mut next {
        Query::ListClusters { page, .. }
        | Query::ListServices { page, .. }
        | Query::ListTasks { page, .. }
        | Query::ListTaskDefinitions { page, .. } => *page = Some(token.clone()),
        _ => return None,
    }
    Some((token.clone(), next))
}

#[cfg(test)]
mod tests;
