//! The share holds over every window, whoever asks and whenever.

use proptest::prelude::*;

use super::*;

const ACTIONS: [&str; 5] = [
    "ecs:DescribeServices",
    "ecs:ListClusters",
    "logs:FilterLogEvents",
    "logs:DescribeLogGroups",
    "sts:GetCallerIdentity",
];

/// Whether no window of granted times exceeds a share.
fn within(share: Share, times: &[f64]) -> bool {
    times.iter().enumerate().all(|(first, from)| {
        times.iter().enumerate().skip(first).all(|(last, to)| {
            let granted = f64::from(u32::try_from(last - first + 1).unwrap());
            granted <= share.capacity + share.rate * (to - from) + 1e-3
        })
    })
}

proptest! {
    #[test]
    fn no_window_exceeds_the_share(
        action in 0..ACTIONS.len(),
        steps in prop::collection::vec((0.0f64..0.4, any::<bool>(), 0u8..40), 1..250),
    ) {
        let quota = quota::of(ACTIONS[action], "eu-central-1");
        let mut now = 1000.0;
        let mut budget = Budget::full(&quota, now);
        let mut granted = [Vec::new(), Vec::new()];
        for (pause, background, event) in steps {
            now += pause;
            if event == 0 {
                budget.throttled(&quota, now);
            }
            let class = if background { Class::Background } else { Class::Foreground };
            match budget.take(&quota, class, now) {
                Ok(()) => granted[usize::from(background)].push(now),
                Err(wait) => prop_assert!(wait > Duration::ZERO),
            }
        }
        prop_assert!(within(Share::of(&quota, Class::Foreground), &granted[0]));
        prop_assert!(within(Share::of(&quota, Class::Background), &granted[1]));
    }

    #[test]
    fn waiting_as_told_is_enough(action in 0..ACTIONS.len(), background in any::<bool>()) {
        let quota = quota::of(ACTIONS[action], "us-east-1");
        let class = if background { Class::Background } else { Class::Foreground };
        let mut now = 5.0;
        let mut budget = Budget::full(&quota, now);
        for _ in 0..200 {
            if let Err(wait) = budget.take(&quota, class, now) {
                now += wait.as_secs_f64();
                prop_assert_eq!(budget.take(&quota, class, now), Ok(()));
            }
        }
    }

    #[test]
    fn a_clock_that_jumps_gives_at_most_a_full_bucket(times in prop::collection::vec(-1e9f64..1e9, 1..50)) {
        let quota = quota::of("ecs:DescribeServices", "eu-west-2");
        let mut budget = Budget::full(&quota, 0.0);
        for now in times {
            let _ = budget.take(&quota, Class::Background, now);
            let left = budget.tokens(&quota, Class::Background, now);
            prop_assert!((0.0..=5.0).contains(&left));
            prop_assert!((SLOWEST..=1.0).contains(&budget.rate()));
        }
    }
}

#[test]
fn a_throttle_halves_the_rate_which_recovers_by_a_twentieth_each_ten_seconds() {
    let quota = quota::of("ecs:DescribeServices", "eu-west-2");
    let mut budget = Budget::full(&quota, 0.0);
    for at in [100.0, 100.1, 100.9] {
        budget.throttled(&quota, at);
    }
    assert!((budget.rate() - 0.5).abs() < 1e-9, "three refusals at once are one incident");
    let wait = budget.take(&quota, Class::Foreground, 100.9).unwrap_err();
    assert_eq!(wait, Duration::from_millis(200), "half of ten a second, from nothing");
    budget.throttled(&quota, 103.0);
    assert!((budget.rate() - 0.25).abs() < 1e-9);
    let mut rates = Vec::new();
    for at in [112.0, 113.0, 133.0, 1000.0] {
        let _ = budget.take(&quota, Class::Background, at);
        rates.push((budget.rate() * 100.0).round());
    }
    assert_eq!(rates, [25.0, 30.0, 40.0, 100.0]);
}

#[test]
fn the_shares_are_those_of_the_design() {
    let services = quota::of("ecs:ListServices", "eu-west-2");
    assert_eq!(Share::of(&services, Class::Foreground), Share { capacity: 60.0, rate: 10.0 });
    assert_eq!(Share::of(&services, Class::Background), Share { capacity: 5.0, rate: 5.0 });
    let logs = quota::of("logs:FilterLogEvents", "eu-central-1");
    assert_eq!(Share::of(&logs, Class::Foreground), Share { capacity: 3.0, rate: 2.5 });
    assert_eq!(quota::of("logs:FilterLogEvents", "us-east-1").refill, 25.0);
    assert_eq!(quota::of("logs:FilterLogEvents", "me-south-1").refill, 10.0);
}
