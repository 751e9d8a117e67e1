//! What a headless verb works with: the road to AWS, the clock, the scopes that flags, environment and
//! configuration name, and its patience.
//!
//! Must not ask AWS for anything that the verb does not need.

use std::time::Duration;

use crate::cli::environment::Environment;
use crate::cli::exit::Problem;
use crate::cli::gather::Gather;
use crate::cli::parser::Request;
use crate::cloud::{AccountSettings, Cloud, Endpoint, Pacing, Settings};
use crate::domain::query::Class;
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
}

impl Session {
    /// Opens what the request needs. Reads files, asks no network unless no region is known otherwise.
    ///
    /// # Errors
    /// When flags, environment or configuration are wrong or name no region.
    pub async fn open(request: &Request, environment: &Environment) -> Result<Self, Problem> {
        let clock = Clock::system();
        let cloud = Cloud::new(settings(request, environment), clock.clone())?;
        let account = account(request, environment);
        let named = regions(request.all("region"))?;
        let arn = request.text("NAME").and_then(Arn::parse).filter(|arn| !arn.region.is_empty());
        let regions = match (arn, named.is_empty()) {
            // An ARN says where it lives, so no region needs to be known otherwise.
            (Some(arn), true) => vec![Region::new(arn.region)],
            (Some(arn), false) => vec![among(&named, arn.region)?],
            (None, true) => vec![cloud.default_region(&account).await?],
            (None, false) => named,
        };
        let scopes = regions.into_iter().map(|region| Scope { account: account.clone(), region }).collect();
        let patience = request.span("timeout").or_else(|| (!request.is_on("follow")).then_some(PATIENCE));
        Ok(Self { cloud, clock, scopes, patience })
    }

    /// Opens the books of a verb.
    #[must_use]
    pub fn gather(&self) -> Gather {
        let cloud = self.cloud.clone();
        let ask = move |query| {
            let cloud = cloud.clone();
            async move { cloud.ask(query, Class::Foreground).await }
        };
        Gather::new(ask, self.clock.clone(), self.patience)
    }
}

/// Whom to talk to, as whom, how fast.
fn settings(request: &Request, environment: &Environment) -> Settings {
    let profile = request.text("profile").map(str::to_owned);
    Settings {
        accounts: vec![AccountSettings { account: account(request, environment), profile }],
        endpoint: Endpoint::FromEnvironment,
        pacing: if request.text("budget") == Some("off") { Pacing::Off } else { Pacing::On },
        shared_budget_dir: environment.runtime_folder(),
        environment: environment.beginning("AWS_").map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        seed: u64::from(std::process::id()),
    }
}

/// The credential context's name: the profile's, or `default`.
fn account(request: &Request, environment: &Environment) -> Account {
    Account::new(request.text("profile").or_else(|| environment.get("AWS_PROFILE")).unwrap_or("default"))
}

/// The regions that `--region` names, each once, in order.
fn regions(words: &[String]) -> Result<Vec<Region>, Problem> {
    let mut regions: Vec<Region> = Vec::new();
    for word in words {
        if !looks_like_a_region(word) {
            return Err(Problem::usage(format!("`{word}` is not a region"))
                .hint("write regions such as eu-west-2, or a set's name from the configuration"));
        }
        let region = Region::new(word);
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    Ok(regions)
}

/// `eu-west-2`, `us-gov-east-1`: AWS adds regions, so only the form is checked.
fn looks_like_a_region(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
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

    #[test]
    fn regions_are_read_each_once() {
        let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let read = regions(&words("eu-west-2,us-gov-east-1,eu-west-2")).unwrap();
        assert_eq!(read, [Region::new("eu-west-2"), Region::new("us-gov-east-1")]);
        for bad in ["london", "eu-west", "eu-west-2a", "EU-WEST-2", "eu--2", "-west-2", "eu-west-"] {
            let problem = regions(&words(bad)).unwrap_err();
            assert!(problem.what.contains(&format!("`{bad}`")), "{problem}");
        }
    }

    #[test]
    fn the_account_is_named_by_its_profile() {
        let request = |line: &str| {
            let words = std::iter::once("opsdeck").chain(line.split_whitespace()).map(Into::into);
            match crate::cli::parser::parse(words) {
                Ok(crate::cli::parser::Parsed::Request(request)) => request,
                other => panic!("{other:?}"),
            }
        };
        let environment = Environment::of([("AWS_PROFILE", "staging")]);
        assert_eq!(account(&request("services"), &Environment::default()).as_str(), "default");
        assert_eq!(account(&request("services"), &environment).as_str(), "staging");
        assert_eq!(account(&request("services --profile prod"), &environment).as_str(), "prod");
    }
}
