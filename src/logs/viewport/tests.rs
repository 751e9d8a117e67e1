//! The reader's place: keys, arrivals, folding and seeking.

use std::sync::Arc;

use super::*;
use crate::domain::log::LogGroupId;
use crate::domain::scope::Scope;
use crate::logs::line::{Arrival, Batch, Line, Origin};
use crate::logs::parse::Fields;
use crate::stdx::clock::Wall;
use proptest::prelude::*;

fn batch(lines: &[(i64, &str)], arrival: Arrival) -> Batch {
    batch_of("s", lines, arrival)
}

fn batch_of(stream: &str, lines: &[(i64, &str)], arrival: Arrival) -> Batch {
    let group = LogGroupId { scope: Scope::new("default", "eu-west-2"), name: "/ecs/x".into() };
    let origin = Arc::new(Origin { group, stream: stream.into(), container: "app".into(), task: "t".into() });
    let line = |&(at, message): &(i64, &str)| Line {
        origin: origin.clone(),
        event_id: None,
        at: Wall(at),
        ingested_at: None,
        message: message.into(),
    };
    Batch { arrival, lines: lines.iter().map(line).collect() }
}

fn numbered(from: i64, to: i64) -> Store {
    let mut store = Store::new(64 << 20, Fields::default());
    append(&mut store, from, to);
    store
}

fn append(store: &mut Store, from: i64, to: i64) {
    let texts: Vec<(i64, String)> = (from..to).map(|n| (n * 10, format!("line {n}"))).collect();
    let lines: Vec<(i64, &str)> = texts.iter().map(|(at, text)| (*at, text.as_str())).collect();
    store.insert(&batch(&lines, Arrival::Newer));
}

fn screen(viewport: &Viewport, window: &Window<'_>) -> Vec<String> {
    viewport
        .page(window)
        .rows
        .iter()
        .map(|row| {
            let mark = if row.is_cursor { ">" } else { " " };
            let folded = if row.folded > 0 { format!(" +{}", row.folded) } else { String::new() };
            format!("{mark}{}{folded}", window.store.find(row.id).unwrap().message)
        })
        .collect()
}

#[test]
fn following_shows_the_newest_and_holding_is_still_to_the_cell() {
    let mut store = numbered(0, 10);
    let scan = Scan::default();
    let mut viewport = Viewport::default();
    assert_eq!(screen(&viewport, &Window::unwrapped(&store, &scan, 3)), [" line 7", " line 8", ">line 9"]);
    viewport.up(&Window::unwrapped(&store, &scan, 3), 1);
    let held = screen(&viewport, &Window::unwrapped(&store, &scan, 3));
    assert_eq!(held, [" line 7", ">line 8", " line 9"]);
    append(&mut store, 10, 30);
    store.insert(&batch(&[(75, "late")], Arrival::Newer));
    store.insert(&batch(&[(5, "older"), (76, "older inside")], Arrival::Older));
    let window = Window::unwrapped(&store, &scan, 3);
    assert_eq!(screen(&viewport, &window), held);
    assert_eq!(viewport.unread(&window), 21);
    viewport.up(&window, 0);
    assert_eq!(
        screen(&viewport, &window),
        [" late", " older inside", ">line 8"],
        "moving lets late lines in"
    );
    viewport.follow();
    assert_eq!(screen(&viewport, &window), [" line 27", " line 28", ">line 29"]);
}

#[test]
fn keys_walk_and_the_end_follows_again() {
    let store = numbered(0, 10);
    let scan = Scan::default();
    let window = Window::unwrapped(&store, &scan, 4);
    let mut viewport = Viewport::default();
    viewport.page_up(&window);
    assert_eq!(screen(&viewport, &window), [" line 3", " line 4", " line 5", ">line 6"]);
    viewport.top(&window);
    assert_eq!(screen(&viewport, &window), [">line 0", " line 1", " line 2", " line 3"]);
    assert!(viewport.page(&window).at_top && !viewport.page(&window).at_bottom);
    viewport.down(&window, 5);
    assert_eq!(screen(&viewport, &window), [" line 2", " line 3", " line 4", ">line 5"]);
    viewport.page_down(&window);
    assert_eq!(screen(&viewport, &window), [" line 5", " line 6", " line 7", ">line 8"]);
    viewport.page_down(&window);
    assert_eq!(screen(&viewport, &window), [" line 6", " line 7", " line 8", ">line 9"]);
    assert!(!viewport.is_following());
    viewport.down(&window, 1);
    assert!(viewport.is_following(), "down from the last line follows");
}

