//! What `Cloud` is told at the start. The environment comes as data: `cli` has read it once.
//!
//! Must not hold secrets: credentials are the SDK's business.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use hyper::Uri;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::scope::{Account, Region};

/// Everything that decides whom we talk to, as whom, and how fast.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The accounts that scopes may name. A scope with an account that is not listed here is a fault.
    pub accounts: Vec<AccountSettings>,
    /// AWS (or what the standard variables say), or the simulator.
    pub endpoint: Endpoint,
    /// Whether requests are paced to a share of the account's quota.
    pub pacing: Pacing,
    /// Where processes of one user share their budget: `$XDG_RUNTIME_DIR/opsdeck`. `None` keeps it to
    /// this process.
    pub shared_budget_dir: Option<PathBuf>,
    /// The `AWS_*` variables.
    pub environment: BTreeMap<String, String>,
    /// Seed of the retries' jitter.
    pub seed: u64,
}

/// One credential context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Its name in every scope.
    pub account: Account,
    /// The profile; `None` is the default chain (`AWS_PROFILE` included).
    pub profile: Option<String>,
}

/// Whom to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// AWS, or where `AWS_ENDPOINT_URL…` and the profile point.
    FromEnvironment,
    /// A simulator on loopback: fixed credentials, no files, no proxy, no metadata service.
    Simulator {
        /// `http://127.0.0.1:4566`.
        url: String,
    },
}

/// Whether the budget holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// It does.
    On,
    /// It does not, against an endpoint that is not AWS's own.
    Off,
}

impl Settings {
    /// Settings for a simulator at `url`, with the one account `default`.
    #[must_use]
    pub fn simulator(url: impl Into<String>) -> Self {
        Self {
            accounts: vec![AccountSettings { account: Account::new("default"), profile: None }],
            endpoint: Endpoint::Simulator { url: url.into() },
            pacing: Pacing::On,
            shared_budget_dir: None,
            environment: BTreeMap::new(),
            seed: 0,
        }
    }

    /// A variable that is set to something.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Whether everything goes to a simulator.
    pub(super) fn is_simulator(&self) -> bool {
        matches!(self.endpoint, Endpoint::Simulator { .. })
    }

    /// The endpoint overrides that can be told without reading a file: service and URL, `all` for every
    /// service.
    pub(super) fn endpoint_overrides(&self) -> Vec<(String, String)> {
        if let Endpoint::Simulator { url } = &self.endpoint {
            return vec![("all".to_owned(), url.clone())];
        }
        if self
            .variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|v| v.eq_ignore_ascii_case("true"))
        {
            return Vec::new();
        }
        let of = |(name, url): (&String, &String)| {
            let rest = name.strip_prefix("AWS_ENDPOINT_URL")?;
            let service =
                if rest.is_empty() { "all".to_owned() } else { rest.strip_prefix('_')?.to_lowercase() };
            (!url.is_empty() && !service.is_empty()).then(|| (service, url.clone()))
        };
        self.environment.iter().filter_map(of).collect()
    }

    /// The profile of an account as the SDK will choose it, when one is named.
    pub(super) fn profile<'a>(&'a self, account: &'a AccountSettings) -> Option<&'a str> {
        account.profile.as_deref().or_else(|| self.variable("AWS_PROFILE"))
    }

    /// Whether the keys of an account come from the environment (a named profile beats them).
    pub(super) fn keys_in_environment(&self, account: &AccountSettings) -> bool {
        account.profile.is_none() && self.variable("AWS_ACCESS_KEY_ID").is_some()
    }

    /// The region that the environment names.
    pub(super) fn region(&self) -> Option<Region> {
        self.variable("AWS_REGION").or_else(|| self.variable("AWS_DEFAULT_REGION")).map(Region::new)
    }
}

/// Refuses a simulator that is not on this machine: demo mode talks to nobody else.
pub(super) fn check_loopback(url: &str) -> Result<(), Fault> {
    let uri: Uri = url.parse().map_err(|error| {
        Fault::new(FaultKind::Config, format!("{url} is not a URL: {error}")).hint("http://127.0.0.1:4566")
    })?;
    let host = uri.host().unwrap_or("").trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if uri.scheme_str() == Some("http") && loopback {
        return Ok(());
    }
    Err(Fault::new(FaultKind::Config, format!("{url} is not a simulator on this machine"))
        .hint("a simulator is reached as http://127.0.0.1:PORT; use AWS_ENDPOINT_URL for anything else"))
}

/// Whether an endpoint belongs to AWS, whatever way it was configured.
pub(super) fn is_aws(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return true };
    let host = uri.host().unwrap_or("").trim_end_matches('.').to_ascii_lowercase();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonwebservices.com.cn"]
        .iter()
        .any(|suffix| host.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_simulator() {
        for url in ["http://127.0.0.1:4566", "http://127.8.9.1:1", "http://[::1]:80/", "http://localhost:80"]
        {
            assert_eq!(check_loopback(url), Ok(()), "{url}");
        }
        for url in [
            "http://192.168.1.7:4566",
            "http://0.0.0.0:4566",
            "https://ecs.eu-west-2.amazonaws.com",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "127.0.0.1:4566",
            "http://",
            "",
        ] {
            assert_eq!(check_loopback(url).unwrap_err().kind, FaultKind::Config, "{url}");
        }
    }

    #[test]
    fn aws_is_known_by_its_names() {
        assert!(is_aws("https://ecs.us-east-1.amazonaws.com"));
        assert!(is_aws("https://vpce-1.ecs.eu-west-1.vpce.amazonaws.com/"));
        assert!(is_aws("https://ecs.cn-north-1.amazonaws.com.cn"));
        assert!(is_aws("https://ecs.us-east-1.api.aws."));
        assert!(is_aws("what is this"), "in doubt it is AWS");
        assert!(!is_aws("http://127.0.0.1:5555") && !is_aws("http://moto.internal:5555"));
        assert!(!is_aws("http://amazonaws.com.example"));
    }
}
