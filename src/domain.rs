//! The nouns of operating systems on AWS, and the verbs as data: what can be asked, what can be changed.
//!
//! Floor 1. Must not know the AWS SDK, a terminal, or how anything is fetched or drawn.

pub mod action;
pub mod alarm;
pub mod balancer;
pub mod cache;
pub mod change;
pub mod database;
pub mod ecs;
pub mod fault;
pub mod identity;
pub mod log;
pub mod meter;
pub mod metric;
pub mod mutation;
pub mod observation;
pub mod plan;
pub mod query;
pub mod registry;
pub mod role;
pub mod scaling;
pub mod scope;
pub mod secret;
pub mod sweep;
pub mod task;
pub mod task_definition;
pub mod verdict;
