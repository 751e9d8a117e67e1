//! Where a thing lives. Every identity in opsdeck contains its scope, and every action goes to the scope of
//! the row it was asked for.
//!
//! Must not hold credentials: a scope is a name, not a session.

use serde::{Deserialize, Serialize};

crate::id! {
    /// The name of a credential context: a profile or a configured account; `default` without either.
    /// The twelve-digit account id is a fact learned later (`Identity`), since the first frame and the first
    /// calls do not wait for it.
    Account;
    /// An AWS region, such as `eu-west-2`.
    Region;
}

/// An account's region: the unit of credentials, quotas and failure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// Whose credentials.
    pub account: Account,
    /// Which region.
    pub region: Region,
}

impl Scope {
    /// A scope from its two names.
    pub fn new(account: impl Into<Account>, region: impl Into<Region>) -> Self {
        Self { account: account.into(), region: region.into() }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// The parts of an ARN that opsdeck uses: `arn:aws:ecs:eu-west-2:123456789012:service/cluster/name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `ecs`, `logs`, …
    pub service: &'a str,
    /// The region; empty for global resources.
    pub region: &'a str,
    /// The twelve-digit account id.
    pub account: &'a str,
    /// All that follows: `service/cluster/name`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart; `None` when the text is not one.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let _partition = parts.next()?;
        Some(Self {
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// What stands behind the last slash: a name or an id. A plain name is returned as it is.
    #[must_use]
    pub fn last(text: &'a str) -> &'a str {
        text.rsplit_once('/').map_or(text, |(_, last)| last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart() {
        let arn = Arn::parse("arn:aws:logs:eu-west-2:123456789012:log-group:/ecs/cma:*").unwrap();
        assert_eq!((arn.service, arn.region, arn.account), ("logs", "eu-west-2", "123456789012"));
        assert_eq!(arn.resource, "log-group:/ecs/cma:*");
        assert_eq!(Arn::parse("gateway-service"), None);
        assert_eq!(Arn::last("arn:aws:ecs:r:1:service/cluster/name"), "name");
    }
}
