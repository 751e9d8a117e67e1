//! The store: order, traces, bytes and eviction, whatever arrives in whatever order.

use super::*;
use crate::domain::log::LogGroupId;
use crate::domain::scope::Scope;
use proptest::prelude::*;

fn origin(task: &str) -> Arc<Origin> {
    let group = LogGroupId { scope: Scope::new("default", "eu-west-2"), name: "/ecs/x".into() };
    Arc::new(Origin { group, stream: format!("ecs/app/{task}"), container: "app".into(), task: task.into() })
}

fn line(task: &str, at: i64, ingested: i64, message: &str) -> Line {
    Line {
        origin: origin(task),
        event_id: None,
        at: Wall(at),
        ingested_at: Some(Wall(ingested)),
        message: message.into(),
    }
}

fn newer(lines: Vec<Line>) -> Batch {
    Batch { arrival: Arrival::Newer, lines }
}

fn messages(store: &Store) -> Vec<String> {
    store.iter().map(|r| r.message.to_owned()).collect()
}

/// What the bytes really are, counted anew.
fn counted(store: &Store) -> usize {
    store.segments.iter().map(|s| s.bytes()).sum::<usize>()
        + store
            .origins
            .iter()
            .map(|o| size_of::<Origin>() + o.stream.len() + o.container.len() + o.task.len())
            .sum::<usize>()
}

#[test]
fn lines_of_one_millisecond_keep_the_order_of_their_side() {
    let mut store = Store::new(1 << 20, Fields::default());
    store.insert(&newer(vec![line("a", 5, 9, "3"), line("a", 5, 9, "4")]));
    store.insert(&Batch { arrival: Arrival::Older, lines: vec![line("a", 5, 9, "1"), line("a", 5, 9, "2")] });
    store.insert(&newer(vec![line("a", 5, 9, "5")]));
    assert_eq!(messages(&store), ["1", "2", "3", "4", "5"]);
}

#[test]
fn a_trace_hangs_under_its_head_whatever_stands_between_and_whenever_it_came() {
    let mut store = Store::new(1 << 20, Fields::default());
    store.insert(&newer(vec![
        line("a", 11, 20, "Traceback (most recent call last):"),
        line("b", 11, 20, "INFO other"),
        line("a", 12, 20, "  File \"x.py\", line 1"),
        line("a", 12, 20, "ValueError: bad"),
        line("a", 13, 20, "INFO next"),
    ]));
    let head = store.iter().find(|r| r.message.starts_with("Traceback")).unwrap();
    assert_eq!((head.level, store.folded_under(head.id)), (Some(Level::Error), 2));
    let last = store.iter().find(|r| r.message.starts_with("ValueError")).unwrap();
    assert_eq!((last.head, last.level), (head.id.sequence, Some(Level::Error)));
    // The line that logged it arrives late: the whole trace moves under it.
    store.insert(&newer(vec![line("a", 10, 30, "FATAL going down")]));
    let head = store.iter().find(|r| r.message.starts_with("FATAL")).unwrap();
    assert_eq!(store.folded_under(head.id), 3);
    let file = store.iter().find(|r| r.message.contains("File")).unwrap();
    assert_eq!((file.head, file.level), (head.id.sequence, Some(Level::Fatal)));
}

#[test]
fn lines_far_apart_in_time_are_no_trace() {
    let mut store = Store::new(1 << 20, Fields::default());
    store.insert(&newer(vec![line("a", 0, 0, "ERROR x"), line("a", 60_000, 0, "  indented")]));
    assert!(store.iter().all(|r| !r.is_continuation()));
}

#[test]
fn the_oldest_are_dropped_and_counted_and_do_not_come_back() {
    let mut store = Store::new(600 * 1024, Fields::default());
    let text = "x".repeat(200);
    for n in 0..10_000 {
        store.insert(&newer(vec![line("a", n, n, &text)]));
    }
    assert!(store.bytes() <= store.budget(), "{}", store.bytes());
    assert_eq!(store.dropped() + store.len() as u64, 10_000);
    let (first, last) = store.ends().unwrap();
    assert_eq!(last.at, Wall(9_999));
    let held = store.len();
    store.insert(&Batch { arrival: Arrival::Older, lines: vec![line("a", first.at.0 - 500, 0, "old")] });
    assert_eq!((store.len(), store.dropped()), (held, 10_000 - held as u64 + 1));
    assert!(store.is_full());
    assert!(store.find(first).is_some());
}

#[test]
fn a_huge_line_costs_its_bytes_and_no_more() {
    let mut store = Store::new(8 << 20, Fields::default());
    store.insert(&newer(vec![line("a", 1, 1, &"y".repeat(1 << 20)), line("a", 2, 2, "next")]));
    assert!(store.bytes() >= 1 << 20 && store.bytes() < (1 << 20) + 64 * 1024, "{}", store.bytes());
    assert_eq!(store.iter().next().unwrap().message.len(), 1 << 20);
}

#[test]
fn a_reader_keeps_the_version_it_holds() {
    let mut store = Store::new(1 << 20, Fields::default());
    store.insert(&newer(vec![line("a", 1, 1, "one"), line("a", 3, 3, "three")]));
    let held = store.segments()[0].clone();
    store.insert(&newer(vec![line("a", 2, 9, "two")]));
    assert_eq!(held.len(), 2);
    assert_ne!(held.key(), store.segments()[0].key());
    assert_eq!(messages(&store), ["one", "two", "three"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_arrivals_end_in_order_with_nothing_lost_and_the_bytes_true(
        batches in proptest::collection::vec(
            (any::<bool>(), proptest::collection::vec((0u8..4, 0i64..3_000, 0usize..400), 0..120)), 1..40)
    ) {
        let mut store = Store::new(64 << 20, Fields::default());
        let mut expected = Vec::new();
        for (n, (older, lines)) in batches.iter().enumerate() {
            let mut lines: Vec<Line> = lines.iter().enumerate()
                .map(|(m, (task, at, size))| line(&task.to_string(), *at, *at + 5, &format!("{n}.{m} {}", "z".repeat(*size * 8))))
                .collect();
            lines.sort_by_key(|l| l.at);
            expected.extend(lines.iter().map(|l| l.message.clone()));
            store.insert(&Batch { arrival: if *older { Arrival::Older } else { Arrival::Newer }, lines });
            prop_assert_eq!(store.bytes(), counted(&store));
        }
        let ids: Vec<RecordId> = store.iter().map(|r| r.id).collect();
        prop_assert!(ids.is_sorted_by(|a, b| a < b));
        let mut held = messages(&store);
        held.sort();
        expected.sort();
        prop_assert_eq!(held, expected);
        for id in ids {
            prop_assert_eq!(store.find(id).map(|r| r.id), Some(id));
        }
        let mut back = store.end();
        let mut count = 0;
        while let Some(place) = store.previous(back) {
            prop_assert_eq!(store.next(place), store.get(back).map(|_| back));
            back = place;
            count += 1;
        }
        prop_assert_eq!(count, store.len());
    }
}
