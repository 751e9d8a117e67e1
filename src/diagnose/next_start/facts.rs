//! What is known of the things that a start needs, gathered answer by answer.
//!
//! Must not turn a failed question into an absence: denied, unreachable and missing are three things.

use std::collections::BTreeMap;

use crate::domain::balancer::TargetGroup;
use crate::domain::fault::Fault;
use crate::domain::log::LogGroup;
use crate::domain::query::{Answer, Query};
use crate::domain::registry::RegistryImage;
use crate::domain::role::Role;
use crate::domain::secret::{Secret, StoredParameter};

/// What is known of one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Learned<T> {
    /// It exists.
    Known(T),
    /// AWS says that it does not exist.
    Missing,
    /// AWS did not tell.
    Denied(Fault),
    /// Nobody asked.
    #[default]
    NotAsked,
}

/// What is known for the checks of one service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NextStartFacts {
    /// By image as `needed` asked for it: `REPOSITORY@sha256:…` or `REPOSITORY:TAG`.
    pub images: BTreeMap<String, Learned<RegistryImage>>,
    /// By the id in `valueFrom`.
    pub secrets: BTreeMap<String, Learned<Secret>>,
    /// By name, by region.
    pub parameters: BTreeMap<String, Learned<Vec<StoredParameter>>>,
    /// By name.
    pub log_groups: BTreeMap<String, Learned<LogGroup>>,
    /// By name.
    pub roles: BTreeMap<String, Learned<Role>>,
    /// By ARN.
    pub target_groups: BTreeMap<String, Learned<TargetGroup>>,
}

impl NextStartFacts {
    /// Takes the outcome of a question that `needed` or this function asked for, and says what to ask next
    /// (further pages).
    pub fn absorb(&mut self, query: &Query, outcome: &Result<Answer, Fault>) -> Vec<Query> {
        let _ = (query, outcome);
        Vec::new()
    }
}
