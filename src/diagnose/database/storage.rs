//! When a database's storage will be full.
//!
//! Must not extrapolate from less than an hour of numbers, or from storage that does not shrink.

use std::time::Duration;

use serde::Serialize;

use crate::diagnose::number::GIB;
use crate::stdx::clock::Wall;

const DAY_S: f64 = 86_400.0;

/// From less than this no slope is told: one large query's temporary file would look like the end.
const LEAST_SPAN: Duration = Duration::from_secs(3_600);

/// Beyond this a projection says nothing.
const MOST_DAYS: f64 = 3_650.0;

/// When storage will be full, at the pace of the points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StorageOutlook {
    /// Days until the allocated storage is full.
    pub days_left: f64,
    /// Days until the maximum of storage autoscaling is full, where there is one.
    pub days_to_maximum: Option<f64>,
    /// Bytes that it shrinks by in a day.
    pub per_day: f64,
}

impl StorageOutlook {
    /// Days until nothing helps any more: up to the maximum of autoscaling where there is one.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.days_to_maximum.unwrap_or(self.days_left)
    }
}

/// From the points of `FreeStorageSpace` over 24 h (bytes, oldest first), the GiB allocated and the GiB up to
/// which storage grows by itself. `None` when it does not shrink or there is too little to tell.
#[must_use]
pub fn storage_outlook(
    points: &[(Wall, f64)],
    allocated_gib: u32,
    max_allocated_gib: Option<u32>,
) -> Option<StorageOutlook> {
    let points = since_last_growth(points, allocated_gib);
    let ((first, _), (last, free)) = (points.first()?, points.last()?);
    if points.len() < 3 || first.age_at(*last) < LEAST_SPAN {
        return None;
    }
    let per_day = -slope(points)? * DAY_S;
    let days_left = free.max(0.0) / per_day;
    if !per_day.is_finite() || per_day <= 0.0 || days_left > MOST_DAYS {
        return None;
    }
    let room = max_allocated_gib.filter(|max| *max > allocated_gib).map(|max| max - allocated_gib);
    let days_to_maximum = room.map(|room| (free.max(0.0) + f64::from(room) * GIB) / per_day);
    Some(StorageOutlook { days_left, days_to_maximum, per_day })
}

/// The points since storage last grew: a resize is a jump up, which would hide the consumption before it.
fn since_last_growth(points: &[(Wall, f64)], allocated_gib: u32) -> &[(Wall, f64)] {
    let jump = f64::from(allocated_gib) * GIB * 0.04;
    let grown = points.windows(2).rposition(|pair| matches!(pair, [(_, a), (_, b)] if b - a > jump));
    grown.and_then(|at| points.get(at + 1..)).unwrap_or(points)
}

/// The slope of the line of least squares, in bytes a second.
fn slope(points: &[(Wall, f64)]) -> Option<f64> {
    let (origin, _) = points.first()?;
    let xy = || points.iter().map(|(at, y)| (at.as_secs_f64() - origin.as_secs_f64(), *y));
    #[expect(clippy::cast_precision_loss, reason = "a day has 1,440 points")]
    let n = points.len() as f64;
    let (sum_x, sum_y) = xy().fold((0.0, 0.0), |(x, y), (px, py)| (x + px, y + py));
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (over, under) = xy().fold((0.0, 0.0), |(over, under), (x, y)| {
        (over + (x - mean_x) * (y - mean_y), under + (x - mean_x) * (x - mean_x))
    });
    (under > 0.0).then_some(over / under)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A day of points each 5 minutes, from `from` GiB, falling by `per_day` GiB.
    fn falling(from: f64, per_day: f64) -> Vec<(Wall, f64)> {
        (0..288_i32)
            .map(|i| (Wall(i64::from(i) * 300_000), (from - per_day * f64::from(i) / 288.0) * GIB))
            .collect()
    }

    #[test]
    fn storage_that_shrinks_has_an_end() {
        let outlook = storage_outlook(&falling(20.0, 5.0), 100, None).unwrap();
        assert!((outlook.days_left - 3.0).abs() < 0.05, "{outlook:?}");
        assert!((outlook.per_day / GIB - 5.0).abs() < 0.01);
        assert!((outlook.days() - outlook.days_left).abs() < f64::EPSILON);
    }

    #[test]
    fn autoscaling_moves_the_end_to_its_maximum() {
        let outlook = storage_outlook(&falling(20.0, 5.0), 100, Some(150)).unwrap();
        assert!((outlook.days() - 13.0).abs() < 0.05, "{outlook:?}");
        // A maximum that is reached moves nothing.
        assert_eq!(storage_outlook(&falling(20.0, 5.0), 150, Some(150)).unwrap().days_to_maximum, None);
    }

    #[test]
    fn without_a_trend_nothing_is_told() {
        assert_eq!(storage_outlook(&falling(20.0, -1.0), 100, None), None);
        assert_eq!(storage_outlook(&falling(20.0, 0.0), 100, None), None);
        assert_eq!(storage_outlook(&falling(20.0, 5.0)[..8], 100, None), None);
        assert_eq!(storage_outlook(&[], 100, None), None);
        let once = vec![(Wall(0), 1.0), (Wall(0), 0.5), (Wall(0), 0.2)];
        assert_eq!(storage_outlook(&once, 100, None), None);
    }

    #[test]
    fn a_resize_does_not_hide_the_consumption() {
        let mut points = falling(5.0, 4.0);
        for (_, free) in points.iter_mut().skip(200) {
            *free += 10.0 * GIB;
        }
        let outlook = storage_outlook(&points, 110, None).unwrap();
        assert!((outlook.per_day / GIB - 4.0).abs() < 0.01, "{outlook:?}");
    }

    proptest! {
        #[test]
        fn the_outlook_is_finite_and_not_negative(values in prop::collection::vec(-1e12..1e12_f64, 0..40)) {
            let points: Vec<(Wall, f64)> =
                (0_i64..).map(|i| Wall(i * 600_000)).zip(values).collect();
            if let Some(outlook) = storage_outlook(&points, 100, Some(200)) {
                prop_assert!(outlook.days_left.is_finite() && outlook.days_left >= 0.0);
                prop_assert!(outlook.days() >= outlook.days_left && outlook.per_day > 0.0);
            }
        }
    }
}