#[test]
fn traces_fold_and_open() {
    let mut store = Store::new(64 << 20, Fields::default());
    store.insert(&batch(
        &[(1, "INFO a"), (2, "ERROR b"), (3, "  at x"), (4, "  at y"), (5, "INFO c")],
        Arrival::Newer,
    ));
    let scan = Scan::default();
    let window = Window::unwrapped(&store, &scan, 9);
    let mut viewport = Viewport::default();
    assert_eq!(screen(&viewport, &window), [" INFO a", " ERROR b +2", ">INFO c"]);
    viewport.up(&window, 1);
    viewport.toggle_fold(&window);
    assert_eq!(screen(&viewport, &window), [" INFO a", ">ERROR b", "   at x", "   at y", " INFO c"]);
    viewport.down(&window, 2);
    viewport.toggle_fold(&window);
    assert_eq!(screen(&viewport, &window), [" INFO a", ">ERROR b +2", " INFO c"]);
    viewport.toggle_folding(&window);
    assert_eq!(viewport.page(&window).rows.len(), 5);
    // A text filter shows what it finds, inside traces too.
    viewport.toggle_folding(&window);
    let mut found = Scan::new(Filter::parse("at").unwrap());
    found.advance(&store, usize::MAX);
    let window = Window::unwrapped(&store, &found, 9);
    viewport.settle(&window);
    assert_eq!(screen(&viewport, &window).len(), 2);
}

#[test]
fn seeking_goes_from_match_to_match_within_a_budget() {
    let store = numbered(0, 200);
    let scan = Scan::default();
    let window = Window::unwrapped(&store, &scan, 5);
    let mut viewport = Viewport::default();
    let find = Filter::parse("\"line 17\"").unwrap();
    let mut turns = 0;
    while viewport.seek(&window, &find, false, 400) == Seek::More {
        turns += 1;
    }
    assert!(turns > 0);
    assert_eq!(screen(&viewport, &window)[0], ">line 179");
    assert_eq!(viewport.seek(&window, &find, false, usize::MAX), Seek::Found);
    assert_eq!(viewport.cursor(&window).unwrap().at, Wall(1_780));
    assert_eq!(viewport.seek(&window, &find, true, usize::MAX), Seek::Found);
    assert_eq!(viewport.cursor(&window).unwrap().at, Wall(1_790));
    assert_eq!(viewport.seek(&window, &find, true, usize::MAX), Seek::None);
    assert_eq!(viewport.cursor(&window).unwrap().at, Wall(1_790));
}

#[test]
fn a_match_inside_a_folded_trace_opens_it() {
    let mut store = Store::new(64 << 20, Fields::default());
    store.insert(&batch(&[(1, "ERROR b"), (2, "  at needle"), (3, "INFO c")], Arrival::Newer));
    let scan = Scan::default();
    let window = Window::unwrapped(&store, &scan, 9);
    let mut viewport = Viewport::default();
    assert_eq!(viewport.seek(&window, &Filter::parse("needle").unwrap(), false, usize::MAX), Seek::Found);
    assert_eq!(screen(&viewport, &window), [" ERROR b", ">  at needle", " INFO c"]);
}

#[test]
fn wrapped_lines_take_their_rows() {
    let store = numbered(0, 10);
    let scan = Scan::default();
    let weigh = |_: &Record<'_>| 2;
    let window = Window { store: &store, scan: &scan, height: 5, weigh: &weigh };
    let mut viewport = Viewport::default();
    let page = viewport.page(&window);
    assert_eq!((page.rows.len(), page.skip), (3, 1));
    viewport.hold(&window);
    assert_eq!(screen(&viewport, &window)[0], " line 8");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keys_and_arrivals_never_move_a_held_screen_and_the_cursor_stays_on_it(
        steps in proptest::collection::vec((0u8..9, 0i64..400, 0usize..12), 1..60), height in 1usize..12, filtered in any::<bool>()
    ) {
        let mut store = numbered(0, 30);
        let mut scan = if filtered { Scan::new(Filter::parse("-9").unwrap()) } else { Scan::default() };
        let mut viewport = Viewport::default();
        for (n, (key, at, lines)) in steps.into_iter().enumerate() {
            scan.advance(&store, usize::MAX);
            let before = viewport.page(&Window::unwrapped(&store, &scan, height));
            match key {
                // Other streams: a late line in the middle of an open trace of its own stream may take the rest
                // of the trace with it.
                0 => store.insert(&batch_of(&format!("late {n}"), &[(at, "  late"), (at + 1, "x")], Arrival::Newer)),
                1 => store.insert(&batch_of(&format!("older {n}"), &[(at - 200, "older")], Arrival::Older)),
                2 => append(&mut store, 60 + at, 62 + at),
                _ => {}
            }
            scan.advance(&store, usize::MAX);
            let window = Window::unwrapped(&store, &scan, height);
            if key <= 2 {
                let after = viewport.page(&window);
                if !viewport.is_following() && before.rows.len() == height {
                    let ids = |page: &Page| page.rows.iter().map(|r| (r.id, r.is_cursor)).collect::<Vec<_>>();
                    prop_assert_eq!(ids(&before), ids(&after));
                }
                continue;
            }
            match key {
                3 => viewport.up(&window, lines),
                4 => viewport.down(&window, lines),
                5 => viewport.page_up(&window),
                6 => viewport.page_down(&window),
                7 => viewport.top(&window),
                _ => viewport.toggle_fold(&window),
            }
            let page = viewport.page(&window);
            prop_assert!(page.rows.iter().filter(|r| r.is_cursor).count() == 1, "{:?}", page);
            prop_assert!(page.rows.len() <= height);
            prop_assert!(page.rows.is_sorted_by(|a, b| a.id < b.id));
        }
    }
}
