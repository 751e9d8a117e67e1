//! Performs one action from the command line: drives `guard::Operation` over the road to AWS and the journal, and
//! prints plan, progress and verdict.
//!
//! Must not decide whether something may happen; the guard does. A signal never interrupts between the intent and
//! AWS's answer: it ends the watch.

mod shown;
mod task_log;

use std::collections::VecDeque;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::envelope::{Report, ScopeState};
use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::item::Time;
pub use crate::cli::operate::shown::shapes;
use crate::cli::operate::shown::{Item, plan_lines, verdict_line};
use crate::cli::operate::task_log::TaskLog;
use crate::cli::parser::Request;
use crate::cli::printer::{Form, Printer};
use crate::cli::session::Session;
use crate::cli::user;
use crate::cli::verb::End;
use crate::domain::action::Action;
use crate::domain::fault::Fault;
use crate::domain::plan::{Finding, Plan};
use crate::domain::query::{Answer, Class, Query};
use crate::domain::scope::Scope;
use crate::domain::secret::SecretValue;
use crate::domain::verdict::Verdict;
use crate::guard::{
    Confirmation, Demand, Friction, Input, Lock, Mistake, Operation, Policy, Progress, Rules,
};
use crate::journal::{Event, Outcome, Who};
use crate::runtime::journal::{Clerk, JournalFile};
use crate::stdx::clock::Moment;
use crate::stdx::id::uuid;

/// The name of a new operation, in the form of a UUID: Secrets Manager and ECS take it as a token.
pub fn new_id() -> String {
    uuid(fastrand::Rng::new().u128(..))
}

/// The journal of this host and user. A demonstration's world is no system of anybody: it has its own.
#[must_use]
pub fn clerk(environment: &Environment, demo: bool) -> Clerk {
    let host = environment.host();
    let user = environment.user();
    let file = environment.state_folder().map(|folder| {
        let folder = if demo { folder.join("demo") } else { folder };
        JournalFile::at(folder.join("journal").join(format!(
            "{}-{}.jsonl",
            file_name(&host),
            file_name(&user)
        )))
    });
    let who = Who {
        caller_arn: None,
        os_user: Some(user),
        host: Some(host),
        ssh_client: environment
            .get("SSH_CLIENT")
            .or_else(|| environment.get("SSH_CONNECTION"))
            .and_then(|text| text.split_whitespace().next())
            .map(ToOwned::to_owned),
    };
    Clerk::new(file, who)
}

/// A host's or user's name as part of a file's name.
fn file_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '_' }).collect()
}

/// Whether this session may change anything.
#[must_use]
pub fn is_read_only(request: &Request, environment: &Environment) -> bool {
    request.is_on("read-only") || environment.get("OPSDECK_READ_ONLY").is_some_and(|text| text != "0")
}

/// The machine's policy and the user's.
///
/// # Errors
/// When one cannot be read or has a mistake: then nothing may be changed.
pub fn rules(environment: &Environment) -> Result<Rules, Problem> {
    let machine = PathBuf::from("/etc/opsdeck/policy.toml");
    let own = environment.config_folder().map(|folder| folder.join("policy.toml"));
    user::policy(&[Some(machine), own])
}

/// The rules where they could not be read, for whoever only looks.
pub fn unread(problem: &Problem) -> Rules {
    let lines = problem.what.lines().chain(problem.details.iter().map(String::as_str));
    Rules::unread(lines.map(str::trim).collect::<Vec<_>>().join(" "))
}

struct Driver<'s> {
    session: &'s Session,
    printer: &'s mut Printer,
    clerk: Clerk,
    operation: Operation,
    rules: Rules,
    lock: Lock,
    yes: bool,
    dry_run: bool,
    reason: Option<String>,
    confirm: Option<String>,
    value: Option<SecretValue>,
    account_id: Option<String>,
    asks: bool,
    told: String,
    log: TaskLog,
    /// A signal ended the watch.
    interrupted: bool,
}

