//! (placeholder, replaced by the merge of the follow machine)
use crate::domain::ecs::Service;
use crate::domain::fault::Fault;
use crate::domain::log::LogSubject;
use crate::domain::query::{Answer, Query};
use crate::logs::line::Batch;
use crate::stdx::clock::Moment;
use std::time::Duration;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);
#[derive(Clone, Debug, Default)]
pub struct FollowOptions {
    pub since: Option<Duration>,
}
#[derive(Clone, Debug)]
pub struct Follow;
#[derive(Clone, Debug)]
pub struct FollowState;
impl FollowState {
    pub fn is_calm(&self) -> bool {
        true
    }
}
impl std::fmt::Display for FollowState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("live")
    }
}
impl Follow {
    pub fn new(_: LogSubject, _: FollowOptions, _: Moment) -> Self {
        Self
    }
    pub fn see_service(&mut self, _: &Service) {}
    pub fn next(&mut self, _: Moment) -> Vec<(RequestId, Query)> {
        Vec::new()
    }
    pub fn absorb(&mut self, _: RequestId, _: &Result<Answer, Fault>, _: Moment) -> Vec<Batch> {
        Vec::new()
    }
    pub fn wake_at(&self) -> Option<Moment> {
        None
    }
    pub fn state(&self, _: Moment) -> FollowState {
        FollowState
    }
    pub fn retry(&mut self) {}
    pub fn older(&mut self) {}
    pub fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}
