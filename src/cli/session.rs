//! What a headless verb works with: the road to AWS, the clock, the scopes that flags, environment and
//! configuration name, and its patience.
//!
//! Must not ask AWS for anything that the verb does not need.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::environment::Environment;
use crate::cli::exit::Problem;
use crate::cli::gather::Gather;
use crate::cli::parser::Request;
use crate::cli::user;
use crate::cloud::{AccountSettings, Cloud, Endpoint, Pacing, Settings};
use crate::config::Config;
use crate::domain::query::{Class, Query};
use crate::domain::scope::{Account, Arn, Region, Scope};
use crate::stdx::clock::Clock;

/// How long a verb waits when nobody says otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// A headless verb's surroundings.
pub struct Session {
    /// The road to AWS.
    pub cloud: Cloud,
    /// The clock.
    pub clock: Clock,
    /// Where to ask.
    pub scopes: Vec<Scope>,
    /// How long to wait.
    pub patience: Option<Duration>,
    /// The configuration.
    pub config: Config,
    /// The account ids that the configuration expects.
    expected: BTreeMap<Account, String>,
}

impl Session {
    /// Opens what the request needs. Reads files, asks no network unless no region is known otherwise.
    ///
    /// # Errors
    /// When flags, environment or configuration are wrong or name no region.
    pub async fn open(request: &Request, environment: &Environment) -> Result<Self, Problem> {
        let config = user::config(request, environment)?;
        let clock = Clock::system();
        let accounts = accounts(request, environment, &config);
        let cloud = Cloud::new(settings(request, environment, accounts.clone()), clock.clone())?;
        let named = regions(request, &config)?;
        let arn = request.text("NAME").and_then(Arn::parse).filter(|arn| !arn.region.is_empty());
        let mut scopes = Vec::new();
        for AccountSettings { account, .. } in accounts {
            let regions = match (arn, named.is_empty()) {
                // An ARN says where it lives, so no region needs to be known otherwise.
                (Some(arn), true) => vec![Region::new(arn.region)],
                (Some(arn), false) if request.is_given("region") => vec![among(&named, arn.region)?],
                (Some(arn), false) => vec![Region::new(arn.region)],
                (None, true) => vec![cloud.default_region(&account).await?],
                (None, false) => named.clone(),
            };
            scopes.extend(regions.into_iter().map(|region| Scope { account: account.clone(), region }));
        }
        let expected = config
            .accounts
            .iter()
            .filter_map(|(name, account)| Some((Account::new(name), account.id.clone()?)));
        let patience = request.span("timeout").or_else(|| (!request.is_on("follow")).then_some(PATIENCE));
        let expected = expected.collect();
        Ok(Self { cloud, clock, scopes, patience, config, expected })
    }

    /// The account id that credentials must belong to, when it is configured.
    #[must_use]
    pub fn expected_id(&self, account: &Account) -> Option<&str> {
        self.expected.get(account).map(String::as_str)
    }

    /// Opens the books of a verb.
    #[must_use]
    pub fn gather(&self) -> Gather {
        let cloud = self.cloud.clone();
        let ask = move |query: Query| {
            let cloud = cloud.clone();
            async move {
                let (action, scope) = (query.action(), query.scope().clone());
                let outcome = cloud.ask(query, Class::Foreground).await;
                let fault = outcome.as_ref().err().map(|fault| fault.kind);
                tracing::debug!(action, %scope, ?fault, "asked");
                outcome
            }
        };
        Gather::new(ask, self.clock.clone(), self.patience).expecting(self.expected.clone())
    }
}

/// Whom to talk to, as whom, how fast.
pub(super) fn settings(
    request: &Request,
    environment: &Environment,
    accounts: Vec<AccountSettings>,
) -> Settings {
    Settings {
        accounts,
        endpoint: Endpoint::FromEnvironment,
        pacing: if request.text("budget") == Some("off") { Pacing::Off } else { Pacing::On },
        shared_budget_dir: environment.runtime_folder(),
        environment: environment.beginning("AWS_").map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        seed: u64::from(std::process::id()),
    }
}