/// Performs an action. `value` is what a `secret put` stores.
///
/// # Errors
/// When it cannot even be begun, or stdout cannot be written to.
pub async fn run(
    session: &Session,
    request: &Request,
    environment: &Environment,
    printer: &mut Printer,
    action: Action,
    value: Option<SecretValue>,
) -> Result<Exit, End> {
    let dry_run = request.is_on("dry-run");
    let rules = match rules(environment) {
        // Nothing is changed: what could not be read is told where it would stand in the way.
        Err(problem) if dry_run || matches!(action, Action::Watch { .. }) => unread(&problem),
        read => read?,
    };
    let lock = if is_read_only(request, environment) { Lock::ReadOnly } else { Lock::Unlocked };
    let scope = action.scope().cloned().ok_or_else(|| Problem::usage("no target was named"))?;
    let mut clerk = clerk(environment, false);
    let identity = identity(session, &scope).await?;
    clerk.who.caller_arn = Some(identity.arn);
    let account_id = Some(identity.account_id);
    let wait = request.is_on("wait");
    let time = request.is_given("timeout").then(|| request.span("timeout")).flatten();
    let presumed = |account: &str, cluster: &str, service: &str| {
        session.config.presumes_production(account, cluster, service)
    };
    let policy = rules.policy(&action, lock, account_id.as_deref(), &presumed, session.clock.now().wall);
    let mut operation = Operation::new(new_id(), action, policy, None).headless().by(clerk.operator());
    let watches = matches!(operation.action(), Action::Watch { .. });
    if dry_run {
        operation = operation.only_planned();
    }
    if !wait && !watches {
        operation = operation.watched_for(None);
    } else if let Some(time) = time {
        operation = operation.watched_for(Some(time));
    }
    let terminal = environment.stdin_is_terminal && std::io::stderr().is_terminal();
    let mut driver = Driver {
        session,
        clerk,
        operation,
        rules,
        lock,
        yes: request.is_on("yes"),
        dry_run,
        reason: request.text("reason").map(ToOwned::to_owned),
        confirm: request.text("confirm").map(ToOwned::to_owned),
        value,
        account_id,
        asks: terminal && printer.form == Form::Table,
        told: String::new(),
        log: TaskLog::default(),
        interrupted: false,
        printer,
    };
    let verdict = driver.drive().await?;
    let mut exit_code = None;
    if let Some(task) = driver.task().filter(|_| wait) {
        // What it wrote last comes after it has stopped.
        driver.log.print(driver.session, &task, driver.printer).await;
        exit_code = driver.log.exit_code(driver.session, &task).await;
    }
    driver.close(verdict, &scope, exit_code)
}

/// Whose credentials these are; they have to be those of the account that was meant.
async fn identity(session: &Session, scope: &Scope) -> Result<crate::domain::identity::Identity, Problem> {
    let answer = session.cloud.ask(Query::CallerIdentity { scope: scope.clone() }, Class::Foreground).await?;
    let Answer::Identity(identity) = answer else {
        return Err(Problem::new(Exit::Other, "STS answered something else than an identity"));
    };
    match session.expected_id(&scope.account) {
        Some(expected) if expected != identity.account_id => Err(Problem::new(
            Exit::Denied,
            format!(
                "the credentials of {} are of account {}, not {expected}",
                scope.account, identity.account_id
            ),
        )
        .hint("nothing was changed; mend the profile or the configured id")),
        _ => Ok(identity),
    }
}

/// Signals that end the watch, and never a call.
struct Signals([Signal; 3]);

