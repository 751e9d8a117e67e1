//! The envelope around every machine-readable result: when it was true, where it was asked, whether it is
//! complete, what failed.
//!
//! Must not hide a failure: what is missing is either in `failures` or the result is complete.

use crate::cli::exit::Exit;
use crate::cli::item::{Time, shape};
use crate::domain::fault::{Failure, Fault, FaultKind};
use crate::domain::scope::Scope;

shape! {
    /// A place that was asked.
    ScopeState {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// Whether all that was asked of it was answered.
        complete: bool = "boolean",
    }

    /// Something that is missing from the result.
    Missing {
        /// The credential context that was asked.
        account: String = "text",
        /// The region that was asked.
        region: String = "text",
        /// The operation as an IAM action, such as `ecs:ListServices`; null when it was not one request.
        action: Option<String> = "text or null",
        /// `no_credentials`, `expired`, `denied`, `throttled`, `network`, `server`, `not_found`, `unsupported`, `invalid`, `config`, `garbled`, `unknown`.
        kind: FaultKind = "text",
        /// AWS's error code, or the reason of an entry in a `failures` list (`MISSING`).
        code: Option<String> = "text or null",
        /// One sentence.
        message: String = "text",
        /// What to do about it.
        hint: Option<String> = "text or null",
        /// What could not be described, for an entry in a `failures` list.
        arn: Option<String> = "text or null",
    }
}

/// What a verb found out, before it is printed.
#[derive(Clone, Debug)]
pub struct Report<T> {
    /// When it was true: the moment before the first request.
    pub as_of: Time,
    /// Where it was asked.
    pub scopes: Vec<ScopeState>,
    /// What is missing.
    pub failures: Vec<Missing>,
    /// What else a person has to know, for stderr alone.
    pub remarks: Vec<String>,
    /// What was found.
    pub items: Vec<T>,
    /// How many items were printed before, as they came.
    pub printed: usize,
}

impl Missing {
    /// A request that failed.
    #[must_use]
    pub fn request(scope: &Scope, fault: &Fault) -> Self {
        Self {
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            action: fault.action.clone(),
            kind: fault.kind,
            code: fault.code.clone(),
            message: fault.message.clone(),
            hint: fault.hint.clone(),
            arn: None,
        }
    }

    /// An entry of the `failures` list of an answer.
    #[must_use]
    pub fn entry(scope: &Scope, action: &str, failure: &Failure) -> Self {
        let kind = match failure.reason.as_str() {
            "MISSING" => FaultKind::NotFound,
            "ACCESS_DENIED" => FaultKind::Denied,
            _ => FaultKind::Unknown,
        };
        Self {
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            action: Some(action.to_owned()),
            kind,
            code: Some(failure.reason.clone()),
            message: failure
                .detail
                .clone()
                .unwrap_or_else(|| format!("{} could not be described: {}", failure.arn, failure.reason)),
            hint: None,
            arn: Some(failure.arn.clone()),
        }
    }

    /// Where, for a person: `REGION`, or `ACCOUNT/REGION` where the account has a name.
    #[must_use]
    pub fn place(&self) -> String {
        match self.account.as_str() {
            "default" => self.region.clone(),
            account => format!("{account}/{}", self.region),
        }
    }

    /// The sentence that stderr shows.
    #[must_use]
    pub fn sentence(&self) -> String {
        let action = self.action.as_deref().map_or_else(String::new, |action| format!("{action}: "));
        format!("{}: {action}{}", self.place(), self.message)
    }
}

impl<T> Report<T> {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.scopes.iter().all(|scope| scope.complete)
    }

    /// Whether anything was found out: a whole scope, even an empty one, or an item.
    #[must_use]
    pub fn knows_something(&self) -> bool {
        !self.items.is_empty() || self.printed > 0 || self.scopes.iter().any(|scope| scope.complete)
    }

    /// The exit code: done; partial when something was found out; otherwise the gravest fault's own.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.is_complete() {
            return Exit::Done;
        }
        if self.knows_something() {
            return Exit::Partial;
        }
        let codes: Vec<Exit> = self.failures.iter().map(|missing| Exit::of(missing.kind)).collect();
        [Exit::Denied, Exit::Unreachable, Exit::NotFound, Exit::Usage]
            .into_iter()
            .find(|exit| codes.contains(exit))
            .unwrap_or(Exit::Other)
    }
}

