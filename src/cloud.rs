//! The one road to AWS: takes a `Query`, gives an `Answer` or a `Fault`.
//!
//! Floor 5, and the only module that names the AWS SDK: its types come in here and domain types go out. Must
//! not know who asks or why, must not hold results, and must not import the simulator: it is reached like
//! AWS, over a socket. Mutating calls stand in `cloud/*/write.rs` and nowhere else.

mod autoscaling;
mod budget;
mod change;
mod cloudtrail;
mod cloudwatch;
mod ecr;
mod ecs;
mod elasticache;
mod elb;
mod fault;
mod http;
mod iam;
mod logs;
pub mod meter;
mod rds;
mod retry;
mod secretsmanager;
mod session;
pub mod settings;
mod shape;
mod ssm;
mod steered;
mod sts;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::cloud::budget::gate::Gate;
use crate::cloud::budget::ledger::Ledger;
use crate::cloud::fault::{Call, Lost};
use crate::cloud::meter::Meter;
use crate::cloud::retry::Jitter;
use crate::cloud::session::{Road, Service, Session};
pub use crate::cloud::settings::{AccountSettings, Endpoint, Pacing, Settings};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::query::{Answer, Class, Query};
use crate::domain::scope::{Account, Region, Scope};
use crate::stdx::clock::Clock;

/// A session younger than this is not made again for a fault of credentials.
const RENEW_AFTER: Duration = Duration::from_secs(5);

/// The road to AWS. Cheap to make and to clone; everything slow waits for the first query.
#[derive(Clone, Debug)]
pub struct Cloud {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    road: Road,
    gate: Gate,
    jitter: Jitter,
    sessions: Mutex<HashMap<Account, Arc<OnceCell<Arc<Session>>>>>,
}

impl Cloud {
    /// Checks the settings; reads no file and opens no connection.
    ///
    /// # Errors
    /// A simulator's address that is not on loopback.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, Fault> {
        if let Endpoint::Simulator { url } = &settings.endpoint {
            settings::check_loopback(url)?;
        }
        // The quotas of a simulator or an emulator are not those of the account that others ask.
        let elsewhere = settings.endpoint_overrides().iter().any(|(service, _)| service == "all");
        let shared = settings.shared_budget_dir.clone().filter(|_| !elsewhere);
        let inner = Inner {
            gate: Gate::new(clock.clone(), settings.pacing, shared.map(Ledger::new)),
            jitter: Jitter::new(settings.seed),
            road: Road::new(&settings, clock),
            settings,
            sessions: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks AWS: waits for its turn in the budget, asks, and asks again when the failure may pass. Dropping
    /// the future cancels all of it.
    ///
    /// # Errors
    /// Whatever kept the answer away, mapped to a kind with a hint.
    pub async fn ask(&self, query: Query, class: Class) -> Result<Answer, Fault> {
        let scope = query.scope();
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let session = self.session(scope).await?;
            self.check_pacing(&session, query.action())?;
            let ticket = self.inner.gate.enter(scope, query.action(), class).await;
            let begun = self.inner.road.clock.now();
            let attempted = self.attempt(&session, &query).await;
            let took = self.inner.road.clock.now().since(begun);
            tracing::debug!(
                action = query.action(),
                %scope,
                ?class,
                attempt,
                took_ms = took.as_millis(),
                fault = attempted.as_ref().err().map(|lost| tracing::field::debug(lost.fault.kind)),
                "asked"
            );
            let lost = match attempted {
                Ok(answer) => return Ok(answer),
                Err(lost) => lost,
            };
            self.inner.gate.failed(&ticket, &lost.fault);
            if lost.fault.kind == FaultKind::Throttled {
                self.inner.gate.throttled(&ticket);
            }
            drop(ticket);
            if lost.fault.is_about_credentials() || lost.fault.kind == FaultKind::Config {
                // Somebody may have logged in again or mended a file since the session was made: look once.
                if self.forget(&scope.account, &session) && !renewed {
                    renewed = true;
                    continue;
                }
                return Err(lost.fault);
            }
            attempt += 1;
            match self.inner.jitter.pause(&lost, attempt) {
                Some(pause) => self.inner.road.clock.sleep(pause).await,
                None => return Err(lost.fault),
            }
        }
    }