impl Signals {
    fn open() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn came(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

type Looked = (Query, Result<Answer, Fault>);

impl Driver<'_> {
    /// Drives the operation to its end. `None` when only the plan was wanted.
    async fn drive(&mut self) -> Result<Option<Verdict>, End> {
        let mut signals =
            Signals::open().map_err(|error| Problem::new(Exit::Other, format!("signals: {error}")))?;
        let mut demands: VecDeque<Demand> = self.operation.start(self.now()).into();
        let mut looks: FuturesUnordered<futures_util::future::BoxFuture<'static, Looked>> =
            FuturesUnordered::new();
        loop {
            while let Some(demand) = demands.pop_front() {
                let input = match demand {
                    Demand::Read { query, at } => {
                        let (cloud, clock) = (self.session.cloud.clone(), self.session.clock.clone());
                        let wait = at.since(self.now());
                        looks.push(Box::pin(async move {
                            if wait > Duration::ZERO {
                                clock.sleep(wait).await;
                            }
                            let outcome = cloud.ask(query.clone(), Class::Foreground).await;
                            (query, outcome)
                        }));
                        continue;
                    }
                    Demand::Confirm { plan, friction, name, mistake } => {
                        if self.dry_run {
                            return Ok(None);
                        }
                        self.confirmation(&plan, friction, &name, mistake, &mut signals).await?
                    }
                    Demand::Record(intent) => {
                        let written =
                            self.clerk.write(self.now().wall, self.operation.id(), Event::Intent(intent));
                        Input::Recorded(written)
                    }
                    // Nothing ends this wait but AWS's answer or a timeout of the road.
                    Demand::Call(permit) => {
                        self.log = TaskLog::of(permit.mutation(), self.now().wall);
                        self.say(&format!("calling {}", permit.mutation().action()));
                        let value = self.value.take();
                        let leaving = signals.came();
                        Input::Called(self.session.cloud.change(permit, value, leaving).await)
                    }
                    Demand::Acknowledge(note) => {
                        self.note(Event::Acknowledged(*note));
                        continue;
                    }
                    Demand::End { verdict, recorded } => {
                        if recorded {
                            self.note(Event::Outcome(Outcome { verdict: verdict.clone() }));
                        }
                        return Ok(Some(verdict));
                    }
                };
                demands.extend(self.step(input));
            }
            let input = tokio::select! {
                Some((query, outcome)) = looks.next() => {
                    Input::Read { query: Box::new(query), outcome: Box::new(outcome) }
                }
                () = signals.came() => match self.operation.progress() {
                    Progress::Watching => {
                        self.interrupted = true;
                        Input::StopWatching
                    }
                    _ => Input::Cancel,
                },
                else => return Err(Problem::new(Exit::Other, "the operation waits for nothing").into()),
            };
            demands.extend(self.step(input));
            self.tell();
            if let Some(task) = self.task() {
                self.log.print(self.session, &task, self.printer).await;
            }
        }
    }

    fn step(&mut self, input: Input) -> Vec<Demand> {
        if matches!(self.operation.progress(), Progress::Calling | Progress::Watching) {
            let policy = self.policy();
            self.operation.hold_to(policy);
        }
        let now = self.now();
        self.operation.step(input, now)
    }

    /// The task that was started.
    fn task(&self) -> Option<String> {
        self.operation.receipts().iter().find_map(|receipt| receipt.task.clone())
    }

    fn now(&self) -> Moment {
        self.session.clock.now()
    }

    /// Writes what nothing waits for; that it failed is said.
    fn note(&mut self, event: Event) {
        if let Err(why) = self.clerk.write(self.now().wall, self.operation.id(), event) {
            self.printer.remark(&format!("the journal could not be written: {why}"));
        }
    }

    fn say(&mut self, text: &str) {
        if self.printer.form == Form::Table {
            self.printer.remark(text);
        }
    }

    /// Says where the watch stands, when it moved.
    fn tell(&mut self) {
        let lines: Vec<String> = self
            .operation
            .watched()
            .into_iter()
            .filter(|watched| !watched.name.is_empty())
            .map(|watched| format!("{}: {}", watched.name, watched.state))
            .collect();
        let text = lines.join("; ");
        if !text.is_empty() && text != self.told {
            self.say(&text);
            self.told = text;
        }
    }

    /// What holds now.
    fn policy(&self) -> Policy {
        let presumed = |account: &str, cluster: &str, service: &str| {
            self.session.config.presumes_production(account, cluster, service)
        };
        let (action, now) = (self.operation.action(), self.now().wall);
        self.rules.policy(action, self.lock, self.account_id.as_deref(), &presumed, now)
    }

    /// The confirmation: from the flags, or from somebody at the terminal.
    async fn confirmation(
        &mut self,
        plan: &Plan,
        friction: Friction,
        name: &str,
        mistake: Option<Mistake>,
        signals: &mut Signals,
    ) -> Result<Input, End> {
        let policy = self.policy();
        if self.yes {
            if let Some(mistake) = mistake {
                let hint = match mistake {
                    Mistake::Reason => "the policy wants a reason: add --reason TEXT".to_owned(),
                    Mistake::Name => {
                        format!(
                            "the policy wants the target once more: add --confirm {}",
                            self.operation.action().target()
                        )
                    }
                    Mistake::Guess => "name it: --to-revision, --to-deployment or --to-digest".to_owned(),
                    Mistake::TooLittle | Mistake::Headless => "use the console: opsdeck".to_owned(),
                };
                return Err(Problem::new(Exit::Refused, format!("{mistake}; AWS was not called"))
                    .hint(hint)
                    .into());
            }
            for check in plan.checks.iter().filter(|check| check.finding == Finding::Warn) {
                self.say(&format!("warning: {}: {}", check.name, check.evidence));
            }
            let with =
                Confirmation::CommandLine { reason: self.reason.clone(), confirm: self.confirm.clone() };
            return Ok(Input::Confirm { with, policy });
        }
        if !self.asks {
            let what = "nobody is there to confirm it; AWS was not called";
            let hint = "add --yes, or --dry-run to see the plan";
            return Err(Problem::new(Exit::Refused, what).hint(hint).into());
        }
        if let Some(mistake) = mistake {
            self.printer.remark(&mistake.to_string());
        } else {
            let lines = plan_lines(plan, self.printer);
            self.printer.lines(&lines)?;
            self.printer.flush()?;
        }
        let answered = tokio::select! {
            with = self.ask(friction, name) => with,
            // Nobody confirmed anything; the line that is still read goes nowhere.
            () = signals.came() => None,
        };
        let Some(with) = answered else { return Ok(Input::Cancel) };
        // It may have taken long to answer: what holds now counts.
        let policy = self.policy();
        Ok(Input::Confirm { with, policy })
    }

    /// Asks at the terminal; `None` is no.
    async fn ask(&mut self, friction: Friction, name: &str) -> Option<Confirmation> {
        if friction == Friction::YesKey {
            let answer = self.prompt("Do it? Type yes: ").await?;
            return (answer == "yes").then_some(Confirmation::Key);
        }
        let typed = self.prompt(&format!("Type {name} to confirm: ")).await?;
        if typed.is_empty() {
            return None;
        }
        let mut reason = self.reason.clone();
        if friction == Friction::TypedNameAndReason && reason.is_none() {
            reason = self.prompt("Reason: ").await;
        }
        Some(Confirmation::Typed { name: typed, reason })
    }

    /// Asks for a line. What was typed before the question is no answer to it.
    async fn prompt(&mut self, text: &str) -> Option<String> {
        let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
        self.printer.prompt(text);
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line).ok()?;
            (read > 0).then(|| line.trim().to_owned())
        });
        read.await.ok().flatten()
    }

    /// Prints what came of it.
    fn close(self, verdict: Option<Verdict>, scope: &Scope, exit_code: Option<i32>) -> Result<Exit, End> {
        let empty = Plan::default();
        let plan = self.operation.plan().unwrap_or(&empty);
        let receipts = self.operation.receipts();
        let mut deployments: Vec<String> = receipts.iter().filter_map(|r| r.deployment.clone()).collect();
        deployments.extend(self.operation.watched().into_iter().filter_map(|watched| watched.deployment));
        deployments.sort();
        deployments.dedup();
        let mut item = Item::of(plan, verdict.as_ref());
        item.account = scope.account.to_string();
        item.region = scope.region.to_string();
        self.operation.action().verb().clone_into(&mut item.verb);
        item.target = self.operation.action().target();
        self.operation.id().clone_into(&mut item.operation);
        item.deployments = deployments;
        item.task = receipts.iter().find_map(|receipt| receipt.task.clone());
        item.exit_code = exit_code;
        item.request_ids = receipts.iter().filter_map(|receipt| receipt.request_id.clone()).collect();
        let complete =
            ScopeState { account: item.account.clone(), region: item.region.clone(), complete: true };
        let as_of = Time(self.session.clock.now().wall);
        let report = Report {
            as_of,
            scopes: vec![complete],
            failures: Vec::new(),
            remarks: Vec::new(),
            items: vec![item],
            printed: 0,
        };
        let show_plan =
            self.dry_run || matches!(verdict, Some(Verdict::Refused { .. } | Verdict::Changed { .. }));
        let title = self.operation.action().to_string();
        let told = verdict.clone();
        let plan = plan.clone();
        let exit = self.printer.report(&report, move |_, printer| {
            let mut lines =
                if show_plan && !plan.title.is_empty() { plan_lines(&plan, printer) } else { Vec::new() };
            match &told {
                None => lines.push("dry run: nothing was changed".to_owned()),
                Some(verdict) => lines.push(verdict_line(&title, verdict, printer)),
            }
            lines
        })?;
        Ok(match verdict {
            // Somebody waited for the end, and it was not seen.
            Some(Verdict::Accepted) if self.interrupted => Exit::Unknown,
            Some(verdict) => Exit::of_verdict(&verdict),
            None => exit,
        })
    }
}
