//! What CloudTrail knows: every change that somebody made to the account, with who, what and by which words.
//!
//! Must not record reads: a console that polls would fill it with itself.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sim::world::World;
use crate::sim::world::event::uuid;
use crate::stdx::clock::Wall;

mod past;

pub(crate) use past::Release;

/// So many are kept; older ones fall out.
const MOST: usize = 20_000;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An IAM user.
    User(String),
    /// A session of a role.
    Session {
        /// The role's name.
        role: String,
        /// The session's.
        session: String,
    },
    /// An AWS service on a role's behalf: the service's host, role and session.
    Behalf {
        /// Such as `ecs.application-autoscaling.amazonaws.com`.
        service: String,
        /// The role's name.
        role: String,
        /// The session's.
        session: String,
    },
    /// An AWS service by itself.
    Service(String),
}

impl Actor {
    /// `Username`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) => name,
            Self::Session { session, .. } | Self::Behalf { session, .. } => session,
            Self::Service(host) => host,
        }
    }
}

/// One change.
#[derive(Clone, Debug)]
pub struct Deed {
    /// When.
    pub at: Wall,
    /// Region.
    pub region: String,
    /// `eventSource` without `.amazonaws.com`.
    pub source: String,
    /// `eventName`.
    pub name: String,
    /// Who.
    pub by: Actor,
    /// Resources: type and name.
    pub resources: Vec<(String, String)>,
    /// `requestParameters`.
    pub request: Value,
    /// `responseElements`.
    pub response: Value,
    /// `errorCode` and `errorMessage`.
    pub error: Option<(String, String)>,
    /// Further members of the event.
    pub details: Value,
    /// `sourceIPAddress`.
    pub address: String,
    /// `userAgent`.
    pub agent: String,
}

impl Deed {
    /// A change without words.
    #[must_use]
    pub fn new(at: Wall, region: &str, source: &str, name: &str, by: Actor) -> Self {
        let address = match &by {
            Actor::Service(host) | Actor::Behalf { service: host, .. } => host.clone(),
            Actor::User(_) => "20.55.14.61".to_owned(),
            Actor::Session { .. } => "203.0.113.24".to_owned(),
        };
        Self {
            at,
            region: region.to_owned(),
            source: source.to_owned(),
            name: name.to_owned(),
            agent: match &by {
                Actor::Service(host) | Actor::Behalf { service: host, .. } => host.clone(),
                _ => "aws-cli/2.31.6 md/awscrt#0.27.6 ua/2.1 os/linux lang/python#3.13.7".to_owned(),
            },
            by,
            resources: Vec::new(),
            request: Value::Null,
            response: Value::Null,
            error: None,
            details: Value::Null,
            address,
        }
    }
}

/// A change as CloudTrail keeps it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, from which its id follows.
    pub number: u64,
    /// What was done.
    pub deed: Deed,
}

impl Entry {
    /// `EventId`.
    #[must_use]
    pub fn id(&self) -> String {
        uuid(self.number ^ 0x7a_11, self.deed.at.0.unsigned_abs())
    }

    /// When LookupEvents begins to find it: some minutes later.
    #[must_use]
    pub fn found_at(&self) -> Wall {
        let mut dice = fastrand::Rng::with_seed(self.number ^ self.deed.at.0.unsigned_abs());
        self.deed.at.plus(Duration::from_secs(dice.u64(100..=420)))
    }
}

/// All that is kept, in the order in which it was told.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    entries: VecDeque<Entry>,
    told: u64,
}

impl Trail {
    /// Keeps one more.
    pub fn tell(&mut self, deed: Deed) {
        self.told += 1;
        self.entries.push_back(Entry { number: self.told, deed });
        if self.entries.len() > MOST {
            self.entries.pop_front();
        }
    }

    /// All of a region, newest first.
    #[must_use]
    pub fn newest_first(&self, region: &str) -> Vec<&Entry> {
        let mut found: Vec<&Entry> =
            self.entries.iter().filter(|entry| entry.deed.region == region).collect();
        found.sort_by_key(|entry| std::cmp::Reverse((entry.deed.at, entry.number)));
        found
    }
}

impl World {
    /// Who deploys a stack: the documents of two systems give their pipeline the keys of a user, the others
    /// are read as roles.
    pub(crate) fn pipeline(&self, stack: &str) -> Actor {
        match stack {
            "gov" | "cma" => Actor::User("github-actions".to_owned()),
            _ => Actor::Session { role: format!("{stack}-deploy-role"), session: "GitHubActions".to_owned() },
        }
    }

    /// A person who signed in through SSO.
    pub(crate) fn person(session: &str) -> Actor {
        Actor::Session {
            role: "AWSReservedSSO_Operators_8d1f6a2c40b97e35".to_owned(),
            session: session.to_owned(),
        }
    }

    /// The autoscaler changed a service's desired count.
    pub(crate) fn tell_scaling(&mut self, service: usize, at: Wall, count: u32) {
        let Some(found) = self.services.get(service) else { return };
        let by = Actor::Behalf {
            service: "ecs.application-autoscaling.amazonaws.com".to_owned(),
            role: "AWSServiceRoleForApplicationAutoScaling_ECSService".to_owned(),
            session: "AutoScaling-UpdateDesiredCapacity".to_owned(),
        };
        let deed = Deed {
            resources: vec![("AWS::ECS::Service".to_owned(), found.arn())],
            request: json!({ "cluster": &*found.cluster, "service": &*found.name, "desiredCount": count }),
            response: json!({ "service": { "serviceArn": found.arn(), "desiredCount": count } }),
            ..Deed::new(at, &found.region, "ecs", "UpdateService", by)
        };
        self.trail.tell(deed);
    }
}
