//! What every service's conversion needs: lists that AWS leaves out, times, counts, pages.
//!
//! Must not know a service. Nothing here fails: what is left out is empty, what is out of range is zero or absent.

use aws_smithy_types::DateTime;

use crate::cloud::fault::Lost;
use crate::domain::database::EVENTS_KEPT;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::Mutation;
use crate::domain::query::{PageToken, Query};
use crate::stdx::clock::Wall;

/// Every element of a list that AWS may leave out, converted.
pub(super) fn all<S, T>(list: Option<Vec<S>>, convert: impl FnMut(S) -> T) -> Vec<T> {
    list.unwrap_or_default().into_iter().map(convert).collect()
}

/// A time, unless it is beyond our reckoning.
pub(super) fn wall(time: DateTime) -> Option<Wall> {
    time.to_millis().ok().map(Wall)
}

/// A time as the SDK takes it.
pub(super) fn time(wall: Wall) -> DateTime {
    DateTime::from_millis(wall.0)
}

/// The `Duration` of `DescribeEvents` that reaches back to `from`, in whole minutes, at least one and no more than
/// AWS keeps: it refuses to look further back. Asked for as a duration because a `StartTime` without an end means
/// the hour after it.
pub(super) fn minutes(from: Wall, now: Wall) -> i32 {
    let kept = i64::try_from(EVENTS_KEPT.as_secs() / 60).unwrap_or(i64::MAX);
    let minutes = now.0.saturating_sub(from.0).saturating_add(59_999) / 60_000;
    i32::try_from(minutes.clamp(1, kept)).unwrap_or(i32::MAX)
}

/// A count; AWS's are signed but never negative.
pub(super) fn count(n: i32) -> u32 {
    u32::try_from(n).unwrap_or(0)
}

/// A port; none when it is not one.
pub(super) fn port(n: Option<i32>) -> Option<u16> {
    n.and_then(|n| u16::try_from(n).ok())
}

/// The page that is asked for.
pub(super) fn token(page: Option<&PageToken>) -> Option<String> {
    page.map(|p| p.0.clone())
}

/// The page after this one. Some services end a list with an empty token.
pub(super) fn next(token: Option<String>) -> Option<PageToken> {
    token.filter(|t| !t.is_empty()).map(PageToken)
}

/// A mutation that came to a service which does not know it; nothing was sent.
pub(super) fn unfit(mutation: &Mutation, service: &str) -> Lost {
    let message = format!("{} is not a request to {service}", mutation.action());
    Lost { sent: false, ..Fault::new(FaultKind::Unknown, message).into() }
}

/// A query that came to a service which does not know it.
pub(super) fn stray(query: &Query, service: &str) -> Lost {
    let message = format!("{} is not a request to {service}", query.action());
    Fault::new(FaultKind::Unknown, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reaches_back_far_enough_and_no_further_than_aws_keeps() {
        let now = Wall(1_000_000_000);
        assert_eq!(minutes(Wall(now.0 - 3_600_000), now), 60);
        assert_eq!(minutes(Wall(now.0 - 3_600_001), now), 61);
        assert_eq!(minutes(now, now), 1);
        assert_eq!(minutes(Wall(now.0 + 5), now), 1);
        assert_eq!(minutes(Wall(i64::MIN), now), 20_160);
    }
}