/// The credential contexts: the named profile's alone; or that of keys in the environment; or all that are
/// configured; or `default`.
pub(super) fn accounts(
    request: &Request,
    environment: &Environment,
    config: &Config,
) -> Vec<AccountSettings> {
    let profile = request.text("profile").or_else(|| environment.get("AWS_PROFILE"));
    let configured = config.accounts.iter().map(|(name, account)| AccountSettings {
        account: Account::new(name),
        profile: Some(account.profile.clone().unwrap_or_else(|| name.clone())),
    });
    if let Some(profile) = profile {
        let own = configured.into_iter().find(|account| account.profile.as_deref() == Some(profile));
        let named = AccountSettings { account: Account::new(profile), profile: Some(profile.to_owned()) };
        return vec![own.unwrap_or(named)];
    }
    let configured: Vec<AccountSettings> = configured.collect();
    if configured.is_empty() || environment.get("AWS_ACCESS_KEY_ID").is_some() {
        return vec![AccountSettings { account: Account::new("default"), profile: None }];
    }
    configured
}

/// The regions that `--region` names, or else the configuration's set `default`.
pub(super) fn regions(request: &Request, config: &Config) -> Result<Vec<Region>, Problem> {
    let words = request.all("region");
    let list = if words.is_empty() { "default".to_owned() } else { words.join(",") };
    let regions = config.expand_regions(&list).map_err(|what| {
        Problem::usage(what).hint("write regions such as eu-west-2, or a set's name from the configuration")
    })?;
    Ok(regions.into_iter().map(Region::new).collect())
}

fn among(named: &[Region], region: &str) -> Result<Region, Problem> {
    named.iter().find(|known| known.as_str() == region).cloned().ok_or_else(|| {
        Problem::usage(format!("the ARN is in {region}, which --region does not name"))
            .hint("leave --region out: an ARN says where it is")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parser::{Parsed, parse};
    use crate::config::Layer;

    fn request(line: &str) -> Request {
        match parse(std::iter::once("opsdeck").chain(line.split_whitespace()).map(Into::into)) {
            Ok(Parsed::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn config(text: &str) -> Config {
        Config::load(&[Layer { source: "config.toml", text }]).unwrap()
    }

    #[test]
    fn regions_come_from_the_flag_or_the_configuration() {
        let config = config("[regions]\ndefault = [\"us-east-1\"]\nwork = [\"eu-west-2\", \"me-south-1\"]");
        let named = |line: &str| {
            regions(&request(line), &config).map(|r| r.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(named("services").unwrap(), ["us-east-1"]);
        assert_eq!(
            named("services --region work,us-east-1").unwrap(),
            ["eu-west-2", "me-south-1", "us-east-1"]
        );
        assert!(named("services --region london").unwrap_err().what.contains("`london`"));
    }

    #[test]
    fn the_account_is_the_profile_then_the_keys_then_the_configured_ones() {
        let nobody = Environment::default();
        let config = config("[accounts.shop]\nprofile = \"shop-admin\"\n[accounts.dev]");
        let named = |line: &str, environment: &Environment, config: &Config| {
            let accounts = accounts(&request(line), environment, config);
            accounts
                .iter()
                .map(|a| format!("{}={}", a.account, a.profile.as_deref().unwrap_or("-")))
                .collect::<Vec<_>>()
        };
        assert_eq!(named("services", &nobody, &Config::default()), ["default=-"]);
        assert_eq!(named("services", &nobody, &config), ["dev=dev", "shop=shop-admin"]);
        assert_eq!(named("services --profile shop-admin", &nobody, &config), ["shop=shop-admin"]);
        let environment = Environment::of([("AWS_PROFILE", "staging"), ("AWS_ACCESS_KEY_ID", "x")]);
        assert_eq!(named("services", &environment, &config), ["staging=staging"]);
        let keys = Environment::of([("AWS_ACCESS_KEY_ID", "x")]);
        assert_eq!(named("services", &keys, &config), ["default=-"]);
    }
}