    /// The figures of the API budget.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.inner.gate.meter()
    }

    /// Where requests go instead of AWS: service and URL. What profiles say is known once their account has
    /// been asked something.
    #[must_use]
    pub fn endpoint_overrides(&self) -> Vec<(String, String)> {
        let mut overrides = self.inner.settings.endpoint_overrides();
        let sessions = self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for session in sessions.values().filter_map(|cell| cell.get()) {
            for service in Service::ALL.iter().copied() {
                let Some(url) = session.endpoint(service) else { continue };
                if !overrides.iter().any(|(name, all)| name == "all" && all == url) {
                    overrides.push((service.id().to_owned(), url.to_owned()));
                }
            }
        }
        overrides.sort();
        overrides.dedup();
        overrides
    }

    /// The region that an account starts in: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile, the instance.
    ///
    /// # Errors
    /// None is known, the profile does not exist, or its file cannot be read.
    pub async fn default_region(&self, account: &Account) -> Result<Region, Fault> {
        session::default_region(&self.inner.settings, self.account(account)?, &self.inner.road.clock).await
    }

    /// One attempt.
    async fn attempt(&self, session: &Session, query: &Query) -> Result<Answer, Lost> {
        let scope = query.scope();
        let account = self.account(&scope.account)?;
        let service = Service::of(query.action());
        let call = self.call(session, scope, account, query.action());
        let (clients, region) = (session.clients(&scope.region), &scope.region);
        let now = self.inner.road.clock.now().wall;
        match service {
            Service::Ecs => ecs::ask(session.ecs(&clients, region), query, &call).await,
            Service::Logs => logs::ask(session.logs(&clients, region), query, &call).await,
            Service::Sts => sts::caller_identity(session.sts(&clients, region), &call).await,
            Service::CloudWatch => cloudwatch::ask(session.cloudwatch(&clients, region), query, &call).await,
            Service::Rds => rds::ask(session.rds(&clients, region), query, &call, now).await,
            Service::ElastiCache => {
                elasticache::ask(session.elasticache(&clients, region), query, &call, now).await
            }
            Service::Secrets => secretsmanager::ask(session.secrets(&clients, region), query, &call).await,
            Service::Ssm => ssm::ask(session.ssm(&clients, region), query, &call).await,
            Service::CloudTrail => cloudtrail::ask(session.cloudtrail(&clients, region), query, &call).await,
            Service::AutoScaling => {
                autoscaling::ask(session.autoscaling(&clients, region), query, &call).await
            }
            Service::Ecr => ecr::ask(session.ecr(&clients, region), query, &call).await,
            Service::Iam => iam::ask(session.iam(&clients, region), query, &call).await,
            Service::Elb => elb::ask(session.elb(&clients, region), query, &call).await,
        }
    }

    /// What a call is about, for the words of its fault.
    fn call<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a Scope,
        account: &'a AccountSettings,
        action: &'a str,
    ) -> Call<'a> {
        let service = Service::of(action);
        Call {
            action,
            service: service.name(),
            region: scope.region.as_str(),
            endpoint: session.endpoint(service),
            profile: self.inner.settings.profile(account),
            keys_in_environment: self.inner.settings.keys_in_environment(account),
        }
    }

    /// The session of a scope's account, made by whoever asks first.
    async fn session(&self, scope: &Scope) -> Result<Arc<Session>, Fault> {
        let account = self.account(&scope.account)?;
        let cell = {
            let mut sessions = self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.entry(scope.account.clone()).or_default().clone()
        };
        let load = || async {
            Session::load(&self.inner.settings, account, &scope.region, &self.inner.road).await.map(Arc::new)
        };
        cell.get_or_try_init(load).await.cloned()
    }

    /// Drops a session whose credentials failed, so that the next query reads the files anew. Says whether
    /// that may help: not when it was made only a moment ago, or holds fixed credentials.
    fn forget(&self, account: &Account, failed: &Arc<Session>) -> bool {
        if self.inner.settings.is_simulator() {
            return false;
        }
        let mut sessions = self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let current = sessions.get(account).and_then(|cell| cell.get());
        if current.is_some_and(|session| Arc::ptr_eq(session, failed)) {
            sessions.remove(account);
        }
        self.inner.road.clock.now().since(failed.made) > RENEW_AFTER
    }

    /// Without pacing nothing may go to AWS itself.
    fn check_pacing(&self, session: &Session, action: &str) -> Result<(), Fault> {
        let endpoint = session.endpoint(Service::of(action));
        let elsewhere = endpoint.is_some_and(|url| !settings::is_aws(url));
        if self.inner.settings.pacing == Pacing::On || elsewhere {
            return Ok(());
        }
        let message = "the API budget cannot be lifted against AWS itself";
        Err(Fault::new(FaultKind::Config, message)
            .action(action)
            .hint("`--budget off` is for emulators and the simulator: set AWS_ENDPOINT_URL, or leave it out"))
    }

    fn account(&self, name: &Account) -> Result<&AccountSettings, Fault> {
        self.inner.settings.accounts.iter().find(|a| a.account == *name).ok_or_else(|| {
            Fault::new(FaultKind::Config, format!("no account {name} is configured"))
                .hint("name it in the configuration, or use a profile")
        })
    }
}
