//! The one road to AWS: takes a `Query`, gives an `Answer` or a `Fault`.
//!
//! Floor 5, and the only module that names the AWS SDK: its types come in here and domain types go out. Must
//! not know who asks or why, must not hold results, and must not import the simulator: it is reached like
//! AWS, over a socket. Mutating calls stand in `cloud/*/write.rs` and nowhere else.

mod ecs;
mod fault;
mod http;
mod logs;
mod session;
pub mod settings;
mod steered;
mod sts;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::session::{Service, Session};
pub use crate::cloud::settings::{AccountSettings, Endpoint, Pacing, Settings};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::query::{Answer, Class, Query};
use crate::domain::scope::{Account, Region};
use crate::stdx::clock::Clock;

/// The road to AWS. Cheap to make and to clone; everything slow waits for the first query.
#[derive(Clone, Debug)]
pub struct Cloud {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    clock: Clock,
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
        let inner = Inner { settings, clock, sessions: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks AWS. Dropping the future cancels the request.
    ///
    /// # Errors
    /// Whatever kept the answer away, mapped to a kind with a hint.
    pub async fn ask(&self, query: Query, _class: Class) -> Result<Answer, Fault> {
        let session = self.session(&query).await?;
        self.attempt(&session, &query).await.map_err(|lost| lost.fault)
    }

    /// The region that an account starts in: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile, the instance.
    ///
    /// # Errors
    /// None is known, the profile does not exist, or its file cannot be read.
    pub async fn default_region(&self, account: &Account) -> Result<Region, Fault> {
        session::default_region(&self.inner.settings, self.account(account)?, &self.inner.clock).await
    }

    /// One attempt.
    async fn attempt(&self, session: &Session, query: &Query) -> Result<Answer, Lost> {
        let scope = query.scope();
        let account = self.account(&scope.account)?;
        let service = Service::of(query.action());
        let call = Call {
            action: query.action(),
            service: service.name(),
            region: scope.region.as_str(),
            endpoint: session.endpoint(service),
            profile: self.inner.settings.profile(account),
            keys_in_environment: self.inner.settings.keys_in_environment(account),
        };
        let clients = session.clients(&scope.region);
        match service {
            Service::Ecs => ecs::ask(session.ecs(&clients, &scope.region), query, &call).await,
            Service::Logs => logs::ask(session.logs(&clients, &scope.region), query, &call).await,
            Service::Sts => sts::caller_identity(session.sts(&clients, &scope.region), &call).await,
        }
    }

    /// The session of a query's account, made by whoever asks first.
    async fn session(&self, query: &Query) -> Result<Arc<Session>, Fault> {
        let scope = query.scope();
        let account = self.account(&scope.account)?;
        let cell = {
            let mut sessions = self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.entry(scope.account.clone()).or_default().clone()
        };
        let load = || async {
            Session::load(&self.inner.settings, account, &scope.region, &self.inner.clock).await.map(Arc::new)
        };
        cell.get_or_try_init(load).await.cloned()
    }

    fn account(&self, name: &Account) -> Result<&AccountSettings, Fault> {
        self.inner.settings.accounts.iter().find(|a| a.account == *name).ok_or_else(|| {
            Fault::new(FaultKind::Config, format!("no account {name} is configured"))
                .hint("name it in the configuration, or use a profile")
        })
    }
}