/// Why an action told nothing, or not all, of a place; `None` when nothing of it is missing. Where time ran out
/// before the answer, that is the reason.
#[must_use]
pub fn why_unread(failures: &[Missing], account: &str, region: &str, action: &str) -> Option<String> {
    let own = || failures.iter().filter(|missing| missing.account == account && missing.region == region);
    let named = own().find(|missing| missing.action.as_deref() == Some(action));
    let found = named.or_else(|| own().find(|missing| missing.action.is_none()))?;
    Some(match &found.action {
        Some(action) => format!("{action}: {}", found.message),
        None => found.message.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdx::clock::Wall;

    #[test]
    fn what_was_not_read_has_its_own_reason_or_that_time_ran_out() {
        let scope = Scope::new("default", "eu-west-2");
        let denied = Fault::new(FaultKind::Denied, "no").action("rds:DescribeEvents");
        let late = Fault::new(FaultKind::Network, "gave up");
        let failures = [Missing::request(&scope, &denied), Missing::request(&scope, &late)];
        let why = |failures: &[Missing], region, action| why_unread(failures, "default", region, action);
        assert_eq!(
            why(&failures, "eu-west-2", "rds:DescribeEvents").as_deref(),
            Some("rds:DescribeEvents: no")
        );
        assert_eq!(why(&failures, "eu-west-2", "rds:DescribeDBParameters").as_deref(), Some("gave up"));
        assert_eq!(why(&failures[..1], "eu-west-2", "rds:DescribeDBParameters"), None);
        assert_eq!(why(&failures, "us-east-1", "rds:DescribeEvents"), None, "another region's");
    }

    fn report(scopes: &[bool], faults: &[FaultKind], items: usize) -> Report<usize> {
        let scope = Scope::new("default", "eu-west-2");
        Report {
            as_of: Time(Wall(0)),
            scopes: scopes
                .iter()
                .map(|complete| ScopeState {
                    account: "default".into(),
                    region: "eu-west-2".into(),
                    complete: *complete,
                })
                .collect(),
            failures: faults.iter().map(|kind| Missing::request(&scope, &Fault::new(*kind, "no"))).collect(),
            remarks: Vec::new(),
            items: (0..items).collect(),
            printed: 0,
        }
    }

    #[test]
    fn the_exit_code_says_how_much_is_known() {
        use FaultKind::{Denied, Network, NotFound, Unsupported};
        assert_eq!(report(&[true, true], &[], 0).exit(), Exit::Done);
        assert_eq!(
            report(&[true, false], &[Denied], 0).exit(),
            Exit::Partial,
            "one scope is known to be empty"
        );
        assert_eq!(report(&[false], &[Network], 3).exit(), Exit::Partial);
        assert_eq!(report(&[false, false], &[Network, Denied], 0).exit(), Exit::Denied);
        assert_eq!(report(&[false], &[Network], 0).exit(), Exit::Unreachable);
        assert_eq!(report(&[false], &[NotFound], 0).exit(), Exit::NotFound);
        assert_eq!(report(&[false], &[Unsupported], 0).exit(), Exit::Other);
    }

    #[test]
    fn an_entry_of_a_failures_list_says_what_and_why() {
        let scope = Scope::new("default", "eu-west-2");
        let failure = Failure { arn: "arn:x".into(), reason: "MISSING".into(), detail: None };
        let missing = Missing::entry(&scope, "ecs:DescribeServices", &failure);
        assert_eq!(missing.kind, FaultKind::NotFound);
        assert_eq!(
            missing.sentence(),
            "eu-west-2: ecs:DescribeServices: arn:x could not be described: MISSING"
        );
    }
}
