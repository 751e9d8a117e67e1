//! The gate in virtual time: order, pace, cancellation, two processes.

use super::*;
use crate::domain::fault::FaultKind;
use crate::stdx::clock::Wall;

const ACTION: &str = "ecs:DescribeServices";

fn scope() -> Scope {
    Scope::new("default", "eu-west-2")
}

fn gate(pacing: Pacing, ledger: Option<Ledger>) -> Arc<Gate> {
    let clock = Clock::steered(Wall(1_790_000_000_000), 1.0);
    Arc::new(Gate::new(clock, pacing, ledger))
}

/// Enters `count` times at once, holding each ticket for 80 ms; gives the seconds of entry.
async fn enter(gate: &Gate, class: Class, count: usize) -> Vec<f64> {
    let start = tokio::time::Instant::now();
    let one = async || {
        let _ticket = gate.enter(&scope(), ACTION, class).await;
        let at = start.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_millis(80)).await;
        at
    };
    futures_util::future::join_all((0..count).map(|_| one())).await
}

#[tokio::test(start_paused = true)]
async fn background_goes_at_a_quarter_of_the_refill() {
    let gate = gate(Pacing::On, None);
    let times = enter(&gate, Class::Background, 55).await;
    assert!(times.is_sorted(), "first come, first served");
    let last = times.last().unwrap();
    assert!((10.0..10.3).contains(last), "5 at once, then 5 a second: {last}");
}

#[tokio::test(start_paused = true)]
async fn foreground_does_not_wait_for_background() {
    let gate = gate(Pacing::On, None);
    let background = tokio::spawn({
        let gate = gate.clone();
        async move { enter(&gate, Class::Background, 100).await }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let times = enter(&gate, Class::Foreground, 60).await;
    let last = *times.last().unwrap();
    assert!(last < 1.2, "the burst is there while 85 refreshes wait; eight at a time at 80 ms: {last}");
    let meter = gate.meter();
    assert!(meter.rows[0].waiting > 50);
    background.abort();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(gate.meter().rows[0].waiting, 0, "the cancelled ones have left the queue");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_wait_costs_nothing() {
    let gate = gate(Pacing::On, None);
    enter(&gate, Class::Background, 5).await;
    for _ in 0..20 {
        let scope = scope();
        let wait = gate.enter(&scope, ACTION, Class::Background);
        assert!(tokio::time::timeout(Duration::from_millis(1), wait).await.is_err());
    }
    let times = enter(&gate, Class::Background, 1).await;
    assert!(times[0] < 0.2, "the next token is nobody else's");
    assert_eq!(gate.meter().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_slows_one_bucket_and_shows() {
    let gate = gate(Pacing::On, None);
    let ticket = gate.enter(&scope(), ACTION, Class::Foreground).await;
    gate.throttled(&ticket);
    gate.failed(&ticket, &Fault::new(FaultKind::Throttled, "Rate exceeded"));
    drop(ticket);
    let times = enter(&gate, Class::Foreground, 10).await;
    let last = times.last().unwrap();
    assert!((1.9..2.2).contains(last), "5 a second: {last}");
    let other = gate.enter(&scope(), "ecs:ListTasks", Class::Foreground).await;
    drop(other);
    let meter = gate.meter();
    assert!(meter.is_throttled());
    let rates: Vec<_> = meter.rows.iter().map(|r| (r.bucket, r.rate_percent, r.requests)).collect();
    assert_eq!(rates, [("ECS service read", 50, 11), ("ECS task read", 100, 1)]);
    assert!(meter.rows[0].throttled_at.is_some() && meter.rows[0].last_fault.is_some());
    tokio::time::sleep(Duration::from_secs(101)).await;
    drop(gate.enter(&scope(), ACTION, Class::Foreground).await);
    assert!(!gate.meter().is_throttled());
}

#[tokio::test(start_paused = true)]
async fn without_pacing_only_the_places_count() {
    let gate = gate(Pacing::Off, None);
    let times = enter(&gate, Class::Foreground, 320).await;
    let last = times.last().unwrap();
    assert!((0.7..1.0).contains(last), "32 at a time at 80 ms: {last}");
    assert_eq!(gate.meter().sharing, Sharing::Off);
}

#[tokio::test(start_paused = true)]
async fn two_processes_stay_within_one_share() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = || Some(Ledger::new(directory.path().to_owned()));
    let gates = [gate(Pacing::On, ledger()), gate(Pacing::On, ledger())];
    let (a, b) =
        tokio::join!(enter(&gates[0], Class::Foreground, 80), enter(&gates[1], Class::Foreground, 80));
    let mut times: Vec<f64> = a.into_iter().chain(b).collect();
    times.sort_by(f64::total_cmp);
    let last = times.last().unwrap();
    assert!((9.9..10.5).contains(last), "60 of one burst, then 10 a second, together: {last}");
    assert_eq!(gates[0].meter().sharing, Sharing::User);
    let ticket = gates[0].enter(&scope(), ACTION, Class::Foreground).await;
    gates[0].throttled(&ticket);
    drop(ticket);
    drop(gates[1].enter(&scope(), ACTION, Class::Foreground).await);
    assert_eq!(gates[1].meter().rows[0].rate_percent, 50, "one learns from the other's throttle");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_fails_is_said_and_does_not_stop_us() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("not-a-directory");
    std::fs::OpenOptions::new().create(true).truncate(true).write(true).open(&file).unwrap();
    let gate = gate(Pacing::On, Some(Ledger::new(file)));
    let times = enter(&gate, Class::Background, 10).await;
    assert!(*times.last().unwrap() >= 0.9, "the budget holds within the process");
    assert!(matches!(gate.meter().sharing, Sharing::Failed(_)));
}

#[tokio::test(start_paused = true)]
async fn all_regions_share_one_bucket_of_iam() {
    let gate = gate(Pacing::On, None);
    let start = tokio::time::Instant::now();
    let regions = ["eu-west-2", "us-east-1"].map(|region| Scope::new("default", region));
    let all = regions.iter().cycle().take(16).map(async |scope| {
        drop(gate.enter(scope, "iam:GetRole", Class::Foreground).await);
    });
    futures_util::future::join_all(all).await;
    let last = start.elapsed().as_secs_f64();
    assert!((3.9..4.2).contains(&last), "6 at once, then 2.5 a second, together: {last}");
    assert_eq!(gate.meter().rows.len(), 1);
}
